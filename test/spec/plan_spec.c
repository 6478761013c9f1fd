/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* What changes, what cannot, what would be lost, and whose it is. No server. */
#include "plan_fixture.h"

/* --- drift ---------------------------------------------------------------------------------------------- */

static void a_hand_edit_is_drift(void **state) {
    (void)state;
    struct world world = plan_edited(SHOP(", max_age: 90d"), SHOP(", max_age: 90d"), STATE_FULL,
                                     "\"max_age\":7776000000000000", "\"max_age\":604800000000000");
    assert_string_equal(doing(&world), "~SHOP_DLQ ~ORDER");
    const weir_step *step = step_of(&world, "ORDER");
    const weir_field_change *change = only_change(step);
    assert_string_equal(change->field, "max_age");
    assert_string_equal(change->before, "7d");
    assert_string_equal(change->after, "90d");
    assert_false(step->loses_data);
    assert_string_equal(step->file, "catalog.yaml");
    assert_int_equal(step->line, 6);
    world_end(&world);
}

static void dangerous_switches_are_drift(void **state) {
    (void)state;
    static const char *const edits[][3] = {
        {"\"allow_rollup_hdrs\":true,\"name\":\"ORDER\"", "allow_rollup_hdrs", "true"},
        {"\"no_ack\":true,\"name\":\"ORDER\"", "no_ack", "true"},
        {"\"republish\":{\"src\":\">\",\"dest\":\"leak.>\"},\"name\":\"ORDER\"", "republish",
         "{\"src\":\">\",\"dest\":\"leak.>\"}"},
        {"\"sources\":[{\"name\":\"X\"}],\"name\":\"ORDER\"", "sources", "[{\"name\":\"X\"}]"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        struct world world = plan_edited(SHOP(""), SHOP(""), STATE_FULL, "\"name\":\"ORDER\"", edits[i][0]);
        assert_string_equal(doing(&world), "~ORDER");
        assert_string_equal(only_change(step_of(&world, "ORDER"))->field, edits[i][1]);
        assert_string_equal(only_change(step_of(&world, "ORDER"))->before, edits[i][2]);
        world_end(&world);
    }
}

static void consumer_drift_is_mended(void **state) {
    (void)state;
    struct world world =
        plan_edited(SHOP(""), SHOP(""), STATE_EMPTY, "\"filter_subjects\":[\"order.placed\",\"order.paid\"]",
                    "\"backoff\":[1000000000],\"filter_subjects\":[\"order.placed\"]");
    assert_string_equal(doing(&world), "~ORDER/mailer");
    const weir_step *step = step_of(&world, "ORDER/mailer");
    expect_change(step, "filter_subjects", "[order.placed]", "[order.paid, order.placed]");
    expect_change(step, "backoff", "[1000000000]", "none");
    assert_int_equal(step->line, 11);
    world_end(&world);
}

/* --- impossible ----------------------------------------------------------------------------------------- */

static void storage_needs_a_new_stream(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(", storage: memory"), SHOP(""), STATE_FULL);
    assert_string_equal(doing(&world), "RORDER");
    assert_string_equal(step_of(&world, "ORDER")->note,
                        "gets a new stream: events, sequences and the groups' positions are kept");
    assert_false(step_of(&world, "ORDER")->loses_data);
    world_end(&world);
}

static void retention_moves_between_limits_and_interest(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(", retention: workqueue"), SHOP(""), STATE_EMPTY);
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_REPLACE);
    world_end(&world);
    world = plan_from(SHOP(", retention: workqueue"), SHOP(""), STATE_FULL);
    assert_string_equal(only_change(step_of(&world, "ORDER"))->loss,
                        "events that their group has acknowledged");
    world_end(&world);
    world = plan_from(SHOP(", retention: interest"), SHOP(""), STATE_FULL);
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_UPDATE);
    assert_true(step_of(&world, "ORDER")->loses_data);
    world_end(&world);
    world = plan_from(SHOP(""), SHOP(", retention: interest"), STATE_FULL);
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_UPDATE);
    assert_false(step_of(&world, "ORDER")->loses_data);
    world_end(&world);
}

