/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker catalog */
/* What the rules say about the server, the server does: refusals with the error codes that the rules name,
 * and the losses that it would accept. */
#include <stdio.h>
#include <string.h>

#include "broker/broker.h"
#include "catalog/check.h"
#include "kit/broker.h"
#include "kit/spec.h"

static struct {
    kit_server *server;
    weir_connection *connection;
} with;

static void begin(void) {
    with.server = kit_server_start(NULL);
    with.connection = kit_connect(with.server);
}

static void end(void) {
    weir_disconnect(with.connection);
    kit_server_stop(with.server);
}

static int answer_of(const char *api, const char *body) {
    json_doc *reply = NULL;
    weir_error err = {0};
    weir_code code = broker_api(with.connection, api, weir_text_of(body), &reply, &err);
    json_doc_free(reply);
    if (code != WEIR_OK && err.detail == 0)
        print_error("%s\n", err.message);
    assert_true(code == WEIR_OK || err.detail != 0);
    return code == WEIR_OK ? 0 : err.detail;
}

/* The server's error code; 0 when it made the stream. */
static int stream_answer(const char *name, const char *settings) {
    char api[300], body[1024];
    snprintf(api, sizeof api, "STREAM.CREATE.%s", name);
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"num_replicas\":1,\"storage\":\"file\",%s}", name,
             settings);
    return answer_of(api, body);
}

static int consumer_answer(const char *stream, const char *name, const char *settings) {
    char api[300], body[1024];
    snprintf(api, sizeof api, "CONSUMER.CREATE.%s.%s", stream, name);
    snprintf(body, sizeof body,
             "{\"stream_name\":\"%s\",\"config\":{\"durable_name\":\"%s\",\"ack_policy\":\"explicit\"%s}}",
             stream, name, settings);
    return answer_of(api, body);
}

static void publish(const char *stream, const char *subject) {
    struct broker_puback ack;
    weir_error err;
    struct broker_out out = {.subject = subject, .data = weir_text_of("{}")};
    expect_ok(broker_publish(with.connection, &out, stream, 5000, &ack, &err), &err);
}

static uint64_t messages_in(const char *stream) {
    struct broker_stream_state stream_state;
    weir_error err;
    expect_ok(broker_stream_state(with.connection, stream, &stream_state, &err), &err);
    return stream_state.messages;
}

/* Does the rule's sentence name the code, so that a reader can look it up? */
static void expect_named(enum rule_symbol rule, int code) {
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    if (!strstr(rule_of(rule)->says, text))
        print_error("%s does not name %d\n", rule_of(rule)->name, code);
    assert_non_null(strstr(rule_of(rule)->says, text));
}

/* --- refused -------------------------------------------------------------------------------------------- */

static void overlapping_subjects(void **state) {
    (void)state;
    begin();
    assert_int_equal(stream_answer("A", "\"subjects\":[\"a.>\"]"), 0);
    assert_int_equal(stream_answer("B", "\"subjects\":[\"a.b\"]"), 10065);
    assert_int_equal(stream_answer("C", "\"subjects\":[\"c.>\",\"c.d\"]"), 10052);
    expect_named(RULE_STREAM_OVERLAP, 10065);
    expect_named(RULE_STREAM_OVERLAP, 10052);
    end();
}

static void reserved_subjects(void **state) {
    (void)state;
    begin();
    assert_int_equal(stream_answer("A", "\"subjects\":[\">\"]"), 10052);
    assert_int_equal(stream_answer("B", "\"subjects\":[\"*.placed\"]"), 10052);
    /* These it takes: only the catalog's rule stands in the way. */
    assert_int_equal(stream_answer("C", "\"subjects\":[\"_INBOX.>\"]"), 0);
    assert_int_equal(stream_answer("D", "\"subjects\":[\"_weir.to.>\"]"), 0);
    end();
}

static void duplicate_windows(void **state) {
    (void)state;
    begin();
    assert_int_equal(
        stream_answer("A", "\"subjects\":[\"a\"],\"max_age\":60000000000,\"duplicate_window\":120000000000"),
        10052);
    assert_int_equal(stream_answer("B", "\"subjects\":[\"b\"],\"duplicate_window\":50000000"), 10052);
    assert_int_equal(
        stream_answer("C", "\"subjects\":[\"c\"],\"max_age\":60000000000,\"duplicate_window\":60000000000"),
        0);
    assert_int_equal(stream_answer("D", "\"subjects\":[\"d\"],\"duplicate_window\":100000000"), 0);
    expect_named(RULE_DUPLICATE_WINDOW, 10052);
    end();
}

static void work_queues(void **state) {
    (void)state;
    begin();
    assert_int_equal(stream_answer("Q", "\"subjects\":[\"q.>\"],\"retention\":\"workqueue\""), 0);
    assert_int_equal(consumer_answer("Q", "first", ""), 0);
    assert_int_equal(consumer_answer("Q", "second", ""), 10099);
    assert_int_equal(consumer_answer("Q", "third", ",\"filter_subject\":\"q.a\""), 10100);
    expect_named(RULE_WORKQUEUE_GROUPS, 10099);
    expect_named(RULE_WORKQUEUE_GROUPS, 10100);
    end();
}

static void reservations(void **state) {
    (void)state;
    begin();
    assert_int_equal(stream_answer("A", "\"subjects\":[\"a\"],\"max_bytes\":4000000000000000"), 10047);
    expect_named(RULE_SIZE_RESERVED, 10047);
    end();
}

/* --- accepted and lost ---------------------------------------------------------------------------------- */

static void interest_without_readers(void **state) {
    (void)state;
    begin();
    assert_int_equal(stream_answer("I", "\"subjects\":[\"i.>\"],\"retention\":\"interest\""), 0);
    assert_int_equal(consumer_answer("I", "reader", ",\"filter_subject\":\"i.read\""), 0);
    publish("I", "i.unread");
    assert_int_equal(messages_in("I"), 0); /* it was acknowledged all the same */
    publish("I", "i.read");
    assert_int_equal(messages_in("I"), 1);
    end();
}

static void last_values_before_they_are_read(void **state) {
    (void)state;
    begin();
    assert_int_equal(stream_answer("V", "\"subjects\":[\"v.>\"],\"max_msgs_per_subject\":1"), 0);
    assert_int_equal(consumer_answer("V", "reader", ""), 0);
    publish("V", "v.a");
    publish("V", "v.a");
    assert_int_equal(messages_in("V"), 1);
    end();
}

static void kept_but_evicted(void **state) {
    (void)state;
    begin();
    assert_int_equal(
        stream_answer("K", "\"subjects\":[\"k\"],\"deny_delete\":true,\"max_msgs\":1,\"discard\":\"old\""),
        0);
    publish("K", "k");
    publish("K", "k");
    assert_int_equal(messages_in("K"), 1); /* deny_delete did not keep the first */
    end();
}

static const struct spec specs[] = {
    {"overlapping subjects are refused, of two streams and of one", overlapping_subjects},
    {"subjects of the server are refused and those of weir are not", reserved_subjects},
    {"duplicate windows that do not fit are refused", duplicate_windows},
    {"a work queue refuses a second reader of an event", work_queues},
    {"a size that cannot be reserved is refused", reservations},
    {"an interest stream acknowledges and drops what nobody reads", interest_without_readers},
    {"a stream of last values discards what was not read yet", last_values_before_they_are_read},
    {"a stream that denies deleting evicts when it is full", kept_but_evicted},
};
SPEC_MAIN(specs)
