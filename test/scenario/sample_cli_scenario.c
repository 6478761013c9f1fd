/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* weir schema sample: documents from the command line, and on into the commands that take them. */
#include <unistd.h>

#include "cli_fixture.h"
#include "kit/broker.h"
#include "kit/stream.h"

#define PLACED                                                                                   \
    "{\"type\":\"object\",\"required\":[\"order_id\",\"total\"],\"additionalProperties\":false," \
    "\"properties\":{"                                                                           \
    "\"order_id\":{\"type\":\"string\",\"pattern\":\"^o-[0-9]{1,6}$\"},"                         \
    "\"total\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":99}}}"

static const char shop[] =
    "weir: 1\n"
    "catalog: shop\n"
    "envelope: envelope.yaml\n"
    "streams:\n"
    "  ORDER: {subjects: [order.>], max_age: 90d}\n"
    "events:\n"
    "  order.placed:\n"
    "    {stream: ORDER, subject: \"order.placed.{order}\", params: {order: /payload/order_id},\n"
    "     key: /payload/order_id, owner: shop, version: 1,\n"
    "     payload: " PLACED ",\n"
    "     example: {order_id: o-1, total: 5}}\n"
    "  order.closed:\n"
    "    {stream: ORDER, subject: order.closed, owner: shop, version: 2,\n"
    "     payload: {const: {new: 1}}, example: {new: 1},\n"
    "     versions: {1: {payload: {const: {old: 1}}, example: {old: 1}, up: [{rename: /old, to: new}]}}}\n"
    "services: {shop: {publish: [order.>]}}\n";

#define SAMPLE(...) WEIR("schema", "sample", __VA_ARGS__)

static void begin(void) {
    own_environment();
    assert_int_equal(chdir(kit_folder()), 0);
    kit_file(kit_folder(), "placed.json", PLACED);
    setenv("WEIR_CATALOG", kit_catalog_folder(shop), 1);
}

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void a_seed_repeats_its_documents(void **state) {
    (void)state;
    begin();
    struct kit_run one = SAMPLE("placed.json", "-n", "40", "--seed", "7");
    struct kit_run again = SAMPLE("placed.json", "-n", "40", "--seed", "7");
    struct kit_run other = SAMPLE("placed.json", "-n", "40", "--seed", "8");
    assert_int_equal(one.status, 0);
    assert_int_equal(count_lines(one.out), 40);
    assert_string_equal(one.out, again.out);
    assert_string_not_equal(one.out, other.out);
    assert_string_equal(one.err, "");
    kit_run_free(&one);
    kit_run_free(&again);
    kit_run_free(&other);
}

/* The first line of text, in a file of its own. */
static void keep_line(const char *name, const char *text) {
    char line[4096];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
    kit_file(kit_folder(), name, line);
}

static void what_is_wrong_is_said_with_both_places(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "one.json", "{\"type\":\"array\",\"maxItems\":0}");
    EXPECT(SAMPLE("one.json"), 0, "[]\n", "");
    kit_file(kit_folder(), "none.json",
             "{\"properties\":{\"a\":{\"const\":1}},\"required\":[\"a\"],"
             "\"type\":\"object\",\"propertyNames\":{\"const\":\"a\"}}");
    EXPECT(SAMPLE("none.json", "--quiet"), 0, "{\"a\":1}\n", "");
    struct kit_run run = SAMPLE("placed.json", "--invalid", "--seed", "3");
    assert_int_equal(run.status, 0);
    assert_true(strncmp(run.err, "1: ", 3) == 0 && strstr(run.err, " (#/"));
    keep_line("wrong.json", run.out);
    kit_run_free(&run);
    run = WEIR("schema", "validate", "placed.json", "wrong.json", "--quiet");
    assert_int_equal(run.status, 1);
    kit_run_free(&run);
}

static void json_has_the_document_and_the_fault(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "yes.json", "{\"const\":true}");
    EXPECT(SAMPLE("yes.json", "--json"), 0, "{\"document\":true}\n", "");
    kit_file(kit_folder(), "flag.json",
             "{\"type\":\"object\",\"required\":[\"a\"],\"maxProperties\":1,"
             "\"properties\":{\"a\":{\"const\":1}}}");
    struct kit_run run = SAMPLE("flag.json", "--json", "--invalid", "-n", "30");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "{\"document\":{},\"pointer\":\"\",\"keyword\":\"required\",\"schema\":"
                                    "\"#/required\",\"message\":\"misses the required property 'a'\"}\n"));
    assert_string_equal(run.err, "");
    kit_run_free(&run);
}

