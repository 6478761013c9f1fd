/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox contract: what the relay needs of a database. Backends stand behind it (outbox_ops.h); one conformance
 * suite (test/contract/outbox_*_contract.c) runs against every one of them.
 *
 * A row is pending (processed = 0, not parked), published (processed = 1, with stream and sequence), parked
 * (with a class and a reason, waiting for a person) or dropped (by that person; processed = 1, class
 * "dropped"). Rows are never lost between these; only outbox_clean deletes, and only published and dropped
 * ones.
 *
 * One relay per outbox holds the lease; it only spares work, correctness is the cursor's (RELIABILITY A1).
 * An outbox is used by one thread. */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "weir/clock.h"
#include "weir/error.h"
#include "weir/event.h"
#include "weir/text.h"

typedef struct outbox outbox;

struct outbox_row {
    int64_t pos;      /* names the row; never reused */
    uint64_t txn;     /* the transaction that wrote it, while rows of one stand together; 0: unknown */
    bool ends_txn;    /* the last wanted row of its transaction; a transaction may go on in the next claim */
    weir_draft draft; /* the row as an event; its time is occurred_at, or else when the row was inserted */
    int64_t created_us; /* when it was inserted, wall clock, microseconds; 0 if unknown */
    const char
        *defect; /* not NULL: the row cannot be read as an event ("payload is NULL", "payload is a blob") */
};

/* Positions as inclusive ranges, disjoint, in the order of the stream: they need not ascend. */
struct outbox_range {
    int64_t first, last;
};

/* What the database knows of one stream: updated in the transaction that marks rows. */
struct outbox_stream {
    bool known;
    char created[40];     /* the stream's creation time when last settled */
    uint64_t settled_seq; /* sequence of the cursor message of the last settled batch; 0: none */
    uint64_t batch_no;
};

struct outbox_settlement {
    const char *stream;
    struct outbox_stream was; /* what outbox_streams must still say, unless it says the new already */
    const char *created;
    uint64_t cursor_seq, batch_no;
    const struct outbox_range
        *ranges;        /* rows of the batch in stream order: row i has sequence first_seq + i */
    size_t range_count; /* 0: only what is known of the stream changes */
    uint64_t first_seq; /* sequence of the batch's first event */
    bool verify;        /* the batch was sent by an earlier life: ids_hash must fit the rows */
    uint64_t ids_hash;
    int64_t now_us;
};

struct outbox_counts {
    int64_t pending, parked, published, dropped;
    int64_t oldest_pending_us; /* created_us of the oldest pending row; 0 if none */
};

/* --- opening ----------------------------------------------------------------------------------- */

struct outbox_options {
    const weir_clock *clock; /* NULL: the system's */
    bool wal;                /* follow the write-ahead log (PostgreSQL); false: poll */
    bool catch_up;    /* wal: the slot is lost or was moved: make it anew, and catch up from the table */
    int64_t lease_ms; /* a lease not renewed for so long may be taken over; 0: OUTBOX_LEASE_MS */
};
enum { OUTBOX_LEASE_MS = 15000 };

/* "sqlite:PATH" (or sqlite:///abs), "postgres://..." or "postgresql://...". Creates nothing: NOT_FOUND when there is no
 * such database, INVALID with the hint `weir outbox init` when it has no outbox. SQLite: refuses synchronous below FULL
 * and journal modes other than WAL by setting them for its own connection and checking. options may be NULL. */
WEIR_MUST_CHECK weir_code outbox_open(outbox **out, const char *url, const struct outbox_options *options,
                                      weir_error *err);
char *outbox_url_safe(const char *url); /* as it may be shown: without secrets. mem_free it */
/* Creates the tables, and for SQLite the file where it is missing. */
WEIR_MUST_CHECK weir_code outbox_init(const char *url, weir_error *err);
/* What PostgreSQL's tables may be made of. */
struct outbox_layout {
    const char *preset; /* "weir", "debezium", "seed"; NULL: what an earlier run chose, else weir */
    const char *table;  /* the one to take over; NULL: the preset's own name for it */
    void (*told)(void *arg, const char *sentence); /* hears what had to be left out, and why; may be NULL */
    void *arg;
};
WEIR_MUST_CHECK weir_code outbox_init_as(const char *url, const struct outbox_layout *layout,
                                         weir_error *err);
