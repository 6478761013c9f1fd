/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a value, as a set: numbered, sorted, each set once. Into it goes all that follows at once:
 * what allOf and $ref apply, the branch of an `if` that is settled, dependentSchemas of a member that is there.
 * What remains open (anyOf, oneOf, an `if` that nothing settles) can be split into cases. */
#include <stdlib.h>

#include "compat/compare_parts.h"

enum { CLAIM_BYTES = 1 << 20 };

/* --- single claims -------------------------------------------------------------------------------------- */

static void claim_key(buffer *key, const struct claim *claim) {
    buffer_printf(key, "%d,%u,%u,%zu:", claim->kind, claim->part ? claim->part->id + 1 : 0, claim->types,
                  claim->name.size);
    buffer_text(key, claim->name);
    if (claim->shape)
        buffer_printf(key, "s%u", claim->shape->id);
    if (claim->value)
        json_write_canonical(key, claim->value);
}

static const struct claim *claim_find(struct comparison *cmp, struct claim claim) {
    buffer key;
    buffer_init(&key, CLAIM_BYTES);
    claim_key(&key, &claim);
    struct claim *known = key.overflow ? NULL : map_get(cmp->claim_ids, buffer_view(&key));
    if (!known) {
        known = arena_alloc(cmp->arena, sizeof *known);
        *known = claim;
        known->id = ++cmp->claim_count;
        if (!key.overflow)
            map_put(cmp->claim_ids, buffer_view(&key), known);
    }
    buffer_release(&key);
    return known;
}

void claim_add(struct comparison *cmp, claim_list *list, struct claim claim) {
    if ((claim.kind == CLAIM_IS || claim.kind == CLAIM_NOT) && !claim.part)
        return;
    const struct claim *known = claim_find(cmp, claim);
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == known)
            return;
    list_push(cmp->arena, list, known);
}

/* --- what follows --------------------------------------------------------------------------------------- */

static bool list_claims(const claim_list *list, enum claim_kind kind, const struct part *part) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->kind == kind && list->items[i]->part == part)
            return true;
    return false;
}

static bool list_names(const claim_list *list, enum claim_kind kind, weir_text name) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->kind == kind && text_equal(list->items[i]->name, name))
            return true;
    return false;
}

/* Is it said to be an object? */
static bool list_object(const claim_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct claim *claim = list->items[i];
        unsigned types = claim->kind == CLAIM_IS      ? claim->part->node->types
                         : claim->kind == CLAIM_TYPES ? claim->types
                                                      : ALL_TYPES;
        if (types == 1u << JSON_OBJECT)
            return true;
    }
    return false;
}

/* Does one of the parts require the member? It does so of objects only. */
static bool list_requires(const claim_list *list, weir_text name) {
    if (list_names(list, CLAIM_HAS, name))
        return true;
    if (!list_object(list))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct claim *claim = list->items[i];
        if (claim->kind != CLAIM_IS || !claim->part->node->object || !claim->part->node->object->keys.count)
            continue;
        size_t next = 0;
        const struct key *key = keys_find(&claim->part->node->object->keys, name, &next);
        if (key && key->required)
            return true;
    }
    return false;
}

static void is_node(struct comparison *cmp, claim_list *list, const struct node *node) {
    claim_is(cmp, list, part_of(cmp, node));
}

static void follow_applied(struct comparison *cmp, claim_list *list, const struct applied *applied) {
    const struct part *first = part_of(cmp, applied->nodes[0]);
    switch (applied->kind) {
    case APPLY_ALL:
        for (size_t i = 0; i < applied->count; i++)
            is_node(cmp, list, applied->nodes[i]);
        break;
    case APPLY_ANY:
    case APPLY_ONE:
        if (applied->count == 1)
            claim_is(cmp, list, first);
        for (size_t i = 0; applied->kind == APPLY_ONE && i < applied->count; i++)
            if (list_claims(list, CLAIM_IS, part_of(cmp, applied->nodes[i])))
                for (size_t j = 0; j < applied->count; j++)
                    if (j != i)
                        claim_add(cmp, list,
                                  (struct claim){CLAIM_NOT, .part = part_of(cmp, applied->nodes[j])});
        break;
    case APPLY_NOT:
        claim_add(cmp, list, (struct claim){CLAIM_NOT, .part = first});
        break;
    case APPLY_IF:
        if (list_claims(list, CLAIM_IS, first))
            is_node(cmp, list, applied->nodes[1]);
        else if (list_claims(list, CLAIM_NOT, first))
            is_node(cmp, list, applied->nodes[2]);
        break;
    case APPLY_DEPENDENT:
        if (list_requires(list, applied->name))
            claim_is(cmp, list, first);
        break;
    case APPLY_DYNAMIC:
        break;
    }
}

static void follow(struct comparison *cmp, claim_list *list) {
    for (size_t before = 0; before != list->count && cmp->steps > 0;) {
        before = list->count;
        for (size_t i = 0; i < list->count; i++) {
            const struct claim *claim = list->items[i];
            for (size_t j = 0; claim->kind == CLAIM_IS && j < claim->part->node->applied.count; j++)
                follow_applied(cmp, list, &claim->part->node->applied.items[j]);
        }
        cmp->steps -= (int64_t)list->count / 4 + 1;
    }
}

