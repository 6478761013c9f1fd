/* SPDX-License-Identifier: Apache-2.0 */
/* weir relay --outbox URL [--once]: one thread per outbox, one connection for all. An outbox that cannot go
 * on does not stop the others; the command ends with 1 then. */
#include "weir/relay.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/reload.h"
#include "cli/run.h"

static const struct option_row relay_options[] = {
    {"outbox", 'o', OPTION_LIST, "URL", "WEIR_OUTBOX", NULL, "sqlite:PATH"},
    {"once", 0, OPTION_FLAG, NULL, NULL, NULL, "end when all that is committed now is published or parked"},
    {"standby", 0, OPTION_FLAG, NULL, NULL, NULL, "wait while another relay works on the outbox"},
    {"mode", 0, OPTION_TEXT, "MODE", NULL, "poll",
     "poll: read the table; wal: follow PostgreSQL's write-ahead log", .choices = "poll|wal"},
    {"catch-up", 0, OPTION_FLAG, NULL, NULL, NULL,
     "wal: the slot was lost or moved; make it anew and catch up from the table"},
    {"keep", 0, OPTION_DURATION, "TIME", NULL, "24h",
     "delete published rows after so long, 24h at least; or forever"},
    {NULL},
};

enum { OUTBOXES_MAX = 64 };

struct relaying {
    cli *cli;
    const char *url;
    weir_relay *relay;
    pthread_t thread;
    bool once;
    weir_code code;
    weir_error err;
    bool over, joined;      /* under lock */
    weir_relay_stats total; /* of this relay and those before it */
    struct relays *relays;
    char told[sizeof((weir_relay_stats *)0)->trouble];
};

struct relays {
    struct relaying all[OUTBOXES_MAX];
    size_t count;
    struct reload *reload;
    bool ran;
    pthread_mutex_t lock;
    pthread_cond_t ended;
};

static void *run_one(void *arg) {
    struct relaying *relaying = arg;
    relaying->code = weir_relay_run(relaying->relay, relaying->once, &relaying->err);
    pthread_mutex_lock(&relaying->relays->lock);
    relaying->over = true;
    pthread_cond_signal(&relaying->relays->ended);
    pthread_mutex_unlock(&relaying->relays->lock);
    return NULL;
}

static void on_stop(void *arg) {
    struct relays *relays = arg;
    for (size_t i = 0; i < relays->count; i++)
        if (relays->all[i].relay)
            weir_relay_stop(relays->all[i].relay);
}

/* Published rows are what brings back events that a stream forgot, so there is a least time to keep them. */
static int64_t keep_ms(cli *cli) {
    int64_t keep_ns = cli_int(cli, "keep");
    if (keep_ns == 0)
        return -1;
    if (keep_ns < LIMIT_OUTBOX_KEEP_HOURS * 3600 * NS_PER_S)
        cli_say(cli, "--keep is raised to %dh, the least: published rows bring back what a stream forgot",
                LIMIT_OUTBOX_KEEP_HOURS);
    return keep_ns / NS_PER_MS;
}

static weir_code open_one(struct relaying *relaying, const weir_relay_options *options, weir_error *err) {
    cli *cli = relaying->cli;
    weir_code code;
    relaying->over = relaying->joined = false;
    do {
        code = weir_relay_open(&relaying->relay, cli->connection, cli->catalog, options, err);
    } while (code != WEIR_OK && reload_patient(relaying->relays->reload, err));
    return code;
}

/* All, or again all that did not fail. Who took an outbox over meanwhile keeps it: then we stand by. */
static int open_relays(cli *cli, struct relays *relays, bool again) {
    weir_error err;
    bool wal = strcmp(cli_text(cli, "mode"), "wal") == 0;
    weir_relay_options options = {.keep_ms = keep_ms(cli),
                                  .standby = again || cli_flag(cli, "standby"),
                                  .mode = wal ? WEIR_RELAY_WAL : WEIR_RELAY_POLL,
                                  .catch_up = !again && cli_flag(cli, "catch-up")};
    for (size_t i = 0; i < relays->count; i++) {
        options.outbox = relays->all[i].url;
        if (relays->all[i].code != WEIR_OK || open_one(&relays->all[i], &options, &err) == WEIR_OK)
            continue;
        relays->all[i].code = err.code;
        cli_fail(cli, &err);
        if (!again)
            return EXIT_ERROR;
    }
    return EXIT_OK;
}

