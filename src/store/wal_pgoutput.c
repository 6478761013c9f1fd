/* SPDX-License-Identifier: Apache-2.0 */
/* A message is a letter and fields of fixed order. A server that speaks another version would be misread, so anything
 * unknown, too short or too long is refused; what is known and of no use to an outbox is only told apart. */
#include "store/wal_pgoutput.h"

#include "base/fail.h"
#include "store/wal_bytes.h"

static void read_begin(struct pgoutput *out, struct wal_bytes *bytes) {
    out->lsn = wal_bytes_number(bytes, 8, "the commit's position");
    wal_bytes_number(bytes, 8, "the commit's time");
    out->xid = (uint32_t)wal_bytes_number(bytes, 4, "the transaction's id");
}

static void read_commit(struct pgoutput *out, struct wal_bytes *bytes) {
    wal_bytes_number(bytes, 1, "the flags");
    out->lsn = wal_bytes_number(bytes, 8, "the commit's position");
    out->end_lsn = wal_bytes_number(bytes, 8, "the position behind the commit");
    wal_bytes_number(bytes, 8, "the commit's time");
}

static size_t read_count(struct wal_bytes *bytes) {
    size_t count = wal_bytes_number(bytes, 2, "the number of columns");
    if (count > PGOUTPUT_COLUMNS_MAX) {
        wal_bytes_break(bytes, "more columns than a table can have");
        return 0;
    }
    return count;
}

static void read_relation(struct pgoutput *out, struct wal_bytes *bytes) {
    out->relation = (uint32_t)wal_bytes_number(bytes, 4, "the table's oid");
    out->schema = wal_bytes_string(bytes, "the schema's name");
    out->name = wal_bytes_string(bytes, "the table's name");
    wal_bytes_number(bytes, 1, "the replica identity");
    out->column_count = read_count(bytes);
    for (size_t i = 0; i < out->column_count && !bytes->within; i++) {
        wal_bytes_number(bytes, 1, "a column's flags");
        out->columns[i].name = wal_bytes_string(bytes, "a column's name");
        out->columns[i].type = (uint32_t)wal_bytes_number(bytes, 4, "a column's type");
        wal_bytes_number(bytes, 4, "a column's type modifier");
    }
}

static void read_value(struct pgoutput_value *out, struct wal_bytes *bytes) {
    out->format = (char)wal_bytes_number(bytes, 1, "a value's format");
    out->data = (weir_text){0};
    if (out->format == 't' || out->format == 'b')
        out->data = wal_bytes_text(bytes, wal_bytes_number(bytes, 4, "a value's size"), "a value");
    else if (out->format != 'n' && out->format != 'u')
        wal_bytes_break(bytes, "a value of unknown format");
}

static void read_insert(struct pgoutput *out, struct wal_bytes *bytes) {
    out->relation = (uint32_t)wal_bytes_number(bytes, 4, "the table's oid");
    if (wal_bytes_number(bytes, 1, "the mark of the new row") != 'N')
        wal_bytes_break(bytes, "something that is no new row");
    out->column_count = read_count(bytes);
    for (size_t i = 0; i < out->column_count && !bytes->within; i++)
        read_value(&out->values[i], bytes);
}

static void read_message(struct pgoutput *out, struct wal_bytes *bytes) {
    out->transactional = wal_bytes_number(bytes, 1, "the flags") & 1;
    out->lsn = wal_bytes_number(bytes, 8, "the position");
    out->name = wal_bytes_string(bytes, "the prefix");
    out->content = wal_bytes_text(bytes, wal_bytes_number(bytes, 4, "the content's size"), "the content");
}

static void skip(struct pgoutput *out, struct wal_bytes *bytes) {
    (void)out;
    bytes->at = bytes->end;
}

static const struct message_row {
    char letter;
    enum pgoutput_kind kind;
    const char *name;
    void (*read)(struct pgoutput *out, struct wal_bytes *bytes);
} message_rows[] = {
    {'I', PGOUTPUT_INSERT, "Insert", read_insert},
    {'B', PGOUTPUT_BEGIN, "Begin", read_begin},
    {'C', PGOUTPUT_COMMIT, "Commit", read_commit},
    {'M', PGOUTPUT_MESSAGE, "Message", read_message},
    {'R', PGOUTPUT_RELATION, "Relation", read_relation},
    {'U', PGOUTPUT_OTHER, "Update", skip},
    {'D', PGOUTPUT_OTHER, "Delete", skip},
    {'T', PGOUTPUT_OTHER, "Truncate", skip},
    {'O', PGOUTPUT_OTHER, "Origin", skip},
    {'Y', PGOUTPUT_OTHER, "Type", skip},
};

static const struct message_row *row_of(char letter) {
    for (size_t i = 0; i < sizeof message_rows / sizeof *message_rows; i++)
        if (message_rows[i].letter == letter)
            return &message_rows[i];
    return NULL;
}

static weir_code refuse(weir_error *err, const struct message_row *row, const struct wal_bytes *bytes,
                        weir_text message) {
    if (bytes->within)
        weir_fail(err, WEIR_INVALID, "pgoutput: a message %s of %zu bytes ends within %s", row->name,
                  message.size, bytes->within);
    else
        weir_fail(err, WEIR_INVALID, "pgoutput: a message %s of %zu bytes has %zu behind its end", row->name,
                  message.size, wal_bytes_left(bytes));
    return WEIR_INVALID;
}

weir_code pgoutput_read(struct pgoutput *out, weir_text message, weir_error *err) {
    if (message.size == 0)
        return weir_fail(err, WEIR_INVALID, "pgoutput: an empty message");
    const struct message_row *row = row_of(message.data[0]);
    if (!row)
        return weir_fail(err, WEIR_INVALID, "pgoutput: version 1 has no message of letter 0x%02x",
                         (unsigned char)message.data[0]);
    struct wal_bytes bytes = wal_bytes_of((weir_text){message.data + 1, message.size - 1});
    out->kind = row->kind;
    out->column_count = 0;
    row->read(out, &bytes);
    if (bytes.within || bytes.at != bytes.end)
        return refuse(err, row, &bytes, message);
    return WEIR_OK;
}
