/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: first the names, then member after member. Names that must be there come first, then as many of the
 * declared ones as the mood of the document wants, then ones nobody declared where something asks for them. */
#include "sample/make.h"

enum { NAME_TRIES = 24, EXTRAS = 3 };

struct plan {
    const struct wish *wish;
    LIST(weir_text) names;
    size_t needed; /* the first ones */
};

static bool has(const struct plan *plan, weir_text name) {
    for (size_t i = 0; i < plan->names.count; i++)
        if (text_equal(plan->names.items[i], name))
            return true;
    return false;
}

static bool is_banned(const struct wish *wish, weir_text name) {
    for (size_t i = 0; i < wish->banned.count; i++)
        if (text_equal(wish->banned.items[i], name))
            return true;
    return false;
}

/* --- what is said about a member ------------------------------------------------------------------------------ */

static void claim_member(struct maker *maker, const struct claim *held, claims *out, weir_text name) {
    const struct object_rules *rules = held->node->object;
    size_t next = 0, before = out->count;
    if (!rules)
        return;
    const struct key *key = keys_find(&rules->keys, name, &next);
    bool declared = key && key->node;
    if (declared)
        list_push(maker->arena, out, claim_on(maker, held, key->node, false));
    for (size_t i = 0; i < rules->patterns.count; i++) {
        const struct pattern_rule *rule = &rules->patterns.items[i];
        if (matches(maker, rule->pattern, name) == REGEX_YES)
            list_push(maker->arena, out, claim_on(maker, held, rule->node, false));
    }
    if (out->count == before && rules->additional)
        list_push(maker->arena, out, claim_on(maker, held, rules->additional, false));
}

/* All claims on the member; false when no schema looks at it. */
static bool claims_of(struct maker *maker, const struct wish *wish, claims *out, weir_text name) {
    for (size_t i = 0; i < wish->held.count; i++)
        claim_member(maker, &wish->held.items[i], out, name);
    if (!out->count)
        claim_rest(maker, &wish->held, out, false);
    return out->count > 0;
}

static void add_placed(struct maker *maker, const struct wish *wish, claims *out, weir_text name) {
    for (size_t i = 0; i < wish->members.count; i++)
        if (text_equal(wish->members.items[i].name, name))
            list_push(maker->arena, out, wish->members.items[i].claim);
}

/* --- names nobody declared -------------------------------------------------------------------------------------- */

static weir_text pattern_name(struct maker *maker, const struct pattern_rule *rule) {
    const struct recipe *recipe = recipe_of(maker, rule->text);
    weir_text name = {0};
    buffer text;
    buffer_init(&text, maker->sampler->options.bytes_max);
    for (int try = 0; recipe && !name.data && try < NAME_TRIES && maker->budget; try++) {
        buffer_clear(&text);
        recipe_make(maker, &text, recipe, dice_below(&maker->dice, 4));
        weir_text made = text.size ? buffer_view(&text) : weir_text_of("");
        if (matches(maker, rule->pattern, made) == REGEX_YES)
            name = arena_text(maker->arena, made);
    }
    buffer_release(&text);
    return name;
}

/* A name that fits propertyNames, or the claims that say how it does not. */
static weir_text name_of_claims(struct maker *maker, const claims *names) {
    static const char *const usual[] = {"note", "label", "extra", "source", "comment", "tag", "x", "color"};
    if (!names->count) {
        size_t which = dice_below(&maker->dice, sizeof usual / sizeof *usual);
        const char *name =
            dice_once_in(&maker->dice, 2)
                ? usual[which]
                : arena_printf(maker->arena, "%s_%zu", usual[which],
                               dice_below(&maker->dice, dice_once_in(&maker->dice, 2) ? 100 : 100000));
        return weir_text_of(name);
    }
    buffer text;
    buffer_init(&text, maker->sampler->options.bytes_max);
    struct wish wish;
    bool ok = wish_make(maker, &wish, names) && wish.types >> JSON_STRING & 1;
    weir_text name = {0};
    if (ok) {
        wish.types = 1 << JSON_STRING;
        const json *value = NULL;
        if (make_wish(maker, &text, &wish) &&
            json_pool_parse(&value, maker->sampler->pool, buffer_view(&text), NULL) == WEIR_OK)
            name = arena_text(maker->arena, json_text(value));
    }
    buffer_release(&text);
    return name;
}

/* One of those the schemas name themselves. */
static weir_text declared_name(struct maker *maker, const struct wish *wish) {
    size_t count = 0;
    for (size_t i = 0; i < wish->held.count; i++)
        count += wish->held.items[i].node->object ? wish->held.items[i].node->object->keys.count : 0;
    size_t chosen = count ? dice_below(&maker->dice, count) : 0;
    for (size_t i = 0; count && i < wish->held.count; i++) {
        const struct object_rules *rules = wish->held.items[i].node->object;
        if (rules && chosen < rules->keys.count)
            return rules->keys.items[chosen].name;
        chosen -= rules ? rules->keys.count : 0;
    }
    return (weir_text){0};
}

