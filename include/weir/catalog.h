/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: which events exist, where they flow, who may touch them, how long they live. */
#ifndef WEIR_CATALOG_H
#define WEIR_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/error.h"
#include "weir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable once open: any number of threads may share it. */
typedef struct weir_catalog weir_catalog;

typedef enum weir_severity { WEIR_SEVERITY_ERROR, WEIR_SEVERITY_WARNING, WEIR_SEVERITY_NOTE } weir_severity;

/* One finding of a check. Texts live as long as the report. */
typedef struct weir_finding {
    const char *rule; /* "C012" */
    const char *name; /* "stream-subjects-overlap" */
    weir_severity severity;
    const char *file;    /* relative to the catalog's folder */
    int line, column;    /* from 1 */
    const char *message; /* a sentence */
    const char *remedy;  /* what to do */
} weir_finding;

typedef struct weir_report weir_report;

/* Reads the catalog in folder `dir` (its catalog.yaml and every other *.yaml beside and below it) and runs
 * every check. With `environment` (may be NULL) the overlay of that name is applied. *report (if report is
 * not NULL) is always set, also on failure; free it. Fails with WEIR_INVALID when a finding is an error: err
 * holds the first one; with WEIR_NOT_FOUND when there is no such folder, catalog.yaml or environment. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_catalog_open(weir_catalog **out, const char *dir,
                                                        const char *environment, weir_report **report,
                                                        weir_error *err);
/* The same from a bundle, the whole catalog as one document (`weir check -o FILE`). `name` is what findings and
 * errors call it. The digest it states is verified. weir_catalog_open takes a bundle's path too. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_catalog_open_bundle(weir_catalog **out, weir_text bundle,
                                                               const char *name, const char *environment,
                                                               weir_report **report, weir_error *err);
WEIR_EXPORT void weir_catalog_close(weir_catalog *catalog); /* NULL is fine */

WEIR_EXPORT size_t weir_report_count(const weir_report *report);
WEIR_EXPORT const weir_finding *weir_report_at(const weir_report *report, size_t index);
WEIR_EXPORT void weir_report_free(weir_report *report);

WEIR_EXPORT const char *weir_catalog_name(const weir_catalog *catalog);
WEIR_EXPORT const char *
weir_catalog_digest(const weir_catalog *catalog); /* sha256 of the resolved catalog, hex */

#ifdef __cplusplus
}
#endif
#endif
