/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker catalog json base */
/* weir compat against what is really stored, and between revisions that are stored on the servers. */
#include "compat_fixture.h"
#include "kit/broker.h"

/* A server with the shop applied and eight messages: five with text, one with a number, one that is no JSON, one
 * of no event type. */
struct store {
    kit_server *server;
    weir_connection *connection;
    const char *folder;
};

static void store_event(struct store *store, int n, const char *version, const char *payload) {
    char event[400];
    snprintf(event, sizeof event,
             "{\"id\":\"e-%d\",\"type\":\"order.placed\",\"time\":\"2026-01-01T00:00:00Z\",\"version\":%s,"
             "\"payload\":%s}",
             n, version, payload);
    kit_publish(store->connection, "order.placed", event);
}

static struct store store_open(void) {
    struct store store = {.server = kit_server_start(&(struct kit_server_options){.sync = "2m"})};
    own_environment();
    setenv("NATS_URL", kit_server_url(store.server), 1);
    store.connection = kit_connect(store.server);
    store.folder = kit_path("store");
    write_catalog(store.folder, shop);
    EXPECT(WEIR("apply", store.folder, "--yes", "-q"), 0, NULL, NULL);
    for (int i = 1; i <= 5; i++)
        store_event(&store, i, "1", "{\"id\":\"o\"}");
    store_event(&store, 6, "1", "{\"id\":7}");
    kit_publish(store.connection, "order.placed", "no JSON");
    kit_publish(store.connection, "order.lost", "{}");
    return store;
}

static void store_close(struct store *store) {
    weir_disconnect(store->connection);
    unsetenv("NATS_URL");
    kit_server_stop(store->server);
}

static const char *new_catalog(const char *yaml) {
    static int made;
    char name[32];
    snprintf(name, sizeof name, "new-%d", ++made);
    write_catalog(kit_path(name), yaml);
    return kit_path(name);
}

static void what_would_be_refused_is_counted(void **state) {
    (void)state;
    struct store store = store_open();
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", new_catalog(with_id("{type: [string, integer]}"))), 0,
           NULL, "");
    const char *numbers = new_catalog(with_id("{type: integer}"));
    struct kit_run run = WEIR("compat", "--against-stream", "ORDERS", numbers);
    assert_int_equal(run.status, 1);
    assert_string_equal(
        without_folder(run.out),
        "5 of 6 stored events would be refused, 1 unreadable, 1 of unknown type (1 stream, @/new-2)\n"
        "\n"
        "order.placed, version 1: 5 of 6 would be refused\n"
        "  5 x  /id: must be an integer, is a string (type)\n"
        "      #1 order.placed e-1\n"
        "      #2 order.placed e-2\n"
        "      #3 order.placed e-3\n"
        "\n"
        "ORDERS: 1 cannot be read by anybody\n"
        "      #7 order.placed: order.placed: the event is not valid JSON: line 1, column 1: this is no JSON "
        "value\n"
        "\n"
        "ORDERS: 1 of no event type of the catalog\n"
        "      order.lost\n");
    kit_run_free(&run);
    store_close(&store);
}

