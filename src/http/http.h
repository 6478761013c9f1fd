/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP/1.1 server for what a process tells about itself: metrics, health. GET and HEAD, no request bodies, one
 * thread of its own, one request for each connection. The only door to libmicrohttpd, which answers by itself what is
 * no HTTP request (400, 414, 431, 505, with a short page of its own).
 *
 * Who connects cannot harm the process: connections, their memory and the time each may take are bounded, and when there
 * are too many, the one that has waited longest gives way to the new one (guard.h). So a client that asks and reads is
 * served while others hold hundreds of connections open. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/text.h"
#include "weir/clock.h"
#include "weir/error.h"
#include "weir/json.h"

/* What a route answers with. The status is 200, the type the route's, and the body empty when it is called. */
struct http_reply {
    int status;
    const char *type; /* Content-Type; a constant */
    buffer *body;     /* bounded by LIMIT_HTTP_BODY_BYTES: one that overflows becomes a 500 */
};

/* A path and who answers it. Called in the server's thread, one at a time: it must not wait. */
struct http_route {
    const char *path; /* exactly, as it stands on the wire: nothing is decoded; a query is cut off before */
    const char *type;
    void (*answer)(void *arg, struct http_reply *reply);
};

typedef struct http_server http_server;

/* Listens on "HOST:PORT" and serves until close. HOST is a numeric address, "localhost", or empty for loopback; IPv6
 * stands in brackets. PORT 0 takes a free one. `routes` ends with a row whose path is NULL and is borrowed. clock NULL:
 * the system's. INVALID when the address cannot be read, IO when it cannot be listened on. */
WEIR_MUST_CHECK weir_code http_server_open(http_server **out, const char *address,
                                           const struct http_route *routes, void *arg,
                                           const weir_clock *clock, weir_error *err);
/* Connections are cut; no answer is called any more when it returns. NULL is fine. */
void http_server_close(http_server *server);
/* "http://127.0.0.1:9180", without a slash at the end. */
const char *http_server_url(const http_server *server);

/* Makes the reply an error as of RFC 9457: status, its title, and what is wrong. */
void http_problem(struct http_reply *reply, int status, const char *detail);
/* The same for an error with members of its own: those of RFC 9457 go into the object open in `json`, which the caller
 * writes into the body. */
void http_problem_members(struct http_reply *reply, weir_json_writer *json, int status, const char *detail);
/* The title of a status ("Not Found"); "Error" for those we never send. */
const char *http_title(int status);

#endif
