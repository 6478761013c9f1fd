/* SPDX-License-Identifier: Apache-2.0 */
/* weir version */
#include "cli/commands.h"
#include "weir/weir.h"

static int run_version(cli *cli) {
    if (cli_json(cli))
        fprintf(cli_out(cli), "{\"version\":\"%s\"}\n", WEIR_VERSION);
    else
        fprintf(cli_out(cli), "weir %s\n", WEIR_VERSION);
    return EXIT_OK;
}

const struct command_row command_version = {
    .name = "version",
    .summary = "The version of this program.",
    .arguments = "",
    .run = run_version,
};
