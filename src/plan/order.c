/* SPDX-License-Identifier: Apache-2.0 */
/* The order of application. Advisories are captured before any consumer can raise one; streams stand before
 * their consumers; what must give up a subject or a filter goes before what takes it. Deleting comes last
 * unless its subjects are needed. */
#include <stdlib.h>
#include <string.h>

#include "event/subject.h"
#include "plan/compare.h"

enum {
    RANK_MAKE_ROOM, /* delete a stream whose subjects another one takes */
    RANK_ADVISORIES,
    RANK_DEAD_LETTERS,
    RANK_REDELIVER,
    RANK_NARROW_STREAM, /* an update that gives up subjects */
    RANK_STREAM,
    RANK_FREE_FILTER, /* delete a consumer: its filter may be needed on a work queue */
    RANK_CONSUMER,
    RANK_DELETE_STREAM,
    RANK_FOREIGN
};

static const json *subjects_of(const json *config) {
    return json_get(config, "subjects");
}

static bool any_overlap(const json *a, const json *b) {
    for (struct json_iter i = json_iter(a); json_next(&i);)
        for (struct json_iter j = json_iter(b); json_next(&j);)
            if (pattern_overlaps(json_text(i.value), json_text(j.value)))
                return true;
    return false;
}

static bool takes_subjects(const struct plan_step *step) {
    if (step->step.thing != WEIR_STREAM || !step->desired)
        return false;
    if (step->step.kind == WEIR_STEP_CREATE)
        return true;
    for (size_t i = 0; i < step->changes.count; i++)
        if (strcmp(step->changes.items[i].field, "subjects") == 0)
            return true;
    return false;
}

static bool needed_by_others(const weir_plan *plan, const struct plan_step *deleted) {
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];
        if (takes_subjects(step) &&
            any_overlap(subjects_of(step->desired->config), subjects_of(deleted->observed)))
            return true;
    }
    return false;
}

/* Does an update leave a subject that it had? */
static bool narrows(const struct plan_step *step) {
    for (struct json_iter i = json_iter(subjects_of(step->observed)); json_next(&i);) {
        bool kept = false;
        for (struct json_iter j = json_iter(subjects_of(step->desired->config)); json_next(&j);)
            kept |= pattern_contains(json_text(j.value), json_text(i.value));
        if (!kept)
            return true;
    }
    return false;
}

static int rank_of(const weir_plan *plan, const struct plan_step *step) {
    bool stream = step->step.thing == WEIR_STREAM;
    if (!step->desired && step->step.kind != WEIR_STEP_DELETE)
        return RANK_FOREIGN;
    if (!step->desired && stream)
        return needed_by_others(plan, step) ? RANK_MAKE_ROOM : RANK_DELETE_STREAM;
    if (!stream)
        return step->desired ? RANK_CONSUMER : RANK_FREE_FILTER;
    switch (step->desired->role) {
    case STREAM_ADVISORIES:
        return RANK_ADVISORIES;
    case STREAM_DEAD_LETTERS:
        return RANK_DEAD_LETTERS;
    case STREAM_REDELIVER:
    case STREAM_CATALOG:
        return RANK_REDELIVER;
    default:
        return step->observed && narrows(step) ? RANK_NARROW_STREAM : RANK_STREAM;
    }
}

/* The group whose way back another catalog's redelivery stream holds already: "_weir.to.<group>.>". */
static weir_text shared_group(const struct plan_step *step, const struct observed_stream *stream) {
    for (struct json_iter i = json_iter(subjects_of(step->desired->config)); json_next(&i);)
        for (struct json_iter j = json_iter(subjects_of(stream->config)); json_next(&j);)
            if (pattern_overlaps(json_text(i.value), json_text(j.value)))
                return subject_token(json_text(i.value), 2);
    return (weir_text){NULL, 0};
}

static const char *intruder_note(arena *arena, const struct plan_step *step,
                                 const struct observed_stream *stream, const char *owner) {
    if (owner && step->desired->role == STREAM_REDELIVER)
        return arena_printf(arena,
                            "the catalog '%s' has a group '%.*s' too, and a group's name is its address on "
                            "the servers: rename it in one of the two, or give each catalog an account of "
                            "its own",
                            owner, TEXT_ARG(shared_group(step, stream)));
    if (owner)
        return arena_printf(
            arena,
            "its subjects overlap with stream %s of the catalog '%s': narrow one of them, or give each "
            "catalog an account of its own",
            stream->name, owner);
    return arena_printf(
        arena,
        "its subjects overlap with stream %s, which is not of this catalog: narrow one of them, or "
        "name %s in the catalog to take it over",
        stream->name, stream->name);
}

/* Does a stream that stays and is not the catalog's hold a subject that the step takes? The server would
 * refuse. */
static void find_intruder(weir_plan *plan, struct plan_step *step) {
    for (size_t i = 0; i < plan->observed.streams.count; i++) {
        const struct observed_stream *stream = plan->observed.streams.items[i];
        const char *owner;
        if (map_get(plan->desired.by_name, weir_text_of(stream->name)) ||
            owned_by(stream->config, plan->catalog->name, &owner) ||
            !any_overlap(subjects_of(step->desired->config), subjects_of(stream->config)))
            continue;
        step->step.kind = WEIR_STEP_IMPOSSIBLE;
        step->step.note = intruder_note(plan->arena, step, stream, owner);
        return;
    }
}

enum { STAGE = 1000000 }; /* room for the index within a stage */

static bool moves_filter(const struct plan_step *step) {
    for (size_t i = 0; step->step.kind == WEIR_STEP_UPDATE && i < step->changes.count; i++)
        if (strcmp(step->changes.items[i].field, "filter_subjects") == 0)
            return true;
    return false;
}

/* On a work queue a filter must be given up before another consumer takes it. */
static bool queue_up(const struct plan_step *a, const struct plan_step *b) {
    if (a->step.thing != WEIR_CONSUMER || b->step.thing != WEIR_CONSUMER || !a->stream ||
        a->stream != b->stream)
        return false;
    const char *retention = json_cstr(json_get(a->stream->config, "retention"));
    return retention && strcmp(retention, "workqueue") == 0 && (moves_filter(a) || moves_filter(b));
}

/* Streams that give up subjects may also take what the one before gave up. */
bool plan_together(const struct plan_step *a, const struct plan_step *b) {
    int stage = a->rank / STAGE;
    return stage == b->rank / STAGE && stage != RANK_NARROW_STREAM && stage != RANK_FOREIGN &&
           a->step.kind != WEIR_STEP_REPLACE && b->step.kind != WEIR_STEP_REPLACE && !queue_up(a, b);
}

static int by_rank(const void *a, const void *b) {
    const struct plan_step *left = a, *right = b;
    return left->rank - right->rank;
}

void plan_order(weir_plan *plan) {
    size_t count = plan->steps.count;
    for (size_t i = 0; i < count; i++) {
        struct plan_step *step = &plan->steps.items[i];
        if (takes_subjects(step) && step->step.kind != WEIR_STEP_IMPOSSIBLE)
            find_intruder(plan, step);
    }
    for (size_t i = 0; i < count; i++) /* the index keeps the order of equals: qsort need not */
        plan->steps.items[i].rank = rank_of(plan, &plan->steps.items[i]) * STAGE + (int)i;
    if (count > 1)
        qsort(plan->steps.items, count, sizeof *plan->steps.items, by_rank);
}
