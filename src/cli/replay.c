/* SPDX-License-Identifier: Apache-2.0 */
/* weir replay STREAM --stdout */
#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"
#include "cli/commands.h"
#include "event/subject.h"
#include "replay/replay.h"
#include "weir/clock.h"

enum { SKIPPED_TOLD = 10 };

static const struct option_row replay_options[] = {
    {"stdout", 0, OPTION_FLAG, NULL, NULL, NULL, "print every envelope as one line of JSON"},
    {"from", 0, OPTION_INT, "SEQ", NULL, NULL, "begin with this sequence", .least = 1, .most = INT64_MAX},
    {"to", 0, OPTION_INT, "SEQ", NULL, NULL, "end with this sequence", .least = 1, .most = INT64_MAX},
    {"since", 0, OPTION_TEXT, "TIME", NULL, NULL,
     "begin with what was stored so long ago (2h), or at this time (2025-11-14T12:00:00Z)"},
    {"until", 0, OPTION_TEXT, "TIME", NULL, NULL, "end before what was stored at this time, or so long ago"},
    {"subject", 0, OPTION_TEXT, "FILTER", NULL, NULL,
     "only these subjects: a subject, or a pattern with * and >"},
    {"limit", 'n', OPTION_INT, "N", NULL, NULL, "stop after so many envelopes", .least = 1,
     .most = INT64_MAX},
    {NULL},
};

struct replaying {
    cli *cli;
    uint64_t skipped;
};

static bool print_line(void *arg, uint64_t sequence, weir_text line) {
    struct replaying *replaying = arg;
    (void)sequence;
    FILE *out = cli_out(replaying->cli);
    fwrite_unlocked(line.data, 1, line.size, out);
    putc_unlocked('\n', out);
    return true;
}

static void say_skipped(void *arg, uint64_t sequence, weir_text subject, const char *why) {
    struct replaying *replaying = arg;
    buffer shown;
    if (++replaying->skipped > SKIPPED_TOLD)
        return;
    buffer_init(&shown, 1024);
    buffer_printable(&shown, subject);
    cli_say(replaying->cli, "sequence %" PRIu64 " (%s) is skipped: %s", sequence,
            shown.data ? shown.data : "", why);
    buffer_release(&shown);
}

static void say_waiting(void *arg, const char *why) {
    struct replaying *replaying = arg;
    fflush(cli_out(replaying->cli));
    cli_say(replaying->cli, "waiting for the server: %s", why);
}

static bool go_on(void *arg) {
    struct replaying *replaying = arg;
    return !cli_stopping(replaying->cli);
}

/* A time, or how long ago. */
static weir_code time_option(int64_t *out, cli *cli, const char *name, weir_error *err) {
    const weir_clock *clock = weir_clock_system();
    const char *text = cli_text(cli, name);
    int64_t ago;
    if (!text || strcmp(text, "forever") == 0)
        return WEIR_OK;
    weir_code code = time_parse(out, weir_text_of(text), err);
    if (code == WEIR_INVALID && duration_parse(&ago, weir_text_of(text), NULL) == WEIR_OK) {
        *out = clock->wall_ns(clock->self) - ago;
        code = WEIR_OK;
    } else if (code != WEIR_OK) {
        weir_fail(err, code, "--%s '%s' is neither a time nor a duration", name, text);
        weir_hint(err, "write 2025-11-14T12:00:00Z, or 90m, 24h, 7d");
    }
    return code;
}

static weir_code read_options(struct replay_options *options, struct replaying *replaying, weir_error *err) {
    cli *cli = replaying->cli;
    *options = (struct replay_options){.subject = cli_text(cli, "subject"),
                                       .line = print_line,
                                       .skipped = say_skipped,
                                       .waiting = say_waiting,
                                       .go_on = go_on,
                                       .arg = replaying};
    if (cli_given(cli, "from"))
        options->from = (uint64_t)cli_int(cli, "from");
    if (cli_given(cli, "to"))
        options->to = (uint64_t)cli_int(cli, "to");
    if (cli_given(cli, "limit"))
        options->limit = (uint64_t)cli_int(cli, "limit");
    if (options->subject)
        WEIR_TRY(pattern_check(weir_text_of(options->subject), err));
    WEIR_TRY(time_option(&options->since_ns, cli, "since", err));
    return time_option(&options->until_ns, cli, "until", err);
}

static int finish(struct replaying *replaying, const struct replay_result *result) {
    cli *cli = replaying->cli;
    if (result->skipped > SKIPPED_TOLD)
        cli_say(cli, "%" PRIu64 " more were skipped", result->skipped - SKIPPED_TOLD);
    if (result->skipped)
        cli_say(cli, "%" PRIu64 " envelopes, %" PRIu64 " messages that are none", result->lines,
                result->skipped);
    if (cli_interrupted(cli))
        return EXIT_INTERRUPTED;
    return result->skipped ? EXIT_ERROR : EXIT_OK;
}

static int run_replay(cli *cli) {
    struct replaying replaying = {.cli = cli};
    struct replay_options options;
    struct replay_result result;
    weir_error err = {0};
    if (!cli_flag(cli, "stdout"))
        return cli_usage(cli, "say where to: --stdout");
    if (read_options(&options, &replaying, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    weir_connection *connection = cli_connection(cli);
    if (!connection)
        return EXIT_ERROR;
    cli_on_stop(cli, NULL, NULL);
    weir_code code = replay_run(&result, connection, cli_argument(cli, 0), &options, &err);
    fflush(cli_out(cli));
    int exit = finish(&replaying, &result);
    return code == WEIR_OK ? exit : cli_fail(cli, &err);
}

const struct command_row command_replay = {
    .name = "replay",
    .summary = "Print what a stream holds, one envelope per line.",
    .arguments = "STREAM --stdout",
    .arguments_min = 1,
    .arguments_max = 1,
    .needs = NEEDS_SERVER,
    .options = replay_options,
    .run = run_replay,
    .details =
        "Envelopes come bare, as they were published, in the stream's order, and end with the last one that "
        "was stored "
        "when the command began. No catalog is needed. Reading moves nobody's position and removes nothing; "
        "work queues and "
        "interest streams are read message by message, which is slower.\n\n"
        "Each line is one JSON value: an envelope that was published over several lines is written as one. A "
        "message that "
        "is no JSON is told on standard error with its sequence, left out, and makes the command exit with 1 "
        "in the end. "
        "The relay's cursor messages are no events and are left out.\n\n"
        "A server that goes away is waited for (30 s); then the error says with which --from to go on.\n\n"
        "Examples:\n"
        "  weir replay STREAM_WALLET --stdout > wallet.ndjson\n"
        "  weir replay STREAM_WALLET --stdout --since 24h | jq .payload\n"
        "  weir replay STREAM_WALLET --stdout --from 1201 --limit 100\n",
};
