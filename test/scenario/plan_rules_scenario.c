/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* The update rules against the server whose rules they are: for every row an update is tried raw, and what the
 * server does must be what the row says. */
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "kit/broker.h"
#include "kit/spec.h"
#include "plan/fields.h"

/* A value before and after, as JSON ("" is absent), and members that both configurations have beside it. */
struct probe {
    const char *field, *before, *after, *more;
};

#define NS "000000000"

static const struct probe stream_probes[] = {
    {"name", "\"X\"", "\"Y\"", ""},
    {"description", "\"a\"", "\"b\"", ""},
    {"subjects", "[\"x.>\"]", "[\"x.a\",\"z.>\"]", ""},
    {"retention", "\"limits\"", "\"interest\"", ""},
    {"retention", "\"interest\"", "\"limits\"", ""},
    {"retention", "\"limits\"", "\"workqueue\"", ""},
    {"retention", "\"interest\"", "\"workqueue\"", ""},
    {"retention", "\"workqueue\"", "\"limits\"", ""},
    {"retention", "\"workqueue\"", "\"interest\"", ""},
    {"storage", "\"file\"", "\"memory\"", ""},
    {"storage", "\"memory\"", "\"file\"", ""},
    {"max_age", "0", "3600" NS, ""},
    {"max_age", "3600" NS, "0", ""},
    {"max_bytes", "-1", "1000", ""},
    {"max_bytes", "1000", "2000", ""},
    {"max_msgs", "-1", "5", ""},
    {"max_msgs", "5", "-1", ""},
    {"max_msg_size", "-1", "100", ""},
    {"max_msg_size", "100", "-1", ""},
    {"max_msgs_per_subject", "-1", "5", ""},
    {"max_msgs_per_subject", "5", "-1", ""},
    {"discard", "\"old\"", "\"new\"", ""},
    {"discard", "\"new\"", "\"old\"", ""},
    {"discard_new_per_subject", "false", "true", ",\"discard\":\"new\",\"max_msgs_per_subject\":3"},
    {"discard_new_per_subject", "true", "false", ",\"discard\":\"new\",\"max_msgs_per_subject\":3"},
    {"duplicate_window", "120" NS, "60" NS, ""},
    {"deny_delete", "false", "true", ""},
    {"deny_delete", "true", "false", ""},
    {"deny_purge", "false", "true", ""},
    {"deny_purge", "true", "false", ""},
    {"allow_atomic", "false", "true", ""},
    {"allow_atomic", "true", "false", ""},
    {"allow_direct", "false", "true", ""},
    {"allow_direct", "true", "false", ""},
    {"allow_rollup_hdrs", "false", "true", ""},
    {"allow_rollup_hdrs", "true", "false", ""},
    {"allow_msg_ttl", "false", "true", ""},
    {"allow_msg_ttl", "true", "false", ""},
    {"allow_msg_schedules", "false", "true", ",\"allow_rollup_hdrs\":true"},
    {"allow_msg_schedules", "true", "false", ",\"allow_rollup_hdrs\":true"},
    {"allow_msg_counter", "false", "true", ""},
    {"allow_msg_counter", "true", "false", ""},
    {"no_ack", "false", "true", ""},
    {"no_ack", "true", "false", ""},
    {"sealed", "false", "true", ""},
    {"persist_mode", "", "\"async\"", ""},
    {"persist_mode", "\"async\"", "", ""},
    {"mirror", "", "{\"name\":\"ORIGIN\"}", ",\"subjects\":[]"},
    {"mirror", "{\"name\":\"ORIGIN\"}", "{\"name\":\"OTHER\"}", ",\"subjects\":[]"},
    {"mirror", "{\"name\":\"ORIGIN\"}", "", ",\"subjects\":[]"},
    {"sources", "", "[{\"name\":\"ORIGIN\"}]", ""},
    {"sources", "[{\"name\":\"ORIGIN\"}]", "", ""},
    {"republish", "", "{\"src\":\"x.>\",\"dest\":\"z.>\"}", ""},
    {"republish", "{\"src\":\"x.>\",\"dest\":\"z.>\"}", "", ""},
    {"subject_transform", "", "{\"src\":\"x.>\",\"dest\":\"z.>\"}", ""},
    {"subject_transform", "{\"src\":\"x.>\",\"dest\":\"z.>\"}", "", ""},
    {"max_consumers", "-1", "5", ""},
    {"max_consumers", "5", "10", ""},
    {"consumer_limits", "", "{\"max_ack_pending\":50}", ""},
    {"consumer_limits", "{\"max_ack_pending\":50}", "", ""},
    {"placement", "", "{\"tags\":[\"ssd\"]}", ""},
    {"placement", "{\"tags\":[\"ssd\"]}", "", ""},
    {"compression", "\"none\"", "\"s2\"", ""},
    {"compression", "\"s2\"", "\"none\"", ""},
    {"first_seq", "", "100", ""},
    {"first_seq", "100", "200", ""},
    {"mirror_direct", "false", "true", ""},
    {"subject_delete_marker_ttl", "", "60" NS, ",\"allow_msg_ttl\":true,\"allow_rollup_hdrs\":true"},
    {"subject_delete_marker_ttl", "60" NS, "", ",\"allow_msg_ttl\":true,\"allow_rollup_hdrs\":true"},
    {"allow_batched", "false", "true", ""},
    {"allow_batched", "true", "false", ""},
    {"metadata", "", "{\"team\":\"sales\"}", ""},
    {"metadata", "{\"team\":\"sales\"}", "", ""},
};

