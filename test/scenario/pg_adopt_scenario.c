/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* Tables that people have become outboxes where they stand: their columns and rows stay, and what cannot be mapped is named. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "kit/postgres.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/outbox.h"

struct world {
    const char *url;
    PGconn *db;
    outbox *outbox;
    arena *arena;
    weir_error err;
};

static struct world world_with(const char *sql) {
    struct world world = {.url = kit_postgres_database(kit_postgres_shared()), .arena = arena_new()};
    world.db = kit_sql_connect(world.url);
    kit_sql(world.db, sql);
    return world;
}

static weir_code adopt(struct world *world, const char *preset, const char *table) {
    const struct outbox_layout layout = {.preset = preset, .table = table};
    return outbox_init_as(world->url, &layout, &world->err);
}

static void end(struct world *world) {
    outbox_close(world->outbox);
    PQfinish(world->db);
    arena_free(world->arena);
}

static struct outbox_row *claim(struct world *world, size_t expected) {
    struct outbox_row *rows;
    size_t count;
    const struct outbox_wanted wanted = {.max_rows = 100, .max_bytes = 1 << 20};
    if (!world->outbox)
        expect_ok(outbox_open(&world->outbox, world->url, NULL, &world->err), &world->err);
    expect_ok(outbox_claim(world->outbox, &wanted, world->arena, &rows, &count, &world->err), &world->err);
    assert_int_equal(count, expected);
    return rows;
}

static void expect_row(const struct outbox_row *row, const char *id, const char *type, const char *key,
                       const char *payload) {
    assert_string_equal(row->draft.id.data, id);
    assert_string_equal(row->draft.type.data, type);
    assert_string_equal(row->draft.key.data ? row->draft.key.data : "", key);
    assert_string_equal(row->draft.payload.data, payload);
    assert_null(row->defect);
}

/* --- Debezium's shape --------------------------------------------------------------------------------------- */

#define DEBEZIUM                                                                                       \
    "CREATE TABLE outboxevent (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid " \
    "varchar(255) NOT NULL,"                                                                           \
    " type varchar(255) NOT NULL, payload jsonb);"

static void debezium(void **state) {
    (void)state;
    struct world world =
        world_with(DEBEZIUM "INSERT INTO outboxevent VALUES ('6b3f37f5-0000-4000-8000-000000000001', "
                            "'order', 'o-1', 'order.placed', '{\"n\":1}')");
    expect_ok(adopt(&world, "debezium", NULL), &world.err);
    kit_sql(world.db, "INSERT INTO outboxevent VALUES ('6b3f37f5-0000-4000-8000-000000000002', 'order', "
                      "'o-2', 'order.paid', '{\"n\":2.50}')");
    struct outbox_row *rows = claim(&world, 2);
    expect_row(&rows[0], "6b3f37f5-0000-4000-8000-000000000001", "order.placed", "o-1", "{\"n\": 1}");
    expect_row(&rows[1], "6b3f37f5-0000-4000-8000-000000000002", "order.paid", "o-2", "{\"n\": 2.50}");
    assert_string_equal(
        kit_sql_refused(world.db, "DELETE FROM outboxevent"),
        "outboxevent: a row that was not sent cannot be deleted; give it up with: weir outbox drop");
    expect_ok(adopt(&world, NULL, NULL), &world.err); /* again, without saying how */
    end(&world);
}

/* --- the seed's shape ---------------------------------------------------------------------------------------- */

#define SEED                                                                                        \
    "CREATE TABLE outbox_events (id serial PRIMARY KEY, event_type text, payload text, note point," \
    " created_at timestamp DEFAULT now(), processed boolean DEFAULT false);"

