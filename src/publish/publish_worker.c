/* SPDX-License-Identifier: Apache-2.0 */
/* The worker: looks at slots whose time has come. It sleeps until the earliest due time it saw, or until
 * somebody plans an earlier one; with PubAcks coming in it wakes about once per ack timeout. Scanning the
 * window costs microseconds and happens only then. */
#include "publish/publisher.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"

/* The lock is given up while the message is sent, so a PubAck may come in between: the slot is held
 * meanwhile. */
static void send_again(weir_publisher *publisher, struct slot *slot) {
    struct broker_header headers[2];
    publisher_headers(&slot->out, headers);
    struct broker_out message = {
        .subject = slot->out.subject, .data = slot->out.envelope, .headers = headers, .header_count = 2};
    weir_error err = {0};
    slot_sending(publisher, slot);
    slot->held = true;
    pthread_mutex_unlock(&publisher->lock);
    weir_code code = broker_acks_send(publisher->acks, &message, slot->token, &err);
    pthread_mutex_lock(&publisher->lock);
    slot->held = false;
    if (slot->state == SLOT_ACKED)
        slot_release(publisher, slot);
    else if (code != WEIR_OK && slot->state == SLOT_SENT)
        slot_trouble(publisher, slot, &err);
}

static void verify(weir_publisher *publisher, struct slot *slot) {
    weir_error err = {0};
    pthread_mutex_unlock(&publisher->lock);
    weir_code code = publisher_verify(publisher, &slot->out, slot->sequence, slot->tries, &err);
    pthread_mutex_lock(&publisher->lock);
    if (code == WEIR_OK)
        slot_release(publisher, slot);
    else
        slot_trouble(publisher, slot, &err);
}

/* Exactly once: nobody else touches a slot in this state. */
static void report(weir_publisher *publisher, struct slot *slot) {
    publisher_explain(&slot->out, slot->err);
    slot->state = SLOT_REPORTED;
    if (publisher->failures++ == 0)
        publisher->failure = *slot->err;
    if (publisher->on_failure) {
        pthread_mutex_unlock(&publisher->lock);
        publisher->on_failure(publisher->on_failure_arg, slot->tag, slot->out.id, slot->out.def->type,
                              slot->err);
        pthread_mutex_lock(&publisher->lock);
    }
    slot_release(publisher, slot);
}

static void silence(weir_publisher *publisher, struct slot *slot, const char *sentence) {
    weir_error err = {0};
    weir_fail(&err, WEIR_TIMEOUT, "%s", sentence);
    if (publisher->abandon)
        slot->tries = LIMIT_PUBLISH_TRIES;
    slot_trouble(publisher, slot, &err);
}

/* What the worker remembers between two looks. */
struct watch {
    uint64_t answers;    /* seen at the last look */
    int64_t progress_ns; /* when there were new ones */
};

/* PubAcks come in the order of sending. While older events than this one are still being acknowledged the
 * server is slow, not silent, and sending again would only make it slower. */
static bool in_line(const weir_publisher *publisher, const struct watch *watch, struct slot *slot) {
    int64_t until = watch->progress_ns + publisher->options.ack_timeout_ms * NS_PER_MS;
    if (publisher->abandon || slot->order <= publisher->answered_order || until <= publisher_now(publisher))
        return false;
    slot->due_ns = until;
    return true;
}

static void attend(weir_publisher *publisher, const struct watch *watch, struct slot *slot) {
    switch (slot->state) {
    case SLOT_SENT:
        if (in_line(publisher, watch, slot))
            break;
        silence(publisher, slot,
                publisher->abandon
                    ? "the publisher was closed before the server answered; the outcome is unknown"
                    : "the server did not answer; the outcome is unknown");
        break;
    case SLOT_RETRY:
        if (publisher->abandon)
            silence(publisher, slot, "the publisher was closed before the event could be sent again");
        else
            send_again(publisher, slot);
        break;
    case SLOT_VERIFY:
        verify(publisher, slot);
        break;
    case SLOT_FAILED:
        report(publisher, slot);
        break;
    case SLOT_FREE:
    case SLOT_REPORTED:
    case SLOT_ACKED:
        break;
    }
}

/* Attends to what is due and returns when to look again. */
static int64_t look(weir_publisher *publisher, struct watch *watch) {
    int64_t next = INT64_MAX;
    if (watch->answers != publisher->answers)
        *watch = (struct watch){publisher->answers, publisher_now(publisher)};
    for (int i = 0; i < publisher->window; i++) {
        struct slot *slot = &publisher->slots[i];
        bool busy = slot->state != SLOT_FREE;
        if (busy && (publisher->abandon || slot->due_ns <= publisher_now(publisher)))
            attend(publisher, watch, slot);
        if (slot->state != SLOT_FREE && slot->due_ns < next)
            next = slot->due_ns;
    }
    return next;
}

void *publisher_work(void *arg) {
    weir_publisher *publisher = arg;
    struct watch watch = {0, INT64_MIN / 2};
    pthread_mutex_lock(&publisher->lock);
    while (!publisher->abandon || publisher->free_count < publisher->window) {
        publisher->wake_ns = INT64_MAX; /* whoever plans something meanwhile lowers it */
        int64_t next = look(publisher, &watch);
        if (next < publisher->wake_ns)
            publisher->wake_ns = next;
        if (!publisher->abandon)
            publisher_wait(publisher, &publisher->work, publisher->wake_ns);
    }
    pthread_mutex_unlock(&publisher->lock);
    return NULL;
}
