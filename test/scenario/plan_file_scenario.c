/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base plan */
/* Plan files: what was approved is carried out, or nothing is; and the difference between environments. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "cli_fixture.h"
#include "kit/broker.h"

#define ENVIRONMENTS                                                                                     \
    "environments:\n  dev: {max_age_at_most: 7d}\n  prod: {num_replicas: 1, streams: {ORDER: {max_age: " \
    "60d}}}\n"
#define SHOP(stream) CATALOG(stream, "ORDER") ENVIRONMENTS

#define BAKERY                                                                                               \
    "weir: 1\ncatalog: bakery\nenvelope: envelope.yaml\nstreams:\n  BREAD: {subjects: [bread.*]}\nevents:\n" \
    "  bread.baked: {stream: BREAD, subject: bread.baked, owner: oven, version: 1, payload: {type: "         \
    "object}, "                                                                                              \
    "example: {}}\nservices: {oven: {publish: [bread.>]}}\n"

struct shop {
    kit_server *server;
    weir_connection *connection;
    const char *folder, *url, *file;
};

static struct shop shop_open(const char *yaml) {
    own_environment();
    struct shop shop = {
        .server = kit_server_start(NULL), .folder = kit_catalog_folder(yaml), .file = kit_path("plan.json")};
    shop.url = kit_server_url(shop.server);
    shop.connection = kit_connect(shop.server);
    setenv("NATS_URL", shop.url, 1);
    unlink(shop.file);
    return shop;
}

static void shop_close(struct shop *shop) {
    unsetenv("NATS_URL");
    weir_disconnect(shop->connection);
    kit_server_stop(shop->server);
}

static void write_plan(const struct shop *shop) {
    EXPECT(WEIR("plan", shop->folder, "-o", shop->file, "-q"), 0, NULL, "");
}

/* apply of the plan file fails with this reason and the advice to make another, and nothing is done. */
static void expect_refused(const struct shop *shop, const char *reason, const char *hint) {
    char wanted[1024];
    snprintf(wanted, sizeof wanted, "weir apply: %s\n  %s\n", reason, hint);
    EXPECT(WEIR("apply", shop->file, "-y"), 1, "", wanted);
}

#define AGAIN "make the plan again, look at it, and apply that one"

/* --- carried out -------------------------------------------------------------------------------------- */

