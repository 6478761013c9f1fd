/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an outbox in a SQLite file: the url, the file, the tables, the lease. The lease is a flock on PATH.relay-lock: the
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
#include "store/sqlite_outbox.h"
#include "weir/outbox.h"

#define X(name) extern const char sql_sqlite_##name[];
OUTBOX_STATEMENTS(X)
#undef X

static const char *const statement_texts[STATEMENT_COUNT] = {
#define X(name) [STATEMENT_##name] = sql_sqlite_##name,
    OUTBOX_STATEMENTS(X)
#undef X
};

weir_code sqlite_outbox_statement(sqlite_outbox *outbox, enum outbox_statement which, sqlite3_stmt **out,
                                  weir_error *err) {
    if (!outbox->statements[which])
        WEIR_TRY(sqlite_prepare(&outbox->statements[which], outbox->db, statement_texts[which],
                                outbox->base.url, err));
    *out = outbox->statements[which];
    sqlite3_reset(*out);
    sqlite3_clear_bindings(*out);
    return WEIR_OK;
}

weir_code sqlite_outbox_begin(sqlite_outbox *outbox, weir_error *err) {
    return sqlite_run(outbox->db, "BEGIN IMMEDIATE", outbox->base.url, err);
}

/* --- the url ----------------------------------------------------------------------------------- */

static weir_code url_refused(const char *url, weir_error *err) {
    weir_code code = weir_fail(err, WEIR_INVALID, "'%s' is not the url of an outbox", url);
    weir_hint(err, "write sqlite:PATH, for example sqlite:shop.db or sqlite:///var/lib/shop/shop.db");
    return code;
}

static weir_code url_path(const char **path, const char *url, weir_error *err) {
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

static weir_code no_outbox(sqlite_outbox *outbox, weir_error *err) {
    weir_fail(err, WEIR_INVALID, "%s has no outbox in it", outbox->base.url);
    weir_hint(err, "create its tables with: weir outbox init %s", outbox->base.url);
    return WEIR_INVALID;
}

static weir_code read_meta(sqlite_outbox *outbox, weir_error *err) {
    enum { LAYOUT = 1 };
    sqlite3_stmt *statement;
    weir_code code =
        sqlite_prepare(&statement, outbox->db, "SELECT uuid, layout FROM outbox_meta", outbox->base.url, err);
    if (code == WEIR_INVALID && strstr(sqlite3_errmsg(outbox->db), "no such table"))
        return no_outbox(outbox, err);
    WEIR_TRY(code);
    bool row;
    code = sqlite_next(statement, &row, outbox->base.url, err);
    int layout = 0;
    if (code == WEIR_OK && row) {
        snprintf(outbox->base.uuid, sizeof outbox->base.uuid, "%s",
                 (const char *)sqlite3_column_text(statement, 0));
        layout = sqlite3_column_int(statement, 1);
    }
    sqlite3_finalize(statement);
    if (code == WEIR_OK && !row)
        return no_outbox(outbox, err);
    if (code == WEIR_OK && layout > LAYOUT) {
        code = weir_fail(err, WEIR_UNSUPPORTED, "%s has outbox layout %d, this weir knows %d",
                         outbox->base.url, layout, LAYOUT);
        weir_hint(err, "it was made by a newer weir: use that one");
    }
    return code;
}

/* Every statement is prepared once here, so that a table that is not ours is told apart now and not at work. */
static weir_code prepare_all(sqlite_outbox *outbox, weir_error *err) {
    sqlite3_stmt *statement;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite_outbox_statement(outbox, i, &statement, err) != WEIR_OK) {
            weir_hint(err, "the table is not as weir makes it: rename it and run weir outbox init %s",
                      outbox->base.url);
            return err ? err->code : WEIR_INVALID;
        }
    return sqlite_prepare(&outbox->data_version, outbox->db, "PRAGMA data_version", outbox->base.url, err);
}

static weir_code open_all(sqlite_outbox *outbox, weir_error *err) {
    WEIR_TRY(file_must_exist(outbox->base.url, outbox->path, err));
    WEIR_TRY(connect_db(&outbox->db, outbox->base.url, outbox->path, SQLITE_OPEN_READWRITE, err));
    sqlite_wait_busy(outbox->db);
    WEIR_TRY(read_meta(outbox, err));
    WEIR_TRY(sqlite_durable(outbox->db, err));
    WEIR_TRY(prepare_all(outbox, err));
    sqlite_outbox_watch_open(outbox);
    return WEIR_OK;
}

static const struct outbox_ops ops = {
    .close = sqlite_outbox_close,
    .lease = sqlite_outbox_lease,
    .stream_load = sqlite_outbox_stream_load,
    .streams = sqlite_outbox_streams,
    .claim = sqlite_outbox_claim,
    .settle = sqlite_outbox_settle,
    .park = sqlite_outbox_park,
    .span = sqlite_outbox_span,
    .pending = sqlite_outbox_pending,
    .sent = sqlite_outbox_sent,
    .unsend = sqlite_outbox_unsend,
    .clean = sqlite_outbox_clean,
    .unpark = sqlite_outbox_unpark,
    .drop = sqlite_outbox_drop,
    .counts = sqlite_outbox_counts,
    .each = sqlite_outbox_each,
    .find = sqlite_outbox_find,
    .lookup = sqlite_outbox_lookup,
    .health = sqlite_outbox_health,
    .wait = sqlite_outbox_wait,
};

