/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What the relay may rely on, whatever database stands behind the outbox: what becomes of rows that were sent, parked or dropped. */
#include "outbox_fixture.h"

/* --- settling ---------------------------------------------------------------------------------- */

CASE(settled_rows_know_their_place) {
    struct outbox_view view;
    struct outbox_stream stream;
    insert(world, "a.b", 4);
    settle(world, 2, 3, 12);
    expect_counts(world, 2, 0, 2);
    expect_ok(outbox_find(world->outbox, "3", &view, &world->err), &world->err);
    assert_int_equal(view.state, OUTBOX_PUBLISHED);
    assert_int_equal(view.sequence, 11);
    expect_text(view.stream, "S");
    expect_text(view.processed_at, "2025-11-14T12:00:00.000000Z");
    expect_ok(outbox_stream_load(world->outbox, "S", &stream, &world->err), &world->err);
    assert_true(stream.known);
    assert_int_equal(stream.settled_seq, 12);
    assert_string_equal(stream.created, "2025-11-14T12:00:00Z");
}

CASE(settling_twice_changes_nothing) {
    struct outbox_view view;
    insert(world, "a.b", 1);
    settle(world, 1, 1, 5);
    settle(world, 1, 1, 9);
    expect_ok(outbox_find(world->outbox, "1", &view, &world->err), &world->err);
    assert_int_equal(view.sequence, 4);
}

CASE(settling_builds_on_what_was_read) {
    char message[600];
    struct outbox_range first = {1, 1}, second = {2, 2};
    insert(world, "a.b", 2);
    struct outbox_settlement early = settlement_of(world, &first, 2), late = settlement_of(world, &second, 4);
    expect_ok(outbox_settle(world->outbox, &early, &world->err), &world->err);
    expect_ok(outbox_settle(world->outbox, &early, &world->err), &world->err);
    snprintf(message, sizeof message, "%s: somebody else settled a batch to S meanwhile", world->url);
    weir_code code = outbox_settle(world->outbox, &late, &world->err);
    expect_error(code == WEIR_OK ? outbox_flush(world->outbox, &world->err) : code, WEIR_CONFLICT,
                 &world->err, message);
    expect_counts(world, 1, 0, 1);
}

/* Whether the database has it already or not; more at once than any backend lets wait. */
CASE(settled_rows_do_not_come_again) {
    enum { BATCHES = 20 };
    struct outbox_range range = {1, 1};
    insert(world, "a.b", BATCHES + 1);
    assert_int_equal(claim(world).count, BATCHES + 1);
    struct outbox_settlement settlement = settlement_of(world, &range, 2);
    for (; range.first <= BATCHES; range.first = ++range.last) {
        expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
        settlement.was.known = true;
        settlement.was.settled_seq = settlement.cursor_seq;
        settlement.was.batch_no = settlement.batch_no++;
        snprintf(settlement.was.created, sizeof settlement.was.created, "%s", settlement.created);
        settlement.cursor_seq += 2;
        settlement.first_seq += 2;
        if (range.first % 10 == 5)
            assert_int_equal(claim(world).rows[0].pos, range.first + 1);
        assert_true(outbox_unsettled(world->outbox) <= OUTBOX_UNSETTLED_MAX);
    }
    assert_int_equal(claim(world).count, 1);
    expect_counts(world, 1, 0, BATCHES);
}

CASE(unknown_stream) {
    struct outbox_stream stream = {.known = true};
    expect_ok(outbox_stream_load(world->outbox, "NEVER", &stream, &world->err), &world->err);
    assert_false(stream.known);
    assert_int_equal(stream.settled_seq, 0);
}

static uint64_t hash_of(struct claimed claimed) {
    uint64_t hash = OUTBOX_HASH_START;
    for (size_t i = 0; i < claimed.count; i++)
        hash = outbox_ids_hash(hash, claimed.rows[i].draft.id);
    return hash;
}

CASE(settling_verifies_an_earlier_life) {
    struct outbox_range range = {1, 2};
    struct outbox_stream stream;
    insert(world, "a.b", 2);
    struct outbox_settlement settlement = {.stream = "S",
                                           .created = "c",
                                           .cursor_seq = 3,
                                           .batch_no = 7,
                                           .ranges = &range,
                                           .range_count = 1,
                                           .first_seq = 1,
                                           .verify = true,
                                           .ids_hash = hash_of(claim(world)) ^ 1,
                                           .now_us = 1};
    char message[600];
    snprintf(message, sizeof message,
             "%s: the rows at the positions of batch 7 to S are not those it was made of", world->url);
    expect_error(outbox_settle(world->outbox, &settlement, &world->err), WEIR_CONFLICT, &world->err, message);
    expect_counts(world, 2, 0, 0);
    expect_ok(outbox_stream_load(world->outbox, "S", &stream, &world->err), &world->err);
    assert_false(stream.known);
    settlement.ids_hash ^= 1;
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    expect_counts(world, 0, 0, 2);
}

