/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox backend that follows PostgreSQL's log, as its files see it. It wraps the one that polls: what is caught up
 * comes from there, and everything that is not the tail of the log is asked there. Three connections: the table's, the
 * walsender's, and one that writes in the background. */
#ifndef STORE_WAL_OUTBOX_H
#define STORE_WAL_OUTBOX_H

#include "base/map.h"
#include "store/pg_outbox.h"
#include "store/wal_core.h"
#include "store/wal_mark.h"
#include "store/wal_row.h"
#include "store/wal_slot.h"
#include "store/wal_stray.h"
#include "store/wal_stream.h"

#define WAL_BEAT_NS NS_PER_S             /* rounds, and status to the server */
#define WAL_HEARTBEAT_NS (10 * NS_PER_S) /* something for an idle slot to go past */
#define WAL_TAKEOVER_NS (5 * NS_PER_S)   /* so long an earlier relay's walsender may live on */
#define WAL_CONFIRM_BYTES (1u << 20)     /* of log nobody needs: let go at once */
enum { WAL_RETRY_MS = 50 };

/* How far the way from the table to the log is. */
enum wal_step {
    WAL_STEP_DRAIN, /* from the table; then the slot is looked at */
    WAL_STEP_MAKE,  /* the slot is being made, which waits for open transactions */
    WAL_STEP_TAIL
};

typedef struct wal_outbox {
    struct outbox base;
    pg_outbox *table;
    char *connect_url;
    bool
        followed; /* what is in flight may be of the window: the log told it, the table may not show it yet */
    bool anew;    /* --catch-up: make the slot anew where it cannot be followed */
    struct wal_slot slot;
    const char *names[WAL_FIELDS]; /* of the table's columns */
    int lease_pid;                 /* the table's session that had the lease when others were silenced */
    map *places;                   /* of streams: the cursor we know to be settled */
    arena *life, *scratch;
    wal_core *core;
    enum wal_step step;
    wal_mark *mark;     /* NULL: not connected */
    wal_stream *stream; /* NULL: not following */
    struct wal_table columns;
    struct pgoutput message;
    struct wal_stray stray;
    uint64_t written_lsn; /* outbox_meta says so; what the server may be told */
    bool taking;          /* rows of the transaction being told are wanted */
    bool found_late;      /* rows are pending that the log will not bring */
    char hindrance[400];  /* why the log is not followed yet */
    weir_error failure;   /* of the background, for the next call to return */
    int64_t slot_bytes;
    uint64_t
        until_lsn; /* what was committed before we began ends here, with the rows its messages became; 0: unknown */
    bool adopted;          /* messages became rows, which stand behind until_lsn: the next look says where */
    int64_t hindered_ns;   /* try again then */
    uint64_t snapshot_lsn; /* where the log stood just before S0 */
    int64_t snapshot_ns, drained_ns; /* when S0 was taken, last asked about */
    int64_t making_ns;               /* since when the slot is being made */
    struct wal_predecessor {         /* whose walsender was found on the slot */
        int64_t pid, since_ns;
        bool ended; /* by us */
    } predecessor;
    int64_t round_ns, confirm_ns, heartbeat_ns, look_ns, beat_ns; /* when they happened last */
    int64_t round_began_ns;
    int64_t oldest_ns, oldest; /* the oldest pending row of held types, and when it was asked */
} wal_outbox;

int64_t wal_outbox_now(const wal_outbox *wal);

/* --- wal_catch_up.c: from the table to the log and back --------------------------------------------- */

/* Forgets the window and the connections of the log: from now on the table is read. What was settled and not written is
 * lost, so it is called after wal_outbox_flush, or when that failed. */
void wal_outbox_fall_back(wal_outbox *wal);
/* Goes as far towards the log as it can without waiting. Fails with the slot's diagnosis. */
WEIR_MUST_CHECK weir_code wal_outbox_advance(wal_outbox *wal, weir_error *err);
/* S0 for claims from the table. */
WEIR_MUST_CHECK weir_code wal_outbox_snapshot(wal_outbox *wal, weir_error *err);
WEIR_MUST_CHECK weir_code wal_outbox_diagnose(wal_outbox *wal, weir_error *err);
/* We have the lease: sessions in which an earlier relay still writes settlements are ended, and waited for. */
WEIR_MUST_CHECK weir_code wal_outbox_silence_others(wal_outbox *wal, weir_error *err);
/* May this user replicate at all? */
WEIR_MUST_CHECK weir_code wal_outbox_try_stream(wal_outbox *wal, weir_error *err);

/* --- wal_tail.c: following -------------------------------------------------------------------------- */

/* Reads what the log says, writes what is due, tells the server how far we are. Does not wait. What fails is kept for the
 * next call, and the table is read again. */
void wal_outbox_serve(wal_outbox *wal);
/* Everything settled is in the database. */
WEIR_MUST_CHECK weir_code wal_outbox_flush(wal_outbox *wal, weir_error *err);
/* Waits for a round that is under way, so that settlements can be taken. */
WEIR_MUST_CHECK weir_code wal_outbox_make_room(wal_outbox *wal, weir_error *err);
/* Writes down and tells the server how far we are, and ends the connection. */
void wal_outbox_farewell(wal_outbox *wal);

#endif
