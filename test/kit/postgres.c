/* SPDX-License-Identifier: Apache-2.0 */
/* A test's own PostgreSQL clusters.
 *
 * initdb takes a second; its result is kept once per build tree and version, and every cluster begins as a copy of it (a tenth of
 * that). The copy is made as us and handed to the server's user, so that the build tree need not be open to others.
 *
 * Each backend is a session of its own, so no signal reaches them all: the children are looked up by their parent. The
 * postmaster is stopped meanwhile, so that it makes no new ones; killed, it leaves them to us (the test program is a subreaper),
 * and we reap them: a zombie postmaster would keep the next one from starting. */
#include "kit/postgres.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "kit/server.h"
#include "kit/spec.h"

enum { STEP_MS = 10, READY_MS = 60000, QUIT_MS = 5000, START_TRIES = 5, PATH_SIZE = 512, CHILDREN_MAX = 256 };

struct kit_postgres {
    kit_postgres *next;
    char folder[PATH_SIZE], data[PATH_SIZE + 8], url[128];
    struct kit_postgres_options options;
    int port, databases;
    pid_t pid; /* 0: not running */
};

struct kept_url {
    struct kept_url *next;
    char text[128];
};

static struct {
    char bin[PATH_SIZE];
    const struct passwd *user; /* whose processes they are; NULL: ours */
    kit_postgres *servers, *shared;
    struct kept_url *urls;
    int started;
    pid_t owner;
} kit;

static void sleep_step(void) {
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
}

/* --- which PostgreSQL, and as whom ---------------------------------------------------------------------- */

static int version_of(const char *folder) {
    const char *digits = folder + strcspn(folder, "0123456789");
    return (int)strtol(digits, NULL, 10);
}

static void find_bin(void) {
    glob_t found = {0};
    const char *chosen = getenv("WEIR_POSTGRES");
    if (chosen && *chosen)
        snprintf(kit.bin, sizeof kit.bin, "%s", chosen);
    else if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (version_of(found.gl_pathv[i]) > version_of(kit.bin))
                snprintf(kit.bin, sizeof kit.bin, "%.*s",
                         (int)(strlen(found.gl_pathv[i]) - strlen("/initdb")), found.gl_pathv[i]);
    globfree(&found);
    if (!kit.bin[0])
        fail_msg("no PostgreSQL below /usr/lib/postgresql: run tools/setup, or set WEIR_POSTGRES");
}

static void stop_all(void);

static void look_around(void) {
    if (kit.owner == getpid())
        return;
    find_bin();
    if (geteuid() == 0) {
        kit.user = getpwnam("postgres");
        if (!kit.user)
            kit.user = getpwnam("nobody");
        assert_non_null(kit.user);
        chmod(kit_folder(), 0711); /* its user must get through to its own folder */
    }
    kit.owner = getpid();
    kit_folder();
    atexit(stop_all); /* before the kit's own end, which kills what is left */
}

const char *kit_postgres_program(const char *name) {
    static char paths[4][PATH_SIZE + 32];
    static int next;
    look_around();
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", kit.bin, name);
    return path;
}

/* Starts a program of PostgreSQL as the right user. argv[0] is its name; room for the words in front is left by the caller. */
enum { FRONT = 6, WORDS_MAX = 32 };

static pid_t run_as_user(const char *const *words, int log) {
    char program[PATH_SIZE + 32], uid[32], gid[32];
    const char *argv[WORDS_MAX] = {0};
    size_t count = 0;
    pid_t pid;
    weir_error err = {0};
    if (kit.user) {
        snprintf(uid, sizeof uid, "--reuid=%u", (unsigned)kit.user->pw_uid);
        snprintf(gid, sizeof gid, "--regid=%u", (unsigned)kit.user->pw_gid);
        const char *const front[] = {"setpriv", uid, gid, "--clear-groups", "--pdeathsig=KILL", "--"};
        for (size_t i = 0; i < sizeof front / sizeof *front; i++)
            argv[count++] = front[i];
    }
    snprintf(program, sizeof program, "%s/%s", kit.bin, words[0]);
    argv[count++] = program;
    for (size_t i = 1; words[i] && count < WORDS_MAX - 1; i++)
        argv[count++] = words[i];
    expect_ok(
        process_start(
            &pid,
            &(struct process_options){
                .argv = argv, .directory = "/", .in = -1, .out = log, .err = log, .die_with_parent = true},
            &err),
        &err);
    return pid;
}

