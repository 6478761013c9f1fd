/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers in any language: one process per event. The event's envelope is one line on its standard input;
 * its exit code is the verdict: 0 done, 65 dead letter, anything else retry. */
#ifndef CLI_EXEC_H
#define CLI_EXEC_H

#include <stdatomic.h>

#include "base/memory.h"
#include "weir/consume.h"

struct exec {
    const char *const *argv;
    int64_t timeout_ms;   /* of one event; 0: none */
    atomic_bool stopping; /* set when the member was asked to stop: what runs has drain_ms left */
    int64_t drain_ms;
    void (*broken)(void *arg, const weir_error *err); /* the command cannot be started at all */
    void *broken_arg;
};

/* Splits simple words; INVALID when quotes, variables or other signs show that a shell was meant. `rest`
 * (ends with NULL) is appended. The array lives in arena. */
WEIR_MUST_CHECK weir_code exec_command(const char *const **argv, const char *command, const char *const *rest,
                                       arena *arena, weir_error *err);
/* A weir_handler; arg is the struct exec. Safe in several threads at once. */
weir_verdict exec_handle(void *arg, const weir_delivery *delivery);

#endif
