/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for people (the look of Terraform, which hands know) and as JSON: what plan and apply share. */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "cli/cli.h"
#include "weir/json.h"
#include "weir/plan.h"

struct plan_counts {
    int add, change, destroy, adopt, replace, impossible;
};
struct plan_counts plan_count(const weir_plan *plan);
int plan_steps(const weir_plan *plan); /* that do something */

void plan_print(cli *cli, const weir_plan *plan);
/* The same steps as the difference between two environments, which nobody applies. */
void plan_print_difference(cli *cli, const weir_plan *plan, const char *environment, const char *against);
/* Members of an object that the caller opened: catalog, digest, counts, steps. */
void plan_json(weir_json_writer *json, cli *cli, const weir_plan *plan);
/* The names given by --allow-loss, in an array to mem_free. */
const char **plan_losses(cli *cli);
/* "stream X" or "consumer X/g". */
const char *plan_thing(const weir_step *step);
/* "create", "update", "adopt", "replace", "delete", "impossible", "keep". */
const char *plan_action(const weir_step *step);

#endif
