/* SPDX-License-Identifier: Apache-2.0 */
/* Merging claims: what a value must be, when all of them hold. Subschemas that apply to the same value are
 * followed at once, and where one of several may apply (anyOf, oneOf, if) the dice choose. Rules of members and
 * items stay with their node, until it is known which members there are. */
#include "sample/make.h"

static const struct scope *enter(struct maker *maker, const struct scope *outer, const struct node *node) {
    if (outer && outer->resource == node->resource)
        return outer;
    struct scope *scope = arena_alloc(maker->arena, sizeof *scope);
    *scope = (struct scope){node->resource, outer};
    return scope;
}

struct claim claim_on(struct maker *maker, const struct claim *parent, const struct node *node, bool denied) {
    return (struct claim){
        .schema = parent->schema,
        .node = node,
        .scope = parent->schema->dynamic ? enter(maker, parent->scope, node) : NULL,
        .denied = denied,
        .nearly = denied && parent->nearly,
    };
}

/* Inside each other the one that allows something has looked at it when the outer one comes. */
void claim_rest(struct maker *maker, const claims *held, claims *out, bool items) {
    bool allowed = false;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < held->count; i++) {
            const struct node *node = held->items[i].node,
                              *rest = items ? node->unevaluated_items : node->unevaluated_properties;
            bool refuses = rest && rest->verdict == VERDICT_FALSE;
            if (!rest || (pass == 0 && refuses) || (pass == 1 && (!refuses || allowed)))
                continue;
            allowed |= !refuses;
            list_push(maker->arena, out, claim_on(maker, &held->items[i], rest, false));
        }
}

void claims_settle(claims *claims) {
    size_t kept = 0;
    for (size_t i = 0; i < claims->count; i++) {
        bool dropped = false;
        for (size_t j = 0; !claims->items[i].denied && j < claims->count; j++)
            dropped |= claims->items[j].denied && claims->items[j].node == claims->items[i].node;
        if (!dropped)
            claims->items[kept++] = claims->items[i];
    }
    claims->count = kept;
}

/* The outermost resource on the way here that has the anchor, as run_applied.c finds it. */
const struct node *claim_target(const struct claim *claim, const struct applied *applied) {
    const struct node *target = applied->nodes[0];
    if (applied->kind == APPLY_DYNAMIC)
        for (const struct scope *scope = claim->scope; scope; scope = scope->outer)
            if (scope->resource->slots && scope->resource->slots[applied->slot])
                target = scope->resource->slots[applied->slot];
    return target;
}

/* --- rules of one type ------------------------------------------------------------------------------------ */

static void hold_numbers(struct maker *maker, struct wish *wish, const struct node *node, struct rule but) {
    for (size_t i = 0; node->number && i < node->number->count; i++)
        if (but.kind != RULE_BOUND || but.index != i)
            list_push(maker->arena, &wish->bounds, node->number->bounds[i]);
}

static void hold_strings(struct maker *maker, struct wish *wish, const struct node *node, struct rule but) {
    const struct string_rules *rules = node->string;
    if (!rules)
        return;
    if (but.kind != RULE_LENGTH_MIN && rules->min > wish->length_min)
        wish->length_min = rules->min;
    if (but.kind != RULE_LENGTH_MAX && rules->max < wish->length_max)
        wish->length_max = rules->max;
    if (rules->pattern && but.kind != RULE_PATTERN)
        list_push(maker->arena, &wish->patterns,
                  ((struct pattern_wish){rules->pattern, rules->pattern_text, false}));
    if (rules->format && but.kind != RULE_FORMAT)
        list_push(maker->arena, &wish->formats, ((struct format_wish){rules->format, false}));
}

