/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: schema */
/* Draft schemas from samples: what was always there is required, what was seen is described, every sample is
 * valid under the draft, and nothing of a sample is repeated that might be somebody's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/spec.h"
#include "schema/infer.h"
#include "schema/schema.h"

static json_doc *parsed(weir_text text) {
    json_doc *doc = NULL;
    weir_error err = {0};
    expect_ok(json_parse(&doc, text, &err), &err);
    return doc;
}

static void add(infer *infer, const char *text) {
    json_doc *doc = parsed(weir_text_of(text));
    infer_add(infer, json_root(doc));
    json_doc_free(doc);
}

/* Each %d of the sample becomes the number of its turn. */
static infer *samples_of(const char *const *samples, int times) {
    infer *infer = infer_new();
    char text[2048];
    for (int turn = 0; turn < times; turn++)
        for (size_t i = 0; samples[i]; i++) {
            char *at = text;
            for (const char *from = samples[i]; *from; from++)
                if (from[0] == '%' && from[1] == 'd' && from++)
                    at += sprintf(at, "%d", turn);
                else
                    *at++ = *from;
            *at = 0;
            add(infer, text);
        }
    infer_settle(infer);
    return infer;
}

static void expect_draft(const char *const *samples, int times, const char *schema, const char *example) {
    infer *infer = samples_of(samples, times);
    weir_json_writer *json = weir_json_new();
    infer_write_schema(infer_at(infer, weir_text_of("")), json);
    assert_string_equal(weir_json_done(json).data, schema);
    weir_json_reset(json);
    infer_write_example(infer_at(infer, weir_text_of("")), json);
    if (example)
        assert_string_equal(weir_json_done(json).data, example);
    weir_json_free(json);
    infer_free(infer);
}

