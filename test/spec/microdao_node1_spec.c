/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The shipped catalog against its seed, the subject map of NODE1. */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "catalog/model.h"
#include "event/subject.h"
#include "kit/shipped.h"
#include "kit/spec.h"

static void the_five_streams_and_ours(void **state) {
    (void)state;
    static const struct kit_stream promised[] = {
        {"MESSAGES", "message.>", "7d"},
        {"ATTACHMENTS", "attachment.>", "30d"},
        {"AGENT_RUNS", "agent.run.>", "7d"},
        {"MEMORY", "memory.>", "30d"},
        {"AUDIT", "audit.> ops.>", "90d", .denied = true},
        {"CONFIG", "config.updated.> policy.updated.> prompt.updated.>", "forever"},
    };
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
        kit_expect_stream(catalog, &promised[i]);
    for (size_t i = 0; i < catalog->streams.count; i++) {
        const struct stream_def *stream = catalog->streams.items[i];
        assert_int_equal(stream->num_replicas, 1);
        if (stream->role == STREAM_EVENTS)
            assert_int_equal(stream->max_msgs_per_subject, strcmp(stream->name, "CONFIG") == 0 ? 1 : -1);
    }
    weir_catalog_close(catalog);
}

static void every_subject_of_the_map_is_an_events(void **state) {
    (void)state;
    static const char *const subjects[] = {
        "message.received.{agent_id}",    "message.processed.{agent_id}",
        "message.sent.{agent_id}",        "attachment.created.{type}",
        "attachment.parsed.{type}",       "attachment.indexed.{agent_id}",
        "attachment.failed.{type}",       "agent.run.requested",
        "agent.run.started.{agent_id}",   "agent.run.progress.{task_id}",
        "agent.run.completed.{agent_id}", "agent.run.failed.{agent_id}",
        "memory.store.{agent_id}",        "memory.retrieve.{agent_id}",
        "memory.indexed.{agent_id}",      "memory.graph.updated.{agent_id}",
        "audit.action.{service}",         "audit.error.{service}",
        "ops.health.{service}",           "ops.alert.{severity}",
        "config.updated.{key}",           "policy.updated.{agent_id}",
        "prompt.updated.{agent_id}",
    };
    enum { SUBJECTS = sizeof subjects / sizeof *subjects };
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    assert_int_equal(catalog->events.count, SUBJECTS);
    for (size_t i = 0; i < SUBJECTS; i++) {
        size_t e = 0;
        while (e < catalog->events.count && strcmp(catalog->events.items[e]->subject, subjects[i]) != 0)
            e++;
        if (e == catalog->events.count)
            print_error("%s is missing\n", subjects[i]);
        assert_true(e < catalog->events.count);
        assert_non_null(catalog->events.items[e]->example);
        assert_non_null(catalog->events.items[e]->entity);
        assert_non_null(catalog->events.items[e]->action);
    }
    assert_string_equal(kit_enum_of(catalog, "attachment.created", "type"), "image audio document");
    assert_string_equal(kit_enum_of(catalog, "ops.alert", "severity"), "critical warning info");
    weir_catalog_close(catalog);
}

static void the_four_consumer_groups_read_what_the_seed_says(void **state) {
    (void)state;
    static const struct kit_reader promised[] = {
        {"parser-pipeline", "ATTACHMENTS", "attachment.created"},
        {"crewai-worker", "AGENT_RUNS", "agent.run.requested"},
        {"memory-indexer", "MEMORY", "memory.store"},
        {"audit-logger", "AUDIT", "audit.action audit.error"},
    };
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
        kit_expect_reader(catalog, &promised[i]);
    weir_catalog_close(catalog);
}

/* --- the matrix ----------------------------------------------------------------------------------------- */

static bool may_publish(const struct service_def *service, const char *subject) {
    for (size_t i = 0; i < service->publish.count; i++)
        if (pattern_matches(weir_text_of(service->publish.items[i]), weir_text_of(subject)))
            return true;
    return false;
}

