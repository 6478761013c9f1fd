/* SPDX-License-Identifier: Apache-2.0 */
/* A thread opens its relay and runs it; while the database is not there it opens it again and again, so that one
 * outbox neither keeps the others waiting nor is given up for an outage. The lock is held for memory only. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/units.h"
#include "broker/broker.h"
#include "cli/relaying.h"
#include "cli/run.h"
#include "store/outbox.h"

enum { TRY_AGAIN_MS = 500 };

static void wake(struct relays *relays) {
    uint64_t one = 1;
    ssize_t written = write(relays->wake_fd, &one, sizeof one);
    (void)written; /* full means: it wakes anyway */
}

/* --- one outbox, in its thread -------------------------------------------------------------------------- */

static weir_code open_relay(struct relaying *relaying, bool before, weir_error *err) {
    struct relays *relays = relaying->relays;
    cli *cli = relays->cli;
    bool wal = strcmp(cli_text(cli, "mode"), "wal") == 0;
    weir_relay_options options = {.outbox = relaying->url,
                                  .keep_ms = relays->keep_ms,
                                  .standby = before || cli_flag(cli, "standby"),
                                  .mode = wal ? WEIR_RELAY_WAL : WEIR_RELAY_POLL,
                                  .catch_up = !before && cli_flag(cli, "catch-up")};
    weir_relay *relay;
    WEIR_TRY(weir_relay_open(&relay, cli->connection, cli->catalog, &options, err));
    pthread_mutex_lock(&relays->lock);
    relaying->relay = relay;
    relaying->opened = true;
    relaying->waiting[0] = 0;
    pthread_mutex_unlock(&relays->lock);
    if (atomic_load(&relays->asked))
        weir_relay_stop(relay);
    return WEIR_OK;
}

/* What it counted stays; the database and the lease are let go. */
static void close_relay(struct relaying *relaying) {
    struct relays *relays = relaying->relays;
    weir_relay_stats stats;
    weir_relay_stream_stats streams[LIMIT_RELAY_STREAMS];
    pthread_mutex_lock(&relays->lock);
    weir_relay *relay = relaying->relay;
    if (relay) {
        weir_relay_stats_get(relay, &stats);
        metrics_add(&relaying->total, &stats, streams,
                    weir_relay_streams_get(relay, streams, LIMIT_RELAY_STREAMS));
        relaying->total.stats.active = false;
    }
    relaying->relay = NULL;
    pthread_mutex_unlock(&relays->lock);
    weir_relay_close(relay);
}

/* An outage is waited out, unless the work is to be done once. */
static bool try_again(struct relaying *relaying) {
    struct relays *relays = relaying->relays;
    if (!relaying->err.retriable || cli_flag(relays->cli, "once"))
        return false;
    pthread_mutex_lock(&relays->lock);
    snprintf(relaying->waiting, sizeof relaying->waiting, "%.511s", relaying->err.message);
    pthread_mutex_unlock(&relays->lock);
    for (int ms = 0; ms < TRY_AGAIN_MS && !atomic_load(&relays->asked); ms += 50)
        poll(NULL, 0, 50);
    return true;
}

static weir_code run_patiently(struct relaying *relaying) {
    struct relays *relays = relaying->relays;
    bool before = relays->again;
    weir_code code = WEIR_OK;
    do {
        close_relay(relaying);
        code = open_relay(relaying, before, &relaying->err);
        before = before || code == WEIR_OK;
        if (code == WEIR_OK)
            code = weir_relay_run(relaying->relay, cli_flag(relays->cli, "once"), &relaying->err);
    } while (code != WEIR_OK && try_again(relaying) && !atomic_load(&relays->asked));
    return code;
}

static void *run_one(void *arg) {
    struct relaying *relaying = arg;
    struct relays *relays = relaying->relays;
    weir_code code = run_patiently(relaying);
    close_relay(relaying); /* here, so that many take no longer than one */
    bool outage = code != WEIR_OK && relaying->err.retriable && atomic_load(&relays->asked);
    pthread_mutex_lock(&relays->lock);
    relaying->code = outage ? WEIR_OK : code; /* it was asked to stop while it waited */
    relaying->over = true;
    pthread_mutex_unlock(&relays->lock);
    wake(relays);
    return NULL;
}

