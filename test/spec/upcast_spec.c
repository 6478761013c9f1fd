/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event catalog */
/* Up-casters: what each step does to a payload, and what a chain of them does. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/model.h"
#include "kit/catalog.h"
#include "weir/catalog.h"

static weir_text of(const char *text) {
    return weir_text_of(text);
}

/* --- an event type with ways up ------------------------------------------------------------------------- */

static const char head[] = "weir: 1\n"
                           "catalog: shop\n"
                           "envelope: envelope.yaml\n"
                           "streams: {SHOP: {subjects: [shop.>]}}\n"
                           "events:\n"
                           "  shop.sold:\n"
                           "    stream: SHOP\n";

/* The catalog with `rest` below shop.sold. */
static weir_catalog *open_shop(const char *rest) {
    weir_catalog *catalog;
    weir_error err;
    char yaml[4096];
    snprintf(yaml, sizeof yaml, "%s%s", head, rest);
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    return catalog;
}

static weir_code bring_up(buffer *out, const weir_catalog *catalog, const char *payload, int from, int to,
                          weir_error *err) {
    json_doc *doc;
    arena *memory = arena_new();
    buffer_init(out, 1 << 16);
    expect_ok(json_parse(&doc, of(payload), err), err);
    weir_code code =
        upcast_run(out, catalog_event(catalog, of("shop.sold")), json_root(doc), from, to, memory, err);
    json_doc_free(doc);
    arena_free(memory);
    return code;
}

/* One older version with these steps; nothing is valid in it, so the checks have nothing to say. */
static weir_catalog *with_steps(const char *steps) {
    char rest[2048];
    snprintf(rest, sizeof rest,
             "    version: 2\n    payload: {}\n    versions: {1: {payload: false, up: %s}}\n", steps);
    return open_shop(rest);
}

static void expect_up(const char *steps, const char *payload, const char *expected) {
    weir_catalog *catalog = with_steps(steps);
    weir_error err = {0};
    buffer out;
    expect_ok(bring_up(&out, catalog, payload, 1, 2, &err), &err);
    assert_string_equal(out.data, expected);
    buffer_release(&out);
    weir_catalog_close(catalog);
}

static void expect_fault(const char *steps, const char *payload, const char *message) {
    weir_catalog *catalog = with_steps(steps);
    weir_error err = {0};
    buffer out;
    expect_error(bring_up(&out, catalog, payload, 1, 2, &err), WEIR_INVALID, &err, message);
    buffer_release(&out);
    weir_catalog_close(catalog);
}

/* --- steps ---------------------------------------------------------------------------------------------- */

static void steps_change_members(void **state) {
    (void)state;
    expect_up("[{move: /qty, to: /quantity}]", "{\"qty\":12.50,\"a\":1}", "{\"a\":1,\"quantity\":12.50}");
    expect_up("[{move: /qty, to: /sold/by/count}]", "{\"sold\":{\"x\":1},\"qty\":[1,{\"b\":2}]}",
              "{\"sold\":{\"x\":1,\"by\":{\"count\":[1,{\"b\":2}]}}}");
    expect_up("[{rename: /site, to: site_id}]", "{\"site\":\"k\",\"b\":1}", "{\"site_id\":\"k\",\"b\":1}");
    expect_up("[{rename: /a~1b/c~0d, to: e/f}]", "{\"a/b\":{\"c~d\":1}}", "{\"a/b\":{\"e/f\":1}}");
    expect_up("[{default: /unit, value: kWh}]", "{}", "{\"unit\":\"kWh\"}");
    expect_up("[{default: /unit, value: kWh}]", "{\"unit\":null}", "{\"unit\":null}");
    expect_up("[{default: /meta/unit, value: {a: 1e3}}]", "{\"meta\":{}}",
              "{\"meta\":{\"unit\":{\"a\":1e3}}}");
    expect_up("[{set: /kind, value: null}]", "{\"kind\":{\"x\":1},\"a\":1}", "{\"a\":1,\"kind\":null}");
    expect_up("[{drop: /a/b}]", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}");
    expect_up("[]", "{\"a\":{\"b\":1.0}}", "{\"a\":{\"b\":1.0}}");
}

