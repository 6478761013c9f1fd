/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and schemas that a command is given by file name, by `-`, or by event type. */
#ifndef CLI_SCHEMA_FILE_H
#define CLI_SCHEMA_FILE_H

#include "catalog/model.h"
#include "cli/cli.h"
#include "schema/schema.h"
#include "json/json.h"

/* Reads one document: YAML when the name ends in .yaml or .yml, otherwise JSON; "-" is JSON on standard input.
 * What cannot be read at all fails as file_read does; what is no such document is INVALID. */
WEIR_MUST_CHECK weir_code document_read(json_doc **out, const char *file, weir_error *err);
bool document_is_yaml(const char *file);

/* A schema as a command's argument names it: a file, or an event type of the catalog when there is no such
 * file. A `$ref` to another document is looked for among the files of --ref: by their $id, or by their name as
 * it is written relative to the schema's folder. No other file is ever opened. */
struct schema_file {
    const json *root;
    const schema *rules;
    const struct event_def *event; /* NULL: it came from a file */
    struct schema_refs *refs;      /* what it stands on */
};

/* Compiles it; the command has NEEDS_CATALOG and an option list `ref`. On failure prints the error and gives
 * *result, the exit code. Release it also then. */
bool schema_file_open(struct schema_file *out, cli *cli, const char *name, bool assert_format, int *result);
void schema_file_release(struct schema_file *file);

/* The row of the option: {SCHEMA_REF_OPTION}, */
#define SCHEMA_REF_OPTION                      \
    "ref", 0, OPTION_LIST, "FILE", NULL, NULL, \
        "another document that the schema refers to, by its $id or by this name"

#endif
