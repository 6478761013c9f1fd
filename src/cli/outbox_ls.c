/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox ls URL: what waits for a person first. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/outbox.h"

static const struct option_row ls_options[] = {
    {"state", 0, OPTION_TEXT, "STATE", NULL, "open", "which rows; open means parked and pending",
     "open|pending|parked|published|dropped|all"},
    {"limit", 'n', OPTION_INT, "N", NULL, "50", "at most so many of each state, the oldest first", .least = 1,
     .most = INT32_MAX},
    {"after", 0, OPTION_INT, "POS", NULL, "0", "only rows behind this position", .least = 0,
     .most = INT64_MAX},
    {NULL},
};

enum { ERROR_SHOWN = 70 };

struct listing {
    struct cli_table *table; /* made with the first row; */
    weir_json_writer *json;  /* or this */
};

static void cell(struct cli_table *table, weir_text text, size_t most) {
    size_t size = text.size;
    if (size > most) /* cut between characters */
        for (size = most; size > 0 && ((unsigned char)text.data[size] & 0xC0) == 0x80;)
            size--;
    cli_table_cell(table, false, "%.*s%s", (int)size, text.data ? text.data : "",
                   size < text.size ? "..." : "");
}

static bool list_one(void *arg, const struct outbox_view *row) {
    static const char *const headings[] = {"POS", "STATE", "TYPE", "CREATED", "CLASS", "REASON OR PLACE"};
    struct listing *listing = arg;
    if (listing->json) {
        outbox_row_json(listing->json, row);
        return true;
    }
    if (!listing->table)
        listing->table = cli_table_new(headings, sizeof headings / sizeof *headings);
    struct cli_table *table = listing->table;
    cli_table_cell(table, true, "%" PRId64, row->pos);
    cli_table_cell(table, false, "%s", outbox_state_name(row->state));
    cell(table, row->type, 60);
    cell(table, row->created_at, 30);
    cell(table, row->error_class, 20);
    if (row->state == OUTBOX_PUBLISHED && row->stream.data) /* absent: before the table was taken over */
        cli_table_cell(table, false, "%.*s %" PRIu64, TEXT_ARG(row->stream), row->sequence);
    else
        cell(table, row->error, ERROR_SHOWN);
    return true;
}

static weir_code list(cli *cli, outbox *outbox, struct listing *listing, weir_error *err) {
    static const int open_states[] = {OUTBOX_PARKED, OUTBOX_PENDING};
    const char *wanted = cli_text(cli, "state");
    size_t limit = (size_t)cli_int(cli, "limit");
    int64_t after = cli_int(cli, "after");
    int state = OUTBOX_EVERY_STATE;
    for (int i = OUTBOX_PENDING; i <= OUTBOX_DROPPED; i++)
        if (strcmp(wanted, outbox_state_name(i)) == 0)
            state = i;
    if (strcmp(wanted, "open") != 0)
        return outbox_each(outbox, state, after, limit, list_one, listing, err);
    weir_code code = WEIR_OK;
    for (int i = 0; i < 2 && code == WEIR_OK; i++)
        code = outbox_each(outbox, open_states[i], after, limit, list_one, listing, err);
    return code;
}

static void finish_json(cli *cli, weir_json_writer *json, const struct outbox_counts *counts) {
    const int64_t numbers[] = {counts->pending, counts->parked, counts->published, counts->dropped};
    const char *const keys[] = {"pending", "parked", "published", "dropped"};
    weir_json_end_array(json);
    for (int i = 0; i < 4; i++) {
        weir_json_key(json, keys[i]);
        weir_json_int(json, numbers[i]);
    }
    weir_json_end_object(json);
    outbox_print_json(cli, json);
}

static void say_counts(cli *cli, const struct outbox_counts *counts) {
    char since[UNITS_TEXT_MAX] = "";
    if (counts->oldest_pending_us)
        time_format(counts->oldest_pending_us * NS_PER_US, since);
    cli_say(cli, "%" PRId64 " parked, %" PRId64 " pending%s%s, %" PRId64 " published, %" PRId64 " dropped",
            counts->parked, counts->pending, since[0] ? " since " : "", since, counts->published,
            counts->dropped);
}

static weir_code run(cli *cli, outbox *outbox, weir_error *err) {
    struct listing listing = {.json = cli_json(cli) ? weir_json_new() : NULL};
    struct outbox_counts counts;
    if (listing.json) {
        weir_json_begin_object(listing.json);
        weir_json_key(listing.json, "rows");
        weir_json_begin_array(listing.json);
    }
    weir_code code = list(cli, outbox, &listing, err);
    if (code == WEIR_OK)
        code = outbox_counts(outbox, &counts, err);
    if (listing.table)
        cli_table_print(listing.table, cli);
    if (code == WEIR_OK && listing.json)
        finish_json(cli, listing.json, &counts);
    else
        weir_json_free(listing.json);
    if (code == WEIR_OK)
        say_counts(cli, &counts);
    return code;
}

static int run_ls(cli *cli) {
    weir_error err;
    outbox *outbox = outbox_of(cli);
    if (!outbox)
        return EXIT_ERROR;
    weir_code code = run(cli, outbox, &err);
    outbox_close(outbox);
    return code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

const struct command_row command_outbox_ls = {
    .name = "outbox ls",
    .summary = "List rows: parked ones with their reason, then pending ones.",
    .arguments = "URL",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = ls_options,
    .run = run_ls,
    .details =
        "A parked row could not be published: weir outbox show tells why in full, weir outbox retry sends it "
        "again once the catalog or the server accepts it, weir outbox drop gives it up.\n",
};
