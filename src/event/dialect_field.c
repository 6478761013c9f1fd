/* SPDX-License-Identifier: Apache-2.0 */
/* One row of an envelope file's fields: where it stands, how it is filled, how it is written. Runs once per
 * catalog, so it is written to explain what is wrong: every error names file, line and column, and the
 * nearest word where one was mistyped. */
#include "event/dialect_compile.h"

#include <stdio.h>

#include "event/shown.h"

static weir_code read_flag(struct compiler *compiler, const json *options, const char *key, bool *out) {
    const json *value = json_get(options, key);
    if (value && !json_is(value, JSON_BOOL))
        return FAIL_AT(compiler, json_place(compiler->doc, value), "field '%s': %s must be true or false",
                       compiler->field, key);
    *out = json_true(value);
    return WEIR_OK;
}

/* The index of the option's text among words; -1 when the option is absent. */
static weir_code read_word(struct compiler *compiler, const json *options, const char *key,
                           const char *const *words, size_t count, int *out) {
    *out = -1;
    const json *value = json_get(options, key);
    if (!value)
        return WEIR_OK;
    for (size_t i = 0; i < count; i++)
        if (text_is(json_text(value), words[i]))
            *out = (int)i;
    if (*out >= 0)
        return WEIR_OK;
    char list[100] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", words[i]);
    return FAIL_AT(compiler, json_place(compiler->doc, value), "field '%s': %s must be one of: %s",
                   compiler->field, key, list);
}

/* --- pointers ------------------------------------------------------------------------------------------- */

/* One token of a pointer, with ~1 and ~0 resolved. */
static weir_text unescape(arena *arena_, weir_text token) {
    char *copy = arena_copy(arena_, token.data, token.size);
    size_t size = 0;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        if (c == '~' && i + 1 < token.size)
            c = token.data[++i] == '1' ? '/' : '~';
        copy[size++] = c;
    }
    copy[size] = '\0';
    return (weir_text){copy, size};
}

static void split_pointer(arena *arena_, struct dialect_path *path) {
    if (path->pointer.size == 0)
        return;
    weir_text rest = {path->pointer.data + 1, path->pointer.size - 1};
    for (;;) {
        const char *slash = rest.size ? memchr(rest.data, '/', rest.size) : NULL;
        size_t size = slash ? (size_t)(slash - rest.data) : rest.size;
        path->tokens[path->depth++] = unescape(arena_, (weir_text){rest.data, size});
        if (!slash)
            return;
        rest = (weir_text){slash + 1, rest.size - size - 1};
    }
}

/* A pointer under `key` (at, aliases, from). Only the payload's place may be the whole: "". */
static weir_code read_path(struct compiler *compiler, const json *value, const char *key,
                           const struct dialect_field *field, struct dialect_path *path) {
    weir_text text = json_text(value);
    struct place place = json_place(compiler->doc, value);
    bool whole = text.data && text.size == 0 && field->canonical == CANONICAL_PAYLOAD;
    if (!whole && (text.size < 2 || !json_pointer_valid(text)))
        return FAIL_AT(compiler, place,
                       "field '%s': %s must be a JSON Pointer to a member, like /meta/trace_id", field->name,
                       key);
    size_t depth = 0;
    for (size_t i = 0; i < text.size; i++)
        depth += text.data[i] == '/';
    if (depth > DIALECT_DEPTH_MAX)
        return FAIL_AT(compiler, place, "field '%s': %s is %zu levels deep, at most %d are allowed",
                       field->name, key, depth, DIALECT_DEPTH_MAX);
    path->pointer = arena_text(compiler->made->arena, text);
    split_pointer(compiler->made->arena, path);
    return WEIR_OK;
}

/* A header's name: what CloudEvents attributes need, and no more. */
static bool header_name(weir_text name) {
    bool good = name.size > 0 && name.size <= 64;
    for (size_t i = 0; i < name.size && good; i++) {
        char c = name.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    }
    return good;
}

