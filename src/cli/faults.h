/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with files that were held to a schema, for people and as JSON: `event validate` and
 * `schema validate` say it the same way. */
#ifndef CLI_FAULTS_H
#define CLI_FAULTS_H

#include "base/list.h"
#include "cli/cli.h"
#include "schema/schema.h"
#include "weir/json.h"
#include "json/json.h"

/* One thing that is wrong. Texts live in the arena of its file. */
struct fault {
    const char *pointer, *keyword, *message;
    const char *where;  /* in the schema; NULL: not shown */
    struct place place; /* in the file; line 0: not known */
};

/* A run over files. Zeroed but for cli and arena to begin with. */
struct faults {
    cli *cli;
    arena *arena;                  /* of one file; reset behind each */
    bool wheres;                   /* say where in the schema */
    bool first;                    /* one fault of each file is enough */
    const json_doc *doc;           /* of the file at hand, for lines of YAML; may be NULL */
    LIST(struct fault) items;      /* of the file at hand */
    struct weir_json_writer *json; /* NULL: for people */
    size_t files, invalid;
};

/* Under --json: opens {"NAME":"value","files":[ */
void faults_begin(struct faults *faults, const char *name, const char *value);
void faults_add(struct faults *faults, const char *place, const char *pointer, const char *keyword,
                const char *message);
/* Runs the schema (NULL: nothing to hold to) and adds what it finds, each pointer behind `place`. */
void faults_check(struct faults *faults, schema_run *run, const schema *rules, const json *value,
                  const char *place);
/* The file at hand is done: says what was found and forgets it. */
void faults_file(struct faults *faults, const char *file);
/* Closes the object, says "WHAT: 2 of 3 not valid", and gives the exit code. */
int faults_end(struct faults *faults, const char *what);
void faults_release(struct faults *faults);

#endif
