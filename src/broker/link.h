/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the broker room: the connection object, subscriptions that outlive a libnats connection, requests
 * that wait.
 *
 * libnats reconnects by itself, but gives up for good when a server refuses the identity twice or answers
 * with an error it does not know. Then a reviver makes a new libnats connection under the same
 * weir_connection and opens every subscription again. Replaced libnats connections are kept until the end,
 * for another thread may be inside one.
 *
 * Three locks, none held while a callback of the user runs except event_lock: `listeners_lock` (the list of
 * subscriptions), then `lock` (requests, denials, states); `event_lock` makes on_event one at a time. */
#ifndef BROKER_LINK_H
#define BROKER_LINK_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>

#include "broker/broker.h"
#include "broker/settings.h"

enum {
    LINK_DENIED_KEPT = 16,       /* subjects the server refused, kept to answer broker_denied */
    LINK_DENIED_BYTES = 256,     /* libnats keeps no more of an error */
    LINK_REQUESTS_AT_ONCE = 128, /* of one broker_api_many */
    LINK_INBOX_MAX = 160,
    LINK_SPENT = 128, /* messages sent that are destroyed together */
    LINK_SPENT_BYTES = 256 << 10
};

/* --- listeners: a subscription with a thread of its own ------------------------------------------------- */

struct listener {
    struct listener *next;
    weir_connection *connection;
    char *subject;
    int64_t tick_ms; /* on_msg gets NULL when nothing came for so long; 0: never */
    bool unbounded;  /* no limit of its own on what is pending: the sender is bounded by what was asked for */
    void (*on_msg)(void *arg, natsMsg *msg);
    void *arg;
    natsSubscription *sub;
    natsConnection *nats; /* where sub lives */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool running;             /* the subscription's thread may still call on_msg */
    _Atomic uintptr_t thread; /* that thread, once it ran */
    atomic_bool denied;       /* the server refused the subscription */
};

/* Fill connection-independent fields (tick_ms, unbounded, on_msg, arg) before. The subject is copied. */
WEIR_MUST_CHECK weir_code listener_open(struct listener *listener, weir_connection *connection,
                                        const char *subject, weir_error *err);
/* Unsubscribes, but lets on_msg have what the server had sent before that, within timeout_ms. listener_close
 * must follow. */
void listener_drain(struct listener *listener, int64_t timeout_ms);
/* Unsubscribes and waits until on_msg does not run any more. From on_msg itself it aborts: it would wait for
 * ever. */
void listener_close(struct listener *listener);
void listeners_bury(weir_connection *connection); /* destroys what could not be earlier; libnats is closed */
void listeners_reopen(weir_connection *connection); /* on the new libnats connection */
void listeners_denied(weir_connection *connection, weir_text subject);
WEIR_MUST_CHECK weir_code listener_check(const struct listener *listener,
                                         weir_error *err); /* DENIED if it was */

/* --- requests ------------------------------------------------------------------------------------------- */

enum request_state { REQUEST_WAITS, REQUEST_ANSWERED, REQUEST_LOST, REQUEST_DENIED, REQUEST_DEAF };

struct request {
    struct request *next;
    uint64_t token;
    const char *subject;
    enum request_state state;
    natsMsg *reply;
};

/* Lists the request and publishes it. On success request_end must follow. */
WEIR_MUST_CHECK weir_code request_begin(weir_connection *connection, struct request *request,
                                        const struct broker_out *out, const struct broker_header *extra,
                                        weir_error *err);
/* Waits for the answer until a monotonic time and unlists the request. */
WEIR_MUST_CHECK weir_code request_end(weir_connection *connection, struct request *request, int64_t until_ns,
                                      natsMsg **reply, weir_error *err);
/* Both, with libnats' buffer pushed out in between. extra may be NULL. */
WEIR_MUST_CHECK weir_code request_make(weir_connection *connection, const struct broker_out *out,
                                       const struct broker_header *extra, int64_t timeout_ms, natsMsg **reply,
                                       weir_error *err);
void requests_fail(weir_connection *connection, enum request_state state,
                   weir_text subject); /* absent: all */
void requests_on_msg(void *arg, natsMsg *msg);

/* --- the connection ------------------------------------------------------------------------------------- */

