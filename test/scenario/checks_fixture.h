/* SPDX-License-Identifier: Apache-2.0 */
/* A bad catalog on a real server: the fixture of a rule, brought to the server without asking the rule. Included
 * by scenarios of the checks; `predicted` stands at the beginning of each case, and checks_spec looks for it. */
#ifndef SCENARIO_CHECKS_FIXTURE_H
#define SCENARIO_CHECKS_FIXTURE_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "broker/broker.h"
#include "catalog/check.h"
#include "kit/broker.h"
#include "kit/catalog.h"
#include "kit/findings.h"
#include "kit/spec.h"
#include "plan/desired.h"

enum { ANSWERS_MAX = 16 };
static struct {
    kit_server *server;
    weir_connection *connection;
    struct {
        char name[128]; /* "ORDERS", "ORDERS/billing" */
        int code;       /* 0: the server made it */
    } answers[ANSWERS_MAX];
    size_t count;
} with;

static inline const struct rule *rule_named(const char *name) {
    for (size_t i = 0; i < rule_count(); i++)
        if (strcmp(rule_at(i)->name, name) == 0)
            return rule_at(i);
    print_error("there is no rule '%s'\n", name);
    assert_true(false);
    return NULL;
}

static inline int answer_of(const char *api, const char *body) {
    json_doc *reply = NULL;
    weir_error err = {0};
    weir_code code = broker_api(with.connection, api, weir_text_of(body), &reply, &err);
    json_doc_free(reply);
    if (code != WEIR_OK && err.detail == 0)
        print_error("%s: %s\n", api, err.message);
    assert_true(code == WEIR_OK || err.detail != 0);
    return code == WEIR_OK ? 0 : err.detail;
}

/* The rule predicts something; a server is there, with nothing on it. */
static inline void predicted_by_hand(const char *rule, const struct kit_server_options *options) {
    if (!rule_prediction(rule_named(rule)))
        print_error("'%s' is not among the PREDICTIONS of rules.h\n", rule);
    assert_non_null(rule_prediction(rule_named(rule)));
    with.server = kit_server_start(options);
    with.connection = kit_connect(with.server);
    with.count = 0;
}

/* A catalog that weir does not manage is read however bad it is. */
static inline weir_catalog *opened_in_spite(const char *rule) {
    char path[1024], *text = NULL;
    size_t size;
    weir_error err;
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/test/fixture/checks/%s/catalog.yaml", source ? source : ".", rule);
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    const char *folder = kit_catalog_folder(kit_replace(text, "weir: 1\n", "weir: 1\nmanaged: false\n"));
    mem_free(text);
    snprintf(path, sizeof path, "%s/envelope.yaml", folder);
    remove(path); /* the fixtures have theirs inside */
    weir_catalog *catalog = NULL;
    expect_ok(weir_catalog_open(&catalog, folder, NULL, NULL, &err), &err);
    catalog->managed = true; /* for desired_make, which then asks for all that weir would */
    return catalog;
}

static inline void make_raw(const struct desired *desired) {
    char api[512];
    buffer config, body;
    buffer_init(&config, 1 << 20);
    buffer_init(&body, 1 << 20);
    json_write(&config, desired->config, false);
    if (desired->consumer) {
        snprintf(api, sizeof api, "CONSUMER.CREATE.%s.%s", desired->stream, desired->consumer);
        buffer_printf(&body, "{\"stream_name\":\"%s\",\"config\":%s}", desired->stream, config.data);
    } else {
        snprintf(api, sizeof api, "STREAM.CREATE.%s", desired->stream);
        buffer_string(&body, config.data);
    }
    assert_true(with.count < ANSWERS_MAX);
    snprintf(with.answers[with.count].name, sizeof with.answers[0].name, "%s", desired->name);
    with.answers[with.count++].code = answer_of(api, body.data);
    buffer_release(&body);
    buffer_release(&config);
}

