/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of the two schemas mean the same? Parts that say the same of themselves are taken to be equal until
 * their children differ; refining ends when no class splits any more. So schemas may refer to themselves, a schema is
 * equal to itself whatever it uses ($dynamicRef, unevaluated*), and large ones cost a few rounds over all parts.
 * Exact: classes are told apart by their whole text, not by a hash. Where the rounds would take too long, a part
 * is equal only to itself. */
#include <stdlib.h>

#include "compat/compare_parts.h"

enum { TEXT_BYTES = 64 << 20, ROUNDS_WORK = 3000000 };

/* --- all parts ------------------------------------------------------------------------------------------ */

static weir_text address(const struct node *const *node) {
    return (weir_text){(const char *)node, sizeof *node};
}

static struct part *part_add(struct comparison *cmp, const schema *schema, const struct node *node) {
    struct part *part = map_get(cmp->nodes, address(&node));
    if (part)
        return part;
    part = arena_alloc(cmp->arena, sizeof *part);
    part->node = node;
    part->schema = schema;
    part->alone = *schema;
    part->alone.root = (struct node *)node;
    part->id = (uint32_t)cmp->parts.count;
    part->rep = part;
    map_put(cmp->nodes, address(&node), part);
    list_push(cmp->arena, &cmp->parts, part);
    return part;
}

static int by_name(const void *a, const void *b) {
    return text_compare((*(const struct key *const *)a)->name, (*(const struct key *const *)b)->name);
}

static const struct key **sorted_keys(struct comparison *cmp, const struct keys *keys) {
    const struct key **sorted = arena_alloc(cmp->arena, (keys->count + 1) * sizeof *sorted);
    for (size_t i = 0; i < keys->count; i++)
        sorted[i] = &keys->items[i];
    if (keys->count)
        qsort(sorted, keys->count, sizeof *sorted, by_name);
    return sorted;
}

typedef LIST(const struct node *) node_list;

static void object_children(struct comparison *cmp, node_list *out, const struct object_rules *rules) {
    const struct key **keys = sorted_keys(cmp, &rules->keys);
    for (size_t i = 0; i < rules->keys.count; i++)
        list_push(cmp->arena, out, keys[i]->node);
    for (size_t i = 0; i < rules->patterns.count; i++)
        list_push(cmp->arena, out, rules->patterns.items[i].node);
    list_push(cmp->arena, out, rules->additional);
    list_push(cmp->arena, out, rules->names);
}

static void array_children(struct comparison *cmp, node_list *out, const struct array_rules *rules) {
    for (size_t i = 0; i < rules->prefix_count; i++)
        list_push(cmp->arena, out, rules->prefix[i]);
    list_push(cmp->arena, out, rules->items);
    list_push(cmp->arena, out, rules->contains);
}

/* A $dynamicRef goes where the resources on the way lead: they belong to what a part says. */
static void dynamic_children(struct comparison *cmp, node_list *out, const struct part *part, size_t names) {
    const struct resource *resource = part->node->resource;
    for (size_t i = 0; i < names; i++)
        list_push(cmp->arena, out, resource && resource->slots ? resource->slots[i] : NULL);
}

static void read_children(struct comparison *cmp, struct part *part, size_t names) {
    const struct node *node = part->node;
    node_list list = {0};
    if (node->object) {
        object_children(cmp, &list, node->object);
        cmp->widest = node->object->keys.count > cmp->widest ? node->object->keys.count : cmp->widest;
    }
    if (node->array)
        array_children(cmp, &list, node->array);
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count; j++)
            list_push(cmp->arena, &list, node->applied.items[i].nodes[j]);
    list_push(cmp->arena, &list, node->unevaluated_items);
    list_push(cmp->arena, &list, node->unevaluated_properties);
    dynamic_children(cmp, &list, part, names);
    const struct part **children = arena_alloc(cmp->arena, (list.count + 1) * sizeof *children);
    for (size_t i = 0; i < list.count; i++)
        children[i] = list.items[i] ? part_add(cmp, part->schema, list.items[i]) : NULL;
    part->children = children;
    part->child_count = list.count;
}

