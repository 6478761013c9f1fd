/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume */
/* The real lane core against a model of the server, of handlers and of crashes. A world is made from a seed;
 * every failure prints it, and WEIR_SIM_SEED=n runs that one alone (WEIR_SIM_SEEDS=n runs so many).
 *
 * Checked at every step: nothing is held twice, no more than the capacity is held and no more handlers run
 * than there are workers, everything held was heard of within half of ack_wait, an event never finishes
 * before an older one of its key that its member holds, attempts count one by one. Checked at the end: every
 * event is done or buried, poison is buried after exactly max_deliver attempts, where nobody crashed nothing
 * was done twice, and in ordered groups each key was done in order, whoever crashed: a new member waits
 * behind its barrier. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "consume/lane_core.h"
#include "kit/spec.h"

enum { EVENTS_MAX = 150, MEMBERS_MAX = 3, CAPACITY_MAX = 40, KEYS_MAX = 12 };
#define ACK_WAIT (6 * NS_PER_S)

enum behaviour { GOOD, FLAKY, POISON, REJECTED, INVALID, LOCKED, CRASHER };
enum server_state { UNREAD, OUT, NAKED, SETTLED };

struct message {
    int key; /* -1: none */
    enum behaviour behaviour;
    int failures_left;
    enum server_state state;
    int64_t due_ns; /* redelivery */
    int deliveries;
    int starts, done, letters;
    bool forgotten; /* a member had to forget it: it may be done again */
};

struct member {
    lane_core *core;
    int asked;
    bool draining;
    int of_handle[2 * CAPACITY_MAX + 2]; /* sequence */
    bool holds[EVENTS_MAX + 1];
    int starts[EVENTS_MAX + 1]; /* by this member, while it remembers */
    int64_t heard_ns[EVENTS_MAX + 1];
    struct {
        int sequence;
        uint64_t handle;
        int64_t ends_ns;
    } running[8];
    int running_count;
};

struct world {
    unsigned seed;
    uint64_t random;
    int64_t now_ns;
    struct lane_policy policy;
    int64_t delays[3];
    int keys, events, member_count, lost_percent, crash_permille;
    int crashes, order[KEYS_MAX]; /* last sequence done, per key */
    struct message messages[EVENTS_MAX + 1];
    struct member members[MEMBERS_MAX];
};

static void must(const struct world *world, bool holds, int sequence, const char *rule) {
    if (holds)
        return;
    print_error("WEIR_SIM_SEED=%u: event %d at %.3f s: %s\n", world->seed, sequence,
                (double)world->now_ns / 1e9, rule);
    fail();
}

static unsigned pick(struct world *world, unsigned bound) {
    world->random = world->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(world->random >> 33) % bound;
}

static bool chance(struct world *world, int percent) {
    return (int)pick(world, 100) < percent;
}

/* --- the server ----------------------------------------------------------------------------------------- */

static bool may_deliver(const struct world *world, const struct message *message) {
    return message->state == UNREAD || (message->state != SETTLED && message->due_ns <= world->now_ns);
}

/* Redeliveries first, in any order; then what was never read, while max_ack_pending (here: the capacity)
 * allows. */
static int server_next(struct world *world) {
    int unread = 0, pending = 0, due = 0, due_count = 0;
    for (int i = 1; i <= world->events; i++) {
        const struct message *message = &world->messages[i];
        pending += message->state == OUT || message->state == NAKED;
        if (message->state == UNREAD && unread == 0)
            unread = i;
        if (message->state != UNREAD && may_deliver(world, message) &&
            pick(world, (unsigned)++due_count) == 0)
            due = i;
    }
    return due ? due : pending < world->policy.capacity ? unread : 0;
}

static int server_pending(const struct world *world) {
    int pending = 0;
    for (int i = 1; i <= world->events; i++)
        pending += world->messages[i].state == OUT || world->messages[i].state == NAKED;
    return pending;
}

static void server_ack(struct world *world, int sequence) {
    if (!chance(world, world->lost_percent))
        world->messages[sequence].state = SETTLED;
}

static void server_nak(struct world *world, int sequence, int64_t delay_ns) {
    struct message *message = &world->messages[sequence];
    if (message->state != OUT || chance(world, world->lost_percent))
        return;
    message->state = NAKED;
    message->due_ns = world->now_ns + delay_ns;
}

static void server_progress(struct world *world, int sequence) {
    struct message *message = &world->messages[sequence];
    if (message->state == OUT && !chance(world, world->lost_percent))
        message->due_ns = world->now_ns + ACK_WAIT;
}

/* --- a member ------------------------------------------------------------------------------------------- */

static void member_begin(struct world *world, struct member *member) {
    lane_core_free(member->core);
    *member = (struct member){.core = lane_core_new(&world->policy)};
}

