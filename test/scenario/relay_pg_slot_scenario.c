/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay plan */
/* The replication slot in other hands: the relay says exactly what became of it, sends nothing meanwhile, and catches up from the
 * table on command. And the way of finding rows may change at each start. */
#include "relay_kills.h"
#include "relay_pg_fixture.h"

static void expect_following(struct shop_running *running) {
    weir_relay_stats stats = {.phase = ""};
    for (int i = 0; i < 2000 && strcmp(stats.phase, "following the log") != 0; i++) {
        usleep(10000);
        weir_relay_stats_get(running->relay, &stats);
    }
    assert_string_equal(stats.phase, "following the log");
}

static struct shop_running *start_following(struct shop *shop) {
    struct shop_running *running = shop_start(shop, NULL);
    expect_following(running);
    return running;
}

static void wait_until_free(struct shop *shop) {
    for (int i = 0; i < 500 && shop_number(shop, "SELECT count(active_pid) FROM pg_replication_slots") > 0;
         i++)
        usleep(10000);
}

/* A shop whose relay has followed the log and ended. */
static struct shop shop_left_behind(void) {
    struct shop shop = shop_open_pg(WEIR_RELAY_WAL);
    struct shop_running *running = start_following(&shop);
    shop_fill(&shop, 100, 10);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    wait_until_free(&shop);
    return shop;
}

static const char *slot_of(struct shop *shop) {
    static char name[64];
    snprintf(name, sizeof name, "%.63s", shop_value(shop, "SELECT slot FROM outbox_meta").text);
    return name;
}

static weir_code run_once_at(struct shop *shop, const weir_clock *clock, uint64_t *published,
                             weir_error *err) {
    weir_relay *relay;
    weir_relay_stats stats;
    weir_relay_options options = {
        .outbox = shop->url, .mode = WEIR_RELAY_WAL, .catch_up = shop->catch_up, .clock = clock};
    *published = 0;
    weir_code code = weir_relay_open(&relay, shop->connection, shop->catalog, &options, err);
    if (code != WEIR_OK)
        return code;
    code = weir_relay_run(relay, true, err);
    weir_relay_stats_get(relay, &stats);
    weir_relay_close(relay);
    *published = stats.published;
    return code;
}

static weir_code run_once(struct shop *shop, uint64_t *published, weir_error *err) {
    return run_once_at(shop, NULL, published, err);
}

/* It ends by itself with this message. */
static void expect_end(struct shop_running *running, weir_code code, const char *message) {
    pthread_join(running->thread, NULL);
    weir_relay_close(running->relay);
    expect_error(running->code, code, &running->err, message);
    free(running);
}

static void catch_up(struct shop *shop, bool once) {
    weir_error err;
    uint64_t published;
    shop->catch_up = true;
    if (once) {
        expect_ok(run_once(shop, &published, &err), &err);
    } else {
        struct shop_running *running = start_following(shop);
        shop_drained(shop);
        published = shop_end(running, WEIR_OK).published;
    }
    assert_int_equal(published, 100);
    shop->catch_up = false;
}

/* It stops with this message, has sent nothing, and its remedy works. */
static void expect_diagnosis(struct shop *shop, weir_code code, const char *message, bool once) {
    weir_error err;
    uint64_t published;
    shop_faults++;
    expect_error(run_once(shop, &published, &err), code, &err, message);
    if (!strstr(err.hint, "--catch-up"))
        fail_msg("the hint is: %s", err.hint);
    assert_int_equal(shop_number(shop, SHOP_PENDING), 100);
    catch_up(shop, once);
    shop_fill(shop, 30, 10);
    expect_ok(run_once(shop, &published, &err), &err);
    assert_int_equal(published, 30);
    shop_expect_all_once(shop);
    shop_close(shop);
}

static void a_dropped_slot(void **state) {
    (void)state;
    char message[1400];
    struct shop shop = shop_left_behind();
    snprintf(message, sizeof message,
             "%s: the replication slot '%s' is gone: somebody dropped it, or the server was restored",
             shop.url, slot_of(&shop));
    (void)shop_value(&shop, "SELECT pg_drop_replication_slot(slot) FROM outbox_meta");
    shop_fill(&shop, 100, 10);
    expect_diagnosis(&shop, WEIR_NOT_FOUND, message, true);
}

static void set_slot_limit(struct shop *shop, const char *limit) {
    char sql[128];
    snprintf(sql, sizeof sql, "ALTER SYSTEM SET max_slot_wal_keep_size = '%s'", limit);
    shop_sql(shop, sql);
    (void)shop_value(shop, "SELECT pg_reload_conf()");
}

