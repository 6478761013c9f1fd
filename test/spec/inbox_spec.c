/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* The inbox: effects once, whatever is delivered again. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "kit/server.h"
#include "kit/spec.h"
#include "store/inbox.h"
#include "weir/outbox.h"

struct world {
    sqlite3 *db;
    inbox *inbox;
    weir_error err;
};

static void begin(struct world *world) {
    static int number;
    char name[32];
    snprintf(name, sizeof name, "inbox-%d.db", ++number);
    assert_int_equal(sqlite3_open(kit_path(name), &world->db), SQLITE_OK);
    expect_ok(weir_outbox_init_sqlite(world->db, &world->err), &world->err);
    assert_int_equal(sqlite3_exec(world->db, "CREATE TABLE effects (id TEXT)", 0, 0, 0), SQLITE_OK);
    expect_ok(inbox_open_sqlite(&world->inbox, world->db, &world->err), &world->err);
}

static void end(struct world *world) {
    inbox_close(world->inbox);
    assert_int_equal(sqlite3_close(world->db), SQLITE_OK);
}

static struct inbox_entry entry(const char *id, uint64_t sequence) {
    return (struct inbox_entry){.group = "wallet",
                                .id = weir_text_of(id),
                                .stream = weir_text_of("S"),
                                .created = "2025-11-14T12:00:00Z",
                                .sequence = sequence,
                                .type = weir_text_of("a.b"),
                                .wire = weir_text_of("{\"n\":1}"),
                                .stored_us = 100,
                                .now_us = 200};
}

static enum inbox_answer ask(struct world *world, struct inbox_entry asked) {
    enum inbox_answer answer = INBOX_CONFLICT;
    expect_ok(inbox_begin(world->inbox, &asked, &answer, &world->err), &world->err);
    return answer;
}

static void handle(struct world *world, const char *id, uint64_t sequence) {
    char sql[128];
    assert_int_equal(ask(world, entry(id, sequence)), INBOX_NEW);
    snprintf(sql, sizeof sql, "INSERT INTO effects VALUES ('%s')", id);
    assert_int_equal(sqlite3_exec(world->db, sql, 0, 0, 0), SQLITE_OK);
    expect_ok(inbox_commit(world->inbox, &world->err), &world->err);
}

