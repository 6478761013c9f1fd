/* SPDX-License-Identifier: Apache-2.0 */
/* The transactional outbox: events written in the same transaction as your data, brought to their streams by
 * the relay (weir/relay.h), exactly once and in commit order. */
#ifndef WEIR_OUTBOX_H
#define WEIR_OUTBOX_H

#include "weir/catalog.h"
#include "weir/clock.h"
#include "weir/event.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;
struct pg_conn; /* libpq's PGconn */

/* Creates the tables outbox_events, outbox_streams, outbox_meta, inbox and inbox_floor, their indexes and
 * triggers where missing, sets journal_mode=WAL and synchronous=FULL, and a busy timeout. Safe to run again;
 * upgrades older layouts. Must not run inside a transaction. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_outbox_init_sqlite(struct sqlite3 *db, weir_error *err);

/* Inserts one event into the outbox inside the caller's open transaction, after validating it against the
 * catalog. The id is generated when absent and copied to id_out (may be NULL; WEIR_ID_SIZE bytes). Same
 * idempotent id twice: CONFLICT, and the transaction stays open. The caller commits; outside a transaction
 * the row is one of its own. */
enum { WEIR_ID_SIZE = 257 };
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_emit_sqlite(struct sqlite3 *db, const weir_catalog *catalog,
                                                       const weir_draft *draft, char id_out[WEIR_ID_SIZE],
                                                       weir_error *err);

/* The same in PostgreSQL (15 or newer): the tables in the first schema of the search_path, the functions weir_emit and
 * weir_emit_message for writing from SQL, a publication, and the group roles weir_outbox_writer and weir_outbox_relay where
 * the connection's user may create roles. `weir outbox init` does the same and can take over a table that is there. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_outbox_init_pg(struct pg_conn *connection, weir_error *err);

/* As weir_emit_sqlite. Everything that weir can refuse is refused before the database is asked, and a known id inserts
 * nothing: after both, INVALID and CONFLICT, the transaction goes on. If the INSERT itself fails (no table, no right, a lock
 * that timed out), PostgreSQL has aborted the transaction, as after any statement; there is no savepoint around it, which
 * would cost each event two round trips. The time of an event is kept in microseconds. client_encoding must be UTF8, and the
 * connection not in pipeline mode. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_emit_pg(struct pg_conn *connection, const weir_catalog *catalog,
                                                   const weir_draft *draft, char id_out[WEIR_ID_SIZE],
                                                   weir_error *err);

#ifdef __cplusplus
}
#endif
#endif
