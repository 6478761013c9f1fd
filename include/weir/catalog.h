/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: which events exist, where they flow, who may touch them, how long they live. */
#ifndef WEIR_CATALOG_H
#define WEIR_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/connection.h"
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

/* --- the catalog on the servers ---------------------------------------------------------------------------
 *
 * `weir apply` stores the catalog's bundle on the servers it applies to, as the next revision; the last 20 are
 * kept. Programs open it from there, so that what runs is what was applied, and are told of newer ones. To read
 * it an identity needs no more than
 *   publish:   $JS.API.DIRECT.GET.<CATALOG>_CATALOG._weir.catalog.<name>
 *              $JS.API.DIRECT.GET.<CATALOG>_CATALOG._weir.catalog.<name>.>
 *   subscribe: _weir.catalog.<name>     (for the watch; without it, news come within a minute)
 * when it names the catalog; to find the only one there is, or an older revision, it needs rights to ask
 * $JS.API.STREAM.LIST and $JS.API.STREAM.MSG.GET.<CATALOG>_CATALOG. */

typedef struct weir_revision {
    uint64_t number;      /* 1 is the first; 0: there is none */
    char catalog[33];     /* its name */
    char digest[65];      /* weir_catalog_digest */
    char environment[33]; /* that was applied with it; "" for none */
    char written_by[33];  /* "weir 0.1.0" */
    char stored[33];      /* when, RFC 3339 */
} weir_revision;

/* Opens the catalog `name` from the servers: "shop" is its latest revision, "shop@7" revision 7, "shop@1a2b3c4d"
 * the one whose digest begins so. NULL or "" is the only catalog there is. What is read is verified by its
 * digest and checked like a folder, with the overlay of `environment` (NULL: none); *report as of weir_catalog_open. NOT_FOUND when there is none; INVALID (the
 * names in the hint) when there are several and none is named. revision and report may be NULL. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_catalog_fetch(weir_catalog **out, weir_connection *connection,
                                                         const char *name, const char *environment,
                                                         weir_revision *revision, weir_report **report,
                                                         weir_error *err);

/* Stores the catalog as its next revision, unless the latest has its digest; *stored (may be NULL) says which.
 * Its stream must exist: store after weir_plan_apply. *revision (may be NULL) is the latest afterwards; number 0
 * for a catalog with `managed: false`, which is not stored. CONFLICT when another one was stored meanwhile. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_catalog_store(weir_connection *connection,
                                                         const weir_catalog *catalog, weir_revision *revision,
                                                         bool *stored, weir_error *err);
/* What `name` is now on the servers, without reading it. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_catalog_revision(weir_revision *out, weir_connection *connection,
                                                            const char *name, weir_error *err);

/* Tells of every newer revision than `known`, from a thread of its own, one call at a time. The receiver owns
 * `catalog` and closes it when nothing borrows it any more. When a revision cannot be used (it does not check, it
 * is damaged) catalog is NULL and err says why: stay with what you have; each is told once. It must not close the
 * watch from within. */
typedef struct weir_catalog_watch weir_catalog_watch;
typedef void (*weir_on_revision)(void *arg, const weir_revision *revision, weir_catalog *catalog,
                                 const weir_error *err);
/* Borrows connection until close; closed before weir_disconnect. known->catalog names what is watched. */
WEIR_EXPORT WEIR_MUST_CHECK weir_code weir_catalog_watch_open(weir_catalog_watch **out,
                                                              weir_connection *connection,
                                                              const weir_revision *known,
                                                              weir_on_revision on_revision, void *arg,
                                                              weir_error *err);
WEIR_EXPORT void
weir_catalog_watch_close(weir_catalog_watch *watch); /* no call runs after it; NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
