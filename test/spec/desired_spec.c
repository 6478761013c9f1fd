/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* What a catalog asks of the servers, and when that is already there. No server. */
#include "plan_fixture.h"

/* --- what the catalog asks for -------------------------------------------------------------------------- */

static const json *desired_config(const struct world *world, const char *name) {
    const struct desired *desired = map_get(world->plan->desired.by_name, weir_text_of(name));
    if (!desired)
        fail_msg("nothing is wanted of the name %s", name);
    return desired->config;
}

static void expect_member(const struct world *world, const char *name, const char *member,
                          const char *value) {
    buffer text;
    buffer_init(&text, 1 << 16);
    json_write(&text, json_get(desired_config(world, name), member), false);
    assert_string_equal(text.data ? text.data : "", value);
    buffer_release(&text);
}

static void an_empty_server_gets_all(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(", max_age: 90d"));
    world_compare(&world);
    assert_string_equal(doing(&world), "+SHOP_ADVISORIES +SHOP_DLQ +SHOP_REDELIVER +SHOP_CATALOG +ORDER "
                                       "+ORDER/mailer +SHOP_REDELIVER/mailer");
    assert_false(weir_plan_empty(world.plan));
    expect_change(step_of(&world, "ORDER"), "max_age", "", "90d");
    assert_string_equal(step_of(&world, "ORDER")->file, "catalog.yaml");
    assert_int_equal(step_of(&world, "ORDER")->line, 6);
    world_end(&world);
}

static void event_streams_take_cursors(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(", max_age: 90d"));
    expect_member(&world, "ORDER", "subjects", "[\"order.*\",\"_weir.cursor.ORDER.*\"]");
    expect_member(&world, "ORDER", "allow_atomic", "true");
    expect_member(&world, "ORDER", "metadata", "{\"weir.catalog\":\"shop\",\"weir.role\":\"events\"}");
    expect_member(&world, "ORDER", "max_age", "7776000000000000");
    assert_null(json_get(desired_config(&world, "SHOP_DLQ"), "allow_atomic"));
    static const char *const never[] = {"allow_rollup_hdrs", "allow_msg_ttl", "allow_msg_schedules"};
    for (size_t i = 0; i < 3; i++)
        assert_null(json_get(desired_config(&world, "ORDER"), never[i]));
    world_end(&world);
}

static void weir_counts_attempts_itself(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    expect_member(&world, "ORDER/mailer", "max_deliver", "-1");
    expect_member(&world, "ORDER/mailer", "filter_subjects", "[\"order.placed\",\"order.paid\"]");
    expect_member(&world, "ORDER/mailer", "ack_wait", "30000000000");
    expect_member(&world, "SHOP_REDELIVER/mailer", "filter_subjects", "[\"_weir.to.mailer.>\"]");
    assert_null(json_get(desired_config(&world, "ORDER/mailer"), "backoff"));
    world_end(&world);
    world = world_begin(HEAD "streams:\n  ORDER: {subjects: [order.*]}\n" ORDER_EVENTS
                             "groups:\n  mailer: {service: mail, members: any, from: {ORDER: [order.paid]}, "
                             "max_deliver: 4}\n" SERVICES);
    expect_member(&world, "ORDER/mailer", "max_deliver", "4");
    expect_member(&world, "ORDER/mailer", "filter_subjects", "[\"order.paid\"]");
    world_end(&world);
}

static void filters_are_patterns_of_templates(void **state) {
    (void)state;
    struct world world = world_begin(HEAD "streams:\n  ORDER: {subjects: [order.>]}\nevents:\n" EVENT(
        "order.paid", "ORDER") "  order.noted: {stream: ORDER, subject: \"order.noted.{who}.{why}\", params: "
                               "{who: /payload/who, why: /payload/why}, "
                               "owner: shop, version: 1, payload: {type: object, required: [who, why], "
                               "properties: {who: {type: string}, "
                               "why: {type: string}}}, example: {who: a, why: b}}\n" MAILER SERVICES);
    expect_member(&world, "ORDER/mailer", "filter_subjects", "[\"order.paid\",\"order.noted.*.*\"]");
    world_end(&world);
}

static void interest_streams_get_a_keeper(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(", retention: interest"));
    expect_member(&world, "ORDER/weir-cursor", "filter_subjects", "[\"_weir.cursor.ORDER.*\"]");
    world_compare(&world);
    assert_string_equal(
        doing(&world),
        "+SHOP_ADVISORIES +SHOP_DLQ +SHOP_REDELIVER +SHOP_CATALOG +ORDER +ORDER/weir-cursor +ORDER/mailer "
        "+SHOP_REDELIVER/mailer");
    world_end(&world);
}

