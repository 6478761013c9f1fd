/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* The window between PostgreSQL's log and the relay, the real one, against a model of everything around it: transactions that
 * overlap, wait for keys and are rolled back, commits that the log tells before the table shows them, messages, giants beyond
 * the window's bound, claims by stream, answers that are lost, settlements that are late or lost, streams that are stuck, rows
 * made pending again, crashes after which the server tells from an earlier place. Everything follows from a seed.
 *
 *   WEIR_SIM_SEED=17 build/test/wal_sim          one history (with WEIR_SIM_TRACE=1 told step by step)
 *   WEIR_SIM_RUNS=100000 build/test/wal_sim      many
 *
 * Held throughout: nothing is stored twice, or before it was committed; rows of a key are in commit order; a transaction that
 * fits a claim stands together; the log is never let go beyond what only it has, or what nobody would look for; the window keeps
 * its bound. Held at the end, after the faults stop: everything committed is stored, and the whole log was let go. */
#include "histories.h"
#include "wal_sim_relay.h"

enum { STEPS = 600, REST = 60000 };

/* --- a history -------------------------------------------------------------------------------------------- */

/* Somebody wants a row sent once more. */
static void make_pending_again(void) {
    int place = world.thing_count ? below(&world, world.thing_count) : NONE;
    if (place == NONE)
        return;
    struct thing *thing = &world.things[place];
    if (thing->message || !thing->settled || thing->stored != thing->wanted)
        return;
    TRACE(&world, "row %d is to be sent again", place + 1);
    thing->settled = thing->parked = false;
    thing->again = true;
    thing->wanted++;
    world.floor = place < world.floor ? place : world.floor;
}

static void relay_step(void) {
    int what = below(&world, 100), type = below(&world, TYPES);
    if (what < 35 && wal_core_tailing(relay.core))
        listen();
    else if (what < 55)
        claim_for_all();
    else if (what < 62)
        claim_ahead(type);
    else if (what < 80)
        hear(type);
    else if (what < 90)
        rounds();
    else if (what < 93)
        look();
    else if (what < 95)
        hold();
    else if (what < 98 && wal_core_tailing(relay.core))
        confirm(&world, world.written, relay.held_once);
    else if (mishap(&world, 20))
        crash();
    else if (mishap(&world, 20))
        lose_connection();
}

static void step(void) {
    world.steps++;
    world.now_ns += mishap(&world, 150) ? 61 * NS_PER_S : (1 + below(&world, 40)) * NS_PER_MS;
    int what = below(&world, 100);
    if (what < 30)
        write_step(&world);
    else if (what < 31 && !world.calm)
        world.stuck[below(&world, TYPES)] ^= below(&world, 2);
    else if (what < 32 && mishap(&world, 3))
        make_pending_again();
    else if (what < 33)
        world.lsn += 8; /* others write */
    else if (relay.up)
        relay_step();
    else
        start();
}

static bool at_rest(void) {
    if (!relay.up || !wal_core_tailing(relay.core) || world.open_count > 0 || relay.busy)
        return false;
    for (int place = first_pending(&world); place < world.thing_count; place++)
        if (is_pending(&world, place, world.clock))
            return false;
    return world.server_confirmed >= world.lsn;
}

static void come_to_rest(void) {
    world.calm = true;
    memset(world.stuck, 0, sizeof world.stuck);
    for (int i = 0; i < REST && !world.failure[0] && !at_rest(); i++)
        step();
    MUST(&world, at_rest(), "it does not come to rest");
}

static void check_end(void) {
    for (int place = 0; place < world.thing_count; place++) {
        const struct thing *thing = &world.things[place];
        if (world.txns[thing->txn].state != VISIBLE)
            continue;
        MUST(&world, !thing->message || thing->adopted != NONE, "message %d was lost", place + 1);
        MUST(&world, thing->message || thing->stored == thing->wanted, "row %d was lost", place + 1);
    }
}

static const char *run(uint64_t seed, enum plant plant, long *steps) {
    open_world(&world, seed, plant);
    world.traced = getenv("WEIR_SIM_TRACE") != NULL;
    memset(&relay, 0, sizeof relay);
    relay.arena = arena_new();
    for (int i = 0; i < STEPS && !world.failure[0]; i++)
        step();
    come_to_rest();
    check_end();
    wal_core_free(relay.core);
    arena_free(relay.arena);
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

static void rows_that_the_snapshot_saw(void **state) {
    (void)state;
    expect_found(TELL_ALL);
}

static void letting_go_too_early(void **state) {
    (void)state;
    expect_found(CONFIRM_SEEN);
}

static void messages_nobody_waits_for(void **state) {
    (void)state;
    expect_found(NO_ERRANDS);
}

static void rows_in_flight(void **state) {
    (void)state;
    expect_found(FORGET_FLYING);
}

static void rows_not_to_be_seen(void **state) {
    (void)state;
    expect_found(SETTLE_UNSEEN);
}

static const struct spec specs[] = {
    {"whatever crashes and comes late, what the log tells is stored exactly once and in order", exactly_once},
    {"the simulation finds a follower that hands in what the snapshot saw", rows_that_the_snapshot_saw},
    {"the simulation finds one that lets the log go before it is settled", letting_go_too_early},
    {"the simulation finds one that forgets messages", messages_nobody_waits_for},
    {"the simulation finds one that claims what is in flight", rows_in_flight},
    {"the simulation finds one that settles what is not to be seen yet", rows_not_to_be_seen},
};

SPEC_MAIN(specs)
