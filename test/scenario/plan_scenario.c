/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* Plan and apply against a real nats-server. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "kit/catalog.h"
#include "kit/proxy.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "plan/compare.h"
#include "weir/clock.h"

#define HEAD                    \
    "weir: 1\n"                 \
    "catalog: shop\n"           \
    "envelope: envelope.yaml\n" \
    "dead_letter: {stream: SHOP_DLQ, subject: \"dlq.{subject}.{error}\", max_age: 90d}\n"
#define EVENT(type, stream)                           \
    "  " type ": {stream: " stream ", subject: " type \
    ", owner: shop, version: 1, payload: {type: object}, example: {}}\n"
#define GROUP(from) "groups:\n  mailer: {service: mail, from: {" from "}}\n"
#define SERVICES "services: {mail: {consume: [mailer]}, shop: {publish: [order.>]}}\n"
#define SHOP(stream)                                                                                    \
    HEAD "streams:\n  ORDER: {subjects: [order.*]" stream "}\nevents:\n" EVENT("order.placed", "ORDER") \
        EVENT("order.paid", "ORDER") GROUP("ORDER: all") SERVICES

/* --- one server, its connection ------------------------------------------------------------------------- */

struct bench {
    kit_server *server;
    weir_connection *connection;
    weir_error err;
};

static struct bench bench_begin(void) {
    struct bench bench = {.server = kit_server_start(NULL)};
    weir_connect_options options = {.servers = kit_server_url(bench.server)};
    expect_ok(weir_connect(&bench.connection, &options, &bench.err), &bench.err);
    return bench;
}

static void bench_end(struct bench *bench) {
    weir_disconnect(bench->connection);
    kit_server_stop(bench->server);
}

static weir_catalog *catalog_in(const char *folder, const char *environment) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, folder, environment, NULL, &err), &err);
    return catalog;
}

static weir_catalog *catalog_of(const char *yaml) {
    return catalog_in(kit_catalog_folder(yaml), NULL);
}

static weir_plan *plan_of(struct bench *bench, const weir_catalog *catalog) {
    weir_plan *plan = NULL;
    expect_ok(weir_plan_make(&plan, bench->connection, catalog, &bench->err), &bench->err);
    return plan;
}

/* Plans and applies; returns the code of apply. */
static weir_code apply(struct bench *bench, const weir_catalog *catalog, const weir_apply_options *options) {
    weir_plan *plan = plan_of(bench, catalog);
    weir_code code = weir_plan_apply(plan, bench->connection, options, &bench->err);
    weir_plan_free(plan);
    return code;
}

static void apply_yaml(struct bench *bench, const char *yaml) {
    weir_catalog *catalog = catalog_of(yaml);
    expect_ok(apply(bench, catalog, NULL), &bench->err);
    weir_catalog_close(catalog);
}

/* Steps that do something: "+STREAM ~OTHER". */
static const char *doing(const weir_plan *plan) {
    static char text[8192];
    size_t size = 0;
    *text = 0;
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        if (step->kind != WEIR_STEP_KEEP)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%c%s", size ? " " : "",
                                     "+~!- R"[step->kind], step -> name);
    }
    return text;
}

static void expect_plan(struct bench *bench, const char *yaml, const char *steps) {
    weir_catalog *catalog = catalog_of(yaml);
    weir_plan *plan = plan_of(bench, catalog);
    assert_string_equal(doing(plan), steps);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
}

/* A request by hand, as an operator would make it; returns a member of the answer's config as JSON. */
static void by_hand(struct bench *bench, const char *api, const char *body) {
    json_doc *reply = NULL;
    expect_ok(broker_api(bench->connection, api, weir_text_of(body), &reply, &bench->err), &bench->err);
    json_doc_free(reply);
}

static void expect_config(struct bench *bench, const char *info, const char *member, const char *value) {
    json_doc *reply = NULL;
    expect_ok(broker_api(bench->connection, info, (weir_text){0}, &reply, &bench->err), &bench->err);
    buffer text;
    buffer_init(&text, 1 << 16);
    json_write(&text, json_get(json_get(json_root(reply), "config"), member), false);
    assert_string_equal(text.data ? text.data : "", value);
    buffer_release(&text);
    json_doc_free(reply);
}

