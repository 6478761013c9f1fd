/* SPDX-License-Identifier: Apache-2.0 */
/* What was handed out and not settled yet, in memory. Batches are settled soon, so there are a few thousand at most; past a
 * bound the oldest are forgotten, which costs no more than the contiguity of one giant transaction. */
#include <stdlib.h>
#include <string.h>

#include "store/pg_outbox.h"

enum { HANDED_MAX = 1 << 18 };

void handed_add(struct handed *handed, const struct outbox_row *rows, size_t count) {
    if (handed->count + count > HANDED_MAX)
        handed->count = 0;
    if (handed->count + count > handed->capacity) {
        handed->capacity = 2 * (handed->count + count);
        handed->items = mem_resize(handed->items, handed->capacity * sizeof *handed->items);
    }
    for (size_t i = 0; i < count; i++)
        handed->items[handed->count++] = rows[i].pos;
}

void handed_copy(struct handed *to, const struct handed *from) {
    if (to->capacity < from->count) {
        to->capacity = from->count;
        to->items = mem_resize(to->items, to->capacity * sizeof *to->items);
    }
    if (from->count > 0)
        memcpy(to->items, from->items, from->count * sizeof *to->items);
    to->count = from->count;
}

static int by_first(const void *a, const void *b) {
    const struct outbox_range *one = a, *two = b;
    return (one->first > two->first) - (one->first < two->first);
}

/* Is pos in one of the ranges, which ascend and are disjoint? */
static bool inside(const struct outbox_range *ranges, size_t count, int64_t pos) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].last < pos)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low].first <= pos;
}

void handed_settled(struct handed *handed, const struct outbox_range *ranges, size_t count) {
    if (count == 0 || handed->count == 0)
        return;
    struct outbox_range *sorted = mem_alloc(count * sizeof *sorted);
    memcpy(sorted, ranges, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_first);
    size_t kept = 0;
    for (size_t i = 0; i < handed->count; i++)
        if (!inside(sorted, count, handed->items[i]))
            handed->items[kept++] = handed->items[i];
    handed->count = kept;
    mem_free(sorted);
}

static int by_position(const void *a, const void *b) {
    int64_t one = *(const int64_t *)a, two = *(const int64_t *)b;
    return (one > two) - (one < two);
}

size_t handed_lost(const struct handed *handed, const int64_t *flying, size_t flying_count, int64_t *out) {
    size_t lost = 0;
    int64_t *sorted = mem_alloc((flying_count + 1) * sizeof *sorted);
    if (flying_count > 0)
        memcpy(sorted, flying, flying_count * sizeof *sorted);
    qsort(sorted, flying_count, sizeof *sorted, by_position);
    for (size_t i = 0; i < handed->count; i++)
        if (!bsearch(&handed->items[i], sorted, flying_count, sizeof *sorted, by_position))
            out[lost++] = handed->items[i];
    mem_free(sorted);
    return lost;
}