static void publishers_of_the_matrix_are_granted(void **state) {
    (void)state;
    static const char *const may[][2] = {
        {"gateway", "message.received.helion"},       {"gateway", "attachment.created.image"},
        {"router", "message.processed.helion"},       {"router", "agent.run.requested"},
        {"ingest", "attachment.created.audio"},       {"parser", "attachment.parsed.document"},
        {"parser", "attachment.indexed.helion"},      {"crewai-worker", "agent.run.completed.helion"},
        {"crewai-worker", "agent.run.failed.helion"}, {"memory-service", "memory.indexed.helion"},
        {"gateway", "message.sent.helion"},           {"memory-service", "attachment.indexed.helion"},
        {"control-plane", "config.updated.a"},        {"control-plane", "policy.updated.helion"},
        {"control-plane", "prompt.updated.helion"},
    };
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < sizeof may / sizeof *may; i++) {
        const struct service_def *service = catalog_service(catalog, weir_text_of(may[i][0]));
        assert_non_null(service);
        if (!may_publish(service, may[i][1]))
            print_error("%s may not publish %s\n", may[i][0], may[i][1]);
        assert_true(may_publish(service, may[i][1]));
    }
    weir_catalog_close(catalog);
}

static void each_service_speaks_for_itself_only(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < catalog->services.count; i++) {
        const struct service_def *service = catalog->services.items[i];
        for (size_t other = 0; other < catalog->services.count; other++) {
            char action[128], health[128];
            snprintf(action, sizeof action, "audit.action.%s", catalog->services.items[other]->name);
            snprintf(health, sizeof health, "ops.health.%s", catalog->services.items[other]->name);
            bool own = i == other || strcmp(service->name, "ops") == 0;
            assert_int_equal(may_publish(service, action), own);
            assert_int_equal(may_publish(service, health), own);
        }
    }
    weir_catalog_close(catalog);
}

static void subscribers_of_the_matrix_have_groups(void **state) {
    (void)state;
    static const char *const subscribes[][2] = {
        {"gateway", "message.sent"},        {"router", "message.received"},
        {"parser", "attachment.created"},   {"crewai-worker", "agent.run.requested"},
        {"memory-service", "memory.store"},
    };
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < sizeof subscribes / sizeof *subscribes; i++) {
        int readers = 0;
        for (size_t g = 0; g < catalog->groups.count; g++) {
            const struct group_def *group = catalog->groups.items[g];
            for (size_t e = 0;
                 strcmp(group->service, subscribes[i][0]) == 0 && e < group->from.items[0].events.count; e++)
                readers += strcmp(group->from.items[0].events.items[e]->type, subscribes[i][1]) == 0;
        }
        assert_int_equal(readers, 1);
    }
    weir_catalog_close(catalog);
}

/* --- policies ------------------------------------------------------------------------------------------- */

static void retries_and_dead_letters_follow_the_policy(void **state) {
    (void)state;
    static const int64_t delays[] = {1, 5, 30};
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < catalog->groups.count; i++) {
        const struct group_def *group = catalog->groups.items[i];
        assert_int_equal(group->max_deliver, 4);
        assert_int_equal(group->retry_ns.count, 3);
        for (size_t r = 0; r < 3; r++)
            assert_true(group->retry_ns.items[r] == delays[r] * NS_PER_S);
    }
    assert_string_equal(catalog->dead_letter.copy, "{subject}.dlq");
    assert_string_equal(catalog->dead_letter.alert_event, "ops.alert");
    assert_true(catalog->dead_letter.alert_above > 0);
    assert_true(catalog->dead_letter.auto_retry_ns == 24 * 3600 * NS_PER_S);
    assert_true(catalog->dead_letter.archive_after_ns == 7 * 24 * 3600 * NS_PER_S);
    weir_catalog_close(catalog);
}

static void settings_reach_every_instance(void **state) {
    (void)state;
    static const char *const groups[] = {"gateway-config", "router-config", "worker-config"};
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        kit_expect_reader(catalog, &(struct kit_reader){groups[i], "CONFIG",
                                                        "config.updated policy.updated prompt.updated"});
        assert_true(catalog_group(catalog, weir_text_of(groups[i]))->each);
    }
    weir_catalog_close(catalog);
}

