/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a schema by a pointer. Loops of $ref end by a bound on depth. */
#include "catalog/schema_path.h"

enum { DEPTH_MAX = 24 };

/* A schema together with the document and the path its references count from. */
struct spot {
    const json *schema, *root;
    const struct source *source;
    const char *path; /* NULL: the source's */
};

static const char *const branches[] = {"allOf", "anyOf", "oneOf"};

const struct source *schema_source(const weir_catalog *catalog, const json *root, struct place place) {
    const struct source *named = NULL;
    for (size_t i = 0; i < catalog->files.count; i++) {
        const struct source *file = catalog->files.items[i];
        if (file->doc && json_root(file->doc) == root)
            return file;
        if (strcmp(file->path, place.file) == 0)
            named = file;
    }
    return named;
}

const json *schema_section(const weir_catalog *catalog, const char *path) {
    const json *entry = catalog->entry ? json_root(catalog->entry->doc) : NULL;
    return json_get(json_get(entry, "schemas"), path);
}

/* What a $ref leads to; .schema is NULL when nothing is found. */
static struct spot follow(const struct check *check, struct spot spot, weir_text ref) {
    const char *hash = memchr(ref.data, '#', ref.size);
    weir_text path = {ref.data, hash ? (size_t)(hash - ref.data) : ref.size};
    weir_text pointer = {hash ? hash + 1 : "", hash ? ref.size - path.size - 1 : 0};
    if (path.size) {
        const char *joined = source_path(check->arena, spot.path ? spot.path : spot.source->path, path);
        const json *inside = joined ? schema_section(check->catalog, joined) : NULL;
        const struct source *file = inside ? check->catalog->entry : NULL;
        for (size_t i = 0; joined && !file && i < check->catalog->files.count; i++)
            if (strcmp(check->catalog->files.items[i]->path, joined) == 0)
                file = check->catalog->files.items[i];
        if (!file || !file->doc)
            return (struct spot){NULL, NULL, NULL};
        spot = (struct spot){NULL, inside ? inside : json_root(file->doc), file, joined};
    }
    spot.schema = json_pointer_valid(pointer) ? json_pointer(spot.root, pointer) : NULL;
    return spot;
}

static struct spot member(const struct check *check, struct spot spot, weir_text name, int depth) {
    const json *direct = json_get_text(json_get(spot.schema, "properties"), name);
    if (direct)
        return (struct spot){direct, spot.root, spot.source, spot.path};
    struct spot result = {NULL, NULL, NULL};
    if (depth >= DEPTH_MAX)
        return result;
    weir_text ref = json_text(json_get(spot.schema, "$ref"));
    if (ref.size) {
        struct spot target = follow(check, spot, ref);
        if (target.schema)
            result = member(check, target, name, depth + 1);
    }
    for (size_t i = 0; !result.schema && i < sizeof branches / sizeof *branches; i++)
        for (struct json_iter it = json_iter(json_get(spot.schema, branches[i]));
             !result.schema && json_next(&it);)
            result =
                member(check, (struct spot){it.value, spot.root, spot.source, spot.path}, name, depth + 1);
    return result;
}

static bool requires(const struct check *check, struct spot spot, weir_text name, int depth) {
    for (struct json_iter it = json_iter(json_get(spot.schema, "required")); json_next(&it);)
        if (text_equal(json_text(it.value), name))
            return true;
    weir_text ref = json_text(json_get(spot.schema, "$ref"));
    struct spot target =
        ref.size && depth < DEPTH_MAX ? follow(check, spot, ref) : (struct spot){NULL, NULL, NULL};
    if (target.schema && requires(check, target, name, depth + 1))
        return true;
    for (struct json_iter it = json_iter(json_get(spot.schema, "allOf"));
         depth < DEPTH_MAX && json_next(&it);)
        if (requires(check, (struct spot){it.value, spot.root, spot.source, spot.path}, name, depth + 1))
            return true;
    return false;
}

/* --- judging -------------------------------------------------------------------------------------------- */

static bool scalar_type(weir_text type, bool *number) {
    *number = *number || text_is(type, "number");
    return text_is(type, "string") || text_is(type, "integer") || text_is(type, "number") ||
           text_is(type, "boolean");
}

static bool scalar_value(const json *value) {
    return json_is(value, JSON_STRING) || json_is(value, JSON_NUMBER) || json_is(value, JSON_BOOL);
}

