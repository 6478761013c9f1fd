/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/group.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "kit/catalog.h"
#include "weir/plan.h"

const char kit_orders[] =
    "weir: 1\n"
    "catalog: shop\n"
    "envelope: envelope.yaml\n"
    "defaults:\n"
    "  stream: {storage: file, num_replicas: 1, duplicate_window: 2m, max_age: 7d}\n"
    "  group: {members: weir, max_deliver: 3, retry: [100ms], ack_wait: 1s, max_ack_pending: 1000}\n"
    "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\"}\n"
    "streams:\n"
    "  ORDERS: {subjects: [order.>]}\n"
    "events:\n"
    "  order.placed:\n"
    "    stream: ORDERS\n"
    "    subject: order.placed\n"
    "    key: /payload/customer\n"
    "    owner: shop\n"
    "    version: 1\n"
    "    payload: {type: object, required: [customer, n],\n"
    "              properties: {customer: {type: string}, n: {type: integer}}}\n"
    "  order.noted:\n"
    "    stream: ORDERS\n"
    "    subject: order.noted\n"
    "    owner: shop\n"
    "    version: 1\n"
    "    payload: {type: object, required: [n], properties: {n: {type: integer}}}\n"
    "groups:\n"
    "  billing: {service: shop, from: {ORDERS: all}, order: key}\n"
    "  mailing: {service: shop, from: {ORDERS: [order.placed]}, order: none}\n"
    "services:\n"
    "  shop: {publish: [order.>], consume: [billing, mailing]}\n";

/* --- the world ------------------------------------------------------------------------------------------ */

weir_catalog *kit_catalog_open(const char *yaml) {
    weir_catalog *catalog;
    weir_error err;
    expect_ok(weir_catalog_open(&catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    return catalog;
}

void kit_apply(weir_connection *connection, const weir_catalog *catalog) {
    weir_plan *plan;
    weir_error err;
    expect_ok(weir_plan_make(&plan, connection, catalog, &err), &err);
    expect_ok(weir_plan_apply(plan, connection, NULL, &err), &err);
    weir_plan_free(plan);
    expect_ok(weir_plan_make(&plan, connection, catalog, &err), &err);
    assert_true(weir_plan_empty(plan));
    weir_plan_free(plan);
}

struct kit_world kit_world_of(weir_catalog *catalog) {
    struct kit_world world = {.server = kit_server_start(NULL), .catalog = catalog};
    world.connection = kit_connect(world.server);
    kit_apply(world.connection, catalog);
    return world;
}

struct kit_world kit_world_open(const char *yaml) {
    return kit_world_of(kit_catalog_open(yaml));
}

void kit_world_close(struct kit_world *world) {
    weir_disconnect(world->connection);
    weir_catalog_close(world->catalog);
    kit_server_stop(world->server);
}

void kit_order(struct kit_world *world, const char *customer, int n) {
    char text[256];
    snprintf(text, sizeof text,
             "{\"id\":\"order-%d\",\"type\":\"order.placed\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,"
             "\"payload\":{\"customer\":\"%s\",\"n\":%d}}",
             n, customer, n);
    kit_publish(world->connection, "order.placed", text);
}

/* --- what was seen -------------------------------------------------------------------------------------- */

enum { SEEN_MAX = 20000 };
struct kit_log {
    pthread_mutex_t lock;
    struct kit_seen seen[SEEN_MAX];
    int count;
};

struct kit_log *kit_log_new(void) {
    struct kit_log *log = calloc(1, sizeof *log);
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

void kit_log_free(struct kit_log *log) {
    pthread_mutex_destroy(&log->lock);
    free(log);
}

int kit_log_count(struct kit_log *log) {
    pthread_mutex_lock(&log->lock);
    int count = log->count;
    pthread_mutex_unlock(&log->lock);
    return count;
}

struct kit_seen kit_log_at(struct kit_log *log, int index) {
    pthread_mutex_lock(&log->lock);
    struct kit_seen seen = log->seen[index];
    pthread_mutex_unlock(&log->lock);
    return seen;
}

int kit_log_add(struct kit_log *log, const weir_delivery *delivery) {
    weir_text n, customer;
    struct kit_seen seen = {-1, delivery->attempt, delivery->retried, delivery->redelivered, ""};
    if (weir_event_read(&delivery->event, "/n", &n, NULL) == WEIR_OK)
        seen.n = (int)strtol(n.data, NULL, 10);
    if (weir_event_read(&delivery->event, "/customer", &customer, NULL) == WEIR_OK)
        snprintf(seen.customer, sizeof seen.customer, "%.*s", TEXT_ARG(customer));
    pthread_mutex_lock(&log->lock);
    if (log->count < SEEN_MAX)
        log->seen[log->count++] = seen;
    pthread_mutex_unlock(&log->lock);
    return seen.n;
}

int kit_log_times(struct kit_log *log, int n, int with_attempt) {
    int times = 0, count = kit_log_count(log);
    for (int i = 0; i < count; i++) {
        struct kit_seen seen = kit_log_at(log, i);
        times += seen.n == n && (with_attempt == 0 || seen.attempt == with_attempt);
    }
    return times;
}

struct awaited {
    struct kit_log *log;
    int count;
};

static bool seen_enough(void *arg) {
    const struct awaited *awaited = arg;
    return kit_log_count(awaited->log) >= awaited->count;
}

void kit_log_wait(struct kit_log *log, int count) {
    struct awaited awaited = {log, count};
    if (kit_until(seen_enough, &awaited))
        return;
    print_error("%d of %d were seen\n", kit_log_count(log), count);
    fail();
}

/* --- members -------------------------------------------------------------------------------------------- */

struct kit_member {
    weir_member *member;
    pthread_t thread;
    weir_code code;
    weir_error err;
    atomic_bool over;
};

static void *run(void *arg) {
    struct kit_member *member = arg;
    member->code = weir_member_run(member->member, &member->err);
    atomic_store(&member->over, true);
    return NULL;
}

static bool is_over(void *arg) {
    return atomic_load(&((struct kit_member *)arg)->over);
}

void kit_member_wait(struct kit_member *member) {
    assert_true(kit_until(is_over, member));
}

struct kit_member *kit_member_start(struct kit_world *world, const weir_member_options *options) {
    struct kit_member *member = calloc(1, sizeof *member);
    weir_error err;
    expect_ok(weir_member_open(&member->member, world->connection, world->catalog, options, &err), &err);
    assert_int_equal(pthread_create(&member->thread, NULL, run, member), 0);
    return member;
}

weir_member *kit_member_of(struct kit_member *member) {
    return member->member;
}

weir_code kit_member_end(struct kit_member *member, weir_error *err) {
    weir_member_stop(member->member);
    pthread_join(member->thread, NULL);
    weir_code code = member->code;
    if (code != WEIR_OK)
        *err = member->err;
    weir_member_close(member->member);
    free(member);
    return code;
}

void kit_member_run_empty(struct kit_world *world, const weir_member_options *options) {
    weir_member_options until_empty = *options;
    weir_member *member;
    weir_error err;
    until_empty.until_empty = true;
    expect_ok(weir_member_open(&member, world->connection, world->catalog, &until_empty, &err), &err);
    expect_ok(weir_member_run(member, &err), &err);
    weir_member_close(member);
}
