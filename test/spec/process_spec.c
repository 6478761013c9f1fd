/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* Child processes, files, folders and ports. */
#include "kit/spec.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/units.h"
#include "weir/clock.h"

static int64_t now_ms(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self) / NS_PER_MS;
}

static struct process_options shell(const char *const *argv) {
    return (struct process_options){.argv = argv, .in = -1, .out = -1, .err = -1, .die_with_parent = true};
}

/* Runs a shell line to its end and returns what it printed, in a static buffer. */
static const char *printed_by(struct process_options options) {
    static char text[65536];
    int ends[2], status = 0;
    pid_t pid;
    weir_error err;
    assert_int_equal(pipe(ends), 0);
    options.out = ends[1];
    expect_ok(process_start(&pid, &options, &err), &err);
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got; (got = read(ends[0], text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)got;
    text[size] = 0;
    close(ends[0]);
    assert_true(process_wait(pid, 10000, &status));
    assert_int_equal(status, 0);
    return text;
}

static const char *folder(void) {
    static char path[64];
    if (!path[0]) {
        snprintf(path, sizeof path, "/tmp/weir-process-XXXXXX");
        assert_non_null(mkdtemp(path));
    }
    return path;
}

static const char *in_folder(const char *name) {
    static char paths[4][200];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder(), name);
    return path;
}

/* --- starting ------------------------------------------------------------------------------------------- */

