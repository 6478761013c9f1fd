/* SPDX-License-Identifier: Apache-2.0 */
/* Being a member of a group: events come to a handler, in order per key where the group says so, at least
 * once; with an inbox their effects happen exactly once (promises P4 to P6). */
#ifndef WEIR_CONSUME_H
#define WEIR_CONSUME_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/catalog.h"
#include "weir/clock.h"
#include "weir/connection.h"
#include "weir/event.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;

typedef struct weir_member weir_member;

typedef enum weir_verdict {
    WEIR_DONE,       /* handled: commit, ack */
    WEIR_RETRY,      /* not now: roll back, try again after the group's next delay (or the one set) */
    WEIR_DEAD_LETTER /* never: roll back, to the dead letters with the reason set */
} weir_verdict;

/* One event in a handler's hands, in the version that its group reads (weir/event.h). Valid during the call. */
typedef struct weir_delivery {
    weir_event event;
    int attempt;      /* 1 on the first */
    bool redelivered; /* the server sent it before: its worker may have died */
    bool retried;     /* it comes from the dead letters or a replay */
    struct sqlite3
        *db; /* the open transaction of the inbox, NULL without one: put effects and weir_emit_sqlite here */
    struct weir_outcome *outcome; /* for the functions below */
} weir_delivery;

/* Called from the member's worker threads; with an SQLite inbox always from the thread in weir_member_run. */
typedef weir_verdict (*weir_handler)(void *arg, const weir_delivery *delivery);

/* Says why, for retries and dead letters; kept with the attempt. At most 1 KiB is kept. */
WEIR_EXPORT weir_verdict weir_retry(const weir_delivery *delivery, const char *reason);
WEIR_EXPORT weir_verdict weir_retry_in(const weir_delivery *delivery, int64_t delay_ms, const char *reason);
WEIR_EXPORT weir_verdict weir_dead_letter(const weir_delivery *delivery, const char *reason);
/* The same from an error: retriable ones are retried, others go to the dead letters. */
WEIR_EXPORT weir_verdict weir_fail_with(const weir_delivery *delivery, const weir_error *err);

typedef struct weir_member_options {
    const char *group; /* of the catalog */
    weir_handler handler;
    void *handler_arg;
    struct sqlite3 *sqlite;  /* the inbox and the effects' database (weir_outbox_init_sqlite made it);
                                borrowed, used  only by the thread in weir_member_run. NULL: no inbox */
    int workers;             /* handlers at once, 1..64; 0 means 1; must be 1 with sqlite */
    int max_events;          /* stop after so many done (those known to the inbox count too); 0: no limit */
    bool until_empty;        /* stop when nothing is pending, other members' events included */
    bool skip_validation;    /* do not check events against their schema (they are still parsed) */
    int64_t drain_ms;        /* for handlers running at stop; 0 means 10 s */
    const weir_clock *clock; /* NULL: the system's */
} weir_member_options;

typedef struct weir_member_stats {
    uint64_t delivered, handled, repeated /* known to the inbox */, retries, dead_letters;
    int held;          /* events in the lanes now */
    char trouble[512]; /* why nothing moves; "" when all is well */
} weir_member_stats;

/* Binds to the durable consumers that `weir apply` made; creates nothing. NOT_FOUND (hint: weir apply) when
 * absent. INVALID for a group with `members: any`. Borrows connection and catalog until close.
 *
 * A member of an ordered group starts its first handler when it holds all that its predecessors left
 * unsettled: at once after a graceful stop, after the group's ack_wait when one was killed, and at the latest
 * after twice that. A group with `each: true` needs no consumers: the member reads the value of every
 * subject, then each newer one.
 *
 * An event of a version that the catalog does not know yet is tried again like one whose handler asked for it, without
 * calling the handler; one that cannot be brought to a version the group reads is a dead letter at once.
 *
 * A newer catalog (weir_catalog_watch_open) is taken over in the same process: in the watch's call, open a member
 * with it and close it again, which says whether the group can still be served; then weir_member_stop, and when
 * run has returned, close, open with the new catalog and run. Nothing is lost or handled twice by it, for what
 * waited was given back; the old catalog is closed behind the old member. `weir consume` does exactly this. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_member_open(weir_member **out, weir_connection *connection,
                                                       const weir_catalog *catalog,
                                                       const weir_member_options *options, weir_error *err);
WEIR_EXPORT void weir_member_close(weir_member *member);
/* Works until weir_member_stop (then drains: running handlers finish, what waits is given back) or until the
 * options' end. Outages are waited out; fails only when the group's consumer is gone or permissions are
 * missing. A handler that runs at the stop is waited for; after drain_ms its event is left to other members.
 * May be called again. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_member_run(weir_member *member, weir_error *err);
WEIR_EXPORT void weir_member_stop(weir_member *member); /* thread- and async-signal-safe */
WEIR_EXPORT void weir_member_stats_get(weir_member *member, weir_member_stats *out); /* thread-safe */

#ifdef __cplusplus
}
#endif
#endif