static weir_code read_header(struct compiler *compiler, const json *value, struct dialect_field *field) {
    struct place place = json_place(compiler->doc, value);
    if (!header_name(json_text(value)))
        return FAIL_AT(compiler, place,
                       "field '%s': header must be the name of one, 1 to 64 letters, digits and -",
                       field->name);
    field->header = arena_text(compiler->made->arena, json_text(value));
    for (size_t i = 0; i + 1 < compiler->made->fields.count; i++) {
        const struct dialect_field *other = &compiler->made->fields.items[i];
        if (text_equal(other->header, field->header))
            return FAIL_AT(compiler, place, "fields '%s' and '%s' stand at the same place", other->name,
                           field->name);
    }
    return WEIR_OK;
}

static weir_code read_aliases(struct compiler *compiler, const json *options, struct dialect_field *field) {
    const json *value = json_get(options, "aliases");
    if (value && !json_is(value, JSON_ARRAY))
        return FAIL_AT(compiler, json_place(compiler->doc, value),
                       "field '%s': aliases must be a list of places, like [/event_id]", field->name);
    for (struct json_iter it = json_iter(value); json_next(&it);)
        WEIR_TRY(read_path(compiler, it.value, "an alias", field,
                           list_add(compiler->made->arena, &field->aliases)));
    return WEIR_OK;
}

static weir_code read_from(struct compiler *compiler, const json *options, struct dialect_field *field) {
    const json *value = json_get(options, "from");
    struct dialect_path path = {0};
    if (!value)
        return WEIR_OK;
    WEIR_TRY(read_path(compiler, value, "from", field, &path));
    field->from = path.pointer; /* dialect.c makes it one into the payload, once that has a place */
    return WEIR_OK;
}

static weir_code read_place(struct compiler *compiler, const json *options, struct place key,
                            struct dialect_field *field) {
    const json *at = json_get(options, "at"), *header = json_get(options, "header");
    if (!at && !header)
        return FAIL_AT(compiler, key, "field '%s' does not say where it stands; write at: /some/place",
                       field->name);
    if (at && header)
        return FAIL_AT(compiler, key, "field '%s' may have one of at and header, not two", field->name);
    WEIR_TRY(read_aliases(compiler, options, field));
    WEIR_TRY(read_from(compiler, options, field));
    return header ? read_header(compiler, header, field) : read_path(compiler, at, "at", field, &field->at);
}

/* Is the shorter path the beginning of the longer one? */
static bool paths_collide(const struct dialect_field *a, const struct dialect_field *b) {
    size_t depth = a->at.depth < b->at.depth ? a->at.depth : b->at.depth;
    for (size_t i = 0; i < depth; i++)
        if (!text_equal(a->at.tokens[i], b->at.tokens[i]))
            return false;
    return !a->header.data && !b->header.data;
}

static weir_code check_collision(struct compiler *compiler, const json *options,
                                 const struct dialect_field *field) {
    for (size_t i = 0; i + 1 < compiler->made->fields.count; i++) {
        const struct dialect_field *other = &compiler->made->fields.items[i];
        if (!paths_collide(field, other))
            continue;
        struct place place = json_place(compiler->doc, json_get(options, "at"));
        if (field->at.depth == other->at.depth)
            return FAIL_AT(compiler, place, "fields '%s' and '%s' stand at the same place", other->name,
                           field->name);
        const struct dialect_field *inner = field->at.depth > other->at.depth ? field : other;
        return FAIL_AT(compiler, place, "field '%s' would stand inside field '%s'", inner->name,
                       inner == field ? other->name : field->name);
    }
    return WEIR_OK;
}

/* --- values --------------------------------------------------------------------------------------------- */

