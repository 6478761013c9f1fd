/* SPDX-License-Identifier: Apache-2.0 */
/* A run: find the command, parse its options, set up log and output, call it, release what it opened. The
 * exit code is decided here once more at the end, because data that could not be written makes a success a
 * failure. */
#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/log.h"
#include "cli/run.h"
#include "weir/json.h"
#include "weir/weir.h"

static const char *environment(const char *name) {
    return getenv(name);
}

static bool token_present(size_t count, const char *const *tokens, const char *wanted, const char *letter) {
    for (size_t i = 0; i < count && strcmp(tokens[i], "--") != 0; i++)
        if (strcmp(tokens[i], wanted) == 0 || (letter && strcmp(tokens[i], letter) == 0))
            return true;
    return false;
}

static enum log_level log_level_of(const char *name) {
    static const char *const names[] = {"debug", "info", "warn", "error", "off"};
    for (int i = 0; i < 5; i++)
        if (strcmp(names[i], name) == 0)
            return (enum log_level)i;
    return LOG_INFO;
}

static int run_parsed(cli *cli) {
    cli->json = cli_flag(cli, "json");
    cli->quiet = cli_flag(cli, "quiet");
    log_setup(log_level_of(cli_text(cli, "log-level")), cli_flag(cli, "log-json"), STDERR_FILENO);
    int code = cli->command->run(cli);
    if (cli->misused && code == EXIT_ERROR && !cli->usage_is_one)
        code = EXIT_USAGE; /* told by what the command called */
    weir_disconnect(cli->connection);
    weir_catalog_close(cli->catalog);
    return code;
}

/* `weir`, `weir --help`, `weir --version`, `weir dlq`: no command was named. */
static int run_nameless(cli *cli, const char *group, size_t count, const char *const *tokens) {
    if (group && !token_present(count, tokens, "--help", "-h"))
        return run_usage(
            cli, arena_printf(cli->arena, "'%s' is a group of commands: name one of them", group), "");
    if (group)
        help_group(cli->out, group);
    else if (token_present(count, tokens, "--version", NULL))
        fprintf(cli->out, "weir %s\n", WEIR_VERSION);
    else if (count == 0 || token_present(count, tokens, "--help", "-h"))
        help_all(cli->out);
    else
        return run_usage(cli, "no command was named", "");
    return EXIT_OK;
}

/* The tokens without the command's own words: shared options may stand before it. */
static const char *const *without_words(cli *cli, size_t *count, const char *const *tokens,
                                        const struct command_match *match) {
    const char **kept = arena_alloc(cli->arena, (*count + 1) * sizeof *kept);
    size_t at = 0;
    for (size_t i = 0; i < *count; i++)
        if (i < match->first || i >= match->first + match->words)
            kept[at++] = tokens[i];
    *count = at;
    return kept;
}

static int run_tokens(cli *cli, size_t count, const char *const *tokens) {
    weir_error err;
    struct command_match match;
    cli->json = token_present(count, tokens, "--json", "-j");
    weir_code code = command_match(&match, cli->arena, count, tokens, &err);
    cli->group = match.group;
    if (code != WEIR_OK)
        return run_usage(cli, err.message, err.hint);
    if (!match.row)
        return run_nameless(cli, match.group, count, tokens);
    cli->command = match.row;
    tokens = without_words(cli, &count, tokens, &match);
    if (token_present(count, tokens, "--help", "-h")) {
        help_command(cli->out, cli->command);
        return EXIT_OK;
    }
    cli->usage_is_one =
        cli->command->needs & USES_EXIT_CODE && token_present(count, tokens, "--exit-code", NULL);
    if (options_parse(&cli->options, cli->command, count, tokens, environment, &err) != WEIR_OK)
        return run_usage(cli, err.message, err.hint);
    return run_parsed(cli);
}

int cli_main(int argc, char **argv) {
    descriptors_guard();
    signal(SIGPIPE, SIG_IGN);
    cli cli = {.arena = arena_new(), .out = output_open()};
    cli.options.arena = cli.arena;
    int code = run_tokens(&cli, argc > 0 ? (size_t)argc - 1 : 0, (const char *const *)argv + (argc > 0));
    fclose(cli.out);
    arena_free(cli.arena);
    return code;
}

/* --- what went wrong ------------------------------------------------------------------------- */

const char *run_name(const cli *cli) {
    return cli->command ? arena_printf(cli->arena, "weir %s", cli->command->name) : "weir";
}

static void print_error_json(cli *cli, const char *code, const char *message, const char *hint, int detail) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "error");
    weir_json_begin_object(json);
    weir_json_key(json, "code");
    weir_json_string(json, code);
    weir_json_key(json, "message");
    weir_json_string(json, message);
    weir_json_key(json, "hint");
    weir_json_string(json, hint);
    if (detail) {
        weir_json_key(json, "detail");
        weir_json_int(json, detail);
    }
    weir_json_end_object(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli->out, "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

int cli_fail(cli *cli, const weir_error *err) {
    fflush(cli->out);
    buffer line;
    buffer_init(&line, 4096);
    buffer_printable(&line, weir_text_of(err->message));
    if (*err->hint) {
        buffer_string(&line, "\n  ");
        buffer_printable(&line, weir_text_of(err->hint));
    }
    fprintf(stderr, "%s: %s\n", run_name(cli), line.data ? line.data : "");
    buffer_release(&line);
    if (cli->json)
        print_error_json(cli, weir_code_name(err->code), err->message, err->hint, err->detail);
    return EXIT_ERROR;
}

int run_usage(cli *cli, const char *sentence, const char *hint) {
    const char *topic = cli->command ? cli->command->name : cli->group;
    const char *help = topic ? arena_printf(cli->arena, "weir help %s", topic) : "weir help";
    fprintf(stderr, "%s: %s; see %s\n", run_name(cli), sentence, help);
    if (*hint)
        fprintf(stderr, "  %s\n", hint);
    if (cli->json)
        print_error_json(cli, "usage", sentence, *hint ? hint : arena_printf(cli->arena, "see %s", help), 0);
    cli->misused = true;
    return cli->usage_is_one ? EXIT_ERROR : EXIT_USAGE;
}

int cli_usage(cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char sentence[1024];
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return run_usage(cli, sentence, "");
}

void cli_say(cli *cli, const char *format, ...) {
    if (cli->quiet)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
