/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* Losing the server and coming back: events, what was in flight, subscriptions that live on, identities that
 * are refused for a while, TLS. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/process.h"
#include "kit/broker.h"
#include "kit/spec.h"

enum { SEEN = 64 };

static struct {
    pthread_mutex_t lock;
    weir_connection_event events[SEEN];
    char details[SEEN][200];
    size_t count;
    atomic_int messages;
} with = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_event(void *arg, weir_connection_event event, const char *detail) {
    (void)arg;
    pthread_mutex_lock(&with.lock);
    if (with.count < SEEN) {
        snprintf(with.details[with.count], sizeof with.details[0], "%s", detail);
        with.events[with.count++] = event;
    }
    pthread_mutex_unlock(&with.lock);
}

static size_t count_of(weir_connection_event event) {
    size_t count = 0;
    pthread_mutex_lock(&with.lock);
    for (size_t i = 0; i < with.count; i++)
        count += with.events[i] == event;
    pthread_mutex_unlock(&with.lock);
    return count;
}

static const char *detail_of(weir_connection_event event) {
    for (size_t i = 0; i < with.count; i++)
        if (with.events[i] == event)
            return with.details[i];
    return "";
}

static bool came(void *arg) {
    return count_of(*(weir_connection_event *)arg) > 0;
}

#define wait_event(event) assert_true(kit_until(came, &(weir_connection_event){event}))

static weir_connection *connect_with(const kit_server *server, const char *user, const char *password) {
    weir_connection *connection = NULL;
    weir_error err = {0};
    weir_connect_options options = {
        .servers = kit_server_url(server), .user = user, .password = password, .on_event = on_event};
    with.count = 0;
    atomic_store(&with.messages, 0);
    expect_ok(weir_connect(&connection, &options, &err), &err);
    return connection;
}

static void count_msg(void *arg, broker_msg *msg) {
    (void)arg;
    atomic_fetch_add(&with.messages, 1);
    broker_msg_free(msg);
}

static bool got_message(void *arg) {
    weir_error err;
    struct broker_out out = {.subject = "plain.a"};
    (void)!broker_send(arg, &out, &err);
    return atomic_load(&with.messages) > 0;
}

static bool is_connected(void *arg) {
    return broker_connected(arg);
}

static void comes_back(void **state) {
    (void)state;
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = connect_with(server, NULL, NULL);
    weir_error err = {0};
    broker_sub *sub = NULL;
    kit_stream(connection, "S", "s.>", NULL);
    expect_ok(broker_subscribe(&sub, connection, "plain.>", count_msg, NULL, &err), &err);
    uint64_t epoch = broker_epoch(connection);
    kit_server_kill(server);
    wait_event(WEIR_DISCONNECTED);
    assert_false(broker_connected(connection));
    assert_true(broker_epoch(connection) > epoch);
    char message[200];
    snprintf(message, sizeof message, "publish to 's.a': not connected to %s", kit_server_url(server));
    expect_error(broker_publish(connection, &(struct broker_out){.subject = "s.a"}, NULL, 5000, NULL, &err),
                 WEIR_UNAVAILABLE, &err, message);
    kit_server_restart(server);
    wait_event(WEIR_RECONNECTED);
    assert_int_equal(kit_publish(connection, "s.a", "after"),
                     1); /* what was refused was not kept in secret */
    assert_true(kit_until(got_message, connection));
    broker_unsubscribe(sub);
    weir_disconnect(connection);
    assert_int_equal(count_of(WEIR_CLOSED), 1);
    assert_int_equal(with.events[with.count - 1], WEIR_CLOSED);
    kit_server_stop(server);
}

static void *kill_soon(void *arg) {
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    kit_server_kill(arg);
    return NULL;
}

