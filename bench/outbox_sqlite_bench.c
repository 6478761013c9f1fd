/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit relay plan */
/* How near the relay comes, with an outbox in SQLite, to the slower of the two things it joins; on one server with
 * sync_interval always.
 *   a  SQLite alone: reading pending rows by 999 and marking them published, with synchronous=FULL
 *   b  a bare publisher alone: atomic batches of the same bytes (outbox_plain.h)
 *   c  `weir relay --once`: the same backlog from outbox to stream, validated and enveloped
 * The three alternate; what counts is c over the smaller of a and b, median of the rounds. Then c over publishing with an
 * acknowledgement for each message, and how long a committed row takes to be stored at a steady rate.
 * Options: rows, rounds. */
#include <sqlite3.h>

#include "base/text.h"
#include "outbox_latency.h"
#include "outbox_plain.h"
#include "outbox_relay.h"
#include "weir/outbox.h"

enum { ROUNDS_MAX = 20, LATENCY_EVENTS = 6000 };

struct bench {
    struct scene scene;
    long rows;
    int rounds;
    long peak_kib;
};

#define SQL_MUST(db, call)                                               \
    do {                                                                 \
        int rc_ = (call);                                                \
        if (rc_ != SQLITE_OK && rc_ != SQLITE_ROW && rc_ != SQLITE_DONE) \
            stop(#call, sqlite3_errmsg(db));                             \
    } while (0)

/* --- the outbox --------------------------------------------------------------------------------------------- */

static const char *fresh_path(void) {
    static int number;
    char name[32];
    snprintf(name, sizeof name, "bench-%d.db", ++number);
    return kit_path(name);
}

static sqlite3 *empty_outbox(const char *path) {
    sqlite3 *db;
    SQL_MUST(db, sqlite3_open(path, &db));
    MUST(weir_outbox_init_sqlite(db, err));
    SQL_MUST(db, sqlite3_exec(db, "PRAGMA synchronous = FULL", 0, 0, 0));
    return db;
}

/* Inserts rows ?2 to ?3 of the payload ?1. */
static sqlite3_stmt *insert_statement(sqlite3 *db, const struct bench *bench) {
    sqlite3_stmt *insert;
    SQL_MUST(db, sqlite3_prepare_v2(
                     db,
                     "WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)"
                     " INSERT INTO outbox_events (id, type, payload, tenant, actor, trace, span)"
                     " SELECT printf('" OUTBOX_EVENT_ID "', i), '" OUTBOX_EVENT_TYPE "', ?1, 't_555',"
                     " 'parser-service', 'trace_abc', 'span_def' FROM n",
                     -1, &insert, NULL));
    sqlite3_bind_text(insert, 1, bench->scene.payload.data, (int)bench->scene.payload.size, SQLITE_STATIC);
    return insert;
}

static void insert_rows(sqlite3 *db, sqlite3_stmt *insert, long first, long last) {
    sqlite3_bind_int64(insert, 2, first);
    sqlite3_bind_int64(insert, 3, last);
    SQL_MUST(db, sqlite3_step(insert));
    sqlite3_reset(insert);
}

static sqlite3 *fill_outbox(const struct bench *bench, const char *path) {
    sqlite3 *db = empty_outbox(path);
    sqlite3_stmt *insert = insert_statement(db, bench);
    insert_rows(db, insert, 1, bench->rows);
    sqlite3_finalize(insert);
    SQL_MUST(db, sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", 0, 0, 0));
    return db;
}

/* --- a: SQLite alone ---------------------------------------------------------------------------------------- */

static size_t read_rows(sqlite3 *db, sqlite3_stmt *read, int64_t *first, int64_t *last) {
    size_t bytes = 0;
    *first = 0;
    sqlite3_reset(read);
    while (sqlite3_step(read) == SQLITE_ROW) {
        *last = sqlite3_column_int64(read, 0);
        *first = *first ? *first : *last;
        for (int column = 1; column < sqlite3_column_count(read); column++)
            bytes += sqlite3_column_text(read, column) ? (size_t)sqlite3_column_bytes(read, column) : 0;
    }
    sqlite3_reset(read);
    SQL_MUST(db, sqlite3_errcode(db));
    return bytes;
}

static double database_run(const struct bench *bench) {
    sqlite3 *db = fill_outbox(bench, fresh_path());
    sqlite3_stmt *read, *mark;
    int64_t first, last;
    SQL_MUST(db, sqlite3_prepare_v2(
                     db,
                     "SELECT * FROM outbox_events INDEXED BY outbox_events_pending WHERE processed = 0 AND"
                     " parked_at IS NULL ORDER BY pos LIMIT 999",
                     -1, &read, NULL));
    SQL_MUST(db, sqlite3_prepare_v2(
                     db,
                     "UPDATE outbox_events SET processed = 1, processed_at = '2025-11-14T12:00:00.000000Z',"
                     " stream = 'STREAM_RAG', sequence = pos WHERE pos BETWEEN ?1 AND ?2",
                     -1, &mark, NULL));
    double start = now_s();
    while (read_rows(db, read, &first, &last) > 0) {
        sqlite3_bind_int64(mark, 1, first);
        sqlite3_bind_int64(mark, 2, last);
        SQL_MUST(db, sqlite3_step(mark));
        sqlite3_reset(mark);
    }
    double rate = (double)bench->rows / (now_s() - start);
    sqlite3_finalize(read);
    sqlite3_finalize(mark);
    sqlite3_close(db);
    return rate;
}

/* --- b and c ------------------------------------------------------------------------------------------------ */

static double publisher_run(const struct bench *bench) {
    struct plain plain;
    plain_start(&plain, &bench->scene, bench->rows);
    return plain_end(&plain);
}

static double relay_run(struct bench *bench, double *cpu_us) {
    const char *path = fresh_path();
    char url[600];
    struct measured relay;
    sqlite3_close(fill_outbox(bench, path));
    scene_fresh_stream(&bench->scene);
    snprintf(url, sizeof url, "sqlite:%s", path);
    relay_start(&relay, &bench->scene, url, NULL, true);
    double took = measured_wait(&relay);
    scene_expect(&bench->scene, bench->rows);
    *cpu_us = per_event_us(&relay, bench->rows);
    bench->peak_kib = relay.peak_kib > bench->peak_kib ? relay.peak_kib : bench->peak_kib;
    return (double)bench->rows / took;
}

/* The median rate of the relay. */
static double drains(struct bench *bench) {
    double database[ROUNDS_MAX], publisher[ROUNDS_MAX], relay[ROUNDS_MAX], slower[ROUNDS_MAX], cpu_us;
    printf("  SQLite read and mark   bare atomic batches   weir relay --once   relay / slower   CPU of the "
           "relay\n");
    for (int i = 0; i < bench->rounds; i++) {
        database[i] = database_run(bench);
        publisher[i] = publisher_run(bench);
        relay[i] = relay_run(bench, &cpu_us);
        slower[i] = database[i] < publisher[i] ? database[i] : publisher[i];
        printf("  %13.0f rows/s  %12.0f events/s  %11.0f rows/s  %12.2f  %12.1f us/row\n", database[i],
               publisher[i], relay[i], relay[i] / slower[i], cpu_us);
    }
    double rate = median(relay, bench->rounds);
    print_ratio("drain over the slower of both", rate, median(slower, bench->rounds), "events/s", 0.5, true);
    print_rate(rate, 40000);
    print_memory(bench->peak_kib);
    return rate;
}

/* --- commit to stored --------------------------------------------------------------------------------------- */

struct writer {
    sqlite3 *db;
    sqlite3_stmt *insert;
};

static void commit_one(void *arg, int index, long number) {
    struct writer *writer = arg;
    (void)index;
    insert_rows(writer->db, writer->insert, number, number);
}

static void latencies(struct bench *bench, const struct acked *acked) {
    const char *path = fresh_path();
    char url[600];
    struct measured relay;
    struct writer writer = {.db = empty_outbox(path)};
    struct latency latency = {
        .scene = &bench->scene, .count = LATENCY_EVENTS, .writers = 1, .commit = commit_one, .arg = &writer};
    writer.insert = insert_statement(writer.db, bench);
    sqlite3_busy_timeout(writer.db, 10000);
    scene_fresh_stream(&bench->scene);
    snprintf(url, sizeof url, "sqlite:%s", path);
    relay_start(&relay, &bench->scene, url, NULL, false);
    print_latency("SQLite", latency_measure(&latency), acked, 0);
    scene_expect(&bench->scene, LATENCY_EVENTS);
    measured_end(&relay);
    printf("  CPU of the relay %.0f us/event\n", per_event_us(&relay, LATENCY_EVENTS));
    sqlite3_finalize(writer.insert);
    sqlite3_close(writer.db);
}

int main(int argc, char **argv) {
    static struct bench bench;
    bench.rows = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    bench.rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
    if (bench.rows < 1 || bench.rounds < 1 || bench.rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: outbox_sqlite_bench [ROWS [ROUNDS]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    scene_open(&bench.scene);
    printf("%ld rows, envelopes of %zu bytes, sync_interval always\n", bench.rows, bench.scene.envelope.size);
    double rate = drains(&bench);
    struct acked acked[3];
    for (int i = 0; i < 3; i++)
        acked[i] = acked_measure(&bench.scene);
    acked[0] = acked_median(acked, 3);
    plain_print_batch(&bench.scene);
    print_ratio("drain over acknowledging each message", rate, acked[0].async_rate, "events/s", 10, true);
    latencies(&bench, &acked[0]);
    scene_close(&bench.scene);
    return 0;
}
