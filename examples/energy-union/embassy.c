/* SPDX-License-Identifier: Apache-2.0 */
/* The embassy brings readings in: from a meter file, or from this host's own meters. One transaction holds
 * the reading, the event in the outbox, and how far the file was read; so a kill at any moment repeats
 * nothing and skips nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "csv.h"
#include "hash.h"
#include "service.h"

const char embassy_schema[] =
    "CREATE TABLE IF NOT EXISTS readings (id TEXT PRIMARY KEY, row INTEGER NOT NULL, ts TEXT NOT NULL,"
    " kwh TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS progress (source TEXT PRIMARY KEY, rows INTEGER NOT NULL,"
    " finished INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE IF NOT EXISTS rejected (row INTEGER PRIMARY KEY, reason TEXT NOT NULL)";

enum { BACKLOG_MAX = 20000 }; /* unsent readings: past this the embassy waits for the relay */

struct reading {
    int64_t row;
    char id[80], ts[32], kwh[64];
};

static weir_code emit_reading(sqlite3 *db, struct service_context *context,
                              const struct embassy_options *options, const struct reading *reading,
                              weir_error *err) {
    weir_json_writer *json = context->json;
    weir_json_reset(json);
    weir_json_begin_object(json);
    weir_json_key(json, "platform");
    weir_json_string(json, "energyunion");
    weir_json_key(json, "domain");
    weir_json_string(json, "energy");
    weir_json_key(json, "site_id");
    weir_json_string(json, options->site);
    weir_json_key(json, "value");
    weir_json_raw(json, weir_text_of(reading->kwh));
    weir_json_key(json, "unit");
    weir_json_string(json, "kwh");
    weir_json_key(json, "ts");
    weir_json_string(json, reading->ts);
    weir_json_end_object(json);
    weir_draft draft = {
        .type = weir_text_of("embassy.energy.update"),
        .payload = weir_json_done(json),
        .id = weir_text_of(reading->id),
        .tenant = weir_text_of(context->team),
        .actor = weir_text_of("embassy"),
        .actor_kind = weir_text_of("embassy"),
        .trace = weir_text_of(reading->id),
    };
    return weir_emit_sqlite(db, context->catalog, &draft, NULL, err);
}

