/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void crash_point_read(struct crash_point *point) {
    const char *text = getenv("WEIR_CRASH_AT");
    const char *colon = text ? strchr(text, ':') : NULL;
    *point = (struct crash_point){.left = 0};
    if (!colon || colon - text >= (int)sizeof point->step)
        return;
    memcpy(point->step, text, (size_t)(colon - text));
    point->left = (int)strtol(colon + 1, NULL, 10);
}

void crash_at(struct crash_point *point, const char *step) {
    if (point->left > 0 && strcmp(point->step, step) == 0 && --point->left == 0)
        raise(SIGKILL);
}
