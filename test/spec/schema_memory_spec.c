/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Validation takes no memory while events are valid: every allocation of this program is counted, those inside yyjson
 * and PCRE2 too, over every event of the catalogs that come along. */
#include <stdlib.h>

#include "kit/shipped_events.h"
#include "kit/spec.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void need_counting(void) {
    spec_skip("the sanitizer has the allocator");
}
static const size_t allocations = 0;
#else
static void need_counting(void) {
}
static size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations++;
    return __libc_realloc(old, size);
}
#endif

static bool validate(schema_run *run, const struct kit_shipped_event *event, const json *root) {
    const dialect *how = event->catalog->dialect;
    const json *payload = dialect_value_at(how, root, dialect_pointer(how, "payload"));
    return schema_valid(run, dialect_schema(how), root, false) &&
           schema_valid(run, event->def->schema, payload, false);
}

/* How many allocations it took to parse and validate all events once more, with what was used before. */
static void count_all(const struct kit_shipped_events *shipped, json_pool *pool, schema_run *run,
                      size_t *parsing, size_t *validating) {
    weir_error err;
    *parsing = *validating = 0;
    for (size_t i = 0; i < shipped->events.count; i++) {
        const struct kit_shipped_event *event = &shipped->events.items[i];
        const json *root = NULL;
        size_t before = allocations;
        weir_code code = json_pool_parse(&root, pool, event->wire, &err);
        size_t between = allocations;
        bool valid = code == WEIR_OK && validate(run, event, root);
        *validating += allocations - between;
        *parsing += between - before;
        expect_ok(code, &err);
        if (!valid)
            print_error("%s: %s\n", event->def->type, schema_problem_at(run, 0)->message);
        assert_true(valid);
    }
}

static void events_take_no_memory(void **state) {
    (void)state;
    need_counting();
    struct kit_shipped_events shipped = kit_shipped_events_open();
    assert_true(allocations > 1000); /* so they are counted */
    json_pool *pool = json_pool_new();
    schema_run *run = schema_run_new();
    size_t parsing, validating;
    count_all(&shipped, pool, run, &parsing, &validating);
    count_all(&shipped, pool, run, &parsing, &validating);
    assert_int_equal(parsing, 0);
    assert_int_equal(validating, 0);
    schema_run_free(run);
    json_pool_free(pool);
    kit_shipped_events_close(&shipped);
}

static schema *compile(json_doc **doc, const char *text) {
    weir_error err;
    schema *made = NULL;
    const struct schema_options options = {.assert_format = true};
    expect_ok(json_parse(doc, weir_text_of(text), &err), &err);
    expect_ok(schema_compile(&made, json_root(*doc), &options, &err), &err);
    return made;
}

/* What the catalogs do not use. */
static void rarer_keywords_take_no_memory(void **state) {
    (void)state;
    need_counting();
    json_doc *doc, *instance;
    weir_error err;
    schema *made = compile(
        &doc, "{\"$id\":\"x:/\",\"$dynamicAnchor\":\"node\",\"type\":\"object\","
              "\"patternProperties\":{\"^(a|b)+c$\":{\"pattern\":\"^(x|yy)*$\"}},"
              "\"propertyNames\":{\"maxLength\":9},\"dependentRequired\":{\"id\":[\"list\"]},"
              "\"properties\":{\"id\":{\"anyOf\":[{\"type\":\"null\"},{\"format\":\"uuid\"}]},"
              "\"list\":{\"type\":\"array\",\"uniqueItems\":true,\"contains\":{\"const\":{\"a\":[1.5]}},"
              "\"prefixItems\":[{\"multipleOf\":0.1}]},\"child\":{\"$dynamicRef\":\"#node\"}},"
              "\"unevaluatedProperties\":false}");
    expect_ok(
        json_parse(
            &instance,
            weir_text_of("{\"id\":\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\",\"abc\":\"xyyx\",\"list\":[1.7,"
                         "{\"a\":[15e-1]},3,4,5,6,7,8,9,10,11,12,13,14,15],\"child\":{\"bac\":\"yy\"}}"),
            &err),
        &err);
    schema_run *run = schema_run_new();
    assert_true(schema_valid(run, made, json_root(instance), false));
    size_t before = allocations;
    assert_true(schema_valid(run, made, json_root(instance), false));
    assert_int_equal(allocations - before, 0);
    schema_run_free(run);
    schema_free(made);
    json_doc_free(instance);
    json_doc_free(doc);
}

static const struct spec specs[] = {
    {"parsing and validating the events of the catalogs takes no memory once warmed up",
     events_take_no_memory},
    {"valid documents take no memory whatever the keyword", rarer_keywords_take_no_memory},
};

SPEC_MAIN(specs)
