/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back after libnats gave up: credentials that were wrong for a while, a server that answered with an
 * error libnats does not know. One thread, only while it is needed: waits 1 s, doubled up to 30 s, makes a
 * new libnats connection with the same options and opens the subscriptions again. */
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/units.h"
#include "broker/link.h"

enum { FIRST_DELAY_S = 1, LAST_DELAY_S = 30 };

/* False when the connection is being closed. */
static bool wait_before_try(weir_connection *connection, int64_t delay_s) {
    int64_t until_ns = link_now_ns() + delay_s * NS_PER_S;
    pthread_mutex_lock(&connection->lock);
    while (!connection->closing && link_wait(&connection->changed, &connection->lock, until_ns))
        ;
    bool wanted = !connection->closing;
    pthread_mutex_unlock(&connection->lock);
    return wanted;
}

static void take_over(weir_connection *connection, natsConnection *fresh) {
    pthread_mutex_lock(&connection->lock);
    connection->open++;
    size_t size = (connection->retired_count + 1) * sizeof *connection->retired;
    connection->retired = mem_resize(connection->retired, size);
    connection->retired[connection->retired_count++] = link_nats(connection);
    connection->denied_count = 0;
    atomic_store(&connection->nats, fresh);
    pthread_mutex_unlock(&connection->lock);
    listeners_reopen(connection);
    link_event(connection, WEIR_RECONNECTED, connection->settings->shown);
}

static void report(weir_connection *connection, natsStatus status, bool first) {
    weir_error err = {.message = ""};
    if (connect_failure(connection->settings, status, &err) != WEIR_OK)
        log_line(LOG_WARN, "broker", "still not connected", "why", err.message, NULL);
    if (first)
        link_event(connection, WEIR_ASYNC_ERROR, err.message);
}

static void *revive(void *arg) {
    weir_connection *connection = arg;
    bool first = true;
    for (int64_t delay_s = FIRST_DELAY_S; wait_before_try(connection, delay_s);) {
        natsConnection *fresh = NULL;
        natsStatus status = connect_try(&fresh, connection);
        if (status != NATS_OK) {
            report(connection, status, first);
            first = false;
            delay_s = delay_s * 2 < LAST_DELAY_S ? delay_s * 2 : LAST_DELAY_S;
            continue;
        }
        take_over(connection, fresh);
        pthread_mutex_lock(&connection->lock);
        bool stays = !natsConnection_IsClosed(fresh);
        connection->reviving = !stays;
        pthread_mutex_unlock(&connection->lock);
        if (stays)
            break;
    }
    return NULL;
}

/* The thread that served the last time has ended, or is about to: it cleared `reviving` as its last deed. */
void revive_start(weir_connection *connection) {
    if (connection->reviver_started)
        pthread_join(connection->reviver, NULL);
    connection->reviving = true;
    connection->reviver_started = pthread_create(&connection->reviver, NULL, revive, connection) == 0;
    WEIR_ASSERT(connection->reviver_started);
}

void revive_stop(weir_connection *connection) {
    if (connection->reviver_started)
        pthread_join(connection->reviver, NULL);
    connection->reviver_started = false;
}
