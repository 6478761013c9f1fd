/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store relay */
/* weir outbox partition: what becomes of a table with rows, which partitions come and go and when, what is refused, and what the
 * doctor says. With services and a relay at work: relay_pg_partition_scenario.c. */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "cli_fixture.h"
#include "kit/postgres.h"
#include "kit/spec.h"
#include "store/outbox.h"

struct world {
    const char *url;
    PGconn *db;
    outbox *outbox;
    arena *arena;
    weir_error err;
};

static struct world world(void) {
    struct world world = {.url = kit_postgres_database(kit_postgres_shared()), .arena = arena_new()};
    expect_ok(outbox_init(world.url, &world.err), &world.err);
    world.db = kit_sql_connect(world.url);
    return world;
}

static void end(struct world *world) {
    outbox_close(world->outbox);
    PQfinish(world->db);
    arena_free(world->arena);
}

static weir_code partition(struct world *world, const char *by) {
    struct outbox_partition *list;
    size_t count;
    return outbox_partition_as(world->url, by, &(struct outbox_layout){0}, world->arena, &list, &count,
                               &world->err);
}

static struct world partitioned(void) {
    struct world made = world();
    expect_ok(partition(&made, NULL), &made.err);
    return made;
}

static void expect_text(struct world *world, const char *query, const char *expected) {
    const char *text = kit_sql_text(world->db, query);
    assert_string_equal(text ? text : "(NULL)", expected);
}

#define PARTITIONS                                                                                           \
    "SELECT string_agg(c.relname || ' ' || (SELECT count(*) FROM outbox_events e WHERE e.tableoid = "        \
    "c.oid), ', ' ORDER BY c.relname) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent " \
    "= 'outbox_events'::regclass"
#define ADD "INSERT INTO outbox_events (id, type, payload) VALUES "
#define SEND_ALL                                                                                  \
    "UPDATE outbox_events SET processed = true, processed_at = now(), stream = 'S', sequence = 1" \
    " WHERE parked_at IS NULL"
#define A_DAY_LATER \
    "UPDATE outbox_partitions SET began_at = began_at - interval '1 day' WHERE ended_at IS NULL;"

static size_t clean(struct world *world, int64_t before_us) {
    size_t steps = 0, count;
    bool more = true;
    if (!world->outbox)
        expect_ok(outbox_open(&world->outbox, world->url, NULL, &world->err), &world->err);
    for (; more; steps++)
        expect_ok(outbox_clean(world->outbox, before_us, 10, &count, &more, &world->err), &world->err);
    return steps;
}

enum { LONG_AGO = 1 };
#define FUTURE (INT64_MAX / 2000)

/* --- making them ------------------------------------------------------------------------------------------ */

static void rows_stay_where_they_are(void **state) {
    (void)state;
    struct world made = world();
    kit_sql(made.db, ADD "('a', 't.x', '{\"n\": 1}'), ('b', 't.x', '{}')");
    char was[64];
    snprintf(was, sizeof was, "%s", kit_sql_text(made.db, "SELECT pg_relation_filenode('outbox_events')"));
    kit_sql(made.db,
            "GRANT SELECT ON outbox_events TO PUBLIC; GRANT INSERT (type) ON outbox_events TO PUBLIC");
    expect_ok(partition(&made, "hour"), &made.err);
    kit_sql(made.db, ADD "('c', 't.x', '{}')");
    expect_text(&made, PARTITIONS, "outbox_events_0 2, outbox_events_1 1, outbox_events_2 0");
    expect_text(&made, "SELECT pg_relation_filenode('outbox_events_0')", was);
    expect_text(&made, "SELECT string_agg(id || ' ' || pos, ', ' ORDER BY pos) FROM outbox_rows",
                "a 1, b 2, c 10000000000");
    expect_text(&made,
                "SELECT has_table_privilege('public', 'outbox_events', 'SELECT')::text ||"
                " has_column_privilege('public', 'outbox_events', 'type', 'INSERT')::text ||"
                " has_table_privilege('public', 'outbox_events', 'DELETE')::text",
                "truetruefalse");
    assert_string_equal(kit_sql_refused(made.db, "DELETE FROM outbox_events"),
                        "outbox_events_0: a row that was not sent cannot be deleted; give it up with: weir "
                        "outbox drop");
    assert_string_equal(kit_sql_refused(made.db, "TRUNCATE outbox_events_1"),
                        "outbox_events_1: a row that was not sent cannot be deleted; give it up with: weir "
                        "outbox drop");
    end(&made);
}

