/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: kit catalog */
/* What `weir check` costs: reading, resolving and checking a catalog of 1,000 event types in 40 domains with
 * schemas, examples, keys, older versions with their up-casters, groups and services, from its files on disk, as the program does it. Prints the
 * median of several runs, in wall time and in processor time (which a busy machine disturbs less). Options: event types per domain, runs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "made_catalog.h"
#include "must.h"
#include "weir/catalog.h"

enum { DOMAINS = 40, RUNS_MAX = 100, TARGET_MS = 250 };

static double cpu_s(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Milliseconds; *cpu_ms of them on a processor. */
static double run_ms(const char *folder, double *cpu_ms) {
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    double start = now_s(), cpu = cpu_s();
    MUST(weir_catalog_open(&catalog, folder, NULL, &report, err));
    double took = 1e3 * (now_s() - start);
    *cpu_ms = 1e3 * (cpu_s() - cpu);
    if (weir_report_count(report) > 0) {
        const weir_finding *finding = weir_report_at(report, 0);
        fprintf(stderr, "check_bench: %s:%d: %s\n", finding->file, finding->line, finding->message);
        exit(1);
    }
    weir_report_free(report);
    weir_catalog_close(catalog);
    return took;
}

static int by_size(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

int main(int argc, char **argv) {
    long each = argc > 1 ? strtol(argv[1], NULL, 10) : 25, runs = argc > 2 ? strtol(argv[2], NULL, 10) : 9;
    double took[RUNS_MAX], cpu[RUNS_MAX];
    if (each < 1 || each > 99 || runs < 1 || runs > RUNS_MAX) {
        fprintf(stderr, "usage: check_bench [EVENTS [RUNS]]\n");
        return 2;
    }
    const char *folder = made_catalog((struct made_size){DOMAINS, (int)each, 3});
    for (long i = 0; i < runs; i++)
        took[i] = run_ms(folder, &cpu[i]);
    qsort(took, (size_t)runs, sizeof *took, by_size);
    qsort(cpu, (size_t)runs, sizeof *cpu, by_size);
    printf(
        "weir check of %ld event types in %d domains, median of %ld runs: %.0f ms, of processor time %.0f ms "
        "(target %d ms)\n",
        each * DOMAINS, DOMAINS, runs, took[runs / 2], cpu[runs / 2], TARGET_MS);
    return 0;
}
