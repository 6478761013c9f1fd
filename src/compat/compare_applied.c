/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader applies to the same value: each of allOf, one of anyOf, one of oneOf and surely none of the
 * others, nothing of not. And when nothing fits claims at all, kind by kind. */
#include "compat/compare_parts.h"

static bool excluded(struct comparison *cmp, const struct claims *claims, const struct part *part) {
    return claims_empty(cmp, claims_with(cmp, claims, (struct claim){CLAIM_IS, .part = part->rep}));
}

static bool one_holds(struct comparison *cmp, const struct claims *claims, const struct applied *applied) {
    for (size_t i = 0; i < applied->count; i++) {
        bool ok = goal_holds_whole(cmp, claims, part_at(cmp, applied->nodes[i]));
        for (size_t j = 0; ok && applied->kind == APPLY_ONE && j < applied->count; j++)
            ok = j == i || excluded(cmp, claims, part_at(cmp, applied->nodes[j]));
        if (ok)
            return true;
    }
    return false;
}

static bool prove_if(const struct goal *goal, const struct applied *applied) {
    struct comparison *cmp = goal->cmp;
    const struct part *condition = part_of(cmp, applied->nodes[0]);
    bool ok = true;
    for (size_t i = 1; i < 3; i++) {
        const struct part *then = part_at(cmp, applied->nodes[i]);
        if (!then)
            continue;
        const struct claims *given =
            claims_with(cmp, goal->claims, (struct claim){i == 1 ? CLAIM_IS : CLAIM_NOT, .part = condition});
        PROVE(goal, goal_same(goal, given, then));
    }
    return ok;
}

static bool prove_dependent(const struct goal *goal, const struct applied *applied, const struct part *then) {
    struct comparison *cmp = goal->cmp;
    const struct claims *object =
        claims_with(cmp, goal->claims, (struct claim){CLAIM_TYPES, .types = 1u << JSON_OBJECT});
    return goal_same(goal, claims_with(cmp, object, (struct claim){CLAIM_HAS, .name = applied->name}), then);
}

static bool refuse_branches(const struct goal *goal, const struct applied *applied, size_t index) {
    struct comparison *cmp = goal->cmp;
    const char *rule = lone_applied(cmp, goal->part, index);
    if (applied->kind == APPLY_ANY)
        return goal_refuse(goal, "anyOf", rule,
                           "the writer may write %s that fits none of the reader's anyOf",
                           kinds_words(cmp, claims_facts(cmp, goal->claims)->kinds));
    if (applied->kind == APPLY_ONE)
        return goal_refuse(goal, "oneOf", rule,
                           "the writer may write %s that fits none of the reader's oneOf, or several",
                           kinds_words(cmp, claims_facts(cmp, goal->claims)->kinds));
    return goal_refuse(goal, "not", rule, "the writer may write %s that the reader's not refuses",
                       kinds_words(cmp, claims_facts(cmp, goal->claims)->kinds));
}

static bool prove_one_applied(const struct goal *goal, const struct applied *applied, size_t index) {
    struct comparison *cmp = goal->cmp;
    const struct part *first = part_at(cmp, applied->nodes[0]);
    bool ok = true;
    switch (applied->kind) {
    case APPLY_ALL:
        for (size_t i = 0; i < applied->count; i++)
            PROVE(goal, goal_same(goal, goal->claims, part_at(cmp, applied->nodes[i])));
        return ok;
    case APPLY_ANY:
    case APPLY_ONE:
        return one_holds(cmp, goal->claims, applied) || refuse_branches(goal, applied, index);
    case APPLY_NOT:
        return claims_have(goal->claims, CLAIM_NOT, first->rep) || excluded(cmp, goal->claims, first) ||
               refuse_branches(goal, applied, index);
    case APPLY_IF:
        return prove_if(goal, applied);
    case APPLY_DEPENDENT:
        return !member_possible(cmp, goal->claims, applied->name) || prove_dependent(goal, applied, first);
    case APPLY_DYNAMIC:
        return goal_refuse(goal, "$dynamicRef", NULL, "where $dynamicRef leads is not compared");
    }
    return ok;
}

bool prove_applied(const struct goal *goal) {
    bool ok = true;
    for (size_t i = 0; i < goal->part->node->applied.count; i++)
        PROVE(goal, prove_one_applied(goal, &goal->part->node->applied.items[i], i));
    return ok;
}

bool branch_applies(struct comparison *cmp, const struct claims *claims, const struct applied *applied,
                    size_t index) {
    const struct part *branch = part_at(cmp, applied->nodes[index]);
    const struct part *first = part_at(cmp, applied->nodes[0]);
    switch (applied->kind) {
    case APPLY_ALL:
        return true;
    case APPLY_ANY:
    case APPLY_ONE:
        return goal_holds(cmp, claims, branch);
    case APPLY_IF:
        return index == 2 ? claims_have(claims, CLAIM_NOT, first->rep) || excluded(cmp, claims, first)
                          : goal_holds(cmp, claims, first);
    case APPLY_DEPENDENT:
        return claims_facts(cmp, claims)->kinds == 1u << JSON_OBJECT &&
               facts_require(claims_facts(cmp, claims), applied->name);
    case APPLY_NOT:
    case APPLY_DYNAMIC:
        return false;
    }
    return false;
}

/* --- nothing fits --------------------------------------------------------------------------------------- */

static bool number_empty(struct comparison *cmp, const struct facts *facts, bool integer) {
    if (edges_cross(facts->low, facts->high))
        return true;
    return integer &&
           edges_cross(edge_integral(cmp, facts->low, true), edge_integral(cmp, facts->high, false));
}

static bool array_empty(struct comparison *cmp, const struct claims *claims, const struct facts *facts) {
    if (facts->items_min > facts->items_max)
        return true;
    for (uint64_t i = 0; i < facts->items_min && i < 16; i++)
        if (claims_empty_inside(cmp, claims_item(cmp, claims, i)))
            return true;
    return false;
}

bool kind_empty(struct comparison *cmp, const struct claims *claims, unsigned kind) {
    const struct facts *facts = claims_facts(cmp, claims);
    if (!(facts->kinds >> kind & 1))
        return true;
    if (facts->finite)
        return false; /* the kinds are those of the values */
    switch (kind) {
    case JSON_NUMBER:
    case KIND_INTEGER:
        return number_empty(cmp, facts, kind == KIND_INTEGER);
    case JSON_STRING:
        return facts->length_min > facts->length_max;
    case JSON_ARRAY:
        return array_empty(cmp, claims, facts);
    case JSON_OBJECT:
        return object_empty(cmp, claims);
    default:
        return false;
    }
}
