/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan */
/* Members of groups on a real server: who gets which event, when, how often. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kit/group.h"
#include "kit/proxy.h"

/* Handlers of these scenarios: record, then do what the order's number asks for. */
struct behaviour {
    struct kit_log *log;
    int poison;   /* this order is never done */
    int flaky;    /* this order is done at its second attempt */
    int rejected; /* this order is refused */
    int sleep_ms; /* each call takes so long */
    atomic_int running, most_running;
};

static weir_verdict handle(void *arg, const weir_delivery *delivery) {
    struct behaviour *how = arg;
    int running = atomic_fetch_add(&how->running, 1) + 1;
    if (running > atomic_load(&how->most_running))
        atomic_store(&how->most_running, running);
    if (how->sleep_ms)
        usleep((unsigned)how->sleep_ms * 1000);
    int n = kit_log_add(how->log, delivery);
    atomic_fetch_sub(&how->running, 1);
    if (n == how->poison)
        return weir_retry(delivery, "no such customer");
    if (n == how->rejected)
        return weir_dead_letter(delivery, "not ours");
    return n == how->flaky && delivery->attempt == 1 ? WEIR_RETRY : WEIR_DONE;
}

static struct behaviour behave(void) {
    return (struct behaviour){.log = kit_log_new(), .poison = -2, .flaky = -2, .rejected = -2};
}

static weir_member_options member_of(const char *group, struct behaviour *how) {
    return (weir_member_options){.group = group, .handler = handle, .handler_arg = how};
}

static void publish_orders(struct kit_world *world, int count) {
    static const char *const customers[] = {"ada", "bob", "cleo"};
    for (int n = 0; n < count; n++)
        kit_order(world, customers[n % 3], n);
}

/* Orders of one customer came in order of their first successful attempt. */
static void expect_order_per_customer(struct kit_log *log, const char *customer) {
    int last = -1;
    for (int i = 0; i < kit_log_count(log); i++) {
        struct kit_seen seen = kit_log_at(log, i);
        if (strcmp(seen.customer, customer) != 0)
            continue;
        assert_true(seen.n >= last);
        last = seen.n;
    }
}

static void every_event_once(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    weir_member_options options = member_of("billing", &how);
    publish_orders(&world, 300);
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 300);
    for (int n = 0; n < 300; n++)
        assert_int_equal(kit_log_times(how.log, n, 1), 1);
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 300);
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void order_through_retries(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    how.flaky = 3; /* ada's second order */
    weir_member_options options = member_of("billing", &how);
    options.workers = 4;
    publish_orders(&world, 30);
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 31);
    assert_int_equal(kit_log_times(how.log, 3, 2), 1);
    expect_order_per_customer(how.log, "ada");
    expect_order_per_customer(how.log, "bob");
    expect_order_per_customer(how.log, "cleo");
    /* bob and cleo went on while ada waited for the retry */
    int retried_at = 0, bob_done_at = 0;
    for (int i = 0; i < kit_log_count(how.log); i++) {
        struct kit_seen seen = kit_log_at(how.log, i);
        retried_at = seen.n == 3 && seen.attempt == 2 ? i : retried_at;
        bob_done_at = seen.n == 28 ? i : bob_done_at;
    }
    assert_true(bob_done_at < retried_at);
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void unordered_with_workers(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    how.flaky = 5;
    how.sleep_ms = 5;
    weir_member_options options = member_of("mailing", &how);
    options.workers = 4;
    publish_orders(&world, 60);
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 61);
    assert_int_equal(kit_log_times(how.log, 5, 2), 1);
    assert_true(atomic_load(&how.most_running) > 1);
    assert_true(atomic_load(&how.most_running) <= 4);
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void slow_handlers_are_waited_for(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    how.sleep_ms = 2500; /* ack_wait is 1 s */
    weir_member_options options = member_of("billing", &how);
    options.workers = 2;
    kit_order(&world, "ada", 1);
    kit_order(&world, "ada", 2);
    kit_order(&world, "bob", 3);
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 3);
    for (int i = 0; i < 3; i++)
        assert_false(kit_log_at(how.log, i).redelivered);
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void max_events(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    weir_error err;
    weir_member *member;
    weir_member_options options = member_of("billing", &how);
    options.workers = 4;
    options.max_events = 7;
    publish_orders(&world, 20);
    expect_ok(weir_member_open(&member, world.connection, world.catalog, &options, &err), &err);
    expect_ok(weir_member_run(member, &err), &err);
    weir_member_close(member);
    assert_int_equal(kit_log_count(how.log), 7);
    options.max_events = 0;
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 20);
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void drain_finishes_work(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    how.sleep_ms = 300;
    weir_error err;
    weir_member_options options = member_of("billing", &how);
    publish_orders(&world, 30);
    struct kit_member *member = kit_member_start(&world, &options);
    kit_log_wait(how.log, 1);
    expect_ok(kit_member_end(member, &err), &err);
    int handled = kit_log_count(how.log);
    assert_in_range(handled, 1, 3);
    /* What it gave back comes at once, not after ack_wait, and nothing that was handled comes again. */
    how.sleep_ms = 0;
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 30);
    for (int n = 0; n < 30; n++)
        assert_int_equal(kit_log_times(how.log, n, 0), 1);
    expect_order_per_customer(how.log, "ada");
    kit_log_free(how.log);
    kit_world_close(&world);
}

