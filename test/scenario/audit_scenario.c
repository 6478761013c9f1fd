/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json broker catalog store plan relay */
/* After a restore: what the audit finds between database and streams, and that the relay goes on once it has healed. */
#include "base/process.h"
#include "cli_fixture.h"
#include <signal.h>

#include "relay/audit.h"
#include "relay_fixture.h"
#include "relay_history.h"

struct audited {
    struct shop shop;
    const char *folder;
};

static struct audited audited_open(int rows) {
    own_environment();
    struct audited audited = {.shop = shop_open(SHOP), .folder = kit_catalog_folder(SHOP)};
    setenv("NATS_URL", kit_server_url(audited.shop.server), 1);
    setenv("WEIR_CATALOG", audited.folder, 1);
    shop_fill(&audited.shop, rows, 5);
    shop_relay_once(&audited.shop);
    return audited;
}

static void audited_close(struct audited *audited) {
    unsetenv("NATS_URL");
    unsetenv("WEIR_CATALOG");
    shop_close(&audited->shop);
}

#define AUDIT(audited, ...) WEIR("outbox", "audit", (audited)->shop.url, __VA_ARGS__)

/* The members of a stream in the JSON of an audit. */
static int64_t of_stream(const json_doc *doc, const char *stream, const char *member) {
    const json *streams = json_get(json_root(doc), "streams");
    for (struct json_iter it = json_iter(streams); json_next(&it);) {
        int64_t value = -1;
        if (strcmp(json_cstr(json_get(it.value, "stream")), stream) == 0 &&
            json_int(json_get(it.value, member), &value))
            return value;
    }
    fail_msg("%s has no %s", stream, member);
    return -1;
}

struct counts {
    int64_t forgotten, replaced, unmarked, findings;
};

static struct counts audit_counts(struct audited *audited, const char *stream) {
    struct kit_run run = AUDIT(audited, "--json", "-q");
    json_doc *doc = json_of(&run);
    struct counts counts = {.forgotten = of_stream(doc, stream, "forgotten"),
                            .replaced = of_stream(doc, stream, "replaced"),
                            .unmarked = of_stream(doc, stream, "unmarked"),
                            .findings = int_at(doc, "/findings")};
    assert_int_equal(run.status, counts.findings > 0);
    json_doc_free(doc);
    kit_run_free(&run);
    return counts;
}

static void heal(struct audited *audited) {
    struct kit_run run = AUDIT(audited, "--heal");
    if (run.status != 0)
        print_error("%s%s", run.out, run.err);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.err, "healed; the relay goes on from here\n"));
    kit_run_free(&run);
}

static void expect_nothing_to_mend(struct audited *audited) {
    struct kit_run run = AUDIT(audited, "--log-level", "off");
    if (run.status != 0)
        print_error("%s%s", run.out, run.err);
    assert_int_equal(run.status, 0);
    assert_string_equal(run.err, "nothing to mend\n");
    assert_null(strstr(run.out, "another place")); /* nothing stands there twice */
    kit_run_free(&run);
}

/* --- nothing happened ------------------------------------------------------------------------------------ */

static void all_is_well(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    shop_fill(&audited.shop, 5, 5);
    EXPECT(AUDIT(&audited, "--log-level", "off"), 0,
           "BILLS: 10 published rows are kept, 10 events stand in the stream\n"
           "ORDERS: 20 published rows are kept, 20 events stand in the stream\n",
           "nothing to mend\n");
    EXPECT(AUDIT(&audited, "--stream", "BILLS", "-q"), 0,
           "BILLS: 10 published rows are kept, 10 events stand in the stream\n", "");
    EXPECT(AUDIT(&audited, "--stream", "BILL"), 1, "",
           "weir outbox audit: the outbox never sent to 'BILL', and the catalog has no such stream\n"
           "  did you mean BILLS?\n");
    audited_close(&audited);
}

static void it_may_run_beside_a_relay(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    struct shop_running *running = shop_start(&audited.shop, NULL);
    for (int i = 0; i < 8; i++) {
        shop_fill(&audited.shop, 300, 30);
        expect_nothing_to_mend(&audited);
    }
    struct kit_run run = AUDIT(&audited, "--heal");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(
        run.err, "weir outbox audit: --heal changes what a relay relies on, and: another relay works on "));
    assert_non_null(strstr(run.err, "\n  stop the relay first (process "));
    kit_run_free(&run);
    shop_drained(&audited.shop);
    shop_end(running, WEIR_OK);
    audited_close(&audited);
}

