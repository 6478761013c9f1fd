/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* The script of `weir export script`, run by a shell against a real server. The nats CLI is played by a stand-in
 * (test/kit/nats-stand-in.bash) that makes the same API requests of the same arguments. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "cli_fixture.h"

static kit_server *server_with_stand_in(void) {
    char path[8192], port[16], stand_in[1024];
    const char *source = getenv("WEIR_SOURCE"), *old = getenv("PATH");
    kit_server *server = kit_server_start(NULL);
    own_environment();
    snprintf(stand_in, sizeof stand_in, "%s/test/kit/nats-stand-in.bash", source ? source : ".");
    kit_file(kit_folder(), "bin/.keep", "");
    unlink(kit_path("bin/nats"));
    assert_int_equal(symlink(stand_in, kit_path("bin/nats")), 0);
    snprintf(path, sizeof path, "%s:%s", kit_path("bin"), old);
    snprintf(port, sizeof port, "%d", kit_server_port(server));
    setenv("PATH", path, 1);
    setenv("STAND_IN_PORT", port, 1);
    setenv("STAND_IN_LOG", kit_path("calls"), 1);
    setenv("NATS_URL", kit_server_url(server), 1);
    return server;
}

static void stop(kit_server *server) {
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

/* Writes the script and runs it; gives what the CLI was called for, the caller's to free. */
static char *run_script(const char *catalog) {
    const char *script = kit_path("setup.sh");
    unlink(kit_path("calls"));
    EXPECT(WEIR("export", "script", catalog, "--env", "dev", "-o", script), 0, "", "");
    const char *const argv[] = {"/bin/sh", script, NULL};
    EXPECT(kit_run(argv, NULL, 60), 0, NULL, "");
    char *calls;
    size_t size;
    weir_error err = {0};
    expect_ok(file_read(&calls, &size, kit_path("calls"), 1 << 20, &err), &err);
    return calls;
}

static void expect_nothing_left(const char *catalog) {
    EXPECT(WEIR("plan", catalog, "--env", "dev"), 0,
           "No changes: the servers are as the catalog says.\n"
           "The catalog itself is new: apply stores it as revision 1.\n",
           "");
}

static const char shop[] = "weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"
                           "environments: {dev: {}}\n"
                           "streams: {ORDER: {subjects: [order.*], max_age: 90d}}\n"
                           "events: {order.paid: {stream: ORDER, owner: shop, payload: {type: object}}}\n"
                           "groups: {mailer: {service: shop, from: {ORDER: all}}}\n"
                           "services: {shop: {publish: [order.>], consume: [mailer]}}\n";

static void the_script_does_what_apply_does(void **state) {
    (void)state;
    kit_server *server = server_with_stand_in();
    const char *folder = kit_catalog_folder(shop);
    char *calls = run_script(folder);
    assert_string_equal(calls,
                        "info SHOP_ADVISORIES\nadd SHOP_ADVISORIES\ninfo SHOP_REDELIVER\nadd SHOP_REDELIVER\n"
                        "info SHOP_CATALOG\nadd SHOP_CATALOG\ninfo ORDER\nadd ORDER\n"
                        "info ORDER mailer\nadd ORDER mailer\n"
                        "info SHOP_REDELIVER mailer\nadd SHOP_REDELIVER mailer\n");
    free(calls);
    expect_nothing_left(folder);
    stop(server);
}

static void it_can_be_run_again_after_a_change(void **state) {
    (void)state;
    kit_server *server = server_with_stand_in();
    const char *folder = kit_catalog_folder(shop), *at = strstr(shop, "90d");
    free(run_script(folder));
    char changed[1024];
    snprintf(changed, sizeof changed, "%.*s30d, description: \"it's $HOME\"%s", (int)(at - shop), shop,
             at + 3);
    kit_file(folder, "catalog.yaml", changed);
    char *calls = run_script(folder);
    assert_non_null(strstr(calls, "info ORDER\nedit ORDER\n"));
    assert_non_null(strstr(calls, "info ORDER mailer\nedit ORDER mailer\n"));
    assert_null(strstr(calls, "add"));
    free(calls);
    expect_nothing_left(folder);
    stop(server);
}

static void a_shipped_catalog_can_be_set_up_by_it(void **state) {
    (void)state;
    char path[1024];
    const char *source = getenv("WEIR_SOURCE");
    kit_server *server = server_with_stand_in();
    snprintf(path, sizeof path, "%s/catalogs/giia", source ? source : ".");
    free(run_script(path));
    expect_nothing_left(path);
    stop(server);
}

/* The server's refusal ends the script, with what it said. */
static void a_failure_ends_it(void **state) {
    (void)state;
    kit_server *server = server_with_stand_in();
    const char *script = kit_path("bad.sh");
    const char *folder =
        kit_catalog_folder("weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"
                           "defaults: {stream: {num_replicas: 3}}\n"
                           "streams: {ORDER: {subjects: [order.*], max_age: 90d}}\n"
                           "events: {order.paid: {stream: ORDER, owner: shop, payload: {type: object}}}\n"
                           "services: {shop: {publish: [order.>]}}\n");
    EXPECT(WEIR("export", "script", folder, "-o", script), 0, "", "");
    const char *const argv[] = {"/bin/sh", script, NULL};
    struct kit_run run = kit_run(argv, NULL, 60);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "\"err_code\":10074"));
    kit_run_free(&run);
    stop(server);
}

static void schemas_are_files(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_catalog_folder(shop), *out = kit_path("schemas/of/shop");
    struct kit_run run = WEIR("export", "schemas", out, "--catalog", folder, "--json");
    assert_int_equal(run.status, 0);
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/files/0/file"), "envelope.json");
    assert_string_equal(text_at(doc, "/files/1/file"), "order.paid.v1.json");
    assert_string_equal(text_at(doc, "/files/1/id"), "weir:shop/order.paid/v1");
    assert_int_equal(int_at(doc, "/files/1/version"), 1);
    assert_int_equal(access(kit_path("schemas/of/shop/order.paid.v1.json"), R_OK), 0);
    assert_int_equal(access(kit_path("schemas/of/shop/envelope.json"), R_OK), 0);
    json_doc_free(doc);
    kit_run_free(&run);
}

static const struct spec specs[] = {
    {"the script does what apply does", the_script_does_what_apply_does},
    {"it can be run again after a change", it_can_be_run_again_after_a_change},
    {"a shipped catalog can be set up by it", a_shipped_catalog_can_be_set_up_by_it},
    {"a failure ends it", a_failure_ends_it},
    {"schemas are files", schemas_are_files},
};
SPEC_MAIN(specs)
