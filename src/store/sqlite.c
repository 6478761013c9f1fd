/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite says what went wrong in two numbers and a sentence. The numbers decide our code: what another moment
 * may mend (busy, full, I/O) is retriable, what the caller must mend is not. The sentence is kept as it is. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"

static weir_code code_of(int rc) {
    switch (rc) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_PROTOCOL:
        return WEIR_UNAVAILABLE;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return WEIR_IO;
    case SQLITE_CONSTRAINT:
        return WEIR_CONFLICT;
    case SQLITE_TOOBIG:
        return WEIR_LIMIT;
    case SQLITE_INTERRUPT:
        return WEIR_STOPPED;
    case SQLITE_MISUSE:
    case SQLITE_INTERNAL:
    case SQLITE_RANGE:
        return WEIR_INTERNAL;
    default: /* no such table, not a database, malformed */
        return WEIR_INVALID;
    }
}

weir_code sqlite_fail(weir_error *err, sqlite3 *db, const char *what) {
    int extended = sqlite3_extended_errcode(db);
    weir_code code = weir_fail(err, code_of(extended & 0xff), "%s: %s", what, sqlite3_errmsg(db));
    if (err) {
        err->detail = extended;
        err->retriable = err->retriable || (extended & 0xff) == SQLITE_IOERR;
    }
    if ((extended & 0xff) == SQLITE_FULL)
        weir_hint(err, "make room on the disk; nothing was lost");
    return code;
}

weir_code sqlite_run(sqlite3 *db, const char *sql, const char *what, weir_error *err) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? WEIR_OK : sqlite_fail(err, db, what);
}

weir_code sqlite_prepare(sqlite3_stmt **out, sqlite3 *db, const char *sql, const char *what,
                         weir_error *err) {
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? WEIR_OK : sqlite_fail(err, db, what);
}

weir_code sqlite_next(sqlite3_stmt *statement, bool *row, const char *what, weir_error *err) {
    int rc = sqlite3_step(statement);
    *row = rc == SQLITE_ROW;
    if (*row)
        return WEIR_OK;
    weir_code code = rc == SQLITE_DONE ? WEIR_OK : sqlite_fail(err, sqlite3_db_handle(statement), what);
    sqlite3_reset(statement);
    return code;
}

weir_code sqlite_done(sqlite3_stmt *statement, const char *what, weir_error *err) {
    bool row;
    weir_code code = sqlite_next(statement, &row, what, err);
    if (code == WEIR_OK && row)
        sqlite3_reset(statement);
    return code;
}

void sqlite_bind_text(sqlite3_stmt *statement, int index, weir_text text) {
    if (text.data)
        sqlite3_bind_text64(statement, index, text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(statement, index);
}

void sqlite_bind_cstr(sqlite3_stmt *statement, int index, const char *text) {
    sqlite_bind_text(statement, index, weir_text_of(text));
}

weir_text sqlite_column(sqlite3_stmt *statement, int index) {
    const char *data = (const char *)sqlite3_column_text(statement, index);
    return (weir_text){data, data ? (size_t)sqlite3_column_bytes(statement, index) : 0};
}

weir_code sqlite_pragma(sqlite3 *db, const char *pragma, char *out, size_t size, weir_error *err) {
    sqlite3_stmt *statement;
    WEIR_TRY(sqlite_prepare(&statement, db, pragma, pragma, err));
    bool row;
    out[0] = 0;
    weir_code code = sqlite_next(statement, &row, pragma, err);
    if (code == WEIR_OK && row) {
        weir_text text = sqlite_column(statement, 0);
        snprintf(out, size, "%.*s", (int)text.size, text.data ? text.data : "");
    }
    sqlite3_finalize(statement);
    return code;
}

/* A writer holds the database for the time of one fsync, so the wait is short and even: SQLite's own handler
 * soon sleeps for 25 to 100 ms, and a relay beside a busy service would stand still most of the time. */
static int wait_for_writer(void *arg, int count) {
    (void)arg;
    enum { QUICK = 20, QUICK_US = 250, SHORT = 100, SHORT_US = 1000, LONG_US = 5000 };
    int64_t slept_us =
        count < QUICK   ? count * QUICK_US
        : count < SHORT ? QUICK * QUICK_US + (count - QUICK) * SHORT_US
                        : QUICK * QUICK_US + (SHORT - QUICK) * SHORT_US + (int64_t)(count - SHORT) * LONG_US;
    if (slept_us >= SQLITE_BUSY_TIMEOUT_MS * 1000LL)
        return 0;
    int64_t nap_us = count < QUICK ? QUICK_US : count < SHORT ? SHORT_US : LONG_US;
    nanosleep(&(struct timespec){.tv_nsec = nap_us * 1000}, NULL);
    return 1;
}

void sqlite_wait_busy(sqlite3 *db) {
    sqlite3_busy_handler(db, wait_for_writer, NULL);
}

weir_code sqlite_durable(sqlite3 *db, weir_error *err) {
    char answer[32];
    sqlite_wait_busy(db);
    WEIR_TRY(sqlite_pragma(db, "PRAGMA journal_mode = WAL", answer, sizeof answer, err));
    if (strcmp(answer, "wal") != 0) {
        weir_fail(err, WEIR_UNSUPPORTED, "the database keeps journal_mode %s, the outbox needs wal", answer);
        weir_hint(err, "use a database file on a local disk");
        return WEIR_UNSUPPORTED;
    }
    WEIR_TRY(sqlite_run(db, "PRAGMA synchronous = FULL", "PRAGMA synchronous", err));
    WEIR_TRY(sqlite_pragma(db, "PRAGMA synchronous", answer, sizeof answer, err));
    if (strcmp(answer, "2") != 0)
        return weir_fail(err, WEIR_UNSUPPORTED,
                         "the database keeps synchronous %s, the outbox needs FULL (2)", answer);
    return WEIR_OK;
}

weir_code sqlite_end(sqlite3 *db, weir_code code, const char *what, weir_error *err) {
    if (code == WEIR_OK)
        code = sqlite_run(db, "COMMIT", what, err);
    if (code != WEIR_OK && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}
