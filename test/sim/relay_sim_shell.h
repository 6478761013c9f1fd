/* SPDX-License-Identifier: Apache-2.0 */
/* The shell of a relay in its simulation: what the wants of its cores do to the world, effect by effect. Included by
 * relay_sim.c alone. */
#ifndef SIM_RELAY_SHELL_H
#define SIM_RELAY_SHELL_H

#include "relay_sim_world.h"

/* --- answers ----------------------------------------------------------------------------------- */

static void answer_worker(struct world *world, struct flight *flight, int index) {
    struct relay *relay = &world->relays[flight->relay];
    struct worker *worker = &relay->workers[flight->stream];
    if (!relay->up || relay->life != flight->life || worker->flight != index + 1)
        return;
    worker->flight = 0;
    if (flight->answer.err_code == 0)
        relay_core_acked(worker->core, flight->answer.sequence, flight->answer.count, world->now_ns);
    else
        relay_core_refused(worker->core, flight->answer.err_code, false, "refused", world->now_ns);
}

/* Messages of one connection come in order: what was sent before and has not come never comes. */
static void overtake(struct world *world, const struct flight *flight) {
    for (struct flight *other = world->flights; other < world->flights + FLIGHTS; other++)
        if (other->used && !other->answered && other->relay == flight->relay && other->life == flight->life &&
            other->number < flight->number)
            land(other);
}

static void move_flight(struct world *world) {
    int index = below(world, FLIGHTS);
    struct flight *flight = &world->flights[index];
    if (!flight->used)
        return;
    bool stray = !flight->answered && flight->life != world->relays[flight->relay].life;
    if (mishap(world, 6) || (stray && world->now_ns - flight->sent_ns > STRAY_NS)) {
        land(flight);
    } else if (!flight->answered) {
        overtake(world, flight);
        flight->answer = commit(world, flight);
        flight->answered = true;
        tell(world, "%c: relay %d.%d commits %zu events from %d expecting %llu -> %d %llu\n",
             'A' + flight->stream, flight->relay, flight->life, flight->count,
             flight->count ? flight->events[0] : -1, (unsigned long long)flight->expected,
             flight->answer.err_code, (unsigned long long)flight->answer.sequence);
    } else {
        answer_worker(world, flight, index);
        land(flight);
    }
}

/* --- a relay ----------------------------------------------------------------------------------- */

static void start_relay(struct world *world, int number) {
    struct relay *relay = &world->relays[number];
    static const char *const names[STREAMS] = {"A", "B"};
    relay->up = true;
    relay->life++;
    relay->had_rival = relay->store_failed = relay->lease_lost = false;
    for (int i = 0; i < STREAMS; i++)
        relay->workers[i] =
            (struct worker){.core = relay_core_new("uuid", names[i], dice_roll(&world->dice))};
    if (world->relays[0].up && world->relays[1].up && !world->leases)
        world->relays[0].had_rival = world->relays[1].had_rival = true;
}

static void stop_relay(struct world *world, int number) {
    struct relay *relay = &world->relays[number];
    for (int arrive = below(world, POSTED + 1); arrive > 0; arrive--) /* the others are lost with it */
        arrive_posted(world, relay);
    relay->posted_count = 0;
    for (int i = 0; i < STREAMS && relay->up; i++)
        relay_core_free(relay->workers[i].core);
    relay->up = false;
}

/* Messages of one connection come in order: what was sent before a question that the stream answers has come to it. */
static void arrive(struct world *world, int number, int stream) {
    for (struct flight *flight = world->flights; flight < world->flights + FLIGHTS; flight++)
        if (flight->used && flight->stream == stream && flight->relay == number &&
            flight->life == world->relays[number].life)
            flight->arrived = true;
}

static void load(struct world *world, int number, struct worker *worker, int stream) {
    const struct stream_model *model = readable(world, stream);
    char created[16];
    if (!worker->read_database && !flush(world, &world->relays[number])) {
        relay_core_failed(worker->core, "settlements were lost", world->now_ns);
        return;
    }
    if (!worker->read_database) {
        worker->settled = world->db.streams[stream];
        worker->read_database = true;
        return;
    }
    worker->read_database = false;
    worker->created = model->created;
    if (model == &world->streams[stream])
        arrive(world, number, stream);
    snprintf(created, sizeof created, "life-%d", model->created);
    tell(world, "%c: relay %d looks: settled %llu, life %d, %llu to %llu\n", 'A' + stream, number,
         (unsigned long long)worker->settled.settled_seq, model->created,
         (unsigned long long)model->first_seq, (unsigned long long)model->last_seq);
    relay_core_loaded(worker->core, &worker->settled, created, model->first_seq, model->last_seq);
}

