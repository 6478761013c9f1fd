/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping a server that outlives us, so that no kill at any moment leaves two on one folder.
 *
 * The lock on DIR/server.lock is an open-file-description lock whose descriptor becomes the server's standard
 * input: it is held exactly as long as the server lives. Before the start, server.json states the port and
 * the name the server will have; after it, the pid and its start time. If we are killed in between, the next
 * call finds the lock held, takes the pid from the server's own pid file, and believes it only when that
 * process's standard input is our lock file. */
#include "cli/local_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"
#include "base/random.h"
#include "cli/local_config.h"
#include "cli/local_site.h"
#include "weir/clock.h"
#include "json/json.h"

enum { STEP_MS = 20, DEFAULT_WAIT_MS = 10000, PORT_TRIES = 3 };

static int64_t mono_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / 1000000;
}

/* --- is it the one that answers? ------------------------------------------------------------- */

static size_t read_info(int sock, char *info, size_t size) {
    size_t got = 0;
    while (got + 1 < size && !memchr(info, '\n', got) &&
           poll(&(struct pollfd){.fd = sock, .events = POLLIN}, 1, 1000) == 1) {
        ssize_t part = recv(sock, info + got, size - 1 - got, 0);
        if (part <= 0)
            break;
        got += (size_t)part;
    }
    info[got] = 0;
    return got;
}

/* Copies the version when INFO names our server. */
static bool info_is_ours(const char *info, const char *name, char version[32]) {
    json_doc *doc;
    if (strncmp(info, "INFO ", 5) != 0 ||
        json_parse(&doc, (weir_text){info + 5, strcspn(info + 5, "\r\n")}, NULL) != WEIR_OK)
        return false;
    bool ours = text_is(json_text(json_get(json_root(doc), "server_name")), name);
    weir_text found = json_text(json_get(json_root(doc), "version"));
    if (ours)
        snprintf(version, 32, "%.*s", TEXT_ARG(found));
    json_doc_free(doc);
    return ours;
}

static bool answers(const site *site, char version[32]) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)site->record.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char info[8192];
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ours = sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof address) == 0 &&
                read_info(sock, info, sizeof info) > 0 && info_is_ours(info, site->record.name, version);
    if (sock >= 0)
        close(sock);
    return ours;
}

/* --- starting -------------------------------------------------------------------------------- */

