/* SPDX-License-Identifier: Apache-2.0 */
/* The check rules for people: listed, explained one by one, and as the reference page. Each returns an exit code. */
#ifndef CLI_CHECK_RULES_H
#define CLI_CHECK_RULES_H

#include "cli/cli.h"

int rules_list(cli *cli);                      /* a table, or {"rules":[...]} */
int rules_explain(cli *cli, const char *rule); /* "C101" or "stream-subjects-overlap" */
int rules_reference(cli *cli);                 /* Markdown, or as rules_list under --json */

#endif
