/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* weir up and weir down: one server per folder, whatever is killed, and never somebody else's process. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/process.h"
#include "cli_fixture.h"

/* --- up and down ---------------------------------------------------------------------------------------- */

struct up {
    int pid, port;
    bool started;
};

static struct up up(const char *dir) {
    struct kit_run run = WEIR("up", "--dir", dir, "--json");
    if (run.status != 0)
        fail_msg("weir up: exit %d: %s", run.status, run.err);
    json_doc *doc = json_of(&run);
    struct up result = {(int)int_at(doc, "/pid"), (int)int_at(doc, "/port"),
                        json_true(json_pointer(json_root(doc), weir_text_of("/started")))};
    assert_true(strlen(text_at(doc, "/version")) > 3);
    json_doc_free(doc);
    kit_run_free(&run);
    return result;
}

static void up_is_idempotent_and_down_ends_it(void **state) {
    (void)state;
    own_environment();
    const char *dir = kit_path("up");
    struct up first = up(dir), second = up(dir);
    assert_true(first.started);
    assert_false(second.started);
    assert_int_equal(first.pid, second.pid);
    assert_int_equal(first.port, second.port);
    char other[16];
    snprintf(other, sizeof other, "%d", first.port == 65535 ? 1025 : first.port + 1);
    struct kit_run run = WEIR("up", "--dir", dir, "--port", other);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "already runs on port"));
    kit_run_free(&run);
    EXPECT(WEIR("down", "--dir", dir, "--json"), 0, "{\"stopped\":true}\n", "");
    assert_false(process_alive(first.pid));
    EXPECT(WEIR("down", "--dir", dir, "--json"), 0, "{\"stopped\":false}\n", "");
}

static void a_killed_server_comes_back_with_its_data(void **state) {
    (void)state;
    own_environment();
    const char *dir = kit_path("again"), *catalog = kit_catalog_folder(CATALOG("", "ORDER"));
    struct up first = up(dir);
    EXPECT(WEIR("apply", catalog, "--dir", dir, "--yes", "-q"), 0, NULL, "");
    kill(first.pid, SIGKILL);
    process_wait(first.pid, 5000, NULL);
    struct kit_run run = WEIR("plan", catalog, "--dir", dir);
    assert_int_equal(run.status, 1);
    assert_string_equal(
        without_folder(run.err),
        "weir plan: the server of @/again is not running\n  start it with weir up --dir @/again\n");
    kit_run_free(&run);
    struct up second = up(dir);
    assert_true(second.started);
    assert_int_equal(first.port, second.port);
    EXPECT(WEIR("plan", catalog, "--dir", dir, "--exit-code"), 0,
           "No changes: the servers are as the catalog says.\n", "");
    EXPECT(WEIR("down", "--dir", dir, "-q"), 0, "", "");
}

static void rewrite(const char *dir, const char *name, const char *text) {
    char path[1200];
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    expect_ok(file_write_atomic(path, text, strlen(text), 0600, &err), &err);
}

static char *contents(const char *dir, const char *name) {
    char path[1200], *text;
    size_t size;
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    expect_ok(file_read(&text, &size, path, 4096, &err), &err);
    return text;
}

/* As if weir up was killed between starting the server and noting its pid. */
static void an_orphan_is_adopted(void **state) {
    (void)state;
    own_environment();
    const char *dir = kit_path("orphan");
    struct up first = up(dir);
    char *record = contents(dir, "server.json"), changed[4096];
    char *pid = strstr(record, "\"pid\": ");
    assert_non_null(pid);
    snprintf(changed, sizeof changed, "%.*s\"pid\": 0%s", (int)(pid - record), record, strchr(pid, ','));
    rewrite(dir, "server.json", changed);
    struct up second = up(dir);
    assert_false(second.started);
    assert_int_equal(first.pid, second.pid);
    EXPECT(WEIR("down", "--dir", dir, "--json"), 0, "{\"stopped\":true}\n", "");
    assert_false(process_alive(first.pid));
    free(record);
}

