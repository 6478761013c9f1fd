/* SPDX-License-Identifier: Apache-2.0 */
/* weir schema sample TYPE|SCHEMA: documents made from a schema, one a line. As whole events they were built the
 * way publishing builds them; a wrong payload is put into the envelope of a right one. */
#include <inttypes.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/publish.h"
#include "cli/schema_file.h"
#include "event/dialect_model.h"
#include "event/event.h"
#include "event/upcast.h"
#include "sample/sample.h"
#include "weir/json.h"

enum { COUNT_MOST = 1000000, PAYLOAD_TRIES = 200, SAMPLE_START_S = 1767225600 /* 2026-01-01 */ };

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

/* What an event gets that its payload does not say: the least that the envelope takes. */
enum { SAYS_NOTHING, SAYS_SOURCE, SAYS_TENANT, SAYS_ALL, SAYS_COUNT };

struct sampling {
    cli *cli;
    struct schema_file file;
    int version;              /* 0: the event type's current one */
    const schema *rules;      /* of that version */
    const json *example;      /* the same */
    sampler *sampler, *right; /* right: payloads of events whose own is wrong */
    bool invalid, draft, envelope;
    const dialect *dialect;
    event_scratch *scratch;
    int says;
    bool own_ids; /* the envelope takes any id */
    int64_t number, seed;
    buffer payload, event;
    const struct schema_problem *problem;
    weir_json_writer *json;
};

static struct sample_options options_of(const struct sampling *sampling) {
    return (struct sample_options){.seed = (uint64_t)sampling->seed,
                                   .open = cli_flag(sampling->cli, "open"),
                                   .example = sampling->example};
}

/* --- events ---------------------------------------------------------------------------------------------- */

static int64_t sample_time(void *self) {
    const struct sampling *sampling = self;
    return (SAMPLE_START_S + sampling->number) * 1000000000LL;
}

static void fill_draft(const struct sampling *sampling, weir_draft *draft, weir_text payload) {
    const struct event_def *event = sampling->file.event;
    *draft =
        (weir_draft){.type = weir_text_of(event->type), .payload = payload, .version = sampling->version};
    if (sampling->says >= SAYS_SOURCE)
        draft->source = weir_text_of(event->owner ? event->owner : "sample");
    if (sampling->says >= SAYS_TENANT)
        draft->tenant = weir_text_of("t-1");
    if (sampling->says == SAYS_ALL) {
        draft->actor = weir_text_of("u-1");
        draft->actor_kind = weir_text_of("user");
        draft->trace = draft->span = weir_text_of("1");
    }
}

static weir_code build_event(struct sampling *sampling, struct event_built *built, weir_text payload,
                             weir_error *err) {
    char id[64];
    weir_draft draft;
    const weir_clock clock = {sample_time, sample_time, sampling};
    fill_draft(sampling, &draft, payload);
    snprintf(id, sizeof id, "sample-%" PRId64 "-%" PRId64, sampling->seed, sampling->number);
    if (sampling->own_ids)
        draft.id = weir_text_of(id);
    return event_build(built, sampling->dialect, sampling->file.event, &draft, &clock, 0, sampling->scratch,
                       err);
}

static weir_code none_valid(weir_error *err) {
    weir_fail(err, WEIR_NOT_FOUND, "no valid document was found");
    return weir_hint(err, "the schema may allow none, or asks for something that is not guessed");
}

/* A payload is not always enough for an event: its key may be optional, or a parameter of its subject. */
static weir_code make_event(struct sampling *sampling, sampler *from, struct event_built *built,
                            weir_error *err) {
    for (int try = 0; try < PAYLOAD_TRIES; try++) {
        buffer_clear(&sampling->payload);
        if (!sampler_valid(from, &sampling->payload))
            return none_valid(err);
        if (build_event(sampling, built, buffer_view(&sampling->payload), err) == WEIR_OK)
            return WEIR_OK;
    }
    return weir_hint(err, "this is what came nearest to an event");
}

/* Which of the envelope's fields must be said? */
static weir_code find_fields(struct sampling *sampling, weir_error *err) {
    const struct sample_options options = options_of(sampling);
    struct event_built built;
    weir_code code = WEIR_OK;
    for (int ids = 1; ids >= 0; ids--)
        for (int says = SAYS_NOTHING; says < SAYS_COUNT; says++) {
            sampler *from = sampler_new(sampling->rules, &options);
            sampling->own_ids = ids;
            sampling->says = says;
            code = make_event(sampling, from, &built, err);
            sampler_free(from);
            if (code == WEIR_OK || code == WEIR_NOT_FOUND)
                return code;
        }
    return code;
}

