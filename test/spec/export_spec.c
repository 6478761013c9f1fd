/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: plan */
/* What leaves the catalog for other tools: schemas that stand alone, scripts that nothing in a name can break
 * out of. */
#include "kit/spec.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/bundle.h"
#include "catalog/schema_copy.h"
#include "catalog/schema_path.h"
#include "kit/catalog.h"
#include "kit/findings.h"
#include "plan/script.h"
#include "schema/schema.h"

enum { MANY = 4 << 20 };

static weir_catalog *open_folder(const char *folder) {
    weir_catalog *catalog = NULL;
    weir_error err = {0};
    expect_ok(weir_catalog_open(&catalog, folder, NULL, NULL, &err), &err);
    return catalog;
}

/* --- schemas -------------------------------------------------------------------------------------------- */

/* The schema of an event as its own document. */
static json_doc *standalone(const weir_catalog *catalog, const json *payload, struct place place,
                            const char *id) {
    buffer text;
    json_doc *doc = NULL;
    weir_error err = {0};
    buffer_init(&text, MANY);
    expect_ok(schema_standalone(&text, catalog, payload, schema_source(catalog, payload, place), id, &err),
              &err);
    expect_ok(json_parse(&doc, buffer_view(&text), &err), &err);
    buffer_release(&text);
    return doc;
}

static bool valid(const json_doc *doc, const json *value) {
    schema *compiled = NULL;
    schema_run *run = schema_run_new();
    weir_error err = {0};
    expect_ok(schema_compile(&compiled, json_root(doc), NULL, &err), &err);
    bool answer = schema_valid(run, compiled, value, false);
    schema_free(compiled);
    schema_run_free(run);
    return answer;
}

static int check_catalog(const char *folder) {
    weir_catalog *catalog = open_folder(folder);
    int count = 0;
    for (size_t i = 0; i < catalog->events.count; i++) {
        const struct event_def *event = catalog->events.items[i];
        json_doc *doc = standalone(catalog, event->payload, event->place, "weir:x/y/v1");
        assert_string_equal(json_cstr(json_get(json_root(doc), "$id")), "weir:x/y/v1");
        if (event->example)
            assert_true(valid(doc, event->example));
        count += event->example != NULL;
        json_doc_free(doc);
    }
    weir_catalog_close(catalog);
    return count;
}

static void examples_hold_in_schemas_that_stand_alone(void **state) {
    (void)state;
    const char *source = getenv("WEIR_SOURCE");
    char path[1024], folder[2048];
    int count = 0;
    snprintf(path, sizeof path, "%s/catalogs", source ? source : ".");
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        snprintf(folder, sizeof folder, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            count += check_catalog(folder);
    }
    closedir(entries);
    assert_true(count >= 39);
}

static const char *const files[][2] = {
    {"schemas/order.json",
     "{\"$defs\":{\"own\":{\"type\":\"integer\"}},\"type\":\"object\",\"required\":[\"who\"],\"properties\":{"
     "\"who\":{\"$ref\":\"parts/who is.yaml#/$defs/who\"},\"n\":{\"$ref\":\"#/$defs/own\"}}}"},
    {"schemas/parts/who is.yaml",
     "$defs:\n  who: {type: object, required: [name], properties: {name: {$ref: '#/$defs/name'}, "
     "order: {$ref: '../order.json'}}}\n  name: {$ref: 'name.yaml'}\n"},
    {"schemas/parts/name.yaml", "{type: string, maxLength: 5}\n"}};