/* --- what a part says of itself -------------------------------------------------------------------------- */

static void say_text(buffer *out, weir_text text) {
    buffer_printf(out, "%zu:", text.size);
    buffer_text(out, text);
}

static void say_object(struct comparison *cmp, buffer *out, const struct object_rules *rules) {
    const struct key **keys = sorted_keys(cmp, &rules->keys);
    buffer_printf(out, "o%llu,%llu,%zu,", (unsigned long long)rules->min, (unsigned long long)rules->max,
                  rules->keys.count);
    for (size_t i = 0; i < rules->keys.count; i++) {
        say_text(out, keys[i]->name);
        buffer_char(out, keys[i]->required ? '!' : '?');
    }
    buffer_printf(out, "p%zu", rules->patterns.count);
    for (size_t i = 0; i < rules->patterns.count; i++)
        say_text(out, rules->patterns.items[i].text);
    buffer_printf(out, "d%zu", rules->dependents.count);
    for (size_t i = 0; i < rules->dependents.count; i++) {
        const struct dependent_rule *rule = &rules->dependents.items[i];
        say_text(out, rule->property);
        buffer_printf(out, "n%zu", rule->count);
        for (size_t j = 0; j < rule->count; j++)
            say_text(out, rule->names[j]);
    }
}

static void say_array(buffer *out, const struct array_rules *rules) {
    buffer_printf(out, "a%llu,%llu,%zu,%llu,%llu,%d", (unsigned long long)rules->min,
                  (unsigned long long)rules->max, rules->prefix_count,
                  (unsigned long long)rules->contains_min, (unsigned long long)rules->contains_max,
                  rules->unique);
}

static void say_scalars(buffer *out, const struct node *node) {
    if (node->values)
        json_write_canonical(out, node->values->source);
    buffer_char(out, ';');
    if (node->constant)
        json_write_canonical(out, node->constant->source);
    for (int kind = 0; node->number && kind < BOUND_COUNT; kind++)
        for (size_t i = 0; i < node->number->count; i++)
            if ((int)node->number->bounds[i].kind == kind) {
                buffer_printf(out, "b%d,", kind);
                say_text(out, node->number->bounds[i].text);
            }
    if (node->string) {
        buffer_printf(out, "s%llu,%llu,", (unsigned long long)node->string->min,
                      (unsigned long long)node->string->max);
        if (node->string->pattern)
            say_text(out, node->string->pattern_text);
        buffer_printf(out, "f%s", node->string->format ? node->string->format->name : "");
    }
}

static void say(struct comparison *cmp, buffer *out, const struct node *node, size_t names) {
    buffer_printf(out, "%d,%x,%d;", node->verdict, node->types, node->integral);
    say_scalars(out, node);
    if (node->object)
        say_object(cmp, out, node->object);
    if (node->array)
        say_array(out, node->array);
    for (size_t i = 0; i < node->applied.count; i++) {
        const struct applied *applied = &node->applied.items[i];
        buffer_printf(out, "k%d,%zu,%zu,", applied->kind, applied->count,
                      applied->kind == APPLY_DYNAMIC ? applied->slot : 0);
        if (applied->kind == APPLY_DEPENDENT)
            say_text(out, applied->name);
    }
    buffer_printf(out, "r%zu", names);
}

/* --- classes -------------------------------------------------------------------------------------------- */

/* The number of a text, from 1: a new one for a new text. */
static uint32_t class_of(struct map *classes, weir_text text) {
    uintptr_t known = (uintptr_t)map_get(classes, text);
    if (!known) {
        known = map_count(classes) + 1;
        map_put(classes, text, (void *)known);
    }
    return (uint32_t)known;
}