static void hold_arrays(struct maker *maker, struct wish *wish, struct claim claim, struct rule but) {
    const struct array_rules *rules = claim.node->array;
    if (!rules)
        return;
    if (but.kind != RULE_ITEMS_MIN && rules->min > wish->items_min)
        wish->items_min = rules->min;
    if (but.kind != RULE_ITEMS_MAX && rules->max < wish->items_max)
        wish->items_max = rules->max;
    if (but.kind != RULE_UNIQUE)
        wish->unique |= rules->unique;
    if (rules->contains) {
        struct contains_wish contains = {claim_on(maker, &claim, rules->contains, false), rules->contains_min,
                                         rules->contains_max};
        if (but.kind == RULE_CONTAINS_MIN)
            contains.min = 0;
        if (but.kind == RULE_CONTAINS_MAX)
            contains.max = UINT64_MAX;
        list_push(maker->arena, &wish->contains, contains);
    }
    if (rules->items && rules->items->verdict == VERDICT_FALSE && but.kind != RULE_ITEMS &&
        rules->prefix_count < wish->items_max)
        wish->items_max = rules->prefix_count;
}

static void hold_objects(struct maker *maker, struct wish *wish, struct claim claim, struct rule but) {
    const struct object_rules *rules = claim.node->object;
    if (!rules)
        return;
    if (but.kind != RULE_MEMBERS_MIN && rules->min > wish->members_min)
        wish->members_min = rules->min;
    if (but.kind != RULE_MEMBERS_MAX && rules->max < wish->members_max)
        wish->members_max = rules->max;
    for (size_t i = 0; i < rules->keys.count; i++)
        if (rules->keys.items[i].required && (but.kind != RULE_REQUIRED || but.index != i))
            list_push(maker->arena, &wish->needed, rules->keys.items[i].name);
    if (rules->names && but.kind != RULE_NAMES)
        list_push(maker->arena, &wish->names, claim_on(maker, &claim, rules->names, false));
}

/* --- subschemas of the same value ---------------------------------------------------------------------------- */

static bool text_in(const weir_text *items, size_t count, weir_text text) {
    for (size_t i = 0; i < count; i++)
        if (text_equal(items[i], text))
            return true;
    return false;
}

/* Either the property is not there, or its schema holds. */
static bool hold_dependent(struct maker *maker, struct wish *wish, const struct claim *claim,
                           const struct applied *applied) {
    wish->risky = true;
    if (text_in(wish->banned.items, wish->banned.count, applied->name))
        return true;
    bool needed = text_in(wish->needed.items, wish->needed.count, applied->name);
    uint8_t others = (uint8_t)(wish->types & ~(1u << JSON_OBJECT));
    if (needed && others && dice_once_in(&maker->dice, 4)) {
        wish->types = others;
        return true;
    }
    if (!needed && (small(maker) || dice_once_in(&maker->dice, 2))) {
        list_push(maker->arena, &wish->banned, applied->name);
        return true;
    }
    if (wish_add(maker, wish, claim_on(maker, claim, applied->nodes[0], false)))
        return true;
    if (needed)
        return false;
    list_push(maker->arena, &wish->banned, applied->name);
    return true;
}

/* Deep inside, one that holds nothing else if there is one: so what refers to itself comes to an end. */
static size_t choose_branch(struct maker *maker, const struct applied *applied) {
    size_t chosen = dice_below(&maker->dice, applied->count);
    for (size_t i = 0; small(maker) && applied->nodes[chosen]->costs && i < applied->count; i++)
        chosen = (chosen + (dice_once_in(&maker->dice, 4) ? 0 : 1)) % applied->count;
    return chosen;
}

/* One branch holds. That the others do not is left to luck at first: to deny them too narrows the choice. */
static bool hold_one(struct maker *maker, struct wish *wish, const struct claim *claim,
                     const struct applied *applied) {
    size_t chosen = choose_branch(maker, applied);
    bool deny = applied->kind == APPLY_ONE && applied->count > 1 && !dice_once_in(&maker->dice, 3);
    wish->risky = true;
    if (!wish_add(maker, wish, claim_on(maker, claim, applied->nodes[chosen], false)))
        return false;
    for (size_t i = 0; deny && i < applied->count; i++) {
        struct claim other = claim_on(maker, claim, applied->nodes[i], true);
        if (i != chosen && !wish_add(maker, wish, other))
            return false;
    }
    return true;
}

