/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan relay consume */
/* A stream is given a new one while everybody is at work. */
#include <signal.h>

#include "migrate_fixture.h"

/* --- at rest ------------------------------------------------------------------------------------------------- */

static void sequences_and_positions_stay(void **state) {
    (void)state;
    struct shop shop = shop_open(MOVING(""));
    struct broker_stream_state before, after;
    weir_error err = {0};
    for (int i = 0; i < 20; i++)
        assert_int_equal(moving_publish(shop.connection, i), 0);
    kit_durable(shop.connection, "ORDERS", "audit", "\"filter_subject\":\"order.placed\"");
    struct reader *audit = reader_open(shop.connection, "audit");
    assert_int_equal(reader_read(audit, 7), 7);
    expect_ok(broker_delete(shop.connection, "ORDERS", 4, &err), &err);
    expect_ok(broker_delete(shop.connection, "ORDERS", 20, &err), &err); /* the last */
    expect_ok(broker_stream_state(shop.connection, "ORDERS", &before, &err), &err);
    moving_apply(shop.connection, MOVING(", storage: memory"));
    expect_config(shop.connection, "storage", "memory");
    expect_ok(broker_stream_state(shop.connection, "ORDERS", &after, &err), &err);
    assert_string_equal(after.created, before.created);
    assert_int_equal(after.first_seq, before.first_seq);
    assert_int_equal(after.messages, before.messages);
    struct moved *moved = moved_dump(shop.connection);
    for (int i = 0; i < 20; i++)
        assert_int_equal(moved->direct[i], i == 3 || i == 19 ? 0 : i + 1);
    free(moved);
    assert_int_equal(reader_read(audit, 1), 8);
    reader_close(audit);
    expect_no_traces(shop.connection);
    shop_close(&shop);
}

static uint64_t stored(struct shop *shop) {
    struct broker_stream_state state;
    weir_error err = {0};
    expect_ok(broker_stream_state(shop->connection, "ORDERS", &state, &err), &err);
    return state.messages;
}

static void a_work_queue_holds_what_is_not_acknowledged(void **state) {
    (void)state;
    struct shop shop = shop_open(MOVING(""));
    for (int i = 0; i < 10; i++)
        assert_int_equal(moving_publish(shop.connection, i), 0);
    struct reader *billing = reader_open(shop.connection, "billing");
    assert_int_equal(reader_read(billing, 4), 4);
    moving_apply(shop.connection, MOVING(", retention: workqueue"));
    assert_int_equal(stored(&shop), 6); /* and no mark of the migration */
    assert_int_equal(reader_read(billing, 2), 6);
    assert_int_equal(stored(&shop), 4);
    moving_apply(shop.connection, MOVING(""));
    assert_int_equal(stored(&shop), 4);
    assert_int_equal(reader_read(billing, 4), 10);
    assert_int_equal(stored(&shop), 4);
    reader_close(billing);
    shop_close(&shop);
}

static void an_interest_stream_keeps_what_a_group_waits_for(void **state) {
    (void)state;
    struct shop shop = shop_open(MOVING_READ(", retention: interest", "order.placed, order.noted"));
    kit_durable(shop.connection, "ORDERS", "audit", "\"filter_subject\":\"order.placed\"");
    for (int i = 0; i < 10; i++)
        assert_int_equal(moving_publish(shop.connection, i), 0);
    struct reader *audit = reader_open(shop.connection, "audit");
    struct reader *billing = reader_open(shop.connection, "billing");
    assert_int_equal(reader_read(audit, 6), 6);
    assert_int_equal(reader_read(billing, 4), 4);
    moving_apply(shop.connection,
                 MOVING_READ(", retention: interest, storage: memory", "order.placed, order.noted"));
    expect_config(shop.connection, "retention", "interest");
    assert_int_equal(stored(&shop), 6); /* 5 and 6 for billing, the rest for both */
    assert_int_equal(reader_read(audit, 4), 10);
    assert_int_equal(reader_read(billing, 6), 10);
    reader_close(audit);
    reader_close(billing);
    shop_close(&shop);
}

