/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* The simulator's model of a stream against a real nats-server: the same random script, the same answers. What the relay's
 * correctness rests on is in them: the compare-and-store on the cursor's subject, batches that are stored whole or not at
 * all and without gaps, the sequences that answers name, eviction, cursors removed, a stream created again. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kit/broker.h"
#include "kit/spec.h"
#include "kit/stream_model.h"

enum { SCRIPTS = 12, STEPS = 40, BATCH = 6 };

#define CURSOR "_weir.cursor.MODEL.one"

struct pair {
    struct stream_model model;
    weir_connection *connection;
    broker_acks *acks;
    uint64_t random;
    int events, cursors, batches;
    /* the real server's answer, from another thread */
    pthread_mutex_t lock;
    pthread_cond_t came;
    uint64_t token, answered;
    struct model_answer answer;
};

static int below(struct pair *pair, int bound) {
    pair->random = pair->random * 6364136223846793005u + 1442695040888963407u;
    return (int)((pair->random >> 33) % (uint64_t)bound);
}

static void on_ack(void *arg, uint64_t token, weir_code code, const struct broker_puback *ack,
                   const weir_error *err) {
    struct pair *pair = arg;
    pthread_mutex_lock(&pair->lock);
    pair->answered = token;
    pair->answer = code == WEIR_OK ? (struct model_answer){.sequence = ack->sequence, .count = ack->count}
                                   : (struct model_answer){.err_code = err->detail};
    pthread_cond_signal(&pair->came);
    pthread_mutex_unlock(&pair->lock);
}

/* The server answers a deletion that left the store's folder behind now and then (2.15.1), and the next stream of that name
 * begins with what lies there: it is deleted once more then. A stream of its own keeps the folder above from going away. */
static void create_of(weir_connection *connection) {
    struct broker_stream_state state = {.last_seq = 1};
    weir_error err;
    kit_stream(connection, "OTHER", "other.>", NULL);
    for (int tries = 0; state.last_seq > 0; tries++) {
        assert_true(tries < 20);
        if (tries > 0)
            kit_api(connection, "STREAM.DELETE.MODEL", "");
        kit_stream(connection, "MODEL", "model.>\",\"_weir.cursor.MODEL.*", NULL);
        expect_ok(broker_stream_state(connection, "MODEL", &state, &err), &err);
    }
}

static void create(struct pair *pair) {
    create_of(pair->connection);
}

/* --- the same step on both ------------------------------------------------------------------------ */

static void send_one(struct pair *pair, const char *subject, int value, const char *id, int number,
                     bool commit, uint64_t expected) {
    char data[16], sequence[16], last[24];
    weir_error err;
    snprintf(data, sizeof data, "%d", value);
    snprintf(sequence, sizeof sequence, "%d", number);
    snprintf(last, sizeof last, "%llu", (unsigned long long)expected);
    struct broker_header headers[] = {{"Nats-Batch-Id", weir_text_of(id)},
                                      {"Nats-Batch-Sequence", weir_text_of(sequence)},
                                      {"Nats-Expected-Stream", weir_text_of("MODEL")},
                                      {"Nats-Batch-Commit", weir_text_of("1")},
                                      {"Nats-Expected-Last-Subject-Sequence", weir_text_of(last)}};
    struct broker_out out = {
        .subject = subject, .data = weir_text_of(data), .headers = headers, .header_count = commit ? 5 : 3};
    expect_ok(broker_acks_send(pair->acks, &out, commit ? pair->token : 0, &err), &err);
}

static struct model_answer real_commit(struct pair *pair, const int *events, size_t count, int cursor,
                                       uint64_t expected) {
    char id[32];
    snprintf(id, sizeof id, "batch-%d", ++pair->batches);
    pair->token++;
    for (size_t i = 0; i < count; i++)
        send_one(pair, "model.event", events[i], id, (int)i + 1, false, 0);
    send_one(pair, CURSOR, cursor, id, (int)count + 1, true, expected);
    pthread_mutex_lock(&pair->lock);
    while (pair->answered != pair->token)
        pthread_cond_wait(&pair->came, &pair->lock);
    struct model_answer answer = pair->answer;
    pthread_mutex_unlock(&pair->lock);
    return answer;
}

static uint64_t last_cursor(const struct stream_model *model) {
    const struct model_message *last = stream_model_last_cursor(model);
    return last ? last->sequence : 0;
}

