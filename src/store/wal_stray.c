/* SPDX-License-Identifier: Apache-2.0 */
/* A row committed before a look stands in the log before the look's position. So when the log was said beyond that, the row
 * came by, and is in the window or being settled, or it did not and never will. Suspicion needs two looks: what was parked or
 * settled between the asking and the answer is gone from the second. */
#include "store/wal_stray.h"

#include <string.h>

void wal_stray_clear(struct wal_stray *stray) {
    stray->count = 0;
}

static bool was_suspect(const struct wal_stray *stray, int64_t pos) {
    for (size_t i = 0; i < stray->count && stray->suspects[i] <= pos; i++)
        if (stray->suspects[i] == pos)
            return true;
    return false;
}

bool wal_stray_look(struct wal_stray *stray, const int64_t *pending, size_t count, uint64_t lsn,
                    uint64_t seen) {
    size_t kept = count < WAL_SUSPECTS_MAX ? count : WAL_SUSPECTS_MAX;
    bool passed = stray->count > 0 && seen >= stray->lsn;
    for (size_t i = 0; i < kept && passed; i++)
        if (was_suspect(stray, pending[i]))
            return true;
    if (stray->count > 0 && !passed)
        return false; /* the older suspicion is kept until the log is there */
    if (kept > 0)
        memcpy(stray->suspects, pending, kept * sizeof *pending);
    stray->count = kept;
    stray->lsn = lsn;
    return false;
}
