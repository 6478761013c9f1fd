/* SPDX-License-Identifier: Apache-2.0 */
/* Values come in binary form, each as its type has it, or as text where somebody's own table has types we do not know. An
 * INSERT carries every value: "unchanged" is said of rows that were updated, by a publication that is not ours. */
#include "store/wal_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/units.h"
#include "store/pg_outbox.h"
#include "store/row_defect.h"
#include "store/wal_bytes.h"

const char *const wal_field_names[WAL_FIELDS] = {
    "pos",    "id",    "type", "payload",         "key",     "tenant",      "actor",     "actor_kind",
    "source", "trace", "span", "idempotency_key", "version", "occurred_at", "created_at"};

/* --- the table -------------------------------------------------------------------------------------- */

static enum wal_field field_named(weir_text column, const char *const names[WAL_FIELDS]) {
    for (int field = 0; field < WAL_FIELDS; field++)
        if (names[field] && text_is(column, names[field]))
            return (enum wal_field)field;
    return WAL_FIELD_none;
}

weir_code wal_table_read(struct wal_table *table, const struct pgoutput *relation,
                         const char *const names[WAL_FIELDS], const char *uuid, weir_error *err) {
    static const enum wal_field needed[] = {WAL_FIELD_pos, WAL_FIELD_id, WAL_FIELD_type, WAL_FIELD_payload};
    unsigned found = 0;
    table->relation = relation->relation;
    table->uuid = uuid;
    table->count = relation->column_count;
    for (size_t i = 0; i < relation->column_count; i++) {
        enum wal_field field = field_named(relation->columns[i].name, names);
        table->columns[i] = (struct wal_column){field, relation->columns[i].type};
        found |= 1u << field;
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!(found & 1u << needed[i]))
            return weir_fail(err, WEIR_INVALID, "the log tells of the table %.*s without its column for %s",
                             TEXT_ARG(relation->name), wal_field_names[needed[i]]);
    return WEIR_OK;
}

/* --- values ------------------------------------------------------------------------------------------ */

struct reading {
    struct outbox_row *row;
    arena *arena;
    const char *uuid;
    bool timeless; /* it says when it happened, and that is no time */
};

/* A number in binary form, or as text. */
static bool read_int(const struct pgoutput_value *value, int64_t *out) {
    size_t size = value->data.size;
    if (value->format == 'b' && (size == 2 || size == 4 || size == 8)) {
        *out = pg_read_int(value->data.data, size);
        return true;
    }
    char digits[24], *end;
    if (value->format != 't' || size == 0 || size >= sizeof digits)
        return false;
    memcpy(digits, value->data.data, size);
    digits[size] = 0;
    *out = strtoll(digits, &end, 10);
    return *end == 0;
}

static bool is_number(uint32_t type) {
    return type == PG_INT2 || type == PG_INT4 || type == PG_INT8;
}

static bool is_text(uint32_t type) {
    return type == PG_TEXT || type == PG_JSON || type == PG_VARCHAR || type == PG_BPCHAR || type == PG_NAME;
}

static weir_text printed_int(const struct pgoutput_value *value, arena *arena) {
    int64_t number = pg_read_int(value->data.data, value->data.size);
    return weir_text_of(arena_printf(arena, "%lld", (long long)number));
}

