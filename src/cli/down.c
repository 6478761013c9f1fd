/* SPDX-License-Identifier: Apache-2.0 */
/* weir down */
#include <limits.h>

#include "cli/commands.h"
#include "cli/local_server.h"
#include "cli/run.h"

static const struct option_row down_options[] = {
    {"dir", 0, OPTION_TEXT, "DIR", NULL, NULL, "folder given to weir up"},
    {"grace", 0, OPTION_DURATION, "TIME", NULL, "10s", "how long it may take to end by itself"},
    {NULL},
};

static int run_down(cli *cli) {
    buffer dir;
    buffer_init(&dir, PATH_MAX);
    weir_error err;
    bool stopped = false;
    weir_code code = WEIR_OK;
    if (cli_text(cli, "dir"))
        buffer_string(&dir, cli_text(cli, "dir"));
    else
        code = local_server_default_dir(&dir, &err);
    if (code == WEIR_OK)
        code = local_server_down(dir.data, cli_int(cli, "grace") / 1000000, &stopped, &err);
    int exit_code = code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
    if (code == WEIR_OK && cli_json(cli))
        fprintf(cli_out(cli), "{\"stopped\":%s}\n", stopped ? "true" : "false");
    else if (code == WEIR_OK)
        cli_say(cli, stopped ? "stopped the server of %s" : "no server was running in %s", dir.data);
    buffer_release(&dir);
    return exit_code;
}

const struct command_row command_down = {
    .name = "down",
    .summary = "Stop the nats-server that weir up runs.",
    .arguments = "",
    .options = down_options,
    .run = run_down,
    .details = "Stops only the process that weir up started, known by its pid, its start time and\n"
               "the lock it holds. Its data stays.\n",
};
