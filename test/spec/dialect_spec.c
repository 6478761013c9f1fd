/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Envelope dialects: what an envelope file may say, what is written from it, what is read back. */
#include "kit/spec.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/memory.h"
#include "event/dialect.h"

/* --- a dialect at hand ---------------------------------------------------------------------------------- */

struct bench {
    json_doc *doc;
    dialect *dialect;
    arena *arena;
    buffer out;
    weir_error err;
};

static weir_code bench_try(struct bench *bench, const char *yaml) {
    *bench = (struct bench){.arena = arena_new()};
    buffer_init(&bench->out, 1 << 16);
    weir_code code = yaml_parse(&bench->doc, "envelope.yaml", weir_text_of(yaml), &bench->err);
    if (code == WEIR_OK)
        code = dialect_compile(&bench->dialect, bench->doc, &bench->err);
    return code;
}

static void bench_end(struct bench *bench) {
    dialect_free(bench->dialect);
    json_doc_free(bench->doc);
    arena_free(bench->arena);
    buffer_release(&bench->out);
}

static struct bench bench_open(const char *yaml) {
    struct bench bench;
    weir_code code = bench_try(&bench, yaml);
    expect_ok(code, &bench.err);
    return bench;
}

static void expect_written(struct bench *bench, const weir_draft *draft, const char *expected) {
    buffer_clear(&bench->out);
    expect_ok(dialect_write(bench->dialect, &bench->out, draft, &bench->err), &bench->err);
    assert_string_equal(bench->out.data, expected);
}

static weir_text of(const char *string) {
    return weir_text_of(string);
}

static const char plain[] = "dialect: plain\n"
                            "fields:\n"
                            "  id: {at: /id}\n"
                            "  type: {at: /type}\n"
                            "  payload: {at: /payload}\n";

static const char daarion[] = "dialect: daarion\n"
                              "fields:\n"
                              "  id: {at: /event_id, generate: uuid7, prefix: evt_}\n"
                              "  time: {at: /ts, generate: now}\n"
                              "  domain: {at: /domain, value: \"{type.0}\"}\n"
                              "  type: {at: /type}\n"
                              "  version: {at: /version, as: integer}\n"
                              "  actor: {at: /actor/id}\n"
                              "  payload: {at: /payload}\n"
                              "  tenant: {at: /meta/team_id}\n"
                              "  trace: {at: /meta/trace_id}\n"
                              "  actor_kind: {at: /actor/kind}\n"
                              "  span: {at: /meta/span_id}\n";

/* --- writing -------------------------------------------------------------------------------------------- */

static void fields_stand_in_file_order(void **state) {
    (void)state;
    struct bench bench = bench_open(daarion);
    weir_draft draft = {.type = of("rwa.inventory.updated"),
                        .payload = of("{\"value\": 12.50}"),
                        .id = of("e1"),
                        .time = of("2025-11-14T12:00:00Z"),
                        .tenant = of("t1"),
                        .actor = of("u1"),
                        .actor_kind = of("user"),
                        .trace = of("tr"),
                        .span = of("sp"),
                        .version = 3};
    expect_written(
        &bench, &draft,
        "{\"event_id\":\"e1\",\"ts\":\"2025-11-14T12:00:00Z\",\"domain\":\"rwa\","
        "\"type\":\"rwa.inventory.updated\",\"version\":3,\"actor\":{\"id\":\"u1\",\"kind\":\"user\"},"
        "\"payload\":{\"value\": 12.50},"
        "\"meta\":{\"team_id\":\"t1\",\"trace_id\":\"tr\",\"span_id\":\"sp\"}}");
    bench_end(&bench);
}

static void absent_fields_are_left_out(void **state) {
    (void)state;
    struct bench bench = bench_open(daarion);
    weir_draft draft = {.type = of("a.b"), .payload = of("1"), .id = of("e1"), .span = of("sp")};
    expect_written(&bench, &draft,
                   "{\"event_id\":\"e1\",\"domain\":\"a\",\"type\":\"a.b\",\"payload\":1,\"meta\":{\"span_"
                   "id\":\"sp\"}}");
    draft.span = (weir_text){NULL, 0};
    draft.actor = of("");
    expect_written(
        &bench, &draft,
        "{\"event_id\":\"e1\",\"domain\":\"a\",\"type\":\"a.b\",\"actor\":{\"id\":\"\"},\"payload\":1}");
    bench_end(&bench);
}