/* Killed: what it held is redelivered after ack_wait, what it knew is gone. */
static void member_crash(struct world *world, struct member *member) {
    world->crashes++;
    member_begin(world, member);
}

static void member_receive(struct world *world, struct member *member, int sequence) {
    struct message *message = &world->messages[sequence];
    char key[8];
    snprintf(key, sizeof key, "k%d", message->key);
    message->state = OUT;
    message->due_ns = world->now_ns + ACK_WAIT;
    message->deliveries++;
    struct lane_arrival arrival = {.stream = weir_text_of("S"),
                                   .key = weir_text_of(message->key < 0 ? NULL : key),
                                   .sequence = (uint64_t)sequence,
                                   .source_sequence = (uint64_t)sequence,
                                   .stored_ns = sequence,
                                   .deliveries = (uint64_t)message->deliveries};
    bool known = lane_core_knows(member->core, &arrival);
    member->asked--;
    if (!known && lane_core_held(member->core) >= world->policy.capacity) {
        server_nak(world, sequence, 0);
        return;
    }
    uint64_t handle;
    enum lane_news news = lane_core_arrive(member->core, &arrival, world->now_ns, &handle);
    must(world, known == (news == NEWS_HELD || news == NEWS_SETTLED), sequence, "knows and arrive disagree");
    must(world, (news == NEWS_HELD) == member->holds[sequence], sequence, "held twice, or lost while held");
    if (news == NEWS_SETTLED) {
        server_ack(world, sequence);
        return;
    }
    int before = member->of_handle[handle];
    if (before && before != sequence) { /* it gave way */
        world->messages[before].forgotten = true;
        member->starts[before] = 0;
    }
    member->of_handle[handle] = sequence;
    member->holds[sequence] = true;
    member->heard_ns[sequence] = world->now_ns;
}

static void check_start(struct world *world, struct member *member, const struct lane_action *action,
                        int sequence) {
    struct message *message = &world->messages[sequence];
    member->starts[sequence]++;
    message->starts++;
    must(world, action->attempt >= 1 && action->attempt <= world->policy.max_deliver, sequence,
         "an attempt outside 1..max_deliver");
    if (world->policy.ordered || (world->crashes == 0 && world->member_count == 1 && !message->forgotten))
        must(world, action->attempt == member->starts[sequence], sequence, "attempts are not exact");
    must(world, member->running_count < world->policy.workers, sequence, "more handlers than workers");
    must(world, !member->draining, sequence, "a start while draining");
    must(world, !lane_core_parked(member->core), sequence, "a start behind the barrier");
}

/* When it starts, no older event of its key is held and none of its key runs. */
static void check_lane(struct world *world, const struct member *member, int sequence) {
    int key = world->messages[sequence].key;
    if (!world->policy.ordered || key < 0)
        return;
    for (int i = 1; i < sequence; i++)
        must(world, !member->holds[i] || world->messages[i].key != key, sequence,
             "started before an older event of its key");
    for (int i = 0; i < member->running_count; i++)
        must(world, world->messages[member->running[i].sequence].key != key, sequence,
             "started while another event of its key runs");
}

/* Each key is done in the stream's order, repetitions apart. */
static void check_order(struct world *world, int sequence) {
    const struct message *message = &world->messages[sequence];
    if (!world->policy.ordered || message->key < 0 || message->done > 1)
        return;
    must(world, world->order[message->key] < sequence, sequence, "done out of order");
    world->order[message->key] = sequence;
}

static void let_go(struct member *member, int sequence) {
    member->holds[sequence] = false;
}

static void member_start(struct world *world, struct member *member, const struct lane_action *action,
                         int sequence) {
    check_start(world, member, action, sequence);
    check_lane(world, member, sequence);
    if (world->messages[sequence].behaviour == CRASHER) {
        member_crash(world, member);
        return;
    }
    int64_t ends_ns = world->now_ns + (int64_t)pick(world, chance(world, 5) ? 20000 : 300) * NS_PER_MS;
    member->running[member->running_count].sequence = sequence;
    member->running[member->running_count].handle = action->event;
    member->running[member->running_count++].ends_ns = ends_ns;
}

