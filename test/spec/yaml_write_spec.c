/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json */
/* Writing YAML: it reads back as the same tree, whatever the texts are; quotes stand where a reader of YAML
 * 1.1 or 1.2 could misread, and nowhere else. */
#include <stdlib.h>

#include "kit/spec.h"
#include "weir/json.h"
#include "json/yaml_write.h"

static void only_what_could_be_misread_is_quoted(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool block, flow;
    } rows[] = {
        {"rwa.inventory.*", true, true},
        {"orders.>", true, true},
        {"90d", true, true},
        {"1GiB", true, true},
        {"STREAM_RWA", true, true},
        {"a b c", true, true},
        {"-x", true, true},
        {"caf\xC3\xA9", true, true},
        {"https", true, true},
        {"a:b", true, false},
        {"a, b", true, false},
        {"{agent_id}", false, false},
        {"message.{agent_id}", true, false},
        {"what?", true, false},
        {"v1", true, true},
        {"", false, false},
        {"no", false, false},
        {"Yes", false, false},
        {"NULL", false, false},
        {"~", false, false},
        {"<<", false, false},
        {"y", false, false},
        {"12", false, false},
        {"1e3", false, false},
        {"0x1F", false, false},
        {"0o17", false, false},
        {"1_000", false, false},
        {"12:30:45", false, false},
        {"2026-01-01", false, false},
        {"2026-01-01T00:00:00Z", false, false},
        {".5", false, false},
        {"+1", false, false},
        {"-.inf", false, false},
        {"1.2.3", false, false},
        {"*", false, false},
        {">", false, false},
        {"- a", false, false},
        {"---", false, false},
        {"...", false, false},
        {"a: b", false, false},
        {"a:", false, false},
        {"a #b", false, false},
        {" a", false, false},
        {"a ", false, false},
        {"#a", false, false},
        {"a\tb", false, false},
        {"a\nb", false, false},
        {"a\xC2\x85", false, false},
        {"\xEF\xBB\xBF"
         "a",
         false, false},
        {"@a", false, false},
        {"%a", false, false},
        {"a\xFF", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (yaml_plain(weir_text_of(rows[i].text), false) != rows[i].block ||
            yaml_plain(weir_text_of(rows[i].text), true) != rows[i].flow)
            fail_msg("'%s' is judged wrongly", rows[i].text);
    }
}

static void a_file_is_written_as_people_write_it(void **state) {
    (void)state;
    static const char *const subjects[] = {"a.*", "b.>"};
    json_doc *doc = NULL;
    weir_error err = {0};
    buffer out;
    buffer_init(&out, 1 << 20);
    expect_ok(json_parse(&doc, weir_text_of("{\"type\":\"object\",\"required\":[\"no\"],\"more\":[]}"), &err),
              &err);
    yaml_writer *yaml = yaml_writer_new(&out);
    yaml_comment(yaml, "What runs, as %s found it.", "import");
    yaml_int(yaml, "weir", 1);
    yaml_bool(yaml, "managed", false);
    yaml_note(yaml, "until you take over");
    yaml_begin(yaml, "streams");
    yaml_blank(yaml);
    yaml_comment(yaml, "3 messages\x1b[2J");
    yaml_begin(yaml, "STREAM_A");
    yaml_strings(yaml, "subjects", subjects, 2);
    yaml_tree(yaml, "payload", json_root(doc));
    yaml_end(yaml);
    yaml_begin(yaml, "EMPTY");
    yaml_end(yaml);
    yaml_begin(yaml, "SAID");
    yaml_comment(yaml, "nothing");
    yaml_end(yaml);
    yaml_end(yaml);
    yaml_writer_free(yaml);
    assert_string_equal(out.data, "# What runs, as import found it.\n"
                                  "weir: 1\n"
                                  "managed: false # until you take over\n"
                                  "streams:\n"
                                  "\n"
                                  "  # 3 messages\\x1b[2J\n"
                                  "  STREAM_A:\n"
                                  "    subjects: [a.*, b.>]\n"
                                  "    payload: {type: object, required: [\"no\"], more: []}\n"
                                  "  EMPTY: {}\n"
                                  "  SAID:\n"
                                  "    # nothing\n"
                                  "    {}\n");
    json_doc_free(doc);
    expect_ok(yaml_parse(&doc, "a.yaml", buffer_view(&out), &err), &err);
    json_doc_free(doc);
    buffer_release(&out);
}

/* --- any tree reads back -------------------------------------------------------------------------------- */

