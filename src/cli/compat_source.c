/* SPDX-License-Identifier: Apache-2.0 */
/* Opening catalogs by their names. What comes from git stands in a private folder while it is read, and no
 * longer. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/units.h"
#include "cli/compat.h"
#include "cli/run.h"

/* --- git ------------------------------------------------------------------------------------------------ */

static weir_code private_folder(const char **out, cli *cli, weir_error *err) {
    const char *base = getenv("TMPDIR");
    char *folder = arena_printf(cli->arena, "%s/weir-compat-XXXXXX", base && *base ? base : "/tmp");
    *out = mkdtemp(folder);
    return *out
               ? WEIR_OK
               : weir_fail(err, WEIR_IO, "cannot make a private folder in %s", base && *base ? base : "/tmp");
}

static bool exists(const char *name) {
    struct stat info;
    return stat(name, &info) == 0;
}

/* A bundle is named as it was asked for; a folder's files are named from the folder. */
static weir_code open_extracted(weir_catalog **out, cli *cli, const struct git_place *place, const char *path,
                                weir_report **report, weir_error *err) {
    const char *environment = cli_text(cli, "env");
    const char *name = arena_printf(cli->arena, "%s:%s", place->revision, place->path);
    if (!place->file && !exists(arena_printf(cli->arena, "%s/catalog.yaml", path))) {
        weir_fail(err, WEIR_NOT_FOUND, "%s holds no catalog.yaml", name);
        return weir_hint(err, "name the catalog's folder in that revision");
    }
    if (!place->file)
        return weir_catalog_open(out, path, environment, report, err);
    char *data;
    size_t size;
    WEIR_TRY(file_read(&data, &size, path, 2 * LIMIT_BUNDLE_BYTES, err));
    weir_code code = weir_catalog_open_bundle(out, (weir_text){data, size}, name, environment, report, err);
    mem_free(data);
    return code;
}

weir_code compat_git_open(weir_catalog **out, cli *cli, const struct git_place *place, weir_report **report,
                          weir_error *err) {
    const char *folder, *path;
    WEIR_TRY(private_folder(&folder, cli, err));
    weir_code code = git_extract(&path, cli->arena, place, folder, err);
    if (code == WEIR_OK)
        code = open_extracted(out, cli, place, path, report, err);
    folder_remove(folder);
    return code;
}

static weir_code open_git(struct compat_source *out, cli *cli, const char *name, weir_report **report,
                          weir_error *err) {
    WEIR_TRY(git_find(&out->place, cli->arena, name, err));
    out->git = true;
    out->since_ns = out->place.committed_ns;
    return compat_git_open(&out->catalog, cli, &out->place, report, err);
}

/* --- the servers ---------------------------------------------------------------------------------------- */

static weir_code open_stored(struct compat_source *out, cli *cli, const char *name, weir_report **report,
                             weir_error *err) {
    weir_revision revision;
    WEIR_TRY(weir_catalog_fetch(&out->catalog, cli->connection, name, cli_text(cli, "env"), &revision, report,
                                err));
    out->revision = revision.number;
    out->label =
        arena_printf(cli->arena, "nats:%s@%llu", revision.catalog, (unsigned long long)revision.number);
    if (time_parse(&out->since_ns, weir_text_of(revision.stored), NULL) != WEIR_OK)
        out->since_ns = 0;
    return WEIR_OK;
}

/* --- any of them ---------------------------------------------------------------------------------------- */

static weir_code open_named(struct compat_source *out, cli *cli, const char *name, weir_report **report,
                            weir_error *err) {
    const char *folder;
    if (strncmp(name, "nats:", 5) == 0)
        return open_stored(out, cli, name + 5, report, err);
    if (!exists(name) && git_named(name))
        return open_git(out, cli, name, report, err);
    WEIR_TRY(folder_find(&folder, cli->arena, name, ".", err));
    return weir_catalog_open(&out->catalog, folder, cli_text(cli, "env"), report, err);
}

bool compat_source_open(struct compat_source *out, cli *cli, const char *name) {
    weir_report *report = NULL;
    weir_error err;
    *out = (struct compat_source){.label = name};
    if (strncmp(name, "nats:", 5) == 0 && !cli_connection(cli))
        return false;
    bool opened = open_named(out, cli, name, &report, &err) == WEIR_OK;
    if (!opened)
        catalog_unsound(cli, name, report, &err);
    weir_report_free(report);
    return opened;
}
