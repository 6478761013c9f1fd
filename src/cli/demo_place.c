/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"
#include "cli/local_server.h"
#include "weir/json.h"
#include "json/json.h"

/* The first of several places that exists. */
static const char *first_that_exists(const char *const *paths, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (paths[i] && access(paths[i], F_OK) == 0)
            return paths[i];
    return NULL;
}

static weir_code find_programs(struct demo_place *place, const char *catalog, weir_error *err) {
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return weir_fail(err, WEIR_IO, "/proc/self/exe cannot be read: %s", strerror(errno));
    self[size] = 0;
    place->weir = arena_strdup(place->arena, self);
    *strrchr(self, '/') = 0;
    const char *services[] = {getenv("WEIR_ENERGY_UNION"),
                              arena_printf(place->arena, "%s/energy-union", self),
                              arena_printf(place->arena, "%s/../libexec/weir/energy-union", self)};
    place->energy_union = first_that_exists(services, 3);
    if (!place->energy_union) {
        weir_fail(err, WEIR_NOT_FOUND,
                  "the services' program energy-union is neither in %s nor in %s/../libexec/weir", self,
                  self);
        return weir_hint(err, "build or install weir completely, or name it in WEIR_ENERGY_UNION");
    }
    const char *catalogs[] = {catalog, arena_printf(place->arena, "%s/../catalogs/daarion", self),
                              arena_printf(place->arena, "%s/../share/weir/catalogs/daarion", self),
                              WEIR_SOURCE_CATALOGS "/daarion"};
    place->catalog = catalog ? catalog : first_that_exists(catalogs, 4);
    if (!place->catalog) {
        weir_fail(err, WEIR_NOT_FOUND,
                  "the catalog daarion is neither in %s/../catalogs nor in %s/../share/weir/catalogs", self,
                  self);
        return weir_hint(err, "name its folder with --demo-catalog");
    }
    char *absolute = realpath(place->catalog, NULL);
    if (!absolute)
        return weir_fail(err, WEIR_NOT_FOUND, "%s: %s", place->catalog, strerror(errno));
    place->catalog = arena_strdup(place->arena, absolute);
    free(absolute);
    return WEIR_OK;
}

static weir_code choose_folder(struct demo_place *place, const char *given, weir_error *err) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (given)
        place->folder = arena_strdup(place->arena, given);
    else if (state && *state)
        place->folder = arena_printf(place->arena, "%s/weir/demo", state);
    else if (home && *home)
        place->folder = arena_printf(place->arena, "%s/.local/state/weir/demo", home);
    else
        return weir_fail(err, WEIR_INVALID,
                         "neither HOME nor XDG_STATE_HOME is set; name a folder with --dir");
    WEIR_TRY(folder_make(place->folder, err));
    char *absolute = realpath(place->folder, NULL);
    if (!absolute)
        return weir_fail(err, WEIR_IO, "%s: %s", place->folder, strerror(errno));
    place->folder = arena_strdup(place->arena, absolute);
    free(absolute);
    place->server_folder = arena_printf(place->arena, "%s/nats", place->folder);
    return WEIR_OK;
}

weir_code demo_place_open(struct demo_place *place, cli *cli, weir_error *err) {
    *place = (struct demo_place){.arena = arena_new(), .lock = -1};
    WEIR_TRY(find_programs(place, cli_text(cli, "demo-catalog"), err));
    WEIR_TRY(choose_folder(place, cli_text(cli, "dir"), err));
    const char *path = arena_printf(place->arena, "%s/demo.lock", place->folder);
    place->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (place->lock < 0)
        return weir_fail(err, WEIR_IO, "%s: %s", path, strerror(errno));
    if (flock(place->lock, LOCK_EX | LOCK_NB) != 0) {
        weir_fail(err, WEIR_CONFLICT, "a demo is running in %s", place->folder);
        return weir_hint(err, "stop it, or use another folder with --dir");
    }
    return WEIR_OK;
}

void demo_place_close(struct demo_place *place) {
    if (place->lock >= 0)
        close(place->lock);
    arena_free(place->arena);
}

/* --- demo.json ------------------------------------------------------------------------------------------ */

static const char *const names[] = {"data",      "time-column", "value-column", "tz",
                                    "time-rule", "site",        "rate",         "readings"};