static void seed(void **state) {
    (void)state;
    char id[64];
    struct world world =
        world_with(SEED "INSERT INTO outbox_events (event_type, payload, processed, note) VALUES "
                        "('a.old', '{}', true, '(1,2)'),"
                        " ('a.b', '{\"n\":1.0}', false, NULL), ('a.c', '{\"n\":2}', NULL, NULL);"
                        "UPDATE outbox_events SET payload = '{\"n\":1.50}' WHERE event_type = "
                        "'a.b'"); /* now behind a.c in the heap */
    expect_ok(adopt(&world, "seed", NULL), &world.err);
    kit_sql(world.db, "INSERT INTO outbox_events (event_type, payload) VALUES ('a.d', 'no json')");
    struct outbox_row *rows = claim(&world, 3);
    snprintf(id, sizeof id, "%s-2", outbox_uuid(world.outbox)); /* a number would be other outboxes' too */
    expect_row(&rows[0], id, "a.b", "", "{\"n\":1.50}");
    assert_string_equal(rows[1].draft.type.data, "a.c");
    assert_string_equal(rows[2].draft.payload.data, "no json");
    assert_string_equal(kit_sql_text(world.db, "SELECT note FROM outbox_events WHERE event_type = 'a.old'"),
                        "(1,2)");
    struct outbox_counts counts;
    expect_ok(outbox_counts(world.outbox, &counts, &world.err), &world.err);
    assert_int_equal(counts.pending, 3);
    assert_int_equal(counts.published, 1);
    assert_int_equal(counts.dropped, 0);
    end(&world);
}

static void the_old_worker(void **state) {
    (void)state;
    struct world world =
        world_with(SEED "INSERT INTO outbox_events (event_type, payload) VALUES ('a.b', '{}')");
    expect_ok(adopt(&world, "seed", NULL), &world.err);
    assert_string_equal(kit_sql_refused(world.db, "UPDATE outbox_events SET processed = true"),
                        "new row for relation \"outbox_events\" violates check constraint \"processed is "
                        "false; only the relay "
                        "sets it to true\"");
    claim(&world, 1);
    end(&world);
}

static void triggers_do_not_take_part(void **state) {
    (void)state;
    struct world world = world_with(
        SEED
        "INSERT INTO outbox_events (event_type, payload) VALUES ('a.b', '{}');"
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';"
        "CREATE TRIGGER on_update BEFORE UPDATE ON outbox_events FOR EACH ROW EXECUTE FUNCTION refuse();"
        "CREATE TRIGGER was_off BEFORE INSERT ON outbox_events FOR EACH ROW EXECUTE FUNCTION refuse();"
        "ALTER TABLE outbox_events DISABLE TRIGGER was_off");
    expect_ok(adopt(&world, "seed", NULL), &world.err);
    assert_string_equal(
        kit_sql_text(world.db,
                     "SELECT string_agg(tgname || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger"
                     " WHERE tgname IN ('on_update', 'was_off')"),
        "on_updateO was_offD");
    end(&world);
}

static void odd_columns(void **state) {
    (void)state;
    struct world world =
        world_with("CREATE TYPE kind AS ENUM ('a.b'); CREATE TABLE outbox_events (id bigint PRIMARY KEY "
                   "GENERATED ALWAYS AS IDENTITY, type kind,"
                   " key varchar(20), payload jsonb, processed boolean, version smallint, \"timestamp\" "
                   "bigint, twice text GENERATED ALWAYS AS (key || key)"
                   " STORED, processed_at timestamptz, error text); INSERT INTO outbox_events (type, key, "
                   "payload, version) VALUES ('a.b', 'k', '{}', 3)");
    expect_ok(adopt(&world, "seed", NULL), &world.err);
    kit_sql(world.db, "INSERT INTO outbox_events (type, key, payload) VALUES ('a.b', 'l', '{}')");
    struct outbox_row *rows = claim(&world, 2);
    assert_string_equal(rows[0].draft.type.data, "a.b");
    assert_string_equal(rows[0].draft.key.data, "k");
    assert_int_equal(rows[0].draft.version, 3);
    assert_null(rows[0].draft.time.data);
    end(&world);
}

