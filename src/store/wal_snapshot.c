/* SPDX-License-Identifier: Apache-2.0 */
/* The log numbers transactions with 32 bits, which come round every four billion; a snapshot has all 64. Nothing that is
 * still in the log is two billion transactions away from a snapshot, PostgreSQL itself sees to that: so the nearest id with
 * these lower bits is the one. */
#include "store/wal_snapshot.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"

static bool read_number(weir_text *text, uint64_t *out) {
    size_t digits = 0;
    *out = 0;
    for (; digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9'; digits++)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(text->data[digits] - '0'), out))
            return false;
    text->data += digits;
    text->size -= digits;
    return digits > 0;
}

static bool read_char(weir_text *text, char wanted) {
    if (text->size == 0 || text->data[0] != wanted)
        return false;
    text->data++;
    text->size--;
    return true;
}

/* xip,xip,...: ascending, as PostgreSQL sorts them. */
static bool read_running(struct wal_snapshot *snapshot, weir_text text) {
    snapshot->running = mem_alloc((text.size + 1) / 2 * sizeof *snapshot->running);
    while (text.size > 0) {
        uint64_t xid, least = snapshot->count ? snapshot->running[snapshot->count - 1] + 1 : snapshot->xmin;
        if (!read_number(&text, &xid) || xid < least || xid >= snapshot->xmax)
            return false;
        snapshot->running[snapshot->count++] = xid;
        if (text.size > 0 && (!read_char(&text, ',') || text.size == 0))
            return false;
    }
    return true;
}

weir_code wal_snapshot_read(struct wal_snapshot *snapshot, weir_text text, weir_error *err) {
    struct wal_snapshot read = {0};
    weir_text rest = text;
    bool well = read_number(&rest, &read.xmin) && read_char(&rest, ':') && read_number(&rest, &read.xmax) &&
                read_char(&rest, ':') && read.xmin <= read.xmax && read_running(&read, rest);
    if (!well) {
        wal_snapshot_release(&read);
        return weir_fail(err, WEIR_INVALID, "'%.*s' is no snapshot of PostgreSQL",
                         (int)(text.size < 80 ? text.size : 80), text.data ? text.data : "");
    }
    wal_snapshot_release(snapshot);
    *snapshot = read;
    return WEIR_OK;
}

void wal_snapshot_release(struct wal_snapshot *snapshot) {
    mem_free(snapshot->running);
    *snapshot = (struct wal_snapshot){0};
}

bool wal_snapshot_ended(const struct wal_snapshot *snapshot, uint64_t xid) {
    if (xid < snapshot->xmin)
        return true;
    if (xid >= snapshot->xmax)
        return false;
    size_t low = 0, high = snapshot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->running[middle] < xid)
            low = middle + 1;
        else
            high = middle;
    }
    return low == snapshot->count || snapshot->running[low] != xid;
}

uint64_t wal_snapshot_xid(const struct wal_snapshot *snapshot, uint32_t low) {
    int32_t ahead = (int32_t)(low - (uint32_t)snapshot->xmax);
    return snapshot->xmax + (uint64_t)(int64_t)ahead;
}
