/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a plan file. It holds no requests: apply makes the plan again and compares, so that what is carried
 * out is both what was approved and what is true now. The whole is under a digest, because somebody may have
 * edited the file after it was approved. */
#include <limits.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/process.h"
#include "base/units.h"
#include "plan/compare.h"
#include "plan/identity.h"
#include "plan/planfile.h"
#include "weir/clock.h"
#include "weir/json.h"
#include "weir/weir.h"

static void member(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

static void write_origin(weir_json_writer *json, const weir_plan *plan, const char *folder) {
    char time[UNITS_TEXT_MAX], absolute[PATH_MAX];
    const weir_clock *clock = weir_clock_system();
    member(json, "made", time_format(clock->wall_ns(clock->self), time));
    member(json, "by", "weir " WEIR_VERSION);
    weir_json_key(json, "catalog");
    weir_json_begin_object(json);
    member(json, "name", plan->catalog->name);
    member(json, "digest", plan->catalog->digest);
    member(json, "folder", realpath(folder, absolute) ? absolute : folder);
    member(json, "environment", plan->catalog->environment);
    weir_json_end_object(json);
}

static void write_identity(weir_json_writer *json, const struct identity *identity) {
    weir_json_key(json, "servers");
    weir_json_begin_object(json);
    member(json, "account", identity->account);
    member(json, "cluster", identity->cluster);
    member(json, "domain", identity->domain);
    member(json, "server", identity->server);
    weir_json_end_object(json);
}

/* Every thing the plan looked at that it could touch, with its digest; null where there was none. */
static void write_observed(weir_json_writer *json, const weir_plan *plan) {
    weir_json_key(json, "observed");
    weir_json_begin_object(json);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];
        char digest[65];
        if (plan_file_covers(step))
            member(json, step->step.name, plan_file_digest(step, digest));
    }
    weir_json_end_object(json);
}

static void write_steps(weir_json_writer *json, const weir_plan *plan) {
    weir_json_key(json, "steps");
    weir_json_begin_array(json);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const weir_step *step = &plan->steps.items[i].step;
        if (step->kind == WEIR_STEP_KEEP)
            continue;
        weir_json_begin_object(json);
        member(json, "action", plan_file_action(step->kind));
        member(json, "name", step->name);
        weir_json_key(json, "loses_data");
        weir_json_bool(json, step->loses_data);
        weir_json_key(json, "changes");
        weir_json_begin_array(json);
        for (size_t j = 0; j < step->change_count; j++) {
            weir_json_begin_object(json);
            member(json, "field", step->changes[j].field);
            member(json, "before", step->changes[j].before);
            member(json, "after", step->changes[j].after);
            weir_json_end_object(json);
        }
        weir_json_end_array(json);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

static void write_losses(weir_json_writer *json, const weir_apply_options *options) {
    weir_json_key(json, "allow_loss");
    weir_json_begin_array(json);
    for (size_t i = 0; options && i < options->allow_loss_count; i++)
        weir_json_string(json, options->allow_loss[i]);
    weir_json_end_array(json);
}

/* {"weir_plan":1,"sha256":"...","plan":{...}}: the digest is of the plan as canonical JSON, so that another
 * indentation does no harm. */
static weir_code write_file(const char *path, weir_text plan, weir_error *err) {
    char digest[65];
    json_doc *doc;
    buffer canonical, file;
    WEIR_TRY(json_parse(&doc, plan, err));
    buffer_init(&canonical, PLAN_FILE_BYTES);
    buffer_init(&file, 2 * PLAN_FILE_BYTES);
    json_write_canonical(&canonical, json_root(doc));
    sha256_format(digest, canonical.data, canonical.size);
    buffer_printf(&file, "{\"weir_plan\": %d,\n\"sha256\": \"%s\",\n\"plan\": ", PLAN_FILE_VERSION, digest);
    json_write(&file, json_root(doc), true);
    buffer_string(&file, "}\n");
    weir_code code = canonical.overflow
                         ? weir_fail(err, WEIR_LIMIT, "the plan has more than %d bytes", PLAN_FILE_BYTES)
                         : file_write_atomic(path, file.data, file.size, 0644, err);
    buffer_release(&canonical);
    buffer_release(&file);
    json_doc_free(doc);
    return code;
}

weir_code weir_plan_save(const weir_plan *plan, weir_connection *connection, const char *path,
                         const char *folder, const weir_apply_options *options, weir_error *err) {
    struct identity identity;
    WEIR_TRY(plan_refused_for_good(plan, err));
    identity_read(&identity, connection);
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    write_origin(json, plan, folder);
    write_identity(json, &identity);
    write_losses(json, options);
    write_observed(json, plan);
    write_steps(json, plan);
    weir_json_end_object(json);
    weir_code code = write_file(path, weir_json_done(json), err);
    weir_json_free(json);
    return code;
}