static void a_paused_group_stays_paused(void **state) {
    (void)state;
    struct shop shop = shop_open(MOVING(""));
    json_doc *reply;
    weir_error err = {0};
    kit_durable(shop.connection, "ORDERS", "audit", NULL);
    kit_api(shop.connection, "CONSUMER.PAUSE.ORDERS.audit", "{\"pause_until\":\"2100-01-01T00:00:00Z\"}");
    kit_api(shop.connection, "CONSUMER.PAUSE.ORDERS.billing", "{\"pause_until\":\"2100-01-01T00:00:00Z\"}");
    moving_apply(shop.connection, MOVING(", storage: memory"));
    expect_ok(broker_api(shop.connection, "CONSUMER.LIST.ORDERS", (weir_text){NULL, 0}, &reply, &err), &err);
    assert_int_equal(json_size(json_get(json_root(reply), "consumers")), 2);
    for (struct json_iter it = json_iter(json_get(json_root(reply), "consumers")); json_next(&it);)
        assert_true(json_true(json_get(it.value, "paused")));
    json_doc_free(reply);
    shop_close(&shop);
}

/* --- under load ------------------------------------------------------------------------------------------------ */

/* A stream that syncs each message copies some hundreds a second on a busy disk. */
enum { DIRECT_MAX = 500, ROWS_MAX = 500 };

struct load {
    struct shop shop;
    atomic_bool stop;
    pthread_t publisher, writer, auditor, member_thread;
    int published, refused;
    struct shop_running *relay;
    weir_member *member;
    sqlite3 *inbox;
    atomic_int handled;
    int audited[MANY]; /* by sequence: how often */
    int member_code;
};

static void *publish_on(void *arg) {
    struct load *load = arg;
    weir_connection *connection = kit_connect(load->shop.server);
    for (; !load->stop && load->published < DIRECT_MAX; load->published++) {
        load->refused += moving_publish(connection, load->published);
        usleep(10000);
    }
    weir_disconnect(connection);
    return NULL;
}

static void *write_on(void *arg) {
    struct load *load = arg;
    while (!load->stop && load->shop.rows < ROWS_MAX) {
        shop_fill(&load->shop, 6, 3);
        usleep(60000);
    }
    return NULL;
}

/* A foreign client: pulls, acknowledges, and goes on when its consumer is away for a while. */
static void *audit_on(void *arg) {
    struct load *load = arg;
    weir_connection *connection = kit_connect(load->shop.server);
    struct reader *reader = reader_open(connection, "audit");
    weir_error err;
    while (!load->stop) {
        broker_msg *msg = reader_next(reader);
        if (!msg) {
            usleep(2000);
            continue;
        }
        uint64_t sequence = moving_sequence(msg);
        assert_true(sequence < MANY);
        if (broker_ack_sync(connection, msg, 1000, &err) == WEIR_OK)
            load->audited[sequence]++;
        broker_msg_free(msg);
    }
    reader_close(reader);
    weir_disconnect(connection);
    return NULL;
}

