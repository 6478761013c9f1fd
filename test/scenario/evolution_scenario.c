/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan relay */
/* Three versions of an event side by side in a stream, read by groups and people who expect different ones. */
#include "cli_fixture.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "base/ids.h"
#include "base/process.h"
#include "catalog/model.h"
#include "kit/findings.h"
#include "kit/group.h"
#include "kit/letters.h"
#include "weir/outbox.h"
#include "weir/publish.h"

/* --- a grid --------------------------------------------------------------------------------------------- */

static char *fixture(const char *name) {
    char path[1024], *text;
    size_t size;
    weir_error err;
    snprintf(path, sizeof path, "%s/test/fixture/evolution/%s", getenv("WEIR_SOURCE"), name);
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    return text;
}

static const char *folder_of(const char *yaml) {
    char *envelope = fixture("envelope.yaml");
    const char *folder = kit_catalog_folder(yaml);
    kit_file(folder, "envelope.yaml", envelope);
    free(envelope);
    return folder;
}

/* The fixture with `from` replaced by `to` (NULL: as it is), in a folder of its own. */
static const char *grid_folder(const char *from, const char *to) {
    char *yaml = fixture("catalog.yaml");
    const char *folder = folder_of(from ? kit_replace(yaml, from, to) : yaml);
    free(yaml);
    return folder;
}

/* The same with one version more, which is like the third. */
static const char *newer_folder(void) {
    static const char third[] =
        "    versions:\n"
        "      3:\n"
        "        payload: {type: object, required: [meter_id, reading, kind], additionalProperties: false,\n"
        "                  properties: {meter_id: {type: string}, kind: {enum: [register, interval]}, "
        "reading:\n"
        "                  {type: object, required: [value, unit], additionalProperties: false,\n"
        "                   properties: {value: {type: number}, unit: {type: string}}}}}\n"
        "        up: []\n";
    char *yaml = fixture("catalog.yaml");
    const char *newer = kit_replace(yaml, "    version: 3\n", "    version: 4\n");
    const char *folder = folder_of(kit_replace(newer, "    versions:\n", third));
    free(yaml);
    return folder;
}

static weir_catalog *grid_catalog(const char *folder) {
    weir_catalog *catalog;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, folder, NULL, NULL, &err), &err);
    return catalog;
}

static struct kit_world grid_open(const char *from, const char *to) {
    own_environment();
    const char *folder = grid_folder(from, to);
    struct kit_world world = kit_world_of(grid_catalog(folder));
    setenv("NATS_URL", kit_server_url(world.server), 1);
    setenv("WEIR_CATALOG", folder, 1);
    return world;
}

/* Another catalog from now on; its streams and groups are the same. */
static void grid_change(struct kit_world *world, const char *folder) {
    weir_catalog_close(world->catalog);
    world->catalog = grid_catalog(folder);
    setenv("WEIR_CATALOG", folder, 1);
}

#define AT "\"time\":\"2026-01-19T12:00:00Z\""
#define V1                                                           \
    "{\"id\":\"one\",\"type\":\"meter.read\"," AT                    \
    ",\"version\":\"1\",\"form\":\"meter.read/v1\",\"by\":\"hand\"," \
    "\"payload\":{\"meter\":\"m-7\",\"value\":12.50,\"note\":\"wet\"}}"
#define V2                                                                               \
    "{\"id\":\"two\",\"type\":\"meter.read\"," AT ",\"version\":\"2\",\"form\":\"own\"," \
    "\"payload\":{\"meter_id\":\"m-7\",\"reading\":{\"value\":13,\"unit\":\"MWh\"}}}"
#define V3                                                                                           \
    "{\"id\":\"three\",\"type\":\"meter.read\"," AT ",\"version\":\"3\",\"form\":\"meter.read/v3\"," \
    "\"payload\":{\"meter_id\":\"m-7\",\"kind\":\"interval\",\"reading\":{\"value\":14,\"unit\":\"kWh\"}}}"
/* What becomes of them. */
#define V1_AS_2                                                      \
    "{\"id\":\"one\",\"type\":\"meter.read\"," AT                    \
    ",\"version\":\"2\",\"form\":\"meter.read/v2\",\"by\":\"hand\"," \
    "\"payload\":{\"meter_id\":\"m-7\",\"note\":\"wet\",\"reading\":{\"value\":12.50,\"unit\":\"kWh\"}}}"
