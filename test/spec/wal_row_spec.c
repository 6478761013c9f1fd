/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* From the values of an Insert to a row of the outbox: every field in both forms, and what makes a row defective. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kit/spec.h"
#include "store/pg.h"
#include "store/wal_row.h"

static struct wal_table table;
static struct pgoutput message;
static arena *memory;

struct column {
    const char *name;
    uint32_t type;
};

/* Tells the table. */
static weir_code tell(const struct column *columns, size_t count, weir_error *err) {
    static const char *names[WAL_FIELDS];
    memcpy(names, wal_field_names, sizeof names);
    message = (struct pgoutput){.kind = PGOUTPUT_RELATION, .relation = 7, .name = weir_text_of("rec")};
    message.column_count = count;
    for (size_t i = 0; i < count; i++)
        message.columns[i] = (struct pgoutput_column){weir_text_of(columns[i].name), columns[i].type};
    return wal_table_read(&table, &message, names, "uuid", err);
}

static const struct column usual[] = {
    {"pos", PG_INT8}, {"id", PG_TEXT},      {"type", PG_TEXT}, {"payload", PG_JSON},
    {"other", 12345}, {"version", PG_INT4}, {"key", PG_TEXT},  {"created_at", PG_TIMESTAMPTZ}};
enum { USUAL = sizeof usual / sizeof *usual };

static struct pgoutput_value text_value(const char *text) {
    return (struct pgoutput_value){.format = 't', .data = weir_text_of(text)};
}
static struct pgoutput_value bytes(const char *data, size_t size) {
    return (struct pgoutput_value){.format = 'b', .data = {data, size}};
}
static const struct pgoutput_value null_value = {.format = 'n'};

static void begin(void) {
    weir_error err;
    memory = arena_new();
    expect_ok(tell(usual, USUAL, &err), &err);
    message = (struct pgoutput){.kind = PGOUTPUT_INSERT, .relation = 7, .column_count = USUAL};
    message.values[0] = text_value("5");
    message.values[1] = text_value("i");
    message.values[2] = text_value("a.b");
    message.values[3] = text_value("{}");
    for (int i = 4; i < USUAL; i++)
        message.values[i] = null_value;
}

static struct outbox_row read_row(void) {
    weir_error err;
    struct outbox_row row;
    expect_ok(wal_row_read(&row, &table, &message, memory, &err), &err);
    return row;
}

static void as_text(void **state) {
    (void)state;
    begin();
    message.values[5] = text_value("3");
    message.values[6] = text_value("k");
    message.values[7] = text_value("2025-11-14 12:00:00.5+00");
    struct outbox_row row = read_row();
    assert_int_equal(row.pos, 5);
    assert_true(text_is(row.draft.id, "i") && text_is(row.draft.type, "a.b") && text_is(row.draft.key, "k"));
    assert_int_equal(row.draft.version, 3);
    assert_int_equal(row.created_us, 1763121600500000);
    assert_true(text_starts(row.draft.time, "2025-11-14T12:00:00.5"));
    assert_null(row.defect);
    arena_free(memory);
}

static void in_binary(void **state) {
    (void)state;
    begin();
    message.values[0] = bytes("\0\0\0\0\0\0\1\0", 8);
    message.values[5] = bytes("\0\0\0\2", 4);
    message.values[6] = bytes("k", 1);
    message.values[7] = bytes("\0\0\0\0\0\0\0\0", 8);
    struct outbox_row row = read_row();
    assert_int_equal(row.pos, 256);
    assert_int_equal(row.draft.version, 2);
    assert_int_equal(row.created_us, 946684800000000);
    assert_null(row.defect);
    arena_free(memory);
}

/* Somebody's own table: numbers and uuids where we have texts. */
static void of_other_types(void **state) {
    (void)state;
    weir_error err;
    static const struct column own[] = {
        {"pos", PG_INT4}, {"id", PG_UUID}, {"type", PG_VARCHAR}, {"payload", PG_JSONB}, {"key", PG_INT8}};
    memory = arena_new();
    expect_ok(tell(own, 5, &err), &err);
    message = (struct pgoutput){.kind = PGOUTPUT_INSERT, .relation = 7, .column_count = 5};
    message.values[0] = bytes("\0\0\0\7", 4);
    message.values[1] = bytes("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10", 16);
    message.values[2] = bytes("a.b", 3);
    message.values[3] = bytes("\1{}", 3);
    message.values[4] = bytes("\0\0\0\0\0\0\0\x2a", 8);
    struct outbox_row row = read_row();
    assert_int_equal(row.pos, 7);
    assert_true(text_is(row.draft.id, "01020304-0506-0708-090a-0b0c0d0e0f10"));
    assert_true(text_is(row.draft.payload, "{}") && text_is(row.draft.key, "42"));
    arena_free(memory);
}

