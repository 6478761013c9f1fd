/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* What the relay decides, one situation at a time. The simulator drives the same functions through all of them at once. */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "kit/spec.h"
#include "relay/relay_core.h"

#define LIFE "2025-11-14T12:00:00Z"
#define UUID "6f1c4a52-3a86-4a0e-9d0a-0d1f1b7f3c55"

static relay_core *core;

static int begin(void **state) {
    (void)state;
    core = relay_core_new(UUID, "ORDERS", 7);
    return 0;
}

static struct outbox_stream known(uint64_t settled_seq, uint64_t batch_no) {
    return (struct outbox_stream){
        .known = true, .created = LIFE, .settled_seq = settled_seq, .batch_no = batch_no};
}

static struct relay_cursor cursor_at(uint64_t sequence, uint64_t previous, uint64_t batch_no) {
    struct relay_cursor cursor = {.found = true,
                                  .sequence = sequence,
                                  .previous = previous,
                                  .batch_no = batch_no,
                                  .outbox = UUID,
                                  .count = 2,
                                  .ids_hash = 99,
                                  .range_count = 1,
                                  .ranges = {{4, 5}}};
    return cursor;
}

/* Reads both witnesses in: what the database knows, what the stream is, its last cursor. */
static enum relay_want look(struct outbox_stream settled, uint64_t first_seq, uint64_t last_seq,
                            struct relay_cursor cursor) {
    assert_int_equal(relay_core_want(core), WANT_LOAD);
    assert_int_equal(relay_core_loaded(core, &settled, LIFE, first_seq, last_seq), WANT_READ_CURSOR);
    return relay_core_cursor(core, &cursor);
}

static const struct relay_cursor no_cursor;

static void ready_at(uint64_t settled_seq, uint64_t batch_no) {
    assert_int_equal(
        look(known(settled_seq, batch_no), 1, settled_seq, cursor_at(settled_seq, settled_seq - 3, batch_no)),
        WANT_ROWS);
}

static void send(size_t count) {
    int64_t positions[LIMIT_BATCH_EVENTS];
    for (size_t i = 0; i < count; i++)
        positions[i] = 10 + (int64_t)i;
    assert_int_equal(relay_core_batch(core, positions, count, 42), WANT_SEND);
}

#define CASE(name)                   \
    static void name##_in(void);     \
    static void name(void **state) { \
        begin(state);                \
        name##_in();                 \
        relay_core_free(core);       \
    }                                \
    static void name##_in(void)

/* --- the first look --------------------------------------------------------------------------------- */

CASE(first_use) {
    assert_int_equal(look((struct outbox_stream){0}, 1, 0, no_cursor), WANT_SETTLE);
    assert_int_equal(relay_core_settlement(core)->range_count, 0);
    assert_int_equal(relay_core_settlement(core)->cursor_seq, 0);
    assert_int_equal(relay_core_settled(core), WANT_ROWS);
    assert_int_equal(relay_core_expected(core), 0);
}

CASE(nothing_in_between) {
    ready_at(12, 3);
    assert_int_equal(relay_core_expected(core), 12);
    send(1);
    assert_int_equal(relay_core_outgoing(core)->batch_no, 4);
    assert_int_equal(relay_core_outgoing(core)->previous, 12);
    assert_string_equal(relay_core_outgoing(core)->outbox, UUID);
}

CASE(stored_and_not_settled) {
    assert_int_equal(look(known(12, 3), 1, 15, cursor_at(15, 12, 4)), WANT_SETTLE);
    const struct outbox_settlement *settlement = relay_core_settlement(core);
    assert_true(relay_core_reconciling(core));
    assert_true(settlement->verify);
    assert_int_equal(settlement->ids_hash, 99);
    assert_int_equal(settlement->cursor_seq, 15);
    assert_int_equal(settlement->first_seq, 13);
    assert_int_equal(settlement->batch_no, 4);
    assert_int_equal(settlement->was.settled_seq, 12);
    assert_int_equal(relay_core_settled(core), WANT_ROWS);
    assert_int_equal(relay_core_expected(core), 15);
}

