/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a member's decisions. Every step costs O(log n) at most (one heap operation), except a drain,
 * which visits what is held once.
 *
 *   arrive ─▶ WAITING ─turn─▶ READY ─▶ RUNNING ─done─▶ OUTPUT(ack) ─▶ memory
 *                │  ▲           ▲        │ retry, ordered group                        ▲
 *                │  └ smaller ──┤        ├────────▶ TIMED ─due─▶ READY                 │
 *                │    sequence  │        │ retry, unordered ─▶ OUTPUT(nak, delay) ─────┤
 *                │    came late │        └ gave up ─▶ OUTPUT(dead letter) ─▶ BURYING ──┘
 *                └─ crasher ────┴───────────────────▶ (failed: TIMED, and again)
 *
 * * While parked, READY events wait for lane_core_open.
 *
 * A redelivery may bring a smaller sequence than the event whose turn it is. That is looked at only when
 * something starts: until then nothing has happened that the order could be broken by. */
#include "consume/lane_core.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "consume/lane_table.h"

static const int64_t burial_delay_min_ns = NS_PER_S;
static const int64_t burial_delay_max_ns = 30 * NS_PER_S;

struct lane_core {
    struct lane_policy policy;
    int64_t *retry_ns;
    struct event_table table;
    map *lanes;
    struct event_list ready, output, memory, progress;
    struct held *timers; /* heap by due_ns */
    int held, running;
    uint64_t done;
    bool draining, parked;
};

lane_core *lane_core_new(const struct lane_policy *policy) {
    WEIR_ASSERT(policy->capacity > 0 && policy->workers > 0 && policy->max_deliver > 0);
    lane_core *core = mem_alloc(sizeof *core);
    core->policy = *policy;
    core->parked = policy->parked;
    core->retry_ns = mem_alloc(policy->retry_count * sizeof *core->retry_ns);
    for (size_t i = 0; i < policy->retry_count; i++)
        core->retry_ns[i] = policy->retry_ns[i];
    table_init(&core->table, 2 * (size_t)policy->capacity + 2);
    core->lanes = map_new();
    return core;
}

void lane_core_free(lane_core *core) {
    if (!core)
        return;
    lanes_free(core->lanes);
    table_release(&core->table);
    mem_free(core->retry_ns);
    mem_free(core);
}

/* --- an event's turn ------------------------------------------------------------------------------------ */

static void say(lane_core *core, struct held *event, enum lane_act act, int64_t delay_ns) {
    event->state = STATE_OUTPUT;
    event->output = act;
    event->nak_delay_ns = delay_ns;
    list_append(&core->output, event);
}

/* The event is the one whose turn it is in its lane: what happens with it? */
static void turn(lane_core *core, struct held *event, int64_t now_ns) {
    if (core->draining) {
        say(core, event, LANE_NAK, 0);
    } else if (event->due_ns > now_ns) {
        event->state = STATE_TIMED;
        heap_push(&core->timers, event, held_less_due);
    } else if (event->doom) {
        say(core, event, LANE_DEAD_LETTER, 0);
    } else {
        event->state = STATE_READY;
        list_append(&core->ready, event);
    }
}

/* The lane's owner is gone: the next one's turn, or the lane's end. */
static void advance(lane_core *core, struct lane *lane, int64_t now_ns) {
    lane->owner = heap_pop(&lane->line, held_less_sequence);
    if (lane->owner)
        turn(core, lane->owner, now_ns);
    else
        lane_leave(core->lanes, lane);
}

/* The event leaves its lane, whose owner it is: it is settled or given back. */
static void release(lane_core *core, struct held *event, int64_t now_ns) {
    struct lane *lane = event->lane;
    event->lane = NULL;
    if (lane)
        advance(core, lane, now_ns);
}

static void remember(lane_core *core, struct held *event, enum event_state state) {
    progress_remove(&core->progress, event);
    event->state = state;
    list_append(&core->memory, event);
    core->held--;
}

