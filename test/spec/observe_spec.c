/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan catalog */
/* A catalog with managed: false describes servers that others run. It asks for nothing beyond what it states,
 * claims nothing, deletes nothing; what runs differently is a change in the plan, and apply refuses it. */
#include "plan_fixture.h"

#define SERVED                                                             \
    "weir: 1\ncatalog: shop\nmanaged: false\nenvelope: envelope.yaml\n"    \
    "streams:\n  ORDER: {subjects: [order.*], max_age: 7d}\n" ORDER_EVENTS \
    "groups:\n  mailer: {members: any, from: {ORDER: %s}, max_deliver: %s, retry: [], ack_wait: 45s}\n"

#define STREAM_AS_FOUND                                                                                  \
    "{\"config\":{\"name\":\"ORDER\",\"subjects\":[\"order.*\"%s],\"retention\":\"limits\",\"storage\":" \
    "\"file\",\"discard\":\"old\",\"num_replicas\":1,\"max_age\":604800000000000,\"max_bytes\":-1,"      \
    "\"max_msgs\":-1,\"max_msg_size\":-1,\"max_msgs_per_subject\":-1,\"duplicate_window\":120000000000," \
    "\"allow_direct\":true,\"allow_rollup_hdrs\":true,\"compression\":\"s2\",\"deny_delete\":%s%s},"     \
    "\"state\":" STATE_EMPTY "}"
#define CONSUMER_AS_FOUND                                                                               \
    "{\"name\":\"mailer\",\"config\":{\"durable_name\":\"mailer\",\"deliver_policy\":\"new\","          \
    "\"ack_policy\":\"explicit\",\"ack_wait\":45000000000,\"max_deliver\":%s,\"max_ack_pending\":1000," \
    "\"backoff\":[45000000000]%s}}"

static char *filled(const char *format, const char *a, const char *b, const char *c) {
    char *text = malloc(8192);
    assert_non_null(text);
    const char *const values[] = {a, b, c};
    size_t size = 0, value = 0;
    for (const char *at = format; *at && size < 8000;) {
        if (at[0] == '%' && at[1] == 's') {
            size += (size_t)snprintf(text + size, 8192 - size, "%s", values[value++]);
            at += 2;
        } else {
            text[size++] = *at++;
        }
    }
    text[size] = 0;
    return text;
}

struct served {
    const char *events, *attempts;                         /* as the catalog says */
    const char *subjects, *deny, *more, *deliver, *filter; /* as the servers have it */
};

static struct world served_plan(struct served served) {
    char *yaml = filled(SERVED, served.events ? served.events : "all",
                        served.attempts ? served.attempts : "5", ""),
         *stream = filled(STREAM_AS_FOUND, served.subjects ? served.subjects : "",
                          served.deny ? served.deny : "false", served.more ? served.more : ""),
         *consumer = filled(CONSUMER_AS_FOUND, served.deliver ? served.deliver : "5",
                            served.filter ? served.filter : "", "");
    struct world world = world_begin(yaml);
    observe_streams(&world, stream);
    observe_consumers(&world, "ORDER", consumer);
    world_compare(&world);
    free(yaml);
    free(stream);
    free(consumer);
    return world;
}

static void expect_plan(struct served served, const char *expected) {
    struct world world = served_plan(served);
    buffer changes;
    buffer_init(&changes, 4096);
    buffer_string(&changes, "");
    for (size_t i = 0; i < weir_plan_count(world.plan); i++) {
        const weir_step *step = weir_plan_step(world.plan, i);
        for (size_t c = 0; c < step->change_count; c++)
            buffer_printf(&changes, "%s: %s %s -> %s\n", step->name, step->changes[c].field,
                          step->changes[c].before, step->changes[c].after);
    }
    assert_string_equal(changes.size ? changes.data : "", expected);
    assert_int_equal(weir_plan_empty(world.plan), !*expected);
    buffer_release(&changes);
    world_end(&world);
}

static void nothing_is_asked_for(void **state) {
    (void)state;
    expect_plan((struct served){0}, "");
    expect_plan((struct served){.subjects = ",\"_weir.cursor.ORDER.*\"",
                                .more = ",\"metadata\":{\"weir.catalog\":\"other\"}"},
                "");
}

static void what_differs_is_told(void **state) {
    (void)state;
    expect_plan((struct served){.deny = "true"}, "ORDER: deny_delete true -> false\n");
    expect_plan((struct served){.subjects = ",\"invoice.>\""},
                "ORDER: subjects [invoice.>, order.*] -> [order.*]\n");
    expect_plan((struct served){.deliver = "3"}, "ORDER/mailer: max_deliver 3 -> 5\n");
}

static void filters_mean_event_types(void **state) {
    (void)state;
    static const struct {
        const char *events, *filter, *expected;
    } rows[] = {
        {"all", ",\"filter_subject\":\"order.>\"", ""},
        {"all", ",\"filter_subjects\":[\"order.placed\",\"order.paid\"]", ""},
        {"[order.paid]", ",\"filter_subject\":\"order.paid\"", ""},
        {"[order.paid]", ",\"filter_subject\":\"*.paid\"", ""},
        {"all", ",\"filter_subject\":\"order.paid\"",
         "ORDER/mailer: filter_subjects [order.paid] -> [order.paid, order.placed]\n"},
        {"[order.paid]", "", "ORDER/mailer: filter_subjects [] -> [order.paid]\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_plan((struct served){.events = rows[i].events, .filter = rows[i].filter}, rows[i].expected);
}

static void apply_refuses(void **state) {
    (void)state;
    weir_error err = {0};
    struct world equal = served_plan((struct served){0}),
                 differs = served_plan((struct served){.deny = "true"});
    assert_int_equal(weir_plan_refused(equal.plan, NULL, &err), WEIR_OK);
    assert_int_equal(weir_plan_refused(differs.plan, NULL, &err), WEIR_CONFLICT);
    assert_string_equal(err.message,
                        "the catalog 'shop' only describes these servers (managed: false): apply "
                        "changes nothing");
    assert_string_equal(err.hint, "to hand them over to weir, remove that line from catalog.yaml and look at "
                                  "weir plan");
    world_end(&equal);
    world_end(&differs);
}

/* max_deliver: -1 is an error in a catalog that is applied; here it is how things are. */
static void errors_of_what_runs_are_warnings(void **state) {
    (void)state;
    char *yaml = filled(SERVED, "all", "-1", "");
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, &report, &err), &err);
    const weir_finding *found = NULL;
    for (size_t i = 0; i < weir_report_count(report); i++)
        if (strcmp(weir_report_at(report, i)->rule, "C304") == 0)
            found = weir_report_at(report, i);
    assert_non_null(found);
    assert_int_equal(found->severity, WEIR_SEVERITY_WARNING);
    weir_report_free(report);
    weir_catalog_close(catalog);
    free(yaml);
}

static const struct spec specs[] = {
    {"a catalog with managed false asks for nothing that it does not state", nothing_is_asked_for},
    {"what runs differently from what is written is told", what_differs_is_told},
    {"a filter is right when it takes exactly the event types that are written", filters_mean_event_types},
    {"apply refuses to change what is only described", apply_refuses},
    {"with managed false a check rule never fails the catalog", errors_of_what_runs_are_warnings},
};
SPEC_MAIN(specs)
