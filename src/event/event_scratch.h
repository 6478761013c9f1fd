/* SPDX-License-Identifier: Apache-2.0 */
/* What building and reading share: one thread's memory, and the checks both make. */
#ifndef EVENT_EVENT_SCRATCH_H
#define EVENT_EVENT_SCRATCH_H

#include "base/memory.h"
#include "event/event.h"

/* What weir_event.tree points to. */
struct event_tree {
    const json *payload, *envelope;
    buffer *text; /* holds the JSON text of an array or object that was asked for */
};

struct event_scratch {
    json_pool *payload_pool, *envelope_pool, *raised_pool;
    schema_run *run;
    arena *arena;
    buffer envelope, skeleton, subject, text, raised;
    struct event_tree tree;
};

void event_scratch_reset(event_scratch *scratch);

/* One short field, as below. */
WEIR_MUST_CHECK weir_code event_check_text(const char *name, weir_text text, weir_error *err);
/* Every short field: bounded, UTF-8, no control characters, so that it may become a header or a subject. `id`
 * must not be empty or begin or end with a space (the server would trim it). `of` reads a field of a draft or
 * an event. */
WEIR_MUST_CHECK weir_code event_check_fields(const void *holder,
                                             const weir_text *(*of)(const void *holder, int field),
                                             weir_error *err);

/* Runs a schema and makes the first problem a sentence: "payload /value: must be ... (type)". */
WEIR_MUST_CHECK weir_code event_check_schema(schema_run *run, const schema *schema, const json *value,
                                             const char *what, weir_error *err);
/* That sentence, of a run that has just found its value invalid. */
weir_code event_schema_failure(const schema_run *run, const char *what, weir_error *err);

/* The payload of an older version as it is in version `to`, as text and as a tree. Both live in the scratch until
 * the next such call, and its next use. */
WEIR_MUST_CHECK weir_code event_raise_payload(weir_text *text, const json **tree, const struct event_def *def,
                                              const json *payload, int from, int to, event_scratch *scratch,
                                              weir_error *err);
/* The payload that the catalog's pointers (key, parameters, idempotency) are read from: in the current version where a way
 * leads there, as it stands where none does. */
WEIR_MUST_CHECK weir_code event_current_payload(const json **out, const struct event_def *def,
                                                const json *payload, int version, event_scratch *scratch,
                                                weir_error *err);

/* No deeper than LIMIT_JSON_DEPTH once it stands `inside` levels down in an envelope? */
bool event_depth_fits(const json *value, int inside);

/* What stands at a pointer, as a text: a string's, a number's own, true, false. Absent when nothing, null or
 * "" stands there; INVALID when an array or object does, or something longer than a key may be. */
WEIR_MUST_CHECK weir_code event_text_at(weir_text *out, const json *value, const char *what,
                                        const char *pointer, weir_error *err);

/* "/payload/site_id" is "/site_id" inside the payload; absent when the pointer leads elsewhere. */
weir_text event_payload_pointer(const dialect *dialect, const char *pointer);

#endif
