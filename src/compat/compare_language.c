/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern becomes an automaton: a state reads one character of some ranges, or goes to two others without
 * reading. Two automata are walked side by side over sets of states: a pair of sets where the first accepts and
 * the second does not is a text that shows it. Characters that both automata treat alike are one. Repeats are
 * written out, so {1,64} of a class is 64 states. */
#include "compat/compare_language.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/text.h"

enum {
    STATES = 512,
    PAIRS = 3000,
    DEPTH = 32,
    TREE_MAX = 2000,
    LONGEST = 2000,
    RUNE_LAST = 0x10ffff,
    NONE = -1
};

struct range {
    uint32_t from, to;
};
typedef LIST(struct range) ranges;

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

/* --- reading a pattern: a tree ---------------------------------------------------------------------------- */

enum tree_kind { TREE_EMPTY, TREE_SET, TREE_BOTH, TREE_EITHER, TREE_REPEAT };
struct tree {
    enum tree_kind kind;
    ranges ranges;
    struct tree *first, *second;
    unsigned min, max; /* max 0: without end */
};

struct reader {
    struct arena *arena;
    weir_text text;
    size_t at;
    unsigned depth, count;
    bool bad;
};

static struct tree *tree_new(struct reader *reader, enum tree_kind kind, struct tree *first,
                             struct tree *second) {
    struct tree *tree = arena_alloc(reader->arena, sizeof *tree);
    reader->bad |= ++reader->count > TREE_MAX;
    *tree = (struct tree){.kind = kind, .first = first, .second = second};
    return tree;
}

static struct tree *give_up(struct reader *reader) {
    reader->bad = true;
    return tree_new(reader, TREE_EMPTY, NULL, NULL);
}

static int peek(const struct reader *reader) {
    return reader->at < reader->text.size ? (unsigned char)reader->text.data[reader->at] : -1;
}

static bool skip(struct reader *reader, char c) {
    if (peek(reader) != (unsigned char)c)
        return false;
    reader->at++;
    return true;
}

static void add_range(struct reader *reader, ranges *out, uint32_t from, uint32_t to) {
    list_push(reader->arena, out, ((struct range){from, to}));
}

static int by_from(const void *a, const void *b) {
    uint32_t x = ((const struct range *)a)->from, y = ((const struct range *)b)->from;
    return (x > y) - (x < y);
}

/* Everything else. */
static ranges complement(struct reader *reader, ranges given) {
    ranges out = {0};
    uint32_t next = 0;
    if (given.count)
        qsort(given.items, given.count, sizeof *given.items, by_from);
    for (size_t i = 0; i < given.count; i++) {
        if (given.items[i].from > next)
            add_range(reader, &out, next, given.items[i].from - 1);
        next = given.items[i].to + 1 > next ? given.items[i].to + 1 : next;
    }
    if (next <= RUNE_LAST)
        add_range(reader, &out, next, RUNE_LAST);
    return out;
}

/* \d \w and their opposites. */
static bool class_escape(struct reader *reader, ranges *out, int c) {
    ranges set = {0};
    if (c != 'd' && c != 'D' && c != 'w' && c != 'W')
        return false;
    add_range(reader, &set, '0', '9');
    if (c == 'w' || c == 'W') {
        add_range(reader, &set, 'A', 'Z');
        add_range(reader, &set, '_', '_');
        add_range(reader, &set, 'a', 'z');
    }
    if (c == 'D' || c == 'W')
        set = complement(reader, set);
    for (size_t i = 0; i < set.count; i++)
        list_push(reader->arena, out, set.items[i]);
    return true;
}

/* A character behind a backslash that stands for itself or a usual control. */
static uint32_t rune_escape(struct reader *reader, int c) {
    if (c == 'n')
        return '\n';
    if (c == 'r')
        return '\r';
    if (c == 't')
        return '\t';
    if (c <= 0 || !strchr("^$\\.*+?()[]{}|/-", c))
        reader->bad = true;
    return (uint32_t)c;
}

static uint32_t next_rune(struct reader *reader) {
    uint32_t rune = 0;
    size_t size = text_decode(reader->text, reader->at, &rune);
    reader->bad |= size == 0;
    reader->at += size ? size : 1;
    return rune;
}

static struct tree *read_class(struct reader *reader) {
    struct tree *tree = tree_new(reader, TREE_SET, NULL, NULL);
    bool opposite = skip(reader, '^');
    while (!reader->bad && !skip(reader, ']')) {
        uint32_t from, to;
        if (skip(reader, '\\')) {
            int c = peek(reader);
            reader->at++;
            if (class_escape(reader, &tree->ranges, c)) {
                reader->bad |= peek(reader) == '-' && reader->at + 1 < reader->text.size &&
                               reader->text.data[reader->at + 1] != ']';
                continue;
            }
            from = rune_escape(reader, c);
        } else {
            from = next_rune(reader);
        }
        to = from;
        if (peek(reader) == '-' && reader->at + 1 < reader->text.size &&
            reader->text.data[reader->at + 1] != ']') {
            reader->at++;
            if (skip(reader, '\\')) {
                to = rune_escape(reader, peek(reader));
                reader->at++;
            } else {
                to = next_rune(reader);
            }
        }
        reader->bad |= to < from;
        add_range(reader, &tree->ranges, from, to);
    }
    if (opposite)
        tree->ranges = complement(reader, tree->ranges);
    return tree;
}

