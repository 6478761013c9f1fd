/* SPDX-License-Identifier: Apache-2.0 */
/* Servers as somebody might run them: 40 streams with varied settings, 85 groups of foreign clients, 212 event
 * types in four envelopes and without one; and beside them what is nobody's event (a bucket, a mirror, pushed
 * consumers). And a picture of it all, to see that import touched nothing. */
#ifndef SCENARIO_IMPORT_FIXTURE_H
#define SCENARIO_IMPORT_FIXTURE_H

#include "cli_fixture.h"
#include "kit/broker.h"

enum { STREAMS = 40, GROUPS = 85, EVENTS = 212, UNOWNED = 71, SHARED_GROUPS = 5, MESSAGES = 8 };

/* --- names ---------------------------------------------------------------------------------------------- */

static inline const char *domain_of(int stream) {
    static const char *const domains[STREAMS] = {
        "orders",  "payments", "invoices", "shipping", "catalog", "stock",    "prices",  "baskets",
        "returns", "refunds",  "coupons",  "loyalty",  "reviews", "search",   "people",  "accounts",
        "audit",   "alerts",   "metrics",  "meters",   "sites",   "tariffs",  "grid",    "battery",
        "solar",   "wind",     "heat",     "water",    "gas",     "fleet",    "drivers", "routes",
        "depots",  "parts",    "repairs",  "claims",   "quotes",  "policies", "agents",  "partners"};
    return domains[stream];
}

static inline const char *action_of(int event) {
    static const char *const actions[] = {"created",  "updated",  "approved",
                                          "rejected", "archived", "restored"};
    return actions[event];
}

/* The first twelve streams have six event types, the others five: 212. */
static inline int events_of(int stream) {
    return stream < 12 ? 6 : 5;
}

static inline const char *stream_name(int stream) {
    static char names[STREAMS][64];
    snprintf(names[stream], sizeof *names, "%s%s%s", stream % 3 == 1 ? "STREAM_" : "", domain_of(stream),
             stream % 3 == 2 ? "-Events" : "");
    return names[stream];
}

enum wrapping { CLOUDEVENTS, DAARION, MICRODAO, GIIA, BARE };
static inline enum wrapping wrapping_of(int stream) {
    return (enum wrapping)(stream % 5);
}

/* --- streams and consumers ------------------------------------------------------------------------------ */

static inline const char *settings_of(int stream) {
    static const char *const settings[] = {
        "",
        ",\"max_age\":7776000000000000,\"compression\":\"s2\"",
        ",\"max_bytes\":1048576,\"discard\":\"new\",\"allow_direct\":true",
        ",\"max_age\":60000000000,\"duplicate_window\":30000000000,\"description\":\"a minute: not more\"",
        ",\"max_msgs\":1000000,\"max_msg_size\":65536,\"deny_delete\":true",
        ",\"storage\":\"memory\",\"max_age\":3600000000000,\"metadata\":{\"team\":\"core\"}",
        ",\"retention\":\"interest\",\"duplicate_window\":500000000",
        ",\"max_msgs_per_subject\":1000,\"allow_direct\":true,\"deny_purge\":true",
        ",\"max_age\":123456789012345,\"max_bytes\":1234567",
        ",\"retention\":\"workqueue\",\"allow_msg_ttl\":true",
    };
    return stream == 3 ? settings[0] /* a minute is short for a test */ : settings[stream % 10];
}

static inline void make_stream(weir_connection *connection, int stream) {
    char api[100], body[1000], subjects[100];
    const char *domain = domain_of(stream);
    snprintf(subjects, sizeof subjects, stream % 2 ? "\"%s.>\"" : "\"%s.*\",\"%s.*.*\"", domain, domain);
    snprintf(api, sizeof api, "STREAM.CREATE.%.64s", stream_name(stream));
    snprintf(body, sizeof body, "{\"name\":\"%.64s\",\"subjects\":[%s]%s}", stream_name(stream), subjects,
             settings_of(stream));
    kit_api(connection, api, body);
}

static inline bool workqueue(int stream) {
    return stream % 10 == 9;
}

static const char *const consumer_settings[] = {
    "",
    ",\"max_deliver\":5,\"ack_wait\":45000000000",
    ",\"max_deliver\":3,\"backoff\":[1000000000,5000000000]",
    ",\"max_ack_pending\":10,\"description\":\"one: after the other\"",
    ",\"ack_wait\":7200000000000,\"inactive_threshold\":86400000000000",
    ",\"deliver_policy\":\"new\",\"max_deliver\":1",
};

