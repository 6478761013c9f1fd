/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: cli */
/* The command line as its tables say: parsing, suggestions, help, completion. No server, no catalog. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "cli/local_config.h"
#include "cli/run.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "json/json.h"

/* --- a command of its own ----------------------------------------------------------------------------- */

static int run_nothing(cli *cli) {
    (void)cli;
    return EXIT_OK;
}

static const struct option_row try_options[] = {
    {"fast", 'f', OPTION_FLAG, NULL, NULL, NULL, "be quick"},
    {"out", 'o', OPTION_TEXT, "FILE", "TRY_OUT", NULL, "where to"},
    {"port", 'p', OPTION_INT, "PORT", NULL, "4222", "which one", .least = 1, .most = 65535},
    {"any", 0, OPTION_INT, "NUMBER", NULL, NULL, "any number"},
    {"wait", 0, OPTION_DURATION, "TIME", "TRY_WAIT", "5s", "how long"},
    {"room", 0, OPTION_SIZE, "SIZE", NULL, NULL, "how much"},
    {"tag", 't', OPTION_LIST, "TAG", NULL, NULL, "some"},
    {"mode", 0, OPTION_TEXT, "MODE", NULL, NULL, "how", .choices = "slow|fast"},
    {NULL},
};
static const struct command_row try_command = {.name = "try",
                                               .arguments = "A [B]",
                                               .arguments_min = 1,
                                               .arguments_max = 2,
                                               .options = try_options,
                                               .run = run_nothing};
static const struct command_row exec_command = {
    .name = "exec", .arguments = "[A]", .arguments_max = 1, .needs = TAKES_REST, .run = run_nothing};

static const char *no_environment(const char *name) {
    (void)name;
    return NULL;
}

static const char *some_environment(const char *name) {
    if (strcmp(name, "TRY_WAIT") == 0)
        return "2m";
    return strcmp(name, "TRY_OUT") == 0 ? "" : NULL;
}

#define WORDS(...)          \
    (const char *const[]) { \
        __VA_ARGS__, NULL   \
    }

static weir_code parse_as(cli *cli, const struct command_row *row, const char *const *words,
                          const char *(*environment)(const char *), weir_error *err) {
    size_t count = 0;
    while (words[count])
        count++;
    *cli = (struct cli){.arena = arena_new(), .command = row};
    cli->options.arena = cli->arena;
    return options_parse(&cli->options, row, count, words, environment, err);
}

static weir_code parse(cli *cli, const char *const *words, weir_error *err) {
    return parse_as(cli, &try_command, words, no_environment, err);
}

static void expect_refused(const char *const *words, const char *message) {
    cli cli;
    weir_error err = {0};
    expect_error(parse(&cli, words, &err), WEIR_INVALID, &err, message);
    arena_free(cli.arena);
}

/* --- parsing -------------------------------------------------------------------------------------------- */

static void every_form_of_an_option(void **state) {
    (void)state;
    const char *const *forms[] = {WORDS("x", "--out", "a.json"), WORDS("--out=a.json", "x"),
                                  WORDS("-o", "a.json", "x"),    WORDS("x", "-oa.json"),
                                  WORDS("x", "-o=a.json"),       WORDS("x", "-fo", "a.json")};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        cli cli;
        weir_error err = {0};
        expect_ok(parse(&cli, forms[i], &err), &err);
        assert_string_equal(cli_text(&cli, "out"), "a.json");
        assert_true(cli_given(&cli, "out"));
        assert_int_equal(cli_argument_count(&cli), 1);
        assert_string_equal(cli_argument(&cli, 0), "x");
        assert_null(cli_argument(&cli, 1));
        arena_free(cli.arena);
    }
}

static void values_are_read(void **state) {
    (void)state;
    cli cli;
    weir_error err = {0};
    expect_ok(parse(&cli,
                    WORDS("x", "--port", "1", "--wait", "1h30m", "--room=64KiB", "-t", "a", "--tag=b",
                          "--any", "-7", "-f", "--mode", "fast"),
                    &err),
              &err);
    assert_int_equal(cli_int(&cli, "port"), 1);
    assert_int_equal(cli_int(&cli, "wait"), 5400 * 1000000000LL);
    assert_int_equal(cli_int(&cli, "room"), 65536);
    assert_int_equal(cli_int(&cli, "any"), -7);
    assert_int_equal(cli_list_count(&cli, "tag"), 2);
    assert_string_equal(cli_list_item(&cli, "tag", 1), "b");
    assert_null(cli_list_item(&cli, "tag", 2));
    assert_true(cli_flag(&cli, "fast"));
    assert_string_equal(cli_text(&cli, "mode"), "fast");
    arena_free(cli.arena);
}

