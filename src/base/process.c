/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes. Everything that may allocate or fail happens before the fork; the child only makes system
 * calls, for another thread may have held any lock. A child that cannot start reports step and errno through
 * a pipe that a successful exec closes. Every other descriptor is marked close-on-exec, so none of ours leaks
 * into a server that outlives us. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/units.h"
#include "weir/clock.h"

extern char **environ;

enum step { STEP_STREAMS, STEP_FOLDER, STEP_EXEC };

struct report {
    enum step step;
    int error;
};

struct plan {
    const struct process_options *options;
    char *program;
    const char **environment;
    int report_fd;
    pid_t parent;
};

/* --- in the child: system calls only -------------------------------------------------------------------- */

static _Noreturn void give_up(const struct plan *plan, enum step step) {
    struct report report = {.step = step, .error = errno};
    ssize_t wrote = write(plan->report_fd, &report, sizeof report);
    (void)wrote;
    _exit(127);
}

/* Duplicates above 2 first, so that swapped descriptors do not overwrite each other. */
static bool give_streams(const struct process_options *options) {
    const int wanted[3] = {options->in, options->out, options->err};
    int moved[3];
    for (int i = 0; i < 3; i++) {
        int fd = wanted[i] == -1 ? open("/dev/null", O_RDWR | O_CLOEXEC) : wanted[i];
        moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0)
            return false;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) < 0)
            return false;
    return true;
}

static void close_others_on_exec(void) {
    enum { CLOEXEC_FLAG = 4 }; /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
    if (syscall(SYS_close_range, 3u, ~0u, CLOEXEC_FLAG) == 0)
        return;
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    int end = limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int fd = 3; fd < end; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void) {
    struct sigaction usual = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &usual, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(struct plan *plan) {
    const struct process_options *options = plan->options;
    reset_signals();
    if (options->new_session)
        setsid();
    if (options->die_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != plan->parent)
            _exit(127);
    }
    int above = fcntl(plan->report_fd, F_DUPFD_CLOEXEC, 3);
    if (above >= 0)
        plan->report_fd = above;
    if (!give_streams(options))
        give_up(plan, STEP_STREAMS);
    if (options->directory && chdir(options->directory) < 0)
        give_up(plan, STEP_FOLDER);
    close_others_on_exec();
    execve(plan->program, (char *const *)options->argv, (char *const *)plan->environment);
    give_up(plan, STEP_EXEC);
}

/* --- in the parent -------------------------------------------------------------------------------------- */

static bool is_program(const char *path) {
    return access(path, X_OK) == 0;
}

/* The program's path as a new string; NULL when PATH has none. */
static char *find_program(const char *name) {
    if (strchr(name, '/'))
        return mem_strdup(name);
    const char *path = getenv("PATH");
    if (!path || !*path)
        path = "/usr/local/bin:/usr/bin:/bin";
    size_t size = strlen(path) + strlen(name) + 3;
    char *candidate = mem_alloc(size);
    for (const char *folder = path; folder; folder = strchr(folder, ':') ? strchr(folder, ':') + 1 : NULL) {
        int folder_size = (int)strcspn(folder, ":");
        snprintf(candidate, size, "%.*s/%s", folder_size ? folder_size : 1, folder_size ? folder : ".", name);
        if (is_program(candidate))
            return candidate;
    }
    mem_free(candidate);
    return NULL;
}

static bool same_name(const char *a, const char *b) {
    size_t size = strcspn(a, "=");
    return strncmp(a, b, size) == 0 && b[size] == '=';
}

/* Our environment with `add` put over it; the rows themselves are not copied. */
static const char **merge_environment(const char *const *add) {
    static const char *const nothing[] = {NULL};
    add = add ? add : nothing;
    size_t ours = 0, theirs = 0, count = 0;
    while (environ[ours])
        ours++;
    while (add[theirs])
        theirs++;
    const char **merged = mem_alloc((ours + theirs + 1) * sizeof *merged);
    for (size_t i = 0; i < ours; i++) {
        bool replaced = false;
        for (size_t j = 0; j < theirs && !replaced; j++)
            replaced = same_name(add[j], environ[i]);
        if (!replaced)
            merged[count++] = environ[i];
    }
    for (size_t j = 0; j < theirs; j++)
        merged[count++] = add[j];
    return merged;
}

static weir_code system_failure(weir_error *err, int error, const char *what, const char *path) {
    weir_code code = error == ENOENT || error == ENOTDIR ? WEIR_NOT_FOUND
                     : error == EACCES || error == EPERM ? WEIR_DENIED
                                                         : WEIR_IO;
    weir_fail(err, code, "%s %s: %s", what, path, strerror(error));
    if (err)
        err->detail = error;
    return code;
}

