/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* A schema and an instance, with a NUL byte between them. The schema is refused with a sentence or compiled;
 * the instance is valid or not, alike for every way of asking and each time; each problem points at something that is
 * there; and none takes long. */
#include <stdio.h>

#include "schema_look.h"

static bool over_budget(const schema_run *run) {
    const struct schema_problem *problem = schema_problem_at(run, 0);
    return problem && strstr(problem->message, "budget exceeded");
}

static void look_at_problems(const schema_run *run, const json *instance) {
    for (size_t i = 0; i < schema_problem_count(run); i++) {
        const struct schema_problem *problem = schema_problem_at(run, i);
        PROMISE(json_pointer(instance, weir_text_of(problem->instance)));
        PROMISE(strchr(problem->where, '#') && problem->keyword[0]);
        PROMISE(problem->message[0] && look_is_printable(problem->message));
    }
}

/* `{"not": schema}` says the opposite, unless it has references (which would then mean another place). */
static void look_at_opposite(schema_run *run, weir_text text, const json *instance, bool valid) {
    buffer wrapped;
    json_doc *doc = NULL;
    buffer_init(&wrapped, text.size + 16);
    buffer_string(&wrapped, "{\"not\":");
    buffer_text(&wrapped, text);
    buffer_char(&wrapped, '}');
    schema *opposite = NULL;
    if (!memchr(text.data, '$', text.size) && !memchr(text.data, '\\', text.size) &&
        json_parse(&doc, buffer_view(&wrapped), NULL) == WEIR_OK && (opposite = look_compile(doc)))
        PROMISE(schema_valid(run, opposite, instance, true) != valid || over_budget(run));
    schema_free(opposite);
    json_doc_free(doc);
    buffer_release(&wrapped);
}

/* The same again for the same value, and for the same text read anew. */
static void look_again(schema_run *run, const schema *made, const json *instance, bool valid) {
    size_t count = schema_problem_count(run);
    char first[256] = "";
    if (!valid)
        snprintf(first, sizeof first, "%s", schema_problem_at(run, 0)->message);
    PROMISE(schema_valid(run, made, instance, true) == valid && schema_problem_count(run) == count);
    PROMISE(valid || strncmp(first, schema_problem_at(run, 0)->message, sizeof first - 1) == 0);
    buffer text;
    json_doc *copy = NULL;
    buffer_init(&text, 16 << 20);
    json_write(&text, instance, false);
    if (!text.overflow) {
        PROMISE(json_parse(&copy, buffer_view(&text), NULL) == WEIR_OK);
        PROMISE(schema_valid(run, made, json_root(copy), true) == valid &&
                schema_problem_count(run) == count);
    }
    json_doc_free(copy);
    buffer_release(&text);
}

/* Parsed and validated in one, sound or not. */
static void look_in_one(schema_run *run, const schema *made, weir_text text, bool sound, bool valid) {
    json_pool *pool = json_pool_new();
    const json *root = NULL;
    bool read_valid = false;
    weir_code code = schema_read(&root, &read_valid, run, made, pool, text, false, NULL);
    PROMISE((code == WEIR_OK) == sound && (!sound || read_valid == valid));
    json_pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = memchr(data, 0, size);
    if (!nul)
        return 0;
    weir_text schema_text = {(const char *)data, (size_t)(nul - data)};
    weir_text instance_text = {(const char *)nul + 1, size - schema_text.size - 1};
    json_doc *schema_doc = NULL, *instance = NULL;
    schema *made = NULL;
    if (json_parse(&schema_doc, schema_text, NULL) == WEIR_OK && (made = look_compile(schema_doc)) &&
        json_parse(&instance, instance_text, NULL) != WEIR_OK) {
        schema_run *run = schema_run_new();
        look_in_one(run, made, instance_text, false, false);
        schema_run_free(run);
    } else if (instance) {
        schema_run *run = schema_run_new();
        int64_t start = look_cpu_ms();
        bool valid = schema_valid(run, made, json_root(instance), true);
        PROMISE(look_cpu_ms() - start < 2 * LOOK_MS_MOST);
        PROMISE(valid == (schema_problem_count(run) == 0));
        look_at_problems(run, json_root(instance));
        bool exceeded = over_budget(run);
        look_again(run, made, json_root(instance), valid);
        PROMISE(schema_valid(run, made, json_root(instance), false) == valid);
        PROMISE(schema_problem_count(run) == !valid);
        look_in_one(run, made, instance_text, true, valid);
        if (!exceeded)
            look_at_opposite(run, schema_text, json_root(instance), valid);
        schema_run_free(run);
    }
    schema_free(made);
    json_doc_free(instance);
    json_doc_free(schema_doc);
    return 0;
}
