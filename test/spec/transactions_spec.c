/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* In which order committed rows are handed out where positions are given before commits; and that it never turns around what
 * writers put in order, whatever the interleaving. The model at the end writes, commits, rolls back and claims at random. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kit/spec.h"
#include "store/transactions.h"

enum { ROWS_MAX = 64 };

/* "1:7 2:8": positions and their transactions. */
static size_t rows_of(struct txn_row rows[ROWS_MAX], const char *text) {
    size_t count = 0;
    for (char *at = (char *)text; *at; count++) {
        rows[count] = (struct txn_row){.pos = strtol(at, &at, 10)};
        rows[count].xid = strtoul(at + 1, &at, 10);
        at += strspn(at, " ");
    }
    return count;
}

static void expect_order(const struct txn_row *rows, const size_t *order, size_t count,
                         const char *expected) {
    char said[512] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s%ld", i ? " " : "",
                 (long)rows[order[i]].pos);
    assert_string_equal(said, expected);
}

struct row_case {
    const char *rows;
    uint64_t horizon;
    const char *order;
};

static void last_position_counts(void **state) {
    static const struct row_case cases[] = {
        {"", 0, ""},
        {"1:7 2:8 3:9", 0, "1 2 3"},
        {"1:7 2:8 3:7", 0, "2 1 3"}, /* 7 may have waited for 8 to commit before it wrote 3 */
        {"1:9 2:8 3:7 4:8 5:9", 0, "3 2 4 1 5"},
        {"1:7 2:9 3:8", 9, "1"},    /* 9 and what stands behind it */
        {"1:7 2:9 3:7 4:8", 9, ""}, /* 7 goes on behind what is held back */
        {"1:102 2:100", 101, ""},   /* 100 wrote after 102 committed: not before it */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct txn_row rows[ROWS_MAX];
        size_t order[ROWS_MAX];
        struct txn_window window = {
            .rows = rows, .count = rows_of(rows, cases[i].rows), .horizon = cases[i].horizon};
        struct txn_choice choice = transactions_choose(&window, order);
        expect_order(rows, order, choice.count, cases[i].order);
        assert_int_equal(choice.held, cases[i].horizon != 0);
    }
}

static void unfinished_ones_wait(void **state) {
    struct txn_row rows[ROWS_MAX];
    size_t order[ROWS_MAX];
    struct txn_window window = {.rows = rows, .count = rows_of(rows, "1:7 2:8 3:7"), .full = true};
    (void)state;
    rows[0].last = rows[2].last = 9;
    struct txn_choice choice = transactions_choose(&window, order);
    assert_int_equal(choice.next, TXN_ROWS);
    expect_order(rows, order, choice.count, "2");
    rows[1].last = 5;
    rows[1].last = 10;
    assert_int_equal(transactions_choose(&window, order).next, TXN_FURTHER);
}

static void giants_come_in_their_place(void **state) {
    struct txn_row rows[ROWS_MAX];
    size_t order[ROWS_MAX];
    const struct txn_giant giants[] = {{5, 40}, {7, 20}};
    struct txn_window window = {
        .rows = rows, .count = rows_of(rows, "12:8 30:9"), .full = true, .giants = giants, .giant_count = 2};
    (void)state;
    struct txn_choice choice = transactions_choose(&window, order);
    expect_order(rows, order, choice.count, "12");
    window.count = rows_of(rows, "30:9");
    choice = transactions_choose(&window, order);
    assert_int_equal(choice.next, TXN_GIANT);
    assert_int_equal(choice.giant.xid, 7);
    window.count = rows_of(rows, "15:9 21:9"); /* nothing that ends before 20 is unseen, whatever is behind */
    rows[0].last = rows[1].last = 50;
    choice = transactions_choose(&window, order);
    assert_int_equal(choice.next, TXN_GIANT);
    assert_int_equal(choice.giant.xid, 7);
    window.count = rows_of(rows, "15:9 19:9");
    rows[0].last = rows[1].last = 50;
    assert_int_equal(transactions_choose(&window, order).next, TXN_FURTHER);
    window.count = rows_of(rows, "15:99");
    window.horizon = 99;
    assert_int_equal(transactions_choose(&window, order).next, TXN_NOTHING);
    window.count = 0;
    window.full = false;
    assert_int_equal(transactions_choose(&window, order).giant.xid, 7);
}

/* --- any interleaving -------------------------------------------------------------------------- */

enum { KEYS = 4, WRITERS = 6, STEPS = 400, TABLE = 1024 };

struct model_row {
    uint64_t xid;
    int key;
    bool visible, gone, sent;
};

struct model {
    uint32_t random;
    struct model_row rows[TABLE]; /* index + 1 is the position */
    int64_t count;
    uint64_t next_xid;
    uint64_t running[WRITERS]; /* 0: none */
    int locks[KEYS];           /* the writer that holds it + 1 */
    struct txn_giant current;
    int64_t last_of_key[KEYS];
    uint64_t last_xid;
    bool begun[4096]; /* by transaction: some of its rows came */
};

static uint32_t pick(struct model *model, uint32_t below) {
    model->random ^= model->random << 13;
    model->random ^= model->random >> 17;
    model->random ^= model->random << 5;
    return model->random % below;
}

/* A transaction ends: its rows are seen or gone, its locks are free. */
static void end_writer(struct model *model, int writer, bool commit) {
    for (int64_t i = 0; i < model->count; i++)
        if (model->rows[i].xid == model->running[writer] && !model->rows[i].visible)
            model->rows[i].visible = commit, model->rows[i].gone = !commit;
    for (int key = 0; key < KEYS; key++)
        if (model->locks[key] == writer + 1)
            model->locks[key] = 0;
    model->running[writer] = 0;
}

