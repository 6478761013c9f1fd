/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* The cursor message: what is written is read back, and nothing else is believed. */
#include <stdio.h>
#include <string.h>

#include "kit/spec.h"
#include "relay/cursor.h"

#define UUID "6f1c4a52-3a86-4a0e-9d0a-0d1f1b7f3c55"

static struct relay_cursor sample(void) {
    return (struct relay_cursor){.outbox = UUID,
                                 .batch_no = 7,
                                 .previous = 120,
                                 .count = 3,
                                 .ids_hash = 0x00c0ffee,
                                 .range_count = 2,
                                 .ranges = {{5, 6}, {9, 9}}};
}

static void subject_names_stream_and_outbox(void **state) {
    (void)state;
    char subject[CURSOR_SUBJECT_MAX];
    assert_string_equal(cursor_subject(subject, "ORDERS", UUID),
                        "_weir.cursor.ORDERS.n4oeuur2qzfa5hikbuprw7z4ku");
}

static void written_as_documented(void **state) {
    (void)state;
    buffer out;
    struct relay_cursor cursor = sample();
    buffer_init(&out, CURSOR_BYTES_MAX);
    cursor_write(&out, &cursor);
    assert_string_equal(out.data,
                        "{\"outbox\":\"" UUID "\",\"batch\":7,\"previous\":120,\"first\":0,\"count\":3,"
                        "\"ids\":\"0000000000c0ffee\",\"ranges\":[[5,6],[9,9]]}");
    buffer_release(&out);
}

static void expect_same(const struct relay_cursor *a, const struct relay_cursor *b) {
    assert_string_equal(a->outbox, b->outbox);
    assert_int_equal(a->batch_no, b->batch_no);
    assert_int_equal(a->previous, b->previous);
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->ids_hash, b->ids_hash);
    assert_int_equal(a->heal, b->heal);
    assert_int_equal(a->range_count, b->range_count);
    assert_memory_equal(a->ranges, b->ranges, a->range_count * sizeof *a->ranges);
}

static void read_back(void **state) {
    (void)state;
    static struct relay_cursor cursor, got;
    weir_error err;
    buffer out;
    cursor = sample();
    cursor.heal = true;
    cursor.first = 118;
    buffer_init(&out, CURSOR_BYTES_MAX);
    cursor_write(&out, &cursor);
    expect_ok(cursor_read(&got, buffer_view(&out), &err), &err);
    assert_true(got.found);
    expect_same(&got, &cursor);
    buffer_release(&out);
}

static void positions_may_go_back(void **state) {
    (void)state;
    static struct relay_cursor cursor, got;
    weir_error err;
    buffer out;
    cursor = sample();
    cursor.ranges[1] = (struct outbox_range){2, 2};
    buffer_init(&out, CURSOR_BYTES_MAX);
    cursor_write(&out, &cursor);
    expect_ok(cursor_read(&got, buffer_view(&out), &err), &err);
    expect_same(&got, &cursor);
    buffer_release(&out);
}

static void the_largest_fits(void **state) {
    (void)state;
    static struct relay_cursor cursor, got;
    weir_error err;
    buffer out;
    cursor = sample();
    cursor.count = cursor.range_count = LIMIT_BATCH_EVENTS;
    for (int i = 0; i < LIMIT_BATCH_EVENTS; i++)
        cursor.ranges[i] = (struct outbox_range){9000000000000000000 + 2 * i, 9000000000000000000 + 2 * i};
    buffer_init(&out, CURSOR_BYTES_MAX);
    cursor_write(&out, &cursor);
    assert_false(out.overflow);
    expect_ok(cursor_read(&got, buffer_view(&out), &err), &err);
    expect_same(&got, &cursor);
    buffer_release(&out);
}

static void others_are_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "[]",
        "7",
        "{\"outbox\":7,\"batch\":7,\"previous\":1,\"first\":0,\"count\":0,\"ids\":\"0000000000000000\","
        "\"ranges\":[]}",
        "{\"outbox\":\"u\",\"batch\":-7,\"previous\":1,\"first\":0,\"count\":0,\"ids\":\"0000000000000000\","
        "\"ranges\":[]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1.5,\"first\":0,\"count\":0,\"ids\":\"0000000000000000\","
        "\"ranges\":[]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":0,\"ids\":\"xyz\",\"ranges\":[]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":1,\"ids\":\"0000000000000000\","
        "\"ranges\":[]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":1,\"ids\":\"0000000000000000\","
        "\"ranges\":7}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":1,\"ids\":\"0000000000000000\","
        "\"ranges\":[7]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":1,\"ids\":\"0000000000000000\","
        "\"ranges\":[[0,0]]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":2,\"ids\":\"0000000000000000\","
        "\"ranges\":[[2,1]]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":2,\"ids\":\"0000000000000000\","
        "\"ranges\":[[5,5],[5,5]]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":5,\"ids\":\"0000000000000000\","
        "\"ranges\":[[7,8],[4,5],[8,8]]}",
        "{\"outbox\":\"u\",\"batch\":7,\"previous\":1,\"first\":0,\"count\":2,\"ids\":\"0000000000000000\","
        "\"ranges\":[[1,9223372036854775807]]}",
    };
    static struct relay_cursor got;
    weir_error err;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        expect_error(cursor_read(&got, weir_text_of(bodies[i]), &err), WEIR_INVALID, &err,
                     "the cursor message is not one of weir");
    expect_error(
        cursor_read(&got, weir_text_of("{"), &err), WEIR_INVALID, &err,
        "the cursor message is not valid JSON: line 1, column 2: the text ends before the value does");
}

static const struct spec specs[] = {
    {"its subject names the stream and the outbox", subject_names_stream_and_outbox},
    {"it is written as documented", written_as_documented},
    {"what is written is read back", read_back},
    {"positions may go back and stay in their order", positions_may_go_back},
    {"the largest one fits its bound", the_largest_fits},
    {"what is no cursor is refused", others_are_refused},
};
SPEC_MAIN(specs)
