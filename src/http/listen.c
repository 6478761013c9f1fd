/* SPDX-License-Identifier: Apache-2.0 */
/* An empty host is loopback, not every interface: what a process tells about itself is nobody else's business unless
 * somebody writes 0.0.0.0. Names are not resolved: which of several addresses would it be? */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"

enum { BACKLOG = 512 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static weir_code refuse(const char *address, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "'%s' is not an address to listen on", address);
    return weir_hint(err, "write HOST:PORT, for example 127.0.0.1:9180, :9180 (loopback), [::1]:9180 or "
                          "0.0.0.0:9180 (every interface); port 0 is a free one");
}

static bool read_port(const char *text, in_port_t *port) {
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    long number = strtol(text, &end, 10);
    *port = htons((uint16_t)number);
    return *end == 0 && end - text <= 5 && number <= 65535;
}

static bool read_address(const char *text, union address *out, socklen_t *size) {
    char host[64];
    in_port_t port;
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (!colon || length >= sizeof host || !read_port(colon + 1, &port))
        return false;
    memcpy(host, text, length);
    host[length] = 0;
    memset(out, 0, sizeof *out);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = 0;
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = port;
        *size = sizeof out->v6;
        return inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) == 1;
    }
    bool loopback = length == 0 || strcmp(host, "localhost") == 0;
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = port;
    *size = sizeof out->v4;
    return inet_pton(AF_INET, loopback ? "127.0.0.1" : host, &out->v4.sin_addr) == 1;
}

static void write_url(char url[HTTP_URL_MAX], const union address *address) {
    char host[INET6_ADDRSTRLEN] = "";
    if (address->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
        snprintf(url, HTTP_URL_MAX, "http://[%s]:%d", host, ntohs(address->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
        snprintf(url, HTTP_URL_MAX, "http://%s:%d", host, ntohs(address->v4.sin_port));
    }
}

static weir_code cannot(const char *address, int number, weir_error *err) {
    weir_fail(err, WEIR_IO, "cannot listen on %s: %s", address, strerror(number));
    if (err)
        err->detail = number;
    if (number == EADDRINUSE)
        weir_hint(err, "another process has this port: choose another, or 0 for a free one");
    else if (number == EADDRNOTAVAIL)
        weir_hint(err, "this machine does not have the address: ip address shows those it has");
    else if (number == EACCES)
        weir_hint(err, "ports below 1024 need a privilege: choose a higher one");
    return WEIR_IO;
}

weir_code http_listen(int *fd, char url[HTTP_URL_MAX], const char *address, weir_error *err) {
    union address at;
    socklen_t size;
    int one = 1;
    if (!read_address(address, &at, &size))
        return refuse(address, err);
    int sock = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return cannot(address, errno, err);
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* a restart finds its port again */
    if (bind(sock, &at.any, size) != 0 || listen(sock, BACKLOG) != 0 ||
        getsockname(sock, &at.any, &size) != 0) {
        int number = errno;
        close(sock);
        return cannot(address, number, err);
    }
    write_url(url, &at);
    *fd = sock;
    return WEIR_OK;
}
