/* SPDX-License-Identifier: Apache-2.0 */
/* The public JSON Schema test suite (github.com/json-schema-org/JSON-Schema-Test-Suite), which is not part of
 * this repository: WEIR_SCHEMA_SUITE names its folder, or it lies at ../shared/data/json-schema-test-suite. */
#ifndef KIT_SUITE_H
#define KIT_SUITE_H

#include "weir/text.h"

/* The suite's folder; NULL when it is not here. */
const char *kit_suite(void);
/* The same, and ends the case as skipped when it is not here. */
const char *kit_suite_needed(void);

/* Every *.json below a folder of the suite, by name; with those in its folders when `deep`. `name` is relative to
 * `folder`. Returns how many there were. */
int kit_suite_each(const char *folder, bool deep,
                   void (*visit)(void *arg, const char *name, weir_text content), void *arg);

#define KIT_SUITE_REQUIRED "tests/draft2020-12"
/* Where the suite's remote documents are served, by its own convention. */
#define KIT_SUITE_REMOTES "http://localhost:1234/"

#endif
