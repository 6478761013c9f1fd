/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing. Closing is the delicate part: libnats calls back from a thread of its own and keeps
 * our pointer, so nothing is freed before its last callback (closed) came for every libnats connection we
 * made. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/units.h"
#include "broker/link.h"
#include "weir/clock.h"

enum { CLOSE_MS = 1000 }; /* closing waits no longer for a server that is silent */

/* --- time, waiting, inboxes ----------------------------------------------------------------------------- */

int64_t link_now_ns(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self);
}

void link_sync_init(pthread_mutex_t *lock, pthread_cond_t *changed) {
    pthread_condattr_t attributes;
    pthread_mutex_init(lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool link_wait(pthread_cond_t *changed, pthread_mutex_t *lock, int64_t until_ns) {
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S), .tv_nsec = (long)(until_ns % NS_PER_S)};
    return pthread_cond_timedwait(changed, lock, &until) == 0;
}

/* Not guessable, so that nobody else can answer into it. */
static void name_inbox(weir_connection *connection) {
    uint8_t random[12];
    random_bytes(random, sizeof random);
    int size =
        snprintf(connection->inbox, sizeof connection->inbox, "%s.", connection->settings->inbox_prefix);
    for (size_t i = 0; i < sizeof random; i++)
        size +=
            snprintf(connection->inbox + size, sizeof connection->inbox - (size_t)size, "%02x", random[i]);
}

void link_inbox(weir_connection *connection, char out[LINK_INBOX_MAX]) {
    uint64_t number = atomic_fetch_add(&connection->inboxes, 1);
    int size = snprintf(out, LINK_INBOX_MAX, "%s.%llu", connection->inbox, (unsigned long long)number);
    WEIR_ASSERT(size < LINK_INBOX_MAX);
}

/* --- opening -------------------------------------------------------------------------------------------- */

static weir_connection *connection_new(struct settings *settings, const weir_connect_options *options) {
    weir_connection *connection = mem_alloc(sizeof *connection);
    connection->settings = settings;
    if (options) {
        connection->on_event = options->on_event;
        connection->on_event_arg = options->on_event_arg;
    }
    link_sync_init(&connection->lock, &connection->changed);
    pthread_mutex_init(&connection->listeners_lock, NULL);
    pthread_mutex_init(&connection->event_lock, NULL);
    pthread_mutex_init(&connection->spent_lock, NULL);
    pthread_mutex_init(&connection->version_lock, NULL);
    connection->version_epoch = UINT64_MAX;
    connection->replies = (struct listener){.on_msg = requests_on_msg, .arg = connection, .unbounded = true};
    name_inbox(connection);
    return connection;
}

static void connection_free(weir_connection *connection) {
    for (size_t i = 0; i < connection->spent_count; i++)
        natsMsg_Destroy(connection->spent[i]);
    pthread_mutex_destroy(&connection->spent_lock);
    for (size_t i = 0; i < connection->retired_count; i++)
        natsConnection_Destroy(connection->retired[i]);
    mem_free(connection->retired);
    natsConnection_Destroy(link_nats(connection));
    natsOptions_Destroy(connection->options);
    settings_free(connection->settings);
    pthread_mutex_destroy(&connection->lock);
    pthread_cond_destroy(&connection->changed);
    pthread_mutex_destroy(&connection->listeners_lock);
    pthread_mutex_destroy(&connection->event_lock);
    pthread_mutex_destroy(&connection->version_lock);
    mem_free(connection);
}

static weir_code connect_now(weir_connection *connection, weir_error *err) {
    natsConnection *nats = NULL;
    WEIR_TRY(connect_options(&connection->options, connection, err));
    natsStatus status = connect_try(&nats, connection);
    if (status != NATS_OK)
        return connect_failure(connection->settings, status, err);
    connection->open = 1;
    atomic_store(&connection->nats, nats);
    char subject[LINK_INBOX_MAX + 2], inbox[LINK_INBOX_MAX];
    link_inbox(connection, inbox);
    snprintf(subject, sizeof subject, "%s.*", inbox);
    return listener_open(&connection->replies, connection, subject, err);
}

weir_code weir_connect(weir_connection **out, const weir_connect_options *options, weir_error *err) {
    struct settings *settings = NULL;
    WEIR_TRY(settings_read(&settings, options, err));
    weir_connection *connection = connection_new(settings, options);
    weir_code code = connect_now(connection, err);
    if (code == WEIR_OK)
        *out = connection;
    else if (link_nats(connection))
        weir_disconnect(connection);
    else
        connection_free(connection);
    return code;
}

/* --- closing -------------------------------------------------------------------------------------------- */

