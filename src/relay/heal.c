/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out what a stream forgot (RELIABILITY A9). Rows published to it that are still kept are looked at,
 * newest first: each either stands in the stream under its id, or is made pending again. A stream that lost
 * its end is searched until enough in a row are there; one that was created again, as far back as rows are
 * kept; one in which a row was missed, around that. Safe to interrupt: what is pending again is not looked at twice. */
#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "relay/shell.h"

struct healing {
    struct relay_stream *stream;
    struct broker_stream_state state; /* read after the rows */
    bool removes;
    size_t good;   /* present in a row */
    int64_t top;   /* the first row of a step */
    int64_t reach; /* it does not end above this position */
    LIST(int64_t) lost;
};

bool relay_holds_event(weir_relay *relay, const broker_msg *msg, weir_text id) {
    weir_event event;
    weir_error ignored;
    return event_read(&event, relay->catalog->dialect, NULL, broker_msg_data(msg), false, relay->scratch,
                      &ignored) == WEIR_OK &&
           text_equal(event.id, id);
}

static weir_code read_back(struct healing *healing, const struct outbox_sent *row, bool *lost,
                           weir_error *err) {
    struct relay_stream *stream = healing->stream;
    broker_msg *msg = NULL;
    bool same = false;
    weir_code code = broker_get(stream->relay->connection, stream->name, row->sequence, &msg, err);
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    if (code == WEIR_OK)
        same = relay_holds_event(stream->relay, msg, weir_text_of(row->id));
    *lost = relay_core_lost_there(stream->core, msg != NULL, same, healing->removes);
    broker_msg_free(msg);
    return WEIR_OK;
}

static weir_code look_at(struct healing *healing, const struct outbox_sent *row, weir_error *err) {
    const struct broker_stream_state *state = &healing->state;
    enum relay_lost is =
        relay_core_lost(healing->stream->core, row->sequence, state->first_seq, state->last_seq);
    bool lost = is == LOST_YES;
    if (is == LOST_READ_BACK)
        WEIR_TRY(read_back(healing, row, &lost, err));
    healing->good = lost ? 0 : healing->good + 1;
    if (lost)
        list_push(healing->stream->relay->turn, &healing->lost, row->pos);
    return WEIR_OK;
}

/* One step. *before moves down; 0 at the end. */
static weir_code heal_step(struct healing *healing, int64_t *before, weir_error *err) {
    struct relay_stream *stream = healing->stream;
    weir_relay *relay = stream->relay;
    struct outbox_sent *rows;
    size_t count;
    WEIR_TRY(relay_store(relay, outbox_sent(relay->outbox, stream->name, *before, RELAY_HEAL_ROWS,
                                            relay->turn, &rows, &count, err)));
    WEIR_TRY(broker_stream_state(relay->connection, stream->name, &healing->state, err));
    const struct outbox_settlement *fence = relay_core_settlement(stream->core);
    if (strcmp(healing->state.created, fence->created) != 0)
        return weir_fail(err, WEIR_UNAVAILABLE, "the stream was created again while it was being healed");
    if (healing->state.last_seq < fence->cursor_seq)
        return weir_fail(err, WEIR_UNAVAILABLE, "a server answers that lags behind the stream");
    healing->top = count > 0 ? rows[0].pos : 0;
    for (size_t i = 0; i < count; i++)
        WEIR_TRY(look_at(healing, &rows[i], err));
    *before = count > 0 ? rows[count - 1].pos : 0;
    if (!relay_core_recreated(stream->core) && healing->good >= RELAY_HEAL_GOOD && *before <= healing->reach)
        *before = 0;
    if (healing->lost.count == 0)
        return WEIR_OK;
    return relay_store(relay, outbox_unsend(relay->outbox, healing->lost.items, healing->lost.count, err));
}

bool relay_stream_removes(const struct relay_stream *stream) {
    const struct stream_def *def = stream->def;
    return !def || def->retention != RETENTION_LIMITS || def->max_msgs_per_subject > 0;
}

/* Rows below `before`, newest first. *first_lost: so was the first of them. */
static weir_code heal_below(struct healing *healing, int64_t before, bool *first_lost, size_t *again,
                            weir_error *err) {
    weir_relay *relay = healing->stream->relay;
    healing->good = 0;
    for (bool first = true; before > 0; first = false) {
        if (atomic_load(&relay->stopping))
            return weir_fail(err, WEIR_STOPPED, "asked to stop while healing");
        arena_reset(relay->turn);
        memset(&healing->lost, 0, sizeof healing->lost);
        WEIR_TRY(heal_step(healing, &before, err));
        *again += healing->lost.count;
        if (first)
            *first_lost = healing->lost.count > 0 && healing->lost.items[0] == healing->top;
    }
    return WEIR_OK;
}

weir_code relay_heal(struct relay_stream *stream, size_t *again, weir_error *err) {
    struct healing healing = {.stream = stream, .removes = relay_stream_removes(stream), .reach = INT64_MAX};
    bool all = stream->missed_pos == 0 || relay_core_recreated(stream->core), first_lost = true;
    if (!all) {
        healing.reach = stream->missed_pos;
        WEIR_TRY(heal_below(&healing, stream->missed_pos + RELAY_HEAL_GOOD / 2, &first_lost, again, err));
    }
    if (first_lost) /* then there may be more above it */
        WEIR_TRY(heal_below(&healing, INT64_MAX, &first_lost, again, err));
    stream->missed_pos = 0;
    return WEIR_OK;
}
