/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are pending and that the log will not bring: somebody made them pending again, or the slot missed them. A pending
 * row that is neither in the window nor being settled is only a suspect, for the log may be behind the table; one that still
 * is when the log has been said beyond the look that found it, is a stray. Pure. */
#ifndef STORE_WAL_STRAY_H
#define STORE_WAL_STRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAL_SUSPECTS_MAX = 1000 };

struct wal_stray {
    int64_t suspects[WAL_SUSPECTS_MAX]; /* ascending */
    size_t count;
    uint64_t lsn; /* behind the commits of all of them */
};

void wal_stray_clear(struct wal_stray *stray);
/* A look found these pending (ascending; those we know of left out) and the log at lsn; `seen`: the log was said up to here.
 * True: one of them is a stray. */
bool wal_stray_look(struct wal_stray *stray, const int64_t *pending, size_t count, uint64_t lsn,
                    uint64_t seen);

#endif
