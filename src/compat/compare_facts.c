/* SPDX-License-Identifier: Apache-2.0 */
/* What claims say together, keyword by keyword: the narrowest range, the shortest and longest text, who is
 * required. Each fact is true of every value that fits the claims; together they may still let more through than
 * the claims do. Where a value can only be one of a few (enum, const, true and false), they are tried one by one
 * and the facts are exact. */
#include "compat/compare_language.h"
#include "compat/compare_parts.h"

enum { VALUES_MAX = 20000, FEW_INTEGERS = 64 };

/* --- kinds ---------------------------------------------------------------------------------------------- */

unsigned kinds_of_node(const struct node *node) {
    unsigned number = 1u << JSON_NUMBER, integer = 1u << KIND_INTEGER, kinds = node->types;
    if (kinds & number)
        kinds = node->integral ? (kinds & ~number) | integer : kinds | integer;
    return kinds;
}

unsigned kind_of_value(const json *value) {
    if (json_is(value, JSON_NUMBER) && json_number_integral(json_number(value)))
        return 1u << KIND_INTEGER;
    return 1u << json_type_of(value);
}

const char *kinds_words(struct comparison *cmp, unsigned kinds) {
    static const char *const words[KINDS] = {"null",     "true or false", "a number",  "a string",
                                             "an array", "an object",     "an integer"};
    unsigned integer = 1u << KIND_INTEGER;
    buffer text;
    buffer_init(&text, 1024);
    if ((kinds & integer) && (kinds & 1u << JSON_NUMBER))
        kinds &= ~integer;
    else if (kinds & 1u << JSON_NUMBER)
        kinds &= ~(1u << JSON_NUMBER),
            buffer_string(&text, kinds ? "a number with a fraction, " : "a number with a fraction");
    for (unsigned kind = 0; kind < KINDS; kind++)
        if (kinds >> kind & 1) {
            buffer_string(&text, words[kind]);
            kinds &= ~(1u << kind);
            if (kinds)
                buffer_string(&text, kinds & (kinds - 1) ? ", " : " or ");
        }
    const char *result = arena_cstr(cmp->arena, text.size ? buffer_view(&text) : weir_text_of("nothing"));
    buffer_release(&text);
    return result;
}

/* --- numbers -------------------------------------------------------------------------------------------- */

/* Takes the edge when it is nearer. */
static void narrow(struct edge *edge, weir_text text, bool exclusive, bool low) {
    int order = edge->text.data ? json_number_compare(text, edge->text) : 0;
    if (!edge->text.data || (low ? order > 0 : order < 0))
        *edge = (struct edge){text, exclusive};
    else if (order == 0)
        edge->exclusive |= exclusive;
}

static void read_bounds(struct comparison *cmp, struct facts *facts, const struct number_rules *rules) {
    for (size_t i = 0; i < rules->count; i++) {
        const struct bound *bound = &rules->bounds[i];
        switch (bound->kind) {
        case BOUND_MINIMUM:
        case BOUND_ABOVE:
            narrow(&facts->low, bound->text, bound->kind == BOUND_ABOVE, true);
            break;
        case BOUND_MAXIMUM:
        case BOUND_BELOW:
            narrow(&facts->high, bound->text, bound->kind == BOUND_BELOW, false);
            break;
        case BOUND_MULTIPLE:
            list_push(cmp->arena, &facts->multiples, bound->text);
            if (json_number_integral(bound->text))
                facts->kinds &= ~(1u << JSON_NUMBER);
            break;
        case BOUND_COUNT:
            break;
        }
    }
}

