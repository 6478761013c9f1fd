/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog sample */
/* Payloads made from the schemas of the catalogs that come along, on their way through an envelope and back. */
#include "event/event.h"
#include "kit/shipped.h"
#include "kit/spec.h"
#include "sample/sample.h"

enum { DOCUMENTS = 60, DOCUMENT_BYTES = 1 << 20 };

static const char *const catalogs[] = {"daarion", "giia", "microdao-node1", "microdao-standard"};

struct making {
    const weir_catalog *catalog;
    const struct event_def *event;
    sampler *sampler;
    event_scratch *scratch;
    buffer payload, wire;
};

static weir_code build(struct making *making, struct event_built *built, weir_error *err) {
    const weir_draft draft = {.type = weir_text_of(making->event->type),
                              .payload = buffer_view(&making->payload),
                              .source = weir_text_of("auth"),
                              .tenant = weir_text_of("t-1"),
                              .actor = weir_text_of("u-1")};
    return event_build(built, making->catalog->dialect, making->event, &draft, weir_clock_system(), 0,
                       making->scratch, err);
}

/* The payload comes back as it went in. Some lack what the event needs beyond its schema, such as its key: those
 * do not count. */
static int expect_returns(struct making *making) {
    struct event_built built;
    weir_event event;
    weir_error err;
    if (build(making, &built, &err) != WEIR_OK)
        return 0;
    buffer_clear(&making->wire);
    buffer_text(&making->wire, built.envelope);
    expect_ok(event_read(&event, making->catalog->dialect, making->event, buffer_view(&making->wire), true,
                         making->scratch, &err),
              &err);
    json_doc *sent = NULL, *got = NULL;
    expect_ok(json_parse(&sent, buffer_view(&making->payload), &err), &err);
    expect_ok(json_parse(&got, event.payload, &err), &err);
    assert_true(json_equal(json_root(sent), json_root(got)));
    json_doc_free(sent);
    json_doc_free(got);
    return 1;
}

static int expect_refused(struct making *making) {
    struct event_built built;
    weir_error err;
    if (build(making, &built, &err) != WEIR_INVALID)
        fail_msg("%s: published: %s", making->event->type, making->payload.data);
    return 1;
}

static void make_payloads(struct making *making, bool invalid) {
    int counted = 0;
    for (int i = 0; i < DOCUMENTS; i++) {
        buffer_clear(&making->payload);
        assert_true(invalid ? sampler_invalid(making->sampler, &making->payload, NULL)
                            : sampler_valid(making->sampler, &making->payload));
        counted += invalid ? expect_refused(making) : expect_returns(making);
    }
    if (counted == 0)
        fail_msg("%s: no payload makes an event", making->event->type);
}

static void each_event_type(bool invalid) {
    uint64_t seed = spec_seed();
    for (size_t i = 0; i < sizeof catalogs / sizeof *catalogs; i++) {
        weir_catalog *catalog = kit_shipped(catalogs[i], NULL);
        struct making making = {.catalog = catalog, .scratch = event_scratch_new()};
        buffer_init(&making.payload, DOCUMENT_BYTES);
        buffer_init(&making.wire, 2 * DOCUMENT_BYTES);
        for (size_t j = 0; j < catalog->events.count; j++) {
            making.event = catalog->events.items[j];
            making.sampler = sampler_new(making.event->schema, &(struct sample_options){.seed = seed + j});
            make_payloads(&making, invalid);
            sampler_free(making.sampler);
        }
        buffer_release(&making.wire);
        buffer_release(&making.payload);
        event_scratch_free(making.scratch);
        weir_catalog_close(catalog);
    }
}

static void payloads_come_back(void **state) {
    (void)state;
    each_event_type(false);
}

static void wrong_payloads_are_refused(void **state) {
    (void)state;
    each_event_type(true);
}

/* This dialect names the subject as the type, so a parameter that a schema allows can make a type that no reader
 * takes: found by the documents above. */
static void a_type_that_no_reader_takes_makes_no_event(void **state) {
    (void)state;
    weir_catalog *catalog = kit_shipped("microdao-standard", NULL);
    struct making making = {.catalog = catalog, .scratch = event_scratch_new()};
    struct event_built built;
    weir_error err;
    buffer_init(&making.payload, DOCUMENT_BYTES);
    making.event = catalog_event(catalog, weir_text_of("agent.handoff.requested"));
    buffer_printf(&making.payload, "{\"handoff_id\":\"h\",\"from\":\"%0128d\",\"to\":\"%0128d\"}", 7, 7);
    expect_error(build(&making, &built, &err), WEIR_INVALID, &err,
                 "agent.handoff.requested: the event's type is 281 bytes long, at most 256 are allowed");
    buffer_release(&making.payload);
    event_scratch_free(making.scratch);
    weir_catalog_close(catalog);
}

static const struct spec specs[] = {
    {"a payload made from its schema comes back from its envelope as it was", payloads_come_back},
    {"a payload with one thing wrong makes no event", wrong_payloads_are_refused},
    {"a subject too long to be a type makes no event", a_type_that_no_reader_takes_makes_no_event},
};

SPEC_MAIN(specs)
