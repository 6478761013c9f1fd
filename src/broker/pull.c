/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling from a durable consumer. Each ask is a MSG.NEXT request whose statuses come back to an inbox of its
 * own number; deliveries come with their ack subject as reply.
 *
 * The owner is told how much of what it asked for will not come. An ask whose messages all came ends without
 * a word, and asks are served in turn, so single asks cannot be followed: what is missing is counted over all
 * of them. What was asked on a connection that is lost, or of a server that has forgotten it, never ends by
 * itself: a tick every half second takes it off. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/units.h"
#include "broker/link.h"
#include "broker/wire.h"

enum {
    TICK_MS = 500,
    GRACE_MS = 2000, /* behind its time an ask that got no status is given up */
    BATCH_MAX = 10000,
    RECENT = 512 /* nats-server's max_waiting: no more asks can be open */
};

struct broker_pull {
    struct listener listener;
    broker_on_pull on_pull;
    void *arg;
    int64_t bytes_max; /* of one ask; 0: any */
    char inbox[LINK_INBOX_MAX];
    char place[2 * LIMIT_STREAM_NAME_BYTES + 4];    /* "STREAM/durable" */
    char subject[2 * LIMIT_STREAM_NAME_BYTES + 40]; /* of MSG.NEXT */

    pthread_mutex_t lock;     /* what follows */
    uint64_t newest;          /* number of the last ask */
    uint64_t given_up;        /* asks up to this number are over, whatever still comes of them */
    uint64_t missing;         /* messages asked for that may still come */
    uint64_t lost;            /* messages that will not come and are not told yet */
    uint64_t incarnation;     /* of the connection that `missing` was asked on */
    int64_t latest_ns;        /* by then every open ask has ended */
    int asking;               /* asks being sent now */
    uint16_t batches[RECENT]; /* of ask n at n % RECENT */
};

/* --- counting ------------------------------------------------------------------------------------------- */

static uint64_t take_off(broker_pull *pull, uint64_t count) {
    if (count > pull->missing)
        count = pull->missing;
    pull->missing -= count;
    return count;
}

static uint64_t give_up(broker_pull *pull) {
    pull->given_up = pull->newest;
    return take_off(pull, pull->missing);
}

static void count_message(broker_pull *pull) {
    pthread_mutex_lock(&pull->lock);
    (void)take_off(pull, 1);
    pthread_mutex_unlock(&pull->lock);
}

/* What a status says of the messages that do not come. */
enum extent {
    STATED,   /* their number, in a header */
    REJECTED, /* all of this ask: it was not taken */
    FLUSHED   /* all of all asks: the consumer or its server threw them out */
};

/* False when the ask had been given up before. */
static bool count_end(broker_pull *pull, uint64_t number, enum extent extent, uint64_t stated,
                      uint64_t *left) {
    pthread_mutex_lock(&pull->lock);
    bool known = number > pull->given_up && number <= pull->newest;
    *left = 0;
    if (known && extent == FLUSHED)
        *left = give_up(pull);
    else if (known && extent == REJECTED)
        *left = take_off(pull, pull->newest - number < RECENT ? pull->batches[number % RECENT] : 0);
    else if (known)
        *left = take_off(pull, stated);
    pthread_mutex_unlock(&pull->lock);
    return known;
}

/* --- what comes ----------------------------------------------------------------------------------------- */