static void empty_objects_vanish_wherever_they_stand(void **state) {
    (void)state;
    struct bench bench = bench_open("dialect: nested\n"
                                    "fields:\n"
                                    "  trace: {at: /a/b/c}\n"
                                    "  id: {at: /id}\n"
                                    "  tenant: {at: /m/x/y}\n"
                                    "  type: {at: /m/t}\n"
                                    "  span: {at: /m/x/z}\n"
                                    "  payload: {at: /p}\n"
                                    "  actor: {at: /z/q}\n");
    weir_draft draft = {.type = of("t"), .payload = of("{}"), .id = of("i")};
    expect_written(&bench, &draft, "{\"id\":\"i\",\"m\":{\"t\":\"t\"},\"p\":{}}");
    draft.span = of("s");
    expect_written(&bench, &draft, "{\"id\":\"i\",\"m\":{\"x\":{\"z\":\"s\"},\"t\":\"t\"},\"p\":{}}");
    draft.trace = of("1");
    draft.actor = of("2");
    draft.tenant = of("3");
    expect_written(
        &bench, &draft,
        "{\"a\":{\"b\":{\"c\":\"1\"}},\"id\":\"i\",\"m\":{\"x\":{\"y\":\"3\",\"z\":\"s\"},\"t\":\"t\"},"
        "\"p\":{},\"z\":{\"q\":\"2\"}}");
    bench_end(&bench);
}

static void text_is_escaped_and_payload_is_not_touched(void **state) {
    (void)state;
    struct bench bench = bench_open(plain);
    weir_draft draft = {.type = of("a\"b\\c"),
                        .payload = of("{ \"n\" : 1e400,\n \"u\":\"\\u00e9\", \"d\": -0.00 }"),
                        .id = of("\xD1\x82\n")};
    expect_written(&bench, &draft,
                   "{\"id\":\"\xD1\x82\\n\",\"type\":\"a\\\"b\\\\c\","
                   "\"payload\":{ \"n\" : 1e400,\n \"u\":\"\\u00e9\", \"d\": -0.00 }}");
    bench_end(&bench);
}

static void keys_of_pointers_are_unescaped_and_quoted(void **state) {
    (void)state;
    struct bench bench = bench_open("dialect: odd\n"
                                    "fields:\n"
                                    "  id: {at: /a~1b~0c}\n"
                                    "  type: {at: \"/q\\\"\"}\n"
                                    "  payload: {at: /d/0}\n");
    weir_draft draft = {.type = of("t"), .payload = of("[]"), .id = of("i")};
    expect_written(&bench, &draft, "{\"a/b~c\":\"i\",\"q\\\"\":\"t\",\"d\":{\"0\":[]}}");
    bench_end(&bench);
}

static void constants_and_substitutions(void **state) {
    (void)state;
    struct bench bench =
        bench_open("dialect: cloud\n"
                   "fields:\n"
                   "  specversion: {at: /specversion, value: \"1.0\"}\n"
                   "  ok: {at: /ok, value: true}\n"
                   "  n: {at: /n, value: 1.50}\n"
                   "  empty: {at: /empty, value: \"\"}\n"
                   "  id: {at: /id}\n"
                   "  type: {at: /type}\n"
                   "  schema: {at: /dataschema, value: \"urn:x:{type}:{version}.0#{type.1}\"}\n"
                   "  actor_kind: {at: /kind, default: service}\n"
                   "  payload: {at: /data}\n");
    weir_draft draft = {.type = of("auth.user.created"), .payload = of("{}"), .id = of("i"), .version = 2};
    expect_written(&bench, &draft,
                   "{\"specversion\":\"1.0\",\"ok\":true,\"n\":1.50,\"empty\":\"\",\"id\":\"i\","
                   "\"type\":\"auth.user.created\",\"dataschema\":\"urn:x:auth.user.created:2.0#user\","
                   "\"kind\":\"service\",\"data\":{}}");
    draft.actor_kind = of("user");
    draft.type = of("auth");
    expect_error(dialect_write(bench.dialect, &bench.out, &draft, &bench.err), WEIR_INVALID, &bench.err,
                 "field 'schema': the type has no token 1");
    bench_end(&bench);
}

