/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing without waiting: the caller's half. The window is a stack of free slots; an empty stack makes
 * the caller wait, so memory stays flat whatever the server does. In the usual case an event costs two short
 * locks here and one in on_ack; the worker sleeps. */
#include "publish/publisher.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"

_Static_assert(LIMIT_PUBLISH_WINDOW <= 1 << PUBLISH_SLOT_BITS, "a token's low bits name the slot");
_Static_assert(LIMIT_PUBLISH_TRIES < 1 << PUBLISH_TRY_BITS, "then comes the try");

/* --- slots (all with the lock held) --------------------------------------------------------------------- */

static void slot_keep(struct slot *slot, const struct outgoing *out) {
    size_t subject = strlen(out->subject) + 1, id = strlen(out->id) + 1;
    size_t needed = subject + id + out->envelope.size;
    if (needed > slot->capacity) {
        mem_free(slot->bytes);
        slot->bytes = mem_alloc(needed);
        slot->capacity = needed;
    }
    slot->out = *out;
    memcpy(slot->bytes, out->subject, subject);
    memcpy(slot->bytes + subject, out->id, id);
    memcpy(slot->bytes + subject + id, out->envelope.data, out->envelope.size);
    slot->out.subject = slot->bytes;
    slot->out.id = slot->bytes + subject;
    slot->out.envelope.data = slot->bytes + subject + id;
}

void slot_sending(weir_publisher *publisher, struct slot *slot) {
    uint64_t tries = (uint64_t)++slot->tries << PUBLISH_SLOT_BITS;
    uint64_t keep = ~((((uint64_t)1 << PUBLISH_TRY_BITS) - 1) << PUBLISH_SLOT_BITS);
    slot->state = SLOT_SENT;
    slot->token = (slot->token & keep) | tries;
    slot->order = ++publisher->order;
    slot->due_ns = publisher_now(publisher) + publisher->options.ack_timeout_ms * NS_PER_MS;
}

static struct slot *slot_take(weir_publisher *publisher, const struct outgoing *out, uint64_t tag) {
    int index = publisher->free_slots[--publisher->free_count];
    struct slot *slot = &publisher->slots[index];
    slot->token = ++publisher->serial << (PUBLISH_SLOT_BITS + PUBLISH_TRY_BITS) | (uint64_t)index;
    slot->tag = tag;
    slot->tries = 0;
    slot_sending(publisher, slot);
    slot_keep(slot, out);
    publisher->bytes += out->envelope.size;
    publisher_wake(publisher, slot->due_ns);
    return slot;
}

void slot_release(weir_publisher *publisher, struct slot *slot) {
    publisher->bytes -= slot->out.envelope.size;
    slot->state = SLOT_FREE;
    mem_free(slot->err);
    slot->err = NULL;
    if (slot->capacity > PUBLISH_SLOT_KEEP_BYTES) {
        mem_free(slot->bytes);
        slot->bytes = NULL;
        slot->capacity = 0;
    }
    publisher->free_slots[publisher->free_count++] = (int)(slot - publisher->slots);
    /* Callers wait for a quarter of the window: waking one for each PubAck would cost more than the PubAck. */
    if (publisher->waiting > 0 && publisher->free_count >= publisher->window / 4)
        pthread_cond_broadcast(&publisher->room);
}

void slot_trouble(weir_publisher *publisher, struct slot *slot, const weir_error *err) {
    int64_t now = publisher_now(publisher);
    if (err->retriable && slot->tries < LIMIT_PUBLISH_TRIES) {
        slot->state = SLOT_RETRY;
        slot->due_ns = now + publisher_delay_ns(slot->tries);
    } else {
        slot->err = mem_alloc(sizeof *slot->err);
        *slot->err = *err;
        slot->state = SLOT_FAILED;
        slot->due_ns = now;
    }
    publisher_wake(publisher, slot->due_ns);
}

void publisher_wake(weir_publisher *publisher, int64_t due_ns) {
    if (due_ns >= publisher->wake_ns)
        return;
    publisher->wake_ns = due_ns;
    pthread_cond_signal(&publisher->work);
}

