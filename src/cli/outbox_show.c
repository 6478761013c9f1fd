/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox show URL POS|ID */
#include <inttypes.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/outbox.h"

/* Rows come from outside: what could draw on a terminal is escaped. */
static void line(FILE *out, const char *name, weir_text value) {
    buffer shown;
    if (!value.data)
        return;
    buffer_init(&shown, value.size * 8 + 64);
    buffer_printable(&shown, value);
    fprintf(out, "%-15s %s\n", name, shown.data ? shown.data : "");
    buffer_release(&shown);
}

static void print_row(FILE *out, const struct outbox_view *row) {
    fprintf(out, "%-15s %" PRId64 "\n", "pos", row->pos);
    fprintf(out, "%-15s %s\n", "state", outbox_state_name(row->state));
    line(out, "id", row->id);
    line(out, "type", row->type);
    if (row->version)
        fprintf(out, "%-15s %d\n", "version", row->version);
    line(out, "key", row->key);
    line(out, "tenant", row->tenant);
    line(out, "actor", row->actor);
    line(out, "actor kind", row->actor_kind);
    line(out, "source", row->source);
    line(out, "trace", row->trace);
    line(out, "span", row->span);
    line(out, "idempotency key", row->idempotency_key);
    line(out, "occurred at", row->occurred_at);
    line(out, "created at", row->created_at);
    line(out, "parked at", row->parked_at);
    line(out, "class", row->error_class);
    line(out, "error", row->error);
    line(out, row->state == OUTBOX_DROPPED ? "dropped at" : "published at", row->processed_at);
    line(out, "stream", row->stream);
    if (row->sequence)
        fprintf(out, "%-15s %" PRIu64 "\n", "sequence", row->sequence);
    line(out, "payload", row->payload);
}

static int run_show(cli *cli) {
    weir_error err;
    struct outbox_view row;
    outbox *outbox = outbox_of(cli);
    if (!outbox)
        return EXIT_ERROR;
    weir_code code = outbox_find(outbox, cli_argument(cli, 1), &row, &err);
    if (code == WEIR_OK && cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        outbox_row_json(json, &row);
        outbox_print_json(cli, json);
    } else if (code == WEIR_OK) {
        print_row(cli_out(cli), &row);
    }
    outbox_close(outbox);
    return code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

const struct command_row command_outbox_show = {
    .name = "outbox show",
    .summary = "Show one row in full.",
    .arguments = "URL POS|ID",
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run_show,
};
