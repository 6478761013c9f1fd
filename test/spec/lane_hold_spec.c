/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume */
/* What a member holds: each event once, what it remembers, how much at a time, and how it lets go. */
#include "lane_fixture.h"

static void same_event_again(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_arrival arrival = event("site-1", 1);
    uint64_t first = arrive(core, "site-1", 1, NOW), again;
    arrival.deliveries = 2;
    assert_true(lane_core_knows(core, &arrival));
    assert_int_equal(lane_core_arrive(core, &arrival, NOW, &again), NEWS_HELD);
    assert_int_equal(again, first);
    assert_int_equal(lane_core_held(core), 1);
    lane_core_free(core);
}

static void settled_event_again(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_arrival arrival = event("site-1", 1);
    uint64_t first = arrive(core, "site-1", 1, NOW), again;
    expect_start(core, first, 1, NOW);
    lane_core_result(core, first, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, first, NOW);
    arrival.deliveries = 2;
    assert_int_equal(lane_core_arrive(core, &arrival, NOW, &again), NEWS_SETTLED);
    expect_none(core, NOW);
    lane_core_free(core);
}

static void stream_made_anew(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_arrival arrival = event("site-1", 1);
    uint64_t first = arrive(core, "site-1", 1, NOW), second;
    expect_start(core, first, 1, NOW);
    lane_core_result(core, first, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, first, NOW);
    arrival.stored_ns = 2;
    assert_int_equal(lane_core_arrive(core, &arrival, NOW, &second), NEWS_NEW);
    expect_start(core, second, 1, NOW);
    lane_core_free(core);
}

static void retry_beside_its_original(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_arrival retried = event("site-1", 1);
    uint64_t original = arrive(core, "site-1", 1, NOW), copy;
    expect_start(core, original, 1, NOW);
    retried.source = 1;
    retried.source_sequence = 77;
    assert_int_equal(lane_core_arrive(core, &retried, NOW, &copy), NEWS_NEW);
    expect_none(core, NOW);
    lane_core_result(core, original, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, original, NOW);
    expect_start(core, copy, 1, NOW);
    lane_core_free(core);
}

static void memory_is_bounded(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_action action = {LANE_NONE};
    for (uint64_t sequence = 1; sequence <= 11; sequence++) {
        uint64_t handle = arrive(core, NULL, sequence, NOW);
        expect_start(core, handle, 1, NOW);
        lane_core_result(core, handle, RESULT_DONE, 0, NOW);
        expect(core, LANE_ACK, handle, NOW);
        action = lane_core_next(core, NOW);
    }
    assert_int_equal(action.act, LANE_FORGET);
    assert_int_equal(action.event, 0);
    struct lane_arrival first = event(NULL, 1), second = event(NULL, 2);
    assert_false(lane_core_knows(core, &first));
    assert_true(lane_core_knows(core, &second));
    lane_core_free(core);
}

/* Refuses everything that starts; returns how many letters are being written. */
static int refuse_all(lane_core *core, uint64_t letters[10]) {
    int count = 0;
    for (struct lane_action action; (action = lane_core_next(core, NOW)).act != LANE_NONE;) {
        if (action.act == LANE_START)
            lane_core_result(core, action.event, RESULT_REJECTED, -1, NOW);
        if (action.act == LANE_DEAD_LETTER)
            letters[count++] = action.event;
    }
    return count;
}

static void memory_gives_way(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t letters[10];
    for (uint64_t round = 0; round < 4; round++) {
        for (uint64_t i = 1; i <= 10; i++) /* before the core could say what it forgets */
            arrive(core, NULL, round * 10 + i, NOW);
        assert_int_equal(refuse_all(core, letters), 10);
        for (size_t i = 0; i < 10; i++)
            lane_core_buried(core, letters[i], true, NOW);
    }
    assert_int_equal(lane_core_held(core), 0);
    struct lane_arrival last = event(NULL, 40);
    assert_true(lane_core_knows(core, &last));
    lane_core_free(core);
}

static void progress_every_third(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW), second = arrive(core, "site-1", 2, NOW + NS_PER_S);
    expect_start(core, first, 1, NOW + NS_PER_S);
    assert_int_equal(lane_core_next_ns(core), NOW + ACK_WAIT / 3);
    expect_none(core, NOW + ACK_WAIT / 3 - 1);
    expect(core, LANE_PROGRESS, first, NOW + ACK_WAIT / 3);
    expect_none(core, NOW + ACK_WAIT / 3);
    expect(core, LANE_PROGRESS, second, NOW + ACK_WAIT / 3 + NS_PER_S);
    expect(core, LANE_PROGRESS, first, NOW + 2 * ACK_WAIT / 3);
    lane_core_free(core);
}

