/* SPDX-License-Identifier: Apache-2.0 */
/* What measurements against a real server share: calls that must work, and the time. Included by *_bench.c. */
#ifndef BENCH_MUST_H
#define BENCH_MUST_H

#include <errno.h>
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>

#include "weir/clock.h"
#include "weir/error.h"

static inline _Noreturn void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

/* `call` takes `err` as its last argument. */
#define MUST(call)                     \
    do {                               \
        weir_error err_ = {0};         \
        weir_error *err = &err_;       \
        if ((call) != WEIR_OK)         \
            stop(#call, err->message); \
    } while (0)
#define NATS_MUST(call)                               \
    do {                                              \
        natsStatus status_ = (call);                  \
        if (status_ != NATS_OK)                       \
            stop(#call, natsStatus_GetText(status_)); \
    } while (0)

static inline double now_s(void) {
    const weir_clock *clock = weir_clock_system();
    return (double)clock->mono_ns(clock->self) / 1e9;
}

#endif
