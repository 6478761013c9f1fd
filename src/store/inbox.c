/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox. The claim of an id is the first write of the handler's transaction, so the effects and the
 * memory of having caused them are committed together. An id is looked at before the floor, so that foreign
 * content under a known id is told even when the floor has passed it. */
#include "store/inbox.h"

#include <string.h>

#include "base/fail.h"
#include "base/ids.h"
#include "base/memory.h"
#include "store/sqlite.h"

enum { FORGET_STEP = 500 };

#define INBOX_STATEMENTS(X) \
    X(insert)               \
    X(known)                \
    X(floor_get)            \
    X(floor_set)            \
    X(forget)

enum inbox_statement {
#define X(name) INBOX_##name,
    INBOX_STATEMENTS(X)
#undef X
        INBOX_STATEMENT_COUNT
};

#define X(name) extern const char sql_sqlite_inbox_##name[];
INBOX_STATEMENTS(X)
#undef X

static const char *const statement_texts[] = {
#define X(name) [INBOX_##name] = sql_sqlite_inbox_##name,
    INBOX_STATEMENTS(X)
#undef X
};

struct inbox {
    sqlite3 *db;
    sqlite3_stmt *statements[INBOX_STATEMENT_COUNT];
    bool open; /* a transaction of ours */
};

static sqlite3_stmt *ready(inbox *inbox, enum inbox_statement which) {
    sqlite3_reset(inbox->statements[which]);
    sqlite3_clear_bindings(inbox->statements[which]);
    return inbox->statements[which];
}

weir_code inbox_open_sqlite(inbox **out, sqlite3 *db, weir_error *err) {
    inbox *opened = mem_alloc(sizeof *opened);
    opened->db = db;
    weir_code code = sqlite3_get_autocommit(db)
                         ? sqlite_durable(db, err)
                         : weir_fail(err, WEIR_INVALID, "the inbox cannot be opened inside a transaction");
    for (int i = 0; i < INBOX_STATEMENT_COUNT && code == WEIR_OK; i++) {
        code =
            sqlite_prepare(&opened->statements[i], db, statement_texts[i], "the database has no inbox", err);
        if (code != WEIR_OK)
            weir_hint(err, "create it with weir_outbox_init_sqlite or: weir outbox init sqlite:PATH");
    }
    if (code != WEIR_OK) {
        inbox_close(opened);
        return code;
    }
    *out = opened;
    return WEIR_OK;
}

void inbox_close(inbox *inbox) {
    if (!inbox)
        return;
    inbox_rollback(inbox);
    for (int i = 0; i < INBOX_STATEMENT_COUNT; i++)
        sqlite3_finalize(inbox->statements[i]);
    mem_free(inbox);
}

sqlite3 *inbox_db(inbox *inbox) {
    return inbox->db;
}

/* --- beginning --------------------------------------------------------------------------------- */

static weir_code ask_id(inbox *inbox, const struct inbox_entry *entry, const uint8_t hash[SHA256_SIZE],
                        bool *found, enum inbox_answer *answer, weir_error *err) {
    sqlite3_stmt *known = ready(inbox, INBOX_known);
    sqlite_bind_cstr(known, 1, entry->group);
    sqlite_bind_text(known, 2, entry->id);
    WEIR_TRY(sqlite_next(known, found, "inbox", err));
    if (*found) {
        const void *stored = sqlite3_column_blob(known, 0);
        bool same = sqlite3_column_bytes(known, 0) == SHA256_SIZE && memcmp(stored, hash, SHA256_SIZE) == 0;
        *answer = same ? INBOX_KNOWN : INBOX_CONFLICT;
    }
    sqlite3_reset(known);
    return WEIR_OK;
}

static weir_code ask_floor(inbox *inbox, const struct inbox_entry *entry, bool *passed, weir_error *err) {
    sqlite3_stmt *floor = ready(inbox, INBOX_floor_get);
    sqlite_bind_cstr(floor, 1, entry->group);
    sqlite_bind_text(floor, 2, entry->stream);
    sqlite_bind_cstr(floor, 3, entry->created);
    bool row;
    WEIR_TRY(sqlite_next(floor, &row, "inbox", err));
    *passed = row && entry->sequence <= (uint64_t)sqlite3_column_int64(floor, 0);
    sqlite3_reset(floor);
    return WEIR_OK;
}

