/* SPDX-License-Identifier: Apache-2.0 */
/* What one event or one row means, given what is known of the whole. Pure. */
#ifndef RELAY_AUDIT_JUDGE_H
#define RELAY_AUDIT_JUDGE_H

#include "relay/audit.h"

/* Read in this order: what the database knows of the stream; then the stream's end; then rows and messages; first_seq
 * again at last, for messages are evicted meanwhile. */
struct audit_facts {
    const char *stream;
    uint64_t settled_seq; /* UINT64_MAX: nobody publishes meanwhile */
    uint64_t first_seq, last_seq;
    bool recreated; /* another stream than the one the database knows */
    bool removes;   /* the stream removes single messages by itself: absence proves nothing */
    bool settles;   /* batches behind settled_seq are settled by the relay: rows of them are on their way */
};

/* The event at `sequence`, of whose id the database says `row`. */
enum audit_kind audit_judge_event(const struct audit_facts *facts, uint64_t sequence,
                                  const struct outbox_known *row);

/* What a read of the stream found at a published row's sequence. */
enum audit_there { AUDIT_NOTHING, AUDIT_ANOTHER, AUDIT_IT };
enum audit_kind audit_judge_row(const struct audit_facts *facts, uint64_t sequence, enum audit_there there);
/* Does it stand beyond what is read? Then there is nothing to be found there. */
bool audit_outside(const struct audit_facts *facts, uint64_t sequence);

/* Rows of a cursor's batch that were never given out as far as the database knows: it was restored to before them. */
uint64_t audit_beyond(const struct relay_cursor *cursor, int64_t last_pos);

/* --- which events stand where ----------------------------------------------------------------------------- */

/* A number for an id; two ids share one in one of four thousand million cases. Neither 0 (nothing) nor 1 (something that
 * has no id). */
uint32_t audit_print(weir_text id);
enum { AUDIT_PRINT_NONE = 0, AUDIT_PRINT_FOREIGN = 1 };
enum audit_there audit_compare(uint32_t print, weir_text id);

#endif
