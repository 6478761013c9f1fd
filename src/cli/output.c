/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output as a stream that cannot fail quietly. `weir tail | head` ends at once and without a word; a
 * full disk is said. The program leaves through _exit there: whatever an event's handler was about to
 * acknowledge after printing stays unacknowledged and comes again. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/run.h"

static ssize_t write_or_leave(void *cookie, const char *data, size_t size) {
    (void)cookie;
    size_t done = 0;
    while (done < size) {
        ssize_t written = write(STDOUT_FILENO, data + done, size - done);
        if (written >= 0) {
            done += (size_t)written;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EPIPE)
            dprintf(STDERR_FILENO, "weir: cannot write to standard output: %s\n", strerror(errno));
        _exit(EXIT_ERROR);
    }
    return (ssize_t)size;
}

FILE *output_open(void) {
    FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_or_leave});
    if (!out)
        abort();
    setvbuf(out, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, 1 << 16);
    return out;
}

void descriptors_guard(void) {
    static const int modes[] = {O_WRONLY, O_RDONLY,
                                O_WRONLY}; /* the wrong way round for 0 and 1, so that use fails */
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
            _exit(EXIT_ERROR);
}

static bool variable_set(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

bool terminal_colour(int fd) {
    if (variable_set("NO_COLOR"))
        return false;
    if (variable_set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return true;
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool cli_colour(const cli *cli) {
    return !cli->json && terminal_colour(STDOUT_FILENO);
}

bool cli_progress(const cli *cli) {
    return isatty(STDERR_FILENO) && !cli->quiet && !cli_flag(cli, "no-progress");
}

bool cli_confirm(cli *cli, const char *question, bool *asked) {
    *asked = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (!*asked)
        return false;
    fflush(cli->out);
    fprintf(stderr, "%s [y/N] ", question);
    char answer[16] = "";
    ssize_t size = read(STDIN_FILENO, answer, sizeof answer - 1);
    if (size <= 0)
        fputc('\n', stderr);
    return size > 0 &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0 || strcmp(answer, "yes\n") == 0);
}
