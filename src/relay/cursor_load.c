/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor as it stands in a stream. */
#include <string.h>

#include "base/fail.h"
#include "broker/broker.h"
#include "relay/cursor.h"

static weir_code take(struct relay_cursor *out, const broker_msg *msg, weir_error *err) {
    struct broker_meta meta;
    memset(out, 0, offsetof(struct relay_cursor, ranges));
    if (!msg)
        return WEIR_OK;
    WEIR_TRY(cursor_read(out, broker_msg_data(msg), err));
    if (broker_msg_meta(msg, &meta))
        out->sequence = meta.stream_seq;
    return WEIR_OK;
}

weir_code cursor_load(struct relay_cursor *out, weir_connection *connection, const char *stream,
                      const char *subject, uint64_t sequence, weir_error *err) {
    broker_msg *msg = NULL;
    weir_code code = sequence ? broker_get(connection, stream, sequence, &msg, err)
                              : broker_get_last(connection, stream, subject, &msg, err);
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    bool ours = msg && text_is(broker_msg_subject(msg), subject);
    code = take(out, ours ? msg : NULL, err);
    broker_msg_free(msg);
    return code;
}
