/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the relay: the shell around the cores. One thread does everything except on_ack, which leaves an
 * answer in its stream's slot and wakes the relay. */
#ifndef RELAY_SHELL_H
#define RELAY_SHELL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/crash.h"
#include "base/list.h"
#include "broker/broker.h"
#include "catalog/model.h"
#include "relay/cursor.h"
#include "relay/relay_core.h"
#include "relay/staged.h"
#include "weir/relay.h"

enum {
    RELAY_ACK_TIMEOUT_MS = 5000,
    RELAY_WATCH_MS = 10000, /* how often a resting stream is looked at (A9) */
    RELAY_CLEAN_MS = 60000,
    RELAY_CLEAN_ROWS = 500,    /* a step of cleaning */
    RELAY_WALK_SHARE = 50,     /* so many times as long as it took lies between two walks through a backlog */
    RELAY_IDLE_MS = 1000,      /* the longest wait */
    RELAY_ONCE_LOG_MS = 30000, /* --once: so long the log may stand still */
    RELAY_STOP_MS = 2000,      /* asked to stop, an answer is waited for so long: closing takes time, too */
    RELAY_FULL_ROWS = 256,     /* a batch of so many means backlog: the next one is sent ahead */
    RELAY_AHEAD_MAX = 16,      /* so often in a row; then the outbox is read from its start again */
    RELAY_SMALL_ROWS = 32,     /* a batch of fewer is flushed at once: nobody waits for a millisecond timer */
    RELAY_AWAY_FAILURES = 3,   /* of the database, one after the other: it is not busy, it is away */
    RELAY_FLUSH_MS = 1000,     /* a server that is silent holds nothing else up for longer */
    RELAY_SWEPT_UNSETTLED = 16, /* settlements under way where cursors are removed */
    RELAY_CURSORS_KEPT =
        2, /* where cursors are removed, beyond settlements under way: a batch and the fence behind it */
    RELAY_SAMPLE_MS = 10000, /* how often published rows are read back (A9) ... */
    RELAY_SAMPLES = 8,       /* ... and how many: the newest, and some anywhere */
    RELAY_HEAL_ROWS = 500,   /* looked at in one step of healing */
    RELAY_HEAL_GOOD = 2000   /* so many present in a row: a stream that lost its end has the rest */
};

struct answer {
    uint64_t token; /* 0: none */
    weir_code code;
    struct broker_puback ack;
    weir_error err;
};

struct relay_stream {
    weir_relay *relay;
    int number; /* its place in relay->streams */
    const char *name;
    const struct stream_def *def; /* NULL: the catalog does not have it any more */
    LIST(const char *) types;
    bool holds; /* events of some of them wait for a parked one of their key */
    char cursor_subject[CURSOR_SUBJECT_MAX];
    relay_core *core;
    struct staged staged;
    bool ready;         /* it began to want rows and has none staged */
    bool looked;        /* it was seen since the start: rows may be claimed */
    uint64_t looked_in; /* the claim in which that happened: its rows were read too early */
    int64_t watched_ns;
    int64_t missed_pos;          /* a row that is not where it was published; 0: none */
    uint64_t published, batches; /* settled; under relay->lock */
    /* the batch in flight */
    _Atomic uint64_t token; /* 0: none; read by on_ack */
    int64_t sent_ns;
    uint64_t sent_epoch;
    int64_t flying[LIMIT_BATCH_EVENTS]; /* its rows */
    size_t flying_count;
    bool sent_full;
    int ahead_runs;
    int64_t begun; /* a row of a transaction that it may have in part, which is gone on with first; 0: none */
    bool begun_known;       /* in this run; the stream's last cursor says it */
    struct answer answer;   /* under relay->lock */
    _Atomic uint64_t asked; /* the tokens of the batch's own messages begin here; 0: none has one */
    struct answer inner;    /* the first of them that was refused; under relay->lock */
    weir_error setup;       /* code != OK: the servers are not as `weir apply` leaves them */
};

struct weir_relay {
    weir_connection *connection;
    const weir_catalog *catalog;
    const weir_clock *clock;
    outbox *outbox;
    broker_acks *acks;
    event_scratch *scratch;
    arena *life, *turn; /* the relay's; of one claim */
    buffer cursor_body;
    map *held;                  /* stream and key, to the parked row it waits for; NULL: none does */
    buffer held_place;          /* room for a key of it */
    bool held_stale;            /* a key was let go: read anew before the next claim */
    struct relay_cursor cursor; /* room to read one */
    map *by_name;
    struct relay_stream *streams[LIMIT_RELAY_STREAMS];
    size_t stream_count;
    LIST(struct outbox_parking) parked; /* of one claim, in turn */
    LIST(int64_t) behind;               /* parked rows that some of those wait for; likewise */
    int64_t keep_ns;
    bool standby;
    struct crash_point crash;
    /* one run */
    bool look;          /* there may be rows to claim */
    bool settles_later; /* settlements were seen under way: they may be at any time */
    uint64_t claim_no;
    uint64_t clear_of; /* rows up to `clear` are of these streams (bits) ... */
    struct outbox_mark clear;
    int64_t clear_ns;  /* ... until then */
    bool clear_walked; /* this claim walks through them again */
    uint64_t anew;     /* how often relay_look_anew was called */
    int64_t horizon;   /* --once: the last position to wait for; 0: for ever */
    int64_t done_ns;   /* --once: all rows were sent then, and the log got on last; 0: not yet */
    uint64_t progress; /* of the log */
    uint64_t epoch;
    uint64_t tokens;
    int64_t now_ns;
    int64_t clean_ns, count_ns, hold_ns, sample_ns;
    uint64_t samples; /* taken so far */
    int database_failures;
    int away;        /* failures of the database since it was last looked at */
    bool failed;     /* a core stopped, or the lease is lost: failure says why */
    bool lost;       /* it is the lease: nothing more is sent or settled */
    int64_t stop_ns; /* when it was asked to stop; 0: not yet */
    weir_error failure;
    struct outbox_told told; /* by the store, in this turn */
    /* shared */
    atomic_bool stopping;
    pthread_mutex_t lock;
    weir_relay_stats stats; /* lag_ms, connected: made when they are asked for */
    int64_t oldest_us;      /* created_us of the oldest pending row at the last look */
    bool moved;             /* rows were settled since */
};

