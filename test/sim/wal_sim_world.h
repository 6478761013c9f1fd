/* SPDX-License-Identifier: Apache-2.0 */
/* The world around the window of the log: a database in which transactions overlap and wait for keys, its log, a walsender that
 * tells it, streams that keep what was stored in them. Nothing in it knows how the window works. */
#ifndef SIM_WAL_SIM_WORLD_H
#define SIM_WAL_SIM_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/wal_core.h"

enum { TYPES = 3, KEYS = 4, OPEN_MAX = 4, ROWS_MAX = 12000, TXNS_MAX = 3000, NONE = -1 };

enum txn_state {
    OPEN,
    LOGGED, /* its commit is in the log, and not to be seen in the table for a moment */
    VISIBLE,
    ROLLED_BACK
};

/* A row, or a message that becomes one. */
struct thing {
    int txn, next; /* the next of its transaction; NONE */
    int type, key;
    bool message;
    int adopted;        /* message: the row it became; NONE */
    bool settled;       /* in the database: published or parked */
    bool parked;        /* it was set aside */
    bool again;         /* somebody made it pending again: its order is no matter */
    int wanted, stored; /* how often it must be, and is, in its stream */
};

struct txn {
    uint64_t xid, end_lsn;
    enum txn_state state;
    int first, last, things;
    int commit;     /* its place in the log; NONE */
    long seen_from; /* of snapshots */
    unsigned locks;
};

struct stored {
    int txn, commit, ordinal;
};

enum plant { SOUND, TELL_ALL, CONFIRM_SEEN, NO_ERRANDS, FORGET_FLYING, SETTLE_UNSEEN };

struct world {
    uint64_t random;
    enum plant plant;
    bool traced, calm, giants, tight; /* tight: claims are bounded by bytes, too */
    size_t claim_rows, claim_bytes;
    long steps;
    int64_t now_ns;
    char failure[200];
    /* the database */
    struct thing things[ROWS_MAX];
    int thing_count, floor; /* below it nothing is pending */
    struct txn txns[TXNS_MAX];
    int txn_count, open[OPEN_MAX + 1], open_count; /* one more: a message becomes a row at once */
    unsigned locked;
    int logged[TXNS_MAX], logged_count; /* the log */
    int clean;                          /* before this one nothing of the log needs it any more */
    uint64_t xid, lsn, server_confirmed, saved_confirmed, written;
    long clock; /* of what becomes visible */
    /* the streams, one for each type */
    bool stuck[TYPES];
    struct stored last_of_key[TYPES][KEYS], last_in[TYPES];
    unsigned char closed[TYPES][TXNS_MAX]; /* something else was stored behind a part of it */
};

#define MUST(world, holds, ...)                                              \
    do {                                                                     \
        if (!(holds) && !(world)->failure[0])                                \
            snprintf((world)->failure, sizeof(world)->failure, __VA_ARGS__); \
    } while (0)

#define TRACE(world, ...)                                                        \
    do {                                                                         \
        if ((world)->traced)                                                     \
            printf("%5ld ", (world)->steps), printf(__VA_ARGS__), putchar('\n'); \
    } while (0)

static inline int below(struct world *world, int bound) {
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (int)((world->random >> 33) % (uint64_t)bound);
}

/* One in n, while things may go wrong. */
static inline bool mishap(struct world *world, int n) {
    return !world->calm && below(world, n) == 0;
}

/* --- writers ------------------------------------------------------------------------------------------- */

static inline int begin_txn(struct world *world) {
    int number = world->txn_count++;
    world->txns[number] = (struct txn){.xid = world->xid++, .first = NONE, .last = NONE, .commit = NONE};
    world->open[world->open_count++] = number;
    return number;
}

static inline int write_thing(struct world *world, int number, int type, int key, bool message) {
    struct txn *txn = &world->txns[number];
    int place = world->thing_count++;
    world->things[place] = (struct thing){.txn = number,
                                          .next = NONE,
                                          .type = type,
                                          .key = key,
                                          .message = message,
                                          .adopted = NONE,
                                          .wanted = !message};
    *(txn->last == NONE ? &txn->first : &world->things[txn->last].next) = place;
    txn->last = place;
    txn->things++;
    return place;
}

