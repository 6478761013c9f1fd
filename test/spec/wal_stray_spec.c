/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* When is a pending row one that the log will not bring? Never on the first look, and not before the log was said beyond it. */
#include "kit/spec.h"
#include "store/wal_stray.h"

static struct wal_stray stray;

static bool look_at(uint64_t lsn, uint64_t said, size_t count, const int64_t *pending) {
    return wal_stray_look(&stray, pending, count, lsn, said);
}
#define LOOK(lsn, said, ...) \
    look_at(lsn, said, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})
#define LOOK_AT_NONE(lsn, said) look_at(lsn, said, 0, NULL)

static void two_looks(void **state) {
    (void)state;
    wal_stray_clear(&stray);
    assert_false(LOOK(100, 500, 3, 7));
    assert_true(LOOK(200, 500, 1, 7));
}

static void log_behind(void **state) {
    (void)state;
    wal_stray_clear(&stray);
    assert_false(LOOK(100, 50, 7));
    assert_false(LOOK(200, 99, 7));
    assert_true(LOOK(300, 100, 7));
}

static void settled_meanwhile(void **state) {
    (void)state;
    wal_stray_clear(&stray);
    assert_false(LOOK(100, 100, 7));
    assert_false(LOOK(200, 200, 8));
    assert_false(LOOK_AT_NONE(300, 300));
    assert_false(LOOK(400, 400, 8));
    assert_true(LOOK(500, 500, 8));
}

/* While the log is behind, what is found in between is not forgotten nor taken for older than it is. */
static void new_suspects_wait(void **state) {
    (void)state;
    wal_stray_clear(&stray);
    assert_false(LOOK(100, 50, 7));
    assert_false(LOOK(200, 60, 9));
    assert_false(LOOK(300, 150, 9));
    assert_true(LOOK(400, 300, 9));
}

static void cleared(void **state) {
    (void)state;
    wal_stray_clear(&stray);
    assert_false(LOOK(100, 100, 7));
    wal_stray_clear(&stray);
    assert_false(LOOK(200, 200, 7));
}

static void too_many(void **state) {
    (void)state;
    static int64_t many[WAL_SUSPECTS_MAX + 1];
    for (int i = 0; i <= WAL_SUSPECTS_MAX; i++)
        many[i] = i + 1;
    wal_stray_clear(&stray);
    assert_false(look_at(100, 100, WAL_SUSPECTS_MAX + 1, many));
    assert_int_equal(stray.count, WAL_SUSPECTS_MAX);
    assert_true(LOOK(200, 200, WAL_SUSPECTS_MAX));
}

static const struct spec specs[] = {
    {"a row that two looks found is a stray when the log was said beyond the first", two_looks},
    {"while the log is behind the look it may still come", log_behind},
    {"a row that was settled between two looks is none", settled_meanwhile},
    {"a row found while the log is behind is judged by its own look", new_suspects_wait},
    {"nothing is suspected any more when the table is read again", cleared},
    {"of very many rows the first are suspected", too_many},
};
SPEC_MAIN(specs)
