/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a catalog: read everything, then judge it. The order of sections matters (events name streams,
 * groups name events), the order of files does not. A file that cannot be read may hold what seems to be
 * missing elsewhere, so the rules about the whole wait until every file can be read. */
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
    struct node root = {
        catalog->entry, json_root(catalog->entry->doc), {"catalog.yaml", 1, 1}, "catalog.yaml"};
    if (catalog->streams.count == 0)
        report_add(reading->sources.report, RULE_MISSING_KEY, root.place, "catalog '%s' has no streams",
                   catalog->name);
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
    if (report_errors(report) == 0)
        bundle_make(catalog);
    environments_apply(reading);
    if (!catalog->managed)
        report_demote(report);
    catalog_check(catalog, report);
    report_sort(report);
    return report_fail(report, err);
}

weir_code weir_catalog_open(weir_catalog **out, const char *dir, const char *environment,
                            weir_report **report, weir_error *err) {
    weir_report *findings = report_new();
    weir_catalog *catalog = catalog_new(dir, environment);
    struct reading reading = {.catalog = catalog};
    reading.sources.arena = catalog->arena;
    reading.sources.report = findings;
    weir_code code = sources_open(&reading.sources, dir, err);
    if (code == WEIR_OK)
        code = read_all(&reading, err);
    if (code != WEIR_OK) {
        weir_catalog_close(catalog);
        catalog = NULL;
    }
    *out = catalog;
    if (report)
        *report = findings;
    else
        weir_report_free(findings);
    return code;
}
