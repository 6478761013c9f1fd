/* SPDX-License-Identifier: Apache-2.0 */
/* First the proof (compare_goal.c); for each rule it could not prove, a search for a document that breaks it
 * (witness.c). What is neither proven nor broken is undecided. A schema against itself holds at once. */
#include "compat/compare.h"

#include "compat/compare_parts.h"

const json *compare_json(struct comparison *cmp, const char *text) {
    json_doc *doc = NULL;
    if (json_parse(&doc, weir_text_of(text), NULL) != WEIR_OK)
        return NULL;
    list_push(cmp->arena, &cmp->docs, doc);
    return json_root(doc);
}

const json *compare_string(struct comparison *cmp, weir_text text) {
    const json *known = map_get(cmp->texts, text);
    if (known)
        return known;
    buffer quoted;
    buffer_init(&quoted, RULE_BYTES);
    json_write_string(&quoted, text);
    known = compare_json(cmp, quoted.data);
    buffer_release(&quoted);
    map_put(cmp->texts, text, (void *)known);
    return known;
}

bool regex_fits(struct comparison *cmp, const struct regex *regex, weir_text text) {
    cmp->steps--;
    regex_scratch_reset(cmp->regex);
    return regex_match(regex, cmp->regex, text) == REGEX_YES;
}

enum { WITNESS_EFFORT = 100000 }; /* values made for all witnesses of a comparison */

/* The schema false, as a part of neither side. */
static const struct part *nothing_part(struct comparison *cmp) {
    static const struct node nothing = {.verdict = VERDICT_FALSE, .plain = true, .where = "#"};
    struct part *part = arena_alloc(cmp->arena, sizeof *part);
    part->node = &nothing;
    part->schema = cmp->reader;
    part->id = (uint32_t)cmp->parts.count;
    part->rep = part;
    return part;
}

/* --- the claims to begin with --------------------------------------------------------------------------- */

static const struct claims *writer_claims(struct comparison *cmp) {
    claim_list list = {0};
    claim_is(cmp, &list, part_of(cmp, cmp->writer->root));
    const struct shape *shape = shape_root(cmp);
    if (shape->count)
        claim_add(cmp, &list, (struct claim){CLAIM_SHAPE, .shape = shape});
    return claims_of(cmp, &list);
}

static void doubt_whole(struct comparison *cmp, const char *message) {
    list_push(
        cmp->arena, &cmp->doubts,
        ((struct doubt){.part = part_at(cmp, cmp->reader->root), .keyword = "schema", .message = message}));
}

static void look(struct comparison *cmp) {
    const struct part *writer = part_at(cmp, cmp->writer->root), *reader = part_at(cmp, cmp->reader->root);
    if (writer->rep == reader->rep)
        return;
    if (cmp->writer->dynamic || cmp->reader->dynamic) {
        doubt_whole(cmp, "a schema that uses $dynamicRef is compared only with itself");
        return;
    }
    const struct claims *claims = writer_claims(cmp);
    if (goal_holds(cmp, claims, reader))
        return;
    const struct goal goal = {cmp, claims, reader, true, NULL};
    if (cmp->steps > 0)
        goal_same(&goal, claims, reader);
    if (!cmp->doubts.count || cmp->steps <= 0)
        doubt_whole(cmp, "the schemas are too large or too entangled to be compared");
}

/* --- what is told --------------------------------------------------------------------------------------- */

static const char *reader_place(struct comparison *cmp, const struct doubt *doubt) {
    const char *where = doubt->part->node->where;
    if (strcmp(doubt->keyword, "false") == 0 || strcmp(doubt->keyword, "schema") == 0)
        return where;
    return arena_printf(cmp->arena, "%s/%s", where, doubt->keyword);
}

static void spot_add(struct comparison *cmp, part_list *list, const struct node *node) {
    if (node && list->count < 64)
        list_push(cmp->arena, list, part_at(cmp, node));
}

/* What the writer's part says of the value one step below, and all that it applies to the same value. */
static void spot_step(struct comparison *cmp, part_list *list, const struct node *node,
                      const struct step *step) {
    const struct object_rules *object = node->object;
    const struct array_rules *array = node->array;
    bool member = step->others || step->name.data;
    size_t next = 0, before = list->count;
    const struct key *key = object && member && !step->others && object->keys.count
                                ? keys_find(&object->keys, step->name, &next)
                                : NULL;
    if (key)
        spot_add(cmp, list, key->node);
    for (size_t i = 0; object && member && step->name.data && i < object->patterns.count; i++)
        if (step->others ? text_equal(object->patterns.items[i].text, step->name)
                         : regex_fits(cmp, object->patterns.items[i].pattern, step->name))
            spot_add(cmp, list, object->patterns.items[i].node);
    if (object && member && list->count == before)
        spot_add(cmp, list, object->additional);
    if (array && !member)
        spot_add(cmp, list, step->index < array->prefix_count ? array->prefix[step->index] : array->items);
}

static void spot_applied(struct comparison *cmp, part_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct node *node = list->items[i]->node;
        for (size_t j = 0; j < node->applied.count; j++)
            for (size_t k = 0; k < node->applied.items[j].count; k++)
                spot_add(cmp, list, node->applied.items[j].nodes[k]);
    }
}

/* The writer's parts for the value; where it says nothing, those of the value around it. */
static part_list spot_of(struct comparison *cmp, const struct step *step) {
    part_list list = {0};
    if (!step) {
        spot_add(cmp, &list, cmp->writer->root);
        return list;
    }
    part_list around = spot_of(cmp, step->up);
    spot_applied(cmp, &around);
    for (size_t i = 0; i < around.count; i++)
        spot_step(cmp, &list, around.items[i]->node, step);
    return list.count ? list : around;
}

