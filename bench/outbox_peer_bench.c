/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit relay plan */
/* vendors: libpq */
/* Beside another outbox: the npm package pg-transactional-outbox (test/interop/outbox_peer.js), which polls or follows the log as we
 * do and publishes to the same nats-server with the official client, on the same PostgreSQL. Events per second, CPU and memory of
 * each process, and the time from commit to stored at a rate that both can keep. Options: rows of its backlog. */
#include "base/text.h"
#include "kit/interop.h"
#include "outbox_latency.h"
#include "outbox_pg.h"
#include "outbox_relay.h"

enum { OUR_ROWS_FACTOR = 20, PEER_LATENCY_EVENTS = 1000, PEER_RATE = 100, WRITERS = 2, TEXT = 64 };

struct bench {
    struct scene scene;
    kit_postgres *server;
    const char *script;
    long rows;
};

/* One of the two, at work on a database of its own. */
struct contender {
    struct bench *bench;
    const char *mode;
    bool peer;
    struct database database;
    struct measured process;
    PGconn *writers[WRITERS];
};

/* --- the peer's database --------------------------------------------------------------------------------------- */

static void peer_setup(const struct contender *peer) {
    struct kit_run setup = kit_run((const char *const[]){"/usr/bin/env", "node", peer->bench->script, "setup",
                                                         peer->mode, peer->database.url, NULL},
                                   NULL, 30);
    if (setup.status != 0)
        stop("outbox_peer.js setup", setup.err);
    kit_run_free(&setup);
}

/* An INSERT of the whole envelope with the id `id`, a piece of SQL. */
static char *peer_insert(const struct contender *peer, const char *id, const char *from) {
    const struct scene *scene = &peer->bench->scene;
    PGconn *sql = peer->database.sql;
    char *envelope = PQescapeLiteral(sql, scene->envelope.data, scene->envelope.size);
    buffer insert;
    buffer_init(&insert, 1 << 20);
    buffer_printf(&insert,
                  "INSERT INTO outbox (id, aggregate_type, aggregate_id, message_type, concurrency, payload)"
                  " SELECT %s::uuid, 'document', '1', '" OUTBOX_EVENT_TYPE "', '%s',"
                  " replace(%s, '" OUTBOX_EVENT_ID_FRONT "000000000001', %s)::jsonb %s",
                  id, strcmp(peer->mode, "wal") == 0 ? "sequential" : "parallel", envelope, id, from);
    PQfreemem(envelope);
    char *text = strndup(insert.data, insert.size);
    buffer_release(&insert);
    return text;
}

static void peer_fill(const struct contender *peer, long rows) {
    char from[200];
    snprintf(from, sizeof from, "FROM generate_series(1, %ld) i", rows);
    char *insert = peer_insert(peer, "('" OUTBOX_EVENT_ID_FRONT "' || lpad(i::text, 12, '0'))", from);
    kit_sql(peer->database.sql, insert);
    free(insert);
}

/* --- either of them ---------------------------------------------------------------------------------------------- */

static void contender_open(struct contender *contender) {
    scene_fresh_stream(&contender->bench->scene);
    contender->database = database_new(contender->bench->server);
    if (contender->peer)
        peer_setup(contender);
}

static void contender_start(struct contender *contender) {
    const struct bench *bench = contender->bench;
    if (!contender->peer) {
        relay_start(&contender->process, &bench->scene, contender->database.url, contender->mode, false);
        return;
    }
    const char *argv[] = {"/usr/bin/env",
                          "node",
                          bench->script,
                          "run",
                          contender->mode,
                          contender->database.url,
                          kit_server_url(bench->scene.server),
                          bench->scene.def->subject,
                          NULL};
    measured_start(&contender->process, "outbox_peer", argv, NULL);
}

static void contender_close(struct contender *contender) {
    measured_end(&contender->process);
    database_drop(contender->bench->server, &contender->database);
}

static void drain(struct bench *bench, const char *mode, bool peer) {
    struct contender contender = {.bench = bench, .mode = mode, .peer = peer};
    long rows = peer ? bench->rows : bench->rows * OUR_ROWS_FACTOR;
    contender_open(&contender);
    if (peer)
        peer_fill(&contender, rows);
    else
        database_fill(&contender.database, &bench->scene, 1, rows);
    contender_start(&contender);
    measured_until_stored(&contender.process, &bench->scene, rows);
    double took = now_s() - contender.process.started;
    printf("  %-4s  %-23s  drains %ld rows at %.0f events/s, CPU %.0f us/event, memory %.1f MiB\n", mode,
           peer ? "pg-transactional-outbox" : "weir relay", rows, (double)rows / took,
           per_event_us(&contender.process, rows), (double)contender.process.peak_kib / 1024);
    contender_close(&contender);
}

/* --- commit to stored -------------------------------------------------------------------------------------------- */

static void commit_one(void *arg, int index, long number) {
    struct contender *contender = arg;
    char id[TEXT];
    snprintf(id, sizeof id, OUTBOX_EVENT_ID, (int)number);
    PGresult *result =
        PQexecPrepared(contender->writers[index], "insert", 1, (const char *const[]){id}, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        stop("PostgreSQL", PQresultErrorMessage(result));
    PQclear(result);
}

static void latency_of(struct bench *bench, const char *mode, bool peer) {
    struct contender contender = {.bench = bench, .mode = mode, .peer = peer};
    struct latency latency = {.scene = &bench->scene,
                              .count = PEER_LATENCY_EVENTS,
                              .per_second = PEER_RATE,
                              .writers = WRITERS,
                              .commit = commit_one,
                              .arg = &contender};
    contender_open(&contender);
    for (int i = 0; i < WRITERS; i++) {
        contender.writers[i] = kit_sql_connect(contender.database.url);
        char *insert = peer ? peer_insert(&contender, "$1::text", "")
                            : database_insert(&contender.database, &bench->scene);
        PQclear(PQprepare(contender.writers[i], "insert", insert, 1, NULL));
        free(insert);
    }
    contender_start(&contender);
    struct latency_figures figures = latency_measure(&latency);
    printf("  %-4s  %-23s  commit to stored at %.0f events/s: p50 %.0f us, p99 %.0f us", mode,
           peer ? "pg-transactional-outbox" : "weir relay", figures.rate, figures.p50_us, figures.p99_us);
    if (figures.missing)
        printf("; %ld of %d did not come in %d s", figures.missing, PEER_LATENCY_EVENTS, LATENCY_PATIENCE_S);
    printf("\n");
    if (figures.missing && !peer)
        stop("LOST", "not every committed event came");
    for (int i = 0; i < WRITERS; i++)
        PQfinish(contender.writers[i]);
    contender_close(&contender);
}

int main(int argc, char **argv) {
    static struct bench bench;
    const char *modes[] = {"poll", "wal"};
    bench.rows = argc > 1 ? strtol(argv[1], NULL, 10) : 1500;
    if (bench.rows < 1) {
        fprintf(stderr, "usage: outbox_peer_bench [ROWS]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *missing = kit_interop_missing();
    if (missing) {
        printf("not measured: %s\n", missing);
        return 0;
    }
    bench.script = kit_interop_script("outbox_peer.js");
    scene_open(&bench.scene);
    bench.server = kit_postgres_start(&(struct kit_postgres_options){.config = pg_fill_config});
    for (int i = 0; i < 2; i++)
        for (int peer = 1; peer >= 0; peer--) {
            drain(&bench, modes[i], peer);
            latency_of(&bench, modes[i], peer);
        }
    kit_postgres_stop(bench.server);
    scene_close(&bench.scene);
    return 0;
}
