/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a local server: its record (server.json), its lock, and whether the process that holds the
 * lock is the one that was recorded. */
#ifndef CLI_LOCAL_SITE_H
#define CLI_LOCAL_SITE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir/error.h"

/* What server.json says. */
struct record {
    int64_t pid, port;
    unsigned long long start_time;
    char name[40], boot[40];
};

/* One call's view of a folder. */
typedef struct site {
    char dir[PATH_MAX - 64]; /* absolute */
    int lock;                /* descriptor of DIR/server.lock; -1: not open */
    struct record record;
    bool recorded;
} site;

/* With `make`, makes folder and lock file; otherwise NOT_FOUND when `up` was never run in dir. */
WEIR_MUST_CHECK weir_code site_open(site *site, const char *dir, bool make, weir_error *err);
void site_close(site *site);
const char *site_path(const site *site, const char *name, char path[PATH_MAX]);

WEIR_MUST_CHECK weir_code record_read(site *site, weir_error *err); /* nothing there is no error */
WEIR_MUST_CHECK weir_code record_write(site *site, weir_error *err);
/* Changes with each boot, so that a pid and start time of before are not believed; "" where there is none. */
void boot_id(char out[40]);

/* An open-file-description lock: a child that got the descriptor holds it on, also when we are gone. */
bool lock_take(const site *site);
bool lock_held(const site *site); /* by somebody else */
/* Closes our descriptor of the lock and opens another that holds nothing: what was given to a child is the
 * child's. */
WEIR_MUST_CHECK weir_code lock_hand_over(site *site, weir_error *err);

/* Is the recorded process alive, by pid, start time, boot and the lock as its standard input? */
bool recorded_process_lives(const site *site);
/* The same, or a process of the server's own pid file that holds the lock: then it is recorded. */
bool server_lives(site *site);

#endif
