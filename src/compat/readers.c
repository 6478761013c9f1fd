/* SPDX-License-Identifier: Apache-2.0 */
/* Each version that may be stored is held against the new readers, and what is written from now on against the readers
 * of each. New readers are asked one by one, since a group may state which versions it reads: some get a version
 * as it is, some get it brought up, some get nothing. */
#include <stdio.h>

#include "base/limits.h"
#include "compat/compare.h"
#include "compat/judge.h"
#include "event/upcast.h"

static struct shown_schema current_of(const struct event_def *def) {
    return (struct shown_schema){def->schema, def->payload, def->place};
}

/* --- new readers, stored events ------------------------------------------------------------------------- */

/* Groups that get the version the same way. */
struct way {
    int to;          /* the version they get; 0: they refuse it */
    bool listed;     /* they state that they read that very version */
    const char *why; /* they refuse it */
    reader_list readers;
};
typedef LIST(struct way) way_list;

/* Does an event of this version reach the group's handlers? */
static bool reaches(const struct group_def *group, const struct event_def *def, int version,
                    weir_error *err) {
    const struct group_versions *versions = group_versions_of(group, def);
    char name[LIMIT_NAME_BYTES + 16];
    int to;
    snprintf(name, sizeof name, "group '%s'", group->name);
    return !versions || event_version_for(&to, def, version, versions->versions.items,
                                          versions->versions.count, name, err) == WEIR_OK;
}

static void add_way(struct judging *judging, way_list *ways, int version, const struct group_def *group) {
    arena *arena = judging->run->arena;
    const struct group_versions *versions = group ? group_versions_of(group, judging->is) : NULL;
    const char *name = group ? arena_printf(arena, "group '%s'", group->name) : "a reader";
    struct way way = {.listed = versions != NULL};
    weir_error err;
    if (event_version_for(&way.to, judging->is, version, versions ? versions->versions.items : NULL,
                          versions ? versions->versions.count : 0, name, &err) != WEIR_OK)
        way = (struct way){.why = arena_strdup(arena, err.message)};
    struct way *found = NULL;
    for (size_t i = 0; i < ways->count && !found && !way.why; i++)
        if (ways->items[i].to == way.to && ways->items[i].listed == way.listed && !ways->items[i].why)
            found = &ways->items[i];
    if (!found) {
        list_push(arena, ways, way);
        found = &ways->items[ways->count - 1];
    }
    if (group)
        list_push(arena, &found->readers, group);
}

/* Without a group there are still tail, replay and whoever comes. */
static way_list ways_of(struct judging *judging, const struct written *written) {
    way_list ways = {0};
    const weir_catalog *is = judging->run->is;
    for (size_t i = 0; i < is->groups.count; i++)
        if (group_reads(is->groups.items[i], judging->is->type))
            add_way(judging, &ways, written->version, is->groups.items[i]);
    if (ways.count == 0)
        add_way(judging, &ways, written->version, NULL);
    return ways;
}

/* The schema the new catalog has for the version, where it lists it. A member holds what is stored against that
 * before anything else. */
static void judge_listed(struct judging *judging, const struct written *written,
                         const struct version_def *listed, const struct way *way) {
    struct shown_schema reader = {listed->schema, listed->payload, listed->place};
    const char *text = written_text(judging->run, judging->run->is, listed->payload, listed->place);
    if (reader.schema && strcmp(written->text, text) != 0)
        judge_compare(judging, written, &reader, DIRECTION_BACKWARD, &way->readers);
}

/* A reader of the current version that gets an older one as it is meets what it never asked for. */
static void judge_current(struct judging *judging, const struct written *written, const struct way *way) {
    struct shown_schema reader = current_of(judging->is);
    if (reader.schema && strcmp(written->text, judging->is_text) != 0)
        judge_compare(judging, written, &reader, DIRECTION_BACKWARD, &way->readers);
}

/* They have no way to take it: the sentence says why. */
static void judge_refusing(struct judging *judging, const struct written *written, const struct way *way) {
    const reader_list *readers = &way->readers;
    struct refusal refusal = {.severity = COMPAT_BREAK,
                              .direction = DIRECTION_BACKWARD,
                              .pointer = "",
                              .reason = way->why,
                              .place = readers->count ? readers->items[0]->place : judging->is->place,
                              .side = judging->run->new_side};
    judge_refused(judging, written, readers, &refusal);
}

static void judge_backward(struct judging *judging, const struct written *written) {
    if (written->version > judging->is->version) { /* told as a version that goes back */
        judging->backward_transitive = false;
        judging->backward = judging->backward && !written->last;
        return;
    }
    way_list ways = ways_of(judging, written);
    for (size_t i = 0; i < ways.count; i++) {
        const struct way *way = &ways.items[i];
        const struct version_def *listed = event_version(judging->is, written->version);
        if (way->why) {
            judge_refusing(judging, written, way);
            continue;
        }
        if (listed)
            judge_listed(judging, written, listed, way);
        if (way->to != written->version)
            judge_raised(judging, written, way->to, &way->readers);
        else if (!listed || !way->listed)
            judge_current(judging, written, way);
    }
}

