/* SPDX-License-Identifier: Apache-2.0 */
/* weir apply [DIR | PLANFILE] */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"

#include "cli/commands.h"
#include "cli/plan_print.h"
#include "cli/stored.h"

static const struct option_row apply_options[] = {
    {"env", 'e', OPTION_TEXT, "NAME", NULL, NULL, "the environment: an overlay of sizes, ages and replicas"},
    {"yes", 'y', OPTION_FLAG, NULL, NULL, NULL, "do not ask"},
    {"allow-loss", 0, OPTION_LIST, "NAME", NULL, NULL,
     "a stream or STREAM/group that may be deleted or lose events"},
    {NULL},
};

struct applying {
    cli *cli;
    int done, told, steps;
    int failed; /* the first step that did; 0: none */
};

static void on_step(void *arg, const weir_step *step, weir_code code, const weir_error *err) {
    static const char *const verbs[] = {"created", "changed", "", "deleted", "", "replaced"};
    struct applying *applying = arg;
    (void)err;
    applying->told++;
    if (code != WEIR_OK && !applying->failed)
        applying->failed = applying->told;
    if (code != WEIR_OK)
        return;
    applying->done++;
    cli_say(applying->cli, "[%d/%d] %s %s %s", applying->done, applying->steps,
            step->adopts ? "adopted" : verbs[step->kind], plan_thing(step), step->name);
}

static void on_progress(void *arg, const weir_step *step, const char *about) {
    struct applying *applying = arg;
    cli_say(applying->cli, "%s: %s", step->name, about);
}

/* Promise P9, looked at rather than believed: after apply, plan is empty. */
static weir_code check_empty(cli *cli, weir_error *err) {
    weir_plan *after;
    WEIR_TRY(weir_plan_make(&after, cli_connection(cli), cli_catalog(cli), err));
    const weir_step *left = NULL;
    for (size_t i = 0; i < weir_plan_count(after) && !left; i++)
        if (weir_plan_step(after, i)->kind != WEIR_STEP_KEEP)
            left = weir_plan_step(after, i);
    if (left) {
        weir_fail(err, WEIR_CONFLICT, "everything was applied, but %s %s differs from the catalog again",
                  plan_thing(left), left->name);
        weir_hint(err, "somebody may have changed it meanwhile: look with weir plan");
    }
    weir_plan_free(after);
    return left ? WEIR_CONFLICT : WEIR_OK;
}

static int print_applied(cli *cli, const weir_plan *plan) {
    struct plan_counts counts = plan_count(plan);
    if (cli_json(cli)) {
        weir_json_writer *json = weir_json_new();
        weir_json_begin_object(json);
        plan_json(json, cli, plan);
        weir_json_key(json, "applied");
        weir_json_int(json, plan_steps(plan));
        weir_json_end_object(json);
        weir_text text = weir_json_done(json);
        fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
        weir_json_free(json);
    } else if (plan_steps(plan)) {
        fprintf(cli_out(cli), "Applied: %d added, %d changed, %d destroyed", counts.add, counts.change,
                counts.destroy);
        if (counts.adopt)
            fprintf(cli_out(cli), ", %d adopted", counts.adopt);
        if (counts.replace)
            fprintf(cli_out(cli), ", %d replaced", counts.replace);
        fputs(".\n", cli_out(cli));
    }
    return EXIT_OK;
}

static int carry_out(cli *cli, weir_plan *plan, weir_apply_options *options) {
    struct applying applying = {.cli = cli, .steps = plan_steps(plan)};
    weir_error err;
    options->on_step = on_step;
    options->on_step_arg = &applying;
    options->on_progress = on_progress;
    weir_code code = weir_plan_apply(plan, cli_connection(cli), options, &err);
    if (code != WEIR_OK && applying.done && applying.failed)
        weir_prefix(&err, "step %d of %d", applying.failed, applying.steps);
    if (code == WEIR_OK && applying.steps)
        code = check_empty(cli, &err);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    int exit_code = stored_put(cli);
    return exit_code == EXIT_OK ? print_applied(cli, plan) : exit_code;
}

