/* SPDX-License-Identifier: Apache-2.0 */
/* Denying a node: one of the things it says must not be so. All of them are listed, the dice aim at one, and
 * its opposite becomes part of the wish: below a minimum, longer than a maximum, a member that does not fit.
 * "Nearly" keeps everything else the node says. */
#include "sample/make.h"

typedef LIST(struct rule) rules;

static void aim(struct maker *maker, rules *out, enum rule_kind kind, size_t index) {
    list_push(maker->arena, out, ((struct rule){kind, index}));
}

/* Does it refuse anything at all? */
static bool refuses(const struct node *node) {
    return node && node->verdict != VERDICT_TRUE && !(node->plain && node->types == ALL_TYPES);
}

static void list_scalars(struct maker *maker, rules *out, const struct node *node) {
    if (node->values)
        aim(maker, out, RULE_VALUES, 0);
    if (node->constant)
        aim(maker, out, RULE_CONSTANT, 0);
    for (size_t i = 0; node->number && i < node->number->count; i++)
        aim(maker, out, RULE_BOUND, i);
    if (!node->string)
        return;
    if (node->string->min)
        aim(maker, out, RULE_LENGTH_MIN, 0);
    if (node->string->max < UINT64_MAX)
        aim(maker, out, RULE_LENGTH_MAX, 0);
    if (node->string->pattern)
        aim(maker, out, RULE_PATTERN, 0);
    if (node->string->format)
        aim(maker, out, RULE_FORMAT, 0);
}

static void list_arrays(struct maker *maker, rules *out, const struct node *node) {
    const struct array_rules *array = node->array;
    if (refuses(node->unevaluated_items))
        aim(maker, out, RULE_REST, 0);
    if (!array)
        return;
    if (array->min)
        aim(maker, out, RULE_ITEMS_MIN, 0);
    if (array->max < UINT64_MAX)
        aim(maker, out, RULE_ITEMS_MAX, 0);
    if (array->unique)
        aim(maker, out, RULE_UNIQUE, 0);
    if (array->contains && array->contains_min)
        aim(maker, out, RULE_CONTAINS_MIN, 0);
    if (array->contains && array->contains_max < UINT64_MAX)
        aim(maker, out, RULE_CONTAINS_MAX, 0);
    for (size_t i = 0; i < array->prefix_count; i++)
        if (refuses(array->prefix[i]))
            aim(maker, out, RULE_PREFIX, i);
    if (refuses(array->items))
        aim(maker, out, RULE_ITEMS, 0);
}

static void list_objects(struct maker *maker, rules *out, const struct node *node) {
    const struct object_rules *object = node->object;
    if (refuses(node->unevaluated_properties))
        aim(maker, out, RULE_STRAY, 0);
    if (!object)
        return;
    if (object->min)
        aim(maker, out, RULE_MEMBERS_MIN, 0);
    if (object->max < UINT64_MAX)
        aim(maker, out, RULE_MEMBERS_MAX, 0);
    if (refuses(object->names))
        aim(maker, out, RULE_NAMES, 0);
    if (refuses(object->additional))
        aim(maker, out, RULE_ADDITIONAL, 0);
    for (size_t i = 0; i < object->keys.count; i++) {
        if (object->keys.items[i].required)
            aim(maker, out, RULE_REQUIRED, i);
        if (refuses(object->keys.items[i].node))
            aim(maker, out, RULE_MEMBER, i);
    }
    for (size_t i = 0; i < object->patterns.count; i++)
        if (refuses(object->patterns.items[i].node))
            aim(maker, out, RULE_PATTERN_MEMBER, i);
    for (size_t i = 0; i < object->dependents.count; i++)
        if (object->dependents.items[i].count)
            aim(maker, out, RULE_DEPENDENT, i);
}

/* --- opposites ---------------------------------------------------------------------------------------------- */

static bool only(struct wish *wish, enum json_type type) {
    wish->types &= (uint8_t)(1u << type);
    return wish->types != 0;
}

