/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: consume plan */
/* Groups with `each: true`: every instance knows every value. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "deadletter/deadletter.h"
#include "kit/group.h"
#include "kit/proxy.h"
#include "kit/shipped.h"

static const char config_catalog[] =
    "weir: 1\n"
    "catalog: shop\n"
    "envelope: envelope.yaml\n"
    "defaults:\n"
    "  stream: {storage: file, num_replicas: 1, duplicate_window: 2m, max_age: 7d}\n"
    "  group: {members: weir, max_deliver: 2, retry: [50ms], ack_wait: 1s, max_ack_pending: 1000}\n"
    "dead_letter: {stream: DEAD, subject: \"dlq.{subject}.{error}\"}\n"
    "streams:\n"
    "  CONFIG: {subjects: [config.>], max_msgs_per_subject: 1}\n"
    "events:\n"
    "  config.updated:\n"
    "    stream: CONFIG\n"
    "    subject: config.updated.{name}\n"
    "    params: {name: /payload/name}\n"
    "    owner: shop\n"
    "    version: 1\n"
    "    payload: {type: object, required: [name, n], properties: {name: {type: string}, n: {type: "
    "integer}}}\n"
    "groups:\n"
    "  config-cache: {service: shop, each: true, from: {CONFIG: all}}\n"
    "services:\n"
    "  shop: {publish: [config.>], consume: [config-cache]}\n";

struct cache {
    struct kit_log *log;
    int bad;
};

static weir_verdict learn(void *arg, const weir_delivery *delivery) {
    struct cache *cache = arg;
    return kit_log_add(cache->log, delivery) == cache->bad ? weir_retry(delivery, "cannot be") : WEIR_DONE;
}

static void setting_text(char *out, size_t size, const char *name, int n) {
    snprintf(out, size,
             "{\"id\":\"%s-%d\",\"type\":\"config.updated\",\"time\":\"2025-11-14T12:00:00Z\",\"version\":1,"
             "\"payload\":{\"name\":\"%s\",\"n\":%d}}",
             name, n, name, n);
}

static void set(struct kit_world *world, const char *name, int n) {
    char subject[64], text[256];
    snprintf(subject, sizeof subject, "config.updated.%s", name);
    setting_text(text, sizeof text, name, n);
    kit_publish(world->connection, subject, text);
}

static weir_member_options cache_member(struct cache *cache) {
    return (weir_member_options){.group = "config-cache", .handler = learn, .handler_arg = cache};
}

static void last_values_then_all(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(config_catalog);
    struct cache one = {kit_log_new(), -2}, other = {kit_log_new(), -2};
    weir_member_options first = cache_member(&one), second = cache_member(&other);
    weir_error err;
    set(&world, "a", 1);
    set(&world, "b", 2);
    set(&world, "a", 3);
    struct kit_member *a = kit_member_start(&world, &first), *b = kit_member_start(&world, &second);
    kit_log_wait(one.log, 2);
    kit_log_wait(other.log, 2);
    assert_int_equal(kit_log_times(one.log, 1, 0), 0);
    set(&world, "a", 4);
    set(&world, "c", 5);
    kit_log_wait(one.log, 4);
    kit_log_wait(other.log, 4);
    expect_ok(kit_member_end(a, &err), &err);
    expect_ok(kit_member_end(b, &err), &err);
    static const int expected[] = {2, 3, 4, 5};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(kit_log_times(one.log, expected[i], 0), 1);
        assert_int_equal(kit_log_times(other.log, expected[i], 0), 1);
    }
    assert_int_equal(kit_log_count(one.log), 4);
    kit_log_free(one.log);
    kit_log_free(other.log);
    kit_world_close(&world);
}

static void until_empty_ends(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(config_catalog);
    struct cache cache = {kit_log_new(), -2};
    weir_member_options options = cache_member(&cache);
    for (int n = 0; n < 200; n++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", n);
        set(&world, name, n);
    }
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_count(cache.log), 200);
    kit_member_run_empty(&world, &options); /* the next instance learns them too */
    assert_int_equal(kit_log_count(cache.log), 400);
    kit_log_free(cache.log);
    kit_world_close(&world);
}

