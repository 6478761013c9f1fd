/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogs as they stand in a git repository, read with the git program: "origin/main:catalogs/shop". Nothing in
 * the repository is changed. What is read is bounded, and goes into a private folder of the caller's. */
#ifndef COMPAT_GIT_H
#define COMPAT_GIT_H

#include <stdint.h>

#include "base/list.h"
#include "base/memory.h"
#include "weir/error.h"

enum {
    LIMIT_GIT_FILES = 10000,      /* of one catalog and what it includes */
    LIMIT_GIT_BYTES = 64 << 20,   /* of them all */
    LIMIT_GIT_OUTPUT = 128 << 20, /* of one run of the program */
    LIMIT_GIT_COMMITS = 100       /* of history looked at */
};

/* A folder, or a bundle, at a commit. Texts live in the arena it was found with. */
struct git_place {
    const char *revision; /* as written: "HEAD~3" */
    const char *path;     /* from the top of the repository; "" is the top */
    const char *commit;   /* its id */
    const char *object;   /* the id of the folder or file: equal ids, equal contents */
    bool file;            /* a bundle */
    int64_t committed_ns; /* wall clock */
};

/* Is this "REV:path"? Whether there are such a revision and path is found out by git_find. */
bool git_named(const char *name);
/* Finds it, for the repository the current folder is in. A path counts from the top, or from the current folder
 * when it begins with "./" or "../". NOT_FOUND: no such revision, or nothing there; INVALID: no repository, a path
 * that leads out of it; UNAVAILABLE: the git program cannot be run. */
WEIR_MUST_CHECK weir_code git_find(struct git_place *out, arena *arena, const char *name, weir_error *err);

/* Writes it, and the folders above it that its catalog.yaml names with `tree:`, below `folder`, which exists and is
 * empty. *out is the path that opens it, in arena. Symbolic links are links again; files too large for a
 * catalog are left out. LIMIT when it is too much. */
WEIR_MUST_CHECK weir_code git_extract(const char **out, arena *arena, const struct git_place *place,
                                      const char *folder, weir_error *err);

/* The path of the outermost folder it is made of: its own, or one above that `tree:` names. */
WEIR_MUST_CHECK weir_code git_outermost(const char **out, arena *arena, const struct git_place *place,
                                        weir_error *err);

typedef LIST(struct git_place) git_places;
/* The states it had before: one for each commit, along first parents, that changed something there, newest
 * first, beginning with the one that made it what it is, until `until_ns` is passed: the first that is older still
 * counts. *cut says that there is more, which is not told: too many, or a shallow clone. */
WEIR_MUST_CHECK weir_code git_history(git_places *out, bool *cut, arena *arena, const struct git_place *place,
                                      int64_t until_ns, weir_error *err);

#endif