static bool deny_type(struct maker *maker, struct wish *wish, const struct node *node) {
    uint8_t number = 1 << JSON_NUMBER, others = (uint8_t)(ALL_TYPES & ~node->types);
    if (!node->integral) {
        wish->types &= others;
    } else if (wish->types & others) {
        bool fraction = wish->types & number && !wish->integral && dice_once_in(&maker->dice, 2);
        wish->types &= fraction ? others | number : others;
        wish->broken_integral |= fraction;
    } else {
        wish->types &= number;
        wish->broken_integral = true;
    }
    return wish->types != 0 && !(wish->broken_integral && wish->integral && wish->types == number);
}

static bool deny_bound(struct maker *maker, struct wish *wish, struct bound bound) {
    static const enum bound_kind opposite[BOUND_COUNT] = {
        [BOUND_MINIMUM] = BOUND_BELOW,
        [BOUND_MAXIMUM] = BOUND_ABOVE,
        [BOUND_ABOVE] = BOUND_MAXIMUM,
        [BOUND_BELOW] = BOUND_MINIMUM,
    };
    if (bound.kind == BOUND_MULTIPLE) {
        list_push(maker->arena, &wish->broken_multiples, bound.text);
    } else {
        bound.kind = opposite[bound.kind];
        list_push(maker->arena, &wish->bounds, bound);
    }
    return only(wish, JSON_NUMBER);
}

static bool deny_string(struct maker *maker, struct wish *wish, const struct string_rules *rules,
                        enum rule_kind kind) {
    if (kind == RULE_LENGTH_MIN && rules->min - 1 < wish->length_max)
        wish->length_max = rules->min - 1;
    if (kind == RULE_LENGTH_MAX && rules->max + 1 > wish->length_min)
        wish->length_min = rules->max + 1;
    if (kind == RULE_PATTERN)
        list_push(maker->arena, &wish->patterns,
                  ((struct pattern_wish){rules->pattern, rules->pattern_text, true}));
    if (kind == RULE_FORMAT)
        list_push(maker->arena, &wish->formats, ((struct format_wish){rules->format, true}));
    return only(wish, JSON_STRING) && wish->length_min <= wish->length_max;
}

static void place_item(struct maker *maker, struct wish *wish, size_t index, struct claim claim) {
    list_push(maker->arena, &wish->items, ((struct placed){.index = index, .claim = claim}));
}

static bool deny_array(struct maker *maker, struct wish *wish, const struct claim *claim, struct rule rule) {
    const struct array_rules *rules = claim->node->array;
    if (rule.kind == RULE_ITEMS_MIN && rules->min - 1 < wish->items_max)
        wish->items_max = rules->min - 1;
    if (rule.kind == RULE_ITEMS_MAX && rules->max + 1 > wish->items_min)
        wish->items_min = rules->max + 1;
    wish->repeated |= rule.kind == RULE_UNIQUE;
    if (rule.kind == RULE_CONTAINS_MIN)
        list_push(maker->arena, &wish->contains,
                  ((struct contains_wish){claim_on(maker, claim, rules->contains, false), 0,
                                          rules->contains_min - 1}));
    if (rule.kind == RULE_CONTAINS_MAX)
        list_push(maker->arena, &wish->contains,
                  ((struct contains_wish){claim_on(maker, claim, rules->contains, false),
                                          rules->contains_max + 1, UINT64_MAX}));
    if (rule.kind == RULE_PREFIX)
        place_item(maker, wish, rule.index, claim_on(maker, claim, rules->prefix[rule.index], true));
    if (rule.kind == RULE_ITEMS)
        place_item(maker, wish, rules->prefix_count + dice_below(&maker->dice, 3),
                   claim_on(maker, claim, rules->items, true));
    if (rule.kind == RULE_REST)
        place_item(maker, wish, ANY_INDEX, claim_on(maker, claim, claim->node->unevaluated_items, true));
    return only(wish, JSON_ARRAY) && wish->items_min <= wish->items_max;
}

