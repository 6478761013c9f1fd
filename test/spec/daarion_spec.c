/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The shipped catalog against what its seed promises: streams, events, ages, orders, readers and grants. */
#include "kit/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "catalog/model.h"
#include "event/subject.h"

#define DAY_NS (24 * 3600 * NS_PER_S)
#define YEAR_NS (365 * DAY_NS)

static weir_catalog *daarion(const char *environment) {
    char path[1024];
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/catalogs/daarion", source ? source : ".");
    weir_catalog *catalog = NULL;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, path, environment, NULL, &err), &err);
    return catalog;
}

/* stream, age, its events; in the order of the seed's section 8 */
static const struct {
    const char *stream;
    int64_t max_age_ns;
    bool deny_delete;
    const char *key;
    const char *events[5];
} promised[] = {
    {"STREAM_AGENT_RUN",
     90 * DAY_NS,
     false,
     "/payload/agent_run_id",
     {"agent.run.started", "agent.run.completed", "agent.run.failed", "agent.run.rate_limited"}},
    {"STREAM_CHAT",
     90 * DAY_NS,
     false,
     "/payload/channel_id",
     {"chat.message.created", "chat.message.updated", "chat.message.deleted"}},
    {"STREAM_PROJECT", 90 * DAY_NS, false, "/payload/project_id", {"project.created", "project.updated"}},
    {"STREAM_TASK",
     90 * DAY_NS,
     false,
     "/payload/task_id",
     {"task.created", "task.updated", "task.completed"}},
    {"STREAM_WALLET",
     7 * YEAR_NS,
     true,
     "/payload/team_id",
     {"wallet.balance.updated", "wallet.tx.sent", "wallet.tx.confirmed"}},
    {"STREAM_STAKING", 7 * YEAR_NS, true, "/payload/user_id", {"staking.locked", "staking.unlocked"}},
    {"STREAM_PAYOUT",
     7 * YEAR_NS,
     true,
     "/payload/payout_id",
     {"payout.generated", "payout.claimed", "payout.failed"}},
    {"STREAM_EMBASSY",
     3 * YEAR_NS,
     false,
     "/payload/site_id",
     {"embassy.energy.update", "embassy.food.update", "embassy.water.update", "embassy.event.received"}},
    {"STREAM_ORACLE", 3 * YEAR_NS, false, "/payload/site_id", {"oracle.reading.published"}},
    {"STREAM_RWA", 3 * YEAR_NS, false, "/payload/site_id", {"rwa.inventory.updated"}},
    {"STREAM_GOVERNANCE",
     0,
     true,
     "/payload/policy_id",
     {"governance.policy.created", "governance.policy.updated", "governance.policy.failed"}},
    {"STREAM_USAGE",
     3 * YEAR_NS,
     false,
     "/payload/team_id",
     {"usage.agent_run.increment", "usage.llm.increment", "usage.embassy.increment"}},
    {"STREAM_TELEMETRY",
     30 * DAY_NS,
     false,
     NULL,
     {"telemetry.event", "telemetry.error", "telemetry.screen_view"}},
    {"STREAM_RAG",
     90 * DAY_NS,
     false,
     "/payload/doc_id",
     {"parser.document.parsed", "rag.document.ingested", "rag.document.indexed"}},
};
enum { PROMISED = sizeof promised / sizeof *promised };

static void there_are_fourteen_streams_with_their_ages(void **state) {
    (void)state;
    weir_catalog *catalog = daarion(NULL);
    size_t count = 0;
    for (size_t i = 0; i < catalog->streams.count; i++)
        count += catalog->streams.items[i]->role == STREAM_EVENTS;
    assert_int_equal(count, 14);
    for (size_t i = 0; i < PROMISED; i++) {
        const struct stream_def *stream = catalog_stream(catalog, weir_text_of(promised[i].stream));
        assert_non_null(stream);
        assert_true(stream->max_age_ns == promised[i].max_age_ns);
        assert_int_equal(stream->deny_delete, promised[i].deny_delete);
        assert_int_equal(stream->num_replicas, 3);
        assert_int_equal(stream->storage, STORAGE_FILE);
        assert_int_equal(stream->retention, RETENTION_LIMITS);
    }
    weir_catalog_close(catalog);
}

