/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays: sizes, the items that stand in front, the others, and how many match `contains`. */
#include "compat/compare_parts.h"

enum { ITEMS_LOOKED_AT = 1000 };

static size_t prefix_most(const struct goal *goal) {
    const struct array_rules *reader = goal->part->node->array;
    size_t most = reader ? reader->prefix_count : 0;
    for (size_t i = 0; i < goal->claims->count; i++) {
        const struct claim *claim = goal->claims->items[i];
        const struct array_rules *rules = claim->kind == CLAIM_IS ? claim->part->node->array : NULL;
        most = rules && rules->prefix_count > most ? rules->prefix_count : most;
    }
    return most;
}

static bool refuse_long(const struct goal *goal) {
    return goal_refuse(goal, "prefixItems", NULL, "a list with more than %d places is not looked at",
                       ITEMS_LOOKED_AT);
}

/* The longest an array can be: no item can stand where nothing fits. */
static uint64_t items_most(struct comparison *cmp, const struct claims *claims, size_t prefix) {
    uint64_t most = claims_facts(cmp, claims)->items_max;
    for (size_t i = 0; i <= prefix && i < most; i++)
        if (claims_empty_inside(cmp, claims_item(cmp, claims, i)))
            return i;
    return most;
}

static const struct part *reader_item(const struct goal *goal, size_t index) {
    const struct array_rules *rules = goal->part->node->array;
    return part_at(goal->cmp, index < rules->prefix_count ? rules->prefix[index] : rules->items);
}

static bool prove_items(const struct goal *goal, size_t prefix, uint64_t most) {
    struct comparison *cmp = goal->cmp;
    bool ok = true;
    for (size_t i = 0; i <= prefix && i < most; i++) {
        const struct part *item = reader_item(goal, i);
        if (!item)
            continue;
        PROVE(goal, goal_inside(goal, claims_item(cmp, goal->claims, i), item,
                                (struct step){.index = i, .rest = i == prefix}));
    }
    return ok;
}

/* --- contains ------------------------------------------------------------------------------------------- */

/* Does a `contains` of the writer promise as many? */
static bool promised(const struct goal *goal, const struct part *wanted, bool most) {
    struct comparison *cmp = goal->cmp;
    const struct array_rules *reader = goal->part->node->array;
    for (size_t i = 0; i < goal->claims->count; i++) {
        const struct claim *claim = goal->claims->items[i];
        const struct array_rules *rules = claim->kind == CLAIM_IS ? claim->part->node->array : NULL;
        if (!rules || !rules->contains ||
            (most ? rules->contains_max > reader->contains_max : rules->contains_min < reader->contains_min))
            continue;
        const struct part *ours = part_of(cmp, rules->contains);
        claim_list list = {0};
        claim_is(cmp, &list, most ? wanted->rep : ours);
        if (goal_holds_inside(cmp, claims_of(cmp, &list), most ? ours : wanted))
            return true;
    }
    return false;
}

/* How many of the first items surely match, and does one that may not? */
static uint64_t surely(const struct goal *goal, const struct part *wanted, size_t prefix, uint64_t least) {
    uint64_t count = 0;
    for (size_t i = 0; i < prefix && i < least; i++)
        count += goal_holds_inside(goal->cmp, claims_item(goal->cmp, goal->claims, i), wanted);
    if (least > prefix && goal_holds_inside(goal->cmp, claims_item(goal->cmp, goal->claims, prefix), wanted))
        count += least - prefix;
    return count;
}

static uint64_t perhaps(const struct goal *goal, const struct part *wanted, size_t prefix, uint64_t most) {
    struct comparison *cmp = goal->cmp;
    const struct claim is = {CLAIM_IS, .part = wanted->rep};
    uint64_t count = 0;
    for (size_t i = 0; i < prefix && i < most; i++)
        count += !claims_empty_inside(cmp, claims_with(cmp, claims_item(cmp, goal->claims, i), is));
    if (most > prefix &&
        !claims_empty_inside(cmp, claims_with(cmp, claims_item(cmp, goal->claims, prefix), is)))
        return most == UINT64_MAX ? most : count + (most - prefix);
    return count;
}

