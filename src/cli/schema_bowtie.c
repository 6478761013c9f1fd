/* SPDX-License-Identifier: Apache-2.0 */
/* weir schema bowtie: what bowtie.report asks an implementation, a JSON object a line: start, dialect, run, stop (its
 * protocol's version 1). Whatever a case holds is answered as the protocol has it: results, errored or skipped. What it has
 * no answer for (no JSON, no such command, a run without seq) ends the harness with a sentence, so that whoever drives
 * it does not wait for ever. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fail.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "schema/schema.h"
#include "weir/json.h"
#include "weir/weir.h"
#include "json/json.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

static const struct option_row bowtie_options[] = {
    {"format", 0, OPTION_FLAG, NULL, NULL, NULL, "hold texts to their format"},
    {"homepage", 0, OPTION_TEXT, "URL", NULL, "https://weir.invalid/",
     "where this build of weir is at home, for reports"},
    {NULL},
};

struct harness {
    cli *cli;
    schema_run *run;
    bool started, stopped;
    bool foreign; /* the implicit dialect is not ours */
    weir_json_writer *json;
};

static void put(weir_json_writer *json, const char *key, const char *value) {
    weir_json_key(json, key);
    weir_json_string(json, value);
}

/* --- start, dialect, stop --------------------------------------------------------------------------------- */

static void put_implementation(struct harness *harness) {
    weir_json_writer *json = harness->json;
    const char *home = cli_text(harness->cli, "homepage");
    struct utsname system = {0};
    weir_json_begin_object(json);
    put(json, "language", "c");
    put(json, "name", "weir");
    put(json, "version", WEIR_VERSION);
    weir_json_key(json, "dialects");
    weir_json_begin_array(json);
    weir_json_string(json, DIALECT);
    weir_json_end_array(json);
    put(json, "homepage", home);
    put(json, "issues", home);
    put(json, "source", home);
    if (uname(&system) == 0) {
        put(json, "os", system.sysname);
        put(json, "os_version", system.release);
    }
    put(json, "language_version", "11");
    weir_json_end_object(json);
}

static weir_code start(struct harness *harness, const json *command, weir_error *err) {
    int64_t version = 0;
    if (!json_int(json_get(command, "version"), &version) || version != 1)
        return weir_fail(err, WEIR_UNSUPPORTED, "start: weir speaks version 1 of Bowtie's protocol");
    harness->started = true;
    weir_json_begin_object(harness->json);
    weir_json_key(harness->json, "version");
    weir_json_int(harness->json, 1);
    weir_json_key(harness->json, "implementation");
    put_implementation(harness);
    weir_json_end_object(harness->json);
    return WEIR_OK;
}

static weir_code dialect(struct harness *harness, const json *command, weir_error *err) {
    weir_text uri = json_text(json_get(command, "dialect"));
    if (!uri.data)
        return weir_fail(err, WEIR_INVALID, "dialect: \"dialect\" must be a URI");
    harness->foreign = !text_is(uri, DIALECT);
    weir_json_begin_object(harness->json);
    weir_json_key(harness->json, "ok");
    weir_json_bool(harness->json, !harness->foreign);
    weir_json_end_object(harness->json);
    return WEIR_OK;
}

static weir_code stop(struct harness *harness, const json *command, weir_error *err) {
    (void)command;
    (void)err;
    harness->stopped = true;
    return WEIR_OK;
}

/* --- run -------------------------------------------------------------------------------------------------- */

static const json *find_registered(void *registry, weir_text uri) {
    return json_get_text(registry, uri);
}

static void put_skipped(weir_json_writer *json, const char *message) {
    weir_json_key(json, "skipped");
    weir_json_bool(json, true);
    put(json, "message", message);
}

static void put_errored(weir_json_writer *json, const char *message) {
    weir_json_key(json, "errored");
    weir_json_bool(json, true);
    weir_json_key(json, "context");
    weir_json_begin_object(json);
    put(json, "message", message);
    weir_json_end_object(json);
}