static void publish(struct bench *bench, const char *subject, int count) {
    for (int i = 0; i < count; i++) {
        struct broker_out out = {.subject = subject, .data = weir_text_of("{}")};
        struct broker_puback ack;
        expect_ok(broker_publish(bench->connection, &out, NULL, 5000, &ack, &bench->err), &bench->err);
    }
}

static uint64_t stored(struct bench *bench, const char *stream) {
    struct broker_stream_state state;
    expect_ok(broker_stream_state(bench->connection, stream, &state, &bench->err), &bench->err);
    return state.messages;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void plan_after_apply_is_empty(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    weir_catalog *catalog =
        catalog_of(SHOP(", max_age: 90d, max_bytes: 1MiB, deny_delete: true, description: orders"));
    weir_plan *plan = plan_of(&bench, catalog);
    assert_string_equal(doing(plan), "+SHOP_ADVISORIES +SHOP_DLQ +SHOP_REDELIVER +SHOP_CATALOG +ORDER "
                                     "+ORDER/mailer +SHOP_REDELIVER/mailer");
    expect_ok(weir_plan_apply(plan, bench.connection, NULL, &bench.err), &bench.err);
    weir_plan_free(plan);
    plan = plan_of(&bench, catalog);
    assert_string_equal(doing(plan), "");
    assert_true(weir_plan_empty(plan));
    expect_ok(weir_plan_apply(plan, bench.connection, NULL, &bench.err), &bench.err); /* twice is once */
    weir_plan_free(plan);
    expect_config(&bench, "STREAM.INFO.ORDER", "allow_atomic", "true");
    expect_config(&bench, "CONSUMER.INFO.ORDER.mailer", "max_deliver", "-1");
    weir_catalog_close(catalog);
    bench_end(&bench);
}

static void count_step(void *arg, const weir_step *step, weir_code code, const weir_error *err) {
    (void)step;
    (void)err;
    assert_int_equal(code, WEIR_OK);
    ++*(int *)arg;
}

static void a_whole_catalog_is_applied(void **state) {
    (void)state;
    char folder[1024];
    const char *source = getenv("WEIR_SOURCE");
    snprintf(folder, sizeof folder, "%s/catalogs/daarion", source ? source : ".");
    struct bench bench = bench_begin();
    weir_catalog *catalog = catalog_in(folder, "dev");
    int steps = 0;
    weir_apply_options options = {.on_step = count_step, .on_step_arg = &steps};
    expect_ok(apply(&bench, catalog, &options), &bench.err);
    assert_true(steps >= 14 + 3 + 13); /* streams, those derived, groups */
    weir_plan *plan = plan_of(&bench, catalog);
    assert_string_equal(doing(plan), "");
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    bench_end(&bench);
}

static void many_streams_are_read_in_pages(void **state) {
    (void)state;
    enum { FOREIGN = 300 };
    struct bench bench = bench_begin();
    static char apis[FOREIGN][64], bodies[FOREIGN][128];
    const char *names[FOREIGN];
    weir_text texts[FOREIGN];
    json_doc *replies[FOREIGN];
    weir_code codes[FOREIGN];
    for (int i = 0; i < FOREIGN; i++) {
        snprintf(apis[i], sizeof apis[i], "STREAM.CREATE.F%03d", i);
        snprintf(bodies[i], sizeof bodies[i],
                 "{\"name\":\"F%03d\",\"subjects\":[\"f.%03d\"],\"storage\":\"memory\"}", i, i);
        names[i] = apis[i];
        texts[i] = weir_text_of(bodies[i]);
    }
    expect_ok(broker_api_many(bench.connection, FOREIGN, names, texts, replies, codes, NULL), &bench.err);
    for (int i = 0; i < FOREIGN; i++) {
        assert_int_equal(codes[i], WEIR_OK);
        json_doc_free(replies[i]);
    }
    weir_catalog *catalog = catalog_of(SHOP(""));
    weir_plan *plan = plan_of(&bench, catalog);
    size_t kept = 0;
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        kept += weir_plan_step(plan, i)->kind == WEIR_STEP_KEEP;
    assert_int_equal(kept, FOREIGN);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    bench_end(&bench);
}

/* --- drift ---------------------------------------------------------------------------------------------- */

static void a_hand_edit_is_mended(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    apply_yaml(&bench, SHOP(", max_age: 90d"));
    by_hand(
        &bench, "STREAM.UPDATE.ORDER",
        "{\"name\":\"ORDER\",\"subjects\":[\"order.*\",\"_weir.cursor.ORDER.*\"],\"max_age\":604800000000000,"
        "\"duplicate_window\":120000000000,\"allow_atomic\":true,\"allow_rollup_hdrs\":true,"
        "\"metadata\":{\"weir.catalog\":\"shop\",\"weir.role\":\"events\",\"team\":\"sales\"}}");
    weir_catalog *catalog = catalog_of(SHOP(", max_age: 90d"));
    weir_plan *plan = plan_of(&bench, catalog);
    assert_string_equal(doing(plan), "~ORDER");
    const weir_step *step = NULL;
    for (size_t i = 0; !step; i++)
        if (weir_plan_step(plan, i)->kind == WEIR_STEP_UPDATE)
            step = weir_plan_step(plan, i);
    assert_int_equal(step->change_count, 2);
    assert_string_equal(step->changes[0].field, "max_age");
    assert_string_equal(step->changes[0].before, "7d");
    assert_string_equal(step->changes[0].after, "90d");
    assert_string_equal(step->changes[1].field, "allow_rollup_hdrs");
    assert_string_equal(step->file, "catalog.yaml");
    assert_int_equal(step->line, 6);
    expect_ok(weir_plan_apply(plan, bench.connection, NULL, &bench.err), &bench.err);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    expect_plan(&bench, SHOP(", max_age: 90d"), "");
    expect_config(&bench, "STREAM.INFO.ORDER", "max_age", "7776000000000000");
    expect_config(&bench, "STREAM.INFO.ORDER", "allow_rollup_hdrs", "false");
    bench_end(&bench);
}

static void a_consumer_is_mended_in_place(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    apply_yaml(&bench, SHOP(""));
    publish(&bench, "order.paid", 1);
    by_hand(&bench, "CONSUMER.CREATE.ORDER.mailer",
            "{\"stream_name\":\"ORDER\",\"action\":\"update\",\"config\":{\"name\":\"mailer\",\"durable_"
            "name\":\"mailer\","
            "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"replay_policy\":\"instant\",\"ack_"
            "wait\":1000000000,"
            "\"max_deliver\":5,\"backoff\":[1000000000],\"filter_subject\":\"order.paid\",\"max_ack_"
            "pending\":7}}");
    expect_plan(&bench, SHOP(""), "~ORDER/mailer");
    apply_yaml(&bench, SHOP(""));
    expect_plan(&bench, SHOP(""), "");
    expect_config(&bench, "CONSUMER.INFO.ORDER.mailer", "filter_subjects",
                  "[\"order.placed\",\"order.paid\"]");
    bench_end(&bench);
}

static void filters_follow_the_catalog(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    const char *one =
        HEAD "streams:\n  ORDER: {subjects: [order.*]}\nevents:\n" EVENT("order.placed", "ORDER")
            EVENT("order.paid", "ORDER") GROUP("ORDER: [order.paid]") SERVICES;
    apply_yaml(&bench, one);
    expect_config(&bench, "CONSUMER.INFO.ORDER.mailer", "filter_subjects", "[\"order.paid\"]");
    expect_plan(&bench, one, "");
    expect_plan(&bench, SHOP(""), "~ORDER/mailer");
    apply_yaml(&bench, SHOP(""));
    expect_plan(&bench, SHOP(""), "");
    bench_end(&bench);
}

static void what_is_missing_is_made_again(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    apply_yaml(&bench, SHOP(""));
    by_hand(&bench, "CONSUMER.DELETE.ORDER.mailer", "");
    by_hand(&bench, "STREAM.DELETE.SHOP_REDELIVER", "");
    expect_plan(&bench, SHOP(""), "+SHOP_REDELIVER +ORDER/mailer +SHOP_REDELIVER/mailer");
    apply_yaml(&bench, SHOP(""));
    expect_plan(&bench, SHOP(""), "");
    bench_end(&bench);
}

/* --- refused before the first step ---------------------------------------------------------------------- */

static void the_impossible_touches_nothing(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    apply_yaml(&bench, SHOP(", deny_delete: true"));
    by_hand(&bench, "CONSUMER.DELETE.ORDER.mailer", ""); /* something that could be done */
    weir_catalog *catalog = catalog_of(SHOP(""));
    expect_error(apply(&bench, catalog, NULL), WEIR_CONFLICT, &bench.err,
                 "catalog.yaml:6: stream ORDER cannot become what the catalog asks");
    assert_string_equal(
        bench.err.hint,
        "deny_delete can never be taken back: state deny_delete: true in the catalog if it has that key, or "
        "save the events, delete stream ORDER on the server and apply again");
    weir_catalog_close(catalog);
    expect_plan(&bench, SHOP(", deny_delete: true"), "+ORDER/mailer");
    bench_end(&bench);
}

/* What plan calls impossible, the server refuses too: the rules are not invented. */
static void the_server_agrees_about_the_impossible(void **state) {
    (void)state;
    static const char *const updates[] = {
        "\"storage\":\"memory\"",
        "\"storage\":\"file\",\"retention\":\"workqueue\"",
        "\"deny_delete\":false",
        "\"deny_delete\":true,\"allow_msg_counter\":true",
        "\"deny_delete\":true,\"persist_mode\":\"async\"",
    };
    struct bench bench = bench_begin();
    by_hand(&bench, "STREAM.CREATE.X", "{\"name\":\"X\",\"subjects\":[\"x.>\"],\"deny_delete\":true}");
    for (size_t i = 0; i < sizeof updates / sizeof *updates; i++) {
        char body[256];
        json_doc *reply = NULL;
        snprintf(body, sizeof body, "{\"name\":\"X\",\"subjects\":[\"x.>\"],%s}", updates[i]);
        assert_int_not_equal(
            broker_api(bench.connection, "STREAM.UPDATE.X", weir_text_of(body), &reply, &bench.err), WEIR_OK);
        assert_int_equal(bench.err.detail, 10052);
        json_doc_free(reply);
    }
    bench_end(&bench);
}

static void a_loss_must_be_named(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    apply_yaml(&bench, SHOP(""));
    publish(&bench, "order.paid", 5);
    weir_catalog *catalog = catalog_of(SHOP(", max_msgs: 3"));
    expect_error(apply(&bench, catalog, NULL), WEIR_CONFLICT, &bench.err,
                 "catalog.yaml:6: stream ORDER would lose stored events: max_msgs unlimited -> 3 discards "
                 "the 2 oldest of 5 events");
    assert_string_equal(bench.err.hint, "to accept it: --allow-loss ORDER");
    assert_int_equal(stored(&bench, "ORDER"), 5);
    const char *named[] = {"ORDER"};
    expect_ok(apply(&bench, catalog, &(weir_apply_options){.allow_loss = named, .allow_loss_count = 1}),
              &bench.err);
    assert_int_equal(stored(&bench, "ORDER"), 3);
    weir_catalog_close(catalog);
    bench_end(&bench);
}

/* --- how many would be lost ------------------------------------------------------------------------------- */

/* The loss of ORDER's first change in a plan that is made at `now_ns`. */
static void expect_loss_at(struct bench *bench, const char *yaml, int64_t now_ns, const char *loss) {
    weir_catalog *catalog = catalog_of(yaml);
    weir_plan *plan = plan_new(catalog);
    expect_ok(desired_make(&plan->desired, catalog, &bench->err), &bench->err);
    expect_ok(observed_read(&plan->observed, bench->connection, &plan->desired, &bench->err), &bench->err);
    plan_compare(plan, now_ns);
    loss_measure(plan, bench->connection, now_ns);
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        if (strcmp(weir_plan_step(plan, i)->name, "ORDER") == 0)
            assert_string_equal(weir_plan_step(plan, i)->changes[0].loss, loss);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
}

static int64_t wall_ns(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->wall_ns(clock->self);
}

static void old_events_are_counted(void **state) {
    (void)state;
    const int64_t day_ns = 86400 * INT64_C(1000000000);
    struct bench bench = bench_begin();
    apply_yaml(&bench, SHOP(""));
    publish(&bench, "order.paid", 37);
    int64_t between_ns = wall_ns();
    publish(&bench, "order.paid", 11);
    const char *yaml = SHOP(", max_age: 1d");
    expect_loss_at(&bench, yaml, between_ns + day_ns, "37 of 48 events, older than 1d");
    by_hand(&bench, "STREAM.MSG.DELETE.ORDER", "{\"seq\":5}");
    expect_loss_at(&bench, yaml, between_ns + day_ns, "up to 37 of 47 events, older than 1d");
    expect_loss_at(&bench, yaml, wall_ns() + 2 * day_ns, "up to 47 events, older than 1d");
    expect_loss_at(&bench, yaml, between_ns, "");
    bench_end(&bench);
}

static void many_steps_go_out_together(void **state) {
    (void)state;
    enum { STREAMS = 100 };
    buffer yaml;
    buffer_init(&yaml, 1 << 20);
    buffer_string(&yaml, HEAD "streams:\n");
    for (int i = 0; i < STREAMS; i++)
        buffer_printf(&yaml, "  S%03d: {subjects: [shop.s%03d.*]}\n", i, i);
    buffer_string(&yaml, "events:\n");
    for (int i = 0; i < STREAMS; i++)
        buffer_printf(&yaml,
                      "  s%03d.a: {stream: S%03d, subject: shop.s%03d.a, owner: shop, version: 1, payload: "
                      "{type: object}, "
                      "example: {}}\n",
                      i, i, i);
    buffer_string(&yaml, "services: {shop: {publish: [shop.>]}}\n");
    struct bench bench = bench_begin();
    weir_report *report = NULL;
    weir_catalog *catalog = NULL;
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml.data), NULL, &report, &bench.err),
              &bench.err);
    weir_report_free(report);
    int steps = 0;
    weir_apply_options options = {.on_step = count_step, .on_step_arg = &steps};
    expect_ok(apply(&bench, catalog, &options), &bench.err);
    assert_true(steps > STREAMS);
    weir_plan *plan = plan_of(&bench, catalog);
    assert_true(weir_plan_empty(plan));
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    buffer_release(&yaml);
    bench_end(&bench);
}