static int64_t number(struct world *world, const char *sql) {
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(world->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void advance(struct world *world, uint64_t floor, int64_t forget_before_us) {
    expect_ok(inbox_advance(world->inbox, "wallet", weir_text_of("S"), "2025-11-14T12:00:00Z", floor,
                            forget_before_us, &world->err),
              &world->err);
}

static void effects_once(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    assert_int_equal(ask(&world, entry("e1", 1)), INBOX_KNOWN);
    assert_int_equal(sqlite3_get_autocommit(world.db), 1);
    assert_int_equal(number(&world, "SELECT count(*) FROM effects"), 1);
    end(&world);
}

static void rolled_back_is_new(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    assert_int_equal(ask(&world, entry("e1", 1)), INBOX_NEW);
    sqlite3_exec(world.db, "INSERT INTO effects VALUES ('e1')", 0, 0, 0);
    inbox_rollback(world.inbox);
    inbox_rollback(world.inbox);
    assert_int_equal(number(&world, "SELECT count(*) FROM effects"), 0);
    handle(&world, "e1", 1);
    end(&world);
}

static void other_groups(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    struct inbox_entry other = entry("e1", 1);
    other.group = "payout";
    assert_int_equal(ask(&world, other), INBOX_NEW);
    expect_ok(inbox_commit(world.inbox, &world.err), &world.err);
    end(&world);
}

static void other_content(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    struct inbox_entry other = entry("e1", 9);
    other.wire = weir_text_of("{\"n\":2}");
    assert_int_equal(ask(&world, other), INBOX_CONFLICT);
    assert_int_equal(sqlite3_get_autocommit(world.db), 1);
    advance(&world, 20, 0);
    assert_int_equal(ask(&world, other), INBOX_CONFLICT);
    end(&world);
}

static void floor_outlives_ids(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    handle(&world, "e2", 2);
    advance(&world, 2, 201);
    assert_int_equal(number(&world, "SELECT count(*) FROM inbox"), 0);
    assert_int_equal(ask(&world, entry("e1", 1)), INBOX_KNOWN);
    assert_int_equal(ask(&world, entry("e2", 2)), INBOX_KNOWN);
    handle(&world, "e3", 3);
    end(&world);
}

static void floor_never_sinks(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    advance(&world, 9, 0);
    advance(&world, 4, 0);
    assert_int_equal(ask(&world, entry("e9", 9)), INBOX_KNOWN);
    end(&world);
}

static void another_life_of_the_stream(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    advance(&world, 9, 0);
    struct inbox_entry later = entry("e1", 1);
    later.created = "2026-01-01T00:00:00Z";
    assert_int_equal(ask(&world, later), INBOX_NEW);
    end(&world);
}

static void forced_ignores_the_floor(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    advance(&world, 9, 0);
    struct inbox_entry retry = entry("e5", 5);
    retry.forced = true;
    assert_int_equal(ask(&world, retry), INBOX_NEW);
    expect_ok(inbox_commit(world.inbox, &world.err), &world.err);
    assert_int_equal(ask(&world, retry), INBOX_KNOWN);
    struct inbox_entry known = entry("e1", 1);
    known.forced = true;
    assert_int_equal(ask(&world, known), INBOX_KNOWN);
    end(&world);
}

static void ids_above_the_floor_stay(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    handle(&world, "e2", 2);
    advance(&world, 1, 1000);
    assert_int_equal(number(&world, "SELECT count(*) FROM inbox"), 1);
    assert_int_equal(ask(&world, entry("e2", 2)), INBOX_KNOWN);
    end(&world);
}

static void young_ids_stay(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    advance(&world, 5, 200);
    assert_int_equal(number(&world, "SELECT count(*) FROM inbox"), 1);
    end(&world);
}

static void latency_by_sql(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    handle(&world, "e1", 1);
    assert_int_equal(
        number(&world,
               "SELECT handled_us - stored_us FROM inbox WHERE type = 'a.b' AND group_name = 'wallet'"),
        100);
    end(&world);
}

static void handler_that_commits(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    assert_int_equal(ask(&world, entry("e1", 1)), INBOX_NEW);
    sqlite3_exec(world.db, "COMMIT", 0, 0, 0);
    expect_error(inbox_commit(world.inbox, &world.err), WEIR_INVALID, &world.err,
                 "the handler ended the inbox's transaction itself");
    assert_int_equal(ask(&world, entry("e1", 1)), INBOX_KNOWN);
    end(&world);
}

static void no_tables(void **state) {
    (void)state;
    inbox *inbox;
    weir_error err;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(kit_path("bare.db"), &db), SQLITE_OK);
    expect_error(inbox_open_sqlite(&inbox, db, &err), WEIR_INVALID, &err,
                 "the database has no inbox: no such table: inbox");
    assert_string_equal(err.hint, "create it with weir_outbox_init_sqlite or: weir outbox init sqlite:PATH");
    sqlite3_exec(db, "BEGIN", 0, 0, 0);
    expect_error(inbox_open_sqlite(&inbox, db, &err), WEIR_INVALID, &err,
                 "the inbox cannot be opened inside a transaction");
    sqlite3_close(db);
}

static void killed_between(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    sqlite3 *second;
    inbox *other;
    assert_int_equal(ask(&world, entry("e1", 1)), INBOX_NEW);
    sqlite3_exec(world.db, "INSERT INTO effects VALUES ('e1')", 0, 0, 0);
    inbox_close(world.inbox); /* what a crash leaves: nothing committed */
    assert_int_equal(sqlite3_open(sqlite3_db_filename(world.db, "main"), &second), SQLITE_OK);
    expect_ok(inbox_open_sqlite(&other, second, &world.err), &world.err);
    assert_ptr_equal(inbox_db(other), second);
    struct inbox_entry again = entry("e1", 1);
    enum inbox_answer answer;
    expect_ok(inbox_begin(other, &again, &answer, &world.err), &world.err);
    assert_int_equal(answer, INBOX_NEW);
    inbox_close(other);
    sqlite3_close(second);
    sqlite3_close(world.db);
}

static const struct spec specs[] = {
    {"effects happen once and a repetition is known", effects_once},
    {"what was rolled back is new again", rolled_back_is_new},
    {"each group has its own memory", other_groups},
    {"other content under a known id is an alarm", other_content},
    {"the floor remembers when the ids are forgotten", floor_outlives_ids},
    {"the floor never sinks", floor_never_sinks},
    {"a stream that was created again starts anew", another_life_of_the_stream},
    {"a retry from the dead letters passes the floor but not its id", forced_ignores_the_floor},
    {"ids above the floor are kept whatever their age", ids_above_the_floor_stay},
    {"young ids are kept", young_ids_stay},
    {"the time from stored to handled can be read in SQL", latency_by_sql},
    {"a handler that commits by itself is told", handler_that_commits},
    {"a database without an inbox is named with its remedy", no_tables},
    {"a crash before the commit leaves nothing", killed_between},
};
SPEC_MAIN(specs)
