/* SPDX-License-Identifier: Apache-2.0 */
/* What a migration does next, decided from what the servers show. Pure. */
#ifndef PLAN_MIGRATE_CORE_H
#define PLAN_MIGRATE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/migrate.h"

/* A stream as STREAM.INFO shows it. */
struct migrate_side {
    bool exists, mirror;
    bool frozen;  /* only the migration's own subject is left */
    bool settled; /* the same, on the new stream */
    bool ended;   /* its last message marks the end */
    bool heir;    /* it bears the identity that the copy keeps */
    bool removes; /* acknowledged events leave it (workqueue, interest) */
    uint64_t messages, last_seq;
    const char *created; /* by the server; "" when it does not exist */
    const char *from;    /* of the copy: `created` of the stream it was made from */
};

struct migrate_facts {
    struct migrate_side stream, copy;
    uint64_t near_messages; /* a mirror that lacks no more catches up in a moment when nothing is added */
    /* What this run did already, in memory only: it is done again when somebody goes on from here. */
    bool tried, quiet, carried, verified;
};

enum migrate_act migrate_next(const struct migrate_facts *facts);
/* Can all still be put back as it was? Until the copy holds the subjects. */
bool migrate_can_turn_back(const struct migrate_facts *facts);
/* How long a mirror is waited for. Starts as zeros. */
enum { MIGRATE_NEAR_AT_FIRST = 100, MIGRATE_CLOSE_MESSAGES = 10000, MIGRATE_NEARER_EVERY_MS = 10 };
struct migrate_patience {
    uint64_t seen;          /* of the mirror, when it last got on */
    int64_t since_ns;       /* when that was; 0: not looked yet */
    int64_t close_since_ns; /* since when it lacks at most MIGRATE_CLOSE_MESSAGES; 0: it lacks more */
};
/* MIGRATE_FOLLOW, at now_ns (monotonic, not 0). A mirror that stays close behind a busy stream never has all: what counts as near
 * grows by one message every MIGRATE_NEARER_EVERY_MS then. False: the mirror has not got on for LIMIT_MIGRATE_STALL_MS. */
bool migrate_wait_on(struct migrate_patience *patience, struct migrate_facts *facts, int64_t now_ns);
/* A sentence about the act, for people. */
const char *migrate_about(enum migrate_act act);

/* --- comparing what two streams hold -------------------------------------------------------------------- */

/* The sequences of a stream: first to last without `missing`, which ascend. Empty when last < first. */
struct migrate_set {
    uint64_t first, last;
    const uint64_t *missing;
    size_t missing_count;
};
bool migrate_set_has(const struct migrate_set *set, uint64_t sequence);
/* The first sequence of `whole` that `part` has not; 0: it has all. */
uint64_t migrate_set_lacks(const struct migrate_set *part, const struct migrate_set *whole);
/* The next sequence from `from` on that `set` has and `other` lies about, that is: other spans it and has not got
 * it; 0: none. For walking over what was deleted meanwhile. */
uint64_t migrate_set_extra(const struct migrate_set *set, const struct migrate_set *other, uint64_t from);

#endif
