/* SPDX-License-Identifier: Apache-2.0 */
/* Where a time begins is searched among sequences: servers store in the order of their clock. A gap (deleted, aged out)
 * is answered with the next message behind it, so the search needs no more for it. */
#include "broker/history.h"

#include <string.h>

#include "base/fail.h"

struct history {
    weir_connection *connection;
    const char *stream;
    const struct broker_history_options *options;
    uint64_t from, to;
    bool (*visit)(void *arg, const broker_msg *msg, const struct broker_meta *meta);
    void *arg;
};

/* --- where to begin ------------------------------------------------------------------------------------- */

/* The first message at or after `sequence`; false when there is none. */
static weir_code look_at(weir_connection *connection, const char *stream, uint64_t sequence, bool *there,
                         struct broker_meta *meta, weir_error *err) {
    broker_msg *msg = NULL;
    weir_code code = broker_get_next(connection, stream, sequence, ">", &msg, err);
    *there = code == WEIR_OK && broker_msg_meta(msg, meta);
    broker_msg_free(msg);
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

weir_code broker_history_since(weir_connection *connection, const char *stream,
                               const struct broker_stream_state *state, int64_t time_ns, uint64_t *sequence,
                               weir_error *err) {
    uint64_t low = state->first_seq, high = state->last_seq + 1; /* it is not before low, nor after high */
    while (low < high && state->messages > 0) {
        uint64_t middle = low + (high - low) / 2;
        struct broker_meta meta;
        bool there;
        WEIR_TRY(look_at(connection, stream, middle, &there, &meta, err));
        if (there && meta.stored_ns < time_ns)
            low = meta.stream_seq + 1;
        else
            high = middle;
    }
    *sequence = low;
    return WEIR_OK;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static weir_code read_by_number(struct history *history, weir_error *err) {
    const char *pattern = history->options->subject ? history->options->subject : ">";
    for (uint64_t at = history->from; at <= history->to;) {
        broker_msg *msg = NULL;
        struct broker_meta meta;
        if (history->options->go_on && !history->options->go_on(history->arg))
            return WEIR_OK;
        weir_code code = broker_get_next(history->connection, history->stream, at, pattern, &msg, err);
        if (code == WEIR_NOT_FOUND)
            return WEIR_OK;
        WEIR_TRY(code);
        bool more = broker_msg_meta(msg, &meta) && meta.stream_seq <= history->to &&
                    history->visit(history->arg, msg, &meta) && meta.stream_seq < UINT64_MAX;
        at = meta.stream_seq + 1;
        broker_msg_free(msg);
        if (!more)
            return WEIR_OK;
    }
    return WEIR_OK;
}

weir_code broker_history(weir_connection *connection, const char *stream,
                         const struct broker_stream_state *state,
                         const struct broker_history_options *options,
                         bool (*visit)(void *, const broker_msg *, const struct broker_meta *), void *arg,
                         weir_error *err) {
    struct history history = {.connection = connection,
                              .stream = stream,
                              .options = options,
                              .from = options->from > state->first_seq ? options->from : state->first_seq,
                              .to = options->to && options->to < state->last_seq ? options->to
                                                                                 : state->last_seq,
                              .visit = visit,
                              .arg = arg};
    if (state->messages == 0 || history.from > history.to)
        return WEIR_OK;
    if (strcmp(state->retention, "limits") != 0)
        return read_by_number(&history, err);
    struct broker_scan_options scan = {.subjects = options->subject ? &options->subject : NULL,
                                       .subject_count = options->subject != NULL,
                                       .from_sequence = history.from,
                                       .to_sequence = history.to,
                                       .timeout_ms = options->timeout_ms,
                                       .go_on = options->go_on};
    return broker_scan(connection, stream, &scan, visit, arg, err);
}