#define V1_AS_3                                                                                  \
    "{\"id\":\"one\",\"type\":\"meter.read\"," AT                                                \
    ",\"version\":\"3\",\"form\":\"meter.read/v3\",\"by\":\"hand\","                             \
    "\"payload\":{\"meter_id\":\"m-7\",\"reading\":{\"value\":12.50,\"unit\":\"kWh\"},\"kind\":" \
    "\"register\"}}"
#define V2_AS_3                                                                          \
    "{\"id\":\"two\",\"type\":\"meter.read\"," AT ",\"version\":\"3\",\"form\":\"own\"," \
    "\"payload\":{\"meter_id\":\"m-7\",\"reading\":{\"value\":13,\"unit\":\"MWh\"},\"kind\":\"register\"}}"

static void store_all(struct kit_world *world) {
    kit_publish(world->connection, "meter.read", V1);
    kit_publish(world->connection, "meter.read", V2);
    kit_publish(world->connection, "meter.read", V3);
}

#define DONE(n) n " handled, 0 failed attempts, 0 dead letters\n"

/* --- groups --------------------------------------------------------------------------------------------- */

static void groups_get_what_they_read(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    store_all(&world);
    EXPECT(WEIR("consume", "billing", "--stdout", "--until-empty"), 0, V1_AS_3 "\n" V2_AS_3 "\n" V3 "\n",
           DONE("3"));
    EXPECT(WEIR("consume", "ledger", "--stdout", "--until-empty"), 0, V1_AS_2 "\n" V2 "\n" V3 "\n",
           DONE("3"));
    EXPECT(WEIR("consume", "archive", "--stdout", "--until-empty"), 0, V1 "\n" V2 "\n" V3 "\n", DONE("3"));
    kit_world_close(&world);
}

static void a_command_gets_the_current_version(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    char text[512];
    const char *take = kit_path("take");
    snprintf(text, sizeof text, "#!/bin/sh\nread line\nprintf '%%s\\n' \"$WEIR_KEY $line\" > %s\n",
             kit_path("got"));
    kit_file(kit_folder(), "take", text);
    chmod(take, 0700);
    kit_publish(world.connection, "meter.read", V1);
    EXPECT(WEIR("consume", "billing", "--until-empty", "--exec", take), 0, "", DONE("1"));
    EXPECT(kit_run((const char *const[]){"cat", kit_path("got"), NULL}, NULL, 5), 0, "m-7 " V1_AS_3 "\n", "");
    kit_world_close(&world);
}

/* What a handler of the library saw of each event, a line each. */
static weir_verdict write_down(void *arg, const weir_delivery *delivery) {
    const weir_event *event = &delivery->event;
    weir_text unit;
    weir_error err;
    expect_ok(weir_event_read(event, "/reading/unit", &unit, &err), &err);
    buffer_printf(arg, "%d from %d, key %.*s, unit %.*s, payload %.*s\nwire %.*s\nstored %.*s\n",
                  event->version, event->stored_version, TEXT_ARG(event->key), TEXT_ARG(unit),
                  TEXT_ARG(event->payload), TEXT_ARG(event->wire), TEXT_ARG(event->stored_wire));
    return WEIR_DONE;
}

static void a_handler_sees_both_versions(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    buffer seen;
    buffer_init(&seen, 1 << 16);
    kit_publish(world.connection, "meter.read", V1);
    kit_publish(world.connection, "meter.read", V3);
    weir_member_options options = {.group = "billing", .handler = write_down, .handler_arg = &seen};
    kit_member_run_empty(&world, &options);
    assert_string_equal(
        seen.data,
        "3 from 1, key m-7, unit kWh, payload "
        "{\"meter_id\":\"m-7\",\"reading\":{\"value\":12.50,\"unit\":\"kWh\"},\"kind\":\"register\"}\n"
        "wire " V1_AS_3 "\nstored " V1 "\n"
        "3 from 3, key m-7, unit kWh, payload "
        "{\"meter_id\":\"m-7\",\"kind\":\"interval\",\"reading\":{\"value\":14,\"unit\":\"kWh\"}}\n"
        "wire " V3 "\nstored " V3 "\n");
    buffer_release(&seen);
    kit_world_close(&world);
}

static sqlite3 *database(void) {
    sqlite3 *db;
    weir_error err;
    assert_int_equal(sqlite3_open(kit_path("events.db"), &db), SQLITE_OK);
    expect_ok(weir_outbox_init_sqlite(db, &err), &err);
    return db;
}

