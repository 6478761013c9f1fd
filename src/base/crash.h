/* SPDX-License-Identifier: Apache-2.0 */
/* Dying at a chosen place, for the tests of what survives it. WEIR_CRASH_AT=step:n kills the process
 * (SIGKILL, so nothing is cleaned up) when the step is reached for the n-th time: of the relay claim, build, sent,
 * acked, settled; of a migration the names of its acts. Unset: a comparison. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

struct crash_point {
    char step[16];
    int left; /* 0: never */
};

void crash_point_read(struct crash_point *point); /* from the environment */
void crash_at(struct crash_point *point, const char *step);

#endif
