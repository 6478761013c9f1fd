/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's loop: hear answers, let every core go as far as it can, claim rows for the streams that want
 * some, send the next batch ahead where there is backlog, and then wait for a commit in the database, an
 * answer, or the next point in time. Nothing is polled: an idle relay wakes once a second. No row is waited for either: while
 * a batch is in flight the next one gathers by itself, the larger the busier it is. */
#include "weir/relay.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/units.h"
#include "relay/shell.h"

int64_t relay_mono_ns(weir_relay *relay) {
    return relay->clock->mono_ns(relay->clock->self);
}

int64_t relay_wall_us(weir_relay *relay) {
    return relay->clock->wall_ns(relay->clock->self) / NS_PER_US;
}

/* --- opening -------------------------------------------------------------------------------------- */

static void keep_answer(struct answer *slot, uint64_t token, weir_code code, const struct broker_puback *ack,
                        const weir_error *err) {
    slot->token = token;
    slot->code = code;
    if (ack)
        slot->ack = *ack;
    if (err)
        slot->err = *err;
}

/* Answers to the messages of a batch are empty, or a refusal with its number. */
static bool is_inner_refusal(struct relay_stream *stream, uint64_t token, const weir_error *err) {
    uint64_t asked = stream->asked;
    return asked && token >= asked && token < asked + LIMIT_BATCH_EVENTS && err && err->detail &&
           !stream->inner.token;
}

static void on_ack(void *arg, uint64_t token, weir_code code, const struct broker_puback *ack,
                   const weir_error *err) {
    weir_relay *relay = arg;
    bool wake = false;
    pthread_mutex_lock(&relay->lock);
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        if (stream->token == token) {
            keep_answer(&stream->answer, token, code, ack, err);
            wake = true;
        } else if (is_inner_refusal(stream, token, err)) {
            keep_answer(&stream->inner, token, code, ack, err);
        }
    }
    pthread_mutex_unlock(&relay->lock);
    if (wake)
        outbox_wake(relay->outbox);
}

static weir_code check_server(weir_connection *connection, weir_error *err) {
    char version[32];
    if (!broker_server_version(connection, version)[0] || broker_version_at_least(connection, 2, 12, 0))
        return WEIR_OK;
    weir_fail(err, WEIR_UNSUPPORTED,
              "the relay needs nats-server 2.12 or newer (atomic batches), this one is %s", version);
    weir_hint(err, "upgrade the server; 2.12.12 or 2.14.3 at least have the known faults mended");
    return WEIR_UNSUPPORTED;
}

static weir_code open_all(weir_relay *relay, const weir_relay_options *options, weir_error *err) {
    WEIR_TRY(check_server(relay->connection, err));
    const struct outbox_options how = {
        .clock = relay->clock, .wal = options->mode == WEIR_RELAY_WAL, .catch_up = options->catch_up};
    WEIR_TRY(outbox_open(&relay->outbox, options->outbox, &how, err));
    return broker_acks_open(&relay->acks, relay->connection, on_ack, relay, err);
}

weir_code weir_relay_open(weir_relay **out, weir_connection *connection, const weir_catalog *catalog,
                          const weir_relay_options *options, weir_error *err) {
    weir_relay *relay = mem_alloc(sizeof *relay);
    relay->connection = connection;
    relay->catalog = catalog;
    relay->clock = options->clock ? options->clock : weir_clock_system();
    relay->scratch = event_scratch_new();
    relay->life = arena_new();
    relay->turn = arena_new();
    relay->by_name = map_new();
    relay->keep_ns = options->keep_ms < 0 ? -1 : options->keep_ms * NS_PER_MS;
    if (relay->keep_ns >= 0 && relay->keep_ns < LIMIT_OUTBOX_KEEP_HOURS * 3600 * NS_PER_S)
        relay->keep_ns = LIMIT_OUTBOX_KEEP_HOURS * 3600 * NS_PER_S;
    relay->standby = options->standby;
    buffer_init(&relay->cursor_body, CURSOR_BYTES_MAX);
    buffer_init(&relay->held_place, LIMIT_STREAM_NAME_BYTES + LIMIT_ID_BYTES + 8);
    pthread_mutex_init(&relay->lock, NULL);
    crash_point_read(&relay->crash);
    weir_code code = open_all(relay, options, err);
    if (code != WEIR_OK) {
        weir_relay_close(relay);
        return code;
    }
    *out = relay;
    return WEIR_OK;
}

