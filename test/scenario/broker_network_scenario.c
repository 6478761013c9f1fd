/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* The broker room over a bad network: lost answers, frozen and broken connections, delays, chaos from a seed. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit/broker.h"
#include "kit/proxy.h"
#include "kit/spec.h"

static struct {
    kit_server *server;
    kit_proxy *proxy;
    weir_connection *connection; /* through the proxy */
    weir_connection *direct;
} with;

static void begin(void) {
    weir_error err = {0};
    with.server = kit_server_start(NULL);
    with.proxy = kit_proxy_start(with.server, 42);
    with.direct = kit_connect(with.server);
    kit_stream(with.direct, "S", "s.>", NULL);
    weir_connect_options options = {.servers = kit_proxy_url(with.proxy), .timeout_ms = 2000};
    expect_ok(weir_connect(&with.connection, &options, &err), &err);
}

static void end(void) {
    weir_disconnect(with.connection);
    weir_disconnect(with.direct);
    kit_proxy_stop(with.proxy);
    kit_server_stop(with.server);
}

static weir_code publish(int64_t timeout_ms, weir_error *err) {
    struct broker_out out = {.subject = "s.a", .data = weir_text_of("x")};
    return broker_publish(with.connection, &out, "S", timeout_ms, NULL, err);
}

static uint64_t stored(void) {
    struct broker_stream_state now;
    weir_error err = {0};
    expect_ok(broker_stream_state(with.direct, "S", &now, &err), &err);
    return now.messages;
}

static bool is_back(void *arg) {
    (void)arg;
    return broker_connected(with.connection) && publish(1000, NULL) == WEIR_OK;
}

static int64_t mono_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void lost_ack(void **state) {
    (void)state;
    weir_error err = {0};
    begin();
    expect_ok(publish(2000, &err), &err);
    kit_proxy_swallow(with.proxy, true);
    expect_error(publish(400, &err), WEIR_TIMEOUT, &err, "'s.a': no answer in time");
    assert_int_equal(stored(), 2); /* it is there all the same */
    assert_true(kit_proxy_swallowed(with.proxy) > 0);
    kit_proxy_swallow(with.proxy, false);
    assert_true(kit_until(is_back, NULL));
    assert_true(kit_proxy_accepted(with.proxy) >= 2);
    end();
}

static void frozen(void **state) {
    (void)state;
    weir_error err = {0};
    begin();
    kit_proxy_freeze(with.proxy, true);
    expect_error(publish(300, &err), WEIR_TIMEOUT, &err, "'s.a': no answer in time");
    assert_int_equal(stored(), 0);
    kit_proxy_freeze(with.proxy, false);
    expect_ok(publish(2000, &err), &err);
    assert_int_equal(stored(), 2); /* the frozen one arrived late */
    assert_int_equal(kit_proxy_accepted(with.proxy), 1);
    end();
}

static void delayed(void **state) {
    (void)state;
    weir_error err = {0};
    begin();
    kit_proxy_delay(with.proxy, 60, 60);
    int64_t began_ms = mono_ms();
    expect_ok(publish(2000, &err), &err);
    assert_true(mono_ms() - began_ms >= 60);
    end();
}

static void broken(void **state) {
    (void)state;
    begin();
    uint64_t epoch = broker_epoch(with.connection);
    kit_proxy_reset(with.proxy);
    assert_true(kit_until(is_back, NULL));
    kit_proxy_cut(with.proxy);
    assert_true(kit_until(is_back, NULL));
    kit_proxy_cut_after(with.proxy, 10); /* in the middle of the next answer */
    weir_error err = {0};
    expect_error(publish(2000, &err), WEIR_TIMEOUT, &err,
                 "'s.a': the connection was lost before the answer came");
    assert_true(kit_until(is_back, NULL));
    assert_true(broker_epoch(with.connection) >= epoch + 3);
    end();
}

static void refusing(void **state) {
    (void)state;
    begin();
    kit_proxy_refuse(with.proxy, true);
    kit_proxy_cut(with.proxy);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_false(broker_connected(with.connection));
    kit_proxy_refuse(with.proxy, false);
    assert_true(kit_until(is_back, NULL));
    end();
}

/* Publishes with an id until acknowledged: whatever the network does, each id is stored once. */
static void chaos(void **state) {
    (void)state;
    enum { EVENTS = 200, EVENTS_MOST = 100 * EVENTS };
    begin();
    kit_proxy_delay(with.proxy, 1, 1);
    kit_proxy_chaos(with.proxy, 250);
    int unknown = 0, i; /* until chaos has met a publish, which is a matter of chance */
    for (i = 0; i < EVENTS || (i < EVENTS_MOST && (kit_proxy_faults(with.proxy) < 4 || unknown == 0)); i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        struct broker_header header = {"Nats-Msg-Id", weir_text_of(id)};
        struct broker_out out = {.subject = "s.a", .headers = &header, .header_count = 1};
        while (broker_publish(with.connection, &out, "S", 150, NULL, NULL) != WEIR_OK) {
            unknown++;
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
    }
    assert_int_equal(stored(), i);
    assert_true(unknown > 0);
    kit_proxy_chaos(with.proxy, 0);
    end();
}

static atomic_int delivered;

static void on_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    atomic_int *wanted = arg;
    (void)err;
    if (note == PULL_MESSAGE) {
        atomic_fetch_sub(wanted, 1);
        if (broker_ack(with.connection, msg, ACK_DONE, 0, NULL) == WEIR_OK)
            atomic_fetch_add(&delivered, 1);
    }
    atomic_fetch_sub(wanted, (int)left);
    broker_msg_free(msg);
}

/* An owner that only counts keeps going: what is lost with a connection is told in the end. */
static void pull_in_chaos(void **state) {
    (void)state;
    enum { EVENTS = 1500, WINDOW = 20 };
    atomic_int wanted = 0;
    broker_pull *pull = NULL;
    weir_error err = {0};
    begin();
    for (int i = 0; i < EVENTS; i++)
        kit_publish(with.direct, "s.a", "x");
    kit_durable(with.direct, "S", "D", "\"ack_wait\":300000000");
    atomic_store(&delivered, 0);
    expect_ok(broker_pull_open(&pull, with.connection, "S", "D", on_pull, &wanted, &err), &err);
    kit_proxy_delay(with.proxy, 1, 1);
    kit_proxy_chaos(with.proxy, 120);
    for (int64_t began_ms = mono_ms(); atomic_load(&delivered) < EVENTS && mono_ms() - began_ms < 30000;) {
        int missing = WINDOW - atomic_load(&wanted);
        if (missing >= WINDOW / 2 && broker_pull_ask(pull, missing, 1000, false, &err) == WEIR_OK)
            atomic_fetch_add(&wanted, missing);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_true(atomic_load(&delivered) >= EVENTS);
    assert_true(kit_proxy_faults(with.proxy) > 2);
    kit_proxy_chaos(with.proxy, 0);
    broker_pull_close(pull);
    end();
}

static const struct spec specs[] = {
    {"a lost answer leaves the outcome unknown and the message stored", lost_ack},
    {"a frozen network loses nothing", frozen},
    {"a slow network is only slow", delayed},
    {"broken connections come back, also when cut inside an answer", broken},
    {"a server that refuses for a while is tried again", refusing},
    {"publishing until acknowledged stores each id once in chaos", chaos},
    {"pulling by count goes on in chaos", pull_in_chaos},
};
SPEC_MAIN(specs)