static void read_cursor(struct world *world, struct worker *worker, int stream) {
    static struct relay_cursor none;
    const struct model_message *last = stream_model_last_cursor(readable(world, stream));
    if (!last) {
        relay_core_cursor(worker->core, &none);
        return;
    }
    struct relay_cursor *stored = world->cursors[last->cursor];
    stored->found = true;
    stored->sequence = last->sequence;
    relay_core_cursor(worker->core, stored);
}

static void read_back(struct world *world, struct worker *worker, int stream) {
    static struct relay_cursor none;
    const struct model_message *there =
        stream_model_get(readable(world, stream), relay_core_back_seq(worker->core));
    struct relay_cursor *stored = there && there->cursor >= 0 ? world->cursors[there->cursor] : &none;
    stored->found = stored != &none;
    stored->sequence = relay_core_back_seq(worker->core);
    relay_core_back(worker->core, stored, world->now_ns);
}

static void heal(struct world *world, int number, struct worker *worker, int stream) {
    if (worker->heal_next == 0)
        worker->heal_next = world->db.count + 1;
    while (--worker->heal_next > 0) {
        struct row *row = &world->db.rows[worker->heal_next - 1];
        if (row->stream != stream || row->state != PUBLISHED)
            continue;
        const struct stream_model *model = readable(world, stream);
        char created[16];
        snprintf(created, sizeof created, "life-%d", model->created);
        const struct outbox_settlement *fence = relay_core_settlement(worker->core);
        if (strcmp(created, fence->created) != 0 || model->last_seq < fence->cursor_seq) {
            worker->heal_next = 0;
            relay_core_failed(worker->core, "another stream, or a server that lags", world->now_ns);
            return;
        }
        enum relay_lost lost =
            relay_core_lost(worker->core, row->sequence, model->first_seq, model->last_seq);
        const struct model_message *there = stream_model_get(model, row->sequence);
        bool same = there && there->event == row->id;
        if (lost == LOST_YES ||
            (lost == LOST_READ_BACK && relay_core_lost_there(worker->core, there != NULL, same, false))) {
            row->state = PENDING;
            tell(world, "%c: relay %d takes %d for lost\n", 'A' + stream, number, row->id);
        }
        if (mishap(world, 4))
            return; /* somebody else's turn in between */
    }
    relay_core_healed(worker->core);
}

/* --- rows of a batch --------------------------------------------------------------------------- */

static bool is_flying(const struct relay_cursor *flying, int64_t pos) {
    for (size_t i = 0; flying && i < flying->range_count; i++)
        if (pos >= flying->ranges[i].first && pos <= flying->ranges[i].last)
            return true;
    return false;
}

static bool is_wanted(const struct world *world, const struct relay *relay, int stream, int index,
                      const struct relay_cursor *flying) {
    const struct row *row = &world->db.rows[index];
    return row->stream == stream && row->state == PENDING && !is_posted(relay, index + 1) &&
           !is_flying(flying, index + 1);
}

/* A transaction that would fit the batch may not go in two. */
static void check_whole(struct world *world, const struct take_row *takes, size_t count, size_t room) {
    for (size_t first = 0, end; first < count; first = end) {
        size_t taken = 0;
        for (end = first; end < count && takes[end].txn == takes[first].txn; end++)
            taken += takes[end].taken;
        if (taken > 0 && taken < end - first && end - first <= room)
            broken(world, "%zu of the %zu rows of transaction %d go alone", taken, end - first,
                   (int)takes[first].txn);
    }
}

