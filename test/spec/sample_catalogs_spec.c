/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog sample */
/* Every event type of the catalogs that come along: documents made from its schema are what they claim to be. */
#include "kit/shipped.h"
#include "kit/spec.h"
#include "sample/sample.h"

enum { DOCUMENTS = 1000, DOCUMENT_BYTES = 1 << 20 };

/* Documents of one event type, each read anew and validated as a whole. Returns how many were made; *nearly counts
 * those with one problem alone. */
static int sample_event(const struct event_def *event, uint64_t seed, bool invalid, int *nearly) {
    const struct sample_options options = {.seed = seed};
    sampler *sampler = sampler_new(event->schema, &options);
    schema_run *run = schema_run_new();
    struct json_pool *pool = json_pool_new();
    buffer text;
    int made = 0;
    buffer_init(&text, DOCUMENT_BYTES);
    for (int i = 0; i < DOCUMENTS; i++) {
        const json *value = NULL;
        weir_error err;
        buffer_clear(&text);
        if (!(invalid ? sampler_invalid(sampler, &text, NULL) : sampler_valid(sampler, &text)))
            break;
        expect_ok(json_pool_parse(&value, pool, buffer_view(&text), &err), &err);
        if (schema_valid(run, event->schema, value, true) == invalid)
            fail_msg("%s: should be %s: %s", event->type, invalid ? "invalid" : "valid", text.data);
        *nearly += schema_problem_count(run) == 1;
        made++;
    }
    buffer_release(&text);
    json_pool_free(pool);
    schema_run_free(run);
    sampler_free(sampler);
    return made;
}

static void sample_catalog(const char *name, bool invalid) {
    weir_catalog *catalog = kit_shipped(name, NULL);
    uint64_t seed = spec_seed();
    int nearly = 0, all = DOCUMENTS * (int)catalog->events.count;
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        int made = sample_event(event, seed, invalid, &nearly);
        if (made != DOCUMENTS)
            fail_msg("%s: only %d %s documents were found", event->type, made, invalid ? "invalid" : "valid");
    }
    print_message("%s: %zu event types, %d %s documents each\n", name, catalog->events.count, DOCUMENTS,
                  invalid ? "invalid" : "valid");
    if (invalid)
        print_message("%s: %d of %d have one thing wrong\n", name, nearly, all);
    assert_true(!invalid || nearly > all / 100 * 99);
    weir_catalog_close(catalog);
}

static void valid_documents(void **state) {
    (void)state;
    sample_catalog("daarion", false);
    sample_catalog("giia", false);
    sample_catalog("microdao-node1", false);
    sample_catalog("microdao-standard", false);
}

static void invalid_documents(void **state) {
    (void)state;
    sample_catalog("daarion", true);
    sample_catalog("giia", true);
    sample_catalog("microdao-node1", true);
    sample_catalog("microdao-standard", true);
}

static const struct spec specs[] = {
    {"a thousand valid documents of each event type are accepted", valid_documents},
    {"a thousand nearly valid documents of each event type are refused", invalid_documents},
};

SPEC_MAIN(specs)
