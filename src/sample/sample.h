/* SPDX-License-Identifier: Apache-2.0 */
/* Documents made from a JSON Schema with a seed: valid ones, nearly valid ones, and witnesses that are valid
 * under one schema and refused by another. Construction goes by the compiled schema and guesses where it cannot
 * know; every document is run through the schema before it is given away, so what it says is so.
 *
 * The same schemas, options and order of calls give the same documents on every machine. Bounded in time
 * (`effort`), depth and size; a schema that refers to itself ends. One thread. */
#ifndef SAMPLE_SAMPLE_H
#define SAMPLE_SAMPLE_H

#include <stdint.h>

#include "base/text.h"
#include "schema/schema.h"

typedef struct sampler sampler;

enum {
    SAMPLE_BYTES = 1 << 20, /* of one document, unless stated */
    SAMPLE_EFFORT = 20000 /* values tried for one document, unless stated; a value costs some microseconds */
};

struct sample_options {
    uint64_t seed;
    /* Objects also get properties that nobody declared, where the schema lets them; otherwise only those it
     * describes (by properties, patternProperties or a schema for the additional ones) or needs to be valid. */
    bool open;
    /* A document whose values are taken now and then, each at its place, where they fit; or NULL. It must
     * outlive the sampler. */
    const json *example;
    size_t bytes_max; /* 0: SAMPLE_BYTES */
    size_t effort;    /* 0: SAMPLE_EFFORT */
};

/* `schema` must outlive the sampler. options may be NULL: seed 0. */
sampler *sampler_new(const schema *schema, const struct sample_options *options);
void sampler_free(sampler *sampler); /* NULL is fine */

/* From now on documents are valid under this schema too. A value or a shape at a place of the document is
 * forced by a schema that says so: {"properties": {"a": {"const": 1}}, "required": ["a"]}. */
void sampler_also(sampler *sampler, const schema *schema);
/* From now on documents are refused by this schema: with it, sampler_valid looks for witnesses. The search is
 * directed: it breaks one rule of `schema` after the other while it keeps those of the sampler's own. */
void sampler_never(sampler *sampler, const schema *schema);

/* Appends one document as compact JSON, valid under the sampler's schemas and refused by those of
 * sampler_never. False when none was found: nothing is appended, and nobody knows whether there is one. */
bool sampler_valid(sampler *sampler, buffer *out);

/* Appends a document that the sampler's first schema refuses, as nearly valid as was found: most often for one
 * reason alone (a required property missing, a bound passed by one, a wrong type, ...). *what (may be NULL) is
 * the first thing the schema says is wrong; its texts live until the sampler's next use. False as above. */
bool sampler_invalid(sampler *sampler, buffer *out, const struct schema_problem **what);

#endif
