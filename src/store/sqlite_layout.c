/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tables. Everything is IF NOT EXISTS inside one transaction, so two processes may do it at once
 * and it may be done at every start. A table of that name that somebody else made is found out and left
 * alone. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "store/sqlite.h"
#include "weir/outbox.h"

extern const char sql_sqlite_layout[];
extern const char sql_sqlite_insert[];

static weir_code check_ours(sqlite3 *db, weir_error *err) {
    sqlite3_stmt *statement;
    weir_code code = sqlite_prepare(&statement, db, sql_sqlite_insert,
                                    "the table outbox_events was there and is not as weir makes it", err);
    if (code != WEIR_OK)
        weir_hint(err, "rename that table, or use another database for the outbox");
    sqlite3_finalize(statement);
    return code;
}

weir_code weir_outbox_init_sqlite(sqlite3 *db, weir_error *err) {
    if (!sqlite3_get_autocommit(db)) {
        weir_fail(err, WEIR_INVALID, "the outbox cannot be created inside a transaction");
        weir_hint(err, "COMMIT first");
        return WEIR_INVALID;
    }
    WEIR_TRY(sqlite_durable(db, err));
    WEIR_TRY(sqlite_run(db, "BEGIN IMMEDIATE", "cannot create the outbox", err));
    weir_code code = sqlite_run(db, sql_sqlite_layout, "cannot create the outbox", err);
    if (code == WEIR_OK)
        code = check_ours(db, err);
    return sqlite_end(db, code, "cannot create the outbox", err);
}
