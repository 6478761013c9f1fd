/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a command, as the framework's own files see it. Commands use cli.h only. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/cli.h"
#include "cli/options.h"
#include "weir/json.h"

struct cli {
    arena *arena;
    const struct command_row *command; /* NULL until it is known */
    const char *group;                 /* "dlq", when only that was understood */
    struct options options;
    bool json, quiet, usage_is_one; /* the last: --exit-code was given, so a usage error exits with 1 */
    bool misused;                   /* a usage error was told: that decides the exit code */
    FILE *out;
    const char *catalog_folder;
    const char *environment; /* instead of --env; NULL: as the options say */
    bool catalog_chosen;     /* by cli_use_catalog */
    weir_catalog *catalog;
    weir_revision revision; /* of a catalog from the servers; number 0: it came from files */
    bool pinned;            /* that revision was asked for, not the latest */
    weir_connection *connection;
};

/* Standard output whose failing writes end the program: silently when the reader has gone, with a sentence
 * otherwise. */
FILE *output_open(void);
bool terminal_colour(
    int fd); /* a terminal, NO_COLOR unset, TERM not dumb; CLICOLOR_FORCE overrides the first */
/* Makes descriptors 0, 1 and 2 safe: a file opened later can never be taken for standard output. */
void descriptors_guard(void);

/* "weir NAME: " or "weir: ". */
const char *run_name(const cli *cli);
/* Prints a usage error and returns its exit code. hint may be "". */
int run_usage(cli *cli, const char *sentence, const char *hint);

/* --- help.c: to `out`, wrapped at 80 columns --------------------------------------------------- */
void help_all(FILE *out);
void help_group(FILE *out, const char *group);
void help_command(FILE *out, const struct command_row *command);
/* "-o, --out FILE", and what it does with its default and variable. Texts live in arena or the row. */
const char *help_option_label(arena *arena, const struct option_row *row);
const char *help_option_text(arena *arena, const struct option_row *row);
/* {"commands":[...]}: the tables themselves. */
void help_json(buffer *out, const char *only); /* a command's name, or NULL */

/* --- man.c ------------------------------------------------------------------------------------- */
void man_command(buffer *out, const char *page, const struct command_row *command);
/* Writes weir.1 and a page per command (weir-dlq-ls.1) into a folder, which is made. */
WEIR_MUST_CHECK weir_code man_write(const char *folder, weir_error *err);

/* --- findings.c -------------------------------------------------------------------------------- */
/* "catalog/file.yaml:3:5: error C012 name: message" and "  remedy", for people. `dir` stands before the file. */
void findings_print(FILE *out, bool colour, const char *dir, const weir_report *report);
/* Appends the path a shell can open from here: the folder's name and the file below it, or the bundle's. */
void findings_path(buffer *out, const char *dir, const char *file);
/* [{"rule":...}] */
void findings_json(weir_json_writer *json, const weir_report *report);
size_t findings_count(const weir_report *report, weir_severity severity);

/* --- folder.c ---------------------------------------------------------------------------------- */
/* Opens the command's catalog from where it is: cli->catalog. *report (may become NULL) is the caller's. A
 * failure with *told was said already. */
WEIR_MUST_CHECK weir_code cli_catalog_open(cli *cli, weir_report **report, bool *told, weir_error *err);
/* Says why the catalog in `folder` did not open: its findings when it has errors, otherwise the error. */
void catalog_unsound(cli *cli, const char *folder, const weir_report *report, const weir_error *err);
/* The catalog's folder from an explicit name (folder, or path of its catalog.yaml) or the nearest
 * catalog.yaml at or above `start`. Text lives in arena. */
WEIR_MUST_CHECK weir_code folder_find(const char **out, arena *arena, const char *given, const char *start,
                                      weir_error *err);

#endif
