/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the json room: what a document is made of, and how a tree with places is built (by yaml.c). */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <yyjson.h>

#include "base/limits.h"
#include "json/json.h"

struct json_doc {
    yyjson_doc *tree;
    char *file; /* of a yaml_parse tree, otherwise NULL */
    struct place
        *places; /* of each value and key in preorder, the order the values stand in memory; or NULL */
};

/* Looks for what yyjson lets pass. `at` is the offending value in preorder, `first` the key it repeats. */
enum tree_fault { TREE_SOUND, TREE_TOO_DEEP, TREE_DUPLICATE_KEY };
struct tree_check {
    uint32_t *table; /* scratch for large objects, kept between checks; mem_free it */
    size_t capacity;
    uint64_t seed[2];
    size_t at, first;
};
enum tree_fault tree_check(struct tree_check *check, const yyjson_doc *tree);

/* Builds a tree value by value, in the order they are written. An object takes a key before each value. */
struct tree_builder {
    yyjson_mut_doc *doc;
    yyjson_mut_val *open[LIMIT_JSON_DEPTH], *key;
    int depth;
    struct place *places;
    size_t count, capacity;
    char *file;
};
void tree_begin(struct tree_builder *builder, const char *file);
void tree_release(struct tree_builder *builder);
bool tree_wants_key(const struct tree_builder *builder); /* an object is open, and no key is waiting */
bool tree_full(const struct tree_builder *builder);      /* nothing more may be opened */
void tree_open(struct tree_builder *builder, enum json_type type, int line, int column);
void tree_close(struct tree_builder *builder);
void tree_key(struct tree_builder *builder, weir_text key, int line, int column);
void tree_scalar(struct tree_builder *builder, enum json_type type, weir_text text, int line, int column);
/* The finished document; the builder is released. */
json_doc *tree_end(struct tree_builder *builder);

#endif