/* Reads what stands between braces. */
static bool read_substitution(weir_text name, struct value_part *part) {
    static const struct {
        const char *name;
        enum value_kind kind;
    } words[] = {{"type", VALUE_TYPE},    {"version", VALUE_VERSION}, {"source", VALUE_SOURCE},
                 {"hour", VALUE_HOUR},    {"subject", VALUE_SUBJECT}, {"entity", VALUE_ENTITY},
                 {"action", VALUE_ACTION}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_is(name, words[i].name)) {
            *part = (struct value_part){.kind = words[i].kind};
            return true;
        }
    *part = (struct value_part){.kind = VALUE_TYPE_TOKEN};
    if (name.size != 6 || !text_starts(name, "type.") || name.data[5] < '0' || name.data[5] > '9')
        return false;
    part->token = (size_t)(name.data[5] - '0');
    return true;
}

static weir_code read_parts(struct compiler *compiler, const json *value, struct dialect_field *field) {
    weir_text rest = arena_text(compiler->made->arena, json_text(value));
    do {
        const char *open = rest.size ? memchr(rest.data, '{', rest.size) : NULL;
        size_t plain = open ? (size_t)(open - rest.data) : rest.size;
        if (plain || (!open && field->value.count == 0))
            list_push(compiler->made->arena, &field->value,
                      ((struct value_part){.kind = VALUE_TEXT, .text = {rest.data, plain}}));
        if (!open)
            return WEIR_OK;
        rest = (weir_text){open, rest.size - plain};
        const char *close = memchr(rest.data, '}', rest.size);
        size_t size = close ? (size_t)(close - open) + 1 : rest.size;
        struct value_part part;
        char text[SHOWN_MAX];
        if (!close || !read_substitution((weir_text){open + 1, size - 2}, &part))
            return FAIL_AT(compiler, json_place(compiler->doc, value),
                           "field '%s': '%s' is none of {type}, {type.0} .. {type.9}, {version}, {source}, "
                           "{subject}, {hour}, {entity}, {action}",
                           field->name, shown(text, (weir_text){open, size}));
        list_push(compiler->made->arena, &field->value, part);
        rest = (weir_text){rest.data + size, rest.size - size};
    } while (rest.size > 0);
    return WEIR_OK;
}

static weir_code read_value(struct compiler *compiler, const json *value, struct dialect_field *field) {
    struct place place = json_place(compiler->doc, value);
    enum json_type type = json_type_of(value);
    if (type == JSON_STRING && json_text(value).size <= DIALECT_VALUE_MAX / 2)
        return read_parts(compiler, value, field);
    if (type != JSON_NUMBER && type != JSON_BOOL)
        return FAIL_AT(compiler, place, "field '%s': its value must be a short text, a number, true or false",
                       field->name);
    if (field->canonical != CANONICAL_FREE)
        return FAIL_AT(compiler, place, "field '%s': its value must be a text", field->name);
    buffer text;
    buffer_init(&text, DIALECT_VALUE_MAX);
    json_write(&text, value, false);
    field->literal = arena_text(compiler->made->arena, buffer_view(&text));
    buffer_release(&text);
    return WEIR_OK;
}

/* --- one field ------------------------------------------------------------------------------------------ */

static enum canonical canonical_of_name(const char *name) {
    for (int i = 0; i < CANONICAL_COUNT; i++)
        if (strcmp(canonical_name((enum canonical)i), name) == 0)
            return (enum canonical)i;
    return CANONICAL_FREE;
}

static bool contains(weir_text text, const char *part) {
    return text.size && memmem(text.data, text.size, part, strlen(part));
}

