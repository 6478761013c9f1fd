/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Reading JSON: what is accepted, what is refused and where, and looking at values. */
#include "kit/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "json/json.h"

static json_doc *parsed(const char *text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, weir_text_of(text), &err), &err);
    return doc;
}

/* The compact text of what was read, in a static buffer. */
static const char *shown(const json *value) {
    static char text[4096];
    buffer out;
    buffer_init(&out, sizeof text - 1);
    json_write(&out, value, false);
    memcpy(text, out.data, out.size + 1);
    buffer_release(&out);
    return text;
}

/* --- what is accepted ----------------------------------------------------------------------------------- */

static void values_come_back_as_written(void **state) {
    (void)state;
    static const char *const rows[] = {
        "null",
        "true",
        "false",
        "\"\"",
        "0",
        "-0",
        "1e400",
        "-1.50E-10",
        "9007199254740993",
        "18446744073709551616",
        "[]",
        "{}",
        "[[],{},\"a\",1,[null]]",
        "{\"a\":{\"b\":[1.0,2]},\"c\":\"\\u0000\"}",
        "{\"\":1,\"A\":2,\"a\":3}",
        "\"\xF0\x9F\x98\x80 \xC3\xA4 \x7F\"",
        "\"\xEF\xBF\xBF\"",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = parsed(rows[i]);
        assert_string_equal(shown(json_root(doc)), rows[i]);
        json_doc_free(doc);
    }
    json_doc_free(NULL);
}

static void blanks_and_escapes_are_resolved(void **state) {
    (void)state;
    json_doc *doc =
        parsed(" \t\r\n{ \"a\\u0062\" : [ \"\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\" , 1 ] } \n");
    assert_string_equal(shown(json_root(doc)), "{\"ab\":[\"\xF0\x9F\x98\x80/\\b\\f\\n\\r\\t\\\"\\\\\",1]}");
    json_doc_free(doc);
}

static void long_numbers_survive(void **state) {
    (void)state;
    enum { DIGITS = 10000 };
    char *text = mem_alloc(DIGITS + 1);
    memset(text, '7', DIGITS);
    json_doc *doc = parsed(text);
    assert_int_equal(json_number(json_root(doc)).size, DIGITS);
    assert_memory_equal(json_number(json_root(doc)).data, text, DIGITS);
    json_doc_free(doc);
    mem_free(text);
}

static void depth_64_is_read(void **state) {
    (void)state;
    char text[2 * LIMIT_JSON_DEPTH + 1] = "";
    memset(text, '[', LIMIT_JSON_DEPTH);
    memset(text + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
    json_doc *doc = parsed(text);
    assert_string_equal(shown(json_root(doc)), text);
    json_doc_free(doc);
    doc = parsed("[[[]],[[]],{\"a\":{\"b\":{}}},[[]]]"); /* width is not depth */
    json_doc_free(doc);
}

/* --- what is refused ------------------------------------------------------------------------------------ */

static void bad_texts_are_refused_in_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "line 1, column 1: the text is empty"},
        {" ", "line 1, column 1: this is no JSON value"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: the text begins with a byte order mark"},
        {"{} x", "line 1, column 4: the text goes on after the value"},
        {"{}{}", "line 1, column 3: the text goes on after the value"},
        {"{\"a\"", "line 1, column 5: the text ends before the value does"},
        {"[1,2", "line 1, column 5: the text ends before the value does"},
        {"[1,]", "line 1, column 3: this breaks the structure of JSON"},
        {"{\"a\":1,}", "line 1, column 7: this breaks the structure of JSON"},
        {"{a:1}", "line 1, column 2: this cannot stand here"},
        {"{'a':1}", "line 1, column 2: this cannot stand here"},
        {"{\"a\" 1}", "line 1, column 6: this cannot stand here"},
        {"[1 2]", "line 1, column 4: this cannot stand here"},
        {"[01]", "line 1, column 2: this is no JSON number"},
        {"[-]", "line 1, column 3: this is no JSON number"},
        {"[+1]", "line 1, column 2: this cannot stand here"},
        {"[.5]", "line 1, column 2: this cannot stand here"},
        {"[NaN]", "line 1, column 2: this cannot stand here"},
        {"[Infinity]", "line 1, column 2: this cannot stand here"},
        {"// x\n1", "line 1, column 1: this cannot stand here"},
        {"[1/**/]", "line 1, column 3: this cannot stand here"},
        {"[\n 1,\n  tru]", "line 3, column 3: this is no JSON value"},
        {"[\"\xC3\xA4\xC3\xA4\", x]", "line 1, column 8: this cannot stand here"},
        {"[\"a\x01\"]", "line 1, column 4: this string is not valid"},
        {"[\"a\nb\"]", "line 1, column 4: this string is not valid"},
        {"[\"\\x\"]", "line 1, column 4: this string is not valid"},
        {"[\"\\ud800\"]", "line 1, column 9: this string is not valid"},
        {"[\"\\udc00\\ud800\"]", "line 1, column 3: this string is not valid"},
        {"[\"\xFF\"]", "line 1, column 3: this string is not valid"},
        {"[\"\xC0\x80\"]", "line 1, column 3: this string is not valid"},
        {"[\"\xED\xA0\x80\"]", "line 1, column 3: this string is not valid"},
        {"[\"\xF4\x90\x80\x80\"]", "line 1, column 3: this string is not valid"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = NULL;
        weir_error err;
        expect_error(json_parse(&doc, weir_text_of(rows[i].text), &err), WEIR_INVALID, &err, rows[i].message);
        assert_null(doc);
    }
    weir_error err;
    json_doc *doc = NULL;
    expect_error(json_parse(&doc, (weir_text){0}, &err), WEIR_INVALID, &err,
                 "line 1, column 1: the text is empty");
    assert_int_equal(json_parse(&doc, (weir_text){"[\0]", 3}, &err), WEIR_INVALID);
    assert_int_equal(json_parse(&doc, (weir_text){"[]\0", 3}, &err), WEIR_INVALID);
    assert_int_equal(json_parse(&doc, (weir_text){"\xFF\xFE[\0]\0", 6}, &err), WEIR_INVALID);
}