static void each_groups_read_directly(void **state) {
    (void)state;
    struct world world =
        world_begin(HEAD "streams:\n  ORDER: {subjects: [order.*], max_msgs_per_subject: 1}\n" ORDER_EVENTS
                         "groups:\n  mailer: {service: mail, each: true, from: {ORDER: all}}\n" SERVICES);
    expect_member(&world, "ORDER", "allow_direct", "true");
    world_compare(&world);
    assert_string_equal(
        doing(&world),
        "+SHOP_ADVISORIES +SHOP_DLQ +SHOP_CATALOG +ORDER"); /* nothing is sent to one instance */
    world_end(&world);
}

/* --- what is in place ----------------------------------------------------------------------------------- */

static void what_was_applied_is_in_place(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(", max_age: 90d"), SHOP(", max_age: 90d"), STATE_FULL);
    assert_string_equal(doing(&world), "");
    assert_true(weir_plan_empty(world.plan));
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_KEEP);
    world_end(&world);
}

/* A stream and a consumer word for word as nats-server 2.15.1 lists them. */
static void the_servers_own_fields_do_not_count(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(
        &world,
        "{\"config\":{\"name\":\"ORDER\",\"subjects\":[\"_weir.cursor.ORDER.*\",\"order.*\"],\"retention\":"
        "\"limits\","
        "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,\"max_msgs_per_subject\":-1,"
        "\"max_msg_size\":-1,\"discard\":\"old\",\"storage\":\"file\",\"num_replicas\":1,\"duplicate_"
        "window\":120000000000,"
        "\"compression\":\"none\",\"allow_direct\":false,\"mirror_direct\":false,\"sealed\":false,\"deny_"
        "delete\":false,"
        "\"deny_purge\":false,\"allow_rollup_hdrs\":false,\"consumer_limits\":{},\"allow_msg_ttl\":false,"
        "\"allow_atomic\":true,\"metadata\":{\"_nats.level\":\"5\",\"_nats.req.level\":\"2\",\"_nats.ver\":"
        "\"2.15.1\","
        "\"team\":\"sales\",\"weir.catalog\":\"shop\",\"weir.role\":\"events\"}},\"state\":" STATE_EMPTY "}");
    observe_consumers(
        &world, "ORDER",
        "{\"stream_name\":\"ORDER\",\"name\":\"mailer\",\"config\":{\"durable_name\":\"mailer\",\"name\":"
        "\"mailer\","
        "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"ack_wait\":30000000000,\"max_deliver\":-1,"
        "\"filter_subjects\":[\"order.paid\",\"order.placed\"],\"replay_policy\":\"instant\",\"max_waiting\":"
        "512,"
        "\"max_ack_pending\":1000,\"num_replicas\":0,\"metadata\":{\"_nats.req.level\":\"0\",\"weir."
        "catalog\":\"shop\","
        "\"weir.role\":\"group\",\"weir.owner\":\"mail\"}},\"num_pending\":0}");
    world_compare(&world);
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_KEEP);
    assert_int_equal(step_of(&world, "ORDER/mailer")->kind, WEIR_STEP_KEEP);
    world_end(&world);
}

static void one_filter_in_either_spelling(void **state) {
    (void)state;
    struct world world =
        plan_edited(SHOP(""), SHOP(""), STATE_EMPTY, "\"filter_subjects\":[\"_weir.to.mailer.>\"]",
                    "\"filter_subject\":\"_weir.to.mailer.>\"");
    assert_string_equal(doing(&world), "");
    world_end(&world);
}

static const struct spec specs[] = {
    {"an empty server gets all, advisories before any consumer", an_empty_server_gets_all},
    {"an event stream takes cursors and atomic batches", event_streams_take_cursors},
    {"members of weir count attempts themselves", weir_counts_attempts_itself},
    {"filters are exactly the subjects of the event types", filters_are_patterns_of_templates},
    {"an interest stream gets a keeper of its cursors", interest_streams_get_a_keeper},
    {"a group whose every instance gets all has no consumer, but direct reads", each_groups_read_directly},
    {"what was applied is in place", what_was_applied_is_in_place},
    {"fields and marks of the server do not count", the_servers_own_fields_do_not_count},
    {"one filter means the same in either spelling", one_filter_in_either_spelling},
};

SPEC_MAIN(specs)
