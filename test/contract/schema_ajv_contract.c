/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample schema */
/* weir's validator beside ajv, and beside the specification read literally, on random schemas and documents: valid ones,
 * nearly valid ones, any. Where one of the two says something else the pair is made as small as it can be, and must then be
 * of one of the classes of schema_ajv_explained.h, in which the specification is on our side; anything else fails with
 * the small pair.
 *
 *   WEIR_AJV_PAIRS=100000 WEIR_SEED=7 build/test/schema_ajv_contract random       more, or the same again */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kit/ajv.h"
#include "kit/pattern_maker.h"
#include "kit/schema_maker.h"
#include "kit/spec.h"
#include "sample/sample.h"
#include "schema_ajv_explained.h"

enum { DOCUMENTS = 12, SAMPLED = 4, TEXT_BYTES = 1 << 20, EFFORT = 1000, PAIRS = 1500, SEEDS = 2 };

struct comparison {
    kit_ajv *ajv;
    schema_run *run;
    uint64_t seed;
    size_t schemas, pairs, agreed, valid, failures;
    size_t explained[EXPLAINED];
};

enum reader { WEIR, AJV, LITERAL, READERS };

/* What they say about the documents of one schema. */
struct opinions {
    char failure[256]; /* ajv's, instead of verdicts; "" for none */
    bool verdicts[READERS][DOCUMENTS];
};

struct pair {
    char *schema, *document;
    enum reader other; /* who says something else than weir */
};

/* --- asking --------------------------------------------------------------------------------------------- */

static json_doc *parse(const char *text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, weir_text_of(text), &err), &err);
    return doc;
}

static schema *compile(const json_doc *doc, weir_error *err) {
    const struct schema_options options = {.assert_format = true};
    schema *made = NULL;
    return schema_compile(&made, json_root(doc), &options, err) == WEIR_OK ? made : NULL;
}

static void read_verdicts(bool *verdicts, const json *answer, const char *name, size_t count) {
    const json *list = json_get(answer, name);
    size_t index = 0;
    assert_int_equal(json_size(list), count);
    for (struct json_iter it = json_iter(list); json_next(&it);)
        verdicts[index++] = json_true(it.value);
}

static void ask(struct comparison *with, struct opinions *opinions, const char *schema_text,
                char *const *documents, size_t count) {
    buffer question;
    buffer_init(&question, 16 << 20);
    buffer_printf(&question, "{\"schema\":%s,\"documents\":[", schema_text);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&question, "%s%s", i ? "," : "", documents[i]);
    buffer_string(&question, "]}");
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, kit_ajv_ask(with->ajv, buffer_view(&question)), &err), &err);
    const char *failure = json_cstr(json_get(json_root(doc), "failure"));
    snprintf(opinions->failure, sizeof opinions->failure, "%s", failure ? failure : "");
    if (!failure)
        read_verdicts(opinions->verdicts[AJV], json_root(doc), "ajv", count);
    read_verdicts(opinions->verdicts[LITERAL], json_root(doc), "literal", count);
    json_doc_free(doc);
    buffer_release(&question);
}

/* False when the schema is none (any more). */
static bool opinions_of(struct comparison *with, struct opinions *opinions, const char *schema_text,
                        char *const *documents, size_t count) {
    json_doc *doc = parse(schema_text);
    weir_error err;
    schema *made = compile(doc, &err);
    for (size_t i = 0; made && i < count; i++) {
        json_doc *document = parse(documents[i]);
        opinions->verdicts[WEIR][i] = schema_valid(with->run, made, json_root(document), false);
        json_doc_free(document);
    }
    if (made)
        ask(with, opinions, schema_text, documents, count);
    schema_free(made);
    json_doc_free(doc);
    return made;
}

static bool disagree(struct comparison *with, const struct pair *pair) {
    struct opinions opinions = {0};
    return opinions_of(with, &opinions, pair->schema, &pair->document, 1) && !opinions.failure[0] &&
           opinions.verdicts[WEIR][0] != opinions.verdicts[pair->other][0];
}