static void the_reader_is_quoted(void **state) {
    (void)state;
    json_doc *doc = NULL;
    weir_error err;
    assert_int_equal(json_parse(&doc, weir_text_of("[1,]"), &err), WEIR_INVALID);
    assert_string_equal(err.hint, "the JSON reader says: trailing comma is not allowed");
    assert_int_equal(json_parse(&doc, weir_text_of("[1,]"), NULL), WEIR_INVALID);
}

static void truncation_is_refused_everywhere(void **state) {
    (void)state;
    const char *text =
        "{\"id\":\"0192\\u00e4\",\"n\":-12.5e+3,\"list\":[true,false,null,{}],\"o\":{\"k\":\"\xC3\xA4\"}}";
    json_doc_free(parsed(text));
    for (size_t size = 0; size < strlen(text); size++) {
        char *copy = mem_alloc(size + 1); /* its own block, so that a read past the end is seen */
        memcpy(copy, text, size);
        json_doc *doc = NULL;
        weir_error err;
        assert_int_equal(json_parse(&doc, (weir_text){copy, size}, &err), WEIR_INVALID);
        assert_true(strlen(err.message) > 0);
        mem_free(copy);
    }
}

static void repeated_keys_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"{\"a\":1,\"a\":2}", "line 1, column 8: this key is in the object already"},
        {"{\"a\":1,\"\\u0061\":2}", "line 1, column 8: this key is in the object already"},
        {"[{\"\":1,\n  \"x\":\"},{\\\"\",\"\":[]}]", "line 2, column 15: this key is in the object already"},
        {"{\"a\":{\"b\":{\"c\":-1.5,\"d\":null,\"c\":true}}}",
         "line 1, column 30: this key is in the object already"},
        {"{\"x\\u0000y\":1,\"x\\u0000y\":2}", "line 1, column 15: this key is in the object already"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = NULL;
        weir_error err;
        expect_error(json_parse(&doc, weir_text_of(rows[i].text), &err), WEIR_INVALID, &err, rows[i].message);
        assert_string_equal(
            err.hint, "a key may stand once in an object; keys are compared with their escapes resolved");
    }
    json_doc_free(
        parsed("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}],\"x\\u0000y\":1,\"x\\u0000z\":1}"));
}

/* An object of `count` members "k0".. and, where asked, the first key once more at the end. */
static char *object_text(size_t count, bool repeat) {
    buffer out;
    buffer_init(&out, 64 << 20);
    buffer_char(&out, '{');
    for (size_t i = 0; i < count; i++)
        buffer_printf(&out, "%s\"k%zu\":%zu", i ? "," : "", i, i);
    if (repeat)
        buffer_string(&out, ",\"\\u006b0\":null");
    buffer_char(&out, '}');
    return out.data;
}

