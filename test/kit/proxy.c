/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, one poll loop. A link is a client's socket, the server's, and a queue for each direction:
 * chunks with the time they may go. A full queue stops reading from its source, so a slow side slows the
 * other, as a network does. Orders are flags under a lock; a byte in a pipe makes the loop look at them, and
 * the call returns when it has. */
#include "kit/proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/dice.h"
#include "kit/spec.h"

enum { LINKS = 32, CHUNKS = 64, CHUNK_BYTES = 16384, POLLED = 2 + 2 * LINKS };
enum direction { TO_SERVER, TO_CLIENT };
enum ending { STAYS, ENDS, RESETS };

struct chunk {
    int64_t at_ns;
    size_t size, sent;
    char data[CHUNK_BYTES];
};

struct queue {
    struct chunk *chunks[CHUNKS]; /* a ring */
    size_t head, count;
    int64_t last_ns; /* when the last one may go: order is kept */
    bool ended;      /* the source sends no more */
};

struct link {
    int sock[2]; /* where TO_SERVER writes to: the server; TO_CLIENT: the client */
    struct queue queue[2];
    bool open, lost_bytes;
};

struct kit_proxy {
    pthread_t thread;
    int listening, wake[2], server_port;
    char url[64];
    pthread_mutex_t lock; /* what follows up to the counts */
    pthread_cond_t obeyed;
    uint64_t orders_given, orders_seen;
    bool stop, freeze, swallow, refuse;
    enum ending order;
    int delay_ms[2], chaos_ms;
    int64_t cut_after; /* -1: not */
    uint64_t accepted, swallowed, faults;
    /* the thread's own */
    struct link links[LINKS];
    struct dice dice;
    int64_t chaos_ns, thaw_ns;
};

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* --- links ---------------------------------------------------------------------------------------------- */

static void end_link(struct link *link, enum ending ending) {
    for (int side = 0; side < 2; side++) {
        struct linger abrupt = {.l_onoff = 1, .l_linger = 0};
        if (ending == RESETS)
            setsockopt(link->sock[side], SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
        close(link->sock[side]);
        for (size_t i = 0; i < link->queue[side].count; i++)
            free(link->queue[side].chunks[(link->queue[side].head + i) % CHUNKS]);
    }
    *link = (struct link){.open = false};
}

static void end_links(kit_proxy *proxy, enum ending ending) {
    for (size_t i = 0; i < LINKS; i++)
        if (proxy->links[i].open)
            end_link(&proxy->links[i], ending);
}

static int connect_server(const kit_proxy *proxy) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)proxy->server_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof address) != 0) {
        close(sock);
        return -1;
    }
    return sock;
}

