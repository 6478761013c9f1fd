/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox check URL: is the database fit to hold an outbox, and does anything wait for a person? */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/outbox.h"

static void sentences(weir_json_writer *json, const char *key, const char *const *items, size_t count) {
    weir_json_key(json, key);
    weir_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        weir_json_string(json, items[i]);
    weir_json_end_array(json);
}

static void print_json(cli *cli, const struct outbox_health *health, outbox *outbox) {
    weir_json_writer *json = weir_json_new();
    const struct outbox_counts *counts = &health->counts;
    const int64_t numbers[] = {health->layout,    counts->pending, counts->parked,
                               counts->published, counts->dropped, health->relay_pid};
    const char *const keys[] = {"layout", "pending", "parked", "published", "dropped", "relay_pid"};
    weir_json_begin_object(json);
    weir_json_key(json, "outbox");
    weir_json_string(json, outbox_url(outbox));
    weir_json_key(json, "uuid");
    weir_json_string(json, outbox_uuid(outbox));
    for (int i = 0; i < 6; i++) {
        weir_json_key(json, keys[i]);
        weir_json_int(json, numbers[i]);
    }
    weir_json_key(json, "relay_running");
    weir_json_bool(json, health->relay_running);
    sentences(json, "findings", health->findings, health->finding_count);
    sentences(json, "notes", health->notes, health->note_count);
    weir_json_end_object(json);
    outbox_print_json(cli, json);
}

static void print_text(cli *cli, const struct outbox_health *health) {
    const struct outbox_counts *counts = &health->counts;
    for (size_t i = 0; i < health->finding_count; i++)
        fprintf(cli_out(cli), "%s\n", health->findings[i]);
    for (size_t i = 0; i < health->note_count; i++)
        cli_say(cli, "note: %s", health->notes[i]);
    cli_say(cli,
            "layout %d, %" PRId64 " pending, %" PRId64 " parked, %" PRId64 " published, %" PRId64 " dropped",
            health->layout, counts->pending, counts->parked, counts->published, counts->dropped);
    if (health->relay_pid)
        cli_say(cli, "process %d relays it", health->relay_pid);
    else if (!health->relay_running)
        cli_say(cli, "no relay is at work");
    if (health->finding_count == 0)
        cli_say(cli, "nothing to mend");
}

static int run_check(cli *cli) {
    weir_error err;
    struct outbox_health health;
    outbox *outbox = outbox_of(cli);
    if (!outbox)
        return EXIT_ERROR;
    arena *arena = arena_new();
    weir_code code = outbox_health(outbox, arena, &health, &err);
    if (code == WEIR_OK && cli_json(cli))
        print_json(cli, &health, outbox);
    else if (code == WEIR_OK)
        print_text(cli, &health);
    outbox_close(outbox);
    arena_free(arena);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    return health.finding_count ? EXIT_ERROR : EXIT_OK;
}

const struct command_row command_outbox_check = {
    .name = "outbox check",
    .summary = "See whether an outbox is sound and whether anything waits in it.",
    .arguments = "URL",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_check,
    .details = "SQLite: the file (its own quick check), its durability settings, the triggers that guard "
               "rows not yet sent. "
               "PostgreSQL: the server's settings (wal_level, fsync, synchronous_commit, "
               "max_slot_wal_keep_size), the tables' "
               "indexes, triggers and rights, slot and publication, and who holds rows back: long "
               "transactions and prepared ones, "
               "with process, database and age. Both: parked rows, and whether a relay is at work. Each "
               "finding ends with what to "
               "do. Exits with 1 on a finding.\n",
};
