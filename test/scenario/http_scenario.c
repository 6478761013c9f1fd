/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json http */
/* The HTTP server against clients who mean it well, badly, or neither: what each gets, and that the first are served
 * whatever the others do. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/units.h"
#include "http/guard.h"
#include "http/http.h"
#include "kit/http.h"
#include "kit/spec.h"

/* --- a server and its clients ------------------------------------------------------------------------- */

static void say_hello(void *arg, struct http_reply *reply) {
    (void)arg;
    buffer_string(reply->body, "hello\n");
}

static void say_too_much(void *arg, struct http_reply *reply) {
    (void)arg;
    for (int i = 0; i <= LIMIT_HTTP_BODY_BYTES / 8; i++)
        buffer_string(reply->body, "12345678");
}

static void say_not_now(void *arg, struct http_reply *reply) {
    http_problem(reply, 503, arg);
}

static const struct http_route routes[] = {{"/hello", "text/plain; charset=utf-8", say_hello},
                                           {"/much", "text/plain", say_too_much},
                                           {"/not-now", "application/json", say_not_now},
                                           {NULL}};

static http_server *open_server(const char *address, const weir_clock *clock) {
    http_server *server;
    weir_error err;
    expect_ok(http_server_open(&server, address, routes, "the \"lease\" is elsewhere", clock, &err), &err);
    return server;
}

static int port_of(const http_server *server) {
    return atoi(strrchr(http_server_url(server), ':') + 1);
}

static int connect_to(const http_server *server) {
    return kit_http_connect(port_of(server));
}

static const char *ask_bytes(const http_server *server, const char *bytes, size_t size) {
    int fd = connect_to(server);
    kit_http_tell(fd, bytes, size);
    return kit_http_hear(fd);
}

static const char *ask(const http_server *server, const char *request) {
    return kit_http_ask(port_of(server), request);
}

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- those who mean it well ---------------------------------------------------------------------------- */

static void get_and_head(void **state) {
    (void)state;
    http_server *server = open_server("127.0.0.1:0", NULL);
    const char *answer = ask(server, HELLO);
    kit_http_status(answer, 200);
    assert_string_equal(kit_http_body(answer), "hello\n");
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
    answer = ask(server, "HEAD /hello?why=not HTTP/1.1\r\nHost: x\r\n\r\n");
    kit_http_status(answer, 200);
    assert_non_null(strstr(answer, "\r\nContent-Length: 6\r\n"));
    assert_string_equal(kit_http_body(answer), "");
    assert_string_equal(kit_http_body(ask(server, "GET /hello HTTP/1.0\r\n\r\n")), "hello\n");
    http_server_close(server);
}

static bool has_ipv6(void) {
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        close(fd);
    if (!has)
        print_message("this machine has no IPv6 loopback: [::1] is left out\n");
    return has;
}

static void addresses(void **state) {
    (void)state;
    static const struct {
        const char *address, *url;
    } rows[] = {{":0", "http://127.0.0.1:"},
                {"localhost:0", "http://127.0.0.1:"},
                {"127.0.0.2:0", "http://127.0.0.2:"},
                {"[::1]:0", "http://[::1]:"},
                {"0.0.0.0:0", "http://0.0.0.0:"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].address[0] == '[' && !has_ipv6())
            continue;
        http_server *server = open_server(rows[i].address, NULL);
        assert_int_equal(strncmp(http_server_url(server), rows[i].url, strlen(rows[i].url)), 0);
        assert_true(port_of(server) > 0);
        http_server_close(server);
    }
}

static void bad_addresses(void **state) {
    (void)state;
    static const char *const rows[] = {"",          "9180",      "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                                       ":-1",       ":99999999", ":9180x",    "shop:9180",  "::1:9180",
                                       "[::1:9180", "[]:1"};
    char expected[80];
    weir_error err;
    http_server *server;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(expected, sizeof expected, "'%s' is not an address to listen on", rows[i]);
        expect_error(http_server_open(&server, rows[i], routes, NULL, NULL, &err), WEIR_INVALID, &err,
                     expected);
    }
    assert_string_equal(err.hint,
                        "write HOST:PORT, for example 127.0.0.1:9180, :9180 (loopback), [::1]:9180 or "
                        "0.0.0.0:9180 (every interface); port 0 is a free one");
}