static int open_log(const char *folder, char path[PATH_SIZE + 16]) {
    snprintf(path, PATH_SIZE + 16, "%s/log", folder);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        fail_msg("cannot write %s: %s", path, strerror(errno));
    return log;
}

static void show_log(const char *folder) {
    char path[PATH_SIZE + 16], text[4096];
    close(open_log(folder, path));
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fseek(file, -(long)sizeof text + 1, SEEK_END) != 0)
        rewind(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    print_error("%.*s\n", (int)size, text);
}

/* --- a fresh cluster ------------------------------------------------------------------------------------ */

static void run_plain(const char *const *argv) {
    pid_t pid;
    int status = -1;
    weir_error err = {0};
    expect_ok(
        process_start(&pid, &(struct process_options){.argv = argv, .in = -1, .out = 2, .err = 2}, &err),
        &err);
    process_wait(pid, READY_MS, &status);
    if (status != 0)
        fail_msg("%s ended with status %d", argv[0], status);
}

static void copy_tree(const char *from, const char *to) {
    run_plain((const char *const[]){"cp", "-a", "--reflink=auto", from, to, NULL});
}

static int give_one(const char *path, const struct stat *info, int type, struct FTW *at) {
    (void)info;
    (void)type;
    (void)at;
    return lchown(path, kit.user->pw_uid, kit.user->pw_gid);
}

static void give_to_user(const char *folder) {
    if (kit.user && nftw(folder, give_one, 16, FTW_PHYS) != 0)
        fail_msg("cannot give %s to %s: %s", folder, kit.user->pw_name, strerror(errno));
}

static void make_cluster(const char *folder, const char *data) {
    char path[PATH_SIZE + 16];
    int log = open_log(folder, path), status = -1;
    pid_t pid = run_as_user((const char *const[]){"initdb", "--pgdata", data, "--username=postgres",
                                                  "--auth=trust", "--encoding=UTF8", "--locale=C",
                                                  "--wal-segsize=1", "--no-sync", "--no-instructions", NULL},
                            log);
    close(log);
    process_wait(pid, READY_MS, &status);
    if (status != 0) {
        show_log(folder);
        fail_msg("initdb failed in %s", folder);
    }
}

/* Where this version's fresh cluster is kept in the build tree. */
static void template_path(char path[PATH_SIZE]) {
    const char *build = getenv("WEIR_BUILD");
    struct stat info;
    char program[PATH_SIZE + 16];
    assert_non_null(build);
    snprintf(program, sizeof program, "%s/postgres", kit.bin);
    assert_int_equal(stat(program, &info), 0);
    snprintf(path, PATH_SIZE, "%.400s/postgres-%d-%lld-%llu", build, version_of(kit.bin),
             (long long)info.st_mtime, (unsigned long long)info.st_ino);
}

/* Two test programs may come here at once: whoever is first puts its cluster there, whole. */
static void keep_cluster(const char *data, const char *kept) {
    char mine[PATH_SIZE + 16];
    if (access(getenv("WEIR_BUILD"), W_OK) != 0)
        return;
    snprintf(mine, sizeof mine, "%s.%d", kept, (int)getpid());
    copy_tree(data, mine);
    if (rename(mine, kept) != 0)
        folder_remove(mine);
}

static void fresh_cluster(const char *folder, const char *data) {
    char kept[PATH_SIZE];
    template_path(kept);
    if (access(kept, R_OK | X_OK) == 0) {
        copy_tree(kept, data);
        give_to_user(data);
    } else {
        make_cluster(folder, data);
        keep_cluster(data, kept);
    }
}

/* --- one server ----------------------------------------------------------------------------------------- */

static void write_config(const kit_postgres *server) {
    char path[PATH_SIZE + 32];
    snprintf(path, sizeof path, "%s/postgresql.conf", server->data);
    FILE *file = fopen(path, "we");
    if (!file)
        fail_msg("cannot write %s: %s", path, strerror(errno));
    fprintf(file,
            "listen_addresses = '127.0.0.1'\nport = %d\nunix_socket_directories = '%s'\n"
            "max_connections = 40\nshared_buffers = 32MB\ndynamic_shared_memory_type = mmap\n"
            "wal_level = logical\nmax_wal_senders = 10\nmax_replication_slots = "
            "10\nmax_prepared_transactions = 10\n"
            "fsync = on\nautovacuum = on\nmin_wal_size = 8MB\nmax_wal_size = 128MB\n"
            "timezone = 'UTC'\nlog_timezone = 'UTC'\nlog_line_prefix = '%%m [%%p] '\n%s\n",
            server->port, server->folder, server->options.config ? server->options.config : "");
    fclose(file);
}

