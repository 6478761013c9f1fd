/* SPDX-License-Identifier: Apache-2.0 */
/* Building and reading one event: type -> schema -> envelope -> subject, and back. Knows one event type at a
 * time; which types exist is the catalog's business, one floor up. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "base/list.h"
#include "event/dialect.h"
#include "event/upcast.h"
#include "schema/schema.h"
#include "weir/clock.h"
#include "weir/event.h"
#include "json/json.h"

struct param_def {
    const char *name;    /* {agent_id} */
    const char *pointer; /* where its value stands: /payload/... or another place of the envelope */
};

struct event_def {
    const char *type;
    struct place place;
    const char *stream;  /* name */
    const char *subject; /* a subject or template */
    LIST(struct param_def) params;
    const char *const
        *marks;      /* tokens that no parameter may be, ended by NULL: they mark dead letters; or NULL */
    const char *key; /* JSON Pointer into the envelope: /payload/site_id; NULL: no ordering key */
    const char *entity, *action; /* of the idempotency key: a JSON Pointer or the text itself; or NULL */
    const char *owner;
    const char *description;
    bool holds; /* when a row of it is parked in an outbox, later rows of its key wait */
    int version;
    LIST(struct version_def) versions; /* older ones, ascending */
    const json *payload;               /* its JSON Schema */
    const schema *schema;              /* the same, compiled */
    const json *example;               /* a payload, or NULL */
    struct place example_place;
};

/* Scratch of one thread: parse pool, schema run, arena, buffers. Reset by each call. */
typedef struct event_scratch event_scratch;
event_scratch *event_scratch_new(void);
void event_scratch_free(event_scratch *scratch);

/* A draft made ready to publish. Texts live in the scratch until its next use, and end with a NUL. */
struct event_built {
    weir_text subject;  /* rendered */
    weir_text envelope; /* the wire form, one line */
    weir_text id, key;
};

/* Validates the payload against the type's schema, completes id and time, writes the envelope and validates
 * it too, finds key and subject. INVALID errors name type, JSON Pointer and keyword: "rwa.inventory.updated:
 * payload /value: must be a number, is a string (type)". max_bytes bounds the envelope (LIMIT when larger; 0:
 * LIMIT_EVENT_BYTES). Ids, keys and the other short fields are at most LIMIT_ID_BYTES of UTF-8 without
 * control characters. A key given in the draft must agree with the one the catalog finds in the payload. */
WEIR_MUST_CHECK weir_code event_build(struct event_built *out, const dialect *dialect,
                                      const struct event_def *def, const weir_draft *draft,
                                      const weir_clock *clock, size_t max_bytes, event_scratch *scratch,
                                      weir_error *err);

/* Takes stored bytes apart. With def, key is found and (when `validate`) the payload and the envelope are
 * checked against their schemas; an older version's payload is checked against its own (an unlisted one passes), a
 * newer version is INVALID, and retriable: with a newer catalog it would pass. Where the wire names the subject as the type, out->type is def's type all the same.
 * def may be NULL: the envelope alone. Texts live in the scratch until its next use.
 * Sets wire and tree; subject, stream, sequence and stored_ns are the caller's. */
WEIR_MUST_CHECK weir_code event_read(weir_event *out, const dialect *dialect, const struct event_def *def,
                                     weir_text wire, bool validate, event_scratch *scratch, weir_error *err);

/* Is it a version that the catalog lists? INVALID names those that are. */
WEIR_MUST_CHECK weir_code event_version_check(const struct event_def *def, int version, weir_error *err);

/* Which version does a reader get of one that is stored as `stored` (0: it says none, and counts as the current one)? It reads `count` versions, ascending; with
 * none, the current one, and what nothing leads there as stored. INVALID when nothing brings it to a version that is read; the
 * sentence calls the reader `reader` ("group 'wallet'"). */
WEIR_MUST_CHECK weir_code event_version_for(int *out, const struct event_def *def, int stored,
                                            const int *versions, size_t count, const char *reader,
                                            weir_error *err);
/* Brings an event that event_read just read with this scratch up to version `to` (of event_version_for): version,
 * payload, wire and tree become those, the rest of the envelope stays. When `validate`, the result must be valid in
 * that version. INVALID says which step fails, or what the schema finds; the event is as it was then. */
WEIR_MUST_CHECK weir_code event_raise(weir_event *event, const dialect *dialect, const struct event_def *def,
                                      int to, bool validate, event_scratch *scratch, weir_error *err);

/* Do two events that were read say the same? Ids, trace and span are left out, numbers in payloads count by
 * value, and times only count when `times` says so (a time may have been generated). */
bool event_same(const weir_event *a, const weir_event *b, bool times);

/* The ordering key of an envelope tree, or an absent text. A number's text counts. */
weir_text event_key(const struct event_def *def, const json *envelope);

/* The key of a draft as far as it can be told without building it (its own, or where def's pointer leads into the
 * payload), also of one that cannot be built; absent when not. Lives in the scratch until its next use. */
weir_text event_draft_key(const dialect *dialect, const struct event_def *def, const weir_draft *draft,
                          event_scratch *scratch);

#endif
