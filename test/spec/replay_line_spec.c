/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json replay */
/* A stored message as one line: whoever reads lines gets one JSON value in each. */
#include <string.h>

#include "kit/spec.h"
#include "replay/replay.h"

struct row {
    const char *data, *line; /* line NULL: refused, with why */
    const char *why;
};

static void expect_rows(const struct row *rows, size_t count) {
    json_pool *pool = json_pool_new();
    buffer room;
    buffer_init(&room, 64);
    for (size_t i = 0; i < count; i++) {
        weir_text line;
        weir_error err;
        weir_code code = replay_line(&line, weir_text_of(rows[i].data), pool, &room, &err);
        if (!rows[i].line) {
            assert_int_not_equal(code, WEIR_OK);
            assert_string_equal(err.message, rows[i].why);
            continue;
        }
        expect_ok(code, &err);
        assert_int_equal(line.size, strlen(rows[i].line));
        assert_memory_equal(line.data, rows[i].line, line.size);
    }
    buffer_release(&room);
    json_pool_free(pool);
}

static void a_line_stays_as_it_is(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"a\": 1.50, \"b\":\"x\\ny\"}", "{\"a\": 1.50, \"b\":\"x\\ny\"}", NULL},
        {"42", "42", NULL},
        {" [] ", " [] ", NULL}};
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void lines_become_one(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\n  \"a\": 1.50,\r\n  \"b\": \"x\\ny\"\n}\n", "{\"a\":1.50,\"b\":\"x\\ny\"}", NULL},
        {"\n1e400", "1e400", NULL}};
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void what_is_none_says_why(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", NULL, "it is empty"},
        {"hello", NULL, "it is no JSON: line 1, column 1: this cannot stand here"},
        {"{\"a\":1,\"a\":2}", NULL, "it is no JSON: line 1, column 8: this key is in the object already"},
        {"[\n\"012345678901234567890123456789012345678901234567890123456789012345\"]", NULL,
         "it is larger than 64 bytes"}};
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static const struct spec specs[] = {
    {"an envelope on one line stays byte for byte", a_line_stays_as_it_is},
    {"an envelope over several lines becomes one", lines_become_one},
    {"what is no JSON is refused with the reason", what_is_none_says_why},
};
SPEC_MAIN(specs)
