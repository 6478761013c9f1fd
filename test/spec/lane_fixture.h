/* SPDX-License-Identifier: Apache-2.0 */
/* What the specifications of the lane core share: a policy, arrivals, and what is expected next. */
#ifndef LANE_FIXTURE_H
#define LANE_FIXTURE_H

#include "base/units.h"
#include "consume/lane_core.h"
#include "kit/spec.h"

#define NOW (1000 * NS_PER_S)
#define ACK_WAIT (30 * NS_PER_S)

static const int64_t delays[] = {1 * NS_PER_S, 5 * NS_PER_S};

static inline struct lane_policy policy(bool ordered) {
    return (struct lane_policy){.ordered = ordered,
                                .max_deliver = 3,
                                .retry_ns = delays,
                                .retry_count = 2,
                                .ack_wait_ns = ACK_WAIT,
                                .workers = 2,
                                .capacity = 10,
                                .crash_deliveries = 19};
}

static inline struct lane_arrival event(const char *key, uint64_t sequence) {
    return (struct lane_arrival){.stream = weir_text_of("S"),
                                 .key = weir_text_of(key),
                                 .sequence = sequence,
                                 .source_sequence = sequence,
                                 .stored_ns = 1,
                                 .deliveries = 1};
}

static inline uint64_t arrive(lane_core *core, const char *key, uint64_t sequence, int64_t now_ns) {
    struct lane_arrival arrival = event(key, sequence);
    uint64_t handle;
    assert_int_equal(lane_core_arrive(core, &arrival, now_ns, &handle), NEWS_NEW);
    return handle;
}

static inline uint64_t expect(lane_core *core, enum lane_act act, uint64_t handle, int64_t now_ns) {
    struct lane_action action = lane_core_next(core, now_ns);
    assert_int_equal(action.act, act);
    if (act != LANE_NONE)
        assert_int_equal(action.event, handle);
    return (uint64_t)action.delay_ns;
}

static inline void expect_none(lane_core *core, int64_t now_ns) {
    expect(core, LANE_NONE, 0, now_ns);
}

static inline void expect_start(lane_core *core, uint64_t handle, int attempt, int64_t now_ns) {
    struct lane_action action = lane_core_next(core, now_ns);
    assert_int_equal(action.act, LANE_START);
    assert_int_equal(action.event, handle);
    assert_int_equal(action.attempt, attempt);
}

static inline void expect_letter(lane_core *core, uint64_t handle, const char *reason_class, int64_t now_ns) {
    struct lane_action action = lane_core_next(core, now_ns);
    assert_int_equal(action.act, LANE_DEAD_LETTER);
    assert_int_equal(action.event, handle);
    assert_string_equal(action.reason_class, reason_class);
}

static inline lane_core *ordered_core(void) {
    struct lane_policy ordered = policy(true);
    return lane_core_new(&ordered);
}

static inline lane_core *unordered_core(void) {
    struct lane_policy unordered = policy(false);
    return lane_core_new(&unordered);
}

#endif
