/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* The map, also against a plain model under random puts and removals. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"

static weir_text of(const char *string) {
    return weir_text_of(string);
}

static void keeps_what_is_put(void **state) {
    (void)state;
    int one = 1, two = 2;
    map *map = map_new();
    assert_null(map_get(map, of("a")));
    assert_null(map_put(map, of("a"), &one));
    assert_ptr_equal(map_put(map, of("a"), &two), &one);
    assert_ptr_equal(map_get(map, of("a")), &two);
    assert_int_equal(map_count(map), 1);
    assert_ptr_equal(map_remove(map, of("a")), &two);
    assert_null(map_remove(map, of("a")));
    assert_int_equal(map_count(map), 0);
    map_free(map);
    map_free(NULL);
}

static void keys_are_copied(void **state) {
    (void)state;
    int value;
    char key[] = "key";
    map *map = map_new();
    map_put(map, of(key), &value);
    key[0] = 'x';
    assert_ptr_equal(map_get(map, of("key")), &value);
    assert_null(map_get(map, of("xey")));
    map_free(map);
}

static void keys_may_hold_anything(void **state) {
    (void)state;
    int a, b, c;
    map *map = map_new();
    map_put(map, (weir_text){"x\0y", 3}, &a);
    map_put(map, (weir_text){"x\0z", 3}, &b);
    map_put(map, of(""), &c);
    assert_ptr_equal(map_get(map, (weir_text){"x\0y", 3}), &a);
    assert_ptr_equal(map_get(map, (weir_text){"x\0z", 3}), &b);
    assert_ptr_equal(map_get(map, (weir_text){0}), &c);
    assert_null(map_get(map, of("x")));
    map_free(map);
}

static void visits_in_order_of_insertion(void **state) {
    (void)state;
    static const char *const words[] = {"one", "two", "three", "four", "five"};
    map *map = map_new();
    for (size_t i = 0; i < 5; i++)
        map_put(map, of(words[i]), (void *)words[i]);
    map_put(map, of("two"), (void *)words[1]); /* replacing keeps the place */
    size_t cursor = 0, seen = 0;
    weir_text key;
    void *value;
    while (map_next(map, &cursor, &key, &value)) {
        assert_true(strncmp(key.data, words[seen], key.size) == 0);
        assert_ptr_equal(value, words[seen++]);
    }
    assert_int_equal(seen, 5);
    map_free(map);
}

static void the_removed_is_not_visited(void **state) {
    (void)state;
    map *map = map_new();
    map_put(map, of("a"), map);
    map_put(map, of("b"), map);
    map_put(map, of("c"), map);
    map_remove(map, of("a"));
    map_remove(map, of("c"));
    size_t cursor = 0;
    weir_text key;
    assert_true(map_next(map, &cursor, &key, NULL));
    assert_memory_equal(key.data, "b", 1);
    assert_false(map_next(map, &cursor, &key, NULL));
    assert_false(map_next(map, &cursor, &key, NULL));
    map_free(map);
}

static void the_visited_may_be_removed(void **state) {
    (void)state;
    map *map = map_new();
    char key[16];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        map_put(map, of(key), map);
    }
    size_t cursor = 0, seen = 0;
    weir_text visited;
    while (map_next(map, &cursor, &visited, NULL)) {
        map_remove(map, visited);
        seen++;
    }
    assert_int_equal(seen, 100);
    assert_int_equal(map_count(map), 0);
    map_free(map);
}

static void agrees_with_a_model(void **state) {
    (void)state;
    enum { KEYS = 300, STEPS = 40000 };
    static int values[KEYS];
    bool present[KEYS] = {false};
    size_t count = 0;
    uint64_t random = 88172645463325252u;
    map *map = map_new();
    for (int step = 0; step < STEPS; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int number = (int)(random % KEYS);
        char key[16];
        snprintf(key, sizeof key, "key-%d", number);
        void *expected = present[number] ? &values[number] : NULL;
        assert_ptr_equal(map_get(map, of(key)), expected);
        bool put = random >> 32 & 1;
        assert_ptr_equal(put ? map_put(map, of(key), &values[number]) : map_remove(map, of(key)), expected);
        count += (size_t)put - (size_t)present[number];
        present[number] = put;
        assert_int_equal(map_count(map), count);
    }
    map_free(map);
}

static void the_hash_is_siphash(void **state) {
    (void)state;
    /* The key and messages of the SipHash paper's test vectors; values for 1-3 rounds. */
    uint64_t seed[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    const char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_true(map_hash((weir_text){bytes, 0}, seed) == 0xabac0158050fc4dc);
    assert_true(map_hash((weir_text){bytes, 1}, seed) == 0xc9f49bf37d57ca93);
    assert_true(map_hash((weir_text){bytes, 8}, seed) == 0x369095118d299a8e);
    assert_true(map_hash((weir_text){bytes, 9}, seed) == 0x25a48eb36c063de4);
}

static const struct spec specs[] = {
    {"a map keeps what is put and gives back what is replaced", keeps_what_is_put},
    {"keys are copied", keys_are_copied},
    {"keys may be empty or hold NUL", keys_may_hold_anything},
    {"a visit goes in order of insertion", visits_in_order_of_insertion},
    {"a removed entry is not visited", the_removed_is_not_visited},
    {"an entry just visited may be removed", the_visited_may_be_removed},
    {"a map agrees with a model under random steps", agrees_with_a_model},
    {"the hash is SipHash with one and three rounds", the_hash_is_siphash},
};
SPEC_MAIN(specs)