static void output_and_status_come_back(void **state) {
    (void)state;
    const char *argv[] = {"sh", "-c", "echo hello", NULL};
    assert_string_equal(printed_by(shell(argv)), "hello\n");

    const char *failing[] = {"sh", "-c", "exit 65", NULL};
    struct process_options options = shell(failing);
    pid_t pid;
    int status = 0;
    weir_error err;
    expect_ok(process_start(&pid, &options, &err), &err);
    assert_true(process_wait(pid, -1, &status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 65);
}

static void environment_and_folder_are_given(void **state) {
    (void)state;
    setenv("WEIR_SPEC_KEPT", "kept", 1);
    setenv("WEIR_SPEC_OURS", "old", 1);
    const char *argv[] = {"/bin/sh", "-c", "echo $WEIR_SPEC_KEPT $WEIR_SPEC_OURS $WEIR_SPEC_NEW; pwd", NULL};
    const char *added[] = {"WEIR_SPEC_OURS=new", "WEIR_SPEC_NEW=a=b", NULL};
    struct process_options options = shell(argv);
    options.environ_add = added;
    options.directory = "/";
    assert_string_equal(printed_by(options), "kept new a=b\n/\n");
}

static void no_descriptor_leaks(void **state) {
    (void)state;
    int leaky = open("/dev/null", O_RDONLY);
    int higher = dup2(leaky, 200);
    const char *argv[] = {"sh", "-c", "ls /proc/self/fd | wc -l", NULL};
    assert_int_equal(strtol(printed_by(shell(argv)), NULL, 10), 4); /* 0, 1, 2 and ls reading the folder */
    close(leaky);
    close(higher);
}

static void streams_may_be_swapped(void **state) {
    (void)state;
    /* Given our own 1 and 2 as the child's 2 and 1. */
    int ends[2], saved[2] = {dup(1), dup(2)};
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    dup2(ends[1], 1);
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    const char *argv[] = {"sh", "-c", "echo to-err >&2; echo to-out", NULL};
    struct process_options options = shell(argv);
    options.out = 2;
    options.err = 1;
    pid_t pid;
    weir_error err;
    weir_code code = process_start(&pid, &options, &err);
    bool ended = code == WEIR_OK && process_wait(pid, 10000, NULL);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    close(saved[0]), close(saved[1]), close(null), close(ends[1]);
    char text[64] = "";
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    assert_true(ended);
    assert_string_equal(text, "to-err\n");
}

static void signals_are_as_usual(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    const char *argv[] = {"sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f 2", NULL};
    const char *printed = printed_by(shell(argv));
    char *end;
    uint64_t own_of_libc =
        3ull << 31; /* 32 and 33: nobody can set them, and some starters leave them ignored */
    assert_int_equal(strtoull(printed, &end, 16) & ~own_of_libc, 0);
    assert_int_equal(strtoull(end, &end, 16) & ~own_of_libc, 0);
    assert_string_equal(end, "\n");
    signal(SIGPIPE, SIG_DFL);
}

static void a_new_session_is_its_own(void **state) {
    (void)state;
    const char *argv[] = {"sh", "-c", "cut -d ' ' -f 6 /proc/self/stat; echo $$", NULL};
    struct process_options options = shell(argv);
    options.new_session = true;
    const char *text = printed_by(options);
    char *rest;
    long session = strtol(text, &rest, 10);
    assert_int_equal(session, strtol(rest, NULL, 10));
    assert_true(session != getsid(0));
}

static void failures_are_told(void **state) {
    (void)state;
    pid_t pid = 0;
    weir_error err;
    const char *missing[] = {"weir-no-such-program", NULL};
    struct process_options options = shell(missing);
    expect_error(process_start(&pid, &options, &err), WEIR_NOT_FOUND, &err,
                 "the program weir-no-such-program is not in PATH");
    assert_string_equal(err.hint, "install it, or give its path");

    const char *nowhere[] = {"/nonexistent/program", NULL};
    options = shell(nowhere);
    expect_error(process_start(&pid, &options, &err), WEIR_NOT_FOUND, &err,
                 "cannot start /nonexistent/program: No such file or directory");

    const char *data[] = {"/etc/passwd", NULL};
    options = shell(data);
    expect_error(process_start(&pid, &options, &err), WEIR_DENIED, &err,
                 "cannot start /etc/passwd: Permission denied");

    const char *good[] = {"true", NULL};
    options = shell(good);
    options.directory = "/nonexistent";
    expect_error(process_start(&pid, &options, &err), WEIR_NOT_FOUND, &err,
                 "cannot enter the folder /nonexistent: No such file or directory");
    assert_int_equal(pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left to reap */
}

/* --- waiting and ending --------------------------------------------------------------------------------- */

static void waiting_has_an_end(void **state) {
    (void)state;
    const char *argv[] = {"sleep", "30", NULL};
    struct process_options options = shell(argv);
    pid_t pid;
    weir_error err;
    expect_ok(process_start(&pid, &options, &err), &err);
    assert_false(process_wait(pid, 0, NULL));
    int64_t start = now_ms();
    assert_false(process_wait(pid, 60, NULL));
    assert_true(now_ms() - start >= 60);
    assert_true(process_alive(pid));

    kill(pid, SIGKILL);

    int status = 0;
    assert_true(process_wait(pid, 10000, &status));
    assert_true(WIFSIGNALED(status));
    assert_false(process_alive(pid));
    assert_true(process_wait(pid, 0, &status)); /* reaped already: ended all the same */
    assert_int_equal(status, -1);
}

static void stopping_is_gentle_first(void **state) {
    (void)state;
    char marker[220];
    snprintf(marker, sizeof marker,
             "trap 'echo bye > %s; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
             in_folder("gentle"));
    const char *argv[] = {"sh", "-c", marker, NULL};
    struct process_options options = shell(argv);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    options.out = ends[1];
    pid_t pid;
    weir_error err;
    expect_ok(process_start(&pid, &options, &err), &err);
    char ready[6];
    assert_int_equal(read(ends[0], ready, 6), 6);
    process_stop(pid, 10000);
    close(ends[0]), close(ends[1]);
    assert_false(process_alive(pid));
    assert_int_equal(access(in_folder("gentle"), F_OK), 0);
    unlink(in_folder("gentle"));
}

static void stopping_ends_the_deaf(void **state) {
    (void)state;
    const char *argv[] = {"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done", NULL};
    struct process_options options = shell(argv);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    options.out = ends[1];
    pid_t pid;
    weir_error err;
    expect_ok(process_start(&pid, &options, &err), &err);
    char ready[6];
    assert_int_equal(read(ends[0], ready, 6), 6);
    int64_t start = now_ms();
    process_stop(pid, 100);
    assert_true(now_ms() - start >= 100);
    close(ends[0]), close(ends[1]);
    assert_false(process_alive(pid));
}

static void children_die_with_their_parent(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) { /* starts a sleeper, tells its pid, and is killed */
        const char *argv[] = {"sleep", "60", NULL};
        struct process_options options = shell(argv);
        pid_t sleeper = 0;
        if (process_start(&sleeper, &options, NULL) != WEIR_OK)
            _exit(1);
        ssize_t wrote = write(ends[1], &sleeper, sizeof sleeper);
        _exit(wrote == sizeof sleeper ? 0 : 1);
    }
    pid_t sleeper;
    assert_int_equal(read(ends[0], &sleeper, sizeof sleeper), sizeof sleeper);
    close(ends[0]), close(ends[1]);
    assert_true(process_wait(parent, 10000, NULL));
    assert_true(process_wait(sleeper, 10000, NULL)); /* not our child: watched, not reaped */
}

static void a_process_is_known_by_its_start(void **state) {
    (void)state;
    unsigned long long ours = process_start_time(getpid());
    assert_true(ours > 0);
    assert_true(ours >= process_start_time(1));
    assert_true(process_alive(getpid()));
    assert_false(process_alive(0));
    assert_false(process_alive(-1));
    assert_int_equal(process_start_time(0x3FFFFFFF), 0);
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    prctl(PR_SET_NAME, "a) R 1 2 (b"); /* a name made to confuse */
    assert_true(process_start_time(getpid()) == ours);
    prctl(PR_SET_NAME, name);
}

static void a_zombie_is_not_alive(void **state) {
    (void)state;
    const char *argv[] = {"true", NULL};
    struct process_options options = shell(argv);
    pid_t pid;
    weir_error err;
    expect_ok(process_start(&pid, &options, &err), &err);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(process_alive(pid));
    assert_true(process_wait(pid, 0, NULL));
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void files_are_read_up_to_a_bound(void **state) {
    (void)state;
    const char *path = in_folder("file");
    char content[10000], message[300], *data = NULL;
    memset(content, 'x', sizeof content);
    size_t size = 0;
    weir_error err;
    expect_ok(file_write_atomic(path, content, sizeof content, 0600, &err), &err);
    expect_ok(file_read(&data, &size, path, sizeof content, &err), &err);
    assert_int_equal(size, sizeof content);
    assert_memory_equal(data, content, size);
    assert_int_equal(data[size], 0);
    mem_free(data);
    snprintf(message, sizeof message, "%s is larger than the 9999 bytes allowed here", path);
    expect_error(file_read(&data, &size, path, 9999, &err), WEIR_LIMIT, &err, message);
    unlink(path);
    snprintf(message, sizeof message, "cannot open %s: No such file or directory", path);
    expect_error(file_read(&data, &size, path, 9999, &err), WEIR_NOT_FOUND, &err, message);
    assert_int_equal(file_read(&data, &size, "/tmp", 9999, &err), WEIR_IO);
    assert_string_equal(err.message, "cannot read /tmp: Is a directory");
}

static void files_are_replaced_as_a_whole(void **state) {
    (void)state;
    const char *path = in_folder("state");
    weir_error err;
    expect_ok(file_write_atomic(path, "old", 3, 0600, &err), &err);
    expect_ok(file_write_atomic(path, "", 0, 0640, &err), &err);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, 0);
    assert_int_equal(found.st_mode & 0777, 0640);
    unlink(path);
    assert_int_equal(rmdir(folder()), 0); /* nothing else was left there */
    assert_int_equal(file_write_atomic(path, "x", 1, 0600, &err), WEIR_NOT_FOUND);
    assert_int_equal(mkdir(folder(), 0700), 0);
}

static void a_file_that_cannot_be_written_leaves_nothing(void **state) {
    (void)state;
    const char *path = in_folder("taken");
    char message[300];
    weir_error err;
    expect_ok(folder_make(in_folder("taken/inside"), &err), &err);
    snprintf(message, sizeof message, "cannot write %s: Is a directory", path);
    expect_error(file_write_atomic(path, "x", 1, 0600, &err), WEIR_IO, &err, message);
    rmdir(in_folder("taken/inside")), rmdir(path);
    assert_int_equal(rmdir(folder()), 0); /* the temporary file is gone too */
    assert_int_equal(mkdir(folder(), 0700), 0);
    expect_error(folder_make("/proc/weir/x", &err), WEIR_NOT_FOUND, &err,
                 "cannot make the folder /proc/weir: No such file or directory");
}

static void folders_are_made_with_their_parents(void **state) {
    (void)state;
    const char *deep = in_folder("a/b//c/");
    weir_error err;
    struct stat found;
    expect_ok(folder_make(deep, &err), &err);
    expect_ok(folder_make(deep, &err), &err);
    assert_int_equal(stat(in_folder("a/b/c"), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    rmdir(in_folder("a/b/c")), rmdir(in_folder("a/b"));

    const char *file = in_folder("a/file");
    char message[300];
    expect_ok(file_write_atomic(file, "x", 1, 0600, &err), &err);
    snprintf(message, sizeof message, "cannot make the folder %s: a file has that name", file);
    expect_error(folder_make(in_folder("a/file/x"), &err), WEIR_CONFLICT, &err, message);
    unlink(file);
    rmdir(in_folder("a"));
    rmdir(folder());
}

static void ports_are_free(void **state) {
    (void)state;
    weir_error err;
    int first = 0, second = 0;
    expect_ok(port_free(&first, &err), &err);
    expect_ok(port_free(&second, &err), &err);
    assert_true(first > 1023 && first < 65536);
    assert_true(second > 1023 && second < 65536);
}

static const struct spec specs[] = {
    {"output and exit status come back", output_and_status_come_back},
    {"environment and working folder are given", environment_and_folder_are_given},
    {"no other descriptor reaches the child", no_descriptor_leaks},
    {"our own streams may be given in any order", streams_may_be_swapped},
    {"no signal is blocked or ignored in the child", signals_are_as_usual},
    {"a new session is the child's own", a_new_session_is_its_own},
    {"a child that cannot start says why and leaves nothing behind", failures_are_told},
    {"waiting ends at its time and tells how the child ended", waiting_has_an_end},
    {"a stopped process may clean up", stopping_is_gentle_first},
    {"a process that ignores the request is killed after its grace", stopping_ends_the_deaf},
    {"children die with their parent where that is asked", children_die_with_their_parent},
    {"a process is known by the time it started", a_process_is_known_by_its_start},
    {"a zombie is not alive", a_zombie_is_not_alive},
    {"files are read up to a bound", files_are_read_up_to_a_bound},
    {"files are replaced as a whole and leave no rest", files_are_replaced_as_a_whole},
    {"a file or folder that cannot be made leaves nothing behind",
     a_file_that_cannot_be_written_leaves_nothing},
    {"folders are made with their parents", folders_are_made_with_their_parents},
    {"ports are free and not privileged", ports_are_free},
};
SPEC_MAIN(specs)
