/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and sizes are whole numbers with a unit from a table, read and written by the same rows. Times
 * are RFC 3339; the calendar is the proleptic Gregorian one, counted in days with years that begin in March
 * (the leap day comes last). */
#include "base/units.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"

#define NS_PER_DAY (24 * 3600 * NS_PER_S)

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"y", 365 * NS_PER_DAY}, {"d", NS_PER_DAY}, {"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S},
    {"s", NS_PER_S},         {"ms", NS_PER_MS}, {"us", NS_PER_US},      {"ns", 1},
};
enum { DURATION_UNITS = sizeof duration_units / sizeof *duration_units };

static const struct unit size_units[] = {
    {"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"TB", 1LL << 40},
    {"GB", 1LL << 30},  {"MB", 1LL << 20},  {"KB", 1LL << 10},  {"B", 1},
};
enum { SIZE_UNITS = sizeof size_units / sizeof *size_units, SIZE_UNITS_WRITTEN = 4 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Eats digits at *at; false when there are none or the number passes int64_t. */
static bool eat_number(int64_t *number, weir_text text, size_t *at) {
    size_t start = *at;
    *number = 0;
    for (; *at < text.size && is_digit(text.data[*at]); ++*at)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, text.data[*at] - '0', number))
            return false;
    return *at > start;
}

/* Eats letters at *at and finds their unit from row `from` on; -1 when there is none. */
static int eat_unit(const struct unit *units, int from, int count, weir_text text, size_t *at) {
    size_t start = *at;
    while (*at < text.size && !is_digit(text.data[*at]))
        ++*at;
    for (int i = from; i < count; i++)
        if (text_is((weir_text){text.data + start, *at - start}, units[i].name))
            return i;
    return -1;
}

static weir_code bad_duration(weir_error *err, weir_text text) {
    weir_fail(err, WEIR_INVALID, "\"%.*s\" is not a duration", text.size > 60 ? 60 : (int)text.size,
              text.data ? text.data : "");
    return weir_hint(
        err, "write a whole number and a unit, largest first: 250ms, 5s, 2m, 24h, 7d, 1y, 1h30m, or forever");
}

weir_code duration_parse(int64_t *ns, weir_text text, weir_error *err) {
    if (text_is(text, "forever") || text_is(text, "0")) {
        *ns = 0;
        return WEIR_OK;
    }
    if (!text.data || text.size == 0)
        return bad_duration(err, text);
    int64_t sum = 0;
    int next = 0; /* units must descend: 1m1m is a slip of the pen */
    for (size_t at = 0; at < text.size;) {
        int64_t number;
        if (!eat_number(&number, text, &at))
            return bad_duration(err, text);
        int unit = eat_unit(duration_units, next, DURATION_UNITS, text, &at);
        if (unit < 0)
            return bad_duration(err, text);
        if (__builtin_mul_overflow(number, duration_units[unit].factor, &number) ||
            __builtin_add_overflow(sum, number, &sum)) {
            weir_fail(err, WEIR_INVALID, "\"%.*s\" is longer than 292y, the longest duration",
                      text.size > 60 ? 60 : (int)text.size, text.data);
            return weir_hint(err, "write forever where no limit is meant");
        }
        next = unit + 1;
    }
    *ns = sum;
    return WEIR_OK;
}

const char *duration_format(int64_t ns, char buffer[UNITS_TEXT_MAX]) {
    uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    size_t size = 0;
    if (ns < 0)
        buffer[size++] = '-';
    if (left == 0)
        return memcpy(buffer, "0s", 3);
    uint64_t year = (uint64_t)duration_units[0].factor;
    for (int i = left % year == 0 ? 0 : 1; left; i++) {
        uint64_t factor = (uint64_t)duration_units[i].factor;
        if (left >= factor)
            size += (size_t)snprintf(buffer + size, UNITS_TEXT_MAX - size, "%llu%s",
                                     (unsigned long long)(left / factor), duration_units[i].name);
        left %= factor;
    }
    return buffer;
}

weir_code size_parse(int64_t *bytes, weir_text text, weir_error *err) {
    if (text_is(text, "unlimited")) {
        *bytes = -1;
        return WEIR_OK;
    }
    int64_t number = 0;
    size_t at = 0;
    bool good = text.data && eat_number(&number, text, &at);
    if (good && at < text.size) {
        int unit = eat_unit(size_units, 0, SIZE_UNITS, text, &at);
        good =
            unit >= 0 && at == text.size && !__builtin_mul_overflow(number, size_units[unit].factor, &number);
    }
    if (good) {
        *bytes = number;
        return WEIR_OK;
    }
    weir_fail(err, WEIR_INVALID, "\"%.*s\" is not a size", text.size > 60 ? 60 : (int)text.size,
              text.data ? text.data : "");
    return weir_hint(
        err,
        "write a whole number of bytes, or one with KiB, MiB, GiB or TiB (KB, MB, GB and TB mean the same), "
        "or unlimited");
}

