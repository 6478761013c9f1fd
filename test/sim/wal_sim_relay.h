/* SPDX-License-Identifier: Apache-2.0 */
/* Who drives the window, as the backend and the relay do it: phases, what the log says, claims, batches on their way, rounds,
 * looks. Included by wal_sim.c. */
#ifndef SIM_WAL_SIM_RELAY_H
#define SIM_WAL_SIM_RELAY_H

#include "kit/spec.h"
#include "store/wal_stray.h"
#include "wal_sim_world.h"

enum { BATCH_MAX = 999, GATHERED_MAX = 400 };

static const char *const type_names[TYPES] = {"a", "b", "c"};

/* A batch on its way; the second one was sent ahead. */
struct flight {
    int places[BATCH_MAX];
    int count;
};

struct gathered {
    int places[GATHERED_MAX * 4];
    int count, errands[GATHERED_MAX], errand_count;
    int64_t errand_numbers[GATHERED_MAX];
    uint64_t last, confirm;
};

struct relay {
    wal_core *core;
    arena *arena;
    bool up;
    long seen; /* S0: of the table */
    uint64_t snapshot_lsn;
    struct outbox_mark clear;
    struct flight flights[TYPES][2];
    struct gathered next, now;
    bool busy, held_once[TYPES];
    uint64_t numbers;
    /* the walsender's words */
    int told;  /* of the log */
    int thing; /* of the transaction being told; NONE: its begin is next */
    bool taking;
    struct wal_stray stray;
    int64_t looked[WAL_SUSPECTS_MAX];
    size_t looked_count;
    uint64_t looked_at; /* 0: no look is under way */
};

static struct world world;
static struct relay relay;

/* --- phases ----------------------------------------------------------------------------------------------- */

static void take_snapshot(void) {
    weir_error err;
    relay.snapshot_lsn = world.lsn;
    relay.seen = world.clock;
    expect_ok(wal_core_snapshot(relay.core, snapshot_text(&world), &err), &err);
}

static void mark_settled(int place, bool parked) {
    TRACE(&world, "%s: row %d", parked ? "parked" : "settled", place + 1);
    world.things[place].settled = true;
    world.things[place].parked = world.things[place].parked || parked;
}

static bool all_visible(const struct gathered *gathered) {
    for (int i = 0; i < gathered->count; i++)
        if (world.txns[world.things[gathered->places[i]].txn].state != VISIBLE)
            return false;
    return true;
}

static void write_gathered(const struct gathered *gathered) {
    for (int i = 0; i < gathered->count; i++)
        mark_settled(gathered->places[i], false);
    for (int i = 0; i < gathered->errand_count; i++) {
        struct thing *message = &world.things[gathered->errands[i]];
        if (message->adopted == NONE)
            message->adopted = adopt(&world, message->type);
    }
}

/* Commits that are not to be seen yet are waited for. */
static void flush(void) {
    for (int i = 0; i < world.open_count;)
        if (world.txns[world.open[i]].state == LOGGED)
            show_commit(&world, world.open[i]);
        else
            i++;
    if (relay.busy)
        write_gathered(&relay.now);
    write_gathered(&relay.next);
    relay.busy = false;
    relay.next.count = relay.next.errand_count = 0;
}

static void fall_back(void) {
    TRACE(&world, "back to the table");
    wal_core_catch_up(relay.core);
    wal_stray_clear(&relay.stray);
    relay.looked_at = 0;
    relay.busy = false;
    relay.next.count = relay.next.errand_count = 0;
    relay.numbers = 0;
    take_snapshot();
}

/* Settling waits until the table shows the rows. */
static void settle_in_table(int place) {
    int number = world.things[place].txn;
    if (world.txns[number].state == LOGGED && world.plant != SETTLE_UNSEEN)
        show_commit(&world, number);
    if (world.txns[number].state == VISIBLE)
        mark_settled(place, false);
}

/* What is in the streams is settled, what is not is claimed again. */
static void read_anew(void) {
    for (int type = 0; type < TYPES; type++)
        for (int i = 0; i < 2; i++)
            relay.flights[type][i].count = 0;
    for (int place = 0; place < world.thing_count; place++) {
        const struct thing *thing = &world.things[place];
        if (!thing->message && !thing->settled && thing->stored > 0 && thing->stored == thing->wanted)
            settle_in_table(place);
    }
    relay.clear = (struct outbox_mark){0};
}