static void running_it_again(void **state) {
    (void)state;
    struct world made = partitioned();
    kit_sql(made.db, ADD "('a', 't.x', '{}')");
    expect_ok(partition(&made, NULL), &made.err);
    expect_ok(outbox_init(made.url, &made.err), &made.err);
    expect_text(&made, PARTITIONS, "outbox_events_0 0, outbox_events_1 1, outbox_events_2 0");
    expect_ok(partition(&made, "hour"), &made.err);
    expect_text(&made, "SELECT string_agg(name || ' ' || every, ', ' ORDER BY first) FROM outbox_partitions",
                "outbox_events_0 day, outbox_events_1 hour, outbox_events_2 hour");
    end(&made);
}

static const struct {
    const char *before, *message, *hint;
} refused[] = {
    {"CREATE VIEW mine AS SELECT id FROM outbox_events",
     "the view mine reads the table outbox_events: it would be left behind",
     "drop it, run weir outbox partition, and make it anew on the partitioned table"},
    {"CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM outbox_events; "
     "END",
     "the function mine() is bound to the table outbox_events: it would be left behind", NULL},
    {"CREATE TABLE mine (id text REFERENCES outbox_events (id))",
     "the foreign key mine_id_fkey of mine hangs on the table outbox_events: it would be left behind", NULL},
    {"CREATE TRIGGER mine AFTER INSERT ON outbox_events EXECUTE FUNCTION outbox_wake_relay()",
     "the trigger mine stands on the table outbox_events: it would be left behind", NULL},
    {"CREATE UNIQUE INDEX mine ON outbox_events (idempotency_key)",
     "the unique index mine stands on the table outbox_events: it would be left behind", NULL},
    {"CREATE RULE mine AS ON DELETE TO outbox_events DO ALSO SELECT 1",
     "the rule mine stands on the table outbox_events: it would be left behind", NULL},
    {"DROP TABLE outbox_meta CASCADE", "there is no outbox here", "make one with: weir outbox init"},
    {"UPDATE outbox_meta SET preset = 'seed'",
     "the table outbox_events was taken over with the preset seed; only a table that weir made can be "
     "partitioned",
     "its old rows are deleted in small steps: weir relay --keep, or weir outbox clean"},
};

static void what_would_be_left_behind(void **state) {
    (void)state;
    char message[600];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct world made = world();
        kit_sql(made.db, refused[i].before);
        snprintf(message, sizeof message, "%s: cannot partition the outbox: %s", made.url,
                 refused[i].message);
        expect_error(partition(&made, NULL), WEIR_INVALID, &made.err, message);
        if (refused[i].hint)
            assert_string_equal(made.err.hint, refused[i].hint);
        expect_text(&made, "SELECT relkind::text FROM pg_class WHERE oid = 'outbox_events'::regclass", "r");
        end(&made);
    }
}