static void denials_are_for_good(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(", deny_delete: true"), SHOP(""), STATE_FULL);
    assert_string_equal(doing(&world), "~ORDER");
    assert_true(only_change(step_of(&world, "ORDER"))->irreversible);
    world_end(&world);
    world = plan_from(SHOP(""), SHOP(", deny_delete: true"), STATE_FULL);
    assert_string_equal(doing(&world), "!ORDER");
    assert_string_equal(
        step_of(&world, "ORDER")->note,
        "deny_delete can never be taken back: state deny_delete: true in the catalog if it has that key, or "
        "save the events, delete stream ORDER on the server and apply again");
    world_end(&world);
}

static void message_ttl_cannot_be_taken_back(void **state) {
    (void)state;
    struct world world = plan_edited(SHOP(""), SHOP(""), STATE_FULL, "\"name\":\"ORDER\"",
                                     "\"name\":\"ORDER\",\"allow_msg_ttl\":true");
    assert_string_equal(doing(&world), "!ORDER");
    world_end(&world);
}

static void a_consumers_policies_cannot_change(void **state) {
    (void)state;
    struct world world = plan_edited(SHOP(""), SHOP(""), STATE_EMPTY, "\"deliver_policy\":\"all\"",
                                     "\"deliver_policy\":\"new\"");
    assert_string_equal(doing(&world), "!ORDER/mailer !SHOP_REDELIVER/mailer");
    assert_string_equal(
        step_of(&world, "ORDER/mailer")->note,
        "the server cannot change deliver_policy of a consumer from new to all: delete consumer ORDER/mailer "
        "on the server and apply again (the group then starts from the beginning of the stream)");
    world_end(&world);
}

/* --- loss ----------------------------------------------------------------------------------------------- */

static void expect_loss(const char *before, const char *after, const char *state, bool loss) {
    struct world world = plan_from(after, before, state);
    if (step_of(&world, "ORDER")->loses_data != loss)
        fail_msg("%s\nto\n%s\n%s", before, after, loss ? "was taken for harmless" : "was taken for a loss");
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_UPDATE);
    world_end(&world);
}

static void shorter_ages_lose_older_events(void **state) {
    (void)state;
    expect_loss(SHOP(""), SHOP(", max_age: 27d"), STATE_FULL, true);
    expect_loss(SHOP(", max_age: 90d"), SHOP(", max_age: 27d"), STATE_FULL, true);
    expect_loss(SHOP(", max_age: 90d"), SHOP(", max_age: 29d"), STATE_FULL, false); /* nothing is that old */
    expect_loss(SHOP(", max_age: 90d"), SHOP(", max_age: 27d"), STATE_EMPTY, false);
    expect_loss(SHOP(", max_age: 7d"), SHOP(""), STATE_FULL, false);
}

static void smaller_limits_lose_what_exceeds_them(void **state) {
    (void)state;
    expect_loss(SHOP(""), SHOP(", max_bytes: 1MiB"), STATE_FULL, false);
    expect_loss(SHOP(""), SHOP(", max_bytes: 1048575"), STATE_FULL, true);
    expect_loss(SHOP(", max_bytes: 2MiB"), SHOP(", max_bytes: 512KiB"), STATE_FULL, true);
    expect_loss(SHOP(""), SHOP(", max_msgs: 1000"), STATE_FULL, false);
    expect_loss(SHOP(""), SHOP(", max_msgs: 999"), STATE_FULL, true);
    expect_loss(SHOP(""), SHOP(", max_msgs_per_subject: 1"), STATE_FULL, true);
    expect_loss(SHOP(""), SHOP(", max_msgs_per_subject: 1000"), STATE_FULL, false);
    expect_loss(SHOP(""), SHOP(", max_msg_size: 1KiB"), STATE_FULL, false);
}

static const char *loss_between(const char *before, const char *after, const char *state) {
    static char loss[200];
    struct world world = plan_from(after, before, state);
    const weir_step *step = step_of(&world, "ORDER");
    snprintf(loss, sizeof loss, "%s", step->changes[0].loss);
    world_end(&world);
    return loss;
}

static void a_loss_is_counted(void **state) {
    (void)state;
    assert_string_equal(loss_between(SHOP(""), SHOP(", max_msgs: 999"), STATE_FULL),
                        "the 1 oldest of 1000 events");
    assert_string_equal(loss_between(SHOP(""), SHOP(", max_bytes: 512KiB"), STATE_FULL),
                        "the oldest 512KiB of 1MiB");
    assert_string_equal(loss_between(SHOP(""), SHOP(", max_msgs_per_subject: 1"), STATE_FULL),
                        "at least 990 of 1000 events");
    assert_string_equal(loss_between(SHOP(""), SHOP(", max_msgs_per_subject: 200"), STATE_FULL),
                        "the oldest events of subjects that have more");
    assert_string_equal(loss_between(SHOP(""), SHOP(", max_age: 7d"), STATE_FULL), "events older than 7d");
}

