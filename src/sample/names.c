/* SPDX-License-Identifier: Apache-2.0 */
/* Which members an object gets. Those that must be there come first, then as many of the declared ones as the mood of
 * the document wants, then ones nobody declared where something asks for them. */
#include "sample/names.h"

enum { NAME_TRIES = 24, EXTRAS = 3 };

bool names_chosen(const struct names *names, weir_text name) {
    for (size_t i = 0; i < names->all.count; i++)
        if (text_equal(names->all.items[i], name))
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

void claims_on_member(struct maker *maker, const struct wish *wish, claims *out, weir_text name) {
    for (size_t i = 0; i < wish->held.count; i++)
        claim_member(maker, &wish->held.items[i], out, name);
    if (!out->count)
        claim_rest(maker, &wish->held, out, false);
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

static weir_text extra_name(struct maker *maker, const struct names *names) {
    for (int try = 0; try < NAME_TRIES && maker->budget; try++) {
        weir_text name = some_name(maker, names->wish);
        claims on_it = {0};
        if (!name.data || names_chosen(names, name) || is_banned(names->wish, name))
            continue;
        claims_on_member(maker, names->wish, &on_it, name);
        if (is_possible(&on_it))
            return name;
    }
    return (weir_text){0};
}

/* --- the names ------------------------------------------------------------------------------------------------ */

static bool add_needed(struct maker *maker, struct names *names, weir_text name) {
    if (is_banned(names->wish, name))
        return false;
    if (!names_chosen(names, name))
        list_push(maker->arena, &names->all, name);
    return true;
}

static bool choose_needed(struct maker *maker, struct names *names) {
    for (size_t i = 0; i < names->wish->needed.count; i++)
        if (!add_needed(maker, names, names->wish->needed.items[i]))
            return false;
    return true;
}

/* dependentRequired: who comes in brings others. */
static bool bring_dependents(struct maker *maker, struct names *names) {
    const struct wish *wish = names->wish;
    for (size_t before = SIZE_MAX; before != names->all.count;) {
        before = names->all.count;
        for (size_t i = 0; i < wish->held.count; i++) {
            const struct object_rules *rules = wish->held.items[i].node->object;
            for (size_t j = 0; rules && j < rules->dependents.count; j++) {
                const struct dependent_rule *rule = &rules->dependents.items[j];
                for (size_t k = 0; names_chosen(names, rule->property) && k < rule->count; k++)
                    if (!add_needed(maker, names, rule->names[k]) && !wish->risky)
                        return false;
            }
        }
    }
    return true;
}

/* A member that is declared and need not be there. */
static bool wants(struct maker *maker, const struct names *names) {
    if (names->all.count < names->wish->members_min)
        return true;
    return !small(maker) && (int)dice_below(&maker->dice, 4) <= maker->mood;
}

static void choose_declared(struct maker *maker, struct names *names) {
    const struct wish *wish = names->wish;
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct object_rules *rules = wish->held.items[i].node->object;
        for (size_t j = 0; rules && j < rules->keys.count; j++) {
            const struct key *key = &rules->keys.items[j];
            if (names->all.count >= wish->members_max)
                return;
            if (key->node && key->node->verdict != VERDICT_FALSE && !names_chosen(names, key->name) &&
                !is_banned(wish, key->name) && wants(maker, names))
                list_push(maker->arena, &names->all, key->name);
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

static bool choose_extras(struct maker *maker, struct names *names) {
    const struct wish *wish = names->wish;
    size_t least = names->all.count < wish->members_min ? (size_t)wish->members_min : names->all.count;
    if (!small(maker) && (is_map(wish) || (maker->open && dice_once_in(&maker->dice, 2))))
        least += dice_below(&maker->dice, EXTRAS);
    while (names->all.count < least && names->all.count < wish->members_max) {
        weir_text name = extra_name(maker, names);
        if (!name.data)
            break;
        list_push(maker->arena, &names->all, name);
    }
    return names->all.count >= wish->members_min;
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
static bool can_stray(struct maker *maker, const struct names *names, weir_text name) {
    const struct wish *wish = names->wish;
    claims on_it = {0};
    if (!name.data || is_banned(wish, name))
        return false;
    claims_on_member(maker, wish, &on_it, name);
    for (size_t i = 0; i < wish->stray.count; i++)
        list_push(maker->arena, &on_it, wish->stray.items[i]);
    claims_settle(&on_it);
    return is_possible(&on_it);
}

/* Members that are there to be wrong: a name that does not fit, or one that nobody declared. */
static bool choose_wrong(struct maker *maker, struct names *names) {
    const struct wish *wish = names->wish;
    if (wish->odd_names.count) {
        weir_text name = odd_name(maker, wish);
        if (!name.data || !add_needed(maker, names, name))
            return false;
    }
    if (!wish->strays)
        return true;
    for (int try = 0; try < NAME_TRIES && maker->budget; try++) {
        names->stray = dice_once_in(&maker->dice, 2) ? declared_name(maker, wish) : some_name(maker, wish);
        if (can_stray(maker, names, names->stray))
            return add_needed(maker, names, names->stray);
    }
    return false;
}

/* In the order the schema has them, so that documents read as their author thinks of them. */
static void put_in_order(struct maker *maker, struct names *names) {
    const struct wish *wish = names->wish;
    struct names sorted = {.wish = wish};
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct object_rules *rules = wish->held.items[i].node->object;
        for (size_t j = 0; rules && j < rules->keys.count; j++)
            if (names_chosen(names, rules->keys.items[j].name) &&
                !names_chosen(&sorted, rules->keys.items[j].name))
                list_push(maker->arena, &sorted.all, rules->keys.items[j].name);
    }
    for (size_t i = 0; i < names->all.count; i++)
        if (!names_chosen(&sorted, names->all.items[i]))
            list_push(maker->arena, &sorted.all, names->all.items[i]);
    names->all.items = sorted.all.items;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

bool names_choose(struct maker *maker, struct names *names, const struct wish *wish) {
    *names = (struct names){.wish = wish};
    if (!choose_needed(maker, names) || !choose_wrong(maker, names) || !bring_dependents(maker, names) ||
        names->all.count > wish->members_max)
        return false;
    for (size_t i = 0; i < names->all.count; i++)
        list_push(maker->arena, &names->needed, names->all.items[i]);
    choose_declared(maker, names);
    if (!bring_dependents(maker, names) || !choose_extras(maker, names) ||
        names->all.count > wish->members_max)
        return false;
    put_in_order(maker, names);
    return true;
}

bool names_need(const struct names *names, weir_text name) {
    for (size_t i = 0; i < names->needed.count; i++)
        if (text_equal(names->needed.items[i], name))
            return true;
    return false;
}
