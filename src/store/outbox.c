/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an outbox: the url, the file, the tables, the lease. The lease is a flock on PATH.relay-lock: the
 * kernel gives it back when its holder dies, however it dies; the pid inside is only for people. */
#include "store/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/text.h"
#include "store/outbox_db.h"
#include "weir/outbox.h"

#define X(name) extern const char sql_sqlite_##name[];
OUTBOX_STATEMENTS(X)
#undef X

static const char *const statement_texts[STATEMENT_COUNT] = {
#define X(name) [STATEMENT_##name] = sql_sqlite_##name,
    OUTBOX_STATEMENTS(X)
#undef X
};

weir_code outbox_statement(outbox *outbox, enum outbox_statement which, sqlite3_stmt **out, weir_error *err) {
    if (!outbox->statements[which])
        WEIR_TRY(
            sqlite_prepare(&outbox->statements[which], outbox->db, statement_texts[which], outbox->url, err));
    *out = outbox->statements[which];
    sqlite3_reset(*out);
    sqlite3_clear_bindings(*out);
    return WEIR_OK;
}

weir_code outbox_begin(outbox *outbox, weir_error *err) {
    return sqlite_run(outbox->db, "BEGIN IMMEDIATE", outbox->url, err);
}

/* --- the url ----------------------------------------------------------------------------------- */

static weir_code url_refused(const char *url, weir_error *err) {
    weir_text text = weir_text_of(url);
    weir_code code;
    if (text_starts(text, "postgres://") || text_starts(text, "postgresql://"))
        code = weir_fail(err, WEIR_UNSUPPORTED, "this weir has no PostgreSQL outbox yet, only sqlite:PATH");
    else
        code = weir_fail(err, WEIR_INVALID, "'%s' is not the url of an outbox", url);
    weir_hint(err, "write sqlite:PATH, for example sqlite:shop.db or sqlite:///var/lib/shop/shop.db");
    return code;
}

static weir_code url_path(const char **path, const char *url, weir_error *err) {
    if (!url || strncmp(url, "sqlite:", 7) != 0)
        return url_refused(url ? url : "", err);
    *path = url + 7;
    if (strncmp(*path, "//", 2) == 0) {
        *path += 2;
        if (**path != '/')
            return url_refused(url, err);
    }
    return **path ? WEIR_OK : url_refused(url, err);
}

/* --- opening ----------------------------------------------------------------------------------- */

static weir_code file_must_exist(const char *url, const char *path, weir_error *err) {
    struct stat info;
    if (stat(path, &info) == 0)
        return WEIR_OK;
    weir_code code = weir_fail(err, errno == ENOENT ? WEIR_NOT_FOUND : WEIR_IO, "%s: %s", url,
                               errno == ENOENT ? "there is no such file" : strerror(errno));
    if (code == WEIR_NOT_FOUND)
        weir_hint(err, "create it with: weir outbox init %s", url);
    return code;
}

static weir_code connect_db(sqlite3 **db, const char *url, const char *path, int flags, weir_error *err) {
    int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        return WEIR_OK;
    weir_code code = sqlite_fail(err, *db, url);
    sqlite3_close(*db);
    *db = NULL;
    return code;
}

static weir_code no_outbox(outbox *outbox, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s has no outbox in it", outbox->url);
    weir_hint(err, "create its tables with: weir outbox init %s", outbox->url);
    return WEIR_INVALID;
}

static weir_code read_meta(outbox *outbox, weir_error *err) {
    enum { LAYOUT = 1 };
    sqlite3_stmt *statement;
    weir_code code =
        sqlite_prepare(&statement, outbox->db, "SELECT uuid, layout FROM outbox_meta", outbox->url, err);
    if (code == WEIR_INVALID && strstr(sqlite3_errmsg(outbox->db), "no such table"))
        return no_outbox(outbox, err);
    WEIR_TRY(code);
    bool row;
    code = sqlite_next(statement, &row, outbox->url, err);
    int layout = 0;
    if (code == WEIR_OK && row) {
        snprintf(outbox->uuid, sizeof outbox->uuid, "%s", (const char *)sqlite3_column_text(statement, 0));
        layout = sqlite3_column_int(statement, 1);
    }
    sqlite3_finalize(statement);
    if (code == WEIR_OK && !row)
        return no_outbox(outbox, err);
    if (code == WEIR_OK && layout > LAYOUT) {
        code = weir_fail(err, WEIR_UNSUPPORTED, "%s has outbox layout %d, this weir knows %d", outbox->url,
                         layout, LAYOUT);
        weir_hint(err, "it was made by a newer weir: use that one");
    }
    return code;
}

/* Every statement is prepared once here, so that a table that is not ours is told apart now and not at work. */
static weir_code prepare_all(outbox *outbox, weir_error *err) {
    sqlite3_stmt *statement;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (outbox_statement(outbox, i, &statement, err) != WEIR_OK) {
            weir_hint(err, "the table is not as weir makes it: rename it and run weir outbox init %s",
                      outbox->url);
            return err ? err->code : WEIR_INVALID;
        }
    return sqlite_prepare(&outbox->data_version, outbox->db, "PRAGMA data_version", outbox->url, err);
}

static weir_code open_all(outbox *outbox, weir_error *err) {
    WEIR_TRY(file_must_exist(outbox->url, outbox->path, err));
    WEIR_TRY(connect_db(&outbox->db, outbox->url, outbox->path, SQLITE_OPEN_READWRITE, err));
    sqlite_wait_busy(outbox->db);
    WEIR_TRY(read_meta(outbox, err));
    WEIR_TRY(sqlite_durable(outbox->db, err));
    WEIR_TRY(prepare_all(outbox, err));
    outbox_watch_open(outbox);
    return WEIR_OK;
}

