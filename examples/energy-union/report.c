/* SPDX-License-Identifier: Apache-2.0 */
/* What the databases say, put together from all of them: counts, exact sums, latencies. Sums are taken over
 * rows with decimals, not by SQL, whose sum() would be a float. */
#include <stdio.h>
#include <stdlib.h>

#include "service.h"

static const char *const services[] = {"embassy", "oracle", "rwa", "wallet", "usage", "quota"};
enum { SERVICES = sizeof services / sizeof *services };

struct report {
    sqlite3 *db[SERVICES];
    weir_json_writer *json;
};

static sqlite3 *database(const struct report *report, const char *service) {
    for (int i = 0; i < SERVICES; i++)
        if (strcmp(services[i], service) == 0)
            return report->db[i];
    return NULL;
}

static weir_code open_all(struct report *report, const char *folder, weir_error *err) {
    for (int i = 0; i < SERVICES; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.db", folder, services[i]);
        weir_code code = sql_open_reading(&report->db[i], path, err);
        if (code != WEIR_OK)
            return code;
    }
    return WEIR_OK;
}

static void close_all(struct report *report) {
    for (int i = 0; i < SERVICES; i++)
        sqlite3_close(report->db[i]);
    weir_json_free(report->json);
}

static int64_t count_all(const struct report *report, const char *sql) {
    int64_t count = 0;
    for (int i = 0; i < SERVICES; i++)
        count += sql_count(report->db[i], sql);
    return count;
}

static void put_count(struct report *report, const char *key, int64_t count) {
    weir_json_key(report->json, key);
    weir_json_int(report->json, count);
}

/* {"type": rows, ...} of a query that gives both. */
static void put_types(struct report *report, sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK)
        while (sqlite3_step(statement) == SQLITE_ROW)
            put_count(report, (const char *)sqlite3_column_text(statement, 0),
                      sqlite3_column_int64(statement, 1));
    sqlite3_finalize(statement);
}

static weir_code put_sum(struct report *report, const char *key, const char *service, const char *sql,
                         weir_error *err) {
    weir_decimal sum = {0};
    char text[WEIR_DECIMAL_TEXT_MAX];
    weir_code code = WEIR_OK;
    if (sql_count(database(report, service), "SELECT count(*) FROM sqlite_master WHERE name = 'inbox'"))
        code = sql_sum(database(report, service), sql, &sum, err);
    if (code == WEIR_IO && strstr(err->message, "no such table")) /* the service has not started yet */
        code = WEIR_OK;
    if (code != WEIR_OK)
        return code;
    weir_json_key(report->json, key);
    weir_json_raw(report->json, weir_text_of(weir_decimal_format(sum, text)));
    return WEIR_OK;
}

/* What the readings are worth: each times the rate, as the wallet computes it. */
static weir_code put_due(struct report *report, weir_error *err) {
    weir_decimal sum, rate;
    char text[WEIR_DECIMAL_TEXT_MAX];
    weir_code code = sql_sum(database(report, "embassy"), "SELECT kwh FROM readings", &sum, err);
    if (code == WEIR_IO && strstr(err->message, "no such table")) {
        sum = (weir_decimal){0};
        code = WEIR_OK;
    }
    if (code == WEIR_OK)
        code = weir_decimal_parse(&rate, weir_text_of(KWT_PER_KWH), err);
    if (code == WEIR_OK)
        code = weir_decimal_mul(&sum, sum, rate, err);
    if (code != WEIR_OK)
        return code;
    weir_json_key(report->json, "kwt_due");
    weir_json_raw(report->json, weir_text_of(weir_decimal_format(sum, text)));
    weir_json_key(report->json, "kwt_per_kwh");
    weir_json_raw(report->json, weir_text_of(KWT_PER_KWH));
    return WEIR_OK;
}

static weir_code put_sums(struct report *report, weir_error *err) {
    static const struct {
        const char *key, *service, *sql;
    } sums[] = {{"kwh_in", "embassy", "SELECT kwh FROM readings"},
                {"kwh_inventory", "rwa", "SELECT value FROM inventory"},
                {"kwh_moved", "rwa", "SELECT delta FROM movements"},
                {"kwt_paid", "wallet", "SELECT amount FROM payouts"},
                {"kwt_booked", "wallet", "SELECT amount FROM ledger"},
                {"kwt_balance", "wallet", "SELECT balance FROM balances"}};
    weir_code code = put_due(report, err);
    for (size_t i = 0; i < sizeof sums / sizeof *sums && code == WEIR_OK; i++)
        code = put_sum(report, sums[i].key, sums[i].service, sums[i].sql, err);
    return code;
}

/* Effects that stand twice for one event: there must be none, and no constraint hides one. */
static int64_t doubled_effects(const struct report *report) {
    static const struct {
        const char *service, *table;
    } effects[] = {{"oracle", "readings"}, {"rwa", "movements"},        {"wallet", "payouts"},
                   {"wallet", "ledger"},   {"wallet", "confirmations"}, {"usage", "increments"}};
    int64_t doubled = 0;
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT count(*) - count(DISTINCT event_id) FROM %s", effects[i].table);
        doubled += sql_count(database(report, effects[i].service), sql);
    }
    return doubled;
}

/* --- latencies ------------------------------------------------------------------------------------------ */

struct samples {
    double *ms;
    size_t count, capacity;
};

