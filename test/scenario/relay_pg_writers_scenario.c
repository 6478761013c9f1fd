/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* Whatever services do with their transactions: what was committed is in the streams, in the order of its key, each transaction
 * in one piece, and nothing else is. */
#include "relay_pg_writers.h"

EACH_MODE(eight_writers) {
    struct shop shop = shop_open_pg(mode);
    uint64_t seed = spec_seed();
    struct writers *writers = writers_start(&shop, 8, 4000, seed);
    struct shop_running *running = shop_start(&shop, NULL);
    usleep((useconds_t)shop_times(2, 30) * 1000000);
    long transactions = writers_stop(writers);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    size_t parked, rows = shop_judge(&shop, &parked);
    print_message("%ld transactions, %zu rows, %zu of them parked\n", transactions, rows, parked);
    assert_true(rows > 500 && parked > 0);
    shop_close(&shop);
}

/* Waits until nothing of what is there now is pending; what is written meanwhile may be. */
static void drained_so_far(struct shop *shop) {
    char query[160];
    snprintf(query, sizeof query, SHOP_PENDING " AND pos <= %lld",
             (long long)shop_number(shop, "SELECT max(pos) FROM outbox_events"));
    for (int i = 0; i < 600; i++) {
        if (shop_number(shop, query) == 0)
            return;
        usleep(50000);
    }
    fail_msg("rows are still pending after 30 s");
}

/* One transaction over many batches, others beside it, and one that waits behind it. */
EACH_MODE(ten_thousand_rows_in_one_transaction) {
    struct shop shop = shop_open_pg(mode);
    struct writers *writers = writers_start(&shop, 4, 8000, spec_seed());
    struct shop_running *running = shop_start(&shop, NULL);
    for (int i = 0; i < shop_times(1, 5); i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT sell(%d, 'c%d', 'order.placed') FROM generate_series(1, 10000)",
                 i + 1, i % CUSTOMERS);
        shop_sql(&shop, sql);
        drained_so_far(&shop);
    }
    writers_stop(writers);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    size_t parked;
    assert_true(shop_judge(&shop, &parked) > 10000);
    shop_close(&shop);
}

/* One has its transaction id from before, writes behind another that has a later one, to the same key. A third, between them,
 * holds the horizon: what is seen first may not go first. */
EACH_MODE(an_early_transaction_writes_late) {
    struct shop shop = shop_open_pg(mode);
    const struct shop_pg_db *db = shop.db;
    PGconn *early = kit_sql_connect(db->url), *between = kit_sql_connect(db->url),
           *late = kit_sql_connect(db->url);
    struct shop_running *running = shop_start(&shop, NULL);
    writers_schema(&shop);
    for (int i = 0; i < 3; i++) {
        char sql[256];
        kit_sql(early, "BEGIN; SELECT pg_current_xact_id()");
        kit_sql(between, "BEGIN; SELECT pg_current_xact_id()");
        snprintf(sql, sizeof sql, "SELECT sell(%d, 'c1', 'order.placed')", 2 * i + 1);
        kit_sql(late, sql);
        usleep(30000);
        snprintf(sql, sizeof sql, "SELECT sell(%d, 'c1', 'order.placed'); COMMIT", 2 * i + 2);
        kit_sql(early, sql);
        usleep(30000);
        kit_sql(between, i == 1 ? "ROLLBACK" : "COMMIT");
        shop_drained(&shop);
    }
    shop_end(running, WEIR_OK);
    size_t parked;
    assert_int_equal(shop_judge(&shop, &parked), 6);
    PQfinish(early);
    PQfinish(between);
    PQfinish(late);
    shop_close(&shop);
}

/* What wakes the relay would forbid it: a transaction that notified cannot be prepared. */
EACH_MODE(prepared_while_the_relay_sleeps) {
    struct shop shop = shop_open_pg(mode);
    struct shop_running *running = shop_start(&shop, NULL);
    shop_fill(&shop, 1, 1);
    shop_drained(&shop);
    usleep(300000);
    shop_sql(&shop, "BEGIN; INSERT INTO outbox_events (id, type, payload)"
                    " VALUES ('row-1', 'order.placed', '{\"n\": 1, \"customer\": \"c1\"}')");
    shop_sql(&shop, "PREPARE TRANSACTION 'asleep'");
    shop_sql(&shop, "COMMIT PREPARED 'asleep'");
    shop.rows++;
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"eight services and every kind of transaction", eight_writers},
    {"ten thousand rows in one transaction stay together", ten_thousand_rows_in_one_transaction},
    {"a transaction can be prepared while the relay sleeps", prepared_while_the_relay_sleeps},
    {"a transaction that began early and wrote late keeps its place", an_early_transaction_writes_late},
};

SPEC_MAIN(specs)
