/* SPDX-License-Identifier: Apache-2.0 */
/* A shop whose stream ORDERS is given new streams while everybody is at work: a publisher of its own, a relay, a
 * group with an inbox, and a foreign consumer that acknowledges. Included by scenarios of migrations. */
#ifndef SCENARIO_MIGRATE_FIXTURE_H
#define SCENARIO_MIGRATE_FIXTURE_H

#include <stdatomic.h>

#include "kit/program.h"
#include "kit/stream.h"
#include "plan/compare.h"
#include "relay_fixture.h"
#include "weir/consume.h"

/* Options of the stream ORDERS (", storage: memory"), and the events of it that the group reads. */
#define MOVING_READ(options, events)                                                                 \
    SHOP_HEAD                                                                                        \
    "streams:\n  ORDERS: {subjects: [order.>]" options "}\n  BILLS: {subjects: [bill.>]}\n"          \
    "events:\n" SHOP_EVENT("order.placed", "ORDERS") SHOP_EVENT("order.noted", "ORDERS") SHOP_EVENT( \
        "bill.sent", "BILLS") "groups:\n"                                                            \
                              "  billing: {service: shop, from: {ORDERS: [" events                   \
                              "]}, order: key, ack_wait: 2s,\n"                                      \
                              "            max_deliver: 3, retry: [100ms], max_ack_pending: 500}\n"  \
                              "services:\n  shop: {publish: [order.>, bill.>], consume: [billing]}\n"
#define MOVING(options) MOVING_READ(options, "order.placed")

enum { MANY = 200000 };

/* --- applying -------------------------------------------------------------------------------------------- */

static inline weir_catalog *moving_catalog(const char *yaml) {
    weir_catalog *catalog;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    return catalog;
}

static inline const weir_step *moving_step(const weir_plan *plan, const char *name) {
    for (size_t i = 0; i < weir_plan_count(plan); i++)
        if (strcmp(weir_plan_step(plan, i)->name, name) == 0)
            return weir_plan_step(plan, i);
    fail_msg("the plan has no step for %s", name);
    return NULL;
}

/* Makes the servers what the catalog says: a new stream for ORDERS, and nothing left to do. */
static inline void moving_apply(weir_connection *connection, const char *yaml) {
    static const char *const loss[] = {"ORDERS"};
    weir_catalog *catalog = moving_catalog(yaml);
    weir_apply_options options = {.allow_loss = loss, .allow_loss_count = 1};
    weir_plan *plan;
    weir_error err = {0};
    expect_ok(weir_plan_make(&plan, connection, catalog, &err), &err);
    assert_int_equal(moving_step(plan, "ORDERS")->kind, WEIR_STEP_REPLACE);
    expect_ok(weir_plan_apply(plan, connection, &options, &err), &err);
    weir_plan_free(plan);
    expect_ok(weir_plan_make(&plan, connection, catalog, &err), &err);
    assert_true(weir_plan_empty(plan));
    weir_plan_free(plan);
    weir_catalog_close(catalog);
}

static inline void expect_config(weir_connection *connection, const char *field, const char *value) {
    json_doc *reply;
    weir_error err = {0};
    expect_ok(broker_api(connection, "STREAM.INFO.ORDERS", (weir_text){NULL, 0}, &reply, &err), &err);
    const json *config = json_get(json_root(reply), "config");
    assert_string_equal(json_cstr(json_get(config, field)), value);
    json_doc_free(reply);
}

/* Only the catalog's streams are left. */
static inline void expect_no_traces(weir_connection *connection) {
    json_doc *reply;
    weir_error err = {0};
    expect_ok(broker_api(connection, "STREAM.NAMES", (weir_text){NULL, 0}, &reply, &err), &err);
    for (struct json_iter it = json_iter(json_get(json_root(reply), "streams")); json_next(&it);)
        if (text_starts(json_text(it.value), "weir-"))
            fail_msg("stream %s is left", json_cstr(it.value));
    json_doc_free(reply);
}

/* --- one message at a time --------------------------------------------------------------------------------- */

/* Reads a durable of ORDERS as a client does that knows nothing of weir. */
struct reader {
    weir_connection *connection;
    broker_pull *pull;
    pthread_mutex_t lock;
    broker_msg *msg;
    uint64_t left; /* of what was asked for, told that it will not come */
};

static inline void reader_told(void *arg, enum broker_pull_note note, broker_msg *msg, uint64_t left,
                               const weir_error *err) {
    struct reader *reader = arg;
    (void)err;
    (void)note;
    pthread_mutex_lock(&reader->lock);
    if (msg) {
        assert_null(reader->msg);
        reader->msg = msg;
    }
    reader->left += left;
    pthread_mutex_unlock(&reader->lock);
}