static void land(int type, int which) {
    struct flight *flight = &relay.flights[type][which];
    for (int i = 0; i < flight->count; i++)
        store(&world, flight->places[i]);
}

/* Whatever was on its way arrived or did not, the second one only behind the first. */
static void end_flights(void) {
    for (int type = 0; type < TYPES; type++) {
        if (relay.flights[type][0].count == 0 || below(&world, 2))
            continue;
        land(type, 0);
        if (below(&world, 2))
            land(type, 1);
    }
}

static void crash(void) {
    TRACE(&world, "crash");
    if (relay.busy && below(&world, 2) && all_visible(&relay.now))
        write_gathered(&relay.now);
    end_flights();
    wal_core_free(relay.core);
    relay.core = NULL;
    relay.up = false;
    if (below(&world, 3) == 0)
        world.server_confirmed = world.saved_confirmed;
}

static void start(void) {
    arena *arena = relay.arena;
    memset(&relay, 0, offsetof(struct relay, flights));
    relay.arena = arena;
    relay.up = true;
    relay.core = wal_core_new();
    memset(relay.held_once, 0, sizeof relay.held_once);
    read_anew();
    fall_back();
}

static void begin_tail(void) {
    if (world.server_confirmed > relay.snapshot_lsn) {
        take_snapshot();
        return;
    }
    TRACE(&world, "the log is followed from %llu", (unsigned long long)world.server_confirmed);
    wal_core_tail(relay.core, world.server_confirmed);
    world.written = world.server_confirmed;
    relay.told = 0;
    while (relay.told < world.logged_count &&
           world.txns[world.logged[relay.told]].end_lsn <= world.server_confirmed)
        relay.told++;
    relay.thing = NONE;
}

static void lose_connection(void) {
    if (below(&world, 2)) {
        flush();
    } else {
        end_flights();
        read_anew();
    }
    fall_back();
}

/* --- the log ---------------------------------------------------------------------------------------------- */

static void hand_in(int place) {
    const struct thing *thing = &world.things[place];
    if (thing->message) {
        if (world.plant == NO_ERRANDS || relay.next.errand_count == GATHERED_MAX)
            return;
        relay.next.errand_numbers[relay.next.errand_count] = wal_core_errand(relay.core, 100);
        relay.next.errands[relay.next.errand_count++] = place;
    } else if (relay.taking) {
        struct outbox_row row = {.pos = place + 1,
                                 .draft = {.type = weir_text_of(type_names[thing->type]),
                                           .payload = weir_text_of("{\"some\": \"bytes\"}")}};
        wal_core_row(relay.core, &row);
    }
}

static void say(void) {
    if (relay.told == world.logged_count) {
        wal_core_seen(relay.core, world.lsn);
        return;
    }
    const struct txn *txn = &world.txns[world.logged[relay.told]];
    bool begins = relay.thing == NONE;
    if (begins)
        relay.taking = wal_core_begin(relay.core, (uint32_t)txn->xid) || world.plant == TELL_ALL;
    int place = begins ? txn->first : relay.thing;
    int words = 1 + below(&world, 12) + (world.giants ? 2000 : 0);
    for (; place != NONE && words > 0 && !wal_core_full(relay.core); words--) {
        hand_in(place);
        place = world.things[place].next;
    }
    relay.thing = place == NONE ? NONE : place;
    if (place != NONE)
        return;
    wal_core_commit(relay.core, txn->end_lsn);
    relay.told++;
}

static void listen(void) {
    for (int i = below(&world, 4);
         i >= 0 && !wal_core_full(relay.core) && relay.next.errand_count < GATHERED_MAX - 20; i--)
        say();
    MUST(&world, wal_core_rows(relay.core) <= WAL_WINDOW_ROWS, "the window has %zu rows",
         wal_core_rows(relay.core));
}

/* --- claims ----------------------------------------------------------------------------------------------- */

static bool leaves_out(const struct outbox_wanted *wanted, int type) {
    bool named = false;
    for (size_t i = 0; i < wanted->type_count; i++)
        named = named || strcmp(wanted->types[i], type_names[type]) == 0;
    return named != wanted->only;
}

static bool is_flying(const struct outbox_wanted *wanted, int64_t pos) {
    for (size_t i = 0; i < wanted->flying_count; i++)
        if (wanted->flying[i] == pos)
            return true;
    return false;
}

static bool is_wanted(const struct outbox_wanted *wanted, int place) {
    return is_pending(&world, place, relay.seen) && !leaves_out(wanted, world.things[place].type) &&
           !is_flying(wanted, place + 1);
}

