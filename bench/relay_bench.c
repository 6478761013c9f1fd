/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit relay plan */
/* How near the relay comes to the slower of the two things it joins, on one server with sync_interval always:
 *   a  SQLite alone: reading pending rows by 999 and marking them published, with synchronous=FULL
 *   b  plain libnats alone: atomic batches of 999 events and a cursor, one in flight, of the same bytes and
 * headers c  weir: the same backlog from outbox to stream, validated and enveloped, in a process of its own
 * The three alternate; the figures are medians, the one that counts is c over the smaller of a and b. Wanted:
 * 0.5 and more, and less than 64 MiB of resident memory. Options: rows, rounds. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/model.h"
#include "kit/broker.h"
#include "must.h"
#include "weir/outbox.h"
#include "weir/relay.h"

enum { ROUNDS_MAX = 20, BATCH = 999 };

static const char type[] = "parser.document.parsed";

struct bench {
    kit_server *server;
    weir_connection *connection;
    weir_catalog *catalog;
    char catalog_folder[1000];
    const struct event_def *def;
    buffer payload;
    buffer envelope;
    int rows;
};

#define SQL_MUST(db, call)                                               \
    do {                                                                 \
        int rc_ = (call);                                                \
        if (rc_ != SQLITE_OK && rc_ != SQLITE_ROW && rc_ != SQLITE_DONE) \
            stop(#call, sqlite3_errmsg(db));                             \
    } while (0)

/* --- the backlog ---------------------------------------------------------------------------------- */

static sqlite3 *fill_outbox(const struct bench *bench, const char *path) {
    sqlite3 *db;
    sqlite3_stmt *insert;
    SQL_MUST(db, sqlite3_open(path, &db));
    MUST(weir_outbox_init_sqlite(db, err));
    SQL_MUST(db, sqlite3_exec(db, "BEGIN", 0, 0, 0));
    SQL_MUST(
        db, sqlite3_prepare_v2(db,
                               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
                               " INSERT INTO outbox_events (type, payload, tenant, actor, trace, span)"
                               " SELECT 'parser.document.parsed', ?1, 't_555', 'parser-service', 'trace_abc',"
                               " 'span_def' FROM n",
                               -1, &insert, NULL));
    sqlite3_bind_text(insert, 1, bench->payload.data, (int)bench->payload.size, SQLITE_STATIC);
    sqlite3_bind_int(insert, 2, bench->rows);
    SQL_MUST(db, sqlite3_step(insert));
    sqlite3_finalize(insert);
    SQL_MUST(db, sqlite3_exec(db, "COMMIT", 0, 0, 0));
    SQL_MUST(db, sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", 0, 0, 0));
    return db;
}

static const char *fresh_path(void) {
    static int number;
    char name[32];
    snprintf(name, sizeof name, "bench-%d.db", ++number);
    return kit_path(name);
}

/* --- a: SQLite alone -------------------------------------------------------------------------------- */

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
    double rate = bench->rows / (now_s() - start);
    sqlite3_finalize(read);
    sqlite3_finalize(mark);
    sqlite3_close(db);
    return rate;
}

/* --- b: plain libnats ---------------------------------------------------------------------------------- */

static void fresh_stream(const struct bench *bench) {
    char api[300];
    json_doc *reply = NULL;
    snprintf(api, sizeof api, "STREAM.DELETE.%s", bench->def->stream);
    if (broker_api(bench->connection, api, weir_text_of(""), &reply, NULL) == WEIR_OK)
        json_doc_free(reply);
    char subjects[600];
    snprintf(subjects, sizeof subjects, "parser.document.>\",\"_weir.cursor.%s.*", bench->def->stream);
    kit_stream(bench->connection, bench->def->stream, subjects, NULL);
}

struct plain {
    const struct bench *bench;
    natsConnection *nats;
    natsSubscription *acks;
    char inbox[80], batch_id[48];
    long expected;
};

