/* SPDX-License-Identifier: Apache-2.0 */
/* What cases of following PostgreSQL's log share: an outbox in a database of its own, a stranger who writes into it, and a
 * reader that claims and settles as the relay does, into one stream of the mind, and remembers what came. */
#ifndef SCENARIO_WAL_FIXTURE_H
#define SCENARIO_WAL_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "kit/postgres.h"
#include "kit/spec.h"
#include "store/outbox.h"

enum { CAME_MAX = 40000 };

struct world {
    kit_postgres *server;
    const char *url;
    PGconn *sql;
    outbox *outbox;
    arena *arena;
    weir_error err;
    const char *busy[4]; /* types the reader leaves out */
    size_t busy_count;
    struct outbox_stream stream;  /* as the reader knows it */
    bool silent;                  /* the reader does not settle */
    int came[CAME_MAX];           /* "n" of the payloads, in the order they came */
    size_t count, batches, ended; /* ended: rows that were the last of their transaction */
};

static inline int64_t now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / NS_PER_MS;
}

static inline struct world *world_at(kit_postgres *server) {
    static struct world world;
    memset(&world, 0, sizeof world);
    world.server = server;
    world.url = kit_postgres_database(server);
    world.arena = arena_new();
    expect_ok(outbox_init(world.url, &world.err), &world.err);
    world.sql = kit_sql_connect(world.url);
    return &world;
}

static inline struct world *world_new(void) {
    return world_at(kit_postgres_shared());
}

static inline void world_free(struct world *world) {
    outbox_close(world->outbox);
    kit_sql(world->sql, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = "
                        "current_database()");
    int64_t deadline = now_ms() + 5000; /* a server has ten of them */
    while (kit_sql_number(
               world->sql,
               "SELECT count(*) FROM pg_replication_slots WHERE database = current_database() AND active") >
               0 &&
           now_ms() < deadline)
        usleep(5000);
    kit_sql(world->sql, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database "
                        "= current_database()");
    PQfinish(world->sql);
    arena_free(world->arena);
}

static inline void open_as(struct world *world, bool wal, bool catch_up) {
    struct outbox_options options = {.wal = wal, .catch_up = catch_up};
    expect_ok(outbox_open(&world->outbox, world->url, &options, &world->err), &world->err);
    expect_ok(outbox_lease(world->outbox, &world->err), &world->err);
    expect_ok(outbox_stream_load(world->outbox, "S", &world->stream, &world->err), &world->err);
}

static inline void open_wal(struct world *world) {
    open_as(world, true, false);
}

static inline void close_it(struct world *world) {
    outbox_close(world->outbox);
    world->outbox = NULL;
}

static inline void sql(struct world *world, const char *text) {
    kit_sql(world->sql, text);
}

/* Rows {"n": first} to {"n": last} of a type, in one transaction. */
static inline void insert_on(PGconn *connection, const char *type, int first, int last) {
    char text[300];
    snprintf(text, sizeof text,
             "INSERT INTO outbox_events (type, payload) SELECT '%s', json_build_object('n', i) FROM "
             "generate_series(%d, %d) i",
             type, first, last);
    kit_sql(connection, text);
}

static inline void insert(struct world *world, int first, int last) {
    insert_on(world->sql, "a.b", first, last);
}

/* --- the reader ---------------------------------------------------------------------------------- */

static inline void remember(struct world *world, const struct outbox_row *row) {
    assert_true(world->count < CAME_MAX);
    int n = -1;
    char head[32];
    size_t size = row->draft.payload.size < sizeof head - 1 ? row->draft.payload.size : sizeof head - 1;
    if (size > 0) {
        memcpy(head, row->draft.payload.data, size);
        head[size] = 0;
        sscanf(head, "{\"n\" : %d", &n);
    }
    world->came[world->count++] = n;
    world->ended += row->ends_txn;
}

