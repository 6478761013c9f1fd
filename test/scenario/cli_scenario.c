/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: json base */
/* The program as its users meet it: exit codes, what goes to which stream, JSON that parses, output that
 * cannot be written, first catalogs and their checks. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "cli_fixture.h"

/* --- words ---------------------------------------------------------------------------------------------- */

static void help_goes_to_stdout(void **state) {
    (void)state;
    own_environment();
    struct kit_run run = WEIR("--help"), again = WEIR("help"),
                   nothing = kit_run((const char *const[]){kit_program("weir"), NULL}, NULL, 60);
    assert_int_equal(run.status, 0);
    assert_string_equal(run.err, "");
    assert_non_null(strstr(run.out, "usage: weir COMMAND"));
    assert_string_equal(run.out, again.out);
    assert_string_equal(run.out, nothing.out);
    kit_run_free(&run);
    kit_run_free(&again);
    kit_run_free(&nothing);
    run = WEIR("check", "--help");
    again = WEIR("help", "check");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, again.out);
    kit_run_free(&run);
    kit_run_free(&again);
}

static void usage_errors_are_two(void **state) {
    (void)state;
    own_environment();
    EXPECT(WEIR("chek"), 2, "", "weir: unknown command 'chek' (did you mean 'check'?); see weir help\n");
    EXPECT(WEIR("help", "chek"), 2, "",
           "weir help: unknown command 'chek' (did you mean 'check'?); see weir help help\n");
    EXPECT(WEIR("check", "--jsn"), 2, "",
           "weir check: unknown option --jsn (did you mean --json?); see weir help check\n");
    EXPECT(WEIR("check", "a", "b"), 2, "", "weir check: one argument too many: 'b'; see weir help check\n");
    EXPECT(WEIR("up", "--port", "0"), 2, "",
           "weir up: --port: 0 is not between 1 and 65535; see weir help up\n");
    EXPECT(
        WEIR("down", "--grace", "10"), 2, "",
        "weir down: --grace: \"10\" is not a duration; see weir help down\n"
        "  write a whole number and a unit, largest first: 250ms, 5s, 2m, 24h, 7d, 1y, 1h30m, or forever\n");
    EXPECT(WEIR("completion"), 2, "",
           "weir completion: an argument is missing: weir completion bash | zsh | fish; see weir help "
           "completion\n");
    EXPECT(WEIR("--frobnicate"), 2, "", NULL);
    EXPECT(WEIR("dlq"), 2, "", "weir: 'dlq' is a group of commands: name one of them; see weir help dlq\n");
    EXPECT(WEIR("dlq", "shw"), 2, "",
           "weir: unknown command 'dlq shw' (did you mean 'dlq show'?); see weir help dlq\n");
}

static void usage_under_exit_code_is_one(void **state) {
    (void)state;
    own_environment();
    EXPECT(WEIR("plan", "--exit-code", "--bogus"), 1, "", NULL);
    EXPECT(WEIR("plan", "--bogus"), 2, "", NULL);
}

static void usage_errors_are_json_too(void **state) {
    (void)state;
    own_environment();
    struct kit_run run = WEIR("check", "--json", "--bogus");
    assert_int_equal(run.status, 2);
    json_doc *doc = json_of(&run);
    assert_string_equal(text_at(doc, "/error/code"), "usage");
    assert_string_equal(text_at(doc, "/error/message"), "unknown option --bogus");
    assert_string_equal(text_at(doc, "/error/hint"), "see weir help check");
    json_doc_free(doc);
    kit_run_free(&run);
}

static void the_version_is_told(void **state) {
    (void)state;
    own_environment();
    struct kit_run run = WEIR("version"), option = WEIR("--version"), json = WEIR("version", "-j");
    assert_int_equal(strncmp(run.out, "weir 0.", 7), 0);
    assert_string_equal(run.out, option.out);
    json_doc *doc = json_of(&json);
    assert_int_equal(strncmp(text_at(doc, "/version"), "0.", 2), 0);
    json_doc_free(doc);
    kit_run_free(&run);
    kit_run_free(&option);
    kit_run_free(&json);
}

/* --- output that cannot be written ---------------------------------------------------------------------- */