static void member_bury(struct world *world, struct member *member, const struct lane_action *action,
                        int sequence) {
    static const char *const classes[] = {
        [POISON] = "handler", [REJECTED] = "rejected", [INVALID] = "schema"};
    struct message *message = &world->messages[sequence];
    /* In an unordered group deliveries to members that died or left count as attempts. */
    bool guessed = !world->policy.ordered && (world->crashes > 0 || world->member_count > 1);
    bool crashed = strcmp(action->reason_class, "crash") == 0;
    if (crashed)
        must(world, message->deliveries >= (int)world->policy.crash_deliveries, sequence, "no crasher");
    else if (!guessed || message->behaviour != FLAKY)
        must(world,
             message->behaviour >= POISON && message->behaviour <= INVALID &&
                 strcmp(action->reason_class, classes[message->behaviour]) == 0,
             sequence, "given up for no reason");
    bool stored = chance(world, 80);
    if (stored) {
        message->letters++;
        let_go(member, sequence);
        server_ack(world, sequence);
        if (message->behaviour == POISON && world->crashes == 0 && world->member_count == 1 &&
            !message->forgotten)
            must(world, message->starts == world->policy.max_deliver, sequence, "not max_deliver attempts");
    }
    lane_core_buried(member->core, action->event, stored, world->now_ns);
}

static bool member_act(struct world *world, struct member *member) {
    struct lane_action action = lane_core_next(member->core, world->now_ns);
    int sequence = action.act == LANE_NONE ? 0 : member->of_handle[action.event];
    switch (action.act) {
    case LANE_START:
        member_start(world, member, &action, sequence);
        break;
    case LANE_ACK:
        let_go(member, sequence);
        server_ack(world, sequence);
        break;
    case LANE_NAK:
        let_go(member, sequence);
        if (world->policy.ordered && !member->draining)
            must(world, false, sequence, "given back by an ordered group");
        server_nak(world, sequence, action.delay_ns);
        break;
    case LANE_PROGRESS:
        member->heard_ns[sequence] = world->now_ns;
        server_progress(world, sequence);
        break;
    case LANE_DEAD_LETTER:
        member_bury(world, member, &action, sequence);
        break;
    case LANE_FORGET:
        world->messages[sequence].forgotten = true;
        member->starts[sequence] = 0;
        member->of_handle[action.event] = 0;
        break;
    case LANE_NONE:
        return false;
    }
    return true;
}

static enum lane_result handle(struct world *world, struct message *message) {
    switch (message->behaviour) {
    case FLAKY:
        return message->failures_left-- > 0 ? RESULT_RETRY : RESULT_DONE;
    case POISON:
        return RESULT_RETRY;
    case REJECTED:
        return RESULT_REJECTED;
    case INVALID:
        return RESULT_INVALID;
    case LOCKED:
        return message->failures_left-- > 0 ? RESULT_NOT_RUN : RESULT_DONE;
    default:
        (void)world;
        return RESULT_DONE;
    }
}

static void member_finish(struct world *world, struct member *member, int index) {
    int sequence = member->running[index].sequence;
    uint64_t handle_of = member->running[index].handle;
    struct message *message = &world->messages[sequence];
    member->running[index] = member->running[--member->running_count];
    enum lane_result result = handle(world, message);
    if (result == RESULT_DONE) {
        message->done++;
        must(world, message->done == 1 || world->crashes > 0 || world->member_count > 1 || message->forgotten,
             sequence, "done twice");
        check_order(world, sequence);
    }
    if (result == RESULT_NOT_RUN) {
        message->starts--;
        member->starts[sequence]--;
    }
    lane_core_result(member->core, handle_of, result, -1, world->now_ns);
}

static void member_check(struct world *world, const struct member *member) {
    int held = 0;
    for (int i = 1; i <= world->events; i++) {
        held += member->holds[i];
        must(world, !member->holds[i] || world->now_ns - member->heard_ns[i] <= ACK_WAIT / 2, i,
             "the server did not hear of it for half of ack_wait");
    }
    must(world, held == lane_core_held(member->core), 0, "the count of held events is wrong");
    must(world, held <= world->policy.capacity, 0, "more held than the capacity");
}

static void member_step(struct world *world, struct member *member) {
    if (lane_core_parked(member->core) && lane_core_held(member->core) == server_pending(world))
        lane_core_open(member->core);
    for (int i = member->running_count - 1; i >= 0; i--)
        if (member->running[i].ends_ns <= world->now_ns)
            member_finish(world, member, i);
    while (member_act(world, member))
        ;
    int room = lane_core_room(member->core);
    if (member->asked < room)
        member->asked += (int)pick(world, (unsigned)(room - member->asked) + 1);
    for (int left = (int)pick(world, 6); left > 0 && member->asked > 0; left--) {
        int sequence = server_next(world);
        if (sequence == 0)
            break;
        member_receive(world, member, sequence);
    }
    while (member_act(world, member))
        ;
    member_check(world, member);
}

/* --- the world ------------------------------------------------------------------------------------------ */

