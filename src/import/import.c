/* SPDX-License-Identifier: Apache-2.0 */
/* Reading all of it, then writing all of it, then looking whether it holds: the catalog is opened as anybody
 * would open it, and planned against the servers it came from. */
#include "import/import.h"
#include "plan/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/process.h"
#include "import/found.h"

/* --- the folder ----------------------------------------------------------------------------------------- */

static bool is_empty(DIR *folder) {
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

/* Looked at first: nobody should wait for samples to be told this. */
static weir_code refuse_existing(const char *dir, weir_error *err) {
    DIR *folder = opendir(dir);
    if (!folder && errno == ENOENT)
        return WEIR_OK;
    if (!folder)
        return weir_fail(err, WEIR_IO, "%.800s cannot be written to: %s", dir, strerror(errno));
    bool empty = is_empty(folder);
    closedir(folder);
    if (empty)
        return WEIR_OK;
    weir_fail(err, WEIR_CONFLICT, "%.800s is not empty", dir);
    return weir_hint(err, "name a new folder: import never writes over anything");
}

static weir_code write_files(const char *dir, const found_files *files, weir_error *err) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/streams", dir);
    WEIR_TRY(folder_make(path, err));
    for (size_t i = 0; i < files->count; i++) {
        int size = snprintf(path, sizeof path, "%s/%s", dir, files->items[i].path);
        if (size < 0 || (size_t)size >= sizeof path)
            return weir_fail(err, WEIR_INVALID, "the folder's name is too long");
        WEIR_TRY(file_write_atomic(path, files->items[i].text.data, files->items[i].text.size, 0644, err));
    }
    return WEIR_OK;
}

/* --- the servers ---------------------------------------------------------------------------------------- */

static weir_code nothing_there(const struct found *found, weir_error *err) {
    if (found->left.count == 0) {
        weir_fail(err, WEIR_NOT_FOUND, "there are no streams on these servers: nothing to import");
        return weir_hint(err, "start a catalog with weir init, or name other servers or another account");
    }
    weir_fail(err, WEIR_NOT_FOUND, "none of the %zu streams on these servers can be described: %s is %s",
              found->left.count, found->left.items[0].name, found->left.items[0].why);
    return weir_hint(err, "start a catalog with weir init, or name other servers or another account");
}

static weir_code look(struct found *found, weir_connection *connection, const struct import_options *options,
                      weir_error *err) {
    WEIR_TRY(observed_read(&found->observed, connection, NULL, err));
    migrate_look_past(&found->observed);
    found_streams(found, options->name);
    if (found->streams.count == 0)
        return nothing_there(found, err);
    WEIR_TRY(found_events(found, connection, options, err));
    found_draft(found);
    found_groups(found);
    return WEIR_OK;
}

/* --- the result ----------------------------------------------------------------------------------------- */

static void count_events(struct import_result *result, const struct found *found) {
    for (size_t i = 0; i < found->streams.count; i++) {
        const struct found_stream *stream = found->streams.items[i];
        result->left_subjects += stream->left_subjects + stream->outside;
        for (size_t e = 0; e < stream->events.count; e++) {
            const struct found_event *event = stream->events.items[e];
            result->undescribed += infer_samples(event->body) == 0;
            result->other_envelope += infer_samples(event->body) > 0 && found->envelope != ENVELOPE_NONE &&
                                      event->envelope != found->envelope;
        }
    }
}

static void tell(struct import_result *result, const struct found *found, const found_files *files) {
    result->streams = found->streams.count;
    result->groups = found->groups.count;
    result->events = found->events;
    result->unowned = found->unowned;
    count_events(result, found);
    for (size_t i = 0; i < found->left.count; i++) {
        const struct found_left *left = &found->left.items[i];
        list_push(result->arena, &result->left,
                  ((struct import_note){left->kind, arena_strdup(result->arena, left->name),
                                        arena_strdup(result->arena, left->why)}));
    }
    for (size_t i = 0; i < files->count; i++)
        list_push(result->arena, &result->files, arena_strdup(result->arena, files->items[i].path));
}

static weir_code verify(struct import_result *result, weir_connection *connection, const char *dir,
                        weir_error *err) {
    weir_code code = weir_catalog_open(&result->catalog, dir, NULL, NULL, err);
    if (code != WEIR_OK)
        return weir_prefix(err, "what was written into %.400s does not hold", dir);
    return weir_plan_make(&result->plan, connection, result->catalog, err);
}

static void release(struct found *found) {
    for (size_t i = 0; i < found->streams.count; i++)
        for (size_t e = 0; e < found->streams.items[i]->events.count; e++)
            infer_free(found->streams.items[i]->events.items[e]->body);
    observed_release(&found->observed);
    envelopes_free(found->envelopes);
    map_free(found->types);
    arena_free(found->arena);
}

weir_code import_run(struct import_result *result, weir_connection *connection, const char *dir,
                     const struct import_options *options, weir_error *err) {
    struct import_options own = *options;
    own.samples = own.samples ? own.samples : IMPORT_SAMPLES;
    WEIR_TRY(refuse_existing(dir, err));
    arena *arena = arena_new();
    struct found found = {
        .arena = arena, .observed.arena = arena, .envelopes = envelopes_new(), .types = map_new()};
    found_files files = {0};
    *result = (struct import_result){.arena = arena_new()};
    weir_code code = look(&found, connection, &own, err);
    if (code == WEIR_OK)
        code = found_write(&found, &files, err);
    if (code == WEIR_OK)
        code = write_files(dir, &files, err);
    if (code == WEIR_OK)
        tell(result, &found, &files);
    release(&found);
    if (code == WEIR_OK)
        code = verify(result, connection, dir, err);
    if (code != WEIR_OK)
        import_release(result);
    return code;
}

void import_release(struct import_result *result) {
    weir_plan_free(result->plan);
    weir_catalog_close(result->catalog);
    arena_free(result->arena);
    *result = (struct import_result){0};
}
