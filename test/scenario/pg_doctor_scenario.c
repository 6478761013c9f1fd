/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store */
/* What weir outbox check says of a PostgreSQL: each thing that would lose an event or hold it back, and what to do about it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kit/postgres.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "store/outbox.h"
#include "weir/outbox.h"

struct world {
    kit_postgres *server;
    const char *url;
    PGconn *db;
    outbox *outbox;
    arena *arena;
    struct outbox_health health;
    weir_error err;
};

static struct world world_on(kit_postgres *server) {
    struct world world = {.server = server, .url = kit_postgres_database(server), .arena = arena_new()};
    expect_ok(outbox_init(world.url, &world.err), &world.err);
    world.db = kit_sql_connect(world.url);
    return world;
}

static struct world world(void) {
    return world_on(kit_postgres_shared());
}

static void end(struct world *world) {
    outbox_close(world->outbox);
    PQfinish(world->db);
    arena_free(world->arena);
}

static void look(struct world *world) {
    if (!world->outbox)
        expect_ok(outbox_open(&world->outbox, world->url, NULL, &world->err), &world->err);
    expect_ok(outbox_health(world->outbox, world->arena, &world->health, &world->err), &world->err);
}

static bool has(const char *const *sentences, size_t count, const char *wanted) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(sentences[i], wanted) == 0)
            return true;
    return false;
}

static void print_all(const struct outbox_health *health) {
    for (size_t i = 0; i < health->finding_count; i++)
        print_message("finding: %s\n", health->findings[i]);
    for (size_t i = 0; i < health->note_count; i++)
        print_message("note: %s\n", health->notes[i]);
}

static void expect_finding(struct world *world, const char *wanted) {
    if (has(world->health.findings, world->health.finding_count, wanted))
        return;
    print_all(&world->health);
    fail_msg("no finding: %s", wanted);
}

static void expect_note(struct world *world, const char *wanted) {
    if (has(world->health.notes, world->health.note_count, wanted))
        return;
    print_all(&world->health);
    fail_msg("no note: %s", wanted);
}

static void expect_findings(struct world *world, size_t count) {
    if (world->health.finding_count == count)
        return;
    print_all(&world->health);
    fail_msg("%zu findings, expected %zu", world->health.finding_count, count);
}

#define NO_LIMIT                                                                                          \
    "max_slot_wal_keep_size is -1: a relay that stays away lets the log fill the disk; ALTER SYSTEM SET " \
    "max_slot_wal_keep_size = '20GB', then SELECT pg_reload_conf()"

/* --- a sound outbox, rows ------------------------------------------------------------------------------------ */

static void nothing_to_mend(void **state) {
    (void)state;
    struct world w = world();
    look(&w);
    expect_findings(&w, 0);
    expect_note(&w, NO_LIMIT);
    assert_int_equal(w.health.note_count, 1);
    assert_int_equal(w.health.layout, 1);
    assert_false(w.health.relay_running);
    end(&w);
}

static void rows_that_wait(void **state) {
    (void)state;
    struct world w = world();
    kit_sql(w.db, "INSERT INTO outbox_events (type, payload) VALUES ('a', '{}'), ('b', '{}'), ('c', '{}');"
                  "UPDATE outbox_events SET parked_at = now() WHERE type = 'c'");
    look(&w);
    expect_finding(&w, "1 row is parked; weir outbox ls tells why");
    expect_finding(&w, "2 rows are pending and no relay is at work; run weir relay");
    expect_findings(&w, 2);
    outbox *relay;
    expect_ok(outbox_open(&relay, w.url, NULL, &w.err), &w.err);
    expect_ok(outbox_lease(relay, &w.err), &w.err);
    look(&w);
    expect_findings(&w, 1);
    assert_true(w.health.relay_running);
    outbox_close(relay);
    end(&w);
}

/* --- the server ----------------------------------------------------------------------------------------------- */

