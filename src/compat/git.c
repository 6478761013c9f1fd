/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions and paths become object ids first; from there on only ids are named, so that no word of a user or of
 * a repository can be taken for an option, a pattern or another revision. */
#include "compat/git.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/units.h"
#include "catalog/source.h"
#include "compat/git_run.h"

/* One line of an answer, kept in arena; NULL when git says no. */
static weir_code ask(const char **out, arena *arena, char said[256], const char *const *argv,
                     weir_error *err) {
    buffer text;
    int status;
    buffer_init(&text, 1 << 16);
    weir_code code = git_run(&text, &status, said, -1, argv, err);
    while (text.size && text.data[text.size - 1] == '\n')
        text.size--;
    *out = code == WEIR_OK && status == 0 ? arena_copy(arena, text.size ? text.data : "", text.size) : NULL;
    buffer_release(&text);
    return code;
}
#define ASK(out, arena, said, err, ...) \
    ask((out), (arena), (said), (const char *const[]){"git", __VA_ARGS__, NULL}, (err))

bool git_named(const char *name) {
    const char *colon = strchr(name, ':');
    return colon && colon > name && *name != '-';
}

/* --- finding -------------------------------------------------------------------------------------------- */

/* Where the current folder is, from the top: "" or "a/b/". */
static weir_code find_prefix(const char **out, arena *arena, const char *name, weir_error *err) {
    char said[256];
    WEIR_TRY(ASK(out, arena, said, err, "rev-parse", "--show-prefix"));
    if (*out)
        return WEIR_OK;
    if (strncmp(said, "not a git repository", 20) == 0)
        weir_fail(err, WEIR_INVALID, "'%s' is a git revision, and this folder is in no git repository", name);
    else
        weir_fail(err, WEIR_INVALID, "'%s' cannot be read: git says: %s", name, said);
    return weir_hint(err, "run it inside the repository, or name a folder or a bundle");
}

/* The folder, where its catalog.yaml was named. */
static const char *without_entry(arena *arena, const char *path) {
    size_t size = strlen(path), own = strlen(CATALOG_ENTRY);
    if (size < own || strcmp(path + size - own, CATALOG_ENTRY) != 0)
        return path;
    return size == own ? "" : path[size - own - 1] == '/' ? arena_copy(arena, path, size - own - 1) : path;
}

static weir_code find_path(struct git_place *place, arena *arena, const char *name, const char *written,
                           weir_error *err) {
    const char *prefix;
    WEIR_TRY(find_prefix(&prefix, arena, name, err));
    bool here =
        strcmp(written, ".") == 0 || strncmp(written, "./", 2) == 0 || strncmp(written, "../", 3) == 0;
    place->path = *written ? source_path(arena, here ? prefix : "", weir_text_of(written)) : "";
    if (place->path && strncmp(place->path, "..", 2) != 0) {
        place->path = without_entry(arena, place->path);
        return WEIR_OK;
    }
    weir_fail(err, WEIR_INVALID, "'%s' leads out of the repository", name);
    return weir_hint(err, "write the path from the top of the repository, or ./ and from this folder");
}

static weir_code find_commit(struct git_place *place, arena *arena, weir_error *err) {
    char said[256];
    const char *seconds;
    WEIR_TRY(ASK(&place->commit, arena, said, err, "rev-parse", "--verify", "--quiet",
                 arena_printf(arena, "%s^{commit}", place->revision)));
    if (!place->commit) {
        weir_fail(err, WEIR_NOT_FOUND, "this repository has no revision '%s'", place->revision);
        return weir_hint(err, "look with git log; a shallow clone lacks history: git fetch --unshallow");
    }
    WEIR_TRY(ASK(&seconds, arena, said, err, "show", "-s", "--format=%ct", place->commit));
    if (!seconds)
        return weir_fail(err, WEIR_IO, "revision '%s' cannot be read: git says: %s", place->revision, said);
    place->committed_ns = strtoll(seconds, NULL, 10) * NS_PER_S;
    return WEIR_OK;
}

