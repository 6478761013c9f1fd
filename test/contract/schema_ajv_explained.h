/* SPDX-License-Identifier: Apache-2.0 */
/* Where weir and ajv 8 say different things, and the specification is on weir's side. A class is recognised in the smallest
 * pair that still disagrees, so what it asks for is what makes the difference, and not what happens to stand nearby. Classes
 * of keywords hold only where the specification read literally (test/interop/schema_literal.js) says as weir does; formats and
 * numbers the literal reader takes from ajv and from JavaScript, so they are told by their texts. */
#ifndef CONTRACT_SCHEMA_AJV_EXPLAINED_H
#define CONTRACT_SCHEMA_AJV_EXPLAINED_H

#include <string.h>

#include "json/json.h"

/* --- looking at a pair ---------------------------------------------------------------------------------- */

/* How often the keyword stands in the schema. */
static inline size_t uses(const json *schema, const char *keyword) {
    size_t count = 0;
    for (struct json_iter it = json_iter(schema); json_next(&it);)
        count += (it.key.data && text_is(it.key, keyword)) + uses(it.value, keyword);
    return count;
}

/* Does the test hold for the value or one inside it? */
static inline bool some(const json *value, bool (*test)(const json *)) {
    if (test(value))
        return true;
    for (struct json_iter it = json_iter(value); json_next(&it);)
        if (some(it.value, test))
            return true;
    return false;
}

/* Does it hold for a string, or for a name? */
static inline bool some_text(const json *value, bool (*test)(weir_text)) {
    if (json_is(value, JSON_STRING) && test(json_text(value)))
        return true;
    for (struct json_iter it = json_iter(value); json_next(&it);)
        if ((it.key.data && test(it.key)) || some_text(it.value, test))
            return true;
    return false;
}

static inline bool asks_format(const json *schema, const char *name) {
    const json *format = json_get(schema, "format");
    if (json_is(format, JSON_STRING) && text_is(json_text(format), name))
        return true;
    for (struct json_iter it = json_iter(schema); json_next(&it);)
        if (asks_format(it.value, name))
            return true;
    return false;
}

static inline bool has_byte(weir_text text, char c) {
    return text.size && memchr(text.data, c, text.size);
}

/* --- texts of formats ----------------------------------------------------------------------------------- */

static inline bool is_spaced_time(weir_text text) {
    return text.size > 10 && (text.data[10] == ' ' || text.data[10] == '\n' || text.data[10] == '\t');
}

/* +01 or +0100 */
static inline bool is_short_offset(weir_text text) {
    size_t sign = text.size;
    while (sign > 0 && text.data[sign - 1] != '+' && text.data[sign - 1] != '-')
        sign--;
    size_t behind = text.size - sign;
    return sign > 8 && (behind == 2 || behind == 4);
}

static inline bool is_duration_with_gap(weir_text text) {
    size_t time = 0;
    while (time < text.size && text.data[time] != 'T')
        time++;
    weir_text dates = {text.data, time}, times = {text.data + time, text.size - time};
    return (has_byte(dates, 'Y') && has_byte(dates, 'D') && !has_byte(dates, 'M')) ||
           (has_byte(times, 'H') && has_byte(times, 'S') && !has_byte(times, 'M'));
}

static inline bool is_urn(weir_text text) {
    return text.size > 9 && strncasecmp(text.data, "urn:uuid:", 9) == 0;
}

static inline bool is_mail_to_label(weir_text text) {
    const char *at = text.size ? memrchr(text.data, '@', text.size) : NULL;
    return at && !memchr(at, '.', (size_t)(text.data + text.size - at));
}

static inline bool ends_with_dot(weir_text text) {
    return text.size && text.data[text.size - 1] == '.';
}

static inline bool is_reserved_label(weir_text text) {
    for (size_t at = 0; at + 3 < text.size; at++)
        if ((at == 0 || text.data[at - 1] == '.') && text.data[at + 2] == '-' && text.data[at + 3] == '-')
            return true;
    return false;
}

static inline bool is_bare_scheme(weir_text text) {
    return text.size && text.data[text.size - 1] == ':';
}

/* A colon in the first segment, behind what is no scheme; or a quotation mark. */
static inline bool is_loose_reference(weir_text text) {
    for (size_t at = 0; at < text.size && !strchr("/?#", text.data[at]); at++)
        if (text.data[at] == ':')
            return true;
    return has_byte(text, '"');
}

/* A bracket or brace that opens or closes nothing, or a backslash before what needs none. */
static inline bool is_loose_regex(weir_text text) {
    for (size_t at = 0; at + 1 < text.size; at++)
        if (text.data[at] == '\\' && strchr("-\"'#%&,:;<=>@_`~! ", text.data[at + 1]))
            return true;
    return has_byte(text, ']') || has_byte(text, '{') || has_byte(text, '}');
}

/* --- keywords ------------------------------------------------------------------------------------------- */

static inline bool is_fraction(const json *value) {
    weir_text number = json_number(value);
    return number.data && !json_number_integral(number);
}
static inline bool divides_fractions(const json *schema, const json *document) {
    return uses(schema, "multipleOf") && (some(schema, is_fraction) || some(document, is_fraction));
}

static inline bool refers_dynamically(const json *schema, const json *document) {
    (void)document;
    return uses(schema, "$dynamicRef");
}

static inline bool is_lone_if(const json *schema) {
    return json_get(schema, "if") && !json_get(schema, "then") && !json_get(schema, "else");
}
static inline bool asks_what_if_evaluated(const json *schema, const json *document) {
    (void)document;
    return uses(schema, "unevaluatedProperties") + uses(schema, "unevaluatedItems") &&
           some(schema, is_lone_if);
}

