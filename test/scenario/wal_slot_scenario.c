/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* The replication slot: what is said when the log cannot be followed, how the relay catches up on command, and that the
 * slot lets the log go. */
#include "wal_fixture.h"

static struct world *following(void) {
    struct world *world = world_new();
    open_wal(world);
    read_until_following(world);
    insert(world, 1, 10);
    read_until(world, 10);
    return world;
}

static const char *slot_of(struct world *world) {
    return kit_sql_text(world->sql, "SELECT slot FROM outbox_meta");
}

static void expect_refused(struct world *world, weir_code code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void expect_refused(struct world *world, weir_code code, const char *hint, const char *format, ...) {
    char sentence[600], whole[700];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "%s: %s", world->url, sentence);
    struct outbox_options options = {.wal = true};
    expect_error(outbox_open(&world->outbox, world->url, &options, &world->err), code, &world->err, whole);
    world->outbox = NULL;
    assert_false(world->err.retriable);
    assert_string_equal(world->err.hint, hint);
}

static const char *catch_up_hint(struct world *world) {
    static char hint[512];
    snprintf(hint, sizeof hint,
             "nothing is lost, committed rows are in the table; make the slot anew and catch up with: weir "
             "relay --mode wal "
             "--catch-up --outbox %s",
             world->url);
    return hint;
}

/* What was committed without a slot comes from the table, once. */
static void catches_up(struct world *world) {
    open_as(world, true, true);
    read_until(world, 20);
    read_until_following(world);
    insert(world, 21, 30);
    read_until(world, 30);
    expect_no_more(world);
    expect_came(world, 0, 1, 30);
    expect_all_settled(world);
    world_free(world);
}

/* --- diagnoses ------------------------------------------------------------------------------------ */

static void dropped(void **state) {
    (void)state;
    struct world *world = following();
    close_it(world);
    insert(world, 11, 20);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    sql(world, "SELECT pg_drop_replication_slot(" SLOT ")");
    expect_refused(world, WEIR_NOT_FOUND, catch_up_hint(world),
                   "the replication slot '%s' is gone: somebody dropped it, or the server was restored",
                   slot_of(world));
    catches_up(world);
}

static void advanced(void **state) {
    (void)state;
    struct world *world = following();
    close_it(world);
    insert(world, 11, 20);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    char at[32], ours[32];
    snprintf(ours, sizeof ours, "%s", kit_sql_text(world->sql, "SELECT confirmed_lsn FROM outbox_meta"));
    sql(world, "SELECT pg_replication_slot_advance(" SLOT ", pg_current_wal_lsn())");
    snprintf(at, sizeof at, "%s",
             kit_sql_text(world->sql,
                          "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = " SLOT));
    expect_refused(world, WEIR_CONFLICT, catch_up_hint(world),
                   "the replication slot '%s' was moved by somebody else: it is at %s, we confirmed %s",
                   slot_of(world), at, ours);
    catches_up(world);
}