static void launch(kit_postgres *server) {
    char path[PATH_SIZE + 16];
    int log = open_log(server->folder, path);
    write_config(server);
    server->pid = run_as_user((const char *const[]){"postgres", "-D", server->data, NULL}, log);
    close(log);
}

/* By its socket: nobody else's server answers there. False when the process ended. */
static bool wait_ready(kit_postgres *server) {
    char words[PATH_SIZE + 128];
    snprintf(words, sizeof words, "host='%s' port=%d user=postgres dbname=postgres connect_timeout=10",
             server->folder, server->port);
    for (int waited = 0; waited < READY_MS; waited += STEP_MS) {
        if (PQping(words) == PQPING_OK)
            return true;
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        sleep_step();
    }
    kit_postgres_kill(server);
    return false;
}

kit_postgres *kit_postgres_start(const struct kit_postgres_options *options) {
    look_around();
    kit_postgres *server = calloc(1, sizeof *server);
    if (options)
        server->options = *options;
    server->next = kit.servers;
    kit.servers = server;
    snprintf(server->folder, sizeof server->folder, "%.400s/pg-%d",
             server->options.folder ? server->options.folder : kit_folder(), ++kit.started);
    snprintf(server->data, sizeof server->data, "%s/data", server->folder);
    if (mkdir(server->folder, 0700) != 0)
        fail_msg("cannot make %s: %s", server->folder, strerror(errno));
    give_to_user(server->folder);
    fresh_cluster(server->folder, server->data);
    for (int try = 0; try < START_TRIES; try++) {
        weir_error err = {0};
        expect_ok(port_free(&server->port, &err), &err);
        snprintf(server->url, sizeof server->url, "postgres://postgres@127.0.0.1:%d/postgres", server->port);
        launch(server);
        if (wait_ready(server))
            return server;
    }
    show_log(server->folder);
    fail_msg("PostgreSQL did not start in %s", server->folder);
    return NULL;
}

kit_postgres *kit_postgres_shared(void) {
    if (!kit.shared || kit.owner != getpid())
        kit.shared = kit_postgres_start(NULL);
    return kit.shared;
}

const char *kit_postgres_url(const kit_postgres *server) {
    return server->url;
}

const char *kit_postgres_folder(const kit_postgres *server) {
    return server->folder;
}

int kit_postgres_port(const kit_postgres *server) {
    return server->port;
}

int kit_postgres_pid(const kit_postgres *server) {
    return server->pid;
}

const char *kit_postgres_database(kit_postgres *server) {
    char statement[64];
    struct kept_url *url = calloc(1, sizeof *url);
    url->next = kit.urls;
    kit.urls = url;
    snprintf(url->text, sizeof url->text, "postgres://postgres@127.0.0.1:%d/test%d", server->port,
             ++server->databases);
    snprintf(statement, sizeof statement, "CREATE DATABASE test%d", server->databases);
    PGconn *connection = kit_sql_connect(server->url);
    kit_sql(connection, statement);
    PQfinish(connection);
    return url->text;
}

/* --- all of its processes ------------------------------------------------------------------------------- */

/* Parent and state of a process; the name may hold anything, so the last ')' ends it. */
static bool look_at(const char *pid, pid_t *parent, char *state) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    const char *end = strrchr(line, ')');
    if (!end || strlen(end) < 5)
        return false;
    *state = end[2];
    *parent = (pid_t)strtol(end + 4, NULL, 10);
    return true;
}

static size_t children_of(pid_t postmaster, pid_t children[CHILDREN_MAX]) {
    DIR *proc = opendir("/proc");
    size_t count = 0;
    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc)) && count < CHILDREN_MAX;) {
        pid_t parent;
        char state;
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && look_at(entry->d_name, &parent, &state) &&
            parent == postmaster)
            children[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    closedir(proc);
    return count;
}

static void wait_stopped(pid_t pid) {
    char name[32], state = 0;
    pid_t parent;
    snprintf(name, sizeof name, "%d", (int)pid);
    for (int waited = 0; waited < QUIT_MS && look_at(name, &parent, &state) && !strchr("TtZX", state);
         waited += STEP_MS)
        sleep_step();
}

/* Stops the postmaster first: from then on its children are all there are. */
static size_t stop_processes(kit_postgres *server, pid_t children[CHILDREN_MAX]) {
    if (server->pid == 0)
        fail_msg("PostgreSQL is not running");
    kill(server->pid, SIGSTOP);
    waitpid(server->pid, NULL, WUNTRACED);
    return children_of(server->pid, children);
}