/* --- several batches ahead of the database -------------------------------------------------------------- */

static enum relay_want back(uint64_t expected_seq, struct relay_cursor cursor) {
    assert_int_equal(relay_core_want(core), WANT_READ_BACK);
    assert_int_equal(relay_core_back_seq(core), expected_seq);
    return relay_core_back(core, &cursor, 0);
}

static void expect_settles(uint64_t from, uint64_t to, uint64_t batch_no) {
    const struct outbox_settlement *settlement = relay_core_settlement(core);
    assert_int_equal(relay_core_want(core), WANT_SETTLE);
    assert_true(relay_core_reconciling(core));
    assert_true(settlement->verify);
    assert_int_equal(settlement->was.settled_seq, from);
    assert_int_equal(settlement->cursor_seq, to);
    assert_int_equal(settlement->batch_no, batch_no);
    relay_core_settled(core);
}

CASE(several_stored_and_not_settled) {
    assert_int_equal(look(known(12, 3), 1, 21, cursor_at(21, 18, 6)), WANT_READ_BACK);
    assert_int_equal(back(18, cursor_at(18, 15, 5)), WANT_READ_BACK);
    assert_int_equal(back(15, cursor_at(15, 12, 4)), WANT_SETTLE);
    expect_settles(12, 15, 4);
    back(18, cursor_at(18, 15, 5));
    expect_settles(15, 18, 5);
    back(21, cursor_at(21, 18, 6));
    expect_settles(18, 21, 6);
    assert_int_equal(relay_core_want(core), WANT_ROWS);
    assert_int_equal(relay_core_expected(core), 21);
    send(1);
    assert_int_equal(relay_core_outgoing(core)->batch_no, 7);
}

CASE(a_chain_evicted_in_part) {
    look(known(12, 3), 17, 21, cursor_at(21, 18, 6));
    back(18, cursor_at(18, 15, 5));
    assert_int_equal(back(15, no_cursor), WANT_READ_BACK);
    assert_int_equal(back(18, cursor_at(18, 15, 5)), WANT_SETTLE);
    assert_true(relay_core_gap(core));
    expect_settles(12, 18, 5);
    back(21, cursor_at(21, 18, 6));
    assert_false(relay_core_gap(core));
    expect_settles(18, 21, 6);
    assert_int_equal(relay_core_want(core), WANT_ROWS);
}

/* A server that was cut off may not have it yet: asked again for some 15 s. */
CASE(a_chain_with_a_hole) {
    int looks = 0;
    for (; relay_core_want(core) != WANT_STOP; looks++) {
        look(known(12, 3), 1, 21, cursor_at(21, 18, 6));
        back(18, no_cursor);
        relay_core_hurry(core);
    }
    assert_int_equal(looks, 16);
    assert_int_equal(relay_core_stop(core), STOP_RESTORED);
    assert_string_equal(
        relay_core_trouble(core),
        "a batch is missing: ORDERS holds batches up to 21, the database knows them up to 12, and "
        "at 18 batch 5 does not stand where the next one follows it");
    assert_string_equal(
        relay_core_remedy(core),
        "restore both from one moment, or run weir outbox audit URL --heal: it holds every row against what "
        "the stream holds and makes the database say so");
}

CASE(a_chain_of_others) {
    struct relay_cursor foreign = cursor_at(18, 15, 5), fence = cursor_at(18, 15, 5);
    snprintf(foreign.outbox, sizeof foreign.outbox, "another");
    fence.heal = true;
    struct relay_cursor wrong[] = {foreign, fence, cursor_at(18, 15, 4), cursor_at(18, 11, 5),
                                   cursor_at(18, 12, 5)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        look(known(12, 3), 1, 21, cursor_at(21, 18, 6));
        assert_int_equal(back(18, wrong[i]), WANT_WAIT);
        assert_string_equal(relay_core_trouble(core),
                            "ORDERS: batches are stored that are not settled, and one of them does not show");
        relay_core_hurry(core);
    }
}

