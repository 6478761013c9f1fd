/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What the relay may rely on, whatever database stands behind the outbox: one relay at a time, waking up, and what can be opened. */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "outbox_fixture.h"

/* --- the lease, waiting ------------------------------------------------------------------------ */

CASE(one_lease) {
    outbox *other;
    char message[600];
    struct outbox_health health;
    expect_ok(outbox_lease(world->outbox, &world->err), &world->err);
    expect_ok(outbox_lease(world->outbox, &world->err), &world->err);
    other = open_outbox(world);
    snprintf(message, sizeof message, "another relay works on %s", world->url);
    expect_error(outbox_lease(other, &world->err), WEIR_CONFLICT, &world->err, message);
    char hint[sizeof world->err.hint];
    snprintf(hint, sizeof hint, "%s", world->err.hint);
    expect_ok(outbox_health(other, world->arena, &health, &world->err), &world->err);
    assert_true(health.relay_running);
    if (is_on(world, "sqlite"))
        snprintf(message, sizeof message, "process %d holds %s.relay-lock", (int)getpid(), world->url + 7);
    else
        snprintf(message, sizeof message,
                 "process %d of the database server (weir-relay-%s from 127.0.0.1) holds its lease",
                 health.relay_pid, outbox_uuid(other));
    assert_string_equal(hint, message);
    assert_int_equal(health.relay_pid == getpid(), is_on(world, "sqlite"));
    outbox_close(world->outbox);
    expect_ok(outbox_lease(other, &world->err), &world->err);
    world->outbox = other;
}

CASE(a_commit_wakes) {
    claim(world);
    insert(world, "a.b", 1);
    assert_true(outbox_wait(world->outbox, 5000));
}

CASE(a_commit_of_another_process_wakes) {
    claim(world);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        insert(world, "a.b", 1);
        _exit(0);
    }
    size_t seen = 0;
    for (int64_t start = now_ms(); seen == 0 && now_ms() < start + 5000; seen = claim(world).count)
        (void)outbox_wait(world->outbox, 5000);
    assert_int_equal(seen, 1);
}

/* Waits so long altogether; how often it was told to look. A database that tells nobody is looked at now and then. */
static int looks_within(struct world *world, int64_t ms) {
    int looks = 0;
    int64_t end = now_ms() + ms;
    for (int64_t left; (left = end - now_ms()) > 0;)
        looks += outbox_wait(world->outbox, left);
    return looks;
}

CASE(own_writes_do_not_wake) {
    insert(world, "a.b", 1);
    claim(world);
    settle(world, 1, 1, 2);
    int looks = looks_within(world, 400);
    assert_in_range(looks, 0, is_on(world, "sqlite") ? 0 : 8); /* at once, and after 5, 10, 20, ... ms */
}

