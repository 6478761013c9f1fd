/* SPDX-License-Identifier: Apache-2.0 */
/* A replay is a reading of the stream's history that survives outages: what was read is counted by sequence, so after one
 * the reading goes on behind the last message, in the same stream or not at all. The end is fixed before the first
 * message is asked for; what is stored meanwhile is not the past. */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/units.h"
#include "broker/history.h"
#include "event/subject.h"
#include "weir/clock.h"

enum { OUTAGE_NAP_MS = 200, NAMES_PAGES = 16, REQUEST_MS = 5000 };

struct replay {
    weir_connection *connection;
    const char *stream;
    const struct replay_options *options;
    struct replay_result *result;
    struct broker_stream_state state;
    uint64_t next, to;
    bool stopped;
    json_pool *pool;
    buffer room;
};

/* --- one message ---------------------------------------------------------------------------------------- */

/* Reading headers costs more than everything else here, so they are read only behind a body that begins like a cursor's:
 * a subject that is transformed on the way may have hidden it. */
static bool is_weirs_own(const broker_msg *msg) {
    return subject_reserved(broker_msg_subject(msg)) ||
           (text_starts(broker_msg_data(msg), "{\"outbox\":") && broker_msg_header(msg, "Weir-Cursor").data);
}

static bool wanted(const struct replay *replay) {
    return !replay->options->go_on || replay->options->go_on(replay->options->arg);
}

static bool go_on(void *arg) {
    struct replay *replay = arg;
    replay->stopped = replay->stopped || !wanted(replay);
    return !replay->stopped;
}

static bool visit(void *arg, const broker_msg *msg, const struct broker_meta *meta) {
    struct replay *replay = arg;
    const struct replay_options *options = replay->options;
    weir_text line;
    weir_error why;
    if (meta->stream_seq < replay->next)
        return true; /* a reading that was begun again */
    if (!is_weirs_own(msg)) {
        if (replay_line(&line, broker_msg_data(msg), replay->pool, &replay->room, &why) == WEIR_OK) {
            replay->stopped = !options->line(options->arg, meta->stream_seq, line);
            replay->result->lines++;
        } else {
            options->skipped(options->arg, meta->stream_seq, broker_msg_subject(msg), why.message);
            replay->result->skipped++;
        }
    }
    replay->result->last = meta->stream_seq;
    replay->next = meta->stream_seq + 1;
    if (options->limit && replay->result->lines >= options->limit)
        replay->stopped = true;
    return go_on(replay);
}

/* --- where it begins and ends --------------------------------------------------------------------------- */

static weir_code unknown_stream(struct replay *replay, weir_error *err) {
    LIST(const char *) names = {0};
    arena *arena = arena_new();
    weir_fail(err, WEIR_NOT_FOUND, "the server has no stream '%s'", replay->stream);
    for (int page = 0; page < NAMES_PAGES; page++) {
        char body[48];
        json_doc *reply = NULL;
        snprintf(body, sizeof body, "{\"offset\":%zu}", names.count);
        if (broker_api(replay->connection, "STREAM.NAMES", weir_text_of(body), &reply, NULL) != WEIR_OK)
            break;
        const json *list = json_get(json_root(reply), "streams");
        size_t before = names.count;
        for (struct json_iter it = json_iter(list); json_next(&it);)
            if (json_text(it.value).size <= 64)
                list_push(arena, &names, arena_cstr(arena, json_text(it.value)));
        json_doc_free(reply);
        if (names.count == before)
            break;
    }
    const char *near = text_nearest(replay->stream, names.items, names.count);
    if (near)
        weir_hint(err, "did you mean %s?", near);
    arena_free(arena);
    return WEIR_NOT_FOUND;
}

static weir_code begin(struct replay *replay, weir_error *err) {
    const struct replay_options *options = replay->options;
    const struct broker_stream_state *state = &replay->state;
    weir_code code = broker_stream_state(replay->connection, replay->stream, &replay->state, err);
    if (code == WEIR_NOT_FOUND)
        return unknown_stream(replay, err);
    WEIR_TRY(code);
    replay->next = options->from > state->first_seq ? options->from : state->first_seq;
    replay->to = options->to && options->to < state->last_seq ? options->to : state->last_seq;
    uint64_t at;
    if (options->since_ns) {
        WEIR_TRY(
            broker_history_since(replay->connection, replay->stream, state, options->since_ns, &at, err));
        replay->next = at > replay->next ? at : replay->next;
    }
    if (options->until_ns) {
        WEIR_TRY(
            broker_history_since(replay->connection, replay->stream, state, options->until_ns, &at, err));
        replay->to = at <= replay->to ? at - 1 : replay->to;
    }
    return WEIR_OK;
}

