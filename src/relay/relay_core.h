/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay decides for one stream of one outbox. Pure: state, an input, an output; no I/O, no clock of
 * its own. The shell (relay.c) and the simulator (test/sim) drive the same functions. RELIABILITY A1, A9,
 * DESIGN section 7.
 *
 *   LOAD ──▶ READ_CURSOR ──▶ decide ──▶ (SETTLE) ──▶ ROWS ──batch──▶ SEND ──ack──▶ SETTLE ──▶ ROWS
 *    ▲                          ├──▶ READ_BACK ⇄ SETTLE ▶ ROWS         │
 *    │                          │                      ▲               │
 *    │                          │                      └──── PARK ◀────┤ one row is refused
 *    └───────── WAIT ◀──────────┼──── unknown outcome, refusal, failure┘
 *                               ├──▶ the stream forgot: SEND a fence ──ack──▶ HEAL ──▶ SETTLE ──▶ ROWS
 *                               └──▶ STOP: restored / fenced
 *
 * Whatever is in doubt leads to LOAD: the cursor in the stream and the row in the database are read, never
 * guessed. */
#ifndef RELAY_RELAY_CORE_H
#define RELAY_RELAY_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/outbox.h"

enum relay_want {
    WANT_LOAD,        /* outbox_flush, read outbox_streams, then STREAM.INFO -> relay_core_loaded */
    WANT_READ_CURSOR, /* read the last message on the cursor subject, from the leader -> relay_core_cursor */
    WANT_READ_BACK, /* read the cursor message at relay_core_back_seq, none if another one is there -> relay_core_back */
    WANT_HEAL,   /* outbox_unsend what the stream lost (relay_core_lost) -> relay_core_healed */
    WANT_SETTLE, /* outbox_settle(relay_core_settlement) -> relay_core_settled / _contradicted */
    WANT_ROWS,   /* ready: hand in a batch of at most relay_core_rows_max -> relay_core_batch */
    WANT_SEND, /* send relay_core_outgoing behind the batch's rows -> relay_core_acked / _refused / _unknown */
    WANT_PARK, /* the server refuses the one row of the batch: outbox_park -> relay_core_parked */
    WANT_WAIT, /* do nothing until relay_core_wait_until (monotonic) -> relay_core_tick */
    WANT_STOP  /* relay_core_stop says why; nothing more will be done for this stream */
};

enum relay_stop {
    STOP_NONE,
    STOP_RESTORED, /* database and stream contradict each other */
    STOP_FENCED    /* another relay is at work on this outbox */
};

/* What a cursor message says (cursor.h has its JSON). One that heals is a fence: it carries what its
 * predecessor said of its batch, and goes alone. */
struct relay_cursor {
    bool found;
    uint64_t sequence; /* where it stands in the stream; 0 until it is stored */
    char outbox[37];
    uint64_t batch_no, previous;
    uint64_t first;    /* sequence of the batch's first event; 0: the `count` messages before this one */
    uint64_t count;    /* events of the batch */
    uint64_t ids_hash; /* outbox_ids_hash over its rows */
    bool heal;
    size_t range_count;
    struct outbox_range ranges[LIMIT_BATCH_EVENTS];
};

typedef struct relay_core relay_core;

/* Starts wanting WANT_LOAD. `seed` makes the jitter of waits. */
relay_core *relay_core_new(const char *outbox_uuid, const char *stream, uint64_t seed);
void relay_core_free(relay_core *core); /* NULL is fine */
enum relay_want relay_core_want(const relay_core *core);

/* --- what happened: each gives back what is wanted next ---------------------------------------- */

/* The order of reading matters: the database first, then the stream, then the cursor. */
enum relay_want relay_core_loaded(relay_core *core, const struct outbox_stream *settled, const char *created,
                                  uint64_t first_seq, uint64_t last_seq);
enum relay_want relay_core_cursor(relay_core *core, const struct relay_cursor *cursor);
/* Several batches are stored and not settled: the cursor at relay_core_back_seq. Goes back to the one that follows what is
 * settled, then forward again, a settlement after each. */
enum relay_want relay_core_back(relay_core *core, const struct relay_cursor *cursor, int64_t mono_ns);
/* Rows whose events the stream no longer holds are pending again. */
enum relay_want relay_core_healed(relay_core *core);
/* The store has it; without `verify` it may be under way to the database. */
enum relay_want relay_core_settled(relay_core *core);
/* The store failed: settlements that were under way may be lost. Both witnesses are read anew, of a batch in flight when it
 * is heard of. */
