/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that ask to stop. The first one calls the command's stop function from the handler; a second SIGINT
 * means "now": nothing a command does on its way out is needed for correctness, only for politeness. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/run.h"

static void (*stop_call)(void *arg);
static void *stop_arg;
static volatile sig_atomic_t interrupts, terminations, seconds_left;

static void on_signal(int number) {
    int saved = errno;
    bool first = interrupts + terminations == 0;
    if (number == SIGINT) {
        if (interrupts)
            _exit(EXIT_INTERRUPTED);
        interrupts = 1;
    } else {
        terminations = 1;
    }
    if (first && seconds_left > 0)
        alarm((unsigned)seconds_left);
    if (first && stop_call)
        stop_call(stop_arg);
    errno = saved;
}

static void on_alarm(int number) {
    static const char line[] =
        "weir: something hangs and the time to stop is over: ended at once; the next start "
        "finds what was under way\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written, (void)number;
    _exit(interrupts ? EXIT_INTERRUPTED : EXIT_ERROR);
}

void cli_on_stop(cli *cli, void (*stop)(void *arg), void *arg) {
    (void)cli;
    stop_call = stop;
    stop_arg = arg;
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void cli_stop_within(cli *cli, unsigned seconds) {
    (void)cli;
    struct sigaction action = {.sa_handler = on_alarm};
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    seconds_left = (sig_atomic_t)seconds;
}

bool cli_interrupted(const cli *cli) {
    (void)cli;
    return interrupts != 0;
}

bool cli_stopping(const cli *cli) {
    (void)cli;
    return interrupts || terminations;
}
