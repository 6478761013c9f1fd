/* SPDX-License-Identifier: Apache-2.0 */
/* What cases about the PostgreSQL outbox share: a fresh outbox, writers on connections of their own that commit when told, and
 * claims written as a line of positions. Included by test/contract/pg_*_contract.c. */
#ifndef CONTRACT_PG_FIXTURE_H
#define CONTRACT_PG_FIXTURE_H

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "kit/postgres.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/clock.h"

/* The system's clock, set forward as a case likes. */
struct ahead {
    weir_clock clock;
    int64_t ns;
};

static inline int64_t ahead_wall(void *self) {
    return weir_clock_system()->wall_ns(weir_clock_system()->self) + ((struct ahead *)self)->ns;
}

static inline int64_t ahead_mono(void *self) {
    return weir_clock_system()->mono_ns(weir_clock_system()->self) + ((struct ahead *)self)->ns;
}

struct shop {
    char url[512];
    struct ahead ahead;
    outbox *outbox;
    arena *arena;
    PGconn *writers[4], *admin;
    weir_error err;
};

static inline PGconn *pg_connection(const char *url) {
    PGconn *conn = PQconnectdb(url);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static inline void pg_sql(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

static inline int64_t pg_number(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    int64_t number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

/* What this writer does now. */
static inline void writes(struct shop *shop, int writer, const char *sql) {
    pg_sql(shop->writers[writer], sql);
}

/* One row of this key, in the writer's transaction. */
static inline void adds(struct shop *shop, int writer, const char *key) {
    char sql[256];
    snprintf(sql, sizeof sql, "INSERT INTO outbox_events (type, key, payload) VALUES ('a.b', '%s', '{}')",
             key);
    writes(shop, writer, sql);
}

static inline void shop_open(struct shop *shop, const char *url, const struct outbox_options *options) {
    struct outbox_options given = options ? *options : (struct outbox_options){0};
    memset(shop, 0, sizeof *shop);
    shop->ahead.clock = (weir_clock){ahead_wall, ahead_mono, &shop->ahead};
    given.clock = &shop->ahead.clock;
    snprintf(shop->url, sizeof shop->url, "%s", url);
    shop->arena = arena_new();
    expect_ok(outbox_init(shop->url, &shop->err), &shop->err);
    expect_ok(outbox_open(&shop->outbox, shop->url, &given, &shop->err), &shop->err);
    for (size_t i = 0; i < sizeof shop->writers / sizeof *shop->writers; i++)
        shop->writers[i] = pg_connection(shop->url);
    shop->admin = pg_connection(shop->url);
}

static inline void shop_new(struct shop *shop) {
    shop_open(shop, kit_postgres_database(kit_postgres_shared()), NULL);
}

static inline void shop_close(struct shop *shop) {
    outbox_close(shop->outbox);
    for (size_t i = 0; i < sizeof shop->writers / sizeof *shop->writers; i++)
        PQfinish(shop->writers[i]);
    PQfinish(shop->admin);
    arena_free(shop->arena);
}

struct claimed {
    struct outbox_row *rows;
    size_t count;
};

static inline struct claimed claim_wanted(struct shop *shop, struct outbox_wanted wanted) {
    struct claimed claimed = {0};
    wanted.max_rows = wanted.max_rows ? wanted.max_rows : 999;
    wanted.max_bytes = wanted.max_bytes ? wanted.max_bytes : 4 << 20;
    expect_ok(outbox_claim(shop->outbox, &wanted, shop->arena, &claimed.rows, &claimed.count, &shop->err),
              &shop->err);
    return claimed;
}

static inline void settle_rows(struct shop *shop, struct claimed claimed) {
    struct outbox_range *ranges = arena_alloc(shop->arena, (claimed.count + 1) * sizeof *ranges);
    struct outbox_stream was;
    expect_ok(outbox_stream_load(shop->outbox, "S", &was, &shop->err), &shop->err);
    for (size_t i = 0; i < claimed.count; i++)
        ranges[i] = (struct outbox_range){claimed.rows[i].pos, claimed.rows[i].pos};
    const struct outbox_settlement settlement = {.stream = "S",
                                                 .was = was,
                                                 .created = "c",
                                                 .cursor_seq = was.settled_seq + claimed.count + 1,
                                                 .batch_no = was.batch_no + 1,
                                                 .ranges = ranges,
                                                 .range_count = claimed.count,
                                                 .first_seq = was.settled_seq + 1,
                                                 .now_us = 1763121600000000};
    expect_ok(outbox_settle(shop->outbox, &settlement, &shop->err), &shop->err);
    expect_ok(outbox_flush(shop->outbox, &shop->err), &shop->err);
}

/* "2 3. 1." : positions in the order they came, a dot behind the last row of a transaction. */
static inline const char *line_of(struct shop *shop, struct claimed claimed) {
    char *line = arena_alloc(shop->arena, 16 * claimed.count + 1);
    for (size_t i = 0, at = 0; i < claimed.count; i++)
        at += (size_t)snprintf(line + at, 16, "%s%lld%s", i ? " " : "", (long long)claimed.rows[i].pos,
                               claimed.rows[i].ends_txn ? "." : "");
    return line;
}

/* Claims, with a transaction that was begun, expects exactly this line, and settles it. */
static inline void expect_next_of(struct shop *shop, size_t max_rows, int64_t begun, const char *line) {
    struct claimed claimed = claim_wanted(shop, (struct outbox_wanted){.max_rows = max_rows, .begun = begun});
    assert_string_equal(line_of(shop, claimed), line);
    if (claimed.count > 0)
        settle_rows(shop, claimed);
}

static inline void expect_next(struct shop *shop, size_t max_rows, const char *line) {
    expect_next_of(shop, max_rows, 0, line);
}

#endif
