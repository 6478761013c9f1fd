/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager wants to be told (the protocol of sd_notify), without its library. Never waits and never fails:
 * who does not listen is not told. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

#include <stdint.h>

typedef struct notify notify;

/* NULL when nobody asked to be told (NOTIFY_SOCKET); every function below does nothing then. */
notify *notify_open(void);
void notify_close(notify *notify);

void notify_ready(notify *notify);                    /* READY=1, once */
void notify_stopping(notify *notify);                 /* STOPPING=1, once */
void notify_status(notify *notify, const char *line); /* STATUS=, when it is another than before */
/* WATCHDOG=1 when half of WATCHDOG_USEC is over since the last one; call it from the loop that must not hang. */
void notify_alive(notify *notify, int64_t now_ns);
/* How long the caller may wait before the next notify_alive; at most `longest_ns`. */
int64_t notify_wait_ns(const notify *notify, int64_t longest_ns);

#endif
