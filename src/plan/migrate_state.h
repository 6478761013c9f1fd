/* SPDX-License-Identifier: Apache-2.0 */
/* A migration at work: shared by migrate.c, migrate_groups.c and migrate_verify.c. */
#ifndef PLAN_MIGRATE_STATE_H
#define PLAN_MIGRATE_STATE_H

#include "base/crash.h"
#include "plan/migrate_config.h"
#include "plan/migrate_core.h"

struct migration {
    weir_connection *connection;
    const struct migrate_request *request;
    const weir_clock *clock;
    struct migrate_names names;
    struct crash_point crash;
    struct migrate_facts facts;
    json_doc *stream_doc, *copy_doc;     /* what facts were read from; NULL: there is none */
    const json *stream_info, *copy_info; /* their roots */
    const char *owner;                   /* the text of the lock's message */
    uint64_t lock_seq;                   /* of the message that says that we hold the lock; 0: we do not */
    int64_t locked_ns;
};

/* Sends `body` (which it clears) to VERB.NAME, as in "STREAM.UPDATE", "S". */
WEIR_MUST_CHECK weir_code migration_send(struct migration *migration, const char *verb, const char *name,
                                         buffer *body, weir_error *err);
/* The same, of something that need not be there. */
WEIR_MUST_CHECK weir_code migration_drop(struct migration *migration, const char *verb, const char *name,
                                         weir_error *err);
void migration_sleep(int64_t ms);
int64_t migration_now(const struct migration *migration); /* monotonic */

/* The lock (migrate_lock.c). Renewing it often is what makes a decision and its request one. */
WEIR_MUST_CHECK weir_code migration_lock(struct migration *migration, weir_error *err);
WEIR_MUST_CHECK weir_code migration_renew(struct migration *migration, weir_error *err);
/* The same, and takes it again when it ran out and nobody took it since: *anew, and what was seen is old. */
WEIR_MUST_CHECK weir_code migration_hold_on(struct migration *migration, bool rarely, bool *anew,
                                            weir_error *err);
WEIR_MUST_CHECK weir_code migration_renew_rarely(struct migration *migration, weir_error *err); /* in loops */
void migration_unlock(struct migration *migration);

/* Groups (migrate_groups.c). */
WEIR_MUST_CHECK weir_code migration_quiet(struct migration *migration, weir_error *err);
WEIR_MUST_CHECK weir_code migration_wake(struct migration *migration, weir_error *err);
WEIR_MUST_CHECK weir_code migration_carry(struct migration *migration, weir_error *err);
WEIR_MUST_CHECK weir_code migration_carry_new(struct migration *migration, weir_error *err);

/* Comparing (migrate_verify.c): all sequences, and about `sample` messages. CONFLICT when `part` lacks something of `whole` or has it otherwise. What `part`
 * has of the span of `whole` and `whole` has not any more is deleted from it. */
WEIR_MUST_CHECK weir_code migration_verify(struct migration *migration, const char *whole, const char *part,
                                           size_t sample, weir_error *err);

#endif