/* Rows of a stream in the order of commits: a bounded claim, of which a batch takes what it may. */
static size_t claim(struct world *world, const struct relay *relay, const struct worker *worker, int stream,
                    const struct relay_cursor *flying, int64_t positions[BATCH], uint64_t *hash) {
    struct take_row takes[ROWS + 1];
    int indexes[ROWS];
    struct take_room rooms[LIMIT_RELAY_STREAMS] = {0};
    size_t wanted = 0, count = 0, most = BATCH + (size_t)below(world, 4);
    char text[16];
    for (size_t i = 0; i < world->db.committed; i++)
        if (is_wanted(world, relay, stream, world->db.order[i], flying)) {
            indexes[wanted] = world->db.order[i];
            takes[wanted++] = (struct take_row){.txn = (uint64_t)world->db.rows[world->db.order[i]].txn};
        }
    for (size_t i = 0; i < wanted; i++)
        takes[i].ends_txn = i + 1 == wanted || takes[i + 1].txn != takes[i].txn;
    size_t room = relay_core_rows_max(worker->core) < BATCH ? relay_core_rows_max(worker->core) : BATCH;
    room = world->plant == SPLIT ? (size_t)below(world, (int)room) + 1 : room;
    rooms[0] = (struct take_room){.rows = room, .of_rows = room, .bytes = ROWS, .of_bytes = ROWS};
    take_rows(takes, wanted < most ? wanted : most, rooms);
    check_whole(world, takes, wanted, relay_core_rows_max(worker->core) < BATCH ? room : BATCH);
    *hash = OUTBOX_HASH_START;
    for (size_t i = 0; i < wanted; i++)
        if (takes[i].taken) {
            positions[count++] = indexes[i] + 1;
            *hash = outbox_ids_hash(*hash, id_text(world->db.rows[indexes[i]].id, text));
        }
    return count;
}

static void read_ahead(struct world *world, const struct relay *relay, struct worker *worker, int stream) {
    const struct relay_cursor *outgoing = relay_core_outgoing(worker->core);
    bool fence =
        outgoing->heal && world->plant != AHEAD_OF_HEAL; /* healing may bring back rows before them */
    if (worker->ahead_count > 0 || fence || relay->store_failed || below(world, 6) > 0)
        return;
    worker->ahead_looks = relay_core_looks(worker->core);
    worker->ahead_count = claim(world, relay, worker, stream, outgoing, worker->ahead, &worker->ahead_hash);
}

static void take_batch(struct world *world, struct relay *relay, struct worker *worker, int stream) {
    int64_t positions[BATCH];
    uint64_t hash;
    size_t ahead = worker->ahead_count;
    worker->ahead_count = 0;
    bool valid = worker->ahead_looks == relay_core_looks(worker->core) || world->plant == KEEP_AHEAD;
    if (ahead > 0 && ahead <= relay_core_rows_max(worker->core) && valid) {
        relay_core_batch(worker->core, worker->ahead, ahead, worker->ahead_hash);
        return;
    }
    if (relay->store_failed) {
        (void)flush(world, relay);
        return;
    }
    size_t count = claim(world, relay, worker, stream, NULL, positions, &hash);
    if (count > 0)
        relay_core_batch(worker->core, positions, count, hash);
    else if (mishap(world, 4))
        relay_core_check(worker->core);
    else if (mishap(world, 4))
        relay_core_missed(worker->core); /* rightly or not */
}

/* --- effects ----------------------------------------------------------------------------------- */

static void send_batch(struct world *world, int relay, struct worker *worker, int stream) {
    int index = below(world, FLIGHTS);
    struct flight *flight = &world->flights[index];
    const struct relay_cursor *outgoing = relay_core_outgoing(worker->core);
    if (flight->used)
        return;
    *flight = (struct flight){.used = true,
                              .relay = relay,
                              .number = world->sent++,
                              .sent_ns = world->now_ns,
                              .life = world->relays[relay].life,
                              .stream = stream,
                              .created = worker->created,
                              .expected = relay_core_expected(worker->core),
                              .cursor = mem_alloc(sizeof *outgoing)};
    *flight->cursor = *outgoing;
    for (size_t i = 0; i < outgoing->range_count && !outgoing->heal; i++)
        for (int64_t pos = outgoing->ranges[i].first; pos <= outgoing->ranges[i].last; pos++) {
            flight->events[flight->count++] = world->db.rows[pos - 1].id;
            if (world->plant == MARK_BEFORE_ACK)
                world->db.rows[pos - 1].state = PUBLISHED;
        }
    worker->flight = index + 1;
    tell(world, "%c: relay %d.%d sends %zu events expecting %llu, after %llu\n", 'A' + stream, relay,
         world->relays[relay].life, flight->count, (unsigned long long)flight->expected,
         (unsigned long long)outgoing->previous);
    if (world->plant == HEAL_UNFENCED && outgoing->heal) {
        land(flight);
        worker->flight = 0;
        relay_core_acked(worker->core, relay_core_expected(worker->core) + 1, 1, world->now_ns);
    }
}

