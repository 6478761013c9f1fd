/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read whole, one after the other. */
#include "kit/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/spec.h"

enum { PATH_BYTES = 2048, FILE_BYTES = 4 << 20 };

const char *kit_suite(void) {
    static char folder[PATH_BYTES];
    const char *named = getenv("WEIR_SCHEMA_SUITE"), *source = getenv("WEIR_SOURCE");
    struct stat info;
    if (named)
        snprintf(folder, sizeof folder, "%s", named);
    else
        snprintf(folder, sizeof folder, "%s/../shared/data/json-schema-test-suite", source ? source : ".");
    return stat(folder, &info) == 0 && S_ISDIR(info.st_mode) ? folder : NULL;
}

const char *kit_suite_needed(void) {
    const char *folder = kit_suite();
    if (!folder)
        spec_skip("the JSON Schema test suite is not here: set WEIR_SCHEMA_SUITE to its folder");
    return folder;
}

struct walk {
    void (*visit)(void *arg, const char *name, weir_text content);
    void *arg;
    bool deep;
    int count;
};

static void walk_folder(struct walk *walk, const char *root, const char *below);

static void walk_entry(struct walk *walk, const char *root, const char *name) {
    char path[2 * PATH_BYTES], *data = NULL;
    struct stat info;
    size_t size = strlen(name);
    weir_error err;
    assert_true(snprintf(path, sizeof path, "%s/%s", root, name) < (int)sizeof path);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        if (walk->deep)
            walk_folder(walk, root, name);
        return;
    }
    if (size < 6 || strcmp(name + size - 5, ".json") != 0)
        return;
    expect_ok(file_read(&data, &size, path, FILE_BYTES, &err), &err);
    walk->visit(walk->arg, name, (weir_text){data, size});
    walk->count++;
    mem_free(data);
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void walk_folder(struct walk *walk, const char *root, const char *below) {
    char path[2 * PATH_BYTES];
    struct dirent **entries = NULL;
    snprintf(path, sizeof path, "%s/%s", root, below);
    int count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", entries[i]->d_name);
        walk_entry(walk, root, path);
        free(entries[i]);
    }
    free(entries);
}

int kit_suite_each(const char *folder, bool deep,
                   void (*visit)(void *arg, const char *name, weir_text content), void *arg) {
    struct walk walk = {.visit = visit, .arg = arg, .deep = deep};
    char root[PATH_BYTES];
    snprintf(root, sizeof root, "%s/%s", kit_suite(), folder);
    walk_folder(&walk, root, "");
    return walk.count;
}