CASE(a_chain_that_is_too_long) {
    uint64_t most = OUTBOX_UNSETTLED_MAX + 2;
    assert_int_equal(look(known(12, 3), 1, 9000, cursor_at(9000, 8000, 3 + most)), WANT_READ_BACK);
    relay_core_failed(core, "x", 0);
    relay_core_hurry(core);
    assert_int_equal(look(known(12, 3), 1, 9000, cursor_at(9000, 8000, 4 + most)), WANT_LOAD);
    assert_int_equal(look(known(12, 3), 1, 9000, cursor_at(9000, 8000, 4 + most)), WANT_STOP);
    assert_int_equal(relay_core_stop(core), STOP_RESTORED);
}

/* The store took the settlements of batches 4 and 5 and lost them. */
CASE(lost_settlements) {
    ready_at(12, 3);
    send(2);
    relay_core_acked(core, 15, 3, 0);
    assert_false(relay_core_settlement(core)->verify);
    relay_core_settled(core);
    send(2);
    relay_core_acked(core, 18, 3, 0);
    relay_core_settled(core);
    assert_int_equal(relay_core_expected(core), 18);
    assert_int_equal(relay_core_reload(core), WANT_LOAD);
    look(known(12, 3), 1, 18, cursor_at(18, 15, 5));
    back(15, cursor_at(15, 12, 4));
    expect_settles(12, 15, 4);
    back(18, cursor_at(18, 15, 5));
    expect_settles(15, 18, 5);
    assert_int_equal(relay_core_want(core), WANT_ROWS);
}

CASE(lost_settlements_and_a_batch_in_flight) {
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_reload(core), WANT_SEND);
    assert_int_equal(relay_core_acked(core, 15, 3, 0), WANT_LOAD);
    look(known(12, 3), 1, 15, cursor_at(15, 12, 4));
    expect_settles(12, 15, 4);
    assert_int_equal(relay_core_want(core), WANT_ROWS);
}

/* What the store refuses builds on a settlement of our own that it lost: nobody else was at work. */
CASE(a_settlement_behind_a_lost_one) {
    ready_at(12, 3);
    send(2);
    relay_core_acked(core, 15, 3, 0);
    relay_core_settled(core);
    send(2);
    relay_core_acked(core, 18, 3, 0);
    assert_int_equal(relay_core_contradicted(core), WANT_LOAD);
    assert_int_equal(look(known(12, 3), 1, 18, cursor_at(18, 15, 5)), WANT_READ_BACK);
    relay_core_failed(core, "x", 0);
    relay_core_hurry(core);
    assert_int_equal(look(known(21, 6), 1, 21, cursor_at(21, 18, 6)), WANT_STOP);
    assert_int_equal(relay_core_stop(core), STOP_FENCED);
}

CASE(cursor_evicted) {
    assert_int_equal(look(known(12, 3), 20, 40, no_cursor), WANT_ROWS);
    assert_int_equal(relay_core_expected(core), 0);
    send(1);
    assert_int_equal(relay_core_outgoing(core)->previous, 12);
}

/* --- batches ------------------------------------------------------------------------------------------ */

CASE(acknowledged) {
    int64_t positions[] = {3, 4, 5, 9, 11, 12};
    ready_at(12, 3);
    assert_int_equal(relay_core_batch(core, positions, 6, 42), WANT_SEND);
    assert_int_equal(relay_core_outgoing(core)->range_count, 3);
    assert_int_equal(relay_core_acked(core, 30, 7, 0), WANT_SETTLE);
    const struct outbox_settlement *settlement = relay_core_settlement(core);
    assert_false(settlement->verify);
    assert_int_equal(settlement->first_seq, 24);
    assert_int_equal(settlement->ranges[2].first, 11);
    assert_int_equal(relay_core_settled(core), WANT_ROWS);
    assert_int_equal(relay_core_expected(core), 30);
}