/* The SQL that outbox_init_as runs in PostgreSQL. mem_free it. */
char *outbox_layout_sql(const struct outbox_layout *layout);

/* One of the tables PostgreSQL's outbox_events consists of. */
struct outbox_partition {
    const char *name;
    int64_t first;     /* the lowest position that may stand in it */
    const char *every; /* "day", "hour": when the next one begins */
    const char *state; /* "ended": rows in it may wait; "sent": none does; "used": rows go into it; "ready" */
};
/* Makes PostgreSQL's table of events a partitioned one, or sees to the partitions that are there; they are told, in the order of
 * their positions, in `arena`. by: "day" or "hour"; NULL: as it is, or day. told as in outbox_layout. */
WEIR_MUST_CHECK weir_code outbox_partition_as(const char *url, const char *by,
                                              const struct outbox_layout *layout, arena *arena,
                                              struct outbox_partition **out, size_t *count, weir_error *err);
/* The SQL of it. mem_free it. */
char *outbox_partition_sql(const char *by);
void outbox_close(outbox *outbox);            /* gives the lease back; NULL is fine */
const char *outbox_url(const outbox *outbox); /* without secrets */
/* The uuid written by init: names the cursor subject. */
const char *outbox_uuid(const outbox *outbox);

/* Tries to take the lease. CONFLICT when another relay holds it (hint names its pid where known). It is renewed inside the
 * calls below; one that finds it lost to somebody else fails with CONFLICT. A holder that does not renew it in time loses
 * it to who asks (PostgreSQL; SQLite's is the kernel's, and ends with the process). */
WEIR_MUST_CHECK weir_code outbox_lease(outbox *outbox, weir_error *err);

/* --- the relay's work -------------------------------------------------------------------------- */

WEIR_MUST_CHECK weir_code outbox_stream_load(outbox *outbox, const char *stream, struct outbox_stream *out,
                                             weir_error *err);
/* Every stream this outbox ever sent to; names live in arena. At most LIMIT_RELAY_STREAMS. */
WEIR_MUST_CHECK weir_code outbox_streams(outbox *outbox, arena *arena, const char ***names, size_t *count,
                                         weir_error *err);

/* How far rows have been seen: those at or below pos that were committed before horizon. */
struct outbox_mark {
    int64_t pos;
    uint64_t horizon; /* a transaction id; 0 where positions are given in commit order */
};

struct outbox_wanted {
    size_t max_rows, max_bytes; /* at least one row comes, whatever its size */
    struct outbox_mark after;   /* rows that were seen before it was taken are left out; {0}: none is */
    const int64_t *flying;      /* positions that are being sent now, in the order claimed: left out */
    size_t flying_count;
    int64_t
        begun; /* not 0: a row of a transaction that the stream of these types may have in part: while it has more of
                      them, those come, and nothing else */
    const char *const *types; /* event types ... */
    size_t type_count;
    bool only;                /* ... that are wanted, and no others; false: that are left out */
    struct outbox_mark *seen; /* not NULL: is told what was committed before the claim looked */
};
/* Pending rows in the order in which they must enter their streams: of writers that serialise on a key, commit order;
 * rows of one transaction together. Rows and texts live in arena. */
WEIR_MUST_CHECK weir_code outbox_claim(outbox *outbox, const struct outbox_wanted *wanted, arena *arena,
                                       struct outbox_row **rows, size_t *count, weir_error *err);
/* Marks rows published and moves the stream's settled cursor, in one transaction. Rows published already are
 * left as they are. CONFLICT when `verify` finds other rows at these positions than those the batch was made
 * of: nothing is changed then.
 *
 * Without `verify` it may return before the database has it. Settlements reach the database in order, at most
 * OUTBOX_UNSETTLED_MAX are under way, and what later calls read is as if they were done. One that fails makes a later
 * call fail: then nothing is known but what is read anew. With `verify` it is in the database when it returns. */
WEIR_MUST_CHECK weir_code outbox_settle(outbox *outbox, const struct outbox_settlement *settlement,
                                        weir_error *err);
