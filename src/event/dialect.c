/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling an envelope file: its keys, its fields (dialect_field.c), the list of writing operations, its
 * schema. */
#include "event/dialect.h"

#include <stddef.h>

#include "event/dialect_compile.h"
#include "event/shown.h"

static const struct {
    const char *name;
    size_t draft, event;
} rows[] = {
#define X(upper, lower) {#lower, offsetof(weir_draft, lower), offsetof(weir_event, lower)},
    CANONICAL_FIELDS(X)
#undef X
};

const char *canonical_name(enum canonical canonical) {
    return canonical < CANONICAL_VERSION ? rows[canonical].name : "version";
}

const weir_text *canonical_of_draft(const weir_draft *draft, enum canonical canonical) {
    return canonical < CANONICAL_VERSION
               ? (const weir_text *)(const void *)((const char *)draft + rows[canonical].draft)
               : NULL;
}

weir_text *canonical_of_event(weir_event *event, enum canonical canonical) {
    return canonical < CANONICAL_VERSION ? (weir_text *)(void *)((char *)event + rows[canonical].event)
                                         : NULL;
}

weir_code compiler_at(struct compiler *compiler, struct place place) {
    weir_prefix(compiler->err, "%s:%d:%d", place.file, place.line, place.column);
    return WEIR_INVALID;
}

weir_code compiler_check_keys(struct compiler *compiler, const json *object, const char *what,
                              const char *const *known, size_t count) {
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = text_is(it.key, known[i]);
        if (found)
            continue;
        char key[SHOWN_MAX];
        shown(key, it.key);
        FAIL_AT(compiler, json_place(compiler->doc, it.key_value), "%s has no key '%s'", what, key);
        const char *near = text_nearest(key, known, count);
        if (near)
            weir_hint(compiler->err, "did you mean '%s'?", near);
        return WEIR_INVALID;
    }
    return WEIR_OK;
}

/* --- the list of writing operations --------------------------------------------------------------------- */

struct layout {
    dialect *made;
    bool placed[DIALECT_FIELDS_MAX];
    buffer label;
};

static weir_text make_label(struct layout *layout, weir_text key, const char *end) {
    buffer_clear(&layout->label);
    buffer_char(&layout->label, ',');
    json_write_string(&layout->label, key);
    buffer_string(&layout->label, end);
    return arena_text(layout->made->arena, buffer_view(&layout->label));
}

/* Do two fields stand in the same object, `depth` levels down? */
static bool same_object(const struct dialect_field *a, const struct dialect_field *b, size_t depth) {
    for (size_t i = 0; i < depth; i++)
        if (i >= a->at.depth || i >= b->at.depth || !text_equal(a->at.tokens[i], b->at.tokens[i]))
            return false;
    return true;
}

/* Places the fields of the object `depth` levels down that holds `first`, from `start` on. An object is
 * opened where its first field stands, and takes in all its later ones. Recursion ends at DIALECT_DEPTH_MAX. */
static void place_object(struct layout *layout, size_t start, size_t depth) {
    dialect *made = layout->made;
    const struct dialect_field *first = &made->fields.items[start];
    for (size_t i = start; i < made->fields.count; i++) {
        const struct dialect_field *field = &made->fields.items[i];
        if (layout->placed[i] || !same_object(first, field, depth))
            continue;
        weir_text key = field->at.tokens[depth];
        if (field->at.depth == depth + 1) {
            layout->placed[i] = true;
            bool quoted = !field->integer && !field->literal.data && field->canonical != CANONICAL_PAYLOAD;
            list_push(made->arena, &made->ops,
                      ((struct dialect_op){OP_FIELD, make_label(layout, key, quoted ? ":\"" : ":"), quoted,
                                           field}));
            continue;
        }
        list_push(made->arena, &made->ops,
                  ((struct dialect_op){OP_OPEN, make_label(layout, key, ":{"), false, NULL}));
        place_object(layout, i, depth + 1);
        list_push(made->arena, &made->ops, ((struct dialect_op){OP_CLOSE, {NULL, 0}, false, NULL}));
    }
}

static void place_fields(dialect *made) {
    if (made->headers) /* the bridge writes those */
        return;
    struct layout layout = {.made = made};
    buffer_init(&layout.label, 1 << 16);
    place_object(&layout, 0, 0);
    buffer_release(&layout.label);
}

/* --- does the envelope's schema look into the payload? -------------------------------------------------- */