static void in_flight(void **state) {
    (void)state;
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = connect_with(server, NULL, NULL);
    weir_error err = {0};
    pthread_t thread;
    broker_sub *sub = NULL;
    /* Somebody listens and never answers. */
    expect_ok(broker_subscribe(&sub, connection, "deaf.>", count_msg, NULL, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, kill_soon, server), 0);
    broker_msg *reply = NULL;
    expect_error(broker_request(connection, &(struct broker_out){.subject = "deaf.a"}, 20000, &reply, &err),
                 WEIR_TIMEOUT, &err, "'deaf.a': the connection was lost before the answer came");
    pthread_join(thread, NULL);
    broker_unsubscribe(sub);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void disconnect_while_down(void **state) {
    (void)state;
    kit_server *server = kit_server_start(NULL);
    weir_connection *connection = connect_with(server, NULL, NULL);
    kit_server_kill(server);
    wait_event(WEIR_DISCONNECTED);
    weir_disconnect(connection);
    assert_int_equal(count_of(WEIR_CLOSED), 1);
    kit_server_stop(server);
}

/* Rewrites the server's users; the server keeps its folder and port. */
static void rewrite_config(const kit_server *server, const char *from, const char *to) {
    char path[600], *text = NULL, made[4096];
    size_t size = 0;
    weir_error err = {0};
    snprintf(path, sizeof path, "%s/server.conf", kit_server_folder(server));
    expect_ok(file_read(&text, &size, path, 4000, &err), &err);
    char *at = strstr(text, from);
    assert_non_null(at);
    int length = snprintf(made, sizeof made, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    expect_ok(file_write_atomic(path, made, (size_t)length, 0600, &err), &err);
    free(text);
}

static void refused_for_a_while(void **state) {
    (void)state;
    struct kit_server_options options = {
        .config = "authorization { users = [ { user: u, password: \"pass-one\" } ] }"};
    kit_server *server = kit_server_start(&options);
    weir_connection *connection = connect_with(server, "u", "pass-one");
    weir_error err = {0};
    broker_sub *sub = NULL;
    expect_ok(broker_subscribe(&sub, connection, "plain.>", count_msg, NULL, &err), &err);
    rewrite_config(server, "pass-one", "pass-two");
    kill(kit_server_pid(server),
         SIGHUP); /* reload: the server ends the connection, libnats tries twice and gives up */
    wait_event(WEIR_ASYNC_ERROR);
    nanosleep(&(struct timespec){.tv_nsec = 700000000}, NULL);
    assert_false(broker_connected(connection));
    assert_int_equal(broker_send(connection, &(struct broker_out){.subject = "plain.a"}, &err),
                     WEIR_UNAVAILABLE);
    assert_null(strstr(detail_of(WEIR_ASYNC_ERROR), "pass-one"));
    rewrite_config(server, "pass-two", "pass-one");
    kill(kit_server_pid(server), SIGHUP);
    assert_true(kit_until(is_connected, connection));
    wait_event(WEIR_RECONNECTED);
    assert_true(kit_until(got_message, connection)); /* the subscription lives on the new connection */
    broker_unsubscribe(sub);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void tls(void **state) {
    (void)state;
    const char *key = kit_path("key.pem"), *cert = kit_path("cert.pem");
    const char *argv[] = {"openssl",
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:P-256",
                          "-nodes",
                          "-days",
                          "2",
                          "-keyout",
                          key,
                          "-out",
                          cert,
                          "-subj",
                          "/CN=weir",
                          "-addext",
                          "subjectAltName=IP:127.0.0.1",
                          NULL};
    pid_t pid;
    int status = -1;
    weir_error err = {0};
    struct process_options how = {.argv = argv, .in = -1, .out = -1, .err = -1};
    if (process_start(&pid, &how, &err) != WEIR_OK)
        spec_skip("there is no openssl program to make a certificate with");
    assert_true(process_wait(pid, 10000, &status));
    assert_int_equal(status, 0);
    char config[1200];
    snprintf(config, sizeof config, "tls { cert_file: \"%s\", key_file: \"%s\" }", cert, key);
    kit_server *server = kit_server_start(&(struct kit_server_options){.config = config});
    weir_connection *connection = NULL;
    weir_connect_options options = {.servers = kit_server_url(server), .tls_ca = cert};
    expect_ok(weir_connect(&connection, &options, &err), &err);
    kit_stream(connection, "S", "s.>", NULL);
    assert_int_equal(kit_publish(connection, "s.a", "x"), 1);
    assert_true(broker_version_at_least(connection, 2, 12, 0));
    weir_disconnect(connection);

    char message[300];
    snprintf(message, sizeof message, "TLS with %s failed: ", kit_server_url(server));
    options.tls_ca = NULL;
    assert_int_equal(weir_connect(&connection, &options, &err), WEIR_DENIED);
    assert_int_equal(strncmp(err.message, message, strlen(message)), 0);
    assert_non_null(strstr(err.message, "self-signed certificate"));
    assert_string_equal(err.hint, "give --tlsca with the CA that signed the server's certificate");
    options.servers = "tls://127.0.0.1:1";
    options.tls_ca = kit_path("absent.pem");
    snprintf(message, sizeof message, "cannot read the CA file %s: No such file or directory",
             options.tls_ca);
    expect_error(weir_connect(&connection, &options, &err), WEIR_NOT_FOUND, &err, message);
    options.tls_ca = NULL;
    options.tls_cert = cert;
    expect_error(weir_connect(&connection, &options, &err), WEIR_INVALID, &err,
                 "a TLS certificate and its key belong together: only one was given");
    kit_server_stop(server);
}

static const struct spec specs[] = {
    {"a killed server comes back and everything goes on", comes_back},
    {"what was in flight when the server died is unknown at once", in_flight},
    {"a connection can be closed while its server is down", disconnect_while_down},
    {"an identity refused for a while connects again by itself", refused_for_a_while},
    {"TLS with a private CA works and its lack is named", tls},
};
SPEC_MAIN(specs)