/* --- making it small ------------------------------------------------------------------------------------ */

/* Writes value without its *left-th member or item, counted through the tree. */
static void write_without(buffer *out, const json *value, size_t *left) {
    bool object = json_is(value, JSON_OBJECT), some = false;
    if (!object && !json_is(value, JSON_ARRAY)) {
        json_write(out, value, false);
        return;
    }
    buffer_char(out, object ? '{' : '[');
    for (struct json_iter it = json_iter(value); json_next(&it);) {
        if ((*left)-- == 0)
            continue;
        buffer_string(out, some ? "," : "");
        if (object) {
            json_write_string(out, it.key);
            buffer_char(out, ':');
        }
        write_without(out, it.value, left);
        some = true;
    }
    buffer_char(out, object ? '}' : ']');
}

static size_t parts_of(const json *value) {
    size_t count = 0;
    for (struct json_iter it = json_iter(value); json_next(&it);)
        count += 1 + parts_of(it.value);
    return count;
}

/* One pass over *text, a part of `pair`: leaves out what is not needed for the two to disagree. True when something
 * was. */
static bool shrink(struct comparison *with, struct pair *pair, char **text) {
    bool shrunk = false;
    for (size_t i = 0;;) {
        json_doc *doc = parse(*text);
        bool more = i < parts_of(json_root(doc));
        size_t left = i;
        buffer out;
        buffer_init(&out, TEXT_BYTES);
        write_without(&out, json_root(doc), &left);
        json_doc_free(doc);
        char *before = *text;
        *text = mem_strdup(out.data);
        buffer_release(&out);
        bool still = more && disagree(with, pair);
        mem_free(still ? before : *text);
        *text = still ? *text : before;
        shrunk |= still;
        i += !still;
        if (!more)
            return shrunk;
    }
}

static void shrink_both(struct comparison *with, struct pair *pair) {
    bool again = true;
    while (again) {
        again = shrink(with, pair, &pair->schema);
        again |= shrink(with, pair, &pair->document);
    }
}

/* --- comparing ------------------------------------------------------------------------------------------ */

static size_t class_of(const struct pair *pair, const struct opinions *opinions) {
    json_doc *schema_doc = parse(pair->schema), *document = parse(pair->document);
    bool literal = opinions->verdicts[WEIR][0] == opinions->verdicts[LITERAL][0];
    size_t found = 0;
    while (found < EXPLAINED &&
           !is_explained(&explained[found], json_root(schema_doc), json_root(document), literal))
        found++;
    json_doc_free(document);
    json_doc_free(schema_doc);
    return found;
}

static void explain(struct comparison *with, const char *schema_text, const char *document,
                    enum reader other) {
    struct pair pair = {mem_strdup(schema_text), mem_strdup(document), other};
    struct opinions opinions = {0};
    shrink_both(with, &pair);
    opinions_of(with, &opinions, pair.schema, &pair.document, 1);
    size_t found = class_of(&pair, &opinions);
    if (found == EXPLAINED)
        fail_msg("schema %s, document %s: weir says %s, %s does not (seed %llu, schema %zu)", pair.schema,
                 pair.document, opinions.verdicts[WEIR][0] ? "valid" : "invalid",
                 other == AJV ? "ajv" : "the specification read literally", (unsigned long long)with->seed,
                 with->schemas);
    with->explained[found]++;
    mem_free(pair.schema);
    mem_free(pair.document);
}

static void make_documents(const schema *made, struct dice *dice, char *documents[DOCUMENTS]) {
    const struct sample_options options = {
        .seed = dice_roll(dice), .open = dice_once_in(dice, 2), .effort = EFFORT};
    sampler *sampler = sampler_new(made, &options);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        buffer text;
        buffer_init(&text, TEXT_BYTES);
        if (i < SAMPLED)
            sampler_valid(sampler, &text);
        else if (i < 2 * SAMPLED)
            sampler_invalid(sampler, &text, NULL);
        if (!text.size)
            make_document(&text, dice);
        documents[i] = mem_strdup(text.data);
        buffer_release(&text);
    }
    sampler_free(sampler);
}

