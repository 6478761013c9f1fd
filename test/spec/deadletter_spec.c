/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: deadletter */
/* A letter's name, its subject and its JSON, without a server. */
#include <string.h>

#include "base/base64.h"
#include "base/units.h"
#include "deadletter/deadletter.h"
#include "kit/spec.h"

#define DIED (1763121600 * NS_PER_S) /* 2025-11-14T12:00:00Z */

static const struct deadletter_attempt attempts[] = {{DIED - 2 * NS_PER_S, "no such wallet"},
                                                     {DIED, "no such wallet, \"again\""}};
static const struct broker_header headers[] = {{"traceparent", {"00-a-b-01", 9}}, {"odd", {"\xff\x00x", 3}}};

static struct deadletter letter(void) {
    return (struct deadletter){.id = "STREAM_RWA.20251101.wallet.7",
                               .group = "wallet",
                               .error_class = "handler",
                               .reason = "no such wallet, \"again\"",
                               .stream = "STREAM_RWA",
                               .created = "2025-11-01T00:00:00Z",
                               .sequence = 7,
                               .subject = "rwa.inventory.updated",
                               .type = "rwa.inventory.updated",
                               .event_id = "evt_1",
                               .key = "site-1",
                               .version = 2,
                               .catalog_digest = "abc",
                               .died_ns = DIED,
                               .retries = 1,
                               .attempts = attempts,
                               .attempt_count = 2,
                               .data = weir_text_of("{\"a\": 1.50}"),
                               .headers = headers,
                               .header_count = 2};
}

static void ids(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 1000);
    deadletter_id(&out, "STREAM_RWA", "2025-11-01T10:20:30.123456789Z", "wallet", 42);
    assert_string_equal(out.data, "STREAM_RWA.20251101102030123456789.wallet.42");
    buffer_release(&out);
}

static void subjects(void **state) {
    (void)state;
    static const struct {
        const char *template, *expected;
    } rows[] = {{"dlq.{subject}.{error}", "dlq.rwa.inventory.updated.schema"},
                {"{subject}.dlq", "rwa.inventory.updated.dlq"},
                {"dead.{error}.{subject}", "dead.schema.rwa.inventory.updated"},
                {"letters", "letters"}};
    buffer out;
    weir_error err;
    buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer_clear(&out);
        expect_ok(deadletter_subject(&out, rows[i].template, "rwa.inventory.updated", "schema", &err), &err);
        assert_string_equal(out.data, rows[i].expected);
    }
    buffer_release(&out);
}

static void unknown_parameter(void **state) {
    (void)state;
    buffer out;
    weir_error err;
    buffer_init(&out, 1000);
    expect_error(deadletter_subject(&out, "dlq.{stream}.{error}", "a.b", "schema", &err), WEIR_INVALID, &err,
                 "dead letter subject 'dlq.{stream}.{error}': {stream} is neither {subject} nor {error}");
    buffer_release(&out);
}

static void json_form(void **state) {
    (void)state;
    struct deadletter written = letter();
    buffer out;
    buffer_init(&out, 10000);
    deadletter_write(&out, &written);
    assert_string_equal(
        out.data,
        "{\"id\":\"STREAM_RWA.20251101.wallet.7\",\"group\":\"wallet\",\"class\":\"handler\","
        "\"reason\":\"no such wallet, "
        "\\\"again\\\"\",\"type\":\"rwa.inventory.updated\",\"event_id\":\"evt_1\","
        "\"key\":\"site-1\",\"version\":2,\"stream\":\"STREAM_RWA\",\"created\":\"2025-11-01T00:00:00Z\","
        "\"sequence\":7,\"subject\":\"rwa.inventory.updated\",\"catalog\":\"abc\","
        "\"died_at\":\"2025-11-14T12:00:00Z\",\"retries\":1,"
        "\"attempts\":[{\"at\":\"2025-11-14T11:59:58Z\",\"error\":\"no such wallet\"},"
        "{\"at\":\"2025-11-14T12:00:00Z\",\"error\":\"no such wallet, \\\"again\\\"\"}],"
        "\"headers\":[{\"name\":\"traceparent\",\"value\":\"00-a-b-01\"},"
        "{\"name\":\"odd\",\"value_base64\":\"/wB4\"}],\"data\":\"{\\\"a\\\": 1.50}\"}");
    buffer_release(&out);
}

static void read_back(struct deadletter *out, const struct deadletter *written, arena *arena) {
    weir_error err;
    buffer json;
    buffer_init(&json, 10000);
    deadletter_write(&json, written);
    expect_ok(deadletter_read(out, buffer_view(&json), arena, &err), &err);
    buffer_release(&json);
}

