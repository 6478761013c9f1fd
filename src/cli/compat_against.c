/* SPDX-License-Identifier: Apache-2.0 */
/* weir compat --against-stream: what is stored, judged by the new catalog. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/compat.h"
#include "cli/json_members.h"
#include "cli/run.h"
#include "compat/stored.h"

struct against {
    cli *cli;
    const struct compat_source *source;
    LIST(const char *) streams;
    LIST(struct stored_result) results;
    uint64_t judged, refused, unreadable, unknown;
    bool bar; /* a line of progress stands on the terminal */
};

/* --- reading -------------------------------------------------------------------------------------------- */

static bool progress(void *arg, const char *stream, uint64_t read, uint64_t of) {
    struct against *against = arg;
    if (cli_progress(against->cli)) {
        fprintf(stderr, "\r%s %" PRIu64 "/%" PRIu64 "\033[K", stream, read, of);
        against->bar = true;
    }
    return !cli_stopping(against->cli);
}

static void choose_streams(struct against *against) {
    cli *cli = against->cli;
    const weir_catalog *catalog = against->source->catalog;
    for (size_t i = 0; i < cli_list_count(cli, "against-stream"); i++) {
        const char *name = cli_list_item(cli, "against-stream", i);
        bool all = strcmp(name, "all") == 0;
        for (size_t s = 0; all && s < catalog->streams.count; s++)
            if (catalog->streams.items[s]->role == STREAM_EVENTS)
                list_push(cli->arena, &against->streams, catalog->streams.items[s]->name);
        if (!all)
            list_push(cli->arena, &against->streams, name);
    }
}

static weir_code read_streams(struct against *against, weir_error *err) {
    cli *cli = against->cli;
    const weir_clock *clock = weir_clock_system();
    struct stored_options options = {.limit = (uint64_t)(cli_given(cli, "limit") ? cli_int(cli, "limit") : 0),
                                     .progress = progress,
                                     .arg = against};
    if (cli_given(cli, "since") && cli_int(cli, "since") > 0)
        options.since_ns = clock->wall_ns(clock->self) - cli_int(cli, "since");
    weir_code code = WEIR_OK;
    for (size_t i = 0; i < against->streams.count && code == WEIR_OK && !cli_stopping(cli); i++) {
        struct stored_result result;
        code = stored_judge(&result, cli->connection, against->source->catalog, against->streams.items[i],
                            &options, err);
        if (code != WEIR_OK)
            break;
        list_push(cli->arena, &against->results, result);
        against->judged += result.judged;
        against->refused += result.refused;
        against->unreadable += result.unreadable;
        against->unknown += result.unknown;
    }
    if (against->bar)
        fprintf(stderr, "\r\033[K");
    return code;
}

/* --- for people ----------------------------------------------------------------------------------------- */

static void print_examples(buffer *out, const struct stored_fault *fault) {
    for (size_t i = 0; i < STORED_EXAMPLES && i < fault->count; i++) {
        const struct stored_example *example = &fault->examples[i];
        buffer_printf(out, "      #%" PRIu64 " %s%s%s\n", example->sequence, example->subject,
                      *example->id ? " " : "", example->id);
        if (i > 0 && strcmp(example->reason, fault->examples[0].reason) != 0)
            buffer_printf(out, "        %s\n", example->reason);
    }
}

static void print_type(buffer *out, const struct stored_type *type) {
    buffer_printf(out, "\n%s", type->def->type);
    if (type->version)
        buffer_printf(out, ", version %d", type->version);
    else
        buffer_printf(out, ", versions above %d", type->def->version);
    buffer_printf(out, ": %" PRIu64 " of %" PRIu64 " would be refused\n", type->refused, type->judged);
    for (size_t i = 0; i < type->faults.count; i++) {
        const struct stored_fault *fault = &type->faults.items[i];
        buffer_printf(out, "  %" PRIu64 " x  ", fault->count);
        buffer_printable(out, weir_text_of(fault->pointer));
        buffer_printf(out, "%s%s\n", *fault->pointer ? ": " : "", fault->reason);
        print_examples(out, fault);
    }
    if (type->unlisted)
        buffer_printf(out, "  %" PRIu64 " x  for other reasons\n", type->unlisted);
}

static void print_rest(buffer *out, const struct stored_result *result) {
    if (result->unreadable)
        buffer_printf(out, "\n%s: %" PRIu64 " cannot be read by anybody\n", result->stream,
                      result->unreadable);
    for (size_t i = 0; i < STORED_EXAMPLES && i < result->unreadable; i++)
        buffer_printf(out, "      #%" PRIu64 " %s: %s\n", result->unread[i].sequence,
                      result->unread[i].subject, result->unread[i].reason);
    if (result->unknown == 0)
        return;
    buffer_printf(out, "\n%s: %" PRIu64 " of no event type of the catalog\n", result->stream,
                  result->unknown);
    for (size_t i = 0; i < result->unknown_subjects.count; i++)
        buffer_printf(out, "      %s\n", result->unknown_subjects.items[i]);
}

