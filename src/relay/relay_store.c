/* SPDX-License-Identifier: Apache-2.0 */
/* What it means when the store says no. A settlement that was under way may be what failed, whatever call is told so: then
 * nothing is known but what is read anew, of every stream. And the lease may be lost: only asking for it tells that from two
 * relays' settlements that met. Then nothing more is sent, and what is in flight is not waited for: the other relay finds it. */
#include "base/fail.h"
#include "base/log.h"
#include "relay/shell.h"

static void lose_lease(weir_relay *relay, const weir_error *why) {
    relay_count_fenced(relay);
    relay->lost = relay->failed = true;
    weir_fail(&relay->failure, WEIR_CONFLICT, "the lease was lost: %s", why->message);
    weir_hint(&relay->failure, "%s", why->hint);
}

weir_code relay_store(weir_relay *relay, weir_code code) {
    weir_error why = {0};
    if (code == WEIR_OK || code == WEIR_NOT_FOUND)
        return code;
    relay->clear = (struct outbox_mark){0}; /* settlements that are lost may be of rows up to it */
    for (size_t i = 0; i < relay->stream_count; i++)
        relay_core_reload(relay->streams[i]->core);
    if ((code == WEIR_UNAVAILABLE || code == WEIR_TIMEOUT) && ++relay->away >= RELAY_AWAY_FAILURES)
        relay_set_active(
            relay, false); /* somebody else may do better; relay_count_pending notices when it is back */
    if (code == WEIR_CONFLICT && !relay->failed && outbox_lease(relay->outbox, &why) == WEIR_CONFLICT &&
        !why.retriable)
        lose_lease(relay, &why);
    return code;
}

static void forget_flights(weir_relay *relay) {
    for (size_t i = 0; i < relay->stream_count; i++) {
        struct relay_stream *stream = relay->streams[i];
        stream->token = 0;
        stream->begun_known = false;
        staged_drop(&stream->staged);
        if (relay_core_want(stream->core) == WANT_SEND)
            relay_core_unknown(stream->core, "the lease was lost before the answer came", relay->now_ns);
        relay_core_regained(stream->core);
        relay_core_reload(stream->core);
        relay_core_hurry(stream->core);
    }
}

weir_code relay_take_lease(weir_relay *relay, weir_error *err) {
    for (;;) {
        weir_error why = {0};
        weir_code code = outbox_lease(relay->outbox, &why);
        bool taken = code == WEIR_CONFLICT && !why.retriable;
        bool wait = code != WEIR_OK && (taken ? relay->standby : why.retriable);
        if (!wait && code != WEIR_OK && err)
            *err = why;
        if (!wait)
            return code;
        relay_set_trouble(relay, taken ? "another relay has the lease" : why.message);
        if (atomic_load(&relay->stopping))
            return WEIR_STOPPED;
        outbox_pause(relay->outbox, RELAY_IDLE_MS);
    }
}

weir_code relay_regain_lease(weir_relay *relay, weir_error *err) {
    log_line(LOG_WARN, "relay", "the lease was lost, waiting for it", "outbox", outbox_url(relay->outbox),
             NULL);
    relay_set_active(relay, false);
    WEIR_TRY(relay_take_lease(relay, err));
    forget_flights(relay);
    relay->lost = relay->failed = false;
    relay->look = relay->held_stale = true;
    relay_set_active(relay, true);
    return WEIR_OK;
}
