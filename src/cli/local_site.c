/* SPDX-License-Identifier: Apache-2.0 */
/* Pids are reused, files outlive processes, starters are killed in between: the lock alone says whether a
 * server is alive, and a pid is believed only when that process has our lock file as its standard input. */
#include "cli/local_site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/process.h"
#include "json/json.h"

enum { STATE_BYTES = 4096 };

const char *site_path(const site *site, const char *name, char path[PATH_MAX]) {
    snprintf(path, PATH_MAX, "%s/%s", site->dir, name);
    return path;
}

/* Changes with each boot, so that a pid and start time of before are not believed. */
void boot_id(char out[40]) {
    char *text;
    size_t size;
    *out = 0;
    if (file_read(&text, &size, "/proc/sys/kernel/random/boot_id", 64, NULL) != WEIR_OK)
        return;
    snprintf(out, 40, "%.*s", (int)strcspn(text, "\n"), text);
    mem_free(text);
}

/* --- server.json ----------------------------------------------------------------------------- */

static weir_code record_parse(struct record *record, const json *root, const char *path, weir_error *err) {
    int64_t start;
    const char *name = json_cstr(json_get(root, "name")), *boot = json_cstr(json_get(root, "boot"));
    if (!name || !boot || !json_int(json_get(root, "pid"), &record->pid) ||
        !json_int(json_get(root, "port"), &record->port) || !json_int(json_get(root, "start_time"), &start) ||
        record->port < 1 || record->port > 65535) {
        weir_fail(err, WEIR_INVALID, "%s is damaged", path);
        return weir_hint(err, "remove it when no nats-server runs on this folder");
    }
    record->start_time = (unsigned long long)start;
    snprintf(record->name, sizeof record->name, "%s", name);
    snprintf(record->boot, sizeof record->boot, "%s", boot);
    return WEIR_OK;
}

weir_code record_read(site *site, weir_error *err) {
    char path[PATH_MAX], *text;
    size_t size;
    site_path(site, "server.json", path);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return WEIR_OK;
    WEIR_TRY(file_read(&text, &size, path, STATE_BYTES, err));
    json_doc *doc = NULL;
    weir_code code = json_parse(&doc, (weir_text){text, size}, err);
    if (code == WEIR_OK)
        code = record_parse(&site->record, json_root(doc), path, err);
    else
        weir_prefix(err, "%s", path);
    json_doc_free(doc);
    mem_free(text);
    site->recorded = code == WEIR_OK;
    return code;
}

weir_code record_write(site *site, weir_error *err) {
    char path[PATH_MAX];
    const struct record *record = &site->record;
    buffer text;
    buffer_init(&text, STATE_BYTES);
    buffer_printf(
        &text, "{\"pid\": %lld, \"start_time\": %llu, \"boot\": \"%s\", \"port\": %lld, \"name\": \"%s\"}\n",
        (long long)record->pid, record->start_time, record->boot, (long long)record->port, record->name);
    weir_code code = file_write_atomic(site_path(site, "server.json", path), text.data, text.size, 0600, err);
    buffer_release(&text);
    site->recorded = code == WEIR_OK;
    return code;
}

/* --- the lock, and who holds it -------------------------------------------------------------- */

weir_code site_open(site *site, const char *dir, bool make, weir_error *err) {
    *site = (struct site){.lock = -1};
    char absolute[PATH_MAX], path[PATH_MAX];
    if (make)
        WEIR_TRY(folder_make(dir, err));
    if (!realpath(dir, absolute) || strlen(absolute) >= sizeof site->dir) {
        weir_fail(err, WEIR_NOT_FOUND, "weir up has never run in %s", dir);
        return weir_hint(err, "start a server with weir up --dir %s", dir);
    }
    memcpy(site->dir, absolute, strlen(absolute) + 1);
    site_path(site, "server.lock", path);
    site->lock = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
    if (site->lock < 0 && errno == ENOENT) {
        weir_fail(err, WEIR_NOT_FOUND, "weir up has never run in %s", dir);
        return weir_hint(err, "start a server with weir up --dir %s", dir);
    }
    if (site->lock < 0)
        return weir_fail(err, WEIR_IO, "cannot open %s: %s", path, strerror(errno));
    return record_read(site, err);
}

void site_close(site *site) {
    if (site->lock >= 0)
        close(site->lock);
    site->lock = -1;
}

bool lock_take(const site *site) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(site->lock, F_OFD_SETLK, &whole) == 0;
}

bool lock_held(const site *site) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(site->lock, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

weir_code lock_hand_over(site *site, weir_error *err) {
    char path[PATH_MAX];
    close(site->lock);
    site->lock = open(site_path(site, "server.lock", path), O_RDWR | O_CLOEXEC);
    return site->lock >= 0 ? WEIR_OK : weir_fail(err, WEIR_IO, "cannot open %s: %s", path, strerror(errno));
}

/* Is the process's standard input our lock file? */
static bool holds_our_lock(const site *site, pid_t pid) {
    char path[64];
    struct stat theirs, ours;
    snprintf(path, sizeof path, "/proc/%d/fd/0", (int)pid);
    return stat(path, &theirs) == 0 && fstat(site->lock, &ours) == 0 && theirs.st_dev == ours.st_dev &&
           theirs.st_ino == ours.st_ino;
}

bool recorded_process_lives(const site *site) {
    char boot[40];
    boot_id(boot);
    const struct record *record = &site->record;
    return site->recorded && record->pid > 0 && strcmp(boot, record->boot) == 0 &&
           process_alive((pid_t)record->pid) &&
           process_start_time((pid_t)record->pid) == record->start_time &&
           holds_our_lock(site, (pid_t)record->pid);
}

/* A server whose starter was killed before it could note the pid. */
static bool adopt(site *site) {
    char path[PATH_MAX], *text;
    size_t size;
    if (!site->recorded ||
        file_read(&text, &size, site_path(site, "nats-server.pid", path), 64, NULL) != WEIR_OK)
        return false;
    long pid = strtol(text, NULL, 10);
    mem_free(text);
    if (pid <= 0 || pid > INT_MAX || !holds_our_lock(site, (pid_t)pid))
        return false;
    site->record.pid = pid;
    site->record.start_time = process_start_time((pid_t)pid);
    boot_id(site->record.boot);
    return record_write(site, NULL) == WEIR_OK;
}

bool server_lives(site *site) {
    return lock_held(site) && (recorded_process_lives(site) || adopt(site));
}