static void settings_that_lose_events(void **state) {
    (void)state;
    struct world w = world_on(kit_postgres_start(NULL));
    kit_sql(w.db, "ALTER SYSTEM SET fsync = off");
    kit_sql(w.db, "ALTER SYSTEM SET full_page_writes = off");
    kit_sql(w.db, "ALTER SYSTEM SET synchronous_commit = off");
    kit_sql(w.db, "ALTER SYSTEM SET autovacuum = off");
    kit_sql(w.db, "ALTER SYSTEM SET session_replication_role = replica");
    kit_sql(w.db, "CREATE ROLE fast; ALTER ROLE fast SET synchronous_commit = off");
    kit_postgres_restart(w.server);
    look(&w);
    expect_finding(
        &w,
        "fsync is off: a power cut loses or damages events that were committed; ALTER SYSTEM SET fsync = on, "
        "then SELECT pg_reload_conf()");
    expect_finding(
        &w, "full_page_writes is off: a power cut damages pages that were being written; ALTER SYSTEM SET "
            "full_page_writes = on, then SELECT pg_reload_conf()");
    expect_finding(
        &w,
        "synchronous_commit is off: a crash of the server takes back what writers were told was committed; "
        "ALTER SYSTEM SET synchronous_commit = on, then SELECT pg_reload_conf()");
    expect_finding(
        &w,
        "autovacuum is off: dead rows slow the relay down more and more; ALTER SYSTEM SET autovacuum = on, "
        "then SELECT pg_reload_conf()");
    expect_finding(
        &w,
        "session_replication_role is replica: the triggers that guard rows not yet sent do not fire; ALTER "
        "SYSTEM RESET session_replication_role, then SELECT pg_reload_conf()");
    expect_finding(
        &w,
        "synchronous_commit=off is set for role fast: a crash of the server takes back what it was told was "
        "committed; ALTER ROLE or ALTER DATABASE ... RESET synchronous_commit");
    expect_findings(&w, 6);
    kit_postgres *server = w.server;
    end(&w);
    kit_postgres_stop(server);
}

static void a_log_that_cannot_be_followed(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(
        &(struct kit_postgres_options){.config = "wal_level = replica\nmax_replication_slots = 0"});
    struct world w = world_on(server);
    look(&w);
    expect_findings(&w, 0); /* polling needs none of it */
    expect_note(&w, "--mode wal would need wal_level = logical, it is replica; ALTER SYSTEM SET wal_level = "
                    "logical, then "
                    "restart the server");
    expect_note(&w, "--mode wal would need a free replication slot, all 0 are used; ALTER SYSTEM SET "
                    "max_replication_slots, "
                    "then restart the server");
    kit_sql(w.db, "UPDATE outbox_meta SET slot = 'weir_x'");
    look(&w);
    expect_finding(&w, "following the log needs wal_level = logical, it is replica; ALTER SYSTEM SET "
                       "wal_level = logical, then "
                       "restart the server");
    end(&w);
    kit_postgres_stop(server);
}

/* --- the tables ----------------------------------------------------------------------------------------------- */