/* The same, and the rule's failing fixture was asked of the server, thing by thing. */
static inline void predicted(const char *rule) {
    predicted_by_hand(rule, NULL);
    weir_catalog *catalog = opened_in_spite(rule);
    weir_error err;
    struct desired_list desired = {.arena = arena_new()};
    expect_ok(desired_make(&desired, catalog, &err), &err);
    for (size_t i = 0; i < desired.items.count; i++)
        make_raw(&desired.items.items[i]);
    arena *arena = desired.arena;
    desired_release(&desired);
    arena_free(arena);
    weir_catalog_close(catalog);
}

static inline void end(void) {
    weir_disconnect(with.connection);
    kit_server_stop(with.server);
}

/* What the server answered to "ORDERS" or "ORDERS/billing". */
static inline int answer_to(const char *name) {
    for (size_t i = 0; i < with.count; i++)
        if (strcmp(with.answers[i].name, name) == 0)
            return with.answers[i].code;
    print_error("nothing named '%s' was asked for\n", name);
    assert_true(false);
    return -1;
}

/* Does the rule's sentence or prediction name the code, so that a reader can look it up? */
static inline void expect_named(const char *name, int code) {
    char text[16];
    const struct rule *rule = rule_named(name);
    snprintf(text, sizeof text, "%d", code);
    bool named = strstr(rule->says, text) || strstr(rule_prediction(rule), text);
    if (!named)
        print_error("%s does not name %d\n", name, code);
    assert_true(named);
}

static inline void expect_refused(const char *rule, const char *name, int code) {
    assert_int_equal(answer_to(name), code);
    expect_named(rule, code);
}

/* --- by hand -------------------------------------------------------------------------------------------- */

/* The server's error code; 0 when it made the stream. */
static inline int stream_answer(const char *name, const char *settings) {
    char api[300], body[1024];
    snprintf(api, sizeof api, "STREAM.CREATE.%s", name);
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"num_replicas\":1,\"storage\":\"file\",%s}", name,
             settings);
    return answer_of(api, body);
}

static inline int consumer_answer(const char *stream, const char *name, const char *settings) {
    char api[300], body[1024];
    snprintf(api, sizeof api, "CONSUMER.CREATE.%s.%s", stream, name);
    snprintf(body, sizeof body,
             "{\"stream_name\":\"%s\",\"config\":{\"durable_name\":\"%s\",\"ack_policy\":\"explicit\"%s}}",
             stream, name, settings);
    return answer_of(api, body);
}

/* Publishes as any client would; with an id, as one that wants its duplicates found. */
static inline weir_code publish_as(const char *subject, const char *id, struct broker_puback *ack,
                                   weir_error *err) {
    struct broker_header header = {"Nats-Msg-Id", weir_text_of(id)};
    struct broker_out out = {
        .subject = subject, .data = weir_text_of("{}"), .headers = &header, .header_count = id ? 1 : 0};
    return broker_publish(with.connection, &out, NULL, 5000, ack, err);
}

static inline void publish(const char *subject) {
    struct broker_puback ack;
    weir_error err;
    expect_ok(publish_as(subject, NULL, &ack, &err), &err);
}

static inline uint64_t messages_in(const char *stream) {
    struct broker_stream_state state;
    weir_error err;
    expect_ok(broker_stream_state(with.connection, stream, &state, &err), &err);
    return state.messages;
}

/* --- pulling -------------------------------------------------------------------------------------------- */

static _Atomic(broker_msg *) pulled;
static atomic_bool pull_over;

static inline void on_pulled(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                             const weir_error *err) {
    (void)arg, (void)left, (void)err;
    if (note == PULL_MESSAGE)
        broker_msg_free(atomic_exchange(&pulled, msg));
    pull_over = true;
}

static inline bool pull_ended(void *arg) {
    (void)arg;
    return pull_over;
}

/* The next message of a durable, or NULL when the server has none for it now. */
static inline broker_msg *next_of(const char *stream, const char *durable) {
    broker_pull *pull = NULL;
    weir_error err;
    pull_over = false;
    expect_ok(broker_pull_open(&pull, with.connection, stream, durable, on_pulled, NULL, &err), &err);
    expect_ok(broker_pull_ask(pull, 1, 0, true, &err), &err);
    assert_true(kit_until(pull_ended, NULL));
    broker_pull_close(pull);
    return atomic_exchange(&pulled, NULL);
}

#endif
