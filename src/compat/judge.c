/* SPDX-License-Identifier: Apache-2.0 */
/* From a refusal to a finding: which sentence it is, whether it counts, and where its rule stands. A break with an older
 * version that the old catalog had too is told, and allowed: it was there before. The same fault with several versions is
 * one finding, of the version nearest to the last one. */
#include "compat/judge.h"

#include "catalog/schema_path.h"
#include "catalog/source.h"
#include "compat/compare.h"
#include "event/upcast.h"

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

void judge_done(struct judging *judging) {
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

void judge_compare(struct judging *judging, const struct written *written, const struct shown_schema *shown,
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
