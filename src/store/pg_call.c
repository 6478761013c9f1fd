/* SPDX-License-Identifier: Apache-2.0 */
/* Statements over a connection that never blocks: what is sent is flushed, and what is awaited is polled for, until the
 * call's deadline. A connection whose answer is overdue is given up, because nobody knows any more which answer belongs
 * to which question. */
#include <poll.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"
#include "store/pg.h"

/* --- waiting ----------------------------------------------------------------------------------------- */

static int64_t deadline_of(const struct pg *pg) {
    return pg->clock->mono_ns(pg->clock->self) + pg->call_ms * NS_PER_MS;
}

static weir_code lost(struct pg *pg, weir_error *err) {
    pg->lost = true;
    return pg_fail(err, pg->conn, NULL, pg->url);
}

static weir_code overdue(struct pg *pg, weir_error *err) {
    pg->lost = true;
    weir_fail(err, WEIR_TIMEOUT, "%s: no answer within %lld ms", pg->url, (long long)pg->call_ms);
    return weir_hint(err,
                     "is the database server alive? The connection was given up, a new one will be made");
}

/* Waits for the socket; a connection that broke counts as ready, reading tells. */
static weir_code ready(struct pg *pg, short events, int64_t deadline, weir_error *err) {
    struct pollfd waits = {.fd = PQsocket(pg->conn), .events = events};
    if (waits.fd < 0)
        return lost(pg, err);
    for (;;) {
        int64_t left = deadline - pg->clock->mono_ns(pg->clock->self);
        if (left <= 0)
            return overdue(pg, err);
        if (poll(&waits, 1, (int)(left / NS_PER_MS) + 1) > 0)
            return WEIR_OK;
    }
}

/* Writes out everything; reads meanwhile, because the server may not take more before its answers are taken. */
static weir_code flush(struct pg *pg, weir_error *err) {
    int64_t deadline = 0;
    for (int left; (left = PQflush(pg->conn)) != 0;) {
        if (left < 0)
            return lost(pg, err);
        deadline = deadline ? deadline : deadline_of(pg);
        WEIR_TRY(ready(pg, POLLIN | POLLOUT, deadline, err));
        if (!PQconsumeInput(pg->conn))
            return lost(pg, err);
    }
    return WEIR_OK;
}

/* The next thing libpq has; NULL is the end of a statement. */
static weir_code next(struct pg *pg, PGresult **result, weir_error *err) {
    int64_t deadline = 0;
    *result = NULL;
    WEIR_TRY(flush(pg, err));
    while (PQisBusy(pg->conn)) {
        deadline = deadline ? deadline : deadline_of(pg);
        WEIR_TRY(ready(pg, POLLIN, deadline, err));
        if (!PQconsumeInput(pg->conn))
            break; /* what came before the connection broke is still read */
    }
    *result = PQgetResult(pg->conn);
    return WEIR_OK;
}

bool pg_wait(struct pg *pg, int other_fd, int64_t timeout_ms) {
    struct pollfd waits[2] = {{.fd = PQsocket(pg->conn), .events = POLLIN},
                              {.fd = other_fd, .events = POLLIN}};
    return poll(waits, 2, (int)timeout_ms) > 0 && waits[0].revents != 0;
}

bool pg_absorb(struct pg *pg) {
    if (!pg->lost && !PQconsumeInput(pg->conn))
        pg->lost = true;
    return !pg->lost;
}

static weir_code usable(const struct pg *pg, weir_error *err) {
    if (!pg->lost)
        return WEIR_OK;
    weir_fail(err, WEIR_UNAVAILABLE, "%s: the connection was lost", pg->url);
    return weir_hint(err, PG_LOST_HINT);
}

/* --- answers ----------------------------------------------------------------------------------------- */

