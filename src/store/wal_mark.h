/* SPDX-License-Identifier: Apache-2.0 */
/* What following the log writes into the database, in the background, on a connection of its own. It is gathered and written
 * in *rounds*, one at a time, each one transaction: settlements, the position that will be confirmed, a heartbeat, messages
 * taken over as rows; and a look at what is pending. Nothing here waits but wal_mark_finish. */
#ifndef STORE_WAL_MARK_H
#define STORE_WAL_MARK_H

#include "store/outbox.h"
#include "store/pg.h"

typedef struct wal_mark wal_mark;

/* Prepares its statements on `pg`, which it owns from then on, also on failure. adopts: messages become rows of
 * outbox_events. */
WEIR_MUST_CHECK weir_code wal_mark_open(wal_mark **out, struct pg *pg, const char *slot, bool adopts,
                                        weir_error *err);
void wal_mark_close(wal_mark *mark);    /* NULL is fine; what is not written is lost */
struct pg *wal_mark_pg(wal_mark *mark); /* for other statements, while no round is under way */

/* --- gathering ---------------------------------------------------------------------------------- */

/* Copies the settlement; its number (1, 2, ...). */
uint64_t wal_mark_settle(wal_mark *mark, const struct outbox_settlement *settlement);
/* A message of the log; `errand` is given back when it is a row. */
void wal_mark_adopt(wal_mark *mark, int64_t errand, uint64_t lsn, weir_text content);
size_t wal_mark_settlements(const wal_mark *mark);        /* not in the database yet */
bool wal_mark_settles(const wal_mark *mark, int64_t pos); /* is the row in one of these? */
bool wal_mark_pressing(const wal_mark *mark); /* so much was gathered that a round should begin now */
bool wal_mark_waiting(const wal_mark *mark);  /* something was gathered that is in no round */

/* --- rounds ---------------------------------------------------------------------------------------- */

struct wal_round {
    uint64_t confirm; /* write this position down; 0: none */
    bool heartbeat, look;
    const char *const *held; /* look: types left out */
    size_t held_count;
};
/* Begins a round of everything gathered. Only when none is under way. */
WEIR_MUST_CHECK weir_code wal_mark_begin(wal_mark *mark, const struct wal_round *round, weir_error *err);
bool wal_mark_busy(const wal_mark *mark);
int wal_mark_socket(const wal_mark *mark);

struct wal_written {
    bool ended;       /* the round is in the database; else nothing below counts */
    uint64_t settled; /* settlements up to this number */
    uint64_t confirm; /* the position written down; 0: none */
    const int64_t *errands;
    size_t errand_count;
    bool looked;
    const int64_t *pending; /* positions, ascending */
    size_t pending_count;
    uint64_t looked_at; /* behind the commits of all of them */
    int64_t slot_bytes;
};
/* Takes what the server answered so far. Texts and arrays live until the next round begins. A failure, and CONFLICT when a
 * settlement does not fit what the database says, leaves nothing to do but wal_mark_close. */
WEIR_MUST_CHECK weir_code wal_mark_poll(wal_mark *mark, struct wal_written *out, weir_error *err);
/* The same, waiting for the end of the round. */
WEIR_MUST_CHECK weir_code wal_mark_finish(wal_mark *mark, struct wal_written *out, weir_error *err);

#endif
