/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog */
/* Every class of bad YAML that people have sent to somebody, as a catalog: what is said, where, and what to do. The
 * reader's own specification is yaml_spec. */
#include "kit/spec.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "base/units.h"
#include "catalog/model.h"
#include "kit/catalog.h"
#include "kit/findings.h"

static const char mend[] = "mend the file; one YAML document without anchors, aliases, tags and tabs";

#define AGE "max_age: 30d\n"

struct class {
    const char *old, *new_text; /* in the shop catalog */
    const char *line, *remedy;  /* the only finding, and what to do about it */
};

static void expect_class(const char *folder, const char *line, const char *remedy) {
    const char *lines[] = {line, NULL};
    expect_findings(folder, lines);
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    weir_code code = weir_catalog_open(&catalog, folder, NULL, &report, &err);
    assert_string_equal(weir_report_at(report, 0)->remedy, remedy);
    bool error = weir_report_at(report, 0)->severity == WEIR_SEVERITY_ERROR;
    assert_int_equal(code, error ? WEIR_INVALID : WEIR_OK);
    weir_report_free(report);
    weir_catalog_close(catalog);
}

static void expect_classes(const struct class *classes, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect_class(kit_catalog_folder(kit_replace(kit_shop, classes[i].old, classes[i].new_text)),
                     classes[i].line, classes[i].remedy);
}
#define EXPECT(classes) expect_classes((classes), sizeof(classes) / sizeof *(classes))

/* --- what is no text ------------------------------------------------------------------------------------ */

/* A catalog.yaml of these bytes. */
static const char *folder_of(const char *bytes, size_t size) {
    const char *folder = kit_catalog_folder("{}");
    char path[1024];
    weir_error err;
    snprintf(path, sizeof path, "%s/catalog.yaml", folder);
    expect_ok(file_write_atomic(path, bytes, size, 0600, &err), &err);
    return folder;
}

static void bytes_that_are_no_catalog(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *line, *remedy;
    } rows[] = {
        {"", 0, "C001 catalog.yaml:1:1 the file is empty", mend},
        {"# nothing\n", 10, "C001 catalog.yaml:1:1 the file is empty", mend},
        {"\xFF\xFEw\0e\0", 6, "C001 catalog.yaml:1:1 the file is written in UTF-16", "save it as UTF-8"},
        {"\xFE\xFF\0w\0e", 6, "C001 catalog.yaml:1:1 the file is written in UTF-16", "save it as UTF-8"},
        {"weir: 1\ncatalog: s\0p\n", 21,
         "C001 catalog.yaml:2:11 the control character U+0000 cannot stand in a file", mend},
        {"weir: 1\ncatalog: \xE9t\xE9\n", 21, "C001 catalog.yaml:2:10 this byte is no UTF-8", mend},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_class(folder_of(rows[i].bytes, rows[i].size), rows[i].line, rows[i].remedy);
}

/* 100 MB of one scalar: refused by its size, before a byte is read. */
static void a_scalar_of_a_hundred_megabytes(void **state) {
    (void)state;
    const char *folder = kit_catalog_folder("{}");
    char path[1024];
    snprintf(path, sizeof path, "%s/catalog.yaml", folder);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(file, 100 << 20), 0);
    close(file);
    expect_class(folder, "C001 catalog.yaml:1:1 'catalog.yaml' is larger than 4 MiB",
                 "split it: a catalog may have many files");
}

static void a_mark_and_windows_line_ends_are_fine(void **state) {
    (void)state;
    static const char *const none[] = {NULL};
    buffer text;
    buffer_init(&text, 1 << 16);
    buffer_string(&text, "\xEF\xBB\xBF");
    for (const char *at = kit_shop; *at; at++)
        buffer_string(&text, *at == '\n' ? "\r\n" : (char[]){*at, 0});
    expect_findings(kit_catalog_folder(text.data), none);
    buffer_release(&text);
}

/* --- YAML that surprises -------------------------------------------------------------------------------- */

static void yaml_that_surprises(void **state) {
    (void)state;
    static const char inline_it[] = "write the value out where it is needed";
    static const struct class classes[] = {
        {AGE, "max_age: &a [*a]\n", "C001 catalog.yaml:8:14 anchors are not allowed", inline_it},
        {AGE, "max_age: *a\n", "C001 catalog.yaml:8:14 aliases are not allowed", inline_it},
        {AGE, "<<: {max_age: 30d}\n", "C001 catalog.yaml:8:5 merge keys are not allowed",
         "write the members out where they are needed"},
        {AGE, "max_age: !!python/object:os.system {}\n", "C001 catalog.yaml:8:14 tags are not allowed",
         "leave the tag away; quote what is meant as a string"},
        {AGE, "max_age: 30d\n\tstorage: file\n", "C001 catalog.yaml:9:1 a tab stands here", "use spaces"},
        {AGE, AGE "    max_age: 1d\n", "C001 catalog.yaml:9:5 the key \"max_age\" stands in line 8 already",
         "remove one of the two, or rename it"},
        {"weir: 1\n", "weir: 1\n---\n", "C001 catalog.yaml:2:1 a second document begins here",
         "put it into a file of its own"},
    };
    EXPECT(classes);
}

