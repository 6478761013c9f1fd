/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons are copied into the outcome, cut to their bound at a character's edge: the handler's memory need
 * not outlive its call. */
#include "consume/outcome.h"

#include <string.h>

void outcome_init(struct weir_outcome *outcome) {
    outcome->reason[0] = '\0';
    outcome->delay_ms = -1;
    outcome->failure = RESULT_RETRY;
}

static void say(const weir_delivery *delivery, const char *reason) {
    struct weir_outcome *outcome = delivery->outcome;
    size_t size = reason ? strlen(reason) : 0;
    if (size > LIMIT_REASON_BYTES) {
        size = LIMIT_REASON_BYTES;
        while (size > 0 && ((unsigned char)reason[size] & 0xc0) == 0x80)
            size--;
    }
    if (size)
        memcpy(outcome->reason, reason, size);
    outcome->reason[size] = '\0';
}

weir_verdict weir_retry(const weir_delivery *delivery, const char *reason) {
    say(delivery, reason);
    delivery->outcome->delay_ms = -1;
    return WEIR_RETRY;
}

weir_verdict weir_retry_in(const weir_delivery *delivery, int64_t delay_ms, const char *reason) {
    say(delivery, reason);
    delivery->outcome->delay_ms = delay_ms < 0 ? 0 : delay_ms;
    return WEIR_RETRY;
}

weir_verdict weir_dead_letter(const weir_delivery *delivery, const char *reason) {
    say(delivery, reason);
    return WEIR_DEAD_LETTER;
}

weir_verdict weir_fail_with(const weir_delivery *delivery, const weir_error *err) {
    return err->retriable ? weir_retry(delivery, err->message) : weir_dead_letter(delivery, err->message);
}

weir_verdict outcome_timeout(const weir_delivery *delivery, const char *reason) {
    delivery->outcome->failure = RESULT_TIMEOUT;
    return weir_retry(delivery, reason);
}

weir_verdict outcome_crash(const weir_delivery *delivery, const char *reason) {
    delivery->outcome->failure = RESULT_CRASHED;
    return weir_retry(delivery, reason);
}

weir_verdict outcome_not_run(const weir_delivery *delivery, const char *reason) {
    delivery->outcome->failure = RESULT_NOT_RUN;
    return weir_retry(delivery, reason);
}
