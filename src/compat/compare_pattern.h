/* SPDX-License-Identifier: Apache-2.0 */
/* A regular expression as a tree: sets of characters, one behind the other, one or the other, repeated. */
#ifndef COMPAT_COMPARE_PATTERN_H
#define COMPAT_COMPARE_PATTERN_H

#include <stdint.h>

#include "base/list.h"

enum { RUNE_LAST = 0x10ffff, REPEAT_MAX = 512 };

struct range {
    uint32_t from, to;
};
typedef LIST(struct range) ranges;

enum tree_kind { TREE_EMPTY, TREE_SET, TREE_BOTH, TREE_EITHER, TREE_REPEAT };
struct tree {
    enum tree_kind kind;
    ranges ranges;
    struct tree *first, *second;
    unsigned min, max; /* max 0: without end */
};

/* What the whole text must be: where nothing anchors the pattern, anything stands around it. In the arena; NULL
 * for back references, look-around, Unicode properties and the like, and for what is too large. */
const struct tree *pattern_tree(struct arena *arena, weir_text pattern);

#endif
