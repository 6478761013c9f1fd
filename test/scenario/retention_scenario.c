/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay publish consume plan */
/* Retention on a real server: what must be gone is gone, what must stay stays, groups get what the policy promises, and the
 * relay's cursor messages do not get in the way. Events come through the library and through the outbox. */
#include "kit/group.h"
#include "kit/stream.h"
#include "relay_fixture.h"
#include "weir/publish.h"

/* One stream with the settings under test; its subject has the customer in it. */
#define SHELF(settings, groups)                                                                     \
    SHOP_HEAD                                                                                       \
    "streams:\n  ORDERS: {subjects: [order.>]" settings "}\n"                                       \
    "events:\n"                                                                                     \
    "  order.placed: {stream: ORDERS, subject: \"order.placed.{customer}\", "                       \
    "params: {customer: /payload/customer},\n"                                                      \
    "    key: /payload/customer, owner: shop, version: 1,\n"                                        \
    "    payload: {type: object, required: [customer, n], properties: {customer: {type: string},\n" \
    "      n: {type: integer}, text: {type: string}}}}\n"                                           \
    "groups:\n" groups
#define GROUP(name)                                                                                  \
    "  " name ": {service: shop, from: {ORDERS: all}, order: none, max_deliver: 3, retry: [100ms], " \
    "ack_wait: 2s, max_ack_pending: 1000}\n"

/* --- in ----------------------------------------------------------------------------------------------- */

/* Orders `from` to `to` of customers c0 to c3 in turn, `padding` bytes large and a little. */
static const char *order_text(int n, int padding) {
    static char text[4096];
    snprintf(text, sizeof text, "{\"n\":%d,\"customer\":\"c%d\",\"text\":\"%0*d\"}", n, n % 4, padding, 0);
    return text;
}

static void insert(struct shop *shop, int from, int to, int padding) {
    char sql[4400];
    shop_sql(shop, "BEGIN IMMEDIATE");
    for (int n = from; n <= to; n++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) VALUES ('row-%d', 'order.placed', '%s')", n,
                 order_text(n, padding));
        shop_sql(shop, sql);
    }
    shop_sql(shop, "COMMIT");
}

/* Waits of the library are over at once. */
static int64_t hasty_ns(void *self) {
    static _Atomic int64_t now;
    (void)self;
    return now += 10 * INT64_C(1000000000);
}

static int64_t wall_ns(void *self) {
    (void)self;
    return weir_clock_system()->wall_ns(weir_clock_system()->self);
}

static weir_code publish(struct shop *shop, int n, int padding, weir_error *err) {
    static const weir_clock hasty = {.wall_ns = wall_ns, .mono_ns = hasty_ns};
    weir_publisher_options options = {.clock = &hasty};
    weir_publisher *publisher;
    expect_ok(weir_publisher_open(&publisher, shop->connection, shop->catalog, &options, err), err);
    char id[16];
    snprintf(id, sizeof id, "row-%d", n);
    weir_draft draft = {.type = weir_text_of("order.placed"),
                        .id = weir_text_of(id),
                        .payload = weir_text_of(order_text(n, padding))};
    weir_code code = weir_publish(publisher, &draft, NULL, err);
    weir_publisher_close(publisher);
    return code;
}

/* --- out ---------------------------------------------------------------------------------------------- */

struct shelf {
    int orders[256], count, cursors;
};

static void look_at(void *arg, uint64_t sequence, const broker_msg *msg) {
    struct shelf *shelf = arg;
    json_doc *doc;
    int64_t n;
    (void)sequence;
    if (broker_msg_header(msg, "Weir-Cursor").data) {
        shelf->cursors++;
        return;
    }
    expect_ok(json_parse(&doc, broker_msg_data(msg), NULL), NULL);
    assert_true(json_int(json_get(json_get(json_root(doc), "payload"), "n"), &n));
    shelf->orders[shelf->count++] = (int)n;
    json_doc_free(doc);
}

static struct shelf shelf_of(struct shop *shop) {
    struct shelf shelf = {.count = 0};
    kit_stream_dump(shop->connection, "ORDERS", look_at, &shelf);
    return shelf;
}

static bool has_few_cursors(void *arg) {
    return shelf_of(arg).cursors <= 2;
}

/* Half of them through the outbox, a relay's run for each, and half through the library. */
static void put(struct shop *shop, int from, int to, int padding) {
    weir_error err;
    for (int n = from; n <= to; n++)
        if (n % 2) {
            insert(shop, n, n, padding);
            assert_int_equal(shop_relay_once(shop).published, 1);
            assert_true(kit_until(has_few_cursors, shop));
        } else {
            expect_ok(publish(shop, n, padding, &err), &err);
        }
}