/* Writers serialise on a key: who holds it may write, others cannot have it before the end of his transaction. */
static void step_writer(struct model *model, uint32_t end_every) {
    int writer = (int)pick(model, WRITERS), key = (int)pick(model, KEYS);
    if (!model->running[writer])
        model->running[writer] = model->next_xid++;
    if (pick(model, end_every) == 0)
        end_writer(model, writer, pick(model, 4) != 0);
    else if ((model->locks[key] == 0 || model->locks[key] == writer + 1) && model->count < TABLE) {
        model->locks[key] = writer + 1;
        model->rows[model->count++] = (struct model_row){.xid = model->running[writer], .key = key};
    }
}

static bool is_pending(const struct model *model, int64_t i) {
    return model->rows[i].visible && !model->rows[i].sent;
}

static bool is_giant(const struct txn_giant *giants, size_t count, uint64_t xid) {
    for (size_t i = 0; i < count; i++)
        if (giants[i].xid == xid)
            return true;
    return false;
}

static int64_t last_pending(const struct model *model, uint64_t xid, int64_t behind) {
    for (int64_t i = model->count; i-- > behind;)
        if (is_pending(model, i) && model->rows[i].xid == xid)
            return i + 1;
    return 0;
}

/* What must hold of every row that comes: its key's order, and that its transaction stands together. */
static void send(struct model *model, int64_t pos) {
    struct model_row *row = &model->rows[pos - 1];
    assert_true(is_pending(model, pos - 1));
    assert_true(pos > model->last_of_key[row->key]);
    model->last_of_key[row->key] = pos;
    assert_true(row->xid == model->last_xid || !model->begun[row->xid]);
    model->begun[row->xid] = true;
    model->last_xid = row->xid;
    row->sent = true;
}

static bool send_giant(struct model *model, struct txn_giant giant, size_t max) {
    size_t sent = 0;
    for (int64_t i = 0; i < model->count && sent < max; i++)
        if (is_pending(model, i) && model->rows[i].xid == giant.xid) {
            send(model, i + 1);
            sent++;
        }
    model->current = last_pending(model, giant.xid, 0) ? giant : (struct txn_giant){0};
    return sent > 0;
}

static uint64_t horizon_of(const struct model *model) {
    uint64_t horizon = model->next_xid;
    for (int i = 0; i < WRITERS; i++)
        if (model->running[i] && model->running[i] < horizon)
            horizon = model->running[i];
    return horizon;
}

static size_t fetch(const struct model *model, struct txn_row *rows, size_t max,
                    const struct txn_giant *giants, size_t giant_count) {
    size_t count = 0;
    for (int64_t i = 0; i < model->count && count < max; i++)
        if (is_pending(model, i) && !is_giant(giants, giant_count, model->rows[i].xid))
            rows[count++] = (struct txn_row){.pos = i + 1, .xid = model->rows[i].xid};
    for (size_t i = 0; i < count && count == max; i++)
        rows[i].last = last_pending(model, rows[i].xid, rows[count - 1].pos);
    return count;
}

/* A claim as pg_claim.c makes it; false: nothing came. */
static bool claim(struct model *model, size_t max) {
    struct txn_row rows[ROWS_MAX];
    size_t order[ROWS_MAX];
    struct txn_giant giants[256];
    size_t giant_count = 0;
    if (model->current.xid && send_giant(model, model->current, max))
        return true;
    for (;;) {
        struct txn_window window = {.rows = rows, .giants = giants, .giant_count = giant_count};
        window.count = fetch(model, rows, max, giants, giant_count);
        window.full = window.count == max;
        window.horizon = horizon_of(model);
        struct txn_choice choice = transactions_choose(&window, order);
        for (size_t i = 0; i < choice.count; i++)
            send(model, rows[order[i]].pos);
        if (choice.next == TXN_GIANT)
            return send_giant(model, choice.giant, max);
        if (choice.next != TXN_FURTHER)
            return choice.count > 0;
        for (size_t i = 0; i < window.count; i++)
            if (!is_giant(giants, giant_count, rows[i].xid))
                giants[giant_count++] = (struct txn_giant){rows[i].xid, rows[i].last};
    }
}

static void run(uint32_t seed) {
    struct model *model = mem_alloc(sizeof *model);
    model->random = seed * 2654435761u | 1;
    model->next_xid = 100;
    size_t max = 1 + pick(model, 12);
    uint32_t end_every = 2 + pick(model, 40);
    for (int i = 0; i < STEPS; i++) {
        step_writer(model, end_every);
        if (pick(model, 3) == 0)
            claim(model, max);
    }
    for (int writer = 0; writer < WRITERS; writer++)
        if (model->running[writer])
            end_writer(model, writer, true);
    while (claim(model, max))
        ;
    for (int64_t i = 0; i < model->count; i++)
        assert_true(model->rows[i].gone || model->rows[i].sent);
    mem_free(model);
}

static void no_interleaving_turns_order_around(void **state) {
    uint32_t first = (uint32_t)spec_seed();
    (void)state;
    for (uint32_t i = 0; i < 2000; i++)
        run(first + i);
}

static const struct spec specs[] = {
    {"transactions come in the order of their last positions, up to the horizon", last_position_counts},
    {"a transaction that goes on behind the window waits", unfinished_ones_wait},
    {"one that fits no claim comes when nothing ends before it", giants_come_in_their_place},
    {"no interleaving of writers that serialise is turned around, and transactions stand together",
     no_interleaving_turns_order_around},
};
SPEC_MAIN(specs)
