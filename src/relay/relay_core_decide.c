/* SPDX-License-Identifier: Apache-2.0 */
/* Exactly once, decided. For one stream there are two witnesses: S, the settled cursor sequence in the
 * database, and C, the last cursor message in the stream with the P it followed. A batch commits only when it
 * expects C (the broker compares and stores in one step), and S moves only in the transaction that marks the
 * batch's rows. So:
 *
 *   what is seen                                   what it means, what is done
 *   ---------------------------------------------  -----------------------------------------------------------
 *   created differs, the stream ends before S,     the stream forgot: fence, heal, go (in a stream created
 *   or C < S                                       again only a batch that was on its way may stand: P = S)
 *   C is the fence of this S                       healing was interrupted: heal, go
 *   no cursor, S = 0                               never sent: go, expecting 0
 *   no cursor, stream begins after S               evicted with the events before it: go, expecting 0
 *   C = S                                          nothing is in between: go, expecting C
 *   P = S                                          a batch was committed and not settled: settle it, go
 *   C is ahead of S by several batches             back along P to the one that follows S; settle each from there on, go
 *   the same, and one of them was evicted          its events went with it: settle those that stand; its rows go again
 *   anything else                                  look once more; if the database moved meanwhile another relay
 *                                                  is at work (fenced), else one of the two was restored: stop
 *
 * A batch that was sent and not heard of may still arrive. It can commit only while the cursor is the one it expects, so either
 * it comes before our next one (which is refused then, and we read and settle it) or it is refused itself. Reads may be answered
 * by a server that was cut off and does not know it. Sending again what such a server does not show would double it, so healing
 * begins with a fence: a cursor message alone, expecting what was read. Only a stream that really stands there stores it.
 * Cursors are told apart by where they stand. A stream deleted and created again in the moment between a look and a batch, in
 * which a batch of a connection that just ended put its cursor at the very same place, is taken for the one looked at; telling
 * them apart would cost a subject for each batch.
 * A stream is entered in the database (S = 0) before the first batch goes to it: what is not known there was never sent to. */
#include "relay/relay_core_state.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"

enum {
    CHAIN_DOUBTS = 16
}; /* looks, in some 15 s: so long a server that was cut off may take itself for the leader */

/* --- stopping ---------------------------------------------------------------------------------- */

static enum relay_want halt(relay_core *core, enum relay_stop stop) {
    core->stop = stop;
    return relay_core_go(core, WANT_STOP);
}

static enum relay_want halt_fenced(relay_core *core) {
    snprintf(core->trouble, sizeof core->trouble,
             "another relay is at work on this outbox: it moved the cursor in %s and settled it",
             core->stream);
    snprintf(
        core->remedy, sizeof core->remedy,
        "let one relay run; the lease keeps a second one away, unless it works on a copy of the database, "
        "or, with SQLite, on a file system that has no locks");
    return halt(core, STOP_FENCED);
}

static void advise_restore(relay_core *core) {
    snprintf(
        core->remedy, sizeof core->remedy,
        "restore both from one moment, or run weir outbox audit URL --heal: it holds every row against what "
        "the stream holds and makes the database say so");
}

static enum relay_want halt_restored(relay_core *core) {
    unsigned long long settled = core->settled.settled_seq;
    if (core->last.found)
        snprintf(core->trouble, sizeof core->trouble,
                 "the database or the stream was restored: in %s the last batch ends at %llu and follows "
                 "%llu, the "
                 "database knows %llu",
                 core->stream, (unsigned long long)core->last.sequence,
                 (unsigned long long)core->last.previous, settled);
    else
        snprintf(core->trouble, sizeof core->trouble,
                 "the database or the stream was restored: %s holds no batch of this outbox, the database "
                 "knows one "
                 "that ends at %llu",
                 core->stream, settled);
    advise_restore(core);
    return halt(core, STOP_RESTORED);
}

static enum relay_want halt_broken_chain(relay_core *core) {
    snprintf(
        core->trouble, sizeof core->trouble,
        "a batch is missing: %s holds batches up to %llu, the database knows them up to %llu, and at %llu "
        "batch %llu "
        "does not stand where the next one follows it",
        core->stream, (unsigned long long)core->last.sequence, (unsigned long long)core->settled.settled_seq,
        (unsigned long long)core->back_seq, (unsigned long long)core->back_batch);
    advise_restore(core);
    return halt(core, STOP_RESTORED);
}

/* --- settling ---------------------------------------------------------------------------------- */

static void copy_cursor(struct relay_cursor *to, const struct relay_cursor *from) {
    if (to != from)
        memcpy(to, from, offsetof(struct relay_cursor, ranges) + from->range_count * sizeof *from->ranges);
}

