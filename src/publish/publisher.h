/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a publisher.
 *
 *   weir_publish        prepare ─▶ send, wait ─▶ (retry 1, 2, 4 s) ─▶ receipt
 *   weir_publish_async  prepare ─▶ slot ─▶ send ─┬─ PubAck ──────────▶ slot free
 *                                                └─ refusal, silence ─▶ the worker: again, or on_failure
 *
 * The window is a fixed set of slots. A slot keeps the event's bytes until its PubAck, so that a retry sends
 * the same bytes under the same id. One worker thread does what must not be done on a libnats thread:
 * waiting, sending again, reading back, calling the owner. */
#ifndef PUBLISH_PUBLISHER_H
#define PUBLISH_PUBLISHER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "broker/broker.h"
#include "catalog/model.h"
#include "publish/tagged.h"

/* An event ready to be sent. */
struct outgoing {
    const struct event_def *def;
    const char *subject;
    weir_text envelope;
    const char *id;
    bool time_given; /* the producer said when; otherwise the envelope's time was generated */
};

enum slot_state {
    SLOT_FREE,
    SLOT_SENT,   /* waiting for its PubAck until due_ns */
    SLOT_RETRY,  /* to be sent again at due_ns; a late PubAck still counts */
    SLOT_VERIFY, /* the stream had the id already: the worker reads it back */
    SLOT_FAILED, /* for good: the worker reports it */
    SLOT_REPORTED,
    SLOT_ACKED /* while the worker was still reading its bytes */
};

struct slot {
    enum slot_state state;
    bool held;      /* the worker reads `out`: nobody else may free the slot */
    uint64_t token; /* names this use of the slot and the try */
    uint64_t order; /* of its last sending among all sendings */
    uint64_t tag;   /* the caller's */
    int tries;
    int64_t due_ns;      /* monotonic; the worker looks at the slot then */
    uint64_t sequence;   /* SLOT_VERIFY */
    struct outgoing out; /* points into bytes */
    char *bytes;
    size_t capacity;
    weir_error *err; /* SLOT_FAILED */
};

struct scratch_item {
    struct scratch_item *next;
    event_scratch *scratch;
};

struct weir_publisher {
    weir_connection *connection;
    const weir_catalog *catalog;
    weir_publisher_options options;
    const weir_clock *clock;

    atomic_int calls; /* running inside */
    /* scratch memory for them: one item that needs no lock, and a list for more threads */
    _Atomic(struct scratch_item *) spare;
    pthread_mutex_t scratch_lock;
    struct scratch_item *scratches;

    pthread_mutex_t lock;
    pthread_cond_t room; /* there is room again; everything settled; closing */
    pthread_cond_t work; /* the worker should look earlier than it planned */
    bool closing, abandon;
    int waiting; /* calls that wait for room or for everything to settle */

    /* the asynchronous half, made by its first use */
    broker_acks *acks;
    pthread_t worker;
    struct slot *slots;
    int *free_slots;
    int free_count, window;
    size_t bytes;            /* held by slots in use */
    uint64_t serial;         /* of the last slot taken; the token's upper bits */
    uint64_t order;          /* sendings so far */
    uint64_t answers;        /* PubAcks so far, and the latest sending they were for: with these two a slow */
    uint64_t answered_order; /* server is told from a silent one */
    int64_t wake_ns;         /* when the worker will look by itself */
    size_t failures;         /* since the last settle */
    weir_error failure;      /* the first of them */
    publish_on_failure on_failure;
    void *on_failure_arg;
};

/* A token is serial, try, slot. */
enum {
    PUBLISH_SLOT_BITS = 12,
    PUBLISH_TRY_BITS = 3,
    PUBLISH_SLOT_KEEP_BYTES = 64 << 10 /* room a free slot keeps for its next event */
};

int64_t publisher_now(const weir_publisher *publisher);
/* Waits on `condition` (with the lock held) until it is signalled or the clock shows due_ns. */
void publisher_wait(weir_publisher *publisher, pthread_cond_t *condition, int64_t due_ns);

struct scratch_item *publisher_scratch(weir_publisher *publisher);
void publisher_scratch_back(weir_publisher *publisher, struct scratch_item *item);
/* Begins and ends a call: scratch memory, and closing waits for it. */
struct scratch_item *publisher_enter(weir_publisher *publisher);
void publisher_leave(weir_publisher *publisher, struct scratch_item *item);

/* Finds the type, builds the event. Its texts live in the scratch. */
WEIR_MUST_CHECK weir_code publisher_prepare(weir_publisher *publisher, const weir_draft *draft,
                                            event_scratch *scratch, struct outgoing *out, weir_error *err);
/* The headers every published event bears; two rows. */
void publisher_headers(const struct outgoing *out, struct broker_header headers[2]);
/* Is the event that stands at `sequence` under our id really ours? `tries` counts our own sends. */
WEIR_MUST_CHECK weir_code publisher_verify(weir_publisher *publisher, const struct outgoing *out,
                                           uint64_t sequence, int tries, weir_error *err);
/* Makes the server's refusal a sentence about this event, with the remedy. */
void publisher_explain(const struct outgoing *out, weir_error *err);
/* How long to wait before the next try (from 1). */
int64_t publisher_delay_ns(int tries);

void *publisher_work(void *publisher);
/* With the lock held: the slot is about to be sent, for the first or another time. */
void slot_sending(weir_publisher *publisher, struct slot *slot);
/* With the lock held: gives the slot back. */
void slot_release(weir_publisher *publisher, struct slot *slot);
/* With the lock held: plans a retry, or hands the slot to the worker as failed. */
void slot_trouble(weir_publisher *publisher, struct slot *slot, const weir_error *err);
/* With the lock held: makes the worker look at `due_ns` at the latest. */
void publisher_wake(weir_publisher *publisher, int64_t due_ns);

#endif
