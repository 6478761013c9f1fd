/* SPDX-License-Identifier: Apache-2.0 */
/* Running the list of operations: constant labels, field values, and the payload's own bytes. One pass, one
 * buffer; an object that stayed empty is cut off again. About 30 ns per field. */
#include "event/dialect.h"

#include "base/fail.h"
#include "base/ids.h"
#include "base/units.h"
#include "event/dialect_model.h"
#include "event/event_scratch.h"
#include "event/shown.h"
#include "event/subject.h"

/* --- completing ----------------------------------------------------------------------------------------- */

/* RFC 3339 in UTC, always with milliseconds, so that times of one producer sort as text. */
static void format_now(char out[UNITS_TEXT_MAX], int64_t wall_ns) {
    int64_t ms = wall_ns / NS_PER_MS;
    time_format(ms * NS_PER_MS, out);
    size_t size = strlen(out);
    if (ms % 1000 == 0 && size + 4 < UNITS_TEXT_MAX && size > 0)
        memcpy(out + size - 1, ".000Z", 6);
}

static weir_text generate(const struct dialect_field *field, int64_t wall_ns, arena *memory) {
    char made[UNITS_TEXT_MAX + 1];
    _Static_assert(sizeof made >= UUID_TEXT_SIZE && sizeof made >= ULID_TEXT_SIZE, "room for every kind");
    if (field->generate == GENERATE_UUID7)
        uuid7_format(made, wall_ns);
    else if (field->generate == GENERATE_ULID)
        ulid_format(made, wall_ns);
    else
        format_now(made, wall_ns);
    size_t size = strlen(made), prefix = field->prefix.data ? field->prefix.size : 0;
    char *text = arena_alloc(memory, prefix + size + 1);
    if (prefix)
        memcpy(text, field->prefix.data, prefix);
    memcpy(text + prefix, made, size);
    return (weir_text){text, prefix + size};
}

weir_code dialect_complete(const dialect *self, weir_draft *draft, const weir_clock *clock, arena *memory,
                           weir_error *err) {
    int64_t now = INT64_MIN; /* read at most once, so that id and time agree */
    for (size_t i = 0; i < self->generated_count; i++) {
        const struct dialect_field *field = self->generated[i];
        weir_text *text = (weir_text *)canonical_of_draft(draft, field->canonical);
        if (text->data)
            continue;
        if (now == INT64_MIN)
            now = clock->wall_ns(clock->self);
        *text = generate(field, now, memory);
    }
    if (draft->id.data)
        return WEIR_OK;
    weir_fail(err, WEIR_INVALID, "the event has no id, and the envelope '%s' generates none", self->name);
    weir_hint(err, "give an id, or write generate: uuid7 at the envelope's field id");
    return WEIR_INVALID;
}

/* --- writing -------------------------------------------------------------------------------------------- */

struct writer {
    buffer *out;
    const weir_draft *draft;
    const struct dialect_facts *facts;
    weir_error *err;
    size_t payload_at; /* where the payload's bytes begin in out */
    weir_text version; /* in digits */
    char digits[12], hour[10];
    char filled[DIALECT_VALUE_MAX]; /* a value: with its substitutions made */
};

/* 2026011912, in UTC, of a time that was checked. */
static weir_text hour_of(struct writer *writer) {
    int64_t ns;
    char text[UNITS_TEXT_MAX];
    if (!writer->draft->time.data || time_parse(&ns, writer->draft->time, NULL) != WEIR_OK)
        return (weir_text){NULL, 0};
    time_format(ns, text); /* 2026-01-19T12:... */
    static const char places[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12};
    for (size_t i = 0; i < sizeof places; i++)
        writer->hour[i] = text[(size_t)places[i]];
    return (weir_text){writer->hour, sizeof places};
}

static weir_text piece_of(struct writer *writer, const struct value_part *part) {
    switch (part->kind) {
    case VALUE_TEXT:
        return part->text;
    case VALUE_TYPE_TOKEN:
        return subject_token(writer->draft->type, part->token);
    case VALUE_TYPE:
        return writer->draft->type;
    case VALUE_VERSION:
        return writer->version;
    case VALUE_SOURCE:
        return writer->draft->source;
    case VALUE_SUBJECT:
        return writer->facts->subject;
    case VALUE_ENTITY:
        return writer->facts->entity;
    case VALUE_ACTION:
        return writer->facts->action;
    case VALUE_HOUR:
        return hour_of(writer);
    }
    return (weir_text){NULL, 0};
}

