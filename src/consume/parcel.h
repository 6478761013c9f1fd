/* SPDX-License-Identifier: Apache-2.0 */
/* What a member keeps of one event beside the lane core: the message, where it comes from, and the story of
 * its attempts. The loop owns parcels; a worker or the clerk reads one while its job runs. */
#ifndef CONSUME_PARCEL_H
#define CONSUME_PARCEL_H

#include "broker/broker.h"

struct parcel_attempt {
    int64_t at_ns; /* wall clock */
    char *error;
};

struct parcel {
    uint64_t handle;
    int source;         /* index of the member's source it came through */
    broker_msg *msg;    /* NULL while the event is given back */
    broker_msg *ack;    /* the newest message of the same event, by which it is acked; NULL: msg */
    broker_msg *newest; /* came while `lent`: becomes `ack` afterwards */
    bool lent;          /* the clerk works with msg and ack */
    bool letter_stored; /* only the ack is missing */

    /* Its origin. Texts live as long as msg. */
    weir_text stream, subject;
    char created[64]; /* of that stream */
    uint64_t sequence;
    int64_t stored_ns;
    uint64_t deliveries;
    bool retried;       /* from the dead letters or a replay */
    int retries;        /* from the dead letters, so far */
    weir_text letter;   /* id of the letter it was; absent otherwise */
    const char *defect; /* why it cannot be an event at all; NULL: nothing known */

    /* Its story. The latest attempts are kept. */
    struct parcel_attempt *attempts;
    size_t attempt_count;
    char *reason;            /* of the last result; NULL: none */
    const char *error_class; /* of the letter to write */
};

/* Takes msg. `redeliver`: it came through the redelivery stream, its headers tell the origin. `created`
 * belongs to the source's stream. */
struct parcel *parcel_new(broker_msg *msg, const struct broker_meta *meta, int source, const char *created,
                          bool redeliver);
void parcel_free(struct parcel *parcel); /* NULL is fine */
broker_msg *parcel_ack(const struct parcel *parcel);
/* The same event came again: ack by this message from now on. Takes it. */
void parcel_refresh(struct parcel *parcel, broker_msg *msg);
void parcel_returned(struct parcel *parcel);      /* the clerk is done with it */
void parcel_drop_messages(struct parcel *parcel); /* settled or given back: only the story stays */
/* The event came back in `fresh`: `old`, which keeps only the story, hands it over and is freed. */
void parcel_continue(struct parcel *fresh, struct parcel *old);
void parcel_set_reason(struct parcel *parcel, weir_text reason);
void parcel_add_attempt(struct parcel *parcel, int64_t at_ns, weir_text error);

#endif
