/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: event catalog */
/* Events of older versions: publishing them, choosing what a reader gets, and bringing them up in each dialect. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "catalog/model.h"
#include "kit/catalog.h"
#include "weir/catalog.h"

static weir_text of(const char *text) {
    return weir_text_of(text);
}

/* meter.read in three versions: the meter was called m, then id; what it says was v, then value. Version 1 leads
 * to 2 and 2 to 4; 3 was never. */
static const char meters[] = "weir: 1\n"
                             "catalog: grid\n"
                             "envelope: %s\n"
                             "streams: {METER: {subjects: [meter.>]}}\n"
                             "events:\n"
                             "  meter.read:\n"
                             "    stream: METER\n"
                             "    subject: meter.read.{id}\n"
                             "    params: {id: %s/id}\n"
                             "    key: %s/id\n"
                             "    version: 4\n"
                             "    payload: {type: object, required: [id, value], properties: {id: {type: "
                             "string}, value: {type: integer}},\n"
                             "              additionalProperties: false}\n"
                             "    versions:\n"
                             "      1: {payload: {type: object, required: [m, v], properties: {m: {type: "
                             "string}, v: {type: integer}}},\n"
                             "          up: [{rename: /m, to: id}]}\n"
                             "      2: {payload: {type: object, required: [id, v], properties: {id: {type: "
                             "string}, v: {type: integer}}},\n"
                             "          up: [{rename: /v, to: value}]}\n";

struct grid {
    weir_catalog *catalog;
    const struct event_def *def;
    event_scratch *scratch;
    weir_error err;
};

/* `envelope` as YAML; `payload`: where the payload stands in it. */
static struct grid grid_open(const char *envelope, const char *payload) {
    struct grid grid = {.scratch = event_scratch_new()};
    char yaml[4096];
    snprintf(yaml, sizeof yaml, meters, envelope, payload, payload);
    const char *folder = kit_catalog_folder(yaml);
    if (strcmp(envelope, "envelope.yaml") != 0) { /* the kit's stands there, and nothing names it */
        snprintf(yaml, sizeof yaml, "%s/envelope.yaml", folder);
        assert_int_equal(remove(yaml), 0);
    }
    expect_ok(weir_catalog_open(&grid.catalog, folder, NULL, NULL, &grid.err), &grid.err);
    grid.def = catalog_event(grid.catalog, of("meter.read"));
    return grid;
}

static void grid_close(struct grid *grid) {
    event_scratch_free(grid->scratch);
    weir_catalog_close(grid->catalog);
}

static weir_code build(struct grid *grid, const char *payload, int version, struct event_built *built) {
    const weir_draft draft = {.type = of("meter.read"),
                              .payload = of(payload),
                              .id = of("e1"),
                              .time = of("2026-01-19T12:00:00Z"),
                              .source = of("/grid"),
                              .tenant = of("t"),
                              .version = version};
    return event_build(built, grid->catalog->dialect, grid->def, &draft, weir_clock_system(), 0,
                       grid->scratch, &grid->err);
}

/* --- building ------------------------------------------------------------------------------------------- */

static void any_listed_version_is_built(void **state) {
    (void)state;
    struct grid grid = grid_open("envelope.yaml", "/payload");
    struct event_built built;
    static const char *const payloads[] = {NULL, "{\"m\":\"a\",\"v\":1}", "{\"id\":\"a\",\"v\":1}", NULL,
                                           "{\"id\":\"a\",\"value\":1}"};
    for (int version = 1; version <= 4; version++) {
        if (!payloads[version])
            continue;
        char expected[64];
        expect_ok(build(&grid, payloads[version], version, &built), &grid.err);
        assert_string_equal(built.subject.data, "meter.read.a"); /* of the current version's /id */
        assert_string_equal(built.key.data, "a");
        snprintf(expected, sizeof expected, "\"version\":%d,", version);
        assert_non_null(strstr(built.envelope.data, expected));
        assert_non_null(strstr(built.envelope.data, payloads[version])); /* as it was given */
    }
    grid_close(&grid);
}

