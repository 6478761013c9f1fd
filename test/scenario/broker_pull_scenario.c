/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* Pulling and acknowledging, against real servers. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ids.h"
#include "kit/broker.h"
#include "kit/spec.h"

enum { KEPT = 64 };

/* What a pull told, in order. */
static struct {
    kit_server *server;
    weir_connection *connection;
    broker_pull *pull;
    pthread_mutex_t lock;
    broker_msg *messages[KEPT];
    size_t message_count, ended, gone, refused;
    uint64_t left;
    weir_error err;
    atomic_int calls;
} with = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                    const weir_error *err) {
    (void)arg;
    atomic_fetch_add(&with.calls, 1);
    pthread_mutex_lock(&with.lock);
    if (note == PULL_MESSAGE && with.message_count < KEPT)
        with.messages[with.message_count++] = msg;
    else
        broker_msg_free(msg);
    with.ended += note == PULL_ENDED;
    with.gone += note == PULL_GONE;
    with.refused += note == PULL_REFUSED;
    with.left += left;
    if (err)
        with.err = *err;
    pthread_mutex_unlock(&with.lock);
}

static void clear(void) {
    for (size_t i = 0; i < with.message_count; i++)
        broker_msg_free(with.messages[i]);
    with.message_count = with.ended = with.gone = with.refused = 0;
    with.left = 0;
    with.err = (weir_error){.message = ""};
}

/* A server with stream S on s.>, durable D with an ack_wait of two seconds, and a pull on it. */
static void begin(void) {
    weir_error err = {0};
    with.server = kit_server_start(NULL);
    with.connection = kit_connect(with.server);
    kit_stream(with.connection, "S", "s.>", NULL);
    kit_durable(with.connection, "S", "D", "\"ack_wait\":2000000000");
    expect_ok(broker_pull_open(&with.pull, with.connection, "S", "D", on_pull, NULL, &err), &err);
    clear();
}

static void end(void) {
    broker_pull_close(with.pull);
    clear();
    weir_disconnect(with.connection);
    kit_server_stop(with.server);
}

static void ask(int batch, int64_t expires_ms, bool no_wait) {
    weir_error err = {0};
    expect_ok(broker_pull_ask(with.pull, batch, expires_ms, no_wait, &err), &err);
}

/* Waits until a counter reaches a number. */
struct reach {
    const size_t *counter;
    size_t number;
};

static bool reached(void *arg) {
    const struct reach *reach = arg;
    pthread_mutex_lock(&with.lock);
    bool there = *reach->counter >= reach->number;
    pthread_mutex_unlock(&with.lock);
    return there;
}

#define wait_for(what, count) assert_true(kit_until(reached, &(struct reach){&(what), (count)}))

static int64_t consumer_number(const char *member) {
    weir_error err = {0};
    json_doc *reply = NULL;
    int64_t number = -1;
    expect_ok(broker_api(with.connection, "CONSUMER.INFO.S.D", (weir_text){NULL, 0}, &reply, &err), &err);
    assert_true(json_int(json_get(json_root(reply), member), &number));
    json_doc_free(reply);
    return number;
}

static bool has_pending(void *arg) {
    return consumer_number("num_ack_pending") == *(int64_t *)arg;
}

static bool is_asked(void *arg) {
    (void)arg;
    return consumer_number("num_waiting") == 1;
}

/* The server takes acks from a queue: it knows of one a little after it has received it. */
#define wait_pending(count) assert_true(kit_until(has_pending, &(int64_t){count}))

static void settle(broker_msg *msg, enum broker_ack_kind kind, int64_t delay_ns) {
    weir_error err = {0};
    expect_ok(broker_ack(with.connection, msg, kind, delay_ns, &err), &err);
    expect_ok(broker_flush(with.connection, 5000, &err), &err);
}

static int64_t mono_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- pulling -------------------------------------------------------------------------------------------- */

static void delivers(void **state) {
    (void)state;
    begin();
    ask(5, 5000, false);
    kit_publish(with.connection, "s.a", "one");
    kit_publish(with.connection, "s.b", "two");
    wait_for(with.message_count, 2);
    struct broker_meta meta;
    broker_msg *msg = with.messages[1];
    assert_true(weir_text_is(broker_msg_subject(msg), "s.b"));
    assert_true(weir_text_is(broker_msg_data(msg), "two"));
    assert_true(broker_msg_meta(msg, &meta));
    assert_true(weir_text_is(meta.stream, "S"));
    assert_true(weir_text_is(meta.consumer, "D"));
    assert_int_equal(meta.stream_seq, 2);
    assert_int_equal(meta.consumer_seq, 2);
    assert_int_equal(meta.delivered, 1);
    assert_int_equal(meta.pending, 0);
    assert_true(meta.stored_ns > 1700000000000000000LL);
    end();
}

