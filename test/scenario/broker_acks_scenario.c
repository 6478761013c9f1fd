/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* Publishing through an inbox of PubAcks, one by one and in atomic batches, against real servers. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kit/broker.h"
#include "kit/spec.h"

enum { KEPT = 64 };

static struct {
    kit_server *server;
    weir_connection *connection;
    pthread_mutex_t lock;
    weir_code codes[KEPT];
    struct broker_puback acks[KEPT];
    uint64_t tokens[KEPT];
    size_t ack_count;
    weir_error err;
} with = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_ack(void *arg, uint64_t token, weir_code code, const struct broker_puback *ack,
                   const weir_error *err) {
    (void)arg;
    pthread_mutex_lock(&with.lock);
    if (with.ack_count < KEPT) {
        with.tokens[with.ack_count] = token;
        with.codes[with.ack_count] = code;
        if (ack)
            with.acks[with.ack_count] = *ack;
        if (err)
            with.err = *err;
        with.ack_count++;
    }
    pthread_mutex_unlock(&with.lock);
}

/* A server with stream S on s.>. */
static void begin(void) {
    with.server = kit_server_start(NULL);
    with.connection = kit_connect(with.server);
    kit_stream(with.connection, "S", "s.>", NULL);
    with.ack_count = 0;
}

static void end(void) {
    weir_disconnect(with.connection);
    kit_server_stop(with.server);
}

static bool has_acks(void *arg) {
    pthread_mutex_lock(&with.lock);
    bool there = with.ack_count >= *(size_t *)arg;
    pthread_mutex_unlock(&with.lock);
    return there;
}

#define wait_acks(count) assert_true(kit_until(has_acks, &(size_t){count}))

static void many_acks(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    broker_acks *inbox = NULL;
    expect_ok(broker_acks_open(&inbox, with.connection, on_ack, NULL, &err), &err);
    for (uint64_t i = 1; i <= 50; i++) {
        struct broker_out out = {.subject = i == 50 ? "none.a" : "s.a", .data = weir_text_of("x")};
        expect_ok(broker_acks_send(inbox, &out, UINT64_MAX / 2 + i, &err), &err);
    }
    wait_acks(50);
    uint64_t sum = 0;
    for (size_t i = 0; i < 50; i++) {
        sum += with.tokens[i] - UINT64_MAX / 2;
        bool refused = with.tokens[i] == UINT64_MAX / 2 + 50;
        assert_int_equal(with.codes[i], refused ? WEIR_UNAVAILABLE : WEIR_OK);
        if (!refused)
            assert_string_equal(with.acks[i].stream, "S");
    }
    assert_int_equal(sum, 1275);
    assert_string_equal(with.err.message, "publish: no stream takes this subject");
    broker_acks_close(inbox);
    end();
}

/* Sends events and a last message that expects `expected` as the last sequence on s.cursor. */
static void send_batch(broker_acks *inbox, const char *id, int events, const char *expected, uint64_t token) {
    weir_error err = {0};
    for (int i = 1; i <= events + 1; i++) {
        bool last = i > events;
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        struct broker_header headers[] = {{"Nats-Batch-Id", weir_text_of(id)},
                                          {"Nats-Batch-Sequence", weir_text_of(number)},
                                          {"Nats-Batch-Commit", weir_text_of("1")},
                                          {"Nats-Expected-Last-Subject-Sequence", weir_text_of(expected)}};
        struct broker_out out = {.subject = last ? "s.cursor" : "s.event",
                                 .data = weir_text_of("{}"),
                                 .headers = headers,
                                 .header_count = last ? 4 : 2};
        expect_ok(broker_acks_send(inbox, &out, last ? token : 0, &err), &err);
    }
}

static void batches(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    broker_acks *inbox = NULL;
    expect_ok(broker_acks_open(&inbox, with.connection, on_ack, NULL, &err), &err);
    send_batch(inbox, "first", 10, "0", 1);
    wait_acks(1);
    assert_int_equal(with.codes[0], WEIR_OK);
    assert_int_equal(with.acks[0].count, 11);
    assert_int_equal(with.acks[0].sequence, 11);
    send_batch(inbox, "stale", 10, "0", 2);
    wait_acks(2);
    assert_int_equal(with.codes[1], WEIR_CONFLICT);
    assert_string_equal(with.err.message, "publish: wrong last sequence: 11 (10071)");
    assert_int_equal(with.err.detail, 10071);
    send_batch(inbox, "next", 3, "11", 3);
    wait_acks(3);
    assert_int_equal(with.acks[2].sequence, 15);
    broker_acks_close(inbox);
    end();
}

static const struct spec specs[] = {
    {"each message in flight is acknowledged by its token", many_acks},
    {"an atomic batch commits as a whole and a stale writer is told", batches},
};
SPEC_MAIN(specs)
