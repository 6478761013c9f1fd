/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas by chance, schemas changed a little by chance, and what must be true of every comparison. */
#ifndef SPEC_COMPARE_FIXTURE_H
#define SPEC_COMPARE_FIXTURE_H

#include "base/dice.h"
#include "compat/compare.h"
#include "sample/sample.h"
#include "schema_fixture.h"

enum { FIXTURE_SCHEMA_BYTES = 1 << 20 };

/* --- a schema by chance ----------------------------------------------------------------------------------- */

static inline void chance_schema(buffer *out, struct dice *dice, int depth);

static inline void chance_value(buffer *out, struct dice *dice) {
    static const char *const values[] = {"null",  "true",   "0",  "1",        "2.5",
                                         "\"a\"", "\"bb\"", "[]", "{\"a\":1}"};
    buffer_string(out, values[dice_below(dice, sizeof values / sizeof *values)]);
}

static inline void chance_values(buffer *out, struct dice *dice) {
    buffer_char(out, '[');
    for (size_t i = 0, count = 1 + dice_below(dice, 4); i < count; i++) {
        buffer_string(out, i ? "," : "");
        chance_value(out, dice);
    }
    buffer_char(out, ']');
}

static inline const char *chance_type(struct dice *dice) {
    static const char *const types[] = {"null",   "boolean", "integer", "number",  "string",
                                        "object", "array",   "string",  "integer", "object"};
    return types[dice_below(dice, sizeof types / sizeof *types)];
}

static inline void chance_names(buffer *out, struct dice *dice) {
    buffer_printf(out, "[\"%c\"]", (char)('a' + dice_below(dice, 4)));
}

static inline void chance_list(buffer *out, struct dice *dice, int depth) {
    buffer_char(out, '[');
    for (size_t i = 0, count = 1 + dice_below(dice, 3); i < count; i++) {
        buffer_string(out, i ? "," : "");
        chance_schema(out, dice, depth - 1);
    }
    buffer_char(out, ']');
}

static inline void chance_map(buffer *out, struct dice *dice, int depth) {
    buffer_char(out, '{');
    for (size_t i = 0, count = 1 + dice_below(dice, 3); i < count; i++) {
        buffer_printf(out, "%s\"%c\":", i ? "," : "", (char)('a' + i));
        chance_schema(out, dice, depth - 1);
    }
    buffer_char(out, '}');
}

/* The value of a keyword. */
struct chance_row {
    const char *keyword;
    char
        kind; /* t type, n number, c count, v values, o one value, p pattern, f format, r names, b bool, s schema,
                  l list of schemas, m map of schemas, q map by patterns, d dependentRequired */
};
static const struct chance_row chance_rows[] = {
    {"type", 't'},
    {"type", 't'},
    {"type", 't'},
    {"enum", 'v'},
    {"const", 'o'},
    {"minimum", 'n'},
    {"maximum", 'n'},
    {"exclusiveMinimum", 'n'},
    {"multipleOf", 'x'},
    {"minLength", 'c'},
    {"maxLength", 'c'},
    {"pattern", 'p'},
    {"format", 'f'},
    {"required", 'r'},
    {"required", 'r'},
    {"minProperties", 'c'},
    {"maxProperties", 'c'},
    {"properties", 'm'},
    {"properties", 'm'},
    {"properties", 'm'},
    {"items", 's'},
    {"items", 's'},
    {"minItems", 'c'},
    {"maxItems", 'c'},
    {"uniqueItems", 'b'},
    {"additionalProperties", 's'},
    {"anyOf", 'l'},
    {"oneOf", 'l'},
    {"allOf", 'l'},
    {"not", 's'},
    {"if", 's'},
    {"then", 's'},
    {"else", 's'},
    {"contains", 's'},
    {"minContains", 'c'},
    {"maxContains", 'c'},
    {"prefixItems", 'l'},
    {"patternProperties", 'q'},
    {"propertyNames", 's'},
    {"dependentRequired", 'd'},
    {"unevaluatedItems", 's'},
    {"unevaluatedProperties", 's'},
    {"dependentSchemas", 'm'},
};
enum { CHANCE_ROWS = sizeof chance_rows / sizeof *chance_rows };

