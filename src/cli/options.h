/* SPDX-License-Identifier: Apache-2.0 */
/* From argv to checked values. Pure: the environment is handed in, nothing is printed. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/list.h"
#include "cli/cli.h"

struct option_value {
    const struct option_row *row;
    bool given;       /* on the command line */
    bool present;     /* given, or from the environment, or by default */
    const char *text; /* as written; the last one of a list */
    int64_t number;   /* of ints, durations (ns), sizes (bytes); 1 for a flag */
    LIST(const char *) items;
};

struct options {
    arena *arena;
    const struct command_row *command;
    LIST(struct option_value) values;
    LIST(const char *) arguments;
    LIST(const char *) rest; /* ends with NULL */
};

/* The option rows that commands share. Each ends with a row whose name is NULL. */
extern const struct option_row options_global[];  /* every command */
extern const struct option_row options_catalog[]; /* NEEDS_CATALOG */
extern const struct option_row options_server[];  /* NEEDS_SERVER */
extern const struct option_row options_exit_code[];

/* The tables of a command, its own first; at most 5, NULL at the end. */
enum { OPTION_TABLES = 6 };
void option_tables(const struct command_row *command, const struct option_row *tables[OPTION_TABLES]);
/* Looks a row up in tables by name ("json") or letter; NULL when there is none. */
const struct option_row *option_find(const struct option_row *const *tables, weir_text name, char letter);

/* Parses what stands around the command's own words. INVALID with a sentence for the usage line. Texts point
 * into tokens and the arena; `options` is zeroed by the caller except arena. */
WEIR_MUST_CHECK weir_code options_parse(struct options *options, const struct command_row *command,
                                        size_t count, const char *const *tokens,
                                        const char *(*environment)(const char *name), weir_error *err);

/* Which command do these tokens name? NOT_FOUND when none; the message says what was meant. *first and *words
 * tell which tokens are its name; options of the shared tables may stand before it. A group alone ("dlq")
 * gives *row NULL and *group set. No command at all gives both NULL. */
struct command_match {
    const struct command_row *row;
    const char *group;
    size_t first, words;
};
WEIR_MUST_CHECK weir_code command_match(struct command_match *out, arena *arena, size_t count,
                                        const char *const *tokens, weir_error *err);
/* The row of that name; NULL when there is none. */
const struct command_row *command_find(const char *name);
bool command_is_group(const char *name);

#endif
