/* SPDX-License-Identifier: Apache-2.0 */
/* weir dlq drop */
#include "cli/commands.h"
#include "cli/dlq.h"

static const struct option_row drop_options[] = {
    DLQ_FILTER_OPTIONS,
    {"all", 0, OPTION_FLAG, NULL, NULL, NULL, "every open letter"},
    {"why", 0, OPTION_TEXT, "TEXT", NULL, NULL, "kept in the log of resolved letters"},
    {"yes", 'y', OPTION_FLAG, NULL, NULL, NULL, "do not ask"},
    {NULL},
};

static weir_code drop(cli *cli, const struct deadletter *letter, weir_error *err) {
    const char *why = cli_text(cli, "why");
    return deadletter_drop(cli_connection(cli), cli_catalog(cli), letter, why ? why : "", err);
}

static int run_drop(cli *cli) {
    static const struct dlq_action action = {
        .verb = "drop", .done = "dropped", .resolve = drop, .confirm = true};
    return dlq_resolve(cli, &action);
}

const struct command_row command_dlq_drop = {
    .name = "dlq drop",
    .summary = "Close dead letters without handling them.",
    .arguments = "[ID ...]",
    .arguments_max = -1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = drop_options,
    .run = run_drop,
    .details =
        "The log of resolved letters keeps what was dropped and why, without the event's bytes. Exits with 1 "
        "when a letter that was named is not open.\n",
};
