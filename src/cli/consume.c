/* SPDX-License-Identifier: Apache-2.0 */
/* weir consume GROUP --exec CMD | --stdout */
#include "weir/consume.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/exec.h"
#include "cli/run.h"

static const struct option_row consume_options[] = {
    {"exec", 0, OPTION_TEXT, "CMD", NULL, NULL, "run this for every event; arguments may follow behind --"},
    {"stdout", 0, OPTION_FLAG, NULL, NULL, NULL, "print every event as one line of JSON"},
    {"exec-timeout", 0, OPTION_DURATION, "TIME", NULL, "5m", "kill a command that takes longer, and retry"},
    {"workers", 'w', OPTION_INT, "N", NULL, "1", "commands at once", .least = 1, .most = LIMIT_WORKERS},
    {"count", 'n', OPTION_INT, "N", NULL, NULL, "stop after so many events", .least = 1, .most = INT32_MAX},
    {"until-empty", 0, OPTION_FLAG, NULL, NULL, NULL, "stop when nothing is pending"},
    {NULL},
};

struct consuming {
    cli *cli;
    weir_member *member;
    struct exec exec;
    weir_error broken; /* why the command cannot be started; code OK: it can */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
};

/* --- handlers
 * --------------------------------------------------------------------------------------------------- */

/* Acked only after the line is out: a reader that goes away ends the program first. */
static weir_verdict print_event(void *arg, const weir_delivery *delivery) {
    struct consuming *consuming = arg;
    FILE *out = cli_out(consuming->cli);
    weir_text wire = delivery->event.wire;
    for (size_t i = 0; i < wire.size; i++) /* a line break in JSON is layout: inside a string it is escaped */
        fputc(wire.data[i] == '\n' || wire.data[i] == '\r' ? ' ' : wire.data[i], out);
    fputc('\n', out);
    return fflush(out) == 0 ? WEIR_DONE : weir_retry(delivery, "standard output is full");
}

static void on_broken(void *arg, const weir_error *err) {
    struct consuming *consuming = arg;
    pthread_mutex_lock(&consuming->lock);
    if (consuming->broken.code == WEIR_OK)
        consuming->broken = *err;
    pthread_mutex_unlock(&consuming->lock);
    weir_member_stop(consuming->member);
}

static void on_stop(void *arg) {
    struct consuming *consuming = arg;
    atomic_store(&consuming->exec.stopping, true);
    weir_member_stop(consuming->member);
}

/* --- watching
 * ----------------------------------------------------------------------------------------------------- */

/* Says on standard error why nothing moves, once per reason. */
static void *watch(void *arg) {
    struct consuming *consuming = arg;
    char told[sizeof((weir_member_stats *)0)->trouble] = "";
    pthread_mutex_lock(&consuming->lock);
    while (!consuming->over) {
        weir_member_stats stats;
        struct timespec until;
        weir_member_stats_get(consuming->member, &stats);
        if (strcmp(stats.trouble, told) != 0) {
            memcpy(told, stats.trouble, sizeof told);
            cli_say(consuming->cli, "%s", told[0] ? told : "going on");
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&consuming->ended, &consuming->lock, &until);
    }
    pthread_mutex_unlock(&consuming->lock);
    return NULL;
}

static weir_code run_watched(struct consuming *consuming, weir_error *err) {
    pthread_t watcher;
    if (pthread_create(&watcher, NULL, watch, consuming) != 0)
        return weir_fail(err, WEIR_IO, "cannot start a thread");
    weir_code code = weir_member_run(consuming->member, err);
    pthread_mutex_lock(&consuming->lock);
    consuming->over = true;
    pthread_cond_signal(&consuming->ended);
    pthread_mutex_unlock(&consuming->lock);
    pthread_join(watcher, NULL);
    return code;
}

/* --- the command
 * -------------------------------------------------------------------------------------------------- */

static void say_summary(struct consuming *consuming) {
    weir_member_stats stats;
    weir_member_stats_get(consuming->member, &stats);
    cli_say(consuming->cli, "%llu handled, %llu failed attempts, %llu dead letters",
            (unsigned long long)stats.handled, (unsigned long long)stats.retries,
            (unsigned long long)stats.dead_letters);
}

