/* SPDX-License-Identifier: Apache-2.0 */
/* What simulations share: many histories, each made from its seed. Included by test/sim.
 *
 * WEIR_SIM_SEED runs one history, WEIR_SIM_RUNS so many from there on, WEIR_SOAK more of them than usual. */
#ifndef SIM_HISTORIES_H
#define SIM_HISTORIES_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kit/spec.h"

enum { SIM_RUNS = 2000, SIM_SOAK_RUNS = 20000 };

/* One history; `plant` is a fault in what is simulated, 0: none. Adds to *steps; what went wrong, or "". */
typedef const char *(*sim_run)(uint64_t seed, int plant, long *steps);

static inline long sim_setting(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

static inline double sim_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void sim_expect_sound(sim_run run) {
    long first = sim_setting("WEIR_SIM_SEED", 1), steps = 0;
    long usual = getenv("WEIR_SIM_SEED") ? 1 : getenv("WEIR_SOAK") ? SIM_SOAK_RUNS : SIM_RUNS;
    long runs = sim_setting("WEIR_SIM_RUNS", usual);
    double began = sim_seconds();
    for (long seed = first; seed < first + runs; seed++) {
        const char *failure = run((uint64_t)seed, 0, &steps);
        if (failure[0])
            fail_msg("WEIR_SIM_SEED=%ld: %s", seed, failure);
    }
    printf("%ld histories, %ld steps, %.1f million steps a minute\n", runs, steps,
           (double)steps / (sim_seconds() - began) * 60 / 1e6);
}

static inline void sim_expect_found(sim_run run, int plant) {
    long steps = 0;
    for (uint64_t seed = 1; seed <= SIM_RUNS; seed++)
        if (run(seed, plant, &steps)[0])
            return;
    fail_msg("the planted fault was not found in %d histories", SIM_RUNS);
}

#endif
