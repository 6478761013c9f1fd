/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Durations, sizes and times, both ways. */
#include "kit/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define DAY (86400 * NS_PER_S)

static void durations_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"250ms", 250 * NS_PER_MS},
        {"5s", 5 * NS_PER_S},
        {"2m", 120 * NS_PER_S},
        {"24h", DAY},
        {"7d", 7 * DAY},
        {"1y", 365 * DAY},
        {"1h30m", 5400 * NS_PER_S},
        {"1y1d1h1m1s1ms1us1ns", 366 * DAY + 3661 * NS_PER_S + 1001001},
        {"forever", 0},
        {"0", 0},
        {"0s", 0},
        {"90d", 90 * DAY},
        {"9223372036854775807ns", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = -1;
        weir_error err;
        expect_ok(duration_parse(&ns, weir_text_of(rows[i].text), &err), &err);
        assert_int_equal(ns, rows[i].ns);
    }
}

static void bad_durations_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"",         "-1s",  "5",    "s",   "5 s",    "1.5h", "5S",
                                       "5sec",     "1m1h", "1m1m", "5s ", " 5s",    "1e3s", "+5s",
                                       "infinity", "5s\n", "00x",  "1d2", "Forever"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = -7;
        weir_error err;
        char message[200];
        snprintf(message, sizeof message, "\"%s\" is not a duration", rows[i]);
        expect_error(duration_parse(&ns, weir_text_of(rows[i]), &err), WEIR_INVALID, &err, message);
        assert_string_equal(err.hint,
                            "write a whole number and a unit, largest first: 250ms, 5s, 2m, 24h, 7d, 1y, "
                            "1h30m, or forever");
        assert_int_equal(ns, -7);
    }
    weir_error err;
    int64_t ns;
    expect_error(duration_parse(&ns, (weir_text){0}, &err), WEIR_INVALID, &err, "\"\" is not a duration");
    assert_int_equal(duration_parse(&ns, weir_text_of("x"), NULL), WEIR_INVALID);
}

static void long_durations_are_refused(void **state) {
    (void)state;
    int64_t ns;
    weir_error err;
    expect_error(duration_parse(&ns, weir_text_of("300y"), &err), WEIR_INVALID, &err,
                 "\"300y\" is longer than 292y, the longest duration");
    assert_string_equal(err.hint, "write forever where no limit is meant");
    expect_error(duration_parse(&ns, weir_text_of("292y292d"), &err), WEIR_INVALID, &err,
                 "\"292y292d\" is longer than 292y, the longest duration");
    expect_error(duration_parse(&ns, weir_text_of("99999999999999999999s"), &err), WEIR_INVALID, &err,
                 "\"99999999999999999999s\" is not a duration");
}

static void durations_are_written_shortest(void **state) {
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {90 * DAY, "90d"},
        {5400 * NS_PER_S, "1h30m"},
        {250 * NS_PER_MS, "250ms"},
        {365 * DAY, "1y"},
        {3 * 365 * DAY, "3y"},
        {366 * DAY, "366d"},
        {DAY, "1d"},
        {1500 * NS_PER_MS, "1s500ms"},
        {-5 * NS_PER_S, "-5s"},
        {1, "1ns"},
        {INT64_MAX, "106751d23h47m16s854ms775us807ns"},
        {INT64_MIN, "-106751d23h47m16s854ms775us808ns"},
    };
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(duration_format(rows[i].ns, text), rows[i].text);
}

static void durations_survive_the_round_trip(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 2000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int64_t ns = (int64_t)(random >> (1 + i % 60)), again = 0;
        char text[UNITS_TEXT_MAX];
        weir_error err;
        expect_ok(duration_parse(&again, weir_text_of(duration_format(ns, text)), &err), &err);
        assert_int_equal(again, ns);
    }
}

static void sizes_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {{"512", 512},        {"0", 0},          {"64KiB", 65536},
                {"1GiB", 1 << 30},   {"1GB", 1 << 30},  {"10MB", 10 << 20},
                {"2TiB", 2LL << 40}, {"unlimited", -1}, {"5B", 5}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes = -7;
        weir_error err;
        expect_ok(size_parse(&bytes, weir_text_of(rows[i].text), &err), &err);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void bad_sizes_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"",       "-1",   "1 GiB",          "1gib",
                                       "1.5GiB", "GiB",  "1GiB2",          "1K",
                                       "1G",     "0x10", "99999999999TiB", "99999999999999999999"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes = -7;
        weir_error err;
        char message[200];
        snprintf(message, sizeof message, "\"%s\" is not a size", rows[i]);
        expect_error(size_parse(&bytes, weir_text_of(rows[i]), &err), WEIR_INVALID, &err, message);
        assert_string_equal(err.hint,
                            "write a whole number of bytes, or one with KiB, MiB, GiB or TiB (KB, MB, GB and "
                            "TB mean the same), or unlimited");
        assert_int_equal(bytes, -7);
    }
}

static void sizes_are_written(void **state) {
    (void)state;
    char text[UNITS_TEXT_MAX];
    assert_string_equal(size_format(-1, text), "unlimited");
    assert_string_equal(size_format(0, text), "0");
    assert_string_equal(size_format(1023, text), "1023");
    assert_string_equal(size_format(65536, text), "64KiB");
    assert_string_equal(size_format(1 << 30, text), "1GiB");
    assert_string_equal(size_format(1536 << 20, text), "1536MiB");
    assert_string_equal(size_format(INT64_MAX, text), "9223372036854775807");
}