static void what_is_absent_is_left_alone(void **state) {
    (void)state;
    const char *steps = "[{move: /x, to: /y/z}, {rename: /x, to: z}, {drop: /x}, {drop: /a/b/c}]";
    expect_up(steps, "{\"a\":1}", "{\"a\":1}");
    expect_up(steps, "{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1}]}");
    expect_up(steps, "7", "7");
}

static void steps_run_in_order(void **state) {
    (void)state;
    expect_up("[{move: /a, to: /t}, {move: /b, to: /a}, {move: /t, to: /b}]", "{\"a\":1,\"b\":2}",
              "{\"a\":2,\"b\":1}");
    expect_up("[{default: /m/n, value: 1}, {move: /m, to: /o/m}, {rename: /o/m/n, to: p}]", "{}",
              "{\"o\":{\"m\":{\"p\":1}}}");
}

static void faults_name_step_and_pointer(void **state) {
    (void)state;
    expect_fault("[{drop: /x}, {move: /a, to: /b}]", "{\"a\":1,\"b\":null}",
                 "version 1 to 2, step 2: move /a: the payload has /b already");
    expect_fault("[{rename: /m/a, to: b}]", "{\"m\":{\"a\":1,\"b\":2}}",
                 "version 1 to 2, step 1: rename /m/a: the payload has /m/b already");
    expect_fault("[{move: /a, to: /b/c}]", "{\"a\":1,\"b\":[]}",
                 "version 1 to 2, step 1: move /a: what is on the way to /b/c is no object");
    expect_fault("[{default: /a/b, value: 1}]", "{\"a\":\"text\"}",
                 "version 1 to 2, step 1: default /a/b: what is on the way to /a/b is no object");
    expect_fault("[{set: /a, value: 1}]", "[]",
                 "version 1 to 2, step 1: set /a: what is on the way to /a is no object");
}

static void a_result_is_bounded(void **state) {
    (void)state;
    weir_catalog *catalog = with_steps("[{set: /a, value: 12345678901234567890}]");
    weir_error err = {0};
    json_doc *doc;
    arena *memory = arena_new();
    buffer out;
    buffer_init(&out, 16);
    expect_ok(json_parse(&doc, of("{}"), &err), &err);
    expect_error(
        upcast_run(&out, catalog_event(catalog, of("shop.sold")), json_root(doc), 1, 2, memory, &err),
        WEIR_LIMIT, &err, "brought up from version 1 to 2 it is larger than 16 bytes");
    buffer_release(&out);
    json_doc_free(doc);
    arena_free(memory);
    weir_catalog_close(catalog);
}

/* --- chains --------------------------------------------------------------------------------------------- */

