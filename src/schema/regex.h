/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of ECMA-262 (with the u flag), as JSON Schema has them. regex.c is the only door to
 * PCRE2; pattern.c translates the syntax; pattern_bytes.c runs the simple ones without PCRE2 at all. */
#ifndef SCHEMA_REGEX_H
#define SCHEMA_REGEX_H

#include "base/text.h"

struct regex;
struct byte_pattern;
WEIR_MUST_CHECK weir_code regex_compile(struct regex **out, weir_text pattern, weir_error *err);
void regex_free(struct regex *regex); /* NULL is fine */
/* Its short way, or NULL: what regex_match would take, for who matches one pattern all day. */
const struct byte_pattern *regex_short_way(const struct regex *regex);
/* Is it a regular expression, whether or not PCRE2 can run it? (A lookbehind of varying width is one.) */
bool regex_is_valid(weir_text pattern);

/* What a thread needs to match: limits and a stack for the JIT. */
struct regex_scratch;
struct regex_scratch *regex_scratch_new(void);
void regex_scratch_free(struct regex_scratch *scratch);
/* The next document: LIMIT_REGEX_STEPS are for all its matches together. */
void regex_scratch_reset(struct regex_scratch *scratch);

enum regex_result { REGEX_NO, REGEX_YES, REGEX_EXCEEDED /* over the budget: nobody knows */ };
enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch, weir_text subject);

/* pattern.c: appends the PCRE2 form, or says what is wrong and at which byte. */
WEIR_MUST_CHECK weir_code pattern_translate(buffer *out, weir_text pattern, weir_error *err);

/* pattern_bytes.c: a run of byte classes and groups with repeats, matched greedily without going back; only patterns for
 * which that is exact become one. */
struct byte_pattern *byte_pattern_new(weir_text pattern); /* NULL: not simple enough */
void byte_pattern_free(struct byte_pattern *pattern);
bool byte_pattern_match(const struct byte_pattern *pattern, weir_text subject);

#endif