static uint64_t state_of_luck;
static uint32_t pick(uint32_t below) {
    state_of_luck = state_of_luck * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state_of_luck >> 33) % below;
}

static void any_text(weir_json_writer *json, bool key, uint32_t number) {
    static const char *const pieces[] = {"a",
                                         "b1",
                                         ":",
                                         " ",
                                         "#",
                                         "-",
                                         "?",
                                         "\n",
                                         "\t",
                                         "\"",
                                         "'",
                                         "\\",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         "&x",
                                         "*",
                                         "!",
                                         "|",
                                         ">",
                                         "%",
                                         "@",
                                         "`",
                                         "no",
                                         "~",
                                         "1e3",
                                         "=",
                                         "<<",
                                         "true",
                                         "0",
                                         "...",
                                         "---",
                                         "\xC2\x85",
                                         "\xE2\x80\xA8",
                                         "\r",
                                         "\x01",
                                         "\x7f",
                                         "\xEF\xBB\xBF",
                                         "\xEF\xBF\xBE",
                                         "\xF0\x9F\x90\x9F",
                                         "\xC3\xA9",
                                         "2026-01-01",
                                         "12:30",
                                         ".",
                                         "+",
                                         "_",
                                         "long long word"};
    buffer text;
    buffer_init(&text, 1 << 16);
    buffer_string(&text, "");
    uint32_t count = pick(20) == 0 ? 200 : pick(5);
    for (uint32_t i = 0; i < count; i++)
        buffer_string(&text, pieces[pick(sizeof pieces / sizeof *pieces)]);
    if (key) {
        buffer_printf(&text, "%u", number); /* keys of one object differ */
        weir_json_key(json, text.data);
    } else {
        weir_json_text(json, buffer_view(&text));
    }
    buffer_release(&text);
}

static void any_value(weir_json_writer *json, int depth) {
    static const char *const numbers[] = {"0",     "-1",   "12.50",
                                          "1e400", "-0.0", "123456789012345678901234567890"};
    uint32_t kind = pick(depth > 0 ? 8 : 6);
    if (kind < 3)
        any_text(json, false, 0);
    else if (kind == 3)
        weir_json_raw(json, weir_text_of(numbers[pick(6)]));
    else if (kind == 4)
        weir_json_bool(json, (int)pick(2));
    else if (kind == 5)
        weir_json_null(json);
    else if (kind == 6) {
        weir_json_begin_array(json);
        for (uint32_t i = pick(6); i > 0; i--)
            any_value(json, depth - 1);
        weir_json_end_array(json);
    } else {
        weir_json_begin_object(json);
        for (uint32_t i = pick(6); i > 0; i--) {
            any_text(json, true, i);
            any_value(json, depth - 1);
        }
        weir_json_end_object(json);
    }
}

static void round_trip(uint64_t seed) {
    json_doc *doc = NULL, *again = NULL;
    weir_error err = {0};
    buffer out;
    buffer_init(&out, 16 << 20);
    weir_json_writer *json = weir_json_new();
    state_of_luck = seed;
    any_value(json, 6);
    expect_ok(json_parse(&doc, weir_json_done(json), &err), &err);
    yaml_writer *yaml = yaml_writer_new(&out);
    yaml_begin(yaml, "deeper");
    yaml_comment(yaml, "%.*s", (int)(weir_json_done(json).size > 300 ? 300 : weir_json_done(json).size),
                 weir_json_done(json).data);
    yaml_tree(yaml, "value", json_root(doc));
    yaml_end(yaml);
    yaml_writer_free(yaml);
    if (yaml_parse(&again, "x.yaml", buffer_view(&out), &err) != WEIR_OK)
        fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, err.message, out.data);
    if (!json_equal(json_root(doc), json_pointer(json_root(again), weir_text_of("/deeper/value"))))
        fail_msg("seed %llu: reads back as something else:\n%s", (unsigned long long)seed, out.data);
    json_doc_free(doc);
    json_doc_free(again);
    weir_json_free(json);
    buffer_release(&out);
}

static void any_tree_reads_back(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    for (uint64_t i = 0; i < 3000; i++)
        round_trip(seed + i);
}

static const struct spec specs[] = {
    {"a text is quoted when a reader could misread it and only then", only_what_could_be_misread_is_quoted},
    {"a file is written as people write it with comments", a_file_is_written_as_people_write_it},
    {"any tree that is written reads back equal", any_tree_reads_back},
};
SPEC_MAIN(specs)
