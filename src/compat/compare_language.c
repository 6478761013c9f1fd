/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern becomes an automaton: a state reads one character of some ranges, or goes to two others without
 * reading. Two automata are walked side by side over sets of states: a pair of sets where the first accepts and
 * the second does not is a text that shows it. Characters that both automata treat alike are one. Repeats are
 * written out, so {1,64} of a class is 64 states. */
#include "compat/compare_language.h"

#include <stdlib.h>

#include "base/map.h"
#include "compat/compare_pattern.h"
#include "sample/recipe.h"

enum { STATES = 512, PAIRS = 3000, LONGEST = 2000, NONE = -1 };

enum state_kind { STATE_READ, STATE_FORK, STATE_END };
struct state {
    enum state_kind kind;
    ranges ranges;
    int next, other; /* NONE: nowhere yet */
};

struct language {
    struct state states[STATES];
    int count, start;
};

struct states_set {
    uint64_t bits[STATES / 64];
};

/* --- the automaton ---------------------------------------------------------------------------------------- */

static int add_state(struct language *made, enum state_kind kind, int next, int other) {
    if (made->count == STATES)
        return NONE;
    made->states[made->count] = (struct state){.kind = kind, .next = next, .other = other};
    return made->count++;
}

/* The states of the tree that lead to `next`; NONE when there are too many. */
static int build(struct language *made, const struct tree *tree, int next) {
    int at = next;
    if (next == NONE)
        return NONE;
    switch (tree->kind) {
    case TREE_EMPTY:
        return next;
    case TREE_SET:
        at = add_state(made, STATE_READ, next, NONE);
        if (at != NONE)
            made->states[at].ranges = tree->ranges;
        return at;
    case TREE_BOTH:
        return build(made, tree->first, build(made, tree->second, next));
    case TREE_EITHER: {
        int first = build(made, tree->first, next), second = build(made, tree->second, next);
        return first == NONE || second == NONE ? NONE : add_state(made, STATE_FORK, first, second);
    }
    case TREE_REPEAT:
        break;
    }
    if (!tree->max) {
        at = add_state(made, STATE_FORK, NONE, next);
        int body = at == NONE ? NONE : build(made, tree->first, at);
        if (body == NONE)
            return NONE;
        made->states[at].next = body;
    }
    for (unsigned i = tree->min; i < tree->max && at != NONE; i++) {
        int body = build(made, tree->first, at);
        at = body == NONE ? NONE : add_state(made, STATE_FORK, body, next);
    }
    for (unsigned i = 0; i < tree->min && at != NONE; i++)
        at = build(made, tree->first, at);
    return at;
}

const struct language *language_new(struct arena *arena, weir_text pattern) {
    const struct tree *tree = pattern_tree(arena, pattern);
    if (!tree)
        return NULL;
    struct language *made = arena_alloc(arena, sizeof *made);
    made->start = build(made, tree, add_state(made, STATE_END, NONE, NONE));
    return made->start == NONE ? NULL : made;
}

/* --- sets of states --------------------------------------------------------------------------------------- */

static void enter(const struct language *language, struct states_set *set, int state) {
    int waiting[2 * STATES + 2], count = 0; /* each fork is left once */
    waiting[count++] = state;
    while (count) {
        int at = waiting[--count];
        if (set->bits[at / 64] >> (at % 64) & 1)
            continue;
        set->bits[at / 64] |= (uint64_t)1 << (at % 64);
        if (language->states[at].kind != STATE_FORK)
            continue;
        int ways[] = {language->states[at].next, language->states[at].other};
        for (int i = 0; i < 2; i++)
            waiting[count++] = ways[i];
    }
}

static bool ends(const struct states_set *set) {
    return set->bits[0] & 1; /* the end was made first */
}

static bool reads(const struct state *state, uint32_t rune) {
    for (size_t i = 0; i < state->ranges.count; i++)
        if (rune >= state->ranges.items[i].from && rune <= state->ranges.items[i].to)
            return true;
    return false;
}

/* After one more character; `any`: whichever. */
static struct states_set after(const struct language *language, const struct states_set *set, uint32_t rune,
                               bool any) {
    struct states_set out = {0};
    for (int i = 0; i < language->count; i++) {
        const struct state *state = &language->states[i];
        if ((set->bits[i / 64] >> (i % 64) & 1) && state->kind == STATE_READ &&
            (any ? state->ranges.count > 0 : reads(state, rune)))
            enter(language, &out, state->next);
    }
    return out;
}

