/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot as pg_current_snapshot() writes it, "xmin:xmax:xip,xip,...": which transactions had ended when it was taken. */
#ifndef STORE_WAL_SNAPSHOT_H
#define STORE_WAL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

struct wal_snapshot {
    uint64_t xmin, xmax;
    uint64_t *running; /* ascending, all of them in [xmin, xmax) */
    size_t count;
};

/* Replaces what `snapshot` holds (zeroed at first). INVALID when the text is none; nothing is changed then. */
WEIR_MUST_CHECK weir_code wal_snapshot_read(struct wal_snapshot *snapshot, weir_text text, weir_error *err);
void wal_snapshot_release(struct wal_snapshot *snapshot);
/* Had the transaction ended? One that had and was committed is what the snapshot sees. */
bool wal_snapshot_ended(const struct wal_snapshot *snapshot, uint64_t xid);
/* The whole id of a transaction of about the snapshot's time, of which the log tells the lower half. */
uint64_t wal_snapshot_xid(const struct wal_snapshot *snapshot, uint32_t low);

#endif
