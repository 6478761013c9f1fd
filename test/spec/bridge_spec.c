/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Bridges: what one dialect's event becomes in another, what is told about the rest, and what is refused. */
#include "bridge_fixture.h"

struct row {
    const char *from, *to, *in, *out;
    const char *set[4]; /* field, value, ... */
};

static void open_row(struct crossing *crossing, const struct row *row) {
    crossing_open(crossing, row->from, row->to);
    for (int i = 0; i < 4 && row->set[i]; i += 2)
        expect_ok(weir_bridge_set(crossing->bridge, row->set[i], row->set[i + 1], &crossing->err),
                  &crossing->err);
}

static void expect_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct crossing crossing;
        open_row(&crossing, &rows[i]);
        expect_ok(crossing_run(&crossing, rows[i].in), &crossing.err);
        assert_string_equal(crossing.written, rows[i].out);
        crossing_close(&crossing);
    }
}
#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof *(rows))

static void expect_refused(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct crossing crossing;
        open_row(&crossing, &rows[i]);
        expect_error(crossing_run(&crossing, rows[i].in), WEIR_INVALID, &crossing.err, rows[i].out);
        crossing_close(&crossing);
    }
}
#define EXPECT_REFUSED(rows) expect_refused(rows, sizeof(rows) / sizeof *(rows))

#define DAARION                                                                                             \
    "{\"event_id\":\"evt_1\",\"ts\":\"2025-11-14T12:00:00Z\",\"domain\":\"agent\",\"type\":\"agent.run."    \
    "completed\","                                                                                          \
    "\"version\":1,\"actor\":{\"id\":\"u_1\",\"kind\":\"agent\"},\"payload\":{\"cost\": 12.50, \"n\":1e2}," \
    "\"meta\":{\"team_id\":\"t_5\",\"trace_id\":\"tr\"}}"
#define GIIA                                                                                                 \
    "{\"id\":\"e1\",\"type\":\"user.created\",\"source\":\"auth\",\"organization_id\":\"o1\",\"timestamp\":" \
    "\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\",\"data\":{\"user_id\":\"u1\"}}"
#define MICRODAO                                                                                         \
    "{\"event_id\":\"e1\",\"idempotency_key\":\"k\",\"event_type\":\"attachment.created.image\","        \
    "\"timestamp\":"                                                                                     \
    "\"2026-01-19T12:00:00Z\",\"trace_id\":\"t\",\"source\":\"gateway\",\"agent_id\":\"helion\",\"user_" \
    "id\":"                                                                                              \
    "\"tg:1\",\"payload\":{\"file\":\"a b\"}}"
#define CLOUDEVENTS                                                                                   \
    "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/shop\",\"type\":\"order.placed\",\"time\":" \
    "\"2025-12-12T10:00:00Z\",\"subject\":\"o 1\",\"sequence\":7,\"data\":{\"total\": 12.50}}"

/* --- what crosses --------------------------------------------------------------------------------------- */

