/* SPDX-License-Identifier: Apache-2.0 */
/* Counting. Each sample is walked once; at every place the kinds of values, formats and a bounded set of
 * different values are kept. A member's count is compared with the number of objects around it: equal means
 * always there. Keys that look like data go to one place for all of them; when an object has more different
 * keys than anybody would declare, everything it holds is merged there. */
#include "schema/infer.h"

#include <string.h>

#include "base/map.h"
#include "schema/infer_node.h"

struct infer {
    arena *arena;
    infer_node *root;
    size_t nodes, samples;
};

static infer_node *node_new(infer *infer) {
    if (infer->nodes >= INFER_NODES)
        return NULL;
    infer->nodes++;
    infer_node *node = arena_alloc(infer->arena, sizeof *node);
    node->formats = ~0u;
    return node;
}

infer *infer_new(void) {
    infer *infer = mem_alloc(sizeof *infer);
    infer->arena = arena_new();
    infer->root = node_new(infer);
    return infer;
}

void infer_free(infer *infer) {
    if (!infer)
        return;
    arena_free(infer->arena);
    mem_free(infer);
}

size_t infer_seen(const infer_node *node) {
    size_t seen = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        seen += node->seen[kind];
    return seen;
}

/* --- values --------------------------------------------------------------------------------------------- */

static void add_word(infer *infer, struct infer_values *values, weir_text text) {
    if (values->no_enum)
        return;
    for (size_t i = 0; i < values->word_count; i++)
        if (text_equal(values->words[i], text))
            return;
    if (values->word_count == INFER_ENUM_WORDS || !infer_word(text)) {
        values->no_enum = true;
        values->word_count = 0;
        return;
    }
    values->words[values->word_count++] = arena_text(infer->arena, text);
}

static void add_hash(struct infer_values *values, uint64_t hash) {
    for (size_t i = 0; i < values->count; i++)
        if (values->hashes[i] == hash)
            return;
    if (values->count == INFER_DISTINCT)
        values->more = true;
    else
        values->hashes[values->count++] = hash;
}

static void add_value(infer *infer, infer_node *node, weir_text text, bool string) {
    static const uint64_t seed[2] = {0x5eed, 0x1e57};
    if (!node->values)
        node->values = arena_alloc(infer->arena, sizeof *node->values);
    add_hash(node->values, map_hash(text, seed));
    if (string && !node->secret)
        add_word(infer, node->values, text);
}

/* --- merging -------------------------------------------------------------------------------------------- */

static void merge(infer *infer, infer_node *into, const infer_node *from);

static void merge_values(infer *infer, infer_node *into, const struct infer_values *from) {
    if (!from)
        return;
    if (!into->values)
        into->values = arena_alloc(infer->arena, sizeof *into->values);
    for (size_t i = 0; i < from->count; i++)
        add_hash(into->values, from->hashes[i]);
    into->values->more |= from->more;
    for (size_t i = 0; i < from->word_count; i++)
        add_word(infer, into->values, from->words[i]);
    if (from->no_enum) {
        into->values->no_enum = true;
        into->values->word_count = 0;
    }
}

static infer_node *member_of(const infer_node *node, weir_text name) {
    for (size_t i = 0; i < node->members.count; i++)
        if (text_equal(node->members.items[i].name, name))
            return node->members.items[i].node;
    return NULL;
}

static void merge_below(infer *infer, infer_node **into, const infer_node *from) {
    if (from && !*into)
        *into = node_new(infer);
    if (from && *into)
        merge(infer, *into, from);
}

static infer_node *others_of(infer *infer, infer_node *node) {
    if (!node->others && (node->others = node_new(infer)))
        node->others->secret = true;
    return node->others;
}

/* Everything this object holds is data from now on. */
static void become_map(infer *infer, infer_node *node) {
    node->map = true;
    others_of(infer, node);
    for (size_t i = 0; node->others && i < node->members.count; i++)
        merge(infer, node->others, node->members.items[i].node);
    node->members.count = 0;
}

static infer_node *member_add(infer *infer, infer_node *node, weir_text name) {
    infer_node *member = node_new(infer);
    node->open |= !member;
    if (!member)
        return NULL;
    member->secret = node->secret || infer_secret_name(name);
    member->parent = node;
    list_push(infer->arena, &node->members, ((struct infer_member){arena_text(infer->arena, name), member}));
    return member;
}

static void merge_members(infer *infer, infer_node *into, const infer_node *from) {
    for (size_t i = 0; i < from->members.count; i++) {
        const struct infer_member *member = &from->members.items[i];
        infer_node *same = into->map ? into->others : member_of(into, member->name);
        if (!same && !into->map && into->members.count < INFER_MEMBERS)
            same = member_add(infer, into, member->name);
        else if (!same && !into->map)
            become_map(infer, into);
        same = into->map ? into->others : same;
        if (same)
            merge(infer, same, member->node);
    }
}

static void merge(infer *infer, infer_node *into, const infer_node *from) {
    into->formats &= from->formats;
    into->secret |= from->secret;
    into->open |= from->open;
    merge_values(infer, into, from->values);
    if (from->map && !into->map)
        become_map(infer, into);
    merge_members(infer, into, from);
    merge_below(infer, &into->items, from->items);
    merge_below(infer, &into->others, from->others);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        into->seen[kind] += from->seen[kind];
}

