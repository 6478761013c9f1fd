/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing straight to the stream: validated, enveloped, acknowledged. For events that must be atomic with
 * your own data use the outbox (weir/outbox.h). Carries Nats-Msg-Id = event id. */
#ifndef WEIR_PUBLISH_H
#define WEIR_PUBLISH_H

#include "weir/catalog.h"
#include "weir/clock.h"
#include "weir/connection.h"
#include "weir/event.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_publisher weir_publisher; /* thread-safe */

typedef struct weir_publisher_options {
    int window;              /* asynchronous publishes in flight, 1..4096; 0 means 4096 */
    int64_t ack_timeout_ms;  /* how long without any PubAck before trying again; 0 means 5000 */
    const weir_clock *clock; /* NULL: the system's */
    /* Called once for every asynchronous publish that failed for good, from another thread. Required for
     * weir_publish_async unless best_effort: a failure cannot be ignored by accident. It must not call the
     * publisher. */
    void (*on_failure)(void *arg, const char *id, const char *type, const weir_error *err);
    void *on_failure_arg;
    int best_effort; /* failures are only counted */
} weir_publisher_options;

typedef struct weir_receipt {
    char stream[256];
    uint64_t sequence;
    int duplicate; /* the stream had this event id already: read back and found equal */
    char id[257];
} weir_receipt;

/* Borrows connection and catalog until close. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_publisher_open(weir_publisher **out, weir_connection *connection,
                                                          const weir_catalog *catalog,
                                                          const weir_publisher_options *options,
                                                          weir_error *err);
WEIR_EXPORT void
weir_publisher_close(weir_publisher *publisher); /* waits for what is in flight, at most ack_timeout */

/* Publishes and waits for the PubAck of the expected stream. Retries 3 times (after 1, 2, 4 s) what is
 * retriable, with the same id. INVALID: nothing was sent. TIMEOUT: the outcome is unknown. CONFLICT: another
 * event is stored under this id (squatted or reused). receipt may be NULL. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_publish(weir_publisher *publisher, const weir_draft *draft,
                                                   weir_receipt *receipt, weir_error *err);
/* Sends without waiting; blocks while the window is full. Validation errors are returned at once; the rest
 * reaches on_failure. One event type's order is the call order as long as nothing has to be retried. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_publish_async(weir_publisher *publisher, const weir_draft *draft,
                                                         weir_error *err);
/* Waits until every asynchronous publish is settled. Fails when any failed since the last call, with the
 * first error. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_publisher_settle(weir_publisher *publisher, int64_t timeout_ms,
                                                            weir_error *err);

#ifdef __cplusplus
}
#endif
#endif