static bool nothing_left(const struct states_set *set) {
    static const struct states_set none;
    return memcmp(set, &none, sizeof none) == 0;
}

void language_lengths(const struct language *language, uint64_t *shortest, uint64_t *longest) {
    struct states_set set = {0};
    bool found = false;
    *shortest = 0;
    *longest = 0;
    enter(language, &set, language->start);
    for (uint64_t length = 0; !nothing_left(&set); length++) {
        if (ends(&set)) {
            *shortest = found ? *shortest : length;
            *longest = length;
            found = true;
        }
        if (length == LONGEST || (found && length > (uint64_t)language->count)) {
            *longest = UINT64_MAX; /* longer than it has states: it goes round */
            return;
        }
        set = after(language, &set, 0, true);
    }
}

/* --- one within the other --------------------------------------------------------------------------------- */

static int by_rune(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

typedef LIST(uint32_t) runes;

/* Where the ranges of both begin and end: between two of them all characters are alike. */
static runes borders(struct arena *arena, const struct language *one, const struct language *two) {
    const struct language *both[] = {one, two};
    runes all = {0}, out = {0};
    list_push(arena, &all, 0);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < both[k]->count; i++)
            for (size_t j = 0; j < both[k]->states[i].ranges.count; j++) {
                const struct range *range = &both[k]->states[i].ranges.items[j];
                list_push(arena, &all, range->from);
                if (range->to < RUNE_LAST)
                    list_push(arena, &all, range->to + 1);
            }
    qsort(all.items, all.count, sizeof *all.items, by_rune);
    for (size_t i = 0; i < all.count; i++)
        if (!i || all.items[i] != all.items[i - 1])
            list_push(arena, &out, all.items[i]);
    return out;
}

struct pair {
    struct states_set small, large;
};

/* How a pair was reached first. */
struct trace {
    size_t from;
    uint32_t rune;
};

struct walk {
    struct arena *arena;
    struct map *seen;
    LIST(struct pair) pairs;
    LIST(struct trace) traces;
};

static void visit(struct walk *walk, struct pair pair, size_t from, uint32_t rune) {
    weir_text key = {(const char *)&pair, sizeof pair};
    if (nothing_left(&pair.small) || map_put(walk->seen, key, walk))
        return;
    list_push(walk->arena, &walk->pairs, pair);
    list_push(walk->arena, &walk->traces, ((struct trace){from, rune}));
}

/* Of the characters from..to - 1, one that can be read. */
static uint32_t readable(uint32_t from, uint32_t to) {
    static const uint32_t liked[] = {'a', 'A', '0', '!', 0xe9};
    for (size_t i = 0; i < sizeof liked / sizeof *liked; i++)
        if (liked[i] >= from && liked[i] < to)
            return liked[i];
    return from;
}

/* The text that led to the pair, the last character first. */
static void tell_text(const struct walk *walk, size_t at, buffer *out) {
    LIST(uint32_t) back = {0};
    for (; at; at = walk->traces.items[at].from)
        list_push(walk->arena, &back, walk->traces.items[at].rune);
    while (back.count)
        rune_write(out, back.items[--back.count]);
}

static bool walk_pairs(struct walk *walk, const struct language *small, const struct language *large,
                       int64_t *steps, buffer *text) {
    runes alike = borders(walk->arena, small, large);
    struct pair first = {0};
    enter(small, &first.small, small->start);
    enter(large, &first.large, large->start);
    visit(walk, first, 0, 0);
    for (size_t at = 0; at < walk->pairs.count; at++) {
        struct pair now = walk->pairs.items[at];
        if (ends(&now.small) && !ends(&now.large)) {
            if (text)
                tell_text(walk, at, text);
            return false;
        }
        *steps -= (int64_t)alike.count * (small->count + large->count) / 64 + 1;
        if (*steps <= 0 || walk->pairs.count > PAIRS)
            return false;
        for (size_t i = 0; i < alike.count; i++) {
            uint32_t rune = alike.items[i], end = i + 1 < alike.count ? alike.items[i + 1] : RUNE_LAST + 1;
            struct pair next = {after(small, &now.small, rune, false), after(large, &now.large, rune, false)};
            visit(walk, next, at, readable(rune, end));
        }
    }
    return true;
}

bool language_within(const struct language *small, const struct language *large, int64_t *steps,
                     buffer *text) {
    struct walk walk = {.arena = arena_new(), .seen = map_new()};
    bool within = walk_pairs(&walk, small, large, steps, text);
    map_free(walk.seen);
    arena_free(walk.arena);
    return within;
}
