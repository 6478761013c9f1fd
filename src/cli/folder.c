/* SPDX-License-Identifier: Apache-2.0 */
/* Where the catalog is, and opening it for a command. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "cli/run.h"
#include "weir/json.h"

#define SERVERS_PREFIX "nats:"

static bool holds_catalog(const char *folder) {
    char path[PATH_MAX];
    struct stat info;
    int size = snprintf(path, sizeof path, "%s/catalog.yaml", folder);
    return size > 0 && (size_t)size < sizeof path && stat(path, &info) == 0;
}

static weir_code folder_given(const char **out, arena *arena, const char *given, weir_error *err) {
    struct stat info;
    if (stat(given, &info) != 0)
        return weir_fail(err, WEIR_NOT_FOUND, "there is no folder %s", given);
    if (S_ISDIR(info.st_mode)) {
        if (holds_catalog(given)) {
            *out = arena_strdup(arena, given);
            return WEIR_OK;
        }
        weir_fail(err, WEIR_NOT_FOUND, "%s holds no catalog.yaml", given);
        return weir_hint(err, "name the catalog's folder, or start one with weir init %s", given);
    }
    const char *slash = strrchr(given, '/');
    if (strcmp(slash ? slash + 1 : given, "catalog.yaml") !=
        0) { /* a bundle, or opening it says that it is none */
        *out = arena_strdup(arena, given);
        return WEIR_OK;
    }
    *out = slash ? arena_copy(arena, given, slash == given ? 1 : (size_t)(slash - given)) : ".";
    return WEIR_OK;
}

weir_code folder_find(const char **out, arena *arena, const char *given, const char *start, weir_error *err) {
    if (given)
        return folder_given(out, arena, given, err);
    char folder[PATH_MAX];
    char here[PATH_MAX];
    if (!realpath(start, here))
        return weir_fail(err, WEIR_IO, "the current folder cannot be read");
    snprintf(folder, sizeof folder, "%s", here);
    for (size_t up = 0;; up++) {
        if (holds_catalog(folder)) {
            *out = up ? arena_strdup(arena, folder) : arena_strdup(arena, start);
            return WEIR_OK;
        }
        char *slash = strrchr(folder, '/');
        if (!slash || !folder[1])
            break;
        slash[slash == folder] = 0;
    }
    weir_fail(err, WEIR_NOT_FOUND, "no catalog.yaml in %s or above it", here);
    return weir_hint(
        err, "name the catalog's folder with --catalog DIR or WEIR_CATALOG, or start one with weir init");
}

void cli_use_catalog(cli *cli, const char *folder, const char *environment) {
    cli->catalog_chosen = true;
    cli->environment = environment ? arena_strdup(cli->arena, environment) : NULL;
    if (!cli_given(cli, "catalog"))
        cli->catalog_folder = arena_strdup(cli->arena, folder);
}

/* What was chosen, or what --env says; NULL: none. */
static const char *environment_of(const cli *cli) {
    if (cli->catalog_chosen)
        return cli->environment;
    return cli_has_option(cli, "env") ? cli_text(cli, "env") : NULL;
}

static bool on_servers(const char *given) {
    return given && strncmp(given, SERVERS_PREFIX, strlen(SERVERS_PREFIX)) == 0;
}

const char *cli_catalog_folder(cli *cli) {
    if (cli->catalog_folder)
        return cli->catalog_folder;
    bool first = cli->command->needs & FIRST_IS_DIR && !cli->catalog_chosen;
    const char *given = first ? cli_argument(cli, 0) : NULL;
    if (given && cli_given(cli, "catalog")) {
        cli_usage(cli, "the catalog is named twice: '%s' and --catalog", given);
        return NULL;
    }
    weir_error err;
    given = given ? given : cli_text(cli, "catalog");
    if (on_servers(given))
        cli->catalog_folder = given;
    else if (folder_find(&cli->catalog_folder, cli->arena, given, ".", &err) != WEIR_OK)
        cli_fail(cli, &err);
    return cli->catalog_folder;
}

/* From the servers, in the environment that was applied with it unless another one is named. Run-time commands
 * know no environments. */
static weir_code fetch(cli *cli, const char *name, weir_report **report, weir_error *err) {
    const char *environment = NULL, *exact = name;
    if (cli_has_option(cli, "env")) {
        weir_revision now;
        WEIR_TRY(weir_catalog_revision(&now, cli->connection, name, err));
        environment = environment_of(cli);
        if (!environment && !cli->catalog_chosen && *now.environment)
            environment = arena_strdup(cli->arena, now.environment);
        exact = arena_printf(cli->arena, "%s@%s", now.catalog, now.digest);
    }
    WEIR_TRY(
        weir_catalog_fetch(&cli->catalog, cli->connection, exact, environment, &cli->revision, report, err));
    cli->pinned = strchr(name, '@') != NULL;
    cli->catalog_folder = arena_printf(cli->arena, SERVERS_PREFIX "%s", cli->revision.catalog);
    return WEIR_OK;
}

weir_code cli_catalog_open(cli *cli, weir_report **report, bool *told, weir_error *err) {
    const char *folder = cli_catalog_folder(cli);
    *report = NULL;
    *told = !folder;
    if (!folder)
        return WEIR_INVALID;
    if (!on_servers(folder))
        return weir_catalog_open(&cli->catalog, folder, environment_of(cli), report, err);
    if (!(cli->command->needs & NEEDS_SERVER)) {
        weir_fail(err, WEIR_INVALID, "%s is on the servers, and this command talks to none", folder);
        return weir_hint(err, "name the catalog's folder or a bundle: weir check %s -o FILE writes one",
                         folder);
    }
    *told = !cli_connection(cli);
    return *told ? WEIR_UNAVAILABLE : fetch(cli, folder + strlen(SERVERS_PREFIX), report, err);
}

void catalog_unsound(cli *cli, const char *folder, const weir_report *report, const weir_error *err) {
    size_t errors = report ? findings_count(report, WEIR_SEVERITY_ERROR) : 0;
    if (errors == 0) {
        cli_fail(cli, err);
        return;
    }
    findings_print(stderr, terminal_colour(STDERR_FILENO), folder, report);
    weir_error summary;
    weir_fail(&summary, WEIR_INVALID, "the catalog in %s has %zu error%s", folder, errors,
              errors == 1 ? "" : "s");
    weir_hint(&summary, "%.500s", err->message);
    cli_fail(cli, &summary);
}

const weir_catalog *cli_catalog(cli *cli) {
    if (cli->catalog)
        return cli->catalog;
    weir_report *report;
    weir_error err;
    bool told;
    if (cli_catalog_open(cli, &report, &told, &err) != WEIR_OK && !told)
        catalog_unsound(cli, cli->catalog_folder, report, &err);
    weir_report_free(report);
    return cli->catalog;
}
