/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* A schema and an instance, with a NUL byte between them. The schema is refused with a sentence or compiled;
 * the instance is valid or not, alike for every way of asking; and each problem points at something that is
 * there. */
#include <string.h>

#include "fuzz.h"
#include "schema/schema.h"

static bool printable(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

static bool over_budget(const schema_run *run) {
    const struct schema_problem *problem = schema_problem_at(run, 0);
    return problem && strstr(problem->message, "budget exceeded");
}

static void look_at_problems(const schema_run *run, const json *instance) {
    for (size_t i = 0; i < schema_problem_count(run); i++) {
        const struct schema_problem *problem = schema_problem_at(run, i);
        PROMISE(json_pointer(instance, weir_text_of(problem->instance)));
        PROMISE(strchr(problem->where, '#') && problem->keyword[0]);
        PROMISE(problem->message[0] && printable(problem->message));
    }
}

static schema *compile(const json_doc *doc) {
    const struct schema_options options = {.assert_format = true};
    schema *made = NULL;
    weir_error err = {0};
    weir_code code = schema_compile(&made, json_root(doc), &options, &err);
    PROMISE((code == WEIR_OK) == (made != NULL));
    PROMISE(code == WEIR_OK || (err.message[0] && printable(err.message)));
    PROMISE(code == WEIR_OK || code == WEIR_INVALID || code == WEIR_LIMIT || code == WEIR_UNSUPPORTED);
    return made;
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
        json_parse(&doc, buffer_view(&wrapped), NULL) == WEIR_OK && (opposite = compile(doc)))
        PROMISE(schema_valid(run, opposite, instance, true) != valid || over_budget(run));
    schema_free(opposite);
    json_doc_free(doc);
    buffer_release(&wrapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = memchr(data, 0, size);
    if (!nul)
        return 0;
    weir_text schema_text = {(const char *)data, (size_t)(nul - data)};
    weir_text instance_text = {(const char *)nul + 1, size - schema_text.size - 1};
    json_doc *schema_doc = NULL, *instance = NULL;
    schema *made = NULL;
    if (json_parse(&schema_doc, schema_text, NULL) == WEIR_OK && (made = compile(schema_doc)) &&
        json_parse(&instance, instance_text, NULL) == WEIR_OK) {
        schema_run *run = schema_run_new();
        bool valid = schema_valid(run, made, json_root(instance), true);
        PROMISE(valid == (schema_problem_count(run) == 0));
        look_at_problems(run, json_root(instance));
        bool exceeded = over_budget(run);
        PROMISE(schema_valid(run, made, json_root(instance), false) == valid);
        PROMISE(schema_problem_count(run) == !valid);
        if (!exceeded)
            look_at_opposite(run, schema_text, json_root(instance), valid);
        schema_run_free(run);
    }
    schema_free(made);
    json_doc_free(instance);
    json_doc_free(schema_doc);
    return 0;
}
