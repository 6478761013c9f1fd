/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas leave the files they were written in: for the bundle, and to stand alone. */
#ifndef CATALOG_SCHEMA_COPY_H
#define CATALOG_SCHEMA_COPY_H

#include "catalog/model.h"
#include "catalog/source.h"

/* Appends the schema `value`, which stands in the file `from` (a path), as JSON. What a `$ref` says before its # is rewritten where it
 * names another file: `rename` gets the file's path and returns what to write instead (of `arena`, or longer). */
void schema_copy(buffer *out, const json *value, const char *from,
                 const char *(*rename)(void *arg, const char *path), void *arg, arena *arena);

/* Appends the schema as a document of its own (pretty): `$id` is `id`, and every file it refers to, directly or
 * through others, stands in its `$defs` with an `$id` of its own. It is compiled once without the catalog, so what
 * is written does stand alone; otherwise INVALID says why not. */
WEIR_MUST_CHECK weir_code schema_standalone(buffer *out, const weir_catalog *catalog, const json *schema,
                                            const struct source *from, const char *id, weir_error *err);
/* The id of a schema of this catalog: "weir:shop/order.placed/v1". Characters that a URI cannot hold are escaped. */
const char *schema_id(arena *arena, const weir_catalog *catalog, const char *what);

#endif
