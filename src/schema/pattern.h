/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the translator of regular expressions: the cursor, and what stands in brackets or behind a
 * backslash. */
#ifndef SCHEMA_PATTERN_H
#define SCHEMA_PATTERN_H

#include "schema/regex.h"

struct group_name {
    weir_text name;
    unsigned number;
};

enum { PATTERN_GROUPS = 1000, PATTERN_NAMES = 64 };

struct pattern {
    weir_text text;
    size_t at;
    buffer *out;
    weir_error *err;
    buffer open;     /* a character for each bracket that is open: '<' for a lookbehind */
    unsigned groups; /* capturing ones in the whole pattern */
    bool refers;     /* to what a group captured; otherwise none needs to capture */
    struct group_name names[PATTERN_NAMES];
    size_t name_count;
};

/* "at byte 3: " + why; always WEIR_INVALID */
weir_code pattern_fail(const struct pattern *pattern, const char *why);
static inline int pattern_peek(const struct pattern *pattern, size_t ahead) {
    return pattern->at + ahead < pattern->text.size ? (unsigned char)pattern->text.data[pattern->at + ahead]
                                                    : -1;
}
static inline bool pattern_skip(struct pattern *pattern, char c) {
    if (pattern_peek(pattern, 0) != (unsigned char)c)
        return false;
    pattern->at++;
    return true;
}

/* pattern_atoms.c */
enum escape_kind {
    ESCAPE_RUNE, /* one character */
    ESCAPE_SET,  /* \d \s \p{..}: already as PCRE2 writes it inside brackets */
};
enum { ESCAPE_SET_BYTES = 256 };
struct escape {
    enum escape_kind kind;
    uint32_t rune;
    char set[ESCAPE_SET_BYTES];
};
/* What follows a backslash and means the same inside and outside of brackets; the backslash is consumed. */
WEIR_MUST_CHECK weir_code pattern_escape(struct pattern *pattern, struct escape *out);
/* [...], the bracket is consumed */
WEIR_MUST_CHECK weir_code pattern_class(struct pattern *pattern);
void pattern_rune(buffer *out, uint32_t rune);
/* One character of the pattern, consumed. */
uint32_t pattern_next(struct pattern *pattern);

#endif