enum relay_want relay_core_reload(relay_core *core);
/* The lease was lost and is ours again: what others settled meanwhile contradicts nothing. */
void relay_core_regained(relay_core *core);
/* outbox_settle refused (CONFLICT): other rows at the batch's positions, or the stream's row was moved
 * meanwhile. */
enum relay_want relay_core_contradicted(relay_core *core);
/* Rows of this stream, in its order (positions need not ascend, none twice); count 1..relay_core_rows_max. The core copies
 * positions only. */
enum relay_want relay_core_batch(relay_core *core, const int64_t *positions, size_t count, uint64_t ids_hash);
/* PubAck of the right stream: sequence of the cursor message, and how many messages the batch had. */
enum relay_want relay_core_acked(relay_core *core, uint64_t cursor_sequence, uint64_t count, int64_t mono_ns);
/* The server refused the whole batch: JetStream's err_code, whether it may pass by itself, its sentence. */
enum relay_want relay_core_refused(relay_core *core, int err_code, bool retriable, const char *why,
                                   int64_t mono_ns);
/* The same, and it is known that row `index` of the batch is the reason. */
enum relay_want relay_core_refused_row(relay_core *core, size_t index, const char *why);
enum relay_want relay_core_parked(relay_core *core);
/* No answer, or the connection broke: the batch may be there or not. */
enum relay_want relay_core_unknown(relay_core *core, const char *why, int64_t mono_ns);
/* Any I/O that failed before it could have an effect (load, read, heal, settle, park): wait, look again. */
enum relay_want relay_core_failed(relay_core *core, const char *why, int64_t mono_ns);
enum relay_want relay_core_tick(relay_core *core, int64_t mono_ns);
/* Look at the stream again: after a reconnect, and now and then. Only where nothing is in flight. */
enum relay_want relay_core_check(relay_core *core);
/* A row that was published is not where it was. Behind a fence WANT_HEAL follows, once stream and database are at one. */
enum relay_want relay_core_missed(relay_core *core);
/* The wait is over now: what was waited for may be there. */
enum relay_want relay_core_hurry(relay_core *core);

/* --- what is known ----------------------------------------------------------------------------- */

size_t relay_core_rows_max(const relay_core *core);   /* rows the next batch may have */
uint64_t relay_core_expected(const relay_core *core); /* the cursor the next batch expects; 0: none yet */
/* WANT_SEND: the cursor message to send, behind the rows of the batch; alone when it heals. */
const struct relay_cursor *relay_core_outgoing(const relay_core *core);
/* How often the witnesses were looked at. Rows read while it was another number must be read anew: their batch would
 * build on what was not known then. */
uint64_t relay_core_looks(const relay_core *core);
/* Batches were refused as incomplete: find out which message it is. */
bool relay_core_careful(const relay_core *core);
int64_t relay_core_wait_until(const relay_core *core);
int64_t relay_core_guilty(const relay_core *core);      /* WANT_PARK: the row */
const char *relay_core_refusal(const relay_core *core); /* WANT_PARK: the server's sentence */
enum relay_stop relay_core_stop(const relay_core *core);
const char *relay_core_trouble(const relay_core *core); /* a sentence, "" when all is well */
const char *relay_core_remedy(const relay_core *core);  /* WANT_STOP: what can be done */
/* WANT_SETTLE: what to write (now_us is the shell's). */
const struct outbox_settlement *relay_core_settlement(const relay_core *core);
bool relay_core_reconciling(const relay_core *core); /* WANT_SETTLE of a batch whose ack never came */
/* WANT_READ_BACK: which one. */
uint64_t relay_core_back_seq(const relay_core *core);
/* WANT_SETTLE: batches before this one were evicted before they were settled: their rows are sent again (A1's residue). */
bool relay_core_gap(const relay_core *core);

/* WANT_HEAL: does the stream still hold a row that was published at `sequence`? first_seq and last_seq are
 * read after the row was. When it must be read back: what was found there. */
enum relay_lost { LOST_NO, LOST_YES, LOST_READ_BACK };
enum relay_lost relay_core_lost(const relay_core *core, uint64_t sequence, uint64_t first_seq,
                                uint64_t last_seq);
/* Is it another stream of the same name, created again? */
bool relay_core_recreated(const relay_core *core);
/* `removes`: the stream removes single messages by itself (work queue, limit per subject), so absence proves
 * nothing. */
bool relay_core_lost_there(const relay_core *core, bool found, bool same_id, bool removes);

#endif
