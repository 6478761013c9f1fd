/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a regular expression as a recipe. It compiled already, so its syntax is right; what is read here is
 * only its shape. Deep, endless or class-ridden ones are given up: then words and luck must do. */
#include "sample/recipe.h"

#include "base/map.h"

enum { DEPTH_MOST = 60, SETS_MOST = 500, NAMES_MOST = 32 };

struct reading {
    struct maker *maker;
    struct arena *arena;
    weir_text text;
    size_t at;
    int depth;
    unsigned groups;
    weir_text names[NAMES_MOST]; /* of groups, by number - 1; absent where a group has none */
    size_t sets;
    bool failed;
};

static int peek(const struct reading *reading, size_t ahead) {
    size_t at = reading->at + ahead;
    return at < reading->text.size ? (unsigned char)reading->text.data[at] : -1;
}

static bool skip(struct reading *reading, const char *word) {
    weir_text rest = {reading->text.data + reading->at, reading->text.size - reading->at};
    if (!text_starts(rest, word))
        return false;
    reading->at += strlen(word);
    return true;
}

static struct recipe *new_recipe(struct reading *reading, enum recipe_kind kind) {
    struct recipe *recipe = arena_alloc(reading->arena, sizeof *recipe);
    recipe->kind = kind;
    return recipe;
}

static struct recipe *nothing(struct reading *reading) {
    return new_recipe(reading, RECIPE_EMPTY);
}

/* --- atoms -------------------------------------------------------------------------------------------------- */

static struct recipe *one_rune(struct reading *reading, uint32_t rune) {
    struct recipe *recipe = new_recipe(reading, RECIPE_SET);
    recipe->runes = (uint32_t *)arena_copy(reading->arena, &rune, sizeof rune);
    recipe->rune_count = recipe->shortest = 1;
    return recipe;
}

/* The atom from `from` up to the cursor stands for one character. */
static struct recipe *one_of(struct reading *reading, size_t from) {
    struct recipe *recipe = new_recipe(reading, RECIPE_SET);
    recipe->shortest = 1;
    weir_text atom = {reading->text.data + from, reading->at - from};
    if (++reading->sets > SETS_MOST || !runes_of(reading->maker, recipe, atom))
        reading->failed = true;
    return recipe;
}

static struct recipe *back_to(struct reading *reading, unsigned number) {
    struct recipe *recipe = new_recipe(reading, RECIPE_BACK);
    recipe->number = number;
    return recipe;
}

/* NAME> */
static weir_text read_name(struct reading *reading) {
    size_t from = reading->at;
    while (peek(reading, 0) != '>' && peek(reading, 0) >= 0)
        reading->at++;
    weir_text name = {reading->text.data + from, reading->at - from};
    reading->at++;
    return name;
}

static struct recipe *read_named_back(struct reading *reading) {
    weir_text name = read_name(reading);
    for (unsigned i = 0; i < NAMES_MOST; i++)
        if (text_equal(reading->names[i], name))
            return back_to(reading, i + 1);
    return nothing(reading); /* a group that comes later matches nothing yet */
}

/* The backslash is behind the cursor. */
static struct recipe *read_escape(struct reading *reading) {
    size_t from = reading->at - 1;
    int c = peek(reading, 0);
    reading->at++;
    if (c == 'b' || c == 'B')
        return nothing(reading);
    if (c >= '1' && c <= '9') {
        unsigned number = (unsigned)(c - '0');
        for (; peek(reading, 0) >= '0' && peek(reading, 0) <= '9' && number < RECIPE_GROUPS; reading->at++)
            number = number * 10 + (unsigned)(peek(reading, 0) - '0');
        return back_to(reading, number);
    }
    if (c == 'k' && skip(reading, "<"))
        return read_named_back(reading);
    if ((c == 'p' || c == 'P' || c == 'u') && peek(reading, 0) == '{') {
        while (peek(reading, 0) != '}' && peek(reading, 0) >= 0)
            reading->at++;
        reading->at++;
    } else if (c == 'u') {
        bool high = (peek(reading, 0) | 0x20) == 'd' && strchr("89abAB", peek(reading, 1));
        reading->at += 4;
        if (high && peek(reading, 0) == '\\' && peek(reading, 1) == 'u')
            reading->at += 6;
    } else if (c == 'x' || c == 'c') {
        reading->at += c == 'x' ? 2 : 1;
    } else if (c >= 0x80) {
        uint32_t rune;
        reading->at += text_decode(reading->text, reading->at - 1, &rune) - 1;
    }
    if (reading->at > reading->text.size)
        reading->at = reading->text.size;
    return one_of(reading, from);
}

static struct recipe *read_class(struct reading *reading) {
    size_t from = reading->at - 1;
    while (peek(reading, 0) != ']' && peek(reading, 0) >= 0)
        reading->at += peek(reading, 0) == '\\' ? 2 : 1;
    reading->at++;
    return one_of(reading, from);
}

static struct recipe *read_either(struct reading *reading);

