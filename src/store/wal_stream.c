/* SPDX-License-Identifier: Apache-2.0 */
/* COPY BOTH as the walsender speaks it: 'w' (data), 'k' (keepalive, which may ask for an answer) come in; 'r' (how far we
 * are) goes out. The server ends a connection it hears nothing from for wal_sender_timeout, also while it waits for us to
 * take what it sent: so we speak every second, whether or not there is something to say.
 *
 * A copy message is one malloc of libpq, freed at the next one: nothing is kept here. */
#include "store/wal_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/units.h"
#include "store/wal_bytes.h"

enum { STATUS_SIZE = 34, DATA_HEAD = 25, KEEPALIVE_SIZE = 18 };
#define PG_EPOCH_US 946684800000000 /* 2000-01-01, from where PostgreSQL counts */

struct wal_stream {
    struct pg *pg;
    char slot[64], publication[64];
    bool binary;
    char *copied; /* libpq's */
    bool asked;   /* the server wants to hear from us */
    int64_t told_ns;
};

static int64_t mono_ns(const wal_stream *stream) {
    return stream->pg->clock->mono_ns(stream->pg->clock->self);
}

/* --- connecting ---------------------------------------------------------------------------------- */

static weir_code not_allowed(weir_code code, weir_error *err) {
    if (code == WEIR_DENIED)
        weir_hint(
            err,
            "following the log needs the right to: ALTER ROLE ... REPLICATION, and a line of pg_hba.conf "
            "that lets it into the database");
    return code;
}

/* As the ordinary sessions have it: texts in UTF-8, times in UTC. */
static weir_code set_session(wal_stream *stream, weir_error *err) {
    char sql[200];
    snprintf(sql, sizeof sql, "SET client_encoding = '%s'; SET datestyle = 'ISO'; SET timezone = 'UTC'",
             pg_encoding(stream->pg));
    return pg_run(stream->pg, sql, err);
}

weir_code wal_stream_open(wal_stream **out, const char *url, const struct wal_stream_options *options,
                          weir_error *err) {
    struct pg_options how = {
        .application = options->application, .replication = true, .clock = options->clock};
    struct pg *pg;
    weir_code code = pg_open(&pg, url, &how, err);
    if (code != WEIR_OK)
        return not_allowed(code, err);
    wal_stream *stream = mem_alloc(sizeof *stream);
    stream->pg = pg;
    stream->binary = options->binary;
    snprintf(stream->slot, sizeof stream->slot, "%s", options->slot);
    snprintf(stream->publication, sizeof stream->publication, "%s", options->publication);
    code = set_session(stream, err);
    if (code != WEIR_OK) {
        wal_stream_close(stream);
        return not_allowed(code, err);
    }
    *out = stream;
    return WEIR_OK;
}

void wal_stream_close(wal_stream *stream) {
    if (!stream)
        return;
    PQfreemem(stream->copied);
    pg_close(stream->pg);
    mem_free(stream);
}

int wal_stream_socket(const wal_stream *stream) {
    return pg_socket(stream->pg);
}

static weir_code lost(wal_stream *stream, const PGresult *result, weir_error *err) {
    stream->pg->lost = true;
    return pg_fail(err, stream->pg->conn, result, stream->pg->url);
}

/* --- making the slot ------------------------------------------------------------------------------- */

weir_code wal_stream_create_begin(wal_stream *stream, weir_error *err) {
    char sql[200];
    snprintf(sql, sizeof sql, "CREATE_REPLICATION_SLOT \"%s\" LOGICAL pgoutput NOEXPORT_SNAPSHOT",
             stream->slot);
    return PQsendQuery(stream->pg->conn, sql) ? WEIR_OK : lost(stream, NULL, err);
}

