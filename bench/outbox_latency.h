/* SPDX-License-Identifier: Apache-2.0 */
/* From commit to stored, at a steady rate: writers commit one event each time, on a timetable, and note when COMMIT
 * returned; a reader of the stream notes when it came. What is told is therefore a little more than the time until it was
 * stored: one delivery. Included by outbox_*_bench.c. */
#ifndef BENCH_OUTBOX_LATENCY_H
#define BENCH_OUTBOX_LATENCY_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "outbox_acked.h"

enum { LATENCY_PER_SECOND = 1000, LATENCY_WRITERS_MAX = 16, LATENCY_PATIENCE_S = 10 };

struct latency {
    const struct scene *scene;
    long count;     /* events in all, the first second's included, which is not counted */
    int per_second; /* 0: LATENCY_PER_SECOND */
    int writers;
    /* Commits event `number` on connection `writer`; the caller's own. */
    void (*commit)(void *arg, int writer, long number);
    void *arg;
    double start;
    double *committed, *arrived; /* by number; seconds */
    atomic_long next, seen;
};

static inline void latency_on_msg(natsConnection *nats, natsSubscription *subscription, natsMsg *msg,
                                  void *arg) {
    struct latency *latency = arg;
    double now = now_s();
    (void)nats;
    (void)subscription;
    long number = scene_event_number(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
    if (number >= 1 && number <= latency->count)
        latency->arrived[number] = now;
    atomic_fetch_add(&latency->seen, 1);
    natsMsg_Destroy(msg);
}

static inline void latency_sleep_until(double when) {
    double left = when - now_s();
    if (left > 0)
        nanosleep(
            &(struct timespec){.tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(long)left) * 1e9)},
            NULL);
}

struct latency_writer {
    struct latency *latency;
    int index;
    pthread_t thread;
};

static inline void *latency_write(void *arg) {
    struct latency_writer *writer = arg;
    struct latency *latency = writer->latency;
    double rate = latency->per_second ? latency->per_second : LATENCY_PER_SECOND;
    for (long number; (number = atomic_fetch_add(&latency->next, 1)) <= latency->count;) {
        latency_sleep_until(latency->start + (double)number / rate);
        latency->commit(latency->arg, writer->index, number);
        latency->committed[number] = now_s();
    }
    return NULL;
}

static inline void latency_run(struct latency *latency) {
    struct latency_writer writers[LATENCY_WRITERS_MAX];
    latency->start = now_s() + 0.01;
    atomic_store(&latency->next, 1);
    for (int i = 0; i < latency->writers; i++) {
        writers[i] = (struct latency_writer){.latency = latency, .index = i};
        pthread_create(&writers[i].thread, NULL, latency_write, &writers[i]);
    }
    for (int i = 0; i < latency->writers; i++)
        pthread_join(writers[i].thread, NULL);
    for (double last = now_s();
         atomic_load(&latency->seen) < latency->count && now_s() - last < LATENCY_PATIENCE_S;)
        latency_sleep_until(now_s() + 0.005);
}

struct latency_figures {
    double p50_us, p99_us, rate;
    long missing; /* did not come in LATENCY_PATIENCE_S */
};

static inline struct latency_figures latency_judge(const struct latency *latency) {
    long skipped = latency->count / 5, count = 0;
    double *took = calloc((size_t)latency->count + 1, sizeof *took);
    for (long i = skipped + 1; i <= latency->count; i++)
        if (latency->arrived[i] > 0)
            took[count++] = (latency->arrived[i] - latency->committed[i]) * 1e6;
    struct latency_figures figures = {.missing = latency->count - skipped - count};
    figures.p50_us = count ? median(took, (int)count) : 0;
    figures.p99_us = took[count * 99 / 100];
    figures.rate = (double)(latency->count - skipped) /
                   (latency->committed[latency->count] - latency->committed[skipped]);
    free(took);
    return figures;
}

/* The relay runs already; stream and outbox are empty. */
static inline struct latency_figures latency_measure(struct latency *latency) {
    natsConnection *nats;
    jsCtx *js;
    natsSubscription *subscription;
    jsSubOptions options;
    latency->committed = calloc((size_t)latency->count + 1, sizeof(double));
    latency->arrived = calloc((size_t)latency->count + 1, sizeof(double));
    NATS_MUST(natsConnection_ConnectTo(&nats, kit_server_url(latency->scene->server)));
    NATS_MUST(natsConnection_JetStream(&js, nats, NULL));
    NATS_MUST(jsSubOptions_Init(&options));
    options.Ordered = true;
    NATS_MUST(js_Subscribe(&subscription, js, latency->scene->def->subject, latency_on_msg, latency, NULL,
                           &options, NULL));
    latency_run(latency);
    natsSubscription_Unsubscribe(subscription);
    natsSubscription_Destroy(subscription);
    struct latency_figures figures = latency_judge(latency);
    jsCtx_Destroy(js);
    natsConnection_Destroy(nats);
    free(latency->committed);
    free(latency->arrived);
    return figures;
}

static inline void print_latency(const char *what, struct latency_figures figures, const struct acked *acked,
                                 double wanted) {
    if (figures.missing)
        stop("LOST", "not every committed event came");
    double ratio = figures.p50_us / acked->sync_p50_us;
    printf("  %s, commit to stored at %.0f events/s: p50 %.0f us, p99 %.0f us\n", what, figures.rate,
           figures.p50_us, figures.p99_us);
    printf("  => p50 over that of one acknowledged publish: %.0f over %.0f us = %.2f", figures.p50_us,
           acked->sync_p50_us, ratio);
    if (wanted > 0)
        printf(" (wanted: at most %.0f%s)", wanted, ratio <= wanted ? "" : ", MISSED");
    printf("\n");
}

#endif