static void repeated_keys_are_found_among_many(void **state) {
    (void)state;
    static const size_t counts[] = {2, 15, 16, 17, 18, 40, 1000, 100000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_doc *doc = NULL;
        weir_error err;
        char *sound = object_text(counts[i], false), *broken = object_text(counts[i], true);
        expect_ok(json_parse(&doc, weir_text_of(sound), &err), &err);
        assert_int_equal(json_size(json_root(doc)), counts[i]);
        json_doc_free(doc);
        assert_int_equal(json_parse(&doc, weir_text_of(broken), &err), WEIR_INVALID);
        char message[100];
        snprintf(message, sizeof message, "line 1, column %zu: this key is in the object already",
                 strlen(broken) - strlen("\"\\u006b0\":null}") + 1);
        assert_string_equal(err.message, message);
        mem_free(sound);
        mem_free(broken);
    }
}

static void depth_65_is_refused(void **state) {
    (void)state;
    char *text = mem_alloc(300000);
    json_doc *doc = NULL;
    weir_error err;
    for (int i = 0; i < 65; i++) {
        text[i] = '[';
        text[65 + i] = ']';
    }
    expect_error(json_parse(&doc, weir_text_of(text), &err), WEIR_INVALID, &err,
                 "line 1, column 65: nested deeper than 64 levels");
    for (int i = 0; i < 100000; i++) {
        text[i] = '[';
        text[100000 + i] = ']';
    }
    expect_error(json_parse(&doc, weir_text_of(text), &err), WEIR_INVALID, &err,
                 "line 1, column 65: nested deeper than 64 levels");
    text[100000] = 0;
    assert_int_equal(json_parse(&doc, weir_text_of(text), &err), WEIR_INVALID);
    mem_free(text);
}

/* --- the pool ------------------------------------------------------------------------------------------- */

static void a_pool_is_used_again(void **state) {
    (void)state;
    json_pool *pool = json_pool_new();
    weir_error err;
    for (int turn = 0; turn < 50; turn++) {
        char *text = object_text((size_t)(turn * turn * 5), turn % 3 == 2);
        const json *root = NULL;
        weir_code code = json_pool_parse(&root, pool, weir_text_of(text), &err);
        assert_int_equal(code, turn % 3 == 2 ? WEIR_INVALID : WEIR_OK);
        if (code == WEIR_OK) {
            memset(text, 'x', strlen(text)); /* the text was copied */
            assert_int_equal(json_size(root), turn * turn * 5);
            int64_t last = 0;
            char key[20];
            snprintf(key, sizeof key, "k%d", turn * turn * 5 - 1);
            assert_true(turn == 0 || (json_int(json_get(root, key), &last) && last == turn * turn * 5 - 1));
        }
        mem_free(text);
    }
    json_pool_free(pool);
    json_pool_free(NULL);
}

static void a_pool_survives_failures(void **state) {
    (void)state;
    static const char *const bad[] = {"", "[", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "{\"a\":1,\"a\":1}",
                                      "\"\xFF\""};
    json_pool *pool = json_pool_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const json *root = NULL;
        weir_error err;
        assert_int_equal(json_pool_parse(&root, pool, weir_text_of(bad[i]), &err), WEIR_INVALID);
        expect_ok(json_pool_parse(&root, pool, weir_text_of("[1,2,3]"), &err), &err);
        assert_int_equal(json_size(root), 3);
    }
    json_pool_free(pool);
}

static void a_pool_reads_large_texts(void **state) {
    (void)state;
    json_pool *pool = json_pool_new();
    char *text = object_text(100000, false);
    const json *root = NULL;
    weir_error err;
    for (int turn = 0; turn < 2; turn++) {
        expect_ok(json_pool_parse(&root, pool, weir_text_of(text), &err), &err);
        assert_int_equal(json_size(root), 100000);
        expect_ok(json_pool_parse(&root, pool, weir_text_of("{\"a\":1}"), &err), &err);
        assert_int_equal(json_size(root), 1);
    }
    mem_free(text);
    json_pool_free(pool);
}

/* --- looking at values ---------------------------------------------------------------------------------- */

