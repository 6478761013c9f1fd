/* SPDX-License-Identifier: Apache-2.0 */
/* Reads every document once before anything is compiled: a $ref may point forwards, into another resource, or
 * by an anchor, so all places must be known first. Only keywords that hold schemas are followed; an "$id"
 * inside `enum` is data. Documents from elsewhere are asked for (options.resolve) at most once each. */
#include "schema/references.h"

#include "base/fail.h"
#include "base/limits.h"
#include "schema/uri.h"
#include "schema/words.h"

enum { POINTER_BYTES = 1 << 20, PLACES_BYTES = 64 << 20 /* all pointers together */ };

void library_init(struct library *library, struct schema *schema, const struct schema_options *options) {
    *library = (struct library){
        .arena = schema->arena,
        .schema = schema,
        .options = options,
        .resources = map_new(),
        .spots = map_new(),
        .places = map_new(),
    };
}

void library_release(struct library *library) {
    for (size_t i = 0; i < library->all.count; i++) {
        struct resource *resource = library->all.items[i];
        map_free(resource->anchors);
        map_free(resource->dynamics);
        resource->anchors = resource->dynamics = NULL;
    }
    map_free(library->resources);
    map_free(library->spots);
    map_free(library->places);
}

static weir_text address(const json *const *value) {
    return (weir_text){(const char *)value, sizeof *value};
}

struct spot *library_spot(const struct library *library, const json *value) {
    return map_get(library->spots, address(&value));
}

/* --- vocabularies --------------------------------------------------------------------------------------- */

static const struct {
    const char *uri;
    unsigned bit;
} known_vocabularies[] = {
    {DRAFT_URI "vocab/core", 0},
    {DRAFT_URI "vocab/applicator", VOCABULARY_APPLICATOR},
    {DRAFT_URI "vocab/validation", VOCABULARY_VALIDATION},
    {DRAFT_URI "vocab/unevaluated", VOCABULARY_UNEVALUATED},
    {DRAFT_URI "vocab/format-assertion", VOCABULARY_FORMAT},
    {DRAFT_URI "vocab/format-annotation", 0},
    {DRAFT_URI "vocab/meta-data", 0},
    {DRAFT_URI "vocab/content", 0},
};

static weir_code read_vocabularies(unsigned *out, const json *list, weir_text uri, const char *where,
                                   weir_error *err) {
    for (struct json_iter it = json_iter(list); json_next(&it);) {
        bool known = false;
        for (size_t i = 0; i < sizeof known_vocabularies / sizeof *known_vocabularies; i++)
            if (text_is(it.key, known_vocabularies[i].uri)) {
                *out |= known_vocabularies[i].bit;
                known = true;
            }
        if (!known && json_true(it.value)) {
            weir_fail(err, WEIR_UNSUPPORTED,
                      "%s/$schema: '%.*s' requires the vocabulary '%.*s', which weir does not know", where,
                      TEXT_ARG(uri), TEXT_ARG(it.key));
            return weir_hint(err, "use the vocabularies of JSON Schema draft 2020-12");
        }
    }
    return WEIR_OK;
}

static unsigned usual_vocabularies(const struct library *library) {
    return VOCABULARIES_USUAL | (library->options->assert_format ? VOCABULARY_FORMAT : 0);
}

/* What a resource's $schema says about its keywords. */
static weir_code resource_dialect(struct library *library, struct resource *resource, const json *dialect,
                                  const char *where, weir_error *err) {
    if (!json_is(dialect, JSON_STRING))
        return weir_fail(err, WEIR_INVALID, "%s/$schema: must be a URI, is %s", where,
                         words_value(library->arena, dialect));
    weir_text uri = json_text(dialect);
    if (text_is(uri, DRAFT_URI "schema") || text_is(uri, DRAFT_URI "schema#")) {
        resource->vocabularies = usual_vocabularies(library);
        return WEIR_OK;
    }
    uri = uri_resolve(library->arena, weir_text_of(""), uri); /* without its fragment */
    const struct schema_options *options = library->options;
    const json *meta = options->resolve ? options->resolve(options->arg, uri) : NULL;
    if (!meta) {
        weir_fail(err, WEIR_UNSUPPORTED, "%s/$schema: '%s' is not a dialect weir knows", where,
                  words_text(library->arena, uri));
        return weir_hint(err, "weir reads JSON Schema draft 2020-12: write \"$schema\": \"" DRAFT_URI
                              "schema\" or leave it out");
    }
    const json *list = json_get(meta, "$vocabulary");
    if (!list)
        return WEIR_OK;
    resource->vocabularies = library->options->assert_format ? VOCABULARY_FORMAT : 0;
    return read_vocabularies(&resource->vocabularies, list, uri, where, err);
}

/* --- reading a document --------------------------------------------------------------------------------- */

static struct resource *resource_new(struct library *library, const json *root, weir_text uri,
                                     unsigned vocabularies) {
    struct resource *resource = arena_alloc(library->arena, sizeof *resource);
    resource->uri = arena_text(library->arena, uri);
    resource->root = root;
    resource->vocabularies = vocabularies;
    list_push(library->arena, &library->all, resource);
    return resource;
}

