/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clock: the one place of the library that asks the system for the time. */
#include "weir/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t system_wall_ns(void *self) {
    (void)self;
    return read_ns(CLOCK_REALTIME);
}

static int64_t system_mono_ns(void *self) {
    (void)self;
    return read_ns(CLOCK_MONOTONIC);
}

const weir_clock *weir_clock_system(void) {
    static const weir_clock machine = {.wall_ns = system_wall_ns, .mono_ns = system_mono_ns};
    return &machine;
}