CASE(positions_that_go_back) {
    int64_t positions[] = {7, 8, 3, 4, 9};
    ready_at(12, 3);
    assert_int_equal(relay_core_batch(core, positions, 5, 42), WANT_SEND);
    const struct relay_cursor *outgoing = relay_core_outgoing(core);
    assert_int_equal(outgoing->range_count, 3);
    assert_int_equal(outgoing->ranges[0].last, 8);
    assert_int_equal(outgoing->ranges[1].first, 3);
    assert_int_equal(outgoing->ranges[2].first, 9);
    assert_int_equal(relay_core_refused_row(core, 3, "too large"), WANT_PARK);
    assert_int_equal(relay_core_guilty(core), 4);
}

CASE(an_ack_that_does_not_fit) {
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_acked(core, 777, 2, 0), WANT_WAIT);
    assert_string_equal(relay_core_trouble(core), "ORDERS: an acknowledgement does not fit the batch");
    relay_core_hurry(core);
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_acked(core, 13, 3, 0), WANT_WAIT);
}

CASE(unknown_outcomes_are_read) {
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_unknown(core, "no answer in time", 1000), WANT_WAIT);
    assert_int_equal(relay_core_tick(core, 1000), WANT_WAIT);
    assert_int_equal(relay_core_tick(core, relay_core_wait_until(core)), WANT_LOAD);
    assert_int_equal(look(known(12, 3), 1, 15, cursor_at(15, 12, 4)), WANT_SETTLE);
}

CASE(a_stale_cursor_is_read) {
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_refused(core, 10071, false, "wrong last sequence", 0), WANT_LOAD);
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_refused(core, 10071, false, "wrong last sequence", 0), WANT_WAIT);
}

CASE(waits_grow_and_are_bounded) {
    int64_t now = 0, longest = 0;
    for (int i = 0; i < 20; i++) {
        relay_core_failed(core, "no leader", now);
        int64_t pause = relay_core_wait_until(core) - now;
        assert_in_range(pause, 25 * NS_PER_MS, 2 * NS_PER_S);
        longest = pause > longest ? pause : longest;
        now += pause;
        relay_core_tick(core, now);
    }
    assert_true(longest >= NS_PER_S);
    assert_string_equal(relay_core_trouble(core), "ORDERS: no leader");
    ready_at(12, 3);
    assert_string_equal(relay_core_trouble(core), "");
}

CASE(a_full_stream) {
    ready_at(12, 3);
    send(2);
    assert_int_equal(relay_core_refused(core, 10077, false, "maximum messages exceeded (10077)", 0),
                     WANT_WAIT);
    relay_core_hurry(core);
    ready_at(12, 3);
    assert_string_equal(relay_core_trouble(core), "ORDERS: maximum messages exceeded (10077)");
    send(1);
    relay_core_acked(core, 14, 2, 0);
    relay_core_settled(core);
    assert_string_equal(relay_core_trouble(core), "");
}

/* A batch that is larger than what the stream ever holds would be refused for ever. */
CASE(a_full_stream_gets_fewer) {
    ready_at(12, 3);
    for (size_t rows = 7; rows > 1; rows = (rows + 1) / 2) {
        send(rows);
        assert_int_equal(relay_core_refused(core, 10077, false, "full", 0), WANT_WAIT);
        assert_int_equal(relay_core_rows_max(core), (rows + 1) / 2);
        relay_core_hurry(core);
        ready_at(12, 3);
    }
    send(1);
    relay_core_refused(core, 10077, false, "full", 0);
    assert_int_equal(relay_core_rows_max(core), 1);
    relay_core_hurry(core);
    ready_at(12, 3);
    send(1);
    relay_core_acked(core, 14, 2, 0);
    assert_int_equal(relay_core_rows_max(core), 2);
}

CASE(a_refused_row_is_found) {
    ready_at(12, 3);
    send(7);
    assert_int_equal(relay_core_refused(core, 10999, false, "cannot be", 0), WANT_LOAD);
    ready_at(12, 3);
    assert_int_equal(relay_core_rows_max(core), 4);
    send(1);
    assert_int_equal(relay_core_refused(core, 10999, false, "cannot be", 0), WANT_PARK);
    assert_int_equal(relay_core_guilty(core), 10);
    assert_string_equal(relay_core_refusal(core), "ORDERS refuses it: cannot be");
    assert_int_equal(relay_core_parked(core), WANT_LOAD);
    ready_at(12, 3);
    send(4);
    relay_core_acked(core, 17, 5, 0);
    assert_int_equal(relay_core_rows_max(core), 8);
}