/* 1: scalar, 0: not, -1: this schema does not say. */
static int judge(const struct check *check, struct spot spot, bool *number, int depth) {
    const json *type = json_get(spot.schema, "type"), *values = json_get(spot.schema, "enum");
    if (json_is(type, JSON_STRING))
        return scalar_type(json_text(type), number);
    if (json_size(type) > 0) {
        for (struct json_iter it = json_iter(type); json_next(&it);)
            if (!scalar_type(json_text(it.value), number))
                return 0;
        return 1;
    }
    if (json_get(spot.schema, "const"))
        return scalar_value(json_get(spot.schema, "const"));
    if (json_size(values) > 0) {
        for (struct json_iter it = json_iter(values); json_next(&it);)
            if (!scalar_value(it.value))
                return 0;
        return 1;
    }
    weir_text ref = json_text(json_get(spot.schema, "$ref"));
    int answer = -1;
    struct spot target =
        ref.size && depth < DEPTH_MAX ? follow(check, spot, ref) : (struct spot){NULL, NULL, NULL};
    if (target.schema)
        answer = judge(check, target, number, depth + 1);
    for (struct json_iter it = json_iter(json_get(spot.schema, "allOf"));
         answer < 0 && depth < DEPTH_MAX && json_next(&it);)
        answer = judge(check, (struct spot){it.value, spot.root, spot.source, spot.path}, number, depth + 1);
    return answer;
}

static void judge_spot(const struct check *check, struct schema_spot *out, struct spot spot) {
    out->schema = spot.schema;
    out->source = spot.source;
    out->number = false;
    out->scalar = judge(check, spot, &out->number, 0) == 1;
}

/* The next step of a pointer, unescaped into the arena; absent at its end. */
static weir_text next_step(const struct check *check, weir_text *pointer) {
    if (pointer->size == 0)
        return (weir_text){NULL, 0};
    const char *start = pointer->data + 1, *end = memchr(start, '/', pointer->size - 1);
    size_t size = end ? (size_t)(end - start) : pointer->size - 1;
    char *step = arena_copy(check->arena, start, size);
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        bool escape = step[i] == '~' && i + 1 < size;
        step[kept++] = !escape ? step[i] : step[i + 1] == '1' ? '/' : '~';
        i += escape;
    }
    pointer->data = start + size;
    pointer->size -= size + 1;
    return (weir_text){step, kept};
}

static struct schema_spot walk(const struct check *check, struct spot spot, weir_text pointer) {
    struct schema_spot result = {.required = true};
    for (weir_text step; (step = next_step(check, &pointer)).data;) {
        result.required = result.required && requires(check, spot, step, 0);
        spot = member(check, spot, step, 0);
        if (!spot.schema)
            return result;
    }
    result.found = true;
    judge_spot(check, &result, spot);
    return result;
}

/* A place the dialect writes itself is there even when the envelope's schema does not mention it. */
static bool dialect_writes(const weir_catalog *catalog, weir_text pointer) {
    static const char *const fields[] = {"id",         "type",   "source", "time",
                                         "version",    "tenant", "actor",  "trace",
                                         "actor_kind", "span",   "key",    "idempotency_key"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (text_equal(dialect_pointer(catalog->dialect, fields[i]), pointer))
            return true;
    return false;
}

struct schema_spot schema_spot_in(const struct check *check, const json *payload, struct place place,
                                  weir_text pointer) {
    return walk(check, (struct spot){payload, payload, schema_source(check->catalog, payload, place)},
                pointer);
}

struct schema_spot schema_spot_of(const struct check *check, const struct event_def *event,
                                  const char *pointer) {
    weir_text text = weir_text_of(pointer), payload = {"/payload", 8};
    if (check->catalog->dialect && dialect_pointer(check->catalog->dialect, "payload").data)
        payload = dialect_pointer(check->catalog->dialect, "payload");
    if (text.size > payload.size && memcmp(text.data, payload.data, payload.size) == 0 &&
        text.data[payload.size] == '/') {
        weir_text rest = {text.data + payload.size, text.size - payload.size};
        return schema_spot_in(check, event->payload, event->place, rest);
    }
    const json *schema = json_get(check->catalog->envelope, "schema");
    struct schema_spot spot = {0};
    if (schema)
        spot = walk(check, (struct spot){schema, schema, check->catalog->envelope_file}, text);
    if (!spot.found && check->catalog->dialect && dialect_writes(check->catalog, text))
        spot = (struct schema_spot){.found = true, .scalar = true};
    return spot;
}
