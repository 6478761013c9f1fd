/* SPDX-License-Identifier: Apache-2.0 */
/* A document has the URIs it can be reached by: its $id, and its file name relative to the schema's folder,
 * resolved against the schema's own URI just as a $ref is. So "../common.json" and "common.json" mean files to a
 * schema without $id, and a schema whose $id is https://example.com/order.json finds https://example.com/common.json
 * in the file common.json beside it. A schema's text decides nothing about what is opened: only --ref does. */
#include "cli/schema_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/process.h"
#include "cli/publish.h"
#include "schema/uri.h"

struct schema_refs {
    arena *arena;
    json_doc *doc; /* the schema's own */
    schema *compiled;
    LIST(struct {
        const char *file;
        json_doc *doc;
        weir_text uris[2]; /* decoded; absent: none */
    })
    documents;
    weir_text missing; /* what was asked for and is not here */
};

static bool ends_with(const char *file, const char *ending) {
    size_t size = strlen(file), tail = strlen(ending);
    return size > tail && strcmp(file + size - tail, ending) == 0;
}

bool document_is_yaml(const char *file) {
    return ends_with(file, ".yaml") || ends_with(file, ".yml");
}

weir_code document_read(json_doc **out, const char *file, weir_error *err) {
    char *data = NULL;
    size_t size = 0;
    bool yaml = document_is_yaml(file);
    if (strcmp(file, "-") == 0)
        WEIR_TRY(publish_read_input(&data, &size, err));
    else
        WEIR_TRY(file_read(&data, &size, file, yaml ? LIMIT_CATALOG_FILE_BYTES : LIMIT_EVENT_BYTES, err));
    weir_text text = {data ? data : "", size};
    weir_code code = yaml ? yaml_parse(out, file, text, err) : json_parse(out, text, err);
    mem_free(data);
    return code;
}

/* --- where documents are ---------------------------------------------------------------------------------- */

/* The absolute path. Links are followed to the folder but not to the file: it is known by the name it has beside its
 * neighbours, wherever each of them really lies. */
static const char *full_path(arena *arena, const char *file) {
    char real[PATH_MAX];
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *folder = slash ? arena_copy(arena, file, (size_t)(name - file)) : ".";
    return realpath(folder, real) ? arena_printf(arena, "%s/%s", real, name) : file;
}

/* "/a/b/order.json", "/a/common.json" -> "../common.json" */
static const char *relative_path(arena *arena, const char *from, const char *to) {
    size_t shared = 0;
    for (size_t i = 0; from[i] && from[i] == to[i]; i++)
        if (from[i] == '/')
            shared = i + 1;
    const char *up = "";
    for (const char *at = from + shared; (at = strchr(at, '/')) != NULL; at++)
        up = arena_printf(arena, "../%s", up);
    return arena_printf(arena, "%s%s", up, to + shared);
}

static weir_text decoded(arena *arena, weir_text uri) {
    weir_text plain;
    return uri_decode(arena, &plain, uri) ? plain : uri;
}

/* A file name as a URI reference: what would mean something else in one is escaped. */
static weir_text reference_of(arena *arena, const char *path) {
    buffer out;
    buffer_init(&out, 4 * PATH_MAX);
    for (const unsigned char *at = (const unsigned char *)path; *at; at++)
        buffer_printf(&out, *at <= ' ' || *at >= 127 || strchr("%?#:", *at) ? "%%%02X" : "%c", *at);
    weir_text kept = arena_text(arena, out.data ? buffer_view(&out) : weir_text_of(""));
    buffer_release(&out);
    return kept;
}

