/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* Following PostgreSQL's log, on a real server: what comes, in which order, and that nothing comes twice on the way between
 * the table and the log. */
#include "wal_fixture.h"

/* --- the way to the log -------------------------------------------------------------------------- */

static void first_start(void **state) {
    (void)state;
    struct world *world = world_new();
    insert(world, 1, 2500);
    open_wal(world);
    assert_string_equal(phase(world), "catching up");
    read_until_following(world);
    expect_came(world, 0, 1, 2500);
    insert(world, 2501, 2600);
    read_until(world, 2600);
    expect_came(world, 0, 1, 2600);
    expect_no_more(world);
    expect_all_settled(world);
    world_free(world);
}

/* A transaction that was open when S0 was taken comes out of the log, one that was committed does not come again. */
static void open_meanwhile(void **state) {
    (void)state;
    struct world *world = world_new();
    open_wal(world);
    read_until_following(world);
    close_it(world);
    PGconn *late = kit_sql_connect(world->url);
    kit_sql(late, "BEGIN");
    insert_on(late, "a.b", 3, 3);
    insert(world, 1, 2);
    open_wal(world);
    read_until_following(world);
    expect_came(world, 0, 1, 2);
    kit_sql(late, "COMMIT");
    read_until(world, 3);
    expect_no_more(world);
    expect_came(world, 0, 1, 3);
    PQfinish(late);
    world_free(world);
}

static void modes_alternate(void **state) {
    (void)state;
    struct world *world = world_new();
    for (int round = 0; round < 6; round++) {
        int first = round * 30 + 1;
        insert(world, first, first + 9);
        open_as(world, round % 2 == 1, false);
        read_until(world, (size_t)first + 9);
        insert(world, first + 10, first + 19);
        read_until(world, (size_t)first + 19);
        if (round % 2 == 1)
            read_until_following(world);
        insert(world, first + 20, first + 29);
        read_until(world, (size_t)first + 29);
        expect_came(world, 0, 1, first + 29);
        expect_all_settled(world);
        close_it(world);
    }
    world_free(world);
}

/* Closed without settling: they are pending, and come again from the table. */
static void unsettled_again(void **state) {
    (void)state;
    struct world *world = world_new();
    open_wal(world);
    read_until_following(world);
    insert(world, 1, 20);
    world->silent = true;
    read_until(world, 20);
    close_it(world);
    world->count = 0;
    world->silent = false;
    open_wal(world);
    read_until(world, 20);
    expect_no_more(world);
    expect_came(world, 0, 1, 20);
    expect_all_settled(world);
    world_free(world);
}

/* --- transactions --------------------------------------------------------------------------------- */

static struct world *following(void) {
    struct world *world = world_new();
    open_wal(world);
    read_until_following(world);
    return world;
}

static void copied_rows(void **state) {
    (void)state;
    struct world *world = following();
    PGresult *copy = PQexec(world->sql, "COPY outbox_events (type, payload) FROM STDIN");
    assert_int_equal(PQresultStatus(copy), PGRES_COPY_IN);
    PQclear(copy);
    for (int n = 1; n <= 300; n++) {
        char line[64];
        int size = snprintf(line, sizeof line, "a.b\t{\"n\" : %d}\n", n);
        assert_int_equal(PQputCopyData(world->sql, line, size), 1);
    }
    assert_int_equal(PQputCopyEnd(world->sql, NULL), 1);
    while ((copy = PQgetResult(world->sql)))
        PQclear(copy);
    read_until(world, 300);
    expect_no_more(world);
    expect_came(world, 0, 1, 300);
    assert_int_equal(world->batches, 1);
    assert_int_equal(world->ended, 1);
    expect_all_settled(world);
    world_free(world);
}

static void rolled_back(void **state) {
    (void)state;
    struct world *world = following();
    sql(world, "BEGIN; SAVEPOINT one");
    insert(world, 1, 1);
    sql(world, "RELEASE one; SAVEPOINT two");
    insert(world, 100, 150);
    sql(world, "ROLLBACK TO two");
    insert(world, 2, 2);
    sql(world, "COMMIT; BEGIN");
    insert(world, 200, 201);
    sql(world, "ROLLBACK");
    insert(world, 3, 3);
    read_until(world, 3);
    expect_no_more(world);
    expect_came(world, 0, 1, 3);
    expect_all_settled(world);
    world_free(world);
}

static kit_postgres *with_prepared(void) {
    const struct kit_postgres_options options = {.config = "max_prepared_transactions = 5\n"};
    return kit_postgres_start(&options);
}

