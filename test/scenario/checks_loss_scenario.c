/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan broker catalog */
/* What the rules say the server accepts and then drops, removes, hides or forgets. Each rule's own failing
 * fixture is brought to it raw, and events are published as any client would. */
#include "checks_fixture.h"

static void expect_gone_when_acknowledged(void) {
    weir_error err;
    publish("order.placed");
    assert_int_equal(messages_in("ORDERS"), 1);
    broker_msg *msg = next_of("ORDERS", "billing");
    assert_non_null(msg);
    expect_ok(broker_ack_sync(with.connection, msg, 5000, &err), &err);
    assert_int_equal(messages_in("ORDERS"), 0); /* nothing is left to be replayed */
    broker_msg_free(msg);
    end();
}

static void interest_keeps_until_handled(void **state) {
    (void)state;
    predicted("interest-stream");
    expect_gone_when_acknowledged();
}

static void work_queues_keep_until_handled(void **state) {
    (void)state;
    predicted("workqueue-replay");
    expect_gone_when_acknowledged();
}

static void interest_without_readers(void **state) {
    (void)state;
    predicted("interest-event-unread");
    publish("order.shipped"); /* acknowledged all the same */
    assert_int_equal(messages_in("ORDERS"), 0);
    publish("order.placed");
    assert_int_equal(messages_in("ORDERS"), 1);
    end();
}

static void last_values_before_they_are_read(void **state) {
    (void)state;
    predicted("last-values-lost-to-groups");
    publish("order.placed");
    publish("order.placed");
    assert_int_equal(messages_in("ORDERS"), 1);
    broker_msg *msg = next_of("ORDERS", "billing");
    struct broker_meta meta;
    assert_true(broker_msg_meta(msg, &meta));
    assert_int_equal(meta.stream_seq, 2); /* nobody was ever given the first */
    broker_msg_free(msg);
    end();
}

/* The fixture's million would take long to fill: one is as good. */
static void kept_but_evicted(void **state) {
    (void)state;
    predicted_by_hand("kept-but-evicted", NULL);
    assert_int_equal(
        stream_answer("K", "\"subjects\":[\"k\"],\"deny_delete\":true,\"max_msgs\":1,\"discard\":\"old\""),
        0);
    publish("k");
    publish("k");
    assert_int_equal(messages_in("K"), 1); /* deny_delete did not keep the first */
    end();
}

static void memory_forgets(void **state) {
    (void)state;
    predicted("memory-storage-with-denials");
    publish("order.placed");
    assert_int_equal(messages_in("ORDERS"), 1);
    weir_disconnect(with.connection);
    kit_server_restart(with.server);
    with.connection = kit_connect(with.server);
    struct broker_stream_state info;
    weir_error err = {0};
    expect_error(broker_stream_state(with.connection, "ORDERS", &info, &err), WEIR_NOT_FOUND, &err,
                 "STREAM.INFO.ORDERS: stream not found (10059)");
    end();
}

/* --- nobody there --------------------------------------------------------------------------------------- */

static void expect_nobody(const char *subject) {
    struct broker_puback ack;
    weir_error err = {0};
    assert_int_not_equal(publish_as(subject, NULL, &ack, &err), WEIR_OK);
    assert_int_equal(err.detail, 503);
}

static void subjects_outside_their_stream(void **state) {
    (void)state;
    predicted("event-outside-its-stream");
    expect_nobody("orders.placed");
    expect_named("event-outside-its-stream", 503);
    end();
}

static void subjects_of_no_stream(void **state) {
    (void)state;
    predicted("subject-uncovered");
    expect_nobody("parcel.sent.o-1");
    expect_named("subject-uncovered", 503);
    end();
}

static void filters_of_another_stream(void **state) {
    (void)state;
    predicted_by_hand("group-filter-outside", NULL);
    assert_int_equal(stream_answer("ORDERS", "\"subjects\":[\"order.>\"]"), 0);
    assert_int_equal(stream_answer("PARCELS", "\"subjects\":[\"parcel.>\"]"), 0);
    assert_int_equal(consumer_answer("PARCELS", "billing", ",\"filter_subject\":\"order.placed\""), 0);
    publish("order.placed");
    publish("parcel.sent");
    assert_null(next_of("PARCELS", "billing"));
    end();
}

/* --- permissions ---------------------------------------------------------------------------------------- */

/* May this identity publish it? The violation comes as no answer at all. */
static bool may_publish(const char *subject) {
    struct broker_puback ack;
    weir_error err = {0};
    struct broker_out out = {.subject = subject, .data = weir_text_of("{}")};
    return broker_publish(with.connection, &out, NULL, 500, &ack, &err) == WEIR_OK;
}