#define PUSH ",\"deliver_subject\":\"d\""
#define PRIORITY ",\"priority_groups\":[\"g\"]"

static const struct probe consumer_probes[] = {
    {"name", "\"c\"", "\"d\"", ""},
    {"durable_name", "\"c\"", "\"d\"", ""},
    {"description", "\"a\"", "\"b\"", ""},
    {"filter_subjects", "[\"y.a\",\"y.b\"]", "[\"y.c\"]", ""},
    {"filter_subject", "\"y.a\"", "\"y.b\"", ""},
    {"filter_subject", "\"y.a\"", "", ""},
    {"deliver_policy", "\"all\"", "\"new\"", ""},
    {"deliver_policy", "\"new\"", "\"all\"", ""},
    {"deliver_policy", "\"last_per_subject\"", "\"all\"", ",\"filter_subject\":\"y.a\""},
    {"opt_start_seq", "5", "6", ",\"deliver_policy\":\"by_start_sequence\""},
    {"opt_start_time", "\"2026-01-01T00:00:00Z\"", "\"2026-01-02T00:00:00Z\"",
     ",\"deliver_policy\":\"by_start_time\""},
    {"ack_policy", "\"none\"", "\"explicit\"", ""},
    {"ack_policy", "\"explicit\"", "\"all\"", ""},
    {"replay_policy", "\"instant\"", "\"original\"", ""},
    {"ack_wait", "1" NS, "2" NS, ",\"ack_policy\":\"explicit\""},
    {"max_deliver", "-1", "5", ""},
    {"max_deliver", "5", "-1", ""},
    {"max_ack_pending", "1000", "5", ",\"ack_policy\":\"explicit\""},
    {"backoff", "", "[1" NS "]", ",\"max_deliver\":5,\"ack_policy\":\"explicit\""},
    {"backoff", "[1" NS "]", "", ",\"max_deliver\":5,\"ack_policy\":\"explicit\""},
    {"headers_only", "false", "true", ""},
    {"headers_only", "true", "false", ""},
    {"inactive_threshold", "", "3600" NS, ""},
    {"inactive_threshold", "3600" NS, "", ""},
    {"mem_storage", "false", "true", ""},
    {"mem_storage", "true", "false", ""},
    {"deliver_subject", "", "\"d\"", ""},
    {"deliver_subject", "\"d\"", "", ""},
    {"deliver_subject", "\"d\"", "\"e\"", ""},
    {"deliver_group", "", "\"g\"", PUSH},
    {"deliver_group", "\"g\"", "", PUSH},
    {"rate_limit_bps", "", "1000", PUSH},
    {"rate_limit_bps", "1000", "", PUSH},
    {"sample_freq", "", "\"50%\"", ""},
    {"sample_freq", "\"50%\"", "", ""},
    {"max_waiting", "5", "6", ""},
    {"flow_control", "false", "true", PUSH ",\"idle_heartbeat\":1" NS},
    {"flow_control", "true", "false", PUSH ",\"idle_heartbeat\":1" NS},
    {"idle_heartbeat", "", "1" NS, PUSH},
    {"idle_heartbeat", "1" NS, "", PUSH},
    {"max_batch", "", "5", ""},
    {"max_batch", "5", "", ""},
    {"max_expires", "", "1" NS, ""},
    {"max_expires", "1" NS, "", ""},
    {"max_bytes", "", "1000", ""},
    {"max_bytes", "1000", "", ""},
    {"direct", "false", "true", PUSH},
    {"sourcing", "false", "true", PUSH},
    {"pause_until", "", "\"2099-01-01T00:00:00Z\"", ""},
    {"pause_until", "\"2099-01-01T00:00:00Z\"", "", ""},
    {"priority_groups", "[\"g\"]", "[\"h\"]", ",\"priority_policy\":\"overflow\""},
    {"priority_policy", "\"overflow\"", "\"prioritized\"", PRIORITY},
    {"priority_timeout", "10" NS, "20" NS, PRIORITY ",\"priority_policy\":\"pinned_client\""},
    {"metadata", "", "{\"team\":\"sales\"}", ""},
    {"metadata", "{\"team\":\"sales\"}", "", ""},
};

