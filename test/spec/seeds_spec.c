/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Four event systems as their authors described them, test/fixture/seeds-as-written: what contradicts itself is
 * found, and the table beside them says by which rule. */
#include "kit/spec.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "kit/findings.h"

static const char *seeds(char path[1024], const char *name) {
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, 1024, "%s/test/fixture/seeds-as-written/%s", source ? source : ".", name);
    return path;
}

static char *file_of(const char *name) {
    char path[1024], *text = NULL;
    size_t size;
    weir_error err;
    expect_ok(file_read(&text, &size, seeds(path, name), 1 << 20, &err), &err);
    return text;
}

static void every_catalog_gives_exactly_what_it_expects(void **state) {
    (void)state;
    char path[1024];
    size_t catalogs = 0;
    DIR *folder = opendir(seeds(path, ""));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        expect_findings_inside(seeds(path, entry->d_name));
        catalogs++;
    }
    closedir(folder);
    assert_true(catalogs >= 15);
}

/* --- the table ------------------------------------------------------------------------------------------ */

/* The next word of a cell, as "C101" or "daarion"; absent at its end. */
static weir_text next_word(const char **at, const char *end) {
    while (*at < end && **at == ' ')
        ++*at;
    const char *start = *at;
    while (*at < end && **at != ' ')
        ++*at;
    return (weir_text){*at > start ? start : NULL, (size_t)(*at - start)};
}

static bool expected_in(weir_text code, weir_text catalog) {
    char name[128], mark[32];
    snprintf(name, sizeof name, "%.*s/catalog.yaml", TEXT_ARG(catalog));
    snprintf(mark, sizeof mark, "# expect: %.*s ", TEXT_ARG(code));
    char *text = file_of(name);
    bool found = strstr(text, mark) != NULL;
    mem_free(text);
    return found;
}

/* A row: "| contradiction | codes | catalogs |". Returns how many codes it has. */
static size_t judge_row(const char *row, const char *end) {
    const char *second = memchr(row + 1, '|', (size_t)(end - row - 1));
    const char *third = second ? memchr(second + 1, '|', (size_t)(end - second - 1)) : NULL;
    const char *last = third ? memchr(third + 1, '|', (size_t)(end - third - 1)) : NULL;
    size_t codes = 0;
    if (!last || strncmp(second, "| C", 3) != 0)
        return 0;
    const char *at = second + 1;
    for (weir_text code; (code = next_word(&at, third)).data; codes++) {
        bool found = false;
        const char *names = third + 1;
        for (weir_text name; !found && (name = next_word(&names, last)).data;)
            found = expected_in(code, name);
        if (!found)
            print_error("%.*s\n  no catalog of this row expects %.*s\n", (int)(end - row), row,
                        TEXT_ARG(code));
        assert_true(found);
    }
    return codes;
}

static void every_row_of_the_table_is_found(void **state) {
    (void)state;
    char *table = file_of("README.md");
    size_t codes = 0;
    for (char *line = table, *end; (end = strchr(line, '\n')); line = end + 1)
        if (*line == '|')
            codes += judge_row(line, end);
    assert_true(codes >= 35);
    mem_free(table);
}

static void every_catalog_is_in_the_table(void **state) {
    (void)state;
    char path[1024], mark[300];
    char *table = file_of("README.md");
    DIR *folder = opendir(seeds(path, ""));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(mark, sizeof mark, " %s ", entry->d_name);
        bool known = entry->d_type != DT_DIR || entry->d_name[0] == '.' || strstr(table, mark);
        if (!known)
            print_error("the table does not name '%s'\n", entry->d_name);
        assert_true(known);
    }
    closedir(folder);
    mem_free(table);
}

static const struct spec specs[] = {
    {"every seed as written gives exactly the findings it expects",
     every_catalog_gives_exactly_what_it_expects},
    {"every contradiction of the table is found by its rule in its catalog", every_row_of_the_table_is_found},
    {"every seed as written is in the table", every_catalog_is_in_the_table},
};
SPEC_MAIN(specs)