static void others_events_are_no_matter(void **state) {
    (void)state;
    struct audited audited = audited_open(6);
    kit_publish(audited.shop.connection, "order.placed", "no envelope");
    kit_publish(audited.shop.connection, "order.placed",
                "{\"id\":\"other\",\"type\":\"order.placed\",\"time\":\"2026-01-01T00:00:00Z\",\"version\":1,"
                "\"payload\":{\"n\":1}}");
    expect_nothing_to_mend(&audited);
    audited_close(&audited);
}

/* --- the stream forgot ------------------------------------------------------------------------------------ */

static void a_stream_made_anew_gets_everything_again(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    kit_api(audited.shop.connection, "STREAM.DELETE.ORDERS", "");
    struct kit_run gone = AUDIT(&audited, "-q");
    assert_int_equal(gone.status, 1);
    assert_non_null(strstr(gone.out, "ORDERS: the server does not have this stream; weir apply makes it\n"));
    kit_run_free(&gone);
    shop_apply(&audited.shop);
    EXPECT(AUDIT(&audited, "--stream", "ORDERS", "--limit", "2", "-q"), 1,
           "ORDERS: 20 published rows are kept, 0 events stand in the stream, 20 forgotten\n"
           "  the stream was created again or lost its end: the relay sends again what is missing\n"
           "  forgotten pos 30, was at 20, row-29\n"
           "  forgotten pos 28, was at 19, row-27\n"
           "  and 18 more\n",
           "");
    heal(&audited);
    expect_nothing_to_mend(&audited);
    assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 20);
    shop_fill(&audited.shop, 10, 5);
    shop_relay_once(&audited.shop);
    shop_expect_all_once(&audited.shop);
    audited_close(&audited);
}

/* Runs while the server is down. */
static void copy_folder(const char *from, const char *to) {
    EXPECT(kit_run((const char *const[]){"/bin/sh", "-c", "rm -rf \"$2\" && cp -a \"$1\" \"$2\"", "sh", from,
                                         to, NULL},
                   NULL, 60),
           0, "", "");
}

static void reconnect(struct audited *audited) {
    kit_server_restart(audited->shop.server);
    assert_true(kit_until(shop_is_reachable, &audited->shop));
}

static void keep_backup(struct audited *audited) {
    kit_server_kill(audited->shop.server);
    copy_folder(kit_server_folder(audited->shop.server), kit_path("backup"));
    reconnect(audited);
}

static void restore_backup(struct audited *audited) {
    kit_server_kill(audited->shop.server);
    copy_folder(kit_path("backup"), kit_server_folder(audited->shop.server));
    reconnect(audited);
}

static void a_stream_restored_from_before_gets_the_rest_again(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    keep_backup(&audited);
    shop_fill(&audited.shop, 30, 5);
    shop_relay_once(&audited.shop);
    restore_backup(&audited);
    struct counts orders = audit_counts(&audited, "ORDERS");
    assert_int_equal(orders.forgotten, 20);
    assert_int_equal(orders.replaced, 0);
    heal(&audited);
    expect_nothing_to_mend(&audited);
    shop_fill(&audited.shop, 10, 5);
    shop_relay_once(&audited.shop);
    shop_expect_all_once(&audited.shop);
    audited_close(&audited);
}

/* The end is cut off, and others publish where it was. */
static void a_stream_cut_and_written_over_gets_the_rest_again(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    keep_backup(&audited);
    shop_fill(&audited.shop, 30, 5);
    shop_relay_once(&audited.shop);
    restore_backup(&audited);
    for (int i = 0; i < 40; i++)
        kit_publish(audited.shop.connection, "order.placed", "{\"id\":\"other\",\"payload\":{\"n\":1}}");
    struct counts orders = audit_counts(&audited, "ORDERS");
    assert_int_equal(orders.replaced, 20);
    assert_int_equal(orders.forgotten, 0);
    heal(&audited);
    expect_nothing_to_mend(&audited);
    shop_relay_once(&audited.shop);
    assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 0);
    expect_nothing_to_mend(&audited);
    struct counts after = audit_counts(&audited, "ORDERS");
    assert_int_equal(after.findings, 0);
    audited_close(&audited);
}

