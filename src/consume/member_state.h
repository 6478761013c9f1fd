/* SPDX-License-Identifier: Apache-2.0 */
/* A member's state, for the files of this room.
 *
 *   libnats' threads ──notes──▶ loop ──jobs──▶ workers (handlers, inbox)
 *                                │ ▲              │
 *                                │ └────notes─────┤
 *                                └──jobs──▶ clerk (letters, CONSUMER.INFO: whatever waits for the server)
 *
 * The loop alone touches the lane core, the parcels and the sources. With an SQLite inbox the one worker is
 * the caller's own thread and the loop has a thread of its own; without, the loop is the caller's thread. So
 * in-progress acks flow whatever a handler does. */
#ifndef CONSUME_MEMBER_STATE_H
#define CONSUME_MEMBER_STATE_H

#include <stdatomic.h>

#include "catalog/model.h"
#include "consume/mailbox.h"
#include "store/inbox.h"
#include "weir/consume.h"

/* One durable consumer the member pulls from; in a group with `each: true`, one event type it reads from its
 * stream. */
struct source {
    weir_member *member;
    int index;
    const char *stream; /* the catalog's */
    char created[40];
    char stream_created[40],
        consumer_created[40]; /* the clerk's: when the latter changes, the former may have */
    bool redeliver;
    broker_pull *pull;
    int64_t asked;         /* messages of open requests that have not come */
    int64_t asked_ns;      /* the last time we asked */
    int64_t ask_again_ns;  /* not before */
    bool suspect;          /* its consumer may be gone: being looked at */
    bool info_open;        /* a JOB_INFO is on its way */
    int64_t info_again_ns; /* when a suspect is looked at next */
    int missed;            /* times in a row that it was not there */
    bool idle;             /* the last CONSUMER.INFO said that nothing is pending */
    int held;              /* of the events in the lanes, those that came through it */
    uint64_t ack_pending;  /* as CONSUMER.INFO said */
    uint64_t floor;        /* of the inbox, as last told to the worker */

    const char *pattern; /* of `each` groups: the event type's subjects; NULL: pulled */
    broker_sub *sub;     /* the wake-up */
    uint64_t next;       /* the first sequence not read yet */
    /* The clerk's: the last message read, and at which connection it was last found there. */
    uint64_t tail, tail_epoch;
    int64_t tail_ns;

    bool reading; /* a JOB_READ is on its way */
    bool woken;   /* since the last reading began */
    int looks;    /* since the last wake-up */
    int64_t read_due_ns;
};

/* Why nothing moves. The first that is set is shown. */
enum trouble {
    TROUBLE_CONNECTION,
    TROUBLE_CONSUMER,
    TROUBLE_BARRIER,
    TROUBLE_LETTER,
    TROUBLE_INBOX,
    TROUBLE_COUNT
};

struct weir_member {
    weir_connection *connection;
    const weir_catalog *catalog;
    const struct group_def *group;
    weir_member_options options;
    const weir_clock *clock;
    char *group_name;
    inbox *inbox; /* NULL: none */

    struct source *sources;
    int source_count;
    struct lane_policy policy;

    /* the loop's */
    lane_core *core;
    struct parcel **parcels; /* by handle */
    size_t parcel_count;
    struct note *notes;
    size_t note_capacity;
    event_scratch *scratch;
    bool draining, connected;
    bool may_fetch; /* behind the barrier: ask once more */
    int64_t drain_ends_ns, info_due_ns, barrier_ends_ns, arrived_ns;
    uint64_t arrivals, done;
    uint64_t arrivals_at_check; /* when the last round of CONSUMER.INFO began */
    uint64_t epoch;             /* of the connection */
    int turn;                   /* which source asks first */
    weir_code code;             /* how run ends */
    weir_error err;

    struct mailbox mailbox;
    struct job_queue work, clerical;
    atomic_bool stop;

    pthread_mutex_t stats_lock;
    weir_member_stats stats;
    char troubles[TROUBLE_COUNT][512];
};

int64_t member_now(const weir_member *member);  /* monotonic */
int64_t member_wall(const weir_member *member); /* wall clock */
/* "" clears it. */
void member_trouble(weir_member *member, enum trouble trouble, const char *text);
void member_count(weir_member *member, uint64_t *counter); /* of member->stats: plus one */

/* bind.c: sources and policy from the catalog and the server's consumers */
WEIR_MUST_CHECK weir_code member_bind(weir_member *member, weir_error *err);
void member_policy(weir_member *member, int64_t capacity);
/* CONSUMER.INFO of a source; note's fields of NOTE_INFO are filled. */
WEIR_MUST_CHECK weir_code source_info(struct source *source, struct note *note, weir_error *err);

/* pull.c */
WEIR_MUST_CHECK weir_code pulls_open(weir_member *member, weir_error *err);
void pulls_close(weir_member *member); /* what was on its way is in the mailbox afterwards */
void pulls_ask(weir_member *member);
int64_t pulls_next_ns(const weir_member *member);              /* when to ask again though nothing happens */
void pulls_note(weir_member *member, const struct note *note); /* ENDED, GONE, REFUSED */

/* care.c: what CONSUMER.INFO is asked for: the barrier, emptiness, floors, consumers that seem to be gone */
void care_look(weir_member *member, int64_t now_ns);
int64_t care_next_ns(const weir_member *member);
void care_note(weir_member *member, const struct note *note); /* INFO */

/* each.c: groups in which every instance gets every event (A7b) */
WEIR_MUST_CHECK weir_code each_bind(weir_member *member, weir_error *err);
void each_release(weir_member *member);
WEIR_MUST_CHECK weir_code each_open(weir_member *member, weir_error *err);
void each_close(weir_member *member);
void each_look(weir_member *member, int64_t now_ns);
int64_t each_next_ns(const weir_member *member);
void each_note(weir_member *member, const struct note *note); /* WAKE, READ */
/* The clerk's part: reads on, and fills a note of NOTE_READ. */
void each_read(weir_member *member, const struct job *job, struct note *note);

/* arrival.c: takes msg */
void member_arrived(weir_member *member, broker_msg *msg, int source);

/* act.c */
void member_act(weir_member *member); /* everything the core wants done now */
void member_result(weir_member *member, const struct note *note);
void member_buried(weir_member *member, const struct note *note);

/* loop.c */
void *member_loop(void *member);
void member_fail(weir_member *member, const struct note *note); /* run ends with the note's code and text */

/* worker.c, clerk.c: until their queue is closed */
void *member_work(void *member);
void *member_clerk(void *member);

#endif
