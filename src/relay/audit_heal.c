/* SPDX-License-Identifier: Apache-2.0 */
/* Rows first, the cursor last: whatever interrupts it, the relay finds database and stream still in contradiction, and another
 * audit goes on from there. A settlement that leaves the cursor where it is marks rows; one without rows moves it. */
#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "relay/audit_work.h"
#include "relay/ranges.h"
#include "weir/clock.h"

enum { AGAIN_STEP = 500 };

static int64_t now_us(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->wall_ns(clock->self) / NS_PER_US;
}

static weir_code send_again(struct auditing *auditing, weir_error *err) {
    struct audit_fixes *fixes = &auditing->fixes;
    for (size_t at = 0; at < fixes->again_count; at += AGAIN_STEP) {
        size_t left = fixes->again_count - at, count = left < AGAIN_STEP ? left : AGAIN_STEP;
        WEIR_TRY(outbox_unsend(auditing->options->outbox, fixes->again + at, count, err));
        auditing->again += count;
    }
    return WEIR_OK;
}

/* What stands behind each other in the stream is one settlement. Returns how many were taken. */
static size_t next_run(const struct audit_mark *marks, size_t count, struct outbox_range *ranges,
                       size_t *range_count) {
    size_t taken = 0;
    *range_count = 0;
    while (taken < count && taken < LIMIT_BATCH_EVENTS && marks[taken].sequence == marks[0].sequence + taken)
        ranges_add(ranges, range_count, marks[taken++].pos);
    return taken;
}

static weir_code mark(struct auditing *auditing, weir_error *err) {
    outbox *outbox = auditing->options->outbox;
    struct outbox_range *ranges = auditing->cursor->ranges; /* room for one batch */
    const struct audit_fixes *fixes = &auditing->fixes;
    for (size_t at = 0, taken; at < fixes->mark_count; at += taken) {
        struct outbox_settlement settlement = {.stream = auditing->out->name,
                                               .ranges = ranges,
                                               .first_seq = fixes->marks[at].sequence,
                                               .now_us = now_us()};
        WEIR_TRY(outbox_stream_load(outbox, auditing->out->name, &settlement.was, err));
        settlement.created = settlement.was.known ? settlement.was.created : auditing->state.created;
        settlement.cursor_seq = settlement.was.settled_seq;
        settlement.batch_no = settlement.was.batch_no;
        taken = next_run(fixes->marks + at, fixes->mark_count - at, ranges, &settlement.range_count);
        WEIR_TRY(outbox_settle(outbox, &settlement, err));
        auditing->marked += taken;
    }
    return outbox_flush(outbox, err);
}

weir_code audit_mend(struct auditing *auditing, weir_error *err) {
    WEIR_TRY(send_again(auditing, err));
    WEIR_TRY(mark(auditing, err));
    auditing->fixes.again_count = auditing->fixes.mark_count = 0;
    return WEIR_OK;
}

weir_code audit_follow_cursor(struct auditing *auditing, weir_error *err) {
    const struct audit_options *options = auditing->options;
    struct relay_cursor *cursor = auditing->cursor;
    struct outbox_settlement settlement = {.stream = auditing->out->name,
                                           .created = auditing->state.created,
                                           .verify = true,
                                           .ids_hash = OUTBOX_HASH_START,
                                           .now_us = now_us()};
    WEIR_TRY(cursor_load(cursor, options->connection, auditing->out->name, auditing->subject, 0, err));
    WEIR_TRY(outbox_stream_load(options->outbox, auditing->out->name, &settlement.was, err));
    settlement.cursor_seq = cursor->found ? cursor->sequence : 0;
    settlement.batch_no = cursor->found ? cursor->batch_no : settlement.was.batch_no;
    WEIR_TRY(outbox_settle(options->outbox, &settlement, err));
    auditing->moved = true;
    return outbox_flush(options->outbox, err);
}