static struct tree *any_rune(struct reader *reader, bool lines) {
    struct tree *tree = tree_new(reader, TREE_SET, NULL, NULL);
    if (lines) {
        add_range(reader, &tree->ranges, 0, RUNE_LAST);
        return tree;
    }
    add_range(reader, &tree->ranges, '\n', '\n');
    add_range(reader, &tree->ranges, '\r', '\r');
    add_range(reader, &tree->ranges, 0x2028, 0x2029);
    tree->ranges = complement(reader, tree->ranges);
    return tree;
}

static struct tree *read_either(struct reader *reader, bool top);

static struct tree *read_group(struct reader *reader) {
    if (skip(reader, '?') && !skip(reader, ':'))
        return give_up(reader);
    if (++reader->depth > DEPTH)
        return give_up(reader);
    struct tree *tree = read_either(reader, false);
    reader->depth--;
    return skip(reader, ')') ? tree : give_up(reader);
}

static struct tree *read_atom(struct reader *reader) {
    int c = peek(reader);
    if (skip(reader, '('))
        return read_group(reader);
    if (skip(reader, '['))
        return read_class(reader);
    if (skip(reader, '.'))
        return any_rune(reader, false);
    if (c == '^' || c == '$' || c == '{' || c == '}' || c == '*' || c == '+' || c == '?' || c == ']')
        return give_up(reader);
    struct tree *tree = tree_new(reader, TREE_SET, NULL, NULL);
    if (skip(reader, '\\')) {
        c = peek(reader);
        reader->at++;
        if (!class_escape(reader, &tree->ranges, c))
            add_range(reader, &tree->ranges, rune_escape(reader, c), rune_escape(reader, c));
        return tree;
    }
    uint32_t rune = next_rune(reader);
    add_range(reader, &tree->ranges, rune, rune);
    return tree;
}

static unsigned read_number(struct reader *reader) {
    unsigned number = 0;
    bool any = false;
    for (; peek(reader) >= '0' && peek(reader) <= '9' && number < STATES; reader->at++, any = true)
        number = number * 10 + (unsigned)(peek(reader) - '0');
    reader->bad |= !any || number >= STATES;
    return number;
}

static struct tree *read_repeat(struct reader *reader) {
    struct tree *tree = read_atom(reader);
    unsigned min = 1, max = 1;
    if (skip(reader, '*')) {
        min = max = 0;
    } else if (skip(reader, '+')) {
        max = 0;
    } else if (skip(reader, '?')) {
        min = 0;
    } else if (skip(reader, '{')) {
        min = max = read_number(reader);
        if (skip(reader, ','))
            max = peek(reader) == '}' ? 0 : read_number(reader);
        else if (!max)
            return give_up(reader); /* {0} */
        reader->bad |= !skip(reader, '}') || (max && max < min);
    } else {
        return tree;
    }
    skip(reader, '?'); /* lazy: the same texts */
    struct tree *repeat = tree_new(reader, TREE_REPEAT, tree, NULL);
    repeat->min = min;
    repeat->max = max;
    return repeat;
}

static struct tree *anything(struct reader *reader) {
    return tree_new(reader, TREE_REPEAT, any_rune(reader, true), NULL);
}

/* One alternative; at the top it may begin before and end behind what is written. */
static struct tree *read_sequence(struct reader *reader, bool top) {
    struct tree *tree = tree_new(reader, TREE_EMPTY, NULL, NULL);
    bool end = false;
    if (top && !skip(reader, '^'))
        tree = anything(reader);
    while (!reader->bad && peek(reader) >= 0 && peek(reader) != '|' && peek(reader) != ')') {
        if (top && peek(reader) == '$') {
            reader->at++;
            end = true;
            reader->bad |= peek(reader) >= 0 && peek(reader) != '|';
            break;
        }
        tree = tree_new(reader, TREE_BOTH, tree, read_repeat(reader));
    }
    return top && !end ? tree_new(reader, TREE_BOTH, tree, anything(reader)) : tree;
}

static struct tree *read_either(struct reader *reader, bool top) {
    struct tree *tree = read_sequence(reader, top);
    while (!reader->bad && skip(reader, '|'))
        tree = tree_new(reader, TREE_EITHER, tree, read_sequence(reader, top));
    return tree;
}

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
    struct reader reader = {.arena = arena, .text = pattern};
    struct tree *tree = read_either(&reader, true);
    if (reader.bad || reader.at < pattern.size)
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

static bool walk(struct arena *arena, struct map *seen, const struct language *small,
                 const struct language *large, int64_t *steps) {
    runes alike = borders(arena, small, large);
    LIST(struct pair) waiting = {0};
    struct pair first = {0};
    enter(small, &first.small, small->start);
    enter(large, &first.large, large->start);
    list_push(arena, &waiting, first);
    for (size_t at = 0; at < waiting.count; at++) {
        struct pair now = waiting.items[at];
        if (ends(&now.small) && !ends(&now.large))
            return false;
        *steps -= (int64_t)alike.count * (small->count + large->count) / 64 + 1;
        if (*steps <= 0 || waiting.count > PAIRS)
            return false;
        for (size_t i = 0; i < alike.count; i++) {
            struct pair next = {after(small, &now.small, alike.items[i], false),
                                after(large, &now.large, alike.items[i], false)};
            weir_text key = {(const char *)&next, sizeof next};
            if (!nothing_left(&next.small) && !map_put(seen, key, seen))
                list_push(arena, &waiting, next);
        }
    }
    return true;
}

bool language_within(const struct language *small, const struct language *large, int64_t *steps) {
    struct arena *arena = arena_new();
    struct map *seen = map_new();
    bool within = walk(arena, seen, small, large, steps);
    map_free(seen);
    arena_free(arena);
    return within;
}