const char *size_format(int64_t bytes, char buffer[UNITS_TEXT_MAX]) {
    if (bytes < 0)
        return memcpy(buffer, "unlimited", sizeof "unlimited");
    for (int i = 0; i < SIZE_UNITS_WRITTEN && bytes > 0; i++) {
        if (bytes % size_units[i].factor)
            continue;
        snprintf(buffer, UNITS_TEXT_MAX, "%lld%s", (long long)(bytes / size_units[i].factor),
                 size_units[i].name);
        return buffer;
    }
    snprintf(buffer, UNITS_TEXT_MAX, "%lld", (long long)bytes);
    return buffer;
}

int64_t time_days(int year, int month, int day) {
    int64_t y = year - (month <= 2); /* the year that began last March */
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of_days(int64_t days, int *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

static bool date_exists(int year, int month, int day) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* Reads a fixed pattern: 9 is a digit (gathered into the next number), anything else stands for itself. A
 * digit run ends a number. */
static bool scan(weir_text text, size_t *at, const char *pattern, int *numbers) {
    bool inside = false;
    numbers--;
    for (; *pattern; pattern++, ++*at) {
        if (*at == text.size)
            return false;
        char c = text.data[*at];
        if (*pattern != '9') {
            if (c != *pattern && !(*pattern == 'T' && c == 't'))
                return false;
            inside = false;
            continue;
        }
        if (!is_digit(c))
            return false;
        if (!inside)
            *++numbers = 0;
        inside = true;
        *numbers = *numbers * 10 + (c - '0');
    }
    return true;
}

/* ".123": up to nine digits count, finer ones are cut. */
static bool scan_fraction(weir_text text, size_t *at, int64_t *ns) {
    *ns = 0;
    if (*at == text.size || text.data[*at] != '.')
        return true;
    size_t start = ++*at;
    int64_t worth = NS_PER_S / 10;
    for (; *at < text.size && is_digit(text.data[*at]); ++*at, worth /= 10)
        *ns += worth * (text.data[*at] - '0');
    return *at > start;
}

/* "Z" or "+hh:mm", in minutes. */
static bool scan_zone(weir_text text, size_t *at, int *minutes) {
    *minutes = 0;
    if (*at == text.size)
        return false;
    char sign = text.data[(*at)++];
    if (sign == 'Z' || sign == 'z')
        return true;
    int numbers[2];
    if ((sign != '+' && sign != '-') || !scan(text, at, "99:99", numbers) || numbers[0] > 23 ||
        numbers[1] > 59)
        return false;
    *minutes = (numbers[0] * 60 + numbers[1]) * (sign == '-' ? -1 : 1);
    return true;
}

weir_code time_parse(int64_t *wall_ns, weir_text text, weir_error *err) {
    int part[6] = {0}, zone = 0;
    int64_t fraction = 0;
    size_t at = 0;
    bool good = text.data && scan(text, &at, "9999-99-99T99:99:99", part) &&
                scan_fraction(text, &at, &fraction) && scan_zone(text, &at, &zone) && at == text.size &&
                date_exists(part[0], part[1], part[2]) && part[3] <= 23 && part[4] <= 59 && part[5] <= 60;
    int64_t minutes = part[3] * 60 + part[4] - zone;
    if (good && part[5] == 60) /* a leap second is the last of a day in UTC */
        good = (minutes + 24 * 60) % (24 * 60) == 24 * 60 - 1;
    if (!good) {
        weir_fail(err, WEIR_INVALID, "\"%.*s\" is not a time", text.size > 60 ? 60 : (int)text.size,
                  text.data ? text.data : "");
        return weir_hint(err, "write a time with its zone as RFC 3339 has it: 2025-11-14T12:00:00Z or "
                              "2025-11-14T13:00:00.250+01:00");
    }
    int64_t seconds = time_days(part[0], part[1], part[2]) * 86400 + minutes * 60 + part[5];
    __int128 ns = (__int128)seconds * NS_PER_S + fraction;
    if (ns > INT64_MAX || ns < INT64_MIN)
        return weir_fail(err, WEIR_LIMIT,
                         "\"%.*s\" is outside the years 1677 to 2262, which 64-bit nanoseconds can hold",
                         (int)text.size, text.data);
    *wall_ns = (int64_t)ns;
    return WEIR_OK;
}

/* The number in decimal, `width` digits; snprintf would cost more than the rest of an event's envelope. */
static char *put_digits(char *out, int64_t number, int width) {
    for (int i = width - 1; i >= 0; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    return out + width;
}

const char *time_format(int64_t wall_ns, char buffer[UNITS_TEXT_MAX]) {
    int64_t seconds = wall_ns / NS_PER_S, fraction = wall_ns % NS_PER_S;
    if (fraction < 0) {
        fraction += NS_PER_S;
        seconds--;
    }
    int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
    int of_day = (int)(seconds - days * 86400);
    int parts[6] = {0, 0, 0, of_day / 3600, of_day / 60 % 60, of_day % 60};
    date_of_days(days, &parts[0], &parts[1], &parts[2]);
    char *out = put_digits(buffer, parts[0], 4);
    for (int i = 1; i < 6; i++) {
        *out++ = "--T::"[i - 1];
        out = put_digits(out, parts[i], 2);
    }
    if (fraction) {
        *out++ = '.';
        bool whole_ms = fraction % NS_PER_MS == 0;
        out = put_digits(out, whole_ms ? fraction / NS_PER_MS : fraction, whole_ms ? 3 : 9);
    }
    *out++ = 'Z';
    *out = 0;
    return buffer;
}
