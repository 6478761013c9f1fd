/* SPDX-License-Identifier: Apache-2.0 */
/* The rule table, and running it over a catalog. A rule is a pure function of the model: no server, no clock. */
#ifndef CATALOG_CHECK_H
#define CATALOG_CHECK_H

#include "catalog/model.h"
#include "catalog/rules.h"

struct check; /* one run, src/catalog/checking.h */

struct rule {
    const char *code; /* "C101" */
    const char *name; /* "stream-subjects-overlap" */
    weir_severity severity;
    const char *says;                   /* a sentence for the reference */
    const char *remedy;                 /* what to do, unless a finding knows better */
    void (*check)(struct check *check); /* NULL: raised while the files are read */
};

size_t rule_count(void);
const struct rule *rule_at(size_t index);
const struct rule *rule_of(enum rule_symbol symbol);

/* What a server does with a catalog that breaks the rule ("refuses the stream (10052)"), for rules that predict
 * it; otherwise NULL. */
const char *rule_prediction(const struct rule *rule);

/* Runs every rule that has a function. After errors of reading only the rules for errors: what they left out
 * of the model would make the others say things that are not so. */
void catalog_check(const weir_catalog *catalog, weir_report *report);

#endif
