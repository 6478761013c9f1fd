/* SPDX-License-Identifier: Apache-2.0 */
/* The proof. A goal, "whatever fits these claims is valid under this part", is looked at keyword by keyword; each
 * member and item is a goal of its own. When that does not do, kinds of values that nothing can be are left out,
 * then the claims are split into cases: the writer's branches, the kinds, whether a member is there and what it
 * holds.
 *
 * A goal that comes back to itself deeper in the document is taken to hold: documents end, so this is induction.
 * Whatever was proven with the help of a goal that then fails is taken back. All rules are sound, none is
 * complete: "not proven" says nothing. A goal that failed is gone through again, telling, to note each rule that
 * was not proven at the place where it stands. */
#include <stdio.h>

#include "compat/compare_parts.h"
#include "schema/words.h"

enum { GOAL_DEPTH = 400, SPLITS_MAX = 6, SPLIT_VALUES = 16 };

enum goal_outcome {
    GOAL_UNKNOWN,
    GOAL_OPEN,
    GOAL_PROVEN,
    GOAL_FAILED,
    GOAL_NOT_WHOLE /* failed without cases */
};

struct goal_state {
    enum goal_outcome outcome;
    bool used;      /* another goal was proven by taking this one to hold */
    unsigned level; /* where it was begun */
};

static bool prove(const struct goal *goal);

/* --- remembering ---------------------------------------------------------------------------------------- */

static struct goal_state *state_of(struct comparison *cmp, const struct claims *claims,
                                   const struct part *part) {
    uint32_t key[2] = {claims->id, part->rep->id};
    weir_text text = {(const char *)key, sizeof key};
    struct goal_state *state = map_get(cmp->goals, text);
    if (!state) {
        state = arena_alloc(cmp->arena, sizeof *state);
        map_put(cmp->goals, text, state);
    }
    return state;
}

static void take_back(struct comparison *cmp, size_t from) {
    for (size_t i = from; i < cmp->proven.count; i++)
        cmp->proven.items[i]->outcome = GOAL_UNKNOWN;
    cmp->proven.count = from;
}

static bool prove_once(struct comparison *cmp, struct goal_state *state, const struct claims *claims,
                       const struct part *part) {
    const struct goal goal = {.cmp = cmp, .claims = claims, .part = part};
    size_t before = cmp->proven.count;
    state->outcome = GOAL_OPEN;
    state->used = false;
    state->level = cmp->level;
    cmp->depth++;
    bool ok = prove(&goal) && cmp->steps > 0;
    cmp->depth--;
    if (ok)
        list_push(cmp->arena, &cmp->proven, state);
    else if (state->used)
        take_back(cmp, before);
    if (ok)
        state->outcome = GOAL_PROVEN;
    else if (cmp->steps > 0)
        state->outcome = cmp->whole ? GOAL_NOT_WHOLE : GOAL_FAILED;
    else
        state->outcome = GOAL_UNKNOWN;
    return ok;
}

bool goal_holds(struct comparison *cmp, const struct claims *claims, const struct part *part) {
    if (!part || part->node->verdict == VERDICT_TRUE || claims_have(claims, CLAIM_IS, part->rep))
        return true;
    if (!STEP_TAKEN(cmp) || cmp->depth > GOAL_DEPTH)
        return false;
    struct goal_state *state = state_of(cmp, claims, part);
    switch (state->outcome) {
    case GOAL_PROVEN:
        return true;
    case GOAL_FAILED:
        return false;
    case GOAL_OPEN:
        state->used |= cmp->level > state->level;
        return cmp->level > state->level;
    case GOAL_NOT_WHOLE:
        if (cmp->whole)
            return false;
        break;
    case GOAL_UNKNOWN:
        break;
    }
    return prove_once(cmp, state, claims, part);
}

bool goal_holds_inside(struct comparison *cmp, const struct claims *claims, const struct part *part) {
    bool whole = cmp->whole;
    cmp->whole = false;
    cmp->level++;
    bool ok = goal_holds(cmp, claims, part);
    cmp->level--;
    cmp->whole = whole;
    return ok;
}

bool goal_holds_whole(struct comparison *cmp, const struct claims *claims, const struct part *part) {
    bool whole = cmp->whole;
    cmp->whole = true;
    bool ok = goal_holds(cmp, claims, part);
    cmp->whole = whole;
    return ok;
}