static int confirm_and_carry_out(cli *cli, weir_plan *plan, weir_apply_options *options) {
    weir_error err;
    const struct stored stored = stored_look(cli);
    if (!cli_json(cli)) {
        plan_print(cli, plan);
        stored_print(cli, &stored, weir_plan_empty(plan));
    }
    if (weir_plan_refused(plan, options, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if ((!weir_plan_empty(plan) || stored.pending) && !cli_flag(cli, "yes")) {
        bool asked;
        bool agreed = cli_confirm(cli, "Apply these changes?", &asked);
        if (!asked)
            return cli_usage(cli, "there is no terminal to ask on: say --yes to apply");
        if (!agreed) {
            cli_say(cli, "nothing was applied");
            return EXIT_ERROR;
        }
    }
    return carry_out(cli, plan, options);
}

/* A name that nothing bears is a slip of the pen, or the loss happened already: said, not refused. */
static void say_unknown_losses(cli *cli, const weir_plan *plan) {
    for (size_t i = 0; i < cli_list_count(cli, "allow-loss"); i++) {
        const char *name = cli_list_item(cli, "allow-loss", i);
        bool known = false;
        for (size_t j = 0; j < weir_plan_count(plan) && !known; j++)
            known = strcmp(weir_plan_step(plan, j)->name, name) == 0;
        if (!known)
            cli_say(cli, "--allow-loss %s: the plan has no stream or consumer of that name", name);
    }
}

const char **plan_losses(cli *cli) {
    size_t count = cli_list_count(cli, "allow-loss");
    const char **names = mem_alloc((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = cli_list_item(cli, "allow-loss", i);
    return names;
}

/* --- a plan file -------------------------------------------------------------------------------------- */

/* Does the argument name a plan file? A folder or a bundle is a catalog. */
static bool is_plan_file(const char *argument) {
    char start[65] = "";
    struct stat info;
    if (!argument || stat(argument, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    FILE *file = fopen(argument, "re");
    if (!file)
        return false;
    start[fread(start, 1, sizeof start - 1, file)] = 0;
    fclose(file);
    return strstr(start, "\"weir_plan\"") != NULL;
}

/* What was allowed when the plan was written, and what is allowed now. */
static const char **losses_of(cli *cli, const weir_plan_file *file, size_t *count) {
    size_t recorded = 0, given = cli_list_count(cli, "allow-loss");
    while (file && weir_plan_file_loss(file, recorded))
        recorded++;
    const char **names = mem_alloc((recorded + given + 1) * sizeof *names);
    for (size_t i = 0; i < recorded; i++)
        names[i] = weir_plan_file_loss(file, i);
    for (size_t i = 0; i < given; i++)
        names[recorded + i] = cli_list_item(cli, "allow-loss", i);
    *count = recorded + given;
    return names;
}

/* Makes the plan, and holds it against the file where there is one. */
static int run_with(cli *cli, const weir_plan_file *file) {
    const weir_catalog *catalog = cli_catalog(cli);
    weir_connection *connection = catalog ? cli_connection(cli) : NULL;
    weir_plan *plan;
    weir_error err;
    if (!connection)
        return EXIT_ERROR;
    if (weir_plan_make(&plan, connection, catalog, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    weir_apply_options options = {0};
    const char **names = losses_of(cli, file, &options.allow_loss_count);
    options.allow_loss = names;
    say_unknown_losses(cli, plan);
    int code = file && weir_plan_file_check(file, plan, connection, &err) != WEIR_OK
                   ? cli_fail(cli, &err)
                   : confirm_and_carry_out(cli, plan, &options);
    mem_free(names);
    weir_plan_free(plan);
    return code;
}

static int run_apply(cli *cli) {
    const char *path = cli_argument(cli, 0);
    if (!is_plan_file(path))
        return run_with(cli, NULL);
    if (cli_given(cli, "env"))
        return cli_usage(cli, "%s names the environment it was made for: leave --env out", path);
    weir_plan_file *file;
    weir_error err;
    if (weir_plan_file_open(&file, path, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    cli_use_catalog(cli, weir_plan_file_folder(file), weir_plan_file_environment(file));
    int code = run_with(cli, file);
    weir_plan_file_close(file);
    return code;
}

const struct command_row command_apply = {
    .name = "apply",
    .summary = "Make the servers what the catalog says.",
    .arguments = "[DIR | PLANFILE]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER | FIRST_IS_DIR,
    .arguments_max = 1,
    .options = apply_options,
    .run = run_apply,
    .details = "Shows the plan, asks, and carries it out step by step; stops at the first failure.\n"
               "Nothing is done when a step is impossible, or when stored events or a group's place\n"
               "would be lost and --allow-loss does not name it.\n\n"
               "A PLANFILE is what weir plan --out wrote: exactly that plan is carried out, for its "
               "catalog and environment, with the losses it allows. When the catalog or the servers "
               "changed since, nothing is done and the reason is told. The catalog is looked for where "
               "it was, or in --catalog DIR.\n",
};
