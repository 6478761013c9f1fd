/* SPDX-License-Identifier: Apache-2.0 */
/* Does the outbox say what the streams hold? Every published row that is kept is held against its stream, and every event in the
 * stream against the rows, by reading both in order; memory follows neither. What contradicts can be healed: rows and cursor
 * are made to say what the stream holds, and the relay sends what it lacks. RELIABILITY A1, A9; docs/outbox.md.
 *
 * May run beside a relay: what is on its way is no finding. Healing needs the lease. */
#ifndef RELAY_AUDIT_H
#define RELAY_AUDIT_H

#include "base/list.h"
#include "broker/broker.h"
#include "catalog/model.h"
#include "relay/relay_core.h"
#include "store/outbox.h"

enum audit_kind {
    AUDIT_FINE,
    /* findings */
    AUDIT_FORGOTTEN, /* published, and the stream does not hold it */
    AUDIT_REPLACED,  /* published, and something else stands at its sequence */
    AUDIT_UNMARKED,  /* stands in the stream, and the database says it was not published */
    /* told, but nothing to mend */
    AUDIT_EVICTED,    /* published, and behind the stream's limits now */
    AUDIT_UNKNOWABLE, /* published and not there, in a stream that removes single messages by itself */
    AUDIT_ON_ITS_WAY, /* stands in the stream behind the settled cursor: the relay marks it */
    AUDIT_ELSEWHERE,  /* stands at another place too than the one the database says */
    AUDIT_KINDS,
    AUDIT_FIRST_TOLD = AUDIT_EVICTED
};
const char *audit_kind_name(enum audit_kind kind); /* "forgotten" ... */

/* What the relay does at its next start. */
enum audit_cursor {
    AUDIT_GOES_ON,
    AUDIT_MARKS,   /* batches are stored and not settled: it settles them */
    AUDIT_RESENDS, /* the stream was created again or lost its end: it sends again what is missing */
    AUDIT_STOPS    /* database and stream contradict each other */
};

struct audit_finding {
    enum audit_kind kind;
    int64_t pos;
    uint64_t sequence; /* where it should stand, or does */
    const char *id;
};

struct audit_stream {
    const char *name;
    bool missing;    /* the server does not have it */
    uint64_t rows;   /* published rows of it that are kept */
    uint64_t events; /* messages in it that are events */
    uint64_t count[AUDIT_KINDS];
    uint64_t
        lost_rows; /* rows that were published and that the database does not have any more, as far as is known */
    enum audit_cursor cursor;            /* before anything was healed */
    char trouble[512];                   /* AUDIT_STOPS: the relay's own words */
    LIST(struct audit_finding) findings; /* the first `shown`; live in the arena */
    /* healed */
    uint64_t again, marked; /* rows that are pending again, that are marked as published */
    bool moved;             /* what the database knows of the stream follows the stream */
};

enum { AUDIT_WINDOW = 4 << 20 };

struct audit_options {
    outbox *outbox; /* with the lease when `heal` */
    weir_connection *connection;
    const weir_catalog *catalog;
    bool heal;
    size_t shown;  /* findings to keep */
    size_t window; /* sequences held against the rows at a time, 4 bytes each; 0: AUDIT_WINDOW */
    /* Asked and told now and then; false stops (WEIR_STOPPED). May be NULL. */
    bool (*progress)(void *arg, const char *stream, uint64_t read, uint64_t of);
    void *arg;
};

/* The streams to look at: those the outbox sent to, and those of the catalog that hold a cursor of it. Names live in arena. */
WEIR_MUST_CHECK weir_code audit_names(const struct audit_options *options, arena *arena, const char ***names,
                                      size_t *count, weir_error *err);
/* One stream; `name` and what it finds live in arena. UNAVAILABLE when the stream was created again meanwhile. */
WEIR_MUST_CHECK weir_code audit_stream(struct audit_stream *out, const char *name,
                                       const struct audit_options *options, arena *arena, weir_error *err);
uint64_t
audit_findings(const struct audit_stream *stream); /* how much there is to mend, the cursor included */

#endif
