/* SPDX-License-Identifier: Apache-2.0 */
/* A test's own nats-servers and its private folder.
 *
 * A server is known to be ours by its name in INFO, so a port that somebody else took in between is noticed
 * and another one tried. Waiting sleeps in steps of 10 ms and is bounded. Whatever happens, nothing outlives
 * the program: servers die with the thread that started them, and at exit every child left (adopted ones too)
 * is killed by its pid. */
#include "kit/server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "kit/spec.h"

enum { STEP_MS = 10, READY_MS = 10000, START_TRIES = 5, PATH_SIZE = 512 };

struct kit_server {
    kit_server *next;
    char name[64], folder[PATH_SIZE], url[64];
    struct kit_server_options options;
    int port;
    pid_t pid; /* 0: not running */
};

struct kept_path {
    struct kept_path *next;
    char text[PATH_SIZE];
};

static struct {
    pid_t owner; /* forked children of a test share this memory, but the folder is not theirs to remove */
    char folder[PATH_SIZE];
    struct kept_path *paths;
    kit_server *servers;
    int started;
} kit;

static void sleep_step(void) {
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
}

/* --- the private folder --------------------------------------------------------------------------------- */

/* The parent of a process, or 0. The command name may hold spaces and parentheses: the last ')' ends it. */
static pid_t parent_of(const char *pid) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    const char *end = strrchr(line, ')');
    return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

/* Kills and reaps one child; false when there is none. */
static bool end_one_child(void) {
    DIR *proc = opendir("/proc");
    pid_t child = 0;
    for (struct dirent *entry; proc && !child && (entry = readdir(proc));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && parent_of(entry->d_name) == getpid())
            child = (pid_t)strtol(entry->d_name, NULL, 10);
    if (proc)
        closedir(proc);
    if (!child)
        return false;
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child;
}

static void clean_up(void) {
    if (getpid() != kit.owner)
        return;
    while (end_one_child())
        ;
    if (getenv("WEIR_KEEP"))
        fprintf(stderr, "kept %s\n", kit.folder);
    else
        folder_remove(kit.folder);
}

const char *kit_folder(void) {
    if (kit.owner == getpid() && kit.folder[0])
        return kit.folder;
    const char *base = getenv("TMPDIR");
    snprintf(kit.folder, sizeof kit.folder, "%s/weir-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(kit.folder))
        fail_msg("cannot make a private folder %s: %s", kit.folder, strerror(errno));
    bool first = kit.owner == 0;
    kit.owner = getpid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (first)
        atexit(clean_up);
    return kit.folder;
}

const char *kit_path(const char *name) {
    struct kept_path *path = calloc(1, sizeof *path);
    snprintf(path->text, sizeof path->text, "%.255s/%.250s", kit_folder(), name);
    path->next = kit.paths;
    kit.paths = path;
    return path->text;
}

/* --- one server ----------------------------------------------------------------------------------------- */

static const char *find_binary(const struct kit_server_options *options, char path[PATH_SIZE]) {
    const char *chosen = options->binary ? options->binary : getenv("WEIR_NATS_SERVER");
    if (chosen && *chosen)
        return chosen;
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, PATH_SIZE, "%s/.deps/root/usr/sbin/nats-server", source && *source ? source : ".");
    return access(path, X_OK) == 0 ? path : "nats-server";
}

static void write_config(const kit_server *server, const char *path) {
    FILE *file = fopen(path, "we");
    if (!file)
        fail_msg("cannot write %s: %s", path, strerror(errno));
    fprintf(file, "listen: \"127.0.0.1:%d\"\nserver_name: \"%s\"\nlog_file: \"%s/server.log\"\n",
            server->port, server->name, server->folder);
    if (!server->options.no_jetstream)
        fprintf(file, "jetstream {\n  store_dir: \"%s/js\"\n  sync_interval: \"%s\"\n}\n", server->folder,
                server->options.sync ? server->options.sync : "always");
    if (server->options.config)
        fprintf(file, "%s\n", server->options.config);
    fclose(file);
}

