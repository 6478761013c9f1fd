/* SPDX-License-Identifier: Apache-2.0 */
/* The window, as the two files of its core see it. */
#ifndef STORE_WAL_CORE_STATE_H
#define STORE_WAL_CORE_STATE_H

#include "base/limits.h"
#include "base/map.h"
#include "store/wal_core.h"
#include "store/wal_snapshot.h"

enum { WAL_INDEX = 4 * WAL_WINDOW_ROWS };

struct wal_type {
    char *name;
    size_t rows; /* of it in the window */
    bool held;
    bool known;        /* a claim named it, so it is of the catalog */
    uint64_t listed;   /* the claim that named it last */
    uint64_t left_out; /* the claim that left it out last, of those that leave out (core->looks) */
    int64_t since_ns;  /* left out since then, or the last row of it was taken then */
};

struct wal_txn {
    struct wal_txn *prev, *next;
    uint64_t xid;
    uint64_t before; /* the log had been said up to here */
    uint64_t number; /* the last settlement of a row of it */
    size_t rows, undone;
    bool complete; /* its commit was said */
};

struct wal_row {
    struct wal_row *prev, *next;
    struct wal_txn *txn;
    struct wal_type *type; /* NULL: an errand */
    uint64_t ordinal;
    uint64_t flying; /* the claim that said so */
    size_t bytes;
    struct outbox_row row;
    char texts[];
};

struct wal_core {
    bool tailing;
    struct wal_snapshot snapshot;
    char *snapshot_text;
    /* what the log said */
    uint64_t seen, confirmed;
    uint64_t xid;         /* of the transaction being said */
    bool within;          /* a transaction is being said ... */
    struct wal_txn *open; /* ... and there is something of it */
    /* the window */
    struct wal_row *first_row, *last_row;
    struct wal_txn *first_txn, *last_txn;
    struct wal_row *index[WAL_INDEX];
    size_t rows, bytes;
    uint64_t ordinals, durable;
    uint64_t closed; /* the last ordinal of a transaction that was said to its end */
    int64_t errands; /* their numbers go down from 0 */
    bool news;
    /* what is wanted */
    map *types;
    uint64_t claims, looks;
    int64_t now_ns;
};

struct wal_row *wal_core_find(const wal_core *core, int64_t pos);
void wal_core_remove(wal_core *core, struct wal_row *row);

struct wal_type *wal_type_of(wal_core *core, weir_text name); /* made when there is none */
void wal_type_leave(wal_core *core, struct wal_type *type);   /* a row of it left the window */
void wal_type_tidy(wal_core *core, struct wal_type *type);    /* forgets one that nothing needs */
void wal_types_release(wal_core *core);

#endif
