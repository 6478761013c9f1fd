/* SPDX-License-Identifier: Apache-2.0 */
/* Judging one event type: what is shared by the plain way (a schema against a schema) and the way through
 * up-casters. */
#ifndef COMPAT_JUDGE_H
#define COMPAT_JUDGE_H

#include "compat/written.h"

struct judging {
    struct comparing *run;
    const struct event_def *was, *is;
    const char *is_text;                                             /* of the new catalog's current schema */
    bool backward, forward, backward_transitive, forward_transitive; /* still hold */
    bool undecided;
    size_t first; /* of this type among the findings */
    /* The old catalog and the version at hand, by direction; NULL: not compared yet. */
    struct comparison *before[DIRECTION_FORWARD + 1];
    schema_run *schemas;
};

/* The readers of one version: groups that get it the same way. */
typedef LIST(const struct group_def *) reader_list;

/* One thing a reader refuses, or nobody knows. Texts are copied. */
struct refusal {
    enum compat_severity severity; /* COMPAT_BREAK or COMPAT_UNDECIDED */
    enum compat_direction direction;
    const char *pointer, *reason, *rule, *where, *witness, *refused; /* as in compat_proof */
    struct place place;             /* in the reader's or the writer's catalog */
    const struct compat_side *side; /* whose */
};

/* Adds it, unless the same was found with a version nearer to the last one: that one says so then. */
void judge_refused(struct judging *judging, const struct written *written, const reader_list *readers,
                   const struct refusal *refusal);
/* What `schema` says to a document, for `refused`: "/total: must be a string, is a number (type)". NULL when it has
 * nothing against it. Lives in the run's arena. */
const char *judge_refusal_of(struct judging *judging, const schema *schema, const json *document,
                             const char **pointer);

/* A schema of the new catalog, which is what somebody is about to release: its places are shown. */
struct shown_schema {
    const schema *schema;
    const json *payload;
    struct place place; /* where its version is defined */
};
/* Holds the written version against a schema of the new catalog: BACKWARD is that one's reader, FORWARD its writer. */
void judge_compare(struct judging *judging, const struct written *written, const struct shown_schema *shown,
                   enum compat_direction direction, const reader_list *readers);
/* Before the next version: what was compared for this one is let go. */
void judge_done(struct judging *judging);

/* raised.c: new readers get this version as version `to`. */
void judge_raised(struct judging *judging, const struct written *written, int to, const reader_list *readers);

#endif
