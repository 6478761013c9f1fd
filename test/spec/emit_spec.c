/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* Writing events into the outbox through the library: checked in the producer's hands, atomic with its data. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "kit/catalog.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "weir/outbox.h"

static const char shop_yaml[] =
    "weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"
    "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\"}\n"
    "streams:\n  ORDERS: {subjects: [order.>]}\n"
    "events:\n"
    "  order.placed: {stream: ORDERS, subject: \"order.placed.{customer}\", params: {customer: "
    "/payload/customer},\n"
    "    key: /payload/customer, owner: shop, version: 2,\n"
    "    payload: {type: object, required: [customer], properties: {customer: {type: string}}}}\n";

struct world {
    sqlite3 *db;
    weir_catalog *catalog;
    weir_error err;
};

static void begin(struct world *world) {
    static int number;
    char name[32];
    snprintf(name, sizeof name, "emit-%d.db", ++number);
    assert_int_equal(sqlite3_open(kit_path(name), &world->db), SQLITE_OK);
    expect_ok(weir_outbox_init_sqlite(world->db, &world->err), &world->err);
    expect_ok(weir_catalog_open(&world->catalog, kit_catalog_folder(shop_yaml), NULL, NULL, &world->err),
              &world->err);
    sqlite3_exec(world->db, "BEGIN", 0, 0, 0);
}

static void end(struct world *world) {
    sqlite3_exec(world->db, "COMMIT", 0, 0, 0);
    weir_catalog_close(world->catalog);
    assert_int_equal(sqlite3_close(world->db), SQLITE_OK); /* nothing was left open */
}

static weir_draft draft_of(const char *type, const char *payload) {
    return (weir_draft){.type = weir_text_of(type), .payload = weir_text_of(payload)};
}

static void expect_sql(struct world *world, const char *sql, const char *expected) {
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(world->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    assert_string_equal(text ? text : "NULL", expected);
    sqlite3_finalize(statement);
}

static void a_row_is_written(void **state) {
    (void)state;
    struct world world;
    char id[WEIR_ID_SIZE];
    begin(&world);
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\",\"total\":12.50}");
    draft.tenant = weir_text_of("t1");
    draft.trace = weir_text_of("trace");
    draft.span = weir_text_of("span");
    draft.source = weir_text_of("shop");
    expect_ok(weir_emit_sqlite(world.db, world.catalog, &draft, id, &world.err), &world.err);
    assert_int_equal(strlen(id), 36);
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM outbox_events WHERE id = '%s'", id);
    expect_sql(&world, sql, "1");
    expect_sql(&world, "SELECT payload FROM outbox_events", "{\"customer\":\"ann\",\"total\":12.50}");
    expect_sql(&world, "SELECT key FROM outbox_events", "ann");
    expect_sql(&world, "SELECT tenant || trace || span || source FROM outbox_events", "t1tracespanshop");
    expect_sql(&world, "SELECT processed FROM outbox_events", "0");
    expect_sql(&world, "SELECT created_at LIKE '____-__-__T__:__:__.______Z' FROM outbox_events", "1");
    end(&world);
}

static void rolled_back_with_the_data(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    expect_ok(weir_emit_sqlite(world.db, world.catalog, &draft, NULL, &world.err), &world.err);
    sqlite3_exec(world.db, "ROLLBACK", 0, 0, 0);
    expect_sql(&world, "SELECT count(*) FROM outbox_events", "0");
    end(&world);
}

static void refused_in_the_producers_hands(void **state) {
    (void)state;
    static const struct {
        const char *type, *payload, *message;
    } drafts[] = {
        {.type = "order.placed",
         .payload = "{}",
         .message = "order.placed: payload: misses the required property 'customer' (required)"},
        {.type = "order.placed",
         .payload = "{\"customer\":7}",
         .message = "order.placed: payload /customer: must be a string, is a number (type)"},
        {.type = "order.placed",
         .payload = "{\"customer\":",
         .message = "order.placed: the payload is not valid JSON: line 1, column 13: the text ends before "
                    "the value does"},
        {.type = "order.placed",
         .payload = "{\"customer\":\"a b\"}",
         .message = "order.placed: parameter {customer} of the subject is 'a b', which cannot be one token"},
        {.type = "order.plaecd",
         .payload = "{}",
         .message = "no event type 'order.plaecd' in catalog 'shop'"},
    };
    struct world world;
    begin(&world);
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
        weir_draft draft = draft_of(drafts[i].type, drafts[i].payload);
        weir_code code = weir_emit_sqlite(world.db, world.catalog, &draft, NULL, &world.err);
        assert_int_equal(code, i == 4 ? WEIR_NOT_FOUND : WEIR_INVALID);
        assert_string_equal(world.err.message, drafts[i].message);
    }
    expect_sql(&world, "SELECT count(*) FROM outbox_events", "0");
    end(&world);
}

static void the_same_id_twice(void **state) {
    (void)state;
    struct world world;
    begin(&world);
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    draft.id = weir_text_of("order-1");
    expect_ok(weir_emit_sqlite(world.db, world.catalog, &draft, NULL, &world.err), &world.err);
    expect_error(weir_emit_sqlite(world.db, world.catalog, &draft, NULL, &world.err), WEIR_CONFLICT,
                 &world.err, "event id 'order-1' is in the outbox already");
    assert_int_equal(sqlite3_get_autocommit(world.db), 0);
    end(&world);
}

static void without_tables(void **state) {
    (void)state;
    struct world world;
    sqlite3 *bare;
    begin(&world);
    assert_int_equal(sqlite3_open(":memory:", &bare), SQLITE_OK);
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    expect_error(weir_emit_sqlite(bare, world.catalog, &draft, NULL, &world.err), WEIR_INVALID, &world.err,
                 "cannot write to the outbox: no such table: outbox_events");
    assert_string_equal(world.err.hint,
                        "create the outbox with weir_outbox_init_sqlite or: weir outbox init sqlite:PATH");
    assert_int_equal(sqlite3_close(bare), SQLITE_OK);
    end(&world);
}

static const struct spec specs[] = {
    {"an event becomes a row with its key, id and time", a_row_is_written},
    {"a row is rolled back with the data beside it", rolled_back_with_the_data},
    {"what the catalog refuses is refused in the hands of the producer", refused_in_the_producers_hands},
    {"the same id twice is a conflict and the transaction goes on", the_same_id_twice},
    {"a database without an outbox is named with its remedy", without_tables},
};
SPEC_MAIN(specs)
