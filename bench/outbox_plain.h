/* SPDX-License-Identifier: Apache-2.0 */
/* What publishing costs without an outbox: a bare socket writes atomic batches of 999 events and a cursor, of the same
 * bytes and headers as the relay's, made beforehand, one batch in flight. A thread of its own, so that it can run beside
 * something else. Included by outbox_*_bench.c. */
#ifndef BENCH_OUTBOX_PLAIN_H
#define BENCH_OUTBOX_PLAIN_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "outbox_acked.h"

enum { PLAIN_BATCH = 999, PLAIN_FLUSH = 64 << 10 };

struct plain {
    const struct scene *scene;
    long rows;
    double seconds; /* what it took */
    pthread_t thread;
    int sock;
    long expected; /* the last cursor's sequence */
    int batches;
    buffer out;
};

static inline void plain_flush(struct plain *plain) {
    weir_text left = buffer_view(&plain->out);
    while (left.size > 0) {
        ssize_t sent = send(plain->sock, left.data, left.size, MSG_NOSIGNAL);
        if (sent <= 0)
            stop("plain publisher", "the server closed the connection");
        left.data += sent;
        left.size -= (size_t)sent;
    }
    buffer_clear(&plain->out);
}

/* Reads until `wanted` has come; the server's PINGs are answered. */
static inline char *plain_read(struct plain *plain, const char *wanted) {
    static _Thread_local char in[8192];
    size_t size = 0;
    for (;;) {
        ssize_t got = recv(plain->sock, in + size, sizeof in - 1 - size, 0);
        if (got <= 0)
            stop("plain publisher", "the server closed the connection");
        in[size += (size_t)got] = 0;
        if (strstr(in, "-ERR"))
            stop("plain publisher", in);
        char *ping = strstr(in, "PING\r\n");
        if (ping) {
            buffer_printf(&plain->out, "PONG\r\n");
            plain_flush(plain);
            memcpy(ping, "\r\n\r\n\r\n", 6);
        }
        if (strstr(in, wanted) && in[size - 1] == '\n')
            return in;
    }
}

static inline void plain_connect(struct plain *plain) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)kit_server_port(plain->scene->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    buffer_init(&plain->out, 4 << 20);
    plain->sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(plain->sock, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(plain->sock, (struct sockaddr *)&address, sizeof address) != 0)
        stop("plain publisher", strerror(errno));
    plain_read(plain, "INFO ");
    buffer_printf(&plain->out,
                  "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,"
                  "\"lang\":\"c\",\"version\":\"0\",\"protocol\":1}\r\nSUB plain.inbox 1\r\nPING\r\n");
    plain_flush(plain);
    plain_read(plain, "PONG\r\n");
}

static inline void plain_message(struct plain *plain, int number, const char *to, weir_text data,
                                 const char *more) {
    char headers[512];
    int size = snprintf(
        headers, sizeof headers,
        "NATS/1.0\r\nNats-Batch-Id: plain-%025d\r\nNats-Batch-Sequence: %d\r\nNats-Expected-Stream: %s\r\n"
        "%s\r\n",
        plain->batches, number, plain->scene->def->stream, more);
    buffer_printf(&plain->out, "HPUB %s %d %zu\r\n", to, size, (size_t)size + data.size);
    buffer_append(&plain->out, headers, (size_t)size);
    buffer_text(&plain->out, data);
    buffer_append(&plain->out, "\r\n", 2);
    if (plain->out.size >= PLAIN_FLUSH)
        plain_flush(plain);
}

static inline void plain_batch(struct plain *plain, int count) {
    const struct event_def *def = plain->scene->def;
    char to[300], more[200];
    plain->batches++;
    for (int i = 1; i <= count; i++)
        plain_message(plain, i, def->subject, buffer_view(&plain->scene->envelope), "");
    snprintf(to, sizeof to, "_weir.cursor.%s.plain plain.inbox", def->stream);
    snprintf(more, sizeof more, "Nats-Batch-Commit: 1\r\nNats-Expected-Last-Subject-Sequence: %ld\r\n",
             plain->expected);
    plain_message(plain, count + 1, to, weir_text_of("{}"), more);
    plain_flush(plain);
    const char *answer = plain_read(plain, "MSG "), *sequence = strstr(answer, "\"seq\":");
    if (strstr(answer, "\"error\"") || !sequence)
        stop("plain publisher", answer);
    plain->expected = strtol(sequence + 6, NULL, 10);
}

static inline void *plain_thread(void *arg) {
    struct plain *plain = arg;
    double start = now_s();
    for (long left = plain->rows; left > 0; left -= PLAIN_BATCH)
        plain_batch(plain, left < PLAIN_BATCH ? (int)left : PLAIN_BATCH);
    plain->seconds = now_s() - start;
    return NULL;
}

/* Begins to publish so many events into a fresh stream. */
static inline void plain_start(struct plain *plain, const struct scene *scene, long rows) {
    *plain = (struct plain){.scene = scene, .rows = rows};
    scene_fresh_stream(scene);
    plain_connect(plain);
    if (pthread_create(&plain->thread, NULL, plain_thread, plain) != 0)
        stop("plain publisher", "no thread");
}

/* Waits for its end; how many events per second it reached. */
static inline double plain_end(struct plain *plain) {
    pthread_join(plain->thread, NULL);
    close(plain->sock);
    buffer_release(&plain->out);
    if (scene_stored(plain->scene) != plain->rows)
        stop("plain publisher", "the stream does not hold what was published");
    return (double)plain->rows / plain->seconds;
}

/* How long one batch of one event and a cursor takes: no relay that promises exactly once can be quicker than that. */
static inline void plain_print_batch(const struct scene *scene) {
    enum { BATCHES = 200 };
    double took_us[BATCHES];
    struct plain plain = {.scene = scene};
    scene_fresh_stream(scene);
    plain_connect(&plain);
    for (int i = 0; i < BATCHES; i++) {
        double start = now_s();
        plain_batch(&plain, 1);
        took_us[i] = (now_s() - start) * 1e6;
    }
    close(plain.sock);
    buffer_release(&plain.out);
    printf("  an atomic batch of one event, by the bare publisher: p50 %.0f us\n", median(took_us, BATCHES));
}

#endif
