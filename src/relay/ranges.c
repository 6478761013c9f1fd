/* SPDX-License-Identifier: Apache-2.0 */
/* Mostly a batch is one range. Where transactions overlap it is a few, and now and then their positions go back; only then
 * the look for doubles sorts a copy. */
#include "relay/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"

void ranges_add(struct outbox_range *ranges, size_t *count, int64_t position) {
    struct outbox_range *last = *count ? &ranges[*count - 1] : NULL;
    if (last && position == last->last + 1)
        last->last = position;
    else
        ranges[(*count)++] = (struct outbox_range){position, position};
}

uint64_t ranges_rows(const struct outbox_range *ranges, size_t count) {
    uint64_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += (uint64_t)(ranges[i].last - ranges[i].first) + 1;
    return rows;
}

int64_t ranges_at(const struct outbox_range *ranges, size_t count, size_t index) {
    for (size_t i = 0; i < count; i++) {
        size_t rows = (size_t)(ranges[i].last - ranges[i].first) + 1;
        if (index < rows)
            return ranges[i].first + (int64_t)index;
        index -= rows;
    }
    return 0;
}

/* --- doubles ----------------------------------------------------------------------------------- */

static bool ascend(const struct outbox_range *ranges, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (ranges[i].first <= ranges[i - 1].last)
            return false;
    return true;
}

static int by_first(const void *a, const void *b) {
    int64_t left = ((const struct outbox_range *)a)->first, right = ((const struct outbox_range *)b)->first;
    return (left > right) - (left < right);
}

bool ranges_disjoint(const struct outbox_range *ranges, size_t count) {
    struct outbox_range sorted[LIMIT_BATCH_EVENTS];
    WEIR_ASSERT(count <= LIMIT_BATCH_EVENTS);
    if (ascend(ranges, count))
        return true;
    memcpy(sorted, ranges, count * sizeof *ranges);
    qsort(sorted, count, sizeof *sorted, by_first);
    return ascend(sorted, count);
}
