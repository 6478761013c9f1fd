/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle: a whole catalog as one JSON document, in the catalog's own format. Defaults and classes are
 * resolved, schemas and the envelope are inside; environments stand in it as data, so that one digest names
 * the catalog wherever it runs. Which files hold what, and in which order, makes no difference to its bytes. */
#ifndef CATALOG_BUNDLE_H
#define CATALOG_BUNDLE_H

#include "catalog/model.h"

/* Appends the bundle as it stands in files and on the servers: one line that states its format, its digest
 * and the catalog itself. */
void catalog_bundle(buffer *out, const weir_catalog *catalog);

/* Makes the resolved catalog (catalog->bundle) and its digest, of a catalog that was read without errors,
 * before an environment is applied. LIMIT when it is larger than LIMIT_BUNDLE_BYTES. */
WEIR_MUST_CHECK weir_code bundle_make(weir_catalog *catalog, weir_error *err);

/* Reads what catalog_bundle wrote: sets catalog->bundle and its digest, which must be the one stated, and
 * gives the catalog's document, the caller's. `name` says in errors what was read. INVALID: no bundle, of a
 * newer format, damaged. */
WEIR_MUST_CHECK weir_code bundle_read(json_doc **out, weir_catalog *catalog, weir_text text, const char *name,
                                      weir_error *err);

#endif
