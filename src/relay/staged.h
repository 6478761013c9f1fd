/* SPDX-License-Identifier: Apache-2.0 */
/* Rows whose events were sent under a batch id and wait for the cursor message that commits them. Pure: what may be committed
 * is exactly what a claim gave, from its first row on; a batch that lost a row is over, whatever is sent afterwards. */
#ifndef RELAY_STAGED_H
#define RELAY_STAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "weir/text.h"

struct staged {
    char batch_id[64];
    uint64_t epoch; /* of the connection they went over */
    uint64_t looks; /* relay_core_looks when they were read */
    size_t bytes, count;
    int64_t positions[LIMIT_BATCH_EVENTS];
    uint64_t ids_hash;
    bool goes_on;         /* its last row's transaction may have more for this stream */
    uint64_t first_token; /* not 0: every message asks for an answer, and row i for this + i */
    bool broken;          /* the connection refused one of them; until it is dropped */
};

/* Must a batch begin before the next row is sent? Not where one broke: its rows would be passed over. */
bool staged_begins(const struct staged *staged);
/* An empty batch; `batch_id` is copied. */
void staged_begin(struct staged *staged, const char *batch_id, uint64_t epoch, uint64_t looks);
/* A row was sent: its position, its event's id and size. */
void staged_add(struct staged *staged, int64_t pos, weir_text id, size_t bytes);
void staged_break(struct staged *staged);
void staged_drop(struct staged *staged);
/* May it be committed by who looked so often, over this connection, with so many rows at most? */
bool staged_fits(const struct staged *staged, uint64_t epoch, uint64_t looks, size_t rows_max);

#endif
