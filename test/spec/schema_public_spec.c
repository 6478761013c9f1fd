/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* weir/schema.h, the public functions: texts in, sentences out. What single keywords mean is in the other
 * schema specs. */
#include "weir/schema.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kit/spec.h"

static weir_text of(const char *text) {
    return weir_text_of(text);
}

static weir_schema *compiled(const char *text, const weir_schema_options *options) {
    weir_schema *schema = NULL;
    weir_error err;
    expect_ok(weir_schema_compile(&schema, of(text), options, &err), &err);
    return schema;
}

#define ORDER                                                                                  \
    "{\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"string\",\"format\":\"uuid\"}," \
    "\"total\":{\"minimum\":1}}}"

static void expect_problem(const weir_schema_run *run, size_t index, const char *instance,
                           const char *keyword, const char *schema, const char *message) {
    const weir_schema_problem *problem = weir_schema_problem_at(run, index);
    assert_non_null(problem);
    assert_string_equal(problem->instance, instance);
    assert_string_equal(problem->keyword, keyword);
    assert_string_equal(problem->schema, schema);
    assert_string_equal(problem->message, message);
}

static void problems_are_told_first_or_all(void **state) {
    (void)state;
    weir_schema *schema = compiled(ORDER, NULL);
    weir_schema_run *run = weir_schema_run_new();
    weir_error err;
    expect_error(weir_schema_validate(run, schema, of("{\"total\":0}"), true, &err), WEIR_INVALID, &err,
                 "misses the required property 'id' (#/required)");
    assert_int_equal(weir_schema_problem_count(run), 2);
    expect_problem(run, 0, "", "required", "#/required", "misses the required property 'id'");
    expect_problem(run, 1, "/total", "minimum", "#/properties/total/minimum", "must be at least 1, is 0");
    assert_null(weir_schema_problem_at(run, 2));
    expect_error(weir_schema_validate(run, schema, of("{\"id\":\"a\",\"total\":0.5}"), false, &err),
                 WEIR_INVALID, &err, "/total: must be at least 1, is 0.5 (#/properties/total/minimum)");
    assert_int_equal(weir_schema_problem_count(run), 1);
    expect_ok(weir_schema_validate(run, schema, of("{\"id\":\"a\"}"), true, &err), &err);
    assert_int_equal(weir_schema_problem_count(run), 0);
    weir_schema_run_free(run);
    weir_schema_free(schema);
}

static void a_text_that_is_no_json_is_told_as_such(void **state) {
    (void)state;
    weir_schema *schema = compiled("true", NULL), *none = NULL;
    weir_schema_run *run = weir_schema_run_new();
    weir_error err;
    expect_error(weir_schema_validate(run, schema, of("{\"a\":1,\"a\":2}"), true, &err), WEIR_INVALID, &err,
                 "not valid JSON: line 1, column 8: this key is in the object already");
    assert_int_equal(weir_schema_problem_count(run), 0);
    expect_error(weir_schema_validate(run, schema, (weir_text){0}, true, &err), WEIR_INVALID, &err,
                 "not valid JSON: line 1, column 1: the text is empty");
    expect_error(weir_schema_compile(&none, of("{"), NULL, &err), WEIR_INVALID, &err,
                 "the schema is not valid JSON: line 1, column 2: the text ends before the value does");
    assert_null(none);
    assert_int_equal(weir_schema_compile(&none, of("7"), NULL, NULL), WEIR_INVALID);
    weir_schema_run_free(run);
    weir_schema_free(schema);
}

static void formats_are_asserted_when_asked_for(void **state) {
    (void)state;
    const weir_schema_options asserting = {.assert_format = true};
    weir_schema *lax = compiled(ORDER, NULL), *strict = compiled(ORDER, &asserting);
    weir_schema_run *run = weir_schema_run_new();
    weir_error err;
    expect_ok(weir_schema_validate(run, lax, of("{\"id\":\"7\"}"), false, &err), &err);
    expect_error(weir_schema_validate(run, strict, of("{\"id\":\"7\"}"), false, &err), WEIR_INVALID, &err,
                 "/id: must be a UUID, is \"7\" (#/properties/id/format)");
    weir_schema_run_free(run);
    weir_schema_free(strict);
    weir_schema_free(lax);
}

/* --- other documents -------------------------------------------------------------------------------------- */

struct shelf {
    const char *uri, *text;
    int asked;
};

static bool take(void *arg, weir_text uri, weir_text *document) {
    struct shelf *shelf = arg;
    shelf->asked++;
    *document = of(shelf->text);
    return weir_text_is(uri, shelf->uri);
}

#define TWICE "{\"$ref\":\"money.json\",\"anyOf\":[{\"$ref\":\"money.json#/$defs/m\"}]}"

