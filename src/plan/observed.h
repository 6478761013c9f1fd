/* SPDX-License-Identifier: Apache-2.0 */
/* What the servers have: their own answers, indexed by name. */
#ifndef PLAN_OBSERVED_H
#define PLAN_OBSERVED_H

#include "base/list.h"
#include "base/map.h"
#include "broker/broker.h"
#include "plan/desired.h"

struct observed_consumer {
    const char *name;
    const json *config;
    const json *info; /* the whole entry: num_pending, ... */
};

struct observed_stream {
    const char *name;
    const json *config, *state;
    const char *created;
    LIST(struct observed_consumer) consumers;
    bool
        unfinished; /* a migration of it was begun (migrate.h): config and consumers are as they were before */
};

struct observed {
    arena *arena; /* the caller's */
    LIST(struct observed_stream *) streams;
    LIST(json_doc *) docs;
    map *by_name;
};

/* `out` is zeroed but for arena; `desired` (may be NULL) tells what to ask for first. A handful of round trips, however many
 * streams there are. UNAVAILABLE when a
 * stream or consumer did not tell its state: what is not known must not be taken for absent. */
WEIR_MUST_CHECK weir_code observed_read(struct observed *out, weir_connection *connection,
                                        const struct desired_list *desired, weir_error *err);
void observed_release(struct observed *observed);

struct observed_stream *observed_stream(const struct observed *observed, const char *name); /* NULL: none */
const struct observed_consumer *observed_consumer(const struct observed_stream *stream, const char *name);

/* The pure half: takes over one answer of STREAM.LIST or CONSUMER.LIST (also when it fails). *total as the
 * server says. */
WEIR_MUST_CHECK weir_code observed_add_streams(struct observed *observed, json_doc *answer, int64_t *total,
                                               weir_error *err);
WEIR_MUST_CHECK weir_code observed_add_consumers(struct observed *observed, struct observed_stream *stream,
                                                 json_doc *answer, int64_t *total, weir_error *err);

#endif
