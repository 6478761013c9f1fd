/* SPDX-License-Identifier: Apache-2.0 */
/* A walk down the tree of tokens. At each place the subjects with the same beginning are split by their token
 * there; tokens that are values are put together again and walked as one. Each step sorts what it splits:
 * n log n per token. */
#include "import/subjects.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "event/subject.h"
#include "schema/infer.h"

/* One subject, cut. */
struct cut {
    const struct subject_count *from;
    weir_text *tokens;
    size_t count;
};

/* Subjects with the same token at a place. */
struct run {
    weir_text token;
    struct cut **cuts;
    size_t count;
    bool value;
};

struct gathering {
    arena *arena;
    subject_patterns patterns;
    const char *const *named;
    size_t named_count, dropped;
    weir_text prefix[LIMIT_SUBJECT_TOKENS]; /* "*" for a parameter */
};

bool subject_describable(weir_text subject) {
    weir_error err;
    return subject_check(subject, &err) == WEIR_OK && subject_tokens(subject) <= LIMIT_SUBJECT_TOKENS &&
           !memchr(subject.data, '{', subject.size) &&
           !memmem(subject.data, subject.size, "\xEF\xBF\xBD", 3) && text_valid_utf8(subject);
}

/* --- what others name ----------------------------------------------------------------------------------- */

static bool prefix_fits(const struct gathering *gathering, weir_text pattern, size_t depth) {
    for (size_t i = 0; i < depth; i++) {
        weir_text token = subject_token(pattern, i);
        if (!text_is(token, "*") && !text_is(gathering->prefix[i], "*") &&
            !text_equal(token, gathering->prefix[i]))
            return false;
    }
    return true;
}

static bool is_named(const struct gathering *gathering, size_t depth, weir_text token) {
    for (size_t i = 0; i < gathering->named_count; i++) {
        weir_text pattern = weir_text_of(gathering->named[i]);
        if (text_equal(subject_token(pattern, depth), token) && prefix_fits(gathering, pattern, depth))
            return true;
    }
    return false;
}

/* --- values or words ------------------------------------------------------------------------------------ */

/* What follows a token, as a number: values count as equal, order and repetition do not. */
static uint64_t below(const struct run *run, size_t depth) {
    static const uint64_t seed[2] = {0xB310, 0x3};
    map *seen = map_new();
    uint64_t sum = 0;
    buffer text;
    buffer_init(&text, 2 * LIMIT_SUBJECT_BYTES);
    for (size_t i = 0; i < run->count; i++) {
        buffer_clear(&text);
        for (size_t t = depth + 1; t < run->cuts[i]->count; t++) {
            weir_text token = run->cuts[i]->tokens[t];
            buffer_char(&text, '.');
            buffer_text(&text, token_look(token) == TOKEN_WORD ? token : weir_text_of("*"));
        }
        buffer_string(&text, "");
        if (!map_put(seen, buffer_view(&text), &text))
            sum += map_hash(buffer_view(&text), seed);
    }
    buffer_release(&text);
    map_free(seen);
    return sum;
}

static bool all_alike(const struct run *runs, size_t count, size_t depth) {
    uint64_t first = 0;
    size_t words = 0;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].value)
            continue;
        uint64_t sum = below(&runs[i], depth);
        if (words++ == 0)
            first = sum;
        else if (sum != first)
            return false;
    }
    return words > SUBJECT_ALIKE;
}

static void judge_words(struct gathering *gathering, struct run *runs, size_t count, size_t depth,
                        bool leaf) {
    size_t words = 0;
    for (size_t i = 0; i < count; i++)
        words += !runs[i].value;
    bool too_many = words > SUBJECT_WORDS_MAX;
    if (!too_many && (leaf || depth == 0 || !all_alike(runs, count, depth)))
        return;
    for (size_t i = 0; i < count; i++)
        runs[i].value = runs[i].value || too_many || !is_named(gathering, depth, runs[i].token);
}

static void judge(struct gathering *gathering, struct run *runs, size_t count, size_t depth, bool leaf) {
    size_t like_values = 0;
    bool named = false;
    for (size_t i = 0; i < count; i++) {
        enum token_look look = token_look(runs[i].token);
        like_values += look != TOKEN_WORD;
        named |= is_named(gathering, depth, runs[i].token);
    }
    for (size_t i = 0; i < count; i++) {
        enum token_look look = token_look(runs[i].token);
        bool company = look == TOKEN_STRONG || (look == TOKEN_WEAK && like_values > 1);
        runs[i].value = company && !(named && count <= SUBJECT_WORDS_MAX);
    }
    judge_words(gathering, runs, count, depth, leaf);
}

/* --- the walk ------------------------------------------------------------------------------------------- */

static _Thread_local size_t sorting_by; /* qsort has no argument of its own */
static int by_token(const void *a, const void *b) {
    const struct cut *left = *(struct cut *const *)a, *right = *(struct cut *const *)b;
    return text_compare(left->tokens[sorting_by], right->tokens[sorting_by]);
}

