/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base json */
/* The main job, end to end: readings become payouts, and no kill changes a sum. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "kit/program.h"
#include "kit/server.h"
#include "kit/spec.h"
#include "json/json.h"

enum { DEMO_S = 100 };

/* `count` readings of (i % 500) / 100 kWh; returns their sum in hundredths. */
static long write_readings(const char *path, int count) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "\xEF\xBB\xBF" /* as Excel begins a file */
                  "DateTime,Consumption kWh,Peak\r\n");
    long sum = 0;
    for (int i = 0; i < count; i++) {
        int value = (i * 37) % 500 + 1;
        sum += value;
        fprintf(file, "%02d/%02d/2011 %02d:00:00,%d.%02d,0\r\n", 1 + i / 672 % 12, 1 + i / 24 % 28, i % 24,
                value / 100, value % 100);
    }
    fclose(file);
    return sum;
}

static struct kit_run demo(const char *folder, const char *data, const char *more) {
    return kit_run((const char *const[]){kit_program("weir"), "demo", "--dir", folder, "--data", data,
                                         "--rate", "300", "--json", "--exit", more, NULL},
                   NULL, DEMO_S);
}

static void expect_sum(const json *summary, const char *key, long hundredths) {
    char expected[40];
    snprintf(expected, sizeof expected, "%ld.%02ld", hundredths / 100, hundredths % 100);
    weir_text number = json_number(json_get(summary, key));
    if (!number.data || json_number_compare(number, weir_text_of(expected)) != 0)
        fail_msg("%s is %.*s, expected %s", key, TEXT_ARG(number), expected);
}

static void expect_count(const json *summary, const char *key, int64_t expected) {
    int64_t value = -1;
    json_int(json_get(summary, key), &value);
    if (value != expected)
        fail_msg("%s is %lld, expected %lld", key, (long long)value, (long long)expected);
}

static void expect_summary(const struct kit_run *run, int readings, long sum) {
    json_doc *doc;
    weir_error err;
    if (run->status != 0)
        fail_msg("exit %d\n%s\n%s", run->status, run->out, run->err);
    expect_ok(json_parse(&doc, weir_text_of(run->out), &err), &err);
    const json *summary = json_root(doc);
    expect_count(summary, "readings", readings);
    expect_count(summary, "lost", 0);
    expect_count(summary, "duplicates", 0);
    expect_count(summary, "dead_letters", 0);
    static const char *const sums[] = {"kwh_in", "kwh_inventory", "kwt_paid", "kwt_balance"};
    for (int i = 0; i < 4; i++)
        expect_sum(summary, sums[i], sum);
    const json *events = json_get(summary, "events");
    assert_int_equal(json_size(events), 6);
    for (struct json_iter it = json_iter(events); json_next(&it);)
        for (struct json_iter number = json_iter(it.value); json_next(&number);)
            if (text_is(number.key, "written") || text_is(number.key, "in_stream") ||
                text_is(number.key, "delivered") || text_is(number.key, "handled")) {
                int64_t value = 0;
                json_int(number.value, &value);
                assert_int_equal(value, readings);
            }
    json_doc_free(doc);
}

static void readings_become_payouts(void **state) {
    (void)state;
    long sum = write_readings(kit_path("readings.csv"), 300);
    struct kit_run run = demo(kit_path("demo"), kit_path("readings.csv"), NULL);
    expect_summary(&run, 300, sum);
    kit_run_free(&run);
}

/* Kills a process of the running demo at several moments: the demo itself (its services die with it), or its
 * nats-server. */
static void kill_and_resume(bool server) {
    static const int moments_ms[] = {40, 400, 900, 1600, 2300};
    const char *folder = kit_path("demo"), *data = kit_path("readings.csv");
    long sum = write_readings(data, 600);
    const char *argv[] = {kit_program("weir"),
                          "demo",
                          "--dir",
                          folder,
                          "--data",
                          data,
                          "--rate",
                          "300",
                          "--json",
                          "--exit",
                          NULL,
                          NULL};
    for (size_t i = 0; i < sizeof moments_ms / sizeof *moments_ms; i++) {
        argv[10] = i > 0 ? "--resume" : NULL;
        pid_t pid = kit_start(argv, "demo.log");
        usleep((useconds_t)moments_ms[i] * 1000);
        char path[4096], *text = NULL;
        size_t size;
        snprintf(path, sizeof path, "%s/nats/server.json", folder);
        if (server && file_read(&text, &size, path, 65536, NULL) == WEIR_OK) {
            json_doc *doc;
            weir_error err;
            int64_t server_pid = 0;
            expect_ok(json_parse(&doc, (weir_text){text, size}, &err), &err);
            json_int(json_get(json_root(doc), "pid"), &server_pid);
            json_doc_free(doc);
            if (server_pid > 1)
                kill((pid_t)server_pid, SIGKILL);
            usleep(200000);
        }
        free(text);
        kit_end(pid, SIGKILL);
    }
    struct kit_run run = demo(folder, data, "--resume");
    expect_summary(&run, 600, sum);
    kit_run_free(&run);
}

