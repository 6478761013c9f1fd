/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of a stream's and a consumer's configuration that nats-server 2.15 has, as rows: how it is
 * compared and shown, whether the server can change it, and whose it is. What weir does not state belongs to
 * the operator and is sent back as it is; so is a field of a newer server, which has no row. */
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
    KIND_RAW       /* anything, shown as JSON; empty is none. Where weir states it, it must not be there */
};

/* What an update may do to the field. */
enum field_rule {
    FIELD_IN_PLACE,
    FIELD_FOR_GOOD,     /* may be switched on, and never off again */
    FIELD_NEW_STREAM,   /* fixed when the stream is made */
    FIELD_RETENTION,    /* limits and interest in place; to or from workqueue needs a new stream */
    FIELD_ONLY_REMOVED, /* may be taken away, never set or altered */
    FIELD_NEW_CONSUMER, /* fixed when the consumer is made */
    FIELD_PUSH,         /* in place, but never between push and pull */
    FIELD_NAME,         /* the thing's identity */
    FIELD_IGNORED       /* an update leaves it as it was */
};

enum field_owner { OWNER_WEIR, OWNER_OPERATOR };

struct field_row {
    const char *name;
    enum field_kind kind;
    enum field_rule rule;
    enum field_owner owner;
    const char *usual; /* what an absent member means, as it is shown */
};

extern const struct field_row stream_rows[]; /* end with a row whose name is NULL */
extern const struct field_row consumer_rows[];

const struct field_row *field_find(const struct field_row *rows, weir_text name); /* NULL: no row */

/* What the server says to a change from `before` to `after`, two different values as field_show gives them. */
enum field_verdict {
    VERDICT_IN_PLACE,
    VERDICT_FOR_GOOD,
    VERDICT_NEW_STREAM,
    VERDICT_NEW_CONSUMER,
    VERDICT_NEVER
};
enum field_verdict field_judge(const struct field_row *row, const char *before, const char *after);

/* The value of a field as people write it, in normal form: equal texts are equal values. Lives in arena. */
const char *field_show(arena *arena, const struct field_row *row, const json *config);
/* The number behind a field; unlimited (and forever) is INT64_MAX. */
int64_t field_number(const struct field_row *row, const json *config);

#endif