void weir_relay_close(weir_relay *relay) {
    if (!relay)
        return;
    broker_acks_close(relay->acks);
    for (size_t i = 0; i < relay->stream_count; i++)
        relay_stream_free(relay->streams[i]);
    map_free(relay->by_name);
    outbox_close(relay->outbox);
    event_scratch_free(relay->scratch);
    arena_free(relay->life);
    arena_free(relay->turn);
    buffer_release(&relay->cursor_body);
    buffer_release(&relay->held_place);
    relay_held_clear(relay);
    pthread_mutex_destroy(&relay->lock);
    mem_free(relay);
}

/* --- trouble ---------------------------------------------------------------------------------------- */

static const char *trouble_now(weir_relay *relay) {
    if (!broker_connected(relay->connection))
        return "not connected to the server";
    for (size_t i = 0; i < relay->stream_count; i++)
        if (relay_core_trouble(relay->streams[i]->core)[0])
            return relay_core_trouble(relay->streams[i]->core);
    outbox_tell(relay->outbox, &relay->told);
    return relay->told.stall;
}

/* --- the parts of a turn ------------------------------------------------------------------------------ */

static void watch_connection(weir_relay *relay) {
    uint64_t epoch = broker_epoch(relay->connection);
    if (epoch == relay->epoch || !broker_connected(relay->connection))
        return;
    relay->epoch = epoch;
    for (size_t i = 0; i < relay->stream_count; i++) {
        relay_core_hurry(relay->streams[i]->core);
        relay_core_check(relay->streams[i]->core);
    }
}

/* A resting stream is looked at now and then: it may have been created again, or lost its end (A9). */
static void watch_stream(struct relay_stream *stream) {
    weir_relay *relay = stream->relay;
    if (stream->token != 0 || stream->staged.count > 0 ||
        relay->now_ns - stream->watched_ns < RELAY_WATCH_MS * NS_PER_MS)
        return;
    stream->watched_ns = relay->now_ns;
    relay_core_check(stream->core);
}

static void drive_all(weir_relay *relay) {
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        relay_stream_hear(stream);
        watch_stream(stream);
        relay_stream_drive(stream);
        relay_commit_staged(stream);
        relay->look = relay->look || (stream->ready && stream->token == 0);
        stream->ready = false;
    }
}

/* Streams of earlier lives come first: a type may have moved from one to another meanwhile, with its batch in
 * doubt. */
static bool all_looked(const weir_relay *relay) {
    for (size_t i = 0; i < relay->stream_count; i++)
        if (!relay->streams[i]->looked)
            return false;
    return true;
}

static bool may_claim(weir_relay *relay) {
    return relay->look && !relay->failed && !atomic_load(&relay->stopping) &&
           broker_connected(relay->connection) && all_looked(relay) && relay->now_ns >= relay->hold_ns;
}

static weir_code claim_rows(weir_relay *relay, weir_error *err) {
    size_t count = 0;
    if (may_claim(relay)) {
        WEIR_TRY(relay_claim(relay, &count, err));
        relay->look = count > 0;
    }
    return relay->failed || atomic_load(&relay->stopping) ? WEIR_OK : relay_claim_ahead(relay, err);
}

static weir_code clean(weir_relay *relay, weir_error *err) {
    if (relay->keep_ns < 0 || relay->now_ns < relay->clean_ns)
        return WEIR_OK;
    size_t count;
    bool more;
    int64_t before_us = relay_wall_us(relay) - relay->keep_ns / NS_PER_US;
    WEIR_TRY(outbox_clean(relay->outbox, before_us, RELAY_CLEAN_ROWS, &count, &more, err));
    relay->clean_ns = relay->now_ns + (more ? 0 : RELAY_CLEAN_MS * NS_PER_MS);
    return WEIR_OK;
}

/* A database that is busy or full is waited for; one that is broken is not. */
static weir_code database_failed(weir_relay *relay, weir_code code, weir_error *trouble, weir_error *err) {
    if (!trouble->retriable) {
        if (err)
            *err = *trouble;
        return code;
    }
    int shift = relay->database_failures < 5 ? relay->database_failures++ : 5;
    relay->hold_ns = relay->now_ns + (50 << shift) * NS_PER_MS;
    relay->look = true;
    relay_set_trouble(relay, trouble->message);
    return WEIR_OK;
}

