/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What the relay may rely on, whatever database stands behind the outbox. Every case runs against every
 * backend of the table; a backend is a way to make an outbox and a way to write into it as a stranger would:
 * in SQL. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/outbox.h"

/* --- backends ---------------------------------------------------------------------------------- */

struct backend {
    const char *name;
    const char *(*create)(void); /* a fresh outbox; its url */
    void (*sql)(const char *url,
                const char *text); /* runs statements on a connection of its own; must succeed */
    const char *(*refused)(const char *url, const char *text); /* must fail; what the database said */
};

static const char *sqlite_create(void) {
    static char url[512];
    static int number;
    char name[32];
    weir_error err;
    snprintf(name, sizeof name, "outbox-%d.db", ++number);
    snprintf(url, sizeof url, "sqlite:%s", kit_path(name));
    expect_ok(outbox_init(url, &err), &err);
    return url;
}

static int sqlite_exec(const char *url, const char *text, char message[512]) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(url + 7, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    snprintf(message, 512, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return rc;
}

static void sqlite_sql(const char *url, const char *text) {
    char message[512];
    if (sqlite_exec(url, text, message) != SQLITE_OK)
        fail_msg("%s: %s", text, message);
}

static const char *sqlite_refused(const char *url, const char *text) {
    static char message[512];
    if (sqlite_exec(url, text, message) == SQLITE_OK)
        fail_msg("was not refused: %s", text);
    return message;
}

static const struct backend backends[] = {
    {.name = "sqlite", .create = sqlite_create, .sql = sqlite_sql, .refused = sqlite_refused},
};

/* --- a case's world ---------------------------------------------------------------------------- */

struct world {
    const struct backend *backend;
    char url[512];
    outbox *outbox;
    arena *arena;
    weir_error err;
};

static void each_backend(void (*run)(struct world *world)) {
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        struct world world = {.backend = &backends[i], .arena = arena_new()};
        snprintf(world.url, sizeof world.url, "%s", backends[i].create());
        expect_ok(outbox_open(&world.outbox, world.url, NULL, &world.err), &world.err);
        run(&world);
        outbox_close(world.outbox);
        arena_free(world.arena);
    }
}

/* Turns a function of a world into a case. */
#define CASE(name)                              \
    static void name##_in(struct world *world); \
    static void name(void **state) {            \
        (void)state;                            \
        each_backend(name##_in);                \
    }                                           \
    static void name##_in(struct world *world)

struct claimed {
    struct outbox_row *rows;
    size_t count;
};

static struct claimed claim_wanted(struct world *world, struct outbox_wanted wanted) {
    struct claimed claimed = {0};
    if (wanted.max_rows == 0)
        wanted.max_rows = 999;
    if (wanted.max_bytes == 0)
        wanted.max_bytes = 4 << 20;
    expect_ok(outbox_claim(world->outbox, &wanted, world->arena, &claimed.rows, &claimed.count, &world->err),
              &world->err);
    return claimed;
}

static struct claimed claim(struct world *world) {
    return claim_wanted(world, (struct outbox_wanted){0});
}

static void insert(struct world *world, const char *type, int count) {
    char sql[256];
    for (int i = 0; i < count; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO outbox_events (type, payload) VALUES ('%s', '{\"n\":%d}')",
                 type, i);
        world->backend->sql(world->url, sql);
    }
}

/* A settlement that builds on what the database says now. */
static struct outbox_settlement settlement_of(struct world *world, const struct outbox_range *range,
                                              uint64_t cursor) {
    struct outbox_settlement settlement = {.stream = "S",
                                           .created = "2025-11-14T12:00:00Z",
                                           .cursor_seq = cursor,
                                           .batch_no = 1,
                                           .ranges = range,
                                           .range_count = 1,
                                           .first_seq = cursor - (uint64_t)(range->last - range->first + 1),
                                           .now_us = 1763121600000000};
    expect_ok(outbox_stream_load(world->outbox, "S", &settlement.was, &world->err), &world->err);
    return settlement;
}

static void settle(struct world *world, int64_t first, int64_t last, uint64_t cursor) {
    struct outbox_range range = {first, last};
    struct outbox_settlement settlement = settlement_of(world, &range, cursor);
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
}

static struct outbox_counts counts(struct world *world) {
    struct outbox_counts counts;
    expect_ok(outbox_counts(world->outbox, &counts, &world->err), &world->err);
    return counts;
}

