/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of time, identity and pointers. Each is a small hand-written reader: no allocation, linear in the
 * text; but a regular expression is read as `pattern` reads one. */
#include "schema/formats.h"

#include <stdint.h>

#include "base/text.h"
#include "schema/regex.h"
#include "json/json.h"

static int digit_at(weir_text text, size_t at) {
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9' ? text.data[at] - '0' : -1;
}

static bool is_at(weir_text text, size_t at, char c) {
    return at < text.size && text.data[at] == c;
}

/* The two digits that stand there; beyond every limit when they do not. */
static inline unsigned two_digits(const char *at) {
    unsigned tens = (unsigned char)at[0] - (unsigned)'0', ones = (unsigned char)at[1] - (unsigned)'0';
    return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

static bool full_date(weir_text text) {
    static const unsigned char days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *at = text.data;
    if (text.size != 10 || at[4] != '-' || at[7] != '-')
        return false;
    unsigned century = two_digits(at), year = two_digits(at + 2), month = two_digits(at + 5),
             day = two_digits(at + 8);
    if (century > 99 || year > 99 || month < 1 || month > 12 || day < 1)
        return false;
    if (month != 2 || day != 29)
        return day <= days[month];
    return year % 4 == 0 && (year != 0 || century % 4 == 0);
}

/* RFC 3339 full-time. A leap second stands at 23:59:60 UTC only. */
static bool full_time(weir_text text) {
    const char *at = text.data, *end = at + text.size;
    if (text.size < 9 || at[2] != ':' || at[5] != ':')
        return false;
    unsigned hour = two_digits(at), minute = two_digits(at + 3), second = two_digits(at + 6);
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    at += 8;
    if (*at == '.') {
        const char *fraction = ++at;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        if (at == fraction || at == end)
            return false;
    }
    int offset = 0;
    if (*at == '+' || *at == '-') {
        if (end - at != 6 || at[3] != ':' || two_digits(at + 1) > 23 || two_digits(at + 4) > 59)
            return false;
        offset = (int)(two_digits(at + 1) * 60 + two_digits(at + 4)) * (*at == '-' ? -1 : 1);
    } else if ((*at != 'Z' && *at != 'z') || end - at != 1) {
        return false;
    }
    return second < 60 || ((int)(hour * 60 + minute) - offset + 2880) % 1440 == 23 * 60 + 59;
}

static bool date_time(weir_text text) {
    return text.size > 11 && (text.data[10] == 'T' || text.data[10] == 't') &&
           full_date((weir_text){text.data, 10}) && full_time((weir_text){text.data + 11, text.size - 11});
}

/* Number-unit pairs, the units in the order given and without gaps; at moves on. False when there is none. */
static bool duration_parts(weir_text text, size_t *at, const char *units) {
    const char *next = units;
    bool any = false;
    while (digit_at(text, *at) >= 0) {
        while (digit_at(text, *at) >= 0)
            (*at)++;
        const char *unit = *at < text.size && text.data[*at] ? strchr(next, text.data[*at]) : NULL;
        if (!unit || (any && unit != next))
            return false;
        next = unit + 1;
        any = true;
        (*at)++;
    }
    return any;
}

/* RFC 3339 appendix A: weeks alone, or date parts and T with time parts; no fractions. */
static bool duration(weir_text text) {
    size_t at = 1;
    if (!is_at(text, 0, 'P'))
        return false;
    if (text.size > 2 && text.data[text.size - 1] == 'W')
        return duration_parts(text, &at, "W") && at == text.size;
    bool dates = duration_parts(text, &at, "YMD");
    if (!dates && at != 1)
        return false;
    if (at == text.size)
        return dates;
    if (!is_at(text, at, 'T'))
        return false;
    at++;
    return duration_parts(text, &at, "HMS") && at == text.size;
}

static bool uuid(weir_text text) {
    if (text.size != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        char c = text.data[i], low = (char)(c | 0x20);
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (low >= 'a' && low <= 'f')))
            return false;
    }
    return true;
}

enum { REGEX_STEPS = 8 };

static const struct format formats[] = {
    {"date-time", "a date-time (RFC 3339)", date_time},
    {"date", "a date (YYYY-MM-DD)", full_date},
    {"time", "a time with zone (RFC 3339)", full_time},
    {"duration", "a duration (ISO 8601)", duration},
    {"uuid", "a UUID", uuid},
    {"email", "an email address", format_email},
    {"uri", "a URI", format_uri},
    {"uri-reference", "a URI reference", format_uri_reference},
    {"hostname", "a host name", format_hostname},
    {"ipv4", "an IPv4 address", format_ipv4},
    {"ipv6", "an IPv6 address", format_ipv6},
    {"json-pointer", "a JSON Pointer", json_pointer_valid},
    {"regex", "a regular expression", regex_is_valid, REGEX_STEPS},
};

const struct format *format_find(weir_text name) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (text_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}
