/* SPDX-License-Identifier: Apache-2.0 */
/* The rows stand in the order of their names, so that one is found by halving. */
#include "schema/keywords.h"

#include <string.h>

#include "schema/compile.h"

static const struct keyword keywords[] = {
    {"$defs", 0, HOLDS_OBJECT, compile_definitions, 0},
    {"$dynamicRef", 0, HOLDS_NO_SCHEMA, compile_dynamic_ref, 0},
    {"$ref", 0, HOLDS_NO_SCHEMA, compile_ref, 0},
    {"additionalProperties", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, compile_additional, 0},
    {"allOf", VOCABULARY_APPLICATOR, HOLDS_ARRAY, compile_branches, APPLY_ALL},
    {"anyOf", VOCABULARY_APPLICATOR, HOLDS_ARRAY, compile_branches, APPLY_ANY},
    {"const", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_const, 0},
    {"contains", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, compile_contains, 0},
    {"contentSchema", 0, HOLDS_SCHEMA, NULL, 0},
    {"definitions", 0, HOLDS_OBJECT, NULL, 0},
    {"dependentRequired", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_dependent_required, 0},
    {"dependentSchemas", VOCABULARY_APPLICATOR, HOLDS_OBJECT, compile_dependent_schemas, 0},
    {"else", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, NULL, 0},
    {"enum", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_enum, 0},
    {"exclusiveMaximum", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_bound, BOUND_BELOW},
    {"exclusiveMinimum", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_bound, BOUND_ABOVE},
    {"format", VOCABULARY_FORMAT, HOLDS_NO_SCHEMA, compile_format, 0},
    {"if", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, compile_if, 0},
    {"items", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, compile_items, 0},
    {"maxContains", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_array_count, COUNT_CONTAINS_MAX},
    {"maxItems", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_array_count, COUNT_MAX},
    {"maxLength", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_length, LENGTH_MAX},
    {"maxProperties", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_object_count, COUNT_MAX},
    {"maximum", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_bound, BOUND_MAXIMUM},
    {"minContains", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_array_count, COUNT_CONTAINS_MIN},
    {"minItems", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_array_count, COUNT_MIN},
    {"minLength", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_length, LENGTH_MIN},
    {"minProperties", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_object_count, COUNT_MIN},
    {"minimum", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_bound, BOUND_MINIMUM},
    {"multipleOf", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_bound, BOUND_MULTIPLE},
    {"not", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, compile_not, 0},
    {"oneOf", VOCABULARY_APPLICATOR, HOLDS_ARRAY, compile_branches, APPLY_ONE},
    {"pattern", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_pattern, 0},
    {"patternProperties", VOCABULARY_APPLICATOR, HOLDS_OBJECT, compile_pattern_properties, 0},
    {"prefixItems", VOCABULARY_APPLICATOR, HOLDS_ARRAY, compile_prefix, 0},
    {"properties", VOCABULARY_APPLICATOR, HOLDS_OBJECT, compile_properties, 0},
    {"propertyNames", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, compile_property_names, 0},
    {"required", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_required, 0},
    {"then", VOCABULARY_APPLICATOR, HOLDS_SCHEMA, NULL, 0},
    {"type", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_type, 0},
    {"unevaluatedItems", VOCABULARY_UNEVALUATED, HOLDS_SCHEMA, compile_unevaluated, UNEVALUATED_ITEMS},
    {"unevaluatedProperties", VOCABULARY_UNEVALUATED, HOLDS_SCHEMA, compile_unevaluated,
     UNEVALUATED_PROPERTIES},
    {"uniqueItems", VOCABULARY_VALIDATION, HOLDS_NO_SCHEMA, compile_unique, 0},
};

const struct keyword *keyword_find(weir_text name) {
    size_t low = 0, high = sizeof keywords / sizeof *keywords;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = text_compare(name, weir_text_of(keywords[middle].name));
        if (order == 0)
            return &keywords[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
