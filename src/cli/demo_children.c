/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's processes: started, watched, started again when they die, stopped by pid. They die with the
 * demo, so that a killed demo leaves nothing running but its nats-server, which the next one adopts. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"
#include "base/units.h"
#include "cli/demo.h"

struct demo_child *demo_child_add(struct demo_children *children, const char *name, const char *program) {
    WEIR_ASSERT(children->count < DEMO_CHILDREN_MAX);
    struct demo_child *child = &children->items[children->count++];
    *child = (struct demo_child){.name = name};
    demo_child_argument(child, program);
    return child;
}

void demo_child_argument(struct demo_child *child, const char *word) {
    WEIR_ASSERT(child->argument_count + 1 < DEMO_ARGUMENTS_MAX);
    child->argv[child->argument_count++] = word;
}

static weir_code start(const struct demo_children *children, struct demo_child *child, weir_error *err) {
    buffer path;
    buffer_init(&path, 4096);
    buffer_printf(&path, "%s/%s.log", children->folder, child->name);
    int log = open(path.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int problem = errno;
    weir_code code = WEIR_OK;
    if (log < 0)
        code = weir_fail(err, WEIR_IO, "%s: cannot be opened: %s", path.data, strerror(problem));
    buffer_release(&path);
    if (code != WEIR_OK)
        return code;
    struct process_options options = {
        .argv = child->argv, .in = -1, .out = log, .err = log, .die_with_parent = true};
    code = process_start(&child->pid, &options, err);
    close(log);
    return code;
}

static weir_code note_end(const struct demo_children *children, struct demo_child *child, int status,
                          int64_t mono_ns, weir_error *err) {
    child->pid = 0;
    if (child->may_finish && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        child->finished = true;
        return WEIR_OK;
    }
    if (++child->restarts > DEMO_RESTARTS_MAX) {
        weir_fail(err, WEIR_UNAVAILABLE, "the %s process ended %d times and was not started again",
                  child->name, child->restarts);
        return weir_hint(err, "its last words are in %s/%s.log", children->folder, child->name);
    }
    int64_t delay_ms = 100LL << (child->restarts < 6 ? child->restarts : 6);
    child->start_at_ns = mono_ns + delay_ms * NS_PER_MS;
    cli_say(children->cli, "%s ended (%s %d); starting it again", child->name,
            WIFSIGNALED(status) ? "signal" : "exit",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return WEIR_OK;
}

weir_code demo_children_keep(struct demo_children *children, int64_t mono_ns, weir_error *err) {
    for (size_t i = 0; i < children->count; i++) {
        struct demo_child *child = &children->items[i];
        int status;
        if (child->pid && process_wait(child->pid, 0, &status))
            WEIR_TRY(note_end(children, child, status, mono_ns, err));
        if (!child->pid && !child->finished && mono_ns >= child->start_at_ns)
            WEIR_TRY(start(children, child, err));
    }
    return WEIR_OK;
}

void demo_children_stop(struct demo_children *children, const char *only) {
    for (size_t i = 0; i < children->count; i++) {
        struct demo_child *child = &children->items[i];
        if (child->pid && (!only || strcmp(child->name, only) == 0))
            kill(child->pid, SIGTERM);
    }
    for (size_t i = 0; i < children->count; i++) {
        struct demo_child *child = &children->items[i];
        if (child->pid && (!only || strcmp(child->name, only) == 0)) {
            process_stop(child->pid, 12000);
            child->pid = 0;
            child->finished = true;
        }
    }
}

weir_code demo_capture(buffer *out, const char *const *argv, weir_error *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return weir_fail(err, WEIR_IO, "no pipe for %s: %s", argv[0], strerror(errno));
    pid_t pid;
    struct process_options options = {
        .argv = argv, .in = -1, .out = ends[1], .err = 2, .die_with_parent = true};
    weir_code code = process_start(&pid, &options, err);
    close(ends[1]);
    if (code == WEIR_OK) {
        char block[65536];
        ssize_t got;
        while ((got = read(ends[0], block, sizeof block)) > 0 || (got < 0 && errno == EINTR))
            if (got > 0)
                buffer_append(out, block, (size_t)got);
        int status;
        process_wait(pid, -1, &status);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            code = weir_fail(err, WEIR_IO, "%s %s did not succeed", argv[0], argv[1]);
        else if (out->overflow)
            code =
                weir_fail(err, WEIR_LIMIT, "%s %s printed more than %zu bytes", argv[0], argv[1], out->bound);
    }
    close(ends[0]);
    return code;
}
