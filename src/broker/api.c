/* SPDX-License-Identifier: Apache-2.0 */
/* The JetStream API: JSON requests on $JS.API. subjects. Many at once share one round trip's time: a window
 * of them is in flight, answers are taken in the order of the questions. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "broker/link.h"
#include "broker/wire.h"

enum { API_SUBJECT_MAX = WIRE_SUBJECT_MAX + 1 };

static weir_code api_subject(char subject[API_SUBJECT_MAX], const char *api, weir_error *err) {
    if (strlen(api) > API_SUBJECT_MAX - 10)
        return weir_fail(err, WEIR_INVALID, "%.60s...: the request's subject is too long", api);
    snprintf(subject, API_SUBJECT_MAX, "$JS.API.%s", api);
    return wire_check_subject(subject, false, err);
}

/* Says in the words of the API what went wrong below it. */
static weir_code api_failure(weir_connection *connection, const char *api, weir_code code,
                             const weir_error *cause, weir_error *err) {
    if (cause->detail == 503) {
        weir_fail(err, WEIR_UNAVAILABLE, "%s: JetStream is not enabled for this account on %s", api,
                  connection->settings->shown);
        (void)weir_hint(err, "start nats-server with JetStream, or wait until the cluster has a leader");
        return WEIR_UNAVAILABLE;
    }
    if (err)
        *err = *cause;
    (void)code;
    return cause->code;
}

static weir_code read_reply(json_doc **out, natsMsg *msg, const char *api, weir_error *err) {
    weir_text data = {natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg)};
    json_doc *doc = NULL;
    if (data.size > LIMIT_API_REPLY_BYTES)
        return weir_fail(err, WEIR_LIMIT, "%s: the answer has %zu bytes, more than %d", api, data.size,
                         LIMIT_API_REPLY_BYTES);
    weir_code code = json_parse(&doc, data, err);
    if (code != WEIR_OK) {
        (void)weir_prefix(err, "%s: the answer is not JSON", api);
        return code;
    }
    const json *error = json_get(json_root(doc), "error");
    if (json_is(error, JSON_OBJECT)) {
        code = wire_refusal(error, api, err);
        json_doc_free(doc);
        return code;
    }
    *out = doc;
    return WEIR_OK;
}

/* Takes the answer of a request begun before. reply may be NULL: only success matters. */
static weir_code finish(weir_connection *connection, struct request *request, const char *api,
                        int64_t until_ns, json_doc **reply, weir_error *err) {
    natsMsg *msg = NULL;
    json_doc *doc = NULL;
    weir_error cause = {.detail = 0};
    weir_code code = request_end(connection, request, until_ns, &msg, &cause);
    if (code != WEIR_OK)
        return api_failure(connection, api, code, &cause, err);
    code = read_reply(&doc, msg, api, err);
    natsMsg_Destroy(msg);
    if (code == WEIR_OK && reply)
        *reply = doc;
    else
        json_doc_free(doc);
    return code;
}

static int64_t deadline_ns(weir_connection *connection) {
    return link_now_ns() + connection->settings->timeout_ms * NS_PER_MS;
}

weir_code broker_api(weir_connection *connection, const char *api, weir_text body, json_doc **reply,
                     weir_error *err) {
    char subject[API_SUBJECT_MAX];
    struct request request;
    int64_t until_ns = deadline_ns(connection);
    WEIR_TRY(api_subject(subject, api, err));
    WEIR_TRY(request_begin(connection, &request, &(struct broker_out){.subject = subject, .data = body}, NULL,
                           err));
    (void)link_push(connection, until_ns);
    return finish(connection, &request, api, until_ns, reply, err);
}

/* --- many ----------------------------------------------------------------------------------------------- */

struct flight {
    struct request request;
    char *subject;
    weir_code code; /* of sending */
};

static void launch(weir_connection *connection, struct flight *flight, const char *api, weir_text body,
                   weir_error *err) {
    char subject[API_SUBJECT_MAX];
    flight->subject = NULL;
    flight->code = api_subject(subject, api, err);
    if (flight->code != WEIR_OK)
        return;
    flight->subject = mem_strdup(subject);
    flight->code = request_begin(connection, &flight->request,
                                 &(struct broker_out){.subject = flight->subject, .data = body}, NULL, err);
}

