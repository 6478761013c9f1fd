/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample */
/* Random schemas (kit/schema_maker.h): where one of some random documents is valid, a valid one is made; where one
 * is refused, a refused one. Riddles are allowed to remain, one in two hundred. */
#include "kit/schema_maker.h"
#include "kit/spec.h"
#include "sample/sample.h"

enum { SCHEMAS = 1500, TRIED = 40, DOCUMENT_BYTES = 1 << 20 };

struct counts {
    int asked[2], given[2]; /* of refused and of valid documents */
};

struct trial {
    struct dice dice;
    schema_run *run;
    buffer schema_text, text;
    struct counts counts;
};

static json_doc *parsed(const buffer *text) {
    json_doc *doc = NULL;
    weir_error err;
    expect_ok(json_parse(&doc, buffer_view(text), &err), &err);
    return doc;
}

static bool is_valid(struct trial *trial, const schema *rules) {
    json_doc *doc = parsed(&trial->text);
    bool valid = schema_valid(trial->run, rules, json_root(doc), false);
    json_doc_free(doc);
    return valid;
}

static void look_for(struct trial *trial, const schema *rules, uint64_t seed, bool valid) {
    sampler *sampler = sampler_new(rules, &(struct sample_options){.seed = seed});
    buffer_clear(&trial->text);
    trial->counts.asked[valid]++;
    if (valid ? sampler_valid(sampler, &trial->text) : sampler_invalid(sampler, &trial->text, NULL)) {
        trial->counts.given[valid]++;
        assert_int_equal(is_valid(trial, rules), valid);
    } else {
        print_message("no %s document of %s\n", valid ? "valid" : "refused", trial->schema_text.data);
    }
    sampler_free(sampler);
}

static void try_schema(struct trial *trial, uint64_t seed) {
    const struct schema_options options = {.assert_format = true};
    schema *rules = NULL;
    bool seen[2] = {false, false};
    buffer_clear(&trial->schema_text);
    make_schema(&trial->schema_text, &trial->dice);
    json_doc *doc = parsed(&trial->schema_text);
    if (schema_compile(&rules, json_root(doc), &options, NULL) == WEIR_OK) {
        for (int i = 0; i < TRIED; i++) {
            buffer_clear(&trial->text);
            make_document(&trial->text, &trial->dice);
            seen[is_valid(trial, rules)] = true;
        }
        for (int valid = 0; valid < 2; valid++)
            if (seen[valid])
                look_for(trial, rules, seed, valid);
    }
    schema_free(rules);
    json_doc_free(doc);
}

static void random_schemas(void **state) {
    (void)state;
    struct trial trial = {.dice = {spec_seed()}, .run = schema_run_new()};
    buffer_init(&trial.schema_text, DOCUMENT_BYTES);
    buffer_init(&trial.text, DOCUMENT_BYTES);
    for (uint64_t i = 0; i < SCHEMAS; i++)
        try_schema(&trial, i);
    for (int valid = 0; valid < 2; valid++) {
        int asked = trial.counts.asked[valid], given = trial.counts.given[valid];
        print_message("%s: %d of %d\n", valid ? "valid" : "refused", given, asked);
        assert_true(asked > SCHEMAS / 2);
        assert_true(given * 200 >= asked * 199);
    }
    buffer_release(&trial.text);
    buffer_release(&trial.schema_text);
    schema_run_free(trial.run);
}

static const struct spec specs[] = {
    {"random schemas give the kinds of documents that chance finds", random_schemas},
};

SPEC_MAIN(specs)
