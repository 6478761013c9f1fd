/* SPDX-License-Identifier: Apache-2.0 */
/* The door to PostgreSQL: connections, statements, values, and libpq's errors in our words.
 *
 * Every wait has an end: a server that does not answer within call_ms makes the call fail with TIMEOUT (the outcome is
 * unknown) and the connection is given up. Values travel in binary form. A connection is used by one thread. */
#ifndef STORE_PG_H
#define STORE_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"
#include "weir/clock.h"
#include "weir/error.h"
#include "weir/text.h"

/* --- urls and errors ---------------------------------------------------------------------------- */

/* The url as it may be shown: passwords are ***. mem_free it. */
char *pg_url_safe(const char *url);

/* A SQLSTATE as the number that stands in weir_error.detail: pg_sqlstate("42P01"). */
int pg_sqlstate(const char code[5]);
/* The failure of a statement ("what: PostgreSQL's own sentence"), or of the connection when result has no SQLSTATE.
 * Connections, serialization, deadlocks, locks and resources are retriable. Frees nothing. */
weir_code pg_fail(weir_error *err, const PGconn *conn, const PGresult *result, const char *what);

#define PG_LOST_HINT "PostgreSQL or the network between went away: try again, its own log says more"

/* --- connections --------------------------------------------------------------------------------- */

enum { PG_CONNECT_MS = 5000, PG_CALL_MS = 30000 };

struct pg_options {
    const char *application; /* application_name; NULL: "weir" */
    bool replication;        /* replication=database: for pg_simple and COPY BOTH only */
    int64_t call_ms;         /* the longest wait for one answer; 0: PG_CALL_MS. The server is told too */
    const weir_clock *clock; /* NULL: the system's */
};

struct pg {
    PGconn *conn;
    char *url; /* without secrets; begins every message */
    const weir_clock *clock;
    int64_t call_ms;
    bool lost; /* broken or given up: only pg_close is left */
};

/* Connects within PG_CONNECT_MS for each host (the url may name several). The session: UTF-8, read committed,
 * synchronous_commit not off, lock_timeout 5 s, a transaction left open for 30 s is ended by the server. */
WEIR_MUST_CHECK weir_code pg_open(struct pg **out, const char *url, const struct pg_options *options,
                                  weir_error *err);
void pg_close(struct pg *pg); /* NULL is fine */
int pg_socket(const struct pg *pg);
const char *
pg_encoding(const struct pg *pg); /* of texts on the wire: "UTF8", or "SQL_ASCII" as the database's */
/* Waits until the server sent something (true), or timeout_ms; other_fd (or -1) ends the wait as well. */
bool pg_wait(struct pg *pg, int other_fd, int64_t timeout_ms);
/* Reads what came in without waiting; false: the connection is lost. */
bool pg_absorb(struct pg *pg);

/* --- parameters ---------------------------------------------------------------------------------- */

enum { PG_ARGS_MAX = 24 };

struct pg_args {
    int count;
    Oid types[PG_ARGS_MAX];
    size_t offsets[PG_ARGS_MAX]; /* into bytes */
    int sizes[PG_ARGS_MAX];      /* -1: NULL */
    buffer bytes;
};

void pg_args_init(struct pg_args *args);
void pg_args_release(struct pg_args *args);
void pg_args_clear(struct pg_args *args); /* keeps the memory */
void pg_arg_bool(struct pg_args *args, bool value);
void pg_arg_int4(struct pg_args *args, int32_t value);
void pg_arg_int8(struct pg_args *args, int64_t value);
void pg_arg_text(struct pg_args *args, weir_text value); /* absent: NULL */
void pg_arg_cstr(struct pg_args *args, const char *value);
void pg_arg_time(struct pg_args *args, int64_t wall_us); /* timestamptz */
void pg_arg_xid8(struct pg_args *args, uint64_t value);
void pg_arg_int8s(struct pg_args *args, const int64_t *values, size_t count);
void pg_arg_xid8s(struct pg_args *args, const uint64_t *values, size_t count);
void pg_arg_texts(struct pg_args *args, const char *const *values, size_t count);

