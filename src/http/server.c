/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd is run by a loop of ours: so one thread owns every connection, and can shut those that the guard tells
 * it to. The library's own timeout counts from the last byte, which one byte every few seconds keeps alive for ever.
 *
 * A connection has one request, answered when its headers are there, and is closed: nothing behind them, a body or more
 * requests, can be taken for anything. Paths are compared as they come: what is not decoded cannot be disguised. */
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/units.h"
#include "http/guard.h"
#include "http/http.h"
#include "http/listen.h"

enum { CONNECTION_BYTES = 16 << 10 };

struct http_server {
    const struct http_route *routes;
    void *arg;
    const weir_clock *clock;
    char url[HTTP_URL_MAX];
    struct MHD_Daemon *daemon;
    struct guard guard;
    buffer body;
    int wake_fd, epoll_fd;
    atomic_bool stopping;
    pthread_t thread;
};

static int64_t now_ns(const http_server *server) {
    return server->clock->mono_ns(server->clock->self);
}

/* --- a request ------------------------------------------------------------------------------------- */

static bool has_body(struct MHD_Connection *connection) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return (length && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding");
}

static const struct http_route *route_of(const http_server *server, const char *path) {
    for (const struct http_route *route = server->routes; route->path; route++)
        if (strcmp(route->path, path) == 0)
            return route;
    return NULL;
}

static void answer(http_server *server, const char *method, const char *path, bool body,
                   struct http_reply *reply) {
    const struct http_route *route = route_of(server, path);
    if (body) {
        http_problem(reply, 413, "no request here has a body");
    } else if (path[0] != '/') {
        http_problem(reply, 400, "the target of a request must be a path");
    } else if (!route) {
        http_problem(reply, 404, "nothing is served at this path");
    } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        http_problem(reply, 405, "this path is only read: GET or HEAD");
    } else {
        reply->type = route->type;
        route->answer(server->arg, reply);
    }
    if (reply->body->overflow)
        http_problem(reply, 500, "the answer is larger than it may be");
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct http_reply *reply) {
    weir_text body = buffer_view(reply->body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", reply->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (reply->status == 405)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static struct guard_slot *slot_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request) {
    http_server *server = arg;
    struct guard_slot *slot = slot_of(connection);
    struct http_reply reply = {.status = 200, .type = "text/plain", .body = &server->body};
    (void)version, (void)upload, (void)upload_size, (void)request;
    if (slot)
        guard_answer(slot, now_ns(server));
    buffer_clear(&server->body);
    answer(server, method, path, has_body(connection), &reply);
    return send_reply(connection, &reply);
}

/* --- connections ------------------------------------------------------------------------------------ */

static void shut_some(http_server *server) {
    for (int fd; (fd = guard_next(&server->guard, now_ns(server))) >= 0;)
        shutdown(fd, SHUT_RDWR); /* the library sees the end of it and closes */
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    http_server *server = arg;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            guard_end(*context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *context = guard_begin(&server->guard, fd->connect_fd, peer ? peer->client_addr : NULL, now_ns(server));
}

static size_t leave_encoded(void *arg, struct MHD_Connection *connection, char *text) {
    (void)arg, (void)connection;
    return strlen(text);
}

/* --- the loop ---------------------------------------------------------------------------------------- */

static int wait_ms(http_server *server) {
    MHD_UNSIGNED_LONG_LONG library_ms;
    int64_t due = guard_due(&server->guard), now = now_ns(server);
    int64_t wait = due == INT64_MAX ? -1 : due <= now ? 0 : (due - now) / NS_PER_MS + 1;
    if (MHD_get_timeout(server->daemon, &library_ms) == MHD_YES && (wait < 0 || (int64_t)library_ms < wait))
        wait = (int64_t)library_ms;
    return (int)wait;
}

static void *serve(void *arg) {
    http_server *server = arg;
    while (!atomic_load(&server->stopping)) {
        struct pollfd waits[] = {{.fd = server->epoll_fd, .events = POLLIN},
                                 {.fd = server->wake_fd, .events = POLLIN}};
        poll(waits, 2, wait_ms(server));
        MHD_run(server->daemon); /* takes those who came ... */
        MHD_run(server->daemon); /* ... and answers those of them who have asked, before anybody must go */
        shut_some(server);
    }
    return NULL;
}

/* --- opening and closing ------------------------------------------------------------------------------ */

static weir_code start(http_server *server, int fd, weir_error *err) {
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)GUARD_SLOTS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_encoded, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
    if (!server->daemon) {
        close(fd);
        return weir_fail(err, WEIR_IO, "%s: the HTTP server does not start", server->url);
    }
    server->epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (pthread_create(&server->thread, NULL, serve, server) == 0)
        return WEIR_OK;
    MHD_stop_daemon(server->daemon);
    return weir_fail(err, WEIR_IO, "%s: no thread can be started for the HTTP server", server->url);
}

static void release(http_server *server) {
    close(server->wake_fd);
    buffer_release(&server->body);
    mem_free(server);
}

weir_code http_server_open(http_server **out, const char *address, const struct http_route *routes, void *arg,
                           const weir_clock *clock, weir_error *err) {
    int fd;
    char url[HTTP_URL_MAX];
    WEIR_TRY(http_listen(&fd, url, address, err));
    http_server *server = mem_alloc(sizeof *server);
    *server = (http_server){.routes = routes,
                            .arg = arg,
                            .clock = clock ? clock : weir_clock_system(),
                            .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    memcpy(server->url, url, sizeof url);
    guard_init(&server->guard);
    buffer_init(&server->body, LIMIT_HTTP_BODY_BYTES);
    weir_code code = start(server, fd, err);
    if (code != WEIR_OK) {
        release(server);
        return code;
    }
    *out = server;
    return WEIR_OK;
}

void http_server_close(http_server *server) {
    if (!server)
        return;
    uint64_t one = 1;
    atomic_store(&server->stopping, true);
    ssize_t written = write(server->wake_fd, &one, sizeof one);
    (void)written;
    pthread_join(server->thread, NULL);
    MHD_stop_daemon(server->daemon);
    release(server);
}

const char *http_server_url(const http_server *server) {
    return server->url;
}