CASE(an_incomplete_batch_is_asked) {
    ready_at(12, 3);
    for (int i = 0; i < 2; i++) {
        assert_false(relay_core_careful(core));
        send(5);
        assert_int_equal(relay_core_refused(core, 10176, true, "incomplete", 0), WANT_WAIT);
        relay_core_hurry(core);
        ready_at(12, 3);
    }
    assert_true(relay_core_careful(core));
    send(5);
    assert_int_equal(relay_core_refused_row(core, 3, "too large"), WANT_PARK);
    assert_int_equal(relay_core_guilty(core), 13);
}

/* --- forgetting ------------------------------------------------------------------------------------------ */

static void expect_fence(uint64_t expected) {
    assert_int_equal(relay_core_want(core), WANT_SEND);
    assert_true(relay_core_outgoing(core)->heal);
    assert_int_equal(relay_core_expected(core), expected);
}

CASE(a_stream_created_again) {
    struct outbox_stream settled = known(12, 3);
    relay_core_loaded(core, &settled, "2026-01-01T00:00:00Z", 1, 0);
    relay_core_cursor(core, &no_cursor);
    expect_fence(0);
    assert_true(relay_core_recreated(core));
    assert_int_equal(relay_core_acked(core, 1, 1, 0), WANT_HEAL);
    assert_int_equal(relay_core_healed(core), WANT_SETTLE);
    assert_string_equal(relay_core_settlement(core)->created, "2026-01-01T00:00:00Z");
    assert_int_equal(relay_core_settlement(core)->cursor_seq, 1);
    assert_int_equal(relay_core_settled(core), WANT_ROWS);
    assert_int_equal(relay_core_expected(core), 1);
}

CASE(a_stream_that_lost_its_end) {
    look(known(12, 3), 1, 8, cursor_at(8, 5, 2));
    expect_fence(8);
    assert_int_equal(relay_core_outgoing(core)->first, 6); /* what the last cursor said is kept */
    assert_int_equal(relay_core_outgoing(core)->count, 2);
    assert_int_equal(relay_core_outgoing(core)->batch_no, 4);
    assert_int_equal(relay_core_acked(core, 9, 1, 0), WANT_HEAL);
    assert_false(relay_core_recreated(core));
    relay_core_healed(core);
    assert_true(relay_core_settlement(core)->verify);
    assert_int_equal(relay_core_settlement(core)->first_seq, 6);
}

CASE(a_lost_end_filled_by_others) {
    look(known(12, 3), 1, 90, cursor_at(8, 5, 2));
    expect_fence(8);
}

CASE(another_batch_at_the_same_place) {
    look(known(12, 3), 1, 12, cursor_at(12, 5, 2));
    expect_fence(12);
}

CASE(a_cut_off_server_heals_nothing) {
    look(known(12, 3), 1, 8, cursor_at(8, 5, 2));
    assert_int_equal(relay_core_unknown(core, "no answer in time", 0), WANT_WAIT);
    relay_core_hurry(core);
    ready_at(12, 3);
}

CASE(healing_goes_on_after_a_crash) {
    struct relay_cursor fence = cursor_at(13, 12, 4);
    fence.heal = true;
    assert_int_equal(look(known(12, 3), 1, 13, fence), WANT_HEAL);
}

CASE(what_is_lost) {
    look(known(12, 3), 5, 8, cursor_at(8, 5, 2));
    assert_int_equal(relay_core_lost(core, 9, 5, 8), LOST_YES);
    assert_int_equal(relay_core_lost(core, 6, 5, 8), LOST_READ_BACK);
    assert_int_equal(relay_core_lost(core, 4, 5, 8), LOST_NO);
    assert_true(relay_core_lost_there(core, true, false, false));
    assert_false(relay_core_lost_there(core, true, true, false));
    assert_true(relay_core_lost_there(core, false, false, false));
    assert_false(relay_core_lost_there(core, false, false, true));
}