static void all_reads_every_stream_and_json_says_the_same(void **state) {
    (void)state;
    struct store store = store_open();
    struct kit_run run =
        WEIR("compat", "--against-stream", "all", new_catalog(with_id("{type: integer}")), "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 1);
    assert_int_equal(int_at(doc, "/judged"), 6);
    assert_int_equal(int_at(doc, "/refused"), 5);
    assert_int_equal(int_at(doc, "/unreadable"), 1);
    assert_int_equal(int_at(doc, "/unknown"), 1);
    assert_string_equal(text_at(doc, "/streams/0/types/0/faults/0/pointer"), "/id");
    assert_int_equal(int_at(doc, "/streams/0/types/0/faults/0/count"), 5);
    assert_int_equal(int_at(doc, "/streams/0/types/0/faults/0/examples/2/sequence"), 3);
    assert_string_equal(text_at(doc, "/streams/0/unknown/subjects/0"), "order.lost");
    json_doc_free(doc);
    kit_run_free(&run);
    store_close(&store);
}

static void since_and_limit_choose_the_newest(void **state) {
    (void)state;
    struct store store = store_open();
    const char *numbers = new_catalog(with_id("{type: integer}"));
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", numbers, "--limit", "3"), 0, NULL, "");
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", numbers, "--limit", "3", "--strict"), 1, NULL, "");
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", numbers, "--limit", "4"), 1, NULL, "");
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", numbers, "--since", "1h"), 1, NULL, "");
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", numbers, "--since", "1ns"), 0, NULL, "");
    store_close(&store);
}

/* What is stored as version 1 is brought up before it is judged; version 9 is nobody's yet. */
static void older_versions_are_brought_up_first(void **state) {
    (void)state;
    struct store store = store_open();
    store_event(&store, 9, "9", "{\"id\":\"o\"}");
    const char *two =
        kit_replace(with_id("{type: integer}"), "    payload:\n",
                    "    version: 2\n"
                    "    versions: {1: {payload: {type: object, required: [id], properties: {id: "
                    "{type: string}}}, up: [{set: /id, value: 7}]}}\n"
                    "    payload:\n");
    struct kit_run run = WEIR("compat", "--against-stream", "ORDERS", new_catalog(two), "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 1);
    assert_int_equal(int_at(doc, "/streams/0/types/0/version"), 1);
    assert_int_equal(int_at(doc, "/streams/0/types/0/refused"),
                     1); /* the number, which never was version 1 */
    assert_int_equal(int_at(doc, "/streams/0/types/1/version"), 0);
    assert_string_equal(text_at(doc, "/streams/0/types/1/faults/0/reason"),
                        "order.placed: version 9 is newer than the catalog's, which is 2");
    json_doc_free(doc);
    kit_run_free(&run);
    store_close(&store);
}

static int64_t consumers(weir_connection *connection, const char *stream) {
    char api[128];
    json_doc *reply = NULL;
    weir_error err = {0};
    int64_t count = -1;
    snprintf(api, sizeof api, "STREAM.INFO.%s", stream);
    expect_ok(broker_api(connection, api, weir_text_of(""), &reply, &err), &err);
    json_int(json_pointer(json_root(reply), weir_text_of("/state/consumer_count")), &count);
    json_doc_free(reply);
    return count;
}

/* On a work queue a reader more would be refused, or take events away: there each is asked for by its number. */
static void reading_changes_nothing(void **state) {
    (void)state;
    static const char *const retentions[] = {"limits", "workqueue", "interest"};
    struct store store = store_open();
    int64_t before = consumers(store.connection, "ORDERS");
    for (size_t i = 0; i < sizeof retentions / sizeof *retentions; i++) {
        char name[32], subject[32], more[64];
        snprintf(name, sizeof name, "KEPT_%zu", i);
        snprintf(subject, sizeof subject, "kept.%zu.>", i);
        snprintf(more, sizeof more, "\"retention\":\"%s\"", retentions[i]);
        kit_stream(store.connection, name, subject, more);
        kit_durable(store.connection, name, "reader", NULL);
        snprintf(subject, sizeof subject, "kept.%zu.a", i);
        kit_publish(store.connection, subject, "{}");
        struct kit_run run = WEIR("compat", "--against-stream", name, store.folder, "--json");
        json_doc *doc = json_of(&run);
        assert_int_equal(run.status, 0);
        assert_int_equal(int_at(doc, "/unknown"), 1);
        json_doc_free(doc);
        kit_run_free(&run);
        struct broker_stream_state kept;
        weir_error err = {0};
        expect_ok(broker_stream_state(store.connection, name, &kept, &err), &err);
        assert_int_equal(kept.messages, 1);
        assert_int_equal(consumers(store.connection, name), 1);
    }
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", store.folder, "-q"), 1, NULL, "");
    assert_int_equal(consumers(store.connection, "ORDERS"), before);
    store_close(&store);
}

static void stored_revisions_are_a_history(void **state) {
    (void)state;
    struct store store = store_open();
    write_catalog(store.folder, with_id("{type: integer}"));
    EXPECT(WEIR("apply", store.folder, "--yes", "-q"), 0, NULL, NULL);
    write_catalog(store.folder, shop);
    EXPECT(WEIR("apply", store.folder, "--yes", "-q"), 0, NULL, NULL);
    EXPECT(WEIR("compat", "nats:shop@1", "nats:shop@3", "--require", "full"), 0, NULL, "");
    struct kit_run run = WEIR("compat", "nats:shop@1", "nats:shop", "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 1);
    assert_string_equal(text_at(doc, "/old/name"), "nats:shop@1");
    assert_string_equal(text_at(doc, "/new/name"), "nats:shop@3");
    assert_int_equal(int_at(doc, "/history"), 1);
    assert_string_equal(text_at(doc, "/types/0/compatibility"), "FULL");
    json_doc_free(doc);
    kit_run_free(&run);
    EXPECT(WEIR("compat", "nats:shop@9", "nats:shop"), 2, "", NULL);
    store_close(&store);
}

static void what_cannot_be_read_is_said(void **state) {
    (void)state;
    struct store store = store_open();
    EXPECT(WEIR("compat", "--against-stream", "NOTHERE", store.folder), 2, "",
           "weir compat: the servers have no stream 'NOTHERE'\n"
           "  all reads every stream of the catalog that holds events\n");
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", store.folder, store.folder), 2, "",
           "weir compat: --against-stream judges what is stored by one catalog: name the new one only; see "
           "weir help "
           "compat\n");
    EXPECT(WEIR("compat", "--against-stream", "ORDERS", store.folder, "--catalog", store.folder), 2, "",
           NULL);
    store_close(&store);
    struct kit_run run =
        WEIR("compat", "--against-stream", "ORDERS", kit_path("store"), "-s", "nats://127.0.0.1:1");
    assert_int_equal(run.status, 2);
    kit_run_free(&run);
}

static const struct spec specs[] = {
    {"what is stored and would be refused is counted, by reason, with examples",
     what_would_be_refused_is_counted},
    {"all reads every stream, and JSON says the same", all_reads_every_stream_and_json_says_the_same},
    {"since and limit choose the newest", since_and_limit_choose_the_newest},
    {"older versions are brought up before they are judged", older_versions_are_brought_up_first},
    {"reading changes nothing in streams of any retention", reading_changes_nothing},
    {"revisions stored on the servers are a history too", stored_revisions_are_a_history},
    {"a stream or server that cannot be read is said, and is exit code 2", what_cannot_be_read_is_said},
};
SPEC_MAIN(specs)
