/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit publish */
/* What validating, enveloping and keeping an event for a retry cost beside the broker's own price:
 * weir_publish_async against js_PublishMsgAsync of plain libnats, which sends envelopes made beforehand, of
 * the same size and with the same headers. Runs alternate in one process on one server (its default
 * sync_interval), each into a fresh stream; the figure that counts is the ratio, median of the pairs.
 * Options: messages per run, pairs. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/model.h"
#include "kit/broker.h"
#include "must.h"
#include "publish/publisher.h"

enum { WINDOW = 4096, PAIRS_MAX = 50 };

static const char type[] = "parser.document.parsed";

struct bench {
    kit_server *server;
    weir_connection *connection;
    weir_catalog *catalog;
    const struct event_def *def;
    buffer payload;
    int messages;
    natsConnection *nats;
    jsCtx *js;
    atomic_int acked, failed;
};

/* What this process has used, all threads. */
static double cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

struct figure {
    double rate;   /* messages per second */
    double cpu_us; /* of the client, per message */
};

static struct figure figure_of(const struct bench *bench, double start, double cpu) {
    return (struct figure){bench->messages / (now_s() - start), (cpu_s() - cpu) * 1e6 / bench->messages};
}

/* --- plain libnats -------------------------------------------------------------------------------------- */

static void on_plain_ack(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *refused, void *arg) {
    struct bench *bench = arg;
    (void)js;
    (void)ack;
    atomic_fetch_add(refused ? &bench->failed : &bench->acked, 1);
    natsMsg_Destroy(msg);
}

static void plain_open(struct bench *bench) {
    jsOptions options;
    NATS_MUST(natsConnection_ConnectTo(&bench->nats, kit_server_url(bench->server)));
    NATS_MUST(jsOptions_Init(&options));
    options.PublishAsync.MaxPending = WINDOW;
    options.PublishAsync.StallWait = 10000;
    options.PublishAsync.AckHandler = on_plain_ack;
    options.PublishAsync.AckHandlerClosure = bench;
    NATS_MUST(natsConnection_JetStream(&bench->js, bench->nats, &options));
}

static struct figure plain_run(struct bench *bench, weir_text envelope, size_t id_size) {
    char id[64];
    atomic_store(&bench->acked, 0);
    double start = now_s(), cpu = cpu_s();
    for (int i = 0; i < bench->messages; i++) {
        natsMsg *msg;
        snprintf(id, sizeof id, "%0*d", (int)id_size, i);
        NATS_MUST(natsMsg_Create(&msg, bench->def->subject, NULL, envelope.data, (int)envelope.size));
        NATS_MUST(natsMsgHeader_Set(msg, "Nats-Msg-Id", id));
        NATS_MUST(natsMsgHeader_Set(msg, "Nats-Expected-Stream", bench->def->stream));
        NATS_MUST(js_PublishMsgAsync(bench->js, &msg, NULL));
    }
    NATS_MUST(js_PublishAsyncComplete(bench->js, NULL));
    struct figure figure = figure_of(bench, start, cpu);
    if (atomic_load(&bench->acked) != bench->messages || atomic_load(&bench->failed) > 0)
        stop("plain libnats", "not every message was acknowledged");
    return figure;
}

/* --- weir ----------------------------------------------------------------------------------------------- */

static void on_failure(void *arg, const char *id, const char *failed_type, const weir_error *err) {
    (void)arg;
    (void)failed_type;
    stop(id, err->message);
}

static weir_draft draft_of(const struct bench *bench) {
    return (weir_draft){.type = weir_text_of(type),
                        .payload = buffer_view(&bench->payload),
                        .tenant = weir_text_of("t_555"),
                        .actor = weir_text_of("parser-service"),
                        .trace = weir_text_of("trace_abc"),
                        .span = weir_text_of("span_def")};
}