/* A schema with $id begins a resource of its own. */
static weir_code enter_resource(struct library *library, struct resource **resource, const json *schema,
                                const char *where, weir_error *err) {
    const json *id = json_get(schema, "$id");
    if (!id)
        return WEIR_OK;
    weir_text text = json_text(id);
    struct uri parts = uri_split(text);
    if (!text.data || parts.fragment.size) {
        weir_fail(err, WEIR_INVALID, "%s/$id: must be a URI without a fragment, is %s", where,
                  words_value(library->arena, id));
        return weir_hint(err, "name a place inside a schema with $anchor");
    }
    weir_text uri = uri_resolve(library->arena, (*resource)->uri, text);
    if ((*resource)->root != schema)
        *resource = resource_new(library, schema, uri, (*resource)->vocabularies);
    else
        (*resource)->uri = uri;
    struct resource *other = map_get(library->resources, uri);
    if (other && other->root != schema)
        return weir_fail(err, WEIR_INVALID, "%s/$id: two schemas have the URI '%s'", where,
                         words_text(library->arena, uri));
    map_put(library->resources, uri, *resource);
    return WEIR_OK;
}

static weir_code add_anchor(struct library *library, struct spot *spot, const char *keyword, bool dynamic,
                            weir_error *err) {
    const json *name = json_get(spot->value, keyword);
    if (!name)
        return WEIR_OK;
    weir_text text = json_text(name);
    bool good = text.size > 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i], low = (char)(c | 0x20);
        bool first = (low >= 'a' && low <= 'z') || c == '_';
        good = good && (first || (i && ((c >= '0' && c <= '9') || c == '-' || c == '.')));
    }
    if (!good) {
        weir_fail(err, WEIR_INVALID, "%s/%s: must be a name, is %s", spot->where, keyword,
                  words_value(library->arena, name));
        return weir_hint(err, "begin with a letter or _, go on with letters, digits, - _ and .");
    }
    struct resource *resource = spot->resource;
    if (!resource->anchors)
        resource->anchors = map_new();
    if (!resource->dynamics)
        resource->dynamics = map_new();
    struct spot *other = map_get(resource->anchors, text);
    if (other && other != spot)
        return weir_fail(err, WEIR_INVALID, "%s/%s: the anchor '%s' is also at %s", spot->where, keyword,
                         words_text(library->arena, text), other->where);
    map_put(resource->anchors, text, spot);
    if (dynamic)
        map_put(resource->dynamics, text, spot);
    return WEIR_OK;
}

static weir_code read_schema(struct library *library, const json *schema, struct resource *resource,
                             buffer *where, weir_error *err);

static weir_code read_children(struct library *library, const json *held, enum holds holds,
                               struct resource *resource, buffer *where, weir_error *err) {
    if (holds == HOLDS_SCHEMA)
        return read_schema(library, held, resource, where, err);
    if (!json_is(held, holds == HOLDS_ARRAY ? JSON_ARRAY : JSON_OBJECT))
        return WEIR_OK; /* compile says what is wrong with it */
    size_t index = 0;
    for (struct json_iter it = json_iter(held); json_next(&it); index++) {
        size_t size = where->size;
        if (holds == HOLDS_ARRAY)
            buffer_printf(where, "/%zu", index);
        else
            json_pointer_append(where, it.key);
        WEIR_TRY(read_schema(library, it.value, resource, where, err));
        where->size = size;
    }
    return WEIR_OK;
}

/* Each schema keeps its pointer, so a long name above many schemas would be there as often. */
static weir_code refuse_places(const buffer *where, weir_error *err) {
    weir_fail(err, WEIR_LIMIT, "%.200s%s: the pointers to the schemas need more than %d MiB together",
              where->data, where->size > 200 ? "..." : "", PLACES_BYTES >> 20);
    return weir_hint(err, "use shorter names for what holds many schemas");
}

static weir_code read_schema(struct library *library, const json *schema, struct resource *resource,
                             buffer *where, weir_error *err) {
    if (library_spot(library, schema))
        return WEIR_OK;
    if (where->overflow)
        return weir_fail(err, WEIR_LIMIT, "a place in the schema needs a pointer of more than %d bytes",
                         POINTER_BYTES);
    struct spot *spot = arena_alloc(library->arena, sizeof *spot);
    spot->value = schema;
    library->place_bytes += where->size;
    if (library->place_bytes > PLACES_BYTES)
        return refuse_places(where, err);
    spot->where = arena_cstr(library->arena, buffer_view(where));
    spot->resource = resource;
    map_put(library->spots, address(&schema), spot);
    map_put(library->places, weir_text_of(spot->where), spot);
    if (!json_is(schema, JSON_OBJECT))
        return WEIR_OK;
    WEIR_TRY(enter_resource(library, &resource, schema, spot->where, err));
    spot->resource = resource;
    const json *dialect = resource->root == schema ? json_get(schema, "$schema") : NULL;
    if (dialect)
        WEIR_TRY(resource_dialect(library, resource, dialect, spot->where, err));
    WEIR_TRY(add_anchor(library, spot, "$anchor", false, err));
    WEIR_TRY(add_anchor(library, spot, "$dynamicAnchor", true, err));
    for (struct json_iter it = json_iter(schema); json_next(&it);) {
        const struct keyword *keyword = keyword_find(it.key);
        if (!keyword || keyword->holds == HOLDS_NO_SCHEMA)
            continue;
        size_t size = where->size;
        buffer_printf(where, "/%s", keyword->name);
        WEIR_TRY(read_children(library, it.value, keyword->holds, resource, where, err));
        where->size = size;
    }
    return WEIR_OK;
}

