/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* weir plan and weir apply as their users meet them: exit codes, the look, which server, the question on a
 * terminal. */
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "cli_fixture.h"

/* --- plan and apply ------------------------------------------------------------------------------------- */

static void exit_codes_of_plan_and_apply(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    const char *url = kit_server_url(server), *catalog = kit_catalog_folder(CATALOG("", "ORDER"));
    EXPECT(WEIR("plan", catalog, "--server", url), 0, NULL, "");
    EXPECT(WEIR("plan", catalog, "--server", url, "--exit-code"), 2, NULL, "");
    EXPECT(WEIR("apply", catalog, "--server", url), 2, NULL,
           "weir apply: there is no terminal to ask on: say --yes to apply; see weir help apply\n");
    EXPECT(WEIR("plan", catalog, "--server", url, "--exit-code"), 2, NULL, ""); /* nothing was done */
    struct kit_run run = WEIR("apply", catalog, "--server", url, "--yes", "--json");
    assert_int_equal(run.status, 0);
    json_doc *doc = json_of(&run);
    assert_int_equal(int_at(doc, "/applied"), int_at(doc, "/add"));
    json_doc_free(doc);
    kit_run_free(&run);
    setenv("NATS_URL", url, 1);
    EXPECT(WEIR("plan", catalog, "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    EXPECT(WEIR("apply", catalog), 0, "No changes: the servers are as the catalog says.\n", "");
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static void a_change_looks_as_hands_know_it(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    EXPECT(WEIR("apply", kit_catalog_folder(CATALOG("", "ORDER")), "-y", "-q"), 0, NULL, "");
    const char *changed = kit_catalog_folder(CATALOG(", max_msg_size: 1KiB, deny_purge: true", "ORDER"));
    struct kit_run run = WEIR("plan", changed);
    char wanted[2048];
    snprintf(wanted, sizeof wanted,
             "  ~ update stream ORDER   %s/catalog.yaml:5\n"
             "      max_msg_size  unlimited -> 1KiB\n"
             "      deny_purge    false     -> true   # can never be taken back\n"
             "\n"
             "Plan: 0 to add, 1 to change, 0 to destroy.\n",
             changed);
    assert_string_equal(run.out, wanted);
    kit_run_free(&run);
    run = WEIR("plan", changed, "--json");
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/steps/0/action"), "update");
    assert_string_equal(text_at(doc, "/steps/0/changes/0/field"), "max_msg_size");
    json_doc_free(doc);
    kit_run_free(&run);
    EXPECT(WEIR("apply", changed, "-y", "-q"), 0, NULL, "");
    EXPECT(
        WEIR("apply", kit_catalog_folder(CATALOG("", "ORDER")), "-y"), 1, NULL,
        "weir apply: catalog.yaml:5: stream ORDER cannot become what the catalog asks\n"
        "  deny_purge can never be taken back: state deny_purge: true in the catalog if it has that key, or "
        "save the "
        "events, delete stream ORDER on the server and apply again\n");
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static void no_server_is_said(void **state) {
    (void)state;
    own_environment();
    const char *catalog = kit_catalog_folder(CATALOG("", "ORDER"));
    int port;
    char url[64];
    weir_error err = {0};
    expect_ok(port_free(&port, &err), &err);
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    struct kit_run run = WEIR("plan", catalog, "--server", url, "--timeout", "2s", "--json");
    assert_int_equal(run.status, 1);
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/error/code"), "unavailable");
    assert_non_null(strstr(text_at(doc, "/error/message"), url));
    json_doc_free(doc);
    kit_run_free(&run);
}

static void the_command_line_beats_the_variable(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    const char *catalog = kit_catalog_folder(CATALOG("", "ORDER"));
    setenv("NATS_URL", "nats://127.0.0.1:1", 1);
    EXPECT(WEIR("plan", catalog, "--timeout", "2s"), 1, "", NULL);
    EXPECT(WEIR("plan", catalog, "--server", kit_server_url(server)), 0, NULL, "");
    char text[256];
    snprintf(text, sizeof text, "{\"url\":\"%s\"}", kit_server_url(server));
    kit_file(kit_path("config/nats/context"), "lab.json", text);
    EXPECT(WEIR("plan", catalog, "--context", "lab"), 0, NULL, "");
    unsetenv("NATS_URL");
    kit_file(kit_path("config/nats"), "context.txt", "lab");
    EXPECT(WEIR("plan", catalog), 0, NULL, ""); /* the context selected in the nats CLI */
    EXPECT(WEIR("plan", catalog, "--server", kit_server_url(server), "--dir", "x"), 2, "",
           "weir plan: --server and --dir both name a server: leave one out; see weir help plan\n");
    EXPECT(WEIR("plan", catalog, "--context", "lab", "--dir", "x"), 2, "",
           "weir plan: --context and --dir both name a server: leave one out; see weir help plan\n");
    EXPECT(WEIR("plan", catalog, "--server", ","), 1, "",
           "weir plan: no NATS server was named\n"
           "  write nats://HOST:PORT or tls://HOST:PORT, several separated by commas\n");
    kit_server_stop(server);
}

/* plan with a file that cannot be used fails with these words around its name. */
static void expect_unusable(const char *option, const char *file, const char *before, const char *after) {
    char wanted[1024];
    snprintf(wanted, sizeof wanted, "weir plan: %s %s%s\n", before, file, after);
    EXPECT(WEIR("plan", "--catalog", kit_catalog_folder(CATALOG("", "ORDER")), option, file, "--server",
                "nats://127.0.0.1:1"),
           1, "", wanted);
}

static void unusable_files_are_told(void **state) {
    (void)state;
    own_environment();
    const char *garbage = kit_path("garbage"), *absent = kit_path("absent");
    kit_file(kit_folder(), "garbage", "nothing of use\n");
    expect_unusable(
        "--creds", garbage, "the credentials file",
        ": there is no user seed (SU...) in it\n"
        "  it must hold a user's JWT and its seed, as nsc writes them; a seed alone goes to --nkey");
    expect_unusable("--creds", absent, "cannot read the credentials file",
                    ": No such file or directory\n"
                    "  name one that is there with --creds, or mend the context that names it");
    expect_unusable("--nkey", absent, "cannot read the key file",
                    ": No such file or directory\n"
                    "  name one that is there with --nkey, or mend the context that names it");
    expect_unusable("--tlsca", absent, "cannot read the CA file",
                    ": No such file or directory\n"
                    "  name one that is there with --tlsca, or mend the context that names it");
    struct kit_run run = WEIR("plan", "--catalog", kit_catalog_folder(CATALOG("", "ORDER")), "--tlsca",
                              garbage, "--server", "nats://127.0.0.1:1");
    assert_int_equal(run.status, 1);
    assert_null(strstr(run.err, ".c:")); /* no place in somebody's source */
    assert_non_null(strstr(run.err, "it must be a PEM file"));
    kit_run_free(&run);
}

static void a_running_local_server_comes_first(void **state) {
    (void)state;
    own_environment();
    const char *catalog = kit_catalog_folder(CATALOG("", "ORDER"));
    kit_file(kit_path("config/nats/context"), "real.json", "{\"url\":\"nats://127.0.0.1:1\"}");
    kit_file(kit_path("config/nats"), "context.txt", "real");
    EXPECT(WEIR("up", "-q"), 0, NULL, "");
    EXPECT(WEIR("plan", catalog, "-q"), 0, NULL, "");
    EXPECT(WEIR("down", "-q"), 0, "", "");
}

/* --- a terminal ----------------------------------------------------------------------------------------- */

/* Runs apply on a terminal, types `answer` when asked, and returns the exit code; *shown holds what was seen. */
static int on_a_terminal(const char *catalog, const char *url, const char *answer, char shown[16384]) {
    int terminal;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("TERM", "xterm", 1);
        execl(kit_program("weir"), "weir", "apply", catalog, "--server", url, (char *)NULL);
        _exit(127);
    }
    size_t size = 0;
    bool answered = false;
    while (poll(&(struct pollfd){.fd = terminal, .events = POLLIN}, 1, 20000) == 1) {
        ssize_t got = read(terminal, shown + size, 16383 - size);
        if (got <= 0)
            break;
        shown[size += (size_t)got] = 0;
        if (!answered && strstr(shown, "[y/N]")) {
            answered = true;
            assert_int_equal(write(terminal, answer, strlen(answer)), strlen(answer));
        }
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(terminal);
    assert_true(answered);
    return WEXITSTATUS(status);
}

static void apply_asks_on_a_terminal(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    static char shown[16384];
    const char *catalog = kit_catalog_folder(CATALOG("", "ORDER")), *url = kit_server_url(server);
    assert_int_equal(on_a_terminal(catalog, url, "n\n", shown), 1);
    assert_non_null(strstr(shown, "nothing was applied"));
    assert_non_null(strstr(shown, "\033[32m+\033[0m create stream ORDER")); /* in colour */
    EXPECT(WEIR("plan", catalog, "--server", url, "--exit-code"), 2, NULL, "");
    setenv("NO_COLOR", "1", 1);
    assert_int_equal(on_a_terminal(catalog, url, "y\n", shown), 0);
    unsetenv("NO_COLOR");
    assert_null(strstr(shown, "\033["));
    EXPECT(WEIR("plan", catalog, "--server", url, "--exit-code"), 0, NULL, "");
    kit_server_stop(server);
}

static void a_bundle_stands_for_its_folder(void **state) {
    (void)state;
    own_environment();
    kit_server *server = kit_server_start(NULL);
    setenv("NATS_URL", kit_server_url(server), 1);
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER")), *bundle = kit_path("out/b.json");
    EXPECT(WEIR("init", kit_path("out"), "-q"), 0, NULL, "");
    EXPECT(WEIR("check", folder, "-o", bundle), 0, NULL, "shop is sound\n");
    EXPECT(WEIR("check", bundle), 0, NULL, "shop is sound\n");
    EXPECT(WEIR("apply", bundle, "-y", "-q"), 0, NULL, "");
    EXPECT(WEIR("plan", folder, "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    setenv("WEIR_CATALOG", bundle, 1);
    EXPECT(WEIR("plan", "--exit-code"), 0, "No changes: the servers are as the catalog says.\n", "");
    unsetenv("WEIR_CATALOG");
    char message[600];
    const char *none = kit_path("out/order.yaml");
    snprintf(message, sizeof message,
             "weir plan: %s is no bundle: line 1, column 1: this cannot stand here\n"
             "  name a catalog's folder, or a file that weir check -o wrote\n",
             none);
    EXPECT(WEIR("plan", none), 1, "", message);
    unsetenv("NATS_URL");
    kit_server_stop(server);
}

static const struct spec specs[] = {
    {"plan and apply exit as documented", exit_codes_of_plan_and_apply},
    {"a change looks as hands know it", a_change_looks_as_hands_know_it},
    {"no server is said", no_server_is_said},
    {"the command line beats the variable, the variable the context", the_command_line_beats_the_variable},
    {"files of an identity that cannot be used are told with what to do", unusable_files_are_told},
    {"a running local server comes before the selected context", a_running_local_server_comes_first},
    {"apply asks on a terminal", apply_asks_on_a_terminal},
    {"a bundle stands for its folder", a_bundle_stands_for_its_folder},
};

SPEC_MAIN(specs)
