/* SPDX-License-Identifier: Apache-2.0 */
/* The document is written anew, node by node; at each node only the sets whose path leads through it are
 * looked at. */
#include "cli/set.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"

enum { SHOWN_BYTES = 60 };

/* --- reading -------------------------------------------------------------------------------------------- */

static weir_text unescape(weir_text token, arena *memory) {
    char *copy = arena_copy(memory, token.data, token.size);
    size_t size = 0;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        if (c == '~' && i + 1 < token.size)
            c = token.data[++i] == '1' ? '/' : '~';
        copy[size++] = c;
    }
    return (weir_text){copy, size};
}

static weir_code split(struct set *set, weir_text name, arena *memory, weir_error *err) {
    bool pointer = name.size > 0 && name.data[0] == '/';
    char separator = pointer ? '/' : '.';
    weir_text rest = pointer ? (weir_text){name.data + 1, name.size - 1} : name;
    if (pointer && !json_pointer_valid(name))
        return weir_fail(err, WEIR_INVALID, "--set %s: ~ must be followed by 0 or 1", set->name);
    for (;;) {
        const char *end = rest.size ? memchr(rest.data, separator, rest.size) : NULL;
        weir_text token = {rest.data, end ? (size_t)(end - rest.data) : rest.size};
        if (set->depth == SET_DEPTH_MAX)
            return weir_fail(err, WEIR_INVALID, "--set %s: a name has at most %d parts", set->name,
                             SET_DEPTH_MAX);
        if (token.size == 0)
            return weir_fail(err, WEIR_INVALID, "--set %s: a part of the name is empty", set->name);
        set->path[set->depth++] = pointer ? unescape(token, memory) : token;
        if (!end)
            return WEIR_OK;
        rest = (weir_text){end + 1, rest.size - token.size - 1};
    }
}

/* A number, true, false, null or a quoted string stays JSON. */
static weir_text read_value(weir_text text, arena *memory) {
    json_doc *doc = NULL;
    bool scalar = text.size > 0 && text.data[0] != '{' && text.data[0] != '[' &&
                  json_parse(&doc, text, NULL) == WEIR_OK;
    json_doc_free(doc);
    if (scalar)
        return text;
    buffer quoted;
    buffer_init(&quoted, text.size * 6 + 16);
    json_write_string(&quoted, text);
    weir_text made = arena_text(memory, buffer_view(&quoted));
    buffer_release(&quoted);
    return made;
}

weir_code set_parse(struct set *out, const char *text, arena *memory, weir_error *err) {
    const char *equals = strchr(text, '=');
    if (!equals)
        return weir_fail(err, WEIR_INVALID, "--set %.*s: write name=value", SHOWN_BYTES, text);
    if (!text_valid_utf8(weir_text_of(text)))
        return weir_fail(err, WEIR_INVALID, "--set: name and value must be UTF-8");
    weir_text name = {text, (size_t)(equals - text)};
    *out = (struct set){.name = arena_cstr(memory, name)};
    out->value = read_value(weir_text_of(equals + 1), memory);
    return split(out, name, memory, err);
}

/* --- writing -------------------------------------------------------------------------------------------- */

struct merge {
    buffer *out;
    const struct set *sets;
    size_t count;
    weir_text path[SET_DEPTH_MAX]; /* of the node being written */
    weir_error *err;
};

/* Does the set's path lead to or through the node at `depth`? */
static bool leads_here(const struct merge *merge, const struct set *set, size_t depth) {
    for (size_t i = 0; i < depth; i++)
        if (i >= set->depth || !text_equal(set->path[i], merge->path[i]))
            return false;
    return true;
}

static const struct set *last_set_here(const struct merge *merge, size_t depth, bool exactly) {
    const struct set *found = NULL;
    for (size_t i = 0; i < merge->count; i++)
        if ((merge->sets[i].depth == depth) == exactly && merge->sets[i].depth >= depth &&
            leads_here(merge, &merge->sets[i], depth))
            found = &merge->sets[i];
    return found;
}

static weir_code write_node(struct merge *merge, const json *node, size_t depth);