/* As the backend that polls does it: whole transactions in the order of their last position, the first one in parts when it fits
 * no claim. */
static int claim_from_table(const struct outbox_wanted *wanted, int *places) {
    static int sizes[TXNS_MAX], left[TXNS_MAX];
    static bool takes[ROWS_MAX];
    int count = 0, from = first_pending(&world), end = world.thing_count;
    memset(left, 0, (size_t)world.txn_count * sizeof *left);
    for (int place = from; place < end; place++) {
        takes[place] = is_wanted(wanted, place);
        left[world.things[place].txn] += takes[place];
    }
    memcpy(sizes, left, (size_t)world.txn_count * sizeof *sizes);
    for (int place = from; place < end && count < (int)wanted->max_rows; place++) {
        int number = world.things[place].txn;
        if (!takes[place] || --left[number] > 0)
            continue; /* not its last one */
        if (count > 0 && count + sizes[number] > (int)wanted->max_rows)
            break;
        int next = world.txns[number].first;
        for (; next != NONE && count < (int)wanted->max_rows; next = world.things[next].next)
            if (next >= from && takes[next])
                places[count++] = next;
    }
    return count;
}

static int claim_from_window(const struct outbox_wanted *wanted, int *places) {
    struct outbox_row *rows;
    size_t count;
    TRACE(&world, "a claim from the window");
    arena_reset(relay.arena);
    wal_core_claim(relay.core, wanted, relay.arena, &rows, &count);
    for (size_t i = 0; i < count; i++)
        places[i] = (int)rows[i].pos - 1;
    return (int)count;
}

static bool claim(struct outbox_wanted *wanted, int *places, int *count) {
    *count = 0;
    wanted->max_rows = world.claim_rows;
    wanted->max_bytes = world.claim_bytes;
    if (wal_core_wanted(relay.core, wanted, world.now_ns)) {
        flush();
        fall_back();
        relay.clear = (struct outbox_mark){0};
    }
    bool tailing = wal_core_tailing(relay.core);
    if (!tailing)
        wanted->after = (struct outbox_mark){0};
    *count = tailing ? claim_from_window(wanted, places) : claim_from_table(wanted, places);
    return tailing;
}

/* A row is parked now and then instead of being sent. One that the table does not show yet is not marked: a look finds it, in no
 * order with others any more. */
static void send_off(struct flight *flight, int place) {
    struct thing *thing = &world.things[place];
    if (!mishap(&world, 60)) {
        flight->places[flight->count++] = place;
        return;
    }
    if (world.txns[thing->txn].state == VISIBLE) {
        mark_settled(place, true);
        thing->wanted--;
    } else {
        thing->again = true;
    }
    wal_core_done(relay.core, place + 1, 0);
}

static bool is_drained(void) {
    const char **held;
    arena_reset(relay.arena);
    const struct outbox_wanted none = {.types = NULL};
    size_t count = wal_core_held(relay.core, relay.arena, &held);
    const struct outbox_wanted others = {.types = held, .type_count = count};
    for (int place = first_pending(&world); place < world.thing_count; place++)
        if (is_wanted(count ? &others : &none, place))
            return false;
    return true;
}

static void claim_for_all(void) {
    static int places[BATCH_MAX];
    const char *out[TYPES];
    struct outbox_wanted wanted = {.types = out, .after = relay.clear};
    int count;
    for (int type = 0; type < TYPES; type++)
        if (relay.flights[type][0].count > 0 || world.stuck[type])
            out[wanted.type_count++] = type_names[type];
    bool marks = wanted.type_count == 0 && wal_core_tailing(relay.core);
    struct outbox_mark mark = marks ? wal_core_mark(relay.core) : (struct outbox_mark){0};
    bool tailing = claim(&wanted, places, &count);
    for (int i = 0; i < count; i++)
        send_off(&relay.flights[world.things[places[i]].type][0], places[i]);
    if (marks && tailing)
        relay.clear = count == 0 ? mark : wanted.after;
    if (count == 0 && !tailing && is_drained())
        begin_tail();
    else if (count == 0 && !tailing && below(&world, 4) == 0)
        take_snapshot();
}

