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
 * A stream is entered in the database (S = 0) before the first batch goes to it: what is not known there was never sent to.
 * Every doubt ends in LOAD; waits grow from 50 ms to 2 s with jitter, so that recovery is never far behind the cause. */
#include "relay/relay_core_state.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "relay/ranges.h"

#define WAIT_FIRST_NS (50 * NS_PER_MS)
#define WAIT_LAST_NS (2 * NS_PER_S)

relay_core *relay_core_new(const char *outbox_uuid, const char *stream, uint64_t seed) {
    relay_core *core = mem_alloc(sizeof *core);
    snprintf(core->uuid, sizeof core->uuid, "%s", outbox_uuid);
    snprintf(core->stream, sizeof core->stream, "%s", stream);
    core->random = seed | 1;
    core->rows_max = LIMIT_BATCH_EVENTS;
    core->want = WANT_LOAD;
    return core;
}

void relay_core_free(relay_core *core) {
    mem_free(core);
}

static enum relay_want go(relay_core *core, enum relay_want want) {
    return core->want = want;
}

/* --- waiting and stopping ---------------------------------------------------------------------- */

static uint64_t next_random(relay_core *core) { /* xorshift64 */
    core->random ^= core->random << 13;
    core->random ^= core->random >> 7;
    core->random ^= core->random << 17;
    return core->random;
}

static enum relay_want wait_then_load(relay_core *core, const char *why, int64_t mono_ns) {
    int64_t pause = WAIT_FIRST_NS << (core->tries < 6 ? core->tries : 6);
    if (pause > WAIT_LAST_NS)
        pause = WAIT_LAST_NS;
    pause = pause / 2 + (int64_t)(next_random(core) % (uint64_t)(pause / 2));
    core->tries++;
    core->wait_until_ns = mono_ns + pause;
    if (why != core->trouble)
        snprintf(core->trouble, sizeof core->trouble, "%s: %s", core->stream, why);
    return go(core, WANT_WAIT);
}

static enum relay_want load_again(relay_core *core) {
    return go(core, WANT_LOAD);
}

static enum relay_want halt(relay_core *core, enum relay_stop stop) {
    core->stop = stop;
    return go(core, WANT_STOP);
}

static enum relay_want halt_fenced(relay_core *core) {
    snprintf(core->trouble, sizeof core->trouble,
             "another relay is at work on this outbox: it moved the cursor in %s and settled it",
             core->stream);
    snprintf(core->remedy, sizeof core->remedy,
             "let one relay run; the lock file beside the database keeps a second one away unless the file "
             "system has "
             "no locks");
    return halt(core, STOP_FENCED);
}

static enum relay_want halt_restored(relay_core *core, const struct relay_cursor *cursor) {
    unsigned long long settled = core->settled.settled_seq;
    unsigned long long found = cursor->found ? cursor->sequence : 0;
    if (cursor->found)
        snprintf(core->trouble, sizeof core->trouble,
                 "the database or the stream was restored: in %s the last batch ends at %llu and follows "
                 "%llu, the "
                 "database knows %llu",
                 core->stream, found, (unsigned long long)cursor->previous, settled);
    else
        snprintf(core->trouble, sizeof core->trouble,
                 "the database or the stream was restored: %s holds no batch of this outbox, the database "
                 "knows one "
                 "that ends at %llu",
                 core->stream, settled);
    snprintf(core->remedy, sizeof core->remedy,
             "restore both from one moment; or, accepting that events may be published twice, run in the "
             "database: "
             "UPDATE outbox_streams SET settled_seq = %llu, batch_no = %llu WHERE stream = '%s'",
             found, (unsigned long long)(cursor->found ? cursor->batch_no : core->settled.batch_no),
             core->stream);
    return halt(core, STOP_RESTORED);
}

/* --- the decision ------------------------------------------------------------------------------ */

static void copy_cursor(struct relay_cursor *to, const struct relay_cursor *from) {
    if (to != from)
        memcpy(to, from, offsetof(struct relay_cursor, ranges) + from->range_count * sizeof *from->ranges);
}

/* Prepares the settlement of a cursor message that is stored; NULL: of no batch at all. */
static void prepare(relay_core *core, enum settle_kind kind, const struct relay_cursor *cursor) {
    core->settling = kind;
    core->settlement = (struct outbox_settlement){.stream = core->stream,
                                                  .was = core->settled,
                                                  .created = core->created,
                                                  .batch_no = core->settled.batch_no};
    if (!cursor)
        return;
    copy_cursor(&core->outgoing, cursor);
    core->settlement.cursor_seq = cursor->sequence;
    core->settlement.batch_no = cursor->batch_no;
    core->settlement.ranges = core->outgoing.ranges;
    core->settlement.range_count = cursor->range_count;
    core->settlement.first_seq = cursor->first ? cursor->first : cursor->sequence - cursor->count;
    core->settlement.verify = kind != SETTLE_ACKED;
    core->settlement.ids_hash = cursor->ids_hash;
}