weir_code outbox_open(outbox **out, const char *url, const weir_clock *clock, weir_error *err) {
    const char *path;
    WEIR_TRY(url_path(&path, url, err));
    outbox *opened = mem_alloc(sizeof *opened);
    *opened = (outbox){.url = mem_strdup(url),
                       .path = mem_strdup(path),
                       .clock = clock ? clock : weir_clock_system(),
                       .lease_fd = -1,
                       .wake_fd = -1,
                       .inotify_fd = -1,
                       .wal_watch = -1,
                       .seen_version = -1};
    weir_code code = open_all(opened, err);
    if (code != WEIR_OK) {
        outbox_close(opened);
        return code;
    }
    *out = opened;
    return WEIR_OK;
}

weir_code outbox_init(const char *url, weir_error *err) {
    const char *path;
    sqlite3 *db;
    WEIR_TRY(url_path(&path, url, err));
    WEIR_TRY(connect_db(&db, url, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    weir_code code = weir_outbox_init_sqlite(db, err);
    if (code != WEIR_OK)
        weir_prefix(err, "%s", url);
    sqlite3_close(db);
    return code;
}

void outbox_close(outbox *outbox) {
    if (!outbox)
        return;
    outbox_watch_close(outbox);
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(outbox->statements[i]);
    sqlite3_finalize(outbox->data_version);
    sqlite3_close(outbox->db);
    if (outbox->lease_fd >= 0)
        close(outbox->lease_fd);
    mem_free(outbox->url);
    mem_free(outbox->path);
    mem_free(outbox);
}

const char *outbox_url(const outbox *outbox) {
    return outbox->url;
}

const char *outbox_uuid(const outbox *outbox) {
    return outbox->uuid;
}

/* --- the lease --------------------------------------------------------------------------------- */

static int lease_file(outbox *outbox, weir_error *err) {
    buffer path;
    buffer_init(&path, 1 << 16);
    buffer_printf(&path, "%s.relay-lock", outbox->path);
    int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        weir_fail(err, WEIR_IO, "%s: cannot open %s: %s", outbox->url, path.data, strerror(errno));
    buffer_release(&path);
    return fd;
}

static int lease_holder(int fd) {
    char text[24] = "";
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    return size > 0 ? (int)strtol(text, NULL, 10) : 0;
}

static weir_code lease_taken(outbox *outbox, int fd, weir_error *err) {
    int pid = lease_holder(fd);
    weir_fail(err, WEIR_CONFLICT, "another relay works on %s", outbox->url);
    if (pid > 0)
        weir_hint(err, "process %d holds %s.relay-lock", pid, outbox->path);
    return WEIR_CONFLICT;
}

/* `weir outbox check` holds the lock for an instant to see whether it is free: ask more than once. */
static bool lease_lock(int fd) {
    for (int tries = 0; tries < 5; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        usleep(2000);
    }
    return false;
}

weir_code outbox_lease(outbox *outbox, weir_error *err) {
    if (outbox->lease_fd >= 0)
        return WEIR_OK;
    int fd = lease_file(outbox, err);
    if (fd < 0)
        return WEIR_IO;
    if (!lease_lock(fd)) {
        weir_code code = lease_taken(outbox, fd, err);
        close(fd);
        return code;
    }
    char pid[24];
    int size = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)size, 0) != size) {
        weir_fail(err, WEIR_IO, "%s: cannot write its pid into %s.relay-lock: %s", outbox->url, outbox->path,
                  strerror(errno));
        close(fd);
        return WEIR_IO;
    }
    outbox->lease_fd = fd;
    return WEIR_OK;
}

static void health_lease(outbox *outbox, struct outbox_health *out) {
    int fd = outbox->lease_fd >= 0 ? -1 : lease_file(outbox, NULL);
    if (fd < 0)
        return;
    out->relay_running = flock(fd, LOCK_SH | LOCK_NB) != 0;
    out->relay_pid = out->relay_running ? lease_holder(fd) : 0;
    close(fd);
}

/* --- health ------------------------------------------------------------------------------------ */

weir_code outbox_health(outbox *outbox, struct outbox_health *out, weir_error *err) {
    char answer[32];
    *out = (struct outbox_health){0};
    WEIR_TRY(sqlite_pragma(outbox->db, "SELECT layout FROM outbox_meta", answer, sizeof answer, err));
    out->layout = (int)strtol(answer, NULL, 10);
    WEIR_TRY(
        sqlite_pragma(outbox->db, "PRAGMA journal_mode", out->journal_mode, sizeof out->journal_mode, err));
    WEIR_TRY(sqlite_pragma(outbox->db, "PRAGMA synchronous", answer, sizeof answer, err));
    out->synchronous = (int)strtol(answer, NULL, 10);
    WEIR_TRY(sqlite_pragma(outbox->db, "PRAGMA quick_check(1)", out->damage, sizeof out->damage, err));
    out->intact = strcmp(out->damage, "ok") == 0;
    WEIR_TRY(sqlite_pragma(outbox->db,
                           "SELECT 2 - count(*) FROM sqlite_schema WHERE type = 'trigger' AND name IN "
                           "('outbox_events_keep_content', 'outbox_events_keep_unsent')",
                           answer, sizeof answer, err));
    out->missing_triggers = (int)strtol(answer, NULL, 10);
    health_lease(outbox, out);
    return WEIR_OK;
}
