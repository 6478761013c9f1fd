/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a stream a new one of the same name. What the server cannot change in place (storage, retention to or
 * from workqueue, deny_delete back, ...) is changed by copying twice: the stream into a copy, the copy into the
 * new stream. Sequences, times and headers stay, and so do the groups' positions and what the relay, the inbox
 * and the dead letters take for the stream's identity (the mark weir.created, read by broker_stream_state).
 *
 * Where a migration stands is told by the servers alone: one that was killed goes on when migrate_run is called
 * again, from wherever it was. docs/migration.md tells the method, and what publishers and groups see.
 *
 * A request and what it points to are borrowed for the call. One thread. */
#ifndef PLAN_MIGRATE_H
#define PLAN_MIGRATE_H

#include "broker/broker.h"
#include "plan/observed.h"
#include "weir/clock.h"

/* The copy of stream S is the stream BROKER_COPY_PREFIX "S"; while somebody is at it MIGRATE_LOCK_PREFIX "S"
 * exists too. They bear the mark BROKER_MARK_MOVING, whose value is S. */
#define MIGRATE_LOCK_PREFIX "weir-migrating-"
#define MIGRATE_TRIAL_PREFIX "weir-trying-" /* made and deleted at once */
/* On a consumer that does not start with all, and stands for it: a migration gave it the start sequence that is the value, or
 * others made it with the deliver_policy that is the value before weir took it over. */
#define MIGRATE_MARK_START "weir.start"

/* What is done, in this order; each is one or a few requests. */
enum migrate_act {
    MIGRATE_TRY,      /* ask the server for room and for the new configuration, on streams made for it */
    MIGRATE_QUIET,    /* pause the groups and let them acknowledge what they hold */
    MIGRATE_COPY,     /* make the copy, a mirror */
    MIGRATE_FOLLOW,   /* wait until a mirror has what it mirrors */
    MIGRATE_FREEZE,   /* the stream gives up its subjects: publishers are refused */
    MIGRATE_END,      /* store the message that marks the end */
    MIGRATE_VERIFY,   /* compare stream and copy */
    MIGRATE_HOLD,     /* the copy takes the subjects */
    MIGRATE_CARRY,    /* the groups' positions go to the copy */
    MIGRATE_DROP_OLD, /* delete the old stream */
    MIGRATE_LAND,     /* make the new stream, a mirror of the copy */
    MIGRATE_FREEZE_COPY,
    MIGRATE_END_COPY,
    MIGRATE_VERIFY_NEW,
    MIGRATE_SETTLE,    /* the new stream stops being a mirror */
    MIGRATE_CARRY_NEW, /* the groups go to it */
    MIGRATE_OPEN,      /* it takes its configuration and the subjects */
    MIGRATE_DROP_COPY, /* delete the copy */
    MIGRATE_DONE,
    MIGRATE_LOST /* the stream is gone, and the copy may lack its end: nothing is done */
};
const char *migrate_act_name(enum migrate_act act); /* "copy" */

struct migrate_consumer {
    const char *name;
    const json *config; /* as it shall be on the new stream; NULL: as it is */
    bool drop;          /* it is not taken along */
};

struct migrate_request {
    const char *stream;
    const json *config; /* of the new stream, complete, as STREAM.CREATE takes it */
    /* Those that are not there yet are made. Consumers not named here are taken along as they are when they are
     * durable; others end. */
    const struct migrate_consumer *consumers;
    size_t consumer_count;
    int64_t drain_ms; /* how long groups may take to acknowledge what they hold; 0: LIMIT_MIGRATE_DRAIN_MS */
    const weir_clock *clock; /* NULL: the system's */
    /* Before each act. `about` is a sentence for people. May be NULL. */
    void (*on_act)(void *arg, enum migrate_act act, const char *about);
    void *on_act_arg;
};

/* Would the migration be refused before it starts? CONFLICT or INVALID with the reason: a mirror, a stream with
 * sources or counters, a sealed one, a name that leaves no room for the copy's; consumers that a work queue
 * cannot have. Pure. */
WEIR_MUST_CHECK weir_code migrate_refused(const struct observed_stream *stream,
                                          const struct migrate_request *request, weir_error *err);

/* Does it, or goes on with it. On failure before the copy holds the subjects all is put back as it was, and the
 * error's hint says so; later the hint says that all events are kept and how to go on. CONFLICT when somebody
 * else is migrating this stream; NOT_FOUND when there is neither stream nor copy. */
WEIR_MUST_CHECK weir_code migrate_run(weir_connection *connection, const struct migrate_request *request,
                                      weir_error *err);

/* After STREAM.LIST: streams on the way are shown as they were before, with their groups, and `unfinished`; copies
 * and locks are not shown. Nothing happens where nothing is on the way. Pure. */
void migrate_look_past(struct observed *observed);
/* The name of the stream this configuration is the copy, the lock or the trial of; absent: of none. */
weir_text migrate_copy_of(const json *config);
#endif
