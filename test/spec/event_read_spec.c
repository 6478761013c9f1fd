/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Reading one event: from the wire back, whoever wrote it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fail.h"
#include "base/limits.h"
#include "event_fixture.h"

/* --- reading -------------------------------------------------------------------------------------------- */

static const char wire[] = "{\"event_id\":\"e1\",\"ts\":\"2025-11-14T12:00:00Z\",\"domain\":\"rwa\","
                           "\"type\":\"rwa.inventory.updated\",\"version\":2,"
                           "\"payload\":{\"site_id\":\"s1\",\"value\":12.50,\"meter\":{\"a\":[1, 2.0]}}}";

static weir_code read_wire(struct bench *bench, const char *text, weir_event *event) {
    return event_read(event, bench->dialect, &bench->def, of(text), true, bench->scratch, &bench->err);
}

static void wire_becomes_an_event(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    weir_event event;
    expect_ok(read_wire(&bench, wire, &event), &bench.err);
    assert_true(text_is(event.id, "e1"));
    assert_true(text_is(event.key, "s1"));
    assert_int_equal(event.version, 2);
    assert_true(text_is(event.wire, wire));
    expect_ok(event_read(&event, bench.dialect, NULL, of(wire), true, bench.scratch, &bench.err), &bench.err);
    assert_null(event.key.data);
    bench_close(&bench);
}

static void payloads_are_read_by_pointer(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    weir_event event;
    weir_text text;
    expect_ok(read_wire(&bench, wire, &event), &bench.err);
    expect_ok(weir_event_read(&event, "/site_id", &text, &bench.err), &bench.err);
    assert_true(text_is(text, "s1"));
    expect_ok(weir_event_read(&event, "/value", &text, &bench.err), &bench.err);
    assert_true(text_is(text, "12.50"));
    expect_ok(weir_event_read(&event, "/meter", &text, &bench.err), &bench.err);
    assert_true(text_is(text, "{\"a\":[1,2.0]}"));
    expect_error(weir_event_read(&event, "/sight", &text, &bench.err), WEIR_NOT_FOUND, &bench.err,
                 "the payload has nothing at '/sight'");
    expect_error(weir_event_read(&event, "site_id", &text, &bench.err), WEIR_INVALID, &bench.err,
                 "'site_id' is no JSON Pointer");
    event.tree = NULL;
    expect_error(weir_event_read(&event, "/site_id", &text, &bench.err), WEIR_INVALID, &bench.err,
                 "this event was not parsed, so its payload cannot be read by pointer");
    bench_close(&bench);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    weir_event event;
    for (size_t size = 0; size < sizeof wire - 1; size++) {
        char *part = malloc(size ? size : 1); /* no byte more than what is read */
        memcpy(part, wire, size);
        weir_code code = event_read(&event, bench.dialect, &bench.def, (weir_text){part, size}, true,
                                    bench.scratch, &bench.err);
        free(part);
        if (code != WEIR_INVALID)
            fail_msg("%zu bytes passed", size);
    }
    assert_true(
        text_starts(of(bench.err.message), "rwa.inventory.updated: the event is not valid JSON: line 1, "));
    bench_close(&bench);
}

struct bad {
    const char *payload, *message;
};

