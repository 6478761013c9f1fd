/* SPDX-License-Identifier: Apache-2.0 */
/* One stream's I/O: what its core wants is read, written or waited for here. Requests are made one after
 * another in the relay's thread; one that took long is followed by a wait four times as long, so that a
 * stream without a leader costs the others a fifth of the time at most. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "relay/ranges.h"
#include "relay/shell.h"

/* --- slots --------------------------------------------------------------------------------------- */

static void list_types(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    for (size_t i = 0; i < relay->catalog->events.count; i++) {
        const struct event_def *def = relay->catalog->events.items[i];
        if (strcmp(def->stream, stream->name) == 0)
            list_push(relay->life, &stream->types, def->type);
        stream->holds = stream->holds || def->holds;
    }
}

weir_code relay_stream_find(struct relay_stream **out, weir_relay *relay, const char *name, weir_error *err) {
    *out = map_get(relay->by_name, weir_text_of(name));
    if (*out)
        return WEIR_OK;
    if (relay->stream_count == LIMIT_RELAY_STREAMS)
        return weir_fail(err, WEIR_LIMIT,
                         "%s: one outbox writes to at most %d streams, '%s' would be one more",
                         outbox_url(relay->outbox), LIMIT_RELAY_STREAMS, name);
    struct relay_stream *stream = mem_alloc(sizeof *stream);
    stream->relay = relay;
    stream->number = (int)relay->stream_count;
    stream->name = arena_strdup(relay->life, name);
    stream->def = catalog_stream(relay->catalog, weir_text_of(name));
    stream->core = relay_core_new(outbox_uuid(relay->outbox), name, (uint64_t)relay_mono_ns(relay));
    cursor_subject(stream->cursor_subject, name, outbox_uuid(relay->outbox));
    list_types(stream);
    map_put(relay->by_name, weir_text_of(name), stream);
    pthread_mutex_lock(&relay->lock); /* on_ack walks the list */
    relay->streams[relay->stream_count++] = stream;
    pthread_mutex_unlock(&relay->lock);
    *out = stream;
    return WEIR_OK;
}

void relay_stream_free(struct relay_stream *stream) {
    relay_core_free(stream->core);
    mem_free(stream);
}

bool relay_stream_idle(const struct relay_stream *stream) {
    enum relay_want want = relay_core_want(stream->core);
    return stream->token == 0 && want != WANT_SETTLE && want != WANT_SEND;
}

/* --- reading ------------------------------------------------------------------------------------- */

/* The servers are not as `weir apply` leaves them: waiting does not help, --once gives up with this. */
static weir_code setup_wrong(struct relay_stream *stream, weir_code code, const char *sentence,
                             weir_error *err) {
    weir_fail(err, code, "%s %s", stream->name, sentence);
    weir_hint(err, "weir plan shows what is missing, weir apply makes it so");
    stream->setup = *err;
    return code;
}

/* An interest stream stores neither unread events nor the cursor, unless somebody is always interested
 * (A1.5). */
static weir_code check_keeper(struct relay_stream *stream, weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 64];
    json_doc *reply;
    snprintf(api, sizeof api, "CONSUMER.INFO.%s.weir-cursor", stream->name);
    weir_code code = broker_api(stream->relay->connection, api, (weir_text){NULL, 0}, &reply, err);
    if (code == WEIR_NOT_FOUND)
        return setup_wrong(stream, WEIR_INVALID,
                           "has retention interest and lacks the consumer 'weir-cursor', without "
                           "which it would not store the relay's cursor",
                           err);
    if (code == WEIR_OK)
        json_doc_free(reply);
    return code;
}

static weir_code look_at_stream(struct relay_stream *stream, struct broker_stream_state *state,
                                weir_error *err) {
    stream->setup.code = WEIR_OK;
    weir_code code = broker_stream_state(stream->relay->connection, stream->name, state, err);
    if (code == WEIR_NOT_FOUND)
        return setup_wrong(stream, WEIR_NOT_FOUND, "does not exist on the server", err);
    if (code == WEIR_OK && state->moving)
        return weir_fail(err, WEIR_UNAVAILABLE, "%s is being given a new stream by weir apply", stream->name);
    if (code == WEIR_OK && !state->allow_atomic)
        return setup_wrong(
            stream, WEIR_UNSUPPORTED,
            "does not take atomic batches (allow_atomic), which need nats-server 2.12 or newer", err);
    if (code == WEIR_OK && strcmp(state->retention, "interest") == 0)
        return check_keeper(stream, err);
    return code;
}