bool claims_empty(struct comparison *cmp, const struct claims *claims) {
    bool whole = cmp->whole;
    cmp->whole = false;
    bool empty = claims_facts(cmp, claims)->kinds == 0 || goal_holds(cmp, claims, cmp->nothing);
    cmp->whole = whole;
    return empty;
}

bool claims_empty_inside(struct comparison *cmp, const struct claims *claims) {
    return claims_facts(cmp, claims)->kinds == 0 || goal_holds_inside(cmp, claims, cmp->nothing);
}

/* --- telling -------------------------------------------------------------------------------------------- */

/* The same rule at the same place is told once. */
static bool told(const struct goal *goal, const char *keyword, weir_text name) {
    struct comparison *cmp = goal->cmp;
    buffer key;
    buffer_init(&key, RULE_BYTES);
    buffer_printf(&key, "%u %s %.*s ", goal->part->id, keyword, TEXT_ARG(name));
    step_pointer(&key, goal->step);
    bool seen = key.overflow || map_put(cmp->doubts_seen, buffer_view(&key), cmp);
    buffer_release(&key);
    return seen;
}

bool goal_refuse_name(const struct goal *goal, const char *keyword, weir_text name, const char *rule,
                      const char *format, ...) {
    struct comparison *cmp = goal->cmp;
    if (!goal->telling || cmp->steps <= 0 || told(goal, keyword, name))
        return false;
    if (cmp->doubts.count >= cmp->options.findings_max) {
        cmp->doubts_full = true;
        return false;
    }
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    list_push(cmp->arena, &cmp->doubts,
              ((struct doubt){.step = goal->step,
                              .claims = goal->claims,
                              .part = goal->part,
                              .keyword = keyword,
                              .rule = rule,
                              .message = arena_strdup(cmp->arena, message)}));
    return false;
}

void goal_hint(const struct goal *goal, const char *rule) {
    struct comparison *cmp = goal->cmp;
    struct doubt *last = cmp->doubts.count ? &cmp->doubts.items[cmp->doubts.count - 1] : NULL;
    if (last && last->part == goal->part && last->step == goal->step)
        last->hint = rule;
}

/* Goes through a goal that failed; each only once, so that it ends. */
static void tell(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    uint32_t key[3] = {goal->claims->id, goal->part->id, 1};
    weir_text text = {(const char *)key, sizeof key};
    if (cmp->doubts_full || cmp->steps <= 0 || cmp->depth > GOAL_DEPTH ||
        map_put(cmp->doubts_seen, text, cmp))
        return;
    cmp->depth++;
    prove(goal);
    cmp->depth--;
}

bool goal_same(const struct goal *goal, const struct claims *claims, const struct part *part) {
    if (goal_holds(goal->cmp, claims, part))
        return true;
    const struct goal below = {goal->cmp, claims, part, goal->telling, goal->step};
    if (goal->telling)
        tell(&below);
    return false;
}

bool goal_inside(const struct goal *goal, const struct claims *claims, const struct part *part,
                 struct step step) {
    struct comparison *cmp = goal->cmp;
    if (goal_holds_inside(cmp, claims, part))
        return true;
    if (!goal->telling)
        return false;
    struct step *kept = arena_alloc(cmp->arena, sizeof *kept);
    *kept = step;
    kept->up = goal->step;
    kept->around = goal->claims;
    const struct goal below = {cmp, claims, part, true, kept};
    cmp->level++;
    tell(&below);
    cmp->level--;
    return false;
}

/* --- one goal ------------------------------------------------------------------------------------------- */

/* All values there can be, one by one. */
static bool prove_values(const struct goal *goal, const struct facts *facts) {
    struct comparison *cmp = goal->cmp;
    bool ok = true;
    for (size_t i = 0; i < facts->values.count; i++) {
        const json *value = facts->values.items[i];
        if (goal->part != cmp->nothing && part_valid(cmp, goal->part, value))
            continue;
        ok = false;
        if (!goal->telling)
            return false;
        const struct schema_problem *problem =
            goal->part == cmp->nothing ? NULL : schema_problem_at(cmp->run, 0);
        buffer rule;
        buffer_init(&rule, RULE_BYTES);
        buffer_string(&rule, "{\"not\":{\"const\":");
        json_write(&rule, value, false);
        buffer_string(&rule, "}}");
        goal_refuse(goal, problem ? arena_strdup(cmp->arena, problem->keyword) : "false",
                    rule.overflow ? NULL : arena_cstr(cmp->arena, buffer_view(&rule)),
                    "the writer may write %s, which the reader refuses: %s", words_json(cmp->arena, value),
                    problem ? problem->message : "is not allowed here");
        buffer_release(&rule);
    }
    return ok;
}

