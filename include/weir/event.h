/* SPDX-License-Identifier: Apache-2.0 */
/* One event: what a producer hands in (a draft), and what a reader gets (an event). */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An event before it has an envelope. `type` and `payload` are required; what is absent is generated as the
 * catalog's envelope dialect says (id, time, version) or left out. Texts are borrowed for the call only. */
typedef struct weir_draft {
    weir_text type;    /* an event type of the catalog, "rwa.inventory.updated" */
    weir_text payload; /* JSON; numbers keep their text */
    weir_text id;      /* globally unique; becomes the inbox key */
    weir_text key;     /* the ordering key; absent: read from the payload where the catalog says */
    weir_text time;    /* RFC 3339: when it happened */
    weir_text source;  /* the service that speaks */
    weir_text tenant;
    weir_text actor;      /* the id of who caused it */
    weir_text actor_kind; /* "user", "agent", "service", ... as the dialect allows */
    weir_text trace, span;
    weir_text idempotency_key; /* carried, never the message id */
    int version;               /* one the catalog lists; 0: its current one */
} weir_draft;

/* An event that was read: the envelope taken apart, plus where it stands. Texts belong to the delivery or
 * reader that handed it out. Absent fields have data == NULL.
 *
 * An event of an older version may have been brought up to one that its reader reads (`up` and `versions` in the
 * catalog). version, payload, wire and weir_event_read are those of the version it was brought to, all else is as
 * stored; stored_version and stored_wire say what that is. */
typedef struct weir_event {
    weir_text type, payload, id, key, time, source, tenant, actor, actor_kind, trace, span, idempotency_key;
    int version;
    weir_text subject; /* where it was published (its origin, also for retries and replays) */
    weir_text stream;
    uint64_t sequence;     /* in that stream; 0 if not stored */
    int64_t stored_ns;     /* when the stream stored it (wall clock); 0 if not stored */
    weir_text wire;        /* the envelope: exactly as stored, unless the event was brought up */
    const void *tree;      /* for weir_event_read; NULL when the event was not parsed */
    int stored_version;    /* the same as version, unless the event was brought up */
    weir_text stored_wire; /* the envelope exactly as stored */
} weir_event;

/* Reads one value of the payload by JSON Pointer ("/site_id"): a string's text, a number's own text, "true",
 * "false", or the JSON text of an array or object (valid until the next such call on this event's owner);
 * null gives an absent text. WEIR_NOT_FOUND when nothing is there. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_event_read(const weir_event *event, const char *pointer,
                                                      weir_text *out, weir_error *err);

#ifdef __cplusplus
}
#endif
#endif
