/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit plan */
/* What a plan of 200 streams and 400 groups costs against asking for each of them one after the other, as
 * tools do that look at one thing at a time. Runs alternate in one process on one server; the figure that
 * counts is the ratio, the median of the pairs. Both must have read the same configurations. Every group has
 * handled an event: the server reads the state of one that never did from disk at every question. Options:
 * streams, pairs. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit/broker.h"
#include "made_catalog.h"
#include "must.h"
#include "plan/compare.h"
#include "plan/identity.h"

enum { PAIRS_MAX = 100, GROUPS_EACH = 2 };

/* --- groups at work ------------------------------------------------------------------------------------ */

typedef _Atomic(broker_msg *) slot;

static void on_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    (void)note, (void)left, (void)err;
    if (msg)
        atomic_store((slot *)arg, msg);
}

static broker_msg *wait_for(slot *got) {
    enum { LOOKS = 100000 };
    for (int i = 0; i < LOOKS && !atomic_load(got); i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    return atomic_load(got);
}

/* Gives a consumer an event and acknowledges it. */
static void work(weir_connection *connection, const struct desired *thing) {
    char subject[300];
    const char *filter = json_cstr(json_item(json_get(thing->config, "filter_subjects"), 0));
    int size = (int)strcspn(filter, ">");
    slot got = NULL;
    broker_pull *pull;
    snprintf(subject, sizeof subject, "%.*s%s", size, filter, filter[size] ? "x" : "");
    kit_publish(connection, subject, "{}");
    MUST(broker_pull_open(&pull, connection, thing->stream, thing->consumer, on_pull, &got, err));
    MUST(broker_pull_ask(pull, 1, 5000, false, err));
    broker_msg *msg = wait_for(&got);
    if (!msg)
        stop(thing->name, "its event did not come");
    MUST(broker_ack_sync(connection, msg, 5000, err));
    broker_pull_close(pull);
    broker_msg_free(msg);
}

/* --- one after the other ------------------------------------------------------------------------------ */

static json_doc *ask(weir_connection *connection, const struct desired *thing) {
    char api[400];
    json_doc *reply = NULL;
    if (thing->consumer)
        snprintf(api, sizeof api, "CONSUMER.INFO.%s.%s", thing->stream, thing->consumer);
    else
        snprintf(api, sizeof api, "STREAM.INFO.%s", thing->stream);
    MUST(broker_api(connection, api, (weir_text){0}, &reply, err));
    return reply;
}

/* Without the server's own marks, of which a list has fewer. */
static void expect_same(const weir_plan *plan, const struct desired *thing, const json *told) {
    char ours[65], theirs[65];
    const struct observed_stream *stream = observed_stream(&plan->observed, thing->stream);
    const struct observed_consumer *consumer =
        thing->consumer ? observed_consumer(stream, thing->consumer) : NULL;
    const json *config = consumer ? consumer->config : stream ? stream->config : NULL;
    identity_of_thing(ours, config, NULL);
    identity_of_thing(theirs, json_get(told, "config"), NULL);
    if (!config || strcmp(ours, theirs) != 0)
        stop(thing->name, "the plan read another configuration");
}

/* Every thing the plan read: the streams and groups of the catalog, and those that weir derives from them. */
static double sequential_ms(weir_connection *connection, const weir_plan *plan) {
    size_t count = plan->desired.items.count;
    json_doc **replies = mem_alloc(count * sizeof *replies);
    double start = now_s();
    for (size_t i = 0; i < count; i++)
        replies[i] = ask(connection, &plan->desired.items.items[i]);
    double took = 1e3 * (now_s() - start);
    for (size_t i = 0; i < count; i++) {
        expect_same(plan, &plan->desired.items.items[i], json_root(replies[i]));
        json_doc_free(replies[i]);
    }
    mem_free(replies);
    return took;
}

/* --- the plan ----------------------------------------------------------------------------------------- */

static double plan_ms(weir_connection *connection, const weir_catalog *catalog, weir_plan **plan) {
    double start = now_s();
    MUST(weir_plan_make(plan, connection, catalog, err));
    double took = 1e3 * (now_s() - start);
    if (!weir_plan_empty(*plan))
        stop("plan", "it is not empty after apply");
    return took;
}

static int by_size(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void run_pairs(weir_connection *connection, const weir_catalog *catalog, int streams, long pairs) {
    double ratios[PAIRS_MAX];
    for (long i = 0; i < pairs; i++) {
        weir_plan *plan;
        double ours = plan_ms(connection, catalog, &plan);
        double theirs = sequential_ms(connection, plan);
        ratios[i] = ours / theirs;
        printf("plan %7.1f ms   %zu requests one by one %7.1f ms   ratio %.3f\n", ours,
               plan->desired.items.count, theirs, ratios[i]);
        weir_plan_free(plan);
    }
    qsort(ratios, (size_t)pairs, sizeof *ratios, by_size);
    printf("plan of %d streams and %d groups over as many requests one by one, median of %ld pairs: %.3f "
           "(target "
           "0.15)\n",
           streams, streams * GROUPS_EACH, pairs, ratios[pairs / 2]);
}

int main(int argc, char **argv) {
    long streams = argc > 1 ? strtol(argv[1], NULL, 10) : 200,
         pairs = argc > 2 ? strtol(argv[2], NULL, 10) : 9;
    if (streams < 1 || streams > 999 || pairs < 1 || pairs > PAIRS_MAX) {
        fprintf(stderr, "usage: plan_bench [STREAMS [PAIRS]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = kit_connect(server);
    weir_catalog *catalog;
    weir_plan *plan;
    MUST(weir_catalog_open(&catalog, made_catalog((struct made_size){(int)streams, 2, GROUPS_EACH}), NULL,
                           NULL, err));
    MUST(weir_plan_make(&plan, connection, catalog, err));
    double start = now_s();
    MUST(weir_plan_apply(plan, connection, NULL, err));
    printf("apply of %zu steps took %.0f ms\n", weir_plan_count(plan), 1e3 * (now_s() - start));
    for (size_t i = 0; i < plan->desired.items.count; i++)
        if (plan->desired.items.items[i].consumer)
            work(connection, &plan->desired.items.items[i]);
    weir_plan_free(plan);
    run_pairs(connection, catalog, (int)streams, pairs);
    weir_catalog_close(catalog);
    weir_disconnect(connection);
    kit_server_stop(server);
    return 0;
}