static weir_code prepare_exec(struct consuming *consuming, weir_error *err) {
    cli *cli = consuming->cli;
    consuming->exec.timeout_ms = cli_int(cli, "exec-timeout") / NS_PER_MS;
    consuming->exec.drain_ms = LIMIT_DRAIN_MS;
    consuming->exec.broken = on_broken;
    consuming->exec.broken_arg = consuming;
    return exec_command(&consuming->exec.argv, cli_text(cli, "exec"), cli_rest(cli), cli->arena, err);
}

static int consume(struct consuming *consuming, const weir_member_options *options) {
    cli *cli = consuming->cli;
    weir_error err;
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    if (!connection)
        return EXIT_ERROR;
    if (weir_member_open(&consuming->member, connection, catalog, options, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    cli_on_stop(cli, on_stop, consuming);
    weir_code code = run_watched(consuming, &err);
    cli_on_stop(cli, NULL, NULL);
    say_summary(consuming);
    weir_member_close(consuming->member);
    if (consuming->broken.code != WEIR_OK)
        return cli_fail(cli, &consuming->broken);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    return cli_interrupted(cli) ? EXIT_INTERRUPTED : EXIT_OK;
}

static int run_consume(cli *cli) {
    bool to_stdout = cli_flag(cli, "stdout"), to_command = cli_text(cli, "exec") || *cli_rest(cli);
    if (to_stdout == to_command)
        return cli_usage(cli, "say where the events go: --exec CMD or --stdout");
    if (to_stdout && cli_int(cli, "workers") > 1)
        return cli_usage(cli, "--stdout has one worker");
    struct consuming consuming = {.cli = cli};
    weir_error err;
    if (to_command && prepare_exec(&consuming, &err) != WEIR_OK)
        return run_usage(cli, err.message, err.hint);
    pthread_mutex_init(&consuming.lock, NULL);
    pthread_cond_init(&consuming.ended, NULL);
    int code = consume(&consuming, &(weir_member_options){.group = cli_argument(cli, 0),
                                                          .handler = to_stdout ? print_event : exec_handle,
                                                          .handler_arg = to_stdout ? (void *)&consuming
                                                                                   : (void *)&consuming.exec,
                                                          .workers = (int)cli_int(cli, "workers"),
                                                          .max_events = (int)cli_int(cli, "count"),
                                                          .until_empty = cli_flag(cli, "until-empty")});
    pthread_cond_destroy(&consuming.ended);
    pthread_mutex_destroy(&consuming.lock);
    return code;
}

const struct command_row command_consume = {
    .name = "consume",
    .summary = "Be a member of a group and hand its events on.",
    .arguments = "GROUP --exec CMD | --stdout",
    .arguments_min = 1,
    .arguments_max = 1,
    .needs = NEEDS_CATALOG | NEEDS_SERVER | TAKES_REST,
    .options = consume_options,
    .run = run_consume,
    .details =
        "The command gets the event's envelope as one line on standard input, and WEIR_TYPE, WEIR_ID, "
        "WEIR_KEY, "
        "WEIR_STREAM, WEIR_SEQUENCE, WEIR_ATTEMPT and WEIR_SUBJECT in its environment. It ends with 0: done; "
        "65: "
        "dead letter; anything else: retry after the group's delay, and a dead letter after max_deliver "
        "attempts. "
        "The end of what it wrote to standard error is kept as the reason. No shell reads it: words are "
        "split at "
        "spaces, and what needs quoting goes behind --.\n\n"
        "Ctrl-C and SIGTERM stop gracefully: commands that run get 10 s, events that wait are given back.\n\n"
        "Examples:\n"
        "  weir consume wallet --exec ./credit.py\n"
        "  weir consume wallet --workers 4 -- sh -c 'jq -r .payload.amount >> amounts'\n"
        "  weir consume dashboard --stdout --until-empty | jq .payload\n",
};