static void place_member(struct maker *maker, struct wish *wish, weir_text name, struct claim claim) {
    list_push(maker->arena, &wish->members, ((struct placed){.name = name, .claim = claim}));
    list_push(maker->arena, &wish->needed, name);
}

static void place_stray(struct maker *maker, struct wish *wish, const struct claim *claim,
                        const struct node *node) {
    wish->strays = true;
    list_push(maker->arena, &wish->stray, claim_on(maker, claim, node, true));
}

/* A member whose name matches a pattern. */
static bool place_match(struct maker *maker, struct wish *wish, const struct claim *claim,
                        const struct pattern_rule *rule) {
    weir_text name = name_of_pattern(maker, wish, rule);
    if (!name.data)
        return false;
    place_member(maker, wish, name, claim_on(maker, claim, rule->node, true));
    return true;
}

static bool deny_dependent(struct maker *maker, struct wish *wish, const struct dependent_rule *rule) {
    list_push(maker->arena, &wish->needed, rule->property);
    list_push(maker->arena, &wish->banned, rule->names[dice_below(&maker->dice, rule->count)]);
    return true;
}

static bool deny_object(struct maker *maker, struct wish *wish, const struct claim *claim, struct rule rule) {
    const struct object_rules *rules = claim->node->object;
    const struct key *key =
        rule.kind == RULE_REQUIRED || rule.kind == RULE_MEMBER ? &rules->keys.items[rule.index] : NULL;
    bool ok = only(wish, JSON_OBJECT);
    if (rule.kind == RULE_MEMBERS_MIN && rules->min - 1 < wish->members_max)
        wish->members_max = rules->min - 1;
    if (rule.kind == RULE_MEMBERS_MAX && rules->max + 1 > wish->members_min)
        wish->members_min = rules->max + 1;
    if (rule.kind == RULE_REQUIRED)
        list_push(maker->arena, &wish->banned, key->name);
    if (rule.kind == RULE_MEMBER)
        place_member(maker, wish, key->name, claim_on(maker, claim, key->node, true));
    if (rule.kind == RULE_NAMES)
        list_push(maker->arena, &wish->odd_names, claim_on(maker, claim, rules->names, true));
    if (rule.kind == RULE_ADDITIONAL)
        place_stray(maker, wish, claim, rules->additional);
    if (rule.kind == RULE_STRAY)
        place_stray(maker, wish, claim, claim->node->unevaluated_properties);
    if (rule.kind == RULE_PATTERN_MEMBER)
        ok = ok && place_match(maker, wish, claim, &rules->patterns.items[rule.index]);
    if (rule.kind == RULE_DEPENDENT)
        ok = ok && deny_dependent(maker, wish, &rules->dependents.items[rule.index]);
    return ok && wish->members_min <= wish->members_max;
}

/* --- applied subschemas ---------------------------------------------------------------------------------------- */

static bool add(struct maker *maker, struct wish *wish, const struct claim *claim, const struct node *node,
                bool denied) {
    return wish_add(maker, wish, claim_on(maker, claim, node, denied));
}

/* All branches fail; at most one of them nearly, or their halves would contradict each other. */
static bool deny_any(struct maker *maker, struct wish *wish, const struct claim *claim,
                     const struct applied *applied) {
    size_t near = dice_below(&maker->dice, applied->count);
    for (size_t i = 0; i < applied->count; i++) {
        struct claim branch = claim_on(maker, claim, applied->nodes[i], true);
        branch.nearly = branch.nearly && i == near;
        if (!wish_add(maker, wish, branch))
            return false;
    }
    return true;
}

/* No branch holds, or two do. */
static bool deny_one(struct maker *maker, struct wish *wish, const struct claim *claim,
                     const struct applied *applied) {
    if (applied->count < 2 || !dice_once_in(&maker->dice, 3))
        return deny_any(maker, wish, claim, applied);
    size_t first = dice_below(&maker->dice, applied->count),
           second = (first + 1 + dice_below(&maker->dice, applied->count - 1)) % applied->count;
    return add(maker, wish, claim, applied->nodes[first], false) &&
           add(maker, wish, claim, applied->nodes[second], false);
}