/* --- lines ----------------------------------------------------------------------------------------------- */

static void write_field(weir_json_writer *json, const char *name, weir_text value) {
    if (!value.data)
        return;
    weir_json_key(json, name);
    weir_json_text(json, value);
}

static void write_draft(struct sampling *sampling, weir_text payload) {
    weir_draft draft;
    weir_json_writer *json = json_writer_over(&sampling->event);
    fill_draft(sampling, &draft, payload);
    weir_json_begin_object(json);
    write_field(json, "type", draft.type);
#define X(option, member, field) write_field(json, member, draft.field);
    PUBLISH_FIELDS(X)
#undef X
    if (draft.version) {
        weir_json_key(json, "version");
        weir_json_int(json, draft.version);
    }
    weir_json_key(json, "payload");
    weir_json_raw(json, payload);
    weir_json_end_object(json);
    weir_json_free(json);
}

/* The envelope of a right event with the payload in it. */
static void write_envelope(struct sampling *sampling, weir_text envelope, weir_text payload) {
    const struct dialect_path *at = &sampling->dialect->canonical[CANONICAL_PAYLOAD]->at;
    weir_text old = json_raw(envelope, at->tokens, at->depth);
    size_t before = (size_t)(old.data - envelope.data), after = before + old.size;
    buffer_append(&sampling->event, envelope.data, before);
    buffer_text(&sampling->event, payload);
    buffer_append(&sampling->event, envelope.data + after, envelope.size - after);
}

static weir_code make_line(struct sampling *sampling, weir_error *err) {
    struct event_built built = {0};
    bool whole = sampling->draft || sampling->envelope;
    buffer_clear(&sampling->event);
    sampling->problem = NULL;
    if (whole)
        WEIR_TRY(make_event(sampling, sampling->invalid ? sampling->right : sampling->sampler, &built, err));
    buffer_clear(whole && !sampling->invalid ? &sampling->event : &sampling->payload);
    if (sampling->invalid && !sampler_invalid(sampling->sampler, &sampling->payload, &sampling->problem)) {
        weir_fail(err, WEIR_NOT_FOUND, "no document was found that the schema refuses");
        return weir_hint(err, "the schema may allow everything");
    }
    if (!whole && !sampling->invalid && !sampler_valid(sampling->sampler, &sampling->payload))
        return none_valid(err);
    if (sampling->draft)
        write_draft(sampling, buffer_view(&sampling->payload));
    else if (sampling->envelope)
        write_envelope(sampling, built.envelope, buffer_view(&sampling->payload));
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

static void put_problem(weir_json_writer *json, const struct schema_problem *problem) {
    write_field(json, "pointer", weir_text_of(problem->instance));
    write_field(json, "keyword", weir_text_of(problem->keyword));
    write_field(json, "schema", weir_text_of(problem->where));
    write_field(json, "message", weir_text_of(problem->message));
}

static void print_line(struct sampling *sampling) {
    bool whole = sampling->draft || sampling->envelope;
    weir_text line = buffer_view(whole ? &sampling->event : &sampling->payload);
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
    if (sampling->draft || sampling->envelope)
        WEIR_TRY(find_fields(sampling, err));
    int64_t count = cli_int(sampling->cli, "count");
    for (sampling->number = 1; sampling->number <= count && !cli_stopping(sampling->cli);
         sampling->number++) {
        weir_code code = make_line(sampling, err);
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
    sampling->seed = cli_int(cli, "seed");
    const struct sample_options options = options_of(sampling);
    sampling->sampler = sampler_new(sampling->rules, &options);
    sampling->right = sampler_new(sampling->rules, &options);
    sampling->invalid = cli_flag(cli, "invalid");
    if (sampling->file.event) {
        sampling->dialect = cli_catalog(cli)->dialect;
        sampling->scratch = event_scratch_new();
    }
    buffer_init(&sampling->payload, SAMPLE_BYTES);
    buffer_init(&sampling->event, 2 * SAMPLE_BYTES);
    sampling->json = cli_json(cli) ? weir_json_new() : NULL;
    cli_on_stop(cli, NULL, NULL);
}

static void end(struct sampling *sampling) {
    weir_json_free(sampling->json);
    buffer_release(&sampling->event);
    buffer_release(&sampling->payload);
    if (sampling->scratch)
        event_scratch_free(sampling->scratch);
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
