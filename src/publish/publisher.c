/* SPDX-License-Identifier: Apache-2.0 */
/* What the synchronous and the asynchronous half share: opening and closing, scratch memory for as many
 * threads as call at once, making an event ready, judging what the server said. */
#include "publish/publisher.h"

#include <time.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"

enum {
    JS_STREAM_MISMATCH = 10060, /* Nats-Expected-Stream names another stream than the one that answers */
    JS_NO_RESPONDERS = 503
};

int64_t publisher_now(const weir_publisher *publisher) {
    return publisher->clock->mono_ns(publisher->clock->self);
}

/* The clock handed in says how long, the machine's own says until when. */
void publisher_wait(weir_publisher *publisher, pthread_cond_t *condition, int64_t due_ns) {
    if (due_ns == INT64_MAX) {
        pthread_cond_wait(condition, &publisher->lock);
        return;
    }
    int64_t left = due_ns - publisher_now(publisher);
    if (left <= 0)
        return;
    const weir_clock *machine = weir_clock_system();
    int64_t until = machine->mono_ns(machine->self) + left;
    struct timespec when = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
    pthread_cond_timedwait(condition, &publisher->lock, &when);
}

struct scratch_item *publisher_scratch(weir_publisher *publisher) {
    struct scratch_item *item = atomic_exchange(&publisher->spare, NULL);
    if (item)
        return item;
    pthread_mutex_lock(&publisher->scratch_lock);
    item = publisher->scratches;
    if (item)
        publisher->scratches = item->next;
    pthread_mutex_unlock(&publisher->scratch_lock);
    if (item)
        return item;
    item = mem_alloc(sizeof *item);
    item->scratch = event_scratch_new();
    return item;
}

void publisher_scratch_back(weir_publisher *publisher, struct scratch_item *item) {
    struct scratch_item *none = NULL;
    if (atomic_compare_exchange_strong(&publisher->spare, &none, item))
        return;
    pthread_mutex_lock(&publisher->scratch_lock);
    item->next = publisher->scratches;
    publisher->scratches = item;
    pthread_mutex_unlock(&publisher->scratch_lock);
}

struct scratch_item *publisher_enter(weir_publisher *publisher) {
    atomic_fetch_add(&publisher->calls, 1);
    return publisher_scratch(publisher);
}

/* The last thing a call does with the publisher: closing may free it at once. */
void publisher_leave(weir_publisher *publisher, struct scratch_item *item) {
    publisher_scratch_back(publisher, item);
    atomic_fetch_sub(&publisher->calls, 1);
}

/* --- making an event ready ------------------------------------------------------------------------------ */

weir_code publisher_prepare(weir_publisher *publisher, const weir_draft *draft, event_scratch *scratch,
                            struct outgoing *out, weir_error *err) {
    const weir_catalog *catalog = publisher->catalog;
    struct event_built built;
    *out = (struct outgoing){.time_given = draft->time.data != NULL};
    WEIR_TRY(catalog_event_find(&out->def, catalog, draft->type, err));
    WEIR_TRY(event_build(&built, catalog->dialect, out->def, draft, publisher->clock, 0, scratch, err));
    out->subject = built.subject.data;
    out->envelope = built.envelope;
    out->id = built.id.data;
    return WEIR_OK;
}

void publisher_headers(const struct outgoing *out, struct broker_header headers[2]) {
    headers[0] = (struct broker_header){"Nats-Msg-Id", weir_text_of(out->id)};
    headers[1] = (struct broker_header){"Nats-Expected-Stream", weir_text_of(out->def->stream)};
}

int64_t publisher_delay_ns(int tries) {
    return NS_PER_S << (tries - 1);
}

/* --- what the server said ------------------------------------------------------------------------------- */

void publisher_explain(const struct outgoing *out, weir_error *err) {
    bool retriable = err->retriable;
    if (err->detail == JS_STREAM_MISMATCH && !err->retriable) {
        weir_fail(err, WEIR_CONFLICT, "subject '%s' is not stored by stream '%s' but by another one",
                  out->subject, out->def->stream);
        err->detail = JS_STREAM_MISMATCH;
        weir_hint(err, "`weir plan` shows how the servers differ from the catalog");
    } else if (err->detail == JS_NO_RESPONDERS) {
        weir_fail(err, WEIR_UNAVAILABLE, "no stream takes subject '%s'; the catalog expects '%s'",
                  out->subject, out->def->stream);
        err->detail = JS_NO_RESPONDERS;
        err->retriable = retriable;
        weir_hint(err, "run `weir apply`");
    }
    weir_prefix(err, "%s '%s'", out->def->type, out->id);
}

struct comparison {
    weir_publisher *publisher;
    const struct outgoing *out;
    struct scratch_item *ours, *theirs;
};

/* Equal bytes are the usual case. Otherwise an event may have been built twice under one id, with its time
 * generated each time; then what it says decides. */
static bool same_event(const struct comparison *comparison, weir_text stored) {
    const struct outgoing *out = comparison->out;
    const dialect *how = comparison->publisher->catalog->dialect;
    weir_event one, other;
    if (text_equal(out->envelope, stored))
        return true;
    return event_read(&one, how, out->def, out->envelope, false, comparison->ours->scratch, NULL) ==
               WEIR_OK &&
           event_read(&other, how, out->def, stored, false, comparison->theirs->scratch, NULL) == WEIR_OK &&
           event_same(&one, &other, out->time_given);
}

