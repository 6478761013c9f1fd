/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json broker catalog store plan relay */
/* weir outbox on PostgreSQL as a person meets it: making one, taking one over, looking, mending, relaying. */
#include "cli_fixture.h"
#include "kit/broker.h"
#include "kit/postgres.h"
#include "relay_fixture.h"

/* --- making one ---------------------------------------------------------------------------------------------- */

/* A url with a secret in it; the tests' server asks for none. */
static const char *url_with_secret(const char *url) {
    static char secret[600];
    snprintf(secret, sizeof secret, "postgres://postgres:hush@%s", strchr(url, '@') + 1);
    return secret;
}

static void secrets_are_not_told(void **state) {
    (void)state;
    const char *url = url_with_secret(kit_postgres_database(kit_postgres_shared()));
    const char *const commands[][6] = {{"outbox", "init", url, "--json"},
                                       {"outbox", "check", url, "--json"},
                                       {"outbox", "ls", url},
                                       {"outbox", "show", url, "7"},
                                       {"outbox", "retry", url, "7"},
                                       {"outbox", "drop", url, "7"},
                                       {"outbox", "init", url, "--preset", "seed"}};
    own_environment();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *argv[8] = {kit_program("weir")};
        memcpy(argv + 1, commands[i], sizeof commands[i]);
        struct kit_run run = kit_run(argv, NULL, 60);
        assert_null(strstr(run.out, "hush"));
        assert_null(strstr(run.err, "hush"));
        kit_run_free(&run);
    }
}

static void printed_sql_is_what_runs(void **state) {
    (void)state;
    own_environment();
    const char *url = kit_postgres_database(kit_postgres_shared());
    PGconn *db = kit_sql_connect(url);
    struct kit_run run = WEIR("outbox", "init", "--print");
    assert_int_equal(run.status, 0);
    kit_sql(db, run.out);
    kit_run_free(&run);
    EXPECT(WEIR("outbox", "check", url, "-q"), 0, "", "");
    run = WEIR("outbox", "init", "--print", "--preset", "debezium", "--table", "o'hara");
    assert_non_null(
        strstr(run.out, "asked_preset text := 'debezium';\n    asked_events text := 'o''hara';\n"));
    kit_run_free(&run);
    EXPECT(WEIR("outbox", "init"), 2, "",
           "weir outbox init: name the database: weir outbox init postgres://... or sqlite:PATH; see weir "
           "help outbox init\n");
    EXPECT(WEIR("outbox", "init", "sqlite:shop.db", "--print"), 2, "",
           "weir outbox init: --print shows the SQL for PostgreSQL, not for sqlite:shop.db; see weir help "
           "outbox init\n");
    EXPECT(WEIR("outbox", "init", "sqlite:shop.db", "--preset", "seed"), 1, "",
           "weir outbox init: sqlite:shop.db: tables are taken over in PostgreSQL only\n  leave --preset and "
           "--table away\n");
    PQfinish(db);
}

/* --- looking and mending --------------------------------------------------------------------------------------- */

static void rows_are_looked_at(void **state) {
    (void)state;
    own_environment();
    const char *url = kit_postgres_database(kit_postgres_shared());
    EXPECT(WEIR("outbox", "init", url, "-q"), 0, "", "");
    PGconn *db = kit_sql_connect(url);
    kit_sql(db, "INSERT INTO outbox_events (id, type, key, payload, created_at) VALUES ('one', 'a.b', 'k', "
                "'{\"n\":1.50}', '2025-11-14 12:00:00+00'),"
                " ('two', 'a.c', NULL, '{}', '2025-11-14 12:00:01+00');"
                "UPDATE outbox_rows SET parked_at = '2025-11-14 13:00:00+00', error_class = 'schema', error "
                "= 'n is no text' WHERE id = 'one'");
    EXPECT(WEIR("outbox", "ls", url, "-q"), 0,
           "POS  STATE    TYPE  CREATED                      CLASS   REASON OR PLACE\n"
           "  1  parked   a.b   2025-11-14T12:00:00.000000Z  schema  n is no text\n"
           "  2  pending  a.c   2025-11-14T12:00:01.000000Z          \n",
           "");
    EXPECT(WEIR("outbox", "show", url, "one"), 0,
           "pos             1\nstate           parked\nid              one\ntype            a.b\nkey         "
           "    k\n"
           "created at      2025-11-14T12:00:00.000000Z\nparked at       2025-11-14T13:00:00.000000Z\n"
           "class           schema\nerror           n is no text\npayload         {\"n\":1.50}\n",
           "");
    EXPECT(WEIR("outbox", "check", url, "-q"), 1,
           "1 row is parked; weir outbox ls tells why\n1 row is pending and no relay is at work; run weir "
           "relay\n",
           "");
    EXPECT(WEIR("outbox", "retry", url, "1"), 0, "", "1 row is pending again\n");
    EXPECT(WEIR("outbox", "drop", url, "1", "2", "--why", "no customer"), 0, "", "2 rows dropped\n");
    EXPECT(WEIR("outbox", "ls", url, "-q", "--state", "dropped"), 0,
           "POS  STATE    TYPE  CREATED                      CLASS    REASON OR PLACE\n"
           "  1  dropped  a.b   2025-11-14T12:00:00.000000Z  dropped  no customer\n"
           "  2  dropped  a.c   2025-11-14T12:00:01.000000Z  dropped  no customer\n",
           "");
    EXPECT(WEIR("outbox", "check", url, "-q"), 0, "", "");
    PQfinish(db);
}