static void keeps_headers(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    struct broker_header headers[] = {{"Empty", weir_text_of("")},
                                      {"Weir-A", weir_text_of("x: y")},
                                      {"Many", weir_text_of("1")},
                                      {"Many", weir_text_of("2")},
                                      {"Blank", weir_text_of("  v ")}};
    struct broker_out out = {
        .subject = "s.a", .data = weir_text_of("data"), .headers = headers, .header_count = 5};
    expect_ok(broker_publish(with.connection, &out, NULL, 5000, NULL, &err), &err);
    ask(1, 5000, false);
    wait_for(with.message_count, 1);
    broker_msg *msg = with.messages[0];
    assert_true(weir_text_is(broker_msg_header(msg, "Empty"), ""));
    assert_true(weir_text_is(broker_msg_header(msg, "Weir-A"), "x: y"));
    assert_true(weir_text_is(broker_msg_header(msg, "Blank"), "v"));
    assert_null(broker_msg_header(msg, "weir-a").data);
    size_t cursor = 0, seen = 0, many = 0;
    const char *name;
    weir_text value;
    for (; broker_msg_next_header(msg, &cursor, &name, &value); seen++)
        many += strcmp(name, "Many") == 0 && weir_text_is(value, many ? "2" : "1");
    assert_int_equal(seen, 5);
    assert_int_equal(many, 2);
    assert_true(weir_text_is(broker_msg_data(msg), "data"));
    end();
}

static void expires(void **state) {
    (void)state;
    begin();
    kit_publish(with.connection, "s.a", "one");
    ask(3, 200, false);
    wait_for(with.ended, 1);
    assert_int_equal(with.message_count, 1);
    assert_int_equal(with.left, 2);
    end();
}

static void does_not_wait(void **state) {
    (void)state;
    begin();
    ask(10, 0, true);
    wait_for(with.ended, 1);
    assert_int_equal(with.left, 10);
    kit_publish(with.connection, "s.a", "one");
    size_t asked = 1;
    do { /* the server acknowledges before it has told its consumers */
        ask(10, 0, true);
        wait_for(with.ended, ++asked);
    } while (with.message_count == 0 && asked < 100);
    assert_int_equal(with.message_count, 1);
    assert_int_equal(with.left, 10 * asked - 1);
    end();
}

static void consumer_gone(void **state) {
    (void)state;
    begin();
    ask(1, 5000, false);
    assert_true(kit_until(is_asked, NULL));
    kit_api(with.connection, "CONSUMER.DELETE.S.D", NULL);
    wait_for(with.gone, 1);
    assert_string_equal(with.err.message, "S/D: the consumer is gone (Consumer Deleted)");
    assert_int_equal(with.err.code, WEIR_NOT_FOUND);
    ask(1, 5000, false);
    wait_for(with.gone, 2);
    assert_string_equal(with.err.message, "S/D: no such consumer answers, or JetStream is not available");
    assert_int_equal(with.err.code, WEIR_UNAVAILABLE);
    assert_int_equal(with.left, 2);
    end();
}

static void bad_asks(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    static const char message[] =
        "S/D: a pull asks for 1 to 10000 messages and waits some time, or not at all";
    expect_error(broker_pull_ask(with.pull, 0, 100, false, &err), WEIR_INVALID, &err, message);
    expect_error(broker_pull_ask(with.pull, 10001, 100, false, &err), WEIR_INVALID, &err, message);
    expect_error(broker_pull_ask(with.pull, 1, 0, false, &err), WEIR_INVALID, &err, message);
    broker_pull *other = NULL;
    expect_error(broker_pull_open(&other, with.connection, "S", "a.b", on_pull, NULL, &err), WEIR_INVALID,
                 &err, "'a.b' is no consumer name");
    assert_string_equal(err.hint, "names have 1 to 255 characters, without white space and . * > / \\");
    end();
}

static void lost_asks_end(void **state) {
    (void)state;
    begin();
    ask(7, 60000, false);
    weir_error err = {0};
    expect_ok(broker_flush(with.connection, 5000, &err), &err);
    kit_server_restart(with.server);
    wait_for(with.ended, 1);
    assert_int_equal(with.left, 7);
    kit_publish(with.connection, "s.a", "after");
    ask(7, 5000, false);
    wait_for(with.message_count, 1);
    end();
}