static void a_plan_file_is_carried_out(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    char said[600];
    snprintf(said, sizeof said, "written to %s: carry out this plan, and no other, with weir apply %s\n",
             shop.file, shop.file);
    EXPECT(WEIR("plan", shop.folder, "--env", "dev", "-o", shop.file), 0, NULL, said);
    EXPECT(WEIR("apply", shop.file), 2, NULL,
           "weir apply: there is no terminal to ask on: say --yes to apply; see weir help apply\n");
    snprintf(said, sizeof said,
             "weir apply: %s names the environment it was made for: leave --env out; see weir help apply\n",
             shop.file);
    EXPECT(WEIR("apply", shop.file, "--env", "prod"), 2, "", said);
    EXPECT(WEIR("apply", shop.file, "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("plan", shop.folder, "--env", "dev", "--exit-code"), 0, NULL, "");
    EXPECT(WEIR("plan", shop.folder, "--env", "prod", "--exit-code"), 2, NULL, "");
    expect_refused(&shop, "stream SHOP_ADVISORIES was created since the plan was made", AGAIN);
    write_plan(&shop); /* one that changes something, then one that changes nothing */
    EXPECT(WEIR("apply", shop.file, "-y", "-q"), 0, NULL, "");
    write_plan(&shop);
    EXPECT(WEIR("apply", shop.file), 0, "No changes: the servers are as the catalog says.\n", "");
    shop_close(&shop);
}

static void an_allowed_loss_is_recorded(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    EXPECT(WEIR("apply", shop.folder, "-y", "-q"), 0, NULL, "");
    for (int i = 0; i < 5; i++)
        kit_publish(shop.connection, "order.paid", "{}");
    shop.folder = kit_catalog_folder(SHOP(", max_msgs: 3"));
    EXPECT(WEIR("plan", shop.folder, "--allow-loss", "ORDER"), 2, "",
           "weir plan: --allow-loss is for a plan that is written: say --out FILE, or say it to apply; see "
           "weir help "
           "plan\n");
    write_plan(&shop);
    EXPECT(WEIR("apply", shop.file, "-y"), 1, NULL,
           "weir apply: catalog.yaml:5: stream ORDER would lose stored events: max_msgs unlimited -> 3 "
           "discards the 2 "
           "oldest of 5 events\n  to accept it: --allow-loss ORDER\n");
    EXPECT(WEIR("plan", shop.folder, "-o", shop.file, "-q", "--allow-loss", "ORDER"), 0, NULL, "");
    EXPECT(WEIR("apply", shop.file, "-y", "-q"), 0, NULL, "");
    shop_close(&shop);
}

static void a_new_stream_comes_with_its_events(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    EXPECT(WEIR("apply", shop.folder, "-y", "-q"), 0, NULL, "");
    for (int i = 0; i < 5; i++)
        kit_publish(shop.connection, "order.paid", "{}");
    shop.folder = kit_catalog_folder(SHOP(", storage: memory"));
    char wanted[1024];
    snprintf(wanted, sizeof wanted,
             "-/+ replace stream ORDER   %s/catalog.yaml:5\n"
             "      storage  file -> memory\n"
             "      # gets a new stream: events, sequences and the groups' positions are kept\n"
             "\n"
             "Plan: 0 to add, 0 to change, 0 to destroy, 1 to replace.\n",
             shop.folder);
    EXPECT(WEIR("plan", shop.folder, "-o", shop.file, "-q"), 0, wanted, "");
    EXPECT(WEIR("apply", shop.file, "-y", "-q"), 0, NULL, "");
    struct broker_stream_state now;
    weir_error err = {0};
    expect_ok(broker_stream_state(shop.connection, "ORDER", &now, &err), &err);
    assert_int_equal(now.messages, 5);
    assert_int_equal(now.first_seq, 1);
    EXPECT(WEIR("plan", shop.folder, "--exit-code"), 0, NULL, "");
    shop_close(&shop);
}

/* --- refused ------------------------------------------------------------------------------------------ */

static void a_changed_catalog_is_refused(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    write_plan(&shop);
    kit_file(shop.folder, "catalog.yaml", SHOP(", max_msgs: 3"));
    struct kit_run run = WEIR("apply", shop.file, "-y");
    assert_int_equal(run.status, 1);
    const char *said = "weir apply: the catalog has changed since the plan was made: its digest was ";
    assert_memory_equal(run.err, said, strlen(said));
    kit_run_free(&run);
    const char *other = kit_catalog_folder(BAKERY);
    char reason[600];
    snprintf(reason, sizeof reason,
             "weir apply: %s is a plan for the catalog 'shop', and this one is 'bakery'\n  " AGAIN "\n",
             shop.file);
    EXPECT(WEIR("apply", shop.file, "--catalog", other, "-y"), 1, "", reason);
    kit_file(shop.folder, "catalog.yaml", SHOP("")); /* and back: it is the plan again */
    EXPECT(WEIR("apply", shop.file, "-y", "-q"), 0, NULL, "");
    shop_close(&shop);
}

static void changed_servers_are_refused(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    write_plan(&shop);
    kit_api(shop.connection, "STREAM.CREATE.ORDER", "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"]}");
    expect_refused(&shop, "stream ORDER was created since the plan was made", AGAIN);
    write_plan(&shop);
    kit_api(shop.connection, "STREAM.UPDATE.ORDER",
            "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"],\"max_msgs\":9}");
    expect_refused(&shop, "stream ORDER has changed on the servers since the plan was made", AGAIN);
    kit_api(shop.connection, "STREAM.DELETE.ORDER", "");
    expect_refused(&shop, "stream ORDER was deleted since the plan was made", AGAIN);
    write_plan(&shop);
    kit_api(shop.connection, "STREAM.CREATE.OTHER", "{\"name\":\"OTHER\",\"subjects\":[\"order.paid\"]}");
    expect_refused(&shop, "the plan would be another one now: stream ORDER", AGAIN);
    shop_close(&shop);
}

