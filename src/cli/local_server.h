/* SPDX-License-Identifier: Apache-2.0 */
/* A nats-server of our own on this machine: what `weir up`, `weir down` and `weir demo` do.
 *
 * All of it stands in one folder: nats-server.conf, nats-server.log, jetstream/, and server.json (pid, start
 * time, port). The running server holds a lock on DIR/server.lock through its standard input, so the kernel
 * itself says whether one is alive, also when whoever started it was killed in between: such a server is
 * adopted, never doubled. It listens on 127.0.0.1 only, syncs every write, and outlives us. */
#ifndef CLI_LOCAL_SERVER_H
#define CLI_LOCAL_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"
#include "weir/error.h"

struct local_server_options {
    const char *binary; /* nats-server; NULL: WEIR_NATS_SERVER, the one weir was built beside, PATH */
    int port;           /* 0: the one it had before, or a free one */
    int64_t wait_ms;    /* for it to answer; 0 means 10 s */
};

struct local_server {
    bool running;
    bool started; /* by this call; false when it ran already */
    pid_t pid;
    unsigned long long start_time; /* process_start_time: with pid and boot, the process's identity */
    int port;                      /* also of a server that is not running: the one it will have again */
    char url[48];                  /* nats://127.0.0.1:PORT */
    char version[32];              /* "2.15.1" */
};

/* ${XDG_STATE_HOME:-~/.local/state}/weir/up. INVALID when neither variable is set. */
WEIR_MUST_CHECK weir_code local_server_default_dir(buffer *out, weir_error *err);
/* Starts the server of `dir`, or finds it running, and waits until it answers. UNSUPPORTED when the
 * nats-server is older than 2.12, CONFLICT when it runs on another port than asked for, NOT_FOUND without a
 * nats-server. */
WEIR_MUST_CHECK weir_code local_server_up(const char *dir, const struct local_server_options *options,
                                          struct local_server *state, weir_error *err);
/* Stops it: SIGTERM, then SIGKILL after grace_ms. Only the process that `up` started: pid and start time must
 * match. *stopped is false when none was running. */
WEIR_MUST_CHECK weir_code local_server_down(const char *dir, int64_t grace_ms, bool *stopped,
                                            weir_error *err);
/* What stands in `dir`. NOT_FOUND when `up` was never run there. */
WEIR_MUST_CHECK weir_code local_server_state(const char *dir, struct local_server *state, weir_error *err);

#endif
