/* SPDX-License-Identifier: Apache-2.0 */
/* weir event validate TYPE FILE...: does the catalog take these payloads? For unit tests in any language. */
#include <string.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "catalog/model.h"
#include "cli/commands.h"
#include "cli/publish.h"
#include "event/event_scratch.h"
#include "event/shown.h"
#include "weir/json.h"

static const struct option_row validate_options[] = {
    {"envelope", 0, OPTION_FLAG, NULL, NULL, NULL, "the files hold whole events, not payloads alone"},
    {NULL},
};

/* One thing that is wrong. Texts live in the arena. */
struct fault {
    const char *pointer, *keyword, *message;
};

struct validating {
    cli *cli;
    const weir_catalog *catalog;
    const struct event_def *def;
    event_scratch *scratch;
    schema_run *run;
    arena *arena; /* of one file */
    LIST(struct fault) faults;
    weir_json_writer *json;
    size_t files, invalid;
};

/* --- what is wrong ---------------------------------------------------------------------------------------- */

static void add_fault(struct validating *validating, const char *place, const char *pointer,
                      const char *keyword, const char *message) {
    struct fault fault = {arena_printf(validating->arena, "%s%s", place, pointer),
                          arena_strdup(validating->arena, keyword), arena_strdup(validating->arena, message)};
    list_push(validating->arena, &validating->faults, fault);
}

static void run_schema(struct validating *validating, const schema *rules, const json *value,
                       const char *place) {
    if (!rules || schema_valid(validating->run, rules, value, true))
        return;
    for (size_t i = 0; i < schema_problem_count(validating->run); i++) {
        const struct schema_problem *problem = schema_problem_at(validating->run, i);
        add_fault(validating, place, problem->instance, problem->keyword, problem->message);
    }
}

/* The envelope's schema, then the payload's; what neither says (a missing field, another type, a newer
 * version) is found by reading the event as a member would. */
static void check_envelope(struct validating *validating, const json *root, weir_text text) {
    const weir_catalog *catalog = validating->catalog;
    weir_text place = dialect_pointer(catalog->dialect, "payload");
    const json *payload = dialect_value_at(catalog->dialect, root, place);
    weir_event event;
    weir_error err;
    run_schema(validating, dialect_schema(catalog->dialect), root, "");
    if (payload)
        run_schema(validating, validating->def->schema, payload, arena_cstr(validating->arena, place));
    if (validating->faults.count == 0 && event_read(&event, catalog->dialect, validating->def, text, true,
                                                    validating->scratch, &err) != WEIR_OK)
        add_fault(validating, "", "", "envelope", err.message);
}

static void check_text(struct validating *validating, weir_text text) {
    json_doc *doc = NULL;
    weir_error err;
    if (json_parse(&doc, text, &err) != WEIR_OK)
        add_fault(validating, "", "", "json", err.message);
    else if (cli_flag(validating->cli, "envelope"))
        check_envelope(validating, json_root(doc), text);
    else
        run_schema(validating, validating->def->schema, json_root(doc), "");
    json_doc_free(doc);
}

/* --- what is said ----------------------------------------------------------------------------------------- */

static void print_json(struct validating *validating, const char *file) {
    weir_json_writer *json = validating->json;
    weir_json_begin_object(json);
    weir_json_key(json, "file");
    weir_json_string(json, file);
    weir_json_key(json, "valid");
    weir_json_bool(json, validating->faults.count == 0);
    weir_json_key(json, "errors");
    weir_json_begin_array(json);
    for (size_t i = 0; i < validating->faults.count; i++) {
        const struct fault *fault = &validating->faults.items[i];
        const char *const members[][2] = {
            {"pointer", fault->pointer}, {"keyword", fault->keyword}, {"message", fault->message}};
        weir_json_begin_object(json);
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            weir_json_key(json, members[m][0]);
            weir_json_string(json, members[m][1]);
        }
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    weir_json_end_object(json);
}

static void print_text(struct validating *validating, const char *file) {
    buffer line;
    buffer_init(&line, 1 << 16);
    for (size_t i = 0; i < validating->faults.count; i++) {
        const struct fault *fault = &validating->faults.items[i];
        buffer_clear(&line);
        buffer_printable(&line, weir_text_of(file));
        buffer_string(&line, ": ");
        buffer_printable(&line, weir_text_of(fault->pointer));
        buffer_string(&line, *fault->pointer ? ": " : "");
        buffer_printable(&line, weir_text_of(fault->message));
        buffer_printf(&line, " (%s)", fault->keyword);
        fprintf(cli_out(validating->cli), "%s\n", line.data);
    }
    buffer_release(&line);
}

/* --- files ------------------------------------------------------------------------------------------------ */

static weir_code check_file(struct validating *validating, const char *file, weir_error *err) {
    char *data = NULL;
    size_t size = 0;
    if (strcmp(file, "-") == 0)
        WEIR_TRY(publish_read_input(&data, &size, err));
    else
        WEIR_TRY(file_read(&data, &size, file, LIMIT_EVENT_BYTES, err));
    memset(&validating->faults, 0, sizeof validating->faults);
    check_text(validating, (weir_text){data ? data : "", size});
    mem_free(data);
    validating->files++;
    validating->invalid += validating->faults.count > 0;
    if (validating->json)
        print_json(validating, file);
    else
        print_text(validating, file);
    arena_reset(validating->arena);
    return WEIR_OK;
}

static weir_code check_files(struct validating *validating, weir_error *err) {
    for (size_t i = 1; i < cli_argument_count(validating->cli); i++)
        WEIR_TRY(check_file(validating, cli_argument(validating->cli, i), err));
    return WEIR_OK;
}

static int finish(struct validating *validating) {
    bool valid = validating->invalid == 0;
    if (validating->json) {
        weir_json_end_array(validating->json);
        weir_json_key(validating->json, "valid");
        weir_json_bool(validating->json, valid);
        weir_json_end_object(validating->json);
        fprintf(cli_out(validating->cli), "%.*s\n", TEXT_ARG(weir_json_done(validating->json)));
    }
    fflush(cli_out(validating->cli));
    if (valid)
        cli_say(validating->cli, "%s: %zu valid", validating->def->type, validating->files);
    else
        cli_say(validating->cli, "%s: %zu of %zu not valid", validating->def->type, validating->invalid,
                validating->files);
    return valid ? EXIT_OK : EXIT_ERROR;
}

static int run_validate(cli *cli) {
    weir_error err = {0};
    struct validating validating = {.cli = cli, .catalog = cli_catalog(cli)};
    if (!validating.catalog)
        return EXIT_ERROR;
    weir_code code =
        catalog_event_find(&validating.def, validating.catalog, weir_text_of(cli_argument(cli, 0)), &err);
    if (code != WEIR_OK)
        return cli_fail(cli, &err);
    validating.scratch = event_scratch_new();
    validating.run = schema_run_new();
    validating.arena = arena_new();
    if (cli_json(cli)) {
        validating.json = weir_json_new();
        weir_json_begin_object(validating.json);
        weir_json_key(validating.json, "type");
        weir_json_string(validating.json, validating.def->type);
        weir_json_key(validating.json, "files");
        weir_json_begin_array(validating.json);
    }
    code = check_files(&validating, &err);
    int result = code == WEIR_OK ? finish(&validating) : cli_fail(cli, &err);
    weir_json_free(validating.json);
    arena_free(validating.arena);
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
