/* SPDX-License-Identifier: Apache-2.0 */
/* From a delivery to an event in a lane. Only what the lane needs is read here: the key, and only where the
 * group is ordered; whether the event is sound is found out by the worker, so that a bad one goes the way of
 * all events and blocks nothing. Events whose key cannot be read are a lane alone. */
#include "base/fail.h"
#include "consume/member_state.h"

static bool is_cursor(const broker_msg *msg) {
    return text_starts(broker_msg_subject(msg), "_weir.cursor.");
}

static void ack_now(weir_member *member, broker_msg *msg) {
    (void)!broker_ack(member->connection, msg, ACK_DONE, 0, NULL); /* not sent: it comes again */
    broker_msg_free(msg);
}

/* The key's text lives in the scratch until its next use. */
static weir_text find_key(weir_member *member, const struct parcel *parcel) {
    weir_event event;
    if (member->group->each)
        return parcel->subject;
    if (!member->policy.ordered || parcel->defect)
        return (weir_text){0};
    const struct event_def *def = catalog_event_of_subject(member->catalog, parcel->subject);
    if (!def || event_read(&event, member->catalog->dialect, def, broker_msg_data(parcel->msg), false,
                           member->scratch, NULL) != WEIR_OK)
        return (weir_text){0};
    return event.key;
}

static void keep(weir_member *member, struct parcel *parcel, uint64_t handle, bool back) {
    WEIR_ASSERT(handle < member->parcel_count);
    if (back && member->parcels[handle])
        parcel_continue(parcel, member->parcels[handle]);
    else
        parcel_free(member->parcels[handle]);
    parcel->handle = handle;
    member->parcels[handle] = parcel;
    member->sources[parcel->source].held++;
}

void member_arrived(weir_member *member, broker_msg *msg, int index) {
    struct source *source = &member->sources[index];
    struct broker_meta meta;
    source->asked -= source->asked > 0;
    member->arrivals++;
    member->arrived_ns = member_now(member);
    if (!broker_msg_meta(msg, &meta)) {
        broker_msg_free(msg);
        return;
    }
    if (is_cursor(msg)) {
        ack_now(member, msg);
        return;
    }
    member_count(member, &member->stats.delivered);
    struct parcel *parcel = parcel_new(msg, &meta, index, source->created, source->redeliver);
    struct lane_arrival arrival = {.stream = parcel->stream,
                                   .key = find_key(member, parcel),
                                   .sequence = parcel->sequence,
                                   .source = index,
                                   .source_sequence = meta.stream_seq,
                                   .stored_ns = meta.stored_ns,
                                   .deliveries = meta.delivered};
    if (lane_core_held(member->core) >= member->policy.capacity && !lane_core_knows(member->core, &arrival)) {
        (void)!broker_ack(member->connection, msg, ACK_NAK, 0, NULL); /* more than was asked for */
        parcel_free(parcel);
        return;
    }
    uint64_t handle;
    enum lane_news news = lane_core_arrive(member->core, &arrival, member_now(member), &handle);
    if (news == NEWS_NEW || news == NEWS_BACK) {
        keep(member, parcel, handle, news == NEWS_BACK);
        return;
    }
    parcel->msg = NULL;
    parcel_free(parcel);
    if (news == NEWS_HELD)
        parcel_refresh(member->parcels[handle], msg);
    else
        ack_now(member, msg);
}
