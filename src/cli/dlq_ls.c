/* SPDX-License-Identifier: Apache-2.0 */
/* weir dlq ls */
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/dlq.h"

static const struct option_row ls_options[] = {
    DLQ_FILTER_OPTIONS,
    {"limit", 'n', OPTION_INT, "N", NULL, NULL, "at most so many, the oldest first", .least = 1,
     .most = INT32_MAX},
    {NULL},
};

enum { REASON_SHOWN = 60 };

struct listing {
    struct cli_table *table; /* for people, made with the first letter; */
    weir_json_writer *json;  /* or this */
    int64_t limit;           /* 0: none */
    int64_t count;
};

static void add_row(struct cli_table *table, const struct deadletter *letter) {
    char died[UNITS_TEXT_MAX];
    time_format(letter->died_ns - letter->died_ns % NS_PER_S, died);
    size_t size = strlen(letter->reason), shown = size;
    if (size > REASON_SHOWN) /* cut between characters */
        for (shown = REASON_SHOWN; shown > 0 && ((unsigned char)letter->reason[shown] & 0xC0) == 0x80;)
            shown--;
    cli_table_cell(table, false, "%s", letter->id);
    cli_table_cell(table, false, "%s", letter->group);
    cli_table_cell(table, false, "%s", letter->error_class);
    cli_table_cell(table, false, "%s", letter->type);
    cli_table_cell(table, false, "%s", died);
    cli_table_cell(table, true, "%zu", letter->attempt_count);
    cli_table_cell(table, true, "%d", letter->retries);
    cli_table_cell(table, false, "%.*s%s", (int)shown, letter->reason, shown < size ? "..." : "");
}

static bool list_one(void *arg, const struct deadletter *letter) {
    static const char *const headings[] = {"ID",   "GROUP",    "CLASS",   "TYPE",
                                           "DIED", "ATTEMPTS", "RETRIES", "REASON"};
    struct listing *listing = arg;
    if (!listing->json && !listing->table)
        listing->table = cli_table_new(headings, sizeof headings / sizeof *headings);
    if (listing->json)
        dlq_json(listing->json, letter);
    else
        add_row(listing->table, letter);
    return ++listing->count != listing->limit;
}

static void finish_json(cli *cli, weir_json_writer *json) {
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
}

static int run_ls(cli *cli) {
    if (!cli_catalog(cli) || !cli_connection(cli))
        return EXIT_ERROR;
    struct deadletter_filter filter = dlq_filter(cli);
    struct listing listing = {.limit = cli_int(cli, "limit")};
    weir_error err;
    if (cli_json(cli)) {
        listing.json = weir_json_new();
        weir_json_begin_object(listing.json);
        weir_json_key(listing.json, "letters");
        weir_json_begin_array(listing.json);
    }
    weir_code code =
        deadletter_each(cli_connection(cli), cli_catalog(cli), &filter, list_one, &listing, &err);
    if (code == WEIR_OK && listing.json)
        finish_json(cli, listing.json);
    if (listing.table)
        cli_table_print(listing.table, cli);
    else if (code == WEIR_OK && !listing.json)
        cli_say(cli, "no open dead letters");
    weir_json_free(listing.json);
    return code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

const struct command_row command_dlq_ls = {
    .name = "dlq ls",
    .summary = "List open dead letters.",
    .arguments = "",
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = ls_options,
    .run = run_ls,
    .details =
        "A dead letter is an event that a group gave up on; it stays open until it is retried or dropped. "
        "weir dlq show ID tells its whole story.\n",
};