static void a_recreated_stream_is_another_one(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    kit_api(shop.connection, "STREAM.CREATE.ORDER", "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"]}");
    write_plan(&shop);
    kit_api(shop.connection, "STREAM.DELETE.ORDER", "");
    kit_api(shop.connection, "STREAM.CREATE.ORDER", "{\"name\":\"ORDER\",\"subjects\":[\"order.*\"]}");
    expect_refused(&shop, "stream ORDER has changed on the servers since the plan was made", AGAIN);
    shop_close(&shop);
}

static void other_servers_are_refused(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    const char *accounts = "accounts {\n  RED {jetstream: enabled, users: [{user: red, password: r}]}\n"
                           "  BLUE {jetstream: enabled, users: [{user: blue, password: b}]}\n}\n";
    kit_server *shared = kit_server_start(&(struct kit_server_options){.config = accounts});
    const char *url = kit_server_url(shared);
    char reason[600], was[100] = "";
    EXPECT(WEIR("plan", shop.folder, "-s", url, "--user", "red", "--password", "r", "-o", shop.file, "-q"), 0,
           NULL, "");
    EXPECT(WEIR("apply", shop.file, "-s", url, "--user", "blue", "--password", "b", "-y"), 1, "",
           "weir apply: the plan was made for the account 'RED', and this is 'BLUE'\n"
           "  connect to the servers it was made for, or make a plan for these\n");
    EXPECT(WEIR("apply", shop.file, "-s", url, "--user", "red", "--password", "r", "-y", "-q"), 0, NULL, "");
    write_plan(&shop);
    json_doc *doc = NULL;
    char *text;
    size_t size;
    weir_error err = {0};
    expect_ok(file_read(&text, &size, shop.file, 1 << 20, &err), &err);
    expect_ok(json_parse(&doc, (weir_text){text, size}, &err), &err);
    snprintf(was, sizeof was, "%s", text_at(doc, "/plan/servers/server"));
    json_doc_free(doc);
    mem_free(text);
    kit_server *another = kit_server_start(NULL);
    struct kit_run run = WEIR("apply", shop.file, "-s", kit_server_url(another), "-y");
    assert_int_equal(run.status, 1);
    snprintf(reason, sizeof reason, "weir apply: the plan was made for the server '%s', and this is '", was);
    assert_memory_equal(run.err, reason, strlen(reason));
    kit_run_free(&run);
    kit_server_stop(another);
    kit_server_stop(shared);
    shop_close(&shop);
}

/* Replaces the first `from` of the file. */
static void edit(const char *path, const char *from, const char *to) {
    char *text;
    size_t size;
    weir_error err = {0};
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    char *at = strstr(text, from);
    assert_non_null(at);
    buffer edited;
    buffer_init(&edited, 2 << 20);
    buffer_append(&edited, text, (size_t)(at - text));
    buffer_string(&edited, to);
    buffer_string(&edited, at + strlen(from));
    expect_ok(file_write_atomic(path, edited.data, edited.size, 0644, &err), &err);
    buffer_release(&edited);
    mem_free(text);
}

static void a_bad_file_is_refused(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    char reason[600], hint[600];
    snprintf(hint, sizeof hint, "make one with weir plan -o %s", shop.file);
    write_plan(&shop);
    edit(shop.file, "ORDER", "OTHER");
    snprintf(reason, sizeof reason, "%s is damaged, or somebody edited it: its digest is another one",
             shop.file);
    expect_refused(&shop, reason, hint);
    edit(shop.file, "\"weir_plan\": 1", "\"weir_plan\": 2");
    snprintf(reason, sizeof reason, "%s is a plan file of version 2; this weir reads version 1", shop.file);
    expect_refused(&shop, reason, "make the plan again with the weir that applies it");
    edit(shop.file, "\"sha256\"", "\"sha256"); /* and cut short */
    struct kit_run run = WEIR("apply", shop.file, "-y");
    snprintf(reason, sizeof reason, "weir apply: %s is no plan file: line 2, column ", shop.file);
    assert_int_equal(run.status, 1);
    assert_memory_equal(run.err, reason, strlen(reason));
    kit_run_free(&run);
    kit_file(kit_folder(), "plan.json", "{\"weir_plan\": \"x\"}");
    snprintf(reason, sizeof reason, "%s is no plan file", shop.file);
    expect_refused(&shop, reason, hint);
    shop_close(&shop);
}

