/* SPDX-License-Identifier: Apache-2.0 */
/* weir schema sample TYPE|SCHEMA: documents made from a schema, one a line. */
#include <inttypes.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/sample_event.h"
#include "cli/schema_file.h"
#include "event/upcast.h"
#include "weir/json.h"

enum { COUNT_MOST = 1000000 };

static const struct option_row sample_options[] = {
    {"count", 'n', OPTION_INT, "N", NULL, "1", "so many documents", .least = 1, .most = COUNT_MOST},
    {"seed", 0, OPTION_INT, "N", NULL, "1", "the same seed gives the same documents", .least = 0,
     .most = INT64_MAX},
    {"invalid", 0, OPTION_FLAG, NULL, NULL, NULL, "nearly valid ones; what is wrong goes to standard error"},
    {"open", 0, OPTION_FLAG, NULL, NULL, NULL,
     "also with properties that nobody declared, where they may be"},
    {"draft", 0, OPTION_FLAG, NULL, NULL, NULL, "lines as weir publish --stdin reads them"},
    {"envelope", 0, OPTION_FLAG, NULL, NULL, NULL, "whole events, as they go over the wire"},
    {"version", 0, OPTION_INT, "N", NULL, NULL, "of an older version of the event type", .least = 1,
     .most = INT32_MAX},
    {SCHEMA_REF_OPTION},
    {NULL},
};

struct sampling {
    cli *cli;
    struct schema_file file;
    int version;              /* 0: the event type's current one */
    const schema *rules;      /* of that version */
    const json *example;      /* the same */
    sampler *sampler, *right; /* right: payloads of events whose own is wrong */
    bool invalid, draft, envelope;
    struct sample_event event;
    int64_t number;
    buffer payload, line; /* line: of a whole event */
    const struct schema_problem *problem;
    weir_json_writer *json;
};

static struct sample_options options_of(const struct sampling *sampling) {
    return (struct sample_options){.seed = (uint64_t)cli_int(sampling->cli, "seed"),
                                   .open = cli_flag(sampling->cli, "open"),
                                   .example = sampling->example};
}

/* --- lines ----------------------------------------------------------------------------------------------- */

static bool is_whole(const struct sampling *sampling) {
    return sampling->draft || sampling->envelope;
}

static weir_code make_payload(struct sampling *sampling, weir_error *err) {
    buffer_clear(&sampling->payload);
    sampling->problem = NULL;
    if (!sampling->invalid && sampler_valid(sampling->sampler, &sampling->payload))
        return WEIR_OK;
    if (sampling->invalid && sampler_invalid(sampling->sampler, &sampling->payload, &sampling->problem))
        return WEIR_OK;
    if (sampling->invalid) {
        weir_fail(err, WEIR_NOT_FOUND, "no document was found that the schema refuses");
        return weir_hint(err, "the schema may allow everything");
    }
    weir_fail(err, WEIR_NOT_FOUND, "no valid document was found");
    return weir_hint(err, "the schema may allow none, or asks for something that is not guessed");
}

/* A wrong payload is put into the envelope of a right one. */
static weir_code make_event(struct sampling *sampling, weir_error *err) {
    struct sample_event *event = &sampling->event;
    struct event_built built;
    event->number = sampling->number;
    WEIR_TRY(sample_event_make(event, sampling->invalid ? sampling->right : sampling->sampler, &built, err));
    if (sampling->invalid)
        WEIR_TRY(make_payload(sampling, err));
    weir_text payload = buffer_view(sampling->invalid ? &sampling->payload : &event->payload);
    buffer_clear(&sampling->line);
    if (sampling->draft)
        sample_event_draft(event, &sampling->line, payload);
    else
        sample_event_envelope(event, &sampling->line, built.envelope, payload);
    return WEIR_OK;
}

/* --- output ---------------------------------------------------------------------------------------------- */

static void say_problem(struct sampling *sampling) {
    const struct schema_problem *problem = sampling->problem;
    buffer text;
    buffer_init(&text, 1 << 16);
    buffer_printable(&text, weir_text_of(problem->instance));
    buffer_string(&text, text.size ? ": " : "");
    buffer_string(&text, problem->message);
    buffer_string(&text, " (");
    buffer_printable(&text, weir_text_of(problem->where));
    cli_say(sampling->cli, "%" PRId64 ": %s)", sampling->number, text.data);
    buffer_release(&text);
}

static void put_text(weir_json_writer *json, const char *name, const char *text) {
    weir_json_key(json, name);
    weir_json_string(json, text);
}

static void put_problem(weir_json_writer *json, const struct schema_problem *problem) {
    put_text(json, "pointer", problem->instance);
    put_text(json, "keyword", problem->keyword);
    put_text(json, "schema", problem->where);
    put_text(json, "message", problem->message);
}

static void print_line(struct sampling *sampling) {
    weir_text line = buffer_view(is_whole(sampling) ? &sampling->line : &sampling->payload);
    if (!sampling->json) {
        fprintf(cli_out(sampling->cli), "%.*s\n", TEXT_ARG(line));
        if (sampling->problem)
            say_problem(sampling);
        return;
    }
    weir_json_begin_object(sampling->json);
    weir_json_key(sampling->json, "document");
    weir_json_raw(sampling->json, line);
    if (sampling->problem)
        put_problem(sampling->json, sampling->problem);
    weir_json_end_object(sampling->json);
    fprintf(cli_out(sampling->cli), "%.*s\n", TEXT_ARG(weir_json_done(sampling->json)));
    weir_json_reset(sampling->json);
}