static struct kit_run run_into(int out) {
    const char *argv[] = {kit_program("weir"), "help", NULL};
    int err = open(kit_path("into.err"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), status;
    weir_error error = {0};
    pid_t pid;
    struct kit_run run = {0};
    size_t size;
    expect_ok(process_start(&pid, &(struct process_options){.argv = argv, .in = -1, .out = out, .err = err},
                            &error),
              &error);
    assert_true(process_wait(pid, 10000, &status));
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    expect_ok(file_read(&run.err, &size, kit_path("into.err"), 4096, &error), &error);
    close(err);
    return run;
}

static void a_closed_pipe_ends_silently(void **state) {
    (void)state;
    own_environment();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    EXPECT(run_into(ends[1]), 1, NULL, "");
    close(ends[1]);
}

static void a_full_disk_is_said(void **state) {
    (void)state;
    own_environment();
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    EXPECT(run_into(full), 1, NULL, "weir: cannot write to standard output: No space left on device\n");
    close(full);
}

/* --- init and check ------------------------------------------------------------------------------------- */

static void a_first_catalog_is_sound(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_path("first");
    EXPECT(WEIR("init", folder), 0, NULL, NULL);
    struct kit_run run = WEIR("check", folder, "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 0);
    const json *findings = json_pointer(json_root(doc), weir_text_of("/findings"));
    for (struct json_iter it = json_iter(findings); json_next(&it);)
        assert_string_equal(json_cstr(json_get(it.value, "severity")), "note");
    assert_string_equal(text_at(doc, "/catalog"), "shop");
    json_doc_free(doc);
    kit_run_free(&run);
    EXPECT(WEIR("check", folder, "--env", "prod", "-q"), 0, NULL, "");
    EXPECT(WEIR("check", folder, "--env", "dev", "-q"), 0, NULL, "");
}

static void init_never_overwrites(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_path("taken");
    kit_file(folder, "order.yaml", "mine");
    struct kit_run run = WEIR("init", folder);
    assert_int_equal(run.status, 1);
    assert_string_equal(
        without_folder(run.err),
        "weir init: @/taken/order.yaml exists already\n  name another folder: weir init DIR\n");
    kit_run_free(&run);
    char path[1200];
    snprintf(path, sizeof path, "%s/catalog.yaml", folder);
    assert_int_equal(access(path, F_OK), -1); /* all or nothing */
}

static void findings_name_file_and_line(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_catalog_folder(CATALOG("", "ODER"));
    struct kit_run run = WEIR("check", folder);
    assert_int_equal(run.status, 1);
    char start[1200];
    snprintf(start, sizeof start, "%s/catalog.yaml:7:", folder);
    const char *line = strstr(run.out, start);
    assert_non_null(line);
    assert_non_null(strstr(line, ": error C"));
    assert_non_null(strstr(run.err, "error"));
    kit_run_free(&run);
    run = WEIR("check", folder, "--json");
    assert_int_equal(run.status, 1);
    json_doc *doc = json_of(&run);
    const json *findings = json_get(json_root(doc), "findings"), *error = NULL;
    for (struct json_iter it = json_iter(findings); json_next(&it);)
        if (text_is(json_text(json_get(it.value, "severity")), "error"))
            error = it.value;
    int64_t number = 0;
    assert_string_equal(json_cstr(json_get(error, "file")), "catalog.yaml");
    assert_true(json_int(json_get(error, "line"), &number));
    assert_int_equal(number, 7);
    assert_true(json_text(json_get(error, "remedy")).size > 0);
    json_doc_free(doc);
    kit_run_free(&run);
}

static void the_catalog_is_found(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER"));
    EXPECT(WEIR("check", folder, "-q"), 0, NULL, "");
    EXPECT(WEIR("check", "--catalog", folder, "-q"), 0, NULL, "");
    setenv("WEIR_CATALOG", folder, 1);
    EXPECT(WEIR("check", "-q"), 0, NULL, "");
    unsetenv("WEIR_CATALOG");
    struct kit_run run = WEIR("check", folder, "--catalog", folder);
    assert_int_equal(run.status, 2);
    kit_run_free(&run);
    run = WEIR("check", "/does/not/exist");
    EXPECT(run, 1, "", "weir check: there is no folder /does/not/exist\n");
    run = WEIR("check", kit_folder());
    assert_int_equal(run.status, 1);
    assert_string_equal(
        without_folder(run.err),
        "weir check: @ holds no catalog.yaml\n  name the catalog's folder, or start one with weir init @\n");
    kit_run_free(&run);
}

static void an_unknown_environment_is_said(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER"));
    struct kit_run run = WEIR("check", folder, "--env", "moon");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "moon"));
    kit_run_free(&run);
}

