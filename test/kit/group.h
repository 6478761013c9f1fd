/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for scenarios of groups: a server, a catalog applied to it, events, and members that run in
 * threads or in processes of their own. For tests that link the rooms consume and plan. */
#ifndef KIT_GROUP_H
#define KIT_GROUP_H

#include "kit/broker.h"
#include "kit/spec.h"
#include "weir/consume.h"

/* Orders of customers: stream ORDERS with event types order.placed (key: the customer) and order.noted (no
 * key), a dead letter stream DEAD. Groups on it: `billing` (ordered) and `mailing` (unordered), 3 attempts
 * 100 ms apart, ack_wait 1 s. */
extern const char kit_orders[];

struct kit_world {
    kit_server *server;
    weir_catalog *catalog;
    weir_connection *connection;
};
struct kit_world kit_world_open(const char *yaml); /* server started, catalog applied */
/* The same with a catalog that is open already; it now belongs to the world. */
struct kit_world kit_world_of(weir_catalog *catalog);
void kit_world_close(struct kit_world *world);
/* Applies it, and demands that the plan is empty afterwards. */
void kit_apply(weir_connection *connection, const weir_catalog *catalog);
weir_catalog *kit_catalog_open(const char *yaml);

/* Publishes one order.placed as its producer would: {"id": "order-N", ..., "payload": {"customer": .., "n":
 * N}}. */
void kit_order(struct kit_world *world, const char *customer, int n);

/* What handlers saw, in order. Thread-safe. */
struct kit_seen {
    int n, attempt;
    bool retried, redelivered;
    char customer[16];
};
struct kit_log;
struct kit_log *kit_log_new(void);
void kit_log_free(struct kit_log *log);
int kit_log_count(struct kit_log *log);
struct kit_seen kit_log_at(struct kit_log *log, int index);
/* Records the delivery and returns its number n; -1 when it is no order. For use in handlers. */
int kit_log_add(struct kit_log *log, const weir_delivery *delivery);
/* How often order n was seen; with_attempt: only that attempt, 0 for any. */
int kit_log_times(struct kit_log *log, int n, int with_attempt);
/* Waits until at least count were seen; fails the test after ten seconds. */
void kit_log_wait(struct kit_log *log, int count);

/* A member in a thread of its own. */
struct kit_member;
struct kit_member *kit_member_start(struct kit_world *world, const weir_member_options *options);
weir_member *kit_member_of(struct kit_member *member);
/* Waits until it ended by itself; fails the test after ten seconds. */
void kit_member_wait(struct kit_member *member);
/* Stops it if it still runs, and returns how run ended. */
weir_code kit_member_end(struct kit_member *member, weir_error *err);
/* Runs a member in this thread until its group is empty. */
void kit_member_run_empty(struct kit_world *world, const weir_member_options *options);

#endif
