/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Every kind of bytes that a producer of any make can put into a stream, as an event: accepted, or refused in one sentence that
 * names the type and the place. What RFC 8259 leaves to the reader is decided here: numbers of any size pass and keep their text,
 * U+0000 and noncharacters pass inside a payload's strings, a repeated key, a lone surrogate and a byte order mark do not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "event_fixture.h"

static const char dated_yaml[] =
    "dialect: dated\n"
    "fields:\n"
    "  id: {at: /id}\n"
    "  time: {at: /ts}\n"
    "  type: {at: /type}\n"
    "  version: {at: /version, as: integer}\n"
    "  payload: {at: /payload}\n"
    "schema:\n"
    "  properties: {ts: {type: string, format: date-time}, payload: {type: object}}\n";

#define TIMED(time, value)                                                          \
    "{\"id\":\"e1\",\"ts\":\"" time                                                 \
    "\",\"type\":\"rwa.inventory.updated\",\"version\":2,\"payload\":{\"site_id\":" \
    "\"s1\",\"value\":1,\"meter\":" value "}}"
#define EVENT(value) TIMED("2025-11-14T12:00:00Z", value)

struct input {
    struct bench bench;
    json_doc *doc;
    dialect *dialect;
};

static void input_open(struct input *input) {
    weir_error err;
    bench_open(&input->bench);
    expect_ok(yaml_parse(&input->doc, "dated.yaml", of(dated_yaml), &err), &err);
    expect_ok(dialect_compile(&input->dialect, input->doc, &err), &err);
}

static void input_close(struct input *input) {
    dialect_free(input->dialect);
    json_doc_free(input->doc);
    bench_close(&input->bench);
}

static weir_code read_input(struct input *input, weir_text wire, weir_event *event) {
    return event_read(event, input->dialect, &input->bench.def, wire, true, input->bench.scratch,
                      &input->bench.err);
}

/* NULL: it is accepted. */
static void expect_input(struct input *input, weir_text wire, const char *message) {
    weir_event event;
    weir_code code = read_input(input, wire, &event);
    const char *said = code == WEIR_OK ? "" : input->bench.err.message;
    char expected[400] = "";
    if (message)
        snprintf(expected, sizeof expected, "rwa.inventory.updated: %s", message);
    if (strcmp(said, expected) != 0)
        fail_msg("%.*s\n  gives    '%s'\n  expected '%s'", wire.size > 300 ? 300 : (int)wire.size, wire.data,
                 said, expected);
    assert_true(code == WEIR_OK || code == WEIR_INVALID);
}

struct row {
    const char *wire, *message;
};

static void expect_rows(const struct row *rows, size_t count) {
    struct input input;
    input_open(&input);
    for (size_t i = 0; i < count; i++)
        expect_input(&input, of(rows[i].wire), rows[i].message);
    input_close(&input);
}

#define JSON "the event is not valid JSON: line 1, column "
#define NO_TIME(text) "envelope /ts: must be a date-time (RFC 3339), is \"" text "\" (format)"