static void the_rules_are_listed(void **state) {
    (void)state;
    own_environment();
    struct kit_run run = WEIR("check", "--rules"), json = WEIR("check", "--rules", "--json");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "C101"));
    json_doc *doc = json_of(&json);
    assert_true(json_size(json_get(json_root(doc), "rules")) >= 25);
    json_doc_free(doc);
    kit_run_free(&run);
    kit_run_free(&json);
}

static void a_bundle_is_written(void **state) {
    (void)state;
    own_environment();
    const char *folder = kit_catalog_folder(CATALOG("", "ORDER")), *path = kit_path("bundle.json");
    EXPECT(WEIR("check", folder, "-q", "-o", path), 0, NULL, "");
    char *text;
    size_t size;
    weir_error err = {0};
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    json_doc *doc = NULL;
    expect_ok(json_parse(&doc, (weir_text){text, size}, &err), &err);
    assert_string_equal(text_at(doc, "/catalog/catalog"), "shop");
    json_doc_free(doc);
    free(text);
}

/* --- completion ----------------------------------------------------------------------------------------- */

/* What bash offers after `words`, the last of which is being typed. */
static struct kit_run completed(const char *const *words) {
    struct kit_run script = WEIR("completion", "bash");
    assert_int_equal(script.status, 0);
    kit_file(kit_folder(), "weir.bash", script.out);
    kit_run_free(&script);
    char line[2048];
    size_t size = (size_t)snprintf(line, sizeof line, ". %s/weir.bash; COMP_WORDS=(", kit_folder()),
           count = 0;
    for (; words[count]; count++)
        size += (size_t)snprintf(line + size, sizeof line - size, "'%s' ", words[count]);
    snprintf(line + size, sizeof line - size, "); COMP_CWORD=%zu; _weir; printf '%%s\\n' \"${COMPREPLY[@]}\"",
             count - 1);
    return kit_run((const char *const[]){"bash", "--norc", "-c", line, NULL}, NULL, 20);
}
#define COMPLETED(...) completed((const char *const[]){__VA_ARGS__, NULL})

static void bash_completes(void **state) {
    (void)state;
    own_environment();
    EXPECT(COMPLETED("weir", "che"), 0, "check\n", "");
    EXPECT(COMPLETED("weir", "help", "pla"), 0, "plan\n", "");
    EXPECT(COMPLETED("weir", "check", "--ru"), 0, "--rules\n", "");
    EXPECT(COMPLETED("weir", "dlq", "sh"), 0, "show\n", "");
    EXPECT(COMPLETED("weir", "dlq", "retry", "--al"), 0, "--all\n", "");
    EXPECT(COMPLETED("weir", "check", "--log-level", "de"), 0, "debug\n", "");
    EXPECT(COMPLETED("weir", "apply", "--allow"), 0, "--allow-loss\n", "");
}

static void every_script_is_one(void **state) {
    (void)state;
    own_environment();
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < 3; i++) {
        struct kit_run run = WEIR("completion", shells[i]), json = WEIR("completion", shells[i], "--json");
        assert_int_equal(run.status, 0);
        assert_non_null(strstr(run.out, "allow-loss"));
        json_doc *doc = json_of(&json);
        assert_string_equal(text_at(doc, "/script"), run.out);
        json_doc_free(doc);
        kit_run_free(&run);
        kit_run_free(&json);
    }
    EXPECT(WEIR("completion", "tcsh"), 2, "",
           "weir completion: there are completions for bash, zsh and fish only; see weir help completion\n");
}

static const struct spec specs[] = {
    {"help goes to standard output", help_goes_to_stdout},
    {"a usage error exits with 2 and suggests", usage_errors_are_two},
    {"a usage error under exit-code exits with 1", usage_under_exit_code_is_one},
    {"a usage error is JSON where JSON was asked for", usage_errors_are_json_too},
    {"the version is told", the_version_is_told},
    {"a closed pipe ends the program without a word", a_closed_pipe_ends_silently},
    {"a full disk is said", a_full_disk_is_said},
    {"the first catalog is sound", a_first_catalog_is_sound},
    {"init never overwrites", init_never_overwrites},
    {"findings name file and line", findings_name_file_and_line},
    {"the catalog is found by argument, option and variable", the_catalog_is_found},
    {"an unknown environment is said", an_unknown_environment_is_said},
    {"the rules are listed", the_rules_are_listed},
    {"a bundle is written", a_bundle_is_written},
    {"bash completes commands, options and values", bash_completes},
    {"there is a completion script for each shell", every_script_is_one},
};

SPEC_MAIN(specs)