/* A batch is seen by plain subscribers when it is sent; its messages are stored when it is committed. */
static void send_batched(struct kit_world *world, const char *name, int n, const char *number,
                         const char *commit) {
    char subject[64], text[256];
    weir_error err;
    snprintf(subject, sizeof subject, "config.updated.%s", name);
    setting_text(text, sizeof text, name, n);
    const struct broker_header headers[] = {{"Nats-Batch-Id", weir_text_of("batch-1")},
                                            {"Nats-Batch-Sequence", weir_text_of(number)},
                                            {"Nats-Batch-Commit", weir_text_of(commit)}};
    const struct broker_out out = {subject, weir_text_of(text), headers, commit ? 3 : 2};
    expect_ok(broker_send(world->connection, &out, &err), &err);
    expect_ok(broker_flush(world->connection, 5000, &err), &err);
}

static void only_what_is_stored(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(config_catalog);
    struct cache cache = {kit_log_new(), -2};
    weir_member_options options = cache_member(&cache);
    weir_error err;
    set(&world, "a", 1);
    struct kit_member *member = kit_member_start(&world, &options);
    kit_log_wait(cache.log, 1);
    send_batched(&world, "a", 2, "1", NULL);
    usleep(500 * 1000);
    assert_int_equal(kit_log_count(cache.log), 1);
    send_batched(&world, "b", 3, "2", "1");
    kit_log_wait(cache.log, 3);
    expect_ok(kit_member_end(member, &err), &err);
    assert_int_equal(kit_log_times(cache.log, 2, 0), 1);
    assert_int_equal(kit_log_times(cache.log, 3, 0), 1);
    kit_log_free(cache.log);
    kit_world_close(&world);
}

static bool connected(void *arg) {
    return broker_connected(((struct kit_world *)arg)->connection);
}

static void missed_while_away(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(config_catalog);
    struct cache cache = {kit_log_new(), -2};
    weir_member_options options = cache_member(&cache);
    weir_error err;
    set(&world, "a", 1);
    struct kit_member *member = kit_member_start(&world, &options);
    kit_log_wait(cache.log, 1);
    kit_server_kill(world.server);
    usleep(100 * 1000);
    kit_server_restart(world.server);
    weir_connection *other = kit_connect(world.server), *own = world.connection;
    world.connection = other;
    set(&world, "a", 2); /* perhaps before the member is back */
    world.connection = own;
    assert_true(kit_until(connected, &world));
    kit_log_wait(cache.log, 2);
    expect_ok(kit_member_end(member, &err), &err);
    assert_int_equal(kit_log_times(cache.log, 2, 0), 1);
    weir_disconnect(other);
    kit_log_free(cache.log);
    kit_world_close(&world);
}

static bool take_first(void *arg, const struct deadletter *letter) {
    snprintf(arg, 256, "%s %s %s %zu %d", letter->group, letter->error_class, letter->event_id,
             letter->attempt_count, letter->retries);
    return false;
}

static void gives_up_alone(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(config_catalog);
    struct cache cache = {kit_log_new(), 1};
    weir_member_options options = cache_member(&cache);
    weir_error err;
    char letter[256] = "";
    set(&world, "a", 1);
    set(&world, "b", 2);
    kit_member_run_empty(&world, &options);
    assert_int_equal(kit_log_times(cache.log, 1, 0), 2);
    assert_int_equal(kit_log_times(cache.log, 2, 0), 1);
    expect_ok(deadletter_each(world.connection, world.catalog, NULL, take_first, letter, &err), &err);
    assert_string_equal(letter, "config-cache handler a-1 2 0");
    kit_log_free(cache.log);
    kit_world_close(&world);
}

/* --- a server that forgot ---------------------------------------------------------------------------------- */

