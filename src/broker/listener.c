/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions. libnats gives each a thread and tells us when that thread is done with the callback; closing
 * waits for that, so that after it no callback runs and what the callback used can be freed. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "broker/link.h"
#include "broker/wire.h"

static void on_nats_msg(natsConnection *nats, natsSubscription *sub, natsMsg *msg, void *arg) {
    struct listener *listener = arg;
    (void)nats, (void)sub;
    atomic_store_explicit(&listener->thread, (uintptr_t)pthread_self(), memory_order_relaxed);
    listener->on_msg(listener->arg, msg);
}

static void on_thread_end(void *arg) {
    struct listener *listener = arg;
    pthread_mutex_lock(&listener->lock);
    listener->running = false;
    pthread_cond_broadcast(&listener->ended);
    pthread_mutex_unlock(&listener->lock);
}

/* With listeners_lock held. */
static void bury(weir_connection *connection, natsSubscription *sub) {
    size_t size = (connection->buried_count + 1) * sizeof(natsSubscription *);
    connection->buried = mem_resize(connection->buried, size);
    connection->buried[connection->buried_count++] = sub;
}

/* The subscription was closed under our hands: wait for its thread by asking. */
static void drop_closed(struct listener *listener, natsSubscription *sub) {
    while (natsSubscription_DrainCompletionStatus(sub) == NATS_ILLEGAL_STATE)
        nats_Sleep(1);
    bury(listener->connection, sub);
    on_thread_end(listener);
}

/* With listeners_lock held. */
static natsStatus subscribe(struct listener *listener) {
    natsConnection *nats = link_nats(listener->connection);
    natsSubscription *sub = NULL;
    natsStatus status = listener->tick_ms
                            ? natsConnection_SubscribeTimeout(&sub, nats, listener->subject,
                                                              listener->tick_ms, on_nats_msg, listener)
                            : natsConnection_Subscribe(&sub, nats, listener->subject, on_nats_msg, listener);
    if (status != NATS_OK)
        return status;
    pthread_mutex_lock(&listener->lock);
    listener->running = true;
    pthread_mutex_unlock(&listener->lock);
    status = natsSubscription_SetOnCompleteCB(sub, on_thread_end, listener);
    if (status != NATS_OK) {
        drop_closed(listener, sub);
        return status;
    }
    if (listener->unbounded)
        (void)natsSubscription_SetPendingLimits(sub, -1, -1);
    listener->sub = sub;
    listener->nats = nats;
    return NATS_OK;
}

weir_code listener_open(struct listener *listener, weir_connection *connection, const char *subject,
                        weir_error *err) {
    WEIR_TRY(wire_check_subject(subject, true, err));
    listener->connection = connection;
    listener->subject = mem_strdup(subject);
    atomic_init(&listener->denied, false);
    link_sync_init(&listener->lock, &listener->ended);
    pthread_mutex_lock(&connection->listeners_lock);
    natsStatus status = subscribe(listener);
    if (status == NATS_OK) {
        listener->next = connection->listeners;
        connection->listeners = listener;
    }
    pthread_mutex_unlock(&connection->listeners_lock);
    if (status == NATS_OK)
        return WEIR_OK;
    pthread_mutex_destroy(&listener->lock);
    pthread_cond_destroy(&listener->ended);
    mem_free(listener->subject);
    listener->subject = NULL;
    return link_fail(connection, status, "subscribe", err);
}

void listeners_bury(weir_connection *connection) {
    for (size_t i = 0; i < connection->buried_count; i++)
        natsSubscription_Destroy(connection->buried[i]);
    mem_free(connection->buried);
    connection->buried = NULL;
    connection->buried_count = 0;
}

static void destroy_safely(weir_connection *connection, natsSubscription *sub) {
    enum { PING_MS = 1000 };
    if (!sub)
        return;
    if (broker_connected(connection) &&
        link_push(connection, link_now_ns() + PING_MS * NS_PER_MS) == NATS_OK) {
        natsSubscription_Destroy(sub);
        return;
    }
    pthread_mutex_lock(&connection->listeners_lock);
    bury(connection, sub);
    pthread_mutex_unlock(&connection->listeners_lock);
}

static void unlist(struct listener *listener) {
    weir_connection *connection = listener->connection;
    pthread_mutex_lock(&connection->listeners_lock);
    for (struct listener **at = &connection->listeners; *at; at = &(*at)->next)
        if (*at == listener) {
            *at = listener->next;
            break;
        }
    pthread_mutex_unlock(&connection->listeners_lock);
}

