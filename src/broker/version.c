/* SPDX-License-Identifier: Apache-2.0 */
/* The server's version. libnats 3.4 reads it but does not tell, so it is read once per connection from the
 * INFO line that every server sends to whoever connects, before any identity or TLS is asked for. */
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/link.h"

enum { INFO_MAX = 32 << 10, WAIT_MS = 2000 };

static int open_socket(const char *url) {
    char host[256], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
    int sock = -1;
    settings_split(url, host, port);
    if (getaddrinfo(host, port, &hints, &addresses) != 0)
        return -1;
    for (struct addrinfo *at = addresses; at && sock < 0; at = at->ai_next) {
        struct timeval wait = {.tv_sec = WAIT_MS / 1000};
        sock = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (sock >= 0 && (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
                          connect(sock, at->ai_addr, at->ai_addrlen) != 0)) {
            close(sock);
            sock = -1;
        }
    }
    freeaddrinfo(addresses);
    return sock;
}

/* Reads the first line; returns its size, 0 when none came. */
static size_t read_line(int sock, char *line, size_t room) {
    size_t size = 0;
    while (size < room && !memchr(line, '\n', size)) {
        if (poll(&(struct pollfd){.fd = sock, .events = POLLIN}, 1, WAIT_MS) != 1)
            return 0;
        ssize_t got = recv(sock, line + size, room - size, 0);
        if (got <= 0)
            return 0;
        size += (size_t)got;
    }
    const char *end = memchr(line, '\n', size);
    return end ? (size_t)(end - line) : 0;
}

static void ask(weir_connection *connection, char out[32]) {
    char url[512], line[INFO_MAX];
    json_doc *doc = NULL;
    out[0] = 0;
    if (natsConnection_GetConnectedUrl(link_nats(connection), url, sizeof url) != NATS_OK)
        return;
    int sock = open_socket(url);
    size_t size = sock >= 0 ? read_line(sock, line, sizeof line) : 0;
    if (sock >= 0)
        close(sock);
    if (size < 5 || memcmp(line, "INFO ", 5) != 0 ||
        json_parse(&doc, (weir_text){line + 5, size - 5}, NULL) != WEIR_OK)
        return;
    weir_text version = json_text(json_get(json_root(doc), "version"));
    if (version.size < 32)
        snprintf(out, 32, "%.*s", (int)version.size, version.data ? version.data : "");
    json_doc_free(doc);
}

const char *broker_server_version(weir_connection *connection, char out[32]) {
    out[0] = 0;
    if (!broker_connected(connection))
        return out;
    pthread_mutex_lock(&connection->version_lock);
    uint64_t epoch = broker_epoch(connection);
    if (connection->version_epoch != epoch || !connection->version[0]) {
        ask(connection, connection->version);
        connection->version_epoch = epoch;
    }
    memcpy(out, connection->version, 32);
    pthread_mutex_unlock(&connection->version_lock);
    return out;
}

bool broker_version_at_least(weir_connection *connection, int major, int minor, int patch) {
    char version[32];
    int have[3] = {0, 0, 0};
    if (sscanf(broker_server_version(connection, version), "%d.%d.%d", &have[0], &have[1], &have[2]) < 2)
        return false;
    const int want[3] = {major, minor, patch};
    for (int i = 0; i < 3; i++)
        if (have[i] != want[i])
            return have[i] > want[i];
    return true;
}
