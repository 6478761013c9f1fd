/* SPDX-License-Identifier: Apache-2.0 */
/* The values of `format` we can check. Pure functions over text. */
#ifndef SCHEMA_FORMATS_H
#define SCHEMA_FORMATS_H

#include <stdbool.h>

#include "weir/text.h"

struct format {
    const char *name;
    const char *noun; /* "a date-time" */
    bool (*check)(weir_text text);
    unsigned steps; /* what one look costs beside its length, where that is much (schema/run.h) */
};

const struct format *format_find(weir_text name); /* NULL: unknown, never fails */

/* formats_net.c */
bool format_email(weir_text text);
bool format_hostname(weir_text text);
bool format_ipv4(weir_text text);
bool format_ipv6(weir_text text);
bool format_uri(weir_text text);
bool format_uri_reference(weir_text text);

/* formats_idn.c: does a label that begins with xn-- stand for one that IDNA 2008 allows? At most 63 bytes. */
bool format_a_label(weir_text label);

#endif
