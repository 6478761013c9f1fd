/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords that look at one value: its type, what it may be, limits of numbers and strings. */
#include "schema/compile.h"

static unsigned type_bit(weir_text name) {
    if (text_is(name, "integer"))
        return 1u << WORDS_INTEGER;
    for (int type = JSON_NULL; type <= JSON_OBJECT; type++)
        if (text_is(name, json_type_name((enum json_type)type)))
            return 1u << type;
    return 0;
}

static weir_code one_type(struct work *work, unsigned *words, const json *value, weir_error *err) {
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object", "integer"};
    unsigned bit = json_is(value, JSON_STRING) ? type_bit(json_text(value)) : 0;
    *words |= bit;
    if (bit)
        return WEIR_OK;
    compile_wrong(work, "must name a type", value, err);
    const char *word = json_cstr(value);
    const char *nearest = word ? text_nearest(word, names, sizeof names / sizeof *names) : NULL;
    if (nearest)
        weir_hint(err, "did you mean \"%s\"?", nearest);
    else
        weir_hint(err, "the types are null, boolean, number, integer, string, array and object");
    return WEIR_INVALID;
}

weir_code compile_type(struct work *work, const json *value, weir_error *err) {
    unsigned words = 0, number = 1u << JSON_NUMBER, integer = 1u << WORDS_INTEGER;
    if (json_is(value, JSON_ARRAY) && json_size(value)) {
        for (struct json_iter it = json_iter(value); json_next(&it);)
            WEIR_TRY(one_type(work, &words, it.value, err));
    } else {
        WEIR_TRY(one_type(work, &words, value, err));
    }
    if (words & number)
        words &= ~integer;
    work->node->type_words = (uint8_t)words;
    work->node->integral = words & integer;
    work->node->types = (uint8_t)(words & integer ? (words & ~integer) | number : words);
    return WEIR_OK;
}

weir_code compile_enum(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_ARRAY))
        return compile_wrong(work, "must be a list of values", value, err);
    work->node->values = value_set_new(work->compiler->arena, value, true);
    return WEIR_OK;
}

weir_code compile_const(struct work *work, const json *value, weir_error *err) {
    (void)err;
    work->node->constant = value_set_new(work->compiler->arena, value, false);
    return WEIR_OK;
}

weir_code compile_bound(struct work *work, const json *value, weir_error *err) {
    weir_text text = json_number(value);
    if (!text.data)
        return compile_wrong(work, "must be a number", value, err);
    if (work->row->detail == BOUND_MULTIPLE && json_number_compare(text, weir_text_of("0")) <= 0)
        return compile_wrong(work, "must be greater than 0", value, err);
    if (work->row->detail == BOUND_MULTIPLE && !json_number_divisor(text))
        return weir_fail(err, WEIR_LIMIT, "%s/multipleOf: must have at most 37 digits, is %s",
                         work->spot->where, words_value(work->compiler->arena, value));
    if (!work->node->number)
        work->node->number = arena_alloc(work->compiler->arena, sizeof *work->node->number);
    struct bound *bound = &work->node->number->bounds[work->node->number->count++];
    bound->kind = (enum bound_kind)work->row->detail;
    bound->text = text;
    bound->small = json_int(value, &bound->value);
    return WEIR_OK;
}

static struct string_rules *string_rules(struct work *work) {
    if (!work->node->string) {
        work->node->string = arena_alloc(work->compiler->arena, sizeof *work->node->string);
        work->node->string->max = UINT64_MAX;
    }
    return work->node->string;
}

weir_code compile_length(struct work *work, const json *value, weir_error *err) {
    struct string_rules *rules = string_rules(work);
    return compile_count(work, work->row->detail == LENGTH_MIN ? &rules->min : &rules->max, value, err);
}

weir_code compile_pattern(struct work *work, const json *value, weir_error *err) {
    struct string_rules *rules = string_rules(work);
    rules->pattern_text = json_text(value);
    if (!rules->pattern_text.data)
        return compile_wrong(work, "must be a regular expression", value, err);
    WEIR_TRY(compile_regex(work, &rules->pattern, rules->pattern_text, err));
    rules->short_way = regex_short_way(rules->pattern);
    return WEIR_OK;
}

weir_code compile_format(struct work *work, const json *value, weir_error *err) {
    if (!json_is(value, JSON_STRING))
        return compile_wrong(work, "must be the name of a format", value, err);
    const struct format *format = format_find(json_text(value));
    if (format)
        string_rules(work)->format = format;
    return WEIR_OK;
}