static void times_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2025-11-14T12:00:00Z", 1763121600 * NS_PER_S},
        {"2025-11-14T13:00:00+01:00", 1763121600 * NS_PER_S},
        {"2025-11-14t07:30:00-04:30", 1763121600 * NS_PER_S},
        {"2025-11-14T12:00:00.25z", 1763121600 * NS_PER_S + 250 * NS_PER_MS},
        {"2025-11-14T12:00:00.123456789Z", 1763121600 * NS_PER_S + 123456789},
        {"2025-11-14T12:00:00.1234567899999Z", 1763121600 * NS_PER_S + 123456789},
        {"1969-12-31T23:59:59.5Z", -500 * NS_PER_MS},
        {"2000-02-29T00:00:00Z", 951782400 * NS_PER_S},
        {"2016-12-31T23:59:60Z", 1483228800 * NS_PER_S},
        {"2017-01-01T00:59:60+01:00", 1483228800 * NS_PER_S},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = -7;
        weir_error err;
        expect_ok(time_parse(&ns, weir_text_of(rows[i].text), &err), &err);
        assert_int_equal(ns, rows[i].ns);
    }
}

static void bad_times_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "2025-11-14T24:00:00Z",
        "2025-11-14T12:60:00Z",
        "2025-11-14T12:00:61Z",
        "2025-11-14T12:00:60Z",
        "2025-11-14T12:00:00",
        "2025-11-14 12:00:00Z",
        "2025-11-14T12:00Z",
        "2025-11-14T12:00:00.Z",
        "2025-11-14T12:00:00+0100",
        "2025-11-14T12:00:00+24:00",
        "2025-11-14T12:00:00+01:60",
        "2025-11-14",
        "10000-01-01T00:00:00Z",
        "+2025-11-14T12:00:00Z",
        "2025-11-14T12:00:00Zx",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = -7;
        weir_error err;
        char message[200];
        snprintf(message, sizeof message, "\"%s\" is not a time", rows[i]);
        expect_error(time_parse(&ns, weir_text_of(rows[i]), &err), WEIR_INVALID, &err, message);
        assert_string_equal(err.hint,
                            "write a time with its zone as RFC 3339 has it: 2025-11-14T12:00:00Z or "
                            "2025-11-14T13:00:00.250+01:00");
        assert_int_equal(ns, -7);
    }
}

static void far_times_are_a_limit(void **state) {
    (void)state;
    int64_t ns = -7;
    weir_error err;
    expect_error(
        time_parse(&ns, weir_text_of("9999-12-31T23:59:59Z"), &err), WEIR_LIMIT, &err,
        "\"9999-12-31T23:59:59Z\" is outside the years 1677 to 2262, which 64-bit nanoseconds can hold");
    expect_error(
        time_parse(&ns, weir_text_of("0000-01-01T00:00:00Z"), &err), WEIR_LIMIT, &err,
        "\"0000-01-01T00:00:00Z\" is outside the years 1677 to 2262, which 64-bit nanoseconds can hold");
    assert_int_equal(ns, -7);
}

static void times_are_written(void **state) {
    (void)state;
    char text[UNITS_TEXT_MAX];
    assert_string_equal(time_format(0, text), "1970-01-01T00:00:00Z");
    assert_string_equal(time_format(1763121600 * NS_PER_S, text), "2025-11-14T12:00:00Z");
    assert_string_equal(time_format(1763121600 * NS_PER_S + 5 * NS_PER_MS, text), "2025-11-14T12:00:00.005Z");
    assert_string_equal(time_format(1763121600 * NS_PER_S + 5, text), "2025-11-14T12:00:00.000000005Z");
    assert_string_equal(time_format(-1, text), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(time_format(INT64_MIN, text), "1677-09-21T00:12:43.145224192Z");
    assert_string_equal(time_format(INT64_MAX, text), "2262-04-11T23:47:16.854775807Z");
}

static void times_survive_the_round_trip(void **state) {
    (void)state;
    for (int64_t ns = INT64_MIN; ns < INT64_MAX - 40000 * DAY / 17; ns += 40000 * DAY / 17) {
        int64_t again = 0;
        char text[UNITS_TEXT_MAX];
        weir_error err;
        expect_ok(time_parse(&again, weir_text_of(time_format(ns, text)), &err), &err);
        assert_int_equal(again, ns);
    }
}

static void days_follow_the_calendar(void **state) {
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t expected = time_days(0, 1, 1);
    assert_int_equal(time_days(1970, 1, 1), 0);
    assert_int_equal(time_days(2000, 3, 1), 11017);
    for (int year = 0; year <= 9999; year++)
        for (int month = 1; month <= 12; month++) {
            assert_int_equal(time_days(year, month, 1), expected);
            bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);
            expected += lengths[month - 1] + (month == 2 && leap);
        }
}

static const struct spec specs[] = {
    {"durations are read with units and as sums", durations_are_read},
    {"negative, empty, unit-less and disordered durations are refused", bad_durations_are_refused},
    {"durations that do not fit are refused", long_durations_are_refused},
    {"durations are written in their shortest exact form", durations_are_written_shortest},
    {"durations survive the round trip", durations_survive_the_round_trip},
    {"sizes are read and GB means what nats-server means", sizes_are_read},
    {"bad sizes are refused", bad_sizes_are_refused},
    {"sizes are written with the largest exact unit", sizes_are_written},
    {"times are read with zone, fraction and leap second", times_are_read},
    {"dates that do not exist and times without zone are refused", bad_times_are_refused},
    {"times beyond 64-bit nanoseconds are a limit and not an error of form", far_times_are_a_limit},
    {"times are written in UTC with as many decimals as they need", times_are_written},
    {"times survive the round trip", times_survive_the_round_trip},
    {"days follow the calendar from year 0 to 9999", days_follow_the_calendar},
};
SPEC_MAIN(specs)
