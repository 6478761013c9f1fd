/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of long tests: compares what was committed with what is in the streams, what the groups did, and
 * what was set aside. It knows nothing of weir and takes plain arrays, so that a fault of weir cannot hide in
 * it; it is itself tested with planted faults (test/spec/history_spec.c). */
#ifndef KIT_HISTORY_H
#define KIT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* An event that a producer's transaction committed; the array is in commit order. */
struct history_committed {
    const char *id, *key;
    uint64_t key_seq;    /* 1, 2, 3 ... within its key */
    const char *sha256;  /* of the payload; NULL: not compared */
    const char *stream;  /* where it belongs */
    const char *subject; /* NULL: not compared */
};

/* A message of a stream; the array is a full dump, by sequence within a stream. */
struct history_stored {
    const char *stream;
    uint64_t sequence;
    const char *id, *key, *subject, *sha256;
};

/* A group reads a stream, or the events of it whose subject matches. One row per stream. */
struct history_group {
    const char *name, *stream;
    const char *subject; /* a pattern with * and >; NULL: all */
    bool ordered;        /* events of one key are handled in order */
};

/* What a group did, in the order it was committed. */
struct history_effect {
    const char *group, *id;
};

/* A dead letter, or an event that is still pending for a group. */
struct history_open {
    const char *group, *id;
};

struct history {
    const struct history_committed *committed;
    size_t committed_count;
    const struct history_stored *stored;
    size_t stored_count;
    const struct history_group *groups;
    size_t group_count;
    const struct history_effect *effects;
    size_t effect_count;
    const struct history_open *dead;
    size_t dead_count;
    const struct history_open *pending;
    size_t pending_count;
    const char *const *quarantined; /* ids of rows that were set aside and never published */
    size_t quarantined_count;
};

#define HISTORY_VERDICTS(X)                                                                         \
    X(L1, "committed, but neither in its stream nor quarantined")                                   \
    X(L2, "in the stream, but for a group neither handled nor dead nor pending")                    \
    X(D1, "more than once in the streams, or in a stream and quarantined")                          \
    X(D2, "more than once for a group: handled twice, dead twice, or handled and dead")             \
    X(O1, "behind a later event of its key in the stream")                                          \
    X(O2, "handled behind a later event of its key, or still pending while a later one is handled") \
    X(P, "in a stream, handled or dead, but never committed for it")                                \
    X(H, "in the stream with another payload or subject")

enum history_verdict {
#define X(name, meaning) HISTORY_##name,
    HISTORY_VERDICTS(X)
#undef X
        HISTORY_VERDICT_COUNT
};

struct history_report {
    struct {
        size_t count;
        char first[256];                /* the first example as a sentence; "" when count is 0 */
        size_t prefix, middle, postfix; /* of lost ones (L1, L2): before all that survived, between, behind */
    } verdicts[HISTORY_VERDICT_COUNT];
};

/* Costs about linear time; the report needs no freeing. */
void history_check(const struct history *history, struct history_report *report);
bool history_clean(const struct history_report *report);
/* One line per verdict that is not 0, with its meaning, count and first example. */
void history_print(FILE *out, const struct history_report *report);

#endif
