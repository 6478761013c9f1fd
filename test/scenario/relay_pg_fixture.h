/* SPDX-License-Identifier: Apache-2.0 */
/* The shop of relay_fixture.h on PostgreSQL, and the relay as a process that can be killed. Each case runs in each way of finding
 * committed rows. The services write as the superuser, the relay is a user with the rights `weir outbox init` gives it.
 *
 * With WEIR_SOAK set, cases do what they do more often (shop_times). */
#ifndef SCENARIO_RELAY_PG_FIXTURE_H
#define SCENARIO_RELAY_PG_FIXTURE_H

#include <signal.h>

#include "kit/postgres.h"
#include "kit/program.h"
#include "relay_history.h"

/* --- PostgreSQL ---------------------------------------------------------------------------------------- */

struct shop_pg_db {
    PGconn *connection;
    char url[256];
};

/* Queries only: asked again when the server was killed meanwhile. */
static inline PGresult *shop_pg_ask(struct shop_pg_db *db, const char *query) {
    for (int tries = 0; tries < 300; tries++) {
        PGresult *result = PQexec(db->connection, query);
        if (PQresultStatus(result) == PGRES_TUPLES_OK)
            return result;
        if (PQstatus(db->connection) == CONNECTION_OK)
            fail_msg("%s: %s", query, PQerrorMessage(db->connection));
        PQclear(result);
        usleep(100000);
        PQreset(db->connection);
    }
    fail_msg("the database is gone: %s", PQerrorMessage(db->connection));
    return NULL;
}

static inline void shop_pg_rows(void *arg, const char *query,
                                void (*visit)(void *arg, const char *const *values), void *visit_arg) {
    const char *values[16];
    PGresult *result = shop_pg_ask(arg, query);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int i = 0; i < PQnfields(result) && i < 16; i++)
            values[i] = PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i);
        visit(visit_arg, values);
    }
    PQclear(result);
}

static inline void shop_pg_sql(void *arg, const char *sql) {
    struct shop_pg_db *db = arg;
    if (PQstatus(db->connection) != CONNECTION_OK)
        PQreset(db->connection);
    kit_sql(db->connection, sql);
}

static inline void shop_pg_open(struct shop *shop) {
    weir_error err;
    struct shop_pg_db *db = calloc(1, sizeof *db);
    snprintf(db->url, sizeof db->url, "%s", kit_postgres_database(kit_postgres_shared()));
    expect_ok(outbox_init(db->url, &err), &err);
    db->connection = kit_sql_connect(db->url);
    kit_sql(db->connection, "DO $$ BEGIN IF to_regrole('relay') IS NULL THEN"
                            " CREATE ROLE relay LOGIN REPLICATION IN ROLE weir_outbox_relay; END IF; END $$");
    snprintf(shop->url, sizeof shop->url, "postgres://relay@%s", strchr(db->url, '@') + 1);
    shop->db = db;
}

/* Its slot would hold the log for ever. The server may not know yet that its reader is gone. */
static inline void shop_pg_close(void *arg) {
    struct shop_pg_db *db = arg;
    PGresult *left;
    for (int tries = 0; tries < 100; tries++, usleep(50000)) {
        left = shop_pg_ask(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                               " WHERE database = current_database() AND active_pid IS NOT NULL");
        int active = PQntuples(left);
        PQclear(left);
        if (active == 0)
            break;
    }
    PQclear(shop_pg_ask(db, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                            " WHERE database = current_database()"));
    PQfinish(db->connection);
    free(db);
}

static const struct shop_store shop_postgres = {
    .begin = "BEGIN", .open = shop_pg_open, .close = shop_pg_close, .sql = shop_pg_sql, .rows = shop_pg_rows};

/* On a server with these options. */
static inline struct shop shop_open_pg_on(enum weir_relay_mode mode,
                                          const struct kit_server_options *server) {
    struct shop shop = shop_open_on(SHOP, &shop_postgres, server);
    shop.mode = mode;
    return shop;
}

static inline struct shop shop_open_pg(enum weir_relay_mode mode) {
    return shop_open_pg_on(mode, NULL);
}

/* --- modes, and how much -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum weir_relay_mode mode;
} shop_modes[] = {
    {"poll", WEIR_RELAY_POLL},
    {"wal", WEIR_RELAY_WAL},
};

static int shop_faults; /* injected so far */

static inline void shop_in_modes(void (*run)(enum weir_relay_mode mode), size_t count) {
    for (size_t i = 0; i < count; i++) {
        print_message("mode %s\n", shop_modes[i].name);
        run(shop_modes[i].mode);
    }
    if (shop_faults)
        print_message("%d faults\n", shop_faults);
}

/* Turns a function of a mode into a case: in each mode ... */
#define EACH_MODE(case_) SHOP_MODES(case_, sizeof shop_modes / sizeof *shop_modes)
/* ... or polling only. */
#define POLLING(case_) SHOP_MODES(case_, 1)
#define SHOP_MODES(case_, count)                       \
    static void case_##_in(enum weir_relay_mode mode); \
    static void case_(void **state) {                  \
        (void)state;                                   \
        shop_in_modes(case_##_in, count);              \
    }                                                  \
    static void case_##_in(enum weir_relay_mode mode)

static inline int shop_times(int usual, int soak) {
    const char *wanted = getenv("WEIR_SOAK");
    return wanted && *wanted ? soak : usual;
}

/* A number below n; each program has its own sequence from its seed. */
static inline int shop_random(uint64_t *state, int n) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (int)((*state >> 33) % (uint64_t)n);
}

#endif
