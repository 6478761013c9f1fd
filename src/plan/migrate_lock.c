/* SPDX-License-Identifier: Apache-2.0 */
/* Two who migrate one stream at once could delete what the other just made, and the server has no delete that
 * asks first. So there is a lock: a small stream whose one message lives for seconds, is written by whoever finds
 * none, and is renewed by its writer alone, by the sequence it knows. Whoever dies is forgotten by its age. */
#include <inttypes.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "plan/migrate_state.h"

enum { TRY_EVERY_MS = 50, ACK_MS = 2000 };

static weir_code write_lock(struct migration *migration, uint64_t expected, weir_error *err) {
    char sequence[24];
    struct broker_puback ack;
    snprintf(sequence, sizeof sequence, "%" PRIu64, expected);
    struct broker_header header = {"Nats-Expected-Last-Subject-Sequence", weir_text_of(sequence)};
    struct broker_out out = {migration->names.locked, weir_text_of(migration->owner), &header, 1};
    WEIR_TRY(broker_publish(migration->connection, &out, migration->names.lock, ACK_MS, &ack, err));
    migration->lock_seq = ack.sequence;
    migration->locked_ns = migration_now(migration);
    return WEIR_OK;
}

static weir_code try_lock(struct migration *migration, weir_error *err) {
    buffer body;
    buffer_init(&body, LIMIT_METADATA_BYTES);
    migrate_config_lock(&body, &migration->names);
    weir_code code = migration_send(migration, "STREAM.CREATE", migration->names.lock, &body, err);
    buffer_release(&body);
    return code == WEIR_OK ? write_lock(migration, 0, err) : code;
}

static weir_code held_by_another(struct migration *migration, weir_error *err) {
    weir_fail(err, WEIR_CONFLICT, "stream %s is being given a new stream by somebody else",
              migration->names.stream);
    return weir_hint(err, "wait until that is done, then look with weir plan");
}

weir_code migration_lock(struct migration *migration, weir_error *err) {
    int64_t until = migration_now(migration) + (LIMIT_MIGRATE_LOCK_MS + 1000) * NS_PER_MS;
    for (;;) {
        weir_error own = {0};
        weir_code code = try_lock(migration, &own);
        bool busy = own.detail == 10071 || own.detail == 503; /* taken; or deleted by who finished just now */
        if (code == WEIR_OK)
            return WEIR_OK;
        if (!busy || migration_now(migration) > until) {
            if (err)
                *err = own;
            return own.detail == 10071 ? held_by_another(migration, err) : code;
        }
        migration_sleep(TRY_EVERY_MS);
    }
}

weir_code migration_renew(struct migration *migration, weir_error *err) {
    weir_error own = {0};
    weir_code code = write_lock(migration, migration->lock_seq, &own);
    if (code == WEIR_OK)
        return WEIR_OK;
    migration->lock_seq = 0;
    if (err)
        *err = own;
    return own.detail == 10071 || own.detail == 503 ? held_by_another(migration, err) : code;
}

static bool fresh(const struct migration *migration) {
    return migration_now(migration) - migration->locked_ns < LIMIT_MIGRATE_LOCK_MS / 6 * NS_PER_MS;
}

weir_code migration_hold_on(struct migration *migration, bool rarely, bool *anew, weir_error *err) {
    weir_error own = {0};
    *anew = false;
    if ((rarely && fresh(migration)) || write_lock(migration, migration->lock_seq, &own) == WEIR_OK)
        return WEIR_OK;
    *anew = own.detail == 10071 && write_lock(migration, 0, &own) == WEIR_OK;
    return *anew ? WEIR_OK : migration_renew(migration, err);
}

weir_code migration_renew_rarely(struct migration *migration, weir_error *err) {
    return fresh(migration) ? WEIR_OK : migration_renew(migration, err);
}

void migration_unlock(struct migration *migration) {
    weir_error err;
    if (migration->lock_seq && migration_renew(migration, &err) == WEIR_OK)
        (void)!migration_drop(migration, "STREAM.DELETE", migration->names.lock, &err);
    migration->lock_seq = 0;
}
