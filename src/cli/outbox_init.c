/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox init URL */
#include <string.h>

#include "cli/commands.h"
#include "cli/outbox.h"

static const struct option_row init_options[] = {
    {"print", 0, OPTION_FLAG, NULL, NULL, NULL, "only print PostgreSQL's SQL; needs no database"},
    {"preset", 0, OPTION_TEXT, "PRESET", NULL, NULL,
     "the kind of table (PostgreSQL): weir's own, or one that is there and is taken over",
     "weir|debezium|seed"},
    {"table", 0, OPTION_TEXT, "NAME", NULL, NULL, "the table to take over, where it is not called as usual"},
    {NULL},
};

static void tell(void *arg, const char *sentence) {
    cli_say(arg, "%s", sentence);
}

static int print_sql(cli *cli, const struct outbox_layout *layout) {
    char *sql = outbox_layout_sql(layout);
    fputs(sql, cli_out(cli));
    mem_free(sql);
    return EXIT_OK;
}

static void print_json(cli *cli, const outbox *outbox) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "outbox");
    weir_json_string(json, outbox_url(outbox));
    weir_json_key(json, "uuid");
    weir_json_string(json, outbox_uuid(outbox));
    weir_json_end_object(json);
    outbox_print_json(cli, json);
}

static int run_init(cli *cli) {
    const struct outbox_layout layout = {
        .preset = cli_text(cli, "preset"), .table = cli_text(cli, "table"), .told = tell, .arg = cli};
    weir_error err;
    outbox *outbox;
    const char *url = cli_argument_count(cli) ? cli_argument(cli, 0) : NULL;
    if (cli_flag(cli, "print") && url && strncmp(url, "sqlite:", 7) == 0)
        return cli_usage(cli, "--print shows the SQL for PostgreSQL, not for %s", url);
    if (cli_flag(cli, "print"))
        return print_sql(cli, &layout);
    if (!url)
        return cli_usage(cli, "name the database: weir outbox init postgres://... or sqlite:PATH");
    if (outbox_init_as(url, &layout, &err) != WEIR_OK || outbox_open(&outbox, url, NULL, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if (cli_json(cli))
        print_json(cli, outbox);
    cli_say(cli, "%s has the tables of the outbox and the inbox", outbox_url(outbox));
    outbox_close(outbox);
    return EXIT_OK;
}

const struct command_row command_outbox_init = {
    .name = "outbox init",
    .summary = "Create the tables of outbox and inbox.",
    .arguments = "URL | --print",
    .arguments_min = 0,
    .arguments_max = 1,
    .options = init_options,
    .run = run_init,
    .details = "URL is postgres://USER@HOST/DATABASE (the tables come into the first schema of its "
               "search_path) or sqlite:PATH (the "
               "file is created where it is missing). Safe to run again: what is there stays. Any language "
               "then inserts type and "
               "payload into outbox_events, in the transaction of its own data:\n"
               "\n"
               "  INSERT INTO outbox_events (type, payload) VALUES ('order.placed', '{...}')\n"
               "\n"
               "A table that is there is taken over with --preset debezium (id, aggregatetype, aggregateid, "
               "type, payload) or --preset "
               "seed (id, event_type, payload, processed): columns are added to it, rows stay, and those not "
               "processed become "
               "pending. docs/outbox.md has the columns, the roles and what writers may do.\n",
};
