/* SPDX-License-Identifier: Apache-2.0 */
/* Subschemas applied to the same value: $ref, $dynamicRef, allOf, anyOf, oneOf, not, if, dependentSchemas.
 * A branch that may fail without harm is probed: its problems are muted and its marks kept only if it holds. */
#include "schema/run.h"

enum { NEAREST_BRANCHES = 64 }; /* more are not looked at for a better message */

/* Does the branch hold? */
static bool probe(struct schema_run *run, const struct node *node, const json *value) {
    struct marks_saved saved = {0};
    bool marking = run->marks.words > 0;
    if (marking) {
        run->steps -= (int64_t)(json_size(value) / VALUES_PER_STEP / BYTES_PER_STEP);
        saved = marks_begin(run, json_size(value));
    }
    run->muted++;
    bool ok = check(run, node, value);
    run->muted--;
    if (marking)
        marks_end(run, saved, ok);
    return ok;
}

static size_t pointer_depth(const char *pointer) {
    size_t depth = 0;
    for (; *pointer; pointer++)
        depth += *pointer == '/';
    return depth;
}

/* Of branches that all fail, the one that gets furthest: its first problem lies deepest, or is not about the
 * type. Returns its sentence, or NULL. Only on the way to a message. */
static const char *nearest_problem(struct schema_run *run, const struct applied *applied, const json *value) {
    size_t count = run->count, limit = run->limit, best_score = 0;
    const char *best = NULL;
    if (run->nearing || count >= LIMIT_SCHEMA_ERRORS || applied->count > NEAREST_BRANCHES)
        return NULL; /* not inside each other: that would double the work at each level */
    run->nearing = true;
    for (size_t i = 0; i < applied->count && !run->broken; i++) {
        run->limit = count + 1;
        check(run, applied->nodes[i], value);
        run->full = false;
        if (run->count == count || run->broken)
            break;
        const struct schema_problem *problem = &run->problems[count];
        size_t score = pointer_depth(problem->instance) * 2 + (strcmp(problem->keyword, "type") != 0);
        if (score > best_score) {
            best_score = score;
            const char *at = problem->instance + run->path.size;
            best = arena_printf(run->arena, "%s%s%s", at, *at ? " " : "", problem->message);
        }
        run->count = count;
    }
    run->limit = limit;
    run->nearing = false;
    return best;
}

static bool check_any(struct schema_run *run, const struct node *node, const struct applied *applied,
                      const json *value) {
    bool ok = false;
    for (size_t i = 0; i < applied->count && !run->broken; i++) {
        if (!probe(run, applied->nodes[i], value))
            continue;
        ok = true;
        if (!run->marks.words)
            return true; /* otherwise the others may have looked at more */
    }
    if (ok || run->broken)
        return ok;
    const char *nearest = run->tracing && !run->muted ? nearest_problem(run, applied, value) : NULL;
    REFUSE(run, node, "anyOf", "must match at least one of %zu schema%s%s%s", applied->count,
           applied->count == 1 ? "" : "s", nearest ? "; nearest: " : "", nearest ? nearest : "");
    return ok;
}

static bool check_one(struct schema_run *run, const struct node *node, const struct applied *applied,
                      const json *value) {
    bool ok = true;
    size_t matches[2] = {0}, count = 0;
    for (size_t i = 0; i < applied->count && count < 2 && !run->broken; i++)
        if (probe(run, applied->nodes[i], value))
            matches[count++] = i;
    if (count == 1 || run->broken)
        return count == 1;
    if (count == 2)
        REFUSE(run, node, "oneOf", "must match exactly one of %zu schemas, matches numbers %zu and %zu",
               applied->count, matches[0], matches[1]);
    else {
        const char *nearest = run->tracing && !run->muted ? nearest_problem(run, applied, value) : NULL;
        REFUSE(run, node, "oneOf", "must match exactly one of %zu schema%s, matches none%s%s", applied->count,
               applied->count == 1 ? "" : "s", nearest ? "; nearest: " : "", nearest ? nearest : "");
    }
    return ok;
}

static bool check_not(struct schema_run *run, const struct node *node, const struct applied *applied,
                      const json *value) {
    bool ok = true;
    if (probe(run, applied->nodes[0], value))
        REFUSE(run, node, "not", "must not match the schema under not");
    return ok;
}

static bool check_if(struct schema_run *run, const struct applied *applied, const json *value) {
    const struct node *next = applied->nodes[probe(run, applied->nodes[0], value) ? 1 : 2];
    return !run->broken && (!next || check(run, next, value));
}

/* The outermost resource on the way here that has the anchor. */
static const struct node *dynamic_target(struct schema_run *run, const struct applied *applied) {
    run->steps -= (int64_t)(run->scope_count / VALUES_PER_STEP);
    for (size_t i = 0; i < run->scope_count; i++) {
        const struct resource *resource = run->scopes[i];
        if (resource->slots && resource->slots[applied->slot])
            return resource->slots[applied->slot];
    }
    return applied->nodes[0];
}

static bool check_one_applied(struct schema_run *run, const struct node *node, const struct applied *applied,
                              const json *value) {
    bool ok = true;
    switch (applied->kind) {
    case APPLY_ALL:
        for (size_t i = 0; i < applied->count; i++)
            REQUIRE(run, check(run, applied->nodes[i], value));
        return ok;
    case APPLY_ANY:
        return check_any(run, node, applied, value);
    case APPLY_ONE:
        return check_one(run, node, applied, value);
    case APPLY_NOT:
        return check_not(run, node, applied, value);
    case APPLY_IF:
        return check_if(run, applied, value);
    case APPLY_DEPENDENT:
        return !json_is(value, JSON_OBJECT) || !json_get_text(value, applied->name) ||
               check(run, applied->nodes[0], value);
    case APPLY_DYNAMIC:
        return check(run, dynamic_target(run, applied), value);
    }
    return ok;
}

bool check_applied(struct schema_run *run, const struct node *node, const json *value) {
    bool ok = true;
    for (size_t i = 0; i < node->applied.count; i++)
        REQUIRE(run, check_one_applied(run, node, &node->applied.items[i], value));
    return ok;
}