void relay_core_prepare(relay_core *core, enum settle_kind kind, const struct relay_cursor *cursor) {
    core->settling = kind;
    core->settlement = (struct outbox_settlement){.stream = core->stream,
                                                  .was = core->settled,
                                                  .created = core->created,
                                                  .batch_no = core->settled.batch_no,
                                                  .verify = kind != SETTLE_ACKED,
                                                  .ids_hash = OUTBOX_HASH_START};
    if (!cursor)
        return;
    copy_cursor(&core->outgoing, cursor);
    core->settlement.cursor_seq = cursor->sequence;
    core->settlement.batch_no = cursor->batch_no;
    core->settlement.ranges = core->outgoing.ranges;
    core->settlement.range_count = cursor->range_count;
    core->settlement.first_seq = cursor->first ? cursor->first : cursor->sequence - cursor->count;
    core->settlement.ids_hash = cursor->ids_hash;
}

static enum relay_want settle(relay_core *core, enum settle_kind kind, const struct relay_cursor *cursor) {
    relay_core_prepare(core, kind, cursor);
    return relay_core_go(core, WANT_SETTLE);
}

enum relay_want relay_core_ready(relay_core *core, uint64_t expected, uint64_t batch_no) {
    if (!core->refused) {
        core->tries = 0;
        core->trouble[0] = 0;
    }
    core->expected = expected;
    core->batch_no = batch_no;
    core->doubted = false;
    core->chain_doubts = 0;
    return relay_core_go(core, WANT_ROWS);
}

static enum relay_want fence(relay_core *core, const struct relay_cursor *cursor) {
    copy_cursor(&core->outgoing, cursor);
    if (cursor->found && !cursor->first)
        core->outgoing.first = cursor->sequence - cursor->count;
    core->expected = cursor->found ? cursor->sequence : 0;
    core->batch_no =
        1 + (cursor->batch_no > core->settled.batch_no ? cursor->batch_no : core->settled.batch_no);
    core->outgoing.batch_no = core->batch_no;
    core->outgoing.previous = core->settled.settled_seq;
    core->outgoing.heal = true;
    snprintf(core->outgoing.outbox, sizeof core->outgoing.outbox, "%s", core->uuid);
    return relay_core_go(core, WANT_SEND);
}

/* Nothing but single messages is missing: the last batch is settled, and need not be told again. */
static enum relay_want fence_settled(relay_core *core, const struct relay_cursor *cursor) {
    enum relay_want want = fence(core, cursor);
    core->outgoing.first = core->outgoing.count = core->outgoing.range_count = 0;
    core->outgoing.ids_hash = OUTBOX_HASH_START;
    return want;
}

/* A rival may have moved both while they were read one after the other. Its batch followed one that it had settled, so the
 * database shows that when it is read again; only what stands still is a contradiction. */
enum relay_want relay_core_contradiction(relay_core *core, uint64_t found) {
    if (core->doubted && found == core->doubted_cursor)
        return halt_restored(core);
    core->doubted = true;
    core->doubted_low = core->durable_seq;
    core->doubted_high = core->settled.settled_seq;
    core->doubted_cursor = found;
    return relay_core_go(core, WANT_LOAD);
}

/* Settlements of ours may have reached the database since the doubt, or not; another relay's is none of them. */
static bool moved_by_another(const relay_core *core) {
    uint64_t settled = core->settled.settled_seq;
    return core->doubted && (settled < core->doubted_low || settled > core->doubted_high);
}

static bool is_settled(const relay_core *core, const struct relay_cursor *cursor) {
    return cursor->sequence == core->settled.settled_seq && cursor->batch_no == core->settled.batch_no;
}

/* Does the stream lack what the database knows to be stored in it? The two reads may come from different servers: a cursor
 * at S or behind proves that it does not end before S. */
static bool forgot(const relay_core *core, const struct relay_cursor *cursor) {
    uint64_t settled = core->settled.settled_seq;
    if (core->recreated)
        return true;
    if (!cursor->found)
        return settled > 0 && (core->first_seq <= settled || core->last_seq < settled);
    return cursor->sequence < settled || (cursor->sequence == settled && !is_settled(core, cursor));
}

/* Is the cursor's batch the one behind the settled one? A fence may stand behind one more that was on its way. The numbers
 * tell it apart from another batch that follows the same sequence in another life of the stream. */
static bool follows_settled(const relay_core *core, const struct relay_cursor *cursor) {
    uint64_t ahead = cursor->batch_no - core->settled.batch_no;
    return cursor->previous == core->settled.settled_seq && (ahead == 1 || (cursor->heal && ahead == 2));
}