static void emit(struct gathering *gathering, struct cut **cuts, size_t count, size_t depth) {
    if (gathering->patterns.count >= SUBJECT_PATTERNS_MAX) {
        gathering->dropped += count;
        return;
    }
    struct subject_pattern pattern = {.subjects = count};
    for (size_t i = 0; i < count; i++)
        pattern.messages += cuts[i]->from->messages;
    buffer text;
    buffer_init(&text, 2 * LIMIT_SUBJECT_BYTES);
    for (size_t i = 0; i < depth; i++) {
        buffer_string(&text, i ? "." : "");
        buffer_text(&text, gathering->prefix[i]);
    }
    pattern.pattern = arena_cstr(gathering->arena, buffer_view(&text));
    list_push(gathering->arena, &gathering->patterns, pattern);
    buffer_release(&text);
}

static void walk(struct gathering *gathering, struct cut **cuts, size_t count, size_t depth);

static void walk_run(struct gathering *gathering, weir_text token, struct cut **cuts, size_t count,
                     size_t depth) {
    gathering->prefix[depth] = token;
    if (count)
        walk(gathering, cuts, count, depth + 1);
}

/* All cuts have the same length and the same beginning. */
static void walk(struct gathering *gathering, struct cut **cuts, size_t count, size_t depth) {
    if (depth == cuts[0]->count) {
        emit(gathering, cuts, count, depth);
        return;
    }
    sorting_by = depth;
    qsort(cuts, count, sizeof *cuts, by_token);
    LIST(struct run) runs = {0};
    for (size_t i = 0; i < count; i++) {
        struct run *last = runs.count ? &runs.items[runs.count - 1] : NULL;
        if (last && text_equal(last->token, cuts[i]->tokens[depth]))
            last->count++;
        else
            list_push(gathering->arena, &runs, ((struct run){cuts[i]->tokens[depth], cuts + i, 1, false}));
    }
    judge(gathering, runs.items, runs.count, depth, depth + 1 == cuts[0]->count);
    struct cut **values = arena_alloc(gathering->arena, count * sizeof *values);
    size_t value_count = 0;
    for (size_t i = 0; i < runs.count; i++) {
        struct run *run = &runs.items[i];
        if (run->value) {
            memcpy(values + value_count, run->cuts, run->count * sizeof *values);
            value_count += run->count;
        } else {
            walk_run(gathering, run->token, run->cuts, run->count, depth);
        }
    }
    walk_run(gathering, weir_text_of("*"), values, value_count, depth);
}

/* --- no overlaps ---------------------------------------------------------------------------------------- */

/* The narrowest pattern of `*` and words that matches all both match. */
static const char *both(arena *arena, const char *a, const char *b) {
    buffer text;
    buffer_init(&text, 2 * LIMIT_SUBJECT_BYTES);
    size_t count = subject_tokens(weir_text_of(a));
    for (size_t i = 0; i < count; i++) {
        weir_text left = subject_token(weir_text_of(a), i), right = subject_token(weir_text_of(b), i);
        buffer_string(&text, i ? "." : "");
        buffer_text(&text, text_equal(left, right) ? left : weir_text_of("*"));
    }
    const char *made = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    return made;
}

/* Takes every pattern that overlaps item i into it; true when there was one. */
static bool absorb(struct gathering *gathering, size_t i) {
    subject_patterns *patterns = &gathering->patterns;
    bool any = false;
    for (size_t j = i + 1; j < patterns->count;) {
        struct subject_pattern *a = &patterns->items[i], *b = &patterns->items[j];
        if (!pattern_overlaps(weir_text_of(a->pattern), weir_text_of(b->pattern))) {
            j++;
            continue;
        }
        *a = (struct subject_pattern){both(gathering->arena, a->pattern, b->pattern),
                                      a->subjects + b->subjects, a->messages + b->messages};
        memmove(b, b + 1, (patterns->count - j - 1) * sizeof *b);
        patterns->count--;
        any = true;
    }
    return any;
}

static int by_length(const void *a, const void *b) {
    const struct cut *left = *(struct cut *const *)a, *right = *(struct cut *const *)b;
    return (left->count > right->count) - (left->count < right->count);
}

subject_patterns subjects_gather(arena *memory, const struct subject_count *subjects, size_t count,
                                 const char *const *named, size_t named_count, size_t *dropped) {
    struct gathering gathering = {.arena = memory, .named = named, .named_count = named_count};
    arena *scratch = arena_new();
    struct cut *cut = arena_alloc(scratch, count * sizeof *cut),
               **cuts = arena_alloc(scratch, count * sizeof *cuts);
    for (size_t i = 0; i < count; i++) {
        cut[i].from = &subjects[i];
        cut[i].count = subject_tokens(subjects[i].subject);
        cut[i].tokens = arena_alloc(scratch, cut[i].count * sizeof *cut[i].tokens);
        for (size_t t = 0; t < cut[i].count; t++)
            cut[i].tokens[t] = subject_token(subjects[i].subject, t);
        cuts[i] = &cut[i];
    }
    if (count > 1)
        qsort(cuts, count, sizeof *cuts, by_length);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && cuts[end]->count == cuts[i]->count; end++)
            continue;
        walk(&gathering, cuts + i, end - i, 0);
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < gathering.patterns.count; i++)
            again |= absorb(&gathering, i);
    }
    arena_free(scratch);
    *dropped = gathering.dropped;
    return gathering.patterns;
}
