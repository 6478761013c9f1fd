/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* The public JSON Schema test suite, draft 2020-12 (kit/suite.h). Each required case must pass, and each of the formats
 * we know; of the other optional files what we leave out is listed with its reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "kit/spec.h"
#include "kit/suite.h"
#include "schema/schema.h"

struct suite {
    struct map *remotes; /* URI -> json_doc */
    schema_run *run;
    bool assert_format;
    int passed, failed, skipped;
};

/* What we leave out of the optional files, with the reason. Required cases and formats are never listed. */
static const char *const left_out[][3] = {
    {"cross-draft.json", "refs to historic drafts are processed as historic drafts",
     "weir reads draft 2020-12 only, and refuses a schema that names another one"},
    {"dependencies-compatibility.json", NULL,
     "dependencies is a keyword of older drafts; 2020-12 has dependentRequired and dependentSchemas"},
};

static json_doc *parsed(weir_text content) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, content, &err), &err);
    return doc;
}

static void keep_remote(void *arg, const char *name, weir_text content) {
    char uri[1024];
    snprintf(uri, sizeof uri, KIT_SUITE_REMOTES "%s", name);
    map_put(((struct suite *)arg)->remotes, weir_text_of(uri), parsed(content));
}

static const json *resolve_remote(void *arg, weir_text uri) {
    json_doc *doc = map_get(((struct suite *)arg)->remotes, uri);
    return doc ? json_root(doc) : NULL;
}

/* Why the group is left out, or NULL. */
static const char *left_out_because(const char *file, const char *group) {
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (strcmp(left_out[i][0], file) == 0 && (!left_out[i][1] || strcmp(left_out[i][1], group) == 0))
            return left_out[i][2];
    return NULL;
}

static void run_case(struct suite *suite, const char *file, const schema *schema, const json *group,
                     const json *test) {
    const char *group_name = json_cstr(json_get(group, "description"));
    const char *name = json_cstr(json_get(test, "description"));
    const json *data = json_get(test, "data");
    bool expected = json_true(json_get(test, "valid"));
    bool first = schema_valid(suite->run, schema, data, false);
    bool all = schema_valid(suite->run, schema, data, true);
    if (first == expected && all == expected) {
        suite->passed++;
        return;
    }
    suite->failed++;
    const struct schema_problem *problem = schema_problem_at(suite->run, 0);
    print_error("%s: %s: %s: should be %s; %s %s\n", file, group_name, name, expected ? "valid" : "invalid",
                problem ? problem->where : "", problem ? problem->message : "");
}

static void run_group(struct suite *suite, const char *file, const json *group) {
    const struct schema_options options = {
        .resolve = resolve_remote, .arg = suite, .assert_format = suite->assert_format};
    schema *schema = NULL;
    weir_error err;
    const json *tests = json_get(group, "tests");
    const char *reason = left_out_because(file, json_cstr(json_get(group, "description")));
    if (reason) {
        print_message("left out: %s: %s: %s\n", file, json_cstr(json_get(group, "description")), reason);
        suite->skipped += (int)json_size(tests);
        return;
    }
    if (schema_compile(&schema, json_get(group, "schema"), &options, &err) != WEIR_OK) {
        print_error("%s: %s: does not compile: %s\n", file, json_cstr(json_get(group, "description")),
                    err.message);
        suite->failed += (int)json_size(tests);
        return;
    }
    for (struct json_iter it = json_iter(tests); json_next(&it);)
        run_case(suite, file, schema, group, it.value);
    schema_free(schema);
}

static void run_file(void *arg, const char *name, weir_text content) {
    json_doc *doc = parsed(content);
    for (struct json_iter it = json_iter(json_root(doc)); json_next(&it);)
        run_group(arg, name, it.value);
    json_doc_free(doc);
}

static void begin(struct suite *suite, bool assert_format) {
    suite->assert_format = assert_format;
    suite->remotes = map_new();
    suite->run = schema_run_new();
    kit_suite_each("remotes", true, keep_remote, suite);
}

static void end(struct suite *suite, const char *what) {
    print_message("%s: passed %d of %d", what, suite->passed, suite->passed + suite->failed);
    if (suite->skipped)
        print_message(", %d left out", suite->skipped);
    print_message("\n");
    size_t cursor = 0;
    weir_text uri;
    for (void *doc; map_next(suite->remotes, &cursor, &uri, &doc);)
        json_doc_free(doc);
    map_free(suite->remotes);
    schema_run_free(suite->run);
    assert_int_equal(suite->failed, 0);
}

static void required_cases(void **state) {
    (void)state;
    struct suite suite = {0};
    if (!kit_suite_needed())
        return;
    begin(&suite, false);
    assert_true(kit_suite_each(KIT_SUITE_REQUIRED, false, run_file, &suite) > 40);
    end(&suite, "required cases");
}

static void optional_cases(void **state) {
    (void)state;
    struct suite suite = {0};
    if (!kit_suite_needed())
        return;
    begin(&suite, false);
    int count = kit_suite_each(KIT_SUITE_REQUIRED "/optional", false, run_file, &suite);
    end(&suite, "optional cases");
    if (count == 0)
        spec_skip("this copy of the suite has no optional files");
}

static void run_known_format(void *arg, const char *name, weir_text content) {
    static const char *const formats[] = {
        "date-time", "date",          "time",         "duration", "uuid",
        "email",     "uri",           "hostname",     "ipv4",     "ipv6",
        "regex",     "uri-reference", "json-pointer", "unknown",  "ecmascript-regex"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strncmp(name, formats[i], strlen(formats[i])) == 0 && name[strlen(formats[i])] == '.')
            run_file(arg, name, content);
}

static void format_cases(void **state) {
    (void)state;
    struct suite suite = {0};
    if (!kit_suite_needed())
        return;
    begin(&suite, true);
    kit_suite_each(KIT_SUITE_REQUIRED "/optional/format", false, run_known_format, &suite);
    assert_true(suite.passed > 0);
    end(&suite, "format cases");
}

static const struct spec specs[] = {
    {"all required cases of the public suite pass", required_cases},
    {"optional cases of the public suite pass but for those named here", optional_cases},
    {"the formats we know agree with the public suite", format_cases},
};

SPEC_MAIN(specs)