/* The object at the place's path in its commit; NULL when there is none. */
static weir_code find_object(struct git_place *place, arena *arena, weir_error *err) {
    char said[256];
    const char *type;
    WEIR_TRY(ASK(&place->object, arena, said, err, "rev-parse", "--verify", "--quiet",
                 arena_printf(arena, "%s:%s", place->commit, place->path)));
    if (!place->object)
        return WEIR_OK;
    WEIR_TRY(ASK(&type, arena, said, err, "cat-file", "-t", place->object));
    place->file = type && strcmp(type, "blob") == 0;
    if (!type || (!place->file && strcmp(type, "tree") != 0))
        place->object = NULL;
    return WEIR_OK;
}

weir_code git_find(struct git_place *out, arena *arena, const char *name, weir_error *err) {
    const char *colon = strchr(name, ':');
    *out = (struct git_place){.revision = arena_copy(arena, name, (size_t)(colon - name))};
    WEIR_TRY(find_path(out, arena, name, colon + 1, err));
    WEIR_TRY(find_commit(out, arena, err));
    WEIR_TRY(find_object(out, arena, err));
    if (out->object)
        return WEIR_OK;
    weir_fail(err, WEIR_NOT_FOUND, "revision '%s' has no folder '%s'", out->revision, colon + 1);
    return weir_hint(err, "write the path from the top of the repository, or ./ and from this folder");
}

/* --- history -------------------------------------------------------------------------------------------- */

static weir_code is_shallow(bool *out, arena *arena, weir_error *err) {
    char said[256];
    const char *answer;
    WEIR_TRY(ASK(&answer, arena, said, err, "rev-parse", "--is-shallow-repository"));
    *out = answer && strcmp(answer, "true") == 0;
    return WEIR_OK;
}

/* "ID SECONDS" of one commit. */
static weir_code add_state(git_places *out, arena *arena, const struct git_place *place, weir_text line,
                           weir_error *err) {
    const char *space = memchr(line.data, ' ', line.size);
    struct git_place state = {.path = place->path};
    if (!space)
        return weir_fail(err, WEIR_INTERNAL, "git log printed a line that is no commit");
    state.commit = arena_copy(arena, line.data, (size_t)(space - line.data));
    state.revision = arena_copy(arena, line.data, 12);
    state.committed_ns = strtoll(space, NULL, 10) * NS_PER_S;
    WEIR_TRY(find_object(&state, arena, err));
    list_push(arena, out, state);
    return WEIR_OK;
}

static weir_code add_states(git_places *out, bool *cut, arena *arena, const struct git_place *place,
                            weir_text log, int64_t until_ns, weir_error *err) {
    bool passed = false;
    for (const char *at = log.data, *end = at + log.size; at < end && !passed;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (out->count == LIMIT_GIT_COMMITS) {
            *cut = true;
            return WEIR_OK;
        }
        WEIR_TRY(add_state(out, arena, place, (weir_text){at, (size_t)(stop - at)}, err));
        passed = out->items[out->count - 1].committed_ns <= until_ns;
        at = stop + 1;
    }
    return passed ? WEIR_OK : is_shallow(cut, arena, err);
}

weir_code git_history(git_places *out, bool *cut, arena *arena, const struct git_place *place,
                      int64_t until_ns, weir_error *err) {
    char said[256];
    buffer log;
    int status;
    const char *outermost;
    *out = (git_places){0};
    *cut = false;
    WEIR_TRY(git_outermost(&outermost, arena, place, err));
    buffer_init(&log, 1 << 20);
    const char *most = arena_printf(arena, "--max-count=%d", LIMIT_GIT_COMMITS + 1);
    const char *only = *outermost ? arena_printf(arena, ":(top,literal)%s", outermost) : ":(top)";
    weir_code code = GIT(&log, &status, said, err, "log", "--first-parent", "--format=%H %ct", most,
                         place->commit, "--", only);
    if (code == WEIR_OK && status != 0)
        code = weir_fail(err, WEIR_IO, "the history of '%s' cannot be read: git says: %s", place->revision,
                         said);
    if (code == WEIR_OK && log.size)
        code = add_states(out, cut, arena, place, buffer_view(&log), until_ns, err);
    buffer_release(&log);
    return code;
}