/* Only where it fits; a large or fractional edge stays. */
struct edge edge_integral(struct comparison *cmp, struct edge edge, bool low) {
    int64_t value = 0;
    weir_text text = edge.text;
    if (!text.data || memchr(text.data, 'e', text.size) || memchr(text.data, 'E', text.size))
        return edge;
    const char *point = memchr(text.data, '.', text.size);
    weir_text whole = {text.data, point ? (size_t)(point - text.data) : text.size};
    bool integral = json_number_integral(text), negative = whole.data[0] == '-';
    if (whole.size > 17)
        return edge;
    for (size_t i = negative; i < whole.size; i++)
        value = value * 10 + (whole.data[i] - '0');
    value = negative ? -value : value;
    if (integral)
        value += edge.exclusive ? (low ? 1 : -1) : 0;
    else if (low && !negative)
        value++;
    else if (!low && negative)
        value--;
    return (struct edge){weir_text_of(arena_printf(cmp->arena, "%lld", (long long)value)), false};
}

bool edges_cross(struct edge low, struct edge high) {
    if (!low.text.data || !high.text.data)
        return false;
    int order = json_number_compare(low.text, high.text);
    return order > 0 || (order == 0 && (low.exclusive || high.exclusive));
}

/* --- the parts' rules ----------------------------------------------------------------------------------- */

/* Marks of a name: in facts->names, in facts->required. */
enum { NAMED = 1, REQUIRED = 2 };

static unsigned marks_of(const struct facts *facts, weir_text name) {
    return facts->marks ? (unsigned)(uintptr_t)map_get(facts->marks, name) : 0;
}

static void add_name(struct comparison *cmp, struct facts *facts, weir_text name, bool required) {
    if (!facts->marks) {
        facts->marks = map_new();
        list_push(cmp->arena, &cmp->maps, facts->marks);
    }
    unsigned known = marks_of(facts, name), marks = known | NAMED | (required ? REQUIRED : 0u);
    if (marks == known)
        return;
    if (!(known & NAMED))
        list_push(cmp->arena, &facts->names, name);
    if (marks & ~known & REQUIRED)
        list_push(cmp->arena, &facts->required, name);
    map_put(facts->marks, name, (void *)(uintptr_t)marks);
}

/* Every name and pattern that the rules speak of. */
static void read_names(struct comparison *cmp, struct facts *facts, const struct object_rules *rules) {
    for (size_t i = 0; i < rules->keys.count; i++)
        add_name(cmp, facts, rules->keys.items[i].name, false);
    for (size_t i = 0; i < rules->dependents.count; i++) {
        add_name(cmp, facts, rules->dependents.items[i].property, false);
        for (size_t j = 0; j < rules->dependents.items[i].count; j++)
            add_name(cmp, facts, rules->dependents.items[i].names[j], false);
    }
    for (size_t i = 0; i < rules->patterns.count; i++) {
        bool known = false;
        for (size_t j = 0; j < facts->name_patterns.count && !known; j++)
            known = text_equal(facts->name_patterns.items[j], rules->patterns.items[i].text);
        if (!known)
            list_push(cmp->arena, &facts->name_patterns, rules->patterns.items[i].text);
    }
}

static void read_object(struct comparison *cmp, struct facts *facts, const struct object_rules *rules) {
    facts->members_min = rules->min > facts->members_min ? rules->min : facts->members_min;
    facts->members_max = rules->max < facts->members_max ? rules->max : facts->members_max;
    read_names(cmp, facts, rules);
    for (size_t i = 0; i < rules->keys.count; i++)
        if (rules->keys.items[i].required)
            add_name(cmp, facts, rules->keys.items[i].name, true);
}

/* A writer's branch that is not settled may write what it names: names and patterns, never rules. */
static void read_shape(struct comparison *cmp, struct facts *facts, const struct shape *shape) {
    for (size_t i = 0; i < shape->count; i++)
        if (shape->parts[i]->node->object)
            read_names(cmp, facts, shape->parts[i]->node->object);
}

/* unevaluatedProperties lets through what any branch names: those names are no others. */
static void read_branches(struct comparison *cmp, struct facts *facts, const struct node *node) {
    for (size_t i = 0; i < node->applied.count; i++)
        for (size_t j = 0; j < node->applied.items[i].count && STEP_TAKEN(cmp); j++) {
            const struct node *branch = node->applied.items[i].nodes[j];
            if (branch && branch->object)
                read_names(cmp, facts, branch->object);
            if (branch)
                read_branches(cmp, facts, branch);
        }
}