static void a_stream_that_refuses_new_events_keeps_the_old(void **state) {
    (void)state;
    expect_loss(SHOP(", discard: new"), SHOP(", discard: new, max_msgs: 3"), STATE_FULL, false);
    expect_loss(SHOP(", discard: new"), SHOP(", discard: new, max_bytes: 1KiB"), STATE_FULL, false);
    expect_loss(SHOP(", discard: new"), SHOP(", discard: new, max_msgs_per_subject: 3"), STATE_FULL, true);
    expect_loss(SHOP(", discard: new"), SHOP(", discard: new, max_age: 1d"), STATE_FULL, true);
    expect_loss(SHOP(", discard: new, max_msgs: 3"), SHOP(", max_msgs: 3"), STATE_FULL, true);
    expect_loss(SHOP(", discard: new, max_msgs: 2000"), SHOP(", max_msgs: 2000"), STATE_FULL, false);
}

/* --- ours and others' ----------------------------------------------------------------------------------- */

#define FOREIGN(name, subject, metadata)                                                        \
    "{\"config\":{\"name\":\"" name "\",\"subjects\":[\"" subject "\"],\"metadata\":{" metadata \
    "}},\"state\":" STATE_FULL "}"

static void operators_settings_are_no_drift(void **state) {
    (void)state;
    static const char *const streams[] = {"\"compression\":\"s2\"", "\"placement\":{\"tags\":[\"ssd\"]}",
                                          "\"consumer_limits\":{\"max_ack_pending\":5}",
                                          "\"allow_batched\":true", "\"of_tomorrow\":{\"a\":1}"};
    static const char *const consumers[] = {
        "\"priority_groups\":[\"g\"],\"priority_policy\":\"pinned_client\",\"priority_timeout\":9000000000",
        "\"sample_freq\":\"50%\"", "\"max_waiting\":99", "\"num_replicas\":1", "\"of_tomorrow\":true"};
    char edit[300];
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        snprintf(edit, sizeof edit, "%s,\"subjects\":[", streams[i]);
        struct world world = plan_edited(SHOP(""), SHOP(""), STATE_FULL, "\"subjects\":[", edit);
        assert_string_equal(doing(&world), "");
        world_end(&world);
    }
    for (size_t i = 0; i < sizeof consumers / sizeof *consumers; i++) {
        snprintf(edit, sizeof edit, "%s,\"filter_subjects\":[", consumers[i]);
        struct world world = plan_edited(SHOP(""), SHOP(""), STATE_FULL, "\"filter_subjects\":[", edit);
        assert_string_equal(doing(&world), "");
        world_end(&world);
    }
}

static void foreign_things_are_left_alone(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_applied(&world, SHOP(""), STATE_FULL, NULL, NULL);
    observe_streams(&world, FOREIGN("LEGACY", "legacy.>", ""));
    observe_consumers(&world, "ORDER",
                      "{\"name\":\"by-hand\",\"config\":{\"name\":\"by-hand\",\"metadata\":{}}}");
    world_compare(&world);
    assert_string_equal(doing(&world), "");
    assert_string_equal(step_of(&world, "LEGACY")->note, "not of this catalog");
    assert_string_equal(step_of(&world, "ORDER/by-hand")->note, "not of this catalog");
    world_end(&world);
}

static void foreign_subjects_are_in_the_way(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(&world, FOREIGN("LEGACY", "order.paid", ""));
    world_compare(&world);
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_IMPOSSIBLE);
    assert_string_equal(
        step_of(&world, "ORDER")->note,
        "its subjects overlap with stream LEGACY, which is not of this catalog: narrow one of them, or name "
        "LEGACY in the catalog to take it over");
    world_end(&world);
}

static void an_existing_stream_is_adopted(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(&world, FOREIGN("ORDER", "order.*", "\"team\":\"sales\""));
    world_compare(&world);
    const weir_step *step = step_of(&world, "ORDER");
    assert_int_equal(step->kind, WEIR_STEP_UPDATE);
    assert_string_equal(step->note,
                        "it exists already: weir takes it over, and leaves what the catalog does not state");
    expect_change(step, "metadata weir.catalog", "none", "shop");
    expect_change(step, "allow_atomic", "false", "true");
    world_end(&world);
}

