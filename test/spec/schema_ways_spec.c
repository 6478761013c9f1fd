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

enum { DOCUMENTS = 12 };

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

static void compare(struct ways *ways, const struct event_def *def, weir_text text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, text, &err), &err);
    bool quick = schema_valid(ways->quick, def->schema, json_root(doc), false);
    if (quick != valid_with_notes(ways->noting, def->schema, json_root(doc)))
        fail_msg("%s: the quick way says %s of %.*s", def->type, quick ? "valid" : "invalid", TEXT_ARG(text));
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
        compare(ways, def, buffer_view(&changed));
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
        compare(ways, def, buffer_view(&text));
        for (size_t k = 0; k < DOCUMENTS; k++)
            compare_damaged(ways, def, dice, buffer_view(&text));
    }
    buffer_release(&text);
    sampler_free(sampler);
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
};

SPEC_MAIN(specs)
