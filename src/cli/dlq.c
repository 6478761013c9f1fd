/* SPDX-License-Identifier: Apache-2.0 */
/* Which letters a command means, and resolving them one after another. A letter that cannot be resolved is
 * said and the next one is tried; when the server does not answer, the rest is left. */
#include "cli/dlq.h"

#include <string.h>

#include "base/fail.h"
#include "base/list.h"

struct deadletter_filter dlq_filter(const cli *cli) {
    return (struct deadletter_filter){.group = cli_text(cli, "group"),
                                      .type = cli_text(cli, "type"),
                                      .error_class = cli_text(cli, "class")};
}

void dlq_json(weir_json_writer *json, const struct deadletter *letter) {
    struct deadletter without = *letter;
    buffer text;
    without.data = (weir_text){0};
    without.header_count = 0;
    buffer_init(&text, 64 << 20);
    deadletter_write(&text, &without);
    weir_json_raw(json, buffer_view(&text));
    buffer_release(&text);
}

/* What a run of retry or drop comes to. */
struct resolving {
    cli *cli;
    const struct dlq_action *action;
    bool count_only, gave_up;
    size_t count;
    bool *met; /* of the named ids, by argument */
    LIST(const char *) done;
    LIST(const char *) failed; /* id, error, id, error, ... */
    weir_error err;            /* the last failure */
};

static bool is_meant(struct resolving *resolving, const char *id) {
    size_t named = cli_argument_count(resolving->cli);
    for (size_t i = 0; i < named; i++)
        if (strcmp(cli_argument(resolving->cli, i), id) == 0)
            return resolving->met[i] = true;
    return named == 0;
}

static bool visit(void *arg, const struct deadletter *letter) {
    struct resolving *resolving = arg;
    arena *arena = resolving->cli->arena;
    if (!is_meant(resolving, letter->id))
        return true;
    resolving->count++;
    if (resolving->count_only)
        return true;
    weir_code code = resolving->action->resolve(resolving->cli, letter, &resolving->err);
    const char *id = arena_strdup(arena, letter->id);
    if (code == WEIR_OK) {
        list_push(arena, &resolving->done, id);
    } else {
        list_push(arena, &resolving->failed, id);
        list_push(arena, &resolving->failed, arena_strdup(arena, resolving->err.message));
    }
    resolving->gave_up = code == WEIR_UNAVAILABLE || code == WEIR_TIMEOUT;
    return !resolving->gave_up;
}

static weir_code each(struct resolving *resolving, bool count_only, weir_error *err) {
    cli *cli = resolving->cli;
    struct deadletter_filter filter = dlq_filter(cli);
    const char *one = cli_argument_count(cli) == 1 ? cli_argument(cli, 0) : NULL;
    filter.id = one;
    resolving->count_only = count_only;
    resolving->count = 0;
    return deadletter_each(cli_connection(cli), cli_catalog(cli), &filter, visit, resolving, err);
}

/* --- saying what came of it ----------------------------------------------------------------------------- */

static size_t missing_count(const struct resolving *resolving) {
    size_t missing = 0;
    for (size_t i = 0; i < cli_argument_count(resolving->cli); i++)
        missing += !resolving->met[i];
    return missing;
}

static void print_list(weir_json_writer *json, const char *key, const char *const *items, size_t count) {
    weir_json_key(json, key);
    weir_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        weir_json_string(json, items[i]);
    weir_json_end_array(json);
}

static void print_json(const struct resolving *resolving) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    print_list(json, resolving->action->done, resolving->done.items, resolving->done.count);
    weir_json_key(json, "failed");
    weir_json_begin_array(json);
    for (size_t i = 0; i < resolving->failed.count; i += 2) {
        weir_json_begin_object(json);
        weir_json_key(json, "id");
        weir_json_string(json, resolving->failed.items[i]);
        weir_json_key(json, "error");
        weir_json_string(json, resolving->failed.items[i + 1]);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
    weir_json_key(json, "not_found");
    weir_json_begin_array(json);
    for (size_t i = 0; i < cli_argument_count(resolving->cli); i++)
        if (!resolving->met[i])
            weir_json_string(json, cli_argument(resolving->cli, i));
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(resolving->cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static void say_line(cli *cli, const char *id, const char *what) {
    buffer line;
    buffer_init(&line, 4096);
    buffer_printable(&line, weir_text_of(id));
    buffer_string(&line, ": ");
    buffer_printable(&line, weir_text_of(what));
    fprintf(stderr, "%s: %s\n", run_name(cli), line.data);
    buffer_release(&line);
}

static void print_text(const struct resolving *resolving) {
    cli *cli = resolving->cli;
    for (size_t i = 0; i < resolving->done.count; i++)
        fprintf(cli_out(cli), "%s %s\n", resolving->action->done, resolving->done.items[i]);
    fflush(cli_out(cli));
    for (size_t i = 0; i < resolving->failed.count; i += 2)
        say_line(cli, resolving->failed.items[i], resolving->failed.items[i + 1]);
    for (size_t i = 0; i < cli_argument_count(cli); i++)
        if (!resolving->met[i])
            say_line(cli, cli_argument(cli, i), "there is no such open letter");
    if (resolving->gave_up)
        cli_say(cli, "the server does not answer; the rest was left as it is");
    cli_say(cli, "%zu %s, %zu failed, %zu not found", resolving->done.count, resolving->action->done,
            resolving->failed.count / 2, missing_count(resolving));
}

/* --- the run -------------------------------------------------------------------------------------------- */

/* Did the person agree to resolve what was not named one by one? */
static bool agreed(struct resolving *resolving, int *code) {
    cli *cli = resolving->cli;
    weir_error err;
    bool asked;
    if (!resolving->action->confirm || cli_argument_count(cli) > 0 || cli_flag(cli, "yes"))
        return true;
    *code = EXIT_ERROR;
    if (each(resolving, true, &err) != WEIR_OK) {
        cli_fail(cli, &err);
        return false;
    }
    const char *question = arena_printf(cli->arena, "%s %zu letter%s?", resolving->action->verb,
                                        resolving->count, resolving->count == 1 ? "" : "s");
    if (resolving->count == 0 || cli_confirm(cli, question, &asked))
        return true;
    if (!asked) {
        (void)!weir_fail(&err, WEIR_INVALID, "%zu letters would be dropped", resolving->count);
        (void)weir_hint(&err, "say --yes if you mean it");
        cli_fail(cli, &err);
    }
    return false;
}

static int usage_of(cli *cli, const char *verb) {
    bool named = cli_argument_count(cli) > 0,
         filtered = cli_text(cli, "group") || cli_text(cli, "type") || cli_text(cli, "class");
    if (named + filtered + cli_flag(cli, "all") == 1)
        return EXIT_OK;
    return cli_usage(cli, "say which letters to %s: their ids, a filter (--group, --type, --class), or --all",
                     verb);
}

int dlq_resolve(cli *cli, const struct dlq_action *action) {
    weir_error err;
    int code = usage_of(cli, action->verb);
    if (code != EXIT_OK)
        return code;
    struct resolving resolving = {.cli = cli, .action = action};
    resolving.met = arena_alloc(cli->arena, cli_argument_count(cli) + 1);
    if (!cli_catalog(cli) || !cli_connection(cli))
        return EXIT_ERROR;
    if (!agreed(&resolving, &code))
        return code;
    if (each(&resolving, false, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if (cli_json(cli))
        print_json(&resolving);
    else
        print_text(&resolving);
    return resolving.failed.count || missing_count(&resolving) ? EXIT_ERROR : EXIT_OK;
}
