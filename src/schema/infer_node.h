/* SPDX-License-Identifier: Apache-2.0 */
/* Inside inference: what is counted at one place of the samples. */
#ifndef SCHEMA_INFER_NODE_H
#define SCHEMA_INFER_NODE_H

#include "base/list.h"
#include "schema/infer.h"

enum infer_kind {
    KIND_NULL,
    KIND_BOOLEAN,
    KIND_INTEGER,
    KIND_NUMBER,
    KIND_STRING,
    KIND_ARRAY,
    KIND_OBJECT,
    KIND_COUNT
};

struct infer_member {
    weir_text name;
    infer_node *node;
};

/* Words that may become an enum, and hashes to count different values by. Made when a first scalar comes. */
struct infer_values {
    uint64_t hashes[INFER_DISTINCT];
    size_t count;
    bool more; /* than could be counted */
    weir_text words[INFER_ENUM_WORDS];
    size_t word_count;
    bool no_enum; /* a value that must not be repeated, or too many */
};

struct infer_node {
    size_t seen[KIND_COUNT];
    const infer_node *parent; /* the object whose property it is, or NULL */
    unsigned formats;         /* a bit for each of infer_formats that every text had so far */
    bool secret; /* its name, or one around it, speaks of secrets or persons; or its name is data */
    bool open;   /* a property found no room */
    struct infer_values *values;
    infer_node *items; /* of arrays; NULL: none, or too deep */
    LIST(struct infer_member) members;
    infer_node *others; /* values under keys that are data */
    bool map;           /* so many keys that all are data */
};

extern const char *const infer_formats[];  /* ends in NULL */
unsigned infer_formats_of(weir_text text); /* a bit for each that fits */
bool infer_secret_name(weir_text name);
bool infer_word(weir_text text); /* may it be repeated in an enum? */

size_t infer_seen(const infer_node *node); /* of any kind */

#endif
