/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords that look inside arrays and objects. */
#include "schema/compile.h"

/* --- objects -------------------------------------------------------------------------------------------- */

static struct object_rules *object_rules(struct work *work) {
    if (!work->node->object) {
        work->node->object = arena_alloc(work->compiler->arena, sizeof *work->node->object);
        work->node->object->max = UINT64_MAX;
    }
    return work->node->object;
}

static weir_code must_hold_schemas(struct work *work, const json *value, weir_error *err) {
    if (json_is(value, JSON_OBJECT))
        return WEIR_OK;
    return compile_wrong(work, "must be an object whose values are schemas", value, err);
}

weir_code compile_object_count(struct work *work, const json *value, weir_error *err) {
    struct object_rules *rules = object_rules(work);
    return compile_count(work, work->row->detail == COUNT_MIN ? &rules->min : &rules->max, value, err);
}

weir_code compile_properties(struct work *work, const json *value, weir_error *err) {
    WEIR_TRY(must_hold_schemas(work, value, err));
    struct object_rules *rules = object_rules(work);
    uint32_t rank = 0;
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        struct node *node = NULL;
        WEIR_TRY(compile_child(work, &node, it.value, err));
        struct key *key = keys_add(work->compiler->arena, &rules->keys, it.key);
        key->node = node;
        key->rank = ++rank;
    }
    return WEIR_OK;
}

weir_code compile_pattern_properties(struct work *work, const json *value, weir_error *err) {
    WEIR_TRY(must_hold_schemas(work, value, err));
    struct object_rules *rules = object_rules(work);
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        struct pattern_rule *rule = list_add(work->compiler->arena, &rules->patterns);
        rule->text = it.key;
        WEIR_TRY(compile_regex(work, &rule->pattern, it.key, err));
        WEIR_TRY(compile_child(work, &rule->node, it.value, err));
    }
    return WEIR_OK;
}

weir_code compile_additional(struct work *work, const json *value, weir_error *err) {
    return compile_child(work, &object_rules(work)->additional, value, err);
}

weir_code compile_property_names(struct work *work, const json *value, weir_error *err) {
    return compile_child(work, &object_rules(work)->names, value, err);
}

weir_code compile_required(struct work *work, const json *value, weir_error *err) {
    WEIR_TRY(compile_names(work, value, err));
    for (struct json_iter it = json_iter(value); json_next(&it);)
        keys_add(work->compiler->arena, &object_rules(work)->keys, json_text(it.value))->required = true;
    return WEIR_OK;
}

weir_code compile_dependent_required(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_OBJECT))
        return compile_wrong(work, "must be an object whose values are lists of property names", value, err);
    struct object_rules *rules = object_rules(work);
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        WEIR_TRY(compile_names(work, it.value, err));
        struct dependent_rule *rule = list_add(work->compiler->arena, &rules->dependents);
        rule->property = it.key;
        rule->names = arena_alloc(work->compiler->arena, (json_size(it.value) + 1) * sizeof *rule->names);
        for (struct json_iter name = json_iter(it.value); json_next(&name);)
            rule->names[rule->count++] = json_text(name.value);
    }
    return WEIR_OK;
}

/* --- arrays --------------------------------------------------------------------------------------------- */

static struct array_rules *array_rules(struct work *work) {
    if (!work->node->array) {
        work->node->array = arena_alloc(work->compiler->arena, sizeof *work->node->array);
        work->node->array->max = work->node->array->contains_max = UINT64_MAX;
        work->node->array->contains_min = 1;
    }
    return work->node->array;
}

weir_code compile_array_count(struct work *work, const json *value, weir_error *err) {
    struct array_rules *rules = array_rules(work);
    uint64_t *const counts[] = {
        [COUNT_MIN] = &rules->min,
        [COUNT_MAX] = &rules->max,
        [COUNT_CONTAINS_MIN] = &rules->contains_min,
        [COUNT_CONTAINS_MAX] = &rules->contains_max,
    };
    return compile_count(work, counts[work->row->detail], value, err);
}

weir_code compile_prefix(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_ARRAY))
        return compile_wrong(work, "must be a list of schemas", value, err);
    struct array_rules *rules = array_rules(work);
    rules->prefix = arena_alloc(work->compiler->arena, (json_size(value) + 1) * sizeof *rules->prefix);
    for (struct json_iter it = json_iter(value); json_next(&it); rules->prefix_count++) {
        WEIR_TRY(compile_child(work, &rules->prefix[rules->prefix_count], it.value, err));
    }
    return WEIR_OK;
}

weir_code compile_items(struct work *work, const json *value, weir_error *err) {
    return compile_child(work, &array_rules(work)->items, value, err);
}

weir_code compile_contains(struct work *work, const json *value, weir_error *err) {
    return compile_child(work, &array_rules(work)->contains, value, err);
}

weir_code compile_unique(struct work *work, const json *value, weir_error *err) {
    return compile_bool(work, &array_rules(work)->unique, value, err);
}

weir_code compile_unevaluated(struct work *work, const json *value, weir_error *err) {
    struct node *node = work->node;
    bool items = work->row->detail == UNEVALUATED_ITEMS;
    return compile_child(work, items ? &node->unevaluated_items : &node->unevaluated_properties, value, err);
}
