/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store relay */
/* The relay's real core against a model of everything around it: a database, streams, a network that loses,
 * delays and answers late, relays that crash between any two effects, a rival that ignores the lease, servers
 * that were cut off and do not know it, streams that lose their end or are created again, a database put back
 * to an earlier moment, cursors that are removed. Everything that happens follows from a seed, which a failure prints.
 *
 *   WEIR_SIM_SEED=17 build/test/relay_sim      one history (with WEIR_SIM_TRACE=1 told step by step)
 *   WEIR_SIM_RUNS=1000000 build/test/relay_sim     many
 *
 * Held throughout: no event is stored twice while the stream keeps it. Held at the end, after the faults
 * stop: every row is in its stream, in order, and what the server refuses is parked, nothing else. A relay
 * stops only for a reason that is true. */
#include "histories.h"
#include "relay_sim_shell.h"

/* --- a history --------------------------------------------------------------------------------- */

static void relay_turn(struct world *world) {
    int number = world->rivals || world->leases ? below(world, RELAYS) : 0;
    if (!world->relays[number].up && mishap(world, 2))
        restore_database(world);
    else if (!world->relays[number].up && (!world->leases || !world->relays[!number].up))
        start_relay(world, number);
    else if (!world->relays[number].up && mishap(world, 50))
        take_lease(world, number);
    else if (!world->relays[number].up)
        return;
    else if (mishap(world, 60))
        stop_relay(world, number);
    else
        work(world, number, below(world, STREAMS));
}

/* All but the last two, and as many as may be under way: it may come late. */
static void sweep(struct world *world) {
    stream_model_sweep(&world->streams[SWEPT], 2 + POSTED);
}

static void move_posted(struct world *world) {
    struct relay *relay = &world->relays[below(world, RELAYS)];
    if (mishap(world, 6))
        lose_posted(world, relay);
    else
        arrive_posted(world, relay);
}

static void step(struct world *world) {
    world->steps++;
    world->now_ns += mishap(world, 1000) ? 30 * NS_PER_S : below(world, 20) * NS_PER_MS; /* it was stopped */
    for (int i = 0; i < STREAMS; i++)
        world->stale_steps[i] -= world->stale_steps[i] > 0;
    int what = below(world, 100);
    if (what < 10 && !world->calm)
        insert_row(world);
    else if (what < 35)
        move_flight(world);
    else if (what < 37 && !world->calm)
        stream_model_publish(&world->streams[below(world, STREAMS)], -1);
    else if (what < 38 && mishap(world, 2))
        disaster(world);
    else if (what < 42)
        move_posted(world);
    else if (what == 42) /* at any moment, by whomever */
        sweep(world);
    else
        relay_turn(world);
}

static bool finished(const struct world *world) {
    for (size_t i = 0; i < world->db.count; i++)
        if (world->db.rows[i].state == PENDING && world->db.rows[i].txn != 0)
            return false;
    for (int i = 0; i < STREAMS; i++)
        if (!world->relays[0].up || relay_core_want(world->relays[0].workers[i].core) != WANT_ROWS)
            return false;
    return true;
}

/* The faults stop, one relay is left: everything must come to rest, in the right place. */
static void come_to_rest(struct world *world) {
    for (int i = 0; i < RELAYS; i++)
        stop_relay(world, i);
    for (int i = 0; i < FLIGHTS; i++)
        if (world->flights[i].used && below(world, 2))
            land(&world->flights[i]);
    abort_txns(world);
    world->calm = true;
    world->rivals = world->leases = false;
    for (int i = 0; i < END && !finished(world) && !world->failure[0]; i++) {
        step(world);
        if (world->restored && !world->relays[0].up && i > 10)
            return; /* it stopped, rightly: database and stream are of different times */
    }
    for (int i = 0; i < STREAMS; i++)
        if (world->relays[0].up)
            relay_core_check(world->relays[0].workers[i].core); /* whatever was lost last is noticed now */
    for (int i = 0; i < END && !finished(world) && !world->failure[0]; i++)
        step(world);
    if (!finished(world) && !world->restored)
        broken(world, "did not come to rest: %s",
               world->relays[0].up ? relay_core_trouble(world->relays[0].workers[0].core) : "no relay");
}