static void run_command(const char *const *argv) {
    pid_t pid;
    int status;
    weir_error err;
    expect_ok(
        process_start(&pid, &(struct process_options){.argv = argv, .in = -1, .out = -1, .err = -1}, &err),
        &err);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* What the disk holds now, and the disk as it was then. */
static void keep_disk(const struct kit_world *world, bool back) {
    char now[512], then[512];
    snprintf(now, sizeof now, "%s/js", kit_server_folder(world->server));
    snprintf(then, sizeof then, "%s/js-then", kit_server_folder(world->server));
    const char *from = back ? then : now, *to = back ? now : then;
    run_command((const char *const[]){"/bin/rm", "-rf", to, NULL});
    run_command((const char *const[]){"/bin/cp", "-a", from, to, NULL});
}

static void set_anew(struct kit_world *world, const char *name, int n) {
    struct kit_world other = *world;
    other.connection = kit_connect(world->server);
    set(&other, name, n);
    weir_disconnect(other.connection);
}

static void forgotten_and_overtaken(void **state) {
    (void)state;
    struct kit_world world = kit_world_open(config_catalog), far = world;
    kit_proxy *proxy = kit_proxy_start(world.server, 1);
    struct cache cache = {kit_log_new(), -2};
    weir_member_options options = cache_member(&cache);
    weir_error err;
    expect_ok(weir_connect(&far.connection, &(weir_connect_options){.servers = kit_proxy_url(proxy)}, &err),
              &err);
    set(&world, "a", 1);
    struct kit_member *member = kit_member_start(&far, &options);
    kit_log_wait(cache.log, 1);
    kit_server_kill(world.server);
    keep_disk(&world, false);
    kit_server_restart(world.server);
    set_anew(&world, "b", 2);
    set_anew(&world, "c", 3);
    kit_log_wait(cache.log, 3);
    kit_proxy_refuse(proxy, true);
    kit_proxy_cut(proxy);
    kit_server_kill(world.server);
    keep_disk(&world, true);
    kit_server_restart(world.server);
    set_anew(&world, "d", 4); /* at b's sequence, and so on */
    set_anew(&world, "e", 5);
    set_anew(&world, "f", 6);
    kit_proxy_refuse(proxy, false);
    kit_log_wait(cache.log, 6);
    expect_ok(kit_member_end(member, &err), &err);
    for (int n = 4; n <= 6; n++)
        assert_int_equal(kit_log_times(cache.log, n, 0), 1);
    weir_disconnect(far.connection);
    kit_proxy_stop(proxy);
    kit_log_free(cache.log);
    kit_world_close(&world);
}

/* --- the settings of microdao ------------------------------------------------------------------------------ */

/* What one instance knows: the revision of each subject, and whether one ever went back. */
enum { SETTINGS = 5, INSTANCES = 6, LAST_REVISION = 60 };
static const char *const setting_subjects[SETTINGS] = {"config.updated.limits", "config.updated.models",
                                                       "policy.updated.helion", "prompt.updated.helion",
                                                       "prompt.updated.treasurer"};
struct instance {
    pthread_mutex_t lock;
    int revisions[SETTINGS], first[SETTINGS];
    bool went_back;
};

static weir_verdict know(void *arg, const weir_delivery *delivery) {
    struct instance *instance = arg;
    weir_text text;
    weir_error err;
    expect_ok(weir_event_read(&delivery->event, "/revision", &text, &err), &err);
    int revision = (int)strtol(text.data, NULL, 10);
    pthread_mutex_lock(&instance->lock);
    for (int i = 0; i < SETTINGS; i++) {
        if (!text_is(delivery->event.subject, setting_subjects[i]))
            continue;
        instance->first[i] = instance->first[i] ? instance->first[i] : revision;
        instance->went_back |= revision < instance->revisions[i];
        instance->revisions[i] = revision;
    }
    pthread_mutex_unlock(&instance->lock);
    return WEIR_DONE;
}

static void setting_event(char *out, size_t size, int setting, int revision) {
    const char *subject = setting_subjects[setting], *name = strrchr(subject, '.') + 1;
    const char *more = setting < 2    ? "\"value\":1"
                       : setting == 2 ? "\"level\":\"full\""
                                      : "\"prompt\":\"keep the meters\"";
    snprintf(out, size,
             "{\"event_id\":\"%s-%d\",\"event_type\":\"%s\",\"timestamp\":\"2025-11-14T12:00:00Z\","
             "\"source\":\"control-plane\",\"payload\":{\"%s\":\"%s\",\"revision\":%d,%s}}",
             subject, revision, subject, setting < 2 ? "key" : "agent_id", name, revision, more);
}

/* Until it is stored, whatever happens to the server meanwhile. */
static void set_revision(weir_connection *connection, int setting, int revision) {
    char text[512], id[64];
    setting_event(text, sizeof text, setting, revision);
    snprintf(id, sizeof id, "%d-%d", setting, revision);
    const struct broker_header header = {"Nats-Msg-Id", weir_text_of(id)};
    const struct broker_out out = {setting_subjects[setting], weir_text_of(text), &header, 1};
    struct broker_puback ack;
    weir_error err;
    for (int tries = 0; broker_publish(connection, &out, "CONFIG", 500, &ack, &err) != WEIR_OK; tries++) {
        assert_true(tries < 100);
        usleep(20 * 1000);
    }
}

static void *change_settings(void *arg) {
    for (int revision = 3; revision <= LAST_REVISION; revision++)
        for (int setting = 0; setting < SETTINGS; setting++)
            set_revision(arg, setting, revision);
    return NULL;
}

static bool all_know_the_last(void *arg) {
    struct instance *instances = arg;
    bool all = true;
    for (int i = 0; i < INSTANCES; i++) {
        pthread_mutex_lock(&instances[i].lock);
        for (int setting = 0; setting < SETTINGS; setting++)
            all = all && instances[i].revisions[setting] == LAST_REVISION;
        pthread_mutex_unlock(&instances[i].lock);
    }
    return all;
}

static bool one_knows_some(void *arg) {
    struct instance *instance = arg;
    pthread_mutex_lock(&instance->lock);
    bool some = instance->revisions[0] >= 10;
    pthread_mutex_unlock(&instance->lock);
    return some;
}

static void restarted_while_settings_change(void **state) {
    (void)state;
    static const char *const groups[] = {"gateway-config", "router-config", "worker-config"};
    struct kit_world world = kit_world_of(kit_shipped("microdao-node1", NULL));
    struct instance instances[INSTANCES] = {0};
    struct kit_member *members[INSTANCES];
    weir_connection *writer = kit_connect(world.server);
    weir_error err;
    pthread_t thread;
    for (int revision = 1; revision <= 2; revision++)
        for (int setting = 0; setting < SETTINGS; setting++)
            set_revision(writer, setting, revision);
    for (int i = 0; i < INSTANCES; i++) { /* two of each service */
        weir_member_options options = {.group = groups[i / 2], .handler = know, .handler_arg = &instances[i]};
        pthread_mutex_init(&instances[i].lock, NULL);
        members[i] = kit_member_start(&world, &options);
    }
    assert_int_equal(pthread_create(&thread, NULL, change_settings, writer), 0);
    assert_true(kit_until(one_knows_some, &instances[0]));
    kit_server_kill(world.server);
    kit_server_restart(world.server);
    pthread_join(thread, NULL);
    assert_true(kit_until(all_know_the_last, instances));
    for (int i = 0; i < INSTANCES; i++) {
        expect_ok(kit_member_end(members[i], &err), &err);
        assert_false(instances[i].went_back);
        for (int setting = 0; setting < SETTINGS; setting++)
            assert_true(instances[i].first[setting] >= 2); /* never what was replaced before it came */
    }
    weir_disconnect(writer);
    kit_world_close(&world);
}

static const struct spec specs[] = {
    {"every instance gets the value of each subject and then each newer one", last_values_then_all},
    {"a member that runs until empty has learned all values", until_empty_ends},
    {"what a batch shows before it is committed is not delivered, and is once it is", only_what_is_stored},
    {"what was stored while the connection was lost is learned afterwards", missed_while_away},
    {"each instance of each service knows the last settings through a restart",
     restarted_while_settings_change},
    {"values that stand where a server forgot others are learned", forgotten_and_overtaken},
    {"a value that cannot be handled becomes a letter and others go on", gives_up_alone},
};
SPEC_MAIN(specs)