static void a_missing_value_reads_as_absent(void **state) {
    (void)state;
    int64_t number = 7;
    assert_int_equal(json_type_of(NULL), JSON_NULL);
    assert_false(json_is(NULL, JSON_NULL));
    assert_false(json_true(NULL));
    assert_null(json_text(NULL).data);
    assert_null(json_cstr(NULL));
    assert_null(json_number(NULL).data);
    assert_false(json_int(NULL, &number));
    assert_int_equal(json_size(NULL), 0);
    assert_null(json_item(NULL, 0));
    assert_null(json_get(NULL, "a"));
    assert_null(json_pointer(NULL, weir_text_of("/a")));
    struct json_iter it = json_iter(NULL);
    assert_false(json_next(&it));
    assert_int_equal(json_place(NULL, NULL).line, 0);
    assert_int_equal(number, 7);
}

static void values_have_one_type(void **state) {
    (void)state;
    json_doc *doc = parsed("[null,true,1.5,\"s\",[1],{\"a\":1}]");
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    for (size_t i = 0; i < 6; i++) {
        const json *value = json_item(json_root(doc), i);
        assert_string_equal(json_type_name(json_type_of(value)), names[i]);
        assert_true(json_is(value, (enum json_type)i));
        assert_int_equal(json_true(value), i == JSON_BOOL);
        assert_int_equal(json_text(value).data != NULL, i == JSON_STRING);
        assert_int_equal(json_number(value).data != NULL, i == JSON_NUMBER);
        assert_int_equal(json_size(value), i >= JSON_ARRAY);
    }
    assert_null(json_item(json_root(doc), 6));
    assert_int_equal(json_place(doc, json_root(doc)).line, 0);
    assert_string_equal(json_place(doc, json_root(doc)).file, "");
    json_doc_free(doc);
}

static void integers_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool fits;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-0.0", true, 0},
        {"0e999", true, 0},
        {"42", true, 42},
        {"1.0", true, 1},
        {"1e3", true, 1000},
        {"1200e-2", true, 12},
        {"-1.5e1", true, -15},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"0.9223372036854775807e19", true, INT64_MAX},
        {"1.5", false, 0},
        {"1e19", false, 0},
        {"1e-1", false, 0},
        {"1e99999999999999999999", false, 0},
        {"1e-99999999999999999999", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *doc = parsed(rows[i].text);
        int64_t value = 0;
        assert_int_equal(json_int(json_root(doc), &value), rows[i].fits);
        assert_int_equal(value, rows[i].value);
        json_doc_free(doc);
    }
}

static void members_are_visited_in_order(void **state) {
    (void)state;
    json_doc *doc = parsed("{\"b\":[1,[2,3],4],\"a\":{\"x\":{}},\"\":null}");
    buffer seen;
    buffer_init(&seen, 1000);
    for (struct json_iter it = json_iter(json_root(doc)); json_next(&it);) {
        buffer_printf(&seen, "%.*s=%s ", TEXT_ARG(it.key), json_type_name(json_type_of(it.value)));
        assert_true(text_equal(it.key, json_text(it.key_value)));
        assert_ptr_equal(json_get_text(json_root(doc), it.key), it.value);
    }
    for (struct json_iter it = json_iter(json_get(json_root(doc), "b")); json_next(&it);) {
        buffer_string(&seen, shown(it.value));
        assert_null(it.key.data);
    }
    assert_string_equal(seen.data, "b=array a=object =null 1[2,3]4");
    buffer_release(&seen);
    json_doc_free(doc);
}

