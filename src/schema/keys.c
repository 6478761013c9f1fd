/* SPDX-License-Identifier: Apache-2.0 */
/* The names of an object's rules. While they are added, a table over a hash of the whole name keeps them
 * apart. keys_finish then looks for a quicker one: a hash of the length and four bytes, times a multiplier
 * that gives each name a slot of its own. Large sets, and names that only differ elsewhere, keep the first
 * table. */
#include "schema/keys.h"

#include "base/text.h"

enum { KEYS_TRIES = 64, KEYS_QUICK = 256, SLOTS_PER_KEY = 4 };

static uint32_t whole_hash(weir_text name) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static inline uint32_t quick_hash(weir_text name, uint32_t multiplier) {
    if (!name.size)
        return 0;
    const unsigned char *bytes = (const unsigned char *)name.data;
    uint32_t mixed = bytes[0] | (uint32_t)bytes[name.size / 2] << 8 | (uint32_t)bytes[name.size - 1] << 16 |
                     (uint32_t)bytes[name.size / 4] << 24;
    mixed = (mixed ^ (uint32_t)name.size * 0x9e3779b1u) * multiplier;
    return mixed ^ mixed >> 16;
}

static void grow(struct arena *arena, struct keys *keys) {
    keys->mask = keys->slots ? keys->mask * 2 + 1 : 15;
    keys->slots = arena_alloc(arena, ((size_t)keys->mask + 1) * sizeof *keys->slots);
    for (size_t i = 0; i < keys->count; i++) {
        uint32_t at = whole_hash(keys->items[i].name) & keys->mask;
        while (keys->slots[at])
            at = (at + 1) & keys->mask;
        keys->slots[at] = (uint32_t)i + 1;
    }
}

struct key *keys_add(struct arena *arena, struct keys *keys, weir_text name) {
    if (!keys->slots || keys->count * 2 > keys->mask)
        grow(arena, keys);
    uint32_t at = whole_hash(name) & keys->mask;
    for (; keys->slots[at]; at = (at + 1) & keys->mask)
        if (text_same(keys->items[keys->slots[at] - 1].name, name))
            return &keys->items[keys->slots[at] - 1];
    if (keys->count == keys->capacity) {
        keys->capacity = keys->capacity ? keys->capacity * 2 : 8;
        struct key *items = arena_alloc(arena, keys->capacity * sizeof *items);
        if (keys->count)
            memcpy(items, keys->items, keys->count * sizeof *items);
        keys->items = items;
    }
    keys->slots[at] = (uint32_t)++keys->count;
    struct key *key = &keys->items[keys->count - 1];
    key->name = name;
    return key;
}

static bool try_multiplier(const struct keys *keys, uint32_t *slots, uint32_t mask, uint32_t multiplier) {
    memset(slots, 0, ((size_t)mask + 1) * sizeof *slots);
    for (size_t i = 0; i < keys->count; i++) {
        uint32_t at = quick_hash(keys->items[i].name, multiplier) & mask;
        if (slots[at])
            return false;
        slots[at] = (uint32_t)i + 1;
    }
    return true;
}

/* Those of `properties` as they are written there, then the others. */
static void link_followers(struct arena *arena, struct keys *keys) {
    static const struct key none = {.name = {"", SIZE_MAX}, .follower = &none};
    struct key **order = arena_alloc(arena, (keys->count + 1) * sizeof *order);
    size_t named = 0;
    for (size_t i = 0; i < keys->count; i++)
        named += keys->items[i].rank > 0;
    for (size_t i = 0; i < keys->count; i++) {
        struct key *key = &keys->items[i];
        order[key->rank ? key->rank - 1 : named++] = key;
    }
    for (size_t i = 0; i < keys->count; i++) {
        size_t size = order[i]->name.size < 8 ? order[i]->name.size : 8;
        memset(&order[i]->mask, 0xff, size);
        memcpy(&order[i]->word, order[i]->name.data, size);
        if (order[i]->name.size > 8)
            memcpy(&order[i]->last, order[i]->name.data + order[i]->name.size - 8, sizeof order[i]->last);
        order[i]->bit = order[i]->rest && i < 63 ? (uint64_t)1 << i : ~(uint64_t)0;
    }
    keys->first = keys->count ? order[0] : &none;
    for (size_t i = 0; i < keys->count; i++)
        order[i]->follower = i + 1 < keys->count ? order[i + 1] : &none;
}

void keys_finish(struct arena *arena, struct keys *keys) {
    link_followers(arena, keys);
    if (!keys->count || keys->count > KEYS_QUICK)
        return;
    uint32_t mask = 7;
    while (mask < keys->count * SLOTS_PER_KEY)
        mask = mask * 2 + 1;
    uint32_t *slots = arena_alloc(arena, ((size_t)mask + 1) * sizeof *slots);
    uint32_t multiplier = 0x9e3779b1u;
    for (int i = 0; i < KEYS_TRIES; i++, multiplier = multiplier * 1664525u + 1013904223u) {
        if (!try_multiplier(keys, slots, mask, multiplier | 1))
            continue;
        keys->slots = slots;
        keys->mask = mask;
        keys->multiplier = multiplier | 1;
        return;
    }
}

const struct key *keys_look_up(const struct keys *keys, weir_text name) {
    if (!keys->slots)
        return NULL;
    uint32_t hash = keys->multiplier ? quick_hash(name, keys->multiplier) : whole_hash(name);
    for (uint32_t at = hash & keys->mask; keys->slots[at]; at = (at + 1) & keys->mask) {
        const struct key *key = &keys->items[keys->slots[at] - 1];
        if (text_same(key->name, name))
            return key;
        if (keys->multiplier)
            return NULL;
    }
    return NULL;
}

const struct key *keys_find(const struct keys *keys, weir_text name, size_t *next) {
    const struct key *key = *next < keys->count && text_same(keys->items[*next].name, name)
                                ? &keys->items[*next]
                                : keys_look_up(keys, name);
    if (key)
        *next = (size_t)(key - keys->items) + 1;
    return key;
}
