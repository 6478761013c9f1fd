/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: registry plan consume */
/* The catalog on the servers: revisions are stored, bounded, read with few rights, and told of. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "kit/catalog.h"
#include "kit/findings.h"
#include "kit/group.h"
#include "registry/registry.h"
#include "weir/plan.h"

/* The orders with another title each: another digest, nothing else to apply. */
static weir_catalog *titled(int number) {
    char title[64];
    snprintf(title, sizeof title, "catalog: shop\ntitle: number %d\n", number);
    return kit_catalog_open(kit_replace(kit_orders, "catalog: shop\n", title));
}

static weir_revision store(weir_connection *connection, const weir_catalog *catalog, bool expected) {
    weir_revision revision;
    bool stored;
    weir_error err = {0};
    expect_ok(weir_catalog_store(connection, catalog, &revision, &stored, &err), &err);
    assert_int_equal(stored, expected);
    return revision;
}

static weir_revision store_titled(struct kit_world *world, int number) {
    weir_catalog *catalog = titled(number);
    weir_revision revision = store(world->connection, catalog, true);
    weir_catalog_close(catalog);
    return revision;
}

/* Fetches by name, closes, and returns what it was. */
static weir_revision fetched(weir_connection *connection, const char *name) {
    weir_catalog *catalog;
    weir_revision revision;
    weir_error err = {0};
    expect_ok(weir_catalog_fetch(&catalog, connection, name, NULL, &revision, NULL, &err), &err);
    assert_string_equal(weir_catalog_digest(catalog), revision.digest);
    weir_catalog_close(catalog);
    return revision;
}

static void expect_unfetched(weir_connection *connection, const char *name, weir_code code,
                             const char *message, const char *hint) {
    weir_catalog *catalog;
    weir_report *report;
    weir_error err = {0};
    expect_error(weir_catalog_fetch(&catalog, connection, name, NULL, NULL, &report, &err), code, &err,
                 message);
    assert_string_equal(err.hint, hint);
    assert_null(catalog);
    weir_report_free(report);
}

static uint64_t messages_in(weir_connection *connection, const char *stream) {
    struct broker_stream_state state;
    weir_error err = {0};
    expect_ok(broker_stream_state(connection, stream, &state, &err), &err);
    return state.messages;
}

/* --- storing -------------------------------------------------------------------------------------------- */

static void what_is_stored_is_read_again(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    weir_revision stored = store(world.connection, world.catalog, true), read;
    assert_int_equal(stored.number, 1);
    assert_string_equal(stored.digest, weir_catalog_digest(world.catalog));
    read = fetched(world.connection, "shop");
    assert_memory_equal(&read, &stored, sizeof read);
    read = fetched(world.connection, NULL); /* the only one */
    assert_memory_equal(&read, &stored, sizeof read);
    assert_int_equal(store_titled(&world, 2).number, 2);
    read = fetched(world.connection, "shop@1");
    assert_string_equal(read.digest, stored.digest);
    char by_digest[32];
    snprintf(by_digest, sizeof by_digest, "shop@%.8s", stored.digest);
    assert_int_equal(fetched(world.connection, by_digest).number, 1);
    kit_world_close(&world);
}

static void the_same_catalog_is_stored_once(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    store(world.connection, world.catalog, true);
    uint64_t messages = messages_in(world.connection, "SHOP_CATALOG");
    weir_revision again = store(world.connection, world.catalog, false);
    assert_int_equal(again.number, 1);
    assert_int_equal(messages_in(world.connection, "SHOP_CATALOG"), messages);
    store_titled(&world, 2);
    assert_int_equal(store(world.connection, world.catalog, true).number, 3); /* back to what it was */
    kit_world_close(&world);
}

static void plan_stays_empty(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    store(world.connection, world.catalog, true);
    weir_catalog *read;
    weir_plan *plan;
    weir_error err = {0};
    expect_ok(weir_catalog_fetch(&read, world.connection, "shop", NULL, NULL, NULL, &err), &err);
    expect_ok(weir_plan_make(&plan, world.connection, read, &err), &err);
    assert_true(weir_plan_empty(plan));
    weir_plan_free(plan);
    weir_catalog_close(read);
    kit_world_close(&world);
}

