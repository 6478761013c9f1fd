/* SPDX-License-Identifier: Apache-2.0 */
/* Values and names as messages show them: cut, printable, in an arena. */
#ifndef SCHEMA_WORDS_H
#define SCHEMA_WORDS_H

#include "base/memory.h"
#include "json/json.h"

const char *words_value(struct arena *arena, const json *value); /* "\"abc\"", "-3", "an array" */
const char *words_json(struct arena *arena, const json *value);  /* the JSON itself */
const char *words_text(struct arena *arena, weir_text text);     /* a name */
const char *words_kind(const json *value);                       /* "a string" */
const char *words_list(struct arena *arena, const json *array);  /* "1", "2" and 7 more */
/* "a string, a number or null". One bit per json_type, and WORDS_INTEGER for "an integer". */
const char *words_types(struct arena *arena, unsigned types);
enum { WORDS_INTEGER = JSON_OBJECT + 1 };

#endif
