/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The shipped catalog against its seed, the subject standards. */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "catalog/model.h"
#include "event/subject.h"
#include "kit/shipped.h"
#include "kit/spec.h"

static void the_sized_streams_are_exact(void **state) {
    (void)state;
    static const struct kit_stream promised[] = {
        {"MESSAGES", "message.>", "7d", "10GB", 1000000, false},
        {"ATTACHMENTS", "attachment.>", "30d", "1GB", 100000, false},
        {"AGENT_OPS", "agent.>", "7d", "5GB", 500000, false},
        {"AUDIT", "audit.>", "365d", "100GB", 0, true},
        {"OPS", "ops.>", "7d", "1GB", 100000, false},
        {"MEMORY", "memory.>", "30d", NULL, 0, false}, /* ours, as the next two */
        {"QUOTA", "quota.>", "365d", NULL, 0, false},
        {"WORKFLOWS", "workflow.>", "7d", NULL, 0, false},
    };
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
        kit_expect_stream(catalog, &promised[i]);
    assert_int_equal(catalog_stream(catalog, weir_text_of("AUDIT"))->discard, DISCARD_NEW);
    weir_catalog_close(catalog);
}

/* A subject of the standard with its parameters filled in, and its event type. */
static void every_subject_is_an_events(void **state) {
    (void)state;
    static const char *const subjects[][2] = {
        {"message.created.ch-1", "message.created"},
        {"message.edited.ch-1", "message.edited"},
        {"message.deleted.ch-1", "message.deleted"},
        {"message.reaction.ch-1", "message.reaction"},
        {"attachment.created.image", "attachment.created"},
        {"attachment.created.video", "attachment.created"},
        {"attachment.created.audio", "attachment.created"},
        {"attachment.created.document", "attachment.created"},
        {"attachment.parsed.image", "attachment.parsed"},
        {"attachment.parsed.audio", "attachment.parsed"},
        {"attachment.parsed.document", "attachment.parsed"},
        {"attachment.indexed.image", "attachment.indexed"},
        {"agent.run.requested.helion", "agent.run.requested"},
        {"agent.run.started.helion", "agent.run.started"},
        {"agent.run.progress.helion", "agent.run.progress"},
        {"agent.run.completed.helion", "agent.run.completed"},
        {"agent.run.failed.helion", "agent.run.failed"},
        {"agent.handoff.requested.helion.treasurer", "agent.handoff.requested"},
        {"agent.handoff.accepted.helion.treasurer", "agent.handoff.accepted"},
        {"agent.handoff.completed.helion.treasurer", "agent.handoff.completed"},
        {"agent.handoff.rejected.helion.treasurer", "agent.handoff.rejected"},
        {"memory.fact.created.user", "memory.fact.created"},
        {"memory.fact.updated.team", "memory.fact.updated"},
        {"memory.fact.deleted.public", "memory.fact.deleted"},
        {"memory.vector.indexed.team", "memory.vector.indexed"},
        {"memory.graph.updated.team", "memory.graph.updated"},
        {"quota.consumed.u-1", "quota.consumed"},
        {"quota.blocked.u-1", "quota.blocked"},
        {"quota.reset.u-1", "quota.reset"},
        {"quota.warning.u-1", "quota.warning"},
        {"audit.gateway.request", "audit.gateway.request"},
        {"audit.router.decision", "audit.router.decision"},
        {"audit.agent.invocation", "audit.agent.invocation"},
        {"audit.tool.execution", "audit.tool.execution"},
        {"audit.memory.access", "audit.memory.access"},
        {"audit.auth.event", "audit.auth.event"},
        {"ops.health.router", "ops.health"},
        {"ops.alert.critical.router", "ops.alert.critical"},
        {"ops.alert.warning.router", "ops.alert.warning"},
        {"ops.metric.router", "ops.metric"},
        {"workflow.started.wf-1", "workflow.started"},
        {"workflow.step.wf-1", "workflow.step"},
        {"workflow.completed.wf-1", "workflow.completed"},
        {"workflow.failed.wf-1", "workflow.failed"},
    };
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const struct event_def *event = catalog_event_of_subject(catalog, weir_text_of(subjects[i][0]));
        if (!event)
            print_error("nothing is published on %s\n", subjects[i][0]);
        assert_non_null(event);
        assert_string_equal(event->type, subjects[i][1]);
    }
    assert_int_equal(catalog->events.count, 39);
    weir_catalog_close(catalog);
}

static void the_words_of_the_seed_are_enums(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    assert_string_equal(kit_enum_of(catalog, "attachment.created", "type"), "image video audio document");
    assert_string_equal(kit_enum_of(catalog, "attachment.parsed", "type"), "image audio document");
    weir_catalog_close(catalog);
}

static void a_handoff_names_both_agents(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    const struct event_def *event = catalog_event(catalog, weir_text_of("agent.handoff.requested"));
    weir_text template = weir_text_of(event->subject),
              subject = weir_text_of("agent.handoff.requested.helion.treasurer");
    assert_string_equal(event->subject, "agent.handoff.requested.{from}.{to}");
    assert_true(text_is(template_extract(template, subject, weir_text_of("from")), "helion"));
    assert_true(text_is(template_extract(template, subject, weir_text_of("to")), "treasurer"));
    weir_catalog_close(catalog);
}

static void the_three_consumers_are_anybodys(void **state) {
    (void)state;
    static const struct {
        struct kit_reader reader;
        int max_deliver;
    } promised[] = {
        {{"parser-pipeline", "ATTACHMENTS", "attachment.created"}, 3},
        {{"rag-indexer", "ATTACHMENTS", "attachment.parsed"}, 3},
        {{"crewai-workers", "AGENT_OPS", "agent.run.requested"}, 5},
    };
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    assert_int_equal(catalog->groups.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct group_def *group = catalog_group(catalog, weir_text_of(promised[i].reader.group));
        kit_expect_reader(catalog, &promised[i].reader);
        assert_int_equal(group->members, MEMBERS_ANY);
        assert_int_equal(group->max_deliver, promised[i].max_deliver);
    }
    weir_catalog_close(catalog);
}

static void dead_letters_name_subject_and_error(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    const struct stream_def *dead = catalog->dead_letter.stream;
    assert_string_equal(dead->name, "DLQ");
    assert_string_equal(dead->subjects.items[0], "dlq.>");
    assert_string_equal(catalog->dead_letter.subject, "dlq.{subject}.{error}");
    assert_true(dead->max_age_ns == 30 * 24 * 3600 * NS_PER_S);
    assert_null(catalog->dead_letter.copy);
    weir_catalog_close(catalog);
}

static const struct spec specs[] = {
    {"the sized streams are those of the seed, and three are ours", the_sized_streams_are_exact},
    {"every subject of the standard is the subject of an event type", every_subject_is_an_events},
    {"the words that the seed allows are enums", the_words_of_the_seed_are_enums},
    {"a handoff names both agents", a_handoff_names_both_agents},
    {"any client serves the three consumers, with the attempts of the seed",
     the_three_consumers_are_anybodys},
    {"dead letters name the subject and the error for thirty days", dead_letters_name_subject_and_error},
};
SPEC_MAIN(specs)