/* --- a chain of batches ------------------------------------------------------------------------ */

static bool is_ours(const relay_core *core, const struct relay_cursor *cursor) {
    return strcmp(cursor->outbox, core->uuid) == 0;
}

/* May the cursor's batch stand further ahead of the database? A fence never does: what it builds on was in the database. */
static bool may_be_ahead(const relay_core *core, const struct relay_cursor *cursor) {
    uint64_t settled = core->settled.settled_seq, ahead = cursor->batch_no - core->settled.batch_no;
    return !core->recreated && !cursor->heal && cursor->sequence > settled && cursor->previous > settled &&
           cursor->previous < cursor->sequence && ahead >= 2 && ahead <= RELAY_CHAIN_MAX;
}

static enum relay_want read_back(relay_core *core, uint64_t sequence, uint64_t batch_no) {
    core->back_seq = sequence;
    core->back_batch = batch_no;
    return relay_core_go(core, WANT_READ_BACK);
}

static enum relay_want walk_back(relay_core *core, const struct relay_cursor *cursor) {
    core->chain_back = true;
    core->chain[core->chain_count++] = cursor->sequence;
    return read_back(core, cursor->previous, cursor->batch_no - 1);
}

static enum relay_want walk_forward(relay_core *core) {
    core->chain_back = false;
    core->chain_count--;
    return read_back(core, core->chain[core->chain_count], core->last.batch_no - core->chain_count);
}

/* What is not there may only not be there on a server that was cut off. */
static enum relay_want chain_doubt(relay_core *core, int64_t mono_ns) {
    if (++core->chain_doubts >= CHAIN_DOUBTS)
        return halt_broken_chain(core);
    return relay_core_wait(core, "batches are stored that are not settled, and one of them does not show",
                           mono_ns);
}

enum relay_want relay_core_back(relay_core *core, const struct relay_cursor *cursor, int64_t mono_ns) {
    WEIR_ASSERT(core->want == WANT_READ_BACK);
    bool fits = cursor->found && is_ours(core, cursor) && cursor->batch_no == core->back_batch;
    if (core->chain_back && !cursor->found && core->back_seq < core->first_seq) {
        core->chain_gap = true;
        return walk_forward(core);
    }
    if (fits && (follows_settled(core, cursor) || (!core->chain_back && core->chain_gap)))
        return settle(core, SETTLE_RECONCILE, cursor);
    if (fits && core->chain_back && may_be_ahead(core, cursor))
        return walk_back(core, cursor);
    return chain_doubt(core, mono_ns);
}

enum relay_want relay_core_go_on(relay_core *core) {
    core->chain_gap = false;
    if (core->settling == SETTLE_RECONCILE && core->chain_count > 0)
        return walk_forward(core);
    return relay_core_ready(core, core->settlement.cursor_seq, core->settlement.batch_no + 1);
}

/* --- the decision ------------------------------------------------------------------------------ */

static void remember_last(relay_core *core, const struct relay_cursor *cursor) {
    core->last.found = cursor->found;
    core->last.sequence = cursor->found ? cursor->sequence : 0;
    core->last.previous = cursor->previous;
    core->last.batch_no = cursor->batch_no;
}

enum relay_want relay_core_decide(relay_core *core, const struct relay_cursor *cursor) {
    uint64_t settled = core->settled.settled_seq;
    remember_last(core, cursor);
    if (moved_by_another(core))
        return halt_fenced(core);
    if (cursor->found && !is_ours(core, cursor))
        return relay_core_contradiction(core, core->last.sequence);
    if (cursor->found && cursor->heal && follows_settled(core, cursor)) {
        relay_core_prepare(core, SETTLE_HEALED, cursor);
        return relay_core_go(core, WANT_HEAL);
    }
    if (core->recreated && cursor->found && cursor->batch_no > core->settled.batch_no &&
        !follows_settled(core, cursor))
        return relay_core_contradiction(core, core->last.sequence);
    if (forgot(core, cursor))
        return fence(core, cursor);
    if (!cursor->found)
        return core->settled.known ? relay_core_ready(core, 0, core->settled.batch_no + 1)
                                   : settle(core, SETTLE_REGISTER, NULL);
    if (cursor->sequence == settled)
        return core->missed ? fence_settled(core, cursor)
                            : relay_core_ready(core, settled, cursor->batch_no + 1);
    if (follows_settled(core, cursor))
        return settle(core, SETTLE_RECONCILE, cursor);
    if (may_be_ahead(core, cursor))
        return walk_back(core, cursor);
    return relay_core_contradiction(core, core->last.sequence);
}
