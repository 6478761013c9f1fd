/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema draft 2020-12: compiled once to a program, run many times over a JSON tree.
 * The only door to PCRE2 (regex.c). Knows nothing of catalogs or NATS: `json` and `base` only.
 *
 * Threads: a compiled schema is immutable and may be run by many threads, each with its own schema_run. */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "json/json.h"

typedef struct schema schema;

struct schema_options {
    /* Finds the document of a $ref that is not inside `root`, and of a $schema that is not 2020-12, by its
     * URI: resolved against base_uri or $id, without fragment. NULL, or returning NULL, refuses it. The
     * returned tree must outlive the schema. We touch neither net nor file: the caller decides. */
    const json *(*resolve)(void *arg, weir_text uri);
    void *arg;
    const char *base_uri; /* NULL: none */
    bool assert_format;   /* `format` is checked for the formats we know; unknown formats never fail */
};

/* Compiles. The tree must outlive the schema. Errors name the JSON Pointer inside the schema, the keyword and
 * what is wrong ("#/properties/id/pattern: ..."). `options` may be NULL. */
WEIR_MUST_CHECK weir_code schema_compile(schema **out, const json *root, const struct schema_options *options,
                                         weir_error *err);
void schema_free(schema *schema); /* NULL is fine */
/* The value that the message of a failed schema_compile points at, or the nearest around it; NULL when it speaks
 * of another document. */
const json *schema_blamed(const json *root, const char *message);

/* One thing that is wrong with an instance. All texts live in the run until its next use. The pointers are
 * exact, so they hold property names as they were sent: show them with buffer_printable. Messages are
 * printable. */
struct schema_problem {
    const char *instance; /* JSON Pointer to the value, "" is the whole document */
    const char *keyword; /* "required", "pattern", ...; "false" for the schema false, "schema" for a budget */
    const char *where;   /* JSON Pointer to the keyword in the schema, starting with '#'; URI and '#' if that
                            stands in another document */
    const char *message; /* a sentence without the pointer: "must be at least 1, is -3" */
};

/* Scratch memory of one thread. */
typedef struct schema_run schema_run;
schema_run *schema_run_new(void);
void schema_run_free(schema_run *run);

/* True when valid. No allocation on the valid path once warmed up. Otherwise problems are collected: the
 * first, or up to LIMIT_SCHEMA_ERRORS when `all`. A regular expression over its match budget makes the
 * instance invalid. */
bool schema_valid(schema_run *run, const schema *schema, const json *instance, bool all);
/* json_pool_parse and schema_valid in one: what the schema says about keys is not asked twice, which saves a sixth of both. Fails,
 * and sets *root and *valid to nothing meant, when the text is no JSON. */
WEIR_MUST_CHECK weir_code schema_read(const json **root, bool *valid, schema_run *run, const schema *schema,
                                      json_pool *pool, weir_text text, bool all, weir_error *err);
size_t schema_problem_count(const schema_run *run);
const struct schema_problem *schema_problem_at(const schema_run *run, size_t index);

#endif
