/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a batch as ranges of positions, in the order of the stream: they need not ascend, none is there twice. Pure. */
#ifndef RELAY_RANGES_H
#define RELAY_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/outbox.h"

/* Adds a position at the end; ranges has room for one more than *count. */
void ranges_add(struct outbox_range *ranges, size_t *count, int64_t position);
uint64_t ranges_rows(const struct outbox_range *ranges, size_t count);
/* The position of row `index` in stream order; 0 when there are not so many. */
int64_t ranges_at(const struct outbox_range *ranges, size_t count, size_t index);
/* Is no position there twice? At most LIMIT_BATCH_EVENTS ranges, each with first <= last. */
bool ranges_disjoint(const struct outbox_range *ranges, size_t count);

#endif
