/* SPDX-License-Identifier: Apache-2.0 */
/* The property names an object's rules know, found in about one comparison: names mostly come in the schema's
 * own order, so the one after the last hit is tried first; then a hash table that is free of collisions when
 * a multiplier for that is found. Zeroed to begin with. */
#ifndef SCHEMA_KEYS_H
#define SCHEMA_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

struct node;

struct key {
    weir_text name;
    struct node *node; /* of properties; NULL when only required */
    bool required;
};

struct keys {
    struct key *items; /* in the order they were added */
    size_t count, capacity;
    uint32_t *slots; /* index + 1 by hash; 0 is empty; open addressing */
    uint32_t mask;
    uint32_t multiplier; /* of the hash without collisions; 0: none was found, the whole name is hashed */
};

/* The entry of that name, made when it is not there yet. Entries may move until keys_finish. */
struct key *keys_add(struct arena *arena, struct keys *keys, weir_text name);
void keys_finish(struct arena *arena, struct keys *keys);

/* Finds name; *next is the guess and becomes the one after the hit. NULL when it is not there. */
const struct key *keys_find(const struct keys *keys, weir_text name, size_t *next);

#endif
