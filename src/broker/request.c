/* SPDX-License-Identifier: Apache-2.0 */
/* Requests. All answers of a connection come to one inbox; the last token of the subject says whose they are.
 * Our own list instead of libnats' request call, because that one waits out its whole timeout when the server
 * refused the request or the connection was lost, and takes an answer to another subject for ours. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "broker/link.h"

static void unlist(weir_connection *connection, struct request *request) {
    for (struct request **at = &connection->requests; *at; at = &(*at)->next)
        if (*at == request) {
            *at = request->next;
            return;
        }
}

weir_code request_begin(weir_connection *connection, struct request *request, const struct broker_out *out,
                        const struct broker_header *extra, weir_error *err) {
    char reply[LINK_INBOX_MAX + 24];
    WEIR_TRY(listener_check(&connection->replies, err));
    pthread_mutex_lock(&connection->lock);
    *request = (struct request){
        .next = connection->requests, .token = ++connection->tokens, .subject = out->subject};
    connection->requests = request;
    pthread_mutex_unlock(&connection->lock);
    int prefix = (int)strlen(connection->replies.subject) - 1;
    snprintf(reply, sizeof reply, "%.*s%llu", prefix, connection->replies.subject,
             (unsigned long long)request->token);
    weir_code code = link_publish(connection, out, extra, reply, err);
    if (code != WEIR_OK) {
        pthread_mutex_lock(&connection->lock);
        unlist(connection, request);
        pthread_mutex_unlock(&connection->lock);
        natsMsg_Destroy(request->reply);
    }
    return code;
}

static weir_code state_failure(weir_connection *connection, const struct request *request, weir_error *err) {
    switch (request->state) {
    case REQUEST_DENIED:
        weir_fail(err, WEIR_DENIED, "this identity may not publish to '%s'", request->subject);
        (void)weir_hint(err, "grant it in the server's permissions, or connect as another identity");
        return WEIR_DENIED;
    case REQUEST_DEAF:
        return listener_check(&connection->replies, err);
    case REQUEST_LOST:
        return weir_fail(err, WEIR_TIMEOUT, "'%s': the connection was lost before the answer came",
                         request->subject);
    default:
        return weir_fail(err, WEIR_TIMEOUT, "'%s': no answer in time", request->subject);
    }
}

weir_code request_end(weir_connection *connection, struct request *request, int64_t until_ns, natsMsg **reply,
                      weir_error *err) {
    pthread_mutex_lock(&connection->lock);
    while (request->state == REQUEST_WAITS && link_wait(&connection->changed, &connection->lock, until_ns))
        ;
    unlist(connection, request);
    pthread_mutex_unlock(&connection->lock);
    if (request->state != REQUEST_ANSWERED)
        return state_failure(connection, request, err);
    const char *description;
    const char *status = message_status(request->reply, &description);
    if (!status || strcmp(status, "503") != 0) {
        *reply = request->reply;
        return WEIR_OK;
    }
    natsMsg_Destroy(request->reply);
    weir_fail(err, WEIR_UNAVAILABLE, "'%s': nobody answers", request->subject);
    if (err)
        err->detail = 503;
    return WEIR_UNAVAILABLE;
}

weir_code request_make(weir_connection *connection, const struct broker_out *out,
                       const struct broker_header *extra, int64_t timeout_ms, natsMsg **reply,
                       weir_error *err) {
    struct request request;
    int64_t until_ns = link_now_ns() + timeout_ms * NS_PER_MS;
    WEIR_TRY(request_begin(connection, &request, out, extra, err));
    (void)link_push(connection, until_ns);
    return request_end(connection, &request, until_ns, reply, err);
}

void requests_fail(weir_connection *connection, enum request_state state, weir_text subject) {
    pthread_mutex_lock(&connection->lock);
    for (struct request *at = connection->requests; at; at = at->next)
        if (at->state == REQUEST_WAITS && (!subject.data || text_is(subject, at->subject)))
            at->state = state;
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->lock);
}

static uint64_t token_of(natsMsg *msg) {
    const char *dot = strrchr(natsMsg_GetSubject(msg), '.');
    uint64_t token = 0;
    for (const char *at = dot ? dot + 1 : ""; *at >= '0' && *at <= '9'; at++)
        token = token * 10 + (uint64_t)(*at - '0');
    return token;
}

void requests_on_msg(void *arg, natsMsg *msg) {
    weir_connection *connection = arg;
    uint64_t token = token_of(msg);
    pthread_mutex_lock(&connection->lock);
    struct request *at = connection->requests;
    while (at && at->token != token)
        at = at->next;
    if (at && at->state == REQUEST_WAITS) {
        at->reply = msg;
        at->state = REQUEST_ANSWERED;
        msg = NULL;
        pthread_cond_broadcast(&connection->changed);
    }
    pthread_mutex_unlock(&connection->lock);
    natsMsg_Destroy(msg); /* nobody waits for it any more */
}

weir_code broker_request(weir_connection *connection, const struct broker_out *out, int64_t timeout_ms,
                         broker_msg **reply, weir_error *err) {
    natsMsg *msg = NULL;
    WEIR_TRY(request_make(connection, out, NULL, timeout_ms, &msg, err));
    *reply = message_of(msg);
    return WEIR_OK;
}
