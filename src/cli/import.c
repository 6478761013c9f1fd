/* SPDX-License-Identifier: Apache-2.0 */
/* weir import --out DIR */
#include "import/import.h"

#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/plan_print.h"

static const struct option_row import_options[] = {
    {"out", 'o', OPTION_TEXT, "DIR", NULL, NULL, "the folder to write; it must not exist, or be empty"},
    {"name", 0, OPTION_TEXT, "NAME", NULL, NULL,
     "the catalog's name (default: the one the streams are marked with, or imported)"},
    {"sample", 0, OPTION_INT, "N", "200", NULL, "stored messages to look at for each event type", .least = 1,
     .most = IMPORT_SAMPLES_MAX},
    {NULL},
};

static void progress(void *arg, const char *name, size_t at, size_t of) {
    cli *cli = arg;
    if (cli_progress(cli))
        cli_say(cli, "%zu/%zu %s", at + 1, of, name);
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

/* --- for people ----------------------------------------------------------------------------------------- */

static void say_left(cli *cli, const struct import_result *result) {
    static const char *const kinds[LEFT_KINDS] = {
        [LEFT_BUCKET] = "key-value bucket or object store",
        [LEFT_SYSTEM] = "stream of the server's own subjects",
        [LEFT_COPY] = "stream that only copies others",
        [LEFT_WEIR] = "stream of weir's own",
        [LEFT_NAME] = "stream whose name a catalog does not take",
        [LEFT_CONSUMER] = "consumer that is no group",
    };
    size_t counts[LEFT_KINDS] = {0};
    for (size_t i = 0; i < result->left.count; i++)
        counts[result->left.items[i].kind]++;
    for (int kind = 0; kind < LEFT_KINDS; kind++)
        if (counts[kind])
            cli_say(cli, "left to its owner: %zu x %s (catalog.yaml lists them)", counts[kind], kinds[kind]);
}

static void say_remarks(cli *cli, const struct import_result *result) {
    if (result->undescribed)
        cli_say(cli, "%zu event type%s without a schema: nothing stored, or no JSON", result->undescribed,
                plural(result->undescribed));
    if (result->other_envelope)
        cli_say(cli, "%zu event type%s with another envelope than the catalog's, or none",
                result->other_envelope, plural(result->other_envelope));
    if (result->left_subjects)
        cli_say(cli, "%zu stored subject%s without an event type", result->left_subjects,
                plural(result->left_subjects));
    say_left(cli, result);
}

/* The servers may have changed while they were read. */
static void say_differences(cli *cli, const weir_plan *plan) {
    for (size_t i = 0; i < weir_plan_count(plan); i++) {
        const weir_step *step = weir_plan_step(plan, i);
        if (step->kind == WEIR_STEP_CREATE)
            cli_say(cli, "%s %s is gone", plan_thing(step), step->name);
        for (size_t c = 0; step->kind != WEIR_STEP_CREATE && c < step->change_count; c++)
            cli_say(cli, "%s %s: %s is %s, written was %s", plan_thing(step), step->name,
                    step->changes[c].field, step->changes[c].before, step->changes[c].after);
    }
}

static void print_summary(cli *cli, const struct import_result *result) {
    struct plan_counts counts = plan_count(result->plan);
    int differ = counts.add + counts.change + counts.destroy + counts.impossible;
    fprintf(cli_out(cli), "Wrote %zu stream%s, %zu group%s, %zu event type%s", result->streams,
            plural(result->streams), result->groups, plural(result->groups), result->events,
            plural(result->events));
    if (result->unowned)
        fprintf(cli_out(cli), " (%zu need%s an owner)", result->unowned, result->unowned == 1 ? "s" : "");
    if (differ == 0)
        fprintf(cli_out(cli), ". weir plan is empty: nothing will change.\n");
    else
        fprintf(cli_out(cli), ". weir plan is not empty: %d thing%s differ%s from what was written.\n",
                differ, plural((size_t)differ), differ == 1 ? "s" : "");
}

/* --- as JSON -------------------------------------------------------------------------------------------- */

static void member_int(weir_json_writer *json, const char *key, size_t value) {
    weir_json_key(json, key);
    weir_json_int(json, (int64_t)value);
}

static void left_json(weir_json_writer *json, const struct import_note *left) {
    static const char *const kinds[LEFT_KINDS] = {"bucket", "system", "copy", "weir", "name", "consumer"};
    weir_json_begin_object(json);
    weir_json_key(json, "kind");
    weir_json_string(json, kinds[left->kind]);
    weir_json_key(json, "name");
    weir_json_string(json, left->name);
    weir_json_key(json, "why");
    weir_json_string(json, left->why);
    weir_json_end_object(json);
}

static void print_json(cli *cli, const char *dir, const struct import_result *result) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "dir");
    weir_json_string(json, dir);
    member_int(json, "streams", result->streams);
    member_int(json, "groups", result->groups);
    member_int(json, "event_types", result->events);
    member_int(json, "need_owner", result->unowned);
    member_int(json, "without_schema", result->undescribed);
    member_int(json, "other_envelope", result->other_envelope);
    member_int(json, "left_subjects", result->left_subjects);
    weir_json_key(json, "plan_empty");
    weir_json_bool(json, weir_plan_empty(result->plan));
    weir_json_key(json, "left");
    weir_json_begin_array(json);
    for (size_t i = 0; i < result->left.count; i++)
        left_json(json, &result->left.items[i]);
    weir_json_end_array(json);
    weir_json_key(json, "files");
    weir_json_begin_array(json);
    for (size_t i = 0; i < result->files.count; i++)
        weir_json_string(json, result->files.items[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

/* --- the command ---------------------------------------------------------------------------------------- */

static bool name_usable(const char *name) {
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return size > 0 && size <= 32 && !name[size];
}

static int run_import(cli *cli) {
    const char *dir = cli_text(cli, "out"), *name = cli_text(cli, "name");
    if (!dir)
        return cli_usage(cli, "say where to write the catalog: --out DIR");
    if (name && !name_usable(name))
        return cli_usage(cli, "--name must be 1 to 32 of a-z, 0-9 and -, is '%s'", name);
    struct import_options options = {.name = name,
                                     .samples = (int)cli_int(cli, "sample"),
                                     .clock = weir_clock_system(),
                                     .on_stream = progress,
                                     .arg = cli};
    weir_connection *connection = cli_connection(cli);
    struct import_result result;
    weir_error err;
    if (!connection)
        return EXIT_ERROR;
    if (import_run(&result, connection, dir, &options, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    bool empty = weir_plan_empty(result.plan);
    if (cli_json(cli)) {
        print_json(cli, dir, &result);
    } else {
        say_remarks(cli, &result);
        say_differences(cli, result.plan);
        print_summary(cli, &result);
    }
    import_release(&result);
    return empty ? EXIT_OK : EXIT_ERROR;
}

const struct command_row command_import = {
    .name = "import",
    .summary = "Write a catalog from running servers.",
    .needs = NEEDS_SERVER,
    .options = import_options,
    .run = run_import,
    .details = "Reads streams, consumers and samples of what is stored, and changes nothing. Streams and\n"
               "durable pull consumers are written as they are; event types, their schemas and their owners\n"
               "are drafts and say so. The catalog says managed: false: weir plan compares it with the\n"
               "servers, weir apply refuses to change them, weir check says what is wrong. Remove that line\n"
               "to hand the servers over.\n",
};
