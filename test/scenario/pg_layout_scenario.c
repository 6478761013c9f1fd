/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* The tables of a PostgreSQL outbox as other people meet them: made by anybody, as often as they like, and guarded against what
 * would lose an event. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "kit/postgres.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/outbox.h"

/* A fresh database with an outbox in it. */
static PGconn *outbox_on(kit_postgres *server) {
    weir_error err;
    PGconn *db = kit_sql_connect(kit_postgres_database(server));
    expect_ok(weir_outbox_init_pg(db, &err), &err);
    return db;
}

static PGconn *outbox_db(void) {
    return outbox_on(kit_postgres_shared());
}

/* --- making the tables ------------------------------------------------------------------------------------ */

static void again_and_at_once(void **state) {
    (void)state;
    const char *url = kit_postgres_database(kit_postgres_shared());
    pid_t children[4];
    for (int i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0)
            _exit(outbox_init(url, NULL) != WEIR_OK);
    for (int i = 0, status; i < 4; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    PGconn *db = kit_sql_connect(url);
    char uuid[64];
    snprintf(uuid, sizeof uuid, "%s", kit_sql_text(db, "SELECT uuid FROM outbox_meta"));
    kit_sql(db, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    weir_error err;
    expect_ok(outbox_init(url, &err), &err);
    assert_string_equal(kit_sql_text(db, "SELECT uuid FROM outbox_meta"), uuid);
    assert_int_equal(kit_sql_number(db, "SELECT count(*) FROM outbox_events"), 1);
    PQfinish(db);
}

static void writers_are_not_met(void **state) {
    (void)state;
    weir_error err;
    const char *url = kit_postgres_database(kit_postgres_shared());
    expect_ok(outbox_init(url, &err), &err);
    PGconn *writer = kit_sql_connect(url);
    kit_sql(writer, "BEGIN; INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    expect_ok(outbox_init(url, &err), &err); /* would wait for its lock_timeout, and fail */
    PQfinish(writer);
}

static void what_is_missing_is_mended(void **state) {
    (void)state;
    weir_error err;
    PGconn *db = outbox_db();
    kit_sql(db, "DROP TRIGGER outbox_keep_content ON outbox_events; DROP INDEX outbox_events_pending;"
                "ALTER TABLE outbox_events DISABLE TRIGGER outbox_keep_unsent; DROP VIEW outbox_rows;"
                "DROP PUBLICATION weir_outbox; DROP FUNCTION weir_emit");
    expect_ok(weir_outbox_init_pg(db, &err), &err);
    assert_int_equal(
        kit_sql_number(
            db, "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O' AND tgname LIKE 'outbox_keep%'"),
        4);
    assert_non_null(kit_sql_text(db, "SELECT to_regclass('outbox_events_pending')"));
    assert_non_null(kit_sql_text(db, "SELECT to_regclass('outbox_rows')"));
    assert_string_equal(kit_sql_text(db, "SELECT string_agg(tablename, ',') FROM pg_publication_tables"),
                        "outbox_events");
    assert_non_null(kit_sql_text(db, "SELECT weir_emit('a', 'k', '{}')"));
    PQfinish(db);
}

static void not_inside_a_transaction(void **state) {
    (void)state;
    weir_error err;
    PGconn *db = kit_sql_connect(kit_postgres_database(kit_postgres_shared()));
    kit_sql(db, "BEGIN");
    expect_error(weir_outbox_init_pg(db, &err), WEIR_INVALID, &err,
                 "the outbox cannot be created inside a transaction");
    assert_string_equal(err.hint, "COMMIT first");
    PQfinish(db);
}

static void in_the_schema_of_the_search_path(void **state) {
    (void)state;
    weir_error err;
    PGconn *db = kit_sql_connect(kit_postgres_database(kit_postgres_shared()));
    kit_sql(db, "CREATE SCHEMA billing; SET search_path = billing, public");
    expect_ok(weir_outbox_init_pg(db, &err), &err);
    assert_string_equal(kit_sql_text(db, "SELECT 'billing.outbox_events'::regclass::text"), "outbox_events");
    /* whoever made another schema come first since then still means this outbox */
    kit_sql(db, "CREATE SCHEMA mine; SET search_path = mine, billing");
    expect_ok(weir_outbox_init_pg(db, &err), &err);
    assert_int_equal(kit_sql_number(db, "SELECT count(*) FROM pg_class WHERE relname = 'outbox_meta'"), 1);
    kit_sql(db, "SET search_path = nowhere");
    expect_error(weir_outbox_init_pg(db, &err), WEIR_INVALID, &err,
                 "cannot create the outbox: no schema of the search_path (nowhere) exists");
    assert_string_equal(err.hint, "create it, or name another one: ?options=-csearch_path%3DSCHEMA");
    PQfinish(db);
}

static void remember(void *arg, const char *sentence) {
    buffer *told = arg;
    buffer_printf(told, "%s\n", sentence);
}

static void an_inbox_of_somebody_else(void **state) {
    (void)state;
    weir_error err;
    buffer told;
    const char *url = kit_postgres_database(kit_postgres_shared());
    PGconn *db = kit_sql_connect(url);
    kit_sql(db, "CREATE TABLE inbox (mail text)");
    buffer_init(&told, 4096);
    const struct outbox_layout layout = {.told = remember, .arg = &told};
    expect_ok(outbox_init_as(url, &layout, &err), &err);
    assert_string_equal(
        told.data,
        "the table inbox was there and is somebody else's: no group can keep its effects in this database\n");
    buffer_release(&told);
    PQfinish(db);
}

static void newer_layouts(void **state) {
    (void)state;
    weir_error err;
    PGconn *db = outbox_db();
    kit_sql(db, "UPDATE outbox_meta SET layout = 7");
    expect_error(
        weir_outbox_init_pg(db, &err), WEIR_INVALID, &err,
        "cannot create the outbox: the outbox has layout 7, made by a newer weir; this one knows layout 1");
    assert_string_equal(err.hint, "use the newer weir");
    PQfinish(db);
}

/* Somebody who owns a database and no more. */
static void an_ordinary_owner(void **state) {
    (void)state;
    weir_error err;
    buffer told;
    char owner_url[512];
    kit_postgres *server = kit_postgres_start(NULL); /* roles belong to the whole cluster */
    PGconn *db = kit_sql_connect(kit_postgres_url(server));
    kit_sql(db, "CREATE ROLE ann LOGIN");
    kit_sql(db, "CREATE DATABASE shop OWNER ann");
    snprintf(owner_url, sizeof owner_url, "postgres://ann@127.0.0.1:%d/shop", kit_postgres_port(server));
    buffer_init(&told, 4096);
    const struct outbox_layout layout = {.told = remember, .arg = &told};
    expect_ok(outbox_init_as(owner_url, &layout, &err), &err);
    assert_string_equal(told.data, "the roles weir_outbox_writer and weir_outbox_relay were left out "
                                   "(permission denied to create role): run weir outbox "
                                   "init as a user who may create roles, or grant the rights by hand\n");
    PGconn *ann = kit_sql_connect(owner_url);
    kit_sql(ann, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    assert_non_null(kit_sql_text(ann, "SELECT weir_emit('a', 'k', '{}')"));
    PQfinish(ann);
    /* and when somebody who may has made the roles */
    kit_sql(db, "CREATE ROLE weir_outbox_writer NOLOGIN; CREATE ROLE weir_outbox_relay NOLOGIN; GRANT "
                "pg_read_all_stats TO weir_outbox_relay");
    buffer_clear(&told);
    expect_ok(outbox_init_as(owner_url, &layout, &err), &err);
    assert_int_equal(told.size, 0);
    buffer_release(&told);
    PQfinish(db);
    kit_postgres_stop(server);
}

/* --- rows that were not sent ------------------------------------------------------------------------------ */

#define CANNOT_CHANGE                                                                                   \
    "outbox_events: a row that was not sent cannot be changed; give it up with: weir outbox drop, and " \
    "insert another"
#define CANNOT_DELETE \
    "outbox_events: a row that was not sent cannot be deleted; give it up with: weir outbox drop"
#define NOT_YOURS                                                                                            \
    "outbox_events: xid, processed and parked_at are the database's and the relay's; leave them out of the " \
    "INSERT"
#define NOT_PROCESSED                                                                                        \
    "new row for relation \"outbox_events\" violates check constraint \"processed is false; only the relay " \
    "sets it to true\""

static void what_is_refused(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"UPDATE outbox_events SET payload = '{}'", CANNOT_CHANGE},
        {"UPDATE outbox_events SET pos = DEFAULT", CANNOT_CHANGE},
        {"UPDATE outbox_events SET xid = '5'", CANNOT_CHANGE},
        {"INSERT INTO outbox_events (id, type) VALUES ('one', 'a') ON CONFLICT (id) DO UPDATE SET type = 'b'",
         CANNOT_CHANGE},
        {"UPDATE outbox_events SET processed = true", NOT_PROCESSED},
        {"DELETE FROM outbox_events", CANNOT_DELETE},
        {"TRUNCATE outbox_events", CANNOT_DELETE},
        {"INSERT INTO outbox_events (type, xid) VALUES ('a', '18446744073709551615')", NOT_YOURS},
        {"INSERT INTO outbox_events (type, xid) VALUES ('a', '3')", NOT_YOURS},
        {"INSERT INTO outbox_events (type, parked_at) VALUES ('a', now())", NOT_YOURS},
        {"INSERT INTO outbox_events (type, processed, sequence) VALUES ('a', true, 7)", NOT_YOURS},
        {"INSERT INTO outbox_events (type, processed) VALUES ('a', true)", NOT_PROCESSED},
        {"INSERT INTO outbox_events (type, pos) VALUES ('a', 7)",
         "cannot insert a non-DEFAULT value into column \"pos\""},
        {"INSERT INTO outbox_events (type, payload) VALUES ('a', '{\"n\":')",
         "invalid input syntax for type json"},
        {"INSERT INTO outbox_events (type, payload) SELECT 'a', to_json(repeat('x', 67108864))",
         "new row for relation \"outbox_events\" violates check constraint \"payload is at most 64 MiB\""},
        {"INSERT INTO outbox_events (type) VALUES (repeat('x', 1025))",
         "new row for relation \"outbox_events\" violates check constraint \"id and type are at most 1 "
         "KiB\""},
        {"INSERT INTO outbox_events (type, key) VALUES ('a', repeat('x', 65537))",
         "new row for relation \"outbox_events\" violates check constraint \"key, tenant and the like are at "
         "most 64 KiB\""},
        {"INSERT INTO outbox_events (type, occurred_at) VALUES ('a', 'infinity')",
         "new row for relation \"outbox_events\" violates check constraint \"times are of the years 1 to "
         "9999\""},
        {"INSERT INTO outbox_events (type, id) VALUES ('a', 'one')",
         "duplicate key value violates unique constraint \"outbox_events_id_key\""},
    };
    PGconn *db = outbox_db();
    kit_sql(db, "INSERT INTO outbox_events (id, type, payload) VALUES ('one', 'a', '{}')");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(kit_sql_refused(db, rows[i][0]), rows[i][1]);
    assert_int_equal(kit_sql_number(db, "SELECT count(*) FROM outbox_events"), 1);
    PQfinish(db);
}

static void sent_rows_are_free(void **state) {
    (void)state;
    PGconn *db = outbox_db();
    kit_sql(db, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}'), ('b', '{}')");
    kit_sql(db, "UPDATE outbox_rows SET processed = true, sequence = 1, stream = 'S', processed_at = now()");
    kit_sql(db, "UPDATE outbox_events SET payload = '{\"redacted\":true}' WHERE type = 'a'");
    kit_sql(db, "DELETE FROM outbox_events WHERE type = 'a'");
    kit_sql(db, "TRUNCATE outbox_events");
    PQfinish(db);
}

static void rows_of_a_dump(void **state) {
    (void)state;
    weir_error err;
    PGconn *db = outbox_db();
    kit_sql(db, "SET session_replication_role = replica"); /* as pg_restore --disable-triggers */
    kit_sql(db, "INSERT INTO outbox_events (type, payload, xid) VALUES ('a', '{}', '9000000000')");
    kit_sql(db, "RESET session_replication_role");
    expect_ok(weir_outbox_init_pg(db, &err), &err);
    assert_int_equal(
        kit_sql_number(
            db, "SELECT count(*) FROM outbox_events WHERE xid < pg_snapshot_xmax(pg_current_snapshot())"),
        1);
    assert_string_equal(kit_sql_refused(db, "UPDATE outbox_events SET xid = '5'"), CANNOT_CHANGE);
    PQfinish(db);
}

/* --- waking the relay -------------------------------------------------------------------------------------- */

static bool notified(PGconn *db) {
    PQconsumeInput(db);
    PGnotify *notify = PQnotifies(db);
    bool came = notify != NULL;
    PQfreemem(notify);
    return came;
}

static void only_a_sleeper_is_woken(void **state) {
    (void)state;
    kit_postgres *server =
        kit_postgres_start(&(struct kit_postgres_options){.config = "max_prepared_transactions = 0"});
    PGconn *relay = outbox_on(server);
    kit_sql(relay, "LISTEN weir_outbox");
    kit_sql(relay, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    assert_false(notified(relay));
    kit_sql(relay, "SELECT setval('outbox_wake', extract(epoch FROM now())::bigint + 60)");
    kit_sql(relay, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}'), ('a', '{}')");
    assert_true(notified(relay));
    assert_false(notified(relay));
    kit_sql(relay,
            "SELECT setval('outbox_wake', extract(epoch FROM now())::bigint - 1)"); /* it died asleep */
    kit_sql(relay, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    assert_false(notified(relay));
    PQfinish(relay);
    kit_postgres_stop(server);
}

/* A transaction that notified cannot be prepared. */
static void where_transactions_are_prepared(void **state) {
    (void)state;
    PGconn *db = outbox_db();
    kit_sql(db, "SELECT setval('outbox_wake', extract(epoch FROM now())::bigint + 60)");
    kit_sql(
        db,
        "BEGIN; INSERT INTO outbox_events (type, payload) VALUES ('a', '{}'); PREPARE TRANSACTION 'wakes'");
    kit_sql(db, "ROLLBACK PREPARED 'wakes'");
    PQfinish(db);
}

/* --- writing with functions -------------------------------------------------------------------------------- */

static void emit_writes_a_row(void **state) {
    (void)state;
    char sql[256];
    PGconn *db = outbox_db();
    const char *id = kit_sql_text(
        db, "SELECT weir_emit('order.placed', 'c-7', '{\"total\": 12.50}', tenant => 't', version => 2,"
            " occurred_at => '2025-11-14T12:00:00Z')");
    snprintf(sql, sizeof sql,
             "SELECT concat_ws(' ', type, key, tenant, version, payload) FROM outbox_rows WHERE id = '%s'"
             " AND occurred_at = '2025-11-14 12:00:00+00'",
             id);
    assert_string_equal(kit_sql_text(db, sql), "order.placed c-7 t 2 {\"total\": 12.50}");
    assert_string_equal(kit_sql_text(db, "SELECT weir_emit('a', NULL, '{}', id => 'mine')"), "mine");
    assert_string_equal(kit_sql_refused(db, "SELECT weir_emit('a', NULL, '{}', id => 'mine')"),
                        "duplicate key value violates unique constraint \"outbox_events_id_key\"");
    /* what stands in the caller's path does not matter */
    kit_sql(db, "CREATE SCHEMA evil; CREATE TABLE evil.outbox_events (LIKE public.outbox_events);"
                "CREATE FUNCTION evil.weir_uuid7() RETURNS text LANGUAGE sql AS 'SELECT ''evil''';"
                "CREATE FUNCTION evil.uuid_send(uuid) RETURNS bytea LANGUAGE sql AS 'SELECT ''evil''::bytea';"
                "SET search_path = evil, pg_catalog, public");
    assert_int_not_equal(strcmp(kit_sql_text(db, "SELECT public.weir_emit('a', 'k', '{}')"), "evil"), 0);
    assert_int_equal(kit_sql_number(db, "SELECT count(*) FROM evil.outbox_events"), 0);
    PQfinish(db);
}

static void messages_need_a_slot(void **state) {
    (void)state;
    PGconn *db = outbox_db();
    static const char emit[] = "SELECT weir_emit_message('a.b', 'k', '{\"n\": 1}', id => 'm-1', occurred_at "
                               "=> '2025-11-14T12:00:00Z')";
    assert_string_equal(kit_sql_refused(db, emit),
                        "weir_emit_message: no slot keeps the log for this outbox, the event would be lost");
    kit_sql(db, "SET timezone = 'UTC'; UPDATE outbox_meta SET slot = 'weir_layout_test'");
    assert_string_equal(kit_sql_refused(db, emit),
                        "weir_emit_message: no slot keeps the log for this outbox, the event would be lost");
    kit_sql(db, "SELECT pg_create_logical_replication_slot('weir_layout_test', 'test_decoding')");
    assert_string_equal(kit_sql_text(db, emit), "m-1");
    const char *seen =
        kit_sql_text(db, "SELECT data FROM pg_logical_slot_get_changes('weir_layout_test', NULL, NULL)"
                         " WHERE data LIKE 'message%'");
    assert_non_null(strstr(seen, "transactional: 1 prefix: weir, sz: "));
    assert_non_null(
        strstr(seen, "content:{\"id\" : \"m-1\", \"type\" : \"a.b\", \"key\" : \"k\", \"tenant\" : null,"));
    assert_non_null(
        strstr(seen, "\"occurred_at\" : \"2025-11-14T12:00:00+00:00\", \"payload\" : {\"n\": 1}}"));
    kit_sql(db, "SELECT pg_drop_replication_slot('weir_layout_test')");
    PQfinish(db);
}

/* --- roles ------------------------------------------------------------------------------------------------- */

static void writers_write_and_no_more(void **state) {
    (void)state;
    static const char *const refused[] = {"SELECT payload FROM outbox_events",
                                          "SELECT * FROM outbox_rows",
                                          "UPDATE outbox_events SET processed = true",
                                          "DELETE FROM outbox_events",
                                          "TRUNCATE outbox_events",
                                          "INSERT INTO outbox_events (type, xid) VALUES ('a', '5')",
                                          "INSERT INTO outbox_events (type, processed) VALUES ('a', false)",
                                          "COPY outbox_events (pos, type) FROM STDIN",
                                          "SELECT setval('outbox_wake', 5)",
                                          "UPDATE outbox_meta SET slot = 'x'",
                                          "SELECT * FROM outbox_streams"};
    PGconn *db = outbox_db();
    kit_sql(db, "SET ROLE weir_outbox_writer");
    kit_sql(db, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}') RETURNING id");
    kit_sql(db, "INSERT INTO outbox_events (id, type) VALUES ('x', 'a') ON CONFLICT (id) DO NOTHING");
    assert_non_null(kit_sql_text(db, "SELECT weir_emit('a', 'k', '{}')"));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strstr(kit_sql_refused(db, refused[i]), "permission denied"))
            fail_msg("%s: %s", refused[i], kit_sql_refused(db, refused[i]));
    PQfinish(db);
}

static void the_relay_marks_and_no_more(void **state) {
    (void)state;
    static const char *const refused[] = {"UPDATE outbox_events SET payload = '{}'",
                                          "TRUNCATE outbox_events",
                                          "UPDATE outbox_meta SET uuid = 'x'",
                                          "DELETE FROM outbox_meta",
                                          "INSERT INTO inbox (group_name) VALUES ('x')",
                                          "CREATE TABLE mine (n int)",
                                          "DROP TABLE outbox_events"};
    PGconn *db = outbox_db();
    kit_sql(db, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}'); SET ROLE weir_outbox_relay");
    kit_sql(db, "SELECT * FROM outbox_rows; UPDATE outbox_rows SET processed = true, sequence = 1; DELETE "
                "FROM outbox_rows WHERE processed;"
                "INSERT INTO outbox_events (id, type, payload) VALUES ('adopted', 'a', '{}') ON CONFLICT "
                "(id) DO NOTHING;"
                "INSERT INTO outbox_streams VALUES ('S', 'c', 1, 1, now()) ON CONFLICT (stream) DO UPDATE "
                "SET batch_no = 2;"
                "INSERT INTO outbox_lease VALUES (1, 1, 'a', now(), now()); DELETE FROM outbox_lease;"
                "UPDATE outbox_meta SET slot = 'x', confirmed_lsn = '0/1', system_identifier = 1;"
                "SELECT setval('outbox_wake', 0); SELECT query FROM pg_stat_activity");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strstr(kit_sql_refused(db, refused[i]), "permission denied") &&
            !strstr(kit_sql_refused(db, refused[i]), "must be owner"))
            fail_msg("%s: %s", refused[i], kit_sql_refused(db, refused[i]));
    PQfinish(db);
}

static const struct spec specs[] = {
    {"the tables are made once, however often and by however many at once", again_and_at_once},
    {"making them again waits for no writer", writers_are_not_met},
    {"what somebody dropped or switched off is there again after it", what_is_missing_is_mended},
    {"they cannot be made inside a transaction", not_inside_a_transaction},
    {"they are made in the first schema of the search path, or found in a later one",
     in_the_schema_of_the_search_path},
    {"a table called inbox that is not ours is left alone, and told", an_inbox_of_somebody_else},
    {"a layout of a newer weir is left alone", newer_layouts},
    {"an ordinary owner gets everything but the roles, and is told so", an_ordinary_owner},
    {"a row that was not sent cannot be changed or lost, nor one inserted that could not be sent",
     what_is_refused},
    {"a row that was sent can be changed and deleted", sent_rows_are_free},
    {"rows of a restored dump get transaction ids of this cluster", rows_of_a_dump},
    {"an insert wakes a relay that sleeps, and costs one that is awake nothing", only_a_sleeper_is_woken},
    {"a transaction that wrote an event can be prepared, also while the relay sleeps",
     where_transactions_are_prepared},
    {"weir_emit writes a row, gives its id, and follows no search path", emit_writes_a_row},
    {"weir_emit_message is refused where no slot would keep the event", messages_need_a_slot},
    {"a member of weir_outbox_writer may insert, and nothing else", writers_write_and_no_more},
    {"a member of weir_outbox_relay may mark, and not alter what was written", the_relay_marks_and_no_more},
};
SPEC_MAIN(specs)