static void other_documents_come_from_the_resolver_alone(void **state) {
    (void)state;
    struct shelf shelf = {"https://example.com/s/money.json", "{\"$defs\":{\"m\":{\"minimum\":1}}}", 0};
    const weir_schema_options options = {
        .resolve = take, .arg = &shelf, .base_uri = "https://example.com/s/order.json"};
    weir_schema *schema = compiled(TWICE, &options), *none = NULL;
    weir_schema_run *run = weir_schema_run_new();
    weir_error err;
    assert_int_equal(shelf.asked, 1);
    expect_error(weir_schema_validate(run, schema, of("0"), true, &err), WEIR_INVALID, &err,
                 "must match at least one of 1 schema; nearest: must be at least 1, is 0 (#/anyOf)");
    expect_error(weir_schema_compile(&none, of(TWICE), NULL, &err), WEIR_INVALID, &err,
                 "#/$ref: refers to 'money.json', which is not inside this schema");
    weir_schema_run_free(run);
    weir_schema_free(schema);
}

static void a_document_that_is_no_json_says_which_one(void **state) {
    (void)state;
    struct shelf shelf = {"a\n", "{", 0};
    const weir_schema_options options = {.resolve = take, .arg = &shelf};
    weir_schema *none = NULL;
    weir_error err;
    expect_error(weir_schema_compile(&none, of("{\"$ref\":\"a\\n\"}"), &options, &err), WEIR_INVALID, &err,
                 "the document 'a\\x0a' is not valid JSON: line 1, column 2: the text ends before the value "
                 "does");
    assert_null(none);
}

/* Every document refers to one more. */
static bool one_more(void *arg, weir_text uri, weir_text *document) {
    static char text[64];
    (void)uri;
    snprintf(text, sizeof text, "{\"$ref\":\"d%d\"}", ++*(int *)arg);
    *document = of(text);
    return true;
}

static void documents_without_end_are_refused(void **state) {
    (void)state;
    int asked = 0;
    const weir_schema_options options = {.resolve = one_more, .arg = &asked};
    weir_schema *none = NULL;
    weir_error err;
    expect_error(weir_schema_compile(&none, of("{\"$ref\":\"d\"}"), &options, &err), WEIR_LIMIT, &err,
                 "the schema refers to more than 1000 documents");
    assert_int_equal(asked, 1001);
}

/* --- threads ---------------------------------------------------------------------------------------------- */

enum { THREADS = 4, TURNS = 2000 };

static void *work(void *arg) {
    const weir_schema *schema = arg;
    weir_schema_run *run = weir_schema_run_new();
    size_t wrong = 0;
    for (int i = 0; i < TURNS; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"id\":\"a\",\"total\":%d}", i % 3);
        weir_code expected = i % 3 ? WEIR_OK : WEIR_INVALID;
        wrong += weir_schema_validate(run, schema, of(text), true, NULL) != expected;
    }
    weir_schema_run_free(run);
    return (void *)wrong;
}

static void a_schema_is_shared_by_threads(void **state) {
    (void)state;
    weir_schema *schema = compiled(ORDER, NULL);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, schema), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    weir_schema_free(schema);
}

static void what_is_shown_is_printable_and_bounded(void **state) {
    (void)state;
    static char text[70000] = "{\"a\\u001b[31m";
    weir_schema *schema = compiled("{\"additionalProperties\":{\"minimum\":1}}", NULL);
    weir_schema_run *run = weir_schema_run_new();
    weir_error err;
    expect_error(weir_schema_validate(run, schema, of("{\"a\\u001b[31m\":0}"), true, &err), WEIR_INVALID,
                 &err, "/a\\x1b[31m: must be at least 1, is 0 (#/additionalProperties/minimum)");
    assert_string_equal(weir_schema_problem_at(run, 0)->instance, "/a\033[31m");
    size_t size = strlen(text);
    memset(text + size, 'b', 60000);
    strncat(text, "\":0}", sizeof text - strlen(text) - 1);
    expect_error(weir_schema_validate(run, schema, of(text), true, &err), WEIR_INVALID, &err,
                 "must be at least 1, is 0");
    weir_schema_run_free(run);
    weir_schema_free(schema);
}

static const struct spec specs[] = {
    {"problems are told with both places, the first or all", problems_are_told_first_or_all},
    {"a text that is no json is told as such", a_text_that_is_no_json_is_told_as_such},
    {"formats are asserted when asked for", formats_are_asserted_when_asked_for},
    {"other documents come from the resolver alone", other_documents_come_from_the_resolver_alone},
    {"a document that is no json says which one", a_document_that_is_no_json_says_which_one},
    {"documents without end are refused", documents_without_end_are_refused},
    {"a compiled schema is shared by threads", a_schema_is_shared_by_threads},
    {"what is shown is printable and bounded", what_is_shown_is_printable_and_bounded},
};
SPEC_MAIN(specs)
