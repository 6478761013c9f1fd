/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What the relay may rely on when many transactions write at once: positions are given before commits, commits come in any
 * order, and still the events of one key come as they were committed, and transactions whole. */
#include "pg_fixture.h"

#define CASE(name)                            \
    static void name##_in(struct shop *shop); \
    static void name(void **state) {          \
        struct shop shop;                     \
        (void)state;                          \
        shop_new(&shop);                      \
        name##_in(&shop);                     \
        shop_close(&shop);                    \
    }                                         \
    static void name##_in(struct shop *shop)

/* A number is taken by writing anything; the order of numbers is that of these calls. */
static void takes_a_number(struct shop *shop, int writer) {
    writes(shop, writer, "BEGIN; SELECT pg_current_xact_id()");
}

CASE(a_late_number_with_an_early_position) {
    takes_a_number(shop, 0);
    takes_a_number(shop, 1);
    takes_a_number(shop, 2);
    adds(shop, 2, "k");
    writes(shop, 2, "COMMIT");
    adds(shop, 0, "k");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 0, "");
    writes(shop, 1, "ROLLBACK");
    expect_next(shop, 0, "1. 2.");
}

CASE(late_committers) {
    writes(shop, 0, "BEGIN");
    adds(shop, 0, "slow");
    adds(shop, 1, "fast");
    expect_next(shop, 0, "");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 0, "1. 2.");
}

CASE(rolled_back) {
    writes(shop, 0, "BEGIN");
    adds(shop, 0, "a");
    writes(shop, 0, "SAVEPOINT s");
    adds(shop, 0, "b");
    writes(shop, 0, "ROLLBACK TO s");
    adds(shop, 0, "c");
    writes(shop, 1, "BEGIN");
    adds(shop, 1, "d");
    writes(shop, 1, "ROLLBACK");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 0, "1 3.");
    expect_next(shop, 0, "");
}

CASE(prepared) {
    struct outbox_told told;
    writes(shop, 0, "BEGIN");
    adds(shop, 0, "a");
    writes(shop, 0, "PREPARE TRANSACTION 'two phases'");
    adds(shop, 1, "b");
    expect_next(shop, 0, "");
    shop->ahead.ns += 2 * NS_PER_S;
    expect_next(shop, 0, "");
    outbox_tell(shop->outbox, &told);
    assert_true(text_starts(weir_text_of(told.stall),
                            "committed rows wait for prepared transaction (two phases, database "));
    writes(shop, 2, "COMMIT PREPARED 'two phases'");
    expect_next(shop, 0, "1. 2.");
    outbox_tell(shop->outbox, &told);
    assert_string_equal(told.stall, "");
}

CASE(interleaved) {
    writes(shop, 0, "BEGIN");
    writes(shop, 1, "BEGIN");
    adds(shop, 0, "a");
    adds(shop, 1, "b");
    adds(shop, 0, "c");
    adds(shop, 2, "d");
    adds(shop, 1, "e");
    writes(shop, 1, "COMMIT");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 2, "1 3.");
    expect_next(shop, 2, "4.");
    expect_next(shop, 2, "2 5.");
}

CASE(never_split_when_it_fits) {
    writes(shop, 0, "BEGIN");
    adds(shop, 0, "a");
    adds(shop, 0, "b");
    writes(shop, 0, "COMMIT");
    writes(shop, 0, "BEGIN");
    adds(shop, 0, "c");
    adds(shop, 0, "d");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 3, "1 2.");
    expect_next(shop, 3, "3 4.");
}

/* Row 8 is written by who waited for the giant's lock; 3 and 6 ended before the giant did. */
CASE(giants) {
    writes(shop, 0, "BEGIN");
    for (int i = 0; i < 2; i++) {
        adds(shop, 0, "g");
        adds(shop, 0, "g");
        adds(shop, 1, "small");
    }
    adds(shop, 0, "g");
    writes(shop, 0, "COMMIT");
    adds(shop, 1, "g");
    expect_next(shop, 2, "3. 6.");
    expect_next(shop, 2, "1 2");
    adds(shop, 2, "new");
    expect_next_of(shop, 2, 2, "4 5");
    expect_next_of(shop, 2, 5, "7.");
    expect_next_of(shop, 2, 7, "8. 9.");
}

