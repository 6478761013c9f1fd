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

struct shop;

/* A database with an outbox, as a service sees it. */
struct shop_store {
    const char *begin;               /* begins a transaction that writes */
    void (*open)(struct shop *shop); /* a fresh outbox: its url and a connection */
    void (*close)(void *db);
    void (*sql)(void *db, const char *sql); /* statements that must succeed */
    /* Visits what a query gives; values are texts, NULL for NULL. */
    void (*rows)(void *db, const char *query, void (*visit)(void *arg, const char *const *values), void *arg);
};

struct shop {
    kit_server *server;
    weir_catalog *catalog;
    weir_connection *connection;
    const struct shop_store *store;
    void *db;
    char url[512];
    int rows; /* inserted so far: row n has id "row-n" */
    enum weir_relay_mode mode;
    bool catch_up;
    bool
        torn; /* a stream forgot some of its events: those of a transaction need not stand together any more */
};

static inline void shop_sql(struct shop *shop, const char *sql) {
    shop->store->sql(shop->db, sql);
}

struct shop_value {
    int rows;
    char text[512];
};

static inline void shop_keep_value(void *arg, const char *const *values) {
    struct shop_value *value = arg;
    if (value->rows++ == 0)
        snprintf(value->text, sizeof value->text, "%s", values[0] ? values[0] : "");
}

/* The first value of the first row. */
static inline struct shop_value shop_value(struct shop *shop, const char *query) {
    struct shop_value value = {0};
    shop->store->rows(shop->db, query, shop_keep_value, &value);
    if (value.rows == 0)
        fail_msg("gave no row: %s", query);
    return value;
}

static inline int64_t shop_number(struct shop *shop, const char *query) {
    return strtoll(shop_value(shop, query).text, NULL, 10);
}

static inline void shop_expect_text(struct shop *shop, const char *query, const char *expected) {
    struct shop_value value = shop_value(shop, query);
    if (strcmp(value.text, expected) != 0)
        fail_msg("%s gives '%s', expected '%s'", query, value.text, expected);
}

#define SHOP_PENDING "SELECT count(*) FROM outbox_events WHERE NOT processed AND parked_at IS NULL"

/* --- SQLite ------------------------------------------------------------------------------------------ */

static inline void shop_sqlite_open(struct shop *shop) {
    static int number;
    char name[32];
    weir_error err;
    sqlite3 *db;
    snprintf(name, sizeof name, "shop-%d.db", ++number);
    snprintf(shop->url, sizeof shop->url, "sqlite:%s", kit_path(name));
    assert_int_equal(sqlite3_open(kit_path(name), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    expect_ok(weir_outbox_init_sqlite(db, &err), &err);
    shop->db = db;
}

static inline void shop_sqlite_close(void *db) {
    sqlite3_close(db);
}

static inline void shop_sqlite_sql(void *db, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static inline void shop_sqlite_rows(void *db, const char *query,
                                    void (*visit)(void *arg, const char *const *values), void *arg) {
    sqlite3_stmt *statement;
    const char *values[16];
    if (sqlite3_prepare_v2(db, query, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement) && i < 16; i++)
            values[i] = (const char *)sqlite3_column_text(statement, i);
        visit(arg, values);
    }
    assert_int_equal(rc, SQLITE_DONE);
    sqlite3_finalize(statement);
}

static const struct shop_store shop_sqlite = {.begin = "BEGIN IMMEDIATE",
                                              .open = shop_sqlite_open,
                                              .close = shop_sqlite_close,
                                              .sql = shop_sqlite_sql,
                                              .rows = shop_sqlite_rows};

/* --- a shop and what it sells ------------------------------------------------------------------------- */

/* Makes the servers what the catalog says. */
static inline void shop_apply(struct shop *shop) {
    weir_plan *plan;
    weir_error err;
    expect_ok(weir_plan_make(&plan, shop->connection, shop->catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, shop->connection, NULL, &err), &err);
    weir_plan_free(plan);
}

static inline struct shop shop_open_on(const char *yaml, const struct shop_store *store,
                                       const struct kit_server_options *server) {
    weir_error err;
    if (getenv("WEIR_TEST_LOG"))
        log_setup(LOG_DEBUG, false, STDERR_FILENO);
    struct shop shop = {.server = kit_server_start(server), .store = store};
    expect_ok(weir_catalog_open(&shop.catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    shop.connection = kit_connect(shop.server);
    shop_apply(&shop);
    store->open(&shop);
    return shop;
}

static inline struct shop shop_open(const char *yaml) {
    return shop_open_on(yaml, &shop_sqlite, NULL);
}

static inline void shop_close(struct shop *shop) {
    shop->store->close(shop->db);
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
            shop_sql(shop, shop->store->begin);
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
    weir_relay_options options = {.outbox = shop->url, .mode = shop->mode, .catch_up = shop->catch_up};
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
        if (shop_number(shop, SHOP_PENDING) == 0)
            return;
        usleep(50000);
    }
    fail_msg("rows are still pending after 30 s");
}

#endif
