/* SPDX-License-Identifier: Apache-2.0 */
/* One process per event. Its standard input and error are pipes served by one poll loop, so that a command
 * which writes before it reads, or reads nothing at all, never hangs us; what it writes to standard error
 * passes through and its end becomes the attempt's reason. The command has a session of its own: Ctrl-C is
 * ours to handle, gracefully. */
#include "cli/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/list.h"
#include "base/process.h"
#include "base/text.h"
#include "base/units.h"
#include "consume/outcome.h"
#include "json/json.h"

enum { EXIT_DEAD_LETTER = 65, TAIL_MAX = 1024, KILL_GRACE_MS = 2000, LOOK_EVERY_MS = 200 };

weir_code exec_command(const char *const **argv, const char *command, const char *const *rest, arena *arena,
                       weir_error *err) {
    LIST(const char *) words = {0};
    if (command && strpbrk(command, "'\"\\$`|&;<>()*?[]{}~#!")) {
        weir_fail(err, WEIR_INVALID, "'%s' is split into words, no shell reads it", command);
        return weir_hint(err, "put the command behind --, or say: -- sh -c '...'");
    }
    for (const char *at = command; at && *(at += strspn(at, " \t\n"));) {
        size_t size = strcspn(at, " \t\n");
        list_push(arena, &words, arena_copy(arena, at, size));
        at += size;
    }
    for (; *rest; rest++)
        list_push(arena, &words, *rest);
    if (words.count == 0)
        return weir_fail(err, WEIR_INVALID, "the command is empty");
    list_push(arena, &words, NULL);
    *argv = words.items;
    return WEIR_OK;
}

/* One run of the command. */
struct run {
    const struct exec *exec;
    weir_text line; /* what is left to write */
    int in, err;    /* our ends of its pipes; -1: closed */
    pid_t pid;
    char tail[TAIL_MAX + 1];
    size_t tail_size;
    int64_t ends_ns, drain_ends_ns; /* INT64_MAX: never */
};

static int64_t now_ns(void) {
    const weir_clock *clock = weir_clock_system();
    return clock->mono_ns(clock->self);
}

/* --- the event ------------------------------------------------------------------------------------------ */

/* The envelope as one line. Stored by another producer it may have line breaks, which are only layout. */
static void write_line(buffer *line, weir_text wire) {
    json_doc *doc;
    if (memchr(wire.data, '\n', wire.size) && json_parse(&doc, wire, NULL) == WEIR_OK) {
        json_write(line, json_root(doc), false);
        json_doc_free(doc);
    } else {
        buffer_text(line, wire);
    }
    buffer_char(line, '\n');
}

static const char *variable(arena *arena, const char *name, weir_text value) {
    return arena_printf(arena, "%s=%.*s", name, TEXT_ARG(value));
}

static const char *const *variables(arena *arena, const weir_delivery *delivery) {
    const weir_event *event = &delivery->event;
    const char **rows = arena_alloc(arena, 8 * sizeof *rows);
    rows[0] = variable(arena, "WEIR_TYPE", event->type);
    rows[1] = variable(arena, "WEIR_ID", event->id);
    rows[2] = variable(arena, "WEIR_KEY", event->key);
    rows[3] = variable(arena, "WEIR_STREAM", event->stream);
    rows[4] = arena_printf(arena, "WEIR_SEQUENCE=%" PRIu64, event->sequence);
    rows[5] = arena_printf(arena, "WEIR_ATTEMPT=%d", delivery->attempt);
    rows[6] = variable(arena, "WEIR_SUBJECT", event->subject);
    return rows;
}

/* --- the process ---------------------------------------------------------------------------------------- */