static void launch(kit_server *server) {
    char config[PATH_SIZE + 16], binary[PATH_SIZE];
    snprintf(config, sizeof config, "%s/server.conf", server->folder);
    write_config(server, config);
    const char *argv[] = {find_binary(&server->options, binary), "-c", config, NULL};
    weir_error err = {0};
    expect_ok(process_start(&server->pid,
                            &(struct process_options){
                                .argv = argv, .in = -1, .out = -1, .err = 2, .die_with_parent = true},
                            &err),
              &err);
    kit.started++;
}

/* Does the server that answers on the port call itself by our name? */
static bool answers(const kit_server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ours = false;
    if (sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof address) == 0) {
        char info[4096], wanted[96];
        size_t size = 0;
        while (size < sizeof info - 1 && !memchr(info, '\n', size) &&
               poll(&(struct pollfd){.fd = sock, .events = POLLIN}, 1, 1000) == 1) {
            ssize_t got = recv(sock, info + size, sizeof info - 1 - size, 0);
            if (got <= 0)
                break;
            size += (size_t)got;
        }
        info[size] = 0;
        snprintf(wanted, sizeof wanted, "\"server_name\":\"%s\"", server->name);
        ours = strncmp(info, "INFO ", 5) == 0 && strstr(info, wanted);
    }
    if (sock >= 0)
        close(sock);
    return ours;
}

/* False when the process ended (the port was taken, or the configuration is wrong). */
static bool wait_ready(kit_server *server) {
    for (int waited = 0; waited < READY_MS; waited += STEP_MS) {
        if (answers(server))
            return true;
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        sleep_step();
    }
    kit_server_kill(server);
    return false;
}

static void show_log(const kit_server *server) {
    char path[PATH_SIZE + 16], text[4096];
    snprintf(path, sizeof path, "%s/server.log", server->folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fseek(file, -(long)sizeof text + 1, SEEK_END) != 0)
        rewind(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    print_error("%.*s\n", (int)size, text);
}

kit_server *kit_server_start(const struct kit_server_options *options) {
    kit_server *server = calloc(1, sizeof *server);
    if (options)
        server->options = *options;
    server->next = kit.servers;
    kit.servers = server;
    snprintf(server->folder, sizeof server->folder, "%.400s/nats-%d", kit_folder(), kit.started + 1);
    snprintf(server->name, sizeof server->name, "weir-test-%d-%d", (int)getpid(), kit.started + 1);
    mkdir(server->folder, 0700);
    for (int try = 0; try < START_TRIES; try++) {
        weir_error err = {0};
        expect_ok(port_free(&server->port, &err), &err);
        snprintf(server->url, sizeof server->url, "nats://127.0.0.1:%d", server->port);
        launch(server);
        if (wait_ready(server))
            return server;
    }
    show_log(server);
    fail_msg("nats-server did not start in %s", server->folder);
    return NULL;
}

const char *kit_server_url(const kit_server *server) {
    return server->url;
}

int kit_server_port(const kit_server *server) {
    return server->port;
}

int kit_server_pid(const kit_server *server) {
    return server->pid;
}

const char *kit_server_folder(const kit_server *server) {
    return server->folder;
}

void kit_server_kill(kit_server *server) {
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void kit_server_restart(kit_server *server) {
    kit_server_kill(server);
    launch(server);
    if (!wait_ready(server)) {
        show_log(server);
        fail_msg("nats-server did not start again in %s", server->folder);
    }
}

/* Returns when the state has really changed, so that a test does not race with the kernel. */
static void signal_and_wait(kit_server *server, int signal_number, int wait_for) {
    if (server->pid == 0)
        fail_msg("the server is not running");
    kill(server->pid, signal_number);
    waitpid(server->pid, NULL, wait_for);
}

void kit_server_pause(kit_server *server) {
    signal_and_wait(server, SIGSTOP, WUNTRACED);
}

void kit_server_resume(kit_server *server) {
    signal_and_wait(server, SIGCONT, WCONTINUED);
}

void kit_server_stop(kit_server *server) {
    if (!server)
        return;
    kit_server_kill(server);
    if (!getenv("WEIR_KEEP"))
        folder_remove(server->folder);
    for (kit_server **link = &kit.servers; *link; link = &(*link)->next)
        if (*link == server) {
            *link = server->next;
            break;
        }
    free(server);
}
