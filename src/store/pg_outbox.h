/* SPDX-License-Identifier: Apache-2.0 */
/* An open PostgreSQL outbox, as the files of this room see it: the backend that polls, and what the one that follows the log
 * builds on. One connection does everything; settlements are sent without waiting, and whoever reads next takes their
 * answers first. A connection that broke is made anew by the next call. */
#ifndef STORE_PG_OUTBOX_H
#define STORE_PG_OUTBOX_H

#include "base/units.h"
#include "store/outbox_ops.h"
#include "store/pg.h"
#include "store/transactions.h"

/* The statements of an outbox, each from sql/pg/<name>.sql, prepared when the connection is made. */
#define PG_OUTBOX_STATEMENTS(X) \
    X(look)                     \
    X(claim)                    \
    X(claim_some)               \
    X(claim_txn)                \
    X(goes_on)                  \
    X(settle)                   \
    X(unsent)                   \
    X(seen)                     \
    X(number)                   \
    X(stream_get)               \
    X(stream_names)             \
    X(park)                     \
    X(unpark)                   \
    X(drop)                     \
    X(span)                     \
    X(pending)                  \
    X(counts)                   \
    X(sent)                     \
    X(unsend)                   \
    X(clean_look)               \
    X(clean)                    \
    X(view)                     \
    X(find)                     \
    X(lookup)                   \
    X(lease_try)                \
    X(lease_read)               \
    X(lease_end)                \
    X(lease_set)                \
    X(lease_beat)               \
    X(lease_free)               \
    X(sleep)                    \
    X(stall)

enum { PG_LATER_MAX = 8 };

/* Settlements that were not sent yet (pg_later.c), and their rows. */
struct pg_later {
    struct pg_args args[PG_LATER_MAX];
    size_t count;
    int64_t *rows;
    size_t row_count, row_capacity;
};

typedef struct pg_outbox {
    struct outbox base;
    char *connect_url; /* with its secrets */
    char application[64];
    struct pg *pg; /* NULL or lost: the next call connects */
    struct pg_args args, look_args;
    arena *shown; /* texts of outbox_view, until the next call */
    const char *
        snapshot; /* a pg_snapshot: claims give what it sees, whatever the horizon; NULL: poll. Set by who follows the log */
    /* settlements under way */
    struct pg_later later;
    size_t unsettled; /* sent, and not answered */
    uint64_t
        unseen_until; /* rows that are still not to be seen when the transactions below it ended, are gone; 0: none was missed */
    /* claiming (pg_claim.c): hints, all may be forgotten at any time */
    bool floor_holds; /* the layout makes floors safe */
    int64_t floor;    /* no row below is pending, but for those of `late` */
    uint64_t *late;   /* transactions that were running when the floor was found */
    size_t late_count;
    uint64_t unlisted; /* from this one on transactions may have been running, too */
    uint64_t horizon;
    int64_t last_pos;  /* when the horizon was looked at */
    bool dense;        /* most rows are of the types that are picked */
    int64_t bottom_ns; /* when to look from the very front again */
    /* what holds rows back (pg_stall.c) */
    bool left_out; /* the last claim did not come to the end of what is committed */
    bool held;
    uint64_t held_by;
    int64_t held_ns, stall_ns; /* since when; when to ask again */
    char stall[400];
    /* lease (pg_lease.c) */
    bool leased;
    weir_error
        dispossessed; /* code != OK: it was lost to somebody else, and nothing is done until it is ours again */
    bool untold;      /* a wait found that settlements failed: the next call says so */
    int64_t lease_ms, beat_ns;
    int lease_pid; /* our server process that took it */
    /* waking up (pg_wait.c) */
    bool asleep;               /* writers were told to wake us */
    int64_t asleep_ns;         /* until then */
    int64_t pause_ms, look_ns; /* 0: rows came just now */
    /* cleaning */
    int64_t clean_pos;
    int64_t clean_below; /* of partitions only those below it are cleaned row by row */
} pg_outbox;

/* Connects when there is no connection, takes the lease again when it was ours, and takes the answers of settlements. */
WEIR_MUST_CHECK weir_code pg_outbox_ready(pg_outbox *outbox, weir_error *err);
/* Sends what is in outbox->args to statement `name` and waits for its answer; settlements under way are answered first. Call
 * pg_outbox_args before. *result may be NULL. */
WEIR_MUST_CHECK weir_code pg_outbox_call(pg_outbox *outbox, const char *name, PGresult **result,
                                         weir_error *err);
/* UNAVAILABLE, retriable, while rows of the settlement are not to be seen yet. */
WEIR_MUST_CHECK weir_code pg_outbox_seen(pg_outbox *outbox, const struct outbox_settlement *settlement,
                                         weir_error *err);
/* Sends the settlements that wait, and takes the answers of all under way. */
WEIR_MUST_CHECK weir_code pg_outbox_drain(pg_outbox *outbox, weir_error *err);
/* Takes the answers of those that were sent. */
WEIR_MUST_CHECK weir_code pg_outbox_answers(pg_outbox *outbox, weir_error *err);
/* pg_outbox_call that lets settlements wait: they may be unknown to the answer. */
WEIR_MUST_CHECK weir_code pg_outbox_ask(pg_outbox *outbox, const char *name, PGresult **result,
                                        weir_error *err);
