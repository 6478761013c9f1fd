/* SPDX-License-Identifier: Apache-2.0 */
/* weir demo
 *
 * A folder holds everything: the nats-server, a database for each service, logs, and demo.json, which says
 * what was asked for, so that --resume can go on. The demo itself keeps no state in memory that matters:
 * killed at any moment, the next one starts the same processes over the same databases, and they know where
 * they were. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/demo.h"
#include "cli/demo_place.h"
#include "weir/clock.h"
#include "weir/plan.h"

enum { POLL_MS = 500, STILL_MS = 60000, DRAIN_MS = 20000, LIVE_READINGS = 30 };

struct demo {
    cli *cli;
    struct demo_place place;
    struct demo_settings settings;
    struct demo_children children;
    struct demo_result result;
    struct local_server server;
    weir_catalog *catalog;
    bool stay; /* serve until Ctrl-C */
};

static int64_t mono_ns(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self);
}

/* --- setting up ----------------------------------------------------------------------------------------- */

static weir_code apply_catalog(struct demo *demo, weir_error *err) {
    weir_connection *connection = NULL;
    weir_plan *plan = NULL;
    weir_connect_options options = {.servers = demo->server.url, .name = "weir demo"};
    weir_code code = weir_connect(&connection, &options, err);
    if (code == WEIR_OK)
        code = weir_plan_make(&plan, connection, demo->catalog, err);
    if (code == WEIR_OK && !weir_plan_empty(plan)) {
        cli_say(demo->cli, "applying %s: %zu streams and consumers", demo->place.catalog,
                weir_plan_count(plan));
        code = weir_plan_apply(plan, connection, NULL, err);
    }
    weir_plan_free(plan);
    weir_disconnect(connection);
    return code;
}

static const char *database(const struct demo *demo, const char *service) {
    return arena_printf(demo->place.arena, "%s/%s.db", demo->place.folder, service);
}

static void add_service(struct demo *demo, const char *name) {
    struct demo_child *child = demo_child_add(&demo->children, name, demo->place.energy_union);
    const char *const words[] = {
        name, "--db", database(demo, name), "--catalog", demo->place.catalog, "--server", demo->server.url};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        demo_child_argument(child, words[i]);
}

static void add_reading_arguments(struct demo_child *child, const struct demo_settings *settings) {
    const char *const pairs[][2] = {{"--data", settings->data},
                                    {"--time-column", settings->time_column},
                                    {"--value-column", settings->value_column},
                                    {"--tz", settings->tz},
                                    {"--time-rule", settings->time_rule},
                                    {"--site", settings->site},
                                    {"--rate", settings->rate},
                                    {"--readings", settings->readings}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!pairs[i][1])
            continue;
        demo_child_argument(child, pairs[i][0]);
        demo_child_argument(child, pairs[i][1]);
    }
}

static void add_embassy(struct demo *demo) {
    add_service(demo, "embassy");
    struct demo_child *child = &demo->children.items[demo->children.count - 1];
    child->may_finish = true;
    add_reading_arguments(child, &demo->settings);
}

/* A file without the columns, or an unknown zone, is told before anything is started for it. */
static weir_code check_readings(struct demo *demo, weir_error *err) {
    struct demo_children once = {0};
    struct demo_child *check = demo_child_add(&once, "check", demo->place.energy_union);
    demo_child_argument(check, "check");
    add_reading_arguments(check, &demo->settings);
    buffer printed;
    buffer_init(&printed, 65536);
    weir_code code = demo_capture(&printed, check->argv, err);
    if (code != WEIR_OK && printed.size > 0) {
        code = weir_fail(err, WEIR_INVALID, "%.*s", (int)strcspn(printed.data, "\n"), printed.data);
        weir_hint(err, "--time-column and --value-column name the columns, --tz a zone such as Europe/Kyiv");
    }
    buffer_release(&printed);
    return code;
}

static void add_children(struct demo *demo) {
    static const char *const consumers[] = {"oracle", "rwa", "wallet", "usage", "quota"};
    static const char *const producers[] = {"embassy", "oracle", "rwa", "wallet", "usage"};
    demo->children = (struct demo_children){.folder = demo->place.folder, .cli = demo->cli};
    for (size_t i = 0; i < sizeof consumers / sizeof *consumers; i++)
        add_service(demo, consumers[i]);
    struct demo_child *relay = demo_child_add(&demo->children, "relay", demo->place.weir);
    demo_child_argument(relay, "relay");
    for (size_t i = 0; i < sizeof producers / sizeof *producers; i++) {
        demo_child_argument(relay, "--outbox");
        demo_child_argument(relay,
                            arena_printf(demo->place.arena, "sqlite:%s", database(demo, producers[i])));
    }
    const char *const words[] = {"--catalog", demo->place.catalog, "--server", demo->server.url};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        demo_child_argument(relay, words[i]);
    add_embassy(demo);
}