static void in_another_schema(void **state) {
    (void)state;
    struct world world = world_with("CREATE SCHEMA \"Old\"; CREATE TABLE \"Old\".\"Out Box\" (id uuid "
                                    "PRIMARY KEY DEFAULT gen_random_uuid(), type text,"
                                    " \"aggregateid\" text, payload json); INSERT INTO \"Old\".\"Out Box\" "
                                    "(type, payload) VALUES ('a.b', '{\"n\":1}')");
    expect_ok(adopt(&world, "debezium", "\"Old\".\"Out Box\""), &world.err);
    expect_ok(adopt(&world, NULL, NULL), &world.err);
    assert_string_equal(claim(&world, 1)->draft.type.data, "a.b");
    end(&world);
}

/* --- following the log ---------------------------------------------------------------------------------------- */

static void follow(struct world *world) {
    const struct outbox_options options = {.wal = true};
    struct outbox_told told = {.phase = ""};
    expect_ok(outbox_open(&world->outbox, world->url, &options, &world->err), &world->err);
    for (int i = 0; i < 1000 && strcmp(told.phase, "following the log") != 0; i++) {
        outbox_wait(world->outbox, 20);
        outbox_tell(world->outbox, &told);
    }
    assert_string_equal(told.phase, "following the log");
}

static void expect_same_text(weir_text log, weir_text table) {
    if (!text_equal(log, table) || !log.data != !table.data)
        fail_msg("the log has '%.*s', the table '%.*s'", TEXT_ARG(log), TEXT_ARG(table));
}

static void expect_same(const struct outbox_row *log, const struct outbox_row *table) {
    assert_int_equal(log->pos, table->pos);
    assert_int_equal(log->created_us, table->created_us);
    assert_int_equal(log->draft.version, table->draft.version);
    expect_same_text(log->draft.id, table->draft.id);
    expect_same_text(log->draft.type, table->draft.type);
    expect_same_text(log->draft.key, table->draft.key);
    expect_same_text(log->draft.payload, table->draft.payload);
    expect_same_text(log->draft.time, table->draft.time);
    expect_same_text(log->draft.tenant, table->draft.tenant);
    expect_same_text(log->draft.actor, table->draft.actor);
    expect_same_text(log->draft.trace, table->draft.trace);
    if (!log->defect != !table->defect || (log->defect && strcmp(log->defect, table->defect) != 0))
        fail_msg("the log says '%s', the table '%s'", log->defect ? log->defect : "",
                 table->defect ? table->defect : "");
}

static const struct {
    const char *preset, *table, *insert;
    size_t rows;
} followed[] = {
    {"debezium", DEBEZIUM,
     "INSERT INTO outboxevent VALUES (gen_random_uuid(), 'order', 'o-1', 'order.placed', '{\"n\": 1.50}'),"
     " (gen_random_uuid(), 'order', '', 'order.placed', NULL)",
     2},
    {"debezium",
     "CREATE TABLE outboxevent (id text PRIMARY KEY, aggregate_id bigint, type char(20), payload json, "
     "trace_id uuid, timestamp timestamptz DEFAULT now())",
     "INSERT INTO outboxevent VALUES ('a', 17, 'order.placed', '{\"b\" : 1, \"a\":2}', gen_random_uuid(), "
     "now()), ('b', NULL, 'order.paid', '{}', NULL, '1900-01-01 12:00:00.123456+01'), (repeat('x', 300), 1, "
     "'c', '{}', NULL, NULL)",
     3},
    {"seed", SEED,
     "INSERT INTO outbox_events (event_type, payload, note) VALUES ('a.b', '{\"n\":1.0}', '(1,2)'), ('a.c', "
     "'no json', "
     "NULL), (NULL, '{}', NULL)",
     3},
    {"seed",
     "CREATE TYPE kind AS ENUM ('a.b'); CREATE TABLE outbox_events (id bigint PRIMARY KEY GENERATED ALWAYS "
     "AS "
     "IDENTITY, type kind, key varchar(20), payload jsonb, processed boolean, version smallint, tenant "
     "integer,"
     " actor_id name, occurred_at timestamp, twice text GENERATED ALWAYS AS (key || key) STORED)",
     "INSERT INTO outbox_events (type, key, payload, version, tenant, actor_id, occurred_at) VALUES"
     " ('a.b', 'k', '{\"b\":1, \"a\":[1e3]}', 3, 12, 'anna', '2025-11-14 12:00:00.5'), ('a.b', 'l', '{}', "
     "-1, 1, '', "
     "'2300-01-01')",
     2},
};

