/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: publish */
/* Publishing without waiting: the window, its retries, and that every failure is heard once. */
#include "publish/tagged.h"
#include "publish_fixture.h"

static void publish_many(struct shop *shop, int from, int to) {
    for (int i = from; i < to; i++) {
        char id[20];
        snprintf(id, sizeof id, "o-%d", i);
        weir_draft draft = order(id, "{\"order\":\"7\",\"total\":12.50}");
        expect_ok(weir_publish_async(shop->publisher, &draft, &shop->err), &shop->err);
    }
}

/* Every id o-0 .. o-(count-1) stands in the stream once; in order when `ordered`. */
static void expect_each_once(struct shop *shop, int count, bool ordered) {
    char *seen = mem_alloc((size_t)count);
    assert_int_equal(stored(shop), count);
    for (int i = 0; i < count; i++) {
        broker_msg *msg;
        expect_ok(broker_get(shop->connection, "SHOP", (uint64_t)i + 1, &msg, &shop->err), &shop->err);
        char id[30];
        snprintf(id, sizeof id, "%.*s", TEXT_ARG(broker_msg_header(msg, "Nats-Msg-Id")));
        int number = (int)strtol(id + 2, NULL, 10);
        assert_in_range(number, 0, count - 1);
        assert_int_equal(seen[number]++, 0);
        if (ordered)
            assert_int_equal(number, i);
        broker_msg_free(msg);
    }
    mem_free(seen);
}

static void many_events_are_stored_in_order(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.window = 256});
    publish_many(&shop, 0, 3000);
    expect_ok(weir_publisher_settle(shop.publisher, 20000, &shop.err), &shop.err);
    expect_each_once(&shop, 3000, true);
    assert_int_equal(heard(&shop), 0);
    shop_close(&shop);
}

static void failures_need_a_listener(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    weir_publisher *deaf;
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    expect_ok(weir_publisher_open(&deaf, shop.connection, shop.catalog, NULL, &shop.err), &shop.err);
    expect_error(weir_publish_async(deaf, &draft, &shop.err), WEIR_INVALID, &shop.err,
                 "publishing without waiting needs on_failure, so that a failure is not missed");
    weir_publisher_close(deaf);
    weir_publisher_options options = {.best_effort = 1};
    expect_ok(weir_publisher_open(&deaf, shop.connection, shop.catalog, &options, &shop.err), &shop.err);
    expect_ok(weir_publish_async(deaf, &draft, &shop.err), &shop.err);
    weir_publisher_close(deaf);
    assert_int_equal(stored(&shop), 1);
    options = (weir_publisher_options){.window = 4097};
    expect_error(weir_publisher_open(&deaf, shop.connection, shop.catalog, &options, &shop.err), WEIR_INVALID,
                 &shop.err, "a publisher's window must be 1 to 4096, is 4097");
    shop_close(&shop);
}

static void each_failure_is_heard_once(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, false, (weir_publisher_options){0});
    publish_many(&shop, 0, 500);
    expect_error(weir_publisher_settle(shop.publisher, 20000, &shop.err), WEIR_UNAVAILABLE, &shop.err,
                 "500 events failed, the first one: shop.order.placed 'o-0': no stream takes subject "
                 "'shop.order.placed'; the catalog expects 'SHOP'");
    assert_string_equal(shop.err.hint, "run `weir apply`");
    assert_int_equal(heard(&shop), 500);
    assert_string_equal(shop.first.message,
                        "shop.order.placed 'o-0': no stream takes subject 'shop.order.placed'; "
                        "the catalog expects 'SHOP'");
    expect_ok(weir_publisher_settle(shop.publisher, 0, &shop.err), &shop.err);
    sleep_ms(200);
    assert_int_equal(heard(&shop), 500);
    shop_close(&shop);
}

static void a_restart_loses_nothing(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.ack_timeout_ms = 1000, .window = 512});
    publish_many(&shop, 0, 400);
    kit_server_kill(shop.server);
    publish_many(&shop, 400, 500); /* refused at once, kept, sent again later */
    kit_server_restart(shop.server);
    publish_many(&shop, 500, 2000);
    expect_ok(weir_publisher_settle(shop.publisher, 30000, &shop.err), &shop.err);
    expect_each_once(&shop, 2000, false);
    assert_int_equal(heard(&shop), 0);
    shop_close(&shop);
}

