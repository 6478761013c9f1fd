/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: relay */
/* Writing events through the library inside the caller's own PostgreSQL transaction: checked first, atomic with its data. */
#include <stdio.h>
#include <string.h>

#include "kit/catalog.h"
#include "kit/postgres.h"
#include "kit/spec.h"
#include "weir/outbox.h"

static const char shop_yaml[] =
    "weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"
    "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\"}\n"
    "streams:\n  ORDERS: {subjects: [order.>]}\n"
    "events:\n"
    "  order.placed: {stream: ORDERS, subject: order.placed, key: /payload/customer, owner: shop, version: "
    "2,\n"
    "    payload: {type: object, required: [customer], properties: {customer: {type: string}}}}\n";

struct world {
    PGconn *db;
    weir_catalog *catalog;
    weir_error err;
};

static struct world begin(void) {
    struct world world = {.db = kit_sql_connect(kit_postgres_database(kit_postgres_shared()))};
    expect_ok(weir_outbox_init_pg(world.db, &world.err), &world.err);
    expect_ok(weir_catalog_open(&world.catalog, kit_catalog_folder(shop_yaml), NULL, NULL, &world.err),
              &world.err);
    kit_sql(world.db, "CREATE TABLE orders (n int); BEGIN; INSERT INTO orders VALUES (1)");
    return world;
}

static void end(struct world *world) {
    weir_catalog_close(world->catalog);
    PQfinish(world->db);
}

static weir_draft draft_of(const char *type, const char *payload) {
    return (weir_draft){.type = weir_text_of(type), .payload = weir_text_of(payload)};
}

static void a_row_is_written(void **state) {
    (void)state;
    struct world world = begin();
    char id[WEIR_ID_SIZE], sql[256];
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"Ann\\u00e9\",\"total\":12.50}");
    draft.tenant = weir_text_of("t\xc3\xa9");
    draft.time = weir_text_of("2025-11-14T12:00:00.123456Z");
    expect_ok(weir_emit_pg(world.db, world.catalog, &draft, id, &world.err), &world.err);
    assert_int_equal(strlen(id), 36);
    kit_sql(world.db, "COMMIT");
    snprintf(sql, sizeof sql,
             "SELECT concat_ws('|', type, tenant, version, extract(microsecond FROM occurred_at)::int, "
             "processed, payload)"
             " FROM outbox_events WHERE id = '%s'",
             id);
    assert_string_equal(kit_sql_text(world.db, sql),
                        "order.placed|t\xc3\xa9|2|123456|f|{\"customer\":\"Ann\\u00e9\",\"total\":12.50}");
    end(&world);
}

static void rolled_back_with_its_data(void **state) {
    (void)state;
    struct world world = begin();
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    expect_ok(weir_emit_pg(world.db, world.catalog, &draft, NULL, &world.err), &world.err);
    kit_sql(world.db, "ROLLBACK");
    assert_int_equal(kit_sql_number(world.db, "SELECT count(*) FROM outbox_events"), 0);
    end(&world);
}

static void refused_before_the_database_is_asked(void **state) {
    (void)state;
    struct world world = begin();
    weir_draft unknown = draft_of("order.lost", "{}"), broken = draft_of("order.placed", "{\"customer\":5}");
    expect_error(weir_emit_pg(world.db, world.catalog, &broken, NULL, &world.err), WEIR_INVALID, &world.err,
                 "order.placed: payload /customer: must be a string, is a number (type)");
    assert_int_equal(weir_emit_pg(world.db, world.catalog, &unknown, NULL, &world.err), WEIR_NOT_FOUND);
    assert_int_equal(PQtransactionStatus(world.db), PQTRANS_INTRANS);
    kit_sql(world.db, "COMMIT");
    assert_int_equal(kit_sql_number(world.db, "SELECT count(*) FROM orders"), 1);
    end(&world);
}

static void a_known_id_is_a_conflict(void **state) {
    (void)state;
    struct world world = begin();
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    draft.id = weir_text_of("order-1");
    expect_ok(weir_emit_pg(world.db, world.catalog, &draft, NULL, &world.err), &world.err);
    expect_error(weir_emit_pg(world.db, world.catalog, &draft, NULL, &world.err), WEIR_CONFLICT, &world.err,
                 "event id 'order-1' is in the outbox already");
    assert_int_equal(PQtransactionStatus(world.db), PQTRANS_INTRANS);
    kit_sql(world.db, "COMMIT");
    assert_int_equal(kit_sql_number(world.db, "SELECT count(*) FROM outbox_events"), 1);
    end(&world);
}

static void a_failed_insert(void **state) {
    (void)state;
    struct world world = begin();
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    kit_sql(world.db, "ALTER TABLE outbox_events RENAME TO gone");
    expect_error(weir_emit_pg(world.db, world.catalog, &draft, NULL, &world.err), WEIR_INVALID, &world.err,
                 "cannot write to the outbox: relation \"outbox_events\" does not exist");
    assert_string_equal(world.err.hint,
                        "create the outbox with weir_outbox_init_pg or: weir outbox init postgres://...");
    assert_int_equal(PQtransactionStatus(world.db), PQTRANS_INERROR);
    end(&world);
}

static void other_encodings(void **state) {
    (void)state;
    struct world world = begin();
    weir_draft draft = draft_of("order.placed", "{\"customer\":\"ann\"}");
    assert_int_equal(PQsetClientEncoding(world.db, "LATIN1"), 0);
    expect_error(weir_emit_pg(world.db, world.catalog, &draft, NULL, &world.err), WEIR_INVALID, &world.err,
                 "the connection speaks LATIN1, events are UTF-8");
    assert_string_equal(world.err.hint, "PQsetClientEncoding(connection, \"UTF8\")");
    end(&world);
}

static const struct spec specs[] = {
    {"an event becomes a row, numbers as they were written", a_row_is_written},
    {"a rolled back transaction takes its events with it", rolled_back_with_its_data},
    {"what the catalog refuses leaves the transaction open", refused_before_the_database_is_asked},
    {"a known id is a conflict and leaves the transaction open", a_known_id_is_a_conflict},
    {"an insert that fails aborts the transaction, as any statement does", a_failed_insert},
    {"a connection that is not in UTF-8 is refused", other_encodings},
};
SPEC_MAIN(specs)
