/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* A stream that is several batches ahead of its database, as after a crash with settlements under way: what the database
 * lost is taken from it by hand, and the relay makes it good from the cursors. */
#include "base/limits.h"
#include "kit/program.h"
#include "relay_history.h"

enum { BATCHES = 6, ROWS = 3 };

/* What outbox_streams said after each batch. */
struct places {
    int64_t settled_seq[BATCHES + 1];
};

static void insert(struct shop *shop, int rows) {
    char sql[256];
    for (int i = 0; i < rows; i++, shop->rows++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO outbox_events (id, type, payload) VALUES ('row-%d', 'order.placed', "
                 "'{\"n\":%d,\"customer\":\"c\"}')",
                 shop->rows, shop->rows);
        shop_sql(shop, sql);
    }
}

static struct places fill(struct shop *shop) {
    struct places places = {0};
    for (int i = 1; i <= BATCHES; i++) {
        insert(shop, ROWS);
        assert_int_equal(shop_relay_once(shop).batches, 1);
        places.settled_seq[i] =
            shop_number(shop, "SELECT settled_seq FROM outbox_streams WHERE stream = 'ORDERS'");
    }
    return places;
}

/* The settlements behind batch `kept` never reached the database. */
static void lose_settlements(struct shop *shop, const struct places *places, int kept) {
    char sql[256];
    snprintf(
        sql, sizeof sql,
        "UPDATE outbox_events SET processed = 0, processed_at = NULL, stream = NULL, sequence = NULL WHERE "
        "pos > %d",
        kept * ROWS);
    shop_sql(shop, sql);
    snprintf(sql, sizeof sql, "UPDATE outbox_streams SET settled_seq = %lld, batch_no = %d",
             (long long)places->settled_seq[kept], kept);
    shop_sql(shop, sql);
}

static uint64_t messages(struct shop *shop) {
    struct broker_stream_state state;
    weir_error err;
    expect_ok(broker_stream_state(shop->connection, "ORDERS", &state, &err), &err);
    return state.messages;
}

static void several_batches_are_settled(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct places places = fill(&shop);
    for (int kept = 0; kept < BATCHES; kept++) {
        lose_settlements(&shop, &places, kept);
        weir_relay_stats stats = shop_relay_once(&shop);
        assert_int_equal(stats.reconciled, BATCHES - kept);
        assert_int_equal(stats.published, (BATCHES - kept) * ROWS);
        assert_int_equal(messages(&shop), BATCHES * (ROWS + 1));
    }
    insert(&shop, ROWS);
    assert_int_equal(shop_relay_once(&shop).reconciled, 0);
    assert_int_equal(messages(&shop), (BATCHES + 1) * (ROWS + 1));
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* Batch 3 was evicted before it was settled: its rows, and no others, are sent again. */
static void what_was_evicted_goes_again(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct places places = fill(&shop);
    char purge[64];
    lose_settlements(&shop, &places, 2);
    snprintf(purge, sizeof purge, "{\"seq\":%lld}", (long long)places.settled_seq[3] + 1);
    kit_api(shop.connection, "STREAM.PURGE.ORDERS", purge);
    weir_relay_stats stats = shop_relay_once(&shop);
    assert_int_equal(stats.reconciled, 3);
    assert_int_equal(stats.published, 4 * ROWS);
    assert_int_equal(messages(&shop), 4 * (ROWS + 1));
    shop_expect_text(
        &shop,
        "SELECT group_concat(id, ' ') FROM (SELECT id FROM outbox_events WHERE pos > 6 ORDER BY sequence)",
        "row-9 row-10 row-11 row-12 row-13 row-14 row-15 row-16 row-17 row-6 row-7 row-8");
    shop_close(&shop);
}

/* What was lost was more than settlements: other rows stand where those of batch 4 stood. */
static void other_rows_stop(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP);
    struct places places = fill(&shop);
    weir_error err;
    shop_sql(&shop, "DELETE FROM outbox_events WHERE pos > 9");
    lose_settlements(&shop, &places, 2);
    shop_sql(&shop, "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'outbox_events'");
    insert(&shop, 4);
    weir_relay *relay = shop_relay(&shop, NULL);
    assert_int_equal(weir_relay_run(relay, true, &err), WEIR_CONFLICT);
    assert_non_null(
        strstr(err.message, "the database or the stream was restored: in ORDERS the last batch ends at 24"));
    weir_relay_close(relay);
    assert_int_equal(shop_number(&shop, "SELECT count(*) FROM outbox_events WHERE processed"), 9);
    assert_int_equal(messages(&shop), BATCHES * (ROWS + 1));
    shop_close(&shop);
}

/* More rows wait than a batch takes when the relay finds that the stream was made anew: what it lost goes before all of them. */
static void what_was_lost_goes_first(void **state) {
    (void)state;
    enum { BEFORE = 400, WAITING = 2 * LIMIT_BATCH_EVENTS };
    struct shop shop = shop_open(SHOP);
    weir_relay *relay = shop_relay(&shop, NULL);
    weir_error err;
    insert(&shop, BEFORE);
    expect_ok(weir_relay_run(relay, true, &err), &err);
    kit_api(shop.connection, "STREAM.DELETE.ORDERS", "");
    shop_apply(&shop);
    insert(&shop, WAITING);
    expect_ok(weir_relay_run(relay, true, &err), &err);
    weir_relay_stats stats;
    weir_relay_stats_get(relay, &stats);
    assert_int_equal(stats.republished, BEFORE);
    weir_relay_close(relay);
    shop_expect_all_once(&shop); /* all of one customer: in order, too */
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"what a stream forgot goes before what was waiting", what_was_lost_goes_first},
    {"batches that the database does not know are settled from their cursors", several_batches_are_settled},
    {"a batch that was evicted before it was settled is sent again", what_was_evicted_goes_again},
    {"other rows at the positions of such a batch stop the relay", other_rows_stop},
};
SPEC_MAIN(specs)