static void both_commit(struct pair *pair) {
    int events[BATCH];
    size_t count = (size_t)below(pair, BATCH); /* 0: a fence */
    uint64_t expected = last_cursor(&pair->model);
    if (below(pair, 4) == 0) /* a stale writer */
        expected = (uint64_t)below(pair, (int)expected + 3);
    for (size_t i = 0; i < count; i++)
        events[i] = pair->events++;
    struct model_answer wanted = stream_model_commit(&pair->model, events, count, pair->cursors, expected);
    struct model_answer got = real_commit(pair, events, count, pair->cursors++, expected);
    if (wanted.err_code != got.err_code || wanted.sequence != got.sequence || wanted.count != got.count)
        fail_msg("a batch of %zu expecting %llu: the model says %d %llu %llu, the server %d %llu %llu", count,
                 (unsigned long long)expected, wanted.err_code, (unsigned long long)wanted.sequence,
                 (unsigned long long)wanted.count, got.err_code, (unsigned long long)got.sequence,
                 (unsigned long long)got.count);
}

static void both_publish(struct pair *pair) {
    char data[16];
    snprintf(data, sizeof data, "%d", pair->events);
    stream_model_publish(&pair->model, pair->events++);
    assert_int_equal(kit_publish(pair->connection, "model.event", data), pair->model.last_seq);
}

static void both_evict(struct pair *pair) {
    char body[64];
    uint64_t before = 1 + (uint64_t)below(pair, (int)pair->model.last_seq + 1);
    stream_model_evict(&pair->model, before);
    snprintf(body, sizeof body, "{\"seq\":%llu}", (unsigned long long)before);
    kit_api(pair->connection, "STREAM.PURGE.MODEL", body);
}

/* Nothing answers it. */
static bool is_swept(void *arg) {
    const struct pair *pair = arg;
    struct broker_stream_state state;
    weir_error err;
    expect_ok(broker_stream_state(pair->connection, "MODEL", &state, &err), &err);
    return state.messages == pair->model.count;
}

static void both_sweep(struct pair *pair) {
    weir_error err;
    int keep = 1 + below(pair, 2);
    stream_model_sweep(&pair->model, (size_t)keep);
    expect_ok(broker_keep_last(pair->connection, "MODEL", CURSOR, keep, &err), &err);
    assert_true(kit_until(is_swept, pair));
}

static void both_recreate(struct pair *pair) {
    stream_model_recreate(&pair->model);
    kit_api(pair->connection, "STREAM.DELETE.MODEL", "");
    create(pair);
}

/* --- the same state -------------------------------------------------------------------------------- */

static void expect_message(struct pair *pair, uint64_t sequence) {
    const struct model_message *wanted = stream_model_get(&pair->model, sequence);
    broker_msg *got = NULL;
    weir_error err;
    weir_code code = broker_get(pair->connection, "MODEL", sequence, &got, &err);
    assert_int_equal(code, wanted ? WEIR_OK : WEIR_NOT_FOUND);
    if (wanted) {
        assert_int_equal(strtol(broker_msg_data(got).data, NULL, 10),
                         wanted->event >= 0 ? wanted->event : wanted->cursor);
        assert_int_equal(text_is(broker_msg_subject(got), CURSOR), wanted->event < 0);
    }
    broker_msg_free(got);
}

static void expect_same(struct pair *pair) {
    struct broker_stream_state state;
    struct broker_meta meta = {.stream_seq = 0};
    broker_msg *cursor = NULL;
    weir_error err;
    expect_ok(broker_stream_state(pair->connection, "MODEL", &state, &err), &err);
    assert_int_equal(state.last_seq, pair->model.last_seq);
    assert_int_equal(state.messages, pair->model.count);
    if (pair->model.last_seq > 0) /* a stream never written to says 0 */
        assert_int_equal(state.first_seq, pair->model.first_seq);
    weir_code code = broker_get_last(pair->connection, "MODEL", CURSOR, &cursor, &err);
    assert_int_equal(code, stream_model_last_cursor(&pair->model) ? WEIR_OK : WEIR_NOT_FOUND);
    if (cursor)
        assert_true(broker_msg_meta(cursor, &meta));
    assert_int_equal(meta.stream_seq, last_cursor(&pair->model));
    broker_msg_free(cursor);
}

static void run_script(struct pair *pair) {
    stream_model_open(&pair->model);
    create(pair);
    for (int i = 0; i < STEPS; i++) {
        int what = below(pair, 20);
        if (what < 12)
            both_commit(pair);
        else if (what < 17)
            both_publish(pair);
        else if (what == 17)
            both_sweep(pair);
        else if (what == 18)
            both_evict(pair);
        else
            both_recreate(pair);
        expect_same(pair);
    }
    for (uint64_t sequence = 1; sequence <= pair->model.last_seq; sequence++)
        expect_message(pair, sequence);
    kit_api(pair->connection, "STREAM.DELETE.MODEL", "");
    stream_model_close(&pair->model);
}