static void prepared(void **state) {
    (void)state;
    kit_postgres *server = with_prepared();
    struct world *world = world_at(server);
    open_wal(world);
    read_until_following(world);
    sql(world, "BEGIN");
    insert(world, 2, 3);
    sql(world, "PREPARE TRANSACTION 'later'");
    insert(world, 1, 1);
    read_until(world, 1);
    expect_no_more(world);
    close_it(world);
    open_wal(world);
    read_until_following(world);
    sql(world, "COMMIT PREPARED 'later'");
    read_until(world, 3);
    expect_no_more(world);
    expect_came(world, 0, 1, 3);
    expect_all_settled(world);
    world_free(world);
    kit_postgres_stop(server);
}

/* Positions are taken when a row is written, the log has them when they are committed. */
static void commit_order(void **state) {
    (void)state;
    struct world *world = following();
    PGconn *other = kit_sql_connect(world->url);
    kit_sql(other, "BEGIN");
    insert_on(other, "a.b", 2, 2);
    insert(world, 1, 1);
    insert_on(other, "a.b", 3, 3);
    kit_sql(other, "COMMIT");
    insert(world, 4, 4);
    read_until(world, 4);
    expect_came(world, 0, 1, 4);
    expect_all_settled(world);
    PQfinish(other);
    world_free(world);
}

static void together(void **state) {
    (void)state;
    struct world *world = following();
    sql(world, "BEGIN");
    insert(world, 1, 600);
    sql(world, "COMMIT; BEGIN");
    insert(world, 601, 1200);
    sql(world, "COMMIT");
    read_until(world, 1200);
    expect_came(world, 0, 1, 1200);
    assert_int_equal(world->batches, 2);
    assert_int_equal(world->ended, 2);
    world_free(world);
}

static int64_t resident_kib(void) {
    char line[128];
    long long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %lld", &kib) == 1)
            break;
    fclose(file);
    return kib;
}

/* 100 MB in one transaction pass through a window of some. */
static void giant(void **state) {
    (void)state;
    struct world *world = following();
    int64_t before = resident_kib(), most = 0;
    sql(world, "INSERT INTO outbox_events (type, payload) SELECT 'a.b', json_build_object('n', i, 'fill', "
               "repeat('0123456789', 1000)) FROM generate_series(1, 10000) i");
    while (world->count < 10000) {
        if (step(world) == 0)
            outbox_wait(world->outbox, 1000);
        most = resident_kib() > most ? resident_kib() : most;
    }
    expect_came(world, 0, 1, 10000);
    assert_int_equal(world->ended, 1);
    expect_all_settled(world);
    printf("memory grew by %lld KiB\n", (long long)(most - before));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(most - before < 40 << 10);
#endif
    world_free(world);
}

/* --- what stands in the rows ------------------------------------------------------------------------ */

static void fields(void **state) {
    (void)state;
    struct world *world = following();
    struct outbox_row *rows;
    size_t count = 0;
    struct outbox_wanted wanted = {.max_rows = 9, .max_bytes = 1 << 20};
    sql(world,
        "INSERT INTO outbox_events (id, type, key, tenant, actor, actor_kind, source, trace, span, "
        "idempotency_key, "
        "version, occurred_at, payload) VALUES ('i', 't', 'k', 'te', 'a', 'ak', 's', 'tr', 'sp', 'ik', 3, "
        "'2025-11-14T12:00:00Z', '{\"n\":1.50, \"n\" : 2}')");
    sql(world, "INSERT INTO outbox_events (type, payload) VALUES (NULL, '{}')");
    sql(world, "INSERT INTO outbox_events (type, version, payload) VALUES ('t', -4, '{}')");
    sql(world, "INSERT INTO outbox_events (type, key, payload) VALUES ('t', repeat('x', 300), '{}')");
    for (int64_t deadline = now_ms() + 5000; count < 4 && now_ms() < deadline; outbox_wait(world->outbox, 50))
        expect_ok(outbox_claim(world->outbox, &wanted, world->arena, &rows, &count, &world->err),
                  &world->err);
    assert_int_equal(count, 4);
    weir_draft draft = rows[0].draft;
    const weir_text came[] = {
        draft.id,     draft.type,  draft.key,  draft.tenant,          draft.actor, draft.actor_kind,
        draft.source, draft.trace, draft.span, draft.idempotency_key, draft.time,  draft.payload};
    const char *expected[] = {"i",
                              "t",
                              "k",
                              "te",
                              "a",
                              "ak",
                              "s",
                              "tr",
                              "sp",
                              "ik",
                              "2025-11-14T12:00:00Z",
                              "{\"n\":1.50, \"n\" : 2}"};
    for (size_t i = 0; i < sizeof came / sizeof *came; i++)
        assert_true(text_is(came[i], expected[i]));
    assert_int_equal(draft.version, 3);
    assert_string_equal(rows[1].defect, "type is NULL");
    assert_string_equal(rows[2].defect, "version is -4, not a version");
    assert_string_equal(rows[3].defect, "key has 300 bytes, at most 256 are carried");
    assert_true(rows[3].created_us / 1000000 > time(NULL) - 60);
    world_free(world);
}