static weir_code do_load(struct relay_stream *stream, weir_error *err) {
    struct outbox_stream settled;
    struct broker_stream_state state;
    weir_relay *relay = stream->relay;
    WEIR_TRY(relay_store(relay, outbox_flush(relay->outbox, err)));
    WEIR_TRY(relay_store(relay, outbox_stream_load(relay->outbox, stream->name, &settled, err)));
    WEIR_TRY(look_at_stream(stream, &state, err));
    relay_core_loaded(stream->core, &settled, state.created, state.first_seq, state.last_seq);
    return WEIR_OK;
}

/* A new run: the last row in the stream may be of a transaction that an earlier one did not come to the end of. Events that
 * waited for a parked one may have been let go meanwhile, and come before all else: where there are such, nothing is gone on with. */
static void learn_begun(struct relay_stream *stream, const struct relay_cursor *cursor) {
    if (stream->begun_known)
        return;
    bool rows = cursor->found && !cursor->heal && cursor->range_count > 0;
    stream->begun = rows && !stream->holds ? cursor->ranges[cursor->range_count - 1].last : 0;
    stream->begun_known = true;
}

static weir_code do_read_cursor(struct relay_stream *stream, weir_error *err) {
    struct relay_cursor *cursor = &stream->relay->cursor;
    WEIR_TRY(cursor_load(cursor, stream->relay->connection, stream->name, stream->cursor_subject, 0, err));
    learn_begun(stream, cursor);
    relay_core_cursor(stream->core, cursor);
    return WEIR_OK;
}

static weir_code do_read_back(struct relay_stream *stream, weir_error *err) {
    struct relay_cursor *cursor = &stream->relay->cursor;
    WEIR_TRY(cursor_load(cursor, stream->relay->connection, stream->name, stream->cursor_subject,
                         relay_core_back_seq(stream->core), err));
    relay_core_back(stream->core, cursor, relay_mono_ns(stream->relay));
    return WEIR_OK;
}

/* --- writing -------------------------------------------------------------------------------------- */

static void count_settled(struct relay_stream *stream, const struct outbox_settlement *settlement,
                          bool reconciled, bool gap) {
    uint64_t rows = ranges_rows(settlement->ranges, settlement->range_count);
    if (reconciled && rows > 0)
        log_line(LOG_INFO, "relay", "a batch was stored and not settled: settled now", "outbox",
                 outbox_url(stream->relay->outbox), "stream", stream->name, NULL);
    if (gap)
        log_line(LOG_WARN, "relay", "batches before it were evicted before they were settled: sent again",
                 "stream", stream->name, NULL);
    relay_count_settled(stream, rows, reconciled);
}

/* Nobody acknowledges a cursor in a work queue or an interest stream, and where a stream has a limit it takes the place of
 * an event. So the ones before the last are removed there once they have served. "All but the last of this subject" can
 * neither touch an event nor the cursor that counts, whatever became of the stream meanwhile; nothing depends on it, and
 * the next one makes good what was not done. */
static bool is_swept(const struct stream_def *def) {
    bool lie = def && def->retention != RETENTION_LIMITS,
         crowd = def && (def->max_msgs > 0 || def->max_bytes > 0);
    return (lie || crowd) && !def->deny_purge;
}

/* What the database may not have yet is found along the cursors. So as many stay as may be under way when it is done, which
 * may be a while after it was asked for. */
static int cursors_kept(const weir_relay *relay) {
    return RELAY_CURSORS_KEPT + (relay->settles_later ? RELAY_SWEPT_UNSETTLED : 0);
}

static void sweep_cursors(const struct relay_stream *stream) {
    const weir_relay *relay = stream->relay;
    if (is_swept(stream->def))
        (void)!broker_keep_last(relay->connection, stream->name, stream->cursor_subject, cursors_kept(relay),
                                NULL);
}