/* The stream holds exactly these orders, in this order, and few cursors. */
static void expect_shelf(struct shop *shop, int from, int to) {
    assert_true(kit_until(has_few_cursors, shop));
    struct shelf shelf = shelf_of(shop);
    assert_int_equal(shelf.count, to - from + 1);
    for (int i = 0; i < shelf.count; i++)
        assert_int_equal(shelf.orders[i], from + i);
}

static weir_verdict note(void *arg, const weir_delivery *delivery) {
    kit_log_add(arg, delivery);
    return WEIR_DONE;
}

/* A member handles what its group has; each order of `from` to `to` once, and no other. */
static void expect_handles(struct shop *shop, const char *group, int from, int to) {
    struct kit_world world = {shop->server, shop->catalog, shop->connection};
    struct kit_log *log = kit_log_new();
    weir_member_options options = {.group = group, .handler = note, .handler_arg = log};
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(log), to - from + 1);
    for (int n = from; n <= to; n++)
        assert_int_equal(kit_log_times(log, n, 0), 1);
    kit_log_free(log);
}

static bool is_empty(void *arg) {
    return shelf_of(arg).count == 0;
}

static bool nothing_left(void *arg) {
    struct shelf shelf = shelf_of(arg);
    return shelf.count == 0 && shelf.cursors == 0;
}

/* The catalog changes, and the servers with it. */
static void change(struct shop *shop, const char *yaml) {
    weir_catalog_close(shop->catalog);
    shop->catalog = kit_catalog_open(yaml);
    shop_apply(shop);
}

/* --- limits ------------------------------------------------------------------------------------------- */

static void age_takes_all(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", max_age: 1s, duplicate_window: 1s", GROUP("desk")));
    put(&shop, 0, 5, 1);
    assert_true(kit_until(nothing_left, &shop));
    expect_handles(&shop, "desk", 0, -1);
    change(&shop, SHELF(", max_age: 1h", GROUP("desk") GROUP("late")));
    put(&shop, 6, 9, 1); /* the relay goes on where its cursor is gone */
    expect_shelf(&shop, 6, 9);
    expect_handles(&shop, "desk", 6, 9);
    expect_handles(&shop, "late", 6, 9);
    shop_close(&shop);
}

static void bytes_take_the_oldest(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", max_bytes: 30KiB", GROUP("desk")));
    put(&shop, 0, 59, 1000);
    struct shelf shelf = shelf_of(&shop);
    assert_in_range(shelf.count, 18, 28); /* without their cursors, old ones would be half of it */
    expect_shelf(&shop, 60 - shelf.count, 59);
    expect_handles(&shop, "desk", 60 - shelf.count, 59);
    shop_close(&shop);
}

static void count_takes_the_oldest(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", max_msgs: 20", GROUP("desk")));
    put(&shop, 0, 39, 1);
    expect_shelf(&shop, 23, 39); /* and room for two cursors and the next */
    expect_handles(&shop, "desk", 23, 39);
    put(&shop, 40, 40, 1);
    expect_handles(&shop, "desk", 40, 40);
    shop_close(&shop);
}

static void each_subject_keeps_its_last(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", max_msgs_per_subject: 2", GROUP("desk")));
    put(&shop, 0, 19, 1);
    expect_shelf(&shop, 12, 19); /* two of each of four customers */
    insert(&shop, 20, 20, 1);
    shop_relay_once(&shop);
    struct shelf shelf = shelf_of(&shop);
    assert_int_equal(shelf.count, 8);
    assert_int_equal(shelf.orders[0], 13); /* the customer's second last made room, nobody else's */
    expect_handles(&shop, "desk", 13, 20);
    shop_close(&shop);
}

/* --- full --------------------------------------------------------------------------------------------- */

/* A full stream that refuses new events keeps what it has. The publisher is told; the relay waits and says so, and goes on
 * when there is room. */
static void full(const char *small, const char *large, int padding, const char *what) {
    char refusal[200], trouble[100];
    struct shop shop = shop_open(small);
    weir_error err;
    int stored = 0;
    while (publish(&shop, stored, padding, &err) == WEIR_OK)
        stored++;
    assert_in_range(stored, 5, 30);
    snprintf(refusal, sizeof refusal,
             "order.placed 'row-%d': 'order.placed.c%d': maximum %s exceeded (10077)", stored, stored % 4,
             what);
    snprintf(trouble, sizeof trouble, "ORDERS: publish: maximum %s exceeded (10077)", what);
    assert_string_equal(err.message, refusal);
    insert(&shop, stored, stored + 9, padding);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_expect_trouble(running, trouble);
    expect_shelf(&shop, 0, stored - 1);
    shop_end(running, WEIR_OK);
    change(&shop, large);
    running = shop_start(&shop, NULL);
    shop_drained(&shop);
    assert_int_equal(shop_end(running, WEIR_OK).parked, 0);
    expect_shelf(&shop, 0, stored + 9);
    expect_handles(&shop, "desk", 0, stored + 9);
    shop_close(&shop);
}