/* --- statements ---------------------------------------------------------------------------------- */

/* Several statements whose rows do not matter; one transaction unless they say otherwise. */
WEIR_MUST_CHECK weir_code pg_run(struct pg *pg, const char *sql, weir_error *err);
/* One statement in the simple protocol, with text results; the only kind a replication connection takes. *result is the
 * last one, PGRES_COPY_BOTH included; PQclear it. */
WEIR_MUST_CHECK weir_code pg_simple(struct pg *pg, const char *sql, PGresult **result, weir_error *err);
/* One statement with parameters (args may be NULL) and binary results. PQclear *result; NULL result: only the failure
 * counts. */
WEIR_MUST_CHECK weir_code pg_query(struct pg *pg, const char *sql, const struct pg_args *args,
                                   PGresult **result, weir_error *err);

/* Prepared statements: all at once, in one round trip. */
struct pg_statement {
    const char *name, *sql;
};
WEIR_MUST_CHECK weir_code pg_prepare(struct pg *pg, const struct pg_statement *statements, size_t count,
                                     weir_error *err);
WEIR_MUST_CHECK weir_code pg_call(struct pg *pg, const char *name, const struct pg_args *args,
                                  PGresult **result, weir_error *err);

/* A pipeline: what is sent between two syncs is one transaction; answers come in order. pg_query and pg_call must not be
 * used while answers are outstanding. */
WEIR_MUST_CHECK weir_code pg_send(struct pg *pg, const char *name, const struct pg_args *args,
                                  weir_error *err);
WEIR_MUST_CHECK weir_code pg_send_sync(struct pg *pg, weir_error *err);
/* The answer of the next statement sent; PQclear it. One that was skipped because an earlier one of its transaction
 * failed gives STOPPED. */
WEIR_MUST_CHECK weir_code pg_receive(struct pg *pg, PGresult **result, weir_error *err);
WEIR_MUST_CHECK weir_code pg_receive_sync(struct pg *pg, weir_error *err);
WEIR_MUST_CHECK weir_code pg_pipeline_begin(struct pg *pg, weir_error *err);
WEIR_MUST_CHECK weir_code pg_pipeline_end(struct pg *pg, weir_error *err);

/* --- results (binary) ---------------------------------------------------------------------------- */

enum {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_NAME = 19,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_OID = 26,
    PG_JSON = 114,
    PG_BPCHAR = 1042,
    PG_VARCHAR = 1043,
    PG_INT8_ARRAY = 1016,
    PG_TEXT_ARRAY = 1009,
    PG_TIMESTAMPTZ = 1184,
    PG_UUID = 2950,
    PG_LSN = 3220,
    PG_JSONB = 3802,
    PG_XID8 = 5069,
    PG_XID8_ARRAY = 271
};
/* timestamptz 'infinity' and '-infinity', in microseconds since 1970 as all times here. */
#define PG_INFINITY INT64_MAX
#define PG_MINUS_INFINITY INT64_MIN

bool pg_null(const PGresult *result, int row, int column);
/* NULL reads as 0 or false. Integers of 2, 4 and 8 bytes, oid, xid8, pg_lsn. */
int64_t pg_int(const PGresult *result, int row, int column);
bool pg_bool(const PGresult *result, int row, int column);
int64_t pg_time(const PGresult *result, int row, int column); /* microseconds since 1970 */
/* The bytes of text, json, jsonb (without its version byte), bytea; NULL is absent. Valid as long as the result. */
weir_text pg_text(const PGresult *result, int row, int column);
/* "xxxxxxxx-xxxx-..." of a uuid; "" for NULL. */
const char *pg_uuid(const PGresult *result, int row, int column, char out[37]);
/* The same values where they stand in any other message of the protocol. */
int64_t pg_read_int(const char *data, size_t size);
int64_t pg_read_time(const char *data);
const char *pg_read_uuid(const char *data, char out[37]);

#endif