weir_code broker_api_many(weir_connection *connection, size_t count, const char *const *apis,
                          const weir_text *bodies, json_doc **replies, weir_code *codes, weir_error *errs) {
    struct flight *flights = mem_alloc(LINK_REQUESTS_AT_ONCE * sizeof *flights);
    size_t sent = 0;
    for (size_t taken = 0; taken < count; taken++) {
        int64_t until_ns = deadline_ns(connection);
        if (sent - taken <= LINK_REQUESTS_AT_ONCE / 2) { /* never idle: refilled when half is answered */
            for (; sent < count && sent - taken < LINK_REQUESTS_AT_ONCE; sent++)
                launch(connection, &flights[sent % LINK_REQUESTS_AT_ONCE], apis[sent],
                       bodies ? bodies[sent] : (weir_text){NULL, 0}, errs ? &errs[sent] : NULL);
            (void)link_push(connection, until_ns);
        }
        struct flight *flight = &flights[taken % LINK_REQUESTS_AT_ONCE];
        replies[taken] = NULL;
        codes[taken] = flight->code;
        if (flight->code == WEIR_OK)
            codes[taken] = finish(connection, &flight->request, apis[taken], until_ns, &replies[taken],
                                  errs ? &errs[taken] : NULL);
        mem_free(flight->subject);
    }
    mem_free(flights);
    return broker_connected(connection) || count == 0 ? WEIR_OK : WEIR_UNAVAILABLE;
}

/* --- what weir asks for itself -------------------------------------------------------------------------- */

static weir_code ask_message(weir_connection *connection, const char *stream, const buffer *body,
                             broker_msg **out, weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 32];
    json_doc *reply = NULL;
    snprintf(api, sizeof api, "STREAM.MSG.GET.%s", stream);
    WEIR_TRY(broker_api(connection, api, buffer_view(body), &reply, err));
    weir_code code = message_stored(out, stream, json_get(json_root(reply), "message"), err);
    json_doc_free(reply);
    return code;
}

static weir_code get(weir_connection *connection, const char *stream, uint64_t sequence, const char *kind,
                     const char *subject, broker_msg **out, weir_error *err) {
    buffer body;
    WEIR_TRY(wire_check_name("stream", stream, err));
    if (subject)
        WEIR_TRY(wire_check_subject(subject, true, err));
    buffer_init(&body, WIRE_SUBJECT_MAX * 6 + 100);
    buffer_string(&body, "{");
    if (sequence)
        buffer_printf(&body, "\"seq\":%llu", (unsigned long long)sequence);
    if (subject) {
        buffer_printf(&body, "%s\"%s\":", sequence ? "," : "", kind);
        json_write_string(&body, weir_text_of(subject));
    }
    buffer_string(&body, "}");
    weir_code code = ask_message(connection, stream, &body, out, err);
    buffer_release(&body);
    return code;
}

weir_code broker_get(weir_connection *connection, const char *stream, uint64_t sequence, broker_msg **out,
                     weir_error *err) {
    return get(connection, stream, sequence, NULL, NULL, out, err);
}

weir_code broker_get_last(weir_connection *connection, const char *stream, const char *subject,
                          broker_msg **out, weir_error *err) {
    return get(connection, stream, 0, "last_by_subj", subject, out, err);
}

weir_code broker_get_direct(weir_connection *connection, const char *stream, const char *subject,
                            broker_msg **out, weir_error *err) {
    char api[API_SUBJECT_MAX], full[API_SUBJECT_MAX];
    natsMsg *msg = NULL;
    const char *description;
    WEIR_TRY(wire_check_name("stream", stream, err));
    int size = snprintf(api, sizeof api, "DIRECT.GET.%s.%s", stream, subject);
    if (size < 0 || (size_t)size >= sizeof api)
        return weir_fail(err, WEIR_INVALID, "%.60s...: the request's subject is too long", api);
    WEIR_TRY(api_subject(full, api, err));
    WEIR_TRY(request_make(connection, &(struct broker_out){.subject = full}, NULL,
                          connection->settings->timeout_ms, &msg, err));
    const char *status = message_status(msg, &description);
    if (!status) {
        *out = message_of(msg);
        return WEIR_OK;
    }
    bool none = strcmp(status, "404") == 0;
    weir_fail(err, none ? WEIR_NOT_FOUND : WEIR_INVALID, "%s: %s (%s)", api, description, status);
    natsMsg_Destroy(msg);
    return none ? WEIR_NOT_FOUND : WEIR_INVALID;
}