static void an_indented_file_is_the_same(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(""));
    write_plan(&shop);
    edit(shop.file, "{\"weir_plan\": 1,", "{\n   \"weir_plan\":1 ,\n\n");
    EXPECT(WEIR("apply", shop.file, "-y", "-q"), 0, NULL, "");
    shop_close(&shop);
}

static void the_impossible_is_not_written(void **state) {
    (void)state;
    struct shop shop = shop_open(SHOP(", deny_delete: true"));
    struct stat info;
    EXPECT(WEIR("apply", shop.folder, "-y", "-q"), 0, NULL, "");
    shop.folder = kit_catalog_folder(SHOP(""));
    EXPECT(WEIR("plan", shop.folder, "-o", shop.file), 1, NULL, NULL);
    assert_int_not_equal(stat(shop.file, &info), 0);
    shop_close(&shop);
}

/* --- environments ------------------------------------------------------------------------------------- */

static void environments_are_compared(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_catalog_folder(SHOP(""));
    setenv("NATS_URL", "nats://127.0.0.1:1", 1); /* nobody is asked */
    struct kit_run run = WEIR("plan", folder, "--env", "prod", "--against", "dev");
    char wanted[2048];
    snprintf(wanted, sizeof wanted,
             "From dev to prod:\n\n"
             "  ~ update stream ORDER             %s/catalog.yaml:5\n"
             "      max_age  7d -> 60d\n\n"
             "  ~ update stream SHOP_ADVISORIES   %s/catalog.yaml:1\n"
             "      max_age  7d -> 30d\n\n"
             "Difference: 0 added, 2 changed, 0 removed.\n",
             folder, folder);
    assert_string_equal(run.out, wanted);
    kit_run_free(&run);
    EXPECT(WEIR("plan", folder, "--env", "prod", "--against", "dev", "--exit-code"), 2, NULL, "");
    EXPECT(WEIR("plan", folder, "--env", "dev", "--against", "dev", "--exit-code"), 0,
           "From dev to dev:\n\nNo difference.\n", "");
    run = WEIR("plan", folder, "--env", "prod", "--against", "dev", "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(int_at(doc, "/change"), 2);
    assert_string_equal(text_at(doc, "/environment"), "prod");
    assert_string_equal(text_at(doc, "/against"), "dev");
    assert_string_equal(text_at(doc, "/steps/0/name"), "ORDER");
    assert_string_equal(text_at(doc, "/steps/0/changes/0/before"), "7d");
    json_doc_free(doc);
    kit_run_free(&run);
    EXPECT(WEIR("plan", folder, "--against", "dev", "-o", "x"), 2, "",
           "weir plan: --against and --out: a difference between environments cannot be applied; see weir "
           "help plan\n");
    EXPECT(WEIR("plan", folder, "--against", "test"), 1, "", NULL);
    unsetenv("NATS_URL");
}

static const struct spec specs[] = {
    {"a plan file is carried out in its environment, once", a_plan_file_is_carried_out},
    {"a loss that was allowed is recorded, any other must be named", an_allowed_loss_is_recorded},
    {"a stream that is replaced by a plan file keeps its events", a_new_stream_comes_with_its_events},
    {"a plan of a catalog that has changed is refused", a_changed_catalog_is_refused},
    {"a plan that the servers have left behind is refused with the thing and how",
     changed_servers_are_refused},
    {"a stream that was made again is another stream", a_recreated_stream_is_another_one},
    {"a plan for another account or server is refused", other_servers_are_refused},
    {"a plan file that is damaged or of another version is refused", a_bad_file_is_refused},
    {"a plan file may be indented anew", an_indented_file_is_the_same},
    {"what is impossible is not written", the_impossible_is_not_written},
    {"environments of a catalog are compared without a server", environments_are_compared},
};

SPEC_MAIN(specs)