/* --- one world per case ------------------------------------------------------------------------------- */

struct world {
    kit_server *server;
    weir_connection *connection;
    arena *arena;
    const struct field_row *rows;
    bool consumer;
};

static struct world world_begin(bool consumer) {
    struct world world = {.server = kit_server_start(NULL),
                          .arena = arena_new(),
                          .rows = consumer ? consumer_rows : stream_rows,
                          .consumer = consumer};
    world.connection = kit_connect(world.server);
    kit_api(world.connection, "STREAM.CREATE.ORIGIN", "{\"name\":\"ORIGIN\",\"subjects\":[\"origin\"]}");
    kit_api(world.connection, "STREAM.CREATE.STREAM", "{\"name\":\"STREAM\",\"subjects\":[\"y.>\"]}");
    return world;
}

static void world_end(struct world *world) {
    weir_disconnect(world->connection);
    kit_server_stop(world->server);
    arena_free(world->arena);
}

static bool stated(const struct probe *probe, const char *member) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", member);
    return strcmp(probe->field, member) == 0 || strstr(probe->more, quoted);
}

static const char *config_of(struct world *world, const struct probe *probe, const char *value) {
    const char *more = probe->more;
    if (*value)
        more = arena_printf(world->arena, "%s,\"%s\":%s", more, probe->field, value);
    if (world->consumer)
        return arena_printf(world->arena, "{\"num_replicas\":1%s%s%s}",
                            stated(probe, "durable_name") ? "" : ",\"durable_name\":\"c\"",
                            stated(probe, "ack_policy") ? "" : ",\"ack_policy\":\"none\"", more);
    return arena_printf(world->arena, "{\"num_replicas\":1%s%s%s}",
                        stated(probe, "name") ? "" : ",\"name\":\"X\"",
                        stated(probe, "subjects") ? "" : ",\"subjects\":[\"x.>\"]", more);
}

static weir_code send(struct world *world, const char *config, const char *action, weir_error *err) {
    const char *api = world->consumer                 ? "CONSUMER.CREATE.STREAM.c"
                      : strcmp(action, "create") == 0 ? "STREAM.CREATE.X"
                                                      : "STREAM.UPDATE.X";
    const char *body =
        world->consumer
            ? arena_printf(world->arena, "{\"stream_name\":\"STREAM\",\"config\":%s,\"action\":\"%s\"}",
                           config, action)
            : config;
    json_doc *reply = NULL;
    weir_code code = broker_api(world->connection, api, weir_text_of(body), &reply, err);
    json_doc_free(reply);
    return code;
}

