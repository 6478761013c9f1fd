/* SPDX-License-Identifier: Apache-2.0 */
/* The order of reading carries the judgement. The settled cursor was read before the stream's end, so a row at or below it
 * must stand at or below the end; one beyond both was published since and is no matter of this audit. An event whose row is
 * pending stands in a batch that was not settled when the cursor was read, or was never settled in this database. */
#include "relay/audit_judge.h"

#include <string.h>

const char *audit_kind_name(enum audit_kind kind) {
    static const char *const names[AUDIT_KINDS] = {[AUDIT_FINE] = "fine",
                                                   [AUDIT_FORGOTTEN] = "forgotten",
                                                   [AUDIT_REPLACED] = "replaced",
                                                   [AUDIT_UNMARKED] = "unmarked",
                                                   [AUDIT_EVICTED] = "evicted",
                                                   [AUDIT_UNKNOWABLE] = "unknowable",
                                                   [AUDIT_ON_ITS_WAY] = "on_its_way",
                                                   [AUDIT_ELSEWHERE] = "elsewhere"};
    return names[kind];
}

uint64_t audit_findings(const struct audit_stream *stream) {
    uint64_t findings = stream->missing || stream->cursor == AUDIT_STOPS || stream->cursor == AUDIT_RESENDS;
    for (int kind = AUDIT_FINE + 1; kind < AUDIT_FIRST_TOLD; kind++)
        findings += stream->count[kind];
    return findings;
}

enum audit_kind audit_judge_event(const struct audit_facts *facts, uint64_t sequence,
                                  const struct outbox_known *row) {
    if (row->pos == 0)
        return AUDIT_FINE; /* another outbox's, published directly, or cleaned away since */
    if (row->state != OUTBOX_PUBLISHED)
        return facts->settles && sequence > facts->settled_seq ? AUDIT_ON_ITS_WAY : AUDIT_UNMARKED;
    if (row->sequence == 0)
        return AUDIT_FINE; /* published by somebody else, before the table was taken over: nobody knows where */
    bool here = row->stream && strcmp(row->stream, facts->stream) == 0 && row->sequence == sequence;
    return here ? AUDIT_FINE : AUDIT_ELSEWHERE;
}

bool audit_outside(const struct audit_facts *facts, uint64_t sequence) {
    return sequence < facts->first_seq || sequence > facts->last_seq;
}

enum audit_kind audit_judge_row(const struct audit_facts *facts, uint64_t sequence, enum audit_there there) {
    if (sequence > facts->last_seq)
        return sequence > facts->settled_seq ? AUDIT_FINE : AUDIT_FORGOTTEN;
    if (there == AUDIT_IT)
        return AUDIT_FINE;
    if (there == AUDIT_ANOTHER)
        return AUDIT_REPLACED;
    if (facts->recreated)
        return AUDIT_FORGOTTEN;
    if (sequence < facts->first_seq)
        return AUDIT_EVICTED;
    return facts->removes ? AUDIT_UNKNOWABLE : AUDIT_FORGOTTEN;
}

uint64_t audit_beyond(const struct relay_cursor *cursor, int64_t last_pos) {
    uint64_t rows = 0;
    for (size_t i = 0; i < cursor->range_count; i++) {
        const struct outbox_range *range = &cursor->ranges[i];
        int64_t first = range->first > last_pos ? range->first : last_pos + 1;
        rows += range->last >= first ? (uint64_t)(range->last - first) + 1 : 0;
    }
    return rows;
}

/* --- which events stand where ----------------------------------------------------------------------------- */

uint32_t audit_print(weir_text id) {
    uint64_t hash = outbox_ids_hash(OUTBOX_HASH_START, id);
    uint32_t print = (uint32_t)(hash ^ hash >> 32);
    return print > AUDIT_PRINT_FOREIGN ? print : print + 2;
}

enum audit_there audit_compare(uint32_t print, weir_text id) {
    if (print == AUDIT_PRINT_NONE)
        return AUDIT_NOTHING;
    return print == audit_print(id) ? AUDIT_IT : AUDIT_ANOTHER;
}
