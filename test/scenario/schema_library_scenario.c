/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: base */
/* The schema library as somebody else installs it: alone, in a folder of its own, without anything of weir's
 * that talks to servers or databases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/catalog.h"
#include "kit/program.h"
#include "kit/server.h"
#include "kit/spec.h"

/* A program links with what its library was built with. */
#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH "-fsanitize=address,undefined"
#elif defined(__SANITIZE_THREAD__)
#define BUILT_WITH "-fsanitize=thread"
#else
#define BUILT_WITH ""
#endif

/* $1: the prefix; $2: what the build was made with. Prints what went wrong. */
static const char install[] = "cmake --install \"$WEIR_BUILD\" --prefix \"$1\" --component schema > "
                              "\"$1.log\" 2>&1 || cat \"$1.log\"\n";
static const char *const find_it =
    "PKG_CONFIG_PATH=$(dirname \"$(find \"$1\" -name weir-schema.pc)\")\n"
    "export PKG_CONFIG_PATH\n"
    "flags=$(pkg-config --cflags --libs weir-schema) libdir=$(pkg-config --variable=libdir weir-schema)\n";

static struct kit_run shell(const char *script) {
    const char *text[] = {"set -e\ncd \"$WEIR_SOURCE\"\n", install, find_it, script};
    char all[4096] = "";
    for (size_t i = 0; i < 4; i++)
        strncat(all, text[i], sizeof all - strlen(all) - 1);
    const char *const argv[] = {"sh", "-c", all, "sh", kit_path("prefix"), BUILT_WITH, NULL};
    return kit_run(argv, NULL, 100);
}

static void expect_silence(struct kit_run run) {
    if (run.status != 0 || *run.out || *run.err)
        print_error("exit %d\n%s%s\n", run.status, run.out, run.err);
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
    kit_run_free(&run);
}

static void a_program_builds_against_it_and_validates(void **state) {
    (void)state;
    expect_silence(shell(
        "cc -Wall -Wextra -Werror $2 examples/schema/lines.c $flags -Wl,-rpath,$libdir -o \"$1/lines\""));
    kit_file(
        kit_folder(), "order.json",
        "{\"required\":[\"id\"],\"properties\":{\"id\":{\"format\":\"uuid\"},\"total\":{\"minimum\":1}}}");
    const char *const argv[] = {kit_path("prefix/lines"), kit_path("order.json"), NULL};
    struct kit_run run = kit_run(
        argv, "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}\n{\"id\":\"1\",\"total\":0}\n{\n", 20);
    assert_string_equal(run.out, "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}\n");
    assert_string_equal(run.err,
                        "line 2: /id: must be a UUID, is \"1\"\nline 2: /total: must be at least 1, is 0\n"
                        "line 3: not valid JSON: line 2, column 1: the text ends before the value does\n");
    assert_int_equal(run.status, 1);
    kit_run_free(&run);
}

static void the_program_of_its_readme_works(void **state) {
    (void)state;
    struct kit_run run =
        shell("sed -n '/^```c$/,/^```$/p' src/schema/README.md | sed '/^```/d' > \"$1/readme.c\"\n"
              "cc $2 \"$1/readme.c\" $flags -Wl,-rpath,$libdir -o \"$1/readme\" && \"$1/readme\"");
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "/total: must be at least 1, is 0 (#/properties/total/minimum)\n");
    kit_run_free(&run);
}

static void cpp_takes_its_header(void **state) {
    (void)state;
    expect_silence(
        shell("printf '#include <weir/schema.h>\\n' > \"$1/a.cpp\"\n"
              "for std in c++11 c++20; do\n"
              "    c++ -std=$std -fsyntax-only -pedantic -Wall -Wextra -Werror \"$1/a.cpp\" $flags\n"
              "done\n"
              "cc -std=c11 -fsyntax-only -pedantic -Wall -Wextra -Werror -x c \"$1/a.cpp\" $flags"));
}

static bool is_known(const char *line) {
    /* what it needs, the C library, and what sanitizers bring along */
    static const char *const known[] = {"libyyjson.", "libpcre2-8.", "libidn2.",  "libunistring.", "libc.",
                                        "ld-linux-",  "linux-vdso.", "libasan.",  "libubsan.",     "libtsan.",
                                        "libm.",      "libgcc_s.",   "libstdc++."};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(line, known[i], strlen(known[i])) == 0)
            return true;
    return false;
}

/* Directly, or behind what is. */
static void it_loads_only_what_it_needs(void **state) {
    (void)state;
    struct kit_run run =
        shell("ldd \"$libdir/libweir-schema.so\" | sed 's/^[[:space:]]*//; s/ .*//; s/.*\\///'");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "libyyjson."));
    for (char *line = run.out, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = 0;
        if (!is_known(line))
            fail_msg("libweir-schema.so loads %s", line);
    }
    kit_run_free(&run);
}

static void it_exports_only_what_its_header_declares(void **state) {
    (void)state;
    expect_silence(
        shell("nm -D --defined-only \"$libdir/libweir-schema.so\" | sed 's/.* //' | sort > \"$1/exported\"\n"
              "{ grep -o 'weir_schema_[a-z_]*(' include/weir/schema.h | tr -d '('; echo weir_code_name; } |\n"
              "    sort -u > \"$1/declared\"\n"
              "diff \"$1/declared\" \"$1/exported\""));
}

static const struct spec specs[] = {
    {"a program builds against the installed library and validates lines",
     a_program_builds_against_it_and_validates},
    {"the program of its README does what it says", the_program_of_its_readme_works},
    {"C and C++ of either age take its header", cpp_takes_its_header},
    {"no server, database, YAML or TLS library is loaded with it", it_loads_only_what_it_needs},
    {"it exports what its header declares and nothing else", it_exports_only_what_its_header_declares},
};
SPEC_MAIN(specs)
