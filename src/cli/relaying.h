/* SPDX-License-Identifier: Apache-2.0 */
/* The relays of `weir relay`: a thread for each outbox, watched by the main thread. What happens in a thread, or in a
 * signal's handler, wakes the main thread; only that one stops and joins. */
#ifndef CLI_RELAYING_H
#define CLI_RELAYING_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/cli.h"
#include "cli/reload.h"
#include "serve/metrics.h"
#include "serve/notify.h"
#include "weir/relay.h"

enum { OUTBOXES_MAX = 64 };

struct relays;

struct relaying {
    struct relays *relays;
    const char *url;   /* may hold a password: never shown */
    const char *shown; /* the url without secrets */
    pthread_t thread;
    bool begun, over, joined; /* the thread; over is under the lock */
    weir_code code;           /* how the outbox ended; OK: not with an error; set under the lock */
    weir_error err;
    /* under the lock */
    weir_relay *relay;           /* NULL: not open */
    char waiting[512];           /* why it is not; "" */
    bool opened;                 /* ever: then its rows are known */
    struct metrics_outbox total; /* of the relays before this one */
    /* what was told last */
    char told_phase[32]; /* "": not at work */
    char told[sizeof((weir_relay_stats *)0)->trouble];
};

struct relays {
    cli *cli;
    struct relaying *all;
    size_t count;
    struct metrics_outbox *seen; /* relays_look: room for all of them */
    pthread_mutex_t lock;
    int wake_fd;
    atomic_bool asked; /* to stop: by a signal, or for a newer catalog */
    bool again;        /* it is not the first round: who has the lease keeps it */
    bool told_stop;    /* the relays were asked to stop */
    int64_t keep_ms;
    struct reload *reload;
    notify *notify;
    /* the status line */
    bool status_shown;
    uint64_t rate_published;
    int64_t rate_ns;
};

/* --- relay_run.c: threads --- */
/* Names the outboxes; lives in the command's arena. */
struct relays *relays_new(cli *cli);
void relays_free(struct relays *relays);
/* Begins a thread for each outbox that did not fail. False when the machine gives no more threads. */
bool relays_begin(struct relays *relays);
/* One that ended and was not joined; NULL: none. */
struct relaying *relays_ended(struct relays *relays);
/* Joins it and tells its failure. */
void relays_join(struct relaying *relaying);
/* May be called from a signal handler: the main thread stops them. */
void relays_ask_stop(void *relays);
void relays_stop(struct relays *relays);
/* How each stands now, in relays->seen or in `out`. Any thread. */
void relays_look(struct relays *relays, struct metrics_outbox *out);

/* --- relay_watch.c: while they run --- */
/* Until all threads that were begun have ended. */
void relays_watch(struct relays *relays);
/* One line of talk; the status line makes room for it. */
void relays_say(struct relays *relays, const struct relaying *relaying, const char *what);
void relays_clear_status(struct relays *relays);

/* --- relay_http.c --- */
struct relays_http;
/* Serves metrics and health as --metrics says. *out becomes NULL without it. */
WEIR_MUST_CHECK weir_code relays_http_open(struct relays_http **out, struct relays *relays, weir_error *err);
void relays_http_close(struct relays_http *http); /* NULL is fine */

#endif
