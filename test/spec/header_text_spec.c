/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event */
/* Texts in headers: the percent-encoding of the CloudEvents NATS binding. */
#include "kit/spec.h"

#include "base/memory.h"
#include "event/header_text.h"

static void what_no_header_may_hold_is_encoded(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"plain-text_1.0/~!", "plain-text_1.0/~!"},
        {"a b", "a%20b"},
        {"\"quoted\"", "%22quoted%22"},
        {"100%", "100%25"},
        {"Euro \xe2\x82\xac \xf0\x9f\x98\x80", "Euro%20%E2%82%AC%20%F0%9F%98%80"},
        {"a\r\nb\tc\x7f", "a%0D%0Ab%09c%7F"},
        {"!~", "!~"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer out;
        buffer_init(&out, 1 << 10);
        arena *memory = arena_new();
        weir_text back;
        weir_error err;
        header_text_write(&out, weir_text_of(rows[i][0]));
        assert_true(text_is(buffer_view(&out), rows[i][1]) || (!*rows[i][1] && out.size == 0));
        expect_ok(header_text_read(&back, weir_text_of(rows[i][1]), memory, &err), &err);
        assert_true(text_is(back, rows[i][0]));
        arena_free(memory);
        buffer_release(&out);
    }
}

static void more_forms_are_read_than_written(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"%e2%82%aC", "\xe2\x82\xac"},
        {"\xe2\x82\xac raw", "\xe2\x82\xac raw"},
        {"\"a b\"", "a b"},
        {"\"a \\\"b\\\" \\\\\"", "a \"b\" \\"},
        {"\"50%25\"", "50%"},
        {"\"\"", ""},
        {"in \"the\" middle", "in \"the\" middle"},
        {"%2541", "%41"},
    };
    arena *memory = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_text out;
        weir_error err;
        expect_ok(header_text_read(&out, weir_text_of(rows[i][0]), memory, &err), &err);
        assert_true(text_is(out, rows[i][1]));
    }
    arena_free(memory);
}

static void what_cannot_be_meant_is_refused(void **state) {
    (void)state;
    static const char percent[] = "it has a % that is not followed by two hex digits";
    static const char *const rows[][2] = {
        {"%", percent},
        {"%4", percent},
        {"%zz", percent},
        {"%C3", "it is no UTF-8"},
        {"%ED%A0%80", "it is no UTF-8"},
        {"\xff", "it is no UTF-8"},
        {"\"", "its quoted text is not closed"},
        {"\"a\" b", "its quoted text is not closed"},
        {"\"a\\\"", "its quoted text is not closed"},
    };
    arena *memory = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_text out;
        weir_error err;
        expect_error(header_text_read(&out, weir_text_of(rows[i][0]), memory, &err), WEIR_INVALID, &err,
                     rows[i][1]);
    }
    arena_free(memory);
}

static const struct spec specs[] = {
    {"what no header may hold is encoded", what_no_header_may_hold_is_encoded},
    {"more forms are read than written", more_forms_are_read_than_written},
    {"what cannot be meant is refused", what_cannot_be_meant_is_refused},
};
SPEC_MAIN(specs)
