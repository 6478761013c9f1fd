/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the comparison. Words: a `part` is a node of one of the two compiled schemas, one for all that mean the
 * same; `claims` are what is known of a value (it is valid under these parts, it has this member, ...); a `shape`
 * is what a closed writer names at one place of its documents; a goal is "whatever fits these claims is valid
 * under that part". Everything lives in the comparison's arena. */
#ifndef COMPAT_COMPARE_PARTS_H
#define COMPAT_COMPARE_PARTS_H

#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "compat/compare.h"
#include "schema/program.h"

/* --- parts (compare_same.c) ----------------------------------------------------------------------------- */

struct part {
    const struct node *node;
    const schema *schema;         /* the one it is of */
    schema alone;                 /* the same with this node as its root: to run it */
    uint32_t id;                  /* position in cmp->parts: the same on every machine */
    const struct part *rep;       /* the first part that means the same, maybe of the other schema */
    const struct part **children; /* every part it refers to, in a fixed order; NULL where none is */
    size_t child_count;
};

typedef LIST(const struct part *) part_list;

/* Numbers all parts of both schemas and finds which mean the same. */
void parts_read(struct comparison *cmp);
/* The part that stands for the node and all that mean the same; the node's own, with its place. NULL for NULL. */
const struct part *part_of(const struct comparison *cmp, const struct node *node);
const struct part *part_at(const struct comparison *cmp, const struct node *node);
/* Is the value valid under it? Costs a step for each 64 bytes or so. */
bool part_valid(struct comparison *cmp, const struct part *part, const json *value);

/* --- shapes (compare_shape.c) --------------------------------------------------------------------------- */

/* A place of the writer's documents, as the set of parts that may apply there. */
struct shape {
    uint32_t id;
    const struct part *const *parts; /* with all that apply to the same value */
    size_t count;
    bool names_any; /* some property is named */
    bool open;      /* others are stated to be allowed */
};

/* Of the root; the empty shape (anything goes) when the writer is as written. */
const struct shape *shape_root(struct comparison *cmp);
/* Of a member: NULL when the closed writer never writes it. */
const struct shape *shape_member(struct comparison *cmp, const struct shape *shape, weir_text name);
/* Of the members whose names are no named ones: those that match a pattern of the writer, or (absent) none. */
const struct shape *shape_others(struct comparison *cmp, const struct shape *shape, weir_text pattern);
const struct shape *shape_item(struct comparison *cmp, const struct shape *shape, size_t index);
/* Appends a JSON Schema that says what a closed writer never writes; false when it is too large. */
bool shape_write(struct comparison *cmp, buffer *out);

/* --- claims (compare_claims.c) -------------------------------------------------------------------------- */

enum claim_kind {
    CLAIM_IS,      /* valid under `part` */
    CLAIM_NOT,     /* not valid under `part` */
    CLAIM_TYPES,   /* one of `types` */
    CLAIM_HAS,     /* an object has `name` */
    CLAIM_LACKS,   /* an object has no `name` */
    CLAIM_MEMBER,  /* the member `name`, if there, is `value` */
    CLAIM_VALUE,   /* is `value` */
    CLAIM_PATTERN, /* a string that matches the pattern `name` */
    CLAIM_SHAPE    /* at most what `shape` lets be written */
};

/* Types as goals tell them apart: a bit per json_type, where JSON_NUMBER means numbers that are no integers,
 * and one for integers. */
enum { KIND_INTEGER = JSON_OBJECT + 1, KINDS = KIND_INTEGER + 1, ALL_KINDS = (1 << KINDS) - 1 };
unsigned kinds_of_node(const struct node *node);
unsigned kind_of_value(const json *value);
const char *kinds_words(struct comparison *cmp, unsigned kinds); /* "a string or an integer" */

struct claim {
    enum claim_kind kind;
    uint32_t id;
    const struct part *part;
    unsigned types;
    weir_text name;
    const json *value;
    const struct shape *shape;
};

struct facts;
struct claims {
    uint32_t id;
    size_t count;
    const struct claim **items; /* by id; with all that follows from them by allOf and the like */
    struct facts *facts;        /* NULL until asked for */
};

typedef LIST(const struct claim *) claim_list;
void claim_add(struct comparison *cmp, claim_list *list, struct claim claim);
static inline void claim_is(struct comparison *cmp, claim_list *list, const struct part *part) {
    claim_add(cmp, list, (struct claim){.kind = CLAIM_IS, .part = part});
}
const struct claims *claims_of(struct comparison *cmp, claim_list *list);
const struct claims *claims_with(struct comparison *cmp, const struct claims *claims, struct claim claim);
const struct claims *claims_without(struct comparison *cmp, const struct claims *claims,
                                    const struct claim *claim);
