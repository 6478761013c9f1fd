/* SPDX-License-Identifier: Apache-2.0 */
/* The small questions about a value, asked for each value of each event and therefore inline (json.h says what they
 * answer). A `json` is a yyjson value under another name; this header knows its layout without knowing yyjson, and
 * json.c holds the two together when it is compiled. */
#ifndef JSON_VALUE_H
#define JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "weir/text.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Values stand behind each other in preorder, a key before its value. */
typedef struct json {
    uint64_t tag; /* kind and flags in the low byte, then the size of a text or the count of a container */
    union {
        const char *text;
        size_t bytes; /* of a container with all that is in it, itself included */
    };
} json;

enum {
    JSON_TAG_NUMBER = 1,
    JSON_TAG_NULL = 2,
    JSON_TAG_BOOL = 3,
    JSON_TAG_STRING = 5,
    JSON_TAG_ARRAY = 6,
    JSON_TAG_OBJECT = 7,
    JSON_TAG_KIND = 7, /* mask */
    JSON_TAG_TRUE = JSON_TAG_BOOL | 8,
    JSON_TAG_BITS = 8 /* below the size */
};

static inline unsigned json_kind_(const json *value) {
    return value ? value->tag & JSON_TAG_KIND : 0;
}

static inline enum json_type json_type_of(const json *value) {
    const uint32_t types =
        (uint32_t)JSON_NUMBER << 4 * JSON_TAG_NUMBER | (uint32_t)JSON_NULL << 4 * JSON_TAG_NULL |
        (uint32_t)JSON_BOOL << 4 * JSON_TAG_BOOL | (uint32_t)JSON_STRING << 4 * JSON_TAG_STRING |
        (uint32_t)JSON_ARRAY << 4 * JSON_TAG_ARRAY | (uint32_t)JSON_OBJECT << 4 * JSON_TAG_OBJECT;
    return (enum json_type)(types >> 4 * json_kind_(value) & 7);
}

static inline bool json_is(const json *value, enum json_type type) {
    return value && json_type_of(value) == type;
}

static inline bool json_true(const json *value) {
    return value && (value->tag & 0xff) == JSON_TAG_TRUE;
}

/* Of a string or a number, and of nothing else. */
static inline weir_text json_own_text(const json *value) {
    return (weir_text){value->text, (size_t)(value->tag >> JSON_TAG_BITS)};
}

static inline weir_text json_text(const json *value) {
    return json_kind_(value) == JSON_TAG_STRING ? json_own_text(value) : (weir_text){NULL, 0};
}

static inline weir_text json_number(const json *value) {
    return json_kind_(value) == JSON_TAG_NUMBER ? json_own_text(value) : (weir_text){NULL, 0};
}

static inline size_t json_size(const json *value) {
    return json_kind_(value) >= JSON_TAG_ARRAY ? (size_t)(value->tag >> JSON_TAG_BITS) : 0;
}

/* The first eight bytes of a key, with whatever stands behind a shorter one: every tree has room for that. */
static inline uint64_t json_key_word(const json *key) {
    uint64_t word;
    memcpy(&word, key->text, sizeof word);
    return word;
}

/* The value behind this one and all that is in it: the next item, or the key of the next member. */
static inline const json *json_behind(const json *value) {
    return json_kind_(value) >= JSON_TAG_ARRAY ? (const json *)((const char *)value + value->bytes)
                                               : value + 1;
}

struct json_iter {
    const json *at; /* the next one */
    size_t left;
    bool keys;
    weir_text key;         /* members: the key */
    const json *key_value; /* members: the key as a value, for json_place */
    const json *value;
};

static inline struct json_iter json_iter(const json *container) {
    size_t left = json_size(container);
    return (struct json_iter){
        .at = left ? container + 1 : NULL, .left = left, .keys = json_kind_(container) == JSON_TAG_OBJECT};
}

static inline bool json_next(struct json_iter *iter) {
    if (iter->left == 0)
        return false;
    iter->left--;
    const json *value = iter->at;
    if (iter->keys) {
        iter->key_value = value;
        iter->key = json_own_text(value);
        value++;
    }
    iter->value = value;
    iter->at = json_behind(value);
    return true;
}

#endif