/* --- PubAcks, on a libnats thread ----------------------------------------------------------------------- */

static void judge(weir_publisher *publisher, struct slot *slot, weir_code code,
                  const struct broker_puback *ack, const weir_error *err) {
    weir_error wrong = {0};
    if (code != WEIR_OK) {
        slot_trouble(publisher, slot, err);
    } else if (strcmp(ack->stream, slot->out.def->stream) != 0) {
        weir_fail(&wrong, WEIR_CONFLICT, "answered by '%s', expected '%s'", ack->stream,
                  slot->out.def->stream);
        slot_trouble(publisher, slot, &wrong);
    } else if (ack->duplicate) {
        slot->sequence = ack->sequence;
        slot->state = SLOT_VERIFY;
        slot->due_ns = publisher_now(publisher);
        publisher_wake(publisher, slot->due_ns);
    } else if (slot->held) {
        slot->state = SLOT_ACKED;
    } else {
        slot_release(publisher, slot);
    }
}

/* A PubAck of an earlier try counts as well: the bytes and the id were the same. */
static bool answers_slot(const struct slot *slot, uint64_t token) {
    uint64_t try_mask = (((uint64_t)1 << PUBLISH_TRY_BITS) - 1) << PUBLISH_SLOT_BITS;
    return (slot->token | try_mask) == (token | try_mask) &&
           (slot->state == SLOT_SENT || slot->state == SLOT_RETRY);
}

static void on_ack(void *arg, uint64_t token, weir_code code, const struct broker_puback *ack,
                   const weir_error *err) {
    weir_publisher *publisher = arg;
    uint64_t index = token & ((1u << PUBLISH_SLOT_BITS) - 1);
    if (index >= (uint64_t)publisher->window)
        return;
    pthread_mutex_lock(&publisher->lock);
    struct slot *slot = &publisher->slots[index];
    publisher->answers++;
    if (answers_slot(slot, token)) {
        bool this_try = slot->token == token;
        if (this_try && slot->order > publisher->answered_order)
            publisher->answered_order = slot->order;
        if (code == WEIR_OK || (this_try && slot->state == SLOT_SENT))
            judge(publisher, slot, code, ack, err);
    }
    pthread_mutex_unlock(&publisher->lock);
}

/* --- the caller ----------------------------------------------------------------------------------------- */

/* With the lock held. */
static weir_code start_window(weir_publisher *publisher, weir_error *err) {
    if (publisher->slots)
        return WEIR_OK;
    if (!publisher->on_failure && !publisher->options.best_effort) {
        weir_fail(err, WEIR_INVALID,
                  "publishing without waiting needs on_failure, so that a failure is not missed");
        weir_hint(err, "set on_failure in weir_publisher_options, or best_effort if losing an event is fine");
        return WEIR_INVALID;
    }
    WEIR_TRY(broker_acks_open(&publisher->acks, publisher->connection, on_ack, publisher, err));
    publisher->slots = mem_alloc((size_t)publisher->window * sizeof *publisher->slots);
    publisher->free_slots = mem_alloc((size_t)publisher->window * sizeof *publisher->free_slots);
    for (int i = 0; i < publisher->window; i++)
        publisher->free_slots[i] = publisher->window - 1 - i;
    publisher->free_count = publisher->window;
    publisher->wake_ns = INT64_MAX;
    if (pthread_create(&publisher->worker, NULL, publisher_work, publisher) == 0)
        return WEIR_OK;
    broker_acks_close(publisher->acks);
    mem_free(publisher->slots);
    mem_free(publisher->free_slots);
    publisher->acks = NULL;
    publisher->slots = NULL;
    publisher->free_slots = NULL;
    return weir_fail(err, WEIR_IO, "cannot start the publisher's thread");
}

static bool has_room(const weir_publisher *publisher, size_t bytes) {
    bool empty = publisher->free_count == publisher->window;
    return publisher->free_count > 0 && (empty || publisher->bytes + bytes <= LIMIT_PUBLISH_WINDOW_BYTES);
}