CASE(giants_in_flight) {
    int64_t flying[4] = {1, 2, 3, 4};
    writes(shop, 0, "INSERT INTO outbox_events (type, payload) SELECT 'a', '{}' FROM generate_series(1, 5)");
    adds(shop, 0, "k");
    assert_string_equal(line_of(shop, claim_wanted(shop, (struct outbox_wanted){.max_rows = 2})), "1 2");
    struct outbox_wanted ahead = {.max_rows = 2, .begun = 2, .flying = flying, .flying_count = 2};
    assert_string_equal(line_of(shop, claim_wanted(shop, ahead)), "3 4");
    ahead.flying_count = 4;
    assert_string_equal(line_of(shop, claim_wanted(shop, ahead)), "5.");
}

/* Rows 2 and 5 were committed when the giant had been begun; they stand among its rows. Who begins it has them first. */
CASE(giants_begun) {
    int64_t flying[] = {1, 3};
    writes(shop, 0, "BEGIN");
    writes(shop, 1, "BEGIN");
    for (int i = 0; i < 2; i++) {
        adds(shop, 0, "g");
        adds(shop, 1, "late");
        adds(shop, 0, "g");
    }
    adds(shop, 0, "g");
    writes(shop, 0, "COMMIT");
    struct outbox_wanted wanted = {.max_rows = 2};
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "1 3");
    writes(shop, 1, "COMMIT");
    adds(shop, 2, "new");
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "2 5.");
    wanted.begun = 3;
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "1 3");
    wanted.flying = flying;
    wanted.flying_count = 2;
    struct claimed claimed = claim_wanted(shop, wanted);
    assert_string_equal(line_of(shop, claimed), "4 6");
    settle_rows(shop, claimed);
    wanted.begun = 6;
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "7.");
    wanted.flying = NULL;
    wanted.flying_count = 0;
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "1 3");
}

/* It may be begun in one stream, and have rows for another one that come in their turn. */
CASE(giants_begun_elsewhere) {
    static const char *const types[] = {"b"};
    writes(shop, 0,
           "INSERT INTO outbox_events (type, payload) SELECT t, '{}' FROM unnest('{a,a,b,a,b}'::text[]) t");
    writes(shop, 1, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    struct outbox_wanted wanted = {.max_rows = 2, .begun = 2, .types = types, .type_count = 1};
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "1 2");
    wanted.only = true;
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "3 5.");
    struct claimed claimed = claim_wanted(shop, (struct outbox_wanted){0});
    assert_string_equal(line_of(shop, claimed), "1 2 3 4 5. 6.");
    settle_rows(shop, claimed);
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "");
}

/* The batch in front of the giant was lost: what is in it comes again before the giant is begun. */
CASE(giants_stand_back) {
    int64_t flying[] = {1};
    adds(shop, 0, "k");
    writes(shop, 0, "INSERT INTO outbox_events (type, payload) SELECT 'a', '{}' FROM generate_series(1, 5)");
    assert_string_equal(line_of(shop, claim_wanted(shop, (struct outbox_wanted){.max_rows = 2})), "1.");
    struct outbox_wanted ahead = {.max_rows = 2, .flying = flying, .flying_count = 1};
    assert_string_equal(line_of(shop, claim_wanted(shop, ahead)), "2 3");
    expect_next(shop, 2, "1.");
    expect_next(shop, 2, "2 3");
    expect_next_of(shop, 2, 3, "4 5");
    expect_next_of(shop, 2, 5, "6.");
}

/* `rows` rows of `transactions` that take turns. */
static void adds_in_turn(struct shop *shop, int rows, int transactions) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "INSERT INTO outbox_events (type, payload) SELECT 'a', '{}' FROM generate_series(1, %d)", rows);
    writes(shop, 0, sql);
    snprintf(sql, sizeof sql,
             "ALTER TABLE outbox_events DISABLE TRIGGER ALL;"
             " UPDATE outbox_events SET xid = (3 + pos %% %d)::text::xid8",
             transactions);
    pg_sql(shop->admin, sql);
}

/* None of them ends in what a claim holds. */
CASE(a_crowd) {
    adds_in_turn(shop, 60, 20);
    expect_next(shop, 1, "1");
    struct claimed claimed = claim_wanted(shop, (struct outbox_wanted){.max_rows = 1, .begun = 1});
    assert_string_equal(line_of(shop, claimed), "21");
    settle_rows(shop, claimed);
    expect_next(shop, 2, "41.");
    expect_next(shop, 4, "2 22 42.");
}

