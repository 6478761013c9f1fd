/* SPDX-License-Identifier: Apache-2.0 */
/* An open SQLite outbox, as the files of this room see it. */
#ifndef STORE_SQLITE_OUTBOX_H
#define STORE_SQLITE_OUTBOX_H

#include "base/units.h"
#include "store/outbox_ops.h"
#include "store/sqlite.h"

/* The statements of an outbox, each from sql/sqlite/<name>.sql, prepared when first used. */
#define OUTBOX_STATEMENTS(X) \
    X(claim)                 \
    X(claim_except)          \
    X(claim_only)            \
    X(mark)                  \
    X(unsent)                \
    X(stream_set)            \
    X(stream_get)            \
    X(stream_names)          \
    X(park)                  \
    X(unpark)                \
    X(drop)                  \
    X(span)                  \
    X(pending)               \
    X(counts)                \
    X(sent)                  \
    X(unsend)                \
    X(clean_look)            \
    X(clean)                 \
    X(view)                  \
    X(find)                  \
    X(lookup)

enum outbox_statement {
#define X(name) STATEMENT_##name,
    OUTBOX_STATEMENTS(X)
#undef X
        STATEMENT_COUNT
};

typedef struct sqlite_outbox {
    struct outbox base;
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_stmt *data_version;
    arena *found;      /* texts of the row found last; NULL: none yet */
    int lease_fd;      /* -1: not ours */
    int64_t clean_pos; /* where the next step of cleaning looks */
    /* waking up (sqlite_wait.c) */
    int inotify_fd; /* -1: the system gives none, only the timer is left */
    int wal_watch;
    int64_t seen_version; /* PRAGMA data_version before the last claim */
} sqlite_outbox;

/* A statement ready to bind; its earlier bindings are gone. */
WEIR_MUST_CHECK weir_code sqlite_outbox_statement(sqlite_outbox *outbox, enum outbox_statement which,
                                                  sqlite3_stmt **out, weir_error *err);
WEIR_MUST_CHECK weir_code sqlite_outbox_begin(sqlite_outbox *outbox,
                                              weir_error *err); /* BEGIN IMMEDIATE; end with sqlite_end */

void sqlite_outbox_watch_open(sqlite_outbox *outbox);
void sqlite_outbox_watch_close(sqlite_outbox *outbox);
/* Remembers what is committed now: the next wait returns when more is. Called before every claim. */
void sqlite_outbox_watch_look(sqlite_outbox *outbox);

/* "2025-11-14T12:00:00.123456Z" of microseconds. */
const char *outbox_time(int64_t us, char buffer[UNITS_TEXT_MAX]);
/* Microseconds of created_at as people write it: RFC 3339, or SQLite's own "2025-11-14 12:00:00" as UTC; 0
 * when it is neither. */
int64_t outbox_created_us(weir_text text);

/* The backend's functions (outbox_ops.h). */
void sqlite_outbox_close(outbox *outbox);
weir_code sqlite_outbox_lease(outbox *outbox, weir_error *err);
weir_code sqlite_outbox_stream_load(outbox *outbox, const char *stream, struct outbox_stream *out,
                                    weir_error *err);
weir_code sqlite_outbox_streams(outbox *outbox, arena *arena, const char ***names, size_t *count,
                                weir_error *err);
weir_code sqlite_outbox_claim(outbox *outbox, const struct outbox_wanted *wanted, arena *arena,
                              struct outbox_row **rows, size_t *count, weir_error *err);
weir_code sqlite_outbox_settle(outbox *outbox, const struct outbox_settlement *settlement, weir_error *err);
weir_code sqlite_outbox_park(outbox *outbox, const struct outbox_parking *rows, size_t count, int64_t now_us,
                             weir_error *err);
weir_code sqlite_outbox_span(outbox *outbox, struct outbox_span *out, weir_error *err);
weir_code sqlite_outbox_pending(outbox *outbox, struct outbox_pending *out, weir_error *err);
weir_code sqlite_outbox_sent(outbox *outbox, const char *stream, int64_t before_pos, size_t limit,
                             arena *arena, struct outbox_sent **rows, size_t *count, weir_error *err);
weir_code sqlite_outbox_unsend(outbox *outbox, const int64_t *positions, size_t count, weir_error *err);
weir_code sqlite_outbox_clean(outbox *outbox, int64_t before_us, size_t limit, size_t *count, bool *more,
                              weir_error *err);
weir_code sqlite_outbox_unpark(outbox *outbox, int64_t pos, size_t *count, weir_error *err);
weir_code sqlite_outbox_drop(outbox *outbox, int64_t pos, const char *why, int64_t now_us, weir_error *err);
weir_code sqlite_outbox_counts(outbox *outbox, struct outbox_counts *out, weir_error *err);
weir_code sqlite_outbox_each(outbox *outbox, int state, int64_t after_pos, size_t limit,
                             bool (*visit)(void *arg, const struct outbox_view *row), void *arg,
                             weir_error *err);
weir_code sqlite_outbox_find(outbox *outbox, const char *pos_or_id, struct outbox_view *out, weir_error *err);
weir_code sqlite_outbox_lookup(outbox *outbox, const weir_text *ids, size_t count, arena *arena,
                               struct outbox_known *out, weir_error *err);
weir_code sqlite_outbox_health(outbox *outbox, arena *arena, struct outbox_health *out, weir_error *err);
bool sqlite_outbox_wait(outbox *outbox, int64_t timeout_ms);

#endif