static void deleting_must_be_named(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    const char *before = HEAD "streams:\n  ORDER: {subjects: [order.*]}\n  OLD: {subjects: [old.*], "
                              "deny_delete: true}\nevents:\n" EVENT("order.paid", "ORDER")
                                  EVENT("old.news", "OLD") GROUP("ORDER: all, OLD: all") SERVICES;
    const char *after =
        HEAD "streams:\n  ORDER: {subjects: [order.*]}\nevents:\n" EVENT("order.paid", "ORDER")
            GROUP("ORDER: all") SERVICES;
    apply_yaml(&bench, before);
    publish(&bench, "old.news", 2);
    weir_catalog *catalog = catalog_of(after);
    expect_error(apply(&bench, catalog, NULL), WEIR_CONFLICT, &bench.err,
                 "stream OLD would be deleted: 2 stored events (80 bytes) are lost with it");
    assert_int_equal(stored(&bench, "OLD"), 2);
    const char *named[] = {"OLD"};
    expect_ok(apply(&bench, catalog, &(weir_apply_options){.allow_loss = named, .allow_loss_count = 1}),
              &bench.err);
    weir_catalog_close(catalog);
    expect_plan(&bench, after, "");
    struct broker_stream_state gone;
    assert_int_equal(broker_stream_state(bench.connection, "OLD", &gone, &bench.err), WEIR_NOT_FOUND);
    bench_end(&bench);
}