static void a_message_that_is_gone_is_found(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    char said[700];
    snprintf(said, sizeof said, "1 finding; stop the relay, then weir outbox audit %s --heal mends it\n",
             audited.shop.url);
    kit_api(audited.shop.connection, "STREAM.MSG.DELETE.ORDERS", "{\"seq\":3}");
    EXPECT(AUDIT(&audited, "--stream", "ORDERS", "--log-level", "off"), 1,
           "ORDERS: 20 published rows are kept, 19 events stand in the stream, 1 forgotten\n"
           "  forgotten pos 4, was at 3, row-3\n",
           said);
    heal(&audited);
    shop_relay_once(&audited.shop);
    expect_nothing_to_mend(&audited);
    audited_close(&audited);
}

/* A running relay reads published rows back now and then: the newest, and others in turn. */
static void a_relay_notices_a_message_that_is_gone(void **state) {
    (void)state;
    static const uint64_t gone[] = {2, 3}; /* in the middle, and the newest */
    for (size_t i = 0; i < 2; i++) {
        struct audited audited = audited_open(5);
        char body[32];
        weir_relay_stats stats = {0};
        snprintf(body, sizeof body, "{\"seq\":%d}", (int)gone[i]);
        kit_api(audited.shop.connection, "STREAM.MSG.DELETE.ORDERS", body);
        struct shop_running *running = shop_start(&audited.shop, NULL);
        for (int wait = 0; wait < 500 && (stats.republished == 0 || stats.published == 0); wait++) {
            usleep(10000);
            weir_relay_stats_get(running->relay, &stats);
        }
        stats = shop_end(running, WEIR_OK);
        assert_int_equal(stats.republished, 1);
        assert_int_equal(stats.published, 1);
        expect_nothing_to_mend(&audited);
        audited_close(&audited);
    }
}

static void a_relay_that_misses_nothing_sends_nothing(void **state) {
    (void)state;
    struct audited audited = audited_open(5);
    kit_api(audited.shop.connection, "STREAM.PURGE.ORDERS", "{\"seq\":3}"); /* as its limits would */
    struct shop_running *running = shop_start(&audited.shop, NULL);
    shop_fill(&audited.shop, 5, 5);
    shop_drained(&audited.shop);
    weir_relay_stats stats = shop_end(running, WEIR_OK);
    assert_int_equal(stats.republished, 0);
    assert_int_equal(stats.published, 5);
    audited_close(&audited);
}

static void limits_are_no_loss(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    kit_api(audited.shop.connection, "STREAM.PURGE.ORDERS", "{\"seq\":11}");
    EXPECT(AUDIT(&audited, "--stream", "ORDERS", "-q"), 0,
           "ORDERS: 20 published rows are kept, 10 events stand in the stream\n"
           "  10 rows stood where the stream's limits took them away since\n",
           "");
    audited_close(&audited);
}

/* --- the database forgot ---------------------------------------------------------------------------------- */

static void copy_database(struct shop *shop, const char *to) {
    shop_sql(shop, "PRAGMA wal_checkpoint(TRUNCATE)");
    copy_folder(shop->url + 7, to);
}

/* The database as it was; the shop writes into it from now on. */
static void restore_database(struct audited *audited, const char *from) {
    sqlite3 *db;
    struct shop *shop = &audited->shop;
    shop->store->close(shop->db);
    snprintf(shop->url, sizeof shop->url, "sqlite:%s", from);
    assert_int_equal(sqlite3_open(from, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    shop->db = db;
}

static void a_database_from_before_learns_what_was_published(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    shop_fill(&audited.shop, 30, 5);
    copy_database(&audited.shop, kit_path("older.db"));
    shop_relay_once(&audited.shop);
    shop_fill(&audited.shop, 30, 5);
    shop_relay_once(&audited.shop);
    restore_database(&audited, kit_path("older.db"));
    shop_fill(&audited.shop, 30, 5); /* at the positions of those that it lost */
    weir_error err;
    weir_relay *relay = shop_relay(&audited.shop, NULL);
    assert_int_equal(weir_relay_run(relay, true, &err), WEIR_CONFLICT);
    assert_string_equal(
        err.hint, "restore both from one moment, or run weir outbox audit URL --heal: it holds every row "
                  "against what the stream holds and makes the database say so");
    weir_relay_close(relay);
    struct kit_run run = AUDIT(&audited, "-q");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(
        run.out, "  the relay stops here: the database was restored: its rows at the positions of batch "));
    kit_run_free(&run);
    heal(&audited);
    expect_nothing_to_mend(&audited);
    shop_relay_once(&audited.shop);
    assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 0);
    expect_nothing_to_mend(&audited);
    audited_close(&audited);
}

