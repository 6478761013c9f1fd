/* SPDX-License-Identifier: Apache-2.0 */
/* What a relay core tells, to the shell and to healing. Nothing here changes it. */
#include "relay/relay_core_state.h"

/* --- what is known ----------------------------------------------------------------------------- */

enum relay_want relay_core_want(const relay_core *core) {
    return core->want;
}

uint64_t relay_core_looks(const relay_core *core) {
    return core->looks;
}

size_t relay_core_rows_max(const relay_core *core) {
    return core->rows_max;
}

uint64_t relay_core_expected(const relay_core *core) {
    return core->expected;
}

const struct relay_cursor *relay_core_outgoing(const relay_core *core) {
    return &core->outgoing;
}

int64_t relay_core_wait_until(const relay_core *core) {
    return core->wait_until_ns;
}

int64_t relay_core_guilty(const relay_core *core) {
    return core->guilty;
}

bool relay_core_careful(const relay_core *core) {
    return core->incomplete >= 2;
}

const char *relay_core_refusal(const relay_core *core) {
    return core->refusal;
}

enum relay_stop relay_core_stop(const relay_core *core) {
    return core->stop;
}

const char *relay_core_trouble(const relay_core *core) {
    return core->trouble;
}

const char *relay_core_remedy(const relay_core *core) {
    return core->remedy;
}

const struct outbox_settlement *relay_core_settlement(const relay_core *core) {
    return &core->settlement;
}

bool relay_core_reconciling(const relay_core *core) {
    return core->settling == SETTLE_RECONCILE;
}

uint64_t relay_core_back_seq(const relay_core *core) {
    return core->back_seq;
}

bool relay_core_gap(const relay_core *core) {
    return core->chain_gap && core->settling == SETTLE_RECONCILE;
}

/* --- healing ----------------------------------------------------------------------------------- */

bool relay_core_recreated(const relay_core *core) {
    return core->recreated;
}

enum relay_lost relay_core_lost(const relay_core *core, uint64_t sequence, uint64_t first_seq,
                                uint64_t last_seq) {
    if (sequence > last_seq)
        return LOST_YES;
    if (sequence < first_seq) /* evicted; of another life of the stream it was never in this one */
        return core->recreated ? LOST_YES : LOST_NO;
    return LOST_READ_BACK;
}

bool relay_core_lost_there(const relay_core *core, bool found, bool same_id, bool removes) {
    if (found)
        return !same_id;
    return core->recreated || !removes;
}
