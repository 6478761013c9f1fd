/* SPDX-License-Identifier: Apache-2.0 */
/* What a schema compiles to. One node per subschema; a node's rules are sorted by the type of value they look
 * at, so that running it touches only what can matter: type mask, then values, then the rules of that one
 * type, then the subschemas applied to the same value. Nodes that are only one of these have a way of their own through
 * the first pass (run_quick.c). Everything here is immutable once compiled and lives
 * in schema->arena. */
#ifndef SCHEMA_PROGRAM_H
#define SCHEMA_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "schema/formats.h"
#include "schema/keys.h"
#include "schema/regex.h"
#include "schema/schema.h"
#include "schema/values.h"

enum verdict {
    VERDICT_RULES, /* look at the rules */
    VERDICT_TRUE,  /* allows everything */
    VERDICT_FALSE  /* allows nothing: no type */
};

/* All that a node asks beside the type, if it is one thing. */
enum node_form {
    FORM_ANY,     /* more than one, or something rarer */
    FORM_PLAIN,   /* nothing */
    FORM_STRING,  /* rules of strings */
    FORM_NUMBER,  /* rules of numbers */
    FORM_WORDS,   /* enum or const of a few values */
    FORM_MEMBERS, /* size, properties, required, additionalProperties */
    FORM_ITEMS    /* size, items, uniqueItems */
};

enum bound_kind { BOUND_MINIMUM, BOUND_MAXIMUM, BOUND_ABOVE, BOUND_BELOW, BOUND_MULTIPLE, BOUND_COUNT };

/* A limit on a number. `small` says that value holds it exactly. */
struct bound {
    enum bound_kind kind;
    bool small;
    int64_t value;
    weir_text text;
};

struct number_rules {
    size_t count;
    bool ranged; /* all bounds together are low .. high, for integers that fit */
    int64_t low, high;
    struct bound bounds[BOUND_COUNT];
};

struct string_rules {
    uint64_t min, max; /* in characters */
    uint64_t enough;   /* bytes that make at least min characters, whatever they are */
    const struct regex *pattern;
    const struct byte_pattern *short_way; /* of pattern, or NULL */
    weir_text pattern_text;
    const struct format *format;
};

struct array_rules {
    uint64_t min, max;
    struct node **prefix;
    size_t prefix_count;
    struct node *items; /* of those behind the prefix; NULL: not looked at */
    struct node *contains;
    uint64_t contains_min, contains_max;
    bool unique;
};

struct pattern_rule {
    const struct regex *pattern;
    weir_text text;
    struct node *node;
};

/* dependentRequired: who has `property` needs all of `names` */
struct dependent_rule {
    weir_text property;
    weir_text *names;
    size_t count;
};

struct object_rules {
    uint64_t min, max;
    struct keys keys; /* of properties and required together; value = node or NULL */
    size_t required_count;
    LIST(struct pattern_rule) patterns;
    struct node *additional; /* NULL: not looked at */
    struct node *names;
    LIST(struct dependent_rule) dependents;
    bool walks; /* must look at each member (otherwise size and required say all) */
};

enum applied_kind {
    APPLY_ALL,       /* $ref and allOf: each of nodes */
    APPLY_ANY,       /* anyOf */
    APPLY_ONE,       /* oneOf */
    APPLY_NOT,       /* not */
    APPLY_IF,        /* nodes = if, then, else; NULL where absent */
    APPLY_DEPENDENT, /* dependentSchemas: nodes[0] when `name` is a property */
    APPLY_DYNAMIC    /* $dynamicRef: the outermost anchor `slot`, else nodes[0] */
};

/* A subschema applied to the same value. */
struct applied {
    enum applied_kind kind;
    bool reference; /* written as $ref */
    struct node **nodes;
    size_t count;
    weir_text name;
    size_t slot;
};

struct node {
    enum verdict verdict;
    enum node_form form;
    bool plain;         /* FORM_PLAIN: the type says it all */
    uint8_t types;      /* bit per json_type */
    uint8_t tags;       /* the same, bit per tag (json/value.h) */
    bool integral;      /* numbers must be integers */
    bool costs;         /* looks inside a value or applies subschemas: counted against the budget */
    uint8_t type_words; /* as written, for the message (words_types) */
    const struct value_set *values;   /* enum */
    const struct value_set *constant; /* const */
    struct number_rules *number;
    struct string_rules *string;
    struct array_rules *array;
    struct object_rules *object;
    LIST(struct applied) applied;
    struct node *unevaluated_items, *unevaluated_properties;
    const struct resource *resource;
    /* what one look costs, in steps (run.c) */
    size_t branches;    /* schemas applied to the same value */
    size_t lookups;     /* of names among the members of an object, one after the other */
    const json *source; /* as written, for annotations */
    const char *where;  /* "#/properties/id" */
    int height;         /* of cycles.c, while compiling */
};

/* A schema with a URI of its own: a document, or a subschema with $id. */
struct resource {
    weir_text uri; /* without fragment; "" when nothing gave it one */
    const json *root;
    struct map *anchors;  /* name -> struct spot of $anchor and $dynamicAnchor; NULL: none */
    struct map *dynamics; /* name -> struct spot of $dynamicAnchor alone */
    unsigned vocabularies;
    struct node **slots; /* by dynamic anchor number: the node here that bears it, or NULL */
};

struct schema {
    struct arena *arena;
    struct node *root;
    const struct resource *base;
    bool tracks;          /* has unevaluatedItems or unevaluatedProperties */
    bool dynamic;         /* has a $dynamicRef whose target depends on the way there */
    size_t dynamic_names; /* slots of each resource */
    LIST(struct regex *) regexes;
    json_doc *metaschema; /* the draft's own documents, when referred to */
};

enum { ALL_TYPES = 0x3f };

#endif