static inline void make_consumer(weir_connection *connection, const char *stream, const char *name,
                                 const char *filter, const char *more) {
    char api[300], body[1500];
    snprintf(api, sizeof api, "CONSUMER.CREATE.%s.%s", stream, name);
    snprintf(
        body, sizeof body,
        "{\"stream_name\":\"%s\",\"action\":\"create\",\"config\":{\"durable_name\":\"%s\",\"ack_policy\":"
        "\"explicit\"%s%s%s%s}}",
        stream, name, *filter ? ",\"filter_subject\":\"" : "", filter, *filter ? "\"" : "", more);
    kit_api(connection, api, body);
}

/* Two groups on every stream but work queues, which take one; the first five of those that are left read two
 * streams under one name. In all 85 names. */
static inline void make_groups(weir_connection *connection) {
    int made = 0;
    for (int stream = 0; stream < STREAMS; stream++)
        for (int n = 0; n < (workqueue(stream) ? 1 : 2); n++, made++) {
            char name[40], filter[80] = "";
            snprintf(name, sizeof name, "%s-%s", domain_of(stream), n ? "mailer" : "worker");
            if (n)
                snprintf(filter, sizeof filter, stream % 4 ? "%s.created" : "%s.>", domain_of(stream));
            make_consumer(connection, stream_name(stream), name, filter,
                          workqueue(stream) ? "" : consumer_settings[(stream + n) % 6]);
        }
    for (int n = 0; made < GROUPS; n++, made++) {
        char name[40];
        snprintf(name, sizeof name, "both-%d", n);
        if (n < SHARED_GROUPS)
            make_consumer(connection, stream_name(n * 5), name, "", ",\"max_deliver\":7");
        make_consumer(connection, stream_name((n * 5 + 1) % STREAMS), name, "", ",\"max_deliver\":7");
    }
}

/* What import leaves to its owner. */
static inline void make_others(weir_connection *connection) {
    kit_api(connection, "STREAM.CREATE.KV_settings",
            "{\"name\":\"KV_settings\",\"subjects\":[\"$KV.settings.>\"],\"max_msgs_per_subject\":5}");
    kit_api(connection, "STREAM.CREATE.OBJ_files",
            "{\"name\":\"OBJ_files\",\"subjects\":[\"$O.files.C.>\",\"$O.files.M.>\"]}");
    kit_api(connection, "STREAM.CREATE.copy", "{\"name\":\"copy\",\"mirror\":{\"name\":\"orders\"}}");
    kit_api(connection, "CONSUMER.CREATE.orders.push",
            "{\"stream_name\":\"orders\",\"config\":{\"durable_name\":\"push\",\"deliver_subject\":\"to.me\","
            "\"ack_policy\":\"explicit\"}}");
    make_consumer(connection, "orders", "Old_Name", "", "");
    kit_api(connection, "CONSUMER.CREATE.orders.reader",
            "{\"stream_name\":\"orders\",\"config\":{\"durable_name\":\"reader\",\"ack_policy\":\"none\"}}");
}

/* --- messages ------------------------------------------------------------------------------------------- */

/* Of the wrapped event types the first 29 are published by two services in turn; bare ones name nobody. */
static inline const char *source_of(int stream, int event, int message) {
    static char source[60];
    int wrapped = 0;
    for (int s = 0; s < stream; s++)
        wrapped += wrapping_of(s) == BARE ? 0 : events_of(s);
    bool two = wrapped + event < 29 && message % 2;
    snprintf(source, sizeof source, "%s-service", two ? "other" : domain_of(stream));
    return source;
}

static inline void body_of(char *out, size_t size, int stream, int event, int message, const char *subject) {
    char payload[400];
    const char *source = source_of(stream, event, message), *action = action_of(event);
    snprintf(payload, sizeof payload,
             "{\"thing_id\":\"t-%d\",\"agent_id\":\"a%d\",\"amount\":\"%d.50\",\"at\":\"2026-02-0%dT10:00:"
             "00Z\",\"state\":"
             "\"%s\",\"lines\":[{\"sku\":\"s\",\"count\":%d}],\"email\":\"user%d@example.com\"%s}",
             message % 3, message % 4, message, message % 9 + 1, message % 2 ? "open" : "closed", message,
             message, message % 2 ? ",\"note\":null" : "");
    switch (wrapping_of(stream)) {
    case CLOUDEVENTS:
        snprintf(
            out, size,
            "{\"specversion\":\"1.0\",\"id\":\"%d-%d-%d\",\"source\":\"/%s\",\"type\":\"%s.%s\",\"time\":"
            "\"2026-02-01T10:00:00Z\",\"data\":%s}",
            stream, event, message, source, domain_of(stream), action, payload);
        break;
    case DAARION:
        snprintf(out, size,
                 "{\"event_id\":\"evt_%d-%d-%d\",\"ts\":\"2026-02-01T10:00:00Z\",\"domain\":\"%s\",\"type\":"
                 "\"%s.%s\","
                 "\"version\":1,\"actor\":{\"id\":\"%s\",\"kind\":\"service\"},\"payload\":%s}",
                 stream, event, message, domain_of(stream), domain_of(stream), action, source, payload);
        break;
    case MICRODAO:
        snprintf(out, size,
                 "{\"event_id\":\"%d-%d-%d\",\"event_type\":\"%s\",\"timestamp\":\"2026-02-01T10:00:00Z\","
                 "\"source\":"
                 "\"%s\",\"payload\":%s}",
                 stream, event, message, subject, source, payload);
        break;
    case GIIA:
        snprintf(out, size,
                 "{\"id\":\"%d-%d-%d\",\"type\":\"%s.%s\",\"source\":\"%s\",\"organization_id\":\"o-1\","
                 "\"timestamp\":"
                 "\"2026-02-01T10:00:00Z\",\"schema_version\":\"2.0\",\"data\":%s}",
                 stream, event, message, domain_of(stream), action, source, payload);
        break;
    case BARE:
        snprintf(out, size, "%s", payload);
        break;
    }
}

