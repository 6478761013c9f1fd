/* SPDX-License-Identifier: Apache-2.0 */
/* What the outbox commands share. */
#ifndef CLI_OUTBOX_H
#define CLI_OUTBOX_H

#include "cli/cli.h"
#include "store/outbox.h"
#include "weir/json.h"

/* Opens the outbox of the first argument; NULL after printing why not. */
outbox *outbox_of(cli *cli);
const char *outbox_state_name(enum outbox_state state); /* "pending" ... */
/* Writes a row as one JSON object. */
void outbox_row_json(weir_json_writer *json, const struct outbox_view *row);
void outbox_print_json(cli *cli, weir_json_writer *json); /* prints a line and frees */
int64_t outbox_now_us(void);
/* A position given as argument; -1 after printing a usage error. */
int64_t outbox_position(cli *cli, size_t index, int *code);

#endif
