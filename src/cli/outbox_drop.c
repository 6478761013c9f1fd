/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox drop URL POS ... : giving rows up. They stay as "dropped", with the reason, until they are
 * cleaned. */
#include <inttypes.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/outbox.h"

static const struct option_row drop_options[] = {
    {"why", 0, OPTION_TEXT, "TEXT", NULL, "dropped by hand", "kept with the row"},
    {NULL},
};

static weir_code is_pending(outbox *outbox, const char *position, bool *pending, weir_error *err) {
    struct outbox_view row;
    WEIR_TRY(outbox_find(outbox, position, &row, err));
    *pending = row.state == OUTBOX_PENDING;
    return WEIR_OK;
}

/* A pending row may be on its way: only while no relay works can it be given up. */
static weir_code drop_one(cli *cli, outbox *outbox, size_t index, int64_t position, weir_error *err) {
    bool pending;
    WEIR_TRY(is_pending(outbox, cli_argument(cli, index), &pending, err));
    if (pending && outbox_lease(outbox, err) == WEIR_CONFLICT) {
        char who[sizeof err->hint];
        snprintf(who, sizeof who, "%s", err->hint);
        weir_fail(err, WEIR_CONFLICT,
                  "row %" PRId64 " is pending and a relay is at work: it may be on its way", position);
        weir_hint(err, "stop the relay first (%s)", who);
        return WEIR_CONFLICT;
    }
    return outbox_drop(outbox, position, cli_text(cli, "why"), outbox_now_us(), err);
}

static int drop_all(cli *cli, outbox *outbox) {
    weir_error err;
    int code = EXIT_OK;
    size_t done = 0;
    for (size_t i = 1; i < cli_argument_count(cli); i++) {
        int64_t position = outbox_position(cli, i, &code);
        if (position < 0)
            return code;
        if (drop_one(cli, outbox, i, position, &err) == WEIR_OK)
            done++;
        else
            code = cli_fail(cli, &err);
    }
    cli_say(cli, "%zu row%s dropped", done, done == 1 ? "" : "s");
    return code;
}

static int run_drop(cli *cli) {
    outbox *outbox = outbox_of(cli);
    if (!outbox)
        return EXIT_ERROR;
    int code = drop_all(cli, outbox);
    outbox_close(outbox);
    return code;
}

const struct command_row command_outbox_drop = {
    .name = "outbox drop",
    .summary = "Give up rows that were not published.",
    .arguments = "URL POS ...",
    .arguments_min = 2,
    .arguments_max = -1,
    .options = drop_options,
    .run = run_drop,
    .details = "A dropped row is never published. It stays readable (weir outbox ls --state dropped) until "
               "the relay cleans "
               "it away with the published ones. Exits with 1 when a row could not be dropped.\n",
};
