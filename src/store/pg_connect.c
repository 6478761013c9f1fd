/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, and what every session is set to.
 *
 * libpq's own connect_timeout works only where it may block for as long as it likes, so the waiting is done here; a host
 * that swallows packets is given up by tcp_user_timeout, and libpq goes on to the next one of the url. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"
#include "store/pg.h"

/* --- the url --------------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The keyword of a parameter as libpq reads it. */
static void decode_keyword(weir_text text, char out[32]) {
    size_t to = 0;
    for (size_t i = 0; i < text.size && to < 31; i++) {
        bool escaped = text.data[i] == '%' && i + 2 < text.size && hex_digit(text.data[i + 1]) >= 0 &&
                       hex_digit(text.data[i + 2]) >= 0;
        out[to++] =
            escaped ? (char)(hex_digit(text.data[i + 1]) << 4 | hex_digit(text.data[i + 2])) : text.data[i];
        i += escaped ? 2 : 0;
    }
    out[to] = 0;
}

static void safe_parameters(buffer *out, const char *at) {
    char keyword[32];
    while (*at) {
        size_t size = strcspn(at + 1, "&") + 1, name = strcspn(at + 1, "=&");
        decode_keyword((weir_text){at + 1, name}, keyword);
        if (strstr(keyword, "password") && name + 1 < size)
            buffer_printf(out, "%.*s***", (int)(name + 2), at);
        else
            buffer_append(out, at, size);
        at += size;
    }
}

char *pg_url_safe(const char *url) {
    buffer out;
    buffer_init(&out, 1 << 20);
    const char *authority = strstr(url, "://");
    authority = authority ? authority + 3 : url;
    size_t user = strcspn(authority, "@/");
    const char *colon = memchr(authority, ':', user), *at = url;
    if (authority[user] == '@' && colon) {
        buffer_printf(&out, "%.*s***", (int)(colon + 1 - url), url);
        at = authority + user;
    }
    size_t plain = strcspn(at, "?");
    buffer_append(&out, at, plain);
    safe_parameters(&out, at + plain);
    char *safe = mem_strdup(out.overflow || !out.data ? "postgres://" : out.data);
    buffer_release(&out);
    return safe;
}

/* --- the session ------------------------------------------------------------------------------------ */

/* A database in SQL_ASCII holds bytes of any kind: they are fetched as they are and judged here, where one bad row does not
 * fail the whole statement. */
const char *pg_encoding(const struct pg *pg) {
    const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
    return encoding && strcmp(encoding, "SQL_ASCII") == 0 ? "SQL_ASCII" : "UTF8";
}

/* An open transaction of a relay that froze would hold everybody's horizon. */
static weir_code set_session(struct pg *pg, weir_error *err) {
    char sql[512];
    snprintf(sql, sizeof sql,
             "SET client_encoding = '%s'; SET default_transaction_isolation = 'read committed';"
             " SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '5s';"
             " SET statement_timeout = %lld; SET jit = off;"
             " SELECT set_config('synchronous_commit', 'on', false)"
             " WHERE current_setting('synchronous_commit') = 'off'",
             pg_encoding(pg), (long long)(pg->call_ms - pg->call_ms / 10));
    return pg_run(pg, sql, err);
}

/* --- connecting ------------------------------------------------------------------------------------- */

static PGconn *connect_begin(const char *url, const struct pg_options *options) {
    /* What stands in front of the url is a default, what stands behind it counts. */
    const char *keywords[] = {"tcp_user_timeout",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "dbname",
                              "application_name",
                              options->replication ? "replication" : NULL,
                              NULL};
    const char *values[] = {
        "5000", "10", "5", "3", url, options->application ? options->application : "weir", "database", NULL};
    return PQconnectStartParams(keywords, values, 1);
}

static weir_code connect_wait(struct pg *pg, weir_error *err) {
    int64_t now = pg->clock->mono_ns(pg->clock->self), deadline = now + 3 * PG_CONNECT_MS * NS_PER_MS;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
        struct pollfd waits = {.fd = PQsocket(pg->conn),
                               .events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int64_t left = deadline - pg->clock->mono_ns(pg->clock->self);
        if (left <= 0 || waits.fd < 0)
            break;
        if (poll(&waits, 1, (int)(left / NS_PER_MS) + 1) > 0)
            status = PQconnectPoll(pg->conn);
    }
    if (status == PGRES_POLLING_OK)
        return WEIR_OK;
    if (status == PGRES_POLLING_FAILED)
        return pg_fail(err, pg->conn, NULL, pg->url);
    weir_fail(err, WEIR_UNAVAILABLE, "%s: no answer within %d s", pg->url, 3 * PG_CONNECT_MS / 1000);
    return weir_hint(err, "is that address PostgreSQL's, and is the server alive?");
}

static weir_code open_all(struct pg *pg, const char *url, const struct pg_options *options, weir_error *err) {
    pg->conn = connect_begin(url, options);
    WEIR_ASSERT(pg->conn);
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        weir_text why = {PQerrorMessage(pg->conn), strcspn(PQerrorMessage(pg->conn), "\n")};
        weir_fail(err, WEIR_INVALID, "%s: %.*s", pg->url, TEXT_ARG(why));
        return weir_hint(err, "write postgres://USER@HOST:PORT/DATABASE");
    }
    PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    WEIR_TRY(connect_wait(pg, err));
    PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    if (PQsetnonblocking(pg->conn, 1) != 0)
        return pg_fail(err, pg->conn, NULL, pg->url);
    return options->replication ? WEIR_OK : set_session(pg, err);
}

static void no_notices(void *arg, const PGresult *result) {
    (void)arg, (void)result;
}

weir_code pg_open(struct pg **out, const char *url, const struct pg_options *options, weir_error *err) {
    struct pg *pg = mem_alloc(sizeof *pg);
    pg->url = pg_url_safe(url);
    pg->clock = options->clock ? options->clock : weir_clock_system();
    pg->call_ms = options->call_ms ? options->call_ms : PG_CALL_MS;
    weir_code code = open_all(pg, url, options, err);
    if (code != WEIR_OK) {
        pg_close(pg);
        return code;
    }
    PQsetNoticeReceiver(pg->conn, no_notices, NULL);
    *out = pg;
    return WEIR_OK;
}

void pg_close(struct pg *pg) {
    if (!pg)
        return;
    PQfinish(pg->conn);
    mem_free(pg->url);
    mem_free(pg);
}

int pg_socket(const struct pg *pg) {
    return PQsocket(pg->conn);
}