static void each_pair_carries_what_it_can(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"giia", "cloudevents", GIIA,
         "Content-Type: application/cloudevents+json\n\n"
         "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"auth\",\"type\":\"user.created\",\"time\":"
         "\"2025-12-12T10:00:00Z\",\"schemaversion\":\"1.0\",\"organizationid\":\"o1\",\"datacontenttype\":"
         "\"application/json\",\"data\":{\"user_id\":\"u1\"}}\n"},
        {"giia", "cloudevents-binary", GIIA,
         "ce-specversion: 1.0\nce-id: e1\nce-source: auth\nce-type: user.created\nce-time: "
         "2025-12-12T10:00:00Z\nce-schemaversion: 1.0\nce-organizationid: o1\nce-datacontenttype: "
         "application/json\n\n{\"user_id\":\"u1\"}\n"},
        {"giia", "daarion", GIIA,
         "{\"event_id\":\"e1\",\"ts\":\"2025-12-12T10:00:00Z\",\"domain\":\"user\",\"type\":\"user.created\","
         "\"version\":1,\"actor\":{\"id\":\"unknown\",\"kind\":\"service\"},\"payload\":{\"user_id\":\"u1\"},"
         "\"meta\":{\"team_id\":\"o1\"}}\n"
         "source 'auth' is not carried: dialect 'daarion' has no place for it\n"},
        {"microdao", "cloudevents", MICRODAO,
         "Content-Type: application/cloudevents+json\n\n"
         "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"gateway\",\"type\":\"attachment.created."
         "image\","
         "\"time\":\"2026-01-19T12:00:00Z\",\"traceid\":\"t\",\"idempotencykey\":\"k\",\"datacontenttype\":"
         "\"application/json\",\"data\":{\"file\":\"a b\"},\"agentid\":\"helion\",\"userid\":\"tg:1\"}\n"},
        {"microdao",
         "daarion",
         MICRODAO,
         "{\"event_id\":\"e1\",\"ts\":\"2026-01-19T12:00:00Z\",\"domain\":\"attachment\",\"type\":"
         "\"attachment.created.image\",\"version\":1,\"actor\":{\"id\":\"unknown\",\"kind\":\"service\"},"
         "\"payload\":{\"file\":\"a b\"},\"meta\":{\"trace_id\":\"t\",\"idempotency_key\":\"k\"}}\n"
         "source 'gateway' is not carried: dialect 'daarion' has no place for it\n"
         "agent_id 'helion' is not carried: dialect 'daarion' has no place for it\n"
         "user_id 'tg:1' is not carried: dialect 'daarion' has no place for it\n",
         {"version", "1"}},
        {"daarion",
         "cloudevents",
         DAARION,
         "Content-Type: application/cloudevents+json\n\n"
         "{\"specversion\":\"1.0\",\"id\":\"evt_1\",\"source\":\"/daarion\",\"type\":\"agent.run.completed\","
         "\"time\":\"2025-11-14T12:00:00Z\",\"schemaversion\":\"1\",\"organizationid\":\"t_5\",\"actorid\":"
         "\"u_1\",\"actorkind\":\"agent\",\"traceid\":\"tr\",\"datacontenttype\":\"application/json\","
         "\"data\":{\"cost\": 12.50, \"n\":1e2}}\n",
         {"source", "/daarion"}},
        {"daarion",
         "giia",
         DAARION,
         "{\"id\":\"evt_1\",\"type\":\"agent.run.completed\",\"source\":\"daarion\",\"organization_id\":"
         "\"t_5\",\"timestamp\":\"2025-11-14T12:00:00Z\",\"schema_version\":\"1.0\","
         "\"data\":{\"cost\": 12.50, \"n\":1e2}}\n"
         "actor 'u_1' is not carried: dialect 'giia' has no place for it\n"
         "actor_kind 'agent' is not carried: dialect 'giia' has no place for it\n"
         "trace 'tr' is not carried: dialect 'giia' has no place for it\n",
         {"source", "daarion", "tenant", "only where there is none"}},
        {"cloudevents", "microdao", CLOUDEVENTS,
         "{\"event_id\":\"e1\",\"event_type\":\"order.placed\",\"timestamp\":\"2025-12-12T10:00:00Z\","
         "\"source\":\"/shop\",\"payload\":{\"total\": 12.50}}\n"
         "subject 'o 1' is not carried: dialect 'microdao' has no place for it\n"
         "sequence '7' is not carried: dialect 'microdao' has no place for it\n"},
        {"cloudevents", "cloudevents-binary", CLOUDEVENTS,
         "ce-specversion: 1.0\nce-id: e1\nce-source: /shop\nce-type: order.placed\nce-time: "
         "2025-12-12T10:00:00Z\nce-datacontenttype: application/json\nce-subject: o%201\nce-sequence: 7\n\n"
         "{\"total\": 12.50}\n"},
    };
    EXPECT_ROWS(rows);
}