static void read_array(struct facts *facts, const struct array_rules *rules) {
    uint64_t contains = rules->contains ? rules->contains_min : 0;
    facts->items_min = rules->min > facts->items_min ? rules->min : facts->items_min;
    facts->items_min = contains > facts->items_min ? contains : facts->items_min;
    facts->items_max = rules->max < facts->items_max ? rules->max : facts->items_max;
    if (rules->items && rules->items->verdict == VERDICT_FALSE && rules->prefix_count < facts->items_max)
        facts->items_max = rules->prefix_count;
    facts->unique |= rules->unique;
}

static void narrow_length(struct facts *facts, uint64_t min, uint64_t max) {
    facts->length_min = min > facts->length_min ? min : facts->length_min;
    facts->length_max = max < facts->length_max ? max : facts->length_max;
}

static void read_pattern(struct comparison *cmp, struct facts *facts, weir_text pattern) {
    const struct language *language = language_of(cmp, pattern);
    uint64_t shortest = 0, longest = UINT64_MAX;
    list_push(cmp->arena, &facts->patterns, pattern);
    if (language)
        language_lengths(language, &shortest, &longest);
    narrow_length(facts, shortest, longest);
}

static void read_string(struct comparison *cmp, struct facts *facts, const struct string_rules *rules) {
    narrow_length(facts, rules->min, rules->max);
    if (rules->pattern)
        read_pattern(cmp, facts, rules->pattern_text);
    if (rules->format)
        list_push(cmp->arena, &facts->formats, rules->format);
}

static void read_part(struct comparison *cmp, struct facts *facts, const struct node *node) {
    facts->kinds &= kinds_of_node(node);
    if (node->number)
        read_bounds(cmp, facts, node->number);
    if (node->string)
        read_string(cmp, facts, node->string);
    if (node->array)
        read_array(facts, node->array);
    if (node->object)
        read_object(cmp, facts, node->object);
    if (node->unevaluated_properties)
        read_branches(cmp, facts, node);
}

/* Who has `property` has others too: until nothing is new. */
static void require_dependents(struct comparison *cmp, struct facts *facts, const struct claims *claims) {
    for (size_t before = SIZE_MAX; before != facts->required.count;) {
        before = facts->required.count;
        for (size_t i = 0; i < claims->count; i++) {
            const struct claim *claim = claims->items[i];
            const struct object_rules *rules = claim->kind == CLAIM_IS ? claim->part->node->object : NULL;
            for (size_t j = 0; rules && j < rules->dependents.count; j++)
                for (size_t k = 0; facts_require(facts, rules->dependents.items[j].property) &&
                                   k < rules->dependents.items[j].count;
                     k++)
                    add_name(cmp, facts, rules->dependents.items[j].names[k], true);
        }
    }
}

/* --- few values ----------------------------------------------------------------------------------------- */

static bool fits(struct comparison *cmp, const struct claims *claims, const struct facts *facts,
                 const json *value) {
    if (!(facts->kinds & kind_of_value(value)))
        return false;
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        if (claim->kind == CLAIM_IS || claim->kind == CLAIM_NOT) {
            if (part_valid(cmp, claim->part, value) != (claim->kind == CLAIM_IS))
                return false;
        } else if (claim->kind == CLAIM_VALUE) {
            if (json_type_of(claim->value) != json_type_of(value) || !json_equal(claim->value, value))
                return false;
        } else if (claim->kind == CLAIM_HAS || claim->kind == CLAIM_LACKS) {
            if (json_is(value, JSON_OBJECT) &&
                (json_get_text(value, claim->name) != NULL) != (claim->kind == CLAIM_HAS))
                return false;
        }
    }
    return true;
}

static void read_values(struct comparison *cmp, struct facts *facts, const struct claims *claims,
                        const json *list) {
    if (!list || json_size(list) > VALUES_MAX)
        return;
    facts->finite = true;
    facts->values.count = 0;
    for (struct json_iter it = json_iter(list); json_next(&it) && cmp->steps > 0;)
        if (fits(cmp, claims, facts, it.value))
            list_push(cmp->arena, &facts->values, it.value);
    facts->finite = cmp->steps > 0;
}