/* As the view has them that the table is read through: otherwise an event had two ids. */
static void as_the_view(void **state) {
    (void)state;
    weir_error err;
    static const struct column own[] = {
        {"pos", PG_INT8}, {"id", PG_INT4}, {"type", PG_BPCHAR}, {"payload", PG_JSON}};
    memory = arena_new();
    expect_ok(tell(own, 4, &err), &err);
    message = (struct pgoutput){.kind = PGOUTPUT_INSERT, .relation = 7, .column_count = 4};
    message.values[0] = text_value("7");
    message.values[1] = text_value("42");
    message.values[2] = text_value("a.b   ");
    message.values[3] = text_value("{} ");
    struct outbox_row row = read_row();
    assert_true(text_is(row.draft.id, "uuid-42") && text_is(row.draft.type, "a.b"));
    assert_true(text_is(row.draft.payload, "{} "));
    arena_free(memory);
}

static void defects(void **state) {
    (void)state;
    static char long_text[300];
    memset(long_text, 'x', sizeof long_text - 1);
    const struct {
        int column;
        struct pgoutput_value value;
        const char *defect;
    } rows[] = {
        {1, null_value, "id is NULL"},
        {1, text_value(""), "id is empty"},
        {2, null_value, "type is NULL"},
        {2, text_value(long_text), "type has 299 bytes, at most 256 are carried"},
        {3, null_value, "payload is NULL"},
        {3, text_value("\"\xff\""), "payload is not valid UTF-8"},
        {5, text_value("two"), "version is not an integer"},
        {5, text_value("-1"), "version is -1, not a version"},
        {5, bytes("\0\0\1\0\0\0\0\0", 8), "version is 1099511627776, not a version"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        message.values[rows[i].column] = rows[i].value;
        struct outbox_row row = read_row();
        assert_string_equal(row.defect, rows[i].defect);
        assert_int_equal(row.pos, 5);
        arena_free(memory);
    }
}

static void unreadable(void **state) {
    (void)state;
    weir_error err;
    struct outbox_row row;
    begin();
    message.column_count--;
    expect_error(wal_row_read(&row, &table, &message, memory, &err), WEIR_INVALID, &err,
                 "the log tells of a row with 7 values, its table has 8 columns");
    message.column_count++;
    message.values[3].format = 'u';
    expect_error(wal_row_read(&row, &table, &message, memory, &err), WEIR_INVALID, &err,
                 "the log tells of a new row without all of its values");
    message.values[3] = text_value("{}");
    message.values[0] = text_value("five");
    expect_error(wal_row_read(&row, &table, &message, memory, &err), WEIR_INVALID, &err,
                 "the log tells of a row whose position is no number");
    arena_free(memory);
}

static void without_columns(void **state) {
    (void)state;
    weir_error err;
    static const struct {
        struct column columns[3];
        const char *message;
    } tables[] = {
        {{{"id", 25}, {"type", 25}, {"payload", 25}},
         "the log tells of the table rec without its column for pos"},
        {{{"pos", 20}, {"type", 25}, {"payload", 25}},
         "the log tells of the table rec without its column for id"},
        {{{"pos", 20}, {"id", 25}, {"payload", 25}},
         "the log tells of the table rec without its column for type"},
        {{{"pos", 20}, {"id", 25}, {"type", 25}},
         "the log tells of the table rec without its column for payload"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        expect_error(tell(tables[i].columns, 3, &err), WEIR_INVALID, &err, tables[i].message);
}

static const struct spec specs[] = {
    {"values as text become the row's fields", as_text},
    {"values in binary form become the same", in_binary},
    {"numbers and uuids of other people's tables are read as texts", of_other_types},
    {"numbers as ids get the outbox in front, and char loses its blanks", as_the_view},
    {"what no event can carry makes the row defective, and it keeps its position", defects},
    {"a row that does not fit its table is refused", unreadable},
    {"a table without a column that is needed is refused", without_columns},
};
SPEC_MAIN(specs)