/* --- outages -------------------------------------------------------------------------------------------- */

static void nap(void) {
    struct timespec pause = {.tv_nsec = OUTAGE_NAP_MS * NS_PER_MS};
    nanosleep(&pause, NULL);
}

static int64_t now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / NS_PER_MS;
}

/* A consumer in the server's memory is gone with the server (NOT_FOUND): that is an outage too. */
static bool may_pass(weir_code code, const weir_error *err) {
    return code == WEIR_TIMEOUT || code == WEIR_UNAVAILABLE || code == WEIR_NOT_FOUND || err->retriable;
}

/* Is it still the stream that was being read? */
static weir_code look_again(struct replay *replay, weir_error *err) {
    struct broker_stream_state now;
    WEIR_TRY(broker_stream_state(replay->connection, replay->stream, &now, err));
    if (strcmp(now.created, replay->state.created) != 0) {
        weir_fail(err, WEIR_CONFLICT, "%s was created again while it was read", replay->stream);
        weir_hint(err, "what it holds now is another past: begin anew");
        return WEIR_CONFLICT;
    }
    if (now.last_seq + 1 < replay->next) {
        weir_fail(err, WEIR_CONFLICT, "%s ends at %" PRIu64 " now, before %" PRIu64 " which was read",
                  replay->stream, now.last_seq, replay->next - 1);
        weir_hint(err, "the server forgot messages: see weir outbox audit");
        return WEIR_CONFLICT;
    }
    return WEIR_OK;
}

static weir_code give_up(struct replay *replay, weir_code code, weir_error *err) {
    weir_prefix(err, "%s, before sequence %" PRIu64, replay->stream, replay->next);
    weir_hint(err, "go on with --from %" PRIu64 "%s", replay->next,
              replay->options->limit ? " and what is left of --limit" : "");
    return code;
}

static weir_code read_on(struct replay *replay, weir_error *err) {
    struct broker_history_options history = {
        .subject = replay->options->subject, .from = replay->next, .to = replay->to, .go_on = go_on};
    return broker_history(replay->connection, replay->stream, &replay->state, &history, visit, replay, err);
}

static weir_code read_all(struct replay *replay, weir_error *err) {
    int64_t outage_ms = replay->options->outage_ms ? replay->options->outage_ms : REPLAY_OUTAGE_MS;
    int64_t since_ms = 0;
    uint64_t reached = 0;
    for (;;) {
        weir_code code = since_ms ? look_again(replay, err) : WEIR_OK;
        if (code == WEIR_CONFLICT)
            return code;
        if (code == WEIR_OK)
            code = read_on(replay, err);
        if (code == WEIR_OK || replay->stopped)
            return WEIR_OK;
        if (!may_pass(code, err))
            return give_up(replay, code, err);
        if (since_ms == 0 || replay->next > reached) {
            since_ms = now_ms();
            reached = replay->next;
            if (replay->options->waiting)
                replay->options->waiting(replay->options->arg, err->message);
        }
        if (now_ms() - since_ms >= outage_ms)
            return give_up(replay, code, err);
        nap();
        if (!go_on(replay))
            return WEIR_OK;
    }
}

weir_code replay_run(struct replay_result *result, weir_connection *connection, const char *stream,
                     const struct replay_options *options, weir_error *err) {
    struct replay replay = {.connection = connection,
                            .stream = stream,
                            .options = options,
                            .result = result,
                            .pool = json_pool_new()};
    weir_error own = {0};
    err = err ? err : &own;
    *result = (struct replay_result){0};
    buffer_init(&replay.room, 8u * LIMIT_EVENT_BYTES);
    weir_code code = begin(&replay, err);
    if (code == WEIR_OK && replay.next <= replay.to && replay.state.messages > 0)
        code = read_all(&replay, err);
    buffer_release(&replay.room);
    json_pool_free(replay.pool);
    return code;
}
