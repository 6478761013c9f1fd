/* SPDX-License-Identifier: Apache-2.0 */
/* In which order committed rows are handed out, where positions are given before commits. Pure.
 *
 * Writers that serialise on a key take their positions one after the other, so by key the order of positions is the order of
 * commits, among the rows one snapshot sees. Whole transactions are ordered by their LAST position: if T1 committed before
 * T2 wrote the same key, all positions of T1 are lower than that row's, and so than T2's last. (By the first one it may be
 * the other way round.) A transaction that goes on behind the rows at hand waits, and those that end among them go first.
 * One that is larger than a claim (a giant) comes in parts once nothing that ends before it is left. */
#ifndef STORE_TRANSACTIONS_H
#define STORE_TRANSACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct txn_row {
    int64_t pos;
    uint64_t xid;
    int64_t last; /* the last position of its transaction, when that lies behind the rows given; else 0 */
};

/* A transaction that is left out of the rows, because it goes on behind them. */
struct txn_giant {
    uint64_t xid;
    int64_t last;
};

struct txn_window {
    const struct txn_row
        *rows; /* ascending by pos: everything wanted from the front on, but for the giants */
    size_t count;
    bool full; /* there may be more behind */
    uint64_t
        horizon; /* the first row written at or behind it holds back itself and all rows behind; 0: none does */
    const struct txn_giant *giants;
    size_t giant_count;
};

enum txn_next {
    TXN_ROWS,    /* these, in this order */
    TXN_GIANT,   /* that one's rows */
    TXN_FURTHER, /* nothing ends here: look again without any of these transactions */
    TXN_NOTHING
};

struct txn_choice {
    enum txn_next next;
    size_t count; /* TXN_ROWS: how many of `order` */
    struct txn_giant giant;
    bool held;        /* the horizon holds rows back */
    uint64_t held_by; /* ... for the transaction that has this number; the horizon itself */
};

/* order has room for window->count indexes into rows. */
struct txn_choice transactions_choose(const struct txn_window *window, size_t *order);

#endif
