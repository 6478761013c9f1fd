/* SPDX-License-Identifier: Apache-2.0 */
/* What import finds on the servers, before it is written. Filled in this order: streams (observed), their
 * events (sampled), names and guesses (drafted), groups (from consumers). Everything lives in `arena`. */
#ifndef IMPORT_FOUND_H
#define IMPORT_FOUND_H

#include "base/list.h"
#include "base/map.h"
#include "import/envelopes.h"
#include "import/import.h"
#include "plan/observed.h"
#include "schema/infer.h"

typedef LIST(const char *) names;

/* A token of the subject that is a value, and the places of the body that had the same value in every sample. */
struct found_param {
    size_t position;
    bool looked; /* at a sample */
    names pointers;
    const char *name;    /* once drafted */
    const char *pointer; /* or NULL: no place has it */
};

struct found_event {
    struct found_stream *stream;
    const char *pattern; /* with `*` for parameters */
    size_t subjects;     /* stored ones that it stands for; 0: somebody names it, nothing is stored */
    uint64_t messages;
    const char *named_by; /* "consumer 'x'", when nothing is stored */
    LIST(struct found_param) params;

    infer *body; /* of whole bodies */
    size_t read, no_json, too_large, in_headers;
    size_t by_envelope[ENVELOPES_MAX];
    names types, sources; /* different ones, a few */
    int version;          /* the highest */

    const char *type, *subject; /* as the catalog has them; once drafted */
    int envelope;               /* of most samples, or ENVELOPE_NONE */
    const infer_node *payload;  /* below `body`; NULL: nothing is known */
    const char *owner;          /* or NULL: unknown */
    const char *key;            /* a guess, or NULL */
    size_t key_values, key_samples;
};

struct found_stream {
    const char *name;
    const struct observed_stream *observed;
    names subjects; /* without weir's own */
    LIST(struct found_event *) events;
    size_t left_subjects; /* that no event type can have, or too many */
    size_t outside;       /* stored under subjects the stream does not take any more */
    const char *trouble;  /* why it was sampled in part, or NULL */
};

struct found_source {
    const struct found_stream *stream;
    bool all;
    names types;
    const char *filters; /* for the reader when they name no event, or NULL */
};

struct found_group {
    const char *name, *service, *description;
    bool weir;           /* made by weir for its members */
    const char *started; /* its deliver_policy when that is not `all`, or NULL */
    int64_t max_deliver, ack_wait_ns, max_ack_pending;
    LIST(int64_t) backoff_ns;
    LIST(struct found_source) from;
};

/* What stays as it is, with the reason. */
struct found_left {
    enum import_left kind;
    const char *name, *why;
};

struct found {
    arena *arena;
    const char *name; /* of the catalog */
    struct observed observed;
    envelopes *envelopes;
    int envelope; /* of the catalog; ENVELOPE_NONE: no event has one */
    LIST(struct found_stream *) streams;
    LIST(struct found_group *) groups;
    LIST(struct found_left) left;
    const struct observed_stream *dead_letters; /* made by weir, or NULL */
    size_t events, unowned;
    map *types; /* event types in use */
};

/* Sorts the streams into those of the catalog and those left (streams.c). */
void found_streams(struct found *found, const char *name);
/* Reads subjects and samples of every stream (sample.c). */
WEIR_MUST_CHECK weir_code found_events(struct found *found, weir_connection *connection,
                                       const struct import_options *options, weir_error *err);
/* Chooses the envelope, names types and parameters, guesses owners and keys (draft.c). */
void found_draft(struct found *found);
/* Consumers become groups (groups.c). */
void found_groups(struct found *found);
void found_leave(struct found *found, enum import_left kind, const char *name, const char *why);

/* "*" for each parameter: what the event's subject matches. How much of it do these filters take? (groups.c) */
bool found_takes_all(const names *filters, const char *pattern);

/* The catalog as files (write.c). */
struct found_file {
    const char *path; /* below the catalog's folder */
    weir_text text;
};
typedef LIST(struct found_file) found_files;
WEIR_MUST_CHECK weir_code found_write(const struct found *found, found_files *out, weir_error *err);

#endif