static uint64_t number_behind(const char *subject, size_t prefix) {
    uint64_t number = 0;
    if (strlen(subject) > prefix)
        for (const char *at = subject + prefix; *at >= '0' && *at <= '9'; at++)
            number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static enum extent extent_of(natsMsg *msg, enum broker_pull_note note, const char *status, uint64_t *stated) {
    const char *value = NULL;
    *stated = 0;
    if (natsMsgHeader_Get(msg, "Nats-Pending-Messages", &value) == NATS_OK) {
        for (; *value >= '0' && *value <= '9' && *stated < BATCH_MAX; value++)
            *stated = *stated * 10 + (uint64_t)(*value - '0');
        return STATED;
    }
    if (note == PULL_REFUSED || strcmp(status, "503") == 0 || strcmp(status, "404") == 0)
        return REJECTED;
    return strcmp(status, "409") == 0 ? FLUSHED : STATED;
}

static void on_status(broker_pull *pull, natsMsg *msg, const char *status, const char *description) {
    enum broker_pull_note note;
    weir_error err = {.message = ""};
    uint64_t stated, left;
    if (!wire_read_pull_status(&note, status, description, pull->place, &err))
        return;
    uint64_t number = number_behind(natsMsg_GetSubject(msg), strlen(pull->inbox) + 1);
    enum extent extent = extent_of(msg, note, status, &stated);
    if (count_end(pull, number, extent, stated, &left) || note != PULL_ENDED)
        pull->on_pull(pull->arg, note, NULL, left, note == PULL_ENDED ? NULL : &err);
}

/* Says whether this identity is refused what a pull needs. */
static bool is_denied(broker_pull *pull, weir_error *err) {
    if (listener_check(&pull->listener, err) != WEIR_OK)
        return true;
    if (!broker_denied(pull->listener.connection, pull->subject))
        return false;
    weir_fail(err, WEIR_DENIED, "%s: this identity may not pull from this consumer", pull->place);
    (void)weir_hint(err, "grant publishing to '%s'", pull->subject);
    return true;
}

/* Takes off what can not come any more. */
static void on_tick(broker_pull *pull) {
    weir_error err = {.message = ""};
    weir_connection *connection = pull->listener.connection;
    if (!broker_connected(connection))
        return; /* asking again would fail now */
    uint64_t incarnation = link_incarnation(connection);
    bool denied = is_denied(pull, &err);
    pthread_mutex_lock(&pull->lock);
    bool over = denied || pull->incarnation < incarnation || pull->latest_ns < link_now_ns();
    uint64_t left = pull->lost;
    pull->lost = 0;
    if (over && pull->asking == 0)
        left += give_up(pull);
    pthread_mutex_unlock(&pull->lock);
    if (left)
        pull->on_pull(pull->arg, denied ? PULL_REFUSED : PULL_ENDED, NULL, left, denied ? &err : NULL);
}

static void on_msg(void *arg, natsMsg *msg) {
    broker_pull *pull = arg;
    const char *description, *status;
    if (!msg) {
        on_tick(pull);
        return;
    }
    const char *reply = natsMsg_GetReply(msg);
    if (reply && strncmp(reply, "$JS.ACK.", 8) == 0) {
        count_message(pull);
        pull->on_pull(pull->arg, PULL_MESSAGE, message_of(msg), 0, NULL);
        return;
    }
    status = message_status(msg, &description);
    if (status)
        on_status(pull, msg, status, description);
    else
        log_line(LOG_WARN, "broker", "a message that is no delivery came to a pull inbox", "consumer",
                 pull->place, NULL);
    natsMsg_Destroy(msg);
}

/* --- opening, asking, closing --------------------------------------------------------------------------- */

weir_code broker_pull_open(broker_pull **out, weir_connection *connection, const char *stream,
                           const char *durable, broker_on_pull on_pull, void *arg, weir_error *err) {
    WEIR_TRY(wire_check_name("stream", stream, err));
    WEIR_TRY(wire_check_name("consumer", durable, err));
    broker_pull *pull = mem_alloc(sizeof *pull);
    char subject[LINK_INBOX_MAX + 2];
    pull->on_pull = on_pull;
    pull->arg = arg;
    pull->listener.on_msg = on_msg;
    pull->listener.arg = pull;
    pull->listener.tick_ms = TICK_MS;
    pull->listener.unbounded = true; /* bounded by what is asked for */
    pthread_mutex_init(&pull->lock, NULL);
    link_inbox(connection, pull->inbox);
    snprintf(pull->place, sizeof pull->place, "%s/%s", stream, durable);
    snprintf(pull->subject, sizeof pull->subject, "$JS.API.CONSUMER.MSG.NEXT.%s.%s", stream, durable);
    snprintf(subject, sizeof subject, "%s.*", pull->inbox);
    pull->incarnation = link_incarnation(connection);
    weir_code code = listener_open(&pull->listener, connection, subject, err);
    if (code == WEIR_OK) {
        *out = pull;
        return WEIR_OK;
    }
    pthread_mutex_destroy(&pull->lock);
    mem_free(pull);
    return code;
}

void broker_pull_drain(broker_pull *pull, int64_t timeout_ms) {
    listener_drain(&pull->listener, timeout_ms);
}

void broker_pull_close(broker_pull *pull) {
    if (!pull)
        return;
    listener_close(&pull->listener);
    pthread_mutex_destroy(&pull->lock);
    mem_free(pull);
}

/* Counts an ask before it is sent, for its messages may come before the call that sends it returns. */
static uint64_t begin_ask(broker_pull *pull, int batch, int64_t expires_ms, uint64_t *before) {
    int64_t end_ns = link_now_ns() + (expires_ms + GRACE_MS) * NS_PER_MS;
    pthread_mutex_lock(&pull->lock);
    uint64_t number = ++pull->newest;
    pull->batches[number % RECENT] = (uint16_t)batch;
    *before = pull->missing;
    pull->missing += (uint64_t)batch;
    if (end_ns > pull->latest_ns)
        pull->latest_ns = end_ns;
    pull->asking++;
    pthread_mutex_unlock(&pull->lock);
    return number;
}

/* The connection is looked at after sending: if it changed in between, the ask is taken for a living one and
 * ends by its time. The other mistake, asking again for what still comes, would bring more than the owner has
 * room for. */
static void end_ask(broker_pull *pull, uint64_t number, int batch, uint64_t before, bool sent) {
    uint64_t incarnation = link_incarnation(pull->listener.connection);
    pthread_mutex_lock(&pull->lock);
    if (!sent) {
        (void)take_off(pull, (uint64_t)batch);
    } else if (pull->incarnation < incarnation) {
        pull->incarnation = incarnation;
        pull->lost += take_off(pull, before); /* asked on the connection before */
        pull->given_up = number - 1;
    }
    pull->asking--;
    pthread_mutex_unlock(&pull->lock);
}

void broker_pull_bound(broker_pull *pull, int64_t bytes) {
    int64_t least = 2 * broker_max_payload(pull->listener.connection);
    pull->bytes_max = bytes > least ? bytes : least;
}

weir_code broker_pull_ask(broker_pull *pull, int batch, int64_t expires_ms, bool no_wait, weir_error *err) {
    char body[128], reply[LINK_INBOX_MAX + 24];
    if (batch < 1 || batch > BATCH_MAX || expires_ms < 0 || (expires_ms == 0 && !no_wait))
        return weir_fail(err, WEIR_INVALID,
                         "%s: a pull asks for 1 to %d messages and waits some time, or not at all",
                         pull->place, BATCH_MAX);
    WEIR_TRY(listener_check(&pull->listener, err));
    int size = snprintf(body, sizeof body, "{\"batch\":%d", batch);
    if (expires_ms)
        size += snprintf(body + size, sizeof body - (size_t)size, ",\"expires\":%lld",
                         (long long)expires_ms * NS_PER_MS);
    if (pull->bytes_max)
        size += snprintf(body + size, sizeof body - (size_t)size, ",\"max_bytes\":%lld",
                         (long long)pull->bytes_max);
    snprintf(body + size, sizeof body - (size_t)size, "%s}", no_wait ? ",\"no_wait\":true" : "");
    struct broker_out out = {.subject = pull->subject, .data = weir_text_of(body)};
    uint64_t before, number = begin_ask(pull, batch, expires_ms, &before);
    snprintf(reply, sizeof reply, "%s.%llu", pull->inbox, (unsigned long long)number);
    weir_code code = link_publish(pull->listener.connection, &out, NULL, reply, err);
    end_ask(pull, number, batch, before, code == WEIR_OK);
    return code;
}