/* More transactions at once than any claim looks for the end of: by position nothing is turned around either. */
CASE(too_large_a_crowd) {
    adds_in_turn(shop, 160, 80);
    for (int64_t i = 1; i <= 20; i++) {
        struct claimed claimed = claim_wanted(shop, (struct outbox_wanted){.max_rows = 1});
        assert_int_equal(claimed.count, 1);
        assert_true(i > 16 || (claimed.rows[0].pos == i && claimed.rows[0].txn == 0));
        settle_rows(shop, claimed);
    }
}

CASE(types_wanted) {
    static const char *const types[] = {"b"};
    writes(shop, 0,
           "INSERT INTO outbox_events (type, payload) SELECT t, '{}' FROM unnest('{a,b,a,b,c,a}'::text[]) t");
    struct outbox_wanted wanted = {.types = types, .type_count = 1, .max_rows = 3};
    assert_string_equal(line_of(shop, claim_wanted(shop, wanted)), "1 3 5");
    struct shop other;
    wanted.only = true;
    shop_new(&other);
    writes(&other, 0,
           "INSERT INTO outbox_events (type, payload) SELECT t, '{}' FROM unnest('{a,b,a,b,c,a}'::text[]) t");
    assert_string_equal(line_of(&other, claim_wanted(&other, wanted)), "2 4.");
    shop_close(&other);
}

CASE(marks) {
    struct outbox_span span;
    adds(shop, 0, "seen");
    writes(shop, 1, "BEGIN");
    adds(shop, 1, "late");
    adds(shop, 0, "held");
    expect_ok(outbox_span(shop->outbox, &span, &shop->err), &shop->err);
    assert_int_equal(span.oldest_pending, 1);
    assert_int_equal(span.last.pos, 3);
    writes(shop, 1, "COMMIT");
    adds(shop, 0, "new");
    struct claimed behind = claim_wanted(shop, (struct outbox_wanted){.after = span.last});
    assert_string_equal(line_of(shop, behind), "2. 3. 4.");
}

/* Below what a claim saw only those can bring rows that ran then; and people, who make rows pending again. */
CASE(rows_below_what_was_seen) {
    size_t count;
    writes(shop, 0, "BEGIN");
    adds(shop, 0, "late");
    struct outbox_parking parking = {2, "schema", "no"};
    adds(shop, 1, "parked");
    adds(shop, 1, "a");
    expect_ok(outbox_park(shop->outbox, &parking, 1, 1, &shop->err), &shop->err);
    expect_next(shop, 0, "");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 0, "1. 3.");
    adds(shop, 1, "b");
    expect_next(shop, 0, "4.");
    pg_sql(shop->admin, "UPDATE outbox_events SET parked_at = NULL, error_class = NULL, error = NULL");
    shop->ahead.ns += 60 * NS_PER_S;
    expect_next(shop, 0, "2.");
    expect_ok(outbox_unpark(shop->outbox, 0, &count, &shop->err), &shop->err);
    assert_int_equal(count, 0);
}

/* A snapshot does not list who runs behind the last transaction that ended. */
CASE(rows_of_one_no_snapshot_lists) {
    takes_a_number(shop, 0);
    takes_a_number(shop, 1);
    adds(shop, 1, "late");
    adds(shop, 0, "a");
    writes(shop, 0, "COMMIT");
    expect_next(shop, 0, "2.");
    writes(shop, 1, "COMMIT");
    struct outbox_span span;
    expect_ok(outbox_span(shop->outbox, &span, &shop->err), &shop->err);
    assert_int_equal(span.oldest_pending, 1);
    adds(shop, 0, "b");
    expect_next(shop, 0, "1. 3.");
}

CASE(the_stall_is_named) {
    struct outbox_told told;
    char expected[200];
    pg_sql(shop->writers[0], "SET application_name = 'import of invoices'");
    takes_a_number(shop, 0);
    adds(shop, 1, "k");
    expect_next(shop, 0, "");
    outbox_tell(shop->outbox, &told);
    assert_string_equal(told.stall, "");
    shop->ahead.ns += 2 * NS_PER_S;
    expect_next(shop, 0, "");
    outbox_tell(shop->outbox, &told);
    snprintf(expected, sizeof expected,
             "committed rows wait for process %d (import of invoices, database %s), open for ",
             PQbackendPID(shop->writers[0]), PQdb(shop->writers[0]));
    if (!text_starts(weir_text_of(told.stall), expected))
        fail_msg("%s", told.stall);
}

/* --- rows that are no events ------------------------------------------------------------------- */