static weir_verdict keep_effect(void *arg, const weir_delivery *delivery) {
    struct load *load = arg;
    char sql[256];
    snprintf(sql, sizeof sql, "INSERT INTO effects (id) VALUES ('%.*s')", TEXT_ARG(delivery->event.id));
    if (sqlite3_exec(delivery->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return weir_retry(delivery, sqlite3_errmsg(delivery->db));
    atomic_fetch_add(&load->handled, 1);
    return WEIR_DONE;
}

static void *member_on(void *arg) {
    struct load *load = arg;
    weir_error err = {0};
    load->member_code = weir_member_run(load->member, &err);
    if (load->member_code != WEIR_OK)
        print_error("the member ended: %s\n", err.message);
    return NULL;
}

static void start_member(struct load *load) {
    static int number;
    char name[32];
    weir_error err = {0};
    snprintf(name, sizeof name, "inbox-%d.db", ++number);
    assert_int_equal(sqlite3_open(kit_path(name), &load->inbox), SQLITE_OK);
    sqlite3_busy_timeout(load->inbox, 5000);
    expect_ok(weir_outbox_init_sqlite(load->inbox, &err), &err);
    assert_int_equal(sqlite3_exec(load->inbox, "CREATE TABLE effects (id TEXT)", NULL, NULL, NULL),
                     SQLITE_OK);
    weir_member_options options = {
        .group = "billing", .handler = keep_effect, .handler_arg = load, .sqlite = load->inbox};
    expect_ok(weir_member_open(&load->member, load->shop.connection, load->shop.catalog, &options, &err),
              &err);
    assert_int_equal(pthread_create(&load->member_thread, NULL, member_on, load), 0);
}

static struct load *load_start(const char *yaml) {
    struct load *load = calloc(1, sizeof *load);
    load->shop = shop_open(yaml);
    kit_durable(load->shop.connection, "ORDERS", "audit",
                "\"filter_subject\":\"order.noted\",\"ack_wait\":2000000000");
    load->relay = shop_start(&load->shop, NULL);
    start_member(load);
    pthread_create(&load->publisher, NULL, publish_on, load);
    pthread_create(&load->writer, NULL, write_on, load);
    pthread_create(&load->auditor, NULL, audit_on, load);
    return load;
}

static int64_t effects(struct load *load, const char *sql) {
    struct shop view = {.store = &shop_sqlite, .db = load->inbox};
    return shop_number(&view, sql);
}

/* Every order.placed is there: those published, and those of the outbox. */
static bool all_handled(void *arg) {
    struct load *load = arg;
    int rows = (load->shop.rows + 2) / 3;
    return load->handled >= load->published + rows;
}

static bool all_audited(void *arg) {
    struct load *load = arg;
    int rows = load->shop.rows / 3, seen = 0;
    for (int i = 0; i < MANY; i++)
        seen += load->audited[i] > 0;
    return seen >= rows;
}

static void load_stop(struct load *load) {
    weir_error err = {0};
    load->stop = true;
    pthread_join(load->publisher, NULL);
    pthread_join(load->writer, NULL);
    shop_drained(&load->shop);
    assert_true(kit_until(all_handled, load));
    weir_member_stop(load->member);
    pthread_join(load->member_thread, NULL);
    assert_int_equal(load->member_code, WEIR_OK);
    weir_member_close(load->member);
    assert_int_equal(shop_end(load->relay, WEIR_OK).republished, 0); /* to the relay it is the same stream */
    pthread_join(load->auditor, NULL);
    struct reader *reader = reader_open(load->shop.connection, "audit");
    for (broker_msg *msg; (msg = reader_next(reader));) {
        load->audited[moving_sequence(msg)]++;
        expect_ok(broker_ack_sync(load->shop.connection, msg, 1000, &err), &err);
        broker_msg_free(msg);
    }
    reader_close(reader);
}

static void load_end(struct load *load) {
    sqlite3_close(load->inbox);
    shop_close(&load->shop);
    free(load);
}

/* The outbox's rows stand where the database says; the publisher's where it was told; all once and in order. */
static void expect_all_stored(struct load *load) {
    struct moved *moved = moved_dump(load->shop.connection);
    char sql[128];
    for (int i = 0; i < load->published; i++)
        if (!moved->direct[i])
            fail_msg("direct-%d was acknowledged and is not there", i);
    for (int i = 0; i < load->shop.rows; i++) {
        snprintf(sql, sizeof sql, "SELECT sequence FROM outbox_events WHERE id = 'row-%d'", i);
        if (i % 3 != 1)
            assert_int_equal(shop_number(&load->shop, sql), moved->rows[i]);
    }
    free(moved);
}

static void expect_all_handled_once(struct load *load) {
    int rows = (load->shop.rows + 2) / 3;
    assert_int_equal(effects(load, "SELECT count(*) FROM effects"), load->published + rows);
    assert_int_equal(effects(load, "SELECT count(DISTINCT id) FROM effects"), load->published + rows);
    assert_true(all_audited(load));
}

static bool some_handled(void *arg) {
    return ((struct load *)arg)->handled >= 50;
}

/* `kept`: no retention takes events away, so all of them can be looked for at the end. */
static void move_under_load(const char *before, const char *between, const char *field, const char *value,
                            bool kept) {
    struct load *load = load_start(before);
    int repeated = 0, audited = 0;
    assert_true(kit_until(some_handled, load));
    moving_apply(load->shop.connection, between);
    expect_config(load->shop.connection, field, value);
    int handled = load->handled;
    usleep(200000);
    moving_apply(load->shop.connection, before);
    assert_true(load->handled > handled || !load->stop);
    usleep(200000);
    load_stop(load);
    if (kept)
        expect_all_stored(load);
    else
        free(moved_dump(load->shop.connection));
    expect_all_handled_once(load);
    for (int i = 0; i < MANY; i++) {
        audited += load->audited[i] > 0;
        repeated += load->audited[i] > 1;
    }
    print_message("published %d (refused %d times), rows %d, handled %d, audited %d, of which twice %d\n",
                  load->published, load->refused, load->shop.rows, load->handled, audited, repeated);
    assert_int_equal(repeated, 0);
    expect_no_traces(load->shop.connection);
    load_end(load);
}

static void file_to_memory_and_back(void **state) {
    (void)state;
    move_under_load(MOVING(""), MOVING(", storage: memory"), "storage", "memory", true);
}

static void limits_to_workqueue_and_back(void **state) {
    (void)state;
    move_under_load(MOVING(""), MOVING(", retention: workqueue"), "retention", "workqueue", false);
}

/* --- killed --------------------------------------------------------------------------------------------------- */

static int apply_program(struct shop *shop, const char *yaml) {
    char catalog[512];
    snprintf(catalog, sizeof catalog, "%s", kit_catalog_folder(yaml));
    const char *argv[] = {
        kit_program("weir"), "apply",        catalog,  "--server", kit_server_url(shop->server), "--yes",
        "--quiet",           "--allow-loss", "ORDERS", NULL};
    struct kit_run run = kit_run(argv, NULL, 30);
    int status = run.status;
    if (status != 0 && status != 128 + SIGKILL)
        fail_msg("weir apply ended with %d: %s", status, run.err);
    kit_run_free(&run);
    return status;
}

/* A publisher that does not stop for anything. */
struct busy {
    pthread_t thread;
    atomic_bool stop;
    weir_connection *connection;
    int published;
};

static void *publish_busily(void *arg) {
    struct busy *busy = arg;
    for (; !busy->stop; busy->published++) {
        moving_publish(busy->connection, busy->published);
        usleep(5000);
    }
    return NULL;
}

/* The plan made now goes on with what was begun. */
static void expect_unfinished(struct shop *shop, const char *yaml, const char *act) {
    weir_error err = {0};
    weir_plan *plan;
    weir_catalog *catalog = moving_catalog(yaml);
    expect_ok(weir_plan_make(&plan, shop->connection, catalog, &err), &err);
    if (moving_step(plan, "ORDERS")->kind != WEIR_STEP_REPLACE)
        fail_msg("killed at %s: the plan does not go on", act);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
}

/* Dies before it does `act`, and the next apply finishes. */
static void kill_and_go_on(struct shop *shop, const char *yaml, const char *act, struct busy *busy) {
    char point[32];
    busy->stop = false;
    pthread_create(&busy->thread, NULL, publish_busily, busy);
    snprintf(point, sizeof point, "%s:1", act);
    setenv("WEIR_CRASH_AT", point, 1);
    if (apply_program(shop, yaml) != 128 + SIGKILL)
        fail_msg("weir apply was not killed at %s", act);
    unsetenv("WEIR_CRASH_AT");
    kit_api(shop->connection, "STREAM.DELETE.weir-migrating-ORDERS", ""); /* as its age would do */
    expect_unfinished(shop, yaml, act);
    assert_int_equal(apply_program(shop, yaml), 0);
    busy->stop = true;
    pthread_join(busy->thread, NULL);
    expect_no_traces(shop->connection);
}

static void expect_all_there(struct shop *shop, int published, const char *act) {
    struct moved *moved = moved_dump(shop->connection);
    for (int n = 0; n < published; n++)
        if (!moved->direct[n])
            fail_msg("killed at %s: event %d is lost", act, n);
    free(moved);
}

/* A group that had read five goes on behind them and finds all others in order. */
static void kill_at(const char *const *acts, size_t count) {
    struct shop shop = shop_open(MOVING(""));
    struct busy busy = {.connection = kit_connect(shop.server)};
    for (; busy.published < 10; busy.published++)
        assert_int_equal(moving_publish(shop.connection, busy.published), 0);
    kit_durable(shop.connection, "ORDERS", "audit", "\"filter_subject\":\"order.placed\"");
    struct reader *audit = reader_open(shop.connection, "audit");
    reader_read(audit, 5);
    for (size_t i = 0; i < count; i++) {
        bool back = i % 2;
        kill_and_go_on(&shop, back ? MOVING("") : MOVING(", storage: memory"), acts[i], &busy);
        expect_config(shop.connection, "storage", back ? "file" : "memory");
        expect_all_there(&shop, busy.published, acts[i]);
    }
    struct moved *moved = moved_dump(shop.connection);
    for (int n = 5; n < busy.published; n++)
        assert_int_equal(reader_read(audit, 1), moved->direct[n]);
    free(moved);
    reader_close(audit);
    weir_disconnect(busy.connection);
    shop_close(&shop);
}

#define KILL_AT(...)                                 \
    static const char *const acts[] = {__VA_ARGS__}; \
    (void)state;                                     \
    kill_at(acts, sizeof acts / sizeof *acts)

static void killed_before_publishers_notice(void **state) {
    KILL_AT("try", "copy", "follow", "quiet", "freeze");
}

static void killed_on_the_way_to_the_copy(void **state) {
    KILL_AT("end", "verify", "hold", "carry", "drop-old");
}

static void killed_on_the_way_to_the_new_stream(void **state) {
    KILL_AT("land", "freeze-copy", "end-copy", "verify-new");
}

static void killed_near_the_end(void **state) {
    KILL_AT("settle", "carry-new", "open", "drop-copy");
}

/* --- when it cannot be done -------------------------------------------------------------------------------------- */

/* Migrates ORDERS to memory; before `act`, `meddle` is called once. */
struct meddling {
    struct shop *shop;
    enum migrate_act act;
    void (*meddle)(struct shop *shop);
};

static void meddle_at(void *arg, enum migrate_act act, const char *about) {
    struct meddling *meddling = arg;
    (void)about;
    if (act != meddling->act || !meddling->meddle)
        return;
    meddling->meddle(meddling->shop);
    meddling->meddle = NULL;
}

static weir_code move_meddled(struct shop *shop, enum migrate_act act, void (*meddle)(struct shop *shop),
                              weir_error *err) {
    struct meddling meddling = {shop, act, meddle};
    weir_catalog *catalog = moving_catalog(MOVING(", storage: memory"));
    weir_plan *plan;
    weir_code code = WEIR_INTERNAL;
    expect_ok(weir_plan_make(&plan, shop->connection, catalog, err), err);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i].step.kind == WEIR_STEP_REPLACE)
            code = plan_replace(plan, &plan->steps.items[i], shop->connection, meddle_at, &meddling, err);
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    return code;
}