static int hash_is(void *expected, int columns, char **values, char **names) {
    (void)columns;
    (void)names;
    assert_string_equal(values[0], *(const char **)expected);
    *(const char **)expected = NULL;
    return 0;
}

static void the_inbox_knows_stored_bytes(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    buffer seen;
    buffer_init(&seen, 1 << 16);
    char digest[65];
    const char *expected = digest;
    sqlite3 *db = database();
    kit_publish(world.connection, "meter.read", V1);
    weir_member_options options = {
        .group = "billing", .handler = write_down, .handler_arg = &seen, .sqlite = db};
    kit_member_run_empty(&world, &options);
    sha256_format(digest, V1, strlen(V1));
    assert_int_equal(sqlite3_exec(db, "SELECT lower(hex(sha256)) FROM inbox", hash_is, &expected, NULL),
                     SQLITE_OK);
    assert_null(expected);
    sqlite3_close(db);
    buffer_release(&seen);
    kit_world_close(&world);
}

/* --- what cannot be brought up -------------------------------------------------------------------------- */

static void expect_letter(struct kit_world *world, const char *reason, const char *data, int version) {
    struct kit_letters *found = kit_letters_find(world, NULL);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->letters[0].reason, reason);
    assert_string_equal(found->letters[0].error_class, "schema");
    assert_int_equal(found->letters[0].version, version);
    assert_true(text_is(found->letters[0].data, data));
    kit_letters_free(found);
}

static void unread_versions_become_letters(void **state) {
    (void)state;
    struct kit_world world = grid_open("{meter.read: [2, 3]}", "{meter.read: [2]}");
    store_all(&world);
    EXPECT(WEIR("consume", "ledger", "--stdout", "--until-empty"), 0, V1_AS_2 "\n" V2 "\n",
           "2 handled, 0 failed attempts, 1 dead letters\n");
    expect_letter(
        &world,
        "meter.read: version 3 cannot be brought to one that group 'ledger' reads (2); add version 3 to "
        "the group's `versions`",
        V3, 3);
    grid_change(&world, grid_folder(NULL, NULL));
    EXPECT(WEIR("dlq", "retry", "--all"), 0, NULL, NULL);
    EXPECT(WEIR("consume", "ledger", "--stdout", "--until-empty"), 0, V3 "\n", DONE("1"));
    kit_world_close(&world);
}

static void a_letter_is_brought_up_when_it_is_retried(void **state) {
    (void)state;
    struct kit_world world =
        grid_open("        up: [{drop: /note}, {default: /kind, value: register}]\n", "");
    kit_publish(world.connection, "meter.read", V1);
    EXPECT(WEIR("consume", "ledger", "--stdout", "--until-empty"), 0, V1_AS_2 "\n", DONE("1"));
    /* A group that reads the current version gets as stored what nothing leads up. */
    EXPECT(WEIR("consume", "billing", "--stdout", "--until-empty"), 0, V1 "\n", DONE("1"));
    grid_change(&world, grid_folder("{meter.read: [1, 2, 3]}", "{meter.read: [3]}"));
    EXPECT(WEIR("consume", "archive", "--stdout", "--until-empty"), 0, V1_AS_3 "\n", DONE("1"));
    kit_world_close(&world);
}

/* Version 1 lets members pass that it does not describe, so no check could know. */
static void a_failing_step_is_told(void **state) {
    (void)state;
    static const char both[] = "{\"id\":\"odd\",\"type\":\"meter.read\",\"version\":\"1\","
                               "\"payload\":{\"meter\":\"m\",\"value\":1,\"meter_id\":\"n\"}}";
    static const char bad[] =
        "{\"id\":\"bad\",\"type\":\"meter.read\",\"version\":\"2\",\"payload\":{\"meter_id\":\"m\"}}";
    struct kit_world world = grid_open(NULL, NULL);
    kit_publish(world.connection, "meter.read", both);
    kit_publish(world.connection, "meter.read", bad);
    kit_publish(world.connection, "meter.read", V3);
    EXPECT(WEIR("consume", "billing", "--stdout", "--until-empty"), 0, V3 "\n",
           "1 handled, 0 failed attempts, 2 dead letters\n");
    struct kit_letters *found = kit_letters_find(&world, NULL);
    assert_int_equal(found->count, 2);
    assert_string_equal(
        found->letters[0].reason,
        "meter.read: version 1 to 2, step 1: rename /meter: the payload has /meter_id already");
    assert_true(text_is(found->letters[0].data, both));
    assert_string_equal(found->letters[1].reason,
                        "meter.read: payload: misses the required property 'reading' (required)");
    kit_letters_free(found);
    struct kit_run run = WEIR("tail", "--no-follow", "--count", "1", "--json");
    assert_non_null(strstr(run.out, both));
    assert_string_equal(run.err,
                        "METER#1 is shown as stored: meter.read: version 1 to 2, step 1: rename /meter: "
                        "the payload has /meter_id already\n");
    kit_run_free(&run);
    kit_world_close(&world);
}

