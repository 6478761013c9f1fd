/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to NATS. Thread-safe; share one per process. Reconnects by itself, for ever, until closed:
 * also after the server refused the identity for a while. While it is disconnected, calls fail with
 * UNAVAILABLE at once: nothing is kept in secret to be sent later. */
#ifndef WEIR_CONNECTION_H
#define WEIR_CONNECTION_H

#include <stdint.h>

#include "weir/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_connection weir_connection;

typedef enum weir_connection_event {
    WEIR_DISCONNECTED,
    WEIR_RECONNECTED,          /* detail: the server's address */
    WEIR_CLOSED,               /* by weir_disconnect: the last event */
    WEIR_PERMISSION_VIOLATION, /* detail names the subject */
    WEIR_ASYNC_ERROR           /* anything else the server or client complained about */
} weir_connection_event;

/* All fields are optional; {0} connects to nats://127.0.0.1:4222. Texts are copied. */
typedef struct weir_connect_options {
    const char *servers; /* "nats://a:4222,nats://b:4222" */
    const char *name;    /* shown in the server's monitoring; default "weir" */
    const char *user, *password, *token;
    const char *creds;                       /* file: JWT and seed */
    const char *nkey;                        /* file with a seed */
    const char *tls_ca, *tls_cert, *tls_key; /* files */
    /* A context of the nats CLI: its name, or a path to its JSON file. Fields set above win. */
    const char *context;
    const char *inbox_prefix; /* default "_INBOX" */
    int64_t timeout_ms;       /* of connecting and of requests; 0 means 5000 */
    /* Called from another thread, one at a time. It must not call weir_disconnect. */
    void (*on_event)(void *arg, weir_connection_event event, const char *detail);
    void *on_event_arg;
} weir_connect_options;

/* UNAVAILABLE when no server answers ("cannot reach nats://...: connection refused"), DENIED when the server
 * refuses the identity. Passwords never appear in errors. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_connect(weir_connection **out, const weir_connect_options *options,
                                                   weir_error *err);
/* Flushes what was published, closes, frees. Publishers, members and relays on it are closed before. NULL is
 * fine. */
WEIR_EXPORT void weir_disconnect(weir_connection *connection);

#ifdef __cplusplus
}
#endif
#endif