static struct shop shop_with(int events) {
    struct shop shop = shop_open(MOVING(""));
    for (int i = 0; i < events; i++)
        assert_int_equal(moving_publish(shop.connection, i), 0);
    kit_durable(shop.connection, "ORDERS", "audit", "\"filter_subject\":\"order.placed\"");
    return shop;
}

/* As if nothing had happened: events go in and come out, and only what was planned is still to do. */
static void expect_untouched(struct shop *shop, int events) {
    struct reader *audit = reader_open(shop->connection, "audit");
    assert_int_equal(moving_publish(shop->connection, events), 0);
    struct moved *moved = moved_dump(shop->connection);
    for (int n = 0; n <= events; n++)
        assert_int_equal(reader_read(audit, 1), moved->direct[n]);
    free(moved);
    reader_close(audit);
    expect_config(shop->connection, "storage", "file");
    expect_no_traces(shop->connection);
}

static void lose_one_of_the_copy(struct shop *shop) {
    kit_api(shop->connection, "STREAM.MSG.DELETE.weir-migrate-ORDERS", "{\"seq\":3}");
}

static void a_copy_that_lacks_something_is_given_up(void **state) {
    (void)state;
    struct shop shop = shop_with(5);
    weir_error err = {0};
    expect_error(move_meddled(&shop, MIGRATE_VERIFY, lose_one_of_the_copy, &err), WEIR_CONFLICT, &err,
                 "message 3 of stream ORDERS is missing from stream weir-migrate-ORDERS");
    assert_string_equal(err.hint, "stream ORDERS is as it was");
    expect_untouched(&shop, 5);
    shop_close(&shop);
}