/* --- stopping ----------------------------------------------------------------------------------------------- */

CASE(a_restored_database) {
    assert_int_equal(look(known(12, 3), 1, 40, cursor_at(40, 30, 900)), WANT_LOAD);
    assert_int_equal(look(known(12, 3), 1, 40, cursor_at(40, 30, 900)), WANT_STOP);
    assert_int_equal(relay_core_stop(core), STOP_RESTORED);
    assert_string_equal(
        relay_core_trouble(core),
        "the database or the stream was restored: in ORDERS the last batch ends at 40 and follows 30, the "
        "database knows 12");
    assert_string_equal(
        relay_core_remedy(core),
        "restore both from one moment, or run weir outbox audit URL --heal: it holds every row against what "
        "the stream holds and makes the database say so");
}

CASE(another_relay) {
    assert_int_equal(look(known(12, 3), 1, 40, cursor_at(40, 30, 900)), WANT_LOAD);
    assert_int_equal(look(known(40, 900), 1, 40, cursor_at(40, 30, 900)), WANT_STOP);
    assert_int_equal(relay_core_stop(core), STOP_FENCED);
    assert_string_equal(
        relay_core_trouble(core),
        "another relay is at work on this outbox: it moved the cursor in ORDERS and settled it");
    assert_string_equal(
        relay_core_remedy(core),
        "let one relay run; the lease keeps a second one away, unless it works on a copy of the "
        "database, or, with SQLite, on a file system that has no locks");
}

CASE(a_lease_regained) {
    assert_int_equal(look(known(12, 3), 1, 40, cursor_at(40, 30, 900)), WANT_LOAD);
    relay_core_regained(core);
    assert_int_equal(look(known(40, 900), 1, 40, cursor_at(40, 30, 900)), WANT_ROWS);
}

CASE(a_doubt_that_passes) {
    assert_int_equal(look(known(12, 3), 1, 40, cursor_at(40, 30, 900)), WANT_LOAD);
    ready_at(12, 3);
    send(1);
    relay_core_unknown(core, "x", 0);
    relay_core_hurry(core);
    assert_int_equal(look(known(12, 3), 1, 40, cursor_at(40, 30, 900)), WANT_LOAD);
}

CASE(rows_that_are_others) {
    assert_int_equal(look(known(12, 3), 1, 15, cursor_at(15, 12, 4)), WANT_SETTLE);
    assert_int_equal(relay_core_contradicted(core), WANT_LOAD);
    assert_int_equal(look(known(12, 3), 1, 15, cursor_at(15, 12, 4)), WANT_SETTLE);
    assert_int_equal(relay_core_contradicted(core), WANT_STOP);
    assert_int_equal(relay_core_stop(core), STOP_RESTORED);
}

CASE(a_cursor_of_somebody_else) {
    struct relay_cursor foreign = cursor_at(12, 9, 3);
    snprintf(foreign.outbox, sizeof foreign.outbox, "another");
    assert_int_equal(look(known(12, 3), 1, 12, foreign), WANT_LOAD);
    assert_int_equal(look(known(12, 3), 1, 12, foreign), WANT_STOP);
}

/* --- a single row is missed --- */

CASE(a_row_that_is_missed) {
    ready_at(12, 3);
    assert_int_equal(relay_core_missed(core), WANT_LOAD);
    look(known(12, 3), 1, 20, cursor_at(12, 9, 3));
    expect_fence(12);
    assert_int_equal(relay_core_outgoing(core)->count,
                     0); /* the last batch is settled: it is not told again */
    assert_int_equal(relay_core_outgoing(core)->range_count, 0);
    assert_int_equal(relay_core_acked(core, 21, 1, 0), WANT_HEAL);
    assert_int_equal(relay_core_healed(core), WANT_SETTLE);
    assert_int_equal(relay_core_settlement(core)->range_count, 0);
    assert_int_equal(relay_core_settlement(core)->cursor_seq, 21);
    assert_int_equal(relay_core_settled(core), WANT_ROWS);
    relay_core_check(core);
    assert_int_equal(look(known(21, 4), 1, 21, cursor_at(21, 12, 4)), WANT_ROWS);
}

