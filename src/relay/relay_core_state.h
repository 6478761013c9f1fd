/* SPDX-License-Identifier: Apache-2.0 */
/* What a relay core remembers, and how its files share the work: relay_core.c hears what happened, relay_core_decide.c
 * judges the witnesses, relay_core_view.c tells. Nobody else sees it. */
#ifndef RELAY_RELAY_CORE_STATE_H
#define RELAY_RELAY_CORE_STATE_H

#include "base/limits.h"
#include "relay/relay_core.h"

/* Under way, one whose answer is being heard, one in flight. */
enum { RELAY_CHAIN_MAX = OUTBOX_UNSETTLED_MAX + 2 };

/* What a SETTLE in progress is for. */
enum settle_kind { SETTLE_REGISTER, SETTLE_ACKED, SETTLE_RECONCILE, SETTLE_HEALED };

struct relay_core {
    char uuid[37], stream[LIMIT_STREAM_NAME_BYTES + 1];
    enum relay_want want;
    uint64_t random, looks;
    /* the witnesses, as last read */
    struct outbox_stream settled;
    char created[40];
    uint64_t first_seq, last_seq;
    bool recreated;
    bool missed;          /* a row is not where it was published */
    uint64_t durable_seq; /* S as the database was known to have it; settlements under way may be ahead */
    struct {
        bool found;
        uint64_t sequence, previous, batch_no;
    } last;       /* the last cursor in the stream */
    bool doubted; /* they contradicted each other once; S was from doubted_low to doubted_high then */
    uint64_t doubted_low, doubted_high, doubted_cursor;
    /* batches that are stored and not settled: back along their cursors, then forward, oldest first */
    uint64_t chain[RELAY_CHAIN_MAX]; /* sequences of cursors, the newest first */
    size_t chain_count;
    bool chain_back, chain_gap; /* going back; what is before the oldest one was evicted */
    uint64_t back_seq, back_batch;
    int chain_doubts;
    /* what is sent, and what it settles */
    uint64_t expected, batch_no;
    struct relay_cursor outgoing;
    struct outbox_settlement settlement;
    enum settle_kind settling;
    bool
        stale; /* a batch is in flight, and the store lost what it builds on: read anew when it is heard of */
    size_t rows_max;
    /* trouble */
    int tries; /* without progress */
    int incomplete;
    int64_t guilty;
    bool refused; /* the trouble is the server's refusal: it stays until a batch goes through */
    int64_t wait_until_ns;
    enum relay_stop stop;
    char trouble[512], remedy[512], refusal[1400];
};

static inline enum relay_want relay_core_go(relay_core *core, enum relay_want want) {
    return core->want = want;
}

/* Waits grow from 50 ms to 2 s. */
enum relay_want relay_core_wait(relay_core *core, const char *why, int64_t mono_ns);
/* Prepares the settlement of a cursor message that is stored; NULL: of no batch at all. */
void relay_core_prepare(relay_core *core, enum settle_kind kind, const struct relay_cursor *cursor);
/* Nothing is between the stream and the database: rows may go, expecting `expected`. */
enum relay_want relay_core_ready(relay_core *core, uint64_t expected, uint64_t batch_no);
enum relay_want relay_core_contradiction(relay_core *core, uint64_t found);
enum relay_want relay_core_decide(relay_core *core, const struct relay_cursor *cursor);
/* After a settlement: the next batch of the chain, or ready. */
enum relay_want relay_core_go_on(relay_core *core);

#endif
