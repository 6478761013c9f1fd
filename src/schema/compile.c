/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree to the program. Subschemas wait in a list and are compiled one after the other, so neither
 * nesting nor chains of $ref cost stack. A keyword is a row: its name, its vocabulary, and how its value
 * becomes rules. */
#include "schema/compile.h"

#include <stdio.h>

weir_code compile_wrong(const struct work *work, const char *sentence, const json *value, weir_error *err) {
    return weir_fail(err, WEIR_INVALID, "%s/%s: %s, is %s", work->spot->where, work->row->name, sentence,
                     words_value(work->compiler->arena, value));
}

weir_code compile_count(struct work *work, uint64_t *out, const json *value, weir_error *err) {
    int64_t count = 0;
    weir_text number = json_number(value);
    if (!number.data || !json_number_integral(number) || json_number_compare(number, weir_text_of("0")) < 0)
        return compile_wrong(work, "must be a whole number from 0", value, err);
    *out = json_int(value, &count) ? (uint64_t)count : UINT64_MAX;
    return WEIR_OK;
}

weir_code compile_bool(struct work *work, bool *out, const json *value, weir_error *err) {
    if (!json_is(value, JSON_BOOL))
        return compile_wrong(work, "must be true or false", value, err);
    *out = json_true(value);
    return WEIR_OK;
}

weir_code compile_names(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_ARRAY))
        return compile_wrong(work, "must be a list of property names", value, err);
    for (struct json_iter it = json_iter(value); json_next(&it);)
        if (!json_is(it.value, JSON_STRING))
            return compile_wrong(work, "must hold property names only, one", it.value, err);
    return WEIR_OK;
}

weir_code compile_regex(struct work *work, const struct regex **out, weir_text pattern, weir_error *err) {
    struct regex *regex = NULL;
    if (regex_compile(&regex, pattern, err) != WEIR_OK)
        return weir_prefix(err, "%s/%s", work->spot->where, work->row->name);
    list_push(work->compiler->arena, &work->compiler->schema->regexes, regex);
    *out = regex;
    return WEIR_OK;
}

/* --- the worklist --------------------------------------------------------------------------------------- */

static weir_text address(const json *const *value) {
    return (weir_text){(const char *)value, sizeof *value};
}

struct node *compile_spot(struct compiler *compiler, const struct spot *spot) {
    struct node *node = map_get(compiler->nodes, address(&spot->value));
    if (node)
        return node;
    node = arena_alloc(compiler->arena, sizeof *node);
    node->types = node->type_words = ALL_TYPES;
    node->where = spot->where;
    node->resource = spot->resource;
    node->source = spot->value;
    map_put(compiler->nodes, address(&spot->value), node);
    list_push(compiler->arena, &compiler->all, node);
    list_push(compiler->arena, &compiler->pending, ((struct pending){node, spot}));
    return node;
}

static weir_code refuse_kind(const char *where, const json *value, weir_error *err) {
    return weir_fail(err, WEIR_INVALID, "%s: must be a schema, an object or true or false, is %s", where,
                     words_kind(value));
}

weir_code compile_child(struct work *work, struct node **out, const json *value, weir_error *err) {
    struct spot *spot = library_spot(&work->compiler->references, value);
    WEIR_ASSERT(spot != NULL); /* references.c follows the same keywords */
    if (!json_is(value, JSON_OBJECT) && !json_is(value, JSON_BOOL)) {
        refuse_kind(spot->where, value, err);
        if (json_is(value, JSON_ARRAY) && strcmp(work->row->name, "items") == 0)
            weir_hint(err, "one schema per place is written prefixItems");
        return WEIR_INVALID;
    }
    *out = compile_spot(work->compiler, spot);
    return WEIR_OK;
}

static uint8_t tags_of(unsigned types) {
    unsigned tags = 0;
    for (unsigned tag = 1; tag <= JSON_TAG_KIND; tag++)
        tags |= (types >> json_type_of(&(json){.tag = tag}) & 1) << tag;
    return (uint8_t)tags;
}

/* Limits that are integers and no more than that are two comparisons. */
static void find_range(struct number_rules *rules) {
    rules->ranged = true;
    rules->low = INT64_MIN;
    rules->high = INT64_MAX;
    for (size_t i = 0; i < rules->count; i++) {
        const struct bound *bound = &rules->bounds[i];
        bool above = bound->kind == BOUND_ABOVE, below = bound->kind == BOUND_BELOW;
        if (!bound->small || bound->kind == BOUND_MULTIPLE || (above && bound->value == INT64_MAX) ||
            (below && bound->value == INT64_MIN))
            rules->ranged = false;
        else if ((above || bound->kind == BOUND_MINIMUM) && rules->low < bound->value + above)
            rules->low = bound->value + above;
        else if ((below || bound->kind == BOUND_MAXIMUM) && rules->high > bound->value - below)
            rules->high = bound->value - below;
    }
}

static bool only_members(const struct object_rules *rules) {
    return !rules->patterns.count && !rules->names && !rules->dependents.count;
}

static bool only_items(const struct array_rules *rules) {
    return !rules->prefix_count && !rules->contains && rules->items && rules->items->verdict != VERDICT_FALSE;
}

static enum node_form form_of(const struct node *node) {
    bool numbers = node->number || node->integral;
    int parts = (node->object != NULL) + (node->array != NULL) + (node->string != NULL) + numbers +
                (node->values != NULL) + (node->constant != NULL);
    if (node->applied.count || node->unevaluated_items || node->unevaluated_properties || parts > 1)
        return FORM_ANY;
    const struct value_set *set = node->values ? node->values : node->constant;
    return node->string                                 ? FORM_STRING
           : numbers                                    ? FORM_NUMBER
           : set && !set->slots                         ? FORM_WORDS
           : node->object && only_members(node->object) ? FORM_MEMBERS
           : node->array && only_items(node->array)     ? FORM_ITEMS
           : parts                                      ? FORM_ANY
                                                        : FORM_PLAIN;
}

