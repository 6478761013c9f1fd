/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what the core says, and telling it what came of it. Acks, naks and progress are sent without waiting:
 * each of them lost is an event that comes again, and the core knows it then. */
#include "base/log.h"
#include "base/memory.h"
#include "consume/member_state.h"

static void tell(weir_member *member, const struct parcel *parcel, enum broker_ack_kind kind,
                 int64_t delay_ns) {
    weir_error err;
    if (member->group->each) /* read, not delivered: nobody waits for an ack */
        return;
    if (broker_ack(member->connection, parcel_ack(parcel), kind, delay_ns, &err) != WEIR_OK &&
        kind != ACK_PROGRESS)
        log_line(LOG_WARN, "consume", "an ack was not sent; the event will come again", "group",
                 member->group_name, "why", err.message, NULL);
}

static void let_go(weir_member *member, const struct parcel *parcel) {
    member->sources[parcel->source].held--;
}

static void forget(weir_member *member, uint64_t handle) {
    parcel_free(member->parcels[handle]);
    member->parcels[handle] = NULL;
}

static void give_to_clerk(weir_member *member, struct parcel *parcel, const char *error_class) {
    parcel->error_class = error_class;
    parcel->lent = true;
    jobs_put(&member->clerical, (struct job){.kind = JOB_BURY, .parcel = parcel});
}

static void act(weir_member *member, const struct lane_action *action, int64_t now_ns) {
    struct parcel *parcel = member->parcels[action->event];
    switch (action->act) {
    case LANE_START:
        jobs_put(&member->work,
                 (struct job){.kind = JOB_HANDLE, .parcel = parcel, .attempt = action->attempt});
        break;
    case LANE_ACK:
        tell(member, parcel, ACK_DONE, 0);
        let_go(member, parcel);
        forget(member, action->event);
        break;
    case LANE_NAK:
        tell(member, parcel, ACK_NAK, action->delay_ns);
        let_go(member, parcel);
        parcel_drop_messages(parcel);
        break;
    case LANE_PROGRESS:
        if (!member->draining || now_ns < member->drain_ends_ns)
            tell(member, parcel, ACK_PROGRESS, 0);
        break;
    case LANE_DEAD_LETTER:
        give_to_clerk(member, parcel, action->reason_class);
        break;
    case LANE_FORGET:
        forget(member, action->event);
        break;
    case LANE_NONE:
        break;
    }
}

void member_act(weir_member *member) {
    int64_t now_ns = member_now(member);
    for (struct lane_action action; (action = lane_core_next(member->core, now_ns)).act != LANE_NONE;)
        act(member, &action, now_ns);
}

static weir_text text_or(const char *text, const char *otherwise) {
    return weir_text_of(text && *text ? text : otherwise);
}

static void failed_attempt(weir_member *member, struct parcel *parcel, const struct note *note) {
    static const char *const words[] = {[RESULT_RETRY] = "the handler asked for a retry",
                                        [RESULT_REJECTED] = "the handler refused the event",
                                        [RESULT_TIMEOUT] = "the handler ran out of time",
                                        [RESULT_CRASHED] = "the handler died",
                                        [RESULT_NEWER] = "its version is newer than the catalog's"};
    parcel_add_attempt(parcel, member_wall(member), text_or(note->text, words[note->result]));
    if (note->result != RESULT_REJECTED)
        member_count(member, &member->stats.retries);
}

void member_result(weir_member *member, const struct note *note) {
    struct parcel *parcel = member->parcels[note->handle];
    switch (note->result) {
    case RESULT_DONE:
        member->done++;
        member_count(member, note->repeated ? &member->stats.repeated : &member->stats.handled);
        break;
    case RESULT_INVALID:
        parcel_set_reason(parcel, text_or(note->text, "it is no event of the catalog"));
        break;
    case RESULT_NOT_RUN:
        break;
    default:
        failed_attempt(member, parcel, note);
    }
    if (note->result == RESULT_NOT_RUN || (note->result == RESULT_DONE && note->text))
        member_trouble(member, TROUBLE_INBOX, note->text ? note->text : "the inbox cannot be used");
    else if (note->result == RESULT_DONE && !note->repeated)
        member_trouble(member, TROUBLE_INBOX, "");
    lane_core_result(member->core, note->handle, note->result, note->delay_ns, member_now(member));
}

void member_buried(weir_member *member, const struct note *note) {
    struct parcel *parcel = member->parcels[note->handle];
    bool ok = note->code == WEIR_OK;
    parcel_returned(parcel);
    member_trouble(member, TROUBLE_LETTER, ok ? "" : note->text);
    if (ok) {
        member_count(member, &member->stats.dead_letters);
        let_go(member, parcel);
        forget(member, note->handle);
    }
    lane_core_buried(member->core, note->handle, ok, member_now(member));
}
