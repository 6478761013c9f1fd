/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and options are rows: parsing, --help, errors, completion and reference docs come from them. One
 * file per command. Exit codes: 0 ok, 1 error or finding, 2 usage, 130 on interrupt; under --exit-code 2
 * means changes and a usage error is 1. Data goes to stdout, talk to stderr. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "weir/catalog.h"
#include "weir/connection.h"
#include "weir/error.h"

enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_CHANGES = 2, EXIT_INTERRUPTED = 130 };

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_DURATION, OPTION_SIZE, OPTION_LIST };

/* One option of a command. `name` without dashes; `arg` is how help shows its value. Read with cli_flag,
 * cli_text, ... by name. */
struct option_row {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    const char *arg;      /* "FILE"; NULL for flags */
    const char *env;      /* environment variable that gives the default, or NULL */
    const char *fallback; /* default as written, or NULL */
    const char *help;     /* one line, lower case, no full stop */
    const char *choices;  /* "debug|info|warn": the only values, or NULL */
    int64_t least, most;  /* bounds of an OPTION_INT; both 0: any whole number */
};

enum {
    NEEDS_NOTHING = 0,
    NEEDS_CATALOG =
        1, /* takes --catalog (a folder, a bundle, nats:NAME), WEIR_CATALOG, the nearest catalog.yaml upwards; and the DIR
                           argument if FIRST_IS_DIR */
    NEEDS_SERVER = 2,   /* takes the connection options (--server, --dir, --context, --creds, ...) */
    FIRST_IS_DIR = 4,   /* the first argument may name the catalog's folder */
    USES_EXIT_CODE = 8, /* has --exit-code */
    TAKES_REST = 16     /* what follows "--" is a command line of its own (cli_rest), not arguments */
};

struct cli; /* one run of a command: its arguments, options, streams */
typedef struct cli cli;

struct command_row {
    const char *name;      /* "dlq ls" for a command inside a group */
    const char *summary;   /* one line */
    const char *arguments; /* "[DIR]", "GROUP --exec CMD | --stdout" */
    int needs;
    int arguments_min, arguments_max; /* -1: any number */
    const struct option_row *options; /* ends with a row whose name is NULL; NULL: none of its own */
    int (*run)(cli *cli);             /* returns an exit code */
    const char *details; /* for --help, or NULL: paragraphs, wrapped by help; lines that start with a space
                            stay as they are */
};

/* All commands in the order help shows them, ended by an entry without row (commands.c). A command is one
 * file that defines its row, `const struct command_row command_check = {...}`, declared in commands.h, and
 * one line here. */
struct command_entry {
    const char *section; /* heading in `weir help`; neighbours share it */
    const struct command_row *row;
};
extern const struct command_entry command_entries[];

int cli_main(int argc, char **argv);

/* --- inside a command -------------------------------------------------------------------------- */

size_t cli_argument_count(const cli *cli);
const char *cli_argument(const cli *cli, size_t index); /* NULL beyond the end */
/* What follows "--" (for --exec style commands): NULL-terminated, empty when there was none. */
const char *const *cli_rest(const cli *cli);
bool cli_given(const cli *cli, const char *option);      /* on the command line, not by default */
bool cli_has_option(const cli *cli, const char *option); /* does this command take it? */
bool cli_flag(const cli *cli, const char *option);
const char *cli_text(const cli *cli, const char *option); /* NULL when absent and without default */
int64_t cli_int(const cli *cli, const char *option);      /* also durations (ns) and sizes (bytes) */
size_t cli_list_count(const cli *cli, const char *option);
const char *cli_list_item(const cli *cli, const char *option, size_t index);
bool cli_json(const cli *cli);     /* --json: every command has it */
bool cli_colour(const cli *cli);   /* stdout is a terminal, NO_COLOR unset, TERM not dumb */
bool cli_progress(const cli *cli); /* stderr is a terminal and --no-progress was not given */
FILE *cli_out(cli *cli);           /* data; a write error ends the command with exit 1 (EPIPE silently) */

/* The catalog the command needs (found as DESIGN section 6 says), with findings printed on stderr when it is
 * not sound. On failure prints the error and returns NULL: return EXIT_ERROR then. Closed by the framework. */
const weir_catalog *cli_catalog(cli *cli);
const char *cli_catalog_folder(cli *cli);
/* Before the first of both: the catalog in this folder in this environment (NULL: none), whatever the first
 * argument and --env say. --catalog wins over the folder. */
void cli_use_catalog(cli *cli, const char *folder, const char *environment);
/* Connected as the options say. On failure prints the error and returns NULL. Closed by the framework. */
weir_connection *cli_connection(cli *cli);

/* "weir COMMAND: message" and "  hint" on stderr; as JSON object {"error":{...}} on stdout under --json.
 * Returns EXIT_ERROR. */
int cli_fail(cli *cli, const weir_error *err);
/* "weir COMMAND: message; see weir help COMMAND"; returns the usage exit code. */
int cli_usage(cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line of talk on stderr unless --quiet. */
void cli_say(cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* y/N on the terminal: true only for a yes. Never asks without a terminal on stdin and stderr: false, *asked
 * stays false. */
bool cli_confirm(cli *cli, const char *question, bool *asked);

/* SIGINT and SIGTERM: `stop(arg)` is called once from the signal handler (it must be async-signal-safe), a
 * second SIGINT exits with 130 at once. cli_interrupted tells which exit code to use. stop may be NULL to
 * only count. */
void cli_on_stop(cli *cli, void (*stop)(void *arg), void *arg);
/* After the first of those signals the command has so many seconds; then the process ends, whatever hangs: with 130
 * after SIGINT, otherwise with 1. What it was doing must be as safe as after a kill -9. */
void cli_stop_within(cli *cli, unsigned seconds);
bool cli_interrupted(
    const cli *cli); /* SIGINT came: exit with 130. A SIGTERM alone is a wish: exit with what was reached */
bool cli_stopping(const cli *cli); /* either came */

/* A table for people: cells are escaped, columns aligned to the widest, right-aligned when `right`. */
struct cli_table;
struct cli_table *cli_table_new(const char *const *headings, size_t columns);
void cli_table_cell(struct cli_table *table, bool right, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cli_table_print(struct cli_table *table, cli *cli); /* prints to cli_out and frees */

#endif
