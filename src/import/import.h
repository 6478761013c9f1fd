/* SPDX-License-Identifier: Apache-2.0 */
/* A catalog from running servers. Reads streams, consumers and samples of what is stored; changes nothing
 * there, not even for a moment (no consumer is made). The catalog says managed: false: it describes, and plan
 * finds nothing to do; the team takes over by removing that line. */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include "base/list.h"
#include "weir/catalog.h"
#include "weir/clock.h"
#include "weir/plan.h"

enum {
    IMPORT_SAMPLES = 200, /* of one event type, unless told otherwise */
    IMPORT_SAMPLES_MAX = 10000,
    IMPORT_SUBJECTS = 100000,       /* looked at in one stream */
    IMPORT_STREAM_BYTES = 32 << 20, /* sampled from one stream */
    IMPORT_STREAM_MS = 20000,       /* spent on one stream */
    IMPORT_MESSAGE_BYTES = 1 << 20, /* larger ones are not looked into */
};

struct import_options {
    const char *name; /* of the catalog; NULL: from the marks on the servers, or `imported` */
    int samples;      /* of one event type; 0: IMPORT_SAMPLES */
    const weir_clock *clock;
    void (*on_stream)(void *arg, const char *name, size_t at, size_t of); /* before each; may be NULL */
    void *arg;
};

/* Why something is not in the catalog. */
enum import_left {
    LEFT_BUCKET,   /* a key-value bucket or an object store */
    LEFT_SYSTEM,   /* its subjects are the server's */
    LEFT_COPY,     /* a mirror, or a stream fed by others only */
    LEFT_WEIR,     /* weir's own: redelivery, advisories, dead letters of several catalogs, ... */
    LEFT_NAME,     /* a stream's name that a catalog cannot have */
    LEFT_CONSUMER, /* a consumer that is no group */
    LEFT_KINDS
};

struct import_note {
    enum import_left kind;
    const char *name, *why;
};

struct import_result {
    size_t streams, groups, events, unowned; /* unowned event types */
    size_t undescribed;                      /* event types of which no JSON was seen */
    size_t other_envelope;                   /* event types whose envelope is not the catalog's */
    size_t left_subjects;                    /* stored subjects without an event type */
    LIST(struct import_note) left;
    LIST(const char *) files; /* as written, below dir */
    weir_catalog *catalog;    /* opened from what was written; NULL when it could not be */
    weir_plan *plan;          /* for it, just made */
    arena *arena;             /* of all this */
};

/* Writes the catalog into `dir`, which must not exist or be empty (CONFLICT), opens it and makes the plan.
 * NOT_FOUND when the servers have no stream that could be described. *result is set on success; free it. */
WEIR_MUST_CHECK weir_code import_run(struct import_result *result, weir_connection *connection,
                                     const char *dir, const struct import_options *options, weir_error *err);
void import_release(struct import_result *result);

#endif