static void integers_are_written_bare(void **state) {
    (void)state;
    struct bench bench = bench_open("dialect: numbers\n"
                                    "fields:\n"
                                    "  id: {at: /id, as: integer}\n"
                                    "  type: {at: /type}\n"
                                    "  version: {at: /v}\n"
                                    "  payload: {at: /p}\n");
    weir_draft draft = {.type = of("t"), .payload = of("{}"), .id = of("-42"), .version = 7};
    expect_written(&bench, &draft, "{\"id\":-42,\"type\":\"t\",\"v\":\"7\",\"p\":{}}");
    static const char *const bad[] = {"", "-", "007", "1.0", "1e3", "99999999999999999999", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[100];
        draft.id = of(bad[i]);
        snprintf(message, sizeof message, "field 'id' must be an integer, it is '%s'", bad[i]);
        expect_error(dialect_write(bench.dialect, &bench.out, &draft, &bench.err), WEIR_INVALID, &bench.err,
                     message);
    }
    bench_end(&bench);
}

static void required_fields_must_be_there(void **state) {
    (void)state;
    struct bench bench = bench_open("dialect: strict\n"
                                    "fields:\n"
                                    "  id: {at: /id}\n"
                                    "  type: {at: /type}\n"
                                    "  tenant: {at: /meta/team, required: true}\n"
                                    "  payload: {at: /p}\n");
    weir_draft draft = {.type = of("t"), .payload = of("{}"), .id = of("i")};
    expect_error(dialect_write(bench.dialect, &bench.out, &draft, &bench.err), WEIR_INVALID, &bench.err,
                 "field 'tenant' is required, and the event does not have it");
    bench_end(&bench);
}

static void a_full_buffer_is_said(void **state) {
    (void)state;
    struct bench bench = bench_open(plain);
    buffer small;
    buffer_init(&small, 20);
    weir_draft draft = {.type = of("a.b"), .payload = of("{}"), .id = of("i")};
    expect_error(dialect_write(bench.dialect, &small, &draft, &bench.err), WEIR_LIMIT, &bench.err,
                 "the envelope is larger than 20 bytes");
    buffer_release(&small);
    bench_end(&bench);
}

/* --- generating ----------------------------------------------------------------------------------------- */

static int64_t still_time(void *self) {
    return *(int64_t *)self;
}

static void ids_and_times_are_generated(void **state) {
    (void)state;
    struct bench bench = bench_open("dialect: made\n"
                                    "fields:\n"
                                    "  id: {at: /id, generate: uuid7, prefix: evt_}\n"
                                    "  trace: {at: /trace, generate: ulid}\n"
                                    "  time: {at: /ts, generate: now}\n"
                                    "  type: {at: /type}\n"
                                    "  payload: {at: /p}\n");
    int64_t now = 1763121600123456789;
    weir_clock clock = {still_time, still_time, &now};
    weir_draft draft = {.type = of("t"), .payload = of("{}")};
    expect_ok(dialect_complete(bench.dialect, &draft, &clock, bench.arena, &bench.err), &bench.err);
    assert_int_equal(draft.id.size, 40);
    assert_true(text_starts(draft.id, "evt_019a823c-"));
    assert_int_equal(draft.id.data[4 + 14], '7');
    assert_int_equal(draft.trace.size, 26);
    assert_true(text_is(draft.time, "2025-11-14T12:00:00.123Z"));
    now = 1763121600000999999;
    draft.time = (weir_text){NULL, 0};
    expect_ok(dialect_complete(bench.dialect, &draft, &clock, bench.arena, &bench.err), &bench.err);
    assert_true(text_is(draft.time, "2025-11-14T12:00:00.000Z"));
    bench_end(&bench);
}

static void what_is_given_is_kept(void **state) {
    (void)state;
    struct bench bench = bench_open(daarion);
    int64_t now = 0;
    weir_clock clock = {still_time, still_time, &now};
    weir_draft draft = {
        .type = of("t"), .payload = of("{}"), .id = of("mine"), .time = of("2020-01-01T00:00:00Z")};
    expect_ok(dialect_complete(bench.dialect, &draft, &clock, bench.arena, &bench.err), &bench.err);
    assert_true(text_is(draft.id, "mine"));
    assert_true(text_is(draft.time, "2020-01-01T00:00:00Z"));
    bench_end(&bench);
}

