/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "kit/server.h"
#include "kit/spec.h"

const char *kit_program(const char *name) {
    static char paths[4][4096];
    static int next;
    const char *build = getenv("WEIR_BUILD");
    assert_non_null(build);
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", build, name);
    return path;
}

static int status_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t start(const char *const *argv, int in, int out, int err) {
    pid_t pid;
    weir_error error;
    struct process_options options = {
        .argv = argv, .in = in, .out = out, .err = err, .die_with_parent = true};
    expect_ok(process_start(&pid, &options, &error), &error);
    return pid;
}

static int scratch(const char *name, const char *contents) {
    int file = open(kit_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    if (contents) {
        assert_int_equal(write(file, contents, strlen(contents)), strlen(contents));
        assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    }
    return file;
}

static char *contents_of(const char *name) {
    char *data;
    size_t size;
    weir_error err;
    expect_ok(file_read(&data, &size, kit_path(name), 256 << 20, &err), &err);
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    mem_free(data);
    return text;
}

struct kit_run kit_run(const char *const *argv, const char *input, int timeout_s) {
    int in = input ? scratch("run.in", input) : -1, out = scratch("run.out", NULL),
        err = scratch("run.err", NULL);
    pid_t pid = start(argv, in, out, err);
    if (in >= 0)
        close(in);
    close(out);
    close(err);
    int status = 0;
    bool ended = process_wait(pid, timeout_s * 1000LL, &status);
    if (!ended) {
        kill(pid, SIGKILL);
        process_wait(pid, -1, &status);
    }
    struct kit_run run = {
        .status = status_of(status), .out = contents_of("run.out"), .err = contents_of("run.err")};
    if (!ended)
        fail_msg("%s %s did not end within %d s; stderr: %s", argv[0], argv[1] ? argv[1] : "", timeout_s,
                 run.err);
    return run;
}

void kit_run_free(struct kit_run *run) {
    free(run->out);
    free(run->err);
    *run = (struct kit_run){0};
}

pid_t kit_start(const char *const *argv, const char *log) {
    int out = open(kit_path(log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(out >= 0);
    pid_t pid = start(argv, -1, out, out);
    close(out);
    return pid;
}

int kit_end(pid_t pid, int number) {
    int status = 0;
    kill(pid, number);
    process_wait(pid, -1, &status);
    return status_of(status);
}
