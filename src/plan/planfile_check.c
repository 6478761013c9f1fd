/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a plan file, and the question whether it is still true. The coarse reasons come before the fine ones:
 * another catalog or other servers explain every difference below them. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/process.h"
#include "plan/identity.h"
#include "plan/planfile.h"

struct weir_plan_file {
    json_doc *doc;
    const json *plan;
    char *path;
};

const char *plan_file_action(weir_step_kind kind) {
    static const char *const names[] = {"create", "update", "impossible", "delete", "keep", "replace"};
    return names[kind];
}

bool plan_file_covers(const struct plan_step *step) {
    return step->desired || step->step.kind == WEIR_STEP_DELETE;
}

const char *plan_file_digest(const struct plan_step *step, char digest[65]) {
    if (!step->observed)
        return NULL;
    const struct observed_consumer *consumer = NULL;
    if (step->step.thing == WEIR_CONSUMER)
        consumer = observed_consumer(step->stream, strchr(step->step.name, '/') + 1);
    identity_of_thing(digest, step->observed,
                      consumer ? json_cstr(json_get(consumer->info, "created")) : step->stream->created);
    return digest;
}

/* --- reading ------------------------------------------------------------------------------------------ */

static weir_code no_plan(const char *path, const char *why, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s %s", path, why);
    return weir_hint(err, "make one with weir plan -o %s", path);
}

static weir_code check_digest(const weir_plan_file *file, weir_error *err) {
    char digest[65];
    buffer text;
    const char *stated = json_cstr(json_get(json_root(file->doc), "sha256"));
    buffer_init(&text, PLAN_FILE_BYTES);
    json_write_canonical(&text, file->plan);
    sha256_format(digest, text.data, text.size);
    bool same = !text.overflow && stated && strcmp(digest, stated) == 0;
    buffer_release(&text);
    if (same)
        return WEIR_OK;
    return no_plan(file->path, "is damaged, or somebody edited it: its digest is another one", err);
}

/* What the functions below rely on. */
static bool well_formed(const json *plan) {
    const json *catalog = json_get(plan, "catalog"), *environment = json_get(catalog, "environment");
    return json_cstr(json_get(catalog, "folder")) && json_cstr(json_get(catalog, "digest")) &&
           json_cstr(json_get(catalog, "name")) && json_is(json_get(plan, "observed"), JSON_OBJECT) &&
           json_is(json_get(plan, "steps"), JSON_ARRAY) &&
           (!environment || json_is(environment, JSON_NULL) || json_is(environment, JSON_STRING));
}

static weir_code check_file(const weir_plan_file *file, weir_error *err) {
    int64_t version;
    if (!json_int(json_get(json_root(file->doc), "weir_plan"), &version))
        return no_plan(file->path, "is no plan file", err);
    if (version != PLAN_FILE_VERSION) {
        weir_fail(err, WEIR_INVALID, "%s is a plan file of version %lld; this weir reads version %d",
                  file->path, (long long)version, PLAN_FILE_VERSION);
        return weir_hint(err, "make the plan again with the weir that applies it");
    }
    WEIR_TRY(check_digest(file, err));
    return well_formed(file->plan) ? WEIR_OK : no_plan(file->path, "is no complete plan file", err);
}

weir_code weir_plan_file_open(weir_plan_file **out, const char *path, weir_error *err) {
    char *data;
    size_t size;
    json_doc *doc;
    WEIR_TRY(file_read(&data, &size, path, 2 * PLAN_FILE_BYTES, err));
    weir_code code = json_parse(&doc, (weir_text){data, size}, err);
    mem_free(data);
    if (code != WEIR_OK) {
        weir_prefix(err, "%s is no plan file", path);
        return weir_hint(err, "make one with weir plan -o %s", path);
    }
    weir_plan_file *file = mem_alloc(sizeof *file);
    *file = (weir_plan_file){doc, json_get(json_root(doc), "plan"), mem_strdup(path)};
    code = check_file(file, err);
    if (code == WEIR_OK)
        *out = file;
    else
        weir_plan_file_close(file);
    return code;
}

void weir_plan_file_close(weir_plan_file *file) {
    if (!file)
        return;
    json_doc_free(file->doc);
    mem_free(file->path);
    mem_free(file);
}

static const char *of_catalog(const weir_plan_file *file, const char *key) {
    return json_cstr(json_get(json_get(file->plan, "catalog"), key));
}

const char *weir_plan_file_folder(const weir_plan_file *file) {
    return of_catalog(file, "folder");
}

const char *weir_plan_file_environment(const weir_plan_file *file) {
    return of_catalog(file, "environment");
}

const char *weir_plan_file_loss(const weir_plan_file *file, size_t index) {
    return json_cstr(json_item(json_get(file->plan, "allow_loss"), index));
}

/* --- is it still true? -------------------------------------------------------------------------------- */

static weir_code again(weir_error *err) {
    return weir_hint(err, "make the plan again, look at it, and apply that one");
}

