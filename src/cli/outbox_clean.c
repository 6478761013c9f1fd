/* SPDX-License-Identifier: Apache-2.0 */
/* weir outbox clean URL: what the relay does once a minute, by hand. Each step is a short transaction, with a rest behind it, so
 * that writers get their turn. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/outbox.h"

enum { CLEAN_ROWS = 500, REST_MS = 2, PROGRESS_EVERY = 20 };

static const struct option_row clean_options[] = {
    {"older", 0, OPTION_DURATION, "TIME", NULL, "24h", "rows that were published or dropped so long ago"},
    {NULL},
};

static void rest(void) {
    nanosleep(&(struct timespec){.tv_nsec = REST_MS * NS_PER_MS}, NULL);
}

static weir_code clean(cli *cli, outbox *outbox, int64_t before_us, uint64_t *deleted, weir_error *err) {
    bool more = true, told = false;
    weir_code code = WEIR_OK;
    for (uint64_t step = 1; code == WEIR_OK && more && !cli_stopping(cli); step++) {
        size_t count = 0;
        code = outbox_clean(outbox, before_us, CLEAN_ROWS, &count, &more, err);
        *deleted += code == WEIR_OK ? count : 0;
        if (step % PROGRESS_EVERY == 0 && cli_progress(cli)) {
            fprintf(stderr, "\r\033[K%" PRIu64 " rows deleted", *deleted);
            told = true;
        }
        if (more)
            rest();
    }
    if (told)
        fprintf(stderr, "\r\033[K");
    return code;
}

static void tell(cli *cli, uint64_t deleted) {
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        weir_json_begin_object(json);
        weir_json_key(json, "deleted");
        weir_json_int(json, (int64_t)deleted);
        weir_json_end_object(json);
        outbox_print_json(cli, json);
    }
    cli_say(cli, "%" PRIu64 " row%s deleted", deleted, deleted == 1 ? "" : "s");
}

static int run_clean(cli *cli) {
    weir_error err;
    uint64_t deleted = 0;
    int64_t older_us = cli_int(cli, "older") / NS_PER_US;
    if (strcmp(cli_text(cli, "older"), "forever") == 0)
        return cli_usage(cli, "--older is how long ago, and nothing was published forever ago");
    outbox *outbox = outbox_of(cli);
    if (!outbox)
        return EXIT_ERROR;
    if (older_us < LIMIT_OUTBOX_KEEP_HOURS * 3600 * INT64_C(1000000))
        cli_say(cli, "rows younger than %dh go too: they are what brings back events that a stream forgot",
                LIMIT_OUTBOX_KEEP_HOURS);
    cli_on_stop(cli, NULL, NULL);
    weir_code code = clean(cli, outbox, outbox_now_us() - older_us, &deleted, &err);
    outbox_close(outbox);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    tell(cli, deleted);
    return cli_interrupted(cli) ? EXIT_INTERRUPTED : EXIT_OK;
}

const struct command_row command_outbox_clean = {
    .name = "outbox clean",
    .summary = "Delete rows that were published or dropped long ago.",
    .arguments = "URL",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = clean_options,
    .run = run_clean,
    .details = "The relay does this once a minute; by hand it is for an outbox without one, or to keep less "
               "than the relay does. "
               "Goes in small steps that hold nobody up, and may be interrupted. Rows that are pending or "
               "parked stay, and "
               "so does what was published behind one that is still pending.\n\n"
               "  weir outbox clean sqlite:shop.db --older 7d\n",
};
