/* SPDX-License-Identifier: Apache-2.0 */
/* The lease: an advisory lock of our session, which ends with the connection, and a line in outbox_lease that says until when
 * its holder was seen alive. A relay that froze keeps its connection and so the lock; who finds it overdue ends its server
 * process and takes the lock. The frozen one, woken again, has lost its connection and may not get the lease back. Correctness
 * is the cursor's, this spares work and fights. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/pg_doctor.h"
#include "store/pg_outbox.h"

enum { LEASE_TRIES = 20, LEASE_PAUSE_MS = 50, BEATS = 5 };

/* The lock's number: of the outbox's uuid, so that two outboxes in one database do not meet. */
static int64_t lease_key(const pg_outbox *outbox) {
    return (int64_t)outbox_ids_hash(OUTBOX_HASH_START, weir_text_of(outbox->base.uuid));
}

struct holder {
    int pid; /* of its server process; 0: nobody */
    bool overdue;
    char name[128], from[64];
};

static void copy_text(char *to, size_t size, weir_text from) {
    size_t length = from.size < size - 1 ? from.size : size - 1;
    if (length)
        memcpy(to, from.data, length);
    to[length] = 0;
}

static weir_code read_holder(pg_outbox *outbox, struct holder *out, weir_error *err) {
    PGresult *result;
    struct pg_args args;
    *out = (struct holder){0};
    pg_args_init(&args);
    pg_arg_int8(&args, lease_key(outbox));
    pg_arg_int8(&args, outbox->lease_ms);
    weir_code code = pg_call(outbox->pg, "lease_read", &args, &result, err);
    pg_args_release(&args);
    WEIR_TRY(code);
    if (PQntuples(result) > 0) {
        out->pid = (int)pg_int(result, 0, 0);
        copy_text(out->name, sizeof out->name, pg_text(result, 0, 1));
        copy_text(out->from, sizeof out->from, pg_text(result, 0, 2));
        out->overdue = pg_bool(result, 0, 3);
    }
    PQclear(result);
    return WEIR_OK;
}

static weir_code call_number(pg_outbox *outbox, const char *name, int64_t number, bool small, bool *yes,
                             weir_error *err) {
    PGresult *result;
    struct pg_args args;
    pg_args_init(&args);
    if (small)
        pg_arg_int4(&args, (int32_t)number);
    else
        pg_arg_int8(&args, number);
    weir_code code = pg_call(outbox->pg, name, &args, &result, err);
    pg_args_release(&args);
    WEIR_TRY(code);
    *yes = PQntuples(result) > 0 && pg_bool(result, 0, 0);
    PQclear(result);
    return WEIR_OK;
}

static weir_code refused(pg_outbox *outbox, const struct holder *holder, weir_error *err) {
    weir_fail(err, WEIR_CONFLICT, "another relay works on %s", outbox->base.url);
    if (holder->pid > 0)
        weir_hint(err, "process %d of the database server (%s from %s) holds its lease", holder->pid,
                  holder->name, holder->from);
    return WEIR_CONFLICT;
}

/* Ends a holder that is overdue, or what is left of our own earlier connection. */
static weir_code push_aside(pg_outbox *outbox, struct holder *holder, weir_error *err) {
    bool ended;
    WEIR_TRY(read_holder(outbox, holder, err));
    if (holder->pid > 0 && (holder->overdue || holder->pid == outbox->lease_pid))
        return call_number(outbox, "lease_end", holder->pid, true, &ended, err);
    return WEIR_OK;
}

static weir_code take(pg_outbox *outbox, weir_error *err) {
    struct holder holder = {0};
    bool mine = false, yes;
    for (int i = 0; i < LEASE_TRIES; i++) {
        WEIR_TRY(call_number(outbox, "lease_try", lease_key(outbox), false, &mine, err));
        if (mine)
            return call_number(outbox, "lease_set", outbox->lease_ms, false, &yes, err);
        WEIR_TRY(push_aside(outbox, &holder, err));
        if (holder.pid > 0 && !holder.overdue && holder.pid != outbox->lease_pid)
            break;
        outbox_pause(&outbox->base, LEASE_PAUSE_MS);
    }
    return refused(outbox, &holder, err);
}

static weir_code beat(pg_outbox *outbox, weir_error *err) {
    bool yes;
    WEIR_TRY(pg_outbox_drain(outbox, err));
    int64_t now = outbox->base.clock->mono_ns(outbox->base.clock->self);
    WEIR_TRY(call_number(outbox, "lease_beat", outbox->lease_ms, false, &yes, err));
    outbox->beat_ns = now;
    return WEIR_OK;
}

static weir_code take_or_beat(pg_outbox *outbox, weir_error *err) {
    WEIR_TRY(pg_outbox_drain(outbox, err));
    if (outbox->leased)
        return beat(outbox, err);
    WEIR_TRY(take(outbox, err));
    outbox->leased = true;
    outbox->lease_pid = PQbackendPID(outbox->pg->conn);
    outbox->beat_ns = outbox->base.clock->mono_ns(outbox->base.clock->self);
    return WEIR_OK;
}

weir_code pg_outbox_lease(outbox *any, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    weir_error dispossessed = outbox->dispossessed;
    outbox->dispossessed = (weir_error){0};
    weir_code code = take_or_beat(outbox, err);
    if (code != WEIR_OK && outbox->dispossessed.code == WEIR_OK)
        outbox->dispossessed = dispossessed;
    return code;
}

weir_code pg_outbox_beat(pg_outbox *outbox, weir_error *err) {
    int64_t now = outbox->base.clock->mono_ns(outbox->base.clock->self);
    bool rests = outbox->dispossessed.code == WEIR_OK &&
                 (!outbox->leased || now - outbox->beat_ns < outbox->lease_ms * NS_PER_MS / BEATS);
    return rests ? WEIR_OK : beat(outbox, err);
}

void pg_outbox_lease_free(pg_outbox *outbox) {
    bool yes;
    if (outbox->leased && outbox->pg && !outbox->pg->lost && pg_outbox_drain(outbox, NULL) == WEIR_OK)
        (void)!call_number(outbox, "lease_free", lease_key(outbox), false, &yes, NULL);
    outbox->leased = false;
}

/* --- health ------------------------------------------------------------------------------------ */

weir_code pg_outbox_health(outbox *any, arena *arena, struct outbox_health *out, weir_error *err) {
    pg_outbox *outbox = (pg_outbox *)any;
    struct holder holder;
    WEIR_TRY(pg_outbox_drain(outbox, err));
    WEIR_TRY(pg_doctor(outbox->pg, arena, out, err));
    WEIR_TRY(read_holder(outbox, &holder, err));
    out->relay_running = holder.pid > 0 && !outbox->leased;
    out->relay_pid = out->relay_running ? holder.pid : 0;
    return WEIR_OK;
}
