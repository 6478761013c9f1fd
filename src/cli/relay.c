/* SPDX-License-Identifier: Apache-2.0 */
/* weir relay --outbox URL [--once]: one thread per outbox, one connection for all. An outbox that cannot go
 * on does not stop the others; the command ends with 1 then. */
#include "weir/relay.h"

#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/relaying.h"
#include "cli/run.h"
#include "store/outbox.h"

static const struct option_row relay_options[] = {
    {"outbox", 'o', OPTION_LIST, "URL", "WEIR_OUTBOX", NULL,
     "postgres://... or sqlite:PATH; any number of them"},
    {"once", 0, OPTION_FLAG, NULL, NULL, NULL, "end when all that is committed now is published or parked"},
    {"standby", 0, OPTION_FLAG, NULL, NULL, NULL, "wait while another relay works on the outbox"},
    {"mode", 0, OPTION_TEXT, "MODE", NULL, "poll",
     "poll: read the table; wal: follow PostgreSQL's write-ahead log", .choices = "poll|wal"},
    {"catch-up", 0, OPTION_FLAG, NULL, NULL, NULL,
     "wal: the slot was lost or moved; make it anew and catch up from the table"},
    {"metrics", 0, OPTION_TEXT, "HOST:PORT", "WEIR_METRICS", NULL,
     "serve /metrics, /healthz and /readyz there; :PORT is loopback"},
    {"keep", 0, OPTION_DURATION, "TIME", NULL, "24h",
     "delete published rows after so long, 24h at least; or forever"},
    {"reference", 0, OPTION_FLAG, NULL, NULL, NULL, "print the reference of the metrics instead (Markdown)"},
    {NULL},
};

enum { END_S = 9 }; /* people and service managers give ten seconds; a server that is silent takes five */

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

/* --- the end ------------------------------------------------------------------------------------------ */

static void print_json(struct relays *relays) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "outboxes");
    weir_json_begin_array(json);
    for (size_t i = 0; i < relays->count; i++) {
        const weir_relay_stats *stats = &relays->all[i].total.stats;
        const struct {
            const char *key;
            int64_t value;
        } numbers[] = {
            {"published", (int64_t)stats->published},     {"parked", (int64_t)stats->parked},
            {"batches", (int64_t)stats->batches},         {"reconciled", (int64_t)stats->reconciled},
            {"republished", (int64_t)stats->republished}, {"pending", stats->pending}};
        weir_json_begin_object(json);
        weir_json_key(json, "outbox");
        weir_json_string(json, relays->all[i].shown);
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            weir_json_key(json, numbers[j].key);
            weir_json_int(json, numbers[j].value);
        }
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(relays->cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static void say_summary(struct relays *relays) {
    for (size_t i = 0; i < relays->count; i++) {
        const weir_relay_stats *stats = &relays->all[i].total.stats;
        if (!relays->all[i].opened)
            continue;
        cli_say(relays->cli, "%s: %llu published, %llu parked, %lld pending", relays->all[i].shown,
                (unsigned long long)stats->published, (unsigned long long)stats->parked,
                (long long)stats->pending);
    }
}

/* --- rounds ------------------------------------------------------------------------------------------- */

static int no_thread(cli *cli) {
    weir_error err;
    weir_fail(&err, WEIR_IO, "cannot start a thread for every outbox");
    return cli_fail(cli, &err);
}

static int run_round(struct relays *relays) {
    bool all = relays_begin(relays);
    reload_arm(relays->reload, relays_ask_stop, relays);
    if (!all || cli_stopping(relays->cli))
        relays_ask_stop(relays);
    relays_watch(relays);
    reload_disarm(relays->reload);
    return all ? EXIT_OK : no_thread(relays->cli);
}

static size_t failed(const struct relays *relays) {
    size_t count = 0;
    for (size_t i = 0; i < relays->count; i++)
        count += relays->all[i].code != WEIR_OK;
    return count;
}

/* With one catalog after the other. What failed stays closed, and makes the command fail in the end. */
static int run_rounds(struct relays *relays) {
    int code = EXIT_OK;
    do {
        code = run_round(relays);
        relays->again = true;
    } while (code == EXIT_OK && failed(relays) < relays->count && reload_take(relays->reload));
    return code == EXIT_OK && failed(relays) > 0 ? EXIT_ERROR : code;
}

static int serve_rounds(cli *cli, struct relays *relays) {
    struct relays_http *http;
    weir_error err;
    if (!cli_flag(cli, "once") && reload_open(&relays->reload, cli, NULL, NULL, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if (relays_http_open(&http, relays, &err) != WEIR_OK) {
        reload_close(relays->reload);
        return cli_fail(cli, &err);
    }
    int code = run_rounds(relays);
    relays_http_close(http);
    reload_close(relays->reload);
    if (cli_json(cli) && code == EXIT_OK)
        print_json(relays);
    say_summary(relays);
    return code;
}

static int run_and_tell(cli *cli) {
    struct relays *relays = relays_new(cli);
    cli_on_stop(cli, relays_ask_stop, relays);
    cli_stop_within(cli, END_S);
    int code = EXIT_ERROR;
    if (cli_catalog(cli) && cli_connection(cli)) {
        relays->keep_ms = keep_ms(cli);
        code = serve_rounds(cli, relays);
    }
    cli_on_stop(cli, NULL, NULL);
    relays_free(relays);
    return code == EXIT_OK && cli_interrupted(cli) ? EXIT_INTERRUPTED : code;
}

static int print_reference(cli *cli) {
    buffer page;
    buffer_init(&page, 1 << 20);
    metrics_reference(&page);
    fwrite(page.data, 1, page.size, cli_out(cli));
    buffer_release(&page);
    return EXIT_OK;
}

/* The url, as it may be shown; NULL: none is. */
static const char *named_twice(cli *cli, size_t outboxes) {
    for (size_t i = 1; i < outboxes; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(cli_list_item(cli, "outbox", i), cli_list_item(cli, "outbox", j)) == 0) {
                char *safe = outbox_url_safe(cli_list_item(cli, "outbox", i));
                const char *shown = arena_strdup(cli->arena, safe);
                mem_free(safe);
                return shown;
            }
    return NULL;
}

static int run_relay(cli *cli) {
    size_t outboxes = cli_list_count(cli, "outbox");
    if (cli_flag(cli, "reference"))
        return print_reference(cli);
    if (outboxes == 0)
        return cli_usage(cli, "say which outbox: --outbox postgres://... or sqlite:PATH");
    if (outboxes > OUTBOXES_MAX)
        return cli_usage(cli, "%zu outboxes were given, one relay serves %d", outboxes, OUTBOXES_MAX);
    const char *twice = named_twice(cli, outboxes);
    if (twice)
        return cli_usage(cli, "the outbox %s is named twice", twice);
    if (cli_flag(cli, "catch-up") && strcmp(cli_text(cli, "mode"), "wal") != 0)
        return cli_usage(cli, "--catch-up needs --mode wal");
    return run_and_tell(cli);
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
               "Needs nats-server 2.12 or newer and the streams as weir apply leaves them. SIGTERM and "
               "Ctrl-C finish "
               "the batch in flight, within ten seconds whatever hangs; a second Ctrl-C ends at once.\n"
               "\n"
               "  weir relay --outbox sqlite:shop.db\n"
               "  weir relay --outbox postgres://relay@db/shop --standby --metrics :9180\n"
               "  weir relay --outbox sqlite:shop.db --once\n",
};