static weir_code start_failure(weir_error *err, const struct plan *plan, struct report report) {
    if (report.step == STEP_FOLDER)
        return system_failure(err, report.error, "cannot enter the folder", plan->options->directory);
    return system_failure(err, report.error, "cannot start", plan->program);
}

/* Reads the child's report: true when exec closed the pipe without one. */
static bool exec_worked(int fd, struct report *report) {
    size_t got = 0;
    while (got < sizeof *report) {
        ssize_t part = read(fd, (char *)report + got, sizeof *report - got);
        if (part == 0)
            return got == 0;
        if (part < 0 && errno != EINTR)
            break;
        if (part > 0)
            got += (size_t)part;
    }
    return false;
}

static weir_code start(pid_t *pid, struct plan *plan, weir_error *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return system_failure(err, errno, "cannot make a pipe for", plan->program);
    plan->report_fd = ends[1];
    plan->parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* none of our handlers may run in the child */
    pid_t child = fork();
    int fork_error = errno;
    if (child == 0)
        become(plan);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    struct report report = {.step = STEP_EXEC};
    bool worked = child > 0 && exec_worked(ends[0], &report);
    close(ends[0]);
    if (child < 0)
        return system_failure(err, fork_error, "cannot start", plan->program);
    if (!worked) {
        process_wait(child, -1, NULL);
        return start_failure(err, plan, report);
    }
    *pid = child;
    return WEIR_OK;
}

weir_code process_start(pid_t *pid, const struct process_options *options, weir_error *err) {
    struct plan plan = {.options = options, .program = find_program(options->argv[0])};
    if (!plan.program) {
        weir_fail(err, WEIR_NOT_FOUND, "the program %s is not in PATH", options->argv[0]);
        return weir_hint(err, "install it, or give its path");
    }
    plan.environment = merge_environment(options->environ_add);
    weir_code code = start(pid, &plan, err);
    mem_free(plan.program);
    mem_free(plan.environment);
    return code;
}

/* --- watching and ending -------------------------------------------------------------------------------- */

/* Reaps if it is our child that ended; true when it is gone. */
static bool reap(pid_t pid, int flags, int *status) {
    int unknown;
    status = status ? status : &unknown;
    pid_t got;
    do
        got = waitpid(pid, status, flags);
    while (got < 0 && errno == EINTR);
    if (got == pid)
        return true;
    if (got < 0 && !process_alive(pid)) { /* not our child, or reaped before */
        *status = -1;
        return true;
    }
    return false;
}

static int64_t mono_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / NS_PER_MS;
}

/* Sleeps until the process ends or the time is over. */
static void sleep_until_end(pid_t pid, int64_t wait_ms) {
    int bounded_ms = wait_ms > 3600000 ? 3600000 : (int)wait_ms;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    if (fd >= 0) {
        poll(&watched, 1, bounded_ms);
        close(fd);
    } else {
        poll(NULL, 0, bounded_ms < 20 ? bounded_ms : 20); /* kernels before 5.3 */
    }
}

bool process_wait(pid_t pid, int64_t timeout_ms, int *status) {
    WEIR_ASSERT(pid > 0);
    int64_t end = timeout_ms < 0 ? INT64_MAX : mono_ms() + timeout_ms;
    while (!reap(pid, WNOHANG, status)) {
        int64_t left = end - mono_ms();
        if (left <= 0)
            return false;
        sleep_until_end(pid, left);
    }
    return true;
}

void process_stop(pid_t pid, int64_t grace_ms) {
    enum { KILL_MS = 10000 };
    WEIR_ASSERT(pid > 0);
    if (process_wait(pid, 0, NULL))
        return;
    kill(pid, SIGTERM);
    if (process_wait(pid, grace_ms, NULL))
        return;
    kill(pid, SIGKILL);
    process_wait(pid, KILL_MS, NULL);
}

/* What stands behind the name in /proc/PID/stat: state, then numbers. False when there is no such process. */
static bool read_stat(pid_t pid, char *line, size_t size, const char **fields) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, line, size - 1);
    close(fd);
    if (got <= 0)
        return false;
    line[got] = 0;
    const char *name_end = strrchr(line, ')'); /* the name may hold anything, parentheses too */
    if (!name_end || name_end[1] != ' ')
        return false;
    *fields = name_end + 2;
    return true;
}

bool process_alive(pid_t pid) {
    char line[1024];
    const char *fields;
    return pid > 0 && read_stat(pid, line, sizeof line, &fields) && *fields != 'Z' && *fields != 'X';
}

unsigned long long process_start_time(pid_t pid) {
    enum { FIRST_FIELD = 3, START_FIELD = 22 };
    char line[1024];
    const char *fields;
    if (pid <= 0 || !read_stat(pid, line, sizeof line, &fields))
        return 0;
    for (int i = FIRST_FIELD; i < START_FIELD; i++) {
        fields = strchr(fields, ' ');
        if (!fields++)
            return 0;
    }
    return strtoull(fields, NULL, 10);
}