static void enter(lane_core *core, struct held *event, const struct lane_arrival *arrival, int64_t now_ns) {
    event->sequence = arrival->sequence;
    event->heard_ns = now_ns;
    progress_append(&core->progress, event);
    core->held++;
    if (!core->policy.ordered || !arrival->key.data) {
        turn(core, event, now_ns);
        return;
    }
    struct lane *lane = lane_enter(core->lanes, arrival->stream, arrival->key);
    event->lane = lane;
    event->state = STATE_WAITING;
    heap_push(&lane->line, event, held_less_sequence);
    if (!lane->owner)
        advance(core, lane, now_ns);
}

/* --- arrivals ------------------------------------------------------------------------------------------- */

/* Room for one more event: the oldest memory gives way when its LANE_FORGET is not yet asked for. */
static void make_room(lane_core *core) {
    if (table_full(&core->table)) {
        struct held *oldest = core->memory.first;
        WEIR_ASSERT(oldest);
        list_remove(&core->memory, oldest);
        table_remove(&core->table, oldest);
    }
}

static struct identity identity_of(const struct lane_arrival *arrival) {
    return (struct identity){(uint64_t)arrival->source, arrival->source_sequence, arrival->stored_ns};
}

/* Attempts that somebody else made. A member of an ordered group keeps what it retries, so a redelivery means
 * a crash and says nothing of this event. In an unordered group a delivery elsewhere was most likely an
 * attempt that failed; one attempt is always left. */
static int attempts_elsewhere(const lane_core *core, int made, uint64_t deliveries) {
    if (core->policy.ordered || deliveries == 0)
        return made;
    uint64_t left = (uint64_t)(core->policy.max_deliver - 1 > made ? core->policy.max_deliver - 1 - made : 0);
    return made + (int)(deliveries < left ? deliveries : left);
}

bool lane_core_knows(const lane_core *core, const struct lane_arrival *arrival) {
    struct identity identity = identity_of(arrival);
    struct held *event = table_find(&core->table, &identity);
    return event && event->state != STATE_GIVEN;
}

enum lane_news lane_core_arrive(lane_core *core, const struct lane_arrival *arrival, int64_t now_ns,
                                uint64_t *handle) {
    struct identity identity = identity_of(arrival);
    struct held *event = table_find(&core->table, &identity);
    bool known = event != NULL;
    if (known && event->state == STATE_SETTLED) {
        *handle = event->handle;
        return NEWS_SETTLED;
    }
    if (known && event->state != STATE_GIVEN) {
        *handle = event->handle;
        event->deliveries = arrival->deliveries > event->deliveries ? arrival->deliveries : event->deliveries;
        event->heard_ns = now_ns;
        progress_remove(&core->progress, event);
        progress_append(&core->progress, event);
        return NEWS_HELD;
    }
    WEIR_ASSERT(core->held < core->policy.capacity);
    if (known) {
        list_remove(&core->memory, event);
    } else {
        make_room(core);
        event = table_add(&core->table, &identity);
    }
    uint64_t here = known ? event->deliveries + 1 : 1;
    event->attempts = attempts_elsewhere(core, event->attempts,
                                         arrival->deliveries > here ? arrival->deliveries - here : 0);
    event->deliveries = arrival->deliveries;
    event->due_ns = 0;
    event->burials = 0;
    event->doom = arrival->deliveries >= core->policy.crash_deliveries ? "crash" : NULL;
    enter(core, event, arrival, now_ns);
    *handle = event->handle;
    return known ? NEWS_BACK : NEWS_NEW;
}

/* --- results -------------------------------------------------------------------------------------------- */

static int64_t retry_delay(const lane_core *core, int attempts) {
    if (core->policy.retry_count == 0)
        return 0;
    size_t index = attempts > 0 ? (size_t)attempts - 1 : 0;
    return core->retry_ns[index < core->policy.retry_count ? index : core->policy.retry_count - 1];
}

