/* SPDX-License-Identifier: Apache-2.0 */
/* What libnats tells from its callback thread, and what follows: requests in flight are told that they are
 * lost or denied, subscriptions that they are refused, the owner what happened. Details never hold secrets. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "broker/link.h"

void link_lost(weir_connection *connection) {
    atomic_fetch_add(&connection->epoch, 1);
    requests_fail(connection, REQUEST_LOST, (weir_text){NULL, 0});
}

static bool is_closing(weir_connection *connection) {
    pthread_mutex_lock(&connection->lock);
    bool closing = connection->closing;
    pthread_mutex_unlock(&connection->lock);
    return closing;
}

static void on_disconnected(natsConnection *nats, void *arg) {
    weir_connection *connection = arg;
    (void)nats;
    if (is_closing(connection))
        return;
    link_lost(connection);
    log_line(LOG_WARN, "broker", "connection lost", "servers", connection->settings->shown, NULL);
    link_event(connection, WEIR_DISCONNECTED, "connection lost");
}

static void on_reconnected(natsConnection *nats, void *arg) {
    weir_connection *connection = arg;
    char url[256] = "";
    (void)natsConnection_GetConnectedUrl(nats, url, sizeof url);
    const char *shown = strchr(url, '@') ? strrchr(url, '@') + 1 : url;
    pthread_mutex_lock(&connection->lock);
    connection->denied_count = 0; /* permissions may have changed */
    pthread_mutex_unlock(&connection->lock);
    log_line(LOG_INFO, "broker", "connected again", "server", shown, NULL);
    link_event(connection, WEIR_RECONNECTED, shown);
}

static void on_closed(natsConnection *nats, void *arg) {
    weir_connection *connection = arg;
    bool lost = false;
    pthread_mutex_lock(&connection->lock);
    if (!connection->closing && nats == link_nats(connection)) {
        lost = true;
        if (!connection->reviving)
            revive_start(connection);
    }
    pthread_mutex_unlock(&connection->lock);
    if (lost) {
        link_lost(connection);
        log_line(LOG_WARN, "broker", "the connection was closed; trying again", "servers",
                 connection->settings->shown, NULL);
    }
    pthread_mutex_lock(&connection->lock);
    connection->open--; /* the last touch: weir_disconnect may free after this */
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->lock);
}

/* 'Permissions Violation for Publish to "a.b"' gives a.b. */
static weir_text quoted_subject(const char *text) {
    const char *start = strchr(text, '"');
    const char *end = start ? strchr(start + 1, '"') : NULL;
    if (!end)
        return (weir_text){NULL, 0};
    return (weir_text){start + 1, (size_t)(end - start - 1)};
}

static void on_violation(weir_connection *connection, const char *said) {
    char text[LINK_DENIED_BYTES];
    snprintf(text, sizeof text, "%s", said); /* said is libnats', and lives until its next error */
    weir_text subject = quoted_subject(text);
    bool subscription = text_starts(weir_text_of(text), "Permissions Violation for Subscription");
    if (subscription && subject.data)
        listeners_denied(connection, subject);
    if (!subscription && subject.data) {
        pthread_mutex_lock(&connection->lock);
        char *kept = connection->denied[connection->denied_count++ % LINK_DENIED_KEPT];
        snprintf(kept, LINK_DENIED_BYTES, "%.*s", (int)subject.size, subject.data);
        pthread_mutex_unlock(&connection->lock);
        requests_fail(connection, REQUEST_DENIED, subject);
    }
    log_line(LOG_WARN, "broker", "the server denies", "what", text, NULL);
    link_event(connection, WEIR_PERMISSION_VIOLATION, text);
}

static void on_error(natsConnection *nats, natsSubscription *sub, natsStatus status, void *arg) {
    weir_connection *connection = arg;
    const char *said = nats_GetLastError(NULL);
    (void)nats, (void)sub; /* sub may be freed by now */
    if (status == NATS_NOT_PERMITTED && said) {
        on_violation(connection, said);
        return;
    }
    if (status == NATS_SLOW_CONSUMER)
        said = "messages of a subscription were dropped: they came faster than they were handled";
    else if (!said || settings_secret_in(connection->settings, said))
        said = natsStatus_GetText(status);
    else
        said = connect_words(said);
    log_line(LOG_WARN, "broker", "the connection reports", "what", said, NULL);
    link_event(connection, WEIR_ASYNC_ERROR, said);
}

void events_attach(natsOptions *options, weir_connection *connection) {
    (void)natsOptions_SetDisconnectedCB(options, on_disconnected, connection);
    (void)natsOptions_SetReconnectedCB(options, on_reconnected, connection);
    (void)natsOptions_SetClosedCB(options, on_closed, connection);
    (void)natsOptions_SetErrorHandler(options, on_error, connection);
}