CASE(streams_are_listed) {
    const char **names;
    size_t count;
    struct outbox_settlement settlement = {.stream = "B", .created = "c"};
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    settlement.stream = "A";
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    expect_ok(outbox_streams(world->outbox, world->arena, &names, &count, &world->err), &world->err);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "A");
    assert_string_equal(names[1], "B");
}

/* --- parking ----------------------------------------------------------------------------------- */

static void park(struct world *world, int64_t pos) {
    await_log(world);
    struct outbox_parking parking = {pos, "schema", "payload /n: must be a string"};
    expect_ok(outbox_park(world->outbox, &parking, 1, 1763121600000000, &world->err), &world->err);
}

CASE(parked_rows_step_aside) {
    struct outbox_view view;
    insert(world, "a.b", 3);
    park(world, 1);
    expect_counts(world, 2, 1, 0);
    assert_int_equal(claim(world).rows[0].pos, 2);
    expect_ok(outbox_find(world->outbox, "1", &view, &world->err), &world->err);
    assert_int_equal(view.state, OUTBOX_PARKED);
    expect_text(view.error_class, "schema");
    expect_text(view.error, "payload /n: must be a string");
    assert_string_equal(world->backend->refused(world->url, "DELETE FROM outbox_events WHERE pos = 1"),
                        CANNOT_DELETE);
}

CASE(parked_rows_come_back) {
    size_t count;
    insert(world, "a.b", 3);
    park(world, 1);
    park(world, 3);
    expect_ok(outbox_unpark(world->outbox, 2, &count, &world->err), &world->err);
    assert_int_equal(count, 0);
    expect_ok(outbox_unpark(world->outbox, 1, &count, &world->err), &world->err);
    assert_int_equal(count, 1);
    assert_int_equal(claim(world).rows[0].pos, 1);
    park(world, 1);
    expect_ok(outbox_unpark(world->outbox, 0, &count, &world->err), &world->err);
    assert_int_equal(count, 2);
    expect_counts(world, 3, 0, 0);
}

static void hold(struct world *world, int64_t pos, const char *reason) {
    struct outbox_parking parking = {pos, OUTBOX_HELD, reason};
    await_log(world);
    expect_ok(outbox_park(world->outbox, &parking, 1, 1763121600000000, &world->err), &world->err);
}

CASE(held_rows_come_back_with_theirs) {
    size_t count;
    insert(world, "a.b", 14);
    park(world, 1);
    hold(world, 2, "row 1 of the same key is parked");
    hold(world, 3, "row 12 of the same key is parked");
    expect_counts(world, 11, 3, 0);
    expect_ok(outbox_unpark(world->outbox, 1, &count, &world->err), &world->err);
    assert_int_equal(count, 2);
    expect_counts(world, 13, 1, 0);
    park(world, 12);
    expect_ok(outbox_drop(world->outbox, 12, "a test", 1763121600000000, &world->err), &world->err);
    expect_counts(world, 13, 0, 0);
    assert_int_equal(counts(world).dropped, 1);
    assert_int_equal(claim(world).rows[2].pos, 3);
}

CASE(published_rows_cannot_be_parked) {
    insert(world, "a.b", 1);
    settle(world, 1, 1, 2);
    park(world, 1);
    expect_counts(world, 0, 0, 1);
}

CASE(dropped_rows_leave_a_trace) {
    struct outbox_view view;
    insert(world, "a.b", 2);
    park(world, 1);
    expect_ok(outbox_drop(world->outbox, 1, "a test", 1763121600000000, &world->err), &world->err);
    expect_ok(outbox_find(world->outbox, "1", &view, &world->err), &world->err);
    assert_int_equal(view.state, OUTBOX_DROPPED);
    expect_text(view.error, "a test (was parked: payload /n: must be a string)");
    expect_error(outbox_drop(world->outbox, 1, "again", 1, &world->err), WEIR_CONFLICT, &world->err,
                 "row 1 was dropped already");
    settle(world, 2, 2, 9);
    expect_error(outbox_drop(world->outbox, 2, "late", 1, &world->err), WEIR_CONFLICT, &world->err,
                 "row 2 is published: it stands in S at 8");
    char message[600];
    snprintf(message, sizeof message, "%s has no row with position or id '77'", world->url);
    expect_error(outbox_drop(world->outbox, 77, "none", 1, &world->err), WEIR_NOT_FOUND, &world->err,
                 message);
    assert_int_equal(counts(world).dropped, 1);
}

