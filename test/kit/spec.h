/* SPDX-License-Identifier: Apache-2.0 */
/* Test programs are tables of sentences:
 *
 *     static const struct spec specs[] = {
 *         {"a row that is committed reaches its stream", row_reaches_stream},
 *     };
 *     SPEC_MAIN(specs)
 *
 * `program "part of a sentence"` runs the cases whose sentence contains it; `program` runs all. The build
 * reads the rows and makes one ctest case of each, so keep them one per line, indented by four spaces. */
#ifndef KIT_SPEC_H
#define KIT_SPEC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weir/error.h"

struct spec {
    const char *sentence;
    void (*run)(void **state);
};

int spec_main(int argc, char **argv, const struct spec *specs, size_t count);
/* Ends the case as skipped, with the reason printed. */
void spec_skip(const char *reason);
/* Where a property test begins: WEIR_SEED, or a random number. Printed, so that a failure can be repeated. */
uint64_t spec_seed(void);

#define SPEC_MAIN(specs)                                                      \
    int main(int argc, char **argv) {                                         \
        return spec_main(argc, argv, specs, sizeof(specs) / sizeof *(specs)); \
    }

/* expect_ok(call(..., &err), &err): prints the message of an unexpected failure. */
#define expect_ok(call, err) spec_expect_ok((call), (err), #call, __FILE__, __LINE__)
void spec_expect_ok(weir_code code, const weir_error *err, const char *call, const char *file, int line);
/* Asserts code and the exact message. */
#define expect_error(call, expected_code, err, expected_message) \
    spec_expect_error((call), (expected_code), (err), (expected_message), #call, __FILE__, __LINE__)
void spec_expect_error(weir_code code, weir_code expected, const weir_error *err, const char *message,
                       const char *call, const char *file, int line);

#endif