/* --- messages ----------------------------------------------------------------------------------------- */

static void message_events(void **state) {
    (void)state;
    struct world *world = following();
    sql(world, "BEGIN; SELECT weir_emit_message('a.b', 'k', '{\"n\" : 1}', id => 'one'); COMMIT");
    sql(world, "BEGIN; SELECT weir_emit_message('a.b', 'k', '{\"n\" : 9}'); ROLLBACK");
    sql(world, "SELECT weir_emit_message('a.b', 'k', '{\"n\" : 9}', id => 'one')");
    read_until(world, 1);
    expect_no_more(world);
    assert_int_equal(world->came[0], 1);
    expect_number(world, "SELECT count(*) FROM outbox_events WHERE id = 'one' AND key = 'k'", 1);
    expect_all_settled(world);
    world_free(world);
}

/* Written while no relay runs, and found when one does. */
static void message_while_down(void **state) {
    (void)state;
    struct world *world = following();
    close_it(world);
    sql(world, "SELECT weir_emit_message('a.b', 'k', '{\"n\" : 1}')");
    insert(world, 2, 2);
    open_wal(world);
    read_until(world, 2);
    expect_no_more(world);
    assert_int_equal(world->came[0] + world->came[1], 3);
    expect_all_settled(world);
    world_free(world);
}

static void message_rubbish(void **state) {
    (void)state;
    struct world *world = following();
    sql(world, "SELECT pg_logical_emit_message(true, 'weir', 'rubbish')");
    sql(world, "SELECT weir_emit_message('a.b', 'k', '{\"n\" : 1}')");
    sql(world, "SELECT pg_logical_emit_message(true, 'other', 'not ours')");
    sql(world, "SELECT pg_logical_emit_message(true, 'weir', '[1]')");
    until(world, "SELECT count(*) = 3 FROM outbox_events");
    expect_number(
        world, "SELECT count(*) FROM outbox_events WHERE type IS NULL AND payload::text = '\"rubbish\"'", 1);
    expect_number(world, "SELECT count(*) FROM outbox_events WHERE type = 'a.b'", 1);
    world_free(world);
}

/* --- partitions ---------------------------------------------------------------------------------------------- */

static void partition(struct world *world) {
    struct outbox_partition *list;
    size_t count;
    expect_ok(outbox_partition_as(world->url, NULL, &(struct outbox_layout){0}, world->arena, &list, &count,
                                  &world->err),
              &world->err);
}

/* While the log is followed, and before: its rows come out of the log, as rows of the table. */
static void partitioned(void **state) {
    (void)state;
    struct world *world = following();
    insert(world, 1, 10);
    read_until(world, 10);
    partition(world);
    insert(world, 11, 20);
    read_until(world, 20);
    read_until_following(world);
    expect_came(world, 0, 1, 20);
    close_it(world);
    insert(world, 21, 30);
    open_wal(world);
    read_until(world, 30);
    read_until_following(world);
    insert(world, 31, 40);
    read_until(world, 40);
    assert_string_equal(phase(world), "following the log");
    expect_no_more(world);
    expect_came(world, 0, 1, 40);
    expect_all_settled(world);
    world_free(world);
}

/* --- commits that wait for a standby ---------------------------------------------------------------------- */

static void set_standby(struct world *world, const char *name) {
    char text[100];
    snprintf(text, sizeof text, "ALTER SYSTEM SET synchronous_standby_names = '%s'", name);
    sql(world, text);
    sql(world, "SELECT pg_reload_conf()");
    snprintf(text, sizeof text,
             "SELECT setting = '%s' FROM pg_settings WHERE name = 'synchronous_standby_names'", name);
    until(world, text);
}