/* The opening bracket is behind the cursor. */
static struct recipe *read_group(struct reading *reading) {
    struct recipe *recipe = new_recipe(reading, RECIPE_SEQUENCE);
    bool refused = skip(reading, "?!") || skip(reading, "?<!");
    if (!refused && skip(reading, "?="))
        recipe->kind = RECIPE_AHEAD;
    else if (!refused && !skip(reading, "?:") && !skip(reading, "?<=")) {
        recipe->kind = RECIPE_GROUP;
        recipe->number = ++reading->groups;
        if (skip(reading, "?<")) {
            weir_text name = read_name(reading);
            if (recipe->number <= NAMES_MOST)
                reading->names[recipe->number - 1] = name;
        }
    }
    const struct recipe *inner = read_either(reading);
    reading->at++;
    if (refused)
        return nothing(reading); /* what must not follow is seen afterwards */
    list_push(reading->arena, &recipe->parts, inner);
    recipe->shortest = recipe->kind == RECIPE_AHEAD ? 0 : inner->shortest;
    return recipe;
}

/* --- repeats --------------------------------------------------------------------------------------------------- */

static size_t read_count(struct reading *reading) {
    size_t count = 0;
    for (; peek(reading, 0) >= '0' && peek(reading, 0) <= '9'; reading->at++)
        count = count < RECIPE_LONGEST ? count * 10 + (size_t)(peek(reading, 0) - '0') : count;
    return count;
}

/* {2} {2,} {2,5}; false, and nothing is read, where the brace is only a brace. */
static bool read_braces(struct reading *reading, size_t *min, size_t *max) {
    size_t from = reading->at++;
    bool digits = peek(reading, 0) >= '0' && peek(reading, 0) <= '9';
    *min = *max = read_count(reading);
    if (peek(reading, 0) == ',') {
        reading->at++;
        bool open = peek(reading, 0) == '}';
        *max = open ? SIZE_MAX : read_count(reading);
    }
    if (digits && skip(reading, "}"))
        return true;
    reading->at = from;
    return false;
}

static struct recipe *read_repeat(struct reading *reading, struct recipe *atom) {
    int c = peek(reading, 0);
    size_t min = c == '+', max = c == '?' ? 1 : SIZE_MAX;
    if (c == '*' || c == '+' || c == '?')
        reading->at++;
    else if (c != '{' || !read_braces(reading, &min, &max))
        return atom;
    skip(reading, "?");
    struct recipe *recipe = new_recipe(reading, RECIPE_REPEAT);
    recipe->min = min;
    recipe->max = max < min ? min : max;
    list_push(reading->arena, &recipe->parts, atom);
    recipe->shortest =
        atom->shortest && min > RECIPE_LONGEST / atom->shortest ? RECIPE_LONGEST : atom->shortest * min;
    return recipe;
}

static struct recipe *read_atom(struct reading *reading) {
    size_t from = reading->at;
    uint32_t rune = 0;
    size_t size = text_decode(reading->text, from, &rune);
    reading->at += size ? size : 1;
    switch (rune) {
    case '\\':
        return read_escape(reading);
    case '[':
        return read_class(reading);
    case '(':
        return read_group(reading);
    case '.':
        return one_of(reading, from);
    case '^':
    case '$':
        return nothing(reading);
    }
    return one_rune(reading, rune);
}

static struct recipe *read_sequence(struct reading *reading) {
    struct recipe *recipe = new_recipe(reading, RECIPE_SEQUENCE);
    while (!reading->failed && peek(reading, 0) >= 0 && peek(reading, 0) != '|' && peek(reading, 0) != ')') {
        struct recipe *part = read_repeat(reading, read_atom(reading));
        list_push(reading->arena, &recipe->parts, part);
        recipe->shortest += part->shortest;
        if (recipe->shortest > RECIPE_LONGEST)
            recipe->shortest = RECIPE_LONGEST;
    }
    return recipe;
}

static struct recipe *read_either(struct reading *reading) {
    struct recipe *recipe = new_recipe(reading, RECIPE_EITHER);
    if (++reading->depth > DEPTH_MOST)
        reading->failed = true;
    do {
        const struct recipe *part = read_sequence(reading);
        if (!recipe->parts.count || part->shortest < recipe->shortest)
            recipe->shortest = part->shortest;
        list_push(reading->arena, &recipe->parts, part);
    } while (!reading->failed && skip(reading, "|"));
    reading->depth--;
    return recipe;
}

const struct recipe *recipe_of(struct maker *maker, weir_text pattern) {
    static const struct recipe given_up;
    struct sampler *sampler = maker->sampler;
    const struct recipe *known = map_get(sampler->recipes, pattern);
    if (known)
        return known == &given_up ? NULL : known;
    struct reading reading = {.maker = maker, .arena = sampler->kept, .text = pattern};
    struct recipe *read = read_either(&reading);
    read->open = !pattern.size || pattern.data[pattern.size - 1] != '$';
    known = read;
    if (reading.failed || known->shortest > sampler->options.bytes_max)
        known = &given_up;
    map_put(sampler->recipes, pattern, (void *)known);
    return known == &given_up ? NULL : known;
}

size_t recipe_shortest(const struct recipe *recipe) {
    return recipe->shortest;
}
