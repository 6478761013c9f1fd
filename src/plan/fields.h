/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a stream's and a consumer's configuration that weir states, as rows: how each is compared,
 * shown and whether the server can change it. Fields without a row (placement, compression, sampling, ...)
 * belong to the operator and are sent back as they are. */
#ifndef PLAN_FIELDS_H
#define PLAN_FIELDS_H

#include "base/memory.h"
#include "weir/plan.h"
#include "json/json.h"

enum field_kind {
    KIND_TEXT,
    KIND_BOOL,
    KIND_NUMBER,
    KIND_COUNT,    /* 0, -1 and absent mean unlimited */
    KIND_BYTES,    /* likewise */
    KIND_AGE,      /* nanoseconds; 0 is forever */
    KIND_TIME,     /* nanoseconds */
    KIND_SUBJECTS, /* a set: order does not matter */
    KIND_NONE      /* must not be there at all */
};

enum field_rule {
    FIELD_FREE,      /* the server changes it in place */
    FIELD_FIXED,     /* never changes */
    FIELD_STAYS_ON,  /* true for good once it is true */
    FIELD_WORKQUEUE, /* retention: anything but to or from workqueue */
    FIELD_PULL       /* a pull consumer cannot become a push consumer, nor back */
};

struct field_row {
    const char *name;
    enum field_kind kind;
    enum field_rule rule;
    const char *usual; /* what an absent member means, as it is shown */
};

extern const struct field_row stream_rows[]; /* end with a row whose name is NULL */
extern const struct field_row consumer_rows[];

const struct field_row *field_find(const struct field_row *rows, weir_text name); /* NULL: not ours */

/* The value of a field as people write it, in normal form: equal texts are equal values. Lives in arena. */
const char *field_show(arena *arena, const struct field_row *row, const json *config);
/* The number behind a field; unlimited (and forever) is INT64_MAX. */
int64_t field_number(const struct field_row *row, const json *config);

#endif