static void members_that_no_field_claims_are_extensions(void **state) {
    (void)state;
#define EXTRA(member)                                                                           \
    "{\"id\":\"e1\",\"type\":\"a.b\",\"source\":\"s\",\"organization_id\":\"o\",\"timestamp\":" \
    "\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\",\"data\":{}," member "}"
#define BINARY(more)                                                                              \
    "ce-specversion: 1.0\nce-id: e1\nce-source: s\nce-type: a.b\nce-time: 2025-12-12T10:00:00Z\n" \
    "ce-schemaversion: 1.0\nce-organizationid: o\nce-datacontenttype: application/json\n" more "\n{}\n"
    static const struct row rows[] = {
        {"giia", "cloudevents-binary", EXTRA("\"correlation_id\":\"c 1\""),
         BINARY("ce-correlationid: c%201\n")},
        {"giia", "cloudevents-binary", EXTRA("\"retries\":3,\"dry\":true"),
         BINARY("ce-retries: 3\nce-dry: true\n")},
        {"giia", "cloudevents-binary", EXTRA("\"tags\":[\"a\"]"),
         BINARY("") "tags '[\"a\"]' is not carried: a CloudEvents attribute holds one value\n"},
        {"giia", "cloudevents-binary", EXTRA("\"a_member_with_far_too_long_a_name\":1"),
         BINARY("") "a_member_with_far_too_long_a_name '1' is not carried: a CloudEvents attribute is named "
                    "with 1 "
                    "to 20 "
                    "of a-z and 0-9\n"},
        {"giia", "cloudevents-binary", EXTRA("\"trace_id\":\"t\""),
         BINARY("") "trace_id 't' is not carried: the attribute traceid is something else\n"},
        {"giia", "cloudevents-binary", EXTRA("\"event_id\":\"other\""), BINARY("ce-eventid: other\n")},
        {"giia", "cloudevents-binary", EXTRA("\"spec_version\":\"0.3\""),
         BINARY("") "spec_version '0.3' is not carried: the attribute specversion is something else\n"},
        {"giia", "giia", EXTRA("\"x\\u001b\":{\"y\":1}"),
         "{\"id\":\"e1\",\"type\":\"a.b\",\"source\":\"s\",\"organization_id\":\"o\",\"timestamp\":"
         "\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\",\"data\":{}}\n"
         "x\\x1b '{\"y\":1}' is not carried: dialect 'giia' has no place for it\n"},
        {"daarion", "daarion",
         "{\"event_id\":\"e1\",\"ts\":\"2025-12-12T10:00:00Z\",\"domain\":\"else\",\"type\":\"a.b\","
         "\"version\":1,"
         "\"actor\":{\"id\":\"u\",\"kind\":\"user\",\"name\":\"Eve\"},\"payload\":{},\"meta\":{\"ip\":\"::"
         "1\"}}",
         "{\"event_id\":\"e1\",\"ts\":\"2025-12-12T10:00:00Z\",\"domain\":\"else\",\"type\":\"a.b\","
         "\"version\":1,"
         "\"actor\":{\"id\":\"u\",\"kind\":\"user\"},\"payload\":{}}\n"
         "/actor/name 'Eve' is not carried: dialect 'daarion' has no place for it\n"
         "/meta/ip '::1' is not carried: dialect 'daarion' has no place for it\n"},
    };
    EXPECT_ROWS(rows);
}

static void versions_keep_their_text_where_there_is_room(void **state) {
    (void)state;
#define VERSIONED(version)                                                                      \
    "{\"id\":\"e1\",\"type\":\"a.b\",\"source\":\"s\",\"organization_id\":\"o\",\"timestamp\":" \
    "\"2025-12-12T10:00:00Z\",\"schema_version\":\"" version "\",\"data\":{}}"
#define AS_DAARION(version)                                                                              \
    "{\"event_id\":\"e1\",\"ts\":\"2025-12-12T10:00:00Z\",\"domain\":\"a\",\"type\":\"a.b\"," version    \
    "\"actor\":{\"id\":\"unknown\",\"kind\":\"service\"},\"payload\":{},\"meta\":{\"team_id\":\"o\"}}\n" \
    "source 's' is not carried: dialect 'daarion' has no place for it\n"
    static const struct row rows[] = {
        {"giia", "giia", VERSIONED("1.2"), VERSIONED("1.2") "\n"},
        {"giia", "giia", VERSIONED("2024-06"), VERSIONED("2024-06") "\n"},
        {"giia", "daarion", VERSIONED("2.0"), AS_DAARION("\"version\":2,")},
        {"giia", "daarion", VERSIONED("1.2"),
         AS_DAARION(
             "\"version\":1,") "version '1.2' is not carried: it becomes 1, dialect 'daarion' has numbers "
                               "only\n"},
        {"daarion",
         "giia",
         "{\"event_id\":\"e1\",\"ts\":\"2025-12-12T10:00:00Z\",\"domain\":\"a\",\"type\":\"a.b\",\"version\":"
         "2,"
         "\"actor\":{\"id\":\"u\",\"kind\":\"user\"},\"payload\":{},\"meta\":{\"team_id\":\"o\"}}",
         VERSIONED("2.0") "\nactor 'u' is not carried: dialect 'giia' has no place for it\n"
                          "actor_kind 'user' is not carried: dialect 'giia' has no place for it\n",
         {"source", "s"}},
    };
    EXPECT_ROWS(rows);
}

