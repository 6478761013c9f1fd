/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the comparison share: the run, adding a finding, and who is concerned by it. */
#ifndef COMPAT_FINDING_H
#define COMPAT_FINDING_H

#include "compat/compat.h"

struct comparing {
    struct compat *out;
    arena *arena; /* out's */
    const struct compat_line *line;
    enum compat_word require;
    const struct compat_side *old_side, *new_side;
    const weir_catalog *was, *is; /* the catalogs of both */
    map *texts;                   /* of schemas, by the address of their payload (written.c) */
};

typedef LIST(const char *) compat_names;

/* Adds a finding that stands in the new catalog; finding_in_old says that it does in the old one. The pointer
 * holds until the next one is added. */
struct compat_finding *finding_add(struct comparing *run, enum compat_severity severity,
                                   enum compat_area area, const char *about, struct place place,
                                   const char *format, ...) __attribute__((format(printf, 6, 7)));
struct compat_finding *finding_in_old(struct comparing *run, struct compat_finding *finding,
                                      struct place place);

/* Does the word ask for this direction, and with every version that may be stored? What has no direction is asked for by
 * all words but NONE. */
bool word_asks(enum compat_word word, enum compat_direction direction, bool transitive);

/* "a, b and 3 more" */
const char *names_shown(arena *arena, const char *const *names, size_t count);
bool names_have(const char *const *names, size_t count, const char *name);

/* --- who is concerned ----------------------------------------------------------------------------------- */

bool group_reads(const struct group_def *group, const char *type);
/* Adds to the finding each group of this catalog that reads the event type, with its service. */
void affects_readers(struct comparing *run, struct compat_finding *finding, const weir_catalog *catalog,
                     const char *type);
/* Each service that may publish it. */
void affects_writers(struct comparing *run, struct compat_finding *finding, const weir_catalog *catalog,
                     const struct event_def *event);
void affects_group(struct comparing *run, struct compat_finding *finding, const struct group_def *group);
/* Each group that reads the stream, and each service that may replay it. */
void affects_stream(struct comparing *run, struct compat_finding *finding, const weir_catalog *catalog,
                    const char *stream);

/* The pattern of an event's subject: parameters become `*`. */
const char *event_pattern_of(arena *arena, const struct event_def *event);
bool service_publishes(arena *arena, const struct service_def *service, const struct event_def *event);

/* --- the parts ------------------------------------------------------------------------------------------ */

void compare_schemas(struct comparing *run);   /* readers.c */
void compare_envelopes(struct comparing *run); /* envelope.c */
void compare_rights(struct comparing *run);    /* rights.c */
void compare_retention(struct comparing *run); /* retention.c */
void compare_order(struct comparing *run);     /* order.c */
void compare_subjects(struct comparing *run);  /* subjects.c */

#endif
