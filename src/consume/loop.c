/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: take the notes, let the core decide, do it, ask for more, sleep until something is due or
 * somebody rings. It sleeps in one place, on the mailbox's bell. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "consume/member_state.h"

enum { SLEEP_MAX_MS = 1000, FLUSH_MS = 2000 };

void member_fail(weir_member *member, const struct note *note) {
    if (member->code != WEIR_OK)
        return;
    member->code =
        weir_fail(&member->err, note->code, "%s", note->text ? note->text : "the server refuses to deliver");
    if (note->code == WEIR_NOT_FOUND)
        (void)weir_hint(&member->err, "create it with `weir apply`");
}

static void take_note(weir_member *member, const struct note *note) {
    switch (note->kind) {
    case NOTE_MESSAGE:
        member_arrived(member, note->msg, note->source);
        break;
    case NOTE_ENDED:
    case NOTE_GONE:
    case NOTE_REFUSED:
        pulls_note(member, note);
        break;
    case NOTE_RESULT:
        member_result(member, note);
        break;
    case NOTE_BURIED:
        member_buried(member, note);
        break;
    case NOTE_INFO:
        care_note(member, note);
        break;
    case NOTE_WAKE:
    case NOTE_READ:
        each_note(member, note);
        break;
    }
    mem_free(note->text);
}

static void take_notes(weir_member *member) {
    size_t count = mailbox_take(&member->mailbox, &member->notes, &member->note_capacity);
    for (size_t i = 0; i < count; i++)
        take_note(member, &member->notes[i]);
}

static void watch_connection(weir_member *member) {
    bool connected = broker_connected(member->connection);
    if (connected != member->connected)
        member_trouble(member, TROUBLE_CONNECTION,
                       connected ? "" : "the connection to NATS is lost; waiting for it");
    member->connected = connected;
}

/* The pulls end first, so that what the server had sent by then is given back with the rest. */
static void begin_drain(weir_member *member) {
    member->draining = true;
    member->drain_ends_ns = member_now(member) + member->options.drain_ms * NS_PER_MS;
    if (member->group->each)
        each_close(member);
    else
        pulls_close(member);
    take_notes(member);
    lane_core_drain(member->core);
}

static bool ending(const weir_member *member) {
    const struct lane_policy *policy = &member->policy;
    return atomic_load(&member->stop) || member->code != WEIR_OK ||
           (policy->done_limit && member->done >= policy->done_limit);
}

static void show_held(weir_member *member) {
    pthread_mutex_lock(&member->stats_lock);
    member->stats.held = lane_core_held(member->core);
    pthread_mutex_unlock(&member->stats_lock);
}

static void sleep_until_due(weir_member *member) {
    int64_t now_ns = member_now(member), due_ns = lane_core_next_ns(member->core);
    const int64_t others[] = {pulls_next_ns(member),
                              member->group->each ? each_next_ns(member) : care_next_ns(member)};
    for (size_t i = 0; i < 2 && !member->draining; i++)
        due_ns = others[i] < due_ns ? others[i] : due_ns;
    int64_t left_ms = due_ns <= now_ns                              ? 1
                      : due_ns - now_ns >= SLEEP_MAX_MS * NS_PER_MS ? SLEEP_MAX_MS
                                                                    : (due_ns - now_ns) / NS_PER_MS + 1;
    mailbox_wait(&member->mailbox, (int)left_ms);
}

static void ask_for_more(weir_member *member) {
    if (member->group->each) {
        each_look(member, member_now(member));
        return;
    }
    pulls_ask(member);
    care_look(member, member_now(member));
}

void *member_loop(void *arg) {
    weir_member *member = arg;
    member->connected = true;
    for (;;) {
        watch_connection(member);
        take_notes(member);
        if (!member->draining && ending(member))
            begin_drain(member);
        member_act(member);
        ask_for_more(member);
        show_held(member);
        if (member->draining && lane_core_held(member->core) == 0)
            break;
        sleep_until_due(member);
    }
    (void)!broker_flush(member->connection, FLUSH_MS,
                        NULL); /* acks that do not arrive now are events that come again */
    jobs_close(&member->clerical);
    jobs_close(&member->work);
    return NULL;
}