static void overlays_change_replicas_and_denials(void **state) {
    (void)state;
    weir_catalog *cluster = kit_shipped("microdao-node1", "cluster"),
                 *dev = kit_shipped("microdao-node1", "dev");
    for (size_t i = 0; i < cluster->streams.count; i++)
        assert_int_equal(cluster->streams.items[i]->num_replicas, 3);
    assert_true(catalog_stream(cluster, weir_text_of("AUDIT"))->deny_purge);
    assert_false(catalog_stream(dev, weir_text_of("AUDIT"))->deny_purge);
    assert_false(catalog_stream(dev, weir_text_of("AUDIT"))->deny_delete);
    weir_catalog_close(cluster);
    weir_catalog_close(dev);
}

/* --- the envelope --------------------------------------------------------------------------------------- */

static int64_t noon(void *arg) {
    (void)arg;
    return 1768824000 * NS_PER_S; /* 2026-01-19T12:00:00Z */
}

static void the_example_of_the_idempotency_key_comes_out(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    const weir_clock clock = {.wall_ns = noon};
    event_scratch *scratch = event_scratch_new();
    struct event_built built;
    weir_error err;
    const weir_draft draft = {.type = weir_text_of("message.received"),
                              .source = weir_text_of("gateway"),
                              .payload = weir_text_of("{\"message_id\":\"msg-123\",\"agent_id\":\"helion\","
                                                      "\"chat_id\":\"c\",\"user_id\":\"tg:123456\"}")};
    const struct event_def *event = catalog_event(catalog, draft.type);
    expect_ok(event_build(&built, catalog->dialect, event, &draft, &clock, 0, scratch, &err), &err);
    assert_true(text_is(built.subject, "message.received.helion"));
    assert_non_null(
        strstr(built.envelope.data, "\"idempotency_key\":\"gateway:msg-123:received:2026011912\""));
    assert_non_null(strstr(built.envelope.data, "\"event_type\":\"message.received.helion\""));
    assert_non_null(
        strstr(built.envelope.data, "\"agent_id\":\"helion\",\"user_id\":\"tg:123456\",\"payload\""));
    event_scratch_free(scratch);
    weir_catalog_close(catalog);
}

static void a_subject_cannot_look_like_a_dead_letter(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-node1", NULL);
    event_scratch *scratch = event_scratch_new();
    struct event_built built;
    weir_error err;
    const weir_draft draft = {.type = weir_text_of("message.received"),
                              .source = weir_text_of("gateway"),
                              .payload = weir_text_of("{\"message_id\":\"msg-123\",\"agent_id\":\"dlq\","
                                                      "\"chat_id\":\"c\"}")};
    expect_error(
        event_build(&built, catalog->dialect, catalog_event(catalog, draft.type), &draft,
                    &(weir_clock){.wall_ns = noon}, 0, scratch, &err),
        WEIR_INVALID, &err,
        "message.received: parameter {agent_id} of the subject is 'dlq', which marks dead letters in this "
        "catalog");
    assert_string_equal(err.hint, "choose another value");
    event_scratch_free(scratch);
    weir_catalog_close(catalog);
}

static const struct spec specs[] = {
    {"there are the five streams of the seed and CONFIG, with one replica", the_five_streams_and_ours},
    {"every subject of the map is the subject of an event type", every_subject_of_the_map_is_an_events},
    {"the four consumer groups read what the seed says", the_four_consumer_groups_read_what_the_seed_says},
    {"publishers of the matrix are granted what they publish", publishers_of_the_matrix_are_granted},
    {"each service audits and reports for itself only", each_service_speaks_for_itself_only},
    {"subscribers of the matrix have one group for it", subscribers_of_the_matrix_have_groups},
    {"retries and dead letters follow the replay policy", retries_and_dead_letters_follow_the_policy},
    {"settings, policies and prompts reach every instance", settings_reach_every_instance},
    {"a cluster has three replicas, and dev denies nothing", overlays_change_replicas_and_denials},
    {"the example of the idempotency key comes out", the_example_of_the_idempotency_key_comes_out},
    {"the subject of an event cannot look like a dead letter", a_subject_cannot_look_like_a_dead_letter},
};
SPEC_MAIN(specs)