static bool same_content(weir_publisher *publisher, const struct outgoing *out, const broker_msg *stored) {
    if (!text_is(broker_msg_subject(stored), out->subject))
        return false;
    struct comparison comparison = {publisher, out, publisher_scratch(publisher),
                                    publisher_scratch(publisher)};
    bool same = same_event(&comparison, broker_msg_data(stored));
    publisher_scratch_back(publisher, comparison.ours);
    publisher_scratch_back(publisher, comparison.theirs);
    return same;
}

/* `duplicate` only says that the id is known, and any producer may have used it before us (squatting). What
 * cannot be read back passes only when we sent the id before ourselves and a PubAck was lost. */
weir_code publisher_verify(weir_publisher *publisher, const struct outgoing *out, uint64_t sequence,
                           int tries, weir_error *err) {
    broker_msg *stored = NULL;
    weir_error reading = {0};
    const char *stream = out->def->stream;
    weir_code code = broker_get(publisher->connection, stream, sequence, &stored, &reading);
    if (code == WEIR_OK) {
        bool same = same_content(publisher, out, stored);
        broker_msg_free(stored);
        if (same)
            return WEIR_OK;
        weir_fail(err, WEIR_CONFLICT, "stream '%s' holds another event under this id, at sequence %llu",
                  stream, (unsigned long long)sequence);
        weir_hint(err, "give every event an id of its own; leave it out to have one generated");
        return WEIR_CONFLICT;
    }
    if (tries > 1)
        return WEIR_OK;
    if (code == WEIR_NOT_FOUND)
        return weir_fail(
            err, WEIR_CONFLICT,
            "stream '%s' had an event under this id, at sequence %llu, and it is gone, so the two cannot "
            "be compared",
            stream, (unsigned long long)sequence);
    if (err)
        *err = reading;
    weir_prefix(err, "stream '%s' has an event under this id already, and it could not be read back", stream);
    return code;
}

/* --- opening and closing -------------------------------------------------------------------------------- */

static void tell_owner(void *arg, uint64_t tag, const char *id, const char *type, const weir_error *err) {
    weir_publisher *publisher = arg;
    (void)tag;
    publisher->options.on_failure(publisher->options.on_failure_arg, id, type, err);
}

weir_code weir_publisher_open(weir_publisher **out, weir_connection *connection, const weir_catalog *catalog,
                              const weir_publisher_options *options, weir_error *err) {
    weir_publisher_options chosen = options ? *options : (weir_publisher_options){0};
    if (chosen.window < 0 || chosen.window > LIMIT_PUBLISH_WINDOW)
        return weir_fail(err, WEIR_INVALID, "a publisher's window must be 1 to %d, is %d",
                         LIMIT_PUBLISH_WINDOW, chosen.window);
    if (chosen.ack_timeout_ms < 0)
        return weir_fail(err, WEIR_INVALID, "a publisher's ack_timeout_ms must not be negative");
    weir_publisher *publisher = mem_alloc(sizeof *publisher);
    publisher->connection = connection;
    publisher->catalog = catalog;
    publisher->options = chosen;
    publisher->window = chosen.window ? chosen.window : LIMIT_PUBLISH_WINDOW;
    publisher->options.ack_timeout_ms = chosen.ack_timeout_ms ? chosen.ack_timeout_ms : 5000;
    publisher->clock = chosen.clock ? chosen.clock : weir_clock_system();
    if (chosen.on_failure)
        publish_on_tagged_failure(publisher, tell_owner, publisher);
    pthread_mutex_init(&publisher->scratch_lock, NULL);
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->room, &monotonic);
    pthread_cond_init(&publisher->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = publisher;
    return WEIR_OK;
}

void publish_on_tagged_failure(weir_publisher *publisher, publish_on_failure on_failure, void *arg) {
    publisher->on_failure = on_failure;
    publisher->on_failure_arg = arg;
}

/* Rare and short, so it looks once a millisecond; a signal would cost every call. */
static void wait_for_calls(weir_publisher *publisher) {
    while (atomic_load(&publisher->calls) > 0)
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
}

/* Waits for callers inside and for what is in flight; what is left then is reported as failed by the worker. */
static void finish(weir_publisher *publisher) {
    int64_t until = publisher_now(publisher) + publisher->options.ack_timeout_ms * NS_PER_MS;
    pthread_mutex_lock(&publisher->lock);
    publisher->closing = true;
    pthread_cond_broadcast(&publisher->room);
    pthread_mutex_unlock(&publisher->lock);
    wait_for_calls(publisher);
    if (!publisher->slots)
        return;
    pthread_mutex_lock(&publisher->lock);
    publisher->waiting++;
    while (publisher->free_count < publisher->window && publisher_now(publisher) < until)
        publisher_wait(publisher, &publisher->room, until);
    publisher->abandon = true;
    pthread_cond_broadcast(&publisher->work);
    pthread_mutex_unlock(&publisher->lock);
    pthread_join(publisher->worker, NULL);
    broker_acks_close(publisher->acks);
}

void weir_publisher_close(weir_publisher *publisher) {
    if (!publisher)
        return;
    finish(publisher);
    for (int i = 0; publisher->slots && i < publisher->window; i++)
        mem_free(publisher->slots[i].bytes);
    struct scratch_item *spare = atomic_load(&publisher->spare);
    if (spare)
        publisher_scratch_back(publisher, spare);
    for (struct scratch_item *item = publisher->scratches, *next; item; item = next) {
        next = item->next;
        event_scratch_free(item->scratch);
        mem_free(item);
    }
    mem_free(publisher->slots);
    mem_free(publisher->free_slots);
    pthread_mutex_destroy(&publisher->scratch_lock);
    pthread_cond_destroy(&publisher->room);
    pthread_cond_destroy(&publisher->work);
    pthread_mutex_destroy(&publisher->lock);
    mem_free(publisher);
}
