/* SPDX-License-Identifier: Apache-2.0 */
/* Read one by one from the stream's leader, with requests and not through a consumer: slower, but nothing
 * that the tested code uses to read can hide a message here. */
#include "kit/stream.h"

#include "kit/spec.h"

uint64_t kit_stream_dump(weir_connection *connection, const char *stream,
                         void (*visit)(void *arg, uint64_t sequence, const broker_msg *msg), void *arg) {
    struct broker_stream_state before, after;
    uint64_t seen = 0, next = 1;
    weir_error err = {0};
    expect_ok(broker_stream_state(connection, stream, &before, &err), &err);
    for (;;) {
        broker_msg *msg = NULL;
        struct broker_meta meta;
        weir_code code = broker_get_next(connection, stream, next, ">", &msg, &err);
        if (code == WEIR_NOT_FOUND)
            break;
        expect_ok(code, &err);
        assert_true(broker_msg_meta(msg, &meta));
        assert_true(meta.stream_seq >= next);
        next = meta.stream_seq + 1;
        seen++;
        visit(arg, meta.stream_seq, msg);
        broker_msg_free(msg);
    }
    expect_ok(broker_stream_state(connection, stream, &after, &err), &err);
    if (before.messages == after.messages && before.last_seq == after.last_seq)
        assert_int_equal(seen, after.messages);
    return seen;
}
