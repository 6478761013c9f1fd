/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a node over a value: the type mask first, then what the type has rules for. A valid value costs one
 * pass and no allocation once the run has warmed up; an invalid one costs a second pass that notes where and
 * why. Depth is bounded by the instance (64 levels) times the subschemas applied inside each other, which
 * compile bounds; `depth` and `steps` hold for what only shows at run time ($dynamicRef, schemas that double
 * the work). */
#include "schema/run.h"

#include "base/fail.h"
#include "schema/scalar.h"

enum { RUN_PATH_BYTES = 1 << 20 }; /* the pointer to a value, in a message */

static bool check_values(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    if (!run_spend_whole(run, node, value))
        return false;
    if (node->values && !value_set_has(node->values, value))
        REFUSE(run, node, "enum", "must be one of %s", words_list(run->arena, node->values->source));
    if (node->constant && !value_set_has(node->constant, value))
        REFUSE(run, node, "const", "must be %s, is %s", words_json(run->arena, node->constant->source),
               words_value(run->arena, value));
    return ok;
}

struct bound_row {
    const char *keyword;
    const char *words;
};

static const struct bound_row bound_rows[BOUND_COUNT] = {
    [BOUND_MINIMUM] = {"minimum", "must be at least"},
    [BOUND_MAXIMUM] = {"maximum", "must be at most"},
    [BOUND_ABOVE] = {"exclusiveMinimum", "must be greater than"},
    [BOUND_BELOW] = {"exclusiveMaximum", "must be less than"},
    [BOUND_MULTIPLE] = {"multipleOf", "must be a multiple of"},
};

static bool check_number(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    struct scalar_number number = scalar_number(value);
    if (!run_spend_digits(run, node, number.text.size))
        return false;
    if (node->integral && !number_integral(&number))
        REFUSE(run, node, "type", "must be %s, is %s", words_types(run->arena, node->type_words),
               words_value(run->arena, value));
    for (size_t i = 0; node->number && i < node->number->count; i++) {
        const struct bound *bound = &node->number->bounds[i];
        if (!bound_holds(bound, &number))
            REFUSE(run, node, bound_rows[bound->kind].keyword, "%s %s, is %s", bound_rows[bound->kind].words,
                   words_text(run->arena, bound->text), words_value(run->arena, value));
    }
    return ok;
}

static bool check_length(struct schema_run *run, const struct node *node, weir_text text) {
    const struct string_rules *rules = node->string;
    bool ok = true;
    if (length_holds(rules, text))
        return true;
    uint64_t length = characters(text);
    if (length < rules->min)
        REFUSE(run, node, "minLength", "must have at least %llu character%s, has %llu",
               (unsigned long long)rules->min, rules->min == 1 ? "" : "s", (unsigned long long)length);
    if (length > rules->max)
        REFUSE(run, node, "maxLength", "must have at most %llu character%s, has %llu",
               (unsigned long long)rules->max, rules->max == 1 ? "" : "s", (unsigned long long)length);
    return ok;
}

static bool check_string(struct schema_run *run, const struct node *node, const json *value) {
    const struct string_rules *rules = node->string;
    weir_text text = json_text(value);
    bool ok = true;
    if (!run_spend_text(run, node, text.size) ||
        (rules->format && !run_spend(run, node, rules->format->steps)))
        return false;
    REQUIRE(run, check_length(run, node, text));
    if (rules->pattern && !check_pattern(run, node, rules->pattern, text)) {
        if (run->broken)
            return false;
        REFUSE(run, node, "pattern", "must match the pattern %s, is %s",
               words_text(run->arena, rules->pattern_text), words_value(run->arena, value));
    }
    if (rules->format && !rules->format->check(text))
        REFUSE(run, node, "format", "must be %s, is %s", rules->format->noun, words_value(run->arena, value));
    return ok;
}

bool check_pattern(struct schema_run *run, const struct node *node, const struct regex *regex,
                   weir_text text) {
    enum regex_result result = regex_match(regex, run->regex, text);
    if (result == REGEX_EXCEEDED)
        problem_break(run, node, "pattern", "pattern budget exceeded");
    return result == REGEX_YES;
}

static size_t cost_of(const struct node *node, const json *value, enum json_type type) {
    const struct object_rules *object = type == JSON_OBJECT ? node->object : NULL;
    const struct array_rules *array = type == JSON_ARRAY ? node->array : NULL;
    size_t count = json_size(value), looks = 0;
    if (object)
        looks = 1 + object->patterns.count + (object->names != NULL);
    else if (array)
        looks = (array->items != NULL) + (array->contains != NULL);
    looks += node->unevaluated_items || node->unevaluated_properties;
    size_t names = type == JSON_OBJECT ? node->lookups * (count / VALUES_PER_STEP) : 0;
    return 1 + node->branches + count * looks + (array ? array->prefix_count : 0) + names;
}

/* Nodes that look inside: the ones that can multiply the work. */
static bool check_inside(struct schema_run *run, const struct node *node, const json *value,
                         enum json_type type) {
    bool ok = true;
    if (run->broken || !run_spend(run, node, cost_of(node, value, type)))
        return false;
    struct marks_saved saved = {0};
    const struct node *rest = type == JSON_OBJECT  ? node->unevaluated_properties
                              : type == JSON_ARRAY ? node->unevaluated_items
                                                   : NULL;
    if (rest)
        saved = marks_begin(run, json_size(value));
    if (type == JSON_OBJECT && node->object)
        ok = check_object(run, node, value);
    else if (type == JSON_ARRAY && node->array)
        ok = check_array(run, node, value);
    if ((ok || (run->tracing && !run->muted && !run->full)) && node->applied.count)
        ok = check_applied(run, node, value) && ok;
    if (rest) {
        if (ok)
            ok = type == JSON_OBJECT ? check_unevaluated_properties(run, node, value)
                                     : check_unevaluated_items(run, node, value);
        marks_end(run, saved, ok);
    }
    return ok;
}