bool claims_have(const struct claims *claims, enum claim_kind kind, const struct part *part);
bool claims_have_name(const struct claims *claims, enum claim_kind kind, weir_text name);
const struct shape *claims_shape(const struct claims *claims); /* NULL: anything goes */

/* What is known of a member, of an item, of the members that no part names (see shape_others), of a name. */
const struct claims *claims_member(struct comparison *cmp, const struct claims *claims, weir_text name);
const struct claims *claims_item(struct comparison *cmp, const struct claims *claims, size_t index);
const struct claims *claims_others(struct comparison *cmp, const struct claims *claims, weir_text pattern);
const struct claims *claims_name(struct comparison *cmp, const struct claims *claims, weir_text pattern);

/* A way to split claims into cases, one of which each value fits. */
typedef LIST(const struct claims *) case_list;
/* By the index-th anyOf, oneOf, if, dependentSchemas that is open; false when there is none. */
bool claims_cases(struct comparison *cmp, const struct claims *claims, case_list *out);

/* Do the part's keywords look at members of that name, or might they? Over all that applies to the value. */
bool part_may_evaluate(struct comparison *cmp, const struct part *part, weir_text name, bool others);
bool part_may_evaluate_item(struct comparison *cmp, const struct part *part, size_t index);
bool regex_fits(struct comparison *cmp, const struct regex *regex, weir_text text);

/* --- facts (compare_facts.c) ---------------------------------------------------------------------------- */

struct edge { /* of a range of numbers; absent text: none */
    weir_text text;
    bool exclusive;
};

struct facts {
    unsigned kinds;
    bool finite; /* `values` are all there are */
    LIST(const json *) values;
    struct edge low, high;
    LIST(weir_text) multiples;
    uint64_t length_min, length_max;
    LIST(weir_text) patterns;
    LIST(const struct format *) formats;
    uint64_t items_min, items_max;
    bool unique;
    uint64_t members_min, members_max;
    LIST(weir_text) required;
    LIST(weir_text) names;         /* named by a part or a claim */
    struct map *marks;             /* of names: which lists they are in */
    LIST(weir_text) name_patterns; /* patterns of patternProperties */
};

const struct facts *claims_facts(struct comparison *cmp, const struct claims *claims);
bool facts_require(const struct facts *facts, weir_text name);
/* An integer within the range moved inwards, or the edge as it is. */
struct edge edge_integral(struct comparison *cmp, struct edge edge, bool low);
/* Is there no number between them? */
bool edges_cross(struct edge low, struct edge high);

/* --- goals (compare_goal.c and the files of the kinds) -------------------------------------------------- */

/* The way to a value. */
struct step {
    const struct step *up; /* NULL: the document */
    weir_text name;        /* of a member; absent: an item or the others */
    bool others;           /* a member that is not named; `name` is a pattern of its name, or absent */
    size_t index;
    bool rest;                   /* any item from index on */
    const struct claims *around; /* of the object or array */
};

struct goal {
    struct comparison *cmp;
    const struct claims *claims;
    const struct part *part;
    bool telling; /* it is known to fail: note why, all of it */
    const struct step *step;
};

/* Whatever fits the claims is valid under the part: proven? */
bool goal_holds(struct comparison *cmp, const struct claims *claims, const struct part *part);
/* The same without splitting these claims into cases: somebody above does, who has more to choose from. */
bool goal_holds_whole(struct comparison *cmp, const struct claims *claims, const struct part *part);
/* The same for a value one level deeper in the document. */
bool goal_holds_inside(struct comparison *cmp, const struct claims *claims, const struct part *part);
/* Is it proven that nothing fits the claims? */
bool claims_empty(struct comparison *cmp, const struct claims *claims);
bool claims_empty_inside(struct comparison *cmp, const struct claims *claims);

/* A rule is not proven: false. When telling, it is noted, with a schema of that one rule (NULL: the whole part),
 * once for each place, keyword and name of a member. */
