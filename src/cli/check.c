/* SPDX-License-Identifier: Apache-2.0 */
/* weir check [DIR] */
#include "catalog/check.h"
#include "base/limits.h"
#include "base/process.h"
#include "catalog/bundle.h"
#include "cli/check_rules.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "weir/json.h"

static const struct option_row check_options[] = {
    {"env", 'e', OPTION_TEXT, "NAME", NULL, NULL, "apply this environment's overlay first"},
    {"output", 'o', OPTION_TEXT, "FILE", NULL, NULL,
     "write the resolved catalog as one JSON document (a bundle)"},
    {"explain", 0, OPTION_TEXT, "RULE", NULL, NULL, "say what a rule means instead: its code or its name"},
    {"rules", 0, OPTION_FLAG, NULL, NULL, NULL, "list the rules instead"},
    {"reference", 0, OPTION_FLAG, NULL, NULL, NULL, "print the reference of the rules instead (Markdown)"},
    {NULL},
};

static weir_code write_bundle(const weir_catalog *catalog, const char *path, weir_error *err) {
    buffer bundle;
    buffer_init(&bundle, 2 * LIMIT_BUNDLE_BYTES);
    catalog_bundle(&bundle, catalog);
    buffer_char(&bundle, '\n');
    weir_code code = file_write_atomic(path, bundle.data, bundle.size, 0644, err);
    buffer_release(&bundle);
    return code;
}

static void print_json(cli *cli, const weir_catalog *catalog, const weir_report *report) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "catalog");
    weir_json_string(json, catalog ? weir_catalog_name(catalog) : NULL);
    weir_json_key(json, "digest");
    weir_json_string(json, catalog ? weir_catalog_digest(catalog) : NULL);
    weir_json_key(json, "sound");
    weir_json_bool(json, catalog != NULL);
    weir_json_key(json, "findings");
    findings_json(json, report);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static void print_summary(cli *cli, const char *folder, const weir_catalog *catalog,
                          const weir_report *report) {
    size_t errors = findings_count(report, WEIR_SEVERITY_ERROR);
    size_t warnings = findings_count(report, WEIR_SEVERITY_WARNING);
    const char *name = catalog ? weir_catalog_name(catalog) : folder;
    if (errors + warnings == 0)
        cli_say(cli, "%s is sound", name);
    else
        cli_say(cli, "%s: %zu error%s, %zu warning%s", name, errors, errors == 1 ? "" : "s", warnings,
                warnings == 1 ? "" : "s");
}

static int run_check(cli *cli) {
    if (cli_text(cli, "explain"))
        return rules_explain(cli, cli_text(cli, "explain"));
    if (cli_flag(cli, "reference"))
        return rules_reference(cli);
    if (cli_flag(cli, "rules"))
        return rules_list(cli);
    weir_report *report;
    weir_error err;
    bool told;
    weir_code code = cli_catalog_open(cli, &report, &told, &err);
    if (told)
        return EXIT_ERROR;
    const char *folder = cli->catalog_folder;
    if (code == WEIR_OK && cli_text(cli, "output"))
        code = write_bundle(cli->catalog, cli_text(cli, "output"), &err);
    /* A failure without an error among the findings is not the catalog's: no such environment, an unreadable
     * folder. */
    told = code == WEIR_OK || (!cli->catalog && report && findings_count(report, WEIR_SEVERITY_ERROR) > 0);
    if (told && cli_json(cli))
        print_json(cli, cli->catalog, report);
    else if (told)
        findings_print(cli_out(cli), cli_colour(cli), folder, report);
    fflush(cli_out(cli));
    if (told)
        print_summary(cli, folder, cli->catalog, report);
    else
        cli_fail(cli, &err);
    weir_report_free(report);
    return code == WEIR_OK ? EXIT_OK : EXIT_ERROR;
}

const struct command_row command_check = {
    .name = "check",
    .summary = "Run every check on a catalog.",
    .arguments = "[DIR]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER | FIRST_IS_DIR,
    .arguments_max = 1,
    .options = check_options,
    .run = run_check,
    .details = "Findings go to standard output, one line each with file, line and column, and what to\n"
               "do about it. Exits with 1 when one of them is an error. A rule is explained by its code:\n"
               "\n"
               "  weir check --explain C101\n"
               "\n"
               "A bundle is the whole catalog as one document that states its digest. It is taken\n"
               "wherever a folder is; apply stores it on the servers, as nats:NAME:\n"
               "\n"
               "  weir check shop -o shop.json\n"
               "  weir check nats:shop@7 -o then.json   # as revision 7 was\n",
};
