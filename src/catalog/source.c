/* SPDX-License-Identifier: Apache-2.0 */
/* Staying inside is decided twice: by the words of a path (source_path), and by what the file system makes of
 * it (realpath), because links can say one thing and mean another. */
#include "catalog/source.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/text.h"

enum { FOLDER_DEPTH = 32 };

static const char *absolute(const struct sources *sources, const char *path) {
    return *path ? arena_printf(sources->arena, "%s/%s", sources->real, path) : sources->real;
}

static bool ends(const char *path, const char *ending) {
    size_t size = strlen(path), ending_size = strlen(ending);
    return size > ending_size && strcmp(path + size - ending_size, ending) == 0;
}

weir_code sources_open(struct sources *sources, const char *dir, weir_error *err) {
    char *real = realpath(dir, NULL);
    if (!real) {
        weir_fail(err, WEIR_NOT_FOUND, "no catalog in '%s': %s", dir, strerror(errno));
        return weir_hint(err, "name the folder that holds catalog.yaml");
    }
    sources->dir = arena_strdup(sources->arena, dir);
    sources->real = arena_strdup(sources->arena, strcmp(real, "/") == 0 ? "" : real);
    sources->tree = sources->real;
    free(real);
    struct stat info;
    if (stat(absolute(sources, CATALOG_ENTRY), &info) != 0) {
        weir_fail(err, WEIR_NOT_FOUND, "no catalog.yaml in '%s'", dir);
        return weir_hint(err, "name the folder that holds catalog.yaml, or make one with `weir init`");
    }
    return WEIR_OK;
}

void sources_seal(struct sources *sources, const char *path, json_doc *doc) {
    struct source *source = arena_alloc(sources->arena, sizeof *source);
    const char *name = arena_strdup(sources->arena, path);
    *source = (struct source){.path = name, .real = name, .doc = doc};
    list_push(sources->arena, &sources->files, source);
    sources->sealed = true;
}

struct source *sources_entry(struct sources *sources) {
    return sources->sealed ? sources->files.items[0]
                           : source_read(sources, CATALOG_ENTRY, (struct place){CATALOG_ENTRY, 1, 1});
}

bool source_is_folder(const struct sources *sources, const char *path) {
    struct stat info;
    return !sources->sealed && stat(absolute(sources, path), &info) == 0 && S_ISDIR(info.st_mode);
}

bool source_is_file(const struct sources *sources, const char *path) {
    struct stat info;
    return !sources->sealed && stat(absolute(sources, path), &info) == 0 && S_ISREG(info.st_mode);
}

struct place source_place(const struct source *source, const json *value) {
    struct place place = json_place(source->doc, value);
    return place.line ? (struct place){source->path, place.line, place.column}
                      : (struct place){source->path, 1, 1};
}

/* --- paths by their words ------------------------------------------------------------------------------- */

static const char *leads_out(struct sources *sources, weir_text path, struct place place) {
    report_add(sources->report, RULE_FILE_OUTSIDE, place, "'%.*s' leads out of the catalog's %s",
               TEXT_ARG(path), sources->up ? "tree" : "folder");
    return NULL;
}

void sources_widen(struct sources *sources, int up) {
    const char *real = sources->real;
    size_t size = strlen(real);
    for (int i = 0; i < up && size; i++)
        size = (size_t)((const char *)memrchr(real, '/', size) - real);
    sources->tree = arena_copy(sources->arena, real, size);
    sources->up = up;
}

/* One folder up: takes the last step back, or writes "..". */
static void step_up(buffer *path) {
    char *last = path->size ? memrchr(path->data, '/', path->size) : NULL;
    weir_text step =
        last ? (weir_text){last + 1, path->size - (size_t)(last + 1 - path->data)} : buffer_view(path);
    if (path->size == 0 || text_is(step, "..")) {
        buffer_string(path, path->size ? "/.." : "..");
        return;
    }
    path->size = last ? (size_t)(last - path->data) : 0;
    path->data[path->size] = 0;
}

