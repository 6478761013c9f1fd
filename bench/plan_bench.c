/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit plan */
/* What a plan of 200 streams and 400 groups costs against asking for each of them one after the other, as
 * tools do that look at one thing at a time. Runs alternate in one process on one server; the figure that
 * counts is the ratio, the median of the pairs. Both must have read the same configurations. Options: streams,
 * pairs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/broker.h"
#include "made_catalog.h"
#include "plan/compare.h"
#include "plan/identity.h"
#include "weir/clock.h"

enum { PAIRS_MAX = 100, GROUPS_EACH = 2 };

static _Noreturn void stop(const char *what, const char *why) {
    fprintf(stderr, "plan_bench: %s: %s\n", what, why);
    exit(1);
}

#define MUST(call)                     \
    do {                               \
        weir_error err_ = {0};         \
        weir_error *err = &err_;       \
        if ((call) != WEIR_OK)         \
            stop(#call, err->message); \
    } while (0)

static double now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return (double)clock->mono_ns(clock->self) / 1e6;
}

/* --- one after the other ------------------------------------------------------------------------------ */

/* Asks for one thing and holds it against what the plan read of it. */
static void ask(weir_connection *connection, const weir_plan *plan, const char *stream,
                const char *consumer) {
    char api[400];
    json_doc *reply = NULL;
    snprintf(api, sizeof api, "%s.INFO.%s%s%s", consumer ? "CONSUMER" : "STREAM", stream, consumer ? "." : "",
             consumer ? consumer : "");
    MUST(broker_api(connection, api, (weir_text){0}, &reply, err));
    const struct observed_stream *read = observed_stream(&plan->observed, stream);
    const struct observed_consumer *group = consumer ? observed_consumer(read, consumer) : NULL;
    const json *config = consumer ? (group ? group->config : NULL) : (read ? read->config : NULL);
    char listed[65], told[65]; /* without the server's own marks, of which a list has fewer */
    identity_of_thing(listed, config, NULL);
    identity_of_thing(told, json_get(json_root(reply), "config"), NULL);
    if (!config || strcmp(listed, told) != 0)
        stop(api, "the plan read another configuration");
    json_doc_free(reply);
}

static double sequential_ms(weir_connection *connection, const weir_plan *plan, int streams, int *asked) {
    double start = now_ms();
    *asked = 0;
    for (int i = 0; i < streams; i++) {
        char stream[32], group[32];
        snprintf(stream, sizeof stream, "DOMAIN%03d", i);
        ask(connection, plan, stream, NULL);
        for (int j = 0; j < GROUPS_EACH; j++) {
            snprintf(group, sizeof group, "group%03d-%d", i, j);
            ask(connection, plan, stream, group);
        }
        *asked += 1 + GROUPS_EACH;
    }
    return now_ms() - start;
}

/* --- the plan ----------------------------------------------------------------------------------------- */

static double plan_ms(weir_connection *connection, const weir_catalog *catalog, weir_plan **plan) {
    double start = now_ms();
    MUST(weir_plan_make(plan, connection, catalog, err));
    double took = now_ms() - start;
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
        int asked;
        double ours = plan_ms(connection, catalog, &plan);
        double theirs = sequential_ms(connection, plan, streams, &asked);
        ratios[i] = ours / theirs;
        printf("plan %7.1f ms   %d requests one by one %7.1f ms   ratio %.3f\n", ours, asked, theirs,
               ratios[i]);
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
    double start = now_ms();
    MUST(weir_plan_apply(plan, connection, NULL, err));
    printf("apply of %zu steps took %.0f ms\n", weir_plan_count(plan), now_ms() - start);
    weir_plan_free(plan);
    run_pairs(connection, catalog, (int)streams, pairs);
    weir_catalog_close(catalog);
    weir_disconnect(connection);
    kit_server_stop(server);
    return 0;
}
