/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Writing JSON: trees, strings and the public writer. */
#include "kit/spec.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir/json.h"
#include "json/json.h"

/* --- trees ---------------------------------------------------------------------------------------------- */

static void expect_written(const char *text, const char *pretty, const char *canonical) {
    json_doc *doc = NULL;
    weir_error err;
    buffer out;
    buffer_init(&out, 10000);
    expect_ok(json_parse(&doc, weir_text_of(text), &err), &err);
    json_write(&out, json_root(doc), true);
    assert_string_equal(out.data, pretty);
    buffer_clear(&out);
    json_write_canonical(&out, json_root(doc));
    assert_string_equal(out.data, canonical);
    buffer_release(&out);
    json_doc_free(doc);
}

static void trees_are_written(void **state) {
    (void)state;
    expect_written("[]", "[]", "[]");
    expect_written("{}", "{}", "{}");
    expect_written("1.50", "1.50", "1.50");
    expect_written("[1,[],{\"b\":null}]", "[\n  1,\n  [],\n  {\n    \"b\": null\n  }\n]",
                   "[1,[],{\"b\":null}]");
    expect_written("{\"b\":{\"d\":1,\"c\":2},\"a\":[{\"z\":1,\"y\":2}],\"B\":3,\"aa\":4,\"\":5}",
                   "{\n  \"b\": {\n    \"d\": 1,\n    \"c\": 2\n  },\n  \"a\": [\n    {\n      \"z\": 1,\n   "
                   "   \"y\": 2\n"
                   "    }\n  ],\n  \"B\": 3,\n  \"aa\": 4,\n  \"\": 5\n}",
                   "{\"\":5,\"B\":3,\"a\":[{\"y\":2,\"z\":1}],\"aa\":4,\"b\":{\"c\":2,\"d\":1}}");
}

static void nothing_is_written_as_null(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 100);
    json_write(&out, NULL, false);
    assert_string_equal(out.data, "null");
    buffer_release(&out);
}

