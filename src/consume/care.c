/* SPDX-License-Identifier: Apache-2.0 */
/* What the loop wants to know of its consumers, by rounds of CONSUMER.INFO over all sources:
 *
 * - The barrier (A4): a new member of an ordered group starts nothing until it holds all that was delivered
 * and not settled, for what its predecessor held comes back later than what nobody had yet. It is open when
 * every source holds as many events as its consumer has pending acks, none having come since the question was
 * asked; given up after twice ack_wait (another member is alive and holds them).
 * - Whether anything is pending (until_empty).
 * - How far the group has acknowledged: the inbox's floor, once a minute.
 * - Whether a consumer that stopped answering is really gone: a server that has just started may say so for a
 * moment, so it must be missing three times, a second apart. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "consume/member_state.h"

enum { MISSED_MAX = 3 };
static const int64_t floor_every_ns = 60 * NS_PER_S;
static const int64_t empty_every_ns = 100 * NS_PER_MS;
static const int64_t barrier_every_ns = 50 * NS_PER_MS;
static const int64_t barrier_quiet_ns = 20 * NS_PER_MS;

static void ask(weir_member *member, struct source *source) {
    source->info_open = true;
    jobs_put(&member->clerical, (struct job){.kind = JOB_INFO, .source = source->index});
}

static bool asking(const weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        if (member->sources[i].info_open)
            return true;
    return false;
}

static bool any_suspect(const weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        if (member->sources[i].suspect)
            return true;
    return false;
}

/* --- when to ask ---------------------------------------------------------------------------------------- */

static bool parked(const weir_member *member) {
    return lane_core_parked(member->core);
}

/* The earliest time of the next round; INT64_MAX: none is wanted. */
static int64_t round_due_ns(const weir_member *member) {
    if (!member->connected || asking(member) || any_suspect(member))
        return INT64_MAX;
    if (parked(member)) {
        int64_t quiet_ns = member->arrived_ns + barrier_quiet_ns;
        return quiet_ns > member->info_due_ns ? quiet_ns : member->info_due_ns;
    }
    bool wanted = member->inbox || (member->options.until_empty && lane_core_held(member->core) == 0);
    return wanted ? member->info_due_ns : INT64_MAX;
}

static int64_t period_ns(const weir_member *member) {
    return parked(member) ? barrier_every_ns : member->options.until_empty ? empty_every_ns : floor_every_ns;
}

static bool may_look_at(const weir_member *member, const struct source *source) {
    return source->suspect && !source->info_open && member->connected;
}

static void open_barrier(weir_member *member) {
    lane_core_open(member->core);
    member_trouble(member, TROUBLE_BARRIER, "");
    member->info_due_ns = 0;
}

void care_look(weir_member *member, int64_t now_ns) {
    if (member->draining)
        return;
    for (int i = 0; i < member->source_count; i++)
        if (may_look_at(member, &member->sources[i]) && now_ns >= member->sources[i].info_again_ns)
            ask(member, &member->sources[i]);
    if (parked(member) && now_ns >= member->barrier_ends_ns) {
        log_line(LOG_WARN, "consume",
                 "another member holds events of this ordered group; order is not certain now", "group",
                 member->group_name, NULL);
        open_barrier(member);
    }
    if (now_ns < round_due_ns(member))
        return;
    member->arrivals_at_check = member->arrivals;
    member->info_due_ns = now_ns + period_ns(member);
    for (int i = 0; i < member->source_count; i++) {
        member->sources[i].idle = false;
        ask(member, &member->sources[i]);
    }
}

int64_t care_next_ns(const weir_member *member) {
    int64_t next = round_due_ns(member);
    if (parked(member) && member->barrier_ends_ns < next)
        next = member->barrier_ends_ns;
    for (int i = 0; i < member->source_count; i++)
        if (may_look_at(member, &member->sources[i]) && member->sources[i].info_again_ns < next)
            next = member->sources[i].info_again_ns;
    return next;
}

/* --- what the answers mean ------------------------------------------------------------------------------ */

static bool holds_all(const weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        if ((uint64_t)member->sources[i].held != member->sources[i].ack_pending)
            return false;
    return true;
}

static bool found_empty(const weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        if (!member->sources[i].idle)
            return false;
    return lane_core_held(member->core) == 0;
}

static void end_round(weir_member *member) {
    if (asking(member) || any_suspect(member))
        return;
    member->may_fetch = true;
    if (member->arrivals != member->arrivals_at_check)
        return;
    if (parked(member) && holds_all(member))
        open_barrier(member);
    else if (parked(member) && member_now(member) > member->barrier_ends_ns - member->policy.ack_wait_ns)
        member_trouble(member, TROUBLE_BARRIER,
                       "another member holds events of this ordered group; waiting for them");
    if (member->options.until_empty && found_empty(member))
        weir_member_stop(member);
}

static void raise_floor(weir_member *member, struct source *source, const struct note *note) {
    if (!member->inbox || source->redeliver || note->ack_floor <= source->floor)
        return;
    source->floor = note->ack_floor;
    struct job job = {.kind = JOB_FLOOR, .source = source->index, .sequence = note->ack_floor};
    snprintf(job.created, sizeof job.created, "%s", note->created);
    jobs_put(&member->work, job);
}

static void not_told(weir_member *member, struct source *source, const struct note *note, int64_t now_ns) {
    source->info_again_ns = now_ns + NS_PER_S;
    if (!source->suspect && note->code != WEIR_NOT_FOUND)
        return;
    source->suspect = true;
    member_trouble(member, TROUBLE_CONSUMER, note->text);
    if (note->code == WEIR_DENIED || (note->code == WEIR_NOT_FOUND && ++source->missed >= MISSED_MAX))
        member_fail(member, note);
}

void care_note(weir_member *member, const struct note *note) {
    struct source *source = &member->sources[note->source];
    source->info_open = false;
    if (note->code != WEIR_OK) {
        not_told(member, source, note, member_now(member));
        return;
    }
    if (strcmp(source->created, note->created) != 0) { /* the stream was made anew: its sequences too */
        memcpy(source->created, note->created, sizeof source->created);
        source->floor = 0;
    }
    if (source->suspect)
        member_trouble(member, TROUBLE_CONSUMER, "");
    source->suspect = false;
    source->missed = 0;
    source->ack_pending = note->ack_pending;
    source->idle = note->pending == 0 && note->ack_pending == 0;
    raise_floor(member, source, note);
    end_round(member);
}
