/* SPDX-License-Identifier: Apache-2.0 */
/* The relay: from an outbox to the streams, exactly once, in commit order, whatever is killed (promises P1 to
 * P3).
 *
 * Each batch ends in a cursor message on _weir.cursor.<STREAM>.<outbox>, which no group receives. Where it would lie for
 * ever (work queue, interest) or take the place of events (max_msgs, max_bytes) the relay has all but the last two of its
 * cursors removed (STREAM.PURGE of that subject), unless the stream has deny_purge: a stream with max_msgs then keeps up to
 * three events fewer than that for each outbox. With PostgreSQL, whose settlements may be under way, it is the last eighteen,
 * and up to nineteen fewer. */
#ifndef WEIR_RELAY_H
#define WEIR_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/catalog.h"
#include "weir/clock.h"
#include "weir/connection.h"
#include "weir/latency.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_relay weir_relay;

/* How committed rows are found. The mode may be another one at each start: nothing is lost or doubled by it. */
enum weir_relay_mode {
    WEIR_RELAY_POLL, /* by reading the table */
    WEIR_RELAY_WAL   /* PostgreSQL: by following its write-ahead log, through a replication slot of our own */
};

typedef struct weir_relay_options {
    const char *outbox;      /* "sqlite:PATH" */
    const weir_clock *clock; /* NULL: the system's */
    int64_t keep_ms; /* published rows are deleted after this long; 0 means 24 h, which is also the least;
                        negative: never delete */
    bool standby;    /* wait for the lease instead of failing when another relay holds it */
    enum weir_relay_mode mode;
    /* WAL: our slot is lost, was moved, or somebody else reads it: catch up from the table, and make it anew if it can be */
    bool catch_up;
} weir_relay_options;

/* Counts are of this relay since it was opened. */
typedef struct weir_relay_stats {
    uint64_t published, parked, batches;
    uint64_t parked_schema; /* of the parked ones: those that break the catalog; the others were rejected */
    uint64_t reconciled;    /* batches found committed after an unknown outcome */
    uint64_t republished;   /* events a stream forgot that were sent again */
    uint64_t fenced;        /* times that another relay was found at work on the outbox */
    weir_latency acks;      /* from a batch's last message to the server's answer */
    int64_t pending;        /* rows waiting, as of the last look */
    int64_t lag_ms;         /* age of the oldest row that is not in its stream yet; 0: none waits */
    int64_t slot_bytes;     /* write-ahead log that the database keeps for us; 0 without a replication slot */
    bool connected;         /* to the server, now */
    bool active;            /* it has the lease and runs, and its database answers */
    char phase[32];         /* how rows are found: "polling", "catching up", "following the log" */
    char trouble[512];      /* why nothing moves now; "" when all is well */
} weir_relay_stats;

typedef struct weir_relay_stream_stats {
    char stream[256];
    uint64_t published, batches;
} weir_relay_stream_stats;

/* Borrows connection and catalog until close. A newer catalog (weir_catalog_watch_open) is taken over by
 * weir_relay_stop, and when run has returned: close, open with the new one (with `standby`: another relay may have
 * taken the lease meanwhile), run. Nothing is lost or doubled by it. `weir relay` does exactly this. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_relay_open(weir_relay **out, weir_connection *connection,
                                                      const weir_catalog *catalog,
                                                      const weir_relay_options *options, weir_error *err);
WEIR_EXPORT void weir_relay_close(weir_relay *relay);

/* Works in the calling thread until weir_relay_stop; with `once`, until everything committed before the call
 * is published or parked. Outages are waited out. Fails (CONFLICT) when fenced by another relay, or when
 * database and stream contradict each other ("the database or the stream was restored"). */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_relay_run(weir_relay *relay, bool once, weir_error *err);
/* Finishes the batch in flight and returns from run. Thread- and async-signal-safe. */
WEIR_EXPORT void weir_relay_stop(weir_relay *relay);
/* Both are thread-safe and touch neither database nor server: collecting them does not slow the relay. */
WEIR_EXPORT void weir_relay_stats_get(weir_relay *relay, weir_relay_stats *out);
/* One row for each stream, at most `max`; returns how many. There are never more than 64. */
WEIR_EXPORT size_t weir_relay_streams_get(weir_relay *relay, weir_relay_stream_stats *out, size_t max);

#ifdef __cplusplus
}
#endif
#endif