static const json *resolve(void *arg, weir_text uri) {
    struct schema_refs *refs = arg;
    weir_text wanted = decoded(refs->arena, uri);
    for (size_t i = 0; i < refs->documents.count; i++)
        for (size_t j = 0; j < 2; j++)
            if (text_equal(refs->documents.items[i].uris[j], wanted))
                return json_root(refs->documents.items[i].doc);
    refs->missing = arena_text(refs->arena, uri);
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

/* JSON's errors do not name the file; those of YAML and of the system do. */
static weir_code read_named(json_doc **out, const char *file, weir_error *err) {
    weir_code code = document_read(out, file, err);
    if (code == WEIR_INVALID && !document_is_yaml(file))
        weir_prefix(err, "%s", file);
    return code;
}

/* Which of them a $ref meant would be anybody's guess. */
static weir_code refuse_twin(const struct schema_refs *refs, weir_text uri, const char *file,
                             weir_error *err) {
    for (size_t i = 0; uri.data && i < refs->documents.count; i++)
        for (size_t j = 0; j < 2; j++)
            if (text_equal(refs->documents.items[i].uris[j], uri)) {
                weir_fail(err, WEIR_INVALID, "%s and %s are both '%.*s'", refs->documents.items[i].file, file,
                          TEXT_ARG(uri));
                return weir_hint(err, "name one of them with --ref");
            }
    return WEIR_OK;
}

static weir_code read_ref(struct schema_refs *refs, const char *schema_path, weir_text base, const char *file,
                          weir_error *err) {
    json_doc *doc = NULL;
    WEIR_TRY(read_named(&doc, file, err));
    const char *path = relative_path(refs->arena, schema_path, full_path(refs->arena, file));
    weir_text uri = uri_resolve(refs->arena, base, reference_of(refs->arena, path));
    weir_text id = json_text(json_get(json_root(doc), "$id"));
    weir_text uris[2] = {decoded(refs->arena, uri)};
    if (id.data)
        uris[1] = decoded(refs->arena, uri_resolve(refs->arena, uri, id));
    weir_code code = refuse_twin(refs, uris[0], file, err);
    if (code == WEIR_OK)
        code = refuse_twin(refs, uris[1], file, err);
    *list_add(refs->arena, &refs->documents) =
        (typeof(*refs->documents.items)){.file = file, .doc = doc, .uris = {uris[0], uris[1]}};
    return code;
}

static weir_code read_refs(struct schema_refs *refs, cli *cli, const char *name, weir_text base,
                           weir_error *err) {
    const char *path = full_path(refs->arena, name);
    for (size_t i = 0; i < cli_list_count(cli, "ref"); i++)
        WEIR_TRY(read_ref(refs, path, base, cli_list_item(cli, "ref", i), err));
    return WEIR_OK;
}

static weir_code compile_file(struct schema_file *out, cli *cli, const char *name, bool assert_format,
                              weir_error *err) {
    struct schema_refs *refs = out->refs;
    const char *slash = strrchr(name, '/');
    WEIR_TRY(read_named(&refs->doc, name, err));
    out->root = json_root(refs->doc);
    weir_text own = reference_of(refs->arena, slash ? slash + 1 : name);
    weir_text id = json_text(json_get(out->root, "$id"));
    WEIR_TRY(read_refs(refs, cli, name, id.data ? uri_resolve(refs->arena, own, id) : own, err));
    const struct schema_options options = {
        .resolve = resolve, .arg = refs, .base_uri = own.data, .assert_format = assert_format};
    if (schema_compile(&refs->compiled, out->root, &options, err) == WEIR_OK) {
        out->rules = refs->compiled;
        return WEIR_OK;
    }
    if (refs->missing.data && err->code == WEIR_INVALID)
        weir_hint(err,
                  "name the file that holds it: --ref FILE, found by its $id, or by its name relative to "
                  "the schema's folder");
    struct place place = json_place(refs->doc, schema_blamed(out->root, err->message));
    return place.line ? weir_prefix(err, "%s:%d:%d", name, place.line, place.column)
                      : weir_prefix(err, "%s", name);
}

/* --- which one -------------------------------------------------------------------------------------------- */

static bool could_be_event(const char *name) {
    return strcmp(name, "-") != 0 && !strchr(name, '/') && !ends_with(name, ".json") &&
           !document_is_yaml(name) && access(name, F_OK) != 0;
}

static bool open_event(struct schema_file *out, cli *cli, const char *name, bool assert_format, int *result) {
    weir_error err;
    *result = EXIT_ERROR;
    const weir_catalog *catalog = cli_catalog(cli);
    if (catalog && catalog_event_find(&out->event, catalog, weir_text_of(name), &err) != WEIR_OK)
        *result = cli_fail(cli, &err);
    if (!out->event) {
        cli_say(cli, "there is no file %s, so it was taken for an event type", name);
        return false;
    }
    if (!assert_format || cli_list_count(cli, "ref")) {
        *result = cli_usage(cli, "%s is for schemas from files, and %s is an event type of the catalog",
                            assert_format ? "--ref" : "--no-format", name);
        return false;
    }
    out->root = out->event->payload;
    out->rules = out->event->schema;
    return true;
}

bool schema_file_open(struct schema_file *out, cli *cli, const char *name, bool assert_format, int *result) {
    weir_error err;
    *out = (struct schema_file){0};
    if (could_be_event(name))
        return open_event(out, cli, name, assert_format, result);
    out->refs = mem_alloc(sizeof *out->refs);
    out->refs->arena = arena_new();
    if (compile_file(out, cli, name, assert_format, &err) == WEIR_OK)
        return true;
    *result = cli_fail(cli, &err);
    return false;
}

void schema_file_release(struct schema_file *file) {
    struct schema_refs *refs = file->refs;
    if (!refs)
        return;
    schema_free(refs->compiled);
    json_doc_free(refs->doc);
    for (size_t i = 0; i < refs->documents.count; i++)
        json_doc_free(refs->documents.items[i].doc);
    arena_free(refs->arena);
    mem_free(refs);
    file->refs = NULL;
}
