/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sql.h"

weir_code csv_split(struct csv_row *row, char *line, weir_error *err) {
    row->count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *in = line;; in++) {
        if (row->count == CSV_FIELDS_MAX)
            return fail(err, WEIR_LIMIT, "the row has more than %d fields", CSV_FIELDS_MAX);
        char *out = in;
        row->fields[row->count++] = out;
        if (*in == '"') {
            for (in++; *in && (*in != '"' || in[1] == '"'); in++) {
                if (*in == '"')
                    in++;
                *out++ = *in;
            }
            if (*in++ != '"')
                return fail(err, WEIR_INVALID, "field %zu has an opening quote and no closing one",
                            row->count);
        } else {
            while (*in && *in != ',')
                *out++ = *in++;
        }
        char end = *in;
        *out = 0;
        if (end == 0)
            return WEIR_OK;
        if (end != ',')
            return fail(err, WEIR_INVALID, "field %zu has text after its closing quote", row->count);
    }
}

static bool real_date(const struct tm *tm) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = tm->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
           tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1) && tm->tm_hour >= 0 &&
           tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 && tm->tm_sec < 60;
}

/* The offset of "Z", "+02:00", "-0500" in seconds; false when the text is none of them. */
static bool read_offset(const char *text, long *seconds) {
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *seconds = 0;
        return true;
    }
    int hours, minutes, used = 0;
    char sign;
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 &&
        sscanf(text, "%c%2d%2d%n", &sign, &hours, &minutes, &used) != 3)
        return false;
    if ((sign != '+' && sign != '-') || text[used] || hours > 23 || minutes > 59)
        return false;
    *seconds = (sign == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
    return true;
}

/* Reads date and clock; *rest is what follows (a zone, or nothing); *slashes tells month/day/year. */
static bool read_clock(const char *text, struct tm *tm, const char **rest, bool *slashes) {
    int used = 0;
    *tm = (struct tm){.tm_isdst = -1};
    *slashes = sscanf(text, "%2d/%2d/%4d %2d:%2d%n", &tm->tm_mon, &tm->tm_mday, &tm->tm_year, &tm->tm_hour,
                      &tm->tm_min, &used) == 5;
    if (!*slashes) {
        char between;
        used = 0;
        if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d%n", &tm->tm_year, &tm->tm_mon, &tm->tm_mday, &between,
                   &tm->tm_hour, &tm->tm_min, &used) != 6 ||
            (between != 'T' && between != 't' && between != ' '))
            return false;
    }
    int more = 0;
    if (sscanf(text + used, ":%2d%n", &tm->tm_sec, &more) == 1)
        used += more;
    if (text[used] == '.')
        for (used++; isdigit((unsigned char)text[used]); used++)
            ;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    *rest = text + used;
    return real_date(tm);
}

weir_code csv_time(char out[32], const char *text, const char *rule, weir_error *err) {
    struct tm tm;
    const char *rest;
    bool slashes;
    char *end = NULL;
    time_t at;
    long offset = 0;
    long long seconds = strtoll(text, &end, 10);
    if (*text && *end == 0 && strlen(text) >= 9 && strlen(text) <= 11) {
        at = (time_t)seconds;
    } else if (!read_clock(text, &tm, &rest, &slashes)) {
        return fail(
            err, WEIR_INVALID,
            "'%.40s' is no time I know (2011-11-25T01:00:00Z, 11/25/2011 01:00:00, seconds since 1970)",
            text);
    } else if (*rest) {
        if (!read_offset(rest, &offset))
            return fail(err, WEIR_INVALID, "'%.40s' has an unreadable zone '%.10s' (Z, +02:00)", text, rest);
        at = timegm(&tm) - offset;
    } else {
        bool hour_ending = strcmp(rule, "hour-ending") == 0 || (strcmp(rule, "auto") == 0 && slashes);
        if (hour_ending && tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0)
            tm.tm_mday += 1; /* mktime carries it into the next month */
        at = mktime(&tm);
    }
    struct tm utc;
    gmtime_r(&at, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return WEIR_OK;
}

weir_code csv_number(char *out, size_t size, const char *text, weir_error *err) {
    const char *start = text + strspn(text, " \t");
    size_t length = strlen(start);
    while (length && (start[length - 1] == ' ' || start[length - 1] == '\t'))
        length--;
    if (length && *start == '+') {
        start++;
        length--;
    }
    snprintf(out, size, "%s%.*s", length && *start == '.' ? "0" : "", (int)length, start);
    weir_decimal value;
    if (length == 0 || length + 2 > size || weir_decimal_parse(&value, weir_text_of(out), NULL) != WEIR_OK)
        return fail(err, WEIR_INVALID, "'%.40s' is no number", text);
    return WEIR_OK;
}
