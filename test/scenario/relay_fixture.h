/* SPDX-License-Identifier: Apache-2.0 */
/* A shop with two streams, an outbox beside it, and what the streams hold in the end. Included by scenarios
 * of the relay. */
#ifndef SCENARIO_RELAY_FIXTURE_H
#define SCENARIO_RELAY_FIXTURE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "kit/broker.h"
#include "kit/catalog.h"
#include "kit/history.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/outbox.h"
#include "weir/plan.h"
#include "weir/relay.h"
#include "json/json.h"

#define SHOP_HEAD                                                                               \
    "weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"                                         \
    "defaults: {stream: {storage: file, num_replicas: 1, duplicate_window: 2m, max_age: 7d}}\n" \
    "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\"}\n"
#define SHOP_EVENT(type, stream)                                                                             \
    "  " type ": {stream: " stream ", subject: " type ", key: /payload/customer, owner: shop, version: 1,\n" \
    "    payload: {type: object, required: [n], properties: {customer: {type: string}, n: {type: "           \
    "integer}}}}\n"
#define SHOP_STREAMS "streams:\n  ORDERS: {subjects: [order.>]}\n  BILLS: {subjects: [bill.>]}\n"
#define SHOP                                                                \
    SHOP_HEAD SHOP_STREAMS "events:\n" SHOP_EVENT("order.placed", "ORDERS") \
        SHOP_EVENT("order.noted", "ORDERS") SHOP_EVENT("bill.sent", "BILLS")

struct shop {
    kit_server *server;
    weir_catalog *catalog;
    weir_connection *connection;
    sqlite3 *db;
    char url[512];
    int rows; /* inserted so far: row n has id "row-n" */
};

