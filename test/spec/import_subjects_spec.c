/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: import */
/* From stored subjects to the patterns somebody meant. */
#include "import/subjects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/subject.h"
#include "kit/spec.h"

/* Subjects and names end in NULL. Returns the patterns, a blank between them; lives in the arena. */
static const char *gathered(arena *arena, const char *const *subjects, const char *const *named) {
    LIST(struct subject_count) counts = {0};
    size_t names = 0, dropped;
    for (size_t i = 0; subjects[i]; i++)
        list_push(arena, &counts, ((struct subject_count){weir_text_of(subjects[i]), 1}));
    while (named && named[names])
        names++;
    subject_patterns patterns = subjects_gather(arena, counts.items, counts.count, named, names, &dropped);
    buffer text;
    buffer_init(&text, 1 << 20);
    buffer_string(&text, "");
    for (size_t i = 0; i < patterns.count; i++)
        buffer_printf(&text, "%s%s", i ? " " : "", patterns.items[i].pattern);
    const char *kept = arena_cstr(arena, buffer_view(&text));
    buffer_release(&text);
    assert_int_equal(dropped, 0);
    return kept;
}

struct row {
    const char *subjects[8], *named[3], *expected;
};

static void expect_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        arena *arena = arena_new();
        assert_string_equal(gathered(arena, rows[i].subjects, rows[i].named), rows[i].expected);
        arena_free(arena);
    }
}

static void values_become_parameters(void **state) {
    (void)state;
    static const struct row rows[] = {
        {{"agent.run.started.a1", "agent.run.started.a2"}, {0}, "agent.run.started.*"},
        {{"order.17.paid"}, {0}, "order.*.paid"},
        {{"order.17.paid", "order.18.placed"}, {0}, "order.*.paid order.*.placed"},
        {{"s.01890a5d-ac96-774b-bcce-b302099a8057"}, {0}, "s.*"},
        {{"day.2026-01-01", "day.2026-01-02"}, {0}, "day.*"},
        {{"a.x1.y1", "a.x2.y2"}, {0}, "a.*.*"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void words_stay_words(void **state) {
    (void)state;
    static const struct row rows[] = {
        {{"order.placed", "order.paid"}, {0}, "order.paid order.placed"},
        {{"order.v1.placed", "order.v2.placed"}, {0}, "order.v1.placed order.v2.placed"},
        {{"site.s3"}, {0}, "site.s3"}, /* one alone says nothing */
        {{"a", "a.b", "a.b.c"}, {0}, "a a.b a.b.c"},
        {{"orders.created", "carts.created", "orders.updated", "carts.updated"},
         {0},
         "carts.created carts.updated orders.created orders.updated"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void what_somebody_names_is_a_word(void **state) {
    (void)state;
    static const struct row rows[] = {
        {{"grid.zone1.load", "grid.zone2.load"}, {"grid.zone1.>"}, "grid.zone1.load grid.zone2.load"},
        {{"grid.zone1.load", "grid.zone2.load"}, {"grid.*.load"}, "grid.*.load"},
        {{"order.17", "order.18"}, {"order.17"}, "order.17 order.18"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void patterns_never_overlap(void **state) {
    (void)state;
    static const struct row rows[] = {
        {{"order.17", "order.created"}, {0}, "order.*"}, /* they cannot be told apart */
        {{"order.17.paid", "order.eu.paid"}, {0}, "order.*.paid"},
        {{"order.17.paid", "order.eu.open"}, {0}, "order.eu.open order.*.paid"},
    };
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void more_words_than_anybody_declares_are_values(void **state) {
    (void)state;
    arena *arena = arena_new();
    LIST(const char *) leaves = {0}, alike = {0};
    for (int i = 0; i < 100; i++) {
        const char *word = arena_printf(arena, "%c%c", 'a' + i / 26, 'a' + i % 26);
        list_push(arena, &leaves, arena_printf(arena, "user.%s", word));
        if (i < 20)
            list_push(arena, &alike, arena_printf(arena, "site.%s.read", word));
        if (i < 20)
            list_push(arena, &alike, arena_printf(arena, "site.%s.done", word));
    }
    list_push(arena, &leaves, NULL);
    list_push(arena, &alike, NULL);
    assert_string_equal(gathered(arena, leaves.items, NULL), "user.*");
    assert_string_equal(gathered(arena, alike.items, NULL), "site.*.done site.*.read");
    arena_free(arena);
}

static void some_subjects_cannot_be_described(void **state) {
    (void)state;
    static const struct {
        const char *subject;
        bool describable;
    } rows[] = {
        {"a.b", true},
        {"a.caf\xC3\xA9", true},
        {"a..b", false},
        {"a.{b}", false},
        {"a b", false},
        {"a.\xEF\xBF\xBD", false},
        {"", false},
        {"a.\x01", false},
        {"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2", true},
        {"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(subject_describable(weir_text_of(rows[i].subject)), rows[i].describable);
}

/* --- whatever the subjects are -------------------------------------------------------------------------- */

static uint64_t luck;
static uint32_t pick(uint32_t below) {
    luck = luck * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(luck >> 33) % below;
}

/* Every subject has exactly one pattern, which counts it. */
static void hold(uint64_t seed) {
    static const char *const words[] = {"a",  "b",  "created",    "paid", "17",
                                        "x1", "x2", "2026-01-01", "v1",   "eu"};
    arena *arena = arena_new();
    LIST(struct subject_count) counts = {0};
    luck = seed;
    for (uint32_t i = 1 + pick(40); i > 0; i--) {
        buffer text;
        buffer_init(&text, 1024);
        for (uint32_t t = 1 + pick(4); t > 0; t--)
            buffer_printf(&text, "%s%s", text.size ? "." : "", words[pick(10)]);
        const char *subject = arena_cstr(arena, buffer_view(&text));
        buffer_release(&text);
        bool known = false;
        for (size_t k = 0; k < counts.count && !known; k++)
            known = text_is(counts.items[k].subject, subject);
        if (!known)
            list_push(arena, &counts, ((struct subject_count){weir_text_of(subject), i}));
    }
    const char *const named[] = {words[pick(10)], "a.b.>", "*.17"};
    size_t dropped, subjects = 0;
    subject_patterns patterns = subjects_gather(arena, counts.items, counts.count, named, pick(4), &dropped);
    for (size_t p = 0; p < patterns.count; p++)
        subjects += patterns.items[p].subjects;
    for (size_t i = 0; i < counts.count; i++) {
        size_t matches = 0;
        for (size_t p = 0; p < patterns.count; p++)
            matches += pattern_matches(weir_text_of(patterns.items[p].pattern), counts.items[i].subject);
        if (matches != 1 || subjects != counts.count)
            fail_msg("seed %llu: %.*s has %zu patterns, %zu of %zu subjects", (unsigned long long)seed,
                     TEXT_ARG(counts.items[i].subject), matches, subjects, counts.count);
    }
    arena_free(arena);
}

static void every_subject_has_one_pattern(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    for (uint64_t i = 0; i < 5000; i++)
        hold(seed + i);
}

static const struct spec specs[] = {
    {"tokens that look like values become parameters", values_become_parameters},
    {"words stay words", words_stay_words},
    {"a token that a consumer or the stream names stays a word", what_somebody_names_is_a_word},
    {"patterns never overlap", patterns_never_overlap},
    {"more words than anybody would declare are values", more_words_than_anybody_declares_are_values},
    {"malformed and strange subjects are no event types", some_subjects_cannot_be_described},
    {"every subject has exactly one pattern", every_subject_has_one_pattern},
};
SPEC_MAIN(specs)
