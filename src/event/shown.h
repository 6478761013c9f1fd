/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text inside our own sentences: escaped, so that it cannot forge a line or move a cursor, and cut,
 * so that a megabyte of it does not push the rest of the sentence out. */
#ifndef EVENT_SHOWN_H
#define EVENT_SHOWN_H

#include "weir/text.h"

enum { SHOWN_MAX = 160 };

/* Writes text as it may be shown, at most about 100 bytes of it, and returns out. Absent gives "". */
const char *shown(char out[SHOWN_MAX], weir_text text);

#endif