/* Restored to before it sent anything to a stream; the batches since are too many for the relay to go back along. */
static void a_database_that_knows_no_stream_learns_of_it(void **state) {
    (void)state;
    struct audited audited = audited_open(0);
    shop_fill(&audited.shop, 300, 5);
    copy_database(&audited.shop, kit_path("empty.db"));
    shop_relay_once(&audited.shop);
    for (int i = 0; i < 3; i++) {
        shop_fill(&audited.shop, 3, 3);
        shop_relay_once(&audited.shop);
    }
    restore_database(&audited, kit_path("empty.db"));
    struct kit_run run = AUDIT(&audited, "--heal", "--json", "-q");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 0);
    assert_int_equal(of_stream(doc, "ORDERS", "marked"), 200);
    assert_int_equal(of_stream(doc, "BILLS", "marked"), 100);
    assert_int_equal(of_stream(doc, "ORDERS", "lost_rows"), 6);
    json_doc_free(doc);
    kit_run_free(&run);
    assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 0);
    audited.shop.rows = 300;
    shop_relay_once(&audited.shop);
    expect_nothing_to_mend(&audited);
    audited_close(&audited);
}

/* --- anything at all -------------------------------------------------------------------------------------- */

static uint64_t dice;

static int below(int n) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (int)((dice >> 33) % (uint64_t)n);
}

/* Damages both sides of ORDERS: messages, cursors among them, are deleted; rows forget that they were published, or where;
 * the settled cursor is moved. */
static void damage(struct audited *audited, uint64_t last_seq) {
    char text[200];
    for (uint64_t sequence = 2; sequence <= last_seq; sequence++) /* before the first are the evicted */
        if (below(8) == 0) {
            snprintf(text, sizeof text, "{\"seq\":%d}", (int)sequence);
            kit_api(audited->shop.connection, "STREAM.MSG.DELETE.ORDERS", text);
        }
    for (int pos = 1; pos <= audited->shop.rows; pos++) {
        int what = below(16);
        snprintf(text, sizeof text,
                 what == 0
                     ? "UPDATE outbox_events SET processed = 0, stream = NULL, sequence = NULL WHERE pos = %d"
                     : "UPDATE outbox_events SET sequence = max(1, sequence + %d) WHERE pos = %d AND stream "
                       "= 'ORDERS'",
                 what == 0 ? pos : below(9) - 4, pos);
        if (what < 3)
            shop_sql(&audited->shop, text);
    }
    snprintf(text, sizeof text,
             "UPDATE outbox_streams SET settled_seq = max(0, settled_seq + %d) WHERE stream = 'ORDERS'",
             below(2) ? below(40) - 20 : 0);
    shop_sql(&audited->shop, text);
}

struct standing {
    struct audited *audited;
    int events;
};

static void expect_row_says_so(void *arg, uint64_t sequence, const broker_msg *msg) {
    struct standing *standing = arg;
    json_doc *doc;
    weir_error err;
    char query[200];
    if (broker_msg_header(msg, "Weir-Cursor").data)
        return;
    standing->events++;
    expect_ok(json_parse(&doc, broker_msg_data(msg), &err), &err);
    snprintf(query, sizeof query, "SELECT coalesce(sequence, 0) FROM outbox_events WHERE id = '%s'",
             json_cstr(json_get(json_root(doc), "id")));
    if (shop_number(&standing->audited->shop, query) != (int64_t)sequence)
        fail_msg("%s does not stand at %d", query, (int)sequence);
    json_doc_free(doc);
}

static struct audit_stream heal_in_small_windows(struct audited *audited, bool heals, arena *arena) {
    struct audit_stream found;
    weir_error err;
    struct audit_options options = {.connection = audited->shop.connection,
                                    .catalog = audited->shop.catalog,
                                    .heal = heals,
                                    .window = (size_t)below(9) + 1};
    expect_ok(outbox_open(&options.outbox, audited->shop.url, NULL, &err), &err);
    if (heals)
        expect_ok(outbox_lease(options.outbox, &err), &err);
    expect_ok(audit_stream(&found, "ORDERS", &options, arena, &err), &err);
    outbox_close(options.outbox);
    return found;
}

