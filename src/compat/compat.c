/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison as a whole: each part adds its findings, then they are put into the order people read them
 * in. What a part finds does not depend on the others. */
#include "compat/compat.h"

#include <stdlib.h>

#include "compat/finding.h"

static const char *const words[WORD_COUNT] = {
    [WORD_NONE] = "NONE",
    [WORD_BACKWARD] = "BACKWARD",
    [WORD_FORWARD] = "FORWARD",
    [WORD_FULL] = "FULL",
    [WORD_BACKWARD_TRANSITIVE] = "BACKWARD_TRANSITIVE",
    [WORD_FORWARD_TRANSITIVE] = "FORWARD_TRANSITIVE",
    [WORD_FULL_TRANSITIVE] = "FULL_TRANSITIVE",
};

const char *compat_word_name(enum compat_word word) {
    return words[word];
}

bool word_asks(enum compat_word word, enum compat_direction direction, bool transitive) {
    static const struct {
        bool backward, forward, transitive;
    } of[WORD_COUNT] = {
        [WORD_BACKWARD] = {true, false, false},
        [WORD_FORWARD] = {false, true, false},
        [WORD_FULL] = {true, true, false},
        [WORD_BACKWARD_TRANSITIVE] = {true, false, true},
        [WORD_FORWARD_TRANSITIVE] = {false, true, true},
        [WORD_FULL_TRANSITIVE] = {true, true, true},
    };
    bool way = direction == DIRECTION_BACKWARD  ? of[word].backward
               : direction == DIRECTION_FORWARD ? of[word].forward
                                                : word != WORD_NONE;
    return way && (!transitive || of[word].transitive);
}

/* --- event types that come and go ----------------------------------------------------------------------- */

static void removed(struct comparing *run, const struct event_def *event) {
    struct compat_finding *finding = finding_add(run, COMPAT_BREAK, AREA_TYPE, event->type, event->place,
                                                 "is gone: its stored events are of no type any more");
    finding_in_old(run, finding, event->place);
    affects_readers(run, finding, run->was, event->type);
    affects_writers(run, finding, run->was, event);
}

/* A version that goes back makes what is stored newer than the catalog, which readers refuse. */
static void went_back(struct comparing *run, const struct event_def *was, const struct event_def *is) {
    if (is->version >= was->version)
        return;
    struct compat_finding *finding = finding_add(
        run, COMPAT_BREAK, AREA_TYPE, was->type, is->place,
        "its version goes back from %d to %d: readers refuse the stored ones as newer than their catalog",
        was->version, is->version);
    affects_readers(run, finding, run->is, was->type);
}

static void compare_types(struct comparing *run) {
    for (size_t i = 0; i < run->was->events.count; i++) {
        const struct event_def *was = run->was->events.items[i];
        const struct event_def *is = catalog_event(run->is, weir_text_of(was->type));
        if (is)
            went_back(run, was, is);
        else
            removed(run, was);
    }
    for (size_t i = 0; i < run->is->events.count; i++)
        if (!catalog_event(run->was, weir_text_of(run->is->events.items[i]->type)))
            list_push(run->arena, &run->out->added, run->is->events.items[i]->type);
}

/* --- in the order they are read ------------------------------------------------------------------------- */

struct ranked {
    struct compat_finding finding;
    size_t at;
};

static int by_rank(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->finding.severity != y->finding.severity)
        return x->finding.severity < y->finding.severity ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void settle(struct comparing *run) {
    struct compat *out = run->out;
    struct ranked *ranked = arena_alloc(out->arena, (out->findings.count + 1) * sizeof *ranked);
    for (size_t i = 0; i < out->findings.count; i++) {
        const struct compat_finding *finding = &out->findings.items[i];
        bool allowed = finding->severity == COMPAT_BREAK && !finding->required;
        *(allowed ? &out->allowed : &out->counts[finding->severity]) += 1;
        ranked[i] = (struct ranked){*finding, i};
    }
    if (out->findings.count > 1)
        qsort(ranked, out->findings.count, sizeof *ranked, by_rank);
    for (size_t i = 0; i < out->findings.count; i++)
        out->findings.items[i] = ranked[i].finding;
}

void compat_run(struct compat *out, const struct compat_line *line, enum compat_word require) {
    *out = (struct compat){.arena = arena_new()};
    struct comparing run = {.out = out,
                            .arena = out->arena,
                            .line = line,
                            .require = require,
                            .old_side = &line->sides[line->old],
                            .new_side = &line->sides[line->count - 1]};
    run.texts = map_new();
    run.was = run.old_side->catalog;
    run.is = run.new_side->catalog;
    compare_types(&run);
    compare_schemas(&run);
    compare_envelopes(&run);
    compare_rights(&run);
    compare_retention(&run);
    compare_order(&run);
    compare_subjects(&run);
    settle(&run);
    map_free(run.texts);
}

void compat_release(struct compat *compat) {
    arena_free(compat->arena);
    *compat = (struct compat){0};
}
