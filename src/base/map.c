/* SPDX-License-Identifier: Apache-2.0 */
/* Entries stand in an array in the order they were put; an open-addressed table of entry numbers finds them.
 * A removed entry leaves a hole, and holes are closed only when a put needs room: so an iteration may remove
 * what it visits. The hash is SipHash-1-3 with a random seed per map, because keys come from events: nobody
 * can choose them to collide. */
#include "base/map.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

struct entry {
    char *key; /* NULL: removed */
    size_t key_size;
    uint64_t hash;
    void *value;
};

struct map {
    struct entry *entries;
    size_t used, live, capacity; /* used counts holes too; the table has twice as many slots as entries */
    uint32_t *slots;             /* entry number + 1; 0 is free */
    uint64_t seed[2];
};

static inline uint64_t rotate(uint64_t word, int bits) {
    return word << bits | word >> (64 - bits);
}

static inline void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

uint64_t map_hash(weir_text key, const uint64_t seed[2]) {
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
                     seed[1] ^ 0x7465646279746573};
    size_t whole = key.size / 8 * 8;
    for (size_t at = 0; at <= whole; at += 8) {
        uint64_t word = 0;
        size_t left = key.size - at;
        if (left)
            memcpy(&word, key.data + at, left < 8 ? left : 8);
        if (at == whole)
            word |= (uint64_t)key.size << 56;
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

map *map_new(void) {
    map *map = mem_alloc(sizeof *map);
    random_bytes(map->seed, sizeof map->seed);
    return map;
}

void map_free(map *map) {
    if (!map)
        return;
    for (size_t i = 0; i < map->used; i++)
        mem_free(map->entries[i].key);
    mem_free(map->entries);
    mem_free(map->slots);
    mem_free(map);
}

size_t map_count(const map *map) {
    return map->live;
}

static struct entry *find(const map *map, weir_text key, uint64_t hash) {
    if (map->capacity == 0)
        return NULL;
    size_t mask = map->capacity * 2 - 1;
    for (size_t slot = hash & mask; map->slots[slot]; slot = (slot + 1) & mask) {
        struct entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->key && entry->hash == hash && entry->key_size == key.size &&
            memcmp(entry->key, key.data, key.size) == 0)
            return entry;
    }
    return NULL;
}

/* A key that is absent (data NULL) and one that is empty are the same key. */
static weir_text present(weir_text key) {
    return key.data ? key : (weir_text){"", 0};
}

void *map_get(const map *map, weir_text key) {
    key = present(key);
    struct entry *entry = find(map, key, map_hash(key, map->seed));
    return entry ? entry->value : NULL;
}

/* Closes the holes and, when more than half is live, doubles; then fills the table anew. */
static void make_room(map *map) {
    if (map->live * 2 >= map->capacity) {
        map->capacity = map->capacity ? map->capacity * 2 : 8;
        map->entries = mem_resize(map->entries, map->capacity * sizeof *map->entries);
    }
    size_t kept = 0;
    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key)
            map->entries[kept++] = map->entries[i];
    map->used = kept;
    mem_free(map->slots);
    map->slots = mem_alloc(map->capacity * 2 * sizeof *map->slots);
    size_t mask = map->capacity * 2 - 1;
    for (size_t i = 0; i < map->used; i++) {
        size_t slot = map->entries[i].hash & mask;
        while (map->slots[slot])
            slot = (slot + 1) & mask;
        map->slots[slot] = (uint32_t)(i + 1);
    }
}

void *map_put(map *map, weir_text key, void *value) {
    key = present(key);
    uint64_t hash = map_hash(key, map->seed);
    struct entry *entry = find(map, key, hash);
    if (entry) {
        void *replaced = entry->value;
        entry->value = value;
        return replaced;
    }
    if (map->used == map->capacity)
        make_room(map);
    size_t mask = map->capacity * 2 - 1;
    size_t slot = hash & mask;
    while (map->slots[slot])
        slot = (slot + 1) & mask;
    char *copy = mem_alloc(key.size + 1);
    memcpy(copy, key.data, key.size);
    map->entries[map->used++] =
        (struct entry){.key = copy, .key_size = key.size, .hash = hash, .value = value};
    map->slots[slot] = (uint32_t)map->used;
    map->live++;
    return NULL;
}

void *map_remove(map *map, weir_text key) {
    key = present(key);
    struct entry *entry = find(map, key, map_hash(key, map->seed));
    if (!entry)
        return NULL;
    mem_free(entry->key);
    entry->key = NULL;
    map->live--;
    return entry->value;
}

bool map_next(const map *map, size_t *cursor, weir_text *key, void **value) {
    for (; *cursor < map->used; ++*cursor) {
        const struct entry *entry = &map->entries[*cursor];
        if (!entry->key)
            continue;
        if (key)
            *key = (weir_text){entry->key, entry->key_size};
        if (value)
            *value = entry->value;
        ++*cursor;
        return true;
    }
    return false;
}
