/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/spec.h"

int kit_http_connect(int port) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void kit_http_tell(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        size -= (size_t)sent;
    }
}

const char *kit_http_hear(int fd) {
    static char all[1 << 18];
    size_t size = 0;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 10000) != 1)
            fail_msg("the server keeps the connection open; so far it said: %.*s", (int)size, all);
        ssize_t got = recv(fd, all + size, sizeof all - 1 - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    all[size] = 0;
    close(fd);
    return all;
}

const char *kit_http_ask(int port, const char *request) {
    int fd = kit_http_connect(port);
    kit_http_tell(fd, request, strlen(request));
    return kit_http_hear(fd);
}

const char *kit_http_get(int port, const char *path) {
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    return kit_http_ask(port, request);
}

const char *kit_http_body(const char *answer) {
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

void kit_http_status(const char *answer, int status) {
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    if (strncmp(answer, line, strlen(line)) != 0)
        fail_msg("expected %d, the answer is: %s", status, answer);
}
