/* SPDX-License-Identifier: Apache-2.0 */
/* The property names an object's rules know, found in about one comparison: names mostly come in the order of
 * `properties`, so the one that follows the last hit there is tried first; then a hash table that is free of collisions
 * when a multiplier for that is found. Zeroed to begin with. */
#ifndef SCHEMA_KEYS_H
#define SCHEMA_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"
#include "json/value.h"

struct node;

struct key {
    weir_text name;
    struct node *node; /* of properties; NULL when only required */
    bool required;
    uint64_t word, mask; /* the first eight bytes of the name, and which of them count */
    uint64_t last;       /* the last eight bytes of a longer name */
    uint64_t
        bit; /* its own below the highest; all of them when there are too many names, or nobody looks at its value */
    uint32_t rank;              /* in properties, from 1; 0: not among them */
    const struct node *rest;    /* node, or the one of the properties that are not named; for who runs */
    const struct key *follower; /* in the order of properties; never NULL once finished */
};

struct keys {
    struct key *items; /* in the order they were added */
    size_t count, capacity;
    uint32_t *slots; /* index + 1 by hash; 0 is empty; open addressing */
    uint32_t mask;
    const struct key *first; /* in the order of properties; never NULL once finished */
    uint32_t multiplier;     /* of the hash without collisions; 0: none was found, the whole name is hashed */
};

/* The entry of that name, made when it is not there yet. Entries may move until keys_finish. */
struct key *keys_add(struct arena *arena, struct keys *keys, weir_text name);
void keys_finish(struct arena *arena, struct keys *keys);

/* Finds name; *next is the guess and becomes the one after the hit. NULL when it is not there. */
const struct key *keys_find(const struct keys *keys, weir_text name, size_t *next);
const struct key *keys_look_up(const struct keys *keys, weir_text name); /* without a guess */

static inline bool key_is(const struct key *key, const json *name) {
    weir_text text = json_own_text(name);
    if (text.size != key->name.size || ((json_key_word(name) ^ key->word) & key->mask))
        return false;
    if (text.size <= 8)
        return true;
    uint64_t last;
    memcpy(&last, text.data + text.size - 8, sizeof last);
    return last == key->last && (text.size <= 16 || memcmp(text.data, key->name.data, text.size) == 0);
}

/* For one name after the other, in the order of properties: *guess begins as keys->first and becomes the follower of each hit. */
static inline const struct key *keys_next(const struct keys *keys, const json *name,
                                          const struct key **guess) {
    const struct key *key = key_is(*guess, name) ? *guess : keys_look_up(keys, json_own_text(name));
    if (key)
        *guess = key->follower;
    return key;
}

#endif
