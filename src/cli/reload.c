/* SPDX-License-Identifier: Apache-2.0 */
/* One revision waits to be taken over at most, the latest. The lock is held while `stop` runs, so that what it
 * stops cannot be closed under it. */
#include "cli/reload.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/run.h"

enum { TRY_AGAIN_MS = 500 };

struct reload {
    cli *cli;
    reload_fits fits;
    void *fits_arg;
    weir_catalog_watch *watch;

    pthread_mutex_t lock;
    weir_catalog *next; /* NULL: none */
    weir_revision next_revision;
    void (*stop)(void *arg); /* NULL: not armed */
    void *stop_arg;
};

static void log_revision(const weir_revision *revision, uint64_t before) {
    char line[200];
    int size = snprintf(line, sizeof line, "%s: revision %llu (digest %.12s)", revision->catalog,
                        (unsigned long long)revision->number, revision->digest);
    if (before && size > 0 && (size_t)size < sizeof line)
        snprintf(line + size, sizeof line - (size_t)size, ", was %llu", (unsigned long long)before);
    log_line(LOG_INFO, "catalog", line, NULL);
}

static void log_refused(const struct reload *reload, const weir_revision *revision, const weir_error *err) {
    char line[200];
    snprintf(line, sizeof line, "%s: revision %llu (digest %.12s) is refused, going on with %llu",
             revision->catalog, (unsigned long long)revision->number, revision->digest,
             (unsigned long long)reload->cli->revision.number);
    log_line(LOG_WARN, "catalog", line, "reason", err->message, "hint", err->hint, NULL);
}

static void on_revision(void *arg, const weir_revision *revision, weir_catalog *catalog,
                        const weir_error *why) {
    struct reload *reload = arg;
    weir_error err;
    if (catalog && reload->fits && reload->fits(reload->fits_arg, catalog, &err) != WEIR_OK) {
        weir_catalog_close(catalog);
        catalog = NULL;
        why = &err;
    }
    pthread_mutex_lock(&reload->lock);
    if (catalog) {
        weir_catalog_close(reload->next);
        reload->next = catalog;
        reload->next_revision = *revision;
        if (reload->stop)
            reload->stop(reload->stop_arg);
        reload->stop = NULL;
    } else {
        log_refused(reload, revision, why);
    }
    pthread_mutex_unlock(&reload->lock);
}

weir_code reload_open(struct reload **out, cli *cli, reload_fits fits, void *arg, weir_error *err) {
    *out = NULL;
    if (cli->revision.number == 0 || cli->pinned)
        return WEIR_OK;
    struct reload *reload = mem_alloc(sizeof *reload);
    *reload = (struct reload){.cli = cli, .fits = fits, .fits_arg = arg};
    pthread_mutex_init(&reload->lock, NULL);
    log_revision(&cli->revision, 0);
    weir_code code =
        weir_catalog_watch_open(&reload->watch, cli->connection, &cli->revision, on_revision, reload, err);
    if (code == WEIR_OK)
        *out = reload;
    else
        reload_close(reload);
    return code;
}

void reload_arm(struct reload *reload, void (*stop)(void *arg), void *arg) {
    if (!reload)
        return;
    pthread_mutex_lock(&reload->lock);
    reload->stop = reload->next ? NULL : stop;
    reload->stop_arg = arg;
    if (reload->next)
        stop(arg);
    pthread_mutex_unlock(&reload->lock);
}

void reload_disarm(struct reload *reload) {
    if (!reload)
        return;
    pthread_mutex_lock(&reload->lock);
    reload->stop = NULL;
    pthread_mutex_unlock(&reload->lock);
}

bool reload_take(struct reload *reload) {
    if (!reload || cli_stopping(reload->cli))
        return false;
    pthread_mutex_lock(&reload->lock);
    weir_catalog *next = reload->next;
    weir_revision revision = reload->next_revision, before = reload->cli->revision;
    reload->next = NULL;
    if (next)
        reload->cli->revision = revision; /* under the lock: a refusal names it */
    pthread_mutex_unlock(&reload->lock);
    if (!next)
        return false;
    weir_catalog_close(reload->cli->catalog);
    reload->cli->catalog = next;
    log_revision(&revision, before.number);
    return true;
}

bool reload_patient(struct reload *reload, const weir_error *err) {
    if (!reload || !err->retriable || cli_stopping(reload->cli))
        return false;
    poll(NULL, 0, TRY_AGAIN_MS);
    return !cli_stopping(reload->cli);
}

void reload_close(struct reload *reload) {
    if (!reload)
        return;
    weir_catalog_watch_close(reload->watch);
    weir_catalog_close(reload->next);
    pthread_mutex_destroy(&reload->lock);
    mem_free(reload);
}
