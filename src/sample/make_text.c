/* SPDX-License-Identifier: Apache-2.0 */
/* Strings. What decides is a pattern if there is one, then a format, then the member's name. The length is
 * fitted afterwards, and everything is looked at before it is given away; the more tries fail, the stranger
 * the next one. */
#include "sample/make.h"

enum { TEXT_TRIES = 60, FITTED_MOST = 200, MISSED = 4 /* what a pattern that is missed costs */ };

static uint64_t characters(weir_text text) {
    uint64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static bool fits(struct maker *maker, const struct wish *wish, weir_text text) {
    uint64_t length = characters(text);
    if (length < wish->length_min || length > wish->length_max)
        return false;
    for (size_t i = 0; i < wish->patterns.count; i++) {
        const struct pattern_wish *pattern = &wish->patterns.items[i];
        if (matches(maker, pattern->regex, text) == (pattern->denied ? REGEX_NO : REGEX_YES))
            continue;
        spend(maker, MISSED);
        return false;
    }
    for (size_t i = 0; i < wish->formats.count; i++)
        if (wish->formats.items[i].format->check(text) == wish->formats.items[i].denied)
            return false;
    return true;
}

/* --- length ------------------------------------------------------------------------------------------------- */

/* How long it should be: now and then as short or as long as allowed. */
static uint64_t choose_length(struct maker *maker, const struct wish *wish, uint64_t natural) {
    if (wish->length_max <= FITTED_MOST && dice_once_in(&maker->dice, 8))
        return wish->length_max;
    if (dice_once_in(&maker->dice, 10))
        return wish->length_min;
    if (natural < wish->length_min)
        return wish->length_min;
    return natural > wish->length_max ? wish->length_max : natural;
}

static void shorten(buffer *text, uint64_t length) {
    size_t at = 0;
    for (uint64_t count = 0; at < text->size; at++) {
        bool begins = ((unsigned char)text->data[at] & 0xc0) != 0x80;
        if (begins && count++ == length)
            break;
    }
    buffer_cut(text, at);
}

static void lengthen(struct maker *maker, buffer *text, uint64_t length) {
    static const char filler[] = "abcdefghijklmnopqrstuvwxyz";
    size_t letter = dice_below(&maker->dice, 26);
    for (uint64_t have = characters(buffer_view(text)); have < length && !text->overflow; have++)
        buffer_char(text, filler[letter++ % 26]);
}

static void fit_length(struct maker *maker, buffer *text, uint64_t length) {
    uint64_t have = characters(buffer_view(text));
    if (have > length)
        shorten(text, length);
    else if (have < length)
        lengthen(maker, text, length);
}

/* --- where it comes from -------------------------------------------------------------------------------------- */

static bool by_pattern(struct maker *maker, buffer *out, const struct wish *wish,
                       const struct pattern_wish *pattern) {
    const struct recipe *recipe = recipe_of(maker, pattern->text);
    if (!recipe)
        return false;
    size_t shortest = recipe_shortest(recipe);
    uint64_t natural = shortest + dice_below(&maker->dice, 5 + (maker->fresh < 20 ? maker->fresh : 20)),
             length = choose_length(maker, wish, natural);
    recipe_make(maker, out, recipe, length > shortest ? (size_t)(length - shortest) : 0);
    if (characters(buffer_view(out)) < wish->length_min)
        lengthen(maker, out, wish->length_min);
    return true;
}

static const struct pattern_wish *some_pattern(struct maker *maker, const struct wish *wish, bool denied) {
    size_t count = 0;
    for (size_t i = 0; i < wish->patterns.count; i++)
        count += wish->patterns.items[i].denied == denied;
    size_t chosen = count ? dice_below(&maker->dice, count) : 0;
    for (size_t i = 0; i < wish->patterns.count; i++)
        if (wish->patterns.items[i].denied == denied && chosen-- == 0)
            return &wish->patterns.items[i];
    return NULL;
}

static weir_text some_format(struct maker *maker, const struct wish *wish) {
    for (size_t i = 0; i < wish->formats.count; i++)
        if (!wish->formats.items[i].denied || dice_once_in(&maker->dice, 2))
            return weir_text_of(wish->formats.items[i].format->name);
    return wish->format_name;
}

/* One character other than it was, one more or one less: what a pattern or a format must notice. */
static void spoil(struct maker *maker, buffer *text) {
    static const char odd[] = "!_ A0-z.";
    char c = odd[dice_below(&maker->dice, sizeof odd - 1)];
    size_t at = text->size ? dice_below(&maker->dice, text->size) : 0;
    if (!text->size || dice_once_in(&maker->dice, 3))
        buffer_char(text, c);
    else if ((unsigned char)text->data[at] < 0x80)
        text->data[at] = c;
    else
        buffer_clear(text);
}

static void unicode(struct maker *maker, buffer *out) {
    static const char *const texts[] = {"Zo\u00EB",           "\u0141\u00F3d\u017A", "\u6771\u4EAC",
                                        "\u03B1\u03B2\u03B3", "\U0001F600",          "na\u00EFve caf\u00E9"};
    buffer_string(out, texts[dice_below(&maker->dice, sizeof texts / sizeof *texts)]);
}

static void by_words(struct maker *maker, buffer *out, const struct wish *wish) {
    if (wish->length_min == 0 && dice_once_in(&maker->dice, 24))
        return;
    if (dice_once_in(&maker->dice, 12))
        unicode(maker, out);
    else
        words_for(maker, out, maker->hint);
    if (maker->fresh)
        buffer_printf(out, "%zu",
                      dice_below(&maker->dice, (size_t)1 << (maker->fresh < 10 ? 10 + maker->fresh : 20)));
    fit_length(maker, out, choose_length(maker, wish, characters(buffer_view(out))));
}

static void make_one(struct maker *maker, buffer *out, const struct wish *wish, int try) {
    const struct pattern_wish *pattern = some_pattern(maker, wish, false);
    bool denied = false;
    for (size_t i = 0; i < wish->formats.count; i++)
        denied |= wish->formats.items[i].denied;
    if (!pattern && (pattern = some_pattern(maker, wish, true)))
        denied = true;
    weir_text format = some_format(maker, wish);
    bool by_format = format.data && (!pattern || try % 4 == 3);
    if (by_format && format_text(maker, out, format))
        ;
    else if (!pattern || try % 8 == 7 || !by_pattern(maker, out, wish, pattern))
        by_words(maker, out, wish);
    if (denied && (try % 3 || by_format))
        spoil(maker, out);
    if (try > TEXT_TRIES / 2)
        fit_length(maker, out, choose_length(maker, wish, characters(buffer_view(out))));
}

bool make_text(struct maker *maker, buffer *out, const struct wish *wish) {
    if (wish->length_min > wish->length_max || wish->length_min > maker->sampler->options.bytes_max)
        return false;
    for (int try = 0; try < TEXT_TRIES && maker->budget; try++) {
        buffer_clear(out);
        make_one(maker, out, wish, try);
        weir_text text = out->size ? buffer_view(out) : weir_text_of("");
        if (!out->overflow && text_valid_utf8(text) && fits(maker, wish, text))
            return true;
    }
    return false;
}
