/* SPDX-License-Identifier: Apache-2.0 */
/* weir dlq retry */
#include "cli/commands.h"
#include "cli/dlq.h"

static const struct option_row retry_options[] = {
    DLQ_FILTER_OPTIONS,
    {"all", 0, OPTION_FLAG, NULL, NULL, NULL, "every open letter"},
    {NULL},
};

static weir_code retry(cli *cli, const struct deadletter *letter, weir_error *err) {
    return deadletter_retry(cli_connection(cli), cli_catalog(cli), letter, err);
}

static int run_retry(cli *cli) {
    static const struct dlq_action action = {.verb = "retry", .done = "retried", .resolve = retry};
    return dlq_resolve(cli, &action);
}

const struct command_row command_dlq_retry = {
    .name = "dlq retry",
    .summary = "Send dead letters to their group again.",
    .arguments = "[ID ...]",
    .arguments_max = -1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = retry_options,
    .run = run_retry,
    .details =
        "Only the letter's own group gets the event, with its id unchanged and its attempts counted anew. If "
        "it fails again, it is the same letter with one retry more. Exits with 1 when a letter that was "
        "named "
        "is not open, or one could not be sent.\n",
};
