/* SPDX-License-Identifier: Apache-2.0 */
/* Asks ajv how fast it is, round by round: a node process beside this one (test/interop/schema_ajv.js). Included by
 * schema_bench.c. */
#ifndef BENCH_SCHEMA_AJV_H
#define BENCH_SCHEMA_AJV_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/process.h"
#include "kit/interop.h"

struct ajv {
    pid_t pid;
    FILE *ask, *answer;
};

/* NULL, and the process hears us; otherwise why there is none. */
static inline const char *ajv_start(struct ajv *ajv) {
    static weir_error err;
    int to[2], from[2];
    const char *missing = kit_interop_missing();
    if (missing)
        return missing;
    if (pipe(to) || pipe(from))
        return "no pipe";
    const char *argv[] = {"/usr/bin/env", "node", kit_interop_script("schema_ajv.js"), NULL};
    weir_code code = process_start(
        &ajv->pid,
        &(struct process_options){
            .argv = argv, .in = to[0], .out = from[1], .err = STDERR_FILENO, .die_with_parent = true},
        &err);
    close(to[0]);
    close(from[1]);
    ajv->ask = fdopen(to[1], "w");
    ajv->answer = fdopen(from[0], "r");
    return code == WEIR_OK ? NULL : err.message;
}

/* Nanoseconds per document: JSON.parse with validation, and validation alone. */
static inline void ajv_round(const struct ajv *ajv, size_t index, double *both, double *alone) {
    fprintf(ajv->ask, "%zu\n", index);
    fflush(ajv->ask);
    if (fscanf(ajv->answer, "%lf %lf", both, alone) != 2) {
        fprintf(stderr, "schema_bench: node ended\n");
        exit(1);
    }
}

static inline void ajv_end(struct ajv *ajv) {
    fclose(ajv->ask);
    process_wait(ajv->pid, -1, NULL);
    fclose(ajv->answer);
}

#endif