void weir_disconnect(weir_connection *connection) {
    if (!connection)
        return;
    WEIR_ASSERT(atomic_load(&connection->event_thread) != (uintptr_t)pthread_self());
    pthread_mutex_lock(&connection->lock);
    connection->closing = true;
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->lock);
    revive_stop(connection);
    int64_t timeout_ms = connection->settings->timeout_ms;
    if (broker_connected(connection))
        (void)link_push(connection,
                        link_now_ns() + (timeout_ms < CLOSE_MS ? timeout_ms : CLOSE_MS) * NS_PER_MS);
    if (connection->replies.subject)
        listener_close(&connection->replies);
    WEIR_ASSERT(connection->listeners == NULL); /* whatever was opened on a connection is closed before it */
    natsConnection_Close(link_nats(connection));
    pthread_mutex_lock(&connection->lock);
    while (connection->open > 0)
        pthread_cond_wait(&connection->changed, &connection->lock);
    pthread_mutex_unlock(&connection->lock);
    listeners_bury(connection);
    link_event(connection, WEIR_CLOSED, "closed");
    connection_free(connection);
}

/* --- server facts --------------------------------------------------------------------------------------- */

bool broker_connected(weir_connection *connection) {
    return natsConnection_Status(link_nats(connection)) == NATS_CONN_STATUS_CONNECTED;
}

uint64_t broker_epoch(weir_connection *connection) {
    return atomic_load(&connection->epoch);
}

uint64_t link_incarnation(weir_connection *connection) {
    natsStatistics *statistics = NULL;
    uint64_t reconnects = 0;
    pthread_mutex_lock(&connection->lock);
    uint64_t revived = connection->retired_count;
    natsConnection *nats = link_nats(connection);
    pthread_mutex_unlock(&connection->lock);
    if (natsStatistics_Create(&statistics) == NATS_OK && natsConnection_GetStats(nats, statistics) == NATS_OK)
        (void)natsStatistics_GetCounts(statistics, NULL, NULL, NULL, NULL, &reconnects);
    natsStatistics_Destroy(statistics);
    return revived << 32 | reconnects;
}

int64_t broker_max_payload(weir_connection *connection) {
    return natsConnection_GetMaxPayload(link_nats(connection));
}

bool broker_denied(weir_connection *connection, const char *subject) {
    bool found = false;
    pthread_mutex_lock(&connection->lock);
    size_t kept = connection->denied_count < LINK_DENIED_KEPT ? connection->denied_count : LINK_DENIED_KEPT;
    for (size_t i = 0; i < kept && !found; i++)
        found = strcmp(connection->denied[i], subject) == 0;
    pthread_mutex_unlock(&connection->lock);
    return found;
}

natsStatus link_push(weir_connection *connection, int64_t until_ns) {
    int64_t left_ms = (until_ns - link_now_ns()) / NS_PER_MS;
    return natsConnection_FlushTimeout(link_nats(connection), left_ms > 0 ? left_ms : 1);
}

weir_code broker_flush(weir_connection *connection, int64_t timeout_ms, weir_error *err) {
    if (!broker_connected(connection))
        return link_fail(connection, NATS_CONNECTION_DISCONNECTED, "flush", err);
    natsStatus status = link_push(connection, link_now_ns() + timeout_ms * NS_PER_MS);
    return status == NATS_OK ? WEIR_OK : link_fail(connection, status, "flush", err);
}

/* --- errors --------------------------------------------------------------------------------------------- */

static weir_code code_of(natsStatus status) {
    switch (status) {
    case NATS_TIMEOUT:
        return WEIR_TIMEOUT;
    case NATS_NOT_PERMITTED:
    case NATS_CONNECTION_AUTH_FAILED:
        return WEIR_DENIED;
    case NATS_MAX_PAYLOAD:
        return WEIR_LIMIT;
    case NATS_NO_SERVER_SUPPORT:
        return WEIR_UNSUPPORTED;
    case NATS_INVALID_ARG:
    case NATS_INVALID_SUBJECT:
        return WEIR_INVALID;
    case NATS_NO_MEMORY:
        return WEIR_INTERNAL;
    default:
        return WEIR_UNAVAILABLE;
    }
}

weir_code link_fail(weir_connection *connection, natsStatus status, const char *place, weir_error *err) {
    weir_code code = code_of(status);
    if (code == WEIR_UNAVAILABLE) {
        weir_fail(err, code, "%s: not connected to %s", place, connection->settings->shown);
        if (err)
            err->detail = (int)status;
        return code;
    }
    if (code == WEIR_TIMEOUT)
        return weir_fail(err, code, "%s: %s did not answer in time", place, connection->settings->shown);
    return weir_fail(err, code, "%s: %s", place, natsStatus_GetText(status));
}

void link_event(weir_connection *connection, weir_connection_event event, const char *detail) {
    if (!connection->on_event)
        return;
    pthread_mutex_lock(&connection->event_lock);
    atomic_store(&connection->event_thread, (uintptr_t)pthread_self());
    connection->on_event(connection->on_event_arg, event, detail);
    atomic_store(&connection->event_thread, 0);
    pthread_mutex_unlock(&connection->event_lock);
}