static void a_catalog_of_many_pieces(void **state) {
    (void)state;
    char path[1024];
    const char *source = getenv("WEIR_SOURCE");
    kit_server *server = kit_server_start(&(struct kit_server_options){.config = "max_payload: 8KB\n"});
    weir_connection *connection = kit_connect(server);
    weir_catalog *catalog;
    weir_plan *plan;
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/catalogs/daarion", source ? source : ".");
    expect_ok(weir_catalog_open(&catalog, path, "dev", NULL, &err), &err);
    expect_ok(weir_plan_make(&plan, connection, catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, connection, NULL, &err), &err);
    weir_revision stored = store(connection, catalog, true);
    assert_string_equal(stored.environment, "dev");
    assert_true(messages_in(connection, "DAARION_CATALOG") > 5);
    assert_string_equal(fetched(connection, "daarion").digest, weir_catalog_digest(catalog));
    weir_plan_free(plan);
    weir_catalog_close(catalog);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void twenty_revisions_are_kept(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    for (int i = 1; i <= LIMIT_CATALOG_REVISIONS + 3; i++)
        assert_int_equal(store_titled(&world, i).number, i);
    assert_int_equal(messages_in(world.connection, "SHOP_CATALOG"), 2 * LIMIT_CATALOG_REVISIONS);
    assert_int_equal(fetched(world.connection, "shop@4").number, 4);
    assert_int_equal(fetched(world.connection, "shop").number, LIMIT_CATALOG_REVISIONS + 3);
    expect_unfetched(world.connection, "shop@3", WEIR_NOT_FOUND,
                     "there is no revision 3 of catalog 'shop' on the servers",
                     "the last 20 revisions are kept");
    kit_world_close(&world);
}

/* --- two at once ---------------------------------------------------------------------------------------- */

enum { ROUNDS = 15 };

struct rival {
    weir_connection *connection;
    int stored, conflicts;
    weir_catalog *catalogs[ROUNDS]; /* opened before: the kit is for one thread */
};

static void rival_open(struct rival *rival, const struct kit_world *world, int first) {
    rival->connection = kit_connect(world->server);
    for (int i = 0; i < ROUNDS; i++)
        rival->catalogs[i] = titled(first + i);
}

static void rival_close(struct rival *rival) {
    for (int i = 0; i < ROUNDS; i++)
        weir_catalog_close(rival->catalogs[i]);
    weir_disconnect(rival->connection);
}

static void *store_many(void *arg) {
    struct rival *rival = arg;
    for (int i = 0; i < ROUNDS; i++) {
        weir_error err = {0};
        weir_code code = weir_catalog_store(rival->connection, rival->catalogs[i], NULL, NULL, &err);
        rival->stored += code == WEIR_OK;
        rival->conflicts += code == WEIR_CONFLICT &&
                            strcmp(err.message, "somebody else stored catalog 'shop' at the same time") == 0;
    }
    return NULL;
}

/* Whatever the order: each store is a revision or a conflict, and the pieces of the last one are there. */
static void of_two_at_once_one_loses(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct rival rivals[2] = {{.stored = 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        rival_open(&rivals[i], &world, 100 * (i + 1));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, store_many, &rivals[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    int stored = rivals[0].stored + rivals[1].stored, conflicts = rivals[0].conflicts + rivals[1].conflicts;
    assert_int_equal(stored + conflicts, 2 * ROUNDS);
    assert_int_equal(fetched(world.connection, "shop").number, stored);
    for (int i = 0; i < 2; i++)
        rival_close(&rivals[i]);
    kit_world_close(&world);
}

/* --- what is broken ------------------------------------------------------------------------------------- */

static void missing_pieces_are_said_and_stored_again(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    store(world.connection, world.catalog, true);
    kit_api(world.connection, "STREAM.PURGE.SHOP_CATALOG", "{\"filter\":\"_weir.catalog.shop.*.1\"}");
    expect_unfetched(world.connection, "shop", WEIR_INVALID,
                     "revision 1 of catalog 'shop' is not complete on the servers",
                     "store it again with weir apply");
    assert_int_equal(store(world.connection, world.catalog, true).number, 2);
    assert_int_equal(fetched(world.connection, "shop").number, 2);
    kit_world_close(&world);
}

static void a_forged_pointer_is_refused(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    static const char *const forged[] = {
        "",
        "{}",
        "[1]",
        "{\"revision\":1,\"digest\":\"x\",\"size\":1,\"chunks\":1}",
        "{\"revision\":1,\"digest\":\"0123456789012345678901234567890123456789012345678901234567890123\","
        "\"size\":1,\"chunks\":99999999}",
        "{\"revision\":-1,\"digest\":\"0123456789012345678901234567890123456789012345678901234567890123\","
        "\"size\":1,\"chunks\":1}"};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        kit_publish(world.connection, "_weir.catalog.shop", forged[i]);
        expect_unfetched(world.connection, "shop", WEIR_INVALID,
                         "what stands on _weir.catalog.shop is no revision of a catalog",
                         "store it again with weir apply, and see who else may publish there");
    }
    kit_world_close(&world);
}

/* Somebody puts other bytes under a digest: the catalog in them is never opened. */
static void forged_pieces_are_refused(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    weir_revision first = store(world.connection, world.catalog, true);
    weir_revision second = store_titled(&world, 2);
    char subject[200], message[300];
    broker_msg *piece;
    weir_error err = {0};
    snprintf(subject, sizeof subject, "_weir.catalog.shop.%s.1", first.digest);
    expect_ok(broker_get_last(world.connection, "SHOP_CATALOG", subject, &piece, &err), &err);
    char *body = mem_alloc(broker_msg_data(piece).size + 1);
    memcpy(body, broker_msg_data(piece).data, broker_msg_data(piece).size);
    snprintf(subject, sizeof subject, "_weir.catalog.shop.%s.1", second.digest);
    broker_msg_free(piece);
    kit_publish(world.connection, subject, body); /* another catalog, itself sound: only smaller */
    expect_unfetched(world.connection, "shop", WEIR_INVALID,
                     "revision 2 of catalog 'shop' is not complete on the servers",
                     "store it again with weir apply");
    snprintf(message, sizeof message,
             "{\"revision\":3,\"digest\":\"%s\",\"size\":%zu,\"chunks\":1,\"environment\":\"\"}",
             second.digest, strlen(body));
    kit_publish(world.connection, "_weir.catalog.shop", message);
    snprintf(message, sizeof message,
             "revision 3 of catalog 'shop' is another one: 'shop' with the digest %.12s", first.digest);
    expect_unfetched(world.connection, "shop", WEIR_INVALID, message,
                     "store it again with weir apply, and see who else may publish there");
    mem_free(body);
    kit_world_close(&world);
}

/* --- names ---------------------------------------------------------------------------------------------- */

static void a_catalog_is_found_by_name(void **state) {
    (void)state;
    static const char write_it[] = "weir apply stores it, when it makes the servers what the catalog says";
    static const char forms[] = "write nats:NAME, nats:NAME@REVISION or nats:NAME@DIGEST";
    static const char versions[] = "write a number such as @7, or at least eight digits of a digest";
    struct kit_world world = kit_world_open(kit_orders);
    expect_unfetched(world.connection, "shop", WEIR_NOT_FOUND, "there is no catalog 'shop' on the servers",
                     write_it);
    expect_unfetched(world.connection, "bakery", WEIR_NOT_FOUND,
                     "there is no catalog 'bakery' on the servers", write_it);
    expect_unfetched(world.connection, "a.b", WEIR_INVALID, "'a.b' is no name of a catalog", forms);
    expect_unfetched(world.connection, "shop@", WEIR_INVALID, "'' is neither a revision nor a digest",
                     versions);
    expect_unfetched(world.connection, "shop@1a", WEIR_INVALID, "'1a' is neither a revision nor a digest",
                     versions);
    expect_unfetched(world.connection, "shop@99999999", WEIR_NOT_FOUND,
                     "no revision of catalog 'shop' on the servers has the digest 99999999",
                     "the last 20 revisions are kept");
    kit_stream(world.connection, "BAKERY_CATALOG", "_weir.catalog.bakery",
               "\"metadata\":{\"weir.catalog\":\"bakery\"}");
    expect_unfetched(world.connection, "", WEIR_INVALID, "there are 2 catalogs on the servers",
                     "name one: nats:bakery, nats:shop");
    kit_api(world.connection, "STREAM.DELETE.BAKERY_CATALOG", "");
    kit_api(world.connection, "STREAM.DELETE.SHOP_CATALOG", "");
    expect_unfetched(world.connection, NULL, WEIR_NOT_FOUND, "there is no catalog on the servers", write_it);
    kit_world_close(&world);
}

/* --- the watch ------------------------------------------------------------------------------------------ */

struct told {
    pthread_mutex_t lock;
    weir_revision revisions[16];
    char errors[16][1024];
    bool opened[16];
    int count, wanted;
};

static void on_revision(void *arg, const weir_revision *revision, weir_catalog *catalog,
                        const weir_error *err) {
    struct told *told = arg;
    pthread_mutex_lock(&told->lock);
    told->count -= told->count == 16; /* the case fails on what it finds */
    told->revisions[told->count] = *revision;
    told->opened[told->count] = catalog != NULL;
    snprintf(told->errors[told->count++], 1024, "%s", err ? err->message : "");
    pthread_mutex_unlock(&told->lock);
    weir_catalog_close(catalog);
}

static bool was_told(void *arg) {
    struct told *told = arg;
    pthread_mutex_lock(&told->lock);
    bool enough = told->count >= told->wanted;
    pthread_mutex_unlock(&told->lock);
    return enough;
}

static void expect_told(struct told *told, int count, uint64_t number, bool opened, const char *error) {
    told->wanted = count;
    assert_true(kit_until(was_told, told));
    assert_int_equal(told->count, count);
    assert_int_equal(told->revisions[count - 1].number, number);
    assert_int_equal(told->opened[count - 1], opened);
    assert_string_equal(told->errors[count - 1], error);
}

static weir_catalog_watch *watch(weir_connection *connection, const weir_revision *known, struct told *told) {
    weir_catalog_watch *opened;
    weir_error err = {0};
    *told = (struct told){.lock = PTHREAD_MUTEX_INITIALIZER};
    expect_ok(weir_catalog_watch_open(&opened, connection, known, on_revision, told, &err), &err);
    return opened;
}

static void the_watch_tells_of_newer_revisions(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    weir_revision first = store(world.connection, world.catalog, true);
    struct told told;
    store_titled(&world, 2); /* between reading and watching */
    weir_catalog_watch *watching = watch(world.connection, &first, &told);
    expect_told(&told, 1, 2, true, "");
    store_titled(&world, 3);
    expect_told(&told, 2, 3, true, "");
    kit_server_kill(world.server);
    kit_server_restart(world.server);
    weir_connection *other = kit_connect(world.server);
    weir_catalog *fourth = titled(4);
    store(other, fourth, true);
    expect_told(&told, 3, 4, true, "");
    weir_catalog_watch_close(watching);
    weir_catalog_close(fourth);
    weir_disconnect(other);
    kit_world_close(&world);
}

static void a_stream_made_anew_begins_again(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    store(world.connection, world.catalog, true);
    weir_revision known = store_titled(&world, 2);
    struct told told;
    weir_catalog_watch *watching = watch(world.connection, &known, &told);
    weir_plan *plan;
    weir_error err;
    kit_api(world.connection, "STREAM.DELETE.SHOP_CATALOG", "");
    expect_ok(weir_plan_make(&plan, world.connection, world.catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, world.connection, NULL, &err), &err);
    store_titled(&world, 3);
    expect_told(&told, 1, 1, true, "");
    weir_catalog_watch_close(watching);
    weir_plan_free(plan);
    kit_world_close(&world);
}

/* A pointer that never becomes one wakes, and nothing is told. */
static void what_is_only_sent_is_not_told(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    weir_revision first = store(world.connection, world.catalog, true);
    struct told told;
    weir_catalog_watch *watching = watch(world.connection, &first, &told);
    struct broker_puback ack;
    weir_error err;
    const struct broker_header stale = {"Nats-Expected-Last-Subject-Sequence", weir_text_of("777")};
    const struct broker_out out = {.subject = "_weir.catalog.shop",
                                   .data = weir_text_of("{\"revision\":9}"),
                                   .headers = &stale,
                                   .header_count = 1};
    assert_int_equal(broker_publish(world.connection, &out, "SHOP_CATALOG", 5000, &ack, &err), WEIR_CONFLICT);
    store_titled(&world, 2);
    expect_told(&told, 1, 2, true, "");
    weir_catalog_watch_close(watching);
    kit_world_close(&world);
}

static void what_cannot_be_used_is_told_once(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    weir_revision first = store(world.connection, world.catalog, true);
    struct told told;
    weir_catalog_watch *watching = watch(world.connection, &first, &told);
    kit_publish(
        world.connection, "_weir.catalog.shop",
        "{\"revision\":2,\"digest\":\"0123456789012345678901234567890123456789012345678901234567890123\","
        "\"size\":1,\"chunks\":1}");
    expect_told(&told, 1, 2, false, "revision 2 of catalog 'shop' is not complete on the servers");
    store_titled(&world, 3);
    expect_told(&told, 2, 3, true, "");
    weir_catalog_watch_close(watching);
    kit_world_close(&world);
}

/* --- rights --------------------------------------------------------------------------------------------- */

static void few_rights_are_enough_to_read(void **state) {
    (void)state;
    static const char config[] = "authorization { users = [ {user: admin, password: a},\n"
                                 "  {user: service, password: s, permissions: {\n"
                                 "    publish: [\"$JS.API.DIRECT.GET.SHOP_CATALOG._weir.catalog.shop\",\n"
                                 "              \"$JS.API.DIRECT.GET.SHOP_CATALOG._weir.catalog.shop.>\"],\n"
                                 "    subscribe: [\"_weir.catalog.shop\", \"_INBOX_service.>\"]}} ] }\n";
    kit_server *server = kit_server_start(&(struct kit_server_options){.config = config});
    weir_connection *admin, *service;
    weir_error err = {0};
    expect_ok(weir_connect(&admin,
                           &(weir_connect_options){
                               .servers = kit_server_url(server), .user = "admin", .password = "a"},
                           &err),
              &err);
    expect_ok(weir_connect(&service,
                           &(weir_connect_options){.servers = kit_server_url(server),
                                                   .user = "service",
                                                   .password = "s",
                                                   .inbox_prefix = "_INBOX_service"},
                           &err),
              &err);
    struct kit_world world = {.server = server, .connection = admin, .catalog = kit_catalog_open(kit_orders)};
    weir_plan *plan;
    expect_ok(weir_plan_make(&plan, admin, world.catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, admin, NULL, &err), &err);
    store(admin, world.catalog, true);
    weir_revision first = fetched(service, "shop");
    struct told told;
    weir_catalog_watch *watching = watch(service, &first, &told);
    store_titled(&world, 2);
    expect_told(&told, 1, 2, true, "");
    expect_unfetched(service, "", WEIR_DENIED, "this identity may not publish to '$JS.API.STREAM.LIST'",
                     "this identity may not list streams: name the catalog, nats:NAME");
    weir_catalog_watch_close(watching);
    weir_plan_free(plan);
    weir_disconnect(service);
    kit_world_close(&world);
}

static const struct spec specs[] = {
    {"what is stored is read again", what_is_stored_is_read_again},
    {"the same catalog is stored once", the_same_catalog_is_stored_once},
    {"plan stays empty", plan_stays_empty},
    {"a catalog of many pieces is read again", a_catalog_of_many_pieces},
    {"twenty revisions are kept", twenty_revisions_are_kept},
    {"of two who store at once one loses", of_two_at_once_one_loses},
    {"missing pieces are said and stored again", missing_pieces_are_said_and_stored_again},
    {"a forged pointer is refused", a_forged_pointer_is_refused},
    {"forged pieces are refused", forged_pieces_are_refused},
    {"a catalog is found by its name", a_catalog_is_found_by_name},
    {"the watch tells of newer revisions", the_watch_tells_of_newer_revisions},
    {"a stream made anew begins again", a_stream_made_anew_begins_again},
    {"what is only sent is not told", what_is_only_sent_is_not_told},
    {"what cannot be used is told once", what_cannot_be_used_is_told_once},
    {"few rights are enough to read", few_rights_are_enough_to_read},
};
SPEC_MAIN(specs)