/* The databases exist before anything opens them: a relay refuses an outbox that is not there. */
static weir_code make_databases(struct demo *demo, weir_error *err) {
    static const char *const services[] = {"embassy", "oracle", "rwa", "wallet", "usage", "quota"};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        buffer printed;
        buffer_init(&printed, 65536);
        const char *url = arena_printf(demo->place.arena, "sqlite:%s", database(demo, services[i]));
        weir_code code = demo_capture(
            &printed, (const char *const[]){demo->place.weir, "outbox", "init", url, "--quiet", NULL}, err);
        buffer_release(&printed);
        if (code != WEIR_OK)
            return code;
    }
    return WEIR_OK;
}

static weir_code set_up(struct demo *demo, weir_error *err) {
    WEIR_TRY(local_server_up(demo->place.server_folder, NULL, &demo->server, err));
    cli_say(demo->cli, "nats-server %s %s, folder %s", demo->server.version,
            demo->server.started ? "started" : "was running and is adopted", demo->place.folder);
    WEIR_TRY(apply_catalog(demo, err));
    WEIR_TRY(make_databases(demo, err));
    add_children(demo);
    return demo_children_keep(&demo->children, mono_ns(), err);
}

/* --- running -------------------------------------------------------------------------------------------- */

static void sleep_ms(int64_t ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static bool embassy_done(const struct demo *demo) {
    for (size_t i = 0; i < demo->children.count; i++)
        if (strcmp(demo->children.items[i].name, "embassy") == 0)
            return demo->children.items[i].finished;
    return true;
}

/* Keeps server and processes alive and looks how far they are. */
static weir_code turn(struct demo *demo, weir_error *err) {
    if (!process_alive(demo->server.pid)) {
        cli_say(demo->cli, "nats-server ended; starting it again");
        WEIR_TRY(local_server_up(demo->place.server_folder, NULL, &demo->server, err));
    }
    WEIR_TRY(demo_children_keep(&demo->children, mono_ns(), err));
    WEIR_TRY(demo_report(&demo->result, demo->place.energy_union, demo->place.folder, err));
    demo_print_progress(demo->cli, &demo->result);
    return WEIR_OK;
}

static weir_code audit(struct demo *demo, weir_error *err) {
    weir_connection *connection = NULL;
    weir_connect_options options = {.servers = demo->server.url, .name = "weir demo audit"};
    WEIR_TRY(weir_connect(&connection, &options, err));
    weir_code code = demo_audit(&demo->result, demo->place.energy_union, demo->place.folder, connection,
                                demo->catalog, err);
    weir_disconnect(connection);
    return code;
}

/* Until everything read is handled, or nothing has moved for a minute, or Ctrl-C and then what is under way
 * (at most 20 s). */
static weir_code work(struct demo *demo, weir_error *err) {
    int64_t moved_ns = mono_ns(), last = -1, drain_until_ns = 0;
    for (;;) {
        WEIR_TRY(turn(demo, err));
        int64_t now = mono_ns(), handled = demo_handled(&demo->result);
        if (handled != last) {
            last = handled;
            moved_ns = now;
        }
        if (cli_stopping(demo->cli) && !drain_until_ns) {
            drain_until_ns = now + DRAIN_MS * NS_PER_MS;
            demo_children_stop(&demo->children, "embassy");
            continue; /* look again: it may have written a last reading */
        }
        if (embassy_done(demo) && demo_settled(&demo->result))
            return WEIR_OK;
        if (drain_until_ns && now > drain_until_ns)
            return WEIR_OK;
        if (embassy_done(demo) && now - moved_ns > 2000 * NS_PER_MS) {
            WEIR_TRY(audit(demo, err)); /* perhaps what is missing became dead letters */
            if (demo_settled(&demo->result) || now - moved_ns > STILL_MS * NS_PER_MS)
                return WEIR_OK;
        }
        sleep_ms(POLL_MS);
    }
}

static weir_code serve_on(struct demo *demo, weir_error *err) {
    cli_say(demo->cli, "still serving; look around with: weir tail --server %s --catalog %s --no-follow",
            demo->server.url, demo->place.catalog);
    cli_say(demo->cli, "Ctrl-C ends it");
    while (!cli_stopping(demo->cli)) {
        sleep_ms(POLL_MS);
        if (!process_alive(demo->server.pid))
            WEIR_TRY(local_server_up(demo->place.server_folder, NULL, &demo->server, err));
        WEIR_TRY(demo_children_keep(&demo->children, mono_ns(), err));
    }
    return WEIR_OK;
}

static int finish(struct demo *demo, weir_code code, weir_error *err) {
    demo_children_stop(&demo->children, NULL);
    bool stopped;
    weir_error down;
    if (local_server_down(demo->place.server_folder, 10000, &stopped, &down) != WEIR_OK)
        cli_say(demo->cli, "%s", down.message);
    if (code != WEIR_OK)
        return cli_fail(demo->cli, err);
    return demo_clean(&demo->result) ? EXIT_OK : EXIT_ERROR;
}

static int run_all(struct demo *demo) {
    weir_error err;
    weir_code code = set_up(demo, &err);
    if (code == WEIR_OK)
        code = work(demo, &err);
    if (code == WEIR_OK)
        code = audit(demo, &err);
    if (code == WEIR_OK) {
        demo_print_summary(demo->cli, &demo->result, demo->settings.data);
        if (demo->stay && !cli_stopping(demo->cli))
            code = serve_on(demo, &err);
    }
    return finish(demo, code, &err);
}

static int run_demo(cli *cli) {
    weir_error err;
    struct demo demo = {.cli = cli};
    demo_result_init(&demo.result);
    demo.stay = isatty(STDOUT_FILENO) && !cli_flag(cli, "exit");
    cli_on_stop(cli, NULL, NULL);
    weir_code code = demo_place_open(&demo.place, cli, &err);
    if (code == WEIR_OK)
        code = demo_settings_open(&demo.settings, &demo.place, cli, demo.stay, &err);
    if (code == WEIR_OK)
        code = weir_catalog_open(&demo.catalog, demo.place.catalog, "dev", NULL, &err);
    if (code == WEIR_OK)
        code = check_readings(&demo, &err);
    int status = code == WEIR_OK ? run_all(&demo) : cli_fail(cli, &err);
    weir_catalog_close(demo.catalog);
    demo_result_free(&demo.result);
    demo_place_close(&demo.place);
    return status;
}

static const struct option_row options[] = {
    {"data", 0, OPTION_TEXT, "FILE", NULL, NULL, "CSV of readings; without it this host is metered"},
    {"time-column", 0, OPTION_TEXT, "NAME", NULL, "DateTime", "its column with the time"},
    {"value-column", 0, OPTION_TEXT, "NAME", NULL, "Consumption kWh", "its column with the kWh"},
    {"tz", 0, OPTION_TEXT, "ZONE", NULL, "UTC", "zone of times that state none"},
    {"time-rule", 0, OPTION_TEXT, "RULE", NULL, "auto",
     "hour-ending (00:00 is the next midnight), instant, or auto", .choices = "hour-ending|instant|auto"},
    {"site", 0, OPTION_TEXT, "ID", NULL, "EU-KYIV-01", "site the readings belong to"},
    {"rate", 0, OPTION_INT, "N", NULL, NULL,
     "readings a second; 0: as fast as the disk allows (120; 5 without --data)", .least = 0, .most = 1000000},
    {"readings", 0, OPTION_INT, "N", NULL, NULL,
     "stop after so many live readings (30 when not on a terminal)", .least = 1, .most = INT32_MAX},
    {"dir", 0, OPTION_TEXT, "DIR", NULL, NULL, "folder of the demo; otherwise ~/.local/state/weir/demo"},
    {"demo-catalog", 0, OPTION_TEXT, "DIR", NULL, NULL, "another catalog with the same event types"},
    {"resume", 0, OPTION_FLAG, NULL, NULL, NULL, "go on where a killed demo stopped; otherwise start anew"},
    {"exit", 0, OPTION_FLAG, NULL, NULL, NULL, "end with the summary, also on a terminal"},
    {NULL},
};

const struct command_row command_demo = {
    .name = "demo",
    .summary = "The whole system, at work on this machine.",
    .arguments = "",
    .needs = NEEDS_NOTHING,
    .options = options,
    .run = run_demo,
    .details = "Starts a nats-server, applies the DAARION catalog, and runs a relay and the energy-union "
               "services, each with an SQLite\n"
               "database of its own. Readings become published readings, inventory, payouts and balances; at "
               "the end every sum and\n"
               "count is compared. Exit code 0 only when nothing was lost or doubled and the sums agree.",
};
