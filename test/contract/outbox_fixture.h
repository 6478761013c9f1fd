/* SPDX-License-Identifier: Apache-2.0 */
/* What cases of the outbox's contract share: the backends, a fresh outbox of each, and shorthands. Every case runs against every
 * backend of the table; a backend is a way to make an outbox and a way to write into it as a stranger would: in SQL. Included by
 * test/contract/outbox_*_contract.c. */
#ifndef CONTRACT_OUTBOX_FIXTURE_H
#define CONTRACT_OUTBOX_FIXTURE_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "kit/postgres.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/outbox.h"

/* --- backends ---------------------------------------------------------------------------------- */

struct backend {
    const char *name;
    bool wal;                    /* open it to follow the log */
    const char *(*create)(void); /* a fresh outbox; its url */
    void (*sql)(const char *url,
                const char *text); /* runs statements on a connection of its own; must succeed */
    const char *(*refused)(const char *url, const char *text); /* must fail; what the database said */
    void *(*begin)(const char *url, const char *text); /* the same in a transaction that stays open ... */
    void (*rollback)(void *transaction);               /* ... until here */
};

static inline const char *sqlite_create(void) {
    static char url[512];
    static int number;
    char name[32];
    weir_error err;
    snprintf(name, sizeof name, "outbox-%d.db", ++number);
    snprintf(url, sizeof url, "sqlite:%s", kit_path(name));
    expect_ok(outbox_init(url, &err), &err);
    return url;
}

