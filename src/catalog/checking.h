/* SPDX-License-Identifier: Apache-2.0 */
/* What the check functions share: the run, saying something at its place, and the questions many rules ask. */
#ifndef CATALOG_CHECKING_H
#define CATALOG_CHECKING_H

#include "catalog/check.h"
#include "catalog/report.h"
#include "catalog/source.h"

struct check {
    const weir_catalog *catalog;
    weir_report *report;
    arena *arena;  /* of the run */
    map *patterns; /* of events whose subject is a template, by type */
    enum rule_symbol rule;
};

#define X(symbol, code, name, severity, says, remedy, function) void function(struct check *check);
CHECK_RULES(X)
#undef X

#define found(check, place, ...) report_add((check)->report, (check)->rule, (place), __VA_ARGS__)

/* Where a key or item below a definition was written: checking_at(check, stream->place, "streams", name,
 * "subjects", "0", NULL). The deepest step that exists counts; what was inherited stands at the definition. */
struct place checking_at(const struct check *check, struct place definition, ...) __attribute__((sentinel));
/* The same for item `index` of a list. */
struct place checking_item(const struct check *check, struct place definition, const char *section,
                           const char *name, const char *key, size_t index);

/* The pattern of an event's subject: parameters become `*`. */
weir_text checking_pattern(const struct check *check, const struct event_def *event);
/* A pattern that is malformed has its finding already and takes no part in comparisons. */
bool checking_usable(const char *pattern);
/* Does any group read this event? */
bool checking_read(const struct check *check, const struct event_def *event);

#endif
