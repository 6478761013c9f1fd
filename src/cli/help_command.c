/* SPDX-License-Identifier: Apache-2.0 */
/* weir help [COMMAND], and man pages of all of them */
#include "cli/commands.h"
#include "cli/run.h"

/* "dlq" and "ls", or "dlq ls" in one. */
static const char *wanted_name(cli *cli) {
    const char *first = cli_argument(cli, 0), *second = cli_argument(cli, 1);
    return second ? arena_printf(cli->arena, "%s %s", first, second) : first;
}

static int write_man(cli *cli) {
    weir_error err;
    return man_write(cli_text(cli, "man"), &err) == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

static int run_help(cli *cli) {
    if (cli_given(cli, "man"))
        return write_man(cli);
    const char *name = wanted_name(cli);
    const struct command_row *row = name ? command_find(name) : NULL;
    bool group = name && !row && command_is_group(name);
    if (name && !row && !group) {
        struct command_match match;
        const char *tokens[] = {cli_argument(cli, 0), cli_argument(cli, 1)};
        weir_error err;
        if (command_match(&match, cli->arena, cli_argument_count(cli), tokens, &err) != WEIR_OK)
            return cli_usage(cli, "%s", err.message);
        return cli_usage(cli, "there is no command '%s'", name);
    }
    if (cli_json(cli)) {
        buffer text;
        buffer_init(&text, 1 << 20);
        help_json(&text, row ? name : NULL);
        fprintf(cli_out(cli), "%s\n", text.data);
        buffer_release(&text);
    } else if (row) {
        help_command(cli_out(cli), row);
    } else if (group) {
        help_group(cli_out(cli), name);
    } else {
        help_all(cli_out(cli));
    }
    return EXIT_OK;
}

static const struct option_row help_options[] = {
    {"man", 0, OPTION_TEXT, "DIR", NULL, NULL, "write man pages of all commands into this folder"},
    {NULL},
};

const struct command_row command_help = {
    .name = "help",
    .summary = "What a command does and which options it takes.",
    .arguments = "[COMMAND]",
    .arguments_max = 2,
    .options = help_options,
    .run = run_help,
};
