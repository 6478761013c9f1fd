/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog on the servers, as plan and apply tell of it. */
#ifndef CLI_STORED_H
#define CLI_STORED_H

#include "cli/cli.h"
#include "weir/json.h"

/* What is stored now, and whether apply would store the command's catalog. What may not be asked is not
 * known: nothing to store. */
struct stored {
    weir_revision latest; /* number 0: none */
    bool pending;
};
struct stored stored_look(cli *cli);
/* A line on standard output when the catalog is what would change, and nothing else. */
void stored_print(cli *cli, const struct stored *stored, bool plan_empty);
/* Stores it and says so. Prints its error. */
int stored_put(cli *cli);
/* Members of an object that the caller opened: revision, stores. */
void stored_json(weir_json_writer *json, const struct stored *stored);

#endif