static void chains_lead_over_listed_versions(void **state) {
    (void)state;
    weir_catalog *catalog = open_shop("    version: 12\n    payload: {}\n"
                                      "    versions:\n"
                                      "      10: {payload: false, up: [{set: /ten, value: 1}]}\n"
                                      "      2: {payload: false, up: [{set: /two, value: 1}]}\n"
                                      "      1: {payload: false}\n");
    const struct event_def *sold = catalog_event(catalog, of("shop.sold"));
    static const int rows[][3] = {{1, 0, 1}, {2, 10, 12}, {10, 12, 12}, {12, 0, 12}, {7, 0, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(upcast_next(sold, rows[i][0]), rows[i][1]);
        assert_int_equal(upcast_reach(sold, rows[i][0]), rows[i][2]);
    }
    weir_error err = {0};
    buffer out;
    expect_ok(bring_up(&out, catalog, "{}", 2, 12, &err), &err);
    assert_string_equal(out.data, "{\"two\":1,\"ten\":1}");
    buffer_release(&out);
    weir_catalog_close(catalog);
}

/* --- any steps on any payload --------------------------------------------------------------------------- */

static uint64_t seed;

static unsigned draw(unsigned below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static const char *draw_name(void) {
    static const char *const names[] = {"a", "b", "c/d", "e~", ""};
    return names[draw(5)];
}

static void draw_value(buffer *out, int depth) {
    static const char *const leaves[] = {"1.50", "\"x\"", "null", "[{\"a\":1}]", "true"};
    if (depth == 0 || draw(3) == 0) {
        buffer_string(out, leaves[draw(5)]);
        return;
    }
    bool first = true;
    buffer_char(out, '{');
    for (unsigned name = 0; name < 5; name++) {
        static const char *const labels[] = {"\"a\":", "\"b\":", "\"c/d\":", "\"e~\":", "\"\":"};
        if (draw(2))
            continue;
        buffer_string(out, first ? "" : ",");
        buffer_string(out, labels[name]);
        draw_value(out, depth - 1);
        first = false;
    }
    buffer_char(out, '}');
}

static weir_text draw_pointer(arena *memory) {
    buffer pointer;
    buffer_init(&pointer, 256);
    for (unsigned left = 1 + draw(3); left > 0; left--)
        json_pointer_append(&pointer, of(draw_name()));
    weir_text made = arena_text(memory, buffer_view(&pointer));
    buffer_release(&pointer);
    return made;
}

static void draw_steps(struct version_def *version, const json *value, arena *memory) {
    *version = (struct version_def){.version = version->version, .up = value};
    for (unsigned left = draw(5); left > 0; left--) {
        struct upcast_step step = {.word = (enum upcast_word)draw(UPCAST_COUNT), .at = draw_pointer(memory)};
        step.to = step.word == UPCAST_RENAME ? of(draw_name()) : draw_pointer(memory);
        step.value = value;
        list_push(memory, &version->steps, step);
    }
}

/* NULL when it fails. The text is of `memory`. */
static const char *run(const struct event_def *def, const char *payload, int from, int to, arena *memory) {
    json_doc *doc;
    weir_error err;
    buffer out;
    buffer_init(&out, 1 << 16);
    expect_ok(json_parse(&doc, of(payload), &err), &err);
    bool good = upcast_run(&out, def, json_root(doc), from, to, memory, &err) == WEIR_OK;
    assert_true(good || strncmp(err.message, "version ", 8) == 0);
    const char *made = good ? arena_cstr(memory, buffer_view(&out)) : NULL;
    json_doc_free(doc);
    buffer_release(&out);
    return made;
}

/* What is written is JSON without double members (it is parsed again), and a chain does what its parts do. */
static void a_chain_does_what_its_parts_do(void **state) {
    (void)state;
    seed = spec_seed();
    json_doc *value;
    weir_error err;
    arena *memory = arena_new();
    expect_ok(json_parse(&value, of("{\"a\":{\"b\":7}}"), &err), &err);
    int whole = 0, failed = 0;
    for (int turn = 0; turn < 3000; turn++, arena_reset(memory)) {
        struct version_def versions[] = {{.version = 1}, {.version = 2}};
        struct event_def def = {.version = 3, .versions = {versions, 2, 2}};
        draw_steps(&versions[0], json_root(value), memory);
        draw_steps(&versions[1], json_root(value), memory);
        buffer payload;
        buffer_init(&payload, 1 << 16);
        draw_value(&payload, 3);
        const char *both = run(&def, payload.data, 1, 3, memory);
        const char *half = run(&def, payload.data, 1, 2, memory);
        const char *rest = half ? run(&def, half, 2, 3, memory) : NULL;
        assert_true((both == NULL) == (rest == NULL));
        if (both)
            assert_string_equal(both, rest);
        *(both ? &whole : &failed) += 1;
        buffer_release(&payload);
    }
    assert_true(whole > 300 && failed > 300);
    json_doc_free(value);
    arena_free(memory);
}

static const struct spec specs[] = {
    {"a step moves, renames, fills, sets or drops one member, and numbers keep their text",
     steps_change_members},
    {"what a step is to move, rename or drop may be absent", what_is_absent_is_left_alone},
    {"steps run in order, each on what the one before left", steps_run_in_order},
    {"a step that cannot be done names version, step and pointer", faults_name_step_and_pointer},
    {"a payload that outgrows its bound is refused", a_result_is_bounded},
    {"a chain leads from listed version to listed version, up to the current one",
     chains_lead_over_listed_versions},
    {"a chain does what its parts do one by one, whatever the steps and the payload",
     a_chain_does_what_its_parts_do},
};
SPEC_MAIN(specs)