weir_code broker_get_next(weir_connection *connection, const char *stream, uint64_t sequence,
                          const char *pattern, broker_msg **out, weir_error *err) {
    return get(connection, stream, sequence ? sequence : 1, "next_by_subj", pattern, out, err);
}

/* A sequence beyond the stream's end is a failure of the server's own, to it: the stream is asked. */
static bool gone(weir_connection *connection, const char *stream, uint64_t sequence) {
    broker_msg *msg = NULL;
    weir_error ignored;
    weir_code code = broker_get(connection, stream, sequence, &msg, &ignored);
    broker_msg_free(msg);
    return code == WEIR_NOT_FOUND;
}

weir_code broker_delete(weir_connection *connection, const char *stream, uint64_t sequence, weir_error *err) {
    enum { DELETE_FAILED = 10057 };
    char api[LIMIT_STREAM_NAME_BYTES + 32], body[64];
    weir_error own = {.detail = 0};
    WEIR_TRY(wire_check_name("stream", stream, err));
    snprintf(api, sizeof api, "STREAM.MSG.DELETE.%s", stream);
    snprintf(body, sizeof body, "{\"seq\":%llu,\"no_erase\":true}", (unsigned long long)sequence);
    weir_code code = broker_api(connection, api, weir_text_of(body), NULL, &own);
    if (code != WEIR_OK && own.detail == DELETE_FAILED && gone(connection, stream, sequence))
        code = own.code = WEIR_NOT_FOUND;
    if (code != WEIR_OK && err)
        *err = own;
    return code;
}

weir_code broker_keep_last(weir_connection *connection, const char *stream, const char *subject, int count,
                           weir_error *err) {
    char api[API_SUBJECT_MAX], body[WIRE_SUBJECT_MAX + 48];
    WEIR_TRY(wire_check_name("stream", stream, err));
    WEIR_TRY(wire_check_subject(subject, false, err));
    snprintf(api, sizeof api, "$JS.API.STREAM.PURGE.%s", stream);
    snprintf(body, sizeof body, "{\"filter\":\"%s\",\"keep\":%d}", subject, count);
    struct broker_out out = {.subject = api, .data = weir_text_of(body)};
    return broker_send(connection, &out, err);
}

static uint64_t unsigned_of(const json *value) {
    int64_t number = 0;
    return json_int(value, &number) && number > 0 ? (uint64_t)number : 0;
}

weir_code broker_stream_state(weir_connection *connection, const char *stream,
                              struct broker_stream_state *out, weir_error *err) {
    char api[LIMIT_STREAM_NAME_BYTES + 32];
    json_doc *reply = NULL;
    WEIR_TRY(wire_check_name("stream", stream, err));
    snprintf(api, sizeof api, "STREAM.INFO.%s", stream);
    WEIR_TRY(broker_api(connection, api, (weir_text){NULL, 0}, &reply, err));
    const json *root = json_root(reply), *state = json_get(root, "state"), *config = json_get(root, "config");
    const json *metadata = json_get(config, "metadata");
    const json *mark = json_get(metadata, BROKER_MARK_CREATED);
    weir_text created = json_text(mark ? mark : json_get(root, "created")),
              retention = json_text(json_get(config, "retention"));
    weir_code code = WEIR_OK;
    if (created.size == 0 || created.size >= sizeof out->created || retention.size >= sizeof out->retention)
        code = weir_fail(err, WEIR_INVALID, "%s: the answer does not say when the stream was created", api);
    else
        *out = (struct broker_stream_state){.messages = unsigned_of(json_get(state, "messages")),
                                            .first_seq = unsigned_of(json_get(state, "first_seq")),
                                            .last_seq = unsigned_of(json_get(state, "last_seq")),
                                            .moving = json_get(metadata, BROKER_MARK_MOVING) != NULL,
                                            .allow_atomic = json_true(json_get(config, "allow_atomic"))};
    if (code == WEIR_OK) {
        memcpy(out->created, created.data, created.size);
        if (retention.size)
            memcpy(out->retention, retention.data, retention.size);
    }
    json_doc_free(reply);
    return code;
}
