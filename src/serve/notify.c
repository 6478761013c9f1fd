/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram per message to a socket whose name stands in the environment; '@' begins an abstract one. */
#include "serve/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"

enum { STATUS_BYTES = 400 };

struct notify {
    int fd;
    struct sockaddr_un to;
    socklen_t to_size;
    int64_t watchdog_ns, alive_ns; /* 0: no watchdog; when it was last told */
    bool ready, stopping, alive;
    char status[STATUS_BYTES];
};

static void tell(notify *notify, const char *message) {
    ssize_t sent = sendto(notify->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
                          (struct sockaddr *)&notify->to, notify->to_size);
    (void)sent;
}

/* Half of the time in which it must be told; 0 when there is none, or it is another process's. */
static int64_t watchdog_ns(void) {
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    long long value = us ? strtoll(us, NULL, 10) : 0;
    bool ours = !pid || !*pid || strtoll(pid, NULL, 10) == getpid();
    return ours && value > 0 && value < INT64_MAX / NS_PER_US ? value * NS_PER_US / 2 : 0;
}

notify *notify_open(void) {
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name ? strlen(name) : 0;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (size < 2 || size >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@'))
        return NULL;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    memcpy(to.sun_path, name, size);
    if (name[0] == '@')
        to.sun_path[0] = 0;
    notify *notify = mem_alloc(sizeof *notify);
    notify->fd = fd;
    notify->to = to;
    notify->to_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    notify->watchdog_ns = watchdog_ns();
    return notify;
}

void notify_close(notify *notify) {
    if (!notify)
        return;
    close(notify->fd);
    mem_free(notify);
}

void notify_ready(notify *notify) {
    if (!notify || notify->ready)
        return;
    notify->ready = true;
    tell(notify, "READY=1");
}

void notify_stopping(notify *notify) {
    if (!notify || notify->stopping)
        return;
    notify->stopping = true;
    tell(notify, "STOPPING=1");
}

/* A line break would begin another message. */
void notify_status(notify *notify, const char *line) {
    char message[STATUS_BYTES + 8];
    buffer plain;
    if (!notify || strncmp(notify->status, line, sizeof notify->status - 1) == 0)
        return;
    snprintf(notify->status, sizeof notify->status, "%s", line);
    buffer_init(&plain, 8 * STATUS_BYTES);
    buffer_printable(&plain, weir_text_of(notify->status));
    snprintf(message, sizeof message, "STATUS=%s", plain.data ? plain.data : "");
    buffer_release(&plain);
    tell(notify, message);
}

void notify_alive(notify *notify, int64_t now_ns) {
    if (!notify || notify->watchdog_ns == 0 ||
        (notify->alive && now_ns - notify->alive_ns < notify->watchdog_ns))
        return;
    notify->alive = true;
    notify->alive_ns = now_ns;
    tell(notify, "WATCHDOG=1");
}

int64_t notify_wait_ns(const notify *notify, int64_t longest_ns) {
    bool sooner = notify && notify->watchdog_ns > 0 && notify->watchdog_ns < longest_ns;
    return sooner ? notify->watchdog_ns : longest_ns;
}
