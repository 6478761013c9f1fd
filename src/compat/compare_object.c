/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: who is required, then each name that either side knows, then the names nobody knows: those that match
 * a pattern of the writer, one class each, and the rest. A class is judged as a whole: what surely applies to all
 * of its names on the writer's side against all that may apply on the reader's. */
#include "compat/compare_parts.h"
#include "schema/words.h"

/* Does a name of the writer's propertyNames refuse it? */
static bool name_refused(struct comparison *cmp, const struct claims *claims, weir_text name) {
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        const struct object_rules *rules = claim->kind == CLAIM_IS ? claim->part->node->object : NULL;
        if (rules && rules->names && !part_valid(cmp, part_of(cmp, rules->names), compare_string(cmp, name)))
            return true;
    }
    return false;
}

bool member_possible(struct comparison *cmp, const struct claims *claims, weir_text name) {
    const struct shape *shape = claims_shape(claims);
    if (claims_have_name(claims, CLAIM_LACKS, name) || (shape && !shape_member(cmp, shape, name)))
        return false;
    return !name_refused(cmp, claims, name) && !claims_empty_inside(cmp, claims_member(cmp, claims, name));
}

/* --- what the reader says of a name --------------------------------------------------------------------- */

static bool prove_extra(const struct goal *goal, const struct claims *member, weir_text name) {
    struct comparison *cmp = goal->cmp;
    const struct part *extra = part_at(cmp, goal->part->node->object->additional);
    if (!extra)
        return true;
    if (extra->node->verdict != VERDICT_FALSE)
        return goal_inside(goal, member, extra, (struct step){.name = name});
    return goal_refuse_name(goal, "additionalProperties", name, lone_without(cmp, name),
                            "the writer may write '%s', which the reader does not know and refuses",
                            words_text(cmp->arena, name));
}

static bool prove_member(const struct goal *goal, weir_text name) {
    struct comparison *cmp = goal->cmp;
    const struct object_rules *rules = goal->part->node->object;
    size_t next = 0;
    const struct key *key = rules->keys.count ? keys_find(&rules->keys, name, &next) : NULL;
    bool ok = true, described = key && key->node;
    if (!described && !rules->patterns.count && !rules->additional && !rules->names)
        return true;
    if (!member_possible(cmp, goal->claims, name))
        return true;
    const struct claims *member = claims_member(cmp, goal->claims, name);
    if (described)
        PROVE(goal, goal_inside(goal, member, part_at(cmp, key->node), (struct step){.name = name}));
    for (size_t i = 0; i < rules->patterns.count; i++)
        if (regex_fits(cmp, rules->patterns.items[i].pattern, name)) {
            described = true;
            PROVE(goal, goal_inside(goal, member, part_at(cmp, rules->patterns.items[i].node),
                                    (struct step){.name = name}));
        }
    if (!described)
        PROVE(goal, prove_extra(goal, member, name));
    if (rules->names && !part_valid(cmp, part_of(cmp, rules->names), compare_string(cmp, name)))
        PROVE(goal,
              goal_refuse_name(goal, "propertyNames", name, lone_without(cmp, name),
                               "the writer may write '%s', a name that the reader's propertyNames refuse",
                               words_text(cmp->arena, name)));
    return ok;
}

/* --- names nobody knows --------------------------------------------------------------------------------- */

static bool others_possible(struct comparison *cmp, const struct claims *claims, weir_text pattern) {
    const struct shape *shape = claims_shape(claims);
    if (shape && !shape_others(cmp, shape, pattern))
        return false;
    return !claims_empty_inside(cmp, claims_others(cmp, claims, pattern)) &&
           !claims_empty_inside(cmp, claims_name(cmp, claims, pattern));
}