static weir_code write_member(struct merge *merge, weir_text key, const json *value, size_t depth,
                              bool *first) {
    if (!*first)
        buffer_char(merge->out, ',');
    *first = false;
    json_write_string(merge->out, key);
    buffer_char(merge->out, ':');
    merge->path[depth] = key;
    return write_node(merge, value, depth + 1);
}

/* Has an earlier set of the same object named this member already? */
static bool named_before(const struct merge *merge, size_t index, size_t depth) {
    for (size_t i = 0; i < index; i++)
        if (merge->sets[i].depth > depth && leads_here(merge, &merge->sets[i], depth) &&
            text_equal(merge->sets[i].path[depth], merge->sets[index].path[depth]))
            return true;
    return false;
}

static weir_code write_object(struct merge *merge, const json *node, size_t depth) {
    bool first = true;
    buffer_char(merge->out, '{');
    for (struct json_iter it = json_iter(node); json_next(&it);)
        WEIR_TRY(write_member(merge, it.key, it.value, depth, &first));
    for (size_t i = 0; i < merge->count; i++) {
        const struct set *set = &merge->sets[i];
        if (set->depth <= depth || !leads_here(merge, set, depth) || json_get_text(node, set->path[depth]) ||
            named_before(merge, i, depth))
            continue;
        WEIR_TRY(write_member(merge, set->path[depth], NULL, depth, &first));
    }
    buffer_char(merge->out, '}');
    return WEIR_OK;
}

static weir_code check_items(const struct merge *merge, const json *node, size_t depth) {
    for (size_t i = 0; i < merge->count; i++) {
        const struct set *set = &merge->sets[i];
        bool found = set->depth <= depth || !leads_here(merge, set, depth);
        for (size_t item = 0; item < json_size(node) && !found; item++) {
            char number[24];
            snprintf(number, sizeof number, "%zu", item);
            found = text_is(set->path[depth], number);
        }
        if (!found)
            return weir_fail(merge->err, WEIR_INVALID, "--set %s: the array has %zu items, numbered from 0",
                             set->name, json_size(node));
    }
    return WEIR_OK;
}

static weir_code write_array(struct merge *merge, const json *node, size_t depth) {
    WEIR_TRY(check_items(merge, node, depth));
    buffer_char(merge->out, '[');
    for (size_t i = 0; i < json_size(node); i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (i)
            buffer_char(merge->out, ',');
        merge->path[depth] = weir_text_of(number);
        WEIR_TRY(write_node(merge, json_item(node, i), depth + 1));
    }
    buffer_char(merge->out, ']');
    return WEIR_OK;
}

static weir_code write_node(struct merge *merge, const json *node, size_t depth) {
    const struct set *here = depth ? last_set_here(merge, depth, true) : NULL;
    const struct set *inside = depth < SET_DEPTH_MAX ? last_set_here(merge, depth, false) : NULL;
    if (here && inside)
        return weir_fail(merge->err, WEIR_INVALID, "--set %s and --set %s contradict each other", here->name,
                         inside->name);
    if (here) {
        buffer_text(merge->out, here->value);
    } else if (!inside) {
        json_write(merge->out, node, false);
    } else if (!node || json_is(node, JSON_OBJECT)) {
        return write_object(merge, node, depth);
    } else if (json_is(node, JSON_ARRAY)) {
        return write_array(merge, node, depth);
    } else {
        return weir_fail(merge->err, WEIR_INVALID, "--set %s: it would stand inside a value of type %s",
                         inside->name, json_type_name(json_type_of(node)));
    }
    return WEIR_OK;
}

weir_code set_write(buffer *out, const json *base, const struct set *sets, size_t count, weir_error *err) {
    struct merge merge = {.out = out, .sets = sets, .count = count, .err = err};
    if (!base && count == 0) {
        buffer_string(out, "{}");
        return WEIR_OK;
    }
    WEIR_TRY(write_node(&merge, base, 0));
    return out->overflow ? weir_fail(err, WEIR_LIMIT, "the payload is larger than %zu bytes", out->bound)
                         : WEIR_OK;
}