/* --- tables that are there ---------------------------------------------------------------------------------------- */

struct relayed {
    kit_server *server;
    weir_connection *connection;
};

static struct relayed relayed_open(void) {
    own_environment();
    struct relayed relayed = {.server = kit_server_start(NULL)};
    relayed.connection = kit_connect(relayed.server);
    setenv("NATS_URL", kit_server_url(relayed.server), 1);
    setenv("WEIR_CATALOG", kit_catalog_folder(SHOP), 1);
    EXPECT(WEIR("apply", "--yes", "-q"), 0, NULL, "");
    return relayed;
}

static void relayed_close(struct relayed *relayed) {
    weir_disconnect(relayed->connection);
    unsetenv("NATS_URL");
    unsetenv("WEIR_CATALOG");
    kit_server_stop(relayed->server);
}

/* Rows that were there and rows that come later reach the stream, in order, in either mode. */
static void table_is_relayed(const char *preset, const char *table, const char *insert, const char *pending) {
    static const char *const modes[] = {"poll", "wal"};
    for (size_t i = 0; i < 2; i++) {
        struct relayed relayed = relayed_open();
        const char *url = kit_postgres_database(kit_postgres_shared());
        PGconn *db = kit_sql_connect(url);
        kit_sql(db, table);
        EXPECT(WEIR("outbox", "init", url, "--preset", preset, "-q"), 0, "", "");
        kit_sql(db, insert);
        EXPECT(WEIR("relay", "--outbox", url, "--mode", modes[i], "--once", "-q", "--log-level", "off"), 0,
               "", "");
        kit_sql(db, insert);
        EXPECT(WEIR("relay", "--outbox", url, "--mode", modes[i], "--once", "-q", "--log-level", "off"), 0,
               "", "");
        assert_int_equal(kit_sql_number(db, pending), 0);
        struct kit_run run = WEIR("replay", "ORDERS", "--stdout", "-q");
        const char *at = run.out;
        for (int n = 1; n <= 4; n++) {
            char payload[32];
            snprintf(payload, sizeof payload, ": %d}}\n", n);
            const char *found = strstr(at, payload);
            if (!found)
                fail_msg("%s: no %s behind %s", modes[i], payload, at);
            at = found;
        }
        kit_run_free(&run);
        kit_sql(db, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                    " WHERE database = current_database() AND NOT active");
        PQfinish(db);
        relayed_close(&relayed);
    }
}

static void debezium_is_relayed(void **state) {
    (void)state;
    table_is_relayed(
        "debezium",
        "CREATE TABLE outboxevent (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregatetype varchar(255) "
        "NOT NULL,"
        " aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb); CREATE SEQUENCE n;"
        "INSERT INTO outboxevent (aggregatetype, aggregateid, type, payload) SELECT 'order', 'o', "
        "'order.placed', json_build_object('n', nextval('n'))"
        " FROM generate_series(1, 2)",
        "INSERT INTO outboxevent (aggregatetype, aggregateid, type, payload) VALUES ('order', 'o', "
        "'order.placed', json_build_object('n', nextval('n')))",
        "SELECT count(*) FROM outboxevent WHERE NOT processed");
}

static void seed_is_relayed(void **state) {
    (void)state;
    table_is_relayed("seed",
                     "CREATE TABLE outbox_events (id serial PRIMARY KEY, event_type text, payload text, "
                     "processed boolean DEFAULT false);"
                     "CREATE SEQUENCE n; INSERT INTO outbox_events (event_type, payload, processed) VALUES "
                     "('order.placed', '{\"n\":99}', true);"
                     "INSERT INTO outbox_events (event_type, payload) SELECT 'order.placed', "
                     "json_build_object('n', nextval('n')) FROM generate_series(1, 2)",
                     "INSERT INTO outbox_events (event_type, payload) VALUES ('order.placed', "
                     "json_build_object('n', nextval('n')))",
                     "SELECT count(*) FROM outbox_events WHERE NOT processed");
}

static const struct spec specs[] = {
    {"no command tells the secret of a url", secrets_are_not_told},
    {"the SQL that init prints is what init runs", printed_sql_is_what_runs},
    {"rows are listed, shown, retried and dropped", rows_are_looked_at},
    {"a table of Debezium is relayed with the rows it had, polled or followed", debezium_is_relayed},
    {"a table with a processed flag is relayed with the rows that were pending, polled or followed",
     seed_is_relayed},
};
SPEC_MAIN(specs)