static struct figure weir_run(struct bench *bench) {
    weir_publisher_options options = {.window = WINDOW, .on_failure = on_failure};
    weir_publisher *publisher;
    weir_draft draft = draft_of(bench);
    MUST(weir_publisher_open(&publisher, bench->connection, bench->catalog, &options, err));
    double start = now_s(), cpu = cpu_s();
    for (int i = 0; i < bench->messages; i++)
        MUST(weir_publish_async(publisher, &draft, err));
    MUST(weir_publisher_settle(publisher, 60000, err));
    struct figure figure = figure_of(bench, start, cpu);
    weir_publisher_close(publisher);
    return figure;
}

/* --- both ----------------------------------------------------------------------------------------------- */

static void fresh_stream(struct bench *bench) {
    char api[300];
    json_doc *reply = NULL;
    snprintf(api, sizeof api, "STREAM.DELETE.%s", bench->def->stream);
    if (broker_api(bench->connection, api, weir_text_of(""), &reply, NULL) == WEIR_OK)
        json_doc_free(reply);
    kit_stream(bench->connection, bench->def->stream, "parser.document.>", NULL);
}

static void expect_stored(struct bench *bench) {
    struct broker_stream_state state = {.messages = 0};
    MUST(broker_stream_state(bench->connection, bench->def->stream, &state, err));
    if (state.messages != (uint64_t)bench->messages)
        stop("stream", "it does not hold every message once");
}

static void bench_open(struct bench *bench) {
    const char *source = getenv("WEIR_SOURCE");
    char dir[1000];
    snprintf(dir, sizeof dir, "%s/catalogs/daarion", source ? source : ".");
    MUST(weir_catalog_open(&bench->catalog, dir, NULL, NULL, err));
    MUST(catalog_event_find(&bench->def, bench->catalog, weir_text_of(type), err));
    buffer_init(&bench->payload, 1 << 20);
    json_write(&bench->payload, bench->def->example, false);
    bench->server = kit_server_start(&(struct kit_server_options){.sync = "2m"});
    bench->connection = kit_connect(bench->server);
    plain_open(bench);
}

static void bench_close(struct bench *bench) {
    jsCtx_Destroy(bench->js);
    natsConnection_Destroy(bench->nats);
    weir_disconnect(bench->connection);
    weir_catalog_close(bench->catalog);
    buffer_release(&bench->payload);
    kit_server_stop(bench->server);
}

static int by_size(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void run_pairs(struct bench *bench, int pairs) {
    double ratios[PAIRS_MAX];
    struct event_built built;
    event_scratch *scratch = event_scratch_new();
    weir_draft draft = draft_of(bench);
    MUST(event_build(&built, bench->catalog->dialect, bench->def, &draft, weir_clock_system(), 0, scratch,
                     err));
    printf("%d events of %zu bytes per run, window %d\n", bench->messages, built.envelope.size, WINDOW);
    for (int i = 0; i < pairs; i++) {
        fresh_stream(bench);
        struct figure plain = plain_run(bench, built.envelope, built.id.size);
        expect_stored(bench);
        fresh_stream(bench);
        struct figure ours = weir_run(bench);
        expect_stored(bench);
        ratios[i] = ours.rate / plain.rate;
        printf("plain libnats %7.0f/s (%.1f us of CPU each)   weir %7.0f/s (%.1f us)   ratio %.2f\n",
               plain.rate, plain.cpu_us, ours.rate, ours.cpu_us, ratios[i]);
    }
    qsort(ratios, (size_t)pairs, sizeof ratios[0], by_size);
    printf("publishing over plain libnats, median of %d pairs: %.2f (target 0.85)\n", pairs,
           ratios[pairs / 2]);
    event_scratch_free(scratch);
}

int main(int argc, char **argv) {
    struct bench bench = {.messages = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100000};
    long pairs = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    if (bench.messages < 1 || pairs < 1 || pairs > PAIRS_MAX) {
        fprintf(stderr, "usage: publish_bench [MESSAGES [PAIRS]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_open(&bench);
    run_pairs(&bench, (int)pairs);
    bench_close(&bench);
    return 0;
}
