/* SPDX-License-Identifier: Apache-2.0 */
/* Three words of SQL for the services: run a statement, read one value, add exactly. Text arguments are
 * bound, never pasted. */
#ifndef ENERGY_UNION_SQL_H
#define ENERGY_UNION_SQL_H

#include <sqlite3.h>

#include "weir/weir.h"

/* Fills err with a sentence and returns code. */
weir_code fail(weir_error *err, weir_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Opens (and creates) a service's database with the outbox and inbox of weir in it, and runs `schema`. */
weir_code sql_open(sqlite3 **out, const char *path, const char *schema, weir_error *err);
/* Opens an existing database for reading only. */
weir_code sql_open_reading(sqlite3 **out, const char *path, weir_error *err);

/* Runs one statement. `kinds` has a letter for each `?`: s = const char *, t = weir_text, i = int64_t. */
weir_code sql_run(sqlite3 *db, weir_error *err, const char *sql, const char *kinds, ...);
/* The first column of the first row as text, cut to size; WEIR_NOT_FOUND when there is no row. */
weir_code sql_value(sqlite3 *db, weir_error *err, char *out, size_t size, const char *sql, const char *kinds,
                    ...);
/* The same as a number; 0 when there is no row or an error. */
int64_t sql_count(sqlite3 *db, const char *sql);
/* The exact sum of a column of decimal texts. */
weir_code sql_sum(sqlite3 *db, const char *sql, weir_decimal *out, weir_error *err);

#endif
