/* SPDX-License-Identifier: Apache-2.0 */
/* Shorthands for scenarios that talk to a real server. For tests that link the broker room. */
#ifndef KIT_BROKER_H
#define KIT_BROKER_H

#include "broker/broker.h"
#include "kit/server.h"

/* Connects, failing the test when it cannot. */
weir_connection *kit_connect(const kit_server *server);
/* Makes an API request that must work; the reply is thrown away. */
void kit_api(weir_connection *connection, const char *api, const char *body);
/* Creates a stream "NAME" on one subject with file storage and allow_atomic; more is JSON members, or NULL. */
void kit_stream(weir_connection *connection, const char *name, const char *subject, const char *more);
/* Creates a durable pull consumer with explicit acks; more is JSON members, or NULL. */
void kit_durable(weir_connection *connection, const char *stream, const char *durable, const char *more);
/* Stores one message and returns its sequence. */
uint64_t kit_publish(weir_connection *connection, const char *subject, const char *data);
/* Sleeps in small steps until the condition holds or ten seconds are over; says whether it holds. */
bool kit_until(bool (*holds)(void *arg), void *arg);

#endif