/* The configuration as the server tells it; the caller frees. */
static json_doc *info(struct world *world) {
    json_doc *reply = NULL;
    weir_error err = {0};
    expect_ok(broker_api(world->connection, world->consumer ? "CONSUMER.INFO.STREAM.c" : "STREAM.INFO.X",
                         (weir_text){0}, &reply, &err),
              &err);
    return reply;
}

static const char *shown(struct world *world, const struct field_row *row) {
    json_doc *reply = info(world);
    const char *text = field_show(world->arena, row, json_get(json_root(reply), "config"));
    json_doc_free(reply);
    return text;
}

static void remove_thing(struct world *world) {
    weir_error err;
    weir_code code =
        broker_api(world->connection, world->consumer ? "CONSUMER.DELETE.STREAM.c" : "STREAM.DELETE.X",
                   (weir_text){0}, NULL, &err);
    assert_true(code == WEIR_OK || code == WEIR_NOT_FOUND);
}

/* --- the rules ---------------------------------------------------------------------------------------- */

/* The answer a row predicts, and the value afterwards. */
static void try_probe(struct world *world, const struct probe *probe) {
    const struct field_row *row = field_find(world->rows, weir_text_of(probe->field));
    weir_error err = {0};
    if (!row)
        fail_msg("%s has no row", probe->field);
    remove_thing(world);
    if (send(world, config_of(world, probe, probe->before), "create", &err) != WEIR_OK)
        fail_msg("%s %s: %s", probe->field, probe->before, err.message);
    const char *before = shown(world, row), *wanted = config_of(world, probe, probe->after);
    json_doc *doc = NULL;
    expect_ok(json_parse(&doc, weir_text_of(wanted), &err), &err);
    const char *after = field_show(world->arena, row, json_root(doc));
    json_doc_free(doc);
    enum field_verdict verdict = field_judge(row, before, after);
    bool in_place = verdict == VERDICT_IN_PLACE || verdict == VERDICT_FOR_GOOD;
    weir_code code = send(world, wanted, "update", &err);
    if ((code == WEIR_OK) != in_place)
        fail_msg("%s %s -> %s: the row says %s, the server %s", row->name, before, after,
                 in_place ? "in place" : "never", code == WEIR_OK ? "changed it" : err.message);
    if (row->rule == FIELD_IGNORED || !in_place)
        assert_string_equal(shown(world, row), before);
    else if (strcmp(row->name, "metadata") != 0) /* the server adds marks of its own */
        assert_string_equal(shown(world, row), after);
}

/* num_replicas needs a cluster: a case of its own. */
static void every_row_is_tried(const struct field_row *rows, const struct probe *probes, size_t count) {
    for (; rows->name; rows++) {
        bool tried = strcmp(rows->name, "num_replicas") == 0;
        for (size_t i = 0; i < count && !tried; i++)
            tried = strcmp(probes[i].field, rows->name) == 0;
        if (!tried)
            fail_msg("the row %s is never tried", rows->name);
    }
}

