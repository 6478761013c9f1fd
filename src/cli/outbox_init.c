/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox init URL */
#include "cli/commands.h"
#include "cli/outbox.h"

static int run_init(cli *cli) {
    const char *url = cli_argument(cli, 0);
    weir_error err;
    outbox *outbox;
    if (outbox_init(url, &err) != WEIR_OK || outbox_open(&outbox, url, NULL, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        weir_json_begin_object(json);
        weir_json_key(json, "outbox");
        weir_json_string(json, url);
        weir_json_key(json, "uuid");
        weir_json_string(json, outbox_uuid(outbox));
        weir_json_end_object(json);
        outbox_print_json(cli, json);
    }
    cli_say(cli, "%s has the tables of the outbox and the inbox", url);
    outbox_close(outbox);
    return EXIT_OK;
}

const struct command_row command_outbox_init = {
    .name = "outbox init",
    .summary = "Create the tables of outbox and inbox.",
    .arguments = "URL",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_init,
    .details = "URL is sqlite:PATH; the file is created where it is missing. Safe to run again: what is "
               "there stays. Any language "
               "then inserts type and payload into outbox_events, in the transaction of its own data:\n"
               "\n"
               "  INSERT INTO outbox_events (type, payload) VALUES ('order.placed', '{...}')\n",
};