static void claim_ahead(int type) {
    static int places[BATCH_MAX];
    int64_t flying[BATCH_MAX];
    int count;
    const struct flight *first = &relay.flights[type][0];
    struct outbox_wanted wanted = {
        .types = &type_names[type], .type_count = 1, .only = true, .flying = flying};
    if (first->count == 0 || relay.flights[type][1].count > 0 || world.stuck[type])
        return;
    for (int i = 0; i < first->count && world.plant != FORGET_FLYING; i++)
        flying[wanted.flying_count++] = first->places[i] + 1;
    claim(&wanted, places, &count);
    for (int i = 0; i < count; i++)
        send_off(&relay.flights[type][1], places[i]);
}

/* --- settling --------------------------------------------------------------------------------------------- */

static void settle(int type) {
    struct flight *flight = &relay.flights[type][0];
    bool tailing = wal_core_tailing(relay.core);
    if (tailing && relay.next.count + flight->count > GATHERED_MAX * 4)
        flush();
    uint64_t number = tailing ? ++relay.numbers : 0;
    for (int i = 0; i < flight->count; i++) {
        wal_core_done(relay.core, flight->places[i] + 1, number);
        if (tailing)
            relay.next.places[relay.next.count++] = flight->places[i];
        else
            settle_in_table(flight->places[i]);
    }
    relay.next.last = number;
    relay.flights[type][0] = relay.flights[type][1];
    relay.flights[type][1].count = 0;
}

static void hear(int type) {
    if (relay.flights[type][0].count == 0 || world.stuck[type])
        return;
    if (mishap(&world, 15)) { /* it did not arrive, and the one behind it not either */
        relay.flights[type][0].count = relay.flights[type][1].count = 0;
        relay.clear = (struct outbox_mark){0};
        return;
    }
    land(type, 0);
    settle(type);
}

/* --- rounds ----------------------------------------------------------------------------------------------- */

static void end_round(void) {
    if (!all_visible(&relay.now))
        return; /* it is sent again */
    write_gathered(&relay.now);
    for (int i = 0; i < relay.now.errand_count; i++)
        wal_core_done(relay.core, relay.now.errand_numbers[i], 0);
    wal_core_durable(relay.core, relay.now.last);
    world.written = relay.now.confirm > world.written ? relay.now.confirm : world.written;
    relay.busy = false;
}

static void rounds(void) {
    if (!wal_core_tailing(relay.core))
        return;
    if (relay.busy) {
        end_round();
        return;
    }
    relay.next.last = relay.numbers;
    relay.now = relay.next;
    relay.now.confirm =
        world.plant == CONFIRM_SEEN ? wal_core_said(relay.core) : wal_core_confirmed(relay.core);
    relay.next.count = relay.next.errand_count = 0;
    relay.busy = true;
}

static bool is_gathered(const struct gathered *gathered, int place) {
    for (int i = 0; i < gathered->count; i++)
        if (gathered->places[i] == place)
            return true;
    return false;
}

static void answer_look(void) {
    int64_t unknown[WAL_SUSPECTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < relay.looked_count; i++) {
        int place = (int)relay.looked[i] - 1;
        if (!wal_core_has(relay.core, relay.looked[i]) && !is_gathered(&relay.next, place) &&
            !(relay.busy && is_gathered(&relay.now, place)))
            unknown[count++] = relay.looked[i];
    }
    if (wal_stray_look(&relay.stray, unknown, count, relay.looked_at, wal_core_said(relay.core))) {
        flush();
        fall_back();
    }
    relay.looked_at = 0;
}

static void look(void) {
    const char **held;
    if (!wal_core_tailing(relay.core))
        return;
    if (relay.looked_at) {
        answer_look();
        return;
    }
    arena_reset(relay.arena);
    struct outbox_wanted others = {.type_count = wal_core_held(relay.core, relay.arena, &held)};
    others.types = held;
    relay.looked_count = 0;
    for (int place = first_pending(&world);
         place < world.thing_count && relay.looked_count < WAL_SUSPECTS_MAX; place++)
        if (is_pending(&world, place, world.clock) && !leaves_out(&others, world.things[place].type))
            relay.looked[relay.looked_count++] = place + 1;
    relay.looked_at = world.lsn;
}

static void hold(void) {
    const char **held;
    (void)wal_core_hold(relay.core, world.now_ns);
    arena_reset(relay.arena);
    size_t count = wal_core_held(relay.core, relay.arena, &held);
    for (size_t i = 0; i < count; i++)
        for (int type = 0; type < TYPES; type++)
            relay.held_once[type] = relay.held_once[type] || strcmp(held[i], type_names[type]) == 0;
}

#endif