/* Must it be in the database before the next batch goes? Where few cursors stay, the way back along them is short. */
static bool settles_at_once(const struct relay_stream *stream) {
    const struct stream_def *def = stream->def;
    const weir_relay *relay = stream->relay;
    bool few = def && def->max_msgs_per_subject > 0 && def->max_msgs_per_subject < OUTBOX_UNSETTLED_MAX + 2;
    bool many = is_swept(def) && outbox_unsettled(relay->outbox) >= RELAY_SWEPT_UNSETTLED;
    return few || many || strcmp(relay->crash.step, "settled") == 0;
}

static weir_code do_settle(struct relay_stream *stream, weir_error *err) {
    weir_relay *relay = stream->relay;
    struct outbox_settlement settlement = *relay_core_settlement(stream->core);
    bool reconciled = relay_core_reconciling(stream->core), gap = relay_core_gap(stream->core);
    settlement.now_us = relay_wall_us(relay);
    weir_code code = outbox_settle(relay->outbox, &settlement, err);
    relay->settles_later = relay->settles_later || outbox_unsettled(relay->outbox) > 0;
    if (code == WEIR_OK && settles_at_once(stream))
        code = outbox_flush(relay->outbox, err);
    if (code == WEIR_CONFLICT)
        relay_core_contradicted(stream->core);
    if (relay_store(relay, code) == WEIR_CONFLICT)
        return WEIR_OK;
    WEIR_TRY(code);
    if (gap)
        relay_look_anew(relay, true);
    count_settled(stream, &settlement, reconciled, gap);
    if (settlement.was.settled_seq > 0)
        sweep_cursors(stream);
    relay_core_settled(stream->core);
    crash_at(&relay->crash, "settled");
    return WEIR_OK;
}

static weir_code do_heal(struct relay_stream *stream, weir_error *err) {
    weir_relay *relay = stream->relay;
    size_t again = 0;
    char number[24];
    weir_code code = relay_heal(stream, &again, err);
    relay_look_anew(relay, true);
    snprintf(number, sizeof number, "%zu", again);
    if (again > 0 || code == WEIR_OK)
        log_line(LOG_WARN, "relay", "the stream forgot acknowledged events; they are sent again", "outbox",
                 outbox_url(relay->outbox), "stream", stream->name, "events", number, NULL);
    relay_count_again(relay, again);
    if (code == WEIR_OK)
        relay_core_healed(stream->core);
    return code;
}

static weir_code do_park(struct relay_stream *stream, weir_error *err) {
    weir_relay *relay = stream->relay;
    struct outbox_parking parking = {relay_core_guilty(stream->core), "rejected",
                                     relay_core_refusal(stream->core)};
    WEIR_TRY(relay_store(relay, outbox_park(relay->outbox, &parking, 1, relay_wall_us(relay), err)));
    log_line(LOG_WARN, "relay", "row parked", "outbox", outbox_url(relay->outbox), "stream", stream->name,
             "reason", parking.reason, NULL);
    relay_count_parked(relay, parking.error_class, 1);
    relay_hold_position(relay, parking.pos);
    relay_core_parked(stream->core);
    return WEIR_OK;
}

static void do_stop(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    if (relay->failed)
        return;
    relay->failed = true;
    if (relay_core_stop(stream->core) == STOP_FENCED)
        relay_count_fenced(relay);
    weir_fail(&relay->failure, WEIR_CONFLICT, "%s", relay_core_trouble(stream->core));
    weir_hint(&relay->failure, "%s", relay_core_remedy(stream->core));
}

/* --- driving --------------------------------------------------------------------------------------- */

static weir_code do_wanted(struct relay_stream *stream, enum relay_want want, weir_error *err) {
    switch (want) {
    case WANT_LOAD:
        return do_load(stream, err);
    case WANT_READ_CURSOR:
        return do_read_cursor(stream, err);
    case WANT_READ_BACK:
        return do_read_back(stream, err);
    case WANT_HEAL:
        return do_heal(stream, err);
    case WANT_SETTLE:
        return do_settle(stream, err);
    default:
        return do_park(stream, err);
    }
}

static bool needs_server(enum relay_want want) {
    return want == WANT_LOAD || want == WANT_READ_CURSOR || want == WANT_READ_BACK || want == WANT_HEAL;
}

/* Once asked to stop, only what is in flight is brought to its end. */
static bool may_ask(weir_relay *relay) {
    return broker_connected(relay->connection) && !atomic_load(&relay->stopping);
}

