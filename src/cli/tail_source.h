/* SPDX-License-Identifier: Apache-2.0 */
/* Following streams: their stored messages, merged by the time they were stored while history is read, then
 * as they come. Reads the streams themselves, never a plain subscription: that would show messages that were
 * never stored. */
#ifndef CLI_TAIL_SOURCE_H
#define CLI_TAIL_SOURCE_H

#include "broker/broker.h"

enum tail_start { TAIL_NEW, TAIL_ALL, TAIL_SINCE, TAIL_LAST };

/* What is wanted of one stream. Texts are borrowed until tail_close. */
struct tail_want {
    const char *stream;
    const char *const *subjects; /* patterns the server filters by; none: all */
    size_t subject_count;
};

struct tail_options {
    enum tail_start start;
    int64_t since_ns; /* wall clock, for TAIL_SINCE */
    bool follow;      /* otherwise the end is what is stored when each stream is opened */
    void (*say)(void *arg, const char *sentence); /* trouble, once per change; from the calling thread */
    void *say_arg;
};

typedef struct tail tail;

/* NOT_FOUND when the server has none of the streams; one that is missing is said and waited for. */
WEIR_MUST_CHECK weir_code tail_open(tail **out, weir_connection *connection, const struct tail_want *wants,
                                    size_t count, const struct tail_options *options, weir_error *err);
/* The next message, to be freed by the caller; *msg is NULL at the end or after tail_stop. Waits out outages
 * when following. */
WEIR_MUST_CHECK weir_code tail_next(tail *tail, broker_msg **msg, weir_error *err);
void tail_stop(tail *tail); /* async-signal-safe */
void tail_close(tail *tail);

#endif