static void a_lost_slot(void **state) {
    (void)state;
    char message[1400];
    struct shop shop = shop_left_behind();
    snprintf(message, sizeof message,
             "%s: the replication slot '%s' is lost: the log it needs was removed (max_slot_wal_keep_size)",
             shop.url, slot_of(&shop));
    shop_fill(&shop, 100, 10);
    set_slot_limit(&shop, "1MB");
    for (int i = 0;
         i < 100 &&
         shop_number(&shop, "SELECT count(*) FROM pg_replication_slots WHERE wal_status = 'lost'") == 0;
         i++) {
        (void)shop_value(&shop, "SELECT pg_logical_emit_message(false, 'filler', repeat('x', 1000000))");
        (void)shop_value(&shop, "SELECT pg_switch_wal()");
        shop_sql(&shop, "CHECKPOINT");
    }
    set_slot_limit(&shop, "-1");
    expect_diagnosis(&shop, WEIR_CONFLICT, message, false);
}

static void a_moved_slot(void **state) {
    (void)state;
    char message[1400], at[32];
    struct shop shop = shop_left_behind();
    shop_fill(&shop, 100, 10);
    (void)shop_value(&shop,
                     "SELECT pg_replication_slot_advance(slot, pg_current_wal_lsn()) FROM outbox_meta");
    snprintf(at, sizeof at, "%.31s",
             shop_value(&shop, "SELECT confirmed_flush_lsn FROM pg_replication_slots").text);
    snprintf(message, sizeof message,
             "%s: the replication slot '%s' was moved by somebody else: it is at %s, we confirmed %s",
             shop.url, slot_of(&shop), at, shop_value(&shop, "SELECT confirmed_lsn FROM outbox_meta").text);
    expect_diagnosis(&shop, WEIR_CONFLICT, message, true);
}

static pid_t read_slot(struct shop *shop) {
    const struct shop_pg_db *db = shop->db;
    const char *const argv[] = {kit_postgres_program("pg_recvlogical"),
                                "--dbname",
                                db->url,
                                "--slot",
                                slot_of(shop),
                                "--start",
                                "--file",
                                "/dev/null",
                                "--status-interval=0",
                                "--fsync-interval=0",
                                "--option=proto_version=1",
                                "--option=publication_names=weir_outbox",
                                NULL};
    pid_t reader = kit_start(argv, "reader.log");
    for (int i = 0; i < 500 && shop_number(shop, "SELECT count(active_pid) FROM pg_replication_slots") == 0;
         i++)
        usleep(10000);
    return reader;
}

static void expect_program_fails(struct shop *shop, const char *message) {
    const char *const more[] = {"--once", "--standby", NULL};
    struct kit_run run = kit_run(shop_relay_words(shop, kit_server_url(shop->server), more), NULL, 60);
    assert_int_equal(run.status, 1);
    if (!strstr(run.err, message))
        fail_msg("it says: %s", run.err);
    kit_run_free(&run);
}