static void defaults_fill_in(void **state) {
    (void)state;
    cli cli;
    weir_error err = {0};
    expect_ok(parse(&cli, WORDS("x"), &err), &err);
    assert_int_equal(cli_int(&cli, "port"), 4222);
    assert_int_equal(cli_int(&cli, "wait"), 5 * 1000000000LL);
    assert_false(cli_given(&cli, "port"));
    assert_null(cli_text(&cli, "out"));
    assert_false(cli_flag(&cli, "fast"));
    assert_true(cli_has_option(&cli, "json"));
    assert_false(cli_has_option(&cli, "env"));
    arena_free(cli.arena);
}

static void variables_come_between(void **state) {
    (void)state;
    cli cli;
    weir_error err = {0};
    expect_ok(parse_as(&cli, &try_command, WORDS("x"), some_environment, &err), &err);
    assert_int_equal(cli_int(&cli, "wait"), 120 * 1000000000LL);
    assert_null(cli_text(&cli, "out")); /* an empty variable is none */
    arena_free(cli.arena);
    expect_ok(parse_as(&cli, &try_command, WORDS("x", "--wait", "1s"), some_environment, &err), &err);
    assert_int_equal(cli_int(&cli, "wait"), 1000000000LL);
    arena_free(cli.arena);
}

static const char *bad_environment(const char *name) {
    return strcmp(name, "TRY_WAIT") == 0 ? "soon" : NULL;
}

static void a_bad_variable_is_named(void **state) {
    (void)state;
    cli cli;
    weir_error err = {0};
    expect_error(parse_as(&cli, &try_command, WORDS("x"), bad_environment, &err), WEIR_INVALID, &err,
                 "TRY_WAIT: \"soon\" is not a duration");
    arena_free(cli.arena);
}

static void dashes_end_options(void **state) {
    (void)state;
    cli cli;
    weir_error err = {0};
    expect_ok(parse(&cli, WORDS("--", "--port", "-"), &err), &err);
    assert_string_equal(cli_argument(&cli, 0), "--port");
    assert_string_equal(cli_argument(&cli, 1), "-");
    arena_free(cli.arena);
}

static void the_rest_is_a_command_line(void **state) {
    (void)state;
    cli cli;
    weir_error err = {0};
    expect_ok(parse_as(&cli, &exec_command, WORDS("g", "--", "sh", "--json"), no_environment, &err), &err);
    assert_string_equal(cli_rest(&cli)[0], "sh");
    assert_string_equal(cli_rest(&cli)[1], "--json");
    assert_null(cli_rest(&cli)[2]);
    assert_false(cli_flag(&cli, "json"));
    assert_int_equal(cli_argument_count(&cli), 1);
    arena_free(cli.arena);
}

static void wrong_values_are_named(void **state) {
    (void)state;
    expect_refused(WORDS("x", "--port", "0"), "--port: 0 is not between 1 and 65535");
    expect_refused(WORDS("x", "--port=70000"), "--port: 70000 is not between 1 and 65535");
    expect_refused(WORDS("x", "--port", "99999999999999999999"),
                   "--port: 99999999999999999999 is not between 1 and 65535");
    expect_refused(WORDS("x", "--any", "99999999999999999999"), "--any: 99999999999999999999 is too large");
    expect_refused(WORDS("x", "--port", "4k"), "--port: '4k' is not a whole number");
    expect_refused(WORDS("x", "--port", " 4"), "--port: ' 4' is not a whole number");
    expect_refused(WORDS("x", "--port", "1.5"), "--port: '1.5' is not a whole number");
    expect_refused(WORDS("x", "--port="), "--port: the value is empty");
    expect_refused(WORDS("x", "--out="), "--out: the value is empty");
    expect_refused(WORDS("x", "--wait", "5"), "--wait: \"5\" is not a duration");
    expect_refused(WORDS("x", "--room", "5 MB"), "--room: \"5 MB\" is not a size");
    expect_refused(WORDS("x", "--mode", "fas"), "--mode: 'fas' is none of slow|fast");
}