static void plain_message(struct plain *plain, int number, const char *subject, const char *data, int size,
                          bool commit) {
    natsMsg *msg;
    char text[24];
    NATS_MUST(natsMsg_Create(&msg, subject, commit ? plain->inbox : NULL, data, size));
    NATS_MUST(natsMsgHeader_Set(msg, "Nats-Batch-Id", plain->batch_id));
    snprintf(text, sizeof text, "%d", number);
    NATS_MUST(natsMsgHeader_Set(msg, "Nats-Batch-Sequence", text));
    NATS_MUST(natsMsgHeader_Set(msg, "Nats-Expected-Stream", plain->bench->def->stream));
    if (commit) {
        NATS_MUST(natsMsgHeader_Set(msg, "Nats-Batch-Commit", "1"));
        snprintf(text, sizeof text, "%ld", plain->expected);
        NATS_MUST(natsMsgHeader_Set(msg, "Nats-Expected-Last-Subject-Sequence", text));
    }
    NATS_MUST(natsConnection_PublishMsg(plain->nats, msg));
    natsMsg_Destroy(msg);
}

static void plain_batch(struct plain *plain, int count) {
    const struct bench *bench = plain->bench;
    static int batches;
    char cursor[128];
    natsMsg *answer;
    snprintf(plain->batch_id, sizeof plain->batch_id, "plain-%026d", ++batches);
    for (int i = 1; i <= count; i++)
        plain_message(plain, i, bench->def->subject, bench->envelope.data, (int)bench->envelope.size, false);
    snprintf(cursor, sizeof cursor, "_weir.cursor.%s.plain", bench->def->stream);
    plain_message(plain, count + 1, cursor, "{}", 2, true);
    NATS_MUST(natsSubscription_NextMsg(&answer, plain->acks, 10000));
    const char *sequence = strstr(natsMsg_GetData(answer), "\"seq\":");
    if (strstr(natsMsg_GetData(answer), "\"error\"") || !sequence)
        stop("plain batch", natsMsg_GetData(answer));
    plain->expected = strtol(sequence + 6, NULL, 10);
    natsMsg_Destroy(answer);
}

static double broker_run(const struct bench *bench) {
    struct plain plain = {.bench = bench};
    natsInbox *inbox;
    fresh_stream(bench);
    NATS_MUST(natsConnection_ConnectTo(&plain.nats, kit_server_url(bench->server)));
    NATS_MUST(natsInbox_Create(&inbox));
    snprintf(plain.inbox, sizeof plain.inbox, "%s", inbox);
    natsInbox_Destroy(inbox);
    NATS_MUST(natsConnection_SubscribeSync(&plain.acks, plain.nats, plain.inbox));
    double start = now_s();
    for (int left = bench->rows; left > 0; left -= BATCH)
        plain_batch(&plain, left < BATCH ? left : BATCH);
    double rate = bench->rows / (now_s() - start);
    natsSubscription_Destroy(plain.acks);
    natsConnection_Destroy(plain.nats);
    return rate;
}

/* --- c: weir ------------------------------------------------------------------------------------------- */

/* In the child: relays everything and prints how long it took. */
static int relay_child(const char *server, const char *catalog_folder, const char *url) {
    weir_catalog *catalog;
    weir_connection *connection;
    weir_relay *relay;
    weir_relay_stats stats;
    MUST(weir_catalog_open(&catalog, catalog_folder, NULL, NULL, err));
    MUST(weir_connect(&connection, &(weir_connect_options){.servers = server}, err));
    MUST(weir_relay_open(&relay, connection, catalog, &(weir_relay_options){.outbox = url}, err));
    double start = now_s();
    MUST(weir_relay_run(relay, true, err));
    double took = now_s() - start;
    weir_relay_stats_get(relay, &stats);
    printf("%.6f %llu\n", took, (unsigned long long)stats.published);
    weir_relay_close(relay);
    weir_disconnect(connection);
    weir_catalog_close(catalog);
    return 0;
}

