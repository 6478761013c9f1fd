/* SPDX-License-Identifier: Apache-2.0 */
/* What a member decides about the events it holds. Pure: inputs and the time go in, actions come out; the
 * shell (member.c) and the simulator do what they say. RELIABILITY A4, A5.
 *
 * A lane is the line of events of one key (of one stream). It owns its key while any event of it is
 * unsettled: later ones wait, other keys run. Ordered groups retry inside the lane (the event stays, marked
 * in progress); unordered groups give the event back with a delayed nak. An event without a key, or in an
 * unordered group, is a lane alone.
 *
 * The core remembers, up to `capacity` of them, the events that left it: a settled one that comes again (its
 * ack was lost) is only acked again, one that was given back keeps its count of attempts.
 *
 * Handles are small dense numbers (below 2 * capacity + 2), so that the shell can keep an array beside them.
 * A handle is reused only after LANE_FORGET. */
#ifndef CONSUME_LANE_CORE_H
#define CONSUME_LANE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/text.h"

typedef struct lane_core lane_core;

struct lane_policy {
    bool ordered;
    int max_deliver;         /* attempts in all */
    const int64_t *retry_ns; /* delay before attempt 2, 3, ... ; the last repeats; count 0: at once */
    size_t retry_count;
    int64_t ack_wait_ns; /* in-progress is due every third of it */
    int workers;         /* handlers at once */
    int capacity;        /* events held at most; asking stops when full */
    uint64_t
        crash_deliveries; /* server deliveries from which an event counts as a crasher: max_deliver + 16 */
    uint64_t done_limit;  /* no start that could make more than so many DONE; 0: no limit */
    bool parked;          /* nothing starts until lane_core_open: the take-over barrier (A4) */
};

enum lane_act {
    LANE_START,       /* run the handler: action.attempt is set */
    LANE_ACK,         /* settled: ack it; what it carries is no longer needed */
    LANE_NAK,         /* give it back: delay_ns (0 at drain); keep its story until LANE_FORGET */
    LANE_PROGRESS,    /* tell the server it is still in work */
    LANE_DEAD_LETTER, /* publish the letter, ack with confirmation -> lane_core_buried */
    LANE_FORGET,      /* nothing is remembered under this handle any more */
    LANE_NONE         /* nothing to do until lane_core_next_ns */
};

struct lane_action {
    enum lane_act act;
    uint64_t event; /* handle given at arrival */
    int attempt;
    int64_t delay_ns;
    const char *reason_class; /* LANE_DEAD_LETTER: "handler", "rejected", "timeout", "crash", "schema" */
};

enum lane_result {
    RESULT_DONE,     /* handler succeeded, effects committed (or they were before: known to the inbox) */
    RESULT_RETRY,    /* failed; delay_ns < 0: the group's own delay */
    RESULT_REJECTED, /* handler said dead letter */
    RESULT_TIMEOUT,  /* handler ran out of time: counts as an attempt */
    RESULT_CRASHED,  /* the worker died: counts as an attempt */
    RESULT_INVALID,  /* could not be parsed or broke its schema: dead letter at once, class schema */
    RESULT_NEWER,    /* its version is newer than the catalog's: counts as an attempt, then class schema */
    RESULT_NOT_RUN   /* the handler could not be called (its database is locked or full): no attempt; again
                        after   delay_ns, in any group without giving the event back */
};

struct lane_arrival {
    weir_text stream, key; /* the lane; key absent: a lane alone */
    uint64_t sequence;     /* in that stream: the order in the lane (redeliveries may come out of order) */
    /* The event's identity: which subscription it came through, its sequence there, and when it was stored (a
     * stream made anew counts from 1 again). A retry from the dead letters differs from the event it came
     * from. */
    int source;
    uint64_t source_sequence;
    int64_t stored_ns;
    uint64_t deliveries; /* by the server, 1 the first time */
};

enum lane_news {
    NEWS_NEW,  /* never seen, or forgotten; attempts made elsewhere are guessed from the deliveries (A5). The
                  handle may be one that was remembered until now: what the shell kept under it is void */
    NEWS_BACK, /* given back earlier under this handle: the shell still has its story */
    NEWS_HELD, /* it is held already: the shell acks by this newer message */
    NEWS_SETTLED /* settled earlier: ack it again, nothing else happens */
};

lane_core *lane_core_new(const struct lane_policy *policy); /* copies the policy */
void lane_core_free(lane_core *core);

/* An event arrived. The caller asks for no more than lane_core_room; an event beyond the capacity aborts,
 * except NEWS_HELD and NEWS_SETTLED (lane_core_knows tells beforehand). */
enum lane_news lane_core_arrive(lane_core *core, const struct lane_arrival *arrival, int64_t now_ns,
                                uint64_t *handle);
/* Would it be NEWS_HELD or NEWS_SETTLED? */
bool lane_core_knows(const lane_core *core, const struct lane_arrival *arrival);
/* What became of a started event. */
void lane_core_result(lane_core *core, uint64_t handle, enum lane_result result, int64_t delay_ns,
                      int64_t now_ns);
/* The letter is stored and the ack confirmed (ok), or it failed: it is tried again after a while. */
void lane_core_buried(lane_core *core, uint64_t handle, bool ok, int64_t now_ns);
/* The next thing to do now. Call until LANE_NONE. */
struct lane_action lane_core_next(lane_core *core, int64_t now_ns);
int64_t
lane_core_next_ns(const lane_core *core); /* when to call again though nothing arrives; INT64_MAX: never */
/* All that was delivered and not settled before is held now (or waiting for it was given up): starts begin. */
void lane_core_open(lane_core *core);
bool lane_core_parked(const lane_core *core);
/* No new starts; waiting events are given back by LANE_NAK with no delay in the stream's order, running ones
 * finish, and those behind a running one are given back after it. */
void lane_core_drain(lane_core *core);
int lane_core_held(const lane_core *core);
int lane_core_running(const lane_core *core);
int lane_core_ready(const lane_core *core); /* could start now if a worker were free */
int lane_core_room(const lane_core *core);  /* how many more may be asked for; 0 while draining */

#endif
