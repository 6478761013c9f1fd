/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: sample */
/* A schema. What is made from it is valid, or refused where that was asked for, whatever the schema is; and the
 * same seed makes the same again. */
#include <string.h>

#include "fuzz.h"
#include "sample/sample.h"

enum { DOCUMENTS = 3, EFFORT = 600, BYTES_MOST = 1 << 14 };

static bool holds(const schema *rules, weir_text text) {
    json_doc *doc = NULL;
    PROMISE(json_parse(&doc, text, NULL) == WEIR_OK);
    schema_run *run = schema_run_new();
    bool valid = schema_valid(run, rules, json_root(doc), false);
    schema_run_free(run);
    json_doc_free(doc);
    return valid;
}

/* All that is made, one document a line. */
static void make_all(buffer *out, const schema *rules, bool open) {
    const struct sample_options options = {
        .seed = 1, .open = open, .bytes_max = BYTES_MOST, .effort = EFFORT};
    sampler *sampler = sampler_new(rules, &options);
    for (int i = 0; i < 2 * DOCUMENTS; i++) {
        const struct schema_problem *what = NULL;
        bool invalid = i % 2;
        size_t from = out->size;
        bool made = invalid ? sampler_invalid(sampler, out, &what) : sampler_valid(sampler, out);
        PROMISE(made || out->size == from);
        PROMISE(out->size - from <= BYTES_MOST && (what != NULL) == (made && invalid));
        if (made)
            PROMISE(holds(rules, (weir_text){out->data + from, out->size - from}) == !invalid);
        buffer_char(out, '\n');
    }
    sampler_free(sampler);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct schema_options options = {.assert_format = true};
    json_doc *doc = NULL;
    schema *rules = NULL;
    if (json_parse(&doc, (weir_text){(const char *)data, size}, NULL) != WEIR_OK)
        return 0;
    if (schema_compile(&rules, json_root(doc), &options, NULL) == WEIR_OK) {
        buffer first, second;
        buffer_init(&first, 4 * DOCUMENTS * BYTES_MOST);
        buffer_init(&second, 4 * DOCUMENTS * BYTES_MOST);
        make_all(&first, rules, size % 2);
        make_all(&second, rules, size % 2);
        PROMISE(text_equal(buffer_view(&first), buffer_view(&second)));
        buffer_release(&first);
        buffer_release(&second);
    }
    schema_free(rules);
    json_doc_free(doc);
    return 0;
}
