/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: publish */
/* Publishing one event and waiting for it. */
#include "publish_fixture.h"

static void expect_stored(struct shop *shop, uint64_t sequence, const char *subject, const char *id) {
    broker_msg *msg = NULL;
    expect_ok(broker_get(shop->connection, "SHOP", sequence, &msg, &shop->err), &shop->err);
    assert_true(text_is(broker_msg_subject(msg), subject));
    assert_true(text_is(broker_msg_header(msg, "Nats-Msg-Id"), id));
    broker_msg_free(msg);
}

static void stored_bytes_are_the_envelope(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    weir_draft draft = order("o-1", "{\"order\":\"7\",\"total\": 12.50}");
    draft.time = weir_text_of("2025-11-14T12:00:00Z");
    draft.tenant = weir_text_of("t1");
    weir_receipt receipt;
    expect_ok(weir_publish(shop.publisher, &draft, &receipt, &shop.err), &shop.err);
    assert_string_equal(receipt.stream, "SHOP");
    assert_string_equal(receipt.id, "o-1");
    assert_int_equal(receipt.sequence, 1);
    assert_false(receipt.duplicate);
    expect_stored(&shop, 1, "shop.order.placed", "o-1");
    broker_msg *msg;
    expect_ok(broker_get(shop.connection, "SHOP", 1, &msg, &shop.err), &shop.err);
    assert_true(text_is(broker_msg_data(msg),
                        "{\"id\":\"o-1\",\"type\":\"shop.order.placed\","
                        "\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,\"key\":\"7\","
                        "\"tenant\":\"t1\",\"payload\":{\"order\":\"7\",\"total\": 12.50}}"));
    broker_msg_free(msg);
    shop_close(&shop);
}

static void an_id_is_generated(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    weir_draft draft = order(NULL, "{\"order\":\"7\"}");
    weir_receipt receipt;
    expect_ok(weir_publish(shop.publisher, &draft, &receipt, &shop.err), &shop.err);
    assert_int_equal(strlen(receipt.id), 36);
    expect_stored(&shop, 1, "shop.order.placed", receipt.id);
    expect_ok(weir_publish(shop.publisher, &draft, NULL, &shop.err), &shop.err);
    assert_int_equal(stored(&shop), 2);
    shop_close(&shop);
}

static void invalid_events_are_never_sent(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    weir_draft draft = order("o-1", "{\"order\":7}");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_INVALID, &shop.err,
                 "shop.order.placed: payload /order: must be a string, is a number (type)");
    draft = order("o\r\nX: 1", "{\"order\":\"7\"}");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_INVALID, &shop.err,
                 "shop.order.placed: the event's id holds a control character");
    draft.type = weir_text_of("shop.order.plaecd");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_NOT_FOUND, &shop.err,
                 "no event type 'shop.order.plaecd' in catalog 'shop'");
    assert_int_equal(weir_publish_async(shop.publisher, &draft, &shop.err), WEIR_NOT_FOUND);
    assert_int_equal(stored(&shop), 0);
    assert_int_equal(heard(&shop), 0);
    shop_close(&shop);
}

static void too_large_events_stay_here(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, "max_payload: 2000\n", true, (weir_publisher_options){0});
    char payload[2100];
    weir_receipt receipt;
    int refused = 0;
    for (int size = 1600; size < 2000; size++) {
        char id[20];
        snprintf(id, sizeof id, "n-%d", size);
        snprintf(payload, sizeof payload, "{\"order\":\"7\",\"note\":\"%0*d\"}", size, 7);
        weir_draft draft = order(id, payload);
        draft.time = weir_text_of("2025-11-14T12:00:00Z");
        weir_code code = weir_publish(shop.publisher, &draft, &receipt, &shop.err);
        assert_true(code == WEIR_OK || code == WEIR_LIMIT);
        assert_false(code == WEIR_OK && refused > 0);
        refused += code == WEIR_LIMIT;
        assert_true(broker_connected(shop.connection));
    }
    assert_in_range(refused, 50, 350);
    assert_int_equal(stored(&shop), 400 - refused);
    weir_draft draft = order("last", "{\"order\":\"7\"}");
    expect_ok(weir_publish(shop.publisher, &draft, NULL, &shop.err), &shop.err);
    shop_close(&shop);
}

