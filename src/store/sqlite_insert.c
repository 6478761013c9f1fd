/* SPDX-License-Identifier: Apache-2.0 */
/* The writing side: one row, in the caller's transaction. The statement is made and finalised in the call:
 * some microseconds, against the commit's sync of more than a hundred; and the caller's handle closes as it
 * expects. */
#include "base/fail.h"
#include "base/text.h"
#include "store/sqlite_outbox.h"

extern const char sql_sqlite_insert[];

static void bind_draft(sqlite3_stmt *statement, const weir_draft *draft) {
    const weir_text texts[] = {draft->id,    draft->type,           draft->key,    draft->tenant,
                               draft->actor, draft->actor_kind,     draft->source, draft->trace,
                               draft->span,  draft->idempotency_key};
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        sqlite_bind_text(statement, i + 1, texts[i]);
    if (draft->version > 0)
        sqlite3_bind_int(statement, 11, draft->version);
    sqlite_bind_text(statement, 12, draft->time);
    sqlite_bind_text(statement, 14, draft->payload);
}

static weir_code insert_failed(sqlite3 *db, const weir_draft *draft, weir_error *err) {
    if (sqlite3_extended_errcode(db) != SQLITE_CONSTRAINT_UNIQUE)
        return sqlite_fail(err, db, "cannot write to the outbox");
    return weir_fail(err, WEIR_CONFLICT, "event id '%.*s' is in the outbox already", TEXT_ARG(draft->id));
}

weir_code outbox_insert_sqlite(sqlite3 *db, const weir_draft *draft, int64_t created_us, weir_error *err) {
    sqlite3_stmt *statement;
    char created[UNITS_TEXT_MAX];
    weir_code code = sqlite_prepare(&statement, db, sql_sqlite_insert, "cannot write to the outbox", err);
    if (code != WEIR_OK) {
        weir_hint(err, "create the outbox with weir_outbox_init_sqlite or: weir outbox init sqlite:PATH");
        return code;
    }
    bind_draft(statement, draft);
    sqlite_bind_cstr(statement, 13, outbox_time(created_us, created));
    if (sqlite3_step(statement) != SQLITE_DONE)
        code = insert_failed(db, draft, err);
    sqlite3_finalize(statement);
    return code;
}
