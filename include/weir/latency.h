/* SPDX-License-Identifier: Apache-2.0 */
/* How long something took, counted in buckets: a histogram that can be added up and shown as one of Prometheus. */
#ifndef WEIR_LATENCY_H
#define WEIR_LATENCY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Upper bounds of the buckets, microseconds, inclusive. What took longer is in `count` only. */
#define WEIR_LATENCY_BOUNDS_US \
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000
enum { WEIR_LATENCY_BUCKETS = 14 };

typedef struct weir_latency {
    uint64_t count;
    uint64_t sum_us;
    uint64_t buckets[WEIR_LATENCY_BUCKETS]; /* each by itself: not added up */
} weir_latency;

#ifdef __cplusplus
}
#endif
#endif
