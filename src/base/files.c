/* SPDX-License-Identifier: Apache-2.0 */
/* Files, folders and ports. A file is replaced as a whole or not at all, and is on the disk when the call
 * returns. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/process.h"

static weir_code file_failure(weir_error *err, const char *what, const char *path) {
    int error = errno;
    weir_code code = error == ENOENT || error == ENOTDIR ? WEIR_NOT_FOUND
                     : error == EACCES || error == EPERM ? WEIR_DENIED
                                                         : WEIR_IO;
    weir_fail(err, code, "%s %s: %s", what, path, strerror(error));
    if (err)
        err->detail = error;
    return code;
}

static weir_code read_all(char **data, size_t *size, int fd, const char *path, size_t bound,
                          weir_error *err) {
    size_t capacity = 4096, got = 0;
    char *content = mem_alloc(capacity);
    for (;;) {
        ssize_t part = read(fd, content + got, capacity - got - 1);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0) {
            mem_free(content);
            return file_failure(err, "cannot read", path);
        }
        got += (size_t)part;
        if (got > bound) {
            mem_free(content);
            return weir_fail(err, WEIR_LIMIT, "%s is larger than the %zu bytes allowed here", path, bound);
        }
        if (part == 0)
            break;
        if (capacity - got < 2)
            content = mem_resize(content, capacity *= 2);
    }
    content[got] = 0;
    *data = content;
    *size = got;
    return WEIR_OK;
}

weir_code file_read(char **data, size_t *size, const char *path, size_t bound, weir_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failure(err, "cannot open", path);
    weir_code code = read_all(data, size, fd, path, bound, err);
    close(fd);
    return code;
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        data += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

/* A renamed file is safe only when its folder is on the disk too. */
static bool sync_folder_of(const char *path) {
    char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    mem_free(folder);
    errno = error;
    return synced;
}

weir_code file_write_atomic(const char *path, const void *data, size_t size, int mode, weir_error *err) {
    static const char ending[] = ".XXXXXX";
    size_t path_size = strlen(path);
    char *temporary = mem_alloc(path_size + sizeof ending);
    memcpy(temporary, path, path_size);
    memcpy(temporary + path_size, ending, sizeof ending);
    int fd = mkostemp(temporary, O_CLOEXEC);
    bool good = fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && write_all(fd, data, size) && fsync(fd) == 0 &&
                rename(temporary, path) == 0;
    weir_code code = good ? WEIR_OK : file_failure(err, "cannot write", path);
    if (fd >= 0) {
        close(fd);
        if (!good)
            unlink(temporary);
    }
    mem_free(temporary);
    if (good && !sync_folder_of(path))
        code = file_failure(err, "cannot bring to the disk the folder of", path);
    return code;
}

weir_code folder_make(const char *path, weir_error *err) {
    char *part = mem_strdup(path);
    weir_code code = WEIR_OK;
    for (char *at = part; code == WEIR_OK && *at; at++) {
        bool end = at[1] == 0;
        if (!end && (at[1] != '/' || *at == '/'))
            continue;
        char kept = at[1];
        at[1] = 0;
        struct stat found;
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            code = file_failure(err, "cannot make the folder", part);
        else if (stat(part, &found) < 0)
            code = file_failure(err, "cannot look at", part);
        else if (!S_ISDIR(found.st_mode))
            code = weir_fail(err, WEIR_CONFLICT, "cannot make the folder %s: a file has that name", part);
        at[1] = kept;
    }
    mem_free(part);
    return code;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    remove(path);
    return 0;
}

void folder_remove(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

weir_code port_free(int *port, weir_error *err) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    weir_code code = good ? WEIR_OK : file_failure(err, "cannot find a free port on", "127.0.0.1");
    *port = good ? ntohs(address.sin_port) : 0;
    if (fd >= 0)
        close(fd);
    return code;
}
