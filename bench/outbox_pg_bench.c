/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit relay plan */
/* vendors: libpq */
/* How near the relay comes, with an outbox in PostgreSQL, to what the database and the server allow when both work at the same
 * time on this machine; sync_interval always, fsync on.
 *   poll  `weir relay --once` drains a backlog; beside it a libpq loop that reads 1,000 pending rows and marks them processed,
 *         while a bare publisher (outbox_plain.h) stores the same bytes
 *   wal   `weir relay --mode wal` follows the log (it is stopped while the rows are committed, so that all of them wait);
 *         beside it pg_recvlogical (pgoutput) to /dev/null and the same publisher
 * What a pair reaches is the rows over the time until both are done. Then: the relay over acknowledging each message, how flat
 * the rate stays from small to large backlogs, memory, and the time from commit to stored at a steady rate.
 * Options: rows, rounds, rows of the largest backlog (1,000,000 and
 * more take minutes), one mode only. */
#include "base/text.h"
#include "outbox_latency.h"
#include "outbox_pg.h"
#include "outbox_plain.h"
#include "outbox_relay.h"

enum { ROUNDS_MAX = 20, PAGE = 1000, LATENCY_EVENTS = 6000, PG_WRITERS = 4, ARGUMENT = 64 };

struct bench {
    struct scene scene;
    kit_postgres *server;
    long rows, largest;
    int rounds;
    long peak_kib;
};

static void remember_peak(struct bench *bench, const struct measured *relay) {
    bench->peak_kib = relay->peak_kib > bench->peak_kib ? relay->peak_kib : bench->peak_kib;
}

/* --- poll: the database's part alone -------------------------------------------------------------------------- */

static const char read_page[] =
    "SELECT pos, * FROM outbox_events WHERE NOT processed AND parked_at IS NULL AND pos > $1::bigint"
    " ORDER BY pos LIMIT 1000";
static const char mark_page[] =
    "UPDATE outbox_events SET processed = true, processed_at = now(), stream = 'STREAM_RAG',"
    " sequence = pos WHERE pos BETWEEN $1::bigint AND $2::bigint";

static PGresult *pg_must(PGconn *sql, PGresult *result) {
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        stop("PostgreSQL", PQerrorMessage(sql));
    return result;
}

/* It remembers where it was, and the planner knows the table: otherwise it walks or sorts the same rows each time. */
static double loop_run(const struct database *database) {
    PGconn *sql = database->sql;
    char last[ARGUMENT] = "0";
    kit_sql(sql, "ANALYZE outbox_events");
    PQclear(pg_must(sql, PQprepare(sql, "read", read_page, 1, NULL)));
    PQclear(pg_must(sql, PQprepare(sql, "mark", mark_page, 2, NULL)));
    double start = now_s();
    for (;;) {
        PGresult *rows =
            pg_must(sql, PQexecPrepared(sql, "read", 1, (const char *const[]){last}, NULL, NULL, 0));
        int count = PQntuples(rows);
        if (count > 0) {
            snprintf(last, sizeof last, "%s", PQgetvalue(rows, count - 1, 0));
            const char *range[] = {PQgetvalue(rows, 0, 0), last};
            PQclear(pg_must(sql, PQexecPrepared(sql, "mark", 2, range, NULL, NULL, 0)));
        }
        PQclear(rows);
        if (count == 0)
            return now_s() - start;
    }
}

static double database_cpu_s(const struct bench *bench) {
    return server_cpu_s(kit_postgres_pid(bench->server));
}

/* Events per second of the pair, and each one's own. */
static double pair_rate(long rows, double database_s, double publisher_s, double cpu_s, const char *what) {
    printf("    %s %.0f rows/s (CPU of the database %.1f us) beside a bare publisher %.0f events/s\n", what,
           (double)rows / database_s, cpu_s * 1e6 / (double)rows, (double)rows / publisher_s);
    return (double)rows / (database_s > publisher_s ? database_s : publisher_s);
}

static double poll_pair(struct bench *bench) {
    struct database database = database_new(bench->server);
    struct plain plain;
    database_fill(&database, &bench->scene, 1, bench->rows);
    double cpu_s = database_cpu_s(bench);
    plain_start(&plain, &bench->scene, bench->rows);
    double database_s = loop_run(&database);
    cpu_s = database_cpu_s(bench) - cpu_s;
    plain_end(&plain);
    database_drop(bench->server, &database);
    return pair_rate(bench->rows, database_s, plain.seconds, cpu_s, "select and update by 1,000:");
}

/* --- poll: the relay ---------------------------------------------------------------------------------------- */

struct drained {
    double rate;                /* over the life of the process */
    double steady;              /* from the first to the last event stored */
    double cpu_us, database_us; /* per event */
};

