/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Building one event: from a draft to the wire. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/limits.h"
#include "event_fixture.h"

static void bench_subject(struct bench *bench, const char *subject, const char *name, const char *pointer) {
    bench->params[0] = (struct param_def){name, pointer};
    bench->def.subject = subject;
    bench->def.params.items = bench->params;
    bench->def.params.count = 1;
}

/* --- building ------------------------------------------------------------------------------------------- */

static void a_draft_becomes_wire(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    expect_ok(build(&bench, &good, &built), &bench.err);
    assert_true(text_is(built.envelope,
                        "{\"event_id\":\"e1\",\"ts\":\"2025-11-14T12:00:00.123Z\",\"domain\":\"rwa\","
                        "\"type\":\"rwa.inventory.updated\",\"version\":2,"
                        "\"payload\":{\"site_id\":\"s1\",\"value\": 12.50},\"meta\":{\"key\":\"s1\"}}"));
    assert_true(text_is(built.subject, "rwa.inventory.updated"));
    assert_true(text_is(built.id, "e1"));
    assert_true(text_is(built.key, "s1"));
    bench_close(&bench);
}

static void the_key_comes_from_the_payload(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    weir_draft draft = good;
    draft.key = of("s1");
    expect_ok(build(&bench, &draft, &built), &bench.err);
    draft.key = of("s2");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: the key given is 's2', but /payload/site_id says 's1'");
    bench.def.key = "/payload/value";
    draft.key = (weir_text){NULL, 0};
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_true(text_is(built.key, "12.50"));
    bench.def.key = "/payload/meter/id";
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_null(built.key.data);
    draft.key = of("given");
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_true(text_is(built.key, "given"));
    bench_close(&bench);
}

static void the_key_may_stand_beside_the_payload(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    weir_draft draft = good;
    bench.def.key = "/meta/team_id";
    draft.tenant = of("t1");
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_true(text_is(built.key, "t1"));
    bench.def.key = "/meta/key";
    draft.key = of("k");
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_true(text_is(built.key, "k"));
    bench.def.key = NULL;
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_true(text_is(built.key, "k"));
    bench_close(&bench);
}

static void a_key_must_be_one_value(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    weir_draft draft = good;
    bench.def.key = "/payload/meter";
    draft.payload = of("{\"site_id\":\"s\",\"value\":1,\"meter\":{\"id\":1}}");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: key at /payload/meter must be one value, is of type object");
    draft.payload = of("{\"site_id\":\"s\",\"value\":1,\"meter\":\"a\\u0000b\"}");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: /payload/meter: the event's key holds a control character");
    static const char *const none[] = {"\"\"", "null"};
    for (size_t i = 0; i < 2; i++) {
        char payload[100];
        snprintf(payload, sizeof payload, "{\"site_id\":\"s\",\"value\":1,\"meter\":%s}", none[i]);
        draft.payload = of(payload);
        expect_ok(build(&bench, &draft, &built), &bench.err);
        assert_null(built.key.data);
    }
    bench_close(&bench);
}

static void the_subject_is_filled_in(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    bench_subject(&bench, "rwa.{site}.updated", "site", "/payload/site_id");
    expect_ok(build(&bench, &good, &built), &bench.err);
    assert_true(text_is(built.subject, "rwa.s1.updated"));
    bench_subject(&bench, "rwa.{team}.updated", "team", "/meta/team_id");
    weir_draft draft = good;
    draft.tenant = of("t7");
    expect_ok(build(&bench, &draft, &built), &bench.err);
    assert_true(text_is(built.subject, "rwa.t7.updated"));
    bench_close(&bench);
}

