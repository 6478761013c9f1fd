/* SPDX-License-Identifier: Apache-2.0 */
/* Services that write into a PostgreSQL outbox at the same time, in every way a transaction can go. Included by scenarios of the
 * relay on PostgreSQL.
 *
 * An event counts up its key under a lock of the key's row, in the transaction that inserts it; so `seq` says in which order the
 * events of a key were committed, whatever happened to the transactions, and whoever took a transaction id or a position before.
 * A killed database leaves a writer in doubt about its last transaction; the table will say. */
#ifndef SCENARIO_RELAY_PG_WRITERS_H
#define SCENARIO_RELAY_PG_WRITERS_H

#include <stdatomic.h>

#include "relay_pg_fixture.h"

enum { WRITERS_MAX = 8, CUSTOMERS = 7 };

/* A transaction as letters: (b)egin, take a transaction id (x), an (e)vent, one that no catalog (k)nows, (w)ait, (s)avepoint,
 * (u)ndo to it, cop(y) some rows, (m)any rows, (c)ommit, (r)oll back, (p)repare, (C)ommit or (R)oll back what is prepared. */
static const char *const writer_transactions[] = {
    "be c",         "beeee c",  "bxwee c",    "bexwe c", "beeew c",   "beee r",
    "be s e u e c", "bs e u c", "bee s ee c", "bee pwC", "bxwee pwC", "bee p w R",
    "b y e c",      "b y wc",   "b k e c",    "b m c",   "b e m w c",
};

struct writer {
    struct writers *all;
    pthread_t thread;
    PGconn *connection;
    uint64_t random;
    int number;
    int64_t tx;        /* names the transaction: in each event, and where it is prepared */
    char problem[256]; /* what should not have happened */
};

struct writers {
    char url[256];
    struct writer writers[WRITERS_MAX];
    size_t count;
    int pause_us; /* between two transactions */
    atomic_bool over;
    atomic_long committed;
};

static inline void writers_schema(struct shop *shop) {
    char sql[128];
    shop_sql(
        shop,
        "CREATE TABLE IF NOT EXISTS keys (name text PRIMARY KEY, seq bigint NOT NULL DEFAULT 0);"
        "CREATE SEQUENCE IF NOT EXISTS row_number;"
        "CREATE OR REPLACE FUNCTION event(tx bigint, customer text, kind text, OUT id text, OUT payload json)"
        " LANGUAGE plpgsql AS $$ DECLARE counted bigint; BEGIN"
        " UPDATE keys SET seq = seq + 1 WHERE name = customer || left(kind, 4) RETURNING seq INTO counted;"
        " id := 'row-' || nextval('row_number'); payload := json_build_object("
        "'n', counted, 'customer', customer, 'seq', counted, 'tx', tx); END $$;"
        "CREATE OR REPLACE FUNCTION sell(tx bigint, customer text, kind text) RETURNS void LANGUAGE sql AS $$"
        " INSERT INTO outbox_events (id, type, payload)"
        " SELECT e.id, kind, e.payload FROM event(tx, customer, kind) e $$;");
    for (int i = 0; i < CUSTOMERS; i++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO keys (name) VALUES ('c%dorde'), ('c%dbill') ON CONFLICT DO NOTHING", i, i);
        shop_sql(shop, sql);
    }
}

/* --- one writer: no assertions, it is another thread ---------------------------------------------------- */

/* Deadlocks are part of it, and a database that goes down. */
static inline bool writer_may_fail_so(const char *state) {
    static const char *const usual[] = {"40P01", "57P01", "57P02", "57P03", "40001"};
    for (size_t i = 0; state && i < sizeof usual / sizeof *usual; i++)
        if (strcmp(state, usual[i]) == 0)
            return true;
    return false;
}

static inline bool writer_run(struct writer *writer, const char *sql) {
    PGresult *result = PQexec(writer->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN;
    if (!done && PQstatus(writer->connection) == CONNECTION_OK &&
        !writer_may_fail_so(PQresultErrorField(result, PG_DIAG_SQLSTATE)))
        snprintf(writer->problem, sizeof writer->problem, "%.100s: %.150s", sql,
                 PQerrorMessage(writer->connection));
    PQclear(result);
    return done;
}

static inline const char *writer_kind(struct writer *writer) {
    static const char *const kinds[] = {"order.placed", "bill.sent", "order.noted"};
    return kinds[shop_random(&writer->random, 3)];
}

/* The rows are made first, for COPY takes them as they are. */
static inline bool writer_copy(struct writer *writer) {
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT string_agg(format(E'%%s\\torder.noted\\t%%s\\n', e.id, e.payload), '') FROM "
             "generate_series(1, %d) n,"
             " event(%lld + 0 * n, 'c%d', 'order.noted') e", /* + 0 * n: one for each */
             1 + shop_random(&writer->random, 9), (long long)writer->tx,
             shop_random(&writer->random, CUSTOMERS));
    PGresult *lines = PQexec(writer->connection, sql);
    bool done = PQresultStatus(lines) == PGRES_TUPLES_OK &&
                writer_run(writer, "COPY outbox_events (id, type, payload) FROM STDIN");
    if (done) {
        PQputCopyData(writer->connection, PQgetvalue(lines, 0, 0), PQgetlength(lines, 0, 0));
        PQputCopyEnd(writer->connection, NULL);
        for (PGresult *result; (result = PQgetResult(writer->connection)); PQclear(result))
            done = done && PQresultStatus(result) == PGRES_COMMAND_OK;
    }
    PQclear(lines);
    return done;
}

