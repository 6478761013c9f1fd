/* SPDX-License-Identifier: Apache-2.0 */
/* How the member's threads speak: everybody drops notes for the loop into its mailbox, and the loop hands out
 * jobs through queues. Nothing else is shared between them. */
#ifndef CONSUME_MAILBOX_H
#define CONSUME_MAILBOX_H

#include <pthread.h>

#include "consume/lane_core.h"
#include "consume/parcel.h"

/* --- notes for the loop --------------------------------------------------------------------------------- */

enum note_kind {
    NOTE_MESSAGE, /* source, msg */
    NOTE_ENDED,   /* source, left: its pull request ended */
    NOTE_GONE,    /* source, left, text: its consumer seems to be gone */
    NOTE_REFUSED, /* source, left, code, text */
    NOTE_RESULT,  /* handle, result, delay_ns, repeated, text: what became of a started event */
    NOTE_BURIED,  /* handle, code, text */
    NOTE_WAKE,    /* source: something may be stored on its subjects */
    NOTE_READ,    /* source, code, text, created, next, left 0: all was read, 1: there is more */
    NOTE_INFO     /* source, code, text, pending, ack_pending, ack_floor, created: CONSUMER.INFO */
};

struct note {
    enum note_kind kind;
    int source;
    broker_msg *msg;
    uint64_t handle;
    enum lane_result result;
    int64_t delay_ns;
    bool repeated; /* known to the inbox */
    uint64_t left; /* NOTE_ENDED and after: messages that will not come */
    weir_code code;
    char *text; /* owned by the note; NULL: none */
    uint64_t pending, ack_pending, ack_floor, next;
    char created[40];
};

struct mailbox {
    pthread_mutex_t lock;
    struct note *notes;
    size_t count, capacity, message_bound, messages;
    bool rung; /* a byte is in the bell already */
    int bell;  /* eventfd */
};

WEIR_MUST_CHECK weir_code mailbox_open(struct mailbox *mailbox, size_t message_bound, weir_error *err);
void mailbox_close(struct mailbox *mailbox); /* frees what nobody read */
/* Takes the note. A message beyond the bound is let go: it is delivered again after ack_wait. */
void mailbox_put(struct mailbox *mailbox, struct note note);
void mailbox_ring(struct mailbox *mailbox); /* async-signal-safe: makes a wait return */
/* All notes there are, in order; the caller gives the array back with the next call (notes, capacity). */
size_t mailbox_take(struct mailbox *mailbox, struct note **notes, size_t *capacity);
void mailbox_wait(struct mailbox *mailbox, int timeout_ms);

/* --- jobs ----------------------------------------------------------------------------------------------- */

enum job_kind {
    JOB_HANDLE, /* parcel, attempt: call the handler */
    JOB_FLOOR,  /* source, created, sequence: raise the inbox's floor */
    JOB_BURY,   /* parcel: letter, then ack */
    JOB_INFO,   /* source: CONSUMER.INFO */
    JOB_READ    /* source, created, sequence: read what is stored from there on */
};

struct job {
    enum job_kind kind;
    struct parcel *parcel;
    int attempt;
    int source;
    uint64_t sequence;
    char created[40];
};

struct job_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct job *jobs;
    size_t head, count, capacity;
    bool closed;
};

void jobs_open(struct job_queue *queue);
void jobs_release(struct job_queue *queue);
void jobs_put(struct job_queue *queue, struct job job);
/* Waits for the next; false when the queue was closed and is empty. */
bool jobs_take(struct job_queue *queue, struct job *job);
void jobs_close(struct job_queue *queue);

#endif
