/* SPDX-License-Identifier: Apache-2.0 */
/* A plan owns what it read; steps point into it. */
#include "weir/plan.h"

#include "base/fail.h"
#include "plan/compare.h"
#include "weir/clock.h"

/* Older servers ignore allow_atomic without a word, and the relay could never write. */
static weir_code check_version(weir_connection *connection, weir_error *err) {
    char version[32];
    if (!*broker_server_version(connection, version) || broker_version_at_least(connection, 2, 12, 0))
        return WEIR_OK; /* while reconnecting there is no version; the first request says so */
    weir_fail(err, WEIR_UNSUPPORTED,
              "the server is nats-server %s; weir needs 2.12 or newer (atomic batches)", version);
    return weir_hint(err, "upgrade the servers first");
}

weir_plan *plan_new(const weir_catalog *catalog) {
    arena *arena = arena_new();
    weir_plan *plan = arena_alloc(arena, sizeof *plan);
    *plan = (weir_plan){.arena = arena, .catalog = catalog, .desired.arena = arena, .observed.arena = arena};
    return plan;
}

weir_code weir_plan_make(weir_plan **out, weir_connection *connection, const weir_catalog *catalog,
                         weir_error *err) {
    weir_plan *plan = plan_new(catalog);
    weir_code code = catalog->managed ? check_version(connection, err) : WEIR_OK;
    if (code == WEIR_OK)
        code = desired_make(&plan->desired, catalog, err);
    if (code == WEIR_OK)
        code = observed_read(&plan->observed, connection, &plan->desired, err);
    if (code != WEIR_OK) {
        weir_plan_free(plan);
        return code;
    }
    const weir_clock *clock = weir_clock_system();
    int64_t now_ns = clock->wall_ns(clock->self);
    plan_compare(plan, now_ns);
    loss_measure(plan, connection, now_ns);
    *out = plan;
    return WEIR_OK;
}

void weir_plan_free(weir_plan *plan) {
    if (!plan)
        return;
    desired_release(&plan->desired);
    observed_release(&plan->observed);
    arena_free(plan->arena);
}

size_t weir_plan_count(const weir_plan *plan) {
    return plan->steps.count;
}

const weir_step *weir_plan_step(const weir_plan *plan, size_t index) {
    return index < plan->steps.count ? &plan->steps.items[index].step : NULL;
}

bool weir_plan_empty(const weir_plan *plan) {
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i].step.kind != WEIR_STEP_KEEP)
            return false;
    return true;
}
