/* SPDX-License-Identifier: Apache-2.0 */
/* weir schema validate SCHEMA INSTANCE...: documents held to a JSON Schema. Needs neither server nor catalog. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/faults.h"
#include "cli/schema_file.h"

static const struct option_row validate_options[] = {
    {"first", 0, OPTION_FLAG, NULL, NULL, NULL, "only the first thing that is wrong with each file"},
    {SCHEMA_REF_OPTION},
    {"format", 0, OPTION_FLAG, NULL, NULL, NULL, "hold texts to their format (that is so by default)"},
    {"no-format", 0, OPTION_FLAG, NULL, NULL, NULL, "format says nothing about whether a document is valid"},
    {NULL},
};

/* "order.yaml:3:5: what" is told as the place it names. */
static void add_unreadable(struct faults *faults, const char *file, const weir_error *err) {
    bool yaml = document_is_yaml(file);
    const char *message = err->message;
    struct place place = {0};
    int used = 0;
    if (yaml && strncmp(message, file, strlen(file)) == 0 &&
        sscanf(message + strlen(file), ":%d:%d: %n", &place.line, &place.column, &used) == 2)
        message += strlen(file) + (size_t)used;
    faults_add(faults, "", "", yaml ? "yaml" : "json", message);
    faults->items.items[faults->items.count - 1].place = place;
}

/* A file that is no JSON is not valid; one that cannot be read ends the command. */
static weir_code check_file(struct faults *faults, schema_run *run, const schema *rules, const char *file,
                            weir_error *err) {
    json_doc *doc = NULL;
    weir_code code = document_read(&doc, file, err);
    if (code != WEIR_OK && code != WEIR_INVALID)
        return code;
    faults->doc = doc;
    if (doc)
        faults_check(faults, run, rules, json_root(doc), "");
    else
        add_unreadable(faults, file, err);
    faults_file(faults, file);
    json_doc_free(doc);
    return WEIR_OK;
}

static int check_files(struct faults *faults, const struct schema_file *schema) {
    cli *cli = faults->cli;
    schema_run *run = schema_run_new();
    weir_error err = {0};
    weir_code code = WEIR_OK;
    faults_begin(faults, "schema", cli_argument(cli, 0));
    for (size_t i = 1; code == WEIR_OK && i < cli_argument_count(cli); i++)
        code = check_file(faults, run, schema->rules, cli_argument(cli, i), &err);
    schema_run_free(run);
    return code == WEIR_OK ? faults_end(faults, cli_argument(cli, 0)) : cli_fail(cli, &err);
}

static int run_validate(cli *cli) {
    int result = EXIT_OK, piped = 0;
    for (size_t i = 0; i < cli_argument_count(cli); i++)
        piped += strcmp(cli_argument(cli, i), "-") == 0;
    if (piped > 1)
        return cli_usage(cli, "standard input can be read once, and '-' is there %d times", piped);
    if (cli_flag(cli, "format") && cli_flag(cli, "no-format"))
        return cli_usage(cli, "--format and --no-format contradict each other");
    struct schema_file schema;
    if (schema_file_open(&schema, cli, cli_argument(cli, 0), !cli_flag(cli, "no-format"), &result)) {
        struct faults faults = {.cli = cli, .wheres = true, .first = cli_flag(cli, "first")};
        result = check_files(&faults, &schema);
        faults_release(&faults);
    }
    schema_file_release(&schema);
    return result;
}

const struct command_row command_schema_validate = {
    .name = "schema validate",
    .summary = "Hold documents to a JSON Schema (draft 2020-12).",
    .arguments = "SCHEMA FILE|- ...",
    .needs = NEEDS_CATALOG,
    .arguments_min = 2,
    .arguments_max = -1,
    .options = validate_options,
    .run = run_validate,
    .details =
        "SCHEMA is a file (YAML when its name ends in .yaml or .yml, otherwise JSON), - for standard input, "
        "or an event type of the catalog when there is no such file. Everything that is wrong goes to "
        "standard output, one line each with the file, the place in it, and the place in the schema. Exits "
        "with 0 when all files are valid and with 1 when one is not.\n\n"
        "A $ref stays inside what was named: SCHEMA itself and the files given with --ref, each found by its "
        "$id or by its name relative to SCHEMA's folder. Nothing else is opened, and nothing is fetched.\n",
};
