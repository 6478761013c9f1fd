/* SPDX-License-Identifier: Apache-2.0 */
/* Random regular expressions of ECMA-262 (with the flag u) such as people write: classes in a row, groups that repeat or may
 * be missing, alternatives; anchored or not. None takes exponential time in an engine that goes back. */
#ifndef KIT_PATTERN_MAKER_H
#define KIT_PATTERN_MAKER_H

#include "base/dice.h"
#include "base/text.h"

/* Appends one, as it stands between the quotes of a JSON string. */
void make_pattern(buffer *out, struct dice *dice);

#endif