static void a_stale_plan_is_refused(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    weir_catalog *catalog = catalog_of(SHOP(""));
    weir_plan *plan = plan_of(&bench, catalog);
    by_hand(&bench, "STREAM.CREATE.ORDER", "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"]}");
    expect_error(weir_plan_apply(plan, bench.connection, NULL, &bench.err), WEIR_CONFLICT, &bench.err,
                 "the servers have changed since the plan was made: stream ORDER");
    assert_string_equal(bench.err.hint, "make the plan again");
    weir_plan_free(plan);
    expect_plan(&bench, SHOP(""),
                "+SHOP_ADVISORIES +SHOP_DLQ +SHOP_REDELIVER +SHOP_CATALOG ~ORDER +ORDER/mailer "
                "+SHOP_REDELIVER/mailer");
    weir_catalog_close(catalog);
    bench_end(&bench);
}

/* --- others' -------------------------------------------------------------------------------------------- */

static void foreign_things_stay(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    by_hand(&bench, "STREAM.CREATE.LEGACY", "{\"name\":\"LEGACY\",\"subjects\":[\"legacy.>\"]}");
    apply_yaml(&bench, SHOP(""));
    by_hand(
        &bench, "CONSUMER.CREATE.ORDER.by-hand",
        "{\"stream_name\":\"ORDER\",\"config\":{\"durable_name\":\"by-hand\",\"ack_policy\":\"explicit\"}}");
    apply_yaml(&bench, SHOP(", max_age: 30d"));
    expect_config(&bench, "STREAM.INFO.LEGACY", "subjects", "[\"legacy.>\"]");
    expect_config(&bench, "CONSUMER.INFO.ORDER.by-hand", "name", "\"by-hand\"");
    bench_end(&bench);
}

