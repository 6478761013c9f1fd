/* SPDX-License-Identifier: Apache-2.0 */
/* The first pass over what nearly all schemas of events are made of: nodes that ask one thing beside the type (enum
 * node_form). It says yes or no and notes nothing, so each value costs a look at its type and one jump; everything
 * else goes the long way, check_rules, and comes back here for the values inside.
 *
 * A tree that is doubted (schema_read) is proven sound on the way: every container is walked here, its keys are all known
 * and different, and the levels are counted. Whatever would pass over one asks run_trusts first. */
#include "schema/run.h"
#include "schema/scalar.h"

/* Kept apart, so that holds stays small where it is inlined. */
#define APART __attribute__((noinline))

APART static bool string_holds(struct schema_run *run, const struct node *node, weir_text text) {
    const struct string_rules *rules = node->string;
    if (!run_spend_text(run, node, text.size) || !length_holds(rules, text) ||
        (rules->short_way && !byte_pattern_match(rules->short_way, text)))
        return false;
    if (rules->pattern && !rules->short_way && !check_pattern(run, node, rules->pattern, text))
        return false;
    return !rules->format || (run_spend(run, node, rules->format->steps) && rules->format->check(text));
}

APART static bool number_holds(struct schema_run *run, const struct node *node, const json *value) {
    const struct number_rules *rules = node->number;
    struct scalar_number number = scalar_number(value);
    if (number.plain && (!rules || rules->ranged))
        return !rules || (number.value >= rules->low && number.value <= rules->high);
    if (!run_spend_digits(run, node, number.text.size))
        return false;
    if (node->integral && !number_integral(&number))
        return false;
    for (size_t i = 0; rules && i < rules->count; i++)
        if (!bound_holds(&rules->bounds[i], &number))
            return false;
    return true;
}

/* Nothing is asked about the value, nor about what is in it. */
static inline bool passes_over(struct schema_run *run, unsigned tag) {
    return tag < JSON_TAG_ARRAY || run_trusts(run);
}

APART static bool words_hold(struct schema_run *run, const struct node *node, const json *value) {
    const struct value_set *set = node->values ? node->values : node->constant;
    if (!json_is(value, JSON_STRING))
        return passes_over(run, value->tag & JSON_TAG_KIND) && run_spend_whole(run, node, value) &&
               value_set_has(set, value);
    weir_text text = json_own_text(value);
    for (size_t i = 0; i < set->count; i++)
        if (set->texts[i].data && text_same(set->texts[i], text))
            return true;
    return false;
}

APART static bool members_hold(struct schema_run *run, const struct node *node, const json *value);
APART static bool items_hold(struct schema_run *run, const struct node *node, const json *value);

__attribute__((always_inline)) static inline bool holds(struct schema_run *run, const struct node *node,
                                                        const json *value) {
    unsigned tag = value->tag & JSON_TAG_KIND;
    if (!(node->tags >> tag & 1))
        return false;
    enum node_form form = node->form; /* no switch: a jump that is computed costs more than these */
    if (form == FORM_PLAIN)
        return passes_over(run, tag);
    if (form == FORM_STRING)
        return tag == JSON_TAG_STRING ? string_holds(run, node, json_own_text(value)) : passes_over(run, tag);
    if (form == FORM_NUMBER)
        return tag == JSON_TAG_NUMBER ? number_holds(run, node, value) : passes_over(run, tag);
    if (form == FORM_WORDS)
        return words_hold(run, node, value);
    if (form == FORM_MEMBERS)
        return tag == JSON_TAG_OBJECT ? members_hold(run, node, value) : passes_over(run, tag);
    if (form == FORM_ITEMS)
        return tag == JSON_TAG_ARRAY ? items_hold(run, node, value) : passes_over(run, tag);
    return check_rules(run, node, value, json_type_of(value));
}

/* A doubted tree may be as deep as its text is long. */
static inline bool enter(struct schema_run *run) {
    return ++run->level <= LIMIT_JSON_DEPTH || run_trusts(run);
}

static bool members_hold(struct schema_run *run, const struct node *node, const json *value) {
    const struct object_rules *rules = node->object;
    const struct key *guess = rules->keys.first;
    size_t count = json_size(value), required = 0;
    uint64_t seen = (uint64_t)1 << 63,
             again = 0; /* a bit per name; not 0 when it may repeat, or its value was passed over */
    if (!run_spend(run, node, 1 + count / VALUES_PER_STEP) || !enter(run))
        return false;
    if (count < rules->min || count > rules->max || count < rules->required_count)
        return false;
    for (const json *key = value + 1; count > 0; count--, key = json_behind(key + 1)) {
        const struct key *known = keys_next(&rules->keys, key, &guess);
        const struct node *member = known ? known->rest : rules->additional;
        uint64_t bit = known ? known->bit : ~(uint64_t)0;
        required += known && known->required;
        again |= seen & bit;
        seen |= bit;
        if (member && !holds(run, member, key + 1))
            return false;
    }
    run->level--;
    return required == rules->required_count && (!again || run_trusts(run));
}

static bool items_hold(struct schema_run *run, const struct node *node, const json *value) {
    const struct array_rules *rules = node->array;
    size_t count = json_size(value), first, second;
    if (!run_spend(run, node, 1 + count / VALUES_PER_STEP) || !enter(run))
        return false;
    if (count < rules->min || count > rules->max)
        return false;
    for (const json *item = value + 1; count > 0; count--, item = json_behind(item))
        if (!holds(run, rules->items, item))
            return false;
    run->level--;
    return !rules->unique || (run_trusts(run) && run_spend_whole(run, node, value) &&
                              !equals_find(&run->equals, value, &first, &second));
}

bool check_quick(struct schema_run *run, const struct node *node, const json *value) {
    return holds(run, node, value);
}