/* Under load something is always on its way to the member that leaves. */
static void drain_under_load(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    weir_error err;
    weir_member_options options = member_of("billing", &how);
    publish_orders(&world, 2000);
    for (int i = 1; i <= 5; i++) {
        struct kit_member *member = kit_member_start(&world, &options);
        kit_log_wait(how.log, i * 150);
        expect_ok(kit_member_end(member, &err), &err);
    }
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(how.log), 2000);
    expect_order_per_customer(how.log, "ada");
    expect_order_per_customer(how.log, "bob");
    expect_order_per_customer(how.log, "cleo");
    kit_log_free(how.log);
    kit_world_close(&world);
}

struct load {
    struct kit_world *world;
    atomic_bool over;
};

static void *publish_steadily(void *arg) {
    struct load *load = arg;
    for (int n = 0; !atomic_load(&load->over); n++) {
        kit_order(load->world, "ada", n);
        usleep(5000);
    }
    return NULL;
}

static void starts_under_load(void **state) {
    (void)state;
    char patient[4096]; /* with an ack_wait so long that the barrier must open by what it sees */
    snprintf(patient, sizeof patient, "%s", kit_orders);
    memcpy(strstr(patient, "ack_wait: 1s"), "ack_wait: 1h", 12);
    struct kit_world world = kit_world_open(patient);
    struct behaviour how = behave();
    struct load load = {.world = &world};
    pthread_t publisher;
    weir_error err;
    weir_member_options options = member_of("billing", &how);
    assert_int_equal(pthread_create(&publisher, NULL, publish_steadily, &load), 0);
    for (int i = 1; i <= 3; i++) {
        int before = kit_log_count(how.log);
        struct kit_member *member = kit_member_start(&world, &options);
        kit_log_wait(how.log, before + 100);
        expect_ok(kit_member_end(member, &err), &err);
    }
    atomic_store(&load.over, true);
    pthread_join(publisher, NULL);
    kit_member_run_empty(&world, &options);
    expect_order_per_customer(how.log, "ada");
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void two_members_share(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour one = behave(), other = behave();
    one.sleep_ms = other.sleep_ms = 10;
    weir_error err;
    weir_member_options first = member_of("mailing", &one), second = member_of("mailing", &other);
    struct kit_member *a = kit_member_start(&world, &first), *b = kit_member_start(&world, &second);
    publish_orders(&world, 200);
    for (int waited = 0; kit_log_count(one.log) + kit_log_count(other.log) < 200 && waited < 1000; waited++)
        usleep(10000);
    expect_ok(kit_member_end(a, &err), &err);
    expect_ok(kit_member_end(b, &err), &err);
    assert_int_equal(kit_log_count(one.log) + kit_log_count(other.log), 200);
    assert_true(kit_log_count(one.log) > 0 && kit_log_count(other.log) > 0);
    for (int n = 0; n < 200; n++)
        assert_int_equal(kit_log_times(one.log, n, 0) + kit_log_times(other.log, n, 0), 1);
    kit_log_free(one.log);
    kit_log_free(other.log);
    kit_world_close(&world);
}

static void expect_open_error(struct kit_world *world, const weir_member_options *options, weir_code code,
                              const char *message) {
    weir_member *member;
    weir_error err;
    expect_error(weir_member_open(&member, world->connection, world->catalog, options, &err), code, &err,
                 message);
}

static void what_cannot_be_served(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    weir_member_options options = member_of("biling", &how);
    expect_open_error(&world, &options, WEIR_NOT_FOUND, "no group 'biling' in catalog 'shop'");
    options.group = "billing";
    options.workers = 65;
    expect_open_error(&world, &options, WEIR_INVALID, "group 'billing': workers must be 1 to 64, not 65");
    options.workers = 0;
    kit_api(world.connection, "CONSUMER.DELETE.ORDERS.billing", "");
    expect_open_error(&world, &options, WEIR_NOT_FOUND, "group 'billing' has no consumer on stream ORDERS");
    kit_durable(world.connection, "ORDERS", "billing", "\"max_deliver\":4");
    expect_open_error(
        &world, &options, WEIR_CONFLICT,
        "group 'billing': its consumer on stream ORDERS has max_deliver 4, members of weir need -1");
    kit_log_free(how.log);
    kit_world_close(&world);
}

static void consumer_deleted(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    weir_error err;
    weir_member_options options = member_of("billing", &how);
    kit_order(&world, "ada", 1);
    struct kit_member *running = kit_member_start(&world, &options);
    kit_log_wait(how.log, 1);
    kit_api(world.connection, "CONSUMER.DELETE.ORDERS.billing", "");
    kit_member_wait(running);
    expect_error(kit_member_end(running, &err), WEIR_NOT_FOUND, &err,
                 "group 'billing' has no consumer on stream ORDERS");
    assert_string_equal(err.hint, "create it with `weir apply`");
    kit_log_free(how.log);
    kit_world_close(&world);
}

static bool connected(void *arg) {
    return broker_connected(((struct kit_world *)arg)->connection);
}

static bool says_it_waits(void *arg) {
    weir_member_stats stats;
    weir_member_stats_get(arg, &stats);
    return strcmp(stats.trouble, "the connection to NATS is lost; waiting for it") == 0;
}

static void server_restarts(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct behaviour how = behave();
    weir_error err;
    weir_member_options options = member_of("billing", &how);
    publish_orders(&world, 30);
    struct kit_member *member = kit_member_start(&world, &options);
    kit_log_wait(how.log, 30);
    kit_server_kill(world.server);
    assert_true(kit_until(says_it_waits, kit_member_of(member)));
    kit_server_restart(world.server);
    assert_true(kit_until(connected, &world));
    publish_orders(&world, 30);
    kit_log_wait(how.log, 60);
    expect_ok(kit_member_end(member, &err), &err);
    kit_log_free(how.log);
    kit_world_close(&world);
}

/* The network stands still while the handler works, and breaks before its ack gets through. */
struct losing {
    struct kit_log *log;
    kit_proxy *proxy;
};

static weir_verdict lose_the_ack(void *arg, const weir_delivery *delivery) {
    struct losing *losing = arg;
    if (kit_log_add(losing->log, delivery) == 1 && kit_log_times(losing->log, 1, 0) == 1)
        kit_proxy_freeze(losing->proxy, true);
    return WEIR_DONE;
}

static bool nothing_pending(void *arg) {
    json_doc *reply;
    int64_t pending = -1;
    weir_error err;
    expect_ok(broker_api(arg, "CONSUMER.INFO.ORDERS.billing", (weir_text){0}, &reply, &err), &err);
    (void)json_int(json_get(json_root(reply), "num_ack_pending"), &pending);
    json_doc_free(reply);
    return pending == 0;
}

static void ack_lost(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(kit_orders);
    struct losing losing = {kit_log_new(), kit_proxy_start(world.server, 1)};
    weir_connection *direct = world.connection;
    weir_error err;
    weir_connect_options through = {.servers = kit_proxy_url(losing.proxy)};
    expect_ok(weir_connect(&world.connection, &through, &err), &err);
    weir_member_options options = {.group = "billing", .handler = lose_the_ack, .handler_arg = &losing};
    struct kit_member *member = kit_member_start(&world, &options);
    weir_connection *bad = world.connection;
    world.connection = direct;
    kit_order(&world, "ada", 1);
    kit_order(&world, "ada", 2);
    kit_log_wait(losing.log, 1);
    usleep(200 * 1000); /* the ack of order 1 is on its way */
    kit_proxy_reset(losing.proxy);
    kit_proxy_freeze(losing.proxy, false);
    assert_true(kit_until(nothing_pending, direct));
    assert_int_equal(kit_log_times(losing.log, 1, 0), 1);
    assert_int_equal(kit_log_times(losing.log, 2, 0), 1);
    expect_ok(kit_member_end(member, &err), &err);
    weir_disconnect(bad);
    kit_proxy_stop(losing.proxy);
    kit_log_free(losing.log);
    kit_world_close(&world);
}

static const struct spec specs[] = {
    {"every event is handled once", every_event_once},
    {"the order per key is kept through a retry while other keys flow", order_through_retries},
    {"an unordered group runs as many handlers as it has workers", unordered_with_workers},
    {"a handler slower than ack_wait is waited for, and so is what stands behind it",
     slow_handlers_are_waited_for},
    {"a member stops after the number of events it was asked for", max_events},
    {"a member that stops finishes its work and gives back the rest at once", drain_finishes_work},
    {"members that leave under load lose nothing and break no order", drain_under_load},
    {"a member of an ordered group starts soon though new events keep coming", starts_under_load},
    {"two members of an unordered group share its events", two_members_share},
    {"a group that cannot be served is refused by name", what_cannot_be_served},
    {"a member whose consumer was deleted ends and says so", consumer_deleted},
    {"an event whose ack was lost comes again and is not handled again", ack_lost},
    {"a member goes on after its server was killed and restarted", server_restarts},
};
SPEC_MAIN(specs)
