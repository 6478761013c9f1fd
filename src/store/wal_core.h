/* SPDX-License-Identifier: Apache-2.0 */
/* What following the log decides. Pure: what the log says, what the relay wants and the time are handed in.
 *
 *   CATCH_UP: claims are answered from the table, restricted to what snapshot S0 sees, until nothing of it is pending
 *   TAIL:     transactions S0 does not see come out of the log, in commit order, through a bounded window
 *
 * Exactly once follows from S0 alone; the slot only says how much of the log is kept. What cannot be told for sure leads
 * back to CATCH_UP: a row is pending in the table until it is settled, so nothing is lost by forgetting the window.
 *
 * A type whose stream takes nothing for long is *held*: its rows are dropped from the window, and stay pending in the table,
 * so that the log can be let go. When a claim wants it again, the table is read anew (RELIABILITY A3). */
#ifndef STORE_WAL_CORE_H
#define STORE_WAL_CORE_H

#include "base/memory.h"
#include "base/units.h"
#include "store/outbox.h"

enum { WAL_WINDOW_ROWS = 8192, WAL_WINDOW_BYTES = 8 << 20 };
#define WAL_HOLD_NS (60 * NS_PER_S)     /* nothing taken for so long: held */
#define WAL_HOLD_FULL_NS (5 * NS_PER_S) /* the same, while the window is full and others wait behind */

typedef struct wal_core wal_core;

wal_core *wal_core_new(void); /* in CATCH_UP, without a snapshot */
void wal_core_free(wal_core *core);
bool wal_core_tailing(const wal_core *core);

/* --- changing phase ----------------------------------------------------------------------------- */

/* Back to the table; the window is forgotten. Types stay held. */
void wal_core_catch_up(wal_core *core);
/* S0, as pg_current_snapshot() writes it. */
WEIR_MUST_CHECK weir_code wal_core_snapshot(wal_core *core, weir_text text, weir_error *err);
const char *wal_core_snapshot_text(const wal_core *core); /* "" before the first */
/* Every transaction before this one had ended in S0. */
uint64_t wal_core_snapshot_horizon(const wal_core *core);
/* Nothing that S0 sees is pending but rows of held types; the log goes on at `lsn`. */
void wal_core_tail(wal_core *core, uint64_t lsn);

/* --- what the log says (TAIL) ------------------------------------------------------------------- */

/* False: S0 sees it, its rows need not be handed in. */
bool wal_core_begin(wal_core *core, uint32_t xid);
/* A row of the transaction begun; copied. Its txn and ends_txn are set here. */
void wal_core_row(wal_core *core, const struct outbox_row *row);
/* Something of the transaction that is not a row and must be done before the log may be let go: done when
 * wal_core_done(the number given back) was called. It takes `bytes` of the window. */
int64_t wal_core_errand(wal_core *core, size_t bytes);
void wal_core_commit(wal_core *core, uint64_t end_lsn);
/* Everything up to here was said. */
void wal_core_seen(wal_core *core, uint64_t lsn);
bool wal_core_full(const wal_core *core); /* read no more of the log now */

/* --- what the relay does ------------------------------------------------------------------------ */

/* Which types the relay leaves out tells which streams are stuck: call it for each claim, in both phases. True: rows of a
 * held type are wanted, wal_core_catch_up is called for. */
bool wal_core_wanted(wal_core *core, const struct outbox_wanted *wanted, int64_t now_ns);
/* outbox_claim from the window, after wal_core_wanted. Whole transactions, where they fit. */
void wal_core_claim(wal_core *core, const struct outbox_wanted *wanted, arena *arena,
                    struct outbox_row **rows, size_t *count);
/* Is there anything a claim could give that was not there at the last one? */
bool wal_core_news(const wal_core *core);
/* A mark for outbox_span: every row of a whole transaction in the window now is below it. */
struct outbox_mark wal_core_mark(const wal_core *core);
bool wal_core_is_mark(struct outbox_mark mark); /* of a window, not of the table */
size_t wal_core_rows(const wal_core *core);
int64_t wal_core_first(const wal_core *core); /* position of the first row; 0: none */
bool wal_core_has(const wal_core *core, int64_t pos);

/* The row left the window: published in settlement `number` (which is durable when wal_core_durable says so), or parked
 * (0). Rows that are not here are no matter. */
void wal_core_done(wal_core *core, int64_t pos, uint64_t number);
/* Settlements up to this one are in the database. */
void wal_core_durable(wal_core *core, uint64_t number);
/* Up to here the log may be let go. */
uint64_t wal_core_confirmed(const wal_core *core);
/* Up to here it was said. */
uint64_t wal_core_said(const wal_core *core);

/* --- streams that are stuck --------------------------------------------------------------------- */

/* Holds the types nobody took for too long; how many rows left the window. */
size_t wal_core_hold(wal_core *core, int64_t now_ns);
bool wal_core_holds(const wal_core *core); /* any type */
/* The held types, in arena. */
size_t wal_core_held(const wal_core *core, arena *arena, const char ***types);

#endif