/* The second event type of every fourth stream has the agent in its subject. */
static inline void subject_of(char *out, size_t size, int stream, int event, int message) {
    if (event == 1 && stream % 4 == 0)
        snprintf(out, size, "%s.%s.a%d", domain_of(stream), action_of(event), message % 4);
    else
        snprintf(out, size, "%s.%s", domain_of(stream), action_of(event));
}

static inline void publish_events(weir_connection *connection, int stream) {
    weir_error err = {0};
    for (int event = 0; event < events_of(stream); event++)
        for (int message = 0; message < MESSAGES; message++) {
            char subject[100], body[1500];
            subject_of(subject, sizeof subject, stream, event, message);
            body_of(body, sizeof body, stream, event, message, subject);
            struct broker_out out = {.subject = subject, .data = weir_text_of(body)};
            expect_ok(broker_send(connection, &out, &err), &err);
        }
    expect_ok(broker_flush(connection, 5000, &err), &err);
}

struct wait {
    weir_connection *connection;
    const char *stream;
    uint64_t messages;
};
static inline bool has_messages(void *arg) {
    struct wait *wait = arg;
    struct broker_stream_state state;
    weir_error err;
    return broker_stream_state(wait->connection, wait->stream, &state, &err) == WEIR_OK &&
           state.messages == wait->messages;
}

static inline void make_servers(weir_connection *connection) {
    for (int stream = 0; stream < STREAMS; stream++)
        make_stream(connection, stream);
    make_groups(connection);
    make_others(connection);
    for (int stream = 0; stream < STREAMS; stream++)
        publish_events(connection, stream);
    for (int stream = 0; stream < STREAMS; stream++) {
        struct wait wait = {connection, stream_name(stream), (uint64_t)(events_of(stream) * MESSAGES)};
        if (!kit_until(has_messages, &wait))
            fail_msg("%s did not get its messages", wait.stream);
    }
    struct wait copy = {connection, "copy", (uint64_t)(events_of(0) * MESSAGES)};
    assert_true(kit_until(has_messages, &copy));
}

/* --- the picture ---------------------------------------------------------------------------------------- */

static inline void picture_of(buffer *out, const json *entry, const char *const *keys) {
    for (size_t i = 0; keys[i]; i++) {
        if (json_get(entry, keys[i]))
            json_write(out, json_get(entry, keys[i]), false);
        buffer_char(out, '\n');
    }
}

static inline void picture_consumers(buffer *out, weir_connection *connection, const char *stream) {
    static const char *const keys[] = {"name",      "created",         "config",          "delivered",
                                       "ack_floor", "num_ack_pending", "num_redelivered", "num_pending",
                                       NULL};
    char api[300];
    json_doc *reply = NULL;
    weir_error err = {0};
    snprintf(api, sizeof api, "CONSUMER.LIST.%s", stream);
    expect_ok(broker_api(connection, api, (weir_text){NULL, 0}, &reply, &err), &err);
    for (struct json_iter it = json_iter(json_get(json_root(reply), "consumers")); json_next(&it);)
        picture_of(out, it.value, keys);
    json_doc_free(reply);
}

/* Everything the server keeps about streams and consumers, but for the clock. Free it. */
static inline char *picture(weir_connection *connection) {
    static const char *const keys[] = {"created", "config", "state", NULL};
    json_doc *reply = NULL;
    weir_error err = {0};
    buffer out;
    buffer_init(&out, 16 << 20);
    expect_ok(broker_api(connection, "STREAM.LIST", (weir_text){NULL, 0}, &reply, &err), &err);
    for (struct json_iter it = json_iter(json_get(json_root(reply), "streams")); json_next(&it);) {
        picture_of(&out, it.value, keys);
        picture_consumers(&out, connection, json_cstr(json_pointer(it.value, weir_text_of("/config/name"))));
    }
    json_doc_free(reply);
    return out.data;
}

#endif
