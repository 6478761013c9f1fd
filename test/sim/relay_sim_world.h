/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds a relay in its simulation: chance, a database, streams, a network. Included by relay_sim.c alone. */
#ifndef SIM_RELAY_WORLD_H
#define SIM_RELAY_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dice.h"
#include "base/memory.h"
#include "base/units.h"
#include "kit/stream_model.h"
#include "relay/relay_core.h"
#include "relay/take.h"

enum {
    STREAMS = 2,
    SWEPT = 1, /* the stream whose cursors are removed, all but the last two */
    RELAYS = 2,
    ROWS = 256,
    IDS = 512,
    FLIGHTS = 8,
    BATCH = 5,
    POSTED = 6, /* settlements under way, of each relay */
    OPEN = 3,   /* transactions at once */
    TXN_ROWS = 8,
    STEPS = 500,
    END = 20000
};

/* A message outlives its connection for so long at most. */
#define STRAY_NS (NS_PER_S / 2)

enum row_state { PENDING, PUBLISHED, PARKED };
struct row {
    int id, stream, txn; /* txn 0: never committed */
    enum row_state state;
    uint64_t sequence;
};

/* Copied as a whole for a backup. A row's position is its index + 1. */
struct database {
    struct row rows[ROWS];
    size_t count;
    int order[ROWS]; /* indexes of committed rows, transaction by transaction */
    size_t committed;
    struct outbox_stream streams[STREAMS];
};

/* A batch on its way to a server, then its answer on the way back. */
struct flight {
    bool used, answered;
    bool arrived; /* it waits within the stream: what was asked behind it was answered */
    int relay, life, stream, number, events[BATCH];
    int created; /* the stream's life that its relay looked at */
    size_t count;
    int64_t sent_ns;
    struct relay_cursor *cursor;
    uint64_t expected;
    struct model_answer answer;
};

/* A transaction that is open: its rows have positions and are not seen yet. */
struct open_txn {
    int rows[TXN_ROWS];
    int count;
};

/* The shell of one core: what relay.c does, effect by effect. */
struct worker {
    relay_core *core;
    bool read_database;
    struct outbox_stream settled;
    int created;          /* as last looked at */
    int flight;           /* index + 1 of the batch in flight; 0: not sent */
    int64_t ahead[BATCH]; /* rows read for the next batch while one is in flight */
    size_t ahead_count;
    uint64_t ahead_hash, ahead_looks;
    size_t heal_next;
};

/* A settlement on its way to the database. */
struct posting {
    int stream;
    struct outbox_settlement settlement;
    struct outbox_range ranges[BATCH];
};

struct relay {
    bool up, had_rival;
    bool lease_lost; /* its database is out of reach for good */
    int life;
    struct worker workers[STREAMS];
    struct posting posted[POSTED]; /* the oldest first */
    size_t posted_count;
    bool store_failed; /* one of them did not arrive; the next call is told so */
};

/* Faults planted into the shell, to see that they are found. */
enum plant {
    SOUND,
    BLIND_RESEND,
    MARK_BEFORE_ACK,
    HEAL_UNFENCED,
    FORGET_VERIFY,
    KEEP_AHEAD,
    KEEP_LOST,
    SPLIT,
    AHEAD_OF_HEAL
};

struct world {
    struct dice dice;
    enum plant plant;
    bool rivals, leases, restores, calm;
    int64_t now_ns;
    struct database db, backup;
    bool backed_up, restored;
    struct stream_model streams[STREAMS], stale[STREAMS];
    int stale_steps[STREAMS];
    bool overtaken[STREAMS];
    int stored[IDS]; /* how often each event stands in its stream, evicted ones included */
    bool poison[IDS];
    int stream_of[IDS], rank_of[IDS]; /* rank: in the order of commits */
    struct open_txn open[OPEN];
    int next_txn;
    int next_id;
    struct relay relays[RELAYS];
    struct flight flights[FLIGHTS];
    struct relay_cursor **cursors;
    int cursor_count;
    int sent;
    long steps;
    bool traced;
    char failure[256];
};

#define tell(world, ...)                                                                         \
    do {                                                                                         \
        if ((world)->traced)                                                                     \
            printf("%6lld ms  ", (long long)((world)->now_ns / NS_PER_MS)), printf(__VA_ARGS__); \
    } while (0)

/* --- chance ------------------------------------------------------------------------------------ */

static int below(struct world *world, int bound) {
    return (int)(dice_below(&world->dice, (size_t)bound));
}

