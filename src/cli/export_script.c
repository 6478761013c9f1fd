/* SPDX-License-Identifier: Apache-2.0 */
/* weir export script [DIR] --shell sh|ps1 */
#include "base/limits.h"
#include "base/process.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "plan/script.h"
#include "weir/json.h"

static const struct option_row script_options[] = {
    {"shell", 0, OPTION_TEXT, "SHELL", NULL, "sh", "sh, or ps1 for PowerShell", .choices = "sh|ps1"},
    {"env", 'e', OPTION_TEXT, "NAME", NULL, NULL, "apply this environment's overlay first"},
    {"output", 'o', OPTION_TEXT, "FILE", NULL, NULL, "write it into a file"},
    {NULL},
};

static void print_json(cli *cli, weir_text script) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "catalog");
    weir_json_string(json, weir_catalog_name(cli->catalog));
    weir_json_key(json, "shell");
    weir_json_string(json, cli_text(cli, "shell"));
    weir_json_key(json, "script");
    weir_json_text(json, script);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static weir_code put(cli *cli, const buffer *script, weir_error *err) {
    const char *file = cli_text(cli, "output");
    bool ps1 = text_is(weir_text_of(cli_text(cli, "shell")), "ps1");
    if (file)
        return file_write_atomic(file, script->data, script->size, ps1 ? 0644 : 0755, err);
    if (cli_json(cli))
        print_json(cli, buffer_view(script));
    else
        fwrite(script->data, 1, script->size, cli_out(cli));
    return WEIR_OK;
}

static int run_script(cli *cli) {
    const weir_catalog *catalog = cli_catalog(cli);
    if (!catalog)
        return EXIT_ERROR;
    buffer script;
    weir_error err;
    buffer_init(&script, 4 * LIMIT_BUNDLE_BYTES);
    bool ps1 = text_is(weir_text_of(cli_text(cli, "shell")), "ps1");
    weir_code code = script_write(&script, catalog, ps1 ? SCRIPT_PS1 : SCRIPT_SH, &err);
    if (code == WEIR_OK)
        code = put(cli, &script, &err);
    buffer_release(&script);
    return code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

const struct command_row command_export_script = {
    .name = "export script",
    .summary = "Write the nats commands that would do what apply does.",
    .arguments = "[DIR]",
    .needs = NEEDS_CATALOG | NEEDS_SERVER | FIRST_IS_DIR,
    .arguments_max = 1,
    .options = script_options,
    .run = run_script,
    .details =
        "For machines that have the nats CLI and not weir: a script that adds every stream and consumer of "
        "the catalog, or edits the one that is there. It can be run again, deletes nothing and asks nothing. "
        "It does not store the catalog on the servers (nats:NAME); apply does.\n"
        "\n"
        "  weir export script --env prod -o setup.sh\n"
        "  weir export script --shell ps1 -o setup.ps1\n",
};