enum { NAMES = sizeof names / sizeof *names };

static void fields(struct demo_settings *settings, const char **out[NAMES]) {
    const char **all[NAMES] = {&settings->data, &settings->time_column, &settings->value_column,
                               &settings->tz,   &settings->time_rule,   &settings->site,
                               &settings->rate, &settings->readings};
    memcpy(out, all, sizeof all);
}

static weir_code from_options(struct demo_settings *settings, struct demo_place *place, cli *cli, bool stay,
                              weir_error *err) {
    const char **field[NAMES];
    fields(settings, field);
    for (int i = 0; i < NAMES; i++) {
        bool number = i >= 6;
        if (!number)
            *field[i] = cli_text(cli, names[i]);
        else if (cli_given(cli, names[i]))
            *field[i] = arena_printf(place->arena, "%" PRId64, cli_int(cli, names[i]));
    }
    if (settings->data) {
        char *absolute = realpath(settings->data, NULL);
        if (!absolute)
            return weir_fail(err, WEIR_NOT_FOUND, "%s: %s", settings->data, strerror(errno));
        settings->data = arena_strdup(place->arena, absolute);
        free(absolute);
    }
    if (!settings->rate)
        settings->rate = settings->data ? "120" : "5";
    if (!settings->readings && !settings->data && !stay)
        settings->readings = "30";
    return WEIR_OK;
}

/* Written twice: with "starting" before the folder is emptied, without it afterwards. So a demo killed in
 * between is resumed with what was asked for, and empties the folder then. */
static weir_code write_settings(struct demo_settings *settings, const char *path, bool starting,
                                weir_error *err) {
    const char **field[NAMES];
    fields(settings, field);
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    if (starting) {
        weir_json_key(json, "starting");
        weir_json_bool(json, true);
    }
    for (int i = 0; i < NAMES; i++) {
        if (!*field[i])
            continue;
        weir_json_key(json, names[i]);
        weir_json_string(json, *field[i]);
    }
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    weir_code code = file_write_atomic(path, text.data, text.size, 0600, err);
    weir_json_free(json);
    return code;
}

static weir_code check_same(const struct demo_settings *settings, struct demo_place *place, cli *cli,
                            weir_error *err) {
    struct demo_settings given = *settings;
    const char **had[NAMES], **now[NAMES];
    fields((struct demo_settings *)settings, had);
    fields(&given, now);
    for (int i = 0; i < 6; i++) { /* rate and count may change */
        if (!cli_given(cli, names[i]))
            continue;
        *now[i] = cli_text(cli, names[i]);
        char *absolute = i == 0 ? realpath(*now[i], NULL) : NULL;
        if (absolute)
            *now[i] = arena_strdup(place->arena, absolute);
        free(absolute);
        if (!*had[i] || strcmp(*had[i], *now[i]) != 0) {
            weir_fail(err, WEIR_CONFLICT, "--%s is '%s', but the demo to resume had '%s'", names[i], *now[i],
                      *had[i] ? *had[i] : "");
            return weir_hint(err, "leave it out, or start anew without --resume");
        }
    }
    return WEIR_OK;
}

static weir_code read_settings(struct demo_settings *settings, struct demo_place *place, const char *path,
                               bool *starting, weir_error *err) {
    char *data = NULL;
    size_t size = 0;
    json_doc *doc = NULL;
    WEIR_TRY(file_read(&data, &size, path, 1 << 20, err));
    weir_code code = json_parse(&doc, (weir_text){data, size}, err);
    mem_free(data);
    if (code != WEIR_OK)
        return weir_prefix(err, "%s", path);
    const char **field[NAMES];
    fields(settings, field);
    for (int i = 0; i < NAMES; i++)
        *field[i] = arena_cstr(place->arena, json_text(json_get(json_root(doc), names[i])));
    *starting = json_true(json_get(json_root(doc), "starting"));
    json_doc_free(doc);
    return WEIR_OK;
}

/* --- starting anew -------------------------------------------------------------------------------------- */