static bool read_lsn(const char *text, uint64_t *out) {
    unsigned high, low;
    if (sscanf(text, "%X/%X", &high, &low) != 2)
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

static weir_code take_created(wal_stream *stream, const PGresult *result, uint64_t *lsn, weir_error *err) {
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return pg_fail(err, stream->pg->conn, result, stream->pg->url);
    if (PQnfields(result) < 2 || PQntuples(result) != 1 || !read_lsn(PQgetvalue(result, 0, 1), lsn))
        return weir_fail(err, WEIR_INTERNAL, "%s: CREATE_REPLICATION_SLOT gave no position", stream->pg->url);
    return WEIR_OK;
}

weir_code wal_stream_create_ended(wal_stream *stream, bool *made, uint64_t *lsn, weir_error *err) {
    *made = false;
    (void)PQflush(stream->pg->conn);
    if (!pg_absorb(stream->pg))
        return lost(stream, NULL, err);
    if (PQisBusy(stream->pg->conn))
        return WEIR_OK;
    PGresult *result = PQgetResult(stream->pg->conn);
    weir_code code = take_created(stream, result, lsn, err);
    PQclear(result);
    while ((result = PQgetResult(stream->pg->conn)))
        PQclear(result);
    *made = code == WEIR_OK;
    return code;
}

/* --- following ------------------------------------------------------------------------------------- */

weir_code wal_stream_start(wal_stream *stream, uint64_t lsn, weir_error *err) {
    char sql[400];
    PGresult *result;
    snprintf(sql, sizeof sql,
             "START_REPLICATION SLOT \"%s\" LOGICAL %X/%X (proto_version '1', publication_names '\"%s\"', "
             "binary '%s', messages 'true')",
             stream->slot, (unsigned)(lsn >> 32), (unsigned)lsn, stream->publication,
             stream->binary ? "true" : "false");
    WEIR_TRY(pg_simple(stream->pg, sql, &result, err));
    bool copying = PQresultStatus(result) == PGRES_COPY_BOTH;
    PQclear(result);
    if (!copying)
        return weir_fail(err, WEIR_INTERNAL, "%s: START_REPLICATION did not begin to copy", stream->pg->url);
    stream->told_ns = mono_ns(stream);
    return WEIR_OK;
}

/* The server ended the copy: its last words say why. */
static weir_code ended(wal_stream *stream, weir_error *err) {
    PGresult *result = PQgetResult(stream->pg->conn);
    weir_code code = lost(stream, result, err);
    PQclear(result);
    return code;
}

static weir_code unreadable(wal_stream *stream, weir_error *err) {
    stream->pg->lost = true;
    return weir_fail(err, WEIR_INTERNAL, "%s: the walsender sent something that cannot be read",
                     stream->pg->url);
}

static weir_code take_keepalive(wal_stream *stream, weir_text copied, struct wal_said *out, weir_error *err) {
    struct wal_bytes bytes = wal_bytes_of(copied);
    if (copied.size != KEEPALIVE_SIZE)
        return unreadable(stream, err);
    wal_bytes_number(&bytes, 1, "");
    out->kind = WAL_KEEPALIVE;
    out->lsn = wal_bytes_number(&bytes, 8, "");
    wal_bytes_number(&bytes, 8, "");
    stream->asked = stream->asked || wal_bytes_number(&bytes, 1, "");
    return WEIR_OK;
}

static weir_code take_copied(wal_stream *stream, weir_text copied, struct wal_said *out, weir_error *err) {
    if (copied.data[0] == 'k')
        return take_keepalive(stream, copied, out, err);
    if (copied.data[0] != 'w' || copied.size < DATA_HEAD)
        return unreadable(stream, err);
    out->kind = WAL_MESSAGE;
    out->message = (weir_text){copied.data + DATA_HEAD, copied.size - DATA_HEAD};
    return WEIR_OK;
}

weir_code wal_stream_next(wal_stream *stream, struct wal_said *out, weir_error *err) {
    *out = (struct wal_said){.kind = WAL_NOTHING};
    PQfreemem(stream->copied);
    stream->copied = NULL;
    int size = PQgetCopyData(stream->pg->conn, &stream->copied, 1);
    if (size == 0) {
        if (!pg_absorb(stream->pg))
            return lost(stream, NULL, err);
        size = PQgetCopyData(stream->pg->conn, &stream->copied, 1);
    }
    if (size < 0)
        return ended(stream, err);
    return size == 0 ? WEIR_OK : take_copied(stream, (weir_text){stream->copied, (size_t)size}, out, err);
}

/* --- speaking ---------------------------------------------------------------------------------------- */

static weir_code tell(wal_stream *stream, uint64_t lsn, weir_error *err) {
    unsigned char status[STATUS_SIZE] = {'r'};
    const weir_clock *clock = stream->pg->clock;
    wal_bytes_put(status + 1, lsn, 8);  /* written, */
    wal_bytes_put(status + 9, lsn, 8);  /* flushed, */
    wal_bytes_put(status + 17, lsn, 8); /* applied */
    wal_bytes_put(status + 25, (uint64_t)(clock->wall_ns(clock->self) / NS_PER_US - PG_EPOCH_US), 8);
    if (PQputCopyData(stream->pg->conn, (const char *)status, STATUS_SIZE) < 0 ||
        PQflush(stream->pg->conn) < 0)
        return lost(stream, NULL, err);
    stream->told_ns = mono_ns(stream);
    stream->asked = false;
    return WEIR_OK;
}

weir_code wal_stream_confirm(wal_stream *stream, uint64_t lsn, weir_error *err) {
    if (!stream->asked && mono_ns(stream) - stream->told_ns < NS_PER_S)
        return WEIR_OK;
    return tell(stream, lsn, err);
}

void wal_stream_farewell(wal_stream *stream, uint64_t lsn) {
    if (!stream->pg->lost && tell(stream, lsn, NULL) == WEIR_OK) {
        (void)PQputCopyEnd(stream->pg->conn, NULL);
        (void)PQflush(stream->pg->conn);
    }
}