CASE(a_drop_that_came_too_late) {
    insert(world, "a.b", 1);
    expect_ok(outbox_drop(world->outbox, 1, "a test", 1, &world->err), &world->err);
    settle(world, 1, 1, 2);
    expect_counts(world, 0, 0, 1);
}

/* --- sending again, cleaning ------------------------------------------------------------------- */

CASE(what_was_sent_can_be_sent_again) {
    struct outbox_sent *sent;
    size_t count;
    insert(world, "a.b", 5);
    settle(world, 1, 4, 5);
    expect_ok(outbox_sent(world->outbox, "S", INT64_MAX, 3, world->arena, &sent, &count, &world->err),
              &world->err);
    assert_int_equal(count, 3);
    assert_int_equal(sent[0].pos, 4);
    assert_int_equal(sent[0].sequence, 4);
    expect_ok(outbox_sent(world->outbox, "S", sent[2].pos, 3, world->arena, &sent, &count, &world->err),
              &world->err);
    assert_int_equal(count, 1);
    assert_int_equal(sent[0].pos, 1);
    int64_t positions[] = {4, 2};
    expect_ok(outbox_unsend(world->outbox, positions, 2, &world->err), &world->err);
    expect_counts(world, 3, 0, 2);
    assert_int_equal(claim(world).rows[0].pos, 2);
}

CASE(cleaning_keeps_what_is_young_or_unsent) {
    size_t count;
    bool more;
    insert(world, "a.b", 6);
    settle(world, 1, 2, 3);
    park(world, 3);
    settle(world, 4, 5, 9);
    int64_t before = 1763121600000000;
    expect_ok(outbox_clean(world->outbox, before, 100, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 0);
    assert_false(more);
    expect_ok(outbox_clean(world->outbox, before + 1, 2, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 2);
    assert_true(more);
    expect_ok(outbox_clean(world->outbox, before + 1, 100, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 2);
    assert_false(more);
    expect_counts(world, 1, 1, 0);
}

CASE(positions_are_never_used_again) {
    size_t count;
    bool more;
    insert(world, "a.b", 2);
    settle(world, 1, 2, 3);
    expect_ok(outbox_clean(world->outbox, INT64_MAX / 2000, 100, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 2);
    struct outbox_span none = span(world);
    assert_int_equal(none.oldest_pending, 0);
    if (!is_on(world, "log")) /* its marks are of the window */
        assert_int_equal(none.last.pos, is_on(world, "sqlite") ? 2 : 0);
    insert(world, "a.b", 1);
    assert_int_equal(claim(world).rows[0].pos, 3);
    assert_int_equal(span(world).oldest_pending, 3);
}

static const struct spec specs[] = {
    {"settled rows know their stream and sequence", settled_rows_know_their_place},
    {"settling twice changes nothing", settling_twice_changes_nothing},
    {"a settlement that does not build on the last one changes nothing", settling_builds_on_what_was_read},
    {"rows that are settled do not come again, whatever is under way", settled_rows_do_not_come_again},
    {"a stream never sent to is not known", unknown_stream},
    {"a batch of an earlier life is settled only when its rows are the same",
     settling_verifies_an_earlier_life},
    {"the streams an outbox sent to are listed", streams_are_listed},
    {"parked rows step aside with class and reason", parked_rows_step_aside},
    {"parked rows come back one by one or all", parked_rows_come_back},
    {"rows held behind a parked one come back with it, retried or dropped", held_rows_come_back_with_theirs},
    {"a published row cannot be parked", published_rows_cannot_be_parked},
    {"a dropped row leaves a trace", dropped_rows_leave_a_trace},
    {"a row dropped too late counts as published", a_drop_that_came_too_late},
    {"published rows can be found and sent again", what_was_sent_can_be_sent_again},
    {"cleaning keeps what is young, parked or pending", cleaning_keeps_what_is_young_or_unsent},
    {"positions are never used again", positions_are_never_used_again},
};
SPEC_MAIN(specs)
