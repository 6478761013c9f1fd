/* SPDX-License-Identifier: Apache-2.0 */
/* weir event validate TYPE FILE...: does the catalog take these payloads? For unit tests in any language. */
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "catalog/model.h"
#include "cli/commands.h"
#include "cli/faults.h"
#include "cli/publish.h"
#include "event/event_scratch.h"
#include "event/shown.h"

static const struct option_row validate_options[] = {
    {"envelope", 0, OPTION_FLAG, NULL, NULL, NULL, "the files hold whole events, not payloads alone"},
    {"version", 0, OPTION_INT, "N", NULL, NULL,
     "the payloads are of this version; otherwise of the current one", .least = 1, .most = INT32_MAX},
    {NULL},
};

struct validating {
    struct faults faults;
    const weir_catalog *catalog;
    const struct event_def *def;
    int version; /* of payloads alone */
    event_scratch *scratch;
    schema_run *run;
};

/* As a member would that reads the current version. */
static weir_code read_up(struct validating *validating, weir_text text, weir_error *err) {
    const dialect *how = validating->catalog->dialect;
    weir_event event;
    int to;
    WEIR_TRY(event_read(&event, how, validating->def, text, true, validating->scratch, err));
    WEIR_TRY(event_version_for(&to, validating->def, event.version, NULL, 0, "weir", err));
    return event_raise(&event, how, validating->def, to, true, validating->scratch, err);
}

/* The schema of the version that an envelope says; NULL where the catalog has none. */
static const schema *schema_of(struct validating *validating, weir_text text) {
    weir_event event;
    const struct event_def *def = validating->def;
    bool read = event_read(&event, validating->catalog->dialect, def, text, false, validating->scratch,
                           NULL) == WEIR_OK;
    return event_version_schema(def, read && event.version ? event.version : def->version);
}

/* The envelope's schema, then that of the payload's version; what neither says (a missing field, another type, a
 * newer version, steps that fail) is found by reading the event. */
static void check_envelope(struct validating *validating, const json *root, weir_text text) {
    const weir_catalog *catalog = validating->catalog;
    struct faults *faults = &validating->faults;
    weir_text place = dialect_pointer(catalog->dialect, "payload");
    const json *payload = dialect_value_at(catalog->dialect, root, place);
    weir_error err;
    faults_check(faults, validating->run, dialect_schema(catalog->dialect), root, "");
    if (payload)
        faults_check(faults, validating->run, schema_of(validating, text), payload,
                     arena_cstr(faults->arena, place));
    if (faults->items.count == 0 && read_up(validating, text, &err) != WEIR_OK)
        faults_add(faults, "", "", "envelope", err.message);
}

static void check_text(struct validating *validating, weir_text text) {
    json_doc *doc = NULL;
    weir_error err;
    if (json_parse(&doc, text, &err) != WEIR_OK)
        faults_add(&validating->faults, "", "", "json", err.message);
    else if (cli_flag(validating->faults.cli, "envelope"))
        check_envelope(validating, json_root(doc), text);
    else
        faults_check(&validating->faults, validating->run,
                     event_version_schema(validating->def, validating->version), json_root(doc), "");
    json_doc_free(doc);
}

static weir_code check_file(struct validating *validating, const char *file, weir_error *err) {
    char *data = NULL;
    size_t size = 0;
    if (strcmp(file, "-") == 0)
        WEIR_TRY(publish_read_input(&data, &size, err));
    else
        WEIR_TRY(file_read(&data, &size, file, LIMIT_EVENT_BYTES, err));
    check_text(validating, (weir_text){data ? data : "", size});
    mem_free(data);
    faults_file(&validating->faults, file);
    return WEIR_OK;
}

static weir_code check_files(struct validating *validating, weir_error *err) {
    for (size_t i = 1; i < cli_argument_count(validating->faults.cli); i++)
        WEIR_TRY(check_file(validating, cli_argument(validating->faults.cli, i), err));
    return WEIR_OK;
}

static weir_code find_version(struct validating *validating, weir_error *err) {
    cli *cli = validating->faults.cli;
    WEIR_TRY(
        catalog_event_find(&validating->def, validating->catalog, weir_text_of(cli_argument(cli, 0)), err));
    validating->version = cli_given(cli, "version") ? (int)cli_int(cli, "version") : validating->def->version;
    return event_version_check(validating->def, validating->version, err);
}

static int run_validate(cli *cli) {
    weir_error err = {0};
    if (cli_flag(cli, "envelope") && cli_given(cli, "version"))
        return cli_usage(cli, "--version is for payloads; an envelope says its version itself");
    struct validating validating = {.faults.cli = cli, .catalog = cli_catalog(cli)};
    if (!validating.catalog)
        return EXIT_ERROR;
    weir_code code = find_version(&validating, &err);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    validating.scratch = event_scratch_new();
    validating.run = schema_run_new();
    faults_begin(&validating.faults, "type", validating.def->type);
    code = check_files(&validating, &err);
    int result = code == WEIR_OK ? faults_end(&validating.faults, validating.def->type) : cli_fail(cli, &err);
    faults_release(&validating.faults);
    schema_run_free(validating.run);
    event_scratch_free(validating.scratch);
    return result;
}

const struct command_row command_event_validate = {
    .name = "event validate",
    .summary = "Check payloads, or whole events, against the catalog.",
    .arguments = "TYPE FILE|- ...",
    .needs = NEEDS_CATALOG,
    .arguments_min = 2,
    .arguments_max = -1,
    .options = validate_options,
    .run = run_validate,
    .details =
        "Everything that is wrong goes to standard output, one line each with the file, the place in it "
        "and the keyword of the schema. Exits with 1 when something is: made for the unit tests of "
        "services in any language.\n",
};
