/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* The broker room against real servers: connecting, the JetStream API, publishing, reading stored messages. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/broker.h"
#include "kit/spec.h"
#include "kit/stream.h"

static struct {
    kit_server *server;
    weir_connection *connection;
} with;

/* A server with stream S on s.>, and a connection to it. */
static void begin(void) {
    with.server = kit_server_start(NULL);
    with.connection = kit_connect(with.server);
    kit_stream(with.connection, "S", "s.>", NULL);
}

static void end(void) {
    weir_disconnect(with.connection);
    kit_server_stop(with.server);
}

/* The sentence with its one "%s" filled in. */
static const char *said(const char *sentence, const char *argument) {
    static char text[1024];
    const char *hole = strstr(sentence, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - sentence), sentence, argument, hole + 2);
    return text;
}

/* --- connecting ----------------------------------------------------------------------------------------- */

static void refused(void **state) {
    (void)state;
    int port;
    char url[64];
    weir_connection *connection = NULL;
    weir_error err = {0};
    expect_ok(port_free(&port, &err), &err);
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    expect_error(weir_connect(&connection, &(weir_connect_options){.servers = url}, &err), WEIR_UNAVAILABLE,
                 &err, said("cannot reach %s: connection refused", url));
    assert_true(err.retriable);
    assert_string_equal(
        err.hint, "start a server (`weir up` starts one on this machine), or name another with --server");
}

static void no_host(void **state) {
    (void)state;
    weir_connection *connection = NULL;
    weir_error err = {0};
    weir_connect_options options = {.servers = "nats://no-such-host.invalid:4222", .timeout_ms = 2000};
    assert_int_equal(weir_connect(&connection, &options, &err), WEIR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "cannot reach nats://no-such-host.invalid:4222: "));
}