static void workers_are_a_bound(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "a", 1, NOW), second = arrive(core, "b", 2, NOW),
             third = arrive(core, "c", 3, NOW);
    expect_start(core, first, 1, NOW);
    expect_start(core, second, 1, NOW);
    expect_none(core, NOW);
    assert_int_equal(lane_core_ready(core), 1);
    lane_core_result(core, second, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, second, NOW);
    expect_start(core, third, 1, NOW);
    lane_core_free(core);
}

static void room_shrinks_with_what_is_held(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    assert_int_equal(lane_core_room(core), 10);
    for (uint64_t sequence = 1; sequence <= 10; sequence++)
        arrive(core, "site-1", sequence, NOW);
    assert_int_equal(lane_core_room(core), 0);
    lane_core_free(core);
}

static void done_limit_holds_starts(void **state) {
    (void)state;
    struct lane_policy limited = policy(true);
    limited.done_limit = 1;
    lane_core *core = lane_core_new(&limited);
    uint64_t first = arrive(core, "a", 1, NOW), second = arrive(core, "b", 2, NOW);
    expect_start(core, first, 1, NOW);
    expect_none(core, NOW);
    lane_core_result(core, first, RESULT_RETRY, -1, NOW);
    expect_start(core, second, 1, NOW);
    lane_core_result(core, second, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, second, NOW);
    expect_none(core, NOW + NS_PER_S);
    lane_core_free(core);
}

static void drain_gives_back(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t running = arrive(core, "a", 1, NOW), delayed = arrive(core, "c", 4, NOW);
    expect_start(core, running, 1, NOW);
    expect_start(core, delayed, 1, NOW);
    lane_core_result(core, delayed, RESULT_RETRY, -1, NOW);
    uint64_t behind = arrive(core, "c", 5, NOW), ready = arrive(core, "b", 3, NOW);
    lane_core_drain(core);
    assert_int_equal(expect(core, LANE_NAK, ready, NOW), 0);
    assert_int_equal(expect(core, LANE_NAK, delayed, NOW), 0);
    assert_int_equal(expect(core, LANE_NAK, behind, NOW), 0);
    expect_none(core, NOW);
    lane_core_result(core, running, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, running, NOW);
    expect_none(core, NOW);
    assert_int_equal(lane_core_held(core), 0);
    assert_int_equal(lane_core_room(core), 0);
    lane_core_free(core);
}

static void drain_keeps_order_behind_running(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t running = arrive(core, "a", 1, NOW), second = arrive(core, "a", 2, NOW),
             third = arrive(core, "a", 3, NOW);
    expect_start(core, running, 1, NOW);
    lane_core_drain(core);
    expect_none(core, NOW);
    lane_core_result(core, running, RESULT_RETRY, -1, NOW);
    expect(core, LANE_NAK, running, NOW);
    expect(core, LANE_NAK, second, NOW);
    expect(core, LANE_NAK, third, NOW);
    expect_none(core, NOW);
    lane_core_free(core);
}

static void drain_finishes_burials(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "a", 1, NOW), second = arrive(core, "b", 2, NOW);
    expect_start(core, first, 1, NOW);
    expect_start(core, second, 1, NOW);
    lane_core_result(core, first, RESULT_REJECTED, -1, NOW);
    lane_core_result(core, second, RESULT_REJECTED, -1, NOW);
    expect_letter(core, first, "rejected", NOW);
    expect_letter(core, second, "rejected", NOW);
    lane_core_drain(core);
    lane_core_buried(core, first, true, NOW);
    lane_core_buried(core, second, false, NOW);
    expect(core, LANE_NAK, second, NOW);
    expect_none(core, NOW);
    assert_int_equal(lane_core_held(core), 0);
    lane_core_free(core);
}

static const struct spec specs[] = {
    {"an event that comes again while held is the same event", same_event_again},
    {"an event that comes again after it was settled is not handled twice", settled_event_again},
    {"the same sequence of a stream made anew is another event", stream_made_anew},
    {"a retry from the dead letters waits for its original", retry_beside_its_original},
    {"what is remembered is bounded and the oldest is forgotten", memory_is_bounded},
    {"memory gives way when more is settled at once than is remembered", memory_gives_way},
    {"everything held is in progress every third of ack_wait", progress_every_third},
    {"no more handlers run than there are workers", workers_are_a_bound},
    {"room shrinks with what is held", room_shrinks_with_what_is_held},
    {"no start could make more done than the limit", done_limit_holds_starts},
    {"a drain gives back what waits in order and lets running handlers finish", drain_gives_back},
    {"in a drain what stands behind a running event is given back after it",
     drain_keeps_order_behind_running},
    {"a drain finishes burials and gives back those that fail", drain_finishes_burials},
};
SPEC_MAIN(specs)
