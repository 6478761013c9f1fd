/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_print.h"

#include "cli/run.h"

#include <string.h>

#include "base/text.h"

/* Indexed by weir_step_kind. */
static const char *const signs[] = {"+", "~", "!", "-", " "};
static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m", "\033[31m", ""};
static const char *const actions[] = {"create", "update", "impossible", "delete", "keep"};

const char *plan_thing(const weir_step *step) {
    return step->thing == WEIR_STREAM ? "stream" : "consumer";
}

struct plan_counts plan_count(const weir_plan *plan) {
    struct plan_counts counts = {0};
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        weir_step_kind kind = weir_plan_step(plan, i)->kind;
        counts.add += kind == WEIR_STEP_CREATE;
        counts.change += kind == WEIR_STEP_UPDATE;
        counts.destroy += kind == WEIR_STEP_DELETE;
        counts.impossible += kind == WEIR_STEP_IMPOSSIBLE;
    }
    return counts;
}

int plan_steps(const weir_plan *plan) {
    struct plan_counts counts = plan_count(plan);
    return counts.add + counts.change + counts.destroy + counts.impossible;
}

/* --- for people --------------------------------------------------------------------------------------- */

/* "[a, b]" with each item on a line of its own. */
static void append_list(buffer *out, const char *list) {
    for (const char *at = list + 1; *at && *at != ']';) {
        size_t size = strcspn(at, ",]");
        buffer_string(out, "\n        ");
        buffer_printable(out, (weir_text){at, size});
        at += size + strspn(at + size, ", ");
    }
}

static void append_change(buffer *out, const weir_field_change *change) {
    enum { LONG_LIST = 90 };
    buffer_printf(out, "      %s: ", change->field);
    if (!*change->before && *change->after == '[' && strlen(change->after) > LONG_LIST) {
        append_list(out, change->after);
        buffer_char(out, '\n');
        return;
    }
    if (*change->before) {
        buffer_printable(out, weir_text_of(change->before));
        buffer_string(out, " -> ");
    }
    buffer_printable(out, weir_text_of(*change->after ? change->after : "none"));
    if (change->loses_data)
        buffer_string(out, "   (may discard stored events)");
    else if (change->irreversible)
        buffer_string(out, "   (for good)");
    buffer_char(out, '\n');
}

static void append_step(buffer *out, bool colour, const char *folder, const weir_step *step) {
    buffer_printf(out, "  %s%s%s %s ", colour ? colours[step->kind] : "", signs[step->kind],
                  colour ? "\033[0m" : "", plan_thing(step));
    buffer_printable(out, weir_text_of(step->name));
    if (step->line) {
        buffer_string(out, "   ");
        findings_path(out, folder, step->file);
        buffer_printf(out, ":%d", step->line);
    }
    buffer_char(out, '\n');
    for (size_t i = 0; i < step->change_count; i++)
        append_change(out, &step->changes[i]);
    if (*step->note) {
        buffer_string(out, "      ");
        buffer_printable(out, weir_text_of(step->note));
        buffer_char(out, '\n');
    }
    buffer_char(out, '\n');
}

void plan_print(cli *cli, const weir_plan *plan) {
    struct plan_counts counts = plan_count(plan);
    buffer text;
    buffer_init(&text, 16 << 20);
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        if (weir_plan_step(plan, i)->kind != WEIR_STEP_KEEP)
            append_step(&text, cli_colour(cli), cli_catalog_folder(cli), weir_plan_step(plan, i));
    if (weir_plan_empty(plan))
        buffer_string(&text, "No changes: the servers are as the catalog says.\n");
    else
        buffer_printf(&text, "Plan: %d to add, %d to change, %d to destroy.\n", counts.add, counts.change,
                      counts.destroy);
    if (counts.impossible)
        buffer_printf(&text, "%d cannot be changed (!).\n", counts.impossible);
    fwrite(text.data, 1, text.size, cli_out(cli));
    buffer_release(&text);
}

/* --- as JSON ------------------------------------------------------------------------------------------ */

static void member_text(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

static void member_int(weir_json_writer *json, const char *key, int64_t value) {
    weir_json_key(json, key);
    weir_json_int(json, value);
}

static void member_bool(weir_json_writer *json, const char *key, bool value) {
    weir_json_key(json, key);
    weir_json_bool(json, value);
}

static void change_json(weir_json_writer *json, const weir_field_change *change) {
    weir_json_begin_object(json);
    member_text(json, "field", change->field);
    member_text(json, "before", change->before);
    member_text(json, "after", change->after);
    member_bool(json, "loses_data", change->loses_data);
    member_bool(json, "irreversible", change->irreversible);
    weir_json_end_object(json);
}

static void step_json(weir_json_writer *json, const weir_step *step) {
    weir_json_begin_object(json);
    member_text(json, "action", actions[step->kind]);
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
    member_int(json, "impossible", counts.impossible);
    weir_json_key(json, "steps");
    weir_json_begin_array(json);
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        if (weir_plan_step(plan, i)->kind != WEIR_STEP_KEEP)
            step_json(json, weir_plan_step(plan, i));
    weir_json_end_array(json);
}