static weir_code turn(weir_relay *relay, weir_error *err) {
    weir_error trouble = {0};
    relay->now_ns = relay_mono_ns(relay);
    watch_connection(relay);
    drive_all(relay);
    weir_code code = relay->now_ns >= relay->hold_ns ? claim_rows(relay, &trouble) : WEIR_OK;
    if (code == WEIR_OK && all_looked(relay) && !relay->failed)
        code = relay_sample(relay, &trouble);
    if (code == WEIR_OK)
        code = clean(relay, &trouble);
    if (relay_store(relay, code) != WEIR_OK && !relay->lost)
        return database_failed(relay, code, &trouble, err);
    if (relay->now_ns >= relay->hold_ns) {
        relay->database_failures = 0;
        relay_set_trouble(relay, trouble_now(relay));
    }
    relay_count_pending(relay);
    return WEIR_OK;
}

/* --- waiting -------------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t stream_due(const struct relay_stream *stream) {
    if (stream->token != 0)
        return stream->sent_ns + RELAY_ACK_TIMEOUT_MS * NS_PER_MS;
    if (relay_core_want(stream->core) == WANT_WAIT)
        return relay_core_wait_until(stream->core);
    return INT64_MAX;
}

static void wait_for_something(weir_relay *relay) {
    int64_t now = relay_mono_ns(relay), due = now + RELAY_IDLE_MS * NS_PER_MS;
    bool claims = may_claim(relay);
    for (size_t i = 0; i < relay->stream_count; i++)
        due = earlier(due, stream_due(relay->streams[i]));
    if (claims)
        due = now;
    if (relay->now_ns < relay->hold_ns)
        due = earlier(due, relay->hold_ns);
    if (relay->stop_ns)
        due = earlier(due, relay->stop_ns + RELAY_STOP_MS * NS_PER_MS);
    int64_t wait_ms = due > now ? (due - now + NS_PER_MS - 1) / NS_PER_MS : 0;
    bool deaf = relay->look || atomic_load(&relay->stopping) || !broker_connected(relay->connection);
    if (!broker_connected(relay->connection))
        wait_ms = earlier(wait_ms, 50);
    if (deaf && wait_ms > 0)
        outbox_pause(relay->outbox, wait_ms);
    else if (!deaf)
        relay->look = outbox_wait(relay->outbox, wait_ms);
}

/* --- running -------------------------------------------------------------------------------------------- */

static weir_code begin(weir_relay *relay, bool once, weir_error *err) {
    const char **names;
    size_t count;
    struct outbox_span span;
    WEIR_TRY(relay_take_lease(relay, err));
    WEIR_TRY(outbox_span(relay->outbox, &span, err));
    relay->horizon = once ? span.last.pos : 0;
    relay->done_ns = 0;
    WEIR_TRY(outbox_streams(relay->outbox, relay->life, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        struct relay_stream *stream;
        WEIR_TRY(relay_stream_find(&stream, relay, names[i], err));
        stream->begun_known = false;
    }
    WEIR_TRY(relay_held_read(relay, err));
    relay->look = true;
    relay->failed = relay->lost = false;
    relay->stop_ns = 0;
    relay->epoch = broker_epoch(relay->connection);
    relay_count_pending(relay);
    relay_set_active(relay, true);
    return WEIR_OK;
}

/* The first questions to the database are waited for like all later ones. */
static weir_code begin_patiently(weir_relay *relay, bool once, weir_error *err) {
    for (int64_t pause_ms = 50;; pause_ms = earlier(2 * pause_ms, RELAY_IDLE_MS)) {
        weir_error trouble = {0};
        weir_code code = begin(relay, once, &trouble);
        bool wait = code != WEIR_OK && trouble.retriable && !atomic_load(&relay->stopping);
        if (!wait && code != WEIR_OK && err)
            *err = trouble;
        if (!wait)
            return code;
        relay_set_trouble(relay, trouble.message);
        outbox_pause(relay->outbox, pause_ms);
    }
}

static bool all_idle(const weir_relay *relay) {
    for (size_t i = 0; i < relay->stream_count; i++)
        if (!relay_stream_idle(relay->streams[i]))
            return false;
    return true;
}

/* --once: a stream that is not set up will not be by waiting. */
static weir_code give_up_once(weir_relay *relay, weir_error *err) {
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        if (stream->setup.code == WEIR_OK || relay_core_want(stream->core) != WANT_WAIT ||
            stream->types.count == 0)
            continue;
        if (err)
            *err = stream->setup;
        return stream->setup.code;
    }
    return WEIR_OK;
}