/* Something is evaluated by contains, or by a branch that need not hold. */
static inline bool evaluates_in_branches(const json *schema) {
    static const char *const branches[] = {"contains",         "anyOf", "oneOf", "if",
                                           "dependentSchemas", "$ref",  "allOf"};
    for (size_t i = 0; i < sizeof branches / sizeof *branches; i++)
        if (uses(schema, branches[i]))
            return true;
    return false;
}
static inline bool asks_which_items(const json *schema, const json *document) {
    (void)document;
    return uses(schema, "unevaluatedItems") && evaluates_in_branches(schema);
}
static inline bool asks_which_properties(const json *schema, const json *document) {
    (void)document;
    return uses(schema, "unevaluatedProperties") && evaluates_in_branches(schema);
}

static inline bool is_unique_and_prefix(const json *schema) {
    return json_get(schema, "uniqueItems") && json_get(schema, "prefixItems");
}
static inline bool asks_unique_prefix(const json *schema, const json *document) {
    (void)document;
    return some(schema, is_unique_and_prefix);
}

static inline bool is_empty_array(const json *value) {
    return json_is(value, JSON_ARRAY) && !json_size(value);
}
static inline bool contains_in_nothing(const json *schema, const json *document) {
    return uses(schema, "contains") && some(document, is_empty_array);
}

static inline bool is_inherited(weir_text text) {
    return text_is(text, "toString") || text_is(text, "constructor");
}
static inline bool evaluates_inherited(const json *schema, const json *document) {
    return uses(schema, "unevaluatedProperties") && some_text(document, is_inherited);
}

/* --- the classes ---------------------------------------------------------------------------------------- */

static const struct explained {
    const char *format;      /* which the schema asks for, */
    bool (*text)(weir_text); /* of a text like this; or: */
    bool (*keywords)(const json *schema, const json *document);
    bool numbers; /* JavaScript's are binary fractions: the literal reader's, too */
    const char *reason;
} explained[] = {
    {"date-time", is_spaced_time,
     .reason = "RFC 3339, 5.6: T stands between date and time; ajv takes white space"},
    {"date-time", is_short_offset,
     .reason = "RFC 3339, 5.6: an offset is written +01:00; ajv takes +01 and +0100"},
    {"time", is_short_offset,
     .reason = "RFC 3339, 5.6: an offset is written +01:00; ajv takes +01 and +0100"},
    {"duration", is_duration_with_gap,
     .reason = "RFC 3339, appendix A: no part between two others is left out; ajv lets it"},
    {"uuid", is_urn, .reason = "RFC 4122, 3: urn:uuid: makes it a URN; ajv takes it for a UUID"},
    {"email", is_mail_to_label, .reason = "RFC 5321, 4.1.2: a domain may be one label; ajv wants a dot"},
    {"email", ends_with_dot, .reason = "RFC 5321, 4.1.2: a domain does not end in a dot"},
    {"hostname", ends_with_dot, .reason = "RFC 1123, 2.1: a name does not end in a dot; ajv lets it"},
    {"hostname", is_reserved_label,
     .reason = "RFC 5891, 4.2.3.1: -- in the third place is for A-labels, which decode; ajv lets all pass"},
    {"email", is_reserved_label,
     .reason = "RFC 5891, 4.2.3.1: -- in the third place is for A-labels, which decode; ajv lets all pass"},
    {"uri", is_bare_scheme, .reason = "RFC 3986, 3: a path may be empty; ajv wants one behind the scheme"},
    {"uri-reference", is_bare_scheme,
     .reason = "RFC 3986, 3: a path may be empty; ajv wants one behind the scheme"},
    {"uri-reference", is_loose_reference,
     .reason = "RFC 3986, 4.2 and 3.3: no colon in a first segment, no quotation mark; ajv lets both pass"},
    {"regex", is_loose_regex,
     .reason = "ECMA-262, B.1.2: a lone ] and \\- mean themselves without the flag u, and weir takes them "
               "with it, too"},
    {.keywords = divides_fractions,
     .numbers = true,
     .reason = "Validation 6.2.1: 0.3 is a multiple of 0.1; ajv divides binary fractions"},
    {.keywords = refers_dynamically,
     .reason = "Core 8.2.3.2: the target of $dynamicRef is found by the way taken; ajv knows a part of that"},
    {.keywords = contains_in_nothing,
     .reason = "Core 10.3.1.3: an empty array contains nothing; ajv forgets that when it has looked at items "
               "before"},
    {.keywords = asks_unique_prefix,
     .reason =
         "Validation 6.4.3: all items are compared; ajv goes by the type under items, which is of the rest"},
    {.keywords = asks_what_if_evaluated,
     .reason = "Core 10.2.2.1: if evaluates also without then and else; ajv leaves it out"},
    {.keywords = asks_which_items,
     .reason = "Core 11.2 and 10.3.1.3: items are evaluated by branches that hold and by contains; ajv "
               "guesses before"},
    {.keywords = asks_which_properties,
     .reason =
         "Core 11.3: a failing branch evaluates no property; ajv counts those of branches inside branches"},
    {.keywords = evaluates_inherited,
     .reason = "Core 11.3: toString is a property like any other; ajv finds it among the evaluated ones"},
};
enum { EXPLAINED = sizeof explained / sizeof *explained };

/* literal: does the literal reader say as weir? */
static inline bool is_explained(const struct explained *class, const json *schema, const json *document,
                                bool literal) {
    if (class->format)
        return asks_format(schema, class->format) && some_text(document, class->text);
    return (literal || class->numbers) && class->keywords(schema, document);
}

/* ajv itself fails on some schemas; what it says then comes from the code it generated. */
static const char *const ajv_failures[] = {"Maximum call stack size exceeded", "a.toString is not a function",
                                           "Cannot set properties of undefined", "is not defined"};

#endif