static weir_code wait_for_room(weir_publisher *publisher, size_t bytes, weir_error *err) {
    publisher->waiting++;
    while (!publisher->closing && !has_room(publisher, bytes))
        publisher_wait(publisher, &publisher->room, INT64_MAX);
    publisher->waiting--;
    return publisher->closing ? weir_fail(err, WEIR_STOPPED, "the publisher is being closed") : WEIR_OK;
}

/* A send that fails at once in a way that may pass is retried like any other; the rest is the caller's to
 * hear. */
static weir_code sent(weir_publisher *publisher, struct slot *slot, uint64_t token,
                      const weir_error *trouble) {
    weir_code code = WEIR_OK;
    pthread_mutex_lock(&publisher->lock);
    bool ours = slot->token == token && slot->state == SLOT_SENT;
    if (ours && trouble->retriable) {
        slot_trouble(publisher, slot, trouble);
    } else if (ours) {
        slot_release(publisher, slot);
        code = trouble->code;
    }
    pthread_mutex_unlock(&publisher->lock);
    return code;
}

static weir_code send(weir_publisher *publisher, const struct outgoing *out, uint64_t tag, weir_error *err) {
    struct broker_header headers[2];
    publisher_headers(out, headers);
    struct broker_out message = {
        .subject = out->subject, .data = out->envelope, .headers = headers, .header_count = 2};
    pthread_mutex_lock(&publisher->lock);
    weir_code code = start_window(publisher, err);
    if (code == WEIR_OK)
        code = wait_for_room(publisher, out->envelope.size, err);
    struct slot *slot = code == WEIR_OK ? slot_take(publisher, out, tag) : NULL;
    uint64_t token = slot ? slot->token : 0;
    pthread_mutex_unlock(&publisher->lock);
    if (!slot)
        return code;
    weir_error trouble = {0};
    if (broker_acks_send(publisher->acks, &message, token, &trouble) == WEIR_OK)
        return WEIR_OK;
    code = sent(publisher, slot, token, &trouble);
    if (code != WEIR_OK) {
        publisher_explain(out, &trouble);
        if (err)
            *err = trouble;
    }
    return code;
}

weir_code publish_tagged(weir_publisher *publisher, const weir_draft *draft, uint64_t tag, weir_error *err) {
    struct outgoing out;
    struct scratch_item *item = publisher_enter(publisher);
    weir_code code = publisher_prepare(publisher, draft, item->scratch, &out, err);
    if (code == WEIR_OK)
        code = send(publisher, &out, tag, err);
    publisher_leave(publisher, item);
    return code;
}

weir_code weir_publish_async(weir_publisher *publisher, const weir_draft *draft, weir_error *err) {
    return publish_tagged(publisher, draft, 0, err);
}

weir_code weir_publisher_settle(weir_publisher *publisher, int64_t timeout_ms, weir_error *err) {
    weir_code code = WEIR_OK;
    pthread_mutex_lock(&publisher->lock);
    int64_t until = publisher_now(publisher) + (timeout_ms > 0 ? timeout_ms : 0) * NS_PER_MS;
    publisher->waiting++;
    while (publisher->slots && publisher->free_count < publisher->window && publisher_now(publisher) < until)
        publisher_wait(publisher, &publisher->room, until);
    publisher->waiting--;
    int left = publisher->slots ? publisher->window - publisher->free_count : 0;
    if (left > 0) {
        code = weir_fail(err, WEIR_TIMEOUT, "%d events are not settled after %lld ms", left,
                         (long long)timeout_ms);
    } else if (publisher->failures > 0) {
        code = publisher->failure.code;
        if (err)
            *err = publisher->failure;
        if (publisher->failures > 1)
            weir_prefix(err, "%zu events failed, the first one", publisher->failures);
        publisher->failures = 0;
    }
    pthread_mutex_unlock(&publisher->lock);
    return code;
}
