/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan broker catalog */
/* What the rules say the server refuses, it refuses: with the error codes they name. Each rule's own failing
 * fixture is brought to it raw. What it accepts and then loses is shown by checks_loss_scenario.c. */
#include "checks_fixture.h"
#include "weir/plan.h"

static void overlapping_subjects(void **state) {
    (void)state;
    predicted("stream-subjects-overlap");
    assert_int_equal(answer_to("ORDERS"), 0);
    expect_refused("stream-subjects-overlap", "LATE", 10065);
    assert_int_equal(stream_answer("C", "\"subjects\":[\"c.>\",\"c.d\"]"), 10052);
    expect_named("stream-subjects-overlap", 10052);
    end();
}

static void dead_letters_inside(void **state) {
    (void)state;
    predicted("dead-letters-inside-their-source");
    assert_int_equal(answer_to("ORDERS"), 0);
    expect_refused("dead-letters-inside-their-source", "DEAD", 10065);
    end();
}

static void reserved_subjects(void **state) {
    (void)state;
    predicted("reserved-subject");
    assert_int_equal(answer_to("ORDERS"), 0); /* with _weir.notes.>: only the rule stands in the way */
    assert_int_equal(stream_answer("A", "\"subjects\":[\">\"]"), 10052);
    assert_int_equal(stream_answer("B", "\"subjects\":[\"*.placed\"]"), 10052);
    assert_int_equal(stream_answer("C", "\"subjects\":[\"_INBOX.>\"]"), 0);
    expect_named("reserved-subject", 10052);
    end();
}

static void duplicate_windows(void **state) {
    (void)state;
    predicted("duplicate-window-too-long");
    expect_refused("duplicate-window-too-long", "ORDERS", 10052);
    assert_int_equal(stream_answer("B", "\"subjects\":[\"b\"],\"duplicate_window\":50000000"), 10052);
    assert_int_equal(
        stream_answer("C", "\"subjects\":[\"c\"],\"max_age\":60000000000,\"duplicate_window\":60000000000"),
        0);
    assert_int_equal(stream_answer("D", "\"subjects\":[\"d\"],\"duplicate_window\":100000000"), 0);
    end();
}

static void work_queues(void **state) {
    (void)state;
    predicted("workqueue-groups-overlap");
    assert_int_equal(answer_to("ORDERS/billing"), 0);
    expect_refused("workqueue-groups-overlap", "ORDERS/shipping", 10100);
    assert_int_equal(stream_answer("Q", "\"subjects\":[\"q.>\"],\"retention\":\"workqueue\""), 0);
    assert_int_equal(consumer_answer("Q", "first", ""), 0);
    assert_int_equal(consumer_answer("Q", "second", ""), 10099);
    expect_named("workqueue-groups-overlap", 10099);
    end();
}

static void reservations(void **state) {
    (void)state;
    predicted_by_hand("size-reserved", NULL);
    assert_int_equal(stream_answer("A", "\"subjects\":[\"a\"],\"max_bytes\":4000000000000000"), 10047);
    expect_named("size-reserved", 10047);
    end();
}

static void names(void **state) {
    (void)state;
    predicted_by_hand("bad-name", NULL);
    assert_int_equal(answer_of("STREAM.CREATE.A/B", "{\"name\":\"A/B\",\"subjects\":[\"x\"]}"), 10128);
    assert_int_equal(answer_of("STREAM.CREATE.A\\B", "{\"name\":\"A\\\\B\",\"subjects\":[\"x\"]}"), 10128);
    expect_named("bad-name", 10128);
    end();
}

static void subjects(void **state) {
    (void)state;
    predicted_by_hand("bad-subject", NULL);
    assert_int_equal(stream_answer("A", "\"subjects\":[\"order.>.late\"]"), 10052);
    assert_int_equal(stream_answer("B", "\"subjects\":[\"order..late\"]"), 10052);
    assert_int_equal(stream_answer("C", "\"subjects\":[\"order late\"]"), 10052);
    expect_named("bad-subject", 10052);
    end();
}

/* --- what plan cannot know, and apply is told ----------------------------------------------------------- */

static void replicas_without_servers(void **state) {
    (void)state;
    with.server = kit_server_start(NULL);
    with.connection = kit_connect(with.server);
    const char *yaml = kit_replace(kit_shop, "max_age: 30d\n", "max_age: 30d\n    num_replicas: 3\n");
    weir_catalog *catalog = NULL;
    weir_plan *plan = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    expect_ok(weir_plan_make(&plan, with.connection, catalog, &err), &err);
    expect_error(
        weir_plan_apply(plan, with.connection, NULL, &err), WEIR_UNAVAILABLE, &err,
        "catalog.yaml:6: STREAM.CREATE.ORDERS: replicas > 1 not supported in non-clustered mode (10074)");
    assert_string_equal(err.hint,
                        "this is a single server: state num_replicas: 1, or use an environment that "
                        "does (--env dev)");
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    end();
}

static const struct spec specs[] = {
    {"overlapping subjects are refused, of two streams and of one", overlapping_subjects},
    {"a stream of dead letters inside another is refused", dead_letters_inside},
    {"subjects of the server are refused and those of weir are not", reserved_subjects},
    {"duplicate windows that do not fit are refused", duplicate_windows},
    {"a work queue refuses a second reader of an event", work_queues},
    {"a size that cannot be reserved is refused", reservations},
    {"a name with a path separator is refused", names},
    {"a malformed subject is refused", subjects},
    {"three replicas on one server are refused when applied", replicas_without_servers},
};
SPEC_MAIN(specs)
