/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox check URL: is the database fit to hold an outbox, and does anything wait for a person? */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/outbox.h"

enum { FINDINGS_MAX = 8 };

struct checking {
    char findings[FINDINGS_MAX][512];
    size_t count;
};

static char *finding(struct checking *checking) {
    return checking->findings[checking->count++];
}

static void judge(struct checking *checking, const struct outbox_health *health,
                  const struct outbox_counts *counts) {
    enum { SIZE = sizeof checking->findings[0] };
    if (!health->intact)
        snprintf(finding(checking), SIZE, "the database is damaged: %s; restore it from a backup",
                 health->damage);
    if (strcmp(health->journal_mode, "wal") != 0)
        snprintf(finding(checking), SIZE, "journal_mode is %s, not wal; run weir outbox init",
                 health->journal_mode);
    if (health->missing_triggers)
        snprintf(finding(checking), SIZE,
                 "%d of the triggers that guard rows not yet sent are missing; run weir outbox init",
                 health->missing_triggers);
    if (counts->parked)
        snprintf(finding(checking), SIZE, "%" PRId64 " row%s parked; weir outbox ls tells why",
                 counts->parked, counts->parked == 1 ? " is" : "s are");
    if (counts->pending && !health->relay_running)
        snprintf(finding(checking), SIZE, "%" PRId64 " row%s pending and no relay is at work; run weir relay",
                 counts->pending, counts->pending == 1 ? " is" : "s are");
}

static void print_json(cli *cli, const struct checking *checking, const struct outbox_health *health,
                       const struct outbox_counts *counts, outbox *outbox) {
    weir_json_writer *json = weir_json_new();
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
    weir_json_key(json, "findings");
    weir_json_begin_array(json);
    for (size_t i = 0; i < checking->count; i++)
        weir_json_string(json, checking->findings[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
    outbox_print_json(cli, json);
}

static void print_text(cli *cli, const struct checking *checking, const struct outbox_health *health,
                       const struct outbox_counts *counts) {
    FILE *out = cli_out(cli);
    for (size_t i = 0; i < checking->count; i++)
        fprintf(out, "%s\n", checking->findings[i]);
    cli_say(cli,
            "layout %d, %" PRId64 " pending, %" PRId64 " parked, %" PRId64 " published, %" PRId64 " dropped",
            health->layout, counts->pending, counts->parked, counts->published, counts->dropped);
    if (health->relay_pid)
        cli_say(cli, "process %d relays it", health->relay_pid);
    else if (!health->relay_running)
        cli_say(cli, "no relay is at work");
    if (checking->count == 0)
        cli_say(cli, "nothing to mend");
}

static int run_check(cli *cli) {
    weir_error err;
    struct outbox_health health;
    struct outbox_counts counts;
    struct checking checking = {.count = 0};
    outbox *outbox = outbox_of(cli);
    if (!outbox)
        return EXIT_ERROR;
    weir_code code = outbox_health(outbox, &health, &err);
    if (code == WEIR_OK)
        code = outbox_counts(outbox, &counts, &err);
    if (code == WEIR_OK) {
        judge(&checking, &health, &counts);
        if (cli_json(cli))
            print_json(cli, &checking, &health, &counts, outbox);
        else
            print_text(cli, &checking, &health, &counts);
    }
    outbox_close(outbox);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    return checking.count ? EXIT_ERROR : EXIT_OK;
}

const struct command_row command_outbox_check = {
    .name = "outbox check",
    .summary = "See whether an outbox is sound and whether anything waits in it.",
    .arguments = "URL",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_check,
    .details = "Looks at the file (SQLite's own quick check), its durability settings, the triggers that "
               "guard rows not yet "
               "sent, parked rows, and whether a relay is at work. Exits with 1 on a finding.\n",
};
