/* SPDX-License-Identifier: Apache-2.0 */
/* Taking an envelope apart. Texts point into the tree; only the payload, which the rest of weir hands on as
 * text, is written once more (numbers keep their digits). */
#include "event/dialect.h"

#include <limits.h>

#include "base/fail.h"
#include "base/limits.h"
#include "event/dialect_model.h"

const json *dialect_path_value(const json *envelope, const struct dialect_path *path) {
    const json *value = envelope;
    for (size_t i = 0; i < path->depth && value; i++)
        value = json_get_text(value, path->tokens[i]);
    return value;
}

const json *dialect_field_value(const json *envelope, const struct dialect_field *field) {
    const json *value = dialect_path_value(envelope, &field->at);
    for (size_t i = 0; !value && i < field->aliases.count; i++)
        value = dialect_path_value(envelope, &field->aliases.items[i]);
    return value;
}

const json *dialect_value_at(const dialect *self, const json *envelope, weir_text pointer) {
    const json *value = json_pointer(envelope, pointer);
    for (size_t i = 0; !value && i < self->fields.count; i++) {
        const struct dialect_field *field = &self->fields.items[i];
        weir_text place = field->at.pointer;
        if (field->aliases.count && json_pointer_through(pointer, place))
            value = json_pointer(dialect_field_value(envelope, field),
                                 (weir_text){pointer.data + place.size, pointer.size - place.size});
    }
    return value;
}

static weir_code wrong_type(const struct dialect_field *field, const json *value, const char *wanted,
                            weir_error *err) {
    return weir_fail(err, WEIR_INVALID, "envelope %.*s: must be %s, is of type %s",
                     TEXT_ARG(field->at.pointer), wanted, json_type_name(json_type_of(value)));
}

/* Dialects write version 1 as 1, "1" and "1.0". */
int dialect_version_of(weir_text text) {
    int64_t number = 0;
    size_t i = 0;
    for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9' && number <= INT_MAX; i++)
        number = number * 10 + (text.data[i] - '0');
    bool good = i > 0 && number > 0 && number <= INT_MAX && (i == text.size || text.data[i] == '.');
    return good ? (int)number : 0;
}

static weir_code read_version(int *out, const struct dialect_field *field, const json *value,
                              weir_error *err) {
    weir_text text = json_is(value, JSON_NUMBER) ? json_number(value) : json_text(value);
    if (!text.data)
        return wrong_type(field, value, "a version number", err);
    *out = dialect_version_of(text);
    if (*out == 0)
        return weir_fail(err, WEIR_INVALID, "envelope %.*s: must be a version number from 1",
                         TEXT_ARG(field->at.pointer));
    return WEIR_OK;
}

static weir_text written(const json *value, arena *memory) {
    buffer text;
    buffer_init(&text, LIMIT_EVENT_BYTES);
    json_write(&text, value, false);
    weir_text kept = arena_text(memory, buffer_view(&text));
    buffer_release(&text);
    return kept;
}

static weir_code read_field(const struct dialect_field *field, weir_event *out, const json *value,
                            arena *memory, weir_error *err) {
    if (field->canonical == CANONICAL_VERSION)
        return read_version(&out->version, field, value, err);
    weir_text *text = canonical_of_event(out, field->canonical);
    if (field->canonical == CANONICAL_PAYLOAD)
        *text = written(value, memory);
    else if (json_is(value, JSON_STRING))
        *text = json_text(value);
    else if (json_is(value, JSON_NUMBER))
        *text = json_number(value);
    else
        return wrong_type(field, value, "a string", err);
    return WEIR_OK;
}

weir_code dialect_read(const dialect *self, weir_event *out, const json *envelope, arena *memory,
                       weir_error *err) {
    *out = (weir_event){0};
    if (!json_is(envelope, JSON_OBJECT))
        return weir_fail(err, WEIR_INVALID, "the envelope must be an object, is of type %s",
                         json_type_name(json_type_of(envelope)));
    for (int i = 0; i < CANONICAL_COUNT; i++) {
        const struct dialect_field *field = self->canonical[i];
        if (!field)
            continue;
        bool payload = i == CANONICAL_PAYLOAD;
        const json *value = dialect_field_value(envelope, field);
        if (value && (payload || !json_is(value, JSON_NULL))) {
            WEIR_TRY(read_field(field, out, value, memory, err));
            continue;
        }
        bool needed = field->required || payload || i == CANONICAL_ID || i == CANONICAL_TYPE;
        if (needed)
            return weir_fail(err, WEIR_INVALID, "the envelope has no %.*s, which is the event's %s",
                             TEXT_ARG(field->at.pointer), field->name);
    }
    return WEIR_OK;
}
