/* SPDX-License-Identifier: Apache-2.0 */
/* `npm ci` under a lock. The lock file it installed from is put beside the packages at the end, under another name:
 * when that is not the tree's lock file, whatever stands there is old or half done, and npm begins anew. */
#include "kit/interop.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/program.h"
#include "kit/spec.h"

enum { FILE_BYTES = 4 << 20, NPM_SECONDS = 100 };

struct file {
    char *data;
    size_t size;
};

static const char *folder(const char *variable, const char *otherwise) {
    const char *value = getenv(variable);
    return value && *value ? value : otherwise;
}

/* A path of the tree, or of the build. */
static const char *ours(char path[4096], const char *name) {
    snprintf(path, 4096, "%.2000s/test/interop/%s", folder("WEIR_SOURCE", "."), name);
    return path;
}

static const char *built(char path[4096], const char *name) {
    snprintf(path, 4096, "%.2000s/interop/%s", folder("WEIR_BUILD", "build"), name);
    return path;
}

static struct file read_ours(const char *name) {
    char path[4096];
    struct file file;
    weir_error err;
    expect_ok(file_read(&file.data, &file.size, ours(path, name), FILE_BYTES, &err), &err);
    return file;
}

static void write_built(const char *name, struct file file) {
    char path[4096];
    weir_error err;
    expect_ok(file_write_atomic(built(path, name), file.data, file.size, 0644, &err), &err);
}

static bool is_installed(struct file lock) {
    char path[4096];
    struct file installed;
    weir_error err;
    if (file_read(&installed.data, &installed.size, built(path, "installed.json"), FILE_BYTES, &err) !=
        WEIR_OK)
        return false;
    bool same = installed.size == lock.size && memcmp(installed.data, lock.data, lock.size) == 0;
    mem_free(installed.data);
    return same;
}

static const char *install(struct file lock) {
    static char reason[512];
    char path[4096];
    struct file package = read_ours("package.json");
    write_built("package.json", package);
    write_built("package-lock.json", lock);
    mem_free(package.data);
    struct kit_run npm =
        kit_run((const char *const[]){"/usr/bin/env", "npm", "ci", "--prefix", built(path, ""), "--no-audit",
                                      "--no-fund", "--loglevel=error", "--fetch-retries=0", NULL},
                NULL, NPM_SECONDS);
    bool done = npm.status == 0;
    snprintf(reason, sizeof reason, "the packages of test/interop cannot be installed: npm ci: %.*s",
             (int)strcspn(npm.err, "\n"), npm.err);
    kit_run_free(&npm);
    if (done)
        write_built("installed.json", lock);
    return done ? NULL : reason;
}

const char *kit_interop_missing(void) {
    char path[4096];
    weir_error err;
    expect_ok(folder_make(built(path, ""), &err), &err);
    int guard = open(built(path, ".lock"), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    assert_true(guard >= 0);
    assert_int_equal(flock(guard, LOCK_EX), 0);
    struct file lock = read_ours("package-lock.json");
    const char *reason = is_installed(lock) ? NULL : install(lock);
    mem_free(lock.data);
    close(guard);
    return reason;
}

void kit_interop_need(void) {
    const char *reason = kit_interop_missing();
    if (reason)
        spec_skip(reason);
}

const char *kit_interop_script(const char *name) {
    static char paths[4][4096];
    static int next;
    struct file script = read_ours(name);
    write_built(name, script);
    mem_free(script.data);
    return built(paths[next++ % 4], name);
}
