/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What the relay may rely on, whatever database stands behind the outbox: which rows it is given, and which never become rows. */
#include <time.h>

#include "outbox_fixture.h"

/* --- claiming ---------------------------------------------------------------------------------- */

CASE(rows_in_order) {
    insert(world, "a.b", 3);
    struct claimed claimed = claim(world);
    assert_int_equal(claimed.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(claimed.rows[i].pos, i + 1);
    expect_text(claimed.rows[2].draft.payload, "{\"n\":2}");
}

CASE(plain_insert_defaults) {
    insert(world, "a.b", 2);
    struct claimed claimed = claim(world);
    assert_int_equal(claimed.rows[0].draft.id.size, 36);
    assert_int_equal(claimed.rows[0].draft.id.data[14], is_on(world, "sqlite") ? '4' : '7'); /* of a UUID */
    assert_false(text_equal(claimed.rows[0].draft.id, claimed.rows[1].draft.id));
    assert_true(claimed.rows[0].created_us / 1000000 > time(NULL) - 60);
    assert_true(claimed.rows[0].created_us / 1000000 <= time(NULL));
    assert_non_null(claimed.rows[0].draft.time.data);
    assert_null(claimed.rows[0].draft.key.data);
    assert_null(claimed.rows[0].defect);
}

CASE(every_field_survives) {
    world->backend->sql(
        world->url,
        "INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span,"
        " idempotency_key, version, occurred_at, payload) VALUES ('i', 't', 'k', 'te', 'a', 'ak', 's', 'tr',"
        " 'sp', 'ik', 3, '2025-11-14T12:00:00Z', '{\"n\":1.50}')");
    weir_draft draft = claim(world).rows[0].draft;
    expect_text(draft.id, "i");
    expect_text(draft.type, "t");
    expect_text(draft.key, "k");
    expect_text(draft.tenant, "te");
    expect_text(draft.actor, "a");
    expect_text(draft.actor_kind, "ak");
    expect_text(draft.source, "s");
    expect_text(draft.trace, "tr");
    expect_text(draft.span, "sp");
    expect_text(draft.idempotency_key, "ik");
    expect_text(draft.time, "2025-11-14T12:00:00Z");
    expect_text(draft.payload, "{\"n\":1.50}");
    assert_int_equal(draft.version, 3);
}

CASE(pending_tells_the_oldest) {
    struct outbox_pending pending;
    weir_error err;
    expect_ok(outbox_pending(world->outbox, &pending, &err), &err);
    assert_int_equal(pending.rows, 0);
    assert_int_equal(pending.oldest_us, 0);
    insert(world, "a.b", 3);
    int64_t first_us = claim(world).rows[0].created_us;
    expect_ok(outbox_pending(world->outbox, &pending, &err), &err);
    assert_int_equal(pending.rows, 3);
    assert_int_equal(pending.oldest_us, first_us);
}

CASE(claim_bounds) {
    insert(world, "a.b", 3);
    struct outbox_mark seen = span(world).last;
    insert(world, "a.b", 2);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.max_rows = 2}).count, 2);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.max_bytes = 1}).count, 1);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.max_bytes = 8}).count, 2);
    struct claimed behind = claim_wanted(world, (struct outbox_wanted){.after = seen});
    assert_int_equal(behind.count, 2);
    assert_int_equal(behind.rows[0].pos, 4);
}

CASE(claim_tells_what_was_seen) {
    struct outbox_mark seen = {0};
    insert(world, "a.b", 3);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.seen = &seen}).count, 3);
    insert(world, "a.b", 2);
    struct claimed behind = claim_wanted(world, (struct outbox_wanted){.after = seen});
    assert_int_equal(behind.count, 2);
    assert_int_equal(behind.rows[0].pos, 4);
}

CASE(claim_by_type) {
    static const char *const types[] = {"a.b", "q\"uote"};
    insert(world, "a.b", 1);
    insert(world, "c.d", 2);
    world->backend->sql(world->url, "INSERT INTO outbox_events (payload) VALUES ('{}')");
    struct outbox_wanted except = {.types = types, .type_count = 2};
    struct claimed others = claim_wanted(world, except);
    assert_int_equal(others.count, 3);
    assert_int_equal(others.rows[0].pos, 2);
    except.only = true;
    struct claimed only = claim_wanted(world, except);
    assert_int_equal(only.count, 1);
    assert_int_equal(only.rows[0].pos, 1);
}

