/* SPDX-License-Identifier: Apache-2.0 */
/* weir plan [DIR] */
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/plan_print.h"
#include "cli/stored.h"

static const struct option_row plan_options[] = {
    {"env", 'e', OPTION_TEXT, "NAME", NULL, NULL, "the environment: an overlay of sizes, ages and replicas"},
    {"against", 0, OPTION_TEXT, "NAME", NULL, NULL,
     "show the difference from this environment instead; asks no server"},
    {"out", 'o', OPTION_TEXT, "FILE", NULL, NULL, "write the plan for weir apply FILE"},
    {"allow-loss", 0, OPTION_LIST, "NAME", NULL, NULL,
     "with --out: a stream or STREAM/group that may be deleted or lose events"},
    {NULL},
};

/* stored: what is known of the catalog's own stream; NULL for a difference between environments. */
static void print_json(cli *cli, const weir_plan *plan, const struct stored *stored) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    plan_json(json, cli, plan);
    if (stored)
        stored_json(json, stored);
    else {
        weir_json_key(json, "environment");
        weir_json_string(json, cli_text(cli, "env"));
        weir_json_key(json, "against");
        weir_json_string(json, cli_text(cli, "against"));
    }
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static int exit_code_of(cli *cli, bool changes) {
    return changes && cli_flag(cli, "exit-code") ? EXIT_CHANGES : EXIT_OK;
}

/* --- between environments ----------------------------------------------------------------------------- */

static weir_code difference(cli *cli, weir_plan **plan, weir_catalog **against, weir_error *err) {
    const weir_catalog *catalog = cli_catalog(cli); /* open already: a failure was told */
    if (strncmp(cli_catalog_folder(cli), "nats:", 5) == 0) {
        weir_fail(err, WEIR_INVALID, "%s is on the servers, and --against asks none",
                  cli_catalog_folder(cli));
        return weir_hint(err, "name the catalog's folder, or a bundle that weir check -o wrote");
    }
    WEIR_TRY(weir_catalog_open(against, cli_catalog_folder(cli), cli_text(cli, "against"), NULL, err));
    return weir_plan_difference(plan, catalog, *against, err);
}

static int run_against(cli *cli) {
    weir_catalog *against = NULL;
    weir_plan *plan = NULL;
    weir_error err;
    if (cli_given(cli, "out"))
        return cli_usage(cli, "--against and --out: a difference between environments cannot be applied");
    if (!cli_catalog(cli))
        return EXIT_ERROR;
    const char *environment = cli_text(cli, "env");
    int code = EXIT_ERROR;
    if (difference(cli, &plan, &against, &err) != WEIR_OK)
        cli_fail(cli, &err);
    else {
        if (cli_json(cli))
            print_json(cli, plan, NULL);
        else
            plan_print_difference(cli, plan, environment ? environment : "no environment",
                                  cli_text(cli, "against"));
        code = exit_code_of(cli, !weir_plan_empty(plan));
    }
    weir_plan_free(plan);
    weir_catalog_close(against);
    return code;
}

/* --- against the servers ------------------------------------------------------------------------------ */

static weir_code save(cli *cli, const weir_plan *plan, weir_error *err) {
    const char *path = cli_text(cli, "out");
    if (!path)
        return WEIR_OK;
    const char **losses = plan_losses(cli);
    weir_apply_options options = {.allow_loss = losses,
                                  .allow_loss_count = cli_list_count(cli, "allow-loss")};
    weir_code code = weir_plan_save(plan, cli_connection(cli), path, cli_catalog_folder(cli), &options, err);
    mem_free(losses);
    if (code == WEIR_OK)
        cli_say(cli, "written to %s: carry out this plan, and no other, with weir apply %s", path, path);
    return code;
}

static int run_plan(cli *cli) {
    if (cli_given(cli, "against"))
        return run_against(cli);
    if (cli_list_count(cli, "allow-loss") && !cli_given(cli, "out"))
        return cli_usage(cli,
                         "--allow-loss is for a plan that is written: say --out FILE, or say it to apply");
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    weir_plan *plan;
    weir_error err;
    if (!connection)
        return EXIT_ERROR;
    if (weir_plan_make(&plan, connection, catalog, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    const struct stored stored = stored_look(cli);
    if (cli_json(cli))
        print_json(cli, plan, &stored);
    else {
        plan_print(cli, plan);
        stored_print(cli, &stored, weir_plan_empty(plan));
    }
    int code = save(cli, plan, &err) == WEIR_OK ? exit_code_of(cli, !weir_plan_empty(plan) || stored.pending)
                                                : cli_fail(cli, &err);
    weir_plan_free(plan);
    return code;
}

const struct command_row command_plan = {
    .name = "plan",
    .summary = "Show what apply would change on the servers.",
    .arguments = "[DIR]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER | FIRST_IS_DIR | USES_EXIT_CODE,
    .arguments_max = 1,
    .options = plan_options,
    .run = run_plan,
    .details = "Compares streams and groups of the catalog with what the servers have. What is not of "
               "this catalog is left alone.\n\n"
               "    + create\n"
               "    ~ update, or adopt: it exists, and weir takes it over\n"
               "  -/+ replace: a new stream; events and positions are kept\n"
               "    - delete\n"
               "    ! impossible: with what to do\n\n"
               "What would be discarded is told with how many events; apply demands --allow-loss "
               "NAME for it. weir plan --env prod --against dev shows the difference between "
               "environments. See docs/plan.md.\n",
};
