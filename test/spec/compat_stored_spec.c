/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: compat catalog json base */
/* Stored messages judged by a catalog, one by one: what is refused is counted by its rule and place, and what
 * anybody may have stored cannot make the result grow. */
#include <stdio.h>

#include "compat/stored.h"
#include "kit/catalog.h"
#include "kit/findings.h"
#include "kit/spec.h"

static const char shop[] =
    "weir: 1\n"
    "catalog: shop\n"
    "envelope: envelope.yaml\n"
    "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\", copy: \"{subject}.dlq\", max_age: 90d}\n"
    "streams:\n"
    "  ORDERS: {subjects: [order.>], max_age: 30d}\n"
    "events:\n"
    "  order.placed:\n"
    "    stream: ORDERS\n"
    "    owner: shop\n"
    "    version: 3\n"
    "    versions:\n"
    "      2: {payload: {type: object, properties: {n: {type: string}}}, up: [{set: /n, value: 7}]}\n"
    "    payload: {type: object, properties: {n: {type: integer}, lines: {type: array, items: {type: "
    "integer}}}}\n"
    "groups:\n"
    "  billing: {service: shop, from: {ORDERS: all}}\n"
    "services:\n"
    "  shop: {publish: [order.>], consume: [billing]}\n";

struct bench {
    weir_catalog *catalog;
    struct stored_result result;
    struct stored_judge *judge;
    uint64_t sequence;
};

static struct bench *bench_open(void) {
    static struct bench bench;
    weir_error err = {0};
    bench = (struct bench){.result.arena = arena_new()};
    expect_ok(weir_catalog_open(&bench.catalog, kit_catalog_folder(shop), NULL, NULL, &err), &err);
    bench.judge = stored_judge_new(&bench.result, bench.catalog);
    return &bench;
}

static void bench_close(struct bench *bench) {
    stored_judge_free(bench->judge);
    stored_release(&bench->result);
    weir_catalog_close(bench->catalog);
}

static void put(struct bench *bench, const char *subject, const char *data) {
    stored_judge_one(bench->judge, weir_text_of(subject), ++bench->sequence, weir_text_of(data));
}

static void put_event(struct bench *bench, long long version, const char *payload) {
    char event[512];
    snprintf(event, sizeof event,
             "{\"id\":\"e-%llu\",\"type\":\"order.placed\",\"version\":%lld,\"payload\":%s}",
             (unsigned long long)bench->sequence + 1, version, payload);
    put(bench, "order.placed", event);
}

static const struct stored_type *type_at(const struct bench *bench, size_t index) {
    assert_true(index < bench->result.types.count);
    return &bench->result.types.items[index];
}

static void each_version_is_read_as_readers_read_it(void **state) {
    (void)state;
    static const struct {
        int version;
        const char *payload;
        bool refused;
    } rows[] = {
        {3, "{\"n\":1}", false},     {3, "{\"n\":\"1\"}", true},
        {2, "{\"n\":\"1\"}", false}, /* brought up to 3 */
        {2, "{\"n\":1}", true},      {1, "{\"n\":1}", false},
        {1, "{\"n\":\"1\"}", true}, /* not listed: as it is */
        {4, "{\"n\":1}", true},
    };
    struct bench *bench = bench_open();
    uint64_t refused = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_event(bench, rows[i].version, rows[i].payload);
        refused += rows[i].refused;
        assert_int_equal(bench->result.refused, refused);
    }
    assert_int_equal(bench->result.judged, sizeof rows / sizeof *rows);
    bench_close(bench);
}

static void items_of_a_list_are_one_place(void **state) {
    (void)state;
    struct bench *bench = bench_open();
    put_event(bench, 3, "{\"lines\":[1,\"a\"]}");
    put_event(bench, 3, "{\"lines\":[1,2,3,\"b\"]}");
    put_event(bench, 3, "{\"lines\":7}");
    const struct stored_type *type = type_at(bench, 0);
    assert_int_equal(type->faults.count, 2);
    assert_string_equal(type->faults.items[0].pointer, "/lines/*");
    assert_string_equal(type->faults.items[0].reason, "must be an integer, is a string (type)");
    assert_int_equal(type->faults.items[0].count, 2);
    assert_string_equal(type->faults.items[0].examples[1].id, "e-2");
    assert_string_equal(type->faults.items[1].pointer, "/lines");
    bench_close(bench);
}

/* Whoever may publish decides versions, subjects, ids and keys: none of them makes the result grow. */
static void what_is_told_is_bounded(void **state) {
    (void)state;
    struct bench *bench = bench_open();
    for (int i = 0; i < 2000; i++) {
        char subject[64], event[256];
        snprintf(subject, sizeof subject, "order.lost.%d", i);
        put(bench, subject, "{}");
        put_event(bench, 4 + i, "{}");
        put(bench, "order.placed", "no JSON");
        snprintf(event, sizeof event,
                 "{\"id\":\"x\",\"type\":\"order.wrong.%d\",\"version\":3,\"payload\":{}}", i);
        put(bench, "order.placed", event);
    }
    const struct stored_result *result = &bench->result;
    assert_int_equal(result->unknown, 2000);
    assert_int_equal(result->unknown_subjects.count, STORED_SUBJECTS);
    assert_int_equal(result->unreadable, 2000);
    assert_int_equal(result->types.count, 2); /* newer ones are one */
    for (size_t i = 0; i < 2; i++) {
        const struct stored_type *type = type_at(bench, i);
        assert_int_equal(type->refused, 2000);
        assert_int_equal(type->faults.count, STORED_FAULTS);
        assert_int_equal(type->unlisted, 2000 - STORED_FAULTS);
    }
    assert_true(arena_used(result->arena) < 200000);
    bench_close(bench);
}

static void what_is_no_event_is_passed_over(void **state) {
    (void)state;
    struct bench *bench = bench_open();
    put(bench, "order.placed.dlq", "{}");
    put(bench, "dlq.order.placed.timeout", "{}");
    put(bench, "_weir.cursor.ORDERS.1", "");
    put(bench, "order.lost", "{}");
    assert_int_equal(bench->result.unknown, 1);
    assert_int_equal(bench->result.judged + bench->result.unreadable, 0);
    bench_close(bench);
}

static const struct spec specs[] = {
    {"each version is read as readers of the catalog read it", each_version_is_read_as_readers_read_it},
    {"items of a list are one place", items_of_a_list_are_one_place},
    {"what is told is bounded, whatever is stored", what_is_told_is_bounded},
    {"copies of dead letters and what weir stores are passed over", what_is_no_event_is_passed_over},
};
SPEC_MAIN(specs)
