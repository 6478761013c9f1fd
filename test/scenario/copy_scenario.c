/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan */
/* dead_letter.copy: what a group gave up on is copied to {subject}.dlq in its own stream, once, for readers of
 * that stream and for no group. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/model.h"
#include "deadletter/deadletter.h"
#include "kit/findings.h"
#include "kit/group.h"
#include "kit/letters.h"

struct shop {
    struct kit_world world;
    struct kit_log *log;
};

static weir_verdict refuse(void *arg, const weir_delivery *delivery) {
    struct shop *shop = arg;
    kit_log_add(shop->log, delivery);
    return weir_dead_letter(delivery, "no such customer");
}

static struct shop shop_open(void) {
    const char *copied = kit_replace(kit_orders, "\"dlq.{subject}.{error}\"",
                                     "\"dlq.{subject}.{error}\", copy: \"{subject}.dlq\"");
    const char *text = kit_replace(copied, "duplicate_window: 2m", "duplicate_window: 100ms");
    return (struct shop){.world = kit_world_open(text), .log = kit_log_new()};
}

static void shop_close(struct shop *shop) {
    kit_log_free(shop->log);
    kit_world_close(&shop->world);
}

static void serve(struct shop *shop, const char *group) {
    weir_member_options options = {.group = group, .handler = refuse, .handler_arg = shop};
    kit_member_run_empty(&shop->world, &options);
}

static uint64_t stored(struct shop *shop, const char *stream) {
    struct broker_stream_state state;
    weir_error err;
    expect_ok(broker_stream_state(shop->world.connection, stream, &state, &err), &err);
    return state.messages;
}

static void copied_for_readers_of_the_stream(void **state) {
    (void)state;
    struct shop shop = shop_open();
    broker_msg *original, *copy;
    weir_error err;
    kit_order(&shop.world, "ada", 100);
    serve(&shop, "billing");
    expect_ok(broker_get(shop.world.connection, "ORDERS", 1, &original, &err), &err);
    expect_ok(broker_get(shop.world.connection, "ORDERS", 2, &copy, &err), &err);
    assert_true(text_is(broker_msg_subject(copy), "order.placed.dlq"));
    assert_true(text_equal(broker_msg_data(copy), broker_msg_data(original)));
    struct kit_letters *found = kit_letters_find(&shop.world, NULL);
    assert_int_equal(found->count, 1);
    assert_true(text_is(broker_msg_header(copy, DEADLETTER_LETTER), found->letters[0].id));
    assert_true(text_is(broker_msg_header(copy, DEADLETTER_GROUP), "billing"));
    assert_true(text_is(broker_msg_header(copy, DEADLETTER_CLASS), "rejected"));
    kit_letters_free(found);
    broker_msg_free(original);
    broker_msg_free(copy);
    shop_close(&shop);
}

static void no_group_receives_a_copy(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 100);
    serve(&shop, "billing");
    serve(&shop, "mailing");
    assert_int_equal(stored(&shop, "ORDERS"), 3); /* the event, and a copy of each letter */
    serve(&shop, "billing");
    serve(&shop, "mailing");
    assert_int_equal(kit_log_count(shop.log), 2);
    assert_int_equal(stored(&shop, "ORDERS"), 3);
    assert_int_equal(stored(&shop, "DEAD"), 2);
    shop_close(&shop);
}

/* The server removes ids in rounds of its own, so it is asked until it has. */
static bool probe_is_forgotten(void *arg) {
    struct shop *shop = arg;
    const struct broker_header id = {"Nats-Msg-Id", weir_text_of("probe")};
    struct broker_puback ack;
    weir_error err;
    expect_ok(broker_publish(shop->world.connection,
                             &(struct broker_out){"order.probe", weir_text_of("{}"), &id, 1}, "ORDERS", 5000,
                             &ack, &err),
              &err);
    return !ack.duplicate;
}