static weir_code remove_tree(const char *path, int depth, weir_error *err) {
    DIR *folder = depth < 16 ? opendir(path) : NULL;
    if (!folder)
        return unlink(path) == 0 || errno == ENOENT
                   ? WEIR_OK
                   : weir_fail(err, WEIR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    weir_code code = WEIR_OK;
    for (struct dirent *entry; code == WEIR_OK && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        buffer child;
        buffer_init(&child, 8192);
        buffer_printf(&child, "%s/%s", path, entry->d_name);
        struct stat info;
        bool directory = lstat(child.data, &info) == 0 && S_ISDIR(info.st_mode);
        if (directory)
            code = remove_tree(child.data, depth + 1, err);
        else if (unlink(child.data) != 0 && errno != ENOENT)
            code = weir_fail(err, WEIR_IO, "%s: cannot be removed: %s", child.data, strerror(errno));
        buffer_release(&child);
    }
    closedir(folder);
    if (code == WEIR_OK && rmdir(path) != 0 && errno != ENOENT)
        code = weir_fail(err, WEIR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    return code;
}

/* A kill while demo.json is written leaves what was to become it. */
static bool is_leftover(const char *name) {
    static const char begun[] = "demo.json.";
    return strncmp(name, begun, sizeof begun - 1) == 0 && strlen(name) == sizeof begun - 1 + 6;
}

/* Files the demo makes; anything else in the folder is somebody's. */
static bool is_ours(const char *name) {
    static const char *const ours[] = {"embassy", "oracle", "rwa", "wallet", "usage", "quota", "relay"};
    if (strcmp(name, "nats") == 0 || strcmp(name, "demo.json") == 0 || strcmp(name, "demo.lock") == 0 ||
        is_leftover(name))
        return true;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strncmp(name, ours[i], strlen(ours[i])) == 0 && name[strlen(ours[i])] == '.')
            return true;
    return false;
}

static weir_code check_folder(const struct demo_place *place, weir_error *err) {
    DIR *folder = opendir(place->folder);
    if (!folder)
        return weir_fail(err, WEIR_IO, "%s: %s", place->folder, strerror(errno));
    weir_code code = WEIR_OK;
    for (struct dirent *entry; code == WEIR_OK && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !is_ours(entry->d_name)) {
            weir_fail(err, WEIR_CONFLICT, "%s holds '%s', which is not the demo's", place->folder,
                      entry->d_name);
            code = weir_hint(err, "name an empty folder with --dir");
        }
    closedir(folder);
    return code;
}

static weir_code empty_folder(const struct demo_place *place, weir_error *err) {
    DIR *folder = opendir(place->folder);
    if (!folder)
        return weir_fail(err, WEIR_IO, "%s: %s", place->folder, strerror(errno));
    weir_code code = WEIR_OK;
    for (struct dirent *entry; code == WEIR_OK && (entry = readdir(folder));) {
        const char *name = entry->d_name;
        if (is_ours(name) && strcmp(name, "demo.lock") != 0 && strcmp(name, "demo.json") != 0)
            code = remove_tree(arena_printf(place->arena, "%s/%s", place->folder, name), 0, err);
    }
    closedir(folder);
    return code;
}

static weir_code start_anew(const struct demo_place *place, weir_error *err) {
    bool stopped;
    weir_code code = local_server_down(place->server_folder, 10000, &stopped, err);
    if (code != WEIR_OK && code != WEIR_NOT_FOUND)
        return code;
    return empty_folder(place, err);
}

weir_code demo_settings_open(struct demo_settings *settings, struct demo_place *place, cli *cli, bool stay,
                             weir_error *err) {
    *settings = (struct demo_settings){0};
    const char *path = arena_printf(place->arena, "%s/demo.json", place->folder);
    bool starting = true;
    if (cli_flag(cli, "resume") && access(path, F_OK) == 0) {
        WEIR_TRY(read_settings(settings, place, path, &starting, err));
        WEIR_TRY(check_same(settings, place, cli, err));
        if (!starting)
            return WEIR_OK;
    } else {
        if (cli_flag(cli, "resume"))
            cli_say(cli, "nothing to resume in %s; starting anew", place->folder);
        WEIR_TRY(from_options(settings, place, cli, stay, err));
        WEIR_TRY(check_folder(place, err));
        WEIR_TRY(write_settings(settings, path, true, err));
    }
    WEIR_TRY(start_anew(place, err));
    return write_settings(settings, path, false, err);
}