/* A value that is made of something the event does not have stays absent; only a type's token must be there. */
static weir_code fill_value(struct writer *writer, const struct dialect_field *field, weir_text *text) {
    size_t size = 0;
    for (size_t i = 0; i < field->value.count; i++) {
        const struct value_part *part = &field->value.items[i];
        weir_text piece = piece_of(writer, part);
        if (!piece.data && part->kind != VALUE_TYPE_TOKEN)
            return WEIR_OK;
        if (!piece.data)
            return weir_fail(writer->err, WEIR_INVALID, "field '%s': the type has no token %zu", field->name,
                             part->token);
        if (piece.size > sizeof writer->filled - size)
            return weir_fail(writer->err, WEIR_INVALID, "field '%s': its value is longer than %d bytes",
                             field->name, DIALECT_VALUE_MAX);
        memcpy(writer->filled + size, piece.data, piece.size);
        size += piece.size;
    }
    *text = (weir_text){writer->filled, size};
    return WEIR_OK;
}

static bool is_integer(weir_text text) {
    size_t start = text.size > 0 && text.data[0] == '-';
    if (text.size <= start || text.size > 19 || (text.data[start] == '0' && text.size > start + 1))
        return false;
    for (size_t i = start; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

/* What the event itself says where the draft's field does not: another dialect's text, or the payload's. */
static weir_code given_text(struct writer *writer, const struct dialect_field *field, weir_text *text) {
    const struct dialect_facts *facts = writer->facts;
    bool version = field->canonical == CANONICAL_VERSION;
    if (version && facts->version.data)
        *text = facts->version;
    else if (version && writer->draft->version > 0 && field->value.count == 0)
        *text = writer->version;
    else if (field->canonical == CANONICAL_FREE && facts->own)
        *text = facts->own(facts->arg, field);
    if (text->data || !field->from.data)
        return WEIR_OK;
    return event_text_at(text, json_pointer(facts->payload, field->from), field->name, field->from.data,
                         writer->err);
}

static weir_code find_elsewhere(struct writer *writer, const struct dialect_field *field, weir_text *text) {
    *text = (weir_text){NULL, 0};
    if (field == writer->facts->omit)
        return WEIR_OK;
    WEIR_TRY(given_text(writer, field, text));
    bool unversioned = field->canonical == CANONICAL_VERSION && writer->draft->version <= 0;
    if (!text->data && field->value.count > 0 && !unversioned)
        WEIR_TRY(fill_value(writer, field, text));
    if (text->data || !field->required || field->literal.data)
        return WEIR_OK;
    weir_fail(writer->err, WEIR_INVALID, "field '%s' is required, and the event does not have it",
              field->name);
    return weir_hint(writer->err, "give it with the event, or give it a default: in the envelope");
}

/* The field's text, absent when it is to be left out. Where the type has a value, that is how it is written. */
static weir_code find_text(struct writer *writer, const struct dialect_field *field, weir_text *text) {
    const weir_text *given = canonical_of_draft(writer->draft, field->canonical);
    bool written_so = field->canonical == CANONICAL_TYPE && field->value.count > 0;
    if (given && given->data && !written_so)
        *text = *given;
    else
        WEIR_TRY(find_elsewhere(writer, field, text));
    if (text->data && field->integer && !is_integer(*text)) {
        char wrong[SHOWN_MAX];
        return weir_fail(writer->err, WEIR_INVALID, "field '%s' must be an integer, it is '%s'", field->name,
                         shown(wrong, *text));
    }
    return WEIR_OK;
}

/* Bytes that stand for themselves in a JSON string; anything else takes the slow way. */
static const bool itself[256] = {[0x20 ... 0x21] = true, [0x23 ... 0x5B] = true, [0x5D ... 0x7F] = true};

static bool needs_no_escape(weir_text text) {
    bool all = true;
    for (size_t i = 0; i < text.size; i++)
        all &= itself[(unsigned char)text.data[i]];
    return all;
}

/* Labels begin with their comma and, for strings, end with the opening quote: a usual field is three copies. */
static void write_string(buffer *out, weir_text label, weir_text text) {
    if (!needs_no_escape(text)) {
        buffer_append(out, label.data, label.size - 1);
        json_write_string(out, text);
        return;
    }
    char *room = buffer_room(out, label.size + text.size + 1);
    if (!room)
        return;
    memcpy(room, label.data, label.size);
    memcpy(room + label.size, text.data, text.size);
    room[label.size + text.size] = '"';
}

static weir_code write_field(struct writer *writer, const struct dialect_op *op, bool *comma) {
    weir_text text, label = op->label;
    WEIR_TRY(find_text(writer, op->field, &text));
    if (!text.data && !op->field->literal.data)
        return WEIR_OK;
    if (!*comma)
        label = (weir_text){label.data + 1, label.size - 1};
    *comma = true;
    if (op->quoted) {
        write_string(writer->out, label, text);
        return WEIR_OK;
    }
    buffer_text(writer->out, label);
    if (op->field->canonical == CANONICAL_PAYLOAD)
        writer->payload_at = writer->out->size;
    buffer_text(writer->out, text.data ? text : op->field->literal);
    return WEIR_OK;
}

/* Forgets what was written after `size`. */
static void cut(buffer *out, size_t size) {
    if (size >= out->size)
        return;
    out->size = size;
    out->data[size] = '\0';
}

static weir_code write_all(struct writer *writer, const dialect *self) {
    struct {
        size_t size; /* of the buffer before the object's comma */
        bool comma;
    } open[DIALECT_DEPTH_MAX];
    size_t depth = 0;
    bool comma = false;
    buffer_char(writer->out, '{');
    for (size_t i = 0; i < self->ops.count; i++) {
        const struct dialect_op *op = &self->ops.items[i];
        if (op->kind == OP_FIELD) {
            WEIR_TRY(write_field(writer, op, &comma));
        } else if (op->kind == OP_OPEN) {
            open[depth].size = writer->out->size;
            open[depth++].comma = comma;
            weir_text label = comma ? op->label : (weir_text){op->label.data + 1, op->label.size - 1};
            buffer_text(writer->out, label);
            comma = false;
        } else if (comma) {
            buffer_char(writer->out, '}');
            depth--;
        } else {
            comma = open[--depth].comma;
            cut(writer->out, open[depth].size);
        }
    }
    buffer_char(writer->out, '}');
    return WEIR_OK;
}

static weir_text digits_of(int number, char room[12]) {
    char *at = room + 12;
    for (unsigned left = (unsigned)number; left > 0 || at == room + 12; left /= 10)
        *--at = (char)('0' + left % 10);
    return (weir_text){at, (size_t)(room + 12 - at)};
}

weir_code dialect_write_marked(const dialect *self, buffer *out, const weir_draft *draft,
                               const struct dialect_facts *facts, size_t *payload_at, weir_error *err) {
    WEIR_ASSERT(!self->headers);
    struct writer writer; /* not zeroed: it holds 2 KiB of room */
    writer.out = out;
    writer.draft = draft;
    writer.facts = facts;
    writer.err = err;
    writer.version = digits_of(draft->version, writer.digits);
    WEIR_TRY(write_all(&writer, self));
    if (out->overflow)
        return weir_fail(err, WEIR_LIMIT, "the envelope is larger than %zu bytes", out->bound);
    *payload_at = writer.payload_at;
    return WEIR_OK;
}

weir_code dialect_field_text(const struct dialect_field *field, const weir_draft *draft,
                             const struct dialect_facts *facts, arena *memory, weir_text *out,
                             weir_error *err) {
    struct writer writer;
    writer.draft = draft;
    writer.facts = facts;
    writer.err = err;
    writer.version = digits_of(draft->version, writer.digits);
    WEIR_TRY(find_text(&writer, field, out));
    *out = arena_text(memory, out->data ? *out : field->literal);
    return WEIR_OK;
}

weir_code dialect_write(const dialect *self, buffer *out, const weir_draft *draft, weir_error *err) {
    static const struct dialect_facts none;
    size_t ignored;
    return dialect_write_marked(self, out, draft, &none, &ignored, err);
}