/* What the log tells is what the table has, in every field: an event must not depend on the way it was found. */
static void log_and_table(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof followed / sizeof *followed; i++) {
        struct world world = world_with(followed[i].table);
        struct outbox_row *log;
        size_t count = 0;
        const struct outbox_wanted wanted = {.max_rows = 100, .max_bytes = 1 << 20};
        expect_ok(adopt(&world, followed[i].preset, NULL), &world.err);
        follow(&world);
        kit_sql(world.db, followed[i].insert);
        for (int tries = 0; tries < 500 && count == 0; tries++) {
            outbox_wait(world.outbox, 20);
            expect_ok(outbox_claim(world.outbox, &wanted, world.arena, &log, &count, &world.err), &world.err);
        }
        assert_int_equal(count, followed[i].rows);
        outbox_close(world.outbox);
        world.outbox = NULL;
        struct outbox_row *table = claim(&world, count);
        for (size_t row = 0; row < count; row++)
            expect_same(&log[row], &table[row]);
        kit_sql(world.db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active");
        while (kit_sql_number(world.db, "SELECT count(active_pid) FROM pg_replication_slots") > 0)
            usleep(5000);
        kit_sql(world.db, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        end(&world);
    }
}

/* --- what cannot be taken over -------------------------------------------------------------------------------- */

static const struct {
    const char *table, *preset, *message, *hint;
} refused[] = {
    {"SELECT 1", "debezium", "there is no table outboxevent", "name the table to take over with --table"},
    {"SELECT 1", "best", "there is no preset 'best'", "use weir, debezium or seed"},
    {"CREATE TABLE outboxevent (id uuid PRIMARY KEY, type text, payload json)", "debezium",
     "the table outboxevent has no column aggregateid or aggregate_id, which makes the key of an event",
     "add it, or use the preset that fits: debezium needs id, type, aggregateid, payload; seed needs id, "
     "type or event_type, "
     "payload, processed"},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json)", "seed",
     "the table outbox_events has no column processed, which makes the fate of an event", NULL},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json, processed integer)", "seed",
     "the column processed of the table outbox_events is integer, not boolean",
     "change its type, or make an outbox of its own with: weir outbox init"},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload bytea, processed boolean)", "seed",
     "the column payload of the table outbox_events is bytea, not json, jsonb or text", NULL},
    {"CREATE TABLE outbox_events (id uuid, type text, payload json, processed boolean)", "seed",
     "the column id of the table outbox_events may hold one id twice",
     "CREATE UNIQUE INDEX ON outbox_events (id)"},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json, processed boolean, pos "
     "bigserial)",
     "seed", "the table outbox_events has a column pos of its own (bigint), which the relay needs for itself",
     "ALTER TABLE outbox_events RENAME COLUMN pos TO ..."},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json, processed boolean, stream "
     "integer)",
     "seed",
     "the table outbox_events has a column stream of its own (integer), which the relay needs for itself",
     "ALTER TABLE outbox_events RENAME COLUMN stream TO ..., or if it means the same: ALTER COLUMN stream "
     "TYPE text"},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json, processed boolean, "
     "processed_at timestamp)",
     "seed",
     "the table outbox_events has a column processed_at of its own (timestamp without time zone), which the "
     "relay needs for itself",
     "ALTER TABLE outbox_events RENAME COLUMN processed_at TO ..., or if it means the same: ALTER COLUMN "
     "processed_at TYPE timestamptz"},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json, processed boolean);"
     "CREATE INDEX outbox_events_pending ON outbox_events (id) WHERE NOT processed",
     "seed", "there is another outbox_events_pending in the way",
     "ALTER INDEX outbox_events_pending RENAME TO ..."},
    {"CREATE TABLE outboxevent (id uuid, type text, aggregateid text, payload json) PARTITION BY HASH (id)",
     "debezium", "outboxevent is not an ordinary table: partitions and views cannot be taken over",
     "make an outbox of its own with: weir outbox init"},
    {"CREATE TABLE outbox_events (id uuid PRIMARY KEY, type text, payload json, processed boolean)", NULL,
     "the table outbox_events was there and is not as weir makes it: it has no column pos",
     "take it over as it is with --preset seed or --preset debezium, or rename it"},
};