/* All integers of a short range; NULL of others. */
static const json *few_integers(struct comparison *cmp, const struct facts *facts) {
    struct edge low = edge_integral(cmp, facts->low, true), high = edge_integral(cmp, facts->high, false);
    int64_t from = 0, to = 0;
    if (!low.text.data || !high.text.data || low.text.size > 17 || high.text.size > 17 ||
        !json_int(compare_json(cmp, arena_cstr(cmp->arena, low.text)), &from) ||
        !json_int(compare_json(cmp, arena_cstr(cmp->arena, high.text)), &to) || from > to ||
        to - from >= FEW_INTEGERS)
        return NULL;
    buffer list;
    buffer_init(&list, RULE_BYTES);
    for (int64_t value = from; value <= to; value++)
        buffer_printf(&list, "%s%lld", value == from ? "[" : ",", (long long)value);
    buffer_char(&list, ']');
    const json *values = compare_json(cmp, list.data);
    buffer_release(&list);
    return values;
}

/* The shortest list of all values there can be, if a part has one. */
static void look_for_values(struct comparison *cmp, struct facts *facts, const struct claims *claims) {
    const json *list = NULL, *one = NULL;
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        if (claim->kind == CLAIM_VALUE)
            one = claim->value;
        if (claim->kind != CLAIM_IS)
            continue;
        if (claim->part->node->constant)
            one = claim->part->node->constant->source;
        const json *values = claim->part->node->values ? claim->part->node->values->source : NULL;
        if (values && (!list || json_size(values) < json_size(list)))
            list = values;
    }
    unsigned few = 1u << JSON_NULL | 1u << JSON_BOOL;
    if (one) {
        facts->finite = true;
        if (fits(cmp, claims, facts, one))
            list_push(cmp->arena, &facts->values, one);
    } else if (list) {
        read_values(cmp, facts, claims, list);
    } else if (!(facts->kinds & ~few)) {
        read_values(cmp, facts, claims, cmp->booleans);
    } else if (facts->kinds == 1u << KIND_INTEGER) {
        read_values(cmp, facts, claims, few_integers(cmp, facts));
    }
    if (!facts->finite)
        return;
    unsigned kinds = 0;
    for (size_t i = 0; i < facts->values.count; i++)
        kinds |= kind_of_value(facts->values.items[i]);
    facts->kinds = kinds;
}

const struct facts *claims_facts(struct comparison *cmp, const struct claims *claims) {
    if (claims->facts)
        return claims->facts;
    struct facts *facts = arena_alloc(cmp->arena, sizeof *facts);
    facts->kinds = ALL_KINDS;
    facts->length_max = facts->items_max = facts->members_max = UINT64_MAX;
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = claims->items[i];
        if (claim->kind == CLAIM_IS)
            read_part(cmp, facts, claim->part->node);
        else if (claim->kind == CLAIM_NOT && claim->part->node->plain)
            facts->kinds &= ~kinds_of_node(claim->part->node);
        else if (claim->kind == CLAIM_TYPES)
            facts->kinds &= claim->types;
        else if (claim->kind == CLAIM_SHAPE)
            read_shape(cmp, facts, claim->shape);
        else if (claim->kind == CLAIM_PATTERN)
            read_pattern(cmp, facts, claim->name);
        else if (claim->kind == CLAIM_HAS || claim->kind == CLAIM_MEMBER)
            add_name(cmp, facts, claim->name, claim->kind == CLAIM_HAS);
    }
    require_dependents(cmp, facts, claims);
    if (facts->required.count > facts->members_min)
        facts->members_min = facts->required.count;
    look_for_values(cmp, facts, claims);
    ((struct claims *)claims)->facts = facts;
    return facts;
}

bool facts_require(const struct facts *facts, weir_text name) {
    return marks_of(facts, name) & REQUIRED;
}
