/* SPDX-License-Identifier: Apache-2.0 */
/* The program runs with our standard input closed, speaks plain English (LC_ALL), asks nobody for a password and
 * takes no locks. Its two outputs are read side by side, so that neither can fill up and stop it. One that is silent for too
 * long is ended: a partial clone may be asking a server that does not answer. */
#include "compat/git_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/process.h"

enum { CHUNK = 64 << 10, GIT_GRACE_MS = 1000, GIT_SILENT_MS = 60000 };

static weir_code start(pid_t *pid, int out[2], int said[2], int in, const char *const *argv,
                       weir_error *err) {
    static const char *const environment[] = {"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0",
                                              "GIT_PAGER=cat", NULL};
    out[0] = out[1] = said[0] = said[1] = -1;
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC) != 0)
        return weir_fail(err, WEIR_IO, "no pipe for the git program: %s", strerror(errno));
    struct process_options options = {.argv = argv,
                                      .environ_add = environment,
                                      .in = in,
                                      .out = out[1],
                                      .err = said[1],
                                      .die_with_parent = true};
    weir_code code = process_start(pid, &options, err);
    if (code == WEIR_OK)
        return WEIR_OK;
    weir_prefix(err, "a git revision is read with the git program");
    weir_hint(err, "install git, or name folders or bundles");
    return WEIR_UNAVAILABLE;
}

/* Reads what is there; false at the end. */
static bool drain(int fd, buffer *into) {
    char chunk[CHUNK];
    ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR)
        return true;
    if (got > 0)
        buffer_append(into, chunk, (size_t)got);
    return got > 0;
}

/* False when nothing comes any more, though it has not ended. */
static bool read_both(int out, buffer *printed, int said, buffer *talk) {
    struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = said, .events = POLLIN}};
    while ((fds[0].fd >= 0 || fds[1].fd >= 0) && !printed->overflow) {
        int ready = poll(fds, 2, GIT_SILENT_MS);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            return false;
        if (ready < 0)
            continue;
        if (fds[0].revents && !drain(out, printed))
            fds[0].fd = -1;
        if (fds[1].revents && !drain(said, talk))
            fds[1].fd = -1;
    }
    return true;
}

/* The first line of what it said, without "fatal: ". */
static void first_line(char out[256], const buffer *talk) {
    weir_text text = buffer_view(talk);
    if (text.size > 7 && memcmp(text.data, "fatal: ", 7) == 0)
        text = (weir_text){text.data + 7, text.size - 7};
    const char *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    text.size = end ? (size_t)(end - text.data) : text.size;
    buffer line;
    buffer_init(&line, 255);
    buffer_printable(&line, text);
    memcpy(out, line.size ? line.data : "", line.size + 1);
    buffer_release(&line);
}

static weir_code silent(const char *command, weir_error *err) {
    weir_fail(err, WEIR_TIMEOUT, "git %s said nothing for %d s and was ended", command, GIT_SILENT_MS / 1000);
    return weir_hint(err, "a partial clone may be asking its server: fetch what is missing, and try again");
}

weir_code git_run(buffer *out, int *status, char said[256], int in, const char *const *argv,
                  weir_error *err) {
    int printed[2], spoken[2];
    pid_t pid;
    buffer talk;
    buffer_init(&talk, CHUNK);
    weir_code code = start(&pid, printed, spoken, in, argv, err);
    close(printed[1]);
    close(spoken[1]);
    if (code == WEIR_OK) {
        bool told = read_both(printed[0], out, spoken[0], &talk);
        bool ended = told && !out->overflow && process_wait(pid, GIT_SILENT_MS, status);
        if (!ended)
            process_stop(pid, GIT_GRACE_MS);
        first_line(said, &talk);
        *status = !ended ? -1 : WIFEXITED(*status) ? WEXITSTATUS(*status) : 128;
        if (out->overflow)
            code = weir_fail(err, WEIR_LIMIT, "git %s prints more than %zu MiB", argv[1], out->bound >> 20);
        else if (!ended)
            code = silent(argv[1], err);
    }
    close(printed[0]);
    close(spoken[0]);
    buffer_release(&talk);
    return code;
}