static bool prove_kinds(const struct goal *goal, const struct facts *facts) {
    struct comparison *cmp = goal->cmp;
    const struct node *node = goal->part->node;
    unsigned extra = facts->kinds & ~kinds_of_node(node), bad = 0;
    for (unsigned kind = 0; kind < KINDS; kind++)
        if (extra >> kind & 1 && !kind_empty(cmp, goal->claims, kind))
            bad |= 1u << kind;
    if (!bad)
        return true;
    if (!goal->telling)
        return false;
    const char *written = facts->kinds == ALL_KINDS ? "anything" : kinds_words(cmp, bad);
    if (node->verdict == VERDICT_FALSE)
        return goal_refuse(goal, "false", "false", "the writer may write %s, the reader allows nothing here",
                           written);
    return goal_refuse(goal, "type", lone_types(cmp, kinds_of_node(node)),
                       "the writer may write %s, the reader reads only %s", written,
                       kinds_words(cmp, kinds_of_node(node)));
}

static bool prove_enum(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct node *node = goal->part->node;
    bool ok = true;
    if (node->values)
        PROVE(goal, goal_refuse(goal, "enum", lone_json(cmp, "enum", node->values->source),
                                "the writer may write other values than the reader's %s",
                                words_list(cmp->arena, node->values->source)));
    if (node->constant)
        PROVE(goal, goal_refuse(goal, "const", lone_json(cmp, "const", node->constant->source),
                                "the writer may write other values than the reader's %s",
                                words_json(cmp->arena, node->constant->source)));
    return ok;
}

static bool prove_direct(const struct goal *goal) {
    const struct facts *facts = claims_facts(goal->cmp, goal->claims);
    const struct node *node = goal->part->node;
    unsigned both = facts->kinds & kinds_of_node(node);
    bool ok = true;
    PROVE(goal, prove_kinds(goal, facts));
    if (!both)
        return ok;
    if (node->values || node->constant)
        PROVE(goal, prove_enum(goal));
    if (both & (1u << JSON_NUMBER | 1u << KIND_INTEGER) && node->number)
        PROVE(goal, prove_number(goal));
    if (both & 1u << JSON_STRING && node->string)
        PROVE(goal, prove_string(goal));
    if (both & 1u << JSON_ARRAY && node->array)
        PROVE(goal, prove_array(goal));
    if (both & 1u << JSON_OBJECT && node->object)
        PROVE(goal, prove_object(goal));
    if (node->applied.count)
        PROVE(goal, prove_applied(goal));
    if (both & 1u << JSON_OBJECT && node->unevaluated_properties)
        PROVE(goal, prove_unevaluated_properties(goal));
    if (both & 1u << JSON_ARRAY && node->unevaluated_items)
        PROVE(goal, prove_unevaluated_items(goal));
    return ok;
}

/* The kinds of values that are possible as far as is known; fewer than the facts say. */
static unsigned live_kinds(struct comparison *cmp, const struct claims *claims) {
    unsigned kinds = claims_facts(cmp, claims)->kinds, live = 0;
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i]->kind == CLAIM_NOT && goal_holds(cmp, claims, claims->items[i]->part))
            return 0;
    for (unsigned kind = 0; kind < KINDS; kind++)
        if (kinds >> kind & 1 && !kind_empty(cmp, claims, kind))
            live |= 1u << kind;
    return live;
}

/* --- cases ---------------------------------------------------------------------------------------------- */

static bool has_branches(const struct node *node) {
    for (size_t i = 0; i < node->applied.count; i++)
        if (node->applied.items[i].kind != APPLY_ALL)
            return true;
    return false;
}

