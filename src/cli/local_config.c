/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration is rewritten at each start: it is ours, not the user's. */
#include "cli/local_config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"

enum { OLDEST_MAJOR = 2, OLDEST_MINOR = 12, VERSION_WAIT_MS = 5000 };

bool local_version_read(weir_text text, int *major, int *minor) {
    static const char before[] = "nats-server: v";
    char line[64];
    snprintf(line, sizeof line, "%.*s", TEXT_ARG(text));
    return strncmp(line, before, sizeof before - 1) == 0 &&
           sscanf(line + sizeof before - 1, "%4d.%4d", major, minor) == 2;
}

/* Runs `binary --version` and reads what it prints. */
static weir_code ask_version(char *line, size_t size, const char *binary, weir_error *err) {
    int ends[2];
    if (pipe2(ends, 0) < 0)
        return weir_fail(err, WEIR_IO, "cannot make a pipe for %s", binary);
    const char *argv[] = {binary, "--version", NULL};
    pid_t pid;
    weir_code code = process_start(
        &pid, &(struct process_options){.argv = argv, .in = -1, .out = ends[1], .err = -1}, err);
    close(ends[1]);
    size_t got = 0;
    while (code == WEIR_OK && got + 1 < size &&
           poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, VERSION_WAIT_MS) == 1) {
        ssize_t part = read(ends[0], line + got, size - 1 - got);
        if (part <= 0)
            break;
        got += (size_t)part;
    }
    line[got] = 0;
    close(ends[0]);
    if (code == WEIR_OK)
        process_stop(pid, 1000);
    return code;
}

static weir_code check_binary(const char *binary, weir_error *err) {
    char line[128];
    int major, minor;
    WEIR_TRY(ask_version(line, sizeof line, binary, err));
    if (!local_version_read(weir_text_of(line), &major, &minor))
        return weir_fail(err, WEIR_UNSUPPORTED, "%s does not say that it is a nats-server", binary);
    if (major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR))
        return WEIR_OK;
    weir_fail(err, WEIR_UNSUPPORTED, "%s is nats-server %d.%d; weir needs 2.12 or newer (atomic batches)",
              binary, major, minor);
    return weir_hint(err,
                     "install a newer nats-server, or name one with --nats-server FILE or WEIR_NATS_SERVER");
}

static bool in_path(const char *name) {
    const char *path = getenv("PATH");
    for (const char *folder = path; folder && *folder;) {
        size_t size = strcspn(folder, ":");
        char candidate[4096];
        snprintf(candidate, sizeof candidate, "%.*s/%s", (int)size, folder, name);
        if (size && access(candidate, X_OK) == 0)
            return true;
        folder += size + (folder[size] == ':');
    }
    return false;
}

weir_code local_binary(buffer *out, const char *given, weir_error *err) {
    static const char *const places[] = {WEIR_DEPS_NATS_SERVER, "/usr/sbin/nats-server",
                                         "/usr/local/sbin/nats-server", "/usr/local/bin/nats-server"};
    const char *variable = getenv("WEIR_NATS_SERVER");
    const char *binary = given ? given : variable && *variable ? variable : NULL;
    if (!binary && access(places[0], X_OK) == 0)
        binary = places[0];
    if (!binary && in_path("nats-server"))
        binary = "nats-server";
    for (size_t i = 1; !binary && i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            binary = places[i];
    if (!binary) {
        weir_fail(err, WEIR_NOT_FOUND, "no nats-server was found");
        return weir_hint(
            err, "install nats-server 2.12 or newer, or name it with --nats-server FILE or WEIR_NATS_SERVER");
    }
    buffer_string(out, binary);
    return check_binary(binary, err);
}

/* A string of the server's configuration language: bytes outside plain ASCII as \xHH. */
static void config_string(buffer *out, const char *text) {
    buffer_char(out, '"');
    for (; *text; text++) {
        if (*text >= ' ' && *text < 127 && *text != '"' && *text != '\\')
            buffer_char(out, *text);
        else
            buffer_printf(out, "\\x%02X", (unsigned char)*text);
    }
    buffer_char(out, '"');
}

void local_config_write(buffer *out, const char *dir, const char *name, int port) {
    char path[4096];
    buffer_printf(out, "# written by weir up at each start\nlisten: \"127.0.0.1:%d\"\nserver_name: \"%s\"\n",
                  port, name);
    snprintf(path, sizeof path, "%s/nats-server.pid", dir);
    buffer_string(out, "pid_file: ");
    config_string(out, path);
    snprintf(path, sizeof path, "%s/nats-server.log", dir);
    buffer_string(out, "\nlog_file: ");
    config_string(out, path);
    snprintf(path, sizeof path, "%s/jetstream", dir);
    buffer_string(out, "\nlogfile_size_limit: 16MB\nlogfile_max_num: 3\njetstream {\n  store_dir: ");
    config_string(out, path);
    buffer_string(out, "\n  sync_interval: always\n}\n");
}
