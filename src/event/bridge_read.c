/* SPDX-License-Identifier: Apache-2.0 */
/* From a message to one event. A structured event is parsed and its fields are read where they stand; the
 * members that no field claims are kept as extras. A binary one has its fields in headers; they are put into
 * an object, so that the same schema judges both forms. */
#include "event/bridge.h"

#include <strings.h>

#include "base/base64.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "event/header_text.h"
#include "event/shown.h"

struct reader {
    struct bridge_event *event;
    const dialect *from;
    const weir_message *in;
    event_scratch *scratch;
    weir_error *err;
    const json *envelope;                                       /* of a structured event */
    const struct dialect_path *claimed[DIALECT_FIELDS_MAX + 1]; /* where fields were found in it */
    size_t claimed_count;
    weir_text content_type;
};

static void add_extra(struct reader *reader, weir_text name, weir_text text, enum json_type type) {
    struct bridge_extra extra = {name, text, type};
    list_push(reader->scratch->arena, &reader->event->extras, extra);
}

/* A field's text goes to its place in the draft; those of the dialect's own wait, because whether they say
 * anything depends on the others. */
static void take_text(struct reader *reader, const struct dialect_field *field, weir_text text,
                      enum json_type type) {
    struct bridge_event *event = reader->event;
    if (field->canonical == CANONICAL_VERSION) {
        event->version = text;
        event->draft.version = dialect_version_of(text);
    } else if (field->canonical == CANONICAL_FREE) {
        add_extra(reader, weir_text_of(field->name), text, type);
    } else {
        *(weir_text *)canonical_of_draft(&event->draft, field->canonical) = text;
    }
}

static weir_code missing(const struct dialect_field *field, weir_error *err) {
    if (field->header.data)
        return weir_fail(err, WEIR_INVALID, "the event has no header %.*s, which is its %s",
                         TEXT_ARG(field->header), field->name);
    return weir_fail(err, WEIR_INVALID, "the envelope has no %.*s, which is the event's %s",
                     TEXT_ARG(field->at.pointer), field->name);
}

static bool needed(const struct dialect_field *field) {
    return field->required || field->canonical == CANONICAL_ID || field->canonical == CANONICAL_TYPE;
}

/* --- structured ----------------------------------------------------------------------------------------- */

