/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Pointer (RFC 6901) and equality of values. A pointer is followed without copying: its escapes are
 * resolved while keys are compared. Objects are equal without regard to order; large ones are compared
 * through a map. */
#include <string.h>

#include "base/map.h"
#include "json/json.h"

bool json_pointer_valid(weir_text pointer) {
    if (!pointer.data || (pointer.size && pointer.data[0] != '/'))
        return false;
    for (size_t i = 0; i < pointer.size; i++) {
        if (pointer.data[i] != '~')
            continue;
        if (i + 1 == pointer.size || (pointer.data[i + 1] != '0' && pointer.data[i + 1] != '1'))
            return false;
    }
    return text_valid_utf8(pointer);
}

bool json_pointer_through(weir_text pointer, weir_text place) {
    return pointer.size >= place.size && memcmp(pointer.data, place.data, place.size) == 0 &&
           (pointer.size == place.size || pointer.data[place.size] == '/');
}

void json_pointer_append(buffer *pointer, weir_text token) {
    buffer_char(pointer, '/');
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] == '~')
            buffer_string(pointer, "~0");
        else if (token.data[i] == '/')
            buffer_string(pointer, "~1");
        else
            buffer_char(pointer, token.data[i]);
    }
}

static bool token_is(weir_text token, weir_text key) {
    size_t at = 0;
    for (size_t i = 0; i < token.size; i++, at++) {
        char c = token.data[i];
        if (c == '~' && i + 1 < token.size)
            c = token.data[++i] == '1' ? '/' : '~';
        if (at == key.size || key.data[at] != c)
            return false;
    }
    return at == key.size;
}

static const json *member(const json *object, weir_text token) {
    if (!memchr(token.data, '~', token.size))
        return json_get_text(object, token);
    for (struct json_iter it = json_iter(object); json_next(&it);)
        if (token_is(token, it.key))
            return it.value;
    return NULL;
}

static const json *item(const json *array, weir_text token) {
    size_t index = 0;
    if (token.size == 0 || token.size > 9 || (token.data[0] == '0' && token.size > 1))
        return NULL;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return NULL;
        index = index * 10 + (size_t)(token.data[i] - '0');
    }
    return json_item(array, index);
}

const json *json_pointer(const json *value, weir_text pointer) {
    if (!pointer.data || (pointer.size && pointer.data[0] != '/'))
        return NULL;
    for (size_t at = 0; value && at < pointer.size;) {
        const char *start = pointer.data + at + 1;
        size_t left = pointer.size - at - 1;
        const char *slash = memchr(start, '/', left);
        weir_text token = {start, slash ? (size_t)(slash - start) : left};
        if (json_is(value, JSON_OBJECT))
            value = member(value, token);
        else
            value = json_is(value, JSON_ARRAY) ? item(value, token) : NULL;
        at += token.size + 1;
    }
    return value;
}

/* --- equality --------------------------------------------------------------------------------- */

static bool items_equal(const json *a, const json *b) {
    struct json_iter at = json_iter(a), bt = json_iter(b);
    while (json_next(&at) && json_next(&bt))
        if (!json_equal(at.value, bt.value))
            return false;
    return true;
}

static bool members_equal_small(const json *a, const json *b) {
    for (struct json_iter it = json_iter(a); json_next(&it);) {
        const json *other = json_get_text(b, it.key);
        if (!other || !json_equal(it.value, other))
            return false;
    }
    return true;
}

static bool members_equal_large(const json *a, const json *b) {
    map *members = map_new();
    for (struct json_iter it = json_iter(b); json_next(&it);)
        map_put(members, it.key, (void *)(uintptr_t)it.value);
    bool equal = true;
    for (struct json_iter it = json_iter(a); equal && json_next(&it);) {
        const json *other = map_get(members, it.key);
        equal = other && json_equal(it.value, other);
    }
    map_free(members);
    return equal;
}

bool json_equal(const json *a, const json *b) {
    enum { SMALL_OBJECT = 32 };
    if (a == b || !a || !b)
        return a == b;
    enum json_type type = json_type_of(a);
    if (type != json_type_of(b) || json_size(a) != json_size(b))
        return false;
    switch (type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return json_true(a) == json_true(b);
    case JSON_NUMBER:
        return json_number_compare(json_number(a), json_number(b)) == 0;
    case JSON_STRING:
        return text_equal(json_text(a), json_text(b));
    case JSON_ARRAY:
        return items_equal(a, b);
    case JSON_OBJECT:
        return json_size(a) <= SMALL_OBJECT ? members_equal_small(a, b) : members_equal_large(a, b);
    }
    return false;
}