/* After all keywords: what the running needs to know at a glance. */
static void finish_node(struct compiler *compiler, struct node *node) {
    if (node->object) {
        struct object_rules *rules = node->object;
        bool properties = false;
        for (size_t i = 0; i < rules->keys.count; i++) {
            properties |= rules->keys.items[i].node != NULL;
            rules->required_count += rules->keys.items[i].required;
        }
        rules->walks = properties || rules->patterns.count || rules->additional || rules->names;
        for (size_t i = 0; i < rules->keys.count; i++)
            rules->keys.items[i].rest =
                rules->keys.items[i].node ? rules->keys.items[i].node : rules->additional;
        keys_finish(compiler->arena, &rules->keys);
    }
    if (node->number)
        find_range(node->number);
    if (node->string)
        node->string->enough = node->string->min > UINT64_MAX / 8 ? UINT64_MAX
                               : node->string->min                ? node->string->min * 4 - 3
                                                                  : 0;
    for (size_t i = 0; i < node->applied.count; i++) {
        node->branches += node->applied.items[i].count;
        node->lookups += node->applied.items[i].kind == APPLY_DEPENDENT;
    }
    for (size_t i = 0; node->object && i < node->object->dependents.count; i++)
        node->lookups += 1 + node->object->dependents.items[i].count;
    node->costs = node->object || node->array || node->applied.count || node->unevaluated_items ||
                  node->unevaluated_properties;
    node->form = form_of(node);
    node->plain = node->form == FORM_PLAIN;
    node->tags = tags_of(node->types);
}

static weir_code compile_node(struct compiler *compiler, struct pending pending, weir_error *err) {
    const json *value = pending.spot->value;
    if (json_is(value, JSON_BOOL)) {
        pending.node->verdict = json_true(value) ? VERDICT_TRUE : VERDICT_FALSE;
        pending.node->types = json_true(value) ? ALL_TYPES : 0;
        pending.node->form = FORM_PLAIN;
        pending.node->plain = true;
        pending.node->tags = tags_of(pending.node->types);
        return WEIR_OK;
    }
    if (!json_is(value, JSON_OBJECT)) {
        weir_fail(err, WEIR_INVALID, "%s: must be a schema, an object or true or false, is %s",
                  pending.spot->where, words_kind(value));
        return WEIR_INVALID;
    }
    struct work work = {.compiler = compiler, .node = pending.node, .spot = pending.spot};
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        work.row = keyword_find(it.key);
        if (!work.row || !work.row->compile)
            continue;
        if (!work.row->vocabulary || pending.spot->resource->vocabularies & work.row->vocabulary)
            WEIR_TRY(work.row->compile(&work, it.value, err));
    }
    finish_node(compiler, pending.node);
    return WEIR_OK;
}

static weir_code compile_all(struct compiler *compiler, const json *root, weir_error *err) {
    const char *base = compiler->references.options->base_uri;
    struct spot *spot = NULL;
    WEIR_TRY(library_add(&compiler->references, &spot, root, weir_text_of(base ? base : ""), "#", err));
    compiler->schema->root = compile_spot(compiler, spot);
    compiler->schema->base = spot->resource;
    size_t done = 0;
    do {
        while (done < compiler->pending.count) {
            struct pending next = compiler->pending.items[done++];
            WEIR_TRY(compile_node(compiler, next, err));
        }
    } while (compile_dynamic_slots(compiler));
    return cycles_check(compiler, err);
}

/* Places hold names as the schema has them, control characters and all; a message does not. */
static void make_printable(weir_error *err) {
    buffer shown;
    buffer_init(&shown, 8 * sizeof err->message);
    buffer_printable(&shown, weir_text_of(err->message));
    snprintf(err->message, sizeof err->message, "%s", shown.size ? shown.data : "");
    buffer_release(&shown);
}

weir_code schema_compile(schema **out, const json *root, const struct schema_options *options,
                         weir_error *err) {
    static const struct schema_options none = {0};
    struct arena *arena = arena_new();
    struct schema *made = arena_alloc(arena, sizeof *made);
    made->arena = arena;
    struct compiler compiler = {.arena = arena, .schema = made, .nodes = map_new()};
    library_init(&compiler.references, made, options ? options : &none);
    weir_code code = compile_all(&compiler, root, err);
    map_free(compiler.nodes);
    library_release(&compiler.references);
    if (code == WEIR_OK)
        *out = made;
    else
        schema_free(made);
    if (code != WEIR_OK && err)
        make_printable(err);
    return code;
}

const json *schema_blamed(const json *root, const char *message) {
    const char *end = *message == '#' ? strstr(message, ": ") : NULL;
    weir_text pointer = {message + 1, end ? (size_t)(end - message - 1) : 0};
    while (end) {
        const json *value = json_pointer_valid(pointer) ? json_pointer(root, pointer) : NULL;
        const char *slash = pointer.size ? memrchr(pointer.data, '/', pointer.size) : NULL;
        if (value || !slash)
            return value;
        pointer.size = (size_t)(slash - pointer.data);
    }
    return NULL;
}

void schema_free(schema *schema) {
    if (!schema)
        return;
    for (size_t i = 0; i < schema->regexes.count; i++)
        regex_free(schema->regexes.items[i]);
    json_doc_free(schema->metaschema);
    arena_free(schema->arena);
}
