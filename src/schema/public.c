/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions: texts in, sentences out. A compiled schema owns the trees it was compiled from, its own and
 * those its references asked for. A run owns a pool that instances are parsed into, so that a stream of them costs
 * no allocation. */
#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "schema/schema.h"
#include "schema/words.h"
#include "weir/schema.h"

struct weir_schema {
    schema *rules;
    arena *arena;
    LIST(json_doc *) documents; /* the schema's own first */
};

struct weir_schema_run {
    schema_run *run;
    json_pool *pool;
    size_t count;
    weir_schema_problem problems[LIMIT_SCHEMA_ERRORS];
};

/* --- compiling ------------------------------------------------------------------------------------------ */

struct asking {
    weir_schema *made;
    const weir_schema_options *options;
    map *known;         /* URI -> json_doc */
    weir_error failure; /* of a document that was found and is of no use */
};

/* Inside the compiler a document is there or not; why a document is of no use is kept aside. */
static const json *resolve(void *arg, weir_text uri) {
    struct asking *asking = arg;
    json_doc *doc = map_get(asking->known, uri);
    weir_text text = {0};
    if (doc)
        return json_root(doc);
    if (!asking->options->resolve || !asking->options->resolve(asking->options->arg, uri, &text))
        return NULL;
    if (asking->made->documents.count > LIMIT_SCHEMA_DOCUMENTS) {
        weir_fail(&asking->failure, WEIR_LIMIT, "the schema refers to more than %d documents",
                  LIMIT_SCHEMA_DOCUMENTS);
        return NULL;
    }
    if (json_parse(&doc, text, &asking->failure) != WEIR_OK) {
        weir_prefix(&asking->failure, "the document '%s' is not valid JSON",
                    words_text(asking->made->arena, uri));
        return NULL;
    }
    list_push(asking->made->arena, &asking->made->documents, doc);
    map_put(asking->known, uri, doc);
    return json_root(doc);
}

static weir_code compile(weir_schema *made, weir_text text, const weir_schema_options *options,
                         weir_error *err) {
    json_doc *doc = NULL;
    if (json_parse(&doc, text, err) != WEIR_OK)
        return weir_prefix(err, "the schema is not valid JSON");
    list_push(made->arena, &made->documents, doc);
    struct asking asking = {.made = made, .options = options, .known = map_new()};
    const struct schema_options inner = {.resolve = resolve,
                                         .arg = &asking,
                                         .base_uri = options->base_uri,
                                         .assert_format = options->assert_format};
    weir_code code = schema_compile(&made->rules, json_root(doc), &inner, err);
    map_free(asking.known);
    if (code == WEIR_OK || asking.failure.code == WEIR_OK)
        return code;
    if (err)
        *err = asking.failure;
    return asking.failure.code;
}

weir_code weir_schema_compile(weir_schema **out, weir_text schema, const weir_schema_options *options,
                              weir_error *err) {
    static const weir_schema_options none = {0};
    weir_schema *made = mem_alloc(sizeof *made);
    made->arena = arena_new();
    weir_code code = compile(made, schema, options ? options : &none, err);
    if (code == WEIR_OK)
        *out = made;
    else
        weir_schema_free(made);
    return code;
}

void weir_schema_free(weir_schema *schema) {
    if (!schema)
        return;
    schema_free(schema->rules);
    for (size_t i = 0; i < schema->documents.count; i++)
        json_doc_free(schema->documents.items[i]);
    arena_free(schema->arena);
    mem_free(schema);
}

/* --- validating ----------------------------------------------------------------------------------------- */

weir_schema_run *weir_schema_run_new(void) {
    weir_schema_run *run = mem_alloc(sizeof *run);
    run->run = schema_run_new();
    run->pool = json_pool_new();
    return run;
}

void weir_schema_run_free(weir_schema_run *run) {
    if (!run)
        return;
    schema_run_free(run->run);
    json_pool_free(run->pool);
    mem_free(run);
}

/* "/total: must be at least 1, is 0 (#/properties/total/minimum)"; names in pointers may hold anything, and make
 * them too long to be shown. */
static weir_code fail_with(const weir_schema_problem *problem, weir_error *err) {
    buffer line;
    buffer_init(&line, sizeof err->message);
    buffer_printable(&line, weir_text_of(problem->instance));
    buffer_string(&line, *problem->instance ? ": " : "");
    buffer_string(&line, problem->message);
    buffer_string(&line, " (");
    buffer_printable(&line, weir_text_of(problem->schema));
    buffer_char(&line, ')');
    weir_fail(err, WEIR_INVALID, "%s", line.overflow ? problem->message : line.data);
    buffer_release(&line);
    return WEIR_INVALID;
}

weir_code weir_schema_validate(weir_schema_run *run, const weir_schema *schema, weir_text instance, bool all,
                               weir_error *err) {
    const json *root = NULL;
    run->count = 0;
    bool valid = false;
    if (schema_read(&root, &valid, run->run, schema->rules, run->pool, instance, all, err) != WEIR_OK)
        return weir_prefix(err, "not valid JSON");
    if (valid)
        return WEIR_OK;
    run->count = schema_problem_count(run->run);
    for (size_t i = 0; i < run->count; i++) {
        const struct schema_problem *from = schema_problem_at(run->run, i);
        run->problems[i] = (weir_schema_problem){from->instance, from->keyword, from->where, from->message};
    }
    return fail_with(&run->problems[0], err);
}

size_t weir_schema_problem_count(const weir_schema_run *run) {
    return run->count;
}

const weir_schema_problem *weir_schema_problem_at(const weir_schema_run *run, size_t index) {
    return index < run->count ? &run->problems[index] : NULL;
}
