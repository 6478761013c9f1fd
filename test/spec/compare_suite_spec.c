/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat */
/* Comparisons of all schemas of the public test suite: each against itself, against others of its file,
 * which is about one keyword, and with one change. What holds is held to the suite's own instances as well. */
#include <stdlib.h>

#include "base/map.h"
#include "compare_fixture.h"
#include "kit/suite.h"

enum { NEIGHBOURS_MAX = 6, CHANGES = 2 };
enum with { THEMSELVES, NEIGHBOURS, CHANGED };

struct suite {
    struct map *remotes; /* URI -> json_doc */
    struct tally tally;
    schema_run *run;
    enum with with;
    uint64_t seed;
};

static json_doc *parsed(weir_text content) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, content, &err), &err);
    return doc;
}

static void keep_remote(void *arg, const char *name, weir_text content) {
    struct suite *suite = arg;
    char uri[1024];
    snprintf(uri, sizeof uri, "%s%s", KIT_SUITE_REMOTES, name);
    map_put(suite->remotes, weir_text_of(uri), parsed(content));
}

static const json *resolve_remote(void *arg, weir_text uri) {
    struct suite *suite = arg;
    json_doc *doc = map_get(suite->remotes, uri);
    return doc ? json_root(doc) : NULL;
}

/* The suite's instances: what the writer writes and the reader refuses shows that it does not hold. */
static void expect_instances(struct suite *suite, const struct pair *pair, const json *tests, uint64_t seed) {
    const struct compare_options options = {.writer_as_written = seed % 4 == 3, .seed = seed};
    comparison *comparison = compare_new(pair->schemas[0], pair->schemas[1], &options);
    for (struct json_iter it = json_iter(tests); json_next(&it);) {
        const json *data = json_get(it.value, "data");
        if (compare_writes(comparison, data) && !schema_valid(suite->run, pair->schemas[1], data, false))
            fail_msg("said to hold: %s\nagainst %s", pair->texts[0], pair->texts[1]);
    }
    compare_free(comparison);
}

/* A schema that was changed by chance may be none any more. */
static void compare_schemas(struct suite *suite, const json *writer, const json *reader, const json *tests,
                            uint64_t seed) {
    const struct schema_options options = {.resolve = resolve_remote, .arg = suite, .assert_format = true};
    struct pair pair = {.texts = {"", ""}};
    const json *roots[2] = {writer, reader};
    buffer texts[2];
    bool compiled = true;
    for (int i = 0; i < 2; i++) {
        buffer_init(&texts[i], FIXTURE_SCHEMA_BYTES);
        json_write(&texts[i], roots[i], false);
        pair.texts[i] = texts[i].data;
        compiled = compiled && schema_compile(&pair.schemas[i], roots[i], &options, NULL) == WEIR_OK;
    }
    suite->tally.skipped += !compiled;
    if (compiled && expect_pair_true(&pair, seed, 10, &suite->tally) == COMPARE_HOLDS)
        expect_instances(suite, &pair, tests, seed);
    pair_close(&pair);
    buffer_release(&texts[0]);
    buffer_release(&texts[1]);
}

static void compare_changed(struct suite *suite, const json *schema, const json *tests) {
    for (int i = 0; i < CHANGES; i++) {
        uint64_t seed = suite->seed++;
        struct dice dice = {seed};
        buffer text;
        buffer_init(&text, FIXTURE_SCHEMA_BYTES);
        fixture_change(&text, &dice, schema);
        json_doc *doc = NULL;
        if (json_parse(&doc, buffer_view(&text), NULL) == WEIR_OK) {
            compare_schemas(suite, schema, json_root(doc), tests, seed);
            compare_schemas(suite, json_root(doc), schema, tests, seed);
        }
        json_doc_free(doc);
        buffer_release(&text);
    }
}

static void compare_file(void *arg, const char *name, weir_text content) {
    (void)name;
    struct suite *suite = arg;
    json_doc *doc = parsed(content);
    const json *groups = json_root(doc);
    size_t count = json_size(groups);
    for (size_t i = 0; i < count; i++) {
        const json *schema = json_get(json_item(groups, i), "schema"),
                   *tests = json_get(json_item(groups, i), "tests");
        if (suite->with == THEMSELVES)
            compare_schemas(suite, schema, schema, tests, i);
        if (suite->with == CHANGED)
            compare_changed(suite, schema, tests);
        for (size_t j = 1; suite->with == NEIGHBOURS && j <= NEIGHBOURS_MAX && j < count; j++)
            compare_schemas(suite, schema, json_get(json_item(groups, (i + j) % count), "schema"), tests,
                            i + j);
    }
    json_doc_free(doc);
}

static struct tally compare_suite(const char *what, enum with with) {
    struct suite suite = {.remotes = map_new(), .run = schema_run_new(), .with = with};
    suite.tally.show = getenv("WEIR_SHOW") != NULL;
    suite.seed = with == CHANGED ? spec_seed() : 0;
    kit_suite_each("remotes", true, keep_remote, &suite);
    int files = kit_suite_each(KIT_SUITE_REQUIRED, false, compare_file, &suite);
    tally_print(what, &suite.tally);
    assert_true(files > 40);
    size_t cursor = 0;
    weir_text uri;
    for (void *doc; map_next(suite.remotes, &cursor, &uri, &doc);)
        json_doc_free(doc);
    map_free(suite.remotes);
    schema_run_free(suite.run);
    return suite.tally;
}

static void against_themselves(void **state) {
    (void)state;
    if (!kit_suite_needed())
        return;
    struct tally tally = compare_suite("schemas of the suite against themselves", THEMSELVES);
    assert_int_equal(tally.broken + tally.undecided + tally.skipped, 0);
}

static void against_neighbours(void **state) {
    (void)state;
    if (kit_suite_needed())
        compare_suite("schemas of the suite against their neighbours", NEIGHBOURS);
}

static void against_changed(void **state) {
    (void)state;
    if (kit_suite_needed())
        compare_suite("schemas of the suite with one change", CHANGED);
}

static const struct spec specs[] = {
    {"every schema of the public suite holds against itself", against_themselves},
    {"what is said of two schemas of the public suite is true", against_neighbours},
    {"what is said of one change of a schema of the public suite is true", against_changed},
};

SPEC_MAIN(specs)