static void world_make(struct world *world, unsigned seed) {
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->random = seed * 0x9e3779b97f4a7c15ULL + 1;
    world->now_ns = 1000 * NS_PER_S;
    world->keys = 1 + (int)pick(world, KEYS_MAX);
    world->events = 20 + (int)pick(world, EVENTS_MAX - 19);
    world->lost_percent = chance(world, 50) ? 0 : (int)pick(world, 20);
    world->crash_permille = chance(world, 50) ? 0 : (int)pick(world, 10);
    for (int i = 0; i < 3; i++)
        world->delays[i] = (int64_t)pick(world, 3000) * NS_PER_MS;
    bool ordered = chance(world, 60);
    int max_deliver = 1 + (int)pick(world, 5);
    world->member_count = ordered ? 1 : 1 + (int)pick(world, MEMBERS_MAX);
    world->policy = (struct lane_policy){.ordered = ordered,
                                         .parked = ordered,
                                         .max_deliver = max_deliver,
                                         .retry_ns = world->delays,
                                         .retry_count = pick(world, 4),
                                         .ack_wait_ns = ACK_WAIT,
                                         .workers = 1 + (int)pick(world, 8),
                                         .capacity = 1 + (int)pick(world, CAPACITY_MAX),
                                         .crash_deliveries = (uint64_t)max_deliver + 16};
    bool crashers = world->crash_permille > 0;
    for (int i = 1; i <= world->events; i++) {
        struct message *message = &world->messages[i];
        message->key = chance(world, 10) ? -1 : (int)pick(world, (unsigned)world->keys);
        message->behaviour = chance(world, 70) ? GOOD : (enum behaviour)(FLAKY + pick(world, 5));
        if (crashers && chance(world, 1))
            message->behaviour = CRASHER;
        message->failures_left =
            message->behaviour == FLAKY ? (int)pick(world, (unsigned)max_deliver) : (int)pick(world, 4);
    }
    for (int i = 0; i < world->member_count; i++)
        member_begin(world, &world->members[i]);
}

static bool world_settled(const struct world *world) {
    for (int i = 1; i <= world->events; i++)
        if (world->messages[i].state != SETTLED)
            return false;
    return true;
}

/* A member leaves and another takes its place: nothing may be left in the old one. */
static void world_drain(struct world *world, struct member *member) {
    member->draining = true;
    lane_core_drain(member->core);
    for (int turns = 0; lane_core_held(member->core) > 0; turns++) {
        must(world, turns < 1000, 0, "a drain does not end");
        world->now_ns += 100 * NS_PER_MS;
        while (member_act(world, member))
            ;
        for (int i = member->running_count - 1; i >= 0; i--)
            if (member->running[i].ends_ns <= world->now_ns)
                member_finish(world, member, i);
        while (member_act(world, member))
            ;
    }
    for (int i = 1; i <= world->events; i++)
        must(world, !member->holds[i], i, "held after a drain");
    world->crashes++; /* what the old one knew is gone: from here the looser rules hold */
    member_begin(world, member);
}

static void world_end(struct world *world) {
    for (int i = 1; i <= world->events; i++) {
        const struct message *message = &world->messages[i];
        must(world, message->done > 0 || message->letters > 0, i, "lost");
        if (message->behaviour == GOOD && message->deliveries < (int)world->policy.crash_deliveries)
            must(world, message->done > 0, i, "a good event was not done");
        if (message->behaviour >= POISON && message->behaviour <= INVALID)
            must(world, message->done == 0, i, "a bad event was done");
    }
    for (int i = 0; i < world->member_count; i++)
        lane_core_free(world->members[i].core);
}

static void world_run(unsigned seed) {
    struct world *world = mem_alloc(sizeof *world);
    world_make(world, seed);
    for (int step = 0; !world_settled(world); step++) {
        must(world, step < 200000, 0, "it never ends");
        world->now_ns += (int64_t)(1 + pick(world, 200)) * NS_PER_MS;
        for (int i = 0; i < world->member_count; i++) {
            struct member *member = &world->members[i];
            if (step < 500 && (int)pick(world, 1000) < world->crash_permille)
                member_crash(world, member);
            else if (step < 500 && world->crash_permille && pick(world, 1000) < 3)
                world_drain(world, member);
            member_step(world, member);
        }
    }
    world_end(world);
    mem_free(world);
}

static void worlds(void **state) {
    (void)state;
    const char *one = getenv("WEIR_SIM_SEED"), *many = getenv("WEIR_SIM_SEEDS");
    if (one) {
        world_run((unsigned)strtoul(one, NULL, 10));
        return;
    }
    unsigned count = many ? (unsigned)strtoul(many, NULL, 10) : 400;
    for (unsigned seed = 1; seed <= count; seed++)
        world_run(seed);
    printf("seeds 1 to %u held\n", count);
}

static const struct spec specs[] = {
    {"lanes keep their promises in every world made from a seed", worlds},
};
SPEC_MAIN(specs)
