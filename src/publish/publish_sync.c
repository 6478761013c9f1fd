/* SPDX-License-Identifier: Apache-2.0 */
/* Publish and wait. A try that failed in a way that may pass is made again after 1, 2 and 4 s, with the same
 * bytes under the same id: whatever happened to the earlier ones, the stream keeps one. */
#include "publish/publisher.h"

#include <stdio.h>

#include "base/fail.h"

/* Sleeps, unless the publisher is closed meanwhile. */
static bool sleep_until(weir_publisher *publisher, int64_t due_ns) {
    pthread_mutex_lock(&publisher->lock);
    while (!publisher->closing && publisher_now(publisher) < due_ns)
        publisher_wait(publisher, &publisher->room, due_ns);
    bool go_on = !publisher->closing;
    pthread_mutex_unlock(&publisher->lock);
    return go_on;
}

/* Nobody took the message: a stream that is electing its leader is worth waiting for, one that does not exist
 * is not. */
static bool stream_missing(weir_publisher *publisher, const struct outgoing *out, const weir_error *err) {
    struct broker_stream_state state;
    weir_error asking = {0};
    return err->code == WEIR_UNAVAILABLE && err->detail == 503 &&
           broker_stream_state(publisher->connection, out->def->stream, &state, &asking) == WEIR_NOT_FOUND;
}

static weir_code try_once(weir_publisher *publisher, const struct outgoing *out, int tries,
                          struct broker_puback *ack, weir_error *err) {
    struct broker_header headers[2];
    publisher_headers(out, headers);
    /* broker_publish adds Nats-Expected-Stream itself and compares the answer with it */
    struct broker_out message = {
        .subject = out->subject, .data = out->envelope, .headers = headers, .header_count = 1};
    WEIR_TRY(broker_publish(publisher->connection, &message, out->def->stream,
                            publisher->options.ack_timeout_ms, ack, err));
    return ack->duplicate ? publisher_verify(publisher, out, ack->sequence, tries, err) : WEIR_OK;
}

static weir_code publish(weir_publisher *publisher, const struct outgoing *out, struct broker_puback *ack,
                         weir_error *err) {
    for (int tries = 1;; tries++) {
        weir_error trouble = {0};
        weir_code code = try_once(publisher, out, tries, ack, &trouble);
        if (code == WEIR_OK)
            return WEIR_OK;
        bool again =
            trouble.retriable && tries < LIMIT_PUBLISH_TRIES && !stream_missing(publisher, out, &trouble);
        if (again && sleep_until(publisher, publisher_now(publisher) + publisher_delay_ns(tries)))
            continue;
        publisher_explain(out, &trouble);
        if (err)
            *err = trouble;
        return trouble.code;
    }
}

static weir_code prepare_and_publish(weir_publisher *publisher, const weir_draft *draft,
                                     event_scratch *scratch, weir_receipt *receipt, weir_error *err) {
    struct outgoing out;
    struct broker_puback ack = {0};
    WEIR_TRY(publisher_prepare(publisher, draft, scratch, &out, err));
    WEIR_TRY(publish(publisher, &out, &ack, err));
    if (!receipt)
        return WEIR_OK;
    *receipt = (weir_receipt){.sequence = ack.sequence, .duplicate = ack.duplicate};
    snprintf(receipt->stream, sizeof receipt->stream, "%s", ack.stream);
    snprintf(receipt->id, sizeof receipt->id, "%s", out.id);
    return WEIR_OK;
}

weir_code weir_publish(weir_publisher *publisher, const weir_draft *draft, weir_receipt *receipt,
                       weir_error *err) {
    struct scratch_item *item = publisher_enter(publisher);
    weir_code code = prepare_and_publish(publisher, draft, item->scratch, receipt, err);
    publisher_leave(publisher, item);
    return code;
}
