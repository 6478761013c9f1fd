/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: SQLite's errors in our words, statements, transactions. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

enum { SQLITE_BUSY_TIMEOUT_MS = 5000 };

/* Turns the last failure of db into an error: "what: SQLite's own sentence". Keeps its extended code as
 * detail. */
weir_code sqlite_fail(weir_error *err, sqlite3 *db, const char *what);

/* Runs one or several statements that give no rows. */
WEIR_MUST_CHECK weir_code sqlite_run(sqlite3 *db, const char *sql, const char *what, weir_error *err);
WEIR_MUST_CHECK weir_code sqlite_prepare(sqlite3_stmt **out, sqlite3 *db, const char *sql, const char *what,
                                         weir_error *err);
/* Steps a statement that gives no rows, and resets it. */
WEIR_MUST_CHECK weir_code sqlite_done(sqlite3_stmt *statement, const char *what, weir_error *err);
/* Steps a statement to its next row: *row is false at the end; the statement is reset then and after a
 * failure. */
WEIR_MUST_CHECK weir_code sqlite_next(sqlite3_stmt *statement, bool *row, const char *what, weir_error *err);

/* Binding; an absent text is NULL. Texts are borrowed until the next reset. */
void sqlite_bind_text(sqlite3_stmt *statement, int index, weir_text text);
void sqlite_bind_cstr(sqlite3_stmt *statement, int index, const char *text);
/* A column's text, valid until the next step; absent for NULL. */
weir_text sqlite_column(sqlite3_stmt *statement, int index);

/* A pragma's answer as text, copied into out ("" for none). */
WEIR_MUST_CHECK weir_code sqlite_pragma(sqlite3 *db, const char *pragma, char *out, size_t size,
                                        weir_error *err);
/* Waits for another writer, at most SQLITE_BUSY_TIMEOUT_MS, in short even naps. */
void sqlite_wait_busy(sqlite3 *db);
/* WAL, synchronous=FULL and sqlite_wait_busy for this connection, checked. */
WEIR_MUST_CHECK weir_code sqlite_durable(sqlite3 *db, weir_error *err);
/* COMMIT when code is OK, else ROLLBACK; gives back code, or the commit's failure. */
WEIR_MUST_CHECK weir_code sqlite_end(sqlite3 *db, weir_code code, const char *what, weir_error *err);

#endif
