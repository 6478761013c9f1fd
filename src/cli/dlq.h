/* SPDX-License-Identifier: Apache-2.0 */
/* What the dlq commands share: which letters are meant, and how they are shown. */
#ifndef CLI_DLQ_H
#define CLI_DLQ_H

#include "cli/run.h"
#include "deadletter/deadletter.h"

/* The rows --group, --type and --class. */
#define DLQ_FILTER_OPTIONS                                                                   \
    {"group", 'g', OPTION_TEXT, "GROUP", NULL, NULL, "only letters of this group"},          \
        {"type", 't', OPTION_TEXT, "TYPE", NULL, NULL, "only letters of this event type"}, { \
        "class", 0, OPTION_TEXT, "CLASS", NULL, NULL, "only letters of this class of error", \
            .choices = "schema|rejected|handler|timeout|crash|expired"                       \
    }

struct deadletter_filter dlq_filter(const cli *cli);
/* The letter as JSON without the original (show gives that too). */
void dlq_json(weir_json_writer *json, const struct deadletter *letter);

/* Resolving by name, by filter, or all: the one way of retry and drop. */
struct dlq_action {
    const char *verb, *done; /* "retry", "retried" */
    weir_code (*resolve)(cli *cli, const struct deadletter *letter, weir_error *err);
    bool confirm; /* asks before it resolves what was not named one by one, unless --yes */
};
int dlq_resolve(cli *cli, const struct dlq_action *action);

#endif