static inline void shop_sql(struct shop *shop, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(shop->db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static inline int64_t shop_number(struct shop *shop, const char *sql) {
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(shop->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static inline void shop_expect_text(struct shop *shop, const char *sql, const char *expected) {
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(shop->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    if (!text || strcmp(text, expected) != 0)
        fail_msg("%s gives '%s', expected '%s'", sql, text ? text : "NULL", expected);
    sqlite3_finalize(statement);
}

/* Makes the servers what the catalog says. */
static inline void shop_apply(struct shop *shop) {
    weir_plan *plan;
    weir_error err;
    expect_ok(weir_plan_make(&plan, shop->connection, shop->catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, shop->connection, NULL, &err), &err);
    weir_plan_free(plan);
}

static inline struct shop shop_open(const char *yaml) {
    static int number;
    char name[32];
    weir_error err;
    if (getenv("WEIR_TEST_LOG"))
        log_setup(LOG_DEBUG, false, STDERR_FILENO);
    struct shop shop = {.server = kit_server_start(NULL)};
    expect_ok(weir_catalog_open(&shop.catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    shop.connection = kit_connect(shop.server);
    shop_apply(&shop);
    snprintf(name, sizeof name, "shop-%d.db", ++number);
    snprintf(shop.url, sizeof shop.url, "sqlite:%s", kit_path(name));
    assert_int_equal(sqlite3_open(kit_path(name), &shop.db), SQLITE_OK);
    sqlite3_busy_timeout(shop.db, 5000);
    expect_ok(weir_outbox_init_sqlite(shop.db, &err), &err);
    return shop;
}

static inline void shop_close(struct shop *shop) {
    sqlite3_close(shop->db);
    weir_disconnect(shop->connection);
    weir_catalog_close(shop->catalog);
    kit_server_stop(shop->server);
}

/* Inserts rows of the types in turn, in transactions of `each`. */
static inline void shop_fill(struct shop *shop, int count, int each) {
    static const char *const types[] = {"order.placed", "bill.sent", "order.noted"};
    char sql[256];
    for (int i = 0; i < count; i++, shop->rows++) {
        if (i % each == 0)
            shop_sql(shop, "BEGIN IMMEDIATE");
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) VALUES ('row-%d', '%s', "
                 "'{\"n\":%d,\"customer\":\"c%d\"}')",
                 shop->rows, types[shop->rows % 3], shop->rows, shop->rows % 7);
        shop_sql(shop, sql);
        if (i % each == each - 1 || i == count - 1)
            shop_sql(shop, "COMMIT");
    }
}

static inline weir_relay *shop_relay(struct shop *shop, weir_connection *connection) {
    weir_relay *relay;
    weir_error err;
    weir_relay_options options = {.outbox = shop->url};
    expect_ok(
        weir_relay_open(&relay, connection ? connection : shop->connection, shop->catalog, &options, &err),
        &err);
    return relay;
}

static inline weir_relay_stats shop_relay_once(struct shop *shop) {
    weir_error err;
    weir_relay_stats stats;
    weir_relay *relay = shop_relay(shop, NULL);
    expect_ok(weir_relay_run(relay, true, &err), &err);
    weir_relay_stats_get(relay, &stats);
    weir_relay_close(relay);
    return stats;
}

/* A relay in a thread of its own. */
struct shop_running {
    weir_relay *relay;
    pthread_t thread;
    weir_code code;
    weir_error err;
};

static inline void *shop_run(void *arg) {
    struct shop_running *running = arg;
    running->code = weir_relay_run(running->relay, false, &running->err);
    return NULL;
}

static inline struct shop_running *shop_start(struct shop *shop, weir_connection *connection) {
    struct shop_running *running = calloc(1, sizeof *running);
    running->relay = shop_relay(shop, connection);
    assert_int_equal(pthread_create(&running->thread, NULL, shop_run, running), 0);
    return running;
}

static inline weir_relay_stats shop_end(struct shop_running *running, weir_code expected) {
    weir_relay_stats stats;
    weir_relay_stop(running->relay);
    pthread_join(running->thread, NULL);
    if (running->code != expected)
        fail_msg("the relay ended with %s: %s", weir_code_name(running->code), running->err.message);
    weir_relay_stats_get(running->relay, &stats);
    weir_relay_close(running->relay);
    free(running);
    return stats;
}

/* Waits until the relay says that this is its trouble. */
static inline void shop_expect_trouble(struct shop_running *running, const char *trouble) {
    weir_relay_stats stats = {.trouble = ""};
    for (int i = 0; i < 1000 && strcmp(stats.trouble, trouble) != 0; i++) {
        usleep(10000);
        weir_relay_stats_get(running->relay, &stats);
    }
    assert_string_equal(stats.trouble, trouble);
}

static inline bool shop_is_reachable(void *arg) {
    const struct shop *shop = arg;
    struct broker_stream_state state;
    return broker_stream_state(shop->connection, "ORDERS", &state, NULL) == WEIR_OK;
}

/* Waits until nothing is pending. */
static inline void shop_drained(struct shop *shop) {
    for (int i = 0; i < 600; i++) {
        if (shop_number(shop,
                        "SELECT count(*) FROM outbox_events WHERE processed = 0 AND parked_at IS NULL") == 0)
            return;
        usleep(50000);
    }
    fail_msg("rows are still pending after 30 s");
}

/* --- the end: what was committed against what is there --------------------------------------------- */

struct shop_dump {
    arena *arena;
    LIST(struct history_committed) committed;
    LIST(struct history_stored) stored;
};

static inline void shop_dump_committed(struct shop *shop, struct shop_dump *dump) {
    sqlite3_stmt *statement;
    uint64_t seen[7] = {
        0}; /* per customer: customers are keys, and an event of theirs is in one of two streams */
    uint64_t seen_bills[7] = {0};
    assert_int_equal(
        sqlite3_prepare_v2(shop->db,
                           "SELECT id, payload, type, json_extract(payload, '$.customer') FROM outbox_events"
                           " WHERE id LIKE 'row-%' ORDER BY pos",
                           -1, &statement, NULL),
        SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(statement, 2);
        const char *customer = (const char *)sqlite3_column_text(statement, 3);
        bool bill = strcmp(type, "bill.sent") == 0;
        uint64_t *numbers = bill ? seen_bills : seen;
        struct history_committed *row = list_add(dump->arena, &dump->committed);
        row->id = arena_strdup(dump->arena, (const char *)sqlite3_column_text(statement, 0));
        row->sha256 = arena_strdup(dump->arena,
                                   (const char *)sqlite3_column_text(statement, 1)); /* the payload itself */
        row->key = arena_printf(dump->arena, "%s-%s", customer, bill ? "BILLS" : "ORDERS");
        row->key_seq = ++numbers[customer[1] - '0'];
        row->subject = arena_strdup(dump->arena, type);
        row->stream = bill ? "BILLS" : "ORDERS";
    }
    sqlite3_finalize(statement);
}

/* An event as its reader sees it; the database must say the same sequence. */
static inline void shop_dump_event(struct shop *shop, struct shop_dump *dump, const char *stream,
                                   uint64_t sequence, const broker_msg *msg) {
    json_doc *doc;
    weir_error err;
    char sql[128];
    expect_ok(json_parse(&doc, broker_msg_data(msg), &err), &err);
    const json *payload = json_get(json_root(doc), "payload");
    buffer text;
    buffer_init(&text, 1 << 20);
    json_write(&text, payload, false);
    struct history_stored *stored = list_add(dump->arena, &dump->stored);
    stored->stream = stream;
    stored->sequence = sequence;
    stored->id = arena_cstr(dump->arena, json_text(json_get(json_root(doc), "id")));
    stored->key = arena_printf(dump->arena, "%s-%s", json_cstr(json_get(payload, "customer")), stream);
    stored->subject = arena_cstr(dump->arena, broker_msg_subject(msg));
    stored->sha256 = arena_cstr(dump->arena, buffer_view(&text));
    snprintf(sql, sizeof sql, "SELECT coalesce(max(sequence), 0) FROM outbox_events WHERE id = '%s'",
             stored->id);
    assert_int_equal(shop_number(shop, sql), sequence);
    buffer_release(&text);
    json_doc_free(doc);
}

static inline void shop_dump_stream(struct shop *shop, struct shop_dump *dump, const char *stream) {
    struct broker_stream_state state;
    weir_error err;
    expect_ok(broker_stream_state(shop->connection, stream, &state, &err), &err);
    for (uint64_t sequence = state.first_seq; sequence <= state.last_seq; sequence++) {
        broker_msg *msg;
        weir_code code = broker_get(shop->connection, stream, sequence, &msg, &err);
        if (code == WEIR_NOT_FOUND)
            continue;
        expect_ok(code, &err);
        if (!broker_msg_header(msg, "Weir-Cursor").data)
            shop_dump_event(shop, dump, stream, sequence, msg);
        broker_msg_free(msg);
    }
}

/* Every row inserted stands in its stream exactly once, unchanged, in the order of its key, where the database says. */
static inline void shop_expect_all_once(struct shop *shop) {
    struct shop_dump dump = {.arena = arena_new()};
    struct history_report report;
    shop_dump_committed(shop, &dump);
    shop_dump_stream(shop, &dump, "ORDERS");
    shop_dump_stream(shop, &dump, "BILLS");
    struct history history = {.committed = dump.committed.items,
                              .committed_count = dump.committed.count,
                              .stored = dump.stored.items,
                              .stored_count = dump.stored.count};
    history_check(&history, &report);
    if (!history_clean(&report)) {
        history_print(stderr, &report);
        fail_msg("the streams are not what was committed");
    }
    assert_int_equal(dump.committed.count, shop->rows);
    arena_free(dump.arena);
}

#endif