static void on_the_command_line(void **state) {
    (void)state;
    own_environment();
    struct world made = world();
    char said[600];
    kit_sql(made.db, ADD "('a', 't.x', '{}')"); /* it waits: the first partition is not done */
    snprintf(said, sizeof said,
             "outbox_events (%s) becomes the first partition as it is: no row is copied, nobody waits longer "
             "than a moment\n",
             kit_sql_text(made.db, "SELECT pg_size_pretty(pg_total_relation_size('outbox_events'))"));
    EXPECT(WEIR("outbox", "partition", made.url, "--by", "hour"), 0,
           "outbox_events_0          ended from 0, of an hour\n"
           "outbox_events_1          used  from 10000000000, of an hour\n"
           "outbox_events_2          ready from 20000000000, of an hour\n",
           said);
    EXPECT(WEIR("outbox", "partition", made.url, "--json"), 0,
           "[{\"name\":\"outbox_events_0\",\"first\":0,\"by\":\"hour\",\"state\":\"ended\"},"
           "{\"name\":\"outbox_events_1\",\"first\":10000000000,\"by\":\"hour\",\"state\":\"used\"},"
           "{\"name\":\"outbox_events_2\",\"first\":20000000000,\"by\":\"hour\",\"state\":\"ready\"}]\n",
           "");
    EXPECT(WEIR("outbox", "partition", "sqlite:shop.db"), 1, "",
           "weir outbox partition: sqlite:shop.db: partitions are PostgreSQL's\n  clean it in small steps: "
           "weir relay --keep, or weir outbox clean\n");
    EXPECT(WEIR("outbox", "partition"), 2, "",
           "weir outbox partition: name the database: weir outbox partition postgres://...; see weir help "
           "outbox partition\n");
    EXPECT(WEIR("outbox", "partition", "--print", "sqlite:shop.db"), 2, "",
           "weir outbox partition: --print shows the SQL for PostgreSQL, not for sqlite:shop.db; see weir "
           "help outbox partition\n");
    end(&made);
}

static void printed_sql_is_what_runs(void **state) {
    (void)state;
    own_environment();
    struct world made = world();
    struct kit_run run = WEIR("outbox", "partition", "--print");
    assert_int_equal(run.status, 0);
    kit_sql(made.db, run.out);
    kit_run_free(&run);
    EXPECT(WEIR("outbox", "check", made.url, "-q"), 0, "", "");
    expect_text(&made, PARTITIONS, "outbox_events_0 0, outbox_events_1 0, outbox_events_2 0");
    end(&made);
}

/* A transaction that stays open is never waited for with the others behind it. */
static void somebody_holds_the_table(void **state) {
    (void)state;
    struct world made = world();
    PGconn *open = kit_sql_connect(made.url), *writer = kit_sql_connect(made.url);
    char message[600];
    kit_sql(open, "BEGIN; LOCK TABLE outbox_events IN ROW EXCLUSIVE MODE");
    kit_sql(writer, "SET lock_timeout = '3s'");
    assert_true(PQsendQuery(writer,
                            "DO $$ BEGIN FOR i IN 1 .. 25 LOOP INSERT INTO outbox_events (type, payload)"
                            " VALUES ('t.x', '{}'); COMMIT; PERFORM pg_sleep(0.1); END LOOP; END $$"));
    snprintf(message, sizeof message,
             "%s: cannot partition the outbox: the table outbox_events was never free: some transaction has "
             "held it all the time",
             made.url);
    expect_error(partition(&made, NULL), WEIR_INVALID, &made.err, message);
    assert_string_equal(made.err.hint,
                        "run it again when no long transaction is open: weir outbox check names them");
    PGresult *result = PQgetResult(writer);
    assert_string_equal(PQresultErrorMessage(result), "");
    PQclear(result);
    kit_sql(open, "COMMIT");
    expect_ok(partition(&made, NULL), &made.err);
    expect_text(&made, PARTITIONS, "outbox_events_0 25, outbox_events_1 0, outbox_events_2 0");
    PQfinish(open);
    PQfinish(writer);
    end(&made);
}

/* --- coming and going ---------------------------------------------------------------------------------------- */

static void a_new_day(void **state) {
    (void)state;
    struct world made = partitioned();
    kit_sql(made.db, A_DAY_LATER);
    clean(&made, LONG_AGO); /* an empty one need not end */
    kit_sql(made.db, ADD "('a', 't.x', '{}')");
    clean(&made, LONG_AGO);
    kit_sql(made.db, ADD "('b', 't.x', '{}')");
    clean(&made, LONG_AGO); /* not yet another day */
    kit_sql(made.db, ADD "('c', 't.x', '{}')");
    expect_text(&made, PARTITIONS,
                "outbox_events_0 0, outbox_events_1 1, outbox_events_2 2, outbox_events_3 0");
    end(&made);
}

