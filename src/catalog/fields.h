/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a YAML mapping by a table of its fields. One row says a key's name, form, bounds and where the
 * value goes; unknown keys, wrong types and bad values become findings at their place, and the rest is still
 * read. */
#ifndef CATALOG_FIELDS_H
#define CATALOG_FIELDS_H

#include "catalog/source.h"

/* A value in the catalog's files, with what it is called in sentences. */
struct node {
    const struct source *source;
    const json *value;
    struct place place; /* of its key, where it has one */
    const char *what;   /* "stream 'STREAM_RWA'" */
};

enum field_kind {
    FIELD_OTHER,    /* known, but read by the caller */
    FIELD_TEXT,     /* const char *: a string that is not empty */
    FIELD_BOOL,     /* bool: exactly true or false */
    FIELD_INT,      /* int in least..most */
    FIELD_COUNT,    /* int64_t from 1, or -1 for `unlimited` */
    FIELD_DURATION, /* int64_t nanoseconds; 0 for `forever` */
    FIELD_SIZE,     /* int64_t bytes from 1, or -1 for `unlimited` */
    FIELD_CHOICE,   /* int: the index in choices */
    FIELD_TEXTS,    /* LIST(const char *) */
    FIELD_DURATIONS /* LIST(int64_t) */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    int64_t least, most;        /* of an INT; both 0: any. TEXTS with least 1 may also be a single text */
    const char *const *choices; /* ends in NULL */
};

struct fields {
    const struct field *rows; /* at most 64 */
    size_t count;
};
#define FIELDS(rows) \
    { (rows), sizeof(rows) / sizeof *(rows) }

/* Reads into target what the mapping states; *stated gets a bit per row that was there and right. Returns
 * false when the node is no mapping (with a finding). A NULL value (a key without value) reads as an empty
 * mapping. */
bool fields_read(struct sources *sources, const struct node *node, const struct fields *fields, void *target,
                 uint64_t *stated);
/* Copies the stated values. */
void fields_merge(const struct fields *fields, void *to, const void *from, uint64_t stated);
/* Was this key stated? */
bool fields_stated(const struct fields *fields, uint64_t stated, const char *key);

/* A member of a mapping; its value is NULL when absent. what is "<node's what>". */
struct node node_member(const struct node *node, const char *key);
/* Steps through a mapping's members as nodes; what is "<noun> '<key>'". Not a mapping: a finding, and no
 * steps. */
struct members {
    struct node parent;
    struct json_iter iter;
    const char *noun;
    const char *name; /* of the member */
    struct node node;
};
struct members members_of(struct sources *sources, const struct node *node, const char *noun);
bool members_next(struct sources *sources, struct members *members);

/* A mapping or a scalar has another form than it must: "<what>: <key> must be <form>, is <what it is>". */
void node_wrong_type(struct sources *sources, const struct node *node, const char *key, struct place place,
                     const json *value, const char *form);

void node_unknown_key(struct sources *sources, const struct node *node, weir_text key, struct place place,
                      const struct fields *fields);

/* Is it 1..32 characters of a-z, 0-9 and -? Otherwise a finding. */
bool node_name_check(struct sources *sources, const struct node *node, const char *noun, const char *name);

#endif