/* One batch: what the rows' positions are, where they stand in the stream, and the cursor behind them. */
static inline void settle_rows(struct world *world, const struct outbox_row *rows, size_t count) {
    struct outbox_range *ranges = arena_alloc(world->arena, count * sizeof *ranges);
    for (size_t i = 0; i < count; i++)
        ranges[i] = (struct outbox_range){rows[i].pos, rows[i].pos};
    struct outbox_settlement settlement = {.stream = "S",
                                           .was = world->stream,
                                           .created = "2025-11-14T12:00:00Z",
                                           .cursor_seq = world->stream.settled_seq + count + 1,
                                           .batch_no = world->stream.batch_no + 1,
                                           .ranges = ranges,
                                           .range_count = count,
                                           .first_seq = world->stream.settled_seq + 1,
                                           .now_us = 1763121600000000};
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    world->stream = (struct outbox_stream){
        .known = true, .settled_seq = settlement.cursor_seq, .batch_no = settlement.batch_no};
    strcpy(world->stream.created, settlement.created);
    world->batches++;
}

/* Claims once and settles what came; how many rows. */
static inline size_t step(struct world *world) {
    struct outbox_row *rows;
    size_t count;
    struct outbox_wanted wanted = {
        .max_rows = 999, .max_bytes = 4 << 20, .types = world->busy, .type_count = world->busy_count};
    arena_reset(world->arena);
    expect_ok(outbox_claim(world->outbox, &wanted, world->arena, &rows, &count, &world->err), &world->err);
    for (size_t i = 0; i < count; i++)
        remember(world, &rows[i]);
    if (count > 0 && !world->silent)
        settle_rows(world, rows, count);
    return count;
}

/* Until so many rows came in all. */
static inline void read_until(struct world *world, size_t count) {
    int64_t deadline = now_ms() + 20000;
    while (world->count < count) {
        if (step(world) == 0)
            outbox_wait(world->outbox, 1000);
        if (now_ms() > deadline)
            fail_msg("%zu rows came within 20 s, %zu were expected", world->count, count);
    }
}

static inline const char *phase(struct world *world) {
    struct outbox_told told;
    outbox_tell(world->outbox, &told);
    return told.phase;
}

/* Reads on until the log is followed. */
static inline void read_until_following(struct world *world) {
    int64_t deadline = now_ms() + 20000;
    while (strcmp(phase(world), "following the log") != 0) {
        if (step(world) == 0)
            outbox_wait(world->outbox, 50);
        if (now_ms() > deadline)
            fail_msg("the log is not followed after 20 s");
    }
}

/* Nothing more comes. */
static inline void expect_no_more(struct world *world) {
    size_t count = world->count;
    int64_t deadline = now_ms() + 300;
    while (now_ms() < deadline)
        if (step(world) == 0)
            outbox_wait(world->outbox, 100);
    assert_int_equal(world->count, count);
}

/* The numbers that came are exactly first to last, in this order. */
static inline void expect_came(struct world *world, size_t from, int first, int last) {
    assert_int_equal(world->count - from, (size_t)(last - first + 1));
    for (size_t i = from; i < world->count; i++)
        if (world->came[i] != first + (int)(i - from))
            fail_msg("row %zu that came is %d, expected %d", i, world->came[i], first + (int)(i - from));
}

#define expect_number(world, query, expected) assert_int_equal(kit_sql_number((world)->sql, query), expected)

static inline void expect_all_settled(struct world *world) {
    expect_ok(outbox_flush(world->outbox, &world->err), &world->err);
    expect_number(world, "SELECT count(*) FROM outbox_events WHERE NOT processed AND parked_at IS NULL", 0);
    expect_number(world, "SELECT count(sequence) - count(DISTINCT sequence) FROM outbox_events", 0);
}

/* Waits until a query gives true. */
static inline void until(struct world *world, const char *query) {
    int64_t deadline = now_ms() + 20000;
    while (strcmp(kit_sql_text(world->sql, query), "t") != 0) {
        if (world->outbox && step(world) == 0)
            outbox_wait(world->outbox, 50);
        if (now_ms() > deadline)
            fail_msg("not so after 20 s: %s", query);
    }
}

#define SLOT "(SELECT slot FROM outbox_meta)"

#endif
