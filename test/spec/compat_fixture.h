/* SPDX-License-Identifier: Apache-2.0 */
/* Two catalogs as text, compared, and what was found as lines:
 * "break ORDERS: drops events older than 7d (were kept 30d) [group billing (shop)]". */
#ifndef SPEC_COMPAT_FIXTURE_H
#define SPEC_COMPAT_FIXTURE_H

#include "base/units.h"
#include "compat/compat.h"
#include "kit/catalog.h"
#include "kit/findings.h"
#include "kit/spec.h"

#define DAY_NS (24 * 3600 * NS_PER_S)
enum { LINES_MAX = 16, SIDES_MAX = 8 };

/* An edit of the text: old and new, ended by NULL. */
struct change {
    const char *edits[13];
    const char *lines[LINES_MAX]; /* ended by NULL */
};

static weir_catalog *catalog_of(const char *yaml) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    return catalog;
}

static inline const char *edited(const char *yaml, const char *const *edits) {
    for (; edits[0]; edits += 2)
        yaml = kit_replace(yaml, edits[0], edits[1]);
    return yaml;
}

static const char *line_of(arena *arena, const struct compat_finding *finding) {
    static const char *const names[] = {"break", "undecided", "note"};
    bool allowed = finding->severity == COMPAT_BREAK && !finding->required;
    buffer line;
    buffer_init(&line, 16 << 10);
    buffer_printf(&line, "%s %s: %s", allowed ? "allowed" : names[finding->severity], finding->about,
                  finding->says);
    for (size_t i = 0; i < finding->affected.count; i++)
        buffer_printf(&line, "%s%s", i ? ", " : " [", finding->affected.items[i]);
    if (finding->affected.count)
        buffer_char(&line, ']');
    const char *kept = arena_cstr(arena, buffer_view(&line));
    buffer_release(&line);
    return kept;
}

static void expect_lines(const struct compat *result, const char *const *lines) {
    size_t count = 0;
    while (lines[count])
        count++;
    bool same = result->findings.count == count;
    for (size_t i = 0; i < count && same; i++)
        same = strcmp(line_of(result->arena, &result->findings.items[i]), lines[i]) == 0;
    for (size_t i = 0; i < result->findings.count && !same; i++)
        print_error("found:    %s\n", line_of(result->arena, &result->findings.items[i]));
    for (size_t i = 0; i < count && !same; i++)
        print_error("expected: %s\n", lines[i]);
    assert_true(same);
}

/* A line of catalogs with the days before now since when each is in force; the last one is new. */
struct history {
    const char *yaml[SIDES_MAX];
    int days[SIDES_MAX];
    size_t old;
    enum compat_word require;
};

/* The result is the caller's; the catalogs stay open until close_history. */
struct opened {
    weir_catalog *catalogs[SIDES_MAX];
    struct compat_side sides[SIDES_MAX];
    struct compat result;
};

static void open_history(struct opened *out, const struct history *history) {
    static const char *const labels[SIDES_MAX] = {"one",  "two", "three", "four",
                                                  "five", "six", "seven", "eight"};
    const int64_t now = 1000 * DAY_NS;
    struct compat_line line = {.sides = out->sides, .old = history->old, .now_ns = now};
    *out = (struct opened){0};
    for (; line.count < SIDES_MAX && history->yaml[line.count]; line.count++) {
        size_t i = line.count;
        out->catalogs[i] = catalog_of(history->yaml[i]);
        out->sides[i] = (struct compat_side){out->catalogs[i], labels[i], now - history->days[i] * DAY_NS};
    }
    compat_run(&out->result, &line, history->require);
}

static void close_history(struct opened *opened) {
    compat_release(&opened->result);
    for (size_t i = 0; i < SIDES_MAX; i++)
        weir_catalog_close(opened->catalogs[i]);
}

static inline void expect_changes(const char *yaml, const struct change *changes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct opened opened;
        open_history(&opened, &(struct history){.yaml = {yaml, edited(yaml, changes[i].edits)},
                                                .require = WORD_FULL_TRANSITIVE});
        expect_lines(&opened.result, changes[i].lines);
        close_history(&opened);
    }
}
#define EXPECT_CHANGES(yaml, changes) expect_changes((yaml), (changes), sizeof(changes) / sizeof *(changes))

#endif
