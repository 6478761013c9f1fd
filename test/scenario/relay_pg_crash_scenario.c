/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* From PostgreSQL into the streams exactly once and in order, whatever is killed, stopped or cut, while services write. */
#include <sys/wait.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/proxy.h"
#include "relay_kills.h"
#include "relay_pg_writers.h"

/* --- the relay is killed -------------------------------------------------------------------------------- */

EACH_MODE(killed_at_every_step) {
    struct shop shop = shop_open_pg(mode);
    for (int i = 0; i < shop_times(1, 4); i++)
        shop_faults += shop_kill_at_every_step(&shop);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

EACH_MODE(killed_at_random) {
    struct shop shop = shop_open_pg(mode);
    shop_fill(&shop, shop_times(5000, 40000), 500);
    shop_faults += shop_kill_until_drained(&shop, (unsigned)spec_seed());
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* Transaction `tx` of several batches in two streams; the one on `late` has its rows among them, and is open still. */
static void begin_both(PGconn *giant, PGconn *late, int tx) {
    char rows[256], one[128];
    snprintf(rows, sizeof rows,
             "SELECT sell(%d, 'c1', 'order.placed') FROM generate_series(1, 600);"
             "SELECT sell(%d, 'c1', 'bill.sent') FROM generate_series(1, 600)",
             tx, tx);
    snprintf(one, sizeof one, "SELECT sell(%d, 'c2', 'order.placed'), sell(%d, 'c2', 'bill.sent')", tx + 1,
             tx + 1);
    kit_sql(giant, "BEGIN");
    kit_sql(giant, rows);
    kit_sql(late, "BEGIN");
    kit_sql(late, one);
    kit_sql(giant, rows);
    kit_sql(giant, "COMMIT");
}

EACH_MODE(killed_in_the_middle_of_a_transaction) {
    static const char *const steps[] = {"sent:3", "settled:3"};
    struct shop shop = shop_open_pg(mode);
    const struct shop_pg_db *db = shop.db;
    PGconn *giant = kit_sql_connect(db->url), *late = kit_sql_connect(db->url);
    writers_schema(&shop);
    for (int i = 0; i < 2; i++, shop_faults++) {
        begin_both(giant, late, 1 + 2 * i);
        setenv("WEIR_CRASH_AT", steps[i], 1);
        assert_int_equal(shop_relay_program(&shop), 128 + SIGKILL);
        unsetenv("WEIR_CRASH_AT");
        kit_sql(late, "COMMIT");
        assert_int_equal(shop_relay_program(&shop), 0);
    }
    size_t parked;
    assert_int_equal(shop_judge(&shop, &parked), 2 * 2402);
    PQfinish(giant);
    PQfinish(late);
    shop_close(&shop);
}

/* --- everything is ---------------------------------------------------------------------------------------- */

struct chaos {
    struct shop *shop;
    kit_proxy *proxy;
    pid_t relay;
    uint64_t random;
};

static void wait_about(struct chaos *chaos, int ms) {
    usleep((useconds_t)(ms * 500 + shop_random(&chaos->random, ms * 1000)));
}

static void hit_relay(struct chaos *chaos) {
    kit_end(chaos->relay, SIGKILL);
    chaos->relay = shop_relay_start(chaos->shop, kit_proxy_url(chaos->proxy));
}

static void hit_server(struct chaos *chaos) {
    kit_server_kill(chaos->shop->server);
    kit_server_restart(chaos->shop->server);
}

static void hit_database(struct chaos *chaos) {
    (void)chaos;
    kit_postgres_kill(kit_postgres_shared());
    kit_postgres_restart(kit_postgres_shared());
}

static void hit_all_three(struct chaos *chaos) {
    kit_postgres_kill(kit_postgres_shared());
    kit_server_kill(chaos->shop->server);
    kit_end(chaos->relay, SIGKILL);
    kit_server_restart(chaos->shop->server);
    kit_postgres_restart(kit_postgres_shared());
    chaos->relay = shop_relay_start(chaos->shop, kit_proxy_url(chaos->proxy));
}

static void end_sessions(struct chaos *chaos) {
    (void)shop_number(
        chaos->shop, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'relay'");
}

static void cancel_queries(struct chaos *chaos) {
    (void)shop_number(chaos->shop,
                      "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE usename = 'relay'");
}

static void stop_database(struct chaos *chaos) {
    kit_postgres_pause(kit_postgres_shared());
    wait_about(chaos, 300);
    kit_postgres_resume(kit_postgres_shared());
}

static void stop_server(struct chaos *chaos) {
    kit_server_pause(chaos->shop->server);
    wait_about(chaos, 300);
    kit_server_resume(chaos->shop->server);
}

static void stop_relay(struct chaos *chaos) {
    kill(chaos->relay, SIGSTOP);
    wait_about(chaos, 300);
    kill(chaos->relay, SIGCONT);
}

static void reset_network(struct chaos *chaos) {
    kit_proxy_reset(chaos->proxy);
}

static void lose_answers(struct chaos *chaos) {
    kit_proxy_swallow(chaos->proxy, true);
    wait_about(chaos, 100);
    kit_proxy_swallow(chaos->proxy, false);
}

static void (*const hits[])(struct chaos *chaos) = {
    hit_relay,      hit_server,  hit_database, hit_relay,     hit_all_three, end_sessions,
    cancel_queries, stop_server, stop_relay,   reset_network, lose_answers,  stop_database,
};

/* What hit it while it was starting ends it with an error; a service manager starts it again. Nothing else may end it. */
static bool may_end_so(void) {
    static const char *const why[] = {"cannot reach", "terminating connection", "canceling statement",
                                      "the database system"};
    char *log;
    size_t size;
    weir_error err;
    bool usual = false;
    expect_ok(file_read(&log, &size, kit_path("relay.log"), 64 << 20, &err), &err);
    const char *end = log + (size > 400 ? size - 400 : 0);
    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        usual = usual || strstr(end, why[i]);
    mem_free(log);
    return usual;
}

static void expect_running(struct chaos *chaos) {
    int status = 0;
    if (!process_wait(chaos->relay, 0, &status))
        return;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 || !may_end_so())
        fail_msg("the relay ended by itself: %s", kit_path("relay.log"));
    chaos->relay = shop_relay_start(chaos->shop, kit_proxy_url(chaos->proxy));
}

static void expect_graceful_end(pid_t relay) {
    int status = kit_end(relay, SIGTERM);
    if (status != 0 && status != 130)
        fail_msg("weir relay ended with %d: %s", status, kit_path("relay.log"));
}

/* Every kind in turn, at random moments. */
EACH_MODE(everything_is_killed) {
    struct shop shop = shop_open_pg(mode);
    struct chaos chaos = {.shop = &shop, .random = spec_seed(), .proxy = kit_proxy_start(shop.server, 5)};
    struct writers *writers = writers_start(&shop, 4, 8000, chaos.random);
    chaos.relay = shop_relay_start(&shop, kit_proxy_url(chaos.proxy));
    for (int i = 0; i < shop_times(12, 120); i++, shop_faults++) {
        wait_about(&chaos, 100);
        expect_running(&chaos);
        hits[(size_t)i % (sizeof hits / sizeof *hits)](&chaos);
    }
    long transactions = writers_stop(writers);
    wait_about(&chaos, 200);
    expect_running(&chaos);
    shop_drained(&shop);
    expect_graceful_end(chaos.relay);
    size_t parked, rows = shop_judge(&shop, &parked);
    print_message("%ld transactions, %zu rows, %zu of them parked\n", transactions, rows, parked);
    assert_true(rows > parked && parked > 0);
    kit_proxy_stop(chaos.proxy);
    shop_close(&shop);
}

/* --- answers are lost, and the server forgets what it saw --------------------------------------------------- */

/* What the server would know again by its ids, it has forgotten when the relay comes back: only the cursor knows. */
EACH_MODE(answers_are_lost_for_longer_than_the_window) {
    struct shop shop = shop_open_pg(mode);
    kit_api(shop.connection, "STREAM.UPDATE.ORDERS",
            "{\"name\":\"ORDERS\",\"subjects\":[\"order.>\",\"_weir.cursor.ORDERS.*\"],\"allow_atomic\":true,"
            "\"storage\":\"file\",\"max_age\":604800000000000,\"duplicate_window\":100000000}");
    kit_proxy *proxy = kit_proxy_start(shop.server, 9);
    for (int i = 0; i < shop_times(3, 20); i++, shop_faults++) {
        pid_t relay = shop_relay_start(&shop, kit_proxy_url(proxy));
        shop_fill(&shop, 30, 30);
        shop_drained(&shop);
        kit_proxy_swallow(proxy, true);
        shop_fill(&shop, 60, 30);
        assert_true(kit_until(shop_is_ahead, &shop));
        kit_end(relay, SIGKILL);
        kit_proxy_swallow(proxy, false);
        usleep(150000);
        assert_int_equal(shop_relay_program(&shop), 0);
    }
    kit_proxy_stop(proxy);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a relay killed at every step loses and doubles nothing", killed_at_every_step},
    {"a relay killed at random moments loses and doubles nothing", killed_at_random},
    {"a relay killed in the middle of a transaction goes on with it first",
     killed_in_the_middle_of_a_transaction},
    {"relay, server and database killed under load lose and double nothing", everything_is_killed},
    {"answers lost for longer than the duplicate window double nothing",
     answers_are_lost_for_longer_than_the_window},
};

SPEC_MAIN(specs)
