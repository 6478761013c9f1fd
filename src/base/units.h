/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, sizes and times as people write them. Pure functions. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#include "weir/error.h"
#include "weir/text.h"

enum { UNITS_TEXT_MAX = 40 };
#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* "250ms" "5s" "2m" "24h" "7d" "1y" (365d), sums like "1h30m"; "forever" and "0" give 0, which JetStream
 * reads as no limit. Negative, empty, unit-less and overlong values are WEIR_INVALID with the accepted forms
 * as hint. */
WEIR_MUST_CHECK weir_code duration_parse(int64_t *ns, weir_text text, weir_error *err);
/* The shortest exact form ("90d", "1h30m", "250ms", "0s"); 1y only for multiples of 365d. Returns buffer. */
const char *duration_format(int64_t ns, char buffer[UNITS_TEXT_MAX]);
/* "64KiB" "1GiB" "1GB" (both 2^30, as nats-server reads it) "512" bytes; "unlimited" gives -1. */
WEIR_MUST_CHECK weir_code size_parse(int64_t *bytes, weir_text text, weir_error *err);
const char *size_format(int64_t bytes, char buffer[UNITS_TEXT_MAX]);
/* RFC 3339 with zone; digits finer than nanoseconds are cut; a leap second (23:59:60 UTC) is the next day's
 * first. WEIR_INVALID when it is no time; WEIR_LIMIT when it is one that 64-bit nanoseconds cannot hold
 * (before 1677, after 2262): *wall_ns is untouched then. */
WEIR_MUST_CHECK weir_code time_parse(int64_t *wall_ns, weir_text text, weir_error *err);
/* "2025-11-14T12:00:00Z", with .mmm or .nnnnnnnnn only when not zero. Returns buffer. */
const char *time_format(int64_t wall_ns, char buffer[UNITS_TEXT_MAX]);
/* Days since 1970-01-01 of a proleptic Gregorian date. Does not check the date. */
int64_t time_days(int year, int month, int day);

#endif