static double relay_run(const struct bench *bench, long *peak_kib, double *cpu_us) {
    const char *path = fresh_path();
    char url[600], line[128] = "";
    int out[2];
    sqlite3_close(fill_outbox(bench, path));
    fresh_stream(bench);
    snprintf(url, sizeof url, "sqlite:%s", path);
    if (pipe(out) != 0)
        stop("pipe", "failed");
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], 1);
        execl("/proc/self/exe", "relay_bench", "--relay", kit_server_url(bench->server),
              bench->catalog_folder, url, NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *from = fdopen(out[0], "r");
    char *got = fgets(line, sizeof line, from);
    fclose(from);
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child || status != 0 || !got)
        stop("relay", "the child failed");
    char *end;
    double took = strtod(line, &end);
    if (strtol(end, NULL, 10) != bench->rows)
        stop("relay", "not every row was published");
    *cpu_us = ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec)) /
              bench->rows;
    *peak_kib = used.ru_maxrss > *peak_kib ? used.ru_maxrss : *peak_kib;
    return bench->rows / took;
}

/* --- all three ------------------------------------------------------------------------------------------ */

static void bench_open(struct bench *bench) {
    const char *source = getenv("WEIR_SOURCE");
    struct event_built built;
    snprintf(bench->catalog_folder, sizeof bench->catalog_folder, "%s/catalogs/daarion",
             source ? source : ".");
    MUST(weir_catalog_open(&bench->catalog, bench->catalog_folder, NULL, NULL, err));
    MUST(catalog_event_find(&bench->def, bench->catalog, weir_text_of(type), err));
    buffer_init(&bench->payload, 1 << 20);
    buffer_init(&bench->envelope, 1 << 20);
    json_write(&bench->payload, bench->def->example, false);
    event_scratch *scratch = event_scratch_new();
    weir_draft draft = {.type = weir_text_of(type),
                        .payload = buffer_view(&bench->payload),
                        .id = weir_text_of("1f0e3dad-9990-4345-b743-9f8ffabdffc4"),
                        .time = weir_text_of("2025-11-14T12:00:00.123Z"),
                        .tenant = weir_text_of("t_555"),
                        .actor = weir_text_of("parser-service"),
                        .trace = weir_text_of("trace_abc"),
                        .span = weir_text_of("span_def")};
    MUST(event_build(&built, bench->catalog->dialect, bench->def, &draft, weir_clock_system(), 0, scratch,
                     err));
    buffer_text(&bench->envelope, built.envelope);
    event_scratch_free(scratch);
    bench->server = kit_server_start(NULL);
    bench->connection = kit_connect(bench->server);
}

static void bench_close(struct bench *bench) {
    weir_disconnect(bench->connection);
    weir_catalog_close(bench->catalog);
    buffer_release(&bench->payload);
    buffer_release(&bench->envelope);
    kit_server_stop(bench->server);
}

static int by_size(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static double median(double *figures, int count) {
    qsort(figures, (size_t)count, sizeof *figures, by_size);
    return figures[count / 2];
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "--relay") == 0)
        return relay_child(argv[2], argv[3], argv[4]);
    struct bench bench = {.rows = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100000};
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
    double database[ROUNDS_MAX], broker[ROUNDS_MAX], relay[ROUNDS_MAX], ratios[ROUNDS_MAX];
    long peak_kib = 0;
    double cpu_us;
    if (bench.rows < 1 || rounds < 1 || rounds > ROUNDS_MAX)
        stop("usage", "relay_bench [rows] [rounds]");
    bench_open(&bench);
    printf("%d rows, envelopes of %zu bytes, sync_interval always\n", bench.rows, bench.envelope.size);
    printf("  SQLite read and mark   plain atomic batches   weir relay      relay / slower   CPU of the "
           "relay\n");
    for (int i = 0; i < rounds; i++) {
        database[i] = database_run(&bench);
        broker[i] = broker_run(&bench);
        relay[i] = relay_run(&bench, &peak_kib, &cpu_us);
        ratios[i] = relay[i] / (database[i] < broker[i] ? database[i] : broker[i]);
        printf("  %13.0f rows/s  %13.0f events/s  %8.0f rows/s  %8.2f  %12.1f us/row\n", database[i],
               broker[i], relay[i], ratios[i], cpu_us);
    }
    printf("median: SQLite %.0f, batches %.0f, relay %.0f; ratio %.2f (wanted: 0.50); peak memory %.1f MiB "
           "(wanted: < 64)\n",
           median(database, rounds), median(broker, rounds), median(relay, rounds), median(ratios, rounds),
           (double)peak_kib / 1024);
    bench_close(&bench);
    return 0;
}