static const char *with_files(void) {
    const char *folder =
        kit_catalog_folder("weir: 1\ncatalog: shop\nenvelope: envelope.yaml\n"
                           "streams: {ORDERS: {subjects: [order.>], max_age: 30d}}\n"
                           "events:\n  order.placed: {stream: ORDERS, payload: schemas/order.json}\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        kit_file(folder, files[i][0], files[i][1]);
    return folder;
}

static void expect_whole(const json_doc *doc) {
    static const struct {
        const char *payload;
        bool valid;
    } rows[] = {
        {"{\"who\":{\"name\":\"Eve\"},\"n\":1}", true},
        {"{\"who\":{\"name\":\"Eve\",\"order\":{\"who\":{\"name\":\"Bob\"}}}}", true},
        {"{\"who\":{\"name\":\"too long\"}}", false},
        {"{\"who\":{\"name\":\"Eve\",\"order\":{\"who\":{\"name\":\"too long\"}}}}", false},
        {"{\"who\":{\"name\":\"Eve\"},\"n\":\"1\"}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_doc *value;
        weir_error err = {0};
        expect_ok(json_parse(&value, weir_text_of(rows[i].payload), &err), &err);
        assert_int_equal(valid(doc, json_root(value)), rows[i].valid);
        json_doc_free(value);
    }
}

/* Also when the catalog came as one document, where files are a section. */
static void files_that_refer_to_each_other_come_along(void **state) {
    (void)state;
    weir_catalog *catalog = open_folder(with_files()), *bundled = NULL;
    weir_error err = {0};
    buffer text;
    buffer_init(&text, MANY);
    catalog_bundle(&text, catalog);
    expect_ok(weir_catalog_open_bundle(&bundled, buffer_view(&text), "b", NULL, NULL, &err), &err);
    weir_catalog *const both[] = {catalog, bundled};
    for (int i = 0; i < 2; i++) {
        const struct event_def *event = both[i]->events.items[0];
        json_doc *doc = standalone(both[i], event->payload, event->place, "weir:shop/order.placed/v1");
        const json *part =
            json_pointer(json_root(doc), weir_text_of("/$defs/schemas~1parts~1who is.yaml/$id"));
        assert_string_equal(json_cstr(part), "weir:shop/schemas/parts/who%20is.yaml");
        expect_whole(doc);
        json_doc_free(doc);
        weir_catalog_close(both[i]);
    }
    buffer_release(&text);
}

static void true_and_false_are_schemas_too(void **state) {
    (void)state;
    weir_catalog *catalog = open_folder(kit_catalog_folder(kit_shop));
    for (int i = 0; i < 2; i++) {
        json_doc *schema, *doc;
        weir_error err = {0};
        expect_ok(json_parse(&schema, weir_text_of(i ? "true" : "false"), &err), &err);
        doc = standalone(catalog, json_root(schema), (struct place){"catalog.yaml", 1, 1}, "weir:x");
        assert_int_equal(valid(doc, json_root(schema)), i);
        json_doc_free(doc);
        json_doc_free(schema);
    }
    weir_catalog_close(catalog);
}

/* --- scripts -------------------------------------------------------------------------------------------- */

static void a_quoted_word_is_one_word(void **state) {
    (void)state;
    static const struct {
        enum script_shell shell;
        const char *text, *quoted;
    } rows[] = {
        {SCRIPT_SH, "ORDERS", "'ORDERS'"},
        {SCRIPT_SH, "", "''"},
        {SCRIPT_SH, "$(id) `id` \\ \" * ;\n#", "'$(id) `id` \\ \" * ;\n#'"},
        {SCRIPT_SH, "it's", "'it'\\''s'"},
        {SCRIPT_SH, "'; rm -rf /; '", "''\\''; rm -rf /; '\\'''"},
        {SCRIPT_SH, "\xe2\x80\x99", "'\xe2\x80\x99'"},
        {SCRIPT_PS1, "ORDERS", "'ORDERS'"},
        {SCRIPT_PS1, "$(id) `id` $env:X \"", "'$(id) `id` $env:X \"'"},
        {SCRIPT_PS1, "it's", "'it''s'"},
        {SCRIPT_PS1, "a\xe2\x80\x98; calc; \xe2\x80\x99",
         "'a\xe2\x80\x98\xe2\x80\x98; calc; \xe2\x80\x99\xe2\x80\x99'"},
        {SCRIPT_PS1, "\xe2\x80\x9a\xe2\x80\x9b", "'\xe2\x80\x9a\xe2\x80\x9a\xe2\x80\x9b\xe2\x80\x9b'"},
        {SCRIPT_PS1, "\xff'", "'\xff'''"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer out;
        buffer_init(&out, 1000);
        script_quote(&out, rows[i].shell, weir_text_of(rows[i].text));
        assert_string_equal(out.data, rows[i].quoted);
        buffer_release(&out);
    }
}

/* The caller releases it. */
static buffer script_of(const char *yaml, enum script_shell shell) {
    weir_catalog *catalog = open_folder(kit_catalog_folder(yaml));
    buffer out;
    weir_error err = {0};
    buffer_init(&out, MANY);
    expect_ok(script_write(&out, catalog, shell, &err), &err);
    weir_catalog_close(catalog);
    return out;
}

/* Descriptions are the author's words, whatever they are. */
static void words_of_the_author_stay_in_their_line(void **state) {
    (void)state;
    const char *yaml = kit_replace(kit_shop, "    max_age: 30d\n",
                                   "    max_age: 30d\n    description: \"END\\n'@\\n$(touch x) `id` it's "
                                   "\xe2\x80\x99 \xf0\x9f\x90\x9f\"\n");
    const char *line = "\"description\":\"END\\n'@\\n$(touch x) `id` it's \\u2019 \\ud83d\\udc1f\"";
    buffer sh = script_of(yaml, SCRIPT_SH), ps1 = script_of(yaml, SCRIPT_PS1);
    assert_non_null(strstr(sh.data, "\nstream 'ORDERS' <<'END'\n{\"name\":\"ORDERS\","));
    assert_non_null(strstr(sh.data, line));
    assert_non_null(strstr(sh.data, "\nconsumer 'ORDERS' 'billing' <<'END'\n{\"name\":\"billing\","));
    assert_non_null(strstr(ps1.data, "\nSet-Nats @('ORDERS') stream @'\n{\"name\":\"ORDERS\","));
    assert_non_null(strstr(ps1.data, line));
    assert_non_null(
        strstr(ps1.data, "\nSet-Nats @('ORDERS', 'billing') consumer @'\n{\"name\":\"billing\","));
    for (size_t i = 0; i < ps1.size; i++)
        assert_true((unsigned char)ps1.data[i] < 0x80);
    buffer_release(&sh);
    buffer_release(&ps1);
}

/* Each here-string of PowerShell begins at the end of a line and ends at the begin of one. */
static void here_strings_are_balanced(void **state) {
    (void)state;
    buffer script = script_of(kit_shop, SCRIPT_PS1);
    int count = 0;
    for (const char *at = script.data; (at = strstr(at, "@'\n")); count++) {
        const char *line = at + 3, *end = strchr(line, '\n');
        assert_int_equal(*line, '{');
        assert_int_equal(end[-1], '}');
        assert_memory_equal(end, "\n'@\n", 4);
        at = end + 4;
    }
    assert_true(count >= 6);
    buffer_release(&script);
}

static const struct spec specs[] = {
    {"examples hold in schemas that stand alone", examples_hold_in_schemas_that_stand_alone},
    {"files that refer to each other come along", files_that_refer_to_each_other_come_along},
    {"true and false are schemas too", true_and_false_are_schemas_too},
    {"a quoted word is one word", a_quoted_word_is_one_word},
    {"words of the author stay in their line", words_of_the_author_stay_in_their_line},
    {"here strings are balanced", here_strings_are_balanced},
};
SPEC_MAIN(specs)