/* `pattern`: the class of names that match it; absent: those that match no pattern of the writer. */
static bool prove_class(const struct goal *goal, weir_text pattern) {
    struct comparison *cmp = goal->cmp;
    const struct object_rules *rules = goal->part->node->object;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    const struct claims *others = claims_others(cmp, goal->claims, pattern);
    const struct step step = {.name = pattern, .others = true};
    bool ok = true, described = false;
    for (size_t i = 0; i < rules->patterns.count; i++) {
        weir_text theirs = rules->patterns.items[i].text;
        bool ours = false;
        for (size_t j = 0; j < facts->name_patterns.count; j++)
            ours |= text_equal(facts->name_patterns.items[j], theirs);
        if (!pattern.data && ours)
            continue;
        described |= pattern.data && text_equal(pattern, theirs);
        PROVE(goal, goal_inside(goal, others, part_at(cmp, rules->patterns.items[i].node), step));
    }
    if (!described && rules->additional) {
        const struct part *extra = part_at(cmp, rules->additional);
        if (extra->node->verdict == VERDICT_FALSE)
            PROVE(goal,
                  goal_refuse(goal, "additionalProperties", lone_extra(cmp, goal->part),
                              "the writer may write properties that the reader does not know and refuses"));
        else
            PROVE(goal, goal_inside(goal, others, extra, step));
    }
    if (rules->names &&
        !goal_holds_inside(cmp, claims_name(cmp, goal->claims, pattern), part_at(cmp, rules->names)))
        PROVE(goal, goal_refuse(goal, "propertyNames", lone_names(cmp, goal->part),
                                "the writer may write properties whose names the reader refuses"));
    return ok;
}

/* Calls one for each class of names the writer may write. */
static bool each_class(const struct goal *goal, bool (*one)(const struct goal *goal, weir_text pattern)) {
    struct comparison *cmp = goal->cmp;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    bool ok = true;
    for (size_t i = 0; i <= facts->name_patterns.count; i++) {
        weir_text pattern = i < facts->name_patterns.count ? facts->name_patterns.items[i] : (weir_text){0};
        if (others_possible(cmp, goal->claims, pattern))
            PROVE(goal, one(goal, pattern));
    }
    return ok;
}

/* Each name that the writer or the reader knows. */
static bool each_name(const struct goal *goal, const struct object_rules *rules,
                      bool (*one)(const struct goal *goal, weir_text name)) {
    const struct facts *facts = claims_facts(goal->cmp, goal->claims);
    bool ok = true;
    for (size_t i = 0; rules && i < rules->keys.count; i++)
        PROVE(goal, one(goal, rules->keys.items[i].name));
    for (size_t i = 0; i < facts->names.count; i++) {
        size_t next = 0;
        if (!rules || !rules->keys.count || !keys_find(&rules->keys, facts->names.items[i], &next))
            PROVE(goal, one(goal, facts->names.items[i]));
    }
    return ok;
}

/* --- how many, and who ---------------------------------------------------------------------------------- */

/* The most members there can be; without end where names may be made up. */
static uint64_t members_most(struct comparison *cmp, const struct claims *claims) {
    const struct facts *facts = claims_facts(cmp, claims);
    uint64_t count = 0;
    for (size_t i = 0; i <= facts->name_patterns.count; i++)
        if (others_possible(cmp, claims,
                            i < facts->name_patterns.count ? facts->name_patterns.items[i] : (weir_text){0}))
            return facts->members_max;
    for (size_t i = 0; i < facts->names.count; i++)
        count += member_possible(cmp, claims, facts->names.items[i]);
    return count < facts->members_max ? count : facts->members_max;
}

static bool prove_count(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct object_rules *rules = goal->part->node->object;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    bool ok = true;
    if (facts->members_min < rules->min)
        PROVE(goal, goal_refuse(goal, "minProperties", lone_count(cmp, "minProperties", rules->min),
                                "the writer may write less than %llu propert%s",
                                (unsigned long long)rules->min, rules->min == 1 ? "y" : "ies"));
    if (rules->max != UINT64_MAX && members_most(cmp, goal->claims) > rules->max)
        PROVE(goal, goal_refuse(goal, "maxProperties", lone_count(cmp, "maxProperties", rules->max),
                                "the writer may write more than %llu propert%s",
                                (unsigned long long)rules->max, rules->max == 1 ? "y" : "ies"));
    return ok;
}

static bool prove_required(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct object_rules *rules = goal->part->node->object;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    bool ok = true;
    for (size_t i = 0; i < rules->keys.count; i++) {
        weir_text name = rules->keys.items[i].name;
        if (!rules->keys.items[i].required || facts_require(facts, name))
            continue;
        const struct shape *shape = claims_shape(goal->claims);
        bool never = shape && !shape_member(cmp, shape, name);
        PROVE(goal, goal_refuse_name(goal, "required", name, lone_required(cmp, name, (weir_text){0}),
                                     never ? "the writer does not know '%s', which the reader requires"
                                           : "the writer may leave out '%s', which the reader requires",
                                     words_text(cmp->arena, name)));
    }
    return ok;
}

