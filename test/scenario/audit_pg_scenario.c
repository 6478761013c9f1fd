/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json broker catalog store plan relay */
/* After a restore, on PostgreSQL: the same audit heals what it finds there, whichever way the relay finds its rows. */
#include "cli_fixture.h"
#include "kit/broker.h"
#include "kit/postgres.h"
#include "relay_fixture.h"

struct audited {
    kit_server *server;
    weir_connection *connection;
    PGconn *db;
    char url[300];
    const char *mode;
};

static void insert(struct audited *audited, int count) {
    char sql[400];
    snprintf(sql, sizeof sql,
             "INSERT INTO outbox_events (type, payload)"
             " SELECT CASE n %% 3 WHEN 0 THEN 'bill.sent' ELSE 'order.placed' END, json_build_object('n', n)"
             " FROM generate_series(1, %d) n",
             count);
    kit_sql(audited->db, sql);
}

static struct kit_run relay(struct audited *audited) {
    return WEIR("relay", "--outbox", audited->url, "--mode", audited->mode, "--once", "-q", "--log-level",
                "off");
}

static void relay_all(struct audited *audited) {
    EXPECT(relay(audited), 0, "", "");
    assert_int_equal(kit_sql_number(audited->db, "SELECT count(*) FROM outbox_events WHERE NOT processed"),
                     0);
}

static void use_database(struct audited *audited, const char *url) {
    snprintf(audited->url, sizeof audited->url, "%s", url);
    audited->db = kit_sql_connect(url);
}

static struct audited audited_open(const char *mode, int rows) {
    weir_error err;
    own_environment();
    struct audited audited = {.server = kit_server_start(NULL), .mode = mode};
    audited.connection = kit_connect(audited.server);
    setenv("NATS_URL", kit_server_url(audited.server), 1);
    setenv("WEIR_CATALOG", kit_catalog_folder(SHOP), 1);
    EXPECT(WEIR("apply", "--yes", "-q"), 0, NULL, "");
    use_database(&audited, kit_postgres_database(kit_postgres_shared()));
    expect_ok(outbox_init(audited.url, &err), &err);
    insert(&audited, rows);
    relay_all(&audited);
    return audited;
}

/* Slots would hold the log for ever. */
static void leave_database(struct audited *audited) {
    kit_sql(audited->db, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                         " WHERE database = current_database() AND NOT active");
    PQfinish(audited->db);
}

static void audited_close(struct audited *audited) {
    leave_database(audited);
    weir_disconnect(audited->connection);
    unsetenv("NATS_URL");
    unsetenv("WEIR_CATALOG");
    kit_server_stop(audited->server);
}

static void expect_audit(struct audited *audited, int status, const char *out) {
    EXPECT(WEIR("outbox", "audit", audited->url, "-q", "--limit", "0"), status, out, "");
}

static void expect_healed(struct audited *audited) {
    struct kit_run run = WEIR("outbox", "audit", audited->url, "--heal");
    if (run.status != 0)
        print_error("%s%s", run.out, run.err);
    assert_int_equal(run.status, 0);
    kit_run_free(&run);
}

/* A copy of the database as it is now; its url. */
static const char *copy_of(struct audited *audited) {
    static char url[300];
    char sql[300];
    const char *copy = kit_postgres_database(kit_postgres_shared()), *name = strrchr(audited->url, '/') + 1;
    snprintf(url, sizeof url, "%s", copy);
    PQfinish(audited->db);
    PGconn *other = kit_sql_connect(kit_postgres_url(kit_postgres_shared()));
    snprintf(sql, sizeof sql, "DROP DATABASE %s", strrchr(url, '/') + 1);
    kit_sql(other, sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", strrchr(url, '/') + 1, name);
    kit_sql(other, sql);
    PQfinish(other);
    audited->db = kit_sql_connect(audited->url);
    return url;
}

#define EACH_MODE(case_)                      \
    static void case_##_in(const char *mode); \
    static void case_(void **state) {         \
        (void)state;                          \
        case_##_in("poll");                   \
        case_##_in("wal");                    \
    }                                         \
    static void case_##_in(const char *mode)

EACH_MODE(a_stream_made_anew) {
    struct audited audited = audited_open(mode, 30);
    expect_audit(&audited, 0,
                 "BILLS: 10 published rows are kept, 10 events stand in the stream\n"
                 "ORDERS: 20 published rows are kept, 20 events stand in the stream\n");
    kit_api(audited.connection, "STREAM.DELETE.ORDERS", "");
    EXPECT(WEIR("apply", "--yes", "-q"), 0, NULL, "");
    expect_audit(&audited, 1,
                 "BILLS: 10 published rows are kept, 10 events stand in the stream\n"
                 "ORDERS: 20 published rows are kept, 0 events stand in the stream, 20 forgotten\n"
                 "  the stream was created again or lost its end: the relay sends again what is missing\n"
                 "  and 20 more\n");
    expect_healed(&audited);
    insert(&audited, 3);
    relay_all(&audited);
    expect_audit(&audited, 0,
                 "BILLS: 11 published rows are kept, 11 events stand in the stream\n"
                 "ORDERS: 22 published rows are kept, 22 events stand in the stream\n");
    audited_close(&audited);
}

EACH_MODE(a_database_from_before) {
    struct audited audited = audited_open(mode, 30);
    insert(&audited, 30);
    const char *older = copy_of(&audited);
    relay_all(&audited);
    insert(&audited, 30);
    relay_all(&audited);
    leave_database(&audited);
    use_database(&audited, older);
    insert(&audited, 30); /* at the positions of those that it lost */
    struct kit_run run = WEIR("outbox", "audit", audited.url, "-q", "--limit", "0");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.out,
                           "ORDERS: 20 published rows are kept, 60 events stand in the stream, 20 unmarked\n"
                           "  the relay stops here: the database was restored: "));
    kit_run_free(&run);
    expect_healed(&audited);
    if (strcmp(mode, "wal") == 0) /* the slot it remembers is not there: made anew when told to */
        EXPECT(WEIR("relay", "--outbox", audited.url, "--mode", mode, "--once", "--catch-up", "-q",
                    "--log-level", "off"),
               0, "", "");
    relay_all(&audited);
    expect_audit(&audited, 0,
                 "BILLS: 30 published rows are kept, 40 events stand in the stream\n"
                 "ORDERS: 60 published rows are kept, 80 events stand in the stream\n");
    audited_close(&audited);
}

static const struct spec specs[] = {
    {"a stream created again gets everything again", a_stream_made_anew},
    {"a database restored from before learns what was published", a_database_from_before},
};
SPEC_MAIN(specs)
