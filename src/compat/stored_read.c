/* SPDX-License-Identifier: Apache-2.0 */
/* Where the reading begins and ends, and how far it is. */
#include "base/fail.h"
#include "broker/history.h"
#include "compat/stored.h"

enum { PROGRESS_EVERY = 500 };

struct reading {
    struct stored_result *result;
    struct stored_judge *judge;
    weir_connection *connection;
    const struct stored_options *options;
    uint64_t first, last, read, of;
};

static weir_code begin(struct reading *reading, const struct broker_stream_state *state, weir_error *err) {
    uint64_t limit = reading->options->limit;
    reading->first = state->first_seq;
    reading->last = state->last_seq;
    if (reading->options->since_ns && state->messages)
        WEIR_TRY(broker_history_since(reading->connection, reading->result->stream, state,
                                      reading->options->since_ns, &reading->first, err));
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
    struct broker_history_options options = {.from = reading->first, .to = reading->last};
    return broker_history(reading->connection, stream, &state, &options, visit, reading, err);
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
