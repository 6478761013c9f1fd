/* SPDX-License-Identifier: Apache-2.0 */
/* From a tree in git to files in a private folder: one listing, then one run that prints all contents. Names
 * come from whoever made the commit: each is looked at step by step, nothing is written over, and symbolic
 * links are made last, when no name can lead through them any more. Where they lead is judged by the reading
 * of the catalog, as anywhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "catalog/source.h"
#include "compat/git.h"
#include "compat/git_run.h"

struct entry {
    const char *path, *object;
    size_t size;
    bool link;
};

struct extraction {
    arena *arena;
    const struct git_place *place;
    const char *folder;
    const char *root; /* the object of the folder that is written */
    const char *rest; /* from there to the catalog */
    LIST(struct entry) entries;
    size_t bytes;
};

/* --- how far up ----------------------------------------------------------------------------------------- */

/* `tree: ../..` in catalog.yaml widens what a catalog is made of. What cannot be read says nothing here: it is
 * told when the catalog is opened. */
static weir_code levels_up(int *out, arena *arena, const struct git_place *place, weir_error *err) {
    char said[256];
    int status;
    buffer text;
    json_doc *doc = NULL;
    *out = 0;
    buffer_init(&text, LIMIT_CATALOG_FILE_BYTES);
    const char *object = arena_printf(arena, "%s:%s", place->object, CATALOG_ENTRY);
    weir_code code = GIT(&text, &status, said, err, "cat-file", "blob", object);
    if (code == WEIR_OK && status == 0 &&
        yaml_parse(&doc, CATALOG_ENTRY, buffer_view(&text), NULL) == WEIR_OK) {
        const char *tree = json_cstr(json_get(json_root(doc), "tree"));
        for (; tree && strncmp(tree, "..", 2) == 0; tree += tree[2] ? 3 : 2)
            ++*out;
    }
    json_doc_free(doc);
    buffer_release(&text);
    return code == WEIR_LIMIT ? WEIR_OK : code;
}

/* The repository's top is the highest. */
weir_code git_outermost(const char **out, arena *arena, const struct git_place *place, weir_error *err) {
    int levels = 0;
    size_t size = strlen(place->path);
    if (!place->file)
        WEIR_TRY(levels_up(&levels, arena, place, err));
    while (levels-- > 0 && size) {
        const char *slash = memrchr(place->path, '/', size);
        size = slash ? (size_t)(slash - place->path) : 0;
    }
    *out = arena_copy(arena, place->path, size);
    return WEIR_OK;
}

static weir_code find_root(struct extraction *extraction, weir_error *err) {
    const char *outermost, *path = extraction->place->path;
    WEIR_TRY(git_outermost(&outermost, extraction->arena, extraction->place, err));
    size_t size = strlen(outermost);
    extraction->root = arena_printf(extraction->arena, "%s:%s", extraction->place->commit, outermost);
    extraction->rest = path + size + (size > 0 && path[size] == '/');
    return WEIR_OK;
}

/* --- the listing ---------------------------------------------------------------------------------------- */

static bool path_safe(const char *path) {
    for (const char *step = path;; step++) {
        size_t size = strcspn(step, "/");
        bool odd =
            size == 0 || (size == 1 && *step == '.') || (size == 2 && step[0] == '.' && step[1] == '.');
        if (odd)
            return false;
        step += size;
        if (!*step)
            return true;
    }
}

/* "MODE TYPE ID SIZE\tPATH" */
static weir_code add_entry(struct extraction *extraction, const char *line, weir_error *err) {
    char mode[8], type[16], object[72];
    long long size;
    const char *tab = strchr(line, '\t');
    if (!tab || sscanf(line, "%7s %15s %71s %lld", mode, type, object, &size) != 4)
        return WEIR_OK; /* a submodule, which has no size */
    bool file = strcmp(type, "blob") == 0 && size >= 0 && size <= LIMIT_CATALOG_FILE_BYTES;
    if (!file)
        return WEIR_OK;
    if (!path_safe(tab + 1))
        return weir_fail(err, WEIR_INVALID, "revision '%s' holds a file whose path leads out",
                         extraction->place->revision);
    extraction->bytes += (size_t)size;
    if (extraction->entries.count == LIMIT_GIT_FILES || extraction->bytes > LIMIT_GIT_BYTES) {
        weir_fail(err, WEIR_LIMIT, "'%s:%s' holds more than %d files or %d MiB", extraction->place->revision,
                  extraction->place->path, LIMIT_GIT_FILES, LIMIT_GIT_BYTES >> 20);
        return weir_hint(err, "name the catalog's own folder");
    }
    struct entry entry = {arena_strdup(extraction->arena, tab + 1), arena_strdup(extraction->arena, object),
                          (size_t)size, strcmp(mode, "120000") == 0};
    list_push(extraction->arena, &extraction->entries, entry);
    return WEIR_OK;
}

static weir_code list_entries(struct extraction *extraction, weir_error *err) {
    char said[256];
    int status;
    buffer listing;
    buffer_init(&listing, LIMIT_GIT_OUTPUT);
    weir_code code =
        GIT(&listing, &status, said, err, "ls-tree", "-r", "-z", "-l", "--full-tree", extraction->root);
    if (code == WEIR_OK && status != 0)
        code = weir_fail(err, WEIR_IO, "revision '%s' cannot be read: git says: %s",
                         extraction->place->revision, said);
    for (size_t at = 0; code == WEIR_OK && at < listing.size; at += strlen(listing.data + at) + 1)
        code = add_entry(extraction, listing.data + at, err);
    buffer_release(&listing);
    return code;
}