static void every_event_of_the_seed_is_there(void **state) {
    (void)state;
    weir_catalog *catalog = daarion(NULL);
    size_t count = 0;
    for (size_t i = 0; i < PROMISED; i++)
        for (size_t e = 0; promised[i].events[e]; e++, count++) {
            const struct event_def *event = catalog_event(catalog, weir_text_of(promised[i].events[e]));
            if (!event)
                print_error("%s is missing\n", promised[i].events[e]);
            assert_non_null(event);
            assert_string_equal(event->stream, promised[i].stream);
            assert_non_null(event->example);
            assert_non_null(event->owner);
            if (promised[i].key)
                assert_string_equal(event->key, promised[i].key);
            else
                assert_null(event->key);
        }
    assert_int_equal(count, 38);
    assert_int_equal(catalog->events.count, 39); /* and ops.alert.critical, ours */
    weir_catalog_close(catalog);
}

/* group, stream; the seed's section 10 and the three that are ours */
static void every_reader_of_the_seed_is_there(void **state) {
    (void)state;
    static const char *const readers[][2] = {
        {"telemetry", "STREAM_AGENT_RUN"},
        {"analytics", "STREAM_AGENT_RUN"},
        {"wallet", "STREAM_WALLET"},
        {"payout", "STREAM_WALLET"},
        {"usage", "STREAM_WALLET"},
        {"wallet", "STREAM_RWA"},
        {"dashboard", "STREAM_RWA"},
        {"oracle", "STREAM_EMBASSY"},
        {"usage", "STREAM_EMBASSY"},
        {"pdp", "STREAM_GOVERNANCE"},
        {"audit", "STREAM_GOVERNANCE"},
        {"quota", "STREAM_USAGE"},
        {"search-indexer", "STREAM_CHAT"},
        {"rag-service", "STREAM_RAG"},
        {"parser-service", "STREAM_RAG"},
        {"search-indexer", "STREAM_RAG"},
        {"rwa", "STREAM_ORACLE"},
        {"wallet", "STREAM_PAYOUT"},
        {"agent-orchestrator", "STREAM_USAGE"},
    };
    weir_catalog *catalog = daarion(NULL);
    size_t sources = 0;
    for (size_t i = 0; i < catalog->groups.count; i++)
        sources += catalog->groups.items[i]->from.count;
    assert_int_equal(sources, sizeof readers / sizeof *readers);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const struct group_def *group = catalog_group(catalog, weir_text_of(readers[i][0]));
        bool found = false;
        assert_non_null(group);
        for (size_t s = 0; s < group->from.count; s++)
            found = found || strcmp(group->from.items[s].stream->name, readers[i][1]) == 0;
        if (!found)
            print_error("%s does not read %s\n", readers[i][0], readers[i][1]);
        assert_true(found);
    }
    weir_catalog_close(catalog);
}

static void orders_of_the_seed_are_kept(void **state) {
    (void)state;
    static const char *const ordered[] = {"wallet", "dashboard", "telemetry", "analytics", "oracle", "rwa"};
    weir_catalog *catalog = daarion(NULL);
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
        assert_int_equal(catalog_group(catalog, weir_text_of(ordered[i]))->order, ORDER_KEY);
    weir_catalog_close(catalog);
}

static bool may_publish(const weir_catalog *catalog, const char *service, const char *subject) {
    const struct service_def *def = catalog_service(catalog, weir_text_of(service));
    assert_non_null(def);
    for (size_t i = 0; i < def->publish.count; i++)
        if (pattern_matches(weir_text_of(def->publish.items[i]), weir_text_of(subject)))
            return true;
    return false;
}

static void grants_are_those_of_the_flow(void **state) {
    (void)state;
    weir_catalog *catalog = daarion(NULL);
    assert_true(may_publish(catalog, "embassy", "embassy.energy.update"));
    assert_true(may_publish(catalog, "oracle-service", "oracle.reading.published"));
    assert_true(may_publish(catalog, "rwa-service", "rwa.inventory.updated"));
    assert_true(may_publish(catalog, "wallet-service", "payout.generated"));
    assert_true(may_publish(catalog, "wallet-service", "wallet.balance.updated"));
    assert_true(may_publish(catalog, "usage-service", "usage.embassy.increment"));
    assert_true(may_publish(catalog, "agent-orchestrator", "agent.run.rate_limited"));
    assert_false(may_publish(catalog, "embassy", "wallet.tx.sent"));
    assert_false(may_publish(catalog, "agent-orchestrator", "wallet.balance.updated"));
    assert_false(may_publish(catalog, "oracle-service", "rwa.inventory.updated"));
    assert_false(may_publish(catalog, "payout-service", "payout.generated"));
    assert_false(may_publish(catalog, "quota-service", "usage.embassy.increment"));
    weir_catalog_close(catalog);
}

