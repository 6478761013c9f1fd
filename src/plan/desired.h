/* SPDX-License-Identifier: Apache-2.0 */
/* What the catalog asks of the servers: streams and durable consumers, each as the JSON that creates it.
 * Pure. */
#ifndef PLAN_DESIRED_H
#define PLAN_DESIRED_H

#include "catalog/model.h"
#include "weir/plan.h"

/* The durable on an interest stream that never acks, so that the relay's cursor messages are stored. */
#define KEEPER_NAME "weir-cursor"

struct desired {
    weir_thing thing;
    const char *stream;
    const char *consumer; /* NULL for a stream */
    const char *name;     /* "STREAM" or "STREAM/group" */
    struct place place;
    enum stream_role role; /* of the stream */
    const json *config;    /* members that differ from the server's defaults or are always stated */
};

struct desired_list {
    arena *arena;               /* the caller's: everything lives in it and in docs */
    LIST(struct desired) items; /* streams first, then consumers; in catalog order */
    LIST(json_doc *) docs;
    map *by_name;
};

/* `out` is zeroed but for arena. */
WEIR_MUST_CHECK weir_code desired_make(struct desired_list *out, const weir_catalog *catalog,
                                       weir_error *err);
void desired_release(struct desired_list *list);

#endif
