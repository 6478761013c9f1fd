/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: broker */
/* How to connect, before anything is connected: addresses, contexts of the nats CLI, and what must never be
 * shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "broker/settings.h"
#include "kit/server.h"
#include "kit/spec.h"

static struct settings *read_ok(const weir_connect_options *options) {
    struct settings *settings = NULL;
    weir_error err = {0};
    expect_ok(settings_read(&settings, options, &err), &err);
    return settings;
}

static const char *write_context(const char *name, const char *text) {
    const char *path = kit_path(name);
    weir_error err = {0};
    expect_ok(file_write_atomic(path, text, strlen(text), 0600, &err), &err);
    return path;
}

static void defaults(void **state) {
    (void)state;
    struct settings *settings = read_ok(NULL);
    assert_int_equal(settings->server_count, 1);
    assert_string_equal(settings->shown, "nats://127.0.0.1:4222");
    assert_string_equal(settings->name, "weir");
    assert_string_equal(settings->inbox_prefix, "_INBOX");
    assert_int_equal(settings->timeout_ms, 5000);
    assert_false(settings->tls);
    settings_free(settings);
}

static void addresses(void **state) {
    (void)state;
    static const struct {
        const char *servers, *shown, *host, *port;
        bool tls;
    } rows[] = {
        {"host", "nats://host:4222", "host", "4222", false},
        {"nats://host:1", "nats://host:1", "host", "1", false},
        {"tls://u:p@host", "tls://host:4222", "host", "4222", true},
        {"nats://u:p@[::1]:5000/", "nats://[::1]:5000", "::1", "5000", false},
        {"[fe80::1]", "nats://[fe80::1]:4222", "fe80::1", "4222", false},
        {"nats://token@host:7", "nats://host:7", "host", "7", false},
        {"nats://u:p%40x@host:7", "nats://host:7", "host", "7", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char host[256], port[8];
        struct settings *settings = read_ok(&(weir_connect_options){.servers = rows[i].servers});
        assert_string_equal(settings->shown, rows[i].shown);
        assert_int_equal(settings->tls, rows[i].tls);
        settings_split(settings->servers[0], host, port);
        assert_string_equal(host, rows[i].host);
        assert_string_equal(port, rows[i].port);
        settings_free(settings);
    }
    struct settings *settings = read_ok(&(weir_connect_options){.servers = " nats://a:1 , b,tls://x:y@c:3,"});
    assert_int_equal(settings->server_count, 3);
    assert_string_equal(settings->shown, "nats://a:1,nats://b:4222,tls://c:3");
    settings_free(settings);
}

static void secrets(void **state) {
    (void)state;
    struct settings *settings =
        read_ok(&(weir_connect_options){.servers = "nats://ann:url-secret@a:1,nats://url-token@b:2",
                                        .password = "pass-secret",
                                        .token = "tok-secret"});
    static const char *const hidden[] = {"x pass-secret y", "tok-secret", "at url-secret", "ann:url-secret@a",
                                         "url-token"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        assert_true(settings_secret_in(settings, hidden[i]));
    assert_false(settings_secret_in(settings, "authorization violation of ann at a:1"));
    settings_free(settings);
}

static void context_and_options(void **state) {
    (void)state;
    const char *path =
        write_context("whole.json", "{\"description\":\"d\",\"url\":\"nats://ctx:9\",\"user\":\"cu\","
                                    "\"password\":\"cp\",\"token\":\"\",\"creds\":\"/c\",\"cert\":\"/ce\","
                                    "\"key\":\"/k\",\"ca\":\"/ca\",\"inbox_prefix\":\"_INBOX_c\","
                                    "\"jetstream_domain\":\"\",\"nsc\":\"\"}");
    struct settings *settings =
        read_ok(&(weir_connect_options){.context = path, .user = "mine", .timeout_ms = 70});
    assert_string_equal(settings->shown, "nats://ctx:9");
    assert_string_equal(settings->user, "mine");
    assert_string_equal(settings->password, "cp");
    assert_null(settings->token);
    assert_string_equal(settings->creds, "/c");
    assert_string_equal(settings->tls_cert, "/ce");
    assert_string_equal(settings->tls_key, "/k");
    assert_string_equal(settings->tls_ca, "/ca");
    assert_string_equal(settings->inbox_prefix, "_INBOX_c");
    assert_int_equal(settings->timeout_ms, 70);
    assert_true(settings->tls);
    settings_free(settings);
}

static void bad_contexts(void **state) {
    (void)state;
    static const struct {
        const char *text, *message; /* behind the path */
        weir_code code;
    } rows[] = {
        {"[1]", ": a context is a JSON object", WEIR_INVALID},
        {"{\"nsc\":\"nsc://o/a/u\"}", ": weir cannot use a context with 'nsc'", WEIR_UNSUPPORTED},
        {"{\"user_jwt\":\"ey\"}", ": weir cannot use a context with 'user_jwt'", WEIR_UNSUPPORTED},
        {"{\"tls_first\":true}", ": weir cannot use a context with 'tls_first'", WEIR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char message[600];
        struct settings *settings = NULL;
        weir_error err = {0};
        const char *path = write_context("bad.json", rows[i].text);
        snprintf(message, sizeof message, "%s%s", path, rows[i].message);
        expect_error(settings_read(&settings, &(weir_connect_options){.context = path}, &err), rows[i].code,
                     &err, message);
        assert_null(settings);
    }
    weir_error err = {0};
    struct settings *settings = NULL;
    const char *path = write_context("cut.json", "{\"url\":");
    assert_int_equal(settings_read(&settings, &(weir_connect_options){.context = path}, &err), WEIR_INVALID);
    assert_non_null(strstr(err.message, "cut.json: line 1, column "));
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    expect_error(settings_read(&settings, &(weir_connect_options){.context = "x"}, &err), WEIR_NOT_FOUND,
                 &err, "context 'x': neither XDG_CONFIG_HOME nor HOME is set");
}

static void contradictions(void **state) {
    (void)state;
    static const struct {
        weir_connect_options options;
        const char *message;
    } rows[] = {
        {{.tls_key = "k"}, "a TLS certificate and its key belong together: only one was given"},
        {{.creds = "c", .nkey = "n"}, "creds and nkey exclude each other: give one"},
        {{.inbox_prefix = "_INBOX."}, "inbox prefix: '_INBOX.' is no subject: a token is empty"},
        {{.inbox_prefix = "a.>"}, "inbox prefix: 'a.>' is no subject: it has a wildcard"},
        {{.servers = "nats://"}, "'nats://' is no NATS server address"},
        {{.servers = "nats://a:0"}, "'nats://a:0' is no NATS server address"},
        {{.servers = "nats://a b"}, "'nats://a b' is no NATS server address"},
        {{.servers = "nats://u:secret@a\x1b[2J"}, "'nats://a\\x1b[2J' is no NATS server address"},
        {{.servers = "ws://u:secret@a"}, "'ws://a' is no NATS server address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings *settings = NULL;
        weir_error err = {0};
        expect_error(settings_read(&settings, &rows[i].options, &err), WEIR_INVALID, &err, rows[i].message);
    }
}

static const struct spec specs[] = {
    {"without options it is the local server", defaults},
    {"addresses are read and shown without user and password", addresses},
    {"a text that holds a secret is known", secrets},
    {"fields of a context stand behind the options", context_and_options},
    {"a context weir cannot follow is refused and not half used", bad_contexts},
    {"options that contradict each other are refused", contradictions},
};
SPEC_MAIN(specs)