/* Asked to stop: what is in flight is heard, but not for ever. */
static bool stops(weir_relay *relay) {
    if (!atomic_load(&relay->stopping))
        return false;
    relay->stop_ns = relay->stop_ns ? relay->stop_ns : relay->now_ns;
    return all_idle(relay) || relay->now_ns - relay->stop_ns >= RELAY_STOP_MS * NS_PER_MS;
}

/* --once: is everything in its stream or parked, and the database knows it? */
static bool is_done(weir_relay *relay) {
    struct outbox_span span;
    if (relay->look || !all_looked(relay) || !all_idle(relay) ||
        relay_store(relay, outbox_span(relay->outbox, &span, NULL)) != WEIR_OK)
        return false;
    return (span.oldest_pending == 0 || span.oldest_pending > relay->horizon) &&
           relay_store(relay, outbox_flush(relay->outbox, NULL)) == WEIR_OK;
}

/* What the log waits for may never come: a slot is made when every transaction that is open has ended. */
static weir_code give_up_log(weir_relay *relay, weir_error *err) {
    if (relay->done_ns == 0 || relay->told.progress != relay->progress)
        relay->done_ns = relay->now_ns;
    relay->progress = relay->told.progress;
    if (relay->now_ns - relay->done_ns < RELAY_ONCE_LOG_MS * NS_PER_MS)
        return WEIR_OK;
    weir_fail(err, WEIR_TIMEOUT,
              "%s: every row of the table is in its stream, but the log did not get on for %d s",
              outbox_url(relay->outbox), RELAY_ONCE_LOG_MS / 1000);
    return weir_hint(err, "%s", relay->told.stall[0] ? relay->told.stall : "run again");
}

/* --once and every row is sent: is what only the log has as well, and can the next run go on from there? */
static bool is_done_with_log(weir_relay *relay, weir_code *code, weir_error *err) {
    outbox_tell(relay->outbox, &relay->told);
    if (relay->told.unready)
        *code = give_up_log(relay, err);
    return !relay->told.unready || *code != WEIR_OK;
}

/* Is the run over? *code says how. */
static bool is_over(weir_relay *relay, bool once, weir_code *code, weir_error *err) {
    if (relay->failed && (relay->lost || all_idle(relay))) {
        if (err)
            *err = relay->failure;
        *code = relay->failure.code;
        return true;
    }
    if (stops(relay))
        return true;
    if (once && is_done(relay) && is_done_with_log(relay, code, err))
        return true;
    *code = once && !relay->look && all_looked(relay) && all_idle(relay) ? give_up_once(relay, err) : WEIR_OK;
    return *code != WEIR_OK;
}

/* What is under way to the database should be there when the run ends; what is not is found by the next one. */
static void end(weir_relay *relay, weir_code code) {
    weir_error err;
    if (code == WEIR_OK && outbox_flush(relay->outbox, &err) != WEIR_OK)
        log_line(LOG_WARN, "relay", "ended with batches that the database does not know to be stored yet",
                 "outbox", outbox_url(relay->outbox), "why", err.message, NULL);
    relay->count_ns = 0;
    relay_count_pending(relay);
    relay_set_active(relay, false);
}

weir_code weir_relay_run(weir_relay *relay, bool once, weir_error *err) {
    weir_code code = begin_patiently(relay, once, err);
    while (code == WEIR_OK) {
        code = turn(relay, err);
        if (code == WEIR_OK && relay->lost && relay->standby)
            code = relay_regain_lease(relay, err);
        if (code != WEIR_OK || is_over(relay, once, &code, err))
            break;
        wait_for_something(relay);
    }
    if (code == WEIR_STOPPED)
        return WEIR_OK;
    end(relay, code);
    return code;
}

void weir_relay_stop(weir_relay *relay) {
    atomic_store(&relay->stopping, true);
    outbox_wake(relay->outbox);
}