static weir_code only_polling(const char *url, const struct outbox_options *options, weir_error *err) {
    if (!options->wal)
        return WEIR_OK;
    weir_fail(err, WEIR_UNSUPPORTED, "%s: a SQLite outbox has no log to follow", url);
    weir_hint(err, "leave --mode out, or give --mode poll: commits are seen within a millisecond");
    return WEIR_UNSUPPORTED;
}

weir_code sqlite_outbox_open(outbox **out, const char *url, const struct outbox_options *options,
                             weir_error *err) {
    const char *path;
    WEIR_TRY(url_path(&path, url, err));
    WEIR_TRY(only_polling(url, options, err));
    sqlite_outbox *opened = mem_alloc(sizeof *opened);
    outbox_base(&opened->base, &ops, url, options->clock);
    opened->path = mem_strdup(path);
    opened->lease_fd = opened->inotify_fd = opened->wal_watch = -1;
    opened->seen_version = -1;
    weir_code code = open_all(opened, err);
    if (code != WEIR_OK) {
        outbox_close(&opened->base);
        return code;
    }
    *out = &opened->base;
    return WEIR_OK;
}

weir_code sqlite_outbox_init(const char *url, weir_error *err) {
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

void sqlite_outbox_close(outbox *any) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    sqlite_outbox_watch_close(outbox);
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(outbox->statements[i]);
    sqlite3_finalize(outbox->data_version);
    sqlite3_close(outbox->db);
    if (outbox->lease_fd >= 0)
        close(outbox->lease_fd);
    outbox_base_release(&outbox->base);
    arena_free(outbox->found);
    mem_free(outbox->path);
    mem_free(outbox);
}

/* --- the lease --------------------------------------------------------------------------------- */

static int lease_file(sqlite_outbox *outbox, weir_error *err) {
    buffer path;
    buffer_init(&path, 1 << 16);
    buffer_printf(&path, "%s.relay-lock", outbox->path);
    int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        weir_fail(err, WEIR_IO, "%s: cannot open %s: %s", outbox->base.url, path.data, strerror(errno));
    buffer_release(&path);
    return fd;
}

static int lease_holder(int fd) {
    char text[24] = "";
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    return size > 0 ? (int)strtol(text, NULL, 10) : 0;
}

static weir_code lease_taken(sqlite_outbox *outbox, int fd, weir_error *err) {
    int pid = lease_holder(fd);
    weir_fail(err, WEIR_CONFLICT, "another relay works on %s", outbox->base.url);
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

weir_code sqlite_outbox_lease(outbox *any, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
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
        weir_fail(err, WEIR_IO, "%s: cannot write its pid into %s.relay-lock: %s", outbox->base.url,
                  outbox->path, strerror(errno));
        close(fd);
        return WEIR_IO;
    }
    outbox->lease_fd = fd;
    return WEIR_OK;
}

static void health_lease(sqlite_outbox *outbox, struct outbox_health *out) {
    int fd = outbox->lease_fd >= 0 ? -1 : lease_file(outbox, NULL);
    if (fd < 0)
        return;
    out->relay_running = flock(fd, LOCK_SH | LOCK_NB) != 0;
    out->relay_pid = out->relay_running ? lease_holder(fd) : 0;
    close(fd);
}

/* --- health ------------------------------------------------------------------------------------ */

weir_code sqlite_outbox_health(outbox *any, arena *arena, struct outbox_health *out, weir_error *err) {
    sqlite_outbox *outbox = (sqlite_outbox *)any;
    char answer[256];
    WEIR_TRY(sqlite_pragma(outbox->db, "SELECT layout FROM outbox_meta", answer, sizeof answer, err));
    out->layout = (int)strtol(answer, NULL, 10);
    WEIR_TRY(sqlite_pragma(outbox->db, "PRAGMA quick_check(1)", answer, sizeof answer, err));
    if (strcmp(answer, "ok") != 0)
        outbox_finding(out, arena, "the database is damaged: %s; restore it from a backup", answer);
    WEIR_TRY(sqlite_pragma(outbox->db, "PRAGMA journal_mode", answer, sizeof answer, err));
    if (strcmp(answer, "wal") != 0)
        outbox_finding(out, arena, "journal_mode is %s, not wal; run weir outbox init", answer);
    WEIR_TRY(sqlite_pragma(outbox->db,
                           "SELECT 2 - count(*) FROM sqlite_schema WHERE type = 'trigger' AND name IN "
                           "('outbox_events_keep_content', 'outbox_events_keep_unsent')",
                           answer, sizeof answer, err));
    if (strcmp(answer, "0") != 0)
        outbox_finding(out, arena,
                       "%s of the triggers that guard rows not yet sent are missing; run weir outbox init",
                       answer);
    health_lease(outbox, out);
    return WEIR_OK;
}
