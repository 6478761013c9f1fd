/* SPDX-License-Identifier: Apache-2.0 */
/* What is really stored, read as readers of a catalog would read it: which events would they refuse? Reads only:
 * no durable consumer is made, no position moves, memory is bounded by what is told, not by what is stored. */
#ifndef COMPAT_STORED_H
#define COMPAT_STORED_H

#include "base/list.h"
#include "broker/broker.h"
#include "catalog/model.h"

enum { STORED_EXAMPLES = 3, STORED_FAULTS = 32, STORED_SUBJECTS = 16 };

struct stored_options {
    int64_t since_ns; /* wall clock: only what was stored from then on; 0: everything */
    uint64_t limit;   /* only the newest so many messages; 0: all */
    /* Told now and then; false stops, and what was read until then is the result. May be NULL. */
    bool (*progress)(void *arg, const char *stream, uint64_t read, uint64_t of);
    void *arg;
};

struct stored_example {
    uint64_t sequence;
    const char *subject, *id; /* as they may be shown; id "" when the envelope has none */
    const char *reason;       /* the whole sentence */
};

/* Events that are refused for the same reason: the same rule at the same place (array items count as one). */
struct stored_fault {
    const char *pointer; /* into the payload, with * for array items; "" also stands for the envelope */
    const char *reason;  /* of the first one, without the pointer */
    const char *rule;    /* keyword and place in the schema; what makes two reasons one */
    uint64_t count;
    struct stored_example examples[STORED_EXAMPLES];
};

/* Events of one type and version. */
struct stored_type {
    const struct event_def *def;
    int version; /* 0: newer than the catalog's, whichever */
    uint64_t judged, refused;
    uint64_t unlisted; /* refused for reasons beyond the first STORED_FAULTS */
    LIST(struct stored_fault) faults;
};

struct stored_result {
    arena *arena; /* everything lives in it, but for the definitions: they are the catalog's */
    const char *stream;
    uint64_t judged, refused;
    LIST(struct stored_type) types; /* in the order they were met */
    uint64_t unreadable;            /* no JSON, or not this envelope: no reader takes them, old or new */
    struct stored_example unread[STORED_EXAMPLES];
    uint64_t unknown;                    /* no event type has their subject */
    LIST(const char *) unknown_subjects; /* the first STORED_SUBJECTS, as they may be shown */
    bool stopped;
};

/* NOT_FOUND when the servers have no such stream. Catalog is borrowed while the result lives. */
WEIR_MUST_CHECK weir_code stored_judge(struct stored_result *out, weir_connection *connection,
                                       const weir_catalog *catalog, const char *stream,
                                       const struct stored_options *options, weir_error *err);
void stored_release(struct stored_result *result);

/* --- pure parts of it ----------------------------------------------------------------------------------- */

struct stored_judge;
struct stored_judge *stored_judge_new(struct stored_result *result, const weir_catalog *catalog);
void stored_judge_free(struct stored_judge *judge);
/* One message that is stored. */
void stored_judge_one(struct stored_judge *judge, weir_text subject, uint64_t sequence, weir_text data);

#endif