bool goal_refuse_name(const struct goal *goal, const char *keyword, weir_text name, const char *rule,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
#define goal_refuse(goal, keyword, ...) goal_refuse_name((goal), (keyword), (weir_text){0}, __VA_ARGS__)
/* A narrower rule to be broken first, for what was just refused; NULL: none. */
void goal_hint(const struct goal *goal, const char *rule);
/* A part of the value: proven? When telling, its own reasons are noted. */
bool goal_inside(const struct goal *goal, const struct claims *claims, const struct part *part,
                 struct step step);
bool goal_same(const struct goal *goal, const struct claims *claims, const struct part *part);

/* The pattern as a set of texts; NULL: nothing is known of it. */
const struct language *language_of(struct comparison *cmp, weir_text pattern);
bool prove_number(const struct goal *goal);
bool prove_string(const struct goal *goal);
bool prove_array(const struct goal *goal);
bool prove_object(const struct goal *goal);
bool prove_applied(const struct goal *goal);
bool prove_unevaluated_properties(const struct goal *goal);
bool prove_unevaluated_items(const struct goal *goal);
/* May an object that fits the claims have the member? */
bool member_possible(struct comparison *cmp, const struct claims *claims, weir_text name);
/* Is it proven that no value of the kind fits? */
bool kind_empty(struct comparison *cmp, const struct claims *claims, unsigned kind);
bool object_empty(struct comparison *cmp, const struct claims *claims);
/* Does the branch surely apply to what fits the claims, and hold? */
bool branch_applies(struct comparison *cmp, const struct claims *claims, const struct applied *applied,
                    size_t index);

/* --- one rule as a schema (compare_rule.c) -------------------------------------------------------------- */

/* Texts that live in the arena; NULL when they would be too large. Parts are referred to as #/$defs/ID. */
const char *lone_json(struct comparison *cmp, const char *keyword, const json *value);
const char *lone_string(struct comparison *cmp, const char *keyword, weir_text value);
const char *lone_count(struct comparison *cmp, const char *keyword, uint64_t count);
const char *lone_types(struct comparison *cmp, unsigned kinds);
const char *lone_required(struct comparison *cmp, weir_text name, weir_text beside);
const char *lone_without(struct comparison *cmp, weir_text name); /* the member must not be there */
const char *lone_extra(struct comparison *cmp, const struct part *part);
const char *lone_names(struct comparison *cmp, const struct part *part);
const char *lone_contains(struct comparison *cmp, const struct part *part, bool least);
const char *lone_applied(struct comparison *cmp, const struct part *part, size_t index);
/* The whole part, with references to others. */
void part_write(struct comparison *cmp, buffer *out, const struct part *part);
/* "ID": {...}, ... of these parts and everything they refer to. */
void part_write_all(struct comparison *cmp, buffer *out, const part_list *from);
/* a JSON Pointer, with * for any item or other member */
void step_pointer(buffer *out, const struct step *step);

/* A rule is undone at once when telling stops at the first. */
#define PROVE(goal, call)         \
    do {                          \
        if (!(call)) {            \
            ok = false;           \
            if (!(goal)->telling) \
                return false;     \
        }                         \
    } while (0)

/* --- what is found -------------------------------------------------------------------------------------- */

/* A rule that was not proven: a doubt until a witness makes it a break. */
struct doubt {
    const struct step *step;
    const struct claims *claims;
    const struct part *part;
    const char *keyword;
    const char *rule; /* a schema of that one rule, as text; NULL: the whole part */
    const char *hint; /* a narrower one, tried first; or NULL */
    const char *message;
};

struct comparison {
    struct arena *arena;
    struct compare_options options;
    const schema *writer, *reader;
    schema_run *run;
    int64_t steps;     /* left */
    unsigned depth;    /* of goals inside each other */
    unsigned level;    /* how deep in the document the goal at hand is */
    bool whole;        /* claims are not split */
    struct map *nodes; /* address of a node -> part */
    LIST(struct part *) parts;
    struct map *shapes, *claim_ids, *claims_ids, *goals;
    LIST(const struct shape *) all_shapes;
    uint32_t claim_count, claims_count;
    LIST(struct goal_state *) proven; /* in the order they were: some are taken back */
    struct regex_scratch *regex;
    struct map *languages; /* text of a pattern -> struct language */
    struct map *texts;     /* text -> json of that string */
    LIST(json_doc *) docs;
    LIST(struct map *) maps;
    const json *booleans;       /* [null, true, false] */
    const struct part *nothing; /* the schema false */

    schema *closed; /* refuses what a closed writer never writes; NULL: nothing of that kind */
    size_t effort;  /* of the search for witnesses: left */
    size_t widest;  /* most properties of a part */
    struct map *doubts_seen;
    LIST(struct doubt) doubts;
    bool doubts_full;
    LIST(struct compare_finding) findings;
    enum compare_verdict verdict;
};

/* --- witnesses (witness.c) ------------------------------------------------------------------------------ */

/* Compiles cmp->closed; false when it is too large. */
bool witness_close(struct comparison *cmp);
/* A document of the writer that breaks the one rule at its place, and that the reader refuses: found, run,
 * made small. NULL when none was found. */
const char *witness_find(struct comparison *cmp, const struct doubt *doubt);
/* Any document of the writer that the reader refuses; the reader's problem with it lives in cmp->run. */
const char *witness_any(struct comparison *cmp, const struct schema_problem **problem);

#define STEP_TAKEN(cmp) ((cmp)->steps-- > 0)

#define RULE_BYTES (4 << 20)

const json *compare_json(struct comparison *cmp, const char *text); /* kept; NULL when it is none */
const json *compare_string(struct comparison *cmp, weir_text text); /* the string as a value */

#endif
