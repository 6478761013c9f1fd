/* SPDX-License-Identifier: Apache-2.0 */
/* The past of a stream, event by event: from one place to another, never further than what was stored when it began.
 * Needs no catalog. Reads only: no durable consumer is made, nobody's position moves, memory does not follow the stream. */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include "broker/broker.h"
#include "json/json.h"

enum { REPLAY_OUTAGE_MS = 30000 }; /* so long a server that went away is waited for */

struct replay_options {
    uint64_t from, to;          /* sequences, inclusive; 0: the first, the last stored */
    int64_t since_ns, until_ns; /* stored at or after, and before (wall clock); 0: no such bound */
    const char *subject;        /* a pattern; NULL: all */
    uint64_t limit;             /* so many envelopes; 0: all */
    int64_t outage_ms;          /* 0: REPLAY_OUTAGE_MS */
    /* One envelope as one line, without the newline; false stops. Texts live for the call. */
    bool (*line)(void *arg, uint64_t sequence, weir_text line);
    /* A message that cannot be a line, and why. */
    void (*skipped)(void *arg, uint64_t sequence, weir_text subject, const char *why);
    void (*waiting)(void *arg,
                    const char *why); /* the server went away; called once for each outage. May be NULL */
    bool (*go_on)(void *arg);         /* asked often; false stops. May be NULL */
    void *arg;
};

struct replay_result {
    uint64_t lines, skipped;
    uint64_t last; /* sequence of the last message that was read; 0: none */
};

/* The relay's cursor messages and other messages of weir itself are no events and are left out in silence. NOT_FOUND when
 * there is no such stream, with the nearest name; UNAVAILABLE when the server went away for too long, or the stream was
 * created again meanwhile: the hint says where to go on. `result` holds what was reached in every case. */
WEIR_MUST_CHECK weir_code replay_run(struct replay_result *result, weir_connection *connection,
                                     const char *stream, const struct replay_options *options,
                                     weir_error *err);

/* --- pure ------------------------------------------------------------------------------------------------ */

/* A stored message's data as one line of JSON: itself where it is one already, otherwise written compactly into room.
 * INVALID when it is no JSON. */
WEIR_MUST_CHECK weir_code replay_line(weir_text *line, weir_text data, json_pool *pool, buffer *room,
                                      weir_error *err);

#endif