static void strings_are_escaped(void **state) {
    (void)state;
    static const struct {
        weir_text text;
        const char *written;
    } rows[] = {
        {{"", 0}, "\"\""},
        {{NULL, 0}, "\"\""},
        {{"plain", 5}, "\"plain\""},
        {{"q\"b\\s/", 6}, "\"q\\\"b\\\\s/\""},
        {{"\b\t\n\v\f\r", 6}, "\"\\b\\t\\n\\u000b\\f\\r\""},
        {{"\0\x01\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\x7f\""},
        {{"\xC3\xA4\xF0\x9F\x98\x80", 6}, "\"\xC3\xA4\xF0\x9F\x98\x80\""},
        {{"a\xFF"
          "b\xC3",
          4},
         "\"a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD\""},
        {{"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer out;
        buffer_init(&out, 1000);
        json_write_string(&out, rows[i].text);
        assert_string_equal(out.data, rows[i].written);
        json_doc *doc = NULL;
        weir_error err;
        expect_ok(json_parse(&doc, buffer_view(&out), &err), &err);
        json_doc_free(doc);
        buffer_release(&out);
    }
}

static void every_byte_pair_is_written_as_json(void **state) {
    (void)state;
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            char bytes[2] = {(char)first, (char)second};
            buffer out;
            buffer_init(&out, 100);
            json_write_string(&out, (weir_text){bytes, 2});
            json_doc *doc = NULL;
            weir_error err;
            expect_ok(json_parse(&doc, buffer_view(&out), &err), &err);
            if (text_valid_utf8((weir_text){bytes, 2}))
                assert_true(text_equal(json_text(json_root(doc)), (weir_text){bytes, 2}));
            json_doc_free(doc);
            buffer_release(&out);
        }
}

static void a_full_buffer_says_so(void **state) {
    (void)state;
    json_doc *doc = NULL;
    weir_error err;
    buffer out;
    buffer_init(&out, 5);
    expect_ok(json_parse(&doc, weir_text_of("[\"abcdefgh\"]"), &err), &err);
    json_write(&out, json_root(doc), false);
    assert_true(out.overflow);
    buffer_release(&out);
    json_doc_free(doc);
}

/* --- the writer ----------------------------------------------------------------------------------------- */

static void the_writer_builds_a_payload(void **state) {
    (void)state;
    weir_json_writer *writer = weir_json_new();
    weir_json_begin_object(writer);
    weir_json_key(writer, "text");
    weir_json_string(writer, "say \"hi\"\n");
    weir_json_key(writer, "none");
    weir_json_string(writer, NULL);
    weir_json_key(writer, "numbers");
    weir_json_begin_array(writer);
    weir_json_int(writer, INT64_MIN);
    weir_json_raw(writer, weir_text_of("12.50"));
    weir_json_bool(writer, 2);
    weir_json_bool(writer, 0);
    weir_json_null(writer);
    weir_json_begin_object(writer);
    weir_json_end_object(writer);
    weir_json_begin_array(writer);
    weir_json_end_array(writer);
    weir_json_end_array(writer);
    weir_json_key(writer, "view");
    weir_json_text(writer, (weir_text){"ab\xFF", 3});
    weir_json_key(writer, "absent");
    weir_json_text(writer, (weir_text){0});
    weir_json_end_object(writer);

    weir_text done = weir_json_done(writer);

    assert_string_equal(
        done.data,
        "{\"text\":\"say \\\"hi\\\"\\n\",\"none\":null,\"numbers\":[-9223372036854775808,12.50,true,"
        "false,null,{},[]],\"view\":\"ab\xEF\xBF\xBD\",\"absent\":null}");
    assert_int_equal(done.size, strlen(done.data));
    weir_json_free(writer);
    weir_json_free(NULL);
}

static void the_writer_starts_again(void **state) {
    (void)state;
    weir_json_writer *writer = weir_json_new();
    weir_json_begin_array(writer);
    weir_json_int(writer, 1);
    weir_json_reset(writer); /* in the middle */
    weir_json_begin_array(writer);
    weir_json_int(writer, 2);
    weir_json_end_array(writer);
    assert_string_equal(weir_json_done(writer).data, "[2]");
    weir_json_reset(writer);
    weir_json_int(writer, 3);
    assert_string_equal(weir_json_done(writer).data, "3");
    weir_json_free(writer);
}

static void the_writer_adds_to_a_callers_buffer(void **state) {
    (void)state;
    buffer out;
    buffer_init(&out, 1000);
    buffer_string(&out, "data: ");
    weir_json_writer *writer = json_writer_over(&out);
    weir_json_null(writer);
    weir_json_reset(writer);
    weir_json_begin_array(writer);
    weir_json_end_array(writer);
    assert_string_equal(weir_json_done(writer).data, "[]");
    weir_json_free(writer);
    assert_string_equal(out.data, "data: []");
    buffer_release(&out);
}

/* Does this use of the writer abort? Runs in a child without core file and without its cry on stderr. */
static bool aborts(void (*use)(weir_json_writer *writer)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        fclose(stderr);
        close(STDERR_FILENO);
        use(weir_json_new());
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void value_without_key(weir_json_writer *writer) {
    weir_json_begin_object(writer);
    weir_json_int(writer, 1);
}

static void key_without_value(weir_json_writer *writer) {
    weir_json_begin_object(writer);
    weir_json_key(writer, "a");
    weir_json_end_object(writer);
}

static void key_in_array(weir_json_writer *writer) {
    weir_json_begin_array(writer);
    weir_json_key(writer, "a");
}

static void wrong_end(weir_json_writer *writer) {
    weir_json_begin_array(writer);
    weir_json_end_object(writer);
}

static void end_of_nothing(weir_json_writer *writer) {
    weir_json_end_array(writer);
}

static void two_roots(weir_json_writer *writer) {
    weir_json_int(writer, 1);
    weir_json_int(writer, 2);
}

static void done_while_open(weir_json_writer *writer) {
    weir_json_begin_array(writer);
    weir_json_done(writer);
}

static void done_with_nothing(weir_json_writer *writer) {
    weir_json_done(writer);
}

static void too_deep(weir_json_writer *writer) {
    for (int i = 0; i < 65; i++)
        weir_json_begin_array(writer);
}

static void just_deep_enough(weir_json_writer *writer) {
    for (int i = 0; i < 64; i++)
        weir_json_begin_array(writer);
    for (int i = 0; i < 64; i++)
        weir_json_end_array(writer);
    weir_json_done(writer);
}

static void wrong_nesting_aborts(void **state) {
    (void)state;
    assert_true(aborts(value_without_key));
    assert_true(aborts(key_without_value));
    assert_true(aborts(key_in_array));
    assert_true(aborts(wrong_end));
    assert_true(aborts(end_of_nothing));
    assert_true(aborts(two_roots));
    assert_true(aborts(done_while_open));
    assert_true(aborts(done_with_nothing));
    assert_true(aborts(too_deep));
    assert_false(aborts(just_deep_enough));
}

static const struct spec specs[] = {
    {"trees are written compact, indented and with sorted keys", trees_are_written},
    {"nothing is written as null", nothing_is_written_as_null},
    {"strings are escaped and bytes that are no UTF-8 replaced", strings_are_escaped},
    {"every pair of bytes is written as valid JSON", every_byte_pair_is_written_as_json},
    {"a full buffer says so", a_full_buffer_says_so},
    {"the writer builds a payload", the_writer_builds_a_payload},
    {"the writer starts again", the_writer_starts_again},
    {"the writer adds to a caller's buffer", the_writer_adds_to_a_callers_buffer},
    {"wrong nesting is the caller's fault and aborts", wrong_nesting_aborts},
};
SPEC_MAIN(specs)