static void a_result_that_breaks_the_newer_schema_is_told(void **state) {
    (void)state;
    static const char odd[] = "{\"id\":\"odd\",\"type\":\"meter.read\",\"version\":\"1\","
                              "\"payload\":{\"meter\":\"m\",\"value\":1,\"wet\":true}}";
    struct kit_world world = grid_open(NULL, NULL);
    kit_publish(world.connection, "meter.read", odd);
    EXPECT(WEIR("consume", "billing", "--stdout", "--until-empty"), 0, "",
           "0 handled, 0 failed attempts, 1 dead letters\n");
    expect_letter(&world,
                  "meter.read: brought up from version 1 to 3: payload: has the property 'wet', which is not "
                  "allowed (additionalProperties)",
                  odd, 1);
    kit_world_close(&world);
}

/* --- publishing ----------------------------------------------------------------------------------------- */

static void any_listed_version_is_published(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    EXPECT(WEIR("publish", "meter.read", "--version", "1", "--data", "{\"meter\":\"m\",\"value\":1}", "-q"),
           0, NULL, NULL);
    EXPECT(WEIR("publish", "meter.read", "--version", "4", "--data", "{}"), 1, "",
           "weir publish: meter.read: version 4 is not the catalog's, which are 1, 2 and 3\n"
           "  leave the version out for version 3, or use a catalog that has version 4\n");
    EXPECT(WEIR("publish", "meter.read", "--version", "1", "--data", "{\"meter_id\":\"m\",\"value\":1}"), 1,
           "", NULL);
    struct kit_run run = kit_run((const char *const[]){kit_program("weir"), "publish", "--stdin", NULL},
                                 "{\"type\":\"meter.read\",\"version\":2,\"payload\":{\"meter_id\":\"m\","
                                 "\"reading\":{\"value\":1,\"unit\":\"x\"}}}\n"
                                 "{\"type\":\"meter.read\",\"version\":5,\"payload\":{}}\n",
                                 60);
    EXPECT(run, 1, NULL,
           "line 2: meter.read: version 5 is not the catalog's, which are 1, 2 and 3\n"
           "  leave the version out for version 3, or use a catalog that has version 5\n"
           "1 published, 1 failed\n");
    run = WEIR("tail", "--no-follow", "--json", "--as-stored");
    assert_non_null(strstr(
        run.out, "\"version\":\"1\",\"form\":\"meter.read/v1\",\"payload\":{\"meter\":\"m\",\"value\":1}"));
    assert_non_null(strstr(run.out, "\"version\":\"2\",\"form\":\"meter.read/v2\""));
    kit_run_free(&run);
    kit_world_close(&world);
}

/* The row says which version it was checked as, so a relay with a newer catalog publishes it as that. */
static void an_outbox_row_keeps_its_version(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    char url[600], id[WEIR_ID_SIZE];
    weir_error err;
    sqlite3 *db = database();
    static const struct {
        int version;
        const char *payload;
    } rows[] = {{1, "{\"meter\":\"m\",\"value\":1}"},
                {0, "{\"meter_id\":\"m\",\"kind\":\"interval\",\"reading\":{\"value\":1,\"unit\":\"x\"}}"}};
    for (size_t i = 0; i < 2; i++) {
        weir_draft draft = {.type = weir_text_of("meter.read"),
                            .payload = weir_text_of(rows[i].payload),
                            .version = rows[i].version};
        expect_ok(weir_emit_sqlite(db, world.catalog, &draft, id, &err), &err);
    }
    grid_change(&world, newer_folder());
    snprintf(url, sizeof url, "sqlite:%s", kit_path("events.db"));
    EXPECT(WEIR("relay", "--outbox", url, "--once"), 0, NULL, NULL);
    struct kit_run run = WEIR("consume", "archive", "--stdout", "--until-empty");
    assert_non_null(
        strstr(run.out, "\"version\":\"1\",\"form\":\"meter.read/v1\",\"payload\":{\"meter\":\"m\""));
    assert_non_null(
        strstr(run.out, "\"version\":\"3\",\"form\":\"meter.read/v3\",\"payload\":{\"meter_id\":\"m\""));
    kit_run_free(&run);
    sqlite3_close(db);
    kit_world_close(&world);
}

