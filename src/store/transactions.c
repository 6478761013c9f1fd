/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing is one sort: rows by (last position of their transaction, position). What may not come yet is left out before. */
#include "store/transactions.h"

#include <stdlib.h>

#include "base/memory.h"

struct ranked {
    uint64_t xid;
    int64_t pos, last;
    size_t index;
};

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int by_transaction(const void *a, const void *b) {
    const struct ranked *one = a, *two = b;
    if (one->xid != two->xid)
        return one->xid < two->xid ? -1 : 1;
    return compare(one->pos, two->pos);
}

static int by_last(const void *a, const void *b) {
    const struct ranked *one = a, *two = b;
    return one->last != two->last ? compare(one->last, two->last) : compare(one->pos, two->pos);
}

/* Where the first row stands that the horizon holds back. */
static int64_t barrier_of(const struct txn_window *window) {
    for (size_t i = 0; window->horizon && i < window->count; i++)
        if (window->rows[i].xid >= window->horizon)
            return window->rows[i].pos;
    return INT64_MAX;
}

/* Every row learns where its transaction ends. */
static void rank(struct ranked *ranked, const struct txn_window *window) {
    size_t count = window->count;
    for (size_t i = 0; i < count; i++) {
        const struct txn_row *row = &window->rows[i];
        ranked[i] = (struct ranked){row->xid, row->pos, row->last ? row->last : row->pos, i};
    }
    qsort(ranked, count, sizeof *ranked, by_transaction);
    for (size_t i = count; i-- > 1;)
        if (ranked[i - 1].xid == ranked[i].xid && ranked[i - 1].last < ranked[i].last)
            ranked[i - 1].last = ranked[i].last;
    qsort(ranked, count, sizeof *ranked, by_last);
}

static const struct txn_giant *first_giant(const struct txn_window *window) {
    const struct txn_giant *first = NULL;
    for (size_t i = 0; i < window->giant_count; i++)
        if (!first || window->giants[i].last < first->last)
            first = &window->giants[i];
    return first;
}

/* How many come before `before`, of those that end among the rows and in front of the barrier. */
static size_t pick(size_t *order, const struct ranked *ranked, const struct txn_window *window,
                   int64_t barrier, int64_t before, bool *later) {
    size_t count = 0;
    int64_t end = window->count ? window->rows[window->count - 1].pos : 0;
    *later = false;
    for (size_t i = 0; i < window->count; i++) {
        if (ranked[i].last > end || ranked[i].last >= barrier)
            break;
        if (ranked[i].last > before) {
            *later = true;
            break;
        }
        order[count++] = ranked[i].index;
    }
    return count;
}

static bool ends_behind(const struct txn_window *window, int64_t pos) {
    return window->count > 0 && window->rows[window->count - 1].pos > pos;
}

struct txn_choice transactions_choose(const struct txn_window *window, size_t *order) {
    struct ranked *ranked = mem_alloc(window->count * sizeof *ranked);
    const struct txn_giant *giant = first_giant(window);
    int64_t barrier = barrier_of(window);
    bool later;
    rank(ranked, window);
    struct txn_choice choice = {.held = barrier != INT64_MAX, .held_by = window->horizon};
    choice.count = pick(order, ranked, window, barrier, giant ? giant->last : INT64_MAX, &later);
    mem_free(ranked);
    if (choice.count > 0)
        return choice;
    bool known = !window->full || (giant && ends_behind(window, giant->last)); /* all that ends before it? */
    if (!later && !known && !choice.held) {
        choice.next = TXN_FURTHER;
        return choice;
    }
    choice.next = giant && giant->last < barrier ? TXN_GIANT : TXN_NOTHING;
    if (choice.next == TXN_GIANT)
        choice.giant = *giant;
    return choice;
}