static void an_existing_stream_is_adopted_with_its_events(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    by_hand(&bench, "STREAM.CREATE.ORDER",
            "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"],\"compression\":\"s2\",\"metadata\":{\"team\":"
            "\"sales\"}}");
    publish(&bench, "order.paid", 3);
    apply_yaml(&bench, SHOP(""));
    assert_int_equal(stored(&bench, "ORDER"), 3);
    expect_plan(&bench, SHOP(""), "");
    expect_config(&bench, "STREAM.INFO.ORDER", "compression", "\"s2\"");
    expect_config(&bench, "STREAM.INFO.ORDER", "allow_atomic", "true");
    bench_end(&bench);
}

static void an_existing_consumer_is_adopted_with_its_settings(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    by_hand(&bench, "STREAM.CREATE.ORDER", "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"]}");
    by_hand(&bench, "CONSUMER.CREATE.ORDER.mailer",
            "{\"stream_name\":\"ORDER\",\"config\":{\"durable_name\":\"mailer\",\"ack_policy\":\"explicit\","
            "\"max_waiting\":77,\"sample_freq\":\"50%\",\"priority_groups\":[\"g\"],"
            "\"priority_policy\":\"overflow\",\"metadata\":{\"team\":\"mail\"}}}");
    weir_catalog *catalog = catalog_of(SHOP(""));
    weir_plan *plan = plan_of(&bench, catalog);
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        assert_int_equal(weir_plan_step(plan, i)->adopts,
                         strncmp(weir_plan_step(plan, i)->name, "ORDER", 5) == 0);
    expect_ok(weir_plan_apply(plan, bench.connection, NULL, &bench.err), &bench.err);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    expect_plan(&bench, SHOP(""), "");
    expect_config(&bench, "CONSUMER.INFO.ORDER.mailer", "priority_groups", "[\"g\"]");
    expect_config(&bench, "CONSUMER.INFO.ORDER.mailer", "max_waiting", "77");
    expect_config(&bench, "CONSUMER.INFO.ORDER.mailer", "sample_freq", "\"50%\"");
    bench_end(&bench);
}