static void foreign_bytes_are_refused_with_a_reason(void **state) {
    (void)state;
#define HEAD "{\"event_id\":\"e1\",\"ts\":\"2025-11-14T12:00:00Z\",\"type\":\"rwa.inventory.updated\","
#define BODY "\"payload\":{\"site_id\":\"s1\",\"value\":1}}"
    static const struct bad rows[] = {
        {"", "the event is empty"},
        {"hello", "the event is not valid JSON: line 1, column 1: "},
        {"[]", "the envelope must be an object, is of type array"},
        {"{}", "the envelope has no /event_id, which is the event's id"},
        {HEAD BODY, "envelope: "},
        {HEAD "\"version\":3," BODY, "version 3 is newer than the catalog's, which is 2"},
        {HEAD "\"version\":2,\"payload\":{\"site_id\":\"s1\"}}", "payload: "},
        {HEAD "\"version\":2,\"payload\":{\"site_id\":\"\",\"value\":1}}", "payload /site_id: "},
        {HEAD "\"version\":2,\"actor\":{\"kind\":\"x\"}," BODY, "envelope /actor/kind: "},
        {HEAD "\"version\":2,\"meta\":{\"trace_id\":\"a\\nb\"}," BODY,
         "the event's trace holds a control character"},
        {"{\"event_id\":\"e\",\"ts\":\"2025-11-14T12:00:00Z\",\"type\":\"x\",\"version\":2," BODY,
         "the envelope says it is of type 'x'"},
        {HEAD "\"version\":2," BODY " ", NULL},
        {HEAD "\"version\":2," BODY "{}", "the event is not valid JSON: "},
        {HEAD "\"version\":2,\"event_id\":\"e2\"," BODY, "the event is not valid JSON: "},
        {HEAD "\"version\":2,\"event_\\u0069d\":\"e2\"," BODY, "the event is not valid JSON: "},
    };
    struct bench bench;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_event event;
        char message[200];
        weir_code code = read_wire(&bench, rows[i].payload, &event);
        if (!rows[i].message) {
            expect_ok(code, &bench.err);
            continue;
        }
        snprintf(message, sizeof message, "rwa.inventory.updated: %s", rows[i].message);
        if (code != WEIR_INVALID || !text_starts(of(bench.err.message), message))
            fail_msg("row %zu: %s", i, bench.err.message);
    }
    bench_close(&bench);
}

static void an_older_version_passes_without_its_schema(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    weir_event event;
    expect_ok(read_wire(&bench, HEAD "\"version\":1,\"payload\":{\"old\":true}}", &event), &bench.err);
    assert_int_equal(event.version, 1);
    bench_close(&bench);
}

static void reading_can_leave_schemas_out(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    weir_event event;
    expect_ok(event_read(&event, bench.dialect, &bench.def, of(HEAD "\"payload\":{\"site_id\":\"k\"}}"),
                         false, bench.scratch, &bench.err),
              &bench.err);
    assert_true(text_is(event.key, "k"));
    bench_close(&bench);
}

static bool same(const char *a, const char *b, bool times) {
    struct bench bench;
    bench_open(&bench);
    event_scratch *other = event_scratch_new();
    weir_event one, two;
    expect_ok(read_wire(&bench, a, &one), &bench.err);
    expect_ok(event_read(&two, bench.dialect, &bench.def, of(b), true, other, &bench.err), &bench.err);
    bool answer = event_same(&one, &two, times);
    event_scratch_free(other);
    bench_close(&bench);
    return answer;
}

static void events_are_compared_by_what_they_say(void **state) {
    (void)state;
#define EVENT(id, ts, actor, value)                                                                \
    "{\"event_id\":\"" id "\",\"ts\":\"" ts "\",\"type\":\"rwa.inventory.updated\",\"version\":2," \
    "\"actor\":{\"id\":\"" actor "\"},\"payload\":{\"site_id\":\"s\",\"value\":" value "}}"
    static const char event[] = EVENT("e", "2025-11-14T12:00:00Z", "u", "1.50");
    assert_true(same(event, event, true));
    assert_true(same(event, EVENT("f", "2025-11-14T12:00:00Z", "u", "1.5"), true));
    assert_true(same(event, EVENT("e", "2026-11-14T12:00:00Z", "u", "1.50"), false));
    assert_false(same(event, EVENT("e", "2026-11-14T12:00:00Z", "u", "1.50"), true));
    assert_false(same(event, EVENT("e", "2025-11-14T12:00:00Z", "v", "1.50"), false));
    assert_false(same(event, EVENT("e", "2025-11-14T12:00:00Z", "u", "1.51"), false));
}

static void keys_are_found_in_a_tree(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    json_doc *doc;
    expect_ok(json_parse(&doc, of(wire), &bench.err), &bench.err);
    assert_true(text_is(event_key(&bench.def, json_root(doc)), "s1"));
    bench.def.key = "/payload/value";
    assert_true(text_is(event_key(&bench.def, json_root(doc)), "12.50"));
    bench.def.key = "/payload/none";
    assert_null(event_key(&bench.def, json_root(doc)).data);
    bench.def.key = NULL;
    assert_null(event_key(&bench.def, json_root(doc)).data);
    json_doc_free(doc);
    bench_close(&bench);
}

