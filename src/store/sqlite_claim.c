/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming: pending rows become drafts. A column of SQLite may hold anything whatever its declared type says;
 * what cannot be an event's field makes the row defective, with the reason, and the relay parks it. Texts are
 * copied once, into the caller's arena. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/text.h"
#include "base/units.h"
#include "store/row_defect.h"
#include "store/sqlite_outbox.h"

/* Columns of claim*.sql. */
enum {
    COLUMN_pos,
    COLUMN_id,
    COLUMN_type,
    COLUMN_key,
    COLUMN_tenant,
    COLUMN_actor,
    COLUMN_actor_kind,
    COLUMN_source,
    COLUMN_trace,
    COLUMN_span,
    COLUMN_idempotency_key,
    COLUMN_version,
    COLUMN_occurred_at,
    COLUMN_created_at,
    COLUMN_payload
};

struct text_column {
    const char *name;
    int column;
    size_t offset; /* of its weir_text in a weir_draft */
    size_t bytes_max;
    bool required;
};

static const struct text_column text_columns[] = {
#define TEXT_COLUMN(name, required) \
    {#name, COLUMN_##name, offsetof(weir_draft, name), LIMIT_ID_BYTES, required},
    ROW_TEXTS(TEXT_COLUMN)
#undef TEXT_COLUMN
        {"payload", COLUMN_payload, offsetof(weir_draft, payload), LIMIT_EVENT_BYTES, true},
    {"occurred_at", COLUMN_occurred_at, offsetof(weir_draft, time), LIMIT_ID_BYTES, false},
};

static void read_text(struct outbox_row *row, const struct text_column *column, sqlite3_stmt *from,
                      arena *arena) {
    bool blob = sqlite3_column_type(from, column->column) == SQLITE_BLOB;
    weir_text text = blob ? (weir_text){0} : sqlite_column(from, column->column);
    const char *defect =
        blob ? arena_printf(arena, "%s is a blob, not text", column->name)
             : row_text_defect(column->name, text, column->bytes_max, column->required, arena);
    row_spoil(row, defect);
    if (!defect)
        *(weir_text *)((char *)&row->draft + column->offset) = arena_text(arena, text);
}

static void read_version(struct outbox_row *row, sqlite3_stmt *from, arena *arena) {
    int type = sqlite3_column_type(from, COLUMN_version);
    if (type == SQLITE_INTEGER)
        row_version(row, sqlite3_column_int64(from, COLUMN_version), arena);
    else if (type != SQLITE_NULL)
        row_spoil(row, ROW_VERSION_DEFECT);
}

/* Always with six digits, so that these texts sort as the times do. */
const char *outbox_time(int64_t us, char out[UNITS_TEXT_MAX]) {
    int64_t part = us % 1000000;
    if (part < 0)
        part += 1000000;
    time_format((us - part) * NS_PER_US, out);
    size_t size = strlen(out);
    snprintf(out + size - 1, UNITS_TEXT_MAX - size + 1, ".%06dZ", (int)part);
    return out;
}

int64_t outbox_created_us(weir_text text) {
    char iso[40];
    int64_t ns;
    if (text.size >= sizeof iso - 1 || text.size < 10)
        return 0;
    memcpy(iso, text.data, text.size);
    if (text.size > 10 && iso[10] == ' ')
        iso[10] = 'T';
    iso[text.size] = 0;
    if (text.size >= 16 && iso[10] == 'T' && !strpbrk(iso + 11, "Zz+-")) { /* SQLite's own form: UTC */
        iso[text.size] = 'Z';
        iso[text.size + 1] = 0;
    }
    return time_parse(&ns, weir_text_of(iso), NULL) == WEIR_OK ? ns / NS_PER_US : 0;
}

static void read_times(struct outbox_row *row, sqlite3_stmt *from, arena *arena) {
    row->created_us = outbox_created_us(sqlite_column(from, COLUMN_created_at));
    if (row->draft.time.data || row->created_us == 0)
        return;
    char text[UNITS_TEXT_MAX];
    row->draft.time = arena_text(arena, weir_text_of(outbox_time(row->created_us, text)));
}

static void read_row(struct outbox_row *row, sqlite3_stmt *from, arena *arena) {
    row->pos = sqlite3_column_int64(from, COLUMN_pos);
    for (size_t i = 0; i < sizeof text_columns / sizeof *text_columns; i++)
        read_text(row, &text_columns[i], from, arena);
    read_version(row, from, arena);
    read_times(row, from, arena);
}

/* --- claiming ---------------------------------------------------------------------------------- */

static void json_string(buffer *out, const char *text) {
    buffer_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_char(out, '\\');
        if ((unsigned char)*text < 0x20)
            buffer_printf(out, "\\u%04x", *text);
        else
            buffer_char(out, *text);
    }
    buffer_char(out, '"');
}

static const char *json_types(const struct outbox_wanted *wanted, arena *arena) {
    buffer list;
    buffer_init(&list, 16 << 20);
    buffer_char(&list, '[');
    for (size_t i = 0; i < wanted->type_count; i++) {
        if (i > 0)
            buffer_char(&list, ',');
        json_string(&list, wanted->types[i]);
    }
    buffer_char(&list, ']');
    WEIR_ASSERT(!list.overflow);
    const char *copy = arena_copy(arena, list.data, list.size);
    buffer_release(&list);
    return copy;
}

/* One writer at a time: positions are commit order, so what is being sent stands in front of everything wanted. */
static int64_t behind(const struct outbox_wanted *wanted) {
    int64_t last = wanted->flying_count ? wanted->flying[wanted->flying_count - 1] : 0;
    return last > wanted->after.pos ? last : wanted->after.pos;
}

static weir_code claim_statement(sqlite_outbox *outbox, const struct outbox_wanted *wanted, arena *arena,
                                 sqlite3_stmt **out, weir_error *err) {
    enum outbox_statement which = wanted->only         ? STATEMENT_claim_only
                                  : wanted->type_count ? STATEMENT_claim_except
                                                       : STATEMENT_claim;
    WEIR_TRY(sqlite_outbox_statement(outbox, which, out, err));
    sqlite3_bind_int64(*out, 1, behind(wanted));
    sqlite3_bind_int64(*out, 2, (int64_t)wanted->max_rows);
    if (which != STATEMENT_claim)
        sqlite_bind_cstr(*out, 3, json_types(wanted, arena));
    return WEIR_OK;
}

weir_code sqlite_outbox_claim(outbox *any, const struct outbox_wanted *wanted, arena *arena,
                              struct outbox_row **rows, size_t *count, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite3_stmt *statement;
    LIST(struct outbox_row) claimed = {0};
    struct outbox_span span;
    sqlite_outbox_watch_look(outbox);
    if (wanted->seen) {
        WEIR_TRY(sqlite_outbox_span(any, &span, err));
        *wanted->seen = span.last;
    }
    WEIR_TRY(claim_statement(outbox, wanted, arena, &statement, err));
    size_t bytes = 0;
    for (bool row; bytes < wanted->max_bytes;) {
        WEIR_TRY(sqlite_next(statement, &row, outbox->base.url, err));
        if (!row)
            break;
        struct outbox_row *next = list_add(arena, &claimed);
        read_row(next, statement, arena);
        next->ends_txn = true;
        bytes += next->draft.payload.size;
    }
    sqlite3_reset(statement);
    *rows = claimed.items;
    *count = claimed.count;
    return WEIR_OK;
}