static void an_id_must_come_from_somewhere(void **state) {
    (void)state;
    struct bench bench = bench_open(plain);
    int64_t now = 0;
    weir_clock clock = {still_time, still_time, &now};
    weir_draft draft = {.type = of("t"), .payload = of("{}")};
    expect_error(dialect_complete(bench.dialect, &draft, &clock, bench.arena, &bench.err), WEIR_INVALID,
                 &bench.err, "the event has no id, and the envelope 'plain' generates none");
    assert_string_equal(bench.err.hint, "give an id, or write generate: uuid7 at the envelope's field id");
    bench_end(&bench);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static weir_code read_text(struct bench *bench, const char *wire, weir_event *event) {
    static json_doc *doc;
    json_doc_free(doc);
    doc = NULL;
    if (!wire)
        return WEIR_OK;
    WEIR_TRY(json_parse(&doc, weir_text_of(wire), &bench->err));
    return dialect_read(bench->dialect, event, json_root(doc), bench->arena, &bench->err);
}

static void fields_are_read_back(void **state) {
    (void)state;
    struct bench bench = bench_open(daarion);
    weir_event event;
    expect_ok(
        read_text(
            &bench,
            "{\"meta\":{\"team_id\":\"t\\u00e91\",\"other\":1},\"payload\":{\"v\": 12.50},\"type\":\"a.b\","
            "\"event_id\":\"e1\",\"version\":3,\"ts\":\"2025-11-14T12:00:00Z\",\"domain\":\"x\","
            "\"actor\":{\"id\":\"u\",\"kind\":null},\"unknown\":[]}",
            &event),
        &bench.err);
    assert_true(text_is(event.id, "e1"));
    assert_true(text_is(event.type, "a.b"));
    assert_true(text_is(event.time, "2025-11-14T12:00:00Z"));
    assert_true(text_is(event.tenant, "t\xC3\xA9"
                                      "1"));
    assert_true(text_is(event.actor, "u"));
    assert_true(text_is(event.payload, "{\"v\":12.50}"));
    assert_int_equal(event.version, 3);
    assert_null(event.actor_kind.data);
    assert_null(event.trace.data);
    read_text(&bench, NULL, NULL);
    bench_end(&bench);
}

static void versions_are_read_in_three_forms(void **state) {
    (void)state;
    struct bench bench = bench_open(daarion);
    static const char *const forms[] = {"7", "\"7\"", "\"7.0\"", "7.0"};
    for (size_t i = 0; i < 4; i++) {
        char wire[200];
        weir_event event;
        snprintf(wire, sizeof wire, "{\"event_id\":\"e\",\"type\":\"t\",\"payload\":null,\"version\":%s}",
                 forms[i]);
        expect_ok(read_text(&bench, wire, &event), &bench.err);
        assert_int_equal(event.version, 7);
        assert_true(text_is(event.payload, "null"));
    }
    read_text(&bench, NULL, NULL);
    bench_end(&bench);
}

struct bad {
    const char *text, *message;
};

static void what_is_wrong_is_named_by_its_place(void **state) {
    (void)state;
    static const struct bad rows[] = {
        {"[]", "the envelope must be an object, is of type array"},
        {"1", "the envelope must be an object, is of type number"},
        {"{}", "the envelope has no /event_id, which is the event's id"},
        {"{\"event_id\":null,\"type\":\"t\",\"payload\":1}",
         "the envelope has no /event_id, which is the event's id"},
        {"{\"event_id\":\"e\",\"payload\":1}", "the envelope has no /type, which is the event's type"},
        {"{\"event_id\":\"e\",\"type\":\"t\"}", "the envelope has no /payload, which is the event's payload"},
        {"{\"event_id\":true,\"type\":\"t\",\"payload\":1}",
         "envelope /event_id: must be a string, is of type boolean"},
        {"{\"event_id\":\"e\",\"type\":[],\"payload\":1}",
         "envelope /type: must be a string, is of type array"},
        {"{\"event_id\":\"e\",\"type\":\"t\",\"payload\":1,\"actor\":{\"id\":{}}}",
         "envelope /actor/id: must be a string, is of type object"},
        {"{\"event_id\":\"e\",\"type\":\"t\",\"payload\":1,\"version\":0}",
         "envelope /version: must be a version number from 1"},
        {"{\"event_id\":\"e\",\"type\":\"t\",\"payload\":1,\"version\":\"v1\"}",
         "envelope /version: must be a version number from 1"},
        {"{\"event_id\":\"e\",\"type\":\"t\",\"payload\":1,\"version\":99999999999}",
         "envelope /version: must be a version number from 1"},
        {"{\"event_id\":\"e\",\"type\":\"t\",\"payload\":1,\"version\":{}}",
         "envelope /version: must be a version number, is of type object"},
    };
    struct bench bench = bench_open(daarion);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_event event;
        expect_error(read_text(&bench, rows[i].text, &event), WEIR_INVALID, &bench.err, rows[i].message);
    }
    read_text(&bench, NULL, NULL);
    bench_end(&bench);
}