static weir_text compact(const json *value, arena *memory) {
    buffer text;
    buffer_init(&text, LIMIT_EVENT_BYTES);
    json_write(&text, value, false);
    weir_text kept = arena_text(memory, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

static weir_text value_text(const json *value, arena *memory) {
    switch (json_type_of(value)) {
    case JSON_STRING:
        return json_text(value);
    case JSON_NUMBER:
        return json_number(value);
    case JSON_NULL:
        return (weir_text){NULL, 0};
    case JSON_BOOL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return compact(value, memory);
}

/* Where the field stands: at its place, or at an alias. */
static const struct dialect_path *path_of(const json *envelope, const struct dialect_field *field) {
    for (size_t i = 0; !dialect_path_value(envelope, &field->at) && i < field->aliases.count; i++)
        if (dialect_path_value(envelope, &field->aliases.items[i]))
            return &field->aliases.items[i];
    return &field->at;
}

static weir_code read_member(struct reader *reader, const struct dialect_field *field) {
    const struct dialect_path *path = path_of(reader->envelope, field);
    const json *value = dialect_path_value(reader->envelope, path);
    struct bridge_event *event = reader->event;
    bool payload = field->canonical == CANONICAL_PAYLOAD;
    reader->claimed[reader->claimed_count++] = path;
    if (payload && value) {
        event->kind = BRIDGE_JSON;
        event->payload = value;
        event->draft.payload = json_raw(reader->in->body, path->tokens, path->depth);
        return WEIR_OK;
    }
    bool nested = json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY);
    if (nested && field->canonical != CANONICAL_FREE)
        return weir_fail(reader->err, WEIR_INVALID, "envelope %.*s: must be a string, is of type %s",
                         TEXT_ARG(path->pointer), json_type_name(json_type_of(value)));
    if (value && !json_is(value, JSON_NULL))
        take_text(reader, field, value_text(value, reader->scratch->arena), json_type_of(value));
    else if (needed(field) || (payload && !reader->from->attributes))
        return missing(field, reader->err);
    return WEIR_OK;
}

/* 1: a field stands exactly here. -1: one stands further in. 0: none does. */
static int claim(const struct reader *reader, const weir_text *tokens, size_t depth) {
    int result = 0;
    for (size_t i = 0; i < reader->claimed_count; i++) {
        const struct dialect_path *path = reader->claimed[i];
        bool through = path->depth >= depth;
        for (size_t t = 0; t < depth && through; t++)
            through = text_equal(path->tokens[t], tokens[t]);
        if (through && path->depth == depth)
            return 1;
        result = through ? -1 : result;
    }
    return result;
}

/* Members that no field claims. Recursion ends at DIALECT_DEPTH_MAX, the depth of the deepest claim. */
static void read_rest(struct reader *reader, const json *object, weir_text *tokens, size_t depth) {
    arena *memory = reader->scratch->arena;
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        tokens[depth] = it.key;
        int claimed = claim(reader, tokens, depth + 1);
        if (claimed == 1 || json_is(it.value, JSON_NULL))
            continue;
        if (claimed == -1 && json_is(it.value, JSON_OBJECT)) {
            read_rest(reader, it.value, tokens, depth + 1);
            continue;
        }
        buffer pointer;
        buffer_init(&pointer, LIMIT_EVENT_BYTES);
        for (size_t i = 0; i <= depth; i++)
            json_pointer_append(&pointer, tokens[i]);
        weir_text name = depth == 0 ? it.key : arena_text(memory, buffer_view(&pointer));
        buffer_release(&pointer);
        add_extra(reader, name, value_text(it.value, memory), json_type_of(it.value));
    }
}

/* data_base64 is no extension but another form of data. */
static weir_code take_base64(struct reader *reader) {
    struct bridge_event *event = reader->event;
    static const struct dialect_path place = {{"/data_base64", 12}, {{"data_base64", 11}}, 1};
    const json *value = json_get(reader->envelope, "data_base64");
    if (!value || !reader->from->attributes)
        return WEIR_OK;
    reader->claimed[reader->claimed_count++] = &place;
    if (event->kind != BRIDGE_NOTHING)
        return weir_fail(reader->err, WEIR_INVALID, "the event has both data and data_base64");
    event->kind = BRIDGE_BYTES;
    if (!base64_read(&event->draft.payload, json_text(value), reader->scratch->arena))
        return weir_fail(reader->err, WEIR_INVALID, "envelope /data_base64: must be base64");
    return WEIR_OK;
}

static weir_code read_structured(struct reader *reader) {
    event_scratch *scratch = reader->scratch;
    weir_text tokens[DIALECT_DEPTH_MAX + 1];
    weir_code code =
        json_pool_parse(&reader->envelope, scratch->envelope_pool, reader->in->body, reader->err);
    if (code != WEIR_OK) {
        weir_prefix(reader->err, "the event is not valid JSON");
        return code;
    }
    if (!json_is(reader->envelope, JSON_OBJECT))
        return weir_fail(reader->err, WEIR_INVALID, "the envelope must be an object, is of type %s",
                         json_type_name(json_type_of(reader->envelope)));
    for (size_t i = 0; i < reader->from->fields.count; i++)
        WEIR_TRY(read_member(reader, &reader->from->fields.items[i]));
    WEIR_TRY(event_check_schema(scratch->run, dialect_schema(reader->from), reader->envelope, "envelope",
                                reader->err));
    WEIR_TRY(take_base64(reader));
    read_rest(reader, reader->envelope, tokens, 0);
    return WEIR_OK;
}

/* --- binary --------------------------------------------------------------------------------------------- */

static bool is_header(const weir_header *header, weir_text name) {
    return header->name.size == name.size && strncasecmp(header->name.data, name.data, name.size) == 0;
}

/* Absent when there is none. */
static weir_code find_header(struct reader *reader, weir_text name, weir_text *out) {
    const weir_header *found = NULL;
    for (size_t i = 0; i < reader->in->header_count; i++) {
        const weir_header *header = &reader->in->headers[i];
        if (!is_header(header, name))
            continue;
        if (found)
            return weir_fail(reader->err, WEIR_INVALID, "the header %.*s stands twice", TEXT_ARG(name));
        found = header;
    }
    *out = (weir_text){NULL, 0};
    if (!found)
        return WEIR_OK;
    weir_code code = header_text_read(out, found->value, reader->scratch->arena, reader->err);
    if (code != WEIR_OK)
        weir_prefix(reader->err, "header %.*s", TEXT_ARG(name));
    return code;
}

static const struct dialect_field *field_of_header(const dialect *from, const weir_header *header) {
    for (size_t i = 0; i < from->fields.count; i++)
        if (from->fields.items[i].header.data && is_header(header, from->fields.items[i].header))
            return &from->fields.items[i];
    return NULL;
}

static weir_code read_header_fields(struct reader *reader) {
    for (size_t i = 0; i < reader->from->fields.count; i++) {
        const struct dialect_field *field = &reader->from->fields.items[i];
        weir_text text;
        if (field->canonical == CANONICAL_PAYLOAD)
            continue;
        WEIR_TRY(find_header(reader, field->header, &text));
        bool http = !text.data && strcmp(field->name, "datacontenttype") == 0;
        if (http) /* the name it has there */
            WEIR_TRY(find_header(reader, weir_text_of("content-type"), &text));
        if (!text.data || (http && text.size == 0)) {
            if (needed(field))
                return missing(field, reader->err);
            continue;
        }
        take_text(reader, field, text, JSON_STRING);
        bridge_put_attribute(&reader->scratch->skeleton, field, text);
    }
    return bridge_check_attributes(reader->from, &reader->scratch->skeleton, reader->scratch, reader->err);
}

static weir_code read_header_rest(struct reader *reader) {
    arena *memory = reader->scratch->arena;
    for (size_t i = 0; i < reader->in->header_count && reader->from->attributes; i++) {
        const weir_header *header = &reader->in->headers[i];
        weir_text text, name = header->name;
        if (name.size <= 3 || strncasecmp(name.data, "ce-", 3) != 0 || field_of_header(reader->from, header))
            continue;
        char wrong[SHOWN_MAX];
        for (size_t c = 0; c < name.size; c++)
            if (name.data[c] <= ' ' || name.data[c] == ':' || name.data[c] > '~')
                return weir_fail(reader->err, WEIR_INVALID, "'%s' is no name of a header",
                                 shown(wrong, name));
        WEIR_TRY(find_header(reader, name, &text));
        char *lower = arena_copy(memory, name.data + 3, name.size - 3);
        for (char *c = lower; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        add_extra(reader, (weir_text){lower, name.size - 3}, text, JSON_STRING);
    }
    return WEIR_OK;
}

void bridge_put_attribute(buffer *object, const struct dialect_field *field, weir_text text) {
    buffer_char(object, object->size ? ',' : '{');
    json_write_string(object, bridge_attribute(field));
    buffer_char(object, ':');
    json_write_string(object, text);
}

weir_code bridge_check_attributes(const dialect *self, buffer *object, event_scratch *scratch,
                                  weir_error *err) {
    const json *value;
    if (!dialect_schema(self))
        return WEIR_OK;
    buffer_string(object, object->size ? "}" : "{}");
    /* Not the envelope's pool: the event's texts may stand there. */
    WEIR_TRY(json_pool_parse(&value, scratch->payload_pool, buffer_view(object), err));
    return event_check_schema(scratch->run, dialect_schema(self), value, "attribute", err);
}

static weir_code read_binary(struct reader *reader) {
    struct bridge_event *event = reader->event;
    WEIR_TRY(read_header_fields(reader));
    WEIR_TRY(read_header_rest(reader));
    event->draft.payload = reader->in->body;
    event->kind = reader->in->body.size ? BRIDGE_BYTES : BRIDGE_NOTHING;
    return WEIR_OK;
}

/* --- both ----------------------------------------------------------------------------------------------- */

weir_text bridge_extra_text(const struct bridge_event *event, const char *name) {
    for (size_t i = 0; i < event->extras.count; i++)
        if (text_is(event->extras.items[i].name, name))
            return event->extras.items[i].text;
    return (weir_text){NULL, 0};
}

/* "application/json", "text/json; charset=utf-8", "application/vnd.acme+json". */
static bool json_type_named(weir_text type) {
    const char *semicolon = memchr(type.data, ';', type.size);
    size_t size = semicolon ? (size_t)(semicolon - type.data) : type.size;
    while (size > 0 && type.data[size - 1] == ' ')
        size--;
    return size > 5 && (strncasecmp(type.data + size - 5, "/json", 5) == 0 ||
                        strncasecmp(type.data + size - 5, "+json", 5) == 0);
}

/* Are the bytes JSON after all, or is the JSON string a text of another type? */
static weir_code settle_payload(struct reader *reader) {
    struct bridge_event *event = reader->event;
    weir_text type = bridge_extra_text(event, "datacontenttype");
    bool named = type.data && json_type_named(type), other = type.data && !named;
    if (event->kind == BRIDGE_JSON && other && json_is(event->payload, JSON_STRING)) {
        event->kind = BRIDGE_BYTES;
        event->draft.payload = json_text(event->payload);
    }
    if (event->kind != BRIDGE_BYTES || other)
        return WEIR_OK;
    weir_error fault;
    if (json_pool_parse(&event->payload, reader->scratch->payload_pool, event->draft.payload, &fault) ==
        WEIR_OK)
        event->kind = BRIDGE_JSON;
    else if (named)
        return weir_fail(reader->err, WEIR_INVALID,
                         "the data is not valid JSON, as its content type says: %s", fault.message);
    return WEIR_OK;
}

/* What a field of the dialect's own says that the dialect would say by itself is no news. */
static void drop_derived(struct reader *reader) {
    struct bridge_event *event = reader->event;
    arena *memory = reader->scratch->arena;
    struct dialect_facts facts = {.subject = event->draft.type, .payload = event->payload};
    size_t kept = 0;
    for (size_t i = 0; i < event->extras.count; i++) {
        struct bridge_extra *extra = &event->extras.items[i];
        weir_text own = {NULL, 0};
        for (size_t f = 0; f < reader->from->fields.count; f++) {
            const struct dialect_field *field = &reader->from->fields.items[f];
            if (field->canonical == CANONICAL_FREE && text_is(extra->name, field->name) &&
                dialect_field_text(field, &event->draft, &facts, memory, &own, NULL) != WEIR_OK)
                own = (weir_text){NULL, 0};
        }
        if (!own.data || !text_equal(own, extra->text))
            event->extras.items[kept++] = *extra;
    }
    event->extras.count = kept;
}

static const weir_text *draft_field(const void *draft, int field) {
    return canonical_of_draft(draft, (enum canonical)field);
}

static weir_code check_time(weir_text time, weir_error *err) {
    int64_t ignored;
    if (!time.data || time_parse(&ignored, time, err) != WEIR_INVALID)
        return WEIR_OK; /* beyond our years it is a time all the same */
    weir_prefix(err, "the event's time");
    return WEIR_INVALID;
}

weir_code bridge_read(struct bridge_event *out, const dialect *from, const weir_message *in,
                      event_scratch *scratch, weir_error *err) {
    *out = (struct bridge_event){0};
    struct reader reader = {.event = out, .from = from, .in = in, .scratch = scratch, .err = err};
    if (in->body.size > LIMIT_EVENT_BYTES)
        return weir_fail(err, WEIR_LIMIT, "the event is %zu bytes long, at most %d are allowed",
                         in->body.size, LIMIT_EVENT_BYTES);
    WEIR_TRY(from->headers ? read_binary(&reader) : read_structured(&reader));
    WEIR_TRY(event_check_fields(&out->draft, draft_field, err));
    WEIR_TRY(check_time(out->draft.time, err));
    WEIR_TRY(settle_payload(&reader));
    drop_derived(&reader);
    return WEIR_OK;
}
