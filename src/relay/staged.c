/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is all the rows of its claim or none: rows behind one that was not sent may not go before it. So a broken batch takes
 * no more rows, even where the connection is back at once, and is only ever dropped. */
#include "relay/staged.h"

#include <stdio.h>

#include "store/outbox.h"

bool staged_begins(const struct staged *staged) {
    return staged->count == 0 && !staged->broken;
}

void staged_begin(struct staged *staged, const char *batch_id, uint64_t epoch, uint64_t looks) {
    snprintf(staged->batch_id, sizeof staged->batch_id, "%s", batch_id);
    staged->epoch = epoch;
    staged->looks = looks;
    staged->bytes = staged->count = 0;
    staged->ids_hash = OUTBOX_HASH_START;
    staged->first_token = 0;
    staged->goes_on = false;
}

void staged_add(struct staged *staged, int64_t pos, weir_text id, size_t bytes) {
    staged->positions[staged->count++] = pos;
    staged->ids_hash = outbox_ids_hash(staged->ids_hash, id);
    staged->bytes += bytes;
}

void staged_break(struct staged *staged) {
    staged->broken = true;
}

void staged_drop(struct staged *staged) {
    staged->count = 0;
    staged->broken = false;
}

bool staged_fits(const struct staged *staged, uint64_t epoch, uint64_t looks, size_t rows_max) {
    return staged->count > 0 && staged->count <= rows_max && staged->epoch == epoch &&
           staged->looks == looks && !staged->broken;
}