struct weir_connection {
    _Atomic(natsConnection *) nats;
    natsOptions *options;
    struct settings *settings;
    char inbox[LINK_INBOX_MAX];   /* what all inboxes of this connection begin with */
    atomic_uint_fast64_t inboxes; /* made so far */
    atomic_uint_fast64_t epoch;   /* raised at every loss of the connection */
    struct listener replies;      /* of requests */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* monotonic; one for all waiters, which are few */
    struct request *requests;
    uint64_t tokens;
    char denied[LINK_DENIED_KEPT][LINK_DENIED_BYTES];
    size_t denied_count;
    bool closing, reviving, reviver_started;
    int open; /* libnats connections that still owe their closed callback */
    pthread_t reviver;
    natsConnection **retired;
    size_t retired_count;

    pthread_mutex_t listeners_lock;
    struct listener *listeners;
    natsSubscription **buried; /* closed, but not yet safe to destroy */
    size_t buried_count;

    pthread_mutex_t spent_lock;
    natsMsg *spent[LINK_SPENT];
    size_t spent_count, spent_bytes;

    pthread_mutex_t event_lock;
    _Atomic uintptr_t event_thread;
    void (*on_event)(void *arg, weir_connection_event event, const char *detail);
    void *on_event_arg;

    pthread_mutex_t version_lock;
    char version[32];
    uint64_t version_epoch;
};

static inline natsConnection *link_nats(weir_connection *connection) {
    return atomic_load_explicit(&connection->nats, memory_order_acquire);
}

int64_t link_now_ns(void);                                           /* monotonic */
void link_sync_init(pthread_mutex_t *lock, pthread_cond_t *changed); /* the condition waits on link_now_ns */
bool link_wait(pthread_cond_t *changed, pthread_mutex_t *lock,
               int64_t until_ns);                                       /* false: the time is over */
void link_inbox(weir_connection *connection, char out[LINK_INBOX_MAX]); /* a new one, without wildcard */
/* Checks and publishes. extra is one more header; extra and reply may be NULL. */
WEIR_MUST_CHECK weir_code link_publish(weir_connection *connection, const struct broker_out *out,
                                       const struct broker_header *extra, const char *reply, weir_error *err);
/* The same; the libnats message that was made for it (NULL if none was) is left to the caller to destroy, who
 * may do that on a better thread. */
WEIR_MUST_CHECK weir_code link_publish_spent(weir_connection *connection, const struct broker_out *out,
                                             const struct broker_header *extra, const char *reply,
                                             natsMsg **spent, weir_error *err);
/* Sends what libnats gathers (it waits 1 ms for more) and waits until the server has read it. */
natsStatus link_push(weir_connection *connection, int64_t until_ns);
/* Turns a libnats status into an error: "place: ...". */
WEIR_MUST_CHECK weir_code link_fail(weir_connection *connection, natsStatus status, const char *place,
                                    weir_error *err);
void link_event(weir_connection *connection, weir_connection_event event, const char *detail);
/* Which connection to a server this is: grows with each. Exact, where broker_epoch is told a moment later. */
uint64_t link_incarnation(weir_connection *connection);
void link_lost(weir_connection *connection); /* what was in flight gets no answer */

/* connect.c: options of libnats, connecting with them, and why a connection could not be made */
WEIR_MUST_CHECK weir_code connect_options(natsOptions **out, weir_connection *connection, weir_error *err);
natsStatus connect_try(natsConnection **out, const weir_connection *connection);
WEIR_MUST_CHECK weir_code connect_failure(const struct settings *settings, natsStatus status,
                                          weir_error *err);
/* What libnats said, without the place in its source; NULL gives NULL. */
const char *connect_words(const char *said);
/* events.c: libnats' callbacks */
void events_attach(natsOptions *options, weir_connection *connection);
/* revive.c */
void revive_start(weir_connection *connection); /* with `lock` held */
void revive_stop(weir_connection *connection);

/* --- messages ------------------------------------------------------------------------------------------- */

broker_msg *message_of(natsMsg *msg); /* takes it over */
/* A stored message as STREAM.MSG.GET tells it. */
WEIR_MUST_CHECK weir_code message_stored(broker_msg **out, const char *stream, const json *message,
                                         weir_error *err);
/* "503", ... of a status message (a Status header, no data, no reply); NULL for any other. */
const char *message_status(natsMsg *msg, const char **description);

#endif
