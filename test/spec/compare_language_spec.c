/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat */
/* Patterns as sets of texts: which lies within which, and how long their texts are. */
#include <stdio.h>

#include "base/memory.h"
#include "compat/compare_language.h"
#include "kit/spec.h"

enum answer { WITHIN, NOT_WITHIN, UNKNOWN };

static const struct {
    const char *small, *large;
    enum answer answer;
} rows[] = {
    {"^a$", "^a$", WITHIN},
    {"^a+$", "^a*$", WITHIN},
    {"^a*$", "^a+$", NOT_WITHIN},
    {"^[a-f]$", "^[a-c]|[d-f]$", WITHIN},
    {"^[a-f]$", "^([a-c]|[e-f])$", NOT_WITHIN},
    {"^(ab|ac)$", "^a(b|c)$", WITHIN},
    {"^(a|b)*$", "^(a*b*)*$", WITHIN},
    {"^(ab){2,3}$", "^(ab)+$", WITHIN},
    {"^(ab)+$", "^(ab){2,3}$", NOT_WITHIN},
    {"^a{1,3}?$", "^a{1,3}$", WITHIN},
    {"a", "", WITHIN},
    {"", "a", NOT_WITHIN},
    {"^ab", "^a", WITHIN},
    {"ab$", "b$", WITHIN},
    {"^a|b$", "a|b", WITHIN},
    {"^.$", "^[^\\n]$", WITHIN},
    {"^[^\\n]$", "^.$", NOT_WITHIN}, /* a dot is no \r either */
    {"^\\d{4}-\\d{2}$", "^[0-9-]+$", WITHIN},
    {"^\\w$", "^[A-Za-z0-9_]$", WITHIN},
    {"^\\W$", "^[^_]$", WITHIN},
    {"^[\\w.-]+$", "^[A-Za-z0-9_.-]+$", WITHIN},
    {"^\\u0041$", "^A$", UNKNOWN},
    {"^é$", "^[à-ü]$", WITHIN},
    {"^(?=a)a$", "^a$", UNKNOWN},
    {"^(a)\\1$", "^aa$", UNKNOWN},
    {"^a$", "^(?<x>a)$", UNKNOWN},
    {"^\\p{L}$", "^.$", UNKNOWN},
    {"^(a{100}){100}$", "^a*$", UNKNOWN}, /* too large */
    {"^((((a*)*)*)*)*$", "^a*$", WITHIN},
};

static void within(void **state) {
    (void)state;
    static const char *const words[] = {"within", "not within", "unknown"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new();
        const struct language *small = language_new(arena, weir_text_of(rows[i].small));
        const struct language *large = language_new(arena, weir_text_of(rows[i].large));
        int64_t steps = 100000;
        enum answer answer = !small || !large                              ? UNKNOWN
                             : language_within(small, large, &steps, NULL) ? WITHIN
                                                                           : NOT_WITHIN;
        assert_true(steps > 0);
        if (answer != rows[i].answer)
            fail_msg("%s in %s: %s, not %s", rows[i].small, rows[i].large, words[rows[i].answer],
                     words[answer]);
        arena_free(arena);
    }
}

static void lengths(void **state) {
    (void)state;
    static const struct {
        const char *pattern;
        uint64_t shortest, longest;
    } texts[] = {
        {"^$", 0, 0},
        {"^abc$", 3, 3},
        {"^a{2,5}$", 2, 5},
        {"^a|bcd$", 1, UINT64_MAX},
        {"^(a|bcd)$", 1, 3},
        {"^a*$", 0, UINT64_MAX},
        {"^[a-z]+-\\d{2}$", 4, UINT64_MAX},
        {"abc", 3, UINT64_MAX},
        {"^(ab?)?$", 0, 2},
        {"^(a{10}){20}$", 200, 200},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena *arena = arena_new();
        uint64_t shortest, longest;
        const struct language *language = language_new(arena, weir_text_of(texts[i].pattern));
        assert_non_null(language);
        language_lengths(language, &shortest, &longest);
        if (shortest != texts[i].shortest || longest != texts[i].longest)
            fail_msg("%s: %llu to %llu", texts[i].pattern, (unsigned long long)shortest,
                     (unsigned long long)longest);
        arena_free(arena);
    }
}

/* The set of the reversed pattern doubles with each character. */
static void bounded(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    const struct language *small = language_new(arena, weir_text_of("^(a|b)*a(a|b){60}$"));
    const struct language *large = language_new(arena, weir_text_of("^(a|b)*a(a|b){59}(a|b)$"));
    int64_t steps = 100000;
    assert_non_null(small);
    assert_non_null(large);
    assert_false(language_within(small, large, &steps, NULL));
    arena_free(arena);
}

static const struct spec specs[] = {
    {"a pattern lies within another, or does not, or nobody knows", within},
    {"a pattern knows its shortest and its longest text", lengths},
    {"what would take too long is not known", bounded},
};

SPEC_MAIN(specs)
