/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base store event */
/* sources: examples/energy-union/csv.c examples/energy-union/sql.c */
/* How the energy-union embassy reads meter files: rows, times, numbers. */
#include "../../examples/energy-union/csv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit/spec.h"

static void expect_time(const char *text, const char *rule, const char *expected) {
    weir_error err;
    char out[32];
    setenv("TZ", "UTC", 1);
    tzset();
    expect_ok(csv_time(out, text, rule, &err), &err);
    assert_string_equal(out, expected);
}

static void reads_hour_ending(void **state) {
    (void)state;
    expect_time("11/25/2011 01:00:00", "auto", "2011-11-25T01:00:00Z");
    expect_time("11/25/2011 00:00:00", "auto", "2011-11-26T00:00:00Z");
    expect_time("12/31/2011 00:00:00", "auto", "2012-01-01T00:00:00Z");
    expect_time("02/28/2012 00:00", "auto", "2012-02-29T00:00:00Z");
    expect_time("11/25/2011 00:00:00", "instant", "2011-11-25T00:00:00Z");
}

static void reads_other_times(void **state) {
    (void)state;
    expect_time("2024-03-01T12:30:00Z", "auto", "2024-03-01T12:30:00Z");
    expect_time("2024-03-01T12:30:00.123+02:00", "auto", "2024-03-01T10:30:00Z");
    expect_time("2024-03-01 00:00", "auto", "2024-03-01T00:00:00Z");
    expect_time("1700000000", "auto", "2023-11-14T22:13:20Z");
}

static void reads_in_a_zone(void **state) {
    (void)state;
    char out[32];
    weir_error err;
    setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
    tzset();
    expect_ok(csv_time(out, "01/15/2012 13:00:00", "auto", &err), &err);
    assert_string_equal(out, "2012-01-15T18:00:00Z");
    expect_ok(csv_time(out, "07/15/2012 13:00:00", "auto", &err), &err);
    assert_string_equal(out, "2012-07-15T17:00:00Z");
}

static void refuses_times(void **state) {
    (void)state;
    weir_error err;
    char out[32];
    expect_error(csv_time(out, "2012-02-30 01:00", "auto", &err), WEIR_INVALID, &err,
                 "'2012-02-30 01:00' is no time I know (2011-11-25T01:00:00Z, 11/25/2011 01:00:00, seconds "
                 "since 1970)");
    expect_error(csv_time(out, "2012-02-03 01:00 CET", "auto", &err), WEIR_INVALID, &err,
                 "'2012-02-03 01:00 CET' has an unreadable zone ' CET' (Z, +02:00)");
    expect_error(csv_time(out, "", "auto", &err), WEIR_INVALID, &err,
                 "'' is no time I know (2011-11-25T01:00:00Z, 11/25/2011 01:00:00, seconds since 1970)");
}

static void splits_rows(void **state) {
    (void)state;
    weir_error err;
    struct csv_row row;
    char line[] = "a,\"b, \"\"c\"\"\",,d\r\n";
    expect_ok(csv_split(&row, line, &err), &err);
    assert_int_equal(row.count, 4);
    assert_string_equal(row.fields[1], "b, \"c\"");
    assert_string_equal(row.fields[2], "");
    assert_string_equal(row.fields[3], "d");
    char open_quote[] = "a,\"b\n";
    expect_error(csv_split(&row, open_quote, &err), WEIR_INVALID, &err,
                 "field 2 has an opening quote and no closing one");
}

static void keeps_numbers(void **state) {
    (void)state;
    weir_error err;
    char out[64];
    expect_ok(csv_number(out, sizeof out, " 0.390 ", &err), &err);
    assert_string_equal(out, "0.390");
    expect_ok(csv_number(out, sizeof out, "+.5", &err), &err);
    assert_string_equal(out, "0.5");
    expect_error(csv_number(out, sizeof out, "1,5", &err), WEIR_INVALID, &err, "'1,5' is no number");
    expect_error(csv_number(out, sizeof out, "", &err), WEIR_INVALID, &err, "'' is no number");
    expect_error(csv_number(out, sizeof out, "NaN", &err), WEIR_INVALID, &err, "'NaN' is no number");
}

static const struct spec specs[] = {
    {"an hour that ends at midnight belongs to the next day", reads_hour_ending},
    {"times with a zone, without one, and in seconds are read", reads_other_times},
    {"a time without a zone is read in the zone given", reads_in_a_zone},
    {"a time that does not exist is refused with what is accepted", refuses_times},
    {"rows are split as RFC 4180 says", splits_rows},
    {"numbers keep their digits", keeps_numbers},
};
SPEC_MAIN(specs)