static void sent_ones_go(void **state) {
    (void)state;
    struct world made = partitioned();
    kit_sql(made.db, ADD "('a', 't.x', '{}'), ('b', 't.x', '{}')");
    kit_sql(made.db, A_DAY_LATER);
    clean(&made, FUTURE); /* the first one, which is empty */
    expect_text(&made, PARTITIONS, "outbox_events_1 2, outbox_events_2 0, outbox_events_3 0");
    kit_sql(made.db, "UPDATE outbox_events SET processed = true, sequence = 1, stream = 'S' WHERE id = 'a'");
    clean(&made, FUTURE); /* b waits */
    kit_sql(made.db, SEND_ALL);
    clean(&made, LONG_AGO); /* too young */
    expect_text(&made, PARTITIONS, "outbox_events_1 2, outbox_events_2 0, outbox_events_3 0");
    clean(&made, FUTURE);
    expect_text(&made, PARTITIONS, "outbox_events_2 0, outbox_events_3 0");
    end(&made);
}

/* Its neighbours go one by one, as in a table without partitions. */
static void a_parked_row_stays(void **state) {
    (void)state;
    struct world made = partitioned();
    kit_sql(made.db, ADD "('a', 't.x', '{}'), ('b', 't.x', '{}'), ('c', 't.x', '{}')");
    kit_sql(made.db, "UPDATE outbox_events SET parked_at = now(), error_class = 'type' WHERE id = 'b'");
    kit_sql(made.db, SEND_ALL ";" A_DAY_LATER);
    clean(&made, FUTURE);
    expect_text(&made, "SELECT string_agg(id, ' ') FROM outbox_events", "b");
    kit_sql(made.db, ADD "('d', 't.x', '{}')");
    kit_sql(made.db, SEND_ALL);
    clean(&made, FUTURE); /* rows of the partition that is used wait for it to go as a whole */
    expect_text(&made, PARTITIONS, "outbox_events_1 1, outbox_events_2 1, outbox_events_3 0");
    end(&made);
}

static void a_transaction_that_stays_open(void **state) {
    (void)state;
    struct world made = partitioned();
    PGconn *open = kit_sql_connect(made.url);
    kit_sql(made.db, ADD "('a', 't.x', '{}'); " SEND_ALL ";" A_DAY_LATER);
    kit_sql(open, "BEGIN; " ADD "('late', 't.x', '{}')");
    clean(&made, FUTURE);
    kit_sql(open, ADD "('later', 't.x', '{}'); COMMIT");
    clean(&made, FUTURE);
    expect_text(&made,
                "SELECT string_agg(id || ' ' || tableoid::regclass, ', ' ORDER BY pos) FROM outbox_events",
                "late outbox_events_1, later outbox_events_2");
    PQfinish(open);
    end(&made);
}

/* Cleaning goes on without it, and who asks by hand is told. */
static void something_is_in_the_way(void **state) {
    (void)state;
    own_environment();
    struct world made = partitioned();
    kit_sql(made.db,
            "CREATE TABLE outbox_events_3 (n int); CREATE VIEW mine AS SELECT id FROM outbox_events_0");
    kit_sql(made.db, ADD "('a', 't.x', '{}'); " A_DAY_LATER);
    clean(&made, FUTURE);
    expect_text(&made, PARTITIONS, "outbox_events_0 0, outbox_events_1 1, outbox_events_2 0");
    EXPECT(
        WEIR("outbox", "partition", made.url), 0, NULL,
        "the next partition of outbox_events cannot be made: relation \"outbox_events_3\" already exists\n");
    EXPECT(WEIR("outbox", "clean", made.url), 0, "", "0 rows deleted\n");
    kit_sql(made.db, "DROP TABLE outbox_events_3; DROP VIEW mine");
    clean(&made, FUTURE);
    expect_text(&made, PARTITIONS, "outbox_events_1 1, outbox_events_2 0, outbox_events_3 0");
    end(&made);
}