/* Nine levels of nine references each would be 387 million values. */
static void a_bomb_of_aliases_ends_at_its_first_anchor(void **state) {
    (void)state;
    buffer bomb;
    buffer_init(&bomb, 1 << 16);
    buffer_string(&bomb, "a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (char level = 'b'; level < 'j'; level++) {
        buffer_printf(&bomb, "%c: &%c [", level, level);
        for (int i = 0; i < 9; i++)
            buffer_printf(&bomb, "%s*%c", i ? ", " : "", level - 1);
        buffer_string(&bomb, "]\n");
    }
    expect_class(kit_catalog_folder(bomb.data), "C001 catalog.yaml:1:4 anchors are not allowed",
                 "write the value out where it is needed");
    buffer_release(&bomb);
}

static void ten_thousand_levels_end_at_the_65th(void **state) {
    (void)state;
    buffer deep;
    buffer_init(&deep, 1 << 20);
    buffer_string(&deep, "weir: ");
    for (int i = 0; i < 10000; i++)
        buffer_char(&deep, '[');
    expect_class(kit_catalog_folder(deep.data), "C001 catalog.yaml:1:70 nested deeper than 64 levels", mend);
    buffer_release(&deep);
}

/* --- values that are not what they look like ------------------------------------------------------------ */

static void values_that_are_not_what_they_look_like(void **state) {
    (void)state;
    static const char form[] = "write the value in the form that is named";
    static const char unit[] =
        "write a whole number and a unit, largest first: 250ms, 5s, 2m, 24h, 7d, 1y, 1h30m, or forever";
    static const struct class classes[] = {
        {AGE, "deny_purge: no\n",
         "C008 catalog.yaml:8:5 stream 'ORDERS': deny_purge must be true or false, is 'no'", form},
        {AGE, "num_replicas: 010\n",
         "C008 catalog.yaml:8:5 stream 'ORDERS': num_replicas must be a whole number, is '010'", form},
        {AGE, "num_replicas: 0o3\n",
         "C008 catalog.yaml:8:5 stream 'ORDERS': num_replicas must be a whole number, is '0o3'", form},
        {AGE, "num_replicas: 1e3\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': num_replicas must be between 1 and 5, is 1e3",
         "write one of the forms that are named"},
        {AGE, "max_msgs: .inf\n",
         "C008 catalog.yaml:8:5 stream 'ORDERS': max_msgs must be a whole number or `unlimited`, is '.inf'",
         form},
        {AGE, "max_age: .inf\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is '.inf'",
         unit},
        {AGE, "max_age: 12:30:00\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is "
         "'12:30:00'",
         unit},
        {AGE, "max_age: -1\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is -1", unit},
        {AGE, "max_age: 1 year\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is '1 year'",
         unit},
        {AGE, "max_age: 300y\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_age must be a duration such as 30s or 90d, is '300y'",
         "write forever where no limit is meant"},
        {AGE, "max_bytes: 10gigs\n",
         "C009 catalog.yaml:8:5 stream 'ORDERS': max_bytes must be a size such as 64KiB or 1GiB, is '10gigs'",
         "write a whole number of bytes, or one with KiB, MiB, GiB or TiB (KB, MB, GB and TB mean the same), "
         "or unlimited"},
    };
    EXPECT(classes);
}

static const struct stream_def *orders(const char *setting, weir_catalog **catalog) {
    weir_error err;
    const char *yaml = kit_replace(kit_shop, AGE, setting);
    expect_ok(weir_catalog_open(catalog, kit_catalog_folder(yaml), NULL, NULL, &err), &err);
    return catalog_stream(*catalog, weir_text_of("ORDERS"));
}

