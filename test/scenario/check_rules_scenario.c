/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* The rules as people meet them: explained, listed, and as the page that the build makes. */
#include "base/memory.h"
#include "base/process.h"
#include "catalog/check.h"
#include "cli_fixture.h"

static void a_rule_is_explained(void **state) {
    (void)state;
    own_environment();
    static const char overlap[] =
        "C101 stream-subjects-overlap (error)\n"
        "\n"
        "Subjects of two streams overlap (10065), or of one stream (10052): the server refuses it.\n"
        "A server refuses the second stream (10065), or the stream (10052).\n"
        "\n"
        "what to do:\n"
        "  narrow one of them so that every subject has one stream\n"
        "\n"
        "for example:\n"
        "  streams:\n"
        "    LATE: {subjects: [order.late.*], max_age: 30d}\n"
        "                      ^ stream 'LATE' takes 'order.late.*', which overlaps 'order.>' of stream "
        "'ORDERS'\n";
    EXPECT(WEIR("check", "--explain", "C101"), 0, overlap, "");
    EXPECT(WEIR("check", "--explain", "c101"), 0, overlap, "");
    EXPECT(WEIR("check", "--explain", "stream-subjects-overlap"), 0, overlap, "");
}

static void a_rule_that_does_not_exist_is_named(void **state) {
    (void)state;
    own_environment();
    EXPECT(WEIR("check", "--explain", "stream-subject-overlap"), 1, "",
           "weir check: there is no rule 'stream-subject-overlap'\n"
           "  did you mean 'stream-subjects-overlap'?\n");
    EXPECT(WEIR("check", "--explain", "C999"), 1, "",
           "weir check: there is no rule 'C999'\n  see `weir check --rules` for all of them\n");
    EXPECT(WEIR("check", "--explain"), 2, "",
           "weir check: option --explain needs a value: --explain RULE; see weir help check\n");
}

static void a_rule_is_explained_as_json(void **state) {
    (void)state;
    own_environment();
    EXPECT(WEIR("check", "--explain", "C203", "--json"), 0,
           "{\"rule\":\"C203\",\"name\":\"event-version\",\"severity\":\"error\",\"says\":\"An event's "
           "version is not a "
           "number from 1\",\"server\":null,\"remedy\":\"count versions from 1\",\"example\":\"events:\\n  "
           "order.placed:\\n    version: 0\\n    ^ event 'order.placed' has version 0, versions count from "
           "1\"}\n",
           "");
}

static void every_rule_is_listed_with_an_example(void **state) {
    (void)state;
    own_environment();
    struct kit_run run = WEIR("check", "--rules", "--json");
    json_doc *doc = json_of(&run);
    const json *rules = json_get(json_root(doc), "rules");
    assert_int_equal(json_size(rules), rule_count());
    for (size_t i = 0; i < rule_count(); i++) {
        const json *rule = json_item(rules, i);
        assert_string_equal(json_cstr(json_get(rule, "rule")), rule_at(i)->code);
        if (json_text(json_get(rule, "example")).size < 10)
            print_error("%s has no example\n", rule_at(i)->code);
        assert_true(json_text(json_get(rule, "example")).size >= 10);
        const char *server = rule_prediction(rule_at(i));
        assert_true(server ? text_is(json_text(json_get(rule, "server")), server)
                           : json_is(json_get(rule, "server"), JSON_NULL));
    }
    json_doc_free(doc);
    kit_run_free(&run);
}

static void the_page_has_a_section_for_every_rule(void **state) {
    (void)state;
    own_environment();
    char path[1024], *made = NULL;
    size_t size;
    weir_error err;
    snprintf(path, sizeof path, "%s/docs/reference/checks.md", getenv("WEIR_BUILD"));
    expect_ok(file_read(&made, &size, path, 1 << 20, &err), &err);
    struct kit_run run = WEIR("check", "--reference");
    assert_string_equal(made, run.out); /* the build made it of this program */
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *rule = rule_at(i);
        char section[256], link[256];
        snprintf(section, sizeof section, "\n## %s %s\n\n%s.\n", rule->code, rule->name, rule->says);
        snprintf(link, sizeof link, "| [%s](#c%s-%s) |", rule->code, rule->code + 1, rule->name);
        assert_non_null(strstr(made, section));
        assert_non_null(strstr(made, link));
    }
    kit_run_free(&run);
    mem_free(made);
}

static const struct spec specs[] = {
    {"a rule is explained by its code or its name", a_rule_is_explained},
    {"a rule that does not exist is named and the nearest one suggested",
     a_rule_that_does_not_exist_is_named},
    {"a rule is explained as JSON", a_rule_is_explained_as_json},
    {"every rule is listed with an example", every_rule_is_listed_with_an_example},
    {"the reference page has a section for every rule", the_page_has_a_section_for_every_rule},
};
SPEC_MAIN(specs)
