/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out what a stream forgot (RELIABILITY A9). Rows published to it that are still kept are looked at,
 * newest first: each either stands in the stream under its id, or is made pending again. A stream that lost
 * its end is searched until enough in a row are there; one that was created again, as far back as rows are
 * kept. Safe to interrupt: what is pending again is not looked at twice. */
#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "relay/shell.h"

struct healing {
    struct relay_stream *stream;
    struct broker_stream_state state; /* read after the rows */
    bool removes;
    size_t good; /* present in a row */
    LIST(int64_t) lost;
};

static weir_code has_id(struct healing *healing, const char *id, broker_msg *msg, bool *same) {
    weir_relay *relay = healing->stream->relay;
    weir_event event;
    weir_error ignored;
    weir_code code = event_read(&event, relay->catalog->dialect, NULL, broker_msg_data(msg), false,
                                relay->scratch, &ignored);
    *same = code == WEIR_OK && text_is(event.id, id);
    return WEIR_OK;
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
        code = has_id(healing, row->id, msg, &same);
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
    for (size_t i = 0; i < count; i++)
        WEIR_TRY(look_at(healing, &rows[i], err));
    *before = count > 0 ? rows[count - 1].pos : 0;
    if (!relay_core_recreated(stream->core) && healing->good >= RELAY_HEAL_GOOD)
        *before = 0;
    if (healing->lost.count == 0)
        return WEIR_OK;
    return relay_store(relay, outbox_unsend(relay->outbox, healing->lost.items, healing->lost.count, err));
}

static bool removes_messages(const struct relay_stream *stream) {
    const struct stream_def *def = stream->def;
    return !def || def->retention != RETENTION_LIMITS || def->max_msgs_per_subject > 0;
}

weir_code relay_heal(struct relay_stream *stream, size_t *again, weir_error *err) {
    struct healing healing = {.stream = stream, .removes = removes_messages(stream)};
    for (int64_t before = INT64_MAX; before > 0;) {
        if (atomic_load(&stream->relay->stopping))
            return weir_fail(err, WEIR_STOPPED, "asked to stop while healing");
        arena_reset(stream->relay->turn);
        memset(&healing.lost, 0, sizeof healing.lost);
        WEIR_TRY(heal_step(&healing, &before, err));
        *again += healing.lost.count;
    }
    return WEIR_OK;
}
