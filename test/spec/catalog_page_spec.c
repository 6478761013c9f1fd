/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* docs/reference/catalog.md against the tables that read a catalog: every key is on the page, in the section of
 * its table, and the catalog that the page begins with is sound. */
#include "kit/spec.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "kit/catalog.h"
#include "kit/findings.h"

static char *file_of(const char *name) {
    char path[1024], *text = NULL;
    size_t size;
    weir_error err;
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/%s", source ? source : ".", name);
    expect_ok(file_read(&text, &size, path, 1 << 20, &err), &err);
    return text;
}

/* Where the keys of a file of src/catalog are described; keys of other files may stand anywhere. */
static const struct {
    const char *file, *sections[2];
} places[] = {
    {"derive.c", {"dead_letter"}},
    {"read_bridges.c", {"bridges"}},
    {"environment.c", {"environments"}},
    {"read_events.c", {"events"}},
    {"read_groups.c", {"groups", "services"}},
    {"read_streams.c", {"streams", "retention"}},
    {"read_versions.c", {"events", "groups"}},
};

/* Is `key` named between the heading of the section and the next heading? "" is the whole page. */
static bool named(const char *page, const char *section, const char *key) {
    char heading[64], mark[80];
    snprintf(heading, sizeof heading, "\n## %s\n", section);
    snprintf(mark, sizeof mark, "`%s`", key);
    const char *start = *section ? strstr(page, heading) : page;
    assert_non_null(start);
    const char *end = *section ? strstr(start + 1, "\n## ") : NULL;
    const char *at = strstr(start, mark);
    return at && (!end || at < end);
}

static bool named_where_it_belongs(const char *page, const char *file, const char *key) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].file, file) == 0)
            return named(page, places[i].sections[0], key) ||
                   (places[i].sections[1] && named(page, places[i].sections[1], key));
    return named(page, "", key);
}

/* The rows of field tables as they are written: {"max_age", FIELD_DURATION, ...}. Returns how many. */
static size_t judge_tables(const char *page, const char *file) {
    char name[300];
    snprintf(name, sizeof name, "src/catalog/%s", file);
    char *source = file_of(name);
    size_t keys = 0;
    for (const char *at = source; (at = strstr(at, "\", FIELD_")); at++) {
        const char *start = at;
        while (start[-1] != '"')
            start--;
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)(at - start), start);
        bool found = named_where_it_belongs(page, file, key);
        if (!found)
            print_error("docs/reference/catalog.md does not say what `%s` (src/catalog/%s) is\n", key, file);
        assert_true(found);
        keys++;
    }
    mem_free(source);
    return keys;
}

static void every_key_is_on_the_page(void **state) {
    (void)state;
    char path[1024];
    const char *source = getenv("WEIR_SOURCE");
    snprintf(path, sizeof path, "%s/src/catalog", source ? source : ".");
    char *page = file_of("docs/reference/catalog.md");
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t keys = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (size > 2 && strcmp(entry->d_name + size - 2, ".c") == 0)
            keys += judge_tables(page, entry->d_name);
    }
    closedir(folder);
    mem_free(page);
    assert_true(keys >= 75);
}

/* The words after `known[] = {` in a file, each between quotes. */
static size_t judge_words(const char *page, const char *file) {
    char *source = file_of(file);
    char *at = strstr(source, "known[] = {");
    assert_non_null(at);
    *strchr(at, ';') = 0;
    size_t words = 0;
    for (char *open; (open = strchr(at, '"')); words++) {
        char *close = strchr(open + 1, '"');
        *close = 0;
        bool found = named(page, "envelope", open + 1);
        if (!found)
            print_error("docs/reference/catalog.md does not say what `%s` (%s) is\n", open + 1, file);
        assert_true(found);
        at = close + 1;
    }
    mem_free(source);
    return words;
}

static void every_key_of_an_envelope_is_on_the_page(void **state) {
    (void)state;
    char *page = file_of("docs/reference/catalog.md");
    assert_true(judge_words(page, "src/event/dialect.c") >= 6);
    assert_true(judge_words(page, "src/event/dialect_field.c") >= 10);
    mem_free(page);
}

static void expect_sound(const char *name) {
    static const char fence[] = "```yaml\n# catalog.yaml\n";
    static const char *const none[] = {NULL};
    char *page = file_of(name);
    char *start = strstr(page, fence);
    assert_non_null(start);
    start += strlen("```yaml\n");
    char *end = strstr(start, "\n```");
    assert_non_null(end);
    end[1] = 0;
    const char *folder = kit_catalog_folder(start);
    char envelope[1024];
    snprintf(envelope, sizeof envelope, "%s/envelope.yaml", folder);
    unlink(envelope); /* the page's is one that weir brings along */
    expect_findings(folder, none);
    mem_free(page);
}

static void catalogs_on_pages_are_sound(void **state) {
    (void)state;
    expect_sound("docs/reference/catalog.md");
    expect_sound("docs/evolution.md");
}

static const struct spec specs[] = {
    {"every key of the tables is on the reference page", every_key_is_on_the_page},
    {"every key of an envelope is on the reference page", every_key_of_an_envelope_is_on_the_page},
    {"the catalogs that pages show are sound", catalogs_on_pages_are_sound},
};
SPEC_MAIN(specs)
