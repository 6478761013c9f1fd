/* SPDX-License-Identifier: Apache-2.0 */
/* Plans without servers: catalogs as text, the servers' answers written by hand. "As applied" means: the
 * servers have what another catalog text asks for, with the marks a real server adds. */
#ifndef SPEC_PLAN_FIXTURE_H
#define SPEC_PLAN_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "kit/catalog.h"
#include "kit/spec.h"
#include "plan/compare.h"

#define NOW "2026-03-01T00:00:00Z"
#define HEAD                    \
    "weir: 1\n"                 \
    "catalog: shop\n"           \
    "envelope: envelope.yaml\n" \
    "dead_letter: {stream: SHOP_DLQ, subject: \"dlq.{subject}.{error}\", max_age: 90d}\n"
#define EVENT(type, stream)                           \
    "  " type ": {stream: " stream ", subject: " type \
    ", owner: shop, version: 1, payload: {type: object}, example: {}}\n"
#define ORDER_EVENTS "events:\n" EVENT("order.placed", "ORDER") EVENT("order.paid", "ORDER")
#define SERVICES "services: {mail: {consume: [mailer]}, shop: {publish: [order.>]}}\n"
#define MAILER \
    "groups:\n  mailer: {service: mail, from: {ORDER: all}, max_deliver: 4, retry: [1s], ack_wait: 30s}\n"
#define SHOP(stream) HEAD "streams:\n  ORDER: {subjects: [order.*]" stream "}\n" ORDER_EVENTS MAILER SERVICES

/* --- making plans --------------------------------------------------------------------------------------- */

struct world {
    weir_catalog *catalog;
    weir_plan *plan;
};

static inline weir_catalog *open_catalog(const char *yaml) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    return catalog;
}

static inline struct world world_begin(const char *yaml) {
    arena *arena = arena_new();
    struct world world = {.catalog = open_catalog(yaml), .plan = arena_alloc(arena, sizeof(weir_plan))};
    weir_error err = {0};
    *world.plan = (weir_plan){
        .arena = arena, .catalog = world.catalog, .desired.arena = arena, .observed.arena = arena};
    expect_ok(desired_make(&world.plan->desired, world.catalog, &err), &err);
    return world;
}

static inline void world_compare(struct world *world) {
    int64_t now_ns = 0;
    weir_error err = {0};
    expect_ok(time_parse(&now_ns, weir_text_of(NOW), &err), &err);
    plan_compare(world->plan, now_ns);
}

static inline void world_end(struct world *world) {
    weir_plan_free(world->plan);
    weir_catalog_close(world->catalog);
}

static inline json_doc *parsed(const char *text) {
    json_doc *doc = NULL;
    weir_error err = {0};
    expect_ok(json_parse(&doc, weir_text_of(text), &err), &err);
    return doc;
}

static inline void observe_streams(struct world *world, const char *entries) {
    int64_t total;
    weir_error err = {0};
    buffer text;
    buffer_init(&text, 1 << 20);
    buffer_printf(&text, "{\"total\":1,\"streams\":[%s]}", entries);
    expect_ok(observed_add_streams(&world->plan->observed, parsed(text.data), &total, &err), &err);
    buffer_release(&text);
}

static inline void observe_consumers(struct world *world, const char *stream, const char *entries) {
    int64_t total;
    weir_error err = {0};
    buffer text;
    buffer_init(&text, 1 << 20);
    buffer_printf(&text, "{\"total\":1,\"consumers\":[%s]}", entries);
    struct observed_stream *found = observed_stream(&world->plan->observed, stream);
    assert_non_null(found);
    expect_ok(observed_add_consumers(&world->plan->observed, found, parsed(text.data), &total, &err), &err);
    buffer_release(&text);
}