#define expect_counts(world, pending_, parked_, published_) \
    do {                                                    \
        struct outbox_counts counts_ = counts(world);       \
        assert_int_equal(counts_.pending, pending_);        \
        assert_int_equal(counts_.parked, parked_);          \
        assert_int_equal(counts_.published, published_);    \
    } while (0)

static void expect_text(weir_text text, const char *expected) {
    if (!text_is(text, expected))
        fail_msg("is '%.*s', expected '%s'", TEXT_ARG(text), expected);
}

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
    assert_int_equal(claimed.rows[0].draft.id.data[14], '4');
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

CASE(claim_bounds) {
    insert(world, "a.b", 5);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.max_rows = 2}).count, 2);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.max_bytes = 1}).count, 1);
    assert_int_equal(claim_wanted(world, (struct outbox_wanted){.max_bytes = 8}).count, 2);
    struct claimed behind = claim_wanted(world, (struct outbox_wanted){.after_pos = 3});
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
    sqlite3 *db;
    assert_int_equal(sqlite3_open(world->url + 7, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "BEGIN; INSERT INTO outbox_events (type, payload) VALUES ('a', '{}')", 0, 0, 0), 0);
    assert_int_equal(claim(world).count, 0);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", 0, 0, 0), 0);
    sqlite3_close(db);
    assert_int_equal(claim(world).count, 0);
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
    BAD("type, payload", "x'6162', '{}'", "type is a blob, not text"),
    BAD("type, payload", "CAST(x'ff41' AS TEXT), '{}'", "type is not valid UTF-8"),
    BAD("type, payload", "CAST(x'410042' AS TEXT), '{}'", "type holds a NUL byte"),
    BAD("type, payload", "printf('%.300c', 'x'), '{}'", "type has 300 bytes, at most 256 are carried"),
    BAD("type, payload", "'a', NULL", "payload is NULL"),
    BAD("type, payload", "'a', ''", "payload is empty"),
    BAD("type, payload", "'a', x'7b7d'", "payload is a blob, not text"),
    BAD("type, payload", "'a', CAST(x'7bff7d' AS TEXT)", "payload is not valid UTF-8"),
    BAD("id, type, payload", "x'01', 'a', '{}'", "id is a blob, not text"),
    BAD("id, type, payload", "'', 'a', '{}'", "id is empty"),
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
    BAD("version, type, payload", "-1, 'a', '{}'", "version is -1, not a version"),
    BAD("version, type, payload", "1 << 40, 'a', '{}'", "version is 1099511627776, not a version"),
};

CASE(bad_rows_say_why) {
    char sql[512];
    size_t count = sizeof bad_rows / sizeof *bad_rows;
    for (size_t i = 0; i < count; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO outbox_events (%s) VALUES (%s)", bad_rows[i].columns,
                 bad_rows[i].values);
        world->backend->sql(world->url, sql);
    }
    insert(world, "good.one", 1);
    struct claimed claimed = claim(world);
    assert_int_equal(claimed.count, count + 1);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(claimed.rows[i].defect, bad_rows[i].defect);
    assert_null(claimed.rows[count].defect);
}

