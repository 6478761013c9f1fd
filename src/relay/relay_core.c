/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to one stream, and what is wanted next. Judging what was read is relay_core_decide.c's.
 *
 * A settlement is taken for done when the store has it; it may reach the database later. When the store says that one did
 * not, everything it stood for is forgotten and both witnesses are read anew: the stream is ahead of the database then, by
 * a chain of batches whose cursors say how they follow each other.
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

/* --- waiting ----------------------------------------------------------------------------------- */

static uint64_t next_random(relay_core *core) { /* xorshift64 */
    core->random ^= core->random << 13;
    core->random ^= core->random >> 7;
    core->random ^= core->random << 17;
    return core->random;
}

enum relay_want relay_core_wait(relay_core *core, const char *why, int64_t mono_ns) {
    int64_t pause = WAIT_FIRST_NS << (core->tries < 6 ? core->tries : 6);
    if (pause > WAIT_LAST_NS)
        pause = WAIT_LAST_NS;
    pause = pause / 2 + (int64_t)(next_random(core) % (uint64_t)(pause / 2));
    core->tries++;
    core->wait_until_ns = mono_ns + pause;
    if (why != core->trouble)
        snprintf(core->trouble, sizeof core->trouble, "%s: %s", core->stream, why);
    return relay_core_go(core, WANT_WAIT);
}

static enum relay_want load_again(relay_core *core) {
    return relay_core_go(core, WANT_LOAD);
}

enum relay_want relay_core_loaded(relay_core *core, const struct outbox_stream *settled, const char *created,
                                  uint64_t first_seq, uint64_t last_seq) {
    WEIR_ASSERT(core->want == WANT_LOAD);
    core->looks++;
    snprintf(core->created, sizeof core->created, "%s", created);
    core->settled = *settled;
    core->durable_seq = settled->settled_seq;
    core->stale = false;
    core->chain_count = 0;
    core->chain_gap = false;
    core->first_seq = first_seq;
    core->last_seq = last_seq;
    core->recreated = settled->known && strcmp(settled->created, core->created) != 0;
    return relay_core_go(core, WANT_READ_CURSOR);
}

enum relay_want relay_core_cursor(relay_core *core, const struct relay_cursor *cursor) {
    WEIR_ASSERT(core->want == WANT_READ_CURSOR);
    return relay_core_decide(core, cursor);
}

enum relay_want relay_core_healed(relay_core *core) {
    WEIR_ASSERT(core->want == WANT_HEAL);
    return relay_core_go(core, WANT_SETTLE);
}

enum relay_want relay_core_contradicted(relay_core *core) {
    WEIR_ASSERT(core->want == WANT_SETTLE);
    return relay_core_contradiction(core, core->settling == SETTLE_ACKED ? core->outgoing.sequence
                                                                         : core->last.sequence);
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
    core->missed = core->missed && core->settling != SETTLE_HEALED;
    if (core->settlement.verify)
        core->durable_seq = core->settlement.cursor_seq;
    return core->missed && core->settling == SETTLE_ACKED ? load_again(core) : relay_core_go_on(core);
}

enum relay_want relay_core_reload(relay_core *core) {
    enum relay_want want = core->want;
    core->stale = want == WANT_SEND;
    return want == WANT_SEND || want == WANT_PARK || want == WANT_WAIT || want == WANT_STOP
               ? want
               : load_again(core);
}

void relay_core_regained(relay_core *core) {
    core->doubted = false;
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
    return relay_core_go(core, WANT_SEND);
}

enum relay_want relay_core_acked(relay_core *core, uint64_t cursor_sequence, uint64_t count,
                                 int64_t mono_ns) {
    WEIR_ASSERT(core->want == WANT_SEND);
    uint64_t rows = core->outgoing.heal ? 0 : core->outgoing.count;
    if (count != rows + 1 || cursor_sequence <= core->expected + rows)
        return relay_core_unknown(core, "an acknowledgement does not fit the batch", mono_ns);
    if (core->stale)
        return load_again(core);
    core->outgoing.found = true;
    core->outgoing.sequence = cursor_sequence;
    core->rows_max = core->rows_max * 2 < LIMIT_BATCH_EVENTS ? core->rows_max * 2 : LIMIT_BATCH_EVENTS;
    relay_core_prepare(core, core->outgoing.heal ? SETTLE_HEALED : SETTLE_ACKED, &core->outgoing);
    return relay_core_go(core, core->outgoing.heal ? WANT_HEAL : WANT_SETTLE);
}

enum relay_want relay_core_unknown(relay_core *core, const char *why, int64_t mono_ns) {
    WEIR_ASSERT(core->want == WANT_SEND);
    return relay_core_wait(core, why, mono_ns);
}

enum relay_want relay_core_failed(relay_core *core, const char *why, int64_t mono_ns) {
    return relay_core_wait(core, why, mono_ns);
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
    return relay_core_go(core, WANT_PARK);
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
    return relay_core_wait(core, why, mono_ns);
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

enum relay_want relay_core_missed(relay_core *core) {
    core->missed = true;
    return relay_core_check(core);
}

enum relay_want relay_core_check(relay_core *core) {
    return core->want == WANT_ROWS ? load_again(core) : core->want;
}