static void each_version_has_its_own_schema(void **state) {
    (void)state;
    struct grid grid = grid_open("envelope.yaml", "/payload");
    struct event_built built;
    static const struct {
        int version;
        const char *payload, *message, *hint;
    } rows[] = {
        {1, "{\"m\":1,\"v\":1}", "meter.read: payload /m: must be a string, is a number (type)", ""},
        {2, "{\"m\":\"a\",\"v\":1}", "meter.read: payload: misses the required property 'id' (required)",
         NULL},
        {3, "{\"id\":\"a\",\"value\":1}", "meter.read: version 3 is not the catalog's, which are 1, 2 and 4",
         "leave the version out for version 4, or list under the event's `versions` version 3"},
        {5, "{\"id\":\"a\",\"value\":1}", "meter.read: version 5 is not the catalog's, which are 1, 2 and 4",
         "leave the version out for version 4, or use a catalog that has version 5"},
        {1, "{\"m\":\"a\",\"v\":1,\"id\":2}",
         "meter.read: version 1 to 2, step 1: rename /m: the payload has /id already", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_error(build(&grid, rows[i].payload, rows[i].version, &built), WEIR_INVALID, &grid.err,
                     rows[i].message);
        if (rows[i].hint)
            assert_string_equal(grid.err.hint, rows[i].hint);
    }
    grid_close(&grid);
}

/* --- which version -------------------------------------------------------------------------------------- */

static void readers_get_the_nearest_version(void **state) {
    (void)state;
    static const struct {
        int stored, versions[3], count, to;
        const char *message, *hint;
    } rows[] = {
        {1, {0}, 0, 4, NULL, NULL},
        {2, {0}, 0, 4, NULL, NULL},
        {3, {0}, 0, 3, NULL, NULL}, /* not listed: as stored */
        {4, {0}, 0, 4, NULL, NULL},
        {0, {0}, 0, 4, NULL, NULL}, /* says none: the current one */
        {1, {1, 4}, 2, 1, NULL, NULL},
        {1, {2, 4}, 2, 2, NULL, NULL},
        {2, {1, 4}, 2, 4, NULL, NULL},
        {4, {1, 4}, 2, 4, NULL, NULL},
        {4,
         {1, 2},
         2,
         0,
         "version 4 cannot be brought to one that group 'a' reads (1 and 2)",
         "add version 4 to the group's `versions`"},
        {0,
         {2},
         1,
         0,
         "version 4 cannot be brought to one that group 'a' reads (2)",
         "add version 4 to the group's `versions`"},
        {3,
         {1, 2, 4},
         3,
         0,
         "version 3 cannot be brought to one that group 'a' reads (1, 2 and 4)",
         "list version 3 with its `up` under the event's `versions`"},
    };
    struct grid grid = grid_open("envelope.yaml", "/payload");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int to = 0;
        weir_code code = event_version_for(&to, grid.def, rows[i].stored, rows[i].versions,
                                           (size_t)rows[i].count, "group 'a'", &grid.err);
        if (rows[i].message) {
            expect_error(code, WEIR_INVALID, &grid.err, rows[i].message);
            assert_string_equal(grid.err.hint, rows[i].hint);
            continue;
        }
        expect_ok(code, &grid.err);
        assert_int_equal(to, rows[i].to);
    }
    grid_close(&grid);
}

/* --- bringing up ---------------------------------------------------------------------------------------- */

static weir_code read_up(struct grid *grid, weir_event *event, weir_text wire, int to) {
    WEIR_TRY(event_read(event, grid->catalog->dialect, grid->def, wire, true, grid->scratch, &grid->err));
    return event_raise(event, grid->catalog->dialect, grid->def, to, true, grid->scratch, &grid->err);
}