static void bad_addresses(void **state) {
    (void)state;
    static const struct {
        const char *servers, *message;
    } rows[] = {
        {"http://127.0.0.1:4222", "'http://127.0.0.1:4222' is no NATS server address"},
        {"nats://127.0.0.1:70000", "'nats://127.0.0.1:70000' is no NATS server address"},
        {"nats://127.0.0.1:4x", "'nats://127.0.0.1:4x' is no NATS server address"},
        {"nats://u:secret@:1", "'nats://:1' is no NATS server address"},
        {" , ", "no NATS server was named"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_connection *connection = NULL;
        weir_error err = {0};
        expect_error(weir_connect(&connection, &(weir_connect_options){.servers = rows[i].servers}, &err),
                     WEIR_INVALID, &err, rows[i].message);
    }
}

static void wrong_password(void **state) {
    (void)state;
    kit_server *server = kit_server_start(&(struct kit_server_options){
        .config = "authorization { users = [ { user: alice, password: \"right-pass\" } ] }"});
    weir_connection *connection = NULL;
    weir_error err = {0};
    weir_connect_options options = {
        .servers = kit_server_url(server), .user = "alice", .password = "wrong-pass"};
    expect_error(weir_connect(&connection, &options, &err), WEIR_DENIED, &err,
                 said("%s refused user 'alice' or the password", kit_server_url(server)));
    assert_null(strstr(err.hint, "wrong-pass"));
    assert_true(strlen(err.hint) > 0);

    char url[128];
    snprintf(url, sizeof url, "nats://alice:wrong-pass@127.0.0.1:%d", kit_server_port(server));
    assert_int_equal(weir_connect(&connection, &(weir_connect_options){.servers = url}, &err), WEIR_DENIED);
    assert_null(strstr(err.message, "wrong-pass"));

    options.password = "right-pass";
    expect_ok(weir_connect(&connection, &options, &err), &err);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static const char *write_file(const char *name, const char *text) {
    const char *path = kit_path(name);
    weir_error err = {0};
    expect_ok(file_write_atomic(path, text, strlen(text), 0600, &err), &err);
    return path;
}

/* A key of no value: its 32 bytes are 0 to 31. */
#define TEST_SEED "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y"
#define TEST_KEY "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"

static void nkey_identity(void **state) {
    (void)state;
    kit_server *server = kit_server_start(
        &(struct kit_server_options){.config = "authorization { users = [ { nkey: " TEST_KEY " } ] }"});
    weir_connection *connection = NULL;
    weir_error err = {0};
    const char *path = write_file("user.nk", TEST_SEED "\n");
    weir_connect_options options = {.servers = kit_server_url(server), .nkey = path};
    expect_ok(weir_connect(&connection, &options, &err), &err);
    weir_disconnect(connection);

    options.nkey = write_file("damaged.nk", "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776A\n");
    expect_error(weir_connect(&connection, &options, &err), WEIR_INVALID, &err,
                 said("the key file %s: its user seed is damaged", options.nkey));
    options.nkey = write_file("empty.nk", "nothing\n");
    expect_error(weir_connect(&connection, &options, &err), WEIR_INVALID, &err,
                 said("the key file %s: there is no user seed (SU...) in it", options.nkey));
    kit_server_stop(server);
}

/* Each connection signs a nonce of its own: a fault in one signature of 256 shows here, and seldom elsewhere. */
static void nkey_every_time(void **state) {
    (void)state;
    kit_server *server = kit_server_start(
        &(struct kit_server_options){.config = "authorization { users = [ { nkey: " TEST_KEY " } ] }"});
    weir_connect_options options = {.servers = kit_server_url(server),
                                    .nkey = write_file("user.nk", TEST_SEED "\n")};
    for (int i = 0; i < 1000; i++) {
        weir_connection *connection = NULL;
        weir_error err = {0};
        expect_ok(weir_connect(&connection, &options, &err), &err);
        weir_disconnect(connection);
    }
    kit_server_stop(server);
}

static void contexts(void **state) {
    (void)state;
    kit_server *server = kit_server_start(
        &(struct kit_server_options){.config = "authorization { users = [ { user: bob, password: pw } ] }"});
    char text[256];
    weir_connection *connection = NULL;
    weir_error err = {0};
    snprintf(text, sizeof text,
             "{\"url\":\"%s\",\"user\":\"bob\",\"password\":\"pw\",\"inbox_prefix\":\"_INBOX_bob\"}",
             kit_server_url(server));
    expect_ok(folder_make(kit_path("nats/context"), &err), &err);
    const char *path = write_file("nats/context/mine.json", text);
    setenv("XDG_CONFIG_HOME", kit_folder(), 1);

    expect_ok(weir_connect(&connection, &(weir_connect_options){.context = "mine"}, &err), &err);
    assert_true(broker_connected(connection));
    weir_disconnect(connection);
    expect_ok(weir_connect(&connection, &(weir_connect_options){.context = path}, &err), &err);
    weir_disconnect(connection);

    const char *foreign =
        write_file("foreign.json", "{\"url\":\"nats://127.0.0.1:1\",\"jetstream_domain\":\"hub\"}");
    expect_error(weir_connect(&connection, &(weir_connect_options){.context = foreign}, &err),
                 WEIR_UNSUPPORTED, &err,
                 said("%s: weir cannot use a context with 'jetstream_domain'", foreign));
    assert_int_equal(weir_connect(&connection, &(weir_connect_options){.context = "none"}, &err),
                     WEIR_NOT_FOUND);
    assert_non_null(strstr(err.message, "context 'none': "));
    kit_server_stop(server);
}

static void server_facts(void **state) {
    (void)state;
    char version[32];
    begin();
    assert_true(broker_version_at_least(with.connection, 2, 12, 0));
    assert_false(broker_version_at_least(with.connection, 99, 0, 0));
    assert_int_equal(strncmp(broker_server_version(with.connection, version), "2.", 2), 0);
    assert_int_equal(broker_max_payload(with.connection), 1 << 20);
    end();
}

/* --- the JetStream API ---------------------------------------------------------------------------------- */

static void api_errors(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    json_doc *reply = NULL;
    weir_text none = {NULL, 0};
    expect_error(broker_api(with.connection, "STREAM.INFO.NOPE", none, &reply, &err), WEIR_NOT_FOUND, &err,
                 "STREAM.INFO.NOPE: stream not found (10059)");
    assert_int_equal(err.detail, 10059);
    assert_false(err.retriable);
    assert_string_equal(err.hint, "`weir apply` creates the catalog's streams");
    const char *overlap = "{\"name\":\"T\",\"subjects\":[\"s.a\"]}";
    expect_error(broker_api(with.connection, "STREAM.CREATE.T", weir_text_of(overlap), &reply, &err),
                 WEIR_INVALID, &err, "STREAM.CREATE.T: subjects overlap with an existing stream (10065)");
    expect_error(broker_api(with.connection, "STREAM.INFO.a b", none, &reply, &err), WEIR_INVALID, &err,
                 "'$JS.API.STREAM.INFO.a b' is no subject: it has white space or a control character");
    end();
}

static void no_jetstream(void **state) {
    (void)state;
    kit_server *server = kit_server_start(&(struct kit_server_options){.no_jetstream = true});
    weir_connection *connection = kit_connect(server);
    weir_error err = {0};
    json_doc *reply = NULL;
    expect_error(
        broker_api(connection, "STREAM.INFO.S", (weir_text){NULL, 0}, &reply, &err), WEIR_UNAVAILABLE, &err,
        said("STREAM.INFO.S: JetStream is not enabled for this account on %s", kit_server_url(server)));
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void many_requests(void **state) {
    (void)state;
    enum { COUNT = 200 };
    begin();
    static const char *apis[COUNT];
    static json_doc *replies[COUNT];
    static weir_code codes[COUNT];
    static weir_error errs[COUNT];
    for (int i = 0; i < COUNT; i++)
        apis[i] = i % 10 == 3 ? "STREAM.INFO.NOPE" : "STREAM.INFO.S";
    assert_int_equal(broker_api_many(with.connection, COUNT, apis, NULL, replies, codes, errs), WEIR_OK);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(codes[i], i % 10 == 3 ? WEIR_NOT_FOUND : WEIR_OK);
        if (codes[i] == WEIR_OK)
            assert_string_equal(json_cstr(json_pointer(json_root(replies[i]), weir_text_of("/config/name"))),
                                "S");
        else
            assert_string_equal(errs[i].message, "STREAM.INFO.NOPE: stream not found (10059)");
        json_doc_free(replies[i]);
    }
    end();
}

static void denied_request(void **state) {
    (void)state;
    kit_server *server = kit_server_start(&(struct kit_server_options){
        .config = "authorization { users = [ { user: u, password: p, permissions: { publish: [\"ok.>\"], "
                  "subscribe: [\"_INBOX.>\"] } } ] }"});
    weir_connection *connection = NULL;
    weir_error err = {0};
    weir_connect_options options = {.servers = kit_server_url(server), .user = "u", .password = "p"};
    expect_ok(weir_connect(&connection, &options, &err), &err);
    expect_error(
        broker_publish(connection, &(struct broker_out){.subject = "other.a"}, NULL, 5000, NULL, &err),
        WEIR_DENIED, &err, "this identity may not publish to 'other.a'");
    assert_true(broker_denied(connection, "other.a"));
    assert_false(broker_denied(connection, "ok.a"));
    weir_disconnect(connection);

    options.inbox_prefix = "_MINE";
    expect_ok(weir_connect(&connection, &options, &err), &err);
    weir_code code =
        broker_publish(connection, &(struct broker_out){.subject = "ok.a"}, NULL, 5000, NULL, &err);
    assert_int_equal(code, WEIR_DENIED);
    assert_int_equal(strncmp(err.message, "this identity may not subscribe to '_MINE.", 41), 0);
    weir_disconnect(connection);
    kit_server_stop(server);
}

/* --- publishing ----------------------------------------------------------------------------------------- */

static void publish_and_read(void **state) {
    (void)state;
    begin();
    struct broker_header headers[] = {{"Traceparent", weir_text_of("00-ab")}, {"Empty", weir_text_of("")}};
    struct broker_out out = {.subject = "s.a", .data = {"a\0b", 3}, .headers = headers, .header_count = 2};
    struct broker_puback ack;
    weir_error err = {0};
    expect_ok(broker_publish(with.connection, &out, "S", 5000, &ack, &err), &err);
    assert_string_equal(ack.stream, "S");
    assert_int_equal(ack.sequence, 1);
    assert_false(ack.duplicate);

    broker_msg *msg = NULL;
    struct broker_meta meta;
    expect_ok(broker_get(with.connection, "S", 1, &msg, &err), &err);
    assert_true(weir_text_is(broker_msg_subject(msg), "s.a"));
    assert_int_equal(broker_msg_data(msg).size, 3);
    assert_memory_equal(broker_msg_data(msg).data, "a\0b", 3);
    assert_true(weir_text_is(broker_msg_header(msg, "Traceparent"), "00-ab"));
    assert_true(weir_text_is(broker_msg_header(msg, "Empty"), ""));
    assert_true(weir_text_is(broker_msg_header(msg, "Nats-Expected-Stream"), "S"));
    assert_null(broker_msg_header(msg, "Absent").data);
    assert_true(broker_msg_meta(msg, &meta));
    assert_true(weir_text_is(meta.stream, "S"));
    assert_int_equal(meta.stream_seq, 1);
    assert_true(meta.stored_ns > 1700000000000000000LL);
    size_t cursor = 0, seen = 0;
    const char *name;
    weir_text value;
    while (broker_msg_next_header(msg, &cursor, &name, &value))
        seen++;
    assert_int_equal(seen, 3);
    broker_msg_free(msg);
    end();
}

static void stored_messages(void **state) {
    (void)state;
    begin();
    broker_msg *msg = NULL;
    weir_error err = {0};
    kit_publish(with.connection, "s.a", "one");
    kit_publish(with.connection, "s.b", "two");
    kit_publish(with.connection, "s.a", "three");
    expect_ok(broker_get_last(with.connection, "S", "s.a", &msg, &err), &err);
    assert_true(weir_text_is(broker_msg_data(msg), "three"));
    broker_msg_free(msg);
    expect_ok(broker_get_next(with.connection, "S", 2, "s.>", &msg, &err), &err);
    assert_true(weir_text_is(broker_msg_data(msg), "two"));
    broker_msg_free(msg);
    expect_error(broker_get_last(with.connection, "S", "s.none", &msg, &err), WEIR_NOT_FOUND, &err,
                 "STREAM.MSG.GET.S: no message found (10037)");
    expect_ok(broker_delete(with.connection, "S", 2, &err), &err);
    expect_error(broker_delete(with.connection, "S", 2, &err), WEIR_NOT_FOUND, &err,
                 "STREAM.MSG.DELETE.S: sequence 2 not found (10043)");
    expect_error(broker_delete(with.connection, "S", 99, &err), WEIR_NOT_FOUND, &err,
                 "STREAM.MSG.DELETE.S: stream store EOF (10057)");
    expect_error(broker_get(with.connection, "S", 2, &msg, &err), WEIR_NOT_FOUND, &err,
                 "STREAM.MSG.GET.S: no message found (10037)");
    struct broker_stream_state now;
    expect_ok(broker_stream_state(with.connection, "S", &now, &err), &err);
    assert_int_equal(now.messages, 2);
    assert_int_equal(now.first_seq, 1);
    assert_int_equal(now.last_seq, 3);
    assert_true(now.allow_atomic);
    assert_string_equal(now.retention, "limits");
    assert_true(strlen(now.created) > 19);
    end();
}

static void note_sequence(void *arg, uint64_t sequence, const broker_msg *msg) {
    uint64_t *sum = arg;
    *sum = *sum * 10 + sequence;
    assert_int_equal(broker_msg_data(msg).size, 1);
}

static void dump(void **state) {
    (void)state;
    begin();
    uint64_t seen = 0;
    weir_error err = {0};
    assert_int_equal(kit_stream_dump(with.connection, "S", note_sequence, &seen), 0);
    for (int i = 0; i < 5; i++)
        kit_publish(with.connection, i % 2 ? "s.a" : "s.b.c", "x");
    expect_ok(broker_delete(with.connection, "S", 3, &err), &err);
    assert_int_equal(kit_stream_dump(with.connection, "S", note_sequence, &seen), 4);
    assert_int_equal(seen, 1245);
    end();
}

static void refused_before_sending(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    static const struct {
        const char *name, *value, *message;
        size_t size;
    } rows[] = {
        {"A", "x\r\nB: y", "the value of header A has a line break or a NUL byte", 7},
        {"A", "x\0y", "the value of header A has a line break or a NUL byte", 3},
        {"A B", "x", "a header name is empty or has white space, a control character or a colon", 1},
        {"A:", "x", "a header name is empty or has white space, a control character or a colon", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct broker_header header = {rows[i].name, {rows[i].value, rows[i].size}};
        struct broker_out out = {.subject = "s.a", .headers = &header, .header_count = 1};
        expect_error(broker_publish(with.connection, &out, NULL, 1000, NULL, &err), WEIR_INVALID, &err,
                     rows[i].message);
    }
    expect_error(broker_send(with.connection, &(struct broker_out){.subject = "s.a\r\nPUB x 0\r\n"}, &err),
                 WEIR_INVALID, &err,
                 "'s.a\\x0d\\x0aPUB x 0\\x0d\\x0a' is no subject: it has white space or a control character");
    expect_error(broker_send(with.connection, &(struct broker_out){.subject = "s.*"}, &err), WEIR_INVALID,
                 &err, "'s.*' is no subject: it has a wildcard");
    end();
}

static void too_large(void **state) {
    (void)state;
    kit_server *server = kit_server_start(&(struct kit_server_options){.config = "max_payload: 1024"});
    weir_connection *connection = kit_connect(server);
    weir_error err = {0};
    kit_stream(connection, "S", "s.>", NULL);
    uint64_t epoch = broker_epoch(connection);
    char data[1024];
    memset(data, 'x', sizeof data);
    struct broker_header header = {"A", weir_text_of("b")};
    struct broker_out out = {
        .subject = "s.a", .data = {data, sizeof data}, .headers = &header, .header_count = 1};
    expect_error(broker_publish(connection, &out, NULL, 5000, NULL, &err), WEIR_LIMIT, &err,
                 "the message to 's.a' has 1042 bytes with headers; the server takes 1024");
    out.header_count = 0;
    expect_ok(broker_publish(connection, &out, NULL, 5000, NULL, &err), &err);
    assert_true(broker_connected(connection));
    assert_int_equal(broker_epoch(connection), epoch);
    weir_disconnect(connection);
    kit_server_stop(server);
}

static void nobody_takes_it(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    struct broker_out out = {.subject = "other.a"};
    expect_error(broker_publish(with.connection, &out, "S", 5000, NULL, &err), WEIR_UNAVAILABLE, &err,
                 "'other.a': no stream takes this subject");
    out.subject = "s.a";
    expect_error(broker_publish(with.connection, &out, "T", 5000, NULL, &err), WEIR_CONFLICT, &err,
                 "'s.a': expected stream does not match (10060)");
    end();
}

static void answer_falsely(void *arg, broker_msg *msg) {
    weir_error err;
    struct broker_out out = {.subject = broker_msg_reply(msg).data, .data = weir_text_of(arg)};
    if (broker_send(with.connection, &out, &err) != WEIR_OK)
        abort();
    broker_msg_free(msg);
}

static void impostor(void **state) {
    (void)state;
    static char other[] = "{\"stream\":\"AG\",\"seq\":777}", noise[] = "hello";
    begin();
    broker_sub *sub = NULL;
    weir_error err = {0};
    struct broker_out out = {.subject = "free.a"};
    expect_ok(broker_subscribe(&sub, with.connection, "free.>", answer_falsely, other, &err), &err);
    expect_error(broker_publish(with.connection, &out, "S", 5000, NULL, &err), WEIR_CONFLICT, &err,
                 "'free.a': answered by 'AG', expected 'S'");
    broker_unsubscribe(sub);
    expect_ok(broker_subscribe(&sub, with.connection, "free.>", answer_falsely, noise, &err), &err);
    expect_error(broker_publish(with.connection, &out, "S", 5000, NULL, &err), WEIR_CONFLICT, &err,
                 "'free.a': the answer is no PubAck: hello");
    broker_unsubscribe(sub);
    end();
}

static void silent_server(void **state) {
    (void)state;
    begin();
    weir_error err = {0};
    kit_server_pause(with.server);
    expect_error(
        broker_publish(with.connection, &(struct broker_out){.subject = "s.a"}, NULL, 300, NULL, &err),
        WEIR_TIMEOUT, &err, "'s.a': no answer in time");
    assert_true(err.retriable);
    kit_server_resume(with.server);
    end();
}

static const struct spec specs[] = {
    {"a server that is not there is named with the reason and a remedy", refused},
    {"a host that does not exist is named", no_host},
    {"addresses that are none are refused without their secrets", bad_addresses},
    {"a wrong password is denied and never shown", wrong_password},
    {"a key file gives the identity", nkey_identity},
    {"a thousand connections with one key are all let in", nkey_every_time},
    {"a context of the nats CLI is used by name or path", contexts},
    {"the server tells version and max_payload", server_facts},
    {"JetStream refusals keep their text and number", api_errors},
    {"a server without JetStream is said to be one", no_jetstream},
    {"200 requests in flight are answered each by itself", many_requests},
    {"a request without permission is denied at once", denied_request},
    {"a published message reads back with its headers", publish_and_read},
    {"stored messages are found by sequence, last and next", stored_messages},
    {"a dump of a stream has every message in order", dump},
    {"line breaks in headers and subjects are refused before sending", refused_before_sending},
    {"a message over max_payload is refused and the connection stays", too_large},
    {"a subject no stream takes, or another stream, is an error", nobody_takes_it},
    {"a subscriber that answers like a stream is not believed", impostor},
    {"no answer in time leaves the outcome unknown", silent_server},
};
SPEC_MAIN(specs)
