/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON tree. This room is the only door to yyjson (json.c, tree.c) and to libyaml (yaml.c): both give the
 * same read-only tree.
 *
 * Numbers are kept as the text they were written in, so 12.50 and 1e400 survive unchanged; ask for an integer
 * or a decimal where arithmetic is meant. Parsing is strict (RFC 8259 and I-JSON): valid UTF-8, no duplicate
 * keys (escapes resolved), no trailing bytes, nesting at most LIMIT_JSON_DEPTH, no byte order mark, no lone
 * surrogates. U+0000 and noncharacters pass inside strings.
 *
 * A tree takes its text's size and 16 bytes for each value, a usual event about four times its text, the densest text ten
 * times. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "weir/error.h"
#include "json/value.h"

typedef struct json_doc json_doc; /* owns the tree */
/* json: one value in it; lives as long as its document. What it is made of, and the questions that are asked of each
 * value, stand in json/value.h. */

/* --- documents ------------------------------------------------------------------------------------------ */

/* Parses a copy of text. Errors say "line L, column C: what". */
WEIR_MUST_CHECK weir_code json_parse(json_doc **out, weir_text text, weir_error *err);
/* Same, but reuses `pool` memory for short-lived documents of one thread: the hot path. The previous document
 * of the pool becomes invalid. text is copied. Duplicate keys are still refused. */
typedef struct json_pool json_pool;
json_pool *json_pool_new(void);
void json_pool_free(json_pool *pool);
WEIR_MUST_CHECK weir_code json_pool_parse(const json **root, json_pool *pool, weir_text text,
                                          weir_error *err);
/* The two halves of it, for who looks at every key anyway (schema_read): a tree that is not to be trusted yet, for keys may
 * repeat and nesting may be too deep to walk; and what makes it as good as any. `text` is that of the first half. */
WEIR_MUST_CHECK weir_code json_pool_read(const json **root, json_pool *pool, weir_text text, weir_error *err);
WEIR_MUST_CHECK weir_code json_pool_check(json_pool *pool, weir_text text, weir_error *err);

/* Reads one YAML document into the tree. Plain scalars have one meaning: true, false, null and numbers
 * exactly as in JSON; `~` and nothing are null; everything else (no, 90d, 1GiB, 010) and everything quoted is
 * a string. `file` names it in places. Refused with line and column, as "FILE:LINE:COLUMN: what": duplicate
 * keys, anchors and aliases, tags, merge keys, several documents, tabs outside of text, control characters,
 * UTF-16 (a byte order mark of UTF-8 is skipped), more than LIMIT_CATALOG_FILE_BYTES or LIMIT_JSON_DEPTH,
 * keys that are no scalars. */
WEIR_MUST_CHECK weir_code yaml_parse(json_doc **out, const char *file, weir_text text, weir_error *err);

void json_doc_free(json_doc *doc); /* NULL is fine */
const json *json_root(const json_doc *doc);

/* Where a value of a yaml_parse tree was written. file lives as long as the document; line and column count
 * from 1; {"", 0, 0} for trees that came from JSON. json_member_place: of a member's key; of the
 * object where it has no such member. */
struct place {
    const char *file;
    int line, column;
};
struct place json_place(const json_doc *doc, const json *value);
struct place json_member_place(const json_doc *doc, const json *object, const char *key);

/* --- values (a NULL value is allowed everywhere and reads as absent) ------------------------------------ */

static inline enum json_type json_type_of(const json *value); /* NULL gives JSON_NULL */
const char *json_type_name(enum json_type type); /* "null" "boolean" "number" "string" "array" "object" */
static inline bool json_is(const json *value, enum json_type type); /* false for a NULL pointer */
static inline bool json_true(const json *value);                    /* is the value `true`? */
static inline weir_text json_text(const json *value); /* of a string, unescaped; absent otherwise */
const char *json_cstr(const json *value); /* of a string (may hold NUL bytes inside); NULL otherwise */
static inline weir_text json_number(const json *value); /* a number's own text; absent otherwise */
/* The value as an integer: true only when it is a number whose value is integral and fits (1.0 and 1e3 do). */
bool json_int(const json *value, int64_t *out);

static inline size_t json_size(const json *value); /* items of an array, members of an object, 0 otherwise */
const json *json_item(const json *array, size_t index);
const json *json_get(const json *object, const char *key);
const json *json_get_text(const json *object, weir_text key);
/* RFC 6901: "" is the value itself; NULL when nothing is there. */
const json *json_pointer(const json *value, weir_text pointer);
/* Is this a well-formed pointer? */
bool json_pointer_valid(weir_text pointer);
/* Does a pointer lead to the place another one leads to, or through it? By their words alone. */
bool json_pointer_through(weir_text pointer, weir_text place);
/* Appends "/token" with ~ and / escaped. */
void json_pointer_append(buffer *pointer, weir_text token);

/* The bytes of the member at a path of object keys, exactly as they stand in `text`, which must have been
 * parsed without fault; absent when nothing is there. depth 0: the whole value. */
weir_text json_raw(weir_text text, const weir_text *path, size_t depth);

/* for (struct json_iter it = json_iter(array); json_next(&it);) use it.value (and it.key of an object) */
static inline struct json_iter json_iter(const json *container); /* of a scalar or NULL: empty */
static inline bool json_next(struct json_iter *iter);

/* Same value? Numbers by value (1.0 equals 1), objects without regard to order. */
bool json_equal(const json *a, const json *b);
/* Compares two JSON numbers by exact value, whatever their size: -1, 0, 1. */
int json_number_compare(weir_text a, weir_text b);
bool json_number_integral(weir_text number);
/* Is a an exact multiple of b? */
bool json_number_multiple(weir_text a, weir_text b);
/* Can the number be such a b: is it more than 0, and are its digits, without zeros at both ends, at most 37? */
bool json_number_divisor(weir_text number);

/* --- writing ------------------------------------------------------------------------------------------- */

/* Appends the value as compact text, or indented by two spaces. Number texts are written as they were read. */
void json_write(buffer *out, const json *value, bool pretty);
/* With members sorted by key at every level: equal documents give equal bytes (digests). Numbers as written. */
void json_write_canonical(buffer *out, const json *value);
/* Appends a quoted, escaped string. */
void json_write_string(buffer *out, weir_text text);
/* The public writer (weir/json.h) over a caller's buffer; free does not release the buffer. */
struct weir_json_writer *json_writer_over(buffer *out);

#endif
