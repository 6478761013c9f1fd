/* SPDX-License-Identifier: Apache-2.0 */
/* A hash map from text to pointer, with keys copied into it. Not thread-safe. Iterates in insertion order. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/text.h"

typedef struct map map;
map *map_new(void);
void map_free(map *map); /* values are not touched */
size_t map_count(const map *map);
void *map_get(const map *map, weir_text key);        /* NULL if absent */
void *map_put(map *map, weir_text key, void *value); /* returns the value replaced, or NULL */
void *map_remove(map *map, weir_text key);           /* returns the value removed, or NULL */
/* Visits: start with *cursor = 0; false at the end. Removing the entry just visited is allowed. */
bool map_next(const map *map, size_t *cursor, weir_text *key, void **value); /* key, value may be NULL */

/* The keyed hash the map is built on, for tables of other shapes: with a random seed, nobody can make keys
 * collide. */
uint64_t map_hash(weir_text key, const uint64_t seed[2]);

#endif
