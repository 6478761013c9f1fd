/* SPDX-License-Identifier: Apache-2.0 */
/* Reading meter files: RFC 4180 rows, and the times people write in them. Pure functions over one line. */
#ifndef ENERGY_UNION_CSV_H
#define ENERGY_UNION_CSV_H

#include "weir/weir.h"

enum { CSV_FIELDS_MAX = 64, CSV_LINE_MAX = 8192 };

struct csv_row {
    char *fields[CSV_FIELDS_MAX];
    size_t count;
};

/* Splits a line in place (quotes removed, CR and LF cut). INVALID for an open quote or more than
 * CSV_FIELDS_MAX fields. */
weir_code csv_split(struct csv_row *row, char *line, weir_error *err);

/* A time as RFC 3339 UTC. Accepted: 2011-11-25T01:00:00Z (any offset), 2011-11-25 01:00[:00] and 11/25/2011
 * 01:00[:00] in the zone of the process (TZ), and seconds since 1970. With rule "hour-ending" a zoneless
 * 00:00 is the end of the named day: the next midnight. Rule "auto" means hour-ending for month/day/year
 * times and "instant" for the rest. */
weir_code csv_time(char out[32], const char *text, const char *rule, weir_error *err);

/* A decimal that JSON can carry as it is; leading "+", spaces and a bare ".5" are mended. */
weir_code csv_number(char *out, size_t size, const char *text, weir_error *err);

#endif
