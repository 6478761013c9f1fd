/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler says beside its verdict. */
#ifndef CONSUME_OUTCOME_H
#define CONSUME_OUTCOME_H

#include "base/limits.h"
#include "consume/lane_core.h"
#include "weir/consume.h"

struct weir_outcome {
    char reason[LIMIT_REASON_BYTES + 1];
    int64_t delay_ms;         /* below 0: the group's own */
    enum lane_result failure; /* what a WEIR_RETRY counts as */
};

void outcome_init(struct weir_outcome *outcome);
/* For programs that run handlers elsewhere: a retry whose last attempt makes a dead letter of class timeout
 * or crash. */
weir_verdict outcome_timeout(const weir_delivery *delivery, const char *reason);
weir_verdict outcome_crash(const weir_delivery *delivery, const char *reason);
/* The event was not even tried: no attempt. It comes again after a second. */
weir_verdict outcome_not_run(const weir_delivery *delivery, const char *reason);

#endif