static void wrong_options_are_named(void **state) {
    (void)state;
    expect_refused(WORDS("x", "--prt", "1"), "unknown option --prt (did you mean --port?)");
    expect_refused(WORDS("x", "--jsn"), "unknown option --jsn (did you mean --json?)");
    expect_refused(WORDS("x", "--zzzzzz"), "unknown option --zzzzzz");
    expect_refused(WORDS("x", "--x="), "unknown option --x");
    expect_refused(WORDS("x", "-z"), "unknown option -z");
    expect_refused(WORDS("x", "--esc\033[2J"), "unknown option --esc\\x1b[2J");
    expect_refused(WORDS("x", "--out"), "option --out needs a value: --out FILE");
    expect_refused(WORDS("x", "-o"), "option --out needs a value: --out FILE");
    expect_refused(
        WORDS("x", "--out", "--json"),
        "option --out needs a value: --out FILE, or --out=VALUE for a value that starts with dashes");
    expect_refused(WORDS("x", "--fast=yes"), "option --fast takes no value");
    expect_refused(WORDS("x", "--out", "a", "--out", "b"), "option --out was given twice");
}

static void wrong_arguments_are_named(void **state) {
    (void)state;
    expect_refused(WORDS("--fast"), "an argument is missing: weir try A [B]");
    expect_refused(WORDS("a", ""), "argument 2 is empty");
    expect_refused(WORDS("a", "b", "c\n"), "one argument too many: 'c\\x0a'");
}

/* --- which command -------------------------------------------------------------------------------------- */

static weir_code match(struct command_match *out, arena *arena, const char *const *words, weir_error *err) {
    size_t count = 0;
    while (words[count])
        count++;
    return command_match(out, arena, count, words, err);
}

static void commands_are_found(void **state) {
    (void)state;
    arena *arena = arena_new();
    struct command_match found;
    weir_error err = {0};
    expect_ok(match(&found, arena, WORDS("check", "dir"), &err), &err);
    assert_string_equal(found.row->name, "check");
    assert_int_equal(found.words, 1);
    expect_ok(match(&found, arena, WORDS("--server", "check", "-j", "plan"), &err), &err);
    assert_string_equal(found.row->name, "plan");
    assert_int_equal(found.first, 3);
    expect_ok(match(&found, arena, WORDS("--json"), &err), &err);
    assert_null(found.row);
    assert_null(found.group);
    arena_free(arena);
}

static void near_commands_are_suggested(void **state) {
    (void)state;
    arena *arena = arena_new();
    struct command_match found;
    weir_error err = {0};
    expect_error(match(&found, arena, WORDS("chek"), &err), WEIR_NOT_FOUND, &err,
                 "unknown command 'chek' (did you mean 'check'?)");
    expect_error(match(&found, arena, WORDS("frobnicate"), &err), WEIR_NOT_FOUND, &err,
                 "unknown command 'frobnicate'");
    expect_error(match(&found, arena, WORDS(""), &err), WEIR_NOT_FOUND, &err, "unknown command ''");
    arena_free(arena);
}

/* --- help ----------------------------------------------------------------------------------------------- */

static const char *golden_folder(void) {
    static char path[1024];
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/test/golden/help", source && *source ? source : ".");
    return path;
}

static void golden_path(char path[2048], const char *name) {
    snprintf(path, 2048, "%s/%s.txt", golden_folder(), name);
    for (char *at = path + strlen(golden_folder()); *at; at++)
        *at = *at == ' ' ? '-' : *at;
}

/* Compares with the golden file, or writes it. */
static void expect_golden(const char *name, const char *text) {
    char path[2048], *golden;
    size_t size;
    weir_error err = {0};
    golden_path(path, name);
    if (getenv("WEIR_GOLDEN_UPDATE")) {
        expect_ok(file_write_atomic(path, text, strlen(text), 0644, &err), &err);
        return;
    }
    expect_ok(file_read(&golden, &size, path, 1 << 20, &err), &err);
    if (strcmp(golden, text) != 0)
        print_error("%s differs; after a wanted change: WEIR_GOLDEN_UPDATE=1 build/test/cli_spec\n", path);
    assert_string_equal(text, golden);
    mem_free(golden);
}

static char *rendered(void (*print)(FILE *out, const void *what), const void *what) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(out, what);
    fclose(out);
    return text;
}

static void print_all(FILE *out, const void *what) {
    (void)what;
    help_all(out);
}

static void print_group(FILE *out, const void *what) {
    help_group(out, what);
}

static void print_command(FILE *out, const void *what) {
    help_command(out, what);
}