static void denied_pull(void **state) {
    (void)state;
    kit_server *server = kit_server_start(&(struct kit_server_options){
        .config = "authorization { users = [ { user: u, password: pw, permissions: { publish: [\"ok.>\"], "
                  "subscribe: [\"_INBOX.>\"] } } ] }"});
    weir_error err = {0};
    weir_connect_options options = {.servers = kit_server_url(server), .user = "u", .password = "pw"};
    expect_ok(weir_connect(&with.connection, &options, &err), &err);
    expect_ok(broker_pull_open(&with.pull, with.connection, "S", "D", on_pull, NULL, &err), &err);
    clear();
    ask(3, 60000, false);
    wait_for(with.refused, 1);
    assert_string_equal(with.err.message, "S/D: this identity may not pull from this consumer");
    assert_string_equal(with.err.hint, "grant publishing to '$JS.API.CONSUMER.MSG.NEXT.S.D'");
    assert_int_equal(with.left, 3);
    broker_pull_close(with.pull);
    weir_disconnect(with.connection);
    kit_server_stop(server);
}

static atomic_long outstanding, least_outstanding;

static void on_count(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                     const weir_error *err) {
    (void)err, (void)note;
    long now = atomic_fetch_sub(&outstanding, (long)left + (msg != NULL)) - (long)left - (msg != NULL);
    if (now < atomic_load(&least_outstanding))
        atomic_store(&least_outstanding, now);
    if (msg && broker_ack(arg, msg, ACK_DONE, 0, NULL) != WEIR_OK)
        abort();
    broker_msg_free(msg);
}

static void *publish_slowly(void *arg) {
    for (int i = 0; atomic_load((atomic_bool *)arg); i++) {
        weir_error err;
        if (broker_send(with.connection, &(struct broker_out){.subject = "s.a"}, &err) != WEIR_OK)
            abort();
        nanosleep(&(struct timespec){.tv_nsec = i % 50 ? 300000 : 150000000}, NULL);
    }
    return NULL;
}

static void asks_ahead(void **state) {
    (void)state;
    enum { WINDOW = 20, STEP = 4, RUN_MS = 4000 };
    begin();
    weir_error err = {0};
    broker_pull *pull = NULL;
    pthread_t thread;
    atomic_bool on = true;
    atomic_store(&outstanding, 0);
    atomic_store(&least_outstanding, 0);
    expect_ok(broker_pull_open(&pull, with.connection, "S", "D", on_count, with.connection, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, publish_slowly, &on), 0);
    for (int64_t began_ms = mono_ms(); mono_ms() - began_ms < RUN_MS;) {
        if (atomic_load(&outstanding) <= WINDOW - STEP) {
            atomic_fetch_add(&outstanding,
                             STEP); /* counted before, for messages may come before the call returns */
            expect_ok(broker_pull_ask(pull, STEP, 200, false, &err), &err);
        }
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    atomic_store(&on, false);
    pthread_join(thread, NULL);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL); /* all asks end by their time */
    broker_pull_close(pull);
    assert_int_equal(atomic_load(&least_outstanding), 0); /* never more than was asked for */
    assert_int_equal(atomic_load(&outstanding), 0);       /* and all of it was told */
    end();
}

/* --- acknowledging -------------------------------------------------------------------------------------- */

static void acks(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    for (int i = 0; i < 3; i++)
        kit_publish(with.connection, "s.a", "x");
    ask(3, 5000, false);
    wait_for(with.message_count, 3);
    wait_pending(3);
    settle(with.messages[0], ACK_DONE, 0);
    wait_pending(2);
    settle(with.messages[1], ACK_TERM, 0);
    wait_pending(1);
    expect_ok(broker_ack_sync(with.connection, with.messages[2], 5000, &err), &err);
    wait_pending(0);
    end();
}

static void nak_waits(void **state) {
    (void)state;
    begin();
    struct broker_meta meta;
    kit_publish(with.connection, "s.a", "x");
    ask(3, 5000, false);
    wait_for(with.message_count, 1);
    int64_t began_ms = mono_ms();
    settle(with.messages[0], ACK_NAK, 300000000);
    wait_for(with.message_count, 2);
    assert_true(mono_ms() - began_ms >= 290);
    assert_true(broker_msg_meta(with.messages[1], &meta));
    assert_int_equal(meta.delivered, 2);
    settle(with.messages[1], ACK_NAK, 0);
    wait_for(with.message_count, 3);
    settle(with.messages[2], ACK_DONE, 0);
    end();
}

