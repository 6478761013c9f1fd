/* SPDX-License-Identifier: Apache-2.0 */
/* One step per thing: what the catalog asks for is compared field by field with what the server has, by the
 * server's own rules of what can change. What neither the catalog names nor its mark bears is somebody else's
 * and stays. */
#include "plan/compare.h"

#include <string.h>

#include "plan/fields.h"

struct comparing {
    weir_plan *plan;
    int64_t now_ns;
};

static const char *observed_metadata(const json *config, const char *key) {
    return json_cstr(json_get(json_get(config, "metadata"), key));
}

bool owned_by(const json *config, const char *catalog, const char **other) {
    const char *owner = observed_metadata(config, "weir.catalog");
    bool ours = owner && strcmp(owner, catalog) == 0;
    if (other)
        *other = ours ? NULL : owner;
    return ours;
}

static void add_change(struct comparing *comparing, struct plan_step *step, weir_field_change change) {
    list_push(comparing->plan->arena, &step->changes, change);
    step->step.loses_data |= change.loses_data;
}

/* --- one field ---------------------------------------------------------------------------------------- */

/* What a person can do about it. */
static const char *remedy(arena *arena, const struct plan_step *step, const struct field_row *row,
                          const char *before, const char *after) {
    const char *name = step->step.name;
    if (step->step.thing == WEIR_CONSUMER)
        return arena_printf(arena,
                            "the server cannot change %s of a consumer from %s to %s: delete consumer %s on "
                            "the server and apply "
                            "again (the group then starts from the beginning of the stream)",
                            row->name, before, after, name);
    if (row->rule == FIELD_FOR_GOOD)
        return arena_printf(
            arena,
            "%s can never be taken back: state %s: true in the catalog if it has that key, or save the "
            "events, delete stream %s on the server and apply again",
            row->name, row->name, name);
    return arena_printf(
        arena,
        "the server cannot change %s of a stream: keep %s: %s in the catalog, or save the events, delete "
        "stream %s on the server and apply again",
        row->name, row->name, before, name);
}

static void compare_field(struct comparing *comparing, struct plan_step *step, const struct field_row *row) {
    arena *arena = comparing->plan->arena;
    const json *desired = step->desired->config;
    const json *wanted = json_get(desired, row->name), *had = json_get(step->observed, row->name);
    if (wanted && had && json_equal(wanted, had))
        return; /* the usual case, without the words */
    const char *before = field_show(arena, row, step->observed), *after = field_show(arena, row, desired);
    if (strcmp(before, after) == 0 ||
        (!comparing->plan->catalog->managed && observe_same(comparing->plan, step, row)))
        return;
    enum field_verdict verdict = field_judge(row, before, after);
    weir_field_change change = {.field = row->name,
                                .before = before,
                                .after = after,
                                .loss = "",
                                .irreversible = verdict == VERDICT_FOR_GOOD};
    if (step->step.thing == WEIR_STREAM)
        loss_fill(arena, &change, step->stream, desired, comparing->now_ns);
    add_change(comparing, step, change);
    if (verdict == VERDICT_NEW_STREAM && step->step.kind != WEIR_STEP_IMPOSSIBLE) {
        step->step.kind = WEIR_STEP_REPLACE;
        step->step.note = "gets a new stream: events, sequences and the groups' positions are kept";
    } else if (verdict != VERDICT_IN_PLACE && verdict != VERDICT_FOR_GOOD &&
               step->step.kind != WEIR_STEP_IMPOSSIBLE) {
        step->step.kind = WEIR_STEP_IMPOSSIBLE;
        step->step.note = remedy(arena, step, row, before, after);
    }
}

/* The marks of weir; those of the server and of others are not ours to compare. */
static void compare_metadata(struct comparing *comparing, struct plan_step *step) {
    for (struct json_iter it = json_iter(json_get(step->desired->config, "metadata")); json_next(&it);) {
        const char *key = arena_cstr(comparing->plan->arena, it.key);
        const char *before = observed_metadata(step->observed, key);
        if (before && text_equal(weir_text_of(before), json_text(it.value)))
            continue;
        add_change(comparing, step,
                   (weir_field_change){.field = arena_printf(comparing->plan->arena, "metadata %s", key),
                                       .before = before ? before : "none",
                                       .after = json_cstr(it.value),
                                       .loss = ""});
    }
}

/* --- one thing ---------------------------------------------------------------------------------------- */

struct plan_step plan_step_for(const struct desired *desired) {
    return (struct plan_step){
        .step = {.kind = WEIR_STEP_KEEP,
                 .thing = desired->thing,
                 .name = desired->name,
                 .file = desired->place.file ? desired->place.file : "",
                 .line = desired->place.line,
                 .note = ""},
        .desired = desired,
    };
}

/* Fields of a thing to be made, for the reader: what differs from the server's defaults. */
static void list_fields(struct comparing *comparing, struct plan_step *step, const struct field_row *rows) {
    for (; rows->name; rows++) {
        const char *after = field_show(comparing->plan->arena, rows, step->desired->config);
        if (rows->owner == OWNER_WEIR && rows->kind != KIND_RAW && strcmp(after, rows->usual) != 0)
            add_change(comparing, step,
                       (weir_field_change){.field = rows->name,
                                           .before = "",
                                           .after = after,
                                           .loss = "",
                                           .irreversible = rows->rule == FIELD_FOR_GOOD});
    }
}

