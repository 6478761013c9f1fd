/* SPDX-License-Identifier: Apache-2.0 */
/* What a schema says about one place of its instances: is it described, required, scalar? Follows properties,
 * $ref (inside the catalog's files) and allOf, anyOf, oneOf. A careful guess, not a proof: used for findings
 * only. */
#ifndef CATALOG_SCHEMA_PATH_H
#define CATALOG_SCHEMA_PATH_H

#include "catalog/checking.h"

struct schema_spot {
    bool found;
    bool required; /* on every step of the way */
    bool scalar;   /* text, number, integer or boolean, and stated so */
    bool number;   /* may have a fraction */
    const json *schema;
    const struct source *source; /* where that stands */
};

/* Looks up a pointer into the envelope: below the payload's place in the event's schema, otherwise in the
 * envelope's. */
struct schema_spot schema_spot_of(const struct check *check, const struct event_def *event,
                                  const char *pointer);
/* The same for a pointer into a payload, in the schema of any version; `place`: of that. */
struct schema_spot schema_spot_in(const struct check *check, const json *payload, struct place place,
                                  weir_text pointer);
/* The file a payload schema stands in: its own, or the one its event was written in. */
const struct source *schema_source(const weir_catalog *catalog, const json *root, struct place place);
/* A schema of the `schemas` section, which holds files by their path when a catalog is one document; or NULL. */
const json *schema_section(const weir_catalog *catalog, const char *path);

#endif
