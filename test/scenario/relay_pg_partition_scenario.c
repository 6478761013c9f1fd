/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store relay plan */
/* A table of events becomes a partitioned one, and its partitions come and go, while services write and a relay is at work:
 * nobody's statement fails, nobody waits for long, and what was committed is in the streams as ever. */
#include "relay_pg_writers.h"

/* Longer than this a service waits for nobody: the database would refuse its statement, and the case fails. */
#define WRITERS_WAIT "SET lock_timeout = '3s'"

static void partition(struct shop *shop) {
    const struct shop_pg_db *db = shop->db;
    weir_error err;
    arena *arena = arena_new();
    struct outbox_partition *list;
    size_t count;
    expect_ok(outbox_partition_as(db->url, NULL, &(struct outbox_layout){0}, arena, &list, &count, &err),
              &err);
    arena_free(arena);
}

/* What the judge needs of rows that go: each as it was marked. */
static void keep_copies(struct shop *shop) {
    shop_sql(shop,
             "CREATE FUNCTION keep_copy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
             " DELETE FROM gone WHERE pos = NEW.pos; INSERT INTO gone SELECT NEW.*; RETURN NULL; END $$;"
             "CREATE TRIGGER keep_copy AFTER UPDATE ON outbox_events FOR EACH ROW WHEN (NEW.processed)"
             " EXECUTE FUNCTION keep_copy()");
    shop_sql(shop, "INSERT INTO gone SELECT * FROM outbox_events WHERE processed ON CONFLICT DO NOTHING");
}

/* As if a day went by; the function is what the relay calls once a minute. */
static void a_day_later(struct shop *shop, bool drops) {
    shop_sql(shop, "UPDATE outbox_partitions SET began_at = began_at - interval '1 day'");
    shop_sql(shop, "SELECT weir_outbox_turn('-infinity')");
    if (!drops)
        return;
    shop_sql(shop, "UPDATE outbox_events SET processed = true, processed_at = now(), error_class = 'dropped'"
                   " WHERE NOT processed AND parked_at IS NOT NULL");
    shop_sql(shop, "SELECT weir_outbox_turn('-infinity')");
    shop_sql(shop, "SELECT weir_outbox_turn('infinity')");
}

/* What a writer holds for a moment may be in the way of a step: the next day comes too. */
static int days_until_dropped(struct shop *shop, int wanted) {
    int days = 0;
    for (;
         shop_number(shop, "SELECT max(first) / 10000000000 + 1 - count(*) FROM outbox_partitions") < wanted;
         days++) {
        if (days == 40)
            fail_msg("after %d days there is still %s", days,
                     shop_value(shop, "SELECT string_agg(p::text, ' ') FROM outbox_partitions p").text);
        a_day_later(shop, true);
        usleep(50000);
    }
    return days;
}

EACH_MODE(while_everybody_is_at_work) {
    struct shop shop = shop_open_pg(mode);
    char sql[160];
    snprintf(sql, sizeof sql, "ALTER DATABASE %s %s", strrchr(((struct shop_pg_db *)shop.db)->url, '/') + 1,
             WRITERS_WAIT);
    shop_sql(&shop, sql);
    shop_sql(&shop, "CREATE TABLE gone (LIKE outbox_events, PRIMARY KEY (pos))");
    struct writers *writers = writers_start(&shop, 6, 4000, spec_seed());
    struct shop_running *running = shop_start(&shop, NULL);
    usleep(300000);
    partition(&shop);
    keep_copies(&shop);
    usleep(300000);
    int days = days_until_dropped(&shop, 2);
    partition(&shop); /* once more, while all goes on */
    usleep(300000);
    long transactions = writers_stop(writers);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    shop_sql(&shop,
             "ALTER TABLE outbox_events RENAME TO kept; CREATE VIEW outbox_events AS SELECT * FROM gone"
             " WHERE pos NOT IN (SELECT pos FROM kept) UNION ALL SELECT * FROM kept");
    size_t parked, rows = shop_judge(&shop, &parked);
    print_message("%ld transactions, %zu rows, %d days\n", transactions, rows, days);
    assert_true(rows > 400);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"an outbox is partitioned, and partitions dropped, while services write and the relay is at work",
     while_everybody_is_at_work},
};

SPEC_MAIN(specs)