/* Waits until every settlement is in the database. */
WEIR_MUST_CHECK weir_code outbox_flush(outbox *outbox, weir_error *err);
enum { OUTBOX_UNSETTLED_MAX = 256 };
/* How many settlements may be under way now: what was settled before them is in the database. Cheap. */
size_t outbox_unsettled(const outbox *outbox);
/* The hash that tells batches apart: start with OUTBOX_HASH_START, add every row's id in order. */
#define OUTBOX_HASH_START 0xcbf29ce484222325u
uint64_t outbox_ids_hash(uint64_t hash, weir_text id);

struct outbox_parking {
    int64_t pos;
    const char *error_class; /* one of the closed list of error classes: "schema", "rejected", ... */
    const char *reason;
};
/* The class of rows that wait because an earlier one of their key is parked, and their reason, which names it: unparking or
 * dropping that one makes them pending again in the same transaction. */
#define OUTBOX_HELD "held"
#define OUTBOX_HELD_REASON "row %lld of the same key is parked"
/* Sets pending rows aside, in one transaction. */
WEIR_MUST_CHECK weir_code outbox_park(outbox *outbox, const struct outbox_parking *rows, size_t count,
                                      int64_t now_us, weir_error *err);
struct outbox_span {
    int64_t oldest_pending;  /* the lowest position that is pending, 0 if none */
    struct outbox_mark last; /* everything committed before this call */
};
WEIR_MUST_CHECK weir_code outbox_span(outbox *outbox, struct outbox_span *out, weir_error *err);
struct outbox_pending {
    int64_t rows;
    int64_t oldest_us; /* created_us of the one that comes first; 0: none */
};
WEIR_MUST_CHECK weir_code outbox_pending(outbox *outbox, struct outbox_pending *out, weir_error *err);

/* A published row that is still kept: what A9 needs to find out what a stream forgot. */
struct outbox_sent {
    int64_t pos;
    uint64_t sequence;
    const char *id;
};
/* Published rows of a stream below before_pos (INT64_MAX: the newest), newest first, at most `limit`. */
WEIR_MUST_CHECK weir_code outbox_sent(outbox *outbox, const char *stream, int64_t before_pos, size_t limit,
                                      arena *arena, struct outbox_sent **rows, size_t *count,
                                      weir_error *err);
/* Where rows may stand between two positions, in `arena`: partitions leave large gaps between them. */
WEIR_MUST_CHECK weir_code outbox_spread(outbox *outbox, int64_t low, int64_t high, arena *arena,
                                        struct outbox_range **ranges, size_t *count, weir_error *err);
/* Published rows become pending again: those at the given positions, in one transaction. */
WEIR_MUST_CHECK weir_code outbox_unsend(outbox *outbox, const int64_t *positions, size_t count,
                                        weir_error *err);

/* A step of cleaning: looks at the next `limit` rows and deletes those published or dropped before before_us. Partitions go as
 * a whole, one in a step, and count no rows.
 * *more is false when the step met a row that is kept, or the end: the next call then starts from the front
 * again. */
WEIR_MUST_CHECK weir_code outbox_clean(outbox *outbox, int64_t before_us, size_t limit, size_t *count,
                                       bool *more, weir_error *err);

/* --- people's work ----------------------------------------------------------------------------- */

/* Parked rows back to pending: one (pos > 0) and those held behind it, or all (pos 0). *count says how many. */
WEIR_MUST_CHECK weir_code outbox_unpark(outbox *outbox, int64_t pos, size_t *count, weir_error *err);
/* One row is given up: it stays as "dropped" until it is cleaned; those held behind it are pending again. NOT_FOUND when there is none; CONFLICT when
 * it was published. The caller holds the lease when the row is pending (a relay may be sending it). */
WEIR_MUST_CHECK weir_code outbox_drop(outbox *outbox, int64_t pos, const char *why, int64_t now_us,
                                      weir_error *err);
WEIR_MUST_CHECK weir_code outbox_counts(outbox *outbox, struct outbox_counts *out, weir_error *err);

