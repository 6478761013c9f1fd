/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON: the same steps and words as for people, with the numbers beside them. */
#include "cli/json_members.h"
#include "cli/plan_print.h"

/* null when it is not known. */
static void member_known(weir_json_writer *json, const char *key, int64_t value) {
    weir_json_key(json, key);
    if (value < 0)
        weir_json_null(json);
    else
        weir_json_int(json, value);
}

static void change_json(weir_json_writer *json, const weir_field_change *change) {
    weir_json_begin_object(json);
    member_text(json, "field", change->field);
    member_text(json, "before", change->before);
    member_text(json, "after", change->after);
    member_bool(json, "loses_data", change->loses_data);
    if (change->loses_data) {
        member_text(json, "loss", change->loss);
        member_known(json, "lost_events", change->lost_events);
        member_known(json, "lost_bytes", change->lost_bytes);
    }
    member_bool(json, "irreversible", change->irreversible);
    weir_json_end_object(json);
}

static void step_json(weir_json_writer *json, const weir_step *step) {
    weir_json_begin_object(json);
    member_text(json, "action", plan_action(step));
    member_text(json, "thing", plan_thing(step));
    member_text(json, "name", step->name);
    member_text(json, "file", step->file);
    member_int(json, "line", step->line);
    member_text(json, "note", step->note);
    member_bool(json, "loses_data", step->loses_data);
    weir_json_key(json, "changes");
    weir_json_begin_array(json);
    for (size_t i = 0; i < step->change_count; i++)
        change_json(json, &step->changes[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

void plan_json(weir_json_writer *json, cli *cli, const weir_plan *plan) {
    struct plan_counts counts = plan_count(plan);
    const weir_catalog *catalog = cli_catalog(cli);
    member_text(json, "catalog", weir_catalog_name(catalog));
    member_text(json, "digest", weir_catalog_digest(catalog));
    member_bool(json, "empty", weir_plan_empty(plan));
    member_int(json, "add", counts.add);
    member_int(json, "change", counts.change);
    member_int(json, "destroy", counts.destroy);
    member_int(json, "adopt", counts.adopt);
    member_int(json, "replace", counts.replace);
    member_int(json, "impossible", counts.impossible);
    weir_json_key(json, "steps");
    weir_json_begin_array(json);
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        if (weir_plan_step(plan, i)->kind != WEIR_STEP_KEEP)
            step_json(json, weir_plan_step(plan, i));
    weir_json_end_array(json);
}
