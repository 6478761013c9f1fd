/* SPDX-License-Identifier: Apache-2.0 */
/* Settlements that wait for the next claim. Marking a batch takes the database several times as long as giving the next one, and
 * nobody waits for it: so the claim goes first, without the rows that are to be marked, and the database marks them while the
 * relay builds what it was given. Whatever else is asked comes behind them. */
#include <string.h>

#include "store/pg_outbox.h"

struct pg_args *pg_later_add(struct pg_later *later, const struct outbox_settlement *settlement) {
    for (size_t i = 0; i < settlement->range_count; i++) {
        const struct outbox_range *range = &settlement->ranges[i];
        size_t rows = (size_t)(range->last - range->first + 1);
        if (later->row_count + rows > later->row_capacity) {
            later->row_capacity = 2 * (later->row_count + rows);
            later->rows = mem_resize(later->rows, later->row_capacity * sizeof *later->rows);
        }
        for (int64_t pos = range->first; pos <= range->last; pos++)
            later->rows[later->row_count++] = pos;
    }
    struct pg_args *args = &later->args[later->count++];
    pg_args_clear(args);
    return args;
}

bool pg_later_full(const struct pg_later *later) {
    return later->count == PG_LATER_MAX;
}

void pg_later_clear(struct pg_later *later) {
    later->count = later->row_count = 0;
}

void pg_later_init(struct pg_later *later) {
    for (size_t i = 0; i < PG_LATER_MAX; i++)
        pg_args_init(&later->args[i]);
}

void pg_later_release(struct pg_later *later) {
    for (size_t i = 0; i < PG_LATER_MAX; i++)
        pg_args_release(&later->args[i]);
    mem_free(later->rows);
}

weir_code pg_later_send(pg_outbox *outbox, weir_error *err) {
    struct pg_later *later = &outbox->later;
    size_t count = later->count;
    weir_code code = WEIR_OK;
    pg_later_clear(later);
    for (size_t i = 0; i < count && code == WEIR_OK; i++) {
        outbox->unsettled++; /* unknown from here on, whatever becomes of it */
        code = pg_send(outbox->pg, "settle", &later->args[i], err);
        code = code != WEIR_OK ? code : pg_send_sync(outbox->pg, err);
    }
    return code;
}