static bool deny_if(struct maker *maker, struct wish *wish, const struct claim *claim,
                    const struct applied *applied) {
    bool then = applied->nodes[1] && (!applied->nodes[2] || dice_once_in(&maker->dice, 2));
    const struct node *next = applied->nodes[then ? 1 : 2];
    struct claim condition = claim_on(maker, claim, applied->nodes[0], !then);
    condition.nearly = false;
    return next && wish_add(maker, wish, condition) && add(maker, wish, claim, next, true);
}

static bool deny_applied(struct maker *maker, struct wish *wish, const struct claim *claim,
                         const struct applied *applied) {
    switch (applied->kind) {
    case APPLY_ALL: {
        size_t chosen = dice_below(&maker->dice, applied->count);
        for (size_t i = 0; claim->nearly && i < applied->count; i++)
            if (i != chosen && !add(maker, wish, claim, applied->nodes[i], false))
                return false;
        return add(maker, wish, claim, applied->nodes[chosen], true);
    }
    case APPLY_ANY:
        return deny_any(maker, wish, claim, applied);
    case APPLY_ONE:
        return deny_one(maker, wish, claim, applied);
    case APPLY_NOT:
        return add(maker, wish, claim, applied->nodes[0], false);
    case APPLY_IF:
        return deny_if(maker, wish, claim, applied);
    case APPLY_DEPENDENT:
        list_push(maker->arena, &wish->needed, applied->name);
        return only(wish, JSON_OBJECT) && add(maker, wish, claim, applied->nodes[0], true);
    case APPLY_DYNAMIC:
        return add(maker, wish, claim, claim_target(claim, applied), true);
    }
    return false;
}

static bool deny_values(struct maker *maker, struct wish *wish, const struct value_set *set) {
    list_push(maker->arena, &wish->values, ((struct values_wish){set, true}));
    return true;
}

static bool deny_rule(struct maker *maker, struct wish *wish, const struct claim *claim, struct rule rule) {
    const struct node *node = claim->node;
    switch (rule.kind) {
    case RULE_NONE:
        return false;
    case RULE_TYPE:
        return deny_type(maker, wish, node);
    case RULE_VALUES:
        return deny_values(maker, wish, node->values);
    case RULE_CONSTANT:
        return deny_values(maker, wish, node->constant);
    case RULE_BOUND:
        return deny_bound(maker, wish, node->number->bounds[rule.index]);
    case RULE_LENGTH_MIN ... RULE_FORMAT:
        return deny_string(maker, wish, node->string, rule.kind);
    case RULE_ITEMS_MIN ... RULE_REST:
        return deny_array(maker, wish, claim, rule);
    case RULE_MEMBERS_MIN ... RULE_STRAY:
        return deny_object(maker, wish, claim, rule);
    case RULE_APPLIED:
        return deny_applied(maker, wish, claim, &node->applied.items[rule.index]);
    }
    return false;
}

bool wish_deny(struct maker *maker, struct wish *wish, struct claim claim) {
    rules found = {0};
    wish->risky = true;
    list_scalars(maker, &found, claim.node);
    list_arrays(maker, &found, claim.node);
    list_objects(maker, &found, claim.node);
    for (size_t i = 0; i < claim.node->applied.count; i++)
        aim(maker, &found, RULE_APPLIED, i);
    bool typed = claim.node->types != ALL_TYPES || claim.node->integral;
    if (typed && (!found.count || dice_once_in(&maker->dice, found.count < 4 ? 3 : 8)))
        aim(maker, &found, RULE_TYPE, 0); /* the crudest mistake: seldom, where there are others to make */
    if (!found.count)
        return false;
    struct rule rule = found.items[dice_below(&maker->dice, found.count)];
    if (claim.nearly && !wish_hold(maker, wish, claim, rule))
        return false;
    return deny_rule(maker, wish, &claim, rule);
}