static void name_relays(cli *cli, struct relays *relays) {
    relays->count = cli_list_count(cli, "outbox");
    for (size_t i = 0; i < relays->count; i++)
        relays->all[i] = (struct relaying){.cli = cli,
                                           .url = cli_list_item(cli, "outbox", i),
                                           .once = cli_flag(cli, "once"),
                                           .relays = relays};
}

static bool any_left(const struct relays *relays) {
    for (size_t i = 0; i < relays->count; i++)
        if (relays->all[i].code == WEIR_OK)
            return true;
    return false;
}

static void close_relays(struct relays *relays) {
    for (size_t i = 0; i < relays->count; i++) {
        weir_relay_close(relays->all[i].relay);
        relays->all[i].relay = NULL;
    }
}

/* --- while they run --------------------------------------------------------------------------------- */

static void tell_trouble(struct relaying *relaying) {
    weir_relay_stats stats;
    if (!relaying->relay)
        return;
    weir_relay_stats_get(relaying->relay, &stats);
    if (strcmp(stats.trouble, relaying->told) == 0)
        return;
    memcpy(relaying->told, stats.trouble, sizeof relaying->told);
    cli_say(relaying->cli, "%s: %s", relaying->url, stats.trouble[0] ? stats.trouble : "going on");
}

static void join(struct relaying *relaying) {
    relaying->joined = true;
    pthread_join(relaying->thread, NULL);
    if (relaying->code != WEIR_OK)
        cli_fail(relaying->cli, &relaying->err);
}

/* One that ended and was not joined yet; with the lock held. */
static struct relaying *next_ended(struct relays *relays) {
    for (size_t i = 0; i < relays->count; i++)
        if (relays->all[i].relay && relays->all[i].over && !relays->all[i].joined)
            return &relays->all[i];
    return NULL;
}

/* Waits for the threads, telling once a second what keeps them. A failure is told when it happens. */
static void watch(struct relays *relays, size_t running) {
    while (running > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_mutex_lock(&relays->lock);
        struct relaying *ended = next_ended(relays);
        if (!ended)
            pthread_cond_timedwait(&relays->ended, &relays->lock, &until);
        pthread_mutex_unlock(&relays->lock);
        for (size_t i = 0; i < relays->count && !ended; i++)
            tell_trouble(&relays->all[i]);
        running -= ended != NULL;
        if (ended)
            join(ended);
    }
}

/* --- the end ------------------------------------------------------------------------------------------ */

static void print_json(cli *cli, struct relays *relays) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "outboxes");
    weir_json_begin_array(json);
    for (size_t i = 0; i < relays->count; i++) {
        const weir_relay_stats stats = relays->all[i].total;
        const struct {
            const char *key;
            int64_t value;
        } numbers[] = {{"published", (int64_t)stats.published},     {"parked", (int64_t)stats.parked},
                       {"batches", (int64_t)stats.batches},         {"reconciled", (int64_t)stats.reconciled},
                       {"republished", (int64_t)stats.republished}, {"pending", stats.pending}};
        weir_json_begin_object(json);
        weir_json_key(json, "outbox");
        weir_json_string(json, relays->all[i].url);
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            weir_json_key(json, numbers[j].key);
            weir_json_int(json, numbers[j].value);
        }
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static void say_summary(cli *cli, struct relays *relays) {
    for (size_t i = 0; i < relays->count; i++) {
        const weir_relay_stats stats = relays->all[i].total;
        cli_say(cli, "%s: %llu published, %llu parked, %lld pending", relays->all[i].url,
                (unsigned long long)stats.published, (unsigned long long)stats.parked,
                (long long)stats.pending);
    }
}

static int no_thread(cli *cli) {
    weir_error err;
    weir_fail(&err, WEIR_IO, "cannot start a thread for every outbox");
    return cli_fail(cli, &err);
}

static void add_up(struct relaying *relaying) {
    weir_relay_stats stats;
    if (!relaying->relay)
        return;
    weir_relay_stats_get(relaying->relay, &stats);
    relaying->total.published += stats.published;
    relaying->total.parked += stats.parked;
    relaying->total.batches += stats.batches;
    relaying->total.reconciled += stats.reconciled;
    relaying->total.republished += stats.republished;
    relaying->total.pending = stats.pending;
}

