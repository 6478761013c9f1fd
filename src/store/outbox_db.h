/* SPDX-License-Identifier: Apache-2.0 */
/* An open SQLite outbox, as the files of this room see it. */
#ifndef STORE_OUTBOX_DB_H
#define STORE_OUTBOX_DB_H

#include "base/units.h"
#include "store/outbox.h"
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
    X(find)

enum outbox_statement {
#define X(name) STATEMENT_##name,
    OUTBOX_STATEMENTS(X)
#undef X
        STATEMENT_COUNT
};

struct outbox {
    char *url, *path;
    char uuid[37];
    const weir_clock *clock;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_stmt *data_version;
    int lease_fd;      /* -1: not ours */
    int64_t clean_pos; /* where the next step of cleaning looks */
    /* waking up (outbox_wait.c) */
    int wake_fd;    /* eventfd */
    int inotify_fd; /* -1: the system gives none, only the timer is left */
    int wal_watch;
    int64_t seen_version; /* PRAGMA data_version before the last claim */
};

/* A statement ready to bind; its earlier bindings are gone. */
WEIR_MUST_CHECK weir_code outbox_statement(outbox *outbox, enum outbox_statement which, sqlite3_stmt **out,
                                           weir_error *err);
WEIR_MUST_CHECK weir_code outbox_begin(outbox *outbox,
                                       weir_error *err); /* BEGIN IMMEDIATE; end with sqlite_end */

void outbox_watch_open(outbox *outbox);
void outbox_watch_close(outbox *outbox);
/* Remembers what is committed now: the next wait returns when more is. Called before every claim. */
void outbox_watch_look(outbox *outbox);

/* "2025-11-14T12:00:00.123456Z" of microseconds. */
const char *outbox_time(int64_t us, char buffer[UNITS_TEXT_MAX]);
/* Microseconds of created_at as people write it: RFC 3339, or SQLite's own "2025-11-14 12:00:00" as UTC; 0
 * when it is neither. */
int64_t outbox_created_us(weir_text text);

#endif