static weir_code print_lines(struct sampling *sampling, weir_error *err) {
    const struct sample_options options = options_of(sampling);
    if (is_whole(sampling))
        WEIR_TRY(sample_event_probe(&sampling->event, sampling->rules, &options, err));
    int64_t count = cli_int(sampling->cli, "count");
    for (sampling->number = 1; sampling->number <= count && !cli_stopping(sampling->cli);
         sampling->number++) {
        weir_code code = is_whole(sampling) ? make_event(sampling, err) : make_payload(sampling, err);
        if (code != WEIR_OK && sampling->number > 1)
            return weir_prefix(err, "after %" PRId64 " of %" PRId64, sampling->number - 1, count);
        WEIR_TRY(code);
        print_line(sampling);
    }
    return WEIR_OK;
}

/* --- the command ------------------------------------------------------------------------------------------ */

static void begin(struct sampling *sampling) {
    cli *cli = sampling->cli;
    const struct sample_options options = options_of(sampling);
    sampling->sampler = sampler_new(sampling->rules, &options);
    sampling->right = sampler_new(sampling->rules, &options);
    sampling->invalid = cli_flag(cli, "invalid");
    if (is_whole(sampling)) {
        sample_event_init(&sampling->event, cli_catalog(cli)->dialect, sampling->file.event);
        sampling->event.version = sampling->version;
        sampling->event.seed = cli_int(cli, "seed");
    }
    buffer_init(&sampling->payload, SAMPLE_BYTES);
    buffer_init(&sampling->line, 2 * SAMPLE_BYTES);
    sampling->json = cli_json(cli) ? weir_json_new() : NULL;
    cli_on_stop(cli, NULL, NULL);
}

static void end(struct sampling *sampling) {
    weir_json_free(sampling->json);
    buffer_release(&sampling->line);
    buffer_release(&sampling->payload);
    sample_event_release(&sampling->event);
    sampler_free(sampling->right);
    sampler_free(sampling->sampler);
}

/* The current version's schema, or that of the one asked for. */
static weir_code choose_version(struct sampling *sampling, weir_error *err) {
    const struct event_def *event = sampling->file.event;
    sampling->rules = sampling->file.rules;
    sampling->example = event ? event->example : NULL;
    sampling->version = (int)cli_int(sampling->cli, "version");
    if (!sampling->version || sampling->version == event->version)
        return WEIR_OK;
    const struct version_def *older = event_version(event, sampling->version);
    if (!older || !older->schema) {
        weir_fail(err, WEIR_NOT_FOUND, "the catalog has no version %d of '%s'", sampling->version,
                  event->type);
        return weir_hint(err, "leave the version out for version %d, or list %d under the event's `versions`",
                         event->version, sampling->version);
    }
    sampling->rules = older->schema;
    sampling->example = older->example;
    return WEIR_OK;
}

static int sample(struct sampling *sampling) {
    cli *cli = sampling->cli;
    weir_error err = {0};
    const char *needs = sampling->draft             ? "--draft"
                        : sampling->envelope        ? "--envelope"
                        : cli_given(cli, "version") ? "--version"
                                                    : NULL;
    if (needs && !sampling->file.event)
        return cli_usage(cli, "%s needs an event type of the catalog, and %s is a file", needs,
                         cli_argument(cli, 0));
    if (choose_version(sampling, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    begin(sampling);
    int result = print_lines(sampling, &err) == WEIR_OK ? EXIT_OK : cli_fail(cli, &err);
    end(sampling);
    return result;
}

static int run_sample(cli *cli) {
    int result = EXIT_OK;
    struct sampling sampling = {
        .cli = cli, .draft = cli_flag(cli, "draft"), .envelope = cli_flag(cli, "envelope")};
    if (sampling.draft && sampling.envelope)
        return cli_usage(cli, "--draft and --envelope contradict each other");
    if (schema_file_open(&sampling.file, cli, cli_argument(cli, 0), true, &result))
        result = sample(&sampling);
    schema_file_release(&sampling.file);
    return cli_interrupted(cli) ? EXIT_INTERRUPTED : result;
}

const struct command_row command_schema_sample = {
    .name = "schema sample",
    .summary = "Make documents from a JSON Schema.",
    .arguments = "TYPE|SCHEMA|-",
    .needs = NEEDS_CATALOG,
    .arguments_min = 1,
    .arguments_max = 1,
    .options = sample_options,
    .run = run_sample,
    .details =
        "Prints documents that the schema of an event type, or of a file, accepts: one a line, each "
        "validated before it is printed. Bounds are hit on purpose, and examples of the schema are used now "
        "and then. With --invalid each has something wrong, most often one thing; with --json each line is "
        "an "
        "object with the document and what is wrong with it.\n"
        "\n"
        "Examples:\n"
        "  weir schema sample order.placed -n 5\n"
        "  weir schema sample order.placed -n 1000 --draft | weir publish --stdin\n"
        "  weir schema sample TYPE --envelope | weir event validate TYPE --envelope -\n"
        "  weir schema sample order.json -n 20 --invalid --seed 7\n",
};