/* The next thing that can be done at once; false when there is none. */
static bool step(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    enum relay_want want = relay_core_tick(stream->core, relay->now_ns);
    if (want == WANT_STOP)
        do_stop(stream);
    if (want == WANT_SEND && stream->token == 0 && !relay->lost && relay_core_outgoing(stream->core)->heal)
        relay_send_fence(stream);
    if (want == WANT_WAIT || want == WANT_STOP || want == WANT_SEND || want == WANT_ROWS)
        return false;
    if (relay->lost || (needs_server(want) && !may_ask(relay)))
        return false;
    weir_error err = {0};
    int64_t began = relay_mono_ns(relay);
    weir_code code = do_wanted(stream, want, &err);
    relay->now_ns = relay_mono_ns(relay);
    if (code != WEIR_OK)
        relay_core_failed(stream->core, err.message, relay->now_ns + 4 * (relay->now_ns - began));
    return true;
}

void relay_stream_drive(struct relay_stream *stream) {
    enum relay_want before = relay_core_want(stream->core);
    while (step(stream))
        ;
    enum relay_want want = relay_core_want(stream->core);
    if (want == WANT_ROWS && before != WANT_ROWS) {
        stream->ready = true;
        stream->watched_ns = stream->relay->now_ns;
    }
    stream->looked =
        stream->looked || want == WANT_ROWS || want == WANT_STOP || stream->setup.code != WEIR_OK;
}

/* --- answers ---------------------------------------------------------------------------------------- */

/* A batch was refused as incomplete and its messages had been asked for one by one: this is why. */
static void judge_incomplete(struct relay_stream *stream, const struct answer *inner) {
    weir_relay *relay = stream->relay;
    if (inner->err.detail != 503) {
        relay_core_refused_row(stream->core, inner->token - stream->asked, inner->err.message);
        return;
    }
    weir_error err;
    (void)setup_wrong(stream, WEIR_INVALID, "does not take every subject of its events", &err);
    relay_core_refused(stream->core, 10176, true, err.message, relay->now_ns);
}

static void judge_refusal(struct relay_stream *stream, const weir_error *err) {
    weir_relay *relay = stream->relay;
    pthread_mutex_lock(&relay->lock);
    struct answer inner = stream->inner;
    pthread_mutex_unlock(&relay->lock);
    if (err->detail == 10176 && inner.token)
        judge_incomplete(stream, &inner);
    else
        relay_core_refused(stream->core, err->detail, err->retriable, err->message, relay->now_ns);
}

static void judge(struct relay_stream *stream, const struct answer *answer) {
    weir_relay *relay = stream->relay;
    const weir_error *err = &answer->err;
    stream->token = 0;
    if (answer->code == WEIR_OK && strcmp(answer->ack.stream, stream->name) == 0) {
        crash_at(&relay->crash, "acked");
        relay_count_ack(relay, relay->now_ns - stream->sent_ns);
        relay_core_acked(stream->core, answer->ack.sequence, answer->ack.count, relay->now_ns);
    } else if (answer->code == WEIR_OK) {
        relay_core_unknown(stream->core, "another stream answered for it", relay->now_ns);
    } else if (err->code == WEIR_TIMEOUT) {
        relay_core_unknown(stream->core, err->message, relay->now_ns);
    } else {
        judge_refusal(stream, err);
    }
    if (relay_core_want(stream->core) != WANT_SETTLE)
        staged_drop(&stream->staged);
}

void relay_stream_hear(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    if (stream->token == 0)
        return;
    pthread_mutex_lock(&relay->lock);
    struct answer answer = stream->answer;
    stream->answer.token = 0;
    pthread_mutex_unlock(&relay->lock);
    if (answer.token == stream->token) {
        judge(stream, &answer);
        return;
    }
    bool lost = stream->sent_epoch != broker_epoch(relay->connection);
    if (!lost && relay->now_ns - stream->sent_ns < RELAY_ACK_TIMEOUT_MS * NS_PER_MS)
        return;
    bool denied = !lost && broker_denied(relay->connection, stream->cursor_subject);
    stream->token = 0;
    staged_drop(&stream->staged);
    relay_core_unknown(stream->core,
                       lost     ? "the connection was lost before the answer came"
                       : denied ? "this identity may not publish to the cursor's subject"
                                : "no answer in time",
                       relay->now_ns);
}