static struct drained drain_once(struct bench *bench, const char *mode, long rows) {
    struct database database = database_new(bench->server);
    struct measured relay;
    database_fill(&database, &bench->scene, 1, rows);
    scene_fresh_stream(&bench->scene);
    double cpu_s = database_cpu_s(bench);
    relay_start(&relay, &bench->scene, database.url, mode, true);
    double took = measured_wait(&relay);
    cpu_s = database_cpu_s(bench) - cpu_s;
    struct scene_judgement stored = scene_expect(&bench->scene, rows);
    if (database_pending(&database) != 0)
        stop("relay", "it ended with rows that are not marked");
    remember_peak(bench, &relay);
    database_drop(bench->server, &database);
    return (struct drained){.rate = (double)rows / took,
                            .steady = (double)rows * 1e9 / (double)(stored.last_ns - stored.first_ns),
                            .cpu_us = per_event_us(&relay, rows),
                            .database_us = cpu_s * 1e6 / (double)rows};
}

static void print_drained(double pair, struct drained drained) {
    printf("  pair %.0f, relay %.0f events/s (CPU %.1f us/event, of the database %.1f): %.2f\n", pair,
           drained.rate, drained.cpu_us, drained.database_us, drained.rate / pair);
}

static double poll(struct bench *bench) {
    double pair[ROUNDS_MAX], relay[ROUNDS_MAX];
    printf("poll: %ld rows\n", bench->rows);
    for (int i = 0; i < bench->rounds; i++) {
        pair[i] = poll_pair(bench);
        struct drained drained = drain_once(bench, "poll", bench->rows);
        relay[i] = drained.rate;
        print_drained(pair[i], drained);
    }
    double rate = median(relay, bench->rounds);
    print_ratio("poll: the relay over the pair", rate, median(pair, bench->rounds), "events/s", 0.7, true);
    return rate;
}

/* --- wal ---------------------------------------------------------------------------------------------------- */

static double wal_pair(struct bench *bench) {
    struct database database = database_new(bench->server);
    struct plain plain;
    struct measured receiver;
    char until[ARGUMENT];
    kit_sql(database.sql, "SELECT pg_create_logical_replication_slot('weir_bench', 'pgoutput')");
    database_fill(&database, &bench->scene, 1, bench->rows);
    snprintf(until, sizeof until, "--endpos=%s",
             kit_sql_text(database.sql, "SELECT pg_current_wal_insert_lsn()"));
    const char *argv[] = {"pg_recvlogical",
                          "-d",
                          database.url,
                          "--slot=weir_bench",
                          "--start",
                          until,
                          "--file=/dev/null",
                          "--fsync-interval=0",
                          "--option=proto_version=1",
                          "--option=publication_names=weir_outbox",
                          "--option=binary=true",
                          NULL};
    double cpu_s = database_cpu_s(bench);
    plain_start(&plain, &bench->scene, bench->rows);
    measured_start(&receiver, "pg_recvlogical", argv, NULL);
    double database_s = measured_wait(&receiver);
    cpu_s = database_cpu_s(bench) - cpu_s;
    plain_end(&plain);
    database_drop(bench->server, &database);
    return pair_rate(bench->rows, database_s, plain.seconds, cpu_s, "pg_recvlogical:");
}

static void wait_until(const struct database *database, const char *query) {
    for (double start = now_s(); kit_sql_number(database->sql, query) == 0; measured_sleep())
        if (now_s() - start > 30)
            stop("this did not come about", query);
}

/* The relay follows the log already when it is stopped, so that none of the rows comes from the table. */
static struct drained wal_drain(struct bench *bench) {
    struct database database = database_new(bench->server);
    struct measured relay;
    scene_fresh_stream(&bench->scene);
    database_fill(&database, &bench->scene, 1, 1);
    relay_start(&relay, &bench->scene, database.url, "wal", false);
    wait_until(
        &database,
        "SELECT count(*) FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid"
        " WHERE s.database = current_database() AND r.state = 'streaming'");
    measured_until_stored(&relay, &bench->scene, 1);
    double relay_cpu_s = relay.cpu_s;
    kill(relay.pid, SIGSTOP);
    database_fill(&database, &bench->scene, 2, bench->rows + 1);
    double start = now_s(), cpu_s = database_cpu_s(bench);
    kill(relay.pid, SIGCONT);
    measured_until_stored(&relay, &bench->scene, bench->rows + 1);
    double took = now_s() - start;
    (void)scene_expect(&bench->scene, bench->rows + 1);
    wait_until(&database, "SELECT (count(*) = 0)::int FROM outbox_events WHERE NOT processed");
    measured_end(&relay);
    remember_peak(bench, &relay);
    relay.cpu_s -= relay_cpu_s;
    cpu_s = database_cpu_s(bench) - cpu_s;
    database_drop(bench->server, &database);
    return (struct drained){.rate = (double)bench->rows / took,
                            .cpu_us = per_event_us(&relay, bench->rows),
                            .database_us = cpu_s * 1e6 / (double)bench->rows};
}