/* The three things that must be true together. */
static weir_code store_reading(sqlite3 *db, struct service_context *context,
                               const struct embassy_options *options, const char *source,
                               const struct reading *reading, weir_error *err) {
    weir_code code = sql_run(db, err, "BEGIN IMMEDIATE", "");
    if (code != WEIR_OK)
        return code;
    code = sql_run(db, err, "INSERT INTO readings (id, row, ts, kwh) VALUES (?, ?, ?, ?)", "siss",
                   reading->id, reading->row, reading->ts, reading->kwh);
    if (code == WEIR_OK)
        code = emit_reading(db, context, options, reading, err);
    if (code == WEIR_OK)
        code = sql_run(db, err,
                       "INSERT INTO progress (source, rows) VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET "
                       "rows = excluded.rows",
                       "si", source, reading->row);
    if (code == WEIR_OK)
        code = sql_run(db, err, "COMMIT", "");
    if (code != WEIR_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* A row that cannot be read is kept with its reason, not dropped: it shows in the summary. */
static weir_code store_rejected(sqlite3 *db, const char *source, int64_t row, const char *reason,
                                weir_error *err) {
    fprintf(stderr, "%s: row %lld: %s\n", source, (long long)row, reason);
    weir_code code =
        sql_run(db, err, "INSERT OR REPLACE INTO rejected (row, reason) VALUES (?, ?)", "is", row, reason);
    if (code == WEIR_OK)
        code = sql_run(db, err,
                       "INSERT INTO progress (source, rows) VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET "
                       "rows = excluded.rows",
                       "si", source, row);
    return code;
}

static void pause_until(struct timespec *next, int64_t step_ns) {
    next->tv_nsec += step_ns % 1000000000;
    next->tv_sec += step_ns / 1000000000 + next->tv_nsec / 1000000000;
    next->tv_nsec %= 1000000000;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next,
                    NULL); /* a signal ends it early: the caller looks at stop */
}

static void wait_for_relay(sqlite3 *db, const volatile int *stop) {
    while (!*stop && sql_count(db, "SELECT count(*) FROM outbox_events WHERE processed = 0") > BACKLOG_MAX)
        usleep(50000);
}

struct source {
    FILE *file;
    char line[CSV_LINE_MAX];
    char hash[HASH_TEXT_SIZE];
    size_t time_at, value_at;
};

static weir_code find_column(const struct csv_row *header, const char *name, const char *path, size_t *at,
                             weir_error *err) {
    char known[400] = "";
    size_t found = 0;
    for (size_t i = 0; i < header->count; i++) {
        if (strcmp(header->fields[i], name) == 0) {
            *at = i;
            found++;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s'%.40s'", i ? ", " : "", header->fields[i]);
    }
    if (found > 1)
        return fail(err, WEIR_INVALID, "%s: %zu columns are named '%s'; the file has %s", path, found, name,
                    known);
    return found ? WEIR_OK
                 : fail(err, WEIR_INVALID, "%s: no column '%s'; the file has %s", path, name, known);
}

static weir_code open_source(struct source *source, const struct embassy_options *options, weir_error *err) {
    struct csv_row header;
    weir_code code = hash_file(source->hash, options->data, err);
    if (code != WEIR_OK)
        return code;
    source->file = fopen(options->data, "r");
    if (!source->file || !fgets(source->line, sizeof source->line, source->file))
        return fail(err, WEIR_INVALID, "%s: has no header row", options->data);
    size_t mark = strncmp(source->line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* as Excel begins a file */
    code = csv_split(&header, source->line + mark, err);
    if (code == WEIR_OK)
        code = find_column(&header, options->time_column, options->data, &source->time_at, err);
    if (code == WEIR_OK)
        code = find_column(&header, options->value_column, options->data, &source->value_at, err);
    return code;
}

static weir_code read_row(struct source *source, const struct embassy_options *options,
                          struct reading *reading, weir_error *err) {
    struct csv_row row;
    if (strlen(source->line) + 1 == sizeof source->line && !strchr(source->line, '\n')) {
        for (int c = fgetc(source->file); c != EOF && c != '\n'; c = fgetc(source->file))
            ;
        return fail(err, WEIR_LIMIT, "the line is longer than %d bytes", CSV_LINE_MAX - 1);
    }
    weir_code code = csv_split(&row, source->line, err);
    if (code != WEIR_OK)
        return code;
    if (row.count <= source->time_at || row.count <= source->value_at)
        return fail(err, WEIR_INVALID, "has %zu fields, the header has more", row.count);
    code = csv_time(reading->ts, row.fields[source->time_at], options->time_rule, err);
    if (code == WEIR_OK)
        code = csv_number(reading->kwh, sizeof reading->kwh, row.fields[source->value_at], err);
    if (code == WEIR_OK)
        hash_reading(reading->id, sizeof reading->id, source->hash, reading->row);
    return code;
}

static weir_code read_file(sqlite3 *db, struct service_context *context,
                           const struct embassy_options *options, struct source *source,
                           const volatile int *stop, weir_error *err) {
    char done_text[32] = "0";
    weir_code code = sql_value(db, err, done_text, sizeof done_text,
                               "SELECT rows FROM progress WHERE source = ?", "s", source->hash);
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    int64_t done = strtoll(done_text, NULL, 10);
    struct reading reading = {0};
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    while (!*stop && fgets(source->line, sizeof source->line, source->file)) {
        reading.row++;
        if (reading.row <= done || source->line[strspn(source->line, "\r\n")] == 0)
            continue;
        weir_error why;
        code = read_row(source, options, &reading, &why) == WEIR_OK
                   ? store_reading(db, context, options, source->hash, &reading, err)
                   : store_rejected(db, source->hash, reading.row, why.message, err);
        if (code != WEIR_OK)
            return code;
        if (reading.row % 256 == 0)
            wait_for_relay(db, stop);
        if (options->rate > 0)
            pause_until(&next, 1000000000 / options->rate);
    }
    if (*stop)
        return WEIR_OK;
    return sql_run(db, err,
                   "INSERT INTO progress (source, rows, finished) VALUES (?, ?, 1) ON CONFLICT (source) DO "
                   "UPDATE SET finished = 1",
                   "si", source->hash, reading.row);
}

/* --- this host's meters --------------------------------------------------------------------------------- */

/* Energy used by this host so far, in microjoules: its own counter (RAPL) where there is one, else CPU time
 * at 10 W a core, which is an estimate but moves as the real thing does. */
static int64_t host_microjoules(void) {
    long long energy = 0;
    FILE *rapl = fopen("/sys/class/powercap/intel-rapl:0/energy_uj", "r");
    if (rapl) {
        int read = fscanf(rapl, "%lld", &energy);
        fclose(rapl);
        if (read == 1)
            return energy;
    }
    long long user = 0, nice = 0, system = 0;
    FILE *stat = fopen("/proc/stat", "r");
    if (!stat)
        return 0;
    int read = fscanf(stat, "cpu %lld %lld %lld", &user, &nice, &system);
    fclose(stat);
    return read == 3 ? (user + nice + system) * (1000000 / sysconf(_SC_CLK_TCK)) * 10 : 0;
}

static weir_code read_host(sqlite3 *db, struct service_context *context,
                           const struct embassy_options *options, const volatile int *stop, weir_error *err) {
    struct reading reading = {
        .row = sql_count(db, "SELECT coalesce(max(rows), 0) FROM progress WHERE source = 'host'")};
    int64_t before = host_microjoules();
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    while (!*stop && (options->readings == 0 || reading.row < options->readings)) {
        pause_until(&next, options->rate > 0 ? 1000000000 / options->rate : 1000000000);
        int64_t now = host_microjoules();
        int64_t nano_kwh = now > before ? (now - before) / 3600 : 0; /* 1 kWh = 3.6e12 uJ */
        before = now;
        reading.row++;
        snprintf(reading.kwh, sizeof reading.kwh, "%lld.%09lld", (long long)(nano_kwh / 1000000000),
                 (long long)(nano_kwh % 1000000000));
        time_t at = time(NULL);
        struct tm utc;
        strftime(reading.ts, sizeof reading.ts, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
        hash_host(reading.id, sizeof reading.id);
        weir_code code = store_reading(db, context, options, "host", &reading, err);
        if (code != WEIR_OK)
            return code;
    }
    return *stop ? WEIR_OK : sql_run(db, err, "UPDATE progress SET finished = 1 WHERE source = 'host'", "");
}

/* libc takes an unknown zone for UTC without a word. What holds a digit is a rule (CET-1CEST), not a name. */
static weir_code use_zone(const char *zone, weir_error *err) {
    const char *folder = getenv("TZDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", zone);
    if (strcmp(zone, "UTC") != 0 && !strpbrk(zone, "0123456789") && access(path, R_OK) != 0)
        return fail(err, WEIR_INVALID, "there is no zone '%.100s' in %s", zone,
                    folder ? folder : "/usr/share/zoneinfo");
    setenv("TZ", zone, 1);
    tzset();
    return WEIR_OK;
}

weir_code embassy_check(const struct embassy_options *options, weir_error *err) {
    weir_code code = use_zone(options->tz, err);
    if (code != WEIR_OK || !options->data)
        return code;
    struct source *source = calloc(1, sizeof *source);
    if (!source)
        abort();
    code = open_source(source, options, err);
    if (source->file)
        fclose(source->file);
    free(source);
    return code;
}

weir_code embassy_run(sqlite3 *db, struct service_context *context, const struct embassy_options *options,
                      const volatile int *stop, weir_error *err) {
    if (!options->data)
        return read_host(db, context, options, stop, err);
    struct source *source = calloc(1, sizeof *source);
    if (!source)
        abort();
    weir_code code = use_zone(options->tz, err);
    if (code == WEIR_OK)
        code = open_source(source, options, err);
    if (code == WEIR_OK)
        code = read_file(db, context, options, source, stop, err);
    if (source->file)
        fclose(source->file);
    free(source);
    return code;
}