/* The last line of the server's log that says why: "[FTL] ..." or whatever stands last. */
static void last_log_line(const site *site, char *line, size_t size) {
    char path[PATH_MAX], tail[2048];
    snprintf(line, size, "nothing in its log");
    int fd = open(site_path(site, "nats-server.log", path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t end = lseek(fd, 0, SEEK_END);
    ssize_t got =
        pread(fd, tail, sizeof tail - 1, end > (off_t)sizeof tail - 1 ? end - (off_t)sizeof tail + 1 : 0);
    close(fd);
    if (got <= 0)
        return;
    tail[got] = 0;
    tail[strlen(tail) - (tail[strlen(tail) - 1] == '\n')] = 0;
    const char *last = strrchr(tail, '\n');
    snprintf(line, size, "%s", last ? last + 1 : tail);
}

static weir_code died_at_start(const site *site, weir_error *err) {
    char line[512];
    last_log_line(site, line, sizeof line);
    weir_fail(err, WEIR_UNAVAILABLE, "nats-server ended at once: %s", line);
    err->retriable = strstr(line, "address already in use") != NULL;
    if (err->retriable)
        return weir_hint(err, "something else listens on port %lld: choose another with --port",
                         (long long)site->record.port);
    return weir_hint(err, "its log is %.400s/nats-server.log", site->dir);
}

static weir_code wait_ready(site *site, int64_t wait_ms, struct local_server *state, weir_error *err) {
    int64_t end = mono_ms() + wait_ms;
    do {
        if (answers(site, state->version))
            return WEIR_OK;
        if (!lock_held(site) || process_wait((pid_t)site->record.pid, 0, NULL))
            return died_at_start(site, err);
        poll(NULL, 0, STEP_MS);
    } while (mono_ms() < end);
    weir_fail(err, WEIR_TIMEOUT, "nats-server (pid %lld) does not answer on port %lld",
              (long long)site->record.pid, (long long)site->record.port);
    return weir_hint(err, "its log is %.400s/nats-server.log", site->dir);
}

static weir_code write_config(const site *site, weir_error *err) {
    char path[PATH_MAX];
    buffer text;
    buffer_init(&text, 64 << 10);
    local_config_write(&text, site->dir, site->record.name, (int)site->record.port);
    weir_code code =
        file_write_atomic(site_path(site, "nats-server.conf", path), text.data, text.size, 0600, err);
    buffer_release(&text);
    return code;
}

/* Notes what will be, then starts it with the lock as its standard input. */
static weir_code launch(site *site, const char *binary, weir_error *err) {
    uint8_t random[4];
    random_bytes(random, sizeof random);
    site->record.pid = 0;
    site->record.start_time = 0;
    snprintf(site->record.name, sizeof site->record.name, "weir-up-%02x%02x%02x%02x", random[0], random[1],
             random[2], random[3]);
    boot_id(site->record.boot);
    WEIR_TRY(record_write(site, err));
    WEIR_TRY(write_config(site, err));
    char config[PATH_MAX], log[PATH_MAX];
    site_path(site, "nats-server.conf", config);
    int log_fd =
        open(site_path(site, "nats-server.log", log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return weir_fail(err, WEIR_IO, "cannot open %s: %s", log, strerror(errno));
    const char *argv[] = {binary, "--config", config, NULL};
    struct process_options options = {.argv = argv,
                                      .directory = site->dir,
                                      .in = site->lock,
                                      .out = log_fd,
                                      .err = log_fd,
                                      .new_session = true};
    pid_t pid;
    weir_code code = process_start(&pid, &options, err);
    close(log_fd);
    if (code != WEIR_OK)
        return code;
    site->record.pid = pid;
    site->record.start_time = process_start_time(pid);
    return record_write(site, err);
}

static weir_code start_on_port(site *site, const char *binary, int64_t wait_ms, struct local_server *state,
                               weir_error *err) {
    weir_code code = launch(site, binary, err);
    WEIR_TRY(lock_hand_over(site, err));
    WEIR_TRY(code);
    return wait_ready(site, wait_ms, state, err);
}

/* Holding the lock. Another port is tried only when the choice was ours. */
static weir_code start_server(site *site, const struct local_server_options *options, int64_t wait_ms,
                              struct local_server *state, weir_error *err) {
    buffer binary;
    buffer_init(&binary, PATH_MAX);
    bool fixed = options->port || site->recorded;
    site->record.port = options->port ? options->port : site->record.port;
    weir_code code = local_binary(&binary, options->binary, err);
    for (int tries = 0; code == WEIR_OK; tries++) {
        int port = (int)site->record.port;
        if (!fixed && (code = port_free(&port, err)) != WEIR_OK)
            break;
        site->record.port = port;
        weir_error failure;
        code = start_on_port(site, binary.data, wait_ms, state, &failure);
        if (code == WEIR_OK || fixed || tries + 1 == PORT_TRIES || !failure.retriable || !lock_take(site)) {
            if (code != WEIR_OK && err)
                *err = failure;
            break;
        }
        code = WEIR_OK;
    }
    buffer_release(&binary);
    return code;
}

static void state_fill(struct local_server *state, const site *site) {
    state->pid = (pid_t)site->record.pid;
    state->start_time = site->record.start_time;
    state->port = (int)site->record.port;
    snprintf(state->url, sizeof state->url, "nats://127.0.0.1:%d", state->port);
}

/* The lock is held: find out by whom; whoever starts a server now may need a moment to note it. */
static weir_code find_running(site *site, int port, int64_t wait_ms, struct local_server *state,
                              weir_error *err) {
    int64_t end = mono_ms() + wait_ms;
    bool lives = server_lives(site);
    while (!lives && lock_held(site) && mono_ms() < end) {
        poll(NULL, 0, STEP_MS);
        WEIR_TRY(record_read(site, err));
        lives = server_lives(site);
    }
    if (!lives) {
        weir_fail(err, WEIR_CONFLICT, "%s/server.lock is held, but by no nats-server that weir started",
                  site->dir);
        return weir_hint(err, "another weir up may be starting it: try again");
    }
    if (port && port != site->record.port) {
        weir_fail(err, WEIR_CONFLICT, "the server of %s already runs on port %lld", site->dir,
                  (long long)site->record.port);
        return weir_hint(err, "stop it first: weir down --dir %.400s", site->dir);
    }
    return wait_ready(site, wait_ms, state, err);
}

weir_code local_server_up(const char *dir, const struct local_server_options *options,
                          struct local_server *state, weir_error *err) {
    static const struct local_server_options usual;
    options = options ? options : &usual;
    int64_t wait_ms = options->wait_ms ? options->wait_ms : DEFAULT_WAIT_MS;
    *state = (struct local_server){0};
    site site;
    weir_code code = site_open(&site, dir, true, err);
    if (code == WEIR_OK && lock_take(&site)) {
        code = start_server(&site, options, wait_ms, state, err);
        state->started = code == WEIR_OK;
    } else if (code == WEIR_OK) {
        code = find_running(&site, options->port, wait_ms, state, err);
    }
    if (code == WEIR_OK) {
        state->running = true;
        state_fill(state, &site);
    }
    site_close(&site);
    return code;
}

/* --- asking and stopping --------------------------------------------------------------------- */

weir_code local_server_state(const char *dir, struct local_server *state, weir_error *err) {
    *state = (struct local_server){0};
    site site;
    weir_code code = site_open(&site, dir, false, err);
    if (code == WEIR_OK && !site.recorded) {
        weir_fail(err, WEIR_NOT_FOUND, "weir up has never run in %s", dir);
        code = weir_hint(err, "start a server with weir up --dir %s", dir);
    }
    if (code == WEIR_OK) {
        state->running = server_lives(&site);
        state_fill(state, &site);
        if (state->running && !answers(&site, state->version))
            *state->version = 0;
    }
    site_close(&site);
    return code;
}

/* Through a pidfd: the process that was recognised is the one that gets the signal. */
static weir_code end_process(const site *site, int64_t grace_ms, weir_error *err) {
    pid_t pid = (pid_t)site->record.pid;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return weir_fail(err, WEIR_IO, "cannot reach process %d: %s", (int)pid, strerror(errno));
    bool ours = recorded_process_lives(site);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    bool ended = !ours;
    const int signals[] = {SIGTERM, SIGKILL};
    for (size_t i = 0; !ended && i < 2; i++) {
        syscall(SYS_pidfd_send_signal, fd, signals[i], NULL, 0);
        ended = poll(&watched, 1, i == 0 ? (int)grace_ms : 10000) == 1;
    }
    close(fd);
    process_wait(pid, 0, NULL); /* reaps it when it is our child */
    return ended ? WEIR_OK : weir_fail(err, WEIR_TIMEOUT, "nats-server (pid %d) does not end", (int)pid);
}

weir_code local_server_down(const char *dir, int64_t grace_ms, bool *stopped, weir_error *err) {
    *stopped = false;
    site site;
    weir_code code = site_open(&site, dir, false, err);
    if (code == WEIR_OK && server_lives(&site)) {
        code = end_process(&site, grace_ms, err);
        *stopped = code == WEIR_OK;
    }
    site_close(&site);
    return code;
}

weir_code local_server_default_dir(buffer *out, weir_error *err) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state)
        buffer_printf(out, "%s/weir/up", state);
    else if (home && *home)
        buffer_printf(out, "%s/.local/state/weir/up", home);
    else {
        weir_fail(err, WEIR_INVALID, "neither XDG_STATE_HOME nor HOME is set");
        return weir_hint(err, "name a folder with --dir DIR");
    }
    return WEIR_OK;
}