static double wal(struct bench *bench) {
    double pair[ROUNDS_MAX], relay[ROUNDS_MAX];
    printf("wal: %ld rows\n", bench->rows);
    for (int i = 0; i < bench->rounds; i++) {
        pair[i] = wal_pair(bench);
        struct drained drained = wal_drain(bench);
        relay[i] = drained.rate;
        print_drained(pair[i], drained);
    }
    double rate = median(relay, bench->rounds);
    print_ratio("wal: the relay over the pair", rate, median(pair, bench->rounds), "events/s", 0.6, true);
    printf("  a backlog from before the start, which comes from the table: %.0f events/s\n",
           drain_once(bench, "wal", bench->rows).rate);
    return rate;
}

/* --- flatness ----------------------------------------------------------------------------------------------- */

static void flatness(struct bench *bench) {
    double least = 0, most = 0;
    printf("poll, by backlog:\n");
    for (long rows = 10000; rows <= bench->largest; rows = rows < 1000000 ? rows * 10 : rows * 5) {
        struct drained drained = drain_once(bench, "poll", rows);
        printf("  %8ld rows: %.0f events/s (CPU %.1f us/event, of the database %.1f)\n", rows, drained.steady,
               drained.cpu_us, drained.database_us);
        least = least == 0 || drained.steady < least ? drained.steady : least;
        most = drained.steady > most ? drained.steady : most;
    }
    print_ratio("slowest over fastest backlog", least, most, "events/s", 0.7, true);
}

/* --- commit to stored ---------------------------------------------------------------------------------------- */

static void commit_one(void *arg, int index, long number) {
    PGconn *sql = ((PGconn **)arg)[index];
    char id[ARGUMENT];
    snprintf(id, sizeof id, OUTBOX_EVENT_ID, (int)number);
    PQclear(pg_must(sql, PQexecPrepared(sql, "insert", 1, (const char *const[]){id}, NULL, NULL, 0)));
}

static void writers_open(const struct bench *bench, const struct database *database,
                         PGconn *writers[PG_WRITERS]) {
    char *insert = database_insert(database, &bench->scene);
    for (int i = 0; i < PG_WRITERS; i++) {
        writers[i] = kit_sql_connect(database->url);
        PQclear(pg_must(writers[i], PQprepare(writers[i], "insert", insert, 1, NULL)));
    }
    free(insert);
}

static void latencies(struct bench *bench, const char *mode, const struct acked *acked, double wanted) {
    struct database database = database_new(bench->server);
    PGconn *writers[PG_WRITERS];
    struct measured relay;
    struct latency latency = {.scene = &bench->scene,
                              .count = LATENCY_EVENTS,
                              .writers = PG_WRITERS,
                              .commit = commit_one,
                              .arg = writers};
    scene_fresh_stream(&bench->scene);
    writers_open(bench, &database, writers);
    relay_start(&relay, &bench->scene, database.url, mode, false);
    print_latency(mode, latency_measure(&latency), acked, wanted);
    if (scene_stored(&bench->scene) != LATENCY_EVENTS)
        stop("DOUBLED", "more events are in the stream than were committed");
    measured_end(&relay);
    remember_peak(bench, &relay);
    printf("  CPU of the relay %.0f us/event\n", per_event_us(&relay, LATENCY_EVENTS));
    for (int i = 0; i < PG_WRITERS; i++)
        PQfinish(writers[i]);
    database_drop(bench->server, &database);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static long argument(int argc, char **argv, int index, long otherwise) {
    return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

static void poll_mode(struct bench *bench, const struct acked *acked) {
    double rate = poll(bench);
    print_ratio("poll: over acknowledging each message", rate, acked->async_rate, "events/s", 10, true);
    flatness(bench);
    latencies(bench, "poll", acked, 0);
}

static void wal_mode(struct bench *bench, const struct acked *acked) {
    double rate = wal(bench);
    print_ratio("wal: over acknowledging each message", rate, acked->async_rate, "events/s", 10, true);
    latencies(bench, "wal", acked, 5);
}

int main(int argc, char **argv) {
    static struct bench bench;
    bench.rows = argument(argc, argv, 1, 300000);
    bench.rounds = (int)argument(argc, argv, 2, 1);
    bench.largest = argument(argc, argv, 3, 100000);
    const char *mode = argc > 4 ? argv[4] : "";
    if (bench.rows < 1 || bench.rounds < 1 || bench.rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: outbox_pg_bench [ROWS [ROUNDS [LARGEST [poll|wal]]]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    scene_open(&bench.scene);
    bench.server = kit_postgres_start(&(struct kit_postgres_options){.config = pg_fill_config});
    printf("envelopes of %zu bytes, sync_interval always, fsync on, transactions of %d rows\n",
           bench.scene.envelope.size, PG_FILL_TRANSACTION);
    struct acked acked[] = {acked_measure(&bench.scene), acked_measure(&bench.scene),
                            acked_measure(&bench.scene)};
    acked[0] = acked_median(acked, 3);
    plain_print_batch(&bench.scene);
    if (strcmp(mode, "wal") != 0)
        poll_mode(&bench, &acked[0]);
    if (strcmp(mode, "poll") != 0)
        wal_mode(&bench, &acked[0]);
    print_memory(bench.peak_kib);
    kit_postgres_stop(bench.server);
    scene_close(&bench.scene);
    return 0;
}