void listener_drain(struct listener *listener, int64_t timeout_ms) {
    unlist(listener); /* from here on nobody opens it again on another connection */
    if (listener->sub && broker_connected(listener->connection) &&
        natsSubscription_DrainTimeout(listener->sub, timeout_ms) == NATS_OK)
        (void)natsSubscription_WaitForDrainCompletion(listener->sub, timeout_ms);
}

void listener_close(struct listener *listener) {
    WEIR_ASSERT(atomic_load(&listener->thread) != (uintptr_t)pthread_self());
    unlist(listener);
    if (listener->sub)
        (void)natsSubscription_Unsubscribe(listener->sub);
    pthread_mutex_lock(&listener->lock);
    while (listener->running)
        pthread_cond_wait(&listener->ended, &listener->lock);
    pthread_mutex_unlock(&listener->lock);
    destroy_safely(listener->connection, listener->sub);
    pthread_mutex_destroy(&listener->lock);
    pthread_cond_destroy(&listener->ended);
    mem_free(listener->subject);
    *listener = (struct listener){.sub = NULL};
}

/* True when the listener stands on the present libnats connection, or cannot be opened there. */
static bool reopen(struct listener *listener) {
    if (listener->nats == link_nats(listener->connection))
        return true;
    pthread_mutex_lock(&listener->lock);
    bool running = listener->running;
    pthread_mutex_unlock(&listener->lock);
    if (running) /* a callback of the old subscription has not returned: never two at a time */
        return false;
    natsSubscription_Destroy(listener->sub); /* its connection is closed, and has no reader */
    listener->sub = NULL;
    atomic_store(&listener->denied, false);
    return subscribe(listener) == NATS_OK || natsConnection_IsClosed(link_nats(listener->connection));
}

void listeners_reopen(weir_connection *connection) {
    enum { STEP_MS = 10 };
    for (bool done = false; !done;) {
        done = true;
        pthread_mutex_lock(&connection->listeners_lock);
        for (struct listener *at = connection->listeners; at; at = at->next)
            done = reopen(at) && done;
        pthread_mutex_unlock(&connection->listeners_lock);
        if (!done)
            nats_Sleep(STEP_MS);
    }
}

void listeners_denied(weir_connection *connection, weir_text subject) {
    bool deaf = false;
    pthread_mutex_lock(&connection->listeners_lock);
    for (struct listener *at = connection->listeners; at; at = at->next)
        if (text_is(subject, at->subject)) {
            atomic_store(&at->denied, true);
            deaf = deaf || at == &connection->replies;
        }
    pthread_mutex_unlock(&connection->listeners_lock);
    if (deaf)
        requests_fail(connection, REQUEST_DEAF, (weir_text){NULL, 0});
}

weir_code listener_check(const struct listener *listener, weir_error *err) {
    if (!atomic_load(&((struct listener *)listener)->denied))
        return WEIR_OK;
    weir_fail(err, WEIR_DENIED, "this identity may not subscribe to '%s'", listener->subject);
    (void)weir_hint(err, "give the inbox prefix its permissions allow (--inbox-prefix)");
    return WEIR_DENIED;
}

/* --- plain subscriptions -------------------------------------------------------------------------------- */

struct broker_sub {
    struct listener listener;
    broker_on_msg on_msg;
    void *arg;
};

static void hand_over(void *arg, natsMsg *msg) {
    broker_sub *sub = arg;
    sub->on_msg(sub->arg, message_of(msg));
}

weir_code broker_subscribe(broker_sub **out, weir_connection *connection, const char *subject,
                           broker_on_msg on_msg, void *arg, weir_error *err) {
    broker_sub *sub = mem_alloc(sizeof *sub);
    sub->on_msg = on_msg;
    sub->arg = arg;
    sub->listener.on_msg = hand_over;
    sub->listener.arg = sub;
    weir_code code = listener_open(&sub->listener, connection, subject, err);
    if (code != WEIR_OK) {
        mem_free(sub);
        return code;
    }
    if (broker_connected(connection)) /* what is published after this call is seen */
        (void)link_push(connection, link_now_ns() + connection->settings->timeout_ms * NS_PER_MS);
    *out = sub;
    return WEIR_OK;
}

void broker_unsubscribe(broker_sub *sub) {
    if (!sub)
        return;
    listener_close(&sub->listener);
    mem_free(sub);
}