static void numbers_as_ids_are_read_as_text(void **state) {
    (void)state;
    struct bench bench = bench_open(plain);
    weir_event event;
    expect_ok(read_text(&bench, "{\"id\":12345678901234567890,\"type\":\"t\",\"payload\":[1.0, 2]}", &event),
              &bench.err);
    assert_true(text_is(event.id, "12345678901234567890"));
    assert_true(text_is(event.payload, "[1.0,2]"));
    read_text(&bench, NULL, NULL);
    bench_end(&bench);
}

static void places_are_known_by_name(void **state) {
    (void)state;
    struct bench bench = bench_open(daarion);
    assert_string_equal(dialect_name(bench.dialect), "daarion");
    assert_true(text_is(dialect_pointer(bench.dialect, "tenant"), "/meta/team_id"));
    assert_null(dialect_pointer(bench.dialect, "key").data);
    assert_null(dialect_pointer(bench.dialect, "domain").data);
    assert_null(dialect_schema(bench.dialect));
    bench_end(&bench);
}

/* --- the envelope's schema ------------------------------------------------------------------------------ */

static bool payload_open(const char *rules) {
    char yaml[1000];
    snprintf(yaml, sizeof yaml, "%sschema: %s\n", plain, rules);
    struct bench bench = bench_open(yaml);
    bool open = dialect_payload_open(bench.dialect);
    assert_non_null(dialect_schema(bench.dialect));
    bench_end(&bench);
    return open;
}

static void a_schema_that_looks_into_the_payload_is_noticed(void **state) {
    (void)state;
    assert_true(payload_open("{type: object, required: [id], properties: {id: {type: string}}}"));
    assert_true(payload_open("{properties: {payload: true}}"));
    assert_true(payload_open(
        "{properties: {payload: {type: object, description: any}}, additionalProperties: false}"));
    assert_false(payload_open("{properties: {payload: {required: [a]}}}"));
    assert_false(payload_open("{properties: {payload: false}}"));
    assert_false(payload_open("{additionalProperties: {minProperties: 1}}"));
    assert_false(payload_open("{allOf: [{properties: {payload: {required: [a]}}}]}"));
    assert_false(payload_open("{patternProperties: {'^pay': {required: [a]}}}"));
    assert_false(payload_open("true"));
}

/* --- bad files ------------------------------------------------------------------------------------------ */

#define REST "  type: {at: /type}\n  payload: {at: /payload}\n"

