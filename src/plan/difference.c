/* SPDX-License-Identifier: Apache-2.0 */
/* Two environments of one catalog side by side: the same fields and words as a plan, but no rule of the server
 * applies, because nobody changes the one into the other. */
#include <string.h>

#include "plan/compare.h"

static void compare_fields(weir_plan *plan, struct plan_step *step, const json *before) {
    const struct field_row *row = step->step.thing == WEIR_STREAM ? stream_rows : consumer_rows;
    for (; row->name; row++) {
        const char *was = before ? field_show(plan->arena, row, before) : row->usual;
        const char *is = field_show(plan->arena, row, step->desired->config);
        if (row->owner != OWNER_WEIR || strcmp(was, is) == 0)
            continue;
        weir_field_change change = {.field = row->name, .before = before ? was : "", .after = is, .loss = ""};
        list_push(plan->arena, &step->changes, change);
    }
}

static void add(weir_plan *plan, weir_step_kind kind, const struct desired *thing, const json *before) {
    struct plan_step step = plan_step_for(thing);
    step.step.kind = kind;
    if (kind != WEIR_STEP_DELETE)
        compare_fields(plan, &step, before);
    if (kind == WEIR_STEP_UPDATE && step.changes.count == 0)
        step.step.kind = WEIR_STEP_KEEP;
    list_push(plan->arena, &plan->steps, step);
}

static void compare_lists(weir_plan *plan, const struct desired_list *against) {
    for (size_t i = 0; i < plan->desired.items.count; i++) {
        const struct desired *thing = &plan->desired.items.items[i];
        const struct desired *other = map_get(against->by_name, weir_text_of(thing->name));
        add(plan, other ? WEIR_STEP_UPDATE : WEIR_STEP_CREATE, thing, other ? other->config : NULL);
    }
    for (size_t i = 0; i < against->items.count; i++)
        if (!map_get(plan->desired.by_name, weir_text_of(against->items.items[i].name)))
            add(plan, WEIR_STEP_DELETE, &against->items.items[i], NULL);
}

weir_code weir_plan_difference(weir_plan **out, const weir_catalog *catalog, const weir_catalog *against,
                               weir_error *err) {
    weir_plan *plan = plan_new(catalog);
    plan->difference = true;
    struct desired_list other = {.arena = plan->arena};
    weir_code code = desired_make(&plan->desired, catalog, err);
    if (code == WEIR_OK)
        code = desired_make(&other, against, err);
    if (code != WEIR_OK) {
        weir_plan_free(plan);
        return code;
    }
    compare_lists(plan, &other);
    plan_steps_done(plan);
    desired_release(&other);
    *out = plan;
    return WEIR_OK;
}
