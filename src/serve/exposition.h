/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus text format 0.0.4: families, samples, escapes. Knows no metric. */
#ifndef SERVE_EXPOSITION_H
#define SERVE_EXPOSITION_H

#include <stdint.h>

#include "base/text.h"
#include "weir/latency.h"

struct exposition_label {
    const char *name, *value; /* value: any bytes; those that are no UTF-8 become U+FFFD */
};
enum { EXPOSITION_LABELS_MAX = 3 };

/* The lines before the samples of a metric; all of them follow it at once. */
void exposition_family(buffer *out, const char *name, const char *type, const char *help);
/* labels end with a row whose name is NULL. */
void exposition_sample(buffer *out, const char *name, const struct exposition_label *labels, uint64_t value);
/* A number of microseconds as seconds. */
void exposition_seconds(buffer *out, const char *name, const struct exposition_label *labels, uint64_t us);
void exposition_latency(buffer *out, const char *name, const struct exposition_label *labels,
                        const weir_latency *latency);

#endif