static bool is_failure(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

static weir_code failed(struct pg *pg, PGresult *result, weir_error *err) {
    weir_code code = pg_fail(err, pg->conn, result, pg->url);
    PQclear(result);
    if (PQstatus(pg->conn) != CONNECTION_OK)
        pg->lost = true;
    return code;
}

static bool starts_copy(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
}

/* Everything up to the end of the statement or statements sent; keeps the last result, or the first failure. */
static weir_code collect(struct pg *pg, PGresult **out, weir_error *err) {
    PGresult *kept = NULL, *result;
    weir_code code = WEIR_OK;
    for (;;) {
        weir_code got = pg->lost ? code : next(pg, &result, code == WEIR_OK ? err : NULL);
        code = code != WEIR_OK ? code : got;
        if (got != WEIR_OK || !result)
            break;
        if (is_failure(result)) {
            code = code == WEIR_OK ? failed(pg, result, err) : (PQclear(result), code);
            continue;
        }
        PQclear(kept);
        kept = result;
        if (starts_copy(result))
            break;
    }
    if (code == WEIR_OK && !kept)
        code = lost(pg, err);
    if (code == WEIR_OK && out)
        *out = kept;
    else
        PQclear(kept);
    return code;
}

weir_code pg_simple(struct pg *pg, const char *sql, PGresult **result, weir_error *err) {
    WEIR_TRY(usable(pg, err));
    if (!PQsendQuery(pg->conn, sql))
        return lost(pg, err);
    return collect(pg, result, err);
}

weir_code pg_run(struct pg *pg, const char *sql, weir_error *err) {
    return pg_simple(pg, sql, NULL, err);
}

/* --- sending ----------------------------------------------------------------------------------------- */

struct values {
    const char *values[PG_ARGS_MAX];
    int formats[PG_ARGS_MAX];
};

static void point(struct values *out, const struct pg_args *args) {
    for (int i = 0; i < args->count; i++) {
        const char *bytes = args->bytes.data ? args->bytes.data : "";
        out->values[i] = args->sizes[i] < 0 ? NULL : bytes + args->offsets[i];
        out->formats[i] = 1;
    }
}

static const struct pg_args no_args;

static weir_code send_statement(struct pg *pg, const char *name, const char *sql, const struct pg_args *args,
                                weir_error *err) {
    struct values values;
    WEIR_TRY(usable(pg, err));
    args = args ? args : &no_args;
    point(&values, args);
    int sent =
        name ? PQsendQueryPrepared(pg->conn, name, args->count, values.values, args->sizes, values.formats, 1)
             : PQsendQueryParams(pg->conn, sql, args->count, args->types, values.values, args->sizes,
                                 values.formats, 1);
    return sent ? WEIR_OK : lost(pg, err);
}

/* The answer of the one statement just sent, whatever mode the connection is in. */
static weir_code answer(struct pg *pg, PGresult **result, weir_error *err) {
    PGresult *got = NULL;
    if (PQpipelineStatus(pg->conn) == PQ_PIPELINE_OFF)
        return collect(pg, result, err);
    WEIR_TRY(pg_send_sync(pg, err));
    weir_code code = pg_receive(pg, &got, err);
    weir_code ended = pg->lost ? code : pg_receive_sync(pg, code == WEIR_OK ? err : NULL);
    code = code != WEIR_OK ? code : ended;
    if (code == WEIR_OK && result)
        *result = got;
    else
        PQclear(got);
    return code;
}

weir_code pg_query(struct pg *pg, const char *sql, const struct pg_args *args, PGresult **result,
                   weir_error *err) {
    WEIR_TRY(send_statement(pg, NULL, sql, args, err));
    return answer(pg, result, err);
}

weir_code pg_call(struct pg *pg, const char *name, const struct pg_args *args, PGresult **result,
                  weir_error *err) {
    WEIR_TRY(send_statement(pg, name, NULL, args, err));
    return answer(pg, result, err);
}

/* --- pipelines --------------------------------------------------------------------------------------- */

weir_code pg_pipeline_begin(struct pg *pg, weir_error *err) {
    WEIR_TRY(usable(pg, err));
    return PQenterPipelineMode(pg->conn) ? WEIR_OK : lost(pg, err);
}

weir_code pg_pipeline_end(struct pg *pg, weir_error *err) {
    WEIR_TRY(usable(pg, err));
    return PQexitPipelineMode(pg->conn) ? WEIR_OK : lost(pg, err);
}

weir_code pg_send(struct pg *pg, const char *name, const struct pg_args *args, weir_error *err) {
    return send_statement(pg, name, NULL, args, err);
}

weir_code pg_send_sync(struct pg *pg, weir_error *err) {
    WEIR_TRY(usable(pg, err));
    if (!PQpipelineSync(pg->conn))
        return lost(pg, err);
    return flush(pg, err);
}

weir_code pg_receive(struct pg *pg, PGresult **result, weir_error *err) {
    PGresult *got, *end;
    *result = NULL;
    WEIR_TRY(usable(pg, err));
    WEIR_TRY(next(pg, &got, err));
    if (!got)
        return lost(pg, err);
    if (PQresultStatus(got) != PGRES_FATAL_ERROR || PQstatus(pg->conn) == CONNECTION_OK) {
        weir_code code = next(pg, &end, err);
        PQclear(end);
        if (code != WEIR_OK) {
            PQclear(got);
            return code;
        }
    }
    if (PQresultStatus(got) == PGRES_PIPELINE_ABORTED) {
        PQclear(got);
        return weir_fail(err, WEIR_STOPPED, "%s: an earlier statement failed", pg->url);
    }
    if (is_failure(got))
        return failed(pg, got, err);
    *result = got;
    return WEIR_OK;
}

weir_code pg_receive_sync(struct pg *pg, weir_error *err) {
    PGresult *got;
    WEIR_TRY(usable(pg, err));
    WEIR_TRY(next(pg, &got, err));
    ExecStatusType status = got ? PQresultStatus(got) : PGRES_FATAL_ERROR;
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(got);
        return WEIR_OK;
    }
    if (got && is_failure(got)) /* a deferred failure, at the transaction's end */
        return failed(pg, got, err);
    PQclear(got);
    return lost(pg, err);
}

/* --- prepared statements ------------------------------------------------------------------------------ */

static weir_code prepare_inside(struct pg *pg, const struct pg_statement *statements, size_t count,
                                weir_error *err) {
    PGresult *answer;
    weir_code code = WEIR_OK;
    for (size_t i = 0; i < count; i++)
        if (!PQsendPrepare(pg->conn, statements[i].name, statements[i].sql, 0, NULL))
            return lost(pg, err);
    WEIR_TRY(pg_send_sync(pg, err));
    for (size_t i = 0; i < count && !pg->lost; i++) {
        weir_code one = pg_receive(pg, &answer, code == WEIR_OK ? err : NULL);
        PQclear(answer);
        code = code != WEIR_OK ? code : one;
    }
    weir_code ended = pg->lost ? code : pg_receive_sync(pg, code == WEIR_OK ? err : NULL);
    return code != WEIR_OK ? code : ended;
}

weir_code pg_prepare(struct pg *pg, const struct pg_statement *statements, size_t count, weir_error *err) {
    if (PQpipelineStatus(pg->conn) != PQ_PIPELINE_OFF)
        return prepare_inside(pg, statements, count, err);
    WEIR_TRY(pg_pipeline_begin(pg, err));
    weir_code code = prepare_inside(pg, statements, count, err);
    weir_code ended = pg->lost ? code : pg_pipeline_end(pg, code == WEIR_OK ? err : NULL);
    return code != WEIR_OK ? code : ended;
}