/* Something bad, one time in `times`; never after the faults stopped. */
static bool mishap(struct world *world, int times) {
    return !world->calm && below(world, times) == 0;
}

#define broken(world, ...)                                                   \
    do {                                                                     \
        if (!(world)->failure[0])                                            \
            snprintf((world)->failure, sizeof(world)->failure, __VA_ARGS__); \
    } while (0)

/* --- the database ------------------------------------------------------------------------------ */

static weir_text id_text(int id, char text[16]) {
    snprintf(text, 16, "row-%d", id);
    return weir_text_of(text);
}

/* Its rows are seen from now on, together, behind those of all that committed before. */
static void commit_txn(struct world *world, struct open_txn *txn) {
    struct database *db = &world->db;
    world->next_txn++;
    for (int i = 0; i < txn->count; i++) {
        struct row *row = &db->rows[txn->rows[i]];
        row->txn = world->next_txn;
        world->rank_of[row->id] = world->next_txn * TXN_ROWS + i;
        db->order[db->committed++] = txn->rows[i];
    }
    txn->count = 0;
}

static void abort_txns(struct world *world) {
    for (int i = 0; i < OPEN; i++)
        world->open[i].count = 0;
}

static void insert_row(struct world *world) {
    struct database *db = &world->db;
    struct open_txn *txn = &world->open[below(world, OPEN)];
    if (txn->count > 0 && (txn->count == TXN_ROWS || below(world, 2)))
        commit_txn(world, txn);
    if (db->count == ROWS || world->next_id == IDS)
        return;
    int id = world->next_id++;
    world->poison[id] = below(world, 40) == 0;
    world->stream_of[id] = below(world, STREAMS);
    txn->rows[txn->count++] = (int)db->count;
    db->rows[db->count++] = (struct row){.id = id, .stream = world->stream_of[id]};
}

static bool other_rows(const struct database *db, const struct outbox_settlement *settlement) {
    uint64_t hash = OUTBOX_HASH_START;
    bool unsent = false;
    char text[16];
    for (size_t i = 0; i < settlement->range_count; i++)
        for (int64_t pos = settlement->ranges[i].first; pos <= settlement->ranges[i].last; pos++) {
            if (pos > (int64_t)db->count)
                continue;
            hash = outbox_ids_hash(hash, id_text(db->rows[pos - 1].id, text));
            unsent = unsent || db->rows[pos - 1].state != PUBLISHED;
        }
    return unsent && hash != settlement->ids_hash;
}

static bool same_place(const struct outbox_stream *a, const char *created, uint64_t settled_seq) {
    return a->known && a->settled_seq == settled_seq && strcmp(a->created, created) == 0;
}

/* outbox_settle, in the model. */
static weir_code settle(struct world *world, int stream, const struct outbox_settlement *settlement) {
    struct database *db = &world->db;
    struct outbox_stream *now = &db->streams[stream];
    const struct outbox_stream *was = &settlement->was;
    bool done = same_place(now, settlement->created, settlement->cursor_seq);
    if (!done && !(was->known ? same_place(now, was->created, was->settled_seq) : !now->known))
        return WEIR_CONFLICT;
    if (settlement->verify && world->plant != FORGET_VERIFY && other_rows(db, settlement))
        return WEIR_CONFLICT;
    uint64_t sequence = settlement->first_seq;
    for (size_t i = 0; i < settlement->range_count; i++)
        for (int64_t pos = settlement->ranges[i].first; pos <= settlement->ranges[i].last; pos++, sequence++)
            if (pos <= (int64_t)db->count && db->rows[pos - 1].state != PUBLISHED) {
                db->rows[pos - 1].state = PUBLISHED;
                db->rows[pos - 1].sequence = sequence;
            }
    tell(world, "%s: settled %llu -> %llu, %zu ranges\n", settlement->stream,
         (unsigned long long)now->settled_seq, (unsigned long long)settlement->cursor_seq,
         settlement->range_count);
    *now = (struct outbox_stream){
        .known = true, .settled_seq = settlement->cursor_seq, .batch_no = settlement->batch_no};
    snprintf(now->created, sizeof now->created, "%s", settlement->created);
    return WEIR_OK;
}

/* --- settlements under way ---------------------------------------------------------------------- */