/* Enters the node's resource, for $dynamicRef; returns how many scopes there were. */
static size_t scope_enter(struct schema_run *run, const struct node *node) {
    size_t count = run->scope_count;
    if (count && run->scopes[count - 1] == node->resource)
        return count;
    if (count == run->scope_capacity) {
        run->scope_capacity = count ? count * 2 : 16;
        run->scopes = mem_resize(run->scopes, run->scope_capacity * sizeof(struct resource *));
    }
    run->scopes[run->scope_count++] = node->resource;
    return count;
}

static bool check_scoped(struct schema_run *run, const struct node *node, const json *value,
                         enum json_type type) {
    if (++run->depth > LIMIT_SCHEMA_DEPTH)
        problem_break(run, node, "schema", "schema budget exceeded");
    size_t scopes = run->schema->dynamic ? scope_enter(run, node) : 0;
    bool ok = !run->broken && check_inside(run, node, value, type);
    run->scope_count = scopes;
    run->depth--;
    return ok;
}

static bool refuse_type(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    if (node->verdict == VERDICT_FALSE)
        REFUSE(run, node, "false", "is not allowed here");
    else
        REFUSE(run, node, "type", "must be %s, is %s", words_types(run->arena, node->type_words),
               words_kind(value));
    return ok;
}

bool check_rules(struct schema_run *run, const struct node *node, const json *value, enum json_type type) {
    bool ok = true;
    if (type >= JSON_ARRAY && !run_trusts(run))
        return false;
    if (node->values || node->constant)
        REQUIRE(run, check_values(run, node, value));
    if (type == JSON_STRING && node->string)
        REQUIRE(run, check_string(run, node, value));
    if (type == JSON_NUMBER && (node->number || node->integral))
        REQUIRE(run, check_number(run, node, value));
    if (node->costs)
        REQUIRE(run, check_scoped(run, node, value, type));
    return ok;
}

bool check(struct schema_run *run, const struct node *node, const json *value) {
    if (!run->tracing && !run->marks.words)
        return check_quick(run, node, value);
    enum json_type type = json_type_of(value);
    if (!(node->types >> type & 1))
        return refuse_type(run, node, value);
    return node->plain || check_rules(run, node, value, type);
}

schema_run *schema_run_new(void) {
    schema_run *run = mem_alloc(sizeof *run);
    run->regex = regex_scratch_new();
    run->arena = arena_new();
    buffer_init(&run->path, RUN_PATH_BYTES);
    return run;
}

void schema_run_free(schema_run *run) {
    if (!run)
        return;
    regex_scratch_free(run->regex);
    arena_free(run->arena);
    buffer_release(&run->path);
    mem_free(run->bits);
    mem_free(run->scopes);
    equals_release(&run->equals);
    mem_free(run);
}

enum { STEPS_PER_VALUE = 8 }; /* beside the budget: a large document may take as much longer */

static bool pass(schema_run *run, const json *instance) {
    run->broken = run->full = run->nearing = false;
    run->muted = run->depth = 0;
    run->steps = run->granted = LIMIT_SCHEMA_STEPS + STEPS_PER_VALUE * (json_behind(instance) - instance);
    run->marks = (struct marks){0};
    run->bits_used = run->scope_count = 0;
    regex_scratch_reset(run->regex);
    bool ok = check(run, run->schema->root, instance);
    return ok && !run->broken;
}

/* The second pass: why not. */
static void trace(schema_run *run, const json *instance, bool all) {
    arena_reset(run->arena);
    buffer_clear(&run->path);
    run->tracing = true;
    bool exceeded = run->broken;
    run->limit = all ? LIMIT_SCHEMA_ERRORS : 1;
    pass(run, instance);
    if (exceeded && run->count == 0) /* this pass leaves branches earlier and may do with less work */
        problem_add(run, run->schema->root, run->budget[0], "%s", run->budget[1]);
    WEIR_ASSERT(run->count > 0);
}

static void begin(schema_run *run, const schema *schema) {
    run->schema = schema;
    run->tracing = false;
    run->count = 0;
    run->doubted = NULL;
    run->unsound = false;
}

bool schema_valid(schema_run *run, const schema *schema, const json *instance, bool all) {
    begin(run, schema);
    if (pass(run, instance))
        return true;
    trace(run, instance, all);
    return false;
}

bool run_doubt(struct schema_run *run) {
    run->unsound = json_pool_check(run->doubted, run->text, run->refused) != WEIR_OK;
    run->doubted = NULL;
    run->broken = run->broken || run->unsound;
    return !run->unsound;
}

weir_code schema_read(const json **root, bool *valid, schema_run *run, const schema *schema, json_pool *pool,
                      weir_text text, bool all, weir_error *err) {
    const json *instance;
    weir_error refused;
    WEIR_TRY(json_pool_read(&instance, pool, text, err));
    begin(run, schema);
    run->doubted = pool;
    run->text = text;
    run->refused = err ? err : &refused;
    run->level = 0;
    *valid = pass(run, instance);
    if (!*valid && !run->unsound && run_trusts(run))
        trace(run, instance, all);
    run->doubted = NULL;
    if (run->unsound)
        return run->refused->code;
    *root = instance;
    return WEIR_OK;
}

size_t schema_problem_count(const schema_run *run) {
    return run->count;
}

const struct schema_problem *schema_problem_at(const schema_run *run, size_t index) {
    return index < run->count ? &run->problems[index] : NULL;
}