static void round_trip(void **state) {
    (void)state;
    struct deadletter written = letter(), read;
    arena *arena = arena_new();
    read_back(&read, &written, arena);
    assert_string_equal(read.id, written.id);
    assert_string_equal(read.group, "wallet");
    assert_string_equal(read.error_class, "handler");
    assert_string_equal(read.reason, written.reason);
    assert_string_equal(read.subject, written.subject);
    assert_int_equal(read.sequence, 7);
    assert_int_equal(read.retries, 1);
    assert_int_equal(read.version, 2);
    assert_int_equal(read.died_ns, DIED);
    assert_int_equal(read.attempt_count, 2);
    assert_int_equal(read.attempts[0].at_ns, DIED - 2 * NS_PER_S);
    assert_string_equal(read.attempts[1].error, attempts[1].error);
    assert_true(text_equal(read.data, written.data));
    assert_int_equal(read.header_count, 2);
    assert_true(text_equal(read.headers[1].value, headers[1].value));
    arena_free(arena);
}

static void bytes_survive(void **state) {
    (void)state;
    struct deadletter written = letter(), read;
    arena *arena = arena_new();
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(255 - i);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        written.data = (weir_text){bytes, size};
        read_back(&read, &written, arena);
        assert_true(text_equal(read.data, written.data));
    }
    arena_free(arena);
}

static void no_data(void **state) {
    (void)state;
    struct deadletter written = letter(), read;
    arena *arena = arena_new();
    written.data = (weir_text){0};
    read_back(&read, &written, arena);
    assert_null(read.data.data);
    arena_free(arena);
}

static void bad_letters(void **state) {
    (void)state;
#define NEEDED \
    "\"id\":\"i\",\"group\":\"g\",\"class\":\"c\",\"stream\":\"S\",\"created\":\"t\",\"subject\":\"s\""
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"[]", "dead letter: must be an object, is array"},
        {"{}", "dead letter: /id must be a text that is not empty"},
        {"{\"id\":7}", "dead letter: /id must be a text that is not empty"},
        {"{\"id\":\"i\",\"group\":\"\"}", "dead letter: /group must be a text that is not empty"},
        {"{" NEEDED "}", "dead letter: /sequence must be a whole number above 0"},
        {"{" NEEDED ",\"sequence\":0}", "dead letter: /sequence must be a whole number above 0"},
        {"{" NEEDED ",\"sequence\":1,\"data_base64\":\"a\"}", "dead letter: /data_base64 must be base64"},
        {"{" NEEDED ",\"sequence\":1,\"headers\":[{}]}",
         "dead letter: /name must be a text that is not empty"},
    };
    arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct deadletter read;
        weir_error err;
        expect_error(deadletter_read(&read, weir_text_of(rows[i].json), arena, &err), WEIR_INVALID, &err,
                     rows[i].message);
    }
    arena_free(arena);
}

static void story_may_be_missing(void **state) {
    (void)state;
    arena *arena = arena_new();
    struct deadletter read;
    weir_error err;
    expect_ok(deadletter_read(&read, weir_text_of("{" NEEDED ",\"sequence\":1,\"attempts\":[{\"at\":1}]}"),
                              arena, &err),
              &err);
    assert_string_equal(read.reason, "");
    assert_string_equal(read.event_id, "");
    assert_int_equal(read.died_ns, 0);
    assert_int_equal(read.attempt_count, 1);
    assert_string_equal(read.attempts[0].error, "");
    arena_free(arena);
}

static void strict_base64(void **state) {
    (void)state;
    static const char *const bad[] = {
        "a", "ab", "abc", "ab=c", "a===", "====", "ab\n=", "ab=", "YR==", "YWJ="};
    arena *arena = arena_new();
    weir_text bytes;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base64_read(&bytes, weir_text_of(bad[i]), arena));
    assert_true(base64_read(&bytes, weir_text_of("YQ=="), arena));
    assert_true(text_is(bytes, "a"));
    assert_true(base64_read(&bytes, weir_text_of(""), arena));
    assert_int_equal(bytes.size, 0);
    arena_free(arena);
}

static const struct spec specs[] = {
    {"an id is stream, creation in digits, group and sequence", ids},
    {"a subject follows the template and keeps the dots of the original subject", subjects},
    {"a template with another parameter is refused by name", unknown_parameter},
    {"a letter is one JSON object in the order a person reads it", json_form},
    {"a letter is read back as it was written", round_trip},
    {"bytes that are no text survive as base64", bytes_survive},
    {"a letter may be without the original", no_data},
    {"a letter that cannot be sent again is refused naming the place", bad_letters},
    {"what only tells the story may be missing", story_may_be_missing},
    {"base64 is read strictly", strict_base64},
};
SPEC_MAIN(specs)
