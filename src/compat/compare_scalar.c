/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and texts: ranges within ranges, with exact decimals; multiples of multiples; equal patterns and
 * formats. */
#include "compat/compare_language.h"
#include "compat/compare_parts.h"
#include "schema/words.h"

static const char *const bound_names[BOUND_COUNT] = {
    [BOUND_MINIMUM] = "minimum",        [BOUND_MAXIMUM] = "maximum",     [BOUND_ABOVE] = "exclusiveMinimum",
    [BOUND_BELOW] = "exclusiveMaximum", [BOUND_MULTIPLE] = "multipleOf",
};

/* The ranges of the writer's numbers; only integers have edges that can be moved inwards. */
static void writer_range(struct comparison *cmp, const struct facts *facts, struct edge *low,
                         struct edge *high) {
    *low = facts->low;
    *high = facts->high;
    if (!(facts->kinds & 1u << JSON_NUMBER)) {
        *low = edge_integral(cmp, facts->low, true);
        *high = edge_integral(cmp, facts->high, false);
    }
}

/* Is everything beyond our edge within the reader's? */
static bool within(struct edge ours, const struct bound *bound, bool low) {
    if (!ours.text.data)
        return false;
    bool strict = bound->kind == BOUND_ABOVE || bound->kind == BOUND_BELOW;
    int order = json_number_compare(ours.text, bound->text);
    order = low ? order : -order;
    return order > 0 || (order == 0 && (!strict || ours.exclusive));
}

static bool multiple_holds(const struct facts *facts, const struct bound *bound) {
    for (size_t i = 0; i < facts->multiples.count; i++)
        if (json_number_multiple(facts->multiples.items[i], bound->text))
            return true;
    return !(facts->kinds & 1u << JSON_NUMBER) && json_number_multiple(weir_text_of("1"), bound->text);
}

static bool refuse_bound(const struct goal *goal, const struct bound *bound) {
    struct comparison *cmp = goal->cmp;
    static const char *const words[BOUND_COUNT] = {
        [BOUND_MINIMUM] = "below",
        [BOUND_MAXIMUM] = "above",
        [BOUND_ABOVE] = "not above",
        [BOUND_BELOW] = "not below",
        [BOUND_MULTIPLE] = "no multiples of",
    };
    return goal_refuse(
        goal, bound_names[bound->kind],
        arena_printf(cmp->arena, "{\"%s\":%.*s}", bound_names[bound->kind], TEXT_ARG(bound->text)),
        "the writer may write numbers %s%s %s, which the reader refuses",
        bound->kind == BOUND_MINIMUM || bound->kind == BOUND_MAXIMUM ? "" : "that are ", words[bound->kind],
        words_text(cmp->arena, bound->text));
}

bool prove_number(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    const struct number_rules *rules = goal->part->node->number;
    struct edge low, high;
    bool ok = true;
    writer_range(cmp, facts, &low, &high);
    for (size_t i = 0; i < rules->count; i++) {
        const struct bound *bound = &rules->bounds[i];
        bool is_low = bound->kind == BOUND_MINIMUM || bound->kind == BOUND_ABOVE, holds;
        if (bound->kind == BOUND_MULTIPLE)
            holds = multiple_holds(facts, bound);
        else
            holds = within(is_low ? low : high, bound, is_low);
        if (!holds)
            PROVE(goal, refuse_bound(goal, bound));
    }
    return ok;
}

/* --- texts ---------------------------------------------------------------------------------------------- */

/* Texts of one format that all are of the other. */
static bool format_within(const struct format *writer, const struct format *reader) {
    return writer == reader ||
           (strcmp(writer->name, "uri") == 0 && strcmp(reader->name, "uri-reference") == 0);
}

const struct language *language_of(struct comparison *cmp, weir_text pattern) {
    static const char none;
    void *known = map_get(cmp->languages, pattern);
    if (!known) {
        known = (void *)language_new(cmp->arena, pattern);
        cmp->steps -= 1 + (int64_t)pattern.size / 16;
        map_put(cmp->languages, pattern, known ? known : (void *)&none);
    }
    return known == &none ? NULL : known;
}

/* One of the writer's patterns is the same, or lets through less. */
static bool pattern_holds(struct comparison *cmp, const struct facts *facts, weir_text pattern) {
    const struct language *large = language_of(cmp, pattern), *anything = language_of(cmp, weir_text_of(""));
    if (large && language_within(anything, large, &cmp->steps, NULL))
        return true;
    for (size_t i = 0; i < facts->patterns.count; i++) {
        if (text_equal(facts->patterns.items[i], pattern))
            return true;
        const struct language *small = large ? language_of(cmp, facts->patterns.items[i]) : NULL;
        if (small && language_within(small, large, &cmp->steps, NULL))
            return true;
    }
    return false;
}

/* A short text of the writer's that does not match: a witness to be tried first. */
static const char *text_beyond(struct comparison *cmp, const struct facts *facts, weir_text pattern) {
    weir_text ours = facts->patterns.count ? facts->patterns.items[0] : weir_text_of("");
    const struct language *small = language_of(cmp, ours), *large = language_of(cmp, pattern);
    const char *rule = NULL;
    buffer text;
    buffer_init(&text, RULE_BYTES);
    if (small && large && !language_within(small, large, &cmp->steps, &text) && text.size)
        rule = arena_printf(cmp->arena, "{\"not\":%s}", lone_string(cmp, "const", buffer_view(&text)));
    buffer_release(&text);
    return rule;
}

static bool prove_pattern(const struct goal *goal, const struct facts *facts) {
    struct comparison *cmp = goal->cmp;
    weir_text pattern = goal->part->node->string->pattern_text;
    if (pattern_holds(cmp, facts, pattern))
        return true;
    const char *ours =
        facts->patterns.count ? words_text(cmp->arena, facts->patterns.items[0]) : "the writer's texts";
    goal_refuse(goal, "pattern", lone_string(cmp, "pattern", pattern),
                "%s%s may not all match the reader's pattern %s",
                facts->patterns.count ? "texts that match " : "", ours, words_text(cmp->arena, pattern));
    if (goal->telling)
        goal_hint(goal, text_beyond(cmp, facts, pattern));
    return false;
}

static bool prove_format(const struct goal *goal, const struct facts *facts) {
    struct comparison *cmp = goal->cmp;
    const struct format *format = goal->part->node->string->format;
    for (size_t i = 0; i < facts->formats.count; i++)
        if (format_within(facts->formats.items[i], format))
            return true;
    return goal_refuse(goal, "format", lone_string(cmp, "format", weir_text_of(format->name)),
                       "the writer may write texts that are not %s, which the reader requires", format->noun);
}

bool prove_string(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    const struct string_rules *rules = goal->part->node->string;
    bool ok = true;
    if (facts->length_min < rules->min)
        PROVE(goal, goal_refuse(goal, "minLength", lone_count(cmp, "minLength", rules->min),
                                "the writer may write a text of less than %llu character%s",
                                (unsigned long long)rules->min, rules->min == 1 ? "" : "s"));
    if (facts->length_max > rules->max)
        PROVE(goal, goal_refuse(goal, "maxLength", lone_count(cmp, "maxLength", rules->max),
                                "the writer may write a text of more than %llu character%s",
                                (unsigned long long)rules->max, rules->max == 1 ? "" : "s"));
    if (rules->pattern)
        PROVE(goal, prove_pattern(goal, facts));
    if (rules->format)
        PROVE(goal, prove_format(goal, facts));
    return ok;
}