enum outbox_state { OUTBOX_PENDING, OUTBOX_PARKED, OUTBOX_PUBLISHED, OUTBOX_DROPPED };
/* A row as people look at it. Texts live until the next call; absent ones have data == NULL. */
struct outbox_view {
    int64_t pos;
    enum outbox_state state;
    weir_text id, type, key, payload, tenant, actor, actor_kind, trace, span, source, idempotency_key;
    weir_text occurred_at, created_at, processed_at, parked_at, stream, error_class, error;
    uint64_t sequence;
    int version;
};
enum { OUTBOX_EVERY_STATE = -1 };
/* Rows in one state, or in every one, in order, behind after_pos, at most `limit`; visit returns false to
 * stop. */
WEIR_MUST_CHECK weir_code outbox_each(outbox *outbox, int state, int64_t after_pos, size_t limit,
                                      bool (*visit)(void *arg, const struct outbox_view *row), void *arg,
                                      weir_error *err);
/* The row at a position, or with an id; NOT_FOUND. */
WEIR_MUST_CHECK weir_code outbox_find(outbox *outbox, const char *pos_or_id, struct outbox_view *out,
                                      weir_error *err);

/* The row with an event's id; pos 0: there is none (any more). */
struct outbox_known {
    int64_t pos;
    enum outbox_state state;
    const char *stream; /* of a published row; lives in arena */
    uint64_t sequence;  /* 0 as well where a row was published before the table was taken over */
};
enum { OUTBOX_LOOKUP_MAX = 1000 };
/* Looks many ids up at once: out[i] is what is known of ids[i]. At most OUTBOX_LOOKUP_MAX, all of them valid UTF-8. */
WEIR_MUST_CHECK weir_code outbox_lookup(outbox *outbox, const weir_text *ids, size_t count, arena *arena,
                                        struct outbox_known *out, weir_error *err);

/* What `weir outbox check` says. Sentences live in the arena; each finding ends with its remedy. */
enum { OUTBOX_SENTENCES_MAX = 64 }; /* more are left out */
struct outbox_health {
    int layout;
    struct outbox_counts counts;
    bool relay_running;                                                       /* somebody holds the lease */
    int relay_pid;                                                            /* 0: unknown */
    const char *findings[OUTBOX_SENTENCES_MAX], *notes[OUTBOX_SENTENCES_MAX]; /* notes need no mending */
    size_t finding_count, note_count;
};
WEIR_MUST_CHECK weir_code outbox_health(outbox *outbox, arena *arena, struct outbox_health *out,
                                        weir_error *err);

/* What a backend knows without asking its database. Cheap. */
struct outbox_told {
    const char *phase; /* "polling", "catching up", "following the log" */
    char stall
        [400]; /* why committed rows are held back: "transaction of process 4711 (psql, database shop) ..."; "" */
    int64_t slot_bytes; /* write-ahead log held back by our slot; 0: none */
    /* the slot that the next run goes on from is not made, or the log not read, and all of it settled, up to where it stood
     * when the first rows were claimed */
    bool unready;
    uint64_t progress; /* grows while that comes nearer */
    bool
        held; /* the last claim gave fewer rows than are committed, to keep their order: no mark taken before it is one */
};
void outbox_tell(outbox *outbox, struct outbox_told *out);

/* --- waking up --------------------------------------------------------------------------------- */

/* Waits until somebody may have committed rows, or timeout_ms. True: look. Never misses for longer than the
 * timeout. */
bool outbox_wait(outbox *outbox, int64_t timeout_ms);
/* Sleeps until outbox_wake, whatever is committed. */
void outbox_pause(outbox *outbox, int64_t timeout_ms);
/* Makes a wait or pause in another thread return. Thread- and async-signal-safe. */
void outbox_wake(outbox *outbox);

/* --- the writing side -------------------------------------------------------------------------- */

struct sqlite3;
/* Inserts one row in the caller's open transaction. id and payload must be there. CONFLICT when the id is
 * known. */
WEIR_MUST_CHECK weir_code outbox_insert_sqlite(struct sqlite3 *db, const weir_draft *draft,
                                               int64_t created_us, weir_error *err);

struct pg_conn;
/* The same in PostgreSQL; when it was inserted is the database's to say. After CONFLICT the transaction goes on; after any other
 * failure of the statement PostgreSQL has aborted it. */
WEIR_MUST_CHECK weir_code outbox_insert_pg(struct pg_conn *conn, const weir_draft *draft, weir_error *err);

#endif