static void close_end(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static weir_code start(struct run *run, const weir_delivery *delivery, arena *arena, weir_error *err) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0)
        return weir_fail(err, WEIR_IO, "cannot make a pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]), close(in[1]);
        return weir_fail(err, WEIR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    weir_code code = process_start(&run->pid,
                                   &(struct process_options){.argv = run->exec->argv,
                                                             .environ_add = variables(arena, delivery),
                                                             .in = in[0],
                                                             .out = STDOUT_FILENO,
                                                             .err = out[1],
                                                             .die_with_parent = true,
                                                             .new_session = true},
                                   err);
    close(in[0]), close(out[1]);
    run->in = in[1];
    run->err = out[0];
    fcntl(run->in, F_SETFL, O_NONBLOCK);
    fcntl(run->err, F_SETFL, O_NONBLOCK);
    return code;
}

static void feed(struct run *run) {
    ssize_t written = write(run->in, run->line.data, run->line.size);
    if (written > 0) {
        run->line.data += written;
        run->line.size -= (size_t)written;
    }
    bool later = written < 0 && (errno == EAGAIN || errno == EINTR);
    if (run->line.size == 0 || (written < 0 && !later)) /* all was written, or it does not want to read */
        close_end(&run->in);
}

static void keep_tail(struct run *run, const char *data, size_t size) {
    if (size >= TAIL_MAX) {
        memcpy(run->tail, data + size - TAIL_MAX, TAIL_MAX);
        run->tail_size = TAIL_MAX;
        return;
    }
    size_t kept = run->tail_size + size > TAIL_MAX ? TAIL_MAX - size : run->tail_size;
    memmove(run->tail, run->tail + run->tail_size - kept, kept);
    memcpy(run->tail + kept, data, size);
    run->tail_size = kept + size;
}

static void listen_to(struct run *run) {
    char part[4096];
    ssize_t size = read(run->err, part, sizeof part);
    if (size > 0) {
        ssize_t passed = write(STDERR_FILENO, part, (size_t)size);
        (void)passed;
        keep_tail(run, part, (size_t)size);
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_end(&run->err);
    }
}

/* Waits until it ends or its time is over: true when it ended. Its descendants may keep the pipes open longer
 * than it lives, so its end is looked for now and then. */
static bool attend(struct run *run, int *status) {
    for (bool ended = false; !ended;) {
        struct pollfd fds[] = {{.fd = run->in, .events = POLLOUT}, {.fd = run->err, .events = POLLIN}};
        if (run->err >= 0 || run->in >= 0) {
            poll(fds, 2, LOOK_EVERY_MS);
            if (fds[0].revents)
                feed(run);
            if (fds[1].revents)
                listen_to(run);
            ended = process_wait(run->pid, 0, status);
        } else {
            ended = process_wait(run->pid, LOOK_EVERY_MS, status);
        }
        if (ended)
            break;
        if (atomic_load(&run->exec->stopping) && run->drain_ends_ns == INT64_MAX)
            run->drain_ends_ns = now_ns() + run->exec->drain_ms * NS_PER_MS;
        if (now_ns() >= run->ends_ns || now_ns() >= run->drain_ends_ns)
            return false;
    }
    while (run->err >= 0) { /* what it wrote last */
        struct pollfd last = {.fd = run->err, .events = POLLIN};
        if (poll(&last, 1, 0) <= 0)
            break;
        listen_to(run);
    }
    return true;
}

/* --- the verdict ---------------------------------------------------------------------------------------- */

static const char *reason(struct run *run, arena *arena, const char *what) {
    while (run->tail_size && strchr(" \t\r\n", run->tail[run->tail_size - 1]))
        run->tail_size--;
    run->tail[run->tail_size] = '\0';
    if (run->tail_size == 0)
        return what;
    /* The bound of a reason is the tail's own: the end of what it said matters most. */
    size_t room = TAIL_MAX > strlen(what) + 2 ? TAIL_MAX - strlen(what) - 2 : 0;
    const char *tail = run->tail + (run->tail_size > room ? run->tail_size - room : 0);
    return arena_printf(arena, "%s: %s", what, tail);
}

static weir_verdict judge(struct run *run, const weir_delivery *delivery, arena *arena, int status) {
    if (WIFSIGNALED(status))
        return outcome_crash(
            delivery, reason(run, arena, arena_printf(arena, "killed by signal %d", WTERMSIG(status))));
    int code = WEXITSTATUS(status);
    if (code == 0)
        return WEIR_DONE;
    const char *why = reason(run, arena, arena_printf(arena, "exit status %d", code));
    return code == EXIT_DEAD_LETTER ? weir_dead_letter(delivery, why) : weir_retry(delivery, why);
}

/* What it started goes with it: the next attempt must not find the last one still at work. The group keeps its
 * number as long as anybody is in it. */
static void stop_command(pid_t pid) {
    kill(-pid, SIGTERM);
    process_stop(pid, KILL_GRACE_MS);
    kill(-pid, SIGKILL);
}

static weir_verdict end_early(struct run *run, const weir_delivery *delivery, arena *arena) {
    char limit[UNITS_TEXT_MAX];
    stop_command(run->pid);
    if (now_ns() < run->ends_ns)
        return outcome_not_run(delivery, "stopped before it was done");
    duration_format(run->exec->timeout_ms * NS_PER_MS, limit);
    return outcome_timeout(delivery, reason(run, arena, arena_printf(arena, "not done within %s", limit)));
}

static weir_verdict run_command(struct run *run, const weir_delivery *delivery, arena *arena) {
    weir_error err;
    int status = 0;
    if (start(run, delivery, arena, &err) != WEIR_OK) {
        run->exec->broken(run->exec->broken_arg, &err);
        return outcome_not_run(delivery, err.message);
    }
    return attend(run, &status) ? judge(run, delivery, arena, status) : end_early(run, delivery, arena);
}

weir_verdict exec_handle(void *arg, const weir_delivery *delivery) {
    const struct exec *exec = arg;
    arena *arena = arena_new();
    buffer line;
    buffer_init(&line, delivery->event.wire.size * 2 + 64);
    write_line(&line, delivery->event.wire);
    struct run run = {
        .exec = exec, .line = buffer_view(&line), .in = -1, .err = -1, .drain_ends_ns = INT64_MAX};
    run.ends_ns = exec->timeout_ms ? now_ns() + exec->timeout_ms * NS_PER_MS : INT64_MAX;
    weir_verdict verdict = run_command(&run, delivery, arena);
    close_end(&run.in);
    close_end(&run.err);
    buffer_release(&line);
    arena_free(arena);
    return verdict;
}