int64_t relay_mono_ns(weir_relay *relay);
int64_t relay_wall_us(weir_relay *relay);
/* The slot of a stream; made when there is none. LIMIT beyond LIMIT_RELAY_STREAMS. */
WEIR_MUST_CHECK weir_code relay_stream_find(struct relay_stream **out, weir_relay *relay, const char *name,
                                            weir_error *err);
void relay_stream_free(struct relay_stream *stream);
/* Does what the core wants until it has to wait for something. */
void relay_stream_drive(struct relay_stream *stream);
/* Answers, timeouts, lost connections. */
void relay_stream_hear(struct relay_stream *stream);
bool relay_stream_idle(const struct relay_stream *stream); /* nothing in flight, nothing to settle */

/* Claims rows, builds their events, sends and commits batches. *rows: how many were claimed. */
WEIR_MUST_CHECK weir_code relay_claim(weir_relay *relay, size_t *rows, weir_error *err);
/* The same ahead of an answer, for the streams whose batch in flight was full; not committed yet. */
WEIR_MUST_CHECK weir_code relay_claim_ahead(weir_relay *relay, weir_error *err);
/* Commits what is staged where that may be done, and forgets it otherwise: what follows is read anew. */
void relay_commit_staged(struct relay_stream *stream);
void relay_send_fence(struct relay_stream *stream);
/* Rows are pending again that come before some that were seen or sent: nothing is passed over or gone on with before them. Any
 * rows, or those that waited for a parked one. */
void relay_look_anew(weir_relay *relay, bool any);

/* --- relay_store.c --- */
/* Hands on what a call of the store said. A failure makes every core read anew; the lease may be lost with it. */
WEIR_MUST_CHECK weir_code relay_store(weir_relay *relay, weir_code code);
/* STOPPED: asked to stop while waiting for it (standby). */
WEIR_MUST_CHECK weir_code relay_take_lease(weir_relay *relay, weir_error *err);
WEIR_MUST_CHECK weir_code relay_regain_lease(weir_relay *relay, weir_error *err);

/* --- count.c: statistics; each takes the lock by itself --- */
void relay_count_settled(struct relay_stream *stream, uint64_t rows, bool reconciled);
void relay_count_parked(weir_relay *relay, const char *error_class, size_t rows);
void relay_count_again(weir_relay *relay, size_t rows);
void relay_count_fenced(weir_relay *relay);
void relay_count_ack(weir_relay *relay, int64_t took_ns);
void relay_set_active(weir_relay *relay, bool active);
void relay_set_trouble(weir_relay *relay, const char *trouble); /* logs what is new */
/* Looks at the backlog, once a second at most, and so that counting takes a fiftieth of the time at most. */
void relay_count_pending(weir_relay *relay);

/* --- held.c --- */
enum relay_held {
    HELD_NOT,
    HELD_BEHIND, /* a parked row of its key */
    HELD_NEXT    /* its key was let go after it was claimed: the next claim has those before it */
};
/* Must the row wait? `behind`: for which one. */
enum relay_held relay_held(weir_relay *relay, const struct event_def *def, const struct outbox_row *row,
                           int64_t *behind);
/* A row is parked: does its key wait from now on? The second: one of which only the position is known. */
void relay_hold(weir_relay *relay, const struct event_def *def, const weir_draft *draft, int64_t pos);
void relay_hold_position(weir_relay *relay, int64_t pos);
/* Reads anew which keys wait. LIMIT when there are more than LIMIT_HELD_KEYS. */
WEIR_MUST_CHECK weir_code relay_held_read(weir_relay *relay, weir_error *err);
void relay_held_clear(weir_relay *relay);
/* Rows were set aside behind a parked one; if that was let go meanwhile they come back. */
WEIR_MUST_CHECK weir_code relay_held_check(weir_relay *relay, int64_t behind, weir_error *err);

/* --- sample.c --- */
/* Now and then: are published rows still where they were? What is missing is told to its core. */
WEIR_MUST_CHECK weir_code relay_sample(weir_relay *relay, weir_error *err);
/* Which position is sample `number` of those from low to high? Evenly spread, every one in time. */
int64_t relay_sample_position(int64_t low, int64_t high, uint64_t number);
/* The same in ranges with gaps between them; count is at least 1. */
int64_t relay_sample_among(const struct outbox_range *ranges, size_t count, uint64_t number);
/* Does the stream remove single messages by itself, so that absence proves nothing? */
bool relay_stream_removes(const struct relay_stream *stream);
/* Does this message hold the event of that id? */
bool relay_holds_event(weir_relay *relay, const broker_msg *msg, weir_text id);

/* WANT_HEAL. *again: how many rows are pending again. */
WEIR_MUST_CHECK weir_code relay_heal(struct relay_stream *stream, size_t *again, weir_error *err);

#endif
