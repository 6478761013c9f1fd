/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing without batches, by plain libnats on the same server: one message after the other (how long each takes), and
 * as many as can be in flight, each with its own PubAck. Included by outbox_*_bench.c. */
#ifndef BENCH_OUTBOX_ACKED_H
#define BENCH_OUTBOX_ACKED_H

#include "outbox_scene.h"

enum { ACKED_SYNC = 500, ACKED_ASYNC = 2500, ACKED_WINDOW = 4096 };

static inline int by_size(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static inline double median(double *figures, int count) {
    qsort(figures, (size_t)count, sizeof *figures, by_size);
    return figures[count / 2];
}

struct acked {
    double sync_p50_us, sync_p99_us; /* of one publish, until its PubAck */
    double sync_rate, async_rate;    /* messages per second */
};

static inline void acked_sync(struct acked *acked, jsCtx *js, const struct scene *scene) {
    static double took_us[ACKED_SYNC];
    double start = now_s();
    for (int i = 0; i < ACKED_SYNC; i++) {
        double sent = now_s();
        NATS_MUST(js_Publish(NULL, js, scene->def->subject, scene->envelope.data, (int)scene->envelope.size,
                             NULL, NULL));
        took_us[i] = (now_s() - sent) * 1e6;
    }
    acked->sync_rate = ACKED_SYNC / (now_s() - start);
    acked->sync_p50_us = median(took_us, ACKED_SYNC);
    acked->sync_p99_us = took_us[ACKED_SYNC * 99 / 100];
}

static inline void acked_async(struct acked *acked, jsCtx *js, const struct scene *scene) {
    double start = now_s();
    for (int i = 0; i < ACKED_ASYNC; i++)
        NATS_MUST(
            js_PublishAsync(js, scene->def->subject, scene->envelope.data, (int)scene->envelope.size, NULL));
    NATS_MUST(js_PublishAsyncComplete(js, NULL));
    acked->async_rate = ACKED_ASYNC / (now_s() - start);
}

static inline struct acked acked_measure(const struct scene *scene) {
    struct acked acked;
    natsConnection *nats;
    jsCtx *js;
    jsOptions options;
    scene_fresh_stream(scene);
    NATS_MUST(natsConnection_ConnectTo(&nats, kit_server_url(scene->server)));
    NATS_MUST(jsOptions_Init(&options));
    options.PublishAsync.MaxPending = ACKED_WINDOW;
    options.PublishAsync.StallWait = 60000;
    NATS_MUST(natsConnection_JetStream(&js, nats, &options));
    acked_sync(&acked, js, scene);
    acked_async(&acked, js, scene);
    if (scene_stored(scene) != ACKED_SYNC + ACKED_ASYNC)
        stop("acknowledged publishing", "the stream does not hold what was published");
    jsCtx_Destroy(js);
    natsConnection_Destroy(nats);
    printf("  every message acknowledged: one by one p50 %.0f us, p99 %.0f us, %.0f/s; %d in flight %.0f/s\n",
           acked.sync_p50_us, acked.sync_p99_us, acked.sync_rate, ACKED_WINDOW, acked.async_rate);
    return acked;
}

static inline int acked_by_rate(const void *a, const void *b) {
    return by_size(&((const struct acked *)a)->async_rate, &((const struct acked *)b)->async_rate);
}

/* The middle one of several: a moment's noise does not decide. */
static inline struct acked acked_median(struct acked *all, int count) {
    qsort(all, (size_t)count, sizeof *all, acked_by_rate);
    return all[count / 2];
}

#endif