/* How many threads run now; all of the open ones, unless the machine gives no more. */
static size_t start_relays(struct relays *relays, bool *all) {
    size_t started = 0;
    *all = true;
    for (size_t i = 0; i < relays->count; i++) {
        struct relaying *relaying = &relays->all[i];
        if (!relaying->relay)
            continue;
        if (*all && pthread_create(&relaying->thread, NULL, run_one, relaying) == 0) {
            started++;
        } else {
            *all = false;
            relaying->joined = true; /* there is none to join */
        }
    }
    return started;
}

static int run_relays(cli *cli, struct relays *relays) {
    bool all;
    cli_on_stop(cli, on_stop, relays);
    size_t running = start_relays(relays, &all);
    reload_arm(relays->reload, on_stop, relays);
    if (!all || cli_stopping(cli))
        on_stop(relays);
    watch(relays, running);
    reload_disarm(relays->reload);
    cli_on_stop(cli, NULL, NULL);
    for (size_t i = 0; i < relays->count; i++)
        add_up(&relays->all[i]);
    return all ? EXIT_OK : no_thread(cli);
}

static bool all_well(const struct relays *relays) {
    for (size_t i = 0; i < relays->count; i++)
        if (relays->all[i].code != WEIR_OK)
            return false;
    return true;
}

/* With one catalog after the other. What failed stays closed, and makes the command fail in the end. */
static int run_rounds(cli *cli, struct relays *relays) {
    int code = open_relays(cli, relays, false);
    while (code == EXIT_OK) {
        code = run_relays(cli, relays);
        relays->ran = true;
        close_relays(relays);
        if (!any_left(relays) || !reload_take(relays->reload))
            break;
        code = open_relays(cli, relays, true);
    }
    close_relays(relays);
    return code == EXIT_OK && !all_well(relays) ? EXIT_ERROR : code;
}

static int run_and_tell(cli *cli, struct relays *relays) {
    weir_error err;
    if (!cli_catalog(cli) || !cli_connection(cli))
        return EXIT_ERROR;
    if (!cli_flag(cli, "once") && reload_open(&relays->reload, cli, NULL, NULL, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    int code = run_rounds(cli, relays);
    reload_close(relays->reload);
    if (cli_json(cli) && code == EXIT_OK)
        print_json(cli, relays);
    if (relays->ran)
        say_summary(cli, relays);
    return code == EXIT_OK && cli_interrupted(cli) ? EXIT_INTERRUPTED : code;
}

static int run_relay(cli *cli) {
    size_t outboxes = cli_list_count(cli, "outbox");
    if (outboxes == 0)
        return cli_usage(cli, "say which outbox: --outbox sqlite:PATH");
    if (outboxes > OUTBOXES_MAX)
        return cli_usage(cli, "%zu outboxes were given, one relay serves %d", outboxes, OUTBOXES_MAX);
    for (size_t i = 1; i < outboxes; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(cli_list_item(cli, "outbox", i), cli_list_item(cli, "outbox", j)) == 0)
                return cli_usage(cli, "the outbox %s is named twice", cli_list_item(cli, "outbox", i));
    if (cli_flag(cli, "catch-up") && strcmp(cli_text(cli, "mode"), "wal") != 0)
        return cli_usage(cli, "--catch-up needs --mode wal");
    struct relays *relays = arena_alloc(cli->arena, sizeof *relays);
    pthread_mutex_init(&relays->lock, NULL);
    pthread_cond_init(&relays->ended, NULL);
    name_relays(cli, relays);
    int code = run_and_tell(cli, relays);
    pthread_cond_destroy(&relays->ended);
    pthread_mutex_destroy(&relays->lock);
    return code;
}

const struct command_row command_relay = {
    .name = "relay",
    .summary = "Bring the rows of outboxes to their streams, exactly once.",
    .arguments = "--outbox URL [--once]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER,
    .options = relay_options,
    .run = run_relay,
    .details = "Rows are validated, wrapped in the catalog's envelope and published in commit order, in "
               "atomic batches that end "
               "in a cursor message; whatever is killed, each row is in its stream once. Rows that cannot be "
               "published are "
               "parked with a reason (weir outbox ls) and the others flow. Outages are waited out.\n"
               "\n"
               "Needs nats-server 2.12 or newer and the streams as weir apply leaves them.\n"
               "\n"
               "  weir relay --outbox sqlite:shop.db\n"
               "  weir relay --outbox sqlite:shop.db --once\n",
};