static void print_verdict(buffer *out, const struct against *against) {
    bool colour = cli_colour(against->cli);
    const char *paint = !colour ? "" : against->refused ? "\033[31m" : "\033[32m";
    buffer_printf(out, "%s%" PRIu64 " of %" PRIu64 " stored events would be refused%s", paint,
                  against->refused, against->judged, colour ? "\033[0m" : "");
    if (against->unreadable)
        buffer_printf(out, ", %" PRIu64 " unreadable", against->unreadable);
    if (against->unknown)
        buffer_printf(out, ", %" PRIu64 " of unknown type", against->unknown);
    buffer_printf(out, " (%zu stream%s, ", against->results.count, against->results.count == 1 ? "" : "s");
    buffer_printable(out, weir_text_of(against->source->label));
    buffer_string(out, ")\n");
}

static void print_results(struct against *against) {
    buffer out;
    buffer_init(&out, 64 << 20);
    print_verdict(&out, against);
    for (size_t i = 0; i < against->results.count; i++) {
        const struct stored_result *result = &against->results.items[i];
        for (size_t t = 0; t < result->types.count; t++)
            if (result->types.items[t].refused)
                print_type(&out, &result->types.items[t]);
        print_rest(&out, result);
    }
    fwrite(out.data, 1, out.size, cli_out(against->cli));
    buffer_release(&out);
}

/* --- as JSON -------------------------------------------------------------------------------------------- */

static void examples_json(weir_json_writer *json, const struct stored_example *examples, uint64_t count) {
    weir_json_key(json, "examples");
    weir_json_begin_array(json);
    for (size_t i = 0; i < STORED_EXAMPLES && i < count; i++) {
        weir_json_begin_object(json);
        member_int(json, "sequence", (int64_t)examples[i].sequence);
        member_text(json, "subject", examples[i].subject);
        member_text(json, "id", *examples[i].id ? examples[i].id : NULL);
        member_text(json, "reason", examples[i].reason);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

static void type_json(weir_json_writer *json, const struct stored_type *type) {
    weir_json_begin_object(json);
    member_text(json, "type", type->def->type);
    member_int(json, "version", type->version);
    member_int(json, "judged", (int64_t)type->judged);
    member_int(json, "refused", (int64_t)type->refused);
    member_int(json, "other_reasons", (int64_t)type->unlisted);
    weir_json_key(json, "faults");
    weir_json_begin_array(json);
    for (size_t i = 0; i < type->faults.count; i++) {
        const struct stored_fault *fault = &type->faults.items[i];
        weir_json_begin_object(json);
        member_text(json, "pointer", fault->pointer);
        member_text(json, "reason", fault->reason);
        member_int(json, "count", (int64_t)fault->count);
        examples_json(json, fault->examples, fault->count);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    weir_json_end_object(json);
}

static void result_json(weir_json_writer *json, const struct stored_result *result) {
    weir_json_begin_object(json);
    member_text(json, "stream", result->stream);
    member_int(json, "judged", (int64_t)result->judged);
    member_int(json, "refused", (int64_t)result->refused);
    weir_json_key(json, "types");
    weir_json_begin_array(json);
    for (size_t i = 0; i < result->types.count; i++)
        type_json(json, &result->types.items[i]);
    weir_json_end_array(json);
    weir_json_key(json, "unreadable");
    weir_json_begin_object(json);
    member_int(json, "count", (int64_t)result->unreadable);
    examples_json(json, result->unread, result->unreadable);
    weir_json_end_object(json);
    weir_json_key(json, "unknown");
    weir_json_begin_object(json);
    member_int(json, "count", (int64_t)result->unknown);
    weir_json_key(json, "subjects");
    weir_json_begin_array(json);
    for (size_t i = 0; i < result->unknown_subjects.count; i++)
        weir_json_string(json, result->unknown_subjects.items[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_json_end_object(json);
}

static void results_json(struct against *against, bool compatible) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "compatible");
    weir_json_bool(json, compatible);
    member_text(json, "catalog", against->source->label);
    member_int(json, "judged", (int64_t)against->judged);
    member_int(json, "refused", (int64_t)against->refused);
    member_int(json, "unreadable", (int64_t)against->unreadable);
    member_int(json, "unknown", (int64_t)against->unknown);
    weir_json_key(json, "streams");
    weir_json_begin_array(json);
    for (size_t i = 0; i < against->results.count; i++)
        result_json(json, &against->results.items[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text done = weir_json_done(json);
    fprintf(cli_out(against->cli), "%.*s\n", TEXT_ARG(done));
    weir_json_free(json);
}

/* --- the command ---------------------------------------------------------------------------------------- */

static int tell(struct against *against) {
    bool odd = against->unreadable || against->unknown;
    bool compatible = against->refused == 0 && !(odd && cli_flag(against->cli, "strict"));
    if (cli_json(against->cli))
        results_json(against, compatible);
    else
        print_results(against);
    if (cli_stopping(against->cli)) {
        cli_say(against->cli, "stopped: the rest was not read");
        return EXIT_INTERRUPTED;
    }
    return compatible ? EXIT_OK : EXIT_ERROR;
}

int compat_against(cli *cli, const struct compat_source *source) {
    struct against against = {.cli = cli, .source = source};
    weir_error err;
    choose_streams(&against);
    weir_code code = read_streams(&against, &err);
    int status = EXIT_USAGE;
    if (code == WEIR_OK)
        status = tell(&against);
    else
        cli_fail(cli, &err);
    for (size_t i = 0; i < against.results.count; i++)
        stored_release(&against.results.items[i]);
    return status;
}