/* The rest of the envelope is the same; what was written again reads as what was brought up. */
static void each_dialect_says_the_version_its_own_way(void **state) {
    (void)state;
    static const struct {
        const char *envelope, *payload, *before, *after;
    } rows[] = {
        {"cloudevents", "/data", "\"schemaversion\":\"1\"", "\"schemaversion\":\"4\""},
        {"daarion", "/payload", "\"version\":1,", "\"version\":4,"},
        {"giia", "/data", "\"schema_version\":\"1.0\"", "\"schema_version\":\"4.0\""},
        {"envelope.yaml", "/payload", "\"version\":1,", "\"version\":4,"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct grid grid = grid_open(rows[i].envelope, rows[i].payload);
        struct event_built built;
        weir_event event, again;
        char stored[1024], raised[1024], expected[1024];
        const char *old = "{\"m\":\"a\",\"v\":1.0}", *new = "{\"id\":\"a\",\"value\":1.0}";
        expect_ok(build(&grid, old, 1, &built), &grid.err);
        snprintf(stored, sizeof stored, "%s", built.envelope.data);
        expect_ok(read_up(&grid, &event, of(stored), 4), &grid.err);
        const char *version = strstr(stored, rows[i].before), *payload = strstr(stored, old);
        assert_true(version && payload && version < payload);
        snprintf(expected, sizeof expected, "%.*s%s%.*s%s%s", (int)(version - stored), stored, rows[i].after,
                 (int)(payload - version - (long)strlen(rows[i].before)), version + strlen(rows[i].before),
                 new, payload + strlen(old));
        snprintf(raised, sizeof raised, "%.*s", TEXT_ARG(event.wire));
        assert_string_equal(raised, expected);
        assert_int_equal(event.version * 10 + event.stored_version, 41);
        assert_true(text_is(event.stored_wire, stored));
        assert_true(text_is(event.key, "a"));
        event_scratch *other = event_scratch_new();
        expect_ok(event_read(&again, grid.catalog->dialect, grid.def, of(raised), true, other, &grid.err),
                  &grid.err);
        assert_true(event_same(&event, &again, true) && text_equal(event.payload, again.payload));
        event_scratch_free(other);
        grid_close(&grid);
    }
}

static void strangers_in_the_envelope_stay(void **state) {
    (void)state;
    struct grid grid = grid_open("giia", "/data");
    weir_event event;
    expect_ok(
        read_up(&grid, &event,
                of("{\"event_id\":\"e\",\"x\":{\"y\":[1.50]},\"event_type\":\"meter.read\",\"source\":\"s\","
                   "\"organization_id\":\"o\",\"time\":\"2026-01-19T12:00:00Z\",\"schema_version\":\"1.7\","
                   "\"payload\":{\"m\":\"a\",\"v\":1},\"z\":null}"),
                2),
        &grid.err);
    assert_true(text_is(
        event.wire, "{\"event_id\":\"e\",\"x\":{\"y\":[1.50]},\"event_type\":\"meter.read\",\"source\":\"s\","
                    "\"organization_id\":\"o\",\"time\":\"2026-01-19T12:00:00Z\",\"schema_version\":\"2.0\","
                    "\"payload\":{\"id\":\"a\",\"v\":1},\"z\":null}"));
    grid_close(&grid);
}

static void a_failed_event_is_as_it_was(void **state) {
    (void)state;
    struct grid grid = grid_open("envelope.yaml", "/payload");
    weir_event event;
    static const struct {
        const char *wire, *message;
    } rows[] = {
        {"{\"id\":\"e\",\"type\":\"meter.read\",\"version\":1,\"payload\":{\"m\":\"a\",\"v\":1,\"id\":1}}",
         "meter.read: version 1 to 2, step 1: rename /m: the payload has /id already"},
        {"{\"id\":\"e\",\"type\":\"meter.read\",\"version\":1,\"payload\":{\"m\":\"a\",\"v\":1,\"x\":2}}",
         "meter.read: brought up from version 1 to 4: payload: has the property 'x', which is "
         "not allowed (additionalProperties)"},
    };
    for (size_t i = 0; i < 2; i++) {
        expect_error(read_up(&grid, &event, of(rows[i].wire), 4), WEIR_INVALID, &grid.err, rows[i].message);
        assert_int_equal(event.version, 1);
        assert_true(text_is(event.wire, rows[i].wire));
        weir_text m;
        expect_ok(weir_event_read(&event, "/m", &m, &grid.err), &grid.err);
        assert_true(text_is(m, "a"));
    }
    grid_close(&grid);
}

/* 60 levels may become 62, which no envelope holds. */
static void a_payload_may_become_too_deep(void **state) {
    (void)state;
    struct grid grid = grid_open("envelope.yaml", "/payload");
    weir_event event;
    char wire[512] =
        "{\"id\":\"e\",\"type\":\"meter.read\",\"version\":2,\"payload\":{\"id\":\"a\",\"v\":1,\"x\":";
    struct version_def *two = (struct version_def *)event_version(grid.def, 2);
    two->steps.items[0] = (struct upcast_step){.word = UPCAST_MOVE, .at = of("/x"), .to = of("/y/a/b/c")};
    for (int i = 0; i < 61; i++)
        strcat(wire, "[");
    for (int i = 0; i < 61; i++)
        strcat(wire, "]");
    strcat(wire, "}}");
    assert_int_equal(read_up(&grid, &event, of(wire), 4), WEIR_INVALID);
    assert_non_null(strstr(grid.err.message, "meter.read: brought up from version 2 to 4: "));
    grid_close(&grid);
}

static const struct spec specs[] = {
    {"any listed version is built, key and subject as the current one finds them",
     any_listed_version_is_built},
    {"each version has a schema of its own, and an unlisted one is refused", each_version_has_its_own_schema},
    {"a reader gets the nearest version it reads, or learns why not", readers_get_the_nearest_version},
    {"each dialect says the version its own way, and all else stays",
     each_dialect_says_the_version_its_own_way},
    {"aliases and members nobody knows stay where they are", strangers_in_the_envelope_stay},
    {"an event that cannot be brought up is as it was", a_failed_event_is_as_it_was},
    {"a payload that becomes too deep is refused", a_payload_may_become_too_deep},
};
SPEC_MAIN(specs)