static inline int sqlite_exec(const char *url, const char *text, char message[512]) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(url + 7, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    snprintf(message, 512, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return rc;
}

static inline void sqlite_sql(const char *url, const char *text) {
    char message[512];
    if (sqlite_exec(url, text, message) != SQLITE_OK)
        fail_msg("%s: %s", text, message);
}

static inline const char *sqlite_refused(const char *url, const char *text) {
    static char message[512];
    if (sqlite_exec(url, text, message) == SQLITE_OK)
        fail_msg("was not refused: %s", text);
    return message;
}

static inline void *sqlite_begin(const char *url, const char *text) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(url + 7, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static inline void sqlite_rollback(void *db) {
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static inline const char *postgres_create(void) {
    weir_error err;
    const char *url = kit_postgres_database(kit_postgres_shared());
    expect_ok(outbox_init(url, &err), &err);
    return url;
}

static inline void postgres_sql(const char *url, const char *text) {
    PGconn *connection = kit_sql_connect(url);
    kit_sql(connection, text);
    PQfinish(connection);
}

static inline const char *postgres_refused(const char *url, const char *text) {
    PGconn *connection = kit_sql_connect(url);
    const char *message = kit_sql_refused(connection, text);
    PQfinish(connection);
    return message;
}

static inline void *postgres_begin(const char *url, const char *text) {
    PGconn *connection = kit_sql_connect(url);
    kit_sql(connection, "BEGIN");
    kit_sql(connection, text);
    return connection;
}

static inline void postgres_rollback(void *connection) {
    kit_sql(connection, "ROLLBACK");
    PQfinish(connection);
}

static const struct backend backends[] = {
    {.name = "sqlite",
     .create = sqlite_create,
     .sql = sqlite_sql,
     .refused = sqlite_refused,
     .begin = sqlite_begin,
     .rollback = sqlite_rollback},
    {.name = "postgres",
     .create = postgres_create,
     .sql = postgres_sql,
     .refused = postgres_refused,
     .begin = postgres_begin,
     .rollback = postgres_rollback},
    {.name = "log",
     .wal = true,
     .create = postgres_create,
     .sql = postgres_sql,
     .refused = postgres_refused,
     .begin = postgres_begin,
     .rollback = postgres_rollback},
};

/* --- a case's world ---------------------------------------------------------------------------- */

struct world {
    const struct backend *backend;
    char url[512];
    outbox *outbox;
    arena *arena;
    weir_error err;
};

static inline bool is_on(const struct world *world, const char *backend) {
    return strcmp(world->backend->name, backend) == 0;
}

static inline outbox *open_outbox(struct world *world) {
    outbox *opened;
    const struct outbox_options options = {.wal = world->backend->wal};
    expect_ok(outbox_open(&opened, world->url, &options, &world->err), &world->err);
    return opened;
}

static inline int64_t now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / 1000000;
}

/* A log tells of a commit a little later. Waits until it did; or, where it leads back to the table, until that was looked at
 * again, which it is once a second. */
static inline void await_log(struct world *world) {
    struct outbox_told told;
    if (!world->backend->wal)
        return;
    PGconn *connection = kit_sql_connect(world->url);
    uint64_t lsn = (uint64_t)kit_sql_number(connection, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn");
    PQfinish(connection);
    int64_t start = now_ms();
    for (outbox_tell(world->outbox, &told); told.progress < lsn; outbox_tell(world->outbox, &told)) {
        bool table = strcmp(told.phase, "catching up") == 0;
        if (table && now_ms() - start > 1100)
            return;
        if (now_ms() - start > 20000)
            fail_msg("the log was not read within 20 s");
        (void)outbox_wait(world->outbox, 20);
    }
}

static inline void begin_to_follow(struct world *world) {
    struct outbox_told told = {.unready = true};
    for (int64_t end = now_ms() + 20000; told.unready && now_ms() < end; outbox_tell(world->outbox, &told))
        (void)outbox_wait(world->outbox, 20);
    assert_string_equal(told.phase, "following the log");
}

/* A server has few slots. */
static inline void drop_slot(const struct world *world) {
    PGconn *connection = kit_sql_connect(world->url);
    for (int64_t end = now_ms() + 5000;
         kit_sql_number(connection, "SELECT count(active_pid) FROM pg_replication_slots WHERE database = "
                                    "current_database()") > 0 &&
         now_ms() < end;)
        usleep(5000);
    kit_sql(connection, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database "
                        "= current_database()");
    PQfinish(connection);
}

/* only: the name of a backend, NULL: all of them */
static inline void each_backend(void (*run)(struct world *world), const char *only) {
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (only && strcmp(only, backends[i].name) != 0)
            continue;
        struct world world = {.backend = &backends[i], .arena = arena_new()};
        snprintf(world.url, sizeof world.url, "%s", backends[i].create());
        world.outbox = open_outbox(&world);
        if (world.backend->wal)
            begin_to_follow(&world);
        run(&world);
        outbox_close(world.outbox);
        if (world.backend->wal)
            drop_slot(&world);
        arena_free(world.arena);
    }
}

/* Turns a function of a world into a case. */
#define CASE(name) CASE_ON(name, NULL)
/* The same for one backend only. */
#define CASE_ON(name, backend)                  \
    static void name##_in(struct world *world); \
    static void name(void **state) {            \
        (void)state;                            \
        each_backend(name##_in, backend);       \
    }                                           \
    static void name##_in(struct world *world)

struct claimed {
    struct outbox_row *rows;
    size_t count;
};

static inline struct claimed claim_wanted(struct world *world, struct outbox_wanted wanted) {
    struct claimed claimed = {0};
    if (wanted.max_rows == 0)
        wanted.max_rows = 999;
    if (wanted.max_bytes == 0)
        wanted.max_bytes = 4 << 20;
    await_log(world);
    expect_ok(outbox_claim(world->outbox, &wanted, world->arena, &claimed.rows, &claimed.count, &world->err),
              &world->err);
    return claimed;
}

static inline struct claimed claim(struct world *world) {
    return claim_wanted(world, (struct outbox_wanted){0});
}

static inline struct outbox_span span(struct world *world) {
    struct outbox_span span;
    await_log(world);
    expect_ok(outbox_span(world->outbox, &span, &world->err), &world->err);
    return span;
}

static inline void insert(struct world *world, const char *type, int count) {
    char sql[256];
    for (int i = 0; i < count; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO outbox_events (type, payload) VALUES ('%s', '{\"n\":%d}')",
                 type, i);
        world->backend->sql(world->url, sql);
    }
}

/* A settlement that builds on what the database says now. */
static inline struct outbox_settlement settlement_of(struct world *world, const struct outbox_range *range,
                                                     uint64_t cursor) {
    struct outbox_settlement settlement = {.stream = "S",
                                           .created = "2025-11-14T12:00:00Z",
                                           .cursor_seq = cursor,
                                           .batch_no = 1,
                                           .ranges = range,
                                           .range_count = 1,
                                           .first_seq = cursor - (uint64_t)(range->last - range->first + 1),
                                           .now_us = 1763121600000000};
    expect_ok(outbox_stream_load(world->outbox, "S", &settlement.was, &world->err), &world->err);
    return settlement;
}

/* Rows that are settled or parked were claimed before. */
static inline void settle(struct world *world, int64_t first, int64_t last, uint64_t cursor) {
    await_log(world);
    struct outbox_range range = {first, last};
    struct outbox_settlement settlement = settlement_of(world, &range, cursor);
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
}

static inline struct outbox_counts counts(struct world *world) {
    struct outbox_counts counts;
    expect_ok(outbox_counts(world->outbox, &counts, &world->err), &world->err);
    return counts;
}

#define expect_counts(world, pending_, parked_, published_) \
    do {                                                    \
        struct outbox_counts counts_ = counts(world);       \
        assert_int_equal(counts_.pending, pending_);        \
        assert_int_equal(counts_.parked, parked_);          \
        assert_int_equal(counts_.published, published_);    \
    } while (0)

static inline void expect_text(weir_text text, const char *expected) {
    if (!text_is(text, expected))
        fail_msg("is '%.*s', expected '%s'", TEXT_ARG(text), expected);
}

/* What the database says to a stranger. */
#define CANNOT_DELETE \
    "outbox_events: a row that was not sent cannot be deleted; give it up with: weir outbox drop"

#endif
