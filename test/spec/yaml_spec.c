/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Reading YAML: one meaning, with places; what surprises is refused where it stands. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "json/json.h"

static json_doc *parsed(const char *text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(yaml_parse(&doc, "f.yaml", weir_text_of(text), &err), &err);
    return doc;
}

static void expect_json(const char *yaml, const char *json) {
    json_doc *doc = parsed(yaml);
    buffer out;
    buffer_init(&out, 100000);
    json_write(&out, json_root(doc), false);
    assert_string_equal(out.data, json);
    buffer_release(&out);
    json_doc_free(doc);
}

static void expect_refused(weir_text yaml, const char *message, const char *hint) {
    json_doc *doc = NULL;
    weir_error err;
    expect_error(yaml_parse(&doc, "f.yaml", yaml, &err), WEIR_INVALID, &err, message);
    if (hint)
        assert_string_equal(err.hint, hint);
    assert_null(doc);
}

/* --- what is read --------------------------------------------------------------------------------------- */

static void a_catalog_file_is_read(void **state) {
    (void)state;
    expect_json(
        "# a comment\n"
        "weir: 1\n"
        "streams:\n"
        "  STREAM_RWA: {subjects: [rwa.inventory.*], max_age: 90d}\n"
        "list:\n"
        "- a\n"
        "- - b\n"
        "  - c: d\n"
        "    e: f\n",
        "{\"weir\":1,\"streams\":{\"STREAM_RWA\":{\"subjects\":[\"rwa.inventory.*\"],\"max_age\":\"90d\"}},"
        "\"list\":[\"a\",[\"b\",{\"c\":\"d\",\"e\":\"f\"}]]}");
}

static void plain_scalars_have_one_meaning(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"no", "\"no\""},
        {"yes", "\"yes\""},
        {"on", "\"on\""},
        {"True", "\"True\""},
        {"true", "true"},
        {"false", "false"},
        {"null", "null"},
        {"~", "null"},
        {"NULL", "\"NULL\""},
        {"0", "0"},
        {"-12.50", "-12.50"},
        {"1e3", "1e3"},
        {"1e400", "1e400"},
        {"010", "\"010\""},
        {"0x1F", "\"0x1F\""},
        {"0o17", "\"0o17\""},
        {"+1", "\"+1\""},
        {"1_000", "\"1_000\""},
        {".5", "\".5\""},
        {".inf", "\".inf\""},
        {".nan", "\".nan\""},
        {"12:30:00", "\"12:30:00\""},
        {"2025-11-14", "\"2025-11-14\""},
        {"90d", "\"90d\""},
        {"1GiB", "\"1GiB\""},
        {"\"1\"", "\"1\""},
        {"'true'", "\"true\""},
        {"\"\"", "\"\""},
        {"wallet.>", "\"wallet.>\""},
        {"a#b", "\"a#b\""},
        {"a:b", "\"a:b\""},
        {"-", "[null]"},
        {"\"\\u0041\\0\\x41\"", "\"A\\u0000A\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_json(rows[i].yaml, rows[i].json);
}

static void blocks_of_text_are_strings(void **state) {
    (void)state;
    expect_json(
        "a: |\n  one\n   two\n\n  three\nb: >-\n  folded\n  line\n\n  next\nc: |+\n  1\n\nd: |2\n   x\n",
        "{\"a\":\"one\\n two\\n\\nthree\\n\",\"b\":\"folded line\\nnext\",\"c\":\"1\\n\\n\",\"d\":\" "
        "x\\n\"}");
    expect_json("a: |\n  x\ty\n  \tz\nb: 'it''s'\nc: \"x\ty\"\n",
                "{\"a\":\"x\\ty\\n\\tz\\n\",\"b\":\"it's\",\"c\":\"x\\ty\"}");
    expect_json("a: one\n  two\n", "{\"a\":\"one two\"}");
}

static void json_is_yaml(void **state) {
    (void)state;
    expect_json("{\"a\": [1, -2.5e10, true, null, \"x\"], \"b\": {\"c\": {}}, \"d\": []}",
                "{\"a\":[1,-2.5e10,true,null,\"x\"],\"b\":{\"c\":{}},\"d\":[]}");
}

static void keys_are_texts(void **state) {
    (void)state;
    expect_json("1: a\ntrue: b\n\"x y\": c\n'<<': d\n? e\n: f\n",
                "{\"1\":\"a\",\"true\":\"b\",\"x y\":\"c\",\"<<\":\"d\",\"e\":\"f\"}");
}

