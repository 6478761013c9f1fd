/* SPDX-License-Identifier: Apache-2.0 */
/* A schema is written from the top down, keyword by keyword, each chosen by its weight from a table; `depth` bounds the
 * nesting. A reference that applies to the same value may name definitions from `lowest` on only, in definition i those
 * behind it, so that no chain comes back; behind a property or an item every reference is allowed (`apart`). */
#include "kit/schema_maker.h"

#include "kit/pattern_maker.h"
#include "kit/schema_maker_words.h"

enum { DEFINITIONS = 4, DEPTH = 4, KEYWORDS = 5 };

struct maker {
    buffer *out;
    struct dice *dice;
    int depth;  /* levels of schemas that may still follow */
    int lowest; /* see above */
    bool apart;
    bool dynamic; /* there is a resource inside the schema, */
    bool inner;   /* and this is it */
};

typedef void keyword_write(struct maker *maker);

#define PICK(maker, array) ((array)[dice_below((maker)->dice, sizeof(array) / sizeof *(array))])

/* --- values --------------------------------------------------------------------------------------------- */

static void word(struct maker *maker) {
    bool format = dice_once_in(maker->dice, 4);
    buffer_printf(maker->out, "\"%s\"", format ? PICK(maker, formatted) : PICK(maker, words));
}

static void value(struct maker *maker, int depth) {
    size_t kind = dice_below(maker->dice, depth > 0 ? 12 : 8), count = dice_below(maker->dice, 4);
    if (kind < 3) {
        buffer_string(maker->out, PICK(maker, numbers));
    } else if (kind < 6) {
        word(maker);
    } else if (kind < 8) {
        static const char *const constants[] = {"null", "true", "false"};
        buffer_string(maker->out, PICK(maker, constants));
    } else if (kind < 10) {
        buffer_char(maker->out, '[');
        for (size_t i = 0; i < count; i++) {
            buffer_string(maker->out, i ? "," : "");
            value(maker, depth - 1);
        }
        buffer_char(maker->out, ']');
    } else {
        buffer_char(maker->out, '{');
        size_t first = dice_below(maker->dice, sizeof names / sizeof *names);
        for (size_t i = 0, some = 0; i < count; i++) {
            const char *name = names[(first + i * 5) % (sizeof names / sizeof *names)];
            bool again = i && (!strcmp(name, "a") || !strcmp(name, "b")); /* they stand in the list twice */
            if (again)
                continue;
            buffer_printf(maker->out, "%s\"%s\":", some++ ? "," : "", name);
            value(maker, depth - 1);
        }
        buffer_char(maker->out, '}');
    }
}

void make_document(buffer *out, struct dice *dice) {
    struct maker maker = {.out = out, .dice = dice};
    value(&maker, 3);
}

/* --- keywords of one value ------------------------------------------------------------------------------ */

static void type(struct maker *maker) {
    size_t first = dice_below(maker->dice, 7);
    if (dice_below(maker->dice, 3))
        buffer_printf(maker->out, "\"%s\"", types[first]);
    else
        buffer_printf(maker->out, "[\"%s\",\"%s\"]", types[first], types[(first + 2) % 7]);
}

static void any_value(struct maker *maker) {
    value(maker, 2);
}

static void values(struct maker *maker) {
    size_t count = 1 + dice_below(maker->dice, dice_once_in(maker->dice, 10) ? 12 : 4);
    buffer_char(maker->out, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_string(maker->out, i ? "," : "");
        value(maker, 2);
    }
    buffer_char(maker->out, ']');
}

static void number(struct maker *maker) {
    buffer_string(maker->out, PICK(maker, numbers));
}

/* Mostly such that binary fractions are exact; where they are not, the disagreement has a name. */
static void divisor(struct maker *maker) {
    static const char *const divisors[] = {"1", "2", "3", "0.5", "1.5", "0.25", "10", "1e1", "7", "1.0"};
    buffer_string(maker->out, dice_once_in(maker->dice, 30) ? "0.1" : PICK(maker, divisors));
}

static void count(struct maker *maker) {
    static const char *const counts[] = {"0", "0", "1", "1", "2", "2", "3", "4", "2.0", "1e0"};
    buffer_string(maker->out, PICK(maker, counts));
}

static void boolean(struct maker *maker) {
    buffer_string(maker->out, dice_once_in(maker->dice, 5) ? "false" : "true");
}

