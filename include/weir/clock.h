/* SPDX-License-Identifier: Apache-2.0 */
/* Time is handed in: a clock is a parameter, so that tests and the simulator can hold it still or jump it. */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>

#include "weir/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_clock {
    int64_t (*wall_ns)(void *self); /* nanoseconds since 1970-01-01 UTC; may jump; goes into envelopes */
    int64_t (*mono_ns)(void *self); /* nanoseconds since some start; never goes back; measures intervals */
    void *self;
} weir_clock;

/* The machine's clock. Thread-safe; valid for the life of the process. */
WEIR_EXPORT const weir_clock *weir_clock_system(void);

#ifdef __cplusplus
}
#endif
#endif