/* --- all of them, from the main thread --------------------------------------------------------------------- */

bool relays_begin(struct relays *relays) {
    atomic_store(&relays->asked, false);
    relays->told_stop = false;
    for (size_t i = 0; i < relays->count; i++) {
        struct relaying *relaying = &relays->all[i];
        pthread_mutex_lock(&relays->lock);
        relaying->over = false;
        pthread_mutex_unlock(&relays->lock);
        relaying->joined = false;
        relaying->begun = relaying->code == WEIR_OK;
        if (relaying->begun && pthread_create(&relaying->thread, NULL, run_one, relaying) != 0) {
            relaying->begun = false;
            return false;
        }
    }
    return true;
}

struct relaying *relays_ended(struct relays *relays) {
    struct relaying *ended = NULL;
    pthread_mutex_lock(&relays->lock);
    for (size_t i = 0; i < relays->count && !ended; i++)
        if (relays->all[i].begun && relays->all[i].over && !relays->all[i].joined)
            ended = &relays->all[i];
    pthread_mutex_unlock(&relays->lock);
    return ended;
}

void relays_join(struct relaying *relaying) {
    relaying->joined = true;
    pthread_join(relaying->thread, NULL);
    if (relaying->code == WEIR_OK)
        return;
    relays_clear_status(relaying->relays);
    cli_fail(relaying->relays->cli, &relaying->err);
}

void relays_ask_stop(void *arg) {
    struct relays *relays = arg;
    atomic_store(&relays->asked, true);
    wake(relays);
}

void relays_stop(struct relays *relays) {
    relays->told_stop = true;
    pthread_mutex_lock(&relays->lock);
    for (size_t i = 0; i < relays->count; i++)
        if (relays->all[i].relay)
            weir_relay_stop(relays->all[i].relay);
    pthread_mutex_unlock(&relays->lock);
}

static void look(struct relaying *relaying, struct metrics_outbox *out) {
    weir_relay_stats stats;
    weir_relay_stream_stats streams[LIMIT_RELAY_STREAMS];
    *out = relaying->total;
    out->outbox = relaying->shown;
    out->up = relaying->code == WEIR_OK;
    out->open = relaying->relay != NULL;
    out->failure = out->up ? "" : relaying->err.message;
    if (relaying->relay) {
        weir_relay_stats_get(relaying->relay, &stats);
        metrics_add(out, &stats, streams,
                    weir_relay_streams_get(relaying->relay, streams, LIMIT_RELAY_STREAMS));
    }
    out->stats.connected = broker_connected(relaying->relays->cli->connection);
    if (relaying->waiting[0])
        snprintf(out->stats.trouble, sizeof out->stats.trouble, "%s", relaying->waiting);
}

void relays_look(struct relays *relays, struct metrics_outbox *out) {
    pthread_mutex_lock(&relays->lock);
    for (size_t i = 0; i < relays->count; i++)
        look(&relays->all[i], &out[i]);
    pthread_mutex_unlock(&relays->lock);
}

/* --- new and free ------------------------------------------------------------------------------------------- */

struct relays *relays_new(cli *cli) {
    struct relays *relays = arena_alloc(cli->arena, sizeof *relays);
    relays->cli = cli;
    relays->count = cli_list_count(cli, "outbox");
    relays->all = arena_alloc(cli->arena, relays->count * sizeof *relays->all);
    relays->seen = arena_alloc(cli->arena, relays->count * sizeof *relays->seen);
    for (size_t i = 0; i < relays->count; i++) {
        const char *url = cli_list_item(cli, "outbox", i);
        char *shown = outbox_url_safe(url);
        relays->all[i].relays = relays;
        relays->all[i].url = url;
        relays->all[i].shown = arena_strdup(cli->arena, shown);
        mem_free(shown);
    }
    pthread_mutex_init(&relays->lock, NULL);
    relays->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    relays->notify = notify_open();
    return relays;
}

void relays_free(struct relays *relays) {
    notify_close(relays->notify);
    close(relays->wake_fd);
    pthread_mutex_destroy(&relays->lock);
}