static void wait_in_lane(lane_core *core, struct held *event, int64_t delay_ns, int64_t now_ns) {
    event->due_ns = now_ns + delay_ns;
    turn(core, event, now_ns);
}

static void bury(lane_core *core, struct held *event, const char *reason_class) {
    event->doom = reason_class;
    say(core, event, LANE_DEAD_LETTER, 0);
}

static void failed(lane_core *core, struct held *event, const char *reason_class, int64_t delay_ns,
                   int64_t now_ns) {
    if (event->attempts >= core->policy.max_deliver) {
        bury(core, event, reason_class);
        return;
    }
    if (delay_ns < 0)
        delay_ns = retry_delay(core, event->attempts);
    if (core->policy.ordered)
        wait_in_lane(core, event, delay_ns, now_ns);
    else
        say(core, event, LANE_NAK, delay_ns);
}

void lane_core_result(lane_core *core, uint64_t handle, enum lane_result result, int64_t delay_ns,
                      int64_t now_ns) {
    struct held *event = table_at(&core->table, handle);
    WEIR_ASSERT(event->state == STATE_RUNNING);
    core->running--;
    switch (result) {
    case RESULT_DONE:
        core->done++;
        say(core, event, LANE_ACK, 0);
        release(core, event, now_ns);
        break;
    case RESULT_RETRY:
        failed(core, event, "handler", delay_ns, now_ns);
        break;
    case RESULT_TIMEOUT:
        failed(core, event, "timeout", delay_ns, now_ns);
        break;
    case RESULT_CRASHED:
        failed(core, event, "crash", delay_ns, now_ns);
        break;
    case RESULT_NEWER:
        failed(core, event, "schema", delay_ns, now_ns);
        break;
    case RESULT_REJECTED:
        bury(core, event, "rejected");
        break;
    case RESULT_INVALID:
        bury(core, event, "schema");
        break;
    case RESULT_NOT_RUN:
        event->attempts--;
        wait_in_lane(core, event, delay_ns < 0 ? NS_PER_S : delay_ns, now_ns);
        break;
    }
}

void lane_core_buried(lane_core *core, uint64_t handle, bool ok, int64_t now_ns) {
    struct held *event = table_at(&core->table, handle);
    WEIR_ASSERT(event->state == STATE_BURYING);
    if (ok) {
        remember(core, event, STATE_SETTLED);
        release(core, event, now_ns);
        return;
    }
    int64_t delay_ns = burial_delay_min_ns << (event->burials < 5 ? event->burials : 5);
    event->burials++;
    wait_in_lane(core, event, delay_ns < burial_delay_max_ns ? delay_ns : burial_delay_max_ns, now_ns);
}

/* --- actions -------------------------------------------------------------------------------------------- */

static void fire_timers(lane_core *core, int64_t now_ns) {
    while (core->timers && core->timers->due_ns <= now_ns)
        turn(core, heap_pop(&core->timers, held_less_due), now_ns);
}

static struct lane_action next_output(lane_core *core, int64_t now_ns) {
    struct held *event = core->output.first;
    list_remove(&core->output, event);
    struct lane_action action = {event->output, event->handle, event->attempts, event->nak_delay_ns,
                                 event->doom};
    if (event->output == LANE_DEAD_LETTER) {
        event->state = STATE_BURYING;
        return action;
    }
    remember(core, event, event->output == LANE_ACK ? STATE_SETTLED : STATE_GIVEN);
    release(core, event, now_ns);
    return action;
}

/* The first that may start, or NULL. An event that has been overtaken by a smaller sequence of its key goes
 * back behind it. */
static struct held *take_ready(lane_core *core, int64_t now_ns) {
    while (core->ready.first) {
        struct held *event = core->ready.first;
        list_remove(&core->ready, event);
        struct lane *lane = event->lane;
        if (!lane || !lane->line || !held_less_sequence(lane->line, event))
            return event;
        event->state = STATE_WAITING;
        heap_push(&lane->line, event, held_less_sequence);
        advance(core, lane, now_ns);
    }
    return NULL;
}

