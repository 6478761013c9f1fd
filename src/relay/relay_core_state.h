/* SPDX-License-Identifier: Apache-2.0 */
/* What a relay core remembers. Only relay_core.c (which decides) and relay_core_view.c (which tells) see it. */
#ifndef RELAY_RELAY_CORE_STATE_H
#define RELAY_RELAY_CORE_STATE_H

#include "base/limits.h"
#include "relay/relay_core.h"

/* What a SETTLE in progress is for. */
enum settle_kind { SETTLE_REGISTER, SETTLE_ACKED, SETTLE_RECONCILE, SETTLE_HEALED };

struct relay_core {
    char uuid[37], stream[LIMIT_STREAM_NAME_BYTES + 1];
    enum relay_want want;
    uint64_t random, looks;
    /* the witnesses, as last read */
    struct outbox_stream settled;
    char created[40];
    uint64_t first_seq, last_seq;
    bool recreated;
    bool doubted; /* they contradicted each other once; doubted_seq was S then */
    uint64_t doubted_seq, doubted_cursor;
    /* what is sent, and what it settles */
    uint64_t expected, batch_no;
    struct relay_cursor outgoing;
    struct outbox_settlement settlement;
    enum settle_kind settling;
    size_t rows_max;
    /* trouble */
    int tries; /* without progress */
    int incomplete;
    int64_t guilty;
    bool refused; /* the trouble is the server's refusal: it stays until a batch goes through */
    int64_t wait_until_ns;
    enum relay_stop stop;
    char trouble[512], remedy[512], refusal[1400];
};

#endif