static void durations_and_sizes_mean_one_thing(void **state) {
    (void)state;
    static const struct {
        const char *setting;
        int64_t age_ns, bytes, msgs;
    } rows[] = {
        {"max_age: 7d\n", 7 * 86400 * NS_PER_S, -1, -1},
        {"max_age: 1y\n", 365 * 86400 * NS_PER_S, -1, -1},
        {"max_age: 1h30m\n", 5400 * NS_PER_S, -1, -1},
        {"max_age: 0\n", 0, -1, -1}, /* as in JetStream: no limit */
        {"max_age: forever\n", 0, -1, -1},
        {"max_bytes: 10GB\n", 0, INT64_C(10) << 30, -1}, /* as nats-server reads it */
        {"max_bytes: 10GiB\n", 0, INT64_C(10) << 30, -1},
        {"max_bytes: -1\n", 0, -1, -1},
        {"max_bytes: unlimited\n", 0, -1, -1},
        {"max_msgs: 1e3\n", 0, -1, 1000},
        {"max_msgs: -1\n", 0, -1, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_catalog *catalog = NULL;
        const struct stream_def *stream = orders(rows[i].setting, &catalog);
        assert_true(stream->max_age_ns == rows[i].age_ns);
        assert_true(stream->max_bytes == rows[i].bytes);
        assert_true(stream->max_msgs == rows[i].msgs);
        weir_catalog_close(catalog);
    }
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static void keys_that_are_not_known(void **state) {
    (void)state;
    static const char see[] = "remove it, or see the catalog reference for the keys that exist";
    static const struct class classes[] = {
        {AGE, "max_agee: 30d\n", "C006 catalog.yaml:8:5 stream 'ORDERS': the key 'max_agee' is not known",
         "did you mean 'max_age'?"},
        {AGE, "Max_Age: 30d\n", "C006 catalog.yaml:8:5 stream 'ORDERS': the key 'Max_Age' is not known",
         "did you mean 'max_age'?"},
        {AGE, "maxAge: 30d\n", "C006 catalog.yaml:8:5 stream 'ORDERS': the key 'maxAge' is not known",
         "did you mean 'max_age'?"},
        {AGE, "replicas: 3\n", "C006 catalog.yaml:8:5 stream 'ORDERS': the key 'replicas' is not known", see},
        {AGE, "colour: blue\n", "C006 catalog.yaml:8:5 stream 'ORDERS': the key 'colour' is not known", see},
        {"streams:\n", "Streams: {}\nstreams:\n",
         "C006 catalog.yaml:5:1 catalog.yaml: the key 'Streams' is not known", "did you mean 'streams'?"},
    };
    EXPECT(classes);
}

static void a_wrong_case_is_not_the_key(void **state) {
    (void)state;
    static const char *const lines[] = {
        "C007 catalog.yaml:6:3 stream 'ORDERS': the key 'subjects' is missing",
        "C006 catalog.yaml:7:5 stream 'ORDERS': the key 'Subjects' is not known", NULL};
    expect_findings(kit_catalog_folder(kit_replace(kit_shop, "    subjects:", "    Subjects:")), lines);
}

/* Seventy mistakes: fifty are said, in reading order, and the rest is not forgotten. */
static void fifty_errors_are_said_at_once(void **state) {
    (void)state;
    buffer yaml;
    buffer_init(&yaml, 1 << 20);
    buffer_string(&yaml, kit_shop);
    for (int i = 0; i < 70; i++)
        buffer_printf(&yaml, "    mistake%d: 1\n", i);
    weir_catalog *catalog = NULL;
    weir_report *report = NULL;
    weir_error err;
    expect_error(weir_catalog_open(&catalog, kit_catalog_folder(yaml.data), NULL, &report, &err),
                 WEIR_INVALID, &err, "catalog.yaml:28:5: service 'shop': the key 'mistake0' is not known");
    assert_int_equal(weir_report_count(report), 50);
    for (size_t i = 0; i < 50; i++) {
        assert_string_equal(weir_report_at(report, i)->rule, "C006");
        assert_int_equal(weir_report_at(report, i)->line, 28 + (int)i);
    }
    weir_report_free(report);
    buffer_release(&yaml);
}

static const struct spec specs[] = {
    {"an empty file, UTF-16, NUL and Latin-1 are refused at their place", bytes_that_are_no_catalog},
    {"a scalar of a hundred megabytes is refused by its size", a_scalar_of_a_hundred_megabytes},
    {"a byte order mark and windows line ends are fine", a_mark_and_windows_line_ends_are_fine},
    {"YAML that surprises is refused with its remedy", yaml_that_surprises},
    {"a bomb of aliases ends at its first anchor", a_bomb_of_aliases_ends_at_its_first_anchor},
    {"ten thousand levels end at the 65th", ten_thousand_levels_end_at_the_65th},
    {"values that are not what they look like are refused", values_that_are_not_what_they_look_like},
    {"durations and sizes mean one thing", durations_and_sizes_mean_one_thing},
    {"keys that are not known get the near one", keys_that_are_not_known},
    {"a wrong case is not the key", a_wrong_case_is_not_the_key},
    {"fifty errors are said at once", fifty_errors_are_said_at_once},
};
SPEC_MAIN(specs)
