/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* The grammar of RFC 8259, rule by rule: what every reader must accept is accepted, what none may accept is refused, and what the
 * standard leaves to the reader is written down here: numbers of any size are kept as text; broken Unicode, byte order marks and
 * deep nesting are refused; a repeated key is an error (I-JSON). */
#include "kit/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "json/json.h"

static weir_code read(const char *text, size_t size) {
    json_doc *doc = NULL;
    weir_error err;
    weir_code code = json_parse(&doc, (weir_text){text, size}, &err);
    json_doc_free(doc);
    return code;
}

static void expect_all(const char *const *texts, size_t count, weir_code expected) {
    for (size_t i = 0; i < count; i++)
        if (read(texts[i], strlen(texts[i])) != expected)
            fail_msg("%s is %s", texts[i], expected == WEIR_OK ? "refused" : "accepted");
}

#define EXPECT_ALL(texts, expected) expect_all(texts, sizeof(texts) / sizeof *(texts), expected)

static void values_and_white_space(void **state) {
    (void)state;
    static const char *const good[] = {"null",
                                       "true",
                                       "false",
                                       "0",
                                       "\"\"",
                                       "[]",
                                       "{}",
                                       " [ ] ",
                                       "\t{\n}\r\n",
                                       "[1 , 2]",
                                       "{\"a\" : [ { } ] }",
                                       "[[[]],[]]",
                                       "{\"\":null}"};
    static const char *const bad[] = {
        "",       " ",         "nul",        "True",          "undefined", "[",       "]",
        "{",      "}",         "[1",         "[1,",           "[1,]",      "[,1]",    "[1 2]",
        "[1,,2]", "{\"a\"}",   "{\"a\":}",   "{\"a\":1,}",    "{,}",       "{a:1}",   "{'a':1}",
        "{1:2}",  "{\"a\" 1}", "[] []",      "{}x",           "1 2",       "// c\n1", "/* c */1",
        "[1]\f",  "\v1",       "\xc2\xa0[]", "\xef\xbb\xbf[]"};
    EXPECT_ALL(good, WEIR_OK);
    EXPECT_ALL(bad, WEIR_INVALID);
}

static void numbers(void **state) {
    (void)state;
    static const char *const good[] = {
        "-0",    "10",      "-1",        "0.5", "1.50",
        "1e5",   "1E+5",    "1e-5",      "0e0", "123456789012345678901234567890",
        "1e400", "-1e-400", "0.1e999999"};
    static const char *const bad[] = {"+1",        "01",    "-01",   "1.",  ".5",  "-",           "-.5",
                                      "1e",        "1e+",   "0x1",   "1_0", "NaN", "-NaN",        "Infinity",
                                      "-Infinity", "1.2.3", "1e5.5", "--1", "1f",  "\xef\xbc\x91"};
    EXPECT_ALL(good, WEIR_OK);
    EXPECT_ALL(bad, WEIR_INVALID);
}

static void strings(void **state) {
    (void)state;
    static const char *const good[] = {"\"a/\\/b\"",
                                       "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
                                       "\"\\u0041\\u00e9\"",
                                       "\"\\ud83d\\ude00\"",
                                       "\"\\u0000\"",
                                       "\"\xd0\xb2\xf0\x9f\x98\x80\"",
                                       "\"\x7f\""};
    static const char *const bad[] = {"\"",
                                      "\"a",
                                      "a\"",
                                      "'a'",
                                      "\"\\x41\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\\"",
                                      "\"\\a\"",
                                      "\"\t\"",
                                      "\"\n\"",
                                      "\"\\ud83d\"",
                                      "\"\\ude00\"",
                                      "\"\\ude00\\ud83d\"",
                                      "\"\\ud83d\\u0041\"",
                                      "\"\xff\"",
                                      "\"\xc0\xaf\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xe2\x82\"",
                                      "\"\x80\""};
    EXPECT_ALL(good, WEIR_OK);
    EXPECT_ALL(bad, WEIR_INVALID);
    assert_int_equal(read("\"a\0b\"", 5), WEIR_INVALID);
    assert_int_equal(read("[1]\0", 4), WEIR_INVALID);
}

static void repeated_keys(void **state) {
    (void)state;
    static const char *const bad[] = {"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}",
                                      "[{\"b\":{\"\":0,\"\":0}}]"};
    EXPECT_ALL(bad, WEIR_INVALID);
    assert_int_equal(read("{\"a\":{\"a\":1},\"b\":1}", 19), WEIR_OK);
}

static weir_code read_nested(size_t depth) {
    char *text = malloc(2 * depth);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    weir_code code = read(text, 2 * depth);
    free(text);
    return code;
}

static void nesting(void **state) {
    (void)state;
    assert_int_equal(read_nested(LIMIT_JSON_DEPTH), WEIR_OK);
    assert_int_not_equal(read_nested(LIMIT_JSON_DEPTH + 1), WEIR_OK);
    assert_int_not_equal(read_nested(200000), WEIR_OK);
}

/* Every beginning of a document is refused, unless it is one itself. */
static void truncated(void **state) {
    (void)state;
    static const char text[] = "{\"a\":[1.5e3,true,null,\"x\\u00e9\"],\"b\":{\"c\":-0}}";
    for (size_t size = 0; size + 1 < sizeof text; size++) {
        char *copy = malloc(size + 1); /* so that reading past the end is seen */
        memcpy(copy, text, size);
        assert_int_equal(read(copy, size), size == sizeof text - 1 ? WEIR_OK : WEIR_INVALID);
        free(copy);
    }
    assert_int_equal(read(text, sizeof text - 1), WEIR_OK);
}

static const struct spec specs[] = {
    {"values stand alone, with white space around them and nothing else", values_and_white_space},
    {"numbers are JSON numbers, of any size", numbers},
    {"strings are valid Unicode with the escapes of the standard", strings},
    {"a key stands once in an object", repeated_keys},
    {"nesting is bounded", nesting},
    {"a document cut at any byte is refused", truncated},
};
SPEC_MAIN(specs)