static void line_ends_and_marks_do_not_matter(void **state) {
    (void)state;
    expect_json("\xEF\xBB\xBF"
                "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
                "{\"a\":1,\"b\":\"x\\ny\\n\"}");
    expect_json("%YAML 1.2\n---\na: 1\n...\n", "{\"a\":1}");
    expect_json("a: 1", "{\"a\":1}");
    expect_json("a: \xC3\xA4\xF0\x9F\x98\x80", "{\"a\":\"\xC3\xA4\xF0\x9F\x98\x80\"}");
    expect_json("---\n", "null");
}

static void depth_64_is_read(void **state) {
    (void)state;
    char text[2 * LIMIT_JSON_DEPTH + 1] = "";
    memset(text, '[', LIMIT_JSON_DEPTH);
    memset(text + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
    expect_json(text, text);
}

/* --- places --------------------------------------------------------------------------------------------- */

static void expect_place(struct place place, int line, int column) {
    assert_string_equal(place.file, "f.yaml");
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void every_value_has_its_place(void **state) {
    (void)state;
    json_doc *doc = parsed("weir: 1\n"
                           "streams:\n"
                           "  A: {subjects: [x, \xC3\xA4\xC3\xA4, y]}\n"
                           "  \"B\":\n"
                           "    - one\n"
                           "    - two: |\n"
                           "        text\n"
                           "empty:\n"
                           "last: 'q'\n");
    const json *root = json_root(doc), *streams = json_get(root, "streams");
    const json *subjects = json_pointer(root, weir_text_of("/streams/A/subjects"));
    expect_place(json_place(doc, root), 1, 1);
    expect_place(json_place(doc, json_get(root, "weir")), 1, 7);
    expect_place(json_place(doc, streams), 3, 3);
    expect_place(json_member_place(doc, root, "streams"), 2, 1);
    expect_place(json_member_place(doc, streams, "B"), 4, 3);
    expect_place(json_place(doc, json_get(streams, "B")), 5, 5);
    expect_place(json_place(doc, subjects), 3, 17);
    expect_place(json_place(doc, json_item(subjects, 1)), 3, 21);
    expect_place(json_place(doc, json_item(subjects, 2)), 3, 25);
    expect_place(json_place(doc, json_pointer(root, weir_text_of("/streams/B/1/two"))), 6, 12);
    expect_place(json_member_place(doc, json_pointer(root, weir_text_of("/streams/B/1")), "two"), 6, 7);
    expect_place(json_place(doc, json_get(root, "empty")), 8, 7);
    expect_place(json_place(doc, json_get(root, "last")), 9, 7);
    expect_place(json_member_place(doc, root, "absent"), 1, 1); /* the object itself */
    for (struct json_iter it = json_iter(root); json_next(&it);)
        expect_place(json_place(doc, it.key_value), json_member_place(doc, root, it.key.data).line, 1);
    json_doc_free(doc);
}

/* --- what is refused ------------------------------------------------------------------------------------ */

static void surprises_are_refused(void **state) {
    (void)state;
    static const char *const inline_it = "write the value out where it is needed";
    static const struct {
        const char *yaml, *message, *hint;
    } rows[] = {
        {"", "f.yaml:1:1: the file is empty", ""},
        {"# only a comment\n", "f.yaml:1:1: the file is empty", ""},
        {"a: &x 1", "f.yaml:1:4: anchors are not allowed", inline_it},
        {"a: &x\n  b: 1", "f.yaml:1:4: anchors are not allowed", inline_it},
        {"a: &x [1]", "f.yaml:1:4: anchors are not allowed", inline_it},
        {"&x a: 1", "f.yaml:1:1: anchors are not allowed", inline_it},
        {"a: *x", "f.yaml:1:4: aliases are not allowed", inline_it},
        {"a: &a [*a]", "f.yaml:1:4: anchors are not allowed", inline_it},
        {"*x : 1", "f.yaml:1:1: aliases are not allowed", inline_it},
        {"b: {<<: {a: 1}}", "f.yaml:1:5: merge keys are not allowed",
         "write the members out where they are needed"},
        {"a: !!str 1", "f.yaml:1:4: tags are not allowed",
         "leave the tag away; quote what is meant as a string"},
        {"a: !!python/object:os.system {}", "f.yaml:1:4: tags are not allowed", NULL},
        {"a: ! x", "f.yaml:1:4: tags are not allowed", NULL},
        {"- !x [1]", "f.yaml:1:3: tags are not allowed", NULL},
        {"%TAG ! tag:example.com,2000:\n---\na: 1", "f.yaml:1:1: tag directives are not allowed",
         "leave the line away"},
        {"a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here", "put it into a file of its own"},
        {"a: 1\n...\nb: 2", "f.yaml:3:1: did not find expected <document start>",
         "one file holds one document"},
        {"? [a]\n: b", "f.yaml:1:3: a list or an object cannot be a key", "write a name before the colon"},
        {"{a: 1}: b", "f.yaml:1:1: a list or an object cannot be a key", NULL},
        {"a: 1\n? \n: b", "f.yaml:2:2: a key is missing here", "write a name before the colon"},
        {"\ta: 1", "f.yaml:1:1: a tab stands here", "use spaces"},
        {"a:\n\tb: 1", "f.yaml:2:1: a tab stands here", "use spaces"},
        {"a:\n  \tb: 1", "f.yaml:2:3: a tab stands here", "use spaces"},
        {"a:\tb", "f.yaml:1:4: a tab stands before this", "use spaces"},
        {"-\ta", "f.yaml:1:2: a tab stands here", "use spaces"},
        {"a: [\n\t1]", "f.yaml:2:2: a tab stands before this", "use spaces"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused(weir_text_of(rows[i].yaml), rows[i].message, rows[i].hint);
    expect_refused((weir_text){0}, "f.yaml:1:1: the file is empty", NULL);
}

static void broken_text_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *message, *hint;
    } rows[] = {
        {"a: b: c", "f.yaml:1:5: mapping values are not allowed in this context",
         "indent the key like the keys beside it; put a value that holds a colon in quotes"},
        {"a: 1\n  b: 2", "f.yaml:2:4: mapping values are not allowed in this context", NULL},
        {"a:\n  b: 1\n c: 2", "f.yaml:3:2: did not find expected key", "indent the keys of one object alike"},
        {"a: @x", "f.yaml:1:4: found character that cannot start any token", "put the value in quotes"},
        {"a: `x`", "f.yaml:1:4: found character that cannot start any token", "put the value in quotes"},
        {"a: [1\n", "f.yaml:2:1: did not find expected ',' or ']'",
         "the YAML reader stopped while parsing a flow sequence that began in line 1"},
        {"a: \"x\n", "f.yaml:2:1: found unexpected end of stream",
         "the YAML reader stopped while scanning a quoted scalar that began in line 1"},
        {"a: \"\\q\"", "f.yaml:1:5: found unknown escape character", NULL},
        {"a: >x\n  b", "f.yaml:1:5: did not find expected comment or line break", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused(weir_text_of(rows[i].yaml), rows[i].message, rows[i].hint);
}

static void other_encodings_are_refused(void **state) {
    (void)state;
    expect_refused((weir_text){"\xFF\xFE"
                               "a\0",
                               4},
                   "f.yaml:1:1: the file is written in UTF-16", "save it as UTF-8");
    expect_refused((weir_text){"\xFE\xFF\0a", 4}, "f.yaml:1:1: the file is written in UTF-16",
                   "save it as UTF-8");
    expect_refused((weir_text){"a: 1\nb: \0", 9},
                   "f.yaml:2:4: the control character U+0000 cannot stand in a file", NULL);
    expect_refused(weir_text_of("a: \x1b[2J"),
                   "f.yaml:1:4: the control character U+001B cannot stand in a file", NULL);
    expect_refused(weir_text_of("a: \x7f"), "f.yaml:1:4: the control character U+007F cannot stand in a file",
                   NULL);
    expect_refused(weir_text_of("\xC3\xA4: \xFF"), "f.yaml:1:4: this byte is no UTF-8", NULL);
    expect_refused(weir_text_of("a: \xC0\x80"), "f.yaml:1:4: this byte is no UTF-8", NULL);
}

static void repeated_keys_are_refused(void **state) {
    (void)state;
    static const char *const hint = "remove one of the two, or rename it";
    expect_refused(weir_text_of("a: 1\nb: 2\na: 3"), "f.yaml:3:1: the key \"a\" stands in line 1 already",
                   hint);
    expect_refused(weir_text_of("x:\n  {k: 1, \"\\u006b\": 2}"),
                   "f.yaml:2:10: the key \"k\" stands in line 2 already", hint);
    expect_refused(weir_text_of("1: a\n'1': b"), "f.yaml:2:1: the key \"1\" stands in line 1 already", hint);
    buffer many;
    buffer_init(&many, 1 << 20);
    for (int i = 0; i < 5000; i++)
        buffer_printf(&many, "key%d: %d\n", i, i);
    buffer_string(&many, "key7: again\n");
    expect_refused(buffer_view(&many), "f.yaml:5001:1: the key \"key7\" stands in line 8 already", hint);
    buffer_release(&many);
}

static void bombs_are_refused(void **state) {
    (void)state;
    char *text = mem_alloc(LIMIT_CATALOG_FILE_BYTES + 2);
    memset(text, '[', 10000);
    expect_refused((weir_text){text, 10000}, "f.yaml:1:65: nested deeper than 64 levels", NULL);
    memset(text, '{', 10000);
    expect_refused((weir_text){text, 10000}, "f.yaml:1:2: a list or an object cannot be a key", NULL);
    for (size_t i = 0; i < 5000; i++)
        memcpy(text + 2 * i, "- ", 2);
    expect_refused((weir_text){text, 10000}, "f.yaml:1:129: nested deeper than 64 levels", NULL);
    buffer deep;
    buffer_init(&deep, 1 << 20);
    for (int i = 0; i < 100; i++)
        buffer_printf(&deep, "%*sa:\n", i, "");
    expect_refused(buffer_view(&deep), "f.yaml:65:65: nested deeper than 64 levels", NULL);
    buffer_release(&deep);
    memset(text, 'x', LIMIT_CATALOG_FILE_BYTES + 1);
    expect_refused((weir_text){text, LIMIT_CATALOG_FILE_BYTES + 1},
                   "f.yaml:1:1: the file is larger than 4 MiB", "split it: a catalog may have many files");
    mem_free(text);
}

static void large_files_are_read(void **state) {
    (void)state;
    char *text = mem_alloc(LIMIT_CATALOG_FILE_BYTES + 1);
    memset(text, 'x', LIMIT_CATALOG_FILE_BYTES);
    json_doc *doc = parsed(text);
    assert_int_equal(json_text(json_root(doc)).size, LIMIT_CATALOG_FILE_BYTES);
    json_doc_free(doc);
    mem_free(text);
}

static void cut_files_never_crash(void **state) {
    (void)state;
    const char *text = "a: {b: [1, \"x\\u0041\", 'y'], c: |\n  text\n}\nd:\n- e: >-\n    f\n  g: *h\n";
    for (size_t size = 0; size <= strlen(text); size++) {
        char *copy = mem_alloc(size + 1);
        memcpy(copy, text, size);
        json_doc *doc = NULL;
        weir_error err;
        if (yaml_parse(&doc, "f.yaml", (weir_text){copy, size}, &err) == WEIR_OK)
            json_doc_free(doc);
        else
            assert_int_equal(strncmp(err.message, "f.yaml:", 7), 0);
        mem_free(copy);
    }
    json_doc *doc = NULL;
    assert_int_equal(yaml_parse(&doc, "f.yaml", weir_text_of("a: *b"), NULL), WEIR_INVALID);
}

static const struct spec specs[] = {
    {"a catalog file is read", a_catalog_file_is_read},
    {"a plain scalar has one meaning and Norway is a string", plain_scalars_have_one_meaning},
    {"literal, folded and quoted text is a string", blocks_of_text_are_strings},
    {"JSON is read as it stands", json_is_yaml},
    {"keys are texts", keys_are_texts},
    {"line ends, a byte order mark and a version line do not matter", line_ends_and_marks_do_not_matter},
    {"64 levels are read", depth_64_is_read},
    {"every value and key knows its line and column", every_value_has_its_place},
    {"anchors, tags, merge keys, tabs and second documents are refused", surprises_are_refused},
    {"broken text is refused with a remedy", broken_text_is_refused},
    {"other encodings, NUL and control characters are refused", other_encodings_are_refused},
    {"a repeated key is refused and the first one named", repeated_keys_are_refused},
    {"deep and oversize files are refused at once", bombs_are_refused},
    {"a file of exactly 4 MiB is read", large_files_are_read},
    {"a file cut at any byte is read or refused with a place", cut_files_never_crash},
};
SPEC_MAIN(specs)