static void help_is_golden(void **state) {
    (void)state;
    char *text = rendered(print_all, NULL);
    expect_golden("weir", text);
    free(text);
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        text = rendered(print_command, entry->row);
        expect_golden(entry->row->name, text);
        free(text);
        char group[64];
        snprintf(group, sizeof group, "%.*s", (int)strcspn(entry->row->name, " "), entry->row->name);
        if (strcmp(group, entry->row->name) != 0 && !command_find(group)) {
            text = rendered(print_group, group);
            expect_golden(group, text);
            free(text);
        }
    }
}

static void help_fits_a_terminal(void **state) {
    (void)state;
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        char *text = rendered(print_command, entry->row);
        for (char *line = text; *line; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > 80)
                fail_msg("help of %s has a line of %zu columns: %.100s", entry->row->name,
                         strcspn(line, "\n"), line);
        free(text);
    }
}

static bool known_name(const char *name) {
    if (strcmp(name, "weir") == 0)
        return true;
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        char dashed[64];
        snprintf(dashed, sizeof dashed, "%s", entry->row->name);
        for (char *at = dashed; *at; at++)
            *at = *at == ' ' ? '-' : *at;
        if (strcmp(dashed, name) == 0)
            return true;
    }
    return command_is_group(name);
}

static void no_help_is_left_over(void **state) {
    (void)state;
    DIR *folder = opendir(golden_folder());
    assert_non_null(folder);
    for (struct dirent *file; (file = readdir(folder));) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(file->d_name, "."), file->d_name);
        if (*name && !known_name(name))
            fail_msg("test/golden/help/%s belongs to no command", file->d_name);
    }
    closedir(folder);
}

static void rows_are_well_made(void **state) {
    (void)state;
    for (const struct command_entry *entry = command_entries; entry->row; entry++) {
        const struct command_row *row = entry->row;
        assert_non_null(row->run);
        assert_true(row->arguments_max < 0 || row->arguments_min <= row->arguments_max);
        assert_true(row->summary[strlen(row->summary) - 1] == '.');
        const struct option_row *tables[OPTION_TABLES];
        option_tables(row, tables);
        for (size_t t = 0; tables[t]; t++)
            for (const struct option_row *option = tables[t]; option->name; option++) {
                if (option_find(tables, weir_text_of(option->name), 0) != option)
                    fail_msg("weir %s has two options --%s", row->name, option->name);
                if (option->letter && option_find(tables, (weir_text){0}, option->letter) != option)
                    fail_msg("weir %s has two options -%c", row->name, option->letter);
                if ((option->kind == OPTION_FLAG) != !option->arg)
                    fail_msg("weir %s --%s: flags have no argument name, all others have one", row->name,
                             option->name);
            }
    }
}

static void help_as_json_parses(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 4 << 20);
    help_json(&text, NULL);
    json_doc *doc;
    weir_error err = {0};
    expect_ok(json_parse(&doc, buffer_view(&text), &err), &err);
    size_t count = 0;
    while (command_entries[count].row)
        count++;
    assert_int_equal(json_size(json_get(json_root(doc), "commands")), count);
    json_doc_free(doc);
    buffer_release(&text);
}

/* --- tables, folders, versions -------------------------------------------------------------------------- */

static void tables_align_and_escape(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    cli cli = {.out = open_memstream(&text, &size)};
    struct cli_table *table = cli_table_new((const char *const[]){"NAME", "COUNT"}, 2);
    cli_table_cell(table, false, "%s", "r\303\244ume");
    cli_table_cell(table, true, "%d", 7);
    cli_table_cell(table, false, "%s", "a\033[2Jb");
    cli_table_cell(table, true, "%d", 123456);
    cli_table_print(table, &cli);
    fclose(cli.out);
    assert_string_equal(text, "NAME        COUNT\n"
                              "r\303\244ume           7\n"
                              "a\\x1b[2Jb  123456\n");
    free(text);
}