static inline bool writer_step(struct writer *writer, char step) {
    char sql[512] = "";
    long long tx = (long long)writer->tx;
    int customer = shop_random(&writer->random, CUSTOMERS);
    switch (step) {
    case 'b':
        return writer_run(writer, "BEGIN");
    case 'x':
        return writer_run(writer, "SELECT pg_current_xact_id()");
    case 's':
        return writer_run(writer, "SAVEPOINT there");
    case 'u':
        return writer_run(writer, "ROLLBACK TO there");
    case 'c':
        return writer_run(writer, "COMMIT");
    case 'r':
        return writer_run(writer, "ROLLBACK");
    case 'y':
        return writer_copy(writer);
    case 'w':
        usleep((useconds_t)shop_random(&writer->random, 40000));
        return true;
    case 'e':
        snprintf(sql, sizeof sql, "SELECT sell(%lld, 'c%d', '%s')", tx, customer, writer_kind(writer));
        break;
    case 'k': /* parked */
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) VALUES ('row-' || nextval('row_number'),"
                 " 'order.unknown', '{\"n\":1,\"customer\":\"nobody\",\"tx\":%lld}')",
                 tx);
        break;
    case 'm':
        snprintf(sql, sizeof sql, "SELECT sell(%lld, 'c%d', '%s') FROM generate_series(1, %d)", tx, customer,
                 writer_kind(writer), 20 + shop_random(&writer->random, 80));
        break;
    case 'p':
        snprintf(sql, sizeof sql, "PREPARE TRANSACTION 'writer-%d-%lld'", writer->number, tx);
        break;
    case 'C':
        snprintf(sql, sizeof sql, "COMMIT PREPARED 'writer-%d-%lld'", writer->number, tx);
        break;
    case 'R':
        snprintf(sql, sizeof sql, "ROLLBACK PREPARED 'writer-%d-%lld'", writer->number, tx);
        break;
    }
    return !*sql || writer_run(writer, sql);
}

/* After a crash: transactions it had prepared wait for its word. */
static inline void writer_finish_prepared(struct writer *writer) {
    char sql[256];
    snprintf(
        sql, sizeof sql,
        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE 'writer-%d-%%'",
        writer->number);
    PGresult *found = PQexec(writer->connection, sql);
    for (int i = 0; PQresultStatus(found) == PGRES_TUPLES_OK && i < PQntuples(found); i++) {
        snprintf(sql, sizeof sql, "COMMIT PREPARED '%s'", PQgetvalue(found, i, 0));
        writer_run(writer, sql);
    }
    PQclear(found);
}

static inline bool writer_connect(struct writer *writer) {
    if (writer->connection && PQstatus(writer->connection) == CONNECTION_OK)
        return true;
    PQfinish(writer->connection);
    writer->connection = PQconnectdb(writer->all->url);
    if (PQstatus(writer->connection) != CONNECTION_OK || !writer_run(writer, "SET deadlock_timeout = '20ms'"))
        return false;
    writer_finish_prepared(writer);
    return true;
}

static inline void writer_transact(struct writer *writer) {
    size_t kinds = sizeof writer_transactions / sizeof *writer_transactions;
    const char *steps = writer_transactions[shop_random(&writer->random, (int)kinds)];
    writer->tx += WRITERS_MAX;
    for (; *steps; steps++)
        if (!writer_step(writer, *steps)) {
            if (PQstatus(writer->connection) == CONNECTION_OK &&
                PQtransactionStatus(writer->connection) != PQTRANS_IDLE)
                writer_run(writer, "ROLLBACK");
            return;
        }
    writer->all->committed++;
}

static inline void *writer_thread(void *arg) {
    struct writer *writer = arg;
    while (!writer->all->over && !*writer->problem) {
        if (writer_connect(writer))
            writer_transact(writer);
        else
            usleep(20000);
        usleep((useconds_t)(writer->all->pause_us / 2 +
                            shop_random(&writer->random, writer->all->pause_us + 1)));
    }
    for (int tries = 0; tries < 500 && !writer_connect(writer); tries++)
        usleep(20000);
    writer_finish_prepared(writer);
    PQfinish(writer->connection);
    return NULL;
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static inline struct writers *writers_start(struct shop *shop, size_t count, int pause_us, uint64_t seed) {
    struct writers *writers = calloc(1, sizeof *writers);
    const struct shop_pg_db *db = shop->db;
    writers_schema(shop);
    snprintf(writers->url, sizeof writers->url, "%s", db->url);
    writers->count = count;
    writers->pause_us = pause_us;
    int64_t first = shop_number(shop, "SELECT nextval('row_number')") * WRITERS_MAX * 1000;
    for (size_t i = 0; i < count; i++) {
        struct writer *writer = &writers->writers[i];
        *writer = (struct writer){
            .all = writers, .random = seed * 31 + i, .number = (int)i, .tx = first + (int64_t)i};
        assert_int_equal(pthread_create(&writer->thread, NULL, writer_thread, writer), 0);
    }
    return writers;
}

/* Gives the number of transactions that went through. */
static inline long writers_stop(struct writers *writers) {
    writers->over = true;
    for (size_t i = 0; i < writers->count; i++)
        pthread_join(writers->writers[i].thread, NULL);
    for (size_t i = 0; i < writers->count; i++)
        if (*writers->writers[i].problem)
            fail_msg("writer %zu: %s", i, writers->writers[i].problem);
    long committed = writers->committed;
    free(writers);
    return committed;
}

#endif