static void build_example(const weir_catalog *catalog, const struct event_def *def, event_scratch *scratch) {
    buffer payload, wire;
    buffer_init(&payload, 1 << 16);
    buffer_init(&wire, 1 << 16);
    json_write(&payload, def->example, false);
    weir_draft draft = {.type = weir_text_of(def->type),
                        .payload = buffer_view(&payload),
                        .actor = weir_text_of(def->owner),
                        .tenant = weir_text_of("t_555")};
    struct event_built built;
    weir_event event;
    weir_error err;
    expect_ok(event_build(&built, catalog->dialect, def, &draft, weir_clock_system(), 0, scratch, &err),
              &err);
    assert_string_equal(def->subject, def->type);
    assert_true(text_is(built.subject, def->subject));
    assert_int_equal(built.key.data != NULL, def->key != NULL);
    buffer_text(&wire, built.envelope);
    expect_ok(event_read(&event, catalog->dialect, def, buffer_view(&wire), true, scratch, &err), &err);
    assert_true(text_equal(event.payload, buffer_view(&payload)));
    assert_true(text_is(event.actor, def->owner));
    assert_true(text_is(event.tenant, "t_555"));
    assert_true(text_starts(event.id, "evt_"));
    buffer_release(&wire);
    buffer_release(&payload);
}

static void each_example_becomes_an_event_and_is_read_back(void **state) {
    (void)state;
    weir_catalog *catalog = daarion(NULL);
    event_scratch *scratch = event_scratch_new();
    for (size_t i = 0; i < catalog->events.count; i++)
        build_example(catalog, catalog->events.items[i], scratch);
    event_scratch_free(scratch);
    weir_catalog_close(catalog);
}

static void an_event_has_the_form_of_the_seed(void **state) {
    (void)state;
    weir_catalog *catalog = daarion(NULL);
    event_scratch *scratch = event_scratch_new();
    weir_draft draft = {.type = weir_text_of("usage.llm.increment"),
                        .payload =
                            weir_text_of("{\"team_id\":\"t_1\",\"metric\":\"llm_tokens\",\"value\":1842}"),
                        .id = weir_text_of("evt_123"),
                        .time = weir_text_of("2025-11-14T12:00:00Z")};
    struct event_built built;
    weir_error err;
    const struct event_def *def = catalog_event(catalog, draft.type);
    expect_ok(event_build(&built, catalog->dialect, def, &draft, weir_clock_system(), 0, scratch, &err),
              &err);
    assert_true(text_is(built.envelope,
                        "{\"event_id\":\"evt_123\",\"ts\":\"2025-11-14T12:00:00Z\",\"domain\":\"usage\","
                        "\"type\":\"usage.llm.increment\",\"version\":1,"
                        "\"actor\":{\"id\":\"unknown\",\"kind\":\"service\"},"
                        "\"payload\":{\"team_id\":\"t_1\",\"metric\":\"llm_tokens\",\"value\":1842}}"));
    draft.actor_kind = weir_text_of("robot");
    assert_int_equal(
        event_build(&built, catalog->dialect, def, &draft, weir_clock_system(), 0, scratch, &err),
        WEIR_INVALID);
    event_scratch_free(scratch);
    weir_catalog_close(catalog);
}

static void development_needs_one_server_and_little_room(void **state) {
    (void)state;
    weir_catalog *catalog = daarion("dev");
    for (size_t i = 0; i < catalog->streams.count; i++) {
        const struct stream_def *stream = catalog->streams.items[i];
        assert_int_equal(stream->num_replicas, 1);
        assert_false(stream->deny_delete || stream->deny_purge);
        assert_true(stream->max_bytes <= INT64_C(1) << 30);
        if (stream->role != STREAM_REDELIVER && stream->role != STREAM_CATALOG)
            assert_true(stream->max_age_ns > 0 && stream->max_age_ns <= 14 * DAY_NS);
    }
    weir_catalog_close(catalog);
}

static const struct spec specs[] = {
    {"there are fourteen streams with their ages", there_are_fourteen_streams_with_their_ages},
    {"every event of the seed is there", every_event_of_the_seed_is_there},
    {"every reader of the seed is there", every_reader_of_the_seed_is_there},
    {"orders of the seed are kept", orders_of_the_seed_are_kept},
    {"grants are those of the flow", grants_are_those_of_the_flow},
    {"each example becomes an event and is read back", each_example_becomes_an_event_and_is_read_back},
    {"an event has the form of the seed", an_event_has_the_form_of_the_seed},
    {"development needs one server and little room", development_needs_one_server_and_little_room},
};
SPEC_MAIN(specs)
