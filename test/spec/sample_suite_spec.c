/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample */
/* Documents made from the schemas of the public JSON Schema test suite (kit/suite.h). Where the suite shows a
 * valid document one is made, where it shows a refused one a refused one; and where one of its documents tells
 * two schemas apart, a witness is found. */
#include <stdio.h>

#include "base/list.h"
#include "base/map.h"
#include "kit/spec.h"
#include "kit/suite.h"
#include "sample/sample.h"

enum { DOCUMENTS = 5, SPAN = 12 /* neighbours a schema is told apart from */, DOCUMENT_BYTES = 1 << 20 };

struct group {
    const char *name;
    const json *tests;
    schema *schema;
};

struct suite {
    arena *arena;
    struct map *remotes; /* URI -> json_doc */
    LIST(json_doc *) files;
    LIST(struct group) groups;
    schema_run *run;
    buffer text;
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
    snprintf(uri, sizeof uri, KIT_SUITE_REMOTES "%s", name);
    list_push(suite->arena, &suite->files, parsed(content));
    map_put(suite->remotes, weir_text_of(uri), suite->files.items[suite->files.count - 1]);
}

static const json *resolve_remote(void *arg, weir_text uri) {
    json_doc *doc = map_get(((struct suite *)arg)->remotes, uri);
    return doc ? json_root(doc) : NULL;
}

static void keep_groups(void *arg, const char *name, weir_text content) {
    struct suite *suite = arg;
    const struct schema_options options = {.resolve = resolve_remote, .arg = suite};
    json_doc *doc = parsed(content);
    (void)name;
    list_push(suite->arena, &suite->files, doc);
    for (struct json_iter it = json_iter(json_root(doc)); json_next(&it);) {
        struct group group = {json_cstr(json_get(it.value, "description")), json_get(it.value, "tests"),
                              NULL};
        weir_error err;
        expect_ok(schema_compile(&group.schema, json_get(it.value, "schema"), &options, &err), &err);
        list_push(suite->arena, &suite->groups, group);
    }
}

static bool begin(struct suite *suite) {
    if (!kit_suite_needed())
        return false;
    *suite = (struct suite){
        .arena = arena_new(), .remotes = map_new(), .run = schema_run_new(), .seed = spec_seed()};
    buffer_init(&suite->text, DOCUMENT_BYTES);
    kit_suite_each("remotes", true, keep_remote, suite);
    assert_true(kit_suite_each(KIT_SUITE_REQUIRED, false, keep_groups, suite) > 40);
    return true;
}

static void end(struct suite *suite) {
    for (size_t i = 0; i < suite->groups.count; i++)
        schema_free(suite->groups.items[i].schema);
    for (size_t i = 0; i < suite->files.count; i++)
        json_doc_free(suite->files.items[i]);
    buffer_release(&suite->text);
    schema_run_free(suite->run);
    map_free(suite->remotes);
    arena_free(suite->arena);
}

static bool is_valid(struct suite *suite, const schema *schema) {
    json_doc *doc = parsed(buffer_view(&suite->text));
    bool valid = schema_valid(suite->run, schema, json_root(doc), false);
    json_doc_free(doc);
    return valid;
}

/* Is one of the group's own documents valid, or refused? */
static bool has_case(const struct group *group, bool valid) {
    for (struct json_iter it = json_iter(group->tests); json_next(&it);)
        if (json_true(json_get(it.value, "valid")) == valid)
            return true;
    return false;
}

/* Makes documents from each schema that has such a case; returns how many schemas gave all of theirs. */
static void make_documents(bool invalid, const char *what) {
    struct suite suite;
    size_t asked = 0, given = 0;
    if (!begin(&suite))
        return;
    for (size_t i = 0; i < suite.groups.count; i++) {
        const struct group *group = &suite.groups.items[i];
        if (!has_case(group, !invalid))
            continue;
        const struct sample_options options = {.seed = suite.seed + i};
        sampler *sampler = sampler_new(group->schema, &options);
        int made = 0;
        for (; made < DOCUMENTS; made++) {
            buffer_clear(&suite.text);
            if (!(invalid ? sampler_invalid(sampler, &suite.text, NULL)
                          : sampler_valid(sampler, &suite.text)))
                break;
            assert_int_equal(is_valid(&suite, group->schema), !invalid);
        }
        sampler_free(sampler);
        asked++;
        given += made == DOCUMENTS;
        if (made < DOCUMENTS)
            print_error("%s: %d of %d\n", group->name, made, DOCUMENTS);
    }
    print_message("%s: %zu of %zu schemas\n", what, given, asked);
    end(&suite);
    assert_true(asked > 200);
    assert_int_equal(given, asked);
}

static void valid_documents(void **state) {
    (void)state;
    make_documents(false, "valid documents");
}

static void invalid_documents(void **state) {
    (void)state;
    make_documents(true, "refused documents");
}

/* Does a document of either group's cases show that `reads` refuses what `writes` allows? */
static bool told_apart(struct suite *suite, const struct group *writes, const struct group *reads) {
    const struct group *groups[] = {writes, reads};
    for (size_t i = 0; i < 2; i++)
        for (struct json_iter it = json_iter(groups[i]->tests); json_next(&it);) {
            const json *data = json_get(it.value, "data");
            if (schema_valid(suite->run, writes->schema, data, false) &&
                !schema_valid(suite->run, reads->schema, data, false))
                return true;
        }
    return false;
}

static bool find_witness(struct suite *suite, const struct group *writes, const struct group *reads) {
    const struct sample_options options = {.seed = suite->seed};
    sampler *sampler = sampler_new(writes->schema, &options);
    sampler_never(sampler, reads->schema);
    buffer_clear(&suite->text);
    bool found = sampler_valid(sampler, &suite->text);
    if (found)
        assert_true(is_valid(suite, writes->schema) && !is_valid(suite, reads->schema));
    else
        print_error("'%s' from '%s': none\n", writes->name, reads->name);
    sampler_free(sampler);
    return found;
}

static void witnesses(void **state) {
    (void)state;
    struct suite suite;
    size_t asked = 0, found = 0;
    if (!begin(&suite))
        return;
    for (size_t i = 0; i < suite.groups.count; i++)
        for (size_t j = i < SPAN ? 0 : i - SPAN; j < suite.groups.count && j < i + SPAN; j++) {
            const struct group *writes = &suite.groups.items[i], *reads = &suite.groups.items[j];
            if (!told_apart(&suite, writes, reads))
                continue;
            asked++;
            found += find_witness(&suite, writes, reads);
        }
    print_message("witnesses: %zu of %zu pairs of schemas\n", found, asked);
    end(&suite);
    assert_true(asked > 2000);
    assert_true(found * 1000 >= asked * 995); /* one in two hundred may be a riddle */
}

static const struct spec specs[] = {
    {"each schema of the public suite that allows a document gives some", valid_documents},
    {"each schema of the public suite that refuses a document gives such", invalid_documents},
    {"two schemas that a document tells apart are told apart by a witness", witnesses},
};

SPEC_MAIN(specs)
