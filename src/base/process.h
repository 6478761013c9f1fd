/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes and private folders: what `weir up`, `weir demo`, `weir consume --exec` and the test kit
 * share. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "weir/error.h"

struct process_options {
    const char *const *argv; /* argv[0] is looked up in PATH unless it has a slash; ends with NULL */
    const char *const
        *environ_add;      /* "NAME=value" rows put over the inherited ones; NULL or ends with NULL */
    const char *directory; /* working directory; NULL keeps ours */
    int in, out, err; /* descriptors to give as 0, 1, 2; -1 gives /dev/null; the child inherits no other */
    bool die_with_parent; /* PR_SET_PDEATHSIG SIGKILL: ends when the thread that started it ends */
    bool new_session;     /* setsid: survives our terminal (a server that outlives us) */
};

WEIR_MUST_CHECK weir_code process_start(pid_t *pid, const struct process_options *options, weir_error *err);
/* Waits at most timeout_ms (0 asks, -1 waits for ever). True when it ended; *status (may be NULL) as of
 * waitpid, -1 when it was no child of ours. Reaps it. */
bool process_wait(pid_t pid, int64_t timeout_ms, int *status);
/* SIGTERM, wait grace_ms, then SIGKILL; reaps. Only ever by pid. */
void process_stop(pid_t pid, int64_t grace_ms);
bool process_alive(pid_t pid); /* a zombie is not alive */
/* When the process started, in clock ticks since boot (/proc/PID/stat field 22); 0 if there is none. A pid
 * file holds pid and this, so that a reused pid is never taken for ours. */
unsigned long long process_start_time(pid_t pid);

/* Files (files.c). Paths in errors are as given; data is NUL-terminated and the caller's to mem_free. */
WEIR_MUST_CHECK weir_code file_read(char **data, size_t *size, const char *path, size_t bound,
                                    weir_error *err);
WEIR_MUST_CHECK weir_code file_write_atomic(const char *path, const void *data, size_t size, int mode,
                                            weir_error *err); /* temp file, fsync, rename, fsync folder */
WEIR_MUST_CHECK weir_code folder_make(const char *path,
                                      weir_error *err); /* like mkdir -p, mode 0700 for new ones */
/* Removes a folder with all that is in it; links are removed, not followed. What cannot be removed stays. */
void folder_remove(const char *path);
/* A TCP port of 127.0.0.1 that was free a moment ago. */
WEIR_MUST_CHECK weir_code port_free(int *port, weir_error *err);

#endif