static weir_code check_catalog(const weir_plan_file *file, const weir_catalog *catalog, weir_error *err) {
    const char *name = of_catalog(file, "name"), *digest = of_catalog(file, "digest");
    const char *then = weir_plan_file_environment(file), *now = catalog->environment;
    if (strcmp(name, catalog->name) != 0)
        weir_fail(err, WEIR_CONFLICT, "%s is a plan for the catalog '%s', and this one is '%s'", file->path,
                  name, catalog->name);
    else if (strcmp(digest, catalog->digest) != 0)
        weir_fail(err, WEIR_CONFLICT,
                  "the catalog has changed since the plan was made: its digest was %.12s, and is %.12s now",
                  digest, catalog->digest);
    else if (strcmp(then ? then : "", now ? now : "") != 0)
        weir_fail(err, WEIR_CONFLICT, "the plan is for %s%s, and the catalog is open for %s%s",
                  then ? "environment " : "no environment", then ? then : "",
                  now ? "environment " : "no environment", now ? now : "");
    else
        return WEIR_OK;
    return again(err);
}

/* What one of both does not tell is not compared. */
static weir_code check_identity(const weir_plan_file *file, weir_connection *connection, weir_error *err) {
    struct identity now;
    identity_read(&now, connection);
    const struct {
        const char *member, *words, *now;
    } rows[] = {{"account", "account", now.account},
                {"domain", "JetStream domain", now.domain},
                {"cluster", "cluster", now.cluster},
                {"server", "server", now.server}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *then = json_cstr(json_get(json_get(file->plan, "servers"), rows[i].member));
        if (!then || !*then || !*rows[i].now || strcmp(then, rows[i].now) == 0)
            continue;
        weir_fail(err, WEIR_CONFLICT, "the plan was made for the %s '%s', and this is '%s'", rows[i].words,
                  then, rows[i].now);
        return weir_hint(err, "connect to the servers it was made for, or make a plan for these");
    }
    return WEIR_OK;
}

static weir_code changed(const weir_step *step, const char *how, weir_error *err) {
    weir_fail(err, WEIR_CONFLICT, "%s %s %s since the plan was made",
              step->thing == WEIR_STREAM ? "stream" : "consumer", step->name, how);
    return again(err);
}

static weir_code check_observed(const weir_plan_file *file, const weir_plan *now, weir_error *err) {
    const json *observed = json_get(file->plan, "observed");
    for (size_t i = 0; i < now->steps.count; i++) {
        const struct plan_step *step = &now->steps.items[i];
        char digest[65];
        if (!plan_file_covers(step))
            continue;
        const char *is = plan_file_digest(step, digest);
        const char *was = json_cstr(json_get(observed, step->step.name));
        if (is && !was)
            return changed(&step->step, "was created", err);
        if (!is && was)
            return changed(&step->step, "was deleted", err);
        if (is && strcmp(is, was) != 0)
            return changed(&step->step, "has changed on the servers", err);
    }
    return WEIR_OK;
}

static bool same_step(const json *then, const weir_step *now) {
    const json *changes = json_get(then, "changes");
    bool same = text_is(json_text(json_get(then, "name")), now->name) &&
                text_is(json_text(json_get(then, "action")), plan_file_action(now->kind)) &&
                json_true(json_get(then, "loses_data")) == now->loses_data &&
                json_size(changes) == now->change_count;
    for (size_t i = 0; same && i < now->change_count; i++) {
        const json *change = json_item(changes, i);
        same = text_is(json_text(json_get(change, "field")), now->changes[i].field) &&
               text_is(json_text(json_get(change, "before")), now->changes[i].before) &&
               text_is(json_text(json_get(change, "after")), now->changes[i].after);
    }
    return same;
}

/* What digests of things do not show: a stream of somebody else that is in the way now, events that have
 * become too old meanwhile, a weir that plans otherwise. */
static weir_code check_steps(const weir_plan_file *file, const weir_plan *now, weir_error *err) {
    struct json_iter then = json_iter(json_get(file->plan, "steps"));
    for (size_t i = 0; i < now->steps.count; i++) {
        const weir_step *step = &now->steps.items[i].step;
        if (step->kind == WEIR_STEP_KEEP)
            continue;
        if (!json_next(&then) || !same_step(then.value, step)) {
            weir_fail(err, WEIR_CONFLICT, "the plan would be another one now: %s %s",
                      step->thing == WEIR_STREAM ? "stream" : "consumer", step->name);
            return again(err);
        }
    }
    if (!json_next(&then))
        return WEIR_OK;
    weir_fail(err, WEIR_CONFLICT, "the plan would be another one now: %.*s needs nothing any more",
              TEXT_ARG(json_text(json_get(then.value, "name"))));
    return again(err);
}

weir_code weir_plan_file_check(const weir_plan_file *file, const weir_plan *now, weir_connection *connection,
                               weir_error *err) {
    WEIR_TRY(check_catalog(file, now->catalog, err));
    WEIR_TRY(check_identity(file, connection, err));
    WEIR_TRY(check_observed(file, now, err));
    return check_steps(file, now, err);
}