static void retried_in_vain_has_one_copy(void **state) {
    (void)state;
    struct shop shop = shop_open();
    const struct deadletter_filter of_billing = {.group = "billing"};
    weir_error err;
    kit_order(&shop.world, "ada", 100);
    serve(&shop, "billing");
    serve(&shop, "mailing"); /* its copy is now the last on the subject */
    assert_true(probe_is_forgotten(&shop));
    assert_true(kit_until(probe_is_forgotten, &shop)); /* so are the copies, which are older */
    uint64_t before = stored(&shop, "ORDERS");
    struct kit_letters *found = kit_letters_find(&shop.world, &of_billing);
    expect_ok(deadletter_retry(shop.world.connection, shop.world.catalog, &found->letters[0], &err), &err);
    kit_letters_free(found);
    serve(&shop, "billing");
    found = kit_letters_find(&shop.world, &of_billing);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->letters[0].retries, 1);
    assert_int_equal(stored(&shop, "ORDERS"), before);
    kit_letters_free(found);
    shop_close(&shop);
}

static void late_second_burial_has_one_copy(void **state) {
    (void)state;
    struct shop shop = shop_open();
    weir_error err;
    kit_order(&shop.world, "ada", 100);
    serve(&shop, "billing");
    assert_true(probe_is_forgotten(&shop));
    assert_true(kit_until(probe_is_forgotten, &shop)); /* so is the copy's, which is older */
    uint64_t before = stored(&shop, "ORDERS");
    struct kit_letters *found = kit_letters_find(&shop.world, NULL);
    /* As a member does that was killed before its ack. */
    expect_ok(deadletter_publish(shop.world.connection, shop.world.catalog, &found->letters[0], &err), &err);
    assert_int_equal(stored(&shop, "ORDERS"), before);
    kit_letters_free(found);
    shop_close(&shop);
}

static void refused_copy_keeps_nothing_back(void **state) {
    (void)state;
    struct shop shop = shop_open();
    kit_order(&shop.world, "ada", 100);
    kit_api(shop.world.connection, "STREAM.UPDATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"order.>\",\"_weir.cursor.ORDERS.*\"],\"discard\":\"new\","
            "\"max_msgs\":1,\"storage\":\"file\",\"num_replicas\":1,\"allow_atomic\":true}");
    serve(&shop, "billing");
    serve(&shop, "billing");
    assert_int_equal(kit_log_count(shop.log), 1);
    assert_int_equal(stored(&shop, "DEAD"), 1);
    assert_int_equal(stored(&shop, "ORDERS"), 1);
    shop_close(&shop);
}

static bool three_letters_and_copies(void *arg) {
    return stored(arg, "DEAD") == 3 && stored(arg, "ORDERS") == 4;
}

/* Two instances of a service give up on the same value: one letter, one copy, and neither learns the copy. */
static void each_instance_gives_up_once(void **state) {
    (void)state;
    const char *each = kit_replace(kit_replace(kit_replace(kit_orders, "{subject}.{error}\"",
                                                           "{subject}.{error}\", copy: \"{subject}.dlq\""),
                                               "[order.>]", "[order.>], max_msgs_per_subject: 1"),
                                   "billing: {service: shop, from: {ORDERS: all}, order: key}",
                                   "billing: {service: shop, each: true, from: {ORDERS: all}}");
    struct shop shop = {kit_world_open(each), kit_log_new()};
    weir_member_options options = {.group = "billing", .handler = refuse, .handler_arg = &shop};
    weir_error err;
    kit_order(&shop.world, "ada", 100);
    struct kit_member *one = kit_member_start(&shop.world, &options),
                      *other = kit_member_start(&shop.world, &options);
    kit_log_wait(shop.log, 2);
    kit_publish(shop.world.connection, "order.noted",
                "{}"); /* no event, so it is a letter without a handler */
    kit_order(&shop.world, "bob", 101);
    kit_log_wait(shop.log, 4);
    assert_true(kit_until(three_letters_and_copies, &shop));
    expect_ok(kit_member_end(one, &err), &err);
    expect_ok(kit_member_end(other, &err), &err);
    assert_int_equal(kit_log_count(shop.log), 4);
    assert_int_equal(stored(&shop, "DEAD"), 3);
    assert_int_equal(stored(&shop, "ORDERS"), 4); /* the last order and note, and the last copy of each */
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"what a group gave up on is copied into its own stream", copied_for_readers_of_the_stream},
    {"no group receives a copy", no_group_receives_a_copy},
    {"a letter that was retried in vain has one copy", retried_in_vain_has_one_copy},
    {"a burial repeated after the duplicate window makes no second copy", late_second_burial_has_one_copy},
    {"instances of an each group that give up on one value leave one copy", each_instance_gives_up_once},
    {"a copy that the stream refuses for good does not keep the event", refused_copy_keeps_nothing_back},
};
SPEC_MAIN(specs)