/* Another reader: it must not be robbed, and takes nothing away from us. */
static void a_slot_that_somebody_reads(void **state) {
    (void)state;
    char message[1400];
    weir_error err;
    uint64_t published;
    struct shop shop = shop_left_behind();
    pid_t reader = read_slot(&shop);
    shop_faults++;
    snprintf(message, sizeof message,
             "%s: the replication slot '%s' is used by somebody else: process %.200s", shop.url,
             slot_of(&shop),
             shop_value(&shop, "SELECT format('%s (pg_recvlogical from %s, since %s UTC)', pid,"
                               " coalesce(host(client_addr), 'this host'),"
                               " to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))"
                               " FROM pg_stat_replication WHERE application_name = 'pg_recvlogical'")
                 .text);
    shop_fill(&shop, 100, 10);
    expect_error(run_once(&shop, &published, &err), WEIR_CONFLICT, &err, message);
    expect_program_fails(&shop, message);
    assert_int_equal(shop_number(&shop, SHOP_PENDING), 100);
    shop.catch_up = true;
    expect_error(run_once(&shop, &published, &err), WEIR_CONFLICT, &err, message);
    assert_int_equal(published, 100);
    assert_int_equal(shop_number(&shop, SHOP_PENDING), 0);
    kit_end(reader, SIGKILL);
    wait_until_free(&shop);
    shop.catch_up = false;
    struct shop_running *running = start_following(&shop);
    shop_fill(&shop, 30, 10);
    shop_drained(&shop);
    shop_end(running, WEIR_OK);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* Its own reader is ended, and the slot dropped before it is back. */
static void a_slot_dropped_under_the_relay(void **state) {
    (void)state;
    struct shop shop = shop_left_behind();
    struct shop_running *running = start_following(&shop);
    char message[1400];
    snprintf(message, sizeof message,
             "%s: the replication slot '%s' is gone: somebody dropped it, or the server was restored",
             shop.url, slot_of(&shop));
    shop_fill(&shop, 30, 10);
    shop_drained(&shop);
    shop_sql(
        &shop,
        "DO $$ BEGIN LOOP BEGIN"
        " PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL;"
        " PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots; RETURN;"
        " EXCEPTION WHEN object_in_use THEN NULL; END; END LOOP; END $$");
    shop_fill(&shop, 100, 10);
    expect_end(running, WEIR_NOT_FOUND, message);
    expect_diagnosis(&shop, WEIR_NOT_FOUND, message, false);
}

/* What is remembered of the slot is what tells that somebody dropped it. */
static void once_leaves_a_slot(void **state) {
    (void)state;
    char message[1400];
    weir_error err;
    uint64_t published;
    struct shop shop = shop_open_pg(WEIR_RELAY_WAL);
    shop_fill(&shop, 50, 10);
    expect_ok(run_once(&shop, &published, &err), &err);
    assert_int_equal(published, 50);
    assert_int_equal(shop_number(&shop, "SELECT count(*) FROM outbox_meta JOIN pg_replication_slots"
                                        " ON slot_name = slot AND confirmed_flush_lsn <= confirmed_lsn"),
                     1);
    snprintf(message, sizeof message,
             "%s: the replication slot '%s' is gone: somebody dropped it, or the server was restored",
             shop.url, slot_of(&shop));
    wait_until_free(&shop);
    (void)shop_value(&shop, "SELECT pg_drop_replication_slot(slot) FROM outbox_meta");
    shop_fill(&shop, 100, 10);
    expect_diagnosis(&shop, WEIR_NOT_FOUND, message, true);
}

static void fill_message(struct shop *shop) {
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT weir_emit_message('order.placed', NULL, '{\"n\":%d,\"customer\":\"c%d\"}', id => "
             "'row-%d')",
             shop->rows, shop->rows % 7, shop->rows);
    (void)shop_value(shop, sql);
    shop->rows++;
}

/* What was committed before it began is its work, also where only the log has it. */
static void once_sends_messages(void **state) {
    (void)state;
    weir_error err;
    uint64_t published;
    struct shop shop = shop_left_behind();
    for (int i = 0; i < 3; i++) {
        fill_message(&shop);
        shop_fill(&shop, 10, 10);
    }
    fill_message(&shop);
    expect_ok(run_once(&shop, &published, &err), &err);
    assert_int_equal(published, 34);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

/* Thirty times as fast as the real one. */
static int64_t fast_mono(void *self) {
    (void)self;
    return weir_clock_system()->mono_ns(weir_clock_system()->self) * 30;
}

static int64_t real_wall(void *self) {
    (void)self;
    return weir_clock_system()->wall_ns(weir_clock_system()->self);
}

static void a_slot_that_cannot_be_made(void **state) {
    (void)state;
    char message[1400];
    weir_error err;
    uint64_t published;
    const weir_clock fast = {.wall_ns = real_wall, .mono_ns = fast_mono};
    struct shop shop = shop_open_pg(WEIR_RELAY_WAL);
    struct shop_pg_db *db = shop.db;
    PGconn *open = kit_sql_connect(db->url);
    kit_sql(open, "BEGIN; SELECT pg_current_xact_id()");
    shop_fill(&shop, 50, 10);
    snprintf(message, sizeof message,
             "%s: every row of the table is in its stream, but the log did not get on for 30 s", shop.url);
    expect_error(run_once_at(&shop, &fast, &published, &err), WEIR_TIMEOUT, &err, message);
    assert_string_equal(err.hint, "the log: making the replication slot waits for transactions that are "
                                  "open; weir outbox check names them");
    assert_int_equal(published, 50);
    PQfinish(open);
    wait_until_free(&shop);
    shop_fill(&shop, 30, 10);
    expect_ok(run_once(&shop, &published, &err), &err);
    assert_int_equal(published, 30);
    shop_expect_all_once(&shop);
    shop_close(&shop);
}

static void modes_follow_each_other(void **state) {
    (void)state;
    struct shop shop = shop_open_pg(WEIR_RELAY_POLL);
    uint64_t random = spec_seed();
    for (int i = 0; i < shop_times(6, 40); i++, shop_faults++) {
        shop.mode = i % 2 ? WEIR_RELAY_WAL : WEIR_RELAY_POLL;
        pid_t relay = shop_relay_start(&shop, kit_server_url(shop.server));
        for (int j = 0; j < 10; j++, usleep((useconds_t)shop_random(&random, 60000)))
            shop_fill(&shop, 30, 10);
        kit_end(relay, SIGKILL);
    }
    assert_int_equal(shop_relay_program(&shop), 0);
    shop_expect_all_once(&shop);
    print_message("%d faults\n", shop_faults);
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a slot that was dropped is named, and caught up with on command", a_dropped_slot},
    {"a slot lost by its size is named, and caught up with on command", a_lost_slot},
    {"a slot that somebody moved is named, and caught up with on command", a_moved_slot},
    {"a slot that somebody reads stops the relay with who it is, also after catching up",
     a_slot_that_somebody_reads},
    {"a slot dropped under the relay stops it", a_slot_dropped_under_the_relay},
    {"a single run leaves a slot behind that is remembered", once_leaves_a_slot},
    {"a single run sends what only the log has", once_sends_messages},
    {"a single run says when the slot cannot be made", a_slot_that_cannot_be_made},
    {"polling and following the log continue each other", modes_follow_each_other},
};

SPEC_MAIN(specs)
