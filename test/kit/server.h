/* SPDX-License-Identifier: Apache-2.0 */
/* Real nats-servers for tests: each in a private folder, on a free port of 127.0.0.1, with JetStream, file
 * storage and sync_interval always. Stopped by their own pid; the test program is a child subreaper, so
 * nothing is left behind. */
#ifndef KIT_SERVER_H
#define KIT_SERVER_H

#include <stdbool.h>

/* A private temporary folder of this test program; removed when it ends (kept when WEIR_KEEP is set). */
const char *kit_folder(void);
/* A path inside it: kit_path("outbox.db"). Valid for the life of the program. */
const char *kit_path(const char *name);

struct kit_server_options {
    const char *config; /* lines added to the generated configuration, or NULL */
    const char *sync;   /* sync_interval; NULL means "always" */
    const char *binary; /* another nats-server; NULL: the one of this machine */
    bool no_jetstream;
};

typedef struct kit_server kit_server;

/* Starts one and waits until it answers; fails the test when it cannot. options may be NULL. */
kit_server *kit_server_start(const struct kit_server_options *options);
const char *kit_server_url(const kit_server *server); /* nats://127.0.0.1:PORT */
int kit_server_port(const kit_server *server);
int kit_server_pid(const kit_server *server);
const char *kit_server_folder(const kit_server *server);
void kit_server_kill(kit_server *server);    /* SIGKILL and reap; the folder stays */
void kit_server_restart(kit_server *server); /* again, same folder and port; kills first when it runs */
void kit_server_pause(kit_server *server);   /* SIGSTOP */
void kit_server_resume(kit_server *server);  /* SIGCONT */
void kit_server_stop(kit_server *server);    /* ends it and removes its folder; NULL is fine */

#endif