/* The rights that weir outbox init gives a relay are enough. */
static void the_relays_own_user(void **state) {
    (void)state;
    struct world made = partitioned();
    char url[512];
    kit_sql(made.db, "DO $$ BEGIN IF to_regrole('turner') IS NULL THEN CREATE ROLE turner LOGIN IN ROLE "
                     "weir_outbox_relay; END IF; END $$");
    snprintf(url, sizeof url, "postgres://turner@%s", strchr(made.url, '@') + 1);
    expect_ok(outbox_open(&made.outbox, url, NULL, &made.err), &made.err);
    kit_sql(made.db, ADD "('a', 't.x', '{}'); " SEND_ALL ";" A_DAY_LATER);
    clean(&made, FUTURE);
    expect_text(&made, PARTITIONS, "outbox_events_2 0, outbox_events_3 0");
    PGconn *turner = kit_sql_connect(url);
    assert_string_equal(kit_sql_refused(turner, "DROP TABLE outbox_events_2"),
                        "must be owner of table outbox_events_2");
    assert_string_equal(kit_sql_refused(turner, "SELECT weir_outbox_partition_add(0, 'day')"),
                        "permission denied for function weir_outbox_partition_add");
    PQfinish(turner);
    end(&made);
}

/* What the relay reads back now and then is looked for where rows are. */
static void where_rows_stand(void **state) {
    (void)state;
    struct world made = world();
    struct outbox_range *ranges;
    size_t count;
    kit_sql(made.db, ADD "('a', 't.x', '{}'), ('b', 't.x', '{}')");
    expect_ok(outbox_open(&made.outbox, made.url, NULL, &made.err), &made.err);
    expect_ok(outbox_spread(made.outbox, 1, 7, made.arena, &ranges, &count, &made.err), &made.err);
    assert_int_equal(count, 1);
    assert_true(ranges[0].first == 1 && ranges[0].last == 7);
    expect_ok(partition(&made, NULL), &made.err);
    kit_sql(made.db, ADD "('c', 't.x', '{}'), ('d', 't.x', '{}')");
    expect_ok(outbox_spread(made.outbox, 2, 10000000000, made.arena, &ranges, &count, &made.err), &made.err);
    assert_int_equal(count, 2);
    assert_true(ranges[0].first == 2 && ranges[0].last == 2);
    assert_true(ranges[1].first == 10000000000 && ranges[1].last == 10000000000);
    end(&made);
}

/* --- ids ------------------------------------------------------------------------------------------------------ */

static void ids_of_older_partitions(void **state) {
    (void)state;
    struct world made = world();
    kit_sql(made.db, ADD "('a', 't.x', '{}')");
    expect_ok(partition(&made, NULL), &made.err);
    kit_sql(made.db, ADD "('b', 't.x', '{}')");
    assert_string_equal(kit_sql_refused(made.db, ADD "('a', 't.x', '{}')"),
                        "outbox_events: the id a is there already, in an older partition");
    assert_string_equal(kit_sql_refused(made.db, ADD "('b', 't.x', '{}')"),
                        "duplicate key value violates unique constraint \"outbox_events_1_id_key\"");
    kit_sql(made.db, ADD "('b', 't.x', '{}') ON CONFLICT DO NOTHING");
    weir_draft draft = {.id = weir_text_of("a"), .type = weir_text_of("t.x"), .payload = weir_text_of("{}")};
    kit_sql(made.db, "BEGIN");
    expect_error(outbox_insert_pg(made.db, &draft, &made.err), WEIR_CONFLICT, &made.err,
                 "event id 'a' is in the outbox already");
    draft.id = weir_text_of("c");
    expect_ok(outbox_insert_pg(made.db, &draft, &made.err), &made.err);
    kit_sql(made.db, "COMMIT");
    expect_text(&made, "SELECT string_agg(id, ' ' ORDER BY pos) FROM outbox_events", "a b c");
    end(&made);
}