static void split_kinds(struct comparison *cmp, const struct claims *claims, case_list *out) {
    unsigned kinds = claims_facts(cmp, claims)->kinds;
    if (kinds & (kinds - 1))
        for (unsigned kind = 0; kind < KINDS; kind++)
            if (kinds >> kind & 1)
                list_push(cmp->arena, out,
                          claims_with(cmp, claims, (struct claim){CLAIM_TYPES, .types = 1u << kind}));
}

/* By whether a member is there and, where it can only be one of a few values, which. */
static bool split_member(struct comparison *cmp, const struct claims *claims, weir_text name,
                         case_list *out) {
    const struct facts *facts = claims_facts(cmp, claims);
    bool sure = facts_require(facts, name);
    if (claims_have_name(claims, CLAIM_LACKS, name) || claims_have_name(claims, CLAIM_MEMBER, name) ||
        !member_possible(cmp, claims, name))
        return false;
    const struct facts *member = claims_facts(cmp, claims_member(cmp, claims, name));
    bool few = member->finite && member->values.count > 1 && member->values.count <= SPLIT_VALUES;
    if (sure && !few)
        return false;
    if (!sure)
        list_push(cmp->arena, out, claims_with(cmp, claims, (struct claim){CLAIM_LACKS, .name = name}));
    const struct claims *with = claims_with(cmp, claims, (struct claim){CLAIM_HAS, .name = name});
    if (!few)
        list_push(cmp->arena, out, with);
    for (size_t i = 0; few && i < member->values.count; i++)
        list_push(cmp->arena, out,
                  claims_with(cmp, with,
                              (struct claim){CLAIM_MEMBER, .name = name, .value = member->values.items[i]}));
    return true;
}

/* The names that branches of the reader speak of. */
static bool split_names(struct comparison *cmp, const struct claims *claims, const struct node *node,
                        unsigned depth, case_list *out) {
    for (size_t i = 0; i < node->applied.count; i++) {
        const struct applied *applied = &node->applied.items[i];
        for (size_t j = 0; j < applied->count; j++) {
            const struct node *branch = applied->nodes[j];
            const struct object_rules *rules = branch ? branch->object : NULL;
            for (size_t k = 0; applied->kind != APPLY_ALL && rules && k < rules->keys.count; k++)
                if (split_member(cmp, claims, rules->keys.items[k].name, out))
                    return true;
            if (branch && depth < 3 && split_names(cmp, claims, branch, depth + 1, out))
                return true;
        }
        if (applied->kind == APPLY_DEPENDENT && split_member(cmp, claims, applied->name, out))
            return true;
    }
    return false;
}

static size_t splits_done(const struct claims *claims) {
    size_t count = 0;
    for (size_t i = 0; i < claims->count; i++)
        count += claims->items[i]->kind == CLAIM_HAS || claims->items[i]->kind == CLAIM_LACKS;
    return count;
}

static bool find_cases(const struct goal *goal, case_list *cases) {
    struct comparison *cmp = goal->cmp;
    const struct node *node = goal->part->node;
    if (cmp->whole)
        return false;
    if (claims_cases(cmp, goal->claims, cases))
        return true;
    if (!has_branches(node))
        return false;
    split_kinds(cmp, goal->claims, cases);
    return cases->count ||
           (claims_facts(cmp, goal->claims)->kinds == 1u << JSON_OBJECT &&
            splits_done(goal->claims) < SPLITS_MAX && split_names(cmp, goal->claims, node, 0, cases));
}

static bool prove(const struct goal *goal) {
    struct comparison *cmp = goal->cmp;
    const struct facts *facts = claims_facts(cmp, goal->claims);
    bool ok = true;
    if (facts->finite)
        return prove_values(goal, facts);
    if (!goal->telling && prove_direct(goal))
        return true;
    unsigned live = live_kinds(cmp, goal->claims);
    if (!live)
        return true;
    if (live != facts->kinds)
        return goal_same(goal, claims_with(cmp, goal->claims, (struct claim){CLAIM_TYPES, .types = live}),
                         goal->part);
    case_list cases = {0};
    if (find_cases(goal, &cases)) {
        for (size_t i = 0; i < cases.count; i++)
            PROVE(goal, goal_same(goal, cases.items[i], goal->part));
        return ok;
    }
    return goal->telling && prove_direct(goal);
}
