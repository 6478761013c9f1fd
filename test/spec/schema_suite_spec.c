/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* The public JSON Schema test suite, draft 2020-12 (github.com/json-schema-org/JSON-Schema-Test-Suite). It is
 * not part of this repository: WEIR_SCHEMA_SUITE names its folder, or it lies at
 * ../shared/data/json-schema-test-suite. Its remote documents are found under http://localhost:1234/, by the
 * suite's own convention. Each required case must pass; the formats we know are run too, with the cases we
 * leave out listed by name. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/process.h"
#include "kit/spec.h"
#include "schema/schema.h"

#define REMOTE_URI "http://localhost:1234/"

enum { FILE_BYTES = 4 << 20, PATH_BYTES = 1024 };

struct suite {
    char folder[PATH_BYTES];
    struct map *remotes; /* URI -> json_doc */
    schema_run *run;
    bool assert_format;
    int passed, failed, skipped;
};

/* Cases of the format files that need more than we do. Required cases are never listed. */
#define A_LABELS "validation of A-label (punycode) host names"
static const char *const left_out[][2] = {
    /* what stands behind xn-- is not decoded, so IDNA's rules for its characters are not known */
    {A_LABELS, "contains illegal char U+302E Hangul single dot tone mark"},
    {A_LABELS, "Begins with a Spacing Combining Mark"},
    {A_LABELS, "Begins with a Nonspacing Mark"},
    {A_LABELS, "Begins with an Enclosing Mark"},
    {A_LABELS, "Exceptions that are DISALLOWED, right-to-left chars"},
    {A_LABELS, "Exceptions that are DISALLOWED, left-to-right chars"},
    {A_LABELS, "MIDDLE DOT with no preceding 'l'"},
    {A_LABELS, "MIDDLE DOT with nothing preceding"},
    {A_LABELS, "MIDDLE DOT with no following 'l'"},
    {A_LABELS, "MIDDLE DOT with nothing following"},
    {A_LABELS, "Greek KERAIA not followed by Greek"},
    {A_LABELS, "Greek KERAIA not followed by anything"},
    {A_LABELS, "Hebrew GERESH not preceded by Hebrew"},
    {A_LABELS, "Hebrew GERESH not preceded by anything"},
    {A_LABELS, "Hebrew GERSHAYIM not preceded by Hebrew"},
    {A_LABELS, "Hebrew GERSHAYIM not preceded by anything"},
    {A_LABELS, "KATAKANA MIDDLE DOT with no Hiragana, Katakana, or Han"},
    {A_LABELS, "KATAKANA MIDDLE DOT with no other characters"},
    {A_LABELS, "Arabic-Indic digits mixed with Extended Arabic-Indic digits"},
    {A_LABELS, "ZERO WIDTH JOINER not preceded by Virama"},
    {A_LABELS, "ZERO WIDTH JOINER not preceded by anything"},
    {A_LABELS, "contains \"--\" in the 3rd and 4th position"},
    /* PCRE2 10.42 looks back by a fixed width only */
    {"ECMA 262 lookbehind is valid, including variable width", "a variable-width lookbehind (ES2018)"},
};

static json_doc *read_document(const char *path) {
    char *data = NULL;
    size_t size = 0;
    weir_error err;
    json_doc *doc = NULL;
    if (file_read(&data, &size, path, FILE_BYTES, &err) != WEIR_OK)
        return NULL;
    expect_ok(json_parse(&doc, (weir_text){data, size}, &err), &err);
    mem_free(data);
    return doc;
}

static const json *resolve_remote(void *arg, weir_text uri) {
    struct suite *suite = arg;
    if (!text_starts(uri, REMOTE_URI))
        return NULL;
    json_doc *doc = map_get(suite->remotes, uri);
    if (!doc) {
        char path[2 * PATH_BYTES];
        snprintf(path, sizeof path, "%s/remotes/%.*s", suite->folder, (int)(uri.size - strlen(REMOTE_URI)),
                 uri.data + strlen(REMOTE_URI));
        doc = read_document(path);
        if (doc)
            map_put(suite->remotes, uri, doc);
    }
    return doc ? json_root(doc) : NULL;
}

static bool is_left_out(const char *group, const char *test) {
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (strcmp(left_out[i][0], group) == 0 && strcmp(left_out[i][1], test) == 0)
            return true;
    return false;
}

static void run_case(struct suite *suite, const char *file, const schema *schema, const json *group,
                     const json *test) {
    const char *group_name = json_cstr(json_get(group, "description"));
    const char *name = json_cstr(json_get(test, "description"));
    if (suite->assert_format && is_left_out(group_name, name)) {
        suite->skipped++;
        return;
    }
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

static void run_file(struct suite *suite, const char *folder, const char *name) {
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s/%s", suite->folder, folder, name);
    json_doc *doc = read_document(path);
    assert_non_null(doc);
    for (struct json_iter it = json_iter(json_root(doc)); json_next(&it);)
        run_group(suite, name, it.value);
    json_doc_free(doc);
}

static bool find_suite(struct suite *suite) {
    const char *named = getenv("WEIR_SCHEMA_SUITE"), *source = getenv("WEIR_SOURCE");
    if (named)
        snprintf(suite->folder, sizeof suite->folder, "%s", named);
    else
        snprintf(suite->folder, sizeof suite->folder, "%s/../shared/data/json-schema-test-suite",
                 source ? source : ".");
    DIR *folder = opendir(suite->folder);
    if (folder)
        closedir(folder);
    else
        spec_skip("the JSON Schema test suite is not here: set WEIR_SCHEMA_SUITE to its folder");
    return folder != NULL;
}

static void begin(struct suite *suite, bool assert_format) {
    suite->assert_format = assert_format;
    suite->remotes = map_new();
    suite->run = schema_run_new();
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
    assert_true(suite->passed > 0);
    assert_int_equal(suite->failed, 0);
}

static int is_json(const struct dirent *entry) {
    size_t size = strlen(entry->d_name);
    return size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
}

static void required_cases(void **state) {
    (void)state;
    struct suite suite = {0};
    if (!find_suite(&suite))
        return;
    char folder[2 * PATH_BYTES];
    struct dirent **files = NULL;
    snprintf(folder, sizeof folder, "%s/tests/draft2020-12", suite.folder);
    int count = scandir(folder, &files, is_json, alphasort);
    assert_true(count > 40);
    begin(&suite, false);
    for (int i = 0; i < count; i++) {
        run_file(&suite, "tests/draft2020-12", files[i]->d_name);
        free(files[i]);
    }
    free(files);
    end(&suite, "required cases");
}

static void format_cases(void **state) {
    (void)state;
    static const char *const formats[] = {
        "date-time", "date",          "time",         "duration", "uuid",
        "email",     "uri",           "hostname",     "ipv4",     "ipv6",
        "regex",     "uri-reference", "json-pointer", "unknown",  "ecmascript-regex"};
    struct suite suite = {0};
    if (!find_suite(&suite))
        return;
    begin(&suite, true);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.json", formats[i]);
        run_file(&suite, "tests/draft2020-12/optional/format", name);
    }
    end(&suite, "format cases");
}

static const struct spec specs[] = {
    {"all required cases of the public suite pass", required_cases},
    {"the formats we know agree with the public suite", format_cases},
};

SPEC_MAIN(specs)