static void pattern(struct maker *maker) {
    buffer_char(maker->out, '"');
    if (dice_once_in(maker->dice, 2))
        buffer_string(maker->out, PICK(maker, patterns));
    else
        make_pattern(maker->out, maker->dice);
    buffer_char(maker->out, '"');
}

static void format(struct maker *maker) {
    buffer_printf(maker->out, "\"%s\"", PICK(maker, formats));
}

static void name_list(struct maker *maker) {
    size_t many = dice_below(maker->dice, 3), first = dice_below(maker->dice, 5);
    buffer_char(maker->out, '[');
    for (size_t i = 0; i < many; i++)
        buffer_printf(maker->out, "%s\"%s\"", i ? "," : "", names[first + 1 + i * 2]);
    buffer_char(maker->out, ']');
}

/* --- keywords that hold schemas ------------------------------------------------------------------------- */

static void schema(struct maker *maker);

/* Of a property or an item. */
static void part(struct maker *maker) {
    int lowest = maker->lowest;
    bool apart = maker->apart;
    maker->lowest = 0;
    maker->apart = true;
    schema(maker);
    maker->lowest = lowest;
    maker->apart = apart;
}

static void schemas(struct maker *maker, keyword_write *write) {
    size_t many = 1 + dice_below(maker->dice, 3);
    buffer_char(maker->out, '[');
    for (size_t i = 0; i < many; i++) {
        buffer_string(maker->out, i ? "," : "");
        write(maker);
    }
    buffer_char(maker->out, ']');
}

static void branches(struct maker *maker) {
    schemas(maker, schema);
}

static void parts(struct maker *maker) {
    schemas(maker, part);
}

/* {name: ...} with some of the names. */
static void members(struct maker *maker, const char *const *from, size_t step, keyword_write *write) {
    size_t many = dice_below(maker->dice, 4), first = dice_below(maker->dice, 3);
    buffer_char(maker->out, '{');
    for (size_t i = 0; i < many; i++) {
        buffer_printf(maker->out, "%s\"%s\":", i ? "," : "", from[first + i * step]);
        write(maker);
    }
    buffer_char(maker->out, '}');
}

static void properties(struct maker *maker) {
    members(maker, names + 1, 2, part);
}

static void pattern_properties(struct maker *maker) {
    members(maker, patterns + dice_below(maker->dice, 24), 5, part);
}

static void dependent_schemas(struct maker *maker) {
    members(maker, names + 1, 2, schema);
}

static void dependent_required(struct maker *maker) {
    members(maker, names + 1, 2, name_list);
}

static const char *const places[] = {"/$defs/d", "/$defs/d", "n"};

static int some_definition(const struct maker *maker) {
    return maker->lowest + (int)dice_below(maker->dice, (size_t)(DEFINITIONS - maker->lowest));
}

static void reference(struct maker *maker) {
    static const char *const resources[] = {"\"inner\"", "\"inner#dyn\"", "\"inner#/$defs/leaf\""};
    if (maker->inner)
        buffer_string(maker->out, maker->apart ? "\"#\"" : "\"#/$defs/leaf\"");
    else if (maker->apart && dice_once_in(maker->dice, 4))
        buffer_string(maker->out, "\"#\"");
    else if (maker->dynamic && dice_once_in(maker->dice, 2))
        buffer_string(maker->out, PICK(maker, resources));
    else
        buffer_printf(maker->out, "\"#%s%d\"", PICK(maker, places), some_definition(maker));
}

static void dynamic_reference(struct maker *maker) {
    if (maker->apart && (maker->inner || dice_once_in(maker->dice, 2)))
        buffer_string(maker->out, "\"#dyn\"");
    else if (maker->inner)
        buffer_string(maker->out, "\"#/$defs/leaf\"");
    else
        buffer_printf(maker->out, "\"#%s%d\"", PICK(maker, places), some_definition(maker));
}

/* --- a schema ------------------------------------------------------------------------------------------- */

