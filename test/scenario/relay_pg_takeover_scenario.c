/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* Several relays and one outbox: one works, the others wait; one that slept too long finds that it was replaced. */
#include "base/process.h"
#include "relay_kills.h"
#include "relay_pg_writers.h"

/* What passing time would do. A beat may be under way from who holds it. */
static void lease_runs_out(struct shop *shop, int64_t holder) {
    char sql[160];
    snprintf(sql, sizeof sql,
             "UPDATE outbox_lease SET until = clock_timestamp() - interval '1 second' WHERE pid = %lld",
             (long long)holder);
    shop_sql(shop, sql);
}

static void wait_for_new_holder(struct shop *shop, int64_t before) {
    for (int i = 0; i < 1000; i++, usleep(10000)) {
        lease_runs_out(shop, before);
        int64_t now = shop_number(
            shop, "SELECT coalesce(max(pid), 0) FROM outbox_lease WHERE until > clock_timestamp()");
        if (now != 0 && now != before)
            return;
    }
    fail_msg("nobody took the lease over");
}

static int64_t holder(struct shop *shop) {
    return shop_number(shop, "SELECT coalesce(max(pid), 0) FROM outbox_lease");
}

static void wait_for_holder(struct shop *shop) {
    for (int i = 0; i < 1000 && holder(shop) == 0; i++)
        usleep(10000);
    assert_true(holder(shop) != 0);
}

/* Stops it at any moment of a batch; when it wakes up, another one has long gone on. */
static void sleeps_beyond_its_lease(struct shop *shop, pid_t active, uint64_t *random) {
    usleep((useconds_t)(100000 + shop_random(random, 100000)));
    kill(active, SIGSTOP);
    int64_t before = holder(shop);
    wait_for_new_holder(shop, before);
    usleep(100000);
    kill(active, SIGCONT);
    shop_faults++;
}

EACH_MODE(one_that_slept_is_replaced) {
    struct shop shop = shop_open_pg(mode);
    const char *server = kit_server_url(shop.server);
    struct writers *writers = writers_start(&shop, 4, 6000, spec_seed());
    uint64_t random = 3;
    pid_t active = shop_relay_start_as(&shop, server, false);
    wait_for_holder(&shop);
    pid_t standby = shop_relay_start(&shop, server);
    int status = 0;
    sleeps_beyond_its_lease(&shop, active, &random);
    assert_true(process_wait(active, 20000, &status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    active = standby;
    standby = shop_relay_start(&shop, server);
    for (int i = 0; i < shop_times(3, 30); i++) {
        pid_t slept = active;
        sleeps_beyond_its_lease(&shop, slept, &random);
        active = standby;
        standby = slept; /* it waits for the lease again */
    }
    writers_stop(writers);
    shop_drained(&shop);
    assert_true(process_alive(active));
    assert_true(process_alive(standby));
    kit_end(standby, SIGTERM);
    kit_end(active, SIGTERM);
    size_t parked;
    assert_true(shop_judge(&shop, &parked) > 50);
    shop_close(&shop);
}

EACH_MODE(one_that_was_killed_is_replaced) {
    struct shop shop = shop_open_pg(mode);
    const char *server = kit_server_url(shop.server);
    pid_t active = shop_relay_start(&shop, server);
    for (int i = 0; i < shop_times(3, 30); i++, shop_faults++) {
        pid_t standby = shop_relay_start(&shop, server);
        shop_fill(&shop, 300, 30);
        kit_end(active, SIGKILL);
        shop_fill(&shop, 30, 30);
        shop_drained(&shop);
        active = standby;
    }
    kit_end(active, SIGTERM);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a relay that slept beyond its lease finds that it was replaced and stops", one_that_slept_is_replaced},
    {"a relay that was killed is replaced by the one that waits", one_that_was_killed_is_replaced},
};

SPEC_MAIN(specs)