void kit_postgres_kill(kit_postgres *server) {
    pid_t children[CHILDREN_MAX];
    if (server->pid == 0)
        return;
    size_t count = stop_processes(server, children);
    for (size_t i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    for (size_t i = 0; i < count; i++)
        waitpid(children[i], NULL, 0); /* ours since the postmaster is gone */
    server->pid = 0;
}

void kit_postgres_pause(kit_postgres *server) {
    pid_t children[CHILDREN_MAX];
    size_t count = stop_processes(server, children);
    for (size_t i = 0; i < count; i++)
        kill(children[i], SIGSTOP);
    for (size_t i = 0; i < count; i++)
        wait_stopped(children[i]);
}

void kit_postgres_resume(kit_postgres *server) {
    pid_t children[CHILDREN_MAX];
    size_t count = children_of(server->pid, children);
    for (size_t i = 0; i < count; i++)
        kill(children[i], SIGCONT);
    kill(server->pid, SIGCONT);
}

void kit_postgres_restart(kit_postgres *server) {
    kit_postgres_kill(server);
    launch(server);
    if (!wait_ready(server)) {
        show_log(server->folder);
        fail_msg("PostgreSQL did not start again in %s", server->folder);
    }
}

/* A killed server leaves a small piece of System V shared memory; postmaster.pid says which, in its seventh line. */
static void remove_shared_memory(const kit_postgres *server) {
    char path[PATH_SIZE + 32], line[256] = "";
    int id = -1;
    snprintf(path, sizeof path, "%s/postmaster.pid", server->data);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    for (int i = 0; i < 7 && fgets(line, sizeof line, file); i++)
        ;
    if (sscanf(line, "%*d %d", &id) == 1)
        shmctl(id, IPC_RMID, NULL);
    fclose(file);
}

/* SIGQUIT: at once, without a checkpoint, but its shared memory is given back. */
static void end_processes(kit_postgres *server) {
    if (server->pid != 0) {
        kit_postgres_resume(server);
        kill(server->pid, SIGQUIT);
        if (process_wait(server->pid, QUIT_MS, NULL))
            server->pid = 0;
    }
    kit_postgres_kill(server);
    remove_shared_memory(server);
}

static void stop_all(void) {
    if (kit.owner != getpid())
        return;
    for (kit_postgres *server = kit.servers; server; server = server->next)
        end_processes(server);
}

void kit_postgres_stop(kit_postgres *server) {
    if (!server)
        return;
    end_processes(server);
    if (!getenv("WEIR_KEEP"))
        folder_remove(server->folder);
    for (kit_postgres **link = &kit.servers; *link; link = &(*link)->next)
        if (*link == server) {
            *link = server->next;
            break;
        }
    if (kit.shared == server)
        kit.shared = NULL;
    free(server);
}

/* --- SQL ------------------------------------------------------------------------------------------------- */

static void say_nothing(void *arg, const char *message) {
    (void)arg;
    (void)message;
}

PGconn *kit_sql_connect(const char *url) {
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK)
        fail_msg("%s: %s", url, PQerrorMessage(connection));
    PQsetNoticeProcessor(connection, say_nothing, NULL);
    return connection;
}

static bool worked(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

void kit_sql(PGconn *connection, const char *statements) {
    PGresult *result = PQexec(connection, statements);
    if (!worked(result))
        fail_msg("%.200s: %s", statements, PQerrorMessage(connection));
    PQclear(result);
}

const char *kit_sql_refused(PGconn *connection, const char *statements) {
    static char message[1024];
    PGresult *result = PQexec(connection, statements);
    if (worked(result))
        fail_msg("was not refused: %.200s", statements);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(message, sizeof message, "%s", text ? text : PQerrorMessage(connection));
    PQclear(result);
    return message;
}

const char *kit_sql_text(PGconn *connection, const char *query) {
    static char *kept[4];
    static int next;
    PGresult *result = PQexec(connection, query);
    if (!worked(result))
        fail_msg("%.200s: %s", query, PQerrorMessage(connection));
    if (PQntuples(result) < 1 || PQnfields(result) < 1)
        fail_msg("gave no value: %.200s", query);
    char **slot = &kept[next++ % 4];
    free(*slot);
    *slot = PQgetisnull(result, 0, 0) ? NULL : strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return *slot;
}

int64_t kit_sql_number(PGconn *connection, const char *query) {
    const char *text = kit_sql_text(connection, query);
    return text ? strtoll(text, NULL, 10) : 0;
}
