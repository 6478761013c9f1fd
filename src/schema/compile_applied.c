/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords that apply other schemas to the same value, and the references among them. */
#include "schema/compile.h"

static struct applied *add_applied(struct work *work, enum applied_kind kind, size_t count) {
    struct applied *applied = list_add(work->compiler->arena, &work->node->applied);
    applied->kind = kind;
    applied->nodes = arena_alloc(work->compiler->arena, (count + 1) * sizeof *applied->nodes);
    applied->count = count;
    return applied;
}

/* Nothing to run; but what stands there is compiled, so that its mistakes are found. */
weir_code compile_definitions(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_OBJECT))
        return compile_wrong(work, "must be an object whose values are schemas", value, err);
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        struct node *node = NULL;
        WEIR_TRY(compile_child(work, &node, it.value, err));
    }
    return WEIR_OK;
}

static weir_code find_target(struct work *work, struct spot **spot, weir_text *anchor, const json *value,
                             weir_error *err) {
    if (!json_is(value, JSON_STRING))
        return compile_wrong(work, "must be a URI reference", value, err);
    weir_code code =
        library_find(&work->compiler->references, spot, anchor, work->spot->resource, json_text(value), err);
    return code == WEIR_OK ? code : weir_prefix(err, "%s/%s", work->spot->where, work->row->name);
}

weir_code compile_ref(struct work *work, const json *value, weir_error *err) {
    struct spot *spot = NULL;
    weir_text anchor;
    WEIR_TRY(find_target(work, &spot, &anchor, value, err));
    struct applied *applied = add_applied(work, APPLY_ALL, 1);
    applied->reference = true;
    applied->nodes[0] = compile_spot(work->compiler, spot);
    return WEIR_OK;
}

static size_t dynamic_slot(struct compiler *compiler, weir_text name) {
    for (size_t i = 0; i < compiler->dynamic_names.count; i++)
        if (text_equal(compiler->dynamic_names.items[i], name))
            return i;
    list_push(compiler->arena, &compiler->dynamic_names, name);
    return compiler->dynamic_names.count - 1;
}

/* Dynamic only when it refers to a $dynamicAnchor to begin with. */
weir_code compile_dynamic_ref(struct work *work, const json *value, weir_error *err) {
    struct spot *spot = NULL;
    weir_text anchor;
    WEIR_TRY(find_target(work, &spot, &anchor, value, err));
    struct map *dynamics = spot->resource->dynamics;
    bool dynamic = anchor.data && dynamics && map_get(dynamics, anchor) == spot;
    struct applied *applied = add_applied(work, dynamic ? APPLY_DYNAMIC : APPLY_ALL, 1);
    applied->nodes[0] = compile_spot(work->compiler, spot);
    if (dynamic) {
        applied->slot = dynamic_slot(work->compiler, anchor);
        work->compiler->schema->dynamic = true;
    }
    return WEIR_OK;
}

bool compile_dynamic_slots(struct compiler *compiler) {
    size_t names = compiler->dynamic_names.count, before = compiler->pending.count;
    compiler->schema->dynamic_names = names;
    for (size_t i = 0; names && i < compiler->references.all.count; i++) {
        struct resource *resource = compiler->references.all.items[i];
        if (!resource->dynamics)
            continue;
        resource->slots = arena_alloc(compiler->arena, names * sizeof *resource->slots);
        for (size_t slot = 0; slot < names; slot++) {
            const struct spot *spot = map_get(resource->dynamics, compiler->dynamic_names.items[slot]);
            resource->slots[slot] = spot ? compile_spot(compiler, spot) : NULL;
        }
    }
    return compiler->pending.count > before;
}

weir_code compile_branches(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_ARRAY) || !json_size(value))
        return compile_wrong(work, "must be a list of at least one schema", value, err);
    struct applied *applied = add_applied(work, (enum applied_kind)work->row->detail, json_size(value));
    size_t index = 0;
    for (struct json_iter it = json_iter(value); json_next(&it); index++) {
        WEIR_TRY(compile_child(work, &applied->nodes[index], it.value, err));
    }
    return WEIR_OK;
}

weir_code compile_not(struct work *work, const json *value, weir_error *err) {
    return compile_child(work, &add_applied(work, APPLY_NOT, 1)->nodes[0], value, err);
}

/* then and else say nothing without if. */
weir_code compile_if(struct work *work, const json *value, weir_error *err) {
    static const struct keyword rows[] = {{.name = "if"}, {.name = "then"}, {.name = "else"}};
    struct applied *applied = add_applied(work, APPLY_IF, 3);
    const json *parts[] = {value, json_get(work->spot->value, "then"), json_get(work->spot->value, "else")};
    const struct keyword *row = work->row;
    for (size_t i = 0; i < 3; i++) {
        work->row = &rows[i];
        if (parts[i])
            WEIR_TRY(compile_child(work, &applied->nodes[i], parts[i], err));
    }
    work->row = row;
    return WEIR_OK;
}

weir_code compile_dependent_schemas(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_OBJECT))
        return compile_wrong(work, "must be an object whose values are schemas", value, err);
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        struct applied *applied = add_applied(work, APPLY_DEPENDENT, 1);
        applied->name = it.key;
        WEIR_TRY(compile_child(work, &applied->nodes[0], it.value, err));
    }
    return WEIR_OK;
}