static void what_is_missing(void **state) {
    (void)state;
    struct world w = world();
    kit_sql(w.db, "DROP TRIGGER outbox_keep_content ON outbox_events; ALTER TABLE outbox_events DISABLE "
                  "TRIGGER outbox_keep_unsent;"
                  "DROP INDEX outbox_events_parked; ALTER TABLE outbox_events SET (autovacuum_enabled = off);"
                  "ALTER PUBLICATION weir_outbox SET (publish = 'insert, update');"
                  "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                  "CREATE TRIGGER slow BEFORE UPDATE ON outbox_events FOR EACH ROW EXECUTE FUNCTION slow()");
    look(&w);
    expect_finding(&w, "the trigger outbox_keep_content of outbox_events is missing; run weir outbox init");
    expect_finding(&w,
                   "the trigger outbox_keep_unsent of outbox_events is switched off; run weir outbox init");
    expect_finding(&w, "the index outbox_events_parked is missing; run weir outbox init");
    expect_finding(&w, "autovacuum is switched off for outbox_events: dead rows slow the relay down more and "
                       "more; ALTER TABLE "
                       "outbox_events RESET (autovacuum_enabled)");
    expect_findings(&w, 4);
    expect_note(&w, "the trigger slow of outbox_events runs whenever the relay marks a row");
    expect_note(&w, "the publication weir_outbox publishes more than inserts: the relay is sent its own "
                    "marks; ALTER PUBLICATION "
                    "weir_outbox SET (publish = 'insert')");
    kit_sql(w.db, "DROP PUBLICATION weir_outbox");
    look(&w);
    expect_note(
        &w,
        "--mode wal would need the publication weir_outbox with outbox_events in it; run weir outbox init");
    end(&w);
}

static void rows_of_a_dump(void **state) {
    (void)state;
    struct world w = world();
    kit_sql(w.db, "SET session_replication_role = replica;"
                  "INSERT INTO outbox_events (type, payload, xid) VALUES ('a', '{}', '9000000000'), ('a', "
                  "'{}', '9000000001')");
    look(&w);
    expect_finding(&w, "2 pending rows bear transaction ids of another cluster, as after a dump was "
                       "restored, and would wait for "
                       "ever; run weir outbox init");
    end(&w);
}

/* --- rights --------------------------------------------------------------------------------------------------- */

static void a_user_with_too_few_rights(void **state) {
    (void)state;
    struct world w = world();
    char url[512];
    kit_sql(w.db, "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    snprintf(url, sizeof url, "postgres://reader@%s", strchr(w.url, '@') + 1);
    w.url = url;
    look(&w);
    expect_finding(
        &w, "the user reader may not UPDATE outbox_rows, as a relay must; GRANT weir_outbox_relay TO reader");
    expect_finding(
        &w,
        "the user reader may not INSERT outbox_lease, as a relay must; GRANT weir_outbox_relay TO reader");
    expect_findings(&w, 6);
    expect_note(
        &w, "the user reader cannot see what other users run: who holds rows back may stay unnamed; GRANT "
            "pg_read_all_stats TO reader");
    expect_note(&w,
                "--mode wal would need the user reader to have REPLICATION; ALTER ROLE reader REPLICATION");
    kit_sql(w.db, "GRANT weir_outbox_relay TO reader");
    look(&w);
    expect_findings(&w, 0);
    end(&w);
}

/* --- who holds rows back --------------------------------------------------------------------------------------- */

/* The age changes from look to look: everything up to it, and everything behind. */
static bool finding_around(const struct outbox_health *health, const char *before, const char *behind) {
    for (size_t i = 0; i < health->finding_count; i++)
        if (strncmp(health->findings[i], before, strlen(before)) == 0 && strstr(health->findings[i], behind))
            return true;
    return false;
}

static void long_transactions(void **state) {
    (void)state;
    char process[256], remedy[128];
    struct world w = world();
    PGconn *batch = kit_sql_connect(w.url), *prepared = kit_sql_connect(w.url);
    const char *name = PQdb(w.db);
    kit_sql(batch, "SET application_name = 'nightly'; BEGIN; INSERT INTO outbox_events (type) VALUES ('a')");
    kit_sql(prepared, "BEGIN; INSERT INTO outbox_events (type) VALUES ('a'); PREPARE TRANSACTION 'o''hara'");
    snprintf(
        process, sizeof process,
        "process %d (nightly, user postgres, database %s) has been in a transaction that wrote for 00:00:0",
        PQbackendPID(batch), name);
    snprintf(remedy, sizeof remedy,
             ": rows committed after it began wait for it; end it: SELECT pg_terminate_backend(%d)",
             PQbackendPID(batch));
    look(&w);
    assert_false(finding_around(&w.health, process, remedy)); /* not yet worth a word */
    for (int i = 0; i < 200 && w.health.finding_count < 2; i++) {
        kit_sql(w.db, "SELECT pg_sleep(0.1)");
        look(&w);
    }
    assert_true(finding_around(&w.health, process, remedy));
    snprintf(process, sizeof process,
             "the prepared transaction 'o''hara' of database %s has been open for 00:00:0", name);
    assert_true(finding_around(
        &w.health, process,
        ": rows committed after it wait for it; end it there: COMMIT PREPARED 'o''hara' or ROLLBACK "
        "PREPARED 'o''hara'"));
    kit_sql(prepared, "ROLLBACK PREPARED 'o''hara'");
    PQfinish(prepared);
    PQfinish(batch);
    end(&w);
}

/* --- the slot --------------------------------------------------------------------------------------------------- */

static void slots(void **state) {
    (void)state;
    struct world w = world();
    kit_sql(w.db, "UPDATE outbox_meta SET slot = 'weir_gone'");
    look(&w);
    expect_finding(&w, "the slot weir_gone is gone: events of the log may have been missed; weir relay "
                       "--mode wal --catch-up makes "
                       "it anew and catches up from the table");
    expect_finding(&w, NO_LIMIT);
    expect_findings(&w, 2);
    kit_sql(w.db, "UPDATE outbox_meta SET slot = 'weir_idle'");
    kit_sql(w.db, "SELECT pg_create_logical_replication_slot('weir_idle', 'pgoutput')");
    look(&w);
    assert_true(finding_around(
        &w.health, "the slot weir_idle holds back ",
        " of log and nobody follows it; run weir relay --mode wal, or, if you poll from now on, SELECT "
        "pg_drop_replication_slot('weir_idle')"));
    kit_sql(w.db, "UPDATE outbox_meta SET confirmed_lsn = '0/1'");
    look(&w);
    assert_true(finding_around(
        &w.health, "the slot weir_idle stands at ",
        ", the relay has settled only up to 0/1: somebody advanced it; weir relay --mode wal --catch-up "
        "makes it anew and catches up from the table"));
    kit_sql(w.db, "UPDATE outbox_meta SET system_identifier = 5");
    look(&w);
    assert_true(finding_around(
        &w.health, "the slot was made in another cluster (system identifier 5, here it is ",
        "), the database was restored from a dump; weir relay --mode wal --catch-up makes it anew "
        "and catches up from the table"));
    kit_sql(w.db, "SELECT pg_drop_replication_slot('weir_idle')");
    end(&w);
}

static void a_slot_that_was_lost(void **state) {
    (void)state;
    kit_postgres *server = kit_postgres_start(&(struct kit_postgres_options){
        .config = "max_slot_wal_keep_size = 1MB\nmin_wal_size = 32MB\nmax_wal_size = 32MB"});
    struct world w = world_on(server);
    kit_sql(w.db, "SELECT pg_create_logical_replication_slot('weir_late', 'pgoutput')");
    kit_sql(w.db, "UPDATE outbox_meta SET slot = 'weir_late'");
    look(&w);
    assert_true(finding_around(&w.health, "the slot weir_late will be lost after ",
                               " more of log; see why the relay is behind, or raise max_slot_wal_keep_size"));
    for (int i = 0; i < 5; i++) {
        kit_sql(w.db, "CREATE TABLE filler AS SELECT 1; DROP TABLE filler; SELECT pg_switch_wal()");
        kit_sql(w.db, "CHECKPOINT");
    }
    look(&w);
    expect_finding(&w, "the slot weir_late was lost: it held back more log than max_slot_wal_keep_size "
                       "allows; weir relay --mode wal "
                       "--catch-up makes it anew and catches up from the table");
    expect_findings(&w, 1);
    end(&w);
    kit_postgres_stop(server);
}

/* Since PostgreSQL 18 a slot may also go because nobody followed it. */
static void a_slot_nobody_followed(void **state) {
    (void)state;
    struct world shared = world();
    int64_t version = kit_sql_number(shared.db, "SHOW server_version_num");
    end(&shared);
    if (version < 180000)
        spec_skip("before PostgreSQL 18 no slot ends for being idle");
    kit_postgres *server =
        kit_postgres_start(&(struct kit_postgres_options){.config = "idle_replication_slot_timeout = '1s'"});
    struct world w = world_on(server);
    kit_sql(w.db, "SELECT pg_create_logical_replication_slot('weir_idle', 'pgoutput')");
    kit_sql(w.db, "UPDATE outbox_meta SET slot = 'weir_idle'");
    for (int i = 0; i < 50; i++, usleep(100000)) {
        kit_sql(w.db, "CHECKPOINT");
        if (kit_sql_number(w.db, "SELECT count(*) FROM pg_replication_slots WHERE wal_status = 'lost'") > 0)
            break;
    }
    look(&w);
    expect_finding(&w, "the slot weir_idle was lost: nobody followed it for as long as "
                       "idle_replication_slot_timeout allows; weir relay --mode wal --catch-up makes it anew "
                       "and catches up from the table");
    end(&w);
    kit_postgres_stop(server);
}

static const struct spec specs[] = {
    {"a sound outbox has no findings", nothing_to_mend},
    {"rows that wait are told while nobody relays them", rows_that_wait},
    {"settings that lose events are named, for roles too", settings_that_lose_events},
    {"what following the log would need is a note until a slot is in use", a_log_that_cannot_be_followed},
    {"guards, indexes and the publication are looked at one by one", what_is_missing},
    {"rows of a restored dump are counted", rows_of_a_dump},
    {"a user that could not relay is told which right is missing", a_user_with_too_few_rights},
    {"long transactions and prepared ones are named, with their age and their end", long_transactions},
    {"a slot that is gone, unused or moved is told", slots},
    {"a slot that was lost is told, and before it is", a_slot_that_was_lost},
    {"a slot that was lost because nobody followed it is told", a_slot_nobody_followed},
};
SPEC_MAIN(specs)