static void expect_taken_over(struct bench *bench, const char *policy, const char *start) {
    char create[512], shown[64];
    snprintf(create, sizeof create,
             "{\"stream_name\":\"ORDER\",\"config\":{\"durable_name\":\"mailer\",\"ack_policy\":\"explicit\","
             "\"deliver_policy\":\"%s\"%s}}",
             policy, start);
    by_hand(bench, "CONSUMER.CREATE.ORDER.mailer", create);
    publish(bench, "order.paid", 2);
    apply_yaml(bench, SHOP(""));
    snprintf(shown, sizeof shown, "\"%s\"", policy);
    expect_config(bench, "CONSUMER.INFO.ORDER.mailer", "deliver_policy", shown);
    expect_plan(bench, SHOP(""), "");
    by_hand(bench, "CONSUMER.DELETE.ORDER.mailer", "");
    by_hand(bench, "STREAM.PURGE.ORDER", "");
}

static void a_consumer_is_adopted_however_it_started(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    by_hand(&bench, "STREAM.CREATE.ORDER", "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"]}");
    expect_taken_over(&bench, "new", "");
    expect_taken_over(&bench, "last", "");
    expect_taken_over(&bench, "by_start_sequence", ",\"opt_start_seq\":2");
    bench_end(&bench);
}

