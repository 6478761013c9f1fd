/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: store */
/* Any bytes as a message of pgoutput: refused with a sentence, or read into texts that lie within them; and what reads as a row is
 * one of the outbox, or defective, or refused, whatever its columns are said to be. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "store/wal_row.h"

static bool within(weir_text text, weir_text whole) {
    return text.size == 0 || (text.data >= whole.data && text.data + text.size <= whole.data + whole.size);
}

static void look(const struct pgoutput *message, weir_text whole) {
    if (message->kind == PGOUTPUT_RELATION || message->kind == PGOUTPUT_MESSAGE)
        PROMISE(within(message->name, whole));
    if (message->kind == PGOUTPUT_MESSAGE)
        PROMISE(within(message->content, whole));
    PROMISE(message->column_count <= PGOUTPUT_COLUMNS_MAX);
    for (size_t i = 0; i < message->column_count; i++)
        PROMISE(message->kind == PGOUTPUT_INSERT ? within(message->values[i].data, whole)
                                                 : within(message->columns[i].name, whole));
}

/* As rows of a table whose columns are our fields in turn, each of another type. */
static void look_at_row(const struct pgoutput *insert) {
    /* int8, text, jsonb, uuid, int4, int2, json, name, no known one, timestamptz, text */
    static const uint32_t types[] = {20, 25, 3802, 2950, 23, 21, 114, 19, 12345, 1184, 25};
    struct wal_table table = {.relation = insert->relation, .uuid = "uuid", .count = insert->column_count};
    struct outbox_row row;
    weir_error err = {.message = ""};
    arena *memory = arena_new();
    for (size_t i = 0; i < insert->column_count; i++)
        table.columns[i] =
            (struct wal_column){(enum wal_field)(i % (WAL_FIELDS + 1)),
                                types[(i + insert->relation) % (sizeof types / sizeof *types)]};
    if (wal_row_read(&row, &table, insert, memory, &err) != WEIR_OK)
        PROMISE(err.code == WEIR_INVALID && err.message[0] && !strchr(err.message, '\n'));
    else if (!row.defect)
        PROMISE(text_valid_utf8(row.draft.type) && text_valid_utf8(row.draft.key));
    arena_free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct pgoutput message;
    weir_text whole = {(const char *)data, size};
    weir_error err = {.message = ""};
    if (pgoutput_read(&message, whole, &err) != WEIR_OK) {
        PROMISE(err.code == WEIR_INVALID && err.message[0] && !strchr(err.message, '\n'));
        return 0;
    }
    look(&message, whole);
    if (message.kind == PGOUTPUT_INSERT)
        look_at_row(&message);
    return 0;
}