static void down_never_touches_a_foreign_process(void **state) {
    (void)state;
    own_environment();
    const char *dir = kit_path("foreign");
    struct up ours = up(dir);
    char *record = contents(dir, "server.json"), changed[4096];
    EXPECT(WEIR("down", "--dir", dir, "-q"), 0, "", "");
    assert_false(process_alive(ours.pid));
    pid_t foreign =
        kit_start((const char *const[]){"sleep", "60", NULL}, "sleep.log"); /* its pid might have been ours */
    char *boot = strstr(record, "\"boot\""), *end = strchr(boot, '}');
    snprintf(changed, sizeof changed, "{\"pid\": %d, \"start_time\": %llu, %.*s}", (int)foreign,
             process_start_time(foreign), (int)(end - boot), boot);
    rewrite(dir, "server.json", changed);
    snprintf(changed, sizeof changed, "%d", (int)foreign);
    rewrite(dir, "nats-server.pid", changed);
    EXPECT(WEIR("down", "--dir", dir, "--json"), 0, "{\"stopped\":false}\n", "");
    assert_true(process_alive(foreign));
    struct up again = up(dir);
    assert_true(again.started);
    assert_int_not_equal(again.pid, foreign);
    EXPECT(WEIR("down", "--dir", dir, "-q"), 0, "", "");
    assert_true(process_alive(foreign));
    kit_end(foreign, SIGKILL);
    free(record);
}

static void two_at_once_start_one(void **state) {
    (void)state;
    own_environment();
    const char *dir = kit_path("both"), *argv[] = {kit_program("weir"), "up", "--dir", dir, "-q", NULL};
    pid_t runs[3];
    for (int i = 0; i < 3; i++)
        runs[i] = kit_start(argv, "both.log");
    for (int i = 0; i < 3; i++) {
        int status = -1;
        assert_true(process_wait(runs[i], 30000, &status));
        assert_int_equal(status, 0);
    }
    struct up one = up(dir);
    assert_false(one.started);
    char *text = contents(kit_folder(), "both.log"), line[128];
    snprintf(line, sizeof line, "nats://127.0.0.1:%d\nnats://127.0.0.1:%d\nnats://127.0.0.1:%d\n", one.port,
             one.port, one.port);
    assert_string_equal(text, line);
    free(text);
    EXPECT(WEIR("down", "--dir", dir, "-q"), 0, "", "");
}

static const char *fake_server(const char *name, const char *says) {
    const char *path = kit_path(name);
    char script[256];
    weir_error err = {0};
    snprintf(script, sizeof script, "#!/bin/sh\necho '%s'\n", says);
    expect_ok(file_write_atomic(path, script, strlen(script), 0700, &err), &err);
    return path;
}

static void a_server_that_is_too_old_is_refused(void **state) {
    (void)state;
    own_environment();
    const char *dir = kit_path("old");
    struct kit_run run =
        WEIR("up", "--dir", dir, "--nats-server", fake_server("old-server", "nats-server: v2.10.9"));
    assert_int_equal(run.status, 1);
    assert_string_equal(
        without_folder(run.err),
        "weir up: @/old-server is nats-server 2.10; weir needs 2.12 or newer (atomic batches)\n"
        "  install a newer nats-server, or name one with --nats-server FILE or WEIR_NATS_SERVER\n");
    kit_run_free(&run);
    run = WEIR("up", "--dir", dir, "--nats-server", fake_server("no-server", "hello"));
    assert_string_equal(without_folder(run.err),
                        "weir up: @/no-server does not say that it is a nats-server\n");
    kit_run_free(&run);
    run = WEIR("up", "--dir", dir, "--nats-server", kit_path("none"));
    assert_int_equal(run.status, 1);
    assert_string_equal(without_folder(run.err), "weir up: cannot start @/none: No such file or directory\n");
    kit_run_free(&run);
}

static void a_taken_port_is_said(void **state) {
    (void)state;
    own_environment();
    kit_server *other = kit_server_start(NULL);
    char port[16];
    snprintf(port, sizeof port, "%d", kit_server_port(other));
    struct kit_run run = WEIR("up", "--dir", kit_path("clash"), "--port", port);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "weir up: nats-server ended at once: "));
    assert_non_null(strstr(run.err, "address already in use"));
    assert_non_null(strstr(run.err, "choose another with --port"));
    kit_run_free(&run);
    EXPECT(WEIR("down", "--dir", kit_path("clash"), "--json"), 0, "{\"stopped\":false}\n", "");
    assert_true(process_alive(kit_server_pid(other)));
    kit_server_stop(other);
}

static const struct spec specs[] = {
    {"up is idempotent and down ends what it started", up_is_idempotent_and_down_ends_it},
    {"a killed server comes back on its port with its data", a_killed_server_comes_back_with_its_data},
    {"a server whose starter was killed is adopted", an_orphan_is_adopted},
    {"down never touches a foreign process", down_never_touches_a_foreign_process},
    {"three at once start one server", two_at_once_start_one},
    {"a server that is too old is refused", a_server_that_is_too_old_is_refused},
    {"a port that is taken is said", a_taken_port_is_said},
};

SPEC_MAIN(specs)