static void a_missing_stream_is_said_at_once(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, false, (weir_publisher_options){0});
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    int64_t start = now_ms();
    expect_error(
        weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_UNAVAILABLE, &shop.err,
        "shop.order.placed 'o-1': no stream takes subject 'shop.order.placed'; the catalog expects 'SHOP'");
    assert_string_equal(shop.err.hint, "run `weir apply`");
    assert_true(now_ms() - start < 7000); /* trying again would take 1, 2 and 4 s */
    shop_close(&shop);
}

static void another_stream_does_not_do(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, false, (weir_publisher_options){0});
    kit_stream(shop.connection, "OTHER", "shop.>", NULL);
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    expect_error(
        weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_CONFLICT, &shop.err,
        "shop.order.placed 'o-1': subject 'shop.order.placed' is not stored by stream 'SHOP' but by another "
        "one");
    struct broker_stream_state other;
    expect_ok(broker_stream_state(shop.connection, "OTHER", &other, &shop.err), &shop.err);
    assert_int_equal(other.messages, 0);
    shop_close(&shop);
}

static void answer_falsely(void *arg, broker_msg *msg) {
    weir_text reply = broker_msg_reply(msg);
    char subject[200];
    snprintf(subject, sizeof subject, "%.*s", TEXT_ARG(reply));
    struct broker_out out = {.subject = subject, .data = weir_text_of("{\"stream\":\"AG\",\"seq\":777}")};
    weir_error err;
    if (broker_send(arg, &out, &err) != WEIR_OK)
        print_error("%s\n", err.message);
    broker_msg_free(msg);
}

static void a_forged_puback_is_not_believed(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, false, (weir_publisher_options){0});
    weir_connection *forger = kit_connect(shop.server);
    broker_sub *sub;
    expect_ok(broker_subscribe(&sub, forger, "shop.>", answer_falsely, forger, &shop.err), &shop.err);
    expect_ok(broker_flush(forger, 5000, &shop.err), &shop.err);
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_CONFLICT, &shop.err,
                 "shop.order.placed 'o-1': 'shop.order.placed': answered by 'AG', expected 'SHOP'");
    expect_ok(weir_publish_async(shop.publisher, &draft, &shop.err), &shop.err);
    expect_error(weir_publisher_settle(shop.publisher, 5000, &shop.err), WEIR_CONFLICT, &shop.err,
                 "shop.order.placed 'o-1': answered by 'AG', expected 'SHOP'");
    assert_int_equal(heard(&shop), 1);
    broker_unsubscribe(sub);
    weir_disconnect(forger);
    shop_close(&shop);
}

/* --- the same id twice ---------------------------------------------------------------------------------- */

static void the_same_event_twice_is_one(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    weir_draft draft = order("o-1", "{\"order\":\"7\",\"total\":1.50}");
    weir_receipt receipt;
    expect_ok(weir_publish(shop.publisher, &draft, &receipt, &shop.err), &shop.err);
    assert_false(receipt.duplicate);
    sleep_ms(2); /* the generated time differs */
    draft.payload = weir_text_of("{ \"total\":1.5, \"order\":\"7\" }");
    expect_ok(weir_publish(shop.publisher, &draft, &receipt, &shop.err), &shop.err);
    assert_true(receipt.duplicate);
    assert_int_equal(receipt.sequence, 1);
    expect_ok(weir_publish_async(shop.publisher, &draft, &shop.err), &shop.err);
    expect_ok(weir_publisher_settle(shop.publisher, 5000, &shop.err), &shop.err);
    assert_int_equal(stored(&shop), 1);
    shop_close(&shop);
}

static void another_event_under_the_same_id_is_a_conflict(void **state) {
    (void)state;
    static const char message[] =
        "shop.order.placed 'o-1': stream 'SHOP' holds another event under this id, at sequence 1";
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    expect_ok(weir_publish(shop.publisher, &draft, NULL, &shop.err), &shop.err);
    draft.payload = weir_text_of("{\"order\":\"8\"}");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_CONFLICT, &shop.err, message);
    draft = order("o-1", "{\"order\":\"7\"}");
    draft.time = weir_text_of("2020-01-01T00:00:00Z");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_CONFLICT, &shop.err, message);
    expect_ok(weir_publish_async(shop.publisher, &draft, &shop.err), &shop.err);
    expect_error(weir_publisher_settle(shop.publisher, 5000, &shop.err), WEIR_CONFLICT, &shop.err, message);
    assert_int_equal(heard(&shop), 1);
    assert_string_equal(shop.ids[0], "o-1");
    assert_int_equal(stored(&shop), 1);
    shop_close(&shop);
}