static void port_is_taken(void **state) {
    (void)state;
    http_server *first = open_server(":0", NULL), *second;
    char address[32], expected[80];
    weir_error err;
    snprintf(address, sizeof address, "127.0.0.1:%d", port_of(first));
    snprintf(expected, sizeof expected, "cannot listen on %s: Address already in use", address);
    expect_error(http_server_open(&second, address, routes, NULL, NULL, &err), WEIR_IO, &err, expected);
    assert_string_equal(err.hint, "another process has this port: choose another, or 0 for a free one");
    http_server_close(first);
}

/* --- those who do not ----------------------------------------------------------------------------------- */

static void refusals_say_why(void **state) {
    (void)state;
    static const struct {
        const char *request;
        int status;
        const char *body;
    } rows[] = {
        {"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404,
         "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
         "\"detail\":\"nothing is served at this path\"}\n"},
        {"DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n", 405,
         "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405,"
         "\"detail\":\"this path is only read: GET or HEAD\"}\n"},
        {"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n\r\n", 413,
         "{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413,"
         "\"detail\":\"no request here has a body\"}\n"},
        {"GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n", 400,
         "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
         "\"detail\":\"the target of a request must be a path\"}\n"},
        {"GET /much HTTP/1.1\r\nHost: x\r\n\r\n", 500,
         "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
         "\"detail\":\"the answer is larger than it may be\"}\n"},
        {"GET /not-now HTTP/1.1\r\nHost: x\r\n\r\n", 503,
         "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
         "\"detail\":\"the \\\"lease\\\" is elsewhere\"}\n"},
    };
    http_server *server = open_server(":0", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *answer = ask(server, rows[i].request);
        kit_http_status(answer, rows[i].status);
        assert_string_equal(kit_http_body(answer), rows[i].body);
        assert_non_null(strstr(answer, "\r\nContent-Type: application/problem+json\r\n"));
        assert_int_equal(strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL, rows[i].status == 405);
    }
    http_server_close(server);
}

