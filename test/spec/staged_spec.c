/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* A batch holds every row of its claim from the first on, or is never committed. */
#include "kit/spec.h"
#include "relay/staged.h"

enum { EPOCH = 3, LOOKS = 7 };

static struct staged staged;

/* Rows as the relay sends them: '.' is sent, 'x' refused by the connection. */
static void send_rows(const char *rows) {
    for (int64_t pos = 1; *rows; rows++, pos++) {
        if (staged_begins(&staged))
            staged_begin(&staged, "weir-1", EPOCH, LOOKS);
        if (staged.broken)
            continue;
        if (*rows == 'x')
            staged_break(&staged);
        else
            staged_add(&staged, pos, weir_text_of("id"), 10);
    }
}

static bool fits(void) {
    return staged_fits(&staged, EPOCH, LOOKS, LIMIT_BATCH_EVENTS);
}

static void all_sent(void **state) {
    (void)state;
    staged_drop(&staged);
    send_rows("...");
    assert_true(fits());
    assert_int_equal(staged.count, 3);
    assert_int_equal(staged.positions[2], 3);
    assert_int_equal(staged.bytes, 30);
}

static void the_first_refused(void **state) {
    (void)state;
    staged_drop(&staged);
    send_rows("x...");
    assert_false(fits());
    assert_int_equal(staged.count, 0);
}

static void a_later_one_refused(void **state) {
    (void)state;
    staged_drop(&staged);
    send_rows("..x..");
    assert_false(fits());
    assert_int_equal(staged.count, 2);
}

static void dropped_and_begun_anew(void **state) {
    (void)state;
    staged_drop(&staged);
    send_rows("x.");
    staged_drop(&staged);
    send_rows("..");
    assert_true(fits());
    assert_int_equal(staged.positions[0], 1);
}

static void known_too_early(void **state) {
    (void)state;
    staged_drop(&staged);
    send_rows("..");
    assert_false(staged_fits(&staged, EPOCH + 1, LOOKS, LIMIT_BATCH_EVENTS));
    assert_false(staged_fits(&staged, EPOCH, LOOKS + 1, LIMIT_BATCH_EVENTS));
    assert_false(staged_fits(&staged, EPOCH, LOOKS, 1));
}

static const struct spec specs[] = {
    {"rows that were sent are committed in their order", all_sent},
    {"rows behind a first one that was not sent are not committed", the_first_refused},
    {"rows around one that was not sent are not committed", a_later_one_refused},
    {"a dropped batch is begun anew from the first row", dropped_and_begun_anew},
    {"rows of another connection, of an earlier look or too many are not committed", known_too_early},
};
SPEC_MAIN(specs)
