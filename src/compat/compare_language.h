/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions as sets of texts: is one within the other, how long are its texts? For those without back
 * references, look-around and Unicode properties; of others nothing is known. Pure. */
#ifndef COMPAT_COMPARE_LANGUAGE_H
#define COMPAT_COMPARE_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"

struct language;

/* In the arena; NULL when the pattern is none of these, or too large. */
const struct language *language_new(struct arena *arena, weir_text pattern);
/* Is every text of `small` a text of `large`? Otherwise the shortest that is none is appended to `text` (which may
 * be NULL); nothing when that takes too long: then it is false, and nobody knows. *steps counts down. */
bool language_within(const struct language *small, const struct language *large, int64_t *steps,
                     buffer *text);
/* The shortest and the longest text, in characters; UINT64_MAX: without end. */
void language_lengths(const struct language *language, uint64_t *shortest, uint64_t *longest);

#endif