static void odd_requests(void **state) {
    (void)state;
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET /hello HTTP/1.1\r\n\r\n", 400},                                   /* no Host */
        {"GET /hello\r\n", 400},                                                /* HTTP/0.9 */
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},                              /* HTTP/2's greeting */
        {"GET /hello HTTP/1.1x\r\nHost: x\r\n\r\n", 400},                       /* no version */
        {"GET /hello HTTP/1.1\nHost: x\n\n", 200},                              /* bare LF: RFC 9112, 2.2 */
        {"GET /hello%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404},                     /* an encoded end */
        {"GET /..%2fhello HTTP/1.1\r\nHost: x\r\n\r\n", 404},                   /* and way up */
        {"GET /%68ello HTTP/1.1\r\nHost: x\r\n\r\n", 404},                      /* nothing is decoded */
        {"GET //hello HTTP/1.1\r\nHost: x\r\n\r\n", 404},                       /* nor made shorter */
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},                         /* not a path */
        {"TRACE /hello HTTP/1.1\r\nHost: x\r\n\r\n", 405},                      /* no echo */
        {"GET /hello HTTP/1.1\r\nHost : x\r\n\r\n", 400},                       /* space before the colon */
        {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},  /* less than nothing */
        {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1e9\r\n\r\n", 400}, /* no number */
        {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
        {"GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", 413},
        {"GET /hello HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 413},
    };
    http_server *server = open_server(":0", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        kit_http_status(ask(server, rows[i].request), rows[i].status);
    http_server_close(server);
}

/* How many answers there are in what was said. */
static int answers_in(const char *said) {
    int count = 0;
    for (; (said = strstr(said, "HTTP/1.1 ")); said++)
        count++;
    return count;
}

static void nothing_behind(void **state) {
    (void)state;
    http_server *server = open_server(":0", NULL);
    const char *answer = ask(server, HELLO HELLO HELLO);
    kit_http_status(answer, 200);
    assert_int_equal(answers_in(answer), 1);
    answer = ask(server,
                 "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "0\r\n\r\n" HELLO);
    kit_http_status(answer, 413);
    assert_int_equal(answers_in(answer), 1);
    answer = ask(server,
                 "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\n" HELLO);
    assert_int_equal(answers_in(answer), 1);
    http_server_close(server);
}

static void large_requests(void **state) {
    (void)state;
    enum { SIZE = 1 << 20 };
    char *large = malloc(SIZE + 100);
    http_server *server = open_server(":0", NULL);
    memset(large, 'a', SIZE + 100);
    memcpy(large, "GET /", 5);
    memcpy(large + SIZE, " HTTP/1.1\r\nHost: x\r\n\r\n", 23);
    ask_bytes(server, large, SIZE + 23); /* 414, unless what still came cut the answer off */
    memcpy(large, HELLO, strlen(HELLO) - 2);
    memcpy(large + strlen(HELLO) - 2, "A: ", 3);
    ask_bytes(server, large, SIZE);
    const char *answer = ask_bytes(server, large, 40000); /* this much fits into the buffers between */
    if (answer[0])
        kit_http_status(answer, 431);
    assert_string_equal(kit_http_body(ask(server, HELLO)), "hello\n");
    http_server_close(server);
    free(large);
}

/* --- those who take their time ----------------------------------------------------------------------------- */

static _Atomic int64_t stepped_ns;

static int64_t stepped(void *self) {
    (void)self;
    return stepped_ns;
}

static void one_byte_at_a_time(void **state) {
    (void)state;
    static const weir_clock clock = {.wall_ns = stepped, .mono_ns = stepped};
    http_server *server = open_server(":0", &clock);
    int fd = connect_to(server);
    char byte;
    assert_string_equal(kit_http_body(ask(server, HELLO)),
                        "hello\n"); /* whoever came before was accepted, too */
    for (int i = 0; i < 4; i++) {   /* each byte in time for those who count from the last one */
        kit_http_tell(fd, &HELLO[i], 1);
        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
        stepped_ns += NS_PER_S;
    }
    stepped_ns += NS_PER_S;
    kit_http_tell(fd, "h", 1); /* the server looks at its clock */
    assert_string_equal(kit_http_hear(fd), "");
    assert_string_equal(kit_http_body(ask(server, HELLO)), "hello\n");
    http_server_close(server);
}

static void many_connections(void **state) {
    (void)state;
    enum { MANY = 500 };
    static int fds[MANY];
    http_server *server = open_server(":0", NULL);
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_to(server);
        kit_http_tell(fds[i], "GET /hel", 8);
        if (i % 50 == 0)
            assert_string_equal(kit_http_body(ask(server, HELLO)), "hello\n");
    }
    for (int i = 0; i < 20; i++)
        assert_string_equal(kit_http_body(ask(server, HELLO)), "hello\n");
    for (int i = 0; i < MANY - GUARD_SLOTS; i++)
        assert_string_equal(kit_http_hear(fds[i]), "");
    for (int i = MANY - GUARD_SLOTS; i < MANY; i++)
        close(fds[i]);
    http_server_close(server);
}

static void close_with_clients(void **state) {
    (void)state;
    http_server *server = open_server(":0", NULL);
    int silent = connect_to(server), half = connect_to(server);
    kit_http_tell(half, "GET /hello HTTP/1.1\r\n", 21);
    assert_string_equal(kit_http_body(ask(server, HELLO)), "hello\n");
    http_server_close(server);
    assert_string_equal(kit_http_hear(silent), "");
    assert_string_equal(kit_http_hear(half), "");
}

static const struct spec specs[] = {
    {"a path is read with GET and HEAD", get_and_head},
    {"an address without a host is loopback and port 0 a free one", addresses},
    {"an address that cannot be read is refused with the forms there are", bad_addresses},
    {"a port that is taken is said", port_is_taken},
    {"what is refused says why in the form of RFC 9457", refusals_say_why},
    {"odd requests get a clear answer or none", odd_requests},
    {"nothing behind the first request is taken for another", nothing_behind},
    {"requests of any size leave the server as it was", large_requests},
    {"headers that come one byte at a time have five seconds", one_byte_at_a_time},
    {"who asks is served while five hundred others only connect", many_connections},
    {"closing cuts those who are still connected", close_with_clients},
};
SPEC_MAIN(specs)