/* --- CloudEvents ---------------------------------------------------------------------------------------- */

#define STRUCTURED(more)                             \
    "Content-Type: application/cloudevents+json\n\n" \
    "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"s\",\"type\":\"a.b\"" more "}\n"
#define HEADERS(more) "ce-specversion: 1.0\nce-id: e1\nce-source: s\nce-type: a.b\n" more "\n"

static void data_of_any_kind_passes(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"cloudevents-binary", "cloudevents", HEADERS(""), STRUCTURED("")},
        {"cloudevents-binary", "cloudevents", HEADERS("ce-datacontenttype: text/plain\n") "a \"b\"",
         STRUCTURED(",\"datacontenttype\":\"text/plain\",\"data\":\"a \\\"b\\\"\"")},
        {"cloudevents-binary", "cloudevents", HEADERS("ce-datacontenttype: image/png\n") "\xff\xfe",
         STRUCTURED(",\"datacontenttype\":\"image/png\",\"data_base64\":\"//4=\"")},
        {"cloudevents-binary", "cloudevents",
         HEADERS("Content-Type: application/json; charset=utf-8\n") "[1, 2]",
         STRUCTURED(",\"datacontenttype\":\"application/json; charset=utf-8\",\"data\":[1, 2]")},
        {"cloudevents-binary", "cloudevents", HEADERS("") "{\"a\":1.0}",
         STRUCTURED(",\"datacontenttype\":\"application/json\",\"data\":{\"a\":1.0}")},
        {"cloudevents-binary", "cloudevents", HEADERS("") "not json",
         STRUCTURED(",\"data_base64\":\"bm90IGpzb24=\"")},
        {"cloudevents", "cloudevents-binary", STRUCTURED(",\"data_base64\":\"//4=\""),
         HEADERS("") "\xff\xfe\n"},
        {"cloudevents", "cloudevents-binary",
         STRUCTURED(",\"datacontenttype\":\"application/json\",\"data_base64\":\"e30=\""),
         HEADERS("ce-datacontenttype: application/json\n") "{}\n"},
        {"cloudevents", "cloudevents-binary",
         STRUCTURED(",\"datacontenttype\":\"text/xml\",\"data\":\"<a/>\""),
         HEADERS("ce-datacontenttype: text/xml\n") "<a/>\n"},
        {"cloudevents", "cloudevents-binary", STRUCTURED(",\"data\":null"),
         HEADERS("ce-datacontenttype: application/json\n") "null\n"},
    };
    EXPECT_ROWS(rows);
}

static void either_form_is_known_by_its_headers(void **state) {
    (void)state;
#define BOTH "cloudevents", STRUCTURED("")
    static const struct row rows[] = {
        {"cloudevents", BOTH, STRUCTURED("")},
        {"cloudevents-binary", BOTH, STRUCTURED("")},
        {"cloudevents", BOTH, HEADERS("")},
        {"cloudevents-binary", "cloudevents",
         "content-TYPE: Application/CloudEvents+JSON; charset=UTF-8\n\n"
         "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"s\",\"type\":\"a.b\"}",
         STRUCTURED("")},
        {"cloudevents", "cloudevents",
         "CE-SpecVersion: 1.0\nCe-Id: e1\nce-SOURCE: s\nce-type: a.b\nNats-Msg-Id: x\n\n", STRUCTURED("")},
    };
    for (size_t i = 0; i < 3; i++) {
        struct crossing crossing;
        crossing_open(&crossing, rows[i].from, "cloudevents");
        expect_ok(crossing_run(&crossing, i == 2 ? HEADERS("") : STRUCTURED("")), &crossing.err);
        assert_string_equal(crossing.written, STRUCTURED(""));
        crossing_close(&crossing);
    }
    expect_rows(rows + 3, 2);
}

