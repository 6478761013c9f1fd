/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume */
/* What a member decides about an event: whose turn it is, what follows a result, when it is given up. */
#include "lane_fixture.h"

static void second_waits_for_first(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW), second = arrive(core, "site-1", 2, NOW);
    expect_start(core, first, 1, NOW);
    expect_none(core, NOW);
    lane_core_result(core, first, RESULT_DONE, 0, NOW);
    expect(core, LANE_ACK, first, NOW);
    expect_start(core, second, 1, NOW);
    lane_core_free(core);
}

static void other_keys_run(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW);
    arrive(core, "site-1", 2, NOW);
    uint64_t other = arrive(core, "site-2", 3, NOW);
    expect_start(core, first, 1, NOW);
    expect_start(core, other, 1, NOW);
    expect_none(core, NOW);
    lane_core_free(core);
}

static void same_key_of_two_streams(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t here = arrive(core, "site-1", 1, NOW), there;
    struct lane_arrival arrival = event("site-1", 1);
    arrival.stream = weir_text_of("T");
    arrival.source = 1;
    lane_core_arrive(core, &arrival, NOW, &there);
    expect_start(core, here, 1, NOW);
    expect_start(core, there, 1, NOW);
    lane_core_free(core);
}

static void no_key_no_lane(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, NULL, 1, NOW), second = arrive(core, NULL, 2, NOW);
    expect_start(core, first, 1, NOW);
    expect_start(core, second, 1, NOW);
    lane_core_free(core);
}

static void empty_key_is_a_key(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "", 1, NOW);
    arrive(core, "", 2, NOW);
    expect_start(core, first, 1, NOW);
    expect_none(core, NOW);
    lane_core_free(core);
}

static void retry_keeps_its_place(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW);
    arrive(core, "site-1", 2, NOW);
    expect_start(core, first, 1, NOW);
    lane_core_result(core, first, RESULT_RETRY, -1, NOW);
    expect_none(core, NOW + NS_PER_S - 1);
    assert_int_equal(lane_core_next_ns(core), NOW + NS_PER_S);
    expect_start(core, first, 2, NOW + NS_PER_S);
    lane_core_result(core, first, RESULT_RETRY, -1, NOW + NS_PER_S);
    expect_start(core, first, 3, NOW + 6 * NS_PER_S);
    lane_core_free(core);
}

static void retry_with_its_own_delay(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW);
    expect_start(core, first, 1, NOW);
    lane_core_result(core, first, RESULT_RETRY, 3 * NS_PER_S, NOW);
    assert_int_equal(lane_core_next_ns(core), NOW + 3 * NS_PER_S);
    lane_core_free(core);
}

static void unordered_retry_is_given_back(void **state) {
    (void)state;
    lane_core *core = unordered_core();
    struct lane_arrival arrival = event("site-1", 1);
    uint64_t handle = arrive(core, "site-1", 1, NOW), again;
    expect_start(core, handle, 1, NOW);
    lane_core_result(core, handle, RESULT_RETRY, -1, NOW);
    assert_int_equal(expect(core, LANE_NAK, handle, NOW), NS_PER_S);
    assert_int_equal(lane_core_held(core), 0);
    arrival.deliveries = 2;
    assert_int_equal(lane_core_arrive(core, &arrival, NOW, &again), NEWS_BACK);
    assert_int_equal(again, handle);
    expect_start(core, handle, 2, NOW);
    lane_core_free(core);
}

static void unordered_attempts_elsewhere(void **state) {
    (void)state;
    lane_core *core = unordered_core();
    struct lane_arrival arrival = event("site-1", 1), often = event("site-1", 2);
    uint64_t second, last;
    arrival.deliveries = 2;
    often.deliveries = 9;
    lane_core_arrive(core, &arrival, NOW, &second);
    lane_core_arrive(core, &often, NOW, &last);
    expect_start(core, second, 2, NOW);
    expect_start(core, last, 3, NOW);
    lane_core_free(core);
}

static void ordered_redelivery_is_no_attempt(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_arrival arrival = event("site-1", 1);
    uint64_t handle;
    arrival.deliveries = 9;
    lane_core_arrive(core, &arrival, NOW, &handle);
    expect_start(core, handle, 1, NOW);
    lane_core_free(core);
}

static void gives_up_after_max_deliver(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW), second = arrive(core, "site-1", 2, NOW);
    for (int attempt = 1; attempt <= 3; attempt++) {
        expect_start(core, first, attempt, NOW);
        lane_core_result(core, first,
                         attempt == 1   ? RESULT_NEWER
                         : attempt == 2 ? RESULT_RETRY
                                        : RESULT_TIMEOUT,
                         0, NOW);
    }
    expect_letter(core, first, "timeout", NOW);
    expect_none(core, NOW);
    lane_core_buried(core, first, true, NOW);
    expect_start(core, second, 1, NOW);
    lane_core_free(core);
}

static void classes_of_letters(void **state) {
    (void)state;
    static const struct {
        enum lane_result result;
        const char *reason_class;
    } rows[] = {{RESULT_RETRY, "handler"},     {RESULT_CRASHED, "crash"}, {RESULT_TIMEOUT, "timeout"},
                {RESULT_REJECTED, "rejected"}, {RESULT_NEWER, "schema"},  {RESULT_INVALID, "schema"}};
    struct lane_policy once = policy(true);
    once.max_deliver = 1;
    lane_core *core = lane_core_new(&once);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t handle = arrive(core, "site-1", i + 1, NOW);
        expect_start(core, handle, 1, NOW);
        lane_core_result(core, handle, rows[i].result, -1, NOW);
        expect_letter(core, handle, rows[i].reason_class, NOW);
        lane_core_buried(core, handle, true, NOW);
    }
    lane_core_free(core);
}