static void await_answer(struct world *world, const struct relay *relay, struct worker *worker, int stream) {
    read_ahead(world, relay, worker, stream);
    if (!mishap(world, 12) && !(world->calm && below(world, 50) == 0))
        return;
    worker->flight = 0;
    relay_core_unknown(worker->core, "no answer in time", world->now_ns);
}

/* Without `verify` it is under way, and the core goes on. */
static void settle_batch(struct world *world, struct relay *relay, struct worker *worker, int stream) {
    const struct outbox_settlement *settlement = relay_core_settlement(worker->core);
    if (!settlement->verify) {
        post(world, relay, stream, settlement);
        relay_core_settled(worker->core);
        return;
    }
    if (!flush(world, relay)) {
        relay_core_failed(worker->core, "settlements were lost", world->now_ns);
        return;
    }
    if (settle(world, stream, relay_core_settlement(worker->core)) == WEIR_OK)
        relay_core_settled(worker->core);
    else {
        tell(world, "%c: somebody else settled\n", 'A' + stream);
        relay_core_contradicted(worker->core);
    }
}

static void judge_stop(struct world *world, int number, const struct worker *worker) {
    if (relay_core_stop(worker->core) == STOP_RESTORED && !world->restored)
        broken(world, "stopped without reason: %s", relay_core_trouble(worker->core));
    if (relay_core_stop(worker->core) == STOP_FENCED && !world->restored && !world->relays[number].had_rival)
        broken(world, "fenced without a rival: %s", relay_core_trouble(worker->core));
    stop_relay(world, number);
}

/* One effect of one core. */
static void work(struct world *world, int number, int stream) {
    struct worker *worker = &world->relays[number].workers[stream];
    enum relay_want want = relay_core_want(worker->core);
    bool store = want == WANT_LOAD || want == WANT_SETTLE || want == WANT_HEAL || want == WANT_PARK ||
                 want == WANT_ROWS;
    if (store && world->relays[number].lease_lost) {
        tell(world, "relay %d finds its lease lost\n", number);
        stop_relay(world, number);
        return;
    }
    bool io = want == WANT_LOAD || want == WANT_READ_BACK || want == WANT_READ_CURSOR ||
              want == WANT_SETTLE || want == WANT_HEAL || want == WANT_PARK;
    if (io && mishap(world, 15)) {
        worker->read_database = false;
        worker->heal_next = 0;
        relay_core_failed(worker->core, "a fault", world->now_ns);
        return;
    }
    switch (want) {
    case WANT_LOAD:
        load(world, number, worker, stream);
        break;
    case WANT_READ_CURSOR:
        read_cursor(world, worker, stream);
        break;
    case WANT_READ_BACK:
        read_back(world, worker, stream);
        break;
    case WANT_HEAL:
        heal(world, number, worker, stream);
        break;
    case WANT_SETTLE:
        settle_batch(world, &world->relays[number], worker, stream);
        break;
    case WANT_ROWS:
        take_batch(world, &world->relays[number], worker, stream);
        break;
    case WANT_SEND:
        if (worker->flight)
            await_answer(world, &world->relays[number], worker, stream);
        else
            send_batch(world, number, worker, stream);
        break;
    case WANT_PARK:
        if (world->db.rows[relay_core_guilty(worker->core) - 1].state == PENDING)
            world->db.rows[relay_core_guilty(worker->core) - 1].state = PARKED;
        relay_core_parked(worker->core);
        break;
    case WANT_WAIT:
        if (mishap(world, 20))
            relay_core_hurry(worker->core);
        else
            relay_core_tick(worker->core, world->now_ns);
        break;
    case WANT_STOP:
        judge_stop(world, number, worker);
    }
}

/* The lease goes to another relay while this one hangs: what it had under way arrives now or never. */
static void take_lease(struct world *world, int number) {
    struct relay *holder = &world->relays[!number];
    if (holder->up && !holder->lease_lost) {
        for (int arrive = below(world, POSTED + 1); arrive > 0; arrive--)
            arrive_posted(world, holder);
        holder->posted_count = 0;
        holder->lease_lost = true;
        tell(world, "relay %d takes the lease\n", number);
    }
    start_relay(world, number);
}

#endif
