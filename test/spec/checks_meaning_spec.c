/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Rules about what the words of a catalog mean together, at their edges: what they find and what they leave
 * alone. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "kit/catalog.h"
#include "kit/findings.h"

struct variant {
    const char *old, *new_text; /* in the shop catalog */
    const char *line;           /* the only finding; NULL: none */
};

static void expect_variants(const char *yaml, const struct variant *variants, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *lines[] = {variants[i].line, NULL};
        expect_findings(kit_catalog_folder(kit_replace(yaml, variants[i].old, variants[i].new_text)), lines);
    }
}
#define EXPECT(yaml, variants) expect_variants((yaml), (variants), sizeof(variants) / sizeof *(variants))

#define EXAMPLE "{order_id: o-1}"
#define PROPERTY "        order_id: {type: string}\n"

static const char *remedy_of(const char *yaml) {
    static char text[512];
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    (void)!weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, &report, &err);
    const weir_finding *finding = weir_report_at(report, 0);
    snprintf(text, sizeof text, "%s", finding ? finding->remedy : "nothing was found");
    weir_report_free(report);
    weir_catalog_close(catalog);
    return text;
}

static void a_subject_without_a_stream_is_told_from_a_forgotten_key(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {"    stream: ORDERS\n", "",
         "C007 catalog.yaml:10:3 event 'order.placed': the key 'stream' is missing"},
        {"    stream: ORDERS\n", "    stream: 7\n",
         "C008 catalog.yaml:11:5 event 'order.placed': stream must be a text, is 7"},
    };
    for (size_t i = 0; i < 2; i++) {
        weir_catalog *catalog = NULL;
        weir_report *report = NULL;
        weir_error err;
        const char *yaml = kit_replace(kit_shop, variants[i].old, variants[i].new_text);
        assert_int_equal(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, &report, &err),
                         WEIR_INVALID);
        assert_int_equal(weir_report_count(report), 1);
        const weir_finding *finding = weir_report_at(report, 0);
        assert_non_null(strstr(variants[i].line, finding->message));
        weir_report_free(report);
    }
    assert_string_equal(remedy_of(kit_replace(kit_shop, "    stream: ORDERS\n", "")),
                        "write `stream: ORDERS`, which takes its subject");
}

static void a_narrow_stream_is_told_how_to_widen(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    key:", "    subject: order.eu.placed\n    key:");
    yaml = kit_replace(yaml, "subjects: [order.>]", "subjects: [order.*]");
    static const char *const lines[] = {"C201 catalog.yaml:12:5 event 'order.placed' is published on "
                                        "'order.eu.placed', which stream 'ORDERS' does not take",
                                        NULL};
    expect_findings(kit_catalog_folder(yaml), lines);
    assert_string_equal(remedy_of(yaml), "write 'order.>': 'order.*' takes one more token, not two");
}

static void a_filter_is_told_which_types_it_stands_for(void **state) {
    (void)state;
    assert_string_equal(remedy_of(kit_replace(kit_shop, "{ORDERS: all}", "{ORDERS: [order.>]}")),
                        "write the event types it stands for: [order.placed]");
    assert_string_equal(remedy_of(kit_replace(kit_shop, "{ORDERS: all}", "{ORDERS: [parcel.*]}")),
                        "write event types; no event's subject matches it");
}

static void examples_say_what_their_schema_describes(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {EXAMPLE, "{order_id: o-1, ordre_id: o-2}",
         "C216 catalog.yaml:19:30 event 'order.placed': the example's 'ordre_id' is described by no schema"},
        {EXAMPLE, "{order_id: o-1, \"a/b\": 1}", NULL}, /* no pointer of ours reaches it */
        {PROPERTY "    example: " EXAMPLE,
         PROPERTY "      additionalProperties: true\n    example: {order_id: o-1, note: x}", NULL},
        {PROPERTY "    example: " EXAMPLE,
         PROPERTY "      if: {required: [note]}\n      then: {properties: {note: {type: string}}}\n"
                  "    example: {order_id: o-1, note: x}",
         NULL},
        {PROPERTY "    example: " EXAMPLE,
         PROPERTY "        to: {type: object, properties: {city: {type: string}}}\n"
                  "    example: {order_id: o-1, to: {city: Kyiv, zpi: \"1\"}}",
         "C216 catalog.yaml:20:47 event 'order.placed': the example's 'zpi' is described by no schema"},
        {PROPERTY "    example: " EXAMPLE,
         PROPERTY "        to: {type: object}\n    example: {order_id: o-1, to: {anything: 1}}", NULL},
        {PROPERTY "    example: " EXAMPLE,
         PROPERTY "      anyOf: [{properties: {a: {type: string}}}]\n    example: {order_id: o-1, a: x}",
         NULL},
    };
    EXPECT(kit_shop, variants);
    assert_string_equal(remedy_of(kit_replace(kit_shop, EXAMPLE, "{order_id: o-1, ordre_id: o-2}")),
                        "did you mean 'order_id'?");
}