/* WEIR_SEED=n writes other scripts. */
static uint64_t seed(void) {
    const char *given = getenv("WEIR_SEED");
    return given ? strtoull(given, NULL, 10) : 1;
}

static void same_answers(void **state) {
    (void)state;
    kit_server *server = kit_server_start(NULL);
    struct pair pair = {.connection = kit_connect(server), .random = seed()};
    weir_error err;
    pthread_mutex_init(&pair.lock, NULL);
    pthread_cond_init(&pair.came, NULL);
    expect_ok(broker_acks_open(&pair.acks, pair.connection, on_ack, &pair, &err), &err);
    for (int script = 0; script < SCRIPTS; script++)
        run_script(&pair);
    broker_acks_close(pair.acks);
    weir_disconnect(pair.connection);
    kit_server_stop(server);
}

/* A batch on its way when the server dies is there whole, or not at all. */
static void killed_batches_are_whole(void **state) {
    (void)state;
    kit_server *server = kit_server_start(NULL);
    struct pair pair = {.connection = kit_connect(server), .random = 5};
    weir_error err;
    pthread_mutex_init(&pair.lock, NULL);
    pthread_cond_init(&pair.came, NULL);
    expect_ok(broker_acks_open(&pair.acks, pair.connection, on_ack, &pair, &err), &err);
    create(&pair);
    for (int round = 0; round < 20; round++) {
        char id[32];
        struct broker_meta meta = {.stream_seq = 0};
        snprintf(id, sizeof id, "killed-%d", round);
        pair.token++;
        for (int i = 1; i <= 900; i++)
            send_one(&pair, "model.event", i, id, i, false, 0);
        broker_msg *cursor = NULL;
        if (broker_get_last(pair.connection, "MODEL", CURSOR, &cursor, &err) == WEIR_OK)
            assert_true(broker_msg_meta(cursor, &meta));
        broker_msg_free(cursor);
        send_one(&pair, CURSOR, round, id, 901, true, meta.stream_seq);
        (void)!broker_flush(pair.connection, 0, NULL);
        for (volatile int spin = below(&pair, 3000000); spin > 0; spin--)
            ;
        kit_server_kill(server);
        kit_server_restart(server);
        broker_acks_close(pair.acks);
        weir_disconnect(pair.connection);
        pair.connection = kit_connect(server);
        expect_ok(broker_acks_open(&pair.acks, pair.connection, on_ack, &pair, &err), &err);
        struct broker_stream_state state_now;
        expect_ok(broker_stream_state(pair.connection, "MODEL", &state_now, &err), &err);
        if (state_now.last_seq % 901 != 0)
            fail_msg("the stream ends at %llu, in the middle of a batch",
                     (unsigned long long)state_now.last_seq);
    }
    broker_acks_close(pair.acks);
    weir_disconnect(pair.connection);
    kit_server_stop(server);
}

/* What was sent before a question that was answered belongs to the stream that stood then, whether it has been stored by
 * the time of the answer or not. The sender asks; somebody else creates the stream again at once. */
static void batches_do_not_cross_lives(void **state) {
    (void)state;
    kit_server *server = kit_server_start(NULL);
    struct pair pair = {.connection = kit_connect(server), .random = 7};
    weir_connection *other = kit_connect(server);
    struct broker_stream_state found;
    weir_error err;
    pthread_mutex_init(&pair.lock, NULL);
    pthread_cond_init(&pair.came, NULL);
    expect_ok(broker_acks_open(&pair.acks, pair.connection, on_ack, &pair, &err), &err);
    create(&pair);
    for (int round = 0; round < 40; round++) {
        char id[32];
        snprintf(id, sizeof id, "crossing-%d", round);
        for (int i = 1; i <= 300; i++)
            send_one(&pair, "model.event", i, id, i, false, 0);
        pair.token++;
        send_one(&pair, CURSOR, round, id, 301, true, 0);
        expect_ok(broker_stream_state(pair.connection, "MODEL", &found, &err), &err);
        kit_api(other, "STREAM.DELETE.MODEL", "");
        create_of(other);
        kit_publish(pair.connection, "model.event", "behind");
        expect_ok(broker_stream_state(other, "MODEL", &found, &err), &err);
        assert_int_equal(found.messages, 1);
        kit_api(other, "STREAM.PURGE.MODEL", "");
    }
    broker_acks_close(pair.acks);
    weir_disconnect(other);
    weir_disconnect(pair.connection);
    kit_server_stop(server);
}

static const struct spec specs[] = {
    {"the model and a real server answer the same", same_answers},
    {"a batch on its way when the server dies is there whole or not at all", killed_batches_are_whole},
    {"a batch sent before an answered question never comes to a stream created again",
     batches_do_not_cross_lives},
};
SPEC_MAIN(specs)
