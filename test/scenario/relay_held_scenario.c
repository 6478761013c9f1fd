/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* Events with `when_parked: hold`: when a row is parked, later rows of its key wait for it, and nothing else does. */
#include "relay_fixture.h"

#define HOLDING_EVENT(type, stream, policy)                                                              \
    "  " type ": {stream: " stream ", subject: " type ", key: /payload/customer, owner: shop, " policy   \
    "version: 1,\n    payload: {type: object, required: [n], properties: {customer: {type: string}, n: " \
    "{type: integer}}}}\n"
#define HOLDING                                                                                       \
    SHOP_HEAD SHOP_STREAMS "events:\n" HOLDING_EVENT("order.placed", "ORDERS", "when_parked: hold, ") \
        HOLDING_EVENT("order.noted", "ORDERS", "")                                                    \
            HOLDING_EVENT("bill.sent", "BILLS", "when_parked: hold, ")

/* Row "id" of a customer; "n" is what the payload says, an integer when it is good. */
static void insert(struct shop *shop, const char *id, const char *type, const char *customer, const char *n) {
    char sql[512];
    snprintf(
        sql, sizeof sql,
        "INSERT INTO outbox_events (id, type, payload) VALUES ('%s', '%s', '{\"n\":%s,\"customer\":\"%s\"}')",
        id, type, n, customer);
    shop_sql(shop, sql);
}

static void expect_held(struct shop *shop, const char *ids, int behind) {
    char reason[64];
    snprintf(reason, sizeof reason, "row %d of the same key is parked", behind);
    shop_expect_text(shop,
                     "SELECT coalesce(group_concat(id, ' '), '') FROM (SELECT id FROM outbox_events WHERE "
                     "parked_at NOTNULL AND error_class = 'held' ORDER BY pos)",
                     ids);
    if (*ids)
        shop_expect_text(shop, "SELECT DISTINCT error FROM outbox_events WHERE error_class = 'held'", reason);
}

static void expect_orders(struct shop *shop, const char *ids) {
    shop_expect_text(
        shop,
        "SELECT group_concat(id, ' ') FROM (SELECT id FROM outbox_events WHERE stream = 'ORDERS' "
        "AND processed ORDER BY sequence)",
        ids);
}

static void drop(struct shop *shop, int64_t pos) {
    outbox *outbox;
    weir_error err;
    expect_ok(outbox_open(&outbox, shop->url, NULL, &err), &err);
    expect_ok(outbox_drop(outbox, pos, "a test", 1763121600000000, &err), &err);
    outbox_close(outbox);
}

static size_t retry(struct shop *shop, int64_t pos) {
    outbox *outbox;
    weir_error err;
    size_t count;
    expect_ok(outbox_open(&outbox, shop->url, NULL, &err), &err);
    expect_ok(outbox_unpark(outbox, pos, &count, &err), &err);
    outbox_close(outbox);
    return count;
}

/* Row 2 is no event; a and c are customers. */
static struct shop a_shop_with_a_bad_row(void) {
    struct shop shop = shop_open(HOLDING);
    insert(&shop, "a1", "order.placed", "a", "1");
    insert(&shop, "a2", "order.placed", "a", "\"two\"");
    insert(&shop, "a3", "order.placed", "a", "3");
    insert(&shop, "c1", "order.placed", "c", "1");
    insert(&shop, "a4", "order.noted", "a", "4");
    insert(&shop, "bill", "bill.sent", "a", "5");
    return shop;
}

static void later_rows_of_the_key_wait(void **state) {
    (void)state;
    struct shop shop = a_shop_with_a_bad_row();
    weir_relay_stats stats = shop_relay_once(&shop);
    assert_int_equal(stats.published, 3);
    assert_int_equal(stats.parked, 3);
    expect_orders(&shop, "a1 c1");
    expect_held(&shop, "a3 a4", 2);
    insert(&shop, "a5", "order.placed", "a", "5"); /* for a relay that has to read who waits */
    insert(&shop, "c2", "order.placed", "c", "2");
    assert_int_equal(shop_relay_once(&shop).published, 1);
    expect_held(&shop, "a3 a4 a5", 2);
    shop_close(&shop);
}

static void dropping_lets_them_go(void **state) {
    (void)state;
    struct shop shop = a_shop_with_a_bad_row();
    struct shop_running *running = shop_start(&shop, NULL);
    shop_drained(&shop);
    drop(&shop, 2);
    insert(&shop, "a5", "order.placed", "a", "5");
    shop_drained(&shop);
    assert_int_equal(shop_end(running, WEIR_OK).published, 6);
    expect_held(&shop, "", 0);
    expect_orders(&shop, "a1 c1 a3 a4 a5");
    shop_close(&shop);
}