/* --- sets ----------------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b) {
    uint32_t x = (*(const struct claim *const *)a)->id, y = (*(const struct claim *const *)b)->id;
    return (x > y) - (x < y);
}

const struct claims *claims_of(struct comparison *cmp, claim_list *list) {
    follow(cmp, list);
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_id);
    uint32_t *ids = arena_alloc(cmp->arena, (list->count + 1) * sizeof *ids);
    for (size_t i = 0; i < list->count; i++)
        ids[i] = list->items[i]->id;
    weir_text key = {(const char *)ids, list->count * sizeof *ids};
    struct claims *claims = map_get(cmp->claims_ids, key);
    if (!claims) {
        claims = arena_alloc(cmp->arena, sizeof *claims);
        claims->id = ++cmp->claims_count;
        claims->items = list->items;
        claims->count = list->count;
        map_put(cmp->claims_ids, key, claims);
    }
    return claims;
}

static claim_list copy(struct comparison *cmp, const struct claims *claims, const struct claim *but) {
    claim_list list = {0};
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i] != but)
            list_push(cmp->arena, &list, claims->items[i]);
    return list;
}

const struct claims *claims_with(struct comparison *cmp, const struct claims *claims, struct claim claim) {
    claim_list list = copy(cmp, claims, NULL);
    claim_add(cmp, &list, claim);
    return claims_of(cmp, &list);
}

const struct claims *claims_without(struct comparison *cmp, const struct claims *claims,
                                    const struct claim *claim) {
    claim_list list = copy(cmp, claims, claim);
    return claims_of(cmp, &list);
}

bool claims_have(const struct claims *claims, enum claim_kind kind, const struct part *part) {
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i]->kind == kind && claims->items[i]->part == part)
            return true;
    return false;
}

bool claims_have_name(const struct claims *claims, enum claim_kind kind, weir_text name) {
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i]->kind == kind && text_equal(claims->items[i]->name, name))
            return true;
    return false;
}

const struct shape *claims_shape(const struct claims *claims) {
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i]->kind == CLAIM_SHAPE)
            return claims->items[i]->shape;
    return NULL;
}

/* --- of what is inside ---------------------------------------------------------------------------------- */

static void add_shape(struct comparison *cmp, claim_list *list, const struct shape *shape) {
    if (shape && shape->count)
        claim_add(cmp, list, (struct claim){CLAIM_SHAPE, .shape = shape});
}

const struct claims *claims_member(struct comparison *cmp, const struct claims *claims, weir_text name) {
    claim_list list = {0};
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        if (claim->kind == CLAIM_MEMBER && text_equal(claim->name, name))
            claim_add(cmp, &list, (struct claim){CLAIM_VALUE, .value = claim->value});
        if (claim->kind == CLAIM_SHAPE)
            add_shape(cmp, &list, shape_member(cmp, claim->shape, name));
        if (claim->kind != CLAIM_IS)
            continue;
        const struct node *node = claim->part->node;
        const struct object_rules *rules = node->object;
        size_t next = 0;
        const struct key *key = rules && rules->keys.count ? keys_find(&rules->keys, name, &next) : NULL;
        bool described = key && key->node;
        if (described)
            is_node(cmp, &list, key->node);
        for (size_t j = 0; rules && j < rules->patterns.count; j++)
            if (regex_fits(cmp, rules->patterns.items[j].pattern, name)) {
                described = true;
                is_node(cmp, &list, rules->patterns.items[j].node);
            }
        if (rules && !described)
            is_node(cmp, &list, rules->additional);
        if (node->unevaluated_properties && !part_may_evaluate(cmp, claim->part, name, false))
            is_node(cmp, &list, node->unevaluated_properties);
    }
    return claims_of(cmp, &list);
}

const struct claims *claims_item(struct comparison *cmp, const struct claims *claims, size_t index) {
    claim_list list = {0};
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        if (claim->kind == CLAIM_SHAPE)
            add_shape(cmp, &list, shape_item(cmp, claim->shape, index));
        const struct array_rules *rules = claim->kind == CLAIM_IS ? claim->part->node->array : NULL;
        if (rules)
            is_node(cmp, &list, index < rules->prefix_count ? rules->prefix[index] : rules->items);
        if (claim->kind == CLAIM_IS && claim->part->node->unevaluated_items &&
            !part_may_evaluate_item(cmp, claim->part, index))
            is_node(cmp, &list, claim->part->node->unevaluated_items);
    }
    return claims_of(cmp, &list);
}

const struct claims *claims_others(struct comparison *cmp, const struct claims *claims, weir_text pattern) {
    claim_list list = {0};
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        if (claim->kind == CLAIM_SHAPE)
            add_shape(cmp, &list, shape_others(cmp, claim->shape, pattern));
        if (claim->kind != CLAIM_IS)
            continue;
        const struct node *node = claim->part->node;
        const struct object_rules *rules = node->object;
        for (size_t j = 0; pattern.data && rules && j < rules->patterns.count; j++)
            if (text_equal(rules->patterns.items[j].text, pattern))
                is_node(cmp, &list, rules->patterns.items[j].node);
        if (rules && (!pattern.data || !rules->patterns.count))
            is_node(cmp, &list, rules->additional);
        if (node->unevaluated_properties && !part_may_evaluate(cmp, claim->part, pattern, true))
            is_node(cmp, &list, node->unevaluated_properties);
    }
    return claims_of(cmp, &list);
}