static inline struct reader *reader_open(weir_connection *connection, const char *durable) {
    struct reader *reader = calloc(1, sizeof *reader);
    weir_error err = {0};
    reader->connection = connection;
    pthread_mutex_init(&reader->lock, NULL);
    expect_ok(broker_pull_open(&reader->pull, connection, "ORDERS", durable, reader_told, reader, &err),
              &err);
    return reader;
}

static inline void reader_close(struct reader *reader) {
    broker_pull_close(reader->pull);
    broker_msg_free(reader->msg);
    free(reader);
}

/* The next message; NULL: none now, or no consumer. */
static inline broker_msg *reader_next(struct reader *reader) {
    weir_error err;
    broker_msg *msg = NULL;
    bool over = false;
    pthread_mutex_lock(&reader->lock);
    reader->left = 0;
    pthread_mutex_unlock(&reader->lock);
    if (broker_pull_ask(reader->pull, 1, 0, true, &err) != WEIR_OK)
        return NULL;
    for (int i = 0; i < 50000 && !msg && !over; i++) {
        usleep(100);
        pthread_mutex_lock(&reader->lock);
        msg = reader->msg;
        reader->msg = NULL;
        over = reader->left > 0;
        pthread_mutex_unlock(&reader->lock);
    }
    return msg;
}

static inline uint64_t moving_sequence(const broker_msg *msg) {
    struct broker_meta meta;
    assert_true(broker_msg_meta(msg, &meta));
    return meta.stream_seq;
}

/* Reads and acknowledges `count`; returns the sequence of the last. */
static inline uint64_t reader_read(struct reader *reader, int count) {
    uint64_t sequence = 0;
    weir_error err = {0};
    for (int i = 0; i < count; i++) {
        broker_msg *msg = reader_next(reader);
        if (!msg)
            fail_msg("message %d of %d does not come", i + 1, count);
        sequence = moving_sequence(msg);
        expect_ok(broker_ack_sync(reader->connection, msg, 2000, &err), &err);
        broker_msg_free(msg);
    }
    return sequence;
}

/* Publishes an order.placed with id "direct-N" until it is acknowledged. Says how often it was refused. */
static inline int moving_publish(weir_connection *connection, int n) {
    char text[256], id[32];
    weir_error err = {0};
    struct broker_puback ack;
    snprintf(id, sizeof id, "direct-%d", n);
    snprintf(text, sizeof text,
             "{\"id\":\"%s\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,"
             "\"payload\":{\"customer\":\"d%d\",\"n\":%d}}",
             id, n % 5, n);
    struct broker_header header = {"Nats-Msg-Id", weir_text_of(id)};
    struct broker_out out = {"order.placed", weir_text_of(text), &header, 1};
    for (int refused = 0;; refused++) {
        weir_code code = broker_publish(connection, &out, NULL, 5000, &ack, &err);
        if (code == WEIR_OK)
            return refused;
        if (code == WEIR_TIMEOUT || refused > 20000)
            fail_msg("%s: %s", id, err.message);
        usleep(500);
    }
}

/* --- what is stored ------------------------------------------------------------------------------------------ */

struct moved {
    uint64_t direct[MANY], rows[MANY]; /* sequence of each; 0: not there */
    int last_direct, last_row, copies;
};

static inline void moved_one(uint64_t *at, int *last, int n, uint64_t sequence, int *copies) {
    *copies += at[n] != 0;
    at[n] = sequence;
    if (n <= *last && at == NULL)
        fail_msg("out of order");
    if (n <= *last)
        fail_msg("event %d stands behind event %d", n, *last);
    *last = n;
}

static inline void moved_visit(void *arg, uint64_t sequence, const broker_msg *msg) {
    struct moved *moved = arg;
    json_doc *doc;
    weir_error err = {0};
    if (text_starts(broker_msg_subject(msg), "_weir."))
        return;
    expect_ok(json_parse(&doc, broker_msg_data(msg), &err), &err);
    const char *id = json_cstr(json_get(json_root(doc), "id"));
    if (strncmp(id, "direct-", 7) == 0)
        moved_one(moved->direct, &moved->last_direct, (int)strtol(id + 7, NULL, 10), sequence,
                  &moved->copies);
    else if (strncmp(id, "row-", 4) == 0)
        moved_one(moved->rows, &moved->last_row, (int)strtol(id + 4, NULL, 10), sequence, &moved->copies);
    else
        fail_msg("unknown event '%s'", id);
    json_doc_free(doc);
}

static inline struct moved *moved_dump(weir_connection *connection) {
    struct moved *moved = calloc(1, sizeof *moved);
    moved->last_direct = moved->last_row = -1;
    kit_stream_dump(connection, "ORDERS", moved_visit, moved);
    assert_int_equal(moved->copies, 0);
    return moved;
}

#endif