static void lose_one_of_the_new(struct shop *shop) {
    kit_api(shop->connection, "STREAM.MSG.DELETE.ORDERS", "{\"seq\":3}");
}

static void a_new_stream_that_lacks_something_is_not_opened(void **state) {
    (void)state;
    struct shop shop = shop_with(5);
    weir_error err = {0};
    expect_error(move_meddled(&shop, MIGRATE_VERIFY_NEW, lose_one_of_the_new, &err), WEIR_CONFLICT, &err,
                 "message 3 of stream weir-migrate-ORDERS is missing from stream ORDERS");
    assert_string_equal(err.hint,
                        "stream weir-migrate-ORDERS has everything: delete stream ORDERS on the server and "
                        "apply again");
    kit_api(shop.connection, "STREAM.DELETE.ORDERS", "");
    moving_apply(shop.connection, MOVING(", storage: memory"));
    expect_all_there(&shop, 5, "verify-new");
    shop_close(&shop);
}

static void take_the_subjects(struct shop *shop) {
    kit_stream(shop->connection, "GRABBER", "order.*", NULL);
}

static void who_takes_the_subjects_is_named(void **state) {
    (void)state;
    struct shop shop = shop_with(5);
    weir_error err = {0};
    expect_error(move_meddled(&shop, MIGRATE_HOLD, take_the_subjects, &err), WEIR_INVALID, &err,
                 "STREAM.UPDATE.weir-migrate-ORDERS: subjects overlap with an existing stream (10065)");
    kit_api(shop.connection, "STREAM.DELETE.GRABBER", "");
    moving_apply(shop.connection, MOVING(", storage: memory"));
    expect_all_there(&shop, 5, "hold");
    shop_close(&shop);
}