static void an_overlap_is_seen_beforehand(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    by_hand(&bench, "STREAM.CREATE.LEGACY", "{\"name\":\"LEGACY\",\"subjects\":[\"order.paid\"]}");
    weir_catalog *catalog = catalog_of(SHOP(""));
    expect_error(apply(&bench, catalog, NULL), WEIR_CONFLICT, &bench.err,
                 "catalog.yaml:6: stream ORDER cannot become what the catalog asks");
    weir_catalog_close(catalog);
    bench_end(&bench);
}

/* --- what the server refuses ---------------------------------------------------------------------------- */

static void a_refusal_names_the_line(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    weir_catalog *catalog =
        catalog_of(HEAD "streams:\n  ORDER: {subjects: [order.*], num_replicas: 3}\nevents:\n" EVENT(
            "order.paid", "ORDER") GROUP("ORDER: all") SERVICES);
    expect_error(
        apply(&bench, catalog, NULL), WEIR_UNAVAILABLE, &bench.err,
        "catalog.yaml:6: STREAM.CREATE.ORDER: replicas > 1 not supported in non-clustered mode (10074)");
    assert_string_equal(
        bench.err.hint,
        "this is a single server: state num_replicas: 1, or use an environment that does (--env dev)");
    assert_int_equal(bench.err.detail, 10074);
    weir_catalog_close(catalog);
    bench_end(&bench);
}

static void drop_message(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                         const weir_error *err) {
    (void)arg, (void)note, (void)left, (void)err;
    broker_msg_free(msg);
}

static void advisories_are_captured(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    const char *any = HEAD "streams:\n  ORDER: {subjects: [order.*]}\nevents:\n" EVENT(
        "order.paid", "ORDER") "groups:\n  mailer: {service: mail, members: any, from: {ORDER: all}, "
                               "max_deliver: 1, ack_wait: 1s}\n" SERVICES;
    apply_yaml(&bench, any);
    publish(&bench, "order.paid", 1);
    broker_pull *pull =
        NULL; /* what it delivers is never acknowledged: after ack_wait the server gives it up */
    expect_ok(broker_pull_open(&pull, bench.connection, "ORDER", "mailer", drop_message, NULL, &bench.err),
              &bench.err);
    expect_ok(broker_pull_ask(pull, 1, 5000, false, &bench.err), &bench.err);
    uint64_t said = 0;
    for (int i = 0; i < 100 && said == 0; i++) {
        poll(NULL, 0, 100);
        said = stored(&bench, "SHOP_ADVISORIES");
    }
    assert_int_equal(said, 1);
    broker_pull_close(pull);
    bench_end(&bench);
}

/* --- a bad network -------------------------------------------------------------------------------------- */

static void swallow_after_first(void *arg, const weir_step *step, weir_code code, const weir_error *err) {
    (void)step, (void)err;
    if (code == WEIR_OK)
        kit_proxy_swallow(arg, true);
}

static void a_lost_answer_is_not_a_failure_of_the_next(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    kit_proxy *proxy = kit_proxy_start(bench.server, 1);
    struct bench bad = {.server = bench.server};
    weir_connect_options options = {.servers = kit_proxy_url(proxy), .timeout_ms = 1000};
    expect_ok(weir_connect(&bad.connection, &options, &bad.err), &bad.err);
    weir_catalog *catalog = catalog_of(SHOP(""));
    weir_apply_options apply_options = {.on_step = swallow_after_first, .on_step_arg = proxy};
    assert_int_equal(apply(&bad, catalog, &apply_options),
                     WEIR_TIMEOUT); /* the second step's answer is lost */
    weir_catalog_close(catalog);
    expect_plan(&bench, SHOP(""),
                "+SHOP_REDELIVER +SHOP_CATALOG +ORDER +ORDER/mailer +SHOP_REDELIVER/mailer");
    apply_yaml(&bench, SHOP(""));
    expect_plan(&bench, SHOP(""), "");
    weir_disconnect(bad.connection);
    kit_proxy_stop(proxy);
    bench_end(&bench);
}

