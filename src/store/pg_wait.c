/* SPDX-License-Identifier: Apache-2.0 */
/* Waking up when somebody commits. Writers notify only while the relay sleeps: it says so in the sequence outbox_wake, looks
 * once more, and then waits for a notification. One that asked before and commits after that look tells nobody, so the relay
 * also looks by itself, after 5 ms, 10 ms, ... 1 s. While the horizon holds rows back nobody notifies either: it looks every
 * few milliseconds, and ever less often. */
#include <poll.h>

#include "base/fail.h"
#include "store/pg_outbox.h"

enum { PAUSE_FIRST_MS = 5, PAUSE_HELD_MS = 2, PAUSE_BROKEN_MS = 50, PAUSE_LAST_MS = 1000, ASLEEP_S = 10 };

static int64_t mono_ns(const pg_outbox *outbox) {
    return outbox->base.clock->mono_ns(outbox->base.clock->self);
}

/* Tells writers that we sleep (seconds), or that we are awake (0). */
static weir_code say(pg_outbox *outbox, int64_t seconds) {
    pg_arg_int8(pg_outbox_args(outbox), seconds);
    WEIR_TRY(pg_outbox_call(outbox, "sleep", NULL, NULL));
    outbox->asleep = seconds > 0;
    outbox->asleep_ns = mono_ns(outbox) + seconds * NS_PER_S;
    return WEIR_OK;
}

/* Takes the notifications that came; true when there were any. */
static bool notified(pg_outbox *outbox) {
    bool any = false;
    if (!pg_absorb(outbox->pg))
        return true; /* the next call finds out */
    for (PGnotify *notify; (notify = PQnotifies(outbox->pg->conn)); any = true)
        PQfreemem(notify);
    return any;
}

/* When to look next: soon after rows came, ever later while none do. */
static void plan_look(pg_outbox *outbox, int64_t now) {
    int64_t first = outbox->held ? PAUSE_HELD_MS : PAUSE_FIRST_MS;
    int64_t pause = outbox->pause_ms < first ? first : outbox->pause_ms * 2;
    outbox->pause_ms = pause < PAUSE_LAST_MS ? pause : PAUSE_LAST_MS;
    outbox->look_ns = now + outbox->pause_ms * NS_PER_MS;
}

/* Sleeps until something comes, it is time to look, or the timeout is over; true when it is time. */
static bool doze(pg_outbox *outbox, int64_t timeout_ms) {
    int64_t now = mono_ns(outbox);
    if (outbox->pause_ms == 0)
        plan_look(outbox, now);
    int64_t left_ms = (outbox->look_ns - now + NS_PER_MS - 1) / NS_PER_MS;
    left_ms = left_ms < timeout_ms ? left_ms : timeout_ms;
    if (left_ms > 0)
        pg_wait(outbox->pg, outbox->base.wake_fd, left_ms);
    now = mono_ns(outbox);
    if (now < outbox->look_ns)
        return false;
    plan_look(outbox, now);
    return true;
}

static bool wake_up(pg_outbox *outbox) {
    outbox->pause_ms = 0;
    if (outbox->asleep && !outbox->pg->lost)
        (void)!say(outbox, 0);
    return true;
}

/* Settlements under way are waited for, but not longer than for what else may come; false: they are under way still. */
static bool answers_came(pg_outbox *outbox, int64_t timeout_ms) {
    if (pg_outbox_unsettled(&outbox->base) == 0 || !outbox->pg || outbox->pg->lost ||
        pg_later_send(outbox, NULL) != WEIR_OK || !PQisBusy(outbox->pg->conn))
        return true;
    return pg_wait(outbox->pg, outbox->base.wake_fd, timeout_ms) &&
           (!pg_absorb(outbox->pg) || !PQisBusy(outbox->pg->conn));
}

bool pg_outbox_wait(outbox *any, int64_t timeout_ms) {
    pg_outbox *outbox = (pg_outbox *)any;
    if (outbox_woken(any))
        return true;
    if (!answers_came(outbox, timeout_ms))
        return outbox_woken(any);
    if (pg_outbox_drain(outbox, NULL) != WEIR_OK) {
        outbox->untold = true;
        outbox_pause(any, timeout_ms < PAUSE_BROKEN_MS ? timeout_ms : PAUSE_BROKEN_MS);
        return true; /* the next claim says what is wrong */
    }
    if (!outbox->asleep || mono_ns(outbox) > outbox->asleep_ns - 2 * NS_PER_S) {
        bool again = outbox->asleep;
        if (say(outbox, ASLEEP_S) != WEIR_OK || !again)
            return true; /* once more, now that writers know */
    }
    if (notified(outbox))
        return wake_up(outbox);
    bool due = doze(outbox, timeout_ms);
    if (outbox_woken(any))
        return true;
    return notified(outbox) ? wake_up(outbox) : due;
}
