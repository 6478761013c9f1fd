/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* The relay on a real nats-server: rows reach their streams once and in order, bad ones are parked, and what
 * is not as it should be is said. */
#include <sys/resource.h>
#include <time.h>

#include "kit/program.h"
#include "relay_fixture.h"
#include "relay_history.h"

static void a_short_keep_is_raised(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    const char *catalog = kit_catalog_folder(SHOP), *server = kit_server_url(shop.server);
    const char *argv[] = {kit_program("weir"), "relay", "--outbox", shop.url, "--once", "--catalog", catalog,
                          "--server",          server,  "--keep",   "1h",     NULL};
    struct kit_run run = kit_run(argv, NULL, 60);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(
        run.err, "--keep is raised to 24h, the least: published rows bring back what a stream forgot\n"));
    kit_run_free(&run);
    shop_close(&shop);
}

static void rows_reach_their_streams(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    shop_fill(&shop, 3000, 10);
    weir_relay_stats stats = shop_relay_once(&shop);
    assert_int_equal(stats.published, 3000);
    assert_int_equal(stats.parked, 0);
    assert_int_equal(stats.pending, 0);
    assert_string_equal(stats.trouble, "");
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void once_means_committed_before(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    assert_int_equal(shop_relay_once(&shop).published, 0);
    shop_fill(&shop, 30, 30);
    shop_sql(
        &shop,
        "BEGIN; INSERT INTO outbox_events (type, payload) VALUES ('order.placed', '{\"n\":1}'); ROLLBACK");
    assert_int_equal(shop_relay_once(&shop).published, 30);
    assert_int_equal(shop_relay_once(&shop).published, 0);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* --- waking up ------------------------------------------------------------------------------------ */

static int64_t now_us(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / 1000;
}

static int64_t publish_latency_us(struct shop *shop) {
    int64_t start = now_us();
    shop_fill(shop, 1, 1);
    while (shop_number(shop, SHOP_PENDING) > 0)
        usleep(200);
    return now_us() - start;
}

static void a_commit_is_published_at_once(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct shop_running *running = shop_start(&shop, NULL);
    int64_t best = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        int64_t latency = publish_latency_us(&shop);
        best = latency < best ? latency : best;
        usleep(20000);
    }
    shop_end(running, WEIR_OK);
    if (best > 500000) /* a relay that looked once a second would have looked just before each of them */
        fail_msg("the quickest of 20 rows was settled after %lld us", (long long)best);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void an_idle_relay_costs_nothing(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    shop_fill(&shop, 10, 10);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_drained(&shop);
    struct timespec before, after;
    usleep(500000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    sleep(2);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    shop_end(running, WEIR_OK);
    double spent_ms =
        (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6;
    if (spent_ms > 100)
        fail_msg("an idle relay used %.0f ms of CPU in 2 s", spent_ms);
    shop_close(&shop);
}

/* --- rows that cannot be published ------------------------------------------------------------------- */

static void expect_parked(struct shop *shop, int row, const char *class, const char *reason) {
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT error_class FROM outbox_events WHERE id = 'bad-%d'", row);
    shop_expect_text(shop, sql, class);
    snprintf(sql, sizeof sql, "SELECT error FROM outbox_events WHERE id = 'bad-%d'", row);
    shop_expect_text(shop, sql, reason);
}

static void bad_rows_step_aside(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        {"'order.placed', '{\"n\":\"one\"}'", "schema",
         "order.placed: payload /n: must be an integer, is a string (type)"},
        {"'order.placed', '{}'", "schema",
         "order.placed: payload: misses the required property 'n' (required)"},
        {"'order.placed', '{\"n\":1'", "schema",
         "order.placed: the payload is not valid JSON: line 1, column 7: the text ends before the value "
         "does"},
        {"'order.paid', '{\"n\":1}'", "schema", "no event type 'order.paid' in catalog 'shop'"},
        {"NULL, '{\"n\":1}'", "schema", "type is NULL"},
        {"'order.placed', x'7b7d'", "schema", "payload is a blob, not text"},
    };
    struct shop shop = shop_open(SHOP);
    char sql[512];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        shop_fill(&shop, 5, 5);
        snprintf(sql, sizeof sql, "INSERT INTO outbox_events (id, type, payload) VALUES ('bad-%zu', %s)", i,
                 rows[i][0]);
        shop_sql(&shop, sql);
    }
    shop_fill(&shop, 5, 5);
    weir_relay_stats stats = shop_relay_once(&shop);
    assert_int_equal(stats.published, 35);
    assert_int_equal(stats.parked, 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_parked(&shop, (int)i, rows[i][1], rows[i][2]);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* max_payload is 1 MiB: around it, the last that fits goes through and the first that does not is parked, and
 * nobody else notices. */
static void oversize_rows_step_aside(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    char sql[512];
    for (int excess = -400; excess <= 0; excess += 40) {
        shop_fill(&shop, 2, 2);
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) SELECT 'bad-%d', 'order.placed',"
                 " '{\"n\":1,\"text\":\"' || printf('%%.%dc', 'x') || '\"}'",
                 -excess, (1 << 20) + excess);
        shop_sql(&shop, sql);
    }
    weir_relay_stats stats = shop_relay_once(&shop);
    int64_t parked = shop_number(&shop, "SELECT count(*) FROM outbox_events WHERE parked_at IS NOT NULL");
    assert_in_range(parked, 2, 10);
    assert_int_equal(stats.parked, parked);
    assert_int_equal(stats.published, 33 - parked);
    shop_expect_text(&shop, "SELECT DISTINCT error_class FROM outbox_events WHERE parked_at IS NOT NULL",
                     "rejected");
    assert_int_equal(
        shop_number(&shop, "SELECT count(*) FROM outbox_events WHERE id LIKE 'row-%' AND processed = 1"), 22);
    /* the largest are the parked ones */
    assert_int_equal(
        shop_number(&shop, "SELECT (SELECT min(length(payload)) FROM outbox_events WHERE parked_at NOT NULL)"
                           " > (SELECT max(length(payload)) FROM outbox_events WHERE processed = 1)"),
        1);
    shop_close(&shop);
}

/* The server refuses a whole batch for one message: the batch is halved until the message is found. */
static void refused_rows_are_found(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    kit_api(shop.connection, "STREAM.UPDATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"order.>\",\"_weir.cursor.ORDERS.*\"],\"allow_atomic\":true,"
            "\"max_msg_size\":4000,\"storage\":\"file\",\"max_age\":604800000000000,\"duplicate_window\":"
            "120000000000}");
    for (int i = 0; i < 4; i++) {
        char sql[256];
        shop_fill(&shop, 50, 50);
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) SELECT 'bad-%d', 'order.placed',"
                 " '{\"n\":1,\"text\":\"' || printf('%%.5000c', 'x') || '\"}'",
                 i);
        shop_sql(&shop, sql);
    }
    weir_relay_stats stats = shop_relay_once(&shop);
    assert_int_equal(stats.parked, 4);
    assert_int_equal(stats.published, 200);
    expect_parked(&shop, 3, "rejected",
                  "ORDERS refuses it: publish: message size exceeds maximum allowed (10054)");
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void parked_rows_can_be_sent_later(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    outbox *outbox;
    weir_error err;
    size_t count;
    shop_fill(&shop, 3, 3);
    shop_sql(
        &shop,
        "UPDATE outbox_events SET parked_at = 'now', error_class = 'schema', error = 'x' WHERE id = 'row-1'");
    struct shop_running *running = shop_start(&shop, NULL);
    shop_drained(&shop);
    expect_ok(outbox_open(&outbox, shop.url, NULL, &err), &err);
    expect_ok(outbox_unpark(outbox, 0, &count, &err), &err);
    outbox_close(outbox);
    shop_drained(&shop);
    assert_int_equal(shop_end(running, WEIR_OK).published, 3);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* --- what is not as it should be ------------------------------------------------------------------------ */

static void expect_once_fails(struct shop *shop, weir_code code, const char *message) {
    weir_error err;
    weir_relay *relay = shop_relay(shop, NULL);
    expect_error(weir_relay_run(relay, true, &err), code, &err, message);
    assert_string_equal(err.hint, "weir plan shows what is missing, weir apply makes it so");
    weir_relay_close(relay);
}

static void a_missing_stream(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    kit_api(shop.connection, "STREAM.DELETE.BILLS", "");
    shop_fill(&shop, 30, 30);
    expect_once_fails(&shop, WEIR_NOT_FOUND, "BILLS does not exist on the server");
    assert_int_equal(
        shop_number(&shop, "SELECT count(*) FROM outbox_events WHERE processed = 1 AND stream = 'ORDERS'"),
        20);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_expect_trouble(running, "BILLS: BILLS does not exist on the server");
    shop_apply(&shop);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void a_stream_without_batches(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    kit_api(shop.connection, "STREAM.UPDATE.BILLS",
            "{\"name\":\"BILLS\",\"subjects\":[\"bill.>\",\"_weir.cursor.BILLS.*\"],\"storage\":\"file\","
            "\"max_age\":604800000000000,\"duplicate_window\":120000000000}");
    shop_fill(&shop, 3, 3);
    expect_once_fails(
        &shop, WEIR_UNSUPPORTED,
        "BILLS does not take atomic batches (allow_atomic), which need nats-server 2.12 or newer");
    shop_close(&shop);
}

static void an_interest_stream(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    kit_api(shop.connection, "STREAM.UPDATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"order.>\",\"_weir.cursor.ORDERS.*\"],\"allow_atomic\":true,"
            "\"retention\":\"interest\",\"storage\":\"file\",\"max_age\":604800000000000,"
            "\"duplicate_window\":120000000000}");
    shop_fill(&shop, 30, 30);
    expect_once_fails(&shop, WEIR_INVALID,
                      "ORDERS has retention interest and lacks the consumer 'weir-cursor', without which it "
                      "would not store "
                      "the relay's cursor");
    kit_durable(shop.connection, "ORDERS", "weir-cursor", "\"filter_subject\":\"_weir.cursor.ORDERS.*\"");
    kit_durable(shop.connection, "ORDERS", "readers", "\"filter_subject\":\"order.>\"");
    assert_int_equal(shop_relay_once(&shop).published, 20); /* the bills went before */
    shop_fill(&shop, 30, 30);
    assert_int_equal(shop_relay_once(&shop).published, 30);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static bool bills_are_sent(void *arg) {
    return shop_number(arg, "SELECT count(*) FROM outbox_events WHERE processed = 1 AND stream = 'BILLS'") ==
           20;
}

static void a_full_stream_is_waited_for(void **state) {
    (void)state;
    static const char limits[] =
        "{\"name\":\"ORDERS\",\"subjects\":[\"order.>\",\"_weir.cursor.ORDERS.*\"],\"allow_atomic\":true,"
        "\"max_msgs\":%d,\"discard\":\"new\",\"storage\":\"file\",\"max_age\":604800000000000,"
        "\"duplicate_window\":120000000000}";
    struct shop shop = shop_open(SHOP);
    char body[512];
    snprintf(body, sizeof body, limits, 10);
    kit_api(shop.connection, "STREAM.UPDATE.ORDERS", body);
    shop_fill(&shop, 60, 60);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_expect_trouble(running, "ORDERS: publish: maximum messages exceeded (10077)");
    assert_true(kit_until(bills_are_sent, &shop));
    snprintf(body, sizeof body, limits, 100000);
    kit_api(shop.connection, "STREAM.UPDATE.ORDERS", body);
    shop_drained(&shop);
    assert_int_equal(shop_end(running, WEIR_OK).parked, 0);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* --- two relays ----------------------------------------------------------------------------------------- */

static void one_relay_at_a_time(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    weir_error err;
    char message[600];
    struct shop_running *first = shop_start(&shop, NULL);
    shop_fill(&shop, 30, 30);
    shop_drained(&shop);
    weir_relay *second = shop_relay(&shop, NULL);
    snprintf(message, sizeof message, "another relay works on %s", shop.url);
    expect_error(weir_relay_run(second, false, &err), WEIR_CONFLICT, &err, message);
    weir_relay_close(second);
    shop_end(first, WEIR_OK);
    shop_close(&shop);
}

static void a_standby_takes_over(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    weir_error err;
    weir_relay_options options = {.outbox = shop.url, .standby = true};
    struct shop_running *first = shop_start(&shop, NULL);
    shop_fill(&shop, 30, 30);
    shop_drained(&shop);
    struct shop_running *second = calloc(1, sizeof *second);
    expect_ok(weir_relay_open(&second->relay, shop.connection, shop.catalog, &options, &err), &err);
    assert_int_equal(pthread_create(&second->thread, NULL, shop_run, second), 0);
    usleep(300000);
    shop_end(first, WEIR_OK);
    shop_fill(&shop, 30, 30);
    shop_drained(&shop);
    assert_int_equal(shop_end(second, WEIR_OK).published, 30);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* A rival that ignores the lease: its outbox is the same file under another name. */
static void a_rival_is_fenced(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct shop rival = shop;
    snprintf(rival.url, sizeof rival.url, "sqlite:%s", kit_path("rival.db"));
    assert_int_equal(symlink(shop.url + 7, rival.url + 7), 0);
    struct shop_running *first = shop_start(&shop, NULL), *second = shop_start(&rival, NULL);
    for (int i = 0; i < 40; i++) {
        shop_fill(&shop, 50, 5);
        usleep(5000);
    }
    shop_drained(&shop);
    weir_relay_stop(first->relay);
    weir_relay_stop(second->relay);
    pthread_join(first->thread, NULL);
    pthread_join(second->thread, NULL);
    assert_true(first->code == WEIR_OK || first->code == WEIR_CONFLICT);
    assert_true(second->code == WEIR_OK || second->code == WEIR_CONFLICT);
    assert_true(first->code == WEIR_OK || second->code == WEIR_OK);
    weir_relay_close(first->relay);
    weir_relay_close(second->relay);
    free(first);
    free(second);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"committed rows reach their streams once and in order", rows_reach_their_streams},
    {"once means everything committed before", once_means_committed_before},
    {"a time to keep rows below the least is raised and said", a_short_keep_is_raised},
    {"a commit is published at once", a_commit_is_published_at_once},
    {"an idle relay costs nothing", an_idle_relay_costs_nothing},
    {"rows that are no events step aside with exact reasons", bad_rows_step_aside},
    {"rows larger than the server takes step aside", oversize_rows_step_aside},
    {"rows the server refuses are found one by one", refused_rows_are_found},
    {"parked rows can be sent later", parked_rows_can_be_sent_later},
    {"a missing stream is named and the others flow", a_missing_stream},
    {"a stream without atomic batches is named with the version needed", a_stream_without_batches},
    {"an interest stream needs its keeper", an_interest_stream},
    {"a full stream is waited for", a_full_stream_is_waited_for},
    {"one relay at a time", one_relay_at_a_time},
    {"a standby takes over", a_standby_takes_over},
    {"a rival that ignores the lease doubles nothing", a_rival_is_fenced},
};
SPEC_MAIN(specs)
