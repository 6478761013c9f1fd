/* SPDX-License-Identifier: Apache-2.0 */
/* Running programs as a user would: arguments in, exit status, stdout and stderr out. */
#ifndef KIT_PROGRAM_H
#define KIT_PROGRAM_H

#include <sys/types.h>

/* The path of a program the build made ("weir", "energy-union"); from WEIR_BUILD. */
const char *kit_program(const char *name);

struct kit_run {
    int status;      /* exit code; 128 + signal when a signal ended it */
    char *out, *err; /* NUL-terminated; free with kit_run_free */
};

/* Runs to the end, at most timeout_s (then the test fails). argv ends with NULL. input may be NULL. */
struct kit_run kit_run(const char *const *argv, const char *input, int timeout_s);
void kit_run_free(struct kit_run *run);

/* Starts in the background, output to a file in kit_folder(); kill and reap it with kit_end. */
pid_t kit_start(const char *const *argv, const char *log);
/* Sends signal and reaps; returns the status as above. */
int kit_end(pid_t pid, int signal);

#endif