static inline void chance_keyword(buffer *out, struct dice *dice, const struct chance_row *row, int depth) {
    static const char *const numbers[] = {"0", "1", "-1", "2.5", "3", "10", "0.5"};
    static const char *const patterns[] = {"^a", "^[ab]+$", "b$", "^[a-z]{1,3}$"};
    static const char *const formats[] = {"date", "uuid", "uri", "uri-reference", "email"};
    switch (row->kind) {
    case 't':
        if (dice_once_in(dice, 3))
            buffer_printf(out, "[\"null\",\"%s\"]", dice_once_in(dice, 2) ? "string" : "object");
        else
            buffer_printf(out, "\"%s\"", chance_type(dice));
        break;
    case 'n':
        buffer_string(out, numbers[dice_below(dice, 7)]);
        break;
    case 'x':
        buffer_string(out, dice_once_in(dice, 2) ? "2" : "0.5");
        break;
    case 'c':
        buffer_printf(out, "%zu", dice_below(dice, 4));
        break;
    case 'v':
        chance_values(out, dice);
        break;
    case 'o':
        chance_value(out, dice);
        break;
    case 'p':
        buffer_printf(out, "\"%s\"", patterns[dice_below(dice, 4)]);
        break;
    case 'f':
        buffer_printf(out, "\"%s\"", formats[dice_below(dice, 5)]);
        break;
    case 'r':
        chance_names(out, dice);
        break;
    case 'b':
        buffer_string(out, "true");
        break;
    case 'l':
        chance_list(out, dice, depth);
        break;
    case 'm':
        chance_map(out, dice, depth);
        break;
    case 'q':
        buffer_printf(out, "{\"%s\":", patterns[dice_below(dice, 4)]);
        chance_schema(out, dice, depth - 1);
        buffer_char(out, '}');
        break;
    case 'd':
        buffer_printf(out, "{\"%c\":", (char)('a' + dice_below(dice, 3)));
        chance_names(out, dice);
        buffer_char(out, '}');
        break;
    default:
        chance_schema(out, dice, depth - 1);
        break;
    }
}

static inline void chance_schema(buffer *out, struct dice *dice, int depth) {
    bool used[CHANCE_ROWS] = {false};
    if (depth <= 0 || dice_once_in(dice, 12)) {
        if (dice_once_in(dice, 3))
            buffer_string(out, dice_once_in(dice, 3) ? "false" : "true");
        else
            buffer_printf(out, "{\"type\":\"%s\"}", chance_type(dice));
        return;
    }
    buffer_char(out, '{');
    size_t count = 1 + dice_below(dice, 4), written = 0;
    for (size_t i = 0; i < count; i++) {
        size_t row = dice_below(dice, CHANCE_ROWS);
        bool again = false;
        for (size_t j = 0; j < CHANCE_ROWS; j++)
            again |= used[j] && strcmp(chance_rows[j].keyword, chance_rows[row].keyword) == 0;
        if (again)
            continue;
        used[row] = true;
        buffer_printf(out, "%s\"%s\":", written++ ? "," : "", chance_rows[row].keyword);
        chance_keyword(out, dice, &chance_rows[row], depth);
    }
    buffer_char(out, '}');
}

/* --- a schema changed by chance ----------------------------------------------------------------------------- */

struct change {
    struct dice *dice;
    size_t at, target; /* of the subschemas, in the order they stand */
};

static inline char held_by(weir_text keyword) {
    static const char *const maps[] = {"properties", "patternProperties", "$defs", "dependentSchemas"};
    static const char *const lists[] = {"allOf", "anyOf", "oneOf", "prefixItems"};
    static const char *const ones[] = {"items",
                                       "additionalProperties",
                                       "not",
                                       "if",
                                       "then",
                                       "else",
                                       "contains",
                                       "propertyNames",
                                       "unevaluatedItems",
                                       "unevaluatedProperties"};
    for (size_t i = 0; i < 4; i++) {
        if (weir_text_is(keyword, maps[i]))
            return 'm';
        if (weir_text_is(keyword, lists[i]))
            return 'l';
    }
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        if (weir_text_is(keyword, ones[i]))
            return 's';
    return 0;
}

static inline void change_schema(buffer *out, struct change *change, const json *value);

static inline void change_held(buffer *out, struct change *change, weir_text keyword, const json *value) {
    char held = held_by(keyword);
    if (!held) {
        json_write(out, value, false);
        return;
    }
    if (held == 's') {
        change_schema(out, change, value);
        return;
    }
    bool first = true;
    buffer_char(out, held == 'm' ? '{' : '[');
    for (struct json_iter it = json_iter(value); json_next(&it); first = false) {
        buffer_string(out, first ? "" : ",");
        if (held == 'm') {
            json_write_string(out, it.key);
            buffer_char(out, ':');
        }
        change_schema(out, change, it.value);
    }
    buffer_char(out, held == 'm' ? '}' : ']');
}

