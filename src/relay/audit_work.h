/* SPDX-License-Identifier: Apache-2.0 */
/* An audit at work, as its two files see it: audit.c reads and judges, audit_heal.c changes what was judged. */
#ifndef RELAY_AUDIT_WORK_H
#define RELAY_AUDIT_WORK_H

#include "relay/audit_judge.h"
#include "relay/cursor.h"

enum {
    AUDIT_FIXES_MAX = 50000 /* of a round; what is beyond is found in the next one */
};

/* What a round of healing does. */
struct audit_fixes {
    int64_t *again; /* positions that become pending again */
    size_t again_count;
    struct audit_mark {
        int64_t pos;
        uint64_t sequence;
    } * marks; /* rows that are marked as published, in stream order */
    size_t mark_count;
};

struct auditing {
    const struct audit_options *options;
    struct audit_stream *out;
    size_t shown;
    arena *results, *life, *turn;
    char subject[CURSOR_SUBJECT_MAX];
    struct outbox_stream known;
    struct broker_stream_state state;
    struct audit_facts facts;
    struct relay_cursor *cursor; /* room to read one */
    event_scratch *scratch;
    struct audit_fixes fixes;
    uint64_t again, marked; /* mended so far */
    bool moved;
    int64_t last_pos; /* ever given out, as far as is known */
    weir_code code;   /* of what failed inside a visit */
    weir_error *err;
    /* the window: sequences low to high */
    uint64_t low, high;
    uint32_t *prints;
    /* the sequences of published rows, when they were counted */
    uint64_t rows_low, rows_high;
    /* events to be looked up */
    struct audit_waiting {
        uint64_t sequence;
        bool typed; /* its subject is that of an event type */
    } waiting[OUTBOX_LOOKUP_MAX];
    weir_text ids[OUTBOX_LOOKUP_MAX];
    struct outbox_known rows[OUTBOX_LOOKUP_MAX];
    size_t waiting_count;
};

/* Carries out what a pass found; nothing is left of it. */
WEIR_MUST_CHECK weir_code audit_mend(struct auditing *auditing, weir_error *err);
/* Makes what the database knows of the stream follow the last cursor. */
WEIR_MUST_CHECK weir_code audit_follow_cursor(struct auditing *auditing, weir_error *err);

#endif