static void what_is_no_cloudevent_is_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"cloudevents", "giia", "{\"specversion\":\"0.3\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\"}",
         "as 'cloudevents': envelope /specversion: must be \"1.0\", is \"0.3\" (const)"},
        {"cloudevents", "giia", "{\"specversion\":\"1.0\",\"id\":\"e\",\"type\":\"t\"}",
         "as 'cloudevents': the envelope has no /source, which is the event's source"},
        {"cloudevents", "giia",
         "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data\":1,"
         "\"data_base64\":\"AA==\"}",
         "as 'cloudevents': the event has both data and data_base64"},
        {"cloudevents", "giia",
         "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\","
         "\"data_base64\":\"A\"}",
         "as 'cloudevents': envelope /data_base64: must be base64"},
        {"cloudevents", "giia", "Content-Type: application/cloudevents-batch+json\n\n[]",
         "a batch of CloudEvents is no event; send them one by one"},
        {"cloudevents-binary", "giia", "ce-id: e\nce-source: s\nce-type: t\n\n{}",
         "as 'cloudevents-binary': the event has no header ce-specversion, which is its specversion"},
        {"cloudevents-binary", "giia", "ce-specversion: 2.0\nce-id: e\nce-source: s\nce-type: t\n\n{}",
         "as 'cloudevents-binary': attribute /specversion: must be \"1.0\", is \"2.0\" (const)"},
        {"cloudevents-binary", "giia", HEADERS("CE-ID: e2\n"),
         "as 'cloudevents-binary': the header ce-id stands twice"},
        {"cloudevents-binary", "giia", HEADERS("ce-x: 50%\n"),
         "as 'cloudevents-binary': header ce-x: it has a % that is not followed by two hex digits"},
        {"cloudevents-binary", "giia", HEADERS("ce-x: %C3\n"),
         "as 'cloudevents-binary': header ce-x: it is no UTF-8"},
        {"cloudevents-binary", "giia", HEADERS("ce-x: \"open\n"),
         "as 'cloudevents-binary': header ce-x: its quoted text is not closed"},
        {"cloudevents-binary", "giia", HEADERS("ce-time: yesterday\n"),
         "as 'cloudevents-binary': attribute /time: must be a date-time (RFC 3339), is \"yesterday\" "
         "(format)"},
        {"cloudevents-binary", "giia", HEADERS("ce-datacontenttype: application/json\n") "{",
         "as 'cloudevents-binary': the data is not valid JSON, as its content type says: line 1, column 2: "
         "the "
         "text ends before the value does"},
    };
    EXPECT_REFUSED(rows);
}

/* --- what the target demands ---------------------------------------------------------------------------- */