weir_text name_of_pattern(struct maker *maker, const struct wish *wish, const struct pattern_rule *rule) {
    weir_text name = wish->names.count && dice_once_in(&maker->dice, 2) ? name_of_claims(maker, &wish->names)
                                                                        : declared_name(maker, wish);
    if (name.data && dice_once_in(&maker->dice, 2) && matches(maker, rule->pattern, name) == REGEX_YES)
        return name;
    return pattern_name(maker, rule);
}

static weir_text some_name(struct maker *maker, const struct wish *wish) {
    size_t patterns = 0;
    for (size_t i = 0; i < wish->held.count; i++)
        patterns += wish->held.items[i].node->object ? wish->held.items[i].node->object->patterns.count : 0;
    if (!patterns || dice_once_in(&maker->dice, 3))
        return name_of_claims(maker, &wish->names);
    size_t chosen = dice_below(&maker->dice, patterns);
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct object_rules *rules = wish->held.items[i].node->object;
        if (rules && chosen < rules->patterns.count)
            return pattern_name(maker, &rules->patterns.items[chosen]);
        chosen -= rules ? rules->patterns.count : 0;
    }
    return (weir_text){0};
}

/* May it stand there, as far as one can see without a value? */
static bool is_possible(const claims *on_it) {
    for (size_t i = 0; i < on_it->count; i++)
        if (!on_it->items[i].denied && on_it->items[i].node->verdict == VERDICT_FALSE)
            return false;
    return true;
}

static weir_text extra_name(struct maker *maker, const struct plan *plan) {
    for (int try = 0; try < NAME_TRIES && maker->budget; try++) {
        weir_text name = some_name(maker, plan->wish);
        claims on_it = {0};
        if (!name.data || has(plan, name) || is_banned(plan->wish, name))
            continue;
        claims_of(maker, plan->wish, &on_it, name);
        if (is_possible(&on_it))
            return name;
    }
    return (weir_text){0};
}

/* --- the names ------------------------------------------------------------------------------------------------ */

static bool add_needed(struct maker *maker, struct plan *plan, weir_text name) {
    if (is_banned(plan->wish, name))
        return false;
    if (!has(plan, name))
        list_push(maker->arena, &plan->names, name);
    return true;
}

static bool choose_needed(struct maker *maker, struct plan *plan) {
    for (size_t i = 0; i < plan->wish->needed.count; i++)
        if (!add_needed(maker, plan, plan->wish->needed.items[i]))
            return false;
    return true;
}

/* dependentRequired: who comes in brings others. */
static bool bring_dependents(struct maker *maker, struct plan *plan) {
    const struct wish *wish = plan->wish;
    for (size_t before = SIZE_MAX; before != plan->names.count;) {
        before = plan->names.count;
        for (size_t i = 0; i < wish->held.count; i++) {
            const struct object_rules *rules = wish->held.items[i].node->object;
            for (size_t j = 0; rules && j < rules->dependents.count; j++) {
                const struct dependent_rule *rule = &rules->dependents.items[j];
                for (size_t k = 0; has(plan, rule->property) && k < rule->count; k++)
                    if (!add_needed(maker, plan, rule->names[k]) && !wish->risky)
                        return false;
            }
        }
    }
    return true;
}

/* A member that is declared and need not be there. */
static bool wants(struct maker *maker, const struct plan *plan) {
    if (plan->names.count < plan->wish->members_min)
        return true;
    return !small(maker) && (int)dice_below(&maker->dice, 4) <= maker->mood;
}

static void choose_declared(struct maker *maker, struct plan *plan) {
    const struct wish *wish = plan->wish;
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct object_rules *rules = wish->held.items[i].node->object;
        for (size_t j = 0; rules && j < rules->keys.count; j++) {
            const struct key *key = &rules->keys.items[j];
            if (plan->names.count >= wish->members_max)
                return;
            if (key->node && key->node->verdict != VERDICT_FALSE && !has(plan, key->name) &&
                !is_banned(wish, key->name) && wants(maker, plan))
                list_push(maker->arena, &plan->names, key->name);
        }
    }
}

/* Is there a schema for members that nobody declared? Then it is a map, and a few are in it. */
static bool is_map(const struct wish *wish) {
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct node *node = wish->held.items[i].node;
        const struct node *rest[] = {node->unevaluated_properties,
                                     node->object ? node->object->additional : NULL};
        for (size_t j = 0; j < 2; j++)
            if (rest[j] && rest[j]->verdict == VERDICT_RULES)
                return true;
        if (node->object && node->object->patterns.count)
            return true;
    }
    return false;
}

static bool choose_extras(struct maker *maker, struct plan *plan) {
    const struct wish *wish = plan->wish;
    size_t least = plan->names.count < wish->members_min ? (size_t)wish->members_min : plan->names.count;
    if (!small(maker) && (is_map(wish) || (maker->open && dice_once_in(&maker->dice, 2))))
        least += dice_below(&maker->dice, EXTRAS);
    while (plan->names.count < least && plan->names.count < wish->members_max) {
        weir_text name = extra_name(maker, plan);
        if (!name.data)
            break;
        list_push(maker->arena, &plan->names, name);
    }
    return plan->names.count >= wish->members_min;
}