/* Which ways of filling a field go together. */
static weir_code check_origin(struct compiler *compiler, const json *options, struct place key,
                              const struct dialect_field *field) {
    bool value = json_get(options, "value"), fallback = json_get(options, "default");
    bool from = json_get(options, "from");
    bool generate = field->generate != GENERATE_NOTHING;
    if (value + fallback + generate > 1)
        return FAIL_AT(compiler, key, "field '%s' may have one of generate, value and default, not two",
                       field->name);
    if (field->canonical == CANONICAL_FREE && !value && !from) {
        FAIL_AT(compiler, key, "field '%s' is none of the fields an event has, so it needs a value",
                field->name);
        const char *names[CANONICAL_COUNT];
        for (int i = 0; i < CANONICAL_COUNT; i++)
            names[i] = canonical_name((enum canonical)i);
        const char *near = text_nearest(field->name, names, CANONICAL_COUNT);
        if (near)
            weir_hint(compiler->err, "did you mean '%s'?", near);
        return WEIR_INVALID;
    }
    /* These two come from the event; a value only says how they are written. */
    weir_text form = json_text(json_get(options, "value"));
    bool type = field->canonical == CANONICAL_TYPE, version = field->canonical == CANONICAL_VERSION;
    bool written =
        !from && ((type && text_is(form, "{subject}")) || (version && contains(form, "{version}")));
    bool fixed = type || version || field->canonical == CANONICAL_PAYLOAD;
    if (fixed && (value || fallback || generate || from) && !written)
        return FAIL_AT(compiler, key,
                       "field '%s' always comes from the event, it cannot have generate, value or default",
                       field->name);
    if (json_get(options, "prefix") && (!generate || field->generate == GENERATE_NOW))
        return FAIL_AT(compiler, key, "field '%s': prefix belongs to generate: uuid7 or ulid", field->name);
    return WEIR_OK;
}

static weir_code read_options(struct compiler *compiler, const json *options, struct place key,
                              struct dialect_field *field) {
    static const char *const generators[] = {"uuid7", "ulid", "now"};
    static const char *const forms[] = {"string", "integer"};
    int generate, form;
    WEIR_TRY(read_word(compiler, options, "generate", generators, 3, &generate));
    WEIR_TRY(read_word(compiler, options, "as", forms, 2, &form));
    WEIR_TRY(read_flag(compiler, options, "required", &field->required));
    field->generate = (enum generate)(generate + 1);
    field->integer = form == 1;
    const json *prefix = json_get(options, "prefix");
    if (prefix && (!json_is(prefix, JSON_STRING) || json_text(prefix).size > 32))
        return FAIL_AT(compiler, json_place(compiler->doc, prefix),
                       "field '%s': prefix must be a text of at most 32 bytes", field->name);
    field->prefix = arena_text(compiler->made->arena, json_text(prefix));
    WEIR_TRY(check_origin(compiler, options, key, field));
    const json *value = json_get(options, "value");
    value = value ? value : json_get(options, "default");
    return value ? read_value(compiler, value, field) : WEIR_OK;
}

weir_code compiler_read_field(struct compiler *compiler, const struct json_iter *it) {
    static const char *const known[] = {"at",     "header", "aliases", "from", "generate",
                                        "prefix", "value",  "default", "as",   "required"};
    struct place key = json_place(compiler->doc, it->key_value);
    dialect *made = compiler->made;
    if (made->fields.count == DIALECT_FIELDS_MAX)
        return FAIL_AT(compiler, key, "an envelope may have at most %d fields", DIALECT_FIELDS_MAX);
    struct dialect_field *field = list_add(made->arena, &made->fields);
    char name[SHOWN_MAX];
    field->name = compiler->field = arena_strdup(made->arena, shown(name, it->key));
    field->canonical = canonical_of_name(field->name);
    if (!json_is(it->value, JSON_OBJECT))
        return FAIL_AT(compiler, json_place(compiler->doc, it->value),
                       "field '%s' must be a mapping, like {at: /%s}", field->name, field->name);
    char what[SHOWN_MAX + 16];
    snprintf(what, sizeof what, "field '%s'", field->name);
    WEIR_TRY(compiler_check_keys(compiler, it->value, what, known, sizeof known / sizeof *known));
    WEIR_TRY(read_place(compiler, it->value, key, field));
    WEIR_TRY(check_collision(compiler, it->value, field));
    return read_options(compiler, it->value, key, field);
}
