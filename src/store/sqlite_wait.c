/* SPDX-License-Identifier: Apache-2.0 */
/* Waking up when somebody commits, without polling.
 *
 * inotify tells of every write to the -wal file; PRAGMA data_version tells whether another connection
 * committed since we last looked. A writer writes its frames first, syncs them, and only then shows them to
 * readers, so at the first sign the commit is often not to be seen yet: we look again after 0.25, 0.5, 1, ...
 * 64 ms, ten looks in all, and then sleep on. Our own writes cause such looks too, but data_version does not
 * count them, so they end there. Each look costs some microseconds. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/text.h"
#include "base/units.h"
#include "store/sqlite_outbox.h"

#define LOOK_FIRST_NS (NS_PER_MS / 4)
#define LOOK_LAST_NS (128 * NS_PER_MS)

static int64_t data_version(sqlite_outbox *outbox) {
    int64_t version = -1;
    if (sqlite3_step(outbox->data_version) == SQLITE_ROW)
        version = sqlite3_column_int64(outbox->data_version, 0);
    sqlite3_reset(outbox->data_version);
    return version;
}

static void watch_wal(sqlite_outbox *outbox) {
    buffer path;
    buffer_init(&path, 1 << 16);
    buffer_printf(&path, "%s-wal", outbox->path);
    outbox->wal_watch = inotify_add_watch(outbox->inotify_fd, path.data, IN_MODIFY);
    buffer_release(&path);
}

void sqlite_outbox_watch_open(sqlite_outbox *outbox) {
    outbox->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    data_version(outbox); /* reading opens the -wal file */
    if (outbox->inotify_fd >= 0)
        watch_wal(outbox);
}

void sqlite_outbox_watch_close(sqlite_outbox *outbox) {
    if (outbox->inotify_fd >= 0)
        close(outbox->inotify_fd);
}

void sqlite_outbox_watch_look(sqlite_outbox *outbox) {
    outbox->seen_version = data_version(outbox);
}

/* Empties the queue of file events; true when there were any. */
static bool touched(sqlite_outbox *outbox) {
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool any = false;
    while (outbox->inotify_fd >= 0 && read(outbox->inotify_fd, events, sizeof events) > 0)
        any = true;
    return any;
}

static void sleep_at_most(sqlite_outbox *outbox, int64_t ns) {
    struct pollfd waits[2] = {{.fd = outbox->base.wake_fd, .events = POLLIN},
                              {.fd = outbox->inotify_fd, .events = POLLIN}};
    struct timespec timeout = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    ppoll(waits, 2, &timeout, NULL);
}

bool sqlite_outbox_wait(outbox *any, int64_t timeout_ms) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    int64_t now = outbox->base.clock->mono_ns(outbox->base.clock->self);
    int64_t deadline = now + timeout_ms * NS_PER_MS, pause = 0;
    for (;;) {
        if (outbox_woken(&outbox->base) || data_version(outbox) != outbox->seen_version)
            return true;
        if (touched(outbox))
            pause = LOOK_FIRST_NS;
        now = outbox->base.clock->mono_ns(outbox->base.clock->self);
        if (now >= deadline)
            return false;
        int64_t left = deadline - now;
        sleep_at_most(outbox, pause && pause < left ? pause : left);
        pause = pause >= LOOK_LAST_NS ? 0 : pause * 2;
    }
}