/* A name that fits all there is about names and misses what it must miss. */
static weir_text odd_name(struct maker *maker, const struct wish *wish) {
    claims both = {0};
    weir_text name = declared_name(maker, wish);
    if (name.data && dice_once_in(&maker->dice, 2))
        return name;
    for (size_t i = 0; i < wish->names.count; i++)
        list_push(maker->arena, &both, wish->names.items[i]);
    for (size_t i = 0; i < wish->odd_names.count; i++)
        list_push(maker->arena, &both, wish->odd_names.items[i]);
    return name_of_claims(maker, &both);
}

/* The stray's schema looks at it, and nothing says that it cannot be there. */
static bool can_stray(struct maker *maker, const struct plan *plan, weir_text name) {
    const struct wish *wish = plan->wish;
    claims on_it = {0};
    if (!name.data || is_banned(wish, name))
        return false;
    claims_of(maker, wish, &on_it, name);
    for (size_t i = 0; i < wish->stray.count; i++)
        list_push(maker->arena, &on_it, wish->stray.items[i]);
    claims_settle(&on_it);
    return is_possible(&on_it);
}

/* Members that are there to be wrong: a name that does not fit, or one that nobody declared. */
static bool choose_wrong(struct maker *maker, struct plan *plan, weir_text *stray) {
    const struct wish *wish = plan->wish;
    if (wish->odd_names.count) {
        weir_text name = odd_name(maker, wish);
        if (!name.data || !add_needed(maker, plan, name))
            return false;
    }
    if (!wish->strays)
        return true;
    for (int try = 0; try < NAME_TRIES && maker->budget; try++) {
        *stray = dice_once_in(&maker->dice, 2) ? declared_name(maker, wish) : some_name(maker, wish);
        if (can_stray(maker, plan, *stray))
            return add_needed(maker, plan, *stray);
    }
    return false;
}

/* In the order the schema has them, so that documents read as their author thinks of them. */
static void put_in_order(struct maker *maker, struct plan *plan) {
    const struct wish *wish = plan->wish;
    struct plan sorted = {.wish = wish};
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct object_rules *rules = wish->held.items[i].node->object;
        for (size_t j = 0; rules && j < rules->keys.count; j++)
            if (has(plan, rules->keys.items[j].name) && !has(&sorted, rules->keys.items[j].name))
                list_push(maker->arena, &sorted.names, rules->keys.items[j].name);
    }
    for (size_t i = 0; i < plan->names.count; i++)
        if (!has(&sorted, plan->names.items[i]))
            list_push(maker->arena, &sorted.names, plan->names.items[i]);
    plan->names.items = sorted.names.items;
}

/* --- the object ---------------------------------------------------------------------------------------------- */

static bool make_member(struct maker *maker, buffer *out, const struct wish *wish, weir_text name,
                        weir_text stray) {
    claims on_it = {0};
    weir_text hint = maker->hint;
    claims_of(maker, wish, &on_it, name);
    add_placed(maker, wish, &on_it, name);
    for (size_t i = 0; text_equal(name, stray) && i < wish->stray.count; i++)
        list_push(maker->arena, &on_it, wish->stray.items[i]);
    claims_settle(&on_it);
    if (out->data[out->size - 1] != '{')
        buffer_char(out, ',');
    json_write_string(out, name);
    buffer_char(out, ':');
    const json *example = maker->example;
    maker->hint = name;
    maker->example = json_get_text(example, name);
    bool ok = make_value(maker, out, &on_it);
    maker->hint = hint;
    maker->example = example;
    return ok;
}

static bool is_needed(const struct plan *needed, weir_text name) {
    return has(needed, name);
}

bool make_object(struct maker *maker, buffer *out, const struct wish *wish) {
    struct plan plan = {.wish = wish};
    weir_text stray = {0};
    if (!choose_needed(maker, &plan) || !choose_wrong(maker, &plan, &stray) ||
        !bring_dependents(maker, &plan) || plan.names.count > wish->members_max)
        return false;
    struct plan needed = {.wish = wish};
    for (size_t i = 0; i < plan.names.count; i++)
        list_push(maker->arena, &needed.names, plan.names.items[i]);
    choose_declared(maker, &plan);
    if (!bring_dependents(maker, &plan) || !choose_extras(maker, &plan) ||
        plan.names.count > wish->members_max)
        return false;
    put_in_order(maker, &plan);
    size_t begin = out->size, made = 0;
    bool ok = true;
    buffer_char(out, '{');
    for (size_t i = 0; ok && i < plan.names.count && !out->overflow; i++) {
        size_t from = out->size;
        if (make_member(maker, out, wish, plan.names.items[i], stray)) {
            made++;
        } else {
            buffer_cut(out, from);
            ok = !is_needed(&needed, plan.names.items[i]);
        }
    }
    buffer_char(out, '}');
    if (ok && made >= wish->members_min && !out->overflow)
        return true;
    buffer_cut(out, begin);
    return false;
}