CASE(waiting_costs_nothing) {
    struct timespec before, after;
    claim(world);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    (void)looks_within(world, 1000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    int64_t spent_us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    assert_true(spent_us < 50000);
}

CASE(a_wake_ends_a_wait) {
    claim(world);
    while (outbox_wait(world->outbox, 400)) /* until it looks by itself in 640 ms only */
        ;
    outbox_wake(world->outbox);
    assert_true(outbox_wait(world->outbox, 5000));
    assert_false(outbox_wait(world->outbox, 10));
}

/* --- opening ----------------------------------------------------------------------------------- */

CASE(init_again_keeps_everything) {
    char uuid[37];
    snprintf(uuid, sizeof uuid, "%s", outbox_uuid(world->outbox));
    insert(world, "a.b", 2);
    expect_ok(outbox_init(world->url, &world->err), &world->err);
    outbox_close(world->outbox);
    world->outbox = open_outbox(world);
    assert_string_equal(outbox_uuid(world->outbox), uuid);
    assert_int_equal(strlen(uuid), 36);
    expect_counts(world, 2, 0, 0);
}

static void opening_fails_clearly(void **state) {
    (void)state;
    outbox *outbox;
    weir_error err;
    char url[600], message[700];
    expect_error(outbox_open(&outbox, "mysql://x", NULL, &err), WEIR_INVALID, &err,
                 "'mysql://x' is not the url of an outbox");
    assert_string_equal(err.hint,
                        "write postgres://USER@HOST/DATABASE, or sqlite:PATH, for example sqlite:shop.db");
    expect_error(outbox_open(&outbox, "sqlite:", NULL, &err), WEIR_INVALID, &err,
                 "'sqlite:' is not the url of an outbox");
    expect_error(outbox_open(&outbox, "sqlite://shop.db", NULL, &err), WEIR_INVALID, &err,
                 "'sqlite://shop.db' is not the url of an outbox");
    expect_error(
        outbox_open(&outbox, "postgres://u:secret@localhost:x/shop", NULL, &err), WEIR_INVALID, &err,
        "postgres://u:***@localhost:x/shop: invalid integer value \"x\" for connection option \"port\"");
    struct outbox_options wal = {.wal = true};
    expect_error(outbox_open(&outbox, "sqlite:shop.db", &wal, &err), WEIR_INVALID, &err,
                 "'sqlite:shop.db' has no write-ahead log that can be followed");
    assert_string_equal(err.hint, "only PostgreSQL has; leave --mode wal out");
    snprintf(url, sizeof url, "sqlite:%s", kit_path("none.db"));
    snprintf(message, sizeof message, "%s: there is no such file", url);
    expect_error(outbox_open(&outbox, url, NULL, &err), WEIR_NOT_FOUND, &err, message);
    snprintf(message, sizeof message, "create it with: weir outbox init %s", url);
    assert_string_equal(err.hint, message);
    assert_int_equal(access(kit_path("none.db"), F_OK), -1);
}

static const char *file_with(const char *name, const char *bytes) {
    static char url[600];
    FILE *file = fopen(kit_path(name), "w");
    fputs(bytes, file);
    fclose(file);
    snprintf(url, sizeof url, "sqlite:%s", kit_path(name));
    return url;
}

static void foreign_files(void **state) {
    (void)state;
    outbox *outbox;
    weir_error err;
    char message[700];
    const char *url = file_with("empty.db", "");
    snprintf(message, sizeof message, "%s has no outbox in it", url);
    expect_error(outbox_open(&outbox, url, NULL, &err), WEIR_INVALID, &err, message);
    snprintf(message, sizeof message, "create its tables with: weir outbox init %s", url);
    assert_string_equal(err.hint, message);
    url = file_with("text.db",
                    "this is a text of some length and no database at all, by any means whatsoever\n");
    snprintf(message, sizeof message, "%s: file is not a database", url);
    expect_error(outbox_open(&outbox, url, NULL, &err), WEIR_INVALID, &err, message);
    snprintf(message, sizeof message, "%s: PRAGMA journal_mode = WAL: file is not a database", url);
    expect_error(outbox_init(url, &err), WEIR_INVALID, &err, message);
}

static void sqlite_tables_of_others(void **state) {
    (void)state;
    weir_error err;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(kit_path("other.db"), &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE outbox_events (pos INTEGER, type TEXT, processed INTEGER, parked_at TEXT)",
                 0, 0, 0);
    expect_error(weir_outbox_init_sqlite(db, &err), WEIR_INVALID, &err,
                 "the table outbox_events was there and is not as weir makes it: table outbox_events has no "
                 "column named"
                 " id");
    sqlite3_exec(db, "BEGIN", 0, 0, 0);
    expect_error(weir_outbox_init_sqlite(db, &err), WEIR_INVALID, &err,
                 "the outbox cannot be created inside a transaction");
    sqlite3_close(db);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    expect_error(weir_outbox_init_sqlite(db, &err), WEIR_UNSUPPORTED, &err,
                 "the database keeps journal_mode memory, the outbox needs wal");
    sqlite3_close(db);
}

static void sqlite_newer_layout(void **state) {
    (void)state;
    outbox *outbox;
    weir_error err;
    char message[700];
    const char *url = sqlite_create();
    sqlite_sql(url, "UPDATE outbox_meta SET layout = 2");
    snprintf(message, sizeof message, "%s has outbox layout 2, this weir knows 1", url);
    expect_error(outbox_open(&outbox, url, NULL, &err), WEIR_UNSUPPORTED, &err, message);
}

static void sqlite_durable_again(void **state) {
    (void)state;
    outbox *outbox;
    weir_error err;
    struct outbox_health health;
    const char *url = sqlite_create();
    sqlite_sql(url, "PRAGMA journal_mode = DELETE");
    expect_ok(outbox_open(&outbox, url, NULL, &err), &err);
    arena *arena = arena_new();
    expect_ok(outbox_health(outbox, arena, &health, &err), &err);
    assert_int_equal(health.finding_count, 0);
    assert_int_equal(health.layout, 1);
    assert_false(health.relay_running);
    arena_free(arena);
    outbox_close(outbox);
}

static void sqlite_busy(void **state) {
    (void)state;
    weir_error err;
    sqlite3 *db, *other;
    const char *url = sqlite_create();
    weir_draft draft = {.id = weir_text_of("1"), .type = weir_text_of("a"), .payload = weir_text_of("{}")};
    sqlite3_open(url + 7, &db);
    sqlite3_open(url + 7, &other);
    sqlite3_exec(other, "BEGIN IMMEDIATE", 0, 0, 0);
    expect_error(outbox_insert_sqlite(db, &draft, 1, &err), WEIR_UNAVAILABLE, &err,
                 "cannot write to the outbox: database is locked");
    assert_true(err.retriable);
    sqlite3_exec(other, "COMMIT", 0, 0, 0);
    expect_ok(outbox_insert_sqlite(db, &draft, 1, &err), &err);
    expect_error(outbox_insert_sqlite(db, &draft, 1, &err), WEIR_CONFLICT, &err,
                 "event id '1' is in the outbox already");
    sqlite3_close(other);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

CASE_ON(postgres_opening_fails_clearly, "postgres") {
    outbox *outbox;
    weir_error err;
    char url[600], message[700];
    snprintf(url, sizeof url, "%s", kit_postgres_database(kit_postgres_shared()));
    snprintf(message, sizeof message, "%s has no outbox in it", url);
    expect_error(outbox_open(&outbox, url, NULL, &err), WEIR_INVALID, &err, message);
    snprintf(message, sizeof message, "create its tables with: weir outbox init %s", url);
    assert_string_equal(err.hint, message);
    snprintf(url, sizeof url, "postgres://postgres@127.0.0.1:%d/none",
             kit_postgres_port(kit_postgres_shared()));
    snprintf(message, sizeof message, "%s: database \"none\" does not exist", url);
    expect_error(outbox_open(&outbox, url, NULL, &err), WEIR_NOT_FOUND, &err, message);
    world->backend->sql(world->url, "UPDATE outbox_meta SET layout = 2");
    snprintf(message, sizeof message, "%s has outbox layout 2, this weir knows 1", world->url);
    expect_error(outbox_open(&outbox, world->url, NULL, &err), WEIR_UNSUPPORTED, &err, message);
}

static const struct spec specs[] = {
    {"one relay holds the lease and a second learns its pid", one_lease},
    {"a commit wakes the one who waits", a_commit_wakes},
    {"a commit of another process wakes too", a_commit_of_another_process_wakes},
    {"own writes do not wake", own_writes_do_not_wake},
    {"waiting costs nothing", waiting_costs_nothing},
    {"a wake ends a wait once", a_wake_ends_a_wait},
    {"init again keeps rows and name", init_again_keeps_everything},
    {"opening fails with the remedy", opening_fails_clearly},
    {"files that are no outbox are told apart", foreign_files},
    {"postgres - opening fails with the remedy", postgres_opening_fails_clearly},
    {"sqlite - tables of somebody else are left alone", sqlite_tables_of_others},
    {"sqlite - a layout of a newer weir is refused", sqlite_newer_layout},
    {"sqlite - WAL and full synchronous are restored", sqlite_durable_again},
    {"sqlite - a busy database is retriable and a known id a conflict", sqlite_busy},
};
SPEC_MAIN(specs)
