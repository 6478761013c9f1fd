/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying a plan out. A plan that the servers have left behind is refused before the first step. Steps that
 * do not wait for each other go out together, a bounded number at a time. A step that fails keeps the server's
 * own words and gains the line of the catalog that asked for it. */
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "plan/compare.h"
#include "weir/json.h"

static const char *thing_name(const weir_step *step) {
    return step->thing == WEIR_STREAM ? "stream" : "consumer";
}

/* --- still the plan? ---------------------------------------------------------------------------------- */

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

/* --- several at once ---------------------------------------------------------------------------------- */

struct flight {
    const struct plan_step *steps[LIMIT_APPLY_AT_ONCE];
    size_t count;
};

static void request_of(const struct plan_step *step, buffer *api, buffer *body) {
    api_name(api, step);
    if (step->step.kind == WEIR_STEP_DELETE)
        return;
    if (step->step.thing == WEIR_STREAM)
        plan_config_write(body, step);
    else
        consumer_body(body, step, step->step.kind == WEIR_STEP_CREATE ? "create" : "update");
}

/* Tells the outcome of each; the first failure is the flight's. */
static weir_code report(const struct flight *flight, const weir_code *codes, weir_error *errs,
                        const weir_apply_options *options, weir_error *err) {
    weir_code code = WEIR_OK;
    for (size_t i = 0; i < flight->count; i++) {
        const weir_step *step = &flight->steps[i]->step;
        if (codes[i] != WEIR_OK) {
            hint_for(&errs[i]);
            plan_place_error(step, &errs[i]);
        }
        if (codes[i] != WEIR_OK && code == WEIR_OK) {
            code = codes[i];
            if (err)
                *err = errs[i];
        }
        if (options->on_step)
            options->on_step(options->on_step_arg, step, codes[i], codes[i] == WEIR_OK ? NULL : &errs[i]);
    }
    return code;
}

static weir_code fly(weir_connection *connection, const struct flight *flight,
                     const weir_apply_options *options, weir_error *err) {
    buffer apis[LIMIT_APPLY_AT_ONCE], bodies[LIMIT_APPLY_AT_ONCE];
    const char *names[LIMIT_APPLY_AT_ONCE];
    weir_text texts[LIMIT_APPLY_AT_ONCE];
    json_doc *replies[LIMIT_APPLY_AT_ONCE] = {0};
    weir_code codes[LIMIT_APPLY_AT_ONCE];
    weir_error *errs = mem_alloc(LIMIT_APPLY_AT_ONCE * sizeof *errs);
    for (size_t i = 0; i < flight->count; i++) {
        buffer_init(&apis[i], 1024);
        buffer_init(&bodies[i], 16 << 20);
        request_of(flight->steps[i], &apis[i], &bodies[i]);
        names[i] = apis[i].data;
        texts[i] = buffer_view(&bodies[i]);
    }
    /* That the connection was lost shows in the code of each step that got no answer. */
    (void)!broker_api_many(connection, flight->count, names, texts, replies, codes, errs);
    weir_code code = report(flight, codes, errs, options, err);
    for (size_t i = 0; i < flight->count; i++) {
        json_doc_free(replies[i]);
        buffer_release(&apis[i]);
        buffer_release(&bodies[i]);
    }
    mem_free(errs);
    return code;
}

/* --- a new stream ------------------------------------------------------------------------------------------ */

struct telling {
    const weir_apply_options *options;
    const weir_step *step;
};

static void tell(void *arg, enum migrate_act act, const char *about) {
    struct telling *telling = arg;
    (void)act;
    if (telling->options->on_progress)
        telling->options->on_progress(telling->options->on_step_arg, telling->step, about);
}

/* The stream's step, and with it those of its consumers. */
static weir_code replace(const weir_plan *plan, weir_connection *connection, const struct plan_step *step,
                         const weir_apply_options *options, weir_error *err) {
    struct telling telling = {options, &step->step};
    struct flight flight = {.steps = {step}, .count = 1};
    weir_error own = {0};
    weir_code code = plan_replace(plan, step, connection, tell, &telling, &own);
    WEIR_TRY(report(&flight, &code, &own, options, err));
    for (size_t i = 0; i < plan->steps.count; i++) {
        const weir_step *other = &plan->steps.items[i].step;
        if (other->kind != WEIR_STEP_KEEP && replace_covers(step, &plan->steps.items[i]) && options->on_step)
            options->on_step(options->on_step_arg, other, WEIR_OK, NULL);
    }
    return WEIR_OK;
}

/* --- all steps ---------------------------------------------------------------------------------------------- */

static bool done_with_its_stream(const weir_plan *plan, const struct plan_step *step) {
    for (size_t i = 0; i < plan->steps.count; i++)
        if (replace_covers(&plan->steps.items[i], step))
            return true;
    return false;
}

static bool fits(const struct flight *flight, const struct plan_step *step) {
    for (size_t i = 0; i < flight->count; i++)
        if (!plan_together(flight->steps[i], step))
            return false;
    return true;
}

/* The next steps that may be done side by side, from *at on. */
static void gather(const weir_plan *plan, size_t *at, struct flight *flight) {
    flight->count = 0;
    for (; *at < plan->steps.count && flight->count < LIMIT_APPLY_AT_ONCE; ++*at) {
        const struct plan_step *step = &plan->steps.items[*at];
        if (step->step.kind == WEIR_STEP_KEEP || done_with_its_stream(plan, step))
            continue;
        if (!fits(flight, step))
            return;
        flight->steps[flight->count++] = step;
    }
}

static weir_code run_steps(const weir_plan *plan, weir_connection *connection,
                           const weir_apply_options *options, weir_error *err) {
    struct flight flight;
    for (size_t at = 0; at < plan->steps.count;) {
        gather(plan, &at, &flight);
        if (flight.count && flight.steps[0]->step.kind == WEIR_STEP_REPLACE)
            WEIR_TRY(replace(plan, connection, flight.steps[0], options, err));
        else if (flight.count)
            WEIR_TRY(fly(connection, &flight, options, err));
    }
    return WEIR_OK;
}

weir_code weir_plan_apply(weir_plan *plan, weir_connection *connection, const weir_apply_options *options,
                          weir_error *err) {
    static const weir_apply_options none;
    options = options ? options : &none;
    WEIR_TRY(weir_plan_refused(plan, options, err));
    WEIR_TRY(refuse_changed(plan, connection, err));
    return run_steps(plan, connection, options, err);
}
