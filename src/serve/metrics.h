/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of weir: one table, from which come /metrics (Prometheus text format 0.0.4), the reference page and the
 * tests. Names have the prefix weir_, base units and, for counters, _total; labels are few and never subjects or ids. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "base/limits.h"
#include "base/text.h"
#include "weir/relay.h"

/* What is known of one outbox and its relay. */
struct metrics_outbox {
    const char *outbox;  /* its url without secrets */
    bool up;             /* its relay works or waits; false: it ended with an error */
    bool open;           /* its database was reached, and was not given up again */
    const char *failure; /* the error; "" */
    weir_relay_stats stats;
    weir_relay_stream_stats streams[LIMIT_RELAY_STREAMS];
    size_t stream_count;
};

/* Adds what a relay counted to a total of relays before it, and takes the rest as it is now. */
void metrics_add(struct metrics_outbox *total, const weir_relay_stats *stats,
                 const weir_relay_stream_stats *streams, size_t stream_count);

/* The Content-Type of what metrics_write writes. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Every metric of all outboxes. */
void metrics_write(buffer *out, const struct metrics_outbox *outboxes, size_t count);
/* The reference page, Markdown. */
void metrics_reference(buffer *out);

/* The rows, for tests and documents; NULL beyond the end. */
struct metric_row {
    const char *name, *type, *labels, *help;
    const char *advice; /* what to do about it */
};
const struct metric_row *metric_at(size_t index);

#endif