static void what_the_target_requires_must_be_there(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"daarion", "cloudevents", DAARION,
         "to 'cloudevents': field 'source' is required, and the event does not have it"},
        {"daarion", "cloudevents-binary", DAARION,
         "to 'cloudevents-binary': field 'source' is required, and the event does not have it"},
        {"cloudevents", "giia", STRUCTURED(""),
         "to 'giia': the event has no data, and dialect 'giia' carries JSON only"},
        {"cloudevents", "giia", STRUCTURED(",\"datacontenttype\":\"text/plain\",\"data\":\"x\""),
         "to 'giia': the event has data that is no JSON, and dialect 'giia' carries JSON only"},
        {"cloudevents", "giia",
         STRUCTURED(",\"organizationid\":\"o\",\"schemaversion\":\"1.0\",\"time\":"
                    "\"2025-12-12T10:00:00Z\",\"data\":[1]"),
         "to 'giia': envelope /data: must be an object, is an array (type)"},
        {"daarion",
         "cloudevents",
         DAARION,
         "to 'cloudevents': envelope /source: must be a URI reference, is \"a b\" (format)",
         {"source", "a b"}},
        {"daarion",
         "cloudevents-binary",
         DAARION,
         "to 'cloudevents-binary': attribute /source: must be a URI reference, is \"a b\" (format)",
         {"source", "a b"}},
    };
    EXPECT_REFUSED(rows);
    struct crossing crossing;
    crossing_open(&crossing, "daarion", "cloudevents");
    assert_int_equal(crossing_run(&crossing, DAARION), WEIR_INVALID);
    assert_string_equal(crossing.err.hint,
                        "let the bridge supply it: --set FIELD=VALUE, or set: in the catalog's bridge");
    expect_error(weir_bridge_set(crossing.bridge, "sorce", "x", &crossing.err), WEIR_INVALID, &crossing.err,
                 "dialect 'cloudevents' has no field 'sorce' to set");
    assert_string_equal(crossing.err.hint, "did you mean 'source'?");
    crossing_close(&crossing);
}

static void payload_bytes_pass_unchanged(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"giia", "cloudevents-binary",
         "{ \"d\\u0061ta\" : {\"a\" : [ 1.0 , \"}\\\"\" ] ,\"b\":1E400} , "
         "\"id\":\"e1\",\"type\":\"a.b\",\"source\":"
         "\"s\",\"organization_id\":\"o\",\"timestamp\":\"2025-12-12T10:00:00Z\",\"schema_version\":\"1.0\" "
         "}",
         "ce-specversion: 1.0\nce-id: e1\nce-source: s\nce-type: a.b\nce-time: 2025-12-12T10:00:00Z\n"
         "ce-schemaversion: 1.0\nce-organizationid: o\nce-datacontenttype: application/json\n\n"
         "{\"a\" : [ 1.0 , \"}\\\"\" ] ,\"b\":1E400}\n"},
    };
    EXPECT_ROWS(rows);
}

static void dialects_may_be_files(void **state) {
    (void)state;
    weir_dialect *mine = NULL;
    weir_error err;
    static const char yaml[] =
        "dialect: mine\nfields:\n  id: {at: /i}\n  type: {at: /t}\n  payload: {at: /p}\n"
        "  agent_id: {at: /agent, from: /p/agent}\n";
    expect_ok(weir_dialect_parse(&mine, "mine.yaml", weir_text_of(yaml), &err), &err);
    assert_string_equal(weir_dialect_name(mine), "mine");
    struct crossing crossing;
    crossing_open(&crossing, "microdao", "microdao");
    weir_bridge_free(crossing.bridge);
    crossing.bridge = weir_bridge_new(crossing.from, mine);
    expect_ok(crossing_run(&crossing, MICRODAO), &crossing.err);
    assert_non_null(strstr(crossing.written,
                           "{\"i\":\"e1\",\"t\":\"attachment.created.image\",\"p\":{\"file\":\"a b\"},"
                           "\"agent\":\"helion\"}\n"));
    crossing_close(&crossing);
    weir_dialect_close(mine);
    expect_error(weir_dialect_parse(&mine, "mine.yaml", weir_text_of("fields: {}"), &err), WEIR_INVALID, &err,
                 "mine.yaml:1:1: the envelope has no name; write dialect: NAME");
}

static const struct spec specs[] = {
    {"each pair carries what it can", each_pair_carries_what_it_can},
    {"members that no field claims are extensions", members_that_no_field_claims_are_extensions},
    {"versions keep their text where there is room", versions_keep_their_text_where_there_is_room},
    {"data of any kind passes", data_of_any_kind_passes},
    {"either form is known by its headers", either_form_is_known_by_its_headers},
    {"what is no cloudevent is refused", what_is_no_cloudevent_is_refused},
    {"what the target requires must be there", what_the_target_requires_must_be_there},
    {"payload bytes pass unchanged", payload_bytes_pass_unchanged},
    {"dialects may be files", dialects_may_be_files},
};
SPEC_MAIN(specs)
