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
#include "kit/spec.h"
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
    relay->had_rival = relay->store_failed = false;
    for (int i = 0; i < STREAMS; i++)
        relay->workers[i] =
            (struct worker){.core = relay_core_new("uuid", names[i], dice_roll(&world->dice))};
    if (world->relays[0].up && world->relays[1].up)
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

/* Pending rows of a stream behind a position. */
static size_t claim(struct world *world, const struct relay *relay, int stream, size_t after, size_t max,
                    int64_t positions[BATCH], uint64_t *hash) {
    size_t count = 0;
    char text[16];
    *hash = OUTBOX_HASH_START;
    for (size_t i = after; i < world->db.count && count < max; i++)
        if (world->db.rows[i].stream == stream && world->db.rows[i].state == PENDING &&
            !is_posted(relay, (int64_t)i + 1)) {
            positions[count++] = (int64_t)i + 1;
            *hash = outbox_ids_hash(*hash, id_text(world->db.rows[i].id, text));
        }
    return count;
}

static void read_ahead(struct world *world, const struct relay *relay, struct worker *worker, int stream) {
    const struct relay_cursor *outgoing = relay_core_outgoing(worker->core);
    if (worker->ahead_count > 0 || outgoing->heal || below(world, 6) > 0)
        return;
    worker->ahead_looks = relay_core_looks(worker->core);
    worker->ahead_count =
        claim(world, relay, stream, (size_t)outgoing->ranges[outgoing->range_count - 1].last,
              (size_t)below(world, BATCH) + 1, worker->ahead, &worker->ahead_hash);
}

static void take_rows(struct world *world, struct relay *relay, struct worker *worker, int stream) {
    int64_t positions[BATCH];
    uint64_t hash;
    size_t ahead = worker->ahead_count, max = (size_t)below(world, BATCH) + 1;
    worker->ahead_count = 0;
    bool valid = worker->ahead_looks == relay_core_looks(worker->core) || world->plant == KEEP_AHEAD;
    if (ahead > 0 && ahead <= relay_core_rows_max(worker->core) && valid) {
        relay_core_batch(worker->core, worker->ahead, ahead, worker->ahead_hash);
        return;
    }
    if (max > relay_core_rows_max(worker->core))
        max = relay_core_rows_max(worker->core);
    if (relay->store_failed && world->plant != KEEP_LOST) {
        (void)flush(world, relay);
        return;
    }
    size_t count = claim(world, relay, stream, 0, max, positions, &hash);
    if (count > 0)
        relay_core_batch(worker->core, positions, count, hash);
    else if (mishap(world, 4))
        relay_core_check(worker->core);
    else if (mishap(world, 4))
        relay_core_missed(worker->core); /* rightly or not */
}

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
        take_rows(world, &world->relays[number], worker, stream);
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

/* --- a history --------------------------------------------------------------------------------- */

static void relay_turn(struct world *world) {
    int number = world->rivals ? below(world, RELAYS) : 0;
    if (!world->relays[number].up && mishap(world, 2))
        restore_database(world);
    else if (!world->relays[number].up)
        start_relay(world, number);
    else if (mishap(world, 60))
        stop_relay(world, number);
    else
        work(world, number, below(world, STREAMS));
}

/* All but the last two, and those whose batches the database may not have. */
static void sweep(struct world *world) {
    size_t keep = 2 + world->relays[0].posted_count + world->relays[1].posted_count;
    stream_model_sweep(&world->streams[SWEPT], keep);
}

static void move_posted(struct world *world) {
    struct relay *relay = &world->relays[below(world, RELAYS)];
    if (mishap(world, 30))
        lose_posted(world, relay);
    else
        arrive_posted(world, relay);
}

static void step(struct world *world) {
    world->now_ns += below(world, 20) * NS_PER_MS;
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
    else if (what < 45)
        move_posted(world);
    else if (what == 45) /* at any moment, by whomever */
        sweep(world);
    else
        relay_turn(world);
}

static bool finished(const struct world *world) {
    for (size_t i = 0; i < world->db.count; i++)
        if (world->db.rows[i].state == PENDING)
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
    world->calm = true;
    world->rivals = false;
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
        if (!in_place(world, row))
            broken(world, "event %d (%s) is stored %d times", row->id,
                   row->state == PARKED ? "parked" : "published", world->stored[row->id]);
    }
    for (int stream = 0; stream < STREAMS && !world->restored; stream++) {
        int last = -1;
        for (size_t i = 0; i < world->streams[stream].count && !world->overtaken[stream]; i++) {
            int event = world->streams[stream].messages[i].event;
            if (event >= 0 && event < last)
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
static const char *run(uint64_t seed, enum plant plant) {
    static struct world world;
    memset(&world, 0, sizeof world);
    world.dice.state = seed;
    world.plant = plant;
    world.traced = getenv("WEIR_SIM_TRACE") != NULL;
    world.rivals = seed % 3 == 1;
    world.restores = seed % 3 == 2 || plant == FORGET_VERIFY;
    for (int i = 0; i < STREAMS; i++)
        stream_model_open(&world.streams[i]);
    for (int i = 0; i < STEPS && !world.failure[0]; i++)
        step(&world);
    come_to_rest(&world);
    if (!world.failure[0] && finished(&world))
        check_end(&world);
    close_world(&world);
    return world.failure;
}

static long setting(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

static void exactly_once(void **state) {
    (void)state;
    long first = setting("WEIR_SIM_SEED", 1);
    long runs = setting("WEIR_SIM_RUNS", getenv("WEIR_SIM_SEED") ? 1 : RUNS);
    for (long seed = first; seed < first + runs; seed++) {
        const char *failure = run((uint64_t)seed, SOUND);
        if (failure[0])
            fail_msg("WEIR_SIM_SEED=%ld: %s", seed, failure);
    }
}

static void expect_found(enum plant plant) {
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        if (run(seed, plant)[0])
            return;
    fail_msg("the planted fault was not found in %d histories", RUNS);
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

static const struct spec specs[] = {
    {"every row is stored once and in order, whatever fails", exactly_once},
    {"planted - a batch sent again without expecting the cursor is found", finds_blind_resend},
    {"planted - rows marked before the ack are found", finds_early_mark},
    {"planted - healing what a cut off server does not show is found", finds_unfenced_heal},
    {"planted - marking rows of another life of the database is found", finds_unverified_settle},
    {"planted - rows read ahead and kept when their batch failed are found", finds_kept_ahead},
};
SPEC_MAIN(specs)
