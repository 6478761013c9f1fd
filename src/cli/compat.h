/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of weir compat share. */
#ifndef CLI_COMPAT_H
#define CLI_COMPAT_H

#include "cli/cli.h"
#include "compat/compat.h"
#include "compat/git.h"
#include "weir/json.h"

/* A catalog by its name: a folder, a bundle, nats:NAME[@REV] or REV:path of git. */
struct compat_source {
    weir_catalog *catalog;
    const char *label; /* as written; a stored one with its revision */
    int64_t since_ns;  /* when it came: a commit's or a stored revision's time; 0: not known */
    bool git;
    struct git_place place; /* of one from git */
    uint64_t revision;      /* of one from the servers; 0: it is not from there */
};
/* Opens it. A failure was told, with the findings when it does not check; NULL catalog then. */
bool compat_source_open(struct compat_source *out, cli *cli, const char *name);
/* One state from git, and one from the servers; nothing is told. */
WEIR_MUST_CHECK weir_code compat_git_open(weir_catalog **out, cli *cli, const struct git_place *place,
                                          weir_report **report, weir_error *err);

/* Both catalogs, and what was in force before and between as far as events of it may be stored. */
struct compat_history {
    LIST(struct compat_source) sources; /* oldest first, the new catalog last */
    struct compat_line line;
    LIST(const char *) remarks; /* what could not be looked at */
    const weir_catalog *borrowed[2];
};
/* Borrows both until release. False: it was told why not. */
bool compat_history_make(struct compat_history *out, cli *cli, const struct compat_source *old,
                         const struct compat_source *new);
void compat_history_release(struct compat_history *history);

/* --- telling -------------------------------------------------------------------------------------------- */

void compat_print(cli *cli, const struct compat_history *history, const struct compat *result,
                  enum compat_word require, bool strict);
void compat_json(cli *cli, const struct compat_history *history, const struct compat *result,
                 enum compat_word require, bool compatible);
/* "--require" in lower case, as it is written. */
const char *compat_word_written(arena *arena, enum compat_word word);

/* weir compat --against-stream: reads streams and tells; the exit code. */
int compat_against(cli *cli, const struct compat_source *source);

#endif