/* The object without one keyword; that one then stands last with a new value, or not at all. */
static inline void change_one(buffer *out, struct change *change, const json *value, const char *keyword,
                              weir_text with) {
    bool first = true;
    buffer_char(out, '{');
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        if (weir_text_is(it.key, keyword))
            continue;
        buffer_string(out, first ? "" : ",");
        first = false;
        json_write_string(out, it.key);
        buffer_char(out, ':');
        change_held(out, change, it.key, it.value);
    }
    if (with.data)
        buffer_printf(out, "%s\"%s\":%.*s", first ? "" : ",", keyword, TEXT_ARG(with));
    buffer_char(out, '}');
}

/* A property more or less, a name more or less in required. */
static inline void change_list(buffer *with, struct dice *dice, const json *list, bool names) {
    size_t count = json_size(list), gone = dice_below(dice, count + 2), at = 0;
    bool first = true;
    buffer_char(with, names ? '[' : '{');
    for (struct json_iter it = json_iter(list); json_next(&it); at++) {
        if (at == gone)
            continue;
        buffer_string(with, first ? "" : ",");
        first = false;
        if (!names) {
            json_write_string(with, it.key);
            buffer_char(with, ':');
        }
        json_write(with, it.value, false);
    }
    if (gone >= count) {
        buffer_string(with, first ? "" : ",");
        buffer_printf(with, names ? "\"added%zu\"" : "\"added%zu\":", dice_below(dice, 2));
        if (!names)
            chance_schema(with, dice, 1);
    }
    buffer_char(with, names ? ']' : '}');
}

static inline void change_here(buffer *out, struct change *change, const json *value) {
    struct dice *dice = change->dice;
    buffer with;
    buffer_init(&with, FIXTURE_SCHEMA_BYTES);
    size_t which = dice_below(dice, 8), gone = dice_below(dice, json_size(value) + 1);
    bool whole = json_get(value, "$defs") || json_get(value, "$id");
    const char *keyword = NULL;
    if (which == 0) { /* a keyword less */
        struct json_iter it = json_iter(value);
        for (size_t i = 0; i <= gone && json_next(&it); i++)
            keyword = (const char *)it.key.data;
        if (!keyword || keyword[0] == '$')
            keyword = "type";
    } else if (which == 1 && json_get(value, "properties")) {
        keyword = "properties";
        change_list(&with, dice, json_get(value, keyword), false);
    } else if (which == 2 && json_get(value, "required")) {
        keyword = "required";
        change_list(&with, dice, json_get(value, keyword), true);
    } else if (which == 3 && json_get(value, "enum")) {
        keyword = "enum";
        change_list(&with, dice, json_get(value, keyword), true);
    } else if (which == 4 && !whole) { /* another schema beside it */
        static const char *const words[] = {"anyOf", "oneOf", "allOf"};
        buffer_printf(out, "{\"%s\":[", words[dice_below(dice, 3)]);
        json_write(out, value, false);
        buffer_char(out, ',');
        chance_schema(out, dice, 1);
        buffer_string(out, "]}");
        buffer_release(&with);
        return;
    } else {
        const struct chance_row *row = &chance_rows[dice_below(dice, CHANCE_ROWS)];
        keyword = row->keyword;
        chance_keyword(&with, dice, row, 1);
    }
    change_one(out, change, value, keyword, with.size ? buffer_view(&with) : (weir_text){0});
    buffer_release(&with);
}

static inline void change_schema(buffer *out, struct change *change, const json *value) {
    bool here = change->at++ == change->target;
    if (!json_is(value, JSON_OBJECT))
        json_write(out, value, false);
    else if (here)
        change_here(out, change, value);
    else
        change_one(out, change, value, "", (weir_text){0});
}

/* The schema with one subschema changed. */
static inline void fixture_change(buffer *out, struct dice *dice, const json *schema) {
    struct change count = {.dice = dice, .target = SIZE_MAX};
    change_schema(out, &count, schema);
    buffer_clear(out);
    struct change change = {.dice = dice, .target = dice_below(dice, count.at)};
    change_schema(out, &change, schema);
}

/* --- what must be true ------------------------------------------------------------------------------------ */

struct tally {
    int holds, broken, undecided, skipped;
    int documents;
    bool show; /* print what is undecided */
};

struct pair {
    json_doc *docs[2];
    schema *schemas[2];
    const char *texts[2];
};

static inline bool pair_open(struct pair *pair, const char *writer, const char *reader) {
    const struct schema_options options = {.assert_format = true};
    *pair = (struct pair){.texts = {writer, reader}};
    for (int i = 0; i < 2; i++)
        if (json_parse(&pair->docs[i], weir_text_of(pair->texts[i]), NULL) != WEIR_OK ||
            schema_compile(&pair->schemas[i], json_root(pair->docs[i]), &options, NULL) != WEIR_OK)
            return false;
    return true;
}