static void validate_knows_versions(void **state) {
    (void)state;
    own_environment();
    setenv("WEIR_CATALOG", grid_folder(NULL, NULL), 1);
    kit_file(kit_folder(), "one.json", "{\"meter\":\"m\",\"value\":1}");
    kit_file(kit_folder(), "event.json", V1);
    kit_file(kit_folder(), "odd.json",
             "{\"id\":\"odd\",\"type\":\"meter.read\",\"version\":\"1\",\"payload\":"
             "{\"meter\":\"m\",\"value\":1,\"wet\":true}}");
#define VALIDATE(...) WEIR("event", "validate", "meter.read", __VA_ARGS__)
    EXPECT(VALIDATE(kit_path("one.json"), "--version", "1"), 0, NULL, NULL);
    EXPECT(VALIDATE(kit_path("one.json")), 1, NULL, NULL);
    EXPECT(VALIDATE(kit_path("one.json"), "--version", "9"), 1, "",
           "weir event validate: version 9 is not the catalog's, which are 1, 2 and 3\n"
           "  leave the version out for version 3, or use a catalog that has version 9\n");
    EXPECT(VALIDATE(kit_path("event.json"), "--envelope"), 0, NULL, NULL);
    struct kit_run run = VALIDATE(kit_path("odd.json"), "--envelope");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(
        run.out, "brought up from version 1 to 3: payload: has the property 'wet', which is not allowed"));
    kit_run_free(&run);
    EXPECT(VALIDATE(kit_path("event.json"), "--envelope", "--version", "1"), 2, "", NULL);
}

/* --- people --------------------------------------------------------------------------------------------- */

static void tail_shows_both(void **state) {
    (void)state;
    struct kit_world world = grid_open(NULL, NULL);
    store_all(&world);
    struct kit_run run = WEIR("tail", "--no-follow", "--count", "1");
    assert_non_null(strstr(run.out, "METER#1 meter.read m-7 {\"meter_id\":\"m-7\",\"reading\""));
    kit_run_free(&run);
    run = WEIR("tail", "--no-follow", "--count", "1", "--as-stored");
    assert_non_null(strstr(run.out, "METER#1 meter.read m-7 {\"meter\":\"m-7\",\"value\":12.50"));
    kit_run_free(&run);
    run = WEIR("tail", "--no-follow", "--json");
    assert_non_null(strstr(run.out, "\"stored_version\":1,\"event\":" V1_AS_3 "}\n"));
    assert_non_null(strstr(run.out, "\"stored_version\":2,\"event\":" V2_AS_3 "}\n"));
    assert_non_null(strstr(run.out, "Z\",\"event\":" V3 "}\n"));
    kit_run_free(&run);
    run = WEIR("tail", "--no-follow", "--json", "--as-stored");
    assert_non_null(strstr(run.out, "Z\",\"event\":" V1 "}\n"));
    kit_run_free(&run);
    kit_world_close(&world);
}

static const struct spec specs[] = {
    {"three groups get three versions each as they read them", groups_get_what_they_read},
    {"a command gets an old event in the current version with its key", a_command_gets_the_current_version},
    {"a handler sees the event brought up and what is stored", a_handler_sees_both_versions},
    {"the inbox knows an event by its stored bytes", the_inbox_knows_stored_bytes},
    {"what cannot be brought to a version the group reads is a letter, and comes back",
     unread_versions_become_letters},
    {"without a way up the current version's readers get old events as stored",
     a_letter_is_brought_up_when_it_is_retried},
    {"a step that fails makes a letter that names it and blocks nothing", a_failing_step_is_told},
    {"a result that breaks the newer schema makes a letter", a_result_that_breaks_the_newer_schema_is_told},
    {"any listed version is published and no other", any_listed_version_is_published},
    {"an outbox row is published in the version it was checked as", an_outbox_row_keeps_its_version},
    {"an event of any version is validated, and as what it becomes", validate_knows_versions},
    {"tail shows events brought up or as stored", tail_shows_both},
};
SPEC_MAIN(specs)
