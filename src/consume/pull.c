/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for events. A member asks for what its workers can start soon (`prefetch`), never for more than the
 * lane core has room for: events that wait behind their key take room but are not ready, so other keys keep
 * being fetched. The room is shared among the sources, which take turns in asking first. The broker ends
 * every request that can get no answer any more, so what was asked is always accounted for. */
#include "base/limits.h"
#include "base/memory.h"
#include "base/units.h"
#include "consume/member_state.h"

enum { EXPIRES_MS = 5000, DRAIN_MS = 2000 };

static void on_pull(void *arg, enum broker_pull_note what, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    static const enum note_kind kinds[] = {[PULL_MESSAGE] = NOTE_MESSAGE,
                                           [PULL_ENDED] = NOTE_ENDED,
                                           [PULL_GONE] = NOTE_GONE,
                                           [PULL_REFUSED] = NOTE_REFUSED};
    struct source *source = arg;
    mailbox_put(&source->member->mailbox, (struct note){.kind = kinds[what],
                                                        .source = source->index,
                                                        .msg = msg,
                                                        .left = left,
                                                        .code = err ? err->code : WEIR_OK,
                                                        .text = err ? mem_strdup(err->message) : NULL});
}

weir_code pulls_open(weir_member *member, weir_error *err) {
    for (int i = 0; i < member->source_count; i++) {
        struct source *source = &member->sources[i];
        weir_code code = broker_pull_open(&source->pull, member->connection, source->stream,
                                          member->group_name, on_pull, source, err);
        if (code != WEIR_OK) {
            pulls_close(member);
            return code;
        }
    }
    return WEIR_OK;
}

void pulls_close(weir_member *member) {
    for (int i = 0; i < member->source_count; i++)
        if (member->sources[i].pull)
            broker_pull_drain(member->sources[i].pull, DRAIN_MS);
    for (int i = 0; i < member->source_count; i++) {
        broker_pull_close(member->sources[i].pull);
        member->sources[i].pull = NULL;
        member->sources[i].asked = 0;
    }
}

/* --- how much ------------------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t asked_in_all(const weir_member *member) {
    int64_t asked = 0;
    for (int i = 0; i < member->source_count; i++)
        asked += member->sources[i].asked;
    return asked;
}

/* What this source may ask for now. Behind the barrier nothing starts, so what is ready does not count: what
 * is missing must be fetched, one batch between two looks (a steady stream of new events must not keep the
 * barrier closed). */
static int64_t wanted(const weir_member *member, const struct source *source, int64_t sources_left) {
    int64_t prefetch = LIMIT_PREFETCH + LIMIT_PREFETCH_PER_WORKER * member->policy.workers;
    int64_t asked = asked_in_all(member);
    int64_t ready = lane_core_parked(member->core) ? 0 : lane_core_ready(member->core);
    int64_t room = lane_core_room(member->core) - asked;
    int64_t share = most(1, prefetch / member->source_count);
    if (room <= 0 || ready + asked >= prefetch || source->asked > share / 2)
        return 0;
    int64_t count = least(share - source->asked, most(1, room / sources_left));
    if (member->policy.done_limit) {
        int64_t still =
            (int64_t)member->policy.done_limit - (int64_t)member->done - lane_core_held(member->core) - asked;
        count = least(count, still > 0 ? still : source->asked == 0);
    }
    return count;
}

void pulls_ask(weir_member *member) {
    int64_t now_ns = member_now(member);
    bool parked = lane_core_parked(member->core);
    if (!member->connected || member->draining || (parked && !member->may_fetch))
        return;
    member->may_fetch = false;
    for (int i = 0; i < member->source_count; i++) {
        struct source *source = &member->sources[(member->turn + i) % member->source_count];
        int64_t count = wanted(member, source, member->source_count - i);
        if (source->suspect || now_ns < source->ask_again_ns || count <= 0)
            continue;
        source->asked_ns = now_ns;
        if (broker_pull_ask(source->pull, (int)count, EXPIRES_MS, false, NULL) == WEIR_OK)
            source->asked += count;
        else
            source->ask_again_ns = now_ns + 200 * NS_PER_MS;
    }
    member->turn = (member->turn + 1) % member->source_count;
}

int64_t pulls_next_ns(const weir_member *member) {
    int64_t now_ns = member_now(member), next = INT64_MAX;
    for (int i = 0; i < member->source_count; i++)
        if (member->sources[i].ask_again_ns > now_ns)
            next = least(next, member->sources[i].ask_again_ns);
    return next;
}

/* --- how requests end ----------------------------------------------------------------------------------- */

void pulls_note(weir_member *member, const struct note *note) {
    struct source *source = &member->sources[note->source];
    int64_t now_ns = member_now(member);
    source->asked = most(0, source->asked - (int64_t)note->left);
    if (note->kind == NOTE_ENDED) {
        /* One that ended at once would end at once again. */
        if (now_ns - source->asked_ns < 500 * NS_PER_MS)
            source->ask_again_ns = now_ns + 100 * NS_PER_MS;
        return;
    }
    source->ask_again_ns = now_ns + NS_PER_S;
    if (note->code == WEIR_DENIED) {
        member_fail(member, note);
        return;
    }
    member_trouble(member, TROUBLE_CONSUMER, note->text ? note->text : "the server refuses to deliver");
    if (note->kind == NOTE_GONE && !source->suspect) {
        source->suspect = true;
        source->missed = 0;
        source->info_again_ns = now_ns;
    }
}
