/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the past of a stream, whatever it keeps messages by: on streams that keep by limits a reader more changes
 * nothing, so they are scanned (scan.h); on work queues and interest streams even a reader decides what is kept, so
 * there each message is asked for by its number, which is slower. */
#ifndef BROKER_HISTORY_H
#define BROKER_HISTORY_H

#include "broker/scan.h"

struct broker_history_options {
    const char *subject; /* a pattern; NULL: all */
    uint64_t from, to;   /* sequences, inclusive; 0: the first, the last of `state` */
    int64_t timeout_ms;  /* between two messages; 0 means 10 s */
    bool (*go_on)(
        void *arg); /* asked while nothing comes, with the visitor's arg: false ends it. May be NULL */
};

/* Visits messages in the stream's order, at most up to what `state` (read by the caller) says is the last. The visitor
 * borrows msg and may return false to stop. */
WEIR_MUST_CHECK weir_code broker_history(weir_connection *connection, const char *stream,
                                         const struct broker_stream_state *state,
                                         const struct broker_history_options *options,
                                         bool (*visit)(void *arg, const broker_msg *msg,
                                                       const struct broker_meta *meta),
                                         void *arg, weir_error *err);

/* The sequence where a time begins: of the first message stored at or after time_ns (wall clock), last_seq + 1 when all are
 * older. Found by halves, in some thirty requests. */
WEIR_MUST_CHECK weir_code broker_history_since(weir_connection *connection, const char *stream,
                                               const struct broker_stream_state *state, int64_t time_ns,
                                               uint64_t *sequence, weir_error *err);

#endif
