/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sampler. A claim says that a value fits a subschema, or that it does not. All claims on one value
 * are merged into a wish: what kind of value, which bounds, which members. Makers turn a wish into text; a
 * member of an object is claims again. Where a choice is free the dice decide, and a choice that leads nowhere
 * is made again, within the budget. */
#ifndef SAMPLE_MAKE_H
#define SAMPLE_MAKE_H

#include "base/dice.h"
#include "base/list.h"
#include "sample/sample.h"
#include "schema/program.h"

/* The resources on the way to a subschema, innermost first: $dynamicRef looks for the outermost. */
struct scope {
    const struct resource *resource;
    const struct scope *outer;
};

struct claim {
    const struct schema *schema; /* the one it belongs to */
    const struct node *node;
    const struct scope *scope;
    bool denied; /* must not fit */
    bool nearly; /* denied: but everything else in it holds */
};
typedef LIST(struct claim) claims;

/* --- wishes ------------------------------------------------------------------------------------------- */

struct pattern_wish {
    const struct regex *regex;
    weir_text text;
    bool denied;
};
struct format_wish {
    const struct format *format;
    bool denied;
};
struct values_wish {
    const struct value_set *set;
    bool denied;
};
struct contains_wish {
    struct claim claim;
    uint64_t min, max;
};
/* A claim on the member or the item that stands at one place. */
struct placed {
    weir_text name; /* members */
    size_t index;   /* items; ANY_INDEX: some */
    struct claim claim;
};
#define ANY_INDEX SIZE_MAX

struct wish {
    const claims *given;
    uint8_t types;
    bool integral, broken_integral; /* numbers: whole; with a fraction */
    bool risky;                     /* what was merged does not say all: look at the result before going on */
    LIST(struct values_wish) values;
    claims held; /* claims with rules of members or items */
    weir_text format_name;
    const json *samples[2]; /* examples, default */

    LIST(struct bound) bounds; /* multiples among them */
    LIST(weir_text) broken_multiples;

    uint64_t length_min, length_max;
    LIST(struct pattern_wish) patterns;
    LIST(struct format_wish) formats;

    uint64_t items_min, items_max;
    bool unique, repeated;
    LIST(struct contains_wish) contains;
    LIST(struct placed) items;

    uint64_t members_min, members_max;
    LIST(weir_text) needed, banned;
    LIST(struct placed) members;
    claims names;     /* on each name */
    claims odd_names; /* one member has a name that fits these */
    claims stray;     /* one member that nobody declared, with a value that fits these */
    bool strays;
};

struct maker {
    struct sampler *sampler;
    struct arena *arena;
    struct dice dice;
    size_t budget; /* values that may still be tried */
    int depth;
    bool thrifty; /* as small as possible */
    bool open;
    bool loose;          /* of types that are not meant, too */
    unsigned fresh;      /* so often the value at hand was there already: be more inventive */
    int mood;            /* how many of the optional members: 0 few .. 3 all */
    weir_text hint;      /* the name of the member at hand */
    const json *example; /* what stands at this place in the options' example, or NULL */
};

enum {
    DEPTH_SMALL = 5, /* deeper in, everything is as small as possible */
    TRIES = 6        /* of one value, before the value around it is tried again */
};

/* wish.c: false when the claims contradict each other as the dice fell. */
bool wish_make(struct maker *maker, struct wish *wish, const claims *given);
bool wish_add(struct maker *maker, struct wish *wish, struct claim claim);
struct claim claim_on(struct maker *maker, const struct claim *parent, const struct node *node, bool denied);
/* What $ref or $dynamicRef leads to here. */
const struct node *claim_target(const struct claim *claim, const struct applied *applied);
/* names.c: a name that matches; absent when none was found. Lives in the arena. */
weir_text name_of_pattern(struct maker *maker, const struct wish *wish, const struct pattern_rule *rule);
/* unevaluatedItems or unevaluatedProperties, on an item or a member that nothing else looks at. */
void claim_rest(struct maker *maker, const claims *held, claims *out, bool items);
/* Of what is said twice, once as it is and once denied, only the denial stays. */
void claims_settle(claims *claims);
/* aims.c: the same for a denied claim. */
bool wish_deny(struct maker *maker, struct wish *wish, struct claim claim);

/* One thing a node says; `index` tells which of several. */
enum rule_kind {
    RULE_NONE,
    RULE_TYPE,
    RULE_VALUES,
    RULE_CONSTANT,
    RULE_BOUND,
    RULE_LENGTH_MIN,
    RULE_LENGTH_MAX,
    RULE_PATTERN,
    RULE_FORMAT,
    RULE_ITEMS_MIN,
    RULE_ITEMS_MAX,
    RULE_UNIQUE,
    RULE_CONTAINS_MIN,
    RULE_CONTAINS_MAX,
    RULE_PREFIX,
    RULE_ITEMS,
    RULE_REST, /* unevaluatedItems */
    RULE_MEMBERS_MIN,
    RULE_MEMBERS_MAX,
    RULE_REQUIRED,
    RULE_DEPENDENT,
    RULE_NAMES,
    RULE_MEMBER,
    RULE_PATTERN_MEMBER,
    RULE_ADDITIONAL,
    RULE_STRAY, /* unevaluatedProperties */
    RULE_APPLIED
};
struct rule {
    enum rule_kind kind;
    size_t index;
};
/* Everything the claim's node says, but one rule. */
bool wish_hold(struct maker *maker, struct wish *wish, struct claim claim, struct rule but);

/* What stands in front of it: 1 when thrift is called for. */
static inline bool small(const struct maker *maker) {
    return maker->thrifty || maker->depth > DEPTH_SMALL;
}

static inline void spend(struct maker *maker, size_t amount) {
    maker->budget -= amount < maker->budget ? amount : maker->budget;
}
/* Does the text match? What it took is spent. make.c */
enum regex_result matches(struct maker *maker, const struct regex *regex, weir_text text);

/* --- makers: each appends JSON text, or says false and leaves out as it was ------------------------------ */

bool make_value(struct maker *maker, buffer *out, const claims *given);
bool make_wish(struct maker *maker, buffer *out, const struct wish *wish);
bool claims_hold(struct maker *maker, const claims *given, weir_text text);
bool make_number(struct maker *maker, buffer *out, const struct wish *wish);
bool make_array(struct maker *maker, buffer *out, const struct wish *wish);
bool make_object(struct maker *maker, buffer *out, const struct wish *wish);
/* The text itself, not yet JSON. */
bool make_text(struct maker *maker, buffer *out, const struct wish *wish);

/* words.c: something a person would write, by the member's name. */
void words_for(struct maker *maker, buffer *out, weir_text hint);
/* format_text.c: false when the format is unknown. */
bool format_text(struct maker *maker, buffer *out, weir_text format);

/* --- texts of a pattern ---------------------------------------------------------------------------------- */

struct recipe;
/* recipe_read.c: kept by the sampler; NULL when it is too involved. */
const struct recipe *recipe_of(struct maker *maker, weir_text pattern);
/* recipe_make.c: a text that probably matches; `extra` characters more than the shortest, about. */
void recipe_make(struct maker *maker, buffer *out, const struct recipe *recipe, size_t extra);
size_t recipe_shortest(const struct recipe *recipe);

struct sampler {
    const struct schema *schema;
    struct sample_options options;
    LIST(const struct schema *) also, never;
    struct arena *kept, *arena;
    struct dice dice;
    schema_run *run;
    struct json_pool *pool;
    struct regex_scratch *regex;
    struct map *recipes; /* pattern -> struct recipe */
    buffer text;
};

#endif