static void take_the_lock(struct shop *shop) {
    kit_api(shop->connection, "STREAM.PURGE.weir-migrating-ORDERS", "");
    kit_publish(shop->connection, "_weir.migrate.ORDERS.lock", "another");
}

static void two_do_not_move_one_stream(void **state) {
    (void)state;
    struct shop shop = shop_with(5);
    weir_error err = {0};
    expect_error(move_meddled(&shop, MIGRATE_DROP_OLD, take_the_lock, &err), WEIR_CONFLICT, &err,
                 "stream ORDERS is being given a new stream by somebody else");
    assert_string_equal(err.hint, "wait until that is done, then look with weir plan");
    expect_all_there(&shop, 5, "drop-old");                     /* it was not deleted */
    moving_apply(shop.connection, MOVING(", storage: memory")); /* waits until the other is forgotten */
    expect_all_there(&shop, 5, "drop-old");
    shop_close(&shop);
}

static void power_fails(struct shop *shop) {
    kit_server_kill(shop->server);
    kit_server_restart(shop->server);
}

static void a_server_that_dies_in_between_loses_nothing(void **state) {
    (void)state;
    struct shop shop = shop_with(5);
    weir_error err = {0};
    (void)move_meddled(&shop, MIGRATE_LAND, power_fails, &err);
    weir_disconnect(shop.connection);
    shop.connection = kit_connect(shop.server);
    moving_apply(shop.connection, MOVING(", storage: memory"));
    expect_all_there(&shop, 5, "land");
    expect_no_traces(shop.connection);
    shop_close(&shop);
}