static void report(struct comparison *cmp, const struct doubt *doubt, const char *witness) {
    buffer pointer;
    buffer_init(&pointer, RULE_BYTES);
    step_pointer(&pointer, doubt->step);
    struct compare_finding finding = {
        .verdict = witness ? COMPARE_BROKEN : COMPARE_UNDECIDED,
        .instance = arena_strdup(cmp->arena, pointer.size ? pointer.data : ""),
        .writer = spot_of(cmp, doubt->step).items[0]->node->where,
        .reader = reader_place(cmp, doubt),
        .keyword = doubt->keyword,
        .message =
            witness ? doubt->message
                    : arena_printf(cmp->arena, "%s: neither proven nor shown by a document", doubt->message),
        .witness = witness,
    };
    list_push(cmp->arena, &cmp->findings, finding);
    buffer_release(&pointer);
}

/* Where no doubt could be shown, maybe something else is refused. */
static void report_any(struct comparison *cmp) {
    const struct schema_problem *problem = NULL;
    const char *witness = witness_any(cmp, &problem);
    if (!witness)
        return;
    struct compare_finding finding = {
        .verdict = COMPARE_BROKEN,
        .instance = arena_strdup(cmp->arena, problem->instance),
        .writer = cmp->writer->root->where,
        .reader = arena_strdup(cmp->arena, problem->where),
        .keyword = arena_strdup(cmp->arena, problem->keyword),
        .message =
            arena_printf(cmp->arena, "the reader refuses what the writer may write: %s", problem->message),
        .witness = witness,
    };
    list_push(cmp->arena, &cmp->findings, finding);
    cmp->verdict = COMPARE_BROKEN;
}

static void report_all(struct comparison *cmp) {
    const char **witnesses = arena_alloc(cmp->arena, (cmp->doubts.count + 1) * sizeof *witnesses);
    for (size_t i = 0; i < cmp->doubts.count; i++) {
        bool rule = cmp->doubts.items[i].claims != NULL; /* not a doubt of the whole */
        witnesses[i] = rule ? witness_find(cmp, &cmp->doubts.items[i]) : NULL;
        cmp->verdict = witnesses[i] ? COMPARE_BROKEN : cmp->verdict;
    }
    if (cmp->verdict != COMPARE_BROKEN)
        report_any(cmp);
    for (int broken = 1; broken >= 0; broken--)
        for (size_t i = 0; i < cmp->doubts.count; i++)
            if (broken == (witnesses[i] != NULL))
                report(cmp, &cmp->doubts.items[i], witnesses[i]);
    if (cmp->verdict != COMPARE_BROKEN)
        cmp->verdict = COMPARE_UNDECIDED;
}

/* --- the comparison ------------------------------------------------------------------------------------- */

static struct comparison *begin(const schema *writer, const schema *reader,
                                const struct compare_options *options) {
    struct comparison *cmp = mem_alloc(sizeof *cmp);
    cmp->arena = arena_new();
    cmp->options = options ? *options : (struct compare_options){0};
    if (!cmp->options.findings_max)
        cmp->options.findings_max = COMPARE_FINDINGS;
    cmp->steps = (int64_t)(cmp->options.steps_max ? cmp->options.steps_max : COMPARE_STEPS);
    cmp->effort = WITNESS_EFFORT;
    cmp->writer = writer;
    cmp->reader = reader;
    cmp->run = schema_run_new();
    cmp->regex = regex_scratch_new();
    struct map **maps[] = {&cmp->nodes, &cmp->shapes,      &cmp->claim_ids, &cmp->claims_ids,
                           &cmp->goals, &cmp->doubts_seen, &cmp->texts,     &cmp->languages};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        *maps[i] = map_new();
    cmp->booleans = compare_json(cmp, "[null,true,false]");
    return cmp;
}

comparison *compare_new(const schema *writer, const schema *reader, const struct compare_options *options) {
    struct comparison *cmp = begin(writer, reader, options);
    parts_read(cmp);
    cmp->nothing = nothing_part(cmp);
    look(cmp);
    if (!witness_close(cmp))
        cmp->effort = 0; /* nobody can run what such a writer writes */
    if (cmp->doubts.count)
        report_all(cmp);
    return cmp;
}

void compare_free(comparison *cmp) {
    if (!cmp)
        return;
    struct map *maps[] = {cmp->nodes, cmp->shapes,      cmp->claim_ids, cmp->claims_ids,
                          cmp->goals, cmp->doubts_seen, cmp->texts,     cmp->languages};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        map_free(maps[i]);
    for (size_t i = 0; i < cmp->maps.count; i++)
        map_free(cmp->maps.items[i]);
    for (size_t i = 0; i < cmp->docs.count; i++)
        json_doc_free(cmp->docs.items[i]);
    schema_free(cmp->closed);
    schema_run_free(cmp->run);
    regex_scratch_free(cmp->regex);
    arena_free(cmp->arena);
    mem_free(cmp);
}

enum compare_verdict compare_verdict_of(const comparison *cmp) {
    return cmp->verdict;
}

const char *compare_verdict_name(enum compare_verdict verdict) {
    static const char *const names[] = {"holds", "broken", "undecided"};
    return names[verdict];
}

size_t compare_count(const comparison *cmp) {
    return cmp->findings.count;
}

const struct compare_finding *compare_at(const comparison *cmp, size_t index) {
    return index < cmp->findings.count ? &cmp->findings.items[index] : NULL;
}
