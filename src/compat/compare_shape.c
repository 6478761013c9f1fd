/* SPDX-License-Identifier: Apache-2.0 */
/* What a closed writer names, place by place. A place is the set of all parts that may apply there, whichever
 * branch holds (anyOf, if, ...): a property that one of them names may be written, so `allOf` of two objects
 * names the properties of both. The sets are numbered, so schemas that refer to themselves have few. The same
 * shapes are used by the proof and, written as a JSON Schema of their own, by the runs: what is proven and what
 * is run is one thing. */
#include <stdlib.h>

#include "compat/compare_parts.h"

enum { SHAPES_MAX = 20000, SHAPE_PARTS_MAX = 2000, SHAPE_BYTES = 16 << 20 };

static bool list_has(const part_list *list, const struct part *part) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == part)
            return true;
    return false;
}

static void add(struct comparison *cmp, part_list *list, const struct node *node) {
    const struct part *part = part_of(cmp, node);
    if (part && list->count < SHAPE_PARTS_MAX && !list_has(list, part))
        list_push(cmp->arena, list, part);
}

/* Everything that may apply to the same value; what `not` holds says nothing of what is written. */
static void add_applied(struct comparison *cmp, part_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct node *node = list->items[i]->node;
        for (size_t j = 0; j < node->applied.count; j++) {
            const struct applied *applied = &node->applied.items[j];
            for (size_t k = 0; applied->kind != APPLY_NOT && k < applied->count; k++)
                add(cmp, list, applied->nodes[k]);
        }
    }
}

static bool opens(const struct node *node) {
    return node && node->verdict != VERDICT_FALSE;
}

static void look_at_names(struct shape *shape, const struct node *node) {
    shape->open |= opens(node->unevaluated_properties);
    if (!node->object)
        return;
    shape->open |= opens(node->object->additional);
    shape->names_any |=
        node->object->keys.count || node->object->patterns.count || node->object->dependents.count;
}

static int by_id(const void *a, const void *b) {
    uint32_t x = (*(const struct part *const *)a)->id, y = (*(const struct part *const *)b)->id;
    return (x > y) - (x < y);
}

static const struct shape *shape_of(struct comparison *cmp, part_list *list) {
    add_applied(cmp, list);
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_id);
    buffer key;
    buffer_init(&key, (SHAPE_PARTS_MAX + 1) * sizeof(uint32_t));
    for (size_t i = 0; i < list->count; i++)
        buffer_append(&key, &list->items[i]->id, sizeof list->items[i]->id);
    weir_text text = key.size ? buffer_view(&key) : weir_text_of("");
    struct shape *shape = map_get(cmp->shapes, text);
    if (!shape) {
        shape = arena_alloc(cmp->arena, sizeof *shape);
        shape->id = (uint32_t)cmp->all_shapes.count;
        shape->parts = list->items;
        shape->count = list->count;
        for (size_t i = 0; i < list->count; i++)
            look_at_names(shape, list->items[i]->node);
        map_put(cmp->shapes, text, shape);
        list_push(cmp->arena, &cmp->all_shapes, (const struct shape *)shape);
    }
    buffer_release(&key);
    cmp->steps -= (int64_t)list->count / 4 + 1;
    return shape;
}

const struct shape *shape_root(struct comparison *cmp) {
    part_list list = {0};
    if (!cmp->options.writer_as_written)
        add(cmp, &list, cmp->writer->root);
    return shape_of(cmp, &list);
}

/* --- members -------------------------------------------------------------------------------------------- */

static bool dependents_name(const struct object_rules *rules, weir_text name) {
    for (size_t i = 0; i < rules->dependents.count; i++) {
        const struct dependent_rule *rule = &rules->dependents.items[i];
        if (text_equal(rule->property, name))
            return true;
        for (size_t j = 0; j < rule->count; j++)
            if (text_equal(rule->names[j], name))
                return true;
    }
    return false;
}

/* Adds what the part says of the member; true when it names it. */
static bool add_member(struct comparison *cmp, part_list *list, const struct node *node, weir_text name) {
    const struct object_rules *rules = node->object;
    bool named = false, described = false;
    if (rules) {
        size_t next = 0;
        const struct key *key = rules->keys.count ? keys_find(&rules->keys, name, &next) : NULL;
        named = key || dependents_name(rules, name);
        if (key && key->node) {
            described = true;
            add(cmp, list, key->node);
        }
        for (size_t i = 0; i < rules->patterns.count; i++)
            if (regex_fits(cmp, rules->patterns.items[i].pattern, name)) {
                named = described = true;
                add(cmp, list, rules->patterns.items[i].node);
            }
        if (!described && opens(rules->additional))
            add(cmp, list, rules->additional);
    }
    if (opens(node->unevaluated_properties))
        add(cmp, list, node->unevaluated_properties);
    return named;
}

const struct shape *shape_member(struct comparison *cmp, const struct shape *shape, weir_text name) {
    part_list list = {0};
    bool named = shape->open || !shape->names_any;
    for (size_t i = 0; i < shape->count; i++)
        named |= add_member(cmp, &list, shape->parts[i]->node, name);
    return named ? shape_of(cmp, &list) : NULL;
}

/* The names that match a pattern of an object: what it says of them, and of those it also names. */
static void add_matching(struct comparison *cmp, part_list *list, const struct shape *shape,
                         const struct pattern_rule *rule) {
    add(cmp, list, rule->node);
    for (size_t i = 0; i < shape->count; i++) {
        const struct object_rules *rules = shape->parts[i]->node->object;
        for (size_t j = 0; rules && j < rules->keys.count; j++)
            if (regex_fits(cmp, rule->pattern, rules->keys.items[j].name))
                add(cmp, list, rules->keys.items[j].node);
    }
}

