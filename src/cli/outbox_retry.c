/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox retry URL POS ... | --all */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/outbox.h"

static const struct option_row retry_options[] = {
    {"all", 0, OPTION_FLAG, NULL, NULL, NULL, "every parked row"},
    {NULL},
};

static weir_code retry(cli *cli, outbox *outbox, const int64_t *positions, size_t *done, size_t *missed,
                       weir_error *err) {
    weir_code code = WEIR_OK;
    size_t count;
    if (cli_flag(cli, "all"))
        return outbox_unpark(outbox, 0, done, err);
    for (size_t i = 0; i + 1 < cli_argument_count(cli) && code == WEIR_OK; i++) {
        code = outbox_unpark(outbox, positions[i], &count, err);
        if (code != WEIR_OK)
            break;
        *done += count;
        *missed += count == 0;
        if (count == 0)
            cli_say(cli, "row %" PRId64 " is not parked", positions[i]);
    }
    return code;
}

static int finish(cli *cli, size_t done, size_t missed) {
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        weir_json_begin_object(json);
        weir_json_key(json, "pending_again");
        weir_json_int(json, (int64_t)done);
        weir_json_key(json, "not_parked");
        weir_json_int(json, (int64_t)missed);
        weir_json_end_object(json);
        outbox_print_json(cli, json);
    }
    cli_say(cli, "%zu row%s pending again", done, done == 1 ? " is" : "s are");
    return missed ? EXIT_ERROR : EXIT_OK;
}

static int run_retry(cli *cli) {
    weir_error err;
    int code = EXIT_OK;
    size_t named = cli_argument_count(cli) - 1, done = 0, missed = 0;
    if ((named > 0) == cli_flag(cli, "all"))
        return cli_usage(cli, "say which rows: their positions, or --all");
    int64_t *positions = mem_alloc((named + 1) * sizeof *positions);
    for (size_t i = 0; i < named && code == EXIT_OK; i++)
        positions[i] = outbox_position(cli, i + 1, &code);
    outbox *outbox = code == EXIT_OK ? outbox_of(cli) : NULL;
    if (outbox && retry(cli, outbox, positions, &done, &missed, &err) != WEIR_OK)
        code = cli_fail(cli, &err);
    else if (outbox)
        code = finish(cli, done, missed);
    else if (code == EXIT_OK)
        code = EXIT_ERROR;
    outbox_close(outbox);
    mem_free(positions);
    return code;
}

const struct command_row command_outbox_retry = {
    .name = "outbox retry",
    .summary = "Make parked rows pending again.",
    .arguments = "URL POS ... | --all",
    .arguments_min = 1,
    .arguments_max = -1,
    .options = retry_options,
    .run = run_retry,
    .details = "The relay takes them up at once. A row that is still refused is parked again. Exits with 1 "
               "when a row that "
               "was named is not parked.\n",
};
