/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox partition URL */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/outbox.h"

static const struct option_row partition_options[] = {
    {"by", 0, OPTION_TEXT, "TIME", NULL, NULL,
     "a partition is of a day or of an hour, in UTC; day unless said otherwise before", "day|hour"},
    {"print", 0, OPTION_FLAG, NULL, NULL, NULL, "only print the SQL; needs no database"},
    {NULL},
};

static void tell(void *arg, const char *sentence) {
    cli_say(arg, "%s", sentence);
}

static int print_sql(cli *cli) {
    char *sql = outbox_partition_sql(cli_text(cli, "by"));
    fputs(sql, cli_out(cli));
    mem_free(sql);
    return EXIT_OK;
}

static void print_json(cli *cli, const struct outbox_partition *list, size_t count) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        weir_json_begin_object(json);
        weir_json_key(json, "name");
        weir_json_string(json, list[i].name);
        weir_json_key(json, "first");
        weir_json_int(json, list[i].first);
        weir_json_key(json, "by");
        weir_json_string(json, list[i].every);
        weir_json_key(json, "state");
        weir_json_string(json, list[i].state);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    outbox_print_json(cli, json);
}

static void print_text(cli *cli, const struct outbox_partition *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        fprintf(cli_out(cli), "%-24s %-5s from %" PRId64 ", of a%s %s\n", list[i].name, list[i].state,
                list[i].first, strcmp(list[i].every, "hour") == 0 ? "n" : "", list[i].every);
}

static int run_partition(cli *cli) {
    const struct outbox_layout layout = {.told = tell, .arg = cli};
    struct outbox_partition *list;
    size_t count;
    weir_error err;
    const char *url = cli_argument_count(cli) ? cli_argument(cli, 0) : NULL;
    if (cli_flag(cli, "print") && url && strncmp(url, "sqlite:", 7) == 0)
        return cli_usage(cli, "--print shows the SQL for PostgreSQL, not for %s", url);
    if (cli_flag(cli, "print"))
        return print_sql(cli);
    if (!url)
        return cli_usage(cli, "name the database: weir outbox partition postgres://...");
    arena *arena = arena_new();
    weir_code code = outbox_partition_as(url, cli_text(cli, "by"), &layout, arena, &list, &count, &err);
    if (code == WEIR_OK && cli_json(cli))
        print_json(cli, list, count);
    else if (code == WEIR_OK)
        print_text(cli, list, count);
    arena_free(arena);
    return code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

const struct command_row command_outbox_partition = {
    .name = "outbox partition",
    .summary = "Keep PostgreSQL's outbox in partitions, so that old rows go at once.",
    .arguments = "URL | --print",
    .arguments_min = 0,
    .arguments_max = 1,
    .options = partition_options,
    .run = run_partition,
    .details = "The table outbox_events becomes a partitioned one and what is in it the first partition: no "
               "row is copied, and writers and relay go on. From then on the relay begins a new partition "
               "every day or hour, and drops one when all its rows were sent and are older than it keeps "
               "them; weir outbox clean does it by hand. Run it again to see the partitions, to change "
               "--by, or to mend what is missing. An id is unique in its partition; one of an older "
               "partition is refused by a trigger. docs/outbox.md has what that costs and what it does not "
               "see. Run it as the owner of the table.\n",
};
