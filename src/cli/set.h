/* SPDX-License-Identifier: Apache-2.0 */
/* --set name=value: members written over a JSON document. Pure functions. */
#ifndef CLI_SET_H
#define CLI_SET_H

#include "base/memory.h"
#include "json/json.h"

enum { SET_DEPTH_MAX = 16 };

/* One --set: where, and the JSON that goes there. */
struct set {
    const char *name; /* as written */
    weir_text path[SET_DEPTH_MAX];
    size_t depth;
    weir_text value; /* JSON */
};

/* Reads "site.id=7" or "/site/id=7". A value that reads as a JSON number, true, false, null or a quoted
 * string is that, anything else is a string as it stands. INVALID names what is wrong. Texts live in memory
 * or in `text`. */
WEIR_MUST_CHECK weir_code set_parse(struct set *out, const char *text, arena *memory, weir_error *err);

/* Writes base (NULL: an empty object) with the sets put in, later ones over earlier ones. Objects on the way
 * are made; an array's item must be there. What is not set stays as it was written, numbers included. */
WEIR_MUST_CHECK weir_code set_write(buffer *out, const json *base, const struct set *sets, size_t count,
                                    weir_error *err);

#endif
