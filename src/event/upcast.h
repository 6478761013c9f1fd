/* SPDX-License-Identifier: Apache-2.0 */
/* Older versions of an event type, and the steps that bring a payload of one of them up. Pure: text and steps in,
 * text out.
 *
 *   versions:
 *     1:
 *       payload: {...}
 *       up: [{move: /qty, to: /quantity}, {rename: /site, to: site_id}, {default: /unit, value: kWh},
 *            {set: /kind, value: stock}, {drop: /old}]
 *
 * `up` leads to the next higher version that is listed, or to the current one; the ways of several versions are
 * gone in order. Pointers are into the payload and lead through objects only: an array is one value, which can be
 * moved as a whole. What a step is to move, rename or drop and is not there is no fault: the newer schema says
 * whether it may be absent. */
#ifndef EVENT_UPCAST_H
#define EVENT_UPCAST_H

#include "base/list.h"
#include "schema/schema.h"
#include "json/json.h"

struct event_def;

/* The words of steps, one row each: word, its second field (NULL: it has none), what it does. */
#define UPCAST_WORDS(X)                                                                                    \
    X(MOVE, "move", "to", "to another place, where nothing may be yet; objects on the way are made")       \
    X(RENAME, "rename", "to", "another name in the same object, which no other member may have")           \
    X(DEFAULT, "default", "value", "what a member gets that is absent; null is a value; objects are made") \
    X(SET, "set", "value", "what a member becomes, whatever it was; objects on the way are made")          \
    X(DROP, "drop", NULL, "a member goes")

enum upcast_word {
#define X(symbol, ...) UPCAST_##symbol,
    UPCAST_WORDS(X)
#undef X
        UPCAST_COUNT
};

struct upcast_row {
    const char *word, *field;
};
extern const struct upcast_row upcast_rows[UPCAST_COUNT];

struct upcast_step {
    enum upcast_word word;
    weir_text at;      /* pointer: what it is about */
    weir_text to;      /* MOVE: pointer; RENAME: the new name */
    const json *value; /* DEFAULT, SET */
    struct place place;
};

/* An older version of an event type: stored events may still have it, and it may still be published. */
struct version_def {
    int version;
    struct place place;
    const json *payload;
    const schema *schema; /* NULL when it did not compile (there is a finding then) */
    const json *example;  /* or NULL */
    const json *up;       /* as written; NULL: nothing leads up from here */
    bool broken;          /* a step could not be read (there is a finding then) */
    LIST(struct upcast_step) steps;
};

/* The pointer to what a step leaves behind; absent for DROP. Lives in the arena, or as long as the step. */
weir_text upcast_target(const struct upcast_step *step, arena *memory);

/* The listed older version of that number, or NULL. */
const struct version_def *event_version(const struct event_def *def, int version);
/* The compiled schema of any listed version, the current one included; NULL for others. */
const schema *event_version_schema(const struct event_def *def, int version);

/* Where the way from a version leads one step further: the next higher one listed, or the current one; 0 when none does. */
int upcast_next(const struct event_def *def, int version);
/* The highest version that `version` can be brought to: itself when nothing leads up from it. */
int upcast_reach(const struct event_def *def, int version);

/* Appends the payload of version `from` as one of version `to` (of the way: upcast_next, again and again) as JSON
 * text. The result is not held against a schema. INVALID says which version, step and pointer fails, and why: "version 1 to 2, step 2:
 * rename /site: the payload has /site_id already". LIMIT when it outgrows `out`. */
WEIR_MUST_CHECK weir_code upcast_run(buffer *out, const struct event_def *def, const json *payload, int from,
                                     int to, arena *memory, weir_error *err);

#endif