static void stream_rules_are_the_servers(void **state) {
    (void)state;
    enum { COUNT = sizeof stream_probes / sizeof *stream_probes };
    struct world world = world_begin(false);
    every_row_is_tried(stream_rows, stream_probes, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        try_probe(&world, &stream_probes[i]);
    world_end(&world);
}

static void consumer_rules_are_the_servers(void **state) {
    (void)state;
    enum { COUNT = sizeof consumer_probes / sizeof *consumer_probes };
    struct world world = world_begin(true);
    every_row_is_tried(consumer_rows, consumer_probes, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        try_probe(&world, &consumer_probes[i]);
    world_end(&world);
}

/* What the server tells of things with every setting it has, member by member. */
static void every_member_has_a_row(void **state) {
    (void)state;
    static const char *const configs[][2] = {
        {"", "{\"name\":\"X\",\"subjects\":[\"x.>\"],\"allow_atomic\":true,\"allow_batched\":true,\"no_ack\":"
             "true,"
             "\"allow_msg_schedules\":true,\"allow_msg_ttl\":true,\"allow_rollup_hdrs\":true,\"first_seq\":5,"
             "\"subject_delete_marker_ttl\":60" NS
             ",\"placement\":{\"tags\":[\"a\"]},\"metadata\":{\"a\":\"b\"}}"},
        {"", "{\"name\":\"X\",\"subjects\":[\"x.>\"],\"discard\":\"new\",\"discard_new_per_subject\":true,"
             "\"max_msgs_per_subject\":5,\"persist_mode\":\"async\",\"description\":\"d\",\"sources\":[{"
             "\"name\":\"ORIGIN\"}],"
             "\"republish\":{\"src\":\"x.>\",\"dest\":\"z.>\"},\"subject_transform\":{\"src\":\"x.>\","
             "\"dest\":\"q.>\"}}"},
        {"c",
         "{\"durable_name\":\"c\",\"ack_policy\":\"explicit\",\"max_deliver\":5,\"backoff\":[1" NS "],"
         "\"filter_subject\":\"y.a\",\"sample_freq\":\"1%\",\"headers_only\":true,\"max_batch\":1,"
         "\"max_expires\":1" NS ",\"max_bytes\":9,\"inactive_threshold\":99" NS ",\"mem_storage\":true,"
         "\"priority_groups\":[\"g\"],\"priority_policy\":\"pinned_client\",\"priority_timeout\":9" NS "}"},
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        struct world world = world_begin(*configs[i][0] != 0);
        weir_error err = {0};
        expect_ok(send(&world, configs[i][1], "create", &err), &err);
        json_doc *reply = info(&world);
        for (struct json_iter it = json_iter(json_get(json_root(reply), "config")); json_next(&it);)
            if (!field_find(world.rows, it.key))
                fail_msg("the server has a field '%.*s' that no row knows", TEXT_ARG(it.key));
        json_doc_free(reply);
        world_end(&world);
    }
}

/* --- a cluster, for replicas -------------------------------------------------------------------------- */

static kit_server *node(const int *ports, int index) {
    char config[512];
    snprintf(config, sizeof config,
             "cluster {\n  name: c\n  listen: \"127.0.0.1:%d\"\n  routes: [\"nats://127.0.0.1:%d\", "
             "\"nats://127.0.0.1:%d\", \"nats://127.0.0.1:%d\"]\n}\n",
             ports[index], ports[0], ports[1], ports[2]);
    return kit_server_start(&(struct kit_server_options){.config = config});
}

static bool can_replicate(void *arg) {
    struct world *world = arg;
    weir_error err;
    return send(world, "{\"name\":\"X\",\"subjects\":[\"x\"],\"num_replicas\":3}", "update", &err) == WEIR_OK;
}

static bool can_create(void *arg) {
    struct world *world = arg;
    weir_error err;
    return send(world, "{\"name\":\"X\",\"subjects\":[\"x\"],\"num_replicas\":1}", "create", &err) == WEIR_OK;
}

static void replicas_change_in_place(void **state) {
    (void)state;
    int ports[3];
    weir_error err = {0};
    kit_server *nodes[3];
    for (int i = 0; i < 3; i++)
        expect_ok(port_free(&ports[i], &err), &err);
    for (int i = 0; i < 3; i++)
        nodes[i] = node(ports, i);
    struct world world = {.server = nodes[0], .arena = arena_new(), .rows = stream_rows};
    world.connection = kit_connect(nodes[0]);
    const struct field_row *row = field_find(stream_rows, weir_text_of("num_replicas"));
    assert_true(kit_until(can_create, &world)); /* once the cluster has a leader */
    assert_int_equal(field_judge(row, "1", "3"), VERDICT_IN_PLACE);
    assert_true(kit_until(can_replicate, &world));
    assert_string_equal(shown(&world, row), "3");
    world_end(&world);
    kit_server_stop(nodes[1]);
    kit_server_stop(nodes[2]);
}

static const struct spec specs[] = {
    {"every rule of a stream is the rule of the server", stream_rules_are_the_servers},
    {"every rule of a consumer is the rule of the server", consumer_rules_are_the_servers},
    {"every field that the server tells has a row", every_member_has_a_row},
    {"replicas change in place on a cluster", replicas_change_in_place},
};

SPEC_MAIN(specs)