static bool in_place(const struct world *world, const struct row *row) {
    if (row->state == PARKED)
        return world->poison[row->id];
    bool evicted = row->sequence > 0 &&
                   row->sequence < world->streams[row->stream].first_seq; /* or lost and then past its time */
    return world->stored[row->id] == 1 || (world->stored[row->id] == 0 && evicted);
}

static void check_end(struct world *world) {
    for (size_t i = 0; i < world->db.count; i++) {
        const struct row *row = &world->db.rows[i];
        if (row->txn != 0 && !in_place(world, row))
            broken(world, "event %d (%s) is stored %d times", row->id,
                   row->state == PARKED ? "parked" : "published", world->stored[row->id]);
    }
    for (int stream = 0; stream < STREAMS && !world->restored; stream++) {
        int last = -1;
        for (size_t i = 0; i < world->streams[stream].count && !world->overtaken[stream]; i++) {
            int event = world->streams[stream].messages[i].event;
            if (event >= 0 && last >= 0 && world->rank_of[event] < world->rank_of[last])
                broken(world, "event %d stands behind %d", event, last);
            last = event >= 0 ? event : last;
        }
    }
}

static void close_world(struct world *world) {
    for (int i = 0; i < RELAYS; i++)
        stop_relay(world, i);
    for (int i = 0; i < FLIGHTS; i++)
        land(&world->flights[i]);
    for (int i = 0; i < world->cursor_count; i++)
        mem_free(world->cursors[i]);
    mem_free(world->cursors);
    for (int i = 0; i < STREAMS; i++) {
        stream_model_close(&world->streams[i]);
        stream_model_close(&world->stale[i]);
    }
}

/* Runs one history; what went wrong, or "". */
static const char *run(uint64_t seed, enum plant plant, long *steps) {
    static struct world world;
    memset(&world, 0, sizeof world);
    world.dice.state = seed;
    world.plant = plant;
    world.traced = getenv("WEIR_SIM_TRACE") != NULL;
    world.rivals = seed % 3 == 1;
    world.leases = seed % 6 == 3;
    world.restores = seed % 3 == 2 || plant == FORGET_VERIFY;
    for (int i = 0; i < STREAMS; i++)
        stream_model_open(&world.streams[i]);
    for (int i = 0; i < STEPS && !world.failure[0]; i++)
        step(&world);
    come_to_rest(&world);
    if (!world.failure[0] && finished(&world))
        check_end(&world);
    close_world(&world);
    *steps += world.steps;
    return world.failure;
}

static const char *run_one(uint64_t seed, int plant, long *steps) {
    return run(seed, (enum plant)plant, steps);
}

static void exactly_once(void **state) {
    (void)state;
    sim_expect_sound(run_one);
}

static void expect_found(enum plant plant) {
    sim_expect_found(run_one, plant);
}

static void finds_blind_resend(void **state) {
    (void)state;
    expect_found(BLIND_RESEND);
}

static void finds_early_mark(void **state) {
    (void)state;
    expect_found(MARK_BEFORE_ACK);
}

static void finds_unfenced_heal(void **state) {
    (void)state;
    expect_found(HEAL_UNFENCED);
}

static void finds_unverified_settle(void **state) {
    (void)state;
    expect_found(FORGET_VERIFY);
}

static void finds_kept_ahead(void **state) {
    (void)state;
    expect_found(KEEP_AHEAD);
}

static void finds_kept_lost(void **state) {
    (void)state;
    expect_found(KEEP_LOST);
}

static void finds_split(void **state) {
    (void)state;
    expect_found(SPLIT);
}

static void finds_ahead_of_heal(void **state) {
    (void)state;
    expect_found(AHEAD_OF_HEAL);
}

static const struct spec specs[] = {
    {"every row is stored once and in order, whatever fails", exactly_once},
    {"planted - a batch sent again without expecting the cursor is found", finds_blind_resend},
    {"planted - rows marked before the ack are found", finds_early_mark},
    {"planted - healing what a cut off server does not show is found", finds_unfenced_heal},
    {"planted - marking rows of another life of the database is found", finds_unverified_settle},
    {"planted - going on when the store lost settlements is found", finds_kept_lost},
    {"planted - rows read ahead of what healing brings back are found", finds_ahead_of_heal},
    {"planted - a transaction split without need is found", finds_split},
    {"planted - rows read ahead and kept when their batch failed are found", finds_kept_ahead},
};
SPEC_MAIN(specs)
