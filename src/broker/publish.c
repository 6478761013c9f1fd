/* SPDX-License-Identifier: Apache-2.0 */
/* Sending. Without headers libnats sends from the caller's memory; with headers it wants a message of its own
 * (a copy of the payload and one small allocation per header), which is the larger part of what a publish
 * costs here. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/units.h"
#include "broker/link.h"
#include "broker/wire.h"

enum { VALUE_ON_STACK = 512 };

static weir_code check_message(const struct broker_out *out, const struct broker_header *extra,
                               weir_error *err) {
    WEIR_TRY(wire_check_subject(out->subject, false, err));
    for (size_t i = 0; i < out->header_count; i++)
        WEIR_TRY(wire_check_header(&out->headers[i], err));
    if (extra)
        WEIR_TRY(wire_check_header(extra, err));
    if (out->data.size > LIMIT_EVENT_BYTES)
        return weir_fail(err, WEIR_LIMIT, "the message to '%s' has %zu bytes; NATS never takes more than %d",
                         out->subject, out->data.size, LIMIT_EVENT_BYTES);
    return WEIR_OK;
}

/* libnats wants the value NUL-terminated, and copies it. The name is kept by reference: it outlives the
 * message. */
static natsStatus add_header(natsMsg *msg, const struct broker_header *header) {
    char small[VALUE_ON_STACK], *value = small;
    if (header->value.size >= sizeof small)
        value = mem_alloc(header->value.size + 1);
    if (header->value.size)
        memcpy(value, header->value.data, header->value.size);
    value[header->value.size] = 0;
    natsStatus status = natsMsgHeader_Add(msg, header->name, value);
    if (value != small)
        mem_free(value);
    return status;
}

/* libnats frees a destroyed message on a thread of its own, which it wakes when it sleeps: a switch of
 * threads per message costs as much as sending it. So sent messages are kept until there are some, and
 * destroyed in one go. */
static void destroy_later(weir_connection *connection, natsMsg *msg) {
    natsMsg *all[LINK_SPENT];
    size_t count = 0;
    pthread_mutex_lock(&connection->spent_lock);
    connection->spent[connection->spent_count++] = msg;
    connection->spent_bytes += (size_t)natsMsg_GetDataLength(msg);
    if (connection->spent_count == LINK_SPENT || connection->spent_bytes > LINK_SPENT_BYTES) {
        count = connection->spent_count;
        memcpy(all, connection->spent, count * sizeof *all);
        connection->spent_count = connection->spent_bytes = 0;
    }
    pthread_mutex_unlock(&connection->spent_lock);
    for (size_t i = 0; i < count; i++)
        natsMsg_Destroy(all[i]);
}

static natsStatus publish_with_headers(weir_connection *connection, const struct broker_out *out,
                                       const struct broker_header *extra, const char *reply,
                                       natsMsg **spent) {
    natsMsg *msg = NULL;
    natsStatus status = natsMsg_Create(&msg, out->subject, reply, out->data.data, (int)out->data.size);
    for (size_t i = 0; status == NATS_OK && i < out->header_count; i++)
        status = add_header(msg, &out->headers[i]);
    if (status == NATS_OK && extra)
        status = add_header(msg, extra);
    if (status == NATS_OK)
        status = natsConnection_PublishMsg(link_nats(connection), msg);
    if (spent)
        *spent = msg;
    else if (msg)
        destroy_later(connection, msg);
    return status;
}

static weir_code too_large(weir_connection *connection, const struct broker_out *out,
                           const struct broker_header *extra, weir_error *err) {
    size_t headers = wire_headers_size(out->headers, out->header_count);
    if (extra)
        headers += wire_headers_size(extra, 1) - (headers ? wire_headers_size(extra, 0) : 0);
    weir_fail(err, WEIR_LIMIT, "the message to '%s' has %zu bytes with headers; the server takes %lld",
              out->subject, out->data.size + headers, (long long)broker_max_payload(connection));
    (void)weir_hint(err, "send less, or raise max_payload in the server's configuration");
    return WEIR_LIMIT;
}

weir_code link_publish(weir_connection *connection, const struct broker_out *out,
                       const struct broker_header *extra, const char *reply, weir_error *err) {
    return link_publish_spent(connection, out, extra, reply, NULL, err);
}

weir_code link_publish_spent(weir_connection *connection, const struct broker_out *out,
                             const struct broker_header *extra, const char *reply, natsMsg **spent,
                             weir_error *err) {
    natsConnection *nats = link_nats(connection);
    natsStatus status;
    WEIR_TRY(check_message(out, extra, err));
    if (out->header_count || extra)
        status = publish_with_headers(connection, out, extra, reply, spent);
    else if (reply)
        status =
            natsConnection_PublishRequest(nats, out->subject, reply, out->data.data, (int)out->data.size);
    else
        status = natsConnection_Publish(nats, out->subject, out->data.data, (int)out->data.size);
    if (status == NATS_OK)
        return WEIR_OK;
    if (status == NATS_MAX_PAYLOAD)
        return too_large(connection, out, extra, err);
    char place[300];
    snprintf(place, sizeof place, "publish to '%.250s'", out->subject);
    return link_fail(connection, status, place, err);
}

weir_code broker_send(weir_connection *connection, const struct broker_out *out, weir_error *err) {
    return link_publish(connection, out, NULL, NULL, err);
}

/* --- one message, one PubAck ---------------------------------------------------------------------------- */

static weir_code no_stream(const char *subject, weir_error *err) {
    weir_fail(err, WEIR_UNAVAILABLE, "'%s': no stream takes this subject", subject);
    if (err)
        err->detail = 503;
    (void)weir_hint(err, "`weir apply` creates the catalog's streams");
    return WEIR_UNAVAILABLE;
}

weir_code broker_publish(weir_connection *connection, const struct broker_out *out, const char *stream,
                         int64_t timeout_ms, struct broker_puback *ack, weir_error *err) {
    struct broker_header expected = {"Nats-Expected-Stream", weir_text_of(stream)};
    struct broker_puback got;
    natsMsg *reply = NULL;
    weir_error local = {.detail = 0};
    char place[300];
    if (stream)
        WEIR_TRY(wire_check_name("stream", stream, err));
    weir_code code = request_make(connection, out, stream ? &expected : NULL, timeout_ms, &reply, &local);
    if (code != WEIR_OK && local.detail == 503)
        return no_stream(out->subject, err);
    if (code != WEIR_OK) {
        if (err)
            *err = local;
        return code;
    }
    snprintf(place, sizeof place, "'%.250s'", out->subject);
    weir_text data = {natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply)};
    code = wire_read_puback(&got, data, place, err);
    natsMsg_Destroy(reply);
    if (code != WEIR_OK)
        return code;
    if (stream && strcmp(got.stream, stream) != 0)
        return weir_fail(err, WEIR_CONFLICT, "'%s': answered by '%s', expected '%s'", out->subject,
                         got.stream, stream);
    if (ack)
        *ack = got;
    return WEIR_OK;
}