static weir_code read_at(struct library *library, struct spot **out, const json *schema,
                         struct resource *resource, const char *where, weir_error *err) {
    buffer place;
    buffer_init(&place, POINTER_BYTES);
    buffer_string(&place, where);
    weir_code code = read_schema(library, schema, resource, &place, err);
    buffer_release(&place);
    *out = library_spot(library, schema);
    return code;
}

weir_code library_add(struct library *library, struct spot **out, const json *root, weir_text uri,
                      const char *where, weir_error *err) {
    struct resource *resource = resource_new(library, root, uri, usual_vocabularies(library));
    map_put(library->resources, resource->uri, resource);
    return read_at(library, out, root, resource, where, err);
}

/* --- finding -------------------------------------------------------------------------------------------- */

static weir_code find_resource(struct library *library, struct resource **out, weir_text uri,
                               weir_error *err) {
    *out = map_get(library->resources, uri);
    if (*out)
        return WEIR_OK;
    const struct schema_options *options = library->options;
    const json *root = metaschema_find(library->schema, uri);
    if (!root && options->resolve)
        root = options->resolve(options->arg, uri);
    if (!root) {
        weir_fail(err, WEIR_INVALID, "refers to '%s', which is not inside this schema",
                  words_text(library->arena, uri));
        return weir_hint(err, "put the schema under $defs and refer to it with #/$defs/NAME");
    }
    struct spot *spot = library_spot(library, root); /* the same document under another URI? */
    if (!spot)
        WEIR_TRY(library_add(library, &spot, root, uri, arena_printf(library->arena, "%.*s#", TEXT_ARG(uri)),
                             err));
    *out = spot->resource;
    map_put(library->resources, uri, *out);
    return WEIR_OK;
}

static bool is_schema(const json *value) {
    return json_is(value, JSON_OBJECT) || json_is(value, JSON_BOOL);
}

/* Follows a JSON Pointer from a resource's root. Places that no keyword leads to become known on the way. */
static weir_code find_pointer(struct library *library, struct spot **out, struct resource *resource,
                              weir_text pointer, weir_error *err) {
    struct spot *spot = library_spot(library, resource->root), *last = spot;
    const char *written = arena_printf(library->arena, "%s%.*s", spot->where, TEXT_ARG(pointer));
    *out = map_get(library->places, weir_text_of(written));
    if (*out && is_schema((*out)->value))
        return WEIR_OK; /* the usual way to write it; walking would take the size of $defs */
    const json *value = resource->root;
    size_t tail = 0; /* where the part of the pointer behind `last` begins */
    for (size_t at = 0; value && at < pointer.size;) {
        size_t end = at + 1;
        while (end < pointer.size && pointer.data[end] != '/')
            end++;
        value = json_pointer(value, (weir_text){pointer.data + at, end - at});
        at = end;
        spot = value ? library_spot(library, value) : NULL;
        if (spot) {
            last = spot;
            tail = at;
        }
    }
    if (!is_schema(value))
        return weir_fail(err, WEIR_INVALID,
                         value ? "refers to '%s', which is no schema" : "refers to '%s', where nothing is",
                         words_text(library->arena, pointer));
    *out = spot;
    if (spot)
        return WEIR_OK;
    const char *where =
        arena_printf(library->arena, "%s%.*s", last->where, (int)(pointer.size - tail), pointer.data + tail);
    return read_at(library, out, value, last->resource, where, err);
}

weir_code library_find(struct library *library, struct spot **out, weir_text *anchor,
                       const struct resource *from, weir_text reference, weir_error *err) {
    weir_text uri = uri_resolve(library->arena, from->uri, reference),
              fragment = uri_split(reference).fragment;
    struct resource *resource = NULL;
    *anchor = (weir_text){0};
    WEIR_TRY(find_resource(library, &resource, uri, err));
    if (fragment.data && !uri_decode(library->arena, &fragment, fragment))
        return weir_fail(err, WEIR_INVALID, "has a percent sign that is not followed by two hex digits");
    if (!fragment.size || fragment.data[0] == '/')
        return find_pointer(library, out, resource, fragment, err);
    *out = resource->anchors ? map_get(resource->anchors, fragment) : NULL;
    if (!*out) {
        weir_fail(err, WEIR_INVALID, "refers to the anchor '%s', which is nowhere",
                  words_text(library->arena, fragment));
        return weir_hint(err, "a place is written #/$defs/NAME; an anchor is set with \"$anchor\"");
    }
    *anchor = fragment;
    return WEIR_OK;
}