/* The oldest arrives. One that cannot takes those behind it with it. */
static void arrive_posted(struct world *world, struct relay *relay) {
    if (relay->posted_count == 0)
        return;
    struct posting *oldest = &relay->posted[0];
    oldest->settlement.ranges = oldest->ranges;
    bool arrived = settle(world, oldest->stream, &oldest->settlement) == WEIR_OK;
    memmove(relay->posted, relay->posted + 1, --relay->posted_count * sizeof *relay->posted);
    if (!arrived) {
        tell(world, "%c: a settlement under way met another one\n", 'A' + oldest->stream);
        relay->posted_count = 0;
        relay->store_failed = true;
    }
}

static void lose_posted(struct world *world, struct relay *relay) {
    if (relay->posted_count > 0) {
        tell(world, "%zu settlements under way are lost\n", relay->posted_count);
        relay->posted_count = 0;
        relay->store_failed = true;
    }
}

/* Waits for all of them. False: the store says no, everything is to be read anew. */
static bool flush(struct world *world, struct relay *relay) {
    while (relay->posted_count > 0)
        arrive_posted(world, relay);
    bool fine = !relay->store_failed;
    relay->store_failed = false;
    for (int i = 0; i < STREAMS && !fine && world->plant != KEEP_LOST; i++)
        relay_core_reload(relay->workers[i].core);
    return fine;
}

static void post(struct world *world, struct relay *relay, int stream,
                 const struct outbox_settlement *settlement) {
    if (relay->posted_count == POSTED)
        arrive_posted(world, relay);
    struct posting *last = &relay->posted[relay->posted_count];
    if (relay->store_failed)
        return;
    relay->posted_count++;
    last->stream = stream;
    last->settlement = *settlement;
    memcpy(last->ranges, settlement->ranges, settlement->range_count * sizeof *settlement->ranges);
}

/* What its later calls read is as if they had arrived. */
static bool is_posted(const struct relay *relay, int64_t pos) {
    for (size_t i = 0; i < relay->posted_count; i++)
        for (size_t j = 0; j < relay->posted[i].settlement.range_count; j++)
            if (pos >= relay->posted[i].ranges[j].first && pos <= relay->posted[i].ranges[j].last)
                return true;
    return false;
}

/* --- streams and the network ------------------------------------------------------------------- */

/* What a read is answered from: sometimes a server that was cut off. */
static const struct stream_model *readable(struct world *world, int stream) {
    bool stale = world->stale_steps[stream] > 0 && !world->calm && below(world, 3) > 0;
    return stale ? &world->stale[stream] : &world->streams[stream];
}

/* Events behind a sequence are not stored any more. */
static void uncount(struct world *world, const struct stream_model *before, uint64_t end) {
    for (size_t i = 0; i < before->count; i++)
        if (before->messages[i].event >= 0 && before->messages[i].sequence > end)
            world->stored[before->messages[i].event]--;
}

static void land(struct flight *flight) {
    mem_free(flight->cursor);
    *flight = (struct flight){0};
}

static bool has_poison(const struct world *world, const struct flight *flight) {
    for (size_t i = 0; i < flight->count; i++)
        if (world->poison[flight->events[i]])
            return true;
    return false;
}

/* A stream that forgot counts on from a lower number, so a cursor may come to stand where one stood before,
 * and a batch that expected that one would fit again. It would have to be on its way since before the fence:
 * messages are not that slow, and those of one connection come in order. The same in a stream created again between a look
 * and the batch that follows it, where a batch of an ended connection has just put its cursor at the same number. The last batch sent stays when it
 * expects no cursor at all: it is the one that can be met. */
static void lose_numbered(struct world *world, int stream, const struct flight *but) {
    int newest = -1;
    for (int i = 0; i < FLIGHTS; i++)
        if (world->flights[i].used && world->flights[i].stream == stream && world->flights[i].number > newest)
            newest = world->flights[i].number;
    for (struct flight *flight = world->flights; flight < world->flights + FLIGHTS; flight++)
        if (flight->used && flight != but && flight->stream == stream && !flight->answered &&
            (flight->expected > 0 || flight->number != newest))
            land(flight);
}

