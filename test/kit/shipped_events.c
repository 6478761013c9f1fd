/* SPDX-License-Identifier: Apache-2.0 */
/* The examples are payloads, so each is published as a service with a tenant and a trace would; the time
 * stands still, ids do not. */
#include "kit/shipped_events.h"

#include "base/units.h"
#include "kit/shipped.h"
#include "kit/spec.h"

const char *const kit_shipped_names[KIT_SHIPPED_CATALOGS] = {"daarion", "giia", "microdao-node1",
                                                             "microdao-standard"};

static int64_t noon(void *arg) {
    (void)arg;
    return 1768824000 * NS_PER_S; /* 2026-01-19T12:00:00Z */
}

static weir_text wire_of(arena *arena, const weir_catalog *catalog, const struct event_def *def,
                         event_scratch *scratch) {
    const weir_clock clock = {.wall_ns = noon};
    buffer payload;
    buffer_init(&payload, 1 << 20);
    json_write(&payload, def->example, false);
    const weir_draft draft = {.type = weir_text_of(def->type),
                              .payload = buffer_view(&payload),
                              .source = weir_text_of(def->owner),
                              .actor = weir_text_of(def->owner),
                              .tenant = weir_text_of("t_555"),
                              .trace = weir_text_of("trace_abc"),
                              .span = weir_text_of("span_def")};
    struct event_built built;
    weir_error err;
    expect_ok(event_build(&built, catalog->dialect, def, &draft, &clock, 0, scratch, &err), &err);
    buffer_release(&payload);
    return arena_text(arena, built.envelope);
}

struct kit_shipped_events kit_shipped_events_open(void) {
    struct kit_shipped_events shipped = {.arena = arena_new()};
    event_scratch *scratch = event_scratch_new();
    for (size_t i = 0; i < KIT_SHIPPED_CATALOGS; i++) {
        const weir_catalog *catalog = shipped.catalogs[i] = kit_shipped(kit_shipped_names[i], NULL);
        for (size_t k = 0; k < catalog->events.count; k++) {
            const struct event_def *def = catalog->events.items[k];
            if (!def->example)
                continue;
            struct kit_shipped_event event = {catalog, def, wire_of(shipped.arena, catalog, def, scratch)};
            list_push(shipped.arena, &shipped.events, event);
        }
    }
    event_scratch_free(scratch);
    return shipped;
}

void kit_shipped_events_close(struct kit_shipped_events *shipped) {
    for (size_t i = 0; i < KIT_SHIPPED_CATALOGS; i++)
        weir_catalog_close(shipped->catalogs[i]);
    arena_free(shipped->arena);
}
