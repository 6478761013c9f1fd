/* SPDX-License-Identifier: Apache-2.0 */
/* Being told of revisions. A plain subscription on the pointers' subject is the wake-up and no more: it sees a
 * pointer before it is stored, and also one that is refused. What counts is read back; so after a wake-up that
 * shows nothing new we look again, twice, then when the connection was lost and is back, and once a minute. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "registry/registry.h"
#include "weir/clock.h"

enum { TICK_MS = 1000, LOOKS_MAX = 3 };
static const int look_again_ms[LOOKS_MAX] = {100, 500, 3000};
static const int64_t look_anyhow_ns = 60 * NS_PER_S;

struct weir_catalog_watch {
    weir_connection *connection;
    weir_revision known; /* the thread's */
    weir_on_revision on_revision;
    void *arg;
    broker_sub *sub; /* NULL: this identity may not subscribe */
    pthread_t thread;
    int bell;
    atomic_bool stop;
};

static void ring(weir_catalog_watch *watch) {
    const uint64_t one = 1;
    ssize_t written = write(watch->bell, &one, sizeof one);
    (void)written; /* full means it rings already */
}

static void on_message(void *arg, broker_msg *msg) {
    broker_msg_free(msg);
    ring(arg);
}

/* Waits for the bell: true when it rang. */
static bool wait_for_bell(weir_catalog_watch *watch, int timeout_ms) {
    uint64_t count;
    struct pollfd bell = {.fd = watch->bell, .events = POLLIN};
    return poll(&bell, 1, timeout_ms) > 0 && read(watch->bell, &count, sizeof count) > 0;
}

static bool is_other(const weir_catalog_watch *watch, const weir_revision *revision) {
    return revision->number != watch->known.number || strcmp(revision->digest, watch->known.digest) != 0;
}

/* Numbers only grow, unless the stream was made anew. A replica that lags shows an older one too: then the leader
 * has the word. */
static bool look_for_news(weir_catalog_watch *watch, struct registry_pointer *pointer) {
    const char *name = watch->known.catalog;
    if (registry_latest(pointer, watch->connection, name, false, NULL) != WEIR_OK ||
        !is_other(watch, &pointer->revision))
        return false;
    return pointer->revision.number > watch->known.number ||
           (registry_latest(pointer, watch->connection, name, true, NULL) == WEIR_OK &&
            is_other(watch, &pointer->revision));
}

/* True when there was something new that was told. What may be different the next time is not told. */
static bool look(weir_catalog_watch *watch) {
    struct registry_pointer pointer;
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    if (!look_for_news(watch, &pointer))
        return false;
    weir_code code = registry_open(&catalog, watch->connection, &pointer, NULL, NULL, &err);
    if (code != WEIR_OK && code != WEIR_INVALID && code != WEIR_LIMIT)
        return false;
    watch->known = pointer.revision;
    watch->on_revision(watch->arg, &pointer.revision, catalog, code == WEIR_OK ? NULL : &err);
    return true;
}

static void *run(void *arg) {
    weir_catalog_watch *watch = arg;
    const weir_clock *clock = weir_clock_system();
    uint64_t epoch = broker_epoch(watch->connection);
    int64_t look_ns = clock->mono_ns(clock->self); /* it may have changed since it was opened */
    int looks = LOOKS_MAX;                         /* behind the last wake-up */
    while (!atomic_load(&watch->stop)) {
        bool back = broker_connected(watch->connection) && broker_epoch(watch->connection) != epoch;
        int64_t now_ns = clock->mono_ns(clock->self);
        if (back || now_ns >= look_ns) {
            epoch = back ? broker_epoch(watch->connection) : epoch;
            bool told = look(watch);
            looks = told || looks >= LOOKS_MAX ? LOOKS_MAX : looks;
            now_ns = clock->mono_ns(clock->self);
            look_ns = now_ns + (looks < LOOKS_MAX ? look_again_ms[looks++] * NS_PER_MS : look_anyhow_ns);
        }
        int64_t left_ms = (look_ns - now_ns) / NS_PER_MS + 1;
        if (wait_for_bell(watch, left_ms < TICK_MS ? (int)left_ms : TICK_MS)) {
            looks = 0;
            look_ns = clock->mono_ns(clock->self);
        }
    }
    return NULL;
}

/* Signals are the program's: a thread of ours takes none. */
static int start(weir_catalog_watch *watch) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&watch->thread, NULL, run, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void release(weir_catalog_watch *watch) {
    if (watch->sub)
        broker_unsubscribe(watch->sub);
    close(watch->bell);
    mem_free(watch);
}

weir_code weir_catalog_watch_open(weir_catalog_watch **out, weir_connection *connection,
                                  const weir_revision *known, weir_on_revision on_revision, void *arg,
                                  weir_error *err) {
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell < 0)
        return weir_fail(err, WEIR_IO, "cannot make an eventfd: %s", strerror(errno));
    weir_catalog_watch *watch = mem_alloc(sizeof *watch);
    *watch = (weir_catalog_watch){
        .connection = connection, .known = *known, .on_revision = on_revision, .arg = arg, .bell = bell};
    arena *arena = arena_new();
    weir_code code = broker_subscribe(
        &watch->sub, connection, registry_place_of(arena, known->catalog).subject, on_message, watch, err);
    arena_free(arena);
    if (code == WEIR_OK && start(watch) != 0)
        code = weir_fail(err, WEIR_IO, "cannot start a thread");
    if (code != WEIR_OK) {
        release(watch);
        return code;
    }
    *out = watch;
    return WEIR_OK;
}

void weir_catalog_watch_close(weir_catalog_watch *watch) {
    if (!watch)
        return;
    atomic_store(&watch->stop, true);
    ring(watch);
    pthread_join(watch->thread, NULL);
    release(watch);
}
