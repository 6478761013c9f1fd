/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat */
/* Comparisons of all schemas of the public test suite: each against itself, and each against the others of its
 * file, which is about one keyword. What holds is held to the suite's own instances as well. */
#include <stdlib.h>

#include "base/map.h"
#include "compare_fixture.h"
#include "kit/suite.h"

enum { GROUPS_MAX = 64, NEIGHBOURS = 6 };

struct suite {
    struct map *remotes; /* URI -> json_doc */
    struct tally tally;
    schema_run *run;
    bool neighbours;
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

static void compare_groups(struct suite *suite, const json *writer, const json *reader, uint64_t seed,
                           bool same) {
    const struct schema_options options = {.resolve = resolve_remote, .arg = suite};
    struct pair pair = {.texts = {"", ""}};
    const json *roots[2] = {json_get(writer, "schema"), json_get(reader, "schema")};
    buffer texts[2];
    for (int i = 0; i < 2; i++) {
        weir_error err;
        buffer_init(&texts[i], FIXTURE_SCHEMA_BYTES);
        json_write(&texts[i], roots[i], false);
        pair.texts[i] = texts[i].data;
        expect_ok(schema_compile(&pair.schemas[i], roots[i], &options, &err), &err);
    }
    enum compare_verdict verdict = expect_pair_true(&pair, seed, 10, &suite->tally);
    if (same && verdict != COMPARE_HOLDS)
        fail_msg("not said to hold against itself: %s", pair.texts[0]);
    if (verdict == COMPARE_HOLDS)
        expect_instances(suite, &pair, json_get(writer, "tests"), seed);
    pair_close(&pair);
    buffer_release(&texts[0]);
    buffer_release(&texts[1]);
}

static void compare_file(void *arg, const char *name, weir_text content) {
    (void)name;
    struct suite *suite = arg;
    json_doc *doc = parsed(content);
    const json *groups = json_root(doc);
    size_t count = json_size(groups) < GROUPS_MAX ? json_size(groups) : GROUPS_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!suite->neighbours)
            compare_groups(suite, json_item(groups, i), json_item(groups, i), i, true);
        for (size_t j = 1; suite->neighbours && j <= NEIGHBOURS && j < count; j++)
            compare_groups(suite, json_item(groups, i), json_item(groups, (i + j) % count), i + j, false);
    }
    json_doc_free(doc);
}

static void compare_suite(const char *what, bool neighbours) {
    struct suite suite = {.remotes = map_new(), .run = schema_run_new(), .neighbours = neighbours};
    suite.tally.show = getenv("WEIR_SHOW") != NULL;
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
}

static void against_themselves(void **state) {
    (void)state;
    if (kit_suite_needed())
        compare_suite("schemas of the suite against themselves", false);
}

static void against_neighbours(void **state) {
    (void)state;
    if (kit_suite_needed())
        compare_suite("schemas of the suite against their neighbours", true);
}

static const struct spec specs[] = {
    {"every schema of the public suite holds against itself", against_themselves},
    {"what is said of two schemas of the public suite is true", against_neighbours},
};

SPEC_MAIN(specs)