static void any_damage_is_healed(void **state) {
    (void)state;
    dice = spec_seed();
    for (int round = 0; round < 8; round++) {
        struct audited audited = audited_open(0);
        struct broker_stream_state stream;
        weir_error err;
        arena *arena = arena_new();
        for (int batch = 0; batch < 4; batch++) {
            shop_fill(&audited.shop, 12, 3);
            shop_relay_once(&audited.shop);
        }
        expect_ok(broker_stream_state(audited.shop.connection, "ORDERS", &stream, &err), &err);
        damage(&audited, stream.last_seq);
        heal_in_small_windows(&audited, true, arena);
        assert_int_equal(
            audit_findings((struct audit_stream[]){heal_in_small_windows(&audited, false, arena)}), 0);
        shop_relay_once(&audited.shop);
        assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 0);
        struct standing standing = {.audited = &audited};
        kit_stream_dump(audited.shop.connection, "ORDERS", expect_row_says_so, &standing);
        assert_int_equal(standing.events, 32); /* every row once: each stands where the database says */
        arena_free(arena);
        audited_close(&audited);
    }
}

/* Killed at any moment it is begun again. */
static void healing_is_begun_again(void **state) {
    (void)state;
    struct audited audited = audited_open(3000);
    kit_api(audited.shop.connection, "STREAM.DELETE.ORDERS", "");
    kit_api(audited.shop.connection, "STREAM.DELETE.BILLS", "");
    shop_apply(&audited.shop);
    for (int i = 0; i < 10; i++) {
        pid_t pid = kit_start((const char *const[]){kit_program("weir"), "outbox", "audit", audited.shop.url,
                                                    "--heal", "--limit", "0", NULL},
                              "killed");
        usleep((useconds_t)(5000 + 4000 * i));
        kit_end(pid, SIGKILL);
    }
    struct kit_run last =
        AUDIT(&audited, "--heal"); /* one that was quick may have healed all before it was killed */
    assert_int_equal(last.status, 0);
    kit_run_free(&last);
    expect_nothing_to_mend(&audited);
    assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 3000);
    shop_relay_once(&audited.shop);
    shop_expect_all_once(&audited.shop);
    audited_close(&audited);
}

/* --- cleaning --------------------------------------------------------------------------------------------- */

static void old_rows_are_cleaned_by_hand(void **state) {
    (void)state;
    struct audited audited = audited_open(30);
    shop_sql(&audited.shop,
             "UPDATE outbox_events SET processed_at = '2020-01-01T00:00:00.000000Z' WHERE pos <= 20");
    shop_fill(&audited.shop, 3, 3);
    EXPECT(WEIR("outbox", "clean", audited.shop.url), 0, "", "20 rows deleted\n");
    EXPECT(WEIR("outbox", "clean", audited.shop.url, "--older", "7d", "--json", "-q"), 0, "{\"deleted\":0}\n",
           "");
    EXPECT(WEIR("outbox", "clean", audited.shop.url, "--older", "forever"), 2, "",
           "weir outbox clean: --older is how long ago, and nothing was published forever ago; see weir help "
           "outbox "
           "clean\n");
    EXPECT(WEIR("outbox", "clean", audited.shop.url, "--older", "0s"), 0, "",
           "rows younger than 24h go too: they are what brings back events that a stream forgot\n10 rows "
           "deleted\n");
    assert_int_equal(shop_number(&audited.shop, SHOP_PENDING), 3);
    audited_close(&audited);
}

static const struct spec specs[] = {
    {"where all is well there is nothing to mend", all_is_well},
    {"it may run beside a relay, healing may not", it_may_run_beside_a_relay},
    {"what others published is no matter of the outbox", others_events_are_no_matter},
    {"a stream created again gets everything again", a_stream_made_anew_gets_everything_again},
    {"a stream restored from before gets the rest again", a_stream_restored_from_before_gets_the_rest_again},
    {"a stream cut and written over gets the rest again", a_stream_cut_and_written_over_gets_the_rest_again},
    {"a single message that is gone is found", a_message_that_is_gone_is_found},
    {"a relay notices a message that is gone and sends it again", a_relay_notices_a_message_that_is_gone},
    {"a relay that misses nothing sends nothing again", a_relay_that_misses_nothing_sends_nothing},
    {"what the limits of a stream took is no loss", limits_are_no_loss},
    {"a database restored from before learns what was published",
     a_database_from_before_learns_what_was_published},
    {"a database that knows no stream learns of it", a_database_that_knows_no_stream_learns_of_it},
    {"any damage is healed, in windows of any size", any_damage_is_healed},
    {"healing that was killed is begun again", healing_is_begun_again},
    {"old rows are cleaned by hand", old_rows_are_cleaned_by_hand},
};
SPEC_MAIN(specs)