static void expect_known_failure(const char *failure, const char *schema_text) {
    for (size_t i = 0; i < sizeof ajv_failures / sizeof *ajv_failures; i++)
        if (strstr(failure, ajv_failures[i]))
            return;
    fail_msg("ajv ends with: %s, for %s", failure, schema_text);
}

static void compare(struct comparison *with, const char *schema_text, char *const *documents) {
    struct opinions opinions = {0};
    opinions_of(with, &opinions, schema_text, documents, DOCUMENTS);
    bool failed = opinions.failure[0];
    if (failed)
        expect_known_failure(opinions.failure, schema_text);
    with->failures += failed;
    with->pairs += failed ? 0 : DOCUMENTS;
    for (size_t i = 0; i < DOCUMENTS; i++) {
        bool ours = opinions.verdicts[WEIR][i];
        if (opinions.verdicts[LITERAL][i] != ours)
            explain(with, schema_text, documents[i], LITERAL);
        if (failed)
            continue;
        with->valid += ours;
        if (opinions.verdicts[AJV][i] == ours)
            with->agreed++;
        else
            explain(with, schema_text, documents[i], AJV);
    }
}

typedef void schema_make(buffer *out, struct dice *dice);

static void compare_one(struct comparison *with, struct dice *dice, schema_make *make) {
    buffer text;
    buffer_init(&text, TEXT_BYTES);
    make(&text, dice);
    weir_error err;
    json_doc *doc = parse(text.data);
    schema *made = compile(doc, &err);
    if (!made)
        fail_msg("schema %s: %s", text.data, err.message);
    char *documents[DOCUMENTS];
    make_documents(made, dice, documents);
    compare(with, text.data, documents);
    with->schemas++;
    for (size_t i = 0; i < DOCUMENTS; i++)
        mem_free(documents[i]);
    schema_free(made);
    json_doc_free(doc);
    buffer_release(&text);
}

static void compare_pairs(uint64_t seed, size_t pairs, schema_make *make) {
    struct comparison with = {.ajv = kit_ajv_open(), .run = schema_run_new(), .seed = seed};
    while (with.pairs < pairs) {
        struct dice dice = {.state = seed + with.schemas * 1000003};
        compare_one(&with, &dice, make);
    }
    print_message(
        "seed %llu: %zu pairs of %zu schemas, %zu valid; ajv says the same of %zu, fails on %zu schemas\n",
        (unsigned long long)seed, with.pairs, with.schemas, with.valid, with.agreed, with.failures);
    for (size_t i = 0; i < EXPLAINED; i++)
        if (with.explained[i])
            print_message("%6zu  %s%s%s\n", with.explained[i], explained[i].format ? explained[i].format : "",
                          explained[i].format ? ": " : "", explained[i].reason);
    schema_run_free(with.run);
    kit_ajv_close(with.ajv);
}

/* A build compares the same pairs each time; asked for a number of them it begins at a seed that is printed. */
static void compare_asked(schema_make *make, size_t share) {
    const char *asked = getenv("WEIR_AJV_PAIRS");
    if (asked)
        compare_pairs(spec_seed(), (size_t)strtoull(asked, NULL, 10) / share, make);
    for (uint64_t seed = 1; seed <= SEEDS && !asked; seed++)
        compare_pairs(seed, PAIRS, make);
}

static void random_schemas(void **state) {
    (void)state;
    compare_asked(make_schema, 1);
}

static void make_pattern_schema(buffer *out, struct dice *dice) {
    buffer_string(out, "{\"pattern\":\"");
    make_pattern(out, dice);
    buffer_string(out, "\"}");
}

static void random_patterns(void **state) {
    (void)state;
    compare_asked(make_pattern_schema, 4);
}

static const struct spec specs[] = {
    {"random schemas and documents have one verdict", random_schemas},
    {"random patterns and their near misses have one verdict", random_patterns},
};

SPEC_MAIN(specs)