static void progress_holds(void **state) {
    (void)state;
    begin();
    kit_publish(with.connection, "s.a", "x");
    ask(2, 10000, false);
    wait_for(with.message_count, 1);
    for (int i = 0; i < 8; i++) { /* 2.4 s, longer than ack_wait */
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
        settle(with.messages[0], ACK_PROGRESS, 0);
    }
    assert_int_equal(with.message_count, 1);
    settle(with.messages[0], ACK_DONE, 0);
    wait_pending(0);
    end();
}

static void only_deliveries(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    broker_msg *msg = NULL;
    kit_publish(with.connection, "s.a", "x");
    expect_ok(broker_get(with.connection, "S", 1, &msg, &err), &err);
    expect_error(broker_ack(with.connection, msg, ACK_DONE, 0, &err), WEIR_INVALID, &err,
                 "only a delivery of a consumer can be acknowledged");
    broker_msg_free(msg);
    end();
}

/* --- closing -------------------------------------------------------------------------------------------- */

static void slow_pull(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                      const weir_error *err) {
    nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    on_pull(arg, note, msg, left, err);
}

static void quiet_after_close(void **state) {
    (void)state;
    enum { ROUNDS = 20 };
    begin();
    for (int i = 0; i < 200; i++)
        kit_publish(with.connection, "s.a", "x");
    for (int round = 0; round < ROUNDS; round++) {
        weir_error err = {0};
        broker_pull *pull = NULL;
        expect_ok(broker_pull_open(&pull, with.connection, "S", "D", slow_pull, NULL, &err), &err);
        expect_ok(broker_pull_ask(pull, 10, 5000, false, &err), &err);
        expect_ok(broker_flush(with.connection, 5000, &err), &err);
        nanosleep(&(struct timespec){.tv_nsec = 1000000L * (round % 7)}, NULL);
        broker_pull_close(pull);
        int calls = atomic_load(&with.calls);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        assert_int_equal(atomic_load(&with.calls), calls);
    }
    end();
}

static void count_msg(void *arg, broker_msg *msg) {
    (void)arg;
    atomic_fetch_add(&with.calls, 1);
    broker_msg_free(msg);
}

static void *publish_on(void *arg) {
    weir_error err;
    for (int i = 0; i < 2000 && atomic_load((atomic_bool *)arg); i++)
        if (broker_send(with.connection, &(struct broker_out){.subject = "plain.a"}, &err) != WEIR_OK)
            abort();
    return NULL;
}

static void quiet_after_unsubscribe(void **state) {
    (void)state;
    enum { ROUNDS = 20 };
    begin();
    for (int round = 0; round < ROUNDS; round++) {
        weir_error err = {0};
        broker_sub *sub = NULL;
        atomic_bool on = true;
        pthread_t thread;
        expect_ok(broker_subscribe(&sub, with.connection, "plain.>", count_msg, NULL, &err), &err);
        assert_int_equal(pthread_create(&thread, NULL, publish_on, &on), 0);
        nanosleep(&(struct timespec){.tv_nsec = 200000L * round}, NULL);
        broker_unsubscribe(sub);
        int calls = atomic_load(&with.calls);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        assert_int_equal(atomic_load(&with.calls), calls);
        atomic_store(&on, false);
        pthread_join(thread, NULL);
    }
    end();
}

static const struct spec specs[] = {
    {"a delivery carries its data and where it stands", delivers},
    {"headers arrive as they were sent, empty ones too", keeps_headers},
    {"a request that expires tells how many did not come", expires},
    {"a request that does not wait takes what is there", does_not_wait},
    {"a deleted consumer is noticed while waiting and when asking", consumer_gone},
    {"requests and names that make no sense are refused", bad_asks},
    {"asking ahead brings what was asked for and never more", asks_ahead},
    {"requests lost with the connection end once it is back", lost_asks_end},
    {"a pull without permission is refused and not waited for", denied_pull},
    {"done, term and confirmed acks settle a delivery", acks},
    {"a nak with a delay comes again after it, without one at once", nak_waits},
    {"progress keeps a delivery from coming again", progress_holds},
    {"only deliveries can be acknowledged", only_deliveries},
    {"nothing is delivered after a pull is closed", quiet_after_close},
    {"nothing is delivered after a subscription is closed", quiet_after_unsubscribe},
};
SPEC_MAIN(specs)
