/* SPDX-License-Identifier: Apache-2.0 */
/* Messages change hands here and nowhere else, so that each is freed once: the first delivery stays as long
 * as somebody may read its bytes, later deliveries of the same event only lend their ack subject. */
#include "consume/parcel.h"

#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "deadletter/deadletter.h"

/* A whole number without sign; false when text is none, is empty or too large. */
static bool read_number(weir_text text, uint64_t *out) {
    *out = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *out > UINT64_MAX / 10 - 1)
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.size > 0;
}

static void copy_text(char *out, size_t size, weir_text text) {
    size_t length = text.size < size ? text.size : size - 1;
    if (length)
        memcpy(out, text.data, length);
    out[length] = '\0';
}

/* A retry says in its headers which event it is. */
static void read_origin(struct parcel *parcel) {
    const broker_msg *msg = parcel->msg;
    weir_text stream = broker_msg_header(msg, DEADLETTER_ORIGIN_STREAM);
    weir_text subject = broker_msg_header(msg, DEADLETTER_ORIGIN_SUBJECT);
    uint64_t sequence, retries;
    if (stream.size == 0 || subject.size == 0 ||
        !read_number(broker_msg_header(msg, DEADLETTER_ORIGIN_SEQUENCE), &sequence) || sequence == 0) {
        parcel->defect = "it came through _weir.to without " DEADLETTER_ORIGIN_STREAM
                         ", " DEADLETTER_ORIGIN_SEQUENCE " and " DEADLETTER_ORIGIN_SUBJECT;
        return;
    }
    parcel->stream = stream;
    parcel->subject = subject;
    parcel->sequence = sequence;
    copy_text(parcel->created, sizeof parcel->created, broker_msg_header(msg, DEADLETTER_ORIGIN_CREATED));
    parcel->letter = broker_msg_header(msg, DEADLETTER_LETTER);
    if (read_number(broker_msg_header(msg, DEADLETTER_RETRIES), &retries) && retries < INT32_MAX)
        parcel->retries = (int)retries;
}

struct parcel *parcel_new(broker_msg *msg, const struct broker_meta *meta, int source, const char *created,
                          bool redeliver) {
    struct parcel *parcel = mem_alloc(sizeof *parcel);
    parcel->source = source;
    parcel->msg = msg;
    parcel->stream = meta->stream;
    parcel->subject = broker_msg_subject(msg);
    parcel->sequence = meta->stream_seq;
    parcel->stored_ns = meta->stored_ns;
    parcel->deliveries = meta->delivered;
    parcel->retried = redeliver;
    copy_text(parcel->created, sizeof parcel->created, weir_text_of(created));
    if (redeliver)
        read_origin(parcel);
    return parcel;
}

static void free_story(struct parcel *parcel) {
    for (size_t i = 0; i < parcel->attempt_count; i++)
        mem_free(parcel->attempts[i].error);
    mem_free(parcel->attempts);
    mem_free(parcel->reason);
}

void parcel_free(struct parcel *parcel) {
    if (!parcel)
        return;
    parcel_drop_messages(parcel);
    free_story(parcel);
    mem_free(parcel);
}

broker_msg *parcel_ack(const struct parcel *parcel) {
    return parcel->ack ? parcel->ack : parcel->msg;
}

void parcel_refresh(struct parcel *parcel, broker_msg *msg) {
    broker_msg **place = parcel->lent ? &parcel->newest : &parcel->ack;
    broker_msg_free(*place);
    *place = msg;
}

void parcel_returned(struct parcel *parcel) {
    parcel->lent = false;
    if (parcel->newest) {
        broker_msg_free(parcel->ack);
        parcel->ack = parcel->newest;
        parcel->newest = NULL;
    }
}

void parcel_drop_messages(struct parcel *parcel) {
    broker_msg_free(parcel->msg);
    broker_msg_free(parcel->ack);
    broker_msg_free(parcel->newest);
    parcel->msg = parcel->ack = parcel->newest = NULL;
    parcel->stream = parcel->subject = parcel->letter = (weir_text){0};
}

void parcel_continue(struct parcel *fresh, struct parcel *old) {
    fresh->attempts = old->attempts;
    fresh->attempt_count = old->attempt_count;
    fresh->reason = old->reason;
    old->attempts = NULL;
    old->attempt_count = 0;
    old->reason = NULL;
    parcel_free(old);
}

static char *copy_reason(weir_text reason) {
    size_t size = reason.size < LIMIT_REASON_BYTES ? reason.size : LIMIT_REASON_BYTES;
    char *copy = mem_alloc(size + 1);
    if (size)
        memcpy(copy, reason.data, size);
    return copy;
}

void parcel_set_reason(struct parcel *parcel, weir_text reason) {
    mem_free(parcel->reason);
    parcel->reason = copy_reason(reason);
}

void parcel_add_attempt(struct parcel *parcel, int64_t at_ns, weir_text error) {
    if (!parcel->attempts)
        parcel->attempts = mem_alloc(LIMIT_ATTEMPTS_KEPT * sizeof *parcel->attempts);
    if (parcel->attempt_count == LIMIT_ATTEMPTS_KEPT) {
        mem_free(parcel->attempts[0].error);
        parcel->attempt_count--;
        memmove(parcel->attempts, parcel->attempts + 1, parcel->attempt_count * sizeof *parcel->attempts);
    }
    parcel->attempts[parcel->attempt_count++] = (struct parcel_attempt){at_ns, copy_reason(error)};
    parcel_set_reason(parcel, error);
}