const struct shape *shape_others(struct comparison *cmp, const struct shape *shape, weir_text pattern) {
    part_list list = {0};
    bool named = shape->open || !shape->names_any;
    for (size_t i = 0; i < shape->count; i++) {
        const struct node *node = shape->parts[i]->node;
        const struct object_rules *rules = node->object;
        for (size_t j = 0; pattern.data && rules && j < rules->patterns.count; j++)
            if (text_equal(rules->patterns.items[j].text, pattern)) {
                named = true;
                add_matching(cmp, &list, shape, &rules->patterns.items[j]);
            }
        if (rules && opens(rules->additional))
            add(cmp, &list, rules->additional);
        if (opens(node->unevaluated_properties))
            add(cmp, &list, node->unevaluated_properties);
    }
    return named ? shape_of(cmp, &list) : NULL;
}

const struct shape *shape_item(struct comparison *cmp, const struct shape *shape, size_t index) {
    part_list list = {0};
    for (size_t i = 0; i < shape->count; i++) {
        const struct node *node = shape->parts[i]->node;
        const struct array_rules *rules = node->array;
        if (rules && index < rules->prefix_count)
            add(cmp, &list, rules->prefix[index]);
        else if (rules)
            add(cmp, &list, rules->items);
        if (rules)
            add(cmp, &list, rules->contains);
        if (opens(node->unevaluated_items))
            add(cmp, &list, node->unevaluated_items);
    }
    return shape_of(cmp, &list);
}

/* --- as a schema ---------------------------------------------------------------------------------------- */

static size_t prefix_most(const struct shape *shape) {
    size_t most = 0;
    for (size_t i = 0; i < shape->count; i++) {
        const struct array_rules *rules = shape->parts[i]->node->array;
        most = rules && rules->prefix_count > most ? rules->prefix_count : most;
    }
    return most;
}

static void write_ref(buffer *out, const struct shape *shape) {
    if (shape)
        buffer_printf(out, "{\"$ref\":\"#/$defs/%u\"}", shape->id);
    else
        buffer_string(out, "false");
}

static void write_one(struct comparison *cmp, buffer *out, const struct shape *shape, struct map *seen,
                      weir_text name, bool pattern) {
    if (map_put(seen, name, seen))
        return;
    if (map_count(seen) > 1)
        buffer_char(out, ',');
    json_write_string(out, name);
    buffer_char(out, ':');
    write_ref(out, pattern ? shape_others(cmp, shape, name) : shape_member(cmp, shape, name));
}

static void write_named(struct comparison *cmp, buffer *out, const struct shape *shape, bool patterns) {
    struct map *seen = map_new();
    for (size_t i = 0; i < shape->count; i++) {
        const struct object_rules *rules = shape->parts[i]->node->object;
        for (size_t j = 0; rules && patterns && j < rules->patterns.count; j++)
            write_one(cmp, out, shape, seen, rules->patterns.items[j].text, true);
        for (size_t j = 0; rules && !patterns && j < rules->keys.count; j++)
            write_one(cmp, out, shape, seen, rules->keys.items[j].name, false);
        for (size_t j = 0; rules && !patterns && j < rules->dependents.count; j++) {
            const struct dependent_rule *rule = &rules->dependents.items[j];
            write_one(cmp, out, shape, seen, rule->property, false);
            for (size_t k = 0; k < rule->count; k++)
                write_one(cmp, out, shape, seen, rule->names[k], false);
        }
    }
    map_free(seen);
}

static void write_shape(struct comparison *cmp, buffer *out, const struct shape *shape) {
    static const weir_text none = {0};
    buffer_char(out, '{');
    if (shape->names_any || shape->open) {
        buffer_string(out, "\"properties\":{");
        write_named(cmp, out, shape, false);
        buffer_string(out, "},\"patternProperties\":{");
        write_named(cmp, out, shape, true);
        buffer_string(out, "},\"additionalProperties\":");
        write_ref(out, shape_others(cmp, shape, none));
        buffer_char(out, ',');
    }
    size_t prefix = prefix_most(shape);
    if (prefix)
        buffer_string(out, "\"prefixItems\":[");
    for (size_t i = 0; i < prefix; i++) {
        buffer_string(out, i ? "," : "");
        write_ref(out, shape_item(cmp, shape, i));
    }
    buffer_string(out, prefix ? "],\"items\":" : "\"items\":");
    write_ref(out, shape_item(cmp, shape, prefix));
    buffer_char(out, '}');
}

bool shape_write(struct comparison *cmp, buffer *out) {
    const struct shape *root = shape_root(cmp);
    buffer_init(out, SHAPE_BYTES);
    buffer_printf(out, "{\"$ref\":\"#/$defs/%u\",\"$defs\":{", root->id);
    bool first = true;
    for (size_t i = 0; i < cmp->all_shapes.count && cmp->all_shapes.count <= SHAPES_MAX && !out->overflow;
         i++) {
        buffer_printf(out, first ? "\"%zu\":" : ",\"%zu\":", i);
        write_shape(cmp, out, cmp->all_shapes.items[i]);
        first = false;
    }
    buffer_string(out, "}}");
    return cmp->all_shapes.count <= SHAPES_MAX && !out->overflow;
}
