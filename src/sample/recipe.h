/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sampler: a regular expression as a recipe for texts that match it. */
#ifndef SAMPLE_RECIPE_H
#define SAMPLE_RECIPE_H

#include "sample/make.h"

enum recipe_kind {
    RECIPE_EMPTY, /* anchors: that they hold is seen afterwards */
    RECIPE_SET,   /* one of `runes`, the usual ones first */
    RECIPE_SEQUENCE,
    RECIPE_EITHER,
    RECIPE_REPEAT,
    RECIPE_GROUP,
    RECIPE_BACK, /* what group `number` became */
    RECIPE_AHEAD /* (?=...): must be found where it stands */
};

struct recipe {
    enum recipe_kind kind;
    LIST(const struct recipe *) parts;
    const uint32_t *runes;
    size_t rune_count;
    size_t min, max; /* of RECIPE_REPEAT */
    unsigned number;
    size_t shortest; /* characters */
    bool open;       /* the whole pattern: more may follow */
};

enum { RECIPE_GROUPS = 100, RECIPE_LONGEST = 1 << 24 };

/* rune_sets.c: the characters that an atom of a pattern ([a-z], \d, .) matches, of those worth writing. */
bool runes_of(struct maker *maker, struct recipe *recipe, weir_text atom);
void rune_write(buffer *out, uint32_t rune);

#endif