static void another_catalogs_stream_is_not_taken(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(&world, FOREIGN("ORDER", "order.*", "\"weir.catalog\":\"bakery\""));
    world_compare(&world);
    assert_int_equal(step_of(&world, "ORDER")->kind, WEIR_STEP_IMPOSSIBLE);
    assert_string_equal(step_of(&world, "ORDER")->note,
                        "it belongs to the catalog 'bakery': rename it in one of the two catalogs");
    world_end(&world);
}

static void a_group_of_two_catalogs_is_told(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(&world, FOREIGN("BAKERY_REDELIVER", "_weir.to.mailer.>", "\"weir.catalog\":\"bakery\""));
    world_compare(&world);
    assert_int_equal(step_of(&world, "SHOP_REDELIVER")->kind, WEIR_STEP_IMPOSSIBLE);
    assert_string_equal(
        step_of(&world, "SHOP_REDELIVER")->note,
        "the catalog 'bakery' has a group 'mailer' too, and a group's name is its address on "
        "the servers: rename it in one of the two, or give each catalog an account of its own");
    world_end(&world);
    world = world_begin(SHOP(""));
    observe_streams(&world, FOREIGN("BAKERY_REDELIVER", "_weir.to.baker.>", "\"weir.catalog\":\"bakery\""));
    world_compare(&world);
    assert_int_equal(step_of(&world, "SHOP_REDELIVER")->kind, WEIR_STEP_CREATE);
    world_end(&world);
}

#define TWO_STREAMS                                                                                   \
    HEAD "streams:\n  ORDER: {subjects: [order.*]}\n  OLD: {subjects: [old.*]}\n" ORDER_EVENTS EVENT( \
        "old.news", "OLD") "groups:\n  mailer: {service: mail, from: {ORDER: all, OLD: all}}\n" SERVICES

static void what_is_no_longer_named_is_deleted(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(""), TWO_STREAMS, STATE_FULL);
    assert_string_equal(doing(&world), "~SHOP_ADVISORIES -OLD"); /* and OLD/mailer goes with its stream */
    const weir_step *step = step_of(&world, "OLD");
    assert_true(step->loses_data);
    assert_string_equal(step->note, "1000 stored events (1MiB) are lost with it");
    world_end(&world);
    world = plan_from(HEAD "streams:\n  ORDER: {subjects: [order.*]}\n" ORDER_EVENTS
                           "services: {shop: {publish: [order.>]}}\n",
                      SHOP(""), STATE_FULL);
    assert_string_equal(doing(&world), "-ORDER/mailer -SHOP_REDELIVER");
    assert_string_equal(step_of(&world, "ORDER/mailer")->note,
                        "the group's place in the stream is lost with it");
    world_end(&world);
}

static void room_is_made_first(void **state) {
    (void)state;
    const char *renamed =
        HEAD "streams:\n  SALES: {subjects: [order.*]}\nevents:\n" EVENT("order.placed", "SALES")
            EVENT("order.paid", "SALES") "groups:\n  mailer: {service: mail, from: {SALES: all}}\n" SERVICES;
    struct world world = plan_from(renamed, SHOP(""), STATE_FULL);
    assert_string_equal(doing(&world), "-ORDER ~SHOP_ADVISORIES +SALES +SALES/mailer");
    world_end(&world);
}

static void subjects_are_given_up_before_they_are_taken(void **state) {
    (void)state;
    const char *together =
        HEAD "streams:\n  ALPHA: {subjects: [a.*]}\n  ORDER: {subjects: [order.*, new.*]}\nevents:\n" EVENT(
            "a.x", "ALPHA") EVENT("order.paid", "ORDER")
            EVENT("new.x", "ORDER") "services: {shop: {publish: [order.>]}}\n";
    const char *apart =
        HEAD "streams:\n  ALPHA: {subjects: [a.*, new.*]}\n  ORDER: {subjects: [order.*]}\nevents:\n" EVENT(
            "a.x", "ALPHA") EVENT("order.paid", "ORDER")
            EVENT("new.x", "ALPHA") "services: {shop: {publish: [order.>]}}\n";
    struct world world = plan_from(apart, together, STATE_FULL);
    assert_string_equal(doing(&world), "~ORDER ~ALPHA");
    world_end(&world);
}

