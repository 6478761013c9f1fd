/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the compiler: one row per keyword, one worklist of subschemas. */
#ifndef SCHEMA_COMPILE_H
#define SCHEMA_COMPILE_H

#include "base/fail.h"
#include "schema/references.h"
#include "schema/words.h"

struct pending {
    struct node *node;
    const struct spot *spot;
};

struct compiler {
    struct arena *arena;
    struct schema *schema;
    struct library references;
    struct map *nodes; /* address of a json -> struct node */
    LIST(struct node *) all;
    LIST(struct pending) pending;
    LIST(weir_text) dynamic_names; /* anchors that a $dynamicRef looks for, by slot */
};

/* The subschema being compiled. */
struct work {
    struct compiler *compiler;
    struct node *node;
    const struct spot *spot;
    const struct keyword *row; /* the keyword at hand */
};

/* The node of a subschema that the keyword holds (queued when new); fails when value is no schema. */
WEIR_MUST_CHECK weir_code compile_child(struct work *work, struct node **out, const json *value,
                                        weir_error *err);
struct node *compile_spot(struct compiler *compiler, const struct spot *spot);

/* "#/properties/id/minLength: " + sentence + ", is " + value */
weir_code compile_wrong(const struct work *work, const char *sentence, const json *value, weir_error *err);
/* A whole number from 0; larger ones than fit are as good as the largest. */
WEIR_MUST_CHECK weir_code compile_count(struct work *work, uint64_t *out, const json *value, weir_error *err);
WEIR_MUST_CHECK weir_code compile_bool(struct work *work, bool *out, const json *value, weir_error *err);
/* Is it a list of strings? */
WEIR_MUST_CHECK weir_code compile_names(struct work *work, const json *value, weir_error *err);
WEIR_MUST_CHECK weir_code compile_regex(struct work *work, const struct regex **out, weir_text pattern,
                                        weir_error *err);

/* compile_values.c */
keyword_compile compile_type, compile_enum, compile_const, compile_bound, compile_length, compile_pattern,
    compile_format;
enum { LENGTH_MIN, LENGTH_MAX };
/* compile_parts.c */
keyword_compile compile_object_count, compile_properties, compile_pattern_properties, compile_additional,
    compile_property_names, compile_required, compile_dependent_required, compile_array_count, compile_prefix,
    compile_items, compile_contains, compile_unique, compile_unevaluated;
enum { COUNT_MIN, COUNT_MAX, COUNT_CONTAINS_MIN, COUNT_CONTAINS_MAX };
enum { UNEVALUATED_ITEMS, UNEVALUATED_PROPERTIES };
/* compile_applied.c */
keyword_compile compile_definitions, compile_ref, compile_dynamic_ref, compile_branches, compile_not,
    compile_if, compile_dependent_schemas;
/* Gives every $dynamicRef its candidates; may queue more subschemas, so call until it says false. */
bool compile_dynamic_slots(struct compiler *compiler);

/* cycles.c: refuses schemas that would apply themselves to the same value for ever, or too deep; then
 * replaces nodes that are nothing but a $ref by what they refer to. */
WEIR_MUST_CHECK weir_code cycles_check(struct compiler *compiler, weir_error *err);

#endif
