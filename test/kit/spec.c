/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

int spec_main(int argc, char **argv, const struct spec *specs, size_t count) {
    struct CMUnitTest *chosen = calloc(count, sizeof *chosen);
    size_t chosen_count = 0;
    for (size_t i = 0; i < count; i++)
        if (argc < 2 || strstr(specs[i].sentence, argv[1]))
            chosen[chosen_count++] =
                (struct CMUnitTest){.name = specs[i].sentence, .test_func = specs[i].run};
    if (chosen_count == 0) {
        fprintf(stderr, "no case contains \"%s\"\n", argv[1]);
        free(chosen);
        return 2;
    }
    int failed = _cmocka_run_group_tests(argv[0], chosen, chosen_count, NULL, NULL);
    free(chosen);
    return failed ? 1 : 0;
}

void spec_skip(const char *reason) {
    printf("skipped: %s\n", reason);
    skip();
}

void spec_expect_ok(weir_code code, const weir_error *err, const char *call, const char *file, int line) {
    if (code == WEIR_OK)
        return;
    print_error("%s\n  failed with %s: %s\n  hint: %s\n", call, weir_code_name(code),
                err ? err->message : "?", err ? err->hint : "");
    _fail(file, line);
}

void spec_expect_error(weir_code code, weir_code expected, const weir_error *err, const char *message,
                       const char *call, const char *file, int line) {
    if (code == expected && strcmp(err->message, message) == 0)
        return;
    print_error("%s\n  gave     %s: %s\n  expected %s: %s\n", call, weir_code_name(code),
                code == WEIR_OK ? "" : err->message, weir_code_name(expected), message);
    _fail(file, line);
}

uint64_t spec_seed(void) {
    uint64_t seed;
    const char *given = getenv("WEIR_SEED");
    random_bytes(&seed, sizeof seed);
    seed = given ? strtoull(given, NULL, 10) : seed % 1000000007;
    print_message("WEIR_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}
