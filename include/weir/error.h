/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, where, and what to do about it.
 *
 * Every function that can fail returns a weir_code and takes a `weir_error *err` last. On success err is
 * untouched, so calls chain; on failure it holds one full sentence and, where we know it, a remedy. err may
 * be NULL when only the code matters. Running out of memory is not reported: it aborts (base/memory.h). */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_EXPORT __attribute__((visibility("default")))
#define WEIR_MUST_CHECK __attribute__((warn_unused_result))

/* code, name, meaning. Names, documentation and exit codes come from these rows. */
#define WEIR_CODES(X)                                                                       \
    X(OK, "ok", "it worked")                                                                \
    X(INVALID, "invalid", "the input breaks a rule: catalog, event, row, argument")         \
    X(NOT_FOUND, "not_found", "the named thing does not exist")                             \
    X(CONFLICT, "conflict", "somebody else changed it first, or two things claim one name") \
    X(DENIED, "denied", "this identity may not do that")                                    \
    X(UNAVAILABLE, "unavailable", "the server or database cannot be used now")              \
    X(TIMEOUT, "timeout", "no answer in time: the outcome is unknown")                      \
    X(LIMIT, "limit", "a stated bound was reached")                                         \
    X(UNSUPPORTED, "unsupported", "this server, database or build cannot do that")          \
    X(IO, "io", "the operating system refused a file, socket or process")                   \
    X(STOPPED, "stopped", "asked to stop before it was done")                               \
    X(INTERNAL, "internal", "a fault in weir itself: please report it")

typedef enum weir_code {
#define X(code, name, meaning) WEIR_##code,
    WEIR_CODES(X)
#undef X
} weir_code;

typedef struct weir_error {
    weir_code code;
    bool retriable;     /* the same call may succeed later, unchanged */
    int detail;         /* the vendor's own number: JetStream err_code, SQLite or errno value; 0 if none */
    char message[1024]; /* a sentence that names the place; never empty on failure */
    char hint[512];     /* what to do; "" if we do not know */
} weir_error;

/* "ok", "invalid", ... ; never NULL. */
WEIR_EXPORT const char *weir_code_name(weir_code code);

#ifdef __cplusplus
}
#endif
#endif
