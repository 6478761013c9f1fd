/* SPDX-License-Identifier: Apache-2.0 */
/* From the many subjects of a stream to the few patterns somebody meant. Pure.
 *
 * Tokens that look like values (numbers, ids, dates) are parameters; so are words where there are more than
 * anybody would declare, or where many of them have the same below. A token that a consumer or the stream
 * itself names stays a word: somebody means it. No two patterns overlap. */
#ifndef IMPORT_SUBJECTS_H
#define IMPORT_SUBJECTS_H

#include <stdint.h>

#include "base/list.h"
#include "base/text.h"

enum {
    SUBJECT_WORDS_MAX = 64, /* different words at one place; more are values */
    SUBJECT_ALIKE = 16,     /* more words than this with the same below are values */
    SUBJECT_PATTERNS_MAX = 500
};

struct subject_count {
    weir_text subject;
    uint64_t messages;
};

struct subject_pattern {
    const char *pattern; /* "agent.run.started.*" */
    size_t subjects;     /* that it stands for */
    uint64_t messages;
};
typedef LIST(struct subject_pattern) subject_patterns;

/* Is it a subject an event type can have: well-formed, at most LIMIT_SUBJECT_TOKENS, no `{`, all UTF-8? */
bool subject_describable(weir_text subject);

/* `named` are the patterns that consumers filter by and the stream's own. Only describable subjects. The
 * result lives in `arena`, in the order of the subjects; at most SUBJECT_PATTERNS_MAX: *dropped counts the
 * subjects of the others. */
subject_patterns subjects_gather(arena *arena, const struct subject_count *subjects, size_t count,
                                 const char *const *named, size_t named_count, size_t *dropped);

#endif