/* The redelivery stream has a subject for each group: those change while consumers stand on it. */
static void a_renamed_group_gets_its_own_way_back(void **state) {
    (void)state;
    struct bench bench = bench_begin();
    const char *after = HEAD "streams:\n  ORDER: {subjects: [order.*]}\nevents:\n" EVENT(
        "order.paid", "ORDER") "groups:\n  postman: {service: mail, from: {ORDER: all}}\n"
                               "services: {mail: {consume: [postman]}, shop: {publish: [order.>]}}\n";
    const char *none = HEAD "streams:\n  ORDER: {subjects: [order.*]}\nevents:\n" EVENT(
        "order.paid", "ORDER") "services: {shop: {publish: [order.>]}}\n";
    apply_yaml(&bench, SHOP(""));
    weir_catalog *catalog = catalog_of(after);
    const char *renamed[] = {"ORDER/mailer", "SHOP_REDELIVER/mailer"};
    expect_ok(apply(&bench, catalog, &(weir_apply_options){.allow_loss = renamed, .allow_loss_count = 2}),
              &bench.err);
    expect_config(&bench, "STREAM.INFO.SHOP_REDELIVER", "subjects", "[\"_weir.to.postman.>\"]");
    weir_catalog_close(catalog);
    expect_plan(&bench, after, "");
    catalog = catalog_of(none);
    const char *removed[] = {"ORDER/postman", "SHOP_REDELIVER"};
    expect_ok(apply(&bench, catalog, &(weir_apply_options){.allow_loss = removed, .allow_loss_count = 2}),
              &bench.err);
    weir_catalog_close(catalog);
    expect_plan(&bench, none, "");
    expect_plan(&bench, after, "+SHOP_REDELIVER +ORDER/postman +SHOP_REDELIVER/postman");
    bench_end(&bench);
}

static const struct spec specs[] = {
    {"after apply the plan is empty, and applying twice is applying once", plan_after_apply_is_empty},
    {"a whole catalog is applied", a_whole_catalog_is_applied},
    {"hundreds of foreign streams are read in pages", many_streams_are_read_in_pages},
    {"a hand edit shows as drift at its line and is mended", a_hand_edit_is_mended},
    {"a consumer that was edited by hand is mended in place", a_consumer_is_mended_in_place},
    {"filters follow the catalog", filters_follow_the_catalog},
    {"what was deleted by hand is made again", what_is_missing_is_made_again},
    {"an impossible change is refused before anything is touched", the_impossible_touches_nothing},
    {"the server agrees about what is impossible", the_server_agrees_about_the_impossible},
    {"a loss of stored events must be named", a_loss_must_be_named},
    {"events older than a new age are counted", old_events_are_counted},
    {"a hundred streams are made, many at once", many_steps_go_out_together},
    {"deleting must be named", deleting_must_be_named},
    {"a plan that the servers have left behind is refused", a_stale_plan_is_refused},
    {"foreign streams and consumers stay", foreign_things_stay},
    {"an existing stream is adopted with its events", an_existing_stream_is_adopted_with_its_events},
    {"a consumer is adopted however it started", a_consumer_is_adopted_however_it_started},
    {"an existing consumer is adopted with the settings of its operator",
     an_existing_consumer_is_adopted_with_its_settings},
    {"an overlap with a foreign stream is seen beforehand", an_overlap_is_seen_beforehand},
    {"a refusal of the server names the line of the catalog", a_refusal_names_the_line},
    {"an answer that was lost does not harm the next apply", a_lost_answer_is_not_a_failure_of_the_next},
    {"what the server gives up is captured", advisories_are_captured},
    {"a group that is renamed gets its own way back", a_renamed_group_gets_its_own_way_back},
};

SPEC_MAIN(specs)