/* --- old readers, new events ---------------------------------------------------------------------------- */

static void judge_forward(struct judging *judging, const struct written *written) {
    reader_list readers = {0};
    const weir_catalog *catalog = written->side->catalog;
    if (strcmp(written->text, judging->is_text) == 0 || written->side == judging->run->new_side)
        return;
    for (size_t i = 0; i < catalog->groups.count; i++)
        if (group_reads(catalog->groups.items[i], judging->is->type))
            list_push(judging->run->arena, &readers, catalog->groups.items[i]);
    struct shown_schema writer = current_of(judging->is);
    if (writer.schema)
        judge_compare(judging, written, &writer, DIRECTION_FORWARD, &readers);
}

/* --- all types ------------------------------------------------------------------------------------------ */

/* Whatever is valid under one is valid under the other: a `$ref` written out, a description, another order. */
static bool takes_all(const schema *reader, const schema *writer) {
    comparison *comparison =
        compare_new(writer, reader, &(struct compare_options){.writer_as_written = true});
    bool all = compare_verdict_of(comparison) == COMPARE_HOLDS;
    compare_free(comparison);
    return all;
}

/* Harmless so far, but two schemas go by one number: what is stored cannot be told apart by it. */
static void changed_in_place(struct judging *judging, const struct written *written) {
    struct compat *out = judging->run->out;
    bool same = written->version != judging->is->version || strcmp(written->text, judging->is_text) == 0;
    if (same || !written->last || out->findings.count > judging->first || !judging->is->schema)
        return;
    if (!takes_all(judging->is->schema, written->schema) || !takes_all(written->schema, judging->is->schema))
        finding_add(judging->run, COMPAT_NOTE, AREA_SCHEMA, judging->is->type, judging->is->place,
                    "version %d was changed in place, and everybody can read both", written->version);
}

/* A group that states the versions it reads stays an old reader of the new one, until it states that too. */
static void judge_stated(struct judging *judging) {
    struct comparing *run = judging->run;
    const struct event_def *was = judging->was, *is = judging->is;
    for (size_t i = 0; i < run->is->groups.count; i++) {
        const struct group_def *now = run->is->groups.items[i];
        const struct group_def *then = catalog_group(run->was, weir_text_of(now->name));
        bool read = then && group_reads(then, was->type) && reaches(then, was, was->version, NULL);
        if (!read || !group_reads(now, is->type) || reaches(now, is, is->version, NULL))
            continue;
        weir_error err;
        reaches(now, is, is->version, &err);
        judging->forward = judging->forward_transitive = false;
        struct compat_finding *finding = finding_add(run, COMPAT_BREAK, AREA_SCHEMA, is->type, now->place,
                                                     "new events become dead letters: %s", err.message);
        finding->proof.direction = DIRECTION_FORWARD;
        finding->required = word_asks(run->require, DIRECTION_FORWARD, false);
        affects_group(run, finding, now);
    }
}

static enum compat_word word_of(const struct judging *judging) {
    bool backward = judging->backward, forward = judging->forward;
    bool back_all = judging->backward_transitive, for_all = judging->forward_transitive;
    if (backward && forward)
        return back_all && for_all ? WORD_FULL_TRANSITIVE : WORD_FULL;
    if (backward)
        return back_all ? WORD_BACKWARD_TRANSITIVE : WORD_BACKWARD;
    if (forward)
        return for_all ? WORD_FORWARD_TRANSITIVE : WORD_FORWARD;
    return WORD_NONE;
}

static void judge_type(struct comparing *run, const struct event_def *was, const struct event_def *is,
                       schema_run *schemas) {
    struct judging judging = {.run = run,
                              .was = was,
                              .is = is,
                              .is_text = written_text(run, run->is, is->payload, is->place),
                              .backward = true,
                              .forward = true,
                              .backward_transitive = true,
                              .forward_transitive = true,
                              .first = run->out->findings.count,
                              .schemas = schemas};
    written_list list = {0};
    written_find(&list, run, was, is);
    for (size_t i = 0; i < list.count; i++) {
        judge_backward(&judging, &list.items[i]);
        judge_forward(&judging, &list.items[i]);
        changed_in_place(&judging, &list.items[i]);
        judge_done(&judging);
    }
    judge_stated(&judging);
    list_push(run->arena, &run->out->types,
              ((struct compat_type){is->type, word_of(&judging), judging.undecided, list.count}));
}

void compare_schemas(struct comparing *run) {
    schema_run *schemas = schema_run_new();
    for (size_t i = 0; i < run->is->events.count; i++) {
        const struct event_def *is = run->is->events.items[i];
        const struct event_def *was = catalog_event(run->was, weir_text_of(is->type));
        if (was)
            judge_type(run, was, is, schemas);
    }
    schema_run_free(schemas);
}