static void compare_existing(struct comparing *comparing, struct plan_step *step,
                             const struct field_row *rows) {
    const char *catalog = comparing->plan->catalog->name, *other;
    bool ours = owned_by(step->observed, catalog, &other);
    for (; rows->name; rows++)
        if (rows->owner == OWNER_WEIR)
            compare_field(comparing, step, rows);
    compare_metadata(comparing, step);
    if (other && comparing->plan->catalog->managed) {
        step->step.kind = WEIR_STEP_IMPOSSIBLE;
        step->step.note =
            arena_printf(comparing->plan->arena,
                         "it belongs to the catalog '%s': rename it in one of the two catalogs", other);
        return;
    }
    if (step->step.thing == WEIR_STREAM && step->stream->unfinished &&
        step->step.kind != WEIR_STEP_IMPOSSIBLE) {
        step->step.kind = WEIR_STEP_REPLACE;
        step->step.note = "was being given a new stream: apply goes on with it";
    }
    if (step->changes.count == 0 || step->step.kind != WEIR_STEP_KEEP)
        return;
    step->step.kind = WEIR_STEP_UPDATE;
    step->step.adopts = !ours && comparing->plan->catalog->managed;
    if (step->step.adopts)
        step->step.note = "it exists already: weir takes it over, and leaves what the catalog does not state";
}

static void compare_desired(struct comparing *comparing, const struct desired *desired) {
    weir_plan *plan = comparing->plan;
    const struct field_row *rows = desired->thing == WEIR_STREAM ? stream_rows : consumer_rows;
    struct plan_step step = plan_step_for(desired);
    step.stream = observed_stream(&plan->observed, desired->stream);
    const struct observed_consumer *consumer =
        desired->consumer ? observed_consumer(step.stream, desired->consumer) : NULL;
    if (desired->consumer)
        step.observed = consumer ? consumer->config : NULL;
    else
        step.observed = step.stream ? step.stream->config : NULL;
    if (step.observed) {
        compare_existing(comparing, &step, rows);
    } else {
        step.step.kind = WEIR_STEP_CREATE;
        list_fields(comparing, &step, rows);
    }
    list_push(plan->arena, &plan->steps, step);
}

/* --- what only the servers have ----------------------------------------------------------------------- */

static const char *deletion_note(arena *arena, const struct observed_stream *stream) {
    long long events = stream_state(stream, "messages");
    if (events == 0)
        return "it holds no events; the places of its groups are lost with it";
    return arena_printf(arena, "%lld stored event%s (%s) are lost with it", events, events == 1 ? "" : "s",
                        bytes_words(arena, stream_state(stream, "bytes")));
}

static void add_observed(struct comparing *comparing, const struct observed_stream *stream,
                         const char *consumer, const json *config) {
    weir_plan *plan = comparing->plan;
    const char *name = consumer ? arena_printf(plan->arena, "%s/%s", stream->name, consumer) : stream->name;
    if (map_get(plan->desired.by_name, weir_text_of(name)))
        return;
    struct plan_step step = {.step = {.kind = WEIR_STEP_KEEP,
                                      .thing = consumer ? WEIR_CONSUMER : WEIR_STREAM,
                                      .name = name,
                                      .file = "",
                                      .note = "not of this catalog"},
                             .stream = stream,
                             .observed = config};
    if (plan->catalog->managed && owned_by(config, plan->catalog->name, NULL)) {
        step.step.kind = WEIR_STEP_DELETE;
        step.step.loses_data = true;
        step.step.note =
            consumer ? "the group's place in the stream is lost with it" : deletion_note(plan->arena, stream);
    }
    list_push(plan->arena, &plan->steps, step);
}

static void compare_observed(struct comparing *comparing, const struct observed_stream *stream) {
    weir_plan *plan = comparing->plan;
    add_observed(comparing, stream, NULL, stream->config);
    bool wanted = map_get(plan->desired.by_name, weir_text_of(stream->name)) != NULL;
    bool deleted = !wanted && owned_by(stream->config, plan->catalog->name, NULL);
    for (size_t i = 0; !deleted && i < stream->consumers.count;
         i++) /* a deleted stream takes its consumers along */
        add_observed(comparing, stream, stream->consumers.items[i].name, stream->consumers.items[i].config);
}

void plan_steps_done(weir_plan *plan) {
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *step = &plan->steps.items[i];
        step->step.changes = step->changes.items;
        step->step.change_count = step->changes.count;
    }
}

void plan_compare(weir_plan *plan, int64_t now_ns) {
    struct comparing comparing = {plan, now_ns};
    migrate_look_past(&plan->observed);
    for (size_t i = 0; i < plan->desired.items.count; i++)
        compare_desired(&comparing, &plan->desired.items.items[i]);
    for (size_t i = 0; i < plan->observed.streams.count; i++)
        compare_observed(&comparing, plan->observed.streams.items[i]);
    replace_judge(plan);
    plan_order(plan);
    plan_steps_done(plan);
}