const char *source_path(arena *arena, const char *from, weir_text relative) {
    const char *slash = strrchr(from, '/');
    buffer path;
    buffer_init(&path, PATH_MAX);
    buffer_append(&path, from, slash ? (size_t)(slash - from) : 0);
    const char *at = relative.data, *end = relative.data + relative.size;
    bool none =
        relative.size == 0 || *at == '/' || memmem(at, relative.size, ":", 1) || memchr(at, 0, relative.size);
    while (at < end && !none) {
        const char *stop = memchr(at, '/', (size_t)(end - at));
        weir_text step = {at, (size_t)((stop ? stop : end) - at)};
        at = stop ? stop + 1 : end;
        if (step.size == 0 || text_is(step, "."))
            continue;
        if (text_is(step, "..")) {
            step_up(&path);
            continue;
        }
        if (path.size)
            buffer_char(&path, '/');
        buffer_text(&path, step);
    }
    const char *joined =
        none || path.overflow ? NULL : arena_copy(arena, path.size ? path.data : "", path.size);
    buffer_release(&path);
    return joined;
}

bool source_inside(const struct sources *sources, const char *path) {
    int up = 0;
    while (strncmp(path, "..", 2) == 0 && (path[2] == '/' || path[2] == 0)) {
        up++;
        path += path[2] ? 3 : 2;
    }
    return sources->sealed || up <= sources->up;
}

const char *source_join(struct sources *sources, const char *from, weir_text relative, struct place place) {
    const char *joined = source_path(sources->arena, from, relative);
    return joined && source_inside(sources, joined) ? joined : leads_out(sources, relative, place);
}