static void bad_files_are_refused_with_their_place(void **state) {
    (void)state;
    static const struct bad rows[] = {
        {"[]", "envelope.yaml:1:1: an envelope file must be a mapping"},
        {"fields: {}\n", "envelope.yaml:1:1: the envelope has no name; write dialect: NAME"},
        {"dialect: Big\n",
         "envelope.yaml:1:10: the dialect's name must be 1 to 32 characters of a-z, 0-9 and -"},
        {"dialect: x\nfeilds: {}\n", "envelope.yaml:2:1: an envelope file has no key 'feilds'"},
        {"dialect: x\n", "envelope.yaml:1:1: the envelope needs fields:, a mapping of field names to places"},
        {"dialect: x\nfields: []\n",
         "envelope.yaml:2:9: the envelope needs fields:, a mapping of field names to places"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  type: {at: /t}\n",
         "envelope.yaml:3:3: the envelope has no field 'payload'; every event needs id, type and payload"},
        {"dialect: x\nfields:\n  id: /id\n" REST,
         "envelope.yaml:3:7: field 'id' must be a mapping, like {at: /id}"},
        {"dialect: x\nfields:\n  id: {at: /id, genrate: ulid}\n" REST,
         "envelope.yaml:3:17: field 'id' has no key 'genrate'"},
        {"dialect: x\nfields:\n  id: {generate: ulid}\n" REST,
         "envelope.yaml:3:3: field 'id' does not say where it stands; write at: /some/place"},
        {"dialect: x\nfields:\n  id: {at: id}\n" REST,
         "envelope.yaml:3:12: field 'id': at must be a JSON Pointer to a member, like /meta/trace_id"},
        {"dialect: x\nfields:\n  id: {at: \"\"}\n" REST,
         "envelope.yaml:3:12: field 'id': at must be a JSON Pointer to a member, like /meta/trace_id"},
        {"dialect: x\nfields:\n  id: {at: /a~2}\n" REST,
         "envelope.yaml:3:12: field 'id': at must be a JSON Pointer to a member, like /meta/trace_id"},
        {"dialect: x\nfields:\n  id: {at: /1/2/3/4/5/6/7/8/9}\n" REST,
         "envelope.yaml:3:12: field 'id': at is 9 levels deep, at most 8 are allowed"},
        {"dialect: x\nfields:\n  id: {at: /type}\n" REST,
         "envelope.yaml:4:14: fields 'id' and 'type' stand at the same place"},
        {"dialect: x\nfields:\n  id: {at: /payload/id}\n" REST,
         "envelope.yaml:5:17: field 'id' would stand inside field 'payload'"},
        {"dialect: x\nfields:\n  id: {at: /id, generate: uuid4}\n" REST,
         "envelope.yaml:3:27: field 'id': generate must be one of: uuid7, ulid, now"},
        {"dialect: x\nfields:\n  id: {at: /id, as: number}\n" REST,
         "envelope.yaml:3:21: field 'id': as must be one of: string, integer"},
        {"dialect: x\nfields:\n  id: {at: /id, required: yes}\n" REST,
         "envelope.yaml:3:27: field 'id': required must be true or false"},
        {"dialect: x\nfields:\n  id: {at: /id, prefix: a}\n" REST,
         "envelope.yaml:3:3: field 'id': prefix belongs to generate: uuid7 or ulid"},
        {"dialect: x\nfields:\n  id: {at: /id, generate: ulid, prefix: 1}\n" REST,
         "envelope.yaml:3:41: field 'id': prefix must be a text of at most 32 bytes"},
        {"dialect: x\nfields:\n  id: {at: /id, generate: ulid, default: a}\n" REST,
         "envelope.yaml:3:3: field 'id' may have one of generate, value and default, not two"},
        {"dialect: x\nfields:\n  tennant: {at: /t}\n" REST,
         "envelope.yaml:3:3: field 'tennant' is none of the fields an event has, so it needs a value"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  type: {at: /t, default: a}\n  payload: {at: /p}\n",
         "envelope.yaml:4:3: field 'type' always comes from the event, it cannot have generate, value or "
         "default"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  d: {at: /d, value: \"{typ}\"}\n" REST,
         "envelope.yaml:4:22: field 'd': '{typ}' is none of {type}, {type.0} .. {type.9}, {version}, "
         "{source}, "
         "{subject}, {hour}, {entity}, {action}"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  d: {at: /d, value: \"a{type\"}\n" REST,
         "envelope.yaml:4:22: field 'd': '{type' is none of {type}, {type.0} .. {type.9}, {version}, "
         "{source}, "
         "{subject}, {hour}, {entity}, {action}"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  type: {at: /t, value: \"x.{subject}\"}\n  payload: {at: "
         "/p}\n",
         "envelope.yaml:4:3: field 'type' always comes from the event, it cannot have generate, value or "
         "default"},
        {"dialect: x\nfields:\n  id: {at: /id, aliases: /event_id}\n" REST,
         "envelope.yaml:3:26: field 'id': aliases must be a list of places, like [/event_id]"},
        {"dialect: x\nfields:\n  id: {at: /id, aliases: [event_id]}\n" REST,
         "envelope.yaml:3:27: field 'id': an alias must be a JSON Pointer to a member, like /meta/trace_id"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  who: {at: /who, from: /agent_id}\n" REST,
         "envelope.yaml:4:25: field 'who': from must be a place inside the payload, like /payload/who"},
        {"dialect: x\nfields:\n  id: {at: /id, header: ce-id}\n" REST,
         "envelope.yaml:3:3: field 'id' may have one of at and header, not two"},
        {"dialect: x\nfields:\n  id: {header: ce-id}\n" REST,
         "envelope.yaml:4:3: where fields stand in headers, all do, and the payload is the body: at: \"\""},
        {"dialect: x\nfields:\n  id: {header: ce id}\n" REST,
         "envelope.yaml:3:16: field 'id': header must be the name of one, 1 to 64 letters, digits and -"},
        {"dialect: x\nfields:\n  id: {at: \"\"}\n" REST,
         "envelope.yaml:3:12: field 'id': at must be a JSON Pointer to a member, like /meta/trace_id"},
        {"dialect: x\nattributes: amqp\nfields:\n  id: {at: /id}\n" REST,
         "envelope.yaml:2:13: attributes must be: cloudevents"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  d: {at: /d, value: [1]}\n" REST,
         "envelope.yaml:4:22: field 'd': its value must be a short text, a number, true or false"},
        {"dialect: x\nfields:\n  id: {at: /id}\n  actor_kind: {at: /d, default: 1}\n" REST,
         "envelope.yaml:4:33: field 'actor_kind': its value must be a text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        expect_error(bench_try(&bench, rows[i].text), WEIR_INVALID, &bench.err, rows[i].message);
        bench_end(&bench);
    }
}

static void mistyped_words_get_a_suggestion(void **state) {
    (void)state;
    struct bench bench;
    assert_int_equal(bench_try(&bench, "dialect: x\nfeilds: {}\n"), WEIR_INVALID);
    assert_string_equal(bench.err.hint, "did you mean 'fields'?");
    bench_end(&bench);
    assert_int_equal(bench_try(&bench, "dialect: x\nfields:\n  tennant: {at: /t}\n" REST), WEIR_INVALID);
    assert_string_equal(bench.err.hint, "did you mean 'tenant'?");
    bench_end(&bench);
}

static void a_broken_schema_is_refused_with_its_place(void **state) {
    (void)state;
    struct bench bench;
    char yaml[500];
    snprintf(yaml, sizeof yaml, "%sschema: {type: objekt}\n", plain);
    assert_int_equal(bench_try(&bench, yaml), WEIR_INVALID);
    assert_true(text_starts(of(bench.err.message), "envelope.yaml:6:9: the envelope's schema: #/type: "));
    bench_end(&bench);
}

static const struct spec specs[] = {
    {"fields are written in file order, those of one object together", fields_stand_in_file_order},
    {"absent fields are left out and empty texts are kept", absent_fields_are_left_out},
    {"an object that would be empty vanishes wherever it stands", empty_objects_vanish_wherever_they_stand},
    {"texts are escaped and the payload's bytes are not touched", text_is_escaped_and_payload_is_not_touched},
    {"pointer tokens become member names", keys_of_pointers_are_unescaped_and_quoted},
    {"constants, defaults and substitutions are written", constants_and_substitutions},
    {"integers are written bare and nothing else passes for one", integers_are_written_bare},
    {"a required field that is absent is an error", required_fields_must_be_there},
    {"an envelope that does not fit its buffer is an error", a_full_buffer_is_said},
    {"ids and times are generated", ids_and_times_are_generated},
    {"what the producer gives is never generated over", what_is_given_is_kept},
    {"an event without id is refused when none is generated", an_id_must_come_from_somewhere},
    {"an envelope is taken apart, unknown members and order aside", fields_are_read_back},
    {"a version is read as number, text and dotted text", versions_are_read_in_three_forms},
    {"a malformed envelope is refused with the pointer named", what_is_wrong_is_named_by_its_place},
    {"a number that stands for an id keeps its digits", numbers_as_ids_are_read_as_text},
    {"the place of a canonical field is known", places_are_known_by_name},
    {"a schema that looks into the payload is noticed", a_schema_that_looks_into_the_payload_is_noticed},
    {"a bad envelope file is refused with file, line and column", bad_files_are_refused_with_their_place},
    {"a mistyped word gets a suggestion", mistyped_words_get_a_suggestion},
    {"a broken schema is refused with its place", a_broken_schema_is_refused_with_its_place},
};
SPEC_MAIN(specs)
