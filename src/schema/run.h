/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program. Two passes over one code: the first says yes or no and keeps nothing; only when it said
 * no, the second runs again with `tracing` on: it keeps the path and notes the problems. */
#ifndef SCHEMA_RUN_H
#define SCHEMA_RUN_H

#include "base/limits.h"
#include "schema/program.h"
#include "schema/words.h"

/* Which members or items of the value at hand have been looked at; a range of run->bits. For unevaluated*. */
struct marks {
    size_t at, words; /* words 0: nobody wants to know */
};

struct schema_run {
    const struct schema *schema;
    bool tracing;          /* second pass */
    bool broken;           /* over budget: whatever the rest says, the instance is invalid */
    const char *budget[2]; /* which one it was: keyword and message */
    bool full;             /* enough problems */
    bool nearing;          /* looking for the branch that comes nearest */
    unsigned muted;        /* inside a branch whose problems are not the instance's */
    unsigned depth;        /* of subschemas applied inside each other */
    int64_t steps;         /* left */
    int64_t granted;       /* to begin with */
    struct regex_scratch *regex;

    struct arena *arena; /* texts of the problems */
    buffer path;         /* pointer to the value at hand, while tracing */
    struct schema_problem problems[LIMIT_SCHEMA_ERRORS];
    size_t count, limit;

    struct marks marks;
    uint64_t *bits;
    size_t bits_used, bits_capacity;

    const struct resource **scopes; /* the way here, for $dynamicRef */
    size_t scope_count, scope_capacity;

    struct equals equals;

    /* The first pass over a tree that json_pool_read made: NULL once it is known to be sound. */
    json_pool *doubted;
    weir_text text;      /* what it was read from */
    weir_error *refused; /* where it is said what is wrong with it, */
    bool unsound;        /* when it is */
    unsigned level;      /* of containers around the value, where they were looked at in doubt */
};

/* A container of a doubted tree may only be passed over, looked at twice or compared after this: the keys in it and its depth are
 * not looked at on the way. False, and the run ends, when the tree is not sound. */
bool run_doubt(struct schema_run *run);
static inline bool run_trusts(struct schema_run *run) {
    return !run->doubted || run_doubt(run);
}

/* run.c */
bool check(struct schema_run *run, const struct node *node, const json *value);
/* The node's rules, when the type of the value is one it takes. */
bool check_rules(struct schema_run *run, const struct node *node, const json *value, enum json_type type);

/* run_quick.c: check, in the first pass, for values whose marks nobody wants. */
bool check_quick(struct schema_run *run, const struct node *node, const json *value);

/* run_object.c, run_array.c, run_applied.c: the rules of one kind */
bool check_object(struct schema_run *run, const struct node *node, const json *value);
bool check_array(struct schema_run *run, const struct node *node, const json *value);
bool check_applied(struct schema_run *run, const struct node *node, const json *value);
/* What no other keyword has looked at. */
bool check_unevaluated_properties(struct schema_run *run, const struct node *node, const json *value);
bool check_unevaluated_items(struct schema_run *run, const struct node *node, const json *value);

/* A member or item: path and marks are put aside meanwhile. */
bool check_member(struct schema_run *run, const struct node *node, weir_text key, const json *value);
bool check_item(struct schema_run *run, const struct node *node, size_t index, const json *value);
/* Does the pattern match? Over budget breaks the run. `node` is where the pattern stands. */
bool check_pattern(struct schema_run *run, const struct node *node, const struct regex *regex,
                   weir_text text);

/* The path while tracing: put something behind it, then cut it back to `size`. */
static inline void path_cut(struct schema_run *run, size_t size) {
    run->path.overflow = false;
    run->path.size = size;
    if (run->path.data)
        run->path.data[size] = 0;
}

/* --- marks.c ------------------------------------------------------------------------------------------- */

struct marks_saved {
    struct marks marks;
    size_t used;
};
/* Fresh marks for `count` members or items; marks_end gives the outer ones back, with the inner ones added if
 * keep. */
struct marks_saved marks_begin(struct schema_run *run, size_t count);
void marks_end(struct schema_run *run, struct marks_saved saved, bool keep);
void marks_all(struct schema_run *run);

static inline void marks_set(struct schema_run *run, size_t index) {
    if (run->marks.words)
        run->bits[run->marks.at + index / 64] |= (uint64_t)1 << (index % 64);
}
static inline bool marks_has(const struct schema_run *run, size_t index) {
    return run->bits[run->marks.at + index / 64] >> (index % 64) & 1;
}

/* --- problems.c ---------------------------------------------------------------------------------------- */

/* Notes a problem (when tracing and not muted). where = the node's place, with "/keyword" behind it. */
void problem_add(struct schema_run *run, const struct node *node, const char *keyword, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
/* Like it, muted or not, and ends the run: a budget was exceeded. */
void problem_break(struct schema_run *run, const struct node *node, const char *keyword, const char *message);

/* --- the budget ---------------------------------------------------------------------------------------- */

enum { BYTES_PER_STEP = 64, VALUES_PER_STEP = 8, DIGITS_PER_STEP = 8 };

/* Work is counted in steps of some 50 ns, before it is done, wherever a schema can make it more than the instance is
 * long: LIMIT_SCHEMA_STEPS are for one document. False, and the run ends, when they are used up. */
static inline bool run_spend(struct schema_run *run, const struct node *node, size_t steps) {
    if ((run->steps -= (int64_t)steps) >= 0)
        return true;
    problem_break(run, node, "schema", "schema budget exceeded");
    return false;
}

/* A long string or number is looked at from its beginning to its end, */
static inline bool run_spend_text(struct schema_run *run, const struct node *node, size_t bytes) {
    return bytes < BYTES_PER_STEP || run_spend(run, node, bytes / BYTES_PER_STEP);
}
static inline bool run_spend_digits(struct schema_run *run, const struct node *node, size_t digits) {
    return digits < BYTES_PER_STEP || run_spend(run, node, digits / DIGITS_PER_STEP);
}
/* and a container compared with all that is in it. */
static inline bool run_spend_whole(struct schema_run *run, const struct node *node, const json *value) {
    size_t values = (size_t)(json_behind(value) - value);
    return values == 1 || run_spend(run, node, values);
}

/* --- breaking a rule ------------------------------------------------------------------------------------ */

/* A rule is broken: in the first pass that is the end; in the second it is noted and the rest is looked at.
 * Needs `bool ok` and returns from the function around it. */
#define REFUSE(run, node, keyword, ...)                     \
    do {                                                    \
        ok = false;                                         \
        if (!(run)->tracing || (run)->muted)                \
            return false;                                   \
        problem_add((run), (node), (keyword), __VA_ARGS__); \
        if ((run)->full)                                    \
            return false;                                   \
    } while (0)

/* A part is invalid: the same, but it has noted its problems itself. */
#define REQUIRE(run, call)                                      \
    do {                                                        \
        if (!(call)) {                                          \
            ok = false;                                         \
            if (!(run)->tracing || (run)->muted || (run)->full) \
                return false;                                   \
        }                                                       \
    } while (0)

#endif