static void trying_again_in_vain(void **state) {
    (void)state;
    struct shop shop = a_shop_with_a_bad_row();
    (void)shop_relay_once(&shop);
    assert_int_equal(retry(&shop, 2), 3);
    expect_held(&shop, "", 0);
    assert_int_equal(shop_relay_once(&shop).parked, 3);
    expect_held(&shop, "a3 a4", 2);
    shop_close(&shop);
}

static void one_behind_the_other(void **state) {
    (void)state;
    struct shop shop = a_shop_with_a_bad_row();
    insert(&shop, "a5", "order.placed", "a", "\"five\"");
    insert(&shop, "a6", "order.placed", "a", "6");
    struct shop_running *running = shop_start(&shop, NULL);
    shop_drained(&shop);
    expect_held(&shop, "a3 a4 a5 a6", 2);
    drop(&shop, 2);
    shop_drained(&shop);
    expect_held(&shop, "a6", 7);
    drop(&shop, 7);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    expect_orders(&shop, "a1 c1 a3 a4 a6");
    shop_close(&shop);
}

static void what_the_server_refuses_holds_too(void **state) {
    (void)state;
    struct shop shop = shop_open(HOLDING);
    kit_api(shop.connection, "STREAM.UPDATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"order.>\",\"_weir.cursor.ORDERS.*\"],\"allow_atomic\":true,"
            "\"max_msg_size\":4000,\"storage\":\"file\",\"max_age\":604800000000000,\"duplicate_window\":"
            "120000000000}");
    insert(&shop, "a1", "order.placed", "a", "1");
    shop_sql(&shop, "INSERT INTO outbox_events (id, type, payload) SELECT 'a2', 'order.placed',"
                    " '{\"n\":1,\"customer\":\"a\",\"text\":\"' || printf('%.5000c', 'x') || '\"}'");
    insert(&shop, "a3", "order.placed", "a", "3");
    insert(&shop, "c1", "order.placed", "c", "1");
    (void)shop_relay_once(&shop);
    expect_orders(&shop, "a1 c1");
    expect_held(&shop, "a3", 2);
    shop_close(&shop);
}

/* A relay was killed between setting a row aside and seeing that the one before it was let go. */
static void nobody_waits_for_ever(void **state) {
    (void)state;
    struct shop shop = shop_open(HOLDING);
    insert(&shop, "a1", "order.placed", "a", "1");
    insert(&shop, "a2", "order.placed", "a", "2");
    assert_int_equal(shop_relay_once(&shop).published, 2);
    insert(&shop, "a3", "order.placed", "a", "3");
    shop_sql(&shop, "UPDATE outbox_events SET parked_at = 'now', error_class = 'held', "
                    "error = 'row 2 of the same key is parked' WHERE id = 'a3'");
    assert_int_equal(shop_relay_once(&shop).published, 1);
    expect_orders(&shop, "a1 a2 a3");
    shop_close(&shop);
}

static void without_a_key_it_is_refused(void **state) {
    (void)state;
    weir_catalog *catalog;
    weir_error err;
    const char *folder = kit_catalog_folder(
        SHOP_HEAD "streams:\n  ORDERS: {subjects: [order.>]}\nevents:\n  order.placed: {stream: ORDERS, "
                  "owner: shop, when_parked: hold, payload: true}\n");
    assert_int_equal(weir_catalog_open(&catalog, folder, NULL, NULL, &err), WEIR_INVALID);
    assert_non_null(strstr(err.message,
                           "event 'order.placed': 'when_parked: hold' holds later rows of the same "
                           "key, and there is no 'key'"));
}

static const struct spec specs[] = {
    {"later rows of its key wait for a parked row, and no others", later_rows_of_the_key_wait},
    {"dropping the parked row lets them go in their order", dropping_lets_them_go},
    {"a row retried in vain holds them again", trying_again_in_vain},
    {"they wait one behind the other", one_behind_the_other},
    {"a row that the server refuses holds its key too", what_the_server_refuses_holds_too},
    {"a row that was left behind one let go comes back at the start", nobody_waits_for_ever},
    {"an event without a key cannot hold", without_a_key_it_is_refused},
};
SPEC_MAIN(specs)
