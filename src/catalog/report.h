/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting findings: at most LIMIT_CATALOG_FINDINGS (LIMIT_OBSERVED_FINDINGS), errors before warnings before notes when it gets
 * tight. */
#ifndef CATALOG_REPORT_H
#define CATALOG_REPORT_H

#include "catalog/rules.h"
#include "weir/catalog.h"
#include "json/json.h"

weir_report *report_new(void);
/* Adds a finding; texts are copied. A place without a file stands for the first line of catalog.yaml. The
 * same sentence at the same place is kept once. */
void report_add(weir_report *report, enum rule_symbol rule, struct place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds the finding an error of a lower room stands for. When its message begins with a place in place.file
 * ("FILE:3:5: ..." or "line 3, column 5: ..."), the finding stands there. */
void report_error(weir_report *report, enum rule_symbol rule, struct place place, const weir_error *err);
/* Replaces the remedy of the finding just added. */
void report_remedy(weir_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "did you mean 'x'?" when a word is near; otherwise the remedy stays. */
void report_suggest(weir_report *report, const char *word, const char *const *words, size_t count);
/* In reading order: catalog.yaml first, then by file, line and column. */
void report_sort(weir_report *report);
/* From here on what a check rule would call an error is a warning: the catalog describes what runs already. */
void report_demote(weir_report *report);
size_t report_errors(const weir_report *report); /* all of them, also those past the bound */
/* The first error as an error: "FILE:LINE:COLUMN: message", the remedy as hint. */
weir_code report_fail(const weir_report *report, weir_error *err);

#endif