static void put_results(struct harness *harness, const schema *rules, const json *tests, bool flags) {
    weir_json_writer *json = harness->json;
    weir_json_key(json, "results");
    weir_json_begin_array(json);
    for (struct json_iter it = json_iter(tests); json_next(&it);) {
        const struct json *instance = json_get(it.value, "instance");
        weir_json_begin_object(json);
        if (!flags) {
            put_skipped(json, "weir does not collect annotations");
        } else if (!instance) {
            put_errored(json, "the test has no instance");
        } else {
            weir_json_key(json, "valid");
            weir_json_bool(json, schema_valid(harness->run, rules, instance, false));
        }
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

/* The members behind seq. */
static void put_case(struct harness *harness, const json *test_case, bool flags) {
    const json *source = json_get(test_case, "schema"), *tests = json_get(test_case, "tests");
    const struct schema_options options = {.resolve = find_registered,
                                           .arg = (void *)json_get(test_case, "registry"),
                                           .assert_format = cli_flag(harness->cli, "format")};
    schema *rules = NULL;
    weir_error err;
    if (!source || !json_is(tests, JSON_ARRAY))
        put_errored(harness->json, "the case needs a schema and tests");
    else if (harness->foreign && !json_get(source, "$schema"))
        put_skipped(harness->json, "weir reads JSON Schema draft 2020-12 only");
    else if (schema_compile(&rules, source, &options, &err) == WEIR_OK)
        put_results(harness, rules, tests, flags);
    else if (err.code == WEIR_UNSUPPORTED)
        put_skipped(harness->json, err.message);
    else
        put_errored(harness->json, err.message);
    schema_free(rules);
}

static weir_code run(struct harness *harness, const json *command, weir_error *err) {
    const json *seq = json_get(command, "seq"), *output = json_get(command, "output");
    if (!seq)
        return weir_fail(err, WEIR_INVALID, "run: \"seq\" is missing");
    buffer text;
    buffer_init(&text, LIMIT_EVENT_BYTES);
    json_write(&text, seq, false);
    weir_json_begin_object(harness->json);
    weir_json_key(harness->json, "seq");
    weir_json_raw(harness->json, buffer_view(&text));
    put_case(harness, json_get(command, "case"), !output || text_is(json_text(output), "flag"));
    weir_json_end_object(harness->json);
    buffer_release(&text);
    return WEIR_OK;
}

/* --- lines ------------------------------------------------------------------------------------------------ */

static weir_code obey(struct harness *harness, const json *command, weir_error *err) {
    static const struct {
        const char *name;
        weir_code (*obey)(struct harness *harness, const json *command, weir_error *err);
    } rows[] = {{"start", start}, {"dialect", dialect}, {"run", run}, {"stop", stop}};
    const char *name = json_cstr(json_get(command, "cmd"));
    if (!name)
        return weir_fail(err, WEIR_INVALID, "\"cmd\" is missing");
    if (!harness->started && strcmp(name, "start") != 0)
        return weir_fail(err, WEIR_INVALID, "%.40s: the first command must be start", name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].obey(harness, command, err);
    weir_fail(err, WEIR_UNSUPPORTED, "Bowtie's protocol has no command \"%.40s\"", name);
    return weir_hint(err, "the commands are start, dialect, run and stop");
}

static weir_code answer(struct harness *harness, weir_text line, weir_error *err) {
    json_doc *doc = NULL;
    WEIR_TRY(json_parse(&doc, line, err));
    harness->json = weir_json_new();
    weir_code code = obey(harness, json_root(doc), err);
    if (code == WEIR_OK && !harness->stopped) {
        fprintf(cli_out(harness->cli), "%.*s\n", TEXT_ARG(weir_json_done(harness->json)));
        fflush(cli_out(harness->cli));
    }
    weir_json_free(harness->json);
    json_doc_free(doc);
    return code;
}

/* False at the end. */
static bool next_line(buffer *line) {
    int c;
    buffer_clear(line);
    while ((c = getc_unlocked(stdin)) != EOF && c != '\n' && !line->overflow)
        buffer_char(line, (char)c);
    return c != EOF || line->size > 0;
}

static weir_code obey_all(struct harness *harness, weir_error *err) {
    buffer line;
    weir_code code = WEIR_OK;
    buffer_init(&line, LIMIT_EVENT_BYTES);
    for (size_t number = 1; code == WEIR_OK && !harness->stopped && next_line(&line); number++) {
        if (line.overflow)
            code = weir_fail(err, WEIR_LIMIT, "the line is longer than %d bytes", LIMIT_EVENT_BYTES);
        else if (line.size)
            code = answer(harness, buffer_view(&line), err);
        if (code != WEIR_OK)
            weir_prefix(err, "line %zu", number);
    }
    buffer_release(&line);
    return code;
}

static int run_bowtie(cli *cli) {
    weir_error err = {0};
    struct harness harness = {.cli = cli, .run = schema_run_new()};
    weir_code code = obey_all(&harness, &err);
    schema_run_free(harness.run);
    return code == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
}

const struct command_row command_schema_bowtie = {
    .name = "schema bowtie",
    .summary = "Answer the Bowtie harness, which compares implementations.",
    .arguments = "",
    .options = bowtie_options,
    .run = run_bowtie,
    .details =
        "Speaks version 1 of the protocol of Bowtie (bowtie.report) on standard input and output, one JSON "
        "object a line:\n"
        "  {\"cmd\":\"start\",\"version\":1}\n"
        "  {\"cmd\":\"dialect\",\"dialect\":\"" DIALECT "\"}\n"
        "  {\"cmd\":\"run\",\"seq\":1,\"case\":{\"schema\":...,\"tests\":[{\"instance\":...}]}}\n"
        "  {\"cmd\":\"stop\"}\n"
        "A schema that does not compile is answered as errored, another draft as skipped. Formats are "
        "annotations, as the draft has it, unless --format is given.\n",
};
