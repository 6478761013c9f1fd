/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* The public JSON Schema test suite, draft 2020-12 (github.com/json-schema-org/JSON-Schema-Test-Suite). It is
 * not part of this repository: WEIR_SCHEMA_SUITE names its folder, or it lies at
 * ../shared/data/json-schema-test-suite. Its remote documents are found under http://localhost:1234/, by the
 * suite's own convention. Each required case must pass, and each of the formats we know; of the other optional
 * files what we leave out is listed with its reason. */
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

/* What we leave out of the optional files, with the reason. Required cases and formats are never listed. */
static const char *const left_out[][3] = {
    {"cross-draft.json", "refs to historic drafts are processed as historic drafts",
     "weir reads draft 2020-12 only, and refuses a schema that names another one"},
    {"dependencies-compatibility.json", NULL,
     "dependencies is a keyword of older drafts; 2020-12 has dependentRequired and dependentSchemas"},
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
    assert_int_equal(suite->failed, 0);
}

static int is_json(const struct dirent *entry) {
    size_t size = strlen(entry->d_name);
    return size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
}

/* Every file of a folder; how many there were. */
static int run_folder(struct suite *suite, const char *folder) {
    char path[2 * PATH_BYTES];
    struct dirent **files = NULL;
    snprintf(path, sizeof path, "%s/%s", suite->folder, folder);
    int count = scandir(path, &files, is_json, alphasort);
    for (int i = 0; i < count; i++) {
        run_file(suite, folder, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    return count;
}

static void required_cases(void **state) {
    (void)state;
    struct suite suite = {0};
    if (!find_suite(&suite))
        return;
    begin(&suite, false);
    assert_true(run_folder(&suite, "tests/draft2020-12") > 40);
    end(&suite, "required cases");
}

static void optional_cases(void **state) {
    (void)state;
    struct suite suite = {0};
    if (!find_suite(&suite))
        return;
    begin(&suite, false);
    int count = run_folder(&suite, "tests/draft2020-12/optional");
    end(&suite, "optional cases");
    if (count == 0)
        spec_skip("this copy of the suite has no optional files");
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
    assert_true(suite.passed > 0);
    end(&suite, "format cases");
}

static const struct spec specs[] = {
    {"all required cases of the public suite pass", required_cases},
    {"optional cases of the public suite pass but for those named here", optional_cases},
    {"the formats we know agree with the public suite", format_cases},
};

SPEC_MAIN(specs)