const struct claims *claims_name(struct comparison *cmp, const struct claims *claims, weir_text pattern) {
    claim_list list = {0};
    claim_add(cmp, &list, (struct claim){CLAIM_TYPES, .types = 1u << JSON_STRING});
    if (pattern.data)
        claim_add(cmp, &list, (struct claim){CLAIM_PATTERN, .name = pattern});
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i]->kind == CLAIM_IS && claims->items[i]->part->node->object)
            is_node(cmp, &list, claims->items[i]->part->node->object->names);
    return claims_of(cmp, &list);
}

bool part_may_evaluate(struct comparison *cmp, const struct part *part, weir_text name, bool others) {
    const struct node *node = part->node;
    const struct object_rules *rules = node->object;
    cmp->steps--;
    if (rules && (rules->additional || (others && rules->patterns.count)))
        return true;
    size_t next = 0;
    const struct key *key =
        rules && !others && rules->keys.count ? keys_find(&rules->keys, name, &next) : NULL;
    if (key && key->node)
        return true;
    for (size_t i = 0; rules && !others && i < rules->patterns.count; i++)
        if (regex_fits(cmp, rules->patterns.items[i].pattern, name))
            return true;
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count; j++) {
            const struct part *below = part_of(cmp, node->applied.items[i].nodes[j]);
            if (below && (cmp->steps <= 0 || below->node->unevaluated_properties ||
                          part_may_evaluate(cmp, below, name, others)))
                return true;
        }
    return false;
}

bool part_may_evaluate_item(struct comparison *cmp, const struct part *part, size_t index) {
    const struct node *node = part->node;
    const struct array_rules *rules = node->array;
    if (!STEP_TAKEN(cmp) || (rules && (index < rules->prefix_count || rules->items || rules->contains)))
        return true;
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count; j++) {
            const struct part *below = part_of(cmp, node->applied.items[i].nodes[j]);
            if (below && (below->node->unevaluated_items || part_may_evaluate_item(cmp, below, index)))
                return true;
        }
    return false;
}

/* --- cases ---------------------------------------------------------------------------------------------- */

static void push_case(struct comparison *cmp, case_list *out, const struct claims *claims,
                      enum claim_kind kind, const struct part *part, weir_text name) {
    list_push(cmp->arena, out,
              claims_with(cmp, claims, (struct claim){.kind = kind, .part = part, .name = name}));
}

static bool settled(const struct comparison *cmp, const struct claims *claims,
                    const struct applied *applied) {
    switch (applied->kind) {
    case APPLY_ANY:
    case APPLY_ONE:
        for (size_t i = 0; i < applied->count; i++)
            if (claims_have(claims, CLAIM_IS, part_of(cmp, applied->nodes[i])))
                return true;
        return false;
    case APPLY_IF:
        return claims_have(claims, CLAIM_IS, part_of(cmp, applied->nodes[0])) ||
               claims_have(claims, CLAIM_NOT, part_of(cmp, applied->nodes[0]));
    case APPLY_DEPENDENT:
        return claims_have(claims, CLAIM_IS, part_of(cmp, applied->nodes[0])) ||
               claims_have_name(claims, CLAIM_LACKS, applied->name);
    case APPLY_ALL:
    case APPLY_NOT:
    case APPLY_DYNAMIC:
        return true;
    }
    return true;
}

static void split(struct comparison *cmp, case_list *out, const struct claims *claims,
                  const struct applied *applied) {
    static const weir_text none = {0};
    const struct part *first = part_of(cmp, applied->nodes[0]);
    if (applied->kind == APPLY_IF) {
        push_case(cmp, out, claims, CLAIM_IS, first, none);
        push_case(cmp, out, claims, CLAIM_NOT, first, none);
        return;
    }
    if (applied->kind == APPLY_DEPENDENT) {
        push_case(cmp, out, claims, CLAIM_HAS, NULL, applied->name);
        push_case(cmp, out, claims, CLAIM_LACKS, NULL, applied->name);
        return;
    }
    for (size_t i = 0; i < applied->count; i++) {
        const struct part *branch = part_of(cmp, applied->nodes[i]);
        if (branch->node->verdict != VERDICT_FALSE && !claims_have(claims, CLAIM_NOT, branch))
            push_case(cmp, out, claims, CLAIM_IS, branch, none);
    }
}

bool claims_cases(struct comparison *cmp, const struct claims *claims, case_list *out) {
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        for (size_t j = 0; claim->kind == CLAIM_IS && j < claim->part->node->applied.count; j++)
            if (!settled(cmp, claims, &claim->part->node->applied.items[j])) {
                split(cmp, out, claims, &claim->part->node->applied.items[j]);
                return true;
            }
    }
    return false;
}
