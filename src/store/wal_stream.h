/* SPDX-License-Identifier: Apache-2.0 */
/* The replication connection: a walsender of the server that reads our slot and says what was committed. Nothing here waits,
 * but for opening the connection and for the answer to START_REPLICATION. */
#ifndef STORE_WAL_STREAM_H
#define STORE_WAL_STREAM_H

#include "store/pg.h"

typedef struct wal_stream wal_stream;

struct wal_stream_options {
    const char *slot;
    const char *application; /* tells our walsender from others' */
    const char *publication;
    bool binary; /* values in binary form; false: as text */
    const weir_clock *clock;
};

/* Connects. DENIED with the remedy when the user may not replicate. The options' texts are borrowed for the call. */
WEIR_MUST_CHECK weir_code wal_stream_open(wal_stream **out, const char *url,
                                          const struct wal_stream_options *options, weir_error *err);
void wal_stream_close(wal_stream *stream); /* NULL is fine; the slot stays */
int wal_stream_socket(const wal_stream *stream);

/* Making the slot waits for every transaction that is open: so it is begun, and asked for. *made tells. */
WEIR_MUST_CHECK weir_code wal_stream_create_begin(wal_stream *stream, weir_error *err);
WEIR_MUST_CHECK weir_code wal_stream_create_ended(wal_stream *stream, bool *made, uint64_t *lsn,
                                                  weir_error *err);

/* Begins to follow. The server goes on from `lsn`, or from where the slot stands if that is later. */
WEIR_MUST_CHECK weir_code wal_stream_start(wal_stream *stream, uint64_t lsn, weir_error *err);

struct wal_said {
    enum { WAL_NOTHING, WAL_MESSAGE, WAL_KEEPALIVE } kind; /* NOTHING: no more has come yet */
    weir_text message;                                     /* of pgoutput; lives until the next call */
    uint64_t lsn;                                          /* KEEPALIVE: everything up to here was said */
};
/* The next thing the server said. Fails when the connection or the slot is lost. */
WEIR_MUST_CHECK weir_code wal_stream_next(wal_stream *stream, struct wal_said *out, weir_error *err);

/* The log up to `lsn` may go. The server hears of it once a second, and when it asks; also when nothing changed, so that it
 * knows us to be alive. */
WEIR_MUST_CHECK weir_code wal_stream_confirm(wal_stream *stream, uint64_t lsn, weir_error *err);
/* The same at once, before closing. */
void wal_stream_farewell(wal_stream *stream, uint64_t lsn);

#endif
