/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* The server's store forgets, is full, or loses its power, while services write to PostgreSQL. What was committed comes back. */
#include "kit/disk.h"
#include "relay_kills.h"
#include "relay_pg_writers.h"

static int64_t orders_sent(struct shop *shop) {
    return shop_number(shop, "SELECT count(*) FROM outbox_events WHERE processed AND stream = 'ORDERS'");
}

/* Waits until so many events were sent again. */
static void expect_republished(struct shop_running *running, uint64_t least) {
    weir_relay_stats stats = {0};
    for (int i = 0; i < 400 && stats.republished < least; i++) {
        usleep(50000);
        weir_relay_stats_get(running->relay, &stats);
    }
    if (stats.republished < least)
        fail_msg("%llu events were sent again, of %llu; trouble: %s", (unsigned long long)stats.republished,
                 (unsigned long long)least, stats.trouble);
}

/* --- deleted ---------------------------------------------------------------------------------------------- */

EACH_MODE(a_stream_is_deleted_under_load) {
    struct shop shop = shop_open_pg(mode);
    shop.torn = true;
    struct shop_running *running = shop_start(&shop, NULL);
    uint64_t again = 0;
    for (int i = 0; i < shop_times(2, 10); i++, shop_faults++) {
        struct writers *writers = writers_start(&shop, 4, 8000, spec_seed());
        usleep(400000);
        again += (uint64_t)orders_sent(&shop);
        shop_delete_orders(&shop);
        usleep(50000);
        shop_apply(&shop);
        usleep(300000);
        writers_stop(writers);
        expect_republished(running, again);
        shop_drained(&shop);
    }
    shop_end(running, WEIR_OK);
    size_t parked;
    assert_true(shop_judge(&shop, &parked) > 50);
    shop_close(&shop);
}

/* --- full ------------------------------------------------------------------------------------------------- */

static struct shop shop_on_disk(enum weir_relay_mode mode, const kit_disk *disk, const char *sync) {
    static char configs[8][640]; /* the options are kept by the server */
    static int number;
    char *config = configs[number++ % 8];
    snprintf(config, sizeof configs[0],
             "jetstream {\n  store_dir: \"%s\"\n  sync_interval: \"%s\"\n  max_file_store: 4GB\n}",
             kit_disk_folder(disk), sync);
    return shop_open_pg_on(mode, &(struct kit_server_options){.config = config, .no_jetstream = true});
}

static void fill_with_large_rows(struct shop *shop, int count) {
    char sql[512];
    snprintf(
        sql, sizeof sql,
        "INSERT INTO outbox_events (id, type, payload) SELECT 'row-' || n, 'order.placed', json_build_object("
        "'n', n, 'customer', 'c' || n %% 7, 'text', repeat('x', 1000)) FROM generate_series(%d, %d) n",
        shop->rows, shop->rows + count - 1);
    shop_sql(shop, sql);
    shop->rows += count;
}

static void expect_any_trouble(struct shop_running *running) {
    weir_relay_stats stats = {.trouble = ""};
    for (int i = 0; i < 1000 && !*stats.trouble; i++) {
        usleep(10000);
        weir_relay_stats_get(running->relay, &stats);
    }
    print_message("trouble: %s\n", stats.trouble);
    assert_true(*stats.trouble);
}

EACH_MODE(the_store_is_full) {
    kit_disk_need();
    kit_disk *disk = kit_disk_small(8);
    struct shop shop = shop_on_disk(mode, disk, "always");
    struct shop_running *running = shop_start(&shop, NULL);
    for (int i = 0; i < shop_times(1, 4); i++, shop_faults++) {
        fill_with_large_rows(&shop, 10000);
        expect_any_trouble(running);
        usleep(500000);
        kit_server_kill(shop.server);            /* it has switched off its streams by now */
        kit_disk_resize(disk, 8 + 13 * (i + 1)); /* room for these rows, not for the next */
        kit_server_restart(shop.server);
        shop_drained(&shop);
    }
    shop_end(running, WEIR_OK);
    shop_expect_all_once(&shop);
    shop_close(&shop);
    kit_disk_free(disk);
}

/* --- without power ---------------------------------------------------------------------------------------- */

static bool answers(void *arg) {
    const struct shop *shop = arg;
    struct broker_stream_state state;
    weir_code code = broker_stream_state(shop->connection, "ORDERS", &state, NULL);
    return code == WEIR_OK || code == WEIR_NOT_FOUND;
}

/* The store is what its disk held at this moment. */
static void cut_power(struct shop *shop, kit_disk *disk) {
    kit_disk_remember(disk);
    kit_server_kill(shop->server);
    kit_disk_cut(disk);
    kit_server_restart(shop->server);
    assert_true(kit_until(answers, shop));
    shop_apply(shop); /* a stream whose first file was not written is no stream */
    shop_faults++;
}

/* While it was idle: all it acknowledged must be on the disk, if it syncs always. */
static void an_idle_store(enum weir_relay_mode mode, const char *sync) {
    kit_disk *disk = kit_disk_image(96);
    struct shop shop = shop_on_disk(mode, disk, sync);
    for (int i = 0; i < shop_times(1, 5); i++) {
        shop_fill(&shop, 300, 50);
        shop_relay_once(&shop);
        cut_power(&shop, disk);
        weir_relay_stats stats = shop_relay_once(&shop);
        print_message("sync %s: %llu events were sent again\n", sync, (unsigned long long)stats.republished);
        if (strcmp(sync, "always") == 0)
            assert_int_equal(stats.republished, 0);
        else
            assert_true(stats.republished > 0);
        shop_expect_all_once(&shop);
    }
    shop_close(&shop);
    kit_disk_free(disk);
}

EACH_MODE(an_idle_store_loses_its_power) {
    kit_disk_need();
    an_idle_store(mode, "always");
    an_idle_store(mode, "2m");
}

static void a_busy_store(enum weir_relay_mode mode, const char *sync) {
    kit_disk *disk = kit_disk_image(96);
    struct shop shop = shop_on_disk(mode, disk, sync);
    struct shop_running *running = shop_start(&shop, NULL);
    shop.torn = true;
    for (int i = 0; i < shop_times(1, 5); i++) {
        struct writers *writers = writers_start(&shop, 4, 8000, spec_seed());
        usleep(500000);
        cut_power(&shop, disk);
        usleep(300000);
        writers_stop(writers);
        shop_drained(&shop);
    }
    shop_end(running, WEIR_OK);
    shop_relay_once(&shop); /* looks at what stands in the streams before it ends */
    size_t parked;
    assert_true(shop_judge(&shop, &parked) > 50);
    shop_close(&shop);
    kit_disk_free(disk);
}

EACH_MODE(a_busy_store_loses_its_power) {
    kit_disk_need();
    a_busy_store(mode, "always");
    a_busy_store(mode, "2m");
}

static const struct spec specs[] = {
    {"a stream deleted and applied again under load gets its events back", a_stream_is_deleted_under_load},
    {"a full store is waited for", the_store_is_full},
    {"an idle store that loses its power gets back what it forgot", an_idle_store_loses_its_power},
    {"a busy store that loses its power gets back what it forgot", a_busy_store_loses_its_power},
};

SPEC_MAIN(specs)
