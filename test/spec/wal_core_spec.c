/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* The window between the log and the relay: what a claim gets, how far the log may be let go, and when a type is held. */
#include "base/text.h"
#include "kit/spec.h"
#include "store/wal_core.h"

static wal_core *core;
static arena *memory;

static wal_core *tail(void) {
    weir_error err;
    core = wal_core_new();
    memory = arena_new();
    expect_ok(wal_core_snapshot(core, weir_text_of("100:100:"), &err), &err);
    wal_core_tail(core, 1000);
    return core;
}

static void end(void) {
    wal_core_free(core);
    arena_free(memory);
}

static void row(int64_t pos, const char *type) {
    const struct outbox_row row = {.pos = pos,
                                   .draft = {.type = weir_text_of(type), .payload = weir_text_of("{}")}};
    wal_core_row(core, &row);
}

static size_t claim(struct outbox_wanted wanted, int64_t now_ns) {
    struct outbox_row *rows;
    size_t count;
    wanted.max_rows = 999;
    wanted.max_bytes = 4 << 20;
    (void)wal_core_wanted(core, &wanted, now_ns);
    wal_core_claim(core, &wanted, memory, &rows, &count);
    return count;
}

static size_t claim_all(void) {
    return claim((struct outbox_wanted){0}, 0);
}

static void seen_before(void **state) {
    (void)state;
    tail();
    assert_false(wal_core_begin(core, 99));
    wal_core_commit(core, 1010);
    assert_true(wal_core_begin(core, 100));
    row(1, "a");
    wal_core_commit(core, 1020);
    assert_int_equal(claim_all(), 1);
    end();
}

/* A look taken meanwhile says nothing of a transaction of which no row could be given yet. */
static void being_told(void **state) {
    (void)state;
    tail();
    (void)wal_core_begin(core, 100);
    row(1, "a");
    struct outbox_mark mark = wal_core_mark(core);
    assert_int_equal(claim_all(), 0);
    row(2, "a");
    wal_core_commit(core, 1010);
    assert_int_equal(claim((struct outbox_wanted){.after = mark}, 0), 2);
    assert_int_equal(claim((struct outbox_wanted){.after = wal_core_mark(core)}, 0), 0);
    end();
}

static void letting_go(void **state) {
    (void)state;
    tail();
    for (int i = 0; i < 3; i++) {
        (void)wal_core_begin(core, 100 + (uint32_t)i);
        row(i + 1, "a");
        wal_core_commit(core, 1010 + 10 * (uint64_t)i);
    }
    wal_core_done(core, 2, 1);
    wal_core_durable(core, 1);
    assert_int_equal(wal_core_confirmed(core), 1000);
    wal_core_done(core, 1, 2);
    assert_int_equal(wal_core_confirmed(core), 1000);
    wal_core_durable(core, 2);
    assert_int_equal(wal_core_confirmed(core), 1020);
    wal_core_done(core, 3, 0);
    wal_core_seen(core, 5000);
    assert_int_equal(wal_core_confirmed(core), 5000);
    end();
}

static void held(void **state) {
    (void)state;
    static const char *const types[] = {"b"};
    const struct outbox_wanted without = {.types = types, .type_count = 1};
    tail();
    (void)wal_core_begin(core, 100);
    row(1, "a");
    row(2, "b");
    wal_core_commit(core, 1010);
    assert_int_equal(claim(without, 1), 1);
    assert_int_equal(wal_core_hold(core, WAL_HOLD_NS), 0);
    assert_int_equal(wal_core_hold(core, WAL_HOLD_NS + 1), 1);
    wal_core_done(core, 1, 0);
    assert_int_equal(wal_core_confirmed(core), 1010);
    assert_false(wal_core_wanted(core, &without, WAL_HOLD_NS + 2));
    assert_true(wal_core_wanted(core, &(struct outbox_wanted){0}, WAL_HOLD_NS + 3));
    end();
}

static const struct spec specs[] = {
    {"what the snapshot saw is skipped", seen_before},
    {"a transaction that is being told is not passed over by a look", being_told},
    {"the log is let go up to the first row that is not durably settled", letting_go},
    {"a type nobody takes for a minute is held until it is wanted", held},
};
SPEC_MAIN(specs)