static void whole_events_pass_validation(void **state) {
    (void)state;
    begin();
    struct kit_run run = SAMPLE("order.placed", "--envelope");
    assert_int_equal(run.status, 0);
    assert_true(strncmp(run.out, "{\"id\":\"sample-1-1\",\"type\":\"order.placed\",", 41) == 0);
    keep_line("event.json", run.out);
    kit_run_free(&run);
    EXPECT(WEIR("event", "validate", "order.placed", "--envelope", "event.json"), 0, "",
           "order.placed: 1 valid\n");
    run = SAMPLE("order.placed", "--envelope", "--invalid", "--quiet");
    keep_line("event.json", run.out);
    kit_run_free(&run);
    run = WEIR("event", "validate", "order.placed", "--envelope", "event.json", "--quiet");
    assert_int_equal(run.status, 1);
    kit_run_free(&run);
}

static void older_versions_have_documents_too(void **state) {
    (void)state;
    begin();
    EXPECT(SAMPLE("order.closed"), 0, "{\"new\":1}\n", "");
    EXPECT(SAMPLE("order.closed", "--version", "2"), 0, "{\"new\":1}\n", "");
    EXPECT(SAMPLE("order.closed", "--version", "1"), 0, "{\"old\":1}\n", "");
    EXPECT(SAMPLE("order.closed", "--version", "1", "--draft"), 0,
           "{\"type\":\"order.closed\",\"version\":1,\"payload\":{\"old\":1}}\n", "");
    struct kit_run run = SAMPLE("order.closed", "--version", "1", "--envelope");
    assert_non_null(strstr(run.out, "\"version\":1"));
    assert_non_null(strstr(run.out, "{\"old\":1}"));
    kit_run_free(&run);
    EXPECT(SAMPLE("order.closed", "--version", "3"), 1, "",
           "weir schema sample: the catalog has no version 3 of 'order.closed'\n"
           "  leave the version out for version 2, or list 3 under the event's `versions`\n");
}

static void drafts_are_published(void **state) {
    (void)state;
    begin();
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = kit_connect(server);
    setenv("NATS_URL", kit_server_url(server), 1);
    kit_stream(connection, "ORDER", "order.>\",\"_weir.cursor.ORDER.*", NULL);
    struct kit_run drafts = SAMPLE("order.placed", "-n", "200", "--draft");
    const char *const argv[] = {kit_program("weir"), "publish", "--stdin", NULL};
    EXPECT(kit_run(argv, drafts.out, 60), 0, "", "200 published, 0 failed\n");
    kit_run_free(&drafts);
    drafts = SAMPLE("order.placed", "-n", "50", "--draft", "--invalid", "--quiet");
    struct kit_run refused = kit_run(argv, drafts.out, 60);
    assert_int_equal(refused.status, 1);
    assert_non_null(strstr(refused.err, "0 published, 50 failed\n"));
    kit_run_free(&refused);
    kit_run_free(&drafts);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void what_cannot_be_is_said(void **state) {
    (void)state;
    begin();
    kit_file(kit_folder(), "never.json", "false");
    kit_file(kit_folder(), "always.json", "true");
    EXPECT(SAMPLE("never.json"), 1, "",
           "weir schema sample: no valid document was found\n"
           "  the schema may allow none, or asks for something that is not guessed\n");
    EXPECT(SAMPLE("always.json", "--invalid"), 1, "",
           "weir schema sample: no document was found that the schema refuses\n"
           "  the schema may allow everything\n");
    EXPECT(
        SAMPLE("always.json", "--draft"), 2, "",
        "weir schema sample: --draft needs an event type of the catalog, and always.json is a file; see weir "
        "help schema sample\n");
    EXPECT(SAMPLE("order.placed", "--draft", "--envelope"), 2, "",
           "weir schema sample: --draft and --envelope contradict each other; see weir help schema sample\n");
}

static const struct spec specs[] = {
    {"a seed repeats its documents", a_seed_repeats_its_documents},
    {"what is wrong is said with both places", what_is_wrong_is_said_with_both_places},
    {"json has the document and the fault", json_has_the_document_and_the_fault},
    {"whole events pass validation, and wrong ones do not", whole_events_pass_validation},
    {"older versions have documents too", older_versions_have_documents_too},
    {"drafts are published, and wrong ones are refused", drafts_are_published},
    {"what cannot be is said, with what to do", what_cannot_be_is_said},
};

SPEC_MAIN(specs)
