/* SPDX-License-Identifier: Apache-2.0 */
/* Two ways to read. A stream that keeps by limits is scanned: fast, and a reader more changes nothing. On work queues
 * and interest streams even a reader decides what is kept, so there each message is asked for by its number.
 * Where a time begins is found by halves, in some thirty requests. */
#include <string.h>

#include "base/fail.h"
#include "broker/scan.h"
#include "compat/stored.h"

enum { PROGRESS_EVERY = 500 };

struct reading {
    struct stored_result *result;
    struct stored_judge *judge;
    weir_connection *connection;
    const struct stored_options *options;
    uint64_t first, last, read, of;
};

/* --- where to begin ------------------------------------------------------------------------------------- */

/* The first message at or after `sequence`; false when there is none. */
static weir_code look_at(struct reading *reading, uint64_t sequence, bool *there, struct broker_meta *meta,
                         weir_error *err) {
    broker_msg *msg = NULL;
    weir_code code = broker_get_next(reading->connection, reading->result->stream, sequence, ">", &msg, err);
    *there = code == WEIR_OK && broker_msg_meta(msg, meta);
    broker_msg_free(msg);
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

static weir_code skip_older(struct reading *reading, weir_error *err) {
    uint64_t low = reading->first, high = reading->last + 1; /* it is not before low, nor after high */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct broker_meta meta;
        bool there;
        WEIR_TRY(look_at(reading, middle, &there, &meta, err));
        if (there && meta.stored_ns < reading->options->since_ns)
            low = meta.stream_seq + 1;
        else
            high = middle;
    }
    reading->first = low;
    return WEIR_OK;
}

static weir_code begin(struct reading *reading, const struct broker_stream_state *state, weir_error *err) {
    uint64_t limit = reading->options->limit;
    reading->first = state->first_seq;
    reading->last = state->last_seq;
    if (reading->options->since_ns && state->messages)
        WEIR_TRY(skip_older(reading, err));
    if (limit && reading->last >= limit && reading->last - limit + 1 > reading->first)
        reading->first = reading->last - limit + 1;
    reading->of = reading->last >= reading->first ? reading->last - reading->first + 1 : 0;
    return WEIR_OK;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static bool take(struct reading *reading, const broker_msg *msg, uint64_t sequence) {
    const struct stored_options *options = reading->options;
    stored_judge_one(reading->judge, broker_msg_subject(msg), sequence, broker_msg_data(msg));
    reading->read = sequence - reading->first + 1;
    bool ask = options->progress && (sequence % PROGRESS_EVERY == 0 || sequence >= reading->last);
    if (ask && !options->progress(options->arg, reading->result->stream, reading->read, reading->of))
        reading->result->stopped = true;
    return !reading->result->stopped;
}

static bool visit(void *arg, const broker_msg *msg, const struct broker_meta *meta) {
    return take(arg, msg, meta->stream_seq);
}

static weir_code read_by_number(struct reading *reading, weir_error *err) {
    for (uint64_t at = reading->first; at <= reading->last;) {
        broker_msg *msg = NULL;
        struct broker_meta meta;
        weir_code code = broker_get_next(reading->connection, reading->result->stream, at, ">", &msg, err);
        if (code == WEIR_NOT_FOUND)
            return WEIR_OK;
        WEIR_TRY(code);
        bool more = broker_msg_meta(msg, &meta) && meta.stream_seq <= reading->last &&
                    take(reading, msg, meta.stream_seq);
        at = more ? meta.stream_seq + 1 : UINT64_MAX;
        broker_msg_free(msg);
    }
    return WEIR_OK;
}

static weir_code read_stream(struct reading *reading, weir_error *err) {
    struct broker_stream_state state;
    const char *stream = reading->result->stream;
    weir_code code = broker_stream_state(reading->connection, stream, &state, err);
    if (code == WEIR_NOT_FOUND) {
        weir_fail(err, WEIR_NOT_FOUND, "the servers have no stream '%s'", stream);
        weir_hint(err, "all reads every stream of the catalog that holds events");
    }
    WEIR_TRY(code);
    WEIR_TRY(begin(reading, &state, err));
    if (reading->of == 0 || state.messages == 0)
        return WEIR_OK;
    if (strcmp(state.retention, "limits") != 0)
        return read_by_number(reading, err);
    struct broker_scan_options options = {.from_sequence = reading->first};
    return broker_scan(reading->connection, reading->result->stream, &options, visit, reading, err);
}

weir_code stored_judge(struct stored_result *out, weir_connection *connection, const weir_catalog *catalog,
                       const char *stream, const struct stored_options *options, weir_error *err) {
    *out = (struct stored_result){.arena = arena_new()};
    out->stream = arena_strdup(out->arena, stream);
    struct reading reading = {
        .result = out, .judge = stored_judge_new(out, catalog), .connection = connection, .options = options};
    weir_code code = read_stream(&reading, err);
    stored_judge_free(reading.judge);
    if (code != WEIR_OK)
        stored_release(out);
    return code;
}

void stored_release(struct stored_result *result) {
    arena_free(result->arena);
    *result = (struct stored_result){0};
}
