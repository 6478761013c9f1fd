/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

#include <stdarg.h>
#include <stdio.h>

weir_code fail(weir_error *err, weir_code code, const char *format, ...) {
    if (err) {
        *err = (weir_error){.code = code, .retriable = code == WEIR_UNAVAILABLE};
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(err->message, sizeof err->message, format, arguments);
        va_end(arguments);
    }
    return code;
}

static weir_code fail_sql(sqlite3 *db, weir_error *err, const char *what) {
    int code = sqlite3_errcode(db);
    bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    return fail(err, busy ? WEIR_UNAVAILABLE : WEIR_IO, "%s: %s", what, sqlite3_errmsg(db));
}

weir_code sql_open(sqlite3 **out, const char *path, const char *schema, weir_error *err) {
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        fail(err, WEIR_IO, "%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
        sqlite3_close(db);
        return WEIR_IO;
    }
    sqlite3_busy_timeout(db, 10000);
    weir_code code = weir_outbox_init_sqlite(db, err);
    if (code == WEIR_OK && sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK)
        code = fail_sql(db, err, path);
    if (code != WEIR_OK) {
        sqlite3_close(db);
        return code;
    }
    *out = db;
    return WEIR_OK;
}

weir_code sql_open_reading(sqlite3 **out, const char *path, weir_error *err) {
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return fail(err, WEIR_NOT_FOUND, "%s: no such database", path);
    }
    sqlite3_busy_timeout(db, 10000);
    sqlite3_exec(db, "PRAGMA query_only = 1", NULL, NULL, NULL);
    *out = db;
    return WEIR_OK;
}

static weir_code prepare(sqlite3 *db, sqlite3_stmt **statement, const char *sql, const char *kinds,
                         va_list arguments, weir_error *err) {
    if (sqlite3_prepare_v2(db, sql, -1, statement, NULL) != SQLITE_OK)
        return fail_sql(db, err, sql);
    for (int i = 1; kinds[i - 1]; i++) {
        if (kinds[i - 1] == 'i') {
            sqlite3_bind_int64(*statement, i, va_arg(arguments, int64_t));
        } else if (kinds[i - 1] == 't') {
            weir_text text = va_arg(arguments, weir_text);
            if (text.data)
                sqlite3_bind_text(*statement, i, text.data, (int)text.size, SQLITE_TRANSIENT);
        } else {
            sqlite3_bind_text(*statement, i, va_arg(arguments, const char *), -1, SQLITE_TRANSIENT);
        }
    }
    return WEIR_OK;
}

weir_code sql_run(sqlite3 *db, weir_error *err, const char *sql, const char *kinds, ...) {
    sqlite3_stmt *statement = NULL;
    va_list arguments;
    va_start(arguments, kinds);
    weir_code code = prepare(db, &statement, sql, kinds, arguments, err);
    va_end(arguments);
    if (code == WEIR_OK) {
        int step = sqlite3_step(statement);
        if (step != SQLITE_DONE && step != SQLITE_ROW)
            code = fail_sql(db, err, sql);
    }
    sqlite3_finalize(statement);
    return code;
}

weir_code sql_value(sqlite3 *db, weir_error *err, char *out, size_t size, const char *sql, const char *kinds,
                    ...) {
    sqlite3_stmt *statement = NULL;
    va_list arguments;
    va_start(arguments, kinds);
    weir_code code = prepare(db, &statement, sql, kinds, arguments, err);
    va_end(arguments);
    if (code == WEIR_OK) {
        int step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            snprintf(out, size, "%s", (const char *)sqlite3_column_text(statement, 0));
        else
            code = step == SQLITE_DONE ? fail(err, WEIR_NOT_FOUND, "no row for: %s", sql)
                                       : fail_sql(db, err, sql);
    }
    sqlite3_finalize(statement);
    return code;
}

int64_t sql_count(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

weir_code sql_sum(sqlite3 *db, const char *sql, weir_decimal *out, weir_error *err) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail_sql(db, err, sql);
    weir_code code = WEIR_OK;
    weir_decimal sum = {0}, value;
    while (code == WEIR_OK && sqlite3_step(statement) == SQLITE_ROW) {
        code = weir_decimal_parse(&value, weir_text_of((const char *)sqlite3_column_text(statement, 0)), err);
        if (code == WEIR_OK)
            code = weir_decimal_add(&sum, sum, value, err);
    }
    sqlite3_finalize(statement);
    *out = sum;
    return code;
}
