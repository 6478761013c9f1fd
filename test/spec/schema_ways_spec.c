/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample catalog */
/* A schema has two ways through it: the quick one of the first pass, and the one that notes problems. They must say the
 * same of any document: here of made ones, valid and nearly valid, for every event type of the catalogs that come along,
 * and of the same ones with a byte changed. */
#include "base/dice.h"
#include "kit/shipped_events.h"
#include "kit/spec.h"
#include "sample/sample.h"
#include "schema/run.h"

enum { DOCUMENTS = 20 };

struct ways {
    schema_run *quick, *noting;
    size_t valid, invalid;
};

static bool valid_with_notes(schema_run *run, const schema *schema, const json *instance) {
    run->schema = schema;
    run->tracing = true;
    run->broken = run->full = run->nearing = false;
    run->steps = LIMIT_SCHEMA_STEPS;
    run->limit = LIMIT_SCHEMA_ERRORS;
    run->count = 0;
    arena_reset(run->arena);
    buffer_clear(&run->path);
    return check(run, schema->root, instance) && !run->broken;
}

static void compare(struct ways *ways, const char *name, const schema *schema, weir_text text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, text, &err), &err);
    bool noted = valid_with_notes(ways->noting, schema, json_root(doc));
    ways->quick->schema = schema;
    ways->quick->steps = LIMIT_SCHEMA_STEPS;
    bool quick = check_quick(ways->quick, schema->root, json_root(doc));
    if (quick != noted)
        fail_msg("%s: the quick way says %s of %.*s", name, quick ? "valid" : "invalid", TEXT_ARG(text));
    ways->valid += quick;
    ways->invalid += !quick;
    json_doc_free(doc);
}

/* The text with one of its bytes doubled, left out or changed, if that is JSON still. */
static void compare_damaged(struct ways *ways, const struct event_def *def, struct dice *dice,
                            weir_text text) {
    static const char bytes[] = "0129.-eE\"{}[],:ntfa_Z";
    buffer changed;
    json_doc *doc = NULL;
    size_t at = dice_below(dice, text.size), how = dice_below(dice, 3);
    buffer_init(&changed, text.size + 1);
    buffer_append(&changed, text.data, at + (how == 0));
    if (how < 2)
        buffer_char(&changed, bytes[dice_below(dice, sizeof bytes - 1)]);
    buffer_append(&changed, text.data + at + 1, text.size - at - 1);
    if (json_parse(&doc, buffer_view(&changed), NULL) == WEIR_OK)
        compare(ways, def->type, def->schema, buffer_view(&changed));
    json_doc_free(doc);
    buffer_release(&changed);
}

static void compare_event(struct ways *ways, const struct event_def *def, struct dice *dice) {
    const struct sample_options options = {.seed = dice_roll(dice), .example = def->example};
    sampler *sampler = sampler_new(def->schema, &options);
    buffer text;
    buffer_init(&text, SAMPLE_BYTES);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        buffer_clear(&text);
        if (!(i % 2 ? sampler_valid(sampler, &text) : sampler_invalid(sampler, &text, NULL)))
            continue;
        compare(ways, def->type, def->schema, buffer_view(&text));
        for (size_t k = 0; k < DOCUMENTS; k++)
            compare_damaged(ways, def, dice, buffer_view(&text));
    }
    buffer_release(&text);
    sampler_free(sampler);
}

/* Every form of node against every kind of value, at the edges. */
static void both_ways_end_at_the_same_edges(void **state) {
    (void)state;
    static const char *const schemas[] = {
        "{\"minimum\":1,\"maximum\":3}",
        "{\"type\":\"integer\",\"exclusiveMinimum\":1,\"exclusiveMaximum\":3}",
        "{\"minimum\":1.5}",
        "{\"multipleOf\":2,\"maximum\":4}",
        "{\"type\":[\"integer\",\"string\"]}",
        "{\"exclusiveMinimum\":9223372036854775807}",
        "{\"minLength\":2,\"maxLength\":3}",
        "{\"minLength\":1}",
        "{\"pattern\":\"^ab?$\"}",
        "{\"pattern\":\"(a|c)b\"}",
        "{\"format\":\"date\"}",
        "{\"enum\":[\"ab\",1,null,[1]]}",
        "{\"const\":\"ab\"}",
        "{\"const\":{\"a\":1}}",
        "{\"required\":[\"a\"]}",
        "{\"minProperties\":1,\"maxProperties\":1}",
        "{\"properties\":{\"a\":{\"minimum\":2}},\"additionalProperties\":false}",
        "{\"required\":[\"b\"],\"properties\":{\"a\":true,\"b\":false},\"additionalProperties\":{\"type\":"
        "\"string\"}}",
        "{\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":2,\"uniqueItems\":true}",
        "{\"uniqueItems\":true}",
        "{\"items\":false}",
        "true",
        "false",
        "{\"type\":\"number\"}",
        "{\"type\":\"boolean\"}",
        "{\"type\":\"null\"}"};
    static const char *const values[] = {"0",
                                         "1",
                                         "2",
                                         "3",
                                         "4",
                                         "1.0",
                                         "1.5",
                                         "1e0",
                                         "-1",
                                         "-0",
                                         "9223372036854775807",
                                         "9223372036854775808",
                                         "1e400",
                                         "\"\"",
                                         "\"a\"",
                                         "\"ab\"",
                                         "\"abc\"",
                                         "\"abcd\"",
                                         "\"\u00e4\"",
                                         "\"\u00e4\u00e4\u00e4\"",
                                         "\"2025-02-28\"",
                                         "\"2025-02-29\"",
                                         "null",
                                         "true",
                                         "[]",
                                         "[1]",
                                         "[1,1.0]",
                                         "[1,2]",
                                         "[1,2,3]",
                                         "{}",
                                         "{\"a\":1}",
                                         "{\"a\":2}",
                                         "{\"b\":\"x\"}",
                                         "{\"b\":1,\"a\":2}",
                                         "{\"a\":2,\"longer name\":\"x\"}"};
    struct ways ways = {.quick = schema_run_new(), .noting = schema_run_new()};
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        json_doc *doc = NULL;
        schema *made = NULL;
        weir_error err;
        const struct schema_options options = {.assert_format = true};
        expect_ok(json_parse(&doc, weir_text_of(schemas[i]), &err), &err);
        expect_ok(schema_compile(&made, json_root(doc), &options, &err), &err);
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            compare(&ways, schemas[i], made, weir_text_of(values[k]));
        schema_free(made);
        json_doc_free(doc);
    }
    schema_run_free(ways.noting);
    schema_run_free(ways.quick);
}

static void both_ways_say_the_same(void **state) {
    (void)state;
    struct dice dice = {spec_seed()};
    struct kit_shipped_events shipped = kit_shipped_events_open();
    struct ways ways = {.quick = schema_run_new(), .noting = schema_run_new()};
    for (size_t i = 0; i < shipped.events.count; i++)
        compare_event(&ways, shipped.events.items[i].def, &dice);
    assert_true(ways.valid > shipped.events.count && ways.invalid > shipped.events.count);
    schema_run_free(ways.noting);
    schema_run_free(ways.quick);
    kit_shipped_events_close(&shipped);
}

static const struct spec specs[] = {
    {"the quick way through a schema and the one that notes problems say the same", both_ways_say_the_same},
    {"the two ways end at the same edges", both_ways_end_at_the_same_edges},
};

SPEC_MAIN(specs)
