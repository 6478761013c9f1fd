/* SPDX-License-Identifier: Apache-2.0 */
/* One value: claims become a wish, the wish a text. What the wish cannot say for sure is looked at before the
 * value around it goes on, because a wrong member found late costs the whole document. */
#include "sample/make.h"

#include "schema/run.h"

enum {
    DEPTH_MOST = LIMIT_JSON_DEPTH - 4,
    STEPS_FOR_ONE = 50,    /* a schema's steps that cost as much as one value */
    BYTES_FOR_ONE = 250,   /* of a text to be matched */
    MATCH_EXCEEDED = 1000, /* what a match costs that was given up */
};

enum regex_result matches(struct maker *maker, const struct regex *regex, weir_text text) {
    regex_scratch_reset(maker->sampler->regex);
    enum regex_result result = regex_match(regex, maker->sampler->regex, text);
    spend(maker, result == REGEX_EXCEEDED ? MATCH_EXCEEDED : text.size / BYTES_FOR_ONE);
    return result;
}

bool claims_hold(struct maker *maker, const claims *given, weir_text text) {
    struct sampler *sampler = maker->sampler;
    const json *value = NULL;
    weir_error err;
    if (json_pool_parse(&value, sampler->pool, text, &err) != WEIR_OK)
        return false;
    for (size_t i = 0; i < given->count; i++) {
        const struct claim *claim = &given->items[i];
        struct schema part = *claim->schema;
        part.root = (struct node *)claim->node;
        if (claim->schema->dynamic && claim->node != claim->schema->root)
            continue; /* what it means depends on the way here; the end will tell */
        bool fits = schema_valid(sampler->run, &part, value, false);
        spend(maker, (size_t)(sampler->run->granted - sampler->run->steps) / STEPS_FOR_ONE);
        if (fits == claim->denied)
            return false;
    }
    return true;
}

static bool written_holds(struct maker *maker, buffer *out, size_t from, const claims *given) {
    return !out->overflow && claims_hold(maker, given, (weir_text){out->data + from, out->size - from});
}

/* --- values somebody wrote down -------------------------------------------------------------------------- */

static bool write_known(struct maker *maker, buffer *out, const struct wish *wish, const json *value) {
    size_t from = out->size;
    json_write(out, value, false);
    if (written_holds(maker, out, from, wish->given))
        return true;
    buffer_cut(out, from);
    return false;
}

/* A scalar that stands at this place of the example. */
static bool make_example(struct maker *maker, buffer *out, const struct wish *wish) {
    const json *value = maker->example;
    bool scalar = value && !json_is(value, JSON_ARRAY) && !json_is(value, JSON_OBJECT);
    return scalar && dice_once_in(&maker->dice, 3) && write_known(maker, out, wish, value);
}

static bool make_sample(struct maker *maker, buffer *out, const struct wish *wish) {
    const json *examples = wish->samples[0], *value = wish->samples[1];
    if (examples && (!value || !dice_once_in(&maker->dice, 3)))
        value = json_item(examples, dice_below(&maker->dice, json_size(examples)));
    return value && write_known(maker, out, wish, value);
}

/* enum and const: the values of the smallest list, from a random one on. */
static bool make_listed(struct maker *maker, buffer *out, const struct wish *wish) {
    const struct value_set *least = NULL;
    for (size_t i = 0; i < wish->values.count; i++)
        if (!wish->values.items[i].denied && (!least || wish->values.items[i].set->count < least->count))
            least = wish->values.items[i].set;
    size_t start = least->count ? dice_below(&maker->dice, least->count) : 0;
    for (size_t i = 0; i < least->count; i++) {
        const json *value = least->values[(start + i) % least->count];
        bool wanted = wish->types >> json_type_of(value) & 1;
        for (size_t j = 0; wanted && j < wish->values.count; j++)
            wanted = value_set_has(wish->values.items[j].set, value) != wish->values.items[j].denied;
        if (wanted && write_known(maker, out, wish, value))
            return true;
    }
    return false;
}

