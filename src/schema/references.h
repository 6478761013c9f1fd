/* SPDX-License-Identifier: Apache-2.0 */
/* Where schemas stand: documents, the resources in them ($id), anchors, and finding what a $ref means. */
#ifndef SCHEMA_REFERENCES_H
#define SCHEMA_REFERENCES_H

#include "base/map.h"
#include "schema/keywords.h"
#include "schema/program.h"

/* A subschema's place. */
struct spot {
    const json *value;
    struct resource *resource;
    const char *where; /* "#/$defs/id", with the document's URI in front when it is not the root document */
};

struct library {
    size_t place_bytes; /* of all spots */
    struct arena *arena;
    struct schema *schema;
    const struct schema_options *options; /* never NULL */
    struct map *resources;                /* URI -> struct resource */
    struct map *spots;                    /* address of a json -> struct spot */
    struct map *places;                   /* spot.where -> struct spot */
    LIST(struct resource *) all;
};

void library_init(struct library *library, struct schema *schema, const struct schema_options *options);
void library_release(struct library *library);

/* Registers a document: every subschema in it, with their $id and anchors. */
WEIR_MUST_CHECK weir_code library_add(struct library *library, struct spot **out, const json *root,
                                      weir_text uri, const char *where, weir_error *err);
/* What `reference`, written in `from`, refers to. *anchor is the fragment when that names an anchor. */
WEIR_MUST_CHECK weir_code library_find(struct library *library, struct spot **out, weir_text *anchor,
                                       const struct resource *from, weir_text reference, weir_error *err);
/* The place of a subschema that library_add has seen. */
struct spot *library_spot(const struct library *library, const json *value);

/* metaschema.c: one of the draft's own documents, or NULL. */
const json *metaschema_find(struct schema *schema, weir_text uri);
#define DRAFT_URI "https://json-schema.org/draft/2020-12/"

#endif