static bool only_keywords(const json *node, const char *const *allowed, size_t count) {
    for (struct json_iter it = json_iter(node); json_next(&it);) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = text_is(it.key, allowed[i]);
        if (!found)
            return false;
    }
    return true;
}

/* True only when every schema on the way to the payload is a plain object schema, and the payload's own says
 * no more than its type: then the envelope can be checked with an empty payload in its place, and a large
 * payload is parsed once instead of twice. Anything cleverer is answered with false, which is always right. */
static bool leaves_payload_open(const json *node, const struct dialect_field *payload) {
    static const char *const way[] = {"$schema",  "$id",        "$comment",      "$defs",
                                      "title",    "type",       "description",   "additionalProperties",
                                      "required", "properties", "minProperties", "maxProperties"};
    static const char *const leaf[] = {"$comment", "title", "description", "type"};
    for (size_t i = 0; i < payload->at.depth; i++) {
        const json *more = json_get(node, "additionalProperties");
        if (!json_is(node, JSON_OBJECT) || !only_keywords(node, way, sizeof way / sizeof *way) ||
            (more && !json_is(more, JSON_BOOL)))
            return false;
        node = json_get_text(json_get(node, "properties"), payload->at.tokens[i]);
        if (!node)
            return true;
    }
    return json_true(node) ||
           (json_is(node, JSON_OBJECT) && only_keywords(node, leaf, sizeof leaf / sizeof *leaf));
}

/* --- what fields say about each other ------------------------------------------------------------------- */

/* `from: /payload/agent_id` becomes "/agent_id", inside the payload. */
static weir_code settle_from(struct compiler *compiler, const json *fields, struct dialect_field *field) {
    if (!field->from.data)
        return WEIR_OK;
    weir_text payload = compiler->made->canonical[CANONICAL_PAYLOAD]->at.pointer, from = field->from;
    bool inside = from.size > payload.size && memcmp(from.data, payload.data, payload.size) == 0 &&
                  from.data[payload.size] == '/';
    if (!inside)
        return FAIL_AT(compiler, json_place(compiler->doc, json_get(json_get(fields, field->name), "from")),
                       "field '%s': from must be a place inside the payload, like %.*s/%s", field->name,
                       TEXT_ARG(payload), field->name);
    field->from = (weir_text){from.data + payload.size, from.size - payload.size};
    return WEIR_OK;
}

static weir_code settle_fields(struct compiler *compiler, const json *fields) {
    dialect *made = compiler->made;
    bool whole = made->canonical[CANONICAL_PAYLOAD]->at.depth == 0;
    for (size_t i = 0; i < made->fields.count; i++) {
        struct dialect_field *field = &made->fields.items[i];
        made->headers |= field->header.data != NULL;
        for (size_t v = 0; v < field->value.count; v++)
            made->uses_subject |= field->value.items[v].kind == VALUE_SUBJECT;
        WEIR_TRY(settle_from(compiler, fields, field));
    }
    for (size_t i = 0; i < made->fields.count && made->headers; i++) {
        struct dialect_field *field = &made->fields.items[i];
        if (!field->header.data && (field->canonical != CANONICAL_PAYLOAD || !whole))
            return FAIL_AT(compiler, json_member_place(compiler->doc, fields, field->name),
                           "where fields stand in headers, all do, and the payload is the body: at: \"\"");
    }
    return WEIR_OK;
}

/* --- the file ------------------------------------------------------------------------------------------- */

static weir_code read_name(struct compiler *compiler, const json *root) {
    const json *value = json_get(root, "dialect");
    if (!value)
        return FAIL_AT(compiler, json_place(compiler->doc, root),
                       "the envelope has no name; write dialect: NAME");
    weir_text name = json_text(value);
    bool good = name.size > 0 && name.size <= 32;
    for (size_t i = 0; i < name.size && good; i++)
        good = (name.data[i] >= 'a' && name.data[i] <= 'z') || (name.data[i] >= '0' && name.data[i] <= '9') ||
               name.data[i] == '-';
    if (!good)
        return FAIL_AT(compiler, json_place(compiler->doc, value),
                       "the dialect's name must be 1 to 32 characters of a-z, 0-9 and -");
    compiler->made->name = arena_cstr(compiler->made->arena, name);
    return WEIR_OK;
}

