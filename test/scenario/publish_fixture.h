/* SPDX-License-Identifier: Apache-2.0 */
/* A server, its stream, a small catalog and a publisher, for the scenarios of publishing. */
#ifndef SCENARIO_PUBLISH_FIXTURE_H
#define SCENARIO_PUBLISH_FIXTURE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "kit/broker.h"
#include "kit/catalog.h"
#include "kit/spec.h"
#include "weir/publish.h"

static const char shop_yaml[] = "weir: 1\n"
                                "catalog: shop\n"
                                "envelope: envelope.yaml\n"
                                "streams:\n"
                                "  SHOP: {subjects: [shop.>]}\n"
                                "events:\n"
                                "  shop.order.placed:\n"
                                "    stream: SHOP\n"
                                "    subject: shop.order.placed\n"
                                "    key: /payload/order\n"
                                "    owner: shop\n"
                                "    version: 1\n"
                                "    payload:\n"
                                "      type: object\n"
                                "      required: [order]\n"
                                "      properties: {order: {type: string}, total: {type: number}}\n"
                                "      additionalProperties: {type: string}\n";

struct shop {
    kit_server *server;
    weir_connection *connection;
    weir_catalog *catalog;
    weir_publisher *publisher;
    weir_error err;
    /* what on_failure heard */
    pthread_mutex_t lock;
    int heard;
    weir_error first;
    char ids[16][64];
    uint64_t tags; /* their sum */
};

static void on_failure(void *arg, const char *id, const char *type, const weir_error *err) {
    struct shop *shop = arg;
    pthread_mutex_lock(&shop->lock);
    if (shop->heard == 0)
        shop->first = *err;
    if (shop->heard < 16)
        snprintf(shop->ids[shop->heard], sizeof shop->ids[0], "%s", id);
    shop->heard += strcmp(type, "shop.order.placed") == 0 ? 1 : 1000;
    pthread_mutex_unlock(&shop->lock);
}

static int heard(struct shop *shop) {
    pthread_mutex_lock(&shop->lock);
    int count = shop->heard;
    pthread_mutex_unlock(&shop->lock);
    return count;
}

/* A publisher over a running server; without `stream`, the server has none. */
static void shop_open(struct shop *shop, const char *config, bool stream, weir_publisher_options options) {
    *shop = (struct shop){.server = kit_server_start(&(struct kit_server_options){.config = config})};
    pthread_mutex_init(&shop->lock, NULL);
    shop->connection = kit_connect(shop->server);
    if (stream)
        kit_stream(shop->connection, "SHOP", "shop.>", NULL);
    expect_ok(weir_catalog_open(&shop->catalog, kit_catalog_folder(shop_yaml), NULL, NULL, &shop->err),
              &shop->err);
    options.on_failure = options.best_effort ? NULL : on_failure;
    options.on_failure_arg = shop;
    expect_ok(weir_publisher_open(&shop->publisher, shop->connection, shop->catalog, &options, &shop->err),
              &shop->err);
}

static void shop_close(struct shop *shop) {
    weir_publisher_close(shop->publisher);
    weir_catalog_close(shop->catalog);
    weir_disconnect(shop->connection);
    kit_server_stop(shop->server);
    pthread_mutex_destroy(&shop->lock);
}

static weir_draft order(const char *id, const char *payload) {
    return (weir_draft){
        .type = weir_text_of("shop.order.placed"), .id = weir_text_of(id), .payload = weir_text_of(payload)};
}

static uint64_t stored(struct shop *shop) {
    struct broker_stream_state state;
    expect_ok(broker_stream_state(shop->connection, "SHOP", &state, &shop->err), &shop->err);
    return state.messages;
}

static void sleep_ms(int ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static int64_t now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / 1000000;
}

#endif