/* --- one sample ----------------------------------------------------------------------------------------- */

static void add(infer *infer, infer_node *node, const json *value, int depth);

static bool data_key(weir_text name) {
    return name.size > INFER_NAME_BYTES || name.size == 0 || memchr(name.data, 0, name.size) ||
           token_look(name) == TOKEN_STRONG;
}

static void add_member(infer *infer, infer_node *node, weir_text name, const json *value, int depth) {
    infer_node *member = node->map || data_key(name) ? NULL : member_of(node, name);
    if (!member && !node->map && !data_key(name)) {
        if (node->members.count == INFER_MEMBERS)
            become_map(infer, node);
        else if (!(member = member_add(infer, node, name)))
            return; /* not described: the draft leaves it open */
    }
    member = member ? member : others_of(infer, node);
    if (member)
        add(infer, member, value, depth + 1);
}

static void add_items(infer *infer, infer_node *node, const json *value, int depth) {
    if (!node->items && json_size(value))
        node->items = node_new(infer);
    for (struct json_iter it = json_iter(value); node->items && json_next(&it);) {
        node->items->secret = node->secret;
        add(infer, node->items, it.value, depth + 1);
    }
}

static enum infer_kind kind_of(const json *value) {
    switch (json_type_of(value)) {
    case JSON_NULL:
        return KIND_NULL;
    case JSON_BOOL:
        return KIND_BOOLEAN;
    case JSON_NUMBER:
        return json_number_integral(json_number(value)) ? KIND_INTEGER : KIND_NUMBER;
    case JSON_STRING:
        return KIND_STRING;
    case JSON_ARRAY:
        return KIND_ARRAY;
    case JSON_OBJECT:
        return KIND_OBJECT;
    }
    return KIND_NULL;
}

static void add(infer *infer, infer_node *node, const json *value, int depth) {
    enum infer_kind kind = kind_of(value);
    node->seen[kind]++;
    if (kind == KIND_STRING) {
        node->formats &= infer_formats_of(json_text(value));
        add_value(infer, node, json_text(value), true);
    } else if (kind == KIND_INTEGER) {
        add_value(infer, node, json_number(value), false);
    }
    if (depth >= INFER_DEPTH)
        return;
    if (kind == KIND_ARRAY)
        add_items(infer, node, value, depth);
    for (struct json_iter it = json_iter(kind == KIND_OBJECT ? value : NULL); json_next(&it);)
        add_member(infer, node, it.key, it.value, depth);
}

void infer_add(infer *infer, const json *sample) {
    infer->samples++;
    add(infer, infer->root, sample, 0);
}

size_t infer_samples(const infer *infer) {
    return infer->samples;
}

/* --- looking -------------------------------------------------------------------------------------------- */

const infer_node *infer_at(const infer *infer, weir_text pointer) {
    const infer_node *node = infer->root;
    size_t at = 0;
    while (node && at < pointer.size) {
        size_t start = ++at;
        while (at < pointer.size && pointer.data[at] != '/')
            at++;
        node = member_of(node, (weir_text){pointer.data + start, at - start});
    }
    return node;
}

bool infer_next(const infer_node *node, size_t *cursor, weir_text *name, const infer_node **member) {
    if (!node || *cursor >= node->members.count)
        return false;
    *name = node->members.items[*cursor].name;
    *member = node->members.items[(*cursor)++].node;
    return true;
}

static bool always(const infer_node *node) {
    return !node->parent || infer_seen(node) == node->parent->seen[KIND_OBJECT];
}

struct infer_facts infer_facts_of(const infer_node *node) {
    if (!node)
        return (struct infer_facts){0};
    size_t seen = infer_seen(node);
    const size_t *kinds = node->seen;
    return (struct infer_facts){
        .seen = seen,
        .always = always(node),
        .object = kinds[KIND_OBJECT] == seen,
        .scalar = kinds[KIND_STRING] == seen || kinds[KIND_INTEGER] == seen || kinds[KIND_BOOLEAN] == seen,
        .distinct = node->values ? node->values->count : 0,
        .distinct_is_all = node->values && !node->values->more,
    };
}

/* --- at the end ----------------------------------------------------------------------------------------- */

/* Many properties, each of them rare: {"alice": 3, "bob": 5}. */
static bool names_are_data(const infer_node *node) {
    enum { MANY = 8 };
    for (size_t i = 0; i < node->members.count; i++)
        if (infer_seen(node->members.items[i].node) * 2 > node->seen[KIND_OBJECT])
            return false;
    return node->members.count >= MANY && node->seen[KIND_OBJECT] >= MANY;
}

static void settle(infer *infer, infer_node *node) {
    if (!node)
        return;
    if (names_are_data(node))
        become_map(infer, node);
    for (size_t i = 0; i < node->members.count; i++)
        settle(infer, node->members.items[i].node);
    settle(infer, node->items);
    settle(infer, node->others);
}

void infer_settle(infer *infer) {
    settle(infer, infer->root);
}