static void a_squatted_id_is_noticed(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    struct broker_header id = {"Nats-Msg-Id", weir_text_of("o-1")};
    struct broker_out squat = {
        .subject = "shop.else", .data = weir_text_of("x"), .headers = &id, .header_count = 1};
    struct broker_puback ack;
    expect_ok(broker_publish(shop.connection, &squat, NULL, 5000, &ack, &shop.err), &shop.err);
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_CONFLICT, &shop.err,
                 "shop.order.placed 'o-1': stream 'SHOP' holds another event under this id, at sequence 1");
    expect_ok(broker_delete(shop.connection, "SHOP", 1, &shop.err), &shop.err);
    expect_error(weir_publish(shop.publisher, &draft, NULL, &shop.err), WEIR_CONFLICT, &shop.err,
                 "shop.order.placed 'o-1': stream 'SHOP' had an event under this id, at sequence 1, and it "
                 "is gone, so "
                 "the two cannot be compared");
    shop_close(&shop);
}

/* --- outages -------------------------------------------------------------------------------------------- */

struct call {
    struct shop *shop;
    weir_code code;
    weir_receipt receipt;
};

static void *publish_one(void *arg) {
    struct call *call = arg;
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    call->code = weir_publish(call->shop->publisher, &draft, &call->receipt, &call->shop->err);
    return NULL;
}

/* The server must be started by the thread that outlives it, so the publisher gets a thread. */
static void an_outage_is_waited_out(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.ack_timeout_ms = 1000});
    struct call call = {.shop = &shop};
    pthread_t thread;
    kit_server_kill(shop.server);
    assert_int_equal(pthread_create(&thread, NULL, publish_one, &call), 0);
    sleep_ms(1500);
    kit_server_restart(shop.server);
    pthread_join(thread, NULL);
    expect_ok(call.code, &shop.err);
    assert_int_equal(call.receipt.sequence, 1);
    assert_int_equal(stored(&shop), 1);
    shop_close(&shop);
}

static void *resume_later(void *server) {
    sleep_ms(700);
    kit_server_resume(server);
    return NULL;
}

static void a_lost_puback_stores_one(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.ack_timeout_ms = 300});
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    pthread_t thread;
    kit_server_pause(shop.server);
    assert_int_equal(pthread_create(&thread, NULL, resume_later, shop.server), 0);
    weir_receipt receipt;
    expect_ok(weir_publish(shop.publisher, &draft, &receipt, &shop.err), &shop.err);
    pthread_join(thread, NULL);
    assert_true(receipt.duplicate); /* the first try was stored, its PubAck came too late */
    assert_int_equal(receipt.sequence, 1);
    assert_int_equal(stored(&shop), 1);
    shop_close(&shop);
}

static void a_long_outage_is_a_timeout_or_unavailable(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.ack_timeout_ms = 100});
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    kit_server_pause(shop.server);
    int64_t start = now_ms();
    weir_code code = weir_publish(shop.publisher, &draft, NULL, &shop.err);
    assert_true(now_ms() - start >= 7000);
    assert_int_equal(code, WEIR_TIMEOUT);
    assert_true(shop.err.retriable);
    assert_true(text_starts(weir_text_of(shop.err.message), "shop.order.placed 'o-1': "));
    kit_server_resume(shop.server);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"the stored bytes are the envelope, the receipt says where they are", stored_bytes_are_the_envelope},
    {"an event without id gets one, and it is the message id", an_id_is_generated},
    {"an invalid event is never sent", invalid_events_are_never_sent},
    {"an event over max_payload is refused here and the connection is kept", too_large_events_stay_here},
    {"a missing stream is said at once with the command that makes it", a_missing_stream_is_said_at_once},
    {"an event that another stream would store is refused", another_stream_does_not_do},
    {"a PubAck of a stream that was not asked is not believed", a_forged_puback_is_not_believed},
    {"the same event published twice is stored once and said to be a duplicate", the_same_event_twice_is_one},
    {"another event under a known id is a conflict", another_event_under_the_same_id_is_a_conflict},
    {"an id that somebody else used first is noticed", a_squatted_id_is_noticed},
    {"an outage within the retries is waited out, one event is stored", an_outage_is_waited_out},
    {"a lost PubAck leads to one stored event", a_lost_puback_stores_one},
    {"a longer outage ends as a timeout after the last retry", a_long_outage_is_a_timeout_or_unavailable},
};
SPEC_MAIN(specs)