/* --- the contents --------------------------------------------------------------------------------------- */

static weir_code cannot(const struct extraction *extraction, weir_error *err) {
    return weir_fail(err, WEIR_IO, "cannot write below %s: %s", extraction->folder, strerror(errno));
}

static weir_code write_link(const struct extraction *extraction, const struct entry *entry, const char *data,
                            weir_error *err) {
    const char *path = arena_printf(extraction->arena, "%s/%s", extraction->folder, entry->path);
    bool made = symlink(arena_copy(extraction->arena, data, entry->size), path) == 0;
    return made ? WEIR_OK : cannot(extraction, err);
}

/* The file; of a link only the folder it will stand in. */
static weir_code write_entry(const struct extraction *extraction, const struct entry *entry, const char *data,
                             weir_error *err) {
    char *path = arena_printf(extraction->arena, "%s/%s", extraction->folder, entry->path);
    char *slash = strrchr(path, '/');
    *slash = 0;
    WEIR_TRY(folder_make(path, err));
    *slash = '/';
    if (entry->link)
        return WEIR_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot(extraction, err);
    size_t done = 0;
    while (done < entry->size) {
        ssize_t part = write(fd, data + done, entry->size - done);
        if (part < 0 && errno != EINTR)
            break;
        done += part > 0 ? (size_t)part : 0;
    }
    weir_code code = done == entry->size ? WEIR_OK : cannot(extraction, err);
    close(fd);
    return code;
}

/* "ID TYPE SIZE\n", the content, "\n", in the order asked for. First all folders and files, then links. */
static weir_code write_entries(const struct extraction *extraction, const buffer *contents, bool links,
                               weir_error *err) {
    const char *at = contents->data, *end = at + contents->size;
    for (size_t i = 0; i < extraction->entries.count; i++) {
        const struct entry *entry = &extraction->entries.items[i];
        const char *line = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!line || (size_t)(end - line) < entry->size + 2)
            return weir_fail(err, WEIR_IO, "revision '%s' cannot be read: git does not have all its files",
                             extraction->place->revision);
        if (!links)
            WEIR_TRY(write_entry(extraction, entry, line + 1, err));
        else if (entry->link)
            WEIR_TRY(write_link(extraction, entry, line + 1, err));
        at = line + 1 + entry->size + 1;
    }
    return WEIR_OK;
}

/* The ids go through a file: a pipe could fill up while the program waits for us to read. */
static weir_code read_contents(buffer *contents, const struct extraction *extraction, weir_error *err) {
    char said[256];
    int status;
    FILE *ids = tmpfile();
    if (!ids)
        return cannot(extraction, err);
    for (size_t i = 0; i < extraction->entries.count; i++)
        fprintf(ids, "%s\n", extraction->entries.items[i].object);
    rewind(ids);
    weir_code code = git_run(contents, &status, said, fileno(ids),
                             (const char *const[]){"git", "cat-file", "--batch", NULL}, err);
    fclose(ids);
    return code;
}

static weir_code extract(struct extraction *extraction, weir_error *err) {
    buffer contents;
    WEIR_TRY(list_entries(extraction, err));
    buffer_init(&contents, LIMIT_GIT_OUTPUT);
    weir_code code = extraction->entries.count ? read_contents(&contents, extraction, err) : WEIR_OK;
    if (code == WEIR_OK && extraction->entries.count)
        code = write_entries(extraction, &contents, false, err);
    if (code == WEIR_OK && extraction->entries.count)
        code = write_entries(extraction, &contents, true, err);
    buffer_release(&contents);
    return code;
}

/* A bundle is one file. */
static weir_code extract_file(struct extraction *extraction, weir_error *err) {
    char said[256];
    int status;
    buffer content;
    const char *slash = strrchr(extraction->place->path, '/');
    extraction->rest = slash ? slash + 1 : extraction->place->path;
    buffer_init(&content, 2 * LIMIT_BUNDLE_BYTES);
    weir_code code = GIT(&content, &status, said, err, "cat-file", "blob", extraction->place->object);
    if (code == WEIR_OK && status != 0)
        code = weir_fail(err, WEIR_IO, "revision '%s' cannot be read: git says: %s",
                         extraction->place->revision, said);
    struct entry entry = {.path = extraction->rest, .size = content.size};
    if (code == WEIR_OK)
        code = write_entry(extraction, &entry, content.data, err);
    buffer_release(&content);
    return code;
}

weir_code git_extract(const char **out, arena *arena, const struct git_place *place, const char *folder,
                      weir_error *err) {
    struct extraction extraction = {.arena = arena, .place = place, .folder = folder};
    if (place->file) {
        WEIR_TRY(extract_file(&extraction, err));
    } else {
        WEIR_TRY(find_root(&extraction, err));
        WEIR_TRY(extract(&extraction, err));
    }
    *out = *extraction.rest ? arena_printf(arena, "%s/%s", folder, extraction.rest) : folder;
    return WEIR_OK;
}
