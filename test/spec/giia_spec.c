/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The shipped catalog against its two seeds, the event system as specified and as completed. */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "catalog/model.h"
#include "kit/shipped.h"
#include "kit/spec.h"

static void six_streams_and_the_dead_letters(void **state) {
    (void)state;
    static const struct kit_stream promised[] = {
        {"AUTH_EVENTS", "auth.>", "7d", "1GB", 0, false},
        {"CATALOG_EVENTS", "catalog.>", "7d", "1GB", 0, false},
        {"DDMRP_EVENTS", "ddmrp.>", "7d", "1GB", 0, false},
        {"EXECUTION_EVENTS", "execution.>", "7d", "1GB", 0, false},
        {"ANALYTICS_EVENTS", "analytics.>", "7d", "1GB", 0, false},
        {"AI_AGENT_EVENTS", "ai_agent.>", "7d", "1GB", 0, false},
        {"DLQ_EVENTS", "giia.dlq.> _weir.dlq.log.giia.>", "7d", "1GB", 0, false},
    };
    weir_catalog *catalog = kit_shipped("giia", NULL);
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++) {
        const struct stream_def *stream = catalog_stream(catalog, weir_text_of(promised[i].name));
        kit_expect_stream(catalog, &promised[i]);
        assert_int_equal(stream->num_replicas, 3);
        assert_true(stream->duplicate_window_ns == 120 * NS_PER_S);
        assert_int_equal(stream->discard,
                         i < 6 ? DISCARD_OLD : DISCARD_NEW); /* no letter pushes out another */
    }
    weir_catalog_close(catalog);
}

/* type, subject, required fields; the first four as completed, the others named in scenarios and examples */
static void the_events_of_the_seeds_are_there(void **state) {
    (void)state;
    static const char *const events[][3] = {
        {"user.created", "auth.user.created", "user_id email first_name last_name status"},
        {"user.login.succeeded", "auth.user.login.succeeded", "user_id email"},
        {"user.login.failed", "auth.user.login.failed", "email reason"},
        {"user.role.assigned", "auth.user.role.assigned", "user_id user_email role_id role_name"},
        {"user.registered", "auth.user.registered", NULL},
        {"user.updated", "auth.user.updated", NULL},
        {"user.deleted", "auth.user.deleted", NULL},
        {"user.role.updated", "auth.user.role.updated", NULL},
        {"product.updated", "catalog.product.updated", NULL},
        {"buffer.calculated", "ddmrp.buffer.calculated", NULL},
        {"buffer.updated", "ddmrp.buffer.updated", NULL},
    };
    weir_catalog *catalog = kit_shipped("giia", NULL);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const struct event_def *event = catalog_event(catalog, weir_text_of(events[i][0]));
        char required[256] = "";
        if (!event)
            print_error("%s is missing\n", events[i][0]);
        assert_non_null(event);
        assert_string_equal(event->subject, events[i][1]);
        for (struct json_iter it = json_iter(json_get(event->payload, "required")); json_next(&it);)
            snprintf(required + strlen(required), sizeof required - strlen(required), "%s%s",
                     *required ? " " : "", json_cstr(it.value));
        if (events[i][2])
            assert_string_equal(required, events[i][2]);
    }
    weir_catalog_close(catalog);
}

static void a_failed_login_has_three_reasons(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("giia", NULL);
    assert_string_equal(kit_enum_of(catalog, "user.login.failed", "reason"),
                        "user_not_found invalid_password inactive_account");
    weir_catalog_close(catalog);
}

static void every_subject_begins_with_its_service(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("giia", NULL);
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        const char *after = strchr(event->subject, '.');
        assert_non_null(after);
        assert_string_equal(after + 1, event->type); /* {service}.{entity}.{action} and {entity}.{action} */
        assert_non_null(event->example);
        assert_non_null(event->key);
    }
    weir_catalog_close(catalog);
}

static void groups_have_three_attempts_and_thirty_seconds(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("giia", NULL);
    for (size_t i = 0; i < catalog->groups.count; i++) {
        const struct group_def *group = catalog->groups.items[i];
        bool scenario = strcmp(group->name, "welcome-mail") == 0; /* "retried 5 times" */
        assert_int_equal(group->max_deliver, scenario ? 5 : 3);
        assert_true(group->ack_wait_ns == 30 * NS_PER_S);
        assert_int_equal(group->members, MEMBERS_WEIR);
    }
    assert_string_equal(catalog->dead_letter.alert_event, "alert.raised");
    assert_true(catalog->dead_letter.alert_above > 0);
    weir_catalog_close(catalog);
}

static void each_service_publishes_its_own_stream(void **state) {
    (void)state;
    static const char *const grants[][2] = {
        {"auth-service", "auth.>"},           {"catalog-service", "catalog.>"},
        {"ddmrp-engine-service", "ddmrp.>"},  {"execution-service", "execution.>"},
        {"analytics-service", "analytics.>"}, {"ai-agent-service", "ai_agent.>"},
        {"notification-service", ""},
    };
    weir_catalog *catalog = kit_shipped("giia", NULL);
    assert_int_equal(catalog->services.count, sizeof grants / sizeof *grants);
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++)
        kit_expect_grants(catalog, grants[i][0], grants[i][1]);
    weir_catalog_close(catalog);
}

static void dev_is_one_small_server(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("giia", "dev");
    for (size_t i = 0; i < catalog->streams.count; i++) {
        assert_int_equal(catalog->streams.items[i]->num_replicas, 1);
        assert_true(catalog->streams.items[i]->max_bytes <= 64 << 20);
    }
    weir_catalog_close(catalog);
}

static const struct spec specs[] = {
    {"six streams and the dead letters keep 7 days and 1 GB in three replicas",
     six_streams_and_the_dead_letters},
    {"the events of the seeds are there with their fields", the_events_of_the_seeds_are_there},
    {"a failed login has three reasons", a_failed_login_has_three_reasons},
    {"every subject is the service and then the type", every_subject_begins_with_its_service},
    {"groups have three attempts of thirty seconds, the dead letter scenario five",
     groups_have_three_attempts_and_thirty_seconds},
    {"each service publishes its own stream and nothing else", each_service_publishes_its_own_stream},
    {"dev is one small server", dev_is_one_small_server},
};
SPEC_MAIN(specs)
