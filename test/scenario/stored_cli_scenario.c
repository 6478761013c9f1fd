/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* The catalog on the servers as users of the program meet it. */
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "cli_fixture.h"

static char *bytes_of(const char *path) {
    char *data;
    size_t size;
    weir_error err = {0};
    expect_ok(file_read(&data, &size, path, 1 << 20, &err), &err);
    return data;
}

static void expect_err_has(struct kit_run run, int status, const char *part) {
    if (run.status != status || !strstr(run.err, part))
        print_error("exit %d\nstdout: %s\nstderr: %s\n", run.status, run.out, run.err);
    assert_int_equal(run.status, status);
    assert_non_null(strstr(run.err, part));
    kit_run_free(&run);
}

static void apply_stores_and_plan_says_so(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *first = kit_catalog_folder(CATALOG("", "ORDER"));
    const char *titled = kit_catalog_folder(CATALOG("", "ORDER") "title: a new one\n");
    expect_err_has(WEIR("apply", first, "-y"), 0, "stored catalog shop as revision 1 (digest ");
    EXPECT(WEIR("apply", first, "-y"), 0, "No changes: the servers are as the catalog says.\n", "");
    EXPECT(WEIR("plan", titled, "--exit-code"), 2,
           "No changes: the servers are as the catalog says.\n"
           "The catalog itself is new: apply stores it as revision 2.\n",
           "");
    EXPECT(WEIR("apply", titled), 2, NULL,
           "weir apply: there is no terminal to ask on: say --yes to apply; see weir help apply\n");
    expect_err_has(WEIR("apply", titled, "-y"), 0, "stored catalog shop as revision 2 (digest ");
    struct kit_run run = WEIR("plan", titled, "--exit-code", "--json");
    assert_int_equal(run.status, 0);
    json_doc *doc = json_of(&run);
    assert_int_equal(int_at(doc, "/revision"), 2);
    json_doc_free(doc);
    kit_run_free(&run);
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static void nats_stands_for_a_folder(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER"));
    EXPECT(WEIR("plan", "nats:"), 1, "",
           "weir plan: there is no catalog on the servers\n"
           "  weir apply stores it, when it makes the servers what the catalog says\n");
    EXPECT(WEIR("apply", folder, "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("plan", "nats:", "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    setenv("WEIR_CATALOG", "nats:shop", 1);
    EXPECT(WEIR("publish", "order.paid", "--data", "{}", "-q"), 0, NULL, "");
    EXPECT(WEIR("publish", "order.payed", "--data", "{}", "-q"), 1, "",
           "weir publish: no event type 'order.payed' in catalog 'shop'\n  did you mean 'order.paid'?\n");
    EXPECT(WEIR("tail", "--no-follow", "-q"), 0, NULL, "");
    EXPECT(WEIR("event", "validate", "order.paid", "/dev/null"), 1, "",
           "weir event validate: nats:shop is on the servers, and this command talks to none\n"
           "  name the catalog's folder or a bundle: weir check nats:shop -o FILE writes one\n");
    unsetenv("WEIR_CATALOG");
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static void an_old_revision_is_written_to_a_file(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *first = kit_catalog_folder(CATALOG("", "ORDER")), *then = kit_path("then.json");
    const char *now = kit_path("now.json");
    EXPECT(WEIR("apply", first, "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("apply", kit_catalog_folder(CATALOG("", "ORDER") "title: new\n"), "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("check", first, "-q", "-o", now), 0, NULL, "");
    EXPECT(WEIR("check", "nats:shop@1", "-q", "-o", then), 0, NULL, "");
    char *a = bytes_of(now), *b = bytes_of(then);
    assert_string_equal(a, b);
    free(a);
    free(b);
    EXPECT(WEIR("check", "nats:shop@3"), 1, "",
           "weir check: there is no revision 3 of catalog 'shop' on the servers\n"
           "  the last 20 revisions are kept\n");
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

/* An overlay that was applied is what the servers have: plan of the stored catalog must know it. */
static void plan_of_the_stored_catalog_knows_its_environment(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER") "environments: {dev: {max_age: 1d}}\n");
    EXPECT(WEIR("apply", folder, "--env", "dev", "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("plan", "nats:", "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

/* What a group gave up on can be understood later, with the catalog it was handled with. */
static void a_dead_letter_leads_to_its_revision(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    setenv("WEIR_CATALOG", "nats:shop", 1);
    char yaml[4096], later[2100];
    snprintf(yaml, sizeof yaml, "%s%s", CATALOG("", "ORDER"),
             "dead_letter: {stream: SHOP_DLQ, subject: \"dlq.{subject}.{error}\"}\n"
             "groups: {mailer: {service: mail, from: {ORDER: all}}}\n");
    char *services = strstr(yaml, "services: {");
    snprintf(later, sizeof later, "%.*sservices: {mail: {consume: [mailer]}, %s", (int)(services - yaml),
             yaml, services + strlen("services: {"));
    const char *folder = kit_catalog_folder(later);
    EXPECT(WEIR("apply", folder, "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("publish", "order.paid", "--data", "{}", "-q"), 0, NULL, "");
    EXPECT(
        WEIR("consume", "mailer", "--until-empty", "-q", "--log-level", "off", "--", "sh", "-c", "exit 65"),
        0, NULL, "");
    snprintf(yaml, sizeof yaml, "%stitle: new\n", later);
    kit_file(folder, "catalog.yaml", yaml);
    EXPECT(WEIR("apply", folder, "-y", "-q"), 0, NULL, "");
    struct kit_run run = WEIR("dlq", "ls", "--json");
    json_doc *doc = json_of(&run);
    char id[512], digest[80];
    snprintf(id, sizeof id, "%s", text_at(doc, "/letters/0/id"));
    json_doc_free(doc);
    kit_run_free(&run);
    run = WEIR("dlq", "show", id);
    const char *line = strstr(run.out, "catalog    ");
    assert_non_null(line);
    snprintf(digest, sizeof digest, "%.64s", line + 11);
    assert_memory_equal(line + 11 + 64, " (revision 1)\n", 14);
    kit_run_free(&run);
    run = WEIR("dlq", "show", id, "--json");
    doc = json_of(&run);
    assert_int_equal(int_at(doc, "/revision"), 1);
    json_doc_free(doc);
    kit_run_free(&run);
    char name[128];
    snprintf(name, sizeof name, "nats:shop@%s", digest);
    run = WEIR("check", name, "--json");
    doc = json_of(&run);
    assert_string_equal(text_at(doc, "/digest"), digest);
    json_doc_free(doc);
    kit_run_free(&run);
    unsetenv("WEIR_CATALOG");
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static const struct spec specs[] = {
    {"apply stores the catalog and plan says so", apply_stores_and_plan_says_so},
    {"nats stands for a folder", nats_stands_for_a_folder},
    {"an old revision is written to a file", an_old_revision_is_written_to_a_file},
    {"a dead letter leads to its revision", a_dead_letter_leads_to_its_revision},
    {"plan of the stored catalog knows its environment", plan_of_the_stored_catalog_knows_its_environment},
};
SPEC_MAIN(specs)