static struct outbox_row claim_one(struct world *world) {
    struct outbox_row *rows;
    size_t count = 0;
    struct outbox_wanted wanted = {.max_rows = 9, .max_bytes = 1 << 20};
    for (int64_t deadline = now_ms() + 20000; count == 0 && now_ms() < deadline;) {
        expect_ok(outbox_claim(world->outbox, &wanted, world->arena, &rows, &count, &world->err),
                  &world->err);
        if (count == 0)
            outbox_wait(world->outbox, 50);
    }
    assert_int_equal(count, 1);
    return rows[0];
}

static struct outbox_settlement batch_of(struct world *world, const struct outbox_row *row,
                                         const struct outbox_range *range) {
    return (struct outbox_settlement){.stream = "S",
                                      .was = world->stream,
                                      .created = "2025-11-14T12:00:00Z",
                                      .cursor_seq = world->stream.settled_seq + 2,
                                      .batch_no = 2,
                                      .ranges = range,
                                      .range_count = 1,
                                      .first_seq = world->stream.settled_seq + 1,
                                      .ids_hash = outbox_ids_hash(OUTBOX_HASH_START, row->draft.id),
                                      .now_us = 1763121600000000};
}

static void expect_waits(struct world *world, const struct outbox_settlement *settlement) {
    char message[400];
    snprintf(message, sizeof message,
             "%s: rows of batch 2 to S are stored, and not to be seen in the table yet",
             outbox_url(world->outbox));
    expect_error(outbox_settle(world->outbox, settlement, &world->err), WEIR_UNAVAILABLE, &world->err,
                 message);
    assert_true(world->err.retriable);
    assert_string_equal(world->err.hint, "is a synchronous standby missing? Then commits wait for it");
}

/* The log tells of a commit that waits for a standby. What was sent of it and is settled from the table must wait as well: a row
 * that nobody sees would not be marked, and come again. */
static void not_to_be_seen(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(NULL);
    struct world *world = world_at(server);
    static char url[300];
    PGconn *writer = kit_sql_connect(world->url);
    snprintf(url, sizeof url, "%s?options=-csynchronous_commit%%3Dlocal", world->url);
    PQfinish(world->sql);
    world->url = url;
    world->sql = kit_sql_connect(url);
    open_wal(world);
    read_until_following(world);
    insert(world, 1, 10);
    read_until(world, 10);
    set_standby(world, "nobody");
    assert_int_equal(
        PQsendQuery(writer, "INSERT INTO outbox_events (type, payload) VALUES ('a.b', '{\"n\" : 11}')"), 1);
    struct outbox_row row = claim_one(world);
    struct outbox_range range = {row.pos, row.pos};
    struct outbox_settlement settlement = batch_of(world, &row, &range);
    sql(world, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = " SLOT);
    for (int i = 0; i < 500 && strcmp(phase(world), "catching up") != 0; i++)
        outbox_wait(world->outbox, 10);
    expect_waits(world, &settlement);
    struct outbox_stream before = world->stream;
    close_it(world);
    open_wal(world);
    assert_int_equal(world->stream.settled_seq, before.settled_seq);
    settlement.verify = true;
    expect_waits(world, &settlement);
    set_standby(world, "");
    PQclear(PQgetResult(writer));
    expect_ok(outbox_settle(world->outbox, &settlement, &world->err), &world->err);
    read_until_following(world);
    expect_no_more(world);
    expect_all_settled(world);
    PQfinish(writer);
    world_free(world);
    kit_postgres_stop(server);
}

static const struct spec specs[] = {
    {"the first start drains what was there and then follows the log", first_start},
    {"a transaction that was open meanwhile comes once", open_meanwhile},
    {"polling and following may alternate", modes_alternate},
    {"rows that were claimed and not settled come again", unsettled_again},
    {"rows copied in come in order and are one transaction", copied_rows},
    {"what was rolled back does not come", rolled_back},
    {"a prepared transaction comes when it is committed", prepared},
    {"writers that overlap come in the order of their commits", commit_order},
    {"a transaction that fits one claim is not torn", together},
    {"a transaction of 100 MB passes through a small window", giant},
    {"every field comes as it was written and what is wrong is told", fields},
    {"a message in the log becomes an event once", message_events},
    {"a message written while no relay ran is not lost", message_while_down},
    {"a message that is no event becomes a row that can be looked at", message_rubbish},
    {"a row sent before it is to be seen is settled when it is, and does not come again", not_to_be_seen},
    {"a table of partitions is followed as one", partitioned},
};
SPEC_MAIN(specs)