static void put_file(const char *folder, const char *name) {
    char path[4096];
    weir_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    expect_ok(file_write_atomic(path, "{", 1, 0600, &err), &err);
}

static void a_half_written_file_is_the_demos_own(void **state) {
    (void)state;
    weir_error err;
    const char *folder = kit_path("begun"), *data = kit_path("few.csv");
    long sum = write_readings(data, 30);
    expect_ok(folder_make(folder, &err), &err);
    put_file(folder, "demo.json.a1B2c3");
    struct kit_run run = demo(folder, data, "--resume");
    expect_summary(&run, 30, sum);
    kit_run_free(&run);
    put_file(folder, "demo.json.mine");
    run = demo(folder, data, NULL);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "/begun holds 'demo.json.mine', which is not the demo's"));
    kit_run_free(&run);
}

static void demo_survives_kill(void **state) {
    (void)state;
    kill_and_resume(false);
}

static void server_kill_is_survived(void **state) {
    (void)state;
    kill_and_resume(true);
}

static void unreadable_rows_are_named(void **state) {
    (void)state;
    FILE *file = fopen(kit_path("bad.csv"), "w");
    fprintf(file, "DateTime,Consumption kWh\n11/25/2011 01:00:00,0.50\n11/31/2011 01:00:00,0.20\n11/25/2011 "
                  "02:00:00,half\n"
                  "11/25/2011 03:00:00,0.25");
    fclose(file);
    struct kit_run run = demo(kit_path("demo"), kit_path("bad.csv"), NULL);
    assert_int_equal(run.status, 1);
    json_doc *doc;
    weir_error err;
    expect_ok(json_parse(&doc, weir_text_of(run.out), &err), &err);
    expect_count(json_root(doc), "readings", 2);
    expect_count(json_root(doc), "rejected", 2);
    expect_sum(json_root(doc), "kwt_balance", 75);
    assert_non_null(strstr(run.err, "bad.csv:3: '11/31/2011 01:00:00' is no time I know"));
    assert_non_null(strstr(run.err, "bad.csv:4: 'half' is no number"));
    json_doc_free(doc);
    kit_run_free(&run);
}

static void readings_that_cannot_be_read_start_nothing(void **state) {
    (void)state;
    FILE *file = fopen(kit_path("other.csv"), "w");
    fprintf(file, "time,kWh\n2011-11-25T01:00:00Z,0.50\n");
    fclose(file);
    struct kit_run run = demo(kit_path("demo"), kit_path("other.csv"), NULL);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "other.csv: no column 'DateTime'; the file has 'time', 'kWh'\n"
                                    "  --time-column and --value-column name the columns, --tz a zone"));
    kit_run_free(&run);
    run = demo(kit_path("demo"), kit_path("other.csv"), "--tz=Mars/Phobos");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "weir demo: there is no zone 'Mars/Phobos' in "));
    kit_run_free(&run);
    file = fopen(kit_path("twice.csv"), "w");
    fprintf(file, "DateTime,Consumption kWh,Consumption kWh\n2011-11-25T01:00:00Z,0.50,7\n");
    fclose(file);
    run = demo(kit_path("demo"), kit_path("twice.csv"), NULL);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "twice.csv: 2 columns are named 'Consumption kWh'; the file has "));
    kit_run_free(&run);
    assert_int_not_equal(access(kit_path("demo/nats"), F_OK), 0);
}

static void missing_file_is_refused(void **state) {
    (void)state;
    struct kit_run run = demo(kit_path("demo"), "/nowhere/readings.csv", NULL);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "/nowhere/readings.csv: No such file or directory"));
    kit_run_free(&run);
}

static void this_host_is_metered(void **state) {
    (void)state;
    struct kit_run run =
        kit_run((const char *const[]){kit_program("weir"), "demo", "--dir", kit_path("demo"), "--rate", "20",
                                      "--readings", "20", "--json", "--exit", NULL},
                NULL, DEMO_S);
    json_doc *doc;
    weir_error err;
    if (run.status != 0)
        fail_msg("exit %d\n%s\n%s", run.status, run.out, run.err);
    expect_ok(json_parse(&doc, weir_text_of(run.out), &err), &err);
    expect_count(json_root(doc), "readings", 20);
    expect_count(json_root(doc), "lost", 0);
    assert_true(json_true(json_get(json_root(doc), "sums_agree")));
    json_doc_free(doc);
    kit_run_free(&run);
}

static const struct spec specs[] = {
    {"readings become payouts and every sum agrees", readings_become_payouts},
    {"a demo killed at any moment is resumed with the same sums", demo_survives_kill},
    {"a file that a kill left half written is no obstacle", a_half_written_file_is_the_demos_own},
    {"a nats-server killed at any moment changes no sum", server_kill_is_survived},
    {"rows that cannot be read are named and the others flow", unreadable_rows_are_named},
    {"a file without the columns and an unknown zone are refused before anything starts",
     readings_that_cannot_be_read_start_nothing},
    {"a file that is not there is refused", missing_file_is_refused},
    {"without a file this host is metered", this_host_is_metered},
};
SPEC_MAIN(specs)