static bool prove_dependents(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct object_rules *rules = goal->part->node->object;
    bool ok = true;
    for (size_t i = 0; i < rules->dependents.count; i++) {
        const struct dependent_rule *rule = &rules->dependents.items[i];
        if (!member_possible(cmp, goal->claims, rule->property))
            continue;
        const struct claims *with =
            claims_with(cmp, goal->claims, (struct claim){CLAIM_HAS, .name = rule->property});
        for (size_t j = 0; j < rule->count; j++)
            if (!facts_require(claims_facts(cmp, with), rule->names[j]))
                PROVE(goal,
                      goal_refuse_name(goal, "dependentRequired", rule->names[j],
                                       lone_required(cmp, rule->names[j], rule->property),
                                       "the writer may leave out '%s', which the reader requires beside '%s'",
                                       words_text(cmp->arena, rule->names[j]),
                                       words_text(cmp->arena, rule->property)));
    }
    return ok;
}

bool prove_object(const struct goal *goal) {
    const struct object_rules *rules = goal->part->node->object;
    bool ok = true;
    PROVE(goal, prove_count(goal));
    PROVE(goal, prove_required(goal));
    PROVE(goal, each_name(goal, rules, prove_member));
    if (rules->patterns.count || rules->additional || rules->names)
        PROVE(goal, each_class(goal, prove_class));
    PROVE(goal, prove_dependents(goal));
    return ok;
}

/* --- unevaluatedProperties ------------------------------------------------------------------------------ */

/* Has some other keyword surely looked at the member? `others`: at all names of the class. */
static bool surely_looked_at(struct comparison *cmp, const struct claims *claims, const struct part *part,
                             weir_text name, bool others) {
    const struct node *node = part->node;
    const struct object_rules *rules = node->object;
    size_t next = 0;
    const struct key *key =
        rules && !others && rules->keys.count ? keys_find(&rules->keys, name, &next) : NULL;
    if ((rules && rules->additional) || (key && key->node))
        return true;
    for (size_t i = 0; rules && i < rules->patterns.count; i++)
        if (others ? name.data && text_equal(rules->patterns.items[i].text, name)
                   : regex_fits(cmp, rules->patterns.items[i].pattern, name))
            return true;
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count; j++) {
            const struct part *below = part_at(cmp, node->applied.items[i].nodes[j]);
            if (below && branch_applies(cmp, claims, &node->applied.items[i], j) &&
                (below->node->unevaluated_properties || surely_looked_at(cmp, claims, below, name, others)))
                return true;
        }
    return false;
}

static bool prove_rest(const struct goal *goal, const struct claims *member, weir_text name, bool others) {
    struct comparison *cmp = goal->cmp;
    const struct part *rest = part_at(cmp, goal->part->node->unevaluated_properties);
    const struct claims *with =
        others ? goal->claims : claims_with(cmp, goal->claims, (struct claim){CLAIM_HAS, .name = name});
    if (surely_looked_at(cmp, with, goal->part, name, others) || goal_holds_inside(cmp, member, rest))
        return true;
    if (others)
        return goal_refuse(goal, "unevaluatedProperties", NULL,
                           "the writer may write properties that the reader does not know and refuses");
    return goal_refuse_name(goal, "unevaluatedProperties", name, lone_without(cmp, name),
                            "the writer may write '%s', which the reader does not know and refuses",
                            words_text(cmp->arena, name));
}

static bool rest_member(const struct goal *goal, weir_text name) {
    return !member_possible(goal->cmp, goal->claims, name) ||
           prove_rest(goal, claims_member(goal->cmp, goal->claims, name), name, false);
}

static bool rest_class(const struct goal *goal, weir_text pattern) {
    return prove_rest(goal, claims_others(goal->cmp, goal->claims, pattern), pattern, true);
}

bool prove_unevaluated_properties(const struct goal *goal) {
    bool ok = true;
    PROVE(goal, each_name(goal, goal->part->node->object, rest_member));
    PROVE(goal, each_class(goal, rest_class));
    return ok;
}

/* --- nothing fits --------------------------------------------------------------------------------------- */

bool object_empty(struct comparison *cmp, const struct claims *claims) {
    const struct facts *facts = claims_facts(cmp, claims);
    if (facts->members_min > facts->members_max)
        return true;
    for (size_t i = 0; i < facts->required.count; i++)
        if (!member_possible(cmp, claims, facts->required.items[i]))
            return true;
    return facts->members_min > facts->required.count && members_most(cmp, claims) < facts->members_min;
}
