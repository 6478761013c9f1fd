/* SPDX-License-Identifier: Apache-2.0 */
/* weir init [DIR]: the files of src/cli/init, which the build embeds. All of them or none: what exists is
 * looked at before anything is written. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"
#include "cli/commands.h"
#include "weir/json.h"

extern const char init_catalog[], init_envelope[], init_order[];

static const struct init_file {
    const char *name, *text;
} files[] = {
    {"catalog.yaml", init_catalog},
    {"envelope.yaml", init_envelope},
    {"order.yaml", init_order},
};
enum { FILES = sizeof files / sizeof *files };

static weir_code path_of(char path[PATH_MAX], const char *dir, const char *name, weir_error *err) {
    int size = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return size < PATH_MAX ? WEIR_OK : weir_fail(err, WEIR_INVALID, "the folder's name is too long");
}

static weir_code refuse_existing(const char *dir, weir_error *err) {
    char path[PATH_MAX];
    for (size_t i = 0; i < FILES; i++) {
        WEIR_TRY(path_of(path, dir, files[i].name, err));
        if (access(path, F_OK) != 0)
            continue;
        weir_fail(err, WEIR_CONFLICT, "%.900s exists already", path);
        return weir_hint(err, "name another folder: weir init DIR");
    }
    return WEIR_OK;
}

static weir_code write_files(const char *dir, weir_error *err) {
    char path[PATH_MAX];
    WEIR_TRY(refuse_existing(dir, err));
    WEIR_TRY(folder_make(dir, err));
    for (size_t i = 0; i < FILES; i++) {
        WEIR_TRY(path_of(path, dir, files[i].name, err));
        WEIR_TRY(file_write_atomic(path, files[i].text, strlen(files[i].text), 0644, err));
    }
    return WEIR_OK;
}

static void print_json(cli *cli, const char *dir) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    weir_json_key(json, "dir");
    weir_json_string(json, dir);
    weir_json_key(json, "files");
    weir_json_begin_array(json);
    for (size_t i = 0; i < FILES; i++)
        weir_json_string(json, files[i].name);
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir_text text = weir_json_done(json);
    fprintf(cli_out(cli), "%.*s\n", TEXT_ARG(text));
    weir_json_free(json);
}

static int run_init(cli *cli) {
    const char *dir = cli_argument_count(cli) ? cli_argument(cli, 0) : ".";
    weir_error err;
    if (write_files(dir, &err) != WEIR_OK)
        return cli_fail(cli, &err);
    if (cli_json(cli)) {
        print_json(cli, dir);
        return EXIT_OK;
    }
    for (size_t i = 0; i < FILES; i++)
        fprintf(cli_out(cli), "%s/%s\n", dir, files[i].name);
    cli_say(cli, "next: weir check %s, weir up, weir apply %s", dir, dir);
    return EXIT_OK;
}

const struct command_row command_init = {
    .name = "init",
    .summary = "Write a small first catalog to start from.",
    .arguments = "[DIR]",
    .arguments_max = 1,
    .run = run_init,
    .details = "One stream, two events, a group, two services: sound as it is. Never overwrites a file.\n",
};