CASE(uncommitted_rows_are_unseen) {
    void *open =
        world->backend->begin(world->url, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')");
    assert_int_equal(claim(world).count, 0);
    world->backend->rollback(open);
    assert_int_equal(claim(world).count, 0);
}

/* Who remembers how far it has looked must know that some of what was there was not given. */
CASE_ON(postgres_held_rows_are_told, "postgres") {
    struct outbox_told told;
    void *early = world->backend->begin(world->url, "SELECT pg_current_xact_id()");
    insert(world, "a.b", 1);
    assert_int_equal(claim(world).count, 0);
    outbox_tell(world->outbox, &told);
    assert_true(told.held);
    world->backend->rollback(early);
    assert_int_equal(claim(world).count, 1);
    settle(world, 1, 1, 5);
    assert_int_equal(claim(world).count, 0);
    outbox_tell(world->outbox, &told);
    assert_false(told.held);
}

/* --- bad rows ---------------------------------------------------------------------------------- */

struct bad_row {
    const char *columns, *values, *defect;
};

#define BAD(columns, values, defect) \
    { columns, values, defect }
static const struct bad_row bad_rows[] = {
    BAD("type, payload", "NULL, '{}'", "type is NULL"),
    BAD("type, payload", "'', '{}'", "type is empty"),
    BAD("type, payload", "'a', NULL", "payload is NULL"),
    BAD("id, type, payload", "'', 'a', '{}'", "id is empty"),
    BAD("version, type, payload", "-1, 'a', '{}'", "version is -1, not a version"),
    {0},
};

static const struct bad_row postgres_bad_rows[] = {
    BAD("type, payload", "repeat('x', 300), '{}'", "type has 300 bytes, at most 256 are carried"),
    BAD("id, type, payload", "repeat('x', 257), 'a', '{}'", "id has 257 bytes, at most 256 are carried"),
    BAD("key, type, payload", "repeat('x', 9999), 'a', '{}'", "key has 9999 bytes, at most 256 are carried"),
    {0},
};

static const struct bad_row sqlite_bad_rows[] = {
    BAD("type, payload", "x'6162', '{}'", "type is a blob, not text"),
    BAD("type, payload", "CAST(x'ff41' AS TEXT), '{}'", "type is not valid UTF-8"),
    BAD("type, payload", "CAST(x'410042' AS TEXT), '{}'", "type holds a NUL byte"),
    BAD("type, payload", "printf('%.300c', 'x'), '{}'", "type has 300 bytes, at most 256 are carried"),
    BAD("type, payload", "'a', ''", "payload is empty"),
    BAD("type, payload", "'a', x'7b7d'", "payload is a blob, not text"),
    BAD("type, payload", "'a', CAST(x'7bff7d' AS TEXT)", "payload is not valid UTF-8"),
    BAD("id, type, payload", "x'01', 'a', '{}'", "id is a blob, not text"),
    BAD("id, type, payload", "printf('%.257c', 'x'), 'a', '{}'", "id has 257 bytes, at most 256 are carried"),
    BAD("key, type, payload", "x'00', 'a', '{}'", "key is a blob, not text"),
    {"key, type, payload", "printf('%.9999c', 'x'), 'a', '{}'",
     "key has 9999 bytes, at most 256 are carried"},
    BAD("tenant, type, payload", "x'00', 'a', '{}'", "tenant is a blob, not text"),
    BAD("actor, type, payload", "x'00', 'a', '{}'", "actor is a blob, not text"),
    BAD("actor_kind, type, payload", "x'00', 'a', '{}'", "actor_kind is a blob, not text"),
    BAD("source, type, payload", "x'00', 'a', '{}'", "source is a blob, not text"),
    BAD("trace, type, payload", "x'00', 'a', '{}'", "trace is a blob, not text"),
    BAD("span, type, payload", "x'00', 'a', '{}'", "span is a blob, not text"),
    BAD("idempotency_key, type, payload", "x'00', 'a', '{}'", "idempotency_key is a blob, not text"),
    BAD("occurred_at, type, payload", "x'00', 'a', '{}'", "occurred_at is a blob, not text"),
    BAD("version, type, payload", "'two', 'a', '{}'", "version is not an integer"),
    BAD("version, type, payload", "1.5, 'a', '{}'", "version is not an integer"),
    BAD("version, type, payload", "1 << 40, 'a', '{}'", "version is 1099511627776, not a version"),
    {0},
};

static size_t insert_bad(struct world *world, const struct bad_row *rows) {
    char sql[512];
    size_t count = 0;
    for (; rows[count].columns; count++) {
        snprintf(sql, sizeof sql, "INSERT INTO outbox_events (%s) VALUES (%s)", rows[count].columns,
                 rows[count].values);
        world->backend->sql(world->url, sql);
    }
    return count;
}

CASE(bad_rows_say_why) {
    const struct bad_row *more = is_on(world, "sqlite") ? sqlite_bad_rows : postgres_bad_rows;
    size_t common = insert_bad(world, bad_rows), count = common + insert_bad(world, more);
    insert(world, "good.one", 1);
    struct claimed claimed = claim(world);
    assert_int_equal(claimed.count, count + 1);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(claimed.rows[i].defect,
                            i < common ? bad_rows[i].defect : more[i - common].defect);
    assert_null(claimed.rows[count].defect);
}

CASE_ON(harmless_affinity, "sqlite") {
    world->backend->sql(world->url,
                        "INSERT INTO outbox_events (type, key, version, processed, created_at, payload)"
                        " VALUES (5, 12.5, '2', '0', NULL, 7)");
    world->backend->sql(world->url, "INSERT INTO outbox_events (type, created_at, payload)"
                                    " VALUES ('a', '2025-11-14 12:00:00', '{}'), ('a', 'infinity', '{}')");
    struct claimed claimed = claim(world);
    assert_int_equal(claimed.count, 3);
    expect_text(claimed.rows[0].draft.type, "5");
    expect_text(claimed.rows[0].draft.key, "12.5");
    expect_text(claimed.rows[0].draft.payload, "7");
    assert_int_equal(claimed.rows[0].draft.version, 2);
    assert_int_equal(claimed.rows[0].created_us, 0);
    assert_null(claimed.rows[0].draft.time.data);
    assert_int_equal(claimed.rows[1].created_us, 1763121600000000);
    assert_int_equal(claimed.rows[2].created_us, 0);
}

#define POS_IS_COUNTED "outbox_events: pos is counted by the database; leave it out of the INSERT"

/* What would make a row neither pending nor published, or too large to look at, is refused where it is
 * written. */
CASE_ON(sqlite_refused_at_the_producer, "sqlite") {
    static const char *const rows[][2] = {
        {"INSERT INTO outbox_events (type, payload, processed) VALUES ('a', '{}', 'no')",
         "CHECK constraint failed: processed is 0; only the relay sets it to 1"},
        {"INSERT INTO outbox_events (type, payload, processed) VALUES ('a', '{}', 1)",
         "CHECK constraint failed: processed is 0; only the relay sets it to 1"},
        {"INSERT INTO outbox_events (type, payload, processed) VALUES ('a', '{}', NULL)",
         "NOT NULL constraint failed: outbox_events.processed"},
        {"INSERT INTO outbox_events (type, payload) VALUES ('a', printf('%.67108865c', 'x'))",
         "CHECK constraint failed: payload is at most 64 MiB"},
        {"INSERT INTO outbox_events (type, payload) VALUES (printf('%.65537c', 'x'), '{}')",
         "CHECK constraint failed: id, type, key and the like are at most 64 KiB"},
        {"INSERT INTO outbox_events (id, type, payload) VALUES (NULL, 'a', '{}')",
         "NOT NULL constraint failed: outbox_events.id"},
        {"INSERT INTO outbox_events (pos, type, payload) VALUES (-5, 'a', '{}')", POS_IS_COUNTED},
        {"INSERT INTO outbox_events (pos, type, payload) VALUES (0, 'a', '{}')", POS_IS_COUNTED},
        {"INSERT INTO outbox_events (pos, type, payload) VALUES (9223372036854775807, 'a', '{}')",
         POS_IS_COUNTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(world->backend->refused(world->url, rows[i][0]), rows[i][1]);
    assert_int_equal(claim(world).count, 0);
}

#define VIOLATES(constraint) \
    "new row for relation \"outbox_events\" violates check constraint \"" constraint "\""

CASE_ON(postgres_refused_at_the_producer, "postgres") {
    static const char *const rows[][2] = {
        {"INSERT INTO outbox_events (type, payload, processed) VALUES ('a', '{}', true)",
         VIOLATES("processed is false; only the relay sets it to true")},
        {"INSERT INTO outbox_events (type, payload, processed) VALUES ('a', '{}', NULL)",
         "null value in column \"processed\" of relation \"outbox_events\" violates not-null constraint"},
        {"INSERT INTO outbox_events (type, payload) VALUES (repeat('x', 1025), '{}')",
         VIOLATES("id and type are at most 1 KiB")},
        {"INSERT INTO outbox_events (key, type, payload) VALUES (repeat('x', 65537), 'a', '{}')",
         VIOLATES("key, tenant and the like are at most 64 KiB")},
        {"INSERT INTO outbox_events (id, type, payload) VALUES (NULL, 'a', '{}')",
         "null value in column \"id\" of relation \"outbox_events\" violates not-null constraint"},
        {"INSERT INTO outbox_events (pos, type, payload) VALUES (5, 'a', '{}')",
         "cannot insert a non-DEFAULT value into column \"pos\""},
        {"INSERT INTO outbox_events (type, payload, parked_at) VALUES ('a', '{}', now())",
         "outbox_events: xid, processed and parked_at are the database's and the relay's; leave them out of "
         "the INSERT"},
        {"INSERT INTO outbox_events (type, payload, xid) VALUES ('a', '{}', '3')",
         "outbox_events: xid, processed and parked_at are the database's and the relay's; leave them out of "
         "the INSERT"},
        {"INSERT INTO outbox_events (type, payload) VALUES ('a', '{')", "invalid input syntax for type json"},
        {"INSERT INTO outbox_events (type, payload, occurred_at) VALUES ('a', '{}', 'infinity')",
         VIOLATES("times are of the years 1 to 9999")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(world->backend->refused(world->url, rows[i][0]), rows[i][1]);
    assert_int_equal(claim(world).count, 0);
}

#define CANNOT_CHANGE                                                                                   \
    "outbox_events: a row that was not sent cannot be changed; give it up with: weir outbox drop, and " \
    "insert another"

#define CANNOT_REPLACE \
    "outbox_events: a row that was not sent cannot be replaced; give it up with: weir outbox drop"

CASE(unsent_rows_are_kept) {
    insert(world, "a.b", 2);
    const struct backend *backend = world->backend;
    assert_string_equal(backend->refused(world->url, "UPDATE outbox_events SET payload = '{}'"),
                        CANNOT_CHANGE);
    assert_string_equal(backend->refused(world->url, "UPDATE outbox_events SET pos = 9 WHERE pos = 1"),
                        is_on(world, "sqlite") ? CANNOT_CHANGE
                                               : "column \"pos\" can only be updated to DEFAULT");
    assert_string_equal(backend->refused(world->url, "DELETE FROM outbox_events WHERE pos = 2"),
                        CANNOT_DELETE);
    assert_string_equal(backend->refused(world->url, "DELETE FROM outbox_events"), CANNOT_DELETE);
    assert_string_equal(backend->refused(world->url, "INSERT INTO outbox_events (id, type, payload)"
                                                     " SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 1"
                                                     " ON CONFLICT (id) DO UPDATE SET payload = '{}'"),
                        CANNOT_CHANGE);
    backend->sql(world->url, "INSERT INTO outbox_events (id, type, payload)"
                             " SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 1 ON CONFLICT DO NOTHING");
    assert_string_equal(backend->refused(world->url, "UPDATE outbox_events SET processed = TRUE"),
                        is_on(world, "sqlite")
                            ? "CHECK constraint failed: processed is 0; only the relay sets it to 1"
                            : VIOLATES("processed is false; only the relay sets it to true"));
    expect_counts(world, 2, 0, 0);
}

CASE_ON(sqlite_unsent_rows_are_not_replaced, "sqlite") {
    insert(world, "a.b", 2);
    static const char *const replacing[] = {
        "REPLACE INTO outbox_events (id, type, payload) SELECT id, 'x', '{}' FROM outbox_events WHERE pos = "
        "1",
        "INSERT OR REPLACE INTO outbox_events (id, type, payload)"
        " SELECT 'new', 'x', '{}' UNION ALL SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 2"};
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(world->backend->refused(world->url, replacing[i]), CANNOT_REPLACE);
    world->backend->sql(world->url, "INSERT OR IGNORE INTO outbox_events (id, type, payload)"
                                    " SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 1");
    expect_counts(world, 2, 0, 0);
}

CASE_ON(postgres_unsent_rows_are_not_truncated, "postgres") {
    insert(world, "a.b", 2);
    assert_string_equal(world->backend->refused(world->url, "TRUNCATE outbox_events"), CANNOT_DELETE);
    expect_counts(world, 2, 0, 0);
}

/* What was left alone is not held against a later row of its id. */
CASE(an_id_is_free_again) {
    size_t count;
    bool more;
    const struct backend *backend = world->backend;
    static const char again[] =
        "INSERT INTO outbox_events (id, type, payload) VALUES ('one', 'a.b', '{}') ON CONFLICT DO NOTHING";
    backend->sql(world->url, again);
    backend->sql(world->url, again);
    settle(world, 1, 1, 5);
    expect_ok(outbox_clean(world->outbox, 1763121600000001, 10, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 1);
    backend->sql(world->url, again);
    expect_counts(world, 1, 0, 0);
}

/* --- by id --------------------------------------------------------------------------------------- */

CASE(rows_are_looked_up_by_their_ids) {
    weir_text ids[] = {weir_text_of("three"), weir_text_of("none"), weir_text_of("one"),
                       weir_text_of("two"),   weir_text_of("four"), weir_text_of("")};
    struct outbox_known known[6];
    world->backend->sql(world->url,
                        "INSERT INTO outbox_events (id, type, payload) VALUES ('one', 'a.b', '{}'), "
                        "('two', 'a.b', '{}'), ('three', 'a.b', '{}'), ('four', 'a.b', '{}')");
    int64_t first = claim(world).rows[0].pos;
    settle(world, first, first + 1, 12);
    struct outbox_parking parking = {first + 2, "schema", "no"};
    expect_ok(outbox_park(world->outbox, &parking, 1, 1, &world->err), &world->err);
    expect_ok(outbox_lookup(world->outbox, ids, 6, world->arena, known, &world->err), &world->err);
    const struct outbox_known expected[] = {
        {first + 2, OUTBOX_PARKED, NULL, 0},  {0},
        {first, OUTBOX_PUBLISHED, "S", 10},   {first + 1, OUTBOX_PUBLISHED, "S", 11},
        {first + 3, OUTBOX_PENDING, NULL, 0}, {0},
    };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(known[i].pos, expected[i].pos);
        assert_int_equal(known[i].state, expected[i].state);
        assert_int_equal(known[i].sequence, expected[i].sequence);
        if (expected[i].stream)
            assert_string_equal(known[i].stream, expected[i].stream);
    }
}

static const struct spec specs[] = {
    {"rows are looked up by their ids", rows_are_looked_up_by_their_ids},
    {"rows come in the order they were committed", rows_in_order},
    {"a plain insert of type and payload gets an id and a time", plain_insert_defaults},
    {"every field of a draft survives", every_field_survives},
    {"what is pending is counted, with the time of the oldest row", pending_tells_the_oldest},
    {"a claim is bounded by rows, bytes and position", claim_bounds},
    {"a claim tells what was committed before it", claim_tells_what_was_seen},
    {"a claim can leave types out, or want only some", claim_by_type},
    {"rows of an open or rolled back transaction are not seen", uncommitted_rows_are_unseen},
    {"postgres - rows that wait for another transaction are said to be held", postgres_held_rows_are_told},
    {"a bad row says why and hides no other", bad_rows_say_why},
    {"sqlite - numbers in text columns and odd times are harmless", harmless_affinity},
    {"sqlite - what could never be sent or seen is refused at the producer", sqlite_refused_at_the_producer},
    {"postgres - what could never be sent or seen is refused at the producer",
     postgres_refused_at_the_producer},
    {"a row that was not sent cannot be changed or deleted", unsent_rows_are_kept},
    {"sqlite - a row that was not sent cannot be replaced", sqlite_unsent_rows_are_not_replaced},
    {"postgres - a row that was not sent cannot be truncated", postgres_unsent_rows_are_not_truncated},
    {"an id is free again when its row was sent and cleaned", an_id_is_free_again},
};
SPEC_MAIN(specs)
