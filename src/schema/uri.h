/* SPDX-License-Identifier: Apache-2.0 */
/* URIs (RFC 3986): taking apart, resolving a reference against a base, decoding percents. Pure functions. */
#ifndef SCHEMA_URI_H
#define SCHEMA_URI_H

#include <stdbool.h>

#include "base/memory.h"

struct uri {
    weir_text scheme, authority, path, query, fragment; /* absent when not written; path never is */
};

struct uri uri_split(weir_text text);
/* RFC 3986 section 5.2; the result has no fragment. base may be empty or relative. */
weir_text uri_resolve(struct arena *arena, weir_text base, weir_text reference);
/* %41 becomes A. False when a percent is not followed by two hex digits. */
bool uri_decode(struct arena *arena, weir_text *out, weir_text text);
int uri_hex(char c); /* 0..15, or -1 */

#endif
