/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox is an array that the loop swaps for its last one: one lock and at most one wake-up for any
 * number of notes. The bell is an eventfd because weir_member_stop may be called from a signal handler, where
 * no lock may be taken. Both queues are bounded by what the loop allows: messages by what was asked for (and
 * by message_bound, should the server send more), results by the workers, jobs by the events held. */
#include "consume/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"

weir_code mailbox_open(struct mailbox *mailbox, size_t message_bound, weir_error *err) {
    *mailbox =
        (struct mailbox){.message_bound = message_bound, .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (mailbox->bell < 0) {
        weir_fail(err, WEIR_IO, "cannot make an eventfd: %s", strerror(errno));
        return weir_hint(err, "raise the limit of open files (ulimit -n)");
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    return WEIR_OK;
}

void mailbox_close(struct mailbox *mailbox) {
    for (size_t i = 0; i < mailbox->count; i++) {
        broker_msg_free(mailbox->notes[i].msg);
        mem_free(mailbox->notes[i].text);
    }
    mem_free(mailbox->notes);
    close(mailbox->bell);
    pthread_mutex_destroy(&mailbox->lock);
}

void mailbox_ring(struct mailbox *mailbox) {
    const uint64_t one = 1;
    ssize_t written = write(mailbox->bell, &one, sizeof one);
    (void)written; /* full means it rings already */
}

void mailbox_put(struct mailbox *mailbox, struct note note) {
    bool ring = false, refused = false;
    pthread_mutex_lock(&mailbox->lock);
    if (note.kind == NOTE_MESSAGE && mailbox->messages >= mailbox->message_bound) {
        refused = true;
    } else {
        mailbox->messages += note.kind == NOTE_MESSAGE;
        if (mailbox->count == mailbox->capacity) {
            mailbox->capacity = mailbox->capacity ? mailbox->capacity * 2 : 64;
            mailbox->notes = mem_resize(mailbox->notes, mailbox->capacity * sizeof *mailbox->notes);
        }
        mailbox->notes[mailbox->count++] = note;
        ring = !mailbox->rung;
        mailbox->rung = true;
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (refused)
        broker_msg_free(note.msg);
    if (ring)
        mailbox_ring(mailbox);
}

size_t mailbox_take(struct mailbox *mailbox, struct note **notes, size_t *capacity) {
    pthread_mutex_lock(&mailbox->lock);
    struct note *taken = mailbox->notes;
    size_t count = mailbox->count, taken_capacity = mailbox->capacity;
    mailbox->notes = *notes;
    mailbox->capacity = *capacity;
    mailbox->count = mailbox->messages = 0;
    mailbox->rung = false;
    pthread_mutex_unlock(&mailbox->lock);
    *notes = taken;
    *capacity = taken_capacity;
    return count;
}

void mailbox_wait(struct mailbox *mailbox, int timeout_ms) {
    struct pollfd bell = {.fd = mailbox->bell, .events = POLLIN};
    uint64_t rings;
    if (poll(&bell, 1, timeout_ms) > 0) {
        ssize_t got = read(mailbox->bell, &rings, sizeof rings);
        (void)got;
    }
}

/* --- jobs ----------------------------------------------------------------------------------------------- */

void jobs_open(struct job_queue *queue) {
    *queue = (struct job_queue){0};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
}

void jobs_release(struct job_queue *queue) {
    mem_free(queue->jobs);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
}

static void grow(struct job_queue *queue) {
    size_t capacity = queue->capacity ? queue->capacity * 2 : 16;
    struct job *jobs = mem_alloc(capacity * sizeof *jobs);
    for (size_t i = 0; i < queue->count; i++)
        jobs[i] = queue->jobs[(queue->head + i) % queue->capacity];
    mem_free(queue->jobs);
    queue->jobs = jobs;
    queue->capacity = capacity;
    queue->head = 0;
}

void jobs_put(struct job_queue *queue, struct job job) {
    pthread_mutex_lock(&queue->lock);
    if (queue->count == queue->capacity)
        grow(queue);
    queue->jobs[(queue->head + queue->count++) % queue->capacity] = job;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

bool jobs_take(struct job_queue *queue, struct job *job) {
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed)
        pthread_cond_wait(&queue->filled, &queue->lock);
    bool taken = queue->count > 0;
    if (taken) {
        *job = queue->jobs[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void jobs_close(struct job_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}