/* --- pg_later.c */
void pg_later_init(struct pg_later *later);
void pg_later_release(struct pg_later *later);
void pg_later_clear(struct pg_later *later); /* what waits is forgotten */
bool pg_later_full(const struct pg_later *later);
/* One more, for which there is room; fill in what it gives. */
struct pg_args *pg_later_add(struct pg_later *later, const struct outbox_settlement *settlement);
WEIR_MUST_CHECK weir_code pg_later_send(pg_outbox *outbox, weir_error *err);
/* Fresh parameters. */
struct pg_args *pg_outbox_args(pg_outbox *outbox);
/* $1 and $2 of statements that begin where pending rows do: the floor and the transactions that may have rows below it. */
void pg_outbox_floor(struct pg_args *args, const pg_outbox *outbox);
/* The last one: from which transaction on all may have such rows. */
void pg_outbox_floor_from(struct pg_args *args, const pg_outbox *outbox);
/* How many rows the answer says it changed. */
size_t pg_outbox_changed(const PGresult *result);
void pg_outbox_forget(pg_outbox *outbox); /* drops all hints: rows may be pending again anywhere */

/* A row of claim.sql or claim_txn.sql; texts are copied into arena. */
void pg_outbox_row(struct outbox_row *out, const PGresult *result, int row, arena *arena);
enum { PG_ROW_POS = 0, PG_ROW_XID = 1, PG_ROW_SIZE = 16 };
/* Can the time be written in nanoseconds: from 1678 to 2261? */
bool pg_outbox_has_ns(int64_t us);
/* "2025-11-14T12:00:00.123456Z"; "" for no time, "infinity". */
const char *pg_outbox_time(int64_t us, char out[UNITS_TEXT_MAX]);

void pg_outbox_held(pg_outbox *outbox, bool held, uint64_t by);
/* Tells, when it is time, that the holder of the lease lives. */
WEIR_MUST_CHECK weir_code pg_outbox_beat(pg_outbox *outbox, weir_error *err);
/* Gives the lease back, at once: a server process may outlive its client for a moment. */
void pg_outbox_lease_free(pg_outbox *outbox);

/* The backend's functions (outbox_ops.h). */
void pg_outbox_close(outbox *any);
weir_code pg_outbox_lease(outbox *any, weir_error *err);
weir_code pg_outbox_stream_load(outbox *any, const char *stream, struct outbox_stream *out, weir_error *err);
weir_code pg_outbox_streams(outbox *any, arena *arena, const char ***names, size_t *count, weir_error *err);
weir_code pg_outbox_claim(outbox *any, const struct outbox_wanted *wanted, arena *arena,
                          struct outbox_row **rows, size_t *count, weir_error *err);
weir_code pg_outbox_settle(outbox *any, const struct outbox_settlement *settlement, weir_error *err);
weir_code pg_outbox_flush(outbox *any, weir_error *err);
size_t pg_outbox_unsettled(const outbox *any);
weir_code pg_outbox_park(outbox *any, const struct outbox_parking *rows, size_t count, int64_t now_us,
                         weir_error *err);
weir_code pg_outbox_span(outbox *any, struct outbox_span *out, weir_error *err);
weir_code pg_outbox_pending(outbox *any, struct outbox_pending *out, weir_error *err);
weir_code pg_outbox_sent(outbox *any, const char *stream, int64_t before_pos, size_t limit, arena *arena,
                         struct outbox_sent **rows, size_t *count, weir_error *err);
weir_code pg_outbox_spread(outbox *any, int64_t low, int64_t high, arena *arena, struct outbox_range **ranges,
                           size_t *count, weir_error *err);
weir_code pg_outbox_unsend(outbox *any, const int64_t *positions, size_t count, weir_error *err);
weir_code pg_outbox_clean(outbox *any, int64_t before_us, size_t limit, size_t *count, bool *more,
                          weir_error *err);
weir_code pg_outbox_unpark(outbox *any, int64_t pos, size_t *count, weir_error *err);
weir_code pg_outbox_drop(outbox *any, int64_t pos, const char *why, int64_t now_us, weir_error *err);
weir_code pg_outbox_counts(outbox *any, struct outbox_counts *out, weir_error *err);
weir_code pg_outbox_each(outbox *any, int state, int64_t after_pos, size_t limit,
                         bool (*visit)(void *arg, const struct outbox_view *row), void *arg, weir_error *err);
weir_code pg_outbox_find(outbox *any, const char *pos_or_id, struct outbox_view *out, weir_error *err);
weir_code pg_outbox_lookup(outbox *any, const weir_text *ids, size_t count, arena *arena,
                           struct outbox_known *out, weir_error *err);
weir_code pg_outbox_health(outbox *any, arena *arena, struct outbox_health *out, weir_error *err);
void pg_outbox_tell(outbox *any, struct outbox_told *out);
bool pg_outbox_wait(outbox *any, int64_t timeout_ms);

#endif