static void no_room_is_said_before_anything_is_touched(void **state) {
    (void)state;
    struct shop shop = shop_with(5);
    weir_error err = {0};
    weir_plan *plan;
    weir_catalog *catalog = moving_catalog(MOVING(", storage: memory, max_bytes: 900TiB"));
    expect_ok(weir_plan_make(&plan, shop.connection, catalog, &err), &err);
    expect_error(
        weir_plan_apply(plan, shop.connection, NULL, &err), WEIR_UNAVAILABLE, &err,
        "catalog.yaml:7: STREAM.CREATE.weir-trying-ORDERS: insufficient memory resources available (10028)");
    assert_string_equal(err.hint,
                        "max_bytes is a reservation: lower it in the catalog or its environment, or give the "
                        "servers more room");
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    expect_untouched(&shop, 5);
    shop_close(&shop);
}

/* --- groups wait -------------------------------------------------------------------------------------------------- */

static struct load *waiting; /* for whom wait_long waits */

static bool says_that_it_waits(void *arg) {
    weir_member_stats stats;
    weir_member_stats_get(((struct load *)arg)->member, &stats);
    return strcmp(stats.trouble,
                  "group 'billing' waits: stream ORDERS is being given a new one by weir apply") == 0;
}

/* Longer than a member looks for a consumer that is gone for good. */
static void wait_long(struct shop *shop) {
    (void)shop;
    assert_true(kit_until(says_that_it_waits, waiting));
    usleep(4000000);
}

static bool six_handled(void *arg) {
    return ((struct load *)arg)->handled == 6;
}

static void a_member_waits_for_its_group(void **state) {
    (void)state;
    struct load *load = calloc(1, sizeof *load);
    weir_error err = {0};
    load->shop = shop_with(5);
    start_member(load);
    waiting = load;
    expect_ok(move_meddled(&load->shop, MIGRATE_CARRY_NEW, wait_long, &err), &err);
    assert_int_equal(moving_publish(load->shop.connection, 5), 0);
    assert_true(kit_until(six_handled, load));
    weir_member_stop(load->member);
    pthread_join(load->member_thread, NULL);
    assert_int_equal(load->member_code, WEIR_OK);
    weir_member_close(load->member);
    load_end(load);
}

static const struct spec specs[] = {
    {"sequences, deletions, identity and positions stay", sequences_and_positions_stay},
    {"a work queue holds what is not acknowledged", a_work_queue_holds_what_is_not_acknowledged},
    {"an interest stream keeps what a group waits for", an_interest_stream_keeps_what_a_group_waits_for},
    {"a group that its operator paused stays paused", a_paused_group_stays_paused},
    {"from file to memory and back under load nothing is lost or doubled", file_to_memory_and_back},
    {"from limits to workqueue and back under load nothing is skipped", limits_to_workqueue_and_back},
    {"killed before publishers notice, apply goes on", killed_before_publishers_notice},
    {"killed on the way to the copy, apply goes on", killed_on_the_way_to_the_copy},
    {"killed on the way to the new stream, apply goes on", killed_on_the_way_to_the_new_stream},
    {"killed near the end, apply goes on", killed_near_the_end},
    {"a copy that lacks something is given up and all is as it was", a_copy_that_lacks_something_is_given_up},
    {"a new stream that lacks something is not opened", a_new_stream_that_lacks_something_is_not_opened},
    {"a stream that takes the subjects in between is named and nothing is lost",
     who_takes_the_subjects_is_named},
    {"two do not move one stream", two_do_not_move_one_stream},
    {"a server that dies in between loses nothing", a_server_that_dies_in_between_loses_nothing},
    {"a member waits for its group however long that takes", a_member_waits_for_its_group},
    {"no room is said before anything is touched", no_room_is_said_before_anything_is_touched},
};

SPEC_MAIN(specs)