/* --- the doctor -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *damage, *finding;
} findings[] = {
    {"DROP TABLE outbox_events_2",
     "no partition of outbox_events stands ready: rows go on into the one that is used, which is not dropped "
     "so long; run weir outbox partition"},
    {"DROP TABLE outbox_events_1",
     "the partition that rows go into is gone: every INSERT fails; run weir outbox partition"},
    {"DROP TRIGGER outbox_keep_id ON outbox_events",
     "the trigger outbox_keep_id of outbox_events is missing: an id that stands in an older partition is "
     "taken "
     "again; run weir outbox partition"},
    {"ALTER TABLE outbox_events DISABLE TRIGGER outbox_keep_id",
     "the trigger outbox_keep_id of outbox_events is switched off: an id that stands in an older partition "
     "is "
     "taken again; run weir outbox partition"},
    {"ALTER PUBLICATION weir_outbox SET (publish_via_partition_root = false)",
     "the publication weir_outbox tells of partitions one by one: following the log misses rows; ALTER "
     "PUBLICATION weir_outbox SET (publish_via_partition_root = true)"},
    {"DROP FUNCTION weir_outbox_turn", "the function weir_outbox_turn, which begins and drops partitions, is "
                                       "missing; run weir outbox partition"},
    {ADD "('a', 't.x', '{}'); " SEND_ALL
         "; UPDATE outbox_partitions SET began_at = '2026-01-02 03:04:05Z' WHERE "
         "name = 'outbox_events_1'",
     "rows have gone into outbox_events_1 since 2026-01-02 03:04, nobody begins the next partition; run weir "
     "relay, or weir outbox clean once a day"},
};

static void expect_findings(struct world *world, const char *only) {
    struct outbox_health health;
    outbox *opened;
    expect_ok(outbox_open(&opened, world->url, NULL, &world->err), &world->err);
    expect_ok(outbox_health(opened, world->arena, &health, &world->err), &world->err);
    for (size_t i = 0; i < health.finding_count; i++)
        print_message("%s\n", health.findings[i]);
    assert_int_equal(health.finding_count, only ? 1 : 0);
    if (only)
        assert_string_equal(health.findings[0], only);
    outbox_close(opened);
}

static void the_doctor(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        struct world made = partitioned();
        expect_findings(&made, NULL);
        kit_sql(made.db, findings[i].damage);
        expect_findings(&made, findings[i].finding);
        expect_ok(partition(&made, NULL), &made.err);
        if (strncmp(findings[i].damage, "ALTER PUB", 9) !=
            0) /* what is there of others is for them to change */
            expect_findings(&made, NULL);
        kit_sql(made.db, ADD "('z', 't.x', '{}')");
        end(&made);
    }
}

static const struct spec specs[] = {
    {"a table with rows is partitioned where it stands, with its guards and rights",
     rows_stay_where_they_are},
    {"partitioning again changes nothing but how long a partition is", running_it_again},
    {"what hangs on the table is named and nothing is changed", what_would_be_left_behind},
    {"weir outbox partition says what it does and shows the partitions", on_the_command_line},
    {"the printed SQL partitions as well", printed_sql_is_what_runs},
    {"a table that is never free is left, and writers never waited", somebody_holds_the_table},
    {"a new partition begins with a new day, when there are rows in the old one", a_new_day},
    {"a partition goes when all of it was sent and is old", sent_ones_go},
    {"a parked row keeps its partition, the others in it are deleted one by one", a_parked_row_stays},
    {"a transaction that stays open keeps its partition", a_transaction_that_stays_open},
    {"what is in the way of a partition is told and stops nobody", something_is_in_the_way},
    {"the user of the relay begins and drops partitions and may do no more", the_relays_own_user},
    {"rows are looked for where partitions hold some", where_rows_stand},
    {"an id of an older partition is refused", ids_of_older_partitions},
    {"the doctor sees what is missing and weir outbox partition mends it", the_doctor},
};
SPEC_MAIN(specs)
