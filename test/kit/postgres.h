/* SPDX-License-Identifier: Apache-2.0 */
/* Real PostgreSQL servers for tests: each a cluster of its own in a private folder, on a free port of 127.0.0.1 and a socket in
 * that folder, with wal_level logical and fsync on. The programs are those of WEIR_POSTGRES (a folder), or the newest below
 * /usr/lib/postgresql. They refuse to run as root: a test run by root gives them the user postgres, or else nobody.
 *
 * What cannot be done fails the test, with the end of the server's log. Functions that take a server are for the thread that
 * started it: the server dies with that thread. */
#ifndef KIT_POSTGRES_H
#define KIT_POSTGRES_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

struct kit_postgres_options {
    const char *config; /* lines for postgresql.conf that come last, or NULL */
    const char *
        folder; /* where the cluster shall lie, an existing folder (a mounted one, say); NULL: in kit_folder() */
};

typedef struct kit_postgres kit_postgres;

/* Starts one and waits until it answers. options may be NULL. */
kit_postgres *kit_postgres_start(const struct kit_postgres_options *options);
/* The one that all cases of a test program may share; started when first asked for, ended with the program. */
kit_postgres *kit_postgres_shared(void);
const char *kit_postgres_url(const kit_postgres *server); /* postgres://postgres@127.0.0.1:PORT/postgres */
const char *kit_postgres_folder(const kit_postgres *server);
int kit_postgres_port(const kit_postgres *server);
int kit_postgres_pid(const kit_postgres *server);
/* One of PostgreSQL's own programs, as a path. Valid until the fourth call after. */
const char *kit_postgres_program(const char *name);
/* A fresh, empty database; its url. Valid for the life of the program. */
const char *kit_postgres_database(kit_postgres *server);

void kit_postgres_kill(
    kit_postgres *server); /* SIGKILL to all of its processes, and reap; the folder stays */
void kit_postgres_restart(kit_postgres *server); /* again, same folder and port; kills first when it runs */
void kit_postgres_pause(kit_postgres *server);   /* SIGSTOP to all of its processes */
void kit_postgres_resume(kit_postgres *server);  /* SIGCONT */
void kit_postgres_stop(kit_postgres *server);    /* ends it and removes its folder; NULL is fine */

/* --- SQL ------------------------------------------------------------------------------------------------- */

/* A connection; end it with PQfinish. */
PGconn *kit_sql_connect(const char *url);
/* Runs statements that must succeed. */
void kit_sql(PGconn *connection, const char *statements);
/* Runs statements that must fail; what the database said (the primary message). Valid until the next call. */
const char *kit_sql_refused(PGconn *connection, const char *statements);
/* The first value of the first row; NULL (as text) and 0 (as a number) when it is NULL. A text is valid until the fourth call after. */
const char *kit_sql_text(PGconn *connection, const char *query);
int64_t kit_sql_number(PGconn *connection, const char *query);

#endif