static void a_subject_cannot_be_broken_from_inside(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    bench_subject(&bench, "{site}.updated", "site", "/payload/site_id");
    weir_draft draft = good;
    draft.payload = of("{\"site_id\":\"a.b\",\"value\":1}");
    expect_error(
        build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
        "rwa.inventory.updated: parameter {site} of the subject is 'a.b', which cannot be one token");
    draft.payload = of("{\"site_id\":\">\",\"value\":1}");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: parameter {site} of the subject is '>', which cannot be one token");
    draft.payload = of("{\"site_id\":\"_weir\",\"value\":1}");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: the subject '_weir.updated' begins with the reserved _weir.");
    bench_subject(&bench, "{site}.updated", "site", "/payload/meter");
    expect_error(build(&bench, &good, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: parameter {site} of the subject has no value");
    draft.payload = of("{\"site_id\":\"s\",\"value\":1,\"meter\":[]}");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: site at /payload/meter must be one value, is of type array");
    bench_close(&bench);
}

struct bad {
    const char *payload, *message;
};

static void bad_payloads_are_refused(void **state) {
    (void)state;
    static const struct bad rows[] = {
        {"{\"site_id\":\"s\",\"value\":\"x\"}", "payload /value: "},
        {"{\"site_id\":\"s\"}", "payload: "},
        {"[]", "payload: "},
        {"null", "payload: "},
        {"", "the payload is not valid JSON: line 1, column 1: "},
        {"{\"site_id\":\"s\",\"value\":1}}", "the payload is not valid JSON: line 1, column 26: "},
        {"1},\"type\":\"x\",\"z\":{\"a\":1", "the payload is not valid JSON: line 1, column 2: "},
        {"{\"a\":1,\"a\":2}", "the payload is not valid JSON: "},
        {"\xEF\xBB\xBF{}", "the payload is not valid JSON: "},
        {"{\"a\":\"\xFF\"}", "the payload is not valid JSON: "},
        {"{\"a\":\"\\ud800\"}", "the payload is not valid JSON: "},
        {"{\"value\":NaN}", "the payload is not valid JSON: "},
        {"{\"value\":01}", "the payload is not valid JSON: "},
        {"{} // x", "the payload is not valid JSON: "},
    };
    struct bench bench;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event_built built;
        weir_draft draft = good;
        char message[200];
        draft.payload = of(rows[i].payload);
        snprintf(message, sizeof message, "rwa.inventory.updated: %s", rows[i].message);
        assert_int_equal(build(&bench, &draft, &built), WEIR_INVALID);
        if (!text_starts(of(bench.err.message), message))
            fail_msg("row %zu: %s", i, bench.err.message);
    }
    bench_close(&bench);
}

static void a_problem_names_pointer_and_keyword(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    weir_draft draft = good;
    draft.payload = of("{\"site_id\":\"s\",\"value\":\"x\"}");
    assert_int_equal(build(&bench, &draft, &built), WEIR_INVALID);
    assert_non_null(strstr(bench.err.message, "payload /value: must be "));
    assert_non_null(strstr(bench.err.message, " (type)"));
    draft = good;
    draft.actor = of("u");
    draft.actor_kind = of("robot");
    assert_int_equal(build(&bench, &draft, &built), WEIR_INVALID);
    assert_true(text_starts(of(bench.err.message), "rwa.inventory.updated: envelope /actor/kind: "));
    assert_non_null(strstr(bench.err.message, " (enum)"));
    bench_close(&bench);
}

static void depth_is_bounded(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    for (int levels = 61; levels <= 64; levels++) {
        char payload[300] = "{\"site_id\":\"s\",\"value\":1,\"meter\":";
        for (int i = 0; i < levels; i++)
            strncat(payload, "[", 2);
        for (int i = 0; i < levels; i++)
            strncat(payload, "]", 2);
        strncat(payload, "}", 2);
        weir_draft draft = good;
        draft.payload = of(payload);
        weir_event event;
        weir_code code = build(&bench, &draft, &built);
        if (levels <= 62) { /* with the payload's object and the envelope: LIMIT_JSON_DEPTH */
            expect_ok(code, &bench.err);
            char *wire = strndup(built.envelope.data, built.envelope.size);
            expect_ok(
                event_read(&event, bench.dialect, &bench.def, of(wire), true, bench.scratch, &bench.err),
                &bench.err);
            free(wire);
        } else {
            assert_int_equal(code, WEIR_INVALID);
        }
        if (levels == 63)
            assert_string_equal(bench.err.message,
                                "rwa.inventory.updated: the payload is nested more than 63 levels deep");
    }
    bench_close(&bench);
}

static void size_is_bounded(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    expect_ok(build(&bench, &good, &built), &bench.err);
    size_t size = built.envelope.size;
    char message[200];
    expect_ok(
        event_build(&built, bench.dialect, &bench.def, &good, &bench.clock, size, bench.scratch, &bench.err),
        &bench.err);
    snprintf(message, sizeof message,
             "rwa.inventory.updated: the envelope is %zu bytes long, an event may be %zu", size, size - 1);
    expect_error(event_build(&built, bench.dialect, &bench.def, &good, &bench.clock, size - 1, bench.scratch,
                             &bench.err),
                 WEIR_LIMIT, &bench.err, message);
    expect_error(
        event_build(&built, bench.dialect, &bench.def, &good, &bench.clock, 30, bench.scratch, &bench.err),
        WEIR_LIMIT, &bench.err, "rwa.inventory.updated: the payload is 31 bytes long, an event may be 30");
    bench_close(&bench);
}

static void short_fields_are_clean(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    char large[300];
    memset(large, 'x', sizeof large);
    const struct {
        size_t field;
        weir_text text;
        const char *message;
    } rows[] = {
        {offsetof(weir_draft, id), {large, 257}, "the event's id is 257 bytes long, at most 256 are allowed"},
        {offsetof(weir_draft, key),
         {large, 257},
         "the event's key is 257 bytes long, at most 256 are allowed"},
        {offsetof(weir_draft, id), {"a\r\nb", 4}, "the event's id holds a control character"},
        {offsetof(weir_draft, id), {"a\0b", 3}, "the event's id holds a control character"},
        {offsetof(weir_draft, id), {"", 0}, "the event's id is empty"},
        {offsetof(weir_draft, id), {" a", 2}, "the event's id begins or ends with a space"},
        {offsetof(weir_draft, id), {"a ", 2}, "the event's id begins or ends with a space"},
        {offsetof(weir_draft, trace), {"a\n", 2}, "the event's trace holds a control character"},
        {offsetof(weir_draft, span), {"\x7F", 1}, "the event's span holds a control character"},
        {offsetof(weir_draft, tenant), {"\xC3", 1}, "the event's tenant is no UTF-8"},
        {offsetof(weir_draft, actor), {"\xC0\x80", 2}, "the event's actor is no UTF-8"},
        {offsetof(weir_draft, actor_kind), {"\t", 1}, "the event's actor_kind holds a control character"},
        {offsetof(weir_draft, source), {"\x1B[2J", 4}, "the event's source holds a control character"},
        {offsetof(weir_draft, idempotency_key),
         {"\n", 1},
         "the event's idempotency_key holds a control character"},
        {offsetof(weir_draft, type), {"rwa", 3}, "the draft is of type 'rwa'"},
        {offsetof(weir_draft, payload), {NULL, 0}, "the event has no payload"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_draft draft = good;
        char message[200];
        memcpy((char *)&draft + rows[i].field, &rows[i].text, sizeof rows[i].text);
        snprintf(message, sizeof message, "rwa.inventory.updated: %s", rows[i].message);
        expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err, message);
    }
    weir_draft draft = good;
    draft.id = (weir_text){large, 256};
    expect_ok(build(&bench, &draft, &built), &bench.err);
    bench_close(&bench);
}

static void times_and_versions_are_checked(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct event_built built;
    weir_draft draft = good;
    draft.version = 2;
    draft.time = of("2025-11-14T12:00:00+02:00");
    expect_ok(build(&bench, &draft, &built), &bench.err);
    draft.version = 1;
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: version 1 is not the catalog's, which is 2");
    draft.version = 0;
    static const char *const bad[] = {"", "now", "2026-02-30T00:00:00Z", "2025-11-14T12:00:00", "2025-11-14"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        draft.time = of(bad[i]);
        assert_int_equal(build(&bench, &draft, &built), WEIR_INVALID);
        assert_true(text_starts(of(bench.err.message), "rwa.inventory.updated: the event's time: "));
    }
    bench_close(&bench);
}

static void keys_of_the_payload_are_shown_escaped(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    json_doc *doc = NULL;
    schema *numbers = NULL;
    expect_ok(yaml_parse(&doc, "numbers.yaml", of("additionalProperties: {type: number}"), &bench.err),
              &bench.err);
    expect_ok(schema_compile(&numbers, json_root(doc), NULL, &bench.err), &bench.err);
    bench.def.schema = numbers;
    weir_draft draft = good;
    struct event_built built;
    draft.payload = of("{\"a\\u001b[2J\\nb\":\"x\"}");
    expect_error(build(&bench, &draft, &built), WEIR_INVALID, &bench.err,
                 "rwa.inventory.updated: payload /a\\x1b[2J\\x0ab: must be a number, is a string (type)");
    schema_free(numbers);
    json_doc_free(doc);
    bench_close(&bench);
}

static const struct spec specs[] = {
    {"a draft becomes subject, id, key and envelope", a_draft_becomes_wire},
    {"the ordering key comes from the payload, and a key given must agree", the_key_comes_from_the_payload},
    {"the ordering key may stand beside the payload", the_key_may_stand_beside_the_payload},
    {"an ordering key is one clean value", a_key_must_be_one_value},
    {"a subject's parameters are filled in from payload and envelope", the_subject_is_filled_in},
    {"a value breaks out of neither token nor subject space", a_subject_cannot_be_broken_from_inside},
    {"a payload that is no JSON or breaks its schema is refused", bad_payloads_are_refused},
    {"a schema problem names pointer and keyword", a_problem_names_pointer_and_keyword},
    {"a payload is no deeper than what can be read back", depth_is_bounded},
    {"an event over its size is refused", size_is_bounded},
    {"short fields are bounded and hold no control characters", short_fields_are_clean},
    {"times and versions of a draft are checked", times_and_versions_are_checked},
    {"keys of the payload are shown escaped", keys_of_the_payload_are_shown_escaped},
};
SPEC_MAIN(specs)