static weir_code read_fields(struct compiler *compiler, const json *root) {
    dialect *made = compiler->made;
    const json *fields = json_get(root, "fields");
    struct place place = json_place(compiler->doc, fields ? fields : root);
    if (!json_is(fields, JSON_OBJECT))
        return FAIL_AT(compiler, place, "the envelope needs fields:, a mapping of field names to places");
    for (struct json_iter it = json_iter(fields); json_next(&it);)
        WEIR_TRY(compiler_read_field(compiler, &it));
    for (size_t i = 0; i < made->fields.count; i++)
        if (made->fields.items[i].canonical != CANONICAL_FREE)
            made->canonical[made->fields.items[i].canonical] = &made->fields.items[i];
    for (int i = 0; i < CANONICAL_VERSION; i++)
        if (made->canonical[i] && made->canonical[i]->generate != GENERATE_NOTHING)
            made->generated[made->generated_count++] = made->canonical[i];
    static const enum canonical needed[] = {CANONICAL_ID, CANONICAL_TYPE, CANONICAL_PAYLOAD};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!made->canonical[needed[i]])
            return FAIL_AT(compiler, place,
                           "the envelope has no field '%s'; every event needs id, type and payload",
                           canonical_name(needed[i]));
    WEIR_TRY(settle_fields(compiler, fields));
    place_fields(made);
    return WEIR_OK;
}

static weir_code read_schema(struct compiler *compiler, const json *root) {
    const json *node = json_get(root, "schema");
    compiler->made->payload_open = true;
    if (!node)
        return WEIR_OK;
    static const struct schema_options options = {.assert_format = true};
    if (schema_compile(&compiler->made->schema, node, &options, compiler->err) != WEIR_OK) {
        weir_prefix(compiler->err, "the envelope's schema");
        return compiler_at(compiler, json_place(compiler->doc, node));
    }
    compiler->made->payload_open = leaves_payload_open(node, compiler->made->canonical[CANONICAL_PAYLOAD]);
    return WEIR_OK;
}

static weir_code read_attributes(struct compiler *compiler, const json *root) {
    const json *value = json_get(root, "attributes");
    if (value && !text_is(json_text(value), "cloudevents"))
        return FAIL_AT(compiler, json_place(compiler->doc, value), "attributes must be: cloudevents");
    compiler->made->attributes = value != NULL;
    return WEIR_OK;
}

static weir_code read_file(struct compiler *compiler, const json *root) {
    static const char *const known[] = {"dialect", "title", "description", "attributes", "fields", "schema"};
    if (!json_is(root, JSON_OBJECT))
        return FAIL_AT(compiler, json_place(compiler->doc, root), "an envelope file must be a mapping");
    WEIR_TRY(compiler_check_keys(compiler, root, "an envelope file", known, sizeof known / sizeof *known));
    WEIR_TRY(read_name(compiler, root));
    WEIR_TRY(read_attributes(compiler, root));
    WEIR_TRY(read_fields(compiler, root));
    return read_schema(compiler, root);
}

weir_code dialect_compile(dialect **out, const json_doc *doc, weir_error *err) {
    return dialect_compile_node(out, doc, json_root(doc), err);
}

weir_code dialect_compile_node(dialect **out, const json_doc *doc, const json *root, weir_error *err) {
    arena *memory = arena_new();
    struct compiler compiler = {.made = arena_alloc(memory, sizeof(dialect)), .doc = doc, .err = err};
    compiler.made->arena = memory;
    compiler.made->root = root;
    weir_code code = read_file(&compiler, root);
    if (code != WEIR_OK) {
        dialect_free(compiler.made);
        return code;
    }
    *out = compiler.made;
    return WEIR_OK;
}

void dialect_free(dialect *self) {
    if (!self)
        return;
    schema_free(self->schema);
    arena_free(self->arena);
}

const char *dialect_name(const dialect *self) {
    return self->name;
}

const schema *dialect_schema(const dialect *self) {
    return self->schema;
}

bool dialect_has_field(const dialect *self, const char *field) {
    for (size_t i = 0; i < self->fields.count; i++)
        if (self->fields.items[i].canonical != CANONICAL_PAYLOAD &&
            strcmp(self->fields.items[i].name, field) == 0)
            return true;
    return false;
}

bool dialect_in_headers(const dialect *self) {
    return self->headers;
}

bool dialect_type_is_subject(const dialect *self) {
    return self->canonical[CANONICAL_TYPE]->value.count > 0;
}

bool dialect_payload_open(const dialect *self) {
    return self->payload_open;
}

weir_text dialect_pointer(const dialect *self, const char *field) {
    for (int i = 0; i < CANONICAL_COUNT; i++)
        if (self->canonical[i] && strcmp(self->canonical[i]->name, field) == 0)
            return self->canonical[i]->at.pointer;
    return (weir_text){NULL, 0};
}