CASE(harmless_affinity) {
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
CASE(refused_at_the_producer) {
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

#define CANNOT_CHANGE                                                                                   \
    "outbox_events: a row that was not sent cannot be changed; give it up with: weir outbox drop, and " \
    "insert another"
#define CANNOT_DELETE \
    "outbox_events: a row that was not sent cannot be deleted; give it up with: weir outbox drop"

#define CANNOT_REPLACE \
    "outbox_events: a row that was not sent cannot be replaced; give it up with: weir outbox drop"

CASE(unsent_rows_are_kept) {
    insert(world, "a.b", 2);
    const struct backend *backend = world->backend;
    assert_string_equal(backend->refused(world->url, "UPDATE outbox_events SET payload = '{}'"),
                        CANNOT_CHANGE);
    assert_string_equal(backend->refused(world->url, "UPDATE outbox_events SET pos = 9 WHERE pos = 1"),
                        CANNOT_CHANGE);
    assert_string_equal(backend->refused(world->url, "DELETE FROM outbox_events WHERE pos = 2"),
                        CANNOT_DELETE);
    assert_string_equal(backend->refused(world->url, "DELETE FROM outbox_events"), CANNOT_DELETE);
    assert_string_equal(backend->refused(world->url, "INSERT INTO outbox_events (id, type, payload)"
                                                     " SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 1"
                                                     " ON CONFLICT (id) DO UPDATE SET payload = '{}'"),
                        CANNOT_CHANGE);
    static const char *const replacing[] = {
        "REPLACE INTO outbox_events (id, type, payload) SELECT id, 'x', '{}' FROM outbox_events WHERE pos = "
        "1",
        "INSERT OR REPLACE INTO outbox_events (id, type, payload)"
        " SELECT 'new', 'x', '{}' UNION ALL SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 2"};
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(backend->refused(world->url, replacing[i]), CANNOT_REPLACE);
    backend->sql(world->url, "INSERT OR IGNORE INTO outbox_events (id, type, payload)"
                             " SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 1");
    backend->sql(world->url, "INSERT INTO outbox_events (id, type, payload)"
                             " SELECT id, 'x', '{}' FROM outbox_events WHERE pos = 1 ON CONFLICT DO NOTHING");
    assert_string_equal(backend->refused(world->url, "UPDATE outbox_events SET processed = 1"),
                        "CHECK constraint failed: processed is 0; only the relay sets it to 1");
    expect_counts(world, 2, 0, 0);
}

/* What was left alone is not held against a later row of its id. */
CASE(an_id_is_free_again) {
    size_t count;
    bool more;
    const struct backend *backend = world->backend;
    static const char again[] =
        "INSERT OR IGNORE INTO outbox_events (id, type, payload) VALUES ('one', 'a.b', '{}')";
    backend->sql(world->url, again);
    backend->sql(world->url, again);
    settle(world, 1, 1, 5);
    expect_ok(outbox_clean(world->outbox, 1763121600000001, 10, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 1);
    backend->sql(world->url, again);
    expect_counts(world, 1, 0, 0);
}

/* --- settling ---------------------------------------------------------------------------------- */

CASE(settled_rows_know_their_place) {
    struct outbox_view view;
    struct outbox_stream stream;
    insert(world, "a.b", 4);
    settle(world, 2, 3, 12);
    expect_counts(world, 2, 0, 2);
    expect_ok(outbox_find(world->outbox, "3", &view, &world->err), &world->err);
    assert_int_equal(view.state, OUTBOX_PUBLISHED);
    assert_int_equal(view.sequence, 11);
    expect_text(view.stream, "S");
    expect_text(view.processed_at, "2025-11-14T12:00:00.000000Z");
    expect_ok(outbox_stream_load(world->outbox, "S", &stream, &world->err), &world->err);
    assert_true(stream.known);
    assert_int_equal(stream.settled_seq, 12);
    assert_string_equal(stream.created, "2025-11-14T12:00:00Z");
}

CASE(settling_twice_changes_nothing) {
    struct outbox_view view;
    insert(world, "a.b", 1);
    settle(world, 1, 1, 5);
    settle(world, 1, 1, 9);
    expect_ok(outbox_find(world->outbox, "1", &view, &world->err), &world->err);
    assert_int_equal(view.sequence, 4);
}

CASE(settling_builds_on_what_was_read) {
    char message[600];
    struct outbox_range first = {1, 1}, second = {2, 2};
    insert(world, "a.b", 2);
    struct outbox_settlement early = settlement_of(world, &first, 2), late = settlement_of(world, &second, 4);
    expect_ok(outbox_settle(world->outbox, &early, &world->err), &world->err);
    expect_ok(outbox_settle(world->outbox, &early, &world->err), &world->err);
    snprintf(message, sizeof message, "%s: somebody else settled a batch to S meanwhile", world->url);
    expect_error(outbox_settle(world->outbox, &late, &world->err), WEIR_CONFLICT, &world->err, message);
    expect_counts(world, 1, 0, 1);
}

CASE(unknown_stream) {
    struct outbox_stream stream = {.known = true};
    expect_ok(outbox_stream_load(world->outbox, "NEVER", &stream, &world->err), &world->err);
    assert_false(stream.known);
    assert_int_equal(stream.settled_seq, 0);
}

static uint64_t hash_of(struct claimed claimed) {
    uint64_t hash = OUTBOX_HASH_START;
    for (size_t i = 0; i < claimed.count; i++)
        hash = outbox_ids_hash(hash, claimed.rows[i].draft.id);
    return hash;
}

CASE(settling_verifies_an_earlier_life) {
    struct outbox_range range = {1, 2};
    struct outbox_stream stream;
    insert(world, "a.b", 2);
    struct outbox_settlement settlement = {.stream = "S",
                                           .created = "c",
                                           .cursor_seq = 3,
                                           .batch_no = 7,
                                           .ranges = &range,
                                           .range_count = 1,
                                           .first_seq = 1,
                                           .verify = true,
                                           .ids_hash = hash_of(claim(world)) ^ 1,
                                           .now_us = 1};
    char message[600];
    snprintf(message, sizeof message,
             "%s: the rows at the positions of batch 7 to S are not those it was made of", world->url);
    expect_error(outbox_settle(world->outbox, &settlement, &world->err), WEIR_CONFLICT, &world->err, message);
    expect_counts(world, 2, 0, 0);
    expect_ok(outbox_stream_load(world->outbox, "S", &stream, &world->err), &world->err);
    assert_false(stream.known);
    settlement.ids_hash ^= 1;
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    expect_counts(world, 0, 0, 2);
}

CASE(streams_are_listed) {
    const char **names;
    size_t count;
    struct outbox_settlement settlement = {.stream = "B", .created = "c"};
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    settlement.stream = "A";
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    expect_ok(outbox_streams(world->outbox, world->arena, &names, &count, &world->err), &world->err);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "A");
    assert_string_equal(names[1], "B");
}

/* --- parking ----------------------------------------------------------------------------------- */

static void park(struct world *world, int64_t pos) {
    struct outbox_parking parking = {pos, "schema", "payload /n: must be a string"};
    expect_ok(outbox_park(world->outbox, &parking, 1, 1763121600000000, &world->err), &world->err);
}

CASE(parked_rows_step_aside) {
    struct outbox_view view;
    insert(world, "a.b", 3);
    park(world, 1);
    expect_counts(world, 2, 1, 0);
    assert_int_equal(claim(world).rows[0].pos, 2);
    expect_ok(outbox_find(world->outbox, "1", &view, &world->err), &world->err);
    assert_int_equal(view.state, OUTBOX_PARKED);
    expect_text(view.error_class, "schema");
    expect_text(view.error, "payload /n: must be a string");
    assert_string_equal(world->backend->refused(world->url, "DELETE FROM outbox_events WHERE pos = 1"),
                        CANNOT_DELETE);
}

CASE(parked_rows_come_back) {
    size_t count;
    insert(world, "a.b", 3);
    park(world, 1);
    park(world, 3);
    expect_ok(outbox_unpark(world->outbox, 2, &count, &world->err), &world->err);
    assert_int_equal(count, 0);
    expect_ok(outbox_unpark(world->outbox, 1, &count, &world->err), &world->err);
    assert_int_equal(count, 1);
    assert_int_equal(claim(world).rows[0].pos, 1);
    park(world, 1);
    expect_ok(outbox_unpark(world->outbox, 0, &count, &world->err), &world->err);
    assert_int_equal(count, 2);
    expect_counts(world, 3, 0, 0);
}

CASE(published_rows_cannot_be_parked) {
    insert(world, "a.b", 1);
    settle(world, 1, 1, 2);
    park(world, 1);
    expect_counts(world, 0, 0, 1);
}

CASE(dropped_rows_leave_a_trace) {
    struct outbox_view view;
    insert(world, "a.b", 2);
    park(world, 1);
    expect_ok(outbox_drop(world->outbox, 1, "a test", 1763121600000000, &world->err), &world->err);
    expect_ok(outbox_find(world->outbox, "1", &view, &world->err), &world->err);
    assert_int_equal(view.state, OUTBOX_DROPPED);
    expect_text(view.error, "a test (was parked: payload /n: must be a string)");
    expect_error(outbox_drop(world->outbox, 1, "again", 1, &world->err), WEIR_CONFLICT, &world->err,
                 "row 1 was dropped already");
    settle(world, 2, 2, 9);
    expect_error(outbox_drop(world->outbox, 2, "late", 1, &world->err), WEIR_CONFLICT, &world->err,
                 "row 2 is published: it stands in S at 8");
    char message[600];
    snprintf(message, sizeof message, "%s has no row with position or id '77'", world->url);
    expect_error(outbox_drop(world->outbox, 77, "none", 1, &world->err), WEIR_NOT_FOUND, &world->err,
                 message);
    assert_int_equal(counts(world).dropped, 1);
}

CASE(a_drop_that_came_too_late) {
    insert(world, "a.b", 1);
    expect_ok(outbox_drop(world->outbox, 1, "a test", 1, &world->err), &world->err);
    settle(world, 1, 1, 2);
    expect_counts(world, 0, 0, 1);
}

/* --- sending again, cleaning ------------------------------------------------------------------- */

CASE(what_was_sent_can_be_sent_again) {
    struct outbox_sent *sent;
    size_t count;
    insert(world, "a.b", 5);
    settle(world, 1, 4, 5);
    expect_ok(outbox_sent(world->outbox, "S", INT64_MAX, 3, world->arena, &sent, &count, &world->err),
              &world->err);
    assert_int_equal(count, 3);
    assert_int_equal(sent[0].pos, 4);
    assert_int_equal(sent[0].sequence, 4);
    expect_ok(outbox_sent(world->outbox, "S", sent[2].pos, 3, world->arena, &sent, &count, &world->err),
              &world->err);
    assert_int_equal(count, 1);
    assert_int_equal(sent[0].pos, 1);
    int64_t positions[] = {4, 2};
    expect_ok(outbox_unsend(world->outbox, positions, 2, &world->err), &world->err);
    expect_counts(world, 3, 0, 2);
    assert_int_equal(claim(world).rows[0].pos, 2);
}

CASE(cleaning_keeps_what_is_young_or_unsent) {
    size_t count;
    bool more;
    insert(world, "a.b", 6);
    settle(world, 1, 2, 3);
    park(world, 3);
    settle(world, 4, 5, 9);
    int64_t before = 1763121600000000;
    expect_ok(outbox_clean(world->outbox, before, 100, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 0);
    assert_false(more);
    expect_ok(outbox_clean(world->outbox, before + 1, 2, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 2);
    assert_true(more);
    expect_ok(outbox_clean(world->outbox, before + 1, 100, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 2);
    assert_false(more);
    expect_counts(world, 1, 1, 0);
}

CASE(positions_are_never_used_again) {
    size_t count;
    bool more;
    int64_t oldest, last;
    insert(world, "a.b", 2);
    settle(world, 1, 2, 3);
    expect_ok(outbox_clean(world->outbox, INT64_MAX / 2000, 100, &count, &more, &world->err), &world->err);
    assert_int_equal(count, 2);
    expect_ok(outbox_span(world->outbox, &oldest, &last, &world->err), &world->err);
    assert_int_equal(oldest, 0);
    assert_int_equal(last, 2);
    insert(world, "a.b", 1);
    assert_int_equal(claim(world).rows[0].pos, 3);
    expect_ok(outbox_span(world->outbox, &oldest, &last, &world->err), &world->err);
    assert_int_equal(oldest, 3);
}

/* --- the lease, waiting ------------------------------------------------------------------------ */

CASE(one_lease) {
    outbox *other;
    char message[600];
    struct outbox_health health;
    expect_ok(outbox_lease(world->outbox, &world->err), &world->err);
    expect_ok(outbox_lease(world->outbox, &world->err), &world->err);
    expect_ok(outbox_open(&other, world->url, NULL, &world->err), &world->err);
    snprintf(message, sizeof message, "another relay works on %s", world->url);
    expect_error(outbox_lease(other, &world->err), WEIR_CONFLICT, &world->err, message);
    snprintf(message, sizeof message, "process %d holds %s.relay-lock", (int)getpid(), world->url + 7);
    assert_string_equal(world->err.hint, message);
    expect_ok(outbox_health(other, &health, &world->err), &world->err);
    assert_true(health.relay_running);
    assert_int_equal(health.relay_pid, getpid());
    outbox_close(world->outbox);
    expect_ok(outbox_lease(other, &world->err), &world->err);
    world->outbox = other;
}

static int64_t now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / 1000000;
}

CASE(a_commit_wakes) {
    claim(world);
    insert(world, "a.b", 1);
    int64_t start = now_ms();
    assert_true(outbox_wait(world->outbox, 5000));
    assert_true(now_ms() - start < 1000);
}

CASE(a_commit_of_another_process_wakes) {
    claim(world);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        insert(world, "a.b", 1);
        _exit(0);
    }
    int64_t start = now_ms();
    assert_true(outbox_wait(world->outbox, 5000));
    assert_true(now_ms() - start < 2000);
    assert_int_equal(claim(world).count, 1);
}

CASE(own_writes_do_not_wake) {
    insert(world, "a.b", 1);
    claim(world);
    settle(world, 1, 1, 2);
    int64_t start = now_ms();
    assert_false(outbox_wait(world->outbox, 400));
    assert_true(now_ms() - start >= 400);
}

CASE(waiting_costs_nothing) {
    struct timespec before, after;
    claim(world);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    assert_false(outbox_wait(world->outbox, 1000));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    int64_t spent_us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    assert_true(spent_us < 50000);
}

CASE(a_wake_ends_a_wait) {
    claim(world);
    outbox_wake(world->outbox);
    int64_t start = now_ms();
    assert_true(outbox_wait(world->outbox, 5000));
    assert_true(now_ms() - start < 1000);
    assert_false(outbox_wait(world->outbox, 10));
}

/* --- opening ----------------------------------------------------------------------------------- */

CASE(init_again_keeps_everything) {
    char uuid[37];
    snprintf(uuid, sizeof uuid, "%s", outbox_uuid(world->outbox));
    insert(world, "a.b", 2);
    expect_ok(outbox_init(world->url, &world->err), &world->err);
    outbox_close(world->outbox);
    expect_ok(outbox_open(&world->outbox, world->url, NULL, &world->err), &world->err);
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
                        "write sqlite:PATH, for example sqlite:shop.db or sqlite:///var/lib/shop/shop.db");
    expect_error(outbox_open(&outbox, "sqlite:", NULL, &err), WEIR_INVALID, &err,
                 "'sqlite:' is not the url of an outbox");
    expect_error(outbox_open(&outbox, "sqlite://shop.db", NULL, &err), WEIR_INVALID, &err,
                 "'sqlite://shop.db' is not the url of an outbox");
    expect_error(outbox_open(&outbox, "postgres://db/shop", NULL, &err), WEIR_UNSUPPORTED, &err,
                 "this weir has no PostgreSQL outbox yet, only sqlite:PATH");
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
    expect_ok(outbox_health(outbox, &health, &err), &err);
    assert_string_equal(health.journal_mode, "wal");
    assert_int_equal(health.synchronous, 2);
    assert_true(health.intact);
    assert_int_equal(health.missing_triggers, 0);
    assert_false(health.relay_running);
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

static const struct spec specs[] = {
    {"rows come in the order they were committed", rows_in_order},
    {"a plain insert of type and payload gets an id and a time", plain_insert_defaults},
    {"every field of a draft survives", every_field_survives},
    {"a claim is bounded by rows, bytes and position", claim_bounds},
    {"a claim can leave types out, or want only some", claim_by_type},
    {"rows of an open or rolled back transaction are not seen", uncommitted_rows_are_unseen},
    {"a bad row says why and hides no other", bad_rows_say_why},
    {"numbers in text columns and odd times are harmless", harmless_affinity},
    {"what could never be sent or seen is refused at the producer", refused_at_the_producer},
    {"a row that was not sent cannot be changed, deleted or replaced", unsent_rows_are_kept},
    {"an id is free again when its row was sent and cleaned", an_id_is_free_again},
    {"settled rows know their stream and sequence", settled_rows_know_their_place},
    {"settling twice changes nothing", settling_twice_changes_nothing},
    {"a settlement that does not build on the last one changes nothing", settling_builds_on_what_was_read},
    {"a stream never sent to is not known", unknown_stream},
    {"a batch of an earlier life is settled only when its rows are the same",
     settling_verifies_an_earlier_life},
    {"the streams an outbox sent to are listed", streams_are_listed},
    {"parked rows step aside with class and reason", parked_rows_step_aside},
    {"parked rows come back one by one or all", parked_rows_come_back},
    {"a published row cannot be parked", published_rows_cannot_be_parked},
    {"a dropped row leaves a trace", dropped_rows_leave_a_trace},
    {"a row dropped too late counts as published", a_drop_that_came_too_late},
    {"published rows can be found and sent again", what_was_sent_can_be_sent_again},
    {"cleaning keeps what is young, parked or pending", cleaning_keeps_what_is_young_or_unsent},
    {"positions are never used again", positions_are_never_used_again},
    {"one relay holds the lease and a second learns its pid", one_lease},
    {"a commit wakes the one who waits", a_commit_wakes},
    {"a commit of another process wakes too", a_commit_of_another_process_wakes},
    {"own writes do not wake", own_writes_do_not_wake},
    {"waiting costs nothing", waiting_costs_nothing},
    {"a wake ends a wait once", a_wake_ends_a_wait},
    {"init again keeps rows and name", init_again_keeps_everything},
    {"opening fails with the remedy", opening_fails_clearly},
    {"files that are no outbox are told apart", foreign_files},
    {"sqlite - tables of somebody else are left alone", sqlite_tables_of_others},
    {"sqlite - a layout of a newer weir is refused", sqlite_newer_layout},
    {"sqlite - WAL and full synchronous are restored", sqlite_durable_again},
    {"sqlite - a busy database is retriable and a known id a conflict", sqlite_busy},
};
SPEC_MAIN(specs)