static void types_are_drafted(void **state) {
    (void)state;
    static const struct {
        const char *samples[4], *schema, *example;
    } rows[] = {
        {{"{\"a\":1}", "{\"a\":2}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"integer\"}}}",
         "{\"a\":1}"},
        {{"{\"a\":1}", "{\"a\":2.5}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"number\"}}}",
         "{\"a\":1.5}"},
        {{"{\"a\":1.0}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"integer\"}}}",
         "{\"a\":1}"},
        {{"{\"a\":\"x\",\"b\":true}", "{\"a\":null}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]},"
         "\"b\":{\"type\":\"boolean\"}}}",
         "{\"a\":\"text\"}"},
        {{"{\"a\":[{\"b\":1},{\"b\":2,\"c\":\"x\"}]}", "{\"a\":[]}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"array\",\"items\":{"
         "\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"b\":{\"type\":\"integer\"},\"c\":{"
         "\"type\":\"string\"}}}}}}",
         "{\"a\":[{\"b\":1}]}"},
        {{"{\"a\":[]}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"array\"}}}",
         "{\"a\":[]}"},
        {{"{}", "[1]", "\"x\""},
         "{\"type\":[\"string\",\"array\",\"object\"],\"items\":{\"type\":\"integer\"}}",
         "{}"},
        {{"{\"a\":null}"},
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"null\"}}}",
         "{\"a\":null}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_draft(rows[i].samples, 1, rows[i].schema, rows[i].example);
}

static void formats_are_what_every_text_has(void **state) {
    (void)state;
    static const struct {
        const char *one, *two, *format;
    } rows[] = {
        {"2026-01-01T10:00:00Z", "2026-02-03T11:12:13.5+02:00", "date-time"},
        {"2026-01-01", "2027-12-31", "date"},
        {"01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058", "uuid"},
        {"10.0.0.1", "192.0.2.7", "ipv4"},
        {"ann@example.com", "bob@example.org", "email"},
        {"https://example.com/a", "nats://127.0.0.1:4222", "uri"},
        {"2026-01-01", "soon", NULL},
        {"urn:a", "urn:b", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char one[200], two[200], schema[300];
        snprintf(one, sizeof one, "{\"v\":\"%s\"}", rows[i].one);
        snprintf(two, sizeof two, "{\"v\":\"%s\"}", rows[i].two);
        snprintf(
            schema, sizeof schema,
            "{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":\"string\"%s%s%s}}}",
            rows[i].format ? ",\"format\":\"" : "", rows[i].format ? rows[i].format : "",
            rows[i].format ? "\"" : "");
        const char *const samples[] = {one, two, NULL};
        expect_draft(samples, 1, schema, NULL);
    }
}

#define ENUM_OF(name, values) \
    "{\"type\":\"object\",\"required\":[\"" name "\"],\"properties\":{\"" name "\":{\"type\":" values "}}}"

static void few_short_words_become_an_enum(void **state) {
    (void)state;
    static const struct {
        const char *samples[4];
        int times;
        const char *schema;
    } rows[] = {
        {{"{\"state\":\"paid\"}", "{\"state\":\"open\"}"},
         10,
         ENUM_OF("state", "\"string\",\"enum\":[\"open\",\"paid\"]")},
        {{"{\"state\":\"paid\"}", "{\"state\":\"open\"}", "{\"state\":null}"},
         10,
         ENUM_OF("state", "[\"string\",\"null\"],\"enum\":[\"open\",\"paid\",null]")},
        {{"{\"state\":\"paid\"}", "{\"state\":\"open\"}"}, 9, ENUM_OF("state", "\"string\"")}, /* too few */
        {{"{\"state\":\"paid\"}"}, 50, ENUM_OF("state", "\"string\"")}, /* always the same */
        {{"{\"state\":\"s%d\"}", "{\"state\":\"t\"}"}, 30, ENUM_OF("state", "\"string\"")}, /* too many */
        {{"{\"state\":1}", "{\"state\":\"t\"}"}, 30, ENUM_OF("state", "[\"integer\",\"string\"]")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_draft(rows[i].samples, rows[i].times, rows[i].schema, NULL);
}

/* Whatever the values are, none of them may be found in the draft or in the example. */
static void nothing_private_is_repeated(void **state) {
    (void)state;
    static const struct {
        const char *name, *values[2];
    } rows[] = {
        {"password", {"hunter", "letmein"}},
        {"apiKey", {"alpha", "bravo"}},
        {"email", {"ann@x.example", "bob@x.example"}},
        {"contact", {"ann@x.example", "bob@x.example"}},
        {"customer_name", {"Ann", "Bob"}},
        {"session", {"abc", "def"}},
        {"card", {"visa", "amex"}},
        {"code", {"9f8e7d6c5b", "1a2b3c4d5e"}},
        {"note", {"my secret words", "other words"}},
        {"number", {"4711", "4712"}},
        {"blob", {"eyJhbGciOiJIUzI1NiIsInR5cCI6", "eyJzdWIiOiIxMjM0NTY3ODkwIiwi"}},
        {"site_id", {"north", "south"}},
        {"phone", {"49170", "49171"}},
        {"where", {"10.1.2.3", "10.1.2.4"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char one[200], two[200];
        snprintf(one, sizeof one, "{\"%s\":\"%s\",\"deep\":{\"%s\":{\"x\":\"%s\"}}}", rows[i].name,
                 rows[i].values[0], rows[i].name, rows[i].values[0]);
        snprintf(two, sizeof two, "{\"%s\":\"%s\",\"deep\":{\"%s\":{\"x\":\"%s\"}}}", rows[i].name,
                 rows[i].values[1], rows[i].name, rows[i].values[1]);
        const char *const samples[] = {one, two, NULL};
        infer *infer = samples_of(samples, 40);
        weir_json_writer *json = weir_json_new();
        weir_json_begin_array(json);
        infer_write_schema(infer_at(infer, weir_text_of("")), json);
        infer_write_example(infer_at(infer, weir_text_of("")), json);
        weir_json_end_array(json);
        for (int v = 0; v < 2; v++)
            if (strstr(weir_json_done(json).data, rows[i].values[v]))
                fail_msg("%s repeats %s: %s", rows[i].name, rows[i].values[v], weir_json_done(json).data);
        weir_json_free(json);
        infer_free(infer);
    }
}

static void keys_that_are_data_make_a_map(void **state) {
    (void)state;
    static const char *const dated[] = {"{\"2026-01-01\":1,\"2026-01-02\":2}", "{\"2026-01-03\":2.5}", NULL};
    expect_draft(dated, 1, "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}}", "{}");
    static const char *const named[] = {"{\"of\":{\"site-%d\":{\"kwh\":1}}}", NULL};
    expect_draft(
        named, 100,
        "{\"type\":\"object\",\"required\":[\"of\"],\"properties\":{\"of\":{\"type\":\"object\","
        "\"additionalProperties\":{\"type\":\"object\",\"required\":[\"kwh\"],\"properties\":{\"kwh\":{"
        "\"type\":\"integer\"}}}}}}",
        "{\"of\":{}}");
    static const char *const rare[] = {"{\"a\":1}", "{\"b\":1}", "{\"c\":1}", "{\"d\":1}", "{\"e\":1}",
                                       "{\"f\":1}", "{\"g\":1}", "{\"h\":2}", NULL};
    expect_draft(rare, 2, "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}", "{}");
}

static void facts_are_told(void **state) {
    (void)state;
    static const char *const samples[] = {"{\"id\":\"%d\",\"site\":\"a\",\"p\":{\"k\":1}}",
                                          "{\"id\":\"x%d\",\"site\":\"b\"}", NULL};
    infer *infer = samples_of(samples, 50);
    struct infer_facts id = infer_facts_of(infer_at(infer, weir_text_of("/id"))),
                       site = infer_facts_of(infer_at(infer, weir_text_of("/site"))),
                       p = infer_facts_of(infer_at(infer, weir_text_of("/p"))),
                       k = infer_facts_of(infer_at(infer, weir_text_of("/p/k")));
    assert_true(id.always && id.scalar && id.seen == 100 && id.distinct == INFER_DISTINCT &&
                !id.distinct_is_all);
    assert_true(site.always && site.scalar && site.distinct == 2 && site.distinct_is_all);
    assert_true(!p.always && p.object && !p.scalar && p.seen == 50);
    assert_true(k.always && k.scalar && k.seen == 50);
    assert_null(infer_at(infer, weir_text_of("/p/q")));
    infer_free(infer);
}

static void tokens_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *token;
        enum token_look look;
    } rows[] = {
        {"created", TOKEN_WORD},
        {"v1", TOKEN_WORD},
        {"v12", TOKEN_WORD},
        {"kWh", TOKEN_WORD},
        {"a1", TOKEN_WEAK},
        {"order-17", TOKEN_WEAK},
        {"s3", TOKEN_WEAK},
        {"17", TOKEN_STRONG},
        {"2026-01-01", TOKEN_STRONG},
        {"9f8e7d6c", TOKEN_STRONG},
        {"deadbeef", TOKEN_WORD},
        {"01ARZ3NDEKTSV4RRFFQ69G5FAV", TOKEN_STRONG},
        {"01890a5d-ac96-774b-bcce-b302099a8057", TOKEN_STRONG},
        {"ann@x", TOKEN_STRONG},
        {"", TOKEN_WORD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (token_look(weir_text_of(rows[i].token)) != rows[i].look)
            fail_msg("'%s' looks like %d", rows[i].token, token_look(weir_text_of(rows[i].token)));
}

/* --- every sample is valid under its draft -------------------------------------------------------------- */

static uint64_t luck;
static uint32_t pick(uint32_t below) {
    luck = luck * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(luck >> 33) % below;
}

static void any_value(weir_json_writer *json, int depth) {
    static const char *const texts[] = {"a",
                                        "b",
                                        "paid",
                                        "open",
                                        "2026-01-01",
                                        "2026-01-01T00:00:00Z",
                                        "",
                                        "10.0.0.1",
                                        "x@y.example",
                                        "https://a.example",
                                        "4711",
                                        "\xC3\xA9"};
    static const char *const numbers[] = {"0", "-7", "1.0", "2.5", "1e30", "1e-3"};
    uint32_t kind = pick(depth > 0 ? 8 : 6);
    if (kind < 3) {
        weir_json_string(json, texts[pick(sizeof texts / sizeof *texts)]);
    } else if (kind == 3) {
        weir_json_raw(json, weir_text_of(numbers[pick(6)]));
    } else if (kind == 4) {
        weir_json_bool(json, (int)pick(2));
    } else if (kind == 5) {
        weir_json_null(json);
    } else if (kind == 6) {
        weir_json_begin_array(json);
        for (uint32_t i = pick(4); i > 0; i--)
            any_value(json, depth - 1);
        weir_json_end_array(json);
    } else {
        weir_json_begin_object(json);
        uint32_t first = pick(5), wide = pick(12) == 0 ? 90 : 4;
        for (uint32_t i = first; i < first + pick(wide); i++) {
            char key[24];
            snprintf(key, sizeof key, pick(9) == 0 ? "%u" : "k%u", i + (pick(9) ? 0 : 1000 * i));
            weir_json_key(json, key);
            any_value(json, depth - 1);
        }
        weir_json_end_object(json);
    }
}

static bool repeats_a_key(const char *text) {
    json_doc *doc = NULL;
    weir_error err;
    bool repeats = json_parse(&doc, weir_text_of(text), &err) != WEIR_OK;
    json_doc_free(doc);
    return repeats;
}

static void draft_holds(uint64_t seed) {
    enum { SAMPLES = 12 };
    json_doc *docs[SAMPLES];
    size_t count = 0;
    infer *infer = infer_new();
    weir_json_writer *json = weir_json_new();
    luck = seed;
    while (count < SAMPLES) {
        weir_json_reset(json);
        any_value(json, 5);
        if (repeats_a_key(weir_json_done(json).data))
            continue;
        docs[count] = parsed(weir_json_done(json));
        infer_add(infer, json_root(docs[count++]));
    }
    infer_settle(infer);
    weir_json_reset(json);
    infer_write_schema(infer_at(infer, weir_text_of("")), json);
    json_doc *draft = parsed(weir_json_done(json));
    schema *compiled = NULL;
    struct schema_options options = {.assert_format = true};
    weir_error err = {0};
    expect_ok(schema_compile(&compiled, json_root(draft), &options, &err), &err);
    weir_json_reset(json);
    infer_write_example(infer_at(infer, weir_text_of("")), json);
    json_doc *example = parsed(weir_json_done(json));
    schema_run *run = schema_run_new();
    for (size_t i = 0; i <= SAMPLES; i++)
        if (!schema_valid(run, compiled, json_root(i < SAMPLES ? docs[i] : example), false))
            fail_msg("seed %llu: %s %zu at '%s' %s", (unsigned long long)seed,
                     i < SAMPLES ? "sample" : "example", i, schema_problem_at(run, 0)->instance,
                     schema_problem_at(run, 0)->message);
    for (size_t i = 0; i < SAMPLES; i++)
        json_doc_free(docs[i]);
    schema_run_free(run);
    schema_free(compiled);
    json_doc_free(draft);
    json_doc_free(example);
    weir_json_free(json);
    infer_free(infer);
}

static void every_sample_is_valid(void **state) {
    (void)state;
    uint64_t seed = spec_seed();
    for (uint64_t i = 0; i < 1500; i++)
        draft_holds(seed + i);
}

static void hostile_samples_stay_in_bounds(void **state) {
    (void)state;
    weir_json_writer *json = weir_json_new();
    infer *infer = infer_new();
    for (int sample = 0; sample < 60; sample++) {
        weir_json_reset(json);
        weir_json_begin_object(json);
        for (int i = 0; i < 60; i++) {
            char key[16];
            snprintf(key, sizeof key, "a%d", i);
            weir_json_key(json, key);
            weir_json_begin_object(json);
            for (int j = 0; j < 60; j++) {
                snprintf(key, sizeof key, "b%d", j);
                weir_json_key(json, key);
                weir_json_int(json, sample * j);
            }
            weir_json_end_object(json);
        }
        weir_json_end_object(json);
        json_doc *doc = parsed(weir_json_done(json));
        infer_add(infer, json_root(doc));
        json_doc_free(doc);
    }
    infer_settle(infer);
    size_t cursor = 0, described = 0;
    weir_text name;
    const infer_node *member;
    while (infer_next(infer_at(infer, weir_text_of("")), &cursor, &name, &member))
        described++;
    assert_int_equal(described, 17); /* 1 + 16 * 61 places, and one of 22 */
    weir_json_free(json);
    infer_free(infer);
}

static const struct spec specs[] = {
    {"types are drafted with null as one of several", types_are_drafted},
    {"a format is stated when every text has it", formats_are_what_every_text_has},
    {"few short words that come again become an enum", few_short_words_become_an_enum},
    {"nothing that may be private is repeated in a draft", nothing_private_is_repeated},
    {"an object whose keys are data becomes a map", keys_that_are_data_make_a_map},
    {"facts of a place are told for guesses", facts_are_told},
    {"tokens that look like values are told from words", tokens_are_told_apart},
    {"every sample and the example are valid under the draft", every_sample_is_valid},
    {"samples with more places than anybody describes stay in bounds", hostile_samples_stay_in_bounds},
};
SPEC_MAIN(specs)