static void crasher_is_not_started(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    struct lane_arrival arrival = event("site-1", 1);
    uint64_t handle;
    arrival.deliveries = 19;
    lane_core_arrive(core, &arrival, NOW, &handle);
    expect_letter(core, handle, "crash", NOW);
    lane_core_free(core);
}

static void burial_is_tried_again(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t first = arrive(core, "site-1", 1, NOW);
    arrive(core, "site-1", 2, NOW);
    expect_start(core, first, 1, NOW);
    lane_core_result(core, first, RESULT_REJECTED, -1, NOW);
    expect_letter(core, first, "rejected", NOW);
    lane_core_buried(core, first, false, NOW);
    expect_none(core, NOW);
    expect_letter(core, first, "rejected", NOW + NS_PER_S);
    lane_core_buried(core, first, false, NOW + NS_PER_S);
    assert_int_equal(lane_core_next_ns(core), NOW + 3 * NS_PER_S);
    assert_int_equal(lane_core_held(core), 2);
    lane_core_free(core);
}

static void not_run_is_no_attempt(void **state) {
    (void)state;
    lane_core *core = unordered_core();
    uint64_t handle = arrive(core, "site-1", 1, NOW);
    expect_start(core, handle, 1, NOW);
    lane_core_result(core, handle, RESULT_NOT_RUN, -1, NOW);
    expect_none(core, NOW);
    expect_start(core, handle, 1, NOW + NS_PER_S);
    lane_core_free(core);
}

static void smaller_sequence_first(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t five = arrive(core, "site-1", 5, NOW), two = arrive(core, "site-1", 2, NOW),
             three = arrive(core, "site-1", 3, NOW);
    const uint64_t order[] = {two, three, five};
    for (size_t i = 0; i < 3; i++) {
        expect_start(core, order[i], 1, NOW);
        lane_core_result(core, order[i], RESULT_DONE, 0, NOW);
        expect(core, LANE_ACK, order[i], NOW);
    }
    lane_core_free(core);
}

static void smaller_sequence_while_waiting(void **state) {
    (void)state;
    lane_core *core = ordered_core();
    uint64_t five = arrive(core, "site-1", 5, NOW);
    expect_start(core, five, 1, NOW);
    lane_core_result(core, five, RESULT_RETRY, -1, NOW);
    expect_none(core, NOW);
    uint64_t two = arrive(core, "site-1", 2, NOW);
    expect_none(core, NOW);
    expect_start(core, two, 1, NOW + NS_PER_S);
    lane_core_result(core, two, RESULT_DONE, 0, NOW + NS_PER_S);
    expect(core, LANE_ACK, two, NOW + NS_PER_S);
    expect_start(core, five, 2, NOW + NS_PER_S);
    lane_core_free(core);
}

static void barrier(void **state) {
    (void)state;
    struct lane_policy parked = policy(true);
    parked.parked = true;
    lane_core *core = lane_core_new(&parked);
    uint64_t four = arrive(core, "site-1", 4, NOW);
    expect_none(core, NOW);
    assert_int_equal(lane_core_ready(core), 1);
    uint64_t three = arrive(core, "site-1", 3, NOW);
    expect(core, LANE_PROGRESS, four, NOW + ACK_WAIT / 3);
    expect(core, LANE_PROGRESS, three, NOW + ACK_WAIT / 3);
    lane_core_open(core);
    expect_start(core, three, 1, NOW + ACK_WAIT / 3);
    expect_none(core, NOW + ACK_WAIT / 3);
    lane_core_free(core);
}

static const struct spec specs[] = {
    {"the second event of a key waits for the first", second_waits_for_first},
    {"other keys run meanwhile", other_keys_run},
    {"the same key of two streams is two lanes", same_key_of_two_streams},
    {"events without a key do not wait for each other", no_key_no_lane},
    {"an empty key is a key", empty_key_is_a_key},
    {"an ordered group retries in the lane after its delays", retry_keeps_its_place},
    {"a handler may set the delay of a retry", retry_with_its_own_delay},
    {"an unordered group gives a retry back with a delay and remembers the attempts",
     unordered_retry_is_given_back},
    {"in an unordered group deliveries to others count as attempts and one is always left",
     unordered_attempts_elsewhere},
    {"in an ordered group a redelivery is no attempt", ordered_redelivery_is_no_attempt},
    {"behind the barrier nothing starts, and then in order", barrier},
    {"an event is given up after max_deliver attempts and its key waits for the letter",
     gives_up_after_max_deliver},
    {"each way of failing has its class of dead letter", classes_of_letters},
    {"an event delivered far too often is not started again", crasher_is_not_started},
    {"a letter that cannot be stored is tried again and the event stays", burial_is_tried_again},
    {"a handler that could not be called is no attempt", not_run_is_no_attempt},
    {"events that came out of order run in order", smaller_sequence_first},
    {"a smaller sequence that comes during a retry delay goes first", smaller_sequence_while_waiting},
};
SPEC_MAIN(specs)