static inline void pair_close(struct pair *pair) {
    for (int i = 0; i < 2; i++) {
        schema_free(pair->schemas[i]);
        json_doc_free(pair->docs[i]);
    }
}

static inline void tally_print(const char *what, const struct tally *tally) {
    int pairs = tally->holds + tally->broken + tally->undecided;
    print_message(
        "%s: %d pairs: %d hold (%d documents), %d broken, %d undecided (%.1f %%); %d were no schemas\n", what,
        pairs, tally->holds, tally->documents, tally->broken, tally->undecided,
        pairs ? 100.0 * tally->undecided / pairs : 0.0, tally->skipped);
}

static inline json_doc *parse_text(const char *text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, weir_text_of(text), &err), &err);
    return doc;
}

/* No document of the writer may be refused: many at random, then searched for. */
static inline void expect_read(comparison *comparison, const struct pair *pair, uint64_t seed, int documents,
                               struct tally *tally) {
    schema_run *run = schema_run_new();
    for (int hunting = 0; hunting < 2; hunting++) {
        const struct sample_options options = {.seed = seed + (uint64_t)hunting,
                                               .effort = hunting ? 4000 : 1000};
        sampler *sampler = sampler_new(pair->schemas[0], &options);
        if (hunting)
            sampler_never(sampler, pair->schemas[1]);
        buffer text;
        buffer_init(&text, FIXTURE_SCHEMA_BYTES);
        for (int i = 0; i < (hunting ? 1 : documents); i++) {
            buffer_clear(&text);
            if (!sampler_valid(sampler, &text))
                break;
            json_doc *doc = parse_text(text.data);
            if (compare_writes(comparison, json_root(doc))) {
                tally->documents++;
                if (!schema_valid(run, pair->schemas[1], json_root(doc), false))
                    fail_msg("seed %llu: said to hold\nwriter %s\nreader %s\nrefuses %s",
                             (unsigned long long)seed, pair->texts[0], pair->texts[1], text.data);
            }
            json_doc_free(doc);
        }
        buffer_release(&text);
        sampler_free(sampler);
    }
    schema_run_free(run);
}

static inline void expect_witness(comparison *comparison, const struct pair *pair,
                                  const struct compare_finding *finding, uint64_t seed) {
    schema_run *run = schema_run_new();
    json_doc *doc = parse_text(finding->witness);
    const json *value = json_root(doc);
    if (!compare_writes(comparison, value) || !schema_valid(run, pair->schemas[0], value, false) ||
        schema_valid(run, pair->schemas[1], value, false))
        fail_msg("seed %llu: no witness\nwriter %s\nreader %s\nwitness %s", (unsigned long long)seed,
                 pair->texts[0], pair->texts[1], finding->witness);
    json_doc_free(doc);
    schema_run_free(run);
}

/* Compares and holds the verdict to what can be run. */
static inline enum compare_verdict expect_pair_true(const struct pair *pair, uint64_t seed, int documents,
                                                    struct tally *tally) {
    const struct compare_options options = {.writer_as_written = seed % 4 == 3, .seed = seed};
    comparison *comparison = compare_new(pair->schemas[0], pair->schemas[1], &options);
    enum compare_verdict verdict = compare_verdict_of(comparison);
    switch (verdict) {
    case COMPARE_HOLDS:
        assert_int_equal(compare_count(comparison), 0);
        tally->holds++;
        expect_read(comparison, pair, seed, documents, tally);
        break;
    case COMPARE_BROKEN:
        tally->broken++;
        break;
    case COMPARE_UNDECIDED:
        tally->undecided++;
        if (tally->show)
            print_message("undecided, seed %llu: %s\n  writer %s\n  reader %s\n", (unsigned long long)seed,
                          compare_at(comparison, 0)->message, pair->texts[0], pair->texts[1]);
        break;
    }
    for (size_t i = 0; i < compare_count(comparison); i++) {
        const struct compare_finding *finding = compare_at(comparison, i);
        assert_int_equal(finding->verdict == COMPARE_BROKEN, finding->witness != NULL);
        if (finding->witness)
            expect_witness(comparison, pair, finding, seed);
    }
    compare_free(comparison);
    return verdict;
}

static inline void expect_true(const char *writer, const char *reader, uint64_t seed, int documents,
                               struct tally *tally) {
    struct pair pair;
    if (pair_open(&pair, writer, reader))
        expect_pair_true(&pair, seed, documents, tally);
    else
        tally->skipped++;
    pair_close(&pair);
}

#endif