static void full_by_count(void **state) {
    (void)state;
    full(SHELF(", max_msgs: 10, discard: new", GROUP("desk")),
         SHELF(", max_msgs: 100, discard: new", GROUP("desk")), 1, "messages");
}

static void full_by_bytes(void **state) {
    (void)state;
    full(SHELF(", max_bytes: 20KiB, discard: new", GROUP("desk")),
         SHELF(", max_bytes: 100KiB, discard: new", GROUP("desk")), 1000, "bytes");
}

/* A bounded work queue: more rows wait than it ever holds, and they go in as the group makes room. */
static void more_than_it_holds(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", retention: workqueue, max_msgs: 10, discard: new", GROUP("desk")));
    struct kit_world world = {shop.server, shop.catalog, shop.connection};
    struct kit_log *log = kit_log_new();
    weir_member_options options = {.group = "desk", .handler = note, .handler_arg = log};
    insert(&shop, 0, 59, 1);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_expect_trouble(running, "ORDERS: publish: maximum messages exceeded (10077)");
    struct kit_member *member = kit_member_start(&world, &options);
    shop_drained(&shop);
    kit_log_wait(log, 60);
    weir_error err;
    expect_ok(kit_member_end(member, &err), &err);
    assert_int_equal(shop_end(running, WEIR_OK).published, 60);
    for (int n = 0; n < 60; n++)
        assert_int_equal(kit_log_times(log, n, 0), 1);
    expect_shelf(&shop, 0, -1);
    kit_log_free(log);
    shop_close(&shop);
}

/* --- handled, and then gone ------------------------------------------------------------------------- */

static void a_queue_gives_each_once(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", retention: workqueue", GROUP("desk")));
    put(&shop, 0, 19, 1);
    expect_shelf(&shop, 0, 19); /* kept until they are handled */
    expect_handles(&shop, "desk", 0, 19);
    assert_true(kit_until(is_empty, &shop));
    put(&shop, 20, 29, 1);
    expect_shelf(&shop, 20, 29);
    expect_handles(&shop, "desk", 20, 29);
    assert_true(kit_until(is_empty, &shop));
    expect_shelf(&shop, 0, -1);
    shop_close(&shop);
}

static void interest_waits_for_every_group(void **state) {
    (void)state;
    struct shop shop = shop_open(SHELF(", retention: interest", GROUP("desk") GROUP("books")));
    put(&shop, 0, 9, 1);
    expect_handles(&shop, "desk", 0, 9);
    expect_shelf(&shop, 0, 9); /* the other group has not had them */
    expect_handles(&shop, "books", 0, 9);
    assert_true(kit_until(is_empty, &shop));
    change(&shop, SHELF(", retention: interest", GROUP("desk") GROUP("books") GROUP("new")));
    put(&shop, 10, 14, 1);
    expect_handles(&shop, "new", 10, 14); /* nothing is kept for those who come later */
    expect_handles(&shop, "desk", 10, 14);
    expect_shelf(&shop, 10, 14);
    expect_handles(&shop, "books", 10, 14);
    assert_true(kit_until(is_empty, &shop));
    expect_shelf(&shop, 0, -1);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"max_age - old events go, younger ones stay, the relay goes on", age_takes_all},
    {"max_bytes - the oldest make room, old cursors do not take it", bytes_take_the_oldest},
    {"max_msgs - the oldest make room, old cursors do not take it", count_takes_the_oldest},
    {"max_msgs_per_subject - each subject keeps its last events", each_subject_keeps_its_last},
    {"max_msgs with discard new - the publisher is told, the relay waits and says so", full_by_count},
    {"max_bytes with discard new - the publisher is told, the relay waits and says so", full_by_bytes},
    {"a full work queue takes more rows than it holds as its group makes room", more_than_it_holds},
    {"workqueue - each event is handled once and gone, few cursors stay", a_queue_gives_each_once},
    {"interest - an event stays until every group handled it and is gone then",
     interest_waits_for_every_group},
};
SPEC_MAIN(specs)
