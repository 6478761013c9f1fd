/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of JSON Schema 2020-12 we act on, one row each: whose vocabulary, what schemas they hold, and
 * how their value becomes rules. Reading (references.c) and compiling (compile.c) both go by these rows. */
#ifndef SCHEMA_KEYWORDS_H
#define SCHEMA_KEYWORDS_H

#include "json/json.h"

struct work;
typedef weir_code keyword_compile(struct work *work, const json *value, weir_error *err);

/* The vocabularies that change what we do; the others are always on. */
enum {
    VOCABULARY_APPLICATOR = 1,
    VOCABULARY_VALIDATION = 2,
    VOCABULARY_UNEVALUATED = 4,
    VOCABULARY_FORMAT = 8
};
enum { VOCABULARIES_USUAL = VOCABULARY_APPLICATOR | VOCABULARY_VALIDATION | VOCABULARY_UNEVALUATED };

enum holds { HOLDS_NO_SCHEMA, HOLDS_SCHEMA, HOLDS_ARRAY /* of schemas */, HOLDS_OBJECT /* of schemas */ };

struct keyword {
    const char *name;
    unsigned vocabulary; /* 0: always */
    enum holds holds;
    keyword_compile *compile; /* NULL: another keyword looks after it, or nobody needs to */
    int detail;               /* which one of a family: a bound, a kind of applied */
};

const struct keyword *keyword_find(weir_text name); /* NULL: unknown */

#endif
