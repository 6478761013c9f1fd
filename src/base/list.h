/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array in an arena: `LIST(struct stream_def) streams;` then `list_push(arena, &streams, item)`. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <string.h>

#include "base/memory.h"

#define LIST(type)              \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

/* Appends a zeroed item and yields a pointer to it. Earlier pointers into items may move: keep indexes, or
 * pointers only after the last push. */
#define list_add(arena, list)                                                                         \
    ((list)->items =                                                                                  \
         list_grow_((arena), (list)->items, (list)->count, &(list)->capacity, sizeof *(list)->items), \
     &(list)->items[(list)->count++])
#define list_push(arena, list, item) (*list_add((arena), (list)) = (item))

static inline void *list_grow_(arena *arena, void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    size_t larger = *capacity ? *capacity * 2 : 8;
    void *moved = arena_alloc(arena, larger * size);
    if (count)
        memcpy(moved, items, count * size);
    *capacity = larger;
    return moved;
}

#endif