static void grammar(void **state) {
    (void)state;
    static const struct row rows[] = {
        {EVENT("1"), NULL},
        {"", "the event is empty"},
        {" ", JSON "1: this is no JSON value"},
        {"7", "the envelope must be an object, is of type number"},
        {"\"event\"", "the envelope must be an object, is of type string"},
        {"null", "the envelope must be an object, is of type null"},
        {"[" EVENT("1") "]", "the envelope must be an object, is of type array"},
        {"\xEF\xBB\xBF" EVENT("1"), JSON "1: the text begins with a byte order mark"},
        {EVENT("1") EVENT("1"), JSON "130: the text goes on after the value"},
        {EVENT("1") "x", JSON "130: the text goes on after the value"},
        {EVENT("1") "\n", NULL},
        {EVENT("1 // one"), JSON "129: this cannot stand here"},
        {"/* an event */" EVENT("1"), JSON "1: this cannot stand here"},
        {EVENT("{a:1}"), JSON "128: this cannot stand here"},
        {EVENT("{'a':1}"), JSON "128: this cannot stand here"},
        {EVENT("[1,]"), JSON "129: this breaks the structure of JSON"},
        {EVENT("True"), JSON "127: this cannot stand here"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void numbers(void **state) {
    (void)state;
    static const struct row rows[] = {
        {EVENT("-0"), NULL},
        {EVENT("-0.0"), NULL},
        {EVENT("1e400"), NULL},
        {EVENT("-1e-400"), NULL},
        {EVENT("9007199254740993"), NULL},
        {EVENT("18446744073709551616"), NULL},
        {EVENT("NaN"), JSON "127: this cannot stand here"},
        {EVENT("-Infinity"), JSON "128: this is no JSON number"},
        {EVENT("Infinity"), JSON "127: this cannot stand here"},
        {EVENT("+1"), JSON "127: this cannot stand here"},
        {EVENT("01"), JSON "127: this is no JSON number"},
        {EVENT(".5"), JSON "127: this cannot stand here"},
        {EVENT("1."), JSON "130: this is no JSON number"},
        {EVENT("0x1F"), JSON "128: this cannot stand here"},
        {EVENT("1e"), JSON "130: this is no JSON number"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void strings(void **state) {
    (void)state;
    static const struct row rows[] = {
        {EVENT("\"\\ud83d\\ude00\""), NULL},
        {EVENT("\"\\u0000\""), NULL},
        {EVENT("\"\xEF\xBF\xBF\""), NULL},
        {EVENT("\"\\ufffe\""), NULL},
        {EVENT("\"\xE2\x80\xAE\""), NULL},
        {EVENT("\"\\ud83d\""), JSON "134: this string is not valid"},
        {EVENT("\"\\ude00\""), JSON "128: this string is not valid"},
        {EVENT("\"\\ude00\\ud83d\""), JSON "128: this string is not valid"},
        {EVENT("\"\\ud83d\\u0041\""), JSON "134: this string is not valid"},
        {EVENT("\"\xED\xA0\xBD\xED\xB8\x80\""), JSON "128: this string is not valid"},
        {EVENT("\"\xC0\xAF\""), JSON "128: this string is not valid"},
        {EVENT("\"\xE0\x80\xAF\""), JSON "128: this string is not valid"},
        {EVENT("\"\xF4\x90\x80\x80\""), JSON "128: this string is not valid"},
        {EVENT("\"\xC3\""), JSON "128: this string is not valid"},
        {EVENT("\"\x80\""), JSON "128: this string is not valid"},
        {EVENT("\"\t\""), JSON "128: this string is not valid"},
        {EVENT("\"\\x41\""), JSON "129: this string is not valid"},
        {EVENT("\"\\u12\""), JSON "128: this string is not valid"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void keys(void **state) {
    (void)state;
    static const struct row rows[] = {
        {EVENT("{\"a\":1,\"A\":2,\"\":3}"), NULL},
        {EVENT("{\"a\":1,\"a\":1}"), JSON "134: this key is in the object already"},
        {EVENT("{\"a\":1,\"\\u0061\":2}"), JSON "134: this key is in the object already"},
        {EVENT("{\"\":1,\"\":2}"), JSON "133: this key is in the object already"},
        {EVENT("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}"),
         JSON "145: this key is in the object already"},
        {EVENT("1},\"payload\":{"), JSON "130: this key is in the object already"},
        {EVENT("1},\"payl\\u006fad\":{"), JSON "130: this key is in the object already"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void times(void **state) {
    (void)state;
    static const struct row rows[] = {
        {TIMED("2024-02-29T00:00:00Z", "1"), NULL},
        {TIMED("2016-12-31T23:59:60Z", "1"), NULL},
        {TIMED("2017-01-01T00:59:60+01:00", "1"), NULL},
        {TIMED("9999-12-31T23:59:59.999999999Z", "1"), NULL},
        {TIMED("2026-02-30T00:00:00Z", "1"), NO_TIME("2026-02-30T00:00:00Z")},
        {TIMED("2025-02-29T00:00:00Z", "1"), NO_TIME("2025-02-29T00:00:00Z")},
        {TIMED("2016-12-31T22:59:60Z", "1"), NO_TIME("2016-12-31T22:59:60Z")},
        {TIMED("2026-01-01T00:00:00", "1"), NO_TIME("2026-01-01T00:00:00")},
        {TIMED("2026-01-01 00:00:00Z", "1"), NO_TIME("2026-01-01 00:00:00Z")},
        {TIMED("2026-01-01T24:00:00Z", "1"), NO_TIME("2026-01-01T24:00:00Z")},
        {TIMED("10000-01-01T00:00:00Z", "1"), NO_TIME("10000-01-01T00:00:00Z")},
        {TIMED("2026-01-01T00:00:00+24:00", "1"), NO_TIME("2026-01-01T00:00:00+24:00")},
        {TIMED("1763121600", "1"), NO_TIME("1763121600")},
        {TIMED("", "1"), NO_TIME("")},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

/* The same times in the hands of a producer. */
static void times_of_drafts(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"2016-12-31T23:59:60Z", NULL},
        {"2026-02-30T00:00:00Z", "the event's time: \"2026-02-30T00:00:00Z\" is not a time"},
        {"2016-12-31T22:59:60Z", "the event's time: \"2016-12-31T22:59:60Z\" is not a time"},
        {"2026-01-01T00:00:00", "the event's time: \"2026-01-01T00:00:00\" is not a time"},
        {"9999-12-31T23:59:59Z",
         "the event's time: \"9999-12-31T23:59:59Z\" is outside the years 1677 to 2262, which "
         "64-bit nanoseconds can hold"},
        {"10000-01-01T00:00:00Z", "the event's time: \"10000-01-01T00:00:00Z\" is not a time"},
    };
    struct bench bench;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event_built built;
        weir_draft draft = good;
        char expected[200];
        draft.time = of(rows[i].wire);
        weir_code code = build(&bench, &draft, &built);
        snprintf(expected, sizeof expected, "rwa.inventory.updated: %s",
                 rows[i].message ? rows[i].message : "");
        if (rows[i].message)
            assert_string_equal(bench.err.message, expected);
        assert_int_equal(code == WEIR_OK, rows[i].message == NULL);
    }
    bench_close(&bench);
}

/* An event around `count` times `unit`, between `before` and `after`. */
static buffer many(const char *before, const char *unit, size_t count, const char *after) {
    buffer out;
    buffer_init(&out, 16 << 20);
    buffer_string(
        &out,
        "{\"id\":\"e1\",\"ts\":\"2025-11-14T12:00:00Z\",\"type\":\"rwa.inventory.updated\",\"version\":2,"
        "\"payload\":{\"site_id\":\"s1\",\"value\":1,\"meter\":");
    buffer_string(&out, before);
    for (size_t i = 0; i < count; i++)
        buffer_string(&out, unit);
    buffer_string(&out, after);
    buffer_string(&out, "}}");
    assert_false(out.overflow);
    return out;
}

static void much_of_it(void **state) {
    (void)state;
    static const struct {
        const char *before, *unit;
        size_t count;
        const char *after, *message;
    } rows[] = {
        {"", "7", 10000, "", NULL},
        {"0.", "3", 10000, "", NULL},
        {"1e", "9", 10000, "", NULL},
        {"{\"", "k", 1 << 20, "\":1}", NULL},
        {"\"", "\\u0041", 100000, "\"", NULL},
        {"[0", ",0", 100000, "]", NULL},
        {"", "[", LIMIT_JSON_DEPTH - 2, "", JSON "189: this cannot stand here"},
        {"", "[", 200, "", JSON "327: this cannot stand here"},
        {"", "{\"a\":", 100000, "1", JSON "437: nested deeper than 64 levels"},
        {"{\"a\":1", ",\"a\":1", 100000, "}", JSON "134: this key is in the object already"},
    };
    struct input input;
    input_open(&input);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer wire = many(rows[i].before, rows[i].unit, rows[i].count, rows[i].after);
        expect_input(&input, buffer_view(&wire), rows[i].message);
        buffer_release(&wire);
    }
    input_close(&input);
}

static void depth(void **state) {
    (void)state;
    struct input input;
    input_open(&input);
    for (int levels = LIMIT_JSON_DEPTH - 3; levels <= LIMIT_JSON_DEPTH; levels++) {
        char end[LIMIT_JSON_DEPTH + 1] = "";
        memset(end, ']', (size_t)levels);
        buffer wire = many("", "[", (size_t)levels, end);
        expect_input(&input, buffer_view(&wire),
                     levels + 2 <= LIMIT_JSON_DEPTH ? NULL : JSON "189: nested deeper than 64 levels");
        buffer_release(&wire);
    }
    input_close(&input);
}

static void distinct_keys(void **state) {
    (void)state;
    struct input input;
    buffer members;
    buffer_init(&members, 4 << 20);
    for (int i = 0; i < 100000; i++)
        buffer_printf(&members, "%c\"key-%d\":%d", i ? ',' : '{', i, i);
    buffer again = many(members.data, "", 0, ",\"key-\\u0037\":0}");
    buffer_char(&members, '}');
    buffer sound = many(members.data, "", 0, "");
    input_open(&input);
    expect_input(&input, buffer_view(&sound), NULL);
    expect_input(&input, buffer_view(&again), JSON "1777908: this key is in the object already");
    input_close(&input);
    buffer_release(&sound);
    buffer_release(&again);
    buffer_release(&members);
}

/* Each byte of an event replaced by each of these, and each byte left out: never more than a sentence. */
static void any_byte(void **state) {
    (void)state;
    static const char wire[] = EVENT("[-1.5e3,\"\\u00e9\xC3\xA9\",{\"a\":null}]");
    static const char bytes[] = "\0\x01\n\" \\{}[],:0-+eE.u/\x7f\x80\xC3\xED\xFF";
    struct input input;
    weir_event event;
    input_open(&input);
    for (size_t at = 0; at < sizeof wire - 1; at++)
        for (size_t i = 0; i < sizeof bytes; i++) {
            char *copy = malloc(sizeof wire - 1); /* no byte more than what is read */
            bool leave_out = i == sizeof bytes - 1;
            memcpy(copy, wire, sizeof wire - 1);
            if (leave_out)
                memmove(copy + at, copy + at + 1, sizeof wire - 2 - at);
            else
                copy[at] = bytes[i];
            weir_code code = read_input(&input, (weir_text){copy, sizeof wire - 1 - leave_out}, &event);
            assert_true(code == WEIR_OK || code == WEIR_INVALID);
            if (code != WEIR_OK)
                assert_true(text_starts(of(input.bench.err.message), "rwa.inventory.updated: "));
            free(copy);
        }
    input_close(&input);
}

static const struct spec specs[] = {
    {"an event is one JSON object and nothing else", grammar},
    {"numbers of any size pass, what is no JSON number is refused", numbers},
    {"strings are valid Unicode, alone or escaped", strings},
    {"a key stands once, however it is spelled", keys},
    {"a time exists and has a zone", times},
    {"a producer's time exists, has a zone and can be held", times_of_drafts},
    {"ten thousand digits, a key of a megabyte and a hundred thousand values are read or refused in place",
     much_of_it},
    {"64 levels are read, the envelope counted", depth},
    {"a hundred thousand keys are told apart", distinct_keys},
    {"any byte changed or left out gives an event or a sentence", any_byte},
};
SPEC_MAIN(specs)
