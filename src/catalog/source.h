/* SPDX-License-Identifier: Apache-2.0 */
/* The files a catalog is made of: found, read once, and never outside its folder, or the tree that catalog.yaml
 * names with `tree: ..`.
 *
 * Paths are relative to the catalog's folder, without "." and, but for the beginning, "..". Hidden files and folders are passed over, and so
 * are folders with a catalog.yaml of their own. A symbolic link may lead to a file inside the folder; one
 * that leads out is a finding, whoever put it there. */
#ifndef CATALOG_SOURCE_H
#define CATALOG_SOURCE_H

#include "base/list.h"
#include "catalog/report.h"
#include "json/json.h"

struct source {
    const char *path;
    const char *real; /* absolute, links resolved: one file has one source */
    json_doc *doc;    /* NULL when it could not be read (there is a finding then) */
    bool yaml;        /* places are known */
    bool referenced;  /* a schema or the envelope, not a part of the catalog */
    bool by_ref;      /* a `$ref` leads to it: the bundle keeps it under its path */
};

struct sources {
    arena *arena;
    weir_report *report;
    const char *dir;  /* as given */
    const char *real; /* resolved */
    const char *tree; /* resolved: the outermost folder that files may come from; the same unless widened */
    int up;           /* how many folders above `real` that is */
    LIST(struct source *) files;
    bool broken; /* a file could not be read: what is missing may stand in it */
    bool sealed; /* the one source there is was given: no file is looked for */
};

#define CATALOG_ENTRY "catalog.yaml"

/* NOT_FOUND when there is no such folder or no catalog.yaml in it. Frees nothing: documents belong to the
 * caller. */
WEIR_MUST_CHECK weir_code sources_open(struct sources *sources, const char *dir, weir_error *err);
/* Instead of a folder: one document, named `path` in findings. Takes doc. */
void sources_seal(struct sources *sources, const char *path, json_doc *doc);
/* The file that everything begins with: catalog.yaml, or the document that was given. */
struct source *sources_entry(struct sources *sources);
/* Reads every .yaml file in `folder` ("" is the root) and below, but for those named catalog.yaml. */
void sources_walk(struct sources *sources, const char *folder);
/* Reads one file; the same file gives the same source. NULL (with a finding at `place`) when there is no such
 * file. */
struct source *source_read(struct sources *sources, const char *path, struct place place);
/* Takes a document that weir brings along for a file of the catalog; it owns the document then. */
struct source *source_builtin(struct sources *sources, const char *path, json_doc *doc);
/* Lets files come from the folder `up` levels above the catalog's own. */
void sources_widen(struct sources *sources, int up);
/* The path `relative` means when it stands in file `from`, by its words alone: it may begin with "..". NULL when it
 * is absolute, or no path. */
const char *source_path(arena *arena, const char *from, weir_text relative);
/* Does such a path stay in the tree? */
bool source_inside(const struct sources *sources, const char *path);
/* Both; a path that leads out is a finding at `place`. */
const char *source_join(struct sources *sources, const char *from, weir_text relative, struct place place);
bool source_is_folder(const struct sources *sources, const char *path);
bool source_is_file(const struct sources *sources, const char *path);

/* Where a value stands; the file's first line when it has no places (JSON). */
struct place source_place(const struct source *source, const json *value);

#endif
