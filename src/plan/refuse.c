/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before the first step: a plan that nobody may carry out, what is impossible, and what loses
 * data nobody named. Asks no server. */
#include <string.h>

#include "base/fail.h"
#include "plan/compare.h"

static const char *thing_name(const weir_step *step) {
    return step->thing == WEIR_STREAM ? "stream" : "consumer";
}

/* "streams.yaml:12: " in front, where the catalog asks for it. */
weir_code plan_place_error(const weir_step *step, weir_error *err) {
    if (step->line)
        return weir_prefix(err, "%s:%d", step->file, step->line);
    return err ? err->code : WEIR_INTERNAL;
}

/* "max_age 90d -> 7d discards 4 of 10 events, older than 7d" */
static void append_losses(buffer *out, const weir_step *step) {
    const char *comma = "";
    for (size_t i = 0; i < step->change_count; i++) {
        const weir_field_change *change = &step->changes[i];
        if (!change->loses_data)
            continue;
        buffer_printf(out, "%s%s %s -> %s discards %s", comma, change->field, change->before, change->after,
                      change->loss);
        comma = ", ";
    }
}

static weir_code refuse_unmanaged(const weir_plan *plan, weir_error *err) {
    if (plan->catalog->managed || weir_plan_empty(plan))
        return WEIR_OK;
    weir_fail(err, WEIR_CONFLICT,
              "the catalog '%s' only describes these servers (managed: false): apply changes nothing",
              plan->catalog->name);
    return weir_hint(err,
                     "to hand them over to weir, remove that line from catalog.yaml and look at weir plan");
}

static weir_code refuse_impossible(const weir_plan *plan, weir_error *err) {
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        if (step->kind != WEIR_STEP_IMPOSSIBLE)
            continue;
        weir_fail(err, WEIR_CONFLICT, "%s %s cannot become what the catalog asks", thing_name(step),
                  step->name);
        weir_hint(err, "%.500s", step->note);
        return plan_place_error(step, err);
    }
    return WEIR_OK;
}

static bool loss_allowed(const weir_apply_options *options, const char *name) {
    for (size_t i = 0; i < options->allow_loss_count; i++)
        if (strcmp(options->allow_loss[i], name) == 0)
            return true;
    return false;
}

static weir_code loss_error(const weir_step *step, const char *allowances, weir_error *err) {
    buffer what;
    buffer_init(&what, 600);
    if (step->kind == WEIR_STEP_DELETE)
        buffer_printf(&what, "would be deleted: %s", step->note);
    else {
        buffer_string(&what, "would lose stored events: ");
        append_losses(&what, step);
    }
    weir_fail(err, WEIR_CONFLICT, "%s %s %s", thing_name(step), step->name, what.data);
    weir_hint(err, "to accept it: %.450s", allowances);
    buffer_release(&what);
    return plan_place_error(step, err);
}

static weir_code refuse_loss(const weir_plan *plan, const weir_apply_options *options, weir_error *err) {
    const weir_step *first = NULL;
    buffer allowances;
    buffer_init(&allowances, 4096);
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        if (!step->loses_data || step->kind == WEIR_STEP_KEEP || loss_allowed(options, step->name))
            continue;
        buffer_printf(&allowances, "%s--allow-loss %s", first ? " " : "", step->name);
        first = first ? first : step;
    }
    weir_code code = first ? loss_error(first, allowances.data, err) : WEIR_OK;
    buffer_release(&allowances);
    return code;
}

weir_code plan_refused_for_good(const weir_plan *plan, weir_error *err) {
    if (plan->difference)
        return weir_fail(err, WEIR_INVALID, "the difference between two environments cannot be applied");
    WEIR_TRY(refuse_unmanaged(plan, err));
    return refuse_impossible(plan, err);
}

weir_code weir_plan_refused(const weir_plan *plan, const weir_apply_options *options, weir_error *err) {
    static const weir_apply_options none;
    WEIR_TRY(plan_refused_for_good(plan, err));
    return refuse_loss(plan, options ? options : &none, err);
}