static inline void close_txn(struct world *world, int number) {
    int i = 0;
    while (world->open[i] != number)
        i++;
    world->open[i] = world->open[--world->open_count];
    world->locked &= ~world->txns[number].locks;
}

static inline void log_commit(struct world *world, int number) {
    struct txn *txn = &world->txns[number];
    world->lsn += 10 + (uint64_t)below(world, 30);
    txn->end_lsn = world->lsn;
    txn->state = LOGGED;
    txn->commit = world->logged_count;
    world->logged[world->logged_count++] = number;
    TRACE(world, "commit of transaction %d (%d things from %d) at %llu", number, txn->things, txn->first + 1,
          (unsigned long long)txn->end_lsn);
}

/* Locks end with this. */
static inline void show_commit(struct world *world, int number) {
    world->txns[number].state = VISIBLE;
    TRACE(world, "transaction %d is to be seen", number);
    world->txns[number].seen_from = ++world->clock;
    close_txn(world, number);
}

/* A message becomes a row: in no order with others of its key, of which the writers know. */
static inline int adopt(struct world *world, int type) {
    int number = begin_txn(world), place = write_thing(world, number, type, NONE, false);
    log_commit(world, number);
    show_commit(world, number);
    return place;
}

static inline void write_some(struct world *world, int number) {
    struct txn *txn = &world->txns[number];
    int count = world->giants && below(world, 60) == 0 ? WAL_WINDOW_ROWS + 300 : 1 + below(world, 3);
    int key = below(world, KEYS + 2), type = below(world, TYPES); /* the last two have no key */
    unsigned lock = key < KEYS ? 1u << key : 0;
    if (world->locked & lock & ~txn->locks)
        return; /* it waits */
    txn->locks |= lock;
    world->locked |= lock;
    for (int i = 0; i < count && world->thing_count < ROWS_MAX - 2500; i++)
        write_thing(world, number, type, key < KEYS ? key : NONE, count < 9 && below(world, 12) == 0);
}

static inline void write_step(struct world *world) {
    bool room = world->txn_count < TXNS_MAX / 2 && world->thing_count < ROWS_MAX / 2;
    if (!world->calm && room && world->open_count < OPEN_MAX && below(world, 3) == 0) {
        begin_txn(world);
        return;
    }
    if (world->open_count == 0)
        return;
    int number = world->open[below(world, world->open_count)];
    struct txn *txn = &world->txns[number];
    if (txn->state == LOGGED) {
        show_commit(world, number);
    } else if (!world->calm && below(world, 3) > 0) {
        write_some(world, number);
    } else if (mishap(world, 8)) {
        txn->state = ROLLED_BACK;
        close_txn(world, number);
    } else {
        log_commit(world, number);
    }
}

/* pg_current_snapshot(): what is open or not to be seen yet is running. */
static inline weir_text snapshot_text(const struct world *world) {
    static char text[256];
    uint64_t running[OPEN_MAX + 1], xmin = world->xid;
    int size, count = 0;
    for (int i = 0; i < world->open_count; i++) {
        uint64_t xid = world->txns[world->open[i]].xid;
        int at = count++;
        for (; at > 0 && running[at - 1] > xid; at--)
            running[at] = running[at - 1];
        running[at] = xid;
    }
    xmin = count ? running[0] : xmin;
    size =
        snprintf(text, sizeof text, "%llu:%llu:", (unsigned long long)xmin, (unsigned long long)world->xid);
    for (int i = 0; i < count; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "%s%llu", i ? "," : "",
                         (unsigned long long)running[i]);
    return (weir_text){text, (size_t)size};
}

/* --- the table ------------------------------------------------------------------------------------------- */

static inline bool is_pending(const struct world *world, int place, long seen) {
    const struct thing *thing = &world->things[place];
    const struct txn *txn = &world->txns[thing->txn];
    return !thing->message && !thing->settled && txn->state == VISIBLE && txn->seen_from <= seen;
}

