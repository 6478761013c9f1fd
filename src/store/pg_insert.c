/* SPDX-License-Identifier: Apache-2.0 */
/* The writing side: one row, in the caller's transaction. A known id inserts nothing instead of failing, because a failed
 * statement would take the caller's transaction with it. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "store/outbox.h"
#include "store/pg.h"

extern const char sql_pg_insert[];

static weir_code check_encoding(PGconn *conn, weir_error *err) {
    const char *encoding = PQparameterStatus(conn, "client_encoding");
    if (!encoding || strcmp(encoding, "UTF8") == 0 || strcmp(encoding, "SQL_ASCII") == 0)
        return WEIR_OK;
    weir_fail(err, WEIR_INVALID, "the connection speaks %s, events are UTF-8", encoding);
    return weir_hint(err, "PQsetClientEncoding(connection, \"UTF8\")");
}

static weir_code insert_failed(PGconn *conn, const PGresult *result, weir_error *err) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    weir_code code = pg_fail(err, conn, result, "cannot write to the outbox");
    if (state && strcmp(state, "42P01") == 0) /* no such table */
        weir_hint(err, "create the outbox with weir_outbox_init_pg or: weir outbox init postgres://...");
    return code;
}

weir_code outbox_insert_pg(struct pg_conn *conn, const weir_draft *draft, weir_error *err) {
    enum { TEXTS = 11, VERSION = TEXTS, TIME, COUNT };
    const weir_text texts[TEXTS] = {
        draft->id,     draft->type,  draft->key,  draft->tenant,          draft->actor,  draft->actor_kind,
        draft->source, draft->trace, draft->span, draft->idempotency_key, draft->payload};
    const char *values[COUNT];
    int sizes[COUNT] = {0}, formats[COUNT] = {0};
    char version[16], time[64];
    WEIR_TRY(check_encoding(conn, err));
    for (int i = 0; i < TEXTS; i++) { /* in binary form: with their size, and no end mark */
        values[i] = texts[i].data;
        sizes[i] = (int)texts[i].size;
        formats[i] = 1;
    }
    snprintf(version, sizeof version, "%d", draft->version);
    snprintf(time, sizeof time, "%.*s", TEXT_ARG(draft->time));
    values[VERSION] = draft->version > 0 ? version : NULL;
    values[TIME] = draft->time.data ? time : NULL;
    PGresult *result = PQexecParams(conn, sql_pg_insert, COUNT, NULL, values, sizes, formats, 0);
    weir_code code = WEIR_OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        code = insert_failed(conn, result, err);
    else if (strcmp(PQcmdTuples(result), "0") == 0)
        code = weir_fail(err, WEIR_CONFLICT, "event id '%.*s' is in the outbox already", TEXT_ARG(draft->id));
    PQclear(result);
    return code;
}