/* Text with the first `from` made `to` (when `from` is in it). */
static inline char *edited(const char *text, const char *from, const char *to) {
    const char *at = from ? strstr(text, from) : NULL;
    size_t size = strlen(text) + (at ? strlen(to) : 0) + 1;
    char *result = malloc(size);
    if (at)
        snprintf(result, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    else
        memcpy(result, text, size);
    return result;
}

#define STATE_EMPTY "{\"messages\":0,\"bytes\":0,\"first_ts\":\"0001-01-01T00:00:00Z\",\"consumer_count\":0}"
/* 1000 events, 1 MiB, the oldest 28 days old at NOW. */
#define STATE_FULL \
    "{\"messages\":1000,\"bytes\":1048576,\"first_ts\":\"2026-02-01T00:00:00.5Z\",\"num_subjects\":10}"

/* The servers as after applying `yaml`, then edited by hand: in every configuration `from` becomes `to`. */
static inline void observe_applied(struct world *world, const char *yaml, const char *state, const char *from,
                                   const char *to) {
    struct world applied = world_begin(yaml);
    for (size_t i = 0; i < applied.plan->desired.items.count; i++) {
        const struct desired *desired = &applied.plan->desired.items.items[i];
        buffer config, entry;
        buffer_init(&config, 1 << 20);
        buffer_init(&entry, 1 << 20);
        json_write(&config, desired->config, false);
        char *marked = edited(config.data, "\"metadata\":{",
                              "\"metadata\":{\"_nats.level\":\"5\",\"_nats.ver\":\"2.15.1\",");
        char *text = edited(marked, from, to);
        if (desired->consumer) {
            buffer_printf(&entry, "{\"name\":\"%s\",\"config\":%s}", desired->consumer, text);
            observe_consumers(world, desired->stream, entry.data);
        } else {
            buffer_printf(&entry, "{\"config\":%s,\"state\":%s,\"created\":\"2026-01-01T00:00:00Z\"}", text,
                          state);
            observe_streams(world, entry.data);
        }
        free(marked);
        free(text);
        buffer_release(&config);
        buffer_release(&entry);
    }
    world_end(&applied);
}

/* A plan for `wanted` on servers that have `applied`, with one hand edit. */
static inline struct world plan_edited(const char *wanted, const char *applied, const char *state,
                                       const char *from, const char *to) {
    struct world world = world_begin(wanted);
    observe_applied(&world, applied, state, from, to);
    world_compare(&world);
    return world;
}

static inline struct world plan_from(const char *wanted, const char *applied, const char *state) {
    return plan_edited(wanted, applied, state, NULL, NULL);
}

static inline const weir_step *step_of(const struct world *world, const char *name) {
    for (size_t i = 0; i < weir_plan_count(world->plan); i++)
        if (strcmp(weir_plan_step(world->plan, i)->name, name) == 0)
            return weir_plan_step(world->plan, i);
    fail_msg("the plan has no step for %s", name);
    return NULL;
}

/* Steps that do something, in order: "+STREAM ~OTHER". */
static inline const char *doing(const struct world *world) {
    static char text[4096];
    size_t size = 0;
    *text = 0;
    for (size_t i = 0; i < weir_plan_count(world->plan); i++) {
        const weir_step *step = weir_plan_step(world->plan, i);
        if (step->kind != WEIR_STEP_KEEP)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%c%s", size ? " " : "",
                                     "+~!- R"[step->kind], step -> name);
    }
    return text;
}

static inline const weir_field_change *only_change(const weir_step *step) {
    assert_int_equal(step->change_count, 1);
    return &step->changes[0];
}

static inline void expect_change(const weir_step *step, const char *field, const char *before,
                                 const char *after) {
    for (size_t i = 0; i < step->change_count; i++)
        if (strcmp(step->changes[i].field, field) == 0) {
            assert_string_equal(step->changes[i].before, before);
            assert_string_equal(step->changes[i].after, after);
            return;
        }
    fail_msg("%s: no change of %s", step->name, field);
}

#endif