static size_t first_classes(struct comparison *cmp, uint32_t *class, size_t names) {
    struct map *classes = map_new();
    buffer text;
    buffer_init(&text, TEXT_BYTES);
    for (size_t i = 0; i < cmp->parts.count; i++) {
        buffer_clear(&text);
        say(cmp, &text, cmp->parts.items[i]->node, names);
        if (text.overflow)
            buffer_printf(&text, "%zu", i);
        class[i] = class_of(classes, buffer_view(&text));
    }
    size_t count = map_count(classes);
    buffer_release(&text);
    map_free(classes);
    return count;
}

static size_t refine(struct comparison *cmp, uint32_t *class, uint32_t *next) {
    struct map *classes = map_new();
    buffer text;
    buffer_init(&text, TEXT_BYTES);
    for (size_t i = 0; i < cmp->parts.count; i++) {
        const struct part *part = cmp->parts.items[i];
        buffer_clear(&text);
        buffer_append(&text, &class[i], sizeof class[i]);
        for (size_t j = 0; j < part->child_count; j++) {
            uint32_t child = part->children[j] ? class[part->children[j]->id] : 0;
            buffer_append(&text, &child, sizeof child);
        }
        next[i] = class_of(classes, buffer_view(&text));
    }
    memcpy(class, next, cmp->parts.count * sizeof *class);
    size_t count = map_count(classes);
    buffer_release(&text);
    map_free(classes);
    return count;
}

static void choose_reps(struct comparison *cmp, const uint32_t *class) {
    struct part **first = mem_alloc((cmp->parts.count + 2) * sizeof *first);
    for (size_t i = 0; i < cmp->parts.count; i++) {
        struct part *part = cmp->parts.items[i];
        if (!first[class[i]])
            first[class[i]] = part;
        part->rep = first[class[i]];
    }
    mem_free(first);
}

/* How many anchors $dynamicRefs look for: as many as the resources have slots. */
static size_t dynamic_names(const schema *schema) {
    return schema->dynamic ? schema->dynamic_names : 0;
}

/* All parts of a schema, numbered behind those there are; returns how many looks one round over them takes. */
static size_t read_parts(struct comparison *cmp, const schema *schema, size_t names) {
    size_t at = cmp->parts.count, work = 0;
    part_add(cmp, schema, schema->root);
    for (; at < cmp->parts.count; at++) {
        read_children(cmp, cmp->parts.items[at], names);
        work += cmp->parts.items[at]->child_count + 4;
    }
    return work;
}

void parts_read(struct comparison *cmp) {
    size_t writer_names = dynamic_names(cmp->writer), reader_names = dynamic_names(cmp->reader);
    size_t work = read_parts(cmp, cmp->writer, writer_names) + read_parts(cmp, cmp->reader, reader_names);
    size_t count = cmp->parts.count;
    uint32_t *class = mem_alloc((count + 1) * sizeof *class), *next = mem_alloc((count + 1) * sizeof *next);
    size_t classes = first_classes(cmp, class, writer_names == reader_names ? writer_names : 0), before = 0;
    for (size_t done = work; classes != before && done < ROUNDS_WORK; done += work) {
        before = classes;
        classes = refine(cmp, class, next);
    }
    if (classes == before)
        choose_reps(cmp, class);
    mem_free(class);
    mem_free(next);
}

const struct part *part_at(const struct comparison *cmp, const struct node *node) {
    return node ? map_get(cmp->nodes, address(&node)) : NULL;
}

const struct part *part_of(const struct comparison *cmp, const struct node *node) {
    const struct part *part = part_at(cmp, node);
    return part ? part->rep : NULL;
}

bool part_valid(struct comparison *cmp, const struct part *part, const json *value) {
    cmp->steps -= 1 + (int64_t)json_size(value) / 4;
    return schema_valid(cmp->run, &part->alone, value, false);
}
