/* SPDX-License-Identifier: Apache-2.0 */
/* Acknowledging a delivery: a message to its ack subject. Only to a real one: a reply subject that somebody
 * else chose must not make us publish there. */
#include <stdio.h>

#include "base/fail.h"
#include "broker/link.h"
#include "broker/wire.h"

static weir_code check_delivery(const broker_msg *msg, weir_error *err) {
    struct broker_meta meta;
    return wire_read_ack_subject(&meta, broker_msg_reply(msg))
               ? WEIR_OK
               : weir_fail(err, WEIR_INVALID, "only a delivery of a consumer can be acknowledged");
}

weir_code broker_ack(weir_connection *connection, const broker_msg *msg, enum broker_ack_kind kind,
                     int64_t delay_ns, weir_error *err) {
    static const char *const words[] = {
        [ACK_DONE] = "+ACK", [ACK_NAK] = "-NAK", [ACK_PROGRESS] = "+WPI", [ACK_TERM] = "+TERM"};
    char delayed[64];
    const char *word = words[kind];
    WEIR_TRY(check_delivery(msg, err));
    if (kind == ACK_NAK && delay_ns > 0) {
        snprintf(delayed, sizeof delayed, "-NAK {\"delay\":%lld}", (long long)delay_ns);
        word = delayed;
    }
    struct broker_out out = {.subject = broker_msg_reply(msg).data, .data = weir_text_of(word)};
    return link_publish(connection, &out, NULL, NULL, err);
}

weir_code broker_ack_sync(weir_connection *connection, const broker_msg *msg, int64_t timeout_ms,
                          weir_error *err) {
    natsMsg *reply = NULL;
    WEIR_TRY(check_delivery(msg, err));
    struct broker_out out = {.subject = broker_msg_reply(msg).data, .data = weir_text_of("+ACK")};
    WEIR_TRY(request_make(connection, &out, NULL, timeout_ms, &reply, err));
    natsMsg_Destroy(reply);
    return WEIR_OK;
}