static bool is_listed(const struct wish *wish) {
    for (size_t i = 0; i < wish->values.count; i++)
        if (!wish->values.items[i].denied)
            return true;
    return false;
}

/* --- which type ---------------------------------------------------------------------------------------------- */

/* The types something is said about: without "type" those are what is meant. */
static uint8_t meant_types(const struct wish *wish) {
    unsigned meant = 0;
    if (wish->bounds.count || wish->broken_multiples.count || wish->broken_integral)
        meant |= 1u << JSON_NUMBER;
    if (wish->length_min || wish->length_max < UINT64_MAX || wish->patterns.count || wish->formats.count ||
        wish->format_name.data)
        meant |= 1u << JSON_STRING;
    if (wish->repeated || wish->contains.count || wish->items.count)
        meant |= 1u << JSON_ARRAY;
    if (wish->needed.count || wish->members.count || wish->strays || wish->odd_names.count)
        meant |= 1u << JSON_OBJECT;
    for (size_t i = 0; i < wish->held.count; i++) {
        const struct node *node = wish->held.items[i].node;
        meant |= node->array || node->unevaluated_items ? 1u << JSON_ARRAY : 0;
        meant |= node->object || node->unevaluated_properties ? 1u << JSON_OBJECT : 0;
    }
    return (uint8_t)meant;
}

static enum json_type choose_type(struct maker *maker, const struct wish *wish) {
    uint8_t types = wish->types, meant = types & meant_types(wish);
    uint8_t containers = 1 << JSON_ARRAY | 1 << JSON_OBJECT;
    bool several = (types & (types - 1)) != 0;
    if (several && meant && !dice_once_in(&maker->dice, maker->loose ? 2 : 8))
        types = meant;
    else if (types & ~containers && (small(maker) || (!meant && !dice_once_in(&maker->dice, 4))))
        types &= (uint8_t)~containers;
    for (;;) {
        enum json_type type = (enum json_type)dice_below(&maker->dice, JSON_OBJECT + 1);
        if (types >> type & 1)
            return type;
    }
}

static bool make_string(struct maker *maker, buffer *out, const struct wish *wish) {
    buffer text;
    buffer_init(&text, maker->sampler->options.bytes_max);
    bool ok = make_text(maker, &text, wish);
    if (ok)
        json_write_string(out, text.size ? buffer_view(&text) : weir_text_of(""));
    buffer_release(&text);
    return ok;
}

static bool make_type(struct maker *maker, buffer *out, const struct wish *wish, enum json_type type) {
    switch (type) {
    case JSON_NULL:
        buffer_string(out, "null");
        return true;
    case JSON_BOOL:
        buffer_string(out, dice_once_in(&maker->dice, 2) ? "true" : "false");
        return true;
    case JSON_NUMBER:
        return make_number(maker, out, wish);
    case JSON_STRING:
        return make_string(maker, out, wish);
    case JSON_ARRAY:
        return make_array(maker, out, wish);
    case JSON_OBJECT:
        return make_object(maker, out, wish);
    }
    return false;
}

bool make_wish(struct maker *maker, buffer *out, const struct wish *wish) {
    size_t from = out->size;
    if (!wish->types)
        return false;
    if (is_listed(wish))
        return make_listed(maker, out, wish);
    if ((maker->example && make_example(maker, out, wish)) ||
        (dice_once_in(&maker->dice, 5) && make_sample(maker, out, wish)))
        return true;
    return make_type(maker, out, wish, choose_type(maker, wish)) && !out->overflow &&
           (!wish->risky || written_holds(maker, out, from, wish->given));
}

static bool make_once(struct maker *maker, buffer *out, const claims *given) {
    struct wish wish;
    return wish_make(maker, &wish, given) && make_wish(maker, out, &wish);
}

bool make_value(struct maker *maker, buffer *out, const claims *given) {
    size_t from = out->size;
    bool made = false;
    maker->depth++;
    for (int try = 0; !made && try < TRIES && maker->budget && maker->depth < DEPTH_MOST; try++) {
        maker->budget--;
        made = make_once(maker, out, given);
        if (!made)
            buffer_cut(out, from);
    }
    maker->depth--;
    return made;
}
