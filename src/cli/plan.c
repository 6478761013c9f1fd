/* SPDX-License-Identifier: Apache-2.0 */
/* weir plan [DIR] */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/plan_print.h"
#include "cli/stored.h"

static const struct option_row plan_options[] = {
    {"env", 'e', OPTION_TEXT, "NAME", NULL, NULL, "the environment: an overlay of sizes, ages and replicas"},
    {NULL},
};

static int run_plan(cli *cli) {
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    weir_plan *plan;
    weir_error err;
    if (!connection)
        return EXIT_ERROR;
    if (weir_plan_make(&plan, connection, catalog, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    const struct stored stored = stored_look(cli);
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        weir_json_begin_object(json);
        plan_json(json, cli, plan);
        stored_json(json, &stored);
        weir_json_end_object(json);
        weir_text text = weir_json_done(json);
        fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
        weir_json_free(json);
    } else {
        plan_print(cli, plan);
        stored_print(cli, &stored, weir_plan_empty(plan));
    }
    bool changes = !weir_plan_empty(plan) || stored.pending;
    weir_plan_free(plan);
    return changes && cli_flag(cli, "exit-code") ? EXIT_CHANGES : EXIT_OK;
}

const struct command_row command_plan = {
    .name = "plan",
    .summary = "Show what apply would change on the servers.",
    .arguments = "[DIR]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER | FIRST_IS_DIR | USES_EXIT_CODE,
    .arguments_max = 1,
    .options = plan_options,
    .run = run_plan,
    .details = "Compares streams and groups of the catalog with what the servers have. + is created,\n"
               "~ changed in place, - deleted (only with apply --allow-loss), ! differs in something\n"
               "the server cannot change. What is not of this catalog is left alone.\n",
};