CASE(large_rows_stay_where_they_are) {
    pg_sql(shop->admin, "ALTER TABLE outbox_events DROP CONSTRAINT \"payload is at most 64 MiB\"");
    writes(shop, 0,
           "INSERT INTO outbox_events (type, payload) VALUES ('a', ('\"' || repeat('x', 70000000) || "
           "'\"')::json)");
    adds(shop, 0, "k");
    struct claimed claimed = claim_wanted(shop, (struct outbox_wanted){0});
    assert_int_equal(claimed.count, 1);
    assert_string_equal(claimed.rows[0].defect,
                        "payload has more than 67108864 bytes, which are carried at most");
    assert_true(arena_used(shop->arena) < 1 << 20);
}

CASE(what_json_cannot_say) {
    writes(shop, 0,
           "INSERT INTO outbox_events (type, key, version, payload) VALUES (NULL, NULL, NULL, '{}'),"
           " ('', NULL, NULL, '{}'), ('a', NULL, NULL, NULL), ('a', repeat('k', 300), NULL, '{}'),"
           " ('a', NULL, -1, '{}'), ('a', NULL, 2, '{\"n\": 1.50}')");
    static const char *const defects[] = {"type is NULL", "type is empty", "payload is NULL",
                                          "key has 300 bytes, at most 256 are carried",
                                          "version is -1, not a version"};
    struct claimed claimed = claim_wanted(shop, (struct outbox_wanted){0});
    assert_int_equal(claimed.count, 6);
    for (int i = 0; i < 5; i++)
        assert_string_equal(claimed.rows[i].defect, defects[i]);
    assert_null(claimed.rows[5].defect);
    assert_true(text_is(claimed.rows[5].draft.payload, "{\"n\": 1.50}"));
    assert_int_equal(claimed.rows[5].draft.version, 2);
}

static void bytes_of_any_kind(void **state) {
    struct shop shop;
    char url[512];
    (void)state;
    PGconn *conn = pg_connection(kit_postgres_url(kit_postgres_shared()));
    pg_sql(conn, "CREATE DATABASE bytes TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'");
    snprintf(url, sizeof url, "postgres://%s@127.0.0.1:%s/bytes", PQuser(conn), PQport(conn));
    PQfinish(conn);
    shop_open(&shop, url, NULL);
    pg_sql(shop.writers[0], "SET client_encoding = SQL_ASCII");
    writes(&shop, 0,
           "INSERT INTO outbox_events (type, payload) VALUES ('a', '\"\xff\"'), ('\xff', '{}'), ('b', "
           "'\"\xc3\xa4\"')");
    struct claimed claimed = claim_wanted(&shop, (struct outbox_wanted){0});
    assert_int_equal(claimed.count, 3);
    assert_string_equal(claimed.rows[0].defect, "payload is not valid UTF-8");
    assert_string_equal(claimed.rows[1].defect, "type is not valid UTF-8");
    assert_true(text_is(claimed.rows[2].draft.payload, "\"\xc3\xa4\""));
    shop_close(&shop);
}

static const struct spec specs[] = {
    {"a transaction that got its number late and its position early is not overtaken",
     a_late_number_with_an_early_position},
    {"a row that is committed late is neither lost nor overtaken", late_committers},
    {"what is rolled back never comes, savepoints keep their transaction together", rolled_back},
    {"a prepared transaction holds others back by name, and its rows come when it is committed", prepared},
    {"transactions written at the same time come one after the other", interleaved},
    {"a transaction that fits a claim is never split", never_split_when_it_fits},
    {"one that fits no claim comes in its place, and nothing gets between its parts", giants},
    {"parts of a giant in flight are left out", giants_in_flight},
    {"one that was begun is gone on with before what was committed later", giants_begun},
    {"one that was begun for other types comes in its turn", giants_begun_elsewhere},
    {"a giant waits when what came before it has to come again", giants_stand_back},
    {"many transactions that take turns come one after the other", a_crowd},
    {"where too many transactions are interleaved, positions decide", too_large_a_crowd},
    {"types are left out or picked inside a transaction", types_wanted},
    {"a mark leaves out what was seen, and nothing that was committed later", marks},
    {"rows come although later ones were seen before", rows_below_what_was_seen},
    {"rows come although a transaction with a lower number was sent before", rows_of_one_no_snapshot_lists},
    {"who holds committed rows back is named", the_stall_is_named},
    {"a payload that is too large to carry is not even fetched", large_rows_stay_where_they_are},
    {"a row that is no event says why and holds nobody up", what_json_cannot_say},
    {"a database without an encoding may hold any bytes", bytes_of_any_kind},
};
SPEC_MAIN(specs)
