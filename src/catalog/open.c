/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a catalog: read everything, then judge it. The order of sections matters (events name streams,
 * groups name events), the order of files does not. A file that cannot be read may hold what seems to be
 * missing elsewhere, so the rules about the whole wait until every file can be read. */
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "catalog/bundle.h"
#include "catalog/check.h"
#include "catalog/reading.h"

static weir_catalog *catalog_new(const char *dir, const char *environment) {
    weir_catalog *catalog = mem_alloc(sizeof *catalog);
    catalog->arena = arena_new();
    catalog->dir = arena_strdup(catalog->arena, dir);
    catalog->environment = arena_strdup(catalog->arena, environment);
    catalog->streams_by_name = map_new();
    catalog->events_by_type = map_new();
    catalog->groups_by_name = map_new();
    catalog->services_by_name = map_new();
    catalog->events_by_subject = map_new();
    return catalog;
}

void weir_catalog_close(weir_catalog *catalog) {
    if (!catalog)
        return;
    for (size_t i = 0; i < catalog->schemas.count; i++)
        schema_free(catalog->schemas.items[i]);
    dialect_free(catalog->dialect);
    for (size_t i = 0; i < catalog->bridges.count; i++)
        dialect_free(catalog->bridges.items[i]->to);
    for (size_t i = 0; i < catalog->files.count; i++)
        json_doc_free(catalog->files.items[i]->doc);
    map_free(catalog->streams_by_name);
    map_free(catalog->events_by_type);
    map_free(catalog->groups_by_name);
    map_free(catalog->services_by_name);
    map_free(catalog->events_by_subject);
    arena_free(catalog->arena);
    mem_free(catalog);
}

/* The files belong to the catalog as soon as they are read: closing it frees them, whatever went wrong. */
static void own_files(struct reading *reading) {
    weir_catalog *catalog = reading->catalog;
    catalog->files.count = 0;
    for (size_t i = 0; i < reading->sources.files.count; i++)
        list_push(catalog->arena, &catalog->files, reading->sources.files.items[i]);
}

static void read_parts(struct reading *reading) {
    weir_catalog *catalog = reading->catalog;
    read_section(reading, "streams", "stream", read_stream);
    read_section(reading, "events", "event", read_event);
    read_section(reading, "groups", "group", read_group);
    read_section(reading, "services", "service", read_service);
    const char *path = catalog->entry->path;
    struct node root = {catalog->entry, json_root(catalog->entry->doc), {path, 1, 1}, path};
    if (catalog->streams.count == 0)
        report_add(reading->sources.report, RULE_MISSING_KEY, root.place, "catalog '%s' has no streams",
                   catalog->name);
    struct node bridges = node_member(&root, "bridges");
    bridges.what = "bridges";
    struct members members = members_of(&reading->sources, &bridges, "bridge");
    while (members_next(&reading->sources, &members))
        read_bridge(reading, &members.node, members.name);
    struct node dead_letter = node_member(&root, "dead_letter");
    dead_letter.what = "dead_letter";
    read_dead_letter(reading, &dead_letter);
    derive_streams(reading);
}

static weir_code read_all(struct reading *reading, weir_error *err) {
    weir_report *report = reading->sources.report;
    weir_catalog *catalog = reading->catalog;
    read_entry(reading);
    if (!reading->sources.broken)
        read_parts(reading);
    own_files(reading);
    if (reading->sources.broken) {
        report_sort(report);
        return report_fail(report, err);
    }
    weir_code code = environment_find(reading, err);
    if (code != WEIR_OK)
        return code;
    if (report_errors(report) == 0 && !reading->sources.sealed)
        WEIR_TRY(bundle_make(catalog, err));
    environments_apply(reading);
    if (!catalog->managed)
        report_demote(report);
    catalog_check(catalog, report);
    report_sort(report);
    return report_fail(report, err);
}

/* Reads what reading->sources were opened on; gives reading->catalog to *out, or closes it. */
static weir_code finish(struct reading *reading, weir_catalog **out, weir_report **report, weir_code opened,
                        weir_error *err) {
    weir_code code = opened == WEIR_OK ? read_all(reading, err) : opened;
    if (code != WEIR_OK)
        weir_catalog_close(reading->catalog);
    *out = code == WEIR_OK ? reading->catalog : NULL;
    if (report)
        *report = reading->sources.report;
    else
        weir_report_free(reading->sources.report);
    return code;
}

static struct reading begin(const char *dir, const char *environment) {
    struct reading reading = {.catalog = catalog_new(dir, environment)};
    reading.sources.arena = reading.catalog->arena;
    reading.sources.report = report_new();
    return reading;
}

static weir_code seal(struct reading *reading, weir_text bundle, const char *name, weir_error *err) {
    weir_catalog *catalog = reading->catalog;
    json_doc *doc;
    WEIR_TRY(bundle_read(&doc, catalog, bundle, name, err));
    const char *slash = strrchr(name, '/');
    sources_seal(&reading->sources, slash ? slash + 1 : name, doc);
    return WEIR_OK;
}

weir_code weir_catalog_open_bundle(weir_catalog **out, weir_text bundle, const char *name,
                                   const char *environment, weir_report **report, weir_error *err) {
    struct reading reading = begin(name, environment);
    return finish(&reading, out, report, seal(&reading, bundle, name, err), err);
}

static bool is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

weir_code weir_catalog_open(weir_catalog **out, const char *dir, const char *environment,
                            weir_report **report, weir_error *err) {
    struct reading reading = begin(dir, environment);
    if (!is_file(dir))
        return finish(&reading, out, report, sources_open(&reading.sources, dir, err), err);
    char *data = NULL;
    size_t size = 0;
    weir_code code = file_read(&data, &size, dir, 2 * LIMIT_BUNDLE_BYTES, err);
    if (code == WEIR_OK)
        code = seal(&reading, (weir_text){data, size}, dir, err);
    mem_free(data);
    return finish(&reading, out, report, code, err);
}