static const struct plan_step *plan_step_of(const struct world *world, const char *name) {
    for (size_t i = 0; i < world->plan->steps.count; i++)
        if (strcmp(world->plan->steps.items[i].step.name, name) == 0)
            return &world->plan->steps.items[i];
    fail_msg("the plan has no step for %s", name);
    return NULL;
}

#define QUEUE(mailer, printer, consume)                                                  \
    HEAD "streams:\n  ORDER: {subjects: [order.*], retention: workqueue}\n" ORDER_EVENTS \
         "groups:\n  mailer: {service: mail, from: {ORDER: " mailer "}}\n" printer       \
         "services: {mail: {consume: [" consume "]}, shop: {publish: [order.>]}}\n"
#define ALONE QUEUE("all", "", "mailer")
#define SHARED \
    QUEUE("[order.placed]", "  printer: {service: mail, from: {ORDER: [order.paid]}}\n", "mailer, printer")

static void what_waits_for_another_is_not_sent_with_it(void **state) {
    (void)state;
    struct world world = plan_from(SHARED, ALONE, STATE_EMPTY);
    const struct plan_step *gives = plan_step_of(&world, "ORDER/mailer"),
                           *takes = plan_step_of(&world, "ORDER/printer");
    assert_int_equal(gives->step.kind, WEIR_STEP_UPDATE);
    assert_int_equal(takes->step.kind, WEIR_STEP_CREATE);
    assert_true(gives->rank < takes->rank);
    assert_false(plan_together(gives, takes)); /* on a work queue */
    assert_false(
        plan_together(takes, plan_step_of(&world, "SHOP_REDELIVER"))); /* a stream before its consumers */
    world_end(&world);
    world = world_begin(SHARED);
    world_compare(&world);
    assert_true(plan_together(plan_step_of(&world, "ORDER/mailer"), plan_step_of(&world, "ORDER/printer")));
    world_end(&world);
}

/* --- what is sent --------------------------------------------------------------------------------------- */

static void an_update_keeps_the_operators_fields(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(
        &world,
        "{\"config\":{\"name\":\"ORDER\",\"subjects\":[\"order.*\"],\"compression\":\"s2\",\"max_age\":5,"
        "\"placement\":{\"tags\":[\"ssd\"]},\"republish\":{\"src\":\">\",\"dest\":\"x\"},"
        "\"metadata\":{\"_nats.ver\":\"2.15.1\",\"team\":\"sales\",\"weir.old\":\"1\"}},"
        "\"state\":" STATE_EMPTY "}");
    world_compare(&world);
    buffer text;
    buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < world.plan->steps.count; i++)
        if (strcmp(world.plan->steps.items[i].step.name, "ORDER") == 0)
            plan_config_write(&text, &world.plan->steps.items[i]);
    assert_string_equal(
        text.data,
        "{\"name\":\"ORDER\",\"subjects\":[\"order.*\",\"_weir.cursor.ORDER.*\"],\"retention\":\"limits\","
        "\"storage\":\"file\",\"discard\":\"old\",\"num_replicas\":1,\"max_age\":0,\"max_bytes\":-1,\"max_"
        "msgs\":-1,"
        "\"max_msg_size\":-1,\"max_msgs_per_subject\":-1,\"duplicate_window\":120000000000,\"allow_atomic\":"
        "true,"
        "\"compression\":\"s2\",\"placement\":{\"tags\":[\"ssd\"]},\"metadata\":{\"weir.catalog\":\"shop\","
        "\"weir.role\":\"events\",\"team\":\"sales\"}}");
    buffer_release(&text);
    world_end(&world);
}

/* --- refusing ------------------------------------------------------------------------------------------- */

static void the_impossible_is_refused(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(""), SHOP(", deny_delete: true"), STATE_FULL);
    weir_error err = {0};
    expect_error(weir_plan_refused(world.plan, NULL, &err), WEIR_CONFLICT, &err,
                 "catalog.yaml:6: stream ORDER cannot become what the catalog asks");
    assert_string_equal(
        err.hint,
        "deny_delete can never be taken back: state deny_delete: true in the catalog if it has that key, or "
        "save the events, delete stream ORDER on the server and apply again");
    world_end(&world);
}