static void numbers_survive(void **state) {
    (void)state;
    static const char *const numbers[] = {"0.1",
                                          "12.50",
                                          "-0.00",
                                          "1e400",
                                          "9007199254740993",
                                          "18446744073709551616",
                                          "1E-7",
                                          "0.30000000000000004"};
    struct bench bench;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char payload[100], expected[120];
        struct event_built built;
        weir_draft draft = good;
        weir_event event;
        weir_text value;
        snprintf(payload, sizeof payload, "{\"site_id\":\"s\",\"value\":%s}", numbers[i]);
        snprintf(expected, sizeof expected, "\"payload\":%s", payload);
        draft.payload = of(payload);
        expect_ok(build(&bench, &draft, &built), &bench.err);
        char *wire = strndup(built.envelope.data, built.envelope.size);
        assert_non_null(strstr(wire, expected));
        expect_ok(event_read(&event, bench.dialect, &bench.def, of(wire), true, bench.scratch, &bench.err),
                  &bench.err);
        assert_true(text_is(event.payload, payload));
        expect_ok(weir_event_read(&event, "/value", &value, &bench.err), &bench.err);
        assert_true(text_is(value, numbers[i]));
        free(wire);
    }
    bench_close(&bench);
}

/* --- any draft comes back ------------------------------------------------------------------------------- */

static uint64_t seed;

static uint32_t roll(uint32_t sides) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % sides;
}

static weir_text random_text(arena *memory) {
    static const char *const letters[] = {"a", "\"", "\\", "/", "{", "}", "\xD1\x82", "\xF0\x9F\x98\x80",
                                          " ", "0",  ":"};
    if (roll(3) == 0)
        return (weir_text){NULL, 0};
    buffer text;
    buffer_init(&text, LIMIT_ID_BYTES);
    buffer_string(&text, "x");
    for (uint32_t i = roll(20); i > 0; i--)
        buffer_string(&text, letters[roll(sizeof letters / sizeof *letters)]);
    buffer_string(&text, "x");
    weir_text made = arena_text(memory, buffer_view(&text));
    buffer_release(&text);
    return made;
}

static void any_draft_comes_back(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    arena *memory = arena_new();
    event_scratch *reader = event_scratch_new();
    for (int round = 0; round < 3000; round++) {
        weir_draft draft = good;
        weir_text *const texts[] = {&draft.tenant, &draft.actor,  &draft.trace,          &draft.span,
                                    &draft.id,     &draft.source, &draft.idempotency_key};
        for (size_t i = 0; i < 7; i++)
            *texts[i] = random_text(memory);
        if (roll(2))
            draft.actor_kind = of("agent");
        struct event_built built;
        weir_event event;
        expect_ok(build(&bench, &draft, &built), &bench.err);
        expect_ok(event_read(&event, bench.dialect, &bench.def, built.envelope, true, reader, &bench.err),
                  &bench.err);
        const weir_text back[] = {event.tenant, event.actor,  event.trace,          event.span,
                                  event.id,     event.source, event.idempotency_key};
        for (size_t i = 0; i < 7; i++)
            assert_true(text_equal(i == 4 ? built.id : *texts[i], back[i]));
        assert_true(text_equal(draft.actor_kind, event.actor_kind));
        assert_true(text_equal(built.key, event.key));
        assert_true(draft.id.data ? text_equal(draft.id, event.id) : event.id.size == 40);
        arena_reset(memory);
    }
    event_scratch_free(reader);
    arena_free(memory);
    bench_close(&bench);
}

static const struct spec specs[] = {
    {"numbers keep their text through envelope and back", numbers_survive},
    {"stored bytes become an event", wire_becomes_an_event},
    {"a payload is read by pointer", payloads_are_read_by_pointer},
    {"an envelope cut off at any byte is refused", every_truncation_is_refused},
    {"what foreign producers get wrong is refused with a reason", foreign_bytes_are_refused_with_a_reason},
    {"an older version passes, its schema is not ours", an_older_version_passes_without_its_schema},
    {"reading without validation only takes the event apart", reading_can_leave_schemas_out},
    {"two events are the same when they say the same", events_are_compared_by_what_they_say},
    {"the key is found in an envelope tree", keys_are_found_in_a_tree},
    {"any draft comes back from its envelope unchanged", any_draft_comes_back},
};
SPEC_MAIN(specs)
