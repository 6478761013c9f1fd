/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that ask to stop. The first one calls the command's stop function from the handler; a second SIGINT
 * means "now": nothing a command does on its way out is needed for correctness, only for politeness. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/run.h"

static void (*stop_call)(void *arg);
static void *stop_arg;
static volatile sig_atomic_t interrupts, terminations;

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
    if (first && stop_call)
        stop_call(stop_arg);
    errno = saved;
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

bool cli_interrupted(const cli *cli) {
    (void)cli;
    return interrupts != 0;
}

bool cli_stopping(const cli *cli) {
    (void)cli;
    return interrupts || terminations;
}