static void the_nearest_catalog_is_found(void **state) {
    (void)state;
    weir_error err = {0};
    arena *arena = arena_new();
    const char *found;
    char inner[1100], outer[1024], file[1100];
    snprintf(outer, sizeof outer, "%s", kit_path("up"));
    snprintf(inner, sizeof inner, "%s/a/b", outer);
    snprintf(file, sizeof file, "%s/catalog.yaml", outer);
    expect_ok(folder_make(inner, &err), &err);
    expect_ok(file_write_atomic(file, "x", 1, 0600, &err), &err);
    expect_ok(folder_find(&found, arena, NULL, inner, &err), &err);
    assert_string_equal(found, outer);
    expect_ok(folder_find(&found, arena, file, inner, &err), &err);
    assert_string_equal(found, outer);
    char message[1200];
    snprintf(message, sizeof message, "%s holds no catalog.yaml", inner);
    expect_error(folder_find(&found, arena, inner, ".", &err), WEIR_NOT_FOUND, &err, message);
    expect_error(folder_find(&found, arena, "/does/not/exist", ".", &err), WEIR_NOT_FOUND, &err,
                 "there is no folder /does/not/exist");
    arena_free(arena);
}

static void server_versions_are_read(void **state) {
    (void)state;
    int major = 0, minor = 0;
    assert_true(local_version_read(weir_text_of("nats-server: v2.15.1\n"), &major, &minor));
    assert_int_equal(major, 2);
    assert_int_equal(minor, 15);
    assert_false(local_version_read(weir_text_of("redis-server 7"), &major, &minor));
    assert_false(local_version_read(weir_text_of(""), &major, &minor));
}

static void strange_folders_stay_strings(void **state) {
    (void)state;
    buffer text;
    buffer_init(&text, 1 << 16);
    local_config_write(&text, "/tmp/a \"b\"\n}", "n", 4222);
    assert_non_null(strstr(text.data, "store_dir: \"/tmp/a \\x22b\\x22\\x0A}/jetstream\""));
    buffer_release(&text);
}

static const struct option_row page_options[] = {
    {"out", 'o', OPTION_TEXT, "FILE", "TRY_OUT", "a.b", "where to"},
    {NULL},
};
static const struct command_row page_command = {.name = "try it",
                                                .summary = "Tries it.",
                                                .arguments = "[A]",
                                                .options = page_options,
                                                .needs = USES_EXIT_CODE,
                                                .details = "One thing\\\n.and another.\n  kept - as it is\n"};

static void a_page_is_roff(void **state) {
    (void)state;
    buffer page;
    buffer_init(&page, 1 << 20);
    man_command(&page, "weir-try-it", &page_command);
    static const char *const parts[] = {
        ".TH \"weir-try-it\" 1 \"\" \"weir ",
        ".SH NAME\nweir\\-try\\-it \\- Tries it\n",
        ".B weir try it\n[A] [options]\n",
        ".SH DESCRIPTION\nOne thing\\e\n\\&.and another.\n.PP\n.nf\n  kept \\- as it is\n.fi\n",
        ".TP\n.B \\-o, \\-\\-out FILE\nwhere to (TRY_OUT; default a.b)\n",
        "With \\-\\-exit\\-code: 0: nothing to change; 2: changes; 1: anything else.\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(page.data, parts[i]))
            fail_msg("missing:\n%s\nin:\n%s", parts[i], page.data);
    buffer_release(&page);
}

static const struct spec specs[] = {
    {"an option may be written in every usual form", every_form_of_an_option},
    {"ints, durations, sizes, lists and flags are read", values_are_read},
    {"defaults fill what was not given", defaults_fill_in},
    {"an environment variable comes between command line and default", variables_come_between},
    {"a bad environment variable is named", a_bad_variable_is_named},
    {"two dashes end the options", dashes_end_options},
    {"a command may take another command line after two dashes", the_rest_is_a_command_line},
    {"a wrong value is named with its option", wrong_values_are_named},
    {"a wrong option is named and the nearest one suggested", wrong_options_are_named},
    {"missing and superfluous arguments are named", wrong_arguments_are_named},
    {"a command is found behind shared options", commands_are_found},
    {"a command that does not exist suggests the nearest", near_commands_are_suggested},
    {"all help is as the golden files say", help_is_golden},
    {"help fits a terminal of 80 columns", help_fits_a_terminal},
    {"no golden help is left of a command that is gone", no_help_is_left_over},
    {"rows have distinct names and letters", rows_are_well_made},
    {"help as JSON parses and names every command", help_as_json_parses},
    {"a man page is made from the rows", a_page_is_roff},
    {"tables are aligned and their cells cannot draw", tables_align_and_escape},
    {"the nearest catalog upwards is found", the_nearest_catalog_is_found},
    {"the version of a nats-server is read", server_versions_are_read},
    {"a folder with a strange name stays one string of the configuration", strange_folders_stay_strings},
};

SPEC_MAIN(specs)
