/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets about schemas share: compiling with its promises, and a bound on computing. */
#ifndef FUZZ_SCHEMA_LOOK_H
#define FUZZ_SCHEMA_LOOK_H

#include <string.h>
#include <time.h>

#include "fuzz.h"
#include "schema/schema.h"

/* A tenth of a second for what one input may cost, times what sanitizers and a busy machine make of it. */
enum { LOOK_MS_MOST = 100 * 20 };

static inline int64_t look_cpu_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline bool look_is_printable(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

/* A schema, or NULL with a sentence; either soon. */
static inline schema *look_compile(const json_doc *doc) {
    const struct schema_options options = {.assert_format = true};
    schema *made = NULL;
    weir_error err = {0};
    int64_t start = look_cpu_ms();
    weir_code code = schema_compile(&made, json_root(doc), &options, &err);
    PROMISE(look_cpu_ms() - start < LOOK_MS_MOST);
    PROMISE((code == WEIR_OK) == (made != NULL));
    PROMISE(code == WEIR_OK || (err.message[0] && look_is_printable(err.message)));
    PROMISE(code == WEIR_OK || code == WEIR_INVALID || code == WEIR_LIMIT || code == WEIR_UNSUPPORTED);
    return made;
}

#endif