static const struct keyword_row {
    const char *name;
    keyword_write *write;
    int weight;
    bool holds; /* schemas */
} rows[] = {
    {"type", type, 14, false},
    {"enum", values, 4, false},
    {"const", any_value, 4, false},
    {"minimum", number, 3, false},
    {"maximum", number, 3, false},
    {"exclusiveMinimum", number, 2, false},
    {"exclusiveMaximum", number, 2, false},
    {"multipleOf", divisor, 3, false},
    {"minLength", count, 3, false},
    {"maxLength", count, 3, false},
    {"pattern", pattern, 5, false},
    {"format", format, 4, false},
    {"minItems", count, 2, false},
    {"maxItems", count, 2, false},
    {"uniqueItems", boolean, 4, false},
    {"minContains", count, 4, false},
    {"maxContains", count, 4, false},
    {"required", name_list, 5, false},
    {"minProperties", count, 2, false},
    {"maxProperties", count, 2, false},
    {"dependentRequired", dependent_required, 3, false},
    {"properties", properties, 12, true},
    {"patternProperties", pattern_properties, 6, true},
    {"additionalProperties", part, 7, true},
    {"propertyNames", part, 4, true},
    {"prefixItems", parts, 7, true},
    {"items", part, 8, true},
    {"contains", part, 7, true},
    {"allOf", branches, 6, true},
    {"anyOf", branches, 7, true},
    {"oneOf", branches, 6, true},
    {"not", schema, 5, true},
    {"if", schema, 6, true},
    {"then", schema, 6, true},
    {"else", schema, 6, true},
    {"dependentSchemas", dependent_schemas, 4, true},
    {"unevaluatedProperties", part, 8, true},
    {"unevaluatedItems", part, 8, true},
    {"$ref", reference, 6, true},
    {"$dynamicRef", dynamic_reference, 1, true},
};
enum { ROWS = sizeof rows / sizeof *rows };

static size_t some_row(const struct maker *maker) {
    int total = 0;
    for (size_t i = 0; i < ROWS; i++)
        total += rows[i].weight;
    int at = (int)dice_below(maker->dice, (size_t)total);
    size_t row = 0;
    while ((at -= rows[row].weight) >= 0)
        row++;
    return row;
}

/* May this keyword stand here? A reference needs something to name. */
static bool fits(const struct maker *maker, size_t row) {
    if (rows[row].name[0] == '$')
        return maker->lowest < DEFINITIONS;
    return !rows[row].holds || maker->depth > 0;
}

static void keywords(struct maker *maker, bool *comma) {
    uint64_t used = 0;
    size_t many = 1 + dice_below(maker->dice, KEYWORDS);
    maker->depth--;
    for (size_t i = 0; i < many; i++) {
        size_t row = some_row(maker);
        if (used >> row & 1 || !fits(maker, row))
            continue;
        used |= (uint64_t)1 << row;
        buffer_printf(maker->out, "%s\"%s\":", *comma ? "," : "", rows[row].name);
        *comma = true;
        rows[row].write(maker);
    }
    maker->depth++;
}

static void schema(struct maker *maker) {
    if (dice_once_in(maker->dice, 12)) {
        boolean(maker);
        return;
    }
    bool comma = false;
    buffer_char(maker->out, '{');
    keywords(maker, &comma);
    buffer_char(maker->out, '}');
}

/* Has an anchor of the same name as the root's. */
static void inner(struct maker *maker) {
    bool comma = true;
    maker->inner = true;
    maker->depth = 3;
    maker->lowest = 0;
    buffer_string(maker->out, ",\"inner\":{\"$id\":\"inner\",\"$dynamicAnchor\":\"dyn\"");
    keywords(maker, &comma);
    maker->lowest = DEFINITIONS;
    buffer_string(maker->out, ",\"$defs\":{\"leaf\":");
    schema(maker);
    buffer_string(maker->out, "}}");
}

static void definitions(struct maker *maker) {
    for (int i = 0; i < DEFINITIONS; i++) {
        bool comma = true;
        maker->depth = 2;
        maker->lowest = i + 1;
        buffer_printf(maker->out, "%s\"d%d\":{\"$anchor\":\"n%d\"", i ? "," : "", i, i);
        keywords(maker, &comma);
        buffer_char(maker->out, '}');
    }
}

void make_schema(buffer *out, struct dice *dice) {
    struct maker maker = {.out = out, .dice = dice, .depth = DEPTH, .dynamic = dice_once_in(dice, 6)};
    bool comma = true;
    buffer_string(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"");
    if (maker.dynamic)
        buffer_string(out, ",\"$id\":\"https://example.org/root\"");
    buffer_string(out, ",\"$dynamicAnchor\":\"dyn\"");
    keywords(&maker, &comma);
    buffer_string(out, ",\"$defs\":{");
    definitions(&maker);
    if (maker.dynamic)
        inner(&maker);
    buffer_string(out, "}}");
}
