/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle: a whole catalog as one JSON document, in the catalog's own format. Defaults and classes are
 * resolved, schemas and the envelope are inside; environments stand in it as data, so that one digest names
 * the catalog wherever it runs. Which files hold what, and in which order, makes no difference to its bytes.
 */
#ifndef CATALOG_BUNDLE_H
#define CATALOG_BUNDLE_H

#include "catalog/model.h"

/* Appends the bundle of an open catalog. */
void catalog_bundle(buffer *out, const weir_catalog *catalog);

/* Makes the bundle and the digest of a catalog that was read without errors, before an environment is
 * applied. */
void bundle_make(weir_catalog *catalog);

#endif