static void a_long_outage_fails_each_once(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.ack_timeout_ms = 200});
    kit_server_pause(shop.server);
    publish_many(&shop, 0, 100);
    expect_error(weir_publisher_settle(shop.publisher, 100, &shop.err), WEIR_TIMEOUT, &shop.err,
                 "100 events are not settled after 100 ms");
    expect_error(weir_publisher_settle(shop.publisher, 20000, &shop.err), WEIR_TIMEOUT, &shop.err,
                 "100 events failed, the first one: shop.order.placed 'o-0': the server did not answer; the "
                 "outcome is "
                 "unknown");
    assert_int_equal(heard(&shop), 100);
    kit_server_resume(shop.server);
    shop_close(&shop);
}

/* Stands in for a slow stream: takes every message at once and answers one each millisecond, in order. */
enum { SLOW_EVENTS = 2000, SLOW_ROOM = 5 * SLOW_EVENTS };
struct slow_stream {
    weir_connection *connection;
    pthread_mutex_t lock;
    char replies[SLOW_ROOM][64];
    int taken, answered;
    bool over;
};

static void take_message(void *arg, broker_msg *msg) {
    struct slow_stream *slow = arg;
    weir_text reply = broker_msg_reply(msg);
    pthread_mutex_lock(&slow->lock);
    if (slow->taken < SLOW_ROOM)
        snprintf(slow->replies[slow->taken++], sizeof slow->replies[0], "%.*s", TEXT_ARG(reply));
    pthread_mutex_unlock(&slow->lock);
    broker_msg_free(msg);
}

static bool answer_next(struct slow_stream *slow) {
    char text[64];
    pthread_mutex_lock(&slow->lock);
    bool over = slow->over;
    const char *reply = slow->answered < slow->taken ? slow->replies[slow->answered++] : NULL;
    snprintf(text, sizeof text, "{\"stream\":\"SHOP\",\"seq\":%d}", slow->answered);
    pthread_mutex_unlock(&slow->lock);
    struct broker_out out = {.subject = reply, .data = weir_text_of(text)};
    if (reply && broker_send(slow->connection, &out, NULL) != WEIR_OK)
        print_error("an answer could not be sent\n");
    return !over;
}

static void *answer_slowly(void *slow) {
    while (answer_next(slow))
        sleep_ms(1);
    return NULL;
}

static void a_slow_server_is_not_sent_to_twice(void **state) {
    (void)state;
    struct shop shop;
    broker_sub *sub;
    pthread_t thread;
    static struct slow_stream slow = {.lock = PTHREAD_MUTEX_INITIALIZER};
    shop_open(&shop, NULL, false, (weir_publisher_options){.ack_timeout_ms = 600});
    slow.connection = kit_connect(shop.server);
    expect_ok(broker_subscribe(&sub, slow.connection, "shop.>", take_message, &slow, &shop.err), &shop.err);
    expect_ok(broker_flush(slow.connection, 5000, &shop.err), &shop.err);
    assert_int_equal(pthread_create(&thread, NULL, answer_slowly, &slow), 0);
    publish_many(&shop, 0, SLOW_EVENTS);
    expect_ok(weir_publisher_settle(shop.publisher, 60000, &shop.err), &shop.err);
    pthread_mutex_lock(&slow.lock);
    slow.over = true;
    pthread_mutex_unlock(&slow.lock);
    pthread_join(thread, NULL);
    assert_int_equal(slow.taken, SLOW_EVENTS); /* though the last PubAck came two seconds after its event */
    broker_unsubscribe(sub);
    weir_disconnect(slow.connection);
    shop_close(&shop);
}

struct call {
    struct shop *shop;
    bool done;
};

static void *publish_fifth(void *arg) {
    struct call *call = arg;
    publish_many(call->shop, 4, 5);
    __atomic_store_n(&call->done, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void a_full_window_holds_the_caller(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.window = 4});
    struct call call = {.shop = &shop};
    pthread_t thread;
    kit_server_pause(shop.server);
    publish_many(&shop, 0, 4);
    assert_int_equal(pthread_create(&thread, NULL, publish_fifth, &call), 0);
    sleep_ms(300);
    assert_false(__atomic_load_n(&call.done, __ATOMIC_SEQ_CST));
    kit_server_resume(shop.server);
    pthread_join(thread, NULL);
    expect_ok(weir_publisher_settle(shop.publisher, 10000, &shop.err), &shop.err);
    expect_each_once(&shop, 5, true);
    shop_close(&shop);
}

