/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the git program. */
#ifndef COMPAT_GIT_RUN_H
#define COMPAT_GIT_RUN_H

#include "base/text.h"

/* Appends what `git ARGS...` prints to out; `in` is its standard input, or -1. *status is its exit status; what it
 * said on standard error goes into `said` (one line, printable). argv begins with "git" and ends with NULL.
 * UNAVAILABLE when it cannot be run, LIMIT when it prints more than out holds. */
WEIR_MUST_CHECK weir_code git_run(buffer *out, int *status, char said[256], int in, const char *const *argv,
                                  weir_error *err);

#define GIT(out, status, said, err, ...) \
    git_run((out), (status), (said), -1, (const char *const[]){"git", __VA_ARGS__, NULL}, (err))

#endif
