/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects, patterns and templates. Pure functions over text.
 * A subject is tokens joined by dots; a pattern may hold `*` (one token) and a final `>` (one or more); a
 * template holds {parameter} tokens: message.received.{agent_id}. */
#ifndef EVENT_SUBJECT_H
#define EVENT_SUBJECT_H

#include <stdbool.h>

#include "base/text.h"
#include "weir/error.h"

/* Is it a subject that can be published to: non-empty tokens without spaces, controls, `*`, `>`? */
WEIR_MUST_CHECK weir_code subject_check(weir_text subject, weir_error *err);
WEIR_MUST_CHECK weir_code pattern_check(weir_text pattern, weir_error *err);
/* Every {name} is [a-z][a-z0-9_]*, a whole token, and used once. */
WEIR_MUST_CHECK weir_code template_check(weir_text template, weir_error *err);
/* May text stand as one token (a parameter's value)? Not empty, no dot, space, control, `*`, `>`. */
bool token_valid(weir_text token);

bool pattern_matches(weir_text pattern, weir_text subject);
bool pattern_overlaps(weir_text a, weir_text b);         /* is there a subject that both match? */
bool pattern_contains(weir_text outer, weir_text inner); /* does outer match all that inner matches? */
size_t subject_tokens(weir_text subject);
weir_text subject_token(weir_text subject, size_t index); /* absent beyond the end */

/* The pattern of a template: each {parameter} becomes `*`. */
void template_pattern(buffer *out, weir_text template);
/* Fills in parameters through `value`, which returns an absent text for a parameter it does not know. Fails
 * (INVALID) naming the parameter when it is absent or no valid token. */
WEIR_MUST_CHECK weir_code template_render(buffer *out, weir_text template,
                                          weir_text (*value)(void *arg, weir_text parameter), void *arg,
                                          weir_error *err);
/* The token of `subject` where `template` has {parameter}; absent when the subject does not match. */
weir_text template_extract(weir_text template, weir_text subject, weir_text parameter);

/* The reserved prefix `_weir.` (DESIGN section 7). */
bool subject_reserved(weir_text subject);

#endif