static void closing_tells_what_was_left(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.ack_timeout_ms = 500});
    kit_server_pause(shop.server);
    publish_many(&shop, 0, 3);
    int64_t start = now_ms();
    weir_publisher_close(shop.publisher);
    shop.publisher = NULL;
    assert_true(now_ms() - start >= 400);
    assert_int_equal(heard(&shop), 3);
    assert_int_equal(shop.first.code, WEIR_TIMEOUT);
    kit_server_resume(shop.server);
    shop_close(&shop);
}

static void *publish_range(void *arg) {
    struct shop *shop = arg;
    static int next;
    int from = __atomic_fetch_add(&next, 250, __ATOMIC_SEQ_CST);
    publish_many(shop, from, from + 250);
    return NULL;
}

static void threads_share_a_publisher(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){.window = 64});
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_range, &shop), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    expect_ok(weir_publisher_settle(shop.publisher, 20000, &shop.err), &shop.err);
    expect_each_once(&shop, 1000, false);
    shop_close(&shop);
}

static void hear_tag(void *arg, uint64_t tag, const char *id, const char *type, const weir_error *err) {
    on_failure(arg, id, type, err);
    ((struct shop *)arg)->tags += tag;
}

static void a_tag_comes_back_with_the_failure(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, NULL, true, (weir_publisher_options){0});
    publish_on_tagged_failure(shop.publisher, hear_tag, &shop);
    weir_draft draft = order("o-1", "{\"order\":\"7\"}");
    expect_ok(publish_tagged(shop.publisher, &draft, 41, &shop.err), &shop.err);
    expect_ok(weir_publisher_settle(shop.publisher, 5000, &shop.err), &shop.err);
    draft.payload = weir_text_of("{\"order\":\"8\"}");
    expect_ok(publish_tagged(shop.publisher, &draft, 42, &shop.err), &shop.err);
    assert_int_equal(weir_publisher_settle(shop.publisher, 5000, &shop.err), WEIR_CONFLICT);
    assert_int_equal(shop.tags, 42);
    shop_close(&shop);
}

static void large_events_are_bounded_by_bytes(void **state) {
    (void)state;
    struct shop shop;
    shop_open(&shop, "max_payload: 8388608\n", true, (weir_publisher_options){.ack_timeout_ms = 20000});
    size_t size = 7 << 20;
    char *payload = mem_alloc(size + 64);
    int head = snprintf(payload, 64, "{\"order\":\"7\",\"note\":\"");
    memset(payload + head, 'x', size);
    memcpy(payload + head + size, "\"}", 3);
    for (int i = 0; i < 20; i++) { /* 140 MiB through 64 MiB of room */
        char id[20];
        snprintf(id, sizeof id, "o-%d", i);
        weir_draft draft = order(id, payload);
        expect_ok(weir_publish_async(shop.publisher, &draft, &shop.err), &shop.err);
    }
    expect_ok(weir_publisher_settle(shop.publisher, 60000, &shop.err), &shop.err);
    assert_int_equal(stored(&shop), 20);
    mem_free(payload);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"many events are stored once each, in the order of the calls", many_events_are_stored_in_order},
    {"publishing without waiting needs somebody who hears of failures", failures_need_a_listener},
    {"each failure is heard once and settle tells the first", each_failure_is_heard_once},
    {"a killed server loses nothing, each event is stored once", a_restart_loses_nothing},
    {"a long outage fails each event once", a_long_outage_fails_each_once},
    {"a slow server is not sent to twice", a_slow_server_is_not_sent_to_twice},
    {"a full window holds the caller until a PubAck comes", a_full_window_holds_the_caller},
    {"closing waits, then tells what was left", closing_tells_what_was_left},
    {"threads share a publisher", threads_share_a_publisher},
    {"a caller's tag comes back with the failure", a_tag_comes_back_with_the_failure},
    {"large events are bounded by their bytes", large_events_are_bounded_by_bytes},
};
SPEC_MAIN(specs)