static void grants_and_denials_of_one_token(void **state) {
    (void)state;
    static const struct kit_server_options options = {
        .config =
            "authorization { users: [\n"
            "  {user: admin, password: admin}\n"
            "  {user: post, password: post, permissions: {publish: {allow: [\"order.*\", \"$JS.API.>\"]}}}\n"
            "  {user: shop, password: shop, permissions: {publish: {deny: [\"order.*\"]}}}\n"
            "] }\nno_auth_user: admin\n"};
    predicted_by_hand("grant-too-narrow", &options);
    assert_int_equal(stream_answer("ORDERS", "\"subjects\":[\"order.>\"]"), 0);
    weir_disconnect(with.connection);
    weir_error err;
    const char *servers = kit_server_url(with.server);
    expect_ok(weir_connect(&with.connection,
                           &(weir_connect_options){.servers = servers, .user = "post", .password = "post"},
                           &err),
              &err);
    assert_true(may_publish("order.placed"));
    assert_false(may_publish("order.parcel.shipped"));
    weir_disconnect(with.connection);
    expect_ok(weir_connect(&with.connection,
                           &(weir_connect_options){.servers = servers, .user = "shop", .password = "shop"},
                           &err),
              &err);
    assert_false(may_publish("order.placed"));
    assert_true(may_publish("order.parcel.shipped")); /* the denial does not reach it */
    end();
}

/* --- duplicates and deliveries -------------------------------------------------------------------------- */

static void repeated_ids(void **state) {
    (void)state;
    predicted("id-repeats");
    struct broker_puback first, second;
    weir_error err;
    const char *key = "gateway:msg-123:received:2026011912";
    expect_ok(publish_as("order.placed", key, &first, &err), &err);
    expect_ok(publish_as("order.placed", key, &second, &err), &err); /* another event of the same hour */
    assert_false(first.duplicate);
    assert_true(second.duplicate);
    assert_int_equal(messages_in("ORDERS"), 1);
    end();
}

struct retried {
    const char *subject, *id;
};
static bool stored_again(void *arg) {
    const struct retried *retried = arg;
    struct broker_puback ack;
    weir_error err;
    expect_ok(publish_as(retried->subject, retried->id, &ack, &err), &err);
    return !ack.duplicate;
}

static void retries_after_the_window(void **state) {
    (void)state;
    predicted_by_hand("auto-retry-after-duplicate-window", NULL);
    assert_int_equal(stream_answer("W", "\"subjects\":[\"w\"],\"duplicate_window\":200000000"), 0);
    struct retried retried = {"w", "evt-1"};
    assert_true(stored_again(&retried)); /* for the first time */
    assert_true(kit_until(stored_again, &retried));
    assert_int_equal(messages_in("W"), 2);
    end();
}

static void naks_without_delay(void **state) {
    (void)state;
    predicted("nak-burns-attempts");
    assert_int_equal(answer_to("ORDERS/billing"), 0);
    publish("order.placed");
    weir_error err;
    struct broker_meta meta;
    for (uint64_t attempt = 1; attempt <= 4; attempt++) {
        broker_msg *msg = next_of("ORDERS", "billing");
        assert_non_null(msg); /* at once: nobody waited */
        assert_true(broker_msg_meta(msg, &meta));
        assert_int_equal(meta.delivered, attempt);
        expect_ok(broker_ack(with.connection, msg, ACK_NAK, 0, &err), &err);
        expect_ok(broker_flush(with.connection, 5000, &err), &err);
        broker_msg_free(msg);
    }
    assert_null(next_of("ORDERS", "billing"));
    assert_int_equal(messages_in("ORDERS"), 1); /* it is there, and no member will see it again */
    end();
}

static const struct spec specs[] = {
    {"an interest stream keeps an event until its groups have handled it", interest_keeps_until_handled},
    {"a work queue keeps an event until it is handled", work_queues_keep_until_handled},
    {"an interest stream acknowledges and drops what nobody reads", interest_without_readers},
    {"a stream of last values discards what was not read yet", last_values_before_they_are_read},
    {"a stream that denies deleting evicts when it is full", kept_but_evicted},
    {"a stream in memory is empty after its server was stopped", memory_forgets},
    {"a subject outside its stream is stored nowhere", subjects_outside_their_stream},
    {"a subject of no stream is stored nowhere", subjects_of_no_stream},
    {"a filter of another stream gets nothing", filters_of_another_stream},
    {"a permission that ends in a star does not reach one token deeper", grants_and_denials_of_one_token},
    {"a second event with the same id is acknowledged and dropped", repeated_ids},
    {"an id is stored again when the duplicate window is over", retries_after_the_window},
    {"a plain NAK burns the attempts and then hides the event", naks_without_delay},
};
SPEC_MAIN(specs)
