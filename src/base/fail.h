/* SPDX-License-Identifier: Apache-2.0 */
/* Making errors. `return weir_fail(err, WEIR_INVALID, "...")` is the one way a failure starts its journey. */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include "weir/error.h"

/* Fills err (if not NULL) with a sentence (no trailing full stop, no newline) and returns code. Clears hint
 * and detail. retriable is set for UNAVAILABLE and TIMEOUT, cleared for the rest; change it afterwards if
 * needed. */
weir_code weir_fail(weir_error *err, weir_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds the remedy to the error just made; returns its code, also where err is NULL (this thread's last
 * failure). */
weir_code weir_hint(weir_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "prefix: " in front of the message (the place, as the error travels up); returns as above. */
weir_code weir_prefix(weir_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs a call that takes err and passes its failure on. */
#define WEIR_TRY(call)                \
    do {                              \
        weir_code try_code_ = (call); \
        if (try_code_ != WEIR_OK)     \
            return try_code_;         \
    } while (0)

/* A broken invariant of our own: says where and aborts. On in every build. */
#define WEIR_ASSERT(condition)                        \
    do {                                              \
        if (!(condition))                             \
            weir_bug(__FILE__, __LINE__, #condition); \
    } while (0)
_Noreturn void weir_bug(const char *file, int line, const char *what);

#endif
