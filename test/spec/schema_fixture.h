/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas and instances in tests: written with ' for ", compared by the problems they give. */
#ifndef SPEC_SCHEMA_FIXTURE_H
#define SPEC_SCHEMA_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kit/spec.h"
#include "schema/schema.h"

static inline json_doc *fixture_json(const char *text) {
    char *copy = mem_strdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, weir_text_of(copy), &err), &err);
    mem_free(copy);
    return doc;
}

/* Compiles with formats asserted. */
static inline schema *fixture_schema(const json_doc *doc) {
    const struct schema_options options = {.assert_format = true};
    schema *schema = NULL;
    weir_error err;
    expect_ok(schema_compile(&schema, json_root(doc), &options, &err), &err);
    return schema;
}

/* All problems, each as "instance where: message", one per line; "" when valid. */
static inline void fixture_problems(buffer *out, const schema *schema, const json *instance) {
    schema_run *run = schema_run_new();
    bool valid = schema_valid(run, schema, instance, true);
    assert_int_equal(valid, schema_problem_count(run) == 0);
    for (size_t i = 0; i < schema_problem_count(run); i++) {
        const struct schema_problem *problem = schema_problem_at(run, i);
        buffer_printf(out, "%s%s %s: %s", i ? "\n" : "", problem->instance, problem->where, problem->message);
        const char *slash = strrchr(problem->where, '/');
        bool names_keyword = slash && strcmp(slash + 1, problem->keyword) == 0;
        assert_true(names_keyword || strcmp(problem->keyword, "false") == 0);
    }
    assert_int_equal(schema_valid(run, schema, instance, false), valid);
    assert_int_equal(schema_problem_count(run), valid ? 0 : 1);
    schema_run_free(run);
}

#define expect_problems(schema_text, instance_text, expected) \
    fixture_expect((schema_text), (instance_text), (expected), __FILE__, __LINE__)
#define expect_valid(schema_text, instance_text) expect_problems(schema_text, instance_text, "")

static inline void fixture_expect(const char *schema_text, const char *instance_text, const char *expected,
                                  const char *file, int line) {
    json_doc *schema_doc = fixture_json(schema_text), *instance = fixture_json(instance_text);
    schema *schema = fixture_schema(schema_doc);
    buffer got;
    buffer_init(&got, 64 << 10);
    fixture_problems(&got, schema, json_root(instance));
    const char *problems = got.data ? got.data : "";
    if (strcmp(problems, expected) != 0) {
        print_error("schema   %s\ninstance %s\ngave     %s\nexpected %s\n", schema_text, instance_text,
                    problems, expected);
        _fail(file, line);
    }
    buffer_release(&got);
    schema_free(schema);
    json_doc_free(instance);
    json_doc_free(schema_doc);
}

/* The schema must not compile: exact message and hint. */
#define expect_no_schema(schema_text, code, message, hint) \
    fixture_refuse((schema_text), (code), (message), (hint), __FILE__, __LINE__)

static inline void fixture_refuse(const char *schema_text, weir_code code, const char *message,
                                  const char *hint, const char *file, int line) {
    json_doc *doc = fixture_json(schema_text);
    schema *schema = NULL;
    weir_error err;
    weir_code got = schema_compile(&schema, json_root(doc), NULL, &err);
    spec_expect_error(got, code, &err, message, schema_text, file, line);
    assert_string_equal(err.hint, hint);
    assert_null(schema);
    json_doc_free(doc);
}

#endif