CASE(a_row_missed_under_load) {
    ready_at(12, 3);
    send(1);
    assert_int_equal(relay_core_missed(core), WANT_SEND);
    assert_int_equal(relay_core_acked(core, 14, 2, 0), WANT_SETTLE);
    assert_int_equal(relay_core_settled(core), WANT_LOAD);
    look(known(14, 4), 1, 14, cursor_at(14, 12, 4));
    expect_fence(14);
}

/* --- looking again ---------------------------------------------------------------------------------------------- */

CASE(only_resting_streams_are_looked_at) {
    ready_at(12, 3);
    assert_int_equal(relay_core_check(core), WANT_LOAD);
    ready_at(12, 3);
    send(1);
    assert_int_equal(relay_core_check(core), WANT_SEND);
    assert_int_equal(relay_core_hurry(core), WANT_SEND);
}

static const struct spec specs[] = {
    {"a row that is missed is healed behind a fence that tells nothing again", a_row_that_is_missed},
    {"a row missed under load is healed after the batch in flight", a_row_missed_under_load},
    {"a stream is entered in the database before its first batch", first_use},
    {"when nothing is in between the next batch follows the last", nothing_in_between},
    {"a batch that was stored and not settled is settled", stored_and_not_settled},
    {"several batches that were stored and not settled are settled, the oldest first",
     several_stored_and_not_settled},
    {"batches that were evicted before they were settled are passed over", a_chain_evicted_in_part},
    {"a batch missing between others stops after many looks", a_chain_with_a_hole},
    {"a way back over cursors that do not fit is looked at again", a_chain_of_others},
    {"a way back that is longer than settlements are ever under way stops", a_chain_that_is_too_long},
    {"settlements that the store lost are made again", lost_settlements},
    {"a batch in flight when settlements are lost is read when it is heard of",
     lost_settlements_and_a_batch_in_flight},
    {"a settlement refused behind a lost one is no rival", a_settlement_behind_a_lost_one},
    {"an evicted cursor means evicted events", cursor_evicted},
    {"an acknowledged batch is settled at its sequences", acknowledged},
    {"positions of a batch stay in the order of the stream", positions_that_go_back},
    {"an acknowledgement that does not fit means unknown", an_ack_that_does_not_fit},
    {"an unknown outcome is read and never guessed", unknown_outcomes_are_read},
    {"a stale cursor is read at once and then with waits", a_stale_cursor_is_read},
    {"waits grow up to two seconds", waits_grow_and_are_bounded},
    {"a full stream is trouble until a batch goes through", a_full_stream},
    {"a full stream is offered fewer rows at a time, down to one", a_full_stream_gets_fewer},
    {"a row the server refuses is found by halving", a_refused_row_is_found},
    {"an incomplete batch is asked message by message", an_incomplete_batch_is_asked},
    {"a stream created again is fenced and healed", a_stream_created_again},
    {"a stream that lost its end is fenced and healed", a_stream_that_lost_its_end},
    {"a lost end that others filled is noticed", a_lost_end_filled_by_others},
    {"another batch at the settled place is noticed", another_batch_at_the_same_place},
    {"a server that was cut off makes nothing be sent again", a_cut_off_server_heals_nothing},
    {"healing goes on after a crash", healing_goes_on_after_a_crash},
    {"what a stream lost is told from what it let go", what_is_lost},
    {"a restored database stops with its remedy", a_restored_database},
    {"another relay at work stops this one", another_relay},
    {"who has the lease again is not stopped by what was settled meanwhile", a_lease_regained},
    {"a doubt that passes is forgotten", a_doubt_that_passes},
    {"other rows at the positions of a batch stop", rows_that_are_others},
    {"the cursor of another outbox stops", a_cursor_of_somebody_else},
    {"only resting streams are looked at again", only_resting_streams_are_looked_at},
};
SPEC_MAIN(specs)