/* The blanks of char(n) are no part of it. */
static weir_text without_padding(weir_text text) {
    while (text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* The text of a value, as the cast to text has it; false: its type has none we know. */
static bool text_of(const struct pgoutput_value *value, uint32_t type, arena *arena, weir_text *out) {
    char uuid[37];
    size_t size = value->data.size;
    *out = type == PG_BPCHAR ? without_padding(value->data) : value->data;
    if (value->format == 't' || is_text(type))
        return true;
    if (type == PG_JSONB && size > 0 && value->data.data[0] == 1)
        *out = (weir_text){value->data.data + 1, size - 1};
    else if (type == PG_UUID && size == 16)
        *out = weir_text_of(arena_strdup(arena, pg_read_uuid(value->data.data, uuid)));
    else if ((type == PG_INT2 && size == 2) || (type == PG_INT4 && size == 4) ||
             (type == PG_INT8 && size == 8))
        *out = printed_int(value, arena);
    else
        return false;
    return true;
}

/* --- fields ------------------------------------------------------------------------------------------- */

static const struct text_field {
    enum wal_field field;
    size_t offset; /* of its weir_text in a weir_draft */
    size_t bytes_max;
    bool required;
} text_fields[] = {
#define TEXT_FIELD(name, required) {WAL_FIELD_##name, offsetof(weir_draft, name), LIMIT_ID_BYTES, required},
    ROW_TEXTS(TEXT_FIELD)
#undef TEXT_FIELD
        {WAL_FIELD_payload, offsetof(weir_draft, payload), LIMIT_EVENT_BYTES, true},
};

/* As the view of the table has it: numbers would be other outboxes' ids, too. */
static weir_text id_of(const struct reading *reading, uint32_t type, weir_text text) {
    if (!is_number(type))
        return text;
    return weir_text_of(arena_printf(reading->arena, "%s-%.*s", reading->uuid, TEXT_ARG(text)));
}

static void read_text(struct reading *reading, const struct text_field *field, uint32_t type,
                      const struct pgoutput_value *value) {
    const char *name = wal_field_names[field->field], *defect = NULL;
    weir_text text = {0};
    if (value->format != 'n' && !text_of(value, type, reading->arena, &text))
        defect = arena_printf(reading->arena, "%s is of a type that cannot be read from the log", name);
    else
        defect = row_text_defect(name, text, field->bytes_max, field->required, reading->arena);
    row_spoil(reading->row, defect);
    if (!defect && field->field == WAL_FIELD_id)
        text = id_of(reading, type, text);
    if (!defect)
        *(weir_text *)((char *)&reading->row->draft + field->offset) = text;
}

static void read_version(struct reading *reading, const struct pgoutput_value *value) {
    int64_t version;
    if (value->format == 'n')
        return;
    if (read_int(value, &version))
        row_version(reading->row, version, reading->arena);
    else
        row_spoil(reading->row, ROW_VERSION_DEFECT);
}

/* Microseconds since 1970. */
static int64_t read_time(const struct pgoutput_value *value) {
    char text[40];
    int64_t ns;
    size_t size = value->data.size;
    if (value->format == 'b')
        return size == 8 ? pg_read_time(value->data.data) : PG_INFINITY;
    if (value->format != 't' || size < 19 || size > sizeof text - 4)
        return PG_INFINITY;
    memcpy(text, value->data.data, size); /* "2025-11-14 12:00:00.123456+00", or without a zone */
    text[10] = 'T';
    size_t zone = memchr(text + 19, '+', size - 19) ? size - 3 : size;
    memcpy(text + zone, "Z", 2);
    return time_parse(&ns, weir_text_of(text), NULL) == WEIR_OK ? ns / NS_PER_US : PG_INFINITY;
}

static void read_created(struct reading *reading, const struct pgoutput_value *value) {
    int64_t us = value->format == 'n' ? 0 : read_time(value);
    reading->row->created_us = pg_outbox_has_ns(us) ? us : 0;
}

static void read_occurred(struct reading *reading, const struct pgoutput_value *value) {
    char text[UNITS_TEXT_MAX];
    int64_t us = value->format == 'n' ? 0 : read_time(value);
    reading->timeless = !pg_outbox_has_ns(us);
    if (reading->timeless)
        row_spoil(reading->row, ROW_OCCURRED_DEFECT);
    else if (value->format != 'n')
        reading->row->draft.time =
            weir_text_of(arena_strdup(reading->arena, time_format(us * NS_PER_US, text)));
}

/* An event without a time of its own happened when it was written. */
static void finish_time(struct reading *reading) {
    char text[UNITS_TEXT_MAX];
    struct outbox_row *row = reading->row;
    if (!row->draft.time.data && !reading->timeless && row->created_us)
        row->draft.time = weir_text_of(arena_strdup(reading->arena, pg_outbox_time(row->created_us, text)));
}

static void read_field(struct reading *reading, const struct wal_column *column,
                       const struct pgoutput_value *value) {
    if (column->field == WAL_FIELD_version)
        read_version(reading, value);
    else if (column->field == WAL_FIELD_occurred_at)
        read_occurred(reading, value);
    else if (column->field == WAL_FIELD_created_at)
        read_created(reading, value);
    for (size_t i = 0; i < sizeof text_fields / sizeof *text_fields; i++)
        if (text_fields[i].field == column->field)
            read_text(reading, &text_fields[i], column->type, value);
}

weir_code wal_row_read(struct outbox_row *row, const struct wal_table *table, const struct pgoutput *insert,
                       arena *arena, weir_error *err) {
    struct reading reading = {.row = row, .arena = arena, .uuid = table->uuid};
    *row = (struct outbox_row){0};
    if (insert->relation != table->relation || insert->column_count != table->count)
        return weir_fail(err, WEIR_INVALID,
                         "the log tells of a row with %zu values, its table has %zu columns",
                         insert->column_count, table->count);
    for (size_t i = 0; i < table->count; i++) {
        const struct pgoutput_value *value = &insert->values[i];
        if (value->format == 'u')
            return weir_fail(err, WEIR_INVALID, "the log tells of a new row without all of its values");
        if (table->columns[i].field == WAL_FIELD_pos && !read_int(value, &row->pos))
            return weir_fail(err, WEIR_INVALID, "the log tells of a row whose position is no number");
        if (table->columns[i].field != WAL_FIELD_none)
            read_field(&reading, &table->columns[i], value);
    }
    finish_time(&reading);
    return WEIR_OK;
}