static inline int first_pending(struct world *world) {
    while (world->floor < world->thing_count) {
        const struct thing *thing = &world->things[world->floor];
        bool over = thing->message || thing->settled || world->txns[thing->txn].state == ROLLED_BACK;
        if (!over)
            break;
        world->floor++;
    }
    return world->floor;
}

/* --- the slot -------------------------------------------------------------------------------------------- */

static inline bool needs_log(const struct world *world, int place, const bool *held_once) {
    const struct thing *thing = &world->things[place];
    if (thing->message)
        return thing->adopted == NONE;
    return !thing->settled && !thing->again && !held_once[thing->type];
}

/* What the server is told must not be beyond what only the log has, nor beyond what nobody would look for in the table. */
static inline void confirm(struct world *world, uint64_t lsn, const bool *held_once) {
    for (; world->clean < world->logged_count; world->clean++) {
        const struct txn *txn = &world->txns[world->logged[world->clean]];
        bool needs = false;
        for (int place = txn->first; place != NONE && !needs; place = world->things[place].next)
            needs = needs_log(world, place, held_once);
        if (needs)
            break;
    }
    if (world->clean < world->logged_count) {
        const struct txn *txn = &world->txns[world->logged[world->clean]];
        MUST(world, lsn < txn->end_lsn, "the log is let go up to %llu, and row %d of %llu is not settled",
             (unsigned long long)lsn, txn->first + 1, (unsigned long long)txn->end_lsn);
    }
    MUST(world, lsn <= world->lsn, "more than there is was confirmed");
    world->server_confirmed = lsn > world->server_confirmed ? lsn : world->server_confirmed;
    if (below(world, 4) == 0)
        world->saved_confirmed = world->server_confirmed;
}

/* --- the streams ------------------------------------------------------------------------------------------- */

static inline bool fits_a_claim(const struct world *world, const struct txn *txn) {
    return !world->tight && (size_t)txn->things <= world->claim_rows;
}

static inline void store(struct world *world, int place) {
    struct thing *thing = &world->things[place];
    const struct txn *txn = &world->txns[thing->txn];
    struct stored here = {.txn = thing->txn, .commit = txn->commit, .ordinal = place};
    struct stored *last = &world->last_in[thing->type];
    thing->stored++;
    TRACE(world, "stored: row %d of transaction %d in %d", place + 1, thing->txn, thing->type);
    MUST(world, txn->commit != NONE, "row %d was never committed", place + 1);
    MUST(world, thing->stored <= thing->wanted, "row %d is stored twice", place + 1);
    if (thing->again)
        return;
    if (thing->key != NONE) {
        struct stored *before = &world->last_of_key[thing->type][thing->key];
        bool later = before->txn == here.txn ? here.ordinal > before->ordinal : here.commit > before->commit;
        MUST(world, before->txn == NONE || later, "row %d of key %d comes behind row %d", place + 1,
             thing->key, before->ordinal + 1);
        *before = here;
    }
    if (last->txn != NONE && last->txn != here.txn)
        world->closed[thing->type][last->txn] = 1;
    MUST(world, !world->closed[thing->type][here.txn] || !fits_a_claim(world, txn),
         "transaction %d is torn apart at row %d", here.txn, place + 1);
    *last = here;
}

static inline void open_world(struct world *world, uint64_t seed, enum plant plant) {
    memset(world, 0, sizeof *world);
    world->random = seed * 2654435761u + 1;
    world->plant = plant;
    world->giants = seed % 200 == 7;
    world->tight = seed % 4 == 3;
    world->claim_rows = world->giants ? 999 : 3 + (size_t)below(world, 12);
    world->claim_bytes = world->tight ? 300 : 4 << 20;
    world->xid = (1ull << 32) * (1 + (uint64_t)below(world, 3)) - 20 + (uint64_t)below(world, 40);
    world->lsn = 1000;
    for (int i = 0; i < TYPES; i++) {
        world->last_in[i].txn = NONE;
        for (int j = 0; j < KEYS; j++)
            world->last_of_key[i][j].txn = NONE;
    }
}

#endif
