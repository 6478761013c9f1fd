/* SPDX-License-Identifier: Apache-2.0 */
/* weir export schemas DIR: the payload schema of every event type and version and the envelope's, each in a file
 * that needs no other. */
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "catalog/schema_copy.h"
#include "catalog/schema_path.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "weir/json.h"

struct exporting {
    cli *cli;
    const weir_catalog *catalog;
    const char *folder;
    weir_json_writer *json;
    int count;
};

/* A type may have characters that mean something in a path: those are escaped, as in its id. */
static const char *file_name(arena *arena, const char *what) {
    char *name = arena_strdup(arena, what);
    for (char *at = name; *at; at++)
        if (*at == '/')
            *at = '_';
    return arena_printf(arena, "%s.json", name);
}

static void list_file(struct exporting *exporting, const char *file, const char *id, const char *type,
                      int version) {
    weir_json_begin_object(exporting->json);
    weir_json_key(exporting->json, "file");
    weir_json_string(exporting->json, file);
    weir_json_key(exporting->json, "id");
    weir_json_string(exporting->json, id);
    if (type) {
        weir_json_key(exporting->json, "type");
        weir_json_string(exporting->json, type);
        weir_json_key(exporting->json, "version");
        weir_json_int(exporting->json, version);
    }
    weir_json_end_object(exporting->json);
    exporting->count++;
}

static weir_code put(struct exporting *exporting, const char *file, const char *id, const json *schema,
                     const struct source *from, weir_error *err) {
    buffer text;
    buffer_init(&text, 4 * LIMIT_BUNDLE_BYTES);
    weir_code code = schema_standalone(&text, exporting->catalog, schema, from, id, err);
    buffer_char(&text, '\n');
    if (code == WEIR_OK)
        code = file_write_atomic(arena_printf(exporting->cli->arena, "%s/%s", exporting->folder, file),
                                 text.data, text.size, 0644, err);
    buffer_release(&text);
    return code;
}

static weir_code put_payload(struct exporting *exporting, const char *type, int version, const json *payload,
                             struct place place, weir_error *err) {
    arena *arena = exporting->cli->arena;
    const char *id = schema_id(arena, exporting->catalog, arena_printf(arena, "%s/v%d", type, version));
    const char *escaped = schema_id(arena, exporting->catalog, type) + strlen("weir:/") +
                          strlen(weir_catalog_name(exporting->catalog));
    const char *file = file_name(arena, arena_printf(arena, "%s.v%d", escaped, version));
    WEIR_TRY(put(exporting, file, id, payload, schema_source(exporting->catalog, payload, place), err));
    list_file(exporting, file, id, type, version);
    return WEIR_OK;
}

static weir_code put_envelope(struct exporting *exporting, weir_error *err) {
    const weir_catalog *catalog = exporting->catalog;
    const json *schema = json_get(catalog->envelope, "schema");
    const char *id = schema_id(exporting->cli->arena, catalog, "envelope");
    const struct source *from = catalog->envelope_file ? catalog->envelope_file : catalog->entry;
    WEIR_TRY(put(exporting, "envelope.json", id, schema, from, err));
    list_file(exporting, "envelope.json", id, NULL, 0);
    return WEIR_OK;
}

static weir_code put_all(struct exporting *exporting, weir_error *err) {
    const weir_catalog *catalog = exporting->catalog;
    WEIR_TRY(folder_make(exporting->folder, err));
    WEIR_TRY(put_envelope(exporting, err));
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        WEIR_TRY(put_payload(exporting, event->type, event->version, event->payload, event->place, err));
        for (size_t v = 0; v < event->versions.count; v++) {
            const struct version_def *older = &event->versions.items[v];
            WEIR_TRY(put_payload(exporting, event->type, older->version, older->payload, older->place, err));
        }
    }
    return WEIR_OK;
}

static int run_schemas(cli *cli) {
    struct exporting exporting = {.cli = cli, .folder = cli_argument(cli, 0), .json = weir_json_new()};
    weir_error err;
    exporting.catalog = cli_catalog(cli);
    if (!exporting.catalog) {
        weir_json_free(exporting.json);
        return EXIT_ERROR;
    }
    weir_json_begin_object(exporting.json);
    weir_json_key(exporting.json, "files");
    weir_json_begin_array(exporting.json);
    weir_code code = put_all(&exporting, &err);
    weir_json_end_array(exporting.json);
    weir_json_end_object(exporting.json);
    if (code == WEIR_OK && cli_json(cli)) {
        weir_text text = weir_json_done(exporting.json);
        fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    }
    weir_json_free(exporting.json);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    cli_say(cli, "wrote %d schemas to %s", exporting.count, exporting.folder);
    return EXIT_OK;
}

const struct command_row command_export_schemas = {
    .name = "export schemas",
    .summary = "Write the JSON Schemas of all events, each in a file of its own.",
    .arguments = "DIR",
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_schemas,
    .details =
        "One file for each event type and version (TYPE.vN.json, the payload) and envelope.json. What a "
        "schema refers to in other files of the catalog is inside, so that validators and generators of any "
        "language need nothing else. Ids are weir:CATALOG/TYPE/vN.\n"
        "\n"
        "  weir export schemas out/ --catalog nats:shop\n",
};