static void pointers_find_values(void **state) {
    (void)state;
    /* The document of RFC 6901, section 5. */
    json_doc *doc = parsed(
        "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,"
        "\" \":7,\"m~n\":8,\"~1\":9,\"deep\":{\"x/y\":{\"\":{\"z\":10}}}}");
    static const struct {
        const char *pointer, *shown;
    } rows[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/~01", "9"},
        {"/deep/x~1y//z", "10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json *found = json_pointer(json_root(doc), weir_text_of(rows[i].pointer));
        assert_non_null(found);
        assert_string_equal(shown(found), rows[i].shown);
    }
    assert_ptr_equal(json_pointer(json_root(doc), weir_text_of("")), json_root(doc));
    static const char *const nothing[] = {"foo",     "/foo/2",  "/foo/-",
                                          "/foo/01", "/foo/+1", "/foo/1/x",
                                          "/foo/",   "/absent", "/foo/99999999999999999999",
                                          "/a~2b",   "/m~n/"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        assert_null(json_pointer(json_root(doc), weir_text_of(nothing[i])));
    assert_null(json_pointer(json_root(doc), (weir_text){0}));
    json_doc_free(doc);
}

static void pointers_are_checked(void **state) {
    (void)state;
    static const char *const good[] = {"", "/", "/a", "/a~0b~1", "//", "/\xC3\xA4"};
    static const char *const bad[] = {"a", "/~", "/~2", "/a~", "/\xFF"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(json_pointer_valid(weir_text_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(json_pointer_valid(weir_text_of(bad[i])));
    assert_false(json_pointer_valid((weir_text){0}));

    buffer pointer;
    buffer_init(&pointer, 100);
    json_pointer_append(&pointer, weir_text_of("a/b~c"));
    json_pointer_append(&pointer, weir_text_of(""));
    assert_string_equal(pointer.data, "/a~1b~0c/");
    buffer_release(&pointer);
}

static bool equal(const char *a, const char *b) {
    json_doc *a_doc = parsed(a), *b_doc = parsed(b);
    bool same = json_equal(json_root(a_doc), json_root(b_doc));
    assert_int_equal(json_equal(json_root(b_doc), json_root(a_doc)), same);
    json_doc_free(a_doc);
    json_doc_free(b_doc);
    return same;
}

static void equality_is_by_value(void **state) {
    (void)state;
    assert_true(equal("1.0", "1"));
    assert_true(equal("[1e2,\"\\u0061\",null]", "[100,\"a\",null]"));
    assert_true(equal("{\"a\":1,\"b\":{\"c\":[true]}}", "{\"b\":{\"c\":[true]},\"a\":1.00}"));
    assert_false(equal("1", "\"1\""));
    assert_false(equal("null", "false"));
    assert_false(equal("true", "false"));
    assert_false(equal("[1,2]", "[2,1]"));
    assert_false(equal("[1]", "[1,1]"));
    assert_false(equal("{\"a\":1}", "{\"b\":1}"));
    assert_false(equal("{\"a\":1}", "{\"a\":1,\"b\":1}"));
    assert_false(equal("\"a\\u0000b\"", "\"a\\u0000c\""));
    assert_true(json_equal(NULL, NULL));
}

static void large_objects_compare_quickly(void **state) {
    (void)state;
    enum { COUNT = 50000 };
    buffer backwards;
    buffer_init(&backwards, 64 << 20);
    for (int i = COUNT - 1; i >= 0; i--)
        buffer_printf(&backwards, "%s\"k%d\":%d.0", i == COUNT - 1 ? "{" : ",", i, i);
    buffer_char(&backwards, '}');
    char *forwards = object_text(COUNT, false);
    assert_true(equal(forwards, backwards.data));
    backwards.data[backwards.size - 2] = '1';
    assert_false(equal(forwards, backwards.data));
    mem_free(forwards);
    buffer_release(&backwards);
}

static const struct spec specs[] = {
    {"values come back as they were written", values_come_back_as_written},
    {"blanks are skipped and escapes resolved", blanks_and_escapes_are_resolved},
    {"numbers of ten thousand digits survive", long_numbers_survive},
    {"64 levels are read", depth_64_is_read},
    {"bad text is refused with line and column", bad_texts_are_refused_in_place},
    {"what the JSON reader found is the hint", the_reader_is_quoted},
    {"text cut at any byte is refused", truncation_is_refused_everywhere},
    {"a repeated key is refused, escapes resolved", repeated_keys_are_refused},
    {"a repeated key is found among a hundred thousand", repeated_keys_are_found_among_many},
    {"65 levels and a hundred thousand levels are refused", depth_65_is_refused},
    {"a pool reads one document after the other", a_pool_is_used_again},
    {"a pool goes on after bad text", a_pool_survives_failures},
    {"a pool reads texts larger than its block", a_pool_reads_large_texts},
    {"a missing value reads as absent everywhere", a_missing_value_reads_as_absent},
    {"a value has one type", values_have_one_type},
    {"integers are exact or refused", integers_are_exact},
    {"items and members are visited in order", members_are_visited_in_order},
    {"pointers find the values of RFC 6901", pointers_find_values},
    {"malformed pointers are noticed and tokens escaped", pointers_are_checked},
    {"equality is by value and without regard to member order", equality_is_by_value},
    {"large objects in another order compare quickly", large_objects_compare_quickly},
};
SPEC_MAIN(specs)
