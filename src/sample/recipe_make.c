/* SPDX-License-Identifier: Apache-2.0 */
/* Following a recipe. Characters beyond the shortest text are a purse that repeats and longer alternatives
 * draw from. What a lookahead demands is written over the finished text, sometimes where it stands and
 * sometimes elsewhere: the caller matches, and asks again when it did not do. */
#include "sample/recipe.h"

enum {
    STEPS_FOR_ONE = 100,
    /* pieces that cost as much as a value */ AHEADS = 16,
    LOWER = 26,
    FAMILIAR = 62
};

struct cooking {
    struct maker *maker;
    buffer *out;
    size_t extra, steps;
    weir_text groups[RECIPE_GROUPS];
    struct {
        size_t at;
        weir_text text;
    } aheads[AHEADS];
    size_t ahead_count;
};

static void cook(struct cooking *cooking, const struct recipe *recipe);

static uint32_t some_rune(struct dice *dice, const struct recipe *recipe) {
    size_t roll = dice_below(dice, 8), most = roll < 6 ? LOWER : roll < 7 ? FAMILIAR : SIZE_MAX;
    return recipe->runes[dice_below(dice, recipe->rune_count < most ? recipe->rune_count : most)];
}

static void cook_either(struct cooking *cooking, const struct recipe *recipe) {
    const struct recipe *chosen = NULL;
    for (int try = 0; try < 4; try++) {
        chosen = recipe->parts.items[dice_below(&cooking->maker->dice, recipe->parts.count)];
        if (chosen->shortest - recipe->shortest <= cooking->extra)
            break;
    }
    size_t more = chosen->shortest - recipe->shortest;
    cooking->extra -= more < cooking->extra ? more : cooking->extra;
    cook(cooking, chosen);
}

static void cook_repeat(struct cooking *cooking, const struct recipe *recipe) {
    const struct recipe *part = recipe->parts.items[0];
    struct dice *dice = &cooking->maker->dice;
    size_t unit = part->shortest ? part->shortest : 1, room = recipe->max - recipe->min;
    size_t most = cooking->extra / unit < room ? cooking->extra / unit : room;
    size_t more = dice_once_in(dice, 2) ? most : dice_below(dice, most + 1);
    cooking->extra -= more * unit;
    for (size_t i = 0; i < recipe->min + more && cooking->steps && !cooking->out->overflow; i++)
        cook(cooking, part);
}

static void cook_group(struct cooking *cooking, const struct recipe *recipe) {
    size_t from = cooking->out->size;
    cook(cooking, recipe->parts.items[0]);
    if (recipe->number < RECIPE_GROUPS)
        cooking->groups[recipe->number] = (weir_text){
            arena_copy(cooking->maker->arena, from < cooking->out->size ? cooking->out->data + from : "",
                       cooking->out->size - from),
            cooking->out->size - from};
}

static void cook_ahead(struct cooking *cooking, const struct recipe *recipe) {
    size_t from = cooking->out->size, extra = cooking->extra;
    cooking->extra = 0;
    cook(cooking, recipe->parts.items[0]);
    cooking->extra = extra;
    if (cooking->ahead_count < AHEADS && cooking->out->size > from) {
        cooking->aheads[cooking->ahead_count].at = from;
        cooking->aheads[cooking->ahead_count++].text = arena_text(
            cooking->maker->arena, (weir_text){cooking->out->data + from, cooking->out->size - from});
    }
    buffer_cut(cooking->out, from);
}

static void cook(struct cooking *cooking, const struct recipe *recipe) {
    if (!cooking->steps || cooking->out->overflow)
        return;
    cooking->steps--;
    switch (recipe->kind) {
    case RECIPE_EMPTY:
        return;
    case RECIPE_SET:
        rune_write(cooking->out, some_rune(&cooking->maker->dice, recipe));
        return;
    case RECIPE_SEQUENCE:
        for (size_t i = 0; i < recipe->parts.count; i++)
            cook(cooking, recipe->parts.items[i]);
        return;
    case RECIPE_EITHER:
        cook_either(cooking, recipe);
        return;
    case RECIPE_REPEAT:
        cook_repeat(cooking, recipe);
        return;
    case RECIPE_GROUP:
        cook_group(cooking, recipe);
        return;
    case RECIPE_BACK:
        if (recipe->number < RECIPE_GROUPS)
            buffer_text(cooking->out, cooking->groups[recipe->number]);
        return;
    case RECIPE_AHEAD:
        cook_ahead(cooking, recipe);
        return;
    }
}

static void write_over(buffer *out, size_t at, weir_text text) {
    if (at > out->size)
        at = out->size;
    while (out->size < at + text.size && !out->overflow)
        buffer_char(out, 'a');
    if (!out->overflow)
        memcpy(out->data + at, text.data, text.size);
}

void recipe_make(struct maker *maker, buffer *out, const struct recipe *recipe, size_t extra) {
    size_t steps = maker->budget * STEPS_FOR_ONE;
    struct cooking cooking = {.maker = maker, .out = out, .extra = extra, .steps = steps};
    cook(&cooking, recipe);
    spend(maker, (steps - cooking.steps) / STEPS_FOR_ONE);
    for (; recipe->open && cooking.extra && !out->overflow; cooking.extra--)
        buffer_char(out, (char)('a' + dice_below(&maker->dice, LOWER)));
    for (size_t i = 0; i < cooking.ahead_count; i++) {
        weir_text text = cooking.aheads[i].text;
        size_t at = cooking.aheads[i].at;
        bool elsewhere = !dice_once_in(&maker->dice, 3) && out->size > text.size;
        write_over(out, elsewhere ? dice_below(&maker->dice, out->size - text.size + 1) : at, text);
    }
}
