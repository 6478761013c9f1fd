/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of a catalog, compared as lines "C012 catalog.yaml:14:5 the message". Needs the room catalog. */
#ifndef KIT_FINDINGS_H
#define KIT_FINDINGS_H

#include "weir/catalog.h"

/* Opens the catalog in `folder` and demands exactly these findings, in this order, ended by NULL; an opened
 * catalog is closed again. */
void expect_findings(const char *folder, const char *const *lines);
/* The same, with the lines that catalog.yaml in `folder` begins with: "# expect: C012 catalog.yaml:14:5 the
 * message". Returns the first of them (valid until the next call); fails the test when there is none. */
const char *expect_findings_inside(const char *folder);
/* A copy of text with the first `old` replaced; `old` must be there. Lives as long as the program. */
const char *kit_replace(const char *text, const char *old, const char *new_text);
/* A small catalog without any finding, as text: stream ORDERS, event order.placed, group billing, service
 * shop. */
extern const char kit_shop[];

#endif