static void losses_must_be_named(void **state) {
    (void)state;
    struct world world = plan_from(SHOP(", max_age: 7d"), TWO_STREAMS, STATE_FULL);
    weir_error err = {0};
    expect_error(weir_plan_refused(world.plan, NULL, &err), WEIR_CONFLICT, &err,
                 "catalog.yaml:6: stream ORDER would lose stored events: max_age forever -> 7d discards "
                 "events older than 7d");
    assert_string_equal(err.hint, "to accept it: --allow-loss ORDER --allow-loss OLD");
    const char *one[] = {"ORDER"}, *both[] = {"OLD", "ORDER"};
    expect_error(
        weir_plan_refused(world.plan, &(weir_apply_options){.allow_loss = one, .allow_loss_count = 1}, &err),
        WEIR_CONFLICT, &err, "stream OLD would be deleted: 1000 stored events (1MiB) are lost with it");
    expect_ok(
        weir_plan_refused(world.plan, &(weir_apply_options){.allow_loss = both, .allow_loss_count = 2}, &err),
        &err);
    world_end(&world);
}

/* --- reading answers ------------------------------------------------------------------------------------ */

static void what_does_not_answer_is_not_absent(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    int64_t total;
    weir_error err = {0};
    expect_error(observed_add_streams(&world.plan->observed,
                                      parsed("{\"total\":1,\"streams\":[],\"missing\":[\"ORDER\"]}"), &total,
                                      &err),
                 WEIR_UNAVAILABLE, &err, "stream 'ORDER' does not tell its state");
    expect_error(
        observed_add_streams(&world.plan->observed,
                             parsed("{\"total\":1,\"streams\":[],\"offline\":{\"ORDER\":\"too new\"}}"),
                             &total, &err),
        WEIR_UNAVAILABLE, &err, "stream 'ORDER' does not tell its state");
    world_end(&world);
}

static void pages_that_overlap_count_once(void **state) {
    (void)state;
    struct world world = world_begin(SHOP(""));
    observe_streams(&world, FOREIGN("LEGACY", "legacy.>", ""));
    observe_streams(&world, FOREIGN("LEGACY", "legacy.>", ""));
    world_compare(&world);
    assert_int_equal(world.plan->observed.streams.count, 1);
    world_end(&world);
}

static const struct spec specs[] = {
    {"a hand edit is drift at the line of the catalog", a_hand_edit_is_drift},
    {"switches that wipe, expire or divert events are drift", dangerous_switches_are_drift},
    {"drift of a consumer is mended in place", consumer_drift_is_mended},
    {"a change of storage needs a new stream", storage_needs_a_new_stream},
    {"retention to or from workqueue needs a new stream, limits and interest do not",
     retention_moves_between_limits_and_interest},
    {"denials are for good", denials_are_for_good},
    {"message TTL that was switched on cannot be taken back", message_ttl_cannot_be_taken_back},
    {"a consumer's policies cannot change", a_consumers_policies_cannot_change},
    {"a shorter age loses events only when some are older", shorter_ages_lose_older_events},
    {"a smaller limit loses what exceeds it", smaller_limits_lose_what_exceeds_them},
    {"a loss is told with how many events or bytes", a_loss_is_counted},
    {"lower limits of a stream that refuses new events discard nothing",
     a_stream_that_refuses_new_events_keeps_the_old},
    {"settings of the operator and of newer servers are no drift", operators_settings_are_no_drift},
    {"foreign things are left alone", foreign_things_are_left_alone},
    {"a foreign stream on the same subjects is in the way", foreign_subjects_are_in_the_way},
    {"an existing stream of the same name is adopted", an_existing_stream_is_adopted},
    {"another catalog's stream is not taken", another_catalogs_stream_is_not_taken},
    {"a group name that another catalog has too is told, with what to do", a_group_of_two_catalogs_is_told},
    {"what the catalog no longer names is deleted", what_is_no_longer_named_is_deleted},
    {"a stream whose subjects are needed goes first", room_is_made_first},
    {"subjects are given up before they are taken", subjects_are_given_up_before_they_are_taken},
    {"what waits for another step is not sent together with it", what_waits_for_another_is_not_sent_with_it},
    {"an update keeps what the operator set beside the catalog", an_update_keeps_the_operators_fields},
    {"the impossible is refused with what to do", the_impossible_is_refused},
    {"every loss must be named", losses_must_be_named},
    {"a stream that does not answer is not taken for absent", what_does_not_answer_is_not_absent},
    {"pages that overlap count once", pages_that_overlap_count_once},
};

SPEC_MAIN(specs)
