/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: import */
/* Which envelope samples have: a built-in one, one made from what they have, or none. */
#include "import/envelopes.h"

#include "kit/spec.h"

/* The name of the envelope, with the type and source that were read: "cloudevents order.paid /shop". */
static const char *told(envelopes *envelopes, arena *arena, const char *sample) {
    json_doc *doc = NULL;
    weir_error err = {0};
    weir_event event;
    expect_ok(json_parse(&doc, weir_text_of(sample), &err), &err);
    int index = envelope_of(envelopes, json_root(doc), arena, &event);
    const char *text = index == ENVELOPE_NONE
                           ? "none"
                           : arena_printf(arena, "%s %.*s %.*s", envelope_name(envelopes, index),
                                          TEXT_ARG(event.type), TEXT_ARG(event.source));
    json_doc_free(doc);
    return text;
}

static void samples_are_recognised(void **state) {
    (void)state;
    static const struct {
        const char *sample, *told;
    } rows[] = {
        {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/shop\",\"type\":\"order.paid\",\"data\":{}}",
         "cloudevents order.paid /shop"},
        {"{\"event_id\":\"evt_1\",\"ts\":\"2026-01-01T00:00:00Z\",\"domain\":\"order\",\"type\":\"order."
         "paid\","
         "\"version\":1,\"actor\":{\"id\":\"shop\",\"kind\":\"service\"},\"payload\":{}}",
         "daarion order.paid "},
        {"{\"id\":\"1\",\"type\":\"order.paid\",\"source\":\"shop\",\"organization_id\":\"o\",\"timestamp\":"
         "\"2026-01-01T00:00:00Z\",\"schema_version\":\"1.0\",\"data\":{}}",
         "giia order.paid shop"},
        {"{\"event_id\":\"1\",\"event_type\":\"order.paid\",\"timestamp\":\"2026-01-01T00:00:00Z\","
         "\"source\":"
         "\"shop\",\"payload\":{}}",
         "microdao order.paid shop"},
        {"{\"messageId\":\"1\",\"eventType\":\"order.paid\",\"producer\":\"shop\",\"body\":{}}",
         "found order.paid shop"},
        {"{\"messageId\":\"2\",\"eventType\":\"order.open\",\"body\":{}}", "found order.open "},
        {"{\"uuid\":\"1\",\"event\":\"order.paid\",\"data\":{}}", "found-2 order.paid "},
        {"{\"id\":\"1\",\"type\":\"order.paid\",\"data\":\"text\"}", "none"}, /* no payload */
        {"{\"id\":1,\"type\":\"order.paid\",\"data\":{}}", "none"},           /* no id that is a text */
        {"{\"order_id\":\"o-1\"}", "none"},
        {"{}", "none"},
        {"[1]", "none"},
        {"null", "none"},
    };
    envelopes *envelopes = envelopes_new();
    arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(told(envelopes, arena, rows[i].sample), rows[i].told);
    assert_true(envelope_builtin(envelopes, envelope_find(envelopes, "giia")));
    assert_false(envelope_builtin(envelopes, envelope_find(envelopes, "found")));
    assert_int_equal(envelope_find(envelopes, "cloudevents-binary"), ENVELOPE_NONE); /* lives in headers */
    arena_free(arena);
    envelopes_free(envelopes);
}

/* Samples that all differ cannot make more dialects than there is room for. */
static void what_is_learned_is_bounded(void **state) {
    (void)state;
    static const char *const ids[] = {"id", "event_id", "eventId", "message_id", "messageId", "uuid"},
                             *const types[] = {"type", "event_type", "eventType", "event"},
                             *const payloads[] = {"payload", "data", "body"};
    envelopes *envelopes = envelopes_new();
    arena *arena = arena_new();
    int none = 0, known = 0;
    for (size_t i = 0; i < 6 * 4 * 3; i++) {
        const char *sample = arena_printf(arena, "{\"%s\":\"1\",\"%s\":\"a\",\"%s\":{}}", ids[i % 6],
                                          types[i / 6 % 4], payloads[i / 24]);
        *(strcmp(told(envelopes, arena, sample), "none") == 0 ? &none : &known) += 1;
    }
    assert_true(none > 0 && known > 0);
    assert_true(known <= ENVELOPES_MAX);
    arena_free(arena);
    envelopes_free(envelopes);
}

static const struct spec specs[] = {
    {"samples are recognised by their envelope", samples_are_recognised},
    {"what is learned from samples is bounded", what_is_learned_is_bounded},
};
SPEC_MAIN(specs)