static void what_is_missing_is_named(void **state) {
    (void)state;
    char message[600];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct world world = world_with(refused[i].table);
        char before[64];
        snprintf(before, sizeof before, "%s", kit_sql_text(world.db, "SELECT count(*) FROM pg_attribute"));
        snprintf(message, sizeof message, "%s: cannot create the outbox: %s", world.url, refused[i].message);
        expect_error(adopt(&world, refused[i].preset, NULL), WEIR_INVALID, &world.err, message);
        if (refused[i].hint)
            assert_string_equal(world.err.hint, refused[i].hint);
        assert_string_equal(kit_sql_text(world.db, "SELECT count(*) FROM pg_attribute"),
                            before); /* nothing was done */
        end(&world);
    }
}

static void a_table_without_a_preset(void **state) {
    (void)state;
    struct world world = world_with("CREATE TABLE mine (id uuid PRIMARY KEY)");
    char message[600];
    snprintf(
        message, sizeof message,
        "%s: cannot create the outbox: the preset weir makes a table of its own, outbox_events, not mine",
        world.url);
    expect_error(adopt(&world, NULL, "mine"), WEIR_INVALID, &world.err, message);
    assert_string_equal(
        world.err.hint,
        "leave --table away, or take that table over with --preset debezium or --preset seed");
    end(&world);
}

static void another_preset_later(void **state) {
    (void)state;
    struct world world = world_with(DEBEZIUM);
    char message[600];
    expect_ok(adopt(&world, "debezium", NULL), &world.err);
    snprintf(
        message, sizeof message,
        "%s: cannot create the outbox: the outbox here is on the table outboxevent with the preset debezium",
        world.url);
    expect_error(adopt(&world, "weir", NULL), WEIR_INVALID, &world.err, message);
    expect_error(adopt(&world, NULL, "other"), WEIR_INVALID, &world.err, message);
    assert_string_equal(
        world.err.hint,
        "leave --preset and --table away, or name another schema: ?options=-csearch_path%3DSCHEMA");
    end(&world);
}

static void names_are_not_sql(void **state) {
    (void)state;
    struct world world = world_with("CREATE TABLE prize (n int)");
    static const char *const names[] = {"x'; DROP TABLE prize; --", "\\'; DROP TABLE prize; --",
                                        "x\"; DROP TABLE prize; --", "a.b.c.d"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_not_equal(adopt(&world, "debezium", names[i]), WEIR_OK);
    assert_non_null(kit_sql_text(world.db, "SELECT to_regclass('prize')"));
    end(&world);
}

static const struct spec specs[] = {
    {"a table of Debezium is an outbox with its rows", debezium},
    {"a table with a processed flag is an outbox, what is not processed in the order of its ids", seed},
    {"a worker that still sets processed itself is refused", the_old_worker},
    {"triggers of the table take no part and stay as they were", triggers_do_not_take_part},
    {"columns of other types are read as what they are", odd_columns},
    {"a table in another schema with an odd name is taken over", in_another_schema},
    {"a table that cannot be mapped stays as it is, and the column that is missing is named",
     what_is_missing_is_named},
    {"the log tells of rows as the table has them", log_and_table},
    {"a table is taken over by a preset only", a_table_without_a_preset},
    {"an outbox stays on the table it was made on", another_preset_later},
    {"the name of a table is never run as SQL", names_are_not_sql},
};
SPEC_MAIN(specs)