static bool prove_contains(const struct goal *goal, size_t prefix, uint64_t most) {
    struct comparison *cmp = goal->cmp;
    const struct array_rules *rules = goal->part->node->array;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    const struct part *wanted = part_at(cmp, rules->contains);
    bool ok = true;
    if (rules->contains_min && !promised(goal, wanted, false) &&
        surely(goal, wanted, prefix, facts->items_min) < rules->contains_min)
        PROVE(goal, goal_refuse(goal, rules->contains_min > 1 ? "minContains" : "contains",
                                lone_contains(cmp, goal->part, true),
                                "the writer may write a list without %s that the reader looks for",
                                rules->contains_min > 1 ? "as many items" : "the item"));
    if (rules->contains_max != UINT64_MAX && most > rules->contains_max && !promised(goal, wanted, true) &&
        perhaps(goal, wanted, prefix, most) > rules->contains_max)
        PROVE(goal, goal_refuse(goal, "maxContains", lone_contains(cmp, goal->part, false),
                                "the writer may write a list with more than %llu of the items that the "
                                "reader counts",
                                (unsigned long long)rules->contains_max));
    return ok;
}

bool prove_array(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    const struct array_rules *rules = goal->part->node->array;
    size_t prefix = prefix_most(goal);
    bool ok = true;
    if (prefix > ITEMS_LOOKED_AT)
        return refuse_long(goal);
    uint64_t most = items_most(cmp, goal->claims, prefix);
    if (facts->items_min < rules->min)
        PROVE(goal, goal_refuse(goal, "minItems", lone_count(cmp, "minItems", rules->min),
                                "the writer may write a list of less than %llu item%s",
                                (unsigned long long)rules->min, rules->min == 1 ? "" : "s"));
    if (most > rules->max)
        PROVE(goal, goal_refuse(goal, "maxItems", lone_count(cmp, "maxItems", rules->max),
                                "the writer may write a list of more than %llu item%s",
                                (unsigned long long)rules->max, rules->max == 1 ? "" : "s"));
    if (rules->prefix_count || rules->items)
        PROVE(goal, prove_items(goal, prefix, most));
    if (rules->contains)
        PROVE(goal, prove_contains(goal, prefix, most));
    if (rules->unique && !facts->unique && most > 1)
        PROVE(goal, goal_refuse(goal, "uniqueItems", "{\"uniqueItems\":true}",
                                "the writer may write equal items, which the reader refuses"));
    return ok;
}

/* --- unevaluatedItems ----------------------------------------------------------------------------------- */

/* Has some other keyword surely looked at the item? Branches count where the claims settle them. */
static bool surely_looked_at(struct comparison *cmp, const struct claims *claims, const struct part *part,
                             size_t index) {
    const struct node *node = part->node;
    const struct array_rules *rules = node->array;
    if (rules && (index < rules->prefix_count || rules->items))
        return true;
    if (rules && rules->contains &&
        goal_holds_inside(cmp, claims_item(cmp, claims, index), part_at(cmp, rules->contains)))
        return true;
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count; j++) {
            const struct part *below = part_at(cmp, node->applied.items[i].nodes[j]);
            if (below && branch_applies(cmp, claims, &node->applied.items[i], j) &&
                (below->node->unevaluated_items || surely_looked_at(cmp, claims, below, index)))
                return true;
        }
    return false;
}

/* The most items that stand in front, over all that may apply to the same value. */
static size_t prefix_deep(struct comparison *cmp, const struct part *part) {
    const struct node *node = part->node;
    size_t most = node->array ? node->array->prefix_count : 0;
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count && STEP_TAKEN(cmp); j++) {
            const struct part *below = part_of(cmp, node->applied.items[i].nodes[j]);
            size_t deeper = below ? prefix_deep(cmp, below) : 0;
            most = deeper > most ? deeper : most;
        }
    return most;
}

bool prove_unevaluated_items(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct part *rest = part_at(cmp, goal->part->node->unevaluated_items);
    size_t prefix = prefix_most(goal), deep = prefix_deep(cmp, goal->part);
    bool ok = true;
    prefix = deep > prefix ? deep : prefix;
    if (prefix > ITEMS_LOOKED_AT)
        return refuse_long(goal);
    uint64_t most = items_most(cmp, goal->claims, prefix);
    for (size_t i = 0; i <= prefix && i < most; i++) {
        const struct claims *item = claims_item(cmp, goal->claims, i);
        if (surely_looked_at(cmp, goal->claims, goal->part, i) || goal_holds_inside(cmp, item, rest))
            continue;
        PROVE(goal, goal_refuse(
                        goal, "unevaluatedItems", NULL,
                        "the writer may write more items than the reader's schema knows (unevaluatedItems)"));
        break;
    }
    return ok;
}
