/* SPDX-License-Identifier: Apache-2.0 */
/* A draft schema from sample documents: what somebody would write down who looked at all of them. Every
 * sample that was added is valid under the draft. Types (integer apart from number, null as one of several),
 * required = there in every sample, formats that every text has, objects used as maps (keys that are data)
 * as additionalProperties. Memory is bounded whatever comes: INFER_* below.
 *
 * Nothing of a sample is repeated but property names and, as `enum`, a few short words that come again and
 * again: never in a property whose name speaks of secrets or persons, never anything that looks like a
 * number, an address, a token or a key. */
#ifndef SCHEMA_INFER_H
#define SCHEMA_INFER_H

#include "weir/json.h"
#include "json/json.h"

enum {
    INFER_DEPTH = 12,       /* below it nothing is said */
    INFER_NODES = 1000,     /* places of one kind of document; further properties are not described */
    INFER_MEMBERS = 64,     /* properties of one object; with more it is a map */
    INFER_NAME_BYTES = 64,  /* longer property names are data */
    INFER_DISTINCT = 64,    /* values told apart at one place */
    INFER_ENUM_WORDS = 8,   /* of an enum */
    INFER_ENUM_SAMPLES = 20 /* fewer samples make no enum */
};

typedef struct infer infer;
typedef struct infer_node infer_node; /* one place in the documents; lives as long as its infer */

infer *infer_new(void);
void infer_free(infer *infer); /* NULL is fine */
void infer_add(infer *infer, const json *sample);
/* After the last sample: objects with many rare properties are taken for maps. */
void infer_settle(infer *infer);
size_t infer_samples(const infer *infer);

/* The place a JSON Pointer leads to through properties; NULL when no sample had it. "" is the document. */
const infer_node *infer_at(const infer *infer, weir_text pointer);

/* What is known of a place. */
struct infer_facts {
    size_t seen;          /* how often it was there */
    bool always;          /* whenever the object around it was there */
    bool object;          /* always an object */
    bool scalar;          /* always a text, an integer or a boolean */
    size_t distinct;      /* different values, at most INFER_DISTINCT */
    bool distinct_is_all; /* all of them are counted */
};
struct infer_facts infer_facts_of(const infer_node *node);
/* Steps through the properties of a place: false at the end; start with *cursor = 0. */
bool infer_next(const infer_node *node, size_t *cursor, weir_text *name, const infer_node **member);

/* Writes the draft, and a made-up document that is valid under it. NULL: of anything at all. */
void infer_write_schema(const infer_node *node, weir_json_writer *json);
void infer_write_example(const infer_node *node, weir_json_writer *json);

/* Does this token look like a value (an id, a number, a date) rather than a word somebody chose? `strong` is
 * certain even for one alone; `weak` (a1, order-17) needs company. */
enum token_look { TOKEN_WORD, TOKEN_WEAK, TOKEN_STRONG };
enum token_look token_look(weir_text token);

#endif
