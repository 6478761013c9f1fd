/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What PostgreSQL's pgoutput says, byte by byte. The messages below are what a PostgreSQL 15 sent for
 *
 *   CREATE TABLE rec (pos bigserial PRIMARY KEY, id uuid, type text, payload jsonb, at timestamptz, n int);
 *   BEGIN; INSERT INTO rec (type, payload) VALUES ('a.b', '{"n":1.50}');
 *   SELECT pg_logical_emit_message(true, 'weir', 'hello'); COMMIT;
 *   SELECT pg_logical_emit_message(false, 'weir', 'now'); */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "kit/spec.h"
#include "store/wal_pgoutput.h"

#define BEGIN "42000000000152b5b0000303cf878421d7000002d6"
#define RELATION                                                                               \
    "52000040017075626c6963007265630064000601706f730000000014ffffffff0069640000000b86ffffffff" \
    "00747970650000000019ffffffff007061796c6f61640000000edaffffffff00617400000004a0ffffffff"   \
    "006e0000000017ffffffff"
#define INSERT                                                                             \
    "49000040014e000662000000080000000000000001620000001011111111222243338444555555555555" \
    "6200000003612e62620000000c017b226e223a20312e35307d62000000080002e68b817210006e"
#define MESSAGE "4d01000000000152b5b077656972000000000568656c6c6f"
#define COMMIT "4300000000000152b5b0000000000152b5e0000303cf878421d7"
#define AT_ONCE "4d00000000000152b6207765697200000000036e6f77"

static unsigned char recorded[4096];

static weir_text bytes_of(const char *hex) {
    size_t size = strlen(hex) / 2;
    assert_true(size <= sizeof recorded);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        recorded[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return (weir_text){(const char *)recorded, size};
}

static struct pgoutput *read_hex(const char *hex) {
    static struct pgoutput message;
    weir_error err;
    expect_ok(pgoutput_read(&message, bytes_of(hex), &err), &err);
    return &message;
}

/* --- what is read ------------------------------------------------------------------------------ */

static void transaction(void **state) {
    (void)state;
    struct pgoutput *message = read_hex(BEGIN);
    assert_int_equal(message->kind, PGOUTPUT_BEGIN);
    assert_int_equal(message->lsn, 0x152b5b0);
    assert_int_equal(message->xid, 0x2d6);
    message = read_hex(COMMIT);
    assert_int_equal(message->kind, PGOUTPUT_COMMIT);
    assert_int_equal(message->lsn, 0x152b5b0);
    assert_int_equal(message->end_lsn, 0x152b5e0);
}

static void relation(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t type;
    } columns[] = {{"pos", 20}, {"id", 2950}, {"type", 25}, {"payload", 3802}, {"at", 1184}, {"n", 23}};
    struct pgoutput *message = read_hex(RELATION);
    assert_int_equal(message->kind, PGOUTPUT_RELATION);
    assert_int_equal(message->relation, 0x4001);
    assert_true(text_is(message->schema, "public"));
    assert_true(text_is(message->name, "rec"));
    assert_int_equal(message->column_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_true(text_is(message->columns[i].name, columns[i].name));
        assert_int_equal(message->columns[i].type, columns[i].type);
    }
}

static void insert(void **state) {
    (void)state;
    struct pgoutput *message = read_hex(INSERT);
    assert_int_equal(message->kind, PGOUTPUT_INSERT);
    assert_int_equal(message->relation, 0x4001);
    assert_int_equal(message->column_count, 6);
    assert_int_equal(message->values[0].format, 'b');
    assert_memory_equal(message->values[0].data.data, "\0\0\0\0\0\0\0\1", 8);
    assert_int_equal(message->values[1].data.size, 16);
    assert_true(text_is(message->values[2].data, "a.b"));
    assert_true(text_is(message->values[3].data, "\1{\"n\": 1.50}"));
    assert_int_equal(message->values[5].format, 'n');
    assert_null(message->values[5].data.data);
}

static void messages(void **state) {
    (void)state;
    struct pgoutput *message = read_hex(MESSAGE);
    assert_int_equal(message->kind, PGOUTPUT_MESSAGE);
    assert_true(message->transactional);
    assert_int_equal(message->lsn, 0x152b5b0);
    assert_true(text_is(message->name, "weir"));
    assert_true(text_is(message->content, "hello"));
    message = read_hex(AT_ONCE);
    assert_false(message->transactional);
    assert_true(text_is(message->content, "now"));
}

static void others(void **state) {
    (void)state;
    static const char *const others[] = {"55", "44010203", "5400", "4f00", "5900000000"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(read_hex(others[i])->kind, PGOUTPUT_OTHER);
}

/* --- what is refused --------------------------------------------------------------------------- */

static void cut_anywhere(void **state) {
    (void)state;
    static const char *const all[] = {BEGIN, COMMIT, RELATION, INSERT, MESSAGE, AT_ONCE};
    static struct pgoutput message;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        weir_text whole = bytes_of(all[i]);
        for (size_t size = 0; size < whole.size; size++) {
            weir_error err = {0};
            char *exact = mem_alloc(size); /* so that a sanitizer sees a byte read too many */
            memcpy(exact, whole.data, size);
            assert_int_equal(pgoutput_read(&message, (weir_text){exact, size}, &err), WEIR_INVALID);
            assert_true(err.message[0] != 0);
            mem_free(exact);
        }
    }
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *hex, *sentence;
    } rows[] = {
        {"", "pgoutput: an empty message"},
        {"00", "pgoutput: version 1 has no message of letter 0x00"},
        {"53000000", "pgoutput: version 1 has no message of letter 0x53"},
        {"4200000000", "pgoutput: a message Begin of 5 bytes ends within the commit's position"},
        {BEGIN "00", "pgoutput: a message Begin of 22 bytes has 1 behind its end"},
        {"4900004001", "pgoutput: a message Insert of 5 bytes ends within the mark of the new row"},
        {"49000040014f", "pgoutput: a message Insert of 6 bytes ends within something that is no new row"},
        {"49000040014e000178", "pgoutput: a message Insert of 9 bytes ends within a value of unknown format"},
        {"49000040014effff",
         "pgoutput: a message Insert of 8 bytes ends within more columns than a table can have"},
        {"49000040014e000162ffffffff00", "pgoutput: a message Insert of 14 bytes ends within a value"},
        {"5200004001707562", "pgoutput: a message Relation of 8 bytes ends within the schema's name"},
        {"4d010000000000000000770000000005aa",
         "pgoutput: a message Message of 17 bytes ends within the content"},
    };
    static struct pgoutput message;
    weir_error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_error(pgoutput_read(&message, bytes_of(rows[i].hex), &err), WEIR_INVALID, &err,
                     rows[i].sentence);
}

static const struct spec specs[] = {
    {"a transaction begins with its id and ends with the position that can be confirmed", transaction},
    {"a table is told by its columns and their types", relation},
    {"a row is its values in binary form, NULL among them", insert},
    {"messages tell whether they belong to their transaction", messages},
    {"what an outbox has no use for is told apart", others},
    {"a message cut at any byte is refused", cut_anywhere},
    {"what is refused is told with its place", refusals},
};
SPEC_MAIN(specs)