static void collect(struct samples *samples, sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW) {
            if (samples->count == samples->capacity) {
                samples->capacity = samples->capacity ? samples->capacity * 2 : 4096;
                samples->ms = realloc(samples->ms, samples->capacity * sizeof *samples->ms);
                if (!samples->ms)
                    abort();
            }
            samples->ms[samples->count++] = sqlite3_column_double(statement, 0);
        }
    }
    sqlite3_finalize(statement);
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void put_latency(struct report *report, const char *key, const char *sql) {
    static const struct {
        const char *key;
        double share;
    } percentiles[] = {{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}};
    struct samples samples = {0};
    for (int i = 0; i < SERVICES; i++)
        collect(&samples, report->db[i], sql);
    if (samples.count)
        qsort(samples.ms, samples.count, sizeof *samples.ms, by_size);
    weir_json_key(report->json, key);
    weir_json_begin_object(report->json);
    put_count(report, "count", (int64_t)samples.count);
    for (size_t i = 0; i < 3; i++) {
        char text[32];
        size_t at = (size_t)(percentiles[i].share * (double)samples.count);
        snprintf(text, sizeof text, "%.2f",
                 samples.count ? samples.ms[at < samples.count ? at : samples.count - 1] : 0.0);
        weir_json_key(report->json, percentiles[i].key);
        weir_json_raw(report->json, weir_text_of(text));
    }
    weir_json_end_object(report->json);
    free(samples.ms);
}

/* The first rows that could not be read: [{"line": 3, "reason": "..."}]. */
static void put_rejected(struct report *report, sqlite3 *db) {
    sqlite3_stmt *statement = NULL;
    weir_json_key(report->json, "rejected_rows");
    weir_json_begin_array(report->json);
    if (sqlite3_prepare_v2(db, "SELECT row + 1, reason FROM rejected ORDER BY row LIMIT 20", -1, &statement,
                           NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW) {
            weir_json_begin_object(report->json);
            put_count(report, "line", sqlite3_column_int64(statement, 0));
            weir_json_key(report->json, "reason");
            weir_json_string(report->json, (const char *)sqlite3_column_text(statement, 1));
            weir_json_end_object(report->json);
        }
    }
    sqlite3_finalize(statement);
    weir_json_end_array(report->json);
}

static weir_code write_report(struct report *report, weir_error *err) {
    weir_json_writer *json = report->json;
    sqlite3 *embassy = database(report, "embassy");
    weir_json_begin_object(json);
    put_count(report, "readings", sql_count(embassy, "SELECT count(*) FROM readings"));
    put_count(report, "rejected", sql_count(embassy, "SELECT count(*) FROM rejected"));
    put_rejected(report, embassy);
    weir_json_key(json, "finished");
    weir_json_bool(json, sql_count(embassy, "SELECT count(*) FROM progress WHERE finished = 1") > 0);
    put_count(
        report, "pending",
        count_all(report, "SELECT count(*) FROM outbox_events WHERE processed = 0 AND parked_at IS NULL"));
    put_count(report, "parked",
              count_all(report,
                        "SELECT count(*) FROM outbox_events WHERE processed = 0 AND parked_at IS NOT NULL"));
    weir_code code = put_sums(report, err);
    weir_json_key(json, "written");
    weir_json_begin_object(json);
    for (int i = 0; i < SERVICES; i++)
        put_types(report, report->db[i],
                  "SELECT type, count(*) FROM outbox_events GROUP BY type ORDER BY type");
    weir_json_end_object(json);
    weir_json_key(json, "handled");
    weir_json_begin_object(json);
    for (int i = 1; i < SERVICES; i++) {
        weir_json_key(json, services[i]);
        weir_json_begin_object(json);
        put_types(report, report->db[i], "SELECT type, count(*) FROM inbox GROUP BY type ORDER BY type");
        weir_json_end_object(json);
    }
    weir_json_end_object(json);
    weir_json_key(json, "effects");
    weir_json_begin_object(json);
    put_count(report, "duplicates", doubled_effects(report));
    weir_json_end_object(json);
    put_latency(report, "publish_ms",
                "SELECT (julianday(processed_at) - julianday(created_at)) * 86400000.0 FROM outbox_events"
                " WHERE processed = 1 AND sequence IS NOT NULL");
    put_latency(report, "delivery_ms", "SELECT (handled_us - stored_us) / 1000.0 FROM inbox");
    weir_json_end_object(json);
    return code;
}

int report_print(const char *folder) {
    weir_error err;
    struct report report = {.json = weir_json_new()};
    weir_code code = open_all(&report, folder, &err);
    if (code == WEIR_OK)
        code = write_report(&report, &err);
    if (code == WEIR_OK) {
        weir_text text = weir_json_done(report.json);
        printf("%.*s\n", (int)text.size, text.data);
    } else {
        fprintf(stderr, "report: %s\n", err.message);
    }
    close_all(&report);
    return code == WEIR_OK ? 0 : 1;
}

int report_ids(const char *folder) {
    weir_error err;
    struct report report = {.json = weir_json_new()};
    weir_code code = open_all(&report, folder, &err);
    for (int i = 0; i < SERVICES && code == WEIR_OK; i++) {
        sqlite3_stmt *statement = NULL;
        if (sqlite3_prepare_v2(report.db[i], "SELECT type, id FROM outbox_events ORDER BY pos", -1,
                               &statement, NULL) == SQLITE_OK)
            while (sqlite3_step(statement) == SQLITE_ROW)
                printf("%s %s\n", sqlite3_column_text(statement, 0), sqlite3_column_text(statement, 1));
        sqlite3_finalize(statement);
    }
    if (code != WEIR_OK)
        fprintf(stderr, "ids: %s\n", err.message);
    close_all(&report);
    return code == WEIR_OK ? 0 : 1;
}