static void lost_by_size(void **state) {
    (void)state;
    const struct kit_postgres_options options = {.config =
                                                     "max_slot_wal_keep_size = 2MB\nmax_wal_size = 8MB\n"
                                                     "min_wal_size = 4MB\nwal_keep_size = 0\n"};
    kit_postgres *server = kit_postgres_start(&options);
    struct world *world = world_at(server);
    open_wal(world);
    read_until_following(world);
    insert(world, 1, 10);
    read_until(world, 10);
    close_it(world);
    insert(world, 11, 20);
    sql(world, "CREATE TABLE filler (t text)");
    for (int i = 0; i < 12; i++) {
        sql(world, "INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
        sql(world, "CHECKPOINT");
    }
    expect_refused(world, WEIR_CONFLICT, catch_up_hint(world),
                   "the replication slot '%s' is lost: the log it needs was removed (max_slot_wal_keep_size)",
                   slot_of(world));
    catches_up(world);
    kit_postgres_stop(server);
}

static void foreign(void **state) {
    (void)state;
    struct world *world = following();
    char hint[256], name[64];
    close_it(world);
    snprintf(name, sizeof name, "%s", slot_of(world));
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    sql(world, "SELECT pg_drop_replication_slot(" SLOT "), pg_create_physical_replication_slot(" SLOT ")");
    snprintf(hint, sizeof hint, "drop it, if nobody needs it: SELECT pg_drop_replication_slot('%s')", name);
    expect_refused(world, WEIR_CONFLICT, hint, "the replication slot '%s' is not ours: it is a physical one",
                   name);
    sql(world, "SELECT pg_drop_replication_slot(" SLOT ")");
    sql(world, "SELECT pg_create_logical_replication_slot(" SLOT ", 'test_decoding')");
    expect_refused(world, WEIR_CONFLICT, hint,
                   "the replication slot '%s' is not ours: its plugin is 'test_decoding'", name);
    sql(world, "SELECT pg_drop_replication_slot(" SLOT ")");
    insert(world, 11, 20);
    catches_up(world);
}

static void another_cluster(void **state) {
    (void)state;
    struct world *world = following();
    close_it(world);
    insert(world, 11, 20);
    sql(world, "UPDATE outbox_meta SET system_identifier = 4711");
    char system[32];
    snprintf(system, sizeof system, "%s",
             kit_sql_text(world->sql, "SELECT system_identifier FROM pg_control_system()"));
    expect_refused(world, WEIR_CONFLICT, catch_up_hint(world),
                   "this is another server than the one whose log was followed (%s, it was 4711): the "
                   "database was restored "
                   "from a dump, or copied",
                   system);
    catches_up(world);
}

static void not_published(void **state) {
    (void)state;
    struct world *world = world_new();
    char hint[512];
    sql(world, "DROP PUBLICATION weir_outbox");
    snprintf(hint, sizeof hint, "make it with: weir outbox init %s", world->url);
    expect_refused(world, WEIR_NOT_FOUND, hint, "there is no publication weir_outbox");
    sql(world, "CREATE PUBLICATION weir_outbox");
    snprintf(hint, sizeof hint,
             "ALTER PUBLICATION weir_outbox ADD TABLE outbox_events, with publish = 'insert'; what was "
             "committed without it "
             "comes with: weir relay --mode wal --catch-up --outbox %s",
             world->url);
    expect_refused(world, WEIR_NOT_FOUND, hint,
                   "the publication weir_outbox does not tell of rows inserted into outbox_events");
    world_free(world);
}

static void not_logical(void **state) {
    (void)state;
    const struct kit_postgres_options options = {.config = "wal_level = replica\n"};
    kit_postgres *server = kit_postgres_start(&options);
    struct world *world = world_at(server);
    expect_refused(world, WEIR_UNSUPPORTED,
                   "ALTER SYSTEM SET wal_level = logical, and restart PostgreSQL; or leave --mode wal out",
                   "the server's log cannot be followed: its wal_level is not logical");
    world_free(world);
    kit_postgres_stop(server);
}

/* A reader called so on our slot. */
static PGconn *reader_on_slot(struct world *world, const char *name) {
    char url[400], start[300];
    snprintf(url, sizeof url, "%s?replication=database&application_name=%s", world->url, name);
    PGconn *reader = PQconnectdb(url);
    snprintf(start, sizeof start,
             "START_REPLICATION SLOT \"%s\" LOGICAL 0/0 (proto_version '1', publication_names 'weir_outbox')",
             slot_of(world));
    PGresult *copying = PQexec(reader, start);
    assert_int_equal(PQresultStatus(copying), PGRES_COPY_BOTH);
    PQclear(copying);
    return reader;
}

struct diagnosis {
    char sentence[500], hint[700];
};

static struct diagnosis used_by(struct world *world, PGconn *reader, const char *name) {
    struct diagnosis out;
    char since[200];
    snprintf(since, sizeof since,
             "SELECT to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM "
             "pg_stat_activity WHERE pid = %d",
             PQbackendPID(reader));
    snprintf(out.sentence, sizeof out.sentence,
             "the replication slot '%s' is used by somebody else: process %d (%s from %s, since %s UTC)",
             slot_of(world), PQbackendPID(reader), name, PQhost(reader)[0] == '/' ? "this host" : "127.0.0.1",
             kit_sql_text(world->sql, since));
    snprintf(out.hint, sizeof out.hint,
             "nothing is lost, committed rows are in the table; a slot serves one reader: end the other one "
             "(SELECT pg_terminate_backend(%d)) and start again, or only catch up from the table with: weir "
             "relay --mode wal --catch-up --outbox %s",
             PQbackendPID(reader), world->url);
    return out;
}

/* Claims until one fails; what came before is read. */
static void expect_stops(struct world *world, const struct diagnosis *diagnosis, const char *hint) {
    struct outbox_row *rows;
    size_t count;
    struct outbox_wanted wanted = {.max_rows = 999, .max_bytes = 1 << 20};
    weir_code code = WEIR_OK;
    char whole[700];
    snprintf(whole, sizeof whole, "%s: %s", world->url, diagnosis->sentence);
    for (int64_t deadline = now_ms() + 20000; code == WEIR_OK && now_ms() < deadline;) {
        code = outbox_claim(world->outbox, &wanted, world->arena, &rows, &count, &world->err);
        for (size_t i = 0; code == WEIR_OK && i < count; i++)
            remember(world, &rows[i]);
        if (code == WEIR_OK && count > 0)
            settle_rows(world, rows, count);
        else if (code == WEIR_OK)
            outbox_wait(world->outbox, 50);
    }
    expect_error(code, WEIR_CONFLICT, &world->err, whole);
    assert_false(world->err.retriable);
    assert_string_equal(world->err.hint, hint);
    close_it(world);
}

static void expect_finding(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void expect_finding(struct world *world, const char *format, ...) {
    char sentence[600];
    struct outbox_health health;
    outbox *any;
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    expect_ok(outbox_open(&any, world->url, NULL, &world->err), &world->err);
    expect_ok(outbox_health(any, world->arena, &health, &world->err), &world->err);
    outbox_close(any);
    for (size_t i = 0; i < health.finding_count; i++)
        if (strcmp(health.findings[i], sentence) == 0)
            return;
    fail_msg("is not among the %zu findings: %s", health.finding_count, sentence);
}

static void used_by_another(void **state) {
    (void)state;
    struct world *world = following();
    close_it(world);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    PGconn *stranger = reader_on_slot(world, "stranger");
    struct diagnosis diagnosis = used_by(world, stranger, "stranger");
    insert(world, 11, 20);
    expect_refused(world, WEIR_CONFLICT, diagnosis.hint, "%s", diagnosis.sentence);
    assert_int_equal(world->count, 10);
    expect_finding(
        world,
        "the slot %s is read by somebody else, process %d (stranger), so weir relay --mode wal stops; "
        "end it: SELECT pg_terminate_backend(%d), or catch up from the table with weir relay --mode wal "
        "--catch-up",
        slot_of(world), PQbackendPID(stranger), PQbackendPID(stranger));
    open_as(world, true, true); /* on command: everything from the table, and then it is said again */
    expect_stops(world, &diagnosis, diagnosis.hint);
    expect_came(world, 0, 1, 20);
    PQfinish(stranger);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    open_wal(world);
    read_until_following(world);
    insert(world, 21, 30);
    read_until(world, 30);
    expect_no_more(world);
    expect_came(world, 0, 1, 30);
    expect_all_settled(world);
    world_free(world);
}

static void taken_by_another(void **state) {
    (void)state;
    struct world *world = following();
    insert(world, 11, 20);
    sql(world, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = " SLOT);
    while (kit_sql_number(world->sql, "SELECT count(active_pid) FROM pg_replication_slots WHERE slot_name "
                                      "= " SLOT) > 0)
        usleep(5000);
    PGconn *stranger = reader_on_slot(world, "stranger");
    struct diagnosis diagnosis = used_by(world, stranger, "stranger");
    expect_stops(world, &diagnosis, diagnosis.hint);
    PQfinish(stranger);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    open_wal(world);
    read_until(world, 20);
    read_until_following(world);
    expect_no_more(world);
    expect_came(world, 0, 1, 20);
    expect_all_settled(world);
    world_free(world);
}

static void may_not_replicate(void **state) {
    (void)state;
    struct world *world = world_new();
    char url[300];
    sql(world, "DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN; GRANT weir_outbox_relay TO plain");
    snprintf(url, sizeof url, "postgres://plain%s", strchr(world->url, '@'));
    struct outbox_options options = {.wal = true};
    weir_code code = outbox_open(&world->outbox, url, &options, &world->err);
    world->outbox = NULL;
    assert_int_equal(code, WEIR_DENIED);
    assert_false(world->err.retriable);
    assert_string_equal(world->err.hint,
                        "following the log needs the right to: ALTER ROLE ... REPLICATION, and a line of "
                        "pg_hba.conf that lets it into the database");
    world_free(world);
}

/* With no other right than those of its role. */
static void least_rights(void **state) {
    (void)state;
    struct world *world = world_new();
    static char url[300];
    sql(world, "DROP ROLE IF EXISTS replicating; CREATE ROLE replicating LOGIN REPLICATION; GRANT "
               "weir_outbox_relay TO "
               "replicating");
    snprintf(url, sizeof url, "postgres://replicating%s", strchr(world->url, '@'));
    world->url = url;
    insert(world, 1, 10);
    open_wal(world);
    read_until_following(world);
    insert(world, 11, 20);
    sql(world, "SELECT weir_emit_message('a.b', NULL, '{\"n\" : 21}')");
    read_until(world, 21);
    expect_all_settled(world);
    world_free(world);
}

/* --- while it runs --------------------------------------------------------------------------------- */

static void walsender_ended(void **state) {
    (void)state;
    struct world *world = following();
    for (int n = 11; n <= 50; n += 10) {
        sql(world,
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = " SLOT);
        insert(world, n, n + 9);
        read_until(world, (size_t)n + 9);
    }
    read_until_following(world);
    expect_no_more(world);
    expect_came(world, 0, 1, 50);
    expect_all_settled(world);
    world_free(world);
}

static const char *our_name(struct world *world) {
    static char name[64];
    snprintf(name, sizeof name, "weir-relay-%.40s", kit_sql_text(world->sql, "SELECT uuid FROM outbox_meta"));
    return name;
}

/* An earlier relay's walsender that lives on is waited for, and then ended. */
static void predecessor(void **state) {
    (void)state;
    struct world *world = following();
    close_it(world);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    PGconn *old = reader_on_slot(world, our_name(world));
    int64_t began = now_ms();
    open_wal(world);
    insert(world, 11, 20);
    read_until(world, 20);
    assert_true(now_ms() - began < 4000);
    read_until_following(world);
    assert_true(now_ms() - began >= 5000);
    expect_no_more(world);
    expect_came(world, 0, 1, 20);
    PQfinish(old);
    world_free(world);
}

/* Twenty times as fast as the real one. */
static int64_t fast_mono(void *self) {
    (void)self;
    return weir_clock_system()->mono_ns(weir_clock_system()->self) * 20;
}

static int64_t real_wall(void *self) {
    (void)self;
    return weir_clock_system()->wall_ns(weir_clock_system()->self);
}

/* A reader without the lease, however long it stands by, leaves the one who has it alone. */
static void without_the_lease(void **state) {
    (void)state;
    const weir_clock fast = {.wall_ns = real_wall, .mono_ns = fast_mono};
    const struct outbox_options options = {.wal = true, .clock = &fast};
    static const char whose[] = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = " SLOT;
    struct world *world = following();
    outbox *other;
    long long reader = kit_sql_number(world->sql, whose);
    expect_ok(outbox_flush(world->outbox, &world->err),
              &world->err); /* nothing hinders the other but the slot */
    expect_ok(outbox_open(&other, world->url, &options, &world->err), &world->err);
    for (int64_t end = now_ms() + 1000; now_ms() < end;) {
        outbox_wait(other, 50);
        if (step(world) == 0)
            outbox_wait(world->outbox, 5);
    }
    assert_int_equal(kit_sql_number(world->sql, whose), reader);
    outbox_close(other);
    insert(world, 11, 20);
    read_until(world, 20);
    assert_int_equal(kit_sql_number(world->sql, whose), reader);
    world_free(world);
}

/* What only calls itself ours, and is another user's, is not ended. */
static void impostor(void **state) {
    (void)state;
    struct world *world = following();
    static char url[300];
    const char *hint_url = url;
    close_it(world);
    until(world, "SELECT NOT active FROM pg_replication_slots WHERE slot_name = " SLOT);
    PGconn *other = reader_on_slot(world, our_name(world));
    sql(world, "DROP ROLE IF EXISTS replicating; CREATE ROLE replicating LOGIN REPLICATION; GRANT "
               "weir_outbox_relay TO replicating");
    snprintf(url, sizeof url, "postgres://replicating%s", strchr(world->url, '@'));
    world->url = hint_url;
    struct diagnosis diagnosis = used_by(world, other, our_name(world));
    insert(world, 11, 20);
    int64_t began = now_ms();
    open_wal(world);
    expect_stops(world, &diagnosis, diagnosis.hint);
    assert_true(now_ms() - began >= 5000);
    expect_came(world, 0, 1, 20);
    assert_int_equal(PQconsumeInput(other), 1);
    PQfinish(other);
    world_free(world);
}

static void server_killed(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(NULL);
    struct world *world = world_at(server);
    size_t came = 0;
    for (int round = 0; round < 4; round++) {
        open_wal(world);
        if (round % 2 == 1)
            read_until_following(world);
        insert(world, round * 500 + 1, round * 500 + 500);
        read_until(world, (size_t)round * 500 + 500);
        came = world->count;
        expect_ok(outbox_flush(world->outbox, &world->err), &world->err);
        kit_postgres_kill(server);
        close_it(world);
        PQfinish(world->sql);
        kit_postgres_restart(server);
        world->sql = kit_sql_connect(world->url);
    }
    open_wal(world);
    read_until_following(world);
    expect_no_more(world);
    expect_came(world, 0, 1, (int)came);
    expect_all_settled(world);
    world_free(world);
    kit_postgres_stop(server);
}

/* --- letting the log go ------------------------------------------------------------------------------ */

/* The outbox is idle, and others write: its slot goes along. */
static void idle_table(void **state) {
    (void)state;
    struct world *world = following();
    sql(world, "CREATE TABLE filler (t text)");
    for (int i = 0; i < 10; i++) {
        sql(world, "INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 9500)");
        if (step(world) == 0)
            outbox_wait(world->outbox, 10);
    }
    sql(world, "CREATE TABLE mark AS SELECT pg_current_wal_lsn() AS lsn");
    until(world, "SELECT confirmed_flush_lsn >= (SELECT lsn FROM mark) FROM pg_replication_slots WHERE "
                 "slot_name = " SLOT);
    assert_string_equal(phase(world), "following the log");
    world_free(world);
}

/* Rows that are not settled keep the log, whatever is settled behind them. */
static void unsettled_keeps(void **state) {
    (void)state;
    struct world *world = following();
    world->busy[0] = "c.d";
    world->busy_count = 1;
    sql(world, "CREATE TABLE mark AS SELECT pg_current_wal_lsn() AS lsn");
    insert_on(world->sql, "c.d", 101, 105);
    for (int n = 11; n <= 40; n += 10) {
        insert(world, n, n + 9);
        read_until(world, (size_t)n + 9);
    }
    for (int64_t deadline = now_ms() + 3000; now_ms() < deadline;)
        if (step(world) == 0)
            outbox_wait(world->outbox, 100);
    expect_number(world,
                  "SELECT count(*) FROM pg_replication_slots WHERE slot_name = " SLOT
                  " AND confirmed_flush_lsn <= (SELECT lsn FROM mark)",
                  1);
    world->busy_count = 0;
    read_until(world, 45);
    expect_came(world, 40, 101, 105);
    until(world, "SELECT confirmed_flush_lsn > (SELECT lsn FROM mark) FROM pg_replication_slots WHERE "
                 "slot_name = " SLOT);
    expect_all_settled(world);
    world_free(world);
}

/* A stream that takes nothing and fills the window does not stop the others; its rows come when it takes again. */
static void held_stream(void **state) {
    (void)state;
    struct world *world = following();
    world->busy[0] = "c.d";
    world->busy_count = 1;
    insert_on(world->sql, "c.d", 1, 9000);
    insert(world, 11, 20);
    read_until(world, 20);
    sql(world, "CREATE TABLE mark AS SELECT pg_current_wal_lsn() AS lsn");
    insert_on(world->sql, "c.d", 9001, 9010);
    until(world, "SELECT confirmed_flush_lsn >= (SELECT lsn FROM mark) FROM pg_replication_slots WHERE "
                 "slot_name = " SLOT);
    assert_string_equal(phase(world), "following the log");
    expect_came(world, 0, 1, 20);
    world->busy_count = 0;
    read_until(world, 20 + 9010);
    expect_came(world, 20, 1, 9010);
    read_until_following(world);
    insert(world, 21, 30);
    read_until(world, 20 + 9010 + 10);
    expect_no_more(world);
    expect_all_settled(world);
    world_free(world);
}

/* What a person made pending again is not in the log a second time: it is found in the table. */
static void pending_again(void **state) {
    (void)state;
    struct world *world = following();
    expect_ok(outbox_flush(world->outbox, &world->err), &world->err);
    sql(world,
        "UPDATE outbox_events SET processed = false, sequence = NULL, stream = NULL WHERE pos IN (3, 4)");
    read_until(world, 12);
    assert_int_equal(world->came[10], 3);
    assert_int_equal(world->came[11], 4);
    read_until_following(world);
    insert(world, 11, 20);
    read_until(world, 22);
    expect_no_more(world);
    expect_all_settled(world);
    world_free(world);
}

static const struct spec specs[] = {
    {"a slot that was dropped stops the relay until it catches up", dropped},
    {"a slot that was moved stops the relay until it catches up", advanced},
    {"a slot that fell behind too far stops the relay until it catches up", lost_by_size},
    {"a slot of somebody else is left alone", foreign},
    {"a database put back into another server is told", another_cluster},
    {"a publication that lacks the table is told", not_published},
    {"a server that writes no logical log is told", not_logical},
    {"a slot that somebody else reads stops it with who, from where and since when", used_by_another},
    {"a slot that somebody takes from under the relay stops it", taken_by_another},
    {"a reader that only has the name of a relay is not ended", impostor},
    {"who has not the lease leaves the slot to who has it", without_the_lease},
    {"a user who may not replicate is told what is missing", may_not_replicate},
    {"the role of relays and the right to replicate are enough", least_rights},
    {"a walsender that is ended costs nothing", walsender_ended},
    {"the walsender of an earlier relay is ended after some seconds", predecessor},
    {"a server that is killed and restarted doubles nothing", server_killed},
    {"an idle outbox lets the log of others go", idle_table},
    {"rows that are not settled keep the log", unsettled_keeps},
    {"a stream that takes nothing is held and comes back", held_stream},
    {"rows that are pending again come from the table", pending_again},
};
SPEC_MAIN(specs)