static enum relay_want settle(relay_core *core, enum settle_kind kind, const struct relay_cursor *cursor) {
    prepare(core, kind, cursor);
    return go(core, WANT_SETTLE);
}

/* Nothing is between the stream and the database: rows may go, expecting `expected`. */
static enum relay_want ready(relay_core *core, uint64_t expected, uint64_t batch_no) {
    if (!core->refused) {
        core->tries = 0;
        core->trouble[0] = 0;
    }
    core->expected = expected;
    core->batch_no = batch_no;
    core->doubted = false;
    return go(core, WANT_ROWS);
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
    return go(core, WANT_SEND);
}

/* A rival may have moved both while they were read one after the other. Its batch followed one that it had settled, so the
 * database shows that when it is read again; only what stands still is a contradiction. */
static enum relay_want contradiction(relay_core *core, const struct relay_cursor *cursor) {
    uint64_t found = cursor->found ? cursor->sequence : 0;
    if (core->doubted && found == core->doubted_cursor)
        return halt_restored(core, cursor);
    core->doubted = true;
    core->doubted_seq = core->settled.settled_seq;
    core->doubted_cursor = found;
    return load_again(core);
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

static enum relay_want decide(relay_core *core, const struct relay_cursor *cursor) {
    uint64_t settled = core->settled.settled_seq;
    if (core->doubted && settled != core->doubted_seq)
        return halt_fenced(core);
    if (cursor->found && strcmp(cursor->outbox, core->uuid) != 0)
        return contradiction(core, cursor);
    if (cursor->found && cursor->heal && follows_settled(core, cursor)) {
        prepare(core, SETTLE_HEALED, cursor);
        return go(core, WANT_HEAL);
    }
    if (core->recreated && cursor->found && cursor->batch_no > core->settled.batch_no &&
        !follows_settled(core, cursor))
        return contradiction(core, cursor);
    if (forgot(core, cursor))
        return fence(core, cursor);
    if (!cursor->found)
        return core->settled.known ? ready(core, 0, core->settled.batch_no + 1)
                                   : settle(core, SETTLE_REGISTER, NULL);
    if (cursor->sequence == settled)
        return ready(core, settled, cursor->batch_no + 1);
    if (follows_settled(core, cursor))
        return settle(core, SETTLE_RECONCILE, cursor);
    return contradiction(core, cursor);
}

enum relay_want relay_core_loaded(relay_core *core, const struct outbox_stream *settled, const char *created,
                                  uint64_t first_seq, uint64_t last_seq) {
    WEIR_ASSERT(core->want == WANT_LOAD);
    core->looks++;
    snprintf(core->created, sizeof core->created, "%s", created);
    core->settled = *settled;
    core->first_seq = first_seq;
    core->last_seq = last_seq;
    core->recreated = settled->known && strcmp(settled->created, core->created) != 0;
    return go(core, WANT_READ_CURSOR);
}

enum relay_want relay_core_cursor(relay_core *core, const struct relay_cursor *cursor) {
    WEIR_ASSERT(core->want == WANT_READ_CURSOR);
    return decide(core, cursor);
}

enum relay_want relay_core_healed(relay_core *core) {
    WEIR_ASSERT(core->want == WANT_HEAL);
    return go(core, WANT_SETTLE);
}

enum relay_want relay_core_contradicted(relay_core *core) {
    WEIR_ASSERT(core->want == WANT_SETTLE);
    return contradiction(core, &core->outgoing);
}

enum relay_want relay_core_settled(relay_core *core) {
    WEIR_ASSERT(core->want == WANT_SETTLE);
    core->settled = (struct outbox_stream){
        .known = true, .settled_seq = core->settlement.cursor_seq, .batch_no = core->settlement.batch_no};
    memcpy(core->settled.created, core->created, sizeof core->created);
    if (core->settling != SETTLE_REGISTER) {
        core->refused = false;
        core->incomplete = 0;
    }
    return ready(core, core->settlement.cursor_seq, core->settlement.batch_no + 1);
}

/* --- a batch ----------------------------------------------------------------------------------- */

enum relay_want relay_core_batch(relay_core *core, const int64_t *positions, size_t count,
                                 uint64_t ids_hash) {
    WEIR_ASSERT(core->want == WANT_ROWS && count >= 1 && count <= core->rows_max);
    struct relay_cursor *outgoing = &core->outgoing;
    outgoing->sequence = outgoing->first = 0;
    outgoing->batch_no = core->batch_no;
    outgoing->previous = core->settled.settled_seq;
    outgoing->count = count;
    outgoing->ids_hash = ids_hash;
    outgoing->heal = false;
    outgoing->range_count = 0;
    for (size_t i = 0; i < count; i++)
        ranges_add(outgoing->ranges, &outgoing->range_count, positions[i]);
    WEIR_ASSERT(ranges_disjoint(outgoing->ranges, outgoing->range_count));
    snprintf(outgoing->outbox, sizeof outgoing->outbox, "%s", core->uuid);
    return go(core, WANT_SEND);
}

enum relay_want relay_core_acked(relay_core *core, uint64_t cursor_sequence, uint64_t count,
                                 int64_t mono_ns) {
    WEIR_ASSERT(core->want == WANT_SEND);
    uint64_t rows = core->outgoing.heal ? 0 : core->outgoing.count;
    if (count != rows + 1 || cursor_sequence <= core->expected + rows)
        return relay_core_unknown(core, "an acknowledgement does not fit the batch", mono_ns);
    core->outgoing.found = true;
    core->outgoing.sequence = cursor_sequence;
    core->rows_max = core->rows_max * 2 < LIMIT_BATCH_EVENTS ? core->rows_max * 2 : LIMIT_BATCH_EVENTS;
    prepare(core, core->outgoing.heal ? SETTLE_HEALED : SETTLE_ACKED, &core->outgoing);
    return go(core, core->outgoing.heal ? WANT_HEAL : WANT_SETTLE);
}

enum relay_want relay_core_unknown(relay_core *core, const char *why, int64_t mono_ns) {
    WEIR_ASSERT(core->want == WANT_SEND);
    return wait_then_load(core, why, mono_ns);
}

enum relay_want relay_core_failed(relay_core *core, const char *why, int64_t mono_ns) {
    return wait_then_load(core, why, mono_ns);
}

/* --- refusals ---------------------------------------------------------------------------------- */

enum reaction {
    READ_AGAIN,  /* the cursor is not the one expected: see whose it is */
    KEEP_TRYING, /* nothing is wrong with the rows */
    FEWER,       /* there is no room for so many: try with half of them, after a while */
    FIND_ROW     /* something in the batch is refused: halve it until the row is found */
};

static const struct {
    int err_code;
    enum reaction reaction;
} reactions[] = {
    {10071, READ_AGAIN},  /* wrong last sequence */
    {10164, READ_AGAIN},  /* the same, from a cluster */
    {10060, KEEP_TRYING}, /* expected stream does not match: the subject moved to another stream */
    {10077, FEWER},       /* full, and set to refuse new events; a batch may be more than ever fits */
    {10174, KEEP_TRYING}, /* atomic batches are off */
    {10176, KEEP_TRYING}, /* incomplete: others hold the open batches, or a subject is not the stream's */
    {10199, FIND_ROW},    /* too many messages for this server: a smaller batch fits */
};

static enum reaction reaction_to(int err_code, bool retriable) {
    for (size_t i = 0; i < sizeof reactions / sizeof *reactions; i++)
        if (reactions[i].err_code == err_code)
            return reactions[i].reaction;
    return retriable || err_code == 0 ? KEEP_TRYING : FIND_ROW;
}

enum relay_want relay_core_refused_row(relay_core *core, size_t index, const char *why) {
    WEIR_ASSERT(core->want == WANT_SEND && core->outgoing.range_count > 0);
    int64_t guilty = ranges_at(core->outgoing.ranges, core->outgoing.range_count, index);
    core->guilty = guilty ? guilty : core->outgoing.ranges[0].first;
    snprintf(core->refusal, sizeof core->refusal, "%s refuses it: %s", core->stream, why);
    return go(core, WANT_PARK);
}

enum relay_want relay_core_refused(relay_core *core, int err_code, bool retriable, const char *why,
                                   int64_t mono_ns) {
    WEIR_ASSERT(core->want == WANT_SEND);
    bool fence = core->outgoing.heal;
    enum reaction reaction = fence && err_code != 10071 ? KEEP_TRYING : reaction_to(err_code, retriable);
    if (reaction == FIND_ROW && core->outgoing.count <= 1)
        return relay_core_refused_row(core, 0, why);
    if (reaction == FIND_ROW || reaction == FEWER)
        core->rows_max = (core->outgoing.count + 1) / 2;
    if (reaction == FIND_ROW)
        return load_again(core);
    bool first = !core->refused;
    core->refused = true;
    core->incomplete = err_code == 10176 ? core->incomplete + 1 : 0;
    if (reaction == READ_AGAIN && first)
        return load_again(core);
    return wait_then_load(core, why, mono_ns);
}

enum relay_want relay_core_parked(relay_core *core) {
    WEIR_ASSERT(core->want == WANT_PARK);
    return load_again(core);
}

/* --- time -------------------------------------------------------------------------------------- */

enum relay_want relay_core_tick(relay_core *core, int64_t mono_ns) {
    return core->want == WANT_WAIT && mono_ns >= core->wait_until_ns ? load_again(core) : core->want;
}

enum relay_want relay_core_hurry(relay_core *core) {
    return core->want == WANT_WAIT ? load_again(core) : core->want;
}

enum relay_want relay_core_check(relay_core *core) {
    return core->want == WANT_ROWS ? load_again(core) : core->want;
}
