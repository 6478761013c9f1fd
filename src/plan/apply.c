/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying a plan out. Everything that can be refused is refused before the first step: what is impossible,
 * what loses data nobody named, and a plan that the servers have left behind. A step that fails keeps the
 * server's own words and gains the line of the catalog that asked for it. */
#include <string.h>

#include "base/fail.h"
#include "plan/compare.h"
#include "weir/json.h"

static const char *thing_name(const weir_step *step) {
    return step->thing == WEIR_STREAM ? "stream" : "consumer";
}

/* "streams.yaml:12: " in front, where the catalog asks for it. */
static weir_code place_error(const weir_step *step, weir_error *err) {
    if (step->line)
        return weir_prefix(err, "%s:%d", step->file, step->line);
    return err ? err->code : WEIR_INTERNAL;
}

/* --- refusing ----------------------------------------------------------------------------------------- */

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
        return place_error(step, err);
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
    return place_error(step, err);
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

static bool same_change(const weir_field_change *a, const weir_field_change *b) {
    return strcmp(a->field, b->field) == 0 && strcmp(a->before, b->before) == 0 &&
           strcmp(a->after, b->after) == 0 && a->loses_data == b->loses_data;
}

static bool same_step(const weir_step *a, const weir_step *b) {
    if (a->kind != b->kind || a->thing != b->thing || strcmp(a->name, b->name) != 0 ||
        a->loses_data != b->loses_data || a->change_count != b->change_count)
        return false;
    for (size_t i = 0; i < a->change_count; i++)
        if (!same_change(&a->changes[i], &b->changes[i]))
            return false;
    return true;
}

/* The next step that does something, from *index on. */
static const weir_step *next_doing(const weir_plan *plan, size_t *index) {
    const weir_step *step;
    while ((step = weir_plan_step(plan, *index)) && step->kind == WEIR_STEP_KEEP)
        (*index)++;
    return step;
}

static const weir_step *first_difference(const weir_plan *plan, const weir_plan *now) {
    for (size_t i = 0, j = 0;; i++, j++) {
        const weir_step *planned = next_doing(plan, &i), *current = next_doing(now, &j);
        if (!planned || !current)
            return planned ? planned : current;
        if (!same_step(planned, current))
            return planned;
    }
}

/* Reads the servers once more: the plan must still be the plan. */
static weir_code refuse_changed(const weir_plan *plan, weir_connection *connection, weir_error *err) {
    weir_plan *now;
    WEIR_TRY(weir_plan_make(&now, connection, plan->catalog, err));
    const weir_step *different = first_difference(plan, now);
    if (different) {
        weir_fail(err, WEIR_CONFLICT, "the servers have changed since the plan was made: %s %s",
                  thing_name(different), different->name);
        weir_hint(err, "make the plan again");
    }
    weir_plan_free(now);
    return different ? WEIR_CONFLICT : WEIR_OK;
}

/* --- doing -------------------------------------------------------------------------------------------- */

static void consumer_body(buffer *out, const struct plan_step *step, const char *action) {
    buffer config;
    buffer_init(&config, 16 << 20);
    plan_config_write(&config, step);
    weir_json_writer *writer = json_writer_over(out);
    weir_json_begin_object(writer);
    weir_json_key(writer, "stream_name");
    weir_json_string(writer, step->desired->stream);
    weir_json_key(writer, "config");
    weir_json_raw(writer, buffer_view(&config));
    weir_json_key(writer, "action");
    weir_json_string(writer, action);
    weir_json_end_object(writer);
    weir_json_free(writer);
    buffer_release(&config);
}

/* "STREAM.CREATE.S", "CONSUMER.DELETE.S.C", ...: the dot stands where the name has its slash. */
static void api_name(buffer *out, const struct plan_step *step) {
    const weir_step *public = &step->step;
    bool consumer = public->thing == WEIR_CONSUMER;
    const char *verb = public->kind == WEIR_STEP_DELETE                ? "DELETE"
                       : public->kind == WEIR_STEP_UPDATE && !consumer ? "UPDATE"
                                                                       : "CREATE";
    buffer_printf(out, "%s.%s.", consumer ? "CONSUMER" : "STREAM", verb);
    for (const char *at = public->name; *at; at++)
        buffer_char(out, *at == '/' && consumer ? '.' : *at);
}

static weir_code hint_for(weir_error *err) {
    switch (err ? err->detail : 0) {
    case 10047: /* insufficient storage resources */
    case 10028: /* insufficient memory resources */
        return weir_hint(
            err, "max_bytes is a reservation: lower it in the catalog or its environment, or give the "
                 "servers more room");
    case 10074: /* replicas > 1 in a single server */
        return weir_hint(
            err,
            "this is a single server: state num_replicas: 1, or use an environment that does (--env dev)");
    case 10005: /* no suitable peers for placement */
        return weir_hint(
            err, "the cluster has fewer servers than num_replicas asks for, or they are not reachable");
    case 10113: /* account requires max_bytes */
        return weir_hint(err, "this account demands a max_bytes for every stream: state it in the catalog");
    case 10026: /* maximum consumers */
    case 10027: /* maximum streams */
        return weir_hint(err, "the account's limit is reached: raise it on the servers");
    default:
        return err ? err->code : WEIR_INTERNAL;
    }
}

static weir_code run_step(weir_connection *connection, const struct plan_step *step, weir_error *err) {
    buffer api, body;
    buffer_init(&api, 1024);
    buffer_init(&body, 16 << 20);
    api_name(&api, step);
    if (step->step.kind != WEIR_STEP_DELETE) {
        if (step->step.thing == WEIR_STREAM)
            plan_config_write(&body, step);
        else
            consumer_body(&body, step, step->step.kind == WEIR_STEP_CREATE ? "create" : "update");
    }
    json_doc *reply = NULL;
    weir_code code = broker_api(connection, api.data, buffer_view(&body), &reply, err);
    json_doc_free(reply);
    buffer_release(&api);
    buffer_release(&body);
    if (code == WEIR_OK)
        return WEIR_OK;
    hint_for(err);
    place_error(&step->step, err);
    return code;
}

static weir_code run_steps(weir_plan *plan, weir_connection *connection, const weir_apply_options *options,
                           weir_error *err) {
    weir_code code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];
        if (step->step.kind == WEIR_STEP_KEEP)
            continue;
        weir_error own;
        code = run_step(connection, step, &own);
        if (code != WEIR_OK && err)
            *err = own;
        if (options->on_step)
            options->on_step(options->on_step_arg, &step->step, code, code == WEIR_OK ? NULL : &own);
    }
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

weir_code weir_plan_apply(weir_plan *plan, weir_connection *connection, const weir_apply_options *options,
                          weir_error *err) {
    static const weir_apply_options none;
    options = options ? options : &none;
    WEIR_TRY(weir_plan_refused(plan, options, err));
    WEIR_TRY(refuse_changed(plan, connection, err));
    return run_steps(plan, connection, options, err);
}
