/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that need a new stream: judged when plans are made, carried out by a migration (migrate.h) that takes the
 * groups along. So the steps of the stream's consumers are done with it. */
#include <string.h>

#include "base/fail.h"
#include "plan/compare.h"
#include "plan/migrate.h"

bool replace_covers(const struct plan_step *stream, const struct plan_step *step) {
    return stream->step.kind == WEIR_STEP_REPLACE && step->step.thing == WEIR_CONSUMER && step->stream &&
           step->stream == stream->stream;
}

/* --- the request --------------------------------------------------------------------------------------------- */

struct making {
    LIST(struct migrate_consumer) consumers;
    LIST(json_doc *) docs;
};

static weir_code written(const weir_plan *plan, struct making *making, const struct plan_step *step,
                         const json **out, weir_error *err) {
    buffer text;
    json_doc *doc;
    buffer_init(&text, 16 << 20);
    plan_config_write(&text, step);
    weir_code code = json_parse(&doc, buffer_view(&text), err);
    buffer_release(&text);
    WEIR_TRY(code);
    list_push(plan->arena, &making->docs, doc);
    *out = json_root(doc);
    return WEIR_OK;
}

static const char *consumer_name(const struct plan_step *step) {
    return strchr(step->step.name, '/') + 1;
}

static weir_code make(const weir_plan *plan, const struct plan_step *step, struct making *making,
                      struct migrate_request *request, weir_error *err) {
    request->stream = step->step.name;
    WEIR_TRY(written(plan, making, step, &request->config, err));
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *other = &plan->steps.items[i];
        struct migrate_consumer consumer = {.drop = other->step.kind == WEIR_STEP_DELETE};
        if (!replace_covers(step, other) || (!other->desired && !consumer.drop))
            continue;
        consumer.name = consumer_name(other);
        if (other->desired)
            WEIR_TRY(written(plan, making, other, &consumer.config, err));
        list_push(plan->arena, &making->consumers, consumer);
    }
    request->consumers = making->consumers.items;
    request->consumer_count = making->consumers.count;
    return WEIR_OK;
}

static void release(struct making *making) {
    for (size_t i = 0; i < making->docs.count; i++)
        json_doc_free(making->docs.items[i]);
}

/* --- judging and doing ------------------------------------------------------------------------------------------ */

void replace_judge(weir_plan *plan) {
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *step = &plan->steps.items[i];
        struct migrate_request request = {0};
        struct making making = {0};
        weir_error err = {0};
        if (step->step.kind != WEIR_STEP_REPLACE || step->stream->unfinished)
            continue;
        weir_code code = make(plan, step, &making, &request, &err);
        if (code == WEIR_OK)
            code = migrate_refused(step->stream, &request, &err);
        if (code != WEIR_OK) {
            step->step.kind = WEIR_STEP_IMPOSSIBLE;
            step->step.note = arena_printf(plan->arena, "%s: %s", err.message, err.hint);
        }
        release(&making);
    }
}

weir_code plan_replace(const weir_plan *plan, const struct plan_step *step, weir_connection *connection,
                       replace_on_act on_act, void *arg, weir_error *err) {
    struct migrate_request request = {.on_act = on_act, .on_act_arg = arg};
    struct making making = {0};
    weir_code code = make(plan, step, &making, &request, err);
    if (code == WEIR_OK)
        code = migrate_run(connection, &request, err);
    release(&making);
    return code;
}