static weir_code remember(inbox *inbox, const struct inbox_entry *entry, const uint8_t hash[SHA256_SIZE],
                          weir_error *err) {
    sqlite3_stmt *insert = ready(inbox, INBOX_insert);
    sqlite_bind_cstr(insert, 1, entry->group);
    sqlite_bind_text(insert, 2, entry->id);
    sqlite_bind_text(insert, 3, entry->stream);
    sqlite_bind_cstr(insert, 4, entry->created);
    sqlite3_bind_int64(insert, 5, (int64_t)entry->sequence);
    sqlite_bind_text(insert, 6, entry->type);
    sqlite3_bind_blob(insert, 7, hash, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 8, entry->stored_us);
    sqlite3_bind_int64(insert, 9, entry->now_us);
    return sqlite_done(insert, "inbox", err);
}

static weir_code decide(inbox *inbox, const struct inbox_entry *entry, enum inbox_answer *answer,
                        weir_error *err) {
    uint8_t hash[SHA256_SIZE];
    bool found, passed = false;
    sha256(hash, entry->wire.data, entry->wire.size);
    WEIR_TRY(ask_id(inbox, entry, hash, &found, answer, err));
    if (found)
        return WEIR_OK;
    if (!entry->forced)
        WEIR_TRY(ask_floor(inbox, entry, &passed, err));
    *answer = passed ? INBOX_KNOWN : INBOX_NEW;
    return passed ? WEIR_OK : remember(inbox, entry, hash, err);
}

weir_code inbox_begin(inbox *inbox, const struct inbox_entry *entry, enum inbox_answer *answer,
                      weir_error *err) {
    WEIR_ASSERT(!inbox->open);
    WEIR_TRY(sqlite_run(inbox->db, "BEGIN IMMEDIATE", "inbox", err));
    inbox->open = true;
    weir_code code = decide(inbox, entry, answer, err);
    if (code != WEIR_OK || *answer != INBOX_NEW)
        inbox_rollback(inbox);
    return code;
}

/* --- ending ------------------------------------------------------------------------------------ */

weir_code inbox_commit(inbox *inbox, weir_error *err) {
    WEIR_ASSERT(inbox->open);
    inbox->open = false;
    if (sqlite3_get_autocommit(inbox->db)) {
        weir_fail(err, WEIR_INVALID, "the handler ended the inbox's transaction itself");
        weir_hint(err, "leave COMMIT and ROLLBACK to the member: return WEIR_DONE or WEIR_RETRY");
        return WEIR_INVALID;
    }
    return sqlite_end(inbox->db, WEIR_OK, "inbox", err);
}

void inbox_rollback(inbox *inbox) {
    if (inbox->open && !sqlite3_get_autocommit(inbox->db))
        sqlite3_exec(inbox->db, "ROLLBACK", NULL, NULL, NULL);
    inbox->open = false;
}

static weir_code advance_inside(inbox *inbox, const char *group, weir_text stream, const char *created,
                                uint64_t floor, int64_t forget_before_us, weir_error *err) {
    sqlite3_stmt *set = ready(inbox, INBOX_floor_set);
    sqlite_bind_cstr(set, 1, group);
    sqlite_bind_text(set, 2, stream);
    sqlite_bind_cstr(set, 3, created);
    sqlite3_bind_int64(set, 4, (int64_t)floor);
    WEIR_TRY(sqlite_done(set, "inbox", err));
    sqlite3_stmt *forget = ready(inbox, INBOX_forget);
    sqlite3_bind_int64(forget, 1, forget_before_us);
    sqlite3_bind_int(forget, 2, FORGET_STEP);
    return sqlite_done(forget, "inbox", err);
}

weir_code inbox_advance(inbox *inbox, const char *group, weir_text stream, const char *created,
                        uint64_t floor, int64_t forget_before_us, weir_error *err) {
    WEIR_ASSERT(!inbox->open);
    WEIR_TRY(sqlite_run(inbox->db, "BEGIN IMMEDIATE", "inbox", err));
    return sqlite_end(inbox->db, advance_inside(inbox, group, stream, created, floor, forget_before_us, err),
                      "inbox", err);
}
