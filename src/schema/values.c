/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of values. Few are compared one by one; many by hash, so that an enum of 100,000 words or an array of
 * 100,000 items costs one look each. Hashes of instances are seeded from the kernel: nobody can send an array
 * whose items all collide. */
#include "schema/values.h"

#include "base/random.h"

enum { FEW_VALUES = 8, FEW_ITEMS = 12 };

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash ^= value;
    hash *= 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

static uint64_t bytes_hash(uint64_t hash, const char *data, size_t size) {
    hash = mix(hash, size);
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        hash = mix(hash, word);
    }
    uint64_t rest = 0;
    memcpy(&rest, data, size);
    return mix(hash, rest);
}

/* The digits that count and where the point stands, so that 1, 1.0, 10e-1 and 0.1e1 agree. Exponents beyond
 * what any text could shift are one and the same. */
static uint64_t number_hash(uint64_t seed, weir_text text) {
    const int64_t far = (int64_t)1 << 50;
    uint64_t hash = mix(seed, 2), zeros = 0;
    int64_t point = 0, exponent = 0;
    bool fraction = false, any = false, negative = text.size && text.data[0] == '-';
    size_t i = negative;
    for (; i < text.size && text.data[i] != 'e' && text.data[i] != 'E'; i++) {
        char c = text.data[i];
        if (c == '.') {
            fraction = true;
            continue;
        }
        point += !fraction && (any || c != '0');
        point -= fraction && !any && c == '0';
        if (c == '0') {
            zeros += any;
            continue;
        }
        for (any = true; zeros; zeros--)
            hash = mix(hash, '0');
        hash = mix(hash, (unsigned char)c);
    }
    bool down = i + 1 < text.size && text.data[i + 1] == '-';
    for (i++; i < text.size; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9' && exponent < far * 4)
            exponent = exponent * 10 + (text.data[i] - '0');
    point += down ? -exponent : exponent;
    if (!any)
        return mix(seed, 3); /* zero, of whatever sign */
    point = point > far ? far : point < -far ? -far : point;
    return mix(mix(hash, negative), (uint64_t)point);
}

uint64_t value_hash(const json *value, uint64_t seed) {
    uint64_t hash;
    switch (json_type_of(value)) {
    case JSON_NULL:
        return mix(seed, 1);
    case JSON_BOOL:
        return mix(seed, json_true(value) ? 5 : 6);
    case JSON_NUMBER:
        return number_hash(seed, json_number(value));
    case JSON_STRING:
        return bytes_hash(mix(seed, 4), json_text(value).data, json_text(value).size);
    case JSON_ARRAY:
        hash = mix(seed, 7);
        for (struct json_iter it = json_iter(value); json_next(&it);)
            hash = mix(hash, value_hash(it.value, seed));
        return hash;
    case JSON_OBJECT:
        hash = 0;
        for (struct json_iter it = json_iter(value); json_next(&it);)
            hash += mix(bytes_hash(seed, it.key.data, it.key.size), value_hash(it.value, seed));
        return mix(mix(seed, 8), hash);
    }
    return seed;
}

static bool equal(const json *a, const json *b) {
    if (json_is(a, JSON_STRING) && json_is(b, JSON_STRING)) {
        weir_text x = json_text(a), y = json_text(b);
        return x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    }
    return json_type_of(a) == json_type_of(b) && json_equal(a, b);
}

/* --- enum and const ------------------------------------------------------------------------------------- */

/* A value that is written again takes the place of the first: many of them would make a long row to step over. */
static bool is_same(const struct value_set *set, size_t a, size_t b) {
    return set->hashes[a] == set->hashes[b] && equal(set->values[a], set->values[b]);
}

static void value_set_index(struct arena *arena, struct value_set *set) {
    set->mask = 31;
    while (set->mask < set->count * 2)
        set->mask = set->mask * 2 + 1;
    set->slots = arena_alloc(arena, (set->mask + 1) * sizeof *set->slots);
    set->hashes = arena_alloc(arena, set->count * sizeof *set->hashes);
    for (size_t i = 0; i < set->count; i++) {
        set->hashes[i] = value_hash(set->values[i], 0);
        uint64_t at = set->hashes[i] & set->mask;
        while (set->slots[at] && !is_same(set, set->slots[at] - 1, i))
            at = (at + 1) & set->mask;
        set->slots[at] = (uint32_t)i + 1;
    }
}

struct value_set *value_set_new(struct arena *arena, const json *source, bool items) {
    struct value_set *set = arena_alloc(arena, sizeof *set);
    set->source = source;
    set->values = arena_alloc(arena, (items ? json_size(source) + 1 : 1) * sizeof *set->values);
    if (!items)
        set->values[set->count++] = source;
    for (struct json_iter it = json_iter(items ? source : NULL); json_next(&it);)
        set->values[set->count++] = it.value;
    set->texts = arena_alloc(arena, (set->count + 1) * sizeof *set->texts);
    for (size_t i = 0; i < set->count; i++)
        set->texts[i] = json_text(set->values[i]);
    if (set->count > FEW_VALUES)
        value_set_index(arena, set);
    return set;
}

/* A few values: nearly always strings, whose text is at hand. */
static bool few_have(const struct value_set *set, const json *value) {
    weir_text text = json_text(value);
    for (size_t i = 0; i < set->count; i++) {
        weir_text other = set->texts[i];
        if (!text.data != !other.data)
            continue;
        if (text.data ? text_same(text, other) : equal(set->values[i], value))
            return true;
    }
    return false;
}

bool value_set_has(const struct value_set *set, const json *value) {
    if (!set->slots)
        return few_have(set, value);
    uint64_t hash = value_hash(value, 0);
    for (uint64_t at = hash & set->mask; set->slots[at]; at = (at + 1) & set->mask) {
        size_t index = set->slots[at] - 1;
        if (set->hashes[index] == hash && equal(set->values[index], value))
            return true;
    }
    return false;
}

/* --- equal items ---------------------------------------------------------------------------------------- */

struct equal_slot {
    uint64_t hash;
    const json *value; /* NULL: empty */
    size_t index;
};

static bool equals_few(const json *array, size_t *first, size_t *second) {
    const json *items[FEW_ITEMS];
    size_t count = 0;
    for (struct json_iter it = json_iter(array); json_next(&it); count++) {
        for (size_t i = 0; i < count; i++)
            if (equal(items[i], it.value)) {
                *first = i;
                *second = count;
                return true;
            }
        items[count] = it.value;
    }
    return false;
}

bool equals_find(struct equals *equals, const json *array, size_t *first, size_t *second) {
    size_t count = json_size(array), mask = 63, index = 0;
    if (count <= FEW_ITEMS)
        return equals_few(array, first, second);
    if (!equals->seed)
        random_bytes(&equals->seed, sizeof equals->seed);
    while (mask < count * 2)
        mask = mask * 2 + 1;
    if (mask + 1 > equals->capacity) {
        mem_free(equals->slots);
        equals->capacity = mask + 1;
        equals->slots = mem_alloc(equals->capacity * sizeof *equals->slots);
    }
    memset(equals->slots, 0, (mask + 1) * sizeof *equals->slots);
    for (struct json_iter it = json_iter(array); json_next(&it); index++) {
        uint64_t hash = value_hash(it.value, equals->seed);
        size_t at = hash & mask;
        for (; equals->slots[at].value; at = (at + 1) & mask)
            if (equals->slots[at].hash == hash && equal(equals->slots[at].value, it.value)) {
                *first = equals->slots[at].index;
                *second = index;
                return true;
            }
        equals->slots[at] = (struct equal_slot){hash, it.value, index};
    }
    return false;
}

void equals_release(struct equals *equals) {
    mem_free(equals->slots);
}