static bool hold_if(struct maker *maker, struct wish *wish, const struct claim *claim,
                    const struct applied *applied) {
    bool then = dice_once_in(&maker->dice, 2);
    const struct node *next = applied->nodes[then ? 1 : 2];
    wish->risky = true;
    return wish_add(maker, wish, claim_on(maker, claim, applied->nodes[0], !then)) &&
           (!next || wish_add(maker, wish, claim_on(maker, claim, next, false)));
}

static bool hold_applied(struct maker *maker, struct wish *wish, const struct claim *claim,
                         const struct applied *applied) {
    switch (applied->kind) {
    case APPLY_ALL:
        for (size_t i = 0; i < applied->count; i++)
            if (!wish_add(maker, wish, claim_on(maker, claim, applied->nodes[i], false)))
                return false;
        return true;
    case APPLY_ANY:
    case APPLY_ONE:
        return hold_one(maker, wish, claim, applied);
    case APPLY_NOT:
        wish->risky = true;
        return wish_add(maker, wish, claim_on(maker, claim, applied->nodes[0], true));
    case APPLY_IF:
        return hold_if(maker, wish, claim, applied);
    case APPLY_DEPENDENT:
        return hold_dependent(maker, wish, claim, applied);
    case APPLY_DYNAMIC:
        return wish_add(maker, wish, claim_on(maker, claim, claim_target(claim, applied), false));
    }
    return true;
}

/* --- a whole node ------------------------------------------------------------------------------------------- */

static void hold_annotations(struct wish *wish, const struct node *node) {
    if (!json_is(node->source, JSON_OBJECT))
        return;
    weir_text format = json_text(json_get(node->source, "format"));
    if (format.data)
        wish->format_name = format;
    const json *examples = json_get(node->source, "examples"), *usual = json_get(node->source, "default");
    if (json_is(examples, JSON_ARRAY) && json_size(examples))
        wish->samples[0] = examples;
    if (usual)
        wish->samples[1] = usual;
}

bool wish_hold(struct maker *maker, struct wish *wish, struct claim claim, struct rule but) {
    const struct node *node = claim.node;
    claim.denied = claim.nearly = false;
    if (but.kind != RULE_TYPE) {
        wish->types &= node->types;
        wish->integral |= node->integral;
    }
    if (but.kind != RULE_VALUES && but.kind != RULE_TYPE && node->values)
        list_push(maker->arena, &wish->values, ((struct values_wish){node->values, false}));
    if (but.kind != RULE_CONSTANT && but.kind != RULE_TYPE && node->constant)
        list_push(maker->arena, &wish->values, ((struct values_wish){node->constant, false}));
    hold_annotations(wish, node);
    hold_numbers(maker, wish, node, but);
    hold_strings(maker, wish, node, but);
    hold_arrays(maker, wish, claim, but);
    hold_objects(maker, wish, claim, but);
    if (node->object || node->array || node->unevaluated_items || node->unevaluated_properties)
        list_push(maker->arena, &wish->held, claim);
    wish->risky |= node->unevaluated_items || node->unevaluated_properties;
    for (size_t i = 0; i < node->applied.count; i++)
        if ((but.kind != RULE_APPLIED || but.index != i) &&
            !hold_applied(maker, wish, &claim, &node->applied.items[i]))
            return false;
    return wish->types != 0;
}

bool wish_add(struct maker *maker, struct wish *wish, struct claim claim) {
    if (!maker->budget)
        return false;
    maker->budget--;
    if (claim.denied)
        return wish_deny(maker, wish, claim);
    return wish_hold(maker, wish, claim, (struct rule){0});
}

bool wish_make(struct maker *maker, struct wish *wish, const claims *given) {
    *wish = (struct wish){.given = given,
                          .types = ALL_TYPES,
                          .length_max = UINT64_MAX,
                          .items_max = UINT64_MAX,
                          .members_max = UINT64_MAX};
    for (size_t i = 0; i < given->count; i++)
        if (!wish_add(maker, wish, given->items[i]))
            return false;
    return true;
}