static void ids_are_generated(void **state) {
    (void)state;
    const char *yaml = kit_replace(
        kit_shop, "envelope: envelope.yaml",
        "envelope: {dialect: d, fields: {id: {at: /id}, type: {at: /type}, payload: {at: /payload}}}");
    static const struct variant variants[] = {
        {"id: {at: /id}", "id: {at: /id, generate: ulid, prefix: evt_}", NULL},
        {"id: {at: /id}", "id: {at: /id}, idempotency_key: {at: /idempotency_key}", NULL},
        {"id: {at: /id}", "id: {at: /meta/idempotency_key}",
         "C217 catalog.yaml:3:37 the id of an event is its idempotency key, /meta/idempotency_key, which "
         "several events share"},
        {"id: {at: /id}", "id: {at: /id, value: \"{type}\"}",
         "C217 catalog.yaml:3:37 the id of an event is made as '{type}', which several events share"},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const char *folder = kit_catalog_folder(kit_replace(yaml, variants[i].old, variants[i].new_text));
        kit_file(folder, "envelope.yaml", "{streams: {}}\n"); /* the kit's own is not referenced */
        const char *const lines[] = {variants[i].line, NULL};
        expect_findings(folder, lines);
    }
}

static void domains_may_have_several_words_and_a_plural(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "dead_letter:",
                                   "naming: {stream: [\"{DOMAIN}\", DEAD], subject: \"{domain}.{action}\"}\n"
                                   "dead_letter:");
    static const struct variant variants[] = {
        {"weir: 1", "weir: 1", NULL}, /* ORDERS holds order.placed */
        {"subject: \"{domain}.{action}\"", "subject: \"{what}.{action}\"", NULL}, /* shares no placeholder */
        {"    key:", "    subject: order.{order_id}\n    params: {order_id: /payload/order_id}\n    key:",
         NULL},
        {"subject: \"{domain}.{action}\"", "subject: \"{what}.{domain}\"",
         "C508 catalog.yaml:11:3 event 'order.placed' is of domain 'placed', its stream 'ORDERS' of domain "
         "'ORDERS'"},
        {"subject: \"{domain}.{action}\"}", "subject: \"{what}.{domain}\", except: [order.placed]}", NULL},
    };
    EXPECT(yaml, variants);
}

static void defaults_that_contradict_themselves_are_found_once(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {"streams:\n", "defaults: {group: {max_deliver: 3, retry: [1s, 5s, 30s]}}\nstreams:\n",
         "C305 catalog.yaml:5:36 defaults.group lists 3 retry delays, but max_deliver 3 leaves 2"},
        {"streams:\n", "defaults: {group: {max_deliver: 4, retry: [1s, 5s, 30s]}}\nstreams:\n", NULL},
        {"streams:\n", "defaults: {group: {max_deliver: 2}}\nstreams:\n", NULL},
    };
    EXPECT(kit_shop, variants);
}

static void dead_letters_without_an_end_are_noted(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {"max_age: 90d}", "max_age: forever}",
         "C510 catalog.yaml:4:63 dead letters are kept without end: neither max_age nor max_bytes limits "
         "them"},
        {", max_age: 90d}", "}",
         "C510 catalog.yaml:4:1 dead letters are kept without end: neither max_age nor max_bytes limits "
         "them"},
        {"max_age: 90d}", "max_age: 0, max_bytes: 1GiB}",
         "C114 catalog.yaml:4:75 the catalog's streams reserve 1088MiB, 1088MiB with their replicas"},
        {"max_age: 90d}", "max_age: 90d, auto_retry: 2m}", NULL}, /* the window is 2m too */
    };
    EXPECT(kit_shop, variants);
}

static const struct spec specs[] = {
    {"a subject without a stream is told from a forgotten key",
     a_subject_without_a_stream_is_told_from_a_forgotten_key},
    {"a stream that is too narrow is told how to widen", a_narrow_stream_is_told_how_to_widen},
    {"a filter is told which event types it stands for", a_filter_is_told_which_types_it_stands_for},
    {"examples say what their schema describes", examples_say_what_their_schema_describes},
    {"ids are generated", ids_are_generated},
    {"domains may have several words and a plural", domains_may_have_several_words_and_a_plural},
    {"defaults that contradict themselves are found once",
     defaults_that_contradict_themselves_are_found_once},
    {"dead letters without an end are noted", dead_letters_without_an_end_are_noted},
};
SPEC_MAIN(specs)
