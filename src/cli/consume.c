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
#include "cli/reload.h"
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

enum { NO_HURRY_MS = 24 * 3600 * 1000 };

struct consuming {
    cli *cli;
    weir_member *member;
    struct exec exec;
    weir_error broken; /* why the command cannot be started; code OK: it can */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;

    weir_member_options options, probe; /* the latter never changes: another thread reads it */
    struct reload *reload;
    weir_member_stats total; /* of all members before and now */
};

/* --- handlers ------------------------------------------------------------------------------------------- */

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

/* --- watching ------------------------------------------------------------------------------------------- */

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

/* --- the command ---------------------------------------------------------------------------------------- */

static void add_up(struct consuming *consuming) {
    weir_member_stats stats;
    weir_member_stats_get(consuming->member, &stats);
    consuming->total.handled += stats.handled;
    consuming->total.repeated += stats.repeated;
    consuming->total.retries += stats.retries;
    consuming->total.dead_letters += stats.dead_letters;
}

static void say_summary(struct consuming *consuming) {
    const weir_member_stats *stats = &consuming->total;
    cli_say(consuming->cli, "%llu handled, %llu failed attempts, %llu dead letters",
            (unsigned long long)stats->handled, (unsigned long long)stats->retries,
            (unsigned long long)stats->dead_letters);
}

static weir_code prepare_exec(struct consuming *consuming, weir_error *err) {
    cli *cli = consuming->cli;
    consuming->exec.timeout_ms = cli_int(cli, "exec-timeout") / NS_PER_MS;
    consuming->exec.drain_ms = LIMIT_DRAIN_MS;
    consuming->exec.broken = on_broken;
    consuming->exec.broken_arg = consuming;
    return exec_command(&consuming->exec.argv, cli_text(cli, "exec"), cli_rest(cli), cli->arena, err);
}

/* Would the group be served with this catalog? Asked by opening a member and closing it again. */
static weir_code fits(void *arg, const weir_catalog *catalog, weir_error *err) {
    const struct consuming *consuming = arg;
    weir_member *member;
    weir_code code = weir_member_open(&member, consuming->cli->connection, catalog, &consuming->probe, err);
    if (code == WEIR_OK)
        weir_member_close(member);
    return code != WEIR_OK && err->retriable ? WEIR_OK : code; /* an outage says nothing about the catalog */
}

/* Stops gracefully: commands that run are not hurried. */
static void on_reload(void *arg) {
    struct consuming *consuming = arg;
    weir_member_stop(consuming->member);
}

static weir_code open_member(struct consuming *consuming, weir_error *err) {
    weir_code code;
    do {
        code = weir_member_open(&consuming->member, consuming->cli->connection, consuming->cli->catalog,
                                &consuming->options, err);
    } while (code != WEIR_OK && reload_patient(consuming->reload, err));
    return code;
}

/* Until it ends or is stopped, or the catalog is another one. */
static weir_code serve(struct consuming *consuming, weir_error *err) {
    WEIR_TRY(open_member(consuming, err));
    cli_on_stop(consuming->cli, on_stop, consuming);
    reload_arm(consuming->reload, on_reload, consuming);
    if (cli_stopping(consuming->cli))
        on_stop(consuming);
    weir_code code = run_watched(consuming, err);
    reload_disarm(consuming->reload);
    cli_on_stop(consuming->cli, NULL, NULL);
    add_up(consuming);
    weir_member_close(consuming->member);
    return code;
}

/* Is there anything left to do for --count? */
static bool count_down(struct consuming *consuming) {
    int64_t count = cli_int(consuming->cli, "count");
    int64_t left = count - (int64_t)(consuming->total.handled + consuming->total.repeated);
    if (count <= 0)
        return true;
    consuming->options.max_events = left > 0 ? (int)left : 0;
    return left > 0;
}

static int consume(struct consuming *consuming) {
    cli *cli = consuming->cli;
    weir_error err;
    if (!cli_catalog(cli) || !cli_connection(cli))
        return EXIT_ERROR;
    weir_code code = reload_open(&consuming->reload, cli, fits, consuming, &err);
    bool served = false;
    while (code == WEIR_OK) {
        code = serve(consuming, &err);
        served = served || code == WEIR_OK || consuming->total.handled;
        consuming->over = false;
        if (code != WEIR_OK || consuming->broken.code != WEIR_OK || !count_down(consuming) ||
            !reload_take(consuming->reload))
            break;
    }
    reload_close(consuming->reload);
    if (served)
        say_summary(consuming);
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
    consuming.options = (weir_member_options){
        .group = cli_argument(cli, 0),
        .handler = to_stdout ? print_event : exec_handle,
        .handler_arg = to_stdout ? (void *)&consuming : (void *)&consuming.exec,
        .workers = (int)cli_int(cli, "workers"),
        .max_events = (int)cli_int(cli, "count"),
        .until_empty = cli_flag(cli, "until-empty"),
        /* A signal gives commands LIMIT_DRAIN_MS (exec.h); for a new catalog nobody needs to hurry. */
        .drain_ms = consuming.exec.timeout_ms ? consuming.exec.timeout_ms + LIMIT_DRAIN_MS : NO_HURRY_MS};
    consuming.probe = consuming.options;
    int code = consume(&consuming);
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
        "Events of older versions are brought up to the one that the group reads, where the catalog says "
        "how.\n\n"
        "Ctrl-C and SIGTERM stop gracefully: commands that run get 10 s, events that wait are given back.\n\n"
        "Examples:\n"
        "  weir consume wallet --exec ./credit.py\n"
        "  weir consume wallet --workers 4 -- sh -c 'jq -r .payload.amount >> amounts'\n"
        "  weir consume dashboard --stdout --until-empty | jq .payload\n",
};
