/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* Exactly once, whatever is killed, cut, deleted or put back. The killed relay is the program itself. */
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/process.h"
#include "kit/proxy.h"
#include "relay_fixture.h"
#include "relay_history.h"
#include "relay_kills.h"

static void killed_at_every_step(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    shop_kill_at_every_step(&shop);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void killed_at_random(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    shop_fill(&shop, 10000, 1000);
    shop_kill_until_drained(&shop, 7);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* --- the network ---------------------------------------------------------------------------------------- */

static weir_connection *connect_through(kit_proxy *proxy) {
    weir_connection *connection;
    weir_error err;
    weir_connect_options options = {.servers = kit_proxy_url(proxy), .timeout_ms = 2000};
    expect_ok(weir_connect(&connection, &options, &err), &err);
    return connection;
}

static void lost_acks_are_found(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    kit_proxy *proxy = kit_proxy_start(shop.server, 1);
    weir_connection *connection = connect_through(proxy);
    struct shop_running *running = shop_start(&shop, connection);
    shop_fill(&shop, 30, 30);
    shop_drained(&shop);
    for (int i = 0; i < 3; i++) {
        kit_proxy_swallow(proxy, true);
        shop_fill(&shop, 60, 30);
        assert_true(kit_until(shop_is_ahead, &shop));
        kit_proxy_swallow(proxy, false);
        shop_drained(&shop);
    }
    weir_relay_stats stats = shop_end(running, WEIR_OK);
    assert_in_range(stats.reconciled, 3, 6);
    assert_int_equal(stats.published, shop.rows);
    weir_disconnect(connection);
    kit_proxy_stop(proxy);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void a_bad_network_changes_nothing(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    kit_proxy *proxy = kit_proxy_start(shop.server, 11);
    weir_connection *connection = connect_through(proxy);
    struct shop_running *running = shop_start(&shop, connection);
    kit_proxy_chaos(proxy, 150);
    for (int i = 0; i < 60; i++) {
        shop_fill(&shop, 100, 20);
        usleep(50000);
    }
    assert_true(kit_proxy_faults(proxy) > 3);
    kit_proxy_chaos(proxy, 0);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    weir_disconnect(connection);
    kit_proxy_stop(proxy);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* --- the server ----------------------------------------------------------------------------------------- */

static void the_server_is_killed(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    shop_fill(&shop, 15000, 3000);
    struct shop_running *running = shop_start(&shop, NULL);
    srand(3);
    for (int i = 0; i < 8; i++) {
        usleep(60000 + (useconds_t)(rand() % 100000));
        kit_server_kill(shop.server);
        kit_server_restart(shop.server);
        shop_fill(&shop, 50, 10);
    }
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void an_outage_is_waited_out(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_fill(&shop, 10, 10);
    shop_drained(&shop);
    kit_server_kill(shop.server);
    shop_fill(&shop, 50, 10);
    shop_expect_trouble(running, "not connected to the server");
    kit_server_restart(shop.server);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* --- what the stream forgets ---------------------------------------------------------------------------- */

static const char *copy_from, *copy_to;

static int copy_one(const char *path, const struct stat *info, int type, struct FTW *at) {
    (void)info;
    (void)at;
    char target[2048], block[65536];
    snprintf(target, sizeof target, "%s%s", copy_to, path + strlen(copy_from));
    if (type == FTW_D)
        return mkdir(target, 0700);
    FILE *in = fopen(path, "r"), *out = fopen(target, "w");
    if (!in || !out)
        return -1;
    for (size_t got; (got = fread(block, 1, sizeof block, in)) > 0;)
        fwrite(block, 1, got, out);
    fclose(in);
    return fclose(out);
}

static void copy_folder(const char *from, const char *to) {
    copy_from = from;
    copy_to = to;
    assert_int_equal(nftw(from, copy_one, 16, FTW_PHYS), 0);
}

static void a_stream_created_again_is_filled_again(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_fill(&shop, 3000, 1000);
    shop_drained(&shop);
    shop_delete_orders(&shop);
    shop_apply(&shop);
    shop_fill(&shop, 300, 100);
    for (int i = 0; i < 300; i++) {
        weir_relay_stats stats;
        weir_relay_stats_get(running->relay, &stats);
        if (stats.republished == 2000)
            break;
        usleep(50000);
    }
    shop_drained(&shop);
    assert_int_equal(shop_end(running, WEIR_OK).republished, 2000);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void put_back(struct shop *shop, const char *saved) {
    char folder[512];
    snprintf(folder, sizeof folder, "%s", kit_server_folder(shop->server));
    kit_server_kill(shop->server);
    folder_remove(folder);
    copy_folder(saved, folder);
    kit_server_restart(shop->server);
    assert_true(kit_until(shop_is_reachable, shop));
}

/* A power cut in small: after four rounds of 300 rows the server comes back with the store of the first. */
static struct shop shop_with_lost_end(const char *name) {
    struct shop shop = shop_open(SHOP);
    for (int round = 0; round < 4; round++) {
        shop_fill(&shop, 300, 100);
        shop_relay_once(&shop);
        if (round > 0)
            continue;
        kit_server_kill(shop.server);
        copy_folder(kit_server_folder(shop.server), kit_path(name));
        kit_server_restart(shop.server);
    }
    put_back(&shop, kit_path(name));
    return shop;
}

static void a_stream_that_lost_its_end(void **state) {
    (void)state;
    struct shop shop = shop_with_lost_end("saved");
    assert_int_equal(shop_relay_once(&shop).republished, 900);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* Somebody else fills the place of what was lost before the relay looks. */
static void a_lost_end_that_was_filled(void **state) {
    (void)state;
    struct shop shop = shop_with_lost_end("filled");
    for (int i = 0; i < 800; i++)
        kit_publish(shop.connection, "order.foreign", "{\"id\":\"row-0\"}");
    assert_int_equal(shop_relay_once(&shop).republished, 900);
    assert_int_equal(shop_number(&shop, SHOP_PENDING), 0);
    shop_close(&shop);
}

/* --- what the database forgets -------------------------------------------------------------------------- */

static void copy_database(struct shop *shop, const char *to) {
    sqlite3 *copy;
    assert_int_equal(sqlite3_open(to, &copy), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(copy, "main", shop->db, "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    sqlite3_backup_finish(backup);
    sqlite3_exec(copy, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    sqlite3_close(copy);
}

/* The same shop beside a copy of its database. */
static struct shop shop_on_copy(const struct shop *shop, const char *path) {
    struct shop restored = *shop;
    sqlite3 *db;
    snprintf(restored.url, sizeof restored.url, "sqlite:%s", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    restored.db = db;
    return restored;
}

static void a_restored_database_stops_the_relay(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    weir_error err;
    shop_fill(&shop, 30, 30);
    shop_relay_once(&shop);
    copy_database(&shop, kit_path("restored.db"));
    for (int i = 0; i < 3; i++) {
        shop_fill(&shop, 30, 30);
        shop_relay_once(&shop);
    }
    struct shop restored = shop_on_copy(&shop, kit_path("restored.db"));
    shop_fill(&restored, 30, 30);
    weir_relay *relay = shop_relay(&restored, NULL);
    weir_code code = weir_relay_run(relay, true, &err);
    weir_relay_close(relay);
    assert_int_equal(code, WEIR_CONFLICT);
    if (!strstr(err.message, "the database or the stream was restored: in "))
        fail_msg("%s", err.message);
    assert_non_null(
        strstr(err.hint, "weir outbox audit URL --heal")); /* test/scenario/audit_scenario.c follows it */
    assert_int_equal(shop_number(&restored, SHOP_PENDING), 30);
    sqlite3_close(restored.db);
    shop_close(&shop);
}

/* A backup taken between two batches, and other rows at the positions of the last one: nothing may be marked. */
static void positions_given_anew_are_noticed(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    weir_error err;
    shop_fill(&shop, 3, 3);
    shop_relay_once(&shop);
    copy_database(&shop, kit_path("anew.db"));
    shop_fill(&shop, 3, 3);
    shop_relay_once(&shop);
    struct shop restored = shop_on_copy(&shop, kit_path("anew.db"));
    shop_fill(&restored, 3, 3); /* the same positions, other ids */
    weir_relay *relay = shop_relay(&restored, NULL);
    assert_int_equal(weir_relay_run(relay, true, &err), WEIR_CONFLICT);
    weir_relay_close(relay);
    assert_int_equal(shop_number(&restored, SHOP_PENDING), 3);
    sqlite3_close(restored.db);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a relay killed at every step loses and doubles nothing", killed_at_every_step},
    {"a relay killed at random moments loses and doubles nothing", killed_at_random},
    {"a batch whose acknowledgement was lost is found in the stream", lost_acks_are_found},
    {"a bad network changes nothing", a_bad_network_changes_nothing},
    {"a server killed in the middle of batches changes nothing", the_server_is_killed},
    {"an outage is waited out and told", an_outage_is_waited_out},
    {"a stream that was deleted and applied again gets its events back",
     a_stream_created_again_is_filled_again},
    {"a stream that lost its end gets its events back", a_stream_that_lost_its_end},
    {"a lost end that somebody else filled is noticed", a_lost_end_that_was_filled},
    {"a restored database stops the relay with a remedy that works", a_restored_database_stops_the_relay},
    {"positions given anew after a restore are noticed", positions_given_anew_are_noticed},
};
SPEC_MAIN(specs)
