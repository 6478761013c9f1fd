/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of JSON values: enum, const, and the search for equal items. Hashes agree with json_equal: 1.0 and 1e0
 * hash as 1 does, objects hash without regard to order. */
#ifndef SCHEMA_VALUES_H
#define SCHEMA_VALUES_H

#include "base/memory.h"
#include "json/json.h"

uint64_t value_hash(const json *value, uint64_t seed);

struct value_set {
    const json *source; /* the keyword's value, for messages */
    const json **values;
    weir_text *texts; /* of those that are strings; absent for the others */
    size_t count;
    uint64_t *hashes; /* of the values, when there are many */
    uint32_t *slots;  /* index + 1 by hash; NULL when few */
    uint64_t mask;
};

/* The items of an array, or one value alone. */
struct value_set *value_set_new(struct arena *arena, const json *source, bool items);
bool value_set_has(const struct value_set *set, const json *value);

/* Scratch of the search for equal items; zeroed to begin with. */
struct equals {
    struct equal_slot *slots;
    size_t capacity;
    uint64_t seed;
};
/* True when two items of the array are equal; tells which. Linear in the size of the array. */
bool equals_find(struct equals *equals, const json *array, size_t *first, size_t *second);
void equals_release(struct equals *equals);

#endif
