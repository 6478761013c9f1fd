/* SPDX-License-Identifier: Apache-2.0 */
/* PubAcks of many messages in flight, through one inbox. Nothing is remembered here: the token travels in the
 * reply subject and comes back in the answer's, so the cost per message is the message's own. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "broker/link.h"
#include "broker/wire.h"

/* libnats frees a destroyed message on a thread of its own, which it wakes each time. Woken by the sender
 * this is a switch of threads per message and twice the cost of sending; woken between two PubAcks it is
 * almost nothing. So a sent message waits here until PubAcks come. What does not fit is destroyed at once. */
enum { SPENT_MAX = 4096, SPENT_BYTES = 16 << 10 };
struct spent {
    pthread_mutex_t lock;
    natsMsg *messages[SPENT_MAX];
    size_t count;
    size_t silent; /* of messages that get no answer: they go with the next one */
};

struct broker_acks {
    struct listener listener;
    struct spent spent;
    broker_on_ack on_ack;
    void *arg;
    size_t prefix; /* of the inbox in a reply subject, its dot included */
    char inbox[LINK_INBOX_MAX];
};

static void spent_add(struct spent *spent, natsMsg *msg, bool silent) {
    if (!msg)
        return;
    pthread_mutex_lock(&spent->lock);
    bool fits = spent->count < SPENT_MAX && natsMsg_GetDataLength(msg) <= SPENT_BYTES;
    if (fits)
        spent->messages[spent->count++] = msg;
    spent->silent += fits && silent;
    pthread_mutex_unlock(&spent->lock);
    if (!fits)
        natsMsg_Destroy(msg);
}

/* One for this answer, and those that were sent without asking for one. */
static void spent_take(struct spent *spent) {
    natsMsg *taken[64];
    bool more = true;
    while (more) {
        pthread_mutex_lock(&spent->lock);
        size_t due = spent->silent + 1, count = 0;
        while (spent->count > 0 && count < due && count < sizeof taken / sizeof *taken)
            taken[count++] = spent->messages[--spent->count];
        spent->silent -= count < spent->silent ? count : spent->silent;
        more = spent->silent > 0 && spent->count > 0;
        pthread_mutex_unlock(&spent->lock);
        for (size_t i = 0; i < count; i++)
            natsMsg_Destroy(taken[i]);
    }
}

/* The last token, or 0 when it is no number. */
static uint64_t token_of(const char *subject, size_t prefix) {
    uint64_t token = 0;
    if (strlen(subject) <= prefix)
        return 0;
    for (const char *at = subject + prefix; *at; at++) {
        if (*at < '0' || *at > '9' || token > (UINT64_MAX - 9) / 10)
            return 0;
        token = token * 10 + (uint64_t)(*at - '0');
    }
    return token;
}

static weir_code read_answer(natsMsg *msg, struct broker_puback *ack, weir_error *err) {
    weir_text data = {natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg)};
    const char *description, *status = message_status(msg, &description);
    if (!status)
        return wire_read_puback(ack, data, "publish", err);
    if (strcmp(status, "503") != 0)
        return weir_fail(err, WEIR_INVALID, "publish: %s (%s)", description, status);
    weir_fail(err, WEIR_UNAVAILABLE, "publish: no stream takes this subject");
    err->detail = 503;
    (void)weir_hint(err, "`weir apply` creates the catalog's streams");
    return WEIR_UNAVAILABLE;
}

static void on_msg(void *arg, natsMsg *msg) {
    broker_acks *acks = arg;
    struct broker_puback ack;
    weir_error err;
    uint64_t token = token_of(natsMsg_GetSubject(msg), acks->prefix);
    if (token) {
        weir_code code = read_answer(msg, &ack, &err);
        acks->on_ack(acks->arg, token, code, code == WEIR_OK ? &ack : NULL, code == WEIR_OK ? NULL : &err);
    }
    spent_take(&acks->spent);
    natsMsg_Destroy(msg);
}

static void acks_free(broker_acks *acks) {
    while (acks->spent.count > 0)
        natsMsg_Destroy(acks->spent.messages[--acks->spent.count]);
    pthread_mutex_destroy(&acks->spent.lock);
    mem_free(acks);
}

weir_code broker_acks_open(broker_acks **out, weir_connection *connection, broker_on_ack on_ack, void *arg,
                           weir_error *err) {
    broker_acks *acks = mem_alloc(sizeof *acks);
    pthread_mutex_init(&acks->spent.lock, NULL);
    acks->on_ack = on_ack;
    acks->arg = arg;
    acks->listener.on_msg = on_msg;
    acks->listener.arg = acks;
    acks->listener.unbounded = true; /* the owner bounds what is in flight */
    link_inbox(connection, acks->inbox);
    acks->prefix = strlen(acks->inbox) + 1;
    char subject[LINK_INBOX_MAX + 2];
    snprintf(subject, sizeof subject, "%s.*", acks->inbox);
    acks->inbox[acks->prefix - 1] = '.'; /* from here on it is a prefix, and no string */
    weir_code code = listener_open(&acks->listener, connection, subject, err);
    if (code == WEIR_OK)
        *out = acks;
    else
        acks_free(acks);
    return code;
}

void broker_acks_close(broker_acks *acks) {
    if (!acks)
        return;
    listener_close(&acks->listener);
    acks_free(acks);
}

/* The number in decimal behind the prefix; snprintf would be half of what this file costs. */
static void write_token(char *out, uint64_t token) {
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + token % 10);
    while (token /= 10);
    while (count)
        *out++ = digits[--count];
    *out = 0;
}

weir_code broker_acks_send(broker_acks *acks, const struct broker_out *out, uint64_t token, weir_error *err) {
    char reply[LINK_INBOX_MAX + 24];
    WEIR_TRY(listener_check(&acks->listener, err));
    memcpy(reply, acks->inbox, acks->prefix);
    write_token(reply + acks->prefix, token);
    natsMsg *msg = NULL;
    weir_code code =
        link_publish_spent(acks->listener.connection, out, NULL, token ? reply : NULL, &msg, err);
    spent_add(&acks->spent, msg, token == 0);
    return code;
}