/* Is this absolute path, links resolved, below the tree? */
static bool in_tree(const struct sources *sources, const char *real) {
    size_t size = strlen(sources->tree);
    return strncmp(real, sources->tree, size) == 0 && real[size] == '/';
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The file's absolute path when it is a regular file inside the folder; otherwise NULL and a finding. */
static const char *resolve(struct sources *sources, const char *path, struct place place) {
    if (sources->sealed) {
        report_add(sources->report, RULE_FILE_UNREADABLE, place, "a bundle stands alone: it cannot name '%s'",
                   path);
        report_remedy(sources->report, "write the bundle again with weir check -o");
        return NULL;
    }
    char *real = realpath(absolute(sources, path), NULL);
    struct stat info;
    if (!real || stat(real, &info) != 0) {
        report_add(sources->report, RULE_FILE_UNREADABLE, place,
                   "there is no file '%s' in the catalog's folder", path);
        report_remedy(sources->report, "mend the path: it counts from the file that names it");
        free(real);
        return NULL;
    }
    const char *kept = NULL;
    if (!in_tree(sources, real) && strcmp(real, sources->tree) != 0) {
        leads_out(sources, weir_text_of(path), place);
    } else if (S_ISDIR(info.st_mode)) {
        report_add(sources->report, RULE_FILE_UNREADABLE, place,
                   "'%s' is a folder, and a file is needed here", *path ? path : ".");
        report_remedy(sources->report, "name a file inside it");
    } else if (!S_ISREG(info.st_mode)) {
        report_add(sources->report, RULE_FILE_UNREADABLE, place, "'%s' is no regular file", path);
    } else {
        kept = arena_strdup(sources->arena, real);
    }
    free(real);
    return kept;
}

static void parse(struct sources *sources, struct source *source, struct place asked) {
    weir_error err;
    char *data = NULL;
    size_t size = 0;
    weir_code code = file_read(&data, &size, source->real, LIMIT_CATALOG_FILE_BYTES, &err);
    if (code != WEIR_OK) {
        if (code == WEIR_LIMIT)
            report_add(sources->report, RULE_FILE_UNREADABLE, asked, "'%s' is larger than %d MiB",
                       source->path, LIMIT_CATALOG_FILE_BYTES >> 20);
        else
            report_add(sources->report, RULE_FILE_UNREADABLE, asked, "%s", err.message);
        if (code == WEIR_LIMIT)
            report_remedy(sources->report, "split it: a catalog may have many files");
        else if (*err.hint)
            report_remedy(sources->report, "%s", err.hint);
        sources->broken = true;
        return;
    }
    weir_text text = {data, size};
    code = source->yaml ? yaml_parse(&source->doc, source->path, text, &err)
                        : json_parse(&source->doc, text, &err);
    mem_free(data);
    if (code == WEIR_OK)
        return;
    sources->broken = true;
    report_error(sources->report, RULE_FILE_UNREADABLE, (struct place){source->path, 1, 1}, &err);
}

struct source *source_read(struct sources *sources, const char *path, struct place place) {
    const char *real = resolve(sources, path, place);
    if (!real) {
        sources->broken = true;
        return NULL;
    }
    for (size_t i = 0; i < sources->files.count; i++)
        if (strcmp(sources->files.items[i]->real, real) == 0)
            return sources->files.items[i];
    if (sources->files.count >= LIMIT_CATALOG_FILES) {
        report_add(sources->report, RULE_FILE_UNREADABLE, place, "the catalog has more than %d files",
                   LIMIT_CATALOG_FILES);
        return NULL;
    }
    struct source *source = arena_alloc(sources->arena, sizeof *source);
    *source = (struct source){
        .path = arena_strdup(sources->arena, path), .real = real, .yaml = !ends(path, ".json")};
    list_push(sources->arena, &sources->files, source);
    parse(sources, source, place);
    return source;
}

struct source *source_builtin(struct sources *sources, const char *path, json_doc *doc) {
    struct source *source = arena_alloc(sources->arena, sizeof *source);
    path = arena_strdup(sources->arena, path);
    *source = (struct source){.path = path, .real = path, .doc = doc, .yaml = true, .referenced = true};
    list_push(sources->arena, &sources->files, source);
    return source;
}

/* --- finding -------------------------------------------------------------------------------------------- */

static void walk(struct sources *sources, const char *folder, int depth);

static bool own_catalog(const struct sources *sources, const char *folder) {
    struct stat info;
    return stat(absolute(sources, arena_printf(sources->arena, "%s/catalog.yaml", folder)), &info) == 0;
}

static bool link_inside(const struct sources *sources, const char *path) {
    char *real = realpath(absolute(sources, path), NULL);
    bool inside = real && in_tree(sources, real);
    free(real);
    return inside;
}

static void visit(struct sources *sources, const char *path, int depth) {
    struct place place = {path, 1, 1};
    struct stat info, target;
    if (lstat(absolute(sources, path), &info) != 0)
        return;
    bool link = S_ISLNK(info.st_mode), yaml = ends(path, ".yaml");
    bool dangling = link && stat(absolute(sources, path), &target) != 0;
    if (dangling && yaml) {
        report_add(sources->report, RULE_FILE_UNREADABLE, place, "the symbolic link '%s' leads to nothing",
                   path);
        report_remedy(sources->report, "mend the link, or remove it");
        sources->broken = true;
        return;
    }
    if (link && !dangling)
        info = target;
    bool folder = S_ISDIR(info.st_mode);
    if (link && (folder || yaml) && !link_inside(sources, path)) {
        report_add(sources->report, RULE_FILE_OUTSIDE, place,
                   "the symbolic link '%s' leads out of the catalog's %s", path,
                   sources->up ? "tree" : "folder");
        return;
    }
    if (folder && !link && !own_catalog(sources, path))
        walk(sources, path, depth + 1);
    if (folder)
        return;
    bool entry = strcmp(path, CATALOG_ENTRY) == 0 || ends(path, "/" CATALOG_ENTRY);
    if (yaml && !entry)
        source_read(sources, path, place);
    else if (!yaml && ends(path, ".yml"))
        report_add(sources->report, RULE_FILE_IGNORED, place,
                   "'%s' is not read: the files of a catalog end in .yaml", path);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void walk(struct sources *sources, const char *folder, int depth) {
    struct dirent **entries;
    int count = depth < FOLDER_DEPTH ? scandir(absolute(sources, folder), &entries, not_hidden, by_name) : -1;
    if (count < 0) {
        report_add(sources->report, RULE_FILE_UNREADABLE, (struct place){*folder ? folder : ".", 1, 1},
                   "the folder cannot be read: %s",
                   depth < FOLDER_DEPTH ? strerror(errno) : "it is nested too deep");
        sources->broken = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        visit(sources,
              *folder ? arena_printf(sources->arena, "%s/%s", folder, name)
                      : arena_strdup(sources->arena, name),
              depth);
        free(entries[i]);
    }
    free(entries);
}

void sources_walk(struct sources *sources, const char *folder) {
    if (!sources->sealed)
        walk(sources, folder, 0);
}
