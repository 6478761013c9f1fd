/* SPDX-License-Identifier: Apache-2.0 */
/* Each version that may be stored is held against the new readers, and what is written from now on against the readers
 * of each. New readers are asked one by one, since a group may state which versions it reads: some get a version
 * as it is, some get it brought up, some get nothing.
 *
 * A break with an older version that the old catalog had too is told, and allowed: it was there before. */
#include "compat/judge.h"

#include "catalog/schema_path.h"
#include "catalog/source.h"
#include "compat/compare.h"
#include "event/upcast.h"

/* --- what holds ----------------------------------------------------------------------------------------- */

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

static void note_verdict(struct judging *judging, const struct written *written,
                         const struct refusal *refusal) {
    if (refusal->severity == COMPAT_UNDECIDED) {
        judging->undecided = true;
        return;
    }
    bool backward = refusal->direction == DIRECTION_BACKWARD;
    *(backward ? &judging->backward_transitive : &judging->forward_transitive) = false;
    if (written->last)
        *(backward ? &judging->backward : &judging->forward) = false;
}

/* --- a finding ------------------------------------------------------------------------------------------ */

static const char *sentence(struct judging *judging, const struct written *written,
                            const struct refusal *refusal) {
    arena *arena = judging->run->arena;
    bool backward = refusal->direction == DIRECTION_BACKWARD, broken = refusal->severity == COMPAT_BREAK;
    int version = backward ? written->version : judging->is->version;
    bool in_place = written->version == judging->is->version && broken;
    const char *can = broken ? "cannot" : "may not";
    const char *place = in_place ? arena_printf(arena, ": version %d was changed in place", version) : "";
    if (backward && written->last)
        return arena_printf(arena, "new readers %s read stored events (version %d)%s", can, version, place);
    if (backward)
        return arena_printf(arena, "new readers %s read events still stored as version %d of %s%s", can,
                            version, written->side->label, place);
    if (written->last)
        return arena_printf(arena, "old readers %s read new events (version %d)%s", can, version, place);
    return arena_printf(arena, "readers of version %d of %s %s read new events (version %d)%s",
                        written->version, written->side->label, can, version, place);
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The same fault, found with a version nearer to the last one. A bound may have been another in each: what counts is
 * the place and the rule. */
static struct compat_finding *told(struct judging *judging, const struct refusal *refusal) {
    struct compat *out = judging->run->out;
    for (size_t i = judging->first; i < out->findings.count; i++) {
        const struct compat_proof *proof = &out->findings.items[i].proof;
        bool same =
            refusal->rule ? same_text(proof->rule, refusal->rule) : same_text(proof->reason, refusal->reason);
        if (proof->direction == refusal->direction && same && same_text(proof->pointer, refusal->pointer))
            return &out->findings.items[i];
    }
    return NULL;
}

/* Could the old catalog not do it either? Then it is nothing this change brings. */
static bool was_so(struct judging *judging, const struct written *written, const struct refusal *refusal) {
    const struct event_def *was = judging->was;
    bool backward = refusal->direction == DIRECTION_BACKWARD, so = false;
    comparison **before = &judging->before[refusal->direction];
    if (!written->earlier || !was->schema || upcast_reach(was, written->version) != written->version)
        return false;
    if (!*before)
        *before = backward ? compare_new(written->schema, was->schema, NULL)
                           : compare_new(was->schema, written->schema, NULL);
    for (size_t i = 0; i < compare_count(*before) && !so; i++) {
        const struct compare_finding *finding = compare_at(*before, i);
        bool as_bad = finding->verdict == COMPARE_BROKEN || refusal->severity == COMPAT_UNDECIDED;
        so = as_bad && same_text(finding->instance, refusal->pointer);
    }
    return so;
}

static void forget_before(struct judging *judging) {
    for (int i = 0; i <= DIRECTION_FORWARD; i++) {
        compare_free(judging->before[i]);
        judging->before[i] = NULL;
    }
}

static void affects_both(struct judging *judging, struct compat_finding *finding, const reader_list *readers,
                         enum compat_direction direction) {
    for (size_t i = 0; i < readers->count; i++)
        affects_group(judging->run, finding, readers->items[i]);
    if (direction == DIRECTION_FORWARD)
        affects_writers(judging->run, finding, judging->run->is, judging->is);
}

/* What the finding says from now on. */
static void fill(struct judging *judging, struct compat_finding *finding, const struct written *written,
                 const struct refusal *refusal, bool before) {
    arena *arena = judging->run->arena;
    bool required = word_asks(judging->run->require, refusal->direction, !written->last) && !before;
    bool note = refusal->severity == COMPAT_UNDECIDED && !required;
    finding->severity = note ? COMPAT_NOTE : refusal->severity;
    finding->required = required;
    finding->says = sentence(judging, written, refusal);
    finding->proof.direction = refusal->direction;
    finding->proof.transitive = !written->last;
    finding->proof.before = before;
    finding->proof.version = written->version;
    finding->proof.pointer = arena_strdup(arena, refusal->pointer);
    finding->proof.reason = arena_strdup(arena, refusal->reason);
    finding->proof.rule = arena_strdup(arena, refusal->rule);
    finding->proof.where = arena_strdup(arena, refusal->where);
    finding->proof.witness = arena_strdup(arena, refusal->witness);
    finding->proof.refused = arena_strdup(arena, refusal->refused);
}

/* A fault that is new with one version says more than one that was there before with another. */
void judge_refused(struct judging *judging, const struct written *written, const reader_list *readers,
                   const struct refusal *refusal) {
    bool before = was_so(judging, written, refusal);
    struct compat_finding *finding = told(judging, refusal);
    note_verdict(judging, written, refusal);
    if (finding) {
        finding->proof.older += finding->proof.seen != written->text;
        if (finding->proof.before && !before)
            fill(judging, finding, written, refusal, before);
    } else {
        finding = finding_add(judging->run, refusal->severity, AREA_SCHEMA, judging->is->type, refusal->place,
                              "%s", "");
        finding->side = refusal->side;
        fill(judging, finding, written, refusal, before);
    }
    finding->proof.seen = written->text;
    affects_both(judging, finding, readers, refusal->direction);
}

const char *judge_refusal_of(struct judging *judging, const schema *schema, const json *document,
                             const char **pointer) {
    if (schema_valid(judging->schemas, schema, document, false))
        return NULL;
    const struct schema_problem *problem = schema_problem_at(judging->schemas, 0);
    buffer text;
    buffer_init(&text, 8192);
    buffer_printable(&text, weir_text_of(problem->instance));
    buffer_printf(&text, "%s%s (%s)", *problem->instance ? ": " : "", problem->message, problem->keyword);
    *pointer = arena_strdup(judging->run->arena, problem->instance);
    const char *kept = arena_cstr(judging->run->arena, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

/* --- a schema against a schema -------------------------------------------------------------------------- */

/* A schema of the new catalog, which is what somebody is about to release: its places are shown. */
struct shown_schema {
    const schema *schema;
    const json *payload;
    struct place place; /* where its version is defined */
};

static struct shown_schema current_of(const struct event_def *def) {
    return (struct shown_schema){def->schema, def->payload, def->place};
}

/* The file a rule stands in: the schema's own, or one that a `$ref` leads to ("schemas/money.yaml#/..."). */
static const struct source *rule_source(struct judging *judging, const struct shown_schema *shown,
                                        weir_text file) {
    const weir_catalog *is = judging->run->is;
    const struct source *source = schema_source(is, shown->payload, shown->place);
    const char *path = source && file.size ? source_path(judging->run->arena, source->path, file) : NULL;
    for (size_t i = 0; path && i < is->files.count; i++)
        if (strcmp(is->files.items[i]->path, path) == 0)
            return is->files.items[i];
    return file.size ? NULL : source;
}

/* The line of the rule, where the schema has lines. */
static struct place rule_place(struct judging *judging, const struct shown_schema *shown, const char *rule) {
    const char *hash = rule ? strchr(rule, '#') : NULL;
    if (!hash)
        return shown->place;
    weir_text file = {rule, (size_t)(hash - rule)}, pointer = weir_text_of(hash + 1);
    const struct source *source = rule_source(judging, shown, file);
    if (!source || !source->yaml || !json_pointer_valid(pointer))
        return shown->place;
    const json *root = file.size ? json_root(source->doc) : shown->payload;
    const json *value = json_pointer(root, pointer);
    return value ? source_place(source, value) : shown->place;
}

static void run_witness(struct judging *judging, struct refusal *refusal, const schema *reader) {
    json_doc *doc;
    const char *pointer;
    if (!refusal->witness || json_parse(&doc, weir_text_of(refusal->witness), NULL) != WEIR_OK)
        return;
    refusal->refused = judge_refusal_of(judging, reader, json_root(doc), &pointer);
    json_doc_free(doc);
}

/* One of both is of the new catalog: the reader of what is stored, or the writer of what is new. */
static void compare(struct judging *judging, const struct written *written, const struct shown_schema *shown,
                    enum compat_direction direction, const reader_list *readers) {
    bool backward = direction == DIRECTION_BACKWARD;
    const schema *writer = backward ? written->schema : shown->schema;
    const schema *reader = backward ? shown->schema : written->schema;
    comparison *comparison = compare_new(writer, reader, NULL);
    for (size_t i = 0; i < compare_count(comparison); i++) {
        const struct compare_finding *found = compare_at(comparison, i);
        const char *rule = backward ? found->reader : found->writer;
        struct refusal refusal = {
            .severity = found->verdict == COMPARE_BROKEN ? COMPAT_BREAK : COMPAT_UNDECIDED,
            .direction = direction,
            .pointer = found->instance,
            .reason = arena_printf(judging->run->arena, "%s (%s)", found->message, found->keyword),
            .rule = found->keyword,
            .where = rule,
            .witness = found->witness,
            .place = rule_place(judging, shown, rule),
            .side = judging->run->new_side};
        run_witness(judging, &refusal, reader);
        judge_refused(judging, written, readers, &refusal);
    }
    compare_free(comparison);
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
        compare(judging, written, &reader, DIRECTION_BACKWARD, &way->readers);
}

/* A reader of the current version that gets an older one as it is meets what it never asked for. */
static void judge_current(struct judging *judging, const struct written *written, const struct way *way) {
    struct shown_schema reader = current_of(judging->is);
    if (reader.schema && strcmp(written->text, judging->is_text) != 0)
        compare(judging, written, &reader, DIRECTION_BACKWARD, &way->readers);
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
        compare(judging, written, &writer, DIRECTION_FORWARD, &readers);
}

/* --- all types ------------------------------------------------------------------------------------------ */

/* Harmless so far, but two schemas go by one number: tools that cache by version will mix them up. */
static void changed_in_place(struct judging *judging, const struct written *written) {
    struct compat *out = judging->run->out;
    bool same = written->version == judging->is->version && strcmp(written->text, judging->is_text) != 0;
    if (same && written->last && out->findings.count == judging->first)
        finding_add(judging->run, COMPAT_NOTE, AREA_SCHEMA, judging->is->type, judging->is->place,
                    "version %d was changed in place, and everybody can read both", written->version);
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
        forget_before(&judging);
    }
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