static struct model_answer commit(struct world *world, struct flight *flight) {
    struct stream_model *model = &world->streams[flight->stream];
    uint64_t expected = flight->expected;
    if (mishap(world, 30))
        return (struct model_answer){.err_code = below(world, 2) ? 10176 : 10077};
    if (has_poison(world, flight))
        return (struct model_answer){.err_code = 10054};
    if (world->plant == BLIND_RESEND && stream_model_last_cursor(model))
        expected = stream_model_last_cursor(model)->sequence;
    if (expected > 0 && flight->created != model->created) /* see lose_numbered */
        return (struct model_answer){.err_code = 10071};
    struct model_answer answer =
        stream_model_commit(model, flight->events, flight->count, world->cursor_count, expected);
    if (answer.err_code != 0)
        return answer;
    world->cursors = mem_resize(world->cursors, (size_t)(world->cursor_count + 1) * sizeof *world->cursors);
    world->cursors[world->cursor_count++] = flight->cursor;
    flight->cursor = NULL;
    if (flight->count == 0)
        lose_numbered(world, flight->stream, flight);
    if (flight->count > 0 && expected == 0 && model->created > 1) /* it may come before what is healed */
        world->overtaken[flight->stream] = true;
    for (size_t i = 0; i < flight->count; i++)
        if (++world->stored[flight->events[i]] > 1)
            broken(world, "event %d is stored twice", flight->events[i]);
    return answer;
}

/* --- disasters --------------------------------------------------------------------------------- */

static void cut_off(struct world *world, int stream) {
    stream_model_close(&world->stale[stream]);
    world->stale[stream] = stream_model_copy(&world->streams[stream]);
    world->stale_steps[stream] = 40;
}

static void lose_flights(struct world *world, int stream) {
    for (int i = 0; i < FLIGHTS; i++)
        if (world->flights[i].used && world->flights[i].stream == stream)
            land(&world->flights[i]);
}

/* Time takes the front, of what the database knows to be settled. No message is on its way for that long. */
static void evict(struct world *world, int stream) {
    uint64_t until = world->db.streams[stream].settled_seq;
    char created[16];
    snprintf(created, sizeof created, "life-%d", world->streams[stream].created);
    if (world->backed_up || until <= 2 || strcmp(world->db.streams[stream].created, created) != 0)
        return;
    lose_flights(world, stream);
    stream_model_evict(&world->streams[stream], until + 1 - (uint64_t)below(world, (int)until));
    tell(world, "%c: begins at %llu\n", 'A' + stream, (unsigned long long)world->streams[stream].first_seq);
}

/* The power went: what was on its way to the server is gone too, and the last messages stored. Where cursors are removed, a
 * stream that lost the rest of them with its end cannot be told from one that a database of an earlier moment never wrote to. */
static void lose_end(struct world *world, int stream) {
    struct stream_model *model = &world->streams[stream];
    if (stream == SWEPT && world->backed_up)
        return;
    uint64_t end = model->last_seq - (uint64_t)below(world, (int)model->last_seq / 2 + 1);
    struct stream_model before = stream_model_copy(model);
    lose_flights(world, stream);
    world->stale_steps[stream] = 0; /* of every server, also one that was cut off */
    uncount(world, &before, stream_model_truncate(model, end));
    stream_model_close(&before);
    tell(world, "%c: lost its end behind %llu\n", 'A' + stream, (unsigned long long)model->last_seq);
}

static void restore_database(struct world *world) {
    if (!world->restores || world->relays[0].up || world->relays[1].up)
        return;
    if (!world->backed_up)
        world->backup = world->db;
    else {
        world->db = world->backup;
        abort_txns(world);
        world->restored = true;
    }
    world->backed_up = true;
}

/* What waits within a stream goes with it (test/scenario/stream_model_scenario.c). */
static void lose_arrived(struct world *world, int stream) {
    for (struct flight *flight = world->flights; flight < world->flights + FLIGHTS; flight++)
        if (flight->used && flight->arrived && !flight->answered && flight->stream == stream)
            land(flight);
}

static void recreate(struct world *world, int stream) {
    lose_numbered(world, stream, NULL);
    lose_arrived(world, stream);
    for (int id = 0; id < world->next_id; id++)
        if (world->stream_of[id] == stream)
            world->stored[id] = 0;
    stream_model_recreate(&world->streams[stream]);
    tell(world, "%c: created again\n", 'A' + stream);
}

/* A rival against the lease, and a stream that forgets or ages within the moment the rival looks away: both
 * at once may contradict each other, and stopping is right then. So a history has one of them. */
static void disaster(struct world *world) {
    int stream = below(world, STREAMS);
    int what = world->rivals ? 4 : below(world, 6);
    if (what == 0)
        recreate(world, stream);
    else if (what == 1)
        lose_end(world, stream);
    else if (what <= 3)
        evict(world, stream);
    else
        cut_off(world, stream);
}

#endif
