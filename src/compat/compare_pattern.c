/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the regular part of ECMA-262's regular expressions. The pattern was compiled before, so it is sound; what is
 * met here and not known is given up, not refused. */
#include "compat/compare_pattern.h"

#include <stdlib.h>

#include "base/text.h"

enum { DEPTH = 32, TREE_MAX = 2000 };

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
    for (; peek(reader) >= '0' && peek(reader) <= '9' && number < REPEAT_MAX; reader->at++, any = true)
        number = number * 10 + (unsigned)(peek(reader) - '0');
    reader->bad |= !any || number >= REPEAT_MAX;
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

/* --- the whole -------------------------------------------------------------------------------------------- */

const struct tree *pattern_tree(struct arena *arena, weir_text pattern) {
    struct reader reader = {.arena = arena, .text = pattern};
    const struct tree *tree = read_either(&reader, true);
    return reader.bad || reader.at < pattern.size ? NULL : tree;
}