static bool may_start(const lane_core *core) {
    const struct lane_policy *policy = &core->policy;
    return !core->parked && core->running < policy->workers && core->ready.first &&
           (policy->done_limit == 0 || core->done + (uint64_t)core->running < policy->done_limit);
}

static struct lane_action next_start(lane_core *core, int64_t now_ns) {
    struct held *event = take_ready(core, now_ns);
    if (!event)
        return (struct lane_action){LANE_NONE};
    event->state = STATE_RUNNING;
    event->attempts++;
    core->running++;
    return (struct lane_action){LANE_START, event->handle, .attempt = event->attempts};
}

struct lane_action lane_core_next(lane_core *core, int64_t now_ns) {
    fire_timers(core, now_ns);
    if (core->output.first)
        return next_output(core, now_ns);
    struct held *quiet = core->progress.first;
    if (quiet && now_ns - quiet->heard_ns >= core->policy.ack_wait_ns / 3) {
        quiet->heard_ns = now_ns;
        progress_remove(&core->progress, quiet);
        progress_append(&core->progress, quiet);
        return (struct lane_action){LANE_PROGRESS, quiet->handle};
    }
    if (core->memory.count > (size_t)core->policy.capacity) {
        struct held *oldest = core->memory.first;
        list_remove(&core->memory, oldest);
        table_remove(&core->table, oldest);
        return (struct lane_action){LANE_FORGET, oldest->handle};
    }
    if (may_start(core)) {
        struct lane_action action = next_start(core, now_ns);
        /* An overtaken event may have left something to say in place of a start. */
        return action.act == LANE_NONE && core->output.first ? next_output(core, now_ns) : action;
    }
    return (struct lane_action){LANE_NONE};
}

int64_t lane_core_next_ns(const lane_core *core) {
    int64_t next = core->timers ? core->timers->due_ns : INT64_MAX;
    if (core->progress.first) {
        int64_t due = core->progress.first->heard_ns + core->policy.ack_wait_ns / 3;
        next = due < next ? due : next;
    }
    return next;
}

/* --- the end -------------------------------------------------------------------------------------------- */

static void take_line(struct held **leaving, struct lane *lane) {
    for (struct held *event; (event = heap_pop(&lane->line, held_less_sequence)) != NULL;) {
        event->lane = NULL;
        heap_push(leaving, event, held_less_sequence);
    }
}

/* The event waits for its turn no more. So do those behind it; the lane ends with the event. */
static void take_waiting(lane_core *core, struct held **leaving, struct held *event) {
    struct lane *lane = event->lane;
    event->lane = NULL;
    heap_push(leaving, event, held_less_sequence);
    if (lane) {
        take_line(leaving, lane);
        lane_leave(core->lanes, lane);
    }
}

/* In the stream's order, so that the next member gets them in that order too. What stands behind an event
 * that is still in work stays until that is settled: given back before it, it could be started elsewhere
 * before it. */
void lane_core_drain(lane_core *core) {
    struct held *leaving = NULL;
    if (core->draining)
        return;
    core->draining = true;
    while (core->ready.first) {
        struct held *event = core->ready.first;
        list_remove(&core->ready, event);
        take_waiting(core, &leaving, event);
    }
    for (struct held *event; (event = heap_pop(&core->timers, held_less_due)) != NULL;)
        take_waiting(core, &leaving, event);
    for (struct held *event; (event = heap_pop(&leaving, held_less_sequence)) != NULL;)
        say(core, event, LANE_NAK, 0);
}

void lane_core_open(lane_core *core) {
    core->parked = false;
}

bool lane_core_parked(const lane_core *core) {
    return core->parked;
}

int lane_core_held(const lane_core *core) {
    return core->held;
}

int lane_core_running(const lane_core *core) {
    return core->running;
}

int lane_core_ready(const lane_core *core) {
    return (int)core->ready.count;
}

int lane_core_room(const lane_core *core) {
    return core->draining ? 0 : core->policy.capacity - core->held;
}
