/* SPDX-License-Identifier: Apache-2.0 */
/* Copying is by hand and not through a tree of our own: trees are read-only, and what changes is one kind of
 * text. A document that stands alone uses what 2020-12 has for it: schemas embedded under `$defs` with an `$id`,
 * so that references inside them count from them, as they did in their files. */
#include "catalog/schema_copy.h"

#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "catalog/schema_path.h"
#include "schema/schema.h"

/* --- copying -------------------------------------------------------------------------------------------- */

struct copying {
    buffer *out;
    const char *from;
    const char *(*rename)(void *arg, const char *path);
    void *arg;
    arena *arena;
};

static void copy_ref(const struct copying *copying, weir_text ref) {
    const char *hash = memchr(ref.data, '#', ref.size);
    weir_text path = {ref.data, hash ? (size_t)(hash - ref.data) : ref.size};
    bool file = path.size && !memchr(path.data, ':', path.size);
    const char *joined = file ? source_path(copying->arena, copying->from, path) : NULL;
    if (joined)
        ref = weir_text_of(arena_printf(copying->arena, "%s%.*s", copying->rename(copying->arg, joined),
                                        (int)(ref.size - path.size), ref.data + path.size));
    json_write_string(copying->out, ref);
}

static void copy_value(const struct copying *copying, const json *value);

static void copy_member(const struct copying *copying, const struct json_iter *it) {
    json_write_string(copying->out, it->key);
    buffer_char(copying->out, ':');
    if (text_is(it->key, "$ref") && json_text(it->value).data)
        copy_ref(copying, json_text(it->value));
    else
        copy_value(copying, it->value);
}

static void copy_value(const struct copying *copying, const json *value) {
    bool object = json_is(value, JSON_OBJECT), first = true;
    if (!object && !json_is(value, JSON_ARRAY)) {
        json_write(copying->out, value, false);
        return;
    }
    buffer_char(copying->out, object ? '{' : '[');
    for (struct json_iter it = json_iter(value); json_next(&it); first = false) {
        if (!first)
            buffer_char(copying->out, ',');
        if (object)
            copy_member(copying, &it);
        else
            copy_value(copying, it.value);
    }
    buffer_char(copying->out, object ? '}' : ']');
}

void schema_copy(buffer *out, const json *value, const char *from,
                 const char *(*rename)(void *arg, const char *path), void *arg, arena *arena) {
    copy_value(&(struct copying){out, from, rename, arg, arena}, value);
}

/* --- standing alone ------------------------------------------------------------------------------------- */

struct alone {
    const weir_catalog *catalog;
    arena *arena;
    buffer *out;
    LIST(const char *) paths; /* of the files referred to so far; those behind `written` still wait */
};

const char *schema_id(arena *arena, const weir_catalog *catalog, const char *what) {
    buffer id;
    buffer_init(&id, 64 << 10);
    buffer_printf(&id, "weir:%s/", catalog->name);
    for (const unsigned char *at = (const unsigned char *)what; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                     strchr("-._~/", *at);
        buffer_printf(&id, plain ? "%c" : "%%%02X", *at);
    }
    const char *kept = arena_cstr(arena, buffer_view(&id));
    buffer_release(&id);
    return kept;
}

/* Notes the file and gives its id. */
static const char *rename_file(void *arg, const char *path) {
    struct alone *alone = arg;
    bool known = false;
    for (size_t i = 0; i < alone->paths.count && !known; i++)
        known = strcmp(alone->paths.items[i], path) == 0;
    if (!known)
        list_push(alone->arena, &alone->paths, path);
    return schema_id(alone->arena, alone->catalog, path);
}

static const json *file_at(const weir_catalog *catalog, const char *path) {
    const json *inside = schema_section(catalog, path);
    for (size_t i = 0; i < catalog->files.count && !inside; i++)
        if (strcmp(catalog->files.items[i]->path, path) == 0 && catalog->files.items[i]->doc)
            inside = json_root(catalog->files.items[i]->doc);
    return inside;
}

static void write_id(struct alone *alone, const char *id) {
    buffer_string(alone->out, "\"$id\":");
    json_write_string(alone->out, weir_text_of(id));
}

/* The members of a schema but for those written by us. true and false have forms with members too. */
static void write_members(struct alone *alone, const json *schema, const char *from, const char *without) {
    if (json_is(schema, JSON_BOOL) && !json_true(schema))
        buffer_string(alone->out, ",\"not\":{}");
    for (struct json_iter it = json_iter(schema); json_next(&it);) {
        if (text_is(it.key, "$id") || text_is(it.key, "$schema") || text_is(it.key, without))
            continue;
        buffer_char(alone->out, ',');
        copy_member(&(struct copying){alone->out, from, rename_file, alone, alone->arena}, &it);
    }
}

/* Files referred to are found while others are written, so the list grows behind the place we are at. */
static void write_files(struct alone *alone, bool first) {
    for (size_t i = 0; i < alone->paths.count; i++, first = false) {
        const char *path = alone->paths.items[i];
        if (!first)
            buffer_char(alone->out, ',');
        json_write_string(alone->out, weir_text_of(path));
        buffer_string(alone->out, ":{");
        write_id(alone, schema_id(alone->arena, alone->catalog, path));
        write_members(alone, file_at(alone->catalog, path), path, "");
        buffer_char(alone->out, '}');
    }
}

static void write_alone(struct alone *alone, const json *schema, const char *from, const char *id) {
    const json *defs = json_get(schema, "$defs");
    bool first = true;
    buffer_string(alone->out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",");
    write_id(alone, id);
    write_members(alone, schema, from, "$defs");
    if (json_size(defs) + alone->paths.count) {
        buffer_string(alone->out, ",\"$defs\":{");
        for (struct json_iter it = json_iter(defs); json_next(&it); first = false) {
            if (!first)
                buffer_char(alone->out, ',');
            copy_member(&(struct copying){alone->out, from, rename_file, alone, alone->arena}, &it);
        }
        write_files(alone, first);
        buffer_char(alone->out, '}');
    }
    buffer_char(alone->out, '}');
}

static weir_code check_alone(buffer *out, weir_text text, const char *id, weir_error *err) {
    json_doc *doc;
    schema *compiled = NULL;
    WEIR_TRY(json_parse(&doc, text, err));
    const struct schema_options options = {.assert_format = true};
    weir_code code = schema_compile(&compiled, json_root(doc), &options, err);
    if (code == WEIR_OK)
        json_write(out, json_root(doc), true);
    schema_free(compiled);
    json_doc_free(doc);
    if (code != WEIR_OK)
        weir_prefix(err, "the schema %s cannot stand alone", id);
    return code;
}

weir_code schema_standalone(buffer *out, const weir_catalog *catalog, const json *schema,
                            const struct source *from, const char *id, weir_error *err) {
    buffer text;
    struct alone alone = {.catalog = catalog, .arena = arena_new(), .out = &text};
    buffer_init(&text, LIMIT_BUNDLE_BYTES);
    write_alone(&alone, schema, from->path, id);
    weir_code code = text.overflow ? weir_fail(err, WEIR_LIMIT, "the schema %s is larger than %d MiB", id,
                                               LIMIT_BUNDLE_BYTES >> 20)
                                   : check_alone(out, buffer_view(&text), id, err);
    buffer_release(&text);
    arena_free(alone.arena);
    return code;
}