static void accept_link(kit_proxy *proxy, bool refuse) {
    struct link *link = NULL;
    int client = accept4(proxy->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (size_t i = 0; i < LINKS && !link; i++)
        link = proxy->links[i].open ? NULL : &proxy->links[i];
    int server = client < 0 || refuse || !link ? -1 : connect_server(proxy);
    if (server < 0) {
        if (client >= 0)
            close(client);
        return;
    }
    int at_once = 1; /* the delays here are ours, not the kernel's */
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    fcntl(server, F_SETFL, O_NONBLOCK);
    *link = (struct link){.open = true, .sock = {[TO_SERVER] = server, [TO_CLIENT] = client}};
    pthread_mutex_lock(&proxy->lock);
    proxy->accepted++;
    pthread_mutex_unlock(&proxy->lock);
}

/* --- bytes ---------------------------------------------------------------------------------------------- */

/* What one turn of the loop obeys, copied out of the lock. */
struct orders {
    bool stop, freeze, swallow, refuse;
    enum ending order;
    int delay_ms[2], chaos_ms;
    uint64_t number;
};

static void enqueue(kit_proxy *proxy, struct queue *queue, struct chunk *chunk, int delay_ms) {
    int64_t delay_ns = delay_ms * 1000000LL;
    chunk->at_ns = now_ns();
    if (delay_ns)
        chunk->at_ns += delay_ns / 2 + (int64_t)(dice_roll(&proxy->dice) % (uint64_t)delay_ns);
    if (chunk->at_ns < queue->last_ns)
        chunk->at_ns = queue->last_ns;
    queue->last_ns = chunk->at_ns;
    queue->chunks[(queue->head + queue->count++) % CHUNKS] = chunk;
}

/* Counts down to the moment of kit_proxy_cut_after; true when it has come, with *size cut down to it. */
static bool count_down(kit_proxy *proxy, size_t *size) {
    pthread_mutex_lock(&proxy->lock);
    bool now = proxy->cut_after >= 0 && (int64_t)*size >= proxy->cut_after;
    if (now) {
        *size = (size_t)proxy->cut_after;
        proxy->cut_after = -1;
        proxy->order = ENDS;
    } else if (proxy->cut_after >= 0) {
        proxy->cut_after -= (int64_t)*size;
    }
    pthread_mutex_unlock(&proxy->lock);
    return now;
}

/* Reads from the source of one direction. */
static void take(kit_proxy *proxy, struct link *link, enum direction direction, const struct orders *orders) {
    struct chunk *chunk = malloc(sizeof *chunk);
    ssize_t got = recv(link->sock[!direction], chunk->data, sizeof chunk->data, 0);
    chunk->sent = 0;
    chunk->size = got > 0 ? (size_t)got : 0;
    if (got <= 0) {
        link->queue[direction].ended = true;
        free(chunk);
    } else if (direction == TO_CLIENT && orders->swallow) {
        pthread_mutex_lock(&proxy->lock);
        proxy->swallowed += chunk->size;
        pthread_mutex_unlock(&proxy->lock);
        link->lost_bytes = true;
        free(chunk);
    } else {
        if (direction == TO_CLIENT)
            (void)count_down(proxy, &chunk->size);
        enqueue(proxy, &link->queue[direction], chunk, orders->delay_ms[direction]);
    }
}

/* Writes what may go by now; false when the link is done. */
static bool give(struct link *link, enum direction direction) {
    struct queue *queue = &link->queue[direction];
    while (queue->count && queue->chunks[queue->head]->at_ns <= now_ns()) {
        struct chunk *chunk = queue->chunks[queue->head];
        ssize_t sent = send(link->sock[direction], chunk->data + chunk->sent, chunk->size - chunk->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return true; /* full, or broken: the other side's end will be read */
        chunk->sent += (size_t)sent;
        if (chunk->sent < chunk->size)
            return true;
        free(chunk);
        queue->head = (queue->head + 1) % CHUNKS;
        queue->count--;
    }
    return !(queue->ended && queue->count == 0);
}

/* --- the loop ------------------------------------------------------------------------------------------- */

static struct orders read_orders(kit_proxy *proxy) {
    pthread_mutex_lock(&proxy->lock);
    struct orders orders = {.stop = proxy->stop,
                            .freeze = proxy->freeze,
                            .swallow = proxy->swallow,
                            .refuse = proxy->refuse,
                            .order = proxy->order,
                            .delay_ms = {proxy->delay_ms[0], proxy->delay_ms[1]},
                            .chaos_ms = proxy->chaos_ms,
                            .number = proxy->orders_given};
    proxy->order = STAYS;
    pthread_mutex_unlock(&proxy->lock);
    return orders;
}

static void say_obeyed(kit_proxy *proxy, uint64_t number) {
    pthread_mutex_lock(&proxy->lock);
    proxy->orders_seen = number;
    pthread_cond_broadcast(&proxy->obeyed);
    pthread_mutex_unlock(&proxy->lock);
}

static void make_chaos(kit_proxy *proxy, struct orders *orders) {
    int64_t now = now_ns(), mean_ns = orders->chaos_ms * 1000000LL;
    if (mean_ns && proxy->chaos_ns && now >= proxy->chaos_ns) {
        uint64_t kind = dice_roll(&proxy->dice) % 3;
        if (kind == 2)
            proxy->thaw_ns = now + mean_ns / 2;
        else
            orders->order = kind == 0 ? ENDS : RESETS;
        pthread_mutex_lock(&proxy->lock);
        proxy->faults++;
        pthread_mutex_unlock(&proxy->lock);
        proxy->chaos_ns = 0;
    }
    if (mean_ns && !proxy->chaos_ns)
        proxy->chaos_ns = now + mean_ns / 2 + (int64_t)(dice_roll(&proxy->dice) % (uint64_t)mean_ns);
    orders->freeze = orders->freeze || now < proxy->thaw_ns;
}

/* Reads where there is something, passes on what is due. */
static void serve(kit_proxy *proxy, const struct pollfd *polled, const struct orders *orders) {
    for (size_t i = 0; i < LINKS; i++) {
        struct link *link = &proxy->links[i];
        if (!link->open)
            continue;
        if (link->lost_bytes && !orders->swallow) {
            end_link(link, RESETS);
            continue;
        }
        bool done = false;
        for (int direction = 0; direction < 2 && !orders->freeze; direction++) {
            short seen = polled[2 + 2 * i + (size_t)!direction].revents;
            if (seen & (POLLIN | POLLHUP | POLLERR) && link->queue[direction].count < CHUNKS)
                take(proxy, link, (enum direction)direction, orders);
            done = !give(link, (enum direction)direction) || done;
        }
        if (done)
            end_link(link, ENDS);
    }
}

/* Which sockets to watch, and how long at most: until the next chunk is due, or 100 ms. */
static int watch(kit_proxy *proxy, struct pollfd *polled, const struct orders *orders) {
    int64_t now = now_ns(), wait_ns = 100000000;
    polled[0] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
    polled[1] = (struct pollfd){.fd = proxy->listening, .events = POLLIN};
    for (size_t i = 0; i < LINKS; i++)
        for (int side = 0; side < 2; side++) {
            const struct link *link = &proxy->links[i];
            const struct queue *into = &link->queue[!side]; /* what is read from this side goes there */
            bool reads = link->open && !orders->freeze && !into->ended && into->count < CHUNKS;
            polled[2 + 2 * i + (size_t)side] =
                (struct pollfd){.fd = reads ? link->sock[side] : -1, .events = POLLIN};
            if (link->open && !orders->freeze && into->count) {
                int64_t due_ns = into->chunks[into->head]->at_ns - now;
                wait_ns = due_ns < 1000000 ? 1000000 : due_ns < wait_ns ? due_ns : wait_ns;
            }
        }
    if (orders->chaos_ms && wait_ns > 5000000)
        wait_ns = 5000000;
    return (int)((wait_ns + 999999) / 1000000);
}

static void *run(void *arg) {
    kit_proxy *proxy = arg;
    struct pollfd polled[POLLED];
    char byte[64];
    for (;;) {
        struct orders orders = read_orders(proxy);
        if (orders.stop)
            break;
        make_chaos(proxy, &orders);
        if (orders.order != STAYS)
            end_links(proxy, orders.order);
        say_obeyed(proxy, orders.number);
        int wait_ms = watch(proxy, polled, &orders);
        if (poll(polled, POLLED, wait_ms) < 0)
            continue;
        if (polled[0].revents)
            (void)!read(proxy->wake[0], byte, sizeof byte);
        serve(proxy, polled, &orders);
        if (polled[1].revents)
            accept_link(proxy, orders.refuse);
    }
    end_links(proxy, ENDS);
    say_obeyed(proxy, UINT64_MAX);
    return NULL;
}

/* --- orders --------------------------------------------------------------------------------------------- */

kit_proxy *kit_proxy_start(const kit_server *server, uint64_t seed) {
    kit_proxy *proxy = calloc(1, sizeof *proxy);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    proxy->server_port = kit_server_port(server);
    proxy->dice.state = seed;
    proxy->cut_after = -1;
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->obeyed, NULL);
    proxy->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (proxy->listening < 0 || bind(proxy->listening, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(proxy->listening, LINKS) != 0 ||
        getsockname(proxy->listening, (struct sockaddr *)&address, &size) != 0 ||
        pipe2(proxy->wake, O_CLOEXEC | O_NONBLOCK) != 0 ||
        pthread_create(&proxy->thread, NULL, run, proxy) != 0)
        fail_msg("cannot start a proxy");
    snprintf(proxy->url, sizeof proxy->url, "nats://127.0.0.1:%d", ntohs(address.sin_port));
    return proxy;
}

const char *kit_proxy_url(const kit_proxy *proxy) {
    return proxy->url;
}

/* Wakes the loop and waits until it has seen the order; ends the lock that ORDER began. */
static void obey(kit_proxy *proxy) {
    uint64_t number = ++proxy->orders_given;
    (void)!write(proxy->wake[1], "x", 1);
    while (proxy->orders_seen < number)
        pthread_cond_wait(&proxy->obeyed, &proxy->lock);
    pthread_mutex_unlock(&proxy->lock);
}

#define ORDER(proxy, assignment)            \
    do {                                    \
        pthread_mutex_lock(&(proxy)->lock); \
        assignment;                         \
        obey(proxy);                        \
    } while (0)

void kit_proxy_stop(kit_proxy *proxy) {
    if (!proxy)
        return;
    ORDER(proxy, proxy->stop = true);
    pthread_join(proxy->thread, NULL);
    close(proxy->listening);
    close(proxy->wake[0]);
    close(proxy->wake[1]);
    pthread_cond_destroy(&proxy->obeyed);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

void kit_proxy_delay(kit_proxy *proxy, int to_server_ms, int to_client_ms) {
    ORDER(proxy, (proxy->delay_ms[TO_SERVER] = to_server_ms, proxy->delay_ms[TO_CLIENT] = to_client_ms));
}

void kit_proxy_freeze(kit_proxy *proxy, bool on) {
    ORDER(proxy, proxy->freeze = on);
}

void kit_proxy_swallow(kit_proxy *proxy, bool on) {
    ORDER(proxy, proxy->swallow = on);
}

void kit_proxy_cut(kit_proxy *proxy) {
    ORDER(proxy, proxy->order = ENDS);
}

void kit_proxy_reset(kit_proxy *proxy) {
    ORDER(proxy, proxy->order = RESETS);
}

void kit_proxy_cut_after(kit_proxy *proxy, int64_t bytes) {
    ORDER(proxy, proxy->cut_after = bytes);
}

void kit_proxy_refuse(kit_proxy *proxy, bool on) {
    ORDER(proxy, proxy->refuse = on);
}

void kit_proxy_chaos(kit_proxy *proxy, int mean_ms) {
    ORDER(proxy, proxy->chaos_ms = mean_ms);
}

static uint64_t read_count(kit_proxy *proxy, const uint64_t *count) {
    pthread_mutex_lock(&proxy->lock);
    uint64_t value = *count;
    pthread_mutex_unlock(&proxy->lock);
    return value;
}

uint64_t kit_proxy_accepted(kit_proxy *proxy) {
    return read_count(proxy, &proxy->accepted);
}

uint64_t kit_proxy_swallowed(kit_proxy *proxy) {
    return read_count(proxy, &proxy->swallowed);
}

uint64_t kit_proxy_faults(kit_proxy *proxy) {
    return read_count(proxy, &proxy->faults);
}
